/* Frozen segments in the host for .NET, and the version of a runtime. */
#define _GNU_SOURCE
#include "fake_runtime.h"
#include "frozen.h"
#include "runtime.h"
#include "support/check.h"
#include "support/death.h"
#include "support/sanitizer.h"

#include <pthread.h>
#include <string.h>

static int set_up(void **state) {
    (void)state;
    fake_open();
    return 0;
}

static uint8_t memory[4][4096];

static void *add(size_t i, size_t allocated) {
    clr_segment segment = {memory[i], 8, allocated, 4096, 4096};
    void *known = clr_frozen_add(&segment);
    memset(&segment, 0, sizeof segment); /* the caller's, who may forget it */
    assert_non_null(known);
    return known;
}

static void has_what_is_allocated(void **state) {
    (void)state;
    assert_false(clr_frozen_has(memory[0] + 8));
    void *a = add(0, 128), *b = add(2, 8);
    assert_false(clr_frozen_has(memory[0]));
    assert_true(clr_frozen_has(memory[0] + 8));
    assert_true(clr_frozen_has(memory[0] + 127));
    assert_false(clr_frozen_has(memory[0] + 128));
    assert_false(clr_frozen_has(memory[2] + 8));
    clr_frozen_update(b, memory[2] + 4096, memory[2] + 4096);
    assert_true(clr_frozen_has(memory[2] + 4095));
    assert_false(clr_frozen_has(memory[1] + 8));
    assert_false(clr_frozen_has(NULL));
    clr_frozen_remove(a);
    assert_false(clr_frozen_has(memory[0] + 8));
    assert_true(clr_frozen_has(memory[2] + 8));
    void *c = add(3, 64); /* in the place of the first */
    assert_ptr_equal(c, a);
    assert_true(clr_frozen_has(memory[3] + 8));
    assert_false(clr_frozen_has(memory[0] + 8));
    clr_frozen_remove(b);
    clr_frozen_remove(c);
}

static bool ended;

/* Where a segment is there for good, whoever asks hears so, whatever happens to others. */
static void *ask(void *unused) {
    (void)unused;
    while (!__atomic_load_n(&ended, __ATOMIC_ACQUIRE)) {
        CHECK(clr_frozen_has(memory[1] + 100));
        CHECK(!clr_frozen_has(memory[1] + 200));
    }
    return NULL;
}

static void threads_ask_while_segments_come_and_go(void **state) {
    (void)state;
    void *stays = add(1, 128);
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++) assert_int_equal(pthread_create(&threads[i], NULL, ask, NULL), 0);
    for (size_t i = 0; i < 20000; i++) {
        void *a = add(0, 512), *b = add(3, 256);
        clr_frozen_remove(a);
        clr_frozen_update(b, memory[3] + 1024, memory[3] + 1024);
        clr_frozen_remove(b);
    }
    __atomic_store_n(&ended, true, __ATOMIC_RELEASE);
    for (size_t i = 0; i < 2; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    clr_frozen_remove(stays);
}

static void remove_twice(void *unused) {
    (void)unused;
    void *known = add(0, 64);
    clr_frozen_remove(known);
    clr_frozen_remove(known);
}

static void removing_twice_ends_the_process(void **state) {
    (void)state;
    death result;
    death_run(&result, remove_twice, NULL);
    assert_true(death_by_abort(&result));
    assert_non_null(strstr(result.message, "a frozen segment is unregistered twice"));
}

/* This program as a runtime: what stands here is what the real one has in its data. */
__attribute__((used)) static const char version_of_this_program[] = "@(#)Version 12.34.5.6 @Commit: none";

static void a_runtime_has_its_version_in_its_data(void **state) {
    (void)state;
    if (UNDER_ASAN) {
        print_message("skipped: between the variables of this program there is memory that may not be read\n");
        skip();
    }
    unsigned major = 0, minor = 0;
    assert_true(clr_runtime_version(memory, &major, &minor));
    assert_int_equal(major, 12);
    assert_int_equal(minor, 34);
    int local;
    assert_false(clr_runtime_version(&local, &major, &minor)); /* in no module */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(has_what_is_allocated, set_up),
        cmocka_unit_test_setup(threads_ask_while_segments_come_and_go, set_up),
        cmocka_unit_test_setup(removing_twice_ends_the_process, set_up),
        cmocka_unit_test_setup(a_runtime_has_its_version_in_its_data, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
