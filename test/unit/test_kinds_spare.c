/* Dicts and lists that have died and are kept for the next. */
#include "heapwright/sequence.h"
#include "kinds/kinds.h"
#include "support/mapping.h"

#include <stdio.h>
#include <stdlib.h>

enum { LISTS, DICTS };

static size_t kept(int which) { return heap->kinds->spares[which].count; }

/* One with some items, all of them leaves. */
static void *filled(int which, int count) {
    void *made = which ? hwr_dict(heap, 0) : hwr_list(heap, 0), *item = str("an item");
    assert_non_null(made);
    for (int i = 0; i < count; i++) {
        if (which) {
            put(made, num(1000 + i), num(i));
        } else {
            assert_true(hwr_list_append(heap, made, item));
        }
    }
    hwr_release(heap, item);
    return made;
}

static size_t length_of(const void *container) {
    size_t length;
    assert_int_equal(hwr_length(container, &length), HWR_OK);
    return length;
}

static bool is_stressed(void **state) { return ((heap_fixture *)*state)->config.stress || getenv("HEAPWRIGHT_STRESS"); }

static void the_next_is_the_one_before(void **state) {
    begin(state);
    if (is_stressed(state) || heap->checked) return;
    int before[HWR_GENERATIONS], after[HWR_GENERATIONS];
    for (int which = LISTS; which <= DICTS; which++)
        for (int count = 1; count <= 4; count++) {
            hwr_collect(heap, HWR_OLDEST);
            void *first = filled(which, count);
            hwr_get_count(heap, before);
            hwr_release(heap, first);
            assert_int_equal(kept(which), 1);
            assert_int_equal(object_count(), objects_before);
            void *second = which ? hwr_dict(heap, 0) : hwr_list(heap, 0);
            hwr_get_count(heap, after);
            assert_ptr_equal(first, second);
            assert_int_equal(kept(which), 0);
            assert_memory_equal(before, after, sizeof before);
            heap_fixture_expect_count(heap, second, 1);
            assert_int_equal(length_of(second), 0);
            assert_true(hwr_is_tracked(heap, second));
            hwr_release(heap, second);
            second = filled(which, 40);
            assert_ptr_equal(first, second);
            assert_int_equal(length_of(second), 40);
            hwr_release(heap, second); /* has grown */
            assert_int_equal(kept(which), 0);
        }
    end(state);
}

/* A list that was one of references may become one of anything, and the other way. */
static void what_it_was_does_not_matter(void **state) {
    static const char *const reprs[] = {"['an item']", "[5000000000]", "[0.5]", "[[]]", "[1]", "[None]"};
    begin(state);
    for (int first = 0; first < 6; first++)
        for (int second = 0; second < 6; second++)
            for (int turn = 0; turn < 2; turn++) {
                int which = turn ? second : first;
                void *items[] = {str("an item"),    num(5000000000), hwr_float(heap, 0.5),
                                 hwr_list(heap, 0), num(1),          hwr_none(heap)};
                void *list = hwr_list(heap, 0), *text;
                assert_true(hwr_list_append(heap, list, items[which]));
                assert_int_equal(hwr_repr(heap, list, &text), HWR_OK);
                assert_string_equal(hwr_str_ascii(text), reprs[which]);
                for (int i = 0; i < 3; i++) assert_true(hwr_list_append(heap, list, items[which]));
                hwr_release(heap, text);
                hwr_release(heap, list);
                for (int i = 0; i < 6; i++) hwr_release(heap, items[i]);
            }
    end(state);
}

static void there_is_a_bound_and_an_end(void **state) {
    enum { MANY = 200 };
    void *all[MANY];
    begin(state);
    hwr_disable(heap);
    for (int which = LISTS; which <= DICTS; which++) {
        for (int i = 0; i < MANY; i++) all[i] = filled(which, 3);
        for (int i = 0; i < MANY; i++) hwr_release(heap, all[i]);
        assert_int_equal(kept(which), heap->checked || is_stressed(state) ? kept(which) : 80);
        if (heap->checked) assert_int_equal(kept(which), 0);
        heap_fixture_expect_objects(*state, objects_before);
        hwr_collect(heap, 1);
        assert_true(heap->checked || is_stressed(state) || kept(which) == 80);
        hwr_collect(heap, HWR_OLDEST);
        assert_int_equal(kept(which), 0);
        heap_fixture_expect_objects(*state, objects_before);
    }
    hwr_enable(heap);
    end(state);
}

static void what_is_not_kept(void **state) {
    begin(state);
    for (int which = LISTS; which <= DICTS; which++) {
        hwr_collect(heap, HWR_OLDEST);
        hwr_release(heap, filled(which, 0));
        hwr_release(heap, filled(which, 30));
        void *other = hwr_list(heap, 0), *container = filled(which, 0), *key = num(1);
        if (which)
            assert_int_equal(hwr_dict_set(heap, container, key, other), HWR_OK);
        else
            assert_true(hwr_list_append(heap, container, other));
        hwr_release(heap, key);
        hwr_release(heap, container);
        hwr_release(heap, other);

        container = filled(which, 2);
        hwr_weak *weak = hwr_weak_new(heap, container, NULL, NULL);
        hwr_release(heap, container);
        assert_null(hwr_weak_get(heap, weak));
        hwr_release(heap, weak);

        container = filled(which, 2);
        hwr_freeze(heap);
        hwr_release(heap, container);
        hwr_unfreeze(heap);
        assert_int_equal(kept(which), 0);
    }
    end(state);
}

/* ---- what runs when items are released ---- */

typedef struct leaf {
    void (*last)(void);
    void *more; /* owned */
} leaf;
static void finalize_leaf(hwr_heap *in, void *object) {
    (void)in;
    if (((leaf *)object)->last) ((leaf *)object)->last();
}
static const hwr_type leaf_type = HWR_TYPE(leaf, HWR_REFS(leaf, more), .flags = HWR_ACYCLIC, .finalize = finalize_leaf);

static void *container_of(int which, void *item) {
    void *made = filled(which, 1);
    if (which)
        put(made, num(1), item);
    else {
        assert_true(hwr_list_append(heap, made, item));
        hwr_release(heap, item);
    }
    return made;
}

static size_t runs;
static void make_and_drop(void) {
    void *all[100];
    runs++;
    for (int i = 0; i < 100; i++) all[i] = filled(i % 2, 2);
    for (int i = 0; i < 100; i++) hwr_release(heap, all[i]);
    const char *problem = "";
    if (runs % 3 == 0) hwr_collect(heap, HWR_OLDEST);
    if (!hwr_heap_verify(heap, &problem)) fail_msg("%s", problem);
    for (int i = 0; i < 100; i++) all[i] = filled(i % 2, 2);
    for (int i = 0; i < 100; i++) hwr_release(heap, all[i]);
}

static void items_run_code_when_they_end(void **state) {
    begin(state);
    runs = 0;
    for (int i = 0; i < 40; i++) {
        leaf *item = hwr_new(heap, &leaf_type);
        assert_non_null(item);
        item->last = make_and_drop;
        hwr_release(heap, container_of(i % 2, item));
    }
    assert_int_equal(runs, 40);
    end(state);
}

/* Each in the one before, with what says of itself that it is no part of a cycle in between. */
static void the_stack_does_not_grow(void **state) {
    begin(state);
    void *last = hwr_none(heap);
    for (int i = 0; i < (is_stressed(state) ? 1000 : 100000); i++) {
        leaf *item = hwr_new(heap, &leaf_type);
        assert_non_null(item);
        hwr_give(heap, item, &item->more, last);
        last = container_of(i % 2, item);
    }
    hwr_release(heap, last);
    end(state);
}

/* ---- without memory ---- */

static void memory_is_given_up_when_it_is_short(void **state) {
    heap_fixture *f = *state;
    begin(state);
    for (int which = LISTS; which <= DICTS; which++) {
        void *all[80];
        for (int i = 0; i < 80; i++) all[i] = filled(which, 2);
        for (int i = 0; i < 80; i++) hwr_release(heap, all[i]);
        heap_fixture_take_all_memory(f);
        assert_int_equal(kept(which), 0);
        heap_fixture_give_memory_back(f);

        void *one = filled(which, 2), *another = filled(which, 2), *item = str("an item");
        heap_fixture_take_all_memory(f);
        hwr_release(heap, one); /* with no memory there is one at hand */
        one = which ? hwr_dict(heap, 0) : hwr_list(heap, 0);
        assert_non_null(one);
        if (which)
            assert_int_equal(hwr_dict_set(heap, one, item, item), HWR_OK);
        else
            assert_true(hwr_list_append(heap, one, item));
        hwr_release(heap, another);
        heap_fixture_give_memory_back(f);
        hwr_release(heap, one);
        hwr_release(heap, item);
    }
    end(state);
}

int main(void) {
    static const heap_test tests[] = {
        /* HEAP_COUNTING: what has just died is there to be used again, which a tracing heap does not know; finalizers at once */
        HEAP_TEST(the_next_is_the_one_before, HEAP_COUNTING),
        HEAP_TEST(what_it_was_does_not_matter, HEAP_STRESSED),
        HEAP_TEST(there_is_a_bound_and_an_end, HEAP_STRESSED | HEAP_COUNTING),
        HEAP_TEST(what_is_not_kept, HEAP_STRESSED | HEAP_COUNTING),
        HEAP_TEST(items_run_code_when_they_end, HEAP_STRESSED | HEAP_COUNTING),
        HEAP_TEST(the_stack_does_not_grow, HEAP_FEW),
        HEAP_TEST(memory_is_given_up_when_it_is_short, HEAP_UNCHECKED | HEAP_COUNTING),
    };
    return heap_fixture_run("kinds: spare dicts and lists", tests, sizeof tests / sizeof *tests);
}
