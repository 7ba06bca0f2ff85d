/* When to collect which generation, and the rest of what Python's module gc offers. The rules are CPython's (Modules/gcmodule.c of 3.11):
 * a generation is due when its count exceeds its threshold, and the oldest only when a quarter of what survived the last full collection has come since, so
 * that full collections take an amortised constant time for each object. */
#include <limits.h>
#include <stdio.h>

#include "object/heap.h"

#include "object/references.h"

enum { NEVER = INT_MAX - 1 };

void hwri_trigger_set(hwr_heap *heap) {
    bool automatic = heap->enabled && heap->threshold[0] && !heap->collecting;
    heap->trigger = heap->stress ? -1 : automatic ? heap->threshold[0] : NEVER;
}

static bool is_due(const hwr_heap *heap, int generation) {
    if (heap->count[generation] <= heap->threshold[generation]) return false;
    return generation != HWR_OLDEST || heap->long_lived_pending >= heap->long_lived_total / 4;
}

static void print_begin(hwr_heap *heap, int generation) {
    hwr_heap_stats stats;
    hwr_heap_get_stats(heap, &stats);
    fprintf(stderr, "heapwright: collecting generation %d of %zu objects\n", generation, stats.tracked);
}

static void print_end(const hwr_heap *heap, size_t unreachable, uint64_t start) {
    fprintf(stderr, "heapwright: %zu unreachable, %.4f ms\n", unreachable,
            (double)(hwr_raw_now(heap->raw) - start) / 1e6);
}

static void note_growth(hwr_heap *heap) {
    size_t committed = heap->objects->committed + heap->leaves->committed + heap->blocks->committed;
    if (committed != heap->committed) hwri_emit(heap, HWR_EVENT_HEAP_GROWTH, committed, heap->committed);
    heap->committed = committed;
}

/* One collection, and everybody who wants to know of it. */
static size_t run(hwr_heap *heap, int generation) {
    heap->collecting = true;
    hwri_trigger_set(heap);
    hwri_call_back_all(heap, &(hwr_collection_info){.starts = true, .generation = generation});
    if (heap->debug & HWR_DEBUG_STATS) print_begin(heap, generation);
    hwri_emit(heap, HWR_EVENT_COLLECTION_BEGIN, (uint64_t)generation, 0);
    uint64_t start = hwr_raw_now(heap->raw);
    size_t unreachable = hwri_collect(heap, generation);
    uint64_t pause = hwr_raw_now(heap->raw) - start;
    heap->counters.pause_ns += pause;
    if (pause > heap->counters.longest_pause_ns) heap->counters.longest_pause_ns = pause;
    hwri_emit(heap, HWR_EVENT_COLLECTION_END, (uint64_t)generation, unreachable);
    note_growth(heap);
    if (heap->debug & HWR_DEBUG_STATS) print_end(heap, unreachable, start);
    hwri_call_back_all(heap, &(hwr_collection_info){.generation = generation, .collected = unreachable});
    heap->collecting = false;
    hwri_trigger_set(heap);
    return unreachable;
}

void hwri_count_allocation(hwr_heap *heap) {
    if (heap->count[0] > NEVER) heap->count[0] = NEVER;
    if (heap->collecting) return;
    if (heap->stress && --heap->until_stress == 0) {
        heap->until_stress = heap->stress;
        run(heap, HWR_OLDEST);
        return;
    }
    if (!heap->enabled || !heap->threshold[0] || !is_due(heap, 0)) return;
    for (int generation = HWR_OLDEST; generation >= 0; generation--)
        if (is_due(heap, generation)) {
            run(heap, generation);
            return;
        }
}

bool hwri_counted_collect(hwr_heap *heap, int generation, hwr_collection_mode mode, size_t *unreachable) {
    (void)mode;
    if (heap->collecting) return false;
    *unreachable = run(heap, generation);
    return true;
}

void hwr_enable(hwr_heap *heap) {
    __atomic_store_n(&heap->enabled, true, __ATOMIC_RELAXED);
    hwri_trigger_set(heap);
}

void hwr_disable(hwr_heap *heap) {
    __atomic_store_n(&heap->enabled, false, __ATOMIC_RELAXED);
    hwri_trigger_set(heap);
}

bool hwr_is_enabled(const hwr_heap *heap) { return heap->enabled; }

void hwr_set_threshold(hwr_heap *heap, const int threshold[HWR_GENERATIONS]) {
    memcpy(heap->threshold, threshold, sizeof heap->threshold);
    hwri_trigger_set(heap);
}

void hwr_get_threshold(const hwr_heap *heap, int threshold[HWR_GENERATIONS]) {
    memcpy(threshold, heap->threshold, sizeof heap->threshold);
}

void hwr_get_count(const hwr_heap *heap, int count[HWR_GENERATIONS]) { memcpy(count, heap->count, sizeof heap->count); }

void hwr_get_stats(const hwr_heap *heap, hwr_generation_stats stats[HWR_GENERATIONS]) {
    memcpy(stats, heap->stats, sizeof heap->stats);
}

static bool freeze(void *context, void *object) {
    (void)context;
    *hwri_header(object) |= HWRI_FROZEN;
    return true;
}

static bool unfreeze(void *context, void *object) {
    (void)context;
    *hwri_header(object) &= ~HWRI_FROZEN;
    return true;
}

static bool count_frozen(void *context, void *object) {
    *(size_t *)context += (*hwri_header(object) & HWRI_FROZEN) != 0;
    return true;
}

/* What is thawed belongs to the oldest generation, so no page has young objects any more. */
void hwri_counted_freeze(hwr_heap *heap, bool frozen) {
    hwri_each_object_in(heap->objects, frozen ? freeze : unfreeze, NULL);
    if (!frozen) return;
    memset(heap->count, 0, sizeof heap->count);
    hwri_forget_ages(heap);
}

size_t hwri_counted_freeze_count(hwr_heap *heap) {
    size_t count = 0;
    hwri_each_object_in(heap->objects, count_frozen, &count);
    return count;
}

typedef struct question {
    hwr_heap *heap;
    int generation;
    const void *target;
    bool refers, stopped;
    hwr_object_visitor visit;
    void *context;
} question;

static bool visit_if_of_generation(void *context, void *object) {
    const question *q = context;
    if (*hwri_header(object) & HWRI_FROZEN || hwri_is_condemned(q->heap, object)) return true;
    if (q->generation != HWR_ALL_GENERATIONS && hwri_generation_of(q->heap, object) != q->generation) return true;
    return q->visit(q->context, object);
}

bool hwri_counted_objects(hwr_heap *heap, int generation, hwr_object_visitor visit, void *context) {
    question q = {.heap = heap, .generation = generation, .visit = visit, .context = context};
    return hwri_each_object_in(heap->objects, visit_if_of_generation, &q);
}

static void note_if_target(void *context, void *target) {
    question *q = context;
    if (target == q->target) q->refers = true;
}

static bool visit_if_refers(void *context, void *object) {
    question *q = context;
    if (*hwri_header(object) & HWRI_FROZEN || hwri_is_condemned(q->heap, object)) return true;
    q->refers = false;
    hwri_each_reference(object, hwr_type_of(object), note_if_target, q);
    return !q->refers || q->visit(q->context, object);
}

bool hwri_counted_referrers(hwr_heap *heap, const void *object, hwr_object_visitor visit, void *context) {
    question q = {.heap = heap, .target = object, .visit = visit, .context = context};
    return hwri_each_object_in(heap->objects, visit_if_refers, &q);
}

static void visit_target(void *context, void *target) {
    question *q = context;
    if (!q->stopped) q->stopped = !q->visit(q->context, target);
}

bool hwr_get_referents(hwr_heap *heap, void *object, hwr_object_visitor visit, void *context) {
    HWRI_LOOK(heap, object);
    question q = {.heap = heap, .visit = visit, .context = context};
    hwri_each_reference(object, hwr_type_of(object), visit_target, &q);
    return !q.stopped;
}

void hwr_set_debug(hwr_heap *heap, unsigned flags) { heap->debug = flags; }

unsigned hwr_get_debug(const hwr_heap *heap) { return heap->debug; }

size_t hwr_garbage_count(const hwr_heap *heap) { return heap->garbage_count; }

void *hwr_garbage(hwr_heap *heap, size_t index) { return index < heap->garbage_count ? heap->garbage[index] : NULL; }

/* Finalizers may add to the list anew. */
void hwr_garbage_clear(hwr_heap *heap) {
    void **saved = heap->garbage;
    size_t count = heap->garbage_count;
    heap->garbage = NULL;
    heap->garbage_count = 0;
    for (size_t i = 0; i < count; i++) hwr_release(heap, saved[i]);
    hwr_pool_free(heap->blocks, saved);
}
