/* pauses: a record of how long collections stopped the program. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "pauses.h"

#include "clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

/* The latest pauses, in a ring: a program collects for as long as it lives, and nobody may ever ask. Most young collections take some
 * microseconds and would soon have driven out what is looked for, so they are counted only.
 *
 * From 3.12 on several interpreters may collect at once, and there is no lock that a fork could leave locked. A writer takes a number,
 * which gives it its slot; the slot has that number once it is complete, and none while it is written. A reader that finds a number changed under its eyes
 * leaves the slot out. A pause costs two looks at the clock and some ten stores; the ring has 32 KiB, in memory from the first use on. */
static struct {
    atomic_uint_least64_t count, took, longest, kept;
    struct slot {
        atomic_uint_least64_t number, start, took;
        atomic_int generation, kind;
    } slots[HWRI_PAUSES_KEPT];
} p;

#define GET(field) atomic_load_explicit(&(field), memory_order_relaxed)
#define SET(field, value) atomic_store_explicit(&(field), value, memory_order_relaxed)
#define ADD(field, value) atomic_fetch_add_explicit(&(field), value, memory_order_relaxed)

static void forget(void) { memset(&p, 0, sizeof p); }

void hwri_pauses_open(void) { pthread_atfork(NULL, NULL, forget); }

static void raise_longest(uint64_t took) {
    uint64_t longest = GET(p.longest);
    while (took > longest && !atomic_compare_exchange_weak(&p.longest, &longest, took)) continue;
}

static void keep(const hwri_pause *pause) {
    uint64_t number = ADD(p.kept, 1) + 1;
    struct slot *slot = &p.slots[number % HWRI_PAUSES_KEPT];
    SET(slot->number, 0);
    atomic_thread_fence(memory_order_release);
    SET(slot->start, pause->start);
    SET(slot->took, pause->took);
    SET(slot->generation, pause->generation);
    SET(slot->kind, (int)pause->kind);
    atomic_store_explicit(&slot->number, number, memory_order_release);
}

void hwri_pauses_add(hwri_pause *pause) {
    pause->took = hwri_now() - pause->start;
    ADD(p.count, 1);
    ADD(p.took, pause->took);
    raise_longest(pause->took);
    if (pause->took >= hwri_least_pause_kept) keep(pause);
}

size_t hwri_pauses_get(hwri_pause *pauses, struct hwri_pauses_sum *sum) {
    size_t count = 0;
    uint64_t last = pauses != NULL ? GET(p.kept) : 0;
    for (uint64_t number = last > HWRI_PAUSES_KEPT ? last - HWRI_PAUSES_KEPT + 1 : 1; number <= last; number++) {
        struct slot *slot = &p.slots[number % HWRI_PAUSES_KEPT];
        if (atomic_load_explicit(&slot->number, memory_order_acquire) != number) continue;
        pauses[count] = (hwri_pause){GET(slot->start), GET(slot->took), GET(slot->generation),
                                     (enum hwri_pause_kind)GET(slot->kind)};
        atomic_thread_fence(memory_order_acquire);
        if (GET(slot->number) == number) count++;
    }
    *sum = (struct hwri_pauses_sum){GET(p.count), GET(p.took), GET(p.longest)};
    return count;
}
