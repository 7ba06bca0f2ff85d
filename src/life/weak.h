/* The inside of a weak reference. */
#ifndef HWRI_LIFE_WEAK_H
#define HWRI_LIFE_WEAK_H

#include "heapwright/weak.h"
#include "object/header.h"

/* Weak references to one object form a list, newest first, except that the one without callback, which is shared, stands at the head. The heap's table
 * leads from the object to the first; the object's header says whether there is one, so that the death of others costs nothing. */
struct hwr_weak {
    void *target; /* NULL: dead. On a tracing heap: its link (tracing/identity.c) */
    hwr_weak *next, *previous;
    hwr_weak_callback callback;
    void *argument; /* owned, as far as the type says */
    void *owner;    /* the weak table whose entry this is; not a reference */
    uint64_t hash;  /* of that entry */
};

/* Whether it is to be called back when its object dies: not if it is dying itself. */
static inline bool hwri_weak_is_called(const hwr_weak *weak) {
    return weak->callback && hwri_is_live(*hwri_header(weak));
}

/* For the weak tables, whose callback finds the table through the owner. */
hwr_weak *hwri_weak_new(hwr_heap *heap, void *object, hwr_weak_callback callback, void *argument, void *owner);

/* The same on a tracing heap. */
hwr_weak *hwri_traced_weak_new(hwr_heap *heap, void *object, hwr_weak_callback callback, void *argument);
void *hwri_traced_weak_get(const hwr_weak *weak);
size_t hwri_traced_weak_count(hwr_heap *heap, const void *object);

/* The library's own types, and what happens when an object of theirs is about to be freed. */
extern const hwr_type hwri_weak_type, hwri_weak_keys_type, hwri_weak_values_type;
void hwri_weak_ends(hwr_heap *heap, hwr_weak *weak);
void hwri_weak_table_ends(hwr_heap *heap, void *object);

#endif
