/* iterator: going through containers, and making lists and tuples of what comes. */
#include "kinds/iterator.h"
#include "kinds/storage.h"
#include "kinds/table.h"

/* ---- steps ---- */

static inline void *hold(hwr_heap *heap, void *object) {
    hwr_retain(heap, object);
    return object;
}

hwr_result hwri_at_end(hwr_heap *heap, hwri_iterator *iterator, void **item) {
    (void)heap, (void)iterator, (void)item;
    return HWR_END;
}

hwr_result hwri_iterator_end(hwr_heap *heap, hwri_iterator *iterator) {
    iterator->step = hwri_at_end;
    hwr_give(heap, iterator, &iterator->source, NULL);
    return HWR_END;
}

/* The step is taken before the item is made, which may run code of the program's, and taken back if there is no memory for it. */
static inline hwr_result give_item_at(hwri_iterator *iterator, size_t index, void *made, void **item) {
    if (hwri_likely(made != NULL)) {
        *item = made;
        return HWR_OK;
    }
    iterator->at.index = index;
    return HWR_NO_MEMORY;
}

static hwr_result next_of_list(hwr_heap *heap, hwri_iterator *iterator, void **item) {
    const hwri_list *list = iterator->source;
    size_t index = iterator->at.index;
    if (hwri_unlikely(index >= list->length)) return hwri_iterator_end(heap, iterator);
    iterator->at.index = index + 1;
    return give_item_at(iterator, index, hwri_storage_item(heap, list->storage, index), item);
}

static hwr_result next_of_tuple(hwr_heap *heap, hwri_iterator *iterator, void **item) {
    const hwri_tuple *tuple = iterator->source;
    if (hwri_unlikely(iterator->at.index >= tuple->length)) return hwri_iterator_end(heap, iterator);
    *item = hold(heap, tuple->items[iterator->at.index++]);
    return HWR_OK;
}

static hwr_result next_of_range(hwr_heap *heap, hwri_iterator *iterator, void **item) {
    const hwri_int_range *range = iterator->source;
    size_t index = iterator->at.index;
    if (hwri_unlikely(index >= range->length)) return hwri_iterator_end(heap, iterator);
    iterator->at.index = index + 1;
    return give_item_at(iterator, index, hwr_int(heap, hwri_range_at(range, index)), item);
}

static hwr_result next_of_str(hwr_heap *heap, hwri_iterator *iterator, void **item) {
    const hwri_str *str = iterator->source;
    size_t index = iterator->at.index;
    if (hwri_unlikely(index >= str->length)) return hwri_iterator_end(heap, iterator);
    iterator->at.index = index + 1;
    if (hwri_str_width(str) > 1) {
        void *made = NULL;
        (void)hwr_str_slice(heap, str, index, index + 1, &made);
        return give_item_at(iterator, index, made, item);
    }
    *item = hold(heap, heap->kinds->characters[str->chars[index]]);
    return HWR_OK;
}

static hwr_result next_of_bytes(hwr_heap *heap, hwri_iterator *iterator, void **item) {
    size_t size;
    const unsigned char *bytes = hwr_bytes_get(iterator->source, &size);
    if (hwri_unlikely(iterator->at.index >= size)) return hwri_iterator_end(heap, iterator);
    *item = hwri_shared_int(heap, bytes[iterator->at.index++]);
    return HWR_OK;
}

static hwr_result next_of_array(hwr_heap *heap, hwri_iterator *iterator, void **item) {
    size_t index = iterator->at.index++;
    hwr_result result = hwr_array_get(heap, iterator->source, index, item);
    if (hwri_unlikely(result != HWR_OK)) iterator->at.index = index;
    return result == HWR_OUT_OF_RANGE ? hwri_iterator_end(heap, iterator) : result;
}

/* ---- steps through tables ---- */

/* Another one after every entry that is added or removed. */
static inline uint32_t changes_of(const hwri_table *table) { return 2 * table->added - table->live; }

/* The key of the next entry, and behind it its value; NULL: see no_entry. */
HWRI_INLINE void **next_entry(hwri_iterator *iterator, hwri_values values) {
    const hwri_table *table = iterator->source;
    size_t at = iterator->at.entry.index;
    if (hwri_unlikely(changes_of(table) != iterator->at.entry.changes)) return NULL;
    while (at < table->used && !table->entries->as.objects[at << values]) at++;
    if (hwri_unlikely(at >= table->used)) return NULL;
    iterator->at.entry.index = (uint32_t)at + 1;
    return &table->entries->as.objects[at << values];
}

static hwr_result no_entry(hwr_heap *heap, hwri_iterator *iterator) {
    bool changed = changes_of(iterator->source) != iterator->at.entry.changes;
    return changed ? HWR_CHANGED : hwri_iterator_end(heap, iterator);
}

static hwr_result next_key(hwr_heap *heap, hwri_iterator *iterator, void **item) {
    void **entry = next_entry(iterator, HWRI_VALUES);
    if (hwri_unlikely(!entry)) return no_entry(heap, iterator);
    *item = hold(heap, entry[0]);
    return HWR_OK;
}

static hwr_result next_value(hwr_heap *heap, hwri_iterator *iterator, void **item) {
    void **entry = next_entry(iterator, HWRI_VALUES);
    if (hwri_unlikely(!entry)) return no_entry(heap, iterator);
    *item = hold(heap, entry[1]);
    return HWR_OK;
}

static hwr_result next_pair(hwr_heap *heap, hwri_iterator *iterator, void **item) {
    hwri_entries *entries = (hwri_entries *)iterator;
    uint32_t index = iterator->at.entry.index;
    void **entry = next_entry(iterator, HWRI_VALUES);
    if (hwri_unlikely(!entry)) {
        hwr_result result = no_entry(heap, iterator);
        if (result == HWR_END) hwr_give(heap, entries, &entries->last, NULL);
        return result;
    }
    void *both[2] = {hold(heap, entry[0]), hold(heap, entry[1])};
    void *pair = hwri_tuple_again(heap, entries, &entries->last, both, 2);
    if (pair)
        *item = pair;
    else
        iterator->at.entry.index = index;
    return pair ? HWR_OK : HWR_NO_MEMORY;
}

static hwr_result next_of_set(hwr_heap *heap, hwri_iterator *iterator, void **item) {
    void **entry = next_entry(iterator, HWRI_NO_VALUES);
    if (hwri_unlikely(!entry)) return no_entry(heap, iterator);
    *item = hold(heap, entry[0]);
    return HWR_OK;
}

/* ---- making iterators ---- */

static hwr_result iterate_as(hwr_heap *heap, enum hwri_kind_type type, const void *source, hwri_step step,
                             void **iterator) {
    hwri_iterator *made = hwr_new(heap, hwri_kind_type(type));
    if (!made) return HWR_NO_MEMORY;
    made->step = step;
    hwr_retain(heap, source);
    hwr_init(heap, made, &made->source, (void *)(uintptr_t)source);
    *iterator = made;
    return HWR_OK;
}

static hwr_result iterate_by(hwr_heap *heap, const void *source, hwri_step step, void **iterator) {
    bool leaf = hwri_is_leaf(source);
    return iterate_as(heap, leaf ? HWRI_LEAF_ITERATOR_TYPE : HWRI_ITERATOR_TYPE, source, step, iterator);
}

static hwr_result iterate_table(hwr_heap *heap, const void *table, hwri_step step, void **iterator) {
    uint32_t changes = changes_of(table);
    enum hwri_kind_type type = step == next_pair ? HWRI_ENTRIES_TYPE : HWRI_ITERATOR_TYPE;
    hwr_result result = iterate_as(heap, type, table, step, iterator);
    if (result == HWR_OK) ((hwri_iterator *)*iterator)->at.entry.changes = changes;
    return result;
}

hwr_result hwr_iterate(hwr_heap *heap, const void *iterable, void **iterator) {
    static const hwri_step steps[HWR_KINDS] = {
        [HWR_STR] = next_of_str,         [HWR_BYTES] = next_of_bytes, [HWR_LIST] = next_of_list,
        [HWR_BYTEARRAY] = next_of_bytes, [HWR_TUPLE] = next_of_tuple, [HWR_ARRAY] = next_of_array,
        [HWR_RANGE] = next_of_range};
    HWRI_LOOK(heap, iterable);
    hwr_kind kind = hwr_kind_of(iterable);
    if (steps[kind]) return iterate_by(heap, iterable, steps[kind], iterator);
    if (kind == HWR_DICT) return iterate_table(heap, iterable, next_key, iterator);
    if (kind == HWR_SET) return iterate_table(heap, iterable, next_of_set, iterator);
    if (kind != HWR_ITERATOR) return HWR_WRONG_KIND;
    hwr_retain(heap, iterable);
    *iterator = (void *)(uintptr_t)iterable;
    return HWR_OK;
}

hwr_result hwr_iterate_values(hwr_heap *heap, const void *dict, void **iterator) {
    HWRI_LOOK(heap, dict);
    if (hwr_kind_of(dict) != HWR_DICT) return HWR_WRONG_KIND;
    return iterate_table(heap, dict, next_value, iterator);
}

hwr_result hwr_iterate_entries(hwr_heap *heap, const void *dict, void **iterator) {
    HWRI_LOOK(heap, dict);
    if (hwr_kind_of(dict) != HWR_DICT) return HWR_WRONG_KIND;
    return iterate_table(heap, dict, next_pair, iterator);
}

hwr_result hwr_next(hwr_heap *heap, void *iterator, void **item) {
    HWRI_LOOK(heap, iterator);
    if (hwri_unlikely(hwr_kind_of(iterator) != HWR_ITERATOR)) return HWR_WRONG_KIND;
    return hwri_next(heap, iterator, item);
}

/* ---- collecting what comes ---- */

static hwr_result append_all(hwr_heap *heap, void *list, const void *iterable) {
    void *iterator, *item;
    hwr_result result = hwr_iterate(heap, iterable, &iterator);
    if (result != HWR_OK) return result;
    while ((result = hwri_next(heap, iterator, &item)) == HWR_OK) {
        bool appended = hwr_list_append(heap, list, item);
        hwr_release(heap, item);
        if (!appended) {
            result = HWR_NO_MEMORY;
            break;
        }
    }
    hwr_release(heap, iterator);
    return result == HWR_END ? HWR_OK : result;
}

static bool is_list_or_tuple(const void *object) {
    hwr_kind kind = hwr_kind_of(object);
    return kind == HWR_LIST || kind == HWR_TUPLE;
}

static hwr_result extend_by_any(hwr_heap *heap, void *list, const void *iterable) {
    if (!is_list_or_tuple(iterable)) return append_all(heap, list, iterable);
    return hwr_list_extend(heap, list, iterable) ? HWR_OK : HWR_NO_MEMORY;
}

hwr_result hwr_list_of(hwr_heap *heap, const void *iterable, void **list) {
    HWRI_LOOK(heap, iterable);
    void *made = hwr_list(heap, 0);
    hwr_result result = made ? extend_by_any(heap, made, iterable) : HWR_NO_MEMORY;
    if (result == HWR_OK)
        *list = made;
    else
        hwr_release(heap, made);
    return result;
}

/* What comes is in a list of its own first, which nobody else can see or change. */
hwr_result hwr_list_extend_from(hwr_heap *heap, void *list, const void *iterable) {
    HWRI_LOOK(heap, list);
    HWRI_LOOK(heap, iterable);
    if (is_list_or_tuple(iterable)) return extend_by_any(heap, list, iterable);
    void *more;
    hwr_result result = hwr_list_of(heap, iterable, &more);
    if (result != HWR_OK) return result;
    result = extend_by_any(heap, list, more);
    hwr_release(heap, more);
    return result;
}

hwr_result hwr_tuple_of(hwr_heap *heap, const void *iterable, void **tuple) {
    HWRI_LOOK(heap, iterable);
    if (hwr_kind_of(iterable) == HWR_TUPLE) {
        hwr_retain(heap, iterable);
        *tuple = (void *)(uintptr_t)iterable;
        return HWR_OK;
    }
    void *items, *made = NULL;
    hwr_result result = hwr_list_of(heap, iterable, &items);
    if (result != HWR_OK) return result;
    hwri_list *list = items;
    bool empty = list->length == 0;
    if (empty || hwri_list_prepare(heap, list, HWRI_LEAF_SLOTS_TYPE, 0))
        made = hwr_tuple(heap, empty ? NULL : list->storage->as.objects, list->length);
    hwr_release(heap, items);
    if (made) *tuple = made;
    return made ? HWR_OK : HWR_NO_MEMORY;
}
