/* text: str. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "kinds/quote.h"
#include "kinds/storage.h"
#include "kinds/str.h"
#include "kinds/utf8.h"

/* ---- making ---- */

static inline void *share(hwr_heap *heap, const void *object) {
    hwr_retain(heap, object);
    return (void *)(uintptr_t)object;
}

static inline size_t str_size(size_t length, unsigned width) {
    return offsetof(hwri_str, chars) + (length + 1) * width;
}

/* A str whose characters are still to be written. */
static inline hwri_str *new_str(hwr_heap *heap, size_t length, unsigned width) {
    hwri_str *str = hwri_new_leaf(heap, hwri_str_type(width), str_size(length, width));
    if (!str) return NULL;
    str->length = length;
    str->hash = 0;
    hwri_write_char_at(str->chars, width, length, 0);
    return str;
}

static inline hwr_result str_made(hwri_str *str, void **text) {
    if (!str) return HWR_NO_MEMORY;
    *text = str;
    return HWR_OK;
}

static hwr_result share_str(hwr_heap *heap, const void *shared, void **text) {
    *text = share(heap, shared);
    return HWR_OK;
}

bool hwri_texts_open(hwr_heap *heap, struct hwri_kinds *kinds) {
    kinds->empty_str = new_str(heap, 0, 1);
    kinds->empty_bytes = hwr_new_items(heap, hwri_kind_type(HWRI_BYTES_TYPE), 0);
    if (!hwri_is_kept(heap, kinds->empty_str) || !hwri_is_kept(heap, kinds->empty_bytes)) return false;
    for (unsigned c = 0; c < 256; c++) {
        hwri_str *str = new_str(heap, 1, 1);
        if (!hwri_is_kept(heap, str)) return false;
        str->chars[0] = (unsigned char)c;
        kinds->characters[c] = str;
    }
    return true;
}

/* ---- from UTF-8, and back ---- */

static inline unsigned width_for(uint32_t widest) { return widest < 0x100 ? 1 : widest < 0x10000 ? 2 : 4; }

/* How many characters UTF-8 has, if it is any: bytes that follow no other; and the first byte of the widest. */
static size_t measure_utf8(const unsigned char *bytes, size_t size, unsigned char *highest) {
    size_t length = 0;
    unsigned char high = 0;
    for (size_t i = 0; i < size; i++) {
        length += !hwri_utf8_follows(bytes[i]);
        high = bytes[i] > high ? bytes[i] : high;
    }
    *highest = high;
    return length;
}

/* Returns whether it is UTF-8. Each character that is written has been counted by its first byte, so that there is room, and is no wider than that says. */
static inline bool decode_utf8(hwri_str *str, unsigned width, const unsigned char *bytes, size_t size) {
    const unsigned char *end = bytes + size;
    for (size_t i = 0; bytes != end;) {
        uint32_t c;
        if (*bytes < 0x80 && end - bytes >= 8 && !(hwri_load64(bytes) & HWRI_NOT_ASCII)) {
            for (size_t j = 0; j < 8; j++) hwri_write_char_at(str->chars, width, i + j, bytes[j]);
            i += 8;
            bytes += 8;
            continue;
        }
        size_t step = hwri_utf8_read(bytes, (size_t)(end - bytes), &c);
        if (step == 0) return false;
        hwri_write_char_at(str->chars, width, i++, c);
        bytes += step;
    }
    return true;
}

static bool decode_to_width(hwri_str *str, unsigned width, const unsigned char *bytes, size_t size) {
    switch (width) {
    case 1: return decode_utf8(str, 1, bytes, size);
    case 2: return decode_utf8(str, 2, bytes, size);
    default: return decode_utf8(str, 4, bytes, size);
    }
}

static hwr_result str_from_wide(hwr_heap *heap, const unsigned char *bytes, size_t size, void **text) {
    unsigned char highest;
    size_t length = measure_utf8(bytes, size, &highest);
    unsigned width = highest < 0xC4 ? 1 : highest < 0xF0 ? 2 : 4;
    hwri_str *str = new_str(heap, length, width);
    if (!str) return HWR_NO_MEMORY;
    bool valid = decode_to_width(str, width, bytes, size);
    if (valid && !hwri_is_shared_str(str)) return str_made(str, text);
    unsigned char first = str->chars[0];
    hwr_release(heap, str);
    return valid ? share_str(heap, heap->kinds->characters[first], text) : HWR_BAD_VALUE;
}

hwr_result hwr_str_from(hwr_heap *heap, const char *utf8, size_t size, void **text) {
    HWRI_LOOK(heap, NULL);
    const unsigned char *bytes = (const unsigned char *)utf8;
    if (size == 0) return share_str(heap, heap->kinds->empty_str, text);
    if (!hwri_is_ascii(bytes, size)) return str_from_wide(heap, bytes, size, text);
    if (size == 1) return share_str(heap, heap->kinds->characters[bytes[0]], text);
    hwri_str *str = new_str(heap, size, 1);
    if (hwri_likely(str != NULL)) hwri_copy_bytes(str->chars, bytes, size);
    return str_made(str, text);
}

hwr_result hwr_str(hwr_heap *heap, const char *utf8, void **text) {
    return hwr_str_from(heap, utf8, strlen(utf8), text);
}

const char *hwr_str_ascii(const void *text) {
    const hwri_str *str = text;
    bool ascii = hwri_is_of_type(str, HWRI_STR1_TYPE) && hwri_is_ascii(str->chars, str->length);
    return ascii ? (const char *)str->chars : NULL;
}

static inline size_t utf8_size_of(const hwri_str *str, unsigned width) {
    size_t size = 0;
    for (size_t i = 0; i < str->length; i++) size += hwri_utf8_size(hwri_read_char(str->chars, width, i));
    return size;
}

static inline void encode_utf8(const hwri_str *str, unsigned width, char *buffer) {
    for (size_t i = 0, at = 0; i < str->length; i++)
        at += hwri_utf8_write(buffer + at, hwri_read_char(str->chars, width, i));
}

size_t hwr_str_utf8(const void *text, char *buffer, size_t room) {
    const hwri_str *str = text;
    const char *ascii = hwr_str_ascii(text);
    unsigned width = ascii ? 0 : hwri_str_width(str);
    size_t size = str->length;
    if (width == 1) size = utf8_size_of(str, 1);
    if (width == 2) size = utf8_size_of(str, 2);
    if (width == 4) size = utf8_size_of(str, 4);
    if (size >= room) return size;
    switch (width) {
    case 0: memcpy(buffer, ascii, size); break;
    case 1: encode_utf8(str, 1, buffer); break;
    case 2: encode_utf8(str, 2, buffer); break;
    default: encode_utf8(str, 4, buffer);
    }
    buffer[size] = 0;
    return size;
}

uint32_t hwr_str_at(const void *text, size_t index) {
    return hwri_read_char(((const hwri_str *)text)->chars, hwri_str_width(text), index);
}

/* ---- strs from strs ---- */

/* Copies characters to a place that is not narrower. */
static inline void copy_chars(unsigned char *to, unsigned width, size_t at, const hwri_str *source, size_t from,
                              size_t count) {
    unsigned source_width = hwri_str_width(source);
    if (hwri_likely(source_width == width)) {
        hwri_copy_bytes(to + at * width, source->chars + from * width, count * width);
        return;
    }
    for (size_t i = 0; i < count; i++)
        hwri_write_char_at(to, width, at + i, hwri_read_char(source->chars, source_width, from + i));
}

static inline unsigned wider(unsigned a, unsigned b) { return a > b ? a : b; }

static hwr_result concat_strs(hwr_heap *heap, const hwri_str *a, const hwri_str *b, void **text) {
    unsigned width = wider(hwri_str_width(a), hwri_str_width(b));
    if (a->length == 0) return share_str(heap, b, text);
    if (b->length == 0) return share_str(heap, a, text);
    hwri_str *str = new_str(heap, a->length + b->length, width);
    if (!str) return HWR_NO_MEMORY;
    copy_chars(str->chars, width, 0, a, 0, a->length);
    copy_chars(str->chars, width, a->length, b, 0, b->length);
    return str_made(str, text);
}

hwr_result hwr_str_concat(hwr_heap *heap, const void *a, const void *b, void **text) {
    HWRI_LOOK(heap, a);
    HWRI_LOOK(heap, b);
    if (!hwri_is_str(a) || !hwri_is_str(b)) return HWR_WRONG_KIND;
    return concat_strs(heap, a, b, text);
}

static unsigned narrowest(const hwri_str *source, size_t from, size_t to) {
    unsigned width = hwri_str_width(source);
    uint32_t all = 0;
    if (width == 1) return 1;
    if (width == 2)
        for (size_t i = from; i < to; i++) all |= hwri_read_char(source->chars, 2, i);
    else
        for (size_t i = from; i < to; i++) all |= hwri_read_char(source->chars, 4, i);
    return width_for(all);
}

static void narrow_chars(hwri_str *to, unsigned width, const hwri_str *source, size_t from) {
    unsigned source_width = hwri_str_width(source);
    for (size_t i = 0; i < to->length; i++)
        hwri_write_char_at(to->chars, width, i, hwri_read_char(source->chars, source_width, from + i));
}

hwr_result hwr_str_slice(hwr_heap *heap, const void *source, size_t from, size_t to, void **text) {
    HWRI_LOOK(heap, source);
    if (!hwri_is_str(source)) return HWR_WRONG_KIND;
    const hwri_str *whole = source;
    if (to > whole->length) to = whole->length;
    if (from >= to) return share_str(heap, heap->kinds->empty_str, text);
    if (to - from == whole->length) return share_str(heap, source, text);
    unsigned width = narrowest(whole, from, to);
    if (to - from == 1 && width == 1) return share_str(heap, heap->kinds->characters[hwr_str_at(source, from)], text);
    hwri_str *str = new_str(heap, to - from, width);
    if (!str) return HWR_NO_MEMORY;
    if (width == hwri_str_width(whole))
        copy_chars(str->chars, width, 0, whole, from, to - from);
    else
        narrow_chars(str, width, whole, from);
    return str_made(str, text);
}

/* What is there is doubled. */
hwr_result hwr_str_repeat(hwr_heap *heap, const void *source, size_t times, void **text) {
    HWRI_LOOK(heap, source);
    if (!hwri_is_str(source)) return HWR_WRONG_KIND;
    const hwri_str *once = source;
    unsigned width = hwri_str_width(once);
    if (times == 0 || once->length == 0) return share_str(heap, heap->kinds->empty_str, text);
    if (times == 1) return share_str(heap, source, text);
    if (once->length > PTRDIFF_MAX / 8 / times) return HWR_NO_MEMORY;
    hwri_str *str = new_str(heap, once->length * times, width);
    if (!str) return HWR_NO_MEMORY;
    size_t size = str->length * width, done = once->length * width;
    for (memcpy(str->chars, once->chars, done); done < size; done *= 2)
        memcpy(str->chars + done, str->chars, done < size - done ? done : size - done);
    return str_made(str, text);
}

/* ---- joining ---- */

/* What a list or tuple of strs comes to with a separator between them, and what is to be joined. */
typedef struct joint {
    const hwri_str *separator;
    void *const *items;
    size_t count, length;
    unsigned width;
} joint;

static bool look_at_items(joint *j, const void *texts) {
    hwr_kind kind = hwr_kind_of(texts);
    if (kind != HWR_TUPLE && kind != HWR_LIST) return false;
    hwri_span span = hwri_span_of(texts, 0, SIZE_MAX);
    j->count = span.count;
    if (span.count == 0) return true;
    j->items = span.storage->as.objects;
    return !hwri_mode_is_data(span.mode);
}

static hwr_result measure_joint(joint *j, const void *separator, const void *texts) {
    *j = (joint){.separator = separator, .width = 1};
    if (!hwri_is_str(separator) || !look_at_items(j, texts)) return HWR_WRONG_KIND;
    for (size_t i = 0; i < j->count; i++) {
        const hwri_str *str = j->items[i];
        if (!hwri_is_str(str)) return HWR_WRONG_KIND;
        j->length += str->length;
        j->width = wider(j->width, hwri_str_width(str));
    }
    if (j->count < 2) return HWR_OK;
    if (j->separator->length > PTRDIFF_MAX / 8 / j->count) return HWR_NO_MEMORY;
    j->length += j->separator->length * (j->count - 1);
    j->width = wider(j->width, hwri_str_width(separator));
    return HWR_OK;
}

/* Fills a str; false if what is there is not what was measured. */
static inline bool copy_joint(const joint *j, hwri_str *str, unsigned width) {
    size_t at = 0;
    unsigned widest = 1;
    for (size_t i = 0; i < j->count; i++) {
        const hwri_str *item = j->items[i];
        size_t gap = i ? j->separator->length : 0;
        if (!hwri_is_str(item) || gap > str->length - at || item->length > str->length - at - gap) return false;
        widest = wider(widest, hwri_str_width(gap ? j->separator : item));
        widest = wider(widest, hwri_str_width(item));
        if (widest > width) return false;
        copy_chars(str->chars, width, at, j->separator, 0, gap);
        copy_chars(str->chars, width, at + gap, item, 0, item->length);
        at += gap + item->length;
    }
    return at == str->length && widest == width;
}

/* Where memory is short a finalizer may change the list while the new str is made. */
hwr_result hwr_str_join(hwr_heap *heap, const void *separator, const void *texts, void **text) {
    HWRI_LOOK(heap, separator);
    HWRI_LOOK(heap, texts);
    joint j;
    hwr_result result = measure_joint(&j, separator, texts);
    if (result != HWR_OK) return result;
    if (j.count == 1) return share_str(heap, j.items[0], text);
    if (j.length == 0) return share_str(heap, heap->kinds->empty_str, text);
    hwri_str *str = new_str(heap, j.length, j.width);
    if (!str) return HWR_NO_MEMORY;
    bool same = look_at_items(&j, texts) && copy_joint(&j, str, j.width);
    if (same && !hwri_is_shared_str(str)) return str_made(str, text);
    unsigned char first = str->chars[0];
    hwr_release(heap, str);
    return same ? share_str(heap, heap->kinds->characters[first], text) : HWR_CHANGED;
}

/* ---- appending ---- */

/* Whether the caller's reference is all that is known of a str: nothing but a count of one stands in its header. */
static inline bool is_callers_own(const hwri_str *str) {
    return (*hwri_header(str) & ~(HWRI_TYPE_MASK | HWRI_SPECIAL)) == (HWRI_COUNT_ONE | HWRI_UNTRACKED);
}

static inline bool has_room(hwr_heap *heap, const hwri_str *str, size_t length, unsigned width) {
    size_t room = hwri_page_block_size(hwri_page_of(heap->leaves, str));
    return HWRI_HEADER_SIZE + str_size(length, width) + (heap->checked ? HWRI_TAIL_SIZE : 0) <= room;
}

/* In a larger block, for so many characters. Nothing moves in a checked heap: there it is another str, and a use of the old one is found out. */
static hwri_str *move_str(hwr_heap *heap, hwri_str *str, size_t length, unsigned width) {
    size_t used = str->length;
    hwri_str *moved = heap->checked ? new_str(heap, length, width) : hwri_resize(heap, str, length);
    if (!moved) return NULL;
    moved->length = used;
    if (heap->checked) {
        memcpy(moved->chars, str->chars, used * width);
        hwr_release(heap, str);
    }
    return moved;
}

static inline void put_tail(hwri_str *str, unsigned width, const hwri_str *tail) {
    size_t from = str->length, length = from + tail->length;
    str->length = length;
    str->hash = 0;
    hwri_write_char_at(str->chars, width, length, 0);
    copy_chars(str->chars, width, from, tail, 0, tail->length);
}

/* In its block, or in one with room for an eighth more. */
static bool append_in_place(hwr_heap *heap, hwri_str **text, const hwri_str *tail, const void *site) {
    hwri_str *str = *text;
    unsigned width = hwri_str_width(str);
    size_t length = str->length + tail->length;
    if (str == tail || !is_callers_own(str) || hwri_str_width(tail) > width) return false;
    if (!has_room(heap, str, length, width)) str = move_str(heap, str, length + length / 8, width);
    if (!str) return false;
    put_tail(str, width, tail);
    if (hwri_unlikely(heap->checked)) hwri_tail_write(heap, str, site);
    *text = str;
    return true;
}

static hwr_result append_any(hwr_heap *heap, void **text, const void *tail, const void *site) {
    hwri_str *str = *text;
    if (!hwri_is_str(str) || !hwri_is_str(tail)) return HWR_WRONG_KIND;
    if (append_in_place(heap, &str, tail, site)) {
        *text = str;
        return HWR_OK;
    }
    hwr_result result = concat_strs(heap, str, tail, text);
    if (result == HWR_OK) hwr_release(heap, str);
    return result;
}

/* Bytes to bytes that nobody else knows, where there is room for them: the short way. In a checked heap no header is like this. */
hwr_result hwr_str_append(hwr_heap *heap, void **text, const void *tail) {
    hwri_str *str = *text;
    const hwr_type *type = hwri_kind_type(HWRI_STR1_TYPE);
    uint64_t own = HWRI_COUNT_ONE | HWRI_UNTRACKED | (uint64_t)(uintptr_t)type;
    HWRI_LOOK(heap, str);
    HWRI_LOOK(heap, tail);
    if (hwri_likely(*hwri_header(str) == own && hwr_type_of(tail) == type && str != tail)) {
        if (hwri_likely(has_room(heap, str, str->length + ((const hwri_str *)tail)->length, 1))) {
            put_tail(str, 1, tail);
            return HWR_OK;
        }
    }
    return append_any(heap, text, tail, __builtin_return_address(0));
}

/* ---- looking for something ---- */

static inline bool is_part_at(const hwri_str *text, unsigned width, size_t at, const hwri_str *part) {
    unsigned part_width = hwri_str_width(part);
    for (size_t i = 0; i < part->length; i++)
        if (hwri_read_char(text->chars, width, at + i) != hwri_read_char(part->chars, part_width, i)) return false;
    return true;
}

/* The first index of [from, to) where a part stands, or `to`. */
static inline size_t find_part(const hwri_str *text, unsigned width, size_t from, size_t to, const hwri_str *part) {
    uint32_t first = hwr_str_at(part, 0);
    for (; from < to; from++)
        if (hwri_read_char(text->chars, width, from) == first && is_part_at(text, width, from, part)) break;
    return from;
}

/* The same for two strs of bytes. */
static size_t find_bytes(const hwri_str *text, size_t from, size_t to, const hwri_str *part) {
    const unsigned char *found = memmem(text->chars + from, text->length - from, part->chars, part->length);
    return found ? (size_t)(found - text->chars) : to;
}

hwr_result hwr_str_find(const void *text, const void *part, size_t from, size_t *index) {
    if (!hwri_is_str(text) || !hwri_is_str(part)) return HWR_WRONG_KIND;
    const hwri_str *whole = text, *wanted = part;
    if (from > whole->length || wanted->length > whole->length - from) return HWR_NOT_FOUND;
    size_t to = whole->length - wanted->length + 1, found = from;
    if (wanted->length != 0) switch (hwri_str_width(whole) * 4 + hwri_str_width(wanted)) {
        case 4 + 1: found = find_bytes(whole, from, to, wanted); break;
        case 8 + 1:
        case 8 + 2: found = find_part(whole, 2, from, to, wanted); break;
        case 16 + 1:
        case 16 + 2:
        case 16 + 4: found = find_part(whole, 4, from, to, wanted); break;
        default: found = to; /* it has a character that is too wide */
        }
    if (found == to) return HWR_NOT_FOUND;
    *index = found;
    return HWR_OK;
}

/* ---- what all kinds have ---- */

static hwr_result equal_strs(hwr_heap *heap, const void *a, const void *b, unsigned depth, bool *equal) {
    (void)heap, (void)depth;
    *equal = a == b || hwri_same_text(a, b);
    return HWR_OK;
}

/* By code point. */
static hwr_result compare_strs(hwr_heap *heap, const void *a, const void *b, unsigned depth, int *order) {
    (void)heap, (void)depth;
    const hwri_str *x = a, *y = b;
    unsigned x_width = hwri_str_width(x), y_width = hwri_str_width(y);
    size_t common = x->length < y->length ? x->length : y->length, i = 0;
    *order = 0;
    if (x_width == 1 && y_width == 1) {
        *order = memcmp(x->chars, y->chars, common);
        i = common;
    }
    while (i < common && hwri_read_char(x->chars, x_width, i) == hwri_read_char(y->chars, y_width, i)) i++;
    if (i < common) *order = hwr_str_at(x, i) < hwr_str_at(y, i) ? -1 : 1;
    if (*order == 0) *order = (x->length > y->length) - (x->length < y->length);
    return HWR_OK;
}

static hwr_result hash_str(hwr_heap *heap, const void *object, unsigned depth, uint64_t *hash) {
    (void)depth;
    *hash = hwri_hash_str(heap, object);
    return HWR_OK;
}

static hwr_result repr_str(hwr_heap *heap, const void *object, unsigned depth, hwri_writer *writer) {
    (void)heap, (void)depth;
    const hwri_str *str = object;
    hwri_write_quoted(writer, str->chars, hwri_str_width(str), str->length, HWR_STR);
    return HWR_OK;
}

const hwri_kind_ops hwri_str_ops = {equal_strs, compare_strs, hash_str, hwr_str_length, repr_str};
