/* Marking by several threads. Checked heaps of the other tests call them in every collection, too (tracing_fixture.c); here heaps are so large that ordinary ones do. */
#include "support/check.h"
#include "support/sanitizer.h"
#include "support/tracing_fixture.h"

#include "tracing/team.h"

#include <stdatomic.h>

enum { MARKERS = 4, COLLECTIONS = 3 };

/* More objects than one thread marks alone. */
static size_t many(void) { return runs_slowly() ? 100000 : 400000; }

/* ---- heaps ---- */

static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

/* A row with all twigs of a graph, whose first `kept` lead to each other by chance, and to all others of them by a tree. */
static void make_graph(tracing_fixture *f, size_t kept) {
    f->slot[0] = new_row(f, kept);
    for (size_t i = 0; i < kept; i++) {
        twig *t = new_twig(f, i);
        row *all = f->slot[0];
        hwr_set(f->heap, all, &all->items[i], (void *)t);
        if (i % 2) new_twig(f, i); /* garbage in between */
    }
    uint64_t state = 88172645463325252;
    row *all = f->slot[0];
    for (size_t i = 1; i < kept; i++) {
        twig *parent = all->items[(i - 1) / 2], *t = all->items[i];
        if (i % 2)
            hwr_set(f->heap, parent, &parent->a, t);
        else
            hwr_set(f->heap, parent, &parent->b, t);
        if (i >= kept / 2) hwr_set(f->heap, t, &t->a, (twig *)all->items[next_random(&state) % kept]);
    }
}

static void expect_tree(const twig *t, size_t number, size_t kept) {
    if (number >= kept) return;
    assert_non_null(t);
    assert_int_equal(t->number, number);
    if (number >= kept / 2) return;
    expect_tree(t->a, 2 * number + 1, kept);
    if (2 * number + 2 < kept) expect_tree(t->b, 2 * number + 2, kept);
}

/* As the fixture's, but with several markers, and never stressed. */
static tracing_fixture open_heap(hwr_roots roots, bool unmoving, bool moves) {
    tracing_fixture f = {.config = {.roots = roots, .unmoving = unmoving, .move_always = moves, .markers = MARKERS}};
    backend_open(&f.backend, HWR_RAW_SYSTEM, 0);
    hwr_options options = tracing_fixture_options(&f);
    f.heap = hwr_heap_open(&options);
    assert_non_null(f.heap);
    return f;
}

static void close_heap(tracing_fixture *f) {
    hwr_frame_pop(f->heap, &f->frame);
    hwr_heap_close(f->heap);
    backend_close(&f->backend);
}

/* What is alive stays, first by a row with all of it, which one marker has to share, then by a tree; what is not goes. */
static void mark_graph(tracing_fixture *f) {
    hwr_frame_push(f->heap, &f->frame, TRACING_SLOTS);
    size_t kept = many();
    make_graph(f, kept);
    for (int i = 0; i < COLLECTIONS; i++) {
        hwr_collect(f->heap, HWR_OLDEST);
        tracing_fixture_expect_objects(f, kept + 1);
        const row *all = f->slot[0];
        for (size_t k = 0; k < kept; k++) assert_int_equal(((const twig *)all->items[k])->number, k);
    }
    f->slot[0] = ((row *)f->slot[0])->items[0];
    clear_stack();
    for (int i = 0; i < COLLECTIONS; i++) {
        hwr_collect(f->heap, HWR_OLDEST);
        expect_tree(f->slot[0], 0, kept);
    }
    tracing_fixture_expect_objects(f, kept);
    tracing_fixture_expect_verified(f);
}

static void a_graph_is_marked(void **state) {
    (void)state;
    static const struct {
        hwr_roots roots;
        bool unmoving, moves;
    } kinds[] = {{HWR_ROOTS_EXACT, false, false},
                 {HWR_ROOTS_EXACT, true, false},
                 {HWR_ROOTS_EXACT, false, true},
                 {HWR_ROOTS_STACKS, false, false}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        tracing_fixture f = open_heap(kinds[i].roots, kinds[i].unmoving, kinds[i].moves);
        mark_graph(&f);
        close_heap(&f);
    }
}

/* The stacks of the markers cannot grow, so blocks are noted and gone through again. */
static void without_memory_nothing_is_lost(void **state) {
    (void)state;
    tracing_fixture f = open_heap(HWR_ROOTS_EXACT, false, false);
    hwr_frame_push(f.heap, &f.frame, TRACING_SLOTS);
    size_t kept = many() / 2;
    make_graph(&f, kept);
    for (int i = 0; i < COLLECTIONS; i++) {
        hwr_raw_inject_fault(f.backend.raw, HWR_FAULT_ALL, 1, true);
        hwr_collect(f.heap, HWR_OLDEST);
        hwr_raw_inject_fault(f.backend.raw, 0, 0, false);
        const row *all = f.slot[0];
        for (size_t k = 0; k < kept; k++) assert_int_equal(((const twig *)all->items[k])->number, k);
        expect_tree(all->items[0], 0, kept);
        tracing_fixture_expect_verified(&f);
    }
    close_heap(&f);
}

/* What leads to the next object only keeps one marker busy, and the others waiting. */
static void a_list_is_marked(void **state) {
    (void)state;
    tracing_fixture f = open_heap(HWR_ROOTS_EXACT, false, false);
    hwr_frame_push(f.heap, &f.frame, TRACING_SLOTS);
    make_list(&f, 0, many());
    for (int i = 0; i < COLLECTIONS; i++) hwr_collect(f.heap, HWR_OLDEST);
    assert_true(is_list(f.slot[0], many()));
    tracing_fixture_expect_objects(&f, many());
    close_heap(&f);
}

/* ---- the team by itself ---- */

typedef struct meeting {
    hwri_gray gray;
    _Atomic size_t done, calls;
    _Atomic unsigned numbers; /* a bit for each that has come */
} meeting;

/* A piece of work is a number n: n - 1 and n - 2 are to be done, too, down to 1. */
static void do_pieces(void *context, unsigned number) {
    meeting *m = context;
    void *stack[64];
    size_t count = 0;
    m->calls++;
    CHECK((atomic_fetch_or(&m->numbers, 1U << number) & 1U << number) == 0);
    if (number == 0)
        stack[count++] = (void *)(uintptr_t)20;
    else if (!hwri_gray_join(&m->gray))
        return;
    do
        while (count > 0) {
            if (hwri_gray_is_wanted(&m->gray)) count = hwri_gray_give(&m->gray, stack, count);
            uintptr_t n = (uintptr_t)stack[--count];
            m->done++;
            for (uintptr_t less = 1; less <= 2 && less < n; less++) stack[count++] = (void *)(n - less);
        }
    while ((count = hwri_gray_take(&m->gray, stack, sizeof stack / sizeof stack[0] / 2)) > 0);
}

/* How many pieces a number is. */
static size_t pieces_of(size_t n) { return n <= 1 ? 1 : 1 + pieces_of(n - 1) + (n > 2 ? pieces_of(n - 2) : 0); }

static void work_is_shared(void **state) {
    (void)state;
    for (unsigned size = 0; size <= MARKERS; size++) {
        hwri_team team;
        hwri_team_open(&team, size);
        for (int call = 0; call < 200; call++) {
            meeting m = {.done = 0};
            hwri_gray_open(&m.gray);
            hwri_team_call(&team, do_pieces, &m);
            hwri_gray_close(&m.gray);
            assert_int_equal(m.done, pieces_of(20));
            assert_in_range(m.calls, 1, size ? size : 1);
            assert_int_equal(m.numbers & 1, 1);
        }
        hwri_team_close(&team);
    }
}

static void a_team_is_not_larger_than_it_can_be(void **state) {
    (void)state;
    hwri_team team;
    hwri_team_open(&team, 1000);
    assert_int_equal(team.size, HWRI_TEAM_MOST);
    hwri_team_close(&team);
    hwri_team_close(&team);
}

int main(void) {
    static const tracing_test tests[] = {
        TRACING_TEST(a_graph_is_marked, TRACING_ONCE),
        TRACING_TEST(without_memory_nothing_is_lost, TRACING_ONCE),
        TRACING_TEST(a_list_is_marked, TRACING_ONCE),
        TRACING_TEST(work_is_shared, TRACING_ONCE),
        TRACING_TEST(a_team_is_not_larger_than_it_can_be, TRACING_ONCE),
    };
    return tracing_fixture_run("several markers", tests, sizeof tests / sizeof tests[0]);
}
