/* pool: every operation of raw that a workload needs fails once, and then for good from there on. Whatever fails, the pool verifies, live blocks keep
 * their content, the answer is NULL, and in the end all memory is accounted for. */
#include "support/fixture.h"
#include "support/pattern.h"
#include "support/sanitizer.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM = 200 };

typedef struct live_block {
    unsigned char *block;
    size_t size;
    uint64_t seed;
} live_block;

/* A workload in progress: its live blocks, how many requests were refused, and how many operations of raw had failed when it last
 * looked, for a refusal without such a failure would be wrong. */
typedef struct workload {
    backend raw;
    hwr_pool *pool;
    live_block blocks[ROOM];
    size_t count;
    size_t refused;
    size_t failures;
    uint64_t seed;
} workload;

static void expect_contents(const workload *w) {
    for (size_t i = 0; i < w->count; i++)
        assert_true(pattern_holds(w->blocks[i].block, w->blocks[i].size, w->blocks[i].size, w->blocks[i].seed));
}

static void expect_verified(const workload *w) {
    const char *problem = "";
    if (!hwr_pool_verify(w->pool, &problem)) fail_msg("%s", problem);
}

/* Takes a refusal, which must come from a failure below, or fills the new block. */
static void take(workload *w, live_block *slot, unsigned char *block, size_t size) {
    size_t failures = backend_failures(&w->raw);
    if (block == NULL) {
        assert_true(failures > w->failures);
        w->refused++;
        expect_contents(w);
        expect_verified(w);
    } else {
        *slot = (live_block){block, size, w->seed++};
        pattern_fill(block, size, slot->seed);
        w->count += slot == &w->blocks[w->count];
    }
    w->failures = failures;
}

static live_block *next_slot(workload *w) {
    assert_true(w->count < ROOM);
    return &w->blocks[w->count];
}

static void allocate(workload *w, size_t size) { take(w, next_slot(w), hwr_pool_alloc(w->pool, size), size); }

static void allocate_zeroed(workload *w, size_t size) {
    unsigned char *block = hwr_pool_alloc_zeroed(w->pool, 1, size);
    assert_true(block == NULL || pattern_is_zero(block, size));
    take(w, next_slot(w), block, size);
}

static void allocate_aligned(workload *w, size_t size, size_t alignment) {
    unsigned char *block = hwr_pool_alloc_aligned(w->pool, size, alignment);
    assert_int_equal((uintptr_t)block % alignment, 0);
    take(w, next_slot(w), block, size);
}

static void resize(workload *w, size_t which, size_t size) {
    if (w->count == 0) return;
    live_block *slot = &w->blocks[which % w->count], old = *slot;
    unsigned char *block = hwr_pool_realloc(w->pool, old.block, size);
    if (block != NULL) assert_true(pattern_holds(block, size < old.size ? size : old.size, old.size, old.seed));
    take(w, slot, block, size);
}

static void release(workload *w, size_t which) {
    if (w->count == 0) return;
    which %= w->count;
    hwr_pool_free(w->pool, w->blocks[which].block);
    w->blocks[which] = w->blocks[--w->count];
}

static void play(workload *w, bool checked) {
    /* Over the system blocks of more than 8 MiB have reservations of their own; a checked pool writes all of a block. */
    const size_t huge = (size_t)(checked || w->raw.kind != HWR_RAW_SYSTEM ? 2 : 9) << 20;
    for (size_t i = 0; i < 60; i++) allocate(w, i * 61 % 1500);
    for (size_t size = 1000; size < 1000000; size *= 2) {
        allocate(w, size);
        allocate_zeroed(w, size + 100);
        allocate_aligned(w, size / 5, size < 40000 ? 64 : 8192);
    }
    allocate(w, huge);
    allocate_zeroed(w, huge + 5);
    allocate_aligned(w, 100, (size_t)1 << (checked ? 20 : 24));
    for (size_t i = 0; i < 40; i++) release(w, i * 7);
    hwr_pool_trim(w->pool, true);
    for (size_t size = 20; size < 2 * huge; size *= 7) resize(w, 11, size);
    for (size_t size = 2 * huge; size > 10; size /= 9) resize(w, 11, size);
    for (size_t i = 0; i < 30; i++) allocate(w, i * 2000);
    while (w->count > 20) release(w, w->count / 2);
    hwr_pool_trim(w->pool, true);
    for (size_t i = 0; i < 20; i++) resize(w, i, (i + 1) * 5000);
    expect_contents(w);
    expect_verified(w);
    while (w->count > 0) release(w, 0);
    expect_verified(w);
}

typedef struct fault {
    unsigned mask;
    uint64_t nth; /* 0: none */
    bool for_good;
} fault;

/* Plays the workload with a fault and returns how many operations of raw failed. */
static size_t failures_with(fixture *f, fault injected) {
    static workload w;
    w = (workload){0};
    backend_open(&w.raw, f->config.kind, 0);
    hwr_raw_inject_fault(w.raw.raw, injected.mask, injected.nth, injected.for_good);
    hwr_pool_options options = fixture_options(f);
    options.raw = w.raw.raw;
    w.pool = hwr_pool_open(&options);
    size_t failures = backend_failures(&w.raw);
    if (w.pool != NULL) {
        w.failures = failures;
        play(&w, f->config.checked);
        failures = backend_failures(&w.raw);
        hwr_raw_inject_fault(w.raw.raw, injected.mask, 0, false);
        size_t refused = w.refused;
        allocate(&w, 1000); /* the pool recovers */
        allocate(&w, 1000000);
        assert_int_equal(w.refused, refused);
        hwr_pool_close(w.pool);
    } else {
        assert_true(failures > 0);
    }
    backend_close(&w.raw);
    return failures;
}

static void every_operation_fails(fixture *f, unsigned mask, bool for_good) {
    size_t unavoidable = failures_with(f, (fault){0});
    size_t step = runs_slowly() ? 7 : 1;
    uint64_t nth = 1;
    for (; nth < 100000; nth += step)
        if (failures_with(f, (fault){mask, nth, for_good}) == unavoidable) break;
    assert_true(nth < 100000);
    assert_true(nth > 1 || mask == HWR_FAULT_RESIZE); /* a backend need not be able to resize */
}

static void reserving_fails_once(void **state) { every_operation_fails(*state, HWR_FAULT_RESERVE, false); }
static void committing_fails_once(void **state) { every_operation_fails(*state, HWR_FAULT_COMMIT, false); }
static void resizing_fails_once(void **state) { every_operation_fails(*state, HWR_FAULT_RESIZE, false); }
static void reserving_fails_for_good(void **state) { every_operation_fails(*state, HWR_FAULT_RESERVE, true); }
static void committing_fails_for_good(void **state) { every_operation_fails(*state, HWR_FAULT_COMMIT, true); }
static void resizing_fails_for_good(void **state) { every_operation_fails(*state, HWR_FAULT_RESIZE, true); }
static void anything_fails_for_good(void **state) { every_operation_fails(*state, HWR_FAULT_ALL, true); }

/* The same with a limit that creeps upwards instead of a fault. */
static void any_limit_can_be_met(void **state) {
    fixture *f = *state;
    static workload w;
    for (size_t limit = 1 << 16; limit < (size_t)32 << 20; limit += limit / (runs_slowly() ? 2 : 6)) {
        w = (workload){0};
        backend_open(&w.raw, f->config.kind, limit);
        hwr_pool_options options = fixture_options(f);
        options.raw = w.raw.raw;
        w.pool = hwr_pool_open(&options);
        if (w.pool != NULL) {
            w.failures = backend_failures(&w.raw);
            play(&w, f->config.checked);
            hwr_pool_close(w.pool);
        }
        hwr_raw_stats stats;
        hwr_raw_get_stats(w.raw.raw, &stats);
        assert_true(stats.peak_committed <= limit);
        backend_close(&w.raw);
    }
}

int main(void) {
    static const fixture_test tests[] = {
        FIXTURE_TEST(reserving_fails_once, FIXTURE_FEW),      FIXTURE_TEST(committing_fails_once, FIXTURE_FEW),
        FIXTURE_TEST(resizing_fails_once, FIXTURE_FEW),       FIXTURE_TEST(reserving_fails_for_good, FIXTURE_FEW),
        FIXTURE_TEST(committing_fails_for_good, FIXTURE_FEW), FIXTURE_TEST(resizing_fails_for_good, FIXTURE_FEW),
        FIXTURE_TEST(anything_fails_for_good, FIXTURE_FEW),   FIXTURE_TEST(any_limit_can_be_met, FIXTURE_FEW),
    };
    return fixture_run("pool with faults", tests, sizeof tests / sizeof tests[0]);
}
