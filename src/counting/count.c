/* Counts. The header has room for 4095; what an object has beyond that is moved to the heap's table, a portion at a time, so that the table is
 * touched once in a portion. An immortal object has HWRI_COUNT_ASIDE but no entry: its header's count goes up and down, and is put back when it reaches an end. */
#include "object/heap.h"

enum { PORTION_ASIDE = 2048 };

static void set_header_count(void *object, uint64_t count) {
    uint64_t *header = hwri_header(object);
    *header = (*header & (HWRI_COUNT_ONE - 1)) | count << HWRI_COUNT_SHIFT;
}

/* An object whose table entry cannot be made for want of memory becomes immortal: better never freed than freed too early. */
static void move_portion(hwr_heap *heap, void *object) {
    bool immortal = *hwri_header(object) & HWRI_COUNT_ASIDE && !hwri_side_find(&heap->counts, object);
    uintptr_t *aside = immortal ? NULL : hwri_side_add(&heap->counts, object);
    if (aside) *aside += PORTION_ASIDE;
    *hwri_header(object) |= HWRI_COUNT_ASIDE;
    set_header_count(object, HWRI_COUNT_MOST - PORTION_ASIDE);
}

void hwri_count_add(hwr_heap *heap, void *object, size_t by) {
    for (; by; by--) {
        if (hwri_count_in(*hwri_header(object)) == HWRI_COUNT_MOST) move_portion(heap, object);
        *hwri_header(object) += HWRI_COUNT_ONE;
    }
}

bool hwri_count_refill_slow(hwr_heap *heap, void *object) {
    uint64_t *header = hwri_header(object);
    uintptr_t *aside = hwri_side_find(&heap->counts, object);
    if (aside && (*aside -= PORTION_ASIDE) == 0) {
        hwri_side_remove(&heap->counts, object);
        *header &= ~HWRI_COUNT_ASIDE;
    }
    set_header_count(object, PORTION_ASIDE);
    return true;
}

size_t hwri_count_of(hwr_heap *heap, const void *object) {
    uint64_t header = *hwri_header(object);
    if (!(header & HWRI_COUNT_ASIDE)) return hwri_count_in(header);
    const uintptr_t *aside = hwri_side_find(&heap->counts, object);
    return aside ? *aside + hwri_count_in(header) : HWR_IMMORTAL;
}

void hwri_count_forget(hwr_heap *heap, void *object) {
    if (!(*hwri_header(object) & HWRI_COUNT_ASIDE)) return;
    hwri_side_remove(&heap->counts, object);
    *hwri_header(object) &= ~HWRI_COUNT_ASIDE;
}

bool hwri_counted_make_immortal(hwr_heap *heap, void *object) {
    hwri_count_forget(heap, object);
    *hwri_header(object) |= HWRI_COUNT_ASIDE;
    set_header_count(object, PORTION_ASIDE);
    return true;
}
