/* Finding cyclic garbage: which objects of a set are kept alive only by each other. The method is CPython's (Schemenauer and Peters, 2000; in the literature "trial
 * deletion", Christopher 1984): count every reference from inside the set; what has more references than were found is held from outside; what that leads to is
 * reached; the rest is garbage.
 *
 * CPython goes through all objects once to count, once to compare, once more to reach. Here most objects are looked at once: what was held at the end of an earlier
 * collection is guessed to be held still, and what the guess leads to is reached while it is counted. Afterwards the counts tell whether the guess was right; if it was not, what was reached is
 * forgotten and only the objects that turn out to be held count.
 *
 * The engine is compiled once for each object model, by the one .c file that includes this after it has defined:
 *
 *   hwri_model                       a struct type: the set and whatever the model needs
 *   hwri_place                       what the model keeps for an object of the set
 *   hwri_model_each(m, visit, context)            visit(context, object, place) for each object of the set, in some order
 *   hwri_model_each_unreached(m, visit, context)  for those not reached: visit(context, object, place)
 *   hwri_model_each_guess(m, visit, context)      for those that are guessed to be held
 *   hwri_model_scan(m, object, from, visit, context)  visit(context, target) for its references, from that one on; returns where to go on, 0: that was all
 *   hwri_model_place(m, object)      its place, which is not read; NULL: not in the set
 *   hwri_model_is_in_set(m, place)   whether it is
 *   hwri_model_visit(m, object, place)  enters an object's own count, when hwri_model_each comes to it
 *   hwri_model_is_visited(m, object) that has happened
 *   hwri_model_found(m, object, place)  one more reference from inside
 *   hwri_model_is_held(m, object, place)  it has more than were found; to be asked when all are visited
 *   hwri_model_is_reached(place), hwri_model_reach(place), hwri_model_forget_reached(m)
 *   hwri_model_held(m, object)       is told what was held, for the next guess
 *   hwri_model_memory(m), hwri_model_prefetch(object)
 *
 * The work to be done is a stack; when it cannot grow, what does not fit is found again by going through the set once more. What comes onto the stack is prefetched, since
 * it will be read soon (Boehm: "Reducing Garbage Collector Cache Misses", 2000). */
#ifndef HWRI_COUNTING_CYCLE_H
#define HWRI_COUNTING_CYCLE_H

#include "object/references.h"
#include "pool/inline.h"

enum { HWRI_WORK_LEAST = 1024, HWRI_AHEAD = 16 };

/* A stack of objects to be scanned. An object of which a part has been scanned is there as two words: itself, and above it twice the number of the next
 * reference plus one, which no address is. `candidates` is an upper bound of what will not be reached. */
typedef struct hwri_work {
    hwri_model *model;
    uintptr_t *bottom, *top, *limit;
    bool overflowed, wrong;
    size_t candidates;
    unsigned slot;
    hwri_place *places[HWRI_AHEAD];
    uintptr_t targets[HWRI_AHEAD]; /* with the lowest bit set if the reference comes from an object that is reached */
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

static inline void work_push(hwri_work *work, void *object) {
    hwri_model_prefetch(object);
    if (hwri_likely(work->top != work->limit) || work_grow(work)) *work->top++ = (uintptr_t)object;
}

HWRI_INLINE void reach(void *context, void *target) {
    hwri_work *work = context;
    hwri_place *place = hwri_model_place(work->model, target);
    if (!place || !hwri_model_is_in_set(work->model, place) || hwri_model_is_reached(place)) return;
    hwri_model_reach(place);
    work_push(work, target);
}

/* Comes back to the rest of an object later. Both words or none: what is lost with them is found again, since the object itself is reached. */
static void work_postpone(hwri_work *work, void *object, size_t next) {
    if (work->limit - work->top < 2 && !work_grow(work)) return;
    *work->top++ = (uintptr_t)object;
    *work->top++ = next << 1 | 1;
}

static void work_drain(hwri_work *work) {
    while (work->top != work->bottom) {
        uintptr_t item = *--work->top;
        size_t from = 0;
        if (hwri_unlikely(item & 1)) {
            from = item >> 1;
            item = *--work->top;
        }
        size_t next = hwri_model_scan(work->model, (void *)item, from, reach, work);
        if (hwri_unlikely(next != 0)) work_postpone(work, (void *)item, next);
    }
}

/* ---- counting, and reaching on the way ---- */

/* A reference found waits here until its target's place has come to the cache. */
static inline void settle(hwri_work *work, unsigned slot) {
    hwri_place *place = work->places[slot];
    if (hwri_unlikely(!place || !hwri_model_is_in_set(work->model, place))) return;
    uintptr_t target = work->targets[slot];
    hwri_model_found(work->model, (void *)(target & ~(uintptr_t)1), place);
    if (!(target & 1) || hwri_model_is_reached(place)) return;
    hwri_model_reach(place);
    if (hwri_model_is_visited(work->model, (void *)(target - 1))) work_push(work, (void *)(target - 1));
}

static inline void find_reference(hwri_work *work, void *target, uintptr_t reached) {
    hwri_place *place = hwri_model_place(work->model, target);
    unsigned slot = work->slot++ % HWRI_AHEAD;
    __builtin_prefetch(place, 1);
    settle(work, slot);
    work->places[slot] = place;
    work->targets[slot] = (uintptr_t)target | reached;
}

HWRI_INLINE void found(void *context, void *target) { find_reference(context, target, 0); }

/* Found from an object that is reached: so is the target. If it has been visited, its references were counted but not followed. */
HWRI_INLINE void found_and_reach(void *context, void *target) { find_reference(context, target, 1); }

HWRI_INLINE void visit(void *context, void *object, hwri_place *place) {
    hwri_work *work = context;
    size_t from = 0;
    hwri_model_visit(work->model, object, place);
    if (hwri_model_is_reached(place)) do
            from = hwri_model_scan(work->model, object, from, found_and_reach, work);
        while (hwri_unlikely(from != 0));
    else
        do from = hwri_model_scan(work->model, object, from, found, work);
        while (hwri_unlikely(from != 0));
}

static void guess(void *context, void *object, hwri_place *place) {
    (void)context;
    (void)object;
    hwri_model_reach(place);
}

static void check_guess(void *context, void *object, hwri_place *place) {
    hwri_work *work = context;
    work->wrong |= !hwri_model_is_held(work->model, object, place);
}

/* ---- reaching from what is held ---- */

HWRI_INLINE void reach_if_held(void *context, void *object, hwri_place *place) {
    hwri_work *work = context;
    if (!hwri_model_is_held(work->model, object, place)) {
        work->candidates++;
        return;
    }
    hwri_model_held(work->model, object);
    reach(work, object);
    work_drain(work);
}

static void scan_again(void *context, void *object, hwri_place *place) {
    hwri_work *work = context;
    if (!hwri_model_is_reached(place)) return;
    for (size_t from = 0; (from = hwri_model_scan(work->model, object, from, reach, work)) != 0;) continue;
    work_drain(work);
}

static void forget_guess(hwri_work *work) {
    hwri_model_forget_reached(work->model);
    work->top = work->bottom;
}

/* Reaches everything in the set that is alive. Returns an upper bound of what is not. */
static size_t hwri_find_reached(hwri_model *model) {
    hwri_work work = {.model = model};
    hwri_model_each_guess(model, guess, &work);
    hwri_model_each(model, visit, &work);
    for (unsigned slot = 0; slot < HWRI_AHEAD; slot++) settle(&work, slot);
    hwri_model_each_guess(model, check_guess, &work);
    if (work.wrong) forget_guess(&work);
    work_drain(&work);
    hwri_model_each_unreached(model, reach_if_held, &work);
    while (work.overflowed) {
        work.overflowed = false;
        hwri_model_each(model, scan_again, &work);
    }
    hwr_pool_free(hwri_model_memory(model), work.bottom);
    return work.candidates;
}

#endif
