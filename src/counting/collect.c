/* A collection, over the objects of a heap: finds the garbage in some generations, clears weak references into it, runs finalizers, keeps what they
 * brought back, frees the rest. The order is that of CPython's gc_collect_main. */
#include <stdio.h>

#include "life/weak.h"
#include "object/heap.h"
#include "object/references.h"

/* ---- the object model: what the engine needs to know ---- */

/* An object's place is its scratch word, in a table that its page has during a collection: a word for sixteen bytes, so that objects are told
 * apart whatever their size, and a header is never written. A word is OUTSIDE for everything that is not in the set; otherwise it counts the references
 * found from inside. A count that would not fit goes to a table, a portion at a time; an object whose portion cannot be stored stays
 * where it is, short of references found, and so is kept. Between collections all words of the tables that pages keep are OUTSIDE. */
enum {
    OUTSIDE = 0x8000,
    REACHED = 0x4000,
    GARBAGE = 0x2000, /* found to be garbage: what the second proof and the freeing look at */
    FOUND = 0x1fff,
    PORTION = 4096
};
typedef uint16_t hwri_place;

typedef struct hwri_model {
    hwr_heap *heap;
    int generation;
    hwri_place mask, in_set; /* these bits of a place tell whether it is in the set */
    hwri_side_table excess;  /* objects to references found that have left their words */
    void **garbage;          /* after the first proof the set is what is here, with places marked GARBAGE */
    size_t garbage_count;
    size_t held;    /* references of ours to each object of `garbage` */
    uint64_t flags; /* of all headers in `garbage` */
    size_t resurrected;
    void **gone_list;
    size_t gone; /* objects of `garbage` that died before they could be collected: finalizers let go of them */
} hwri_model;

/* A page leads to where its table would begin if it began with address 0, so that finding a place takes no subtraction. */
static inline uintptr_t table_base(const hwri_page *page) { return ((uintptr_t)page->start >> 4) * sizeof(hwri_place); }
static inline hwri_place *table_of(const hwri_page *page) { return (hwri_place *)(page->table + table_base(page)); }
static inline hwri_place *table_place(const hwri_page *page, const void *header) {
    return (hwri_place *)(page->table + ((uintptr_t)header >> 4) * sizeof(hwri_place));
}

static inline hwri_place *place_in_heap(hwr_heap *heap, const void *object) {
    const uint64_t *header = hwri_header(object);
    hwri_page *page = hwri_page_of(heap->objects, header);
    return page && page->table ? table_place(page, header) : NULL;
}

static inline hwri_place *hwri_model_place(hwri_model *m, const void *object) {
    hwri_place *place = place_in_heap(m->heap, object);
    return place && (*place & m->mask) == m->in_set ? place : NULL;
}

static void store_portion(hwri_model *m, void *object, hwri_place *place) {
    uintptr_t *excess = hwri_side_add(&m->excess, object);
    if (!excess) {
        *place = (hwri_place)(*place - 1);
        return;
    }
    *excess += PORTION;
    *place = (hwri_place)(*place - PORTION);
}

static inline void hwri_model_found(hwri_model *m, void *object, hwri_place *place) {
    *place = (hwri_place)(*place + 1);
    if (hwri_unlikely((*place & FOUND) == FOUND)) store_portion(m, object, place);
}

static size_t found_of(const hwri_model *m, const void *object, hwri_place word) {
    const uintptr_t *excess = hwri_side_find(&m->excess, object);
    return (size_t)(word & FOUND) + (excess ? *excess : 0);
}

static inline bool hwri_model_is_held(hwri_model *m, void *object, const hwri_place *place) {
    uint64_t header = *hwri_header(object);
    if (hwri_likely(!(header & HWRI_COUNT_ASIDE))) return hwri_count_in(header) > (*place & FOUND) + m->held;
    return hwri_count_of(m->heap, object) > found_of(m, object, *place) + m->held;
}

static inline bool hwri_model_is_reached(hwri_model *m, const hwri_place *place) {
    (void)m;
    return *place & REACHED;
}
static inline void hwri_model_reach(hwri_model *m, hwri_place *place) {
    (void)m;
    *place |= REACHED;
}
static inline hwr_pool *hwri_model_memory(hwri_model *m) { return m->heap->blocks; }
static inline void hwri_model_prefetch(const void *object) { __builtin_prefetch(hwri_header(object)); }

enum { ITEMS_AT_ONCE = 256 };

HWRI_INLINE size_t hwri_model_scan(hwri_model *m, void *object, size_t from, hwri_reference_visit visit,
                                   void *context) {
    (void)m;
    const hwr_type *type = hwr_type_of(object);
    if (!from) hwri_each_field(object, type, visit, context);
    if (hwri_likely(!type->item_size)) return 0;
    size_t length = hwri_reference_items(object, type);
    size_t to = length - from > ITEMS_AT_ONCE ? from + ITEMS_AT_ONCE : length;
    hwri_each_item(object, type, from, to, visit, context);
    return to < length ? to : 0;
}

typedef void (*member_visit)(void *context, void *object, hwri_place *place);

/* A block of the set, or one that turns out not to hold an object of it. */
HWRI_INLINE void visit_block(char *block, const hwri_page *page, hwri_place skip, member_visit visit, void *context) {
    hwri_place *place = table_place(page, block);
    uint64_t first;
    if (*place & skip) return;
    memcpy(&first, block, sizeof first);
    if (hwri_unlikely(first == HWRI_PADDING))
        first = *hwri_header(block += HWRI_HEADER_SIZE * 2);
    else
        block += HWRI_HEADER_SIZE;
    if (hwri_likely(first >= HWRI_COUNT_ONE && !(first & HWRI_FROZEN)))
        visit(context, block, place);
    else
        *place = OUTSIDE;
}

/* The blocks of a page whose bits are set in its ages: those of the youngest generations, and what remains of earlier ones. */
HWRI_INLINE void each_young_block(hwri_page *page, int generation, hwri_place skip, member_visit visit, void *context) {
    size_t size = hwri_page_block_size(page), slices = hwri_aged_slices(page);
    uint64_t inverse = ((uint64_t)1 << 32) / size + 1; /* a multiplication for each block instead of a division */
    hwri_ages *ages = (hwri_ages *)(void *)page->side;
    for (size_t slice = 0; slice < slices; slice++)
        for (size_t word = 0; word < HWRI_SLICE_WORDS; word++) {
            uint64_t bits = ages[slice].young[word] | (generation > 0 ? ages[slice].middle[word] : 0);
            for (; bits; bits &= bits - 1) {
                size_t granule = word * 64 + (size_t)__builtin_ctzll(bits);
                size_t offset = ((granule * 16 - (uintptr_t)page->start) & 0xffff) + (slice << HWRI_SLICE_SHIFT);
                size_t index = page->large_size ? 0 : (offset + 15) * inverse >> 32;
                visit_block(page->start + index * size, page, skip, visit, context);
            }
        }
}

HWRI_INLINE void each_block(hwri_page *page, int generation, hwri_place skip, member_visit visit, void *context) {
    size_t size = hwri_page_block_size(page), count = hwri_blocks_in(page);
    if (generation < HWR_OLDEST)
        each_young_block(page, generation, skip, visit, context);
    else
        for (size_t i = 0; i < count; i++) visit_block(page->start + i * size, page, skip, visit, context);
}

HWRI_INLINE void each_garbage(hwri_model *m, bool unreached, member_visit visit, void *context) {
    for (size_t i = 0; i < m->garbage_count; i++) {
        hwri_place *place = place_in_heap(m->heap, m->garbage[i]);
        if (!unreached || !(*place & REACHED)) visit(context, m->garbage[i], place);
    }
}

HWRI_INLINE void hwri_model_each(hwri_model *m, bool unreached, member_visit visit, void *context) {
    hwri_page_cursor cursor = {.flagged = m->generation < HWR_OLDEST};
    if (m->garbage) {
        each_garbage(m, unreached, visit, context);
        return;
    }
    for (hwri_page *page; (page = hwri_page_next(m->heap->objects, &cursor)) != NULL;)
        each_block(page, m->generation, unreached ? OUTSIDE | REACHED : OUTSIDE, visit, context);
}

#include "counting/cycle.h"

/* ---- the set ---- */

/* A page keeps its table for the next collection while it has young objects and there are not many such pages. */
enum { TABLES_KEPT = 32 };

static size_t table_size(const hwri_page *page) {
    size_t bytes = page->large_size ? 1 : (size_t)page->capacity * page->block_size;
    return (bytes / 16 + 1) * sizeof(hwri_place);
}

static void drop_table(hwr_heap *heap, hwri_page *page) {
    hwr_pool_free(heap->blocks, table_of(page));
    page->table = 0;
    heap->tables--;
}

void hwri_page_ends(void *heap, hwri_page *page) { drop_table(heap, page); }

static void put_in_set(void *context, void *object, hwri_place *place) {
    (void)context;
    (void)object;
    *place = 0;
}

static bool prepare_page(hwri_model *m, hwri_page *page) {
    size_t size = table_size(page);
    if (!page->table) {
        void *table = hwr_pool_alloc(m->heap->blocks, size);
        if (!table) return false;
        page->table = (uintptr_t)table - table_base(page);
        m->heap->tables++;
    }
    bool all = m->generation == HWR_OLDEST; /* what holds no object is sorted out at the first visit */
    memset(table_of(page), all ? 0 : 0xff, size);
    if (!all) each_young_block(page, m->generation, 0, put_in_set, NULL);
    return true;
}

static bool prepare(hwri_model *m) {
    hwri_page_cursor cursor = {.flagged = m->generation < HWR_OLDEST};
    for (hwri_page *page; (page = hwri_page_next(m->heap->objects, &cursor)) != NULL;)
        if (!prepare_page(m, page)) return false;
    return true;
}

/* Every page of the generations collected has been prepared, so what a flagged page keeps needs not be right. */
static void drop_tables(hwri_model *m) {
    bool many = m->heap->tables > TABLES_KEPT;
    if (m->generation == 0 && !many) return;
    hwri_page_cursor cursor = {0};
    for (hwri_page *page; (page = hwri_page_next(m->heap->objects, &cursor)) != NULL;)
        if (page->table && (many || !hwri_is_flagged(page))) drop_table(m->heap, page);
}

static void finish(hwri_model *m) {
    drop_tables(m);
    hwr_pool_free(m->heap->blocks, m->garbage);
    hwri_side_clear(&m->excess);
}

/* All objects of the set come to the next generation. What is garbage either ends now or, having been brought back, belongs there. */
static void promote(hwri_model *m) {
    hwri_page_cursor cursor = {.flagged = true};
    if (m->generation > 0) {
        hwri_forget_ages(m->heap);
        return;
    }
    for (hwri_page *page; (page = hwri_page_next(m->heap->objects, &cursor)) != NULL;)
        for (size_t slice = 0; slice < hwri_aged_slices(page); slice++) {
            hwri_ages *ages = (hwri_ages *)(void *)page->side + slice;
            for (size_t word = 0; word < HWRI_SLICE_WORDS; word++) {
                ages->middle[word] |= ages->young[word];
                ages->young[word] = 0;
            }
        }
}

/* ---- garbage ---- */

static inline bool is_garbage(const hwri_place *place) {
    return place && (*place & (OUTSIDE | GARBAGE | REACHED)) == GARBAGE;
}

static inline void add_garbage(void *context, void *object, hwri_place *place) {
    hwri_model *m = context;
    m->garbage[m->garbage_count++] = object;
    m->flags |= *hwri_header(object);
    *place = GARBAGE;
}

static bool list_garbage(hwri_model *m, size_t at_most) {
    void **garbage = hwr_pool_alloc(m->heap->blocks, at_most * sizeof *garbage);
    if (!garbage) return false;
    m->garbage = garbage;
    hwri_page_cursor cursor = {.flagged = m->generation < HWR_OLDEST};
    for (hwri_page *page; (page = hwri_page_next(m->heap->objects, &cursor)) != NULL;)
        each_block(page, m->generation, OUTSIDE | REACHED, add_garbage, m);
    return true;
}

static void print_garbage(const hwri_model *m) {
    for (size_t i = 0; i < m->garbage_count; i++)
        fprintf(stderr, "heapwright: collectable <%s 0x%zx>\n", hwr_type_of(m->garbage[i])->name,
                (size_t)(uintptr_t)m->garbage[i]);
}

/* Clears the weak references to the garbage and calls back those that are not garbage themselves. */
static void clear_weak_references(hwri_model *m) {
    hwr_heap *heap = m->heap;
    hwr_weak *first = NULL, **last = &first;
    for (size_t i = 0; i < m->garbage_count; i++) {
        if (!(*hwri_header(m->garbage[i]) & HWRI_WEAK)) continue;
        for (hwr_weak *weak = hwri_weak_take(heap, m->garbage[i]), *next; weak; weak = next) {
            next = weak->next;
            weak->next = NULL;
            if (!weak->callback || is_garbage(place_in_heap(heap, weak))) continue;
            hwri_count_add(heap, weak, 1);
            *last = weak;
            last = &weak->next;
        }
    }
    hwri_weak_call_chain(heap, first);
}

/* Runs the finalizers that have not run yet, with every object held so that none ends meanwhile. Returns whether there were any. */
static bool finalize(hwri_model *m) {
    uint64_t before = m->heap->counters.finalizers;
    for (size_t i = 0; i < m->garbage_count; i++) hwri_count_add(m->heap, m->garbage[i], 1);
    m->held = 1;
    for (size_t i = 0; i < m->garbage_count; i++) hwri_call_finalizer(m->heap, m->garbage[i]);
    return m->heap->counters.finalizers != before;
}

static void lose_reference(void *context, void *target) {
    hwri_model *m = context;
    hwri_place *place = place_in_heap(m->heap, target);
    if (!is_garbage(place) || hwri_side_find(&m->excess, target)) return;
    *place = (hwri_place)(*place - 1);
    if ((*place & FOUND) == 0) m->gone_list[m->gone++] = target;
}

/* CPython's collector does not count objects that died by their counts while finalizers ran. Ours were held; they are those that nothing refers to, and then
 * those that only such objects refer to. */
static void count_gone(hwri_model *m) {
    void **gone = hwr_pool_alloc(m->heap->blocks, m->garbage_count * sizeof *gone);
    if (!gone) return;
    m->gone_list = gone;
    for (size_t i = 0; i < m->garbage_count; i++)
        if (found_of(m, m->garbage[i], *place_in_heap(m->heap, m->garbage[i])) == 0) gone[m->gone++] = m->garbage[i];
    for (size_t i = 0; i < m->gone; i++) hwri_each_reference(gone[i], hwr_type_of(gone[i]), lose_reference, m);
    hwr_pool_free(m->heap->blocks, gone);
}

/* After finalizers: what they have made reachable again stays. */
static void prove_again(hwri_model *m) {
    hwr_heap *heap = m->heap;
    for (size_t i = 0; i < m->garbage_count; i++) *place_in_heap(heap, m->garbage[i]) = GARBAGE;
    m->mask |= GARBAGE;
    m->in_set = GARBAGE;
    hwri_side_clear(&m->excess);
    hwri_find_reached(m);
    size_t kept = 0;
    for (size_t i = 0; i < m->garbage_count; i++) {
        void *object = m->garbage[i];
        if (is_garbage(place_in_heap(heap, object))) {
            m->garbage[kept++] = object;
            continue;
        }
        heap->counters.resurrected++;
        hwri_emit(heap, HWR_EVENT_RESURRECTION, (uintptr_t)object, (uintptr_t)hwr_type_of(object));
        hwr_release(heap, object); /* not the last reference, or it would not have been reached */
    }
    m->garbage_count = kept;
    count_gone(m);
}

static bool save_garbage(hwri_model *m) {
    hwr_heap *heap = m->heap;
    size_t room = heap->garbage_count + m->garbage_count;
    void **saved = hwr_pool_realloc(heap->blocks, heap->garbage, room * sizeof *saved);
    if (!saved) return false;
    heap->garbage = saved;
    for (size_t i = 0; i < m->garbage_count; i++) {
        if (!m->held) hwri_count_add(heap, m->garbage[i], 1);
        saved[heap->garbage_count++] = m->garbage[i];
    }
    return true;
}

static inline void give_up_outside(void *context, void *target) {
    hwr_heap *heap = context;
    if (is_garbage(place_in_heap(heap, target))) return;
    *hwri_header(target) -= HWRI_COUNT_ONE;
    if (*hwri_header(target) < HWRI_COUNT_ONE && !hwri_count_refill(heap, target)) hwri_die_later(heap, target);
}

/* Garbage refers to garbage, which needs no counting any more, and to the outside. No code of the user's runs before all of it is free. */
static void free_garbage(hwri_model *m) {
    hwr_heap *heap = m->heap;
    for (size_t i = 0; i < m->garbage_count; i++)
        hwri_each_reference(m->garbage[i], hwr_type_of(m->garbage[i]), give_up_outside, heap);
    for (size_t i = 0; i < m->garbage_count; i++) {
        uint64_t *header = hwri_header(m->garbage[i]);
        if (hwri_unlikely(*header & HWRI_COUNT_ASIDE)) hwri_count_forget(heap, m->garbage[i]);
        *header &= HWRI_COUNT_ONE - 1;
        if (hwri_unlikely(*header & HWRI_SPECIAL)) hwri_own_type_dies(heap, m->garbage[i]);
        hwri_free_object(heap, m->garbage[i]);
    }
}

/* Lets users know, and finds out what they brought back. */
static void say_goodbye(hwri_model *m) {
    hwr_heap *heap = m->heap;
    uint64_t generation = (uint64_t)m->generation;
    if (m->flags & HWRI_WEAK) {
        uint64_t before = heap->counters.weak_callbacks;
        hwri_emit(heap, HWR_EVENT_WEAK_BEGIN, generation, 0);
        clear_weak_references(m);
        hwri_emit(heap, HWR_EVENT_WEAK_END, generation, heap->counters.weak_callbacks - before);
    }
    if (m->flags & HWRI_SPECIAL) {
        uint64_t before = heap->counters.finalizers;
        hwri_emit(heap, HWR_EVENT_FINALIZE_BEGIN, generation, 0);
        if (finalize(m)) prove_again(m);
        hwri_emit(heap, HWR_EVENT_FINALIZE_END, generation, heap->counters.finalizers - before);
    }
}

static size_t dispose(hwri_model *m) {
    hwr_heap *heap = m->heap;
    if (heap->debug & HWR_DEBUG_COLLECTABLE) print_garbage(m);
    if (m->flags & (HWRI_WEAK | HWRI_SPECIAL)) say_goodbye(m);
    size_t unreachable = m->garbage_count - m->gone, deaths = heap->deaths.count;
    hwri_emit(heap, HWR_EVENT_FREE_BEGIN, (uint64_t)m->generation, 0);
    bool saved = heap->debug & HWR_DEBUG_SAVEALL && save_garbage(m);
    if (!saved) {
        free_garbage(m);
        hwri_deaths_run(heap, deaths);
    }
    hwri_emit(heap, HWR_EVENT_FREE_END, (uint64_t)m->generation, saved ? 0 : m->garbage_count);
    return unreachable;
}

/* ---- a collection ---- */

static void count_survivors(hwr_heap *heap, int generation, size_t survivors) {
    if (generation == 1) heap->long_lived_pending += survivors;
    if (generation != HWR_OLDEST) return;
    heap->long_lived_pending = 0;
    heap->long_lived_total = survivors;
}

static size_t collect(hwri_model *m) {
    hwr_heap *heap = m->heap;
    hwri_emit(heap, HWR_EVENT_FIND_BEGIN, (uint64_t)m->generation, 0);
    bool prepared = prepare(m);
    hwri_census census = prepared ? hwri_find_reached(m) : (hwri_census){0, 0};
    if (!prepared || (census.candidates && !list_garbage(m, census.candidates))) {
        heap->counters.collections_failed++;
        return 0;
    }
    hwri_emit(heap, HWR_EVENT_FIND_END, (uint64_t)m->generation, m->garbage_count);
    promote(m);
    count_survivors(heap, m->generation, census.reached);
    return m->garbage_count ? dispose(m) : 0;
}

/* The limit is on what the program uses: scratch memory, given back at the end, may exceed it. */
size_t hwri_collect(hwr_heap *heap, int generation) {
    if (generation < HWR_OLDEST) heap->count[generation + 1]++;
    for (int i = 0; i <= generation; i++) heap->count[i] = 0;
    if (heap->limit) hwr_raw_set_limit(heap->raw, 0);
    hwri_model m = {.heap = heap, .generation = generation, .mask = OUTSIDE, .excess = {.pool = heap->blocks}};
    size_t unreachable = collect(&m);
    finish(&m);
    if (heap->limit) {
        hwr_pool_trim(heap->blocks, true);
        hwr_raw_set_limit(heap->raw, heap->limit);
    }
    heap->stats[generation].collections++;
    heap->stats[generation].collected += unreachable;
    heap->counters.collections++;
    heap->counters.collected += unreachable;
    return unreachable;
}
