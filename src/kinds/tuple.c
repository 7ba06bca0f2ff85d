/* tuple: an object with its items in it, of one of two types, so that the collector need not look at tuples of leaves. */
#include "kinds/iterator.h"

bool hwri_tuples_open(hwr_heap *heap, struct hwri_kinds *kinds) {
    kinds->empty_tuple = hwr_new_items(heap, hwri_kind_type(HWRI_LEAF_TUPLE_TYPE), 0);
    return hwri_is_kept(heap, kinds->empty_tuple);
}

/* ---- making and reading ---- */

static bool are_leaves(void *const *items, size_t length) {
    size_t i = 0;
    while (i < length && hwri_is_leaf(items[i])) i++;
    return i == length;
}

static hwri_tuple *new_tuple(hwr_heap *heap, bool of_leaves, size_t length) {
    return hwri_new_of_kind(heap, hwri_kind_type(of_leaves ? HWRI_LEAF_TUPLE_TYPE : HWRI_TUPLE_TYPE), length);
}

void *hwr_tuple(hwr_heap *heap, void *const *items, size_t length) {
    HWRI_LOOK(heap, NULL);
    if (!length) {
        hwr_retain(heap, heap->kinds->empty_tuple);
        return heap->kinds->empty_tuple;
    }
    hwri_tuple *tuple = new_tuple(heap, are_leaves(items, length), length);
    for (size_t i = 0; tuple && i < length; i++) {
        hwr_retain(heap, items[i]);
        hwr_init(heap, tuple, &tuple->items[i], items[i]);
    }
    return tuple;
}

/* A reference of the caller's comes first, so that no code that runs when an item dies finds the tuple to be the iterator's only. */
static bool fill_again(hwr_heap *heap, hwri_tuple *tuple, void *const *items) {
    if (!hwri_is_only_one(heap, tuple) || (hwri_is_leaf(tuple) && !are_leaves(items, tuple->length))) return false;
    hwr_retain(heap, tuple);
    for (size_t i = 0; i < tuple->length; i++) hwr_give(heap, tuple, &tuple->items[i], items[i]);
    return true;
}

void *hwri_tuple_again(hwr_heap *heap, void *iterator, void **last, void *const *items, size_t length) {
    void *tuple = *last;
    if (tuple && fill_again(heap, tuple, items)) return tuple;
    tuple = hwr_tuple(heap, items, length);
    for (size_t i = 0; i < length; i++) hwr_release(heap, items[i]);
    if (tuple && !hwri_is_tracing(heap)) hwr_set(heap, iterator, last, tuple);
    return tuple;
}

void *hwr_tuple_peek(const void *tuple, size_t index) {
    const hwri_tuple *t = tuple;
    return index < t->length ? t->items[index] : NULL;
}

hwr_result hwr_tuple_get(hwr_heap *heap, const void *tuple, size_t index, void **item) {
    HWRI_LOOK(heap, tuple);
    const hwri_tuple *t = tuple;
    if (index >= t->length) return HWR_OUT_OF_RANGE;
    *item = t->items[index];
    hwr_retain(heap, *item);
    return HWR_OK;
}

/* ---- what all kinds have ---- */

/* The first index at which two tuples differ: the length of the shorter if they do not before. */
static hwr_result first_difference_of_tuples(hwr_heap *heap, const hwri_tuple *a, const hwri_tuple *b, unsigned depth,
                                             size_t *index) {
    size_t i = 0, least = a->length < b->length ? a->length : b->length;
    bool equal = true;
    for (; i < least; i++) {
        if (a->items[i] == b->items[i]) continue;
        hwr_result result = hwri_equal(heap, a->items[i], b->items[i], depth + 1, &equal);
        if (result != HWR_OK) return result;
        if (!equal) break;
    }
    *index = i;
    return HWR_OK;
}

static hwr_result equal_tuples(hwr_heap *heap, const void *a, const void *b, unsigned depth, bool *equal) {
    const hwri_tuple *t = a, *u = b;
    size_t index;
    *equal = t->length == u->length;
    if (!*equal) return HWR_OK;
    hwr_result result = first_difference_of_tuples(heap, t, u, depth, &index);
    if (result == HWR_OK) *equal = index == t->length;
    return result;
}

static hwr_result compare_tuples(hwr_heap *heap, const void *a, const void *b, unsigned depth, int *order) {
    const hwri_tuple *t = a, *u = b;
    size_t index;
    hwr_result result = first_difference_of_tuples(heap, t, u, depth, &index);
    if (result != HWR_OK) return result;
    if (index < t->length && index < u->length)
        return hwri_compare(heap, t->items[index], u->items[index], depth + 1, order);
    *order = (t->length > u->length) - (t->length < u->length);
    return HWR_OK;
}

/* The hashes of the items are hashed as bytes, a portion at a time, each with the hash of those before. */
static hwr_result hash_tuple(hwr_heap *heap, const void *object, unsigned depth, uint64_t *hash) {
    const hwri_tuple *tuple = object;
    uint64_t portion[8];
    size_t count = 0;
    portion[count++] = tuple->length;
    for (size_t i = 0; i < tuple->length; i++) {
        hwr_result result = hwri_hash(heap, tuple->items[i], depth + 1, &portion[count++]);
        if (result != HWR_OK) return result;
        if (count < sizeof portion / sizeof portion[0]) continue;
        portion[0] = hwri_hash_bytes(heap, portion, sizeof portion);
        count = 1;
    }
    *hash = hwri_hash_bytes(heap, portion, count * sizeof portion[0]);
    return HWR_OK;
}

static hwr_result repr_items(hwr_heap *heap, const hwri_tuple *tuple, unsigned depth, hwri_writer *writer) {
    for (size_t i = 0; i < tuple->length; i++) {
        if (i) hwri_write_text(writer, ", ");
        hwr_result result = hwri_repr(heap, tuple->items[i], depth + 1, writer);
        if (result != HWR_OK) return result;
    }
    return HWR_OK;
}

static hwr_result repr_tuple(hwr_heap *heap, const void *object, unsigned depth, hwri_writer *writer) {
    const hwri_tuple *tuple = object;
    hwri_inside link = {tuple, writer->inside};
    if (hwri_is_inside(writer, tuple)) {
        hwri_write_text(writer, "(...)");
        return HWR_OK;
    }
    writer->inside = &link;
    hwri_write_text(writer, "(");
    hwr_result result = repr_items(heap, tuple, depth, writer);
    hwri_write_text(writer, tuple->length == 1 ? ",)" : ")");
    writer->inside = link.outer;
    return result;
}

const hwri_kind_ops hwri_tuple_ops = {.equal = equal_tuples,
                                      .compare = compare_tuples,
                                      .hash = hash_tuple,
                                      .length = hwr_tuple_length,
                                      .repr = repr_tuple};
