/* Blocks too large to share a page: a run of slices inside a chunk, or, when huge, a chunk of their own that the system can make
 * larger without copying. They belong to no thread; each call takes the lock. */
#include <string.h>

#include "pool/internal.h"
#include "raw/backend.h"

static size_t slices_for(const hwr_pool *pool, size_t size) {
    return size ? (size + hwri_slice_size(pool) - 1) >> pool->slice_shift : 1;
}

static hwri_page *huge_page(hwr_pool *pool, size_t slices, size_t alignment) {
    hwri_chunk *chunk = hwri_chunk_new(pool, slices, true, alignment);
    if (!chunk) return NULL;
    hwri_page *page = &chunk->pages[0];
    page->chunk = chunk;
    page->start = chunk->base;
    page->side = chunk->sides;
    page->zeroed = hwr_raw_is_zeroed(pool->raw);
    return page;
}

static hwri_page *make_large(hwr_pool *pool, hwri_page *page, size_t slices) {
    page->large_size = slices << pool->slice_shift;
    page->until = page->capacity = 1;
    page->state = HWRI_PAGE_LARGE;
    if (page->chunk->huge) hwri_chunk_publish(pool, page);
    return page;
}

static hwri_page *large_page(hwr_pool *pool, size_t size, size_t alignment) {
    size_t slices = slices_for(pool, size);
    bool huge = slices > pool->large_slices;
    hwri_page *page = huge ? huge_page(pool, slices, alignment) : hwri_slices_take(pool, slices, alignment, false);
    return page ? make_large(pool, page, slices) : NULL;
}

hwri_page *hwri_large_new(hwr_pool *pool, size_t size, size_t alignment) {
    if (size > (size_t)PTRDIFF_MAX - hwri_slice_size(pool)) return NULL;
    hwri_pool_lock(pool);
    hwri_page *page = large_page(pool, size, alignment);
    if (!page) {
        hwri_orphans_sweep(pool);
        hwri_chunks_look(pool, true);
        page = large_page(pool, size, alignment);
    }
    hwri_pool_unlock(pool);
    return page;
}

void *hwri_large_alloc(hwr_pool *pool, size_t size, size_t alignment) {
    hwri_page *page = hwri_large_new(pool, size, alignment);
    return page ? page->start : NULL;
}

void hwri_large_free(hwr_pool *pool, hwri_page *page) {
    hwri_pool_lock(pool);
    if (page->chunk->huge) {
        if (page->table) pool->page_ends(pool->user, page);
        hwri_chunk_free(pool, page->chunk);
    } else {
        hwri_slices_return(pool, page, 0);
    }
    hwri_pool_unlock(pool);
}

static bool resize_slices(hwr_pool *pool, hwri_page *page, size_t slices) {
    if (slices > pool->large_slices) return false;
    if (slices < page->slices)
        hwri_slices_return(pool, page, slices);
    else if (slices > page->slices && !hwri_slices_extend(pool, page, slices))
        return false;
    page->large_size = slices << pool->slice_shift;
    return true;
}

/* A block that grew once grows again, as a rule: so one that cannot grow where it is moves to a reservation of its own, where the system
 * enlarges it without copying. */
static void *move(hwr_pool *pool, hwri_page *page, hwri_page *to) {
    size_t size = page->large_size < to->large_size ? page->large_size : to->large_size;
    memcpy(to->start, page->start, size);
    hwri_slices_return(pool, page, 0);
    return to->start;
}

void *hwri_large_resize(hwr_pool *pool, hwri_page *page, size_t size) {
    size_t slices = slices_for(pool, size);
    if (size > (size_t)PTRDIFF_MAX - hwri_slice_size(pool)) return NULL;
    hwri_pool_lock(pool);
    void *block = NULL;
    if (page->chunk->huge) {
        if (slices > pool->grown_slices && hwri_chunk_resize(pool, page, slices)) block = page->start;
    } else if (resize_slices(pool, page, slices)) {
        block = page->start;
    } else if (slices > pool->grown_slices) {
        hwri_page *to = huge_page(pool, slices, 0);
        if (to) block = move(pool, page, make_large(pool, to, slices));
    }
    hwri_pool_unlock(pool);
    return block;
}
