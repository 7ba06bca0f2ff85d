/* Handles: references in memory that no collector knows. */
#include "life/handle.h"

#include "life/weak.h"
#include "tracing/life.h"

/* ---- on a counting heap ---- */

static bool is_weak_kind(uint32_t kind) {
    return kind == HWR_HANDLE_WEAK_SHORT || kind == HWR_HANDLE_WEAK_LONG || kind == HWR_HANDLE_DEPENDENT;
}

static void drop_second(hwr_heap *heap, hwr_weak *weak, void *second) {
    (void)second;
    hwr_set(heap, weak, &weak->argument, NULL);
}

/* What the handle owns for an object: the object itself, or a weak reference to it. NULL without memory. */
static void *owned_for(hwr_heap *heap, void *object, void *second, uint32_t kind) {
    if (!is_weak_kind(kind)) {
        hwr_retain(heap, object);
        return object;
    }
    return hwr_weak_new(heap, object, kind == HWR_HANDLE_DEPENDENT ? drop_second : NULL, second);
}

static hwr_handle *counted_handle_new(hwr_heap *heap, void *object, void *second, hwr_handle_kind kind) {
    void *owned = object ? owned_for(heap, object, second, kind) : NULL;
    hwr_handle *handle = owned || !object ? hwr_alloc(heap, sizeof *handle) : NULL;
    if (handle)
        handle->member = (hwri_member){.object = owned, .kind = kind};
    else
        hwr_release(heap, owned);
    return handle;
}

static const hwr_weak *weak_in(const hwr_handle *handle) {
    const hwr_weak *weak = handle->member.object;
    return weak && weak->target && hwri_is_live(*hwri_header(weak->target)) ? weak : NULL;
}

static void counted_handle_set(hwr_heap *heap, hwr_handle *handle, void *object) {
    void *old = handle->member.object, *second = hwr_handle_second(heap, handle);
    handle->member.object = object ? owned_for(heap, object, second, handle->member.kind) : NULL;
    hwr_release(heap, old);
}

/* ---- on any ---- */

static hwr_handle *new_handle(hwr_heap *heap, void *object, void *second, hwr_handle_kind kind) {
    return heap->tracing ? hwri_traced_handle_new(heap, object, second, kind)
                         : counted_handle_new(heap, object, second, kind);
}

hwr_handle *hwr_handle_new(hwr_heap *heap, void *object) {
    HWRI_LOOK(heap, object);
    return new_handle(heap, object, NULL, HWR_HANDLE_STRONG);
}

hwr_handle *hwr_handle_new_kind(hwr_heap *heap, void *object, hwr_handle_kind kind) {
    HWRI_LOOK(heap, object);
    return new_handle(heap, object, NULL, kind);
}

hwr_handle *hwr_handle_new_dependent(hwr_heap *heap, void *object, void *second) {
    HWRI_LOOK(heap, object);
    HWRI_LOOK(heap, second);
    return new_handle(heap, object, second, HWR_HANDLE_DEPENDENT);
}

void *hwr_handle_get(hwr_heap *heap, const hwr_handle *handle) {
    if (heap->tracing || !is_weak_kind(handle->member.kind))
        return __atomic_load_n(&handle->member.object, __ATOMIC_ACQUIRE);
    const hwr_weak *weak = weak_in(handle);
    return weak ? weak->target : NULL;
}

void *hwr_handle_second(hwr_heap *heap, const hwr_handle *handle) {
    if (handle->member.kind != HWR_HANDLE_DEPENDENT) return NULL;
    if (heap->tracing)
        return __atomic_load_n(&((const hwri_dependent *)(const void *)handle)->second, __ATOMIC_ACQUIRE);
    const hwr_weak *weak = weak_in(handle);
    return weak ? weak->argument : NULL;
}

void hwr_handle_set(hwr_heap *heap, hwr_handle *handle, void *object) {
    HWRI_LOOK(heap, object);
    if (heap->tracing)
        hwri_traced_handle_set(heap->tracing, handle, object);
    else
        counted_handle_set(heap, handle, object);
}

void hwr_handle_set_second(hwr_heap *heap, hwr_handle *handle, void *second) {
    HWRI_LOOK(heap, second);
    if (handle->member.kind != HWR_HANDLE_DEPENDENT) return;
    hwr_weak *weak = handle->member.object;
    if (heap->tracing)
        hwri_traced_handle_set_second(heap->tracing, handle, second);
    else if (weak_in(handle))
        hwr_set(heap, weak, &weak->argument, second);
}

void hwr_handle_free(hwr_heap *heap, hwr_handle *handle) {
    if (!handle) return;
    if (heap->tracing) {
        hwri_traced_handle_free(heap->tracing, handle);
        return;
    }
    void *owned = handle->member.object;
    hwr_free(heap, handle);
    hwr_release(heap, owned);
}
