/* tuple and list. What Python has an answer for is what python3 (3.11) says. */
#include "support/literal.h"
#include "support/random.h"
#include "support/sanitizer.h"

#include <stdio.h>

static void release(const heap_fixture *f, const void *object) { hwr_release(f->heap, object); }

static void *number(const heap_fixture *f, int64_t value) {
    void *object = hwr_int(f->heap, value);
    assert_non_null(object);
    return object;
}

static void *item_of(const heap_fixture *f, const void *list, size_t index) {
    void *item = NULL;
    assert_int_equal(hwr_list_get(f->heap, list, index, &item), HWR_OK);
    return item;
}

/* ---- any sequence: as Python has it ---- */

static void reprs_are_those_of_python(void **state) {
    static const char *const cases[] = {"()",
                                        "[]",
                                        "(1,)",
                                        "(1, 2)",
                                        "('a',)",
                                        "[1]",
                                        "[1, 2, 3]",
                                        "[1.0, 2.5]",
                                        "[1, 2.5]",
                                        "[True, False, None]",
                                        "[1, True]",
                                        "[127, 128]",
                                        "[-128, -129]",
                                        "[32767, 32768]",
                                        "[2147483647, 2147483648]",
                                        "[-9223372036854775808, 9223372036854775807]",
                                        "[9223372036854775808]",
                                        "[1, 2, 9223372036854775808]",
                                        "[-0.0, 0.0]",
                                        "[nan, inf, -inf]",
                                        "[1e+16, 1e-07]",
                                        "['a', 1, 2.0, None, (), [], [[]], ((),)]",
                                        "([1, 2], [3.5], ['x'])",
                                        "[[1, 'a'], [2, 'b']]"};
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        void *object = literal(f, cases[i]);
        expect_repr(f, object, cases[i]);
        release(f, object);
    }
    heap_fixture_expect_objects(f, before);
}

static const struct pair_of_sequences {
    const char *a, *b;
    bool equal;
    hwr_result compared;
    int order;
} pairs[] = {
    {"()", "()", true, HWR_OK, 0},
    {"[]", "[]", true, HWR_OK, 0},
    {"[]", "()", false, HWR_WRONG_KIND, 0},
    {"[1]", "(1,)", false, HWR_WRONG_KIND, 0},
    {"[1, 2]", "[1, 2]", true, HWR_OK, 0},
    {"[1, 2]", "[1, 3]", false, HWR_OK, -1},
    {"[1, 2]", "[1]", false, HWR_OK, 1},
    {"[]", "[1]", false, HWR_OK, -1},
    {"[1, 2]", "[1, 300]", false, HWR_OK, -1},
    {"[1, 300]", "[2, 1]", false, HWR_OK, -1},
    {"[1, 70000]", "[1, 70000]", true, HWR_OK, 0},
    {"[1, 2, 5000000000]", "[1, 2, 5000000000]", true, HWR_OK, 0},
    {"[1, 2]", "[1.0, 2.0]", true, HWR_OK, 0},
    {"[1, 2]", "[1.0, 2.5]", false, HWR_OK, -1},
    {"[1]", "[True]", true, HWR_OK, 0},
    {"[0.0]", "[-0.0]", true, HWR_OK, 0},
    {"[0]", "[-0.0]", true, HWR_OK, 0},
    {"[1, 'a']", "[1, 'a']", true, HWR_OK, 0},
    {"[1, 'a']", "[1, 'b']", false, HWR_OK, -1},
    {"[1, 'a']", "[1, 2]", false, HWR_WRONG_KIND, 0},
    {"[1, 'a']", "[2, 2]", false, HWR_OK, -1},
    {"[None]", "[None]", true, HWR_OK, 0},
    {"[None]", "[None, None]", false, HWR_OK, -1},
    {"[None]", "[1]", false, HWR_WRONG_KIND, 0},
    {"[[1, 2], [3]]", "[[1, 2], [3]]", true, HWR_OK, 0},
    {"[[1, 2], [3]]", "[[1, 2], [4]]", false, HWR_OK, -1},
    {"(1, 2)", "(1, 2)", true, HWR_OK, 0},
    {"(1, 2)", "(1, 2, 3)", false, HWR_OK, -1},
    {"(1, 2.0)", "(1.0, 2)", true, HWR_OK, 0},
    {"(True, 'x')", "(1, 'x')", true, HWR_OK, 0},
    {"(2,)", "(1, 5)", false, HWR_OK, 1},
    {"('a', 1)", "('a', 'b')", false, HWR_WRONG_KIND, 0},
    {"((1, (2,)), 3)", "((1, (2,)), 3)", true, HWR_OK, 0},
    {"((1, (2,)), 3)", "((1, (3,)), 3)", false, HWR_OK, -1},
    {"(1, 2, 3, 4, 5, 6, 7, 8, 9)", "(1, 2, 3, 4, 5, 6, 7, 8, 9)", true, HWR_OK, 0},
    {"(1, 2, 3, 4, 5, 6, 7, 8, 9)", "(1, 2, 3, 4, 5, 6, 7, 8, 10)", false, HWR_OK, -1},
    {"(nan,)", "(nan,)", false, HWR_BAD_VALUE, 0},
    {"[1, 9223372036854775808]", "[1, 9223372036854775809]", false, HWR_OK, -1},
};

static void compare_both_ways(const heap_fixture *f, const struct pair_of_sequences *c, void *a, void *b) {
    int order = 99;
    assert_int_equal(are_equal(f, a, b), c->equal);
    assert_int_equal(hwr_compare(f->heap, a, b, &order), c->compared);
    if (c->compared == HWR_OK) assert_int_equal((order > 0) - (order < 0), c->order);
    assert_int_equal(hwr_compare(f->heap, b, a, &order), c->compared);
    if (c->compared == HWR_OK) assert_int_equal((order > 0) - (order < 0), -c->order);
    if (c->equal && hwr_kind_of(a) == HWR_TUPLE) assert_true(hash_of(f, a) == hash_of(f, b));
}

/* Each list also as one of references, whatever its items are. */
static void *with_references(const heap_fixture *f, const void *list) {
    size_t length = 0;
    void *copy = NULL, *last = NULL, *none = hwr_none(f->heap);
    assert_int_equal(hwr_length(list, &length), HWR_OK);
    assert_int_equal(hwr_list_slice(f->heap, list, 0, length, &copy), HWR_OK);
    assert_true(hwr_list_append(f->heap, copy, none));
    assert_int_equal(hwr_list_pop(f->heap, copy, length, &last), HWR_OK);
    assert_ptr_equal(last, none);
    return copy;
}

static void order_and_equality_are_those_of_python(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t i = 0; i < COUNT(pairs); i++) {
        void *a = literal(f, pairs[i].a), *b = literal(f, pairs[i].b);
        compare_both_ways(f, &pairs[i], a, b);
        if (hwr_kind_of(a) == HWR_LIST && hwr_kind_of(b) == HWR_LIST) {
            void *a2 = with_references(f, a), *b2 = with_references(f, b);
            compare_both_ways(f, &pairs[i], a2, b);
            compare_both_ways(f, &pairs[i], a, b2);
            compare_both_ways(f, &pairs[i], a2, b2);
            release(f, a2);
            release(f, b2);
        }
        release(f, a);
        release(f, b);
    }
    heap_fixture_expect_objects(f, before);
}

/* A NaN is identical to itself, in a tuple; in a list, to one of the same bits. */
static void nan_is_itself(void **state) {
    const heap_fixture *f = *state;
    open_kinds(f);
    void *nan = literal(f, "nan"), *items[] = {nan};
    void *a = hwr_tuple(f->heap, items, 1), *b = hwr_tuple(f->heap, items, 1);
    assert_true(are_equal(f, a, b));
    void *l = literal(f, "[nan]"), *m = literal(f, "[nan]");
    assert_true(are_equal(f, l, m));
    void *objects[] = {nan, a, b, l, m};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
}

static void lists_cannot_be_keys(void **state) {
    const heap_fixture *f = *state;
    static const char *const cases[] = {"[]", "[1]", "([],)", "(1, (2, [3]))"};
    open_kinds(f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        void *object = literal(f, cases[i]);
        uint64_t hash;
        assert_int_equal(hwr_hash(f->heap, object, &hash), HWR_UNHASHABLE);
        release(f, object);
    }
}

static void what_has_items_has_a_length_and_is_true(void **state) {
    static const char *const cases[] = {"[]", "()", "[0]", "(0,)", "['a', 'b']", "(1, 2)"};
    const heap_fixture *f = *state;
    open_kinds(f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        void *object = literal(f, cases[i]);
        size_t length = 99;
        assert_int_equal(hwr_length(object, &length), HWR_OK);
        assert_int_equal(length, i / 2);
        assert_int_equal(hwr_truth(object), i >= 2);
        release(f, object);
    }
}

/* What is inside itself. In Python, == raises RecursionError, too. */
static void a_container_inside_itself(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    void *list = literal(f, "[1, 'a']"), *items[] = {list};
    void *tuple = hwr_tuple(f->heap, items, 1);
    assert_true(hwr_list_append(f->heap, list, list));
    assert_true(hwr_list_append(f->heap, list, tuple));
    expect_repr(f, list, "[1, 'a', [...], ([...],)]");
    expect_repr(f, tuple, "([1, 'a', [...], (...)],)");
    void *a = hwr_list(f->heap, 0), *b = hwr_list(f->heap, 0);
    assert_true(hwr_list_append(f->heap, a, b) && hwr_list_append(f->heap, b, a));
    bool equal;
    int order;
    assert_true(are_equal(f, a, a));
    assert_int_equal(hwr_equal(f->heap, a, b, &equal), HWR_BAD_VALUE);
    assert_int_equal(hwr_compare(f->heap, a, b, &order), HWR_BAD_VALUE);
    void *objects[] = {list, tuple, a, b};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
    hwr_collect(f->heap, HWR_OLDEST);
    heap_fixture_expect_objects(f, before);
}

static void what_is_nested_too_deeply(void **state) {
    const heap_fixture *f = *state;
    open_kinds(f);
    void *list = hwr_list(f->heap, 0), *tuple = hwr_tuple(f->heap, NULL, 0), *text = NULL;
    for (size_t i = 0; i < HWR_DEPTH_MOST + 1; i++) {
        void *outer = hwr_list(f->heap, 0), *inner[] = {tuple};
        assert_true(hwr_list_append(f->heap, outer, list));
        release(f, list);
        list = outer;
        tuple = hwr_tuple(f->heap, inner, 1);
        release(f, inner[0]);
    }
    uint64_t hash;
    assert_int_equal(hwr_repr(f->heap, list, &text), HWR_BAD_VALUE);
    assert_int_equal(hwr_repr(f->heap, tuple, &text), HWR_BAD_VALUE);
    assert_int_equal(hwr_hash(f->heap, tuple, &hash), HWR_BAD_VALUE);
    release(f, list);
    release(f, tuple);
}

/* ---- tuples ---- */

static void a_tuple_holds_its_items(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    void *empty = hwr_tuple(f->heap, NULL, 0), *item = &item, *items[300];
    heap_fixture_expect_count(f->heap, empty, HWR_IMMORTAL);
    assert_ptr_equal(hwr_tuple(f->heap, items, 0), empty);
    assert_int_equal(hwr_tuple_get(f->heap, empty, 0, &item), HWR_OUT_OF_RANGE);
    for (size_t i = 0; i < COUNT(items); i++) items[i] = i == 250 ? literal(f, "[]") : number(f, 1000 + (int64_t)i);
    for (size_t length = 1; length <= COUNT(items); length++) {
        void *tuple = hwr_tuple(f->heap, items, length);
        assert_int_equal(hwr_kind_of(tuple), HWR_TUPLE);
        assert_int_equal(hwr_tuple_length(tuple), length);
        assert_int_equal(hwr_is_tracked(f->heap, tuple), length > 250);
        for (size_t i = 0; i < length; i++) {
            assert_int_equal(hwr_tuple_get(f->heap, tuple, i, &item), HWR_OK);
            assert_ptr_equal(item, items[i]);
            heap_fixture_expect_count(f->heap, item, 3);
            release(f, item);
            assert_ptr_equal(hwr_tuple_peek(tuple, i), items[i]);
            heap_fixture_expect_count(f->heap, items[i], 2);
        }
        assert_null(hwr_tuple_peek(tuple, length));
        item = &item;
        assert_int_equal(hwr_tuple_get(f->heap, tuple, length, &item), HWR_OUT_OF_RANGE);
        assert_ptr_equal(item, &item);
        release(f, tuple);
    }
    for (size_t i = 0; i < COUNT(items); i++) release(f, items[i]);
    heap_fixture_expect_objects(f, before);
}

/* ---- values in lists ---- */

static const int64_t edges[] = {0,
                                1,
                                -1,
                                127,
                                -128,
                                128,
                                -129,
                                32767,
                                -32768,
                                32768,
                                -32769,
                                INT32_MAX,
                                INT32_MIN,
                                (int64_t)INT32_MAX + 1,
                                (int64_t)INT32_MIN - 1,
                                INT64_MAX,
                                INT64_MIN};

static void expect_ints(const heap_fixture *f, const void *list, const int64_t *values, size_t count) {
    assert_int_equal(hwr_list_length(list), count);
    for (size_t i = 0; i < count; i++) {
        int64_t value = 99;
        double real = 99;
        assert_int_equal(hwr_list_get_int(list, i, &value), HWR_OK);
        assert_int_equal(value, values[i]);
        assert_int_equal(hwr_list_get_float(list, i, &real), HWR_OK);
        assert_true(real == (double)values[i]);
        void *item = item_of(f, list, i);
        assert_int_equal(hwr_kind_of(item), HWR_INT);
        assert_int_equal(hwr_int_get(item, &value), HWR_OK);
        assert_int_equal(value, values[i]);
        release(f, item);
    }
}

/* From each width to each other, by each call. */
static void ints_of_any_width_come_back(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t i = 0; i < COUNT(edges); i++)
        for (size_t k = 0; k < COUNT(edges); k++) {
            const int64_t three[] = {edges[i], edges[k], edges[i]}, other[] = {edges[k], edges[i]};
            void *list = hwr_list(f->heap, i), *a = number(f, edges[i]), *b = number(f, edges[k]), *popped = NULL;
            assert_true(hwr_list_append_int(f->heap, list, edges[i]));
            assert_true(hwr_list_append_int(f->heap, list, edges[k]));
            assert_true(hwr_list_append(f->heap, list, a));
            expect_ints(f, list, three, 3);
            assert_int_equal(hwr_list_pop(f->heap, list, 0, &popped), HWR_OK);
            expect_ints(f, list, other, 2);
            assert_true(are_equal(f, popped, a));
            release(f, popped);
            assert_int_equal(hwr_list_insert(f->heap, list, 0, a), HWR_OK);
            expect_ints(f, list, three, 3);
            void *text = literal(f, "'text'");
            assert_true(hwr_list_append(f->heap, list, text)); /* now objects */
            assert_int_equal(hwr_list_pop(f->heap, list, 3, &popped), HWR_OK);
            assert_ptr_equal(popped, text);
            expect_ints(f, list, three, 3);
            assert_true(hwr_list_append_int(f->heap, list, edges[k]));
            assert_int_equal(hwr_list_set(f->heap, list, 0, b), HWR_OK);
            release(f, list);
            list = hwr_list(f->heap, 0);
            assert_true(hwr_list_append(f->heap, list, a));
            assert_int_equal(hwr_list_set(f->heap, list, 0, b), HWR_OK);
            expect_ints(f, list, &edges[k], 1);
            void *objects[] = {list, a, b, text, popped};
            for (size_t o = 0; o < COUNT(objects); o++) release(f, objects[o]);
        }
    heap_fixture_expect_objects(f, before);
}

static double of_bits(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void floats_come_back_bit_by_bit(void **state) {
    const heap_fixture *f = *state;
    static const uint64_t bits[] = {
        0, UINT64_C(1) << 63, 0x3ff8000000000000, 0x7ff0000000000000, 0x7ff8000000000001, 0xfff8dead00000000,
        1, 0x7fefffffffffffff};
    size_t before = open_kinds(f);
    void *list = hwr_list(f->heap, 0), *none = hwr_none(f->heap);
    for (size_t i = 0; i < COUNT(bits); i++) {
        void *real = hwr_float(f->heap, of_bits(bits[i]));
        assert_true(i % 2 ? hwr_list_append(f->heap, list, real)
                          : hwr_list_append_float(f->heap, list, of_bits(bits[i])));
        release(f, real);
    }
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < COUNT(bits); i++) {
            double value = 99;
            int64_t whole;
            assert_int_equal(hwr_list_get_float(list, i, &value), HWR_OK);
            assert_memory_equal(&value, &bits[i], sizeof value);
            assert_int_equal(hwr_list_get_int(list, i, &whole), HWR_WRONG_KIND);
            void *item = item_of(f, list, i);
            assert_int_equal(hwr_float_get(item, &value), HWR_OK);
            assert_memory_equal(&value, &bits[i], sizeof value);
            assert_int_equal(hwr_list_set(f->heap, list, i, item), HWR_OK);
            release(f, item);
        }
        assert_true(round || hwr_list_append(f->heap, list, none));
    }
    assert_true(hwr_list_append_float(f->heap, list, 1.5)); /* to objects */
    release(f, list);
    heap_fixture_expect_objects(f, before);
}

static void what_is_no_value_comes_back_itself(void **state) {
    const heap_fixture *f = *state;
    static const char *const others[] = {"True", "None", "'text'", "9223372036854775808", "[]", "(1,)", "([],)"};
    static const char *const lists[] = {"[]", "[1, 2]", "[1000]", "[5000000000]", "[1.5]", "['a']", "[[]]"};
    size_t before = open_kinds(f);
    for (size_t i = 0; i < COUNT(others); i++)
        for (size_t k = 0; k < COUNT(lists); k++)
            for (int call = 0; call < 3; call++) {
                void *list = literal(f, lists[k]), *object = literal(f, others[i]), *found, *popped = NULL;
                size_t length = hwr_list_length(list);
                if (call == 0) assert_true(hwr_list_append(f->heap, list, object));
                if (call == 1) assert_int_equal(hwr_list_insert(f->heap, list, length, object), HWR_OK);
                if (call == 2 && length == 0) assert_true(hwr_list_append(f->heap, list, object));
                if (call == 2) assert_int_equal(hwr_list_set(f->heap, list, 0, object), HWR_OK);
                size_t at = call == 2 ? 0 : length;
                found = item_of(f, list, at);
                assert_ptr_equal(found, object);
                assert_int_equal(hwr_list_pop(f->heap, list, at, &popped), HWR_OK);
                assert_ptr_equal(popped, object);
                if (call < 2) expect_repr(f, list, lists[k]);
                void *objects[] = {list, object, found, popped};
                for (size_t o = 0; o < COUNT(objects); o++) release(f, objects[o]);
            }
    heap_fixture_expect_objects(f, before);
}

static void values_of_other_kinds(void **state) {
    const heap_fixture *f = *state;
    open_kinds(f);
    void *list = literal(f, "['a', True, 2.5, 9223372036854775808, 7]");
    static const hwr_result ints[] = {HWR_WRONG_KIND,   HWR_OK, HWR_WRONG_KIND,
                                      HWR_OUT_OF_RANGE, HWR_OK, HWR_OUT_OF_RANGE};
    static const hwr_result floats[] = {HWR_WRONG_KIND, HWR_OK, HWR_OK, HWR_OK, HWR_OK, HWR_OUT_OF_RANGE};
    for (size_t i = 0; i < COUNT(ints); i++) {
        int64_t value;
        double real;
        assert_int_equal(hwr_list_get_int(list, i, &value), ints[i]);
        assert_int_equal(hwr_list_get_float(list, i, &real), floats[i]);
    }
    release(f, list);
}

/* ---- calls on lists ---- */

static void positions_that_are_not_there(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    static const char *const lists[] = {"[]", "[1]", "['a', 'b']", "[1.5]"};
    for (size_t i = 0; i < COUNT(lists); i++) {
        void *list = literal(f, lists[i]), *item = &item, *none = hwr_none(f->heap);
        size_t length = hwr_list_length(list), wrong[] = {length, length + 1, SIZE_MAX};
        int64_t value;
        for (size_t k = 0; k < COUNT(wrong); k++) {
            assert_int_equal(hwr_list_get(f->heap, list, wrong[k], &item), HWR_OUT_OF_RANGE);
            assert_int_equal(hwr_list_get_int(list, wrong[k], &value), HWR_OUT_OF_RANGE);
            assert_int_equal(hwr_list_pop(f->heap, list, wrong[k], &item), HWR_OUT_OF_RANGE);
            assert_int_equal(hwr_list_set(f->heap, list, wrong[k], none), HWR_OUT_OF_RANGE);
            assert_int_equal(hwr_list_insert(f->heap, list, wrong[k] + (k == 0), none), HWR_OUT_OF_RANGE);
        }
        assert_ptr_equal(item, &item);
        expect_repr(f, list, lists[i]);
        release(f, list);
    }
    heap_fixture_expect_objects(f, before);
}

/* Borrowed: no reference more. A value in a list has no object that could be shown. */
static void items_are_shown(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    static const char *const without_objects[] = {"[]", "[1, 2]", "[300, 70000]", "[1.5]", "[1, 9223372036854775807]"};
    for (size_t i = 0; i < COUNT(without_objects); i++) {
        void *list = literal(f, without_objects[i]);
        for (size_t k = 0; k < 3; k++) assert_null(hwr_list_peek(list, k));
        release(f, list);
    }
    void *list = literal(f, "['a long one', 1.5, [], 10000000000000000000000]");
    for (size_t i = 0; i < 4; i++) {
        void *item = item_of(f, list, i);
        assert_ptr_equal(hwr_list_peek(list, i), item);
        heap_fixture_expect_count(f->heap, item, 2);
        release(f, item);
    }
    assert_null(hwr_list_peek(list, 4));
    assert_null(hwr_list_peek(list, SIZE_MAX));
    release(f, list);
    heap_fixture_expect_objects(f, before);
}

static void lists_that_are_too_long(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    static const size_t rooms[] = {SIZE_MAX, SIZE_MAX / 8 + 1, PTRDIFF_MAX / 8, (size_t)1 << 50};
    for (size_t i = 0; i < COUNT(rooms); i++) assert_null(hwr_list(f->heap, rooms[i]));
    heap_fixture_expect_objects(f, before);
}

static void parts_of_lists(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    static const struct {
        const char *list;
        size_t from, to;
        const char *part;
    } cases[] = {
        {"[1, 2, 3]", 0, 3, "[1, 2, 3]"}, {"[1, 2, 3]", 1, 2, "[2]"}, {"[1, 2, 3]", 2, 1, "[]"},
        {"[1, 2, 3]", 1, 99, "[2, 3]"},   {"[1, 2, 3]", 5, 99, "[]"}, {"[]", 0, 5, "[]"},
        {"[1.5, 2.5]", 1, 2, "[2.5]"},    {"['a', 1]", 1, 2, "[1]"},  {"['a', []]", 0, 1, "['a']"},
        {"['a', []]", 1, 2, "[[]]"},      {"[1, 999]", 0, 1, "[1]"},  {"[None, 2.5, 1]", 1, 3, "[2.5, 1]"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        void *list = literal(f, cases[i].list), *part = NULL, *text = literal(f, "'x'");
        assert_int_equal(hwr_list_slice(f->heap, list, cases[i].from, cases[i].to, &part), HWR_OK);
        expect_repr(f, part, cases[i].part);
        assert_true(hwr_list_append(f->heap, part, text));
        expect_repr(f, list, cases[i].list);
        release(f, list);
        release(f, part);
        release(f, text);
    }
    heap_fixture_expect_objects(f, before);
}

static void lists_are_extended(void **state) {
    static const char *const parts[] = {
        "[]",         "[1]",        "[1000, 2]", "[70000]",      "[5000000000]",
        "[1.5]",      "['a', 'b']", "[None, 1]", "[[]]",         "(1, 2)",
        "(1.5, 2.5)", "('a', 1)",   "()",        "([], 1, 2.5)", "[1, 2, 3, 4, 5, 6, 7, 8, 9]"};
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t i = 0; i < COUNT(parts); i++)
        for (size_t k = 0; k < COUNT(parts) && parts[i][0] == '['; k++) {
            char expected[200];
            void *list = literal(f, parts[i]), *other = literal(f, parts[k]);
            assert_true(hwr_list_extend(f->heap, list, other));
            bool both = hwr_truth(other) && strlen(parts[i]) > 2;
            snprintf(expected, sizeof expected, "%.*s%s%.*s]", (int)strlen(parts[i]) - 1, parts[i], both ? ", " : "",
                     (int)strlen(parts[k]) - 2, parts[k] + 1);
            expect_repr(f, list, expected);
            expect_repr(f, other, parts[k]);
            release(f, list);
            release(f, other);
            list = literal(f, parts[i]);
            assert_true(hwr_list_extend(f->heap, list, list));
            snprintf(expected, sizeof expected, "%.*s%s%s", (int)strlen(parts[i]) - 1, parts[i],
                     strlen(parts[i]) > 2 ? ", " : "", parts[i] + 1);
            expect_repr(f, list, expected);
            release(f, list);
        }
    heap_fixture_expect_objects(f, before);
}

static void lists_are_turned_round_and_cleared(void **state) {
    static const char *const cases[][2] = {{"[]", "[]"},
                                           {"[1]", "[1]"},
                                           {"[1, 2, 3]", "[3, 2, 1]"},
                                           {"[1, 1000]", "[1000, 1]"},
                                           {"[1, 5000000000, 3, 4]", "[4, 3, 5000000000, 1]"},
                                           {"[1.5, -0.0]", "[-0.0, 1.5]"},
                                           {"['a', [], 1]", "[1, [], 'a']"}};
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        void *list = literal(f, cases[i][0]), *text = literal(f, "'x'");
        hwr_list_reverse(list);
        expect_repr(f, list, cases[i][1]);
        hwr_list_clear(f->heap, list);
        expect_repr(f, list, "[]");
        assert_true(hwr_list_append(f->heap, list, text));
        hwr_list_clear(f->heap, list);
        assert_true(hwr_list_append_int(f->heap, list, 5));
        expect_repr(f, list, "[5]");
        release(f, list);
        release(f, text);
    }
    heap_fixture_expect_objects(f, before);
}

/* ---- order ---- */

static void sorted_as_python_sorts(void **state) {
    static const char *const cases[][2] = {
        {"[]", "[]"},
        {"[1]", "[1]"},
        {"[3, 1, 2]", "[1, 2, 3]"},
        {"[3, 2, 1, 0]", "[0, 1, 2, 3]"},
        {"[1000, -1, 5]", "[-1, 5, 1000]"},
        {"[5000000000, 1, -5000000000]", "[-5000000000, 1, 5000000000]"},
        {"[2.5, -inf, 1.5]", "[-inf, 1.5, 2.5]"},
        {"[0.0, -0.0, -1.0]", "[-1.0, 0.0, -0.0]"},
        {"[True, 1.0, 1, 0.0, False, 0]", "[0.0, False, 0, True, 1.0, 1]"},
        {"['b', 'a', 'ab', '']", "['', 'a', 'ab', 'b']"},
        {"[[2, 'a'], [1], [], [1, 5]]", "[[], [1], [1, 5], [2, 'a']]"},
        {"[(2, 'b'), (1, 'z'), (2, 'a')]", "[(1, 'z'), (2, 'a'), (2, 'b')]"},
        {"[9223372036854775808, 5, 2.5]", "[2.5, 5, 9223372036854775808]"},
    };
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        void *list = literal(f, cases[i][0]);
        assert_int_equal(hwr_list_sort(f->heap, list), HWR_OK);
        expect_repr(f, list, cases[i][1]);
        release(f, list);
    }
    heap_fixture_expect_objects(f, before);
}

static void what_has_no_order_stays(void **state) {
    static const struct {
        const char *list;
        hwr_result result;
    } cases[] = {{"[3, 'a', 1]", HWR_WRONG_KIND},
                 {"[None, None]", HWR_WRONG_KIND},
                 {"[2.5, nan, 1.5]", HWR_BAD_VALUE},
                 {"[5, 4, 3, 2, 'x', 1]", HWR_WRONG_KIND},
                 {"[2, nan, 'x', 1]", HWR_BAD_VALUE},
                 {"[nan]", HWR_OK},
                 {"[(2, 1), (1, 'a'), (1, 2)]", HWR_WRONG_KIND}};
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        void *list = literal(f, cases[i].list);
        assert_int_equal(hwr_list_sort(f->heap, list), cases[i].result);
        expect_repr(f, list, cases[i].list);
        release(f, list);
    }
    heap_fixture_expect_objects(f, before);
}

static void expect_in_order(const heap_fixture *f, const void *list, size_t length) {
    assert_int_equal(hwr_list_length(list), length);
    for (size_t i = 1; i < length; i++) {
        void *a = item_of(f, list, i - 1), *b = item_of(f, list, i);
        int order = 99;
        assert_int_equal(hwr_compare(f->heap, a, b, &order), HWR_OK);
        assert_true(order <= 0);
        release(f, a);
        release(f, b);
    }
}

static void *sortable(const heap_fixture *f, random_stream *r, unsigned mode) {
    static const unsigned shifts[] = {57, 50, 40, 0};
    int64_t value = (int64_t)random_next(r);
    if (mode < 4) return number(f, value / ((int64_t)1 << shifts[mode]));
    if (mode == 4) return hwr_float(f->heap, (double)(value >> 40));
    char text[24];
    snprintf(text, sizeof text, mode == 5 ? "'%x'" : "['%x']", (unsigned)value & 0xff);
    return literal(f, text);
}

static void lists_of_any_length_are_sorted(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f), most = runs_slowly() ? 70 : 300;
    random_stream r = {7};
    for (size_t length = 0; length < most; length += 1 + length / 12)
        for (unsigned mode = 0; mode < 7; mode++) {
            void *list = hwr_list(f->heap, 0);
            int64_t sum = 0, sum_after = 0, value;
            for (size_t i = 0; i < length; i++) {
                void *item = sortable(f, &r, mode);
                if (hwr_int_get(item, &value) == HWR_OK) sum ^= value;
                assert_true(hwr_list_append(f->heap, list, item));
                release(f, item);
            }
            assert_int_equal(hwr_list_sort(f->heap, list), HWR_OK);
            expect_in_order(f, list, length);
            for (size_t i = 0; i < length; i++)
                if (hwr_list_get_int(list, i, &value) == HWR_OK) sum_after ^= value;
            assert_true(sum == sum_after);
            hwr_list_reverse(list);
            assert_int_equal(hwr_list_sort(f->heap, list), HWR_OK);
            expect_in_order(f, list, length);
            release(f, list);
        }
    heap_fixture_expect_objects(f, before);
}

/* [1], [1.0] and [True] are equal, and stay in the order in which they were. */
static void sorting_is_stable(void **state) {
    const heap_fixture *f = *state;
    enum { LENGTH = 200 };
    open_kinds(f);
    void *list = hwr_list(f->heap, 0), *items[LENGTH];
    for (size_t i = 0; i < LENGTH; i++) {
        static const char *const keys[] = {"[3]", "[1]", "[1.0]", "[2]", "[True]"};
        items[i] = literal(f, keys[i * 7 % COUNT(keys)]);
        assert_true(hwr_list_append(f->heap, list, items[i]));
    }
    assert_int_equal(hwr_list_sort(f->heap, list), HWR_OK);
    size_t last = 0;
    for (size_t i = 0; i < LENGTH; i++) {
        size_t place = 0;
        void *item = item_of(f, list, i);
        while (items[place] != item) place++;
        bool same = i > 0 && are_equal(f, item, items[last]);
        assert_true(!same || place > last);
        last = place;
        release(f, item);
    }
    for (size_t i = 0; i < LENGTH; i++) release(f, items[i]);
    release(f, list);
}

int main(void) {
    static const heap_test tests[] = {
        HEAP_TEST(reprs_are_those_of_python, HEAP_STRESSED),
        HEAP_TEST(order_and_equality_are_those_of_python, HEAP_STRESSED),
        HEAP_TEST(nan_is_itself, HEAP_ANY),
        HEAP_TEST(lists_cannot_be_keys, HEAP_ANY),
        HEAP_TEST(what_has_items_has_a_length_and_is_true, HEAP_ANY),
        HEAP_TEST(a_container_inside_itself, HEAP_STRESSED),
        HEAP_TEST(what_is_nested_too_deeply, HEAP_ANY),
        HEAP_TEST(a_tuple_holds_its_items, HEAP_FEW | HEAP_STRESSED),
        HEAP_TEST(ints_of_any_width_come_back, HEAP_STRESSED | HEAP_FEW),
        HEAP_TEST(floats_come_back_bit_by_bit, HEAP_STRESSED),
        HEAP_TEST(what_is_no_value_comes_back_itself, HEAP_STRESSED),
        HEAP_TEST(values_of_other_kinds, HEAP_ANY),
        HEAP_TEST(positions_that_are_not_there, HEAP_ANY),
        HEAP_TEST(items_are_shown, HEAP_ANY),
        HEAP_TEST(lists_that_are_too_long, HEAP_ANY),
        HEAP_TEST(parts_of_lists, HEAP_STRESSED),
        HEAP_TEST(lists_are_extended, HEAP_STRESSED),
        HEAP_TEST(lists_are_turned_round_and_cleared, HEAP_STRESSED),
        HEAP_TEST(sorted_as_python_sorts, HEAP_STRESSED),
        HEAP_TEST(what_has_no_order_stays, HEAP_STRESSED),
        HEAP_TEST(lists_of_any_length_are_sorted, HEAP_STRESSED | HEAP_FEW),
        HEAP_TEST(sorting_is_stable, HEAP_ANY),
    };
    return heap_fixture_run("kinds: sequence", tests, COUNT(tests));
}
