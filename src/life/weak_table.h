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
    void *traced; /* on a tracing heap, where the rest is zero: what it is instead (tracing/weak_map.c) */
} hwri_weak_table;

/* The same on a tracing heap; `hash` is that of the key's bytes. */
void *hwri_traced_table_new(hwr_heap *heap, const hwr_type *type);
size_t hwri_traced_table_count(hwr_heap *heap, const hwri_weak_table *table);
bool hwri_traced_keys_set(hwr_heap *heap, hwri_weak_table *table, void *key, void *value);
void *hwri_traced_keys_get(hwr_heap *heap, const hwri_weak_table *table, const void *key);
bool hwri_traced_keys_remove(hwr_heap *heap, hwri_weak_table *table, const void *key);
bool hwri_traced_values_set(hwr_heap *heap, hwri_weak_table *table, const void *key, size_t key_size, uint64_t hash,
                            void *value);
void *hwri_traced_values_get(hwr_heap *heap, const hwri_weak_table *table, const void *key, size_t key_size,
                             uint64_t hash);
bool hwri_traced_values_remove(hwr_heap *heap, hwri_weak_table *table, const void *key, size_t key_size, uint64_t hash);

#endif
