/* young: automatic collections of the younger generations in a program with many objects.
 *
 * A program that builds something large makes objects that all stay, and examining each of them twice before it is old takes as long as making them.
 * So after a round (collections of the youngest generation and the one of the middle generation that follows them) in which hardly anything died, the
 * objects of some rounds become old unexamined: of 1 round, then of 3, of 7, and from then on of 15 at a time. A round in which more dies ends
 * that. What dies in cycles meanwhile is old garbage like any other. */
#include "young.h"

enum { MIDDLE = HWRI_FULL - 1, MOST_UNEXAMINED = 15, HARDLY_ANY = 64 /* one in so many */ };

/* Of the main interpreter. `stretch` is how many rounds were to be passed by last. */
static struct {
    unsigned to_pass, stretch;
    Py_ssize_t collected;
    unsigned long long passed;
} rounds;

unsigned long long hwri_young_passed(void) { return rounds.passed; }

void hwri_young_pass_by(hwri_takeover *t) {
    t->collected = t->uncollectable = 0;
    rounds.passed++;
    hwri_list_merge(&t->generations[MIDDLE], &t->generations[HWRI_YOUNGEST]);
    if (t->generation < MIDDLE) return;
    hwri_takeover_promote(t, &t->generations[MIDDLE], hwri_list_length(&t->generations[MIDDLE]));
}

static bool hardly_any_died(const hwri_gc_state *gc) {
    return rounds.collected <=
           (Py_ssize_t)gc->generations[HWRI_YOUNGEST].threshold * gc->generations[MIDDLE].threshold / HARDLY_ANY;
}

static void end_round(const hwri_gc_state *gc) {
    if (rounds.to_pass != 0) {
        rounds.to_pass--;
        return;
    }
    rounds.stretch = hardly_any_died(gc) ? rounds.stretch * 2 + 1 : 0;
    if (rounds.stretch > MOST_UNEXAMINED) rounds.stretch = MOST_UNEXAMINED;
    rounds.to_pass = rounds.stretch;
    rounds.collected = 0;
}

void hwri_young_collect(hwri_takeover *t) {
    if (rounds.to_pass != 0) {
        hwri_young_pass_by(t);
    } else {
        hwri_collect_in_place(t);
        rounds.collected += t->collected;
    }
    if (t->generation == MIDDLE) end_round(t->gc);
}
