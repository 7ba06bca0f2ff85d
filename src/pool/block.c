/* The public calls on blocks. Each is the hot path of inline.h behind one branch on the kind of pool. */
#include <string.h>

#include "heapwright/pool.h"
#include "pool/checked.h"
#include "pool/inline.h"
#include "pool/misuse.h"

enum { LARGEST_ALIGNMENT = 16 << 20 };

#define CALLER __builtin_return_address(0)

_Noreturn static void foreign(const char *call, const void *block, const void *site) {
    hwri_misuse_abort(
        &(hwri_misuse){.what = "not a block of this pool", .call = call, .address = block, .called_by = site});
}

/* What is rare, out of line so that the rest needs no stack frame. */
__attribute__((noinline)) static void *alloc_rare(hwr_pool *pool, size_t size, const void *site) {
    return pool->checked ? hwri_checked_alloc(pool, size, 0, false, site) : hwri_pool_alloc(pool, size, pool->shared);
}

__attribute__((noinline)) static void free_rare(hwr_pool *pool, void *block, const void *site) {
    if (!block) return;
    if (pool->checked)
        hwri_checked_free(pool, block, site);
    else if (!hwri_pool_try_free(pool, block, pool->shared))
        foreign("hwr_pool_free", block, site);
}

/* The first test of each function is enough for a shared pool and decides for the others too: a pool that is not shared has no
 * entry in any thread's table, and its pages belong to no thread; a checked pool has neither a quick id nor quick slices. */
void *hwr_pool_alloc(hwr_pool *pool, size_t size) {
#if HWRI_THREADS
    const hwri_tls_entry *entry = hwri_tls_entry_of(pool);
    if (hwri_likely(entry->pool_id == pool->quick_id)) return hwri_local_alloc(pool, entry->local, size, true);
#endif
    if (hwri_likely(!pool->shared && !pool->checked)) return hwri_local_alloc(pool, &pool->own, size, false);
    return alloc_rare(pool, size, CALLER);
}

void hwr_pool_free(hwr_pool *pool, void *block) {
    uintptr_t slice = ((uintptr_t)block - pool->window) >> HWRI_SLICE_SHIFT;
    hwri_page *page = hwri_likely(slice < pool->quick_slices) ? hwri_map_entry(pool, slice) : NULL;
    if (hwri_likely(page && hwri_load_relaxed(&page->thread) == hwri_thread_token()))
        hwri_page_free_own(pool, page, block, true);
    else if (hwri_likely(page && !pool->shared))
        hwri_page_free_own(pool, page, block, false);
    else
        free_rare(pool, block, CALLER);
}

/* A class whose blocks, lying end to end from an aligned start, are all aligned. */
static void *alloc_aligned_class(hwr_pool *pool, size_t size, size_t alignment) {
    unsigned c = hwri_class_of((size + alignment - 1) & ~(alignment - 1), pool->granule_shift);
    while (c < pool->class_count && hwri_class_size(c, pool->granule_shift) & (alignment - 1)) c++;
    if (c == pool->class_count) return hwri_large_alloc(pool, size, alignment);
    return hwri_page_alloc_exact(pool, pool->shared ? hwri_local_at_hand(pool) : &pool->own, c);
}

void *hwri_pool_alloc_at(hwr_pool *pool, size_t size, size_t alignment) {
    if (alignment <= (size_t)1 << pool->granule_shift) return hwri_pool_alloc(pool, size, pool->shared);
    size_t slice = hwri_slice_size(pool);
    if (size <= slice && alignment <= slice) return alloc_aligned_class(pool, size, alignment);
    return hwri_large_alloc(pool, size, alignment);
}

static void *alloc_zeroed(hwr_pool *pool, size_t size) {
    if (size > hwri_slice_size(pool)) {
        hwri_page *page = hwri_large_new(pool, size, 0);
        if (!page) return NULL;
        return page->zeroed ? page->start : memset(page->start, 0, size);
    }
    void *block = hwri_pool_alloc(pool, size, pool->shared);
    return block ? memset(block, 0, size) : NULL;
}

void *hwr_pool_alloc_zeroed(hwr_pool *pool, size_t count, size_t item_size) {
    size_t size = count * item_size;
    if (item_size && size / item_size != count) return NULL;
    if (pool->checked) return hwri_checked_alloc(pool, size, 0, true, CALLER);
    return alloc_zeroed(pool, size);
}

void *hwr_pool_alloc_aligned(hwr_pool *pool, size_t size, size_t alignment) {
    if (!alignment || alignment & (alignment - 1) || alignment > LARGEST_ALIGNMENT) return NULL;
    if (pool->checked) return hwri_checked_alloc(pool, size, alignment, false, CALLER);
    return hwri_pool_alloc_at(pool, size, alignment);
}

/* In place while less than a quarter would be wasted; a large block as its slices allow. */
void *hwri_pool_realloc(hwr_pool *pool, hwri_page *page, void *block, size_t size) {
    size_t old_size = hwri_page_block_size(page), granule = (size_t)1 << pool->granule_shift;
    if (page->large_size) {
        void *resized = size > hwri_slice_size(pool) ? hwri_large_resize(pool, page, size) : NULL;
        if (resized) return resized;
    } else if (size <= old_size && (old_size - size < old_size / 4 || old_size - size < granule)) {
        return block;
    }
    void *moved = hwri_pool_alloc(pool, size, pool->shared);
    if (!moved) return size <= old_size ? block : NULL;
    memcpy(moved, block, size < old_size ? size : old_size);
    hwri_page_free(pool, page, block, pool->shared);
    return moved;
}

void *hwr_pool_realloc(hwr_pool *pool, void *block, size_t size) {
    if (!block) return pool->checked ? hwri_checked_alloc(pool, size, 0, false, CALLER) : hwr_pool_alloc(pool, size);
    if (pool->checked) return hwri_checked_realloc(pool, block, size, CALLER);
    hwri_page *page = hwri_page_of(pool, block);
    if (!page) foreign("hwr_pool_realloc", block, CALLER);
    return hwri_pool_realloc(pool, page, block, size);
}

size_t hwr_pool_usable_size(hwr_pool *pool, const void *block) {
    if (pool->checked) return hwri_checked_usable_size(pool, block, CALLER);
    hwri_page *page = hwri_page_of(pool, block);
    if (!page) foreign("hwr_pool_usable_size", block, CALLER);
    return hwri_page_block_size(page);
}

bool hwr_pool_owns(hwr_pool *pool, const void *address) { return hwri_page_of(pool, address) != NULL; }

size_t hwr_pool_trim(hwr_pool *pool, bool now) {
    hwri_local *local = pool->shared ? hwri_local_at_hand(pool) : &pool->own;
    hwri_pool_lock(pool);
    size_t before = pool->given_back;
    hwri_pool_unlock(pool);
    if (local) hwri_local_trim(pool, local);
    hwri_pool_lock(pool);
    hwri_orphans_sweep(pool);
    hwri_chunks_look(pool, now);
    size_t given = pool->given_back - before;
    hwri_pool_unlock(pool);
    return given;
}
