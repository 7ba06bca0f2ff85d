/* When to collect what.
 *
 * Everything is marked anew when what is there reaches a target, which is set by what lived the last time. The young are collected when threads have been given two thirds of what is left to the target.
 * With less than a quarter of the target left everything is due, since collections of the young would be many, and each has to look at all roots and cards. */
#include "collector.h"

#include "no_gc.h"
#include "notes.h"
#include "settings.h"

#include <stdlib.h>

static const size_t budget_least = (size_t)16 << 20, budget_most = (size_t)256 << 20;

static size_t live_bytes(void) { return clr_gc.space.old.live + clr_gc.space.large.bytes; }

static size_t held_bytes(void) { return clr_gc.space.old.bytes + clr_gc.space.large.bytes; }

static size_t least_budget(void) { return clr_settings.gen0_size ? clr_settings.gen0_size : budget_least; }

static size_t between(size_t least, size_t bytes, size_t most) {
    return bytes < least ? least : bytes > most ? most : bytes;
}

/* With less room than this below the target everything is due. */
static size_t reserve(void) { return between(least_budget(), clr_gc.target / 4, budget_most); }

static size_t budget_for(size_t live) {
    return between(least_budget(), clr_gc.target > live ? (clr_gc.target - live) / 3 * 2 : 0, budget_most);
}

/* By five quarters more than what lives, less where the user would rather have memory than time; with much less room than some budgets', every collection would be of everything. */
static size_t target_for(size_t live) {
    enum { CONSERVE_MOST = 10 };
    size_t growth = (live + live / 4) / CONSERVE_MOST * (CONSERVE_MOST - clr_settings.conserve);
    size_t least = least_budget() / 2 * 7;
    size_t target = live + (growth > least ? growth : least);
    return clr_settings.conserve ? target : hwri_target_again(target, live, clr_gc.target - clr_gc.target / 64);
}

static size_t limit_asked_for(void) { return clr_settings.hard_limit ? clr_settings.hard_limit : SIZE_MAX; }

void clr_policy_open(void) {
    const char *stress = getenv("HEAPWRIGHT_STRESS");
    clr_gc.stress = clr_gc.until_stress = stress ? (unsigned)strtoul(stress, NULL, 10) : 0;
    clr_gc.limit = limit_asked_for();
    clr_gc.target = target_for(0);
    clr_gc.budget = budget_for(0);
    clr_gc.notice = SIZE_MAX;
}

int clr_policy_refresh_limit(void) {
    uint64_t before = clr_settings.hard_limit;
    pthread_mutex_lock(&clr_gc.lock);
    clr_settings_refresh();
    bool fits = held_bytes() <= limit_asked_for();
    if (fits)
        clr_gc.limit = limit_asked_for();
    else
        clr_settings.hard_limit = before;
    pthread_mutex_unlock(&clr_gc.lock);
    return fits ? CLR_LIMIT_SET : CLR_LIMIT_TOO_LOW;
}

/* Who has collected for it already gets it, though others may have used the budget up meanwhile. */
bool clr_may_give(size_t bytes, bool collected) {
    size_t held = held_bytes();
    if (clr_gc.given > clr_gc.notice) clr_no_gc_given();
    return (collected || clr_gc.given < clr_gc.budget) && held <= clr_gc.limit && bytes <= clr_gc.limit - held;
}

/* Threads take windows that they may not fill. */
bool clr_policy_promise(uint64_t bytes) {
    size_t held = held_bytes(), more = budget_least;
    if (held > clr_gc.limit || bytes > clr_gc.limit - held || bytes > clr_memory_now().total) return false;
    clr_gc.budget = clr_gc.given + (size_t)bytes + (size_t)bytes / 8 + more;
    return true;
}

void clr_policy_promise_ends(void) { clr_gc.budget = budget_for(live_bytes()); }

bool clr_is_full_due(void) {
    pthread_mutex_lock(&clr_gc.lock);
    bool is_due = live_bytes() + reserve() > clr_gc.target;
    pthread_mutex_unlock(&clr_gc.lock);
    return is_due;
}

/* Blocks that are free and not needed before the next collection are given back. */
void clr_policy_after(bool full) {
    size_t live = live_bytes();
    clr_gc.given = 0;
    clr_notes_of_end(full, live, clr_gc.target);
    if (full) clr_gc.target = target_for(live);
    clr_gc.budget = budget_for(live);
    clr_gc.scarce &= clr_gc.space.old.free_blocks << HWRI_BLOCK_SHIFT < clr_gc.budget;
    if (!full || clr_settings.retain) return;
    size_t most = live + clr_gc.budget > clr_gc.target ? live + clr_gc.budget : clr_gc.target;
    hwri_old_trim(&clr_gc.space, (most - live) >> HWRI_BLOCK_SHIFT);
}

bool clr_is_stressed(void) {
    if (!clr_gc.stress || clr_no_gc_runs() || __atomic_sub_fetch(&clr_gc.until_stress, 1, __ATOMIC_RELAXED))
        return false;
    __atomic_store_n(&clr_gc.until_stress, clr_gc.stress, __ATOMIC_RELAXED);
    return true;
}
