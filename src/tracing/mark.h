/* The engine that marks, over an object model (model.h), included by one file for each.
 *
 * References found wait on a stack. One that is taken from it first passes through a short queue, while the cache fetches what it leads to (Cher, Hosking and Vitek, 2004); only then its mark is looked at. If
 * the stack cannot grow, the block of the object whose references did not fit is noted, and everything in it that is marked is scanned again later, for references to what is not marked: marking needs no memory that it must
 * have but a small stack of its own.
 *
 * Where blocks are to be emptied (evacuate.c), the stack holds the fields in place of what they hold. An object in such a block is copied when a field is taken from the stack that leads to it, and is marked where its copy lies; its old header leads others there. The
 * fields on the stack are of objects that have been marked, so none of these moves any more. This is a second engine, compiled from the same text, so that the first does not know of it. */
#ifndef HWRI_TRACING_MARK_H
#define HWRI_TRACING_MARK_H

#include "tracing/space.h"

enum { MARKING_QUEUE = 32, MARKING_LEAST = 256 };

typedef struct hwri_marking {
    hwri_space *space;
    bool moves; /* blocks are to be emptied; the stack holds addresses of fields */
    void **stack, **top, **end;
    void *scanned; /* whose references are being pushed; NULL: a root */
    bool overflowed;
    bool refused; /* there was no memory for a larger stack, which is not asked for again */
    void *queue[MARKING_QUEUE];
    void *least[MARKING_LEAST]; /* the stack where there is no memory for one */
} hwri_marking;

static inline void marking_open(hwri_marking *m, hwri_space *space, bool moves) {
    *m = (hwri_marking){.space = space, .moves = moves};
    m->stack = m->top = space->marked.items ? space->marked.items : m->least;
    m->end = m->stack + (space->marked.items ? space->marked.room : MARKING_LEAST);
}

__attribute__((noinline, cold)) static bool marking_grow(hwri_marking *m) {
    hwri_pointers *list = &m->space->marked;
    size_t count = (size_t)(m->top - m->stack), room = list->room ? list->room * 2 : 4096;
    void **items = m->refused ? NULL : hwr_pool_realloc(m->space->scratch, list->items, room * sizeof *items);
    if (items) {
        if (m->stack == m->least) memcpy(items, m->least, count * sizeof *items);
        list->items = m->stack = items;
        list->room = room;
        m->top = items + count;
        m->end = items + room;
        return true;
    }
    m->refused = m->overflowed = true;
    if (!m->scanned) return false;
    const uint64_t *header = traced_header(m->scanned);
    if (traced_is_in_block(m->space, header))
        hwri_block_info_of(m->scanned)->overflow = true;
    else if (traced_is_large(m->space, header))
        hwri_large_of(m->scanned)->overflow = true;
    return false;
}

HWRI_INLINE void marking_push_as(hwri_marking *m, hwri_slot *slot, bool moves) {
    void *object = *slot;
    if (!object) return;
    if (__builtin_expect(m->top == m->end, 0) && !marking_grow(m)) return;
    *m->top++ = moves ? slot : object;
}
HWRI_INLINE void marking_push(void *context, hwri_slot *slot) { marking_push_as(context, slot, false); }
HWRI_INLINE void marking_push_field(void *context, hwri_slot *slot) { marking_push_as(context, slot, true); }

/* Not marked, and what can be: the young of a nursery are all alive when marking begins. */
HWRI_INLINE bool marking_is_due(const hwri_space *space, const uint64_t *header) {
    if (traced_is_in_block(space, header)) return !hwri_is_marked_in_region(header);
    return traced_is_large(space, header) && hwri_large_of(header + 1)->epoch != space->epoch;
}

HWRI_INLINE hwri_marks *marking_word_of(const uint64_t *header) {
    return &hwri_region_of(header)->marks[hwri_region_granule(header) / 64];
}

/* `start` is a granule of the word of marks, `behind` how many granules the last one lies behind it. */
HWRI_INLINE void marking_set(hwri_marks *marks, size_t start, size_t behind) {
    size_t last = start + behind;
    marks->starts |= UINT64_C(1) << start;
    marks[last / 64].ends |= UINT64_C(1) << (last % 64);
}

/* Marks an object, if that is due. Returns its type if it is to be scanned, otherwise NULL. */
HWRI_INLINE traced_type marking_mark(hwri_marking *m, void *object) {
    uint64_t *header = traced_header(object);
    if (!marking_is_due(m->space, header)) return NULL;
    traced_type type = traced_reach(m->space, header);
    if (traced_is_in_block(m->space, header))
        marking_set(marking_word_of(header), hwri_region_granule(header) % 64, traced_bytes(object, type) / 8 - 1);
    else
        hwri_large_of(object)->epoch = (uint8_t)m->space->epoch;
    return type;
}

HWRI_INLINE void marking_visit(hwri_marking *m, void *object, bool moves) {
    traced_type type = marking_mark(m, object);
    if (!type) return;
    m->scanned = object;
    if (moves)
        traced_each_slot(object, type, marking_push_field, m);
    else
        traced_each_slot(object, type, marking_push, m);
}

/* Nearly all objects are in blocks, of a fixed size, and have nothing but a few fields: these are marked here, about 80 instructions for one with two, and not written to, so that they need not be written back to memory. All others take the long way. With `sticks`, marks tell old from young. */
HWRI_INLINE void marking_drain_as(hwri_marking *m, bool sticks, bool moves) {
    void **stack = m->stack;
    size_t count = (size_t)(m->top - stack), most = (size_t)(m->end - stack) - TRACED_FIELDS;
    for (unsigned next = 0, idle = 0;; next = (next + 1) % MARKING_QUEUE) {
        void *coming = NULL;
        if (count) {
            coming = stack[--count];
            const uint64_t *header = traced_header(moves ? *(hwri_slot *)coming : coming);
            __builtin_prefetch(header);
            __builtin_prefetch(marking_word_of(header), 1);
            idle = 0;
        } else if (++idle > MARKING_QUEUE) {
            break;
        }
        void *object = m->queue[next];
        m->queue[next] = coming;
        if (!object) continue;
        if (moves) object = traced_follow(m->space, object);
        uint64_t *header = traced_header(object);
        if (__builtin_expect(traced_is_simple(m->space, header), 1)) {
            hwri_marks *marks = marking_word_of(header);
            size_t start = hwri_region_granule(header) % 64;
            if (marks->starts >> start & 1) continue;
            traced_type type = traced_type_at(header);
            if (__builtin_expect(!moves && traced_is_plain(type) && count <= most, 1)) {
                marking_set(marks, start, traced_plain_words(object, type));
                if (sticks) traced_stick(header);
                count = traced_push_fields(object, type, stack, count);
                continue;
            }
        }
        m->top = stack + count;
        marking_visit(m, object, moves);
        stack = m->stack;
        count = (size_t)(m->top - stack);
        most = (size_t)(m->end - stack) - TRACED_FIELDS;
    }
    m->top = stack;
}

__attribute__((noinline)) static void marking_drain_fields(hwri_marking *m) { marking_drain_as(m, false, true); }

static inline void marking_drain(hwri_marking *m) {
    if (TRACED_MOVES && m->moves)
        marking_drain_fields(m);
    else if (traced_sticks(m->space))
        marking_drain_as(m, true, false);
    else
        marking_drain_as(m, false, false);
}

static inline void marking_push_due(void *context, hwri_slot *slot) {
    hwri_marking *m = context;
    if (!*slot) return;
    const uint64_t *header = traced_header(*slot);
    if (!marking_is_due(m->space, header) && !traced_has_moved(header)) return;
    if (m->top == m->end) marking_drain(m);
    *m->top++ = m->moves ? slot : *slot;
}

static inline void marking_scan_again(void *context, void *object) {
    const hwri_marking *m = context;
    const uint64_t *header = traced_header(object);
    if (!marking_is_due(m->space, header)) traced_each_slot(object, traced_type_at(header), marking_push_due, context);
}

/* What is alive and its block noted is in the marks already, and nothing has been allocated since, so going through a block finds it. */
static inline void marking_recover(hwri_marking *m) {
    hwri_old *old = &m->space->old;
    for (size_t i = 0; i < old->region_count; i++)
        for (size_t k = HWRI_REGION_FIRST; k < HWRI_REGION_BLOCKS; k++) {
            hwri_block_info *block = &old->regions[i]->blocks[k];
            if (!block->overflow) continue;
            block->overflow = false;
            hwri_block_each_marked(block, marking_scan_again, m);
            marking_drain(m);
        }
    for (size_t i = 0; i < m->space->large.count; i++) {
        hwri_large *large = m->space->large.all[i];
        if (!large->overflow) continue;
        large->overflow = false;
        marking_scan_again(m, hwri_large_object(large));
        marking_drain(m);
    }
}

/* Marks everything that what has been pushed leads to. */
static inline void marking_finish(hwri_marking *m) {
    marking_drain(m);
    while (m->overflowed) {
        m->overflowed = false;
        marking_recover(m);
    }
}

/* A root, or a reference of a young object. Roots are visited at once, so that their own references are what may not fit. */
static inline void marking_visit_root(void *context, void *slot) {
    hwri_marking *m = context;
    if (!*(hwri_slot *)slot) return;
    if (TRACED_MOVES && m->moves)
        marking_visit(m, traced_follow(m->space, slot), true);
    else
        marking_visit(m, *(hwri_slot *)slot, false);
}
static inline void marking_visit_slot(void *context, hwri_slot *slot) { marking_visit_root(context, slot); }

#endif
