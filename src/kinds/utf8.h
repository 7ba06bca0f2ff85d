/* UTF-8: reading and writing it. */
#ifndef HWRI_KINDS_UTF8_H
#define HWRI_KINDS_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HWRI_NOT_ASCII UINT64_C(0x8080808080808080)

static inline uint64_t hwri_load64(const unsigned char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* Whether all bytes are below 128: eight at a time, the last eight once more. */
static inline bool hwri_is_ascii(const unsigned char *bytes, size_t size) {
    uint64_t all = 0;
    if (size < 8) {
        for (size_t i = 0; i < size; i++) all |= bytes[i];
        return all < 0x80;
    }
    for (size_t i = 0; i + 8 < size; i += 8) all |= hwri_load64(bytes + i);
    return !((all | hwri_load64(bytes + size - 8)) & HWRI_NOT_ASCII);
}

/* Reads the character at the start of `size` bytes, at least one: returns how many it takes, or 0 if there is none: a stray or missing byte, more bytes than
 * needed, a surrogate, nothing that Unicode has. */
static inline size_t hwri_utf8_read(const unsigned char *bytes, size_t size, uint32_t *c) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    *c = bytes[0];
    if (*c < 0x80) return 1;
    size_t count = *c < 0xC2 ? 0 : *c < 0xE0 ? 2 : *c < 0xF0 ? 3 : *c < 0xF5 ? 4 : 0;
    if (count == 0 || count > size) return 0;
    *c &= 0x7Fu >> count;
    for (size_t i = 1; i < count; i++) {
        if ((bytes[i] & 0xC0) != 0x80) return 0;
        *c = *c << 6 | (bytes[i] & 0x3Fu);
    }
    return *c < least[count] || *c > 0x10FFFF || (*c & 0x1FF800) == 0xD800 ? 0 : count;
}

static inline size_t hwri_utf8_size(uint32_t c) { return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4; }

/* Writes a character and returns how many bytes it takes. */
static inline size_t hwri_utf8_write(char *bytes, uint32_t c) {
    size_t size = hwri_utf8_size(c);
    bytes[0] = (char)(size == 1 ? c : (0xF00u >> size & 0xF0) | c >> 6 * (size - 1));
    for (size_t i = 1; i < size; i++) bytes[i] = (char)(0x80 | (c >> 6 * (size - 1 - i) & 0x3F));
    return size;
}

#endif
