/* weak.h on a tracing heap: weak references, their callbacks, tables. What dies is known after a full collection; what is to be called has been called when all finalizers have run. */
#include "object/heap.h"
#include "support/check.h"
#include "support/sanitizer.h"
#include "support/tracing_fixture.h"

#include <stdio.h>
#include <string.h>

static size_t called;
static size_t sum_of_arguments;

static void note_call(hwr_heap *heap, hwr_weak *weak, void *argument) {
    CHECK(hwr_weak_get(heap, weak) == NULL);
    called++;
    if (argument != NULL) sum_of_arguments += ((const twig *)argument)->number;
}

static hwr_weak *new_weak(const tracing_fixture *f, void *object, hwr_weak_callback callback, void *argument) {
    hwr_weak *weak = hwr_weak_new(f->heap, object, callback, argument);
    assert_non_null(weak);
    assert_ptr_equal(hwr_type_of(weak), hwr_weak_type());
    return weak;
}

static void collect_and_call(const tracing_fixture *f) {
    hwr_collect(f->heap, HWR_OLDEST);
    hwr_wait_for_finalizers(f->heap);
}

/* ---- weak references ---- */

static void a_weak_reference_follows_its_object(void **state) {
    tracing_fixture *f = *state;
    make_list(f, 0, 10);
    f->slot[1] = new_weak(f, f->slot[0], NULL, NULL);
    assert_int_equal(hwr_weak_count(f->heap, f->slot[0]), 1);
    for (int i = 0; i < 6; i++) {
        hwr_collect(f->heap, i % 3);
        make_list(f, 2, 100);
        assert_ptr_equal(hwr_weak_get(f->heap, f->slot[1]), f->slot[0]);
    }
    assert_true(is_list(hwr_weak_get(f->heap, f->slot[1]), 10));
}

static void it_is_cleared_when_its_object_dies(void **state) {
    tracing_fixture *f = *state;
    f->slot[0] = new_twig(f, 1);
    f->slot[1] = new_weak(f, f->slot[0], NULL, NULL);
    f->slot[0] = NULL;
    collect_and_call(f);
    assert_null(hwr_weak_get(f->heap, f->slot[1]));
    f->slot[1] = NULL;
    tracing_fixture_expect_objects(f, 0);
}

static void without_a_callback_there_is_one(void **state) {
    tracing_fixture *f = *state;
    f->slot[0] = new_twig(f, 1);
    f->slot[1] = new_weak(f, f->slot[0], NULL, NULL);
    f->slot[2] = new_weak(f, f->slot[0], note_call, NULL);
    f->slot[3] = new_weak(f, f->slot[0], NULL, NULL);
    assert_ptr_equal(f->slot[1], f->slot[3]);
    assert_ptr_not_equal(f->slot[1], f->slot[2]);
    assert_int_equal(hwr_weak_count(f->heap, f->slot[0]), 2);
}

static void callbacks_come_once(void **state) {
    tracing_fixture *f = *state;
    called = sum_of_arguments = 0;
    f->slot[0] = new_twig(f, 0);
    f->slot[1] = new_row(f, 10);
    for (size_t i = 0; i < 10; i++) {
        f->slot[2] = new_twig(f, i + 1);
        hwr_weak *weak = new_weak(f, f->slot[0], note_call, f->slot[2]);
        row *r = f->slot[1];
        hwr_set(f->heap, r, &r->items[i], (void *)weak);
    }
    f->slot[2] = NULL;
    collect_and_call(f);
    assert_int_equal(called, 0);
    f->slot[0] = NULL;
    collect_and_call(f);
    assert_int_equal(called, 10);
    assert_int_equal(sum_of_arguments, 55);
    for (int i = 0; i < 3; i++) collect_and_call(f);
    assert_int_equal(called, 10);
    f->slot[1] = NULL;
    tracing_fixture_expect_objects(f, 0);
}

/* What the kinds allocate in the middle of a change may collect, and calls nobody: the next allocation does. */
static void a_quiet_collection_is_caught_up_with(void **state) {
    tracing_fixture *f = *state;
    called = 0;
    f->slot[0] = new_twig(f, 1);
    f->slot[1] = new_weak(f, f->slot[0], note_call, NULL);
    f->slot[0] = NULL;
    uint64_t before = hwr_collection_count(f->heap, 0);
    while (hwr_collection_count(f->heap, 0) == before) assert_non_null(hwri_traced_quietly(f->heap, &prose_type, 100));
    for (int i = 0; i < 10; i++) assert_non_null(hwri_traced_quietly(f->heap, &prose_type, 100));
    assert_int_equal(called, 0);
    assert_null(hwr_weak_get(f->heap, f->slot[1]));
    uint64_t after = hwr_collection_count(f->heap, 0);
    new_twig(f, 2);
    assert_int_equal(called, 1);
    assert_int_equal(hwr_collection_count(f->heap, 0), after);
}

/* One that is garbage itself does not call. */
static void garbage_does_not_call(void **state) {
    tracing_fixture *f = *state;
    called = 0;
    f->slot[0] = new_twig(f, 0);
    for (size_t i = 0; i < 5; i++) new_weak(f, f->slot[0], note_call, NULL);
    f->slot[0] = NULL;
    collect_and_call(f);
    assert_int_equal(called, 0);
    tracing_fixture_expect_objects(f, 0);
}

static void allocate_in_callback(hwr_heap *heap, hwr_weak *weak, void *argument) {
    (void)weak, (void)argument;
    called++;
    for (size_t i = 0; i < 2000; i++) CHECK(hwr_new(heap, &twig_type) != NULL);
}

static void callbacks_may_use_the_heap(void **state) {
    tracing_fixture *f = *state;
    called = 0;
    make_list(f, 0, 100);
    for (size_t i = 0; i < 5; i++) {
        f->slot[1] = new_twig(f, i);
        f->slot[2 + i] = new_weak(f, f->slot[1], allocate_in_callback, NULL);
    }
    f->slot[1] = NULL;
    collect_and_call(f);
    assert_int_equal(called, 5);
    assert_true(is_list(f->slot[0], 100));
}

/* ---- tables ---- */

static void entries_go_with_their_keys(void **state) {
    tracing_fixture *f = *state;
    enum { COUNT = 200 };
    f->slot[0] = hwr_weak_keys_new(f->heap);
    assert_non_null(f->slot[0]);
    f->slot[1] = new_row(f, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        f->slot[2] = new_twig(f, i);
        f->slot[3] = new_twig(f, 1000 + i);
        assert_true(hwr_weak_keys_set(f->heap, f->slot[0], f->slot[2], f->slot[3]));
        row *r = f->slot[1];
        hwr_set(f->heap, r, &r->items[i], f->slot[2]);
        if (i % 50 == 0) hwr_collect(f->heap, (int)(i / 50 % 3));
    }
    f->slot[2] = f->slot[3] = NULL;
    collect_and_call(f);
    assert_int_equal(hwr_weak_keys_count(f->heap, f->slot[0]), COUNT);
    row *r = f->slot[1];
    for (size_t i = 0; i < COUNT; i += 2) hwr_set(f->heap, r, &r->items[i], NULL);
    collect_and_call(f);
    assert_int_equal(hwr_weak_keys_count(f->heap, f->slot[0]), COUNT / 2);
    for (size_t i = 1; i < COUNT; i += 2) {
        const void *key = ((row *)f->slot[1])->items[i];
        const twig *value = hwr_weak_keys_get(f->heap, f->slot[0], key);
        assert_non_null(value);
        assert_int_equal(value->number, 1000 + i);
    }
    assert_true(hwr_weak_keys_remove(f->heap, f->slot[0], ((row *)f->slot[1])->items[1]));
    assert_false(hwr_weak_keys_remove(f->heap, f->slot[0], ((row *)f->slot[1])->items[1]));
    assert_int_equal(hwr_weak_keys_count(f->heap, f->slot[0]), COUNT / 2 - 1);
    f->slot[0] = f->slot[1] = NULL;
    for (int i = 0; i < 3; i++) collect_and_call(f);
    tracing_fixture_expect_objects(f, 0);
}

static void caches_lose_what_nobody_else_holds(void **state) {
    tracing_fixture *f = *state;
    enum { COUNT = 100 };
    char key[20];
    f->slot[0] = hwr_weak_values_new(f->heap);
    assert_non_null(f->slot[0]);
    f->slot[1] = new_row(f, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        f->slot[2] = new_twig(f, i);
        size_t length = (size_t)snprintf(key, sizeof key, "key %zu", i);
        assert_true(hwr_weak_values_set(f->heap, f->slot[0], key, length, f->slot[2]));
        row *r = f->slot[1];
        if (i % 4 == 0) hwr_set(f->heap, r, &r->items[i], f->slot[2]);
    }
    f->slot[2] = NULL;
    collect_and_call(f);
    assert_int_equal(hwr_weak_values_count(f->heap, f->slot[0]), COUNT / 4);
    for (size_t i = 0; i < COUNT; i++) {
        size_t length = (size_t)snprintf(key, sizeof key, "key %zu", i);
        const twig *value = hwr_weak_values_get(f->heap, f->slot[0], key, length);
        assert_int_equal(value != NULL, i % 4 == 0);
        if (value != NULL) assert_int_equal(value->number, i);
    }
    assert_true(hwr_weak_values_remove(f->heap, f->slot[0], "key 0", 5));
    assert_false(hwr_weak_values_remove(f->heap, f->slot[0], "key 1", 5));
    f->slot[0] = f->slot[1] = NULL;
    for (int i = 0; i < 3; i++) collect_and_call(f);
    tracing_fixture_expect_objects(f, 0);
}

int main(void) {
    static const tracing_test tests[] = {
        TRACING_TEST(a_weak_reference_follows_its_object, TRACING_ANY),
        TRACING_TEST(it_is_cleared_when_its_object_dies, TRACING_EXACT),
        TRACING_TEST(without_a_callback_there_is_one, TRACING_ANY),
        TRACING_TEST(callbacks_come_once, TRACING_EXACT),
        TRACING_TEST(a_quiet_collection_is_caught_up_with, TRACING_EXACT | TRACING_CALM),
        TRACING_TEST(garbage_does_not_call, TRACING_EXACT | TRACING_CALM),
        TRACING_TEST(callbacks_may_use_the_heap, TRACING_EXACT),
        TRACING_TEST(entries_go_with_their_keys, TRACING_EXACT),
        TRACING_TEST(caches_lose_what_nobody_else_holds, TRACING_EXACT),
    };
    return tracing_fixture_run("weak references of tracing heaps", tests, sizeof tests / sizeof tests[0]);
}
