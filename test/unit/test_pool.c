/* pool: allocating, growing, shrinking and freeing single blocks, over every configuration. */
#include "support/fixture.h"
#include "support/pattern.h"
#include "support/random.h"
#include "support/sanitizer.h"

#include <stdlib.h>
#include <string.h>

static const size_t largest_alignment = (size_t)16 << 20;

/* Allocates, checks what must hold of every block, and fills it. */
static unsigned char *new_block(fixture *f, size_t size, uint64_t seed) {
    unsigned char *block = hwr_pool_alloc(f->pool, size);
    if (block == NULL) fail_msg("no block of %zu bytes", size);
    size_t usable = hwr_pool_usable_size(f->pool, block);
    assert_true(usable >= size);
    assert_true(!f->config.checked || usable == size);
    assert_int_equal((uintptr_t)block % fixture_alignment(f, size), 0);
    pattern_fill(block, usable, seed);
    return block;
}

static void expect_content(fixture *f, const unsigned char *block, uint64_t seed) {
    size_t usable = hwr_pool_usable_size(f->pool, block);
    assert_true(pattern_holds(block, usable, usable, seed));
}

/* Sizes */

static void every_size_to_70000(void **state) {
    fixture *f = *state;
    enum { LIVE = 64 };
    unsigned char *ring[LIVE] = {0};
    size_t step = f->config.checked || runs_slowly() ? 41 : 1; /* a checked pool writes and reads all of a block */
    size_t number = 0;
    for (size_t size = 0; size <= 70000; size += size < 2200 ? 1 : step, number++) {
        unsigned char **slot = &ring[number % LIVE];
        if (*slot != NULL) {
            expect_content(f, *slot, number - LIVE);
            hwr_pool_free(f->pool, *slot);
        }
        *slot = new_block(f, size, number);
    }
    for (size_t i = number - LIVE; i < number; i++) {
        expect_content(f, ring[i % LIVE], i);
        hwr_pool_free(f->pool, ring[i % LIVE]);
    }
    fixture_expect_holding(f, 0, 0);
}

static void around_powers_of_two(void **state) {
    fixture *f = *state;
    size_t largest = (size_t)(f->config.checked || runs_slowly() ? 4 : 64)
                     << 20; /* a checked pool writes all of a block */
    for (size_t power = 1; power <= largest; power *= 2) {
        unsigned char *blocks[5];
        const size_t sizes[5] = {power - 1, power, power + 1, power + power / 8, power + power / 2 + 3};
        size_t bytes = 0;
        for (size_t i = 0; i < 5; i++) {
            blocks[i] = new_block(f, sizes[i], power + i);
            bytes += hwr_pool_usable_size(f->pool, blocks[i]);
        }
        fixture_expect_holding(f, 5, bytes);
        for (size_t i = 0; i < 5; i++) {
            expect_content(f, blocks[i], power + i);
            hwr_pool_free(f->pool, blocks[i]);
        }
    }
    fixture_expect_holding(f, 0, 0);
}

static void little_is_wasted(void **state) {
    fixture *f = *state;
    for (size_t size = 1; size <= (size_t)1 << 20; size += 1 + size / 100) {
        unsigned char *block = new_block(f, size, size);
        size_t usable = hwr_pool_usable_size(f->pool, block);
        /* A block may be borrowed from a class some steps larger; large blocks take whole slices. */
        size_t waste = size <= 65536 ? size / 3 + 9 * f->config.granularity : 65536;
        assert_true(usable < size + waste);
        hwr_pool_free(f->pool, block);
    }
}

static void blocks_of_zero_bytes_are_distinct(void **state) {
    fixture *f = *state;
    void *blocks[100];
    for (size_t i = 0; i < 100; i++) {
        blocks[i] = hwr_pool_alloc(f->pool, 0);
        assert_non_null(blocks[i]);
        for (size_t other = 0; other < i; other++) assert_ptr_not_equal(blocks[i], blocks[other]);
    }
    for (size_t i = 0; i < 100; i++) hwr_pool_free(f->pool, blocks[i]);
    fixture_expect_holding(f, 0, 0);
}

static void absurd_sizes_are_refused(void **state) {
    fixture *f = *state;
    const size_t absurd[] = {(size_t)PTRDIFF_MAX + 1,
                             SIZE_MAX,
                             SIZE_MAX - 1,
                             SIZE_MAX - 7,
                             SIZE_MAX - 15,
                             SIZE_MAX - 4095,
                             SIZE_MAX - 65535,
                             SIZE_MAX / 2 + 1,
                             (size_t)PTRDIFF_MAX - 1,
                             (size_t)PTRDIFF_MAX,
                             (size_t)1 << 60};
    unsigned char *block = new_block(f, 100, 1);
    for (size_t i = 0; i < sizeof absurd / sizeof absurd[0]; i++) {
        assert_null(hwr_pool_alloc(f->pool, absurd[i]));
        assert_null(hwr_pool_alloc_zeroed(f->pool, absurd[i], 1));
        assert_null(hwr_pool_alloc_zeroed(f->pool, 1, absurd[i]));
        for (size_t alignment = 1; alignment <= largest_alignment; alignment *= 16)
            assert_null(hwr_pool_alloc_aligned(f->pool, absurd[i], alignment));
        assert_null(hwr_pool_realloc(f->pool, NULL, absurd[i]));
        assert_null(hwr_pool_realloc(f->pool, block, absurd[i]));
    }
    expect_content(f, block, 1);
    hwr_pool_free(f->pool, block);
    fixture_expect_holding(f, 0, 0);
}

static void free_of_null_does_nothing(void **state) {
    fixture *f = *state;
    hwr_pool_free(f->pool, NULL);
    fixture_expect_holding(f, 0, 0);
}

/* Many blocks at once */

static int by_address(const void *a, const void *b) {
    const unsigned char *const *x = a, *const *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void blocks_do_not_overlap(void **state) {
    fixture *f = *state;
    enum { BLOCKS = 3000 };
    static unsigned char *blocks[BLOCKS];
    random_stream stream = {f->config.granularity};
    for (size_t i = 0; i < BLOCKS; i++) blocks[i] = new_block(f, random_size(&stream) % 20000, 0);
    qsort(blocks, BLOCKS, sizeof blocks[0], by_address);
    for (size_t i = 1; i < BLOCKS; i++)
        assert_true(blocks[i - 1] + hwr_pool_usable_size(f->pool, blocks[i - 1]) <= blocks[i]);
    for (size_t i = 0; i < BLOCKS; i++) hwr_pool_free(f->pool, blocks[i]);
    fixture_expect_holding(f, 0, 0);
}

static void content_survives_neighbours(void **state) {
    fixture *f = *state;
    enum { BLOCKS = 2000, ROUNDS = 8 };
    static unsigned char *blocks[BLOCKS];
    random_stream stream = {77};
    for (size_t i = 0; i < BLOCKS; i++) blocks[i] = new_block(f, random_size(&stream) % 9000, i);
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < BLOCKS; i++)
            if (random_below(&stream, 2) == 0) {
                expect_content(f, blocks[i], i);
                hwr_pool_free(f->pool, blocks[i]);
                blocks[i] = NULL;
            }
        for (size_t i = 0; i < BLOCKS; i++)
            if (blocks[i] == NULL) blocks[i] = new_block(f, random_size(&stream) % 9000, i);
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        expect_content(f, blocks[i], i);
        hwr_pool_free(f->pool, blocks[i]);
    }
    fixture_expect_holding(f, 0, 0);
}

/* Freeing in order, in reverse and from the middle outwards leaves nothing behind, whatever the size. */
static void free_in_any_order(void **state) {
    fixture *f = *state;
    enum { BLOCKS = 200 };
    static unsigned char *blocks[BLOCKS];
    const size_t sizes[] = {8, 16, 24, 100, 512, 1000, 1024, 1025, 4000, 8192, 30000, 65536, 65537, 100000};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
        for (int order = 0; order < 3; order++) {
            for (size_t i = 0; i < BLOCKS; i++) blocks[i] = new_block(f, sizes[s], i);
            for (size_t i = 0; i < BLOCKS; i++) {
                size_t which = order == 0 ? i : order == 1 ? BLOCKS - 1 - i : (i * 7 + BLOCKS / 2) % BLOCKS;
                expect_content(f, blocks[which], which);
                hwr_pool_free(f->pool, blocks[which]);
            }
            fixture_expect_holding(f, 0, 0);
        }
}

/* Zeroed */

static void zeroed_is_zero_on_dirty_memory(void **state) {
    fixture *f = *state;
    const size_t sizes[] = {0, 1, 8, 16, 40, 104, 500, 1024, 4096, 20000, 65536, 70000, 200000, 1 << 20, 9 << 20};
    enum { SIZES = sizeof sizes / sizeof sizes[0], COPIES = 4 };
    for (int round = 0; round < 3; round++)
        for (size_t s = 0; s < SIZES; s++) {
            unsigned char *blocks[COPIES];
            for (size_t i = 0; i < COPIES; i++) {
                blocks[i] = hwr_pool_alloc_zeroed(f->pool, 1, sizes[s]);
                assert_non_null(blocks[i]);
                assert_int_equal((uintptr_t)blocks[i] % fixture_alignment(f, sizes[s]), 0);
                if (!pattern_is_zero(blocks[i], sizes[s]))
                    fail_msg("a zeroed block of %zu bytes is not zero", sizes[s]);
                memset(blocks[i], 0xff, hwr_pool_usable_size(f->pool, blocks[i]));
            }
            for (size_t i = 0; i < COPIES; i++) hwr_pool_free(f->pool, blocks[i]);
            if (round == 1) hwr_pool_trim(f->pool, true);
        }
    fixture_expect_holding(f, 0, 0);
}

/* Memory that comes from the same slices but from blocks of another size. */
static void zeroed_is_zero_after_other_sizes(void **state) {
    fixture *f = *state;
    enum { BLOCKS = 2000 };
    static unsigned char *blocks[BLOCKS];
    const size_t sizes[] = {16, 300, 48, 2000, 8, 640, 5000, 1024};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (size_t i = 0; i < BLOCKS; i++) {
            blocks[i] = hwr_pool_alloc_zeroed(f->pool, sizes[s], 1);
            assert_non_null(blocks[i]);
            assert_true(pattern_is_zero(blocks[i], sizes[s]));
            memset(blocks[i], 0xee, sizes[s]);
        }
        for (size_t i = 0; i < BLOCKS; i++) hwr_pool_free(f->pool, blocks[i]);
    }
}

static void zeroed_products(void **state) {
    fixture *f = *state;
    unsigned char *block = hwr_pool_alloc_zeroed(f->pool, 12, 34);
    assert_non_null(block);
    assert_true(hwr_pool_usable_size(f->pool, block) >= 12 * 34);
    assert_true(pattern_is_zero(block, (size_t)12 * 34));
    hwr_pool_free(f->pool, block);
    block = hwr_pool_alloc_zeroed(f->pool, 0, SIZE_MAX);
    assert_non_null(block);
    hwr_pool_free(f->pool, block);
    block = hwr_pool_alloc_zeroed(f->pool, SIZE_MAX, 0);
    assert_non_null(block);
    hwr_pool_free(f->pool, block);
    const struct {
        size_t count, item;
    } overflowing[] = {{SIZE_MAX, 2},
                       {2, SIZE_MAX},
                       {SIZE_MAX, SIZE_MAX},
                       {SIZE_MAX / 2 + 1, 2},
                       {(size_t)1 << 32, (size_t)1 << 32},
                       {((size_t)1 << 32) + 1, (size_t)1 << 32},
                       {SIZE_MAX / 3 + 2, 3},
                       {0x100000001, 0xffffffff00000000}};
    for (size_t i = 0; i < sizeof overflowing / sizeof overflowing[0]; i++)
        assert_null(hwr_pool_alloc_zeroed(f->pool, overflowing[i].count, overflowing[i].item));
    fixture_expect_holding(f, 0, 0);
}

/* Aligned */

static void aligned_at_every_power(void **state) {
    fixture *f = *state;
    const size_t sizes[] = {0, 1, 24, 100, 1000, 5000, 40000, 65536, 100000, 3 << 20};
    for (size_t alignment = 1; alignment <= largest_alignment; alignment *= 2) {
        unsigned char *blocks[sizeof sizes / sizeof sizes[0]];
        size_t count = alignment <= (size_t)1 << 20 ? 10 : 3; /* a checked block takes twice its alignment */
        for (size_t i = 0; i < count; i++) {
            blocks[i] = hwr_pool_alloc_aligned(f->pool, sizes[i], alignment);
            if (blocks[i] == NULL) fail_msg("no block of %zu bytes at alignment %zu", sizes[i], alignment);
            assert_int_equal((uintptr_t)blocks[i] % alignment, 0);
            assert_int_equal((uintptr_t)blocks[i] % fixture_alignment(f, sizes[i]), 0);
            size_t usable = hwr_pool_usable_size(f->pool, blocks[i]);
            assert_true(usable >= sizes[i]);
            pattern_fill(blocks[i], usable, alignment + i);
        }
        for (size_t i = 0; i < count; i++) {
            expect_content(f, blocks[i], alignment + i);
            hwr_pool_free(f->pool, blocks[i]);
        }
    }
    fixture_expect_holding(f, 0, 0);
}

static void aligned_in_numbers(void **state) {
    fixture *f = *state;
    enum { BLOCKS = 300 };
    static unsigned char *blocks[BLOCKS];
    for (size_t alignment = 16; alignment <= 65536; alignment *= 4) {
        for (size_t i = 0; i < BLOCKS; i++) {
            blocks[i] = hwr_pool_alloc_aligned(f->pool, 1 + i * 3, alignment);
            assert_non_null(blocks[i]);
            assert_int_equal((uintptr_t)blocks[i] % alignment, 0);
            pattern_fill(blocks[i], hwr_pool_usable_size(f->pool, blocks[i]), i);
        }
        for (size_t i = 0; i < BLOCKS; i++) {
            expect_content(f, blocks[i], i);
            hwr_pool_free(f->pool, blocks[i]);
        }
    }
    fixture_expect_holding(f, 0, 0);
}

static void bad_alignments_are_refused(void **state) {
    fixture *f = *state;
    const size_t bad[] = {0,
                          3,
                          5,
                          6,
                          7,
                          12,
                          24,
                          100,
                          4097,
                          65535,
                          largest_alignment * 2,
                          largest_alignment + 1,
                          largest_alignment - 1,
                          SIZE_MAX,
                          SIZE_MAX / 2 + 1};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (hwr_pool_alloc_aligned(f->pool, 64, bad[i]) != NULL) fail_msg("alignment %zu was accepted", bad[i]);
    fixture_expect_holding(f, 0, 0);
}

static void aligned_blocks_can_be_resized(void **state) {
    fixture *f = *state;
    const size_t sizes[] = {50, 3000, 70000, 2 << 20, 100, 400000, 10};
    for (size_t alignment = 8; alignment <= largest_alignment; alignment *= 8) {
        size_t size = 200;
        unsigned char *block = hwr_pool_alloc_aligned(f->pool, size, alignment);
        assert_non_null(block);
        pattern_fill(block, size, alignment);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            block = hwr_pool_realloc(f->pool, block, sizes[i]);
            assert_non_null(block);
            assert_int_equal((uintptr_t)block % fixture_alignment(f, sizes[i]), 0);
            assert_true(pattern_holds(block, size < sizes[i] ? size : sizes[i], size, alignment + i));
            size = sizes[i];
            pattern_fill(block, size, alignment + i + 1);
        }
        hwr_pool_free(f->pool, block);
    }
    fixture_expect_holding(f, 0, 0);
}

/* Resizing */

static void realloc_keeps_content(void **state) {
    fixture *f = *state;
    const size_t sizes[] = {0,    1,    7,    8,    9,     16,    17,     64,     100,
                            1000, 1024, 1025, 9000, 65536, 65537, 100000, 700000, 5 << 20};
    enum { SIZES = sizeof sizes / sizeof sizes[0] };
    for (size_t from = 0; from < SIZES; from++)
        for (size_t to = 0; to < SIZES; to++) {
            unsigned char *block = new_block(f, sizes[from], from * 100 + to);
            size_t old = hwr_pool_usable_size(f->pool, block);
            unsigned char *moved = hwr_pool_realloc(f->pool, block, sizes[to]);
            assert_non_null(moved);
            size_t usable = hwr_pool_usable_size(f->pool, moved);
            assert_true(usable >= sizes[to]);
            assert_int_equal((uintptr_t)moved % fixture_alignment(f, sizes[to]), 0);
            size_t kept = old < sizes[to] ? old : sizes[to];
            if (!pattern_holds(moved, kept, old, from * 100 + to))
                fail_msg("content lost from %zu to %zu bytes", sizes[from], sizes[to]);
            pattern_fill(moved, usable, 5);
            expect_content(f, moved, 5);
            fixture_expect_holding(f, 1, usable);
            hwr_pool_free(f->pool, moved);
        }
    fixture_expect_holding(f, 0, 0);
}

static void realloc_of_null_allocates(void **state) {
    fixture *f = *state;
    unsigned char *block = hwr_pool_realloc(f->pool, NULL, 123);
    assert_non_null(block);
    size_t usable = hwr_pool_usable_size(f->pool, block);
    assert_true(usable >= 123);
    fixture_expect_holding(f, 1, usable);
    hwr_pool_free(f->pool, block);
}

static void realloc_to_zero_does_not_free(void **state) {
    fixture *f = *state;
    const size_t sizes[] = {0, 20, 3000, 200000};
    for (size_t i = 0; i < 4; i++) {
        unsigned char *block = hwr_pool_realloc(f->pool, new_block(f, sizes[i], i), 0);
        assert_non_null(block);
        size_t usable = hwr_pool_usable_size(f->pool, block);
        assert_true(usable <= 64);
        fixture_expect_holding(f, 1, usable);
        hwr_pool_free(f->pool, block);
    }
}

static void realloc_in_place_where_it_fits(void **state) {
    fixture *f = *state;
    for (size_t size = 1; size < 300000; size += 1 + size / 20) {
        unsigned char *block = new_block(f, size, size);
        size_t usable = hwr_pool_usable_size(f->pool, block);
        assert_ptr_equal(hwr_pool_realloc(f->pool, block, size), block);
        assert_ptr_equal(hwr_pool_realloc(f->pool, block, usable), block);
        assert_true(pattern_holds(block, size, usable, size));
        hwr_pool_free(f->pool, block);
    }
}

/* A vector that grows bit by bit, and its end. */
static void realloc_step_by_step(void **state) {
    fixture *f = *state;
    enum { VECTORS = 3 };
    unsigned char *vectors[VECTORS] = {0};
    size_t sizes[VECTORS] = {0};
    random_stream stream = {3};
    for (int step = 0; step < 900; step++) {
        size_t which = random_below(&stream, VECTORS);
        size_t size = step < 600 ? sizes[which] + 1 + sizes[which] / 20 : sizes[which] - sizes[which] / 16;
        unsigned char *block = hwr_pool_realloc(f->pool, vectors[which], size);
        assert_non_null(block);
        size_t kept = sizes[which] < size ? sizes[which] : size;
        assert_true(pattern_holds(block, kept, sizes[which], which));
        pattern_fill(block, size, which);
        vectors[which] = block;
        sizes[which] = size;
    }
    for (size_t i = 0; i < VECTORS; i++) hwr_pool_free(f->pool, vectors[i]);
    fixture_expect_holding(f, 0, 0);
}

static void realloc_of_huge_blocks(void **state) {
    fixture *f = *state;
    const size_t MiB = (size_t)1 << 20;
    const size_t sizes[] = {41 * MiB, 60 * MiB + 1, 60 * MiB, 33 * MiB, 5 * MiB, 100, 40 * MiB};
    unsigned char *neighbour = new_block(f, 33 * MiB, 8);
    size_t size = 36 * MiB;
    unsigned char *block = new_block(f, size, 0);
    pattern_fill(block, size, 0);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        block = hwr_pool_realloc(f->pool, block, sizes[i]);
        assert_non_null(block);
        assert_true(pattern_holds(block, size < sizes[i] ? size : sizes[i], size, i));
        size = sizes[i];
        pattern_fill(block, size, i + 1);
    }
    fixture_expect_holding(f, 2, hwr_pool_usable_size(f->pool, block) + hwr_pool_usable_size(f->pool, neighbour));
    hwr_pool_free(f->pool, block);
    expect_content(f, neighbour, 8);
    hwr_pool_free(f->pool, neighbour);
    fixture_expect_holding(f, 0, 0);
}

/* A huge block at the top of the line of huge ones: growing it does not take twice its memory where the system moves pages. */
static void huge_growth_does_not_copy_on_the_system(void **state) {
    fixture *f = *state;
    const size_t MiB = (size_t)1 << 20;
    unsigned char *block = new_block(f, 64 * MiB, 4);
    size_t usable = hwr_pool_usable_size(f->pool, block);
    block = hwr_pool_realloc(f->pool, block, 128 * MiB);
    assert_non_null(block);
    assert_true(pattern_holds(block, usable, usable, 4));
    hwr_pool_stats stats;
    hwr_pool_get_stats(f->pool, &stats);
    assert_true(stats.peak_committed < 160 * MiB);
    hwr_pool_free(f->pool, block);
}

int main(void) {
    static const fixture_test tests[] = {
        FIXTURE_TEST(every_size_to_70000, FIXTURE_ALL),
        FIXTURE_TEST(around_powers_of_two, FIXTURE_ALL),
        FIXTURE_TEST(little_is_wasted, FIXTURE_ALL),
        FIXTURE_TEST(blocks_of_zero_bytes_are_distinct, FIXTURE_ALL),
        FIXTURE_TEST(absurd_sizes_are_refused, FIXTURE_ALL),
        FIXTURE_TEST(free_of_null_does_nothing, FIXTURE_ALL),
        FIXTURE_TEST(blocks_do_not_overlap, FIXTURE_ALL),
        FIXTURE_TEST(content_survives_neighbours, FIXTURE_ALL),
        FIXTURE_TEST(free_in_any_order, FIXTURE_ALL),
        FIXTURE_TEST(zeroed_is_zero_on_dirty_memory, FIXTURE_ALL),
        FIXTURE_TEST(zeroed_is_zero_after_other_sizes, FIXTURE_ALL),
        FIXTURE_TEST(zeroed_products, FIXTURE_ALL),
        FIXTURE_TEST(aligned_at_every_power, FIXTURE_ALL),
        FIXTURE_TEST(aligned_in_numbers, FIXTURE_ALL),
        FIXTURE_TEST(bad_alignments_are_refused, FIXTURE_ALL),
        FIXTURE_TEST(aligned_blocks_can_be_resized, FIXTURE_ALL),
        FIXTURE_TEST(realloc_keeps_content, FIXTURE_ALL),
        FIXTURE_TEST(realloc_of_null_allocates, FIXTURE_ALL),
        FIXTURE_TEST(realloc_to_zero_does_not_free, FIXTURE_ALL),
        FIXTURE_TEST(realloc_in_place_where_it_fits, FIXTURE_UNCHECKED),
        FIXTURE_TEST(realloc_step_by_step, FIXTURE_ALL),
        FIXTURE_TEST(realloc_of_huge_blocks, FIXTURE_ALL),
        FIXTURE_TEST(huge_growth_does_not_copy_on_the_system, FIXTURE_SYSTEM | FIXTURE_UNCHECKED),
    };
    return fixture_run("pool", tests, sizeof tests / sizeof tests[0]);
}
