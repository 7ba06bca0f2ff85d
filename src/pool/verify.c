/* Verification: that everything the pool believes about itself is true. Linear in slices and free blocks. */
#include "heapwright/pool.h"
#include "pool/checked.h"
#include "pool/free_map.h"
#include "pool/inline.h"

/* Each check returns what is wrong, or NULL. */

static const char *check_blocks(const hwri_page *page) {
    hwri_free_map map;
    if (page->carved > page->capacity) return "a page has handed out more blocks than it has room for";
    if (!hwri_free_map_fill(&map, page)) return "a free list is damaged: a freed block was written to";
    uint32_t remote = hwri_remote_count(page->remote);
    if (remote > map.count) return "a page counts more remote frees than its list has";
    if (hwri_page_used(page) != page->carved - (map.count - remote)) return "a page's count of blocks in use is wrong";
    return NULL;
}

static const char *check_page(hwr_pool *pool, hwri_chunk *chunk, size_t first) {
    hwri_page *page = &chunk->pages[first];
    if (page->chunk != chunk || page->start != chunk->base + (first << pool->slice_shift))
        return "a page does not know where it is";
    size_t slices = chunk->huge ? chunk->size >> pool->slice_shift : page->slices;
    for (size_t i = 0; i < slices; i++) {
        if (!chunk->huge && !(chunk->used[(first + i) / 64] >> ((first + i) % 64) & 1))
            return "a page has a free slice";
        if (hwri_page_of_locked(pool, page->start + (i << pool->slice_shift)) != page)
            return "the map does not lead to a page";
    }
    if (page->state == HWRI_PAGE_LARGE)
        return page->large_size == slices << pool->slice_shift ? NULL : "a large block has the wrong size";
    return check_blocks(page);
}

static const char *check_bits(const hwri_chunk *chunk, size_t used) {
    size_t in_map = 0;
    for (size_t w = 0; w < HWRI_CHUNK_WORDS; w++) {
        in_map += (size_t)__builtin_popcountll(chunk->used[w]);
        if (chunk->used[w] & ~chunk->committed[w]) return "a slice is used without memory";
        if (chunk->aged[w] & (chunk->used[w] | ~chunk->committed[w])) return "a slice ages that is not free";
    }
    return in_map == used && chunk->free_slices == chunk->slices - used ? NULL : "a chunk's free slices are miscounted";
}

static const char *check_chunk(hwr_pool *pool, hwri_chunk *chunk, size_t *pages) {
    if (chunk->huge) return check_page(pool, chunk, 0);
    const char *problem = NULL;
    size_t used = 0;
    for (size_t i = 0; i < chunk->slices && !problem;) {
        hwri_page *page = &chunk->pages[i];
        if (page->state == HWRI_PAGE_UNUSED) {
            i++;
            continue;
        }
        problem = check_page(pool, chunk, i);
        *pages += page->state != HWRI_PAGE_LARGE;
        used += page->slices;
        i += page->slices;
    }
    return problem ? problem : check_bits(chunk, used);
}

/* Counts a list's pages into *pages. */
static const char *check_list(const hwri_page_list *list, unsigned class_number, hwri_page_state state,
                              const hwri_local *local, size_t *pages) {
    const hwri_page *previous = NULL;
    for (const hwri_page *page = list->first; page; previous = page, page = page->next, (*pages)++)
        if (page->previous != previous || page->class_number != class_number || page->state != state ||
            page->local != local)
            return "a page is in the wrong list";
    return list->last == previous ? NULL : "a list of pages has a wrong end";
}

static const char *check_local(const hwr_pool *pool, const hwri_local *local, size_t *pages) {
    for (unsigned c = 0; c < pool->class_count; c++) {
        const char *problem = check_list(&local->classes[c].listed, c, HWRI_PAGE_LISTED, local, pages);
        if (!problem) problem = check_list(&local->classes[c].full, c, HWRI_PAGE_FULL, local, pages);
        if (problem) return problem;
    }
    for (size_t i = 0; i < HWRI_DIRECT_ENTRIES; i++) {
        unsigned c = hwri_class_of(i * 8, pool->granule_shift);
        const hwri_page *first = local->classes[c].listed.first;
        if (local->direct[i] != (first ? first : &hwri_no_page)) return "a direct entry leads to the wrong page";
    }
    return NULL;
}

static bool find_damage(void *context, void *inner, size_t inner_size) {
    const char **found = context;
    *found = hwri_checked_problem(inner, inner_size);
    return !*found;
}

static const char *find_problem(hwr_pool *pool) {
    const char *problem = NULL;
    size_t pages = 0, in_lists = 0;
    for (size_t i = 0; i < pool->chunk_count && !problem; i++) {
        if (i && pool->chunks[i - 1]->base >= pool->chunks[i]->base) return "the chunks are not in order";
        problem = check_chunk(pool, pool->chunks[i], &pages);
    }
    if (!problem && !pool->shared) problem = check_local(pool, &pool->own, &in_lists);
    for (hwri_local *local = pool->locals; local && !problem; local = local->next)
        problem = check_local(pool, local, &in_lists);
    for (unsigned c = 0; c < pool->class_count && !problem; c++)
        problem = check_list(&pool->orphans[c], c, HWRI_PAGE_ORPHAN, NULL, &in_lists);
    if (!problem && pages != in_lists) problem = "a page is in no list";
    return problem;
}

/* A thread that has ended hands on its pages whenever the system lets it. */
bool hwr_pool_verify(hwr_pool *pool, const char **problem) {
    hwri_pool_lock(pool);
    const char *found = find_problem(pool);
    hwri_pool_unlock(pool);
    if (!found && pool->checked) hwri_walk(pool, find_damage, &found);
    if (problem) *problem = found;
    return !found;
}
