/* Rosters: see tracing/life.h. */
#include "tracing/life.h"

enum { LEAST_ROSTER = 16 };

bool hwri_roster_reserve(hwri_tracing *t, hwri_roster *roster) {
    if (roster->count < roster->room) return true;
    if (roster->room > UINT32_MAX / 2) return false;
    uint32_t room = roster->room ? roster->room * 2 : LEAST_ROSTER;
    hwri_member **items = hwr_pool_realloc(t->heap->blocks, roster->items, room * sizeof *items);
    if (!items) return false;
    roster->items = items;
    roster->room = room;
    return true;
}

static void seat(hwri_roster *roster, hwri_member *member, uint32_t index) {
    roster->items[index] = member;
    member->index = index;
}

static void change_seats(hwri_roster *roster, hwri_member *member, uint32_t index) {
    seat(roster, roster->items[index], member->index);
    seat(roster, member, index);
}

void hwri_roster_enter(hwri_roster *roster, hwri_member *member) { seat(roster, member, roster->count++); }

void hwri_roster_make_old(hwri_roster *roster, hwri_member *member) {
    if (member->index >= roster->old) change_seats(roster, member, roster->old++);
}

void hwri_roster_make_young(hwri_roster *roster, hwri_member *member) {
    if (member->index < roster->old) change_seats(roster, member, --roster->old);
}

void hwri_roster_leave(hwri_roster *roster, hwri_member *member) {
    hwri_roster_make_young(roster, member);
    change_seats(roster, member, --roster->count);
}

void hwri_roster_close(hwri_tracing *t, hwri_roster *roster) {
    for (uint32_t i = 0; i < roster->count; i++) hwr_pool_free(t->heap->blocks, roster->items[i]);
    hwr_pool_free(t->heap->blocks, roster->items);
    *roster = (hwri_roster){0};
}

void *hwri_member_new(hwri_tracing *t, hwri_roster *roster, size_t size) {
    return hwri_roster_reserve(t, roster) ? hwr_pool_alloc_zeroed(t->heap->blocks, 1, size) : NULL;
}
