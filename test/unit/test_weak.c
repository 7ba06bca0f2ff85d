/* weak: references that do not keep their object alive, their callbacks, and tables of them. */
#include "support/check.h"
#include "support/heap_fixture.h"
#include "support/sanitizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What callbacks have noted, newest last. */
typedef struct call {
    const hwr_weak *weak;
    const void *argument;
    bool cleared;
} call;

static call calls[100];
static size_t call_count;

static void note_call(hwr_heap *heap, hwr_weak *weak, void *argument) {
    CHECK(call_count < 100);
    calls[call_count++] = (call){weak, argument, hwr_weak_get(heap, weak) == NULL};
}

static hwr_weak *new_weak(const heap_fixture *f, void *object, hwr_weak_callback callback, void *argument) {
    hwr_weak *weak = hwr_weak_new(f->heap, object, callback, argument);
    assert_non_null(weak);
    assert_ptr_equal(hwr_type_of(weak), hwr_weak_type());
    return weak;
}

static void expect_target(const heap_fixture *f, hwr_weak *weak, void *object) {
    void *found = hwr_weak_get(f->heap, weak);
    assert_ptr_equal(found, object);
    hwr_release(f->heap, found);
}

/* ---- weak references ---- */

static void a_weak_reference_is_cleared_when_its_object_dies(void **state) {
    heap_fixture *f = *state;
    pair *p = new_pair(f);
    hwr_weak *weak = new_weak(f, p, NULL, NULL);
    assert_int_equal(hwr_refcount(f->heap, p), 1);
    pair *got = hwr_weak_get(f->heap, weak);
    assert_ptr_equal(got, p);
    assert_int_equal(hwr_refcount(f->heap, p), 2);
    hwr_release(f->heap, p);
    expect_target(f, weak, got);
    hwr_release(f->heap, got);
    expect_target(f, weak, NULL);
    hwr_release(f->heap, weak);
    heap_fixture_expect_objects(f, 0);
}

static void a_weak_reference_may_die_first(void **state) {
    heap_fixture *f = *state;
    pair *p = new_pair(f);
    call_count = 0;
    hwr_weak *weaks[10];
    for (size_t i = 0; i < 10; i++) weaks[i] = new_weak(f, p, note_call, NULL);
    assert_int_equal(hwr_weak_count(f->heap, p), 10);
    for (size_t i = 0; i < 10; i++) hwr_release(f->heap, weaks[i * 7 % 10]);
    assert_int_equal(hwr_weak_count(f->heap, p), 0);
    heap_fixture_expect_objects(f, 1);
    hwr_release(f->heap, p);
    assert_int_equal(call_count, 0);
}

static void without_a_callback_there_is_one(void **state) {
    heap_fixture *f = *state;
    pair *p = new_pair(f);
    hwr_weak *calling = new_weak(f, p, note_call, NULL), *shared = new_weak(f, p, NULL, NULL);
    assert_ptr_equal(new_weak(f, p, NULL, NULL), shared);
    assert_ptr_not_equal(calling, shared);
    assert_int_equal(hwr_refcount(f->heap, shared), 2);
    assert_ptr_not_equal(new_weak(f, p, note_call, NULL), calling);
    assert_int_equal(hwr_weak_count(f->heap, p), 3);
    assert_int_equal(hwr_weak_count(f->heap, shared), 0);
    hwr_release(f->heap, shared);
    hwr_release(f->heap, shared);
    assert_int_equal(hwr_weak_count(f->heap, p), 2);
    hwr_weak *again = new_weak(f, p, NULL, NULL);
    assert_int_equal(hwr_refcount(f->heap, again), 1);
    hwr_release(f->heap, p);
    expect_target(f, again, NULL);
}

static void callbacks_come_newest_first_with_their_arguments(void **state) {
    heap_fixture *f = *state;
    pair *p = new_pair(f), *arguments[5];
    hwr_weak *weaks[5];
    call_count = 0;
    for (size_t i = 0; i < 5; i++) {
        arguments[i] = i == 3 ? NULL : new_pair(f);
        weaks[i] = new_weak(f, p, note_call, arguments[i]);
        if (arguments[i] != NULL) assert_int_equal(hwr_refcount(f->heap, arguments[i]), 2);
        hwr_release(f->heap, arguments[i]);
    }
    hwr_weak *shared = new_weak(f, p, NULL, NULL);
    assert_int_equal(call_count, 0);
    hwr_release(f->heap, p);
    assert_int_equal(call_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_ptr_equal(calls[i].weak, weaks[4 - i]);
        assert_ptr_equal(calls[i].argument, arguments[4 - i]);
        assert_true(calls[i].cleared);
    }
    for (size_t i = 0; i < 5; i++) hwr_release(f->heap, weaks[i]);
    hwr_release(f->heap, shared);
    heap_fixture_expect_objects(f, 0);
}

static void weak_references_to_anything(void **state) {
    heap_fixture *f = *state;
    static const hwr_type leaf = {.name = "leaf", .size = 0};
    static const hwr_type aligned = {.name = "aligned", .size = 16, .alignment = 16};
    void *objects[] = {hwr_new(f->heap, &leaf), hwr_new(f->heap, &aligned), new_pair(f), NULL, NULL};
    objects[3] = new_weak(f, objects[2], NULL, NULL);
    objects[4] = hwr_weak_keys_new(f->heap);
    hwr_weak *weaks[5];
    call_count = 0;
    for (size_t i = 0; i < 5; i++) weaks[i] = new_weak(f, objects[i], note_call, NULL);
    for (size_t i = 0; i < 5; i++) expect_target(f, weaks[i], objects[i]);
    for (size_t i = 0; i < 5; i++) hwr_release(f->heap, objects[4 - i]);
    assert_int_equal(call_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_ptr_equal(calls[i].weak, weaks[4 - i]);
        hwr_release(f->heap, weaks[i]);
    }
    heap_fixture_expect_objects(f, 0);
}

static hwr_weak *kept;

static void bring_back(hwr_heap *heap, finalized *object) {
    CHECK(hwr_weak_get(heap, kept) == object); /* not cleared yet; this is the reference that brings it back */
}

static void a_weak_reference_survives_resurrection_at_zero(void **state) {
    heap_fixture *f = *state;
    finalized *object = new_finalized(f, NULL);
    object->more = bring_back;
    call_count = 0;
    kept = new_weak(f, object, note_call, NULL);
    hwr_release(f->heap, object);
    assert_int_equal(call_count, 0);
    expect_target(f, kept, object);
    hwr_release(f->heap, object);
    assert_int_equal(call_count, 1);
    expect_target(f, kept, NULL);
    hwr_release(f->heap, kept);
    heap_fixture_expect_objects(f, 0);
}

/* ---- what callbacks may do ---- */

static void release_argument_of_all(hwr_heap *heap, hwr_weak *weak, void *argument) {
    note_call(heap, weak, argument);
    hwr_weak **rest = *(hwr_weak ***)argument; /* the argument is an object that says where the others are */
    for (size_t i = 0; i < 4; i++) {
        hwr_release(heap, rest[i]);
        rest[i] = NULL;
    }
}

/* The first callback gives up all other weak references, whose callbacks may or may not come; nothing is touched that is gone. */
static void a_callback_may_release_weak_references(void **state) {
    heap_fixture *f = *state;
    static const hwr_type box = {.name = "box", .size = sizeof(void *)};
    hwr_weak *weaks[4];
    hwr_weak ***argument = hwr_new(f->heap, &box);
    *argument = weaks;
    pair *p = new_pair(f);
    call_count = 0;
    for (size_t i = 0; i < 4; i++) weaks[i] = new_weak(f, p, release_argument_of_all, argument);
    hwr_release(f->heap, p);
    assert_true(call_count >= 1);
    assert_ptr_equal(weaks[0], NULL);
    hwr_release(f->heap, argument);
    heap_fixture_expect_objects(f, 0);
}

static void allocate_and_collect(hwr_heap *heap, hwr_weak *weak, void *argument) {
    note_call(heap, weak, argument);
    for (int i = 0; i < 50; i++) hwr_release(heap, hwr_new(heap, &pair_type));
    hwr_collect(heap, HWR_OLDEST);
    CHECK(hwr_heap_verify(heap, NULL));
    if (argument != NULL) {
        hwr_weak *another = hwr_weak_new(heap, argument, note_call, NULL);
        CHECK(another != NULL);
        hwr_release(heap, another);
    }
}

static void a_callback_may_allocate_and_collect(void **state) {
    heap_fixture *f = *state;
    call_count = 0;
    for (int round = 0; round < 3; round++) {
        pair *p = round == 0 ? new_pair(f) : new_cycle(f, (size_t)round);
        pair *garbage = new_cycle(f, 3), *argument = new_pair(f);
        hwr_weak *weaks[3];
        for (size_t i = 0; i < 3; i++) weaks[i] = new_weak(f, p, allocate_and_collect, i == 1 ? NULL : argument);
        hwr_release(f->heap, garbage);
        hwr_release(f->heap, p);
        hwr_collect(f->heap, HWR_OLDEST);
        assert_int_equal(call_count, 3 * (round + 1));
        for (size_t i = 0; i < 3; i++) hwr_release(f->heap, weaks[i]);
        hwr_release(f->heap, argument);
        heap_fixture_expect_objects(f, 0);
    }
}

/* Making the shared weak reference collects, and the collection's callback makes one to the same object: there must still be only one. */
static pair *wanted_by_both;
static hwr_weak *made_inside;

static void make_shared(hwr_heap *heap, hwr_weak *weak, void *argument) {
    (void)weak;
    (void)argument;
    made_inside = hwr_weak_new(heap, wanted_by_both, NULL, NULL);
    CHECK(made_inside != NULL);
}

static void there_is_one_even_if_making_it_collects(void **state) {
    heap_fixture *f = *state;
    wanted_by_both = new_pair(f);
    made_inside = NULL;
    pair *garbage = new_cycle(f, 2);
    hwr_weak *trigger = new_weak(f, garbage, make_shared, NULL);
    hwr_release(f->heap, garbage);
    hwr_set_threshold(f->heap, (const int[]){1, 1000, 1000});
    hwr_weak *shared = new_weak(f, wanted_by_both, NULL, NULL);
    assert_non_null(made_inside);
    assert_ptr_equal(shared, made_inside);
    assert_int_equal(hwr_weak_count(f->heap, wanted_by_both), 1);
    hwr_release(f->heap, shared);
    hwr_release(f->heap, made_inside);
    hwr_release(f->heap, trigger);
    hwr_release(f->heap, wanted_by_both);
    heap_fixture_expect_objects(f, 0);
}

/* ---- weak references and garbage ---- */

static void weak_references_into_garbage_are_cleared_and_called(void **state) {
    heap_fixture *f = *state;
    pair *p = new_cycle(f, 4);
    call_count = 0;
    hwr_weak *first = new_weak(f, p, note_call, NULL), *second = new_weak(f, p->a, note_call, NULL);
    hwr_weak *shared = new_weak(f, p, NULL, NULL);
    hwr_release(f->heap, p);
    expect_target(f, first, p);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 4);
    assert_int_equal(call_count, 2);
    assert_true(calls[0].cleared && calls[1].cleared);
    expect_target(f, first, NULL);
    expect_target(f, second, NULL);
    expect_target(f, shared, NULL);
    hwr_release(f->heap, first);
    hwr_release(f->heap, second);
    hwr_release(f->heap, shared);
    heap_fixture_expect_objects(f, 0);
}

static void weak_references_that_are_garbage_are_not_called(void **state) {
    heap_fixture *f = *state;
    finalized *object = new_finalized(f, NULL);
    pair *outside = new_pair(f);
    call_count = 0;
    hwr_set(f->heap, object, &object->a, (void *)object);
    hwr_give(f->heap, object, &object->b, (void *)new_weak(f, object, note_call, object));
    hwr_weak *middle = new_weak(f, outside, note_call, object); /* to what lives, but garbage itself */
    pair *holder = new_pair(f);
    hwr_give(f->heap, holder, &holder->a, (pair *)(void *)middle);
    hwr_set(f->heap, holder, &holder->b, holder);
    hwr_release(f->heap, holder);
    hwr_release(f->heap, object);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 4);
    hwr_release(f->heap, outside);
    assert_int_equal(call_count, 0);
    heap_fixture_expect_objects(f, 0);
}

static void an_argument_can_be_part_of_a_cycle(void **state) {
    heap_fixture *f = *state;
    pair *p = new_pair(f), *target = new_pair(f);
    hwr_weak *weak = new_weak(f, target, note_call, p);
    hwr_give(f->heap, p, &p->a, (pair *)(void *)weak);
    hwr_release(f->heap, p);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 2);
    call_count = 0;
    hwr_release(f->heap, target);
    assert_int_equal(call_count, 0);
    heap_fixture_expect_objects(f, 0);
}

static pair *resurrected;

static void keep(hwr_heap *heap, finalized *object) {
    resurrected = object->a;
    hwr_retain(heap, resurrected);
}

static void garbage_that_comes_back_has_no_weak_references(void **state) {
    heap_fixture *f = *state;
    finalized *object = new_finalized(f, NULL);
    object->more = keep;
    pair *p = new_pair(f);
    hwr_set(f->heap, object, &object->a, (void *)p);
    hwr_set(f->heap, p, &p->a, (pair *)(void *)object);
    call_count = 0;
    hwr_weak *weak = new_weak(f, p, note_call, NULL), *to_finalized = new_weak(f, object, note_call, NULL);
    hwr_release(f->heap, p);
    hwr_release(f->heap, object);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 0);
    assert_int_equal(call_count, 2);
    expect_target(f, weak, NULL);
    expect_target(f, to_finalized, NULL);
    assert_int_equal(hwr_weak_count(f->heap, p), 0);
    heap_fixture_expect_objects(f, 4);
    hwr_release(f->heap, resurrected);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 2);
    assert_int_equal(call_count, 2);
    hwr_release(f->heap, weak);
    hwr_release(f->heap, to_finalized);
    heap_fixture_expect_objects(f, 0);
}

static void watch_itself(hwr_heap *heap, finalized *object) {
    kept = hwr_weak_new(heap, object, note_call, NULL);
    CHECK(kept != NULL);
}

/* Made when its object was condemned already. */
static void a_weak_reference_made_by_a_finalizer_is_cleared(void **state) {
    heap_fixture *f = *state;
    for (int round = 0; round < 2; round++) {
        finalized *object = new_finalized(f, NULL);
        object->more = watch_itself;
        call_count = 0;
        if (round == 1) hwr_set(f->heap, object, &object->a, (void *)object);
        hwr_release(f->heap, object);
        assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), round);
        assert_int_equal(call_count, 1);
        expect_target(f, kept, NULL);
        hwr_release(f->heap, kept);
        heap_fixture_expect_objects(f, 0);
    }
}

/* A weak reference is dying, and what it is to is garbage of a collection that its own death has started. */
static void collect_now(hwr_heap *heap, hwr_weak *weak, void *argument) {
    note_call(heap, weak, argument);
    hwr_collect(heap, HWR_OLDEST);
}

static void a_dying_weak_reference_is_not_called_back(void **state) {
    heap_fixture *f = *state;
    pair *garbage = new_cycle(f, 2);
    hwr_weak *dying = new_weak(f, garbage, note_call, NULL);
    hwr_weak *watching = new_weak(f, dying, collect_now, NULL);
    hwr_release(f->heap, garbage);
    call_count = 0;
    hwr_release(f->heap, dying);
    assert_int_equal(call_count, 1);
    assert_ptr_equal(calls[0].weak, watching);
    hwr_release(f->heap, watching);
    heap_fixture_expect_objects(f, 0);
}

static void many_weak_references(void **state) {
    heap_fixture *f = *state;
    enum { OBJECTS = 3000 };
    static pair *pairs[OBJECTS];
    static hwr_weak *weaks[OBJECTS * 2];
    for (size_t i = 0; i < OBJECTS; i++) {
        pairs[i] = new_pair(f);
        weaks[i] = new_weak(f, pairs[i], NULL, NULL);
        weaks[OBJECTS + i] = new_weak(f, pairs[i], note_call, NULL);
    }
    assert_true(hwr_heap_verify(f->heap, NULL));
    for (size_t i = 0; i < OBJECTS; i += 3) hwr_release(f->heap, weaks[i]);
    for (size_t i = 1; i < OBJECTS; i += 2) hwr_release(f->heap, weaks[OBJECTS + i]);
    for (size_t i = 0; i < OBJECTS; i++) {
        call_count = 0;
        assert_int_equal(hwr_weak_count(f->heap, pairs[i]), (size_t)(i % 3 != 0) + (i % 2 == 0));
        hwr_release(f->heap, pairs[i]);
        assert_int_equal(call_count, i % 2 == 0);
        if (i % 3 != 0) hwr_release(f->heap, weaks[i]);
        if (i % 2 == 0) hwr_release(f->heap, weaks[OBJECTS + i]);
    }
    heap_fixture_expect_objects(f, 0);
}

int main(void) {
    static const heap_test tests[] = {
        HEAP_TEST(a_weak_reference_is_cleared_when_its_object_dies, HEAP_STRESSED),
        HEAP_TEST(a_weak_reference_may_die_first, HEAP_STRESSED),
        HEAP_TEST(without_a_callback_there_is_one, HEAP_STRESSED),
        HEAP_TEST(callbacks_come_newest_first_with_their_arguments, HEAP_STRESSED),
        HEAP_TEST(weak_references_to_anything, HEAP_STRESSED),
        HEAP_TEST(a_weak_reference_survives_resurrection_at_zero, HEAP_STRESSED),
        HEAP_TEST(a_callback_may_release_weak_references, HEAP_STRESSED),
        HEAP_TEST(a_callback_may_allocate_and_collect, HEAP_STRESSED),
        HEAP_TEST(there_is_one_even_if_making_it_collects, HEAP_ANY),
        HEAP_TEST(weak_references_into_garbage_are_cleared_and_called, HEAP_ANY),
        HEAP_TEST(weak_references_that_are_garbage_are_not_called, HEAP_ANY),
        HEAP_TEST(an_argument_can_be_part_of_a_cycle, HEAP_ANY),
        HEAP_TEST(garbage_that_comes_back_has_no_weak_references, HEAP_ANY),
        HEAP_TEST(a_weak_reference_made_by_a_finalizer_is_cleared, HEAP_ANY),
        HEAP_TEST(a_dying_weak_reference_is_not_called_back, HEAP_ANY),
        HEAP_TEST(many_weak_references, HEAP_ANY),
    };
    return heap_fixture_run("weak references", tests, sizeof tests / sizeof tests[0]);
}
