/* Opening and closing a pool. */
#include "heapwright/pool.h"

#include <string.h>

#include "pool/checked.h"
#include "pool/internal.h"
#include "raw/backend.h"

enum {
    DEFAULT_DELAY_MS = 250,
    DEFAULT_HUGE_FROM = 256 << 20,
    LEAST_SLICE_SHIFT = 12,
    LEAST_MAP_SLICES = 1 << 12,
    MALLOC_MAP_SLICES = 1 << 14,
    MALLOC_CHUNK_SLICES = 64,
    GROWN_SLICES = 3,
    PAGE_SLICES = 8,
    PAGES_IN_BUFFER = 64,
    LARGE_FRACTION = 4 /* a block of more than this part of a chunk gets a chunk of its own */
};

/* Over a buffer, slices so small that there are some hundreds of them: a page of every class in use has to fit. */
static unsigned slice_shift_for(size_t extent) {
    unsigned shift = LEAST_SLICE_SHIFT;
    while (extent && shift < HWRI_SLICE_SHIFT && (extent >> shift) > HWRI_CHUNK_SLICES) shift++;
    return extent ? shift : HWRI_SLICE_SHIFT;
}

/* Of a small buffer few slices at a time, since most pages stay nearly empty. */
static size_t page_slices_for(size_t extent_slices) {
    size_t most = PAGE_SLICES;
    while (extent_slices && most > 1 && most * PAGES_IN_BUFFER > extent_slices) most /= 2;
    return most;
}

/* Reserves the pool with its map. Over a buffer the map covers the buffer; elsewhere as wide a window as can be had. */
static hwr_pool *reserve_pool(hwr_raw *raw, unsigned slice_shift, uintptr_t extent_start, size_t extent) {
    size_t most = hwri_raw_is_sparse(raw) ? HWRI_MAP_SLICES : MALLOC_MAP_SLICES, least = LEAST_MAP_SLICES;
    uintptr_t slice = (uintptr_t)1 << slice_shift, window = extent_start & ~(slice - 1);
    if (extent) most = least = (extent_start + extent - window + slice - 1) >> slice_shift;
    hwr_pool *pool = NULL;
    bool whole = false;
    size_t slices = most * 2, size = 0;
    while (!pool && (slices /= 2) >= least) {
        size = hwri_align_up(sizeof(hwr_pool) + slices * sizeof(hwri_page *), hwr_raw_page_size(raw));
        pool = hwr_raw_reserve_table(raw, size, &whole);
    }
    if (!pool) return NULL;
    size_t committed = whole ? size : hwri_align_up(sizeof(hwr_pool), hwr_raw_page_size(raw));
    if (!whole && !hwr_raw_commit(raw, pool, committed)) {
        hwr_raw_release(raw, pool, size, 0);
        return NULL;
    }
    pool->raw = raw;
    pool->size = size;
    pool->whole = whole;
    for (size_t i = 0; i < committed / hwr_raw_page_size(raw) && !whole; i++) pool->has_memory[0] |= (uint64_t)1 << i;
    hwri_pool_count_committed(pool, committed, 0);
    pool->slice_shift = slice_shift;
    pool->map_slices = slices;
    /* The system places what comes next near what it gave last, so the pool itself is the middle of the window. */
    uintptr_t half = (uintptr_t)slices / 2 << slice_shift, here = (uintptr_t)pool & ~(slice - 1);
    pool->window = extent ? window : here > half ? here - half : 0;
    return pool;
}

static void release_pool(hwr_pool *pool) {
    hwr_raw *raw = pool->raw, *owned = pool->owns_raw ? raw : NULL;
    size_t pages = 0;
    for (size_t i = 0; i < sizeof pool->has_memory / sizeof *pool->has_memory; i++)
        pages += (size_t)__builtin_popcountll(pool->has_memory[i]);
    hwr_raw_release(raw, pool, pool->size, pool->whole ? pool->size : pages * hwr_raw_page_size(raw));
    hwr_raw_close(owned);
}

static hwr_pool *open_on(hwr_raw *raw, const hwr_pool_options *o, size_t side_size) {
    uintptr_t extent_start;
    size_t extent = hwri_raw_extent(raw, &extent_start);
    hwr_pool *pool = reserve_pool(raw, slice_shift_for(extent), extent_start, extent);
    if (!pool) return NULL;
    pool->side_size = side_size;
    pool->granule_shift = o->granularity == 8 ? 3 : 4;
    pool->delay = (o->give_back_ms ? o->give_back_ms : DEFAULT_DELAY_MS) * UINT64_C(1000000);
    pool->huge_from = o->huge_pages_from ? o->huge_pages_from : DEFAULT_HUGE_FROM;
    size_t chunk_slices = extent || hwri_raw_is_sparse(raw) ? HWRI_CHUNK_SLICES : MALLOC_CHUNK_SLICES;
    pool->chunk_size = chunk_slices << pool->slice_shift;
    pool->page_slices = page_slices_for(extent >> pool->slice_shift);
    pool->large_slices = extent ? chunk_slices : chunk_slices / LARGE_FRACTION;
    pool->grown_slices = extent ? chunk_slices : GROWN_SLICES;
    while (pool->class_count < HWRI_CLASSES &&
           hwri_class_size(pool->class_count, pool->granule_shift) <= hwri_slice_size(pool))
        pool->class_count++;
    pool->chunks = pool->first_chunks;
    pool->chunk_room = HWRI_FIRST_CHUNKS;
    hwri_local_init(&pool->own, pool);
    pool->checked = o->checked;
    pool->quick_id = UINT64_MAX;
    if (pool->slice_shift == HWRI_SLICE_SHIFT && !o->checked) pool->quick_slices = pool->map_slices;
    return pool;
}

hwr_pool *hwri_pool_open(const hwr_pool_options *options, size_t side_size) {
    hwr_pool_options o = {.size = sizeof o};
    if (options && options->size < offsetof(hwr_pool_options, granularity)) return NULL;
    if (options) memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
    if (o.granularity == 0) o.granularity = 16;
    if (o.granularity != 8 && o.granularity != 16) return NULL;
    hwr_raw *raw = o.raw ? o.raw : hwr_raw_open(NULL);
    hwr_pool *pool = raw ? open_on(raw, &o, side_size) : NULL;
    if (!pool) {
        if (!o.raw) hwr_raw_close(raw);
        return NULL;
    }
    pool->owns_raw = !o.raw;
    if ((o.shared && !hwri_locals_open(pool)) || (o.checked && !hwri_checked_open(pool))) {
        hwr_pool_close(pool);
        return NULL;
    }
    return pool;
}

hwr_pool *hwr_pool_open(const hwr_pool_options *options) { return hwri_pool_open(options, 0); }

void hwr_pool_close(hwr_pool *pool) {
    if (!pool) return;
    if (pool->quarantine) hwri_checked_close(pool);
    if (pool->shared) hwri_locals_close(pool);
    for (size_t i = pool->chunk_count; i-- > 0;) hwri_chunk_free(pool, pool->chunks[i]);
    size_t chunks_size = hwri_chunks_size(pool);
    if (chunks_size) hwr_raw_release(pool->raw, pool->chunks, chunks_size, chunks_size);
    release_pool(pool);
}
