/* pool: where its memory comes from and goes to. Opening, closing, limits, reuse, giving back. */
#define _GNU_SOURCE
#include "support/check.h"
#include "support/fixture.h"
#include "support/pattern.h"
#include "support/random.h"
#include "support/sanitizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const size_t MiB = (size_t)1 << 20;

static hwr_pool_stats stats_of(const fixture *f) {
    hwr_pool_stats stats;
    hwr_pool_get_stats(f->pool, &stats);
    return stats;
}

/* Allocates `total` bytes in blocks of `size`, touches them, and returns how many there are. */
static size_t grow(fixture *f, unsigned char **blocks, size_t size, size_t total) {
    size_t count = total / size;
    for (size_t i = 0; i < count; i++) {
        blocks[i] = hwr_pool_alloc(f->pool, size);
        assert_non_null(blocks[i]);
        memset(blocks[i], 0x11, size);
    }
    return count;
}

static void shrink(fixture *f, unsigned char **blocks, size_t count) {
    for (size_t i = 0; i < count; i++) hwr_pool_free(f->pool, blocks[i]);
}

static unsigned char *space[8 << 20]; /* addresses of blocks */

/* Opening and closing */

static void opens_with_defaults(void **state) {
    (void)state;
    hwr_pool *pool = hwr_pool_open(NULL);
    assert_non_null(pool);
    hwr_pool_class_stats class;
    assert_true(hwr_pool_get_class_stats(pool, 0, &class));
    assert_int_equal(class.block_size, 16);
    void *block = hwr_pool_alloc(pool, 100);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % 16, 0);
    assert_true(hwr_pool_verify(pool, NULL));
    hwr_pool_close(pool);

    pool = hwr_pool_open(&(hwr_pool_options){.size = sizeof(hwr_pool_options)});
    assert_non_null(pool);
    assert_true(hwr_pool_get_class_stats(pool, 0, &class));
    assert_int_equal(class.block_size, 16);
    hwr_pool_close(pool);
    hwr_pool_close(NULL);
}

static void refuses_bad_options(void **state) {
    (void)state;
    const unsigned bad[] = {1, 2, 4, 7, 9, 12, 15, 17, 24, 32, 64, 4096, UINT32_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_null(hwr_pool_open(&(hwr_pool_options){.size = sizeof(hwr_pool_options), .granularity = bad[i]}));
}

/* Blocks that are still in use end with the pool; tear_down looks whether all memory is back. */
static void closes_with_live_blocks(void **state) {
    fixture *f = *state;
    for (size_t size = 1; size <= 20 * MiB; size *= 2)
        for (int i = 0; i < 3; i++) {
            void *block = hwr_pool_alloc(f->pool, size);
            assert_non_null(block);
            if (i == 1)
                hwr_pool_free(f->pool, block);
            else
                memset(block, 1, size < 5000 ? size : 5000);
        }
    assert_int_equal(stats_of(f).blocks, 2 * 25);
}

static void opens_and_closes_often(void **state) {
    fixture *f = *state;
    hwr_pool_options options = fixture_options(f);
    size_t committed = backend_committed(&f->backend);
    for (int i = 0; i < 200; i++) {
        hwr_pool *pool = hwr_pool_open(&options);
        assert_non_null(pool);
        void *block = hwr_pool_alloc(pool, (size_t)i * 1000);
        assert_non_null(block);
        hwr_pool_free(pool, block);
        hwr_pool_close(pool);
        assert_int_equal(backend_committed(&f->backend), committed);
    }
}

static void several_pools_keep_apart(void **state) {
    fixture *f = *state;
    enum { POOLS = 5, BLOCKS = 300 };
    hwr_pool *pools[POOLS];
    static unsigned char *blocks[POOLS][BLOCKS];
    random_stream stream = {1};
    for (size_t p = 0; p < POOLS; p++) {
        hwr_pool_options options = fixture_options(f);
        options.granularity = p % 2 == 0 ? 8 : 16;
        options.shared = p % 3 == 0;
        pools[p] = hwr_pool_open(&options);
        assert_non_null(pools[p]);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        for (size_t p = 0; p < POOLS; p++) {
            blocks[p][i] = hwr_pool_alloc(pools[p], random_size(&stream) % 70000);
            assert_non_null(blocks[p][i]);
            pattern_fill(blocks[p][i], hwr_pool_usable_size(pools[p], blocks[p][i]), p * BLOCKS + i);
        }
    for (size_t p = 0; p < POOLS; p++) {
        for (size_t i = 0; i < BLOCKS; i++) {
            size_t usable = hwr_pool_usable_size(pools[p], blocks[p][i]);
            assert_true(pattern_holds(blocks[p][i], usable, usable, p * BLOCKS + i));
            if (p % 2 == 0) hwr_pool_free(pools[p], blocks[p][i]);
        }
        const char *problem = "";
        if (!hwr_pool_verify(pools[p], &problem)) fail_msg("%s", problem);
        hwr_pool_close(pools[p]);
    }
    fixture_expect_holding(f, 0, 0);
}

/* Memory is used again */

static void freed_memory_is_reused(void **state) {
    fixture *f = *state;
    const size_t sizes[] = {16, 100, 1000, 10000, 100000, 2 * MiB};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        size_t after_first = 0;
        for (int round = 0; round < 6; round++) {
            shrink(f, space, grow(f, space, sizes[s], 4 * MiB));
            if (round == 0) after_first = stats_of(f).peak_committed;
        }
        size_t slack = f->config.checked ? 8 * MiB : MiB; /* a checked pool keeps freed blocks for a while */
        if (stats_of(f).peak_committed > after_first + slack)
            fail_msg("blocks of %zu bytes: %zu bytes after the first round, %zu in the end", sizes[s], after_first,
                     stats_of(f).peak_committed);
    }
}

/* What blocks of one size leave serves blocks of any other. */
static void memory_moves_between_sizes(void **state) {
    fixture *f = *state;
    size_t size = 8;
    size_t total = f->config.kind == HWR_RAW_SYSTEM ? 16 * MiB : 4 * MiB;
    for (; size < 2 * MiB; size = size * 3 + 8) shrink(f, space, grow(f, space, size, total));
    assert_true(stats_of(f).peak_committed < total * (f->config.checked ? 12 : 2) + 8 * MiB);
}

static void a_hot_block_is_the_same_again(void **state) {
    fixture *f = *state;
    for (size_t size = 8; size <= 1024; size += 8) {
        void *block = hwr_pool_alloc(f->pool, size);
        for (int i = 0; i < 10; i++) {
            hwr_pool_free(f->pool, block);
            assert_ptr_equal(hwr_pool_alloc(f->pool, size), block);
        }
        hwr_pool_free(f->pool, block);
    }
}

/* More huge blocks than one page of the pool's own tables has room for. */
static void many_huge_blocks(void **state) {
    fixture *f = *state;
    enum { BLOCKS = 1100 };
    if (f->config.kind == HWR_RAW_BUFFER) return; /* a buffer of that size has no huge blocks */
    size_t size = f->config.kind == HWR_RAW_SYSTEM ? 9 * MiB : 3 * MiB / 2;
    for (size_t i = 0; i < BLOCKS; i++) {
        space[i] = hwr_pool_alloc(f->pool, size);
        assert_non_null(space[i]);
        pattern_fill(space[i], 64, i);
    }
    assert_int_equal(stats_of(f).large_blocks, BLOCKS);
    for (size_t k = 0; k < BLOCKS; k++) {
        size_t i = k * 37 % BLOCKS;
        assert_ptr_equal(hwr_pool_find(f->pool, space[i] + size - 1, NULL), space[i]);
        assert_true(pattern_holds(space[i], 64, 64, i));
        hwr_pool_free(f->pool, space[i]);
        assert_null(hwr_pool_find(f->pool, space[i], NULL));
    }
    fixture_expect_holding(f, 0, 0);
}

/* Asking for huge pages from the first byte on, or never, changes nothing but speed and resident memory. */
static void huge_pages_change_no_content(void **state) {
    for (int never = 0; never < 2; never++) {
        fixture own = *(fixture *)*state, *f = &own;
        hwr_pool_options options = fixture_options(f);
        options.huge_pages_from = never ? SIZE_MAX : 1;
        f->pool = hwr_pool_open(&options);
        assert_non_null(f->pool);
        for (int round = 0; round < 3; round++) {
            size_t count = grow(f, space, 700, 6 * MiB);
            for (size_t i = 0; i < count; i++) pattern_fill(space[i], 700, i);
            for (size_t i = 0; i < count; i++)
                if (i % 500 != 0) hwr_pool_free(f->pool, space[i]);
            hwr_pool_trim(f->pool, true);
            for (size_t i = 0; i < count; i += 500) {
                assert_true(pattern_holds(space[i], 700, 700, i));
                hwr_pool_free(f->pool, space[i]);
            }
        }
        hwr_pool_trim(f->pool, true);
        assert_true(hwr_pool_verify(f->pool, NULL));
        hwr_pool_close(f->pool);
    }
}

/* Limits */

static void keeps_to_the_limit_of_raw(void **state) {
    fixture *f = *state;
    size_t limit = backend_committed(&f->backend) + 12 * MiB;
    hwr_raw_set_limit(f->backend.raw, limit);
    size_t count = 0;
    while (count < sizeof space / sizeof space[0] && (space[count] = hwr_pool_alloc(f->pool, 3000)) != NULL)
        pattern_fill(space[count], 3000, count), count++;
    assert_true(count * 3000 > 6 * MiB && count * 3000 <= 12 * MiB);
    assert_true(backend_committed(&f->backend) <= limit);
    assert_null(hwr_pool_alloc(f->pool, 13 * MiB));
    assert_null(hwr_pool_alloc_zeroed(f->pool, 13, MiB));
    assert_null(hwr_pool_alloc_aligned(f->pool, 13 * MiB, 4096));
    assert_null(hwr_pool_realloc(f->pool, space[0], 13 * MiB));
    for (size_t i = 0; i < count; i++) assert_true(pattern_holds(space[i], 3000, 3000, i));
    const char *problem = "";
    if (!hwr_pool_verify(f->pool, &problem)) fail_msg("%s", problem);

    shrink(f, space, count); /* what was freed can be had again, in blocks of another size */
    count = grow(f, space, 20000, 5 * MiB);
    shrink(f, space, count);
    void *large = hwr_pool_alloc(f->pool, 5 * MiB);
    assert_true(large != NULL || f->config.checked); /* there freed blocks wait before their memory is used again */
    hwr_pool_free(f->pool, large);
    hwr_raw_set_limit(f->backend.raw, 0);
    large = hwr_pool_alloc(f->pool, 20 * MiB);
    assert_non_null(large);
    hwr_pool_free(f->pool, large);
    fixture_expect_holding(f, 0, 0);
}

static void no_pool_without_memory(void **state) {
    fixture *f = *state;
    hwr_pool_options options = fixture_options(f);
    hwr_raw_set_limit(f->backend.raw, hwr_raw_page_size(f->backend.raw));
    assert_null(hwr_pool_open(&options));
    hwr_raw_set_limit(f->backend.raw, 0);
    hwr_pool *pool = hwr_pool_open(&options);
    assert_non_null(pool);
    hwr_pool_close(pool);
}

/* Over a small buffer */

static void lives_in_a_small_buffer(void **state) {
    (void)state;
    for (size_t size = 256 << 10; size <= 8 * MiB; size *= 2)
        for (int round = 0; round < 2; round++) {
            void *buffer = backend_map_buffer(size);
            hwr_raw *raw = hwr_raw_open(&(hwr_raw_options){
                .size = sizeof(hwr_raw_options), .kind = HWR_RAW_BUFFER, .buffer = buffer, .buffer_size = size});
            assert_non_null(raw);
            hwr_pool *pool =
                hwr_pool_open(&(hwr_pool_options){.size = sizeof(hwr_pool_options), .raw = raw, .checked = round == 1});
            if (pool == NULL) fail_msg("no pool in a buffer of %zu KiB", size >> 10);
            size_t count = 0;
            while (count < sizeof space / sizeof space[0] && (space[count] = hwr_pool_alloc(pool, 200)) != NULL)
                pattern_fill(space[count], 200, count), count++;
            if (count * 200 < size / 4) fail_msg("only %zu blocks of 200 bytes in %zu KiB", count, size >> 10);
            for (size_t i = 0; i < count; i++) {
                assert_true(pattern_holds(space[i], 200, 200, i));
                hwr_pool_free(pool, space[i]);
            }
            assert_true(hwr_pool_verify(pool, NULL));
            hwr_pool_close(pool);
            hwr_raw_close(raw);
            backend_unmap_buffer(buffer, size);
        }
}

/* Giving back */

static size_t resident_bytes(void) {
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    size_t pages = 0;
    assert_int_equal(fscanf(file, "%*u %zu", &pages), 1);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* How many of the system's pages between the blocks' addresses have memory. */
static size_t resident_blocks(unsigned char *const *blocks, size_t count) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), resident = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned char answer = 0;
        void *start = (void *)((uintptr_t)blocks[i] & ~(page - 1));
        resident += mincore(start, 1, &answer) == 0 && (answer & 1) != 0;
    }
    return resident;
}

static void trim_gives_everything_back(void **state) {
    fixture *f = *state;
    const size_t sizes[] = {64, 1000, 30000, 200000, 5 * MiB};
    hwr_pool_trim(f->pool, true);
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        size_t total = 20 * MiB;
        size_t before = stats_of(f).committed;
        size_t count = grow(f, space, sizes[s], total);
        assert_true(stats_of(f).committed >= before + total);
        assert_int_equal(resident_blocks(space, count), count);
        shrink(f, space, count);
        size_t committed = stats_of(f).committed, given_back = stats_of(f).given_back;
        size_t trimmed = hwr_pool_trim(f->pool, true);
        if (stats_of(f).committed > before + 2 * MiB)
            fail_msg("of %zu MiB in blocks of %zu bytes, %zu bytes are kept", total / MiB, sizes[s],
                     stats_of(f).committed - before);
        assert_int_equal(stats_of(f).given_back, given_back + trimmed);
        assert_true(committed - stats_of(f).committed >= trimmed); /* more when bookkeeping goes too */
        if (f->config.kind == HWR_RAW_SYSTEM && sizes[s] > 64)
            assert_true(resident_blocks(space, count) <= count / 8 + 1);
        assert_true(hwr_pool_trim(f->pool, true) == 0);
    }
    fixture_expect_holding(f, 0, 0);
}

static void the_process_shrinks(void **state) {
    fixture *f = *state;
    if (runs_slowly()) {
        print_message("skipped: under a sanitizer or valgrind resident memory is not the program's own\n");
        skip();
    }
    size_t count = grow(f, space, 100, 64 * MiB);
    size_t full = resident_bytes();
    shrink(f, space, count);
    hwr_pool_trim(f->pool, true);
    if (resident_bytes() + 56 * MiB > full) fail_msg("%zu bytes resident before, %zu after", full, resident_bytes());
}

/* A pool whose memory was given back goes on as before. */
static void memory_given_back_is_taken_again(void **state) {
    fixture *f = *state;
    for (int round = 0; round < 5; round++) {
        size_t count = grow(f, space, 300, 5 * MiB);
        for (size_t i = 0; i < count; i++) pattern_fill(space[i], 300, i);
        for (size_t i = 0; i < count; i++)
            if (i % 1000 != 0) hwr_pool_free(f->pool, space[i]);
        hwr_pool_trim(f->pool, true);
        for (size_t i = 0; i < count; i += 1000) {
            assert_true(pattern_holds(space[i], 300, 300, i));
            hwr_pool_free(f->pool, space[i]);
        }
        unsigned char *zeroed = hwr_pool_alloc_zeroed(f->pool, 3, MiB);
        assert_non_null(zeroed);
        assert_true(pattern_is_zero(zeroed, 3 * MiB));
        hwr_pool_free(f->pool, zeroed);
    }
    fixture_expect_holding(f, 0, 0);
}

static void sleep_ms(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&time, &time) != 0) continue;
}

/* Memory goes back after the delay and not before: once for a program that calls trim, once for one that only allocates. */
static void goes_back_after_the_delay(void **state) {
    for (int by_allocation = 0; by_allocation < 2; by_allocation++) {
        fixture own = *(fixture *)*state, *f = &own;
        hwr_pool_options options = fixture_options(f);
        options.give_back_ms = 300;
        f->pool = hwr_pool_open(&options);
        assert_non_null(f->pool);
        size_t count = grow(f, space, 500, 20 * MiB);
        size_t full = stats_of(f).committed;
        uint64_t start = hwr_raw_now(f->backend.raw);
        shrink(f, space, count);
        hwr_pool_trim(f->pool, false);
        size_t kept = stats_of(f).committed;
        bool in_time = hwr_raw_now(f->backend.raw) - start < (uint64_t)options.give_back_ms * 1000000;
        assert_true(kept + 8 * MiB > full || !in_time); /* a slow machine may have taken longer than the delay */
        for (int i = 0; i < 30 && stats_of(f).committed + 12 * MiB > full; i++) {
            sleep_ms(100);
            if (by_allocation == 0) {
                hwr_pool_trim(f->pool, false);
                continue;
            }
            for (size_t block = 0; block < 2000; block++) { /* work that needs pages now and then */
                space[block] = hwr_pool_alloc(f->pool, 10000 + block % 100 * 500);
                assert_non_null(space[block]);
                if (block >= 10) hwr_pool_free(f->pool, space[block - 10]);
            }
            shrink(f, space + 1990, 10);
        }
        if (stats_of(f).committed + 12 * MiB > full)
            fail_msg("%s: %zu of %zu bytes are still there after 3 seconds", by_allocation == 0 ? "trim" : "allocation",
                     stats_of(f).committed, full);
        assert_true(stats_of(f).given_back >= 12 * MiB);
        hwr_pool_close(f->pool);
    }
}

int main(void) {
    static const fixture_test tests[] = {
        FIXTURE_TEST(closes_with_live_blocks, FIXTURE_ALL),
        FIXTURE_TEST(opens_and_closes_often, FIXTURE_ALL),
        FIXTURE_TEST(several_pools_keep_apart, FIXTURE_ALL),
        FIXTURE_TEST(freed_memory_is_reused, FIXTURE_ALL),
        FIXTURE_TEST(memory_moves_between_sizes, FIXTURE_ALL),
        FIXTURE_TEST(many_huge_blocks, FIXTURE_UNCHECKED),
        FIXTURE_TEST(huge_pages_change_no_content, FIXTURE_ALL),
        FIXTURE_TEST(a_hot_block_is_the_same_again, FIXTURE_UNCHECKED),
        FIXTURE_TEST(keeps_to_the_limit_of_raw, FIXTURE_ALL),
        FIXTURE_TEST(no_pool_without_memory, FIXTURE_ALL),
        FIXTURE_TEST(trim_gives_everything_back, FIXTURE_UNCHECKED),
        FIXTURE_TEST(the_process_shrinks, FIXTURE_UNCHECKED | FIXTURE_SYSTEM),
        FIXTURE_TEST(memory_given_back_is_taken_again, FIXTURE_ALL),
        FIXTURE_TEST(goes_back_after_the_delay, FIXTURE_SYSTEM),
    };
    const struct CMUnitTest plain[] = {
        cmocka_unit_test(opens_with_defaults),
        cmocka_unit_test(refuses_bad_options),
        cmocka_unit_test(lives_in_a_small_buffer),
    };
    int failed = cmocka_run_group_tests_name("pool, opening", plain, NULL, NULL);
    return failed + fixture_run("pool and memory", tests, sizeof tests / sizeof tests[0]);
}
