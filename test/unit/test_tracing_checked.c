/* Checked tracing heaps: each misuse ends a child by SIGABRT with one message that says what, and which call found it. And stress: collections at every allocation. */
#include "support/check.h"
#include "support/death.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "heapwright/tracing.h"

typedef struct knot {
    struct knot *left, *right;
    size_t number;
} knot;
static const hwr_type knot_type = HWR_TYPE(knot, HWR_REFS(knot, left, right));

typedef struct row {
    size_t length;
    knot *items[];
} row;
static const hwr_type row_type = HWR_TYPE(row, HWR_REF_ITEMS(row, length, items));

static hwr_heap *open_heap(size_t stress, bool checked) {
    hwr_heap *heap = hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options),
                                                  .collector = HWR_TRACING,
                                                  .roots = HWR_ROOTS_EXACT,
                                                  .checked = checked,
                                                  .stress = stress,
                                                  .move_always = stress != 0,
                                                  .nursery = 64 << 10});
    CHECK(heap != NULL);
    return heap;
}

static void expect_death(void (*body)(void *), const char *what, const char *call) {
    static death result;
    hwr_heap *heap = open_heap(0, true);
    death_run(&result, body, heap);
    if (!death_by_abort(&result)) fail_msg("%s: not aborted, but: %s", what, result.message);
    char found_by[80];
    snprintf(found_by, sizeof found_by, "found by %s", call);
    if (strncmp(result.message, "heapwright: ", 12) != 0 || !strstr(result.message, what) ||
        !strstr(result.message, found_by))
        fail_msg("%s, %s: %s", what, call, result.message);
    hwr_heap_close(heap);
}

/* Where an object was that is dead, or has moved. */
static knot *stale(hwr_heap *heap, int generation) {
    knot *k = hwr_new(heap, &knot_type);
    hwr_collect(heap, generation);
    return k;
}

static const char gone[] = "where one was that has died or moved";

static void store_into_stale(void *heap) {
    knot *k = stale(heap, 0);
    hwr_set(heap, k, &k->left, NULL);
}

static void store_stale(void *heap) {
    knot *k = stale(heap, 1), *other = hwr_new(heap, &knot_type);
    hwr_set(heap, other, &other->left, k);
}

static void init_stale(void *heap) {
    knot *k = stale(heap, HWR_OLDEST), *other = hwr_new(heap, &knot_type);
    hwr_init(heap, other, &other->left, k);
}

static void give_stale(void *heap) {
    knot *k = stale(heap, HWR_OLDEST), *other = hwr_new(heap, &knot_type);
    hwr_give(heap, other, &other->left, k);
}

static void retain_stale(void *heap) { hwr_retain(heap, stale(heap, HWR_OLDEST)); }

static void release_stale(void *heap) { hwr_release(heap, stale(heap, HWR_OLDEST)); }

/* Old, and freed by a full collection. */
static void store_into_dead_old(void *heap) {
    knot *k = NULL;
    CHECK(hwr_root_add(heap, &k));
    k = hwr_new(heap, &knot_type);
    hwr_collect(heap, HWR_OLDEST);
    CHECK(hwr_generation_of(heap, k) == 2);
    knot *dead = k;
    k = NULL;
    hwr_collect(heap, HWR_OLDEST);
    hwr_set(heap, dead, &dead->left, NULL);
}

static void measure_dead_large(void *heap) {
    row *r = hwr_new_items(heap, &row_type, 5000);
    hwr_collect(heap, HWR_OLDEST);
    hwr_sizeof(heap, r, false);
}

static void store_foreign(void *heap) {
    static struct {
        uint64_t header;
        knot knot;
    } foreign;
    foreign.header = (uint64_t)(uintptr_t)&knot_type;
    knot *k = hwr_new(heap, &knot_type);
    hwr_set(heap, k, &k->left, &foreign.knot);
}

static void store_middle(void *heap) {
    knot *k = hwr_new(heap, &knot_type);
    hwr_set(heap, k, &k->left, (knot *)(void *)&k->right);
}

static void store_outside(void *heap) {
    knot *k = hwr_new(heap, &knot_type), *other = hwr_new(heap, &knot_type);
    hwr_set(heap, k, &other->left, other);
}

static void init_again(void *heap) {
    knot *k = hwr_new(heap, &knot_type);
    hwr_init(heap, k, &k->left, k);
    hwr_init(heap, k, &k->left, k);
}

static void pop_out_of_order(void *heap) {
    struct {
        hwr_frame frame;
        knot *k;
    } first = {0}, second = {0};
    hwr_frame_push(heap, &first.frame, 1);
    hwr_frame_push(heap, &second.frame, 1);
    hwr_frame_pop(heap, &first.frame);
}

static void *use_unattached(void *heap) {
    hwr_new(heap, &knot_type);
    return NULL;
}

static void allocate_unattached(void *heap) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, use_unattached, heap) == 0);
    pthread_join(thread, NULL);
}

static void allocate_away(void *heap) {
    hwr_leave(heap);
    hwr_new(heap, &knot_type);
}

static void write_into_dead(void *heap) {
    knot *k = NULL;
    for (int i = 0; i < 1000; i++) k = hwr_new(heap, &knot_type);
    hwr_collect(heap, HWR_OLDEST);
    k->number = 1;
    hwr_collect(heap, HWR_OLDEST);
}

static void test_misuse(void **state) {
    (void)state;
    expect_death(store_into_stale, gone, "hwr_set");
    expect_death(store_stale, gone, "hwr_set");
    expect_death(init_stale, gone, "hwr_init");
    expect_death(give_stale, gone, "hwr_give");
    expect_death(retain_stale, gone, "hwr_retain");
    expect_death(release_stale, gone, "hwr_release");
    expect_death(store_into_dead_old, gone, "hwr_set");
    expect_death(measure_dead_large, gone, "hwr_sizeof");
    expect_death(store_foreign, "not a living object of this heap", "hwr_set");
    expect_death(store_middle, "not a living object of this heap", "hwr_set");
    expect_death(store_outside, "a store outside the object that it names", "hwr_set");
    expect_death(init_again, "a field that is not empty", "hwr_init");
    expect_death(pop_out_of_order, "a frame that is not the thread's last", "hwr_frame_pop");
    expect_death(allocate_unattached, "not attached to it", "hwr_new");
    expect_death(allocate_away, "has left it", "hwr_new");
    expect_death(write_into_dead, "write into an object that has died", "the next collection");
}

/* ---- what is no misuse ---- */

typedef struct here {
    hwr_frame frame;
    knot *first, *last;
} here;

static void use_well(hwr_heap *heap, size_t count) {
    here at = {0};
    hwr_frame_push(heap, &at.frame, 2);
    for (size_t i = 0; i < count; i++) {
        knot *k = hwr_new(heap, &knot_type);
        CHECK(k != NULL);
        k->number = i;
        if (at.last)
            hwr_set(heap, at.last, &at.last->left, k);
        else
            at.first = k;
        at.last = k;
    }
    size_t i = 0;
    for (const knot *k = at.first; k; k = k->left) CHECK(k->number == i++);
    CHECK(i == count);
    const char *problem = NULL;
    if (!hwr_heap_verify(heap, &problem)) {
        fprintf(stderr, "%s\n", problem);
        CHECK(false);
    }
    hwr_frame_pop(heap, &at.frame);
}

static void *use_well_in_thread(void *heap) {
    CHECK(hwr_thread_attach(heap));
    use_well(heap, 1000);
    hwr_thread_detach(heap);
    return NULL;
}

static void test_no_misuse(void **state) {
    (void)state;
    for (size_t stress = 0; stress < 3; stress++) {
        hwr_heap *heap = open_heap(stress, stress < 2);
        pthread_t threads[2];
        for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&threads[i], NULL, use_well_in_thread, heap), 0);
        use_well(heap, 1500);
        hwr_leave(heap);
        for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
        hwr_return(heap);
        hwr_heap_close(heap);
    }
}

/* The type is known to the compiler: what is inline must not escape. */
static void test_stress_counts_every_allocation(void **state) {
    (void)state;
    hwr_heap *heap = open_heap(3, false);
    uint64_t before = hwr_collection_count(heap, HWR_OLDEST);
    for (int i = 0; i < 300; i++) assert_non_null(hwr_new(heap, &knot_type));
    assert_int_equal(hwr_collection_count(heap, HWR_OLDEST) - before, 100);
    hwr_heap_close(heap);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_misuse),
        cmocka_unit_test(test_no_misuse),
        cmocka_unit_test(test_stress_counts_every_allocation),
    };
    return cmocka_run_group_tests_name("checked tracing heaps", tests, NULL, NULL);
}
