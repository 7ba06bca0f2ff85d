/* Answers questions about the kinds, one a line, for compare.py, which knows what Python says. A question is an operation and its operands:
 *
 *     N T F             None, True, False
 *     i-12              int                          f0x1.8p+0       float, as C reads it
 *     s414243           str, its UTF-8               bFF00  yFF00    bytes, bytearray
 *     ai [ ... ]        array of type i              r1 9 2          range
 *     ( ... ) [ ... ]   tuple, list                  { k v ... }     dict         < ... >    set
 *
 * An answer is what repr writes, or ! and the name of Python's exception (IndexError and OverflowError are !Range). */
#include "heapwright/tracing.h"
#include "kinds/kinds.h"
#include "support/check.h"

#include <stdlib.h>

enum { LINE = 1 << 20, ITEMS = 20000 };

static hwr_heap *heap;
static char line[LINE], *rest;

/* ---- reading ---- */

static const char *next_word(void) {
    while (*rest == ' ') rest++;
    char *word = rest;
    while (*rest != ' ' && *rest != 0) rest++;
    if (*rest != 0) *rest++ = 0;
    return word;
}

static long next_long(void) { return strtol(next_word(), NULL, 10); }

static size_t read_hex(const char *word, unsigned char *bytes) {
    size_t size = strlen(word) / 2;
    for (size_t i = 0; i < size; i++) {
        unsigned value;
        CHECK(sscanf(word + 2 * i, "%2x", &value) == 1);
        bytes[i] = (unsigned char)value;
    }
    return size;
}

static void *read_object(const char *word);

static void *checked(void *object) {
    CHECK(object != NULL);
    return object;
}

static bool ends(const char *word) { return word[0] == 0 || strchr(")]}>", word[0]) != NULL; }

/* Items of tuples that are being read: roots. */
static void *stack[ITEMS];
static size_t top;

static void show_items(hwr_heap *of, hwr_visitor *visitor, void *context) {
    (void)of, (void)context;
    for (size_t i = 0; i < top; i++) HWR_VISIT(visitor, stack[i]);
}

static void *read_tuple(void) {
    size_t base = top;
    for (const char *word; !ends(word = next_word());) {
        CHECK(top < ITEMS);
        void *item = read_object(word);
        stack[top++] = item;
    }
    void *tuple = checked(hwr_tuple(heap, stack + base, top - base));
    while (top > base) hwr_release(heap, stack[--top]);
    return tuple;
}

static void *read_container(char kind) {
    void *object = checked(kind == '[' ? hwr_list(heap, 0) : kind == '{' ? hwr_dict(heap, 0) : hwr_set_new(heap, 0));
    for (const char *word; !ends(word = next_word());) {
        void *item = read_object(word), *value = kind == '{' ? read_object(next_word()) : NULL;
        if (kind == '[')
            CHECK(hwr_list_append(heap, object, item));
        else
            CHECK((value ? hwr_dict_set(heap, object, item, value) : hwr_set_add(heap, object, item, NULL)) == HWR_OK);
        hwr_release(heap, item);
        hwr_release(heap, value);
    }
    return object;
}

static void *read_array(char code) {
    void *array = NULL, *items = read_object(next_word());
    CHECK(hwr_array(heap, code, 0, &array) == HWR_OK && hwr_array_extend(heap, array, items) == HWR_OK);
    hwr_release(heap, items);
    return array;
}

static void *read_range(const char *from) {
    void *range = NULL;
    int64_t first = strtoll(from, NULL, 10), to = strtoll(next_word(), NULL, 10), step = strtoll(next_word(), NULL, 10);
    CHECK(hwr_range(heap, first, to, step, &range) == HWR_OK);
    return range;
}

static void *read_object(const char *word) {
    static unsigned char bytes[LINE / 2];
    void *object = NULL;
    switch (word[0]) {
    case 'N': return hwr_none(heap);
    case 'T': return hwr_bool(heap, true);
    case 'F': return hwr_bool(heap, false);
    case 'i': CHECK(hwr_int_parse(heap, word + 1, strlen(word + 1), 10, &object) == HWR_OK); return object;
    case 'f': return checked(hwr_float(heap, strtod(word + 1, NULL)));
    case 's':
        CHECK(hwr_str_from(heap, (const char *)bytes, read_hex(word + 1, bytes), &object) == HWR_OK);
        return object;
    case 'b': return checked(hwr_bytes(heap, bytes, read_hex(word + 1, bytes)));
    case 'y': return checked(hwr_bytearray(heap, bytes, read_hex(word + 1, bytes)));
    case 'a': return read_array(word[1]);
    case 'r': return read_range(word + 1);
    case '(': return read_tuple();
    case '[':
    case '{':
    case '<': return read_container(word[0]);
    default: fprintf(stderr, "no operand: %s\n", word); exit(2);
    }
}

/* ---- writing ---- */

static const char *exception_of(hwr_result result) {
    switch (result) {
    case HWR_WRONG_KIND:
    case HWR_UNHASHABLE: return "!TypeError";
    case HWR_BAD_VALUE: return "!ValueError";
    case HWR_NOT_FOUND: return "!KeyError";
    case HWR_OUT_OF_RANGE: return "!Range";
    case HWR_DIVIDED_BY_ZERO: return "!ZeroDivisionError";
    default: return hwr_result_text(result);
    }
}

static void write_object(const void *object) {
    static char buffer[4 * LINE];
    void *text;
    hwr_result result = hwr_repr(heap, object, &text);
    if (result != HWR_OK) {
        puts(exception_of(result));
        return;
    }
    CHECK(hwr_str_utf8(text, buffer, sizeof buffer) < sizeof buffer);
    puts(buffer);
    hwr_release(heap, text);
}

/* The answer is an object, a number, the first operand (that was changed), or an error. */
static void answer_object(hwr_result result, void *object) {
    if (result != HWR_OK) {
        puts(exception_of(result));
        return;
    }
    write_object(object);
    hwr_release(heap, object);
}
static void answer_number(hwr_result result, long number) {
    if (result == HWR_OK)
        printf("%ld\n", number);
    else
        puts(exception_of(result));
}
static void answer_changed(hwr_result result, const void *object) {
    if (result == HWR_OK)
        write_object(object);
    else
        puts(exception_of(result));
}

/* ---- the operations ---- */

typedef hwr_result (*operation_on_two)(hwr_heap *heap, const void *a, const void *b, void **result);

static const struct {
    const char *name;
    operation_on_two perform;
} on_two[] = {{"add", hwr_add},           {"sub", hwr_subtract},          {"mul", hwr_multiply},
              {"div", hwr_divide},        {"floordiv", hwr_floor_divide}, {"mod", hwr_modulo},
              {"concat", hwr_str_concat}, {"join", hwr_str_join},         {"bytesconcat", hwr_bytes_concat}};

static bool answer_of_two(const char *operation, const void *a, const void *b) {
    void *object = NULL;
    for (size_t i = 0; i < sizeof on_two / sizeof *on_two; i++) {
        if (strcmp(operation, on_two[i].name) != 0) continue;
        hwr_result result = on_two[i].perform(heap, a, b, &object);
        answer_object(result, object);
        return true;
    }
    return false;
}

static bool is(const char *operation, const char *name) { return strcmp(operation, name) == 0; }

static bool answer_relation(const char *operation, void *a, void *b) {
    bool answer = false;
    int order = 0;
    uint64_t hash_a = 0, hash_b = 0;
    hwr_result result;
    if (is(operation, "eq")) {
        result = hwr_equal(heap, a, b, &answer);
        answer_number(result, answer);
    } else if (is(operation, "order")) {
        result = hwr_compare(heap, a, b, &order);
        answer_number(result, (order > 0) - (order < 0));
    } else if (is(operation, "samehash")) {
        result = hwr_hash(heap, a, &hash_a);
        if (result == HWR_OK) result = hwr_hash(heap, b, &hash_b);
        answer_number(result, hash_a == hash_b);
    } else if (is(operation, "contains")) {
        result = hwr_set_contains(heap, a, b, &answer);
        answer_number(result, answer);
    } else if (is(operation, "setadd")) {
        answer_changed(hwr_set_add(heap, a, b, NULL), a);
    } else if (is(operation, "setremove")) {
        answer_changed(hwr_set_remove(heap, a, b), a);
    } else if (is(operation, "dictremove")) {
        answer_changed(hwr_dict_remove(heap, a, b, NULL), a);
    } else if (is(operation, "extend")) {
        answer_changed(hwr_list_extend(heap, a, b) ? HWR_OK : HWR_NO_MEMORY, a);
    } else if (is(operation, "append")) {
        hwr_retain(heap, a);
        void *text = a;
        result = hwr_str_append(heap, &text, b);
        answer_changed(result, text);
        hwr_release(heap, text);
    } else {
        return false;
    }
    return true;
}

static void answer_parsed(const char *operation, const void *text) {
    static char buffer[LINE];
    void *number = NULL;
    size_t size = hwr_str_utf8(text, buffer, sizeof buffer);
    hwr_result result = is(operation, "int") ? hwr_int_parse(heap, buffer, size, (int)next_long(), &number)
                                             : hwr_float_parse(heap, buffer, size, &number);
    answer_object(result, number);
}

/* How many items there is room for while a list grows by one. */
static void answer_growth(const void *item, long most) {
    hwri_list *list = checked(hwr_list(heap, 0));
    for (long i = 0; i < most; i++) {
        CHECK(hwr_list_append(heap, list, item));
        printf(i ? " %zu" : "%zu", list->storage->room);
    }
    puts("");
    hwr_release(heap, list);
}

/* A list of all that comes of it, or of the tuples that come of all that come of it. */
static void answer_all(const void *iterable, bool zips) {
    void *all = NULL, *iterators = NULL, *zip = NULL;
    if (!zips) {
        hwr_result result = hwr_list_of(heap, iterable, &all);
        answer_object(result, all);
        return;
    }
    CHECK(hwr_tuple_of(heap, iterable, &iterators) == HWR_OK);
    hwri_tuple *tuple = iterators;
    hwr_result result = hwr_zip(heap, tuple->items, tuple->length, &zip);
    if (result == HWR_OK) result = hwr_list_of(heap, zip, &all);
    answer_object(result, all);
    hwr_release(heap, zip);
    hwr_release(heap, iterators);
}

static void answer_array(const void *items, const char *code) {
    void *array = NULL;
    hwr_result result = hwr_array(heap, code[0], 0, &array);
    if (result == HWR_OK) result = hwr_array_extend(heap, array, items);
    answer_changed(result, array);
    hwr_release(heap, array);
}

/* What has one object, and then numbers or other objects. */
static void answer_one(const char *operation, void *a) {
    void *object = NULL;
    size_t size = 0;
    if (is(operation, "repr")) {
        write_object(a);
    } else if (is(operation, "truth")) {
        answer_number(HWR_OK, hwr_truth(a));
    } else if (is(operation, "len")) {
        hwr_result result = hwr_length(a, &size);
        answer_number(result, (long)size);
    } else if (is(operation, "neg")) {
        hwr_result result = hwr_negate(heap, a, &object);
        answer_object(result, object);
    } else if (is(operation, "int") || is(operation, "float")) {
        answer_parsed(operation, a);
    } else if (is(operation, "format")) {
        hwr_result result = hwr_int_format(heap, a, (int)next_long(), &object);
        answer_object(result, object);
    } else if (is(operation, "repeat")) {
        hwr_result result = hwr_str_repeat(heap, a, (size_t)next_long(), &object);
        answer_object(result, object);
    } else if (is(operation, "list") || is(operation, "zip")) {
        answer_all(a, is(operation, "zip"));
    } else if (is(operation, "array")) {
        answer_array(a, next_word());
    } else if (is(operation, "growth")) {
        answer_growth(a, next_long());
    } else if (is(operation, "reverse")) {
        hwr_list_reverse(a);
        write_object(a);
    } else if (is(operation, "sort")) {
        answer_changed(hwr_list_sort(heap, a), a);
    } else if (is(operation, "pop")) {
        hwr_result result = hwr_list_pop(heap, a, (size_t)next_long(), &object);
        hwr_release(heap, object);
        answer_changed(result, a);
    } else if (is(operation, "get")) {
        hwr_result result = hwr_list_get(heap, a, (size_t)next_long(), &object);
        answer_object(result, object);
    } else if (is(operation, "dictget")) {
        void *key = read_object(next_word());
        hwr_result result = hwr_dict_get(heap, a, key, &object);
        answer_object(result, object);
        hwr_release(heap, key);
    } else if (is(operation, "dictset")) {
        void *key = read_object(next_word()), *value = read_object(next_word());
        answer_changed(hwr_dict_set(heap, a, key, value), a);
        hwr_release(heap, key);
        hwr_release(heap, value);
    } else {
        fprintf(stderr, "no operation: %s\n", operation);
        exit(2);
    }
}

/* Those with indices. */
static bool answer_at(const char *operation, void *a) {
    static const struct {
        const char *name;
        hwr_result (*perform)(hwr_heap *heap, const void *object, size_t from, size_t to, void **part);
    } slices[] = {{"strslice", hwr_str_slice},
                  {"bytesslice", hwr_bytes_slice},
                  {"listslice", hwr_list_slice},
                  {"arrayslice", hwr_array_slice}};
    void *object = NULL;
    for (size_t i = 0; i < sizeof slices / sizeof *slices; i++) {
        if (!is(operation, slices[i].name)) continue;
        size_t from = (size_t)next_long(), to = (size_t)next_long();
        hwr_result result = slices[i].perform(heap, a, from, to, &object);
        answer_object(result, object);
        return true;
    }
    bool finds = is(operation, "find"), sets = is(operation, "set");
    if (!finds && !sets && !is(operation, "insert")) return false;
    size_t index = (size_t)next_long();
    object = read_object(next_word());
    if (finds) {
        size_t found = 0;
        hwr_result result = hwr_str_find(a, object, index, &found);
        answer_number(result == HWR_NOT_FOUND ? HWR_OK : result, result == HWR_OK ? (long)found : -1);
    } else if (sets) {
        answer_changed(hwr_list_set(heap, a, index, object), a);
    } else {
        answer_changed(hwr_list_insert(heap, a, index, object), a);
    }
    hwr_release(heap, object);
    return true;
}

static bool is_relation(const char *operation) {
    static const char *const names[] = {"eq",        "order",      "samehash", "contains", "setadd",
                                        "setremove", "dictremove", "extend",   "append"};
    bool found = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) found = found || is(operation, names[i]);
    for (size_t i = 0; i < sizeof on_two / sizeof *on_two; i++) found = found || is(operation, on_two[i].name);
    return found;
}

static void answer(void) {
    const char *operation = next_word();
    void *a = read_object(next_word()), *b = is_relation(operation) ? read_object(next_word()) : NULL;
    if (b == NULL) {
        if (!answer_at(operation, a)) answer_one(operation, a);
    } else if (!answer_of_two(operation, a, b)) {
        CHECK(answer_relation(operation, a, b));
    }
    hwr_release(heap, a);
    hwr_release(heap, b);
}

int main(void) {
    heap = hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options)});
    CHECK(heap != NULL && hwr_kinds_open(heap) && hwr_roots_add(heap, show_items, NULL));
    hwr_heap_stats before, after;
    hwr_heap_get_stats(heap, &before);
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = 0;
        rest = line;
        answer();
    }
    hwr_heap_get_stats(heap, &after);
    CHECK(hwr_heap_verify(heap, NULL) && (heap->tracing != NULL || before.objects == after.objects));
    hwr_heap_close(heap);
    return 0;
}
