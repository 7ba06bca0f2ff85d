/* freed: starting and stopping the record of freed blocks. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "freed.h"

#include "pool/internal.h"

#include <sys/mman.h>

struct hwri_freed hwri_freed;

static uintptr_t quick_slices; /* the pool's own, while it has none */

static bool map_bits(const hwr_pool *pool) {
    size_t granules = (pool->map_slices << pool->slice_shift) / 16;
    if (hwri_freed.bits != NULL) return true;
    void *bits = mmap(NULL, granules / 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (bits == MAP_FAILED) return false;
    madvise(bits, granules / 8, MADV_NOHUGEPAGE);
    hwri_freed.base = pool->window;
    hwri_freed.granules = granules;
    hwri_freed.bits = bits;
    return true;
}

bool hwri_freed_start(void) {
    hwr_pool *pool = hwri_domains[HWRI_OBJ].pool;
    if (!map_bits(pool)) return false;
    quick_slices = pool->quick_slices;
    atomic_store(&hwri_freed.on, true);
    hwri_store_relaxed(&pool->quick_slices, 0);
    return true;
}

void hwri_freed_stop(void) {
    if (!hwri_freed_is_on()) return;
    hwri_store_relaxed(&hwri_domains[HWRI_OBJ].pool->quick_slices, quick_slices);
    atomic_store(&hwri_freed.on, false);
    madvise(hwri_freed.bits, hwri_freed.granules / 8, MADV_DONTNEED);
}
