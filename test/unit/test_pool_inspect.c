/* pool: looking at it. find, owns, usable size, walk, statistics. */
#define _GNU_SOURCE
#include "support/fixture.h"
#include "support/random.h"
#include "support/sanitizer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { BLOCKS = 1500 };

/* What the test allocated itself, to compare with. */
typedef struct shadow {
    unsigned char *block;
    size_t usable;
} shadow;

static shadow shadows[BLOCKS];
static size_t shadow_count;
static size_t shadow_bytes;

static size_t mixed_size(random_stream *stream) {
    static const size_t large[] = {65536, 65537, 100000, 300000, 1 << 20, 3000000};
    return random_below(stream, 40) == 0 ? large[random_below(stream, 6)] : random_size(stream) % 30000;
}

static void fill_pool(fixture *f, uint64_t seed) {
    random_stream stream = {seed};
    shadow_bytes = 0;
    for (shadow_count = 0; shadow_count < BLOCKS; shadow_count++) {
        unsigned char *block = hwr_pool_alloc(f->pool, mixed_size(&stream));
        assert_non_null(block);
        shadows[shadow_count] = (shadow){block, hwr_pool_usable_size(f->pool, block)};
        shadow_bytes += shadows[shadow_count].usable;
    }
}

static void free_shadow(fixture *f, size_t i) {
    hwr_pool_free(f->pool, shadows[i].block);
    shadow_bytes -= shadows[i].usable;
    shadows[i] = shadows[--shadow_count];
}

/* Frees a part at random, so that pages are partly free. */
static void thin_out(fixture *f, size_t left) {
    random_stream stream = {left};
    while (shadow_count > left) free_shadow(f, random_below(&stream, shadow_count));
}

static void empty_pool(fixture *f) {
    thin_out(f, 0);
    fixture_expect_holding(f, 0, 0);
}

static void expect_found(fixture *f, const void *address, const shadow *expected) {
    size_t size = 12345;
    void *found = hwr_pool_find(f->pool, address, &size);
    assert_ptr_equal(found, expected->block);
    assert_int_equal(size, expected->usable);
    assert_ptr_equal(hwr_pool_find(f->pool, address, NULL), expected->block);
}

/* find */

static void finds_start_and_inside(void **state) {
    fixture *f = *state;
    fill_pool(f, 1);
    thin_out(f, BLOCKS / 2);
    for (size_t i = 0; i < shadow_count; i++) {
        const shadow *s = &shadows[i];
        expect_found(f, s->block, s);
        if (s->usable > 0) {
            expect_found(f, s->block + 1 % s->usable, s);
            expect_found(f, s->block + s->usable / 2, s);
            expect_found(f, s->block + s->usable - 1, s);
        }
    }
    empty_pool(f);
}

/* The end of one block may be the start of the next; it is never the block itself. */
static void one_past_the_end_is_not_the_block(void **state) {
    fixture *f = *state;
    fill_pool(f, 2);
    for (size_t i = 0; i < shadow_count; i++)
        assert_ptr_not_equal(hwr_pool_find(f->pool, shadows[i].block + shadows[i].usable, NULL), shadows[i].block);
    empty_pool(f);
}

static void does_not_find_free_blocks(void **state) {
    fixture *f = *state;
    static unsigned char *freed[BLOCKS];
    fill_pool(f, 3);
    size_t count = 0;
    while (shadow_count > BLOCKS / 3) {
        freed[count++] = shadows[shadow_count / 2].block;
        free_shadow(f, shadow_count / 2);
    }
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < count; i++) {
            assert_null(hwr_pool_find(f->pool, freed[i], NULL));
            assert_null(hwr_pool_find(f->pool, freed[i] + 3, NULL));
        }
        hwr_pool_trim(f->pool, true);
    }
    for (size_t i = 0; i < shadow_count; i++) expect_found(f, shadows[i].block, &shadows[i]);
    empty_pool(f);
    for (size_t i = 0; i < count; i++) assert_null(hwr_pool_find(f->pool, freed[i], NULL));
}

static void never_faults_on_foreign_addresses(void **state) {
    fixture *f = *state;
    fill_pool(f, 4);
    static int in_data;
    int on_stack = 0;
    char *from_malloc = malloc(100);
    size_t page = (size_t)1 << 16;
    char *unmapped = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(unmapped != MAP_FAILED);
    assert_int_equal(munmap(unmapped, page), 0);
    const void *foreign[] = {NULL,
                             &in_data,
                             &on_stack,
                             from_malloc,
                             from_malloc + 50,
                             unmapped,
                             unmapped + 100,
                             (void *)(uintptr_t)1,
                             (void *)(uintptr_t)8,
                             (void *)(uintptr_t)4096,
                             (void *)UINTPTR_MAX,
                             (void *)(UINTPTR_MAX - 15),
                             (void *)(UINTPTR_MAX / 2),
                             (void *)(UINTPTR_MAX / 2 + 1),
                             (void *)((uintptr_t)1 << 46),
                             (void *)((uintptr_t)1 << 47),
                             (void *)((uintptr_t)1 << 48),
                             (void *)((uintptr_t)1 << 56),
                             (void *)f->pool,
                             (void *)f,
                             (void *)f->backend.raw};
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        size_t size = 7;
        assert_null(hwr_pool_find(f->pool, foreign[i], &size));
        if (i < 18) assert_false(hwr_pool_owns(f->pool, foreign[i]));
    }
    free(from_malloc);
    empty_pool(f);
}

/* A net over all of the address space, and a fine one around the blocks. */
static void never_faults_anywhere(void **state) {
    fixture *f = *state;
    fill_pool(f, 5);
    for (uintptr_t high = 0; high < 1 << 17; high++) {
        const void *address = (void *)((high << 47) ^ (high << 30) ^ (high << 13));
        void *found = hwr_pool_find(f->pool, address, NULL);
        assert_true(found == NULL || hwr_pool_owns(f->pool, address));
    }
    for (uintptr_t delta = 4096; delta < (uintptr_t)1 << 45; delta *= 2)
        for (size_t i = 0; i < shadow_count; i += 50) {
            (void)hwr_pool_find(f->pool, (void *)((uintptr_t)shadows[i].block + delta), NULL);
            (void)hwr_pool_find(f->pool, (void *)((uintptr_t)shadows[i].block - delta), NULL);
            (void)hwr_pool_owns(f->pool, (void *)((uintptr_t)shadows[i].block - delta));
        }
    empty_pool(f);
}

static void owns_its_blocks_only(void **state) {
    fixture *f = *state;
    hwr_pool_options options = fixture_options(f);
    hwr_pool *other = hwr_pool_open(&options);
    assert_non_null(other);
    fill_pool(f, 6);
    for (size_t i = 0; i < shadow_count; i++) {
        assert_true(hwr_pool_owns(f->pool, shadows[i].block));
        if (shadows[i].usable > 0) assert_true(hwr_pool_owns(f->pool, shadows[i].block + shadows[i].usable - 1));
        assert_false(hwr_pool_owns(other, shadows[i].block));
        assert_null(hwr_pool_find(other, shadows[i].block, NULL));
    }
    void *theirs = hwr_pool_alloc(other, 100);
    assert_true(hwr_pool_owns(other, theirs));
    assert_false(hwr_pool_owns(f->pool, theirs));
    assert_null(hwr_pool_find(f->pool, theirs, NULL));
    thin_out(f, 0);
    hwr_pool_free(other, theirs);
    hwr_pool_close(other);
}

static void finds_aligned_blocks(void **state) {
    fixture *f = *state;
    for (size_t alignment = 8; alignment <= (size_t)16 << 20; alignment *= 2)
        for (size_t size = 1; size <= 100000; size *= 10) {
            unsigned char *block = hwr_pool_alloc_aligned(f->pool, size, alignment);
            assert_non_null(block);
            shadow s = {block, hwr_pool_usable_size(f->pool, block)};
            expect_found(f, block, &s);
            expect_found(f, block + size - 1, &s);
            expect_found(f, block + s.usable - 1, &s);
            hwr_pool_free(f->pool, block);
            assert_null(hwr_pool_find(f->pool, block, NULL));
        }
}

/* walk */

typedef struct tour {
    shadow *seen;
    size_t count, room;
    size_t stop_after; /* 0: never */
} tour;

static bool note(void *context, void *block, size_t usable) {
    tour *t = context;
    assert_true(t->count < t->room);
    t->seen[t->count++] = (shadow){block, usable};
    return t->count != t->stop_after;
}

static int by_address(const void *a, const void *b) {
    const shadow *x = a, *y = b;
    return x->block < y->block ? -1 : x->block > y->block;
}

static void expect_walk_to_match(fixture *f) {
    static shadow seen[BLOCKS + 1];
    tour t = {seen, 0, BLOCKS + 1, 0};
    assert_true(hwr_pool_walk(f->pool, note, &t));
    assert_int_equal(t.count, shadow_count);
    qsort(seen, t.count, sizeof seen[0], by_address);
    qsort(shadows, shadow_count, sizeof shadows[0], by_address);
    for (size_t i = 0; i < t.count; i++) {
        assert_ptr_equal(seen[i].block, shadows[i].block);
        assert_int_equal(seen[i].usable, shadows[i].usable);
    }
}

static void walks_exactly_the_live_blocks(void **state) {
    fixture *f = *state;
    expect_walk_to_match(f);
    for (uint64_t round = 0; round < 3; round++) {
        fill_pool(f, 10 + round);
        expect_walk_to_match(f);
        for (size_t left = BLOCKS; left > 0; left /= 4) {
            thin_out(f, left);
            expect_walk_to_match(f);
        }
        empty_pool(f);
        expect_walk_to_match(f);
    }
}

static void a_walk_can_be_stopped(void **state) {
    fixture *f = *state;
    fill_pool(f, 20);
    for (size_t stop = 1; stop <= BLOCKS; stop = stop * 3 + 1) {
        static shadow seen[BLOCKS + 1];
        tour t = {seen, 0, BLOCKS + 1, stop};
        assert_false(hwr_pool_walk(f->pool, note, &t));
        assert_int_equal(t.count, stop);
    }
    empty_pool(f);
}

/* Within one size, blocks of one page come one after the other and upwards: address order breaks at most once a page. */
static void walks_pages_in_address_order(void **state) {
    fixture *f = *state;
    for (shadow_count = 0; shadow_count < BLOCKS; shadow_count++)
        shadows[shadow_count].block = hwr_pool_alloc(f->pool, 48);
    static shadow seen[BLOCKS + 1];
    tour t = {seen, 0, BLOCKS + 1, 0};
    assert_true(hwr_pool_walk(f->pool, note, &t));
    size_t breaks = 0;
    for (size_t i = 1; i < t.count; i++) breaks += seen[i].block < seen[i - 1].block;
    size_t pages = 0;
    hwr_pool_class_stats class;
    for (unsigned number = 0; hwr_pool_get_class_stats(f->pool, number, &class); number++) pages += class.pages;
    assert_true(breaks <= pages);
    for (size_t i = 0; i < BLOCKS; i++) hwr_pool_free(f->pool, shadows[i].block);
    shadow_count = 0;
}

/* Statistics */

static void statistics_follow_every_step(void **state) {
    fixture *f = *state;
    random_stream stream = {30};
    shadow_count = shadow_bytes = 0;
    hwr_pool_stats stats;
    for (int step = 0; step < 4000; step++) {
        if (shadow_count < BLOCKS && (shadow_count == 0 || random_below(&stream, 5) < 3)) {
            unsigned char *block = hwr_pool_alloc(f->pool, mixed_size(&stream));
            assert_non_null(block);
            shadows[shadow_count] = (shadow){block, hwr_pool_usable_size(f->pool, block)};
            shadow_bytes += shadows[shadow_count++].usable;
        } else {
            free_shadow(f, random_below(&stream, shadow_count));
        }
        hwr_pool_get_stats(f->pool, &stats);
        assert_int_equal(stats.blocks, shadow_count);
        assert_int_equal(stats.bytes, shadow_bytes);
        assert_int_equal(stats.committed, backend_committed(&f->backend));
        assert_true(stats.peak_committed >= stats.committed);
    }
    empty_pool(f);
}

static void large_blocks_are_counted_apart(void **state) {
    fixture *f = *state;
    hwr_pool_stats stats;
    void *small[20], *large[5];
    for (size_t i = 0; i < 20; i++) small[i] = hwr_pool_alloc(f->pool, 100 * i);
    hwr_pool_get_stats(f->pool, &stats);
    assert_int_equal(stats.large_blocks, 0);
    assert_int_equal(stats.large_bytes, 0);
    size_t bytes = 0;
    for (size_t i = 0; i < 5; i++) {
        large[i] = hwr_pool_alloc(f->pool, (i + 1) << 20);
        bytes += hwr_pool_usable_size(f->pool, large[i]);
        hwr_pool_get_stats(f->pool, &stats);
        assert_int_equal(stats.large_blocks, i + 1);
        assert_int_equal(stats.large_bytes, bytes);
        assert_int_equal(stats.blocks, 20 + i + 1);
    }
    for (size_t i = 0; i < 5; i++) hwr_pool_free(f->pool, large[i]);
    hwr_pool_get_stats(f->pool, &stats);
    assert_int_equal(stats.large_blocks, 0);
    assert_int_equal(stats.large_bytes, 0);
    for (size_t i = 0; i < 20; i++) hwr_pool_free(f->pool, small[i]);
}

static void classes_are_in_order(void **state) {
    fixture *f = *state;
    hwr_pool_class_stats class, previous = {0};
    unsigned number = 0;
    for (; hwr_pool_get_class_stats(f->pool, number, &class); number++) {
        assert_true(class.block_size > previous.block_size);
        assert_int_equal(class.block_size % f->config.granularity, 0);
        assert_true(number > 60 || class.block_size == previous.block_size + f->config.granularity);
        assert_true(class.block_size <= previous.block_size + previous.block_size / 8 + f->config.granularity);
        assert_int_equal(class.pages + class.blocks + class.capacity, 0);
        previous = class;
    }
    assert_true(number > 60);
    assert_false(hwr_pool_get_class_stats(f->pool, number + 1, &class));
    assert_false(hwr_pool_get_class_stats(f->pool, UINT32_MAX, &class));
}

/* In an unchecked pool a block's usable size is its class's, which gives a second count of every class. */
static void class_statistics_are_exact(void **state) {
    fixture *f = *state;
    fill_pool(f, 40);
    for (size_t left = BLOCKS;; left /= 3) {
        thin_out(f, left);
        size_t in_classes = 0;
        hwr_pool_class_stats class;
        for (unsigned number = 0; hwr_pool_get_class_stats(f->pool, number, &class); number++) {
            size_t expected = 0;
            for (size_t i = 0; i < shadow_count; i++) expected += shadows[i].usable == class.block_size;
            assert_int_equal(class.blocks, expected);
            assert_true(class.capacity >= class.blocks);
            assert_true(class.pages <= class.capacity);
            assert_true((class.pages == 0) == (class.capacity == 0));
            in_classes += class.blocks;
        }
        hwr_pool_stats stats;
        hwr_pool_get_stats(f->pool, &stats);
        assert_int_equal(stats.blocks, in_classes + stats.large_blocks);
        if (left == 0) break;
    }
    fixture_expect_holding(f, 0, 0);
}

int main(void) {
    static const fixture_test tests[] = {
        FIXTURE_TEST(finds_start_and_inside, FIXTURE_ALL),
        FIXTURE_TEST(one_past_the_end_is_not_the_block, FIXTURE_UNCHECKED),
        FIXTURE_TEST(does_not_find_free_blocks, FIXTURE_ALL),
        FIXTURE_TEST(never_faults_on_foreign_addresses, FIXTURE_ALL),
        FIXTURE_TEST(never_faults_anywhere, FIXTURE_ALL),
        FIXTURE_TEST(owns_its_blocks_only, FIXTURE_ALL),
        FIXTURE_TEST(finds_aligned_blocks, FIXTURE_ALL),
        FIXTURE_TEST(walks_exactly_the_live_blocks, FIXTURE_ALL),
        FIXTURE_TEST(a_walk_can_be_stopped, FIXTURE_ALL),
        FIXTURE_TEST(walks_pages_in_address_order, FIXTURE_ALL),
        FIXTURE_TEST(statistics_follow_every_step, FIXTURE_ALL),
        FIXTURE_TEST(large_blocks_are_counted_apart, FIXTURE_ALL),
        FIXTURE_TEST(classes_are_in_order, FIXTURE_ALL),
        FIXTURE_TEST(class_statistics_are_exact, FIXTURE_UNCHECKED),
    };
    return fixture_run("pool, looking at it", tests, sizeof tests / sizeof tests[0]);
}
