/* number: int, of any size, and float.
 *
 * An int that fits 64 bits takes 16 bytes with its header; those from -5 to 256 are shared. A larger one has as many digits of 32 bits as it needs. A float takes 16 bytes.
 *
 * Thread rule: as heap.h.
 */
#ifndef HEAPWRIGHT_NUMBER_H
#define HEAPWRIGHT_NUMBER_H

#include "kinds.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A new reference to an int, a float. NULL without memory. */
HWR_API void *hwr_int(hwr_heap *heap, int64_t value);
HWR_API void *hwr_float(hwr_heap *heap, double value);

/* The value. HWR_WRONG_KIND if it is no int (a bool is one: 0 or 1), no number; HWR_OUT_OF_RANGE if it does not fit. hwr_float_get takes ints, too, rounded to nearest. */
HWR_API hwr_result hwr_int_get(const void *object, int64_t *value);
HWR_API hwr_result hwr_float_get(const void *object, double *value);

/* From text, as int(text, base) and float(text) read it: white space around, a sign, underscores between digits; base 2 to 36, or 0 for what a prefix (0x, 0o, 0b) says; inf and nan. ASCII only: the
 * digits and spaces of other scripts, which Python takes, are HWR_BAD_VALUE. Any number of digits, which takes time in its square. `size` in bytes. */
HWR_API hwr_result hwr_int_parse(hwr_heap *heap, const char *text, size_t size, int base, void **number);
HWR_API hwr_result hwr_float_parse(hwr_heap *heap, const char *text, size_t size, void **number);

/* A new str with an int's digits in a base from 2 to 36, lower case, without a prefix; otherwise HWR_BAD_VALUE. */
HWR_API hwr_result hwr_int_format(hwr_heap *heap, const void *number, int base, void **text);

/* Arithmetic, as Python's: on ints of any size; a float or an int and a float give a float. hwr_divide is true division (/), hwr_floor_divide and hwr_modulo
 * round towards minus infinity (//, %). HWR_WRONG_KIND for what is no number, HWR_DIVIDED_BY_ZERO, HWR_OUT_OF_RANGE if an int, or the quotient of two, is too large for the float
 * that it would have to become. Floats that grow too large are infinite. */
HWR_API hwr_result hwr_add(hwr_heap *heap, const void *a, const void *b, void **result);
HWR_API hwr_result hwr_subtract(hwr_heap *heap, const void *a, const void *b, void **result);
HWR_API hwr_result hwr_multiply(hwr_heap *heap, const void *a, const void *b, void **result);
HWR_API hwr_result hwr_divide(hwr_heap *heap, const void *a, const void *b, void **result);
HWR_API hwr_result hwr_floor_divide(hwr_heap *heap, const void *a, const void *b, void **result);
HWR_API hwr_result hwr_modulo(hwr_heap *heap, const void *a, const void *b, void **result);
HWR_API hwr_result hwr_negate(hwr_heap *heap, const void *a, void **result);

#ifdef __cplusplus
}
#endif

#endif
