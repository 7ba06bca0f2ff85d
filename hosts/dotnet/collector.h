/* collector.h: the managed heap, and collecting it. Which file does what:
 *   layout.h, model.h     objects as the spaces and the engine of src/tracing see them
 *   objects.c      the spaces, and what may be asked of an address
 *   allocate.c     windows that threads allocate from, and large objects
 *   collect.c      what a collection does, one thing after the other
 *   cards.c        where old objects may refer to young ones
 *   policy.c       when to collect what */
#ifndef CLR_COLLECTOR_H
#define CLR_COLLECTOR_H

#include "clr.h"
#include "space.h"
#include "tracing/space.h"

#include <pthread.h>

/* Bytes of the longest window that a thread gets at a time: it is zeroed when it is given, and should still be in the cache when it is used. */
enum { CLR_WINDOW = 8192 };

/* What a thread allocates from, beyond the window that its context shows to compiled code: the rest of a hole and of a block. Its address is in the context. One whose thread is gone is
 * not seen by the next collection, and freed. */
typedef struct clr_room {
    hwri_room room;
    struct clr_room *next;
    uint64_t allocated; /* bytes, in windows and for small objects, from its start on; only its thread adds to it */
    uint64_t told;      /* of those, what is in clr_gc.given; with the lock */
    bool seen;
} clr_room;

enum { CLR_MAX_GENERATION = 2 };

/* In hwri_large: it was asked for as pinned. */
enum { CLR_TAG_PINNED = 1 };

/* Objects are *young* until a collection has marked them. Marks stay until everything is marked anew, so a collection of the young looks at nothing that is marked already, but where cards say that something was stored. */
typedef struct clr_collector {
    hwri_space space; /* `lock` guards it while threads run */
    pthread_mutex_t lock;
    clr_room *rooms;
    uint64_t
        allocated; /* bytes from the start on, for large objects and by threads that are gone; the rooms have the others' */
    size_t pinned; /* bytes of pinned objects */
    uint64_t
        survived; /* bytes after the last collection, less what was allocated by then; their sum is what there is */

    pthread_mutex_t collecting;  /* held by who collects; never waited for by a cooperative thread */
    uint32_t count;              /* of collections */
    int generation;              /* of the one under way, or the last one */
    struct hwri_marking *engine; /* NULL: nothing is being marked */
    hwri_pointers roots;         /* of the collection of everything under way */
    size_t pins;                 /* roots that the runtime has pinned, of the last one */

    /* policy.c; bytes */
    size_t budget;   /* that threads may be given between two collections */
    size_t given;    /* that they have been given since */
    size_t notice;   /* and when somebody wants to hear of that; SIZE_MAX: nobody */
    size_t target;   /* what there may be before everything is marked anew */
    size_t limit;    /* the most that there may be; SIZE_MAX: no limit */
    bool scarce;     /* memory has ended before the budget, so any hole will do until there are blocks for a budget */
    unsigned stress; /* collect at each so many allocations; 0: not at all */
    unsigned until_stress;
} clr_collector;

extern clr_collector clr_gc;

static inline bool clr_is_in_block(const void *address) {
    return (uintptr_t)address - clr_objects.low < clr_objects.middle - clr_objects.low;
}

/* ---- objects.c ---- */
bool clr_collector_open(void); /* false without memory */
/* The object that an address leads into, the place behind its end included, its header not; NULL: none. With the world stopped. */
clr_object *clr_object_at(const void *address);
bool clr_is_marked(const clr_object *object); /* true of what is not ours */

/* ---- allocate.c ---- */
void clr_allocation_stop(void); /* with the world stopped: takes all windows and rooms away */

/* ---- cards.c. With the world stopped. ---- */
void clr_cards_reach(void); /* what old objects refer to where cards are set */
void clr_cards_clear(void);

/* ---- collect.c ---- */
/* By a cooperative thread that found no room. `seen` is the count of collections from before it looked: if another thread has collected since, nothing is done. */
void clr_collect_for_room(int generation, uint32_t seen);

/* ---- policy.c ---- */
void clr_policy_open(void);
int clr_policy_refresh_limit(void); /* GC.RefreshMemoryLimit: one below what there is is refused */
/* With the lock: whether a thread may have as much without a collection, or after one. */
bool clr_may_give(size_t bytes, bool collected);
/* With the lock: threads may be given as much more; false: there is not as much. */
bool clr_policy_promise(uint64_t bytes);
void clr_policy_promise_ends(void);
bool clr_is_full_due(void);
void clr_policy_after(bool full);
bool clr_is_stressed(void); /* it is this allocation's turn to collect */

#endif
