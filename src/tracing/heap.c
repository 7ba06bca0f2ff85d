/* Opening and closing the tracing part of a heap. */
#include "tracing/tracing.h"

enum { NURSERY_DEFAULT = 1 << 20 };

/* Regions, about 100 MiB, from which on a heap asks for huge pages: what is looked at in no order takes three quarters of the time then. The system may have to move memory about for each, which a program that soon ends
 * does not get back. */
enum { HUGE_FROM = 48 };

static bool open_large_space(hwri_tracing *t) {
    t->space.large.pool = hwr_pool_open(&(hwr_pool_options){.size = sizeof(hwr_pool_options), .raw = t->heap->raw});
    return t->space.large.pool != NULL;
}

static bool open_tracing(hwr_heap *heap, const hwr_options *options) {
    hwri_tracing *t = hwr_pool_alloc_zeroed(heap->blocks, 1, sizeof *t);
    if (!t) return false;
    heap->tracing = t;
    t->heap = heap;
    t->space = (hwri_space){.huge_from = HUGE_FROM,
                            .raw = heap->raw,
                            .tables = heap->blocks,
                            .scratch = heap->scratch,
                            .fills = heap->checked,
                            .epoch = 1};
    hwri_team_open(&t->space.team, options->marking_threads);
    t->scans_stacks = options->roots == HWR_ROOTS_STACKS;
    t->unmoving = options->unmoving;
    t->move_always = options->move_always;
    t->young_epoch = 1;
    t->opened = hwr_raw_now(heap->raw);
    if (!hwri_threads_open(t)) return false;
    if (!open_large_space(t) || !hwri_nursery_open(t, options->nursery ? options->nursery : NURSERY_DEFAULT))
        return false;
    hwri_policy_open(t, options);
    heap->face.young = t->nursery.start;
    heap->face.young_size = t->nursery.pieces << HWRI_PIECE_SHIFT;
    if (t->unmoving) heap->face.young = 0, heap->face.young_size = UINTPTR_MAX; /* any value may be young */
    return hwri_life_open(t, options);
}

/* Also of one that was not opened completely. */
static void close_tracing(hwr_heap *heap) {
    hwri_tracing *t = heap->tracing;
    if (!t) return;
    hwri_life_close(t);
    hwri_threads_close(t);
    hwri_larges_close(&t->space);
    hwri_nursery_close(t);
    hwri_old_close(&t->space);
    hwri_pointers_free(t->heap->blocks, &t->slots);
    hwri_pointers_free(t->heap->blocks, &t->immortals);
    hwri_pointers_free(t->heap->blocks, &t->remembered);
    hwri_pointers_free(t->heap->blocks, &t->pins);
    hwri_team_close(&t->space.team);
    for (unsigned i = 0; i < HWRI_TEAM_MOST; i++) hwr_pool_free(heap->scratch, t->space.marked[i].items);
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
