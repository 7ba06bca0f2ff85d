/* list: what a program does with lists. How their items are kept, and how that changes, is in storage.c. */
#include "kinds/storage.h"

/* ---- making ---- */

static void *new_list(hwr_heap *heap) { return hwr_new(heap, hwri_kind_type(HWRI_LIST_TYPE)); }

void *hwr_list(hwr_heap *heap, size_t room) {
    hwri_list *list = room ? NULL : hwri_spare_take(heap, HWRI_LIST_TYPE);
    unsigned attempt = 0;
    if (!list) list = new_list(heap);
    while (list && room && !hwri_list_try_reserve(heap, list, room))
        if (room > PTRDIFF_MAX / sizeof(void *) || !hwri_make_room(heap, room * sizeof(void *), &attempt)) {
            hwr_release(heap, list);
            return NULL;
        }
    return list;
}

size_t hwr_list_length(const void *list) { return ((const hwri_list *)list)->length; }

/* ---- reading ---- */

hwr_result hwr_list_get(hwr_heap *heap, const void *list, size_t index, void **item) {
    HWRI_LOOK(heap, list);
    const hwri_list *l = list;
    if (index >= l->length) return HWR_OUT_OF_RANGE;
    void *result = hwri_storage_item(heap, l->storage, index);
    if (result) *item = result;
    return result ? HWR_OK : HWR_NO_MEMORY;
}

void *hwr_list_peek(const void *list, size_t index) {
    const hwri_list *l = list;
    return index < l->length && hwr_type_of(l->storage)->items_are_references ? l->storage->as.objects[index] : NULL;
}

hwr_result hwr_list_get_int(const void *list, size_t index, int64_t *value) {
    const hwri_list *l = list;
    if (index >= l->length) return HWR_OUT_OF_RANGE;
    if (hwri_storage_int(l->storage, index, value)) return HWR_OK;
    if (hwri_is_of_type(l->storage, HWRI_DOUBLES_TYPE)) return HWR_WRONG_KIND;
    return hwr_int_get(l->storage->as.objects[index], value);
}

hwr_result hwr_list_get_float(const void *list, size_t index, double *value) {
    const hwri_list *l = list;
    hwri_unboxed place;
    if (index >= l->length) return HWR_OUT_OF_RANGE;
    if (hwri_is_of_type(l->storage, HWRI_DOUBLES_TYPE)) {
        *value = l->storage->as.doubles[index];
        return HWR_OK;
    }
    return hwr_float_get(hwri_storage_peek(l->storage, hwri_storage_mode(l->storage), index, &place), value);
}

/* ---- appending ---- */

/* These write an item behind the last, where there is room, if the list keeps such: otherwise they return false. */

static inline bool put_int(hwri_list *list, int64_t value) {
    hwri_storage *storage = list->storage;
    const hwr_type *type = hwr_type_of(storage);
    if (type == hwri_kind_type(HWRI_DATA1_TYPE) && value == (int8_t)value)
        storage->as.ints1[list->length] = (int8_t)value;
    else if (type == hwri_kind_type(HWRI_DATA2_TYPE) && value == (int16_t)value)
        storage->as.ints2[list->length] = (int16_t)value;
    else if (type == hwri_kind_type(HWRI_DATA4_TYPE) && value == (int32_t)value)
        storage->as.ints4[list->length] = (int32_t)value;
    else if (type == hwri_kind_type(HWRI_DATA8_TYPE))
        storage->as.ints8[list->length] = value;
    else
        return false;
    list->length++;
    return true;
}

static inline bool put_float(hwri_list *list, double value) {
    if (!hwri_is_of_type(list->storage, HWRI_DOUBLES_TYPE)) return false;
    list->storage->as.doubles[list->length++] = value;
    return true;
}

/* Whether a storage is for references to such items. */
static inline bool takes_reference(const hwri_storage *storage, const void *item) {
    return hwri_is_of_type(storage, HWRI_SLOTS_TYPE) ||
           (hwri_is_of_type(storage, HWRI_LEAF_SLOTS_TYPE) && hwri_is_leaf(item));
}

static inline bool put_reference(hwr_heap *heap, hwri_list *list, const void *item) {
    if (!takes_reference(list->storage, item)) return false;
    hwr_retain(heap, item);
    hwri_init(heap, list->storage, &list->storage->as.objects[list->length++], (void *)(uintptr_t)item);
    return true;
}

static inline bool put_item(hwr_heap *heap, hwri_list *list, const void *item) {
    return put_reference(heap, list, item) ||
           (hwri_is_of_type(item, HWRI_INT_TYPE) && put_int(list, ((const hwri_int *)item)->value)) ||
           (hwri_is_of_type(item, HWRI_FLOAT_TYPE) && put_float(list, ((const hwri_float *)item)->value));
}

/* There is a storage, its mode means something, and it has room. */
static inline bool list_has_room(const hwri_list *list) { return list->length && list->length < list->storage->room; }

__attribute__((noinline)) static bool append_otherwise(hwr_heap *heap, hwri_list *list, const void *item,
                                                       const void *site) {
    if (heap->checked) {
        hwri_look_slow(heap, list, "hwr_list_append", site);
        hwri_look_slow(heap, item, "hwr_list_append", site);
    }
    return (list_has_room(list) && put_item(heap, list, item)) ||
           (hwri_list_prepare(heap, list, hwri_mode_of(item), 1) && put_item(heap, list, item));
}

/* A value: to a list of references as an object, which is made on the way. */
static bool append_value(hwr_heap *heap, hwri_list *list, hwri_mode mode, const hwri_storage *value) {
    return hwri_list_add(heap, list, (hwri_span){mode, value, 0, 1});
}

__attribute__((noinline)) static bool append_int_slowly(hwr_heap *heap, hwri_list *list, int64_t value) {
    hwri_storage one;
    hwri_mode mode = hwri_mode_of_int(value);
    if (hwri_mode_is_ints(hwri_mode_join(hwri_list_mode(list), mode)) && hwri_list_prepare(heap, list, mode, 1) &&
        put_int(list, value))
        return true;
    hwri_data_put(&one, mode, 0, value);
    return append_value(heap, list, mode, &one);
}

__attribute__((noinline)) static bool append_float_slowly(hwr_heap *heap, hwri_list *list, double value) {
    hwri_storage one = {.as.doubles = {value}};
    return append_value(heap, list, HWRI_DOUBLES_TYPE, &one);
}

/* The short way calls nothing, so that it saves no registers. */
bool hwr_list_append(hwr_heap *heap, void *list, const void *item) {
    hwri_list *l = list;
    if (hwri_likely(hwri_counts_inline(heap) && list_has_room(l) && takes_reference(l->storage, item) &&
                    hwri_count_up(item))) {
        l->storage->as.objects[l->length++] = (void *)(uintptr_t)item;
        return true;
    }
    return append_otherwise(heap, list, item, __builtin_return_address(0));
}

bool hwr_list_append_int(hwr_heap *heap, void *list, int64_t value) {
    HWRI_LOOK(heap, list);
    return (list_has_room(list) && put_int(list, value)) || append_int_slowly(heap, list, value);
}

bool hwr_list_append_float(hwr_heap *heap, void *list, double value) {
    HWRI_LOOK(heap, list);
    return (list_has_room(list) && put_float(list, value)) || append_float_slowly(heap, list, value);
}

/* ---- changing ---- */

hwr_result hwr_list_set(hwr_heap *heap, void *list, size_t index, const void *item) {
    HWRI_LOOK(heap, list);
    HWRI_LOOK(heap, item);
    hwri_list *l = list;
    if (index >= l->length) return HWR_OUT_OF_RANGE;
    if (!hwri_list_prepare(heap, l, hwri_mode_of(item), 0)) return HWR_NO_MEMORY;
    if (index >= l->length) return HWR_OUT_OF_RANGE; /* a finalizer has made it shorter */
    hwri_mode mode = hwri_storage_mode(l->storage);
    if (mode == HWRI_DOUBLES_TYPE)
        l->storage->as.doubles[index] = ((const hwri_float *)item)->value;
    else if (hwri_mode_is_data(mode))
        hwri_data_put(l->storage, mode, index, ((const hwri_int *)item)->value);
    else
        hwri_set(heap, l->storage, &l->storage->as.objects[index], (void *)(uintptr_t)item);
    return HWR_OK;
}

static char *place_in(const hwri_list *list, size_t index) {
    return (char *)&list->storage->as + index * hwr_type_of(list->storage)->item_size;
}

/* Appends it, and brings it to its place. */
hwr_result hwr_list_insert(hwr_heap *heap, void *list, size_t index, const void *item) {
    hwri_list *l = list;
    if (index > l->length) return HWR_OUT_OF_RANGE;
    if (!hwr_list_append(heap, list, item)) return HWR_NO_MEMORY;
    if (index + 1 >= l->length) return HWR_OK;
    char last[sizeof(void *)], *from = place_in(l, index), *end = place_in(l, l->length);
    size_t bytes = hwr_type_of(l->storage)->item_size;
    memcpy(last, end - bytes, bytes);
    memmove(from + bytes, from, (size_t)(end - from) - bytes);
    memcpy(from, last, bytes);
    hwri_shuffled(l->storage);
    return HWR_OK;
}

/* Takes an item that is an object out of the list, or makes one of a value; NULL without memory at hand. */
static void *try_take(hwr_heap *heap, hwri_list *list, size_t index) {
    hwri_mode mode = hwri_storage_mode(list->storage);
    void *item =
        hwri_mode_is_data(mode) ? hwri_storage_box(heap, list->storage, mode, index) : list->storage->as.objects[index];
    if (!item) return NULL;
    char *from = place_in(list, index), *end = place_in(list, list->length);
    size_t bytes = hwr_type_of(list->storage)->item_size;
    memmove(from, from + bytes, (size_t)(end - from) - bytes);
    list->length--;
    if (!hwri_mode_is_data(mode)) list->storage->as.objects[list->length] = NULL;
    hwri_shuffled(list->storage);
    return item;
}

hwr_result hwr_list_pop(hwr_heap *heap, void *list, size_t index, void **item) {
    HWRI_LOOK(heap, list);
    hwri_list *l = list;
    unsigned attempt = 0;
    void *taken = NULL;
    while (index < l->length && !(taken = try_take(heap, l, index)))
        if (!hwri_make_room(heap, sizeof(hwri_int), &attempt)) return HWR_NO_MEMORY;
    if (!taken) return HWR_OUT_OF_RANGE;
    hwri_list_shrink(heap, l);
    *item = taken;
    return HWR_OK;
}

bool hwr_list_extend(hwr_heap *heap, void *list, const void *other) {
    HWRI_LOOK(heap, list);
    HWRI_LOOK(heap, other);
    hwri_list *l = list;
    unsigned attempt = 0;
    while (!hwri_list_try_extend(heap, l, other, 0, SIZE_MAX))
        if (!hwri_make_room(heap, (l->length + 1) * sizeof(void *), &attempt)) return false;
    return true;
}

hwr_result hwr_list_slice(hwr_heap *heap, const void *list, size_t from, size_t to, void **slice) {
    HWRI_LOOK(heap, list);
    hwri_list *part = new_list(heap);
    unsigned attempt = 0;
    while (part && !hwri_list_try_extend(heap, part, list, from, to))
        if (!hwri_make_room(heap, sizeof(hwri_storage) + hwri_span_of(list, from, to).count * sizeof(void *),
                            &attempt)) {
            hwr_release(heap, part);
            return HWR_NO_MEMORY;
        }
    if (part) *slice = part;
    return part ? HWR_OK : HWR_NO_MEMORY;
}

/* What dies of it finds the list empty. */
void hwr_list_clear(hwr_heap *heap, void *list) {
    HWRI_LOOK(heap, list);
    hwri_list *l = list;
    l->length = 0;
    hwr_give(heap, l, &l->storage, NULL);
}

void hwr_list_reverse(void *list) {
    const hwri_list *l = list;
    if (l->length < 2) return;
    size_t bytes = hwr_type_of(l->storage)->item_size;
    for (char *low = place_in(l, 0), *high = place_in(l, l->length - 1); low < high; low += bytes, high -= bytes) {
        char item[sizeof(void *)];
        memcpy(item, low, bytes);
        memcpy(low, high, bytes);
        memcpy(high, item, bytes);
    }
    hwri_shuffled(l->storage);
}

/* ---- what all kinds have ---- */

static bool have_same_bits(const hwri_float *a, const hwri_float *b) {
    uint64_t of_a, of_b;
    memcpy(&of_a, &a->value, sizeof of_a);
    memcpy(&of_b, &b->value, sizeof of_b);
    return of_a == of_b;
}

/* In a list of floats nobody can tell one NaN from another that has the same bits: they are identical. */
static bool are_identical(const void *a, const void *b, bool unboxed) {
    if (a == b) return true;
    if (!unboxed || !hwri_is_of_type(a, HWRI_FLOAT_TYPE) || !hwri_is_of_type(b, HWRI_FLOAT_TYPE)) return false;
    return have_same_bits(a, b);
}

/* The first index at which two lists differ: the length of the shorter if they do not before. */
static hwr_result first_difference(hwr_heap *heap, const hwri_list *a, const hwri_list *b, unsigned depth,
                                   size_t *index) {
    hwri_unboxed of_a, of_b;
    size_t i = 0;
    bool equal = true;
    while (i < a->length && i < b->length) {
        hwri_mode mode_a = hwri_storage_mode(a->storage), mode_b = hwri_storage_mode(b->storage);
        const void *item_a = hwri_storage_peek(a->storage, mode_a, i, &of_a);
        const void *item_b = hwri_storage_peek(b->storage, mode_b, i, &of_b);
        if (!are_identical(item_a, item_b, hwri_mode_is_data(mode_a) || hwri_mode_is_data(mode_b))) {
            hwr_result result = hwri_equal(heap, item_a, item_b, depth + 1, &equal);
            if (result != HWR_OK) return result;
            if (!equal) break;
        }
        i++;
    }
    *index = i;
    return HWR_OK;
}

/* Lists of ints as wide are equal byte by byte, and those of other kinds of values item by item. */
static hwr_result equal_lists(hwr_heap *heap, const void *a, const void *b, unsigned depth, bool *equal) {
    const hwri_list *l = a, *m = b;
    size_t index;
    *equal = l->length == m->length;
    if (!*equal || !l->length) return HWR_OK;
    const hwr_type *type = hwr_type_of(l->storage);
    if (type == hwr_type_of(m->storage) && hwri_mode_is_ints(hwri_storage_mode(l->storage))) {
        *equal = memcmp(&l->storage->as, &m->storage->as, l->length * type->item_size) == 0;
        return HWR_OK;
    }
    hwr_result result = first_difference(heap, l, m, depth, &index);
    if (result == HWR_OK) *equal = index == l->length;
    return result;
}

static hwr_result compare_lists(hwr_heap *heap, const void *a, const void *b, unsigned depth, int *order) {
    const hwri_list *l = a, *m = b;
    hwri_unboxed of_a, of_b;
    size_t index;
    hwr_result result = first_difference(heap, l, m, depth, &index);
    if (result != HWR_OK) return result;
    if (index == l->length || index == m->length) {
        *order = (l->length > m->length) - (l->length < m->length);
        return HWR_OK;
    }
    return hwri_compare(heap, hwri_storage_peek(l->storage, hwri_storage_mode(l->storage), index, &of_a),
                        hwri_storage_peek(m->storage, hwri_storage_mode(m->storage), index, &of_b), depth + 1, order);
}

/* Writing may collect: the item is held meanwhile, and the list may be another afterwards. */
static hwr_result repr_item(hwr_heap *heap, const hwri_list *list, size_t index, unsigned depth, hwri_writer *writer) {
    hwri_unboxed place;
    const void *item = hwri_storage_peek(list->storage, hwri_storage_mode(list->storage), index, &place);
    if (item == &place.value) return hwri_repr(heap, item, depth + 1, writer);
    hwr_retain(heap, item);
    hwr_result result = hwri_repr(heap, item, depth + 1, writer);
    hwr_release(heap, item);
    return result;
}

static hwr_result repr_list(hwr_heap *heap, const void *object, unsigned depth, hwri_writer *writer) {
    const hwri_list *list = object;
    hwri_inside link = {list, writer->inside};
    hwr_result result = HWR_OK;
    if (hwri_is_inside(writer, list)) {
        hwri_write_text(writer, "[...]");
        return HWR_OK;
    }
    writer->inside = &link;
    hwri_write_text(writer, "[");
    for (size_t i = 0; i < list->length && result == HWR_OK; i++) {
        if (i) hwri_write_text(writer, ", ");
        result = repr_item(heap, list, i, depth, writer);
    }
    hwri_write_text(writer, "]");
    writer->inside = link.outer;
    return result;
}

const hwri_kind_ops hwri_list_ops = {
    .equal = equal_lists, .compare = compare_lists, .length = hwr_list_length, .repr = repr_list};
