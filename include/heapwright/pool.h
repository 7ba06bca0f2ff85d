/* pool: an allocator of blocks, over chunks from raw.
 *
 * A pool is an instance. Small blocks come from pages of one size class each, every page with a free list of its own, so that
 * what is allocated together lies together however it was freed; blocks from other threads come home on a second list, and
 * the design owes its shape to mimalloc (Leijen, Zorn, de Moura: "Mimalloc: Free List Sharding in Action", 2019) and to
 * CPython's obmalloc. Large blocks take whole runs of slices, huge ones a reservation each. Memory that stays free for
 * a while is given back.
 *
 * Thread rule: a pool opened with `shared` may be used by any number of threads at once, and a block may be freed by any of
 * them. Any other pool is used by one thread at a time, under whatever lock the caller has (an interpreter's, say), and executes
 * no atomic instruction. open and close overlap with nothing. After fork the child may go on using a shared pool.
 */
#ifndef HEAPWRIGHT_POOL_H
#define HEAPWRIGHT_POOL_H

#include "base.h"
#include "raw.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hwr_pool hwr_pool;

/* All fields but the first may be zero. The granularity, 8 or 16 bytes (0: 16), is the distance of the smallest size classes and the
 * alignment of every block. Memory that was free for give_back_ms milliseconds (0: 250) is given back. From huge_pages_from bytes on
 * (0: 256 MiB; SIZE_MAX: never) the pool asks the system for huge pages while it grows fast, which makes it faster and up to 2 MiB larger. */
typedef struct hwr_pool_options {
    size_t size;  /* sizeof(hwr_pool_options), so that fields can be added */
    hwr_raw *raw; /* where chunks come from; NULL: the system, opened and closed with the pool */
    unsigned granularity;
    bool shared;  /* several threads use it at once */
    bool checked; /* find double frees, foreign pointers, overflows and writes after free; much slower */
    uint32_t give_back_ms;
    size_t huge_pages_from;
} hwr_pool_options;

/* Opens a pool. NULL options mean: the system, granularity 16, one thread, not checked. Returns NULL when the options make no sense
 * or when there is no memory. */
HWR_API hwr_pool *hwr_pool_open(const hwr_pool_options *options);

/* Gives back all memory of the pool; its blocks end with it. A checked pool first checks every block. NULL is allowed. */
HWR_API void hwr_pool_close(hwr_pool *pool);

/* A block of at least `size` bytes, aligned to the granularity (16 if it is larger than 8 bytes at granularity 16). Zero bytes give
 * a block of its own too. Content is arbitrary. Returns NULL without memory, at the limit of the raw allocator, and for sizes
 * above PTRDIFF_MAX. */
HWR_API void *hwr_pool_alloc(hwr_pool *pool, size_t size);

/* The same with content zero; `count` items of `item_size` bytes. NULL also if the product overflows. */
HWR_API void *hwr_pool_alloc_zeroed(hwr_pool *pool, size_t count, size_t item_size);

/* The same at a multiple of `alignment`, a power of two of at most 16 MiB; NULL if it is not. */
HWR_API void *hwr_pool_alloc_aligned(hwr_pool *pool, size_t size, size_t alignment);

/* Changes a block's size, in place where it can be, and keeps the content up to the smaller size. A NULL block is allocated.
 * Returns the block, perhaps elsewhere; NULL without memory, and then the old block is untouched. A size of zero
 * gives a small block and does not free. An alignment asked for earlier is kept only in place. */
HWR_API void *hwr_pool_realloc(hwr_pool *pool, void *block, size_t size);

/* Frees a block. NULL is allowed. A pointer that lies in no page of the pool aborts with a message; other misuse is
 * detected by a checked pool (docs/architecture.md has the table of what is found when). */
HWR_API void hwr_pool_free(hwr_pool *pool, void *block);

/* The number of bytes that may be used at a block of this pool: at least what was asked for. In a checked pool exactly that. */
HWR_API size_t hwr_pool_usable_size(hwr_pool *pool, const void *block);

/* The block that `address` points to or into, if that is a block of this pool which is not free: returns its start and puts the usable
 * size in *size (which may be NULL). Otherwise NULL. Any address may be asked about; nothing outside the pool is read. Costs a
 * walk over one page's free list. No other thread may use the pool meanwhile. */
HWR_API void *hwr_pool_find(hwr_pool *pool, const void *address, size_t *size);

/* Whether `address` lies in memory that the pool holds now, allocated or not. Constant time, never faults. */
HWR_API bool hwr_pool_owns(hwr_pool *pool, const void *address);

/* Calls `visit` for every block that is not free, in address order within a page; stops when it returns false. `visit` must not use
 * the pool. Returns false if it was stopped. No other thread may use the pool meanwhile. */
typedef bool (*hwr_pool_visitor)(void *context, void *block, size_t usable_size);
HWR_API bool hwr_pool_walk(hwr_pool *pool, hwr_pool_visitor visit, void *context);

/* What the pool holds. Bytes unless said. In a shared pool the figures of other threads may be a moment old. */
typedef struct hwr_pool_stats {
    size_t blocks;         /* blocks in use: a number */
    size_t bytes;          /* usable bytes of these */
    size_t page_bytes;     /* bytes of the pages that hold them, free blocks and tails included */
    size_t committed;      /* memory that the pool has from raw, its own bookkeeping included */
    size_t peak_committed; /* the most it had */
    size_t given_back;     /* free memory given back to the system so far */
    size_t large_blocks;   /* how many of `blocks` have pages of their own */
    size_t large_bytes;    /* usable bytes of those */
} hwr_pool_stats;
HWR_API void hwr_pool_get_stats(hwr_pool *pool, hwr_pool_stats *stats);

/* One size class. Classes are numbered from 0 upwards in order of size; returns false for a number past the last one. */
typedef struct hwr_pool_class_stats {
    size_t block_size; /* bytes of each block */
    size_t pages;      /* pages of this class now */
    size_t blocks;     /* blocks in use now */
    size_t capacity;   /* blocks that these pages have room for */
} hwr_pool_class_stats;
HWR_API bool hwr_pool_get_class_stats(hwr_pool *pool, unsigned number, hwr_pool_class_stats *stats);

/* Gives back memory that is free: what has been free for the delay, or all of it if `now`. Allocation does the former by itself from
 * time to time; a program that falls silent may call this. Returns the bytes given back. */
HWR_API size_t hwr_pool_trim(hwr_pool *pool, bool now);

/* Checks every list, count and table of the pool, and in a checked pool every block's guards. Returns true if all is well; otherwise false,
 * and *problem (which may be NULL) says what is wrong, in static storage. No other thread may use the pool meanwhile. */
HWR_API bool hwr_pool_verify(hwr_pool *pool, const char **problem);

#ifdef __cplusplus
}
#endif

#endif
