/* Handles, weak references and finalizers in a collection: what is done with all of them, in the order that .NET does it. */
#include "tracing/life.h"

bool hwri_life_open(hwri_tracing *t, const hwr_options *options) {
    hwri_life *life = hwr_pool_alloc_zeroed(t->heap->blocks, 1, sizeof *life);
    if (!life) return false;
    t->life = life;
    life->by_address.pool = t->heap->blocks;
    life->calls_end = &life->calls;
    life->manual = options->manual_finalizers;
    hwri_finalizers_open(life);
    return true;
}

void hwri_life_close(hwri_tracing *t) {
    hwri_life *life = t->life;
    if (!life) return;
    hwri_finalizers_stop(t);
    hwri_weak_maps_close(t);
    hwri_roster *rosters[] = {&life->strong, &life->shorts,     &life->longs, &life->dependents,
                              &life->maps,   &life->identities, &life->links, &life->finalizables};
    for (size_t i = 0; i < sizeof rosters / sizeof *rosters; i++) hwri_roster_close(t, rosters[i]);
    hwri_side_clear(&life->by_address);
    pthread_cond_destroy(&life->done);
    pthread_cond_destroy(&life->work);
    t->life = NULL;
    hwr_pool_free(t->heap->blocks, life);
}

void hwri_life_pins(hwri_tracing *t, void (*pin)(hwri_tracing *t, void *object)) {
    const hwri_roster *roster = &t->life->strong;
    for (uint32_t i = hwri_roster_from(t, roster); i < roster->count; i++) {
        const hwri_member *member = roster->items[i];
        if (member->kind == HWR_HANDLE_PINNED && member->object) pin(t, member->object);
    }
}

void hwri_life_roots(hwri_tracing *t, hwri_slot_visit visit, void *context) {
    const hwri_roster *roster = &t->life->strong;
    for (uint32_t i = hwri_roster_from(t, roster); i < roster->count; i++) visit(context, &roster->items[i]->object);
    hwri_weak_links_roots(t, visit, context);
    hwri_finalizers_roots(t, visit, context);
}

void hwri_life_before(hwri_tracing *t) { t->life->batch = t->life->queue.end; }

static void clear_weak_ones(hwri_tracing *t) {
    hwri_life *life = t->life;
    if (!hwri_roster_any(t, &life->shorts) && !hwri_roster_any(t, &life->identities)) return;
    hwri_emit(t->heap, HWR_EVENT_WEAK_BEGIN, (uint64_t)t->generation, 0);
    hwri_weak_handles_clear(t, &life->shorts);
    size_t calls = hwri_weak_links_clear(t);
    hwri_emit(t->heap, HWR_EVENT_WEAK_END, (uint64_t)t->generation, calls);
}

static void see_to_finalizers(hwri_tracing *t) {
    bool any = hwri_finalizers_any(t);
    size_t before = t->life->queued;
    if (any) hwri_emit(t->heap, HWR_EVENT_FINALIZE_BEGIN, (uint64_t)t->generation, 0);
    hwri_finalizers_note_returned(t);
    if (hwri_finalizers_queue(t)) hwri_dependents_reach(t);
    if (any) hwri_emit(t->heap, HWR_EVENT_FINALIZE_END, (uint64_t)t->generation, t->life->queued - before);
}

/* After a collection of the young, a full one comes here a second time, when it has marked. */
void hwri_life_after(hwri_tracing *t) {
    hwri_dependents_reach(t);
    clear_weak_ones(t);
    see_to_finalizers(t);
    hwri_weak_handles_clear(t, &t->life->longs);
    hwri_weak_maps_end(t);
    hwri_dependents_clear(t);
    hwri_identities_move(t);
    hwri_weak_links_end(t);
    hwri_finalizers_move(t);
    hwri_strong_settle(t);
}

void hwri_life_done(hwri_tracing *t) {
    const hwri_mutator *me = hwri_mutator_here(t->heap);
    hwri_finalizers_wake(t);
    if (me && me->quiet)
        __atomic_store_n(&t->life->behind, true, __ATOMIC_RELAXED);
    else
        hwri_weak_links_call(t);
}

bool hwri_life_is_behind(const hwri_tracing *t) { return __atomic_load_n(&t->life->behind, __ATOMIC_RELAXED); }

void hwri_life_catch_up(hwri_tracing *t, const hwri_mutator *me) {
    if (!hwri_life_is_behind(t) || me->quiet) return;
    __atomic_store_n(&t->life->behind, false, __ATOMIC_RELAXED);
    hwri_weak_links_call(t);
}

/* ---- verification ---- */

static const char *roster_problem(const hwri_tracing *t, const hwri_roster *roster) {
    if (roster->old > roster->count || roster->count > roster->room) return "a table of handles is damaged";
    for (uint32_t i = 0; i < roster->count; i++) {
        const hwri_member *member = roster->items[i];
        if (member->index != i) return "a handle is not where it belongs";
        if (!member->object) continue;
        if (i < roster->old && hwri_is_young(t, member->object)) return "a handle of a young object is among the old";
        if (hwri_object_at(t, (uintptr_t)member->object) != member->object)
            return "a handle does not lead to an object of the heap";
    }
    return NULL;
}

static const char *identity_problem(const hwri_tracing *t) {
    const hwri_roster *roster = &t->life->identities;
    if (t->life->by_address.count != roster->count) return "the table of ids has not as many as there are";
    for (uint32_t i = 0; i < roster->count; i++) {
        const hwri_identity *identity = (const hwri_identity *)(const void *)roster->items[i];
        if (hwri_identity_find(t, identity->member.object) != identity) return "an object's id is lost";
        for (const hwri_weak_link *link = identity->weaks, *previous = NULL; link; previous = link, link = link->next)
            if (link->identity != identity || link->previous != previous) return "a list of weak references is damaged";
    }
    return NULL;
}

const char *hwri_life_problem(hwri_tracing *t) {
    const hwri_life *life = t->life;
    const hwri_roster *rosters[] = {&life->strong, &life->shorts,     &life->longs, &life->dependents,
                                    &life->maps,   &life->identities, &life->links, &life->finalizables};
    const char *problem = NULL;
    for (size_t i = 0; i < sizeof rosters / sizeof *rosters && !problem; i++) problem = roster_problem(t, rosters[i]);
    return problem ? problem : identity_problem(t);
}
