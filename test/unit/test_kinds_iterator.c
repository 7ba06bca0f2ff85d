/* Going through containers, and ranges. What Python has an answer for is what python3 (3.11) says. */
#include "heapwright/array.h"
#include "support/iterate.h"
#include "support/random.h"
#include "support/sanitizer.h"

#include <stdio.h>

/* ---- what comes ---- */

static void *array_object(const heap_fixture *f, char code, const char *items) {
    void *array = NULL, *list = literal(f, items);
    assert_int_equal(hwr_array(f->heap, code, 0, &array), HWR_OK);
    assert_int_equal(hwr_array_extend(f->heap, array, list), HWR_OK);
    release(f, list);
    return array;
}

/* With as many gaps as entries, by their numbers: {0: '0', 1: '1', ...}. */
static void *dict_object(const heap_fixture *f, size_t count) {
    void *dict = hwr_dict(f->heap, 0);
    for (size_t i = 0; i < 2 * count; i++) {
        char text[24];
        snprintf(text, sizeof text, "'%zu'", i / 2);
        put_entry(f, dict, int_object(f, (int64_t)(i % 2 ? i / 2 : 1000 + i)), literal(f, text));
    }
    for (size_t i = 0; i < count; i++) {
        void *key = int_object(f, (int64_t)(1000 + 2 * i));
        assert_int_equal(hwr_dict_remove(f->heap, dict, key, NULL), HWR_OK);
        release(f, key);
    }
    return dict;
}

static void *set_object(const heap_fixture *f, const char *items) {
    void *set = hwr_set_new(f->heap, 0), *list = literal(f, items), *iterator = iterator_over(f, list), *item;
    while (hwr_next(f->heap, iterator, &item) == HWR_OK) {
        assert_int_equal(hwr_set_add(f->heap, set, item, NULL), HWR_OK);
        release(f, item);
    }
    release(f, list);
    release(f, iterator);
    return set;
}

/* An iterable of which all that comes is written in `text`, a list; released here. */
static void expect_items(const heap_fixture *f, void *iterable, const char *text) {
    void *tuple = NULL, *again = NULL, *expected = literal(f, text), *iterator = iterator_over(f, iterable);
    void *other = iterator_over(f, iterable), *list = literal(f, "[None]"), *item;
    size_t count = 0;
    bool is_iterator = hwr_kind_of(iterable) == HWR_ITERATOR;
    expect_all(f, iterable, text);
    if (is_iterator) { /* is its own, and has been gone through */
        assert_ptr_equal(iterator, iterable);
        expect_next(f, iterable, NULL);
        expect_all(f, iterable, "[]");
    } else {
        for (; hwr_next(f->heap, iterator, &item) == HWR_OK; count++) release(f, item);
        assert_int_equal(count, hwr_list_length(expected));
        assert_int_equal(hwr_tuple_of(f->heap, iterable, &tuple), HWR_OK);
        assert_int_equal(hwr_kind_of(tuple), HWR_TUPLE);
        assert_int_equal(hwr_tuple_length(tuple), count);
        assert_int_equal(hwr_tuple_of(f->heap, tuple, &again), HWR_OK);
        assert_ptr_equal(tuple, again);
        expect_all(f, tuple, text);
        expect_all(f, other, text);
        assert_int_equal(hwr_list_extend_from(f->heap, list, iterable), HWR_OK);
        assert_int_equal(hwr_list_length(list), count + 1);
        assert_int_equal(hwr_list_pop(f->heap, list, 0, &item), HWR_OK);
        release(f, item);
        assert_true(are_equal(f, list, expected));
    }
    void *objects[] = {iterable, tuple, again, expected, iterator, other, list};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
}

static void what_comes_is_what_comes_in_python(void **state) {
    static const char *const cases[][2] = {
        {"[]", "[]"},
        {"[1, 2, 3]", "[1, 2, 3]"},
        {"[1, 300, 70000, 5000000000]", "[1, 300, 70000, 5000000000]"},
        {"[1, 300]", "[1, 300]"},
        {"[1, 70000]", "[1, 70000]"},
        {"[1.5, -0.0, inf]", "[1.5, -0.0, inf]"},
        {"['a', [], 1.5, (1,), None]", "['a', [], 1.5, (1,), None]"},
        {"()", "[]"},
        {"(1, 'a', [])", "[1, 'a', []]"},
        {"''", "[]"},
        {"'abca'", "['a', 'b', 'c', 'a']"},
        {"'a\xc3\xa9'", "['a', '\xc3\xa9']"},
        {"'\xe2\x82\xac'", "['\xe2\x82\xac']"},
        {"'a\xc3\xa9\xe2\x82\xac'", "['a', '\xc3\xa9', '\xe2\x82\xac']"},
        {"'\xf0\x9f\x98\x80z\xe2\x82\xac'", "['\xf0\x9f\x98\x80', 'z', '\xe2\x82\xac']"},
    };
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        void *list = literal(f, cases[i][0]);
        expect_items(f, iterator_over(f, list), cases[i][1]);
        expect_items(f, list, cases[i][1]);
    }
    expect_items(f, hwr_bytes(f->heap, "a\0\377", 3), "[97, 0, 255]");
    expect_items(f, hwr_bytes(f->heap, NULL, 0), "[]");
    expect_items(f, hwr_bytearray(f->heap, "\200b", 2), "[128, 98]");
    expect_items(f, hwr_bytearray(f->heap, NULL, 0), "[]");
    expect_items(f, array_object(f, 'h', "[-1, 300]"), "[-1, 300]");
    expect_items(f, array_object(f, 'd', "[0.5]"), "[0.5]");
    expect_items(f, array_object(f, 'Q', "[18446744073709551615]"), "[18446744073709551615]");
    expect_items(f, array_object(f, 'b', "[]"), "[]");
    expect_items(f, dict_object(f, 0), "[]");
    expect_items(f, dict_object(f, 3), "[0, 1, 2]");
    expect_items(f, dict_object(f, 12), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]");
    expect_items(f, set_object(f, "[]"), "[]");
    expect_items(f, set_object(f, "[3, 'a', 1, 3, 1.0, (1, 2)]"), "[3, 'a', 1, (1, 2)]");
    expect_items(f, range_object(f, 5, 0, -2), "[5, 3, 1]");
    heap_fixture_expect_objects(f, before);
}

static void dicts_have_values_and_entries(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    void *dict = dict_object(f, 3), *values = NULL, *entries = NULL, *list = literal(f, "[]"), *untouched = &untouched;
    assert_int_equal(hwr_iterate_values(f->heap, dict, &values), HWR_OK);
    assert_int_equal(hwr_iterate_entries(f->heap, dict, &entries), HWR_OK);
    expect_all(f, values, "['0', '1', '2']");
    expect_next(f, values, NULL);
    expect_next(f, entries, "(0, '0')");
    expect_next(f, entries, "(1, '1')");
    put_entry(f, dict, int_object(f, 2), list); /* no leaf any more, but the same entries */
    expect_next(f, entries, "(2, [])");
    expect_next(f, entries, NULL);
    void *set = set_object(f, "[1]"), *no_dicts[] = {set, values};
    for (size_t i = 0; i < COUNT(no_dicts); i++) {
        assert_int_equal(hwr_iterate_values(f->heap, no_dicts[i], &untouched), HWR_WRONG_KIND);
        assert_int_equal(hwr_iterate_entries(f->heap, no_dicts[i], &untouched), HWR_WRONG_KIND);
    }
    assert_ptr_equal(untouched, &untouched);
    void *objects[] = {dict, values, entries, set};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
    heap_fixture_expect_objects(f, before);
}

static void what_cannot_be_gone_through(void **state) {
    static const char *const cases[] = {"None", "True", "5", "9223372036854775808", "1.5"};
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t i = 0; i <= COUNT(cases); i++) {
        void *object = i < COUNT(cases) ? literal(f, cases[i]) : new_pair(f), *made = &made, *list = literal(f, "[1]");
        assert_int_equal(hwr_iterate(f->heap, object, &made), HWR_WRONG_KIND);
        assert_int_equal(hwr_list_of(f->heap, object, &made), HWR_WRONG_KIND);
        assert_int_equal(hwr_tuple_of(f->heap, object, &made), HWR_WRONG_KIND);
        assert_int_equal(hwr_list_extend_from(f->heap, list, object), HWR_WRONG_KIND);
        assert_int_equal(hwr_next(f->heap, object, &made), HWR_WRONG_KIND);
        assert_int_equal(hwr_next(f->heap, list, &made), HWR_WRONG_KIND);
        assert_ptr_equal(made, &made);
        expect_repr(f, list, "[1]");
        release(f, object);
        release(f, list);
    }
    heap_fixture_expect_objects(f, before);
}

/* ---- what iterators are ---- */

static void an_iterator_is_an_object(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f), length = 0;
    void *list = literal(f, "[1, 'a']"), *iterator = iterator_over(f, list), *other = iterator_over(f, list);
    uint64_t hash;
    int order;
    heap_fixture_expect_count(f->heap, list, 3);
    assert_string_equal(hwr_kind_name(HWR_ITERATOR), "iterator");
    expect_repr(f, iterator, "<iterator>");
    assert_true(are_equal(f, iterator, iterator));
    assert_false(are_equal(f, iterator, other));
    assert_int_equal(hwr_hash(f->heap, iterator, &hash), HWR_OK);
    assert_int_equal(hwr_compare(f->heap, iterator, other, &order), HWR_WRONG_KIND);
    assert_int_equal(hwr_length(iterator, &length), HWR_WRONG_KIND);
    assert_true(hwr_truth(iterator));
    expect_next(f, iterator, "1");
    expect_next(f, other, "1"); /* each has its own place */
    expect_next(f, iterator, "'a'");
    expect_next(f, iterator, NULL);
    heap_fixture_expect_count(f->heap, list, 2); /* the list is given up at the end */
    void *last = literal(f, "'b'");
    assert_true(hwr_list_append(f->heap, list, last));
    expect_next(f, iterator, NULL);
    expect_next(f, other, "'a'");
    expect_next(f, other, "'b'");
    expect_next(f, other, NULL);
    void *objects[] = {list, iterator, other, last};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
    heap_fixture_expect_objects(f, before);
}

static size_t tracked_objects(const heap_fixture *f) {
    hwr_heap_stats stats;
    hwr_heap_get_stats(f->heap, &stats);
    return stats.tracked;
}

/* The collector looks at iterators over what can be part of a cycle, and finds them. */
static void iterators_are_collected(void **state) {
    static const char *const leaves[] = {"'abc'", "(1, 'a')"}, *const others[] = {"[1]", "([],)"};
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    hwr_disable(f->heap);
    for (size_t i = 0; i < COUNT(leaves); i++) {
        void *leaf = literal(f, leaves[i]), *other = literal(f, others[i]);
        size_t tracked = tracked_objects(f);
        void *over_leaf = iterator_over(f, leaf);
        assert_int_equal(tracked_objects(f), tracked);
        void *over_other = iterator_over(f, other);
        assert_int_equal(tracked_objects(f), tracked + 1);
        void *objects[] = {leaf, other, over_leaf, over_other};
        for (size_t k = 0; k < COUNT(objects); k++) release(f, objects[k]);
    }
    for (int of_set = 0; of_set < 2; of_set++) {
        void *list = literal(f, "[1, 2]"), *iterator = iterator_over(f, list), *dict = hwr_dict(f->heap, 0), *values;
        assert_true(hwr_list_append(f->heap, list, iterator));
        put_entry(f, dict, int_object(f, 1), list);
        assert_int_equal(hwr_iterate_values(f->heap, dict, &values), HWR_OK);
        assert_int_equal(hwr_dict_set(f->heap, dict, values, values), HWR_OK);
        void *objects[] = {iterator, dict, values};
        for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
        assert_true(hwr_collect(f->heap, HWR_OLDEST) >= 4);
    }
    hwr_enable(f->heap);
    heap_fixture_expect_objects(f, before);
}

/* ---- changes on the way ---- */

static void lists_may_change_on_the_way(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    void *list = literal(f, "[1, 2]"), *iterator = iterator_over(f, list), *text = literal(f, "'a'"), *item;
    expect_next(f, iterator, "1");
    assert_true(hwr_list_append(f->heap, list, text)); /* of references now */
    expect_next(f, iterator, "2");
    assert_true(hwr_list_append_float(f->heap, list, 0.5));
    expect_next(f, iterator, "'a'");
    assert_int_equal(hwr_list_pop(f->heap, list, 0, &item), HWR_OK);
    expect_next(f, iterator, NULL);
    release(f, item);
    release(f, iterator);
    iterator = iterator_over(f, list);
    expect_next(f, iterator, "2");
    hwr_list_clear(f->heap, list);
    expect_next(f, iterator, NULL);
    assert_true(hwr_list_append(f->heap, list, text));
    expect_next(f, iterator, NULL);
    void *bytes = hwr_bytearray(f->heap, "abc", 3), *over_bytes = iterator_over(f, bytes);
    expect_next(f, over_bytes, "97");
    assert_true(hwr_bytearray_resize(f->heap, bytes, 2));
    expect_next(f, over_bytes, "98");
    assert_true(hwr_bytearray_resize(f->heap, bytes, 1));
    expect_next(f, over_bytes, NULL);
    void *objects[] = {list, iterator, text, bytes, over_bytes};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
    heap_fixture_expect_objects(f, before);
}

static void *table_object(const heap_fixture *f, bool is_set, size_t count) {
    void *table = is_set ? hwr_set_new(f->heap, 0) : hwr_dict(f->heap, 0);
    for (size_t i = 0; i < count; i++) {
        void *key = int_object(f, (int64_t)i);
        if (is_set)
            assert_int_equal(hwr_set_add(f->heap, table, key, NULL), HWR_OK);
        else
            assert_int_equal(hwr_dict_set(f->heap, table, key, key), HWR_OK);
        release(f, key);
    }
    return table;
}

/* 0: a value is set; 1: added; 2: removed; 3: removed and added again; 4: cleared. */
static void change_table(const heap_fixture *f, void *table, bool is_set, int how) {
    void *key = int_object(f, how == 1 ? 1000 : 2), *list = hwr_list(f->heap, 0);
    if (how == 2 || how == 3)
        assert_int_equal(is_set ? hwr_set_remove(f->heap, table, key) : hwr_dict_remove(f->heap, table, key, NULL),
                         HWR_OK);
    if (how == 4 && !is_set) hwr_dict_clear(f->heap, table);
    if (how < 2 || how == 3)
        assert_int_equal(is_set ? hwr_set_add(f->heap, table, key, NULL) : hwr_dict_set(f->heap, table, key, list),
                         HWR_OK);
    release(f, key);
    release(f, list);
}

static void tables_may_not_change_on_the_way(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (int is_set = 0; is_set < 2; is_set++)
        for (size_t count = 3; count < 100; count = count * 3 - 1)
            for (int how = 0; how < 5 - is_set; how++) {
                void *table = table_object(f, is_set, count), *iterators[6], *item;
                for (size_t i = 0; i < COUNT(iterators); i++) { /* one before the first, one behind the last but one */
                    hwr_result (*const ways[])(hwr_heap *, const void *, void **) = {hwr_iterate, hwr_iterate_values,
                                                                                     hwr_iterate_entries};
                    assert_int_equal(ways[is_set ? 0 : i / 2](f->heap, table, &iterators[i]), HWR_OK);
                    for (size_t k = 0; k < (i % 2 ? count - 1 : 0); k++) {
                        assert_int_equal(hwr_next(f->heap, iterators[i], &item), HWR_OK);
                        release(f, item);
                    }
                }
                change_table(f, table, is_set, how);
                for (size_t i = 0; i < COUNT(iterators); i++) {
                    if (how == 0) {
                        for (size_t k = 0; k < (i % 2 ? 1 : count); k++) {
                            assert_int_equal(hwr_next(f->heap, iterators[i], &item), HWR_OK);
                            release(f, item);
                        }
                        expect_next(f, iterators[i], NULL);
                    } else {
                        for (int k = 0; k < 3; k++) expect_refused(f, iterators[i], HWR_CHANGED);
                    }
                    assert_int_equal(hwr_tuple_of(f->heap, iterators[i], &item), how ? HWR_CHANGED : HWR_OK);
                    if (!how) release(f, item);
                    release(f, iterators[i]);
                }
                release(f, table);
            }
    heap_fixture_expect_objects(f, before);
}

/* ---- ranges ---- */

static const struct range_case {
    int64_t from, to, step;
    const char *items, *text;
} ranges[] = {
    {0, 5, 1, "[0, 1, 2, 3, 4]", "range(0, 5)"},
    {0, 5, 2, "[0, 2, 4]", "range(0, 5, 2)"},
    {0, 6, 2, "[0, 2, 4]", "range(0, 6, 2)"},
    {5, 0, -1, "[5, 4, 3, 2, 1]", "range(5, 0, -1)"},
    {5, 0, -2, "[5, 3, 1]", "range(5, 0, -2)"},
    {5, -1, -2, "[5, 3, 1]", "range(5, -1, -2)"},
    {0, 0, 1, "[]", "range(0, 0)"},
    {3, 3, -1, "[]", "range(3, 3, -1)"},
    {2, 1, 1, "[]", "range(2, 1)"},
    {1, 2, -1, "[]", "range(1, 2, -1)"},
    {-3, 3, 3, "[-3, 0]", "range(-3, 3, 3)"},
    {10, 11, 100, "[10]", "range(10, 11, 100)"},
    {10, 9, -100, "[10]", "range(10, 9, -100)"},
    {11, 10, -100, "[11]", "range(11, 10, -100)"},
    {INT64_MIN, INT64_MAX, INT64_C(4611686018427387904),
     "[-9223372036854775808, -4611686018427387904, 0, 4611686018427387904]",
     "range(-9223372036854775808, 9223372036854775807, 4611686018427387904)"},
    {INT64_MAX, INT64_MIN, INT64_C(-4611686018427387904),
     "[9223372036854775807, 4611686018427387903, -1, -4611686018427387905]",
     "range(9223372036854775807, -9223372036854775808, -4611686018427387904)"},
    {INT64_MAX, INT64_MIN, INT64_MIN, "[9223372036854775807, -1]",
     "range(9223372036854775807, -9223372036854775808, -9223372036854775808)"},
    {INT64_MIN, INT64_MAX, INT64_MAX, "[-9223372036854775808, -1, 9223372036854775806]",
     "range(-9223372036854775808, 9223372036854775807, 9223372036854775807)"},
    {INT64_MAX - 2, INT64_MAX, 1, "[9223372036854775805, 9223372036854775806]",
     "range(9223372036854775805, 9223372036854775807)"},
    {INT64_MIN + 2, INT64_MIN, -1, "[-9223372036854775806, -9223372036854775807]",
     "range(-9223372036854775806, -9223372036854775808, -1)"},
};

/* Just what comes is in it. */
static void expect_contained(const void *range, int64_t value, bool expected) {
    assert_int_equal(hwr_range_contains(range, value), expected);
}

static void ranges_are_those_of_python(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t i = 0; i < COUNT(ranges); i++) {
        const struct range_case *c = &ranges[i];
        void *range = range_object(f, c->from, c->to, c->step), *items = literal(f, c->items);
        size_t length = 99;
        int64_t value, item = 0;
        expect_repr(f, range, c->text);
        expect_all(f, range, c->items);
        expect_all(f, range, c->items);
        assert_int_equal(hwr_length(range, &length), HWR_OK);
        assert_int_equal(length, hwr_list_length(items));
        assert_int_equal(hwr_truth(range), length > 0);
        for (size_t k = 0; k < length; k++) {
            assert_int_equal(hwr_range_get(range, k, &value), HWR_OK);
            assert_int_equal(hwr_list_get_int(items, k, &item), HWR_OK);
            assert_true(value == item);
            expect_contained(range, value, true);
            if (value != INT64_MAX && c->step != 1 && c->step != -1) expect_contained(range, value + 1, false);
        }
        assert_int_equal(hwr_range_get(range, length, &value), HWR_OUT_OF_RANGE);
        assert_int_equal(hwr_range_get(range, SIZE_MAX, &value), HWR_OUT_OF_RANGE);
        expect_contained(range, c->to, false);
        for (size_t k = 0; k < COUNT(ranges); k++) { /* equal are those with the same items */
            void *other = range_object(f, ranges[k].from, ranges[k].to, ranges[k].step);
            bool equal = strcmp(c->items, ranges[k].items) == 0;
            int order;
            assert_int_equal(are_equal(f, range, other), equal);
            assert_int_equal(hash_of(f, range) == hash_of(f, other), equal);
            assert_int_equal(hwr_compare(f->heap, range, other, &order), HWR_WRONG_KIND);
            release(f, other);
        }
        assert_false(are_equal(f, range, items));
        release(f, range);
        release(f, items);
    }
    void *none = &none;
    assert_int_equal(hwr_range(f->heap, 1, 2, 0, &none), HWR_BAD_VALUE);
    assert_ptr_equal(none, &none);
    heap_fixture_expect_objects(f, before);
}

static void the_longest_range(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    void *range = range_object(f, INT64_MIN, INT64_MAX, 1), *iterator = iterator_over(f, range);
    int64_t value = 0;
    assert_true(hwr_range_length(range) == UINT64_MAX);
    assert_int_equal(hwr_range_get(range, SIZE_MAX - 1, &value), HWR_OK);
    assert_true(value == INT64_MAX - 1);
    expect_contained(range, INT64_MAX, false);
    expect_contained(range, INT64_MIN, true);
    expect_next(f, iterator, "-9223372036854775808");
    release(f, range);
    expect_next(f, iterator, "-9223372036854775807");
    release(f, iterator);
    heap_fixture_expect_objects(f, before);
}

/* ---- against models ---- */

enum { MODEL_ITERATORS = 6, MODEL_ITEMS = 60 };

/* A list of ints, and what each of several iterators over it has to say. */
static void random_steps_through_a_list(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f), steps = runs_slowly() ? 3000 : 20000;
    random_stream r = {21};
    void *list = literal(f, "[]"), *iterators[MODEL_ITERATORS] = {NULL};
    int64_t items[MODEL_ITEMS];
    size_t length = 0, places[MODEL_ITERATORS];
    for (size_t i = 0; i < steps; i++) {
        size_t which = random_below(&r, MODEL_ITERATORS), place = random_below(&r, length + 1);
        void *item = NULL;
        int64_t value;
        switch (random_below(&r, 10)) {
        case 0:
            if (length == MODEL_ITEMS) break;
            items[length++] = value = (int64_t)(random_next(&r) >> random_below(&r, 64));
            assert_true(hwr_list_append_int(f->heap, list, value));
            break;
        case 1:
            if (place == length) break;
            assert_int_equal(hwr_list_pop(f->heap, list, place, &item), HWR_OK);
            memmove(items + place, items + place + 1, (--length - place) * sizeof *items);
            break;
        case 2:
            release(f, iterators[which]);
            iterators[which] = iterator_over(f, list);
            places[which] = 0;
            break;
        default:
            if (!iterators[which]) break;
            hwr_result result = hwr_next(f->heap, iterators[which], &item);
            assert_int_equal(result, places[which] < length ? HWR_OK : HWR_END);
            if (result != HWR_OK) {
                places[which] = SIZE_MAX;
            } else {
                assert_int_equal(hwr_int_get(item, &value), HWR_OK);
                assert_true(value == items[places[which]++]);
            }
        }
        release(f, item);
    }
    for (size_t i = 0; i < MODEL_ITERATORS; i++) release(f, iterators[i]);
    release(f, list);
    heap_fixture_expect_objects(f, before);
}

/* ---- without memory ---- */

static void steps_are_not_lost_without_memory(void **state) {
    heap_fixture *f = *state;
    size_t before = open_kinds(f);
    void *iterables[] = {literal(f, "[1000, 2000]"), literal(f, "[0.5, 1.5]"), range_object(f, 1000, 3000, 1000),
                         array_object(f, 'q', "[1000, 2000]"), literal(f, "'\xe2\x82\xac\xe2\x82\xad'")};
    static const char *const texts[] = {"[1000, 2000]", "[0.5, 1.5]", "[1000, 2000]", "[1000, 2000]",
                                        "['\xe2\x82\xac', '\xe2\x82\xad']"};
    void *iterators[COUNT(iterables) + 1], *dict = dict_object(f, 2), *none = hwr_none(f->heap), *both[] = {none, none};
    for (size_t i = 0; i < COUNT(iterables); i++) iterators[i] = iterator_over(f, iterables[i]);
    assert_int_equal(hwr_iterate_entries(f->heap, dict, &iterators[COUNT(iterables)]), HWR_OK);
    heap_fixture_take_all_memory(f);
    void *made;
    while (heap_fixture_hold(f, hwr_float(f->heap, 1)) != NULL) continue;
    while (heap_fixture_hold(f, hwr_tuple(f->heap, both, 2)) != NULL) continue;
    while (hwr_iterate(f->heap, iterables[0], &made) == HWR_OK) heap_fixture_hold(f, made);
    while (heap_fixture_hold(f, hwr_list(f->heap, 0)) != NULL) continue;
    while (hwr_str_slice(f->heap, iterables[4], 1, 2, &made) == HWR_OK) heap_fixture_hold(f, made);
    while (hwr_range(f->heap, 1, 2, 1, &made) == HWR_OK) heap_fixture_hold(f, made);
    for (size_t i = 0; i < COUNT(iterators); i++)
        for (int k = 0; k < 3; k++) expect_refused(f, iterators[i], HWR_NO_MEMORY);
    void *nothing = &nothing;
    assert_int_equal(hwr_list_of(f->heap, iterables[0], &nothing), HWR_NO_MEMORY);
    assert_int_equal(hwr_tuple_of(f->heap, iterables[0], &nothing), HWR_NO_MEMORY);
    assert_int_equal(hwr_iterate(f->heap, iterables[0], &nothing), HWR_NO_MEMORY);
    assert_int_equal(hwr_list_extend_from(f->heap, iterables[0], iterables[2]), HWR_NO_MEMORY);
    assert_ptr_equal(nothing, &nothing);
    heap_fixture_give_memory_back(f);
    heap_fixture_let_all_go(f);
    for (size_t i = 0; i < COUNT(iterables); i++) expect_all(f, iterators[i], texts[i]);
    expect_all(f, iterators[COUNT(iterables)], "[(0, '0'), (1, '1')]");
    for (size_t i = 0; i < COUNT(iterables); i++) release(f, iterables[i]);
    for (size_t i = 0; i < COUNT(iterators); i++) release(f, iterators[i]);
    release(f, dict);
    release(f, none);
    heap_fixture_expect_objects(f, before);
}

/* Collects what comes of many iterables; whatever is refused is asked again. */
static bool all_granted(const heap_fixture *f) {
    void *range = NULL, *list = NULL, *tuple = NULL, *set = hwr_set_new(f->heap, 0);
    bool granted = set && hwr_range(f->heap, 1000, 4000, 1, &range) == HWR_OK;
    granted = granted && hwr_list_of(f->heap, range, &list) == HWR_OK;
    if (list) {
        granted = hwr_tuple_of(f->heap, list, &tuple) == HWR_OK && granted;
        hwr_result result = hwr_list_extend_from(f->heap, list, range);
        assert_int_equal(hwr_list_length(list), result == HWR_OK ? 6000 : 3000);
        granted = granted && result == HWR_OK;
    }
    if (tuple) {
        for (int64_t i = 0; i < 3000; i++) {
            void *item = NULL;
            int64_t value;
            assert_int_equal(hwr_tuple_get(f->heap, tuple, (size_t)i, &item), HWR_OK);
            assert_int_equal(hwr_int_get(item, &value), HWR_OK);
            assert_int_equal(value, 1000 + i);
            granted = hwr_set_add(f->heap, set, item, NULL) == HWR_OK && granted;
            release(f, item);
        }
        size_t length = hwr_list_length(list), added = hwr_set_length(set);
        hwr_result result = hwr_list_extend_from(f->heap, list, set);
        assert_int_equal(hwr_list_length(list), result == HWR_OK ? length + added : length);
        granted = granted && result == HWR_OK;
    }
    void *objects[] = {range, list, tuple, set};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
    return granted;
}

static void every_request_for_memory_can_fail(void **state) {
    heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (int for_good = 0; for_good < 2; for_good++) {
        bool failed = true;
        for (uint64_t nth = 1; failed; nth += heap_fixture_fault_step()) {
            hwr_heap_trim(f->heap);
            size_t failures = backend_failures(&f->backend);
            hwr_raw_inject_fault(f->backend.raw, HWR_FAULT_ALL, nth, for_good);
            bool granted = all_granted(f);
            hwr_raw_inject_fault(f->backend.raw, 0, 0, false);
            failed = backend_failures(&f->backend) > failures;
            assert_true(granted || failed);
            heap_fixture_expect_objects(f, before);
        }
    }
}

int main(void) {
    static const heap_test tests[] = {
        HEAP_TEST(what_comes_is_what_comes_in_python, HEAP_STRESSED),
        HEAP_TEST(dicts_have_values_and_entries, HEAP_STRESSED),
        HEAP_TEST(what_cannot_be_gone_through, HEAP_ANY),
        HEAP_TEST(an_iterator_is_an_object, HEAP_STRESSED),
        /* HEAP_COUNTING: what hwr_collect counts */
        HEAP_TEST(iterators_are_collected, HEAP_COUNTING),
        HEAP_TEST(lists_may_change_on_the_way, HEAP_STRESSED),
        HEAP_TEST(tables_may_not_change_on_the_way, HEAP_STRESSED),
        HEAP_TEST(ranges_are_those_of_python, HEAP_STRESSED),
        HEAP_TEST(the_longest_range, HEAP_ANY),
        HEAP_TEST(random_steps_through_a_list, HEAP_STRESSED | HEAP_FEW),
        HEAP_TEST(steps_are_not_lost_without_memory, HEAP_ANY),
        HEAP_TEST(every_request_for_memory_can_fail, HEAP_FEW),
    };
    return heap_fixture_run("kinds: iterators", tests, COUNT(tests));
}
