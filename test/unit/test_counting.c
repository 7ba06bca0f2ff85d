/* Counts: retain, release, set, give, handles, counts that outgrow their place, immortal objects. */
#include "support/heap_fixture.h"
#include "support/sanitizer.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_MOST = 4095, MANY = 100000 };

static void expect_count(const heap_fixture *f, const void *object, size_t count) {
    assert_int_equal(hwr_refcount(f->heap, object), count);
}

static void retain_times(const heap_fixture *f, const void *object, size_t times) {
    for (size_t i = 0; i < times; i++) hwr_retain(f->heap, object);
}

static void release_times(const heap_fixture *f, const void *object, size_t times) {
    for (size_t i = 0; i < times; i++) hwr_release(f->heap, object);
}

/* ---- retain and release ---- */

static void an_object_lives_while_somebody_holds_it(void **state) {
    heap_fixture *f = *state;
    size_t calls = 0;
    finalized *object = new_finalized(f, &calls);
    for (size_t held = 1; held < 50; held++) {
        expect_count(f, object, held);
        hwr_retain(f->heap, object);
    }
    for (size_t held = 50; held > 1; held--) {
        expect_count(f, object, held);
        hwr_release(f->heap, object);
        assert_int_equal(calls, 0);
    }
    heap_fixture_expect_objects(f, 1);
    hwr_release(f->heap, object);
    assert_int_equal(calls, 1);
    heap_fixture_expect_objects(f, 0);
}

static void null_is_allowed(void **state) {
    heap_fixture *f = *state;
    hwr_retain(f->heap, NULL);
    hwr_release(f->heap, NULL);
    hwr_handle_free(f->heap, NULL);
    hwr_free(f->heap, NULL);
}

/* ---- set and give ---- */

static void a_field_owns_a_reference(void **state) {
    heap_fixture *f = *state;
    pair *holder = new_pair(f), *x = new_pair(f), *y = new_pair(f);
    hwr_set(f->heap, holder, &holder->a, x);
    assert_ptr_equal(holder->a, x);
    expect_count(f, x, 2);
    hwr_set(f->heap, holder, &holder->a, x); /* the same again */
    expect_count(f, x, 2);
    hwr_set(f->heap, holder, &holder->b, x);
    expect_count(f, x, 3);
    hwr_set(f->heap, holder, &holder->a, y);
    expect_count(f, x, 2);
    expect_count(f, y, 2);
    hwr_set(f->heap, holder, &holder->a, NULL);
    assert_null(holder->a);
    expect_count(f, y, 1);
    hwr_release(f->heap, x);
    heap_fixture_expect_objects(f, 3); /* holder->b keeps x */
    hwr_release(f->heap, holder);
    heap_fixture_expect_objects(f, 1);
    hwr_release(f->heap, y);
    heap_fixture_expect_objects(f, 0);
}

static void give_takes_the_callers_reference(void **state) {
    heap_fixture *f = *state;
    pair *holder = new_pair(f), *x = new_pair(f);
    hwr_give(f->heap, holder, &holder->a, x);
    expect_count(f, x, 1);
    hwr_give(f->heap, holder, &holder->a, new_pair(f)); /* the old one dies */
    heap_fixture_expect_objects(f, 2);
    hwr_give(f->heap, holder, &holder->a, NULL);
    heap_fixture_expect_objects(f, 1);
    hwr_retain(f->heap, holder);
    hwr_give(f->heap, holder, &holder->b, holder);
    expect_count(f, holder, 2);
    hwr_set(f->heap, holder, &holder->b, NULL);
    hwr_release(f->heap, holder);
    heap_fixture_expect_objects(f, 0);
}

static void init_fills_an_empty_field(void **state) {
    heap_fixture *f = *state;
    pair *holder = new_pair(f), *x = new_pair(f);
    hwr_init(f->heap, holder, &holder->a, x);
    hwr_init(f->heap, holder, &holder->b, NULL);
    expect_count(f, x, 1);
    assert_ptr_equal(holder->a, x);
    hwr_release(f->heap, holder);
    heap_fixture_expect_objects(f, 0);
}

/* What a field held last may be all that keeps the new value alive. */
static void a_field_can_be_set_to_what_it_leads_to(void **state) {
    heap_fixture *f = *state;
    pair *list = NULL;
    for (size_t i = 0; i < 10; i++) {
        pair *head = new_pair(f);
        hwr_give(f->heap, head, &head->a, list);
        list = head;
    }
    pair *holder = new_pair(f);
    hwr_give(f->heap, holder, &holder->a, list);
    for (size_t left = 10; left > 0; left--) {
        heap_fixture_expect_objects(f, left + 1);
        hwr_set(f->heap, holder, &holder->a, holder->a->a);
    }
    assert_null(holder->a);
    hwr_release(f->heap, holder);
}

static void setting_a_field_of_its_own_object_makes_a_cycle(void **state) {
    heap_fixture *f = *state;
    pair *p = new_pair(f);
    hwr_set(f->heap, p, &p->a, p);
    expect_count(f, p, 2);
    hwr_release(f->heap, p);
    expect_count(f, p, 1);
    hwr_set(f->heap, p, &p->a, NULL);
    heap_fixture_expect_objects(f, 0);
}

/* ---- every way in which a type may show a reference ---- */

typedef struct mixed {
    void *first;
    uint64_t number;
    void *second, *hidden;
    size_t length;
    void *items[];
} mixed;

static void trace_mixed(void *object, hwr_visitor *visitor) {
    mixed *m = object;
    if (m->number == 1) HWR_VISIT(visitor, m->hidden);
}

static const hwr_type mixed_type =
    HWR_TYPE(mixed, HWR_REFS(mixed, first, second), HWR_REF_ITEMS(mixed, length, items), .trace = trace_mixed);
static const hwr_type acyclic_type =
    HWR_TYPE(mixed, HWR_REFS(mixed, first, second), HWR_REF_ITEMS(mixed, length, items), .trace = trace_mixed,
             .flags = HWR_ACYCLIC);

static void references_of_every_sort_are_given_up(void **state) {
    heap_fixture *f = *state;
    const hwr_type *types[] = {&mixed_type, &acyclic_type};
    for (size_t t = 0; t < 2; t++)
        for (size_t length = 0; length < 200; length = length * 3 + 1) {
            pair *target = new_pair(f);
            mixed *m = hwr_new_items(f->heap, types[t], length);
            assert_non_null(m);
            m->number = 1;
            hwr_set(f->heap, m, &m->first, (void *)target);
            hwr_set(f->heap, m, &m->second, (void *)target);
            hwr_set(f->heap, m, &m->hidden, (void *)target);
            for (size_t i = 0; i < length; i++) hwr_set(f->heap, m, &m->items[i], (void *)target);
            expect_count(f, target, length + 4);
            assert_int_equal(hwr_is_tracked(f->heap, m), t == 0);
            hwr_release(f->heap, m);
            expect_count(f, target, 1);
            hwr_release(f->heap, target);
        }
    heap_fixture_expect_objects(f, 0);
}

static void a_trace_function_may_hide_what_is_no_reference(void **state) {
    heap_fixture *f = *state;
    mixed *m = hwr_new_items(f->heap, &mixed_type, 0);
    assert_non_null(m);
    m->hidden = (void *)(uintptr_t)0x1234567;
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 0);
    assert_true(hwr_heap_verify(f->heap, NULL));
    hwr_release(f->heap, m);
    heap_fixture_expect_objects(f, 0);
}

/* ---- counts that outgrow their place ---- */

static void counts_go_beyond_the_header_and_back(void **state) {
    heap_fixture *f = *state;
    size_t calls = 0;
    finalized *object = new_finalized(f, &calls);
    size_t most = runs_slowly() ? MANY / 5 : MANY;
    for (size_t held = 1; held < most; held++) {
        if (held % 997 == 0 || (held > HEADER_MOST - 3 && held < HEADER_MOST + 3)) expect_count(f, object, held);
        hwr_retain(f->heap, object);
    }
    expect_count(f, object, most);
    assert_true(hwr_heap_verify(f->heap, NULL));
    for (size_t held = most; held > 1; held--) {
        if (held % 997 == 0 || (held > HEADER_MOST - 3 && held < HEADER_MOST + 3)) expect_count(f, object, held);
        hwr_release(f->heap, object);
    }
    expect_count(f, object, 1);
    assert_int_equal(calls, 0);
    hwr_release(f->heap, object);
    assert_int_equal(calls, 1);
    heap_fixture_expect_objects(f, 0);
}

/* Up and down where the count leaves its header, in steps of every size. */
static void counts_cross_the_border_often(void **state) {
    heap_fixture *f = *state;
    pair *p = new_pair(f);
    size_t held = 1;
    for (size_t step = 1; step < 6000; step = step * 3 / 2 + 1) {
        retain_times(f, p, HEADER_MOST - held);
        held = HEADER_MOST;
        for (int i = 0; i < 4; i++) {
            retain_times(f, p, step);
            expect_count(f, p, held + step);
            size_t back = step < held ? 2 * step : step;
            release_times(f, p, back);
            held = held + step - back;
            expect_count(f, p, held);
            retain_times(f, p, back);
            held += back;
            expect_count(f, p, held);
            release_times(f, p, step);
            held -= step;
        }
        release_times(f, p, held - 1);
        held = 1;
        expect_count(f, p, 1);
    }
    hwr_release(f->heap, p);
    heap_fixture_expect_objects(f, 0);
}

static void many_objects_have_many_references(void **state) {
    heap_fixture *f = *state;
    enum { OBJECTS = 100 };
    pair *pairs[OBJECTS];
    for (size_t i = 0; i < OBJECTS; i++) {
        pairs[i] = new_pair(f);
        retain_times(f, pairs[i], HEADER_MOST + i * 50);
    }
    for (size_t i = 0; i < OBJECTS; i++) expect_count(f, pairs[i], HEADER_MOST + i * 50 + 1);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 0);
    assert_true(hwr_heap_verify(f->heap, NULL));
    for (size_t i = 0; i < OBJECTS; i += 2) release_times(f, pairs[i], HEADER_MOST + i * 50 + 1);
    heap_fixture_expect_objects(f, OBJECTS / 2);
    for (size_t i = 1; i < OBJECTS; i += 2) {
        expect_count(f, pairs[i], HEADER_MOST + i * 50 + 1);
        release_times(f, pairs[i], HEADER_MOST + i * 50 + 1);
    }
    heap_fixture_expect_objects(f, 0);
}

/* All references to the object come from objects that are garbage together with it: the collector has to count as far. */
static void garbage_with_many_references_is_found(void **state) {
    heap_fixture *f = *state;
    size_t holders = runs_slowly() ? MANY / 5 : MANY;
    pair *centre = new_pair(f), *last = centre;
    for (size_t i = 0; i < holders; i++) {
        pair *holder = new_pair(f);
        hwr_set(f->heap, holder, &holder->a, centre);
        hwr_give(f->heap, last, &last->b, holder); /* a chain from the centre through all of them */
        last = holder;
    }
    expect_count(f, centre, holders + 1);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 0);
    hwr_release(f->heap, centre);
    expect_count(f, centre, holders);
    assert_true(hwr_heap_verify(f->heap, NULL));
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), holders + 1);
    heap_fixture_expect_objects(f, 0);
}

/* The same with one reference more from outside, at counts around each limit that there may be. */
static void one_reference_from_outside_keeps_all(void **state) {
    heap_fixture *f = *state;
    typedef struct list {
        size_t length;
        void *items[];
    } list;
    static const hwr_type list_type = HWR_TYPE(list, HWR_REF_ITEMS(list, length, items));
    static const size_t lengths[] = {4094, 4095, 4096, 4097, 6143, 6144, 8190, 8191, 8192, 8193, 12288, 65535, 65536};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        if (f->config.checked && lengths[i] > 4097) continue; /* each store looks at all that lies behind the object */
        list *l = hwr_new_items(f->heap, &list_type, lengths[i]);
        assert_non_null(l);
        for (size_t k = 0; k < lengths[i]; k++) hwr_set(f->heap, l, &l->items[k], (void *)l);
        expect_count(f, l, lengths[i] + 1);
        assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 0);
        heap_fixture_expect_objects(f, 1);
        hwr_release(f->heap, l);
        assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 1);
        heap_fixture_expect_objects(f, 0);
    }
}

/* ---- immortal objects ---- */

static void an_immortal_object_cannot_be_released(void **state) {
    heap_fixture *f = *state;
    size_t calls = 0;
    finalized *object = new_finalized(f, &calls);
    assert_true(hwr_make_immortal(f->heap, object));
    expect_count(f, object, HWR_IMMORTAL);
    release_times(f, object, 20000);
    expect_count(f, object, HWR_IMMORTAL);
    retain_times(f, object, 50000);
    expect_count(f, object, HWR_IMMORTAL);
    release_times(f, object, 90000);
    expect_count(f, object, HWR_IMMORTAL);
    assert_true(hwr_make_immortal(f->heap, object)); /* again */
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 0);
    assert_int_equal(calls, 0);
    heap_fixture_expect_objects(f, 1);
}

/* With many references, too, and what it leads to lives. */
static void what_is_immortal_keeps_what_it_refers_to(void **state) {
    heap_fixture *f = *state;
    pair *p = new_cycle(f, 5);
    retain_times(f, p, 10000);
    assert_true(hwr_make_immortal(f->heap, p));
    expect_count(f, p, HWR_IMMORTAL);
    release_times(f, p, 10001);
    expect_count(f, p, HWR_IMMORTAL);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 0);
    heap_fixture_expect_objects(f, 5);
    hwr_set(f->heap, p, &p->a, NULL); /* its fields are as any object's */
    heap_fixture_expect_objects(f, 1);
}

static void untracked_objects_can_be_immortal(void **state) {
    heap_fixture *f = *state;
    static const hwr_type leaf = {.name = "leaf", .size = 40};
    void *object = hwr_new(f->heap, &leaf);
    assert_non_null(object);
    assert_true(hwr_make_immortal(f->heap, object));
    release_times(f, object, 3);
    expect_count(f, object, HWR_IMMORTAL);
    heap_fixture_expect_objects(f, 1);
}

/* ---- handles ---- */

static void a_handle_owns_a_reference(void **state) {
    heap_fixture *f = *state;
    pair *x = new_pair(f), *y = new_pair(f);
    hwr_handle *handle = hwr_handle_new(f->heap, x), *empty = hwr_handle_new(f->heap, NULL);
    assert_non_null(handle);
    assert_non_null(empty);
    assert_ptr_equal(hwr_handle_get(f->heap, handle), x);
    assert_null(hwr_handle_get(f->heap, empty));
    expect_count(f, x, 2);
    hwr_handle_set(f->heap, handle, x);
    expect_count(f, x, 2);
    hwr_handle_set(f->heap, handle, y);
    assert_ptr_equal(hwr_handle_get(f->heap, handle), y);
    expect_count(f, x, 1);
    expect_count(f, y, 2);
    hwr_handle_set(f->heap, empty, y);
    expect_count(f, y, 3);
    hwr_release(f->heap, y);
    hwr_handle_set(f->heap, handle, NULL);
    assert_null(hwr_handle_get(f->heap, handle));
    heap_fixture_expect_objects(f, 2);
    hwr_handle_free(f->heap, empty);
    heap_fixture_expect_objects(f, 1);
    hwr_handle_set(f->heap, handle, x);
    hwr_release(f->heap, x);
    heap_fixture_expect_objects(f, 1);
    hwr_handle_free(f->heap, handle);
    heap_fixture_expect_objects(f, 0);
}

static void what_handles_hold_is_not_garbage(void **state) {
    heap_fixture *f = *state;
    pair *p = new_cycle(f, 10);
    hwr_handle *handle = hwr_handle_new(f->heap, p);
    assert_non_null(handle);
    hwr_release(f->heap, p);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 0);
    heap_fixture_expect_objects(f, 10);
    hwr_handle_free(f->heap, handle);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 10);
    heap_fixture_expect_objects(f, 0);
}

int main(void) {
    static const heap_test tests[] = {
        HEAP_TEST(an_object_lives_while_somebody_holds_it, HEAP_STRESSED),
        HEAP_TEST(null_is_allowed, HEAP_STRESSED),
        HEAP_TEST(a_field_owns_a_reference, HEAP_STRESSED),
        HEAP_TEST(init_fills_an_empty_field, HEAP_STRESSED),
        HEAP_TEST(give_takes_the_callers_reference, HEAP_STRESSED),
        HEAP_TEST(a_field_can_be_set_to_what_it_leads_to, HEAP_STRESSED),
        HEAP_TEST(setting_a_field_of_its_own_object_makes_a_cycle, HEAP_STRESSED),
        HEAP_TEST(references_of_every_sort_are_given_up, HEAP_STRESSED),
        HEAP_TEST(a_trace_function_may_hide_what_is_no_reference, HEAP_STRESSED),
        HEAP_TEST(counts_go_beyond_the_header_and_back, HEAP_ANY),
        HEAP_TEST(counts_cross_the_border_often, HEAP_ANY),
        HEAP_TEST(many_objects_have_many_references, HEAP_ANY),
        HEAP_TEST(garbage_with_many_references_is_found, HEAP_ANY),
        HEAP_TEST(one_reference_from_outside_keeps_all, HEAP_ANY),
        HEAP_TEST(an_immortal_object_cannot_be_released, HEAP_ANY),
        HEAP_TEST(what_is_immortal_keeps_what_it_refers_to, HEAP_ANY),
        HEAP_TEST(untracked_objects_can_be_immortal, HEAP_ANY),
        HEAP_TEST(a_handle_owns_a_reference, HEAP_STRESSED),
        HEAP_TEST(what_handles_hold_is_not_garbage, HEAP_ANY),
    };
    return heap_fixture_run("counts", tests, sizeof tests / sizeof tests[0]);
}
