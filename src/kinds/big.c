/* big: arithmetic on the digits of large ints, as it is done on paper. */
#include "kinds/big.h"

#include <string.h>

int hwri_digits_compare(const uint32_t *a, size_t a_length, const uint32_t *b, size_t b_length) {
    if (a_length != b_length) return a_length < b_length ? -1 : 1;
    for (size_t i = a_length; i-- > 0;)
        if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
    return 0;
}

void hwri_digits_add(uint32_t *sum, const uint32_t *a, size_t a_length, const uint32_t *b, size_t b_length) {
    uint64_t carry = 0;
    for (size_t i = 0; i < b_length; i++) {
        carry += (uint64_t)a[i] + b[i];
        sum[i] = (uint32_t)carry;
        carry >>= 32;
    }
    for (size_t i = b_length; i < a_length; i++) {
        carry += a[i];
        sum[i] = (uint32_t)carry;
        carry >>= 32;
    }
    sum[a_length] = (uint32_t)carry;
}

void hwri_digits_subtract(uint32_t *difference, const uint32_t *a, size_t a_length, const uint32_t *b,
                          size_t b_length) {
    uint64_t borrow = 0;
    for (size_t i = 0; i < a_length; i++) {
        uint64_t left = (uint64_t)a[i] - (i < b_length ? b[i] : 0) - borrow;
        difference[i] = (uint32_t)left;
        borrow = left >> 63;
    }
}

static uint64_t two_digits(const uint32_t *digits) { return digits[0] | (uint64_t)digits[1] << 32; }
static void put_two_digits(uint32_t *digits, uint64_t value) {
    digits[0] = (uint32_t)value;
    digits[1] = (uint32_t)(value >> 32);
}

/* sum += b * factor, over the digits that b has, two at a time; returns the carry. */
static uint64_t add_multiple(uint32_t *sum, const uint32_t *b, size_t length, uint64_t factor) {
    hwri_u128 carry = 0;
    size_t i = 0;
    for (; i + 1 < length; i += 2) {
        carry += (hwri_u128)factor * two_digits(b + i) + two_digits(sum + i);
        put_two_digits(sum + i, (uint64_t)carry);
        carry >>= 64;
    }
    if (i < length) {
        carry += (hwri_u128)factor * b[i] + sum[i];
        sum[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return (uint64_t)carry;
}

static void multiply_on_paper(uint32_t *product, const uint32_t *a, size_t a_length, const uint32_t *b,
                              size_t b_length) {
    size_t i = 0;
    memset(product, 0, b_length * sizeof *product);
    for (; i + 1 < a_length; i += 2)
        put_two_digits(product + i + b_length, add_multiple(product + i, b, b_length, two_digits(a + i)));
    if (i < a_length) product[i + b_length] = (uint32_t)add_multiple(product + i, b, b_length, a[i]);
}

/* sum += b, where there is room for the carry. */
static void add_into(uint32_t *sum, const uint32_t *b, size_t length) {
    for (uint64_t carry = add_multiple(sum, b, length, 1); carry > 0; carry >>= 32) {
        carry += sum[length];
        sum[length++] = (uint32_t)carry;
    }
}

/* Karatsuba's: of two halves each, (a1 * x + a0) * (b1 * x + b0), three products are enough, since the middle is (a1 + a0) * (b1 + b0) less the other two. */
static void multiply_halves(uint32_t *product, const uint32_t *a, const uint32_t *b, size_t n, uint32_t *scratch) {
    size_t low = n / 2, high = n - low, longer = high + 1;
    uint32_t *a_sum = scratch, *b_sum = a_sum + longer, *middle = b_sum + longer, *rest = middle + 2 * longer;
    hwri_digits_add(a_sum, a + low, high, a, low);
    hwri_digits_add(b_sum, b + low, high, b, low);
    hwri_digits_multiply(middle, a_sum, longer, b_sum, longer, rest);
    hwri_digits_multiply(product, a, low, b, low, rest);
    hwri_digits_multiply(product + 2 * low, a + low, high, b + low, high, rest);
    hwri_digits_subtract(middle, middle, 2 * longer, product, 2 * low);
    hwri_digits_subtract(middle, middle, 2 * longer, product + 2 * low, 2 * high);
    add_into(product + low, middle, hwri_digits_trim(middle, 2 * longer));
}

/* If one is longer it is cut into portions as long as the other. */
void hwri_digits_multiply(uint32_t *product, const uint32_t *a, size_t a_length, const uint32_t *b, size_t b_length,
                          uint32_t *scratch) {
    if (a_length < b_length) {
        hwri_digits_multiply(product, b, b_length, a, a_length, scratch);
    } else if (b_length < HWRI_HALVES_LEAST) {
        multiply_on_paper(product, a, a_length, b, b_length);
    } else if (a_length == b_length) {
        multiply_halves(product, a, b, a_length, scratch);
    } else {
        memset(product, 0, (a_length + b_length) * sizeof *product);
        for (size_t at = 0; at < a_length; at += b_length) {
            size_t n = a_length - at < b_length ? a_length - at : b_length;
            hwri_digits_multiply(scratch, b, b_length, a + at, n, scratch + 2 * b_length);
            add_into(product + at, scratch, hwri_digits_trim(scratch, b_length + n));
        }
    }
}

size_t hwri_digits_scale(uint32_t *digits, size_t length, uint32_t factor, uint32_t more) {
    uint64_t carry = more;
    for (size_t i = 0; i < length; i++) {
        carry += (uint64_t)digits[i] * factor;
        digits[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry) digits[length++] = (uint32_t)carry;
    return length;
}

size_t hwri_digits_scale_by_power(uint32_t *digits, size_t length, uint32_t factor, size_t times) {
    while (times > 0) {
        uint64_t power = factor;
        while (--times > 0 && power * factor <= UINT32_MAX) power *= factor;
        length = hwri_digits_scale(digits, length, (uint32_t)power, 0);
    }
    return length;
}

uint32_t hwri_digits_divide_small(uint32_t *digits, size_t length, uint32_t divisor) {
    uint64_t rest = 0;
    for (size_t i = length; i-- > 0;) {
        rest = rest << 32 | digits[i];
        digits[i] = (uint32_t)(rest / divisor);
        rest %= divisor;
    }
    return (uint32_t)rest;
}

static inline size_t digits_to_radix(uint32_t *places, const uint32_t *digits, size_t length, uint32_t radix) {
    size_t count = 0;
    for (size_t i = length; i-- > 0;) {
        uint32_t carry = digits[i];
        for (size_t k = 0; k < count; k++) {
            uint64_t value = (uint64_t)places[k] << 32 | carry;
            carry = (uint32_t)(value / radix);
            places[k] = (uint32_t)(value - (uint64_t)carry * radix);
        }
        for (; carry > 0; carry /= radix) places[count++] = carry % radix;
    }
    return count;
}

/* A compiler divides faster by what it knows. */
size_t hwri_digits_to_radix(uint32_t *places, const uint32_t *digits, size_t length, uint32_t radix) {
    return radix == 1000000000 ? digits_to_radix(places, digits, length, 1000000000)
                               : digits_to_radix(places, digits, length, radix);
}

static void digits_shift_left(uint32_t *digits, size_t length, unsigned bits) {
    uint32_t below = 0;
    for (size_t i = 0; i < length; i++) {
        uint64_t digit = (uint64_t)digits[i] << bits;
        digits[i] = (uint32_t)digit | below;
        below = (uint32_t)(digit >> 32);
    }
}

static void digits_shift_right(uint32_t *digits, size_t length, unsigned bits) {
    uint32_t above = 0;
    for (size_t i = length; i-- > 0;) {
        uint64_t digit = (uint64_t)digits[i] << 32 >> bits;
        digits[i] = (uint32_t)(digit >> 32) | above;
        above = (uint32_t)digit;
    }
}

/* The next digit of a quotient, from the two uppermost digits of the divisor, whose highest bit is set, and the three of the rest: at most one too large. */
static uint32_t guess_digit(const uint32_t *rest_top, const uint32_t *divisor_top) {
    uint64_t two = (uint64_t)rest_top[0] << 32 | rest_top[-1];
    uint64_t digit = two / divisor_top[0], left = two % divisor_top[0];
    while (digit > UINT32_MAX || digit * divisor_top[-1] > (left << 32 | rest_top[-2])) {
        digit--;
        left += divisor_top[0];
        if (left > UINT32_MAX) break;
    }
    return (uint32_t)digit;
}

/* rest -= divisor * digit, over n + 1 digits; returns whether that was too much. */
static bool take_multiple(uint32_t *rest, const uint32_t *divisor, size_t n, uint32_t digit) {
    uint64_t carry = 0, borrow = 0;
    for (size_t i = 0; i <= n; i++) {
        carry += i < n ? (uint64_t)divisor[i] * digit : 0;
        uint64_t left = (uint64_t)rest[i] - (uint32_t)carry - borrow;
        rest[i] = (uint32_t)left;
        borrow = left >> 63;
        carry >>= 32;
    }
    return borrow != 0;
}

/* Knuth's algorithm D (The Art of Computer Programming, volume 2, 4.3.1). */
void hwri_digits_divide(uint32_t *quotient, uint32_t *rest, size_t length, uint32_t *divisor, size_t n) {
    if (n == 1) {
        memcpy(quotient, rest, length * sizeof *rest);
        rest[0] = hwri_digits_divide_small(quotient, length, divisor[0]);
        return;
    }
    unsigned shift = (unsigned)__builtin_clz(divisor[n - 1]);
    rest[length] = 0;
    digits_shift_left(rest, length + 1, shift);
    digits_shift_left(divisor, n, shift);
    for (size_t at = length - n + 1; at-- > 0;) {
        uint32_t digit = guess_digit(rest + at + n, divisor + n - 1);
        if (take_multiple(rest + at, divisor, n, digit)) {
            uint32_t top = rest[at + n];
            hwri_digits_add(rest + at, rest + at, n, divisor, n);
            rest[at + n] += top;
            digit--;
        }
        quotient[at] = digit;
    }
    digits_shift_right(rest, n, shift);
}

hwri_u128 hwri_digits_top(const uint32_t *digits, size_t length, int64_t *exponent, bool *exact) {
    unsigned shift = (unsigned)__builtin_clz(digits[length - 1]);
    hwri_u128 top = 0;
    uint64_t next = length > 4 ? (uint64_t)digits[length - 5] << shift : 0;
    for (size_t i = 1; i <= 4; i++) top = top << 32 | (i <= length ? digits[length - i] : 0);
    *exponent = (int64_t)length * 32 - 128 - (int64_t)shift;
    *exact = (uint32_t)next == 0 && (length <= 5 || hwri_digits_trim(digits, length - 5) == 0);
    return top << shift | next >> 32;
}

/* ---- and floats ---- */

enum { DOUBLE_BITS = 53, DOUBLE_LEAST = -1022, DOUBLE_MOST = 1023 };

double hwri_double_of(uint64_t value, int64_t exponent, bool exact) {
    if (value == 0) return 0;
    int shift = __builtin_clzll(value);
    int64_t top = exponent + 63 - shift;
    if (top > DOUBLE_MOST) return __builtin_inf();
    int64_t dropped = 64 - DOUBLE_BITS + (top < DOUBLE_LEAST ? DOUBLE_LEAST - top : 0);
    if (dropped > 64) return 0;
    value <<= shift;
    uint64_t kept = dropped == 64 ? 0 : value >> dropped, half = (uint64_t)1 << (dropped - 1);
    uint64_t rest = value - (dropped == 64 ? 0 : kept << dropped);
    kept += rest > half || (rest == half && (!exact || (kept & 1)));
    uint64_t bits = kept + (top < DOUBLE_LEAST ? 0 : (uint64_t)(top - DOUBLE_LEAST) << (DOUBLE_BITS - 1));
    double result;
    memcpy(&result, &bits, sizeof result);
    return result;
}

double hwri_digits_double(const uint32_t *digits, size_t length, int64_t exponent, bool exact) {
    int64_t shift;
    bool all;
    hwri_u128 top = hwri_digits_top(digits, length, &shift, &all);
    return hwri_double_of((uint64_t)(top >> 64), exponent + shift + 64, exact && all && (uint64_t)top == 0);
}

/* The dividend is cut or filled up with zeroes to three digits more than the divisor, so that the quotient has 65 bits at least. */
double hwri_digits_ratio(const uint32_t *a, size_t a_length, const uint32_t *b, size_t b_length, int64_t exponent,
                         uint32_t *scratch) {
    size_t length = b_length + 3, kept = a_length < length ? a_length : length, cut = a_length - kept;
    uint32_t *rest = scratch, *divisor = rest + length + 1, quotient[4] = {0};
    memset(rest, 0, (length - kept) * sizeof *rest);
    memcpy(rest + length - kept, a + cut, kept * sizeof *rest);
    memcpy(divisor, b, b_length * sizeof *divisor);
    hwri_digits_divide(quotient, rest, length, divisor, b_length);
    bool exact = hwri_digits_trim(rest, b_length) == 0 && hwri_digits_trim(a, cut) == 0;
    exponent += 32 * ((int64_t)a_length - (int64_t)length);
    return hwri_digits_double(quotient, hwri_digits_trim(quotient, 4), exponent, exact);
}

uint64_t hwri_double_parts(double value, int *exponent) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    int field = (int)(bits >> (DOUBLE_BITS - 1) & 0x7FF);
    uint64_t one = (uint64_t)1 << (DOUBLE_BITS - 1), fraction = bits & (one - 1);
    *exponent = (field ? field : 1) + DOUBLE_LEAST - DOUBLE_BITS;
    return field ? fraction | one : fraction;
}

size_t hwri_digits_of_double(double value, uint32_t digits[HWRI_DOUBLE_DIGITS]) {
    int exponent;
    uint64_t parts = hwri_double_parts(value, &exponent);
    if (exponent <= 0) return hwri_digits_of(exponent > -64 ? parts >> -exponent : 0, digits);
    size_t below = (size_t)exponent / 32;
    unsigned shift = (unsigned)exponent % 32;
    hwri_u128 shifted = (hwri_u128)parts << shift;
    memset(digits, 0, below * sizeof *digits);
    size_t length = below;
    for (; shifted; shifted >>= 32) digits[length++] = (uint32_t)shifted;
    return length;
}
