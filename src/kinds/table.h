/* table: the hash table of dicts and sets, as their files see it. What it is and holds: table.c. */
#ifndef HWRI_TABLE_H
#define HWRI_TABLE_H

#include "kinds/kinds.h"
#include "kinds/utf8.h"
#include "object/references.h"

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

HWRI_INLINE hwri_key hwri_key_of_str(hwr_heap *heap, const void *text) {
    const hwri_str *str = text;
    uint32_t hash = hwri_likely(str->hash) ? str->hash : hwri_hash_str(heap, text);
    return (hwri_key){text, hwr_type_of(text), str->chars, str->length, hash, hwri_spread(hash)};
}

HWRI_INLINE hwr_result hwri_key_of(hwr_heap *heap, const void *object, hwri_key *key) {
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

/* Of UTF-8 up to its zero: text only if it is ASCII, unless a str is wanted; otherwise of a new str, interned, in *made, which is the caller's: NULL if there is none. HWR_BAD_VALUE: it is no
 * UTF-8. */
hwr_result hwri_key_of_text(hwr_heap *heap, const char *text, bool with_str, hwri_key *key, void **made);

/* ---- looking for a str, inline ---- */

enum { HWRI_BYTE_INDEX_BITS = 6, HWRI_SHORT_INDEX_BITS = 13 };
#define HWRI_NO_ENTRY SIZE_MAX

/* Bytes of a slot of an index of so many bits; 0: no index. */
HWRI_INLINE unsigned hwri_slot_width(unsigned bits) {
    return bits == 0 ? 0 : bits <= HWRI_BYTE_INDEX_BITS ? 1 : bits <= HWRI_SHORT_INDEX_BITS ? 2 : 4;
}
HWRI_INLINE unsigned hwri_index_bits(const hwri_table *table) { return table->index ? (unsigned)table->tags : 0; }

HWRI_INLINE uint32_t hwri_slot_at(const hwri_storage *index, unsigned width, size_t slot) {
    return width == 1   ? (uint8_t)index->as.ints1[slot]
           : width == 2 ? (uint16_t)index->as.ints2[slot]
                        : (uint32_t)index->as.ints4[slot];
}

/* The bits of a hash that a slot has above the number of the entry; those below are to be ignored. */
HWRI_INLINE uint32_t hwri_tag_of(uint64_t spread, unsigned width) {
    return (uint32_t)spread & (uint32_t)(UINT64_C(0xffffffff) >> (32 - 8 * width));
}

/* Where a search is: at a slot; or, without an index, at those entries whose tag agrees, one bit for each. */
typedef struct hwri_probe {
    uint64_t at;
    uint32_t tag;
} hwri_probe;

HWRI_INLINE hwri_probe hwri_first_probe(const hwri_table *table, unsigned width, uint64_t spread) {
    if (width) return (hwri_probe){spread >> (64 - table->tags), hwri_tag_of(spread, width)};
    uint64_t ones = UINT64_C(0x1111111111111111), differ = table->tags ^ (spread >> 60) * ones;
    uint64_t agree = (differ - ones) & ~differ & ones << 3; /* and some others, at times */
    return (hwri_probe){agree & ((UINT64_C(1) << 2 * table->used << 2 * table->used) - 1), 0};
}

/* The next entry that it could be. */
HWRI_INLINE size_t hwri_next_candidate(const hwri_table *table, unsigned width, hwri_probe *p) {
    if (!width) {
        if (!p->at) return HWRI_NO_ENTRY;
        size_t position = (size_t)__builtin_ctzll(p->at) / 4;
        p->at &= p->at - 1;
        return position;
    }
    uint32_t mask = ((uint32_t)1 << table->tags) - 1;
    for (;;) {
        uint32_t slot = hwri_slot_at(table->index, width, (size_t)p->at);
        p->at = (p->at + 1) & mask;
        if (((slot ^ p->tag) & ~mask) == 0 && hwri_likely(slot != 0)) return (slot & mask) - 1;
        if (slot == 0) return HWRI_NO_ENTRY;
    }
}

/* Keys are short: up to sixteen bytes are compared as two words, which may overlap. */
static inline bool hwri_same_chars(const unsigned char *a, const unsigned char *b, size_t size) {
    if (hwri_likely(size - 8 <= 8))
        return hwri_load64(a) == hwri_load64(b) && hwri_load64(a + size - 8) == hwri_load64(b + size - 8);
    if (size > 16) return memcmp(a, b, size) == 0;
    while (size && a[size - 1] == b[size - 1]) size--;
    return size == 0;
}

HWRI_INLINE bool hwri_is_key_str(const void *object, const hwri_key *key) {
    const hwri_str *str = object;
    return hwr_type_of(object) == key->type && str->hash == key->hash && str->length == key->length &&
           hwri_same_chars(str->chars, key->chars, key->length * key->type->item_size);
}

HWRI_INLINE size_t hwri_find_str_in(const hwri_table *table, hwri_values values, const hwri_key *key, unsigned width) {
    hwri_probe p = hwri_first_probe(table, width, key->spread);
    for (;;) {
        size_t position = hwri_next_candidate(table, width, &p);
        if (hwri_unlikely(position == HWRI_NO_ENTRY)) return HWRI_NO_ENTRY;
        const void *object = table->entries->as.objects[position << values];
        if (object && (object == key->object || hwri_is_key_str(object, key))) return position << values;
    }
}

/* The item that is the key, or HWRI_NO_ENTRY. */
HWRI_INLINE size_t hwri_find_str(const hwri_table *table, hwri_values values, const hwri_key *key) {
    switch (hwri_slot_width(hwri_index_bits(table))) {
    case 0: return hwri_find_str_in(table, values, key, 0);
    case 1: return hwri_find_str_in(table, values, key, 1);
    case 2: return hwri_find_str_in(table, values, key, 2);
    default: return hwri_find_str_in(table, values, key, 4);
    }
}

/* ---- what is done with a table ---- */

/* Makes an empty table ready for so many entries. False without memory. */
bool hwri_table_reserve(hwr_heap *heap, hwri_table *table, hwri_values values, size_t room);

/* The item that is the key of the entry sought, or HWR_NOT_FOUND; or what comparing keys returned. */
hwr_result hwri_table_find(hwr_heap *heap, const hwri_table *table, hwri_values values, const hwri_key *key,
                           size_t *item);
hwr_result hwri_table_find_object(hwr_heap *heap, const hwri_table *table, hwri_values values, const void *object,
                                  size_t *item);
/* The same, inline for strs. */
HWRI_INLINE hwr_result hwri_table_look_up(hwr_heap *heap, const hwri_table *table, hwri_values values,
                                          const void *object, size_t *item) {
    if (hwri_unlikely(!hwri_is_str(object))) return hwri_table_find_object(heap, table, values, object, item);
    hwri_key key = hwri_key_of_str(heap, object);
    *item = hwri_find_str(table, values, &key);
    return *item == HWRI_NO_ENTRY ? HWR_NOT_FOUND : HWR_OK;
}

/* Adds an entry, or changes its value. A key that is text only is never added: HWR_NOT_FOUND. `is_new` may be NULL. */
hwr_result hwri_table_put(hwr_heap *heap, hwri_table *table, hwri_values values, const hwri_key *key, const void *value,
                          bool *is_new);
/* The same for a key that is an object, and was found at an item just now, or nowhere: HWRI_NO_ENTRY. */
hwr_result hwri_table_put_at(hwr_heap *heap, hwri_table *table, hwri_values values, const hwri_key *key,
                             const void *value, size_t item, bool *is_new);

/* Another value for the key at an item: a leaf, unless the table holds more than leaves. */
HWRI_INLINE bool hwri_holds_leaves(const hwri_table *table) {
    return table->entries && hwri_is_of_type(table->entries, HWRI_LEAF_SLOTS_TYPE);
}
HWRI_INLINE void hwri_table_set(hwr_heap *heap, const hwri_table *table, size_t item, const void *value) {
    hwr_set(heap, table->entries, &table->entries->as.objects[item + 1], (void *)(uintptr_t)value);
}

/* The caller owns the value; or `value` is NULL. */
hwr_result hwri_table_remove(hwr_heap *heap, hwri_table *table, hwri_values values, const hwri_key *key, void **value);
void hwri_table_clear(hwr_heap *heap, hwri_table *table);

/* A position has in its upper half how many entries had been added when it was begun with. */
enum { HWRI_POSITION_BITS = sizeof(size_t) * 4 };

/* The key of the next entry, as hwr_dict_next has it. */
HWRI_INLINE hwr_result hwri_table_next(const hwri_table *table, hwri_values values, size_t *position, size_t *item) {
    size_t at = *position & (((size_t)1 << HWRI_POSITION_BITS) - 1), added = (size_t)table->added << HWRI_POSITION_BITS;
    if (*position && *position - at != added) return HWR_CHANGED;
    while (at < table->used && !table->entries->as.objects[at << values]) at++;
    if (at >= table->used) return HWR_END;
    *item = at << values;
    *position = added + at + 1;
    return HWR_OK;
}

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
