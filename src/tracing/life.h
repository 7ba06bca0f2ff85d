/* What a tracing heap knows of objects besides the objects: handles, weak references, weak tables, ids, finalizers. Which file does what:
 *   tracing/roster.c     the table that all of these are in
 *   tracing/handle.c     handles
 *   tracing/dependent.c  what dependent handles keep alive
 *   tracing/identity.c   ids and weak references
 *   tracing/weak_map.c   weak tables
 *   tracing/finalize.c   who has a finalizer, the queue, who calls them
 *   tracing/life.c       what a collection does with all of them, one thing after the other */
#ifndef HWRI_TRACING_LIFE_H
#define HWRI_TRACING_LIFE_H

#include "life/handle.h"
#include "life/weak_table.h"
#include "object/references.h"
#include "tracing/tracing.h"

#include <time.h>

/* ---- rosters ----
 *
 * Each of these is a *member* (life/handle.h): a block that begins with the object that it is about, and stays where it is when that moves. Members of one sort are in a *roster*, an array with those in front whose objects, all that
 * they name, are old, and those that may have to do with a young one behind: [0, old) and [old, count). A collection of the young goes through the latter only, so a million old ones cost it nothing. A new member is among
 * the latter; it moves by changing places with another, so nothing but the entry of a member needs memory. Cost: 8 bytes for each beside the member's own. */
typedef struct hwri_roster {
    hwri_member **items;
    uint32_t count, old, room;
} hwri_roster;

/* All with the heap's lock. */
bool hwri_roster_reserve(hwri_tracing *t, hwri_roster *roster);   /* room for one more; false without memory */
void hwri_roster_enter(hwri_roster *roster, hwri_member *member); /* for which there is room */
void hwri_roster_leave(hwri_roster *roster, hwri_member *member);
void hwri_roster_make_old(hwri_roster *roster, hwri_member *member);
void hwri_roster_make_young(hwri_roster *roster, hwri_member *member);
void hwri_roster_close(hwri_tracing *t, hwri_roster *roster); /* and frees the members */

/* For those that the collection under way has to look at: `from` is the first. What is looked at may leave or become old, if the place is looked at again unless it holds the same member. */
static inline uint32_t hwri_roster_from(const hwri_tracing *t, const hwri_roster *roster) {
    return t->phase == HWRI_COPYING ? roster->old : 0;
}
static inline bool hwri_roster_any(const hwri_tracing *t, const hwri_roster *roster) {
    return hwri_roster_from(t, roster) < roster->count;
}

struct hwri_running;
struct hwri_waiting;
struct hwri_worker;
typedef struct hwri_life hwri_life;

/* ---- handles ---- */

/* The kinds are those of the public interface, and what the entries of weak tables are. */
enum { HWRI_HANDLE_OF_KEY = HWR_HANDLE_DEPENDENT + 1, HWRI_HANDLE_OF_VALUE };

struct hwri_weak_map;

/* A dependent handle, or an entry of a weak table, with its hash there. `second` is alive if the object and the table are. */
typedef struct hwri_dependent {
    hwr_handle handle;
    void *second;
    struct hwri_weak_map *map; /* NULL: a handle of the program's */
    uint64_t hash;
    struct hwri_dependent *next; /* of those that the collection under way has not found alive */
} hwri_dependent;

static inline hwri_dependent *hwri_dependent_of(hwri_member *member) { return (hwri_dependent *)(void *)member; }

hwr_handle *hwri_traced_handle_new(hwr_heap *heap, void *object, void *second, hwr_handle_kind kind);
void hwri_traced_handle_set(hwri_tracing *t, hwr_handle *handle, void *object);
void hwri_traced_handle_set_second(hwri_tracing *t, hwr_handle *handle, void *second);
void hwri_traced_handle_free(hwri_tracing *t, hwr_handle *handle);

void hwri_strong_settle(hwri_tracing *t);
void hwri_dependents_clear(hwri_tracing *t); /* those whose object is dead */
void hwri_weak_handles_clear(hwri_tracing *t, hwri_roster *roster);

/* ---- dependent.c ---- */
void hwri_dependents_reach(hwri_tracing *t); /* second objects, until no more come */

/* ---- weak tables ---- */

typedef struct hwri_weak_place {
    hwri_dependent *entry; /* NULL: empty */
    void *key;             /* of a table of values: a block with the bytes */
    size_t key_size;
} hwri_weak_place;

/* What a weak table has outside of the heap. The member's object is the table, as a heap object. Open addressing with linear probing, as in life/weak_table.c, at most three quarters full. A table of keys hashes
 * them by their ids, which stay when they move. An entry leaves the table in the collection that finds its object dead. */
typedef struct hwri_weak_map {
    hwri_member member;
    hwri_weak_place *places;
    size_t room, count;
} hwri_weak_map;

void hwri_weak_map_drop(hwri_tracing *t, hwri_dependent *entry); /* takes it out and frees it */
void hwri_weak_maps_end(hwri_tracing *t);                        /* those whose table is dead */
void hwri_weak_maps_close(hwri_tracing *t);

/* ---- ids and weak references ---- */

/* A weak reference, as the collector sees it. The member's object is the hwr_weak, whose `target` leads here. */
typedef struct hwri_weak_link {
    hwri_member member;
    struct hwri_identity *identity; /* of the object that it refers to; NULL: that is dead */
    struct hwri_weak_link *next,
        *previous; /* of the same object, as in life/weak.h; or `next` of those to be called back */
    bool calls;    /* is to be called back, or is being */
} hwri_weak_link;

/* What is known of an object that somebody asked an id of, or made a weak reference to: HWRI_HAS_ID is in its header. A table leads from its address to this. */
typedef struct hwri_identity {
    hwri_member member;
    uint64_t id;
    hwri_weak_link *weaks; /* the first */
} hwri_identity;

hwri_identity *hwri_identity_find(const hwri_tracing *t, const void *object); /* NULL: it has none */
hwri_identity *hwri_identity_of(hwri_tracing *t, void *object);               /* made if need be; NULL without memory */
uint64_t hwri_traced_id(hwr_heap *heap, const void *object);
void hwri_weak_links_roots(hwri_tracing *t, hwri_slot_visit visit, void *context); /* those to be called back */
/* Those to what has not been reached; notes whom to call back, and returns how many. */
size_t hwri_weak_links_clear(hwri_tracing *t);
void hwri_identities_move(hwri_tracing *t); /* to where their objects are; those of the dead end */
void hwri_weak_links_end(hwri_tracing *t);  /* those whose hwr_weak is dead */
void hwri_weak_links_call(hwri_tracing *t); /* without the lock */

/* ---- finalizers ---- */

/* An object with a finalizer that is to be called. It is in the roster as long as the object is not found dead, then in the queue, and once more in a list behind it, until a collection has told whether the finalizer brought it
 * back. */
typedef struct hwri_finalizable {
    hwri_member member;
    struct hwri_finalizable *next;
} hwri_finalizable;

typedef struct hwri_finalizables {
    hwri_finalizable *first, **end; /* where the next is linked */
} hwri_finalizables;

void hwri_finalizers_open(hwri_life *life);
void hwri_finalizers_roots(hwri_tracing *t, hwri_slot_visit visit, void *context);
bool hwri_finalizers_any(const hwri_tracing *t);     /* to be looked at by what follows */
void hwri_finalizers_note_returned(hwri_tracing *t); /* which of those finalized have been brought back */
bool hwri_finalizers_queue(hwri_tracing *t); /* what has not been reached, and reaches it; whether there was any */
void hwri_finalizers_move(hwri_tracing *t);  /* to where the objects are */
/* Without the lock: sees to it that somebody calls them; and that those who wait for work know of it. */
void hwri_finalizers_staff(hwri_tracing *t);
void hwri_finalizers_wake(hwri_tracing *t);
void hwri_finalizers_stop(hwri_tracing *t); /* for good; waits for those under way */

/* ---- all together ---- */

/* `queue` may begin with objects that are old; `queue_young` is the first that need not be. */
struct hwri_life {
    hwri_roster strong, shorts, longs, dependents;
    hwri_roster maps, identities, links, finalizables;
    struct hwri_waiting *undecided; /* NULL: no dependent handle waits */
    hwri_side_table by_address;     /* from objects to their identities */
    uint64_t last_id;
    hwri_weak_link *calls, **calls_end; /* to be called back, in this order */
    hwri_weak_link *called;             /* being called back */
    bool behind; /* a collection could not call back: it came in the middle of a change of the kinds' */
    hwri_finalizables queue;
    hwri_finalizable *queue_young;
    hwri_finalizable **batch; /* where those that this collection has queued begin */
    size_t queued;
    hwri_finalizables finalized[2]; /* while nobody knows whether they were brought back; the young ones first */
    /* Who calls finalizers: see finalize.c. */
    bool manual, closing, starting;
    struct hwri_running *running;
    struct hwri_worker *workers;
    size_t active, stuck, waiting, workers_alive;
    struct timespec taken; /* when a finalizer was last begun */
    pthread_cond_t work, done;
};

/* Memory for a member with room in its roster, zeroed. NULL without memory. */
void *hwri_member_new(hwri_tracing *t, hwri_roster *roster, size_t size);

#endif
