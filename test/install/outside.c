/* Somebody else's program. */
#include <heapwright.h>

#include <stdio.h>
#include <string.h>

enum { COUNT = 1000 };

static size_t blocks_in(hwr_pool *pool) {
    hwr_pool_stats stats;
    hwr_pool_get_stats(pool, &stats);
    return stats.blocks;
}

int main(void) {
    char numbers[32];
    void *blocks[COUNT];
    hwr_pool *pool = hwr_pool_open(NULL);
    if (!pool) return 1;
    for (int i = 0; i < COUNT; i++) {
        blocks[i] = hwr_pool_alloc(pool, (size_t)i * 10);
        if (!blocks[i]) return 2;
        memset(blocks[i], i, (size_t)i * 10);
    }
    size_t full = blocks_in(pool);
    for (int i = 0; i < COUNT; i++) hwr_pool_free(pool, blocks[i]);
    size_t empty = blocks_in(pool);
    hwr_pool_close(pool);

    sprintf(numbers, "%d.%d.%d", HWR_VERSION_MAJOR, HWR_VERSION_MINOR, HWR_VERSION_PATCH);
    if (strcmp(hwr_version(), HWR_VERSION_STRING) != 0 || strcmp(numbers, HWR_VERSION_STRING) != 0) return 3;
    printf("heapwright %s: %zu blocks, then %zu\n", hwr_version(), full, empty);
    return 0;
}
