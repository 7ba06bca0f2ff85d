/* Handles: owned references in memory that no collector knows. */
#include "object/heap.h"

struct hwr_handle {
    void *object;
};

hwr_handle *hwr_handle_new(hwr_heap *heap, void *object) {
    HWRI_LOOK(heap, object);
    hwr_handle *handle = hwr_alloc(heap, sizeof *handle);
    if (!handle) return NULL;
    hwr_retain(heap, object);
    handle->object = object;
    return handle;
}

void *hwr_handle_get(hwr_heap *heap, const hwr_handle *handle) {
    (void)heap;
    return handle->object;
}

void hwr_handle_set(hwr_heap *heap, hwr_handle *handle, void *object) {
    HWRI_LOOK(heap, object);
    void *old = handle->object;
    hwr_retain(heap, object);
    handle->object = object;
    hwr_release(heap, old);
}

void hwr_handle_free(hwr_heap *heap, hwr_handle *handle) {
    if (!handle) return;
    void *object = handle->object;
    hwr_free(heap, handle);
    hwr_release(heap, object);
}
