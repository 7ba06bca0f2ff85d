/* Places: where the collector keeps what it knows about each object during a collection.
 *
 * An object's place is a word in a table that its page has then: one for sixteen bytes, so that objects are told apart whatever their size, and no header is
 * written. Above three flags it has the object's count less the references found, which is zero in the end unless it is held. Since references may be found before the count
 * is entered, that runs from -4095 to 4095; a portion that would not fit goes to a table, and when it cannot be stored the object stays where it is, short of references
 * found, and so is kept. An eighth of the pages that are looked at. */
#ifndef HWRI_COUNTING_PLACES_H
#define HWRI_COUNTING_PLACES_H

#include "object/heap.h"

enum {
    HWRI_MEMBER = 1,  /* it is in the set */
    HWRI_REACHED = 2, /* and alive; in the end, members not reached are garbage */
    HWRI_ASIDE = 4,   /* part of its count is not here */
    HWRI_PLACE_FLAGS = 7,
    HWRI_PLACE_ONE = 8,
    HWRI_PORTION = 0x1000 /* references found */
};
typedef uint16_t hwri_place;

/* A page, and the flat array for its slices, lead to where its table would begin if it began with address 0, so that finding a place takes no subtraction. */
static inline uintptr_t hwri_table_base(const hwri_page *page) {
    return ((uintptr_t)page->start >> 4) * sizeof(hwri_place);
}
static inline hwri_place *hwri_place_from(uintptr_t table, const void *header) {
    return (hwri_place *)(table + ((uintptr_t)header >> 4) * sizeof(hwri_place));
}
static inline hwri_place *hwri_table_of(const hwri_page *page) {
    return (hwri_place *)(page->table + hwri_table_base(page));
}

/* How many places there are in a page's table: a multiple of four. */
static inline size_t hwri_table_places(const hwri_page *page) {
    size_t bytes = page->large_size ? 1 : (size_t)page->capacity * page->block_size;
    return (bytes / 16 + 4) & ~(size_t)3;
}

/* Behind the places: which blocks of the page are to be gone through, as bytes from its start; those of the set are all among them. */
typedef struct hwri_range {
    uint32_t first, end;
} hwri_range;
static inline hwri_range *hwri_range_of(const hwri_page *page) {
    return (hwri_range *)(void *)(hwri_table_of(page) + hwri_table_places(page));
}

/* The place of an object; NULL if its page has no table, or it is none of the tracked objects. */
hwri_place *hwri_place_of(hwr_heap *heap, const void *object);

/* Makes the flat array reach over all that the pool has. False without memory. */
bool hwri_tables_cover(hwr_heap *heap);
/* Gives a page a table, if it has none, and clears its places. False without memory. */
bool hwri_table_give(hwr_heap *heap, hwri_page *page);
void hwri_table_take(hwr_heap *heap, hwri_page *page);

#endif
