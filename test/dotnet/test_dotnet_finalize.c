/* Objects with finalizers in the host for .NET: who is finalized, when, and in which queue. */
#define _GNU_SOURCE
#include "diagnose.h"
#include "fake_runtime.h"
#include "finalize.h"
#include "handles.h"

#include <string.h>

static int set_up(void **state) {
    (void)state;
    fake_open();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fake_close();
    return 0;
}

static clr_object *make_registered(fake *f, const clr_method_table *type) {
    clr_object *object = fake_make(f, type);
    assert_true(clr_finalize_register(object));
    return object;
}

static void what_is_reached_stays_registered(void **state) {
    (void)state;
    fake f;
    clr_object *object = make_registered(&f, &fake_finalizable);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(fake_collect(round & 1, &f, 1, object), 0);
        assert_int_equal(clr_finalize_registered(), 1);
        assert_null(clr_finalize_next());
    }
    assert_int_equal(fake_collect(true, &f, 1, NULL), 1);
    assert_int_equal(clr_finalize_registered(), 0);
    assert_int_equal(clr_finalize_pending(), 1);
    assert_ptr_equal(clr_finalize_next(), object);
    assert_int_equal(clr_finalize_pending(), 0);
    assert_null(clr_finalize_next());
}

static void what_dies_is_reached_once_more(void **state) {
    (void)state;
    fake f[3];
    make_registered(&f[0], &fake_finalizable);
    fake_make(&f[1], &fake_plain);
    make_registered(&f[2], &fake_finalizable);
    f[0].refs[0] = &f[1];
    f[1].refs[1] = &f[2];
    assert_int_equal(fake_collect(true, f, 3, NULL), 2);
    assert_true(f[0].reached && f[1].reached && f[2].reached);
    assert_ptr_equal(clr_finalize_next(), &f[0].object);
    assert_int_equal(fake_collect(true, f, 3, NULL), 0);
    assert_false(f[0].reached || f[1].reached);
    assert_true(f[2].reached);
    assert_ptr_equal(clr_finalize_next(), &f[2].object);
    assert_int_equal(fake_collect(true, f, 3, NULL), 0);
    assert_false(f[2].reached);
}

static void critical_ones_come_last(void **state) {
    (void)state;
    fake f[5];
    for (size_t i = 0; i < 5; i++)
        make_registered(&f[i], i == 1 || i == 2 ? &fake_critical : i == 4 ? &fake_array : &fake_finalizable);
    assert_int_equal(fake_collect(true, f, 5, NULL), 5);
    static const size_t order[] = {0, 3, 4, 1, 2};
    for (size_t i = 0; i < 5; i++) assert_ptr_equal(clr_finalize_next(), &f[order[i]].object);
}

static void suppressed_ones_are_dropped(void **state) {
    (void)state;
    fake f;
    clr_object *object = make_registered(&f, &fake_finalizable);
    clr_finalize_suppress(object);
    clr_finalize_suppress(object);
    assert_int_equal(fake_collect(true, &f, 1, NULL), 0);
    assert_false(f.reached);
    assert_int_equal(clr_finalize_registered(), 0);
    assert_int_equal(f.header, 0);
}

static void one_registered_again_is_finalized_again(void **state) {
    (void)state;
    fake f;
    clr_object *object = make_registered(&f, &fake_finalizable);
    clr_finalize_suppress(object);
    assert_true(clr_finalize_again(object)); /* still registered */
    assert_int_equal(clr_finalize_registered(), 1);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(fake_collect(true, &f, 1, NULL), 1);
        assert_ptr_equal(clr_finalize_next(), object);
        assert_true(clr_finalize_again(object)); /* as a finalizer does */
        assert_int_equal(clr_finalize_registered(), 1);
    }
    clr_finalize_suppress(object);
    assert_int_equal(fake_collect(true, &f, 1, NULL), 0);
}

/* Registered twice, it is finalized twice. */
static void registering_adds_up(void **state) {
    (void)state;
    fake f;
    clr_object *object = make_registered(&f, &fake_finalizable);
    assert_true(clr_finalize_again(object));
    assert_int_equal(fake_collect(true, &f, 1, NULL), 2);
    assert_ptr_equal(clr_finalize_next(), object);
    assert_ptr_equal(clr_finalize_next(), object);
}

static void the_young_are_looked_at_alone(void **state) {
    (void)state;
    enum { OLD = 10000 };
    static fake f[OLD + 1];
    for (size_t i = 0; i < OLD; i++) {
        make_registered(&f[i], &fake_finalizable);
        f[i].reached = true;
    }
    assert_int_equal(fake_collect(false, f, OLD, NULL), 0);
    for (size_t i = 0; i < OLD; i++) f[i].reached = false; /* an engine would not; nobody may look */
    make_registered(&f[OLD], &fake_finalizable);
    fake_state.asked = 0;
    assert_int_equal(fake_collect(false, f, OLD + 1, NULL), 1);
    assert_true(fake_state.asked < 10);
    assert_int_equal(clr_finalize_registered(), OLD);
    assert_ptr_equal(clr_finalize_next(), &f[OLD].object);
    assert_int_equal(fake_collect(true, f, OLD + 1, NULL), OLD);
    for (size_t i = 0; i < OLD; i++) assert_ptr_equal(clr_finalize_next(), &f[i].object);
}

static void weak_references_are_finalized_at_once(void **state) {
    (void)state;
    fake f[2];
    make_registered(&f[0], &fake_eager);
    fake_make(&f[1], &fake_plain);
    fake_state.eager = true;
    fake_state.freed_eagerly = clr_handle_new(&f[1].object, CLR_WEAK_LONG, NULL);
    assert_int_equal(fake_collect(true, f, 2, NULL), 0);
    assert_int_equal(fake_state.eager_count, 1);
    assert_false(f[0].reached);
    assert_int_equal(clr_handle_count(CLR_WEAK_LONG), 0);
    assert_int_equal(clr_finalize_registered(), 0);
}

/* Weak handles: a short one is cleared before the finalizer runs, a long one when nothing is left. */
static void short_and_long_weak_handles_differ(void **state) {
    (void)state;
    fake f;
    clr_object *object = make_registered(&f, &fake_finalizable);
    clr_handle weak_short = clr_handle_new(object, CLR_WEAK_SHORT, NULL),
               weak_long = clr_handle_new(object, CLR_WEAK_LONG, NULL);
    assert_int_equal(fake_collect(true, &f, 1, NULL), 1);
    assert_null(*weak_short);
    assert_ptr_equal(*weak_long, object);
    assert_ptr_equal(clr_finalize_next(), object);
    fake_collect(true, &f, 1, NULL);
    assert_null(*weak_long);
    clr_handle_free(weak_short);
    clr_handle_free(weak_long);
}

/* A first object that a finalizer brings back keeps its second one. */
static void dependents_of_the_resurrected_stay(void **state) {
    (void)state;
    fake f[2];
    clr_object *first = make_registered(&f[0], &fake_finalizable), *second = fake_make(&f[1], &fake_plain);
    clr_handle handle = clr_handle_new(first, CLR_DEPENDENT, second);
    assert_int_equal(fake_collect(true, f, 2, NULL), 1);
    assert_true(f[1].reached);
    assert_ptr_equal(*handle, first);
    assert_ptr_equal(clr_finalize_next(), first);
    fake_collect(true, f, 2, first);
    assert_true(f[1].reached);
    fake_collect(true, f, 2, NULL);
    assert_null(*handle);
    clr_handle_free(handle);
}

/* Queues are taken from and filled in turn, so that both begin in the middle. */
static void many_are_finalized_in_turn(void **state) {
    (void)state;
    enum { EACH = 3000, ROUNDS = 5 };
    static fake f[ROUNDS][EACH];
    size_t taken = 0;
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < EACH; i++) make_registered(&f[round][i], &fake_finalizable);
        assert_int_equal(fake_collect(false, f[round], EACH, NULL), EACH);
        for (size_t i = 0; i < EACH / 2; i++, taken++)
            assert_ptr_equal(clr_finalize_next(), &f[taken / EACH][taken % EACH].object);
        assert_int_equal(clr_finalize_pending(), (round + 1) * EACH - taken);
    }
    for (; taken < ROUNDS * EACH; taken++) assert_ptr_equal(clr_finalize_next(), &f[taken / EACH][taken % EACH].object);
    assert_null(clr_finalize_next());
}

static void without_memory_nothing_is_registered(void **state) {
    (void)state;
    enum { MOST = 1 << 20 };
    static fake f;
    fake_make(&f, &fake_finalizable);
    size_t count = 0;
    fake_fail_memory(true);
    while (count < MOST && clr_finalize_register(&f.object)) count++;
    assert_true(count < MOST);
    assert_int_equal(clr_finalize_registered(), count);
    assert_false(clr_finalize_again(&f.object));
    assert_int_equal(fake_collect(true, &f, 1, NULL), count); /* needs none */
    fake_fail_memory(false);
    for (size_t i = 0; i < count; i++) assert_ptr_equal(clr_finalize_next(), &f.object);
}

static size_t seen_critical, seen_roots, seen_handles, seen_dependents;

static void see_finalizable(bool critical, void *object) {
    assert_non_null(object);
    seen_critical += critical;
}

static void see_root(clr_object **slot, clr_scan *scan, uint32_t flags) {
    assert_non_null(*slot);
    assert_int_equal(flags, 0);
    assert_int_equal(scan->number, 5);
    seen_roots++;
}

static void see_handle(clr_object **slot, clr_object *second, uint32_t flags, clr_scan *scan, bool dependent) {
    assert_non_null(*slot);
    assert_int_equal(scan->number, 5);
    assert_int_equal(flags, dependent ? 0 : 1);
    assert_int_equal(second != NULL, dependent);
    seen_handles += !dependent;
    seen_dependents += dependent;
}

static void profilers_see_queues_and_handles(void **state) {
    (void)state;
    fake f[2];
    make_registered(&f[0], &fake_critical);
    make_registered(&f[1], &fake_finalizable);
    fake_collect(true, f, 2, NULL);
    clr_handle pinned = clr_handle_new(&f[0].object, CLR_PINNED, NULL);
    clr_handle dependent = clr_handle_new(&f[0].object, CLR_DEPENDENT, &f[1].object);
    clr_scan scan = {.number = 5};
    clr_diagnose_finalizable(see_finalizable);
    clr_diagnose_finalizable_roots(see_root, &scan);
    clr_diagnose_handles(see_handle, &scan);
    clr_diagnose_dependents(see_handle, &scan);
    assert_int_equal(seen_critical, 1);
    assert_int_equal(seen_roots, 2);
    assert_int_equal(seen_handles, 1);
    assert_int_equal(seen_dependents, 1);
    clr_handle_free(pinned);
    clr_handle_free(dependent);
    assert_non_null(clr_finalize_next());
    assert_non_null(clr_finalize_next());
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_is_reached_stays_registered),
        TEST(what_dies_is_reached_once_more),
        TEST(critical_ones_come_last),
        TEST(suppressed_ones_are_dropped),
        TEST(one_registered_again_is_finalized_again),
        TEST(registering_adds_up),
        TEST(the_young_are_looked_at_alone),
        TEST(weak_references_are_finalized_at_once),
        TEST(short_and_long_weak_handles_differ),
        TEST(dependents_of_the_resurrected_stay),
        TEST(many_are_finalized_in_turn),
        TEST(without_memory_nothing_is_registered),
        TEST(profilers_see_queues_and_handles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
