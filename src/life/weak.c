/* Weak references. */
#include "life/weak.h"

#include "object/heap.h"

const hwr_type hwri_weak_type = HWR_TYPE(hwr_weak, HWR_REFS(hwr_weak, argument), .flags = HWRI_TYPE_OWN);

const hwr_type *hwr_weak_type(void) { return &hwri_weak_type; }

static hwr_weak *first_of(const hwr_heap *heap, const void *object) {
    if (!(*hwri_header(object) & HWRI_WEAK)) return NULL;
    return (hwr_weak *)*hwri_side_find(&heap->weaks, object);
}

/* The one without callback comes first, the others behind it, newest first. */
static void insert(hwr_weak *weak, hwr_weak **first) {
    hwr_weak *shared = *first && !(*first)->callback ? *first : NULL;
    hwr_weak **link = shared ? &shared->next : first;
    weak->previous = shared;
    weak->next = *link;
    if (weak->next) weak->next->previous = weak;
    *link = weak;
}

/* The one without callback, retained; NULL if there is none. */
static hwr_weak *shared_of(hwr_heap *heap, const void *object) {
    hwr_weak *first = first_of(heap, object);
    if (!first || first->callback) return NULL;
    hwr_retain(heap, first);
    return first;
}

/* The place for the first of an object's weak references; NULL without memory even after a collection. */
static uintptr_t *list_of(hwr_heap *heap, const void *object) {
    unsigned attempt = 0;
    uintptr_t *list;
    do list = hwri_side_add(&heap->weaks, object);
    while (!list && hwri_make_room(heap, sizeof(hwri_side_entry), &attempt));
    return list;
}

/* Making an object may collect, and so make the very weak reference that is wanted. */
hwr_weak *hwri_weak_new(hwr_heap *heap, void *object, hwr_weak_callback callback, void *argument, void *owner) {
    hwr_weak *shared = callback ? NULL : shared_of(heap, object);
    if (shared) return shared;
    hwr_weak *weak = hwr_new(heap, &hwri_weak_type);
    uintptr_t *list = weak ? list_of(heap, object) : NULL;
    shared = callback ? NULL : shared_of(heap, object);
    if (!list || shared) {
        hwr_release(heap, weak);
        return shared;
    }
    weak->target = object;
    weak->callback = callback;
    weak->owner = owner;
    hwr_set(heap, weak, &weak->argument, argument);
    *hwri_header(object) |= HWRI_WEAK;
    hwr_weak *first = (hwr_weak *)*list;
    insert(weak, &first);
    *list = (uintptr_t)first;
    return weak;
}

hwr_weak *hwr_weak_new(hwr_heap *heap, void *object, hwr_weak_callback callback, void *argument) {
    HWRI_LOOK(heap, object);
    if (heap->tracing) return hwri_traced_weak_new(heap, object, callback, argument);
    return hwri_weak_new(heap, object, callback, argument, NULL);
}

void *hwr_weak_get(hwr_heap *heap, hwr_weak *weak) {
    HWRI_LOOK(heap, weak);
    if (heap->tracing) return hwri_traced_weak_get(weak);
    if (!weak->target || !hwri_is_live(*hwri_header(weak->target))) return NULL;
    hwr_retain(heap, weak->target);
    return weak->target;
}

size_t hwr_weak_count(hwr_heap *heap, const void *object) {
    HWRI_LOOK(heap, object);
    if (heap->tracing) return hwri_traced_weak_count(heap, object);
    size_t count = 0;
    for (const hwr_weak *weak = first_of(heap, object); weak; weak = weak->next) count++;
    return count;
}

/* Takes a weak reference out of its object's list. */
void hwri_weak_ends(hwr_heap *heap, hwr_weak *weak) {
    if (!weak->target) return;
    if (weak->next) weak->next->previous = weak->previous;
    if (weak->previous) {
        weak->previous->next = weak->next;
    } else if (weak->next) {
        *hwri_side_find(&heap->weaks, weak->target) = (uintptr_t)weak->next;
    } else {
        hwri_side_remove(&heap->weaks, weak->target);
        *hwri_header(weak->target) &= ~HWRI_WEAK;
    }
    weak->target = NULL;
}

hwr_weak *hwri_weak_take(hwr_heap *heap, void *object) {
    hwr_weak *first = first_of(heap, object);
    for (hwr_weak *weak = first; weak; weak = weak->next) {
        weak->target = NULL;
        weak->previous = NULL;
    }
    hwri_side_remove(&heap->weaks, object);
    *hwri_header(object) &= ~HWRI_WEAK;
    return first;
}

static void call_back(hwr_heap *heap, hwr_weak *weak) {
    heap->counters.weak_callbacks++;
    weak->callback(heap, weak, weak->argument);
}

size_t hwri_weak_call_chain(hwr_heap *heap, hwr_weak *first) {
    size_t ended = 0;
    for (hwr_weak *weak = first, *next; weak; weak = next) {
        next = weak->next;
        weak->next = NULL;
        call_back(heap, weak);
        ended += hwri_count_of(heap, weak) == 1;
        hwr_release(heap, weak);
    }
    return ended;
}

/* The callback will never be called again, so its argument is let go. */
static void drop_callback(hwr_heap *heap, hwr_weak *weak) {
    weak->next = weak->previous = NULL;
    weak->callback = NULL;
    hwr_set(heap, weak, &weak->argument, NULL);
    hwr_release(heap, weak);
}

/* A weak reference that is dying itself is not called back. The others are held, since any callback may release any of them, and let go from the last. */
void hwri_weak_object_dies(hwr_heap *heap, void *object) {
    hwr_weak *first = NULL, *last = NULL;
    for (hwr_weak *weak = hwri_weak_take(heap, object), *next; weak; weak = next) {
        next = weak->next;
        weak->next = NULL;
        if (!hwri_weak_is_called(weak)) continue;
        hwri_count_add(heap, weak, 1);
        weak->previous = last;
        *(last ? &last->next : &first) = weak;
        last = weak;
    }
    for (hwr_weak *weak = first; weak; weak = weak->next) call_back(heap, weak);
    for (hwr_weak *weak = last, *previous; weak; weak = previous) {
        previous = weak->previous;
        drop_callback(heap, weak);
    }
}

const char *hwri_weak_problem(hwr_heap *heap) {
    for (size_t i = 0; i < heap->weaks.room; i++) {
        const hwri_side_entry *place = &heap->weaks.places[i];
        const hwr_weak *previous = NULL;
        if (!place->object) continue;
        if (!(*hwri_header(place->object) & HWRI_WEAK)) return "the table of weak references has an object too many";
        for (const hwr_weak *weak = (const hwr_weak *)place->value; weak; previous = weak, weak = weak->next)
            if (weak->target != place->object || weak->previous != previous)
                return "a list of weak references is damaged";
        if (!previous) return "a list of weak references is empty";
    }
    return NULL;
}
