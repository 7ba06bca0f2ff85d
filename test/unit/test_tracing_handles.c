/* Handles of every kind on a tracing heap, dependent ones above all, and the same kinds on a counting heap. */
#define _GNU_SOURCE
#include "support/sanitizer.h"
#include "support/tracing_fixture.h"

#include <stdlib.h>

static hwr_handle *new_handle(const tracing_fixture *f, void *object, hwr_handle_kind kind) {
    hwr_handle *handle = hwr_handle_new_kind(f->heap, object, kind);
    assert_non_null(handle);
    assert_int_equal(hwr_handle_get(f->heap, handle) == NULL, object == NULL);
    return handle;
}

static void strong_handles_keep(void **state) {
    tracing_fixture *f = *state;
    enum { COUNT = 1000 };
    static hwr_handle *handles[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        handles[i] = hwr_handle_new(f->heap, new_twig(f, i));
        assert_non_null(handles[i]);
    }
    for (size_t i = 0; i < COUNT; i += 3) {
        hwr_handle_free(f->heap, handles[i]);
        handles[i] = new_handle(f, new_twig(f, i), HWR_HANDLE_STRONG);
    }
    tracing_fixture_expect_objects(f, COUNT);
    for (size_t i = 0; i < COUNT; i++) assert_int_equal(((twig *)hwr_handle_get(f->heap, handles[i]))->number, i);
    for (size_t i = 0; i < COUNT; i++) {
        if (i % 2 == 0) hwr_handle_set(f->heap, handles[i], NULL);
        if (i % 2 == 0) assert_null(hwr_handle_get(f->heap, handles[i]));
    }
    tracing_fixture_expect_objects(f, COUNT / 2);
    for (size_t i = 0; i < COUNT; i++) hwr_handle_free(f->heap, handles[i]);
    tracing_fixture_expect_objects(f, 0);
    hwr_handle_free(f->heap, NULL);
}

static void a_handle_may_hold_nothing(void **state) {
    tracing_fixture *f = *state;
    for (int kind = HWR_HANDLE_STRONG; kind <= HWR_HANDLE_DEPENDENT; kind++) {
        hwr_handle *handle = new_handle(f, NULL, (hwr_handle_kind)kind);
        assert_null(hwr_handle_get(f->heap, handle));
        assert_null(hwr_handle_second(f->heap, handle));
        hwr_collect(f->heap, HWR_OLDEST);
        f->slot[0] = new_twig(f, 7);
        hwr_handle_set(f->heap, handle, f->slot[0]);
        hwr_collect(f->heap, 0);
        assert_ptr_equal(hwr_handle_get(f->heap, handle), f->slot[0]);
        hwr_handle_free(f->heap, handle);
        f->slot[0] = NULL;
    }
    tracing_fixture_expect_objects(f, 0);
}

static void weak_handles_do_not_keep(void **state) {
    tracing_fixture *f = *state;
    static const hwr_handle_kind kinds[] = {HWR_HANDLE_WEAK_SHORT, HWR_HANDLE_WEAK_LONG, HWR_HANDLE_DEPENDENT};
    for (size_t i = 0; i < 3; i++) {
        f->slot[0] = new_twig(f, i);
        hwr_handle *handle = new_handle(f, f->slot[0], kinds[i]);
        for (int generation = 0; generation <= HWR_OLDEST; generation++) {
            hwr_collect(f->heap, generation);
            assert_ptr_equal(hwr_handle_get(f->heap, handle), f->slot[0]);
        }
        f->slot[0] = NULL;
        tracing_fixture_expect_objects(f, 0);
        assert_null(hwr_handle_get(f->heap, handle));
        f->slot[0] = new_twig(f, 100 + i); /* and it can be used again */
        hwr_handle_set(f->heap, handle, f->slot[0]);
        hwr_collect(f->heap, HWR_OLDEST);
        assert_ptr_equal(hwr_handle_get(f->heap, handle), f->slot[0]);
        hwr_handle_free(f->heap, handle);
        f->slot[0] = NULL;
    }
}

static mortal *rescued;
static void come_back(hwr_heap *heap, mortal *object) {
    (void)heap;
    rescued = object;
}

static void long_ones_outlive_a_resurrection(void **state) {
    tracing_fixture *f = *state;
    rescued = NULL;
    assert_true(hwr_root_add(f->heap, &rescued));
    f->slot[0] = new_mortal(f, NULL);
    ((mortal *)f->slot[0])->more = come_back;
    hwr_handle *lng = new_handle(f, f->slot[0], HWR_HANDLE_WEAK_LONG);
    hwr_handle *shrt = new_handle(f, f->slot[0], HWR_HANDLE_WEAK_SHORT);
    f->slot[0] = NULL;
    hwr_collect(f->heap, HWR_OLDEST);
    assert_null(hwr_handle_get(f->heap, shrt));
    assert_non_null(hwr_handle_get(f->heap, lng));
    hwr_run_finalizers(f->heap, 0);
    hwr_collect(f->heap, HWR_OLDEST);
    assert_non_null(rescued);
    assert_ptr_equal(hwr_handle_get(f->heap, lng), rescued);
    assert_null(hwr_handle_get(f->heap, shrt));
    rescued = NULL;
    hwr_collect(f->heap, HWR_OLDEST);
    assert_null(hwr_handle_get(f->heap, lng));
    hwr_handle_free(f->heap, lng);
    hwr_handle_free(f->heap, shrt);
    assert_true(hwr_root_remove(f->heap, &rescued));
}

/* Short ones to what an object that is to be finalized leads to are cleared as well. */
static void short_ones_into_the_queue_are_cleared(void **state) {
    tracing_fixture *f = *state;
    f->slot[0] = new_mortal(f, NULL);
    f->slot[1] = new_twig(f, 1);
    hwr_set(f->heap, f->slot[0], &((mortal *)f->slot[0])->a, f->slot[1]);
    hwr_handle *shrt = new_handle(f, f->slot[1], HWR_HANDLE_WEAK_SHORT);
    hwr_handle *lng = new_handle(f, f->slot[1], HWR_HANDLE_WEAK_LONG);
    f->slot[0] = f->slot[1] = NULL;
    hwr_collect(f->heap, HWR_OLDEST);
    assert_null(hwr_handle_get(f->heap, shrt));
    assert_non_null(hwr_handle_get(f->heap, lng));
    hwr_run_finalizers(f->heap, 0);
    hwr_collect(f->heap, HWR_OLDEST);
    assert_null(hwr_handle_get(f->heap, lng));
    hwr_handle_free(f->heap, shrt);
    hwr_handle_free(f->heap, lng);
}

static void pinned_objects_stay_where_they_are(void **state) {
    tracing_fixture *f = *state;
    enum { COUNT = 50 };
    static hwr_handle *handles[COUNT];
    static void *places[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        handles[i] = new_handle(f, new_twig(f, i), HWR_HANDLE_PINNED);
        places[i] = hwr_handle_get(f->heap, handles[i]);
        make_list(f, 0, i * 3);
        twig *t = places[i];
        hwr_set(f->heap, t, &t->a, (twig *)f->slot[0]);
    }
    f->slot[0] = NULL;
    static const hwr_collection_mode modes[] = {HWR_COLLECT_FORCED, HWR_COLLECT_COMPACTING, HWR_COLLECT_AGGRESSIVE};
    for (int round = 0; round < 9; round++) {
        make_list(f, 1, 500);
        hwr_collect_with(f->heap, round % 3, modes[round / 3]);
        for (size_t i = 0; i < COUNT; i++) {
            const twig *t = places[i];
            assert_ptr_equal(hwr_handle_get(f->heap, handles[i]), t);
            assert_int_equal(t->number, i);
            assert_true(is_list(t->a, i * 3));
        }
    }
    f->slot[1] = NULL;
    hwr_collect(f->heap, HWR_OLDEST);
    hwr_memory_info info;
    hwr_get_memory_info(f->heap, HWR_INFO_FULL, &info);
    if (!f->config.unmoving) assert_true(info.pinned_objects >= COUNT);
    for (size_t i = 0; i < COUNT; i++) hwr_handle_free(f->heap, handles[i]);
    tracing_fixture_expect_objects(f, 0);
}

/* ---- dependent handles ---- */

static hwr_handle *depend(const tracing_fixture *f, void *first, void *second) {
    hwr_handle *handle = hwr_handle_new_dependent(f->heap, first, second);
    assert_non_null(handle);
    return handle;
}

static void a_second_lives_as_long_as_the_first(void **state) {
    tracing_fixture *f = *state;
    f->slot[0] = new_twig(f, 0);
    make_list(f, 1, 10);
    hwr_handle *handle = depend(f, f->slot[0], f->slot[1]);
    f->slot[1] = NULL;
    for (int i = 0; i < 3; i++) {
        tracing_fixture_expect_objects(f, 11);
        assert_ptr_equal(hwr_handle_get(f->heap, handle), f->slot[0]);
        assert_true(is_list(hwr_handle_second(f->heap, handle), 10));
        hwr_collect(f->heap, i);
    }
    hwr_handle_set_second(f->heap, handle, NULL);
    assert_null(hwr_handle_second(f->heap, handle));
    tracing_fixture_expect_objects(f, 1);
    make_list(f, 1, 20);
    hwr_handle_set_second(f->heap, handle, f->slot[1]);
    f->slot[1] = NULL;
    hwr_collect(f->heap, 0); /* a young second of an old first */
    assert_true(is_list(hwr_handle_second(f->heap, handle), 20));
    tracing_fixture_expect_objects(f, 21);
    f->slot[0] = NULL;
    tracing_fixture_expect_objects(f, 0);
    assert_null(hwr_handle_get(f->heap, handle));
    assert_null(hwr_handle_second(f->heap, handle));
    hwr_handle_free(f->heap, handle);
}

/* What makes it an ephemeron: a second that leads back to the first does not keep it. */
static void a_second_does_not_keep_its_first(void **state) {
    tracing_fixture *f = *state;
    f->slot[0] = new_twig(f, 0);
    twig *second = new_twig(f, 1);
    hwr_set(f->heap, second, &second->a, (twig *)f->slot[0]);
    f->slot[1] = second;
    hwr_handle *handle = depend(f, f->slot[0], f->slot[1]);
    hwr_handle *itself = depend(f, f->slot[0], f->slot[0]);
    f->slot[1] = NULL;
    tracing_fixture_expect_objects(f, 2);
    f->slot[0] = NULL;
    tracing_fixture_expect_objects(f, 0);
    assert_null(hwr_handle_get(f->heap, handle));
    assert_null(hwr_handle_second(f->heap, itself));
    hwr_handle_free(f->heap, handle);
    hwr_handle_free(f->heap, itself);
}

/* Each second is the first of the next: handles made in any order, however long the chain. */
static void dependents_form_chains(void **state) {
    tracing_fixture *f = *state;
    enum { COUNT = 2000 };
    static hwr_handle *handles[COUNT];
    f->slot[1] = new_row(f, COUNT + 1);
    for (size_t i = 0; i <= COUNT; i++) {
        twig *t = new_twig(f, i);
        row *r = f->slot[1];
        hwr_set(f->heap, r, &r->items[i], (void *)t);
    }
    for (size_t i = 0; i < COUNT; i++) {
        size_t k = i * 1151 % COUNT; /* prime to it */
        handles[k] = depend(f, ((row *)f->slot[1])->items[k], ((row *)f->slot[1])->items[k + 1]);
    }
    f->slot[0] = ((row *)f->slot[1])->items[0];
    f->slot[1] = NULL;
    tracing_fixture_expect_objects(f, COUNT + 1);
    for (int generation = 0; generation <= HWR_OLDEST; generation++) hwr_collect(f->heap, generation);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(((twig *)hwr_handle_get(f->heap, handles[i]))->number, i);
        assert_int_equal(((twig *)hwr_handle_second(f->heap, handles[i]))->number, i + 1);
    }
    hwr_handle_free(f->heap, handles[COUNT / 2]); /* breaks the chain */
    handles[COUNT / 2] = NULL;
    tracing_fixture_expect_objects(f, COUNT / 2 + 1);
    f->slot[0] = NULL;
    tracing_fixture_expect_objects(f, 0);
    for (size_t i = 0; i < COUNT; i++) hwr_handle_free(f->heap, handles[i]);
}

/* ---- long chains ---- */

/* Without memory what a collection does is quadratic, so that chain is shorter. */
enum { MOST_LINKS = 20000, FEW_LINKS = 8500 };
static hwr_handle *chain[MOST_LINKS];
static size_t links;

typedef size_t (*chain_order)(size_t i);
static size_t first_to_last(size_t i) { return i; }
static size_t last_to_first(size_t i) { return links - 1 - i; }
static size_t scattered(size_t i) { return i * 7919 % links; } /* prime to both */

/* A chain of that length: a twig for each handle and one more in slot 1, handles from each to a twig that leads to the next; all numbered as the handles are. */
static void make_chain(tracing_fixture *f, size_t length, chain_order order) {
    links = length;
    f->slot[1] = new_row(f, links + 1);
    for (size_t i = 0; i <= links; i++) {
        twig *t = new_twig(f, i);
        row *r = f->slot[1];
        hwr_set(f->heap, r, &r->items[i], (void *)t);
    }
    for (size_t i = 0; i < links; i++) {
        size_t k = order(i);
        twig *second = new_twig(f, k);
        const row *r = f->slot[1];
        hwr_set(f->heap, second, &second->a, r->items[k + 1]);
        chain[k] = depend(f, r->items[k], second);
    }
    f->slot[0] = ((row *)f->slot[1])->items[0];
    f->slot[1] = NULL;
}

static bool is_link(const tracing_fixture *f, size_t i) {
    const twig *first = hwr_handle_get(f->heap, chain[i]), *second = hwr_handle_second(f->heap, chain[i]);
    return first && second && first->number == i && second->number == i && second->a->number == i + 1;
}

static void expect_chain(const tracing_fixture *f, size_t alive) {
    for (size_t i = 0; i < links; i++) {
        if (i < alive) assert_true(is_link(f, i));
        if (i >= alive) assert_true(!hwr_handle_get(f->heap, chain[i]) && !hwr_handle_second(f->heap, chain[i]));
    }
}

static void free_chain(const tracing_fixture *f) {
    for (size_t i = 0; i < links; i++) hwr_handle_free(f->heap, chain[i]);
}

static void a_chain_may_be_long_in_any_order(void **state) {
    tracing_fixture *f = *state;
    static const chain_order orders[] = {first_to_last, last_to_first, scattered};
    for (size_t i = 0; i < 3; i++) {
        make_chain(f, MOST_LINKS, orders[i]);
        for (int generation = 0; generation <= HWR_OLDEST; generation++) {
            hwr_collect(f->heap, generation);
            expect_chain(f, links);
        }
        hwr_collect(f->heap, HWR_OLDEST); /* once more, when all are old */
        expect_chain(f, links);
        hwr_handle_set_second(f->heap, chain[links / 2], NULL);
        hwr_handle_set(f->heap, chain[links / 2], NULL);
        tracing_fixture_expect_objects(f, links + 1);
        expect_chain(f, links / 2);
        f->slot[0] = NULL;
        tracing_fixture_expect_objects(f, 0);
        expect_chain(f, 0);
        free_chain(f);
    }
}

static void a_chain_needs_no_memory(void **state) {
    tracing_fixture *f = *state;
    make_chain(f, FEW_LINKS, scattered);
    hwr_collect(f->heap, 0);
    hwr_collect(f->heap, HWR_OLDEST);
    hwr_heap_trim(f->heap);
    hwr_raw *raw = f->backend.raw;
    hwr_raw_set_limit(raw, backend_committed(&f->backend));
    size_t failures = backend_failures(&f->backend);
    hwr_collect(f->heap, HWR_OLDEST);
    assert_true(backend_failures(&f->backend) > failures);
    hwr_raw_set_limit(raw, 0);
    expect_chain(f, links);
    f->slot[0] = NULL;
    tracing_fixture_expect_objects(f, 0);
    expect_chain(f, 0);
    free_chain(f);
}

/* A chain through the entries of two weak tables, the second of which only the chain itself leads to. */
static void chains_go_through_weak_tables(void **state) {
    tracing_fixture *f = *state;
    enum { COUNT = 3000 };
    f->slot[0] = hwr_weak_keys_new(f->heap);
    f->slot[1] = hwr_weak_keys_new(f->heap);
    f->slot[2] = new_row(f, COUNT + 1);
    for (size_t i = 0; i <= COUNT; i++) {
        twig *t = new_twig(f, i);
        row *r = f->slot[2];
        hwr_set(f->heap, r, &r->items[i], (void *)t);
    }
    for (size_t i = COUNT; i-- > 0;) {
        size_t k = i * 1151 % COUNT; /* prime to it */
        const row *r = f->slot[2];
        assert_true(hwr_weak_keys_set(f->heap, f->slot[k % 3 == 0], r->items[k], r->items[k + 1]));
    }
    row *r = f->slot[2];
    twig *middle = r->items[COUNT / 2 + 1]; /* whose entry is in the first table */
    hwr_set(f->heap, middle, &middle->a, (twig *)f->slot[1]);
    f->slot[3] = r->items[0];
    hwr_handle *second_table = new_handle(f, f->slot[1], HWR_HANDLE_WEAK_SHORT);
    /* So that the chain does not begin with the second table. */
    hwr_handle *entry = depend(f, r->items[0], middle);
    f->slot[1] = f->slot[2] = NULL;
    for (int generation = 0; generation <= HWR_OLDEST; generation++) {
        hwr_collect(f->heap, generation);
        f->slot[1] = hwr_handle_get(f->heap, second_table);
        assert_non_null(f->slot[1]);
        f->slot[4] = f->slot[3];
        for (size_t i = 1; i <= COUNT; i++) {
            f->slot[4] = hwr_weak_keys_get(f->heap, f->slot[(i - 1) % 3 == 0], f->slot[4]);
            assert_non_null(f->slot[4]);
            assert_int_equal(((twig *)f->slot[4])->number, i);
        }
        f->slot[1] = f->slot[4] = NULL;
    }
    f->slot[3] = NULL;
    tracing_fixture_expect_objects(f, 1);
    assert_int_equal(hwr_weak_keys_count(f->heap, f->slot[0]), 0);
    assert_null(hwr_handle_get(f->heap, second_table));
    hwr_handle_free(f->heap, second_table);
    hwr_handle_free(f->heap, entry);
}

/* While the first waits for its finalizer it is not dead, so the second lives, too. */
static void dependents_live_through_finalization(void **state) {
    tracing_fixture *f = *state;
    size_t calls = 0;
    f->slot[0] = new_mortal(f, &calls);
    make_list(f, 1, 5);
    hwr_handle *handle = depend(f, f->slot[0], f->slot[1]);
    f->slot[0] = f->slot[1] = NULL;
    hwr_collect(f->heap, HWR_OLDEST);
    assert_non_null(hwr_handle_get(f->heap, handle));
    assert_true(is_list(hwr_handle_second(f->heap, handle), 5));
    hwr_run_finalizers(f->heap, 0);
    assert_int_equal(calls, 1);
    tracing_fixture_expect_objects(f, 0);
    assert_null(hwr_handle_second(f->heap, handle));
    hwr_handle_free(f->heap, handle);
}

static void only_dependent_handles_have_a_second(void **state) {
    tracing_fixture *f = *state;
    f->slot[0] = new_twig(f, 0);
    for (int kind = HWR_HANDLE_STRONG; kind < HWR_HANDLE_DEPENDENT; kind++) {
        hwr_handle *handle = new_handle(f, f->slot[0], (hwr_handle_kind)kind);
        assert_null(hwr_handle_second(f->heap, handle));
        hwr_handle_free(f->heap, handle);
    }
}

/* ---- on a counting heap ---- */

static void kinds_on_a_counting_heap(void **state) {
    (void)state;
    hwr_heap *heap = hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options), .collector = HWR_COUNTING});
    assert_non_null(heap);
    twig *t = hwr_new(heap, &twig_type);
    assert_non_null(t);
    hwr_handle *strong = hwr_handle_new_kind(heap, t, HWR_HANDLE_STRONG);
    hwr_handle *pinned = hwr_handle_new_kind(heap, t, HWR_HANDLE_PINNED);
    hwr_handle *shrt = hwr_handle_new_kind(heap, t, HWR_HANDLE_WEAK_SHORT);
    hwr_handle *lng = hwr_handle_new_kind(heap, t, HWR_HANDLE_WEAK_LONG);
    assert_true(strong != NULL && pinned != NULL && shrt != NULL && lng != NULL);
    assert_int_equal(hwr_refcount(heap, t), 3);
    hwr_release(heap, t);
    hwr_handle_free(heap, strong);
    assert_ptr_equal(hwr_handle_get(heap, shrt), t);
    hwr_handle_free(heap, pinned);
    assert_null(hwr_handle_get(heap, shrt));
    assert_null(hwr_handle_get(heap, lng));
    hwr_handle_free(heap, shrt);
    hwr_handle_free(heap, lng);
    twig *first = hwr_new(heap, &twig_type), *second = hwr_new(heap, &twig_type);
    assert_true(first != NULL && second != NULL);
    hwr_handle *dependent = hwr_handle_new_dependent(heap, first, second);
    assert_non_null(dependent);
    hwr_release(heap, second);
    assert_ptr_equal(hwr_handle_second(heap, dependent), second);
    hwr_release(heap, first);
    assert_null(hwr_handle_get(heap, dependent));
    assert_null(hwr_handle_second(heap, dependent));
    hwr_handle_free(heap, dependent);
    hwr_heap_stats stats;
    hwr_heap_get_stats(heap, &stats);
    assert_int_equal(stats.objects, 0);
    assert_true(hwr_heap_verify(heap, NULL));
    hwr_heap_close(heap);
}

int main(void) {
    static const tracing_test tests[] = {
        TRACING_TEST(strong_handles_keep, TRACING_ANY),
        TRACING_TEST(a_handle_may_hold_nothing, TRACING_ANY),
        TRACING_TEST(weak_handles_do_not_keep, TRACING_EXACT),
        TRACING_TEST(long_ones_outlive_a_resurrection, TRACING_EXACT),
        TRACING_TEST(short_ones_into_the_queue_are_cleared, TRACING_EXACT),
        TRACING_TEST(pinned_objects_stay_where_they_are, TRACING_CALM),
        TRACING_TEST(a_second_lives_as_long_as_the_first, TRACING_EXACT),
        TRACING_TEST(a_second_does_not_keep_its_first, TRACING_EXACT),
        TRACING_TEST(dependents_form_chains, TRACING_EXACT | TRACING_CALM),
        TRACING_TEST(a_chain_may_be_long_in_any_order, TRACING_EXACT | TRACING_CALM),
        TRACING_TEST(a_chain_needs_no_memory, TRACING_EXACT | TRACING_CALM | TRACING_UNCHECKED),
        TRACING_TEST(chains_go_through_weak_tables, TRACING_EXACT | TRACING_CALM),
        TRACING_TEST(dependents_live_through_finalization, TRACING_EXACT),
        TRACING_TEST(only_dependent_handles_have_a_second, TRACING_ANY),
        TRACING_TEST(kinds_on_a_counting_heap, TRACING_ONCE),
    };
    return tracing_fixture_run("handles of tracing heaps", tests, sizeof tests / sizeof tests[0]);
}
