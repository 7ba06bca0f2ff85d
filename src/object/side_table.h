/* A table from objects to words, for what few objects have: counts that outgrew the header, lists of weak references.
 *
 * Open addressing with linear probing, at most three quarters full; removal closes the gap, so there are no tombstones and a look-up ends at the first empty
 * place. 16 bytes for each of its places, two loads for a look-up. */
#ifndef HWRI_OBJECT_SIDE_TABLE_H
#define HWRI_OBJECT_SIDE_TABLE_H

#include "heapwright/pool.h"

typedef struct hwri_side_entry {
    const void *object; /* NULL: empty */
    uintptr_t value;
} hwri_side_entry;

typedef struct hwri_side_table {
    hwr_pool *pool; /* where the places come from */
    hwri_side_entry *places;
    size_t room; /* a power of two, or 0 */
    size_t count;
} hwri_side_table;

/* The value of an object, to be read or changed until the table is next changed; NULL if it has none. */
uintptr_t *hwri_side_find(const hwri_side_table *table, const void *object);
/* The same, with a value of 0 made if there is none; NULL without memory. */
uintptr_t *hwri_side_add(hwri_side_table *table, const void *object);
void hwri_side_remove(hwri_side_table *table, const void *object);
void hwri_side_clear(hwri_side_table *table); /* and gives back its memory */

#endif
