/* The public functions that each collector does in its own way. */
#include "object/collector.h"

#include "object/heap.h"

#define CALLER __builtin_return_address(0)

bool hwr_collect_with(hwr_heap *heap, int generation, hwr_collection_mode mode) {
    size_t unreachable = 0;
    HWRI_LOOK(heap, NULL);
    if (generation < 0 || generation > HWR_OLDEST) return false;
    return heap->collector->collect(heap, generation, mode, &unreachable);
}

size_t hwr_collect(hwr_heap *heap, int generation) {
    size_t unreachable = 0;
    HWRI_LOOK(heap, NULL);
    if (generation < 0 || generation > HWR_OLDEST) return 0;
    return heap->collector->collect(heap, generation, HWR_COLLECT_FORCED, &unreachable) ? unreachable : 0;
}

uint64_t hwr_collection_count(hwr_heap *heap, int generation) {
    uint64_t count = 0;
    if (generation < 0) return 0;
    for (int g = generation; g <= HWR_OLDEST; g++) count += heap->stats[g].collections;
    return count;
}

size_t hwr_heap_trim(hwr_heap *heap) { return heap->collector->trim(heap); }

/* ---- objects ---- */

bool hwr_make_immortal(hwr_heap *heap, void *object) {
    HWRI_LOOK(heap, object);
    return heap->collector->make_immortal(heap, object);
}

size_t hwr_refcount(hwr_heap *heap, const void *object) {
    HWRI_LOOK(heap, object);
    return heap->collector->refcount(heap, object);
}

size_t hwr_sizeof(hwr_heap *heap, const void *object, bool with_header) {
    HWRI_LOOK(heap, object);
    return with_header ? heap->collector->size_of(heap, object) : hwri_object_size(object);
}

int hwr_generation_of(hwr_heap *heap, const void *object) {
    HWRI_LOOK(heap, object);
    return heap->collector->generation_of(heap, object);
}

bool hwri_is_object(hwr_heap *heap, const void *address) { return heap->collector->is_object(heap, address); }

bool hwr_is_tracked(hwr_heap *heap, const void *object) {
    HWRI_LOOK(heap, object);
    return hwri_is_tracked_type(hwr_type_of(object));
}

bool hwr_is_finalized(hwr_heap *heap, const void *object) {
    HWRI_LOOK(heap, object);
    return hwri_header_now(object) & HWRI_FINALIZED;
}

/* ---- looking at a heap ---- */

bool hwr_heap_walk(hwr_heap *heap, hwr_object_visitor visit, void *context) {
    HWRI_LOOK(heap, NULL);
    return heap->collector->walk(heap, visit, context);
}

bool hwr_heap_verify(hwr_heap *heap, const char **problem) {
    HWRI_LOOK(heap, NULL);
    const char *found = heap->collector->verify(heap);
    if (problem && found) *problem = found;
    return !found;
}

void hwr_heap_get_stats(hwr_heap *heap, hwr_heap_stats *stats) {
    *stats = (hwr_heap_stats){.limit = heap->limit};
    heap->collector->stats(heap, stats);
}

bool hwr_get_objects(hwr_heap *heap, int generation, hwr_object_visitor visit, void *context) {
    HWRI_LOOK(heap, NULL);
    return heap->collector->objects(heap, generation, visit, context);
}

bool hwr_get_referrers(hwr_heap *heap, const void *object, hwr_object_visitor visit, void *context) {
    HWRI_LOOK(heap, object);
    return heap->collector->referrers(heap, object, visit, context);
}

void hwr_freeze(hwr_heap *heap) { heap->collector->freeze(heap, true); }

void hwr_unfreeze(hwr_heap *heap) { heap->collector->freeze(heap, false); }

size_t hwr_freeze_count(hwr_heap *heap) { return heap->collector->freeze_count(heap); }

/* ---- where the inline functions end ---- */

void hwri_look_slow(hwr_heap *heap, const void *object, const char *call, const void *site) {
    heap->collector->look(heap, object, call, site);
}

void hwri_retain_slow(hwr_heap *heap, const void *object) {
    if (heap->checked)
        heap->collector->retain(heap, object, CALLER);
    else
        hwri_count_add(heap, (void *)(uintptr_t)object, 1);
}

void hwri_release_slow(hwr_heap *heap, const void *object) { heap->collector->release(heap, object, CALLER); }

void hwri_set_slow(hwr_heap *heap, void *object, void *field, void *value, hwri_store how) {
    heap->collector->store(heap, object, field, value, how, CALLER);
}
