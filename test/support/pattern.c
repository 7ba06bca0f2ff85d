#include "support/pattern.h"

#include <string.h>

static uint64_t word_at(uint64_t seed, size_t offset) {
    return (seed * 0x9e3779b97f4a7c15u) ^ (offset * 0xd6e8feb86659fd93u) ^ 0xa5a5a5a5a5a5a5a5u;
}

/* Calls for each stretch of words that the pattern covers: [0, end) whole, or both ends and single words between. */
typedef bool (*stretch_visitor)(unsigned char *block, size_t from, size_t to, uint64_t seed);

static bool for_each_stretch(unsigned char *block, size_t filled, uint64_t seed, size_t size, stretch_visitor visit) {
    if (filled <= PATTERN_WHOLE) return visit(block, 0, size, seed);
    size_t step = filled / PATTERN_WORDS & ~(size_t)7;
    size_t tail = (filled - PATTERN_END) & ~(size_t)7;
    if (!visit(block, 0, size < PATTERN_END ? size : PATTERN_END, seed)) return false;
    for (size_t offset = PATTERN_END; offset + 8 <= tail && offset + 8 <= size; offset += step)
        if (!visit(block, offset, offset + 8, seed)) return false;
    return size <= tail || visit(block, tail, size, seed);
}

static bool fill_stretch(unsigned char *block, size_t from, size_t to, uint64_t seed) {
    size_t offset = from;
    for (; offset + 8 <= to; offset += 8) {
        uint64_t word = word_at(seed, offset);
        memcpy(block + offset, &word, sizeof word);
    }
    uint64_t last = word_at(seed, offset);
    if (offset < to) memcpy(block + offset, &last, to - offset);
    return true;
}

static bool check_stretch(unsigned char *block, size_t from, size_t to, uint64_t seed) {
    size_t offset = from;
    for (; offset + 8 <= to; offset += 8) {
        uint64_t word;
        memcpy(&word, block + offset, sizeof word);
        if (word != word_at(seed, offset)) return false;
    }
    uint64_t last = word_at(seed, offset);
    return offset >= to || memcmp(block + offset, &last, to - offset) == 0;
}

void pattern_fill(void *block, size_t size, uint64_t seed) { for_each_stretch(block, size, seed, size, fill_stretch); }

bool pattern_holds(const void *block, size_t size, size_t filled, uint64_t seed) {
    return for_each_stretch((unsigned char *)(uintptr_t)block, filled, seed, size, check_stretch);
}

bool pattern_is_zero(const void *block, size_t size) {
    static const unsigned char zeros[4096];
    const unsigned char *bytes = block;
    for (size_t offset = 0; offset < size; offset += sizeof zeros) {
        size_t length = size - offset < sizeof zeros ? size - offset : sizeof zeros;
        if (memcmp(bytes + offset, zeros, length) != 0) return false;
    }
    return true;
}
