/* kinds: int and float. */
#include "number_cases.h"

#include "heapwright/kinds.h"
#include "heapwright/number.h"
#include "heapwright/text.h"
#include "support/heap_fixture.h"
#include "support/random.h"
#include "support/sanitizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static size_t objects_in(hwr_heap *heap) {
    hwr_heap_stats stats;
    hwr_heap_get_stats(heap, &stats);
    return stats.objects;
}

/* Opens the kinds, and returns how many objects there are from then on: heap_fixture_expect_objects at the end. */
static size_t open_kinds(const heap_fixture *f) {
    assert_true(hwr_kinds_open(f->heap));
    return objects_in(f->heap);
}

static void *new_int(const heap_fixture *f, int64_t value) {
    void *number = hwr_int(f->heap, value);
    assert_non_null(number);
    return number;
}

static void *new_float(const heap_fixture *f, double value) {
    void *number = hwr_float(f->heap, value);
    assert_non_null(number);
    return number;
}

static void *parsed_int(const heap_fixture *f, const char *text, int base) {
    void *number = NULL;
    if (hwr_int_parse(f->heap, text, strlen(text), base, &number) != HWR_OK) fail_msg("%s is no int", text);
    return number;
}

/* A number as Python would write it; "huge" is 10 ** 400. */
static void *number_of(const heap_fixture *f, const char *text) {
    if (strcmp(text, "True") == 0 || strcmp(text, "False") == 0) return hwr_bool(f->heap, *text == 'T');
    if (strcmp(text, "huge") == 0) {
        char digits[402] = "1";
        memset(digits + 1, '0', 400);
        return parsed_int(f, digits, 10);
    }
    if (strpbrk(text, ".en") == NULL) return parsed_int(f, text, 10);
    void *number = NULL;
    assert_int_equal(hwr_float_parse(f->heap, text, strlen(text), &number), HWR_OK);
    return number;
}

/* Checks a number's repr, and gives it back. */
static void expect_repr(const heap_fixture *f, void *number, const char *expected, const char *what) {
    void *text = NULL;
    assert_int_equal(hwr_repr(f->heap, number, &text), HWR_OK);
    if (strcmp(hwr_str_ascii(text), expected) != 0)
        fail_msg("%s: %s instead of %s", what, hwr_str_ascii(text), expected);
    hwr_release(f->heap, text);
    hwr_release(f->heap, number);
}

/* ---- making, and values ---- */

static void small_ints_are_shared(void **state) {
    heap_fixture *f = *state;
    size_t objects = open_kinds(f);
    for (int64_t value = -10; value < 300; value++) {
        void *one = new_int(f, value), *two = new_int(f, value);
        bool shared = value >= -5 && value <= 256;
        assert_int_equal(one == two, shared);
        heap_fixture_expect_count(f->heap, one, shared ? HWR_IMMORTAL : 1);
        assert_int_equal(hwr_kind_of(one), HWR_INT);
        assert_int_equal(hwr_sizeof(f->heap, one, false), 8);
        if (!f->config.checked && getenv("HEAPWRIGHT_DEBUG") == NULL)
            assert_int_equal(hwr_sizeof(f->heap, one, true), 16);
        assert_int_equal(hwr_truth(one), value != 0);
        hwr_release(f->heap, one);
        hwr_release(f->heap, two);
    }
    for (int i = 0; i < 10000; i++) (void)new_int(f, 8); /* more than a header can count */
    heap_fixture_expect_count(f->heap, new_int(f, 8), HWR_IMMORTAL);
    assert_true(hwr_kinds_open(f->heap)); /* again */
    heap_fixture_expect_objects(f, objects);
}

static void results_are_shared_too(void **state) {
    heap_fixture *f = *state;
    size_t objects = open_kinds(f);
    void *five = new_int(f, 5), *large = parsed_int(f, "100000000000000000000", 10), *result = NULL;
    assert_int_equal(hwr_subtract(f->heap, large, large, &result), HWR_OK);
    assert_ptr_equal(result, new_int(f, 0));
    void *last = parsed_int(f, "20000000000000000000", 10);
    assert_int_equal(hwr_floor_divide(f->heap, large, last, &result), HWR_OK);
    assert_ptr_equal(result, five);
    hwr_release(f->heap, large);
    hwr_release(f->heap, last);
    heap_fixture_expect_objects(f, objects);
}

static void values_come_back(void **state) {
    heap_fixture *f = *state;
    size_t objects = open_kinds(f);
    random_stream random = {1};
    for (int i = 0; i < 1000; i++) {
        int64_t value = (int64_t)random_next(&random) >> random_below(&random, 64), read = 0;
        if (i < 4) value = (int64_t[]){INT64_MIN, INT64_MAX, INT64_MIN + 1, INT64_MAX - 1}[i];
        double as_double = 0;
        void *number = new_int(f, value);
        assert_int_equal(hwr_int_get(number, &read), HWR_OK);
        assert_true(read == value);
        assert_int_equal(hwr_float_get(number, &as_double), HWR_OK);
        assert_true(as_double == (double)value);
        hwr_release(f->heap, number);
        uint64_t bits = random_next(&random), bits_read;
        memcpy(&as_double, &bits, sizeof bits);
        number = new_float(f, as_double);
        assert_int_equal(hwr_kind_of(number), HWR_FLOAT);
        assert_int_equal(hwr_sizeof(f->heap, number, false), 8);
        double double_read = 0;
        assert_int_equal(hwr_float_get(number, &double_read), HWR_OK);
        memcpy(&bits_read, &double_read, sizeof bits);
        assert_true(bits_read == bits);
        hwr_release(f->heap, number);
    }
    heap_fixture_expect_objects(f, objects);
}

static void values_that_are_not_there(void **state) {
    heap_fixture *f = *state;
    size_t objects = open_kinds(f);
    int64_t value = 77;
    double as_double = 77;
    void *large = number_of(f, "-9223372036854775809"), *huge = number_of(f, "huge"), *real = new_float(f, 1);
    void *yes = hwr_bool(f->heap, true), *text = NULL;
    assert_int_equal(hwr_str(f->heap, "12", &text), HWR_OK);
    assert_int_equal(hwr_int_get(large, &value), HWR_OUT_OF_RANGE);
    assert_int_equal(hwr_int_get(real, &value), HWR_WRONG_KIND);
    assert_int_equal(hwr_int_get(text, &value), HWR_WRONG_KIND);
    assert_int_equal(value, 77);
    assert_int_equal(hwr_int_get(yes, &value), HWR_OK);
    assert_int_equal(value, 1);
    assert_int_equal(hwr_float_get(huge, &as_double), HWR_OUT_OF_RANGE);
    assert_int_equal(hwr_float_get(text, &as_double), HWR_WRONG_KIND);
    assert_true(as_double == 77);
    assert_int_equal(hwr_float_get(large, &as_double), HWR_OK);
    assert_true(as_double == -9223372036854775808.0);
    assert_int_equal(hwr_float_get(yes, &as_double), HWR_OK);
    assert_true(as_double == 1);
    assert_true(hwr_truth(large) && hwr_truth(huge) && hwr_truth(real));
    assert_int_equal(hwr_sizeof(f->heap, large, false), 20); /* 12, and two digits */
    hwr_release(f->heap, text);
    hwr_release(f->heap, large);
    hwr_release(f->heap, huge);
    hwr_release(f->heap, real);
    heap_fixture_expect_objects(f, objects);
}

/* ---- text ---- */

static void ints_are_read(void **state) {
    heap_fixture *f = *state;
    size_t objects = open_kinds(f);
    for (size_t i = 0; i < LENGTH(int_texts); i++) {
        void *number = &number;
        hwr_result result =
            hwr_int_parse(f->heap, int_texts[i].text, strlen(int_texts[i].text), int_texts[i].base, &number);
        if (result != (int_texts[i].expected != NULL ? HWR_OK : HWR_BAD_VALUE))
            fail_msg("int('%s', %d): %s", int_texts[i].text, int_texts[i].base, hwr_result_text(result));
        if (result == HWR_OK)
            expect_repr(f, number, int_texts[i].expected, int_texts[i].text);
        else
            assert_ptr_equal(number, &number);
    }
    void *number = NULL;
    const int bases[] = {-1, 1, 37, 1000};
    for (size_t i = 0; i < LENGTH(bases); i++)
        assert_int_equal(hwr_int_parse(f->heap, "1", 1, bases[i], &number), HWR_BAD_VALUE);
    assert_int_equal(hwr_int_parse(f->heap, "5\0", 2, 10, &number), HWR_BAD_VALUE);
    assert_int_equal(hwr_int_parse(f->heap, "567", 2, 10, &number), HWR_OK); /* the size counts */
    expect_repr(f, number, "56", "56");
    heap_fixture_expect_objects(f, objects);
}

static void ints_are_written(void **state) {
    heap_fixture *f = *state;
    size_t objects = open_kinds(f);
    for (size_t i = 0; i < LENGTH(int_formats); i++) {
        void *number = parsed_int(f, int_formats[i].number, 10), *text = NULL;
        assert_int_equal(hwr_int_format(f->heap, number, int_formats[i].base, &text), HWR_OK);
        assert_true(strcmp(hwr_str_ascii(text), int_formats[i].expected) == 0);
        hwr_release(f->heap, number);
        hwr_release(f->heap, text);
    }
    void *text = NULL, *yes = hwr_bool(f->heap, true), *half = new_float(f, 0.5);
    assert_int_equal(hwr_int_format(f->heap, yes, 10, &text), HWR_OK);
    assert_true(strcmp(hwr_str_ascii(text), "1") == 0);
    hwr_release(f->heap, text);
    const int bases[] = {-10, 0, 1, 37};
    for (size_t i = 0; i < LENGTH(bases); i++)
        assert_int_equal(hwr_int_format(f->heap, yes, bases[i], &text), HWR_BAD_VALUE);
    assert_int_equal(hwr_int_format(f->heap, half, 10, &text), HWR_WRONG_KIND);
    hwr_release(f->heap, half);
    expect_repr(f, yes, "True", "True");
    expect_repr(f, hwr_bool(f->heap, false), "False", "False");
    heap_fixture_expect_objects(f, objects);
}

static void expect_equal(const heap_fixture *f, const void *a, const void *b) {
    bool equal = false;
    int order = 1;
    uint64_t hash_a = 0, hash_b = 1;
    assert_int_equal(hwr_equal(f->heap, a, b, &equal), HWR_OK);
    assert_true(equal);
    assert_int_equal(hwr_compare(f->heap, a, b, &order), HWR_OK);
    assert_int_equal(order, 0);
    assert_int_equal(hwr_hash(f->heap, a, &hash_a), HWR_OK);
    assert_int_equal(hwr_hash(f->heap, b, &hash_b), HWR_OK);
    assert_true(hash_a == hash_b);
}

/* An int with up to so many bits, many of them in runs; the caller's. */
static void *random_int(const heap_fixture *f, random_stream *random, size_t most_bits) {
    static char text[5000];
    size_t digits = 1 + random_below(random, most_bits / 4), at = 0;
    if (random_below(random, 2)) text[at++] = '-';
    for (size_t i = 0; i < digits;) {
        size_t run = 1 + (random_below(random, 3) == 0 ? random_below(random, 20) : 0);
        char digit = "0123456789abcdef0f"[random_below(random, 18)];
        for (; run > 0 && i < digits; run--, i++) text[at++] = digit;
    }
    text[at] = 0;
    return parsed_int(f, text, 16);
}

static void text_in_any_base_comes_back(void **state) {
    heap_fixture *f = *state;
    size_t objects = open_kinds(f);
    random_stream random = {2};
    for (int round = 0; round < (runs_slowly() ? 3 : 20); round++)
        for (int base = 2; base <= 36; base++) {
            void *number = random_int(f, &random, round % 3 == 0 ? 3000 : 200), *text = NULL;
            assert_int_equal(hwr_int_format(f->heap, number, base, &text), HWR_OK);
            const char *digits = hwr_str_ascii(text);
            assert_true(digits[0] != '0' || digits[1] == 0);
            void *again = parsed_int(f, digits, base);
            expect_equal(f, number, again);
            hwr_release(f->heap, again);
            hwr_release(f->heap, number);
            hwr_release(f->heap, text);
        }
    heap_fixture_expect_objects(f, objects);
}

static void floats_are_read_and_written(void **state) {
    heap_fixture *f = *state;
    size_t objects = open_kinds(f);
    for (size_t i = 0; i < LENGTH(float_texts); i++) {
        void *number = &number;
        hwr_result result = hwr_float_parse(f->heap, float_texts[i].text, strlen(float_texts[i].text), &number);
        if (result != (float_texts[i].expected != NULL ? HWR_OK : HWR_BAD_VALUE))
            fail_msg("float('%s'): %s", float_texts[i].text, hwr_result_text(result));
        if (result == HWR_OK)
            expect_repr(f, number, float_texts[i].expected, float_texts[i].text);
        else
            assert_ptr_equal(number, &number);
    }
    heap_fixture_expect_objects(f, objects);
}

static double random_double(random_stream *random) {
    double value;
    do {
        uint64_t bits = random_next(random);
        if (random_below(random, 4) == 0) bits &= ~(uint64_t)0 << random_below(random, 53);
        memcpy(&value, &bits, sizeof bits);
    } while (value - value != 0);
    if (random_below(random, 3) == 0)
        value = (double)(int64_t)random_next(random) / (double)(1 << random_below(random, 30));
    return value;
}

/* The C library reads the same value from the digits, and no number with one digit less that it writes is the same value. */
static void digits_of_floats_are_the_fewest(void **state) {
    heap_fixture *f = *state;
    size_t objects = open_kinds(f);
    random_stream random = {3};
    for (int i = 0; i < (runs_slowly() ? 500 : 20000); i++) {
        double value = random_double(&random), read = 0;
        char shorter[60];
        void *number = new_float(f, value), *text = NULL, *again = NULL;
        assert_int_equal(hwr_repr(f->heap, number, &text), HWR_OK);
        const char *digits = hwr_str_ascii(text);
        assert_true(strtod(digits, NULL) == value);
        assert_int_equal(hwr_float_parse(f->heap, digits, strlen(digits), &again), HWR_OK);
        assert_int_equal(hwr_float_get(again, &read), HWR_OK);
        assert_true(read == value);
        int count = 0;
        for (const char *at = digits; *at != 0 && *at != 'e'; at++) count += *at >= '1' || (count > 0 && *at == '0');
        if (strstr(digits, ".0") == NULL && count > 1) {
            snprintf(shorter, sizeof shorter, "%.*e", count - 2, value);
            if (strtod(shorter, NULL) == value) fail_msg("%s could be %s", digits, shorter);
        }
        hwr_release(f->heap, number);
        hwr_release(f->heap, again);
        hwr_release(f->heap, text);
    }
    heap_fixture_expect_objects(f, objects);
}

/* Numbers with many digits in the middle between two doubles, or next to it, are read as the C library reads them. */
static void text_is_rounded_to_nearest(void **state) {
    heap_fixture *f = *state;
    size_t objects = open_kinds(f);
    random_stream random = {4};
    for (int i = 0; i < (runs_slowly() ? 300 : 5000); i++) {
        char digits[2000];
        double value = random_double(&random), read = 0;
        snprintf(digits, sizeof digits, "%.*e", (int)random_below(&random, i % 10 == 0 ? 1000 : 40), value);
        if (random_below(&random, 2)) digits[2 + (digits[0] == '-')] = (char)('0' + random_below(&random, 10));
        if (digits[1 + (digits[0] == '-')] != '.') continue;
        void *number = NULL;
        assert_int_equal(hwr_float_parse(f->heap, digits, strlen(digits), &number), HWR_OK);
        assert_int_equal(hwr_float_get(number, &read), HWR_OK);
        if (read != strtod(digits, NULL)) fail_msg("%s is read as %a", digits, read);
        hwr_release(f->heap, number);
    }
    heap_fixture_expect_objects(f, objects);
}

/* The middle between 1 and the next double, exactly, and from the last of many digits a little more. */
static void the_last_of_many_digits_counts(void **state) {
    heap_fixture *f = *state;
    size_t objects = open_kinds(f);
    char text[1501] = "1.00000000000000011102230246251565404236316680908203125";
    memset(text + strlen(text), '0', sizeof text - 1 - strlen(text));
    expect_repr(f, number_of(f, text), "1.0", "the middle");
    text[sizeof text - 2] = '1';
    expect_repr(f, number_of(f, text), "1.0000000000000002", "more than the middle");
    memmove(text + 1, text + 2, sizeof text - 2); /* without the point */
    memcpy(text + strlen(text) - 7, "1e-1492", 7);
    expect_repr(f, number_of(f, text), "1.0000000000000002", "more than the middle");
    heap_fixture_expect_objects(f, objects);
}

/* ---- arithmetic ---- */

static const operation operations[] = {hwr_add, hwr_subtract, hwr_multiply, hwr_divide, hwr_floor_divide, hwr_modulo};

static void arithmetic_is_that_of_python(void **state) {
    heap_fixture *f = *state;
    size_t objects = open_kinds(f);
    for (size_t i = 0; i < LENGTH(calculations); i++) {
        void *a = number_of(f, calculations[i].a), *b = number_of(f, calculations[i].b), *number = &number;
        hwr_result result = calculations[i].calculate(f->heap, a, b, &number);
        char what[300];
        snprintf(what, sizeof what, "case %zu with %.100s and %.100s", i, calculations[i].a, calculations[i].b);
        if (result != calculations[i].result) fail_msg("%s: %s", what, hwr_result_text(result));
        if (result == HWR_OK)
            expect_repr(f, number, calculations[i].expected, what);
        else
            assert_ptr_equal(number, &number);
        hwr_release(f->heap, a);
        hwr_release(f->heap, b);
    }
    heap_fixture_expect_objects(f, objects);
}

static void numbers_are_negated(void **state) {
    heap_fixture *f = *state;
    size_t objects = open_kinds(f);
    for (size_t i = 0; i < LENGTH(negatives); i++) {
        void *number = number_of(f, negatives[i].number), *result = NULL;
        assert_int_equal(hwr_negate(f->heap, number, &result), HWR_OK);
        expect_repr(f, result, negatives[i].expected, negatives[i].number);
        hwr_release(f->heap, number);
    }
    heap_fixture_expect_objects(f, objects);
}

static void only_numbers_are_calculated_with(void **state) {
    heap_fixture *f = *state;
    size_t objects = open_kinds(f);
    void *text = NULL, *number = &number, *none = hwr_none(f->heap);
    assert_int_equal(hwr_str(f->heap, "123", &text), HWR_OK);
    const char *const numbers[] = {"0", "1000", "True", "1.5", "huge"};
    for (size_t i = 0; i < LENGTH(numbers); i++)
        for (size_t k = 0; k < LENGTH(operations); k++) {
            void *a = number_of(f, numbers[i]);
            assert_int_equal(operations[k](f->heap, a, text, &number), HWR_WRONG_KIND);
            assert_int_equal(operations[k](f->heap, text, a, &number), HWR_WRONG_KIND);
            assert_int_equal(operations[k](f->heap, a, none, &number), HWR_WRONG_KIND);
            hwr_release(f->heap, a);
        }
    assert_int_equal(hwr_negate(f->heap, text, &number), HWR_WRONG_KIND);
    assert_ptr_equal(number, &number);
    hwr_release(f->heap, text);
    heap_fixture_expect_objects(f, objects);
}

__extension__ typedef __int128 model; /* for ints of 63 bits */

static model floor_of(model a, model b) { return a / b - (a % b != 0 && (a % b < 0) != (b < 0)); }

static model model_of(size_t which, model a, model b) {
    switch (which) {
    case 0: return a + b;
    case 1: return a - b;
    case 2: return a * b;
    case 3: return floor_of(a, b);
    default: return a - floor_of(a, b) * b;
    }
}

static const char *model_text(char *end, model value) {
    bool negative = value < 0;
    *--end = 0;
    do {
        int digit = (int)(value % 10);
        *--end = (char)('0' + (digit < 0 ? -digit : digit));
        value /= 10;
    } while (value != 0);
    if (negative) *--end = '-';
    return end;
}

static void results_are_those_of_a_model(void **state) {
    heap_fixture *f = *state;
    size_t objects = open_kinds(f);
    random_stream random = {5};
    static const operation calculated[] = {hwr_add, hwr_subtract, hwr_multiply, hwr_floor_divide, hwr_modulo};
    for (int i = 0; i < (runs_slowly() ? 1000 : 20000); i++) {
        int64_t values[2];
        for (int k = 0; k < 2; k++) {
            values[k] = (int64_t)random_next(&random) >> random_below(&random, 64);
            if (random_below(&random, 8) == 0) values[k] = random_below(&random, 2) ? INT64_MIN : INT64_MAX;
        }
        if (values[1] == 0) continue;
        void *a = new_int(f, values[0]), *b = new_int(f, values[1]);
        for (size_t k = 0; k < LENGTH(calculated); k++) {
            char room[60];
            void *result = NULL;
            assert_int_equal(calculated[k](f->heap, a, b, &result), HWR_OK);
            expect_repr(f, result, model_text(room + sizeof room, model_of(k, values[0], values[1])),
                        "against the model");
        }
        hwr_release(f->heap, a);
        hwr_release(f->heap, b);
    }
    heap_fixture_expect_objects(f, objects);
}

/* Releases a and b, too. */
static void *calculated(const heap_fixture *f, operation calculate, void *a, void *b) {
    void *result = NULL;
    assert_int_equal(calculate(f->heap, a, b, &result), HWR_OK);
    hwr_release(f->heap, a);
    hwr_release(f->heap, b);
    return result;
}

static void *another(const heap_fixture *f, void *object) {
    hwr_retain(f->heap, object);
    return object;
}

static void expect_same(const heap_fixture *f, void *a, void *b) {
    expect_equal(f, a, b);
    hwr_release(f->heap, a);
    hwr_release(f->heap, b);
}

static void the_laws_hold_for_large_ints(void **state) {
    heap_fixture *f = *state;
    size_t objects = open_kinds(f);
    random_stream random = {6};
    for (int i = 0; i < (runs_slowly() ? 200 : 5000); i++) {
        size_t bits = i % 10 == 0 ? 12000 : 600;
        void *a = random_int(f, &random, bits), *b = random_int(f, &random, bits), *c = random_int(f, &random, 300);
        void *sum = calculated(f, hwr_add, another(f, a), another(f, b));
        expect_same(f, calculated(f, hwr_subtract, another(f, sum), another(f, b)), another(f, a));
        expect_same(f, calculated(f, hwr_subtract, another(f, sum), another(f, a)), another(f, b));
        void *left = calculated(f, hwr_multiply, sum, another(f, c));
        void *ac = calculated(f, hwr_multiply, another(f, a), another(f, c));
        void *bc = calculated(f, hwr_multiply, another(f, c), another(f, b));
        expect_same(f, left, calculated(f, hwr_add, ac, bc));
        int order, sign;
        void *zero = new_int(f, 0);
        assert_int_equal(hwr_compare(f->heap, b, zero, &sign), HWR_OK);
        if (sign != 0) {
            void *quotient = calculated(f, hwr_floor_divide, another(f, a), another(f, b));
            void *rest = calculated(f, hwr_modulo, another(f, a), another(f, b));
            assert_int_equal(hwr_compare(f->heap, rest, zero, &order), HWR_OK);
            assert_true(order == 0 || order == sign);
            assert_int_equal(hwr_compare(f->heap, rest, b, &order), HWR_OK);
            assert_int_equal(order, -sign);
            void *multiple = calculated(f, hwr_multiply, quotient, another(f, b));
            expect_same(f, calculated(f, hwr_add, multiple, rest), another(f, a));
            void *product = calculated(f, hwr_multiply, another(f, a), another(f, b));
            expect_same(f, calculated(f, hwr_floor_divide, product, another(f, b)), another(f, a));
        }
        hwr_release(f->heap, a);
        hwr_release(f->heap, b);
        hwr_release(f->heap, c);
    }
    heap_fixture_expect_objects(f, objects);
}

/* ---- order and hashes ---- */

static void numbers_have_an_order(void **state) {
    heap_fixture *f = *state;
    size_t objects = open_kinds(f);
    for (size_t i = 0; i < LENGTH(orders); i++) {
        void *a = number_of(f, orders[i].a), *b = number_of(f, orders[i].b);
        int order = 0, backwards = 0;
        bool equal = false;
        assert_int_equal(hwr_compare(f->heap, a, b, &order), HWR_OK);
        assert_int_equal(hwr_compare(f->heap, b, a, &backwards), HWR_OK);
        assert_int_equal(hwr_equal(f->heap, a, b, &equal), HWR_OK);
        if ((order > 0) - (order < 0) != orders[i].order) fail_msg("%s against %s", orders[i].a, orders[i].b);
        assert_int_equal((backwards > 0) - (backwards < 0), -orders[i].order);
        assert_int_equal(equal, orders[i].order == 0);
        if (equal) expect_equal(f, a, b);
        hwr_release(f->heap, a);
        hwr_release(f->heap, b);
    }
    heap_fixture_expect_objects(f, objects);
}

static void nan_has_no_order_and_equals_nothing(void **state) {
    heap_fixture *f = *state;
    size_t objects = open_kinds(f);
    void *nan = number_of(f, "nan"), *other = number_of(f, "nan");
    const char *const numbers[] = {"1", "True", "1.5", "inf", "huge", "nan"};
    int order = 77;
    bool equal = true;
    for (size_t i = 0; i < LENGTH(numbers); i++) {
        void *number = number_of(f, numbers[i]);
        assert_int_equal(hwr_compare(f->heap, nan, number, &order), HWR_BAD_VALUE);
        assert_int_equal(hwr_compare(f->heap, number, nan, &order), HWR_BAD_VALUE);
        assert_int_equal(hwr_equal(f->heap, number, nan, &equal), HWR_OK);
        assert_false(equal);
        hwr_release(f->heap, number);
    }
    assert_int_equal(order, 77);
    assert_int_equal(hwr_equal(f->heap, nan, nan, &equal), HWR_OK);
    assert_false(equal);
    uint64_t one = 0, again = 0, two = 0;
    assert_int_equal(hwr_hash(f->heap, nan, &one), HWR_OK);
    assert_int_equal(hwr_hash(f->heap, nan, &again), HWR_OK);
    assert_int_equal(hwr_hash(f->heap, other, &two), HWR_OK);
    assert_true(one == again && one != two);
    assert_true(hwr_truth(nan));
    hwr_release(f->heap, nan);
    hwr_release(f->heap, other);
    heap_fixture_expect_objects(f, objects);
}

static void numbers_have_no_order_with_others(void **state) {
    heap_fixture *f = *state;
    size_t objects = open_kinds(f);
    void *one = new_int(f, 1), *half = new_float(f, 0.5), *none = hwr_none(f->heap);
    int order;
    size_t length;
    bool equal;
    assert_int_equal(hwr_compare(f->heap, one, none, &order), HWR_WRONG_KIND);
    assert_int_equal(hwr_compare(f->heap, none, half, &order), HWR_WRONG_KIND);
    assert_int_equal(hwr_equal(f->heap, one, none, &equal), HWR_OK);
    assert_false(equal);
    assert_int_equal(hwr_length(one, &length), HWR_WRONG_KIND);
    assert_int_equal(hwr_length(half, &length), HWR_WRONG_KIND);
    hwr_release(f->heap, half);
    heap_fixture_expect_objects(f, objects);
}

/* An int of 64 bits against a float near it, by integers of 128 bits: twice the float is whole. */
static void order_against_floats_is_exact(void **state) {
    heap_fixture *f = *state;
    size_t objects = open_kinds(f);
    random_stream random = {7};
    for (int i = 0; i < (runs_slowly() ? 1000 : 20000); i++) {
        int64_t whole = (int64_t)random_next(&random) >> random_below(&random, 64);
        double near = (double)whole + (double)random_below(&random, 5) / 2 - 1;
        void *a = new_int(f, whole), *b = new_float(f, near);
        model twice = 2 * (model)whole, twice_near = (model)(2 * near);
        int order = 0;
        assert_int_equal(hwr_compare(f->heap, a, b, &order), HWR_OK);
        assert_int_equal((order > 0) - (order < 0), (twice > twice_near) - (twice < twice_near));
        if (order == 0) expect_equal(f, a, b);
        hwr_release(f->heap, a);
        hwr_release(f->heap, b);
    }
    heap_fixture_expect_objects(f, objects);
}

static int compare_words(const void *a, const void *b) {
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Neighbouring ints, multiples of large powers of two, floats: no hash twice, and the lower bits as even as those of chance. */
static void hashes_are_spread(void **state) {
    heap_fixture *f = *state;
    size_t objects = open_kinds(f);
    enum { HASHES = 4096 };
    static uint64_t hashes[HASHES];
    for (int way = 0; way < 4; way++) {
        for (int64_t i = 0; i < HASHES; i++) {
            void *number = way == 3 ? new_float(f, (double)i / 7 + 0.01) : new_int(f, i << (way * 20));
            assert_int_equal(hwr_hash(f->heap, number, &hashes[i]), HWR_OK);
            hwr_release(f->heap, number);
        }
        for (int mask_bits = 64; mask_bits >= 12; mask_bits -= 52) {
            uint64_t mask = mask_bits == 64 ? UINT64_MAX : HASHES - 1;
            for (size_t i = 0; i < HASHES; i++) hashes[i] &= mask;
            qsort(hashes, HASHES, sizeof *hashes, compare_words);
            size_t different = 1;
            for (size_t i = 1; i < HASHES; i++) different += hashes[i] != hashes[i - 1];
            assert_true(different >= (mask_bits == 64 ? HASHES : HASHES / 2)); /* by chance 0.63 of them */
        }
    }
    heap_fixture_expect_objects(f, objects);
}

/* ---- without memory ---- */

static void *negated_or_null(const heap_fixture *f, const void *number) {
    void *result = NULL;
    return hwr_negate(f->heap, number, &result) == HWR_OK ? result : NULL;
}

static void everything_fails_without_memory(void **state) {
    heap_fixture *f = *state;
    size_t objects = open_kinds(f);
    void *large = number_of(f, "1234567890123456789012345678901234567890"), *huge = number_of(f, "huge");
    void *one = new_int(f, 1), *thousand = new_int(f, 1000), *half = new_float(f, 0.5), *text = NULL, *result = &text;
    double value;
    bool equal;
    int order;
    heap_fixture_take_all_memory(f);
    while (heap_fixture_hold(f, hwr_int(f->heap, 12345))) continue;
    while (heap_fixture_hold(f, negated_or_null(f, large))) continue; /* what is left for objects of their sizes */
    while (heap_fixture_hold(f, negated_or_null(f, huge))) continue;
    assert_null(hwr_float(f->heap, 1));
    assert_int_equal(hwr_int_parse(f->heap, "1000", 4, 10, &result), HWR_NO_MEMORY);
    assert_int_equal(hwr_int_parse(f->heap, "12345678901234567890123456789", 29, 10, &result), HWR_NO_MEMORY);
    assert_int_equal(hwr_float_parse(f->heap, "1", 1, &result), HWR_NO_MEMORY);
    for (size_t i = 0; i < LENGTH(operations); i++) {
        assert_int_equal(operations[i](f->heap, half, thousand, &result), HWR_NO_MEMORY);
        if (i != 4) assert_int_equal(operations[i](f->heap, large, huge, &result), HWR_NO_MEMORY);
        if (i < 3)
            assert_int_equal(operations[i](f->heap, thousand, thousand, &result), i == 1 ? HWR_OK : HWR_NO_MEMORY);
        if (i == 1) result = &text; /* 0 is there already */
    }
    assert_int_equal(hwr_floor_divide(f->heap, huge, large, &result), HWR_NO_MEMORY);
    assert_int_equal(hwr_negate(f->heap, thousand, &result), HWR_NO_MEMORY);
    assert_int_equal(hwr_negate(f->heap, large, &result), HWR_NO_MEMORY);
    assert_int_equal(hwr_negate(f->heap, half, &result), HWR_NO_MEMORY);
    assert_int_equal(hwr_repr(f->heap, thousand, &result), HWR_NO_MEMORY);
    assert_int_equal(hwr_repr(f->heap, half, &result), HWR_NO_MEMORY);
    assert_int_equal(hwr_repr(f->heap, huge, &result), HWR_NO_MEMORY);
    assert_int_equal(hwr_int_format(f->heap, huge, 16, &result), HWR_NO_MEMORY);
    assert_ptr_equal(result, &text);

    assert_int_equal(hwr_float_get(large, &value), HWR_OK); /* what needs none works */
    assert_int_equal(hwr_equal(f->heap, large, huge, &equal), HWR_OK);
    assert_int_equal(hwr_compare(f->heap, large, half, &order), HWR_OK);
    assert_int_equal(hwr_add(f->heap, one, one, &result), HWR_OK);
    assert_ptr_equal(result, hwr_int(f->heap, 2));
    heap_fixture_give_memory_back(f);
    heap_fixture_let_all_go(f);
    hwr_release(f->heap, large);
    hwr_release(f->heap, huge);
    hwr_release(f->heap, thousand);
    hwr_release(f->heap, half);
    heap_fixture_expect_objects(f, objects);
}

/* Digits that are being worked on have memory, and the result has none. (A checked heap keeps freed blocks for a while.) */
static void a_result_fails_behind_its_digits(void **state) {
    heap_fixture *f = *state;
    if (getenv("HEAPWRIGHT_DEBUG") != NULL) skip();
    size_t objects = open_kinds(f);
    char text[501];
    memset(text, '7', sizeof text - 1);
    text[500] = 0;
    void *number = parsed_int(f, text, 10),
         *large = calculated(f, hwr_multiply, another(f, number), another(f, number));
    const size_t sizes[] = {212, 224, 416, 848, 872, 1052, 1260};           /* just what the operations below need */
    void *result = &result, *blocks[LENGTH(sizes)], *beside[LENGTH(sizes)]; /* which keep their pages */
    hwr_heap_stats before, after;
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        assert_non_null(blocks[i] = hwr_alloc(f->heap, sizes[i]));
        assert_non_null(beside[i] = hwr_alloc(f->heap, sizes[i]));
    }
    heap_fixture_take_all_memory(f);
    while (heap_fixture_hold(f, hwr_int(f->heap, 12345))) continue;
    for (size_t i = 0; i < LENGTH(blocks); i++) hwr_free(f->heap, blocks[i]);
    while (heap_fixture_hold(f, negated_or_null(f, large))) continue;
    while (heap_fixture_hold(f, negated_or_null(f, number))) continue;
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        void *block = hwr_alloc(f->heap, sizes[i]);
        assert_non_null(block);
        hwr_free(f->heap, block);
    }
    hwr_heap_get_stats(f->heap, &before);
    assert_int_equal(hwr_multiply(f->heap, number, number, &result), HWR_NO_MEMORY);
    assert_int_equal(hwr_add(f->heap, number, number, &result), HWR_NO_MEMORY);
    assert_int_equal(hwr_floor_divide(f->heap, large, number, &result), HWR_NO_MEMORY);
    assert_int_equal(hwr_modulo(f->heap, number, large, &result), HWR_NO_MEMORY);
    assert_int_equal(hwr_divide(f->heap, number, large, &result), HWR_NO_MEMORY);
    assert_int_equal(hwr_int_parse(f->heap, text, 500, 10, &result), HWR_NO_MEMORY);
    assert_int_equal(hwr_int_format(f->heap, number, 10, &result), HWR_NO_MEMORY);
    hwr_heap_get_stats(f->heap, &after);
    assert_int_equal(after.objects, before.objects);
    assert_int_equal(after.blocks, before.blocks);
    assert_ptr_equal(result, &result);
    heap_fixture_give_memory_back(f);
    for (size_t i = 0; i < LENGTH(sizes); i++) hwr_free(f->heap, beside[i]);
    heap_fixture_let_all_go(f);
    hwr_release(f->heap, number);
    hwr_release(f->heap, large);
    heap_fixture_expect_objects(f, objects);
}

static void opening_can_be_tried_again(void **state) {
    heap_fixture *f = *state;
    heap_fixture_take_all_memory(f);
    assert_false(hwr_kinds_open(f->heap));
    heap_fixture_give_memory_back(f);
    for (uint64_t nth = 1; nth < 1000; nth++) {
        backend raw;
        backend_open(&raw, f->config.kind, 0);
        hwr_options options = heap_fixture_options(f);
        options.raw = raw.raw;
        hwr_heap *heap = hwr_heap_open(&options);
        assert_non_null(heap);
        hwr_raw_inject_fault(raw.raw, HWR_FAULT_ALL, nth, true);
        bool opened = hwr_kinds_open(heap);
        hwr_raw_inject_fault(raw.raw, 0, 0, false);
        assert_true(hwr_heap_verify(heap, NULL));
        assert_true(hwr_kinds_open(heap));
        void *seven = hwr_int(heap, 7);
        heap_fixture_expect_count(heap, seven, HWR_IMMORTAL);
        hwr_heap_close(heap);
        backend_close(&raw);
        if (opened) break;
        assert_true(nth < 900);
    }
}

int main(void) {
    static const heap_test tests[] = {
        HEAP_TEST(small_ints_are_shared, HEAP_STRESSED),
        HEAP_TEST(results_are_shared_too, HEAP_STRESSED),
        HEAP_TEST(values_come_back, HEAP_STRESSED),
        HEAP_TEST(values_that_are_not_there, HEAP_STRESSED),
        HEAP_TEST(ints_are_read, HEAP_STRESSED),
        HEAP_TEST(ints_are_written, HEAP_STRESSED),
        HEAP_TEST(text_in_any_base_comes_back, HEAP_STRESSED | HEAP_FEW),
        HEAP_TEST(floats_are_read_and_written, HEAP_STRESSED),
        HEAP_TEST(digits_of_floats_are_the_fewest, HEAP_STRESSED | HEAP_FEW),
        HEAP_TEST(text_is_rounded_to_nearest, HEAP_STRESSED | HEAP_FEW),
        HEAP_TEST(the_last_of_many_digits_counts, HEAP_STRESSED),
        HEAP_TEST(arithmetic_is_that_of_python, HEAP_STRESSED),
        HEAP_TEST(numbers_are_negated, HEAP_STRESSED),
        HEAP_TEST(only_numbers_are_calculated_with, HEAP_STRESSED),
        HEAP_TEST(results_are_those_of_a_model, HEAP_STRESSED | HEAP_FEW),
        HEAP_TEST(the_laws_hold_for_large_ints, HEAP_STRESSED | HEAP_FEW),
        HEAP_TEST(numbers_have_an_order, HEAP_STRESSED),
        HEAP_TEST(nan_has_no_order_and_equals_nothing, HEAP_STRESSED),
        HEAP_TEST(numbers_have_no_order_with_others, HEAP_STRESSED),
        HEAP_TEST(order_against_floats_is_exact, HEAP_STRESSED | HEAP_FEW),
        HEAP_TEST(hashes_are_spread, HEAP_STRESSED | HEAP_FEW),
        HEAP_TEST(everything_fails_without_memory, HEAP_STRESSED),
        /* HEAP_COUNTING: which blocks just fit is of the pools of a counting heap */
        HEAP_TEST(a_result_fails_behind_its_digits, HEAP_UNCHECKED | HEAP_COUNTING),
        HEAP_TEST(opening_can_be_tried_again, HEAP_STRESSED),
    };
    return heap_fixture_run("numbers", tests, LENGTH(tests));
}
