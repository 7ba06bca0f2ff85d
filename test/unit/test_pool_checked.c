/* pool: misuse. Every test runs in a child, which must end by SIGABRT with one message that names the block's address and size and the call that
 * allocated it. */
#define _GNU_SOURCE
#include "support/call_site.h"
#include "support/check.h"
#include "support/death.h"
#include "support/fixture.h"
#include "support/pattern.h"
#include "support/sanitizer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a body that dies leaves for the parent to compare the message with: in memory that both share. */
typedef struct report {
    fixture *fixture;
    size_t size;
    void *block;
} report;

static report *shared_report;

/* All blocks of these tests are allocated here, so that the allocating call is known. */
static __attribute__((noinline)) unsigned char *allocate_here(report *r, size_t size) {
    unsigned char *block = hwr_pool_alloc(r->fixture->pool, size);
    CHECK(block != NULL);
    memset(block, 0x33, size);
    r->block = block;
    r->size = size;
    return block;
}

static void expect_message(const death *result, const char *what, bool of_a_block) {
    char expected[64];
    if (!death_by_abort(result))
        fail_msg("%s: not aborted (status 0x%x), but: %s", what, (unsigned)result->status, result->message);
    if (strstr(result->message, what) == NULL) fail_msg("no \"%s\" in the message: %s", what, result->message);
    snprintf(expected, sizeof expected, "0x%zx", (size_t)(uintptr_t)shared_report->block);
    if (strstr(result->message, expected) == NULL)
        fail_msg("no address %s in the message: %s", expected, result->message);
    if (!of_a_block) return;
    snprintf(expected, sizeof expected, "a block of %zu bytes", shared_report->size);
    if (strstr(result->message, expected) == NULL) fail_msg("no \"%s\" in the message: %s", expected, result->message);
    if (!call_site_named(result->message, "allocated by ", (void (*)(void))allocate_here, "allocate_here"))
        fail_msg("the message does not name the allocating call: %s", result->message);
}

static void expect_death(fixture *f, void (*body)(void *), const char *what) {
    death result;
    shared_report->fixture = f;
    death_run(&result, body, shared_report);
    expect_message(&result, what, true);
}

static void expect_death_without_block(fixture *f, void (*body)(void *), const char *what) {
    death result;
    shared_report->fixture = f;
    death_run(&result, body, shared_report);
    expect_message(&result, what, false);
}

/* Double free */

static void free_twice(void *argument) {
    report *r = argument;
    unsigned char *block = allocate_here(r, r->size);
    hwr_pool_free(r->fixture->pool, block);
    hwr_pool_free(r->fixture->pool, block);
}

static void free_twice_with_work_between(void *argument) {
    report *r = argument;
    hwr_pool *pool = r->fixture->pool;
    void *others[20];
    for (size_t i = 0; i < 20; i++) others[i] = hwr_pool_alloc(pool, 77);
    unsigned char *block = allocate_here(r, 77);
    hwr_pool_free(pool, block);
    for (size_t i = 0; i < 20; i++) hwr_pool_free(pool, others[i]);
    for (size_t i = 0; i < 20; i++) CHECK(hwr_pool_alloc(pool, 77) != NULL);
    hwr_pool_free(pool, block);
}

static void *free_it(void *argument) {
    report *r = argument;
    hwr_pool_free(r->fixture->pool, r->block);
    return NULL;
}

static void free_twice_in_two_threads(void *argument) {
    report *r = argument;
    allocate_here(r, 48);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, free_it, r) == 0);
    pthread_join(thread, NULL);
    free_it(r);
}

static const size_t sizes[] = {0, 1, 8, 40, 100, 1000, 5000, 40000, 60000};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void a_double_free_is_found(void **state) {
    for (size_t i = 0; i < SIZES; i++) {
        shared_report->size = sizes[i];
        expect_death(*state, free_twice, "double free");
    }
    expect_death(*state, free_twice_with_work_between, "double free");
}

static void a_double_free_of_two_threads_is_found(void **state) {
    expect_death(*state, free_twice_in_two_threads, "double free");
}

/* Larger blocks go back at once: what is freed twice is no block any more. */
static void a_double_free_of_a_large_block_is_found(void **state) {
    const size_t large[] = {100000, 3 << 20, 40 << 20};
    for (size_t i = 0; i < 3; i++) {
        shared_report->size = large[i];
        expect_death_without_block(*state, free_twice, "heapwright: ");
    }
}

/* Pointers that are no blocks */

static void free_inside(void *argument) {
    report *r = argument;
    size_t size = r->size;
    unsigned char *block = allocate_here(r, size);
    r->block = block + size / 2 / 8 * 8;
    hwr_pool_free(r->fixture->pool, r->block);
}

static void free_off_by_one(void *argument) {
    report *r = argument;
    unsigned char *block = allocate_here(r, 64);
    r->block = block + 1;
    hwr_pool_free(r->fixture->pool, r->block);
}

static void a_pointer_into_a_block_is_found(void **state) {
    const size_t inside[] = {40, 100, 1000, 5000, 60000, 100000, 3 << 20};
    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++) {
        shared_report->size = inside[i];
        expect_death(*state, free_inside, "inside");
    }
    expect_death(*state, free_off_by_one, "inside");
}

static void *foreign_pointer;

static void free_foreign(void *argument) {
    report *r = argument;
    r->block = foreign_pointer;
    hwr_pool_free(r->fixture->pool, foreign_pointer);
}

static void realloc_foreign(void *argument) {
    report *r = argument;
    r->block = foreign_pointer;
    CHECK(hwr_pool_realloc(r->fixture->pool, foreign_pointer, 10) == NULL);
}

static void measure_foreign(void *argument) {
    report *r = argument;
    r->block = foreign_pointer;
    CHECK(hwr_pool_usable_size(r->fixture->pool, foreign_pointer) == 0);
}

static void foreign_pointers_are_found(void **state) {
    fixture *f = *state;
    static uint64_t in_data;
    uint64_t on_stack = 0;
    void *from_malloc = malloc(64);
    hwr_pool_options options = fixture_options(f);
    hwr_pool *other = hwr_pool_open(&options);
    assert_non_null(other);
    void *foreign[] = {&in_data,
                       &on_stack,
                       from_malloc,
                       hwr_pool_alloc(other, 64),
                       (void *)(uintptr_t)16,
                       (void *)(UINTPTR_MAX - 15),
                       (void *)((uintptr_t)1 << 46),
                       f->pool};
    void *own = hwr_pool_alloc(f->pool, 64); /* so that the pool has pages */
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        foreign_pointer = foreign[i];
        expect_death_without_block(f, free_foreign, "not a block of this pool");
        expect_death_without_block(f, realloc_foreign, "not a block of this pool");
        expect_death_without_block(f, measure_foreign, "not a block of this pool");
    }
    hwr_pool_free(f->pool, own);
    hwr_pool_free(other, foreign[3]);
    hwr_pool_close(other);
    free(from_malloc);
}

/* Inside the pool's memory, but never a block. */
static void free_never_allocated(void *argument) {
    report *r = argument;
    unsigned char *block = allocate_here(r, 200);
    CHECK(hwr_pool_owns(r->fixture->pool, block + 20000));
    r->block = block + 20000;
    hwr_pool_free(r->fixture->pool, r->block);
}

static void a_block_never_allocated_is_found(void **state) {
    expect_death_without_block(*state, free_never_allocated, "block");
}

/* Overflow and underflow, found when the block is freed, resized, measured, verified, and at the end */

static void damage(report *r, ptrdiff_t offset) {
    unsigned char *block = allocate_here(r, r->size);
    unsigned char *volatile there = block + offset;
    *there = (unsigned char)(*there + 1);
}

static void overflow_and_free(void *argument) {
    report *r = argument;
    damage(r, (ptrdiff_t)r->size);
    hwr_pool_free(r->fixture->pool, r->block);
}

static void overflow_by_eight_and_free(void *argument) {
    report *r = argument;
    damage(r, (ptrdiff_t)r->size + 7);
    hwr_pool_free(r->fixture->pool, r->block);
}

static void overflow_and_realloc(void *argument) {
    report *r = argument;
    damage(r, (ptrdiff_t)r->size);
    CHECK(hwr_pool_realloc(r->fixture->pool, r->block, 10) == NULL);
}

static void overflow_and_measure(void *argument) {
    report *r = argument;
    damage(r, (ptrdiff_t)r->size);
    CHECK(hwr_pool_usable_size(r->fixture->pool, r->block) == 0);
}

static void overflow_and_close(void *argument) {
    report *r = argument;
    damage(r, (ptrdiff_t)r->size);
    hwr_pool_close(r->fixture->pool);
}

static void underflow_and_free(void *argument) {
    report *r = argument;
    damage(r, -1);
    hwr_pool_free(r->fixture->pool, r->block);
}

static void underflow_and_close(void *argument) {
    report *r = argument;
    damage(r, -1);
    hwr_pool_close(r->fixture->pool);
}

static void a_write_past_the_end_is_found(void **state) {
    const size_t written[] = {0, 1, 7, 8, 15, 16, 17, 40, 1000, 1024, 5000, 60000, 65536, 100000, 3 << 20};
    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++) {
        shared_report->size = written[i];
        expect_death(*state, overflow_and_free, "past the end");
        expect_death(*state, overflow_by_eight_and_free, "past the end");
        expect_death(*state, overflow_and_realloc, "past the end");
        expect_death(*state, overflow_and_measure, "past the end");
        expect_death(*state, overflow_and_close, "past the end");
    }
}

static void a_write_before_the_start_is_found(void **state) {
    for (size_t i = 0; i < SIZES; i++) {
        shared_report->size = sizes[i];
        expect_death(*state, underflow_and_free, "before the start");
        expect_death(*state, underflow_and_close, "before the start");
    }
}

static void overflow_of_aligned(void *argument) {
    report *r = argument;
    unsigned char *block = hwr_pool_alloc_aligned(r->fixture->pool, r->size, 4096);
    CHECK(block != NULL && (uintptr_t)block % 4096 == 0);
    r->block = block;
    block[r->size] = 1;
    hwr_pool_free(r->fixture->pool, block);
}

static void overflow_of_zeroed(void *argument) {
    report *r = argument;
    unsigned char *block = hwr_pool_alloc_zeroed(r->fixture->pool, 1, r->size);
    CHECK(block != NULL);
    r->block = block;
    block[r->size] = 1;
    hwr_pool_free(r->fixture->pool, block);
}

static void overflow_of_resized(void *argument) {
    report *r = argument;
    unsigned char *block = hwr_pool_realloc(r->fixture->pool, allocate_here(r, 10), r->size = 100);
    CHECK(block != NULL);
    r->block = block;
    block[100] = 1;
    hwr_pool_free(r->fixture->pool, block);
}

static void every_kind_of_block_is_guarded(void **state) {
    for (size_t i = 0; i < SIZES; i++) {
        shared_report->size = sizes[i];
        expect_death_without_block(*state, overflow_of_aligned, "past the end");
        expect_death_without_block(*state, overflow_of_zeroed, "past the end");
    }
    expect_death_without_block(*state, overflow_of_resized, "past the end");
}

/* Damage is found by verify too, which reports instead of dying. */
static void verify_reports_damage(void *argument) {
    report *r = argument;
    const char *problem = NULL;
    CHECK(hwr_pool_verify(r->fixture->pool, &problem));
    unsigned char *block = allocate_here(r, 100);
    CHECK(hwr_pool_verify(r->fixture->pool, NULL));
    block[100]++;
    CHECK(!hwr_pool_verify(r->fixture->pool, &problem));
    CHECK(problem != NULL && problem[0] != '\0');
    CHECK(!hwr_pool_verify(r->fixture->pool, NULL));
    block[100]--;
    CHECK(hwr_pool_verify(r->fixture->pool, NULL));
    block[-1]++;
    problem = NULL;
    CHECK(!hwr_pool_verify(r->fixture->pool, &problem));
    CHECK(problem != NULL && problem[0] != '\0');
    block[-1]--;
    hwr_pool_free(r->fixture->pool, block);
    CHECK(hwr_pool_verify(r->fixture->pool, NULL));
    block[50]++;
    problem = NULL;
    CHECK(!hwr_pool_verify(r->fixture->pool, &problem));
    CHECK(problem != NULL && problem[0] != '\0');
    block[50]--;
    CHECK(hwr_pool_verify(r->fixture->pool, NULL));
}

static void verify_finds_damage(void **state) {
    death result;
    shared_report->fixture = *state;
    death_run(&result, verify_reports_damage, shared_report);
    if (!death_avoided(&result)) fail_msg("status 0x%x: %s", (unsigned)result.status, result.message);
}

/* Write after free */

static void write_after_free(report *r) {
    size_t size = r->size;
    unsigned char *volatile block = allocate_here(r, size);
    hwr_pool_free(r->fixture->pool, block);
    block[size / 2] = 0x44;
}

static void write_after_free_and_close(void *argument) {
    report *r = argument;
    write_after_free(r);
    hwr_pool_close(r->fixture->pool);
}

static void write_after_free_and_go_on(void *argument) {
    report *r = argument;
    write_after_free(r);
    for (int i = 0; i < 5000; i++) /* until the block's memory would be used again */
        hwr_pool_free(r->fixture->pool, hwr_pool_alloc(r->fixture->pool, r->size));
}

static void a_write_after_free_is_found(void **state) {
    for (size_t i = 1; i < SIZES; i++) {
        shared_report->size = sizes[i];
        expect_death(*state, write_after_free_and_close, "write after free");
        expect_death(*state, write_after_free_and_go_on, "write after free");
    }
}

/* Use of a freed block in a call */

static void realloc_after_free(void *argument) {
    report *r = argument;
    unsigned char *block = allocate_here(r, 30);
    hwr_pool_free(r->fixture->pool, block);
    CHECK(hwr_pool_realloc(r->fixture->pool, block, 60) == NULL);
}

static void measure_after_free(void *argument) {
    report *r = argument;
    unsigned char *block = allocate_here(r, 30);
    hwr_pool_free(r->fixture->pool, block);
    CHECK(hwr_pool_usable_size(r->fixture->pool, block) == 0);
}

static void free_after_realloc(void *argument) {
    report *r = argument;
    unsigned char *block = allocate_here(r, 30);
    unsigned char *moved = hwr_pool_realloc(r->fixture->pool, block, 5000);
    CHECK(moved != NULL && moved != block);
    hwr_pool_free(r->fixture->pool, block);
}

static void use_of_a_freed_block_is_found(void **state) {
    expect_death(*state, realloc_after_free, "use after free");
    expect_death(*state, measure_after_free, "use after free");
    expect_death(*state, free_after_realloc, "double free");
}

/* Content of checked blocks: what was never written and what was freed looks conspicuous. */
static void new_and_freed_bytes_are_conspicuous(void **state) {
    fixture *f = *state;
    unsigned char *block = hwr_pool_alloc(f->pool, 100);
    assert_non_null(block);
    for (size_t i = 1; i < 100; i++) assert_int_equal(block[i], block[0]);
    assert_int_not_equal(block[0], 0);
    unsigned char fresh = block[0];
    memset(block, 0, 100);
    hwr_pool_free(f->pool, block);
    for (size_t i = 1; i < 100; i++) assert_int_equal(block[i], block[0]);
    assert_int_not_equal(block[0], 0);
    assert_int_not_equal(block[0], fresh);
}

/* A program without misuse runs through, whatever its blocks contain: even the guards' own bytes. */
static void honest_programs_are_left_alone(void **state) {
    fixture *f = *state;
    enum { BLOCKS = 400 };
    static unsigned char *blocks[BLOCKS];
    static size_t held[BLOCKS];
    memset(blocks, 0, sizeof blocks);
    unsigned char pieces[4096];
    unsigned char *model = hwr_pool_alloc(f->pool, 64);
    memcpy(pieces, model, 64);
    for (size_t i = 64; i < sizeof pieces; i++)
        pieces[i] = model[(ptrdiff_t)(i % 80) - 32 < 64 ? (ptrdiff_t)(i % 80) - 32 : 0]; /* header and all */
    for (int round = 0; round < 40; round++)
        for (size_t i = 0; i < BLOCKS; i++) {
            hwr_pool_free(f->pool, blocks[i]);
            held[i] = (i * 37 + (size_t)round * 101) % 3000;
            size_t alignment = (size_t)1 << (i + (size_t)round) % 9;
            blocks[i] =
                i % 3 == 0 ? hwr_pool_alloc_aligned(f->pool, held[i], alignment) : hwr_pool_alloc(f->pool, held[i]);
            assert_non_null(blocks[i]);
            memcpy(blocks[i], pieces + i % 80, held[i]);
        }
    for (size_t i = 0; i < BLOCKS; i++) {
        assert_memory_equal(blocks[i], pieces + i % 80, held[i]);
        hwr_pool_free(f->pool, blocks[i]);
    }
    hwr_pool_free(f->pool, model);
    fixture_expect_holding(f, 0, 0);
}

int main(void) {
    static const fixture_test tests[] = {
        FIXTURE_TEST(a_double_free_is_found, FIXTURE_CHECKED),
        FIXTURE_TEST(a_double_free_of_two_threads_is_found, FIXTURE_CHECKED | FIXTURE_SHARED),
        FIXTURE_TEST(a_double_free_of_a_large_block_is_found, FIXTURE_CHECKED),
        FIXTURE_TEST(a_pointer_into_a_block_is_found, FIXTURE_CHECKED),
        FIXTURE_TEST(foreign_pointers_are_found, FIXTURE_ALL),
        FIXTURE_TEST(a_block_never_allocated_is_found, FIXTURE_CHECKED),
        FIXTURE_TEST(a_write_past_the_end_is_found, FIXTURE_CHECKED),
        FIXTURE_TEST(a_write_before_the_start_is_found, FIXTURE_CHECKED),
        FIXTURE_TEST(every_kind_of_block_is_guarded, FIXTURE_CHECKED),
        FIXTURE_TEST(verify_finds_damage, FIXTURE_CHECKED),
        FIXTURE_TEST(a_write_after_free_is_found, FIXTURE_CHECKED),
        FIXTURE_TEST(use_of_a_freed_block_is_found, FIXTURE_CHECKED),
        FIXTURE_TEST(new_and_freed_bytes_are_conspicuous, FIXTURE_CHECKED),
        FIXTURE_TEST(honest_programs_are_left_alone, FIXTURE_CHECKED),
    };
    shared_report = death_share(sizeof *shared_report);
    return fixture_run("misuse of pools", tests, sizeof tests / sizeof tests[0]);
}
