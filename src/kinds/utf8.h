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

static inline bool hwri_utf8_follows(unsigned char byte) { return (byte & 0xC0) == 0x80; }

/* Reads the character at the start of `size` bytes, at least one: returns how many it takes, or 0 if there is none: a stray or missing byte, more bytes than
 * needed, a surrogate, nothing that Unicode has. */
static inline size_t hwri_utf8_read(const unsigned char *bytes, size_t size, uint32_t *c) {
    uint32_t first = bytes[0];
    *c = first;
    if (first < 0x80) return 1;
    if (size < 2 || !hwri_utf8_follows(bytes[1])) return 0;
    *c = (first << 6 & 0x7C0) | (bytes[1] & 0x3Fu);
    if (first < 0xE0) return first < 0xC2 ? 0 : 2;
    if (size < 3 || !hwri_utf8_follows(bytes[2])) return 0;
    *c = (*c << 6 & 0xFFC0) | (bytes[2] & 0x3Fu);
    if (first < 0xF0) return *c < 0x800 || (*c & 0xF800) == 0xD800 ? 0 : 3;
    if (size < 4 || !hwri_utf8_follows(bytes[3])) return 0;
    *c = (first & 7) << 18 | (*c << 6 & 0x3FFC0) | (bytes[3] & 0x3Fu);
    return first > 0xF4 || *c < 0x10000 || *c > 0x10FFFF ? 0 : 4;
}

/* How many bytes a character takes. */
static inline size_t hwri_utf8_size(uint32_t c) { return 1 + (size_t)(c >= 0x80) + (c >= 0x800) + (c >= 0x10000); }

/* Writes a character and returns how many bytes it takes. */
static inline size_t hwri_utf8_write(char *bytes, uint32_t c) {
    size_t size = hwri_utf8_size(c);
    switch (size) {
    case 1: bytes[0] = (char)c; return 1;
    case 2: bytes[0] = (char)(0xC0 | c >> 6); break;
    case 3:
        bytes[0] = (char)(0xE0 | c >> 12);
        bytes[1] = (char)(0x80 | (c >> 6 & 0x3F));
        break;
    default:
        bytes[0] = (char)(0xF0 | c >> 18);
        bytes[1] = (char)(0x80 | (c >> 12 & 0x3F));
        bytes[2] = (char)(0x80 | (c >> 6 & 0x3F));
    }
    bytes[size - 1] = (char)(0x80 | (c & 0x3F));
    return size;
}

#endif
