#include "pool/checked.h"

#include <string.h>

#include "pool/inline.h"
#include "pool/misuse.h"

enum {
    GUARD_BYTE = 0xFD, /* around a block; the values are those of CPython's debug allocator */
    NEW_BYTE = 0xCD,   /* in it, before it is written */
    DEAD_BYTE = 0xDD,  /* in it, after it was freed */
    TAIL_LEAST = 8,
    QUARANTINE_BLOCKS = 1024,
    QUARANTINE_BYTES = 256 << 10
};

/* A block of a checked pool is a block of the ordinary pool that holds, in this order: unused space (only if a large alignment was asked
 * for), this header, the user's bytes, and guard bytes to its end, at least TAIL_LEAST. `state` is one of two numbers that
 * do not occur by chance, and `offset` is the distance from the start of the underlying block to the user's bytes: together
 * they tell a pointer to a block from one into the middle of it. The header outlives the block until its memory is used again, so a
 * second free is found as long as that has not happened. 48 bytes, whatever the platform, so that alignment to 16 is kept. */
typedef struct guard {
    void *link; /* left to the free lists of the ordinary pool */
    const void *site;
    size_t size;
    uint32_t state, offset;
    unsigned char front[48 - 3 * sizeof(void *) - 8];
} guard;
_Static_assert(sizeof(guard) == 48, "the user's bytes follow the header at a multiple of 16");

/* Distance of the user's bytes from the start of the underlying block: room for the header, and a multiple of the alignment. */
static size_t offset_for(size_t alignment) {
    size_t offset = 64;
    if (alignment <= 16) return sizeof(guard);
    while (offset < alignment) offset *= 2;
    return offset;
}

enum { LIVE = 0x4c495645, DEAD = 0x44454144 };

/* Freed blocks wait here, first in, first out, so that a write after free meets the fill and not somebody else's data: as many as
 * there are places and QUARANTINE_BYTES allow. */
typedef struct hwri_quarantine {
    hwri_mutex lock;
    hwri_fork_lock fork_lock;
    size_t next, count, bytes; /* the place for the next one; how many wait, and their sizes added up */
    hwr_pool_stats live;       /* the user's blocks: blocks, bytes, large_blocks, large_bytes; the rest is not used */
    guard *waiting[QUARANTINE_BLOCKS];
} hwri_quarantine;

bool hwri_checked_open(hwr_pool *pool) {
    size_t size = hwri_in_pages(pool, sizeof(hwri_quarantine));
    hwri_quarantine *q = hwr_raw_reserve(pool->raw, size, 0);
    if (!q) return false;
    if (!hwr_raw_commit(pool->raw, q, size)) {
        hwr_raw_release(pool->raw, q, size, 0);
        return false;
    }
    memset(q, 0, sizeof *q);
    hwri_mutex_init(&q->lock);
    q->fork_lock = (hwri_fork_lock){.mutex = &q->lock, .rank = HWRI_RANK_POOL};
    if (!hwri_fork_register(&q->fork_lock)) {
        hwr_raw_release(pool->raw, q, size, size);
        return false;
    }
    hwri_pool_count_committed(pool, size, 0);
    pool->quarantine = q;
    return true;
}

static unsigned char *user_bytes(const guard *g) { return (unsigned char *)(uintptr_t)(g + 1); }
static void *inner_of(const guard *g) { return user_bytes(g) - g->offset; }

static bool all(const unsigned char *bytes, size_t count, unsigned char value) {
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != value) return false;
    return true;
}

/* How one call looks at one block: what is needed to report what it finds. */
typedef struct look {
    const char *call;
    const void *site;
} look;

_Noreturn static void report(const char *what, const void *address, const guard *g, look by) {
    hwri_misuse m = {.what = what, .call = by.call, .address = address, .called_by = by.site};
    if (g) {
        m.size = g->size;
        m.allocated_by = g->site;
    }
    hwri_misuse_abort(&m);
}

/* What is wrong with a block, or NULL. */
static const char *damage(const guard *g, size_t inner_size) {
    const unsigned char *user = user_bytes(g);
    if (g->state == DEAD) return all(user, g->size, DEAD_BYTE) ? NULL : "write after free";
    if (!all(g->front, sizeof g->front, GUARD_BYTE)) return "write before the start of the block";
    if (g->size > inner_size - g->offset || !all(user + g->size, inner_size - g->offset - g->size, GUARD_BYTE))
        return "write past the end of the block";
    return NULL;
}

static void check(const guard *g, size_t inner_size, look by) {
    const char *found = damage(g, inner_size);
    if (found) report(found, user_bytes(g), g, by);
}

/* The header of the block that is laid out in `inner`, live or dead; NULL if there is none. */
static guard *guard_in(void *inner, size_t inner_size) {
    for (size_t offset = sizeof(guard); offset + TAIL_LEAST <= inner_size;
         offset = offset == sizeof(guard) ? 64 : offset * 2) {
        guard *g = (guard *)(void *)((char *)inner + offset) - 1;
        if ((g->state == LIVE || g->state == DEAD) && g->offset == offset) return g;
    }
    return NULL;
}

void *hwri_checked_visible(void *inner, size_t inner_size, size_t *size) {
    guard *g = guard_in(inner, inner_size);
    if (!g || g->state != LIVE) return NULL;
    *size = g->size;
    return user_bytes(g);
}

const char *hwri_checked_problem(void *inner, size_t inner_size) {
    guard *g = guard_in(inner, inner_size);
    return g ? damage(g, inner_size) : NULL;
}

/* The start and size of the underlying block that an address lies in; NULL if that was never a block. */
static void *inner_at(hwr_pool *pool, const void *address, size_t *inner_size) {
    hwri_page *page = hwri_page_of(pool, address);
    if (!page) return NULL;
    *inner_size = hwri_page_block_size(page);
    size_t index = (size_t)((const char *)address - page->start) / *inner_size;
    bool was_block = page->large_size || index < hwri_load_relaxed(&page->carved);
    return was_block ? page->start + index * *inner_size : NULL;
}

/* The header of a block that the user passes, which must be live and undamaged. */
static guard *live_guard(hwr_pool *pool, const void *block, size_t *inner_size, look by) {
    void *inner = inner_at(pool, block, inner_size);
    if (!inner) report("not a block of this pool", block, NULL, by);
    guard *g = guard_in(inner, *inner_size);
    if (!g) report("write before the start of the block, or not the start of a block", block, NULL, by);
    if (user_bytes(g) != block) report("not the start of a block but inside one", block, g, by);
    if (g->state == DEAD)
        report(strcmp(by.call, "hwr_pool_free") == 0 ? "double free" : "use after free", block, g, by);
    check(g, *inner_size, by);
    return g;
}

/* Counts a block of the user's in (sign 1) or out (-1). */
static void count_live(hwri_quarantine *q, size_t size, bool large, int sign) {
    hwri_mutex_lock(&q->lock);
    q->live.blocks += (size_t)sign;
    q->live.bytes += (size_t)sign * size;
    if (large) {
        q->live.large_blocks += (size_t)sign;
        q->live.large_bytes += (size_t)sign * size;
    }
    hwri_mutex_unlock(&q->lock);
}

void hwri_checked_count(hwr_pool *pool, hwr_pool_stats *stats) {
    hwri_quarantine *q = pool->quarantine;
    hwri_mutex_lock(&q->lock);
    stats->blocks = q->live.blocks;
    stats->bytes = q->live.bytes;
    stats->large_blocks = q->live.large_blocks;
    stats->large_bytes = q->live.large_bytes;
    hwri_mutex_unlock(&q->lock);
}

void *hwri_checked_alloc(hwr_pool *pool, size_t size, size_t alignment, bool zero, const void *site) {
    size_t offset = offset_for(alignment);
    if (size > (size_t)PTRDIFF_MAX - offset - TAIL_LEAST) return NULL;
    void *inner = hwri_pool_alloc_at(pool, size + offset + TAIL_LEAST, alignment);
    if (!inner) return NULL;
    hwri_page *page = hwri_page_of(pool, inner);
    size_t inner_size = hwri_page_block_size(page);
    guard *earlier = page->large_size ? NULL : guard_in(inner, inner_size);
    if (earlier) check(earlier, inner_size, (look){"hwr_pool_alloc", site});
    memset(inner, 0, offset); /* no header of an earlier life at another offset */
    guard *g = (guard *)(void *)((char *)inner + offset) - 1;
    *g = (guard){.site = site, .size = size, .state = LIVE, .offset = (uint32_t)offset};
    memset(g->front, GUARD_BYTE, sizeof g->front);
    memset(user_bytes(g), zero ? 0 : NEW_BYTE, size);
    memset(user_bytes(g) + size, GUARD_BYTE, inner_size - offset - size);
    count_live(pool->quarantine, size, page->large_size != 0, 1);
    return user_bytes(g);
}

/* The block that has waited longest, if there are too many, otherwise NULL. */
static guard *overdue(hwri_quarantine *q) {
    hwri_mutex_lock(&q->lock);
    guard *oldest = NULL;
    if (q->count == QUARANTINE_BLOCKS || q->bytes > QUARANTINE_BYTES) {
        oldest = q->waiting[(q->next + QUARANTINE_BLOCKS - q->count) % QUARANTINE_BLOCKS];
        q->count--;
        q->bytes -= oldest->size;
    }
    hwri_mutex_unlock(&q->lock);
    return oldest;
}

static bool join(hwri_quarantine *q, guard *g) {
    hwri_mutex_lock(&q->lock);
    bool room = q->count < QUARANTINE_BLOCKS;
    if (room) {
        q->waiting[q->next] = g;
        q->next = (q->next + 1) % QUARANTINE_BLOCKS;
        q->count++;
        q->bytes += g->size;
    }
    hwri_mutex_unlock(&q->lock);
    return room;
}

static void retire(hwr_pool *pool, guard *g, look by) {
    void *inner = inner_of(g);
    hwri_page *page = hwri_page_of(pool, inner);
    check(g, hwri_page_block_size(page), by);
    hwri_page_free(pool, page, inner, pool->shared);
}

void hwri_checked_free(hwr_pool *pool, void *block, const void *site) {
    look by = {"hwr_pool_free", site};
    size_t inner_size;
    guard *g = live_guard(pool, block, &inner_size, by);
    count_live(pool->quarantine, g->size, hwri_page_of(pool, block)->large_size != 0, -1);
    g->state = DEAD;
    memset(block, DEAD_BYTE, g->size);
    if (!join(pool->quarantine, g)) retire(pool, g, by); /* other threads filled it meanwhile */
    for (guard *oldest; (oldest = overdue(pool->quarantine)) != NULL;) retire(pool, oldest, by);
}

void *hwri_checked_realloc(hwr_pool *pool, void *block, size_t size, const void *site) {
    size_t inner_size;
    guard *g = live_guard(pool, block, &inner_size, (look){"hwr_pool_realloc", site});
    void *moved = hwri_checked_alloc(pool, size, 0, false, site);
    if (!moved) return NULL;
    memcpy(moved, block, size < g->size ? size : g->size);
    hwri_checked_free(pool, block, site);
    return moved;
}

size_t hwri_checked_usable_size(hwr_pool *pool, const void *block, const void *site) {
    size_t inner_size;
    return live_guard(pool, block, &inner_size, (look){"hwr_pool_usable_size", site})->size;
}

static bool check_at_close(void *unused, void *inner, size_t inner_size) {
    (void)unused;
    guard *g = guard_in(inner, inner_size);
    if (g) check(g, inner_size, (look){"hwr_pool_close", NULL});
    return true;
}

void hwri_checked_close(hwr_pool *pool) {
    hwri_walk(pool, check_at_close, NULL);
    hwri_quarantine *q = pool->quarantine;
    size_t size = hwri_in_pages(pool, sizeof *q);
    hwri_fork_unregister(&q->fork_lock);
    hwri_mutex_destroy(&q->lock);
    hwr_raw_release(pool->raw, q, size, size);
    hwri_pool_count_committed(pool, 0, size);
    pool->quarantine = NULL;
}
