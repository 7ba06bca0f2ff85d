/* map, filter, zip, enumerate and generators. What Python has an answer for is what python3 (3.11) says. */
#include "support/iterate.h"
#include "support/random.h"
#include "support/sanitizer.h"

#include <stdio.h>

/* ---- functions ---- */

/* What a function is to do besides, at one of its calls; the number of calls is counted from 1. */
static size_t calls, trouble_at;
static hwr_result trouble;

static void expect_calls(size_t expected) {
    assert_int_equal(calls, expected);
    calls = 0;
}

static bool in_trouble(hwr_result *result) {
    *result = trouble;
    return ++calls == trouble_at;
}

/* state + item; state is an int. */
static hwr_result add_state(hwr_heap *heap, void *state, const void *item, void **result) {
    hwr_result failed;
    return in_trouble(&failed) ? failed : hwr_add(heap, state, item, result);
}

static hwr_result is_greater(hwr_heap *heap, void *state, const void *item, bool *wanted) {
    hwr_result failed;
    int order = 0;
    if (in_trouble(&failed)) return failed;
    hwr_result result = hwr_compare(heap, item, state, &order);
    *wanted = order > 0;
    return result;
}

/* Counts down the int that is the last of a list. */
static hwr_result count_down(hwr_heap *heap, void *state, void **item) {
    hwr_result failed;
    void *last;
    int64_t value = 0;
    if (in_trouble(&failed)) return failed;
    hwr_result result = hwr_list_pop(heap, state, hwr_list_length(state) - 1, &last);
    if (result != HWR_OK) return result;
    (void)hwr_int_get(last, &value);
    if (!hwr_list_append_int(heap, state, value - 1)) {
        (void)hwr_list_append(heap, state, last);
        hwr_release(heap, last);
        return HWR_NO_MEMORY;
    }
    *item = last;
    if (value > 0) return HWR_OK;
    hwr_release(heap, last);
    return HWR_END;
}

static hwr_result no_memory_for_it(hwr_heap *heap, void *state, void **item) {
    (void)heap, (void)state, (void)item;
    return HWR_OK;
}

static void *mapped(const heap_fixture *f, hwr_map_function function, void *state, const void *iterable) {
    void *iterator = NULL;
    assert_int_equal(hwr_map(f->heap, function, state, iterable, &iterator), HWR_OK);
    assert_int_equal(hwr_kind_of(iterator), HWR_ITERATOR);
    return iterator;
}

static void *filtered(const heap_fixture *f, hwr_filter_function function, void *state, const void *iterable) {
    void *iterator = NULL;
    assert_int_equal(hwr_filter(f->heap, function, state, iterable, &iterator), HWR_OK);
    assert_int_equal(hwr_kind_of(iterator), HWR_ITERATOR);
    return iterator;
}

static void *generated(const heap_fixture *f, hwr_generator_function function, void *state) {
    void *iterator = hwr_generator(f->heap, function, state);
    assert_non_null(iterator);
    assert_int_equal(hwr_kind_of(iterator), HWR_ITERATOR);
    return iterator;
}

static void *zipped(const heap_fixture *f, void *const *iterables, size_t count) {
    void *iterator = NULL;
    assert_int_equal(hwr_zip(f->heap, iterables, count, &iterator), HWR_OK);
    assert_int_equal(hwr_kind_of(iterator), HWR_ITERATOR);
    return iterator;
}

static size_t begin(const heap_fixture *f) {
    calls = trouble_at = 0;
    return open_kinds(f);
}

/* ---- map and filter ---- */

static void map_makes_items_when_they_are_asked_for(void **state) {
    const heap_fixture *f = *state;
    size_t before = begin(f);
    void *ten = int_object(f, 10000), *list = literal(f, "[1, 2, 0.5]"), *map = mapped(f, add_state, ten, list);
    size_t count = hwr_refcount(f->heap, ten);
    expect_calls(0);
    expect_next(f, map, "10001");
    expect_calls(1);
    assert_true(hwr_list_append_int(f->heap, list, -10000));
    expect_next(f, map, "10002");
    expect_next(f, map, "10000.5");
    expect_next(f, map, "0");
    expect_next(f, map, NULL);
    expect_calls(3);
    heap_fixture_expect_count(f->heap, ten, count - 1); /* at the end nothing is held any more */
    heap_fixture_expect_count(f->heap, list, 1);
    release(f, map);
    map = mapped(f, add_state, ten, list);
    expect_next(f, map, "10001");
    release(f, map); /* before its end */
    void *none = hwr_none(f->heap), *made = &made;
    assert_int_equal(hwr_map(f->heap, add_state, ten, none, &made), HWR_WRONG_KIND);
    assert_int_equal(hwr_filter(f->heap, is_greater, ten, none, &made), HWR_WRONG_KIND);
    assert_int_equal(hwr_enumerate(f->heap, none, 0, &made), HWR_WRONG_KIND);
    assert_ptr_equal(made, &made);
    void *objects[] = {ten, list, none};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
    heap_fixture_expect_objects(f, before);
}

static void filter_leaves_out(void **state) {
    const heap_fixture *f = *state;
    size_t before = begin(f);
    void *two = int_object(f, 2), *list = literal(f, "[1, 3, 2, 2.5, 7]"),
         *any = literal(f, "[0, 'a', '', [], None, 5]");
    void *filter = filtered(f, is_greater, two, list), *true_ones = filtered(f, NULL, NULL, any);
    expect_calls(0);
    expect_next(f, filter, "3");
    expect_calls(2);
    expect_next(f, filter, "2.5");
    expect_next(f, filter, "7");
    expect_next(f, filter, NULL);
    expect_calls(3);
    heap_fixture_expect_count(f->heap, list, 1);
    expect_all(f, true_ones, "['a', 5]");
    expect_next(f, true_ones, NULL);
    void *objects[] = {two, list, any, filter, true_ones};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
    heap_fixture_expect_objects(f, before);
}

/* A failure takes one item away, and nothing else; HWR_END is the end. */
static void functions_may_fail(void **state) {
    static const hwr_result failures[] = {HWR_NO_MEMORY, HWR_NOT_FOUND, HWR_CHANGED};
    const heap_fixture *f = *state;
    size_t before = begin(f);
    void *one = int_object(f, 1), *list = literal(f, "[5, 6, 7]"), *text = literal(f, "[5, 'a', 7]");
    for (size_t i = 0; i < COUNT(failures); i++) {
        void *map = mapped(f, add_state, one, list), *filter = filtered(f, is_greater, one, list);
        trouble = failures[i];
        calls = 0;
        trouble_at = 2;
        expect_next(f, map, "6");
        expect_refused(f, map, failures[i]);
        expect_next(f, map, "8");
        expect_next(f, map, NULL);
        calls = 0;
        expect_next(f, filter, "5");
        expect_refused(f, filter, failures[i]);
        expect_next(f, filter, "7");
        expect_next(f, filter, NULL);
        release(f, map);
        release(f, filter);
    }
    trouble = HWR_END;
    void *map = mapped(f, add_state, one, list), *filter = filtered(f, is_greater, one, list), *nothing = &nothing;
    calls = 0;
    expect_next(f, map, "6");
    expect_next(f, map, NULL);
    calls = 0;
    expect_next(f, filter, "5");
    expect_next(f, filter, NULL);
    trouble_at = 0;
    release(f, map);
    release(f, filter);
    map = mapped(f, add_state, one, text);
    filter = filtered(f, is_greater, one, text);
    assert_int_equal(hwr_list_of(f->heap, map, &nothing), HWR_WRONG_KIND);
    assert_int_equal(hwr_list_extend_from(f->heap, list, filter), HWR_WRONG_KIND);
    assert_ptr_equal(nothing, &nothing);
    expect_repr(f, list, "[5, 6, 7]");
    void *objects[] = {one, list, text, map, filter};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
    heap_fixture_expect_objects(f, before);
}

/* ---- generators ---- */

static void generators_make_items(void **state) {
    const heap_fixture *f = *state;
    size_t before = begin(f);
    void *list = literal(f, "['state', 3000]"), *generator = generated(f, count_down, list);
    expect_calls(0);
    expect_next(f, generator, "3000");
    expect_next(f, generator, "2999");
    expect_calls(2);
    void *last;
    assert_int_equal(hwr_list_pop(f->heap, list, 1, &last), HWR_OK);
    release(f, last);
    assert_true(hwr_list_append_int(f->heap, list, 2));
    expect_all(f, generator, "[2, 1]");
    expect_next(f, generator, NULL);
    expect_calls(3); /* at its end the function is not called again */
    heap_fixture_expect_count(f->heap, list, 1);
    void *stateless = generated(f, no_memory_for_it, NULL);
    for (int i = 0; i < 3; i++) expect_refused(f, stateless, HWR_NO_MEMORY);
    void *objects[] = {list, generator, stateless};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
    heap_fixture_expect_objects(f, before);
}

static void a_generator_that_fails_can_go_on(void **state) {
    const heap_fixture *f = *state;
    size_t before = begin(f);
    void *list = literal(f, "['state', 3]"), *generator = generated(f, count_down, list);
    trouble = HWR_NOT_FOUND;
    trouble_at = 2;
    expect_next(f, generator, "3");
    expect_refused(f, generator, HWR_NOT_FOUND);
    expect_next(f, generator, "2");
    trouble = HWR_END;
    trouble_at = 4;
    expect_next(f, generator, NULL);
    trouble_at = 0;
    expect_next(f, generator, NULL);
    release(f, list);
    release(f, generator);
    heap_fixture_expect_objects(f, before);
}

/* ---- functions that ask their own iterator ---- */

static void *own; /* borrowed */

static hwr_result ask_own(hwr_heap *heap, void *state, void **item) {
    (void)state;
    calls++;
    return hwr_next(heap, own, item);
}

static hwr_result map_by_own(hwr_heap *heap, void *state, const void *item, void **result) {
    (void)state;
    calls++;
    hwr_result done = hwr_next(heap, own, result);
    if (done != HWR_END) return done;
    hwr_retain(heap, item);
    *result = (void *)(uintptr_t)item;
    return HWR_OK;
}

static hwr_result filter_by_own(hwr_heap *heap, void *state, const void *item, bool *wanted) {
    void *another = NULL;
    (void)state, (void)item;
    calls++;
    hwr_result done = hwr_next(heap, own, &another);
    if (done == HWR_OK) hwr_release(heap, another);
    *wanted = done != HWR_OK;
    return HWR_OK;
}

/* As in Python: a generator is already executing; a map or filter goes on with its next item. */
static void functions_may_ask_their_own_iterator(void **state) {
    const heap_fixture *f = *state;
    size_t before = begin(f);
    void *list = literal(f, "[1, 2, 3]"), *none = hwr_none(f->heap);
    void *generator = own = generated(f, ask_own, list);
    for (int i = 0; i < 3; i++) expect_refused(f, generator, HWR_BAD_VALUE);
    expect_calls(3);
    void *map = own = mapped(f, map_by_own, list, list);
    expect_next(f, map, "3"); /* the first is what the second is: the third, at the end */
    expect_calls(3);
    expect_next(f, map, NULL);
    void *filter = own = filtered(f, filter_by_own, list, list);
    expect_next(f, filter, "1"); /* the third is wanted, so the second is not, so the first is */
    expect_calls(3);
    expect_next(f, filter, NULL);
    void *chain[2] = {generated(f, ask_own, NULL), NULL}; /* through another iterator */
    own = chain[1] = mapped(f, add_state, none, chain[0]);
    expect_refused(f, chain[1], HWR_BAD_VALUE);
    void *pair_of_own[] = {list, chain[0]}, *zip = own = zipped(f, pair_of_own, 2);
    expect_refused(f, zip, HWR_BAD_VALUE);
    heap_fixture_expect_count(f->heap, list, 3);
    void *objects[] = {list, none, generator, map, filter, chain[0], chain[1], zip};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
    heap_fixture_expect_objects(f, before);
}

/* ---- zip and enumerate ---- */

static void zip_goes_as_far_as_the_shortest(void **state) {
    static const struct {
        const char *iterables, *text;
    } cases[] = {
        {"[]", "[]"},
        {"['abc']", "[('a',), ('b',), ('c',)]"},
        {"['abc', [1, 2, 3]]", "[('a', 1), ('b', 2), ('c', 3)]"},
        {"['abc', [1, 2]]", "[('a', 1), ('b', 2)]"},
        {"['ab', [1, 2, 3]]", "[('a', 1), ('b', 2)]"},
        {"['ab', []]", "[]"},
        {"[[[]], (0.5, 1), 'z']", "[([], 0.5, 'z')]"},
        {"['ab', 'cd', 'ef', 'gh', 'ij', 'kl', 'mn', 'op']",
         "[('a', 'c', 'e', 'g', 'i', 'k', 'm', 'o'), ('b', 'd', 'f', 'h', 'j', 'l', 'n', 'p')]"},
        {"['ab', 'cd', 'ef', 'gh', 'ij', 'kl', 'mn', 'op', 'q']", "[('a', 'c', 'e', 'g', 'i', 'k', 'm', 'o', 'q')]"},
    };
    const heap_fixture *f = *state;
    size_t before = begin(f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        void *list = literal(f, cases[i].iterables), *iterables[10], *zip;
        size_t count = hwr_list_length(list);
        for (size_t k = 0; k < count; k++) assert_int_equal(hwr_list_get(f->heap, list, k, &iterables[k]), HWR_OK);
        zip = zipped(f, iterables, count);
        expect_all(f, zip, cases[i].text);
        expect_next(f, zip, NULL);
        for (size_t k = 0; k < count; k++) {
            if (!hwr_truth(iterables[k])) heap_fixture_expect_count(f->heap, iterables[k], 2);
            release(f, iterables[k]);
        }
        release(f, list);
        release(f, zip);
    }
    void *iterables[] = {literal(f, "'abc'"), hwr_none(f->heap)}, *made = &made;
    assert_int_equal(hwr_zip(f->heap, iterables, 2, &made), HWR_WRONG_KIND);
    assert_int_equal(hwr_zip(f->heap, iterables, SIZE_MAX, &made), HWR_NO_MEMORY);
    assert_ptr_equal(made, &made);
    void *one = iterator_over(f, iterables[0]), *twice[] = {one, one}, *zip = zipped(f, twice, 2);
    expect_next(f, zip, "('a', 'b')");
    expect_next(f, zip, NULL); /* 'c' is gone, as in Python */
    expect_next(f, one, NULL);
    void *objects[] = {iterables[0], iterables[1], one, zip};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
    heap_fixture_expect_objects(f, before);
}

static void enumerate_counts(void **state) {
    const heap_fixture *f = *state;
    size_t before = begin(f);
    void *text = literal(f, "'abc'"), *iterator = NULL, *last = NULL;
    assert_int_equal(hwr_enumerate(f->heap, text, 255, &iterator), HWR_OK);
    expect_all(f, iterator, "[(255, 'a'), (256, 'b'), (257, 'c')]");
    expect_next(f, iterator, NULL);
    assert_int_equal(hwr_enumerate(f->heap, text, -1, &last), HWR_OK);
    expect_next(f, last, "(-1, 'a')");
    void *objects[] = {text, iterator, last};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
    heap_fixture_expect_objects(f, before);
}

static void *next_of(const heap_fixture *f, void *iterator) {
    void *item = NULL;
    assert_int_equal(hwr_next(f->heap, iterator, &item), HWR_OK);
    return item;
}

static void count_call(hwr_heap *heap, hwr_weak *weak, void *argument) {
    (void)heap, (void)weak, (void)argument;
    calls++;
}

/* A tuple is used again if nobody can tell. */
static void tuples_that_somebody_has_stay(void **state) {
    const heap_fixture *f = *state;
    size_t before = begin(f);
    void *list = literal(f, "[1, 2, 3, [], 5, 6]"), *text = literal(f, "'abcdef'"), *both[] = {text, list};
    void *zip = zipped(f, both, 2), *kept[6];
    for (size_t i = 0; i < COUNT(kept); i++) kept[i] = next_of(f, zip);
    for (size_t i = 0; i < COUNT(kept); i++) {
        static const char *const texts[] = {"('a', 1)", "('b', 2)", "('c', 3)", "('d', [])", "('e', 5)", "('f', 6)"};
        expect_repr(f, kept[i], texts[i]);
        release(f, kept[i]);
    }
    release(f, zip);
    zip = zipped(f, both, 2);
    void *first = next_of(f, zip);
    uint64_t id = hwr_id(f->heap, first);
    release(f, first);
    void *second = next_of(f, zip); /* the first is used again, unless the heap is checked */
    bool checked = f->config.checked || getenv("HEAPWRIGHT_DEBUG") != NULL;
    assert_int_equal(hwr_id(f->heap, second) == id, !checked);
    expect_repr(f, second, "('b', 2)");
    hwr_weak *weak = hwr_weak_new(f->heap, second, count_call, NULL);
    release(f, second);
    expect_next(f, zip, "('c', 3)"); /* there is a weak reference to the second: it dies */
    expect_calls(1);
    expect_next(f, zip, "('d', [])"); /* that is no leaf */
    expect_next(f, zip, "('e', 5)");
    expect_next(f, zip, "('f', 6)");
    expect_next(f, zip, NULL);
    heap_fixture_expect_count(f->heap, list, 1);
    void *objects[] = {list, text, zip, weak};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
    heap_fixture_expect_objects(f, before);
}

static void *asked;  /* borrowed */
static void *gained; /* by a finalizer */
static void take_next(hwr_heap *heap, finalized *object) {
    (void)object;
    assert_int_equal(hwr_next(heap, asked, &gained), HWR_OK);
}

/* What dies when a tuple gets other items asks for the next one. */
static void deaths_find_a_whole_tuple(void **state) {
    const heap_fixture *f = *state;
    size_t before = begin(f), finalizers = 0;
    void *list = literal(f, "[[], 2, 3, 4]"), *text = literal(f, "'abc'"), *both[] = {list, text}, *old;
    finalized *asking = new_finalized(f, &finalizers);
    asking->more = take_next;
    assert_int_equal(hwr_list_set(f->heap, list, 0, asking), HWR_OK);
    release(f, asking);
    void *zip = asked = zipped(f, both, 2);
    release(f, next_of(f, zip));
    assert_int_equal(hwr_list_pop(f->heap, list, 0, &old), HWR_OK); /* so the next is 3, 'b' */
    release(f, old);
    assert_int_equal(finalizers, 0);
    expect_next(f, zip, "(3, 'b')");
    assert_int_equal(finalizers, 1);
    release(f, gained);
    void *objects[] = {list, text, zip};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
    heap_fixture_expect_objects(f, before);
}

/* ---- the collector ---- */

static void cycles_through_iterators_are_found(void **state) {
    const heap_fixture *f = *state;
    size_t before = begin(f), finalizers = 0;
    for (int which = 0; which < 4; which++) {
        finalized *witness = new_finalized(f, &finalizers);
        void *list = literal(f, "[1, 'a']"), *both[] = {list, list}, *iterator = NULL;
        assert_true(hwr_list_append(f->heap, list, witness));
        if (which == 0) iterator = generated(f, count_down, list);
        if (which == 1) iterator = mapped(f, add_state, list, list);
        if (which == 2) iterator = filtered(f, NULL, NULL, list);
        if (which == 3) iterator = zipped(f, both, 2);
        if (which > 1) {
            void *item;
            assert_int_equal(hwr_next(f->heap, iterator, &item), HWR_OK);
            release(f, item);
        }
        assert_true(hwr_list_append(f->heap, list, iterator));
        hwr_collect(f->heap, HWR_OLDEST);
        assert_int_equal(finalizers, which);
        void *objects[] = {list, witness, iterator};
        for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
        assert_int_equal(finalizers, which);
        assert_true(hwr_collect(f->heap, HWR_OLDEST) >= 3);
        assert_int_equal(finalizers, which + 1);
    }
    heap_fixture_expect_objects(f, before);
}

/* A finalizer asks an iterator that is garbage with it: all is still there. */
static void ask_another(hwr_heap *heap, finalized *object) {
    void *item;
    assert_int_equal(hwr_next(heap, object->a, &item), HWR_OK);
    hwr_release(heap, item);
}

/* What dies when an iterator comes to its end asks it once more. */
static void finalizers_ask_iterators(void **state) {
    const heap_fixture *f = *state;
    size_t before = begin(f), finalizers = 0;
    finalized *asking = new_finalized(f, &finalizers);
    void *list = literal(f, "[3]"), *generator = generated(f, count_down, list), *zip = zipped(f, &generator, 1);
    asking->more = ask_another;
    hwr_set(f->heap, asking, &asking->a, zip);
    assert_int_equal(hwr_list_insert(f->heap, list, 0, asking), HWR_OK);
    void *objects[] = {asking, list, generator, zip};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
    assert_true(hwr_collect(f->heap, HWR_OLDEST) >= 4);
    assert_int_equal(finalizers, 1);
    expect_calls(1);
    heap_fixture_expect_objects(f, before);
}

static void *ended; /* borrowed */
static void ask_ended(hwr_heap *heap, finalized *object) {
    void *item = &item;
    (void)object;
    assert_int_equal(hwr_next(heap, ended, &item), HWR_END);
}

static void deaths_at_the_end_find_an_end(void **state) {
    const heap_fixture *f = *state;
    size_t before = begin(f), finalizers = 0;
    for (int which = 0; which < 5; which++) {
        finalized *asking = new_finalized(f, &finalizers);
        void *items[] = {asking}, *tuple = hwr_tuple(f->heap, items, 1), *iterator = NULL, *item;
        asking->more = ask_ended;
        if (which == 0) iterator = iterator_over(f, tuple);
        if (which == 1) iterator = filtered(f, NULL, NULL, tuple);
        if (which == 2) iterator = zipped(f, &tuple, 1);
        if (which == 3) iterator = mapped(f, add_state, asking, tuple);
        if (which == 4) iterator = generated(f, no_memory_for_it, tuple);
        ended = iterator;
        release(f, asking);
        release(f, tuple);
        if (which < 3) {
            assert_int_equal(hwr_next(f->heap, iterator, &item), HWR_OK);
            release(f, item);
            expect_next(f, iterator, NULL);
        } else if (which == 3) {
            trouble = HWR_END;
            trouble_at = calls + 1;
            expect_next(f, iterator, NULL);
        }
        assert_int_equal(finalizers, which < 4 ? which + 1 : 4);
        if (which == 4) asking->more = NULL;
        release(f, iterator);
        assert_int_equal(finalizers, which + 1);
    }
    heap_fixture_expect_objects(f, before);
}

/* ---- one through the other, against a model ---- */

/* A random chain of maps and filters over ints, zipped at times, does what a loop does. */
static void random_chains_agree_with_a_loop(void **state) {
    const heap_fixture *f = *state;
    size_t before = begin(f), rounds = runs_slowly() ? 100 : 1000;
    random_stream r = {31};
    for (size_t round = 0; round < rounds; round++) {
        enum { MOST_LINKS = 8 };
        struct {
            bool is_map;
            int64_t number;
        } links[MOST_LINKS];
        int64_t length = (int64_t)random_below(&r, 50), values[50];
        size_t count = random_below(&r, MOST_LINKS), expected = 0;
        void *chain = range_object(f, 0, length, 1);
        for (size_t i = 0; i < count; i++) {
            links[i].is_map = random_below(&r, 2);
            links[i].number = (int64_t)random_below(&r, 40) - 10;
            void *number = int_object(f, links[i].number);
            void *next = links[i].is_map ? mapped(f, add_state, number, chain) : filtered(f, is_greater, number, chain);
            release(f, number);
            release(f, chain);
            chain = next;
        }
        for (int64_t value = 0; value < length; value++) {
            int64_t result = value;
            size_t i = 0;
            for (; i < count && (links[i].is_map || result > links[i].number); i++)
                if (links[i].is_map) result += links[i].number;
            if (i == count) values[expected++] = result;
        }
        void *list = NULL, *enumerated = NULL;
        if (random_below(&r, 2)) {
            void *pair_of_it, *item;
            int64_t value;
            assert_int_equal(hwr_enumerate(f->heap, chain, 0, &enumerated), HWR_OK);
            for (size_t i = 0; i < expected; i++)
                for (size_t k = 0; k < 2; k++) {
                    if (k == 0) assert_int_equal(hwr_next(f->heap, enumerated, &pair_of_it), HWR_OK);
                    assert_int_equal(hwr_tuple_get(f->heap, pair_of_it, k, &item), HWR_OK);
                    assert_int_equal(hwr_int_get(item, &value), HWR_OK);
                    assert_true(value == (k ? values[i] : (int64_t)i));
                    release(f, item);
                    if (k == 1) release(f, pair_of_it);
                }
            expect_next(f, enumerated, NULL);
        } else {
            assert_int_equal(hwr_list_of(f->heap, chain, &list), HWR_OK);
            assert_int_equal(hwr_list_length(list), expected);
            for (size_t i = 0; i < expected; i++) {
                int64_t value;
                assert_int_equal(hwr_list_get_int(list, i, &value), HWR_OK);
                assert_true(value == values[i]);
            }
        }
        void *objects[] = {chain, list, enumerated};
        for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
    }
    heap_fixture_expect_objects(f, before);
}

/* ---- without memory ---- */

/* Makes and goes through one of each, as far as there is memory. Returns whether there was enough. */
static bool all_granted(const heap_fixture *f, const void *list, void *number) {
    void *made[6] = {NULL}, *both[] = {NULL, NULL}, *item;
    bool granted = hwr_map(f->heap, add_state, number, list, &made[0]) == HWR_OK;
    if (made[0]) granted = hwr_filter(f->heap, is_greater, number, made[0], &made[1]) == HWR_OK && granted;
    if (made[1]) granted = hwr_enumerate(f->heap, made[1], 1000, &made[2]) == HWR_OK && granted;
    if (made[2]) {
        hwr_result result = hwr_list_of(f->heap, made[2], &made[3]);
        assert_true(result == HWR_OK || result == HWR_NO_MEMORY);
        granted = result == HWR_OK && granted;
    }
    void *counter = hwr_list(f->heap, 0);
    if (counter && hwr_list_append(f->heap, counter, number)) made[4] = hwr_generator(f->heap, count_down, counter);
    both[0] = both[1] = made[4];
    granted = made[4] && granted;
    if (made[4]) granted = hwr_zip(f->heap, both, 2, &made[5]) == HWR_OK && granted;
    for (hwr_result result = HWR_OK; made[5] && result != HWR_END;) {
        result = hwr_next(f->heap, made[5], &item);
        assert_true(result == HWR_OK || result == HWR_END || result == HWR_NO_MEMORY);
        granted = result != HWR_NO_MEMORY && granted;
        if (result == HWR_OK) release(f, item);
        if (result == HWR_NO_MEMORY) break;
    }
    for (size_t i = 0; i < COUNT(made); i++) release(f, made[i]);
    release(f, counter);
    return granted;
}

static void every_request_for_memory_can_fail(void **state) {
    heap_fixture *f = *state;
    size_t before = begin(f);
    void *number = int_object(f, 3000), *list = literal(f, "[1, 2]");
    for (int i = 0; i < (heap_fixture_traces() ? 8 : 11); i++) assert_true(hwr_list_extend(f->heap, list, list));
    for (int for_good = 0; for_good < 2; for_good++) {
        bool failed = true;
        for (uint64_t nth = 1; failed; nth++) {
            hwr_heap_trim(f->heap);
            size_t failures = backend_failures(&f->backend);
            hwr_raw_inject_fault(f->backend.raw, HWR_FAULT_ALL, nth, for_good);
            bool granted = all_granted(f, list, number);
            hwr_raw_inject_fault(f->backend.raw, 0, 0, false);
            failed = backend_failures(&f->backend) > failures;
            assert_true(granted || failed);
        }
    }
    release(f, number);
    release(f, list);
    heap_fixture_expect_objects(f, before);
}

/* With all memory gone, and a few small objects' worth given back: each request fails in turn. */
static void each_allocation_can_fail(void **state) {
    heap_fixture *f = *state;
    enum { SPARE = 40, FIRST = 1000 };
    size_t before = begin(f), refused = 0;
    void *number = int_object(f, 3000), *list = literal(f, "[1, 2, 70000]");
    hwr_disable(f->heap);
    for (int i = 0; i < FIRST; i++) assert_non_null(heap_fixture_hold(f, hwr_float(f->heap, i)));
    heap_fixture_take_all_memory(f);
    random_stream r = {9};
    bool any = true;
    while (any) {
        any = false;
        void *both[] = {number, list}, *object = NULL;
        if ((object = hwr_float(f->heap, 1)) != NULL) any = heap_fixture_hold(f, object);
        if ((object = hwr_tuple(f->heap, both, 1)) != NULL) any = heap_fixture_hold(f, object);
        if ((object = hwr_tuple(f->heap, both, 2)) != NULL) any = heap_fixture_hold(f, object);
        if ((object = hwr_generator(f->heap, count_down, NULL)) != NULL) any = heap_fixture_hold(f, object);
        if ((object = hwr_list(f->heap, 0)) != NULL) any = heap_fixture_hold(f, object);
        if (hwr_iterate(f->heap, list, &object) == HWR_OK) any = heap_fixture_hold(f, object);
        if (hwr_range(f->heap, 0, 1, 1, &object) == HWR_OK) any = heap_fixture_hold(f, object);
        if (hwr_zip(f->heap, both, 0, &object) == HWR_OK) any = heap_fixture_hold(f, object);
    }
    for (int i = 0; i < 300 && heap_fixture_held() > SPARE; i++) {
        size_t spare = i < SPARE ? (size_t)i / 4 : random_below(&r, SPARE);
        while (spare-- > 0) heap_fixture_let_go(f, random_below(&r, heap_fixture_held()));
        refused += !all_granted(f, list, number);
    }
    assert_true(refused > 0);
    heap_fixture_give_memory_back(f);
    hwr_enable(f->heap);
    heap_fixture_let_all_go(f);
    assert_true(all_granted(f, list, number));
    release(f, number);
    release(f, list);
    heap_fixture_expect_objects(f, before);
}

int main(void) {
    static const heap_test tests[] = {
        HEAP_TEST(map_makes_items_when_they_are_asked_for, HEAP_STRESSED),
        HEAP_TEST(filter_leaves_out, HEAP_STRESSED),
        HEAP_TEST(functions_may_fail, HEAP_STRESSED),
        HEAP_TEST(generators_make_items, HEAP_STRESSED),
        HEAP_TEST(a_generator_that_fails_can_go_on, HEAP_ANY),
        HEAP_TEST(functions_may_ask_their_own_iterator, HEAP_STRESSED),
        HEAP_TEST(zip_goes_as_far_as_the_shortest, HEAP_STRESSED),
        HEAP_TEST(enumerate_counts, HEAP_STRESSED),
        /* HEAP_COUNTING: tuples that are filled again when nobody has them, what hwr_collect counts, and finalizers in the middle of a step */
        HEAP_TEST(tuples_that_somebody_has_stay, HEAP_COUNTING),
        HEAP_TEST(deaths_find_a_whole_tuple, HEAP_COUNTING),
        HEAP_TEST(cycles_through_iterators_are_found, HEAP_COUNTING),
        HEAP_TEST(finalizers_ask_iterators, HEAP_COUNTING),
        HEAP_TEST(deaths_at_the_end_find_an_end, HEAP_STRESSED | HEAP_COUNTING),
        HEAP_TEST(random_chains_agree_with_a_loop, HEAP_STRESSED | HEAP_FEW),
        HEAP_TEST(every_request_for_memory_can_fail, HEAP_FEW),
        HEAP_TEST(each_allocation_can_fail, HEAP_FEW),
    };
    return heap_fixture_run("kinds: lazy iterators", tests, COUNT(tests));
}
