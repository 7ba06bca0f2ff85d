/* The digits of large ints: arrays of 32 bits each, the least first. Nothing here allocates or knows objects; a length never counts zeroes on top unless it is said, and
 * zero has none. Results may not overlap operands where it is not said. */
#ifndef HWRI_KINDS_BIG_H
#define HWRI_KINDS_BIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 hwri_u128;

/* The length without zeroes on top; 64 bits as digits. */
static inline size_t hwri_digits_trim(const uint32_t *digits, size_t length) {
    while (length > 0 && digits[length - 1] == 0) length--;
    return length;
}
static inline size_t hwri_digits_of(uint64_t value, uint32_t digits[2]) {
    digits[0] = (uint32_t)value;
    digits[1] = (uint32_t)(value >> 32);
    return hwri_digits_trim(digits, 2);
}

int hwri_digits_compare(const uint32_t *a, size_t a_length, const uint32_t *b, size_t b_length);

/* sum has a_length + 1 digits, difference a_length, with zeroes on top. a is not shorter, or not less. The result may be a or b. */
void hwri_digits_add(uint32_t *sum, const uint32_t *a, size_t a_length, const uint32_t *b, size_t b_length);
void hwri_digits_subtract(uint32_t *difference, const uint32_t *a, size_t a_length, const uint32_t *b, size_t b_length);

/* product has a_length + b_length digits, the uppermost of which may be zero. Scratch memory is needed by what is long. */
enum { HWRI_HALVES_LEAST = 64 };
static inline size_t hwri_multiply_scratch(size_t a_length, size_t b_length) {
    size_t shorter = a_length < b_length ? a_length : b_length;
    return shorter < HWRI_HALVES_LEAST ? 0 : 10 * shorter + 512;
}
void hwri_digits_multiply(uint32_t *product, const uint32_t *a, size_t a_length, const uint32_t *b, size_t b_length,
                          uint32_t *scratch);

/* In place: digits * factor + more, and digits * factor ** times; they return the new length, for which there must be room. */
size_t hwri_digits_scale(uint32_t *digits, size_t length, uint32_t factor, uint32_t more);
size_t hwri_digits_scale_by_power(uint32_t *digits, size_t length, uint32_t factor, size_t times);

/* In place: divides, and returns the remainder. The length stays. */
uint32_t hwri_digits_divide_small(uint32_t *digits, size_t length, uint32_t divisor);

/* The same number to another radix, the least place first; returns how many places it has. Enough for them is length + length / 4 + 2 if the radix is not below 2 ** 26. */
size_t hwri_digits_to_radix(uint32_t *places, const uint32_t *digits, size_t length, uint32_t radix);

/* quotient gets length - n + 1 digits. `rest` is the dividend, with room for one digit more, and becomes the remainder, n digits: either may have zeroes on top. length >= n > 0; the divisor is
 * changed, too. */
void hwri_digits_divide(uint32_t *quotient, uint32_t *rest, size_t length, uint32_t *divisor, size_t n);

/* The uppermost 128 bits, the first of which is set: digits = *exactly* or a little more than the result * 2 ** *exponent. Of no zero. */
hwri_u128 hwri_digits_top(const uint32_t *digits, size_t length, int64_t *exponent, bool *exact);

/* ---- and floats ---- */

/* The finite value * 2 ** exponent, rounded to nearest, ties to even; infinity if it is too large. If it is not exact a little more is meant, and the value has at least 55 bits. */
double hwri_double_of(uint64_t value, int64_t exponent, bool exact);
double hwri_digits_double(const uint32_t *digits, size_t length, int64_t exponent, bool exact);

/* a / b * 2 ** exponent, rounded likewise. Neither is zero. */
#define HWRI_RATIO_SCRATCH(b_length) (2 * (b_length) + 4)
double hwri_digits_ratio(const uint32_t *a, size_t a_length, const uint32_t *b, size_t b_length, int64_t exponent,
                         uint32_t *scratch);

/* The other way: a finite double, without its sign, is what is returned * 2 ** *exponent; and the digits of its integral part. */
uint64_t hwri_double_parts(double value, int *exponent);
enum { HWRI_DOUBLE_DIGITS = 33 };
size_t hwri_digits_of_double(double value, uint32_t digits[HWRI_DOUBLE_DIGITS]);

#endif
