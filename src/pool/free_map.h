/* Which blocks of a page are free, as bits: made by walking its free lists, when somebody looks at the page from outside
 * or a page that was mostly freed is used again. 1 KiB. */
#ifndef HWRI_POOL_FREE_MAP_H
#define HWRI_POOL_FREE_MAP_H

#include "pool/internal.h"

enum { HWRI_PAGE_MOST_BLOCKS = 8192 }; /* 64 KiB of blocks of 8 bytes; pages of more slices have larger blocks */

typedef struct hwri_free_map {
    uint64_t bits[HWRI_PAGE_MOST_BLOCKS / 64];
    uint32_t count;
} hwri_free_map;

/* Returns false if a list leaves the page, hits a place between blocks or meets a block twice: memory was overwritten. */
bool hwri_free_map_fill(hwri_free_map *map, const hwri_page *page);

/* Puts the page's own free list in order of address, with the lines of the page under way to the cache meanwhile. */
void hwri_free_sort(hwri_page *page);

static inline bool hwri_free_map_has(const hwri_free_map *map, uint32_t block) {
    return map->bits[block / 64] >> (block % 64) & 1;
}

#endif
