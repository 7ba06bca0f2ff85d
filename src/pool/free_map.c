#include "pool/free_map.h"

#include <string.h>

static bool add_list(hwri_free_map *map, const hwri_page *page, const hwri_block *block) {
    for (; block; block = block->next) {
        size_t distance = (size_t)((const char *)block - page->start), index = distance / page->block_size;
        if (distance % page->block_size || index >= page->carved || hwri_free_map_has(map, (uint32_t)index)) return false;
        map->bits[index / 64] |= (uint64_t)1 << (index % 64);
        map->count++;
    }
    return true;
}

bool hwri_free_map_fill(hwri_free_map *map, const hwri_page *page) {
    memset(map, 0, sizeof *map);
    return add_list(map, page, page->free) && add_list(map, page, hwri_remote_first(page, hwri_load_relaxed(&page->remote)));
}
