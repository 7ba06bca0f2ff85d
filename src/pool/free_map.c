#include "pool/free_map.h"

#include <string.h>

static bool add_list(hwri_free_map *map, const hwri_page *page, const hwri_block *block) {
    /* Division by a multiplication that is exact for multiples of the block size; the product is compared for the others. */
    uint64_t inverse = (((uint64_t)1 << 32) + page->block_size - 1) / page->block_size;
    size_t carved_bytes = (size_t)page->carved * page->block_size;
    for (; block; block = block->next) {
        size_t distance = (size_t)((const char *)block - page->start);
        uint64_t index = distance * inverse >> 32;
        if (distance >= carved_bytes || index * page->block_size != distance || hwri_free_map_has(map, (uint32_t)index))
            return false;
        map->bits[index / 64] |= (uint64_t)1 << (index % 64);
        map->count++;
    }
    return true;
}

bool hwri_free_map_fill(hwri_free_map *map, const hwri_page *page) {
    memset(map, 0, sizeof *map);
    return add_list(map, page, page->free) &&
           add_list(map, page, hwri_remote_first(page, hwri_load_acquire(&page->remote)));
}

void hwri_free_sort(hwri_page *page) {
    char *end = page->start + (size_t)page->carved * page->block_size;
    for (char *line = page->start; line < end; line += 64) __builtin_prefetch(line, 1);
    hwri_free_map map;
    memset(&map, 0, sizeof map);
    if (!add_list(&map, page, page->free)) return;
    hwri_block **link = &page->free;
    for (size_t word = 0; word <= page->carved / 64 && word < HWRI_PAGE_MOST_BLOCKS / 64; word++)
        for (uint64_t bits = map.bits[word]; bits; bits &= bits - 1) {
            size_t index = word * 64 + (size_t)__builtin_ctzll(bits);
            hwri_block *block = (hwri_block *)(void *)(page->start + index * page->block_size);
            *link = block;
            link = &block->next;
        }
    *link = NULL;
}
