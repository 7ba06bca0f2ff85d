/* float: exact comparison with ints, the digits that say which double it is, and text to the nearest double. None of it uses the C library's mathematics or its
 * conversions, which need another library or follow the locale. */
#include "kinds/number.h"

void *hwr_float(hwr_heap *heap, double value) {
    HWRI_LOOK(heap, NULL);
    return hwri_new_float(heap, value);
}

static const double infinite = __builtin_inf(), beyond_int = 9223372036854775808.0; /* 2 ** 63 */

static bool is_nan(double x) { return x != x; }
static double without_sign(double x) { return x < 0 ? -x : x; }
static bool is_whole(double x) {
    return without_sign(x) < beyond_int ? (double)(int64_t)x == x : without_sign(x) < infinite;
}

/* ---- division ---- */

/* What is left of a when b has been taken away as often as possible, with the sign of a; exact, like fmod. b is not zero. */
static double truncated_rest(double a, double b) {
    if (without_sign(a) == infinite || is_nan(a) || is_nan(b)) return __builtin_nan("");
    if (without_sign(a) < without_sign(b)) return a;
    int exponent, least;
    uint64_t rest = hwri_double_parts(a, &exponent), divisor = hwri_double_parts(b, &least);
    rest %= divisor;
    while (exponent > least && rest > 0) {
        int step = exponent - least < 11 ? exponent - least : 11;
        rest = (rest << step) % divisor;
        exponent -= step;
    }
    return __builtin_copysign(hwri_double_of(rest, least, true), a);
}

static double whole_below(double x) {
    if (!(without_sign(x) < beyond_int)) return x;
    double whole = (double)(int64_t)x;
    return whole > x ? whole - 1 : whole;
}

double hwri_floor_rest(double a, double b) {
    double rest = truncated_rest(a, b);
    if (rest == 0) return __builtin_copysign(0.0, b);
    return (rest < 0) != (b < 0) ? rest + b : rest;
}

/* Without the rest the division is exact but for rounding, which may leave it on either side of the whole number that is meant. */
double hwri_floor_quotient(double a, double b) {
    double rest = truncated_rest(a, b), quotient = (a - rest) / b;
    if (rest != 0 && (rest < 0) != (b < 0)) quotient -= 1;
    if (quotient == 0) return __builtin_copysign(0.0, a / b);
    double whole = whole_below(quotient);
    return quotient - whole > 0.5 ? whole + 1 : whole;
}

/* ---- powers of ten ---- */

/* Those of five that fit 64 bits. Up to the 22nd that of ten is a double, too. */
enum { FIVES = 28, EXACT_TENS = 22 };
static const uint64_t fives[FIVES] = {
    1,
    5,
    25,
    125,
    625,
    3125,
    15625,
    78125,
    390625,
    1953125,
    9765625,
    48828125,
    244140625,
    1220703125,
    6103515625,
    30517578125,
    152587890625,
    762939453125,
    3814697265625,
    19073486328125,
    95367431640625,
    476837158203125,
    2384185791015625,
    11920928955078125,
    59604644775390625,
    298023223876953125,
    1490116119384765625,
    7450580596923828125,
};

/* 5 ** 324 has 753 bits. */
enum { POWER_DIGITS = 24 };

/* 10 ** power, from 10 ** -324 to 10 ** 324: the uppermost 128 bits, one more if that is not all. */
static hwri_u128 power_of_ten(int power) {
    uint32_t five[POWER_DIGITS + 1] = {1}, rest[POWER_DIGITS + 6] = {0}, quotient[7];
    int64_t exponent;
    bool exact;
    if (power >= 0 && power < 2 * FIVES - 1) {
        int half = power / 2;
        hwri_u128 product = (hwri_u128)fives[half] * fives[power - half];
        uint64_t high = (uint64_t)(product >> 64);
        return product << (high ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)product));
    }
    size_t n = hwri_digits_scale_by_power(five, 1, 5, (size_t)(power < 0 ? -power : power));
    if (power > 0) {
        hwri_u128 top = hwri_digits_top(five, n, &exponent, &exact);
        return exact ? top : top + 1;
    }
    rest[n + 4] = 1;
    hwri_digits_divide(quotient, rest, n + 5, five, n);
    return hwri_digits_top(quotient, hwri_digits_trim(quotient, 6), &exponent, &exact) + 1;
}

/* ---- to text ---- */

/* The shortest decimal number that no other double is nearer to, and of those the nearest: digits * 10 ** exponent. Raffaello Giulietti's algorithm (The Schubfach way to render doubles, 2020):
 * the double and the middles between it and its neighbours are multiplied by a power of ten such that only the last two digits are in question. */
typedef struct decimal {
    uint64_t digits;
    int exponent;
} decimal;

/* The upper 64 of the 192 bits of the product; the lowest is set, too, if there is more below than rounding up the power can have made. */
static uint64_t upper_product(hwri_u128 power, uint64_t factor) {
    hwri_u128 low = (hwri_u128)(uint64_t)power * factor, high = (hwri_u128)(uint64_t)(power >> 64) * factor;
    high += (uint64_t)(low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* floor(x * log10(2)), of which 3/4 (its logarithm is -0.1249) is to be taken, too, if so told; floor(x * log2(10)). For the exponents of doubles. */
static int log10_of_power_of_two(int x, bool three_quarters) {
    return (x * 1262611 - (three_quarters ? 524031 : 0)) >> 22;
}
static int log2_of_power_of_ten(int x) { return (x * 1741647) >> 19; }

static decimal shortest_decimal(double value) {
    int exponent;
    uint64_t parts = hwri_double_parts(value, &exponent);
    bool even = parts % 2 == 0, nearer_below = parts == (uint64_t)1 << 52 && exponent > -1074;
    int k = log10_of_power_of_two(exponent, nearer_below);
    int shift = exponent + log2_of_power_of_ten(-k) + 1;
    hwri_u128 power = power_of_ten(-k);
    uint64_t below = upper_product(power, (4 * parts - 2 + nearer_below) << shift) + !even;
    uint64_t middle = upper_product(power, 4 * parts << shift);
    uint64_t above = upper_product(power, (4 * parts + 2) << shift) - !even;

    uint64_t digits = middle / 4, tens = digits / 10;
    if (tens > 0) {
        bool down = below <= 40 * tens, up = 40 * tens + 40 <= above;
        if (down != up) return (decimal){tens + up, k + 1};
    }
    bool down = below <= 4 * digits, up = 4 * digits + 4 <= above;
    if (down == up) up = middle % 4 > 2 || (middle % 4 == 2 && digits % 2 == 1);
    return (decimal){digits + up, k};
}

enum { LEAST_FIXED = -4, MOST_FIXED = 16, DOUBLE_TEXT = 32 };

static char *put_chars(char *at, const char *text, int size) {
    memcpy(at, text, (size_t)size);
    return at + size;
}

static char *put_zeros(char *at, int count) {
    memset(at, '0', (size_t)count);
    return at + count;
}

/* As repr() does: with a point, or if that is before the fourth zero or behind the sixteenth digit, with an exponent. Returns the end. */
static char *write_decimal(char *at, decimal d) {
    char room[DOUBLE_TEXT], *end = room + sizeof room;
    for (; d.digits > 0 && d.digits % 10 == 0; d.digits /= 10) d.exponent++;
    const char *digits = hwri_write_digits(end, d.digits, 10);
    int count = (int)(end - digits), point = count + d.exponent;
    if (LEAST_FIXED < point && point <= 0) {
        at = put_zeros(put_chars(at, "0.", 2), -point);
        return put_chars(at, digits, count);
    }
    if (0 < point && point <= MOST_FIXED) {
        if (count <= point) return put_chars(put_zeros(put_chars(at, digits, count), point - count), ".0", 2);
        return put_chars(put_chars(put_chars(at, digits, point), ".", 1), digits + point, count - point);
    }
    int exponent = point > 0 ? point - 1 : 1 - point;
    *at++ = *digits;
    if (count > 1) at = put_chars(put_chars(at, ".", 1), digits + 1, count - 1);
    at = put_chars(at, point > 0 ? "e+" : "e-0", point > 0 || exponent >= 10 ? 2 : 3);
    digits = hwri_write_digits(end, (uint64_t)exponent, 10);
    return put_chars(at, digits, (int)(end - digits));
}

static hwr_result repr_float(hwr_heap *heap, const void *object, unsigned depth, hwri_writer *writer) {
    (void)heap, (void)depth;
    double value = ((const hwri_float *)object)->value, size = without_sign(value);
    char text[DOUBLE_TEXT], *end = text;
    if (is_nan(value)) {
        end = put_chars(text, "nan", 3);
    } else {
        if (__builtin_signbit(value)) *end++ = '-';
        if (size == infinite)
            end = put_chars(end, "inf", 3);
        else if (size < 9007199254740992.0 && is_whole(size)) /* 2 ** 53 */
            end = write_decimal(end, (decimal){(uint64_t)size, 0});
        else
            end = write_decimal(end, shortest_decimal(size));
    }
    hwri_write(writer, text, (size_t)(end - text));
    return HWR_OK;
}

/* ---- from text ---- */

/* Digits of a number as they are read: those that count, without zeroes in front, and what power of ten the last of them stands for. A decimal number
 * in the middle between two doubles has 767 digits at most, so that of more it is enough to know whether any is not zero. */
enum { SHORT_DIGITS = 19, DECIMAL_DIGITS = 800, DECIMAL_WORDS = 90, EXPONENT_MOST = 100000 };
typedef struct decimal_text {
    uint64_t value; /* if there are SHORT_DIGITS at most */
    size_t count;
    int64_t exponent;
    bool more;
    unsigned char digits[DECIMAL_DIGITS + 1];
} decimal_text;

static void add_digit(decimal_text *d, int digit, bool behind_point) {
    d->exponent -= behind_point;
    if (d->count == 0 && digit == 0) return;
    if (d->count == DECIMAL_DIGITS) {
        d->exponent++;
        d->more |= digit != 0;
        return;
    }
    d->value = d->value * 10 + (unsigned)digit;
    d->digits[d->count++] = (unsigned char)digit;
}

/* Reads digits, a point, an exponent: whether that is all there is, and makes sense. */
static bool read_decimal(hwri_number_text *t, decimal_text *d) {
    bool any = false;
    d->value = d->count = 0;
    d->exponent = 0;
    d->more = false;
    for (int digit; (digit = hwri_take_digit(t, 10, any)) >= 0; any = true) add_digit(d, digit, false);
    if (t->at < t->end && *t->at == '.') {
        t->at++;
        bool behind = false;
        for (int digit; (digit = hwri_take_digit(t, 10, behind)) >= 0; any = behind = true) add_digit(d, digit, true);
    }
    if (any && t->at < t->end && (*t->at == 'e' || *t->at == 'E')) {
        int64_t exponent = 0;
        bool negative = ++t->at < t->end && *t->at == '-';
        if (t->at < t->end && (*t->at == '-' || *t->at == '+')) t->at++;
        any = false;
        for (int digit; (digit = hwri_take_digit(t, 10, any)) >= 0; any = true)
            if (exponent < EXPONENT_MOST) exponent = exponent * 10 + digit;
        d->exponent += negative ? -exponent : exponent;
    }
    if (d->more) {
        d->digits[d->count++] = 1;
        d->exponent--;
    }
    return any && t->at == t->end;
}

/* By integers of any size: the digits times or over a power of five, times a power of two. */
static double nearest_double_exactly(const decimal_text *d) {
    uint32_t a[DECIMAL_WORDS], b[DECIMAL_WORDS], scratch[HWRI_RATIO_SCRATCH(DECIMAL_WORDS)];
    size_t a_length = 0, b_length = 1;
    if (d->count <= SHORT_DIGITS)
        a_length = hwri_digits_of(d->value, a);
    else
        for (size_t i = 0; i < d->count; i++) a_length = hwri_digits_scale(a, a_length, 10, d->digits[i]);
    if (d->exponent >= 0) {
        a_length = hwri_digits_scale_by_power(a, a_length, 5, (size_t)d->exponent);
        return hwri_digits_double(a, a_length, d->exponent, true);
    }
    b[0] = 1;
    b_length = hwri_digits_scale_by_power(b, b_length, 5, (size_t)-d->exponent);
    return hwri_digits_ratio(a, a_length, b, b_length, d->exponent, scratch);
}

static double nearest_double(const decimal_text *d) {
    int64_t size = (int64_t)d->count + d->exponent; /* below 10 to this power */
    if (d->count == 0 || size < -330) return 0;
    if (size > 310) return infinite;
    if (d->count > SHORT_DIGITS || d->value > (uint64_t)1 << 53 || d->exponent < -EXACT_TENS ||
        d->exponent > EXACT_TENS)
        return nearest_double_exactly(d);
    int tens = (int)(d->exponent < 0 ? -d->exponent : d->exponent);
    double power = (double)fives[tens] * (double)(1 << tens);
    return d->exponent < 0 ? (double)d->value / power : (double)d->value * power;
}

static bool is_that_word(const hwri_number_text *t, const char *word) {
    size_t size = strlen(word);
    if ((size_t)(t->end - t->at) != size) return false;
    for (size_t i = 0; i < size; i++)
        if ((t->at[i] | 0x20) != word[i]) return false;
    return true;
}

hwr_result hwr_float_parse(hwr_heap *heap, const char *text, size_t size, void **number) {
    HWRI_LOOK(heap, NULL);
    hwri_number_text t = hwri_number_text_of(text, size);
    decimal_text d;
    double value;
    if (is_that_word(&t, "inf") || is_that_word(&t, "infinity"))
        value = infinite;
    else if (is_that_word(&t, "nan"))
        value = __builtin_nan("");
    else if (read_decimal(&t, &d))
        value = nearest_double(&d);
    else
        return HWR_BAD_VALUE;
    void *result = hwri_new_float(heap, t.negative ? -value : value);
    if (!result) return HWR_NO_MEMORY;
    *number = result;
    return HWR_OK;
}

/* ---- what all kinds have ---- */

/* An int or bool against a double that is not NaN, exactly: as integers, and if those are equal by the double's fraction. */
static int compare_int_with(const void *number, double x) {
    int64_t small;
    uint32_t digits[HWRI_DOUBLE_DIGITS];
    if (hwri_small_value(number, &small)) {
        if (x >= beyond_int || x < -beyond_int) return x > 0 ? -1 : 1;
        int64_t whole = (int64_t)x;
        if (small != whole) return small < whole ? -1 : 1;
        double fraction = x - (double)whole;
        return (fraction < 0) - (fraction > 0);
    }
    const hwri_big *big = number;
    if (without_sign(x) == infinite) return x > 0 ? -1 : 1;
    if (without_sign(x) < beyond_int || (x < 0) != (big->sign < 0)) return big->sign;
    size_t length = hwri_digits_of_double(x, digits);
    return big->sign * hwri_digits_compare(big->digits, big->length, digits, length);
}

static hwr_result compare_floats(hwr_heap *heap, const void *a, const void *b, unsigned depth, int *order) {
    (void)heap, (void)depth;
    bool a_float = hwri_is_of_type(a, HWRI_FLOAT_TYPE), b_float = hwri_is_of_type(b, HWRI_FLOAT_TYPE);
    double x = a_float ? ((const hwri_float *)a)->value : 0, y = b_float ? ((const hwri_float *)b)->value : 0;
    if (is_nan(x) || is_nan(y)) return HWR_BAD_VALUE;
    if (a_float && b_float)
        *order = (x > y) - (x < y);
    else
        *order = a_float ? -compare_int_with(b, x) : compare_int_with(a, y);
    return HWR_OK;
}

static hwr_result equal_floats(hwr_heap *heap, const void *a, const void *b, unsigned depth, bool *equal) {
    int order;
    *equal = compare_floats(heap, a, b, depth, &order) == HWR_OK && order == 0;
    return HWR_OK;
}

/* A whole number has the hash of the int. NaNs, which equal nothing, have that of their identity, so that many of them do not meet in one place. */
static hwr_result hash_float(hwr_heap *heap, const void *object, unsigned depth, uint64_t *hash) {
    (void)depth;
    double value = ((const hwri_float *)object)->value;
    uint32_t digits[HWRI_DOUBLE_DIGITS];
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (is_nan(value)) return hwri_hash_identity(heap, object, hash);
    if (!is_whole(value))
        *hash = hwri_hash_word(heap, bits);
    else if (value >= -beyond_int && value < beyond_int)
        *hash = hwri_hash_word(heap, (uint64_t)(int64_t)value);
    else
        *hash = hwri_hash_digits(heap, digits, hwri_digits_of_double(value, digits), value < 0);
    return HWR_OK;
}

const hwri_kind_ops hwri_float_ops = {
    .equal = equal_floats, .compare = compare_floats, .hash = hash_float, .repr = repr_float};
