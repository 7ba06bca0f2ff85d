/* The counting part of a heap: opening, closing, figures. */
#include "object/heap.h"

static bool open_counting(hwr_heap *heap, const hwr_options *o) {
    (void)o;
    hwr_pool_options options = {.size = sizeof options, .raw = heap->raw, .granularity = 8};
    hwri_deaths_open(heap);
    hwri_trigger_set(heap);
    heap->objects = hwri_pool_open(&options, sizeof(hwri_ages));
    heap->leaves = hwr_pool_open(&options);
    if (!heap->objects || !heap->leaves) return false;
    heap->objects->page_ends = hwri_page_ends;
    heap->objects->user = heap;
    return !heap->checked || hwri_checks_open(heap);
}

static void close_counting(hwr_heap *heap) {
    if (heap->objects) heap->objects->page_ends = NULL;
    hwr_pool_close(heap->objects);
    hwr_pool_close(heap->leaves);
}

static bool count_object(void *context, void *object) {
    hwr_heap_stats *stats = context;
    stats->objects++;
    stats->tracked += hwri_is_tracked_type(hwr_type_of(object));
    stats->object_bytes += hwri_object_size(object) + HWRI_HEADER_SIZE;
    return true;
}

static void add_pool(hwr_heap_stats *stats, hwr_pool *pool, bool has_objects) {
    hwr_pool_stats of_pool;
    hwr_pool_get_stats(pool, &of_pool);
    stats->committed += of_pool.committed;
    stats->peak_committed += of_pool.peak_committed;
    if (has_objects) {
        stats->page_bytes += of_pool.page_bytes;
    } else {
        stats->blocks = of_pool.blocks;
        stats->block_bytes = of_pool.bytes;
    }
}

static void counting_stats(hwr_heap *heap, hwr_heap_stats *stats) {
    hwri_each_object(heap, count_object, stats);
    add_pool(stats, heap->objects, true);
    add_pool(stats, heap->leaves, true);
    add_pool(stats, heap->blocks, false);
}

static size_t counting_trim(hwr_heap *heap) {
    return hwr_pool_trim(heap->objects, true) + hwr_pool_trim(heap->leaves, true) + hwr_pool_trim(heap->blocks, true);
}

static size_t counting_size(hwr_heap *heap, const void *object) {
    return hwri_block_size(heap, hwr_type_of(object), hwri_object_size(object));
}

const hwri_collector hwri_counting_collector = {
    .open = open_counting,
    .close = close_counting,
    .make = hwri_counted_make,
    .make_room = hwri_counted_make_room,
    .collect = hwri_counted_collect,
    .trim = counting_trim,
    .make_immortal = hwri_counted_make_immortal,
    .refcount = hwri_count_of,
    .size_of = counting_size,
    .generation_of = hwri_counted_generation_of,
    .is_object = hwri_counted_is_object,
    .walk = hwri_each_object,
    .verify = hwri_counted_verify,
    .stats = counting_stats,
    .objects = hwri_counted_objects,
    .referrers = hwri_counted_referrers,
    .freeze = hwri_counted_freeze,
    .freeze_count = hwri_counted_freeze_count,
    .look = hwri_counted_look,
    .retain = hwri_counted_retain,
    .release = hwri_counted_release,
    .store = hwri_counted_store,
};
