/* Large objects: each has a block of a pool of their own, and never moves. A table lists them all. */
#include "tracing/space.h"

static size_t card_count(size_t size) { return (size >> HWRI_CARD_SHIFT) + 1; }

static bool make_room_for_one(hwri_space *space) {
    hwri_large_space *larges = &space->large;
    if (larges->count < larges->room) return true;
    size_t room = larges->room ? larges->room * 2 : 16;
    hwri_large **all = hwr_pool_realloc(space->tables, larges->all, room * sizeof *all);
    if (!all) return false;
    larges->all = all;
    larges->room = room;
    return true;
}

void *hwri_large_object_new(hwri_space *space, size_t size, bool has_cards) {
    hwri_large_space *larges = &space->large;
    size_t cards = has_cards ? card_count(size) : 0;
    if (!make_room_for_one(space)) return NULL;
    hwri_large *large = hwr_pool_alloc_zeroed(larges->pool, 1, sizeof *large + size + cards);
    if (!large) return NULL;
    *large = (hwri_large){.index = larges->count, .size = size};
    if (cards) large->cards = (uint8_t *)(large + 1) + size;
    larges->all[larges->count++] = large;
    larges->bytes += size;
    return hwri_large_object(large);
}

void hwri_large_drop(hwri_space *space, hwri_large *large) {
    hwri_large_space *larges = &space->large;
    larges->bytes -= large->size;
    larges->all[large->index] = larges->all[--larges->count];
    larges->all[large->index]->index = large->index;
    if (space->fills) memset(large + 1, HWRI_POISON, large->size);
    hwr_pool_free(larges->pool, large);
}

uint64_t *hwri_large_object_at(const hwri_space *space, uintptr_t address) {
    const hwri_large_space *larges = &space->large;
    hwri_page *page = hwri_page_of(larges->pool, (const void *)address);
    if (!page || address < (uintptr_t)page->start) return NULL;
    size_t size = hwri_page_block_size(page), index = (address - (uintptr_t)page->start) / size;
    if (index >= hwri_blocks_in(page)) return NULL;
    hwri_large *large = (hwri_large *)(void *)(page->start + index * size);
    if (large->index >= larges->count || larges->all[large->index] != large) return NULL;
    uint64_t *header = (uint64_t *)(void *)(large + 1);
    return address >= (uintptr_t)header && address < (uintptr_t)header + large->size ? header : NULL;
}

void hwri_larges_sweep(hwri_space *space) {
    for (size_t i = space->large.count; i-- > 0;)
        if (space->large.all[i]->epoch != space->epoch) hwri_large_drop(space, space->large.all[i]);
}

void hwri_larges_close(hwri_space *space) {
    hwr_pool_free(space->tables, space->large.all);
    hwr_pool_close(space->large.pool);
}
