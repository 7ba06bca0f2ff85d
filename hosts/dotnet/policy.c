/* When to collect what.
 *
 * The young are collected when threads have been given their budget: a share of what lives, so that going through all blocks is worth it, but at least what fits into the processor's cache. Everything is marked anew when what
 * was left by the last collection has grown beyond a target, which is set by what lived the last time that everything was marked. */
#include "collector.h"

#include "no_gc.h"
#include "notes.h"
#include "settings.h"

#include <stdlib.h>

static const size_t budget_least = (size_t)16 << 20, budget_most = (size_t)256 << 20, growth_least = (size_t)48 << 20;

static size_t live_bytes(void) { return clr_gc.space.old.live + clr_gc.space.large.bytes; }

static size_t held_bytes(void) { return clr_gc.space.old.bytes + clr_gc.space.large.bytes; }

static size_t budget_for(size_t live) {
    size_t least = clr_settings.gen0_size ? clr_settings.gen0_size : budget_least;
    return live / 2 < least ? least : live / 2 > budget_most ? budget_most : live / 2;
}

static size_t target_for(size_t live) { return live + (live > growth_least ? live : growth_least); }

void clr_policy_open(void) {
    const char *stress = getenv("HEAPWRIGHT_STRESS");
    clr_gc.stress = clr_gc.until_stress = stress ? (unsigned)strtoul(stress, NULL, 10) : 0;
    clr_gc.limit = clr_settings.hard_limit ? clr_settings.hard_limit : SIZE_MAX;
    clr_gc.budget = budget_for(0);
    clr_gc.notice = SIZE_MAX;
    clr_gc.target = target_for(0);
}

/* Who has collected for it already gets it, though others may have used the budget up meanwhile. */
bool clr_may_give(size_t bytes, bool collected) {
    size_t held = held_bytes();
    if (clr_gc.given > clr_gc.notice) clr_no_gc_given();
    return (collected || clr_gc.given < clr_gc.budget) && held <= clr_gc.limit && bytes <= clr_gc.limit - held;
}

/* Threads take blocks that they may not fill. */
bool clr_policy_promise(uint64_t bytes) {
    size_t held = held_bytes(), more = budget_least;
    if (held > clr_gc.limit || bytes > clr_gc.limit - held || bytes > clr_memory_now().total) return false;
    clr_gc.budget = clr_gc.given + (size_t)bytes + (size_t)bytes / 8 + more;
    return true;
}

void clr_policy_promise_ends(void) { clr_gc.budget = budget_for(live_bytes()); }

bool clr_is_full_due(void) {
    pthread_mutex_lock(&clr_gc.lock);
    bool is_due = live_bytes() > clr_gc.target;
    pthread_mutex_unlock(&clr_gc.lock);
    return is_due;
}

/* Blocks that are free and not needed before the next collection are given back. */
void clr_policy_after(bool full) {
    size_t live = live_bytes();
    clr_gc.given = 0;
    clr_gc.budget = budget_for(live);
    clr_notes_of_end(full, live, clr_gc.target);
    if (!full) return;
    clr_gc.target = target_for(live);
    hwri_old_trim(&clr_gc.space,
                  clr_settings.retain ? SIZE_MAX : (clr_gc.target - live + clr_gc.budget) >> HWRI_BLOCK_SHIFT);
}

bool clr_is_stressed(void) {
    if (!clr_gc.stress || clr_no_gc_runs() || __atomic_sub_fetch(&clr_gc.until_stress, 1, __ATOMIC_RELAXED))
        return false;
    __atomic_store_n(&clr_gc.until_stress, clr_gc.stress, __ATOMIC_RELAXED);
    return true;
}
