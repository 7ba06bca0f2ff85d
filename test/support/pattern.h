/* Content that can be recognised. Every word depends on a seed and on its offset, so that a block that was overwritten by a neighbour,
 * moved by a wrong distance or copied short does not pass. In a block above PATTERN_WHOLE bytes only both ends and some words
 * between are written, to keep tests with large blocks quick. */
#ifndef TEST_SUPPORT_PATTERN_H
#define TEST_SUPPORT_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PATTERN_WHOLE = 8192, PATTERN_END = 1024, PATTERN_WORDS = 64 };

void pattern_fill(void *block, size_t size, uint64_t seed);

/* Whether the first `size` bytes still hold what pattern_fill wrote when the block had `filled` bytes (filled >= size). */
bool pattern_holds(const void *block, size_t size, size_t filled, uint64_t seed);

/* Whether all `size` bytes are zero. */
bool pattern_is_zero(const void *block, size_t size);

#endif
