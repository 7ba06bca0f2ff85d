/* Opening and closing a pool. */
#include "heapwright/pool.h"

#include <string.h>

#include "pool/checked.h"
#include "pool/internal.h"
#include "raw/backend.h"

enum {
    DEFAULT_DELAY_MS = 250,
    SYSTEM_SLICE_SHIFT = 16,
    LEAST_SLICE_SHIFT = 12,
    LEAST_MAP_SLICES = 1 << 12,
    MALLOC_MAP_SLICES = 1 << 14,
    MALLOC_CHUNK_SLICES = 64,
    LARGE_FRACTION = 4 /* a block of more than this part of a chunk gets a chunk of its own */
};

/* Over a buffer, slices so small that there are some hundreds of them: a page of every class in use has to fit. */
static unsigned slice_shift_for(size_t extent) {
    unsigned shift = LEAST_SLICE_SHIFT;
    while (extent && shift < SYSTEM_SLICE_SHIFT && (extent >> shift) > HWRI_CHUNK_SLICES) shift++;
    return extent ? shift : SYSTEM_SLICE_SHIFT;
}

/* The map has to cover the whole of a buffer; elsewhere it covers a window round the first chunk, as wide as can be had. */
static bool open_map(hwr_pool *pool, uintptr_t extent_start, size_t extent) {
    size_t slice = hwri_slice_size(pool);
    size_t most = hwri_raw_is_sparse(pool->raw) ? HWRI_MAP_SLICES : MALLOC_MAP_SLICES, least = LEAST_MAP_SLICES;
    if (extent) {
        uintptr_t end = extent_start + extent;
        extent_start &= ~(slice - 1);
        most = least = (end - extent_start + slice - 1) >> pool->slice_shift;
    }
    for (size_t slices = most; slices >= least && !pool->map; slices /= 2) {
        pool->map = hwr_raw_reserve_table(pool->raw, slices * sizeof *pool->map, &pool->map_whole);
        pool->map_slices = slices;
    }
    if (!pool->map) return false;
    if (pool->map_whole) hwri_pool_count_committed(pool, hwri_in_pages(pool, pool->map_slices * sizeof *pool->map), 0);
    if (extent) {
        pool->window = extent_start;
        return true;
    }
    uintptr_t half = (uintptr_t)pool->map_slices / 2 << pool->slice_shift;
    uintptr_t anchor = (uintptr_t)pool; /* the system places what comes next near what it gave last */
    pool->window = (anchor > half ? anchor - half : 0) & ~(uintptr_t)(slice - 1);
    return true;
}

static void close_map(hwr_pool *pool) {
    size_t size = hwri_in_pages(pool, pool->map_slices * sizeof *pool->map), pages = 0;
    for (size_t i = 0; i < HWRI_MAP_PAGES / 64; i++) pages += (size_t)__builtin_popcountll(pool->map_committed[i]);
    if (pool->map) hwr_raw_release(pool->raw, pool->map, size, pool->map_whole ? size : pages * hwr_raw_page_size(pool->raw));
}

static void close_parts(hwr_pool *pool) {
    for (size_t i = pool->chunk_count; i-- > 0;) hwri_chunk_free(pool, pool->chunks[i]);
    size_t chunks_size = pool->chunk_room * sizeof *pool->chunks;
    if (chunks_size) hwr_raw_release(pool->raw, pool->chunks, chunks_size, chunks_size);
    close_map(pool);
    hwr_raw *raw = pool->raw, *owned = pool->owns_raw ? raw : NULL;
    hwr_raw_release(raw, pool, pool->self_size, pool->self_size);
    hwr_raw_close(owned);
}

static bool open_parts(hwr_pool *pool) {
    uintptr_t extent_start;
    size_t extent = hwri_raw_extent(pool->raw, &extent_start);
    pool->slice_shift = slice_shift_for(extent);
    size_t chunk_slices = extent || hwri_raw_is_sparse(pool->raw) ? HWRI_CHUNK_SLICES : MALLOC_CHUNK_SLICES;
    pool->chunk_size = chunk_slices << pool->slice_shift;
    pool->large_slices = extent ? chunk_slices : chunk_slices / LARGE_FRACTION;
    while (pool->class_count < HWRI_CLASSES &&
           hwri_class_size(pool->class_count, pool->granule_shift) <= hwri_slice_size(pool))
        pool->class_count++;
    hwri_local_init(&pool->own, pool);
    return open_map(pool, extent_start, extent);
}

hwr_pool *hwr_pool_open(const hwr_pool_options *options) {
    hwr_pool_options o = {.size = sizeof o};
    if (options) memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
    if (o.granularity == 0) o.granularity = 16;
    if (o.granularity != 8 && o.granularity != 16) return NULL;
    hwr_raw *raw = o.raw ? o.raw : hwr_raw_open(NULL);
    if (!raw) return NULL;

    size_t size = hwri_align_up(sizeof(hwr_pool), hwr_raw_page_size(raw));
    hwr_pool *pool = hwr_raw_reserve(raw, size, 0);
    if (!pool || !hwr_raw_commit(raw, pool, size)) {
        if (pool) hwr_raw_release(raw, pool, size, 0);
        if (!o.raw) hwr_raw_close(raw);
        return NULL;
    }
    memset(pool, 0, sizeof *pool);
    pool->raw = raw;
    pool->owns_raw = !o.raw;
    pool->self_size = size;
    pool->granule_shift = o.granularity == 8 ? 3 : 4;
    pool->delay = (o.give_back_ms ? o.give_back_ms : DEFAULT_DELAY_MS) * UINT64_C(1000000);
    hwri_pool_count_committed(pool, size, 0);
    if (!open_parts(pool) || (o.shared && !hwri_locals_open(pool))) {
        close_parts(pool);
        return NULL;
    }
    pool->shared = o.shared;
    if (o.checked && !hwri_checked_open(pool)) {
        hwr_pool_close(pool);
        return NULL;
    }
    return pool;
}

void hwr_pool_close(hwr_pool *pool) {
    if (!pool) return;
    if (pool->checked) hwri_checked_close(pool);
    if (pool->shared) hwri_locals_close(pool);
    close_parts(pool);
}
