/* Opening and closing the tracing part of a heap. */
#include "tracing/tracing.h"

static bool open_tracing(hwr_heap *heap, const hwr_options *options) {
    hwri_tracing *t = hwr_pool_alloc_zeroed(heap->blocks, 1, sizeof *t);
    if (!t) return false;
    heap->tracing = t;
    t->heap = heap;
    t->scans_stacks = options->roots == HWR_ROOTS_STACKS;
    t->opened = hwr_raw_now(heap->raw);
    if (!hwri_threads_open(t)) return false;
    t->spaces = options->collector == HWR_TINY ? &hwri_tiny_blocks : &hwri_generations;
    return t->spaces->open(t, options) && hwri_life_open(t, options);
}

/* Also of one that was not opened completely. */
static void close_tracing(hwr_heap *heap) {
    hwri_tracing *t = heap->tracing;
    if (!t) return;
    hwri_life_close(t);
    hwri_threads_close(t);
    if (t->spaces) t->spaces->close(t);
    hwri_pointers_free(t->heap->blocks, &t->slots);
    hwri_pointers_free(t->heap->blocks, &t->immortals);
    hwr_pool_free(heap->blocks, t->shows);
    while (t->stacks) hwr_stack_unregister(heap, t->stacks);
    heap->tracing = NULL;
    hwr_pool_free(heap->blocks, t);
}

static void do_not_freeze(hwr_heap *heap, bool frozen) { (void)heap, (void)frozen; }
static size_t none_frozen(hwr_heap *heap) { return (void)heap, 0; }

const hwri_collector hwri_tracing_collector = {
    .open = open_tracing,
    .close = close_tracing,
    .make = hwri_traced_make,
    .make_room = hwri_traced_make_room,
    .collect = hwri_traced_collect_now,
    .trim = hwri_traced_trim,
    .make_immortal = hwri_traced_make_immortal,
    .refcount = hwri_traced_refcount,
    .size_of = hwri_traced_size_of,
    .generation_of = hwri_traced_generation,
    .is_object = hwri_is_traced_object,
    .walk = hwri_traced_walk,
    .verify = hwri_traced_verify,
    .stats = hwri_traced_stats,
    .objects = hwri_traced_objects,
    .referrers = hwri_traced_referrers,
    .freeze = do_not_freeze,
    .freeze_count = none_frozen,
    .look = hwri_traced_look,
    .retain = hwri_traced_retain,
    .release = hwri_traced_release,
    .store = hwri_traced_store,
};
