/* Where lists keep their items: values of ints or floats without objects, or references. See storage.c. */
#ifndef HWRI_KINDS_STORAGE_H
#define HWRI_KINDS_STORAGE_H

#include "kinds/kinds.h"

/* How items are kept: the type of their storage. Those of ints are in the order of their bytes. HWRI_NO_MODE: there are no items, so that it does not matter. */
typedef enum hwri_kind_type hwri_mode;
#define HWRI_NO_MODE HWRI_KIND_TYPES

static inline bool hwri_mode_is_ints(hwri_mode mode) { return mode >= HWRI_DATA1_TYPE && mode <= HWRI_DATA8_TYPE; }
static inline bool hwri_mode_is_data(hwri_mode mode) { return mode >= HWRI_DATA1_TYPE && mode <= HWRI_DOUBLES_TYPE; }

static inline hwri_mode hwri_storage_mode(const hwri_storage *storage) {
    return (hwri_mode)(hwr_type_of(storage) - hwri_kind_types);
}
static inline hwri_mode hwri_list_mode(const hwri_list *list) {
    return list->length ? hwri_storage_mode(list->storage) : HWRI_NO_MODE;
}

/* The mode that an int needs, an object; and the narrowest that two can share. */
static inline hwri_mode hwri_mode_of_int(int64_t value) {
    if (value == (int8_t)value) return HWRI_DATA1_TYPE;
    if (value == (int16_t)value) return HWRI_DATA2_TYPE;
    return value == (int32_t)value ? HWRI_DATA4_TYPE : HWRI_DATA8_TYPE;
}
static inline hwri_mode hwri_mode_of(const void *item) {
    const hwr_type *type = hwr_type_of(item);
    if (type == hwri_kind_type(HWRI_INT_TYPE)) return hwri_mode_of_int(((const hwri_int *)item)->value);
    if (type == hwri_kind_type(HWRI_FLOAT_TYPE)) return HWRI_DOUBLES_TYPE;
    return hwri_is_leaf(item) ? HWRI_LEAF_SLOTS_TYPE : HWRI_SLOTS_TYPE;
}
hwri_mode hwri_mode_join(hwri_mode a, hwri_mode b);

/* ---- references that change their places ---- */

/* Those within a storage: what is remembered of a large object on a tracing heap are parts of it. Nobody but its list knows a storage, so that on a counting heap its count never comes up to what HWRI_ALIVE is
 * there. */
enum { HWRI_IS_LARGE_SHIFT = 58 };
static inline void hwri_shuffled(hwri_storage *storage) {
    uint64_t large = HWRI_ALIVE | UINT64_C(1) << HWRI_IS_LARGE_SHIFT;
    if (hwri_unlikely((*hwri_header(storage) & large) == large)) hwri_shuffled_slow(storage);
}

/* ---- values of ints ---- */

static inline int64_t hwri_data_get(const hwri_storage *storage, hwri_mode mode, size_t index) {
    switch (mode) {
    case HWRI_DATA1_TYPE: return storage->as.ints1[index];
    case HWRI_DATA2_TYPE: return storage->as.ints2[index];
    case HWRI_DATA4_TYPE: return storage->as.ints4[index];
    default: return storage->as.ints8[index];
    }
}
static inline void hwri_data_put(hwri_storage *storage, hwri_mode mode, size_t index, int64_t value) {
    switch (mode) {
    case HWRI_DATA1_TYPE: storage->as.ints1[index] = (int8_t)value; break;
    case HWRI_DATA2_TYPE: storage->as.ints2[index] = (int16_t)value; break;
    case HWRI_DATA4_TYPE: storage->as.ints4[index] = (int32_t)value; break;
    default: storage->as.ints8[index] = value;
    }
}

/* ---- items as objects ---- */

/* An int or float that is no object of the heap, but looks like one to whoever only reads it. */
typedef struct hwri_unboxed {
    uint64_t header;
    union {
        int64_t of_int;
        double of_float;
    } value;
} hwri_unboxed;

/* An item, borrowed: in the place that is passed if there is no object. */
const void *hwri_storage_peek(const hwri_storage *storage, hwri_mode mode, size_t index, hwri_unboxed *place);

/* A new reference to it, or to a new object; NULL without memory at hand. */
void *hwri_storage_box(hwr_heap *heap, const hwri_storage *storage, hwri_mode mode, size_t index);

/* The value at an index if the storage has ints, and no objects. */
static inline bool hwri_storage_int(const hwri_storage *storage, size_t index, int64_t *value) {
    const hwr_type *type = hwr_type_of(storage);
    if (type == hwri_kind_type(HWRI_DATA1_TYPE))
        *value = storage->as.ints1[index];
    else if (type == hwri_kind_type(HWRI_DATA2_TYPE))
        *value = storage->as.ints2[index];
    else if (type == hwri_kind_type(HWRI_DATA4_TYPE))
        *value = storage->as.ints4[index];
    else if (type == hwri_kind_type(HWRI_DATA8_TYPE))
        *value = storage->as.ints8[index];
    else
        return false;
    return true;
}

/* A new reference to an item of a storage, or to a new object, for which memory is sought: NULL without. */
static inline void *hwri_storage_item(hwr_heap *heap, const hwri_storage *storage, size_t index) {
    int64_t value;
    if (hwri_storage_int(storage, index, &value)) return hwr_int(heap, value);
    if (hwri_is_of_type(storage, HWRI_DOUBLES_TYPE)) return hwr_float(heap, storage->as.doubles[index]);
    void *item = storage->as.objects[index];
    hwr_retain(heap, item);
    return item;
}

/* ---- part of a list or tuple ---- */

/* Some items of a storage, or of what is laid out like one. Valid until anything is allocated, but quietly. */
typedef struct hwri_span {
    hwri_mode mode;
    const hwri_storage *storage;
    size_t from, count;
} hwri_span;
hwri_span hwri_span_of(const void *sequence, size_t from, size_t to); /* cut to the length */

/* ---- changes of lists; those that are said to try do what they do quietly or not at all: see hwri_new_quietly ---- */

bool hwri_list_try_reserve(hwr_heap *heap, hwri_list *list, size_t room); /* of an empty one, for any mode */

/* Makes the list ready for so many items more that need this mode; for none more: for one in the place of another. May collect before it is ready: whatever was known of the list is to be
 * read again. False without memory. */
bool hwri_list_prepare(hwr_heap *heap, hwri_list *list, hwri_mode mode, size_t more);

/* Appends items. The first that are not the list's own; may collect; false without memory. */
bool hwri_list_add(hwr_heap *heap, hwri_list *list, hwri_span span);
bool hwri_list_try_extend(hwr_heap *heap, hwri_list *list, const void *sequence, size_t from, size_t to);

/* After items have gone: gives up storage, if most of it is not used. */
void hwri_list_shrink(hwr_heap *heap, hwri_list *list);

#endif
