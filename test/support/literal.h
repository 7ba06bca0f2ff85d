/* Objects of the kinds from what Python would read: None, True, False, ints and floats, 'strs' without escapes, lists and tuples of these. Fails the test without memory. */
#ifndef TEST_SUPPORT_LITERAL_H
#define TEST_SUPPORT_LITERAL_H

#include "heapwright/number.h"
#include "heapwright/sequence.h"

#include "support/text_check.h"

#include <ctype.h>

static inline void *read_literal(const heap_fixture *f, const char **at);

static inline void *read_items(const heap_fixture *f, const char **at, bool is_list) {
    void *items[64], *list = hwr_list(f->heap, 0);
    size_t count = 0;
    assert_non_null(list);
    for (++*at; **at != (is_list ? ']' : ')'); *at += strspn(*at, ", ")) {
        assert_true(count < COUNT(items));
        items[count] = read_literal(f, at);
        assert_true(hwr_list_append(f->heap, list, items[count++]));
    }
    ++*at;
    void *tuple = hwr_tuple(f->heap, items, count);
    assert_non_null(tuple);
    for (size_t i = 0; i < count; i++) hwr_release(f->heap, items[i]);
    hwr_release(f->heap, is_list ? tuple : list);
    return is_list ? list : tuple;
}

static inline bool skip_word(const char **at, const char *word) {
    if (strncmp(*at, word, strlen(word)) != 0) return false;
    *at += strlen(word);
    return true;
}

static inline void *read_literal(const heap_fixture *f, const char **at) {
    void *object = NULL;
    if (**at == '[' || **at == '(') return read_items(f, at, **at == '[');
    if (skip_word(at, "None")) return hwr_none(f->heap);
    if (skip_word(at, "True")) return hwr_bool(f->heap, true);
    if (skip_word(at, "False")) return hwr_bool(f->heap, false);
    if (**at == '\'') {
        size_t size = strcspn(*at + 1, "'");
        assert_int_equal(hwr_str_from(f->heap, *at + 1, size, &object), HWR_OK);
        *at += size + 2;
        return object;
    }
    size_t size = strspn(*at, "+-0123456789.einfa");
    bool is_int = strspn(*at, "+-0123456789") == size;
    hwr_result result =
        is_int ? hwr_int_parse(f->heap, *at, size, 10, &object) : hwr_float_parse(f->heap, *at, size, &object);
    assert_int_equal(result, HWR_OK);
    *at += size;
    return object;
}

static inline void *literal(const heap_fixture *f, const char *text) {
    void *object = read_literal(f, &text);
    assert_int_equal(*text, 0);
    return object;
}

/* Checks the repr of an object; that of a literal is the literal as Python writes it. */
static inline void expect_repr(const heap_fixture *f, const void *object, const char *text) {
    void *repr = NULL;
    assert_int_equal(hwr_repr(f->heap, object, &repr), HWR_OK);
    take_text(f, repr, text);
}

#endif
