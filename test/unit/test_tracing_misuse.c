/* Checked tracing heaps: misuse. Every test runs in a child, which must end by SIGABRT with one line of ours that says what is wrong and which call found it. */
#define _GNU_SOURCE
#include "support/check.h"
#include "support/death.h"
#include "support/sanitizer.h"
#include "support/tracing_fixture.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void expect_death(tracing_fixture *f, void (*body)(void *), const char *what, const char *call) {
    static death result;
    char expected[80];
    death_run(&result, body, f);
    if (!death_by_abort(&result))
        fail_msg("%s: not aborted (status 0x%x), but: %s", what, (unsigned)result.status, result.message);
    if (strncmp(result.message, "heapwright: ", 12) != 0 || strchr(result.message, '\n') == NULL ||
        (strchr(result.message, '\n')[1] != '\0' && !is_emulated()))
        fail_msg("not one line of ours: %s", result.message);
    if (strstr(result.message, what) == NULL) fail_msg("no \"%s\" in the message: %s", what, result.message);
    snprintf(expected, sizeof expected, "found by %s", call);
    if (strstr(result.message, expected) == NULL) fail_msg("no \"%s\" in the message: %s", expected, result.message);
}

static void expect_no_death(tracing_fixture *f, void (*body)(void *)) {
    static death result;
    death_run(&result, body, f);
    if (!death_avoided(&result)) fail_msg("status 0x%x: %s", (unsigned)result.status, result.message);
}

/* ---- objects that are gone, or have moved away ---- */

/* The address of one that no root leads to, after a collection. */
static twig *dead_twig(tracing_fixture *f) {
    twig *t = hwr_new(f->heap, &twig_type);
    CHECK(t != NULL);
    hwr_collect(f->heap, HWR_OLDEST);
    return t;
}

static void store_into_dead(void *argument) {
    tracing_fixture *f = argument;
    twig *t = dead_twig(f);
    hwr_set(f->heap, t, &t->a, t);
}

static void store_dead(void *argument) {
    tracing_fixture *f = argument;
    f->slot[0] = hwr_new(f->heap, &twig_type);
    twig *dead = dead_twig(f), *t = f->slot[0];
    hwr_set(f->heap, t, &t->a, dead);
}

static void give_dead(void *argument) {
    tracing_fixture *f = argument;
    f->slot[0] = hwr_new(f->heap, &twig_type);
    twig *dead = dead_twig(f), *t = f->slot[0];
    hwr_give(f->heap, t, &t->a, dead);
}

static void make_handle(void *argument) {
    tracing_fixture *f = argument;
    hwr_handle_new(f->heap, dead_twig(f));
}

static void set_handle(void *argument) {
    tracing_fixture *f = argument;
    hwr_handle *handle = hwr_handle_new(f->heap, NULL);
    hwr_handle_set(f->heap, handle, dead_twig(f));
}

static void make_weak(void *argument) {
    tracing_fixture *f = argument;
    hwr_weak_new(f->heap, dead_twig(f), NULL, NULL);
}

static void ask_id(void *argument) {
    tracing_fixture *f = argument;
    hwr_id(f->heap, dead_twig(f));
}

static void ask_generation(void *argument) {
    tracing_fixture *f = argument;
    hwr_generation_of(f->heap, dead_twig(f));
}

static void what_has_died_may_not_be_used(void **state) {
    static const struct {
        void (*body)(void *);
        const char *call;
    } cases[] = {{store_into_dead, "hwr_set"},
                 {store_dead, "hwr_set"},
                 {give_dead, "hwr_give"},
                 {make_handle, "hwr_handle"},
                 {set_handle, "hwr_handle_set"},
                 {make_weak, "hwr_weak_new"},
                 {ask_id, "hwr_id"},
                 {ask_generation, "hwr_generation_of"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_death(*state, cases[i].body, "not a living object", cases[i].call);
}

static void write_into_dead(void *argument) {
    tracing_fixture *f = argument;
    dead_twig(f)->number = 1;
    hwr_collect(f->heap, HWR_OLDEST);
}

/* Where objects do not move, only in blocks of which all is dead, or which are those of a tiny heap. */
static void what_has_died_may_not_be_written(void **state) {
    const tracing_fixture *f = *state;
    if (f->config.unmoving && !f->config.tiny) skip();
    expect_death(*state, write_into_dead, "write into an object that has died", "the next collection");
}

/* ---- what never was an object ---- */

static void store_foreign(void *argument) {
    tracing_fixture *f = argument;
    static twig outside[2];
    twig *t = hwr_new(f->heap, &twig_type);
    hwr_set(f->heap, t, &t->a, &outside[1]);
}

static void store_of_another_heap(void *argument) {
    tracing_fixture *f = argument;
    hwr_options options = tracing_fixture_options(f);
    hwr_heap *other = hwr_heap_open(&options);
    twig *foreign = hwr_new(other, &twig_type), *t = hwr_new(f->heap, &twig_type);
    hwr_set(f->heap, t, &t->a, foreign);
}

static void store_the_middle(void *argument) {
    tracing_fixture *f = argument;
    twig *t = hwr_new(f->heap, &twig_type);
    hwr_set(f->heap, t, &t->a, (twig *)(void *)&t->b);
}

static void what_is_no_object_may_not_be_stored(void **state) {
    expect_death(*state, store_foreign, "not a living object", "hwr_set");
    expect_death(*state, store_of_another_heap, "not a living object", "hwr_set");
    expect_death(*state, store_the_middle, "not a living object", "hwr_set");
}

static void store_beside(void *argument) {
    tracing_fixture *f = argument;
    twig *t = hwr_new(f->heap, &twig_type), *other = hwr_new(f->heap, &twig_type);
    hwr_set(f->heap, t, &other->a, t);
}

static void a_field_lies_in_its_object(void **state) { expect_death(*state, store_beside, "outside", "hwr_set"); }

/* ---- threads ---- */

static void *allocate(void *argument) {
    hwr_new(((tracing_fixture *)argument)->heap, &twig_type);
    return NULL;
}

static void allocate_unattached(void *argument) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, allocate, argument) == 0);
    hwr_leave(((tracing_fixture *)argument)->heap);
    pthread_join(thread, NULL);
}

static void allocate_away(void *argument) {
    tracing_fixture *f = argument;
    hwr_leave(f->heap);
    hwr_new(f->heap, &twig_type);
}

static void a_thread_must_be_attached(void **state) {
    expect_death(*state, allocate_unattached, "not attached", "hwr_new");
    expect_death(*state, allocate_away, "left", "hwr_new");
}

/* ---- stale references that a program has kept outside of all roots ---- */

/* Where everything moves, an address that was kept in no frame is found out at once. */
static void use_stale_local(void *argument) {
    tracing_fixture *f = argument;
    f->slot[0] = hwr_new(f->heap, &twig_type);
    twig *stale = f->slot[0];
    hwr_collect(f->heap, HWR_OLDEST);
    CHECK(stale != f->slot[0]);
    hwr_set(f->heap, stale, &stale->a, stale);
}

static void stale_locals_are_found_out(void **state) {
    tracing_fixture *f = *state;
    if (!f->config.move_always) skip();
    expect_death(f, use_stale_local, "not a living object", "hwr_set");
}

/* What a program does that is right is left alone, poison and all. */
static void work(void *argument) {
    tracing_fixture *f = argument;
    for (size_t round = 0; round < 10; round++) {
        f->slot[0] = NULL;
        for (size_t i = 500; i > 0; i--) {
            twig *t = hwr_new(f->heap, &twig_type);
            CHECK(t != NULL);
            t->number = i - 1;
            hwr_init(f->heap, t, &t->a, (twig *)f->slot[0]);
            f->slot[0] = t;
            hwr_retain(f->heap, t);
            hwr_release(f->heap, t);
        }
        hwr_collect(f->heap, (int)(round % 3));
        CHECK(is_list(f->slot[0], 500));
    }
    CHECK(hwr_heap_verify(f->heap, NULL));
}

static void right_programs_live(void **state) { expect_no_death(*state, work); }

int main(void) {
    static const tracing_test tests[] = {
        TRACING_TEST(what_has_died_may_not_be_used, TRACING_CHECKED | TRACING_EXACT),
        TRACING_TEST(what_has_died_may_not_be_written, TRACING_CHECKED | TRACING_EXACT),
        TRACING_TEST(what_is_no_object_may_not_be_stored, TRACING_CHECKED),
        TRACING_TEST(a_field_lies_in_its_object, TRACING_CHECKED | TRACING_CALM),
        TRACING_TEST(a_thread_must_be_attached, TRACING_CHECKED),
        TRACING_TEST(stale_locals_are_found_out, TRACING_CHECKED | TRACING_EXACT),
        TRACING_TEST(right_programs_live, TRACING_CHECKED),
    };
    return tracing_fixture_run("misuse of tracing heaps", tests, sizeof tests / sizeof tests[0]);
}
