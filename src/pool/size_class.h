/* Size classes: granules 1 to 64 have a class each, above that there are 32 classes to every doubling, so that at most a
 * thirty-second of a block is wasted. Classes are numbered from 0; which of them a pool uses depends on its slice size, since the
 * largest block that shares a page is one slice. */
#ifndef HWRI_POOL_SIZE_CLASS_H
#define HWRI_POOL_SIZE_CLASS_H

#include <stddef.h>

enum {
    HWRI_LINEAR_CLASSES = 64,
    HWRI_STEPS_SHIFT = 5, /* 2^5 classes to a doubling */
    HWRI_STEPS = 1 << HWRI_STEPS_SHIFT,
    HWRI_CLASSES = HWRI_LINEAR_CLASSES + 7 * HWRI_STEPS /* up to 64 KiB at a granularity of 8 bytes */
};

/* The smallest class whose blocks hold `size` bytes, 0 counting as 1. */
static inline unsigned hwri_class_of(size_t size, unsigned granule_shift) {
    size_t granules = size ? (size + ((size_t)1 << granule_shift) - 1) >> granule_shift : 1;
    if (granules <= HWRI_LINEAR_CLASSES) return (unsigned)granules - 1;
    size_t top = granules - 1; /* at least HWRI_LINEAR_CLASSES */
    unsigned bits = (unsigned)(sizeof(unsigned long) * 8 - 1 - (unsigned)__builtin_clzl((unsigned long)top));
    unsigned shift = bits - HWRI_STEPS_SHIFT; /* 1 for the first doubling after the linear classes */
    return HWRI_LINEAR_CLASSES + (shift - 1) * HWRI_STEPS + (unsigned)((top >> shift) & (HWRI_STEPS - 1));
}

static inline size_t hwri_class_size(unsigned number, unsigned granule_shift) {
    if (number < HWRI_LINEAR_CLASSES) return (size_t)(number + 1) << granule_shift;
    unsigned step = number - HWRI_LINEAR_CLASSES;
    return (size_t)(HWRI_STEPS + 1 + step % HWRI_STEPS) << (1 + step / HWRI_STEPS) << granule_shift;
}

#endif
