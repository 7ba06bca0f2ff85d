/* The same with several threads at once, and without memory. */
#define _POSIX_C_SOURCE 200809L
#include "heapwright/events.h"
#include "support/life_fixture.h"
#include "support/sanitizer.h"

#include <stdio.h>
#include <time.h>

/* ---- several threads ---- */

enum { THREADS = 4, HELD = 50 };

static int rounds_of_each(void) { return getenv("HEAPWRIGHT_STRESS") ? 1000 : 3000; }

static void ignore_call(hwr_heap *h, hwr_weak *w, void *argument) {
    CHECK(h == heap && !hwr_weak_get(h, w) && argument);
}

/* Each thread has a few objects, held by handles of all kinds and entries of the tables that all share, and changes one in each round. */
typedef struct held_by_all {
    hwr_handle *strong, *of_short, *of_long, *dependent, *weak_reference;
    uint64_t id;
    int number;
} held_by_all;

static void let_go_of(held_by_all *h) {
    hwr_handle_free(heap, h->strong);
    hwr_handle_free(heap, h->of_short);
    hwr_handle_free(heap, h->of_long);
    hwr_handle_free(heap, h->dependent);
    hwr_handle_free(heap, h->weak_reference);
}

static void hold_new(held_by_all *h, int number) {
    *h = (held_by_all){.number = number, .strong = new_handle(HWR_HANDLE_STRONG, &mortal_thing, number)};
    h->of_short = hwr_handle_new_kind(heap, hwr_handle_get(heap, h->strong), HWR_HANDLE_WEAK_SHORT);
    h->of_long = hwr_handle_new_kind(heap, hwr_handle_get(heap, h->strong), HWR_HANDLE_WEAK_LONG);
    h->dependent = hwr_handle_new_dependent(heap, hwr_handle_get(heap, h->strong), NULL);
    hwr_handle_set_second(heap, h->dependent, new_thing(&plain_thing, number + 1));
    void *object = hwr_handle_get(heap, h->strong);
    h->weak_reference = hwr_handle_new(heap, hwr_weak_new(heap, object, number % 2 ? NULL : ignore_call, object));
    h->id = hwr_id(heap, hwr_handle_get(heap, h->strong));
    thing *value = new_thing(&plain_thing, number + 2), *key = hwr_handle_get(heap, h->strong);
    CHECK(hwr_weak_keys_set(heap, hwr_handle_get(heap, handles[0]), key, value));
    CHECK(hwr_weak_values_set(heap, hwr_handle_get(heap, handles[1]), &number, sizeof number, key));
}

static void check_held(const held_by_all *h) {
    thing *it = hwr_handle_get(heap, h->strong);
    CHECK(it->number == h->number && hwr_handle_get(heap, h->of_short) == it && hwr_handle_get(heap, h->of_long) == it);
    CHECK(hwr_weak_get(heap, hwr_handle_get(heap, h->weak_reference)) == it && hwr_id(heap, it) == h->id);
    CHECK(second_at(h->dependent) == h->number + 1);
    thing *value = hwr_weak_keys_get(heap, hwr_handle_get(heap, handles[0]), it);
    CHECK(value->number == h->number + 2);
    CHECK(hwr_weak_values_get(heap, hwr_handle_get(heap, handles[1]), &h->number, sizeof h->number) == it);
}

static void *use_everything(void *first) {
    held_by_all held[HELD];
    int number = *(int *)first;
    CHECK(hwr_thread_attach(heap));
    for (int i = 0; i < HELD; i++) hold_new(&held[i], number += 10);
    for (int round = 0, rounds = rounds_of_each(); round < rounds; round++) {
        held_by_all *h = &held[round * 7 % HELD];
        check_held(h);
        let_go_of(h);
        hold_new(h, number += 10);
        if (round % 512 == 0) hwr_collect_with(heap, round / 512 % 3, HWR_COLLECT_DEFAULT);
    }
    for (int i = 0; i < HELD; i++) {
        check_held(&held[i]);
        let_go_of(&held[i]);
    }
    hwr_thread_detach(heap);
    return NULL;
}

static void threads_share_tables_and_finalizers(void **state) {
    (void)state;
    open_heap(false);
    handles[0] = hwr_handle_new(heap, hwr_weak_keys_new(heap));
    handles[1] = hwr_handle_new(heap, hwr_weak_values_new(heap));
    pthread_t threads[THREADS];
    int firsts[THREADS];
    hwr_leave(heap);
    for (int i = 0; i < THREADS; i++) {
        firsts[i] = i * 1000000;
        CHECK(pthread_create(&threads[i], NULL, use_everything, &firsts[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    hwr_return(heap);
    size_t made = (size_t)(THREADS * (rounds_of_each() + HELD));
    finalize_all(made);
    collect_all();
    size_t kept_by_chance =
        roots_of_heap == HWR_ROOTS_STACKS ? THREADS : 0; /* by words on stacks of finalizer threads */
    assert_in_range(noted_by_now() + kept_by_chance, made, made + kept_by_chance);
    assert_in_range(hwr_weak_keys_count(heap, hwr_handle_get(heap, handles[0])), 0, kept_by_chance);
    assert_in_range(hwr_weak_values_count(heap, hwr_handle_get(heap, handles[1])), 0, kept_by_chance);
    free_handles(handles, 2);
    close_heap();
}

/* ---- without memory ---- */

/* Keeps what was made: a list, whose head is a registered slot. */
typedef struct kept {
    struct kept *next;
    void *object;
} kept;
static const hwr_type kept_type = HWR_TYPE(kept, HWR_REFS(kept, next, object));
static kept *all_kept;

static bool keep(void *object) {
    struct {
        hwr_frame frame;
        void *object;
    } here = {.object = object};
    if (!object) return false;
    hwr_frame_push(heap, &here.frame, 1);
    kept *k = hwr_new(heap, &kept_type);
    if (k) {
        hwr_set(heap, k, &k->object, here.object);
        hwr_set(heap, k, &k->next, all_kept);
        all_kept = k;
    }
    hwr_frame_pop(heap, &here.frame);
    return k != NULL;
}

/* Each makes one thing more of its sort, which stays; false without memory. handles[0] is an object, [1] a table of keys, [2] one of values. */
enum { MOST = 100000 };
static hwr_handle *many[MOST];
static size_t many_count;

static bool make_handle(hwr_handle_kind kind) {
    hwr_handle *handle = hwr_handle_new_kind(heap, hwr_handle_get(heap, handles[0]), kind);
    if (handle) many[many_count++] = handle;
    return handle != NULL;
}
static bool one_strong(void) { return make_handle(HWR_HANDLE_STRONG); }
static bool one_short(void) { return make_handle(HWR_HANDLE_WEAK_SHORT); }
static bool one_dependent(void) { return make_handle(HWR_HANDLE_DEPENDENT); }
static bool one_weak(void) {
    void *object = hwr_handle_get(heap, handles[0]);
    return keep(hwr_weak_new(heap, object, note_call, object));
}
static bool one_id(void) {
    static uint64_t last;
    void *object = hwr_new(heap, &plain_thing);
    if (!object || !keep(object)) return false;
    uint64_t id = hwr_id(heap, all_kept->object);
    CHECK(id != last || !id);
    last = id;
    return id != 0;
}
static bool one_key(void) {
    if (!keep(hwr_new(heap, &plain_thing))) return false;
    size_t count = hwr_weak_keys_count(heap, hwr_handle_get(heap, handles[1]));
    bool set = hwr_weak_keys_set(heap, hwr_handle_get(heap, handles[1]), all_kept->object, all_kept);
    CHECK(hwr_weak_keys_count(heap, hwr_handle_get(heap, handles[1])) == count + set);
    CHECK(hwr_weak_keys_get(heap, hwr_handle_get(heap, handles[1]), all_kept->object) == (set ? all_kept : NULL));
    return set;
}
static bool one_value(void) {
    static int number;
    number++;
    void *object = hwr_handle_get(heap, handles[0]);
    size_t count = hwr_weak_values_count(heap, hwr_handle_get(heap, handles[2]));
    bool set = hwr_weak_values_set(heap, hwr_handle_get(heap, handles[2]), &number, sizeof number, object);
    CHECK(hwr_weak_values_count(heap, hwr_handle_get(heap, handles[2])) == count + set);
    return set;
}
static bool one_table(void) { return keep(hwr_weak_keys_new(heap)); }
static bool one_mortal(void) { return keep(hwr_new(heap, &mortal_thing)); }

static void expect_sound(void) {
    const char *problem = "";
    if (!hwr_heap_verify(heap, &problem) && !strstr(problem, "memory")) fail_msg("%s", problem);
}

static void make_first_three(void) {
    handles[0] = new_handle(HWR_HANDLE_STRONG, &plain_thing, 42);
    handles[1] = hwr_handle_new(heap, hwr_weak_keys_new(heap));
    handles[2] = hwr_handle_new(heap, hwr_weak_values_new(heap));
    CHECK(handles[1] && handles[2]);
}

static void without_memory_nothing_is_lost(void **state) {
    (void)state;
    bool (*const makers[])(void) = {one_strong, one_short, one_dependent, one_weak,  one_id,
                                    one_key,    one_value, one_table,     one_mortal};
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
        open_limited_heap(getenv("HEAPWRIGHT_STRESS") ? 2 << 20 : 3 << 20);
        all_kept = NULL;
        many_count = called_count = 0;
        assert_true(hwr_root_add(heap, &all_kept));
        make_first_three();
        size_t made = 0;
        while (made < MOST && makers[i]()) made++;
        assert_in_range(made, 1000, MOST - 1);
        for (int again = 0; again < 5; again++) makers[i]();
        expect_sound();
        for (size_t k = 0; k < many_count; k++) assert_int_equal(number_at(many[k]), 42);
        free_handles(many, many_count);
        many_count = 0;
        for (size_t k = made / 2; k > 0 && all_kept; k--) all_kept = all_kept->next;
        collect_all();
        hwr_wait_for_finalizers(heap);
        collect_all();
        expect_sound();
        /* A checked heap's pools keep what is freed for some time. */
        if (makers[i] != one_value && !getenv("HEAPWRIGHT_DEBUG")) assert_true(makers[i]());
        free_handles(many, many_count);
        all_kept = NULL;
        collect_all();
        hwr_wait_for_finalizers(heap);
        assert_int_equal(called_count, 0);
        assert_true(hwr_root_remove(heap, &all_kept));
        free_handles(handles, 3);
        collect_all();
        expect_sound();
        hwr_heap_close(heap);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_tables_and_finalizers),
        cmocka_unit_test(without_memory_nothing_is_lost),
    };
    int failed = 0;
    for (int exact = 0; exact < 2; exact++) {
        roots_of_heap = exact ? HWR_ROOTS_EXACT : HWR_ROOTS_STACKS;
        failed += cmocka_run_group_tests_name(exact ? "exact roots" : "stacks", tests, NULL, NULL);
    }
    return failed;
}
