/* number: int, and arithmetic. Nearly all ints fit 64 bits, and what is done with two of those is tried first; everything else goes the long way, where an int of either kind is seen as a sign
 * and digits, and results are made in scratch memory, since only their digits tell how much they need. */
#include "kinds/number.h"

/* ---- making ints ---- */

static inline void *make_int(hwr_heap *heap, int64_t value) {
    void *shared = hwri_shared_int(heap, value);
    if (shared) return shared;
    hwri_int *number = hwri_new_leaf(heap, hwri_kind_type(HWRI_INT_TYPE), sizeof *number);
    if (number) number->value = value;
    return number;
}

static inline hwr_result give_number(void *object, void **result) {
    if (!object) return HWR_NO_MEMORY;
    *result = object;
    return HWR_OK;
}

void *hwr_int(hwr_heap *heap, int64_t value) {
    HWRI_LOOK(heap, NULL);
    return make_int(heap, value);
}

bool hwri_numbers_open(hwr_heap *heap, struct hwri_kinds *kinds) {
    for (int64_t value = HWRI_LEAST_SHARED; value <= HWRI_MOST_SHARED; value++) {
        hwri_int *number = hwri_new_leaf(heap, hwri_kind_type(HWRI_INT_TYPE), sizeof *number);
        if (!number) return false;
        number->value = value;
        kinds->ints[value - HWRI_LEAST_SHARED] = number;
        if (!hwri_is_kept(heap, number)) return false;
    }
    return true;
}

/* Of digits that may have zeroes on top. */
static void *int_of_digits(hwr_heap *heap, bool negative, const uint32_t *digits, size_t length) {
    length = hwri_digits_trim(digits, length);
    if (length <= 2) {
        uint64_t low = length > 0 ? digits[0] : 0, high = length > 1 ? digits[1] : 0, value = high << 32 | low;
        if (value <= (uint64_t)INT64_MAX + negative) return make_int(heap, (int64_t)(negative ? 0 - value : value));
    }
    size_t size = offsetof(hwri_big, digits) + length * sizeof *digits;
    hwri_big *big = hwri_new_leaf(heap, hwri_kind_type(HWRI_BIG_TYPE), size);
    if (!big) return NULL;
    big->length = length;
    big->sign = negative ? -1 : 1;
    memcpy(big->digits, digits, length * sizeof *digits);
    return big;
}

void *hwri_int_unsigned(hwr_heap *heap, uint64_t value) {
    const uint32_t digits[2] = {(uint32_t)value, (uint32_t)(value >> 32)};
    return int_of_digits(heap, false, digits, 2);
}

/* ---- ints of any size ---- */

/* An int or bool as a sign and digits: its own, or if it has none, those in `own`. It does not move. */
typedef struct number_view {
    const uint32_t *digits;
    size_t length;
    bool negative;
    uint32_t own[2];
} number_view;

static void view_number(const void *number, number_view *view) {
    int64_t value;
    if (hwri_small_value(number, &value)) {
        view->digits = view->own;
        view->length = hwri_digits_of(hwri_magnitude(value), view->own);
        view->negative = value < 0;
    } else {
        const hwri_big *big = number;
        view->digits = big->digits;
        view->length = big->length;
        view->negative = big->sign < 0;
    }
}

/* Memory for digits until they are given back: on the C stack where a few will do. */
enum { SCRATCH_DIGITS = 40 };
typedef struct digit_scratch {
    uint32_t *digits;
    uint32_t inside[SCRATCH_DIGITS];
} digit_scratch;

static uint32_t *take_scratch(hwr_heap *heap, digit_scratch *scratch, size_t count) {
    scratch->digits = count <= SCRATCH_DIGITS ? scratch->inside : hwr_alloc(heap, count * sizeof(uint32_t));
    return scratch->digits;
}

static void give_scratch(hwr_heap *heap, digit_scratch *scratch) {
    if (scratch->digits != scratch->inside) hwr_free(heap, scratch->digits);
}

static int compare_digits(const number_view *a, const number_view *b) {
    return hwri_digits_compare(a->digits, a->length, b->digits, b->length);
}

static int compare_views(const number_view *a, const number_view *b) {
    if (a->negative != b->negative) return a->negative ? -1 : 1;
    return a->negative ? compare_digits(b, a) : compare_digits(a, b);
}

static hwr_result add_views(hwr_heap *heap, const number_view *a, const number_view *b, void **result) {
    digit_scratch scratch;
    if (a->negative == b->negative ? a->length < b->length : compare_digits(a, b) < 0) {
        const number_view *other = a;
        a = b;
        b = other;
    }
    uint32_t *sum = take_scratch(heap, &scratch, a->length + 1);
    if (!sum) return HWR_NO_MEMORY;
    sum[a->length] = 0;
    if (a->negative == b->negative)
        hwri_digits_add(sum, a->digits, a->length, b->digits, b->length);
    else
        hwri_digits_subtract(sum, a->digits, a->length, b->digits, b->length);
    void *number = int_of_digits(heap, a->negative, sum, a->length + 1);
    give_scratch(heap, &scratch);
    return give_number(number, result);
}

static hwr_result multiply_views(hwr_heap *heap, const number_view *a, const number_view *b, void **result) {
    digit_scratch scratch;
    size_t length = a->length + b->length;
    uint32_t *product = take_scratch(heap, &scratch, length + hwri_multiply_scratch(a->length, b->length));
    if (!product) return HWR_NO_MEMORY;
    hwri_digits_multiply(product, a->digits, a->length, b->digits, b->length, product + length);
    void *number = int_of_digits(heap, a->negative != b->negative, product, length);
    give_scratch(heap, &scratch);
    return give_number(number, result);
}

/* The quotient and the rest of a / b towards zero become those towards minus infinity: if there is a rest and the signs differ, the quotient is one less and the rest b more. */
static hwr_result floor_divide_views(hwr_heap *heap, const number_view *a, const number_view *b, bool want_rest,
                                     void **result) {
    digit_scratch scratch;
    size_t n = b->length, length = a->length < n ? n : a->length;
    if (n == 0) return HWR_DIVIDED_BY_ZERO;
    uint32_t *rest = take_scratch(heap, &scratch, 2 * length + n + 3);
    if (!rest) return HWR_NO_MEMORY;
    uint32_t *divisor = rest + length + 1, *quotient = divisor + n;
    memset(rest + a->length, 0, (length - a->length) * sizeof *rest);
    memcpy(rest, a->digits, a->length * sizeof *rest);
    memcpy(divisor, b->digits, n * sizeof *divisor);
    hwri_digits_divide(quotient, rest, length, divisor, n);

    size_t quotient_length = length - n + 1;
    if (a->negative != b->negative && hwri_digits_trim(rest, n) > 0) {
        const uint32_t one = 1;
        hwri_digits_add(quotient, quotient, quotient_length++, &one, 1);
        hwri_digits_subtract(rest, b->digits, n, rest, n);
    }
    void *number = want_rest ? int_of_digits(heap, b->negative, rest, n)
                             : int_of_digits(heap, a->negative != b->negative, quotient, quotient_length);
    give_scratch(heap, &scratch);
    return give_number(number, result);
}

static hwr_result give_float(hwr_heap *heap, double value, void **result) {
    return give_number(hwri_new_float(heap, value), result);
}

static hwr_result divide_views(hwr_heap *heap, const number_view *a, const number_view *b, void **result) {
    digit_scratch scratch;
    double value = 0;
    if (b->length == 0) return HWR_DIVIDED_BY_ZERO;
    if (a->length > 0) {
        uint32_t *digits = take_scratch(heap, &scratch, HWRI_RATIO_SCRATCH(b->length));
        if (!digits) return HWR_NO_MEMORY;
        value = hwri_digits_ratio(a->digits, a->length, b->digits, b->length, 0, digits);
        give_scratch(heap, &scratch);
    }
    if (value == __builtin_inf()) return HWR_OUT_OF_RANGE;
    return give_float(heap, a->negative != b->negative ? -value : value, result);
}

/* ---- arithmetic ---- */

enum operation { ADD, SUBTRACT, MULTIPLY, DIVIDE, FLOOR_DIVIDE, MODULO };

static hwr_result calculate_ints(hwr_heap *heap, enum operation operation, const void *a, const void *b,
                                 void **result) {
    number_view x, y;
    view_number(a, &x);
    view_number(b, &y);
    switch (operation) {
    case SUBTRACT: y.negative = !y.negative; /* fall through */
    case ADD: return add_views(heap, &x, &y, result);
    case MULTIPLY: return multiply_views(heap, &x, &y, result);
    case DIVIDE: return divide_views(heap, &x, &y, result);
    default: return floor_divide_views(heap, &x, &y, operation == MODULO, result);
    }
}

static hwr_result calculate_floats(hwr_heap *heap, enum operation operation, const void *a, const void *b,
                                   void **result) {
    double x, y;
    hwr_result a_read = hwr_float_get(a, &x), b_read = hwr_float_get(b, &y);
    if (a_read != HWR_OK || b_read != HWR_OK) return HWR_OUT_OF_RANGE;
    if (operation >= DIVIDE && y == 0) return HWR_DIVIDED_BY_ZERO;
    switch (operation) {
    case ADD: return give_float(heap, x + y, result);
    case SUBTRACT: return give_float(heap, x - y, result);
    case MULTIPLY: return give_float(heap, x * y, result);
    case DIVIDE: return give_float(heap, x / y, result);
    case FLOOR_DIVIDE: return give_float(heap, hwri_floor_quotient(x, y), result);
    default: return give_float(heap, hwri_floor_rest(x, y), result);
    }
}

static bool is_integer(const void *object) {
    hwr_kind kind = hwri_kind_in(hwr_type_of(object));
    return kind == HWR_INT || kind == HWR_BOOL;
}

static hwr_result calculate(hwr_heap *heap, enum operation operation, const void *a, const void *b, void **result) {
    bool a_float = hwri_is_of_type(a, HWRI_FLOAT_TYPE), b_float = hwri_is_of_type(b, HWRI_FLOAT_TYPE);
    if (!(a_float || is_integer(a)) || !(b_float || is_integer(b))) return HWR_WRONG_KIND;
    return a_float || b_float ? calculate_floats(heap, operation, a, b, result)
                              : calculate_ints(heap, operation, a, b, result);
}

/* Whether both are ints of 64 bits; a bool is not worth it. */
static inline bool both_small(const void *a, const void *b, int64_t *x, int64_t *y) {
    if (!hwri_is_of_type(a, HWRI_INT_TYPE) || !hwri_is_of_type(b, HWRI_INT_TYPE)) return false;
    *x = ((const hwri_int *)a)->value;
    *y = ((const hwri_int *)b)->value;
    return true;
}

static inline bool both_floats(const void *a, const void *b, double *x, double *y) {
    if (!hwri_is_of_type(a, HWRI_FLOAT_TYPE) || !hwri_is_of_type(b, HWRI_FLOAT_TYPE)) return false;
    *x = ((const hwri_float *)a)->value;
    *y = ((const hwri_float *)b)->value;
    return true;
}

#define LOOK_AT_BOTH(heap, a, b) (HWRI_LOOK(heap, a), HWRI_LOOK(heap, b))

hwr_result hwr_add(hwr_heap *heap, const void *a, const void *b, void **result) {
    LOOK_AT_BOTH(heap, a, b);
    int64_t x, y, sum;
    if (hwri_likely(both_small(a, b, &x, &y) && !__builtin_add_overflow(x, y, &sum)))
        return give_number(make_int(heap, sum), result);
    double p, q;
    if (both_floats(a, b, &p, &q)) return give_float(heap, p + q, result);
    return calculate(heap, ADD, a, b, result);
}

hwr_result hwr_subtract(hwr_heap *heap, const void *a, const void *b, void **result) {
    LOOK_AT_BOTH(heap, a, b);
    int64_t x, y, difference;
    if (hwri_likely(both_small(a, b, &x, &y) && !__builtin_sub_overflow(x, y, &difference)))
        return give_number(make_int(heap, difference), result);
    double p, q;
    if (both_floats(a, b, &p, &q)) return give_float(heap, p - q, result);
    return calculate(heap, SUBTRACT, a, b, result);
}

hwr_result hwr_multiply(hwr_heap *heap, const void *a, const void *b, void **result) {
    LOOK_AT_BOTH(heap, a, b);
    int64_t x, y, product;
    if (hwri_likely(both_small(a, b, &x, &y) && !__builtin_mul_overflow(x, y, &product)))
        return give_number(make_int(heap, product), result);
    double p, q;
    if (both_floats(a, b, &p, &q)) return give_float(heap, p * q, result);
    return calculate(heap, MULTIPLY, a, b, result);
}

static inline bool is_exact_as_double(int64_t x) { return x <= (int64_t)1 << 53 && x >= -((int64_t)1 << 53); }

hwr_result hwr_divide(hwr_heap *heap, const void *a, const void *b, void **result) {
    LOOK_AT_BOTH(heap, a, b);
    int64_t x, y;
    if (hwri_likely(both_small(a, b, &x, &y) && is_exact_as_double(x) && is_exact_as_double(y) && y != 0))
        return give_float(heap, (double)x / (double)y, result);
    double p, q;
    if (both_floats(a, b, &p, &q) && q != 0) return give_float(heap, p / q, result);
    return calculate(heap, DIVIDE, a, b, result);
}

hwr_result hwr_floor_divide(hwr_heap *heap, const void *a, const void *b, void **result) {
    LOOK_AT_BOTH(heap, a, b);
    int64_t x, y;
    if (hwri_likely(both_small(a, b, &x, &y) && y != 0 && !(y == -1 && x == INT64_MIN)))
        return give_number(make_int(heap, x / y - (x % y != 0 && (x ^ y) < 0)), result);
    return calculate(heap, FLOOR_DIVIDE, a, b, result);
}

hwr_result hwr_modulo(hwr_heap *heap, const void *a, const void *b, void **result) {
    LOOK_AT_BOTH(heap, a, b);
    int64_t x, y;
    if (hwri_likely(both_small(a, b, &x, &y) && y != 0 && y != -1)) {
        int64_t rest = x % y;
        return give_number(make_int(heap, rest != 0 && (x ^ y) < 0 ? rest + y : rest), result);
    }
    return calculate(heap, MODULO, a, b, result);
}

hwr_result hwr_negate(hwr_heap *heap, const void *a, void **result) {
    HWRI_LOOK(heap, a);
    if (hwri_is_of_type(a, HWRI_FLOAT_TYPE)) return give_float(heap, -((const hwri_float *)a)->value, result);
    if (!is_integer(a)) return HWR_WRONG_KIND;
    int64_t small;
    if (hwri_small_value(a, &small) && small != INT64_MIN) return give_number(make_int(heap, -small), result);
    number_view x;
    view_number(a, &x);
    return give_number(int_of_digits(heap, !x.negative, x.digits, x.length), result);
}

/* ---- values ---- */

hwr_result hwr_int_get(const void *object, int64_t *value) {
    if (hwri_small_value(object, value)) return HWR_OK;
    return hwri_is_of_type(object, HWRI_BIG_TYPE) ? HWR_OUT_OF_RANGE : HWR_WRONG_KIND;
}

hwr_result hwr_float_get(const void *object, double *value) {
    int64_t small;
    if (hwri_is_of_type(object, HWRI_FLOAT_TYPE)) {
        *value = ((const hwri_float *)object)->value;
    } else if (hwri_small_value(object, &small)) {
        *value = (double)small;
    } else if (hwri_is_of_type(object, HWRI_BIG_TYPE)) {
        const hwri_big *big = object;
        double size = hwri_digits_double(big->digits, big->length, 0, true);
        if (size == __builtin_inf()) return HWR_OUT_OF_RANGE;
        *value = big->sign < 0 ? -size : size;
    } else {
        return HWR_WRONG_KIND;
    }
    return HWR_OK;
}

/* ---- text ---- */

enum { LEAST_BASE = 2, MOST_BASE = 36 };

/* The most digits to a base that fit 32 bits whatever they are, and the base to that power: digits are read and written in portions. */
static unsigned portion_of(unsigned base, uint32_t *power) {
    unsigned digits = 1;
    for (*power = base; *power <= UINT32_MAX / base; *power *= base) digits++;
    return digits;
}

hwri_number_text hwri_number_text_of(const char *text, size_t size) {
    hwri_number_text t = {.at = text, .end = text + size};
    while (t.at < t.end && (*t.at == ' ' || (*t.at >= '\t' && *t.at <= '\r'))) t.at++;
    while (t.at < t.end && (t.end[-1] == ' ' || (t.end[-1] >= '\t' && t.end[-1] <= '\r'))) t.end--;
    if (t.at < t.end && (*t.at == '-' || *t.at == '+')) t.negative = *t.at++ == '-';
    return t;
}

/* Takes a prefix that says or allows the base, and returns the base that holds from there on. */
static unsigned take_prefix(hwri_number_text *text, unsigned base, bool *taken) {
    *taken = false;
    if (text->end - text->at < 2 || text->at[0] != '0') return base ? base : 10;
    char letter = (char)(text->at[1] | 0x20);
    unsigned named = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
    if (!named || (base && base != named)) return base ? base : 10;
    text->at += 2;
    *taken = true;
    return named;
}

/* Of text that has been found good, and has `count` digits. */
static hwr_result parse_big(hwr_heap *heap, hwri_number_text text, unsigned base, size_t count, void **number) {
    digit_scratch scratch;
    uint32_t power;
    unsigned portion = portion_of(base, &power);
    uint32_t *digits = take_scratch(heap, &scratch, count / portion + 1);
    if (!digits) return HWR_NO_MEMORY;
    size_t length = 0;
    while (count > 0) {
        uint32_t value = 0;
        power = 1;
        do {
            value = value * base + (uint32_t)hwri_take_digit(&text, base, true);
            power *= base;
        } while (--count % portion != 0);
        length = hwri_digits_scale(digits, length, power, value);
    }
    void *result = int_of_digits(heap, text.negative, digits, length);
    give_scratch(heap, &scratch);
    return give_number(result, number);
}

hwr_result hwr_int_parse(hwr_heap *heap, const char *text, size_t size, int base, void **number) {
    HWRI_LOOK(heap, NULL);
    if (base != 0 && (base < LEAST_BASE || base > MOST_BASE)) return HWR_BAD_VALUE;
    hwri_number_text t = hwri_number_text_of(text, size);
    bool prefixed;
    unsigned actual = take_prefix(&t, (unsigned)base, &prefixed);
    hwri_number_text digits = t;
    uint64_t value = 0;
    bool fits = true;
    size_t count = 0;
    for (int digit; (digit = hwri_take_digit(&t, actual, prefixed || count > 0)) >= 0; count++)
        fits = fits && !__builtin_mul_overflow(value, actual, &value) &&
               !__builtin_add_overflow(value, (uint64_t)digit, &value);
    if (count == 0 || t.at != t.end) return HWR_BAD_VALUE;
    bool old_octal = base == 0 && !prefixed && digits.at[0] == '0';
    if (old_octal && !(fits && value == 0)) return HWR_BAD_VALUE;
    if (!fits) return parse_big(heap, digits, actual, count, number);
    uint32_t two[2];
    return give_number(int_of_digits(heap, t.negative, two, hwri_digits_of(value, two)), number);
}

char *hwri_write_digits(char *end, uint64_t value, unsigned base) {
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    if (base == 10)
        for (; value >= 10; value /= 10) *--end = digits[value % 10];
    else
        for (; value >= base; value /= base) *--end = digits[value % base];
    *--end = digits[value];
    return end;
}

/* An int's digits, with its sign, wherever there is room for them: up to the end of `room` or of a block of the heap's. */
typedef struct int_text {
    const char *start;
    size_t size;
    void *block;
    char room[66];
} int_text;

/* Each portion but the first has all of its digits. */
static bool write_big(hwr_heap *heap, const hwri_big *big, unsigned base, int_text *text) {
    uint32_t power;
    size_t portion = portion_of(base, &power), most = big->length + big->length / 4 + 2, room = most * portion + 1;
    uint32_t *places = text->block = hwr_alloc(heap, most * sizeof *places + room);
    if (!places) return false;
    size_t count = hwri_digits_to_radix(places, big->digits, big->length, power);
    char *end = (char *)(places + most) + room, *at = end;
    for (size_t i = 0; i < count; i++) {
        char *next = at - portion, *first = hwri_write_digits(at, places[i], base);
        while (i + 1 < count && first > next) *--first = '0';
        at = first;
    }
    if (big->sign < 0) *--at = '-';
    text->start = at;
    text->size = (size_t)(end - at);
    return true;
}

static bool write_int(hwr_heap *heap, const void *number, unsigned base, int_text *text) {
    int64_t small;
    text->block = NULL;
    if (!hwri_small_value(number, &small)) return write_big(heap, number, base, text);
    char *end = text->room + sizeof text->room, *at = hwri_write_digits(end, hwri_magnitude(small), base);
    if (small < 0) *--at = '-';
    text->start = at;
    text->size = (size_t)(end - at);
    return true;
}

hwr_result hwr_int_format(hwr_heap *heap, const void *number, int base, void **text) {
    HWRI_LOOK(heap, number);
    int_text digits;
    if (!is_integer(number)) return HWR_WRONG_KIND;
    if (base < LEAST_BASE || base > MOST_BASE) return HWR_BAD_VALUE;
    if (!write_int(heap, number, (unsigned)base, &digits)) return HWR_NO_MEMORY;
    hwr_result result = hwr_str_from(heap, digits.start, digits.size, text);
    hwr_free(heap, digits.block);
    return result;
}

/* ---- what all kinds have ---- */

static hwr_result compare_ints(hwr_heap *heap, const void *a, const void *b, unsigned depth, int *order) {
    (void)heap, (void)depth;
    number_view x, y;
    int64_t small_a, small_b;
    bool a_small = hwri_small_value(a, &small_a), b_small = hwri_small_value(b, &small_b);
    if (hwri_likely(a_small && b_small)) {
        *order = (small_a > small_b) - (small_a < small_b);
    } else {
        view_number(a, &x);
        view_number(b, &y);
        *order = compare_views(&x, &y);
    }
    return HWR_OK;
}

static hwr_result equal_ints(hwr_heap *heap, const void *a, const void *b, unsigned depth, bool *equal) {
    int order;
    hwr_result result = compare_ints(heap, a, b, depth, &order);
    *equal = order == 0;
    return result;
}

uint64_t hwri_hash_digits(const hwr_heap *heap, const uint32_t *digits, size_t length, bool negative) {
    uint64_t hash = hwri_hash_bytes(heap, digits, length * sizeof *digits);
    return negative ? ~hash : hash;
}

static hwr_result hash_int(hwr_heap *heap, const void *object, unsigned depth, uint64_t *hash) {
    (void)depth;
    int64_t small;
    if (hwri_likely(hwri_small_value(object, &small))) {
        *hash = hwri_hash_word(heap, (uint64_t)small);
    } else {
        const hwri_big *big = object;
        *hash = hwri_hash_digits(heap, big->digits, big->length, big->sign < 0);
    }
    return HWR_OK;
}

static hwr_result repr_int(hwr_heap *heap, const void *object, unsigned depth, hwri_writer *writer) {
    (void)depth;
    int_text text;
    if (hwri_is_of_type(object, HWRI_BOOL_TYPE)) {
        hwri_write_text(writer, ((const hwri_bool *)object)->value ? "True" : "False");
        return HWR_OK;
    }
    if (!write_int(heap, object, 10, &text)) return HWR_NO_MEMORY;
    hwri_write(writer, text.start, text.size);
    hwr_free(heap, text.block);
    return HWR_OK;
}

const hwri_kind_ops hwri_number_ops = {
    .equal = equal_ints, .compare = compare_ints, .hash = hash_int, .repr = repr_int};
