/* The engine that marks, over an object model (model.h), included by one file for each.
 *
 * References found wait on a stack. One that is taken from it first passes through a short queue, while the cache fetches what it leads to (Cher, Hosking and Vitek, 2004); only then its mark is looked at. If
 * the stack cannot grow, the block of the object whose references did not fit is noted, and everything in it that is marked is scanned again later, for references to what is not marked: marking needs no memory that it must
 * have but a small stack of its own.
 *
 * Where blocks are to be emptied (evacuate.c), the stack holds the fields in place of what they hold. An object in such a block is copied when a field is taken from the stack that leads to it, and is marked where its copy lies; its old header leads others there. The
 * fields on the stack are of objects that have been marked, so none of these moves any more. This is a second engine, compiled from the same text, so that the first does not know of it.
 *
 * A third one is for several threads, each with a stack and a queue of its own, which hand parts of their stacks to each other (team.h). They set marks with atomic instructions, and whoever sets an object's mark first scans
 * it. Since these instructions cost about what the rest does, one thread marks alone until it has found that there is much to do. Blocks are emptied by one thread. */
#ifndef HWRI_TRACING_MARK_H
#define HWRI_TRACING_MARK_H

#include "tracing/space.h"
#include "tracing/team.h"

/* MARKING_ALONE: how often the queue is gone through before others are called, about two milliseconds. */
enum { MARKING_QUEUE = 32, MARKING_LEAST = 256, MARKING_ALONE = 2048 };

typedef struct hwri_marking {
    hwri_space *space;
    hwri_pointers *list; /* the memory of the stack, kept from one marking to the next */
    hwri_gray *gray;     /* what is shared with other markers; NULL: there are none */
    bool moves;          /* blocks are to be emptied; the stack holds addresses of fields */
    void **stack, **top, **end;
    void *scanned; /* whose references are being pushed; NULL: a root */
    bool overflowed;
    bool refused; /* there was no memory for a larger stack, which is not asked for again */
    void *queue[MARKING_QUEUE];
    void *least[MARKING_LEAST]; /* the stack where there is no memory for one */
} hwri_marking;

/* `number`: of the marker among those that mark together; 0 is the one that collects. */
static inline void marking_open(hwri_marking *m, hwri_space *space, bool moves, unsigned number) {
    hwri_pointers *list = &space->marked[number];
    *m = (hwri_marking){.space = space, .list = list, .moves = moves};
    m->stack = m->top = list->items ? list->items : m->least;
    m->end = m->stack + (list->items ? list->room : MARKING_LEAST);
}

/* The pool that stacks come from is not made for several threads. */
static inline void **marking_new_stack(const hwri_marking *m, size_t room) {
    if (m->gray) hwri_mutex_lock(&m->gray->lock);
    void **items = hwr_pool_realloc(m->space->scratch, m->list->items, room * sizeof *items);
    if (m->gray) hwri_mutex_unlock(&m->gray->lock);
    return items;
}

static inline void marking_note(bool *overflow) { __atomic_store_n(overflow, true, __ATOMIC_RELAXED); }

__attribute__((noinline, cold)) static bool marking_grow(hwri_marking *m) {
    hwri_pointers *list = m->list;
    size_t count = (size_t)(m->top - m->stack), room = list->room ? list->room * 2 : 4096;
    void **items = m->refused ? NULL : marking_new_stack(m, room);
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
        marking_note(&hwri_block_info_of(m->scanned)->overflow);
    else if (traced_is_large(m->space, header))
        marking_note(&hwri_large_of(m->scanned)->overflow);
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

/* Where the word of starts was just now `starts`, and no mark was set. `start` is a granule of the word of marks, `behind` how many granules the last one lies behind it. False if another marker has been faster. */
HWRI_INLINE bool marking_set(hwri_marks *marks, uint64_t starts, size_t start, size_t behind, bool shared) {
    size_t last = start + behind;
    uint64_t first_bit = UINT64_C(1) << start, last_bit = UINT64_C(1) << (last % 64);
    if (!shared) {
        marks->starts = starts | first_bit;
        marks[last / 64].ends |= last_bit;
        return true;
    }
    if (__atomic_fetch_or(&marks->starts, first_bit, __ATOMIC_RELAXED) & first_bit) return false;
    __atomic_fetch_or(&marks[last / 64].ends, last_bit, __ATOMIC_RELAXED);
    return true;
}

/* Marks an object, if that is due. Returns its type if it is to be scanned, otherwise NULL. */
HWRI_INLINE traced_type marking_mark(hwri_marking *m, void *object) {
    uint64_t *header = traced_header(object);
    if (!marking_is_due(m->space, header)) return NULL;
    traced_type type = traced_type_at(header);
    bool is_first = true;
    if (traced_is_in_block(m->space, header)) {
        size_t start = hwri_region_granule(header) % 64, behind = traced_bytes(object, type) / 8 - 1;
        hwri_marks *marks = marking_word_of(header);
        is_first = marking_set(marks, marks->starts, start, behind, m->gray != NULL);
    } else {
        uint8_t epoch = (uint8_t)m->space->epoch;
        is_first = __atomic_exchange_n(&hwri_large_of(object)->epoch, epoch, __ATOMIC_RELAXED) != epoch;
    }
    if (!is_first) return NULL;
    traced_reach(m->space, header);
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

/* Nearly all objects are in blocks, of a fixed size, and have nothing but a few fields: these are marked here, about 80 instructions for one with two, and not written to, so that they need not be written back to memory. All others take the long way. With `sticks`, marks tell old from young. Goes
 * through the queue `laps` times at most; false if more is left then. */
HWRI_INLINE bool marking_drain_as(hwri_marking *m, size_t laps, bool sticks, bool moves, bool shared) {
    void **stack = m->stack;
    size_t count = (size_t)(m->top - stack), most = (size_t)(m->end - stack) - TRACED_FIELDS;
    unsigned idle = 0;
    for (; laps; laps--) {
        if (shared && hwri_gray_is_wanted(m->gray)) count = hwri_gray_give(m->gray, stack, count);
        for (size_t next = 0; next < MARKING_QUEUE; next++) {
            void *coming = NULL;
            if (count) {
                coming = stack[--count];
                const uint64_t *header = traced_header(moves ? *(hwri_slot *)coming : coming);
                __builtin_prefetch(header);
                __builtin_prefetch(marking_word_of(header), 1);
                idle = 0;
            } else if (++idle > MARKING_QUEUE) {
                m->top = stack;
                return true;
            }
            void *object = m->queue[next];
            m->queue[next] = coming;
            if (!object) continue;
            if (moves) object = traced_follow(m->space, object);
            uint64_t *header = traced_header(object), word = traced_word(header);
            if (__builtin_expect(traced_is_simple(m->space, header, word), 1)) {
                hwri_marks *marks = marking_word_of(header);
                size_t start = hwri_region_granule(header) % 64;
                uint64_t starts = __atomic_load_n(&marks->starts, __ATOMIC_RELAXED);
                if (starts >> start & 1) continue;
                traced_type type = traced_type_in(header, word);
                if (__builtin_expect(!moves && traced_is_plain(type) && count <= most, 1)) {
                    if (!marking_set(marks, starts, start, traced_plain_words(object, type), shared)) continue;
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
    }
    m->top = stack + count;
    return false;
}

__attribute__((noinline)) static bool marking_drain_fields(hwri_marking *m) {
    return marking_drain_as(m, SIZE_MAX, false, true, false);
}

__attribute__((noinline)) static void marking_drain_shared(hwri_marking *m) {
    if (traced_sticks(m->space))
        marking_drain_as(m, SIZE_MAX, true, false, true);
    else
        marking_drain_as(m, SIZE_MAX, false, false, true);
}

static inline bool marking_drain_some(hwri_marking *m, size_t laps) {
    if (TRACED_MOVES && m->moves) return marking_drain_fields(m);
    return traced_sticks(m->space) ? marking_drain_as(m, laps, true, false, false)
                                   : marking_drain_as(m, laps, false, false, false);
}
static inline void marking_drain(hwri_marking *m) { marking_drain_some(m, SIZE_MAX); }

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

/* What one of several markers does, until none of them has anything to do. */
static inline void marking_take_part(hwri_marking *m, hwri_gray *gray) {
    m->gray = gray;
    size_t taken;
    do {
        marking_drain_shared(m);
        taken = hwri_gray_take(gray, m->stack, (size_t)(m->end - m->stack));
        m->top = m->stack + taken;
    } while (taken);
    m->gray = NULL;
}

typedef struct marking_crew {
    hwri_marking *first; /* the marker that collects */
    hwri_gray gray;
    bool overflowed;
} marking_crew;

static void marking_work(void *context, unsigned number) {
    marking_crew *crew = context;
    if (number == 0) {
        marking_take_part(crew->first, &crew->gray);
    } else if (hwri_gray_join(&crew->gray)) {
        hwri_marking m;
        marking_open(&m, crew->first->space, false, number);
        marking_take_part(&m, &crew->gray);
        if (m.overflowed) marking_note(&crew->overflowed);
    }
}

static inline void marking_drain_together(hwri_marking *m) {
    marking_crew crew = {.first = m};
    hwri_gray_open(&crew.gray);
    hwri_team_call(&m->space->team, marking_work, &crew);
    hwri_gray_close(&crew.gray);
    if (crew.overflowed) m->overflowed = true;
}

static inline bool marking_may_share(const hwri_marking *m) {
    return m->space->team.size > 1 && !m->moves && traced_may_share(m->space);
}

/* Marks everything that what has been pushed leads to. */
static inline void marking_finish(hwri_marking *m) {
    size_t alone = m->space->fills ? 0 : MARKING_ALONE; /* a checked heap, which is small, tries the others out */
    if (!marking_drain_some(m, marking_may_share(m) ? alone : SIZE_MAX)) marking_drain_together(m);
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
