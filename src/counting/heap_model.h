/* The objects of a heap as the cycle engine sees them: the set, which is some generations of it; where an object's place is; its references. Included by
 * collect.c alone, before the engine. */
#ifndef HWRI_COUNTING_HEAP_MODEL_H
#define HWRI_COUNTING_HEAP_MODEL_H

#include "counting/places.h"
#include "life/weak.h"
#include "object/references.h"

/* A collection. The set is gone through page by page, in the order of addresses; `near` and `far` are what the last steps have shown, since what is
 * allocated together lies together. Once garbage has been listed the engine runs over that list instead. */
typedef struct hwri_model {
    hwr_heap *heap;
    int generation;
    hwri_tables tables;                    /* a copy at hand */
    hwri_place mask, in_set;               /* these bits of a place tell whether the engine has to do with it */
    uintptr_t near, near_size, near_table; /* the page that is being gone through: its start, bytes, and table */
    uintptr_t far_slice, far_table;        /* the last slice that a reference from it led to */
    size_t members;
    hwri_side_table excess; /* objects to references found that have left their places */
    size_t garbage_count;
    void **garbage; /* all of it, if users are to learn of it; the engine's set is then what is here */
    size_t ended;   /* weak references that ended when they had been called back: CPython counts them, too */
    hwr_weak *weak_first, **weak_last; /* a chain of weak references to be called back, and its end */
    /* Of something that was not held, and later of something in the garbage: it has to do with weak references; it has a finalizer or is of our own types. */
    bool weak, last_wills;
} hwri_model;

static inline hwri_place *hwri_model_place(hwri_model *m, const void *object) {
    const uint64_t *header = hwri_header(object);
    uintptr_t slice = ((uintptr_t)header >> HWRI_SLICE_SHIFT) - m->tables.first;
    if (hwri_unlikely(slice >= m->tables.count)) return m->tables.complete ? NULL : hwri_place_of(m->heap, object);
    uintptr_t table = m->tables.of_slice[slice];
    if (hwri_unlikely(!table)) return NULL;
    m->far_slice = (uintptr_t)header >> HWRI_SLICE_SHIFT;
    m->far_table = table;
    return hwri_place_from(table, header);
}

static inline void forget_near(hwri_model *m) { m->near_size = m->far_slice = 0; }

static inline void come_near(hwri_model *m, const hwri_page *page) {
    m->near = (uintptr_t)page->start;
    m->near_size = page->large_size ? 1 : (uintptr_t)page->capacity * page->block_size;
    m->near_table = page->table;
}

/* What is allocated together lies together, so many references stay in their page, and many others lead where the one before them led. */
static inline hwri_place *hwri_model_near(hwri_model *m, const void *object) {
    const uint64_t *header = hwri_header(object);
    if ((uintptr_t)header - m->near < m->near_size) return hwri_place_from(m->near_table, header);
    return (uintptr_t)header >> HWRI_SLICE_SHIFT == m->far_slice ? hwri_place_from(m->far_table, header) : NULL;
}

static inline bool hwri_model_is_in_set(const hwri_model *m, const hwri_place *place) {
    return (*place & m->mask) == m->in_set;
}

static void store_portion(hwri_model *m, void *object, hwri_place *place) {
    uintptr_t *excess = hwri_side_add(&m->excess, object);
    if (excess) *excess += HWRI_PORTION;
    *place = (hwri_place)(*place + (excess ? HWRI_PORTION : 1) * HWRI_PLACE_ONE);
}

static inline void hwri_model_found(hwri_model *m, void *object, hwri_place *place) {
    *place = (hwri_place)(*place - HWRI_PLACE_ONE);
    if (hwri_unlikely(*place / HWRI_PLACE_ONE == HWRI_PORTION)) store_portion(m, object, place);
}

static inline void hwri_model_visit(hwri_model *m, const void *object, hwri_place *place) {
    (void)m;
    uint64_t header = *hwri_header(object);
    unsigned flags = HWRI_MEMBER | (unsigned)(header & HWRI_COUNT_ASIDE) * (HWRI_ASIDE / HWRI_COUNT_ASIDE);
    *place = (hwri_place)((*place + hwri_count_in(header) * HWRI_PLACE_ONE) | flags);
}

/* Guesses are made in collections of the oldest generation only, in which visiting an object makes it one of the set. */
static inline bool hwri_model_is_visited(const hwri_place *place) { return *place & HWRI_MEMBER; }

/* The count aside, the references found aside, and the difference of the rest. */
static bool is_held_exactly(const hwri_model *m, const void *object, hwri_place word) {
    const uintptr_t *aside = hwri_side_find(&m->heap->counts, object), *excess = hwri_side_find(&m->excess, object);
    if (!aside && *hwri_header(object) & HWRI_COUNT_ASIDE) return true; /* immortal */
    intptr_t rest = (int16_t)(word & ~HWRI_PLACE_FLAGS) / HWRI_PLACE_ONE;
    return (intptr_t)(aside ? *aside : 0) + rest > (intptr_t)(excess ? *excess : 0);
}

static inline bool hwri_model_is_held(const hwri_model *m, const void *object, const hwri_place *place) {
    if (hwri_likely(!(*place & HWRI_ASIDE) && !m->excess.count)) return *place >= HWRI_PLACE_ONE;
    return is_held_exactly(m, object, *place);
}

static void note_special(hwri_model *m, const hwr_type *type) {
    m->last_wills |= hwri_has_last_will(type);
    m->weak |= type == &hwri_weak_type;
}

static inline void note_wills(hwri_model *m, uint64_t header) {
    m->weak |= (header & HWRI_WEAK) != 0;
    if (hwri_unlikely(header & HWRI_SPECIAL)) note_special(m, hwri_type_in(header));
}

static inline void hwri_model_not_held(hwri_model *m, const void *object) { note_wills(m, *hwri_header(object)); }

static inline bool hwri_model_is_reached(const hwri_place *place) { return *place & HWRI_REACHED; }
static inline void hwri_model_reach(hwri_place *place) { *place |= HWRI_REACHED; }
static inline hwr_pool *hwri_model_memory(hwri_model *m) { return m->heap->scratch; }
enum { hwri_model_is_queue = false };
static inline bool hwri_model_is_all_near(const hwri_model *m) {
    (void)m;
    return false;
}
static inline void hwri_model_enqueue(hwri_model *m, void *object) { (void)m, (void)object; }
static inline void hwri_model_prefetch_place(const hwri_place *place) { __builtin_prefetch(place, 1); }
static inline void hwri_model_prefetch(const void *object) { __builtin_prefetch(hwri_header(object)); }

enum { SCANNED_AT_ONCE = 256 };

HWRI_INLINE size_t hwri_model_scan(hwri_model *m, void *object, size_t from, hwri_reference_visit visit,
                                   void *context) {
    (void)m;
    uint64_t header = *hwri_header(object);
    const hwr_type *type = hwri_type_in(header);
    if (hwri_likely(!(header & HWRI_SPECIAL))) {
        hwri_each_offset(object, type, visit, context);
        return 0;
    }
    if (!from) hwri_each_field(object, type, visit, context);
    if (hwri_likely(!type->item_size)) return 0;
    size_t length = hwri_reference_items(object, type);
    size_t to = length - from > SCANNED_AT_ONCE ? from + SCANNED_AT_ONCE : length;
    hwri_each_item(object, type, from, to, visit, context);
    return to < length ? to : 0;
}

typedef void (*member_visit)(void *context, void *object, hwri_place *place);

static inline bool is_for_the_set(uint64_t header) { return header >= HWRI_COUNT_ONE && !(header & HWRI_FROZEN); }

/* The object in a block, if it is alive and the collector is to look at it. Padding has the bit of what is frozen. */
static inline void *object_of_set(char *block) {
    uint64_t words[2];
    memcpy(words, block, sizeof words);
    if (hwri_likely(is_for_the_set(words[0]))) return block + HWRI_HEADER_SIZE;
    return words[0] == HWRI_PADDING && is_for_the_set(words[1]) ? block + (size_t)HWRI_HEADER_SIZE * 2 : NULL;
}

static inline bool is_unreached(const hwri_place *place) {
    return (*place & (HWRI_MEMBER | HWRI_REACHED)) == HWRI_MEMBER;
}

/* How many objects of a page are not reached. Four sums in one; a page has less than 262,144 places. */
static size_t unreached_in(const hwri_page *page) {
    const hwri_place *table = hwri_table_of(page);
    const hwri_range *range = hwri_range_of(page);
    uint64_t sums = 0;
    for (size_t i = range->first / 16 & ~(size_t)3; i * 16 < range->end; i += 4) {
        uint64_t four;
        memcpy(&four, &table[i], sizeof four);
        sums += four & ~(four >> 1) & UINT64_C(0x0001000100010001);
    }
    return (size_t)((sums & 0xffff) + (sums >> 16 & 0xffff) + (sums >> 32 & 0xffff) + (sums >> 48));
}

/* Goes through the blocks of a page that may be of the set; it is in a collection of the oldest generation only now that an object is found to be one. */
HWRI_INLINE size_t each_object_of(hwri_page *page, bool known, member_visit visit, void *context) {
    const hwri_range *range = hwri_range_of(page);
    size_t size = hwri_page_block_size(page), members = 0;
    uintptr_t table = page->table;
    char *block = page->start + range->first, *end = page->start + range->end;
    for (; block < end; block += size) {
        hwri_place *place = hwri_place_from(table, block);
        void *object = !known ? object_of_set(block) : *place & HWRI_MEMBER ? hwri_object_in(block) : NULL;
        if (!object) continue;
        visit(context, object, place);
        members++;
    }
    return members;
}

HWRI_INLINE void each_unreached_of(hwri_model *m, hwri_page *page, member_visit visit, void *context) {
    const hwri_range *range = hwri_range_of(page);
    size_t size = hwri_page_block_size(page);
    uintptr_t table = page->table;
    char *block = page->start + range->first, *end = page->start + range->end;
    come_near(m, page);
    for (; block < end; block += size) {
        hwri_place *place = hwri_place_from(table, block);
        if (is_unreached(place)) visit(context, hwri_object_in(block), place);
    }
}

/* The pages of the generations collected. Those that finalizers have made have no table. */
static inline hwri_page *next_page(const hwri_model *m, hwri_page_cursor *cursor) {
    cursor->flagged = m->generation < HWR_OLDEST;
    for (;;) {
        hwri_page *page = hwri_page_next(m->heap->objects, cursor);
        if (!page || page->table) return page;
    }
}

HWRI_INLINE void each_unreached(hwri_model *m, member_visit visit, void *context) {
    hwri_page_cursor cursor = {0};
    for (hwri_page *page; (page = next_page(m, &cursor)) != NULL;)
        if (unreached_in(page)) each_unreached_of(m, page, visit, context);
}

HWRI_INLINE void each_garbage(hwri_model *m, bool unreached, member_visit visit, void *context) {
    for (size_t i = 0; i < m->garbage_count; i++) {
        hwri_place *place = hwri_place_of(m->heap, m->garbage[i]);
        if (!unreached || is_unreached(place)) visit(context, m->garbage[i], place);
    }
}

HWRI_INLINE void each_in_pages(hwri_model *m, member_visit visit, void *context) {
    hwri_page_cursor cursor = {0};
    size_t members = 0;
    for (hwri_page *page; (page = next_page(m, &cursor)) != NULL;) {
        come_near(m, page);
        if (m->generation < HWR_OLDEST)
            members += each_object_of(page, true, visit, context);
        else
            members += each_object_of(page, false, visit, context);
    }
    m->members = members;
}

HWRI_INLINE void hwri_model_each(hwri_model *m, member_visit visit, void *context) {
    forget_near(m);
    if (m->garbage)
        each_garbage(m, false, visit, context);
    else
        each_in_pages(m, visit, context);
}

HWRI_INLINE void hwri_model_each_unreached(hwri_model *m, member_visit visit, void *context) {
    if (m->garbage)
        each_garbage(m, true, visit, context);
    else
        each_unreached(m, visit, context);
}

static void hwri_model_forget_reached(hwri_model *m) {
    hwri_page_cursor cursor = {0};
    for (hwri_page *page; (page = next_page(m, &cursor)) != NULL;)
        for (size_t i = 0, count = hwri_table_places(page); i < count; i++)
            hwri_table_of(page)[i] &= (hwri_place)~HWRI_REACHED;
    memset(m->heap->counted->held, 0, sizeof m->heap->counted->held);
}

/* The guess: what full collections found held, as far as it still exists. */
static void hwri_model_each_guess(hwri_model *m, member_visit visit, void *context) {
    if (m->generation < HWR_OLDEST || m->garbage) return;
    for (size_t i = 0; i < HWRI_HELD_KNOWN; i++) {
        void *object = m->heap->counted->held[i];
        if (!object) continue;
        if (hwri_is_tracked_object(m->heap, object) && !(*hwri_header(object) & HWRI_FROZEN))
            visit(context, object, hwri_place_of(m->heap, object));
        else
            m->heap->counted->held[i] = NULL;
    }
}

static void hwri_model_held(hwri_model *m, void *object) {
    if (m->generation == HWR_OLDEST && !m->garbage)
        m->heap->counted->held[m->heap->counted->held_next++ % HWRI_HELD_KNOWN] = object;
}

#endif
