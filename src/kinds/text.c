/* text: str. */
#include "kinds/kinds.h"
#include "kinds/utf8.h"

/* ---- characters ---- */

static inline const hwr_type *str_type(unsigned width) { return &hwri_kind_types[HWRI_STR1_TYPE + width / 2]; }
static inline unsigned width_for(uint32_t widest) { return widest < 0x100 ? 1 : widest < 0x10000 ? 2 : 4; }

static inline uint32_t read_char(const unsigned char *chars, unsigned width, size_t index) {
    uint16_t two;
    uint32_t four;
    if (width == 1) return chars[index];
    if (width == 2) return memcpy(&two, chars + index * 2, 2), two;
    return memcpy(&four, chars + index * 4, 4), four;
}

static inline void write_char(unsigned char *chars, unsigned width, size_t index, uint32_t c) {
    uint16_t two = (uint16_t)c;
    if (width == 1)
        chars[index] = (unsigned char)c;
    else if (width == 2)
        memcpy(chars + index * 2, &two, 2);
    else
        memcpy(chars + index * 4, &c, 4);
}

/* ---- making ---- */

static inline void *shared(hwr_heap *heap, void *object) {
    hwr_retain(heap, object);
    return object;
}

/* A str whose characters are still to be written. */
static inline hwri_str *new_str(hwr_heap *heap, size_t length, unsigned width) {
    hwri_str *str = hwri_new_leaf(heap, str_type(width), offsetof(hwri_str, chars) + (length + 1) * width);
    if (!str) return NULL;
    str->length = length;
    str->hash = 0;
    write_char(str->chars, width, length, 0);
    return str;
}

static hwr_result str_of_ascii(hwr_heap *heap, const unsigned char *bytes, size_t size, void **text) {
    if (size == 1) return *text = shared(heap, heap->kinds->characters[bytes[0]]), HWR_OK;
    hwri_str *str = new_str(heap, size, 1);
    if (!str) return HWR_NO_MEMORY;
    memcpy(str->chars, bytes, size);
    *text = str;
    return HWR_OK;
}

/* How many characters UTF-8 has, and the widest. */
static bool measure_utf8(const unsigned char *bytes, size_t size, size_t *length, uint32_t *widest) {
    uint32_t c;
    *length = *widest = 0;
    for (size_t i = 0, step; i < size; i += step, ++*length) {
        step = hwri_utf8_read(bytes + i, size - i, &c);
        if (step == 0) return false;
        if (c > *widest) *widest = c;
    }
    return true;
}

static void decode_utf8(unsigned char *chars, unsigned width, size_t length, const unsigned char *bytes, size_t size) {
    for (size_t i = 0, at = 0; i < length; i++) {
        uint32_t c;
        at += hwri_utf8_read(bytes + at, size - at, &c);
        write_char(chars, width, i, c);
    }
}

hwr_result hwr_str_from(hwr_heap *heap, const char *utf8, size_t size, void **text) {
    HWRI_LOOK(heap, NULL);
    const unsigned char *bytes = (const unsigned char *)utf8;
    size_t length;
    uint32_t widest;
    if (size == 0) return *text = shared(heap, heap->kinds->empty_str), HWR_OK;
    if (hwri_is_ascii(bytes, size)) return str_of_ascii(heap, bytes, size, text);
    if (!measure_utf8(bytes, size, &length, &widest)) return HWR_BAD_VALUE;
    if (length == 1 && widest < 0x100) return *text = shared(heap, heap->kinds->characters[widest]), HWR_OK;
    unsigned width = width_for(widest);
    hwri_str *str = new_str(heap, length, width);
    if (!str) return HWR_NO_MEMORY;
    decode_utf8(str->chars, width, length, bytes, size);
    *text = str;
    return HWR_OK;
}

hwr_result hwr_str(hwr_heap *heap, const char *utf8, void **text) {
    return hwr_str_from(heap, utf8, strlen(utf8), text);
}

bool hwri_texts_open(hwr_heap *heap, struct hwri_kinds *kinds) {
    kinds->empty_str = new_str(heap, 0, 1);
    kinds->empty_bytes = hwr_new_items(heap, hwri_kind_type(HWRI_BYTES_TYPE), 0);
    if (!kinds->empty_str || !hwr_make_immortal(heap, kinds->empty_str)) return false;
    if (!kinds->empty_bytes || !hwr_make_immortal(heap, kinds->empty_bytes)) return false;
    for (unsigned c = 0; c < 256; c++) {
        hwri_str *str = new_str(heap, 1, 1);
        if (!str || !hwr_make_immortal(heap, str)) return false;
        str->chars[0] = (unsigned char)c;
        kinds->characters[c] = str;
    }
    return true;
}

/* ---- looking ---- */

size_t hwr_str_length(const void *text) { return ((const hwri_str *)text)->length; }

uint32_t hwr_str_at(const void *text, size_t index) {
    return read_char(((const hwri_str *)text)->chars, hwri_str_width(text), index);
}

const char *hwr_str_ascii(const void *text) {
    const hwri_str *str = text;
    bool ascii = hwri_str_width(str) == 1 && hwri_is_ascii(str->chars, str->length);
    return ascii ? (const char *)str->chars : NULL;
}

size_t hwr_str_utf8(const void *text, char *buffer, size_t room) {
    const hwri_str *str = text;
    unsigned width = hwri_str_width(str);
    size_t size = 0, at = 0;
    for (size_t i = 0; i < str->length; i++) size += hwri_utf8_size(read_char(str->chars, width, i));
    if (size >= room) return size;
    for (size_t i = 0; i < str->length; i++)
        at += hwri_utf8_write((unsigned char *)buffer + at, read_char(str->chars, width, i));
    buffer[size] = 0;
    return size;
}
