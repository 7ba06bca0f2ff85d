/* str: interning; and everything by chance, against a model. */
#include "heapwright/sequence.h"
#include "heapwright/tracing.h"

#include "support/random.h"
#include "support/sanitizer.h"
#include "support/text_check.h"

#include <stdlib.h>

/* ---- interning ---- */

static void *interned(const heap_fixture *f, const char *utf8) {
    void *text = text_of(f, utf8);
    assert_true(hwr_str_intern(f->heap, &text));
    expect_text(f, text, utf8);
    return text;
}

static void interned_strs_are_one(void **state) {
    static const char *const texts[] = {"name", "names", "n\u00e4me", "n\u4e2dme", "n\U0001f600me", "\u4e2d"};
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    void *first[COUNT(texts)];
    for (size_t i = 0; i < COUNT(texts); i++) first[i] = interned(f, texts[i]);
    for (size_t i = 0; i < COUNT(texts); i++)
        for (size_t j = 0; j < COUNT(texts); j++) {
            void *text = interned(f, texts[j]);
            assert_int_equal(text == first[i], i == j);
            hwr_release(f->heap, text);
            assert_int_equal(hwr_str_interned(f->heap, texts[j], strlen(texts[j]), &text), HWR_OK);
            assert_int_equal(text == first[i], i == j);
            hwr_release(f->heap, text);
        }
    assert_true(hwr_str_intern(f->heap, &first[0]));
    heap_fixture_expect_count(f->heap, first[0], 1);
    heap_fixture_expect_objects(f, before + COUNT(texts));
    for (size_t i = 0; i < COUNT(texts); i++) hwr_release(f->heap, first[i]);
    heap_fixture_expect_objects(f, before);
}

static void what_has_no_str_of_its_own(void **state) {
    const heap_fixture *f = *state;
    void *text, *unset = NULL;
    size_t before = open_kinds(f);
    for (size_t size = 0; size < 2; size++) {
        assert_int_equal(hwr_str_interned(f->heap, "a", size, &text), HWR_OK);
        expect_text(f, text, size ? "a" : "");
        hwr_release(f->heap, text);
    }
    assert_int_equal(hwr_str_interned(f->heap, "ab\xff", 3, &unset), HWR_BAD_VALUE);
    assert_null(unset);
    heap_fixture_expect_objects(f, before);
}

static void number_text(char *text, size_t number) {
    memcpy(text, "number ", 7);
    for (size_t i = 7; i < 15; i++, number /= 10) text[i] = (char)('0' + number % 10);
    text[15] = 0;
}

/* Many come, all but a few go, and come again. */
static void interned_strs_are_mortal(void **state) {
    enum { MANY = 3000, KEPT = 16 };
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    void **texts = calloc(MANY, sizeof *texts);
    char text[16];
    assert_non_null(texts);
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < MANY; i++) {
            number_text(text, i);
            void *again = interned(f, text);
            if (texts[i] != NULL) {
                assert_ptr_equal(again, texts[i]);
                hwr_release(f->heap, again);
            }
            texts[i] = again;
        }
        heap_fixture_expect_objects(f, before + MANY);
        for (size_t i = 0; i < MANY; i++) {
            if (i % (MANY / KEPT) == round) continue;
            hwr_release(f->heap, texts[i]);
            texts[i] = NULL;
        }
    }
    for (size_t i = 0; i < MANY; i++) hwr_release(f->heap, texts[i]);
    free(texts);
    heap_fixture_expect_objects(f, before);
}

static void a_collection_ends_interned_strs(void **state) {
    enum { MANY = 500 };
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    char text[16];
    for (size_t round = 0; round < 3; round++) {
        hwr_disable(f->heap);
        for (size_t i = 0; i < MANY; i++) {
            number_text(text, i);
            pair *p = new_cycle(f, 2);
            void *str = interned(f, text);
            hwr_give(f->heap, p, &p->b, (pair *)str);
            hwr_release(f->heap, p);
        }
        hwr_enable(f->heap);
        hwr_collect(f->heap, HWR_OLDEST);
        heap_fixture_expect_objects(f, before);
    }
}

/* Old ones die while young ones live on, which die later with the young only: in tables so small that what is pushed on often comes to lie at their beginning. */
static void some_interned_strs_outlive_others(void **state) {
    enum { ROUNDS = 200, HALF = 20 };
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t round = 0; round < ROUNDS; round++) {
        void *kept[HALF] = {NULL}, *list = hwr_list(f->heap, 0);
        char text[16];
        assert_non_null(list);
        for (size_t i = 0; i < HALF; i++) {
            number_text(text, round * 2 * HALF + i);
            void *str = interned(f, text);
            assert_true(hwr_list_append(f->heap, list, str));
            hwr_release(f->heap, str);
        }
        hwr_collect(f->heap, HWR_OLDEST);
        for (size_t i = 0; i < HALF; i++) {
            number_text(text, round * 2 * HALF + HALF + i);
            kept[i] = interned(f, text);
        }
        hwr_release(f->heap, list);
        list = NULL;
        hwr_collect(f->heap, HWR_OLDEST);
        for (size_t i = 0; i < HALF; i++) {
            number_text(text, round * 2 * HALF + HALF + i);
            void *again = interned(f, text);
            assert_ptr_equal(again, kept[i]);
            hwr_release(f->heap, again);
            hwr_release(f->heap, kept[i]);
            kept[i] = NULL;
        }
        hwr_collect(f->heap, 0);
    }
    heap_fixture_expect_objects(f, before);
}

static void an_interned_str_may_have_many_references(void **state) {
    enum { REFERENCES = 10000 };
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    void *first = interned(f, "popular"), *again;
    for (size_t i = 0; i < REFERENCES; i++) {
        again = interned(f, "popular");
        assert_ptr_equal(again, first);
    }
    heap_fixture_expect_count(f->heap, first, REFERENCES + 1);
    for (size_t i = 0; i <= REFERENCES; i++) hwr_release(f->heap, first);
    heap_fixture_expect_objects(f, before);
    hwr_release(f->heap, interned(f, "popular"));
    heap_fixture_expect_objects(f, before);
}

/* A callback of a weak reference, and a finalizer, ask for the str that is just dying. */
static void *asked_for;

static void ask_again(hwr_heap *heap, hwr_weak *weak, void *argument) {
    (void)weak, (void)argument;
    if (hwr_str(heap, "dying", &asked_for) != HWR_OK || !hwr_str_intern(heap, &asked_for)) abort();
}

static void a_dying_str_is_not_given_away(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    void *text = interned(f, "dying");
    hwr_weak *weak = hwr_weak_new(f->heap, text, ask_again, NULL);
    assert_non_null(weak);
    asked_for = NULL;
    hwr_release(f->heap, text);
    assert_non_null(asked_for);
    heap_fixture_expect_count(f->heap, asked_for, 1);
    text = interned(f, "dying");
    assert_ptr_equal(text, asked_for);
    hwr_release(f->heap, text);
    take_text(f, asked_for, "dying");
    hwr_release(f->heap, weak);
    heap_fixture_expect_objects(f, before);
}

/* Finalizers inside finalizers, until deaths have to wait: the innermost releases interned strs and asks for them at once. */
enum { NESTED = 120 };

static void release_the_next(hwr_heap *heap, finalized *object) {
    void *next = object->a, *text = object->b, *again;
    object->a = object->b = NULL;
    size_t number = (size_t)hwr_str_length(text);
    char utf8[NESTED + 4];
    memset(utf8, 'x', number);
    hwr_release(heap, text);
    if (hwr_str_from(heap, utf8, number, &again) != HWR_OK || !hwr_str_intern(heap, &again)) abort();
    if (hwr_refcount(heap, again) != 1 || hwr_str_length(again) != number) abort();
    hwr_release(heap, next);
    hwr_release(heap, again);
}

static void strs_whose_end_waits_are_not_given_away(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    finalized *first = NULL;
    char utf8[NESTED + 4];
    memset(utf8, 'x', sizeof utf8);
    for (size_t i = 0; i < NESTED; i++) {
        finalized *object = new_finalized(f, NULL);
        void *text;
        assert_int_equal(hwr_str_from(f->heap, utf8, i + 2, &text), HWR_OK);
        assert_true(hwr_str_intern(f->heap, &text));
        object->more = release_the_next;
        object->a = first; /* taken over, both */
        object->b = text;
        first = object;
    }
    hwr_release(f->heap, first);
    heap_fixture_expect_objects(f, before);
}

static void a_heap_with_interned_strs_can_be_closed(void **state) {
    const heap_fixture *f = *state;
    open_kinds(f);
    interned(f, "left behind");
    interned(f, "left behind, too");
}

/* ---- all of it by chance, against arrays of code points ---- */

enum { MODELS = 40, MODEL_ROOM = 300 };

typedef struct model {
    void *text;
    size_t length;
    uint32_t chars[MODEL_ROOM];
} model;

static void expect_model(const heap_fixture *f, const model *m) {
    uint32_t widest = 0;
    assert_int_equal(hwr_str_length(m->text), m->length);
    for (size_t i = 0; i < m->length; i++) {
        assert_int_equal(hwr_str_at(m->text, i), m->chars[i]);
        if (m->chars[i] > widest) widest = m->chars[i];
    }
    assert_int_equal(width_of(f, m->text), widest < 0x100 ? 1 : widest < 0x10000 ? 2 : 4);
}

static void replace_text(const heap_fixture *f, model *m, void *text) {
    hwr_release(f->heap, m->text);
    m->text = text;
}

/* A few different characters of one width, so that there are equal strs and parts to be found. */
static void make_by_chance(const heap_fixture *f, model *m, random_stream *chance) {
    static const uint32_t bases[] = {'a', 'a', 'a', 0xE0, 0x4E00, 0x1F600};
    char utf8[MODEL_ROOM * 4 + 1];
    size_t size = 0;
    uint32_t base = bases[random_below(chance, COUNT(bases))];
    m->length = random_below(chance, 12);
    for (size_t i = 0; i < m->length; i++) {
        uint32_t c = m->chars[i] = (random_below(chance, 4) == 0 ? 'a' : base) + (uint32_t)random_below(chance, 3);
        size += encode(utf8 + size, c);
    }
    void *text = NULL;
    assert_int_equal(hwr_str_from(f->heap, utf8, size, &text), HWR_OK);
    replace_text(f, m, text);
}

static void append_model(model *m, const model *tail) {
    size_t length = tail->length;
    memcpy(m->chars + m->length, tail->chars, length * sizeof *tail->chars);
    m->length += length;
}

static int compare_models(const model *a, const model *b) {
    for (size_t i = 0; i < a->length && i < b->length; i++)
        if (a->chars[i] != b->chars[i]) return a->chars[i] < b->chars[i] ? -1 : 1;
    return (a->length > b->length) - (a->length < b->length);
}

static size_t find_in_model(const model *m, const model *part, size_t from) {
    for (; from + part->length <= m->length; from++)
        if (memcmp(m->chars + from, part->chars, part->length * sizeof *part->chars) == 0) return from;
    return SIZE_MAX;
}

static void compare_by_chance(const heap_fixture *f, const model *a, const model *b, size_t from) {
    int order = 99, expected = compare_models(a, b);
    size_t index = SIZE_MAX, found = find_in_model(a, b, from);
    assert_int_equal(hwr_compare(f->heap, a->text, b->text, &order), HWR_OK);
    assert_int_equal((order > 0) - (order < 0), expected);
    assert_int_equal(are_equal(f, a->text, b->text), expected == 0);
    if (expected == 0) assert_true(hash_of(f, a->text) == hash_of(f, b->text));
    assert_int_equal(hwr_str_find(a->text, b->text, from, &index), found == SIZE_MAX ? HWR_NOT_FOUND : HWR_OK);
    assert_int_equal(index, found);
}

static void slice_by_chance(const heap_fixture *f, model *to, const model *m, random_stream *chance) {
    size_t from = random_below(chance, m->length + 2), end = random_below(chance, m->length + 4);
    void *text = NULL;
    assert_int_equal(hwr_str_slice(f->heap, m->text, from, end, &text), HWR_OK);
    if (end > m->length) end = m->length;
    size_t length = from < end ? end - from : 0;
    memmove(to->chars, m->chars + from, length * sizeof *to->chars);
    to->length = length;
    replace_text(f, to, text);
}

static void join_by_chance(const heap_fixture *f, model *to, const model *models, random_stream *chance) {
    model all = {.length = 0};
    void *items[4], *tuple, *text = NULL;
    const model *separator = &models[random_below(chance, MODELS)];
    size_t count = random_below(chance, 5);
    for (size_t i = 0; i < count; i++) {
        const model *m = &models[random_below(chance, MODELS)];
        if (all.length + separator->length + m->length > MODEL_ROOM) return;
        if (i != 0) append_model(&all, separator);
        append_model(&all, m);
        items[i] = m->text;
    }
    tuple = hwr_tuple(f->heap, items, count);
    assert_non_null(tuple);
    assert_int_equal(hwr_str_join(f->heap, separator->text, tuple, &text), HWR_OK);
    hwr_release(f->heap, tuple);
    all.text = to->text;
    *to = all;
    replace_text(f, to, text);
}

static void intern_by_chance(const heap_fixture *f, model *models, model *m) {
    assert_true(hwr_str_intern(f->heap, &m->text));
    for (size_t i = 0; i < MODELS; i++) {
        if (compare_models(m, &models[i]) != 0) continue;
        assert_true(hwr_str_intern(f->heap, &models[i].text));
        assert_ptr_equal(models[i].text, m->text);
    }
}

static void step_by_chance(const heap_fixture *f, model *models, random_stream *chance) {
    model *m = &models[random_below(chance, MODELS)], *other = &models[random_below(chance, MODELS)];
    size_t times = random_below(chance, 4);
    switch (random_below(chance, 9)) {
    case 0:
    case 1: make_by_chance(f, m, chance); break;
    case 2:
    case 3:
        if (m->length + other->length > MODEL_ROOM) return;
        assert_int_equal(hwr_str_append(f->heap, &m->text, other->text), HWR_OK);
        append_model(m, other);
        break;
    case 4: slice_by_chance(f, m, other, chance); break;
    case 5: join_by_chance(f, m, models, chance); break;
    case 6: intern_by_chance(f, models, m); break;
    case 7: compare_by_chance(f, m, other, random_below(chance, m->length + 2)); break;
    default: {
        if (other->length * times > MODEL_ROOM) return;
        model repeated = {.text = m->text};
        void *text = NULL;
        assert_int_equal(hwr_str_repeat(f->heap, other->text, times, &text), HWR_OK);
        for (size_t i = 0; i < times; i++) append_model(&repeated, other);
        *m = repeated;
        replace_text(f, m, text);
    }
    }
    expect_model(f, m);
}

static void anything_may_come_after_anything(void **state) {
    const heap_fixture *f = *state;
    static model models[MODELS];
    random_stream chance = {20};
    size_t before = open_kinds(f);
    for (size_t i = 0; i < MODELS; i++) {
        models[i] = (model){.text = text_of(f, "")};
        assert_true(hwr_root_add(f->heap, &models[i].text));
    }
    for (size_t i = 0; i < (runs_slowly() ? 20000u : 100000u); i++) {
        step_by_chance(f, models, &chance);
        if (i % 10000 == 0) assert_true(hwr_heap_verify(f->heap, NULL));
    }
    for (size_t i = 0; i < MODELS; i++) {
        expect_model(f, &models[i]);
        assert_true(hwr_root_remove(f->heap, &models[i].text));
        hwr_release(f->heap, models[i].text);
    }
    heap_fixture_expect_objects(f, before);
}

int main(void) {
    static const heap_test tests[] = {
        HEAP_TEST(interned_strs_are_one, HEAP_STRESSED),
        HEAP_TEST(what_has_no_str_of_its_own, HEAP_STRESSED),
        /* HEAP_COUNTING: strs that leave the table when they die, at once */
        HEAP_TEST(interned_strs_are_mortal, HEAP_FEW | HEAP_STRESSED | HEAP_COUNTING),
        HEAP_TEST(a_collection_ends_interned_strs, HEAP_STRESSED),
        HEAP_TEST(some_interned_strs_outlive_others, HEAP_ANY),
        HEAP_TEST(an_interned_str_may_have_many_references, HEAP_ANY),
        HEAP_TEST(a_dying_str_is_not_given_away, HEAP_STRESSED | HEAP_COUNTING),
        HEAP_TEST(strs_whose_end_waits_are_not_given_away, HEAP_STRESSED),
        HEAP_TEST(a_heap_with_interned_strs_can_be_closed, HEAP_ANY),
        HEAP_TEST(anything_may_come_after_anything, HEAP_FEW | HEAP_STRESSED),
    };
    return heap_fixture_run("kinds: interned text", tests, sizeof tests / sizeof *tests);
}
