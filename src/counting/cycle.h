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
 *   hwri_model_near(m, object)       the same if that is at hand and likely to be in the cache already, otherwise NULL
 *   hwri_model_is_all_near(m)        all of the set is likely to be in the cache, and all objects are near; asked of a queue only
 *   hwri_model_is_in_set(m, place)   whether it is
 *   hwri_model_visit(m, object, place)  enters an object's own count, when hwri_model_each comes to it
 *   hwri_model_is_visited(place)     that has happened; asked only of what was reached by a guess
 *   hwri_model_found(m, object, place)  one more reference from inside; the object may have a place without being in the set
 *   hwri_model_is_held(m, object, place)  it has more than were found; to be asked when all are visited
 *   hwri_model_is_reached(place), hwri_model_reach(place), hwri_model_forget_reached(m)
 *   hwri_model_held(m, object)       is told what was held, for the next guess
 *   hwri_model_not_held(m, object)   is told what was not, of which some may be reached later
 *   hwri_model_memory(m), hwri_model_prefetch(object), hwri_model_prefetch_place(place)
 *   hwri_model_is_queue              a constant: the set is a queue, see below
 *   hwri_model_enqueue(m, object)    puts what has been passed by, and is reached, at the queue's end
 *
 * The work to be done is a stack; when it cannot grow, what does not fit is found again by going through the set once more. What comes onto the stack is prefetched, since
 * it will be read soon (Boehm: "Reducing Garbage Collector Cache Misses", 2000).
 *
 * Of a set that is a queue, the order of what is reached matters: it is CPython's, for whoever can see it. There is no guess then, and no stack: hwri_model_each_unreached
 * goes through all objects and passes by what is not reached when it comes to it; what is reached after that comes to the end of the queue and is visited there. */
#ifndef HWRI_COUNTING_CYCLE_H
#define HWRI_COUNTING_CYCLE_H

#include "object/references.h"
#include "pool/inline.h"

enum { HWRI_WORK_LEAST = 1024, HWRI_AHEAD = 16 };

/* A stack of objects to be scanned. An object of which a part has been scanned is there as two words: itself, and above it twice the number of the next
 * reference plus one, which no address is. */
typedef struct hwri_work {
    hwri_model *model;
    uintptr_t *bottom, *top, *limit;
    bool overflowed, wrong;
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
    if (hwri_model_is_queue) {
        hwri_model_enqueue(work->model, object);
        return;
    }
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

/* One more reference to an object, and whether it comes from one that is reached. */
static inline void settle(hwri_work *work, hwri_place *place, void *target, bool reached) {
    hwri_model_found(work->model, target, place);
    if (!reached || hwri_model_is_reached(place)) return;
    hwri_model_reach(place);
    if (hwri_model_is_visited(place)) work_push(work, target);
}

static inline void settle_slot(hwri_work *work, unsigned slot) {
    uintptr_t target = work->targets[slot];
    if (hwri_likely(work->places[slot] != NULL))
        settle(work, work->places[slot], (void *)(target & ~(uintptr_t)1), target & 1);
}

/* The place of a target nearby is at hand; another reference waits until its target's place has come to the cache. */
HWRI_INLINE void find_reference(hwri_work *work, void *target, bool reached) {
    hwri_place *place = hwri_model_near(work->model, target);
    if (hwri_likely(place != NULL)) {
        settle(work, place, target, reached);
        return;
    }
    unsigned slot = work->slot++ % HWRI_AHEAD;
    place = hwri_model_place(work->model, target);
    hwri_model_prefetch_place(place);
    settle_slot(work, slot);
    work->places[slot] = place;
    work->targets[slot] = (uintptr_t)target | reached;
}

HWRI_INLINE void found(void *context, void *target) { find_reference(context, target, false); }

/* Found from an object that is reached: so is the target. If it has been visited, its references were counted but not followed. */
HWRI_INLINE void found_and_reach(void *context, void *target) { find_reference(context, target, true); }

/* What has been visited and reached was guessed. */
HWRI_INLINE void visit(void *context, void *object, hwri_place *place) {
    hwri_work *work = context;
    size_t from = 0;
    bool reached = !hwri_model_is_queue && hwri_model_is_reached(place);
    if (hwri_unlikely(reached) && hwri_model_is_visited(place)) return;
    hwri_model_visit(work->model, object, place);
    if (hwri_unlikely(reached)) do
            from = hwri_model_scan(work->model, object, from, found_and_reach, work);
        while (hwri_unlikely(from != 0));
    else
        do from = hwri_model_scan(work->model, object, from, found, work);
        while (hwri_unlikely(from != 0));
}

/* What is guessed to be held is visited first, so that as much as possible is known to be reached when it is visited itself. */
static void guess(void *context, void *object, hwri_place *place) {
    hwri_model_reach(place);
    visit(context, object, place);
}

static void check_guess(void *context, void *object, hwri_place *place) {
    hwri_work *work = context;
    work->wrong |= !hwri_model_is_held(work->model, object, place);
}

/* ---- reaching from what is held ---- */

HWRI_INLINE void reach_if_held(void *context, void *object, hwri_place *place) {
    hwri_work *work = context;
    if (!hwri_model_is_held(work->model, object, place)) {
        hwri_model_not_held(work->model, object);
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

/* ---- reaching in the order of a queue ---- */

/* References wait here as when they are counted. They are followed in the order in which they were found. */
static inline void reach_slot(hwri_work *work, unsigned slot) {
    if (work->places[slot]) reach(work, (void *)work->targets[slot]);
    work->places[slot] = NULL;
}

/* Whether any reference was waiting. */
static bool reach_waiting(hwri_work *work) {
    bool any = false;
    for (unsigned i = 0; i < HWRI_AHEAD; i++) {
        unsigned slot = work->slot++ % HWRI_AHEAD;
        any |= work->places[slot] != NULL;
        reach_slot(work, slot);
    }
    return any;
}

HWRI_INLINE void reach_soon(void *context, void *target) {
    hwri_work *work = context;
    hwri_place *place = hwri_model_near(work->model, target);
    if (place && (!hwri_model_is_in_set(work->model, place) || hwri_model_is_reached(place))) return;
    if (place && hwri_model_is_all_near(work->model)) {
        hwri_model_reach(place);
        hwri_model_enqueue(work->model, target);
        return;
    }
    unsigned slot = work->slot++ % HWRI_AHEAD;
    place = hwri_model_place(work->model, target);
    hwri_model_prefetch_place(place);
    reach_slot(work, slot);
    work->places[slot] = place;
    work->targets[slot] = (uintptr_t)target;
}

/* Nothing may be passed by before what was found so far has been followed. */
HWRI_INLINE void scan_if_reached(void *context, void *object, hwri_place *place) {
    hwri_work *work = context;
    size_t from = 0;
    if (!hwri_model_is_held(work->model, object, place)) {
        if (hwri_model_is_all_near(work->model)) return;
        reach_waiting(work);
        if (!hwri_model_is_held(work->model, object, place)) return;
    }
    do from = hwri_model_scan(work->model, object, from, reach_soon, work);
    while (hwri_unlikely(from != 0));
}

static void reach_in_order(hwri_work *work) {
    memset(work->places, 0, sizeof work->places);
    do hwri_model_each_unreached(work->model, scan_if_reached, work);
    while (reach_waiting(work));
}

/* Reaches everything in the set that is alive. */
static void hwri_find_reached(hwri_model *model) {
    hwri_work work = {.model = model};
    hwri_model_each_guess(model, guess, &work);
    hwri_model_each(model, visit, &work);
    for (unsigned slot = 0; slot < HWRI_AHEAD; slot++) settle_slot(&work, slot);
    if (hwri_model_is_queue) {
        reach_in_order(&work);
        return;
    }
    hwri_model_each_guess(model, check_guess, &work);
    if (work.wrong) forget_guess(&work);
    work_drain(&work);
    hwri_model_each_unreached(model, reach_if_held, &work);
    while (work.overflowed) {
        work.overflowed = false;
        hwri_model_each(model, scan_again, &work);
    }
    hwr_pool_free(hwri_model_memory(model), work.bottom);
}

#endif
