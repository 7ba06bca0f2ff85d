/* dict: a table whose entries have values. */
#include "kinds/table.h"

static bool is_dict(const void *object) { return hwri_is_of_type(object, HWRI_DICT_TYPE); }

void *hwr_dict(hwr_heap *heap, size_t room) {
    hwri_table *table = room ? NULL : hwri_spare_take(heap, HWRI_DICT_TYPE);
    if (table) return table;
    table = hwr_new(heap, hwri_kind_type(HWRI_DICT_TYPE));
    if (!table || !room || hwri_table_reserve(heap, table, HWRI_VALUES, room)) return table;
    hwr_release(heap, table);
    return NULL;
}

size_t hwr_dict_length(const void *dict) { return ((const hwri_table *)dict)->live; }

static inline void *value_of_item(const hwri_table *table, size_t item) { return table->entries->as.objects[item + 1]; }

HWRI_INLINE hwr_result peek(hwr_heap *heap, const void *dict, const void *object, void **value) {
    size_t item;
    if (hwri_unlikely(!is_dict(dict))) return HWR_WRONG_KIND;
    hwr_result result = hwri_table_look_up(heap, dict, HWRI_VALUES, object, &item);
    if (hwri_likely(result == HWR_OK)) *value = value_of_item(dict, item);
    return result;
}

/* What was borrowed becomes the caller's. */
static inline hwr_result owned(hwr_heap *heap, hwr_result result, void *const *value) {
    if (hwri_likely(result == HWR_OK)) hwr_retain(heap, *value);
    return result;
}

hwr_result hwr_dict_peek(hwr_heap *heap, const void *dict, const void *key, void **value) {
    HWRI_LOOK(heap, dict);
    HWRI_LOOK(heap, key);
    return peek(heap, dict, key, value);
}

hwr_result hwr_dict_get(hwr_heap *heap, const void *dict, const void *key, void **value) {
    HWRI_LOOK(heap, dict);
    HWRI_LOOK(heap, key);
    return owned(heap, peek(heap, dict, key, value), value);
}

static hwr_result set_by(hwr_heap *heap, hwri_table *table, hwri_key key, const void *value, size_t item) {
    return hwri_table_put_at(heap, table, HWRI_VALUES, &key, value, item, NULL);
}

hwr_result hwr_dict_set(hwr_heap *heap, void *dict, const void *object, const void *value) {
    HWRI_LOOK(heap, dict);
    HWRI_LOOK(heap, object);
    HWRI_LOOK(heap, value);
    hwri_key key;
    if (hwri_unlikely(!is_dict(dict))) return HWR_WRONG_KIND;
    if (hwri_likely(hwri_is_str(object))) {
        hwri_key text = hwri_key_of_str(heap, object);
        size_t item = hwri_find_str(dict, HWRI_VALUES, &text);
        if (item == HWRI_NO_ENTRY || (!hwri_is_leaf(value) && hwri_holds_leaves(dict)))
            return set_by(heap, dict, text, value, item);
        hwri_table_set(heap, dict, item, value);
        return HWR_OK;
    }
    hwr_result result = hwri_key_of(heap, object, &key);
    return result == HWR_OK ? hwri_table_put(heap, dict, HWRI_VALUES, &key, value, NULL) : result;
}

hwr_result hwr_dict_remove(hwr_heap *heap, void *dict, const void *object, void **value) {
    HWRI_LOOK(heap, dict);
    HWRI_LOOK(heap, object);
    hwri_key key;
    if (!is_dict(dict)) return HWR_WRONG_KIND;
    hwr_result result = hwri_key_of(heap, object, &key);
    return result == HWR_OK ? hwri_table_remove(heap, dict, HWRI_VALUES, &key, value) : result;
}

void hwr_dict_clear(hwr_heap *heap, void *dict) {
    HWRI_LOOK(heap, dict);
    hwri_table_clear(heap, dict);
}

HWRI_INLINE hwr_result peek_next(const void *dict, size_t *position, void **key, void **value) {
    size_t item;
    if (!is_dict(dict)) return HWR_WRONG_KIND;
    const hwri_table *table = dict;
    hwr_result result = hwri_table_next(table, HWRI_VALUES, position, &item);
    if (result != HWR_OK) return result;
    if (key) *key = table->entries->as.objects[item];
    if (value) *value = table->entries->as.objects[item + 1];
    return HWR_OK;
}

hwr_result hwr_dict_peek_next(hwr_heap *heap, const void *dict, size_t *position, void **key, void **value) {
    HWRI_LOOK(heap, dict);
    return peek_next(dict, position, key, value);
}

hwr_result hwr_dict_next(hwr_heap *heap, const void *dict, size_t *position, void **key, void **value) {
    HWRI_LOOK(heap, dict);
    hwr_result result = peek_next(dict, position, key, value);
    if (result == HWR_OK && key) hwr_retain(heap, *key);
    if (result == HWR_OK && value) hwr_retain(heap, *value);
    return result;
}

/* ---- keys of UTF-8 ---- */

HWRI_INLINE hwr_result peek_text(hwr_heap *heap, const void *dict, const char *text, void **value) {
    hwri_key key;
    void *made;
    if (!is_dict(dict)) return HWR_WRONG_KIND;
    hwr_result result = hwri_key_of_text(heap, text, false, &key, &made);
    size_t item = result == HWR_OK ? hwri_find_str(dict, HWRI_VALUES, &key) : HWRI_NO_ENTRY;
    if (hwri_likely(item != HWRI_NO_ENTRY))
        *value = value_of_item(dict, item);
    else if (result == HWR_OK)
        result = HWR_NOT_FOUND;
    hwr_release(heap, made);
    return result;
}

static hwr_result set_text(hwr_heap *heap, void *dict, const char *text, bool with_str, const void *value) {
    hwri_key key;
    void *made;
    hwr_result result = hwri_key_of_text(heap, text, with_str, &key, &made);
    if (result == HWR_OK) result = hwri_table_put(heap, dict, HWRI_VALUES, &key, value, NULL);
    hwr_release(heap, made);
    return result;
}

hwr_result hwr_dict_peek_text(hwr_heap *heap, const void *dict, const char *key, void **value) {
    HWRI_LOOK(heap, dict);
    return peek_text(heap, dict, key, value);
}

hwr_result hwr_dict_get_text(hwr_heap *heap, const void *dict, const char *key, void **value) {
    HWRI_LOOK(heap, dict);
    return owned(heap, peek_text(heap, dict, key, value), value);
}

hwr_result hwr_dict_set_text(hwr_heap *heap, void *dict, const char *text, const void *value) {
    HWRI_LOOK(heap, dict);
    HWRI_LOOK(heap, value);
    if (!is_dict(dict)) return HWR_WRONG_KIND;
    hwr_result result = set_text(heap, dict, text, false, value);
    return result == HWR_NOT_FOUND ? set_text(heap, dict, text, true, value) : result;
}

/* ---- what all kinds have ---- */

static hwr_result equal_dicts(hwr_heap *heap, const void *a, const void *b, unsigned depth, bool *equal) {
    return hwri_table_equal(heap, a, b, HWRI_VALUES, depth, equal);
}

static hwr_result repr_dict(hwr_heap *heap, const void *dict, unsigned depth, hwri_writer *writer) {
    return hwri_table_repr(heap, dict, HWRI_VALUES, depth, writer);
}

const hwri_kind_ops hwri_dict_ops = {.equal = equal_dicts, .length = hwr_dict_length, .repr = repr_dict};
