/* The record of collections. */
#include "inform.h"

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
} record = {.lock = PTHREAD_MUTEX_INITIALIZER};

uint64_t clr_now(void) { return hwr_raw_now(clr_tables); }

static uint64_t count(const uint64_t *counter) { return __atomic_load_n(counter, __ATOMIC_RELAXED); }
static void add(uint64_t *counter) { __atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED); }

void clr_inform_begin(clr_collection *collection, int gen, int kind, bool induced) {
    *collection = (clr_collection){.gen = gen, .kind = kind, .induced = induced, .started = clr_now()};
    for (int i = 0; i <= gen; i++) add(&record.counts[i]);
    add(&record.counts_of_kind[CLR_KIND_ANY]);
    add(&record.counts_of_kind[kind]);
    collection->index = count(&record.counts_of_kind[CLR_KIND_ANY]);
}

static void note_memory(clr_collection *collection) {
    collection->available = clr_memory_total();
    collection->high_load_bytes = collection->available / 100 * clr_settings.high_load;
    collection->load_bytes = collection->available / 100 * clr_memory_load();
}

void clr_inform_end(clr_collection *collection) {
    note_memory(collection);
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
    if (!collection->index) note_memory(collection);
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
