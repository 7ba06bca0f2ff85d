/* bytes and bytearray. The tables are what python3 (3.11) says. */
#include "support/pattern.h"
#include "support/random.h"
#include "support/sanitizer.h"
#include "support/text_check.h"

#include <stdlib.h>

static void *bytes_of(const heap_fixture *f, const char *data, size_t size, bool array) {
    void *bytes = array ? hwr_bytearray(f->heap, data, size) : hwr_bytes(f->heap, data, size);
    assert_non_null(bytes);
    assert_int_equal(hwr_kind_of(bytes), array ? HWR_BYTEARRAY : HWR_BYTES);
    return bytes;
}

static void expect_bytes(const void *bytes, const void *data, size_t size) {
    size_t found = 12345, length = 12345;
    const unsigned char *content = hwr_bytes_get(bytes, &found);
    assert_non_null(content);
    assert_int_equal(found, size);
    assert_memory_equal(content, data, size);
    assert_int_equal(hwr_length(bytes, &length), HWR_OK);
    assert_int_equal(length, size);
    assert_int_equal(hwr_truth(bytes), size != 0);
    if (hwr_kind_of(bytes) == HWR_BYTES) assert_int_equal(content[size], 0);
}

static void take_bytes(const heap_fixture *f, void *bytes, const void *data, size_t size, hwr_kind kind) {
    expect_bytes(bytes, data, size);
    assert_int_equal(hwr_kind_of(bytes), kind);
    hwr_release(f->heap, bytes);
}

static const size_t sizes[] = {0, 1, 2, 7, 8, 100, 1000, 5000, 100000, 300000};

static void bytes_hold_a_copy(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    static unsigned char data[300000], expected[300000];
    for (size_t i = 0; i < COUNT(sizes); i++)
        for (int array = 0; array < 2; array++) {
            hwr_kind kind = array ? HWR_BYTEARRAY : HWR_BYTES;
            memset(expected, 0, sizes[i]);
            take_bytes(f, bytes_of(f, NULL, sizes[i], array != 0), expected, sizes[i], kind);
            pattern_fill(data, sizes[i], i);
            memcpy(expected, data, sizes[i]);
            void *bytes = bytes_of(f, (const char *)data, sizes[i], array != 0);
            memset(data, 7, sizes[i]);
            take_bytes(f, bytes, expected, sizes[i], kind);
        }
    void *empty = hwr_bytes(f->heap, NULL, 0);
    assert_ptr_equal(hwr_bytes(f->heap, "abc", 0), empty);
    heap_fixture_expect_count(f->heap, empty, HWR_IMMORTAL);
    heap_fixture_expect_objects(f, before);
}

static void sizes_beyond_memory_are_refused(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    void *array = bytes_of(f, "abc", 3, true);
    static const size_t too_large[] = {SIZE_MAX, SIZE_MAX - 20, PTRDIFF_MAX, PTRDIFF_MAX / 2};
    for (size_t i = 0; i < COUNT(too_large); i++) {
        assert_null(hwr_bytes(f->heap, NULL, too_large[i]));
        assert_null(hwr_bytearray(f->heap, NULL, too_large[i]));
        assert_false(hwr_bytearray_resize(f->heap, array, too_large[i]));
        assert_false(hwr_bytearray_append(f->heap, array, array, too_large[i]));
    }
    take_bytes(f, array, "abc", 3, HWR_BYTEARRAY);
    heap_fixture_expect_objects(f, before);
}

static void a_bytearray_grows_and_shrinks(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f), size = 0;
    void *array = bytes_of(f, NULL, 0, true);
    assert_true(hwr_bytearray_resize(f->heap, array, 0));
    assert_true(hwr_bytearray_resize(f->heap, array, 5));
    expect_bytes(array, "\0\0\0\0\0", 5);
    memcpy(hwr_bytearray_get(array, &size), "hello", 5);
    assert_int_equal(size, 5);
    assert_true(hwr_bytearray_resize(f->heap, array, 8));
    expect_bytes(array, "hello\0\0\0", 8);
    assert_true(hwr_bytearray_resize(f->heap, array, 4));
    assert_true(hwr_bytearray_resize(f->heap, array, 6));
    expect_bytes(array, "hell\0\0", 6);
    assert_true(hwr_bytearray_append(f->heap, array, "!?", 2));
    assert_true(hwr_bytearray_append(f->heap, array, NULL, 0));
    expect_bytes(array, "hell\0\0!?", 8);
    assert_true(hwr_bytearray_resize(f->heap, array, 100000));
    memset(hwr_bytearray_get(array, &size), 'x', 100000);
    assert_true(hwr_bytearray_resize(f->heap, array, 3));
    expect_bytes(array, "xxx", 3);
    hwr_heap_stats stats;
    hwr_heap_get_stats(f->heap, &stats);
    assert_true(stats.object_bytes < 100000);
    assert_true(hwr_bytearray_resize(f->heap, array, 0));
    expect_bytes(array, "", 0);
    assert_true(hwr_bytearray_append(f->heap, array, "again", 5));
    take_bytes(f, array, "again", 5, HWR_BYTEARRAY);
    heap_fixture_expect_objects(f, before);
}

static void appending_bytes_takes_linear_time(void **state) {
    enum { APPENDED = 30000 };
    const heap_fixture *f = *state;
    size_t before = open_kinds(f), moved = 0, size = 0;
    void *array = bytes_of(f, NULL, 0, true);
    for (size_t i = 0; i < APPENDED; i++) {
        const void *was = hwr_bytearray_get(array, &size);
        assert_int_equal(size, 3 * i);
        assert_true(hwr_bytearray_append(f->heap, array, "abc", 3));
        moved += hwr_bytearray_get(array, &size) != was;
    }
    const unsigned char *data = hwr_bytes_get(array, &size);
    for (size_t i = 0; i < size; i++) assert_int_equal(data[i], "abc"[i % 3]);
    assert_true(moved < 150);
    hwr_release(f->heap, array);
    heap_fixture_expect_objects(f, before);
}

static void a_bytearray_is_appended_to_itself(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f), size = 0;
    void *array = bytes_of(f, "0123456789", 10, true);
    for (size_t i = 0; i < 14; i++) {
        const unsigned char *data = hwr_bytearray_get(array, &size);
        assert_true(hwr_bytearray_append(f->heap, array, data, size));
    }
    const unsigned char *data = hwr_bytearray_get(array, &size);
    assert_int_equal(size, 10 << 14);
    for (size_t i = 0; i < size; i++) assert_int_equal(data[i], '0' + i % 10);
    assert_true(hwr_bytearray_resize(f->heap, array, 10));
    assert_true(hwr_bytearray_append(f->heap, array, hwr_bytearray_get(array, &size) + 7, 3));
    take_bytes(f, array, "0123456789789", 13, HWR_BYTEARRAY);
    heap_fixture_expect_objects(f, before);
}

/* ---- bytes from bytes ---- */

static void bytes_are_put_together(void **state) {
    static const char *const parts[] = {"", "a", "hello", "a longer one of more than a word"};
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t i = 0; i < COUNT(parts); i++)
        for (size_t j = 0; j < COUNT(parts); j++)
            for (int arrays = 0; arrays < 4; arrays++) {
                char both[100];
                void *a = bytes_of(f, parts[i], strlen(parts[i]), (arrays & 1) != 0);
                void *b = bytes_of(f, parts[j], strlen(parts[j]), (arrays & 2) != 0), *made = NULL;
                strcat(strcpy(both, parts[i]), parts[j]);
                assert_int_equal(hwr_bytes_concat(f->heap, a, b, &made), HWR_OK);
                hwr_release(f->heap, a);
                hwr_release(f->heap, b);
                take_bytes(f, made, both, strlen(both), arrays & 1 ? HWR_BYTEARRAY : HWR_BYTES);
            }
    heap_fixture_expect_objects(f, before);
}

static void part_of_bytes_is_taken(void **state) {
    static const struct {
        const char *whole;
        size_t from, to;
        const char *part;
    } cases[] = {
        {"hello", 0, 5, "hello"}, {"hello", 1, 3, "el"}, {"hello", 2, 99, "llo"},
        {"hello", 3, 3, ""},      {"hello", 4, 2, ""},   {"hello", 9, 12, ""},
        {"", 0, 4, ""},           {"hello", 9, 2, ""},   {"hello", 0, SIZE_MAX, "hello"},
    };
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t i = 0; i < COUNT(cases); i++)
        for (int array = 0; array < 2; array++) {
            void *whole = bytes_of(f, cases[i].whole, strlen(cases[i].whole), array != 0), *part = NULL;
            assert_int_equal(hwr_bytes_slice(f->heap, whole, cases[i].from, cases[i].to, &part), HWR_OK);
            if (array) assert_true(part != whole);
            hwr_release(f->heap, whole);
            take_bytes(f, part, cases[i].part, strlen(cases[i].part), array ? HWR_BYTEARRAY : HWR_BYTES);
        }
    heap_fixture_expect_objects(f, before);
}

static void only_bytes_are_bytes(void **state) {
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    void *text = text_of(f, "text"), *bytes = bytes_of(f, "text", 4, false), *array = bytes_of(f, "text", 4, true);
    void *made = &before;
    int order;
    assert_int_equal(hwr_bytes_concat(f->heap, text, bytes, &made), HWR_WRONG_KIND);
    assert_int_equal(hwr_bytes_concat(f->heap, array, text, &made), HWR_WRONG_KIND);
    assert_int_equal(hwr_bytes_slice(f->heap, text, 0, 1, &made), HWR_WRONG_KIND);
    assert_int_equal(hwr_compare(f->heap, text, array, &order), HWR_WRONG_KIND);
    assert_false(are_equal(f, text, bytes));
    assert_false(are_equal(f, text, array));
    assert_ptr_equal(made, &before);
    hwr_release(f->heap, array);
    hwr_release(f->heap, bytes);
    hwr_release(f->heap, text);
    heap_fixture_expect_objects(f, before);
}

/* ---- questions ---- */

static void bytes_have_an_order(void **state) {
    static const struct {
        const char *data;
        size_t size;
    } sorted[] = {{"", 0},   {"\0", 1}, {"\0\0", 2}, {"a", 1},    {"a\0", 2},
                  {"ab", 2}, {"b", 1},  {"\x7f", 1}, {"\x80", 1}, {"\xff", 1}};
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (int i = 0; i < (int)COUNT(sorted); i++)
        for (int j = 0; j < (int)COUNT(sorted); j++)
            for (int arrays = 0; arrays < 4; arrays++) {
                void *a = bytes_of(f, sorted[i].data, sorted[i].size, (arrays & 1) != 0);
                void *b = bytes_of(f, sorted[j].data, sorted[j].size, (arrays & 2) != 0);
                int order = 99;
                assert_int_equal(hwr_compare(f->heap, a, b, &order), HWR_OK);
                assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
                assert_int_equal(are_equal(f, a, b), i == j);
                if (arrays == 0) assert_true((hash_of(f, a) == hash_of(f, b)) == (i == j));
                hwr_release(f->heap, a);
                hwr_release(f->heap, b);
            }
    heap_fixture_expect_objects(f, before);
}

static void what_changes_has_no_hash(void **state) {
    const heap_fixture *f = *state;
    open_kinds(f);
    void *array = bytes_of(f, "abc", 3, true);
    uint64_t hash;
    assert_int_equal(hwr_hash(f->heap, array, &hash), HWR_UNHASHABLE);
    hwr_release(f->heap, array);
}

static void a_repr_of_bytes_is_what_python_writes(void **state) {
    static const struct {
        const char *data;
        size_t size;
        const char *repr, *array_repr;
    } cases[] = {
        {"", 0, "b''", "bytearray(b'')"},
        {"abc", 3, "b'abc'", "bytearray(b'abc')"},
        {"it's", 4, "b\"it's\"", "bytearray(b\"it\\'s\")"},
        {"\"", 1, "b'\"'", "bytearray(b'\"')"},
        {"'\"", 2, "b'\\'\"'", "bytearray(b'\\'\"')"},
        {"\\\011\012\015", 4, "b'\\\\\\t\\n\\r'", "bytearray(b'\\\\\\t\\n\\r')"},
        {"\000\037\177\200\377~", 6, "b'\\x00\\x1f\\x7f\\x80\\xff~'", "bytearray(b'\\x00\\x1f\\x7f\\x80\\xff~')"},
    };
    const heap_fixture *f = *state;
    size_t before = open_kinds(f);
    for (size_t i = 0; i < COUNT(cases); i++)
        for (int array = 0; array < 2; array++) {
            void *bytes = bytes_of(f, cases[i].data, cases[i].size, array != 0), *repr = NULL;
            assert_int_equal(hwr_repr(f->heap, bytes, &repr), HWR_OK);
            hwr_release(f->heap, bytes);
            take_text(f, repr, array ? cases[i].array_repr : cases[i].repr);
        }
    heap_fixture_expect_objects(f, before);
}

/* ---- all of it by chance, against an array ---- */

static void bytearrays_change_by_chance(void **state) {
    enum { ROOM = 20000 };
    static unsigned char model[ROOM], more[ROOM / 4];
    const heap_fixture *f = *state;
    size_t before = open_kinds(f), length = 0;
    random_stream chance = {21};
    void *array = bytes_of(f, NULL, 0, true), *made;
    for (size_t i = 0; i < (runs_slowly() ? 2000u : 10000u); i++) {
        size_t size = random_below(&chance, random_below(&chance, 10) == 0 ? ROOM / 4 : 50), found;
        switch (random_below(&chance, 4)) {
        case 0:
            if (length + size > ROOM) break;
            pattern_fill(more, size, i);
            assert_true(hwr_bytearray_append(f->heap, array, more, size));
            memcpy(model + length, more, size);
            length += size;
            break;
        case 1:
            size = random_below(&chance, 3) == 0 ? size : length + size / 2 < ROOM ? length + size / 2 : 0;
            assert_true(hwr_bytearray_resize(f->heap, array, size));
            if (size > length) memset(model + length, 0, size - length);
            length = size;
            break;
        case 2:
            if (length == 0) break;
            model[size % length] = (unsigned char)i;
            hwr_bytearray_get(array, &found)[size % length] = (unsigned char)i;
            break;
        default:
            assert_int_equal(hwr_bytes_slice(f->heap, array, size, length, &made), HWR_OK);
            take_bytes(f, made, model + (size < length ? size : length), size < length ? length - size : 0,
                       HWR_BYTEARRAY);
        }
        expect_bytes(array, model, length);
    }
    hwr_release(f->heap, array);
    heap_fixture_expect_objects(f, before);
}

/* ---- a finalizer that runs while bytes are made, because memory is short, changes what they are made from ---- */

static void *changed;

static void empty_the_array(hwr_heap *heap, finalized *object) {
    (void)object;
    hwr_bytearray_resize(heap, changed, 0);
}

static void a_change_meanwhile_is_noticed(void **state) {
    if (getenv("HEAPWRIGHT_DEBUG") != NULL) skip(); /* the quarantine would keep the memory */
    enum { SIZE = 24 << 20, LIMIT = 52 << 20 };
    heap_fixture limited = *(const heap_fixture *)*state;
    limited.heap = hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options), .limit = LIMIT});
    assert_non_null(limited.heap);
    size_t calls = 0, before = open_kinds(&limited);
    for (size_t way = 0; way < 3; way++) {
        void *made = &before, *filler = bytes_of(&limited, NULL, SIZE / 2, false);
        changed = bytes_of(&limited, NULL, SIZE, true);
        finalized *object = new_finalized(&limited, &calls);
        object->more = empty_the_array;
        hwr_give(limited.heap, object, &object->a, (void *)object);
        if (way == 0) {
            assert_int_equal(hwr_bytes_concat(limited.heap, changed, filler, &made), HWR_CHANGED);
        } else if (way == 1) {
            assert_true(hwr_bytearray_append(limited.heap, changed, filler, SIZE / 2));
            assert_int_equal(hwr_bytearray_get(changed, &(size_t){0})[SIZE / 2 - 1], 0);
        } else {
            assert_true(hwr_bytearray_resize(limited.heap, changed, SIZE / 2 * 3));
            assert_true(pattern_is_zero(hwr_bytearray_get(changed, &(size_t){0}), SIZE / 2 * 3));
        }
        assert_int_equal(calls, way + 1);
        assert_ptr_equal(made, &before);
        hwr_release(limited.heap, changed);
        hwr_release(limited.heap, filler);
        hwr_heap_stats stats;
        hwr_heap_get_stats(limited.heap, &stats);
        assert_int_equal(stats.objects, before);
    }
    assert_true(hwr_heap_verify(limited.heap, NULL));
    hwr_heap_close(limited.heap);
}

int main(void) {
    static const heap_test tests[] = {
        HEAP_TEST(bytes_hold_a_copy, HEAP_STRESSED),
        HEAP_TEST(sizes_beyond_memory_are_refused, HEAP_ANY),
        HEAP_TEST(a_bytearray_grows_and_shrinks, HEAP_STRESSED),
        HEAP_TEST(appending_bytes_takes_linear_time, HEAP_FEW | HEAP_STRESSED),
        HEAP_TEST(a_bytearray_is_appended_to_itself, HEAP_STRESSED),
        HEAP_TEST(bytes_are_put_together, HEAP_STRESSED),
        HEAP_TEST(part_of_bytes_is_taken, HEAP_ANY),
        HEAP_TEST(only_bytes_are_bytes, HEAP_ANY),
        HEAP_TEST(bytes_have_an_order, HEAP_ANY),
        HEAP_TEST(what_changes_has_no_hash, HEAP_ANY),
        HEAP_TEST(a_repr_of_bytes_is_what_python_writes, HEAP_ANY),
        HEAP_TEST(bytearrays_change_by_chance, HEAP_FEW | HEAP_STRESSED),
        /* HEAP_COUNTING: a finalizer in the middle of reading */
        HEAP_TEST(a_change_meanwhile_is_noticed, HEAP_ONCE | HEAP_COUNTING),
    };
    return heap_fixture_run("kinds: bytes", tests, sizeof tests / sizeof *tests);
}
