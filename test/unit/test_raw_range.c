/* raw over parts of one range of addresses: what lies where, what is given back, and what is refused. */
#define _GNU_SOURCE
#include "heapwright/pool.h"
#include "raw/backend.h"
#include "support/check.h"
#include "support/death.h"
#include "support/random.h"
#include "support/sanitizer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { UNIT = 64 * 1024, UNITS = 300 };

/* A range, and two allocators over it: `first` over all units but the last twenty, `last` over these. */
typedef struct ranges {
    hwr_raw *system, *first, *last;
    char *start;
    size_t size;
} ranges;

enum { LAST_UNITS = 20, FIRST_UNITS = UNITS - LAST_UNITS };

static int set_up(void **state) {
    ranges *r = calloc(1, sizeof *r);
    if (!r) return -1;
    r->system = hwr_raw_open(NULL);
    r->start = hwri_range_reserve(r->system, (size_t)UNITS * UNIT, UNIT, (size_t)1 << 20, &r->size);
    r->first = hwri_range_open(r->start, (size_t)FIRST_UNITS * UNIT, 0);
    r->last = hwri_range_open(r->start + (size_t)FIRST_UNITS * UNIT, (size_t)LAST_UNITS * UNIT, 0);
    *state = r;
    return r->start && r->first && r->last ? 0 : -1;
}

static int tear_down(void **state) {
    ranges *r = *state;
    hwr_raw *raws[] = {r->first, r->last};
    for (size_t i = 0; i < 2; i++) {
        hwr_raw_stats stats;
        hwr_raw_get_stats(raws[i], &stats);
        if (stats.reserved || stats.committed) return -1;
        hwr_raw_close(raws[i]);
    }
    hwr_raw_release(r->system, r->start, r->size, 0);
    hwr_raw_close(r->system);
    free(r);
    return 0;
}

static size_t unit_of(const ranges *r, const void *address) {
    return (size_t)((const char *)address - r->start) / UNIT;
}

static void lies_at_the_first_place_that_fits(void **state) {
    ranges *r = *state;
    void *a = hwr_raw_reserve(r->first, UNIT, 0), *b = hwr_raw_reserve(r->first, 2 * UNIT + 1, 0);
    void *c = hwr_raw_reserve(r->first, 4096, 0);
    assert_int_equal(unit_of(r, a), 0);
    assert_int_equal(unit_of(r, b), 1);
    assert_int_equal(unit_of(r, c), 4);
    hwr_raw_release(r->first, b, 2 * UNIT + 1, 0);
    void *d = hwr_raw_reserve(r->first, 4 * UNIT, 0), *e = hwr_raw_reserve(r->first, 3 * UNIT, 0);
    assert_int_equal(unit_of(r, d), 5);
    assert_int_equal(unit_of(r, e), 1);
    hwr_raw_release(r->first, a, UNIT, 0);
    a = hwr_raw_reserve(r->first, 1, 0);
    assert_int_equal(unit_of(r, a), 0);
    hwr_raw_release(r->first, a, 1, 0);
    hwr_raw_release(r->first, c, 4096, 0);
    hwr_raw_release(r->first, d, 4 * UNIT, 0);
    hwr_raw_release(r->first, e, 3 * UNIT, 0);
}

static void what_is_aligned_leaves_room_before_it(void **state) {
    ranges *r = *state;
    size_t region = (size_t)1 << 20;
    void *a = hwr_raw_reserve(r->first, UNIT, 0), *b = hwr_raw_reserve(r->first, region, region);
    void *c = hwr_raw_reserve(r->first, UNIT, 0), *d = hwr_raw_reserve(r->first, region, region);
    assert_int_equal((uintptr_t)b % region, 0);
    assert_int_equal(unit_of(r, b), 16);
    assert_int_equal(unit_of(r, c), 1);
    assert_int_equal(unit_of(r, d), 32);
    hwr_raw_release(r->first, a, UNIT, 0);
    hwr_raw_release(r->first, b, region, 0);
    hwr_raw_release(r->first, c, UNIT, 0);
    hwr_raw_release(r->first, d, region, 0);
}

static void ends_where_the_part_ends(void **state) {
    ranges *r = *state;
    void *all = hwr_raw_reserve(r->last, (size_t)LAST_UNITS * UNIT, 0);
    assert_int_equal(unit_of(r, all), FIRST_UNITS);
    assert_null(hwr_raw_reserve(r->last, 1, 0));
    hwr_raw_release(r->last, all, (size_t)LAST_UNITS * UNIT, 0);
    assert_null(hwr_raw_reserve(r->last, (size_t)LAST_UNITS * UNIT + 1, 0));
    assert_null(hwr_raw_reserve(r->last, SIZE_MAX / 2, 0));
    assert_null(hwr_raw_reserve(r->last, UNIT, (size_t)1 << 63));
    hwr_raw_stats stats;
    hwr_raw_get_stats(r->last, &stats);
    assert_int_equal(stats.failures, 4);
    all = hwr_raw_reserve(r->last, UNIT, 0);
    assert_null(hwr_raw_resize(r->last, all, UNIT, 2 * UNIT, 0));
    hwr_raw_release(r->last, all, UNIT, 0);
}

/* What was reserved before: a unit each, by which reservation. */
typedef struct shadow {
    unsigned owner[FIRST_UNITS];
    struct {
        void *start;
        size_t size;
    } held[FIRST_UNITS];
} shadow;

static size_t first_fit(const shadow *s, const ranges *r, size_t units, size_t alignment) {
    for (size_t i = 0; i + units <= FIRST_UNITS; i++) {
        size_t free = 0;
        while (free < units && !s->owner[i + free]) free++;
        if (free == units && ((uintptr_t)r->start + i * UNIT) % alignment == 0) return i;
    }
    return SIZE_MAX;
}

static void keeps_what_a_model_keeps(void **state) {
    ranges *r = *state;
    static shadow s;
    memset(&s, 0, sizeof s);
    random_stream stream = {2026};
    for (size_t step = 0; step < 20000; step++) {
        size_t slot = random_below(&stream, 60) + 1;
        size_t units = (s.held[slot].size + UNIT - 1) / UNIT;
        if (s.held[slot].start) {
            hwr_raw_release(r->first, s.held[slot].start, s.held[slot].size, 0);
            for (size_t i = 0; i < units; i++) s.owner[unit_of(r, s.held[slot].start) + i] = 0;
            s.held[slot].start = NULL;
            continue;
        }
        size_t size = random_below(&stream, 20 * UNIT) + 1, alignment = (size_t)4096 << random_below(&stream, 9);
        units = (size + UNIT - 1) / UNIT;
        size_t expected = first_fit(&s, r, units, alignment);
        char *start = hwr_raw_reserve(r->first, size, alignment);
        assert_ptr_equal(start, expected == SIZE_MAX ? NULL : r->start + expected * UNIT);
        if (!start) continue;
        s.held[slot].start = start;
        s.held[slot].size = size;
        for (size_t i = 0; i < units; i++) s.owner[expected + i] = (unsigned)slot;
    }
    for (size_t slot = 0; slot < FIRST_UNITS; slot++)
        if (s.held[slot].start) hwr_raw_release(r->first, s.held[slot].start, s.held[slot].size, 0);
}

static bool is_resident(const char *address) {
    unsigned char resident = 0;
    return mincore((void *)(uintptr_t)address, 1, &resident) == 0 && resident & 1;
}

static void memory_goes_back_and_comes_as_zeroes(void **state) {
    ranges *r = *state;
    assert_true(hwr_raw_is_zeroed(r->first));
    char *a = hwr_raw_reserve(r->first, 2 * UNIT, 0);
    assert_true(hwr_raw_commit(r->first, a, 2 * UNIT));
    memset(a, 1, 2 * UNIT);
    assert_true(is_resident(a));
    hwr_raw_decommit(r->first, a, UNIT);
    assert_false(is_resident(a));
    assert_true(is_resident(a + UNIT));
    assert_true(hwr_raw_commit(r->first, a, UNIT));
    assert_int_equal(a[0], 0);
    assert_int_equal(a[UNIT], 1);
    hwr_raw_hint_huge(r->first, a, 2 * UNIT, true);
    hwr_raw_release(r->first, a, 2 * UNIT, 2 * UNIT);
    assert_false(is_resident(a + UNIT));
    char *again = hwr_raw_reserve(r->first, 2 * UNIT, 0);
    assert_ptr_equal(again, a);
    assert_true(hwr_raw_commit(r->first, a, 2 * UNIT));
    for (size_t i = 0; i < 2 * UNIT; i++) assert_int_equal(a[i], 0);
    hwr_raw_release(r->first, a, 2 * UNIT, 2 * UNIT);
}

/* Asked of the kernel, which answers without a signal. */
static bool is_readable(const void *address) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    ssize_t written = write(ends[1], address, 1);
    assert_true(written == 1 || errno == EFAULT);
    close(ends[0]);
    close(ends[1]);
    return written == 1;
}

/* As on a system that does not overcommit: there what is not committed is not accessible. */
static void what_is_not_committed_is_closed_under_strict_accounting(void **state) {
    ranges *r = *state;
    r->first->strict = true;
    assert_int_equal(mprotect(r->start, (size_t)FIRST_UNITS * UNIT, PROT_NONE), 0);
    char *a = hwr_raw_reserve(r->first, UNIT, 0);
    assert_false(is_readable(a));
    assert_true(hwr_raw_commit(r->first, a, UNIT));
    assert_true(is_readable(a));
    a[0] = 1;
    hwr_raw_release(r->first, a, UNIT, UNIT);
    assert_false(is_readable(a));
    assert_ptr_equal(hwr_raw_reserve(r->first, UNIT, 0), a);
    hwr_raw_release(r->first, a, UNIT, 0);
}

static void a_pool_lies_in_its_part(void **state) {
    ranges *r = *state;
    hwr_pool *pool = hwr_pool_open(&(hwr_pool_options){.size = sizeof(hwr_pool_options), .raw = r->first});
    if (!pool) fail_msg("no pool");
    for (size_t size = 16; size < 1 << 20; size *= 3) {
        char *block = hwr_pool_alloc(pool, size);
        assert_non_null(block);
        assert_true(block >= r->start && block + size <= r->start + (size_t)FIRST_UNITS * UNIT);
        memset(block, 3, size);
    }
    assert_null(hwr_pool_alloc(pool, (size_t)FIRST_UNITS * UNIT));
    const char *problem = NULL;
    assert_true(hwr_pool_verify(pool, &problem));
    hwr_pool_close(pool);
}

/* With so few addresses half the size is asked for until it is granted. */
static void with_few_addresses(void *unused) {
    (void)unused;
    hwr_raw *system = hwr_raw_open(NULL);
    CHECK(system != NULL);
    CHECK(setrlimit(RLIMIT_AS, &(struct rlimit){(size_t)1 << 30, (size_t)1 << 30}) == 0);
    size_t size;
    void *start = hwri_range_reserve(system, (size_t)256 << 30, (size_t)64 << 20, (size_t)1 << 20, &size);
    CHECK(start != NULL && (uintptr_t)start % (1 << 20) == 0);
    CHECK(size >= (size_t)64 << 20 && size <= (size_t)512 << 20);
    CHECK((size & (size - 1)) == 0);
    size_t none;
    CHECK(hwri_range_reserve(system, (size_t)256 << 30, (size_t)1 << 30, 0, &none) == NULL);
    hwr_raw_release(system, start, size, 0);
    hwr_raw_close(system);
}

static void a_range_may_be_smaller_than_asked_for(void **state) {
    (void)state;
    if (runs_slowly()) {
        print_message("skipped: a sanitizer or an emulator needs more addresses than this test leaves\n");
        skip();
    }
    death result;
    death_run(&result, with_few_addresses, NULL);
    if (!death_avoided(&result)) fail_msg("%s", result.message);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(lies_at_the_first_place_that_fits),
        TEST(what_is_aligned_leaves_room_before_it),
        TEST(ends_where_the_part_ends),
        TEST(keeps_what_a_model_keeps),
        TEST(memory_goes_back_and_comes_as_zeroes),
        TEST(what_is_not_committed_is_closed_under_strict_accounting),
        TEST(a_pool_lies_in_its_part),
        cmocka_unit_test(a_range_may_be_smaller_than_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
