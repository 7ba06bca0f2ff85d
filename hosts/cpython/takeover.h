/* takeover.h: heapwright in the place of CPython's cycle collector, interpreter by interpreter. */
#ifndef HWRI_CPYTHON_TAKEOVER_H
#define HWRI_CPYTHON_TAKEOVER_H

#include "gc_list.h"

#include "clock.h"
#include "find.h"
#include "install.h"
#include "pauses.h"

/* The object by which an interpreter's own collector calls ours. It refers to itself and nothing else does, so that each
 * collection finds it to be garbage and runs its finalizer, which is our collection; that brings it back. */
struct hwri_sentinel {
    PyGC_Head head;
    PyObject object;
    struct hwri_takeover *owner;
};

/* Stands in for the list of the user's callbacks at the end of a collection that has any: CPython calls its one item, which
 * puts our figures in the place of CPython's, calls the user's first callback and gives the user's list back to CPython,
 * which goes on with the second. */
struct hwri_stand_in {
    PyListObject list;
    PyObject *items[1];
    struct hwri_stand_in_call {
        PyObject object;
        vectorcallfunc call;
        struct hwri_takeover *owner;
    } call;
    PyObject *users; /* the user's list meanwhile, otherwise NULL */
};

/* An interpreter whose collector is ours.
 *
 * The tracked objects are in our lists, since gc->generation0, to which CPython appends every new one, leads to ours; its own
 * lists hold nothing but a sentinel. All else stays CPython's: thresholds, counts, when to collect and which generation, the
 * calls of callbacks, free lists, statistics. The bits of gc->debug that make it print lines are kept here. One of the two
 * sentinels is always in CPython's youngest generation; the other was there before, and is in an older one. Never freed:
 * objects that outlive their interpreter still unlink themselves from our lists. */
typedef struct hwri_takeover {
    PyGC_Head generations[HWRI_GENERATIONS], permanent;
    PyGC_Head recent, aging; /* the youngest of the oldest generation (recent.c) */
    Py_ssize_t recent_count; /* how many became recent since that was last collected */
    bool sorts_recent;       /* what survives the middle generation is recent */
    PyGC_Head condemned; /* proved to be garbage, and not cleared yet: in no generation, since nothing can reach it */
    hwri_gc_state *gc;
    struct hwri_sentinel sentinels[2];
    struct hwri_stand_in stand_in;
    int generation;      /* that is being collected */
    Py_ssize_t pending;  /* gc->long_lived_pending before that; CPython adds its sentinel to it */
    Py_ssize_t total;    /* gc->long_lived_total before that */
    int full_due;        /* gc->generations[HWRI_FULL].count after the collection before this one */
    bool asked;          /* gc.collect() is running */
    bool untracks_dicts; /* in this collection, though it is not a full one */
    int debug;
    bool frozen;
    bool busy; /* in a collection; an interpreter that ends may try another in the middle of it */
    Py_ssize_t collected, uncollectable; /* by the last collection */
    hwri_pause pause;                    /* that it makes */
} hwri_takeover;

enum { HWRI_DEBUG_STATS = 1, HWRI_DEBUG_COLLECTABLE = 2, HWRI_DEBUG_UNCOLLECTABLE = 4, HWRI_DEBUG_SAVEALL = 32 };
enum { HWRI_DEBUG_OURS = HWRI_DEBUG_STATS | HWRI_DEBUG_COLLECTABLE };

/* The running interpreter's, or NULL if its collector is its own. */
hwri_takeover *hwri_takeover_of_caller(void);

/* Takes over the running interpreter, if that has not been done. */
void hwri_takeover_enter(void);

/* Puts the recent and the aging with the other old objects. */
void hwri_takeover_settle(hwri_takeover *takeover);

/* Objects that have survived the middle generation: adds a list of so many to the oldest one. */
void hwri_takeover_promote(hwri_takeover *takeover, PyGC_Head *list, Py_ssize_t count);

/* Whether all objects that the interpreter's may refer to are in its own generations: none is frozen or condemned, and there has never been
 * another interpreter. */
bool hwri_takeover_is_whole(const hwri_takeover *takeover);

/* A collection of takeover->generation and the younger ones (collector.c). */
void hwri_collect_in_place(hwri_takeover *takeover);

/* Of a list of old objects, taken from wherever they were: condemns what is garbage, and adds the others to `alive`, untracking some. Returns
 * how many these are. */
Py_ssize_t hwri_collect_candidates(hwri_takeover *takeover, PyGC_Head *candidates, PyGC_Head *alive,
                                   enum hwri_untracking untracking);

/* Clears what is condemned until a time; HWRI_NEVER: all of it. Returns how many objects that were. */
#define HWRI_NEVER UINT64_MAX
size_t hwri_clear_condemned(hwri_takeover *takeover, uint64_t until);

/* The functions of module gc (gc_module.c). False if they are not those that we know. */
bool hwri_gc_module_replace(void);

#endif
