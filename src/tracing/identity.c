/* Ids and weak references of a tracing heap. */
#include "tracing/life.h"

/* ---- identities ---- */

hwri_identity *hwri_identity_find(const hwri_tracing *t, const void *object) {
    if (!(hwri_header_now(object) & HWRI_HAS_ID)) return NULL;
    const uintptr_t *found = hwri_side_find(&t->life->by_address, object);
    return found ? (hwri_identity *)*found : NULL;
}

hwri_identity *hwri_identity_of(hwri_tracing *t, void *object) {
    hwri_life *life = t->life;
    hwri_identity *identity = hwri_identity_find(t, object);
    if (identity) return identity;
    identity = hwri_member_new(t, &life->identities, sizeof *identity);
    uintptr_t *place = identity ? hwri_side_add(&life->by_address, object) : NULL;
    if (!place) {
        hwr_pool_free(t->heap->blocks, identity);
        return NULL;
    }
    *place = (uintptr_t)identity;
    identity->member.object = object;
    identity->id = ++life->last_id;
    hwri_roster_enter(&life->identities, &identity->member);
    __atomic_fetch_or(hwri_header(object), HWRI_HAS_ID, __ATOMIC_RELAXED);
    return identity;
}

uint64_t hwri_traced_id(hwr_heap *heap, const void *object) {
    hwri_tracing *t = heap->tracing;
    struct {
        hwr_frame frame;
        void *object;
    } here = {.object = (void *)(uintptr_t)object};
    hwr_frame_push(heap, &here.frame, 1);
    uint64_t id = 0;
    unsigned attempt = 0;
    do {
        hwri_mutex_lock(&t->lock);
        const hwri_identity *identity = hwri_identity_of(t, here.object);
        if (identity) id = identity->id;
        hwri_mutex_unlock(&t->lock);
    } while (!id && hwri_make_room(heap, sizeof(hwri_identity), &attempt));
    hwr_frame_pop(heap, &here.frame);
    return id;
}

/* No object comes to lie where another one that has an id lay before, so the order does not matter; and what is taken out makes room for what is put in. */
static void move_identity(hwri_life *life, hwri_identity *identity, void *to) {
    hwri_side_remove(&life->by_address, identity->member.object);
    if (to) *hwri_side_add(&life->by_address, to) = (uintptr_t)identity;
    identity->member.object = to;
}

void hwri_identities_move(hwri_tracing *t) {
    hwri_life *life = t->life;
    hwri_roster *roster = &life->identities;
    for (uint32_t i = hwri_roster_from(t, roster); i < roster->count;) {
        hwri_member *member = roster->items[i];
        void *to = hwri_is_reached(t, member->object) ? hwri_where(t, member->object) : NULL;
        if (to != member->object) move_identity(life, (hwri_identity *)(void *)member, to);
        if (!to) {
            hwri_roster_leave(roster, member);
            hwr_pool_free(t->heap->blocks, member);
            continue;
        }
        if (!hwri_is_young(t, to)) hwri_roster_make_old(roster, member);
        i++;
    }
}

/* ---- weak references ---- */

static hwr_weak *weak_of(const hwri_weak_link *link) { return link->member.object; }

static hwri_weak_link *link_of(const hwr_weak *weak) { return weak->target; }

/* The one without callback comes first, the others behind it, newest first. */
static void insert_link(hwri_identity *identity, hwri_weak_link *link) {
    hwri_weak_link *first = identity->weaks;
    hwri_weak_link *shared = first && !weak_of(first)->callback ? first : NULL;
    hwri_weak_link **place = shared ? &shared->next : &identity->weaks;
    link->identity = identity;
    link->previous = shared;
    link->next = *place;
    if (link->next) link->next->previous = link;
    *place = link;
}

static void unlink_link(hwri_weak_link *link) {
    if (!link->identity) return;
    *(link->previous ? &link->previous->next : &link->identity->weaks) = link->next;
    if (link->next) link->next->previous = link->previous;
}

static hwr_weak *shared_weak(const hwri_tracing *t, const void *object) {
    const hwri_identity *identity = hwri_identity_find(t, object);
    const hwri_weak_link *first = identity ? identity->weaks : NULL;
    return first && !weak_of(first)->callback ? weak_of(first) : NULL;
}

static bool refer(hwri_tracing *t, hwr_weak *weak, void *object) {
    hwri_identity *identity = hwri_identity_of(t, object);
    hwri_weak_link *link = identity ? hwri_member_new(t, &t->life->links, sizeof *link) : NULL;
    if (!link) return false;
    link->member.object = weak;
    weak->target = link;
    insert_link(identity, link);
    hwri_roster_enter(&t->life->links, &link->member);
    return true;
}

/* The locals of somebody who makes a weak reference, and the lock held as far as it says. */
typedef struct weak_locals {
    hwr_frame frame;
    void *object, *argument;
    hwr_weak *weak;
} weak_locals;

static hwr_weak *find_shared(hwri_tracing *t, const void *object) {
    hwri_mutex_lock(&t->lock);
    hwr_weak *shared = shared_weak(t, object);
    hwri_mutex_unlock(&t->lock);
    return shared;
}

/* Another thread may have made the one without callback meanwhile: then that is taken. */
static bool enter_weak(hwri_tracing *t, weak_locals *here, hwr_weak_callback callback) {
    hwri_mutex_lock(&t->lock);
    hwr_weak *shared = callback ? NULL : shared_weak(t, here->object);
    bool entered = shared || refer(t, here->weak, here->object);
    if (shared) here->weak = shared;
    hwri_mutex_unlock(&t->lock);
    return entered;
}

static hwr_weak *make_weak(hwr_heap *heap, weak_locals *here, hwr_weak_callback callback) {
    hwr_weak *shared = callback ? NULL : find_shared(heap->tracing, here->object);
    if (shared) return shared;
    here->weak = hwr_new(heap, &hwri_weak_type);
    if (!here->weak) return NULL;
    here->weak->callback = callback;
    hwr_set(heap, here->weak, &here->weak->argument, here->argument);
    unsigned attempt = 0;
    while (!enter_weak(heap->tracing, here, callback))
        if (!hwri_make_room(heap, sizeof(hwri_weak_link), &attempt)) return NULL;
    return here->weak;
}

hwr_weak *hwri_traced_weak_new(hwr_heap *heap, void *object, hwr_weak_callback callback, void *argument) {
    weak_locals here = {.object = object, .argument = argument};
    hwr_frame_push(heap, &here.frame, 3);
    hwr_weak *weak = make_weak(heap, &here, callback);
    hwr_frame_pop(heap, &here.frame);
    return weak;
}

void *hwri_traced_weak_get(const hwr_weak *weak) {
    const hwri_weak_link *link = link_of(weak);
    return link && link->identity ? link->identity->member.object : NULL;
}

size_t hwri_traced_weak_count(hwr_heap *heap, const void *object) {
    hwri_tracing *t = heap->tracing;
    hwri_mutex_lock(&t->lock);
    const hwri_identity *identity = hwri_identity_find(t, object);
    size_t count = 0;
    for (const hwri_weak_link *link = identity ? identity->weaks : NULL; link; link = link->next) count++;
    hwri_mutex_unlock(&t->lock);
    return count;
}

/* ---- weak references in a collection ---- */

static void call_later(hwri_life *life, hwri_weak_link *link) {
    link->calls = true;
    *life->calls_end = link;
    life->calls_end = &link->next;
}

static size_t clear_links(hwri_tracing *t, hwri_identity *identity) {
    size_t calls = 0;
    for (hwri_weak_link *link = identity->weaks, *next; link; link = next) {
        next = link->next;
        link->identity = NULL;
        link->next = link->previous = NULL;
        if (!hwri_is_reached(t, weak_of(link))) continue;
        const hwr_weak *weak = hwri_where(t, weak_of(link));
        if (!weak->callback) continue;
        call_later(t->life, link);
        calls++;
    }
    identity->weaks = NULL;
    return calls;
}

size_t hwri_weak_links_clear(hwri_tracing *t) {
    const hwri_roster *roster = &t->life->identities;
    size_t calls = 0;
    for (uint32_t i = hwri_roster_from(t, roster); i < roster->count; i++)
        if (!hwri_is_reached(t, roster->items[i]->object))
            calls += clear_links(t, (hwri_identity *)(void *)roster->items[i]);
    return calls;
}

void hwri_weak_links_end(hwri_tracing *t) {
    hwri_roster *roster = &t->life->links;
    for (uint32_t i = hwri_roster_from(t, roster); i < roster->count;) {
        hwri_member *member = roster->items[i];
        if (!hwri_is_reached(t, member->object)) {
            unlink_link((hwri_weak_link *)(void *)member);
            hwri_roster_leave(roster, member);
            hwr_pool_free(t->heap->blocks, member);
            continue;
        }
        member->object = hwri_where(t, member->object);
        if (!hwri_is_young(t, member->object)) hwri_roster_make_old(roster, member);
        i++;
    }
}

void hwri_weak_links_roots(hwri_tracing *t, hwri_slot_visit visit, void *context) {
    for (hwri_weak_link *link = t->life->calls; link; link = link->next) visit(context, &link->member.object);
    for (hwri_weak_link *link = t->life->called; link; link = link->next) visit(context, &link->member.object);
}

/* ---- calling back ---- */

static hwri_weak_link *next_to_call(hwri_tracing *t) {
    hwri_life *life = t->life;
    hwri_mutex_lock(&t->lock);
    hwri_weak_link *link = life->calls;
    if (link) {
        life->calls = link->next;
        if (!life->calls) life->calls_end = &life->calls;
        link->next = life->called;
        life->called = link;
        t->heap->counters.weak_callbacks++;
    }
    hwri_mutex_unlock(&t->lock);
    return link;
}

/* It will never be called again, so its argument is let go. */
static void call_is_over(hwri_tracing *t, hwri_weak_link *link) {
    hwri_mutex_lock(&t->lock);
    hwri_weak_link **place = &t->life->called;
    while (*place != link) place = &(*place)->next;
    *place = link->next;
    link->next = NULL;
    link->calls = false;
    weak_of(link)->callback = NULL;
    weak_of(link)->argument = NULL;
    hwri_mutex_unlock(&t->lock);
}

void hwri_weak_links_call(hwri_tracing *t) {
    for (hwri_weak_link *link; (link = next_to_call(t)) != NULL;) {
        hwr_weak *weak = weak_of(link);
        weak->callback(t->heap, weak, weak->argument);
        call_is_over(t, link);
    }
}
