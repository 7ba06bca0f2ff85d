/* The public calls on blocks. Each is the hot path of inline.h behind one branch on the kind of pool. */
#include <string.h>

#include "heapwright/pool.h"
#include "pool/checked.h"
#include "pool/inline.h"
#include "pool/misuse.h"

enum { LARGEST_ALIGNMENT = 16 << 20 };

#define CALLER __builtin_return_address(0)

_Noreturn static void foreign(const char *call, const void *block, const void *site) {
    hwri_misuse_abort(&(hwri_misuse){
        .what = "not a block of this pool", .call = call, .address = block, .called_by = site});
}

void *hwr_pool_alloc(hwr_pool *pool, size_t size) {
    if (hwri_unlikely(pool->checked)) return hwri_checked_alloc(pool, size, 0, false, CALLER);
    if (hwri_likely(pool->shared)) return hwri_pool_alloc(pool, size, true);
    return hwri_pool_alloc(pool, size, false);
}

void hwr_pool_free(hwr_pool *pool, void *block) {
    if (hwri_unlikely(pool->checked)) {
        if (block) hwri_checked_free(pool, block, CALLER);
    } else if (!hwri_pool_try_free(pool, block, pool->shared) && block) {
        foreign("hwr_pool_free", block, CALLER);
    }
}

/* A class whose blocks, lying end to end from an aligned start, are all aligned. */
static void *alloc_aligned_class(hwr_pool *pool, size_t size, size_t alignment) {
    unsigned c = hwri_class_of((size + alignment - 1) & ~(alignment - 1), pool->granule_shift);
    while (c < pool->class_count && hwri_class_size(c, pool->granule_shift) & (alignment - 1)) c++;
    return c < pool->class_count ? hwri_pool_alloc(pool, hwri_class_size(c, pool->granule_shift), pool->shared)
                                 : hwri_large_alloc(pool, size, alignment);
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
    if (page->state == HWRI_PAGE_LARGE) {
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
    hwri_local *local = hwri_local_of(pool, pool->shared);
    if (local) hwri_local_trim(pool, local);
    hwri_pool_lock(pool);
    hwri_orphans_sweep(pool);
    size_t given = hwri_chunks_look(pool, now);
    hwri_pool_unlock(pool);
    return given;
}
