/* array. What Python's module array has an answer for is what python3 (3.11) says. */
#include "heapwright/array.h"
#include "heapwright/iterate.h"
#include "support/literal.h"
#include "support/random.h"
#include "support/sanitizer.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>

static const char codes[] = "bBhHiIlLqQfd";

static void release(const heap_fixture *f, const void *object) { hwr_release(f->heap, object); }

static void *new_array(const heap_fixture *f, char code) {
    void *array = NULL;
    assert_int_equal(hwr_array(f->heap, code, 0, &array), HWR_OK);
    assert_int_equal(hwr_kind_of(array), HWR_ARRAY);
    assert_int_equal(hwr_array_code(array), code);
    assert_int_equal(hwr_array_length(array), 0);
    return array;
}

/* With the items of a list or tuple. */
static void *array_of(const heap_fixture *f, char code, const char *items) {
    void *array = new_array(f, code), *list = literal(f, items);
    assert_int_equal(hwr_array_extend(f->heap, array, list), HWR_OK);
    release(f, list);
    return array;
}

static void *int_object(const heap_fixture *f, int64_t value) {
    void *object = hwr_int(f->heap, value);
    assert_non_null(object);
    return object;
}

/* ---- as Python has it ---- */

static const char range[] = "range", kind[] = "kind";
#define RANGE range
#define KIND kind
static const struct number_case {
    const char *literal, *stored[10]; /* in b B h H i I q Q f d; NULL: as it is */
} numbers[] = {
    {"0", {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "0.0", "0.0"}},
    {"1", {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "1.0", "1.0"}},
    {"-1", {NULL, RANGE, NULL, RANGE, NULL, RANGE, NULL, RANGE, "-1.0", "-1.0"}},
    {"True", {"1", "1", "1", "1", "1", "1", "1", "1", "1.0", "1.0"}},
    {"None", {KIND, KIND, KIND, KIND, KIND, KIND, KIND, KIND, KIND, KIND}},
    {"'a'", {KIND, KIND, KIND, KIND, KIND, KIND, KIND, KIND, KIND, KIND}},
    {"2.5", {KIND, KIND, KIND, KIND, KIND, KIND, KIND, KIND, NULL, NULL}},
    {"nan", {KIND, KIND, KIND, KIND, KIND, KIND, KIND, KIND, NULL, NULL}},
    {"-inf", {KIND, KIND, KIND, KIND, KIND, KIND, KIND, KIND, NULL, NULL}},
    {"1e+300", {KIND, KIND, KIND, KIND, KIND, KIND, KIND, KIND, "inf", NULL}},
    {"127", {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "127.0", "127.0"}},
    {"128", {RANGE, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "128.0", "128.0"}},
    {"-128", {NULL, RANGE, NULL, RANGE, NULL, RANGE, NULL, RANGE, "-128.0", "-128.0"}},
    {"-129", {RANGE, RANGE, NULL, RANGE, NULL, RANGE, NULL, RANGE, "-129.0", "-129.0"}},
    {"255", {RANGE, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "255.0", "255.0"}},
    {"256", {RANGE, RANGE, NULL, NULL, NULL, NULL, NULL, NULL, "256.0", "256.0"}},
    {"32767", {RANGE, RANGE, NULL, NULL, NULL, NULL, NULL, NULL, "32767.0", "32767.0"}},
    {"32768", {RANGE, RANGE, RANGE, NULL, NULL, NULL, NULL, NULL, "32768.0", "32768.0"}},
    {"-32768", {RANGE, RANGE, NULL, RANGE, NULL, RANGE, NULL, RANGE, "-32768.0", "-32768.0"}},
    {"-32769", {RANGE, RANGE, RANGE, RANGE, NULL, RANGE, NULL, RANGE, "-32769.0", "-32769.0"}},
    {"65535", {RANGE, RANGE, RANGE, NULL, NULL, NULL, NULL, NULL, "65535.0", "65535.0"}},
    {"65536", {RANGE, RANGE, RANGE, RANGE, NULL, NULL, NULL, NULL, "65536.0", "65536.0"}},
    {"2147483647", {RANGE, RANGE, RANGE, RANGE, NULL, NULL, NULL, NULL, "2147483648.0", "2147483647.0"}},
    {"2147483648", {RANGE, RANGE, RANGE, RANGE, RANGE, NULL, NULL, NULL, "2147483648.0", "2147483648.0"}},
    {"-2147483648", {RANGE, RANGE, RANGE, RANGE, NULL, RANGE, NULL, RANGE, "-2147483648.0", "-2147483648.0"}},
    {"-2147483649", {RANGE, RANGE, RANGE, RANGE, RANGE, RANGE, NULL, RANGE, "-2147483648.0", "-2147483649.0"}},
    {"4294967295", {RANGE, RANGE, RANGE, RANGE, RANGE, NULL, NULL, NULL, "4294967296.0", "4294967295.0"}},
    {"4294967296", {RANGE, RANGE, RANGE, RANGE, RANGE, RANGE, NULL, NULL, "4294967296.0", "4294967296.0"}},
    {"9223372036854775807",
     {RANGE, RANGE, RANGE, RANGE, RANGE, RANGE, NULL, NULL, "9.223372036854776e+18", "9.223372036854776e+18"}},
    {"9223372036854775808",
     {RANGE, RANGE, RANGE, RANGE, RANGE, RANGE, RANGE, NULL, "9.223372036854776e+18", "9.223372036854776e+18"}},
    {"-9223372036854775808",
     {RANGE, RANGE, RANGE, RANGE, RANGE, RANGE, NULL, RANGE, "-9.223372036854776e+18", "-9.223372036854776e+18"}},
    {"-9223372036854775809",
     {RANGE, RANGE, RANGE, RANGE, RANGE, RANGE, RANGE, RANGE, "-9.223372036854776e+18", "-9.223372036854776e+18"}},
    {"18446744073709551615",
     {RANGE, RANGE, RANGE, RANGE, RANGE, RANGE, RANGE, NULL, "1.8446744073709552e+19", "1.8446744073709552e+19"}},
    {"18446744073709551616",
     {RANGE, RANGE, RANGE, RANGE, RANGE, RANGE, RANGE, RANGE, "1.8446744073709552e+19", "1.8446744073709552e+19"}},
    {"10000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
     {RANGE, RANGE, RANGE, RANGE, RANGE, RANGE, RANGE, RANGE, RANGE, RANGE}},
    {"0.1", {KIND, KIND, KIND, KIND, KIND, KIND, KIND, KIND, "0.10000000149011612", NULL}},
    {"-0.0", {KIND, KIND, KIND, KIND, KIND, KIND, KIND, KIND, NULL, NULL}},
};

static size_t column_of(char code) {
    if (code == 'l' || code == 'L') code = sizeof(long) == 8 ? (char)(code + 'q' - 'l') : (char)(code + 'i' - 'l');
    return (size_t)(strchr("bBhHiIqQfd", code) - "bBhHiIqQfd");
}

static void expect_item(const heap_fixture *f, const void *array, size_t index, const char *text) {
    void *item = NULL;
    assert_int_equal(hwr_array_get(f->heap, array, index, &item), HWR_OK);
    expect_repr(f, item, text);
    release(f, item);
}

/* What an item is without objects must agree with the object. */
static void expect_values(const heap_fixture *f, const void *array, size_t index) {
    void *item = NULL;
    int64_t of_item = 0, value = 0;
    double real_of_item = 0, real = 0;
    assert_int_equal(hwr_array_get(f->heap, array, index, &item), HWR_OK);
    assert_int_equal(hwr_int_get(item, &of_item), hwr_array_get_int(array, index, &value));
    assert_true(of_item == value);
    assert_int_equal(hwr_float_get(item, &real_of_item), HWR_OK);
    assert_int_equal(hwr_array_get_float(array, index, &real), HWR_OK);
    assert_true(memcmp(&real, &real_of_item, sizeof real) == 0 || (isnan(real) && isnan(real_of_item)));
    release(f, item);
}

static void numbers_that_fit_come_back(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (const char *code = codes; *code; code++)
        for (size_t i = 0; i < COUNT(numbers); i++) {
            const struct number_case *c = &numbers[i];
            const char *stored = c->stored[column_of(*code)] ? c->stored[column_of(*code)] : c->literal;
            hwr_result expected = stored == range ? HWR_OUT_OF_RANGE : stored == kind ? HWR_WRONG_KIND : HWR_OK;
            void *array = array_of(f, *code, "(1, 2, 3)"), *item = literal(f, c->literal);
            void *list = hwr_list(f->heap, 0);
            assert_true(hwr_list_append(f->heap, list, item));
            assert_int_equal(hwr_array_append(f->heap, array, item), expected);
            assert_int_equal(hwr_array_insert(f->heap, array, 1, item), expected);
            assert_int_equal(hwr_array_extend(f->heap, array, list), expected);
            assert_int_equal(hwr_array_set(f->heap, array, 2, item), expected);
            assert_int_equal(hwr_array_length(array), expected == HWR_OK ? 6 : 3);
            for (size_t k = 0; k < hwr_array_length(array); k++) {
                static const bool changed[] = {false, true, true, false, true, true};
                static const char *const others[] = {"1", NULL, NULL, "3"};
                static const char *const unchanged[] = {"1", "2", "3"};
                char other[8];
                snprintf(other, sizeof other, "%s%s", expected == HWR_OK ? others[k % 4] : unchanged[k % 3],
                         strchr("fd", *code) ? ".0" : "");
                expect_item(f, array, k, expected == HWR_OK && changed[k] ? stored : other);
                expect_values(f, array, k);
            }
            release(f, array);
            release(f, item);
            release(f, list);
        }
    heap_fixture_expect_objects(f, before);
}

static const struct pair_of_arrays {
    char a_code;
    const char *a;
    char b_code;
    const char *b;
    bool equal;
    hwr_result compared;
    int order;
} pairs[] = {
    {'i', "[]", 'i', "[]", true, HWR_OK, 0},
    {'i', "[]", 'd', "[]", true, HWR_OK, 0},
    {'i', "[1]", 'i', "[1]", true, HWR_OK, 0},
    {'i', "[1]", 'd', "[1.0]", true, HWR_OK, 0},
    {'i', "[1]", 'i', "[2]", false, HWR_OK, -1},
    {'i', "[1, 2]", 'i', "[1]", false, HWR_OK, 1},
    {'i', "[]", 'b', "[0]", false, HWR_OK, -1},
    {'b', "[-1]", 'B', "[255]", false, HWR_OK, -1},
    {'h', "[-1]", 'H', "[65535]", false, HWR_OK, -1},
    {'i', "[-1]", 'I', "[4294967295]", false, HWR_OK, -1},
    {'q', "[-1]", 'Q', "[18446744073709551615]", false, HWR_OK, -1},
    {'Q', "[18446744073709551615]", 'Q', "[18446744073709551615]", true, HWR_OK, 0},
    {'Q', "[18446744073709551615]", 'Q', "[18446744073709551614]", false, HWR_OK, 1},
    {'Q', "[18446744073709551615]", 'd', "[1.8446744073709552e+19]", false, HWR_OK, -1},
    {'Q', "[9223372036854775808]", 'd', "[9.223372036854775808e18]", true, HWR_OK, 0},
    {'Q', "[9223372036854775807]", 'q', "[9223372036854775807]", true, HWR_OK, 0},
    {'f', "[0.1]", 'd', "[0.1]", false, HWR_OK, 1},
    {'f', "[0.5]", 'd', "[0.5]", true, HWR_OK, 0},
    {'d', "[0.0]", 'd', "[-0.0]", true, HWR_OK, 0},
    {'d', "[nan]", 'd', "[nan]", false, HWR_BAD_VALUE, 0},
    {'d', "[1.0, nan]", 'd', "[2.0, nan]", false, HWR_OK, -1},
    {'f', "[inf]", 'd', "[inf]", true, HWR_OK, 0},
    {'b', "[1, 2, 3]", 'h', "[1, 2, 4]", false, HWR_OK, -1},
    {'B', "[200]", 'b', "[100]", false, HWR_OK, 1},
    {'I', "[3000000000]", 'd', "[3000000000.5]", false, HWR_OK, -1},
};

static void order_and_equality_are_those_of_python(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t i = 0; i < COUNT(pairs); i++) {
        const struct pair_of_arrays *c = &pairs[i];
        void *a = array_of(f, c->a_code, c->a), *b = array_of(f, c->b_code, c->b), *list = literal(f, c->a);
        int order = 99;
        assert_int_equal(are_equal(f, a, b), c->equal);
        assert_int_equal(hwr_compare(f->heap, a, b, &order), c->compared);
        if (c->compared == HWR_OK) assert_int_equal((order > 0) - (order < 0), c->order);
        assert_int_equal(hwr_compare(f->heap, b, a, &order), c->compared);
        if (c->compared == HWR_OK) assert_int_equal((order > 0) - (order < 0), -c->order);
        assert_false(are_equal(f, a, list));
        assert_int_equal(hwr_compare(f->heap, a, list, &order), HWR_WRONG_KIND);
        release(f, a);
        release(f, b);
        release(f, list);
    }
    heap_fixture_expect_objects(f, before);
}

static void reprs_are_those_of_python(void **state) {
    static const struct {
        char code;
        const char *items, *text;
    } cases[] = {
        {'i', "[]", "array('i')"},
        {'i', "[1, 2]", "array('i', [1, 2])"},
        {'b', "[-128, 127]", "array('b', [-128, 127])"},
        {'Q', "[18446744073709551615, 0]", "array('Q', [18446744073709551615, 0])"},
        {'d', "[1.0, nan, -0.0, 1e+16]", "array('d', [1.0, nan, -0.0, 1e+16])"},
        {'f', "[1.100000023841858]", "array('f', [1.100000023841858])"},
        {'I', "[4294967295]", "array('I', [4294967295])"},
        {'H', "[65535]", "array('H', [65535])"},
        {'L', "[0]", "array('L', [0])"},
    };
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        void *array = array_of(f, cases[i].code, cases[i].items);
        uint64_t hash;
        size_t length = 99;
        expect_repr(f, array, cases[i].text);
        assert_int_equal(hwr_hash(f->heap, array, &hash), HWR_UNHASHABLE);
        assert_int_equal(hwr_length(array, &length), HWR_OK);
        assert_int_equal(length, hwr_array_length(array));
        assert_int_equal(hwr_truth(array), length > 0);
        release(f, array);
    }
    assert_string_equal(hwr_kind_name(HWR_ARRAY), "array");
    heap_fixture_expect_objects(f, before);
}

static void only_these_types(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    void *array = &array;
    for (int code = CHAR_MIN; code <= CHAR_MAX; code++)
        if (code == 0 || !strchr(codes, code))
            assert_int_equal(hwr_array(f->heap, (char)code, 0, &array), HWR_BAD_VALUE);
    assert_int_equal(hwr_array(f->heap, 'b', SIZE_MAX, &array), HWR_NO_MEMORY);
    assert_int_equal(hwr_array(f->heap, 'd', (size_t)1 << 50, &array), HWR_NO_MEMORY);
    assert_ptr_equal(array, &array);
    heap_fixture_expect_objects(f, before);
}

/* ---- calls ---- */

static void numbers_without_objects(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    void *bytes = new_array(f, 'B'), *words = new_array(f, 'Q'), *reals = new_array(f, 'd');
    int64_t value = 0;
    double real = 0;
    assert_int_equal(hwr_array_append_int(f->heap, bytes, 255), HWR_OK);
    assert_int_equal(hwr_array_append_int(f->heap, bytes, 256), HWR_OUT_OF_RANGE);
    assert_int_equal(hwr_array_append_int(f->heap, bytes, -1), HWR_OUT_OF_RANGE);
    assert_int_equal(hwr_array_append_float(f->heap, bytes, 1), HWR_WRONG_KIND);
    assert_int_equal(hwr_array_set_int(bytes, 0, 300), HWR_OUT_OF_RANGE);
    assert_int_equal(hwr_array_set_int(bytes, 1, 3), HWR_OUT_OF_RANGE);
    assert_int_equal(hwr_array_set_float(bytes, 0, 3), HWR_WRONG_KIND);
    assert_int_equal(hwr_array_set_int(bytes, 0, 7), HWR_OK);
    assert_int_equal(hwr_array_get_int(bytes, 0, &value), HWR_OK);
    assert_int_equal(value, 7);
    expect_repr(f, bytes, "array('B', [7])");
    void *huge = literal(f, "18446744073709551615");
    assert_int_equal(hwr_array_append(f->heap, words, huge), HWR_OK);
    assert_int_equal(hwr_array_get_int(words, 0, &value), HWR_OUT_OF_RANGE);
    assert_int_equal(hwr_array_get_float(words, 0, &real), HWR_OK);
    assert_true(real == 0x1p64);
    assert_int_equal(hwr_array_append_int(f->heap, words, -1), HWR_OUT_OF_RANGE);
    assert_int_equal(hwr_array_append_int(f->heap, reals, 1), HWR_WRONG_KIND);
    assert_int_equal(hwr_array_append_float(f->heap, reals, 0.1), HWR_OK);
    assert_int_equal(hwr_array_set_float(reals, 0, 0.25), HWR_OK);
    assert_int_equal(hwr_array_get_int(reals, 0, &value), HWR_WRONG_KIND);
    assert_int_equal(hwr_array_get_float(reals, 0, &real), HWR_OK);
    assert_true(real == 0.25);
    void *objects[] = {bytes, words, reals, huge};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
    heap_fixture_expect_objects(f, before);
}

static void positions_that_are_not_there(void **state) {
    static const char *const cases[] = {"[]", "[1]", "[1, 2, 3]"};
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        void *array = array_of(f, 'h', cases[i]), *one = int_object(f, 1), *item = &item;
        size_t length = hwr_array_length(array), wrong[] = {length, length + 1, SIZE_MAX};
        int64_t value = 0;
        double real = 0;
        for (size_t k = 0; k < COUNT(wrong); k++) {
            assert_int_equal(hwr_array_get(f->heap, array, wrong[k], &item), HWR_OUT_OF_RANGE);
            assert_int_equal(hwr_array_set(f->heap, array, wrong[k], one), HWR_OUT_OF_RANGE);
            assert_int_equal(hwr_array_pop(f->heap, array, wrong[k], &item), HWR_OUT_OF_RANGE);
            assert_int_equal(hwr_array_insert(f->heap, array, wrong[k] + (k == 0), one), HWR_OUT_OF_RANGE);
            assert_int_equal(hwr_array_get_int(array, wrong[k], &value), HWR_OUT_OF_RANGE);
            assert_int_equal(hwr_array_get_float(array, wrong[k], &real), HWR_OUT_OF_RANGE);
            assert_int_equal(hwr_array_set_int(array, wrong[k], 1), HWR_OUT_OF_RANGE);
        }
        assert_ptr_equal(item, &item);
        assert_int_equal(hwr_array_length(array), length);
        release(f, array);
        release(f, one);
    }
    heap_fixture_expect_objects(f, before);
}

static void arrays_are_extended(void **state) {
    static const struct {
        const char *items, *more, *result;
    } cases[] = {
        {"[]", "[]", "array('h')"},
        {"[1]", "[]", "array('h', [1])"},
        {"[1]", "(2, 3)", "array('h', [1, 2, 3])"},
        {"[1]", "[2, 300]", "array('h', [1, 2, 300])"},
        {"[1]", "[2, True]", "array('h', [1, 2, 1])"},
        {"[1, 2]", "[3, 70000]", NULL},
        {"[1, 2]", "(3, 'a')", NULL},
        {"[1, 2]", "[3.0, 4.0]", NULL},
        {"[1, 2]", "[3, 9223372036854775808]", NULL},
        {"[1, 2]", "'ab'", NULL},
        {"[1, 2]", "5", NULL},
    };
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char unchanged[40];
        void *array = array_of(f, 'h', cases[i].items), *more = literal(f, cases[i].more);
        snprintf(unchanged, sizeof unchanged, "array('h', %s)", cases[i].items);
        assert_int_equal(hwr_array_extend(f->heap, array, more) == HWR_OK, cases[i].result != NULL);
        expect_repr(f, array, cases[i].result ? cases[i].result : unchanged);
        release(f, array);
        release(f, more);
    }
    static const int16_t data[] = {-1, 32767};
    void *array = array_of(f, 'h', "[1, 2]"), *other = array_of(f, 'h', "[3]"), *another = array_of(f, 'H', "[3]");
    void *bytes = hwr_bytes(f->heap, "a\377", 2), *numbers_in_range = NULL;
    assert_int_equal(hwr_range(f->heap, 5, 8, 2, &numbers_in_range), HWR_OK);
    assert_int_equal(hwr_array_extend(f->heap, array, other), HWR_OK);
    assert_int_equal(hwr_array_extend(f->heap, array, another), HWR_WRONG_KIND);
    assert_int_equal(hwr_array_extend(f->heap, array, array), HWR_OK);
    assert_int_equal(hwr_array_extend(f->heap, array, bytes), HWR_OK);
    assert_int_equal(hwr_array_extend(f->heap, array, numbers_in_range), HWR_OK);
    assert_true(hwr_array_append_data(f->heap, array, data, 2));
    assert_true(hwr_array_append_data(f->heap, array, NULL, 0));
    expect_repr(f, array, "array('h', [1, 2, 3, 1, 2, 3, 97, 255, 5, 7, -1, 32767])");
    hwr_array_clear(f->heap, array);
    expect_repr(f, array, "array('h')");
    assert_int_equal(hwr_array_append_int(f->heap, array, 3), HWR_OK);
    void *objects[] = {array, other, another, bytes, numbers_in_range};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
    heap_fixture_expect_objects(f, before);
}

/* No array is ever looked at by the collector, and what it takes is what its items take. */
static void arrays_are_leaves(void **state) {
    const heap_fixture *f = *state;
    open_kinds(f);
    hwr_heap_stats stats, with;
    hwr_heap_get_stats(f->heap, &stats);
    void *arrays[COUNT(codes) - 1];
    for (size_t i = 0; codes[i]; i++) {
        assert_int_equal(hwr_array(f->heap, codes[i], 100, &arrays[i]), HWR_OK);
        const void *data = hwr_array_data(arrays[i]);
        for (int k = 0; k < 100; k++) {
            void *one = int_object(f, k);
            assert_int_equal(hwr_array_append(f->heap, arrays[i], one), HWR_OK);
            release(f, one);
        }
        assert_ptr_equal(hwr_array_data(arrays[i]), data); /* there was room */
    }
    hwr_heap_get_stats(f->heap, &with);
    assert_int_equal(with.tracked, stats.tracked);
    assert_int_equal(with.objects, stats.objects + 2 * (COUNT(codes) - 1));
    assert_int_equal(((const int8_t *)hwr_array_data(arrays[0]))[99], 99);
    assert_int_equal(((const uint16_t *)hwr_array_data(arrays[3]))[99], 99);
    assert_true(((const float *)hwr_array_data(arrays[10]))[99] == 99);
    ((double *)hwr_array_data(arrays[11]))[0] = 0.5;
    expect_item(f, arrays[11], 0, "0.5");
    for (size_t i = 0; i < COUNT(arrays); i++) release(f, arrays[i]);
}

/* ---- against a model ---- */

enum { MODEL_MOST = 400 };
typedef struct array_model {
    char code;
    int64_t items[MODEL_MOST];
    size_t length;
} array_model;

/* Every item fits each type that has the sign. */
static int64_t random_item(random_stream *r, char code) {
    unsigned bits = strchr("bB", code) ? 7 : strchr("hH", code) ? 15 : strchr("iIfd", code) ? 23 : 62;
    int64_t value = (int64_t)(random_next(r) >> (64 - bits));
    return strchr("bhilqfd", code) && random_below(r, 2) ? -value : value;
}

static void expect_model(const heap_fixture *f, const void *array, const array_model *m) {
    assert_int_equal(hwr_array_length(array), m->length);
    for (size_t i = 0; i < m->length; i++) {
        double real;
        assert_int_equal(hwr_array_get_float(array, i, &real), HWR_OK);
        assert_true(real == (double)m->items[i]);
    }
    (void)f;
}

static void model_insert(array_model *m, size_t index, int64_t value) {
    memmove(m->items + index + 1, m->items + index, (m->length++ - index) * sizeof *m->items);
    m->items[index] = value;
}

static void model_remove(array_model *m, size_t index) {
    memmove(m->items + index, m->items + index + 1, (--m->length - index) * sizeof *m->items);
}

static void change(const heap_fixture *f, random_stream *r, void **array, array_model *m) {
    int64_t value = random_item(r, m->code);
    size_t index = random_below(r, m->length + 1), room = MODEL_MOST - m->length;
    void *object = int_object(f, value), *taken = NULL, *part = NULL;
    double real;
    switch (random_below(r, 12)) {
    case 0:
    case 1:
    case 2:
        if (!room) break;
        if (strchr("fd", m->code) && random_below(r, 2))
            assert_int_equal(hwr_array_append_float(f->heap, *array, (double)value), HWR_OK);
        else if (!strchr("fd", m->code) && random_below(r, 2))
            assert_int_equal(hwr_array_append_int(f->heap, *array, value), HWR_OK);
        else
            assert_int_equal(hwr_array_append(f->heap, *array, object), HWR_OK);
        model_insert(m, m->length, value);
        break;
    case 3:
    case 4:
        if (!room) break;
        assert_int_equal(hwr_array_insert(f->heap, *array, index, object), HWR_OK);
        model_insert(m, index, value);
        break;
    case 5:
        if (index == m->length) break;
        assert_int_equal(hwr_array_set(f->heap, *array, index, object), HWR_OK);
        m->items[index] = value;
        break;
    case 6:
    case 7:
        if (index == m->length) break;
        assert_int_equal(hwr_array_pop(f->heap, *array, index, &taken), HWR_OK);
        assert_int_equal(hwr_float_get(taken, &real), HWR_OK);
        assert_true(real == (double)m->items[index]);
        model_remove(m, index);
        release(f, taken);
        break;
    case 8: /* part of it instead of all */
        assert_int_equal(hwr_array_slice(f->heap, *array, index, index + 60, &part), HWR_OK);
        assert_int_equal(hwr_array_code(part), m->code);
        if (random_below(r, 3)) break;
        memmove(m->items, m->items + index, (m->length - index) * sizeof *m->items);
        m->length = m->length - index < 60 ? m->length - index : 60;
        taken = *array;
        *array = part;
        part = taken;
        break;
    case 9:
        if (room < m->length) break;
        assert_int_equal(hwr_array_extend(f->heap, *array, *array), HWR_OK);
        memcpy(m->items + m->length, m->items, m->length * sizeof *m->items);
        m->length *= 2;
        break;
    case 10:
        if (room < m->length) break;
        assert_int_equal(hwr_array_slice(f->heap, *array, index, SIZE_MAX, &part), HWR_OK);
        assert_true(hwr_array_append_data(f->heap, *array, hwr_array_data(part), hwr_array_length(part)));
        memcpy(m->items + m->length, m->items + index, (m->length - index) * sizeof *m->items);
        m->length += m->length - index;
        break;
    default:
        if (random_below(r, 20)) break;
        hwr_array_clear(f->heap, *array);
        m->length = 0;
    }
    release(f, object);
    release(f, part);
}

static void random_changes_agree_with_a_model(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f), steps = runs_slowly() ? 500 : 3000;
    random_stream r = {11};
    for (const char *code = codes; *code; code++) {
        static array_model m;
        void *array = new_array(f, *code);
        m.code = *code;
        m.length = 0;
        for (size_t i = 0; i < steps; i++) {
            change(f, &r, &array, &m);
            if (i % 16 == 0) expect_model(f, array, &m);
        }
        expect_model(f, array, &m);
        release(f, array);
    }
    heap_fixture_expect_objects(f, before);
}

/* ---- finalizers change the array while memory is sought ---- */

static void *changed_array;
static int how_changed;

static void change_array(hwr_heap *heap, finalized *object) {
    (void)object;
    if (how_changed == 0) hwr_array_clear(heap, changed_array);
    for (int i = 0; how_changed == 1 && i < 300; i++) (void)hwr_array_append_int(heap, changed_array, 7);
    void *item;
    while (how_changed == 2 && hwr_array_length(changed_array) > 1 &&
           hwr_array_pop(heap, changed_array, 0, &item) == HWR_OK)
        hwr_release(heap, item);
}

/* Garbage whose finalizer does that when the heap next collects. */
static void lay_in_wait(const heap_fixture *f, size_t *calls) {
    finalized *garbage = new_finalized(f, calls);
    garbage->more = change_array;
    hwr_set(f->heap, garbage, &garbage->a, (void *)garbage);
    release(f, garbage);
}

static void finalizers_change_the_array(void **state) {
    heap_fixture *f = *state;
    size_t before = open_kinds(f), calls = 0;
    hwr_disable(f->heap);
    for (how_changed = 0; how_changed < 3; how_changed++)
        for (int call = 0; call < 6; call++)
            for (int64_t length = 1; length < 3000; length = length * 3 + 1) {
                void *array = changed_array = new_array(f, 'q'), *list = hwr_list(f->heap, 0), *made = NULL;
                void *big = int_object(f, 1000000);
                for (int64_t i = 0; i < length; i++) {
                    assert_int_equal(hwr_array_append_int(f->heap, array, 1000 + i), HWR_OK);
                    assert_true(hwr_list_append_int(f->heap, list, i));
                }
                lay_in_wait(f, &calls);
                heap_fixture_take_all_memory(f);
                hwr_result result = HWR_OK;
                switch (call) {
                case 0:
                    for (int i = 0; i < 1000 && result == HWR_OK; i++) result = hwr_array_append(f->heap, array, big);
                    break;
                case 1: result = hwr_array_extend(f->heap, array, array); break;
                case 2: result = hwr_array_extend(f->heap, array, list); break;
                case 3: result = hwr_array_slice(f->heap, array, 1, SIZE_MAX, &made); break;
                case 4: result = hwr_array_pop(f->heap, array, (size_t)length - 1, &made); break;
                default: result = hwr_array_insert(f->heap, array, 0, big);
                }
                assert_true(result == HWR_OK || result == HWR_NO_MEMORY || (call == 4 && result == HWR_OUT_OF_RANGE));
                heap_fixture_give_memory_back(f);
                if (result == HWR_OK && made) assert_true(hwr_kind_of(made) == (call == 3 ? HWR_ARRAY : HWR_INT));
                int64_t value;
                for (size_t i = 0; i < hwr_array_length(array); i++)
                    assert_int_equal(hwr_array_get_int(array, i, &value), HWR_OK);
                void *objects[] = {list, made, big};
                for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
                hwr_collect(f->heap, HWR_OLDEST);
                release(f, array);
            }
    assert_true(calls > 0);
    hwr_enable(f->heap);
    heap_fixture_expect_objects(f, before);
}

/* ---- without memory ---- */

/* Some calls that need memory. Returns whether all of them were granted; what was refused has changed nothing. */
static bool all_granted(const heap_fixture *f, char code) {
    void *array, *part = NULL, *item = NULL, *text = NULL;
    bool granted = true;
    if (hwr_array(f->heap, code, 0, &array) != HWR_OK) return false;
    for (size_t i = 0; i < 3000; i++) {
        size_t length = hwr_array_length(array);
        void *one = hwr_int(f->heap, 5);
        hwr_result result = hwr_array_append(f->heap, array, one);
        assert_true(result == HWR_OK || result == HWR_NO_MEMORY);
        assert_int_equal(hwr_array_length(array), length + (result == HWR_OK));
        granted &= result == HWR_OK;
        release(f, one);
    }
    size_t length = hwr_array_length(array);
    granted &= hwr_array_slice(f->heap, array, 0, SIZE_MAX, &part) == HWR_OK;
    if (part) {
        hwr_result result = hwr_array_extend(f->heap, array, part);
        assert_int_equal(hwr_array_length(array), result == HWR_OK ? 2 * length : length);
        granted &= result == HWR_OK;
        release(f, part);
    }
    granted &= !length || hwr_array_pop(f->heap, array, 0, &item) == HWR_OK;
    granted &= hwr_repr(f->heap, array, &text) == HWR_OK;
    for (size_t i = 0; i < hwr_array_length(array); i++) {
        double real;
        assert_int_equal(hwr_array_get_float(array, i, &real), HWR_OK);
        assert_true(real == 5);
    }
    void *objects[] = {array, item, text};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
    return granted;
}

static void every_request_for_memory_can_fail(void **state) {
    heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (int for_good = 0; for_good < 2; for_good++)
        for (size_t kind_of_items = 0; kind_of_items < 2; kind_of_items++) {
            bool failed = true;
            for (uint64_t nth = 1; failed; nth++) {
                hwr_heap_trim(f->heap);
                size_t failures = backend_failures(&f->backend);
                hwr_raw_inject_fault(f->backend.raw, HWR_FAULT_ALL, nth, for_good);
                bool granted = all_granted(f, "Bd"[kind_of_items]);
                hwr_raw_inject_fault(f->backend.raw, 0, 0, false);
                failed = backend_failures(&f->backend) > failures;
                assert_true(granted || failed);
                heap_fixture_expect_objects(f, before);
            }
        }
}

static void without_memory_nothing_is_lost(void **state) {
    heap_fixture *f = *state;
    size_t before = open_kinds(f);
    void *array = array_of(f, 'q', "[1000, 2000, 9223372036854775807]"), *real = array_of(f, 'd', "[1.5]");
    void *words = array_of(f, 'Q', "[18446744073709551615]"), *text = literal(f, "'abc'"), *item = &item;
    heap_fixture_take_all_memory(f);
    while (hwr_array_get(f->heap, words, 0, &item) == HWR_OK) heap_fixture_hold(f, item);
    while (heap_fixture_hold(f, hwr_float(f->heap, 1)) != NULL) continue;
    while (heap_fixture_hold(f, hwr_list(f->heap, 0)) != NULL) continue;
    item = &item;
    assert_int_equal(hwr_array(f->heap, 'i', 1000, &item), HWR_NO_MEMORY);
    assert_int_equal(hwr_array_get(f->heap, array, 0, &item), HWR_NO_MEMORY);
    assert_int_equal(hwr_array_get(f->heap, real, 0, &item), HWR_NO_MEMORY);
    assert_int_equal(hwr_array_get(f->heap, words, 0, &item), HWR_NO_MEMORY);
    assert_int_equal(hwr_array_pop(f->heap, array, 2, &item), HWR_NO_MEMORY);
    assert_int_equal(hwr_array_extend(f->heap, array, text), HWR_NO_MEMORY);
    assert_ptr_equal(item, &item);
    hwr_result result = HWR_OK;
    int64_t added = 0, value = 0;
    while (added < 100000 && (result = hwr_array_append_int(f->heap, array, added)) == HWR_OK) added++;
    assert_int_equal(result, HWR_NO_MEMORY);
    assert_int_equal(hwr_array_length(array), 3 + added);
    assert_int_equal(hwr_array_get_int(array, 2, &value), HWR_OK);
    assert_true(value == INT64_MAX);
    heap_fixture_give_memory_back(f);
    heap_fixture_let_all_go(f);
    assert_int_equal(hwr_array_extend(f->heap, array, text), HWR_WRONG_KIND);
    void *objects[] = {array, real, words, text};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
    heap_fixture_expect_objects(f, before);
}

int main(void) {
    static const heap_test tests[] = {
        HEAP_TEST(numbers_that_fit_come_back, HEAP_STRESSED),
        HEAP_TEST(order_and_equality_are_those_of_python, HEAP_STRESSED),
        HEAP_TEST(reprs_are_those_of_python, HEAP_STRESSED),
        HEAP_TEST(only_these_types, HEAP_ANY),
        HEAP_TEST(numbers_without_objects, HEAP_ANY),
        HEAP_TEST(positions_that_are_not_there, HEAP_ANY),
        HEAP_TEST(arrays_are_extended, HEAP_STRESSED),
        HEAP_TEST(arrays_are_leaves, HEAP_ANY),
        HEAP_TEST(random_changes_agree_with_a_model, HEAP_STRESSED | HEAP_FEW),
        /* HEAP_COUNTING: finalizers in the middle of a change */
        HEAP_TEST(finalizers_change_the_array, HEAP_FEW | HEAP_COUNTING),
        HEAP_TEST(every_request_for_memory_can_fail, HEAP_FEW),
        HEAP_TEST(without_memory_nothing_is_lost, HEAP_ANY),
    };
    return heap_fixture_run("kinds: array", tests, COUNT(tests));
}
