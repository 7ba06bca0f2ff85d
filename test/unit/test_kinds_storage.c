/* How lists keep their items: long ones, changes at random, and what happens when there is no memory, or when code of the program's changes a list in the middle of something. */
#include "support/literal.h"
#include "support/random.h"
#include "support/sanitizer.h"

#include "kinds/kinds.h"

#include <stdio.h>
#include <stdlib.h>

static void release(const heap_fixture *f, const void *object) { hwr_release(f->heap, object); }

static void *number(const heap_fixture *f, int64_t value) {
    void *object = hwr_int(f->heap, value);
    assert_non_null(object);
    return object;
}

/* ---- at random, against a model ---- */

enum { MODEL_ROOM = 400, ITEMS = 16 };

/* What the list should hold: borrowed from `items`. */
typedef struct model {
    void *items[ITEMS];
    void *held[MODEL_ROOM];
    size_t length;
} model;

static void make_items(const heap_fixture *f, model *m) {
    static const char *const texts[ITEMS] = {
        "1",    "-5",  "100", "1000",   "-40000", "70000", "5000000000", "2.5",
        "-0.0", "nan", "'a'", "'text'", "None",   "True",  "[1, 2]",     "9223372036854775808"};
    for (size_t i = 0; i < ITEMS; i++) m->items[i] = literal(f, texts[i]);
}

/* No memory is needed, if the list and the model agree. */
static void expect_item(const heap_fixture *f, const void *list, size_t index, const void *expected) {
    int64_t value = 0, wanted;
    double real = 0, wished;
    void *item = NULL;
    if (hwr_kind_of(expected) == HWR_INT && hwr_int_get(expected, &wanted) == HWR_OK) {
        assert_int_equal(hwr_list_get_int(list, index, &value), HWR_OK);
        assert_int_equal(value, wanted);
    } else if (hwr_kind_of(expected) == HWR_FLOAT) {
        assert_int_equal(hwr_float_get(expected, &wished), HWR_OK);
        assert_int_equal(hwr_list_get_float(list, index, &real), HWR_OK);
        assert_memory_equal(&real, &wished, sizeof real);
    } else {
        assert_int_equal(hwr_list_get(f->heap, list, index, &item), HWR_OK);
        assert_ptr_equal(item, expected);
        release(f, item);
    }
}

static void expect_model(const heap_fixture *f, const void *list, const model *m) {
    assert_int_equal(hwr_list_length(list), m->length);
    for (size_t i = 0; i < m->length; i++) expect_item(f, list, i, m->held[i]);
}

static bool done(bool granted, bool may_fail) {
    assert_true(granted || may_fail);
    return granted;
}
static bool succeeded(hwr_result result, bool may_fail) {
    assert_true(result == HWR_OK || result == HWR_NO_MEMORY);
    return done(result == HWR_OK, may_fail);
}

static void model_insert(model *m, size_t at, void *item) {
    memmove(&m->held[at + 1], &m->held[at], (m->length - at) * sizeof *m->held);
    m->held[at] = item;
    m->length++;
}

static void model_remove(model *m, size_t at) {
    m->length--;
    memmove(&m->held[at], &m->held[at + 1], (m->length - at) * sizeof *m->held);
}

static bool append_as_value(const heap_fixture *f, void *list, const void *item) {
    int64_t value;
    double real;
    if (hwr_kind_of(item) == HWR_INT && hwr_int_get(item, &value) == HWR_OK)
        return hwr_list_append_int(f->heap, list, value);
    if (hwr_kind_of(item) == HWR_FLOAT && hwr_float_get(item, &real) == HWR_OK)
        return hwr_list_append_float(f->heap, list, real);
    return hwr_list_append(f->heap, list, item);
}

/* Its own part in its place. */
static void cut(const heap_fixture *f, void **list, model *m, size_t from, size_t to, bool may_fail) {
    void *part = NULL;
    if (!succeeded(hwr_list_slice(f->heap, *list, from, to, &part), may_fail)) return;
    release(f, *list);
    *list = part;
    m->length = to - from;
    memmove(m->held, &m->held[from], m->length * sizeof *m->held);
}

/* One change of both; `kinds` says how many of the items may come. Nothing changes if it fails. */
static void change(const heap_fixture *f, random_stream *r, void **list, model *m, size_t kinds, bool may_fail) {
    size_t at = random_below(r, m->length + 1);
    void *item = m->items[random_below(r, kinds)], *popped = NULL;
    bool full = m->length + 1 >= MODEL_ROOM;
    switch (full ? 9 : random_below(r, 16)) {
    case 0:
    case 1:
    case 2:
        if (done(hwr_list_append(f->heap, *list, item), may_fail)) model_insert(m, m->length, item);
        break;
    case 3:
    case 4:
        if (done(append_as_value(f, *list, item), may_fail)) model_insert(m, m->length, item);
        break;
    case 5:
    case 6:
        if (succeeded(hwr_list_insert(f->heap, *list, at, item), may_fail)) model_insert(m, at, item);
        break;
    case 7:
        if (at < m->length && succeeded(hwr_list_set(f->heap, *list, at, item), may_fail)) m->held[at] = item;
        break;
    case 8:
        if (m->length * 2 >= MODEL_ROOM || !done(hwr_list_extend(f->heap, *list, *list), may_fail)) break;
        memcpy(&m->held[m->length], m->held, m->length * sizeof *m->held);
        m->length *= 2;
        break;
    case 9: cut(f, list, m, at / 2, at, may_fail); break;
    case 10:
        hwr_list_reverse(*list);
        for (size_t i = 0; i < m->length / 2; i++) {
            void *other = m->held[m->length - 1 - i];
            m->held[m->length - 1 - i] = m->held[i];
            m->held[i] = other;
        }
        break;
    case 11:
        if (random_below(r, 20) == 0) {
            hwr_list_clear(f->heap, *list);
            m->length = 0;
        }
        break;
    default:
        if (at == m->length || !succeeded(hwr_list_pop(f->heap, *list, at, &popped), may_fail)) break;
        model_remove(m, at);
        release(f, popped);
    }
}

static void changes_at_random(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f), rounds = runs_slowly() ? 10 : 40;
    model m = {.length = 0};
    random_stream r = {1};
    make_items(f, &m);
    for (size_t round = 0; round < rounds; round++) {
        static const size_t kinds[] = {1, 3, 5, 7, ITEMS};
        void *list = hwr_list(f->heap, random_below(&r, 3) * 5);
        m.length = 0;
        for (size_t i = 0; i < 400; i++) {
            change(f, &r, &list, &m, kinds[(i / 50 + round) % COUNT(kinds)], false);
            if (i % 7 == 0) expect_model(f, list, &m);
        }
        expect_model(f, list, &m);
        assert_true(hwr_heap_verify(f->heap, NULL));
        release(f, list);
    }
    for (size_t i = 0; i < ITEMS; i++) release(f, m.items[i]);
    heap_fixture_expect_objects(f, before);
}

/* ---- long ones ---- */

/* References to something that the collector looks at: collections see the storage in every place where it comes to lie. */
static void a_list_grows_between_collections(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f), length = runs_slowly() || f->config.checked ? 30000 : 700000, next = 1000;
    void *list = hwr_list(f->heap, 0), *items[] = {literal(f, "[]"), literal(f, "'text'"), number(f, 12345)}, *last;
    for (size_t i = 0; i < length; i++) {
        assert_true(hwr_list_append(f->heap, list, items[i % 3]));
        if (i < next) continue;
        hwr_collect(f->heap, (int)(i % 3));
        next += next / 3;
    }
    heap_fixture_expect_count(f->heap, items[0], 1 + (length + 2) / 3);
    assert_true(hwr_list_append(f->heap, list, list));
    hwr_collect(f->heap, HWR_OLDEST);
    assert_true(hwr_heap_verify(f->heap, NULL));
    while (hwr_list_length(list) > length / 5) {
        assert_int_equal(hwr_list_pop(f->heap, list, hwr_list_length(list) - 1, &last), HWR_OK);
        release(f, last);
        if (hwr_list_length(list) % 9973 == 0) hwr_collect(f->heap, 1);
    }
    void *storage = ((hwri_list *)list)->storage;
    assert_true(((hwri_storage *)storage)->room < length / 2);
    for (size_t i = 0; i < length / 5; i++) expect_item(f, list, i, items[i % 3]);
    release(f, list);
    for (size_t i = 0; i < COUNT(items); i++) release(f, items[i]);
    hwr_collect(f->heap, HWR_OLDEST);
    heap_fixture_expect_objects(f, before);
}

static void values_of_many_widths(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f), length = runs_slowly() || f->config.checked ? 20000 : 100000;
    void *list = hwr_list(f->heap, 0), *text = literal(f, "'text'"), *popped = NULL;
    for (size_t i = 0; i < length; i++)
        assert_true(hwr_list_append_int(f->heap, list, (int64_t)(i * i * (i % 2 ? 1 : 7))));
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < length; i++) {
            int64_t value = 0;
            assert_int_equal(hwr_list_get_int(list, i, &value), HWR_OK);
            assert_int_equal(value, i * i * (i % 2 ? 1 : 7));
        }
        if (round == 0) assert_true(hwr_list_append(f->heap, list, text));
    }
    assert_int_equal(hwr_list_pop(f->heap, list, length, &popped), HWR_OK);
    assert_ptr_equal(popped, text);
    release(f, list);
    release(f, text);
    release(f, popped);
    heap_fixture_expect_objects(f, before);
}

/* What a million ints take, against CPython's eight bytes each, and objects. */
static void values_are_small(void **state) {
    const heap_fixture *f = *state;
    enum { MANY = 1000000 };
    static const struct {
        int64_t step;
        size_t bytes;
    } cases[] = {{0, 1}, {INT64_C(1) << 8, 4}, {INT64_C(1) << 40, 8}};
    open_kinds(f);
    for (size_t c = 0; c < COUNT(cases); c++) {
        hwr_heap_stats without, with;
        hwr_heap_get_stats(f->heap, &without);
        void *list = hwr_list(f->heap, 0);
        for (int64_t i = 0; i < MANY; i++) assert_true(hwr_list_append_int(f->heap, list, i * cases[c].step));
        hwr_heap_get_stats(f->heap, &with);
        assert_true(with.object_bytes - without.object_bytes < MANY * cases[c].bytes / 8 * 9 + (128 << 10));
        release(f, list);
    }
}

static void room_that_was_asked_for(void **state) {
    static const char *const firsts[] = {"1", "1000", "100000", "5000000000", "1.5", "'a'", "[]"};
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t room = 1; room < 40000; room = room * 5 + 1)
        for (size_t i = 0; i < COUNT(firsts); i++) {
            void *list = hwr_list(f->heap, room), *item = literal(f, firsts[i]);
            assert_int_equal(hwr_list_length(list), 0);
            expect_repr(f, list, "[]");
            assert_true(hwr_list_append(f->heap, list, item));
            void *storage = ((hwri_list *)list)->storage;
            assert_true(((hwri_storage *)storage)->room >= room);
            if (room > 8000) assert_true(((hwri_storage *)storage)->room < room * 5 / 4 + (64 << 10));
            while (hwr_list_length(list) < room) assert_true(hwr_list_append(f->heap, list, item));
            assert_ptr_equal(((hwri_list *)list)->storage, storage);
            for (size_t k = 0; k < room; k += 1 + room / 9) expect_item(f, list, k, item);
            release(f, list);
            release(f, item);
        }
    void *list = hwr_list(f->heap, 100);
    hwr_list_clear(f->heap, list);
    assert_true(hwr_list_append_int(f->heap, list, 1));
    release(f, list);
    heap_fixture_expect_objects(f, before);
}

/* ---- deaths that change the list ---- */

static void *watched; /* the list */

static void clear_watched(hwr_heap *heap, finalized *object) {
    (void)object;
    hwr_list_clear(heap, watched);
}

static void append_to_watched(hwr_heap *heap, finalized *object) {
    (void)object;
    for (int i = 0; i < 50; i++) assert_true(hwr_list_append_int(heap, watched, i));
}

static finalized *watched_with(const heap_fixture *f, void (*more)(hwr_heap *heap, finalized *object)) {
    watched = literal(f, "[1, 'a', 2]");
    finalized *object = new_finalized(f, NULL);
    object->more = more;
    assert_true(hwr_list_append(f->heap, watched, object));
    release(f, object);
    return object;
}

static void expect_empty(const hwri_storage *storage, size_t from) {
    for (size_t i = from; i < storage->room; i++) assert_null(storage->as.objects[i]);
}

/* Room behind the last item is NULL, whatever was in the memory that a list or dict gets, moves to or grows into. */
static void memory_used_before_holds_no_items(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    enum { USED = 1000, MOST = 400000 };
    static unsigned char pattern[60000];
    void *used[USED], *list = hwr_list(f->heap, 0), *dict = hwr_dict(f->heap, 0);
    memset(pattern, 0xFF, sizeof pattern);
    for (int i = 0; i < USED; i++) {
        used[i] = hwr_bytes(f->heap, pattern, sizeof pattern);
        assert_non_null(used[i]);
    }
    for (int i = 0; i < USED; i++) release(f, used[i]);
    const hwri_list *l = list;
    const hwri_table *t = dict;
    for (int64_t i = 0; i < MOST; i++) {
        void *key = number(f, i);
        size_t room = l->storage ? l->storage->room : 0, table_room = t->entries ? t->entries->room : 0;
        assert_true(hwr_list_append(f->heap, list, hwr_list_length(list) ? key : list));
        assert_int_equal(hwr_dict_set(f->heap, dict, key, key), HWR_OK);
        if (l->storage->room != room) expect_empty(l->storage, l->length);
        if (t->entries->room != table_room) expect_empty(t->entries, (size_t)t->used * 2);
        release(f, key);
    }
    hwr_list_clear(f->heap, list); /* it was in itself */
    release(f, list);
    release(f, dict);
    heap_fixture_expect_objects(f, before);
}

/* Each of these storages has a chunk of its own, which ends while the collector goes through them. */
static void very_large_garbage_ends_at_once(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    enum { LISTS = 8, MOST = 100000 };
    void *lists[LISTS];
    for (int i = 0; i < LISTS; i++) lists[i] = hwr_list(f->heap, 0);
    for (int i = 0; i < LISTS * MOST; i++)
        assert_true(hwr_list_append(f->heap, lists[i % LISTS], lists[i % LISTS])); /* in turn: none can grow in place */
    for (int i = 0; i < LISTS; i++) release(f, lists[i]);
    hwr_collect(f->heap, HWR_OLDEST);
    heap_fixture_expect_objects(f, before);
}

static void what_dies_may_change_the_list(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    void *none = hwr_none(f->heap), *item = NULL;
    watched_with(f, clear_watched);
    assert_int_equal(hwr_list_set(f->heap, watched, 3, none), HWR_OK);
    expect_repr(f, watched, "[]");
    release(f, watched);
    watched_with(f, append_to_watched);
    assert_int_equal(hwr_list_set(f->heap, watched, 3, none), HWR_OK);
    assert_int_equal(hwr_list_length(watched), 54);
    release(f, watched);
    watched_with(f, append_to_watched);
    hwr_list_clear(f->heap, watched);
    assert_int_equal(hwr_list_length(watched), 50);
    release(f, watched);
    watched_with(f, clear_watched);
    assert_int_equal(hwr_list_pop(f->heap, watched, 3, &item), HWR_OK);
    expect_repr(f, watched, "[1, 'a', 2]");
    release(f, item);
    expect_repr(f, watched, "[]");
    release(f, watched);
    heap_fixture_expect_objects(f, before);
}

/* While a collection is under way, storage of the living and of garbage grows, and is not moved in its place. */
static void append_everywhere(hwr_heap *heap, finalized *object) {
    void *lists[] = {watched, object->a};
    for (size_t i = 0; i < 3000; i++)
        for (size_t k = 0; k < COUNT(lists); k++) {
            assert_true(i % 2 ? hwr_list_append(heap, lists[k], watched)
                              : hwr_list_append_int(heap, lists[k], (int64_t)i));
        }
}

static void finalizers_of_garbage_may_change_lists(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f), calls = 0;
    hwr_disable(f->heap);
    watched = literal(f, "[1, 2]");
    for (int i = 0; i < 5; i++) {
        finalized *object = new_finalized(f, &calls);
        void *own = literal(f, i % 2 ? "[1, 2]" : "[[], 'a']");
        object->more = append_everywhere;
        assert_true(hwr_list_append(f->heap, own, object));
        hwr_give(f->heap, object, &object->a, own);
        release(f, object);
    }
    hwr_collect(f->heap, HWR_OLDEST);
    assert_int_equal(calls, 5);
    assert_int_equal(hwr_list_length(watched), 2 + 5 * 3000);
    assert_true(hwr_heap_verify(f->heap, NULL));
    hwr_list_clear(f->heap, watched);
    release(f, watched);
    hwr_collect(f->heap, HWR_OLDEST);
    heap_fixture_expect_objects(f, before);
}

/* ---- without memory ---- */

/* Lists that are full, so that whatever comes next needs memory. */
static void *full_list(const heap_fixture *f, const char *items) {
    void *list = literal(f, items), *item = NULL;
    assert_int_equal(hwr_list_get(f->heap, list, 0, &item), HWR_OK);
    while (hwr_list_length(list) < 300 || hwr_list_length(list) < ((hwri_list *)list)->storage->room)
        assert_true(hwr_list_append(f->heap, list, item));
    release(f, item);
    return list;
}

static const char *const full[] = {"[1]", "[1000]", "[100000]", "[5000000000]", "[1.5]", "['a', 1, 2.5]", "[[]]"};

enum { OPERATIONS = 9, COPIES = 6 };

static bool operate(const heap_fixture *f, unsigned operation, void *list, void *text, void *container, void *other) {
    hwr_heap *heap = f->heap;
    void *result = NULL;
    bool granted = false;
    switch (operation) {
    case 0: return hwr_list_append_int(heap, list, INT64_MAX);
    case 1: return hwr_list_append_float(heap, list, 0.25);
    case 2: return hwr_list_append(heap, list, text);
    case 3: return hwr_list_append(heap, list, container);
    case 4: return hwr_list_insert(heap, list, 1, container) == HWR_OK;
    case 5: return hwr_list_set(heap, list, 1, container) == HWR_OK;
    case 6: return hwr_list_extend(heap, list, other);
    case 7: return hwr_list_sort(heap, list) != HWR_NO_MEMORY;
    default:
        granted = hwr_list_slice(heap, list, 1, 9999, &result) == HWR_OK;
        release(f, result);
        return granted;
    }
}

/* Whatever is free in the pools of objects, in blocks of any size. */
static void take_every_block(const heap_fixture *f) {
    static const enum hwri_kind_type types[] = {HWRI_DATA8_TYPE, HWRI_SLOTS_TYPE};
    hwr_heap_trim(f->heap);
    heap_fixture_take_all_memory(f);
    for (size_t i = 0; i < COUNT(types); i++)
        for (size_t length = 8000; length < 9000; length = length ? length * 3 / 4 : SIZE_MAX)
            while (heap_fixture_hold(f, hwri_new_quietly(f->heap, hwri_kind_type(types[i]), length)) != NULL) continue;
}

static void give_some_back(const heap_fixture *f, random_stream *r, size_t count) {
    while (count-- > 0 && heap_fixture_held() > 0) heap_fixture_let_go(f, random_below(r, heap_fixture_held()));
}

static void give_every_block_back(const heap_fixture *f) {
    heap_fixture_give_memory_back(f);
    heap_fixture_let_all_go(f);
}

/* With all memory gone, lists are changed, while a little comes back; what fails changes nothing, and what does not fail is done. */
static void nothing_is_lost_without_memory(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f), failures = 0;
    void *text = literal(f, "'text'"), *container = literal(f, "[]"), *others[2];
    random_stream r = {5};
    others[0] = full_list(f, "[70000]");
    others[1] = full_list(f, "['a', 7, 2.5]");
    hwr_disable(f->heap);
    for (size_t i = 0; i < COUNT(full); i++)
        for (unsigned operation = 0; operation < OPERATIONS; operation++) {
            void *lists[COPIES], *expected = full_list(f, full[i]), *changed = full_list(f, full[i]);
            bool granted[COPIES];
            for (size_t k = 0; k < COPIES; k++) lists[k] = full_list(f, full[i]);
            assert_true(operate(f, operation, changed, text, container, others[i % 2]));
            take_every_block(f);
            for (size_t k = 0; k < COPIES; k++) {
                give_some_back(f, &r, k * k * 20);
                granted[k] = operate(f, operation, lists[k], text, container, others[i % 2]);
                failures += !granted[k];
            }
            give_every_block_back(f);
            for (size_t k = 0; k < COPIES; k++) {
                assert_true(are_equal(f, lists[k], granted[k] ? changed : expected));
                if (!granted[k]) assert_true(operate(f, operation, lists[k], text, container, others[i % 2]));
                assert_true(are_equal(f, lists[k], changed));
                release(f, lists[k]);
            }
            release(f, expected);
            release(f, changed);
        }
    assert_true(failures > COUNT(full) * OPERATIONS);
    void *objects[] = {text, container, others[0], others[1]};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
    heap_fixture_expect_objects(f, before);
}

static void making_fails_without_memory(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    void *items[] = {number(f, 1000), literal(f, "[]")}, *doubles = full_list(f, "[1.5]"), *item = &item;
    heap_fixture_take_all_memory(f);
    while (heap_fixture_hold(f, hwr_tuple(f->heap, items, 2)) != NULL) continue;
    while (heap_fixture_hold(f, hwr_tuple(f->heap, items, 1)) != NULL) continue;
    while (heap_fixture_hold(f, hwr_list(f->heap, 50)) != NULL) continue;
    while (heap_fixture_hold(f, hwr_list(f->heap, 0)) != NULL) continue;
    while (heap_fixture_hold(f, hwr_float(f->heap, 1)) != NULL) continue;
    assert_int_equal(hwr_list_get(f->heap, doubles, 0, &item), HWR_NO_MEMORY);
    assert_int_equal(hwr_list_pop(f->heap, doubles, 0, &item), HWR_NO_MEMORY);
    assert_ptr_equal(item, &item);
    heap_fixture_give_memory_back(f);
    assert_int_equal(hwr_list_pop(f->heap, doubles, 0, &item), HWR_OK);
    release(f, item);
    heap_fixture_let_all_go(f);
    void *objects[] = {items[0], items[1], doubles};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
    heap_fixture_expect_objects(f, before);
}

static bool runs_in_full(const heap_fixture *f) {
    return getenv("HEAPWRIGHT_SOAK") != NULL || !(runs_slowly() || f->config.checked || heap_fixture_traces());
}

/* Every operation of raw that a workload needs fails, once or from there on. */
static size_t failures_of(const heap_fixture *f, uint64_t nth, bool for_good) {
    heap_fixture own = {.config = f->config};
    backend_open(&own.backend, f->config.kind, 0);
    hwr_options options = heap_fixture_options(&own);
    own.heap = hwr_heap_open(&options);
    assert_non_null(own.heap);
    size_t before = open_kinds(&own);
    model m;
    void *lists[40];
    random_stream r = {3};
    m.length = 0;
    make_items(&own, &m);
    for (size_t i = 0; i < COUNT(lists); i++) assert_non_null(lists[i] = hwr_list(own.heap, 0));
    hwr_raw_inject_fault(own.backend.raw, HWR_FAULT_ALL, nth, for_good);
    for (size_t i = 0; i < COUNT(lists); i++) {
        void *item = m.items[i % ITEMS];
        size_t wished = runs_in_full(f) || i % 5 == 0 ? 5 + i * i * 3 : 5 + i;
        for (size_t k = 0; k < wished; k++) /* some fail; those that are there are right */
            if (!hwr_list_append(own.heap, lists[i], item)) break;
        if (i % 3 == 0) (void)hwr_list_extend(own.heap, lists[i], lists[i]);
        size_t length = hwr_list_length(lists[i]);
        void *text = m.items[10];
        bool granted = hwr_list_append(own.heap, lists[i], text);
        for (size_t k = 0; k < length; k++) expect_item(&own, lists[i], k, item);
        if (granted) expect_item(&own, lists[i], length, text);
    }
    void *list = lists[0];
    hwr_list_clear(own.heap, list);
    for (size_t i = 0; i < 300; i++) change(&own, &r, &list, &m, ITEMS, true);
    lists[0] = list;
    size_t failures = backend_failures(&own.backend);
    hwr_raw_inject_fault(own.backend.raw, 0, 0, false);
    expect_model(&own, list, &m);
    for (size_t i = 0; i < COUNT(lists); i++) release(&own, lists[i]);
    for (size_t i = 0; i < ITEMS; i++) release(&own, m.items[i]);
    assert_true(hwr_heap_verify(own.heap, NULL));
    /* An item may have become immortal, when there was no memory to count its references. */
    if (failures)
        assert_true(objects_before(&own) <= before + ITEMS || heap_fixture_traces());
    else
        heap_fixture_expect_objects(&own, before);
    hwr_heap_close(own.heap);
    backend_close(&own.backend);
    return failures;
}

/* In the soak each of them; otherwise the first ones, and then ever fewer. */
static void every_allocation_fails(void **state) {
    const heap_fixture *f = *state;
    uint64_t most = getenv("HEAPWRIGHT_SOAK") != NULL ? UINT64_MAX : runs_in_full(f) ? 30 : 4;
    for (int for_good = 0; for_good < 2; for_good++) {
        size_t unavoidable = failures_of(f, 0, false);
        uint64_t nth = 1;
        while (failures_of(f, nth, for_good != 0) != unavoidable) nth += 1 + nth / most;
        assert_true(nth > (heap_fixture_traces() ? 2 : 5)); /* tracing heaps ask for more at a time */
    }
}

/* ---- memory is made by a collection, in which finalizers change the list ---- */

static struct {
    const heap_fixture *f;
    unsigned how;
    bool ran;
    void *text;
} helper;

enum { HOWS = 5 };

static void change_by(const heap_fixture *f, unsigned how, void *list) {
    void *popped = NULL;
    switch (how) {
    case 0: hwr_list_clear(f->heap, list); break;
    case 1: assert_true(hwr_list_append(f->heap, list, helper.text)); break;
    case 2:
        assert_int_equal(hwr_list_pop(f->heap, list, 0, &popped), HWR_OK);
        release(f, popped);
        break;
    case 3: assert_true(hwr_list_append_int(f->heap, list, 77)); break;
    default: hwr_list_reverse(list);
    }
}

static void help(hwr_heap *heap, finalized *object) {
    (void)heap, (void)object;
    give_every_block_back(helper.f);
    change_by(helper.f, helper.how, watched);
    helper.ran = true;
}

/* Garbage as soon as it is released. */
static void *new_helper(const heap_fixture *f, unsigned how) {
    finalized *garbage = new_finalized(f, NULL);
    garbage->more = help;
    hwr_set(f->heap, garbage, &garbage->a, (void *)garbage);
    helper.how = how;
    helper.ran = false;
    return garbage;
}

static void memory_may_come_with_changes(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f), helped = 0;
    void *container = literal(f, "[]"), *other = full_list(f, "['a', 7, 2.5]");
    void *scratch[15]; /* what a collection needs */
    helper.f = f;
    helper.text = literal(f, "'text'");
    hwr_disable(f->heap);
    for (size_t i = 0; i < COUNT(full); i++)
        for (unsigned n = 0; n < OPERATIONS * HOWS; n++) {
            unsigned how = n % HOWS, operation = n / HOWS;
            if (operation == 4 && how == 0) continue; /* inserts at the end of a list that is shorter by then */
            void *expected = full_list(f, full[i]), *garbage = new_helper(f, how);
            watched = full_list(f, full[i]);
            for (size_t k = 0; k < COUNT(scratch); k++) assert_non_null(scratch[k] = hwr_alloc(f->heap, 64u << k));
            take_every_block(f);
            for (size_t k = 0; k < COUNT(scratch); k++) hwr_free(f->heap, scratch[k]);
            release(f, garbage);
            bool granted = operate(f, operation, watched, helper.text, container, other);
            if (!helper.ran) give_every_block_back(f);
            helped += helper.ran;
            if (helper.ran) change_by(f, how, expected);
            if (granted || helper.ran)
                assert_int_equal(operate(f, operation, expected, helper.text, container, other), granted);
            assert_true(are_equal(f, watched, expected));
            release(f, expected);
            hwr_collect(f->heap, HWR_OLDEST);
            release(f, watched);
        }
    assert_true(helped > COUNT(full) * HOWS);
    void *objects[] = {container, other, helper.text};
    for (size_t i = 0; i < COUNT(objects); i++) release(f, objects[i]);
    heap_fixture_expect_objects(f, before);
}

/* The same, when the program is asked, which may release. */
static bool give_up(hwr_heap *heap, size_t size, void *context) {
    (void)context;
    assert_true(size > 0);
    if (helper.ran) return false;
    help(heap, NULL);
    return true;
}

static void who_is_asked_may_change_the_list(void **state) {
    const heap_fixture *f = *state;
    heap_fixture own = {.config = f->config};
    backend_open(&own.backend, f->config.kind, 0);
    hwr_options options = heap_fixture_options(&own);
    options.on_out_of_memory = give_up;
    own.heap = hwr_heap_open(&options);
    size_t before = open_kinds(&own), helped = 0;
    watched = helper.text = NULL;
    assert_true(heap_fixture_may_hold(own.heap) && hwr_root_add(own.heap, &watched) &&
                hwr_root_add(own.heap, &helper.text));
    void *container = literal(&own, "[]"), *other = full_list(&own, "['a', 7, 2.5]");
    helper.f = &own;
    helper.text = literal(&own, "'text'");
    for (size_t i = 0; i < COUNT(full); i++)
        for (unsigned operation = 0; operation < OPERATIONS; operation++)
            for (unsigned how = 0; how < HOWS; how += 4) { /* clears it, turns it round */
                if (operation == 4 && how == 0) continue;
                void *expected = full_list(&own, full[i]);
                watched = full_list(&own, full[i]);
                helper.how = how;
                helper.ran = true;
                take_every_block(&own);
                helper.ran = false;
                bool granted = operate(&own, operation, watched, helper.text, container, other);
                if (!helper.ran) give_every_block_back(&own);
                helped += helper.ran;
                if (helper.ran) change_by(&own, how, expected);
                assert_int_equal(operate(&own, operation, expected, helper.text, container, other), granted);
                assert_true(are_equal(&own, watched, expected));
                release(&own, expected);
                release(&own, watched);
            }
    assert_true(helped > COUNT(full) * OPERATIONS);
    void *objects[] = {container, other, helper.text};
    for (size_t i = 0; i < COUNT(objects); i++) release(&own, objects[i]);
    heap_fixture_expect_objects(&own, before);
    hwr_heap_close(own.heap);
    backend_close(&own.backend);
}

int main(void) {
    static const heap_test tests[] = {
        HEAP_TEST(changes_at_random, HEAP_STRESSED | HEAP_FEW),
        HEAP_TEST(a_list_grows_between_collections, HEAP_FEW),
        HEAP_TEST(values_of_many_widths, HEAP_FEW),
        HEAP_TEST(values_are_small, HEAP_ONCE),
        HEAP_TEST(room_that_was_asked_for, HEAP_FEW | HEAP_UNCHECKED),
        HEAP_TEST(memory_used_before_holds_no_items, HEAP_ONCE),
        HEAP_TEST(very_large_garbage_ends_at_once, HEAP_FEW),
        /* HEAP_COUNTING: finalizers in the middle of a change */
        HEAP_TEST(what_dies_may_change_the_list, HEAP_STRESSED | HEAP_COUNTING),
        HEAP_TEST(finalizers_of_garbage_may_change_lists, HEAP_COUNTING),
        HEAP_TEST(nothing_is_lost_without_memory, HEAP_FEW),
        HEAP_TEST(making_fails_without_memory, HEAP_FEW),
        HEAP_TEST(every_allocation_fails, HEAP_FEW),
        HEAP_TEST(memory_may_come_with_changes, HEAP_FEW | HEAP_CHECKED | HEAP_COUNTING),
        HEAP_TEST(who_is_asked_may_change_the_list, HEAP_FEW),
    };
    return heap_fixture_run("kinds: storage of lists", tests, COUNT(tests));
}
