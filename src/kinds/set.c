/* set: a table whose entries are keys only. */
#include "kinds/table.h"

static bool is_set(const void *object) { return hwri_is_of_type(object, HWRI_SET_TYPE); }

void *hwr_set_new(hwr_heap *heap, size_t room) {
    hwri_table *table = hwr_new(heap, hwri_kind_type(HWRI_SET_TYPE));
    if (!table || !room || hwri_table_reserve(heap, table, HWRI_NO_VALUES, room)) return table;
    hwr_release(heap, table);
    return NULL;
}

size_t hwr_set_length(const void *set) { return ((const hwri_table *)set)->live; }

hwr_result hwr_set_add(hwr_heap *heap, void *set, const void *item, bool *is_new) {
    HWRI_LOOK(heap, set);
    HWRI_LOOK(heap, item);
    hwri_key key;
    if (hwri_unlikely(!is_set(set))) return HWR_WRONG_KIND;
    hwr_result result = hwri_key_of(heap, item, &key);
    return result == HWR_OK ? hwri_table_put(heap, set, HWRI_NO_VALUES, &key, NULL, is_new) : result;
}

hwr_result hwr_set_contains(hwr_heap *heap, const void *set, const void *item, bool *contains) {
    HWRI_LOOK(heap, set);
    HWRI_LOOK(heap, item);
    size_t place;
    if (hwri_unlikely(!is_set(set))) return HWR_WRONG_KIND;
    hwr_result result = hwri_table_look_up(heap, set, HWRI_NO_VALUES, item, &place);
    if (result != HWR_OK && result != HWR_NOT_FOUND) return result;
    *contains = result == HWR_OK;
    return HWR_OK;
}

hwr_result hwr_set_remove(hwr_heap *heap, void *set, const void *item) {
    HWRI_LOOK(heap, set);
    HWRI_LOOK(heap, item);
    hwri_key key;
    if (!is_set(set)) return HWR_WRONG_KIND;
    hwr_result result = hwri_key_of(heap, item, &key);
    return result == HWR_OK ? hwri_table_remove(heap, set, HWRI_NO_VALUES, &key, NULL) : result;
}

hwr_result hwr_set_next(hwr_heap *heap, const void *set, size_t *position, void **item) {
    HWRI_LOOK(heap, set);
    size_t place;
    if (!is_set(set)) return HWR_WRONG_KIND;
    hwr_result result = hwri_table_next(set, HWRI_NO_VALUES, position, &place);
    if (result == HWR_OK && item) *item = hwri_table_item(heap, set, place);
    return result;
}

static hwr_result equal_sets(hwr_heap *heap, const void *a, const void *b, unsigned depth, bool *equal) {
    return hwri_table_equal(heap, a, b, HWRI_NO_VALUES, depth, equal);
}

static hwr_result repr_set(hwr_heap *heap, const void *set, unsigned depth, hwri_writer *writer) {
    if (hwr_set_length(set)) return hwri_table_repr(heap, set, HWRI_NO_VALUES, depth, writer);
    hwri_write_text(writer, "set()");
    return HWR_OK;
}

const hwri_kind_ops hwri_set_ops = {.equal = equal_sets, .length = hwr_set_length, .repr = repr_set};
