/* What the tests of strs and bytes have in common. */
#ifndef TEST_SUPPORT_TEXT_CHECK_H
#define TEST_SUPPORT_TEXT_CHECK_H

#include "heapwright/text.h"

#include "support/heap_fixture.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* What the heap holds before a test: what the kinds share. */
static inline size_t objects_before(const heap_fixture *f) {
    hwr_heap_stats stats;
    hwr_heap_get_stats(f->heap, &stats);
    return stats.objects;
}

static inline size_t open_kinds(const heap_fixture *f) {
    assert_true(hwr_kinds_open(f->heap));
    return objects_before(f);
}

static inline void *text_of(const heap_fixture *f, const char *utf8) {
    void *text = NULL;
    assert_int_equal(hwr_str(f->heap, utf8, &text), HWR_OK);
    assert_int_equal(hwr_kind_of(text), HWR_STR);
    return text;
}

static inline size_t encode(char *utf8, uint32_t c) {
    static const unsigned char first[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    utf8[0] = (char)(first[size] | c >> 6 * (size - 1));
    for (size_t i = 1; i < size; i++) utf8[i] = (char)(0x80 | (c >> 6 * (size - 1 - i) & 0x3F));
    utf8[size] = 0;
    return size;
}

/* Bytes of a character, by the size: twelve in front, and a zero behind. */
static inline size_t width_of(const heap_fixture *f, const void *text) {
    size_t size = hwr_sizeof(f->heap, text, false) - 12;
    assert_int_equal(size % (hwr_str_length(text) + 1), 0);
    return size / (hwr_str_length(text) + 1);
}

/* Checks a str against UTF-8, and that it is as narrow as can be. */
static inline void expect_text(const heap_fixture *f, const void *text, const char *utf8) {
    char buffer[4000];
    uint32_t widest = 0;
    size_t size = hwr_str_utf8(text, buffer, sizeof buffer), length = 0;
    assert_true(size < sizeof buffer);
    assert_string_equal(buffer, utf8);
    for (size_t i = 0; i < size; i++) length += (buffer[i] & 0xC0) != 0x80;
    assert_int_equal(hwr_str_length(text), length);
    for (size_t i = 0; i < length; i++)
        if (hwr_str_at(text, i) > widest) widest = hwr_str_at(text, i);
    assert_int_equal(width_of(f, text), widest < 0x100 ? 1 : widest < 0x10000 ? 2 : 4);
    assert_true((hwr_str_ascii(text) != NULL) == (widest < 0x80));
    if (widest < 0x80) assert_string_equal(hwr_str_ascii(text), utf8);
}

/* The same, and releases it. */
static inline void take_text(const heap_fixture *f, void *text, const char *utf8) {
    expect_text(f, text, utf8);
    hwr_release(f->heap, text);
}

static inline bool are_equal(const heap_fixture *f, const void *a, const void *b) {
    bool equal = false, other_way = false;
    assert_int_equal(hwr_equal(f->heap, a, b, &equal), HWR_OK);
    assert_int_equal(hwr_equal(f->heap, b, a, &other_way), HWR_OK);
    assert_int_equal(equal, other_way);
    return equal;
}

static inline uint64_t hash_of(const heap_fixture *f, const void *object) {
    uint64_t hash = 0;
    assert_int_equal(hwr_hash(f->heap, object, &hash), HWR_OK);
    return hash;
}

#endif
