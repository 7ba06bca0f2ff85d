/* sort: lists in order. A merge sort, from runs that are sorted by binary insertion upwards; one half of each merge waits in spare memory. Two runs that are in order are left as they are, and a list that is in
 * order backwards is turned round: such lists take one pass. Values are sorted where they are. References are sorted in a copy, since a comparison may fail, and then the list is to be as it
 * was. Comparing runs no code of the program's, so that the list stays as it is meanwhile. */
#include "kinds/storage.h"
#include "object/references.h"

enum { SORTED_RUN = 16 };

/* Whether item a is to come before b, and not the other way round nor either. */
typedef bool (*sort_order)(void *context, const void *a, const void *b);

/* The steps are compiled into each of the sorts, which know the size and the order. */
typedef struct sorting {
    size_t size; /* of an item */
    sort_order before;
    void *context;
    char *spare; /* for as many items as are sorted */
} sorting;

/* Puts the item behind a sorted run into it, behind those that are equal. */
HWRI_INLINE void insert_sorted(const sorting *s, char *run, size_t count) {
    char item[sizeof(void *)], *from = run + count * s->size;
    size_t low = 0, high = count;
    if (!s->before(s->context, from, from - s->size)) return;
    memcpy(item, from, s->size);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->before(s->context, item, run + middle * s->size))
            high = middle;
        else
            low = middle + 1;
    }
    char *to = run + low * s->size;
    memmove(to + s->size, to, (size_t)(from - to));
    memcpy(to, item, s->size);
}

/* Two runs, one behind the other. */
HWRI_INLINE void merge_runs(const sorting *s, char *left, char *right, char *end) {
    if (!s->before(s->context, right, right - s->size)) return;
    size_t bytes = (size_t)(right - left);
    memcpy(s->spare, left, bytes);
    const char *a = s->spare, *a_end = a + bytes, *b = right;
    char *to = left;
    while (a < a_end && b < end) {
        bool is_b = s->before(s->context, b, a);
        memcpy(to, is_b ? b : a, s->size);
        a += is_b ? 0 : s->size;
        b += is_b ? s->size : 0;
        to += s->size;
    }
    memcpy(to, a, (size_t)(a_end - a));
}

HWRI_INLINE bool is_backwards(const sorting *s, const char *items, size_t count) {
    size_t i = 1;
    while (i < count && s->before(s->context, items + i * s->size, items + (i - 1) * s->size)) i++;
    return i == count;
}

HWRI_INLINE void turn_round(const sorting *s, char *items, size_t count) {
    for (char *low = items, *high = items + (count - 1) * s->size; low < high; low += s->size, high -= s->size) {
        char item[sizeof(void *)];
        memcpy(item, low, s->size);
        memcpy(low, high, s->size);
        memcpy(high, item, s->size);
    }
}

HWRI_INLINE void sort_items(const sorting *s, char *items, size_t count) {
    if (is_backwards(s, items, count)) {
        turn_round(s, items, count);
        return;
    }
    for (size_t run = 0; run < count; run += SORTED_RUN)
        for (size_t i = 1; i < SORTED_RUN && run + i < count; i++) insert_sorted(s, items + run * s->size, i);
    char *end = items + count * s->size;
    for (size_t width = SORTED_RUN; width < count; width *= 2)
        for (size_t i = 0; i + width < count; i += 2 * width) {
            char *left = items + i * s->size, *right = left + width * s->size;
            merge_runs(s, left, right, 2 * width < count - i ? right + width * s->size : end);
        }
}

/* ---- values ---- */

#define SORT_OF_VALUES(name, Value)                                                                                    \
    static bool name##_before(void *context, const void *a, const void *b) {                                           \
        (void)context;                                                                                                 \
        return *(const Value *)a < *(const Value *)b;                                                                  \
    }                                                                                                                  \
    static void sort_##name(void *items, size_t count, void *spare) {                                                  \
        const sorting s = {sizeof(Value), name##_before, NULL, spare};                                                 \
        sort_items(&s, items, count);                                                                                  \
    }
SORT_OF_VALUES(ints1, int8_t)
SORT_OF_VALUES(ints2, int16_t)
SORT_OF_VALUES(ints4, int32_t)
SORT_OF_VALUES(ints8, int64_t)
SORT_OF_VALUES(doubles, double)

static hwr_result sort_floats(double *items, size_t count, void *spare) {
    for (size_t i = 0; i < count; i++)
        if (items[i] != items[i]) return HWR_BAD_VALUE;
    sort_doubles(items, count, spare);
    return HWR_OK;
}

/* ---- references ---- */

typedef struct comparing {
    hwr_heap *heap;
    hwr_result (*compare)(hwr_heap *heap, const void *a, const void *b, unsigned depth, int *order);
    hwr_result result; /* of the first comparison that failed: then there are no more */
} comparing;

static bool object_before(void *context, const void *a, const void *b) {
    comparing *c = context;
    int order = 0;
    if (c->result == HWR_OK) c->result = c->compare(c->heap, hwri_read_field(a), hwri_read_field(b), 0, &order);
    return order < 0;
}

static bool all_are_strs(void *const *items, size_t count) {
    size_t i = 0;
    while (i < count && hwri_is_str(items[i])) i++;
    return i == count;
}

static hwr_result sort_objects(hwr_heap *heap, hwri_storage *storage, size_t count, void **space) {
    void **items = storage->as.objects;
    comparing c = {heap, all_are_strs(items, count) ? hwri_str_ops.compare : hwri_compare, HWR_OK};
    const sorting s = {sizeof(void *), object_before, &c, (char *)(space + count)};
    memcpy(space, items, count * sizeof *items);
    sort_items(&s, (char *)space, count);
    if (c.result == HWR_OK) memcpy(items, space, count * sizeof *items);
    hwri_shuffled(storage);
    return c.result;
}

/* ---- lists ---- */

static size_t space_to_sort(const hwri_list *list) {
    if (list->length < 2) return 0;
    size_t bytes = list->length * hwr_type_of(list->storage)->item_size;
    return hwri_mode_is_data(hwri_list_mode(list)) ? bytes : 2 * bytes;
}

static hwr_result sort_list(hwr_heap *heap, hwri_list *list, void *space) {
    hwri_storage *storage = list->storage;
    size_t count = list->length;
    if (count < 2 || !space) return HWR_OK; /* the list may have become shorter while memory was taken */
    switch (hwri_storage_mode(storage)) {
    case HWRI_DATA1_TYPE: sort_ints1(&storage->as, count, space); return HWR_OK;
    case HWRI_DATA2_TYPE: sort_ints2(&storage->as, count, space); return HWR_OK;
    case HWRI_DATA4_TYPE: sort_ints4(&storage->as, count, space); return HWR_OK;
    case HWRI_DATA8_TYPE: sort_ints8(&storage->as, count, space); return HWR_OK;
    case HWRI_DOUBLES_TYPE: return sort_floats(storage->as.doubles, count, space);
    default: return sort_objects(heap, storage, count, space);
    }
}

/* The list may grow while memory is taken. */
hwr_result hwr_list_sort(hwr_heap *heap, void *list) {
    HWRI_LOOK(heap, list);
    void *space = NULL;
    for (size_t room = 0, needed; room < (needed = space_to_sort(list)); room = needed) {
        hwr_free(heap, space);
        space = hwr_alloc(heap, needed);
        if (!space) return HWR_NO_MEMORY;
    }
    hwr_result result = sort_list(heap, list, space);
    hwr_free(heap, space);
    return result;
}
