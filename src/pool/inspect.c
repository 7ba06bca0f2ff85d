/* Looking at a pool: find, walk, statistics. Nothing here changes it. */
#include <string.h>

#include "heapwright/pool.h"
#include "pool/checked.h"
#include "pool/free_map.h"
#include "pool/inline.h"

/* Calls `visit` for each page there is, until it returns false. */
typedef bool (*page_visitor)(hwr_pool *pool, hwri_page *page, void *context);

static bool each_page(hwr_pool *pool, page_visitor visit, void *context) {
    for (size_t i = 0; i < pool->chunk_count; i++) {
        hwri_chunk *chunk = pool->chunks[i];
        size_t slices = chunk->huge ? 1 : chunk->slices;
        for (size_t s = 0; s < slices; s++)
            if (hwri_load_relaxed(&chunk->pages[s].state) != HWRI_PAGE_UNUSED &&
                !visit(pool, &chunk->pages[s], context))
                return false;
    }
    return true;
}

typedef struct walk {
    hwr_pool_visitor visit;
    void *context;
} walk;

static bool walk_page(hwr_pool *pool, hwri_page *page, void *context) {
    (void)pool;
    const walk *w = context;
    if (page->state == HWRI_PAGE_LARGE) return w->visit(w->context, page->start, page->large_size);
    hwri_free_map map;
    hwri_free_map_fill(&map, page);
    for (uint32_t i = 0; i < page->carved; i++)
        if (!hwri_free_map_has(&map, i) &&
            !w->visit(w->context, page->start + (size_t)i * page->block_size, page->block_size))
            return false;
    return true;
}

bool hwri_walk(hwr_pool *pool, hwr_pool_visitor visit, void *context) {
    return each_page(pool, walk_page, &(walk){visit, context});
}

/* A checked pool shows what the user sees of each block. */
static bool visit_visible(void *context, void *inner, size_t inner_size) {
    const walk *w = context;
    size_t size;
    void *block = hwri_checked_visible(inner, inner_size, &size);
    return !block || w->visit(w->context, block, size);
}

bool hwr_pool_walk(hwr_pool *pool, hwr_pool_visitor visit, void *context) {
    if (!pool->checked) return hwri_walk(pool, visit, context);
    return hwri_walk(pool, visit_visible, &(walk){visit, context});
}

void *hwr_pool_find(hwr_pool *pool, const void *address, size_t *size) {
    hwri_page *page = hwri_page_of(pool, address);
    if (!page) return NULL;
    size_t block_size = hwri_page_block_size(page), index = (size_t)((const char *)address - page->start) / block_size;
    char *block = page->start + index * block_size;
    if (page->state != HWRI_PAGE_LARGE) {
        if (index >= page->carved) return NULL;
        hwri_free_map map;
        hwri_free_map_fill(&map, page);
        if (hwri_free_map_has(&map, (uint32_t)index)) return NULL;
    }
    if (pool->checked) {
        block = hwri_checked_visible(block, block_size, &block_size);
        if (!block || (uintptr_t)address - (uintptr_t)block >= (block_size ? block_size : 1)) return NULL;
    }
    if (size) *size = block_size;
    return block;
}

/* Blocks in use, those that others have freed not counted. The two figures may be of different moments. */
static uint32_t used_now(const hwri_page *page) {
    uint32_t remote = hwri_remote_count(hwri_load_relaxed(&page->remote)), used = hwri_page_used(page);
    if (used > page->capacity) used = page->capacity;
    return used > remote ? used - remote : 0;
}

static bool count_page(hwr_pool *pool, hwri_page *page, void *context) {
    hwr_pool_stats *stats = context;
    size_t used = used_now(page);
    size_t page_bytes = page->state == HWRI_PAGE_LARGE ? page->large_size : page->slices * hwri_slice_size(pool);
    stats->blocks += used;
    stats->bytes += used * hwri_page_block_size(page);
    stats->page_bytes += page_bytes;
    if (page->state == HWRI_PAGE_LARGE) {
        stats->large_blocks++;
        stats->large_bytes += page->large_size;
    }
    return true;
}

void hwr_pool_get_stats(hwr_pool *pool, hwr_pool_stats *stats) {
    memset(stats, 0, sizeof *stats);
    hwri_pool_lock(pool);
    each_page(pool, count_page, stats);
    stats->committed = pool->committed;
    stats->peak_committed = pool->peak_committed;
    stats->given_back = pool->given_back;
    hwri_pool_unlock(pool);
    if (pool->checked) hwri_checked_count(pool, stats);
}

typedef struct class_count {
    unsigned first, count;
    hwr_pool_class_stats *stats;
} class_count;

static bool count_class_page(hwr_pool *pool, hwri_page *page, void *context) {
    (void)pool;
    const class_count *c = context;
    unsigned which = page->class_number - c->first;
    if (page->state == HWRI_PAGE_LARGE || which >= c->count) return true;
    c->stats[which].pages++;
    c->stats[which].blocks += used_now(page);
    c->stats[which].capacity += page->capacity;
    return true;
}

unsigned hwri_pool_count_classes(hwr_pool *pool, unsigned first, unsigned count, hwr_pool_class_stats *stats) {
    if (first >= pool->class_count) return 0;
    if (count > pool->class_count - first) count = pool->class_count - first;
    for (unsigned i = 0; i < count; i++)
        stats[i] = (hwr_pool_class_stats){.block_size = hwri_class_size(first + i, pool->granule_shift)};
    hwri_pool_lock(pool);
    each_page(pool, count_class_page, &(class_count){first, count, stats});
    hwri_pool_unlock(pool);
    return count;
}

bool hwr_pool_get_class_stats(hwr_pool *pool, unsigned number, hwr_pool_class_stats *stats) {
    return hwri_pool_count_classes(pool, number, 1, stats) == 1;
}
