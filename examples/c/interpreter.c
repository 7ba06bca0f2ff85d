/* A small Lisp whose values live on a counting heap: a model of how an interpreter embeds the library.
 *
 *     interpreter            a session if standard input is a terminal, otherwise the demonstration at the end of this file
 *     interpreter FILE       runs a program; - is standard input
 *
 * Memory is managed by four rules, which hold in every function below:
 *   - What a function returns is owned by its caller, unless it says "borrowed"; what it is given is borrowed, unless it says "takes over".
 *   - A local variable that owns a reference is released, given to a field, or returned.
 *   - Fields are written with hwr_set (adds a reference), hwr_give (takes over the one we have) or, if new, hwr_init.
 *   - The interpreter itself is not on the heap, so it holds its global objects by handles.
 * NULL stands for an error, whose message is in the interpreter. Nobody ever frees a cycle here: the collector does. */
#include <heapwright.h>

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEEPEST = 1000, LIMIT = 64 << 20 };

typedef enum Form { QUOTE, IF, DEFINE, SET, LAMBDA, FORMS } Form;
static const char *const form_names[FORMS] = {"quote", "if", "define", "set!", "lambda"};

typedef struct Interpreter {
    hwr_heap *heap;
    hwr_handle *globals;      /* a Scope */
    hwr_handle *symbols;      /* a table from names to symbols that are in use */
    hwr_handle *nil, *truth;  /* the empty list, which is also "no"; and "yes" */
    hwr_handle *forms[FORMS]; /* the symbols of the special forms */
    int depth;
    bool incomplete; /* the text ended inside an expression */
    char error[200]; /* "": none */
} Interpreter;

/* ---- the kinds of values ---- */

typedef struct Constant {
    const char *name;
} Constant;
typedef struct Number {
    double value;
} Number;
typedef struct Text { /* a string, or a symbol */
    size_t length;
    char bytes[];
} Text;
typedef struct Pair { /* a list is a chain of them, with nil at the end */
    void *head, *tail;
} Pair;
typedef struct Binding {
    Text *name; /* NULL: an empty place */
    void *value;
} Binding;
typedef struct Table { /* open addressing; at most three quarters full */
    size_t room;
    Binding places[];
} Table;
typedef struct Scope {
    struct Scope *outer;
    Table *table;
    size_t count;
} Scope;
typedef struct Function {
    void *parameters, *body;
    Scope *scope; /* where it was made; if it was also stored there, that is a cycle */
} Function;
typedef struct Builtin Builtin;
struct Builtin {
    void *(*call)(Interpreter *in, const Builtin *self, void *arguments);
    const char *name;
};

/* A table's items are neither plain bytes nor plain references, so a function shows the references in them. */
static void trace_table(void *object, hwr_visitor *visitor) {
    Table *table = object;
    for (size_t i = 0; i < table->room; i++) {
        HWR_VISIT(visitor, table->places[i].name);
        HWR_VISIT(visitor, table->places[i].value);
    }
}

static const hwr_type constant_type = {.name = "constant", .size = sizeof(Constant)};
static const hwr_type number_type = {.name = "number", .size = sizeof(Number)};
static const hwr_type string_type = HWR_TYPE(Text, HWR_ITEMS(Text, length, bytes, char));
static const hwr_type symbol_type = HWR_TYPE(Text, HWR_ITEMS(Text, length, bytes, char));
static const hwr_type pair_type = HWR_TYPE(Pair, HWR_REFS(Pair, head, tail));
static const hwr_type table_type = HWR_TYPE(Table, HWR_ITEMS(Table, room, places, Binding), .trace = trace_table);
static const hwr_type scope_type = HWR_TYPE(Scope, HWR_REFS(Scope, outer, table));
static const hwr_type function_type = HWR_TYPE(Function, HWR_REFS(Function, parameters, body, scope));
static const hwr_type builtin_type = {.name = "builtin", .size = sizeof(Builtin)};

static bool is(const void *value, const hwr_type *type) { return hwr_type_of(value) == type; }

/* ---- making values ---- */

/* Always NULL, so that it can be returned. The first error is the one that is told. */
static void *fail(Interpreter *in, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (!*in->error) vsnprintf(in->error, sizeof in->error, format, arguments);
    va_end(arguments);
    return NULL;
}

static void *made(Interpreter *in, void *object) { return object ? object : fail(in, "out of memory"); }

static void *retained(Interpreter *in, void *object) {
    hwr_retain(in->heap, object);
    return object;
}

static void *nil(Interpreter *in) { return retained(in, hwr_handle_get(in->heap, in->nil)); }
static bool is_nil(Interpreter *in, const void *value) { return value == hwr_handle_get(in->heap, in->nil); }
static void *truth(Interpreter *in, bool yes) {
    return retained(in, hwr_handle_get(in->heap, yes ? in->truth : in->nil));
}

static void *number(Interpreter *in, double value) {
    Number *result = made(in, hwr_new(in->heap, &number_type));
    if (result) result->value = value;
    return result;
}

static void *text(Interpreter *in, const hwr_type *type, const char *bytes, size_t length) {
    Text *result = made(in, hwr_new_items(in->heap, type, length));
    if (result && length) memcpy(result->bytes, bytes, length);
    return result;
}

/* One object for each name, as long as anything holds it: the table refers to it weakly. */
static void *symbol(Interpreter *in, const char *name, size_t length) {
    hwr_weak_values *symbols = hwr_handle_get(in->heap, in->symbols);
    void *found = hwr_weak_values_get(in->heap, symbols, name, length);
    if (found) return found;
    void *result = text(in, &symbol_type, name, length);
    if (!result || hwr_weak_values_set(in->heap, symbols, name, length, result)) return result;
    hwr_release(in->heap, result);
    return made(in, NULL);
}

/* Takes over both references, whether it succeeds or not. */
static void *pair(Interpreter *in, void *head, void *tail) {
    Pair *result = made(in, hwr_new(in->heap, &pair_type));
    if (!result) {
        hwr_release(in->heap, head);
        hwr_release(in->heap, tail);
        return NULL;
    }
    hwr_init(in->heap, result, &result->head, head);
    hwr_init(in->heap, result, &result->tail, tail);
    return result;
}

/* A list that is made from its beginning: `first` is owned, `last` is borrowed from it. */
typedef struct Builder {
    void *first;
    Pair *last;
} Builder;

/* Takes over `value`; NULL is an error that has happened already. */
static bool append(Interpreter *in, Builder *list, void *value) {
    Pair *added = value ? pair(in, value, nil(in)) : NULL;
    if (!added) return false;
    if (list->last)
        hwr_give(in->heap, list->last, &list->last->tail, (void *)added);
    else
        list->first = added;
    list->last = added;
    return true;
}

static void *built(Interpreter *in, const Builder *list) { return list->first ? list->first : nil(in); }

/* Borrowed: the next value of a list, which moves on; NULL at its end. */
static void *next(Interpreter *in, void **list) {
    (void)in;
    if (!is(*list, &pair_type)) return NULL;
    const Pair *here = *list;
    *list = here->tail;
    return here->head;
}

/* ---- names ---- */

/* The place where a name is, or the empty place where it would go. Symbols are compared by identity. */
static Binding *place_of(Interpreter *in, Table *table, const Text *name) {
    size_t mask = table->room - 1, i = (size_t)(hwr_id(in->heap, name) >> 4) & mask;
    while (table->places[i].name && table->places[i].name != name) i = (i + 1) & mask;
    return &table->places[i];
}

/* The innermost of `scope` and those around it that has a name; its place is stored, too. */
static Scope *find(Interpreter *in, Scope *scope, const Text *name, Binding **place) {
    for (; scope; scope = scope->outer) {
        *place = scope->table ? place_of(in, scope->table, name) : NULL;
        if (*place && (*place)->name) return scope;
    }
    return fail(in, "there is no %.*s", (int)name->length, name->bytes);
}

static bool make_room(Interpreter *in, Scope *scope) {
    Table *old = scope->table;
    size_t room = old ? old->room : 0;
    if (scope->count + 1 <= room / 4 * 3) return true;
    Table *bigger = made(in, hwr_new_items(in->heap, &table_type, room ? room * 2 : 4));
    if (!bigger) return false;
    for (size_t i = 0; i < room; i++) {
        if (!old->places[i].name) continue;
        Binding *place = place_of(in, bigger, old->places[i].name);
        hwr_set(in->heap, bigger, &place->name, old->places[i].name);
        hwr_set(in->heap, bigger, &place->value, old->places[i].value);
    }
    hwr_give(in->heap, scope, &scope->table, bigger);
    return true;
}

static bool define(Interpreter *in, Scope *scope, Text *name, void *value) {
    if (!make_room(in, scope)) return false;
    Binding *place = place_of(in, scope->table, name);
    scope->count += !place->name;
    hwr_set(in->heap, scope->table, &place->name, name);
    hwr_set(in->heap, scope->table, &place->value, value);
    return true;
}

/* ---- evaluation ---- */

static void *evaluate(Interpreter *in, void *expression, Scope *scope);

static void *evaluate_all(Interpreter *in, void *expressions, Scope *scope) {
    void *result = nil(in);
    for (void *each; result && (each = next(in, &expressions)) != NULL;) {
        hwr_release(in->heap, result);
        result = evaluate(in, each, scope);
    }
    return result;
}

static void *evaluate_each(Interpreter *in, void *expressions, Scope *scope) {
    Builder list = {0};
    for (void *each; (each = next(in, &expressions)) != NULL;)
        if (!append(in, &list, evaluate(in, each, scope))) {
            hwr_release(in->heap, list.first);
            return NULL;
        }
    return built(in, &list);
}

static bool bind_all(Interpreter *in, Scope *scope, void *names, void *values) {
    for (void *name; (name = next(in, &names)) != NULL;) {
        void *value = next(in, &values);
        if (!value)
            fail(in, "too few arguments");
        else if (!is(name, &symbol_type))
            fail(in, "a parameter is not a name");
        if (*in->error || !define(in, scope, name, value)) return false;
    }
    if (next(in, &values)) fail(in, "too many arguments");
    return !*in->error;
}

static void *apply(Interpreter *in, void *callee, void *arguments) {
    if (is(callee, &builtin_type)) return ((Builtin *)callee)->call(in, callee, arguments);
    if (!is(callee, &function_type)) return fail(in, "what is called is not a function");
    const Function *function = callee;
    Scope *scope = made(in, hwr_new(in->heap, &scope_type));
    if (!scope) return NULL;
    hwr_set(in->heap, scope, &scope->outer, function->scope);
    void *result =
        bind_all(in, scope, function->parameters, arguments) ? evaluate_all(in, function->body, scope) : NULL;
    hwr_release(in->heap, scope);
    return result;
}

static void *make_function(Interpreter *in, void *parameters, void *body, Scope *scope) {
    Function *function = made(in, hwr_new(in->heap, &function_type));
    if (!function) return NULL;
    hwr_set(in->heap, function, &function->parameters, parameters);
    hwr_set(in->heap, function, &function->body, body);
    hwr_set(in->heap, function, &function->scope, scope);
    return function;
}

/* (define name value), or (define (name parameter ...) expression ...) */
static void *evaluate_define(Interpreter *in, void *rest, Scope *scope) {
    void *name = next(in, &rest), *value = NULL;
    if (name && is(name, &pair_type)) {
        void *parameters = ((Pair *)name)->tail;
        name = ((Pair *)name)->head;
        value = make_function(in, parameters, rest, scope);
    } else {
        void *expression = next(in, &rest);
        value = expression ? evaluate(in, expression, scope) : fail(in, "define needs a name and a value");
    }
    if (value && !is(name, &symbol_type)) fail(in, "what is defined is not a name");
    bool well = value && !*in->error && define(in, scope, name, value);
    hwr_release(in->heap, value);
    return well ? nil(in) : NULL;
}

static void *evaluate_set(Interpreter *in, void *rest, Scope *scope) {
    void *name = next(in, &rest), *expression = next(in, &rest);
    if (!expression || !is(name, &symbol_type)) return fail(in, "set! needs a name and a value");
    void *value = evaluate(in, expression, scope);
    Binding *place = NULL;
    scope = value ? find(in, scope, name, &place) : NULL; /* only now, since the evaluation may have moved it */
    if (!scope) {
        hwr_release(in->heap, value);
        return NULL;
    }
    hwr_set(in->heap, scope->table, &place->value, value);
    return value;
}

static void *evaluate_if(Interpreter *in, void *rest, Scope *scope) {
    void *condition = next(in, &rest), *yes = next(in, &rest), *no = next(in, &rest);
    if (!yes) return fail(in, "if needs a condition and a value");
    void *decision = evaluate(in, condition, scope);
    if (!decision) return NULL;
    hwr_release(in->heap, decision); /* it is only compared from here on */
    void *chosen = is_nil(in, decision) ? no : yes;
    return chosen ? evaluate(in, chosen, scope) : nil(in);
}

static void *evaluate_form(Interpreter *in, Form form, void *rest, Scope *scope) {
    void *first;
    switch (form) {
    case IF: return evaluate_if(in, rest, scope);
    case DEFINE: return evaluate_define(in, rest, scope);
    case SET: return evaluate_set(in, rest, scope);
    case LAMBDA:
        first = next(in, &rest);
        return first ? make_function(in, first, rest, scope) : fail(in, "lambda needs parameters");
    default: first = next(in, &rest); return first ? retained(in, first) : fail(in, "quote needs a value");
    }
}

/* The function is owned while it runs: it may change the name by which it was found. */
static void *evaluate_call(Interpreter *in, const Pair *form, Scope *scope) {
    void *callee = evaluate(in, form->head, scope);
    void *arguments = callee ? evaluate_each(in, form->tail, scope) : NULL;
    void *result = arguments ? apply(in, callee, arguments) : NULL;
    hwr_release(in->heap, arguments);
    hwr_release(in->heap, callee);
    return result;
}

static void *evaluate_pair(Interpreter *in, Pair *form, Scope *scope) {
    for (int i = 0; i < FORMS; i++)
        if (form->head == hwr_handle_get(in->heap, in->forms[i])) return evaluate_form(in, (Form)i, form->tail, scope);
    return evaluate_call(in, form, scope);
}

static void *evaluate(Interpreter *in, void *expression, Scope *scope) {
    if (is(expression, &symbol_type)) {
        Binding *place = NULL;
        return find(in, scope, expression, &place) ? retained(in, place->value) : NULL;
    }
    if (!is(expression, &pair_type)) return retained(in, expression);
    if (in->depth == DEEPEST) return fail(in, "calls are nested too deeply");
    in->depth++;
    void *result = evaluate_pair(in, expression, scope);
    in->depth--;
    return result;
}

/* ---- what is built in ---- */

static bool as_number(Interpreter *in, const Builtin *self, const void *value, double *result) {
    if (!value || !is(value, &number_type)) {
        fail(in, "%s needs numbers", self->name);
        return false;
    }
    *result = ((const Number *)value)->value;
    return true;
}

static void *call_arithmetic(Interpreter *in, const Builtin *self, void *arguments) {
    double result, operand;
    if (!as_number(in, self, next(in, &arguments), &result)) return NULL;
    for (void *each; (each = next(in, &arguments)) != NULL;) {
        if (!as_number(in, self, each, &operand)) return NULL;
        switch (*self->name) {
        case '+': result += operand; break;
        case '-': result -= operand; break;
        case '*': result *= operand; break;
        default: result /= operand;
        }
    }
    return number(in, result);
}

static void *call_less(Interpreter *in, const Builtin *self, void *arguments) {
    double left, right;
    if (!as_number(in, self, next(in, &arguments), &left)) return NULL;
    if (!as_number(in, self, next(in, &arguments), &right)) return NULL;
    return truth(in, left < right);
}

static bool are_equal(const void *left, const void *right) {
    if (left == right) return true;
    if (is(left, &number_type) && is(right, &number_type))
        return !(((const Number *)left)->value < ((const Number *)right)->value) &&
               !(((const Number *)left)->value > ((const Number *)right)->value);
    if (!is(left, &string_type) || !is(right, &string_type)) return false;
    const Text *a = left, *b = right;
    return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static void *call_equal(Interpreter *in, const Builtin *self, void *arguments) {
    void *left = next(in, &arguments), *right = next(in, &arguments);
    return right ? truth(in, are_equal(left, right)) : fail(in, "%s needs two values", self->name);
}

static void *call_list(Interpreter *in, const Builtin *self, void *arguments) {
    (void)self;
    return retained(in, arguments);
}

static void *call_cons(Interpreter *in, const Builtin *self, void *arguments) {
    void *head = next(in, &arguments), *tail = next(in, &arguments);
    if (!tail || !(is_nil(in, tail) || is(tail, &pair_type)))
        return fail(in, "%s needs a value and a list", self->name);
    return pair(in, retained(in, head), retained(in, tail));
}

static void *call_part(Interpreter *in, const Builtin *self, void *arguments) {
    void *list = next(in, &arguments);
    if (!list || !is(list, &pair_type)) return fail(in, "%s needs a list that is not empty", self->name);
    const Pair *first = list;
    return retained(in, *self->name == 'h' ? first->head : first->tail);
}

static void *call_join(Interpreter *in, const Builtin *self, void *arguments) {
    size_t length = 0;
    void *rest = arguments;
    for (void *each; (each = next(in, &rest)) != NULL;) {
        if (!is(each, &string_type)) return fail(in, "%s needs strings", self->name);
        length += ((const Text *)each)->length;
    }
    Text *result = made(in, hwr_new_items(in->heap, &string_type, length));
    if (!result) return NULL;
    size_t written = 0;
    for (void *each; (each = next(in, &arguments)) != NULL;) {
        const Text *part = each;
        memcpy(result->bytes + written, part->bytes, part->length);
        written += part->length;
    }
    return result;
}

static void print(Interpreter *in, const void *value, int depth) {
    if (is(value, &number_type)) {
        printf("%.15g", ((const Number *)value)->value);
    } else if (is(value, &string_type) || is(value, &symbol_type)) {
        fwrite(((const Text *)value)->bytes, 1, ((const Text *)value)->length, stdout);
    } else if (is(value, &constant_type)) {
        fputs(((const Constant *)value)->name, stdout);
    } else if (!is(value, &pair_type)) {
        fputs("<function>", stdout);
    } else if (depth == DEEPEST) {
        fputs("...", stdout);
    } else {
        void *rest = (void *)(uintptr_t)value;
        const char *before = "(";
        for (void *each; (each = next(in, &rest)) != NULL; before = " ") {
            fputs(before, stdout);
            print(in, each, depth + 1);
        }
        putchar(')');
    }
}

static void *call_print(Interpreter *in, const Builtin *self, void *arguments) {
    (void)self;
    for (void *each; (each = next(in, &arguments)) != NULL;) {
        print(in, each, 0);
        putchar(is_nil(in, arguments) ? '\n' : ' ');
    }
    return nil(in);
}

static void *call_collect(Interpreter *in, const Builtin *self, void *arguments) {
    (void)self;
    (void)arguments;
    return number(in, (double)hwr_collect(in->heap, HWR_OLDEST));
}

static void *call_figure(Interpreter *in, const Builtin *self, void *arguments) {
    (void)arguments;
    hwr_heap_stats stats;
    hwr_counters counters;
    hwr_heap_get_stats(in->heap, &stats);
    hwr_get_counters(in->heap, &counters);
    return number(in, *self->name == 'o' ? (double)stats.objects : (double)counters.collected);
}

static const Builtin builtins[] = {
    {call_arithmetic, "+"},    {call_arithmetic, "-"}, {call_arithmetic, "*"}, {call_arithmetic, "/"},
    {call_less, "<"},          {call_equal, "="},      {call_list, "list"},    {call_cons, "cons"},
    {call_part, "head"},       {call_part, "tail"},    {call_join, "join"},    {call_print, "print"},
    {call_collect, "collect"}, /* collects now; how many objects nobody could reach */
    {call_figure, "objects"},  /* how many are alive */
    {call_figure, "garbage"},  /* how many the collector has freed so far */
};

/* ---- reading ---- */

static void skip_space(const char **at) {
    while (isspace((unsigned char)**at) || **at == ';')
        if (**at == ';')
            *at += strcspn(*at, "\n");
        else
            ++*at;
}

static void *read_value(Interpreter *in, const char **at);

static void *read_list(Interpreter *in, const char **at) {
    Builder list = {0};
    for (skip_space(at); **at != ')'; skip_space(at))
        if (!append(in, &list, read_value(in, at))) {
            hwr_release(in->heap, list.first);
            return NULL;
        }
    ++*at;
    return built(in, &list);
}

static void *end_of_text(Interpreter *in) {
    in->incomplete = true;
    return fail(in, "the program ends inside an expression");
}

static void *read_string(Interpreter *in, const char **at) {
    size_t length = strcspn(*at, "\"");
    const char *bytes = *at;
    *at += length;
    if (!**at) return end_of_text(in);
    ++*at;
    return text(in, &string_type, bytes, length);
}

static void *read_word(Interpreter *in, const char **at) {
    size_t length = strcspn(*at, " \t\r\n();\"'");
    const char *word = *at;
    char *end;
    double value = strtod(word, &end);
    *at += length;
    return end == word + length && length ? number(in, value) : symbol(in, word, length);
}

/* 'x is short for (quote x). */
static void *read_quoted(Interpreter *in, const char **at) {
    void *value = read_value(in, at);
    if (!value) return NULL;
    void *tail = pair(in, value, nil(in));
    return tail ? pair(in, retained(in, hwr_handle_get(in->heap, in->forms[QUOTE])), tail) : NULL;
}

static void *read_nested(Interpreter *in, const char **at) {
    if (**at == '(') return ++*at, read_list(in, at);
    if (**at == '\'') return ++*at, read_quoted(in, at);
    if (**at == '"') return ++*at, read_string(in, at);
    if (**at == ')') return fail(in, "a ) too many");
    return read_word(in, at);
}

static void *read_value(Interpreter *in, const char **at) {
    skip_space(at);
    if (!**at) return end_of_text(in);
    if (in->depth == DEEPEST) return fail(in, "the program is nested too deeply");
    in->depth++;
    void *result = read_nested(in, at);
    in->depth--;
    return result;
}

/* Reads and evaluates all expressions in a text. Returns false if there was an error. */
static bool run(Interpreter *in, const char *program, bool show) {
    *in->error = '\0';
    in->incomplete = false;
    for (skip_space(&program); *program; skip_space(&program)) {
        void *expression = read_value(in, &program);
        void *value = expression ? evaluate(in, expression, hwr_handle_get(in->heap, in->globals)) : NULL;
        hwr_release(in->heap, expression);
        if (!value) return false;
        if (show && !is_nil(in, value)) {
            print(in, value, 0);
            putchar('\n');
        }
        hwr_release(in->heap, value);
    }
    return true;
}

/* ---- the interpreter ---- */

/* A new handle on an object that the caller owns, which it takes over. */
static hwr_handle *handle_on(Interpreter *in, void *object) {
    hwr_handle *handle = object ? hwr_handle_new(in->heap, object) : NULL;
    hwr_release(in->heap, object);
    return made(in, handle);
}

static hwr_handle *constant(Interpreter *in, const char *name) {
    Constant *object = hwr_new(in->heap, &constant_type);
    if (object) {
        object->name = name;
        hwr_make_immortal(in->heap, object);
    }
    return handle_on(in, object);
}

static bool define_builtin(Interpreter *in, const Builtin *builtin) {
    Builtin *object = made(in, hwr_new(in->heap, &builtin_type));
    if (object) *object = *builtin;
    void *name = object ? symbol(in, builtin->name, strlen(builtin->name)) : NULL;
    bool well = name && define(in, hwr_handle_get(in->heap, in->globals), name, object);
    hwr_release(in->heap, name);
    hwr_release(in->heap, object);
    return well;
}

static bool interpreter_open(Interpreter *in) {
    *in = (Interpreter){.error = ""};
    in->heap =
        hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options), .collector = HWR_COUNTING, .limit = (size_t)LIMIT});
    if (!made(in, in->heap)) return false;
    in->nil = constant(in, "nil");
    in->truth = constant(in, "true");
    in->globals = handle_on(in, hwr_new(in->heap, &scope_type));
    in->symbols = handle_on(in, hwr_weak_values_new(in->heap));
    if (*in->error) return false;
    for (int i = 0; i < FORMS; i++)
        if (!(in->forms[i] = handle_on(in, symbol(in, form_names[i], strlen(form_names[i]))))) return false;
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
        if (!define_builtin(in, &builtins[i])) return false;
    Scope *globals = hwr_handle_get(in->heap, in->globals);
    void *name = symbol(in, "nil", 3);
    bool well = name && define(in, globals, name, hwr_handle_get(in->heap, in->nil));
    hwr_release(in->heap, name);
    return well;
}

/* Closing the heap frees whatever is on it, so nothing need be taken down first. We do it all the same, to see that nothing is left. */
static size_t interpreter_close(Interpreter *in) {
    hwr_handle_free(in->heap, in->globals);
    hwr_handle_free(in->heap, in->symbols);
    hwr_handle_free(in->heap, in->nil);
    hwr_handle_free(in->heap, in->truth);
    for (int i = 0; i < FORMS; i++) hwr_handle_free(in->heap, in->forms[i]);
    hwr_collect(in->heap, HWR_OLDEST);
    hwr_heap_stats stats;
    hwr_heap_get_stats(in->heap, &stats);
    hwr_heap_close(in->heap);
    return stats.objects - 2; /* nil and true are immortal */
}

/* ---- where programs come from ---- */

static const char *const demonstration =
    "(print \"-- values\")\n"
    "(define (map f items) (if items (cons (f (head items)) (map f (tail items))) nil))\n"
    "(print (map (lambda (x) (* x x)) '(1 2 3 4)) (join \"he\" \"ap\") (/ 1 4) (= \"a\" \"a\"))\n"
    "\n"
    "(print \"-- a function holds the scope in which it was made\")\n"
    "(define (counter) (define n 0) (lambda () (set! n (+ n 1))))\n"
    "(define first (counter))\n"
    "(define second (counter))\n"
    "(print (first) (first) (first) (second))\n"
    "\n"
    "(print \"-- a scope that holds such a function is a cycle\")\n"
    "(define (factorial n)\n"
    "    (define (multiply k so-far) (if (< k 2) so-far (multiply (- k 1) (* k so-far))))\n"
    "    (multiply n 1))\n"
    "(print \"20! =\" (factorial 20))\n"
    "(define (repeat n f) (if (< n 1) nil ((lambda () (f) (repeat (- n 1) f)))))\n"
    "(define (alive) (collect) (objects))\n"
    "(define (left-by f) (define before (+ 0 0)) (set! before (alive)) (f) (- (alive) before))\n"
    "(define garbage-before (garbage))\n"
    "(define left (left-by (lambda () (repeat 100 (lambda () (factorial 5))))))\n"
    "(print \"at least 300 objects in such cycles were freed:\" (< 299 (- (garbage) garbage-before)))\n"
    "(print \"objects that are left of them:\" left)\n";

/* All of a file, to be freed with free(); NULL if it cannot be read. */
static char *contents(FILE *file) {
    size_t length = 0, room = 4096;
    char *bytes = malloc(room);
    while (bytes) {
        length += fread(bytes + length, 1, room - length - 1, file);
        if (length < room - 1) break;
        char *more = realloc(bytes, room *= 2);
        if (!more) free(bytes);
        bytes = more;
    }
    if (bytes) bytes[length] = '\0';
    if (!bytes || !ferror(file)) return bytes;
    free(bytes);
    return NULL;
}

static bool run_file(Interpreter *in, const char *path) {
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    char *program = file ? contents(file) : NULL;
    if (file && file != stdin) fclose(file);
    if (!program) {
        fail(in, "%s cannot be read", path);
        return false;
    }
    bool well = run(in, program, false);
    free(program);
    return well;
}

/* A line, or several until what they say is complete. */
static void converse(Interpreter *in) {
    char lines[4096];
    for (size_t length = 0;;) {
        fputs(length ? ". " : "> ", stdout);
        fflush(stdout);
        if (!fgets(lines + length, (int)(sizeof lines - length), stdin)) break;
        if (run(in, lines, true)) {
            length = 0;
        } else if (in->incomplete && strlen(lines) < sizeof lines - 2) {
            length = strlen(lines);
        } else {
            printf("%s\n", in->error);
            length = 0;
        }
    }
    putchar('\n');
}

int main(int count, char **words) {
    Interpreter in;
    bool well = true;
    if (!interpreter_open(&in)) {
        fprintf(stderr, "interpreter: %s\n", in.error);
        hwr_heap_close(in.heap);
        return 1;
    }
    if (count > 1)
        well = run_file(&in, words[1]);
    else if (isatty(STDIN_FILENO))
        converse(&in);
    else
        well = run(&in, demonstration, false);
    fflush(stdout);
    if (!well) fprintf(stderr, "interpreter: %s\n", in.error);
    size_t left = interpreter_close(&in);
    if (left) fprintf(stderr, "interpreter: %zu objects were never released\n", left);
    return well && !left ? 0 : 1;
}
