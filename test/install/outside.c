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

/* A dict of strs, which takes most of what the library is made of. */
static int uses_kinds(void) {
    hwr_options options;
    hwr_heap *heap;
    void *dict, *value, *text;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.collector = HWR_COUNTING;
    heap = hwr_heap_open(&options);
    if (!heap || !hwr_kinds_open(heap)) return 0;
    dict = hwr_dict(heap, 0);
    value = hwr_int(heap, 36);
    if (!dict || !value || hwr_dict_set_text(heap, dict, "Ada", value) != HWR_OK) return 0;
    if (hwr_repr(heap, dict, &text) != HWR_OK || strcmp(hwr_str_ascii(text), "{'Ada': 36}") != 0) return 0;
    hwr_heap_close(heap);
    return 1;
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
    if (!uses_kinds()) return 4;
    printf("heapwright %s: %zu blocks, then %zu\n", hwr_version(), full, empty);
    return 0;
}
