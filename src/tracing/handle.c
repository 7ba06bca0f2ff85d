/* Handles of a tracing heap. */
#include "tracing/life.h"

static hwri_roster *roster_of_kind(hwri_life *life, uint32_t kind) {
    switch (kind) {
    case HWR_HANDLE_WEAK_SHORT:
    case HWRI_HANDLE_OF_VALUE: return &life->shorts;
    case HWR_HANDLE_WEAK_LONG: return &life->longs;
    case HWR_HANDLE_DEPENDENT:
    case HWRI_HANDLE_OF_KEY: return &life->dependents;
    default: return &life->strong;
    }
}

/* ---- for programs ---- */

static hwri_member *enter_handle(hwri_tracing *t, size_t size, void *object, void *second, hwr_handle_kind kind) {
    hwri_roster *roster = roster_of_kind(t->life, kind);
    hwri_member *member = hwri_member_new(t, roster, size);
    if (!member) return NULL;
    member->object = object;
    member->kind = kind;
    if (kind == HWR_HANDLE_DEPENDENT) hwri_dependent_of(member)->second = object ? second : NULL;
    hwri_roster_enter(roster, member);
    return member;
}

hwr_handle *hwri_traced_handle_new(hwr_heap *heap, void *object, void *second, hwr_handle_kind kind) {
    hwri_tracing *t = heap->tracing;
    size_t size = kind == HWR_HANDLE_DEPENDENT ? sizeof(hwri_dependent) : sizeof(hwr_handle);
    struct {
        hwr_frame frame;
        void *object, *second;
    } here = {.object = object, .second = second};
    hwr_frame_push(heap, &here.frame, 2);
    hwri_member *member;
    unsigned attempt = 0;
    do {
        hwri_mutex_lock(&t->lock);
        member = enter_handle(t, size, here.object, here.second, kind);
        hwri_mutex_unlock(&t->lock);
    } while (!member && hwri_make_room(heap, size, &attempt));
    hwr_frame_pop(heap, &here.frame);
    return (hwr_handle *)(void *)member;
}

/* What is not young needs no lock: no collection comes between. */
static void hold_at(hwri_tracing *t, hwri_member *member, void **place, void *object) {
    __atomic_store_n(place, object, __ATOMIC_RELEASE);
    if (!object || !hwri_is_young(t, object)) return;
    hwri_mutex_lock(&t->lock);
    hwri_roster_make_young(roster_of_kind(t->life, member->kind), member);
    hwri_mutex_unlock(&t->lock);
}

void hwri_traced_handle_set(hwri_tracing *t, hwr_handle *handle, void *object) {
    hwri_member *member = &handle->member;
    hold_at(t, member, &member->object, object);
    if (!object && member->kind == HWR_HANDLE_DEPENDENT) hwri_dependent_of(member)->second = NULL;
}

void hwri_traced_handle_set_second(hwri_tracing *t, hwr_handle *handle, void *second) {
    hwri_member *member = &handle->member;
    hold_at(t, member, &hwri_dependent_of(member)->second, member->object ? second : NULL);
}

void hwri_traced_handle_free(hwri_tracing *t, hwr_handle *handle) {
    hwri_member *member = &handle->member;
    hwri_mutex_lock(&t->lock);
    hwri_roster_leave(roster_of_kind(t->life, member->kind), member);
    hwri_mutex_unlock(&t->lock);
    hwr_pool_free(t->heap->blocks, handle);
}

/* ---- in a collection ---- */

static bool names_young(const hwri_tracing *t, const void *object) { return object && hwri_is_young(t, object); }

void hwri_strong_settle(hwri_tracing *t) {
    hwri_roster *roster = &t->life->strong;
    for (uint32_t i = roster->old; i < roster->count; i++)
        if (!names_young(t, roster->items[i]->object)) hwri_roster_make_old(roster, roster->items[i]);
}

void hwri_dependents_clear(hwri_tracing *t) {
    hwri_roster *roster = &t->life->dependents;
    for (uint32_t i = hwri_roster_from(t, roster); i < roster->count;) {
        hwri_member *member = roster->items[i];
        hwri_dependent *d = hwri_dependent_of(member);
        bool is_dead = member->object && !hwri_is_reached(t, member->object);
        if (is_dead && d->map) {
            hwri_weak_map_drop(t, d);
            continue;
        }
        member->object = is_dead || !member->object ? NULL : hwri_where(t, member->object);
        if (!member->object) d->second = NULL;
        if (!names_young(t, member->object) && !names_young(t, d->second) &&
            !(d->map && names_young(t, d->map->member.object)))
            hwri_roster_make_old(roster, member);
        i++;
    }
}

void hwri_weak_handles_clear(hwri_tracing *t, hwri_roster *roster) {
    for (uint32_t i = hwri_roster_from(t, roster); i < roster->count;) {
        hwri_member *member = roster->items[i];
        bool is_dead = member->object && !hwri_is_reached(t, member->object);
        if (is_dead && member->kind == HWRI_HANDLE_OF_VALUE) {
            hwri_weak_map_drop(t, hwri_dependent_of(member));
            continue;
        }
        member->object = is_dead || !member->object ? NULL : hwri_where(t, member->object);
        if (!names_young(t, member->object)) hwri_roster_make_old(roster, member);
        i++;
    }
}
