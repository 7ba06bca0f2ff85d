#include "random/kinds_shadow.h"

#include "heapwright/array.h"
#include "heapwright/attributes.h"
#include "heapwright/iterate.h"
#include "heapwright/mapping.h"
#include "heapwright/number.h"
#include "heapwright/sequence.h"
#include "heapwright/text.h"
#include "support/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BUDGET = 400, DEPTH = 40, CHECKED_DEPTH = 3 };

static shadow *all;

shadow *shadow_new(hwr_kind kind, size_t length) {
    shadow *s = calloc(1, sizeof *s);
    CHECK(s != NULL);
    s->kind = kind;
    s->next = all;
    all = s;
    s->length = s->room = length;
    bool chars = kind == HWR_STR || kind == HWR_BYTES || kind == HWR_BYTEARRAY;
    if (chars) {
        s->of.chars = calloc(length + 1, sizeof *s->of.chars);
        CHECK(s->of.chars != NULL);
    } else if (shadow_has_items(s)) {
        s->of.items = calloc((length + 1) * shadow_step(s), sizeof(shadow *));
        CHECK(s->of.items != NULL);
    }
    return s;
}

shadow *shadow_of_int(shadow_int value) {
    shadow *s = shadow_new(HWR_INT, 0);
    s->number = value;
    return s;
}

shadow *shadow_of_float(double value) {
    shadow *s = shadow_new(HWR_FLOAT, 0);
    s->real = value;
    return s;
}

void shadow_free_all(void) {
    while (all != NULL) {
        shadow *s = all;
        all = s->next;
        if (shadow_has_items(s))
            free(s->of.items);
        else
            free(s->of.chars);
        free(s);
    }
}

void shadow_meet(hwr_heap *heap, shadow *s, const void *object) { s->id = hwr_id(heap, object); }

size_t shadow_step(const shadow *s) { return s->kind == HWR_DICT || s->kind == HWR_OBJECT ? 2 : 1; }

bool shadow_has_items(const shadow *s) {
    static const bool have[HWR_KINDS] = {
        [HWR_NO_KIND] = true, [HWR_TUPLE] = true, [HWR_LIST] = true,   [HWR_DICT] = true,
        [HWR_SET] = true,     [HWR_ARRAY] = true, [HWR_OBJECT] = true, [HWR_ITERATOR] = true};
    return have[s->kind];
}

bool shadow_is_counted(const shadow *s) {
    return s->kind != HWR_NO_KIND && s->kind != HWR_NONE && s->kind != HWR_ITERATOR && s->kind != HWR_OBJECT &&
           !shadow_is_number(s);
}

static size_t bytes_of_item(const shadow *s) {
    return shadow_has_items(s) ? shadow_step(s) * sizeof(shadow *) : sizeof(uint32_t);
}

void shadow_open(shadow *s, size_t at) {
    size_t bytes = bytes_of_item(s);
    char *old = shadow_has_items(s) ? (char *)s->of.items : (char *)s->of.chars;
    if (s->length == s->room) {
        s->room = s->room * 2 + 4;
        old = realloc(old, (s->room + 1) * bytes);
        CHECK(old != NULL);
    }
    memmove(old + (at + 1) * bytes, old + at * bytes, (s->length - at) * bytes);
    if (shadow_has_items(s))
        s->of.items = (shadow **)(void *)old;
    else
        s->of.chars = (uint32_t *)(void *)old;
    s->length++;
    s->changes++;
}

void shadow_close(shadow *s, size_t at) {
    size_t bytes = bytes_of_item(s);
    char *start = shadow_has_items(s) ? (char *)s->of.items : (char *)s->of.chars;
    s->length--;
    s->changes++;
    memmove(start + at * bytes, start + (at + 1) * bytes, (s->length - at) * bytes);
}

void shadow_put(shadow *s, size_t at, shadow *item) {
    shadow_open(s, at);
    s->of.items[at] = item;
}

shadow *shadow_item_of(const shadow *s, size_t index) {
    if (shadow_has_items(s)) return s->of.items[index * shadow_step(s)];
    if (s->kind == HWR_RANGE) return shadow_of_int(s->more.from + (shadow_int)index * s->more.step);
    if (s->kind != HWR_STR) return shadow_of_int(s->of.chars[index]);
    shadow *character = shadow_new(HWR_STR, 1);
    character->of.chars[0] = s->of.chars[index];
    return character;
}

/* ---- what they are ---- */

bool shadow_is_number(const shadow *s) { return s->kind == HWR_BOOL || s->kind == HWR_INT || s->kind == HWR_FLOAT; }
bool shadow_is_true(const shadow *s) {
    if (s->kind == HWR_NONE) return false;
    if (s->kind == HWR_FLOAT) return s->real < 0 || s->real > 0;
    return shadow_is_number(s) ? s->number != 0 : !shadow_is_counted(s) || s->length > 0;
}

static bool is_binary(const shadow *s) { return s->kind == HWR_BYTES || s->kind == HWR_BYTEARRAY; }

bool shadow_is_hashable(const shadow *s) {
    if (s->kind == HWR_LIST || s->kind == HWR_DICT || s->kind == HWR_SET || s->kind == HWR_BYTEARRAY ||
        s->kind == HWR_ARRAY)
        return false;
    for (size_t i = 0; s->kind == HWR_TUPLE && i < s->length; i++)
        if (!shadow_is_hashable(s->of.items[i])) return false;
    return true;
}

static bool weigh(const shadow *s, unsigned depth, size_t *budget) {
    if (*budget == 0 || depth > DEPTH) return false;
    --*budget;
    if (!shadow_has_items(s)) return true;
    for (size_t i = 0; i < s->length * shadow_step(s); i++)
        if (s->of.items[i] != NULL && !weigh(s->of.items[i], depth + 1, budget)) return false;
    return true;
}

bool shadow_is_light(const shadow *s) {
    size_t budget = BUDGET;
    return weigh(s, 0, &budget);
}

/* ---- two of them ---- */

static int sign_of(shadow_int value) { return (value > 0) - (value < 0); }

static int compare_int_and_float(shadow_int a, double b) {
    if (b >= 0x1p126) return -1;
    if (b <= -0x1p126) return 1;
    shadow_int whole = (shadow_int)b;
    if (a != whole) return a < whole ? -1 : 1;
    return (b < (double)whole) - (b > (double)whole);
}

static int compare_numbers(const shadow *a, const shadow *b) {
    if (a->kind == HWR_FLOAT && b->kind == HWR_FLOAT) return (a->real > b->real) - (a->real < b->real);
    if (a->kind == HWR_FLOAT) return -compare_int_and_float(b->number, a->real);
    if (b->kind == HWR_FLOAT) return compare_int_and_float(a->number, b->real);
    return sign_of(a->number - b->number);
}

static int compare_chars(const shadow *a, const shadow *b) {
    for (size_t i = 0; i < a->length && i < b->length; i++)
        if (a->of.chars[i] != b->of.chars[i]) return a->of.chars[i] < b->of.chars[i] ? -1 : 1;
    return (a->length > b->length) - (a->length < b->length);
}

typedef struct pursuit {
    size_t budget;
} pursuit;

static shadow_answer equal_in(const shadow *a, const shadow *b, unsigned depth, pursuit *p);

static shadow_answer find_in(const shadow *container, const shadow *key, unsigned depth, pursuit *p, size_t *index) {
    size_t step = shadow_step(container);
    for (*index = 0; *index < container->length; ++*index) {
        const shadow *other = container->of.items[*index * step];
        shadow_answer answer = other == key ? SHADOW_YES : equal_in(other, key, depth, p);
        if (answer != SHADOW_NO) return answer;
    }
    return SHADOW_NO;
}

static shadow_answer equal_unordered(const shadow *a, const shadow *b, unsigned depth, pursuit *p) {
    for (size_t i = 0; i < a->length; i++) {
        size_t step = shadow_step(a), at;
        shadow_answer answer = find_in(b, a->of.items[i * step], depth + 1, p, &at);
        if (answer == SHADOW_YES && step == 2 && a->of.items[i * 2 + 1] != b->of.items[at * 2 + 1])
            answer = equal_in(a->of.items[i * 2 + 1], b->of.items[at * 2 + 1], depth + 1, p);
        if (answer != SHADOW_YES) return answer;
    }
    return SHADOW_YES;
}

static shadow_answer first_difference(const shadow *a, const shadow *b, unsigned depth, pursuit *p, size_t *index) {
    for (*index = 0; *index < a->length && *index < b->length; ++*index) {
        const shadow *of_a = a->of.items[*index], *of_b = b->of.items[*index];
        shadow_answer answer = of_a == of_b ? SHADOW_YES : equal_in(of_a, of_b, depth + 1, p);
        if (answer != SHADOW_YES) return answer;
    }
    return SHADOW_YES;
}

/* Of one length. */
static bool are_equal_ranges(const shadow *a, const shadow *b) {
    return a->length == 0 || (a->more.from == b->more.from && (a->length == 1 || a->more.step == b->more.step));
}

static shadow_answer equal_in(const shadow *a, const shadow *b, unsigned depth, pursuit *p) {
    size_t index;
    if (p->budget == 0 || depth > DEPTH) return SHADOW_TOO_LONG;
    p->budget--;
    if (shadow_is_number(a) && shadow_is_number(b)) return compare_numbers(a, b) == 0 ? SHADOW_YES : SHADOW_NO;
    if ((is_binary(a) && is_binary(b)) || (a->kind == HWR_STR && b->kind == HWR_STR))
        return compare_chars(a, b) == 0 ? SHADOW_YES : SHADOW_NO;
    if (a->kind != b->kind) return SHADOW_NO;
    if (a->kind == HWR_NONE) return SHADOW_YES;
    if (a->kind == HWR_NO_KIND || a->kind == HWR_OBJECT || a->kind == HWR_ITERATOR)
        return a == b ? SHADOW_YES : SHADOW_NO;
    if (a->length != b->length) return SHADOW_NO;
    if (a->kind == HWR_RANGE) return are_equal_ranges(a, b) ? SHADOW_YES : SHADOW_NO;
    if (a->kind == HWR_DICT || a->kind == HWR_SET) return equal_unordered(a, b, depth, p);
    return first_difference(a, b, depth, p, &index);
}

shadow_answer shadow_equal(const shadow *a, const shadow *b) { return equal_in(a, b, 0, &(pursuit){BUDGET}); }

static shadow_answer compare_in(const shadow *a, const shadow *b, unsigned depth, pursuit *p, int *order) {
    size_t index;
    if (p->budget == 0 || depth > DEPTH) return SHADOW_TOO_LONG;
    p->budget--;
    bool chars = (is_binary(a) && is_binary(b)) || (a->kind == HWR_STR && b->kind == HWR_STR);
    bool items = a->kind == b->kind && (a->kind == HWR_TUPLE || a->kind == HWR_LIST || a->kind == HWR_ARRAY);
    if (shadow_is_number(a) && shadow_is_number(b)) *order = compare_numbers(a, b);
    if (chars) *order = compare_chars(a, b);
    if (!items) return chars || (shadow_is_number(a) && shadow_is_number(b)) ? SHADOW_YES : SHADOW_NO;
    if (first_difference(a, b, depth, p, &index) == SHADOW_TOO_LONG) return SHADOW_TOO_LONG;
    if (index < a->length && index < b->length)
        return compare_in(a->of.items[index], b->of.items[index], depth + 1, p, order);
    *order = (a->length > b->length) - (a->length < b->length);
    return SHADOW_YES;
}

shadow_answer shadow_compare(const shadow *a, const shadow *b, int *order) {
    return compare_in(a, b, 0, &(pursuit){BUDGET}, order);
}

size_t shadow_find(const shadow *container, const shadow *key) {
    size_t index;
    return find_in(container, key, 0, &(pursuit){SIZE_MAX}, &index) == SHADOW_YES ? index : SIZE_MAX;
}

/* ---- repr ---- */

typedef struct text {
    char *buffer;
    size_t size, room;
    const shadow *inside[DEPTH];
    unsigned depth;
} text;

static bool add(text *t, const char *chars) {
    size_t size = strlen(chars);
    if (size >= t->room - t->size) return false;
    memcpy(t->buffer + t->size, chars, size + 1);
    t->size += size;
    return true;
}

static bool add_int(text *t, shadow_int value) {
    char digits[50], *at = digits + sizeof digits - 1;
    bool negative = value < 0;
    *at = 0;
    do {
        int digit = (int)(value % 10);
        *--at = (char)('0' + (digit < 0 ? -digit : digit));
    } while ((value /= 10) != 0);
    if (negative) *--at = '-';
    return add(t, at);
}

/* Multiples of a quarter, which %.17g writes as Python does. */
static bool add_float(text *t, double value) {
    char digits[40];
    if (isinf(value)) return add(t, value < 0 ? "-inf" : "inf");
    if (value > 1e9 || value < -1e9) return false;
    double quarters = value * 4;
    int64_t count = (int64_t)quarters;
    if (quarters > (double)count || quarters < (double)count) return false;
    snprintf(digits, sizeof digits, count % 4 ? "%.17g" : "%.17g.0", value);
    return add(t, digits);
}

static bool add_quoted(text *t, const shadow *s) {
    bool single = false, doubled = false;
    char piece[8];
    for (size_t i = 0; i < s->length; i++) {
        single |= s->of.chars[i] == '\'';
        doubled |= s->of.chars[i] == '"';
        if (s->kind == HWR_STR && s->of.chars[i] >= 0x7f) return false;
    }
    char quote = single && !doubled ? '"' : '\'';
    if (!add(t, s->kind == HWR_STR ? "" : s->kind == HWR_BYTES ? "b" : "bytearray(b")) return false;
    snprintf(piece, sizeof piece, "%c", quote);
    bool fits = add(t, piece);
    for (size_t i = 0; i < s->length && fits; i++) {
        uint32_t c = s->of.chars[i];
        bool guarded = c == (uint32_t)quote || c == '\\' || (c == '\'' && s->kind == HWR_BYTEARRAY);
        if (c == '\t' || c == '\n' || c == '\r')
            snprintf(piece, sizeof piece, "\\%c", c == '\t' ? 't' : c == '\n' ? 'n' : 'r');
        else if (c < ' ' || c >= 0x7f)
            snprintf(piece, sizeof piece, "\\x%02x", (unsigned)c & 255);
        else
            snprintf(piece, sizeof piece, "%s%c", guarded ? "\\" : "", (int)c);
        fits = add(t, piece);
    }
    snprintf(piece, sizeof piece, "%c%s", quote, s->kind == HWR_BYTEARRAY ? ")" : "");
    return fits && add(t, piece);
}

static bool add_repr(text *t, const shadow *s);

static bool add_items(text *t, const shadow *s, const char *start, const char *end) {
    bool fits = add(t, start);
    for (size_t i = 0; i < s->length && fits; i++) {
        fits = (i == 0 || add(t, ", ")) && add_repr(t, s->of.items[i * shadow_step(s)]);
        if (fits && s->kind == HWR_DICT) fits = add(t, ": ") && add_repr(t, s->of.items[2 * i + 1]);
    }
    return fits && add(t, end);
}

static bool add_container(text *t, const shadow *s) {
    static const char *const marks[HWR_KINDS][3] = {[HWR_TUPLE] = {"(", ")", "(...)"},
                                                    [HWR_LIST] = {"[", "]", "[...]"},
                                                    [HWR_DICT] = {"{", "}", "{...}"},
                                                    [HWR_SET] = {"{", "}", "set(...)"}};
    const char *const *mark = marks[s->kind];
    if (s->kind == HWR_SET && s->length == 0) return add(t, "set()");
    for (unsigned i = 0; i < t->depth; i++)
        if (t->inside[i] == s) return add(t, mark[2]);
    if (t->depth == DEPTH) return false;
    t->inside[t->depth++] = s;
    bool fits = add_items(t, s, mark[0], s->kind == HWR_TUPLE && s->length == 1 ? ",)" : mark[1]);
    t->depth--;
    return fits;
}

static bool add_range(text *t, const shadow *s) {
    bool fits = add(t, "range(") && add_int(t, s->more.from) && add(t, ", ") && add_int(t, s->more.to);
    if (s->more.step != 1) fits = fits && add(t, ", ") && add_int(t, s->more.step);
    return fits && add(t, ")");
}

static bool add_array(text *t, const shadow *s) {
    char opening[20];
    snprintf(opening, sizeof opening, "array('%c'%s", s->more.code, s->length > 0 ? ", [" : "");
    return add_items(t, s, opening, s->length > 0 ? "])" : ")");
}

static bool add_repr(text *t, const shadow *s) {
    switch (s->kind) {
    case HWR_NONE: return add(t, "None");
    case HWR_BOOL: return add(t, s->number ? "True" : "False");
    case HWR_INT: return add_int(t, s->number);
    case HWR_FLOAT: return add_float(t, s->real);
    case HWR_STR:
    case HWR_BYTES:
    case HWR_BYTEARRAY: return add_quoted(t, s);
    case HWR_ARRAY: return add_array(t, s);
    case HWR_RANGE: return add_range(t, s);
    case HWR_OBJECT: return add(t, "<") && add(t, s->more.class_name) && add(t, " object>");
    case HWR_ITERATOR: return add(t, "<iterator>");
    case HWR_NO_KIND: return add(t, "<own_object>");
    default: return add_container(t, s);
    }
}

bool shadow_repr(const shadow *s, char *buffer, size_t room) {
    text t = {.buffer = buffer, .room = room};
    return add_repr(&t, s);
}

/* ---- the objects themselves ---- */

static void check_in(hwr_heap *heap, const void *object, const shadow *s, unsigned depth);

static void check_number(hwr_heap *heap, const void *object, const shadow *s) {
    int64_t value = 0;
    double real = 0;
    char digits[60], expected[60];
    if (s->kind == HWR_FLOAT) {
        CHECK(hwr_float_get(object, &real) == HWR_OK && memcmp(&real, &s->real, sizeof real) == 0);
        return;
    }
    bool small = s->number >= INT64_MIN && s->number <= INT64_MAX;
    CHECK(hwr_int_get(object, &value) == (small ? HWR_OK : HWR_OUT_OF_RANGE));
    if (small) CHECK(value == (int64_t)s->number);
    void *written;
    if (small || hwr_int_format(heap, object, 10, &written) != HWR_OK) return; /* for want of memory, then */
    CHECK(hwr_str_utf8(written, digits, sizeof digits) < sizeof digits);
    CHECK(shadow_repr(s, expected, sizeof expected) && strcmp(digits, expected) == 0);
    hwr_release(heap, written);
}

static void check_chars(const void *object, const shadow *s) {
    size_t size = 0;
    if (s->kind == HWR_STR) {
        CHECK(hwr_str_length(object) == s->length);
        for (size_t i = 0; i < s->length; i++) CHECK(hwr_str_at(object, i) == s->of.chars[i]);
        return;
    }
    const unsigned char *bytes = hwr_bytes_get(object, &size);
    CHECK(size == s->length && (s->kind == HWR_BYTEARRAY || bytes[size] == 0));
    for (size_t i = 0; i < size; i++) CHECK(bytes[i] == s->of.chars[i]);
}

/* What is peeked at is what is got, and got once only. */
static void check_peeked(hwr_heap *heap, const void *peeked, const void *item, size_t references) {
    CHECK(peeked == item && hwr_refcount(heap, item) == references);
}

/* Without memory for an int or a float there is nothing to look at. */
static void check_list(hwr_heap *heap, const void *object, const shadow *s, unsigned depth) {
    CHECK(hwr_list_length(object) == s->length);
    for (size_t i = 0; i < s->length; i++) {
        void *item;
        hwr_result result = hwr_list_get(heap, object, i, &item);
        if (result == HWR_NO_MEMORY) CHECK(shadow_is_number(s->of.items[i]) && hwr_list_peek(object, i) == NULL);
        if (result == HWR_NO_MEMORY) continue;
        CHECK(result == HWR_OK);
        size_t references = hwr_refcount(heap, item);
        const void *peeked = hwr_list_peek(object, i);
        if (peeked != NULL || !shadow_is_number(s->of.items[i])) check_peeked(heap, peeked, item, references);
        check_in(heap, item, s->of.items[i], depth + 1);
        hwr_release(heap, item);
    }
    CHECK(hwr_list_get(heap, object, s->length, NULL) == HWR_OUT_OF_RANGE);
    CHECK(hwr_list_peek(object, s->length) == NULL);
}

static void check_tuple(hwr_heap *heap, const void *object, const shadow *s, unsigned depth) {
    CHECK(hwr_tuple_length(object) == s->length);
    for (size_t i = 0; i < s->length; i++) {
        void *item;
        CHECK(hwr_tuple_get(heap, object, i, &item) == HWR_OK);
        size_t references = hwr_refcount(heap, item);
        check_peeked(heap, hwr_tuple_peek(object, i), item, references);
        check_in(heap, item, s->of.items[i], depth + 1);
        hwr_release(heap, item);
    }
    CHECK(hwr_tuple_peek(object, s->length) == NULL);
}

static hwr_result next_entry_of(hwr_heap *heap, const void *object, size_t *position, void **key, void **value) {
    switch (hwr_kind_of(object)) {
    case HWR_DICT: return hwr_dict_next(heap, object, position, key, value);
    case HWR_OBJECT: return hwr_attribute_next(heap, object, position, key, value);
    default: return hwr_set_next(heap, object, position, key);
    }
}

static size_t count_entries_of(const void *object) {
    hwr_kind kind = hwr_kind_of(object);
    return kind == HWR_DICT     ? hwr_dict_length(object)
           : kind == HWR_OBJECT ? hwr_attribute_count(object)
                                : hwr_set_length(object);
}

static void peek_next_of_dict(hwr_heap *heap, const void *dict, size_t *position, const void *key, const void *value) {
    void *peeked_key, *peeked_value;
    size_t of_key = hwr_refcount(heap, key), of_value = hwr_refcount(heap, value);
    CHECK(hwr_dict_peek_next(heap, dict, position, &peeked_key, &peeked_value) == HWR_OK);
    check_peeked(heap, peeked_key, key, of_key);
    check_peeked(heap, peeked_value, value, of_value);
}

static void check_entries(hwr_heap *heap, const void *object, const shadow *s, unsigned depth) {
    bool has_values = s->kind != HWR_SET;
    CHECK(count_entries_of(object) == s->length);
    size_t position = 0, peeked = 0;
    for (size_t i = 0; i < s->length; i++) {
        void *key, *value;
        CHECK(next_entry_of(heap, object, &position, &key, &value) == HWR_OK);
        check_in(heap, key, s->of.items[i * shadow_step(s)], depth + 1);
        if (has_values) check_in(heap, value, s->of.items[2 * i + 1], depth + 1);
        if (s->kind == HWR_DICT) peek_next_of_dict(heap, object, &peeked, key, value);
        hwr_release(heap, key);
        if (has_values) hwr_release(heap, value);
    }
    CHECK(next_entry_of(heap, object, &position, NULL, NULL) == HWR_END);
    if (s->kind == HWR_DICT) CHECK(hwr_dict_peek_next(heap, object, &peeked, NULL, NULL) == HWR_END);
}

static void check_object(hwr_heap *heap, const void *object, const shadow *s, unsigned depth) {
    void *of_class = hwr_class_of(heap, object);
    if (s->more.of_class != 0) CHECK(s->more.of_class == hwr_id(heap, of_class));
    hwr_release(heap, of_class);
    check_entries(heap, object, s, depth);
}

static bool is_int_of_64_bits(const shadow *s) { return s->kind == HWR_INT && s->number == (int64_t)s->number; }

static void check_array(const void *object, const shadow *s) {
    CHECK(hwr_array_code(object) == s->more.code && hwr_array_length(object) == s->length);
    for (size_t i = 0; i < s->length; i++) {
        const shadow *item = s->of.items[i];
        int64_t value = 0;
        double real = 0;
        hwr_result expected = item->kind == HWR_FLOAT   ? HWR_WRONG_KIND
                              : is_int_of_64_bits(item) ? HWR_OK
                                                        : HWR_OUT_OF_RANGE;
        CHECK(hwr_array_get_int(object, i, &value) == expected);
        CHECK(expected != HWR_OK || value == (int64_t)item->number);
        double wished = item->kind == HWR_FLOAT ? item->real : (double)item->number;
        CHECK(hwr_array_get_float(object, i, &real) == HWR_OK && memcmp(&real, &wished, sizeof real) == 0);
    }
    CHECK(hwr_array_get_int(object, s->length, NULL) == HWR_OUT_OF_RANGE);
    CHECK(hwr_array_get_float(object, s->length, NULL) == HWR_OUT_OF_RANGE);
}

static void check_range(const void *object, const shadow *s) {
    int64_t value;
    CHECK(hwr_range_length(object) == s->length);
    CHECK(hwr_range_get(object, s->length, &value) == HWR_OUT_OF_RANGE);
    if (s->length == 0) return;
    shadow_int last = s->more.from + (shadow_int)(s->length - 1) * s->more.step;
    CHECK(hwr_range_get(object, 0, &value) == HWR_OK && value == s->more.from);
    CHECK(hwr_range_get(object, s->length - 1, &value) == HWR_OK && value == last);
    CHECK(hwr_range_contains(object, value) && !hwr_range_contains(object, s->more.to));
}

static void check_in(hwr_heap *heap, const void *object, const shadow *s, unsigned depth) {
    size_t length = 0;
    CHECK(hwr_kind_of(object) == s->kind);
    if (s->id != 0) CHECK(s->id == hwr_id(heap, object));
    if (depth > CHECKED_DEPTH) return;
    bool counted = shadow_is_counted(s);
    CHECK(hwr_length(object, &length) == (counted ? HWR_OK : HWR_WRONG_KIND));
    if (counted) CHECK(length == s->length);
    CHECK(hwr_truth(object) == shadow_is_true(s));
    switch (s->kind) {
    case HWR_BOOL:
    case HWR_INT:
    case HWR_FLOAT: check_number(heap, object, s); break;
    case HWR_STR:
    case HWR_BYTES:
    case HWR_BYTEARRAY: check_chars(object, s); break;
    case HWR_TUPLE: check_tuple(heap, object, s, depth); break;
    case HWR_LIST: check_list(heap, object, s, depth); break;
    case HWR_DICT:
    case HWR_SET: check_entries(heap, object, s, depth); break;
    case HWR_ARRAY: check_array(object, s); break;
    case HWR_RANGE: check_range(object, s); break;
    case HWR_OBJECT: check_object(heap, object, s, depth); break;
    case HWR_NO_KIND:
        CHECK((((const own_object *)object)->field != NULL) == (s->of.items[0] != NULL));
        if (s->of.items[0] != NULL) check_in(heap, ((const own_object *)object)->field, s->of.items[0], depth + 1);
        break;
    default: break;
    }
}

void shadow_check(hwr_heap *heap, const void *object, const shadow *s) { check_in(heap, object, s, 0); }

/* ---- reaching ---- */

void shadow_mark(shadow *s) {
    if (s == NULL || s->marked) return;
    s->marked = true;
    for (size_t i = 0; shadow_has_items(s) && i < s->length * shadow_step(s); i++) shadow_mark(s->of.items[i]);
}

void shadow_unmark_all(void) {
    for (shadow *s = all; s != NULL; s = s->next) s->marked = false;
}

size_t shadow_count_marked(hwr_kind kind) {
    size_t count = 0;
    for (const shadow *s = all; s != NULL; s = s->next)
        count += s->marked && s->kind == kind && (kind != HWR_TUPLE || s->length > 0);
    return count;
}

bool shadow_is_lost_marked(void) {
    for (const shadow *s = all; s != NULL; s = s->next)
        if (s->marked && s->more.lost) return true;
    return false;
}
