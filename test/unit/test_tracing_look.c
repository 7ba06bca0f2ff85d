/* Looking at a tracing heap: walking, verification, figures, what the interface of the counting collector means there. */
#include "support/check.h"
#include "support/sanitizer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "heapwright/collect.h"
#include "heapwright/events.h"
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

/* Exact roots: what is alive is then known to the object. */
static hwr_heap *open_exact(void) {
    hwr_heap *heap = hwr_heap_open(&(hwr_options){
        .size = sizeof(hwr_options), .collector = HWR_TRACING, .roots = HWR_ROOTS_EXACT, .nursery = 64 << 10});
    assert_non_null(heap);
    return heap;
}

static void verify(hwr_heap *heap) {
    const char *problem = NULL;
    if (!hwr_heap_verify(heap, &problem)) fail_msg("%s", problem);
}

/* A list of so many knots, of which only the first is in a root. */
static void make_list(hwr_heap *heap, knot **head, size_t count) {
    *head = NULL;
    for (size_t i = 0; i < count; i++) {
        knot *k = hwr_new(heap, &knot_type);
        assert_non_null(k);
        k->number = i;
        hwr_init(heap, k, &k->left, *head);
        *head = k;
    }
}

static bool sum_numbers(void *context, void *object) {
    if (hwr_type_of(object) == &knot_type) *(size_t *)context += ((knot *)object)->number;
    return true;
}

static void test_walk_finds_what_is_alive(void **state) {
    (void)state;
    hwr_heap *heap = open_exact();
    knot *kept = NULL, *lost = NULL;
    assert_true(hwr_root_add(heap, &kept));
    assert_true(hwr_root_add(heap, &lost));
    make_list(heap, &kept, 10000);
    make_list(heap, &lost, 5000);
    lost = NULL;
    size_t sum = 0;
    assert_true(hwr_heap_walk(heap, sum_numbers, &sum));
    assert_int_equal(sum, 10000u * 9999 / 2);
    hwr_heap_stats stats;
    hwr_heap_get_stats(heap, &stats);
    assert_int_equal(stats.objects, 10000);
    assert_int_equal(stats.tracked, 10000);
    assert_int_equal(stats.object_bytes, 10000 * (sizeof(knot) + 8));
    assert_true(stats.committed >= stats.page_bytes && stats.page_bytes >= stats.object_bytes);
    assert_true(stats.peak_committed >= stats.committed);
    verify(heap);
    hwr_heap_close(heap);
}

static bool stop_at_third(void *context, void *object) {
    (void)object;
    return ++*(size_t *)context < 3;
}

static void test_walk_stops(void **state) {
    (void)state;
    hwr_heap *heap = open_exact();
    knot *kept = NULL;
    assert_true(hwr_root_add(heap, &kept));
    make_list(heap, &kept, 100);
    size_t count = 0;
    assert_false(hwr_heap_walk(heap, stop_at_third, &count));
    assert_int_equal(count, 3);
    hwr_heap_close(heap);
}

static void test_verify_after_everything(void **state) {
    (void)state;
    hwr_heap *heap = open_exact();
    row *table = NULL;
    assert_true(hwr_root_add(heap, &table));
    table = hwr_new_items(heap, &row_type, 3000);
    assert_non_null(table);
    verify(heap);
    for (size_t i = 0; i < 60000; i++) {
        knot *k = hwr_new(heap, &knot_type);
        assert_non_null(k);
        k->number = i;
        knot *before = table->items[i * 7919 % table->length];
        hwr_init(heap, k, &k->left, before && before->number % 5 ? before : NULL);
        hwr_set(heap, table, &table->items[i * 7919 % table->length], k);
        if (before) hwr_set(heap, before, &before->right, k);
        if (i % 3001 == 0) verify(heap);
    }
    hwr_collect(heap, 1);
    verify(heap);
    hwr_collect(heap, HWR_OLDEST);
    verify(heap);
    assert_true(hwr_heap_trim(heap) > 0);
    verify(heap);
    hwr_heap_close(heap);
}

/* A store that the heap is not told of. */
static void test_verify_finds_a_hidden_store(void **state) {
    (void)state;
    hwr_heap *heap = open_exact();
    knot *old = NULL;
    assert_true(hwr_root_add(heap, &old));
    old = hwr_new(heap, &knot_type);
    hwr_collect(heap, HWR_OLDEST);
    assert_int_equal(hwr_generation_of(heap, old), 2);
    old->left = hwr_new(heap, &knot_type);
    const char *problem = NULL;
    assert_false(hwr_heap_verify(heap, &problem));
    assert_string_equal(problem, "an old object refers to a young one, and is not remembered");
    knot *young = old->left;
    hwr_set(heap, old, &old->left, young);
    verify(heap);
    old->right = (knot *)(void *)&young->right;
    assert_false(hwr_heap_verify(heap, &problem));
    hwr_heap_close(heap);
}

static void test_generations(void **state) {
    (void)state;
    hwr_heap *heap = open_exact();
    knot *k = NULL;
    assert_true(hwr_root_add(heap, &k));
    k = hwr_new(heap, &knot_type);
    assert_int_equal(hwr_generation_of(heap, k), 0);
    hwr_collect(heap, 0);
    assert_int_equal(hwr_generation_of(heap, k), 1);
    hwr_collect(heap, 1);
    assert_int_equal(hwr_generation_of(heap, k), 2);
    assert_int_equal(hwr_collection_count(heap, 0), 2);
    assert_int_equal(hwr_collection_count(heap, 1), 1);
    assert_int_equal(hwr_collection_count(heap, 2), 0);
    assert_false(hwr_collect_with(heap, 3, HWR_COLLECT_FORCED));
    assert_int_equal(hwr_collect(heap, -1), 0);
    hwr_generation_stats stats[HWR_GENERATIONS];
    hwr_get_stats(heap, stats);
    assert_int_equal(stats[0].collections, 1);
    assert_int_equal(stats[1].collections, 1);
    hwr_heap_close(heap);
}

static bool note_object(void *context, void *object) {
    void **found = context;
    *found = object;
    return true;
}

static bool count_one(void *context, void *object) {
    (void)object;
    ++*(size_t *)context;
    return true;
}

static void test_questions(void **state) {
    (void)state;
    hwr_heap *heap = open_exact();
    knot *a = NULL, *b = NULL, *found = NULL;
    assert_true(hwr_root_add(heap, &a));
    assert_true(hwr_root_add(heap, &b));
    a = hwr_new(heap, &knot_type);
    b = hwr_new(heap, &knot_type);
    hwr_set(heap, a, &a->right, b);
    assert_true(hwr_get_referrers(heap, b, note_object, &found));
    assert_ptr_equal(found, a);
    found = NULL;
    assert_true(hwr_get_referents(heap, a, note_object, &found));
    assert_ptr_equal(found, b);
    size_t count = 0;
    assert_true(hwr_get_objects(heap, HWR_ALL_GENERATIONS, count_one, &count));
    assert_int_equal(count, 2);
    assert_non_null(hwr_new(heap, &knot_type));
    count = 0;
    assert_true(hwr_get_objects(heap, 0, count_one, &count));
    assert_int_equal(count, 1);
    assert_int_equal(hwr_sizeof(heap, a, false), sizeof(knot));
    assert_int_equal(hwr_sizeof(heap, a, true), sizeof(knot) + 8);
    assert_int_equal(hwr_refcount(heap, a), 1);
    assert_true(hwr_is_tracked(heap, a));
    assert_false(hwr_is_finalized(heap, a));
    hwr_freeze(heap);
    assert_int_equal(hwr_freeze_count(heap), 0);
    assert_int_equal(hwr_garbage_count(heap), 0);
    hwr_heap_close(heap);
}

static void test_immortal(void **state) {
    (void)state;
    hwr_heap *heap = open_exact();
    knot *k = hwr_new(heap, &knot_type);
    k->number = 77;
    assert_true(hwr_make_immortal(heap, k));
    assert_true(hwr_make_immortal(heap, k));
    assert_true(hwr_refcount(heap, k) == HWR_IMMORTAL);
    hwr_collect(heap, HWR_OLDEST);
    hwr_collect(heap, HWR_OLDEST);
    size_t sum = 0;
    assert_true(hwr_heap_walk(heap, sum_numbers, &sum));
    assert_int_equal(sum, 77);
    verify(heap);
    hwr_heap_close(heap);
}

static void test_types_that_make_no_sense(void **state) {
    (void)state;
    hwr_heap *heap = open_exact();
    static const hwr_type outside = {.name = "outside", .size = 8, .ref_count = 1, .refs = {8}};
    assert_null(hwr_new(heap, &outside));
    assert_null(hwr_new_items(heap, &knot_type, 1));
    assert_null(hwr_new_items(heap, &row_type, SIZE_MAX / 8));
    hwr_heap_close(heap);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk_finds_what_is_alive),
        cmocka_unit_test(test_walk_stops),
        cmocka_unit_test(test_verify_after_everything),
        cmocka_unit_test(test_verify_finds_a_hidden_store),
        cmocka_unit_test(test_generations),
        cmocka_unit_test(test_questions),
        cmocka_unit_test(test_immortal),
        cmocka_unit_test(test_types_that_make_no_sense),
    };
    return cmocka_run_group_tests_name("tracing heaps, looked at", tests, NULL, NULL);
}
