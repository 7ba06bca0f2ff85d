/* Large objects: each has a block of a pool of their own, and never moves. A table lists them all. */
#include "tracing/tracing.h"

static bool has_cards(const hwr_type *type) { return hwri_has_references(type); }

static size_t card_count(size_t size) { return (size >> HWRI_CARD_SHIFT) + 1; }

static bool make_room_for_one(hwri_tracing *t) {
    hwri_large_space *space = &t->large;
    if (space->count < space->room) return true;
    size_t room = space->room ? space->room * 2 : 16;
    hwri_large **all = hwr_pool_realloc(t->heap->blocks, space->all, room * sizeof *all);
    if (!all) return false;
    space->all = all;
    space->room = room;
    return true;
}

void *hwri_large_object_new(hwri_tracing *t, const hwr_type *type, size_t size) {
    hwri_large_space *space = &t->large;
    size_t cards = has_cards(type) ? card_count(size) : 0;
    if (!make_room_for_one(t)) return NULL;
    hwri_large *large = hwr_pool_alloc_zeroed(space->pool, 1, sizeof *large + size + cards);
    if (!large) return NULL;
    *large = (hwri_large){.index = space->count, .size = size};
    if (cards) large->cards = (uint8_t *)(large + 1) + size;
    space->all[space->count++] = large;
    space->bytes += size;
    uint64_t *header = (uint64_t *)(void *)(large + 1);
    *header = (hwri_born_old(t) & ~HWRI_REGION) | HWRI_LARGE | (uint64_t)(uintptr_t)type;
    return header + 1;
}

void hwri_large_drop(hwri_tracing *t, hwri_large *large) {
    hwri_large_space *space = &t->large;
    space->bytes -= large->size;
    space->all[large->index] = space->all[--space->count];
    space->all[large->index]->index = large->index;
    if (t->heap->checked) memset(large + 1, HWRI_POISON, large->size);
    hwr_pool_free(space->pool, large);
}

uint64_t *hwri_large_object_at(const hwri_tracing *t, uintptr_t address) {
    const hwri_large_space *space = &t->large;
    hwri_page *page = hwri_page_of(space->pool, (const void *)address);
    if (!page || address < (uintptr_t)page->start) return NULL;
    size_t size = hwri_page_block_size(page), index = (address - (uintptr_t)page->start) / size;
    if (index >= hwri_blocks_in(page)) return NULL;
    hwri_large *large = (hwri_large *)(void *)(page->start + index * size);
    if (large->index >= space->count || space->all[large->index] != large) return NULL;
    uint64_t *header = (uint64_t *)(void *)(large + 1);
    return address >= (uintptr_t)header && address < (uintptr_t)header + large->size ? header : NULL;
}

void hwri_larges_sweep(hwri_tracing *t) {
    for (size_t i = t->large.count; i-- > 0;)
        if (!hwri_is_reached(t, (uint64_t *)(void *)(t->large.all[i] + 1) + 1)) hwri_large_drop(t, t->large.all[i]);
}

void hwri_larges_close(hwri_tracing *t) {
    hwr_pool_free(t->heap->blocks, t->large.all);
    hwr_pool_close(t->large.pool);
}
