/* freed.h: which blocks of Python's objects were freed while a snapshot was out. */
#ifndef HWRI_CPYTHON_FREED_H
#define HWRI_CPYTHON_FREED_H

#include "allocator.h"

/* One bit for each granule of the addresses that the pool's map covers, set when a block that begins there is freed. Mapped once, at the
 * first snapshot, and then never unmapped, so that other interpreters' threads may be just writing to it when it is no longer wanted: addresses only, memory where
 * blocks were freed. Blocks outside the map are not recorded, and never candidates.
 *
 * While blocks are recorded, the pool's short way of freeing is closed (quick_slices is 0), so that freeing takes the way on which this is looked at:
 * otherwise it costs nothing. */
struct hwri_freed {
    atomic_bool on;
    uintptr_t base;
    size_t granules;
    uint64_t *bits;
};

extern struct hwri_freed hwri_freed;

bool hwri_freed_start(void); /* false without memory */
void hwri_freed_stop(void);

static inline bool hwri_freed_is_on(void) { return atomic_load_explicit(&hwri_freed.on, memory_order_relaxed); }

static inline void hwri_freed_note(const void *block) {
    size_t granule = ((uintptr_t)block - hwri_freed.base) / 16;
    if (!hwri_freed_is_on() || granule >= hwri_freed.granules) return;
    uint64_t *word = &hwri_freed.bits[granule / 64], bit = (uint64_t)1 << granule % 64;
    if (objects_shared)
        __atomic_fetch_or(word, bit, __ATOMIC_RELAXED);
    else
        *word |= bit;
}

static inline bool hwri_freed_has(const void *block) {
    size_t granule = ((uintptr_t)block - hwri_freed.base) / 16;
    return granule >= hwri_freed.granules || (hwri_freed.bits[granule / 64] >> granule % 64 & 1);
}

#endif
