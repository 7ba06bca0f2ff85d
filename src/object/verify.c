/* Verification: that everything the heap believes is true. Linear, with a table of all objects that are referred to. */
#include "object/heap.h"
#include "object/references.h"

typedef struct verification {
    hwr_heap *heap;
    const char *problem;
    hwri_side_table found; /* references found to each object */
} verification;

static bool is_object_in(hwr_pool *pool, const void *address) {
    hwri_page *page = hwri_page_of(pool, address);
    if (!page) return false;
    size_t size = hwri_page_block_size(page), index = (size_t)((const char *)address - page->start) / size;
    if (index >= hwri_blocks_in(page)) return false;
    void *object = hwri_object_in(page->start + index * size);
    return object == address && hwri_is_live(*hwri_header(object));
}

bool hwri_is_tracked_object(hwr_heap *heap, const void *address) { return is_object_in(heap->objects, address); }

bool hwri_counted_is_object(hwr_heap *heap, const void *address) {
    return is_object_in(heap->objects, address) || is_object_in(heap->leaves, address);
}

static void check_target(void *context, void *target) {
    verification *c = context;
    if (c->problem) return;
    if (!hwri_counted_is_object(c->heap, target)) {
        c->problem = "a reference does not lead to a living object of the heap";
        return;
    }
    uintptr_t *found = hwri_side_add(&c->found, target);
    if (found)
        ++*found;
    else
        c->problem = "there is no memory for verification";
}

static bool check_object(void *context, void *object) {
    verification *c = context;
    const hwr_type *type = hwr_type_of(object);
    uint64_t header = *hwri_header(object);
    if (!type || !type->name)
        c->problem = "an object's header has no type";
    else if (hwri_is_tracked_type(type) == ((header & HWRI_UNTRACKED) != 0))
        c->problem = "an object lies in the wrong pool";
    else if (header & HWRI_WEAK && !hwri_side_find(&c->heap->weaks, object))
        c->problem = "an object's weak references are lost";
    else if (c->heap->checked)
        c->problem = hwri_check_problem(c->heap, object);
    if (!c->problem) c->problem = hwri_shape_problem(c->heap, object);
    if (!c->problem) hwri_each_reference(object, type, check_target, c);
    return !c->problem;
}

static const char *check_counts(const verification *c) {
    for (size_t i = 0; i < c->found.room; i++) {
        const hwri_side_entry *place = &c->found.places[i];
        if (place->object && hwri_count_of(c->heap, place->object) < place->value)
            return "an object has fewer references than there are";
    }
    return NULL;
}

static const char *check_aside(const hwr_heap *heap) {
    for (size_t i = 0; i < heap->counts.room; i++) {
        const void *object = heap->counts.places[i].object;
        if (object && !(*hwri_header(object) & HWRI_COUNT_ASIDE)) return "the table of counts has an object too many";
    }
    return NULL;
}

static const char *check_pools(hwr_heap *heap) {
    const char *problem = NULL;
    if (hwr_pool_verify(heap->objects, &problem) && hwr_pool_verify(heap->leaves, &problem) &&
        hwr_pool_verify(heap->blocks, &problem))
        return NULL;
    return problem;
}

const char *hwri_counted_verify(hwr_heap *heap) {
    verification c = {.heap = heap, .problem = check_pools(heap), .found = {.pool = heap->scratch}};
    if (!c.problem) hwri_each_object(heap, check_object, &c);
    if (!c.problem) c.problem = check_counts(&c);
    if (!c.problem) c.problem = check_aside(heap);
    if (!c.problem) c.problem = hwri_weak_problem(heap);
    if (!c.problem) c.problem = hwri_interned_problem(heap);
    hwri_side_clear(&c.found);
    return c.problem;
}
