/* counted: the allocator for runs with statistics. It does what the plain one does, by way of the public functions,
 * and writes every call into the record that the tool reads.
 *
 * Counters are atomic, because the raw domain is used without any lock and the others, since Python 3.12, by several
 * interpreters at once. A snapshot of the pools is taken from time to time, and only within calls of the domains mem and obj: their
 * pool may belong to whoever holds the interpreter's lock.
 */
#include "allocator.h"

#include "freed.h"
#include "pool/internal.h"
#include "pool/size_class.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)HWRI_CLASSES <= (int)HWRI_MAX_CLASSES, "the record has room for every size class");

enum { CALLS_BETWEEN_SNAPSHOTS = 1 << 16, PEAK_STEP = 64 * 1024 };

/* A forked child is another program: its calls are counted in a record that nobody reads. */
static struct hwri_record unread_record;
static struct hwri_record *record = &unread_record;

static atomic_int_least64_t next_peak;

static void stop_in_child(void) { record = &unread_record; }

static void add_classes(hwr_pool *pool, struct hwri_snapshot *snapshot) {
    static hwr_pool_class_stats
        classes[HWRI_MAX_CLASSES]; /* threads may have small stacks; only one takes a snapshot */
    snapshot->class_count = hwri_pool_count_classes(pool, 0, HWRI_MAX_CLASSES, classes);
    for (unsigned i = 0; i < snapshot->class_count; i++) {
        struct hwri_class_record *sum = &snapshot->classes[i];
        sum->block_size = classes[i].block_size;
        sum->blocks += classes[i].blocks;
        sum->pages += classes[i].pages;
        sum->capacity += classes[i].capacity;
    }
}

size_t hwri_look_at_pools(struct hwri_snapshot *snapshot) {
    hwr_pool *pools[] = {hwri_domains[HWRI_RAW].pool, hwri_domains[HWRI_OBJ].pool};
    memset(snapshot, 0, sizeof *snapshot);
    for (int i = 0; i < 2; i++) {
        hwr_pool_stats stats;
        hwr_pool_get_stats(pools[i], &stats);
        snapshot->blocks += stats.blocks;
        snapshot->bytes += stats.bytes;
        snapshot->page_bytes += stats.page_bytes;
        snapshot->large_blocks += stats.large_blocks;
        snapshot->large_bytes += stats.large_bytes;
    }
    hwr_raw_stats memory;
    hwr_raw_get_stats(hwri_python_memory, &memory);
    snapshot->committed = memory.committed;
    snapshot->given_back = memory.given_back;
    return memory.peak_committed;
}

static void take_snapshot(struct hwri_snapshot *snapshot) {
    static atomic_flag busy = ATOMIC_FLAG_INIT;
    if (atomic_flag_test_and_set(&busy)) return;
    record->peak_committed = hwri_look_at_pools(snapshot);
    add_classes(hwri_domains[HWRI_RAW].pool, snapshot);
    add_classes(hwri_domains[HWRI_OBJ].pool, snapshot);
    atomic_flag_clear(&busy);
}

static int64_t bytes_in_use(void) {
    int64_t bytes = 0;
    for (int i = 0; i < HWRI_DOMAINS; i++)
        bytes += atomic_load_explicit(&record->domains[i].bytes, memory_order_relaxed);
    return bytes;
}

/* Once Python has begun to clean up, the picture of the program at its end is complete and stays as it is. */
static void watch(uint64_t calls) {
    if (atomic_load_explicit(&record->state, memory_order_relaxed) != HWRI_RUNNING) return;
    bool ending = Py_IsFinalizing();
    if (ending || calls % CALLS_BETWEEN_SNAPSHOTS == 0) take_snapshot(&record->end);
    if (ending) {
        if (record->end.bytes > record->peak.bytes) record->peak = record->end;
        atomic_store(&record->state, HWRI_CLEANING);
        return;
    }

    int64_t bytes = bytes_in_use();
    if (bytes > atomic_load_explicit(&next_peak, memory_order_relaxed)) {
        take_snapshot(&record->peak);
        atomic_store_explicit(&next_peak, bytes + bytes / 32 + PEAK_STEP, memory_order_relaxed);
    }
}

/* Whoever calls in a domain that one lock guards is alone there, and needs no indivisible operations, each of which takes as long as an allocation. */
static inline bool is_shared(enum hwri_domain domain) { return domain == HWRI_RAW || objects_shared; }

static void raise_peak(atomic_int_least64_t *peak, int64_t value) {
    int64_t old = atomic_load_explicit(peak, memory_order_relaxed);
    while (value > old &&
           !atomic_compare_exchange_weak_explicit(peak, &old, value, memory_order_relaxed, memory_order_relaxed))
        continue;
}

#define DEFINE_ADD(name, sign)                                                                                         \
    static inline sign##64_t name(enum hwri_domain domain, atomic_##sign##_least64_t *sum, sign##64_t change) {        \
        if (is_shared(domain)) return atomic_fetch_add_explicit(sum, change, memory_order_relaxed) + change;           \
        sign##64_t now = atomic_load_explicit(sum, memory_order_relaxed) + change;                                     \
        atomic_store_explicit(sum, now, memory_order_relaxed);                                                         \
        return now;                                                                                                    \
    }
DEFINE_ADD(add, int)
DEFINE_ADD(add_unsigned, uint)

static void count_call(enum hwri_domain domain, enum hwri_call call) {
    uint64_t calls = add_unsigned(domain, &record->domains[domain].calls[call], 1);
    if (domain != HWRI_RAW) watch(calls);
}

static void count_in_use(enum hwri_domain domain, int64_t blocks, int64_t bytes) {
    struct hwri_domain_record *counters = &record->domains[domain];
    raise_peak(&counters->peak_blocks, add(domain, &counters->blocks, blocks));
    raise_peak(&counters->peak_bytes, add(domain, &counters->bytes, bytes));
    if (bytes > 0) raise_peak(&record->peak_bytes, bytes_in_use());
}

/* A request that was met: `block` now holds `asked` bytes and was one of `old_bytes` before, if it was one. */
static void count_request(enum hwri_domain domain, const void *block, size_t asked, int64_t new_blocks,
                          int64_t old_bytes) {
    size_t taken = hwr_pool_usable_size(hwri_domains[domain].pool, block);
    add_unsigned(domain, &record->domains[domain].asked, asked);
    add_unsigned(domain, &record->domains[domain].taken, taken);
    count_in_use(domain, new_blocks, (int64_t)taken - old_bytes);
}

static void *counted_malloc(void *context, size_t size) {
    enum hwri_domain domain = *(const enum hwri_domain *)context;
    void *block = hwr_pool_alloc(hwri_domains[domain].pool, size);
    if (block != NULL) count_request(domain, block, size, 1, 0);
    count_call(domain, HWRI_MALLOC);
    return block;
}

static void *counted_calloc(void *context, size_t count, size_t item_size) {
    enum hwri_domain domain = *(const enum hwri_domain *)context;
    void *block = hwr_pool_alloc_zeroed(hwri_domains[domain].pool, count, item_size);
    if (block != NULL) count_request(domain, block, count * item_size, 1, 0);
    count_call(domain, HWRI_CALLOC);
    return block;
}

static void *counted_realloc(void *context, void *block, size_t size) {
    enum hwri_domain domain = *(const enum hwri_domain *)context;
    hwr_pool *pool = hwri_domains[domain].pool;
    count_call(domain, HWRI_REALLOC);
    hwri_freed_note(block);
    if (block != NULL && !hwr_pool_owns(pool, block)) return hwri_foreign_realloc(domain, block, size);

    int64_t old_bytes = block != NULL ? (int64_t)hwr_pool_usable_size(pool, block) : 0;
    void *resized = hwr_pool_realloc(pool, block, size);
    if (resized != NULL) count_request(domain, resized, size, block == NULL, old_bytes);
    return resized;
}

static void counted_free(void *context, void *block) {
    enum hwri_domain domain = *(const enum hwri_domain *)context;
    hwr_pool *pool = hwri_domains[domain].pool;
    if (block == NULL) return;
    count_call(domain, HWRI_FREE);
    hwri_freed_note(block);
    if (!hwr_pool_owns(pool, block)) {
        hwri_foreign_free(domain, block);
        return;
    }
    count_in_use(domain, -1, -(int64_t)hwr_pool_usable_size(pool, block));
    hwr_pool_free(pool, block);
}

PyMemAllocatorEx hwri_counted_allocator(enum hwri_domain domain) {
    static enum hwri_domain contexts[HWRI_DOMAINS] = {HWRI_RAW, HWRI_MEM, HWRI_OBJ};
    return (PyMemAllocatorEx){&contexts[domain], counted_malloc, counted_calloc, counted_realloc, counted_free};
}

void hwri_counting_start(struct hwri_record *to) {
    record = to;
    atomic_store(&record->state, HWRI_RUNNING);
    pthread_atfork(NULL, NULL, stop_in_child);
    atexit(hwri_counting_end);
}

void hwri_counting_end(void) {
    if (record == &unread_record) return;
    take_snapshot(&record->after);
    atomic_store(&record->state, HWRI_ENDED);
}
