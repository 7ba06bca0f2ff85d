/* Our own objects, as the engines of the tracing collector see them (copy.h, mark.h). For both a model says
 *   traced_type             what tells what an object is
 *   traced_header(object), traced_type_at(header)     the word in front of it, and what it is
 *   traced_bytes(object, type)   what it takes, header included
 *   traced_each_slot(object, type, visit, context)    its references, as addresses of fields that may hold NULL
 * for mark.h
 *   traced_is_in_block(space, header), traced_is_large(space, header)     where it lies; neither: not in the space
 *   traced_reach(space, header)  it has been marked: whatever else is to be done, by the one marker that did it
 *   traced_may_share(space)  whether several threads may mark at once just now
 *   traced_word(header)     what the next two ask for: one look at what other markers may be writing
 *   traced_type_in(header, word)  traced_type_at(header)
 *   traced_is_simple(space, header, word)  it lies in a block, and traced_reach does no more than traced_stick does, if
 *   traced_sticks(space)    marks tell old from young, and a flag in the header says the same
 *   traced_is_plain(type)   whether objects of the type take so many words of 8 bytes without their header, traced_plain_words(object, type), and have at most TRACED_FIELDS references, all in fields at known places
 *   traced_push_fields(object, type, stack, count)   what these fields hold, the last first, but no NULL, onto a stack; returns the new count
 *   TRACED_MOVES            whether marking may move objects, by traced_follow(space, slot), which returns what the field leads to, where it lies from now on; traced_has_moved(header): it does not lie here any more
 * for copy.h
 *   traced_padding(type)    what it takes besides, so that it can be aligned
 *   traced_refers(type)     whether objects of the type have references at all
 *   traced_each_slot_within(object, type, from, to, visit, context)  of its references, the ones between two offsets at least */
#ifndef HWRI_TRACING_MODEL_H
#define HWRI_TRACING_MODEL_H

#include "object/references.h"
#include "tracing/tracing.h"

typedef const hwr_type *traced_type;

static inline uint64_t *traced_header(const void *object) { return hwri_header(object); }
static inline uint64_t traced_word(const uint64_t *header) { return hwri_header_now(header + 1); }
static inline traced_type traced_type_in(const uint64_t *header, uint64_t word) {
    return (void)header, hwri_type_in(word);
}
static inline traced_type traced_type_at(const uint64_t *header) { return traced_type_in(header, traced_word(header)); }
static inline size_t traced_padding(traced_type type) { return hwri_padding_of(type); }
static inline size_t traced_bytes(const void *object, traced_type type) { return hwri_traced_size(object, type); }

typedef void (*traced_visit)(void *context, hwri_slot *slot);

typedef struct traced_shower {
    hwr_visitor visitor;
    traced_visit visit;
    void *context;
} traced_shower;

static inline void traced_show(hwr_visitor *visitor, void *field) {
    traced_shower *shower = (traced_shower *)(void *)visitor;
    shower->visit(shower->context, field);
}

HWRI_INLINE void traced_each_field(void *object, const hwr_type *type, traced_visit visit, void *context) {
    for (const uint32_t *offset = type->refs, *end = offset + type->ref_count; offset != end; offset++)
        visit(context, (hwri_slot *)(void *)((char *)object + *offset));
    if (__builtin_expect(type->trace != NULL, 0)) {
        traced_shower shower = {{traced_show}, visit, context};
        type->trace(object, &shower.visitor);
    }
}

HWRI_INLINE void traced_each_slot(void *object, const hwr_type *type, traced_visit visit, void *context) {
    traced_each_field(object, type, visit, context);
    if (__builtin_expect(type->items_are_references != 0, 0)) {
        hwri_slot *items = (hwri_slot *)(void *)((char *)object + type->items_offset);
        for (hwri_slot *item = items, *end = items + hwri_length_of(type, object); item != end; item++)
            visit(context, item);
    }
}

enum { TRACED_FIELDS = HWR_TYPE_REFS };
static inline bool traced_is_plain(const hwr_type *type) { return !type->item_size && !type->trace; }
static inline size_t traced_plain_words(const void *object, traced_type type) {
    return (void)object, (type->size - (type->size != 0)) / 8 + 1;
}
/* Compilers make this three instructions. */
HWRI_INLINE size_t traced_push(const hwri_slot *field, void **stack, size_t count) {
    void *target = *field;
    stack[count] = target;
    return count + (target != NULL);
}
HWRI_INLINE const hwri_slot *traced_field(const void *object, uint32_t offset) {
    return (const hwri_slot *)(const void *)((const char *)object + offset);
}
HWRI_INLINE size_t traced_push_fields(const void *object, const hwr_type *type, void **stack, size_t count) {
    unsigned left = type->ref_count;
    if (left % 2) count = traced_push(traced_field(object, type->refs[--left]), stack, count);
    for (; left; left -= 2) {
        count = traced_push(traced_field(object, type->refs[left - 1]), stack, count);
        count = traced_push(traced_field(object, type->refs[left - 2]), stack, count);
    }
    return count;
}

/* ---- marking ---- */

static inline hwri_tracing *traced_owner(hwri_space *space) {
    return (hwri_tracing *)(void *)((char *)space - offsetof(hwri_tracing, space));
}
static inline bool traced_is_in_block(const hwri_space *space, const uint64_t *header) {
    return (void)space, hwri_header_now(header + 1) & HWRI_REGION;
}
static inline bool traced_is_large(const hwri_space *space, const uint64_t *header) {
    return (void)space, hwri_header_now(header + 1) & HWRI_LARGE;
}
static inline bool traced_is_simple(const hwri_space *space, const uint64_t *header, uint64_t word) {
    return (void)space, (void)header, (word & (HWRI_REGION | HWRI_MARK)) == HWRI_REGION;
}
static inline bool traced_sticks(hwri_space *space) { return traced_owner(space)->unmoving; }
/* Other markers may be looking at the header, but none writes to it. */
static inline void traced_stick(uint64_t *header) { __atomic_store_n(header, *header | HWRI_TRACK, __ATOMIC_RELAXED); }
static inline void traced_reach(hwri_space *space, uint64_t *header) {
    uint64_t word = *header;
    if (__builtin_expect((word & HWRI_MARK) == HWRI_WATCHED, 0))
        hwri_watched_is_reached(traced_owner(space), header + 1);
    __atomic_store_n(header, (word & ~HWRI_MARK) | (traced_sticks(space) ? HWRI_TRACK : 0), __ATOMIC_RELAXED);
}
static inline bool traced_may_share(hwri_space *space) { return !hwri_watches(traced_owner(space)); }

/* ---- copying ---- */

static inline bool traced_refers(traced_type type) {
    return type->ref_count || type->trace || type->items_are_references;
}

/* Fields are few, so all are visited; items are not. */
HWRI_INLINE void traced_each_slot_within(void *object, const hwr_type *type, size_t from, size_t to, traced_visit visit,
                                         void *context) {
    traced_each_field(object, type, visit, context);
    if (!type->items_are_references) return;
    size_t first = type->items_offset / sizeof(void *), length = hwri_length_of(type, object);
    size_t low = from / sizeof(void *), high = (to + sizeof(void *) - 1) / sizeof(void *);
    low = low > first ? low - first : 0;
    high = high > first ? high - first : 0;
    hwri_slot *items = (hwri_slot *)(void *)((char *)object + type->items_offset);
    for (size_t i = low; i < high && i < length; i++) visit(context, items + i);
}

#endif
