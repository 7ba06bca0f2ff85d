/* The word in front of every object.
 *
 *   63      52 51      48 47                                   3 2   0
 *   [ count  ] [ flags  ] [ type's address, a multiple of eight ] [flags]
 *
 * The count is on top so that an object whose count is not zero is a number of at least HWRI_COUNT_ONE, which neither a link of a free list nor the header of a dying object
 * is: one comparison tells a live object from everything else that can stand at the start of a block, and overflow and zero are
 * both found by the comparison that follows the addition. */
#ifndef HWRI_OBJECT_HEADER_H
#define HWRI_OBJECT_HEADER_H

#include "heapwright/heap.h"

#define HWRI_UNTRACKED UINT64_C(1)   /* lies in the pool of objects that the collector does not look at */
#define HWRI_COUNT_ASIDE UINT64_C(2) /* part of the count is in the heap's table, or it is immortal */
#define HWRI_DYING UINT64_C(4) /* its count is zero, and there was no room for it among those that wait for their end */
#define HWRI_FINALIZED (UINT64_C(1) << 48)
#define HWRI_WEAK (UINT64_C(1) << 49)    /* there are weak references to it */
#define HWRI_FROZEN (UINT64_C(1) << 50)  /* in the permanent generation */
#define HWRI_INTERNED HWRI_FROZEN        /* of a str, which is never frozen: it is in the table of kinds/intern.c */
#define HWRI_SPECIAL (UINT64_C(1) << 51) /* its death is more than giving up references at offsets: see hwri_is_plain */

/* In a checked heap, an object that is dead and in quarantine. */
#define HWRI_DEAD (HWRI_UNTRACKED | HWRI_COUNT_ASIDE | HWRI_DYING)

/* Stands in the first word of a block whose object is aligned to 16: the header is the second word. */
#define HWRI_PADDING UINT64_MAX

enum { HWRI_HEADER_SIZE = 8, HWRI_LEAST_BLOCK = 16, HWRI_COUNT_MOST = 4095, HWRI_COUNT_SHIFT = 52 };

/* A type with this flag is one of the library's own, and has something to do when an object of it dies. */
enum { HWRI_TYPE_OWN = 0x80 };

/* An object of a type with this flag may be kept when it dies (kinds/spare.c). */
enum { HWRI_TYPE_SPARED = 0x40 };

/* The kinds' types have the kind in their flags. They are all in one table (kinds/types.c), and no other type has one. */
extern const hwr_type hwri_kind_types[];
bool hwri_is_kind_type(const hwr_type *type);

static inline unsigned hwri_count_in(uint64_t header) { return (unsigned)(header >> HWRI_COUNT_SHIFT); }
static inline bool hwri_is_live(uint64_t header) { return header >= HWRI_COUNT_ONE && header != HWRI_PADDING; }
/* One more reference, if the header has room for it; a part of hwr_retain. */
static inline bool hwri_count_up(const void *object) {
    uint64_t header = *hwri_header(object) + HWRI_COUNT_ONE;
    if (header < HWRI_COUNT_ONE) return false;
    *hwri_header(object) = header;
    return true;
}
static inline const hwr_type *hwri_type_in(uint64_t header) {
    return (const hwr_type *)(uintptr_t)(header & HWRI_TYPE_MASK);
}

static inline bool hwri_has_references(const hwr_type *type) {
    return type->ref_count || type->trace || (type->item_size && type->items_are_references);
}
/* Objects of a plain type have neither items that are references nor a finalizer nor a trace function, nor an alignment, and are not the library's own. Freeing one
 * takes a short way; making one, too, if it has no items at all. */
static inline bool hwri_is_plain(const hwr_type *type) {
    return !type->finalize && !type->trace && !(type->item_size && type->items_are_references) &&
           type->alignment != 16 && !(type->flags & HWRI_TYPE_OWN);
}
/* What an object of the type does when it dies can be noticed. */
static inline bool hwri_has_last_will(const hwr_type *type) { return type->finalize || type->flags & HWRI_TYPE_OWN; }

static inline bool hwri_is_tracked_type(const hwr_type *type) {
    return hwri_has_references(type) && !(type->flags & HWR_ACYCLIC);
}

static inline size_t hwri_length_of(const hwr_type *type, const void *object) {
    size_t length;
    memcpy(&length, (const char *)object + type->length_offset, sizeof length);
    return length;
}

/* Bytes of an object, without its header. Offsets of items count even where the struct ends in padding. */
static inline size_t hwri_size_with(const hwr_type *type, size_t length) {
    if (!type->item_size) return type->size;
    size_t end = type->items_offset + length * type->item_size;
    return end > type->size ? end : type->size;
}
static inline size_t hwri_object_size(const void *object) {
    const hwr_type *type = hwr_type_of(object);
    return hwri_size_with(type, type->item_size ? hwri_length_of(type, object) : 0);
}

#endif
