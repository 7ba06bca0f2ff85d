/* range: ints at a distance. It has its length, so that no step divides. */
#include "kinds/iterator.h"

#include <inttypes.h>
#include <stdio.h>

/* How often `step` fits between two numbers, the last time as far as it goes. */
static uint64_t steps_between(int64_t from, int64_t to, int64_t step) {
    if (step > 0) return from < to ? ((uint64_t)to - (uint64_t)from - 1) / (uint64_t)step + 1 : 0;
    return from > to ? ((uint64_t)from - (uint64_t)to - 1) / (0 - (uint64_t)step) + 1 : 0;
}

hwr_result hwr_range(hwr_heap *heap, int64_t from, int64_t to, int64_t step, void **range) {
    HWRI_LOOK(heap, NULL);
    if (step == 0) return HWR_BAD_VALUE;
    uint64_t length = steps_between(from, to, step);
    if (length > SIZE_MAX) return HWR_OUT_OF_RANGE;
    hwri_int_range *made = hwri_new_leaf(heap, hwri_kind_type(HWRI_RANGE_TYPE), sizeof *made);
    if (!made) return HWR_NO_MEMORY;
    *made = (hwri_int_range){from, to, step, (size_t)length};
    *range = made;
    return HWR_OK;
}

size_t hwr_range_length(const void *range) { return ((const hwri_int_range *)range)->length; }

hwr_result hwr_range_get(const void *range, size_t index, int64_t *value) {
    const hwri_int_range *r = range;
    if (index >= r->length) return HWR_OUT_OF_RANGE;
    *value = hwri_range_at(r, index);
    return HWR_OK;
}

bool hwr_range_contains(const void *range, int64_t value) {
    const hwri_int_range *r = range;
    if (r->step > 0)
        return value >= r->from && value < r->to && ((uint64_t)value - (uint64_t)r->from) % (uint64_t)r->step == 0;
    return value <= r->from && value > r->to && ((uint64_t)r->from - (uint64_t)value) % (0 - (uint64_t)r->step) == 0;
}

/* ---- what all kinds have: ranges are equal if they have the same items ---- */

/* What tells one from all others with different items. */
typedef struct range_content {
    uint64_t length;
    int64_t first, step;
} range_content;

static range_content content_of_range(const hwri_int_range *range) {
    return (range_content){range->length, range->length > 0 ? range->from : 0, range->length > 1 ? range->step : 0};
}

static hwr_result equal_ranges(hwr_heap *heap, const void *a, const void *b, unsigned depth, bool *equal) {
    (void)heap, (void)depth;
    range_content x = content_of_range(a), y = content_of_range(b);
    *equal = x.length == y.length && x.first == y.first && x.step == y.step;
    return HWR_OK;
}

static hwr_result hash_range(hwr_heap *heap, const void *object, unsigned depth, uint64_t *hash) {
    (void)depth;
    range_content content = content_of_range(object);
    *hash = hwri_hash_bytes(heap, &content, sizeof content);
    return HWR_OK;
}

static hwr_result repr_range(hwr_heap *heap, const void *object, unsigned depth, hwri_writer *writer) {
    (void)heap, (void)depth;
    const hwri_int_range *range = object;
    char text[80];
    snprintf(text, sizeof text, "range(%" PRId64 ", %" PRId64, range->from, range->to);
    hwri_write_text(writer, text);
    if (range->step != 1) {
        snprintf(text, sizeof text, ", %" PRId64, range->step);
        hwri_write_text(writer, text);
    }
    hwri_write_text(writer, ")");
    return HWR_OK;
}

const hwri_kind_ops hwri_range_ops = {
    .equal = equal_ranges, .hash = hash_range, .length = hwr_range_length, .repr = repr_range};
