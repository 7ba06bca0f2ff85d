/* Sparse blocks of a tracing heap: what lives in them is moved together, and everybody who knows of it follows. Each test fills blocks with objects of many sizes, drops seven of eight, and collects. */
#include "heapwright/events.h"
#include "heapwright/text.h"
#include "heapwright/weak.h"
#include "support/pattern.h"
#include "support/sanitizer.h"
#include "support/tracing_fixture.h"

#include <stdio.h>
#include <string.h>

enum { COUNT = 16000, KEPT = 8, TEXT_MOST = 300, ITEMS_MOST = 20, BLOCK = 32 << 10, PINNED = 20 };

/* ---- fragments ----
 *
 * Slot 0 has a row of all; each is a row of a length of its own, with a text, and with the kept one before it. */

static row *all_of(const tracing_fixture *f) { return f->slot[0]; }
static row *fragment(const tracing_fixture *f, size_t i) { return all_of(f)->items[i]; }
static size_t text_length(size_t i) { return i * 37 % TEXT_MOST; }

static void make_fragment(tracing_fixture *f, size_t i) {
    f->slot[1] = new_row(f, 2 + i % ITEMS_MOST);
    prose *text = hwr_new_items(f->heap, &prose_type, text_length(i));
    assert_non_null(text);
    pattern_fill(text->bytes, text->length, i);
    row *r = f->slot[1];
    hwr_set(f->heap, r, &r->items[0], (void *)text);
    if (i >= KEPT) hwr_set(f->heap, r, &r->items[1], all_of(f)->items[i - KEPT - i % KEPT]);
    hwr_set(f->heap, all_of(f), &all_of(f)->items[i], (void *)r);
    f->slot[1] = NULL;
}

/* Makes so many old ones, and drops most. */
static void make_fragments(tracing_fixture *f, size_t count) {
    f->slot[0] = new_row(f, count);
    for (size_t i = 0; i < count; i++) make_fragment(f, i);
    assert_true(hwr_collect_with(f->heap, HWR_OLDEST, HWR_COLLECT_FORCED));
    for (size_t i = 0; i < count; i++)
        if (i % KEPT != 0) hwr_set(f->heap, all_of(f), &all_of(f)->items[i], NULL);
    clear_stack();
}

static bool is_fragment(const tracing_fixture *f, size_t i) {
    const row *r = fragment(f, i);
    if (hwr_type_of(r) != &row_type || r->length != 2 + i % ITEMS_MOST) return false;
    const prose *text = r->items[0];
    return r->items[1] == (i >= KEPT ? (void *)fragment(f, i - KEPT) : NULL) && hwr_type_of(text) == &prose_type &&
           text->length == text_length(i) && pattern_holds(text->bytes, text->length, text->length, i);
}

static void expect_fragments(const tracing_fixture *f) {
    for (size_t i = 0; i < all_of(f)->length; i += KEPT) assert_true(is_fragment(f, i));
    tracing_fixture_expect_verified(f);
}

static size_t bytes_kept(const tracing_fixture *f) {
    size_t bytes = 0;
    for (size_t i = 0; i < all_of(f)->length; i += KEPT)
        bytes += 8 + sizeof(row) + fragment(f, i)->length * sizeof(void *) + 8 + sizeof(prose) +
                 (text_length(i) + 7) / 8 * 8;
    return bytes;
}

/* Bytes of blocks in use after the last full collection. */
static size_t old_size(const tracing_fixture *f) {
    hwr_memory_info info;
    hwr_get_memory_info(f->heap, HWR_INFO_FULL, &info);
    return info.generations[2].size_after;
}

static size_t compacted_size(const tracing_fixture *f) {
    assert_true(hwr_collect_with(f->heap, HWR_OLDEST, HWR_COLLECT_COMPACTING));
    return old_size(f);
}

static size_t committed(const tracing_fixture *f) {
    hwr_memory_info info;
    hwr_get_memory_info(f->heap, HWR_INFO_FULL, &info);
    return info.committed;
}

/* ---- how much it helps ---- */

static void compacting_empties_sparse_blocks(void **state) {
    tracing_fixture *f = *state;
    make_fragments(f, COUNT);
    assert_true(hwr_collect_with(f->heap, HWR_OLDEST, HWR_COLLECT_FORCED));
    size_t sparse = old_size(f), held = committed(f), dense = compacted_size(f);
    expect_fragments(f);
    assert_true(dense < bytes_kept(f) + bytes_kept(f) / 5 + 6 * BLOCK);
    if (!f->config.move_always) assert_true(sparse > 4 * dense && held - committed(f) > (sparse - dense) / 2);
}

static void full_collections_empty_sparse_blocks_by_the_way(void **state) {
    tracing_fixture *f = *state;
    make_fragments(f, COUNT);
    assert_true(hwr_collect_with(f->heap, HWR_OLDEST, HWR_COLLECT_DEFAULT));
    size_t sparse = old_size(f);
    for (int i = 0; i < 6; i++) {
        assert_true(hwr_collect_with(f->heap, HWR_OLDEST, HWR_COLLECT_DEFAULT));
        expect_fragments(f);
    }
    assert_true(f->config.move_always || old_size(f) < sparse / 3);
    assert_true(old_size(f) < bytes_kept(f) * 2 + 6 * BLOCK);
}

/* What fits well stays: moving it would make nothing free. */
static void dense_blocks_stay(void **state) {
    tracing_fixture *f = *state;
    if (f->config.move_always) skip();
    make_list(f, 0, 60000);
    hwr_collect(f->heap, HWR_OLDEST);
    const void *before = f->slot[0];
    size_t size = old_size(f);
    assert_true(compacted_size(f) <= size);
    assert_ptr_equal(f->slot[0], before);
    assert_true(is_list(f->slot[0], 60000));
}

static void again_and_again(void **state) {
    tracing_fixture *f = *state;
    size_t count = f->config.stress != 0 ? 100 : 1500;
    static const hwr_collection_mode modes[] = {HWR_COLLECT_DEFAULT, HWR_COLLECT_COMPACTING, HWR_COLLECT_AGGRESSIVE};
    for (size_t round = 0; round < 6; round++) {
        make_fragments(f, count);
        assert_true(hwr_collect_with(f->heap, HWR_OLDEST, modes[round % 3]));
        expect_fragments(f);
        make_list(f, 2, count / 2);
        assert_true(hwr_collect_with(f->heap, HWR_OLDEST, modes[(round + 1) % 3]));
        expect_fragments(f);
        assert_true(is_list(f->slot[2], count / 2));
    }
}

/* ---- what may not move ---- */

static void what_is_pinned_stays(void **state) {
    tracing_fixture *f = *state;
    make_fragments(f, COUNT);
    hwr_handle *handles[PINNED];
    void *places[PINNED];
    for (size_t i = 0; i < PINNED; i++) {
        row *r = fragment(f, i * 10 * KEPT);
        places[i] = i % 2 == 0 ? r : r->items[0];
        handles[i] = hwr_handle_new_kind(f->heap, places[i], HWR_HANDLE_PINNED);
        assert_non_null(handles[i]);
    }
    for (int round = 0; round < 3; round++) {
        compacted_size(f);
        expect_fragments(f);
        for (size_t i = 0; i < PINNED; i++) {
            assert_ptr_equal(hwr_handle_get(f->heap, handles[i]), places[i]);
            assert_ptr_equal(i % 2 == 0 ? (void *)fragment(f, i * 10 * KEPT) : fragment(f, i * 10 * KEPT)->items[0],
                             places[i]);
        }
    }
    for (size_t i = 0; i < PINNED; i++) hwr_handle_free(f->heap, handles[i]);
    size_t on_stack = f->config.roots == HWR_ROOTS_STACKS ? PINNED : 0;
    assert_true(compacted_size(f) < bytes_kept(f) + bytes_kept(f) / 5 + (6 + on_stack) * BLOCK);
    expect_fragments(f);
}

/* Words on a stack lead to the beginning of objects, or into their middle. */
static void what_a_stack_leads_to_stays(void **state) {
    tracing_fixture *f = *state;
    make_fragments(f, COUNT);
    char *volatile words[PINNED];
    for (size_t i = 0; i < PINNED; i++) words[i] = (char *)fragment(f, i * 10 * KEPT) + i % 3 * 8;
    assert_true(compacted_size(f) < bytes_kept(f) + bytes_kept(f) / 5 + (6 + 2 * PINNED) * BLOCK);
    for (size_t i = 0; i < PINNED; i++) assert_ptr_equal((char *)fragment(f, i * 10 * KEPT) + i % 3 * 8, words[i]);
    expect_fragments(f);
}

/* Old objects that lead to young ones which may not move are remembered where they have moved to, and what these lead to is told. */
static void young_objects_that_stay_follow(void **state) {
    tracing_fixture *f = *state;
    enum { YOUNG = 50, STEP = 3 * KEPT };
    make_fragments(f, COUNT);
    hwr_handle *handles[YOUNG];
    for (size_t i = 0; i < YOUNG; i++) {
        twig *t = new_twig(f, i);
        handles[i] = hwr_handle_new_kind(f->heap, t, HWR_HANDLE_PINNED);
        assert_non_null(handles[i]);
        t = hwr_handle_get(f->heap, handles[i]);
        hwr_set(f->heap, t, &t->a, (twig *)(void *)fragment(f, i * STEP));
        row *r = fragment(f, (i + YOUNG) * STEP);
        hwr_set(f->heap, r, &r->items[1], (void *)t);
    }
    for (int round = 0; round < 4; round++) {
        if (round % 2 == 0)
            compacted_size(f);
        else
            hwr_collect(f->heap, 0);
        tracing_fixture_expect_verified(f);
        for (size_t i = 0; i < YOUNG; i++) {
            const twig *t = hwr_handle_get(f->heap, handles[i]);
            assert_int_equal(t->number, i);
            assert_ptr_equal(t->a, fragment(f, i * STEP));
            assert_ptr_equal(fragment(f, (i + YOUNG) * STEP)->items[1], t);
        }
    }
    for (size_t i = 0; i < YOUNG; i++) hwr_handle_free(f->heap, handles[i]);
}

/* ---- who else knows of objects ---- */

typedef struct known {
    uint64_t id;
    hwr_handle *strong, *brief, *lasting, *dependent;
} known;

static void get_to_know(tracing_fixture *f, known *k, size_t i) {
    k->id = hwr_id(f->heap, fragment(f, i));
    k->strong = hwr_handle_new(f->heap, fragment(f, i)->items[0]);
    k->brief = hwr_handle_new_kind(f->heap, fragment(f, i), HWR_HANDLE_WEAK_SHORT);
    k->lasting = hwr_handle_new_kind(f->heap, fragment(f, i), HWR_HANDLE_WEAK_LONG);
    k->dependent = hwr_handle_new_dependent(f->heap, fragment(f, i), new_twig(f, i));
    assert_true(k->id != 0 && k->strong && k->brief && k->lasting && k->dependent);
    hwr_weak *weak = hwr_weak_new(f->heap, fragment(f, i), NULL, NULL);
    assert_non_null(weak);
    row *weaks = f->slot[3];
    hwr_set(f->heap, weaks, &weaks->items[i / KEPT], (void *)weak);
    f->slot[4] = new_twig(f, i);
    assert_true(hwr_weak_keys_set(f->heap, f->slot[2], fragment(f, i), f->slot[4]));
    f->slot[4] = NULL;
}

static void expect_known(const tracing_fixture *f, const known *k, size_t i) {
    const row *weaks = f->slot[3];
    assert_int_equal(hwr_id(f->heap, fragment(f, i)), k->id);
    assert_ptr_equal(hwr_handle_get(f->heap, k->strong), fragment(f, i)->items[0]);
    assert_ptr_equal(hwr_handle_get(f->heap, k->brief), fragment(f, i));
    assert_ptr_equal(hwr_handle_get(f->heap, k->lasting), fragment(f, i));
    assert_ptr_equal(hwr_handle_get(f->heap, k->dependent), fragment(f, i));
    assert_int_equal(((const twig *)hwr_handle_second(f->heap, k->dependent))->number, i);
    assert_ptr_equal(hwr_weak_get(f->heap, weaks->items[i / KEPT]), fragment(f, i));
    assert_int_equal(((const twig *)hwr_weak_keys_get(f->heap, f->slot[2], fragment(f, i)))->number, i);
}

static void forget(const tracing_fixture *f, known *k) {
    if (f->config.roots == HWR_ROOTS_EXACT) {
        assert_null(hwr_handle_get(f->heap, k->brief));
        assert_null(hwr_handle_get(f->heap, k->lasting));
        assert_null(hwr_handle_get(f->heap, k->dependent));
    }
    hwr_handle *handles[] = {k->strong, k->brief, k->lasting, k->dependent};
    for (size_t i = 0; i < 4; i++) hwr_handle_free(f->heap, handles[i]);
}

static void ids_handles_and_weak_references_follow(void **state) {
    tracing_fixture *f = *state;
    enum { FEWER = 4000 };
    static known k[FEWER / KEPT];
    f->slot[2] = hwr_weak_keys_new(f->heap);
    f->slot[3] = new_row(f, FEWER / KEPT);
    assert_non_null(f->slot[2]);
    make_fragments(f, FEWER);
    for (size_t i = 0; i < FEWER; i += KEPT) get_to_know(f, &k[i / KEPT], i);
    for (int round = 0; round < 3; round++) {
        compacted_size(f);
        expect_fragments(f);
        for (size_t i = 0; i < FEWER; i += KEPT) expect_known(f, &k[i / KEPT], i);
    }
    f->slot[0] = NULL;
    clear_stack();
    compacted_size(f);
    tracing_fixture_expect_verified(f);
    if (f->config.roots == HWR_ROOTS_EXACT) assert_int_equal(hwr_weak_keys_count(f->heap, f->slot[2]), 0);
    for (size_t i = 0; i < FEWER / KEPT; i++) forget(f, &k[i]);
}

/* Mortals lie among the fragments, in their first item's place. */
static void finalizers_are_called_where_objects_are(void **state) {
    tracing_fixture *f = *state;
    enum { FEWER = 8000 };
    size_t calls = 0;
    make_fragments(f, FEWER);
    for (size_t i = 0; i < FEWER; i++) {
        mortal *m = new_mortal(f, &calls);
        m->number = i;
        row *r = fragment(f, i - i % KEPT);
        hwr_set(f->heap, m, &m->b, (void *)r);
        if (i % KEPT == 0) hwr_set(f->heap, r, &r->items[1], (void *)m);
    }
    clear_stack();
    compacted_size(f); /* those that were dropped are queued, and keep what they lead to */
    tracing_fixture_expect_verified(f);
    bool exact = f->config.roots == HWR_ROOTS_EXACT;
    size_t dropped = FEWER - FEWER / KEPT;
    if (exact) assert_int_equal(hwr_finalizers_pending(f->heap), dropped);
    compacted_size(f);
    hwr_run_finalizers(f->heap, dropped / 2);
    compacted_size(f);
    hwr_run_finalizers(f->heap, 0);
    if (exact) assert_int_equal(calls, dropped);
    compacted_size(f);
    for (size_t i = 0; i < FEWER; i += KEPT) {
        const mortal *m = fragment(f, i)->items[1];
        assert_int_equal(m->number, i);
        assert_ptr_equal(m->b, fragment(f, i));
    }
    f->slot[0] = NULL;
    clear_stack();
    compacted_size(f);
    hwr_run_finalizers(f->heap, 0);
    if (exact) assert_int_equal(calls, FEWER);
}

static void interned_strs_follow(void **state) {
    tracing_fixture *f = *state;
    enum { STRS = 20000 };
    char text[64];
    assert_true(hwr_kinds_open(f->heap));
    f->slot[0] = new_row(f, STRS);
    for (size_t i = 0; i < STRS; i++) {
        int length = snprintf(text, sizeof text, "interned %zu and some more of it", i);
        void *str;
        assert_int_equal(hwr_str_interned(f->heap, text, (size_t)length, &str), HWR_OK);
        hwr_set(f->heap, all_of(f), &all_of(f)->items[i], str);
    }
    hwr_collect(f->heap, HWR_OLDEST);
    for (size_t i = 0; i < STRS; i++)
        if (i % KEPT != 0) hwr_set(f->heap, all_of(f), &all_of(f)->items[i], NULL);
    clear_stack();
    for (int round = 0; round < 2; round++) {
        compacted_size(f);
        tracing_fixture_expect_verified(f);
        for (size_t i = 0; i < STRS; i += KEPT) {
            int length = snprintf(text, sizeof text, "interned %zu and some more of it", i);
            void *str;
            assert_int_equal(hwr_str_interned(f->heap, text, (size_t)length, &str), HWR_OK);
            assert_ptr_equal(str, fragment(f, i));
        }
    }
}

/* ---- without memory ---- */

static void compact_with_fault(tracing_fixture *f, size_t count, uint64_t nth, bool for_good) {
    make_fragments(f, count);
    hwr_collect(f->heap, HWR_OLDEST);
    hwr_raw_inject_fault(f->backend.raw, HWR_FAULT_ALL, nth, for_good);
    hwr_collect_with(f->heap, HWR_OLDEST, HWR_COLLECT_COMPACTING);
    hwr_raw_inject_fault(f->backend.raw, 0, 0, false);
    expect_fragments(f);
}

static void without_memory_nothing_is_lost(void **state) {
    tracing_fixture *f = *state;
    size_t count = runs_slowly() ? 2000 : 6000;
    for (uint64_t nth = 1; nth < 40; nth += nth / 4 + 1) {
        compact_with_fault(f, count, nth, false);
        compact_with_fault(f, count, nth, true);
    }
    assert_true(compacted_size(f) < bytes_kept(f) + bytes_kept(f) / 5 + 6 * BLOCK);
    expect_fragments(f);
}

/* Up to the collection without memory the stack of the marker has been small; free blocks are there. */
static void the_marking_stack_may_be_full(void **state) {
    tracing_fixture *f = *state;
    enum { LENGTH = 40000, LEFT = LENGTH / KEPT };
    make_list(f, 0, LENGTH);
    make_list(f, 1, LENGTH);
    hwr_collect(f->heap, HWR_OLDEST);
    f->slot[1] = NULL;
    size_t number = 0;
    for (twig *t = f->slot[0]; t != NULL; t = t->a) {
        twig *next = t;
        for (int i = 0; i < KEPT && next != NULL; i++) next = next->a;
        hwr_set(f->heap, t, &t->a, next);
        t->number = number++;
    }
    clear_stack();
    hwr_collect(f->heap, HWR_OLDEST);
    size_t sparse = old_size(f);
    f->slot[2] = new_row(f, LEFT);
    row *wide = f->slot[2];
    for (twig *t = f->slot[0]; t != NULL; t = t->a) hwr_set(f->heap, wide, &wide->items[t->number], (void *)t);
    hwr_raw_inject_fault(f->backend.raw, HWR_FAULT_ALL, 1, true);
    bool done = hwr_collect_with(f->heap, HWR_OLDEST, HWR_COLLECT_COMPACTING);
    hwr_raw_inject_fault(f->backend.raw, 0, 0, false);
    tracing_fixture_expect_verified(f);
    assert_true(done && is_list(f->slot[0], LEFT));
    wide = f->slot[2];
    for (const twig *t = f->slot[0]; t != NULL; t = t->a) assert_ptr_equal(wide->items[t->number], t);
    if (!f->config.move_always) assert_true(old_size(f) < sparse / 2);
}

int main(void) {
    enum { MOVES = TRACING_MOVES | TRACING_CALM };
    static const tracing_test tests[] = {
        TRACING_TEST(compacting_empties_sparse_blocks, MOVES),
        TRACING_TEST(full_collections_empty_sparse_blocks_by_the_way, MOVES),
        TRACING_TEST(dense_blocks_stay, MOVES),
        TRACING_TEST(again_and_again, TRACING_ANY),
        TRACING_TEST(what_is_pinned_stays, MOVES),
        TRACING_TEST(what_a_stack_leads_to_stays, MOVES | TRACING_STACKS),
        TRACING_TEST(young_objects_that_stay_follow, MOVES),
        TRACING_TEST(ids_handles_and_weak_references_follow, MOVES),
        TRACING_TEST(finalizers_are_called_where_objects_are, MOVES),
        TRACING_TEST(interned_strs_follow, MOVES | TRACING_STACKS),
        TRACING_TEST(without_memory_nothing_is_lost, MOVES),
        TRACING_TEST(the_marking_stack_may_be_full, MOVES | TRACING_EXACT),
    };
    return tracing_fixture_run("sparse blocks of tracing heaps", tests, sizeof tests / sizeof tests[0]);
}
