/* raw: what depends on the system. What it refuses, what it really takes back, and threads. */
#define _GNU_SOURCE
#include "heapwright/pool.h"
#include "heapwright/raw.h"
#include "support/backend.h"
#include "support/check.h"
#include "support/death.h"
#include "support/pattern.h"
#include "support/random.h"
#include "support/sanitizer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

static hwr_raw_stats stats_of(const backend *raw) {
    hwr_raw_stats stats;
    hwr_raw_get_stats(raw->raw, &stats);
    return stats;
}

static bool is_resident(const void *address) {
    unsigned char resident = 0;
    return mincore((void *)(uintptr_t)address, 1, &resident) == 0 && (resident & 1) != 0;
}

static bool is_mapped(const void *address) {
    unsigned char resident;
    return mincore((void *)(uintptr_t)address, 1, &resident) == 0;
}

/* What the system refuses */

/* The library needs a key of the system's to hear of the ends of threads. This must be the first test: later the library has its key. */
static void without_thread_keys(void *unused) {
    (void)unused;
    pthread_key_t key;
    while (pthread_key_create(&key, NULL) == 0) continue;
    for (int kind = 0; kind < BACKEND_KINDS; kind++) {
        static unsigned char buffer[1 << 16];
        CHECK(hwr_raw_open(&(hwr_raw_options){.size = sizeof(hwr_raw_options),
                                              .kind = (hwr_raw_kind)kind,
                                              .buffer = buffer,
                                              .buffer_size = sizeof buffer}) == NULL);
    }
    CHECK(hwr_pool_open(NULL) == NULL);
}

static void is_refused_without_thread_keys(void **state) {
    (void)state;
    death result;
    death_run(&result, without_thread_keys, NULL);
    if (!death_avoided(&result)) fail_msg("%s", result.message);
}

static void without_addresses(void *unused) {
    (void)unused;
    backend raw;
    backend_open(&raw, HWR_RAW_SYSTEM, 0);
    size_t size = (size_t)64 << 20;
    char *range = hwr_raw_reserve(raw.raw, size, 0);
    CHECK(range != NULL && hwr_raw_commit(raw.raw, range, size));
    pattern_fill(range, size, 11);
    CHECK(setrlimit(RLIMIT_AS, &(struct rlimit){1 << 20, 1 << 20}) == 0);
    CHECK(hwr_raw_reserve(raw.raw, size, 0) == NULL);
    CHECK(hwr_raw_reserve(raw.raw, 1 << 20, (size_t)1 << 30) == NULL);
    CHECK(backend_failures(&raw) == 2);
    CHECK(hwr_raw_open(NULL) == NULL);
    CHECK(hwr_raw_resize(raw.raw, range, size, 4 * size, size) == NULL);
    CHECK(pattern_holds(range, size, size, 11));
    hwr_raw_stats stats = stats_of(&raw);
    CHECK(stats.reserved == size && stats.committed == size && stats.peak_committed == size);
    hwr_raw_release(raw.raw, range, size, size);
    backend_close(&raw);
}

static void survives_a_system_without_addresses(void **state) {
    (void)state;
    if (runs_slowly()) {
        print_message("skipped: a sanitizer or an emulator needs more addresses than this test leaves\n");
        skip();
    }
    death result;
    death_run(&result, without_addresses, NULL);
    if (!death_avoided(&result)) fail_msg("%s", result.message);
}

/* What it takes back, and what it can do without copying */

static void system_memory_really_goes_back(void **state) {
    (void)state;
    backend raw;
    backend_open(&raw, HWR_RAW_SYSTEM, 0);
    size_t page = hwr_raw_page_size(raw.raw);
    size_t size = 16 * page;
    char *range = hwr_raw_reserve(raw.raw, size, 0);
    assert_true(hwr_raw_commit(raw.raw, range, size));
    memset(range, 1, size);
    for (size_t i = 0; i < size; i += page) assert_true(is_resident(range + i));
    hwr_raw_decommit(raw.raw, range, size / 2);
    for (size_t i = 0; i < size / 2; i += page) assert_false(is_resident(range + i));
    for (size_t i = size / 2; i < size; i += page) assert_true(is_resident(range + i));
    hwr_raw_release(raw.raw, range, size, size / 2);
    assert_false(is_mapped(range));
    backend_close(&raw);
}

/* On a system that can do it, growing a large range neither fails nor copies: the pages stay the same. */
static void the_system_can_resize(void **state) {
    (void)state;
    backend raw;
    backend_open(&raw, HWR_RAW_SYSTEM, 0);
    size_t size = (size_t)4 << 20;
    char *range = hwr_raw_reserve(raw.raw, size, 0);
    assert_non_null(range);
    assert_true(hwr_raw_commit(raw.raw, range, size));
    pattern_fill(range, size, 9);
    for (int i = 0; i < 4; i++) {
        char *moved = hwr_raw_resize(raw.raw, range, size, size * 2, 0);
        assert_non_null(moved);
        assert_true(pattern_holds(moved, (size_t)4 << 20, (size_t)4 << 20, 9));
        range = moved;
        size *= 2;
    }
    hwr_raw_stats stats = stats_of(&raw);
    assert_int_equal(stats.peak_committed, size);
    assert_int_equal(stats.committed, size);
    char *moved = hwr_raw_resize(raw.raw, range, size, (size_t)4 << 20, 0);
    assert_non_null(moved);
    assert_true(pattern_holds(moved, (size_t)4 << 20, (size_t)4 << 20, 9));
    hwr_raw_release(raw.raw, moved, (size_t)4 << 20, (size_t)4 << 20);
    backend_close(&raw);
}

/* Threads */

typedef struct crowd {
    backend *raw;
    random_stream random;
} crowd;

static void *reserve_and_release(void *argument) {
    crowd *self = argument;
    hwr_raw *raw = self->raw->raw;
    size_t page = hwr_raw_page_size(raw);
    for (int round = 0; round < (runs_slowly() ? 100 : 1000); round++) {
        size_t size = (1 + random_below(&self->random, 20)) * page;
        size_t alignment = page << random_below(&self->random, 6);
        char *range = hwr_raw_reserve(raw, size, alignment);
        CHECK(range != NULL && (uintptr_t)range % alignment == 0);
        CHECK(hwr_raw_commit(raw, range, size));
        pattern_fill(range, size, (uint64_t)round);
        char *moved = hwr_raw_resize(raw, range, size, size + page, 0);
        size_t old_size = size;
        if (moved != NULL) {
            range = moved;
            size += page;
        }
        CHECK(pattern_holds(range, old_size, old_size, (uint64_t)round));
        hwr_raw_decommit(raw, range, page);
        hwr_raw_release(raw, range, size, size - page);
    }
    return NULL;
}

static void serve_many_threads(hwr_raw_kind kind) {
    enum { THREADS = 4 };
    backend raw;
    pthread_t threads[THREADS];
    crowd crowds[THREADS];
    backend_open(&raw, kind, 0);
    for (unsigned i = 0; i < THREADS; i++) {
        crowds[i] = (crowd){.raw = &raw, .random = {i}};
        assert_int_equal(pthread_create(&threads[i], NULL, reserve_and_release, &crowds[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    backend_close(&raw);
}

static void the_system_serves_many_threads(void **state) {
    (void)state;
    serve_many_threads(HWR_RAW_SYSTEM);
}

static void malloc_serves_many_threads(void **state) {
    (void)state;
    serve_many_threads(HWR_RAW_MALLOC);
}

static void a_buffer_serves_many_threads(void **state) {
    (void)state;
    serve_many_threads(HWR_RAW_BUFFER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_refused_without_thread_keys), cmocka_unit_test(survives_a_system_without_addresses),
        cmocka_unit_test(system_memory_really_goes_back), cmocka_unit_test(the_system_can_resize),
        cmocka_unit_test(the_system_serves_many_threads), cmocka_unit_test(malloc_serves_many_threads),
        cmocka_unit_test(a_buffer_serves_many_threads),
    };
    return cmocka_run_group_tests_name("raw and the system", tests, NULL, NULL);
}
