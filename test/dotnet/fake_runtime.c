#include "fake_runtime.h"

#include "finalize.h"
#include "handles.h"
#include "life.h"
#include "runtime.h"
#include "support/check.h"

#include <stdio.h>
#include <string.h>

const clr_method_table fake_plain = {.base_size = 24};
const clr_method_table fake_finalizable = {.flags = CLR_HAS_FINALIZER, .base_size = 24};
const clr_method_table fake_critical = {.flags = CLR_HAS_FINALIZER | CLR_CRITICAL, .base_size = 24};
const clr_method_table fake_array = {.flags = CLR_HAS_ITEMS | 2, .base_size = 22};
const clr_method_table fake_eager = {.flags = CLR_HAS_FINALIZER, .base_size = 24};

fake_runtime fake_state;

/* ---- the runtime ---- */

static void log_error_to_host(clr_ee *self, const char *message) {
    (void)self;
    fprintf(stderr, "%s\n", message);
}

static bool refcounted_handle_callbacks(clr_ee *self, clr_object *object) {
    (void)self;
    CHECK(object != NULL);
    return fake_state.counted;
}

static bool eager_finalized(clr_ee *self, clr_object *object) {
    (void)self;
    if (!fake_state.eager || object->type != &fake_eager) return false;
    if (fake_state.freed_eagerly) clr_handle_free(fake_state.freed_eagerly);
    fake_state.freed_eagerly = NULL;
    fake_state.eager_count++;
    return true;
}

static void enable_finalization(clr_ee *self, bool has_work) {
    (void)self;
    fake_state.enabled += has_work;
    if (fake_state.enabling) fake_state.enabling();
}

/* Threads of a test are the runtime's no more than those of a C program. */
static bool enable_preemptive_gc(clr_ee *self) {
    (void)self;
    return false;
}

/* ---- events ---- */

static void gc_triggered(clr_sink *self, uint32_t reason) {
    (void)self;
    (void)reason;
    fake_state.events.triggered++;
}

static void gc_start(clr_sink *self, uint32_t index, uint32_t gen, uint32_t reason, uint32_t type) {
    (void)self;
    fake_state.events.started++;
    fake_state.events.index = index;
    fake_state.events.gen = gen;
    fake_state.events.reason = reason;
    fake_state.events.type = type;
}

static void gc_end(clr_sink *self, uint32_t index, uint32_t gen) {
    (void)self;
    CHECK(index == fake_state.events.index && gen == fake_state.events.gen);
    fake_state.events.ended++;
}

static void gc_heap_stats(clr_sink *self, uint64_t size0, uint64_t promoted0, uint64_t size1, uint64_t promoted1,
                          uint64_t size2, uint64_t promoted2, uint64_t size3, uint64_t promoted3, uint64_t size4,
                          uint64_t promoted4, uint64_t finalization_bytes, uint64_t finalization_count, uint32_t pinned,
                          uint32_t sync_blocks, uint32_t handles) {
    (void)self;
    CHECK(!(size0 | promoted0 | size1 | promoted1 | size2 | promoted3 | size4 | promoted4 | finalization_bytes));
    CHECK(finalization_count == 3 && pinned == 4 && sync_blocks == 17);
    fake_state.events.stats++;
    fake_state.events.promoted = promoted2;
    fake_state.events.large = size3;
    fake_state.events.handles = handles;
}

static void gc_global_heap_history(clr_sink *self, uint64_t desired, int32_t heaps, uint32_t gen, uint32_t reductions,
                                   uint32_t reason, uint32_t mechanisms, uint32_t pause_mode, uint32_t memory_pressure,
                                   uint32_t condemn0, uint32_t condemn1, uint32_t count, uint32_t size, void *values) {
    (void)self;
    CHECK(heaps == 1 && gen == fake_state.events.gen && reason == fake_state.events.reason && desired == 66);
    CHECK(!(reductions | condemn0 | condemn1 | count) && size == 4 && !values);
    CHECK(mechanisms == 4 && pause_mode <= 4 && memory_pressure <= 100);
}

static void gc_per_heap_history(clr_sink *self, void *a, void *b, void *c, void *d, void *e, void *f, uint32_t g,
                                uint32_t h, uint32_t i, uint32_t j, uint32_t k, uint32_t heap, void *extra,
                                uint32_t count, uint32_t size, void *values) {
    (void)self;
    CHECK(!a && !b && !c && !d && !e && !f && !(g | h | i | j | k | heap) && !extra);
    CHECK(count == 5 && count * size == sizeof fake_state.events.history);
    memcpy(fake_state.events.history, values, sizeof fake_state.events.history);
    fake_state.events.histories++;
}

static void set_gc_handle(clr_sink *self, void *handle, void *object, uint32_t kind, uint32_t gen) {
    (void)self;
    CHECK(gen == (object ? 2 : 0));
    fake_state.events.handles_set++;
    fake_state.events.handle = handle;
    fake_state.events.object = object;
    fake_state.events.kind = kind;
}

static void destroy_gc_handle(clr_sink *self, void *handle) {
    (void)self;
    CHECK(handle == fake_state.events.handle);
    fake_state.events.handles_freed++;
}

/* The heap's answer, which these tests do without. */
uint32_t clr_generation_of(const clr_object *object) { return object ? 2 : CLR_GENERATION_NONE; }

static void gc_allocation_tick(clr_sink *self, uint64_t amount, uint32_t kind, uint32_t heap, void *object,
                               uint64_t size) {
    (void)self;
    CHECK(heap == 0 && object);
    fake_state.events.ticks++;
    fake_state.events.amount = amount;
    fake_state.events.kind = kind;
    fake_state.events.size = size;
}

static const clr_sink_table sink_table = {
    .gc_allocation_tick = gc_allocation_tick,
    .gc_triggered = gc_triggered,
    .gc_start = gc_start,
    .gc_end = gc_end,
    .gc_heap_stats = gc_heap_stats,
    .gc_global_heap_history = gc_global_heap_history,
    .gc_per_heap_history = gc_per_heap_history,
    .set_gc_handle = set_gc_handle,
    .destroy_gc_handle = destroy_gc_handle,
};

static clr_sink *event_sink(clr_ee *self) {
    (void)self;
    static clr_sink sink = {&sink_table};
    return &sink;
}

static uint32_t get_active_sync_block_count(clr_ee *self) {
    (void)self;
    return 17;
}

/* ---- what is configured ---- */

static bool get_int_config_value(clr_ee *self, const char *key, const char *public_key, int64_t *value) {
    (void)self;
    for (size_t i = 0; i < sizeof fake_state.configured / sizeof *fake_state.configured; i++) {
        const char *set = fake_state.configured[i].key;
        if (!set || (strcmp(set, key) != 0 && strcmp(set, public_key) != 0)) continue;
        *value = fake_state.configured[i].value;
        return true;
    }
    return false;
}

static bool get_boolean_config_value(clr_ee *self, const char *key, const char *public_key, bool *value) {
    int64_t number;
    if (!get_int_config_value(self, key, public_key, &number)) return false;
    *value = number != 0;
    return true;
}

static const clr_ee_table table = {
    .enable_finalization = enable_finalization,
    .enable_preemptive_gc = enable_preemptive_gc,
    .event_sink = event_sink,
    .get_active_sync_block_count = get_active_sync_block_count,
    .get_int_config_value = get_int_config_value,
    .get_boolean_config_value = get_boolean_config_value,
    .log_error_to_host = log_error_to_host,
    .refcounted_handle_callbacks = refcounted_handle_callbacks,
    .eager_finalized = eager_finalized,
};
static clr_ee runtime = {&table};

void fake_open(void) {
    fake_state = (fake_runtime){0};
    clr_runtime = &runtime;
    if (!clr_tables) clr_tables = hwr_raw_open(NULL);
    CHECK(clr_tables != NULL);
}

void fake_close(void) {
    for (int type = 0; type < CLR_HANDLE_TYPES; type++) CHECK(clr_handle_count(type) == 0);
    CHECK(clr_finalize_pending() == 0);
    CHECK(clr_finalize_registered() == 0);
}

void fake_fail_memory(bool fails) { hwr_raw_inject_fault(clr_tables, HWR_FAULT_ALL, fails, true); }

/* ---- objects ---- */

clr_object *fake_make(fake *f, const clr_method_table *type) {
    memset(f, 0, sizeof *f);
    f->object.type = type;
    return &f->object;
}

fake *fake_of(const clr_object *object) { return (fake *)((uintptr_t)object - offsetof(fake, object)); }

/* ---- a collection ---- */

static fake *to_scan;

bool clr_is_reached(const clr_object *object) {
    CHECK(object != NULL);
    fake_state.asked++;
    return fake_of(object)->reached;
}

static void reach(fake *f) {
    if (!f || f->reached) return;
    f->reached = true;
    f->next = to_scan;
    to_scan = f;
    if (!clr_life_watches || fake_state.untold) return;
    fake_state.told++;
    clr_life_note(&f->object);
}

void clr_reach(clr_object **slot) {
    if (*slot) reach(fake_of(*slot));
}

void clr_reach_all(void) {
    while (to_scan) {
        fake *f = to_scan;
        to_scan = f->next;
        for (size_t i = 0; i < 2; i++) reach(f->refs[i]);
    }
}

size_t fake_collect(bool all, fake *objects, size_t count, clr_object *root) {
    for (size_t i = 0; all && i < count; i++) objects[i].reached = false;
    clr_life_reach_queues();
    clr_life_reach_handles(all);
    clr_reach(&root);
    clr_reach_all();
    clr_life_reach_dependents(all);
    clr_life_clear_short(all);
    size_t found = clr_life_find_finalizable(all);
    clr_life_reach_dependents(all);
    clr_life_clear_long(all);
    clr_life_end();
    CHECK(!to_scan && !clr_life_watches);
    for (size_t i = 0; i < count; i++) CHECK(!(objects[i].header & CLR_HEADER_OURS));
    return found;
}
