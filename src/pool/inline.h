/* The hot paths. They are inline so that a host or a collector inside the library can compile them into its own functions; `shared` is
 * then a constant. The public functions in block.c are the same code behind one predictable branch. Not for checked pools. */
#ifndef HWRI_POOL_INLINE_H
#define HWRI_POOL_INLINE_H

#include "pool/internal.h"

static inline hwri_local *hwri_local_of(hwr_pool *pool, bool shared) {
#if HWRI_THREADS
    if (shared) {
        const hwri_tls_entry *entry = &hwri_tls[pool->tls_slot];
        return hwri_likely(entry->pool_id == pool->id) ? entry->local : NULL;
    }
#else
    (void)shared;
#endif
    return &pool->own;
}

static inline void *hwri_pool_alloc(hwr_pool *pool, size_t size, bool shared) {
    hwri_local *local = hwri_local_of(pool, shared);
    if (hwri_likely(local && size <= HWRI_DIRECT_BYTES)) {
        hwri_page *page = local->direct[(size + 7) / 8];
        hwri_block *block = page->free;
        if (hwri_likely(block != NULL)) {
            page->free = block->next;
            hwri_count(&page->until, 1, shared);
            return block;
        }
    }
    return hwri_page_alloc_slow(pool, local, size);
}

/* The page of any address, or NULL. */
static inline hwri_page *hwri_page_of(hwr_pool *pool, const void *address) {
    uintptr_t slice = ((uintptr_t)address - pool->window) >> pool->slice_shift;
    if (hwri_likely(slice < pool->map_slices)) return hwri_load_relaxed(&pool->map[slice]);
    return hwri_page_of_far(pool, address);
}

static inline void hwri_page_free(hwr_pool *pool, hwri_page *page, void *address, bool shared) {
    hwri_block *block = address;
    if (shared && hwri_unlikely(hwri_load_relaxed(&page->thread) != hwri_thread_token())) {
        hwri_page_free_remote(pool, page, block);
        return;
    }
    block->next = page->free;
    page->free = block;
    hwri_count(&page->until, (uint32_t)-1, shared);
    if (hwri_unlikely(page->until == 0)) hwri_page_free_event(pool, page);
}

/* Frees a block, or returns false if it is not of this pool. Any address is allowed. */
static inline bool hwri_pool_try_free(hwr_pool *pool, void *block, bool shared) {
    hwri_page *page = hwri_page_of(pool, block);
    if (hwri_unlikely(page == NULL)) return false;
    hwri_page_free(pool, page, block, shared);
    return true;
}

#endif
