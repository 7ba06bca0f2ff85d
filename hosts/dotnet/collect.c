/* A collection: what is done, one thing after the other, in the order that the runtime's documentation of this interface asks for. The world stands still, and one thread collects. */
#include "collect.h"

#include "allocate.h"
#include "finalize.h"
#include "handles.h"
#include "inform.h"
#include "life.h"
#include "model.h"
#include "no_gc.h"
#include "notes.h"
#include "settings.h"
#include "statistics.h"

#include "tracing/mark.h"

/* ---- for handles and finalizers ---- */

bool clr_is_reached(const clr_object *object) { return !clr_gc.engine || clr_is_marked(object); }

void clr_reach(clr_object **slot) {
    if (clr_in_space(*slot)) marking_visit_root(clr_gc.engine, slot);
}

void clr_reach_all(void) { marking_finish(clr_gc.engine); }

/* ---- roots ---- */

/* A search for roots. */
typedef struct root_scan {
    bool refused;  /* there was no memory to note one of them */
    size_t pinned; /* that must stay where they are */
} root_scan;

static clr_object *root_in(clr_object **slot, root_scan *roots, uint32_t flags) {
    clr_object *object = flags & CLR_ROOT_INTERIOR ? clr_object_at(*slot) : *slot;
    if (!clr_in_space(object)) return NULL;
    if (flags & CLR_ROOT_PINNED) roots->pinned++;
    return object;
}

static void reach_root(clr_object **slot, clr_scan *scan, uint32_t flags) {
    clr_object *object = root_in(slot, scan->own, flags);
    if (object) clr_reach(&object);
}

static void note_root(clr_object **slot, clr_scan *scan, uint32_t flags) {
    root_scan *roots = scan->own;
    clr_object *object = root_in(slot, roots, flags);
    if (object && !hwri_pointers_push(clr_gc.space.tables, &clr_gc.roots, object)) roots->refused = true;
}

static root_scan scan_roots(clr_root_function *visit, int generation) {
    root_scan roots = {0};
    clr_scan scan = {.number = -1, .count = 1, .promotion = true, .root_kind = CLR_ROOT_OTHER, .own = &roots};
    clr_runtime->table->gc_scan_roots(clr_runtime, visit, generation, CLR_MAX_GENERATION, &scan);
    clr_gc.pins = roots.pinned;
    return roots;
}

/* What a reference into the middle leads to is found by the marks, so this comes before they are cleared. False without memory. */
static bool note_roots(int generation) {
    clr_gc.roots.count = 0;
    return !scan_roots(note_root, generation).refused;
}

static void reach_roots(int generation, bool full) {
    if (!full) scan_roots(reach_root, generation);
    for (size_t i = 0; full && i < clr_gc.roots.count; i++) clr_reach((clr_object **)(void *)&clr_gc.roots.items[i]);
}

static void forget_sync_block(clr_object **slot, uintptr_t *extra, uintptr_t a, uintptr_t b) {
    (void)extra, (void)a, (void)b;
    if (*slot && !clr_is_marked(*slot)) *slot = NULL;
}

/* ---- marking ---- */

static void mark(int generation, bool full) {
    const clr_ee_table *ee = clr_runtime->table;
    clr_scan scan = {.number = -1, .count = 1, .promotion = true, .root_kind = CLR_ROOT_OTHER};
    clr_life_reach_queues();
    reach_roots(generation, full);
    clr_life_reach_handles(full);
    if (!full) clr_cards_reach();
    clr_reach_all();
    clr_life_reach_dependents(full);
    ee->after_gc_scan_roots(clr_runtime, generation, CLR_MAX_GENERATION, &scan);
    clr_life_clear_short(full);
    clr_life_find_finalizable(full);
    clr_reach_all();
    clr_life_reach_dependents(full);
    clr_life_clear_long(full);
    ee->sync_block_cache_weak_ptr_scan(clr_runtime, forget_sync_block, (uintptr_t)&scan, 0);
    clr_life_end();
}

static void sweep(bool full) {
    hwri_space *space = &clr_gc.space;
    hwri_larges_sweep(space);
    hwri_old_sweep(space, full);
    clr_survived(space->old.live + space->large.bytes);
}

/* ---- what is told of it ---- */

static uint64_t committed(hwr_raw *raw) {
    hwr_raw_stats stats;
    hwr_raw_get_stats(raw, &stats);
    return stats.committed;
}

static size_t pinned_bytes(const hwri_space *space) {
    size_t bytes = 0;
    for (size_t i = 0; i < space->large.count; i++)
        if (space->large.all[i]->tag == CLR_TAG_PINNED) bytes += space->large.all[i]->size;
    return bytes;
}

static void tell_before(clr_collection *record) {
    const hwri_space *space = &clr_gc.space;
    record->sizes[0].before = clr_bytes_in_use() - space->old.live - space->large.bytes;
    record->sizes[CLR_MAX_GENERATION].before = space->old.live;
    record->sizes[CLR_LARGE_OBJECTS].before = space->large.bytes - clr_gc.pinned;
    record->sizes[CLR_PINNED_OBJECTS].before = clr_gc.pinned;
}

/* Afterwards everything is old. Sizes are with the holes. */
static void tell_after(clr_collection *record) {
    const hwri_space *space = &clr_gc.space;
    clr_generation_sizes *old = &record->sizes[CLR_MAX_GENERATION];
    size_t survived = space->old.live - old->before;
    clr_gc.pinned = pinned_bytes(space);
    old->fragmented_after = record->fragmented = space->old.holes_bytes;
    old->after = space->old.live + space->old.holes_bytes;
    record->sizes[CLR_LARGE_OBJECTS].after = space->large.bytes - clr_gc.pinned;
    record->sizes[CLR_PINNED_OBJECTS].after = clr_gc.pinned;
    record->heap_size = old->after + space->large.bytes;
    record->committed = committed(clr_objects.regions) + committed(clr_objects.large);
    record->promoted = record->gen ? space->old.live + space->large.bytes : survived;
    record->pinned = clr_gc.pins + clr_handle_count(CLR_PINNED);
    record->pending = clr_finalize_pending();
    record->budget = clr_gc.budget;
}

/* To profilers, and those who listen to events: they go through the heap now, if they want to, before they hear of the end. */
static void show(const clr_collection *record) {
    const clr_ee_table *ee = clr_runtime->table;
    ee->diag_walk_freachable_objects(clr_runtime, NULL);
    ee->diag_walk_survivors(clr_runtime, NULL, false);
    for (int gen = CLR_LARGE_OBJECTS; gen <= CLR_PINNED_OBJECTS; gen++)
        ee->diag_walk_uoh_survivors(clr_runtime, NULL, gen);
    ee->diag_gc_end(clr_runtime, record->index, record->gen, record->induced, false);
}

/* ---- a collection ---- */

static void give_back(void) {
    hwri_old_trim(&clr_gc.space, 0);
    hwr_pool_trim(clr_gc.space.large.pool, true);
}

/* To mark everything anew needs memory for a list of roots. Where there is none, and giving memory back does not help, the young can still be collected, and that is what is said to have been done: an allocation that waits for
 * more fails in the end, as it does where a full collection finds nothing. */
static int what_can_be(int generation) {
    if (generation == 0 || note_roots(generation)) return generation;
    give_back();
    return note_roots(generation) ? generation : 0;
}

static void collect_stopped(int wanted, bool induced, int mode) {
    const clr_ee_table *ee = clr_runtime->table;
    uint64_t started = clr_now();
    clr_allocation_stop();
    int generation = clr_gc.generation = what_can_be(wanted);
    bool full = generation > 0;
    clr_collection record;
    clr_inform_begin(&record, generation, full ? CLR_KIND_FULL : CLR_KIND_YOUNG, induced, started);
    ee->diag_gc_start(clr_runtime, generation, induced);
    ee->gc_start_work(clr_runtime, generation, CLR_MAX_GENERATION);
    tell_before(&record);
    clr_no_gc_collected(induced);
    clr_notes_of_begin(full);

    hwri_space *space = &clr_gc.space;
    hwri_marking engine;
    space->collecting = true;
    ee->before_gc_scan_roots(clr_runtime, generation, false, false);
    if (full) space->epoch = 3 - space->epoch;
    if (full) hwri_old_clear_marks(space);
    marking_open(&engine, space, false, 0);
    clr_gc.engine = &engine;
    mark(generation, full);
    clr_gc.engine = NULL;
    sweep(full);
    space->collecting = space->refused = false;

    ee->sync_block_cache_promotions_granted(clr_runtime, CLR_MAX_GENERATION);
    clr_cards_clear();
    clr_policy_after(full);
    if (mode & CLR_AGGRESSIVE) give_back();
    if (generation == CLR_MAX_GENERATION) clr_set_large_compaction(CLR_LARGE_COMPACTION_DEFAULT);
    tell_after(&record);
    ee->gc_done(clr_runtime, generation);
    show(&record);
    clr_inform_end(&record);
    clr_statistics_collection(&record);
}

/* A thread that waits must not be cooperative, or the one that collects would wait for it. */
static void collect(int generation, bool induced, int mode, uint32_t seen) {
    const clr_ee_table *ee = clr_runtime->table;
    bool was_cooperative = ee->enable_preemptive_gc(clr_runtime);
    pthread_mutex_lock(&clr_gc.collecting);
    bool is_due = induced || clr_gc.count == seen;
    if (is_due) {
        ee->suspend_ee(clr_runtime, CLR_SUSPEND_FOR_GC);
        __atomic_store_n(&clr_gc.count, clr_gc.count + 1, __ATOMIC_RELEASE);
        collect_stopped(generation, induced, mode);
        ee->restart_ee(clr_runtime, true);
    }
    pthread_mutex_unlock(&clr_gc.collecting);
    if (is_due) ee->enable_finalization(clr_runtime, clr_finalize_pending() > 0 || clr_no_gc_is_due());
    if (was_cooperative) ee->disable_preemptive_gc(clr_runtime);
}

void clr_collect_for_room(int generation, uint32_t seen) { collect(generation, false, 0, seen); }

void clr_collect(int generation, int mode) { collect(generation, true, mode, 0); }

int clr_collecting(void) { return clr_gc.generation; }
