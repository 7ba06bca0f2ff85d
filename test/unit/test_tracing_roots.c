/* What keeps objects alive on a tracing heap: frames, slots, callbacks, stacks of threads and of coroutines. */
#define _GNU_SOURCE
#include "support/check.h"
#include "support/sanitizer.h"
#include "support/tracing_fixture.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

/* ---- exact roots ---- */

typedef struct three_slots {
    hwr_frame frame;
    twig *x, *y, *z;
} three_slots;

static size_t sum_in_frames(tracing_fixture *f, size_t depth) {
    three_slots here = {.x = NULL};
    hwr_frame_push(f->heap, &here.frame, 3);
    here.x = new_twig(f, depth);
    here.y = new_twig(f, depth * 2);
    hwr_set(f->heap, here.x, &here.x->a, here.y);
    here.y = NULL;
    size_t below = depth > 0 ? sum_in_frames(f, depth - 1) : 0;
    if (depth % 16 == 0) hwr_collect(f->heap, (int)(depth / 16 % 3));
    assert_int_equal(here.x->a->number, 2 * here.x->number);
    size_t sum = below + here.x->number;
    hwr_frame_pop(f->heap, &here.frame);
    return sum;
}

static void frames_keep_what_they_name(void **state) {
    tracing_fixture *f = *state;
    assert_int_equal(sum_in_frames(f, 200), 200 * 201 / 2);
    tracing_fixture_expect_objects(f, 0);
}

static void a_frame_without_slots_is_a_frame(void **state) {
    tracing_fixture *f = *state;
    hwr_frame none;
    hwr_frame_push(f->heap, &none, 0);
    f->slot[0] = new_twig(f, 1);
    tracing_fixture_expect_objects(f, 1);
    hwr_frame_pop(f->heap, &none);
    f->slot[0] = NULL;
    tracing_fixture_expect_objects(f, 0);
}

static void many_slots_of_one_object_stay_equal(void **state) {
    tracing_fixture *f = *state;
    make_list(f, 0, 10);
    for (size_t i = 1; i < TRACING_SLOTS; i++) f->slot[i] = f->slot[i - 1];
    for (int generation = 0; generation <= HWR_OLDEST; generation++) {
        hwr_collect(f->heap, generation);
        for (size_t i = 1; i < TRACING_SLOTS; i++) assert_ptr_equal(f->slot[i], f->slot[0]);
        assert_true(is_list(f->slot[0], 10));
    }
    tracing_fixture_expect_objects(f, 10);
}

static twig *global_slots[300];

static void global_slots_are_roots(void **state) {
    tracing_fixture *f = *state;
    enum { COUNT = 300 };
    for (size_t i = 0; i < COUNT; i++) {
        global_slots[i] = NULL;
        assert_false(hwr_root_remove(f->heap, &global_slots[i]));
        assert_true(hwr_root_add(f->heap, &global_slots[i]));
        assert_false(hwr_root_add(f->heap, &global_slots[i]));
    }
    for (size_t i = 0; i < COUNT; i++) global_slots[i] = new_twig(f, i);
    tracing_fixture_expect_objects(f, COUNT);
    for (size_t i = 0; i < COUNT; i++) assert_int_equal(global_slots[i]->number, i);
    for (size_t i = 0; i < COUNT; i += 2) {
        assert_true(hwr_root_remove(f->heap, &global_slots[i]));
        assert_false(hwr_root_remove(f->heap, &global_slots[i]));
    }
    tracing_fixture_expect_objects(f, COUNT / 2);
    for (size_t i = 1; i < COUNT; i += 2) {
        assert_int_equal(global_slots[i]->number, i);
        assert_true(hwr_root_remove(f->heap, &global_slots[i]));
    }
    tracing_fixture_expect_objects(f, 0);
}

static size_t shown_count;

static void show_slots(hwr_heap *heap, hwr_visitor *visitor, void *context) {
    (void)heap;
    twig **slots = context;
    shown_count++;
    for (size_t i = 0; i < 10; i++) HWR_VISIT(visitor, slots[i]);
}

static void callbacks_show_roots(void **state) {
    tracing_fixture *f = *state;
    static twig *first[10], *second[10];
    memset(first, 0, sizeof first);
    memset(second, 0, sizeof second);
    assert_false(hwr_roots_remove(f->heap, show_slots, first));
    assert_true(hwr_roots_add(f->heap, show_slots, first));
    assert_true(hwr_roots_add(f->heap, show_slots, second));
    for (size_t i = 0; i < 10; i += 2) {
        first[i] = new_twig(f, i);
        second[i] = new_twig(f, 100 + i);
    }
    shown_count = 0;
    for (int generation = 0; generation <= HWR_OLDEST; generation++) hwr_collect(f->heap, generation);
    assert_true(shown_count >= 6);
    tracing_fixture_expect_objects(f, 10);
    for (size_t i = 0; i < 10; i += 2) {
        assert_int_equal(first[i]->number, i);
        assert_int_equal(second[i]->number, 100 + i);
    }
    assert_true(hwr_roots_remove(f->heap, show_slots, first));
    assert_false(hwr_roots_remove(f->heap, show_slots, first));
    tracing_fixture_expect_objects(f, 5);
    assert_int_equal(second[4]->number, 104);
    assert_true(hwr_roots_remove(f->heap, show_slots, second));
    tracing_fixture_expect_objects(f, 0);
}

/* What is in no root dies, though a local variable has its address. */
static void with_exact_roots_locals_keep_nothing(void **state) {
    tracing_fixture *f = *state;
    twig *volatile local = new_twig(f, 1);
    tracing_fixture_expect_objects(f, 0);
    assert_non_null(local);
}

static void on_a_counting_heap_these_do_nothing(void **state) {
    (void)state;
    hwr_heap *heap = hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options), .collector = HWR_COUNTING});
    assert_non_null(heap);
    three_slots here = {.x = NULL};
    assert_true(hwr_thread_attach(heap));
    hwr_frame_push(heap, &here.frame, 3);
    here.x = hwr_new(heap, &twig_type);
    assert_non_null(here.x);
    assert_true(hwr_root_add(heap, &here.y));
    hwr_poll(heap);
    hwr_leave(heap);
    hwr_return(heap);
    hwr_keep_alive(here.x);
    assert_int_equal(hwr_refcount(heap, here.x), 1);
    assert_int_equal(hwr_generation_of(heap, here.x), 0);
    assert_true(hwr_root_remove(heap, &here.y));
    hwr_frame_pop(heap, &here.frame);
    hwr_thread_detach(heap);
    hwr_release(heap, here.x);
    hwr_heap_stats stats;
    hwr_heap_get_stats(heap, &stats);
    assert_int_equal(stats.objects, 0);
    hwr_heap_close(heap);
}

/* ---- scanned stacks ---- */

static void churn(const tracing_fixture *f) {
    for (size_t i = 0; i < 3000; i++) assert_non_null(hwr_new(f->heap, &twig_type));
    for (int generation = 0; generation <= HWR_OLDEST; generation++) hwr_collect(f->heap, generation);
}

static void locals_are_roots(void **state) {
    tracing_fixture *f = *state;
    twig *locals[20];
    for (size_t i = 0; i < 20; i++) {
        locals[i] = new_twig(f, i);
        hwr_set(f->heap, locals[i], &locals[i]->a, new_twig(f, 100 + i));
        if (i % 5 == 0) churn(f);
    }
    churn(f);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(locals[i]->number, i);
        assert_int_equal(locals[i]->a->number, 100 + i);
    }
}

static void what_the_stack_holds_stays_where_it_is(void **state) {
    tracing_fixture *f = *state;
    twig *held = new_twig(f, 5);
    uintptr_t before = (uintptr_t)held;
    for (int i = 0; i < 5; i++) churn(f);
    assert_int_equal((uintptr_t)held, before);
    assert_int_equal(held->number, 5);
    hwr_keep_alive(held);
}

/* An address anywhere in an object counts: its first byte and its last, of small objects, large ones and very large ones. */
static void the_middle_of_an_object_keeps_it(void **state) {
    tracing_fixture *f = *state;
    static const size_t lengths[] = {1, 40, 500, 5000, 20000, 60000, 500000, 5000000};
    enum { COUNT = sizeof lengths / sizeof lengths[0] };
    unsigned char *volatile middles[3 * COUNT];
    for (size_t i = 0; i < 3 * COUNT; i++) {
        size_t length = lengths[i / 3];
        prose *p = hwr_new_items(f->heap, &prose_type, length);
        assert_non_null(p);
        memset(p->bytes, (int)i, length);
        middles[i] = &p->bytes[i % 3 == 0 ? 0 : i % 3 == 1 ? length / 2 : length - 1];
    }
    clear_stack();
    churn(f);
    for (size_t i = 0; i < 3 * COUNT; i++) {
        size_t length = lengths[i / 3];
        const unsigned char *bytes = middles[i] - (i % 3 == 0 ? 0 : i % 3 == 1 ? length / 2 : length - 1);
        assert_true(bytes[0] == (unsigned char)i && bytes[length / 2] == (unsigned char)i);
        assert_int_equal(bytes[length - 1], (unsigned char)i);
        assert_ptr_equal(hwr_type_of(bytes - offsetof(prose, bytes)), &prose_type);
    }
    tracing_fixture_expect_verified(f);
}

/* Words that look like addresses, of blocks that are free or lie outside, do no harm. */
static void rubbish_on_the_stack_does_no_harm(void **state) {
    tracing_fixture *f = *state;
    make_list(f, 0, 100);
    uintptr_t object = (uintptr_t)f->slot[0];
    volatile uintptr_t rubbish[4096];
    for (size_t round = 0; round < 8; round++) {
        for (size_t i = 0; i < 4096; i++) rubbish[i] = (object & ~(uintptr_t)0xfffff) + (i * 1021 + round * 8 + i % 8);
        churn(f);
        assert_true(is_list(f->slot[0], 100));
        assert_true(rubbish[round] != 0);
    }
    for (size_t i = 0; i < 4096; i++) rubbish[i] = i % 2 != 0 ? UINTPTR_MAX - i : i;
    churn(f);
    assert_true(is_list(f->slot[0], 100));
}

static size_t depth_of(tracing_fixture *f, size_t depth) {
    twig *here = new_twig(f, depth);
    size_t below = depth > 0 ? depth_of(f, depth - 1) : 0;
    if (depth % 500 == 0) hwr_collect(f->heap, (int)(depth / 500 % 3));
    return below + (here->number == depth);
}

static void deep_stacks_are_scanned(void **state) { assert_int_equal(depth_of(*state, 2000), 2001); }

static __attribute__((noinline)) void lose_lists(tracing_fixture *f) {
    for (size_t i = 0; i < 50; i++) {
        twig *head = NULL;
        for (size_t k = 0; k < 100; k++) {
            twig *t = new_twig(f, k);
            hwr_init(f->heap, t, &t->a, head);
            head = t;
        }
    }
}

/* A stray word may keep a list or two, but not most of them. */
static void what_no_stack_holds_goes(void **state) {
    tracing_fixture *f = *state;
    lose_lists(f);
    clear_stack();
    hwr_collect(f->heap, HWR_OLDEST);
    hwr_collect(f->heap, HWR_OLDEST);
    assert_true(tracing_fixture_objects(f) < 1000);
}

/* ---- coroutines ---- */

enum { COROUTINES = 4, STACK_BYTES = 256 << 10, TURNS = 20 };

typedef struct coroutine {
    ucontext_t context;
    hwr_stack *stack;
    void *memory;
    bool done;
    size_t number;
} coroutine;

static struct {
    tracing_fixture *f;
    ucontext_t main_context;
    coroutine coroutines[COROUTINES];
} scene;

/* An address on this stack below all that the caller has there. */
static const void *below(volatile char *here) { return (const void *)((uintptr_t)here & ~(uintptr_t)4095); }

static void yield_to_main(coroutine *c) {
    volatile char here = 0;
    hwr_stack_switched(scene.f->heap, c->stack, below(&here), NULL);
    CHECK(swapcontext(&c->context, &scene.main_context) == 0);
}

/* Holds a list in a local variable, and makes it longer every time it runs. */
static void coroutine_body(int number) {
    coroutine *c = &scene.coroutines[number];
    twig *volatile head = NULL; /* on the stack, since swapcontext saves registers elsewhere */
    for (size_t turn = 0; turn < TURNS; turn++) {
        for (size_t i = 0; i < 100; i++) {
            twig *t = hwr_new(scene.f->heap, &twig_type);
            CHECK(t != NULL);
            t->number = turn * 100 + i;
            hwr_set(scene.f->heap, t, &t->a, head);
            head = t;
        }
        yield_to_main(c);
        size_t number_of = (turn + 1) * 100;
        for (const twig *t = head; t != NULL; t = t->a) CHECK(t->number == --number_of);
        CHECK(number_of == 0);
    }
    c->done = true;
    hwr_stack_switched(scene.f->heap, c->stack, c->memory, NULL);
}

static void resume(coroutine *c) {
    volatile char here = 0;
    hwr_stack_switched(scene.f->heap, NULL, below(&here), c->stack);
    CHECK(swapcontext(&scene.main_context, &c->context) == 0);
}

static void make_coroutine(coroutine *c, int number) {
    c->memory = aligned_alloc(4096, STACK_BYTES);
    assert_non_null(c->memory);
    memset(c->memory, 0, STACK_BYTES);
    c->stack = hwr_stack_register(scene.f->heap, c->memory, STACK_BYTES);
    assert_non_null(c->stack);
    assert_int_equal(getcontext(&c->context), 0);
    c->context.uc_stack.ss_sp = c->memory;
    c->context.uc_stack.ss_size = STACK_BYTES;
    c->context.uc_link = &scene.main_context;
    makecontext(&c->context, (void (*)(void))(uintptr_t)coroutine_body, 1, number);
}

static void stacks_of_coroutines_are_scanned(void **state) {
    memset(&scene, 0, sizeof scene);
    scene.f = *state;
    for (int i = 0; i < COROUTINES; i++) make_coroutine(&scene.coroutines[i], i);
    for (size_t turn = 0; turn <= TURNS; turn++)
        for (size_t i = 0; i < COROUTINES; i++) {
            resume(&scene.coroutines[i]);
            if ((turn + i) % 3 == 0) churn(scene.f);
        }
    for (size_t i = 0; i < COROUTINES; i++) {
        assert_true(scene.coroutines[i].done);
        hwr_stack_unregister(scene.f->heap, scene.coroutines[i].stack);
        free(scene.coroutines[i].memory);
    }
}

/* Everything in a registered stack counts until it is said where it stands; what lies below that does not. */
static void a_stack_counts_from_where_it_stands(void **state) {
    tracing_fixture *f = *state;
    enum { WORDS = 1024 };
    void **words = calloc(WORDS, sizeof *words);
    assert_non_null(words);
    hwr_stack *stack = hwr_stack_register(f->heap, words, WORDS * sizeof *words);
    assert_non_null(stack);
    for (size_t i = 0; i < WORDS; i += 8) words[i] = new_twig(f, i);
    churn(f);
    for (size_t i = 0; i < WORDS; i += 8) assert_int_equal(((twig *)words[i])->number, i);
    hwr_stack_switched(f->heap, stack, &words[WORDS / 2], NULL);
    churn(f);
    for (size_t i = WORDS / 2; i < WORDS; i += 8) assert_int_equal(((twig *)words[i])->number, i);
    clear_stack();
    hwr_collect(f->heap, HWR_OLDEST);
    assert_true(tracing_fixture_objects(f) < WORDS / 8 - 20); /* most of the lower half are gone */
    hwr_stack_unregister(f->heap, stack);
    clear_stack();
    hwr_collect(f->heap, HWR_OLDEST);
    assert_true(tracing_fixture_objects(f) < 30);
    free(words);
}

int main(void) {
    static const tracing_test tests[] = {
        TRACING_TEST(frames_keep_what_they_name, TRACING_ANY),
        TRACING_TEST(a_frame_without_slots_is_a_frame, TRACING_ANY),
        TRACING_TEST(many_slots_of_one_object_stay_equal, TRACING_ANY),
        TRACING_TEST(global_slots_are_roots, TRACING_ANY),
        TRACING_TEST(callbacks_show_roots, TRACING_ANY),
        TRACING_TEST(with_exact_roots_locals_keep_nothing, TRACING_EXACT),
        TRACING_TEST(on_a_counting_heap_these_do_nothing, TRACING_ONCE),
        TRACING_TEST(locals_are_roots, TRACING_STACKS),
        TRACING_TEST(what_the_stack_holds_stays_where_it_is, TRACING_STACKS),
        TRACING_TEST(the_middle_of_an_object_keeps_it, TRACING_STACKS),
        TRACING_TEST(rubbish_on_the_stack_does_no_harm, TRACING_STACKS),
        TRACING_TEST(deep_stacks_are_scanned, TRACING_STACKS),
        TRACING_TEST(what_no_stack_holds_goes, TRACING_STACKS),
        TRACING_TEST(stacks_of_coroutines_are_scanned, TRACING_STACKS),
        TRACING_TEST(a_stack_counts_from_where_it_stands, TRACING_STACKS),
    };
    return tracing_fixture_run("roots of tracing heaps", tests, sizeof tests / sizeof tests[0]);
}
