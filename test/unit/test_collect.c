/* collect: finding cycles, generations, thresholds, callbacks, freezing, questions, debug flags. */
#define _GNU_SOURCE
#include "support/check.h"
#include "support/death.h"
#include "support/heap_fixture.h"
#include "support/sanitizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- finding ---- */

static void cycles_of_every_length_are_found(void **state) {
    heap_fixture *f = *state;
    for (size_t length = 1; length < 3000; length = length * 2 + 1) {
        pair *p = new_cycle(f, length);
        assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 0);
        hwr_release(f->heap, p);
        heap_fixture_expect_objects(f, length);
        assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), length);
        heap_fixture_expect_objects(f, 0);
        assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 0);
    }
}

static void what_a_cycle_leads_to_goes_with_it(void **state) {
    heap_fixture *f = *state;
    static const hwr_type leaf = {.name = "leaf", .size = 8};
    pair *cycle = new_cycle(f, 2), *kept = new_pair(f);
    pair *list = new_pair(f);
    hwr_give(f->heap, list, &list->a, (pair *)hwr_new(f->heap, &leaf));
    hwr_set(f->heap, list, &list->b, kept);
    hwr_give(f->heap, cycle, &cycle->b, list);
    hwr_release(f->heap, cycle);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 3); /* the leaf has no references and is not counted */
    heap_fixture_expect_objects(f, 1);
    assert_int_equal(hwr_refcount(f->heap, kept), 1);
    hwr_release(f->heap, kept);
}

static void what_is_held_from_outside_lives(void **state) {
    heap_fixture *f = *state;
    pair *garbage = new_cycle(f, 3), *alive = new_cycle(f, 3);
    hwr_set(f->heap, garbage, &garbage->b, alive); /* from garbage to what lives */
    hwr_release(f->heap, garbage);
    assert_int_equal(hwr_refcount(f->heap, alive), 3);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 3);
    assert_int_equal(hwr_refcount(f->heap, alive), 2);
    pair *inner = alive->a;
    hwr_retain(f->heap, inner);
    hwr_release(f->heap, alive);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 0); /* one of them is enough */
    hwr_release(f->heap, inner);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 3);
    heap_fixture_expect_objects(f, 0);
}

static void cycles_through_acyclic_types_stay(void **state) {
    heap_fixture *f = *state;
    static const hwr_type acyclic = HWR_TYPE(pair, HWR_REFS(pair, a, b), .flags = HWR_ACYCLIC);
    pair *p = hwr_new(f->heap, &acyclic);
    assert_non_null(p);
    assert_false(hwr_is_tracked(f->heap, p));
    hwr_set(f->heap, p, &p->a, p);
    hwr_release(f->heap, p);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 0);
    heap_fixture_expect_objects(f, 1);
    hwr_set(f->heap, p, &p->a, NULL);
    heap_fixture_expect_objects(f, 0);
}

static void large_objects_are_collected(void **state) {
    heap_fixture *f = *state;
    typedef struct list {
        size_t length;
        void *items[];
    } list;
    static const hwr_type list_type = HWR_TYPE(list, HWR_REF_ITEMS(list, length, items));
    enum { LISTS = 5 };
    size_t count =
        f->config.checked ? LISTS - 1 : LISTS; /* each store into a checked one looks at all that lies behind it */
    list *lists[LISTS];
    for (size_t i = 0; i < count; i++) {
        lists[i] = hwr_new_items(f->heap, &list_type, (size_t)1 << (3 * i + 4));
        assert_non_null(lists[i]);
    }
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < lists[i]->length; k++) {
            void *target = k % 2 == 0 ? (void *)lists[(i + k) % count] : (void *)new_pair(f);
            if (k % 2 == 0) hwr_retain(f->heap, target);
            hwr_give(f->heap, lists[i], &lists[i]->items[k], target);
        }
    size_t pairs = 0;
    for (size_t i = 0; i < count; i++) pairs += lists[i]->length / 2;
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 0);
    for (size_t i = 0; i < count; i++) hwr_release(f->heap, lists[i]);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), pairs + count);
    heap_fixture_expect_objects(f, 0);
}

/* ---- finalizers ---- */

static void finalizers_of_garbage_run_once_and_before_anything_goes(void **state) {
    heap_fixture *f = *state;
    size_t calls = 0;
    finalized *first = new_finalized(f, &calls), *second = new_finalized(f, &calls);
    hwr_set(f->heap, first, &first->a, (void *)second);
    hwr_set(f->heap, second, &second->a, (void *)first);
    hwr_release(f->heap, first);
    hwr_release(f->heap, second);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 2);
    assert_int_equal(calls, 2);
    heap_fixture_expect_objects(f, 0);
}

static hwr_handle *rescue;
static void rescue_it(hwr_heap *heap, finalized *object) { hwr_handle_set(heap, rescue, object); }

static void one_that_comes_back_keeps_what_it_leads_to(void **state) {
    heap_fixture *f = *state;
    size_t calls = 0;
    rescue = hwr_handle_new(f->heap, NULL);
    finalized *object = new_finalized(f, &calls);
    object->more = rescue_it;
    pair *other = new_cycle(f, 3), *separate = new_cycle(f, 4);
    hwr_set(f->heap, object, &object->a, (void *)other);
    hwr_set(f->heap, other, &other->b, (pair *)(void *)object);
    hwr_release(f->heap, other);
    hwr_release(f->heap, separate);
    hwr_release(f->heap, object);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 4);
    assert_int_equal(calls, 1);
    heap_fixture_expect_objects(f, 4);
    assert_true(hwr_is_finalized(f->heap, object));
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 0);
    hwr_handle_free(f->heap, rescue);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 4);
    assert_int_equal(calls, 1);
    heap_fixture_expect_objects(f, 0);
}

static void collect_inside(hwr_heap *heap, finalized *object) {
    (void)object;
    CHECK(hwr_collect(heap, HWR_OLDEST) == 0);
    for (int i = 0; i < 2000; i++) hwr_release(heap, hwr_new(heap, &pair_type)); /* no automatic one either */
}

static void a_collection_inside_a_collection_does_nothing(void **state) {
    heap_fixture *f = *state;
    finalized *object = new_finalized(f, NULL);
    object->more = collect_inside;
    hwr_set(f->heap, object, &object->a, (void *)object);
    hwr_release(f->heap, object);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 1);
    hwr_generation_stats stats[HWR_GENERATIONS];
    hwr_get_stats(f->heap, stats);
    assert_int_equal(stats[0].collections + stats[1].collections + stats[2].collections, 1);
    heap_fixture_expect_objects(f, 0);
}

/* ---- generations ---- */

static void other_numbers_are_no_generation(void **state) {
    heap_fixture *f = *state;
    hwr_release(f->heap, new_cycle(f, 2));
    assert_int_equal(hwr_collect(f->heap, 3), 0);
    assert_int_equal(hwr_collect(f->heap, -1), 0);
    assert_int_equal(hwr_collect(f->heap, 1000), 0);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 2);
}

static bool count_visit(void *context, void *object) {
    (void)object;
    ++*(size_t *)context;
    return true;
}

static size_t objects_of(const heap_fixture *f, int generation) {
    size_t count = 0;
    assert_true(hwr_get_objects(f->heap, generation, count_visit, &count));
    return count;
}

static void survivors_grow_old(void **state) {
    heap_fixture *f = *state;
    pair *p = new_cycle(f, 3);
    assert_int_equal(objects_of(f, 0), 3);
    assert_int_equal(hwr_collect(f->heap, 0), 0);
    assert_int_equal(objects_of(f, 0), 0);
    assert_int_equal(objects_of(f, 1), 3);
    pair *young = new_pair(f);
    assert_int_equal(objects_of(f, 0), 1);
    assert_int_equal(hwr_collect(f->heap, 1), 0);
    assert_int_equal(objects_of(f, 2), 4);
    assert_int_equal(objects_of(f, HWR_ALL_GENERATIONS), 4);
    hwr_release(f->heap, p);
    assert_int_equal(hwr_collect(f->heap, 0), 0); /* too old for that */
    assert_int_equal(hwr_collect(f->heap, 1), 0);
    assert_int_equal(hwr_collect(f->heap, 2), 3);
    hwr_release(f->heap, young);
    assert_int_equal(objects_of(f, HWR_ALL_GENERATIONS), 0);
}

static void old_objects_keep_young_ones(void **state) {
    heap_fixture *f = *state;
    pair *old = new_pair(f);
    hwr_collect(f->heap, HWR_OLDEST);
    pair *young = new_cycle(f, 2);
    hwr_set(f->heap, old, &old->a, young);
    hwr_release(f->heap, young);
    assert_int_equal(hwr_collect(f->heap, 0), 0);
    hwr_set(f->heap, old, &old->a, NULL);
    assert_int_equal(hwr_collect(f->heap, 0), 0);
    assert_int_equal(hwr_collect(f->heap, 1), 2);
    hwr_release(f->heap, old);
}

static void expect_counts(const heap_fixture *f, int first, int second, int third) {
    int count[HWR_GENERATIONS];
    hwr_get_count(f->heap, count);
    assert_int_equal(count[0], first);
    assert_int_equal(count[1], second);
    assert_int_equal(count[2], third);
}

static void counts_are_allocations_less_deallocations(void **state) {
    heap_fixture *f = *state;
    static const hwr_type leaf = {.name = "leaf", .size = 8};
    expect_counts(f, 0, 0, 0);
    pair *p = new_pair(f), *q = new_pair(f);
    void *untracked = hwr_new(f->heap, &leaf);
    expect_counts(f, 2, 0, 0);
    hwr_release(f->heap, p);
    hwr_release(f->heap, untracked);
    expect_counts(f, 1, 0, 0);
    hwr_collect(f->heap, 0);
    expect_counts(f, 0, 1, 0);
    hwr_release(f->heap, q);
    expect_counts(f, 0, 1, 0); /* never below zero */
    hwr_collect(f->heap, 0);
    expect_counts(f, 0, 2, 0);
    hwr_collect(f->heap, 1);
    expect_counts(f, 0, 0, 1);
    hwr_collect(f->heap, 2);
    expect_counts(f, 0, 0, 0);
}

/* ---- automatic collection ---- */

static void expect_collections(const heap_fixture *f, uint64_t first, uint64_t second, uint64_t third) {
    hwr_generation_stats stats[HWR_GENERATIONS];
    hwr_get_stats(f->heap, stats);
    assert_int_equal(stats[0].collections, first);
    assert_int_equal(stats[1].collections, second);
    assert_int_equal(stats[2].collections, third);
}

static void make_pairs(const heap_fixture *f, size_t count) {
    for (size_t i = 0; i < count; i++) {
        pair *p = new_pair(f);
        hwr_set(f->heap, p, &p->a, p);
        hwr_release(f->heap, p);
    }
}

static void thresholds_start_as_in_python(void **state) {
    heap_fixture *f = *state;
    int threshold[HWR_GENERATIONS];
    hwr_get_threshold(f->heap, threshold);
    assert_int_equal(threshold[0], 700);
    assert_int_equal(threshold[1], 10);
    assert_int_equal(threshold[2], 10);
    assert_true(hwr_is_enabled(f->heap));
    make_pairs(f, 700);
    expect_collections(f, 0, 0, 0);
    make_pairs(f, 1);
    expect_collections(f, 1, 0, 0);
    hwr_heap_stats stats;
    hwr_heap_get_stats(f->heap, &stats);
    assert_int_equal(stats.objects, 1);
}

static void collections_come_when_they_are_due(void **state) {
    heap_fixture *f = *state;
    const int threshold[HWR_GENERATIONS] = {9, 2, 1};
    hwr_set_threshold(f->heap, threshold);
    int now[HWR_GENERATIONS];
    hwr_get_threshold(f->heap, now);
    for (int i = 0; i < HWR_GENERATIONS; i++) assert_int_equal(now[i], threshold[i]);
    make_pairs(f, 10);
    expect_collections(f, 1, 0, 0);
    make_pairs(f, 20);
    expect_collections(f, 3, 0, 0);
    make_pairs(f, 10);
    expect_collections(f, 3, 1, 0);
    make_pairs(f, 40);
    expect_collections(f, 6, 2, 0);
    make_pairs(f, 40);
    expect_collections(f, 9, 2, 1);
}

static void it_can_be_switched_off(void **state) {
    heap_fixture *f = *state;
    hwr_set_threshold(f->heap, (const int[]){5, 5, 5});
    hwr_disable(f->heap);
    assert_false(hwr_is_enabled(f->heap));
    make_pairs(f, 1000);
    expect_collections(f, 0, 0, 0);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 1000); /* an explicit one runs all the same */
    hwr_enable(f->heap);
    assert_true(hwr_is_enabled(f->heap));
    make_pairs(f, 6);
    expect_collections(f, 1, 0, 1);
    hwr_set_threshold(f->heap, (const int[]){0, 5, 5});
    assert_true(hwr_is_enabled(f->heap));
    make_pairs(f, 1000);
    expect_collections(f, 1, 0, 1);
}

/* The oldest generation is due only when a quarter of what survived the last time has come since. */
static void full_collections_wait_for_a_quarter(void **state) {
    heap_fixture *f = *state;
    enum { OLD = 1000 };
    static pair *old[OLD];
    hwr_disable(f->heap);
    for (size_t i = 0; i < OLD; i++) old[i] = new_pair(f);
    hwr_collect(f->heap, HWR_OLDEST);
    hwr_set_threshold(f->heap, (const int[]){9, 0, 0});
    hwr_enable(f->heap);
    static pair *young[400];
    size_t made = 0;
    for (uint64_t full = 1; full == 1 && made < 400;) {
        young[made++] = new_pair(f);
        hwr_generation_stats stats[HWR_GENERATIONS];
        hwr_get_stats(f->heap, stats);
        full = stats[2].collections;
    }
    assert_true(made > OLD / 4 && made <= OLD / 4 + 40);
    for (size_t i = 0; i < made; i++) hwr_release(f->heap, young[i]);
    for (size_t i = 0; i < OLD; i++) hwr_release(f->heap, old[i]);
}

static void statistics_count_what_was_collected(void **state) {
    heap_fixture *f = *state;
    make_pairs(f, 5);
    hwr_collect(f->heap, 0);
    make_pairs(f, 7);
    hwr_collect(f->heap, 1);
    hwr_collect(f->heap, 1);
    make_pairs(f, 11);
    hwr_collect(f->heap, 2);
    hwr_generation_stats stats[HWR_GENERATIONS];
    hwr_get_stats(f->heap, stats);
    expect_collections(f, 1, 2, 1);
    assert_int_equal(stats[0].collected, 5);
    assert_int_equal(stats[1].collected, 7);
    assert_int_equal(stats[2].collected, 11);
    for (int i = 0; i < HWR_GENERATIONS; i++) assert_int_equal(stats[i].uncollectable, 0);
}

/* ---- callbacks ---- */

static char story[200];

static void tell(hwr_heap *heap, const hwr_collection_info *info, void *context) {
    char part[40];
    snprintf(part, sizeof part, "%s%c%d:%zu ", (const char *)context, info->starts ? '<' : '>', info->generation,
             info->collected);
    CHECK(strlen(story) + strlen(part) < sizeof story);
    strcat(story, part);
    CHECK(info->uncollectable == 0);
    CHECK(hwr_collect(heap, HWR_OLDEST) == 0);
    for (int i = 0; i < 1000; i++) hwr_release(heap, hwr_new(heap, &pair_type));
}

static void expect_story(const char *expected) {
    if (strcmp(story, expected) != 0) fail_msg("the story was \"%s\", not \"%s\"", story, expected);
    story[0] = '\0';
}

static void callbacks_are_called_at_both_ends(void **state) {
    heap_fixture *f = *state;
    char a[] = "a", b[] = "b";
    story[0] = '\0';
    assert_true(hwr_add_callback(f->heap, tell, a));
    make_pairs(f, 3);
    assert_int_equal(hwr_collect(f->heap, 1), 3);
    expect_story("a<1:0 a>1:3 ");
    assert_true(hwr_add_callback(f->heap, tell, b));
    assert_true(hwr_add_callback(f->heap, tell, a));
    hwr_collect(f->heap, 0);
    expect_story("a<0:0 b<0:0 a<0:0 a>0:0 b>0:0 a>0:0 ");
    assert_true(hwr_remove_callback(f->heap, tell, a)); /* one of the two */
    hwr_collect(f->heap, 0);
    assert_int_equal(strlen(story), strlen("a<0:0 b<0:0 a>0:0 b>0:0 "));
    story[0] = '\0';
    assert_true(hwr_remove_callback(f->heap, tell, a));
    assert_false(hwr_remove_callback(f->heap, tell, a));
    assert_false(hwr_remove_callback(f->heap, tell, NULL));
    hwr_collect(f->heap, 2);
    expect_story("b<2:0 b>2:0 ");
    assert_true(hwr_remove_callback(f->heap, tell, b));
    hwr_collect(f->heap, 2);
    expect_story("");
}

/* ---- freezing ---- */

static void frozen_objects_are_left_alone(void **state) {
    heap_fixture *f = *state;
    pair *p = new_cycle(f, 4);
    new_cycle(f, 2); /* leaked on purpose: it lives with the heap */
    assert_int_equal(hwr_freeze_count(f->heap), 0);
    hwr_freeze(f->heap);
    assert_int_equal(hwr_freeze_count(f->heap), 6);
    assert_int_equal(objects_of(f, HWR_ALL_GENERATIONS), 0);
    hwr_release(f->heap, p);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 0);
    pair *young = new_cycle(f, 3);
    hwr_set(f->heap, p, &p->b, young); /* held by one that is frozen */
    hwr_release(f->heap, young);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 0);
    assert_int_equal(hwr_freeze_count(f->heap), 6);
    hwr_unfreeze(f->heap);
    assert_int_equal(hwr_freeze_count(f->heap), 0);
    assert_int_equal(objects_of(f, HWR_OLDEST), 9);
    assert_int_equal(hwr_collect(f->heap, 1), 0);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 7);
    heap_fixture_expect_objects(f, 2);
}

static void frozen_objects_die_by_their_counts(void **state) {
    heap_fixture *f = *state;
    pair *p = new_pair(f);
    hwr_freeze(f->heap);
    hwr_release(f->heap, p);
    assert_int_equal(hwr_freeze_count(f->heap), 0);
    heap_fixture_expect_objects(f, 0);
}

/* ---- questions ---- */

static void tracked_is_what_can_be_in_a_cycle(void **state) {
    heap_fixture *f = *state;
    static const hwr_type leaf = {.name = "leaf", .size = 8};
    static const hwr_type acyclic = HWR_TYPE(pair, HWR_REFS(pair, a), .flags = HWR_ACYCLIC);
    void *objects[] = {hwr_new(f->heap, &leaf), hwr_new(f->heap, &acyclic), new_pair(f), new_finalized(f, NULL)};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(hwr_is_tracked(f->heap, objects[i]), i >= 2);
        assert_false(hwr_is_finalized(f->heap, objects[i]));
    }
    for (size_t i = 0; i < 4; i++) hwr_release(f->heap, objects[i]);
}

typedef struct visits {
    const void *seen[20];
    size_t count, stop_after;
} visits;

static bool note_visit(void *context, void *object) {
    visits *v = context;
    assert_true(v->count < 20);
    v->seen[v->count++] = object;
    return v->count != v->stop_after;
}

static size_t times_seen(const visits *v, const void *object) {
    size_t times = 0;
    for (size_t i = 0; i < v->count; i++) times += v->seen[i] == object;
    return times;
}

static void referents_are_visited_as_often_as_they_are_referred_to(void **state) {
    heap_fixture *f = *state;
    pair *p = new_pair(f), *q = new_pair(f);
    visits v = {.count = 0};
    assert_true(hwr_get_referents(f->heap, p, note_visit, &v));
    assert_int_equal(v.count, 0);
    hwr_set(f->heap, p, &p->a, q);
    hwr_set(f->heap, p, &p->b, q);
    assert_true(hwr_get_referents(f->heap, p, note_visit, &v));
    assert_int_equal(v.count, 2);
    assert_int_equal(times_seen(&v, q), 2);
    v = (visits){.stop_after = 1};
    assert_false(hwr_get_referents(f->heap, p, note_visit, &v));
    assert_int_equal(v.count, 1);
    hwr_release(f->heap, q);
    hwr_release(f->heap, p);
}

static void referrers_are_found(void **state) {
    heap_fixture *f = *state;
    static const hwr_type acyclic = HWR_TYPE(pair, HWR_REFS(pair, a), .flags = HWR_ACYCLIC);
    pair *target = new_pair(f), *old = new_pair(f), *untracked = hwr_new(f->heap, &acyclic);
    hwr_set(f->heap, old, &old->a, target);
    hwr_collect(f->heap, HWR_OLDEST);
    pair *twice = new_pair(f), *none = new_pair(f);
    hwr_set(f->heap, twice, &twice->a, target);
    hwr_set(f->heap, twice, &twice->b, target);
    hwr_set(f->heap, untracked, &untracked->a, target);
    visits v = {.count = 0};
    assert_true(hwr_get_referrers(f->heap, target, note_visit, &v));
    assert_int_equal(v.count, 2);
    assert_int_equal(times_seen(&v, old), 1);
    assert_int_equal(times_seen(&v, twice), 1);
    v = (visits){.stop_after = 1};
    assert_false(hwr_get_referrers(f->heap, target, note_visit, &v));
    v = (visits){.count = 0};
    assert_true(hwr_get_referrers(f->heap, none, note_visit, &v));
    assert_int_equal(v.count, 0);
    hwr_freeze(f->heap);
    assert_true(hwr_get_referrers(f->heap, target, note_visit, &v));
    assert_int_equal(v.count, 0);
    hwr_unfreeze(f->heap);
    assert_true(hwr_get_referrers(f->heap, target, note_visit, &v));
    assert_int_equal(v.count, 2);
    v = (visits){.stop_after = 3};
    assert_false(hwr_get_objects(f->heap, HWR_ALL_GENERATIONS, note_visit, &v));
    assert_int_equal(v.count, 3);
    pair *all[] = {target, old, untracked, twice, none};
    for (size_t i = 0; i < 5; i++) hwr_release(f->heap, all[4 - i]);
    heap_fixture_expect_objects(f, 0);
}

/* ---- debug flags ---- */

static void saved_garbage_can_be_looked_at(void **state) {
    heap_fixture *f = *state;
    size_t calls = 0;
    assert_int_equal(hwr_get_debug(f->heap), 0);
    hwr_set_debug(f->heap, HWR_DEBUG_SAVEALL);
    assert_int_equal(hwr_get_debug(f->heap), HWR_DEBUG_SAVEALL);
    finalized *object = new_finalized(f, &calls);
    hwr_set(f->heap, object, &object->a, (void *)object);
    pair *p = new_cycle(f, 2);
    hwr_release(f->heap, object);
    hwr_release(f->heap, p);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 3);
    assert_int_equal(calls, 1);
    heap_fixture_expect_objects(f, 3);
    assert_int_equal(hwr_garbage_count(f->heap), 3);
    size_t found = 0;
    for (size_t i = 0; i < 3; i++) {
        const void *saved = hwr_garbage(f->heap, i);
        found += saved == object || saved == p || saved == p->a;
    }
    assert_int_equal(found, 3);
    assert_null(hwr_garbage(f->heap, 3));
    assert_null(hwr_garbage(f->heap, SIZE_MAX));
    assert_int_equal(hwr_refcount(f->heap, p), 2);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 0); /* the list holds them */
    hwr_set_debug(f->heap, 0);
    hwr_garbage_clear(f->heap);
    assert_int_equal(hwr_garbage_count(f->heap), 0);
    hwr_garbage_clear(f->heap);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 3);
    assert_int_equal(calls, 1);
    heap_fixture_expect_objects(f, 0);
}

static void drop_itself(hwr_heap *heap, finalized *object) { hwr_set(heap, object, &object->a, NULL); }

/* As in CPython, where it dies in its finalizer, before the collector gets to it. */
static void garbage_that_dies_by_its_count_is_not_saved(void **state) {
    heap_fixture *f = *state;
    for (unsigned flags = 0; flags <= HWR_DEBUG_SAVEALL; flags += HWR_DEBUG_SAVEALL) {
        size_t calls = 0;
        finalized *object = new_finalized(f, &calls);
        object->more = drop_itself;
        hwr_set(f->heap, object, &object->a, (void *)object);
        hwr_release(f->heap, object);
        hwr_set_debug(f->heap, flags);
        assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 0);
        assert_int_equal(hwr_garbage_count(f->heap), 0);
        assert_int_equal(calls, 1);
        heap_fixture_expect_objects(f, 0);
    }
}

static void collect_aloud(void *argument) {
    heap_fixture *f = argument;
    hwr_set_debug(f->heap, HWR_DEBUG_STATS | HWR_DEBUG_COLLECTABLE);
    pair *p = new_cycle(f, 2);
    hwr_release(f->heap, p);
    CHECK(hwr_collect(f->heap, HWR_OLDEST) == 2);
}

static void debug_flags_print_what_is_done(void **state) {
    static death result;
    death_run(&result, collect_aloud, *state);
    if (!death_avoided(&result)) fail_msg("status 0x%x: %s", (unsigned)result.status, result.message);
    if (strstr(result.message, "generation 2") == NULL || strstr(result.message, "2 unreachable") == NULL)
        fail_msg("the collection is not told: %s", result.message);
    const char *first = strstr(result.message, "<pair 0x");
    if (first == NULL || strstr(first + 1, "<pair 0x") == NULL)
        fail_msg("the objects found are not named: %s", result.message);
}

int main(void) {
    static const heap_test tests[] = {
        HEAP_TEST(cycles_of_every_length_are_found, HEAP_ANY),
        HEAP_TEST(what_a_cycle_leads_to_goes_with_it, HEAP_ANY),
        HEAP_TEST(what_is_held_from_outside_lives, HEAP_ANY),
        HEAP_TEST(cycles_through_acyclic_types_stay, HEAP_STRESSED),
        HEAP_TEST(large_objects_are_collected, HEAP_ANY),
        HEAP_TEST(finalizers_of_garbage_run_once_and_before_anything_goes, HEAP_ANY),
        HEAP_TEST(one_that_comes_back_keeps_what_it_leads_to, HEAP_ANY),
        HEAP_TEST(a_collection_inside_a_collection_does_nothing, HEAP_ANY),
        HEAP_TEST(other_numbers_are_no_generation, HEAP_ANY),
        HEAP_TEST(survivors_grow_old, HEAP_ANY),
        HEAP_TEST(old_objects_keep_young_ones, HEAP_ANY),
        HEAP_TEST(counts_are_allocations_less_deallocations, HEAP_ANY),
        HEAP_TEST(thresholds_start_as_in_python, HEAP_ANY),
        HEAP_TEST(collections_come_when_they_are_due, HEAP_ANY),
        HEAP_TEST(it_can_be_switched_off, HEAP_ANY),
        HEAP_TEST(full_collections_wait_for_a_quarter, HEAP_ANY),
        HEAP_TEST(statistics_count_what_was_collected, HEAP_ANY),
        HEAP_TEST(callbacks_are_called_at_both_ends, HEAP_ANY),
        HEAP_TEST(frozen_objects_are_left_alone, HEAP_ANY),
        HEAP_TEST(frozen_objects_die_by_their_counts, HEAP_STRESSED),
        HEAP_TEST(tracked_is_what_can_be_in_a_cycle, HEAP_STRESSED),
        HEAP_TEST(referents_are_visited_as_often_as_they_are_referred_to, HEAP_STRESSED),
        HEAP_TEST(referrers_are_found, HEAP_ANY),
        HEAP_TEST(saved_garbage_can_be_looked_at, HEAP_ANY),
        HEAP_TEST(garbage_that_dies_by_its_count_is_not_saved, HEAP_ANY),
        HEAP_TEST(debug_flags_print_what_is_done, HEAP_ANY),
    };
    return heap_fixture_run("collections", tests, sizeof tests / sizeof tests[0]);
}
