/* Collections of a tracing heap: generations, modes, what moves, what is remembered, large objects, when a heap collects by itself, figures. */
#define _GNU_SOURCE
#include "heapwright/events.h"
#include "support/pattern.h"
#include "support/sanitizer.h"
#include "support/tracing_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- generations ---- */

static void survivors_move_up(void **state) {
    tracing_fixture *f = *state;
    f->slot[0] = new_twig(f, 1);
    f->slot[1] = new_row(f, 100000);
    assert_int_equal(hwr_generation_of(f->heap, f->slot[0]), 0);
    assert_int_equal(hwr_generation_of(f->heap, f->slot[1]), HWR_OLDEST); /* large objects are old from the beginning */
    int last = 0;
    for (int i = 0; i < 4; i++) {
        hwr_collect(f->heap, i < 2 ? i : HWR_OLDEST);
        int generation = hwr_generation_of(f->heap, f->slot[0]);
        assert_true(generation >= last && generation <= HWR_OLDEST);
        assert_int_equal(hwr_generation_of(f->heap, f->slot[1]), HWR_OLDEST);
        last = generation;
    }
    assert_int_equal(last, HWR_OLDEST);
}

static void counts_are_of_every_generation_collected(void **state) {
    tracing_fixture *f = *state;
    for (int generation = 0; generation <= HWR_OLDEST; generation++) {
        uint64_t before[HWR_GENERATIONS];
        for (int i = 0; i < HWR_GENERATIONS; i++) before[i] = hwr_collection_count(f->heap, i);
        assert_int_equal(hwr_collect(f->heap, generation), 0);
        for (int i = 0; i < HWR_GENERATIONS; i++)
            assert_int_equal(hwr_collection_count(f->heap, i) - before[i], i <= generation);
    }
    assert_false(hwr_collect_with(f->heap, HWR_OLDEST + 1, HWR_COLLECT_FORCED));
    assert_false(hwr_collect_with(f->heap, -1, HWR_COLLECT_FORCED));
    assert_int_equal(hwr_collection_count(f->heap, HWR_OLDEST + 1), 0);
    assert_int_equal(hwr_collection_count(f->heap, -1), 0);
}

/* A collection of young objects does not free old ones; one of all does. */
static void old_garbage_waits_for_its_generation(void **state) {
    tracing_fixture *f = *state;
    make_list(f, 0, 100);
    for (int i = 0; i < 3; i++) hwr_collect(f->heap, HWR_OLDEST);
    assert_int_equal(hwr_generation_of(f->heap, f->slot[0]), HWR_OLDEST);
    hwr_handle *handle = hwr_handle_new_kind(f->heap, f->slot[0], HWR_HANDLE_WEAK_SHORT);
    assert_non_null(handle);
    f->slot[0] = NULL;
    uint64_t full = hwr_collection_count(f->heap, HWR_OLDEST);
    hwr_collect(f->heap, 0);
    hwr_collect(f->heap, 1);
    if (hwr_collection_count(f->heap, HWR_OLDEST) == full) assert_non_null(hwr_handle_get(f->heap, handle));
    hwr_collect(f->heap, HWR_OLDEST);
    assert_null(hwr_handle_get(f->heap, handle));
    hwr_handle_free(f->heap, handle);
    tracing_fixture_expect_objects(f, 0);
}

static void young_garbage_goes_in_a_minor_collection(void **state) {
    tracing_fixture *f = *state;
    make_list(f, 0, 10);
    hwr_collect(f->heap, HWR_OLDEST);
    hwr_handle *handle = hwr_handle_new_kind(f->heap, new_twig(f, 1), HWR_HANDLE_WEAK_SHORT);
    assert_non_null(handle);
    hwr_collect(f->heap, 0);
    assert_null(hwr_handle_get(f->heap, handle));
    hwr_handle_free(f->heap, handle);
    assert_true(is_list(f->slot[0], 10));
}

/* ---- modes ---- */

static void every_mode_collects(void **state) {
    tracing_fixture *f = *state;
    static const hwr_collection_mode modes[] = {HWR_COLLECT_DEFAULT, HWR_COLLECT_FORCED, HWR_COLLECT_BLOCKING,
                                                HWR_COLLECT_COMPACTING, HWR_COLLECT_AGGRESSIVE};
    make_list(f, 0, 500);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        for (int generation = 0; generation <= HWR_OLDEST; generation++) {
            make_list(f, 1, 500);
            f->slot[1] = NULL;
            uint64_t before = hwr_collection_count(f->heap, generation);
            assert_true(hwr_collect_with(f->heap, generation, modes[i]));
            assert_int_equal(hwr_collection_count(f->heap, generation), before + 1);
            assert_true(is_list(f->slot[0], 500));
            if (generation == HWR_OLDEST && f->config.roots == HWR_ROOTS_EXACT)
                assert_int_equal(tracing_fixture_objects(f), 500);
        }
}

static void optimized_collects_when_it_is_worth_while(void **state) {
    tracing_fixture *f = *state;
    make_list(f, 0, 20000);
    hwr_collect(f->heap, HWR_OLDEST);
    uint64_t before = hwr_collection_count(f->heap, HWR_OLDEST);
    assert_false(hwr_collect_with(f->heap, HWR_OLDEST, HWR_COLLECT_OPTIMIZED));
    assert_int_equal(hwr_collection_count(f->heap, HWR_OLDEST), before);
    make_list(f, 1, 20000);
    hwr_collect_with(f->heap, HWR_OLDEST, HWR_COLLECT_OPTIMIZED);
    assert_true(hwr_collection_count(f->heap, HWR_OLDEST) > before);
}

/* What survives of the young is moved together, so that it takes little more room than it has bytes. */
static void compacting_moves_the_young_together(void **state) {
    tracing_fixture *f = *state;
    enum { COUNT = 5000, BLOCKS = 96 << 10 };
    for (size_t i = COUNT; i > 0; i--) {
        for (int k = 0; k < 3; k++) new_twig(f, 0);
        twig *t = new_twig(f, i - 1);
        hwr_init(f->heap, t, &t->a, (twig *)f->slot[0]);
        f->slot[0] = t;
    }
    hwr_heap_stats stats;
    hwr_memory_info info;
    assert_true(hwr_collect_with(f->heap, HWR_OLDEST, HWR_COLLECT_COMPACTING));
    hwr_heap_get_stats(f->heap, &stats);
    hwr_get_memory_info(f->heap, HWR_INFO_FULL, &info);
    assert_true(is_list(f->slot[0], COUNT));
    assert_true(info.compacted);
    assert_true(stats.page_bytes < stats.object_bytes + BLOCKS);
}

/* ---- moving ---- */

/* However much survives, so that allocating in the old space were better: what is new is young, and moves. */
static void moving_always_moves(void **state) {
    tracing_fixture *f = *state;
    if (!f->config.move_always) skip();
    size_t length = f->config.stress != 0 ? 300 : 100000;
    for (int generation = 0; generation <= HWR_OLDEST; generation++) {
        make_list(f, 0, length);
        assert_int_equal(hwr_generation_of(f->heap, f->slot[0]), 0);
        uintptr_t before = (uintptr_t)f->slot[0];
        hwr_collect(f->heap, generation);
        assert_int_not_equal((uintptr_t)f->slot[0], before);
        assert_true(is_list(f->slot[0], length));
    }
}

static void without_moving_nothing_moves(void **state) {
    tracing_fixture *f = *state;
    if (!f->config.unmoving) skip();
    enum { COUNT = 1000 };
    static uintptr_t addresses[COUNT];
    make_list(f, 0, COUNT);
    size_t i = 0;
    for (const twig *t = f->slot[0]; t != NULL; t = t->a) addresses[i++] = (uintptr_t)t;
    for (int round = 0; round < 6; round++) {
        make_list(f, 1, 1000);
        hwr_collect_with(f->heap, round % 3, HWR_COLLECT_COMPACTING);
        i = 0;
        for (const twig *t = f->slot[0]; t != NULL; t = t->a) assert_int_equal((uintptr_t)t, addresses[i++]);
    }
}

/* ---- what is remembered ---- */

/* Old objects are the only ones that lead to young ones, in every way of storing, again and again. */
static void old_objects_may_lead_to_young_ones(void **state) {
    tracing_fixture *f = *state;
    enum { COUNT = 300 };
    make_list(f, 0, COUNT);
    for (int i = 0; i < 3; i++) hwr_collect(f->heap, HWR_OLDEST);
    for (size_t round = 1; round < 8; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            twig *young = new_twig(f, round * COUNT + i), *t = f->slot[0];
            for (size_t k = 0; k < i; k++) t = t->a;
            if (round % 2 == 0)
                hwr_give(f->heap, t, &t->b, young);
            else
                hwr_set(f->heap, t, &t->b, young);
            if (i % 100 == 50) hwr_collect(f->heap, 0);
        }
        hwr_collect(f->heap, (int)round % 2);
        size_t i = 0;
        for (const twig *t = f->slot[0]; t != NULL; t = t->a, i++) assert_int_equal(t->b->number, round * COUNT + i);
    }
    tracing_fixture_expect_objects(f, 2 * COUNT);
}

/* The same in a long array, at its ends and in its middle, with almost everything else NULL. */
static void long_old_arrays_may_lead_to_young_ones(void **state) {
    tracing_fixture *f = *state;
    enum { LENGTH = 200000, STEP = 9973 };
    f->slot[0] = new_row(f, LENGTH);
    for (int i = 0; i < 3; i++) hwr_collect(f->heap, HWR_OLDEST);
    for (size_t round = 1; round < 6; round++) {
        for (size_t i = round; i < LENGTH; i += STEP) {
            twig *young = new_twig(f, round * LENGTH + i);
            row *r = f->slot[0];
            hwr_set(f->heap, r, &r->items[i], (void *)young);
            hwr_set(f->heap, r, &r->items[LENGTH - 1], (void *)young);
        }
        hwr_collect(f->heap, (int)(round % 2));
        const row *r = f->slot[0];
        for (size_t past = 1; past <= round; past++)
            for (size_t i = past; i < LENGTH; i += STEP)
                assert_int_equal(((twig *)r->items[i])->number, past * LENGTH + i);
        assert_true(((twig *)r->items[LENGTH - 1])->number >= round * LENGTH);
    }
    tracing_fixture_expect_verified(f);
}

/* A young object that only an old one remembered led to dies when that is overwritten. */
static void what_is_not_remembered_any_more_goes(void **state) {
    tracing_fixture *f = *state;
    f->slot[0] = new_twig(f, 0);
    for (int i = 0; i < 3; i++) hwr_collect(f->heap, HWR_OLDEST);
    twig *young = new_twig(f, 1), *old = f->slot[0];
    hwr_set(f->heap, old, &old->a, young);
    hwr_handle *handle = hwr_handle_new_kind(f->heap, young, HWR_HANDLE_WEAK_SHORT);
    assert_non_null(handle);
    old = f->slot[0];
    hwr_set(f->heap, old, &old->a, NULL);
    hwr_collect(f->heap, HWR_OLDEST);
    assert_null(hwr_handle_get(f->heap, handle));
    hwr_handle_free(f->heap, handle);
}

/* ---- size and depth ---- */

static void lists_and_trees_as_deep_as_memory(void **state) {
    tracing_fixture *f = *state;
    size_t length = runs_slowly() ? 100000 : f->config.checked ? 300000 : 1000000;
    make_list(f, 0, length);
    for (int i = 0; i < 3; i++) hwr_collect(f->heap, HWR_OLDEST);
    assert_true(is_list(f->slot[0], length));
    tracing_fixture_expect_verified(f);
}

/* The marking stack cannot hold all of this at once. */
static void wide_objects_are_marked(void **state) {
    tracing_fixture *f = *state;
    enum { ROWS = 60, WIDTH = 5000 };
    f->slot[0] = new_row(f, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        row *r = new_row(f, WIDTH), *top = f->slot[0];
        hwr_set(f->heap, top, &top->items[i], (void *)r);
        for (size_t k = 0; k < WIDTH; k++) {
            twig *t = new_twig(f, i * WIDTH + k);
            r = ((row *)f->slot[0])->items[i];
            hwr_set(f->heap, r, &r->items[k], (void *)t);
        }
    }
    hwr_raw_inject_fault(f->backend.raw, HWR_FAULT_ALL, 1, true); /* nor can it grow */
    for (int generation = 0; generation <= HWR_OLDEST; generation++) hwr_collect(f->heap, generation);
    hwr_raw_inject_fault(f->backend.raw, 0, 0, false);
    const row *top = f->slot[0];
    for (size_t i = 0; i < ROWS; i++)
        for (size_t k = 0; k < WIDTH; k++)
            assert_int_equal(((twig *)((row *)top->items[i])->items[k])->number, i * WIDTH + k);
    tracing_fixture_expect_objects(f, 1 + ROWS + ROWS * WIDTH);
}

static void large_objects_come_and_go(void **state) {
    tracing_fixture *f = *state;
    size_t most = 0;
    for (size_t i = 0; i < 300; i++) {
        size_t length = 20000 + i * 7919 % 900000;
        prose *p = hwr_new_items(f->heap, &prose_type, length);
        assert_non_null(p);
        pattern_fill(p->bytes, length, i);
        f->slot[i % 8] = p;
        for (size_t k = 0; k < 8 && k <= i; k++) {
            const prose *other = f->slot[k];
            size_t number = i - (i - k) % 8;
            assert_true(pattern_holds(other->bytes, other->length, other->length, number));
        }
        if (i == 150) most = backend_committed(&f->backend);
    }
    assert_true(backend_committed(&f->backend) < most * 3 + ((size_t)64 << 20));
    for (size_t k = 0; k < 8; k++) f->slot[k] = NULL;
    tracing_fixture_expect_objects(f, 0);
}

/* ---- by itself ---- */

static void garbage_does_not_pile_up(void **state) {
    tracing_fixture *f = *state;
    make_list(f, 0, 1000);
    size_t rounds = runs_slowly() ? 300000 : 3000000; /* of 32 bytes: some 90 MB */
    for (size_t i = 0; i < rounds; i++) assert_non_null(hwr_new(f->heap, &twig_type));
    assert_true(backend_committed(&f->backend) < (size_t)48 << 20);
    assert_true(hwr_collection_count(f->heap, 0) > 1);
    assert_true(is_list(f->slot[0], 1000));
}

/* Structures that live for a while and die old. */
static void old_garbage_does_not_pile_up(void **state) {
    tracing_fixture *f = *state;
    size_t rounds = runs_slowly() ? 100 : f->config.checked ? 300 : 1500;
    for (size_t i = 0; i < rounds; i++) make_list(f, i % 8, 2000); /* 64 KB each */
    assert_true(hwr_collection_count(f->heap, HWR_OLDEST) > 0 || runs_slowly());
    assert_true(backend_committed(&f->backend) < (size_t)64 << 20);
    for (size_t k = 0; k < 8; k++) assert_true(is_list(f->slot[k], 2000));
}

static void a_fixed_heap_stays_within_its_limit(void **state) {
    (void)state;
    const size_t limit = (size_t)8 << 20;
    for (int sizing = HWR_SIZE_GROWS; sizing <= HWR_SIZE_ADAPTS; sizing++) {
        hwr_heap *heap = hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options),
                                                      .collector = HWR_TRACING,
                                                      .roots = HWR_ROOTS_EXACT,
                                                      .limit = limit,
                                                      .sizing = (hwr_sizing)sizing,
                                                      .nursery = 1 << 18});
        assert_non_null(heap);
        struct {
            hwr_frame frame;
            twig *head;
        } here = {.head = NULL};
        hwr_frame_push(heap, &here.frame, 1);
        for (size_t round = 0; round < 40; round++) {
            here.head = NULL;
            for (size_t i = 0; i < 30000; i++) { /* 1 MB alive */
                twig *t = hwr_new(heap, &twig_type);
                assert_non_null(t);
                hwr_init(heap, t, &t->a, here.head);
                here.head = t;
            }
        }
        hwr_heap_stats stats;
        hwr_heap_get_stats(heap, &stats);
        assert_int_equal(stats.limit, limit);
        assert_true(stats.peak_committed <= limit);
        hwr_frame_pop(heap, &here.frame);
        hwr_heap_close(heap);
    }
}

/* How often all is collected while a program makes 80 MB of garbage that dies old, and rests in between, and what the heap has in the end. */
static uint64_t collections_with_rests(hwr_sizing sizing, unsigned microseconds, size_t *committed) {
    hwr_heap *heap = hwr_heap_open(&(hwr_options){
        .size = sizeof(hwr_options), .collector = HWR_TRACING, .roots = HWR_ROOTS_EXACT, .sizing = sizing});
    assert_non_null(heap);
    struct {
        hwr_frame frame;
        twig *head;
    } here = {.head = NULL};
    hwr_frame_push(heap, &here.frame, 1);
    for (size_t round = 0; round < 80; round++) {
        here.head = NULL;
        for (size_t i = 0; i < 30000; i++) {
            twig *t = hwr_new(heap, &twig_type);
            assert_non_null(t);
            hwr_init(heap, t, &t->a, here.head);
            here.head = t;
        }
        if (microseconds != 0) usleep(microseconds);
    }
    uint64_t collections = hwr_collection_count(heap, HWR_OLDEST);
    hwr_heap_stats stats;
    hwr_heap_get_stats(heap, &stats);
    *committed = stats.committed;
    assert_true(hwr_heap_verify(heap, NULL));
    hwr_frame_pop(heap, &here.frame);
    hwr_heap_close(heap);
    return collections;
}

static void a_heap_that_adapts_keeps_less_while_its_program_rests(void **state) {
    (void)state;
    if (runs_slowly()) {
        print_message("skipped: what is slow here are collections, not the program\n");
        skip();
    }
    size_t busy_has, resting_has;
    uint64_t busy = collections_with_rests(HWR_SIZE_ADAPTS, 0, &busy_has);
    uint64_t resting = collections_with_rests(HWR_SIZE_ADAPTS, 5000, &resting_has);
    print_message("busy: %llu collections, %zu bytes; resting: %llu, %zu\n", (unsigned long long)busy, busy_has,
                  (unsigned long long)resting, resting_has);
    assert_true(resting > busy);
    assert_true(resting_has < busy_has);
}

static void automatic_collection_can_be_switched_off(void **state) {
    tracing_fixture *f = *state;
    assert_true(hwr_is_enabled(f->heap));
    hwr_disable(f->heap);
    assert_false(hwr_is_enabled(f->heap));
    make_list(f, 0, 100); /* a nursery that is full is collected all the same */
    hwr_enable(f->heap);
    assert_true(hwr_is_enabled(f->heap));
    assert_true(is_list(f->slot[0], 100));
}

static void memory_pressure_makes_collections_come_sooner(void **state) {
    tracing_fixture *f = *state;
    uint64_t before = hwr_collection_count(f->heap, 0);
    for (size_t i = 0; i < 200; i++) {
        new_twig(f, i);
        hwr_add_memory_pressure(f->heap, (size_t)4 << 20);
    }
    assert_true(hwr_collection_count(f->heap, 0) > before);
    hwr_remove_memory_pressure(f->heap, (size_t)800 << 20);
}

/* ---- figures ---- */

static void allocated_bytes_are_counted(void **state) {
    tracing_fixture *f = *state;
    uint64_t before = hwr_allocated_bytes(f->heap, true), here = hwr_allocated_bytes_here(f->heap);
    for (size_t i = 0; i < 100; i++) new_twig(f, i);
    new_row(f, 100000);
    uint64_t least = 100 * sizeof(twig) + 100000 * sizeof(void *), grown = hwr_allocated_bytes(f->heap, true) - before;
    assert_true(grown >= least && grown < least + least / 8);
    assert_int_equal(hwr_allocated_bytes_here(f->heap) - here, grown);
    assert_true(hwr_allocated_bytes(f->heap, false) <= hwr_allocated_bytes(f->heap, true));
    uint64_t all = hwr_allocated_bytes(f->heap, true);
    hwr_collect(f->heap, HWR_OLDEST);
    assert_int_equal(hwr_allocated_bytes(f->heap, true), all);
}

static void memory_info_is_that_of_the_last_collection(void **state) {
    tracing_fixture *f = *state;
    hwr_memory_info info, young, full;
    hwr_get_memory_info(f->heap, HWR_INFO_ANY, &info);
    assert_int_equal(info.index, 0);
    make_list(f, 0, 5000);
    f->slot[1] = new_row(f, 100000);
    hwr_collect(f->heap, HWR_OLDEST);
    hwr_collect(f->heap, HWR_OLDEST);
    hwr_collect(f->heap, 0);
    hwr_get_memory_info(f->heap, HWR_INFO_ANY, &info);
    hwr_get_memory_info(f->heap, HWR_INFO_YOUNG, &young);
    hwr_get_memory_info(f->heap, HWR_INFO_FULL, &full);
    assert_int_equal(info.index, hwr_collection_count(f->heap, 0));
    assert_int_equal(young.index, info.index);
    assert_int_equal(full.index, info.index - 1);
    assert_true(young.generation < HWR_OLDEST && full.generation == HWR_OLDEST);
    size_t list = 5000 * sizeof(twig), large = 100000 * sizeof(void *), sum = 0;
    assert_true(full.heap_size >= list + large && full.committed >= full.heap_size);
    assert_int_equal(full.committed >= backend_committed(&f->backend) / 2, 1);
    for (int i = 0; i < 4; i++) sum += full.generations[i].size_after;
    assert_int_equal(sum, full.heap_size);
    assert_true(full.generations[3].size_after >= large);
    assert_true(full.pause > 0 || f->config.kind == HWR_RAW_BUFFER);
    assert_true(full.pause_percentage >= 0 && full.pause_percentage <= 100);
    assert_int_equal(full.finalization_pending, 0);
    assert_true(full.total_available > 0 && full.memory_load > 0);
}

typedef struct heard {
    size_t begins, ends, starts, stops;
} heard;

static void hear(hwr_heap *heap, const hwr_event *event, void *context) {
    (void)heap;
    heard *h = context;
    h->begins += event->kind == HWR_EVENT_COLLECTION_BEGIN;
    h->ends += event->kind == HWR_EVENT_COLLECTION_END;
}

static void be_called(hwr_heap *heap, const hwr_collection_info *info, void *context) {
    (void)heap;
    heard *h = context;
    h->starts += info->starts;
    h->stops += !info->starts;
}

static void collections_are_told_of(void **state) {
    tracing_fixture *f = *state;
    heard h = {0};
    assert_true(hwr_listen(f->heap, UINT64_MAX, hear, &h));
    assert_true(hwr_add_callback(f->heap, be_called, &h));
    for (int generation = 0; generation <= HWR_OLDEST; generation++) hwr_collect(f->heap, generation);
    assert_true(h.begins == 3 && h.ends == 3 && h.starts == 3 && h.stops == 3);
    assert_true(hwr_unlisten(f->heap, hear, &h));
    assert_true(hwr_remove_callback(f->heap, be_called, &h));
    hwr_collect(f->heap, 0);
    assert_true(h.begins == 3 && h.starts == 3);
    hwr_counters counters;
    hwr_get_counters(f->heap, &counters);
    assert_true(counters.collections >= 4 && counters.longest_pause_ns <= counters.pause_ns);
}

int main(void) {
    static const tracing_test tests[] = {
        TRACING_TEST(survivors_move_up, TRACING_CALM | TRACING_AGES),
        TRACING_TEST(counts_are_of_every_generation_collected, TRACING_CALM | TRACING_AGES),
        TRACING_TEST(old_garbage_waits_for_its_generation, TRACING_EXACT),
        TRACING_TEST(young_garbage_goes_in_a_minor_collection, TRACING_EXACT),
        TRACING_TEST(every_mode_collects, TRACING_CALM),
        TRACING_TEST(optimized_collects_when_it_is_worth_while, TRACING_CALM),
        TRACING_TEST(compacting_moves_the_young_together, TRACING_EXACT | TRACING_CALM | TRACING_MOVES),
        TRACING_TEST(moving_always_moves, TRACING_EXACT),
        TRACING_TEST(without_moving_nothing_moves, TRACING_ANY),
        TRACING_TEST(old_objects_may_lead_to_young_ones, TRACING_ANY),
        TRACING_TEST(long_old_arrays_may_lead_to_young_ones, TRACING_CALM),
        TRACING_TEST(what_is_not_remembered_any_more_goes, TRACING_EXACT),
        TRACING_TEST(lists_and_trees_as_deep_as_memory, TRACING_CALM | TRACING_FEW),
        TRACING_TEST(wide_objects_are_marked, TRACING_CALM | TRACING_FEW),
        TRACING_TEST(large_objects_come_and_go, TRACING_EXACT | TRACING_CALM),
        TRACING_TEST(garbage_does_not_pile_up, TRACING_CALM | TRACING_FEW),
        TRACING_TEST(old_garbage_does_not_pile_up, TRACING_CALM | TRACING_EXACT | TRACING_FEW),
        TRACING_TEST(a_fixed_heap_stays_within_its_limit, TRACING_ONCE),
        TRACING_TEST(a_heap_that_adapts_keeps_less_while_its_program_rests, TRACING_ONCE),
        TRACING_TEST(automatic_collection_can_be_switched_off, TRACING_ANY),
        TRACING_TEST(memory_pressure_makes_collections_come_sooner, TRACING_ANY),
        TRACING_TEST(allocated_bytes_are_counted, TRACING_CALM),
        TRACING_TEST(memory_info_is_that_of_the_last_collection, TRACING_CALM | TRACING_AGES),
        TRACING_TEST(collections_are_told_of, TRACING_CALM),
    };
    return tracing_fixture_run("collections of tracing heaps", tests, sizeof tests / sizeof tests[0]);
}
