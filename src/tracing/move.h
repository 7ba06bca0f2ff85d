/* How the marking engine moves our own objects out of blocks that are to be emptied (evacuate.c); a part of their model (model.h). */
#ifndef HWRI_TRACING_MOVE_H
#define HWRI_TRACING_MOVE_H

#include "tracing/model.h"

enum { TRACED_MOVES = true };
static inline bool traced_has_moved(const uint64_t *header) { return !hwri_is_there(*header); }

/* Returns where the copy is; without room, the object where it lies. */
__attribute__((noinline)) static void *traced_move(hwri_space *space, uint64_t *header) {
    uint64_t word = *header;
    const hwr_type *type = hwri_type_in(word);
    size_t size = traced_bytes(header + 1, type), padding = traced_padding(type);
    uint64_t *to = hwri_old_alloc_slow(space, size + padding);
    if (!to) return header + 1;
    if (padding) to = hwri_settle(to, size);
    if ((word & HWRI_MARK) == HWRI_WATCHED) hwri_watched_is_reached(traced_owner(space), header + 1);
    memcpy(to + 1, header + 1, size - sizeof *to);
    *to = word & ~HWRI_MARK;
    hwri_block_info_of(to)->dirty |= hwri_block_info_of(header)->dirty;
    *header = (uint64_t)(uintptr_t)(to + 1);
    return to + 1;
}

HWRI_INLINE void *traced_follow(hwri_space *space, hwri_slot *slot) {
    uint64_t *header = traced_header(*slot), word = *header;
    if (!hwri_is_there(word)) return *slot = (void *)(uintptr_t)word;
    if (!(word & HWRI_REGION) || word & HWRI_PINNED || !hwri_block_info_of(header)->leaves) return *slot;
    return hwri_is_marked_in_region(header) ? *slot : (*slot = traced_move(space, header));
}

#endif
