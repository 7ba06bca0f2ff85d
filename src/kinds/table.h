/* table: the hash table of dicts and sets, as their files see it. What it is and holds: table.c. */
#ifndef HWRI_TABLE_H
#define HWRI_TABLE_H

#include "kinds/kinds.h"

/* Whether the entries of a table have values: those of sets do not. An entry's key is the item `position << values` of the storage, and its value the next. */
typedef enum hwri_values { HWRI_NO_VALUES = 0, HWRI_VALUES = 1 } hwri_values;

/* What to look for: an object, or text for which there may be no str yet. */
typedef struct hwri_key {
    const void *object;         /* NULL: text only */
    const hwr_type *type;       /* of a str; NULL: it is none, and what follows but `spread` is not set */
    const unsigned char *chars; /* of `length` characters */
    size_t length;
    uint32_t hash;
    uint64_t spread; /* the hash with every bit of it in the upper bits */
} hwri_key;

static inline uint64_t hwri_spread(uint64_t hash) { return hash * UINT64_C(0x9e3779b97f4a7c15); }

static inline hwri_key hwri_key_of_str(hwr_heap *heap, const void *text) {
    const hwri_str *str = text;
    uint32_t hash = hwri_likely(str->hash) ? str->hash : hwri_hash_str(heap, text);
    return (hwri_key){text, hwr_type_of(text), str->chars, str->length, hash, hwri_spread(hash)};
}

static inline hwr_result hwri_key_of(hwr_heap *heap, const void *object, hwri_key *key) {
    uint64_t hash;
    if (hwri_likely(hwri_is_str(object))) {
        *key = hwri_key_of_str(heap, object);
        return HWR_OK;
    }
    hwr_result result = hwri_hash(heap, object, 0, &hash);
    if (result == HWR_OK) *key = (hwri_key){.object = object, .spread = hwri_spread(hash ^ hash >> 32)};
    return result;
}

/* Of text, all of it ASCII: what hwri_key_of_str would return for the str of it. */
static inline hwri_key hwri_key_of_ascii(const hwr_heap *heap, const char *text, size_t size) {
    uint32_t hash = (uint32_t)hwri_hash_bytes(heap, text, size);
    hash = hash ? hash : 1;
    return (hwri_key){NULL, hwri_kind_type(HWRI_STR1_TYPE), (const unsigned char *)text, size, hash, hwri_spread(hash)};
}

/* Makes an empty table ready for so many entries. False without memory. */
bool hwri_table_reserve(hwr_heap *heap, hwri_table *table, hwri_values values, size_t room);

/* The item that is the key of the entry sought, or HWR_NOT_FOUND; or what comparing keys returned. */
hwr_result hwri_table_find(hwr_heap *heap, const hwri_table *table, hwri_values values, const hwri_key *key,
                           size_t *item);

/* Adds an entry, or changes its value. A key that is text only is never added: HWR_NOT_FOUND. `is_new` may be NULL. */
hwr_result hwri_table_put(hwr_heap *heap, hwri_table *table, hwri_values values, const hwri_key *key, const void *value,
                          bool *is_new);

/* The caller owns the value; or `value` is NULL. */
hwr_result hwri_table_remove(hwr_heap *heap, hwri_table *table, hwri_values values, const hwri_key *key, void **value);
void hwri_table_clear(hwr_heap *heap, hwri_table *table);

/* The key of the next entry, as hwr_dict_next has it. */
hwr_result hwri_table_next(const hwri_table *table, hwri_values values, size_t *position, size_t *item);

/* A new reference to an item. */
static inline void *hwri_table_item(hwr_heap *heap, const hwri_table *table, size_t item) {
    void *object = table->entries->as.objects[item];
    hwr_retain(heap, object);
    return object;
}

hwr_result hwri_table_equal(hwr_heap *heap, const hwri_table *a, const hwri_table *b, hwri_values values,
                            unsigned depth, bool *equal);
hwr_result hwri_table_repr(hwr_heap *heap, const hwri_table *table, hwri_values values, unsigned depth,
                           hwri_writer *writer);

#endif
