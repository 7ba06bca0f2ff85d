/* What is remembered of stores into old objects: whoever collects the young starts from these, besides the roots. Each thread has a list of its own, so remembering needs no lock. An object is in it once: HWRI_TRACK is off
 * meanwhile. When a list cannot grow, the object's block is flagged as dirty instead, and gone through. */
#include "tracing/tracing.h"

void hwri_remember_again(hwri_tracing *t, hwri_pointers *list, void *object) {
    uint64_t *header = hwri_header(object);
    bool is_large = hwri_header_now(object) & HWRI_LARGE;
    if (is_large) {
        hwri_large *large = hwri_large_of(object);
        if (__atomic_exchange_n(&large->listed, true, __ATOMIC_RELAXED)) return;
    } else {
        __atomic_fetch_and(header, ~HWRI_TRACK, __ATOMIC_RELAXED);
    }
    bool collecting = t->phase != HWRI_IDLE;
    if (!(collecting && t->space.refused) && hwri_pointers_push(t->heap->blocks, list, object)) return;
    if (collecting) t->space.refused = true;
    if (!is_large) __atomic_store_n(&hwri_block_info_of(header)->dirty, true, __ATOMIC_RELAXED);
}

/* A large object that could not be listed is found by its flag all the same, since all are in a table. */
void hwri_remember(hwr_heap *heap, void *object, void *field) {
    hwri_tracing *t = heap->tracing;
    if (hwri_header_now(object) & HWRI_LARGE) {
        hwri_large *large = hwri_large_of(object);
        size_t offset = (size_t)((uintptr_t)field - (uintptr_t)object);
        if (offset >= large->size) offset = 0; /* memory that its trace function shows */
        __atomic_store_n(large->cards + (offset >> HWRI_CARD_SHIFT), 1, __ATOMIC_RELAXED);
    }
    hwri_mutator *mutator = hwri_mutator_here(heap);
    hwri_remember_again(t, mutator ? &mutator->remembered : &t->remembered, object);
}

void hwri_copied_slow(hwr_heap *heap, void *object, void *field, size_t size) {
    if (hwri_header_now(object) & HWRI_LARGE) {
        size_t from = (size_t)((char *)field - (char *)object) >> HWRI_CARD_SHIFT;
        size_t to = (size_t)((char *)field + size - (char *)object) >> HWRI_CARD_SHIFT;
        memset(hwri_large_of(object)->cards + from, 1, to - from + 1);
    }
    hwri_remember(heap, object, field);
}

void hwri_shuffled_slow(void *object) {
    hwri_large *large = hwri_large_of(object);
    if (large->listed) memset(large->cards, 1, (large->size >> HWRI_CARD_SHIFT) + 1);
}
