/* raw: every function over every backend, with exact accounts. */
#define _GNU_SOURCE
#include "heapwright/raw.h"
#include "support/backend.h"
#include "support/pattern.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static hwr_raw_stats stats_of(const backend *raw) {
    hwr_raw_stats stats;
    hwr_raw_get_stats(raw->raw, &stats);
    return stats;
}

static void expect_held(const backend *raw, size_t reserved, size_t committed) {
    hwr_raw_stats stats = stats_of(raw);
    assert_int_equal(stats.reserved, reserved);
    assert_int_equal(stats.committed, committed);
}

static int set_up(void **state) {
    hwr_raw_kind kind = *(const hwr_raw_kind *)*state;
    backend *raw = calloc(1, sizeof *raw);
    if (raw == NULL) return -1;
    backend_open(raw, kind, 0);
    *state = raw;
    return 0;
}

static int tear_down(void **state) {
    backend_close(*state);
    free(*state);
    return 0;
}

/* Opening */

static void opens_with_defaults(void **state) {
    (void)state;
    hwr_raw *raw = hwr_raw_open(NULL);
    assert_non_null(raw);
    hwr_raw_stats stats;
    hwr_raw_get_stats(raw, &stats);
    static const hwr_raw_stats nothing = {0};
    assert_memory_equal(&stats, &nothing, sizeof stats);
    assert_int_equal(hwr_raw_page_size(raw), (size_t)sysconf(_SC_PAGESIZE));
    assert_true(hwr_raw_is_zeroed(raw));
    hwr_raw_close(raw);
}

static void closes_null(void **state) {
    (void)state;
    hwr_raw_close(NULL);
}

static void refuses_bad_options(void **state) {
    (void)state;
    static unsigned char buffer[16 * 1024];
    const hwr_raw_options bad[] = {
        {.size = sizeof(hwr_raw_options), .kind = (hwr_raw_kind)3},
        {.size = sizeof(hwr_raw_options), .kind = (hwr_raw_kind)77},
        {.size = 0, .kind = HWR_RAW_SYSTEM},
        {.size = sizeof(hwr_raw_options), .kind = HWR_RAW_BUFFER},
        {.size = sizeof(hwr_raw_options), .kind = HWR_RAW_BUFFER, .buffer = NULL, .buffer_size = 1 << 20},
        {.size = sizeof(hwr_raw_options), .kind = HWR_RAW_BUFFER, .buffer = buffer, .buffer_size = 0},
        {.size = sizeof(hwr_raw_options), .kind = HWR_RAW_BUFFER, .buffer = buffer, .buffer_size = 16 * 1024 - 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        hwr_raw *raw = hwr_raw_open(&bad[i]);
        if (raw != NULL) fail_msg("bad options number %zu were accepted", i);
    }
}

static void opens_the_smallest_buffer(void **state) {
    (void)state;
    for (size_t offset = 0; offset < 64; offset += offset < 16 ? 1 : 7) {
        static unsigned char space[16 * 1024 + 64];
        memset(space, 0xdb, sizeof space);
        hwr_raw *raw = hwr_raw_open(&(hwr_raw_options){.size = sizeof(hwr_raw_options),
                                                       .kind = HWR_RAW_BUFFER,
                                                       .buffer = space + offset,
                                                       .buffer_size = 16 * 1024});
        assert_non_null(raw);
        size_t page = hwr_raw_page_size(raw);
        unsigned char *range = hwr_raw_reserve(raw, page, 0);
        assert_non_null(range);
        assert_true(range >= space + offset && range + page <= space + offset + 16 * 1024);
        assert_true(hwr_raw_commit(raw, range, page));
        memset(range, 1, page);
        hwr_raw_release(raw, range, page, page);
        hwr_raw_close(raw);
        for (size_t i = 0; i < offset; i++) assert_int_equal(space[i], 0xdb);
        for (size_t i = offset + 16 * 1024; i < sizeof space; i++) assert_int_equal(space[i], 0xdb);
    }
}

static void describes_itself(void **state) {
    backend *raw = *state;
    size_t page = hwr_raw_page_size(raw->raw);
    assert_true(page >= 16 && (page & (page - 1)) == 0);
    expect_held(raw, 0, 0);
    uint64_t before = hwr_raw_now(raw->raw);
    usleep(3000);
    uint64_t after = hwr_raw_now(raw->raw);
    if (raw->kind == HWR_RAW_BUFFER) {
        assert_int_equal(before, 0);
        assert_int_equal(after, 0);
    } else {
        assert_true(after >= before + 3000000);
        assert_true(after < before + (uint64_t)600 * 1000000000);
    }
    assert_int_equal(hwr_raw_is_zeroed(raw->raw), raw->kind == HWR_RAW_SYSTEM);
}

/* Reserving, committing and back */

static void reserves_at_every_alignment(void **state) {
    backend *raw = *state;
    size_t page = hwr_raw_page_size(raw->raw);
    size_t largest = (size_t)64 << 20;
    for (size_t alignment = 1; alignment <= largest; alignment *= 2)
        for (size_t pages = 1; pages <= 9; pages += 4) {
            char *range = hwr_raw_reserve(raw->raw, pages * page, alignment);
            assert_non_null(range);
            assert_int_equal((uintptr_t)range % alignment, 0);
            assert_int_equal((uintptr_t)range % page, 0);
            expect_held(raw, pages * page, 0);
            assert_true(hwr_raw_commit(raw->raw, range, pages * page));
            expect_held(raw, pages * page, pages * page);
            memset(range, 0x5a, pages * page);
            hwr_raw_release(raw->raw, range, pages * page, pages * page);
            expect_held(raw, 0, 0);
        }
}

static void rounds_sizes_up_to_pages(void **state) {
    backend *raw = *state;
    size_t page = hwr_raw_page_size(raw->raw);
    const size_t sizes[] = {1, page - 1, page, page + 1, 5 * page - 3};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t rounded = (sizes[i] + page - 1) / page * page;
        char *range = hwr_raw_reserve(raw->raw, sizes[i], 0);
        assert_non_null(range);
        expect_held(raw, rounded, 0);
        assert_true(hwr_raw_commit(raw->raw, range, rounded));
        memset(range, 1, rounded);
        hwr_raw_release(raw->raw, range, sizes[i], rounded);
        expect_held(raw, 0, 0);
    }
}

static void refuses_senseless_reservations(void **state) {
    backend *raw = *state;
    size_t page = hwr_raw_page_size(raw->raw);
    const struct {
        size_t size, alignment;
    } bad[] = {{0, 0},
               {page, 3},
               {page, page + 1},
               {page, 3 * page},
               {SIZE_MAX, 0},
               {SIZE_MAX - 1, 0},
               {SIZE_MAX - page + 1, 0},
               {SIZE_MAX / 2, page},
               {(size_t)1 << 62, 0},
               {SIZE_MAX - 3 * page, 4 * page},
               {page, SIZE_MAX / 2 + 1}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        void *range = hwr_raw_reserve(raw->raw, bad[i].size, bad[i].alignment);
        if (range != NULL) fail_msg("reserved %zu bytes at alignment %zu", bad[i].size, bad[i].alignment);
    }
    hwr_raw_stats stats = stats_of(raw);
    assert_int_equal(stats.reserve_calls, sizeof bad / sizeof bad[0]);
    assert_int_equal(stats.failures, sizeof bad / sizeof bad[0]);
    expect_held(raw, 0, 0);
}

static void commits_parts(void **state) {
    backend *raw = *state;
    size_t page = hwr_raw_page_size(raw->raw);
    enum { PAGES = 64 };
    char *range = hwr_raw_reserve(raw->raw, PAGES * page, 0);
    assert_non_null(range);
    size_t committed = 0;
    for (size_t i = 0; i < PAGES; i += 2) {
        assert_true(hwr_raw_commit(raw->raw, range + i * page, page));
        committed += page;
        expect_held(raw, PAGES * page, committed);
        pattern_fill(range + i * page, page, i);
    }
    for (size_t i = 1; i < PAGES; i += 2) {
        assert_true(hwr_raw_commit(raw->raw, range + i * page, page));
        committed += page;
        pattern_fill(range + i * page, page, i);
    }
    expect_held(raw, PAGES * page, PAGES * page);
    for (size_t i = 0; i < PAGES; i += 4) {
        hwr_raw_decommit(raw->raw, range + i * page, 2 * page);
        committed -= 2 * page;
        expect_held(raw, PAGES * page, committed);
    }
    for (size_t i = 0; i < PAGES; i++)
        if (i % 4 >= 2) assert_true(pattern_holds(range + i * page, page, page, i));
    hwr_raw_stats stats = stats_of(raw);
    assert_int_equal(stats.peak_committed, PAGES * page);
    size_t decommitted = raw->kind == HWR_RAW_SYSTEM ? PAGES * page / 2 : 0; /* the others do it in name only */
    assert_int_equal(stats.given_back, decommitted);
    assert_int_equal(stats.commit_calls, PAGES);
    assert_int_equal(stats.decommit_calls, PAGES / 4);
    hwr_raw_release(raw->raw, range, PAGES * page, committed);
    stats = stats_of(raw);
    assert_int_equal(stats.given_back, decommitted + PAGES * page / 2);
    assert_int_equal(stats.reserve_calls, 1);
    assert_int_equal(stats.release_calls, 1);
    assert_int_equal(stats.failures, 0);
    expect_held(raw, 0, 0);
}

static void committed_memory_is_zero(void **state) {
    backend *raw = *state;
    if (!hwr_raw_is_zeroed(raw->raw)) {
        print_message("skipped: the memory of this backend does not read as zero, and it says so\n");
        skip();
    }
    size_t page = hwr_raw_page_size(raw->raw);
    size_t size = 40 * page;
    for (int round = 0; round < 3; round++) {
        char *range = hwr_raw_reserve(raw->raw, size, 0);
        assert_non_null(range);
        assert_true(hwr_raw_commit(raw->raw, range, size));
        assert_true(pattern_is_zero(range, size));
        memset(range, 0xff, size);
        hwr_raw_decommit(raw->raw, range + 8 * page, 16 * page);
        assert_true(hwr_raw_commit(raw->raw, range + 8 * page, 16 * page));
        assert_true(pattern_is_zero(range + 8 * page, 16 * page));
        memset(range, 0xff, size);
        hwr_raw_release(raw->raw, range, size, size);
    }
}

static void keeps_many_ranges_apart(void **state) {
    backend *raw = *state;
    size_t page = hwr_raw_page_size(raw->raw);
    enum { RANGES = 200 };
    struct {
        char *address;
        size_t size;
    } ranges[RANGES];
    size_t total = 0;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < RANGES; i++) {
            if (round > 0 && i % 3 == (size_t)round) continue;
            ranges[i].size = (i * 7 % 13 + 1) * page;
            ranges[i].address = hwr_raw_reserve(raw->raw, ranges[i].size, page << (i % 5));
            assert_non_null(ranges[i].address);
            assert_true(hwr_raw_commit(raw->raw, ranges[i].address, ranges[i].size));
            pattern_fill(ranges[i].address, ranges[i].size, i);
            total += ranges[i].size;
        }
        expect_held(raw, total, total);
        for (size_t i = 0; i < RANGES; i++) {
            assert_true(pattern_holds(ranges[i].address, ranges[i].size, ranges[i].size, i));
            if (round < 2 && i % 3 == (size_t)round + 1) continue;
            hwr_raw_release(raw->raw, ranges[i].address, ranges[i].size, ranges[i].size);
            total -= ranges[i].size;
        }
        expect_held(raw, total, total);
    }
    assert_int_equal(total, 0);
}

static void hints_change_nothing(void **state) {
    backend *raw = *state;
    size_t size = (size_t)8 << 20;
    char *range = hwr_raw_reserve(raw->raw, size, (size_t)2 << 20);
    assert_non_null(range);
    assert_true(hwr_raw_commit(raw->raw, range, size));
    pattern_fill(range, size, 3);
    hwr_raw_hint_huge(raw->raw, range, size, true);
    assert_true(pattern_holds(range, size, size, 3));
    hwr_raw_hint_huge(raw->raw, range, size, false);
    assert_true(pattern_holds(range, size, size, 3));
    expect_held(raw, size, size);
    assert_int_equal(stats_of(raw).failures, 0);
    hwr_raw_release(raw->raw, range, size, size);
}

/* A table reads as zero at once; where that takes no memory, parts are committed before they are written. */
static void tables_read_as_zero(void **state) {
    backend *raw = *state;
    size_t page = hwr_raw_page_size(raw->raw);
    char *dirt = hwr_raw_reserve(raw->raw, 256 * page, 0);
    assert_true(hwr_raw_commit(raw->raw, dirt, 256 * page));
    memset(dirt, 0xff, 256 * page);
    hwr_raw_release(raw->raw, dirt, 256 * page, 256 * page);
    bool committed = false;
    size_t size = 256 * page;
    char *table = hwr_raw_reserve_table(raw->raw, size - 5, &committed);
    assert_non_null(table);
    assert_int_equal(committed, raw->kind != HWR_RAW_SYSTEM);
    assert_true(pattern_is_zero(table, size));
    expect_held(raw, size, committed ? size : 0);
    if (!committed) assert_true(hwr_raw_commit(raw->raw, table + 7 * page, page));
    table[7 * page] = 1;
    assert_true(pattern_is_zero(table, 7 * page));
    hwr_raw_release(raw->raw, table, size, committed ? size : page);
    expect_held(raw, 0, 0);
}

static void tables_can_fail(void **state) {
    backend *raw = *state;
    size_t page = hwr_raw_page_size(raw->raw);
    bool committed;
    hwr_raw_inject_fault(raw->raw, HWR_FAULT_RESERVE, 1, false);
    assert_null(hwr_raw_reserve_table(raw->raw, page, &committed));
    assert_int_equal(stats_of(raw).failures, 1);
    assert_null(hwr_raw_reserve_table(raw->raw, 0, &committed));
    assert_null(hwr_raw_reserve_table(raw->raw, SIZE_MAX, &committed));
    assert_int_equal(stats_of(raw).failures, 3);
    expect_held(raw, 0, 0);
    if (raw->kind != HWR_RAW_SYSTEM) {
        hwr_raw_set_limit(raw->raw, page);
        assert_null(hwr_raw_reserve_table(raw->raw, 2 * page, &committed));
        assert_int_equal(stats_of(raw).failures, 4);
        expect_held(raw, 0, 0);
    }
}

/* Limits */

static void keeps_to_its_limit(void **state) {
    backend *raw = *state;
    size_t page = hwr_raw_page_size(raw->raw);
    char *range = hwr_raw_reserve(raw->raw, 32 * page, 0);
    assert_non_null(range);
    hwr_raw_set_limit(raw->raw, 10 * page);
    assert_int_equal(stats_of(raw).limit, 10 * page);
    assert_true(hwr_raw_commit(raw->raw, range, 10 * page));
    pattern_fill(range, 10 * page, 1);
    assert_false(hwr_raw_commit(raw->raw, range + 10 * page, page));
    assert_int_equal(stats_of(raw).failures, 1);
    expect_held(raw, 32 * page, 10 * page);
    assert_true(pattern_holds(range, 10 * page, 10 * page, 1));

    hwr_raw_decommit(raw->raw, range + 9 * page, page);
    assert_true(hwr_raw_commit(raw->raw, range + 20 * page, page));
    assert_false(hwr_raw_commit(raw->raw, range + 21 * page, page));

    hwr_raw_set_limit(raw->raw, 3 * page); /* takes nothing away */
    expect_held(raw, 32 * page, 10 * page);
    assert_true(pattern_holds(range, 9 * page, 10 * page, 1));
    hwr_raw_decommit(raw->raw, range, 6 * page);
    assert_false(hwr_raw_commit(raw->raw, range, page));
    hwr_raw_decommit(raw->raw, range + 6 * page, 2 * page);
    expect_held(raw, 32 * page, 2 * page);
    assert_true(hwr_raw_commit(raw->raw, range, page));

    hwr_raw_set_limit(raw->raw, 0);
    assert_true(hwr_raw_commit(raw->raw, range + page, 7 * page));
    expect_held(raw, 32 * page, 10 * page);
    assert_int_equal(stats_of(raw).failures, 3);
    hwr_raw_release(raw->raw, range, 32 * page, 10 * page);
}

static void opens_with_a_limit(void **state) {
    const backend *like = *state;
    backend raw;
    backend_open(&raw, like->kind, (size_t)1 << 20);
    size_t page = hwr_raw_page_size(raw.raw);
    char *range = hwr_raw_reserve(raw.raw, (size_t)2 << 20, 0);
    assert_non_null(range);
    assert_int_equal(stats_of(&raw).limit, (size_t)1 << 20);
    assert_false(hwr_raw_commit(raw.raw, range, ((size_t)1 << 20) + page));
    assert_true(hwr_raw_commit(raw.raw, range, (size_t)1 << 20));
    assert_false(hwr_raw_commit(raw.raw, range + ((size_t)1 << 20), page));
    hwr_raw_release(raw.raw, range, (size_t)2 << 20, (size_t)1 << 20);
    backend_close(&raw);
}

/* Resizing */

static char *committed_range(backend *raw, size_t size, size_t alignment, uint64_t seed) {
    char *range = hwr_raw_reserve(raw->raw, size, alignment);
    assert_non_null(range);
    assert_true(hwr_raw_commit(raw->raw, range, size));
    pattern_fill(range, size, seed);
    return range;
}

static void resizes_or_leaves_alone(void **state) {
    backend *raw = *state;
    size_t page = hwr_raw_page_size(raw->raw);
    const size_t sizes[] = {1, 2, 1, 64, 63, 300, 4096, 1025, 4, 4, 700, 1};
    for (size_t alignment = page; alignment <= (size_t)4 << 20; alignment *= 4) {
        size_t size = sizes[0] * page;
        char *range = committed_range(raw, size, alignment, alignment);
        for (size_t i = 1; i < sizeof sizes / sizeof sizes[0]; i++) {
            size_t new_size = sizes[i] * page;
            char *moved = hwr_raw_resize(raw->raw, range, size, new_size, alignment);
            if (moved == NULL) {
                expect_held(raw, size, size);
                assert_true(pattern_holds(range, size, size, alignment + i - 1));
                pattern_fill(range, size, alignment + i);
                continue;
            }
            assert_int_equal((uintptr_t)moved % alignment, 0);
            expect_held(raw, new_size, new_size);
            assert_true(pattern_holds(moved, size < new_size ? size : new_size, size, alignment + i - 1));
            if (new_size > size && hwr_raw_is_zeroed(raw->raw))
                assert_true(pattern_is_zero(moved + size, new_size - size));
            range = moved;
            size = new_size;
            pattern_fill(range, size, alignment + i);
        }
        hwr_raw_release(raw->raw, range, size, size);
        expect_held(raw, 0, 0);
    }
}

/* Between neighbours there is no room to grow in place: the range has to move to an aligned place or stay as it was. */
static void resizes_between_neighbours(void **state) {
    backend *raw = *state;
    size_t page = hwr_raw_page_size(raw->raw);
    size_t alignment = (size_t)1 << 20;
    size_t size = alignment;
    enum { RANGES = 12 };
    char *ranges[RANGES];
    size_t sizes[RANGES];
    for (size_t i = 0; i < RANGES; i++) {
        sizes[i] = size;
        ranges[i] = committed_range(raw, size, alignment, i);
    }
    for (size_t i = 0; i < RANGES; i++) {
        size_t new_size = i % 2 == 0 ? size + 5 * page : size + 3 * alignment;
        char *moved = hwr_raw_resize(raw->raw, ranges[i], size, new_size, alignment);
        if (moved == NULL) continue;
        assert_int_equal((uintptr_t)moved % alignment, 0);
        ranges[i] = moved;
        sizes[i] = new_size;
        memset(moved + size, 0x77, new_size - size);
    }
    size_t total = 0;
    for (size_t i = 0; i < RANGES; i++) {
        assert_true(pattern_holds(ranges[i], size, size, i));
        total += sizes[i];
    }
    expect_held(raw, total, total);
    for (size_t i = 0; i < RANGES; i++) hwr_raw_release(raw->raw, ranges[i], sizes[i], sizes[i]);
}

static void refuses_senseless_resizes(void **state) {
    backend *raw = *state;
    size_t page = hwr_raw_page_size(raw->raw);
    char *range = committed_range(raw, 4 * page, 0, 5);
    const struct {
        size_t size, alignment;
    } bad[] = {{0, 0}, {SIZE_MAX, 0}, {SIZE_MAX - page + 1, page}, {(size_t)1 << 62, page}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (hwr_raw_resize(raw->raw, range, 4 * page, bad[i].size, bad[i].alignment) != NULL)
            fail_msg("resized to %zu bytes at alignment %zu", bad[i].size, bad[i].alignment);
    expect_held(raw, 4 * page, 4 * page);
    assert_true(pattern_holds(range, 4 * page, 4 * page, 5));
    hwr_raw_release(raw->raw, range, 4 * page, 4 * page);
}

static void resize_keeps_to_the_limit(void **state) {
    backend *raw = *state;
    size_t page = hwr_raw_page_size(raw->raw);
    char *range = committed_range(raw, 4 * page, 0, 5);
    hwr_raw_set_limit(raw->raw, 8 * page);
    assert_null(hwr_raw_resize(raw->raw, range, 4 * page, 9 * page, 0));
    expect_held(raw, 4 * page, 4 * page);
    assert_true(pattern_holds(range, 4 * page, 4 * page, 5));
    assert_true(stats_of(raw).peak_committed <= 8 * page);
    size_t size = 4 * page;
    char *moved = hwr_raw_resize(raw->raw, range, size, 8 * page, 0);
    if (moved != NULL) {
        range = moved;
        size = 8 * page;
    }
    assert_true(pattern_holds(range, 4 * page, 4 * page, 5));
    hwr_raw_release(raw->raw, range, size, size);
}

/* Injected faults */

static void reserve_faults(void **state) {
    backend *raw = *state;
    size_t page = hwr_raw_page_size(raw->raw);
    for (uint64_t nth = 1; nth <= 4; nth++) {
        hwr_raw_inject_fault(raw->raw, HWR_FAULT_RESERVE, nth, false);
        for (uint64_t i = 1; i <= 6; i++) {
            size_t failures = stats_of(raw).failures;
            char *range = hwr_raw_reserve(raw->raw, page, 0);
            assert_int_equal(range == NULL, i == nth);
            assert_int_equal(stats_of(raw).failures, failures + (range == NULL ? 1 : 0));
            if (range == NULL) {
                expect_held(raw, 0, 0);
                continue;
            }
            assert_true(hwr_raw_commit(raw->raw, range, page)); /* not counted */
            hwr_raw_release(raw->raw, range, page, page);
        }
    }
}

static void commit_faults(void **state) {
    backend *raw = *state;
    size_t page = hwr_raw_page_size(raw->raw);
    char *range = hwr_raw_reserve(raw->raw, 8 * page, 0);
    assert_non_null(range);
    for (uint64_t nth = 1; nth <= 4; nth++) {
        hwr_raw_inject_fault(raw->raw, HWR_FAULT_COMMIT, nth, false);
        size_t committed = 0;
        for (uint64_t i = 1; i <= 6; i++) {
            bool done = hwr_raw_commit(raw->raw, range + i * page, page);
            assert_int_equal(done, i != nth);
            committed += done ? page : 0;
            expect_held(raw, 8 * page, committed);
        }
        for (uint64_t i = 1; i <= 6; i++)
            if (i != nth) hwr_raw_decommit(raw->raw, range + i * page, page);
    }
    hwr_raw_release(raw->raw, range, 8 * page, 0);
}

static void resize_faults(void **state) {
    backend *raw = *state;
    size_t page = hwr_raw_page_size(raw->raw);
    char *range = committed_range(raw, 4 * page, 0, 5);
    hwr_raw_inject_fault(raw->raw, HWR_FAULT_RESIZE, 1, false);
    assert_null(hwr_raw_resize(raw->raw, range, 4 * page, 2 * page, 0));
    expect_held(raw, 4 * page, 4 * page);
    assert_true(pattern_holds(range, 4 * page, 4 * page, 5));
    hwr_raw_inject_fault(raw->raw, HWR_FAULT_RESIZE, 1, true);
    for (int i = 0; i < 3; i++) assert_null(hwr_raw_resize(raw->raw, range, 4 * page, 8 * page, 0));
    if (raw->kind == HWR_RAW_SYSTEM) assert_int_equal(stats_of(raw).failures, 4);
    expect_held(raw, 4 * page, 4 * page);
    assert_true(pattern_holds(range, 4 * page, 4 * page, 5));
    hwr_raw_release(raw->raw, range, 4 * page, 4 * page);
}

static void faults_for_good_until_stopped(void **state) {
    backend *raw = *state;
    size_t page = hwr_raw_page_size(raw->raw);
    char *range = hwr_raw_reserve(raw->raw, 8 * page, 0);
    assert_non_null(range);
    hwr_raw_inject_fault(raw->raw, HWR_FAULT_ALL, 3, true);
    assert_true(hwr_raw_commit(raw->raw, range, page));
    char *second = hwr_raw_reserve(raw->raw, page, 0);
    assert_non_null(second);
    for (int i = 0; i < 5; i++) {
        assert_null(hwr_raw_reserve(raw->raw, page, 0));
        assert_false(hwr_raw_commit(raw->raw, range + page, page));
    }
    hwr_raw_decommit(raw->raw, range, page); /* never fails */
    hwr_raw_release(raw->raw, second, page, 0);
    expect_held(raw, 8 * page, 0);
    assert_int_equal(stats_of(raw).failures, 10);
    hwr_raw_inject_fault(raw->raw, HWR_FAULT_ALL, 0, true);
    assert_true(hwr_raw_commit(raw->raw, range, 8 * page));
    hwr_raw_release(raw->raw, range, 8 * page, 8 * page);
}

/* A new injection replaces the old one, and a mask counts only its own operations. */
static void injections_replace_each_other(void **state) {
    backend *raw = *state;
    size_t page = hwr_raw_page_size(raw->raw);
    hwr_raw_inject_fault(raw->raw, HWR_FAULT_RESERVE, 1, true);
    hwr_raw_inject_fault(raw->raw, HWR_FAULT_COMMIT, 2, false);
    char *range = hwr_raw_reserve(raw->raw, 4 * page, 0);
    assert_non_null(range);
    assert_true(hwr_raw_commit(raw->raw, range, page));
    assert_false(hwr_raw_commit(raw->raw, range + page, page));
    assert_true(hwr_raw_commit(raw->raw, range + page, page));
    hwr_raw_inject_fault(raw->raw, HWR_FAULT_RESERVE | HWR_FAULT_COMMIT, 2, false);
    assert_true(hwr_raw_commit(raw->raw, range + 2 * page, page));
    assert_null(hwr_raw_reserve(raw->raw, page, 0));
    hwr_raw_release(raw->raw, range, 4 * page, 3 * page);
}

#define OVER_EACH_BACKEND(function)                                                                                    \
    {#function " [system]", function, set_up, tear_down, (void *)&kinds[0]},                                           \
        {#function " [malloc]", function, set_up, tear_down, (void *)&kinds[1]}, {                                     \
#function " [buffer]", function, set_up, tear_down, (void *)&kinds[2]                                          \
    }

int main(void) {
    static hwr_raw_kind kinds[] = {HWR_RAW_SYSTEM, HWR_RAW_MALLOC, HWR_RAW_BUFFER};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_with_defaults),
        cmocka_unit_test(closes_null),
        cmocka_unit_test(refuses_bad_options),
        cmocka_unit_test(opens_the_smallest_buffer),
        OVER_EACH_BACKEND(describes_itself),
        OVER_EACH_BACKEND(reserves_at_every_alignment),
        OVER_EACH_BACKEND(rounds_sizes_up_to_pages),
        OVER_EACH_BACKEND(refuses_senseless_reservations),
        OVER_EACH_BACKEND(commits_parts),
        OVER_EACH_BACKEND(committed_memory_is_zero),
        OVER_EACH_BACKEND(keeps_many_ranges_apart),
        OVER_EACH_BACKEND(hints_change_nothing),
        OVER_EACH_BACKEND(tables_read_as_zero),
        OVER_EACH_BACKEND(tables_can_fail),
        OVER_EACH_BACKEND(keeps_to_its_limit),
        OVER_EACH_BACKEND(opens_with_a_limit),
        OVER_EACH_BACKEND(resizes_or_leaves_alone),
        OVER_EACH_BACKEND(resizes_between_neighbours),
        OVER_EACH_BACKEND(refuses_senseless_resizes),
        OVER_EACH_BACKEND(resize_keeps_to_the_limit),
        OVER_EACH_BACKEND(reserve_faults),
        OVER_EACH_BACKEND(commit_faults),
        OVER_EACH_BACKEND(resize_faults),
        OVER_EACH_BACKEND(faults_for_good_until_stopped),
        OVER_EACH_BACKEND(injections_replace_each_other),
    };
    return cmocka_run_group_tests_name("raw", tests, NULL, NULL);
}
