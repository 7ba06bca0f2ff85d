/* Finalizers on a tracing heap, one step at a time (`manual_finalizers`) and on a thread of the heap's. */
#define _GNU_SOURCE
#include "heapwright/events.h"
#include "support/check.h"
#include "support/sanitizer.h"
#include "support/tracing_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- an object's life ---- */

static void an_object_is_live_eligible_finalized_collected(void **state) {
    tracing_fixture *f = *state;
    size_t calls = 0;
    f->slot[0] = new_mortal(f, &calls);
    hwr_collect(f->heap, HWR_OLDEST);
    assert_int_equal(hwr_finalizers_pending(f->heap), 0);
    assert_false(hwr_is_finalized(f->heap, f->slot[0]));
    hwr_handle *lng = hwr_handle_new_kind(f->heap, f->slot[0], HWR_HANDLE_WEAK_LONG);
    hwr_handle *shrt = hwr_handle_new_kind(f->heap, f->slot[0], HWR_HANDLE_WEAK_SHORT);
    assert_true(lng != NULL && shrt != NULL);
    f->slot[0] = NULL; /* eligible from now on */
    assert_int_equal(hwr_run_finalizers(f->heap, 0), 0);
    tracing_fixture_expect_objects(f, 1);
    assert_int_equal(hwr_finalizers_pending(f->heap), 1);
    assert_int_equal(calls, 0);
    assert_null(hwr_handle_get(f->heap, shrt));
    assert_non_null(hwr_handle_get(f->heap, lng));
    assert_int_equal(hwr_run_finalizers(f->heap, 0), 1); /* finalized */
    assert_int_equal(calls, 1);
    assert_int_equal(hwr_finalizers_pending(f->heap), 0);
    const mortal *m = hwr_handle_get(f->heap, lng);
    assert_non_null(m);
    assert_true(hwr_is_finalized(f->heap, m));
    tracing_fixture_expect_objects(f, 0); /* collected */
    assert_null(hwr_handle_get(f->heap, lng));
    assert_int_equal(hwr_run_finalizers(f->heap, 0), 0);
    assert_int_equal(calls, 1);
    hwr_handle_free(f->heap, lng);
    hwr_handle_free(f->heap, shrt);
}

static void look_at_all(hwr_heap *heap, mortal *object) {
    (void)heap;
    const twig *list = object->a;
    CHECK(is_list(list, 50));
    CHECK(object->b == object);
}

/* What waits for its finalizer keeps what it leads to, whole. */
static void a_queued_object_keeps_what_it_leads_to(void **state) {
    tracing_fixture *f = *state;
    size_t calls = 0;
    enum { COUNT = 40 };
    for (size_t i = 0; i < COUNT; i++) {
        make_list(f, 1, 50);
        mortal *m = new_mortal(f, &calls);
        m->more = look_at_all;
        hwr_set(f->heap, m, &m->a, f->slot[1]);
        hwr_set(f->heap, m, &m->b, (void *)m);
        f->slot[0] = m;
    }
    f->slot[0] = f->slot[1] = NULL;
    tracing_fixture_expect_objects(f, COUNT * 51);
    for (int generation = 0; generation <= HWR_OLDEST; generation++) {
        hwr_collect(f->heap, generation);
        make_list(f, 1, 300);
    }
    f->slot[1] = NULL;
    assert_int_equal(hwr_finalizers_pending(f->heap), COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(hwr_run_finalizers(f->heap, 1), 1);
        assert_int_equal(hwr_finalizers_pending(f->heap), COUNT - 1 - i);
        if (i % 10 == 0) hwr_collect(f->heap, HWR_OLDEST);
    }
    assert_int_equal(calls, COUNT);
    tracing_fixture_expect_objects(f, 0);
}

/* All that are unreachable are queued at once, those that others of them lead to as well. */
static void chains_are_queued_at_once(void **state) {
    tracing_fixture *f = *state;
    size_t calls = 0;
    for (size_t i = 0; i < 100; i++) {
        mortal *m = new_mortal(f, &calls);
        hwr_set(f->heap, m, &m->a, f->slot[0]);
        f->slot[0] = m;
    }
    f->slot[0] = NULL;
    hwr_collect(f->heap, HWR_OLDEST);
    assert_int_equal(hwr_finalizers_pending(f->heap), 100);
    assert_int_equal(hwr_run_finalizers(f->heap, 0), 100);
    assert_int_equal(calls, 100);
    tracing_fixture_expect_objects(f, 0);
}

static void young_and_old_are_finalized_in_their_collections(void **state) {
    tracing_fixture *f = *state;
    size_t old_calls = 0, young_calls = 0;
    f->slot[0] = new_mortal(f, &old_calls);
    for (int i = 0; i < 3; i++) hwr_collect(f->heap, HWR_OLDEST);
    assert_int_equal(hwr_generation_of(f->heap, f->slot[0]), HWR_OLDEST);
    f->slot[0] = NULL;
    new_mortal(f, &young_calls);
    hwr_collect(f->heap, 0);
    hwr_run_finalizers(f->heap, 0);
    assert_int_equal(young_calls, 1);
    hwr_collect(f->heap, HWR_OLDEST);
    hwr_run_finalizers(f->heap, 0);
    assert_int_equal(old_calls, 1);
    tracing_fixture_expect_objects(f, 0);
}

/* ---- what finalizers do ---- */

static mortal *rescued;

static void come_back(hwr_heap *heap, mortal *object) {
    (void)heap;
    rescued = object;
}

static void a_finalizer_may_bring_its_object_back(void **state) {
    tracing_fixture *f = *state;
    size_t calls = 0;
    rescued = NULL;
    assert_true(hwr_root_add(f->heap, &rescued));
    make_list(f, 1, 20);
    mortal *m = new_mortal(f, &calls);
    m->more = come_back;
    hwr_set(f->heap, m, &m->a, f->slot[1]);
    m = NULL;
    f->slot[1] = NULL;
    for (int round = 0; round < 3; round++) {
        hwr_collect(f->heap, HWR_OLDEST);
        hwr_run_finalizers(f->heap, 0);
        assert_int_equal(calls, 1);
        assert_non_null(rescued);
        assert_true(is_list(rescued->a, 20));
    }
    rescued = NULL; /* for good, and without another call */
    tracing_fixture_expect_objects(f, 0);
    assert_int_equal(hwr_run_finalizers(f->heap, 0), 0);
    assert_int_equal(calls, 1);
    assert_true(hwr_root_remove(f->heap, &rescued));
}

static void be_finalized_again(hwr_heap *heap, mortal *object) {
    if (object->number-- > 0) CHECK(hwr_reregister_finalizer(heap, object));
}

static void a_finalizer_may_register_again(void **state) {
    tracing_fixture *f = *state;
    size_t calls = 0;
    mortal *m = new_mortal(f, &calls);
    m->more = be_finalized_again;
    m->number = 3;
    m = NULL;
    for (size_t i = 1; i < 8; i++) {
        hwr_collect(f->heap, HWR_OLDEST);
        hwr_run_finalizers(f->heap, 0);
        assert_int_equal(calls, i < 4 ? i : 4);
    }
    tracing_fixture_expect_objects(f, 0);
}

static void suppressed_finalizers_are_not_called(void **state) {
    tracing_fixture *f = *state;
    size_t calls = 0;
    f->slot[0] = new_mortal(f, &calls);
    f->slot[1] = new_mortal(f, &calls);
    f->slot[2] = new_twig(f, 0);
    hwr_suppress_finalizer(f->heap, f->slot[0]);
    hwr_suppress_finalizer(f->heap, f->slot[0]);
    hwr_suppress_finalizer(f->heap, f->slot[2]);
    f->slot[0] = f->slot[1] = f->slot[2] = NULL;
    tracing_fixture_expect_objects(f, 1);
    assert_int_equal(hwr_run_finalizers(f->heap, 0), 1);
    assert_int_equal(calls, 1);
    tracing_fixture_expect_objects(f, 0);
}

static void suppressed_finalizers_can_be_registered_again(void **state) {
    tracing_fixture *f = *state;
    size_t calls = 0;
    f->slot[0] = new_mortal(f, &calls);
    f->slot[1] = new_twig(f, 0);
    hwr_suppress_finalizer(f->heap, f->slot[0]);
    hwr_collect(f->heap, HWR_OLDEST);
    assert_true(hwr_reregister_finalizer(f->heap, f->slot[0]));
    assert_false(hwr_reregister_finalizer(f->heap, f->slot[1])); /* has none */
    f->slot[0] = f->slot[1] = NULL;
    hwr_collect(f->heap, HWR_OLDEST);
    assert_int_equal(hwr_run_finalizers(f->heap, 0), 1);
    assert_int_equal(calls, 1);
    tracing_fixture_expect_objects(f, 0);
}

/* A finalizer that is waiting can still be suppressed, by one that is called before it, say. */
static void waiting_finalizers_can_be_suppressed(void **state) {
    tracing_fixture *f = *state;
    size_t calls = 0;
    hwr_handle *handle = hwr_handle_new_kind(f->heap, new_mortal(f, &calls), HWR_HANDLE_WEAK_LONG);
    assert_non_null(handle);
    hwr_collect(f->heap, HWR_OLDEST);
    assert_int_equal(hwr_finalizers_pending(f->heap), 1);
    void *object = hwr_handle_get(f->heap, handle);
    assert_non_null(object);
    hwr_suppress_finalizer(f->heap, object);
    object = NULL;
    hwr_wait_for_finalizers(f->heap);
    assert_int_equal(calls, 0);
    tracing_fixture_expect_objects(f, 0);
    assert_null(hwr_handle_get(f->heap, handle));
    hwr_handle_free(f->heap, handle);
}

/* Once in its life is not enough for one that is brought back and registered by another. */
static void what_came_back_can_be_registered(void **state) {
    tracing_fixture *f = *state;
    size_t calls = 0;
    rescued = NULL;
    assert_true(hwr_root_add(f->heap, &rescued));
    new_mortal(f, &calls)->more = come_back;
    for (size_t round = 1; round <= 4; round++) {
        hwr_collect(f->heap, HWR_OLDEST);
        assert_int_equal(hwr_run_finalizers(f->heap, 0), 1);
        assert_int_equal(calls, round);
        assert_true(hwr_reregister_finalizer(f->heap, rescued));
        rescued = NULL;
    }
    assert_true(hwr_root_remove(f->heap, &rescued));
}

static void allocate_and_collect(hwr_heap *heap, mortal *object) {
    struct {
        hwr_frame frame;
        mortal *object;
        twig *head;
    } here = {.object = object};
    hwr_frame_push(heap, &here.frame, 2);
    for (size_t i = 50; i > 0; i--) {
        twig *t = hwr_new(heap, &twig_type);
        CHECK(t != NULL);
        t->number = i - 1;
        hwr_init(heap, t, &t->a, here.head);
        here.head = t;
    }
    hwr_collect(heap, HWR_OLDEST);
    CHECK(is_list(here.head, 50));
    hwr_set(heap, here.object, &here.object->a, (void *)here.head);
    hwr_collect(heap, 0);
    CHECK(is_list(here.object->a, 50));
    hwr_wait_for_finalizers(heap); /* returns at once */
    hwr_frame_pop(heap, &here.frame);
}

static void finalizers_may_use_the_heap(void **state) {
    tracing_fixture *f = *state;
    size_t calls = 0;
    make_list(f, 0, 100);
    for (size_t i = 0; i < 20; i++) new_mortal(f, &calls)->more = allocate_and_collect;
    hwr_collect(f->heap, HWR_OLDEST);
    hwr_wait_for_finalizers(f->heap);
    assert_int_equal(calls, 20);
    assert_int_equal(hwr_finalizers_pending(f->heap), 0);
    assert_true(is_list(f->slot[0], 100));
    tracing_fixture_expect_objects(f, 100);
}

static size_t born_in_finalizers;

static void beget(hwr_heap *heap, mortal *object) {
    if (object->number == 0) return;
    size_t number = object->number;
    size_t *calls = object->calls;
    mortal *child = hwr_new(heap, &mortal_type);
    CHECK(child != NULL);
    child->calls = calls;
    child->number = number - 1;
    child->more = beget;
    born_in_finalizers++;
    child = NULL;
    hwr_collect(heap, HWR_OLDEST); /* which queues it */
}

/* Waiting includes those that are queued meanwhile. */
static void waiting_takes_what_finalizers_queue(void **state) {
    tracing_fixture *f = *state;
    size_t calls = 0;
    born_in_finalizers = 0;
    mortal *m = new_mortal(f, &calls);
    m->number = 10;
    m->more = beget;
    m = NULL;
    hwr_collect(f->heap, HWR_OLDEST);
    hwr_wait_for_finalizers(f->heap);
    assert_int_equal(born_in_finalizers, 10);
    assert_int_equal(calls, 11);
    assert_int_equal(hwr_finalizers_pending(f->heap), 0);
    tracing_fixture_expect_objects(f, 0);
}

/* ---- order ---- */

static char order[200];

static void note_order(hwr_heap *heap, mortal *object) {
    (void)heap;
    size_t length = strlen(order);
    CHECK(length + 1 < sizeof order);
    order[length] = (char)object->number;
}

static void new_noted(const tracing_fixture *f, char name) {
    mortal *m = hwr_new(f->heap, name >= 'a' ? &mortal_type : &critical_type);
    assert_non_null(m);
    m->number = (size_t)name;
    m->more = note_order;
}

static void critical_finalizers_come_last(void **state) {
    tracing_fixture *f = *state;
    memset(order, 0, sizeof order);
    for (size_t i = 0; i < 10; i++) {
        new_noted(f, (char)('A' + i));
        new_noted(f, (char)('a' + i));
    }
    hwr_collect(f->heap, HWR_OLDEST);
    assert_int_equal(hwr_finalizers_pending(f->heap), 20);
    assert_int_equal(hwr_run_finalizers(f->heap, 0), 20);
    for (size_t i = 0; i < 20; i++) assert_int_equal(order[i] >= 'a', i < 10);
}

static void finalizers_are_counted_and_told_of(void **state) {
    tracing_fixture *f = *state;
    size_t calls = 0;
    hwr_counters before, after;
    hwr_get_counters(f->heap, &before);
    for (size_t i = 0; i < 7; i++) new_mortal(f, &calls);
    hwr_collect(f->heap, HWR_OLDEST);
    hwr_memory_info info;
    hwr_get_memory_info(f->heap, HWR_INFO_FULL, &info);
    assert_int_equal(info.finalization_pending, 7);
    hwr_run_finalizers(f->heap, 5);
    hwr_get_counters(f->heap, &after);
    assert_int_equal(after.finalizers - before.finalizers, 5);
    hwr_run_finalizers(f->heap, 5);
    hwr_get_counters(f->heap, &after);
    assert_int_equal(after.finalizers - before.finalizers, 7);
}

static void large_objects_and_items_have_finalizers_too(void **state) {
    tracing_fixture *f = *state;
    static const size_t lengths[] = {0, 10, 1000, 30000, 300000};
    static size_t calls[5];
    static hwr_type types[5];
    memset(calls, 0, sizeof calls);
    for (size_t i = 0; i < 5; i++) {
        types[i] = mortal_type;
        types[i].size = (uint32_t)(sizeof(mortal) + lengths[i]);
        mortal *m = hwr_new(f->heap, &types[i]);
        assert_non_null(m);
        m->calls = &calls[i];
    }
    hwr_collect(f->heap, HWR_OLDEST);
    assert_int_equal(hwr_run_finalizers(f->heap, 0), 5);
    for (size_t i = 0; i < 5; i++) assert_int_equal(calls[i], 1);
    tracing_fixture_expect_objects(f, 0);
}

/* No finalizer runs when a heap is closed; checked by what would follow. */
static void closing_calls_none(void **state) {
    tracing_fixture *f = *state;
    static size_t calls;
    calls = 0;
    hwr_options options = tracing_fixture_options(f);
    hwr_heap *heap = hwr_heap_open(&options);
    assert_non_null(heap);
    for (size_t i = 0; i < 10; i++) {
        mortal *m = hwr_new(heap, &mortal_type);
        assert_non_null(m);
        m->calls = &calls;
        if (i == 5) hwr_collect(heap, HWR_OLDEST);
    }
    hwr_heap_close(heap);
    assert_int_equal(calls, 0);
}

static __attribute__((noinline)) void work_with(const tracing_fixture *f, mortal *object, size_t *calls) {
    twig **content = (twig **)&object->a; /* all that is left of it in a local variable may be this */
    for (size_t i = 0; i < 3000; i++) assert_non_null(hwr_new(f->heap, &twig_type));
    hwr_collect(f->heap, HWR_OLDEST);
    hwr_run_finalizers(f->heap, 0);
    assert_int_equal(*calls, 0);
    assert_null(*content);
    hwr_keep_alive(object);
}

static void keep_alive_keeps_alive(void **state) {
    tracing_fixture *f = *state;
    size_t calls = 0;
    work_with(f, new_mortal(f, &calls), &calls);
}

/* ---- on a thread of the heap's ---- */

static atomic_size_t runs, blocked;
static atomic_bool open_gate;
static pthread_t main_thread;

static void note_run(hwr_heap *heap, void *object) {
    (void)heap, (void)object;
    CHECK(!pthread_equal(pthread_self(), main_thread));
    atomic_fetch_add(&runs, 1);
}

static void block(hwr_heap *heap, void *object) {
    (void)object;
    atomic_fetch_add(&blocked, 1);
    hwr_leave(heap);
    while (!atomic_load(&open_gate)) usleep(1000);
    hwr_return(heap);
    atomic_fetch_sub(&blocked, 1);
}

static const hwr_type running_type = HWR_TYPE(twig, HWR_REFS(twig, a, b), .finalize = note_run);
static const hwr_type blocking_type = HWR_TYPE(twig, HWR_REFS(twig, a, b), .finalize = block);

static hwr_heap *open_with_thread(const tracing_fixture *f) {
    hwr_options options = tracing_fixture_options(f);
    options.manual_finalizers = false;
    hwr_heap *heap = hwr_heap_open(&options);
    assert_non_null(heap);
    runs = blocked = 0;
    open_gate = false;
    main_thread = pthread_self();
    return heap;
}

static __attribute__((noinline)) void make_some(hwr_heap *heap, const hwr_type *type, size_t count) {
    for (size_t i = 0; i < count; i++) assert_non_null(hwr_new(heap, type));
}

static void finalizers_run_on_a_thread(void **state) {
    tracing_fixture *f = *state;
    hwr_heap *heap = open_with_thread(f);
    for (size_t round = 1; round <= 5; round++) {
        make_some(heap, &running_type, 100);
        clear_stack();
        hwr_collect(heap, HWR_OLDEST);
        hwr_wait_for_finalizers(heap);
        assert_int_equal(hwr_finalizers_pending(heap), 0);
        assert_true(runs <= 100 * round);
        if (f->config.roots == HWR_ROOTS_EXACT) assert_int_equal(runs, 100 * round);
    }
    assert_true(runs >= 400);
    hwr_heap_close(heap);
}

/* Without anybody asking, sooner or later. */
static void finalizers_run_by_themselves(void **state) {
    hwr_heap *heap = open_with_thread(*state);
    make_some(heap, &running_type, 50);
    clear_stack();
    hwr_collect(heap, HWR_OLDEST);
    hwr_leave(heap);
    for (int i = 0; i < 5000 && runs < 40; i++) usleep(1000);
    hwr_return(heap);
    assert_true(runs >= 40);
    hwr_wait_for_finalizers(heap);
    hwr_heap_close(heap);
}

static void one_that_blocks_does_not_stop_the_others(void **state) {
    hwr_heap *heap = open_with_thread(*state);
    make_some(heap, &blocking_type, 1);
    for (size_t i = 0; i < 20; i++) make_some(heap, i % 10 == 5 ? &blocking_type : &running_type, 1);
    clear_stack();
    hwr_collect(heap, HWR_OLDEST);
    hwr_leave(heap);
    for (int i = 0; i < 20000 && runs < 17; i++) usleep(1000);
    hwr_return(heap);
    assert_true(runs >= 17);
    assert_true(blocked >= 1);
    make_some(heap, &running_type, 30); /* nor collections, nor others that come later */
    clear_stack();
    hwr_collect(heap, HWR_OLDEST);
    hwr_leave(heap);
    for (int i = 0; i < 20000 && runs < 45; i++) usleep(1000);
    hwr_return(heap);
    assert_true(runs >= 45);
    atomic_store(&open_gate, true);
    hwr_wait_for_finalizers(heap);
    assert_int_equal(hwr_finalizers_pending(heap), 0);
    assert_int_equal(blocked, 0);
    hwr_heap_close(heap);
}

static void a_heap_is_closed_with_finalizers_waiting(void **state) {
    for (size_t i = 0; i < 20; i++) {
        hwr_heap *heap = open_with_thread(*state);
        make_some(heap, &running_type, 200);
        hwr_collect(heap, HWR_OLDEST);
        if (i % 2 == 0) usleep(200);
        hwr_heap_close(heap);
        size_t after = runs;
        usleep(100);
        assert_int_equal(runs, after);
    }
}

int main(void) {
    static const tracing_test tests[] = {
        TRACING_TEST(an_object_is_live_eligible_finalized_collected, TRACING_EXACT | TRACING_CALM),
        TRACING_TEST(a_queued_object_keeps_what_it_leads_to, TRACING_EXACT),
        TRACING_TEST(chains_are_queued_at_once, TRACING_EXACT),
        TRACING_TEST(young_and_old_are_finalized_in_their_collections, TRACING_EXACT | TRACING_CALM),
        TRACING_TEST(a_finalizer_may_bring_its_object_back, TRACING_EXACT),
        TRACING_TEST(a_finalizer_may_register_again, TRACING_EXACT),
        TRACING_TEST(suppressed_finalizers_are_not_called, TRACING_EXACT),
        TRACING_TEST(suppressed_finalizers_can_be_registered_again, TRACING_EXACT),
        TRACING_TEST(waiting_finalizers_can_be_suppressed, TRACING_EXACT),
        TRACING_TEST(what_came_back_can_be_registered, TRACING_EXACT),
        TRACING_TEST(finalizers_may_use_the_heap, TRACING_EXACT),
        TRACING_TEST(waiting_takes_what_finalizers_queue, TRACING_EXACT),
        TRACING_TEST(critical_finalizers_come_last, TRACING_EXACT | TRACING_CALM),
        TRACING_TEST(finalizers_are_counted_and_told_of, TRACING_EXACT | TRACING_CALM),
        TRACING_TEST(large_objects_and_items_have_finalizers_too, TRACING_EXACT),
        TRACING_TEST(closing_calls_none, TRACING_ANY),
        TRACING_TEST(keep_alive_keeps_alive, TRACING_STACKS),
        TRACING_TEST(finalizers_run_on_a_thread, TRACING_ANY),
        TRACING_TEST(finalizers_run_by_themselves, TRACING_ANY),
        TRACING_TEST(one_that_blocks_does_not_stop_the_others, TRACING_ANY),
        TRACING_TEST(a_heap_is_closed_with_finalizers_waiting, TRACING_ANY),
    };
    return tracing_fixture_run("finalizers of tracing heaps", tests, sizeof tests / sizeof tests[0]);
}
