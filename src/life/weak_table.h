/* What both weak tables are: an object of the heap over an array of entries, found by open addressing with linear probing, at most three quarters
 * full; removal closes the gap. Each entry owns a weak reference whose callback removes the entry, so nothing dead is ever in a table; when the table
 * itself has died, its weak references no longer lead to it. A table of keys has weak keys and owns its values; a table of values copies its keys (bytes) and has weak values. */
#ifndef HWRI_LIFE_WEAK_TABLE_H
#define HWRI_LIFE_WEAK_TABLE_H

#include "life/weak.h"

typedef struct hwri_weak_entry {
    hwr_weak *weak; /* owned; NULL: an empty place */
    void *value;    /* of a table of keys: owned */
    void *key;      /* of a table of values: a block with the bytes */
    size_t key_size;
    uint64_t hash;
} hwri_weak_entry;

typedef struct hwri_weak_table {
    hwri_weak_entry *places;
    size_t room; /* a power of two, or 0 */
    size_t count;
} hwri_weak_table;

#endif
