/* recent: the youngest of the old objects, which are collected by themselves, too.
 *
 * A full collection of a large heap is expensive wherever it is done, and what a service keeps for a while, a session or a queue, is old before it dies.
 * So in a large heap what has survived the middle generation is `recent` at first. When that is enough, a round ends: it and what is left of the rounds
 * before, the `aging`, are examined as CPython examines a young generation, references from elsewhere being held to be alive. What survives is aging; of
 * that the oldest is old from then on, so that a round examines two rounds' objects at most. To everybody else they all belong to the oldest
 * generation: whoever looks into that has them settled there first. The garbage is condemned, to be cleared in the slices of the following collections; what of it is
 * still there in the next examination is cleared then, however long that takes.
 *
 * Where little dies, as in a program that builds something, an examination is in vain. The following rounds end without one until fifty times as
 * long has passed, the aging becoming old and the recent aging. */
#include "recent.h"

enum { LITTLE = 8 /* one in so many */, TIMES_AS_LONG = 50 };
static const uint64_t longest_wanted = 8000000;

/* Of the main interpreter. A round is as many objects as can be examined in the time wanted, by the last examination. */
static uint64_t not_before;
static Py_ssize_t round_size;
static struct hwri_recent_done done;

const struct hwri_recent_done *hwri_recent_done(void) { return &done; }

Py_ssize_t hwri_recent_round(void) { return round_size; }

static void pass_by(hwri_takeover *t) {
    hwri_list_merge(&t->generations[HWRI_FULL], &t->aging);
    hwri_list_merge(&t->aging, &t->recent);
}

/* The first in a list are the oldest, or nearly so. */
static void let_grow_old(hwri_takeover *t, Py_ssize_t surplus) {
    for (; surplus > 0 && !hwri_list_is_empty(&t->aging); surplus--)
        hwri_list_move(&t->generations[HWRI_FULL], hwri_next(&t->aging));
}

/* An examination is of two rounds' objects. What an object takes depends on how far apart they lie, six times as much in one program as in
 * another. But of rounds that are too small everything outlives two. */
static void set_round(Py_ssize_t examined, uint64_t took) {
    round_size = (Py_ssize_t)((uint64_t)examined * longest_wanted / (took + 1) / 2);
}

static void examine(hwri_takeover *t) {
    PyGC_Head examined;
    hwri_clear_condemned(t, HWRI_NEVER);
    Py_ssize_t before = t->collected;
    hwri_list_open(&examined);
    hwri_list_merge(&examined, &t->aging);
    hwri_list_merge(&examined, &t->recent);
    Py_ssize_t alive = hwri_collect_candidates(t, &examined, &t->aging, HWRI_UNTRACK_TUPLES);
    Py_ssize_t collected = t->collected - before, *pending = &t->gc->long_lived_pending;
    let_grow_old(t, alive - round_size);
    *pending -= collected < *pending ? collected : *pending;
    done.examined++;
    done.collected += (unsigned long long)collected;
    bool in_vain = collected < (alive + collected) / LITTLE;
    uint64_t now = hwri_now(), took = now - t->pause.start;
    not_before = in_vain ? now + took * TIMES_AS_LONG : 0;
    if (took > done.longest) done.longest = took;
    set_round(alive + collected, took);
}

void hwri_recent_collect(hwri_takeover *t, Py_ssize_t least, Py_ssize_t most) {
    if (round_size < least) round_size = least;
    if (round_size > most) round_size = most;
    if (t->recent_count < round_size) return;
    t->recent_count = 0;
    done.rounds++;
    if (hwri_now() < not_before)
        pass_by(t);
    else
        examine(t);
}
