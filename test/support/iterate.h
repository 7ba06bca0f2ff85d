/* What the tests of iterators need. Each of these fails the test without memory. */
#ifndef TEST_SUPPORT_ITERATE_H
#define TEST_SUPPORT_ITERATE_H

#include "heapwright/iterate.h"
#include "heapwright/mapping.h"
#include "support/literal.h"

static inline void release(const heap_fixture *f, const void *object) { hwr_release(f->heap, object); }

static inline void *int_object(const heap_fixture *f, int64_t value) {
    void *object = hwr_int(f->heap, value);
    assert_non_null(object);
    return object;
}

static inline void *iterator_over(const heap_fixture *f, const void *iterable) {
    void *iterator = NULL;
    assert_int_equal(hwr_iterate(f->heap, iterable, &iterator), HWR_OK);
    assert_int_equal(hwr_kind_of(iterator), HWR_ITERATOR);
    return iterator;
}

static inline void *range_object(const heap_fixture *f, int64_t from, int64_t to, int64_t step) {
    void *range = NULL;
    assert_int_equal(hwr_range(f->heap, from, to, step, &range), HWR_OK);
    assert_int_equal(hwr_kind_of(range), HWR_RANGE);
    return range;
}

/* Takes over all references. */
static inline void put_entry(const heap_fixture *f, void *dict, void *key, void *value) {
    assert_int_equal(hwr_dict_set(f->heap, dict, key, value), HWR_OK);
    release(f, key);
    release(f, value);
}

/* The next item must be one that is written so; or with NULL there must be none, now and from now on. */
static inline void expect_next(const heap_fixture *f, void *iterator, const char *text) {
    void *item = &item;
    if (text) {
        assert_int_equal(hwr_next(f->heap, iterator, &item), HWR_OK);
        expect_repr(f, item, text);
        release(f, item);
        return;
    }
    for (int i = 0; i < 3; i++) assert_int_equal(hwr_next(f->heap, iterator, &item), HWR_END);
    assert_ptr_equal(item, &item);
}

static inline void expect_refused(const heap_fixture *f, void *iterator, hwr_result result) {
    void *item = &item;
    assert_int_equal(hwr_next(f->heap, iterator, &item), result);
    assert_ptr_equal(item, &item);
}

/* All that comes of an iterable must be written so, as a list. */
static inline void expect_all(const heap_fixture *f, const void *iterable, const char *text) {
    void *list = NULL;
    assert_int_equal(hwr_list_of(f->heap, iterable, &list), HWR_OK);
    expect_repr(f, list, text);
    release(f, list);
}

#endif
