/* str: making, reading, putting together, comparing, writing. The tables are what python3 (3.11) says. */
#include "heapwright/sequence.h"

#include "support/text_check.h"

#include <stdlib.h>

/* ---- UTF-8 ---- */

static void a_str_is_made_from_utf8(void **state) {
    const heap_fixture *f = *state;
    static const char *const texts[] = {
        "",
        "a",
        "ab",
        "seven b",
        "eight by",
        "nine byte",
        "a text of more than two words of bytes",
        "\u00e9",
        "\u00ff",
        "\302\200x",
        "\u0100",
        "caf\u00e9",
        "\u4e2d\u6587",
        "\uffff\u0800\u07ff\ud7ff\ue000",
        "\U00010000",
        "\U0010ffff",
        "abcdefgh\u4e2dijklmnop\U0001f600",
    };
    size_t before = open_kinds(f);
    for (size_t i = 0; i < COUNT(texts); i++) {
        take_text(f, text_of(f, texts[i]), texts[i]);
        void *text = NULL;
        char copy[100] = {0};
        memcpy(copy, texts[i], strlen(texts[i]));
        copy[strlen(texts[i])] = '!';
        assert_int_equal(hwr_str_from(f->heap, copy, strlen(texts[i]), &text), HWR_OK);
        take_text(f, text, texts[i]);
    }
    void *text = NULL;
    assert_int_equal(hwr_str_from(f->heap, "a\0b", 3, &text), HWR_OK);
    assert_int_equal(hwr_str_length(text), 3);
    assert_int_equal(hwr_str_at(text, 1), 0);
    assert_memory_equal(hwr_str_ascii(text), "a\0b", 4);
    hwr_release(f->heap, text);
    heap_fixture_expect_objects(f, before);
}

static void what_is_no_utf8_is_refused(void **state) {
    const heap_fixture *f = *state;
    static const char *const texts[] = {
        "\x80",
        "a\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc2",
        "\xc2\x41",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xe4\xb8",
        "\xe4\xb8\x41",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf0\x9f\x98",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "\xfe",
        "a long text, and only then \xe4",
    };
    size_t before = open_kinds(f);
    void *text = &before;
    for (size_t i = 0; i < COUNT(texts); i++) assert_int_equal(hwr_str(f->heap, texts[i], &text), HWR_BAD_VALUE);
    assert_ptr_equal(text, &before);
    heap_fixture_expect_objects(f, before);
}

static void every_character_goes_there_and_back(void **state) {
    const heap_fixture *f = *state;
    open_kinds(f);
    for (uint32_t c = 1; c < 0x110000; c += c < 0x3000 ? 1 : 61) {
        char utf8[5];
        void *text = NULL;
        encode(utf8, c);
        if (c >= 0xD800 && c < 0xE000) {
            assert_int_equal(hwr_str(f->heap, utf8, &text), HWR_BAD_VALUE);
            continue;
        }
        assert_int_equal(hwr_str(f->heap, utf8, &text), HWR_OK);
        assert_int_equal(hwr_str_at(text, 0), c);
        take_text(f, text, utf8);
    }
}

static void utf8_is_written_where_there_is_room(void **state) {
    const heap_fixture *f = *state;
    static const char *const texts[] = {"", "abc", "caf\u00e9", "\u4e2d", "\U0001f600!"};
    open_kinds(f);
    for (size_t i = 0; i < COUNT(texts); i++) {
        void *text = text_of(f, texts[i]);
        size_t size = strlen(texts[i]);
        for (size_t room = 0; room < size + 3; room++) {
            char buffer[20];
            memset(buffer, '#', sizeof buffer);
            assert_int_equal(hwr_str_utf8(text, buffer, room), size);
            assert_int_equal(buffer[0] == '#', room <= size);
            assert_int_equal(buffer[size + 1], '#');
            if (room > size) assert_string_equal(buffer, texts[i]);
        }
        assert_int_equal(hwr_str_utf8(text, NULL, 0), size);
        hwr_release(f->heap, text);
    }
}

static void single_characters_are_shared(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    void *abc = text_of(f, "xa\u00e9"), *empty = text_of(f, ""), *a = text_of(f, "a"), *e = text_of(f, "\u00e9"), *made;
    heap_fixture_expect_count(f->heap, empty, HWR_IMMORTAL);
    heap_fixture_expect_count(f->heap, a, HWR_IMMORTAL);
    heap_fixture_expect_count(f->heap, e, HWR_IMMORTAL);
    assert_int_equal(hwr_str_slice(f->heap, abc, 1, 2, &made), HWR_OK);
    assert_ptr_equal(made, a);
    assert_int_equal(hwr_str_slice(f->heap, abc, 2, 3, &made), HWR_OK);
    assert_ptr_equal(made, e);
    assert_int_equal(hwr_str_slice(f->heap, abc, 3, 3, &made), HWR_OK);
    assert_ptr_equal(made, empty);
    assert_int_equal(hwr_str_concat(f->heap, empty, e, &made), HWR_OK);
    assert_ptr_equal(made, e);
    assert_int_equal(hwr_str_repeat(f->heap, a, 1, &made), HWR_OK);
    assert_ptr_equal(made, a);
    assert_int_equal(hwr_str_repeat(f->heap, a, 0, &made), HWR_OK);
    assert_ptr_equal(made, empty);
    made = empty;
    assert_int_equal(hwr_str_append(f->heap, &made, a), HWR_OK);
    assert_ptr_equal(made, a);
    assert_true(hwr_str_intern(f->heap, &made));
    assert_ptr_equal(made, a);
    hwr_release(f->heap, abc);
    heap_fixture_expect_objects(f, before);
}

/* ---- strs from strs ---- */

static const char *const pieces[] = {
    "", "a", "abc", "\u00e9", "\u00e9\u00fft\u00e9", "\u4e2d", "a\u4e2d\u6587", "\U0001f600", "x\U0001f600\u4e2d"};

static void strs_are_put_together(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t i = 0; i < COUNT(pieces); i++)
        for (size_t j = 0; j < COUNT(pieces); j++) {
            char expected[100];
            void *a = text_of(f, pieces[i]), *b = text_of(f, pieces[j]), *both = NULL;
            strcat(strcpy(expected, pieces[i]), pieces[j]);
            assert_int_equal(hwr_str_concat(f->heap, a, b, &both), HWR_OK);
            take_text(f, both, expected);
            assert_int_equal(hwr_str_append(f->heap, &a, b), HWR_OK);
            expect_text(f, a, expected);
            expect_text(f, b, pieces[j]);
            hwr_release(f->heap, b);
            hwr_release(f->heap, a);
        }
    heap_fixture_expect_objects(f, before);
}

static void a_str_is_repeated(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t i = 0; i < COUNT(pieces); i++)
        for (size_t times = 0; times < 40; times += times / 4 + 1) {
            char expected[1000] = "";
            void *text = text_of(f, pieces[i]), *many = NULL;
            for (size_t n = 0; n < times; n++) strcat(expected, pieces[i]);
            assert_int_equal(hwr_str_repeat(f->heap, text, times, &many), HWR_OK);
            hwr_release(f->heap, text);
            take_text(f, many, expected);
        }
    void *text = text_of(f, "abc"), *many = NULL;
    assert_int_equal(hwr_str_repeat(f->heap, text, SIZE_MAX, &many), HWR_NO_MEMORY);
    assert_int_equal(hwr_str_repeat(f->heap, text, SIZE_MAX / 3 + 1, &many), HWR_NO_MEMORY);
    assert_int_equal(hwr_str_repeat(f->heap, text, PTRDIFF_MAX / 4, &many), HWR_NO_MEMORY);
    hwr_release(f->heap, text);
    heap_fixture_expect_objects(f, before);
}

static void part_of_a_str_is_taken(void **state) {
    static const struct {
        const char *text;
        size_t from, to;
        const char *part;
    } cases[] = {
        {"hello", 0, 5, "hello"},
        {"hello", 1, 3, "el"},
        {"hello", 2, 99, "llo"},
        {"hello", 3, 3, ""},
        {"hello", 4, 2, ""},
        {"hello", 9, 12, ""},
        {"hello", 0, SIZE_MAX, "hello"},
        {"", 0, 4, ""},
        {"a\u4e2db", 0, 1, "a"},
        {"a\u4e2db", 1, 2, "\u4e2d"},
        {"a\u4e2db", 1, 3, "\u4e2db"},
        {"x\U0001f600\u4e2dyz", 0, 1, "x"},
        {"x\U0001f600\u4e2dyz", 2, 5, "\u4e2dyz"},
        {"x\U0001f600\u4e2dyz", 3, 5, "yz"},
        {"x\U0001f600\u4e2dyz", 1, 3, "\U0001f600\u4e2d"},
        {"\u00e9t\u00e9", 0, 1, "\u00e9"},
        {"\u00e9t\u00e9\U0001f600", 0, 3, "\u00e9t\u00e9"},
    };
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        void *text = text_of(f, cases[i].text), *part = NULL;
        assert_int_equal(hwr_str_slice(f->heap, text, cases[i].from, cases[i].to, &part), HWR_OK);
        hwr_release(f->heap, text);
        take_text(f, part, cases[i].part);
    }
    heap_fixture_expect_objects(f, before);
}

static void *tuple_of(const heap_fixture *f, const char *const *texts, size_t count) {
    void *items[20];
    for (size_t i = 0; i < count; i++) items[i] = text_of(f, texts[i]);
    void *tuple = hwr_tuple(f->heap, items, count);
    assert_non_null(tuple);
    for (size_t i = 0; i < count; i++) hwr_release(f->heap, items[i]);
    return tuple;
}

static void strs_are_joined(void **state) {
    static const struct {
        const char *separator;
        size_t count;
        const char *texts[4];
        const char *joined;
    } cases[] = {
        {", ", 0, {0}, ""},
        {", ", 1, {"one"}, "one"},
        {", ", 3, {"one", "two", "three"}, "one, two, three"},
        {"", 3, {"a", "b", "c"}, "abc"},
        {"", 3, {"", "", ""}, ""},
        {"", 3, {"", "b", ""}, "b"},
        {"", 2, {"", "\u4e2d"}, "\u4e2d"},
        {"-", 2, {"", ""}, "-"},
        {"\u4e2d", 2, {"", ""}, "\u4e2d"},
        {"\u4e2d", 1, {"a"}, "a"},
        {"\u4e2d", 3, {"a", "b", "\u00e9"}, "a\u4e2db\u4e2d\u00e9"},
        {" ", 3, {"a", "\U0001f600", "\u00e9\u4e2d"}, "a \U0001f600 \u00e9\u4e2d"},
        {"\U0001f600", 2, {"a", "\u4e2d"}, "a\U0001f600\u4e2d"},
    };
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        void *separator = text_of(f, cases[i].separator), *joined = NULL;
        void *tuple = tuple_of(f, cases[i].texts, cases[i].count), *list = hwr_list(f->heap, 0);
        assert_non_null(list);
        assert_true(hwr_list_extend(f->heap, list, tuple));
        assert_int_equal(hwr_str_join(f->heap, separator, tuple, &joined), HWR_OK);
        take_text(f, joined, cases[i].joined);
        assert_int_equal(hwr_str_join(f->heap, separator, list, &joined), HWR_OK);
        take_text(f, joined, cases[i].joined);
        hwr_release(f->heap, list);
        hwr_release(f->heap, tuple);
        hwr_release(f->heap, separator);
    }
    heap_fixture_expect_objects(f, before);
}

/* A finalizer that runs while memory is short empties the list. */
static void *changed;

static void empty_the_list(hwr_heap *heap, finalized *object) {
    (void)object;
    hwr_list_clear(heap, changed);
}

static void a_change_meanwhile_is_noticed(void **state) {
    if (getenv("HEAPWRIGHT_DEBUG") != NULL) skip(); /* the quarantine would keep the memory */
    enum { MIB = 1 << 20, LIMIT = 52 * MIB };
    heap_fixture limited = *(const heap_fixture *)*state;
    limited.heap = hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options), .limit = LIMIT});
    assert_non_null(limited.heap);
    size_t before = open_kinds(&limited), calls = 0;
    void *piece = text_of(&limited, "four"), *large = NULL, *filler = hwr_bytes(limited.heap, NULL, 18 * MIB);
    void *made = &before;
    assert_non_null(filler);
    assert_int_equal(hwr_str_repeat(limited.heap, piece, 3 * MIB, &large), HWR_OK);
    changed = hwr_list(limited.heap, 2);
    assert_non_null(changed);
    for (int i = 0; i < 2; i++) assert_true(hwr_list_append(limited.heap, changed, large));
    hwr_release(limited.heap, large);
    finalized *object = new_finalized(&limited, &calls);
    object->more = empty_the_list;
    hwr_give(limited.heap, object, &object->a, (void *)object);
    assert_int_equal(hwr_str_join(limited.heap, piece, changed, &made), HWR_CHANGED);
    assert_ptr_equal(made, &before);
    assert_int_equal(calls, 1);
    hwr_release(limited.heap, changed);
    hwr_release(limited.heap, filler);
    hwr_release(limited.heap, piece);
    assert_int_equal(objects_before(&limited), before);
    assert_true(hwr_heap_verify(limited.heap, NULL));
    hwr_heap_close(limited.heap);
}

static void other_kinds_are_refused(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f), index;
    void *text = text_of(f, "text"), *none = hwr_none(f->heap), *bytes = hwr_bytes(f->heap, "text", 4), *made = &before,
         *kept = text;
    void *items[] = {text, none}, *tuple = hwr_tuple(f->heap, items, 2), *numbers = hwr_list(f->heap, 0);
    assert_non_null(numbers);
    assert_int_equal(hwr_str_concat(f->heap, text, bytes, &made), HWR_WRONG_KIND);
    assert_int_equal(hwr_str_concat(f->heap, none, text, &made), HWR_WRONG_KIND);
    assert_int_equal(hwr_str_append(f->heap, &text, none), HWR_WRONG_KIND);
    assert_int_equal(hwr_str_append(f->heap, &none, text), HWR_WRONG_KIND);
    assert_int_equal(hwr_str_slice(f->heap, bytes, 0, 1, &made), HWR_WRONG_KIND);
    assert_int_equal(hwr_str_repeat(f->heap, bytes, 2, &made), HWR_WRONG_KIND);
    assert_int_equal(hwr_str_find(text, bytes, 0, &index), HWR_WRONG_KIND);
    assert_int_equal(hwr_str_find(bytes, text, 0, &index), HWR_WRONG_KIND);
    assert_int_equal(hwr_str_join(f->heap, text, text, &made), HWR_WRONG_KIND);
    assert_int_equal(hwr_str_join(f->heap, text, tuple, &made), HWR_WRONG_KIND);
    assert_int_equal(hwr_str_join(f->heap, none, tuple, &made), HWR_WRONG_KIND);
    assert_true(hwr_list_append_int(f->heap, numbers, 1));
    assert_int_equal(hwr_str_join(f->heap, text, numbers, &made), HWR_WRONG_KIND);
    assert_ptr_equal(made, &before);
    assert_ptr_equal(text, kept);
    assert_false(are_equal(f, text, bytes));
    int order;
    assert_int_equal(hwr_compare(f->heap, text, bytes, &order), HWR_WRONG_KIND);
    hwr_release(f->heap, numbers);
    hwr_release(f->heap, tuple);
    hwr_release(f->heap, bytes);
    hwr_release(f->heap, text);
    heap_fixture_expect_objects(f, before);
}

/* ---- appending ---- */

static void appending_grows_in_place(void **state) {
    enum { APPENDED = 20000 };
    const heap_fixture *f = *state;
    size_t before = open_kinds(f), moved = 0;
    void *text = text_of(f, "ab"), *tail = text_of(f, "cde");
    for (size_t i = 0; i < APPENDED; i++) {
        const void *was = text;
        assert_int_equal(hwr_str_append(f->heap, &text, tail), HWR_OK);
        moved += text != was;
    }
    assert_int_equal(hwr_str_length(text), 2 + 3 * APPENDED);
    for (size_t i = 2; i < hwr_str_length(text); i++) assert_int_equal(hwr_str_at(text, i), "cde"[(i - 2) % 3]);
    assert_int_equal(strlen(hwr_str_ascii(text)), 2 + 3 * APPENDED);
    assert_true(moved < 150);
    hwr_release(f->heap, tail);
    hwr_release(f->heap, text);
    heap_fixture_expect_objects(f, before);
}

/* A large one, which has pages of its own. */
static void a_large_str_grows(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    void *text = text_of(f, "\u4e2d"), *tail, *piece = text_of(f, "0123456789");
    assert_int_equal(hwr_str_repeat(f->heap, piece, 10000, &tail), HWR_OK);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(hwr_str_append(f->heap, &text, tail), HWR_OK);
        assert_int_equal(hwr_str_append(f->heap, &text, piece), HWR_OK);
    }
    assert_int_equal(hwr_str_length(text), 1 + 20 * 100010);
    for (size_t i = 1; i < hwr_str_length(text); i += 7) assert_int_equal(hwr_str_at(text, i), '0' + (i - 1) % 10);
    assert_int_equal(width_of(f, text), 2);
    hwr_release(f->heap, piece);
    hwr_release(f->heap, tail);
    hwr_release(f->heap, text);
    heap_fixture_expect_objects(f, before);
}

static void what_others_hold_does_not_change(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    void *tail = text_of(f, "tail"), *text = text_of(f, "some text"), *other = text;
    hwr_retain(f->heap, other);
    assert_int_equal(hwr_str_append(f->heap, &text, tail), HWR_OK);
    take_text(f, other, "some text");
    take_text(f, text, "some texttail");

    text = text_of(f, "watched");
    hwr_weak *weak = hwr_weak_new(f->heap, text, NULL, NULL);
    assert_non_null(weak);
    assert_int_equal(hwr_str_append(f->heap, &text, tail), HWR_OK);
    assert_null(hwr_weak_get(f->heap, weak));
    hwr_release(f->heap, weak);
    take_text(f, text, "watchedtail");

    text = text_of(f, "interned");
    assert_true(hwr_str_intern(f->heap, &text));
    assert_int_equal(hwr_str_append(f->heap, &text, tail), HWR_OK);
    other = text_of(f, "interned");
    assert_true(hwr_str_intern(f->heap, &other));
    take_text(f, other, "interned");
    take_text(f, text, "internedtail");

    text = text_of(f, "itself ");
    assert_int_equal(hwr_str_append(f->heap, &text, text), HWR_OK);
    assert_int_equal(hwr_str_append(f->heap, &text, text), HWR_OK);
    take_text(f, text, "itself itself itself itself ");

    text = text_of(f, "hashed");
    hash_of(f, text);
    assert_int_equal(hwr_str_append(f->heap, &text, tail), HWR_OK);
    other = text_of(f, "hashedtail");
    assert_true(are_equal(f, text, other));
    assert_int_equal(hash_of(f, text), hash_of(f, other));
    hwr_release(f->heap, other);
    hwr_release(f->heap, text);
    hwr_release(f->heap, tail);
    heap_fixture_expect_objects(f, before);
}

/* ---- questions ---- */

static void parts_are_found(void **state) {
    static const struct {
        const char *text, *part;
        size_t from;
        int found;
    } cases[] = {
        {"hello", "l", 0, 2},
        {"hello", "l", 3, 3},
        {"hello", "l", 4, -1},
        {"hello", "lo", 0, 3},
        {"hello", "", 0, 0},
        {"hello", "", 5, 5},
        {"hello", "", 6, -1},
        {"", "", 0, 0},
        {"", "a", 0, -1},
        {"hello", "hello!", 0, -1},
        {"aaaab", "aab", 0, 2},
        {"hello", "l", SIZE_MAX, -1},
        {"a\u4e2db\u4e2dc", "\u4e2d", 0, 1},
        {"a\u4e2db\u4e2dc", "\u4e2d", 2, 3},
        {"a\u4e2db\u4e2dc", "c", 0, 4},
        {"a\u4e2db\u4e2dc", "b\u4e2dc", 0, 2},
        {"hello", "\u4e2d", 0, -1},
        {"a\U0001f600\u4e2d\u00e9x", "\u4e2d\u00e9", 0, 2},
        {"a\U0001f600\u4e2d\u00e9x", "x", 0, 4},
        {"a\U0001f600\u4e2d\u00e9x", "\U0001f600\u4e2d", 0, 1},
        {"a\U0001f600\u4e2d\u00e9x", "\U0001f601", 0, -1},
        {"\u4e2d\u4e2d", "\U0001f600", 0, -1},
        {"a\u0100\u0100\u0100b", "\u0100b", 0, 3},
        {"\u0101\u0201", "\u0102", 0, -1},
        {"\u0100\001\u0101", "\001\u0101", 0, 1},
    };
    const heap_fixture *f = *state;
    open_kinds(f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        void *text = text_of(f, cases[i].text), *part = text_of(f, cases[i].part);
        size_t found = 12345;
        hwr_result result = hwr_str_find(text, part, cases[i].from, &found);
        assert_int_equal(result, cases[i].found < 0 ? HWR_NOT_FOUND : HWR_OK);
        assert_int_equal(found, cases[i].found < 0 ? 12345 : cases[i].found);
        hwr_release(f->heap, part);
        hwr_release(f->heap, text);
    }
}

static void strs_have_an_order(void **state) {
    static const char *const sorted[] = {"",       "Z",       "a",           "ab",        "abc",
                                         "abd",    "a\u4e2d", "a\U0001f600", "\u00e9",    "\u00ff",
                                         "\u0100", "\u4e2d",  "\uffff",      "\U00010000"};
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (int i = 0; i < (int)COUNT(sorted); i++)
        for (int j = 0; j < (int)COUNT(sorted); j++) {
            void *a = text_of(f, sorted[i]), *b = text_of(f, sorted[j]);
            int order = 99;
            assert_int_equal(hwr_compare(f->heap, a, b, &order), HWR_OK);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
            assert_int_equal(are_equal(f, a, b), i == j);
            assert_true((hash_of(f, a) == hash_of(f, b)) == (i == j));
            assert_int_equal(are_equal(f, a, b), i == j); /* with both hashes known */
            hwr_release(f->heap, a);
            hwr_release(f->heap, b);
        }
    heap_fixture_expect_objects(f, before);
}

static void strs_have_a_length_and_a_truth(void **state) {
    const heap_fixture *f = *state;
    open_kinds(f);
    void *text = text_of(f, "a\u4e2d\U0001f600"), *empty = text_of(f, "");
    size_t length = 0;
    assert_int_equal(hwr_length(text, &length), HWR_OK);
    assert_int_equal(length, 3);
    assert_true(hwr_truth(text));
    assert_false(hwr_truth(empty));
    hwr_release(f->heap, text);
}

static void every_heap_hashes_otherwise(void **state) {
    const heap_fixture *f = *state;
    open_kinds(f);
    hwr_heap *other = hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options)});
    assert_non_null(other);
    assert_true(hwr_kinds_open(other));
    void *text = text_of(f, "the same"), *same = NULL;
    uint64_t hash = 0;
    assert_int_equal(hwr_str(other, "the same", &same), HWR_OK);
    assert_int_equal(hwr_hash(other, same, &hash), HWR_OK);
    assert_true(hash != hash_of(f, text));
    hwr_heap_close(other);
    hwr_release(f->heap, text);
}

/* ---- repr ---- */

static void a_repr_is_what_python_writes(void **state) {
    static const struct {
        const char *text, *repr;
    } cases[] = {
        {"", "''"},
        {"a", "'a'"},
        {"it's", "\"it's\""},
        {"say \"x\"", "'say \"x\"'"},
        {"it's \"x\"", "'it\\'s \"x\"'"},
        {"a\\b", "'a\\\\b'"},
        {"tab\011nl\012cr\015", "'tab\\tnl\\ncr\\r'"},
        {"\001\037\177", "'\\x01\\x1f\\x7f'"},
        {"\302\200\302\237\302\240\302\241\302\255\303\277", "'\\x80\\x9f\\xa0\302\241\\xad\303\277'"},
        {"\u0100\u0378\u0379\u2028\u2029\u200b\u3000", "'\u0100\\u0378\\u0379\\u2028\\u2029\\u200b\\u3000'"},
        {"\u4e2d\ud7ff\ue000\uf8ff\ufeff\uffff", "'\u4e2d\\ud7ff\\ue000\\uf8ff\\ufeff\\uffff'"},
        {"\U00010000\U0001f600\U000e0001\U0010ffff\U000323af",
         "'\U00010000\U0001f600\\U000e0001\\U0010ffff\\U000323af'"},
        {"caf\u00e9 'x' \u2019", "\"caf\u00e9 'x' \u2019\""},
        {"\U0001f600'\"\\\012", "'\U0001f600\\'\"\\\\\\n'"},
    };
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        void *text = text_of(f, cases[i].text), *repr = NULL;
        assert_int_equal(hwr_repr(f->heap, text, &repr), HWR_OK);
        hwr_release(f->heap, text);
        take_text(f, repr, cases[i].repr);
    }
    heap_fixture_expect_objects(f, before);
}

/* How many are printed as they are, and which, as a hash (FNV-1a over the code points); both from Python 3.11:
 *     [c for c in range(0x110000) if not 0xd800 <= c < 0xe000 and len(repr(chr(c))) == 3] */
static void just_those_characters_are_printed_that_python_prints(void **state) {
    const heap_fixture *f = *state;
    size_t printed = 0;
    uint64_t hash = 14695981039346656037u;
    open_kinds(f);
    for (uint32_t from = 0; from < 0x110000; from += 0x100) {
        if (from >= 0xD800 && from < 0xE000) continue;
        for (uint32_t c = from; c < from + 0x100; c++) {
            char utf8[5];
            void *text = NULL, *repr = NULL;
            size_t size = encode(utf8, c);
            assert_int_equal(hwr_str_from(f->heap, utf8, size, &text), HWR_OK);
            assert_int_equal(hwr_repr(f->heap, text, &repr), HWR_OK);
            if (hwr_str_length(repr) == 3) {
                printed++;
                hash = (hash ^ c) * 1099511628211u;
            }
            hwr_release(f->heap, repr);
            hwr_release(f->heap, text);
        }
    }
    assert_int_equal(printed, 144515);
    assert_true(hash == 0xa4407912a3d01d81u);
}

int main(void) {
    static const heap_test tests[] = {
        HEAP_TEST(a_str_is_made_from_utf8, HEAP_STRESSED),
        HEAP_TEST(what_is_no_utf8_is_refused, HEAP_ANY),
        HEAP_TEST(every_character_goes_there_and_back, HEAP_FEW),
        HEAP_TEST(utf8_is_written_where_there_is_room, HEAP_ANY),
        HEAP_TEST(single_characters_are_shared, HEAP_ANY),
        HEAP_TEST(strs_are_put_together, HEAP_STRESSED),
        HEAP_TEST(a_str_is_repeated, HEAP_ANY),
        HEAP_TEST(part_of_a_str_is_taken, HEAP_ANY),
        HEAP_TEST(strs_are_joined, HEAP_STRESSED),
        /* HEAP_COUNTING: a finalizer in the middle of reading, and strs that grow in place as long as nobody else has them */
        HEAP_TEST(a_change_meanwhile_is_noticed, HEAP_ONCE | HEAP_COUNTING),
        HEAP_TEST(other_kinds_are_refused, HEAP_ANY),
        HEAP_TEST(appending_grows_in_place, HEAP_FEW | HEAP_STRESSED | HEAP_COUNTING),
        HEAP_TEST(a_large_str_grows, HEAP_FEW),
        HEAP_TEST(what_others_hold_does_not_change, HEAP_STRESSED | HEAP_COUNTING),
        HEAP_TEST(parts_are_found, HEAP_ANY),
        HEAP_TEST(strs_have_an_order, HEAP_ANY),
        HEAP_TEST(strs_have_a_length_and_a_truth, HEAP_ANY),
        HEAP_TEST(every_heap_hashes_otherwise, HEAP_ANY),
        HEAP_TEST(a_repr_is_what_python_writes, HEAP_ANY),
        HEAP_TEST(just_those_characters_are_printed_that_python_prints, HEAP_ONCE),
    };
    return heap_fixture_run("kinds: text", tests, sizeof tests / sizeof *tests);
}
