/* How objects of our own lie in memory, as the spaces see them (space.h): what can be told from the word in front of each. A host whose objects are of another making has a file like this one in its place
 * (HWRI_OTHER_LAYOUT), which says of a header's address
 *   hwri_is_object_at(header)   whether one lies behind it
 *   hwri_size_at(header)     bytes to the next object or gap, where one of both begins
 *   hwri_is_gap(*header), hwri_gap(size)      the first word of what is no object
 *   hwri_is_sane_in_block(header)             for verification: that it can be the header of an object in a block */
#ifndef HWRI_TRACING_LAYOUT_H
#define HWRI_TRACING_LAYOUT_H

#include "heapwright/tracing.h"
#include "object/header.h"

/* ---- the header of an object on a tracing heap ----
 *
 *   63      62 61   60      59       58      57     56       55     52 51   48 47                    0
 *   [alive] [mark] [track] [region] [large] [aged] [pinned] [ids ...] [flags] [type's address]
 *
 * An object that has moved away leaves the address of its copy, which has bit 63 clear. What is no object but lies between objects is a *gap*: its first word has bit 63 clear, and its size
 * shifted by three, and a one. */
#define HWRI_MARK_SHIFT 61
/* Of the young and the large. 0: new; otherwise the epoch of the collection that last reached it. Of what is in blocks, where marks lie beside: 0. */
#define HWRI_MARK (UINT64_C(3) << HWRI_MARK_SHIFT)
#define HWRI_WATCHED HWRI_MARK          /* dependent handles wait until it is reached */
#define HWRI_REGION (UINT64_C(1) << 59) /* lies in a block of the old space */
#define HWRI_LARGE (UINT64_C(1) << 58)  /* has a block of the pool to itself */
#define HWRI_AGED (UINT64_C(1) << 57)   /* generation 1: has survived a collection */
/* Young, and stayed where it was in this collection, not scanned yet; or old, and may not move. */
#define HWRI_PINNED (UINT64_C(1) << 56)
#define HWRI_HAS_ID (UINT64_C(1) << 55)     /* somebody asked for its id, which is in a table */
#define HWRI_SUPPRESSED (UINT64_C(1) << 54) /* its finalizer is not to be called */
#define HWRI_FOREVER (UINT64_C(1) << 53)    /* hwr_make_immortal */
#define HWRI_REGISTERED (UINT64_C(1) << 52) /* its finalizer is to be called when it is found dead, or soon */
#define HWRI_BORN (HWRI_ALIVE)              /* the flags of a new object in the nursery */

static inline bool hwri_is_there(uint64_t header) { return header >> 63; }
static inline uint64_t hwri_gap(size_t size) { return (uint64_t)size << 3 | 1; }
static inline bool hwri_is_gap(uint64_t header) { return (header & (HWRI_ALIVE | 7)) == 1; }

/* Bytes that an object takes, header included. */
static inline size_t hwri_taken_by(const hwr_type *type, size_t length) {
    size_t size = (hwri_size_with(type, length) + 7) / 8 * 8;
    return HWRI_HEADER_SIZE + (size ? size : 8);
}
static inline size_t hwri_traced_size(const void *object, const hwr_type *type) {
    return hwri_taken_by(type, type->item_size ? hwri_length_of(type, object) : 0);
}
/* What is aligned to 16 takes a word more, for a gap in front of it or behind. */
static inline size_t hwri_padding_of(const hwr_type *type) { return type->alignment == 16 ? 8 : 0; }
/* Writes that gap, and returns where the header goes. `size`: without the gap. */
static inline uint64_t *hwri_settle(uint64_t *header, size_t size) {
    bool shift = !((uintptr_t)header & 8);
    *(shift ? header : header + size / 8) = hwri_gap(8);
    return header + shift;
}
/* Bytes to the next object or gap behind this one. */
static inline size_t hwri_size_at(const uint64_t *header) {
    uint64_t word = hwri_header_now(header + 1);
    if (hwri_is_gap(word)) return (size_t)(word >> 3);
    const void *object = hwri_is_there(word) ? (const void *)(header + 1) : (const void *)(uintptr_t)word;
    return hwri_traced_size(object, hwr_type_of(object));
}
static inline bool hwri_is_object_at(const uint64_t *header) { return hwri_is_there(hwri_header_now(header + 1)); }
static inline bool hwri_is_sane(uint64_t header) {
    const hwr_type *type = hwri_type_in(header);
    return hwri_is_there(header) && type && type->name;
}
static inline bool hwri_is_sane_in_block(const uint64_t *header) {
    return hwri_is_sane(*header) && *header & HWRI_REGION;
}

#endif
