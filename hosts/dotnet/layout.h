/* How the runtime's objects lie in memory, as the spaces of src/tracing see them (tracing/layout.h says what each function is).
 *
 * The eight bytes in front of an object are four that nobody uses, the *pad*, and the runtime's header word. The pad is 0 when an object begins. We keep there
 *   bit 0      what begins here is no object but a gap; its size is in the rest
 *   bits 1, 2  the object's age: how many collections that it was in it has survived, 2 at most. It is its generation.
 * The pad is changed only while the world stands still, or before anybody else knows of the memory, so the word as a whole is written only for gaps. */
#ifndef CLR_LAYOUT_H
#define CLR_LAYOUT_H

#include "clr.h"

enum { HWRI_HEADER_SIZE = CLR_HEADER_SIZE };

enum { CLR_PAD_GAP = 1, CLR_PAD_AGE = 2, CLR_PAD_AGES = 6 };

static inline uint32_t *clr_pad(const clr_object *object) { return (uint32_t *)(uintptr_t)object - 2; }

static inline uint64_t hwri_gap(size_t size) { return (uint64_t)size << 1 | CLR_PAD_GAP; }
static inline bool hwri_is_gap(uint64_t header) { return header & CLR_PAD_GAP; }
static inline const clr_object *clr_object_behind(const uint64_t *header) {
    return (const clr_object *)(const void *)(header + 1);
}

/* Memory that a thread has at hand and not used yet is zero: there nothing follows. */
static inline bool hwri_is_object_at(const uint64_t *header) {
    return !hwri_is_gap(*header) && clr_object_behind(header)->type;
}
static inline size_t hwri_size_at(const uint64_t *header) {
    if (hwri_is_gap(*header)) return (uint32_t)*header >> 1;
    return hwri_is_object_at(header) ? clr_object_size(clr_object_behind(header)) : UINT32_MAX;
}

static inline bool hwri_is_sane_in_block(const uint64_t *header) {
    return hwri_is_object_at(header) && clr_object_behind(header)->type->base_size >= CLR_LEAST_SIZE - 2;
}

#endif
