/* A collection, over the objects of a heap: finds the garbage in some generations, clears weak references into it, runs finalizers, keeps what they
 * brought back, frees the rest. The order is that of CPython's gc_collect_main. */
#include <stdio.h>

#include "counting/heap_model.h"

#include "counting/cycle.h" /* over that model */

/* ---- the set ---- */

/* A page keeps its table for the next collection while it has young objects and there are not many such pages. */
enum { TABLES_KEPT = 32 };

static hwri_range whole_range(const hwri_page *page) {
    return (hwri_range){0, page->large_size ? 1 : page->carved * page->block_size};
}

/* From the first to the last bit in a page's ages. They follow the addresses if the page starts where a slice of the usual size would. */
static hwri_range range_of_ages(const hwri_page *page, int generation) {
    const hwri_ages *ages = (const hwri_ages *)(void *)page->side;
    hwri_range range = whole_range(page);
    uint32_t first = UINT32_MAX, last = 0;
    if (page->large_size || (uintptr_t)page->start & ((1 << HWRI_SLICE_SHIFT) - 1)) return range;
    for (uint32_t i = 0, words = (uint32_t)hwri_aged_slices(page) * HWRI_SLICE_WORDS; i < words; i++) {
        const hwri_ages *slice = &ages[i / HWRI_SLICE_WORDS];
        uint64_t bits = slice->young[i % HWRI_SLICE_WORDS];
        if (generation > 0) bits |= slice->middle[i % HWRI_SLICE_WORDS];
        if (!bits) continue;
        if (first == UINT32_MAX) first = i * 64 + (uint32_t)__builtin_ctzll(bits);
        last = i * 64 + 63 - (uint32_t)__builtin_clzll(bits);
    }
    if (first == UINT32_MAX) return (hwri_range){0, 0};
    uint32_t end = ((last * 16 + 15) / page->block_size + 1) * page->block_size;
    range.first = (first * 16 + 15) / page->block_size * page->block_size;
    if (end < range.end) range.end = end;
    return range;
}

/* The young objects of a page are those of the set. */
static void put_in_set(hwri_page *page, int generation) {
    const hwri_range *range = hwri_range_of(page);
    size_t size = hwri_page_block_size(page);
    char *block = page->start + range->first, *end = page->start + range->end;
    for (; block < end; block += size) {
        const hwri_ages *ages = hwri_ages_of(page, block);
        size_t granule = hwri_granule_of(block);
        uint64_t bits = ages->young[granule / 64] | (generation > 0 ? ages->middle[granule / 64] : 0);
        if (bits >> (granule % 64) & 1 && object_of_set(block)) *hwri_place_from(page->table, block) = HWRI_MEMBER;
    }
}

/* A page without such objects needs no table. */
static bool prepare_page(hwri_model *m, hwri_page *page) {
    bool all = m->generation == HWR_OLDEST;
    hwri_range range = all ? whole_range(page) : range_of_ages(page, m->generation);
    if (range.end == 0) {
        if (page->table) hwri_table_take(m->heap, page);
        return true;
    }
    if (!hwri_table_give(m->heap, page)) return false;
    *hwri_range_of(page) = range;
    if (!all) put_in_set(page, m->generation);
    return true;
}

static bool prepare(hwri_model *m) {
    hwri_page_cursor cursor = {.flagged = m->generation < HWR_OLDEST};
    if (!hwri_tables_cover(m->heap)) return false;
    m->tables = m->heap->places;
    for (hwri_page *page; (page = hwri_page_next(m->heap->objects, &cursor)) != NULL;)
        if (!prepare_page(m, page)) return false;
    return true;
}

/* Whether any bit is set: the first byte is not zero, or not all others are like the one before. */
static bool has_ages(const hwri_page *page) {
    const char *ages = page->side;
    size_t size = hwri_aged_slices(page) * sizeof(hwri_ages);
    return ages[0] || memcmp(ages, ages + 1, size - 1) != 0;
}

/* Every page of the generations collected has been prepared, so what a flagged page keeps needs not be right. */
static void drop_tables(hwri_model *m) {
    bool many = m->heap->tables > TABLES_KEPT;
    if (m->generation == 0 && !many) return;
    hwri_page_cursor cursor = {.flagged = m->generation < HWR_OLDEST};
    for (hwri_page *page; (page = hwri_page_next(m->heap->objects, &cursor)) != NULL;) {
        if (m->generation > 0 && hwri_is_flagged(page) && !has_ages(page)) hwri_unflag_page(page);
        if (page->table && (many || !hwri_is_flagged(page))) hwri_table_take(m->heap, page);
    }
}

static void finish(hwri_model *m) {
    drop_tables(m);
    hwr_pool_free(m->heap->scratch, m->garbage);
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

static inline bool is_garbage(const hwri_place *place) { return place && is_unreached(place); }

static inline void add_garbage(void *context, void *object, hwri_place *place) {
    hwri_model *m = context;
    m->garbage[m->garbage_count++] = object;
    note_wills(m, *hwri_header(object));
    *place = HWRI_MEMBER;
}

static bool list_garbage(hwri_model *m) {
    m->garbage = hwr_pool_alloc(m->heap->scratch, m->garbage_count * sizeof *m->garbage);
    if (!m->garbage) return false;
    m->weak = m->last_wills = false;
    m->garbage_count = 0;
    each_unreached(m, add_garbage, m);
    return true;
}

static void print_garbage(const hwri_model *m) {
    for (size_t i = 0; i < m->garbage_count; i++)
        fprintf(stderr, "heapwright: collectable <%s 0x%zx>\n", hwr_type_of(m->garbage[i])->name,
                (size_t)(uintptr_t)m->garbage[i]);
}

/* Adds those of an object's weak references to a chain that are to be called back, held. What is garbage or dying itself is not. */
static hwr_weak **take_weak_references(hwr_heap *heap, void *object, hwr_weak **last) {
    for (hwr_weak *weak = hwri_weak_take(heap, object), *next; weak; weak = next) {
        next = weak->next;
        weak->next = NULL;
        if (!hwri_weak_is_called(weak) || is_garbage(hwri_place_of(heap, weak))) continue;
        hwri_count_add(heap, weak, 1);
        *last = weak;
        last = &weak->next;
    }
    return last;
}

/* Weak references to the garbage, and those that are garbage, lead nowhere from now on. */
static void clear_weak_references(hwri_model *m) {
    hwr_weak *first = NULL, **last = &first;
    for (size_t i = 0; i < m->garbage_count; i++) {
        void *object = m->garbage[i];
        if (hwr_type_of(object) == &hwri_weak_type) hwri_weak_ends(m->heap, object);
        if (*hwri_header(object) & HWRI_WEAK) last = take_weak_references(m->heap, object, last);
    }
    m->ended = hwri_weak_call_chain(m->heap, first);
}

/* While finalizers run, garbage may die by its counts. So that it is known, all of it is made special; its place tells then. */
static void condemn(hwri_model *m) {
    for (size_t i = 0; i < m->garbage_count; i++) *hwri_header(m->garbage[i]) |= HWRI_SPECIAL;
}

static void pardon(const hwr_heap *heap, void *object) {
    if (hwri_is_plain(hwr_type_of(object)) && !heap->checked) *hwri_header(object) &= ~HWRI_SPECIAL;
}

bool hwri_is_condemned(hwr_heap *heap, const void *object) {
    return heap->condemned && is_garbage(hwri_place_of(heap, object));
}

void hwri_condemned_dies(hwr_heap *heap, const void *object) {
    hwri_place *place = hwri_place_of(heap, object);
    if (place) *place = 0;
}

static void finalize(hwri_model *m) {
    hwr_heap *heap = m->heap;
    condemn(m);
    for (size_t i = 0; i < m->garbage_count; i++) {
        void *object = m->garbage[i];
        if (!hwri_is_condemned(heap, object) || !hwr_type_of(object)->finalize) continue;
        if (*hwri_header(object) & HWRI_FINALIZED) continue;
        *hwri_header(object) |= HWRI_FINALIZED;
        hwri_count_add(heap, object, 1);
        hwri_call_finalizer(heap, object);
        hwr_release(heap, object);
    }
}

static void resurrect(hwr_heap *heap, void *object) {
    pardon(heap, object);
    *hwri_place_of(heap, object) = 0;
    heap->counters.resurrected++;
    hwri_emit(heap, HWR_EVENT_RESURRECTION, (uintptr_t)object, (uintptr_t)hwr_type_of(object));
}

/* Leaves out of the list what does not match. */
static void keep_if(hwri_model *m, bool (*keep)(hwri_model *m, void *object)) {
    size_t kept = 0;
    for (size_t i = 0; i < m->garbage_count; i++)
        if (keep(m, m->garbage[i])) m->garbage[kept++] = m->garbage[i];
    m->garbage_count = kept;
}

static bool did_not_die(hwri_model *m, void *object) {
    if (!hwri_is_condemned(m->heap, object)) return false;
    *hwri_place_of(m->heap, object) = HWRI_MEMBER;
    return true;
}

static bool is_garbage_still(hwri_model *m, void *object) {
    if (is_garbage(hwri_place_of(m->heap, object))) return true;
    resurrect(m->heap, object);
    return false;
}

/* After finalizers: what they have made reachable again stays. */
static void prove_again(hwri_model *m) {
    keep_if(m, did_not_die);
    m->mask = HWRI_MEMBER | HWRI_REACHED;
    m->in_set = HWRI_MEMBER;
    hwri_side_clear(&m->excess);
    hwri_find_reached(m);
    keep_if(m, is_garbage_still);
}

static bool save_garbage(hwri_model *m) {
    hwr_heap *heap = m->heap;
    size_t room = heap->garbage_count + m->garbage_count;
    void **saved = hwr_pool_realloc(heap->blocks, heap->garbage, room * sizeof *saved);
    if (!saved) return false;
    heap->garbage = saved;
    for (size_t i = 0; i < m->garbage_count; i++) {
        pardon(heap, m->garbage[i]);
        hwri_count_add(heap, m->garbage[i], 1);
        saved[heap->garbage_count++] = m->garbage[i];
    }
    return true;
}

static inline void give_up_outside(void *context, void *target) {
    hwri_model *m = context;
    hwri_place *near = hwri_model_near(m, target);
    if (near ? is_unreached(near) : is_garbage(hwri_model_place(m, target))) return;
    if (hwri_likely(hwri_count_in(*hwri_header(target)) > 1))
        *hwri_header(target) -= HWRI_COUNT_ONE;
    else
        hwri_release_later(m->heap, target);
}

static void give_up_asides(hwri_model *m, void *object, uint64_t header) {
    if (header & HWRI_WEAK) m->weak_last = take_weak_references(m->heap, object, m->weak_last);
    if (header & HWRI_COUNT_ASIDE) hwri_count_forget(m->heap, object);
}

static inline void give_up_all(void *context, void *object, hwri_place *place) {
    hwri_model *m = context;
    uint64_t header = *hwri_header(object);
    size_t from = 0;
    (void)place;
    if (hwri_unlikely(header & (HWRI_WEAK | HWRI_COUNT_ASIDE))) give_up_asides(m, object, header);
    do from = hwri_model_scan(m, object, from, give_up_outside, m);
    while (hwri_unlikely(from != 0));
}

static void end_own_type(void *context, void *object, hwri_place *place) {
    (void)place;
    hwri_own_type_dies(context, object);
}

static void free_one(void *context, void *object, hwri_place *place) {
    hwr_heap *heap = context;
    (void)place;
    *hwri_header(object) &= HWRI_COUNT_ONE - 1;
    hwri_free_object(heap, object);
}

/* Links the blocks of what is not reached, in order of address. Returns where the last one points on. */
static hwri_block **link_unreached(const hwri_page *page, hwri_block **end) {
    const hwri_range *range = hwri_range_of(page);
    for (uint32_t offset = range->first; offset < range->end; offset += page->block_size) {
        hwri_block *block = (hwri_block *)(void *)(page->start + offset);
        if (!is_unreached(hwri_place_from(page->table, block))) continue;
        *end = block;
        end = &block->next;
    }
    return end;
}

static void free_in_page(hwri_model *m, hwri_page *page) {
    hwr_heap *heap = m->heap;
    uint32_t dead = (uint32_t)unreached_in(page);
    if (!dead) return;
    if (heap->checked) {
        each_unreached_of(m, page, free_one, heap);
        return;
    }
    hwri_count_deallocations(heap, dead);
    if (dead == hwri_page_used(page)) { /* the headers stay as they are */
        memset(page->side, 0, hwri_aged_slices(page) * sizeof(hwri_ages));
        hwri_page_free_all(heap->objects, page);
        return;
    }
    hwri_block *first, **end = link_unreached(page, &first);
    hwri_page_free_chain(heap->objects, page, first, end, dead);
}

/* Garbage refers to garbage, which needs no counting any more, and to the outside. No code of the user's runs before all of it is free; then those weak
 * references are called back that finalizers made. */
static void free_garbage(hwri_model *m) {
    hwri_page_cursor cursor = {0};
    m->weak_first = NULL;
    m->weak_last = &m->weak_first;
    forget_near(m);
    each_unreached(m, give_up_all, m);
    if (m->last_wills) each_unreached(m, end_own_type, m->heap);
    for (hwri_page *page; (page = next_page(m, &cursor)) != NULL;) free_in_page(m, page);
    hwri_weak_call_chain(m->heap, m->weak_first);
}

/* Lets users know, and finds out what they brought back. */
static void notify(hwri_model *m) {
    hwr_heap *heap = m->heap;
    uint64_t generation = (uint64_t)m->generation;
    heap->condemned = true;
    if (m->weak) {
        uint64_t before = heap->counters.weak_callbacks;
        hwri_emit(heap, HWR_EVENT_WEAK_BEGIN, generation, 0);
        clear_weak_references(m);
        hwri_emit(heap, HWR_EVENT_WEAK_END, generation, heap->counters.weak_callbacks - before);
    }
    if (m->last_wills) {
        uint64_t before = heap->counters.finalizers;
        hwri_emit(heap, HWR_EVENT_FINALIZE_BEGIN, generation, 0);
        finalize(m);
        prove_again(m);
        hwri_emit(heap, HWR_EVENT_FINALIZE_END, generation, heap->counters.finalizers - before);
    }
    heap->condemned = false;
}

static size_t dispose(hwri_model *m) {
    hwr_heap *heap = m->heap;
    if (heap->debug & HWR_DEBUG_COLLECTABLE) print_garbage(m);
    if (m->garbage) notify(m);
    size_t unreachable = m->garbage_count + m->ended, deaths = heap->counted->deaths.count;
    hwri_emit(heap, HWR_EVENT_FREE_BEGIN, (uint64_t)m->generation, 0);
    bool saved = m->garbage && heap->debug & HWR_DEBUG_SAVEALL && save_garbage(m);
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

static void count_garbage(hwri_model *m) {
    hwri_page_cursor cursor = {0};
    for (hwri_page *page; (page = next_page(m, &cursor)) != NULL;) m->garbage_count += unreached_in(page);
}

/* Garbage of which no user hears needs no list. */
static bool is_listed(const hwri_model *m) {
    return m->weak || m->last_wills || m->heap->debug & (HWR_DEBUG_COLLECTABLE | HWR_DEBUG_SAVEALL);
}

/* Returns false if there is no memory for it. */
static bool find_garbage(hwri_model *m) {
    if (!prepare(m)) return false;
    hwri_find_reached(m);
    count_garbage(m);
    return !m->garbage_count || !is_listed(m) || list_garbage(m);
}

static size_t collect(hwri_model *m) {
    hwr_heap *heap = m->heap;
    hwri_emit(heap, HWR_EVENT_FIND_BEGIN, (uint64_t)m->generation, 0);
    bool found_out = find_garbage(m);
    hwri_emit(heap, HWR_EVENT_FIND_END, (uint64_t)m->generation, m->garbage_count);
    if (!found_out) {
        heap->counters.collections_failed++;
        return 0;
    }
    promote(m);
    count_survivors(heap, m->generation, m->members - m->garbage_count);
    return m->garbage_count ? dispose(m) : 0;
}

size_t hwri_collect(hwr_heap *heap, int generation) {
    if (generation < HWR_OLDEST) heap->count[generation + 1]++;
    if (generation == HWR_OLDEST) hwri_shapes_let_go(heap);
    if (generation == HWR_OLDEST) hwri_spares_let_go(heap);
    for (int i = 0; i <= generation; i++) heap->count[i] = 0;
    hwri_model m = {.heap = heap, .generation = generation, .excess = {.pool = heap->scratch}};
    if (generation < HWR_OLDEST) m.mask = m.in_set = HWRI_MEMBER;
    size_t unreachable = collect(&m);
    finish(&m);
    if (heap->limit) hwr_pool_trim(heap->scratch, true);
    heap->stats[generation].collections++;
    heap->stats[generation].collected += unreachable;
    heap->counters.collections++;
    heap->counters.collected += unreachable;
    return unreachable;
}
