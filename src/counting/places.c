#include "counting/places.h"

/* More slices than that are not covered: their pages are looked up. */
enum { MOST_COVERED = 1 << 20 };

hwri_place *hwri_place_of(hwr_heap *heap, const void *object) {
    const uint64_t *header = hwri_header(object);
    hwri_page *page = hwri_page_of(heap->objects, header);
    return page && page->table ? hwri_place_from(page->table, header) : NULL;
}

/* What the array says of a page's slices. Slices of another size than it is made for are not covered. */
static void enter(hwri_tables *tables, const hwri_page *page, uintptr_t table) {
    uintptr_t first = ((uintptr_t)page->start >> HWRI_SLICE_SHIFT) - tables->first;
    for (size_t i = 0; i < hwri_aged_slices(page) && first + i < tables->count; i++)
        tables->of_slice[first + i] = table;
}

bool hwri_tables_cover(hwr_heap *heap) {
    const hwr_pool *pool = heap->objects;
    hwri_tables *old = &heap->places, wide = {.first = UINTPTR_MAX, .complete = true};
    uintptr_t last = 0;
    old->complete = false;
    if (pool->slice_shift != HWRI_SLICE_SHIFT || !pool->chunk_count) return true;
    for (size_t i = 0; i < pool->chunk_count; i++) {
        uintptr_t base = (uintptr_t)pool->chunks[i]->base, end = base + pool->chunks[i]->size - 1;
        if (base >> HWRI_SLICE_SHIFT < wide.first) wide.first = base >> HWRI_SLICE_SHIFT;
        if (end >> HWRI_SLICE_SHIFT > last) last = end >> HWRI_SLICE_SHIFT;
    }
    old->complete = wide.first >= old->first && last < old->first + old->count;
    if (old->complete) return true;
    wide.count = last - wide.first + 1;
    if (wide.count > MOST_COVERED) return true;
    wide.of_slice = hwr_pool_alloc_zeroed(heap->scratch, wide.count, sizeof *wide.of_slice);
    if (!wide.of_slice) return false;
    hwri_page_cursor cursor = {0};
    for (hwri_page *page; (page = hwri_page_next(pool, &cursor)) != NULL;)
        if (page->table) enter(&wide, page, page->table);
    hwr_pool_free(heap->scratch, old->of_slice);
    *old = wide;
    return true;
}

bool hwri_table_give(hwr_heap *heap, hwri_page *page) {
    size_t size = hwri_table_places(page) * sizeof(hwri_place);
    if (!page->table) {
        void *table = hwr_pool_alloc(heap->scratch, size + sizeof(hwri_range));
        if (!table) return false;
        page->table = (uintptr_t)table - hwri_table_base(page);
        enter(&heap->places, page, page->table);
        heap->tables++;
    }
    memset(hwri_table_of(page), 0, size);
    return true;
}

void hwri_table_take(hwr_heap *heap, hwri_page *page) {
    hwr_pool_free(heap->scratch, hwri_table_of(page));
    enter(&heap->places, page, 0);
    page->table = 0;
    heap->tables--;
}

void hwri_page_ends(void *heap, hwri_page *page) { hwri_table_take(heap, page); }
