/* str, for those who look into one. */
#ifndef HWRI_KINDS_STR_H
#define HWRI_KINDS_STR_H

#include "kinds/kinds.h"

static inline const hwr_type *hwri_str_type(unsigned width) { return &hwri_kind_types[HWRI_STR1_TYPE + width / 2]; }

static inline uint32_t hwri_read_char(const unsigned char *chars, unsigned width, size_t index) {
    uint16_t two;
    uint32_t four;
    if (width == 1) return chars[index];
    if (width == 2) return memcpy(&two, chars + index * 2, 2), two;
    return memcpy(&four, chars + index * 4, 4), four;
}

static inline void hwri_write_char_at(unsigned char *chars, unsigned width, size_t index, uint32_t c) {
    uint16_t two = (uint16_t)c;
    if (width == 1)
        chars[index] = (unsigned char)c;
    else if (width == 2)
        memcpy(chars + index * 2, &two, 2);
    else
        memcpy(chars + index * 4, &c, 4);
}

/* memcpy for what is short as a rule: a call costs more than that takes. */
static inline void hwri_copy_bytes(void *to, const void *from, size_t size) {
    unsigned char *out = to;
    const unsigned char *in = from;
    uint64_t first, last;
    uint32_t low, high;
    if (size > 16) {
        memcpy(to, from, size);
    } else if (size >= 8) {
        memcpy(&first, in, 8);
        memcpy(&last, in + size - 8, 8);
        memcpy(out, &first, 8);
        memcpy(out + size - 8, &last, 8);
    } else if (size >= 4) {
        memcpy(&low, in, 4);
        memcpy(&high, in + size - 4, 4);
        memcpy(out, &low, 4);
        memcpy(out + size - 4, &high, 4);
    } else {
        for (size_t i = 0; i < size; i++) out[i] = in[i];
    }
}

/* Whether two strs, neither of them the other, have one content. Widths are the narrowest, so they differ where contents must. */
static inline bool hwri_same_text(const hwri_str *a, const hwri_str *b) {
    if (a->length != b->length || hwr_type_of(a) != hwr_type_of(b)) return false;
    if (a->hash != b->hash && a->hash && b->hash) return false;
    return memcmp(a->chars, b->chars, a->length * hwri_str_width(a)) == 0;
}

/* The empty str and those of one character below 256 are shared: there are no others of their content. */
static inline bool hwri_is_shared_str(const hwri_str *str) {
    return str->length == 0 || (str->length == 1 && hwri_str_width(str) == 1);
}

#endif
