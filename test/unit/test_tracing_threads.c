/* Threads on a tracing heap: attaching, leaving, waiting for each other; what each of them allocated; what their stacks hold. */
#define _GNU_SOURCE
#include "support/check.h"
#include "support/sanitizer.h"
#include "support/tracing_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 3 };

typedef struct worker {
    pthread_t thread;
    hwr_heap *heap;
    size_t number, rounds, length;
    bool scans;
    uint64_t allocated;
} worker;

typedef struct slots_here {
    hwr_frame frame;
    twig *head, *other;
} slots_here;

/* How much is done: little where a sanitizer makes it slow to collect all the time. */
static size_t rounds_for(const tracing_fixture *f) {
    if (f->config.stress == 0) return 20;
    return runs_slowly() ? 1 : 5;
}

/* Waits for threads as a program on such a heap does: having left. */
static void run_workers(const tracing_fixture *f, worker *workers, size_t count, void *(*work)(void *)) {
    size_t rounds = rounds_for(f);
    for (size_t i = 0; i < count; i++) {
        workers[i] = (worker){.heap = f->heap,
                              .number = i,
                              .rounds = rounds,
                              .length = rounds * 50,
                              .scans = f->config.roots == HWR_ROOTS_STACKS};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    hwr_leave(f->heap);
    for (size_t i = 0; i < count; i++) pthread_join(workers[i].thread, NULL);
    hwr_return(f->heap);
}

static void build_list(hwr_heap *heap, slots_here *here, size_t length) {
    here->head = NULL;
    for (size_t i = length; i > 0; i--) {
        twig *t = hwr_new(heap, &twig_type);
        CHECK(t != NULL);
        t->number = i - 1;
        hwr_init(heap, t, &t->a, here->head);
        here->head = t;
    }
}

/* ---- attaching ---- */

static void *attach_and_build(void *argument) {
    worker *w = argument;
    CHECK(hwr_thread_attach(w->heap));
    CHECK(hwr_thread_attach(w->heap)); /* counted */
    hwr_thread_detach(w->heap);
    slots_here here = {.head = NULL};
    hwr_frame_push(w->heap, &here.frame, 2);
    for (size_t i = 0; i < w->rounds; i++) {
        build_list(w->heap, &here, w->length + w->number);
        if (i % 5 == w->number) hwr_collect(w->heap, (int)(i % 3));
        CHECK(is_list(here.head, w->length + w->number));
    }
    w->allocated = hwr_allocated_bytes_here(w->heap);
    hwr_frame_pop(w->heap, &here.frame);
    if (w->number != 1) hwr_thread_detach(w->heap); /* its end does that, too */
    return NULL;
}

static void threads_allocate_and_collect(void **state) {
    tracing_fixture *f = *state;
    make_list(f, 0, 2000);
    uint64_t before = hwr_allocated_bytes(f->heap, true);
    worker workers[THREADS];
    run_workers(f, workers, THREADS, attach_and_build);
    assert_true(is_list(f->slot[0], 2000));
    uint64_t sum = before;
    for (size_t i = 0; i < THREADS; i++) {
        assert_true(workers[i].allocated >= workers[i].rounds * (workers[i].length + i) * sizeof(twig));
        sum += workers[i].allocated;
    }
    assert_int_equal(hwr_allocated_bytes(f->heap, true), sum);
    tracing_fixture_expect_objects(f, 2000);
}

static void *attach_often(void *argument) {
    worker *w = argument;
    for (size_t i = 0; i < w->rounds * 15; i++) {
        CHECK(hwr_thread_attach(w->heap));
        CHECK(hwr_new(w->heap, &twig_type) != NULL);
        if (i % 50 == w->number) hwr_collect(w->heap, 0);
        hwr_thread_detach(w->heap);
    }
    return NULL;
}

static void threads_come_and_go(void **state) {
    tracing_fixture *f = *state;
    worker workers[THREADS];
    size_t committed = 0;
    for (size_t round = 0; round < 6; round++) {
        run_workers(f, workers, THREADS, attach_often);
        hwr_collect(f->heap, HWR_OLDEST);
        if (round == 1) committed = backend_committed(&f->backend);
    }
    assert_true(backend_committed(&f->backend) <= committed + (4 << 20)); /* nothing is left of those that ended */
    tracing_fixture_expect_objects(f, 0);
}

/* ---- leaving ---- */

static atomic_bool away, may_return;

static void *stay_away(void *argument) {
    worker *w = argument;
    CHECK(hwr_thread_attach(w->heap));
    slots_here here = {.head = NULL};
    hwr_frame_push(w->heap, &here.frame, 2);
    build_list(w->heap, &here, 500);
    twig *local = NULL;
    if (w->scans) {
        local = here.head;
        here.head = NULL;
    }
    hwr_leave(w->heap);
    atomic_store(&away, true);
    while (!atomic_load(&may_return)) usleep(500);
    hwr_return(w->heap);
    CHECK(is_list(w->scans ? local : here.head, 500)); /* what it held when it left has stayed */
    hwr_frame_pop(w->heap, &here.frame);
    return NULL;
}

static void nobody_waits_for_a_thread_that_has_left(void **state) {
    tracing_fixture *f = *state;
    size_t length = rounds_for(f) * 100;
    worker w = {.heap = f->heap, .scans = f->config.roots == HWR_ROOTS_STACKS};
    atomic_store(&away, false);
    atomic_store(&may_return, false);
    assert_int_equal(pthread_create(&w.thread, NULL, stay_away, &w), 0);
    hwr_leave(f->heap);
    while (!atomic_load(&away)) usleep(500);
    hwr_return(f->heap);
    for (int i = 0; i < 6; i++) {
        assert_true(hwr_collect_with(f->heap, i % 3, HWR_COLLECT_FORCED));
        make_list(f, 0, length);
    }
    atomic_store(&may_return, true);
    hwr_leave(f->heap);
    pthread_join(w.thread, NULL);
    hwr_return(f->heap);
    assert_true(is_list(f->slot[0], length));
}

static atomic_size_t polls;

static void *poll_only(void *argument) {
    worker *w = argument;
    CHECK(hwr_thread_attach(w->heap));
    while (!atomic_load(&may_return)) {
        hwr_poll(w->heap);
        atomic_fetch_add_explicit(&polls, 1, memory_order_relaxed);
    }
    hwr_thread_detach(w->heap);
    return NULL;
}

/* One that neither allocates nor leaves lets collections happen by polling. */
static void polling_lets_a_collection_happen(void **state) {
    tracing_fixture *f = *state;
    worker w = {.heap = f->heap};
    atomic_store(&may_return, false);
    atomic_store(&polls, 0);
    assert_int_equal(pthread_create(&w.thread, NULL, poll_only, &w), 0);
    while (atomic_load(&polls) == 0) usleep(100);
    for (int i = 0; i < 20; i++) assert_true(hwr_collect_with(f->heap, i % 3, HWR_COLLECT_FORCED));
    atomic_store(&may_return, true);
    hwr_leave(f->heap);
    pthread_join(w.thread, NULL);
    hwr_return(f->heap);
}

/* ---- sharing ---- */

static row *shared;
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;

static void *share(void *argument) {
    worker *w = argument;
    CHECK(hwr_thread_attach(w->heap));
    slots_here here = {.head = NULL};
    hwr_frame_push(w->heap, &here.frame, 2);
    for (size_t i = 0; i < w->rounds * 20; i++) {
        build_list(w->heap, &here, i % 50);
        if (pthread_mutex_trylock(&shared_lock) != 0) {
            hwr_leave(w->heap);
            pthread_mutex_lock(&shared_lock);
            hwr_return(w->heap);
        }
        size_t at = (i * 7 + w->number * 31) % shared->length;
        const twig *other = shared->items[at];
        if (other != NULL) {
            size_t length = 0;
            for (const twig *t = other; t != NULL; t = t->a) length++;
            CHECK(is_list(other, length));
        }
        hwr_set(w->heap, shared, &shared->items[at], (void *)here.head);
        pthread_mutex_unlock(&shared_lock);
        if (i % 100 == 10 * w->number) hwr_collect(w->heap, (int)(i / 100 % 3));
    }
    hwr_frame_pop(w->heap, &here.frame);
    hwr_thread_detach(w->heap);
    return NULL;
}

static void threads_share_an_old_array(void **state) {
    tracing_fixture *f = *state;
    shared = NULL;
    assert_true(hwr_root_add(f->heap, &shared));
    shared = new_row(f, 600);
    for (int i = 0; i < 3; i++) hwr_collect(f->heap, HWR_OLDEST);
    worker workers[THREADS];
    run_workers(f, workers, THREADS, share);
    hwr_collect(f->heap, HWR_OLDEST);
    for (size_t i = 0; i < shared->length; i++) {
        size_t length = 0;
        for (const twig *t = shared->items[i]; t != NULL; t = t->a) length++;
        assert_true(is_list(shared->items[i], length));
    }
    assert_true(hwr_root_remove(f->heap, &shared));
    shared = NULL;
}

static void *hold_in_locals(void *argument) {
    worker *w = argument;
    CHECK(hwr_thread_attach(w->heap));
    twig *locals[30];
    for (size_t i = 0; i < 30; i++) {
        locals[i] = hwr_new(w->heap, &twig_type);
        CHECK(locals[i] != NULL);
        locals[i]->number = w->number * 1000 + i;
    }
    for (size_t i = 0; i < w->rounds * 1000; i++) CHECK(hwr_new(w->heap, &twig_type) != NULL);
    for (size_t i = 0; i < 30; i++) CHECK(locals[i]->number == w->number * 1000 + i);
    hwr_thread_detach(w->heap);
    return NULL;
}

static void stacks_of_all_threads_are_scanned(void **state) {
    tracing_fixture *f = *state;
    worker workers[THREADS];
    run_workers(f, workers, THREADS, hold_in_locals);
}

/* ---- handles and ids from many threads ---- */

static void *use_handles(void *argument) {
    worker *w = argument;
    CHECK(hwr_thread_attach(w->heap));
    slots_here here = {.head = NULL};
    hwr_frame_push(w->heap, &here.frame, 2);
    for (size_t i = 0; i < w->rounds * 15; i++) {
        build_list(w->heap, &here, 10);
        uint64_t id = hwr_id(w->heap, here.head);
        hwr_handle *strong = hwr_handle_new(w->heap, here.head);
        hwr_handle *weak = hwr_handle_new_kind(w->heap, here.head, HWR_HANDLE_WEAK_SHORT);
        hwr_handle *dependent = hwr_handle_new_dependent(w->heap, here.head, here.head->a);
        CHECK(strong != NULL && weak != NULL && dependent != NULL);
        here.head = NULL;
        if (i % 60 == 20 * w->number) hwr_collect(w->heap, (int)(i / 60 % 3));
        here.head = hwr_handle_get(w->heap, weak);
        CHECK(here.head != NULL && here.head == hwr_handle_get(w->heap, strong) && is_list(here.head, 10));
        CHECK(hwr_handle_second(w->heap, dependent) == here.head->a);
        CHECK(hwr_id(w->heap, here.head) == id);
        hwr_handle_free(w->heap, strong);
        hwr_handle_free(w->heap, weak);
        hwr_handle_free(w->heap, dependent);
    }
    hwr_frame_pop(w->heap, &here.frame);
    hwr_thread_detach(w->heap);
    return NULL;
}

static void handles_may_be_made_by_all(void **state) {
    tracing_fixture *f = *state;
    worker workers[THREADS];
    run_workers(f, workers, THREADS, use_handles);
    tracing_fixture_expect_objects(f, 0);
}

int main(void) {
    static const tracing_test tests[] = {
        TRACING_TEST(threads_allocate_and_collect, TRACING_ANY),
        TRACING_TEST(threads_come_and_go, TRACING_ANY),
        TRACING_TEST(nobody_waits_for_a_thread_that_has_left, TRACING_ANY),
        TRACING_TEST(polling_lets_a_collection_happen, TRACING_ANY),
        TRACING_TEST(threads_share_an_old_array, TRACING_ANY),
        TRACING_TEST(stacks_of_all_threads_are_scanned, TRACING_STACKS),
        TRACING_TEST(handles_may_be_made_by_all, TRACING_ANY),
    };
    return tracing_fixture_run("threads of tracing heaps", tests, sizeof tests / sizeof tests[0]);
}
