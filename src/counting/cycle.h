/* Finding cyclic garbage: which objects of a set are kept alive only by each other. The method is CPython's (Schemenauer and Peters, 2000; in the literature "trial
 * deletion", Christopher 1984): find every reference from inside the set; what has more references than were found is held from outside; what that leads to is reached;
 * the rest is garbage. Linear in the set and its references.
 *
 * The engine is compiled once for each object model, by the one .c file that includes this after it has defined:
 *
 *   hwri_model                                   a struct type: the set and whatever the model needs
 *   hwri_place                                   what the model keeps for an object of the set
 *   hwri_model_each(m, unreached, visit, context)  visit(context, object, place) for each object of the set, or those not reached
 *   hwri_model_scan(m, object, from, visit, context)  visit(context, target) for its references, from that one on; returns where to go on, 0: that was all
 *   hwri_model_place(m, object)                  its place; NULL: not in the set
 *   hwri_model_found(m, object, place)           counts one more reference from inside
 *   hwri_model_is_held(m, object, place)         has more references than were found
 *   hwri_model_is_reached(m, place), hwri_model_reach(m, place)
 *   hwri_model_memory(m), hwri_model_prefetch(object)
 *
 * The work to be done is a stack; when it cannot grow, what does not fit is found again by going through the set once more. What comes onto the stack is prefetched, since
 * it will be read soon (Boehm: "Reducing Garbage Collector Cache Misses", 2000). */
#ifndef HWRI_COUNTING_CYCLE_H
#define HWRI_COUNTING_CYCLE_H

#include "object/references.h"
#include "pool/inline.h"

enum { HWRI_WORK_LEAST = 1024 };

/* A stack of objects to be scanned. An object of which a part has been scanned is there as two words: itself, and above it twice the number of the next
 * reference plus one, which no address is. `candidates` is an upper bound of what will not be reached. */
typedef struct hwri_work {
    hwri_model *model;
    uintptr_t *bottom, *top, *limit;
    bool overflowed;
    size_t candidates, reached;
} hwri_work;

static bool work_grow(hwri_work *work) {
    size_t count = (size_t)(work->top - work->bottom), room = (size_t)(work->limit - work->bottom) * 2;
    if (!room) room = HWRI_WORK_LEAST;
    uintptr_t *bottom = hwr_pool_realloc(hwri_model_memory(work->model), work->bottom, room * sizeof *bottom);
    work->overflowed |= !bottom;
    if (!bottom) return false;
    work->bottom = bottom;
    work->top = bottom + count;
    work->limit = bottom + room;
    return true;
}

HWRI_INLINE void reach(void *context, void *target) {
    hwri_work *work = context;
    hwri_place *place = hwri_model_place(work->model, target);
    if (!place || hwri_model_is_reached(work->model, place)) return;
    hwri_model_reach(work->model, place);
    hwri_model_prefetch(target);
    if (hwri_likely(work->top != work->limit) || work_grow(work)) *work->top++ = (uintptr_t)target;
}

/* Comes back to the rest of an object later. Both words or none: what is lost with them is found again, since the object itself is reached. */
static void work_postpone(hwri_work *work, void *object, size_t next) {
    if (work->limit - work->top < 2 && !work_grow(work)) return;
    *work->top++ = (uintptr_t)object;
    *work->top++ = next << 1 | 1;
}

static void work_drain(hwri_work *work) {
    size_t reached = 0;
    while (work->top != work->bottom) {
        uintptr_t item = *--work->top;
        size_t from = 0;
        if (hwri_unlikely(item & 1)) {
            from = item >> 1;
            item = *--work->top;
        } else {
            reached++;
        }
        size_t next = hwri_model_scan(work->model, (void *)item, from, reach, work);
        if (hwri_unlikely(next != 0)) work_postpone(work, (void *)item, next);
    }
    work->reached += reached;
}

HWRI_INLINE void found(void *context, void *target) {
    hwri_model *model = context;
    hwri_place *place = hwri_model_place(model, target);
    if (place) hwri_model_found(model, target, place);
}

HWRI_INLINE void find_references_of(void *context, void *object, hwri_place *place) {
    (void)place;
    size_t from = 0;
    do from = hwri_model_scan(context, object, from, found, context);
    while (hwri_unlikely(from != 0));
}

HWRI_INLINE void reach_if_held(void *context, void *object, hwri_place *place) {
    hwri_work *work = context;
    if (!hwri_model_is_held(work->model, object, place)) {
        work->candidates++;
        return;
    }
    reach(work, object);
    work_drain(work);
}

HWRI_INLINE void scan_again(void *context, void *object, hwri_place *place) {
    hwri_work *work = context;
    if (!hwri_model_is_reached(work->model, place)) return;
    for (size_t from = 0; (from = hwri_model_scan(work->model, object, from, reach, work)) != 0;) continue;
    work_drain(work);
}

/* What came of it: how many objects are alive, unless memory was short, and how many at most are not. */
typedef struct hwri_census {
    size_t reached, candidates;
} hwri_census;

/* Reaches everything in the set that is alive. */
static hwri_census hwri_find_reached(hwri_model *model) {
    hwri_work work = {.model = model};
    hwri_model_each(model, false, find_references_of, model);
    hwri_model_each(model, true, reach_if_held, &work);
    while (work.overflowed) {
        work.overflowed = false;
        hwri_model_each(model, false, scan_again, &work);
    }
    hwr_pool_free(hwri_model_memory(model), work.bottom);
    return (hwri_census){work.reached, work.candidates};
}

#endif
