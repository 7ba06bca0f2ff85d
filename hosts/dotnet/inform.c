/* The record of collections. */
#include "inform.h"

#include "allocate.h"
#include "handles.h"
#include "runtime.h"
#include "settings.h"

#include <pthread.h>
#include <string.h>

/* Everything is written with the lock, at the end of a collection, while the world stands still, and read with it; so a thread that reads is not stopped in the middle. The counts are also read
 * without. Latest collections of each kind, of which CLR_KIND_ANY is the last of all. */
static struct {
    pthread_mutex_t lock;
    clr_collection latest[CLR_KINDS];
    uint64_t counts[3], counts_of_kind[CLR_KINDS];
    uint64_t starts[3], pauses[3];
    uint64_t opened, paused, ended, ended_before;
    clr_memory memory;
    uint64_t looked; /* when that was */
    bool listened, ticks, handles;
    uint64_t untold[CLR_TICKS]; /* bytes allocated since the last tick of the kind, while somebody listens */
} record = {.lock = PTHREAD_MUTEX_INITIALIZER};

enum { LOOK_AGAIN = 1000000000 }; /* nanoseconds */

uint64_t clr_now(void) { return hwr_raw_now(clr_tables); }

static uint64_t count(const uint64_t *counter) { return __atomic_load_n(counter, __ATOMIC_RELAXED); }
static void add(uint64_t *counter) { __atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED); }

/* ---- events ---- */

/* What listeners ask for, and what they are told. */
enum {
    KEYWORD_GC = 1,
    KEYWORD_HANDLE = 2,
    LEVEL_INFORMATION = 4,
    LEVEL_VERBOSE = 5,
    REASON_SMALL = 0,
    REASON_INDUCED = 1,
    TYPE_BLOCKING = 0,
    TYPE_BACKGROUND = 1,
    MECHANISM_CONCURRENT = 1,
    MECHANISM_PROMOTION = 4
};

void clr_inform_control(int keywords, int level) {
    bool gc = keywords & KEYWORD_GC;
    __atomic_store_n(&record.listened, gc && level >= LEVEL_INFORMATION, __ATOMIC_RELAXED);
    __atomic_store_n(&record.ticks, gc && level >= LEVEL_VERBOSE, __ATOMIC_RELAXED);
    bool handles = keywords & KEYWORD_HANDLE && level >= LEVEL_INFORMATION;
    __atomic_store_n(&record.handles, handles, __ATOMIC_RELAXED);
}

static clr_sink *listener_if(const bool *listened) {
    return __atomic_load_n(listened, __ATOMIC_RELAXED) ? clr_runtime->table->event_sink(clr_runtime) : NULL;
}

static clr_sink *listener(void) { return listener_if(&record.listened); }

static uint32_t reason_of(const clr_collection *c) { return c->induced ? REASON_INDUCED : REASON_SMALL; }

static void tell_of_begin(const clr_collection *c) {
    clr_sink *sink = listener();
    if (!sink) return;
    sink->table->gc_triggered(sink, reason_of(c));
    sink->table->gc_start(sink, (uint32_t)c->index, (uint32_t)c->gen, reason_of(c),
                          c->concurrent ? TYPE_BACKGROUND : TYPE_BLOCKING);
}

/* What the event about a heap has of a generation. All bytes; holes are all free lists to it. */
typedef struct generation_history {
    uint64_t before, free_lists_before, free_objects_before;
    uint64_t after, free_lists_after, free_objects_after;
    uint64_t came_in, survived_pinned, survived;
    uint64_t budget;
} generation_history;

/* There is one heap. How it decided what to collect, in bits that mean something for the runtime's collector only, is left out, and so are the times of phases. */
static void tell_of_history(clr_sink *sink, const clr_collection *c) {
    generation_history all[CLR_GENERATIONS];
    for (int i = 0; i < CLR_GENERATIONS; i++) {
        const clr_generation_sizes *s = &c->sizes[i];
        all[i] = (generation_history){.before = s->before,
                                      .free_lists_before = s->fragmented_before,
                                      .after = s->after,
                                      .free_lists_after = s->fragmented_after,
                                      .survived = s->after - s->fragmented_after,
                                      .budget = i == 0 ? c->budget : 0};
    }
    uint32_t mechanisms = MECHANISM_PROMOTION | (c->concurrent ? MECHANISM_CONCURRENT : 0);
    sink->table->gc_global_heap_history(sink, c->budget, 1, (uint32_t)c->gen, 0, reason_of(c), mechanisms,
                                        (uint32_t)clr_latency_mode(), record.memory.load, 0, 0, 0, sizeof(uint32_t),
                                        NULL);
    sink->table->gc_per_heap_history(sink, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, NULL, CLR_GENERATIONS,
                                     sizeof *all, all);
}

/* What was promoted is not told by generation: it is all said of the oldest. */
static void tell_of_end(const clr_collection *c) {
    clr_sink *sink = listener();
    if (!sink) return;
    size_t handles = 0;
    for (int type = 0; type < CLR_HANDLE_TYPES; type++) handles += clr_handle_count(type);
    const clr_generation_sizes *s = c->sizes;
    tell_of_history(sink, c);
    sink->table->gc_end(sink, (uint32_t)c->index, (uint32_t)c->gen);
    sink->table->gc_heap_stats(sink, s[0].after, 0, s[1].after, 0, s[2].after, c->promoted, s[CLR_LARGE_OBJECTS].after,
                               0, s[CLR_PINNED_OBJECTS].after, 0, 0, c->pending, (uint32_t)c->pinned,
                               clr_runtime->table->get_active_sync_block_count(clr_runtime), (uint32_t)handles);
}

void clr_inform_handle_set(clr_handle handle, clr_object *object, int type) {
    clr_sink *sink = listener_if(&record.handles);
    if (sink) sink->table->set_gc_handle(sink, handle, object, (uint32_t)type, object ? clr_generation_of(object) : 0);
}

void clr_inform_handle_freed(clr_handle handle) {
    clr_sink *sink = listener_if(&record.handles);
    if (sink) sink->table->destroy_gc_handle(sink, handle);
}

void clr_inform_allocated(int kind, uint64_t bytes, clr_object *object, uint64_t size) {
    if (!bytes || !__atomic_load_n(&record.ticks, __ATOMIC_RELAXED)) return;
    if (__atomic_add_fetch(&record.untold[kind], bytes, __ATOMIC_RELAXED) < CLR_TICK) return;
    uint64_t amount = __atomic_exchange_n(&record.untold[kind], 0, __ATOMIC_RELAXED);
    clr_sink *sink = listener();
    if (sink && amount >= CLR_TICK) sink->table->gc_allocation_tick(sink, amount, (uint32_t)kind, 0, object, size);
}

/* ---- collections ---- */

void clr_inform_begin(clr_collection *collection, int gen, int kind, bool induced, uint64_t started) {
    *collection = (clr_collection){.gen = gen, .kind = kind, .induced = induced, .started = started};
    for (int i = 0; i <= gen; i++) add(&record.counts[i]);
    add(&record.counts_of_kind[CLR_KIND_ANY]);
    add(&record.counts_of_kind[kind]);
    collection->index = count(&record.counts_of_kind[CLR_KIND_ANY]);
    tell_of_begin(collection);
}

static void note_memory(clr_collection *collection, clr_memory memory) {
    collection->available = memory.total;
    collection->high_load_bytes = memory.total / 100 * clr_settings.high_load;
    collection->load_bytes = memory.total / 100 * memory.load;
}

/* Collections of the young are too many and too short to look at the memory each time. */
static void look_at_memory(int kind, uint64_t now) {
    if (kind == CLR_KIND_YOUNG && record.looked && now - record.looked < LOOK_AGAIN) return;
    record.memory = clr_memory_now();
    record.looked = now;
}

void clr_inform_end(clr_collection *collection) {
    look_at_memory(collection->kind, clr_now());
    note_memory(collection, record.memory);
    tell_of_end(collection);
    uint64_t now = clr_now();
    collection->pause = now - collection->started;
    pthread_mutex_lock(&record.lock);
    if (!record.opened) record.opened = collection->started;
    record.paused += collection->pause;
    uint64_t time = now - record.opened;
    collection->pause_percent = time ? (uint32_t)(record.paused * 10000 / time) : 0;
    record.ended_before = record.ended ? record.ended : record.opened;
    record.ended = now;
    record.latest[CLR_KIND_ANY] = record.latest[collection->kind] = *collection;
    for (int i = 0; i <= collection->gen; i++) {
        record.starts[i] = collection->started;
        record.pauses[i] = collection->pause;
    }
    pthread_mutex_unlock(&record.lock);
}

void clr_inform_latest(int kind, clr_collection *collection) {
    pthread_mutex_lock(&record.lock);
    *collection = record.latest[kind >= 0 && kind < CLR_KINDS ? kind : CLR_KIND_ANY];
    pthread_mutex_unlock(&record.lock);
    if (!collection->index) note_memory(collection, clr_memory_now());
}

uint64_t clr_collections(int gen, int kind) {
    if (kind != CLR_KIND_ANY) return count(&record.counts_of_kind[kind]);
    return gen >= 0 && gen < 3 ? count(&record.counts[gen]) : 0;
}

static uint64_t read_locked(const uint64_t *value) {
    pthread_mutex_lock(&record.lock);
    uint64_t result = *value;
    pthread_mutex_unlock(&record.lock);
    return result;
}

uint64_t clr_paused(void) { return read_locked(&record.paused); }

unsigned clr_percent_in_last(void) {
    pthread_mutex_lock(&record.lock);
    uint64_t time = record.ended - record.ended_before, pause = record.latest[CLR_KIND_ANY].pause;
    pthread_mutex_unlock(&record.lock);
    return time ? (unsigned)(pause * 100 / time) : 0;
}

static size_t within(int gen) { return gen < 0 ? 0 : gen > 2 ? 2 : (size_t)gen; }

uint64_t clr_last_start(int gen) { return read_locked(&record.starts[within(gen)]); }
uint64_t clr_last_pause(int gen) { return read_locked(&record.pauses[within(gen)]); }
