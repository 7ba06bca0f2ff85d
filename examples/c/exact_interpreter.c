/* An interpreter with exact roots: a language of words that take their values from a stack and leave their results there. The stack is the interpreter's own memory, and it shows it to the collector; nothing scans
 * the C stack, so every object may move, and here each collection does move all of them.
 *
 * What makes it right is one habit: a value stays on the interpreter's stack until whatever has to be made has been made. No local variable holds an object while another one is allocated. */
#include <heapwright.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Number {
    int64_t value;
} Number;
static const hwr_type number_type = HWR_LEAF(Number);

/* Lists are pairs that end in NULL. */
typedef struct Pair {
    void *first, *rest;
} Pair;
static const hwr_type pair_type = HWR_TYPE(Pair, HWR_REFS(Pair, first, rest));

enum { DEPTH = 100, DEFINITIONS = 20, NAME = 16 };

typedef struct Definition {
    char name[NAME];
    const char *body;
} Definition;

static hwr_heap *heap;
static void *stack[DEPTH];
static size_t depth;
static Definition definitions[DEFINITIONS];
static size_t defined;

static void show_stack(hwr_heap *of, hwr_visitor *visitor, void *context) {
    (void)of, (void)context;
    for (size_t i = 0; i < depth; i++) HWR_VISIT(visitor, stack[i]);
}

_Noreturn static void give_up(const char *why, const char *word) {
    fprintf(stderr, "exact_interpreter: %s: %s\n", why, word);
    exit(1);
}

/* ---- the stack ---- */

static void push(void *value) {
    if (depth == DEPTH) give_up("the stack is full", "push");
    stack[depth++] = value;
}

/* The value that is so far from the top. */
static void **at(size_t distance) {
    if (distance >= depth) give_up("the stack is empty", "pop");
    return &stack[depth - 1 - distance];
}

static int64_t pop_number(void) {
    const void *value = *at(0);
    if (!value || hwr_type_of(value) != &number_type) give_up("this is no number", "pop");
    depth--;
    return ((const Number *)value)->value;
}

static Pair *top_pair(void) {
    void *value = *at(0);
    if (!value || hwr_type_of(value) != &pair_type) give_up("this is no pair", "first or rest");
    return value;
}

static void push_number(int64_t value) {
    Number *number = hwr_new(heap, &number_type);
    if (!number) give_up("no memory", "number");
    number->value = value;
    push(number);
}

/* ---- words ---- */

static void do_pair(void) {
    Pair *pair = hwr_new(heap, &pair_type); /* may move the two values, which are on the stack */
    if (!pair) give_up("no memory", "pair");
    hwr_set(heap, pair, &pair->first, *at(1));
    hwr_set(heap, pair, &pair->rest, *at(0));
    depth--;
    *at(0) = pair;
}

static void do_first(void) { *at(0) = top_pair()->first; }
static void do_rest(void) { *at(0) = top_pair()->rest; }
static void do_nil(void) { push(NULL); }
static void do_dup(void) { push(*at(0)); }
static void do_drop(void) {
    (void)at(0);
    depth--;
}
static void do_swap(void) {
    void *top = *at(0);
    *at(0) = *at(1);
    *at(1) = top;
}
static void do_rotate(void) { /* the third comes to the top */
    void *third = *at(2);
    *at(2) = *at(1);
    *at(1) = *at(0);
    *at(0) = third;
}
static void do_add(void) {
    int64_t b = pop_number(), a = pop_number();
    push_number(a + b);
}
static void do_multiply(void) {
    int64_t b = pop_number(), a = pop_number();
    push_number(a * b);
}

static void print_value(const void *value) {
    if (!value) {
        printf("()");
    } else if (hwr_type_of(value) == &number_type) {
        printf("%" PRId64, ((const Number *)value)->value);
    } else {
        for (const Pair *pair = value; pair; pair = pair->rest) {
            printf(pair == value ? "(" : " ");
            print_value(pair->first);
        }
        printf(")");
    }
}
static void do_print(void) {
    print_value(*at(0));
    putchar('\n');
    depth--;
}

typedef struct Builtin {
    const char *name;
    void (*call)(void);
} Builtin;
static const Builtin builtins[] = {{"pair", do_pair}, {"first", do_first}, {"rest", do_rest},  {"nil", do_nil},
                                   {"dup", do_dup},   {"drop", do_drop},   {"swap", do_swap},  {"rotate", do_rotate},
                                   {"+", do_add},     {"*", do_multiply},  {"print", do_print}};

/* ---- programs ---- */

static void run(const char *program);

static bool next_word(const char **program, char word[NAME]) {
    int read = 0;
    if (sscanf(*program, "%15s%n", word, &read) != 1) return false;
    *program += read;
    return true;
}

static void run_word(const char *word) {
    char *end;
    int64_t number = strtoll(word, &end, 10);
    if (!*end) {
        push_number(number);
        return;
    }
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
        if (strcmp(word, builtins[i].name) == 0) {
            builtins[i].call();
            return;
        }
    for (size_t i = defined; i-- > 0;)
        if (strcmp(word, definitions[i].name) == 0) {
            run(definitions[i].body);
            return;
        }
    give_up("no such word", word);
}

/* `times` takes a number, and does the word behind it as often. */
static void run(const char *program) {
    char word[NAME];
    while (next_word(&program, word)) {
        if (strcmp(word, "times") != 0) {
            run_word(word);
            continue;
        }
        int64_t times = pop_number();
        if (!next_word(&program, word)) give_up("what is to be done?", "times");
        for (int64_t i = 0; i < times; i++) run_word(word);
    }
}

static void define(const char *name, const char *body) {
    if (defined == DEFINITIONS || strlen(name) >= NAME) give_up("no room for a definition", name);
    strcpy(definitions[defined].name, name);
    definitions[defined++].body = body;
}

int main(void) {
    heap = hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options),
                                        .collector = HWR_TRACING,
                                        .roots = HWR_ROOTS_EXACT,
                                        .nursery = 64 << 10,
                                        .move_always = true});
    if (!heap || !hwr_roots_add(heap, show_stack, NULL)) return 1;
    define("square", "dup *");
    define("push-square", "dup square rotate pair swap 1 +"); /* (squares) n: (n * n and squares) n + 1 */
    define("squares", "nil 1 rotate times push-square drop");
    define("add-first", "dup first rotate + swap rest");   /* sum list: sum + first, rest */
    define("sum", "0 rotate rotate times add-first drop"); /* list, its length */

    run("10 squares print");
    run("1000 squares 1000 sum print");
    run("20000 squares dup first print 20000 sum print");
    printf("on the stack: %zu\n", depth);
    printf("at least 5 collections: %s\n", hwr_collection_count(heap, 0) >= 5 ? "yes" : "no");
    hwr_collect(heap, HWR_OLDEST);
    const char *problem;
    printf("the heap verifies: %s\n", hwr_heap_verify(heap, &problem) ? "yes" : problem);
    hwr_heap_close(heap);
    return 0;
}
