/* Regions without collections and notes of collections of everything in the host for .NET, with a policy and a collection of the test's own. */
#define _GNU_SOURCE
#include "collect.h"
#include "collector.h"
#include "fake_runtime.h"
#include "no_gc.h"
#include "notes.h"
#include "support/check.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

clr_collector clr_gc = {.lock = PTHREAD_MUTEX_INITIALIZER, .collecting = PTHREAD_MUTEX_INITIALIZER};

static size_t collections, promised, most;

void clr_collect(int gen, int mode) {
    assert_int_equal(gen, CLR_MAX_GENERATION);
    assert_int_equal(mode, CLR_BLOCKING);
    collections++;
    clr_gc.given = 0;
    clr_no_gc_collected(true);
}

bool clr_policy_promise(uint64_t bytes) {
    if (bytes > most) return false;
    promised = (size_t)bytes;
    return true;
}

void clr_policy_promise_ends(void) { promised = 0; }

/* The runtime takes locks of its own. */
static void check_lock_is_free(void) {
    assert_int_equal(pthread_mutex_trylock(&clr_gc.lock), 0);
    pthread_mutex_unlock(&clr_gc.lock);
}

static int set_up(void **state) {
    (void)state;
    fake_open();
    fake_state.enabling = check_lock_is_free;
    clr_gc.notice = SIZE_MAX;
    clr_gc.given = collections = promised = 0;
    most = 1000;
    clr_no_gc_end();
    return 0;
}

/* Regions */

static void a_region_ends_by_being_ended(void **state) {
    (void)state;
    assert_int_equal(clr_no_gc_end(), CLR_NO_GC_NOT_RUNNING);
    assert_int_equal(clr_no_gc_start(1001, false), CLR_NO_GC_NO_MEMORY);
    assert_false(clr_no_gc_runs());
    assert_int_equal(clr_no_gc_start(1000, false), CLR_NO_GC_STARTED);
    assert_true(clr_no_gc_runs());
    assert_int_equal(collections, 2);
    assert_int_equal(promised, 1000);
    assert_int_equal(clr_no_gc_end(), CLR_NO_GC_ENDED);
    assert_false(clr_no_gc_runs());
    assert_int_equal(promised, 0);
    assert_int_equal(clr_no_gc_end(), CLR_NO_GC_NOT_RUNNING);
    assert_int_equal(clr_no_gc_start(10, true), CLR_NO_GC_STARTED);
    assert_int_equal(collections, 2);
}

static void a_collection_ends_a_region(void **state) {
    (void)state;
    for (int induced = 0; induced < 2; induced++) {
        assert_int_equal(clr_no_gc_start(10, true), CLR_NO_GC_STARTED);
        clr_no_gc_collected(induced);
        assert_false(clr_no_gc_runs());
        clr_no_gc_collected(!induced); /* says nothing more */
        assert_int_equal(clr_no_gc_end(), induced ? CLR_NO_GC_INDUCED : CLR_NO_GC_EXCEEDED);
        assert_int_equal(clr_no_gc_end(), CLR_NO_GC_NOT_RUNNING);
    }
}

static void a_second_start_ends_a_region(void **state) {
    (void)state;
    assert_int_equal(clr_no_gc_start(10, true), CLR_NO_GC_STARTED);
    assert_int_equal(clr_no_gc_start(10, true), CLR_NO_GC_RUNNING);
    assert_false(clr_no_gc_runs());
    assert_int_equal(clr_no_gc_end(), CLR_NO_GC_NOT_RUNNING);
}

static void a_call_comes_when_so_much_was_given(void **state) {
    (void)state;
    clr_no_gc_work work = {0}, other = {0};
    assert_int_equal(clr_no_gc_call(&work, 5), CLR_NO_GC_CALLBACK_NOT_RUNNING);
    clr_no_gc_start(100, true);
    clr_gc.given = 20;
    assert_int_equal(clr_no_gc_call(&work, 101), CLR_NO_GC_CALLBACK_NO_ROOM);
    assert_int_equal(clr_no_gc_call(&work, 19), CLR_NO_GC_CALLBACK_NO_ROOM);
    assert_int_equal(clr_no_gc_call(&work, 50), CLR_NO_GC_CALLBACK_SET);
    assert_int_equal(clr_no_gc_call(&other, 60), CLR_NO_GC_CALLBACK_TWICE);
    assert_int_equal(clr_gc.notice, 50);
    assert_null(clr_no_gc_due());
    assert_int_equal(fake_state.enabled, 0);
    assert_false(clr_no_gc_is_due());
    pthread_mutex_lock(&clr_gc.lock);
    clr_no_gc_given();
    pthread_mutex_unlock(&clr_gc.lock);
    assert_int_equal(fake_state.enabled, 0);
    clr_no_gc_wake();
    assert_int_equal(fake_state.enabled, 1);
    assert_true(clr_no_gc_is_due());
    assert_int_equal(clr_gc.notice, SIZE_MAX);
    assert_ptr_equal(clr_no_gc_due(), &work.work);
    assert_true(work.scheduled && !work.abandoned);
    assert_null(clr_no_gc_due());
    clr_no_gc_wake();
    assert_int_equal(clr_no_gc_end(), CLR_NO_GC_ENDED);
    assert_null(clr_no_gc_due());
    assert_int_equal(fake_state.enabled, 1);
}

static void a_call_that_does_not_come_is_given_back(void **state) {
    (void)state;
    for (int way = 0; way < 2; way++) {
        clr_no_gc_work work = {0};
        clr_no_gc_start(100, true);
        assert_int_equal(clr_no_gc_call(&work, 50), CLR_NO_GC_CALLBACK_SET);
        size_t enabled = fake_state.enabled;
        if (way)
            clr_no_gc_end();
        else
            clr_no_gc_collected(false);
        assert_int_equal(fake_state.enabled, enabled + (size_t)way); /* who collects tells the runtime later */
        assert_ptr_equal(clr_no_gc_due(), &work.work);
        assert_true(work.scheduled && work.abandoned);
        assert_int_equal(clr_gc.notice, SIZE_MAX);
    }
}

/* Notes */

static void nobody_waits_who_is_not_registered(void **state) {
    (void)state;
    assert_int_equal(clr_notes_wait_for_approach(-1), CLR_NOTE_NOT_APPLICABLE);
    assert_int_equal(clr_notes_wait_for_complete(5), CLR_NOTE_NOT_APPLICABLE);
}

static void notes_follow_one_another(void **state) {
    (void)state;
    clr_notes_register(10);
    assert_int_equal(clr_notes_wait_for_approach(1), CLR_NOTE_TIMEOUT);
    clr_notes_of_end(false, 899, 1000);
    assert_int_equal(clr_notes_wait_for_approach(1), CLR_NOTE_TIMEOUT);
    clr_notes_of_end(false, 901, 1000); /* a tenth is left */
    assert_int_equal(clr_notes_wait_for_approach(-1), CLR_NOTE_CAME);
    assert_int_equal(clr_notes_wait_for_complete(1), CLR_NOTE_TIMEOUT);
    clr_notes_of_begin(true);
    clr_notes_of_end(true, 100, 1000);
    assert_int_equal(clr_notes_wait_for_complete(-1), CLR_NOTE_CAME);
    assert_int_equal(clr_notes_wait_for_approach(1), CLR_NOTE_TIMEOUT);
    clr_notes_of_begin(true);
    assert_int_equal(clr_notes_wait_for_approach(-1), CLR_NOTE_CAME);
    assert_int_equal(clr_notes_wait_for_complete(1), CLR_NOTE_TIMEOUT);
    clr_notes_of_end(true, 100, 1000);
    clr_notes_cancel();
}

typedef struct waiting {
    pthread_t thread;
    int approach, complete;
    bool begun;
} waiting;

static void *wait_for_both(void *context) {
    waiting *w = context;
    __atomic_store_n(&w->begun, true, __ATOMIC_RELEASE);
    w->approach = clr_notes_wait_for_approach(-1);
    w->complete = clr_notes_wait_for_complete(-1);
    return NULL;
}

static void start_waiting(waiting *w) {
    *w = (waiting){.approach = -1, .complete = -1};
    assert_int_equal(pthread_create(&w->thread, NULL, wait_for_both, w), 0);
    while (!__atomic_load_n(&w->begun, __ATOMIC_ACQUIRE)) continue;
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

/* Both notes of one collection come while it has the processor: who waits for the first does not miss the second. */
static void a_thread_that_waits_misses_nothing(void **state) {
    (void)state;
    waiting w;
    clr_notes_register(50);
    start_waiting(&w);
    clr_notes_of_begin(true);
    clr_notes_of_end(true, 1, 2);
    assert_int_equal(pthread_join(w.thread, NULL), 0);
    assert_int_equal(w.approach, CLR_NOTE_CAME);
    assert_int_equal(w.complete, CLR_NOTE_CAME);
    clr_notes_cancel();
}

static void a_thread_that_waits_hears_of_the_end(void **state) {
    (void)state;
    waiting w;
    clr_notes_register(50);
    start_waiting(&w);
    clr_notes_cancel();
    assert_int_equal(pthread_join(w.thread, NULL), 0);
    assert_int_equal(w.approach, CLR_NOTE_CANCELLED);
    assert_int_equal(w.complete, CLR_NOTE_NOT_APPLICABLE);
}

#define TEST(function) cmocka_unit_test_setup(function, set_up)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_region_ends_by_being_ended),
        TEST(a_collection_ends_a_region),
        TEST(a_second_start_ends_a_region),
        TEST(a_call_comes_when_so_much_was_given),
        TEST(a_call_that_does_not_come_is_given_back),
        TEST(nobody_waits_who_is_not_registered),
        TEST(notes_follow_one_another),
        TEST(a_thread_that_waits_misses_nothing),
        TEST(a_thread_that_waits_hears_of_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
