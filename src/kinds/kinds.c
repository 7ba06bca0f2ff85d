/* kinds: what all kinds have. The work is done by the tables of each kind; here it is decided which, and what two different kinds are to each other. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "kinds/kinds.h"

#include <sys/random.h>

/* ---- opening ---- */

static bool open_singletons(hwr_heap *heap, struct hwri_kinds *kinds) {
    const hwr_type *type = hwri_kind_type(HWRI_BOOL_TYPE);
    kinds->none = hwr_new(heap, hwri_kind_type(HWRI_NONE_TYPE));
    for (unsigned i = 0; i < 2; i++) {
        kinds->bools[i] = hwr_new(heap, type);
        if (!hwri_is_kept(heap, kinds->bools[i])) return false;
        ((hwri_bool *)kinds->bools[i])->value = i;
    }
    return hwri_is_kept(heap, kinds->none);
}

bool hwr_kinds_open(hwr_heap *heap) {
    HWRI_LOOK(heap, NULL);
    if (heap->kinds) return true;
    struct hwri_kinds *kinds = hwr_alloc(heap, sizeof *kinds);
    if (!kinds) return false;
    memset(kinds, 0, sizeof *kinds);
    heap->kinds = kinds;
    bool opened = !heap->tracing || hwri_traced_kinds_open(heap, kinds);
    if (opened && getrandom(kinds->secret, sizeof kinds->secret, 0) == sizeof kinds->secret &&
        open_singletons(heap, kinds) && hwri_numbers_open(heap, kinds) && hwri_texts_open(heap, kinds) &&
        hwri_tuples_open(heap, kinds))
        return true;
    heap->kinds = NULL; /* what was made goes with the heap at the latest */
    hwri_traced_kinds_close(heap, kinds);
    hwr_free(heap, kinds);
    return false;
}

/* ---- results and kinds ---- */

const char *hwr_result_text(hwr_result result) {
    static const char *const texts[HWR_RESULTS] = {
        [HWR_OK] = "no error",
        [HWR_NO_MEMORY] = "no memory",
        [HWR_WRONG_KIND] = "the operation is not for objects of this kind",
        [HWR_BAD_VALUE] = "the value makes no sense here",
        [HWR_NOT_FOUND] = "there is none",
        [HWR_OUT_OF_RANGE] = "out of range",
        [HWR_DIVIDED_BY_ZERO] = "division by zero",
        [HWR_UNHASHABLE] = "an object that can change cannot be a key",
        [HWR_CHANGED] = "the container was changed meanwhile",
        [HWR_END] = "there are no more",
    };
    return (unsigned)result < HWR_RESULTS ? texts[result] : "unknown result";
}

static const hwri_kind_ops no_ops = {0};
static const hwri_kind_ops *const all_ops[HWR_KINDS] = {
    [HWR_NO_KIND] = &no_ops,         [HWR_NONE] = &hwri_none_ops,           [HWR_BOOL] = &hwri_number_ops,
    [HWR_INT] = &hwri_number_ops,    [HWR_FLOAT] = &hwri_float_ops,         [HWR_STR] = &hwri_str_ops,
    [HWR_BYTES] = &hwri_bytes_ops,   [HWR_BYTEARRAY] = &hwri_bytearray_ops, [HWR_TUPLE] = &hwri_tuple_ops,
    [HWR_LIST] = &hwri_list_ops,     [HWR_DICT] = &hwri_dict_ops,           [HWR_SET] = &hwri_set_ops,
    [HWR_ARRAY] = &hwri_array_ops,   [HWR_RANGE] = &hwri_range_ops,         [HWR_ITERATOR] = &no_ops,
    [HWR_OBJECT] = &hwri_object_ops,
};

static const hwri_kind_ops *ops_of(const void *object) { return all_ops[hwr_kind_of(object)]; }

const char *hwr_kind_name(hwr_kind kind) {
    static const char *const names[HWR_KINDS] = {"object", "NoneType",  "bool",     "int",   "float", "str",
                                                 "bytes",  "bytearray", "tuple",    "list",  "dict",  "set",
                                                 "array",  "range",     "iterator", "object"};
    return (unsigned)kind < HWR_KINDS ? names[kind] : "object";
}

void *hwr_none(hwr_heap *heap) {
    hwr_retain(heap, heap->kinds->none);
    return heap->kinds->none;
}

void *hwr_bool(hwr_heap *heap, bool value) {
    hwr_retain(heap, heap->kinds->bools[value]);
    return heap->kinds->bools[value];
}

/* ---- two objects ---- */

static bool is_number(hwr_kind kind) { return kind == HWR_BOOL || kind == HWR_INT || kind == HWR_FLOAT; }
static bool is_binary(hwr_kind kind) { return kind == HWR_BYTES || kind == HWR_BYTEARRAY; }

/* What compares two kinds: that of both, or of numbers or bytes of which the first may be of the other kind, too. NULL: nothing does. */
static const hwri_kind_ops *common_ops(const void *a, const void *b) {
    hwr_kind of_a = hwr_kind_of(a), of_b = hwr_kind_of(b);
    if (of_a == of_b) return all_ops[of_a];
    if (is_number(of_a) && is_number(of_b))
        return of_a == HWR_FLOAT || of_b == HWR_FLOAT ? &hwri_float_ops : &hwri_number_ops;
    return is_binary(of_a) && is_binary(of_b) ? &hwri_bytes_ops : NULL;
}

hwr_result hwri_equal(hwr_heap *heap, const void *a, const void *b, unsigned depth, bool *equal) {
    const hwri_kind_ops *ops = common_ops(a, b);
    *equal = a == b;
    if (!ops || !ops->equal) return HWR_OK;
    if (depth > HWR_DEPTH_MOST) return HWR_BAD_VALUE;
    return ops->equal(heap, a, b, depth, equal);
}

hwr_result hwri_compare(hwr_heap *heap, const void *a, const void *b, unsigned depth, int *order) {
    const hwri_kind_ops *ops = common_ops(a, b);
    if (!ops || !ops->compare) return HWR_WRONG_KIND;
    if (depth > HWR_DEPTH_MOST) return HWR_BAD_VALUE;
    return ops->compare(heap, a, b, depth, order);
}

hwr_result hwr_equal(hwr_heap *heap, const void *a, const void *b, bool *equal) {
    HWRI_LOOK(heap, a);
    HWRI_LOOK(heap, b);
    bool result;
    hwr_result done = hwri_equal(heap, a, b, 0, &result);
    if (done == HWR_OK) *equal = result;
    return done;
}

hwr_result hwr_compare(hwr_heap *heap, const void *a, const void *b, int *order) {
    HWRI_LOOK(heap, a);
    HWRI_LOOK(heap, b);
    return hwri_compare(heap, a, b, 0, order);
}

/* ---- one object ---- */

hwr_result hwri_hash(hwr_heap *heap, const void *object, unsigned depth, uint64_t *hash) {
    const hwri_kind_ops *ops = ops_of(object);
    if (depth > HWR_DEPTH_MOST) return HWR_BAD_VALUE;
    if (ops->hash) return ops->hash(heap, object, depth, hash);
    if (ops->equal) return HWR_UNHASHABLE;
    return hwri_hash_identity(heap, object, hash);
}

hwr_result hwr_hash(hwr_heap *heap, const void *object, uint64_t *hash) {
    HWRI_LOOK(heap, object);
    return hwri_hash(heap, object, 0, hash);
}

hwr_result hwr_length(const void *object, size_t *length) {
    const hwri_kind_ops *ops = ops_of(object);
    if (!ops->length) return HWR_WRONG_KIND;
    *length = ops->length(object);
    return HWR_OK;
}

bool hwr_truth(const void *object) {
    size_t length;
    switch (hwr_kind_of(object)) {
    case HWR_NONE: return false;
    case HWR_BOOL: return ((const hwri_bool *)object)->value != 0;
    case HWR_INT: return !hwri_is_of_type(object, HWRI_INT_TYPE) || ((const hwri_int *)object)->value != 0;
    case HWR_FLOAT: return ((const hwri_float *)object)->value < 0 || !(((const hwri_float *)object)->value <= 0);
    default: return hwr_length(object, &length) != HWR_OK || length != 0;
    }
}

hwr_result hwri_repr(hwr_heap *heap, const void *object, unsigned depth, hwri_writer *writer) {
    const hwri_kind_ops *ops = ops_of(object);
    if (depth > HWR_DEPTH_MOST) return HWR_BAD_VALUE;
    if (ops->repr) return ops->repr(heap, object, depth, writer);
    hwri_write_text(writer, "<");
    hwri_write_text(writer, hwr_type_of(object)->name);
    hwri_write_text(writer, ">");
    return HWR_OK;
}

hwr_result hwr_repr(hwr_heap *heap, const void *object, void **text) {
    HWRI_LOOK(heap, object);
    hwri_writer writer = {.heap = heap};
    hwr_result result = hwri_repr(heap, object, 0, &writer);
    if (result == HWR_OK) return hwri_writer_end(&writer, text);
    hwr_free(heap, writer.text);
    return result;
}

static hwr_result repr_none(hwr_heap *heap, const void *object, unsigned depth, hwri_writer *writer) {
    (void)heap, (void)object, (void)depth;
    hwri_write_text(writer, "None");
    return HWR_OK;
}
const hwri_kind_ops hwri_none_ops = {.repr = repr_none};
