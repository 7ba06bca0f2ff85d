/* What int and float have between them. */
#ifndef HWRI_KINDS_NUMBER_H
#define HWRI_KINDS_NUMBER_H

#include "kinds/big.h"
#include "kinds/kinds.h"

/* Whether an int or bool fits 64 bits, and its value. */
static inline bool hwri_small_value(const void *number, int64_t *value) {
    if (hwri_is_of_type(number, HWRI_INT_TYPE))
        *value = ((const hwri_int *)number)->value;
    else if (hwri_is_of_type(number, HWRI_BOOL_TYPE))
        *value = ((const hwri_bool *)number)->value != 0;
    else
        return false;
    return true;
}

static inline uint64_t hwri_magnitude(int64_t value) { return value < 0 ? 0 - (uint64_t)value : (uint64_t)value; }

/* A hash of 64 bits, in a few instructions: a product with one half of a secret, after the other half has changed what is multiplied, and another that carries its upper bits, where
 * regular numbers differ the most, into the lower. */
static inline uint64_t hwri_hash_word(const hwr_heap *heap, uint64_t word) {
    uint64_t secret[2];
    memcpy(secret, heap->kinds->secret, sizeof secret);
    hwri_u128 product = (hwri_u128)(word ^ secret[0]) * (secret[1] | 1);
    uint64_t folded = (uint64_t)product ^ (uint64_t)(product >> 64);
    folded = (folded ^ folded >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    return folded ^ folded >> 32;
}
uint64_t hwri_hash_digits(const hwr_heap *heap, const uint32_t *digits, size_t length, bool negative);

/* An int of 64 bits without a sign. NULL without memory. */
void *hwri_int_unsigned(hwr_heap *heap, uint64_t value);

static inline void *hwri_new_float(hwr_heap *heap, double value) {
    hwri_float *number = hwri_new_leaf(heap, hwri_kind_type(HWRI_FLOAT_TYPE), sizeof *number);
    if (number) number->value = value;
    return number;
}

/* As / and // and % do it in Python; the divisor is not zero. */
double hwri_floor_quotient(double a, double b);
double hwri_floor_rest(double a, double b);

/* Digits of a number to base 2 to 36, up to `end`; returns where they start. */
char *hwri_write_digits(char *end, uint64_t value, unsigned base);

/* ---- reading text ---- */

/* Text without the spaces around it and without its sign. */
typedef struct hwri_number_text {
    const char *at, *end;
    bool negative;
} hwri_number_text;
hwri_number_text hwri_number_text_of(const char *text, size_t size);

/* Takes the next digit of a base from 2 to 36, and a '_' in front of it where one is allowed. Returns -1, and takes nothing, if there is none. */
static inline int hwri_take_digit(hwri_number_text *text, unsigned base, bool underscore) {
    const char *at = text->at;
    if (underscore && at < text->end && *at == '_') at++;
    if (at == text->end) return -1;
    unsigned digit = (unsigned)(unsigned char)*at - '0';
    if (digit > 9) {
        unsigned letter = ((unsigned)(unsigned char)*at | 0x20) - 'a';
        digit = letter < 26 ? letter + 10 : base;
    }
    if (digit >= base) return -1;
    text->at = at + 1;
    return (int)digit;
}

#endif
