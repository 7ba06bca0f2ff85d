/* Finding objects: through the chunks of a pool to its pages, through a page to its blocks. */
#include "object/heap.h"

static bool begins_here(const hwri_chunk *chunk, size_t slice, bool flagged) {
    if (flagged && !(chunk->flagged[slice / 64] >> (slice % 64) & 1)) return false;
    return chunk->pages[slice].state != HWRI_PAGE_UNUSED;
}

static uintptr_t base_of_chunk(const hwr_pool *pool, size_t at) { return (uintptr_t)pool->chunks[at]->base; }

/* Chunks may have ended: the one that the cursor is in, as that of a huge page does with it, or earlier ones. */
static void find_again(const hwr_pool *pool, hwri_page_cursor *cursor) {
    size_t at = cursor->chunk;
    while (at > 0 && (at >= pool->chunk_count || base_of_chunk(pool, at) > cursor->base)) at--;
    cursor->chunk = at;
    if (at < pool->chunk_count && base_of_chunk(pool, at) == cursor->base) return;
    if (at < pool->chunk_count && base_of_chunk(pool, at) < cursor->base) cursor->chunk++;
    cursor->slice = 0;
}

hwri_page *hwri_page_next(const hwr_pool *pool, hwri_page_cursor *cursor) {
    if (cursor->slice > 0) find_again(pool, cursor);
    for (; cursor->chunk < pool->chunk_count; cursor->chunk++, cursor->slice = 0) {
        hwri_chunk *chunk = pool->chunks[cursor->chunk];
        size_t slices = chunk->huge ? 1 : chunk->slices;
        cursor->base = base_of_chunk(pool, cursor->chunk);
        while (cursor->slice < slices) {
            size_t slice = cursor->slice++;
            if (cursor->flagged && slice % 64 == 0 && !chunk->flagged[slice / 64])
                cursor->slice += 63;
            else if (begins_here(chunk, slice, cursor->flagged))
                return &chunk->pages[slice];
        }
    }
    return NULL;
}

void hwri_flag_page(hwri_page *page) {
    hwri_chunk *chunk = page->chunk;
    size_t slice = (size_t)(page - chunk->pages);
    chunk->flagged[slice / 64] |= (uint64_t)1 << (slice % 64);
}

void hwri_unflag_page(hwri_page *page) {
    hwri_chunk *chunk = page->chunk;
    size_t slice = (size_t)(page - chunk->pages);
    chunk->flagged[slice / 64] &= ~((uint64_t)1 << (slice % 64));
}

bool hwri_is_flagged(const hwri_page *page) {
    const hwri_chunk *chunk = page->chunk;
    return begins_here(chunk, (size_t)(page - chunk->pages), true);
}

static bool each_in_page(hwri_page *page, hwr_object_visitor visit, void *context) {
    size_t size = hwri_page_block_size(page);
    for (size_t i = 0; i < hwri_blocks_in(page); i++) {
        void *object = hwri_object_in(page->start + i * size);
        if (hwri_is_live(*hwri_header(object)) && !visit(context, object)) return false;
    }
    return true;
}

bool hwri_each_object_in(hwr_pool *pool, hwr_object_visitor visit, void *context) {
    hwri_page_cursor cursor = {0};
    for (hwri_page *page; (page = hwri_page_next(pool, &cursor)) != NULL;)
        if (!each_in_page(page, visit, context)) return false;
    return true;
}

bool hwri_each_object(hwr_heap *heap, hwr_object_visitor visit, void *context) {
    return hwri_each_object_in(heap->objects, visit, context) && hwri_each_object_in(heap->leaves, visit, context);
}

int hwri_generation_of(hwr_heap *heap, const void *object) {
    const uint64_t *header = hwri_header(object);
    const hwri_ages *ages = hwri_ages_of(hwri_page_of(heap->objects, header), header);
    size_t granule = hwri_granule_of(header);
    if (ages->young[granule / 64] >> (granule % 64) & 1) return 0;
    return ages->middle[granule / 64] >> (granule % 64) & 1 ? 1 : 2;
}

int hwri_counted_generation_of(hwr_heap *heap, const void *object) {
    return *hwri_header(object) & (HWRI_UNTRACKED | HWRI_FROZEN) ? HWR_OLDEST : hwri_generation_of(heap, object);
}

void hwri_forget_ages(hwr_heap *heap) {
    hwri_page_cursor cursor = {.flagged = true};
    for (hwri_page *page; (page = hwri_page_next(heap->objects, &cursor)) != NULL;)
        memset(page->side, 0, hwri_aged_slices(page) * sizeof(hwri_ages));
}
