/* Memory that is not objects: malloc, accounted to the heap. */
#include "object/heap.h"

void *hwr_alloc(hwr_heap *heap, size_t size) {
    HWRI_LOOK(heap, NULL);
    unsigned attempt = 0;
    void *block;
    do block = hwr_pool_alloc(heap->blocks, size);
    while (!block && size <= PTRDIFF_MAX && hwri_make_room(heap, size, &attempt));
    return block;
}

void *hwr_realloc(hwr_heap *heap, void *block, size_t size) {
    HWRI_LOOK(heap, NULL);
    unsigned attempt = 0;
    void *resized;
    do resized = hwr_pool_realloc(heap->blocks, block, size);
    while (!resized && size <= PTRDIFF_MAX && hwri_make_room(heap, size, &attempt));
    return resized;
}

void hwr_free(hwr_heap *heap, void *block) {
    HWRI_LOOK(heap, NULL);
    hwr_pool_free(heap->blocks, block);
}
