/* What the user has asked for. */
#include "settings.h"

#include "heapwright/base.h"
#include "raw/backend.h"
#include "runtime.h"

#include <unistd.h>

clr_settings_values clr_settings;

static int latency = CLR_BATCH, large_compaction = CLR_LARGE_COMPACTION_DEFAULT;

enum { LARGE_LEAST = 85000, HIGH_LOAD = 90, CONSERVE_MOST = 9 };

static bool ask_bool(const char *key, const char *public_key, bool otherwise) {
    bool value;
    return clr_runtime->table->get_boolean_config_value(clr_runtime, key, public_key, &value) ? value : otherwise;
}

static uint64_t ask_number(const char *key, const char *public_key, uint64_t otherwise) {
    int64_t value;
    bool said = clr_runtime->table->get_int_config_value(clr_runtime, key, public_key, &value);
    return said && value > 0 ? (uint64_t)value : otherwise;
}

static uint64_t physical_memory(void) {
    hwri_memory memory;
    hwri_system_memory(&memory);
    return memory.total;
}

static uint64_t ask_hard_limit(void) {
    uint64_t percent = ask_number("GCHeapHardLimitPercent", "System.GC.HeapHardLimitPercent", 0);
    uint64_t otherwise = percent < 100 ? physical_memory() / 100 * percent : 0;
    return ask_number("GCHeapHardLimit", "System.GC.HeapHardLimit", otherwise);
}

/* Two share the work well; what more of them would bring has not been measured. */
static unsigned default_markers(void) { return sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 2 : 1; }

void clr_settings_read(void) {
    clr_settings_values *s = &clr_settings;
    s->server = ask_bool("gcServer", "System.GC.Server", false);
    s->concurrent = ask_bool("gcConcurrent", "System.GC.Concurrent", true);
    s->retain = ask_bool("GCRetainVM", "System.GC.RetainVM", false);
    s->hard_limit = ask_hard_limit();
    s->gen0_size = ask_number("GCgen0size", "System.GC.Gen0Size", 0);
    s->large_threshold = ask_number("GCLOHThreshold", "System.GC.LOHThreshold", LARGE_LEAST);
    if (s->large_threshold < LARGE_LEAST) s->large_threshold = LARGE_LEAST;
    uint64_t conserve = ask_number("GCConserveMemory", "System.GC.ConserveMemory", 0);
    s->conserve = conserve <= CONSERVE_MOST ? (unsigned)conserve : 0;
    uint64_t high = ask_number("GCHighMemPercent", "System.GC.HighMemoryPercent", HIGH_LOAD);
    s->high_load = high < 100 ? (unsigned)high : HIGH_LOAD;
    s->markers = (unsigned)ask_number("GCHeapCount", "System.GC.HeapCount", default_markers());
    latency = s->concurrent ? CLR_INTERACTIVE : CLR_BATCH;
}

clr_memory clr_memory_now(void) {
    hwri_memory memory;
    hwri_system_memory(&memory);
    clr_memory now = {.total = memory.total, .load = memory.total ? (unsigned)(memory.used * 100 / memory.total) : 0};
    if (clr_settings.hard_limit && clr_settings.hard_limit < now.total) now.total = clr_settings.hard_limit;
    return now;
}

int clr_latency_mode(void) { return __atomic_load_n(&latency, __ATOMIC_RELAXED); }

/* The runtime has checked it. The mode that asks for concurrent collections says nothing without them. */
void clr_set_latency_mode(int mode) {
    if (mode == CLR_SUSTAINED_LOW_LATENCY && !clr_settings.concurrent) return;
    __atomic_store_n(&latency, mode, __ATOMIC_RELAXED);
}

int clr_large_compaction(void) { return __atomic_load_n(&large_compaction, __ATOMIC_RELAXED); }
void clr_set_large_compaction(int mode) { __atomic_store_n(&large_compaction, mode, __ATOMIC_RELAXED); }

void clr_settings_each(void *context, clr_value_function *visit) {
    const clr_settings_values *s = &clr_settings;
    visit(context, "GCName", "System.GC.Name", CLR_VALUE_STRING, (intptr_t) "heapwright " HWR_VERSION_STRING);
    visit(context, "ServerGC", "System.GC.Server", CLR_VALUE_BOOLEAN, s->server);
    visit(context, "ConcurrentGC", "System.GC.Concurrent", CLR_VALUE_BOOLEAN, s->concurrent);
    visit(context, "RetainVM", "System.GC.RetainVM", CLR_VALUE_BOOLEAN, s->retain);
    visit(context, "GCHeapHardLimit", "System.GC.HeapHardLimit", CLR_VALUE_INTEGER, (int64_t)s->hard_limit);
    visit(context, "GCgen0size", "System.GC.Gen0Size", CLR_VALUE_INTEGER, (int64_t)s->gen0_size);
    visit(context, "LOHThreshold", "System.GC.LOHThreshold", CLR_VALUE_INTEGER, (int64_t)s->large_threshold);
    visit(context, "GCHeapCount", "System.GC.HeapCount", CLR_VALUE_INTEGER, s->markers);
    visit(context, "GCConserveMem", "System.GC.ConserveMemory", CLR_VALUE_INTEGER, s->conserve);
    visit(context, "GCHighMemPercent", "System.GC.HighMemoryPercent", CLR_VALUE_INTEGER, s->high_load);
}

void clr_settings_refresh(void) { clr_settings.hard_limit = ask_hard_limit(); }
