/* The runtime's objects, as the engine that marks sees them (tracing/model.h says what each function is). References are at the places that a type's series tell (clr.h). */
#ifndef CLR_MODEL_H
#define CLR_MODEL_H

#include "collector.h"
#include "life.h"
#include "runtime.h"

typedef const clr_method_table *traced_type;
typedef void (*traced_visit)(void *context, hwri_slot *slot);

static inline uint64_t *traced_header(const void *object) { return (uint64_t *)(uintptr_t)object - 1; }
static inline traced_type traced_type_at(const uint64_t *header) { return clr_object_behind(header)->type; }
static inline size_t traced_bytes(const void *object, traced_type type) { return (void)type, clr_object_size(object); }

static inline bool traced_is_in_block(const hwri_space *space, const uint64_t *header) {
    return (void)space, clr_is_in_block(header);
}
static inline bool traced_is_large(const hwri_space *space, const uint64_t *header) {
    return (void)space, (uintptr_t)header - clr_objects.middle < clr_objects.high - clr_objects.middle;
}
static inline uint64_t traced_word(const uint64_t *header) { return (void)header, 0; }
static inline traced_type traced_type_in(const uint64_t *header, uint64_t word) {
    return (void)word, traced_type_at(header);
}
static inline bool traced_is_simple(const hwri_space *space, const uint64_t *header, uint64_t word) {
    (void)word;
    return traced_is_in_block(space, header) && !clr_life_watches;
}
static inline bool traced_sticks(const hwri_space *space) { return (void)space, true; }
/* It gets older. Most are of the oldest generation already, and are not written to. */
static inline void traced_stick(uint64_t *header) {
    uint32_t *pad = (uint32_t *)(void *)header;
    if ((*pad & CLR_PAD_AGES) < CLR_MAX_GENERATION * CLR_PAD_AGE) *pad += CLR_PAD_AGE;
}
static inline void traced_reach(const hwri_space *space, uint64_t *header) {
    (void)space;
    traced_stick(header);
    if (clr_life_watches) clr_life_note(clr_object_behind(header));
}
static inline bool traced_may_share(const hwri_space *space) { return (void)space, !clr_life_watches; }

enum { TRACED_MOVES = false };
static inline bool traced_has_moved(const uint64_t *header) { return (void)header, false; }
static inline void *traced_follow(const hwri_space *space, hwri_slot *slot) { return (void)space, *slot; }

/* ---- references ---- */

/* [from, to) */
HWRI_INLINE void traced_each_in(char *from, char *to, traced_visit visit, void *context) {
    for (; from < to; from += sizeof(void *)) visit(context, (hwri_slot *)(void *)from);
}

/* Of an array of structures: the references of each item are some groups. */
HWRI_INLINE void traced_each_group(char *object, traced_type type, int64_t groups, char *low, char *high,
                                   traced_visit visit, void *context) {
    char *at = object + clr_groups_offset(type),
         *end = object + clr_object_size((const void *)object) - CLR_HEADER_SIZE;
    size_t item = type->flags & CLR_ITEM_SIZE;
    if (low > at) at += (size_t)(low - at) / item * item;
    if (high < end) end = high;
    while (at < end)
        for (int64_t i = 0; i < groups; i++) {
            const clr_group *group = clr_group_of(type, i);
            char *stop = at + group->pointers * sizeof(void *);
            traced_each_in(at < low ? low : at, stop < end ? stop : end, visit, context);
            at = stop + group->skip;
        }
}

/* Those that lie in [low, high). `low` is a multiple of 8. */
HWRI_INLINE void traced_each_between(void *object, traced_type type, char *low, char *high, traced_visit visit,
                                     void *context) {
    char *start = object;
    if (!(type->flags & CLR_HAS_POINTERS)) return;
    int64_t count = clr_series_count(type);
    if (__builtin_expect(count < 0, 0)) {
        traced_each_group(start, type, -count, low, high, visit, context);
        return;
    }
    size_t size = clr_object_size(object);
    for (int64_t i = 0; i < count; i++) {
        const clr_series *series = clr_series_of(type, i);
        char *from = start + series->offset, *to = from + (series->size + (int64_t)size);
        traced_each_in(from < low ? low : from, to < high ? to : high, visit, context);
    }
}

/* What an object of a collectible type keeps alive besides. */
HWRI_INLINE void traced_each_slot(void *object, traced_type type, traced_visit visit, void *context) {
    traced_each_between(object, type, object, (char *)UINTPTR_MAX, visit, context);
    if (__builtin_expect(type->flags & CLR_COLLECTIBLE, 0)) {
        void *loader = clr_runtime->table->get_loader_allocator_object_for_gc(clr_runtime, object);
        hwri_slot slot = loader;
        visit(context, &slot);
    }
}

/* Without references, whatever the size; or small, and not an array, so that series of whole references are all there is. */
enum { TRACED_FIELDS = 32 };
static inline bool traced_is_plain(traced_type type) {
    if (type->flags & CLR_COLLECTIBLE) return false;
    return !(type->flags & CLR_HAS_POINTERS) ||
           (!(type->flags & CLR_HAS_ITEMS) && type->base_size <= TRACED_FIELDS * sizeof(void *));
}
static inline size_t traced_plain_words(const void *object, traced_type type) {
    return traced_bytes(object, type) / 8 - 1;
}
HWRI_INLINE size_t traced_push_fields(const void *object, traced_type type, void **stack, size_t count) {
    if (!(type->flags & CLR_HAS_POINTERS)) return count;
    for (int64_t i = clr_series_count(type); i-- > 0;) {
        const clr_series *series = clr_series_of(type, i);
        const char *from = (const char *)object + series->offset;
        const hwri_slot *field = (const hwri_slot *)(const void *)(from + (series->size + type->base_size));
        while (field > (const hwri_slot *)(const void *)from) {
            void *target = *--field;
            stack[count] = target;
            count += target != NULL;
        }
    }
    return count;
}

#endif
