/* Dependent handles and the entries of weak tables in a collection: second objects are reached when first ones have been.
 *
 * Nearly always the first pass over the handles finds all there is, and the second one nothing more. Where the second finds something there are chains, and what is left *waits*: the first object of each handle gets the mark
 * HWRI_WATCHED, by which the engine tells when it is reached, and a table leads from there to the handles. So the work is linear in handles and objects, in whatever order they lead to each other, as in V8. Without memory for the table
 * there are passes until one finds nothing. */
#include "tracing/life.h"

/* Handles that wait, by what each waits for: its first object, or if that is reached the table that it is an entry of. They hang together by `next`, as those do that need not wait any more. Cost: 8 to 16 bytes a
 * handle, while there are chains. */
typedef struct hwri_waiting {
    hwri_dependent **places; /* NULL: none waits */
    size_t mask;
    hwri_dependent *ready;
} hwri_waiting;

static bool keeps_second(const hwri_tracing *t, const hwri_dependent *d) {
    const void *object = d->handle.member.object;
    return object && hwri_is_reached(t, object) && (!d->map || hwri_is_reached(t, d->map->member.object));
}

static hwri_dependent *undecided_ones(hwri_tracing *t) {
    const hwri_roster *roster = &t->life->dependents;
    hwri_dependent *undecided = NULL;
    for (uint32_t i = hwri_roster_from(t, roster); i < roster->count; i++) {
        hwri_dependent *d = hwri_dependent_of(roster->items[i]);
        if (!d->handle.member.object) continue;
        d->next = undecided;
        undecided = d;
    }
    return undecided;
}

/* Goes through the list once. Returns whether something was found; that is taken out. */
static bool reach_seconds(hwri_tracing *t, hwri_dependent **list) {
    bool found = false;
    for (hwri_dependent **link = list, *d; (d = *link) != NULL;) {
        if (!keeps_second(t, d)) {
            link = &d->next;
            continue;
        }
        *link = d->next;
        if (d->second) hwri_reach(t, &d->second);
        found = true;
    }
    if (found) hwri_reach_all(t);
    return found;
}

static hwri_dependent **place_of_waiting(const hwri_waiting *w, const void *object) {
    return &w->places[(uintptr_t)object * UINT64_C(0x9E3779B97F4A7C15) >> 24 & w->mask];
}

static bool open_waiting(hwri_tracing *t, hwri_waiting *w, const hwri_dependent *list) {
    size_t count = 0, room = 64;
    for (const hwri_dependent *d = list; d; d = d->next) count++;
    while (room < count) room *= 2;
    w->places = hwr_pool_alloc_zeroed(t->heap->scratch, room, sizeof *w->places);
    w->mask = room - 1;
    return w->places != NULL;
}

static void let_wait(hwri_tracing *t, hwri_waiting *w, hwri_dependent *d) {
    void *object = d->handle.member.object;
    if (hwri_is_reached(t, object)) object = d->map->member.object;
    hwri_dependent **place = place_of_waiting(w, object);
    d->next = *place;
    *place = d;
    *hwri_header(object) |= HWRI_WATCHED;
}

/* One that shares the place by chance may be made ready with the others: it waits again. */
void hwri_watched_is_reached(hwri_tracing *t, const void *object) {
    hwri_waiting *w = t->life->undecided;
    if (!w) return;
    for (hwri_dependent **link = place_of_waiting(w, object), *d; (d = *link) != NULL;) {
        if (d->handle.member.object != object && (!d->map || d->map->member.object != object)) {
            link = &d->next;
            continue;
        }
        *link = d->next;
        d->next = w->ready;
        w->ready = d;
    }
}

bool hwri_watches(const hwri_tracing *t) { return t->life->undecided; }

static void reach_as_found(hwri_tracing *t, hwri_waiting *w) {
    t->life->undecided = w;
    while (w->ready) {
        hwri_dependent *d = w->ready;
        w->ready = d->next;
        if (!keeps_second(t, d))
            let_wait(t, w, d);
        else if (d->second)
            hwri_reach(t, &d->second);
        if (!w->ready) hwri_reach_all(t);
    }
    t->life->undecided = NULL;
}

void hwri_dependents_reach(hwri_tracing *t) {
    hwri_dependent *undecided = undecided_ones(t);
    bool more = true;
    for (unsigned pass = 0; more && pass < 2; pass++) more = reach_seconds(t, &undecided);
    if (!more || !undecided) return;
    hwri_waiting waiting = {.ready = undecided};
    if (open_waiting(t, &waiting, undecided)) {
        reach_as_found(t, &waiting);
        hwr_pool_free(t->heap->scratch, waiting.places);
        return;
    }
    while (reach_seconds(t, &undecided)) continue;
}
