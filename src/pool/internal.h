/* The structures of a pool and the functions that its files share. Which file does what:
 *   pool.c     opening and closing
 *   chunk.c    slices: runs of them for pages, memory given back
 *   page.c     the life of a page of small blocks; slow paths of allocation and freeing
 *   local.c    a thread's part of a shared pool: first use, end, fork, orphans
 *   large.c    blocks with a page of their own
 *   block.c    the public calls on blocks
 *   checked.c  the same in a checked pool
 *   inspect.c  find, walk, statistics
 *   verify.c   verification
 *   free_map.c which blocks of a page are free, and sorting them
 *   misuse.c   the message that ends a program that misused a pool
 */
#ifndef HWRI_POOL_INTERNAL_H
#define HWRI_POOL_INTERNAL_H

#include "heapwright/pool.h"
#include "pool/page.h"
#include "pool/size_class.h"
#include "raw/atomic.h"
#include "raw/thread.h"

/* A page list: doubly linked through next and previous, from first to last. */
typedef struct hwri_page_list {
    hwri_page *first, *last;
} hwri_page_list;

/* Blocks of up to this many bytes find their page by one table look-up, 8 bytes to an entry. */
enum { HWRI_DIRECT_BYTES = 1024, HWRI_DIRECT_ENTRIES = HWRI_DIRECT_BYTES / 8 + 1 };

/* One thread's part of a pool (all of it, in a pool that is not shared): for each class the pages with room, the first of which
 * serves allocation, and the full ones, those longest full first. A class that is rarely used has no page but borrows blocks from larger
 * classes, until `borrowed` (the bytes wasted by that) exceeds what a page would cost. direct[(size + 7) / 8] is always the first page with room of the class
 * for that size, or hwri_no_page, so that allocation needs no class at all. About 11 KiB, of which a program touches what it
 * uses. A local of a shared pool is made at a
 * thread's first allocation, outlives the thread, and is taken over by a later one. */
typedef struct hwri_local {
    hwri_page *direct[HWRI_DIRECT_ENTRIES];
    struct {
        hwri_page_list listed, full;
        uint32_t pages; /* in both lists */
        uint32_t borrowed;
    } classes[HWRI_CLASSES];
    hwri_page *kept; /* the only empty page of few blocks that is kept; NULL: none */
    hwr_pool *pool;
    uintptr_t thread; /* token; 0: the thread has ended (or the pool is not shared) */
    struct hwri_local *next;
    hwri_attachment attachment;
} hwri_local;

enum { HWRI_CHUNK_SLICES = 512, HWRI_CHUNK_WORDS = HWRI_CHUNK_SLICES / 64 };

/* A chunk: one reservation, divided into slices. Bit i of the maps stands for slice i: `used`: part of a page; `committed`:
 * has memory; `aged` (never together with used): was free already when the pool last looked, so it is given back when it looks again.
 * A huge block has a chunk to itself, with one page over all its slices and the bit maps not used.
 * The description lies in a reservation of its own: a stray write in a block cannot hit it. */
typedef struct hwri_chunk {
    char *base;
    uint32_t slices;
    uint32_t free_slices;
    bool huge;
    bool in_window;        /* the pool's map covers all of it */
    uint32_t considered;   /* slices for which it has been decided whether to ask for huge pages */
    bool hinted;           /* they were asked for */
    size_t size;           /* bytes reserved at base */
    size_t described_size; /* bytes reserved (and committed) for this description */
    uint64_t used[HWRI_CHUNK_WORDS];
    uint64_t committed[HWRI_CHUNK_WORDS];
    uint64_t aged[HWRI_CHUNK_WORDS];
    uint64_t flagged[HWRI_CHUNK_WORDS]; /* the pool's user wants to look at the pages that begin here */
    char *sides;                        /* side_size bytes for each slice; see hwri_page */
    _Alignas(128) hwri_page pages[];    /* pages[i] describes the page that begins at slice i */
} hwri_chunk;

enum {
    HWRI_SLICE_SHIFT = 16, /* a slice is 64 KiB, except in a small buffer */
    HWRI_TLS_SLOTS = 8,
    HWRI_FIRST_CHUNKS = 4,
    HWRI_MAP_SLICES = 1 << 20, /* at most: 64 GiB of addresses at 64 KiB a slice */
    HWRI_MAP_PAGES = HWRI_MAP_SLICES * 8 / 4096
};

/* A pool.
 *
 * From an address to its page: `map` has an entry for each slice of a window of addresses, NULL where the pool has no page. Over the
 * system the window is 64 GiB wide (addresses, not memory) with the first chunk in its middle, and chunks nearly always come to lie
 * inside; those that do not are found by a search in `chunks`, under the lock. So looking up an address takes a subtraction,
 * a comparison and one load, reads nothing but the pool's own table, and cannot fault. `quick_slices` is what the hot
 * paths compare with: the size of the map, or 0 where they must not take the short way (slices of another size than
 * HWRI_SLICE_SHIFT says; guards around the blocks).
 *
 * In a shared pool `lock` guards the chunks, the orphans, the list of locals and the clock; a page's own fields belong to its
 * owner. In one that is not shared there is one local, `own`, and nobody takes the lock; in a shared one that is the local of its first thread. */
struct hwr_pool {
    uintptr_t window; /* lowest address that the map covers */
    uintptr_t quick_slices;
    uint64_t quick_id;    /* the id of a shared pool that is not checked; otherwise one that no pool has */
    uint64_t id;          /* never that of another pool of this process, not even of one that was closed */
    uintptr_t tls_offset; /* bytes from hwri_tls_base to the pool's entry in hwri_tls */
    hwri_local own;
    bool shared;
    bool checked;
    bool owns_raw;
    unsigned slice_shift;
    unsigned granule_shift;
    unsigned class_count;
    hwr_raw *raw;
    hwri_mutex lock;
    hwri_fork_lock fork_lock;
    hwri_chunk **chunks; /* sorted by base; `first_chunks` while they have room there */
    size_t chunk_count, chunk_room;
    hwri_chunk *first_chunks[HWRI_FIRST_CHUNKS];
    size_t far_chunks;   /* how many of them lie outside the window */
    size_t chunk_size;   /* bytes of an ordinary one, at most */
    size_t page_slices;  /* a page of blocks that share it has no more than these */
    size_t large_slices; /* a block of more slices is huge */
    size_t grown_slices; /* and so is a block of more than this many once it has outgrown its place */
    hwri_local *locals;
    hwri_page_list orphans[HWRI_CLASSES];
    size_t side_size; /* bytes for each slice, a multiple of 8, that the pool keeps for its user */
    void (*page_ends)(void *user, hwri_page *page); /* called for a page with a table */
    void *user;
    size_t huge_from;       /* bytes committed from which huge pages are asked for */
    uint64_t stretch_begun; /* when that was last decided; 0: never */
    uint64_t delay;         /* nanoseconds that slices stay free before they are given back */
    uint64_t next_look;     /* when to age and give back free slices; 0: there is nothing to do */
    uint64_t last_return;   /* when a slice was last made free */
    size_t committed, peak_committed, given_back;
    struct hwri_quarantine *quarantine; /* checked pools only */
    size_t size;                        /* bytes reserved for this structure and its map */
    bool whole; /* all of that has memory; otherwise its pages have, whose bits are set in has_memory */
    uint64_t has_memory[HWRI_MAP_PAGES / 64 + 1];
    uintptr_t map_slices;
    hwri_page *map[];
};

extern const hwri_page hwri_no_page;

static inline void hwri_pool_lock(hwr_pool *pool) {
    if (pool->shared) hwri_mutex_lock(&pool->lock);
}
static inline void hwri_pool_unlock(hwr_pool *pool) {
    if (pool->shared) hwri_mutex_unlock(&pool->lock);
}

/* A change of one of a page's counters by its owner; returns the new value. */
static inline uint32_t hwri_count(uint32_t *counter, uint32_t change, bool shared) {
    if (!shared) return *counter += change;
    uint32_t value = hwri_load_relaxed(counter) + change;
    hwri_store_relaxed(counter, value);
    return value;
}

/* Bytes reserved for the table of chunks. */
static inline size_t hwri_chunks_size(const hwr_pool *pool) {
    return pool->chunk_room > HWRI_FIRST_CHUNKS ? pool->chunk_room * sizeof *pool->chunks : 0;
}

/* Bytes of system pages that hold `size` bytes. */
static inline size_t hwri_in_pages(const hwr_pool *pool, size_t size) {
    size_t page = hwr_raw_page_size(pool->raw);
    return (size + page - 1) & ~(page - 1);
}

static inline size_t hwri_slice_size(const hwr_pool *pool) { return (size_t)1 << pool->slice_shift; }

/* Blocks in use, those in `remote` included. Another thread than the owner gets a figure that was right a moment ago. */
static inline uint32_t hwri_page_used(const hwri_page *page) {
    uint8_t state;
    uint32_t until;
    do {
        state = hwri_load_relaxed(&page->state);
        until = hwri_load_relaxed(&page->until);
    } while (state != hwri_load_relaxed(&page->state));
    switch (state) {
    case HWRI_PAGE_LISTED: return until & ~HWRI_PAGE_KEPT;
    case HWRI_PAGE_FULL: return page->capacity - (hwri_page_wait(page) - until);
    case HWRI_PAGE_ORPHAN: return until;
    case HWRI_PAGE_LARGE: return 1;
    default: return 0;
    }
}

static inline void hwri_list_add_last(hwri_page_list *list, hwri_page *page) {
    page->next = NULL;
    page->previous = list->last;
    *(list->last ? &list->last->next : &list->first) = page;
    list->last = page;
}
static inline void hwri_list_add_first(hwri_page_list *list, hwri_page *page) {
    page->previous = NULL;
    page->next = list->first;
    *(list->first ? &list->first->previous : &list->last) = page;
    list->first = page;
}
static inline void hwri_list_remove(hwri_page_list *list, hwri_page *page) {
    *(page->previous ? &page->previous->next : &list->first) = page->next;
    *(page->next ? &page->next->previous : &list->last) = page->previous;
    page->next = page->previous = NULL;
}

/* pool.c. A pool that keeps `side_size` bytes, a multiple of 8, for each slice. */
hwr_pool *hwri_pool_open(const hwr_pool_options *options, size_t side_size);

/* chunk.c. All are called with the lock held; those that return memory return NULL without. */
hwri_chunk *hwri_chunk_new(hwr_pool *pool, size_t slices, bool huge, size_t alignment);
void hwri_chunk_free(hwr_pool *pool, hwri_chunk *chunk);
void hwri_chunk_publish(hwr_pool *pool, hwri_page *page);               /* a huge page, into the map */
bool hwri_chunk_resize(hwr_pool *pool, hwri_page *page, size_t slices); /* a huge one; it may move */
hwri_page *hwri_slices_take(hwr_pool *pool, size_t count, size_t alignment,
                            bool clean); /* clean: rather without memory */
bool hwri_slices_extend(hwr_pool *pool, hwri_page *page, size_t count);
void hwri_slices_return(hwr_pool *pool, hwri_page *page, size_t keep);
void hwri_chunks_look(hwr_pool *pool, bool now);
void hwri_pool_count_committed(hwr_pool *pool, size_t more, size_t less);

/* page.c. A NULL local means that of the calling thread. */
void *hwri_page_alloc_slow(hwr_pool *pool, hwri_local *local, size_t size);
void *hwri_page_alloc_exact(hwr_pool *pool, hwri_local *local, unsigned class_number); /* not from a larger class */
void hwri_page_free_event(hwr_pool *pool, hwri_page *page);
/* Of a pool that is not shared: blocks of one page, linked from the first to the one that holds `end`; and all that are in use. */
void hwri_page_free_chain(hwr_pool *pool, hwri_page *page, hwri_block *first, hwri_block **end, uint32_t count);
void hwri_page_free_all(hwr_pool *pool, hwri_page *page);
void hwri_page_free_remote(hwr_pool *pool, hwri_page *page, hwri_block *block);
uint32_t hwri_page_collect_remote(hwri_page *page);
void hwri_local_trim(hwr_pool *pool, hwri_local *local);
void hwri_orphans_sweep(hwr_pool *pool);

/* local.c */
typedef struct hwri_tls_entry {
    uint64_t pool_id;
    hwri_local *local;
} hwri_tls_entry;
#if HWRI_THREADS
extern HWRI_THREAD_LOCAL hwri_tls_entry hwri_tls[HWRI_TLS_SLOTS];
#endif
hwri_local *hwri_local_attach(hwr_pool *pool); /* NULL without memory */
void hwri_local_init(hwri_local *local, hwr_pool *pool);
bool hwri_locals_open(hwr_pool *pool); /* of a shared pool */
void hwri_locals_close(hwr_pool *pool);

/* large.c. Size in bytes, alignment as hwr_pool_alloc_aligned. */
hwri_page *hwri_large_new(hwr_pool *pool, size_t size, size_t alignment);
void *hwri_large_alloc(hwr_pool *pool, size_t size, size_t alignment);
void hwri_large_free(hwr_pool *pool, hwri_page *page);
void *hwri_large_resize(hwr_pool *pool, hwri_page *page, size_t size);

/* block.c. The ordinary paths, also under a checked pool's guards; see the public functions. */
void *hwri_pool_alloc_at(hwr_pool *pool, size_t size, size_t alignment);
void *hwri_pool_realloc(hwr_pool *pool, hwri_page *page, void *block, size_t size);

/* inspect.c. Like hwr_pool_walk, but over the blocks of the underlying pool if it is checked. */
bool hwri_walk(hwr_pool *pool, hwr_pool_visitor visit, void *context);
/* hwr_pool_get_class_stats for `count` classes from the one numbered `first` on, in one go through the pages; returns for how many. */
unsigned hwri_pool_count_classes(hwr_pool *pool, unsigned first, unsigned count, hwr_pool_class_stats *stats);

/* chunk.c. The page that any address lies in, or NULL, where the short way did not find it. */
hwri_page *hwri_page_of_any(hwr_pool *pool, const void *address);
hwri_page *hwri_page_of_locked(hwr_pool *pool, const void *address); /* the same with the lock held */

#endif
