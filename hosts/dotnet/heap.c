/* The slots of the heap: the table, and what is not worth a file of its own. What a slot does that has one is there; here it is only given the shape that the runtime wants. */
#include "heap.h"

#include "allocate.h"
#include "collect.h"
#include "collector.h"
#include "diagnose.h"
#include "finalize.h"
#include "frozen.h"
#include "inform.h"
#include "life.h"
#include "no_gc.h"
#include "notes.h"
#include "runtime.h"
#include "settings.h"
#include "space.h"
#include "traps.h"
#include "walk.h"

#include <pthread.h>
#include <string.h>

enum { GENERATION_MOST = 2, NS_PER_MS = 1000000, NS_PER_TICK = 100 };

/* ---- starting and ending ---- */

static clr_result initialize(clr_heap *self) {
    (void)self;
    if (!clr_space_open() || !clr_collector_open()) {
        clr_say("there is no memory for a heap");
        return CLR_NO_MEMORY;
    }
    clr_space_set_barrier();
    return CLR_OK;
}

static void shutdown_heap(clr_heap *self) { (void)self; }

/* ---- waiting for the end of a suspension ----
 * The runtime drives this, for every suspension of its own too. */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ended; /* the event */
    bool in_progress;
} suspension = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .ended = true};

static bool is_gc_in_progress(clr_heap *self, bool consider_start) {
    (void)self;
    (void)consider_start;
    return __atomic_load_n(&suspension.in_progress, __ATOMIC_ACQUIRE);
}

static void set_gc_in_progress(clr_heap *self, bool in_progress) {
    (void)self;
    __atomic_store_n(&suspension.in_progress, in_progress, __ATOMIC_RELEASE);
}

static void set_event(bool ended) {
    pthread_mutex_lock(&suspension.lock);
    suspension.ended = ended;
    if (ended) pthread_cond_broadcast(&suspension.changed);
    pthread_mutex_unlock(&suspension.lock);
}

static void set_wait_for_gc_event(clr_heap *self) {
    (void)self;
    set_event(true);
}

static void reset_wait_for_gc_event(clr_heap *self) {
    (void)self;
    set_event(false);
}

static uint32_t wait_until_gc_complete(clr_heap *self, bool consider_start) {
    if (!is_gc_in_progress(self, consider_start)) return 0;
    pthread_mutex_lock(&suspension.lock);
    while (!suspension.ended) pthread_cond_wait(&suspension.changed, &suspension.lock);
    pthread_mutex_unlock(&suspension.lock);
    return 0;
}

static void set_suspension_pending(clr_heap *self, bool pending) {
    (void)self;
    (void)pending;
}

/* ---- allocation ---- */

static clr_object *alloc(clr_heap *self, clr_alloc_context *context, size_t size, uint32_t flags) {
    (void)self;
    return clr_allocate(context, size, flags);
}

static void publish_object(clr_heap *self, uint8_t *object) {
    (void)self;
    (void)object;
}

static void fix_alloc_context(clr_heap *self, clr_alloc_context *context, void *argument, void *heap) {
    (void)self;
    (void)argument;
    (void)heap;
    clr_allocate_end(context);
}

static bool is_thread_using_allocation_context_heap(clr_heap *self, clr_alloc_context *context, int number) {
    (void)self;
    (void)context;
    (void)number;
    return true;
}

static size_t get_loh_threshold(clr_heap *self) {
    (void)self;
    return clr_settings.large_threshold;
}

static bool stress_heap(clr_heap *self, clr_alloc_context *context) {
    (void)self;
    (void)context;
    return false;
}

/* ---- objects and addresses ---- */

static uint32_t which_generation(clr_heap *self, clr_object *object) {
    (void)self;
    return clr_generation_of(object);
}

static bool is_ephemeral(clr_heap *self, clr_object *object) {
    (void)self;
    return clr_generation_of(object) < GENERATION_MOST;
}

static bool is_heap_pointer(clr_heap *self, void *address, bool small_only) {
    (void)self;
    return clr_in_space(address) && (!small_only || (uintptr_t)address < clr_objects.middle);
}

static bool is_large_object(clr_heap *self, clr_object *object) {
    (void)self;
    return clr_in_space(object) && (uintptr_t)object >= clr_objects.middle;
}

static bool is_promoted(clr_heap *self, clr_object *object) {
    (void)self;
    return clr_is_reached(object);
}

static void validate_object_member(clr_heap *self, clr_object *object) {
    (void)self;
    (void)object;
}

static clr_object *next_obj(clr_heap *self, clr_object *object) {
    (void)self;
    (void)object;
    return NULL;
}

static clr_object *get_containing_object(clr_heap *self, void *address, bool collected_only) {
    (void)self;
    (void)collected_only;
    return clr_object_at(address);
}

static void *register_frozen_segment(clr_heap *self, clr_segment *segment) {
    (void)self;
    return clr_frozen_add(segment);
}

static void unregister_frozen_segment(clr_heap *self, void *segment) {
    (void)self;
    clr_frozen_remove(segment);
}

static void update_frozen_segment(clr_heap *self, void *segment, uint8_t *allocated, uint8_t *committed) {
    (void)self;
    clr_frozen_update(segment, allocated, committed);
}

static bool is_in_frozen_segment(clr_heap *self, clr_object *object) {
    (void)self;
    return clr_frozen_has(object);
}

/* ---- collecting ---- */

static clr_result garbage_collect(clr_heap *self, int gen, bool low_memory, int mode) {
    (void)self;
    (void)low_memory;
    clr_collect(gen < 0 || gen > GENERATION_MOST ? GENERATION_MOST : gen, mode);
    return CLR_OK;
}

static uint32_t get_condemned_generation(clr_heap *self) {
    (void)self;
    return (uint32_t)clr_collecting();
}

static uint32_t get_max_generation(clr_heap *self) {
    (void)self;
    return GENERATION_MOST;
}

static bool runtime_structures_valid(clr_heap *self) { return self != NULL; }

/* No collection is concurrent. */

static void wait_until_concurrent_gc_complete(clr_heap *self) { (void)self; }
static void temporary_enable_concurrent_gc(clr_heap *self) { (void)self; }
static void temporary_disable_concurrent_gc(clr_heap *self) { (void)self; }
static bool is_concurrent_gc_in_progress(clr_heap *self) { return self == NULL; }
static bool is_concurrent_gc_enabled(clr_heap *self) { return self == NULL; }

static clr_result wait_until_concurrent_gc_complete_async(clr_heap *self, int milliseconds) {
    (void)self;
    (void)milliseconds;
    return CLR_OK;
}

/* ---- finalizers ---- */

static size_t get_number_of_finalizable(clr_heap *self) {
    (void)self;
    return clr_finalize_pending();
}

static clr_object *get_next_finalizable(clr_heap *self) {
    (void)self;
    return clr_finalize_next();
}

static void set_finalization_run(clr_heap *self, clr_object *object) {
    (void)self;
    clr_finalize_suppress(object);
}

static bool register_for_finalization(clr_heap *self, int gen, clr_object *object) {
    (void)self;
    (void)gen;
    return clr_finalize_again(object);
}

static clr_finalizer_work *get_extra_work_for_finalization(clr_heap *self) {
    (void)self;
    return clr_no_gc_due();
}

/* ---- figures ---- */

static size_t get_total_bytes_in_use(clr_heap *self) {
    (void)self;
    return clr_bytes_in_use();
}

static uint64_t get_total_allocated_bytes(clr_heap *self) {
    (void)self;
    return clr_allocated();
}

static int collection_count(clr_heap *self, int gen, int special) {
    (void)self;
    int kind = special == 1 ? CLR_KIND_BACKGROUND : special == 2 ? CLR_KIND_FULL : CLR_KIND_ANY;
    return (int)clr_collections(gen, kind);
}

static uint32_t get_gc_count(clr_heap *self) {
    (void)self;
    return (uint32_t)clr_collections(0, CLR_KIND_ANY);
}

static void get_memory_info(clr_heap *self, uint64_t *high_load_bytes, uint64_t *available, uint64_t *load_bytes,
                            uint64_t *heap_size, uint64_t *fragmented, uint64_t *committed, uint64_t *promoted,
                            uint64_t *pinned, uint64_t *pending, uint64_t *index, uint32_t *gen,
                            uint32_t *pause_percent, bool *compacted, bool *concurrent, uint64_t *generations,
                            uint64_t *pauses, int kind) {
    (void)self;
    clr_collection c;
    clr_inform_latest(kind, &c);
    *high_load_bytes = c.high_load_bytes;
    *available = c.available;
    *load_bytes = c.load_bytes;
    *heap_size = c.heap_size;
    *fragmented = c.fragmented;
    *committed = c.committed;
    *promoted = c.promoted;
    *pinned = c.pinned;
    *pending = c.pending;
    *index = c.index;
    *gen = (uint32_t)c.gen;
    *pause_percent = c.pause_percent;
    *compacted = c.compacted;
    *concurrent = c.concurrent;
    memcpy(generations, c.sizes, sizeof c.sizes);
    pauses[0] = c.pause / NS_PER_TICK;
    pauses[1] = 0; /* of a second pause, which concurrent ones have */
}

static uint32_t get_memory_load(clr_heap *self) {
    (void)self;
    clr_collection c;
    clr_inform_latest(CLR_KIND_ANY, &c);
    return c.available ? (uint32_t)(c.load_bytes * 100 / c.available) : 0;
}

static int64_t get_total_pause_duration(clr_heap *self) {
    (void)self;
    return (int64_t)(clr_paused() / NS_PER_TICK);
}

static int get_last_gc_percent_time_in_gc(clr_heap *self) {
    (void)self;
    return (int)clr_percent_in_last();
}

static size_t get_last_gc_generation_size(clr_heap *self, int gen) {
    (void)self;
    clr_collection c;
    clr_inform_latest(CLR_KIND_ANY, &c);
    return gen >= 0 && gen < CLR_GENERATIONS ? c.sizes[gen].after : 0;
}

static uint64_t get_generation_budget(clr_heap *self, int gen) {
    (void)self;
    return gen == 0 ? clr_gc.budget : 0;
}

static size_t get_last_gc_start_time(clr_heap *self, int gen) {
    (void)self;
    return clr_last_start(gen) / NS_PER_MS;
}

static size_t get_last_gc_duration(clr_heap *self, int gen) {
    (void)self;
    return clr_last_pause(gen) / NS_PER_MS;
}

static size_t get_now(clr_heap *self) {
    (void)self;
    return clr_now() / NS_PER_MS;
}

/* ---- settings ---- */

static bool is_valid_segment_size(clr_heap *self, size_t size) {
    (void)self;
    return size != 0;
}

static size_t get_valid_segment_size(clr_heap *self, bool large) {
    (void)self;
    (void)large;
    return (size_t)1 << 20;
}

static void set_reserved_vm_limit(clr_heap *self, size_t limit) {
    (void)self;
    (void)limit;
}

static int get_gc_latency_mode(clr_heap *self) {
    (void)self;
    return clr_no_gc_runs() ? CLR_NO_GC_REGION : clr_latency_mode();
}

static int set_gc_latency_mode(clr_heap *self, int mode) {
    (void)self;
    if (clr_no_gc_runs()) return 1;
    clr_set_latency_mode(mode);
    return 0;
}

static int get_loh_compaction_mode(clr_heap *self) {
    (void)self;
    return clr_large_compaction();
}

static void set_loh_compaction_mode(clr_heap *self, int mode) {
    (void)self;
    clr_set_large_compaction(mode);
}

static void set_yield_processor_scaling_factor(clr_heap *self, float factor) {
    (void)self;
    (void)factor;
}

static void enumerate_configuration_values(clr_heap *self, void *context, clr_value_function *visit) {
    (void)self;
    clr_settings_each(context, visit);
}

static int refresh_memory_limit(clr_heap *self) {
    (void)self;
    return clr_policy_refresh_limit();
}

/* ---- notes of full collections, and regions without collections ---- */

static bool register_for_full_gc_notification(clr_heap *self, uint32_t gen2_percent, uint32_t large_percent) {
    (void)self;
    clr_notes_register(gen2_percent > large_percent ? gen2_percent : large_percent);
    return true;
}

static bool cancel_full_gc_notification(clr_heap *self) {
    (void)self;
    clr_notes_cancel();
    return true;
}

static int wait_for_full_gc_approach(clr_heap *self, int milliseconds) {
    (void)self;
    return clr_notes_wait_for_approach(milliseconds);
}

static int wait_for_full_gc_complete(clr_heap *self, int milliseconds) {
    (void)self;
    return clr_notes_wait_for_complete(milliseconds);
}

static int start_no_gc_region(clr_heap *self, uint64_t total, bool large_known, uint64_t large, bool no_full) {
    (void)self;
    (void)large_known;
    (void)large;
    return clr_no_gc_start(total, no_full);
}

static int end_no_gc_region(clr_heap *self) {
    (void)self;
    return clr_no_gc_end();
}

static int enable_no_gc_region_callback(clr_heap *self, clr_no_gc_work *work, uint64_t threshold) {
    (void)self;
    return clr_no_gc_call(work, threshold);
}

/* ---- profilers, debuggers, traces ---- */

static void diag_walk_object(clr_heap *self, clr_object *object, clr_walk_function *visit, void *context) {
    (void)self;
    if (object) clr_walk_object(object, visit, context);
}

static void diag_walk_object2(clr_heap *self, clr_object *object, clr_walk_slots_function *visit, void *context) {
    (void)self;
    if (object) clr_walk_slots(object, visit, context);
}

static void diag_walk_heap(clr_heap *self, clr_walk_function *visit, void *context, int gen, bool large) {
    (void)self;
    clr_walk_heap(visit, context, gen, large);
}

/* Outside of a collection: the world stands still, but threads have room at hand. */
static void diag_walk_heap_with_ac_handling(clr_heap *self, clr_walk_function *visit, void *context, int gen,
                                            bool large) {
    (void)self;
    clr_allocation_stop();
    clr_walk_heap(visit, context, gen, large);
}

static void diag_walk_survivors(clr_heap *self, void *gc_context, clr_survivors_function *visit, void *context,
                                int type, int gen) {
    (void)self;
    (void)gc_context;
    clr_walk_survivors(visit, context, type, gen);
}

static void diag_walk_finalize_queue(clr_heap *self, void *gc_context, clr_finalizable_function *visit) {
    (void)self;
    (void)gc_context;
    clr_diagnose_finalizable(visit);
}

static void diag_scan_finalize_queue(clr_heap *self, clr_root_function *visit, clr_scan *scan) {
    (void)self;
    clr_diagnose_finalizable_roots(visit, scan);
}

static void diag_scan_handles(clr_heap *self, clr_handle_function *visit, int gen, clr_scan *scan) {
    (void)self;
    (void)gen;
    clr_diagnose_handles(visit, scan);
}

static void diag_scan_dependent_handles(clr_heap *self, clr_handle_function *visit, int gen, clr_scan *scan) {
    (void)self;
    (void)gen;
    clr_diagnose_dependents(visit, scan);
}

static void diag_descr_generations(clr_heap *self, clr_generation_function *visit, void *context) {
    (void)self;
    clr_walk_generations(visit, context);
}

static void diag_trace_gc_segments(clr_heap *self) { (void)self; }

static void diag_get_gc_settings(clr_heap *self, clr_settings_info *info) {
    (void)self;
    *info = (clr_settings_info){
        .hard_limit = clr_settings.hard_limit,
        .large_threshold = clr_settings.large_threshold,
        .gen0_least = clr_settings.gen0_size,
        .high_memory_percent = clr_settings.high_load,
        .frozen_segments = true,
        .hard_limit_configured = clr_settings.hard_limit != 0,
        .no_affinity = true,
    };
}

static uint32_t get_generation_with_range(clr_heap *self, clr_object *object, uint8_t **start, uint8_t **allocated,
                                          uint8_t **reserved) {
    (void)self;
    *start = *allocated = NULL;
    clr_walk_range(object, start, allocated);
    *reserved = *allocated;
    return clr_generation_of(object);
}

static void control_events(clr_heap *self, int keyword, int level) {
    (void)self;
    clr_inform_control(keyword, level);
}

/* Nothing is told to the private provider. */
static void control_private_events(clr_heap *self, int keyword, int level) {
    (void)self;
    (void)keyword;
    (void)level;
}

/* Java's, on Android. */
static void null_bridge_objects_weak_refs(clr_heap *self, size_t count, void *handles) {
    (void)self;
    (void)count;
    (void)handles;
}

static const struct {
    clr_heap_table known;
    clr_trap *unknown[CLR_TRAPS_OF_HEAP];
} heap_table = {
    .known =
        {
            .is_valid_segment_size = is_valid_segment_size,
            .is_valid_gen0_max_size = is_valid_segment_size,
            .get_valid_segment_size = get_valid_segment_size,
            .set_reserved_vm_limit = set_reserved_vm_limit,
            .wait_until_concurrent_gc_complete = wait_until_concurrent_gc_complete,
            .is_concurrent_gc_in_progress = is_concurrent_gc_in_progress,
            .temporary_enable_concurrent_gc = temporary_enable_concurrent_gc,
            .temporary_disable_concurrent_gc = temporary_disable_concurrent_gc,
            .is_concurrent_gc_enabled = is_concurrent_gc_enabled,
            .wait_until_concurrent_gc_complete_async = wait_until_concurrent_gc_complete_async,
            .get_number_of_finalizable = get_number_of_finalizable,
            .get_next_finalizable = get_next_finalizable,
            .get_memory_info = get_memory_info,
            .get_memory_load = get_memory_load,
            .get_gc_latency_mode = get_gc_latency_mode,
            .set_gc_latency_mode = set_gc_latency_mode,
            .get_loh_compaction_mode = get_loh_compaction_mode,
            .set_loh_compaction_mode = set_loh_compaction_mode,
            .register_for_full_gc_notification = register_for_full_gc_notification,
            .cancel_full_gc_notification = cancel_full_gc_notification,
            .wait_for_full_gc_approach = wait_for_full_gc_approach,
            .wait_for_full_gc_complete = wait_for_full_gc_complete,
            .which_generation = which_generation,
            .collection_count = collection_count,
            .start_no_gc_region = start_no_gc_region,
            .end_no_gc_region = end_no_gc_region,
            .get_total_bytes_in_use = get_total_bytes_in_use,
            .get_total_allocated_bytes = get_total_allocated_bytes,
            .garbage_collect = garbage_collect,
            .get_max_generation = get_max_generation,
            .set_finalization_run = set_finalization_run,
            .register_for_finalization = register_for_finalization,
            .get_last_gc_percent_time_in_gc = get_last_gc_percent_time_in_gc,
            .get_last_gc_generation_size = get_last_gc_generation_size,
            .initialize = initialize,
            .is_promoted = is_promoted,
            .is_heap_pointer = is_heap_pointer,
            .get_condemned_generation = get_condemned_generation,
            .is_gc_in_progress = is_gc_in_progress,
            .get_gc_count = get_gc_count,
            .is_thread_using_allocation_context_heap = is_thread_using_allocation_context_heap,
            .is_ephemeral = is_ephemeral,
            .wait_until_gc_complete = wait_until_gc_complete,
            .fix_alloc_context = fix_alloc_context,
            .get_current_obj_size = get_total_bytes_in_use,
            .set_gc_in_progress = set_gc_in_progress,
            .runtime_structures_valid = runtime_structures_valid,
            .set_suspension_pending = set_suspension_pending,
            .set_yield_processor_scaling_factor = set_yield_processor_scaling_factor,
            .shutdown = shutdown_heap,
            .get_last_gc_start_time = get_last_gc_start_time,
            .get_last_gc_duration = get_last_gc_duration,
            .get_now = get_now,
            .alloc = alloc,
            .publish_object = publish_object,
            .set_wait_for_gc_event = set_wait_for_gc_event,
            .reset_wait_for_gc_event = reset_wait_for_gc_event,
            .is_large_object = is_large_object,
            .validate_object_member = validate_object_member,
            .next_obj = next_obj,
            .get_containing_object = get_containing_object,
            .diag_walk_object = diag_walk_object,
            .diag_walk_object2 = diag_walk_object2,
            .diag_walk_heap = diag_walk_heap,
            .diag_walk_survivors_with_type = diag_walk_survivors,
            .diag_walk_finalize_queue = diag_walk_finalize_queue,
            .diag_scan_finalize_queue = diag_scan_finalize_queue,
            .diag_scan_handles = diag_scan_handles,
            .diag_scan_dependent_handles = diag_scan_dependent_handles,
            .diag_descr_generations = diag_descr_generations,
            .diag_trace_gc_segments = diag_trace_gc_segments,
            .diag_get_gc_settings = diag_get_gc_settings,
            .stress_heap = stress_heap,
            .register_frozen_segment = register_frozen_segment,
            .unregister_frozen_segment = unregister_frozen_segment,
            .is_in_frozen_segment = is_in_frozen_segment,
            .control_events = control_events,
            .control_private_events = control_private_events,
            .get_generation_with_range = get_generation_with_range,
            .get_total_pause_duration = get_total_pause_duration,
            .enumerate_configuration_values = enumerate_configuration_values,
            .update_frozen_segment = update_frozen_segment,
            .refresh_memory_limit = refresh_memory_limit,
            .enable_no_gc_region_callback = enable_no_gc_region_callback,
            .get_extra_work_for_finalization = get_extra_work_for_finalization,
            .get_generation_budget = get_generation_budget,
            .get_loh_threshold = get_loh_threshold,
            .diag_walk_heap_with_ac_handling = diag_walk_heap_with_ac_handling,
            .null_bridge_objects_weak_refs = null_bridge_objects_weak_refs,
        },
    .unknown = {CLR_TRAPS_FROM_89},
};
clr_heap clr_heap_object = {&heap_table.known};
