/* space.h: the one range of addresses that all objects are in, and what the write barrier is told of it.
 *
 * The barrier compares with bounds that are written into code, so they never change: the range is reserved once. The lower half is for regions, the upper half for large objects;
 * both are raw allocators of their own (raw/range.c). A byte for each 2 KiB of it is a card, and one for each 2 MiB a bundle of cards: addresses that cost no memory until they are
 * written to. */
#ifndef CLR_SPACE_H
#define CLR_SPACE_H

#include "clr.h"

#include "heapwright/raw.h"

typedef struct clr_space {
    uintptr_t low, middle, high;
    hwr_raw *regions, *large;
    uint8_t *cards, *bundles; /* not biased: the first is that of `low` */
} clr_space;
extern clr_space clr_objects;

/* False, with nothing left behind, without addresses or memory. */
bool clr_space_open(void);

/* Tells the runtime; not before its own initialisation of the heap. */
void clr_space_set_barrier(void);

static inline bool clr_in_space(const void *address) {
    return (uintptr_t)address - clr_objects.low < clr_objects.high - clr_objects.low;
}

#endif
