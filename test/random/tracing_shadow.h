/* What a tracing heap must do, known from outside: the oracle of the random mutator.
 *
 * The shadow has a node for every object that may still be in the heap, with the references it was given, and the roots, of which each holds a
 * node. It never knows an address: objects move, so the model walks objects and nodes at once, from the roots.
 *
 * A node is *rooted* if a root leads to it, a dependent handle counting as a reference from its first object to its second. It is *kept* if
 * besides that an object with a finalizer to come leads to it, since such objects wait in a queue with all that they lead to. Then
 *   - what is rooted is in the heap, intact, and no weak handle to it is cleared, unless that happened before it was brought back;
 *   - what is kept is in the heap, and weak long handles to it are not cleared;
 *   - after a full collection of a heap with exact roots, nothing else is, provided that no memory was refused and that no suppressed
 *     object waits in the queue ("unsure").
 * What was found dead leaves the shadow. Between full collections it is not known which of the rest are dead. */
#ifndef TEST_RANDOM_TRACING_SHADOW_H
#define TEST_RANDOM_TRACING_SHADOW_H

#include "random/tracing_objects.h"

enum { SHADOW_NODES = 2048, SHADOW_ROOTS = 64, SHADOW_HANDLES = 32 };

typedef struct node node;
struct node {
    uint64_t serial; /* 0: free. Its place in the table is the remainder by SHADOW_NODES */
    tracing_kind kind;
    size_t length; /* of items */
    size_t field_count;
    node *fields[TRACING_FIELDS + 4]; /* of a weak reference the first is its argument */
    uint32_t plan;                    /* what its finalizer does */
    uint64_t id;                      /* 0: never asked */
    int generation;

    bool immortal;
    bool registered; /* its finalizer is to come */
    bool
        strayed; /* was not rooted once, since it was registered: it may be in the queue; a weak reference: nobody is called back if its object died then */
    bool unsure; /* suppressed when it may have been in the queue */
    size_t finalized;
    uint64_t batch; /* the collection that queued it, if that is known */

    node *target; /* of a weak reference; NULL: known to be dead */
    bool calls_back, called;
    bool lost_track; /* of a weak reference: its object was not rooted for a while, so it may be cleared */

    bool rooted, kept, seen; /* scratch */
    void *address;           /* while the model walks */
    void *home;              /* where it was when it was last seen */
};

typedef enum root_sort {
    ROOT_FREE, /* there is none */
    ROOT_LOCAL,
    ROOT_FRAME,
    ROOT_GLOBAL,
    ROOT_SHOWN
} root_sort;

/* A root: `slot` has the object's address, `offset` bytes further if the object is held by its middle. Where the heap must not change it, `hidden` is its complement. */
typedef struct root {
    root_sort sort;
    node *holds;
    void **slot;
    size_t offset;
    uintptr_t hidden;
} root;

typedef struct shadow_handle {
    hwr_handle *handle; /* NULL: there is none */
    int kind;           /* hwr_handle_kind */
    node *target, *second;
    bool cleared; /* it is known that it was */
    void *pinned;
} shadow_handle;

typedef struct shadow {
    node nodes[SHADOW_NODES];
    root roots[SHADOW_ROOTS];
    shadow_handle handles[SHADOW_HANDLES];
    size_t alive, end; /* nodes in use; the first behind all that ever were */
    uint64_t entered;
} shadow;

void shadow_reset(shadow *s);

/* A new node; its serial number is what the object has to begin with. It must become rooted, or be taken out again, before the next call. */
node *shadow_enter(shadow *s, tracing_kind kind, size_t length, uint32_t plan);
/* Whether it was entered after so many had been. */
static inline bool shadow_is_newer(const node *n, uint64_t entered) { return n->serial / SHADOW_NODES > entered; }
void shadow_remove(shadow *s, node *n); /* nothing that is not removed, too, may refer to it */
node *shadow_find(shadow *s, uint64_t serial);

/* Marks what is rooted, and what is kept. */
void shadow_mark(shadow *s);

/* How many objects have to be in the queue of finalizers after a full collection that found the queue empty. Needs marks. */
size_t shadow_count_doomed(const shadow *s);

/* Whether there may be objects in the queue whose finalizers were suppressed. */
bool shadow_is_unsure(const shadow *s);

#endif
