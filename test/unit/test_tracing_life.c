/* Handles, weak references, weak tables, ids and finalizers on tracing heaps, with exact roots and with stacks scanned. */
#define _POSIX_C_SOURCE 200809L
#include "heapwright/events.h"
#include "support/life_fixture.h"
#include "support/sanitizer.h"

#include <stdio.h>
#include <time.h>

/* ---- handles ---- */

static void make_of_all_kinds(void) {
    for (int i = 0; i < 4; i++) handles[i] = new_handle((hwr_handle_kind)i, &plain_thing, i);
}

static void strong_and_pinned_handles_keep(void **state) {
    (void)state;
    for (int full = 0; full < 2; full++) {
        open_heap(true);
        apart(make_of_all_kinds);
        uintptr_t pinned = (uintptr_t)hwr_handle_get(heap, handles[HWR_HANDLE_PINNED]);
        for (int round = 0; round < 4; round++) {
            if (full)
                collect_all();
            else
                collect_young();
            assert_int_equal(number_at(handles[HWR_HANDLE_STRONG]), HWR_HANDLE_STRONG);
            assert_int_equal(number_at(handles[HWR_HANDLE_PINNED]), HWR_HANDLE_PINNED);
            assert_int_equal((uintptr_t)hwr_handle_get(heap, handles[HWR_HANDLE_PINNED]), pinned);
            assert_null(hwr_handle_get(heap, handles[HWR_HANDLE_WEAK_SHORT]));
            assert_null(hwr_handle_get(heap, handles[HWR_HANDLE_WEAK_LONG]));
        }
        free_handles(handles, 4);
        close_heap();
    }
}

static void make_weak_to_strong(void) {
    for (int i = 0; i < HANDLES; i++) {
        handles[i] = new_handle(HWR_HANDLE_STRONG, &plain_thing, i);
        hwr_handle_kind kind = i % 2 ? HWR_HANDLE_WEAK_SHORT : HWR_HANDLE_WEAK_LONG;
        weak[i] = hwr_handle_new_kind(heap, hwr_handle_get(heap, handles[i]), kind);
        CHECK(weak[i]);
    }
}

static void weak_handles_follow_their_objects(void **state) {
    (void)state;
    open_heap(true);
    apart(make_weak_to_strong);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < HANDLES; i++) assert_int_equal(number_at(weak[i]), i);
        if (round == 3)
            collect_all();
        else
            collect_young();
    }
    for (int i = 0; i < HANDLES; i += 4) hwr_handle_set(heap, handles[i], NULL);
    collect_all();
    for (int i = 0; i < HANDLES; i++) assert_int_equal(number_at(weak[i]), i % 4 ? i : -1);
    free_handles(handles, HANDLES);
    free_handles(weak, HANDLES);
    close_heap();
}

/* handles[i] holds an old object; set to a young one it must keep that. */
static void set_young(void) {
    for (int i = 0; i < HANDLES; i++) hwr_handle_set(heap, handles[i], new_thing(&plain_thing, -10 - i));
}

static void an_old_handle_keeps_a_young_object(void **state) {
    (void)state;
    open_heap(true);
    apart(make_weak_to_strong);
    collect_all();
    apart(set_young);
    collect_young();
    for (int i = 0; i < HANDLES; i++) assert_int_equal(number_at(handles[i]), -10 - i);
    collect_all();
    for (int i = 0; i < HANDLES; i++) {
        assert_int_equal(number_at(handles[i]), -10 - i);
        assert_int_equal(number_at(weak[i]), -1);
    }
    free_handles(handles, HANDLES);
    free_handles(weak, HANDLES);
    close_heap();
}

/* weak[i] leads from the object of number i to that of number i + 1; only the first is held. In an order that is bad for going through them. */
static void make_chain(void) {
    hwr_handle *held[HANDLES + 1];
    for (int i = 0; i <= HANDLES; i++) held[i] = new_handle(HWR_HANDLE_STRONG, &plain_thing, i);
    for (int k = 0; k < HANDLES; k++) {
        int i = k * 77 % HANDLES;
        weak[i] = hwr_handle_new_dependent(heap, hwr_handle_get(heap, held[i]), hwr_handle_get(heap, held[i + 1]));
        CHECK(weak[i]);
    }
    handles[0] = held[0];
    free_handles(held + 1, HANDLES);
}

static void dependent_handles_keep_while_their_object_lives(void **state) {
    (void)state;
    for (int full = 0; full < 2; full++) {
        open_heap(true);
        apart(make_chain);
        for (int round = 0; round < 4; round++) {
            if (full)
                collect_all();
            else
                collect_young();
            for (int i = 0; i < HANDLES; i++) {
                assert_int_equal(number_at(weak[i]), i);
                assert_int_equal(second_at(weak[i]), i + 1);
            }
        }
        hwr_handle_set(heap, handles[0], NULL);
        collect_all();
        for (int i = 0; i < HANDLES; i++) {
            assert_null(hwr_handle_get(heap, weak[i]));
            assert_null(hwr_handle_second(heap, weak[i]));
        }
        hwr_handle_free(heap, handles[0]);
        free_handles(weak, HANDLES);
        close_heap();
    }
}

static void make_dependent(void) {
    handles[0] = new_handle(HWR_HANDLE_STRONG, &plain_thing, 1);
    handles[1] = hwr_handle_new_dependent(heap, hwr_handle_get(heap, handles[0]), NULL);
    CHECK(handles[1]);
}
static void set_second(void) { hwr_handle_set_second(heap, handles[1], new_thing(&plain_thing, 2)); }

static void an_old_dependent_handle_keeps_a_young_second(void **state) {
    (void)state;
    open_heap(true);
    apart(make_dependent);
    collect_all();
    apart(set_second);
    for (int round = 0; round < 3; round++) {
        collect_young();
        assert_int_equal(second_at(handles[1]), 2);
    }
    hwr_handle_set(heap, handles[1], NULL);
    assert_null(hwr_handle_second(heap, handles[1]));
    hwr_handle_set_second(heap, handles[1], hwr_handle_get(heap, handles[0]));
    assert_null(hwr_handle_second(heap, handles[1]));
    free_handles(handles, 2);
    close_heap();
}

/* ---- finalizers ---- */

static void make_mortal(void) {
    handles[0] = new_handle(HWR_HANDLE_WEAK_SHORT, &mortal_thing, 1);
    handles[1] = new_handle(HWR_HANDLE_WEAK_LONG, &mortal_thing, 2);
}

static void keep_it(thing *it) { hwr_handle_set(heap, handles[2], it); }

static void short_handles_are_cleared_before_finalizers_long_ones_after(void **state) {
    (void)state;
    open_heap(true);
    handles[2] = hwr_handle_new(heap, NULL);
    in_finalizer = keep_it;
    apart(make_mortal);
    collect_young();
    assert_null(hwr_handle_get(heap, handles[0]));
    assert_int_equal(number_at(handles[1]), 2);
    assert_int_equal(hwr_finalizers_pending(heap), 2);
    assert_int_equal(hwr_run_finalizers(heap, 1), 1);
    assert_int_equal(hwr_finalizers_pending(heap), 1);
    assert_int_equal(hwr_run_finalizers(heap, 0), 1);
    assert_int_equal(noted_count, 2);
    hwr_handle_set(heap, handles[2], NULL);
    hwr_handle_set(heap, handles[2], hwr_handle_get(heap, handles[1]));
    collect_all();
    assert_int_equal(number_at(handles[1]), 2);
    assert_true(hwr_is_finalized(heap, hwr_handle_get(heap, handles[1])));
    hwr_counters counters;
    hwr_get_counters(heap, &counters);
    assert_int_equal(counters.finalizers, 2);
    assert_in_range(counters.resurrected, 1, roots_of_heap == HWR_ROOTS_EXACT ? 1 : 2);
    hwr_handle_set(heap, handles[2], NULL);
    assert_int_equal(hwr_finalizers_pending(heap), 0);
    free_handles(handles, 3);
    close_heap();
}

/* A cycle of ten, each with a finalizer: all are queued, none is taken apart. */
static void make_cycle(void) {
    hwr_handle *first = new_handle(HWR_HANDLE_STRONG, &mortal_thing, 0),
               *last = hwr_handle_new(heap, hwr_handle_get(heap, first));
    CHECK(last);
    for (int i = 1; i < 10; i++) {
        thing *it = new_thing(i % 3 ? &mortal_thing : &critical_thing, i), *before = hwr_handle_get(heap, last);
        hwr_set(heap, it, &it->next, before);
        hwr_handle_set(heap, last, it);
    }
    thing *it = hwr_handle_get(heap, first), *before = hwr_handle_get(heap, last);
    hwr_set(heap, it, &it->next, before);
    hwr_handle_free(heap, first);
    hwr_handle_free(heap, last);
}

static void check_next(thing *it) { CHECK(it->next->number == (it->number + 9) % 10); }

static void critical_finalizers_come_last(void **state) {
    (void)state;
    for (int full = 0; full < 3; full++) {
        open_heap(true);
        in_finalizer = check_next;
        apart(make_cycle);
        for (int round = 0; round < full; round++) collect_all(); /* the second time there is nothing to find */
        if (!full) (getenv("HEAPWRIGHT_STRESS") ? collect_all : collect_young)(); /* they may be old by now */
        assert_int_equal(hwr_finalizers_pending(heap), 10);
        collect_young();
        collect_all();
        hwr_wait_for_finalizers(heap);
        assert_int_equal(noted_count, 10);
        for (size_t i = 0; i < 10; i++) assert_int_equal(noted[i] && noted[i] % 3 == 0, i >= 7);
        collect_all();
        assert_int_equal(hwr_finalizers_pending(heap), 0);
        close_heap();
    }
}

static void make_suppressed(void) {
    for (int i = 0; i < 4; i++) {
        handles[i] = new_handle(HWR_HANDLE_WEAK_LONG, &mortal_thing, i);
        if (i) hwr_suppress_finalizer(heap, hwr_handle_get(heap, handles[i]));
    }
    CHECK(hwr_reregister_finalizer(heap, hwr_handle_get(heap, handles[3])));
}

static int comes_back;
static void come_back(thing *it) {
    if (comes_back-- > 0) CHECK(hwr_reregister_finalizer(heap, it));
}

static void finalizers_can_be_suppressed_and_asked_for_again(void **state) {
    (void)state;
    open_heap(true);
    apart(make_suppressed);
    collect_all();
    hwr_wait_for_finalizers(heap);
    assert_int_equal(noted_count, 2);
    assert_int_equal(noted[0] + noted[1], 3);
    assert_null(hwr_handle_get(heap, handles[1]));
    noted_count = 0;
    comes_back = 3;
    in_finalizer = come_back;
    apart(make_mortal);
    for (int round = 0; round < 10; round++) {
        collect_all();
        hwr_wait_for_finalizers(heap);
    }
    assert_int_equal(noted_count, 5);
    thing *plain = new_thing(&plain_thing, 1);
    assert_false(hwr_reregister_finalizer(heap, plain));
    close_heap();
}

enum { MANY = 3000 };
static void make_many_mortal(void) {
    for (int i = 0; i < MANY; i++) new_thing(&mortal_thing, i);
}

static void a_thread_of_the_heap_calls_finalizers(void **state) {
    (void)state;
    open_heap(false);
    apart(make_many_mortal);
    finalize_all(MANY);
    assert_int_equal(noted_count, MANY);
    assert_int_equal(hwr_finalizers_pending(heap), 0);
    apart(make_many_mortal);
    finalize_all(2 * MANY);
    assert_int_equal(noted_count, 2 * MANY);
    close_heap();
}

static pthread_mutex_t blocking = PTHREAD_MUTEX_INITIALIZER;
static void block_sometimes(thing *it) {
    if (it->number % 1500 != 0) return;
    hwr_leave(heap);
    pthread_mutex_lock(&blocking);
    pthread_mutex_unlock(&blocking);
    hwr_return(heap);
}

static void a_finalizer_that_blocks_does_not_stop_the_others(void **state) {
    (void)state;
    open_heap(false);
    in_finalizer = block_sometimes;
    pthread_mutex_lock(&blocking);
    apart(make_many_mortal);
    collect_all();
    for (int wait = 0; wait < 1000 && noted_by_now() < MANY; wait++) {
        hwr_poll(heap);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        if (wait % 4 == 0) collect_all();
    }
    size_t by_now = noted_by_now();
    pthread_mutex_unlock(&blocking);
    assert_int_equal(by_now, MANY);
    hwr_wait_for_finalizers(heap);
    close_heap();
}

static void end_thread_sometimes(thing *it) {
    if (it->number % 100 == 0) pthread_exit(NULL);
}

static void a_finalizer_that_ends_its_thread_does_not_stop_the_others(void **state) {
    (void)state;
    open_heap(false);
    in_finalizer = end_thread_sometimes;
    apart(make_many_mortal);
    finalize_all(MANY);
    assert_int_equal(noted_count, MANY);
    close_heap();
}

/* Those with odd numbers make others with finalizers, which make none. */
enum { OF_FINALIZERS = -2 };
static void allocate_and_collect(thing *it) {
    int number = it->number;
    for (int i = 0; i < 20; i++) new_thing(number % 2 ? &mortal_thing : &plain_thing, OF_FINALIZERS);
    if (number % 64 == 0) collect_young();
    hwr_wait_for_finalizers(heap); /* returns at once */
}

static void finalizers_may_use_the_heap(void **state) {
    (void)state;
    open_heap(false);
    apart(make_many_mortal);
    finalize_all(MANY);
    in_finalizer = allocate_and_collect;
    noted_count = 0;
    for (int i = 0; i < 100; i++) new_thing(&mortal_thing, i);
    finalize_all(100);
    finalize_all(100 + 50 * 20);
    if (roots_of_heap == HWR_ROOTS_EXACT) assert_int_equal(noted_count, 100 + 50 * 20);
    assert_true(noted_by_now() >= 90 + 40 * 20);
    close_heap();
}

/* ---- weak references ---- */

/* handles[0] holds the object; weak[0] and [1] the one without callback, [2] to [4] those with, [5] one that is let go. */
static void make_weak_references(void) {
    handles[0] = new_handle(HWR_HANDLE_STRONG, &plain_thing, 7);
    for (int i = 0; i < 6; i++) {
        hwr_handle *argument = new_handle(HWR_HANDLE_STRONG, &plain_thing, i);
        void *with = i < 2 ? NULL : hwr_handle_get(heap, argument);
        hwr_weak *w = hwr_weak_new(heap, hwr_handle_get(heap, handles[0]), i < 2 ? NULL : note_call, with);
        CHECK(w);
        weak[i] = hwr_handle_new(heap, w);
        CHECK(weak[i]);
        hwr_handle_free(heap, argument);
    }
    hwr_handle_set(heap, weak[5], NULL);
}

OFF_STACK static int target_of(const hwr_handle *handle) {
    const thing *it = hwr_weak_get(heap, hwr_handle_get(heap, handle));
    return it ? it->number : -1;
}

OFF_STACK static size_t weaks_of(const hwr_handle *handle) {
    return hwr_weak_count(heap, hwr_handle_get(heap, handle));
}

static void weak_references_are_cleared_and_called_back(void **state) {
    (void)state;
    for (int full = 0; full < 2; full++) {
        open_heap(true);
        called_count = 0;
        apart(make_weak_references);
        assert_ptr_equal(hwr_handle_get(heap, weak[0]), hwr_handle_get(heap, weak[1]));
        for (int round = 0; round < 3; round++) {
            if (full)
                collect_all();
            else
                collect_young();
            for (int i = 0; i < 5; i++) assert_int_equal(target_of(weak[i]), 7);
        }
        assert_int_equal(weaks_of(handles[0]), 4);
        hwr_handle_set(heap, handles[0], NULL);
        collect_all();
        for (int i = 0; i < 5; i++) assert_int_equal(target_of(weak[i]), -1);
        assert_int_equal(called_count, 3);
        for (int i = 0; i < 3; i++) {
            assert_ptr_equal(called[i], hwr_handle_get(heap, weak[4 - i]));
            assert_int_equal(argument_of[i], 4 - i);
        }
        collect_all();
        assert_int_equal(called_count, 3);
        hwr_handle_free(heap, handles[0]);
        free_handles(weak, 6);
        close_heap();
    }
}

/* ---- weak tables ---- */

/* handles[0] holds the table, the others keys; the value of each leads to its key. */
static void make_keys(void) {
    handles[0] = hwr_handle_new(heap, hwr_weak_keys_new(heap));
    CHECK(handles[0] && hwr_handle_get(heap, handles[0]));
    for (int i = 1; i < HANDLES; i++) {
        handles[i] = new_handle(HWR_HANDLE_STRONG, &plain_thing, i);
        thing *value = new_thing(&plain_thing, 1000 + i), *key = hwr_handle_get(heap, handles[i]);
        hwr_set(heap, value, &value->next, key);
        CHECK(hwr_weak_keys_set(heap, hwr_handle_get(heap, handles[0]), key, value));
    }
}

OFF_STACK static int value_of(int i) {
    const thing *value = hwr_weak_keys_get(heap, hwr_handle_get(heap, handles[0]), hwr_handle_get(heap, handles[i]));
    return value ? value->number : -1;
}

static void a_table_of_keys_is_of_ephemerons(void **state) {
    (void)state;
    open_heap(true);
    apart(make_keys);
    for (int round = 0; round < 5; round++) {
        for (int i = 1; i < HANDLES; i++) assert_int_equal(value_of(i), 1000 + i);
        if (round == 3)
            collect_all();
        else
            collect_young();
    }
    assert_int_equal(hwr_weak_keys_count(heap, hwr_handle_get(heap, handles[0])), HANDLES - 1);
    for (int i = 1; i <= 50; i++) hwr_handle_set(heap, handles[i], NULL);
    collect_all();
    assert_int_equal(hwr_weak_keys_count(heap, hwr_handle_get(heap, handles[0])), HANDLES - 51);
    for (int i = 51; i < HANDLES; i++) assert_int_equal(value_of(i), 1000 + i);
    for (int i = 51; i <= 60; i++)
        assert_true(hwr_weak_keys_remove(heap, hwr_handle_get(heap, handles[0]), hwr_handle_get(heap, handles[i])));
    assert_false(hwr_weak_keys_remove(heap, hwr_handle_get(heap, handles[0]), hwr_handle_get(heap, handles[60])));
    assert_int_equal(value_of(60), -1);
    assert_int_equal(hwr_weak_keys_count(heap, hwr_handle_get(heap, handles[0])), HANDLES - 61);
    hwr_handle_set(heap, handles[0], NULL);
    collect_all();
    free_handles(handles, HANDLES);
    close_heap();
}

OFF_STACK static void set_value(int i, int number) {
    char key[20];
    int size = snprintf(key, sizeof key, "key %d", i);
    handles[i] = new_handle(HWR_HANDLE_STRONG, &plain_thing, number);
    CHECK(hwr_weak_values_set(heap, hwr_handle_get(heap, handles[0]), key, (size_t)size,
                              hwr_handle_get(heap, handles[i])));
}

OFF_STACK static int get_value(int i) {
    char key[20];
    int size = snprintf(key, sizeof key, "key %d", i);
    const thing *it = hwr_weak_values_get(heap, hwr_handle_get(heap, handles[0]), key, (size_t)size);
    return it ? it->number : -1;
}

static void make_values(void) {
    handles[0] = hwr_handle_new(heap, hwr_weak_values_new(heap));
    CHECK(handles[0] && hwr_handle_get(heap, handles[0]));
    for (int i = 1; i < HANDLES; i++) set_value(i, i);
}

static void an_entry_of_a_table_of_values_goes_with_its_value(void **state) {
    (void)state;
    open_heap(true);
    apart(make_values);
    collect_young();
    for (int i = 1; i < HANDLES; i++) assert_int_equal(get_value(i), i);
    for (int i = 1; i <= 50; i++) hwr_handle_set(heap, handles[i], NULL);
    collect_all();
    assert_int_equal(hwr_weak_values_count(heap, hwr_handle_get(heap, handles[0])), HANDLES - 51);
    for (int i = 1; i < HANDLES; i++) assert_int_equal(get_value(i), i > 50 ? i : -1);
    hwr_handle_free(heap, handles[51]);
    set_value(51, 5151);
    assert_int_equal(get_value(51), 5151);
    assert_int_equal(hwr_weak_values_count(heap, hwr_handle_get(heap, handles[0])), HANDLES - 51);
    assert_true(hwr_weak_values_remove(heap, hwr_handle_get(heap, handles[0]), "key 60", 6));
    assert_false(hwr_weak_values_remove(heap, hwr_handle_get(heap, handles[0]), "key 60", 6));
    assert_true(
        hwr_weak_values_set(heap, hwr_handle_get(heap, handles[0]), NULL, 0, hwr_handle_get(heap, handles[60])));
    assert_ptr_equal(hwr_weak_values_get(heap, hwr_handle_get(heap, handles[0]), "", 0),
                     hwr_handle_get(heap, handles[60]));
    free_handles(handles, HANDLES);
    close_heap();
}

/* ---- ids ---- */

static void ids_stay_when_objects_move(void **state) {
    (void)state;
    uint64_t ids[HANDLES];
    open_heap(true);
    apart(make_weak_to_strong);
    for (int i = 0; i < HANDLES; i++) ids[i] = hwr_id(heap, hwr_handle_get(heap, handles[i]));
    for (int round = 0; round < 5; round++) {
        if (round == 3)
            collect_all();
        else
            collect_young();
        for (int i = 0; i < HANDLES; i++) assert_int_equal(hwr_id(heap, hwr_handle_get(heap, handles[i])), ids[i]);
    }
    for (int i = 0; i < HANDLES; i++)
        for (int k = 0; k < i; k++) assert_true(ids[i] != ids[k]);
    free_handles(handles, HANDLES);
    free_handles(weak, HANDLES);
    close_heap();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strong_and_pinned_handles_keep),
        cmocka_unit_test(weak_handles_follow_their_objects),
        cmocka_unit_test(an_old_handle_keeps_a_young_object),
        cmocka_unit_test(dependent_handles_keep_while_their_object_lives),
        cmocka_unit_test(an_old_dependent_handle_keeps_a_young_second),
        cmocka_unit_test(short_handles_are_cleared_before_finalizers_long_ones_after),
        cmocka_unit_test(critical_finalizers_come_last),
        cmocka_unit_test(finalizers_can_be_suppressed_and_asked_for_again),
        cmocka_unit_test(a_thread_of_the_heap_calls_finalizers),
        cmocka_unit_test(a_finalizer_that_blocks_does_not_stop_the_others),
        cmocka_unit_test(a_finalizer_that_ends_its_thread_does_not_stop_the_others),
        cmocka_unit_test(finalizers_may_use_the_heap),
        cmocka_unit_test(weak_references_are_cleared_and_called_back),
        cmocka_unit_test(a_table_of_keys_is_of_ephemerons),
        cmocka_unit_test(an_entry_of_a_table_of_values_goes_with_its_value),
        cmocka_unit_test(ids_stay_when_objects_move),
    };
    int failed = 0;
    for (int exact = 0; exact < 2; exact++) {
        roots_of_heap = exact ? HWR_ROOTS_EXACT : HWR_ROOTS_STACKS;
        failed += cmocka_run_group_tests_name(exact ? "exact roots" : "stacks", tests, NULL, NULL);
    }
    return failed;
}
