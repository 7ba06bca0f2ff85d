/* Looking at a tracing heap: walking, verification, figures, what the interface of the counting collector means there. */
#define _GNU_SOURCE /* mkstemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heapwright/collect.h"
#include "heapwright/events.h"
#include "heapwright/tracing.h"
#include "heapwright/weak.h"

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

/* These tests count collections. */
#define SKIP_UNDER_STRESS()                                                                                            \
    do {                                                                                                               \
        if (getenv("HEAPWRIGHT_STRESS")) skip();                                                                       \
    } while (0)

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
    SKIP_UNDER_STRESS();
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
    SKIP_UNDER_STRESS();
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
    SKIP_UNDER_STRESS();
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

/* ---- what is told of collections ---- */

typedef struct diary {
    hwr_heap *heap;
    size_t starts, ends;
    int generation;
    bool collects;
} diary;

static void write_diary(hwr_heap *heap, const hwr_collection_info *info, void *context) {
    diary *d = context;
    *(info->starts ? &d->starts : &d->ends) += 1;
    d->generation = info->generation;
    assert_non_null(hwr_new(heap, &knot_type));
    if (d->collects) hwr_collect(heap, 0);
}

static void test_callbacks(void **state) {
    (void)state;
    SKIP_UNDER_STRESS();
    hwr_heap *heap = open_exact();
    diary d = {0};
    assert_true(hwr_add_callback(heap, write_diary, &d));
    hwr_collect(heap, 1);
    assert_int_equal(d.starts, 1);
    assert_int_equal(d.ends, 1);
    assert_int_equal(d.generation, 1);
    d.collects = true;
    hwr_collect(heap, HWR_OLDEST);
    assert_int_equal(d.starts, 2);
    assert_int_equal(d.ends, 2);
    assert_int_equal(hwr_collection_count(heap, 0), 4);
    assert_true(hwr_remove_callback(heap, write_diary, &d));
    hwr_collect(heap, 0);
    assert_int_equal(d.ends, 2);
    hwr_heap_close(heap);
}

static void note_event(hwr_heap *heap, const hwr_event *event, void *context) {
    (void)heap;
    unsigned *seen = context;
    seen[event->kind]++;
}

static void test_events(void **state) {
    (void)state;
    hwr_heap *heap = open_exact();
    unsigned seen[HWR_EVENT_KINDS] = {0};
    assert_true(hwr_listen(heap, UINT64_MAX, note_event, seen));
    knot *kept = NULL;
    assert_true(hwr_root_add(heap, &kept));
    make_list(heap, &kept, 20000);
    hwr_collect(heap, HWR_OLDEST);
    assert_true(seen[HWR_EVENT_COLLECTION_BEGIN] > 1);
    assert_int_equal(seen[HWR_EVENT_COLLECTION_BEGIN], seen[HWR_EVENT_COLLECTION_END]);
    assert_int_equal(seen[HWR_EVENT_FIND_BEGIN], seen[HWR_EVENT_FIND_END]);
    assert_true(seen[HWR_EVENT_FREE_BEGIN] > 0 && seen[HWR_EVENT_HEAP_GROWTH] > 0);
    hwr_counters counters;
    hwr_get_counters(heap, &counters);
    assert_int_equal(counters.collections, seen[HWR_EVENT_COLLECTION_END]);
    assert_true(counters.pause_ns >= counters.longest_pause_ns && counters.longest_pause_ns > 0);
    assert_true(hwr_unlisten(heap, note_event, seen));
    hwr_heap_close(heap);
}

/* ---- the phases of weak references and finalizers ---- */

typedef struct phase_diary {
    hwr_event events[200];
    size_t count;
} phase_diary;

static void write_phase(hwr_heap *heap, const hwr_event *event, void *context) {
    (void)heap;
    phase_diary *d = context;
    assert_in_range(d->count, 0, 199);
    d->events[d->count++] = *event;
}

static void forget_knot(hwr_heap *heap, void *object) {
    (void)heap;
    ((knot *)object)->number++;
}
static const hwr_type mortal_knot = HWR_TYPE(knot, HWR_REFS(knot, left, right), .finalize = forget_knot);

static void weak_knot_died(hwr_heap *heap, hwr_weak *weak, void *argument) {
    assert_null(hwr_weak_get(heap, weak));
    ++((knot *)argument)->number;
}

/* Checks that there are so many pairs, each begun and ended, for that generation, and returns what their ends say together. */
static uint64_t expect_phase(const phase_diary *d, hwr_event_kind begin, size_t pairs, uint64_t generation) {
    uint64_t sum = 0;
    size_t found = 0;
    for (size_t i = 0; i < d->count; i++) {
        if (d->events[i].kind != begin) continue;
        size_t end = i + 1;
        while (end < d->count && d->events[end].kind != begin + 1) end++;
        assert_true(end < d->count);
        assert_int_equal(d->events[i].value, generation);
        assert_int_equal(d->events[end].value, generation);
        sum += d->events[end].other;
        found++;
    }
    assert_int_equal(found, pairs);
    return sum;
}

static hwr_heap *open_manual(void) {
    hwr_heap *heap = hwr_heap_open(&(hwr_options){
        .size = sizeof(hwr_options), .collector = HWR_TRACING, .roots = HWR_ROOTS_EXACT, .manual_finalizers = true});
    assert_non_null(heap);
    return heap;
}

static void test_phase_events(void **state) {
    (void)state;
    SKIP_UNDER_STRESS();
    hwr_heap *heap = open_manual();
    static phase_diary d;
    struct {
        hwr_frame frame;
        knot *target, *argument;
        hwr_weak *weaks[3];
    } here = {0};
    assert_true(hwr_listen(heap, UINT64_MAX, write_phase, &d));
    d.count = 0;
    hwr_collect(heap, HWR_OLDEST); /* in an empty heap there is nothing to do */
    expect_phase(&d, HWR_EVENT_WEAK_BEGIN, 0, 0);
    expect_phase(&d, HWR_EVENT_FINALIZE_BEGIN, 0, 0);
    hwr_frame_push(heap, &here.frame, 5);
    here.argument = hwr_new(heap, &knot_type);
    for (int old = 0; old < 2; old++) {
        here.target = hwr_new(heap, &knot_type);
        for (size_t i = 0; i < 3; i++) {
            here.weaks[i] = hwr_weak_new(heap, here.target, i ? weak_knot_died : NULL, here.argument);
            assert_non_null(here.weaks[i]);
            assert_non_null(hwr_new(heap, &mortal_knot));
        }
        uint64_t generation = old ? HWR_OLDEST : 0;
        here.target = NULL;
        d.count = 0;
        hwr_collect(heap, (int)generation);
        assert_int_equal(expect_phase(&d, HWR_EVENT_WEAK_BEGIN, 1, generation), 2);
        assert_int_equal(expect_phase(&d, HWR_EVENT_FINALIZE_BEGIN, 1 + (size_t)old, generation), 3);
        assert_int_equal(here.argument->number, 2 * (old + 1));
        assert_int_equal(d.events[0].kind, HWR_EVENT_COLLECTION_BEGIN);
        assert_int_equal(hwr_run_finalizers(heap, 0), 3);
    }
    hwr_frame_pop(heap, &here.frame);
    assert_true(hwr_unlisten(heap, write_phase, &d));
    verify(heap);
    hwr_heap_close(heap);
}

static void test_trace_file(void **state) {
    (void)state;
    char path[] = "/tmp/heapwright-look-XXXXXX", text[1 << 16];
    int file = mkstemp(path);
    assert_true(file >= 0);
    hwr_heap *heap = open_exact();
    assert_true(hwr_trace_begin(heap, path));
    hwr_collect(heap, HWR_OLDEST);
    assert_true(hwr_trace_end(heap));
    hwr_heap_close(heap);
    ssize_t length = read(file, text, sizeof text - 1);
    assert_true(length > 0);
    text[length] = '\0';
    assert_non_null(strstr(text, "{\"name\": \"collection\", \"cat\": \"heapwright\", \"ph\": \"B\""));
    assert_non_null(strstr(text, "{\"name\": \"collection\", \"cat\": \"heapwright\", \"ph\": \"E\""));
    assert_string_equal(text + length - 3, "\n]\n");
    close(file);
    unlink(path);
}

static void test_memory_info(void **state) {
    (void)state;
    SKIP_UNDER_STRESS();
    hwr_heap *heap = open_exact();
    hwr_memory_info any, young, full;
    hwr_get_memory_info(heap, HWR_INFO_ANY, &any);
    assert_int_equal(any.index, 0);
    assert_true(any.total_available > any.memory_load && any.memory_load > 0);
    knot *kept = NULL;
    row *table = NULL;
    assert_true(hwr_root_add(heap, &kept));
    assert_true(hwr_root_add(heap, &table));
    table = hwr_new_items(heap, &row_type, 5000);
    make_list(heap, &kept, 1000);
    hwr_collect(heap, 0);
    hwr_get_memory_info(heap, HWR_INFO_YOUNG, &young);
    assert_int_equal(young.generation, 0);
    assert_true(young.generations[0].size_before >= 1000 * sizeof(knot));
    assert_int_equal(young.generations[0].size_after, 0);
    assert_true(young.generations[1].size_after >= 1000 * sizeof(knot));
    assert_true(young.promoted >= 1000 * sizeof(knot) && young.promoted < 1100 * (sizeof(knot) + 8));
    assert_true(young.generations[3].size_after >= 5000 * sizeof(void *));
    hwr_collect(heap, HWR_OLDEST);
    hwr_get_memory_info(heap, HWR_INFO_FULL, &full);
    hwr_get_memory_info(heap, HWR_INFO_ANY, &any);
    assert_memory_equal(&any, &full, offsetof(hwr_memory_info, memory_load));
    assert_true(full.index > young.index && full.pause > 0 && full.compacted);
    assert_true(full.pause_percentage > 0 && full.pause_percentage < 100);
    assert_true(full.generations[2].size_after >= 1000 * sizeof(knot));
    assert_true(full.generations[2].fragmentation_after < full.generations[2].size_after);
    assert_int_equal(full.heap_size, full.generations[0].size_after + full.generations[1].size_after +
                                         full.generations[2].size_after + full.generations[3].size_after);
    assert_true(full.committed >= full.heap_size);
    hwr_heap_close(heap);
}

static void test_allocated_bytes(void **state) {
    (void)state;
    hwr_heap *heap = open_exact();
    uint64_t before = hwr_allocated_bytes_here(heap);
    for (int i = 0; i < 10000; i++) assert_non_null(hwr_new(heap, &knot_type));
    assert_int_equal(hwr_allocated_bytes_here(heap) - before, 10000 * (sizeof(knot) + 8));
    assert_int_equal(hwr_allocated_bytes(heap, true), hwr_allocated_bytes_here(heap));
    assert_true(hwr_allocated_bytes(heap, false) <= hwr_allocated_bytes(heap, true));
    assert_non_null(hwr_new_items(heap, &row_type, 2000));
    assert_int_equal(hwr_allocated_bytes_here(heap) - before, 10000 * (sizeof(knot) + 8) + 2000 * 8 + 16);
    hwr_heap_close(heap);
}

static void test_pressure(void **state) {
    (void)state;
    SKIP_UNDER_STRESS();
    hwr_heap *heap = open_exact();
    for (int i = 0; i < 100; i++) hwr_add_memory_pressure(heap, 1 << 20);
    uint64_t full = hwr_collection_count(heap, HWR_OLDEST);
    assert_true(full >= 3 && full <= 30); /* not at each: as much again as there is */
    hwr_remove_memory_pressure(heap, 1000 << 20);
    hwr_collect(heap, HWR_OLDEST);
    full = hwr_collection_count(heap, HWR_OLDEST);
    hwr_add_memory_pressure(heap, 1 << 20);
    assert_int_equal(hwr_collection_count(heap, HWR_OLDEST), full);
    hwr_heap_close(heap);
}

/* Off, collections come when memory is short, and not before. */
static void test_disabled(void **state) {
    (void)state;
    SKIP_UNDER_STRESS();
    hwr_heap *heap = hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options),
                                                  .collector = HWR_TRACING,
                                                  .roots = HWR_ROOTS_EXACT,
                                                  .limit = 16 << 20,
                                                  .nursery = 64 << 10});
    assert_non_null(heap);
    hwr_disable(heap);
    assert_false(hwr_is_enabled(heap));
    for (int i = 0; i < 100000; i++) assert_non_null(hwr_new(heap, &knot_type));
    assert_int_equal(hwr_collection_count(heap, 0), 0);
    for (int i = 0; i < 1000000; i++) assert_non_null(hwr_new(heap, &knot_type));
    assert_true(hwr_collection_count(heap, 0) > 0);
    verify(heap);
    hwr_enable(heap);
    uint64_t before = hwr_collection_count(heap, 0);
    for (int i = 0; i < 100000; i++) assert_non_null(hwr_new(heap, &knot_type));
    assert_true(hwr_collection_count(heap, 0) > before + 10);
    hwr_heap_close(heap);
}

static void test_optimized(void **state) {
    (void)state;
    SKIP_UNDER_STRESS();
    hwr_heap *heap = open_exact();
    assert_false(hwr_collect_with(heap, 0, HWR_COLLECT_OPTIMIZED));
    for (int i = 0; i < 800; i++) assert_non_null(hwr_new(heap, &knot_type));
    assert_true(hwr_collect_with(heap, 0, HWR_COLLECT_OPTIMIZED));
    assert_true(hwr_collect_with(heap, 0, HWR_COLLECT_FORCED));
    hwr_heap_close(heap);
}

static void test_blocks(void **state) {
    (void)state;
    hwr_heap *heap = open_exact();
    char *block = hwr_alloc(heap, 100);
    assert_non_null(block);
    memset(block, 7, 100);
    block = hwr_realloc(heap, block, 100000);
    assert_non_null(block);
    assert_int_equal(block[99], 7);
    hwr_heap_stats stats;
    hwr_heap_get_stats(heap, &stats);
    assert_true(stats.block_bytes >= 100000);
    hwr_free(heap, block);
    verify(heap);
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
        cmocka_unit_test(test_callbacks),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_phase_events),
        cmocka_unit_test(test_trace_file),
        cmocka_unit_test(test_memory_info),
        cmocka_unit_test(test_allocated_bytes),
        cmocka_unit_test(test_pressure),
        cmocka_unit_test(test_disabled),
        cmocka_unit_test(test_optimized),
        cmocka_unit_test(test_blocks),
    };
    return cmocka_run_group_tests_name("tracing heaps, looked at", tests, NULL, NULL);
}
