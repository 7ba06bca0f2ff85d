/* The hot paths. They are inline so that a host or a collector inside the library can compile them into its own functions; `shared` is
 * then a constant. The public functions in block.c are the same code behind one predictable branch. Not for checked pools. */
#ifndef HWRI_POOL_INLINE_H
#define HWRI_POOL_INLINE_H

#include "pool/internal.h"

#if HWRI_THREADS
/* A place that is equally far from hwri_tls in every thread: the thread pointer, if the compiler knows it, saves a load. */
static inline uintptr_t hwri_tls_base(void) {
#ifdef HWRI_HAS_THREAD_POINTER
    return hwri_thread_token();
#else
    return (uintptr_t)hwri_tls;
#endif
}

static inline hwri_tls_entry *hwri_tls_entry_of(const hwr_pool *pool) {
    return (hwri_tls_entry *)(hwri_tls_base() + pool->tls_offset);
}
#endif

/* The calling thread's part of a shared pool if it is in the thread's table, otherwise NULL. */
static inline hwri_local *hwri_local_at_hand(const hwr_pool *pool) {
#if HWRI_THREADS
    const hwri_tls_entry *entry = hwri_tls_entry_of(pool);
    if (hwri_likely(entry->pool_id == pool->id)) return entry->local;
#else
    (void)pool;
#endif
    return NULL;
}

static inline void *hwri_local_alloc(hwr_pool *pool, hwri_local *local, size_t size, bool shared) {
    if (hwri_likely(size <= HWRI_DIRECT_BYTES)) {
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

static inline void *hwri_pool_alloc(hwr_pool *pool, size_t size, bool shared) {
    if (!shared) return hwri_local_alloc(pool, &pool->own, size, false);
    hwri_local *local = hwri_local_at_hand(pool);
    if (hwri_likely(local != NULL)) return hwri_local_alloc(pool, local, size, true);
    return hwri_page_alloc_slow(pool, NULL, size);
}

static inline hwri_page *hwri_map_entry(const hwr_pool *pool, uintptr_t slice) {
    return hwri_load_relaxed(
        (hwri_page *const *)((uintptr_t)pool + offsetof(hwr_pool, map) + slice * sizeof(hwri_page *)));
}

/* The page of any address, or NULL. */
static inline hwri_page *hwri_page_of(hwr_pool *pool, const void *address) {
    uintptr_t slice = ((uintptr_t)address - pool->window) >> HWRI_SLICE_SHIFT;
    hwri_page *page = hwri_likely(slice < pool->quick_slices) ? hwri_map_entry(pool, slice) : NULL;
    return hwri_likely(page != NULL) ? page : hwri_page_of_any(pool, address);
}

/* Frees a block to its page, which belongs to the calling thread. */
static inline void hwri_page_free_own(hwr_pool *pool, hwri_page *page, void *address, bool shared) {
    hwri_block *block = address;
    block->next = page->free;
    page->free = block;
    if (hwri_unlikely(hwri_count(&page->until, (uint32_t)-1, shared) == 0)) hwri_page_free_event(pool, page);
}

static inline void hwri_page_free(hwr_pool *pool, hwri_page *page, void *address, bool shared) {
    if (hwri_likely(!shared || hwri_load_relaxed(&page->thread) == hwri_thread_token()))
        hwri_page_free_own(pool, page, address, shared);
    else
        hwri_page_free_remote(pool, page, address);
}

/* Frees a block that the map leads to, as it does to nearly all; otherwise returns false, and hwri_pool_try_free decides. */
static inline bool hwri_pool_free_quick(hwr_pool *pool, void *block, bool shared) {
    uintptr_t slice = ((uintptr_t)block - pool->window) >> HWRI_SLICE_SHIFT;
    hwri_page *page = hwri_likely(slice < pool->quick_slices) ? hwri_map_entry(pool, slice) : NULL;
    if (hwri_unlikely(page == NULL)) return false;
    hwri_page_free(pool, page, block, shared);
    return true;
}

/* Frees a block, or returns false if it is not of this pool. Any address is allowed. */
static inline bool hwri_pool_try_free(hwr_pool *pool, void *block, bool shared) {
    hwri_page *page = hwri_page_of(pool, block);
    if (hwri_unlikely(page == NULL)) return false;
    hwri_page_free(pool, page, block, shared);
    return true;
}

#endif
