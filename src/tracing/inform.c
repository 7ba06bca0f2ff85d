/* What is told of collections: callbacks, memory information (System.GCMemoryInfo), bytes allocated, memory outside of the heap. */
#include "tracing/tracing.h"

#include "raw/backend.h"

/* ---- of a collection ---- */

void hwri_inform_before(hwri_tracing *t) {
    hwri_sizes sizes[4] = {{0, 0}};
    t->spaces->measure(t, true, sizes);
    t->info = (hwr_memory_info){0};
    t->pinned_objects = 0;
    for (int i = 0; i < 4; i++) {
        t->info.generations[i].size_before = sizes[i].size;
        t->info.generations[i].fragmentation_before = sizes[i].fragmentation;
    }
}

static void count_collection(hwri_tracing *t, uint64_t pause) {
    hwr_counters *c = &t->heap->counters;
    hwri_mutex_lock(&t->heap->watch);
    c->collections++;
    c->pause_ns += pause;
    if (pause > c->longest_pause_ns) c->longest_pause_ns = pause;
    t->heap->stats[t->generation].collections++;
    hwri_mutex_unlock(&t->heap->watch);
    t->paused += pause;
}

void hwri_inform_after(hwri_tracing *t, uint64_t pause) {
    hwr_heap *heap = t->heap;
    hwr_memory_info *info = &t->info;
    hwri_sizes sizes[4] = {{0, 0}};
    count_collection(t, pause);
    t->spaces->measure(t, false, sizes);
    for (int i = 0; i < 4; i++) {
        info->generations[i].size_after = sizes[i].size;
        info->generations[i].fragmentation_after = sizes[i].fragmentation;
        info->heap_size += sizes[i].size;
        info->fragmented += sizes[i].fragmentation;
    }
    uint64_t lived = hwr_raw_now(heap->raw) - t->opened;
    info->index = heap->counters.collections;
    info->generation = t->generation;
    info->compacted = !t->unmoving;
    info->pause = pause;
    info->pause_percentage = lived ? 100.0 * (double)t->paused / (double)lived : 0;
    info->committed = hwri_traced_committed(t);
    info->promoted = (size_t)t->survived_bytes;
    info->pinned_objects = t->pinned_objects;
    if (info->committed > t->peak_committed) t->peak_committed = info->committed;
    t->infos[HWR_INFO_ANY] = t->infos[t->generation == HWR_OLDEST ? HWR_INFO_FULL : HWR_INFO_YOUNG] = *info;
    hwri_emit(heap, HWR_EVENT_COLLECTION_END, (uint64_t)t->generation, 0);
    if (info->committed != t->committed) hwri_emit(heap, HWR_EVENT_HEAP_GROWTH, info->committed, t->committed);
    t->committed = info->committed;
}

/* A collection inside a callback calls none. */
void hwri_inform_program(hwri_tracing *t, hwri_mutator *me, bool starts, int generation) {
    if (!t->heap->callback_count || me->calls_back) return;
    me->calls_back = true;
    hwri_call_back_all(t->heap, &(hwr_collection_info){.starts = starts, .generation = generation});
    me->calls_back = false;
}

void hwr_get_memory_info(hwr_heap *heap, hwr_memory_info_kind kind, hwr_memory_info *info) {
    hwri_tracing *t = heap->tracing;
    hwri_memory memory;
    *info = (hwr_memory_info){0};
    if (t) {
        hwri_mutex_lock(&t->lock);
        *info = t->infos[kind];
        hwri_mutex_unlock(&t->lock);
        info->finalization_pending = hwr_finalizers_pending(heap);
    }
    hwri_raw_memory(heap->raw, &memory);
    info->memory_load = (size_t)memory.used;
    info->total_available = heap->limit ? heap->limit : (size_t)memory.total;
}

/* ---- bytes allocated ---- */

static uint64_t allocated_by(const hwri_mutator *m, bool now) {
    return __atomic_load_n(&m->allocated, __ATOMIC_RELAXED) + (now ? m->face.bump - m->counted : 0);
}

static uint64_t allocated_by_all(const hwri_tracing *t) {
    uint64_t bytes = t->allocated_by_ended;
    for (const hwri_mutator *m = t->threads; m; m = m->next) bytes += allocated_by(m, false);
    return bytes;
}

/* A thread that has stopped has counted. */
uint64_t hwr_allocated_bytes(hwr_heap *heap, bool precise) {
    hwri_tracing *t = heap->tracing;
    hwri_mutator *me = t && precise ? hwri_mutator_here(heap) : NULL;
    if (!t) return 0;
    if (me) hwri_stand_still(heap, me, false);
    hwri_mutex_lock(&t->lock);
    uint64_t bytes = allocated_by_all(t);
    hwri_mutex_unlock(&t->lock);
    if (me) hwri_go_on(t, false);
    return bytes;
}

uint64_t hwr_allocated_bytes_here(hwr_heap *heap) {
    const hwri_mutator *me = heap->tracing ? hwri_mutator_here(heap) : NULL;
    return me ? allocated_by(me, true) : 0;
}

/* ---- memory outside ---- */

void hwr_add_memory_pressure(hwr_heap *heap, size_t bytes) {
    hwri_tracing *t = heap->tracing;
    if (!t) return;
    __atomic_fetch_add(&t->pressure, bytes, __ATOMIC_RELAXED);
    hwri_mutator *me = hwri_mutator_here(heap);
    if (!me) return;
    hwri_mutex_lock(&t->lock);
    bool due = t->spaces->is_due(t);
    hwri_mutex_unlock(&t->lock);
    if (due) hwri_traced_collect(t, me, HWR_OLDEST, HWR_COLLECT_DEFAULT);
}

void hwr_remove_memory_pressure(hwr_heap *heap, size_t bytes) {
    hwri_tracing *t = heap->tracing;
    if (!t) return;
    size_t before = __atomic_load_n(&t->pressure, __ATOMIC_RELAXED), after;
    do after = before > bytes ? before - bytes : 0;
    while (!__atomic_compare_exchange_n(&t->pressure, &before, after, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}
