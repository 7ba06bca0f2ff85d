/* The page: a run of slices that holds blocks of one size, and everything that is known about it. */
#ifndef HWRI_POOL_PAGE_H
#define HWRI_POOL_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct hwri_block {
    struct hwri_block *next;
} hwri_block;

typedef enum hwri_page_state {
    HWRI_PAGE_UNUSED, /* describes no memory: its slices are free, or belong to the page before */
    HWRI_PAGE_LISTED, /* in its class's queue: blocks are allocated from it, or will be */
    HWRI_PAGE_FULL,   /* in its class's list of full pages: waiting for enough frees */
    HWRI_PAGE_ORPHAN, /* its thread has ended: in the pool's list, waiting for another thread */
    HWRI_PAGE_LARGE   /* one block, allocated straight from the chunk; in no list */
} hwri_page_state;

/* Kept apart from the blocks, so that a stray write into a block does not destroy it, and so that looking at it touches no
 * memory of the program's. It has two cache lines: the first belongs to the owning thread alone, the second to everybody.
 *
 * The blocks of a page are: those in use; those in `free`; those in `remote`, freed by other threads, which count as in use until the
 * owner takes them; and those from `carved` to `capacity`, never handed out and not in any list yet.
 *
 * A collector keeps what it knows about the objects of a page beside it: `side` is memory that comes with the slices and reads as zero when the page
 * is made, `table` leads to more.
 *
 * `until` makes one decrement and test enough for freeing: it is the number of frees after which something has to be done.
 * While LISTED that is the number of blocks in use, with HWRI_PAGE_KEPT added in the one page of each class that stays even when empty
 * (so that a program that allocates and frees one block does not make and unmake a page each time). While FULL it is the number of
 * blocks still to be freed before the page is worth listing again, which starts from hwri_page_wait; the rest of the arithmetic is in
 * hwri_page_used. */
typedef struct hwri_page {
    hwri_block *free;
    uint32_t until;
    uintptr_t thread; /* token of the owning thread; 0: none, and every free goes to `remote` */
    char *start;
    struct hwri_page *next;
    char *side;          /* what the pool's user keeps about this page: side_size bytes for each of its slices */
    uint32_t block_size; /* 0 for LARGE, see large_size */
    uint32_t capacity;   /* blocks that fit */
    uint32_t carved;     /* blocks that have ever been in use or in `free` */
    uint16_t class_number;
    uint8_t state; /* hwri_page_state */
    bool zeroed;   /* the memory read as zero when the page was made */

    _Alignas(64) uintptr_t remote; /* blocks freed by others: see hwri_remote_... */
    struct hwri_page *previous;
    struct hwri_chunk *chunk;
    struct hwri_local *local; /* whose queues it is in; NULL: ORPHAN or LARGE */
    size_t large_size;        /* LARGE: bytes of the block; 0 otherwise */
    uint32_t slices;
    uintptr_t table; /* 0 when the page is made; then the pool's user's */
} hwri_page;

#define HWRI_PAGE_KEPT ((uint32_t)1 << 31)

/* The remote list is one word, so that a thread adds a block by one compare-and-exchange and the owner takes all of them, with
 * their number, by one exchange and without walking them: the low bits count the blocks, the rest is the distance of the first
 * block from the start of the page in units of 8 bytes, plus 1. Zero: none. */
#if UINTPTR_MAX > 0xffffffffu
enum { HWRI_REMOTE_COUNT_BITS = 32 };
#else
enum { HWRI_REMOTE_COUNT_BITS = 14 };
#endif
#define HWRI_REMOTE_COUNT_MASK (((uintptr_t)1 << HWRI_REMOTE_COUNT_BITS) - 1)

static inline uint32_t hwri_remote_count(uintptr_t remote) { return (uint32_t)(remote & HWRI_REMOTE_COUNT_MASK); }

static inline hwri_block *hwri_remote_first(const hwri_page *page, uintptr_t remote) {
    uintptr_t distance = remote >> HWRI_REMOTE_COUNT_BITS;
    return distance ? (hwri_block *)(void *)(page->start + (distance - 1) * 8) : NULL;
}

static inline uintptr_t hwri_remote_with(const hwri_page *page, uintptr_t remote, const hwri_block *block) {
    uintptr_t distance = (uintptr_t)((const char *)block - page->start) / 8 + 1;
    return (distance << HWRI_REMOTE_COUNT_BITS) | (hwri_remote_count(remote) + 1);
}

/* How many blocks of a full page must be freed before it is listed again: not every single one is worth it. */
enum { HWRI_RELIST_FRACTION = 8 };
static inline uint32_t hwri_page_wait(const hwri_page *page) {
    return page->capacity / HWRI_RELIST_FRACTION ? page->capacity / HWRI_RELIST_FRACTION : 1;
}

static inline size_t hwri_page_block_size(const hwri_page *page) {
    return page->large_size ? page->large_size : page->block_size;
}

/* Blocks that may hold something: all others have never been handed out. */
static inline size_t hwri_blocks_in(const hwri_page *page) { return page->large_size ? 1 : page->carved; }

#endif
