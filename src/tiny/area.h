/* Areas of memory cut into blocks, for a model (model.h): which blocks are in use, finding room, taking it, and giving it back.
 *
 * Everything that is known of a block are three bits, in planes: one word of each plane, side by side, is a *cell*, and tells of as many blocks
 * as a word has bits.
 *
 *     head body watch
 *      0    0    0     free
 *      0    1    0     body: goes on what begins before it
 *      1    0    w     head: an object begins here
 *      1    1    w     marked head: one that the collection under way has reached
 *      0    w    1     grey head: reached, but there was no room to remember that what it refers to was not looked at
 *
 * `watch` of a head says that its death is noticed: there is a finalizer, or whatever the model needs. Grey heads are there only in a collection. So a
 * mark stack that overflows costs no memory, and what overflowed is found a word at a time. A model may have a fourth plane, `extra`, whose bits are zero
 * but for heads, and mean what it wants.
 *
 * An area lies in memory like this:  its header (for the first area: the heap and its mark stack) | cells | blocks. What the last cell has bits for but
 * no blocks is grey for ever: the *stop*. No object and no free run goes on there, so nothing that looks for the end of one asks for the end of the area.
 *
 * Three planes of 16-byte blocks take 2.3 % of the memory, four take 3.1 %. */
#ifndef HWRI_TINY_AREA_H
#define HWRI_TINY_AREA_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Unless a program is to be small, what every allocation and marking pass through is inlined, and objects of one block are made and freed by short ways. What
 * is SHARED is compiled once in a small program; what is APART is kept out of the short ways. */
#ifndef TINY_SHORT_WAYS
#ifdef __OPTIMIZE_SIZE__
#define TINY_SHORT_WAYS 0
#else
#define TINY_SHORT_WAYS 1
#endif
#endif
#ifdef __OPTIMIZE_SIZE__
#define TINY_INLINE static
#define TINY_SHARED __attribute__((noinline)) static
#define TINY_APART static
#else
#define TINY_INLINE __attribute__((always_inline)) static inline
#define TINY_SHARED TINY_INLINE
#define TINY_APART __attribute__((noinline)) static
#endif

typedef uintptr_t tiny_word;
enum {
    TINY_BITS = sizeof(tiny_word) * CHAR_BIT,
    TINY_BLOCK = 4 * sizeof(void *),
    TINY_WORDS = TINY_BLOCK / sizeof(void *),
    TINY_CLASSES = TINY_SMALL ? 1 : 8
};

typedef struct tiny_cell {
    tiny_word head, body, watch;
#ifdef TINY_EXTRA
    tiny_word extra;
#endif
} tiny_cell;

/* `rover[c]` is where the search for c + 1 blocks begins; the last one serves all larger numbers. What was found moves the rover of its class
 * behind it, and what is freed moves those back that it has room for, so a search passes over the same words again only if
 * others have freed in between. No grey head lies in the cells before `grey`, and none of the blocks from `limit` on is in use. */
typedef struct tiny_area {
    struct tiny_area *next;
    tiny_cell *cells;
    uintptr_t start; /* of block 0 */
    size_t blocks;
    size_t grey;
    size_t limit;
    size_t rover[TINY_CLASSES];
} tiny_area;

static inline size_t tiny_lowest(tiny_word word) {
    if (sizeof word == sizeof(unsigned)) return (unsigned)__builtin_ctz((unsigned)word);
    return (unsigned)__builtin_ctzll(word);
}

/* The ones at the top of a word that is not all ones. */
static inline size_t tiny_top_ones(tiny_word word) {
    tiny_word zeros = ~word;
    if (sizeof word == sizeof(unsigned)) return (unsigned)__builtin_clz((unsigned)zeros);
    return (unsigned)__builtin_clzll(zeros);
}

static inline unsigned tiny_ones_in(tiny_word word) {
    if (!TINY_SHORT_WAYS) {
        unsigned ones = 0;
        for (; word != 0; word &= word - 1) ones++;
        return ones;
    }
    const tiny_word all = ~(tiny_word)0;
    word -= word >> 1 & all / 3;
    word = (word & all / 5) + (word >> 2 & all / 5);
    word = (word + (word >> 4)) & all / 17;
    return (unsigned)(word * (all / 255) >> (TINY_BITS - 8));
}

/* The block that begins at an address; if none does, a number larger than any: the bits that tell of an address inside of one become the highest. */
static inline size_t tiny_block_at(const tiny_area *area, uintptr_t address) {
    uintptr_t offset = address - area->start;
    return offset / TINY_BLOCK | offset * (UINTPTR_MAX / TINY_BLOCK + 1);
}

static inline tiny_word tiny_bit(size_t block) { return (tiny_word)1 << block % TINY_BITS; }
static inline tiny_word tiny_extra_in(const tiny_cell *cell) {
#ifdef TINY_EXTRA
    return cell->extra;
#else
    return cell->head & 0;
#endif
}
static inline tiny_word tiny_free_in(const tiny_cell *cell) { return ~(cell->head | cell->body | cell->watch); }
static inline tiny_word tiny_body_in(const tiny_cell *cell) { return cell->body & ~(cell->head | cell->watch); }

/* Of the blocks from this one on: how many are free, or in use, or bodies. It need not be told of more than `enough`. The kinds are numbers
 * such that one expression serves all three. */
enum { TINY_FREE = 0, TINY_USED = 1, TINY_BODY = -2 };
TINY_INLINE size_t tiny_run(const tiny_area *area, size_t block, int kind, size_t enough) {
    size_t at = block;
    do {
        const tiny_cell *cell = &area->cells[at / TINY_BITS];
        tiny_word others = (cell->body ^ (tiny_word)(kind >> 1)) | cell->head | cell->watch;
        others ^= -(tiny_word)(kind & 1);
        others >>= at % TINY_BITS;
        if (others != 0) return at - block + tiny_lowest(others);
        at = (at | (TINY_BITS - 1)) + 1;
    } while (at - block < enough);
    return enough;
}

/* Of the object whose head is this block. */
TINY_INLINE size_t tiny_count(const tiny_area *area, size_t block) {
    return 1 + tiny_run(area, block + 1, TINY_BODY, SIZE_MAX);
}

/* Turns free blocks into bodies, or bodies into free blocks. */
TINY_INLINE void tiny_flip(tiny_area *area, size_t block, size_t count) {
    while (count > 0) {
        size_t at = block % TINY_BITS, here = count < TINY_BITS - at ? count : TINY_BITS - at;
        area->cells[block / TINY_BITS].body ^= ~(tiny_word)0 >> (TINY_BITS - here) << at;
        block += here;
        count -= here;
    }
}

/* Makes an area of what lies between two addresses, the first aligned as a word, behind a header of so many bytes, which becomes zero. Returns false, with nothing written, if not even one block has
 * room. What is not set here is zero already: `area` lies in the header, or the caller has seen to it. */
static bool tiny_area_open(tiny_area *area, uintptr_t from, size_t header, uintptr_t end) {
    uintptr_t cells = from + header;
    end -= end % TINY_BLOCK;
    size_t room = end > cells ? end - cells : 0;
    size_t planes = (room / ((size_t)TINY_BITS * TINY_BLOCK) + 1) * sizeof(tiny_cell);
    if (room < planes + TINY_BLOCK) return false;
    size_t blocks = (room - planes) / TINY_BLOCK;
    memset((void *)from, 0, header + planes); // NOLINT(performance-no-int-to-ptr)
    area->cells = (tiny_cell *)cells;         // NOLINT(performance-no-int-to-ptr)
    area->blocks = blocks;
    if (TINY_SMALL) area->limit = blocks;
    area->start = end - blocks * TINY_BLOCK;
    area->cells[blocks / TINY_BITS].watch = -tiny_bit(blocks);
    return true;
}

/* The first block of `count` free ones, from block `at` on; where there are none, one that the area does not have. The short way passes over all
 * runs that end in the cell where they begin at once: after so many shifts as it takes, ones are left where a long enough run begins. */
TINY_INLINE size_t tiny_find(const tiny_area *area, size_t at, size_t count) {
    size_t end = area->blocks;
    while (at < end) {
        if (TINY_SHORT_WAYS && count <= TINY_BITS) {
            tiny_word free = tiny_free_in(&area->cells[at / TINY_BITS]) & ~(tiny_word)0 << at % TINY_BITS,
                      starts = free;
            size_t reach = 1;
            for (; 2 * reach <= count; reach *= 2) starts &= starts >> reach;
            if (reach < count) starts &= starts >> (count - reach);
            at &= ~(size_t)(TINY_BITS - 1);
            if (starts != 0) return at + tiny_lowest(starts);
            at += TINY_BITS - (free == ~(tiny_word)0 ? (size_t)TINY_BITS : tiny_top_ones(free));
        } else {
            at += tiny_run(area, at, TINY_USED, end - at);
        }
        if (at >= end) break;
        size_t run = tiny_run(area, at, TINY_FREE, count);
        if (run >= count) return at;
        at += run;
    }
    return end;
}

#endif
