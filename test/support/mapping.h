/* What the tests of dict and set need: objects of all kinds made from constants, and dicts and sets of them, in the heap of the test that runs. */
#ifndef TEST_SUPPORT_MAPPING_H
#define TEST_SUPPORT_MAPPING_H

#include "heapwright/mapping.h"
#include "heapwright/number.h"
#include "heapwright/text.h"
#include "support/heap_fixture.h"

#include <string.h>

static hwr_heap *heap;
static size_t objects_before;

static inline size_t object_count(void) {
    hwr_heap_stats stats;
    hwr_heap_get_stats(heap, &stats);
    return stats.objects;
}

static inline void begin(void **state) {
    heap = ((heap_fixture *)*state)->heap;
    assert_true(hwr_kinds_open(heap));
    objects_before = object_count();
}

static inline void end(void **state) { heap_fixture_expect_objects(*state, objects_before); }

/* ---- making objects ---- */

typedef struct thing {
    enum { NOTHING, NONE, TRUE_BOOL, FALSE_BOOL, INT, BIG, FLOAT, STR, BYTES, OWN } kind;
    int64_t number;
    double real;
    const char *text;
} thing;
#define N                                                                                                              \
    { NONE, 0, 0, NULL }
#define T                                                                                                              \
    { TRUE_BOOL, 0, 0, NULL }
#define F                                                                                                              \
    { FALSE_BOOL, 0, 0, NULL }
#define I(value)                                                                                                       \
    { INT, (value), 0, NULL }
#define G(digits)                                                                                                      \
    { BIG, 0, 0, (digits) }
#define D(value)                                                                                                       \
    { FLOAT, 0, (value), NULL }
#define S(chars)                                                                                                       \
    { STR, 0, 0, (chars) }
#define B(chars)                                                                                                       \
    { BYTES, 0, 0, (chars) }

static inline void *make(const thing *t) {
    void *object = NULL;
    hwr_result result = HWR_OK;
    switch (t->kind) {
    case NONE: object = hwr_none(heap); break;
    case TRUE_BOOL:
    case FALSE_BOOL: object = hwr_bool(heap, t->kind == TRUE_BOOL); break;
    case INT: object = hwr_int(heap, t->number); break;
    case BIG: result = hwr_int_parse(heap, t->text, strlen(t->text), 10, &object); break;
    case FLOAT: object = hwr_float(heap, t->real); break;
    case STR: result = hwr_str(heap, t->text, &object); break;
    case BYTES: object = hwr_bytes(heap, t->text, strlen(t->text)); break;
    default: object = hwr_new(heap, &pair_type); break;
    }
    assert_int_equal(result, HWR_OK);
    assert_non_null(object);
    return object;
}

static inline void *str(const char *text) { return make(&(thing)S(text)); }
static inline void *num(int64_t value) { return make(&(thing)I(value)); }

static inline void *new_dict(size_t room) {
    void *dict = hwr_dict(heap, room);
    assert_non_null(dict);
    assert_int_equal(hwr_kind_of(dict), HWR_DICT);
    return dict;
}
static inline void *new_set(size_t room) {
    void *set = hwr_set_new(heap, room);
    assert_non_null(set);
    assert_int_equal(hwr_kind_of(set), HWR_SET);
    return set;
}

/* Takes over both references. */
static inline void put(void *dict, void *key, void *value) {
    assert_int_equal(hwr_dict_set(heap, dict, key, value), HWR_OK);
    hwr_release(heap, key);
    hwr_release(heap, value);
}
static inline bool add(void *set, void *item) {
    bool is_new;
    assert_int_equal(hwr_set_add(heap, set, item, &is_new), HWR_OK);
    hwr_release(heap, item);
    return is_new;
}

/* The int that a key leads to, or -1. */
static inline int64_t got(const void *dict, void *key) {
    void *value;
    int64_t number = -1;
    hwr_result result = hwr_dict_get(heap, dict, key, &value);
    hwr_release(heap, key);
    if (result == HWR_NOT_FOUND) return -1;
    assert_int_equal(result, HWR_OK);
    assert_int_equal(hwr_int_get(value, &number), HWR_OK);
    hwr_release(heap, value);
    return number;
}

static inline void expect_repr(const void *object, const char *expected) {
    void *text;
    char buffer[500];
    assert_int_equal(hwr_repr(heap, object, &text), HWR_OK);
    assert_true(hwr_str_utf8(text, buffer, sizeof buffer) < sizeof buffer);
    assert_string_equal(buffer, expected);
    hwr_release(heap, text);
}

/* What is borrowed has no reference more than before. */
static inline void expect_peeks(const void *dict, const char *text, const void *value) {
    void *seen = NULL, *key = str(text), *nobody = num(-77);
    size_t references = hwr_refcount(heap, value);
    assert_int_equal(hwr_dict_peek_text(heap, dict, text, &seen), HWR_OK);
    assert_ptr_equal(seen, value);
    seen = NULL;
    assert_int_equal(hwr_dict_peek(heap, dict, key, &seen), HWR_OK);
    assert_ptr_equal(seen, value);
    assert_int_equal(hwr_refcount(heap, value), references);
    assert_int_equal(hwr_dict_peek(heap, dict, nobody, &seen), HWR_NOT_FOUND);
    assert_int_equal(hwr_dict_peek_text(heap, dict, "nobody's", &seen), HWR_NOT_FOUND);
    assert_ptr_equal(seen, value);
    hwr_release(heap, nobody);
    hwr_release(heap, key);
}

/* Plays again and again, while a request for memory fails: the first, the second ..., once or from then on. What is played returns whether one has failed. */
static inline void refuse_each(void **state, bool (*play)(heap_fixture *f, uint64_t nth, bool for_good)) {
    begin(state);
    for (int for_good = 0; for_good < 2; for_good++)
        for (uint64_t nth = 1; play(*state, nth, for_good); nth++) hwr_heap_trim(heap);
    end(state);
}

#endif
