/* A tiny heap with exact types: the spaces of a tracing heap whose objects lie in the blocks of the tiny collector (tiny/engine.h), in areas that are added as the heap grows.
 *
 * The word with its type stands at the beginning of an object's first block; one that is aligned to 16 has a gap before that word. So the block of an object is found by its address alone, and the mark stack and
 * the planes know nothing but blocks. References are found by types; words on stacks may lead into the middle of an object, and the nearest head below is its own. Nothing moves, nothing is young, and every collection
 * is of everything. */
#include "object/references.h"
#include "raw/backend.h"
#include "tiny/model.h"
#include "tracing/life.h"

enum { AREA_USUAL = 128 << 10, AREA_SHARE = 2, AREA_LEAST = 8, BUFFER_SHARE = 16, TINY_STACK = 64 };
enum { TINY_ROOM = 64 << 10 };

/* `top` is that of the mark stack. The heap is collected when `target` bytes of blocks are in use. */
struct hwri_tiny_space {
    tiny_heap heap;
    hwri_tracing *t;
    uintptr_t *top;
    size_t area; /* bytes of the first one, and of the next as long as there is little */
    size_t target;
    bool watches; /* dependent handles wait until objects are reached */
    uintptr_t stack[TINY_STACK];
};
typedef struct hwri_tiny_space tiny_space;

/* ---- objects in blocks ---- */

static uintptr_t block_of_object(const void *object) {
    return (uintptr_t)hwri_header(object) & ~(uintptr_t)(TINY_BLOCK - 1);
}

static uint64_t *header_in_block(uintptr_t block) {
    uint64_t *header = (uint64_t *)block; // NOLINT(performance-no-int-to-ptr)
    return hwri_is_gap(*header) ? header + 1 : header;
}

static void *object_in_place(const tiny_place *place) { return header_in_block((uintptr_t)tiny_address(place)) + 1; }

/* The head of the object that a block belongs to; false: it is free. */
static bool find_head(const tiny_area *area, size_t *block) {
    tiny_word below = ~(tiny_word)0 >> (TINY_BITS - 1 - *block % TINY_BITS);
    for (size_t i = *block / TINY_BITS;; i--, below = ~(tiny_word)0) {
        const tiny_cell *cell = &area->cells[i];
        tiny_word others = ~tiny_body_in(cell) & below;
        if (others) {
            size_t highest = TINY_BITS - 1 - tiny_top_ones(~others);
            *block = i * TINY_BITS + highest;
            return (cell->head | cell->watch) >> highest & 1;
        }
        if (i == 0) return false;
    }
}

static void *object_in_blocks_at(const hwri_tracing *t, uintptr_t address) {
    for (tiny_area *area = &t->tiny->heap.first; area; area = tiny_next(area)) {
        size_t block = (address - area->start) / TINY_BLOCK;
        if (block >= area->blocks) continue;
        if (!find_head(area, &block)) return NULL;
        tiny_place place = tiny_place_of(area, block);
        return object_in_place(&place);
    }
    return NULL;
}

static bool blocks_have(const hwri_tracing *t, const void *address) {
    for (const tiny_area *area = &t->tiny->heap.first; area; area = tiny_next(area))
        if ((uintptr_t)address - area->start < area->blocks * TINY_BLOCK) return true;
    return false;
}

/* ---- areas ---- */

static size_t tiny_bytes_used(const tiny_space *s) { return s->heap.used * TINY_BLOCK; }

/* In a checked heap, free blocks are filled, and a collection sees whether they were written into. */
static void each_free(const tiny_area *area, void (*visit)(uintptr_t from, uintptr_t to)) {
    for (size_t block = 0, end; block < area->blocks; block = end) {
        end = block + tiny_run(area, block, TINY_FREE, area->blocks - block);
        if (end > block)
            visit(area->start + block * TINY_BLOCK, area->start + end * TINY_BLOCK);
        else
            end = block + tiny_count(area, block);
    }
}

static void each_free_if_checked(const tiny_space *s, void (*visit)(uintptr_t from, uintptr_t to)) {
    for (const tiny_area *area = &s->heap.first; s->t->heap->checked && area; area = tiny_next(area))
        each_free(area, visit);
}

/* An area of so many bytes, planes included. */
static bool add_area(tiny_space *s, size_t bytes) {
    bool is_first = !s->heap.total;
    if (!is_first && !TINY_SEVERAL) return false;
    hwr_pool *blocks = s->t->heap->blocks;
    char *memory = hwr_pool_alloc(blocks, bytes);
    if (!memory) return false;
    tiny_area *area = is_first ? &s->heap.first : (tiny_area *)(void *)memory;
    if (!tiny_area_open(area, (uintptr_t)memory, is_first ? 0 : sizeof *area, (uintptr_t)memory + bytes)) {
        hwr_pool_free(blocks, memory);
        return false;
    }
    s->heap.total += area->blocks;
    if (s->t->heap->checked) each_free(area, hwri_poison);
    if (is_first) return true;
    area->next = s->heap.first.next;
    s->heap.first.next = area;
    return true;
}

/* Room for an object, and for half as much again as there is; `anyhow`, where that is not to be had, for less. Before that the heap is to be collected, since small areas stay small. */
static bool grow_areas(tiny_space *s, size_t bytes, bool anyhow) {
    size_t least = bytes + bytes / 16 + sizeof(tiny_area) + sizeof(tiny_cell) + 2 * (size_t)TINY_BLOCK;
    size_t share = s->heap.total * TINY_BLOCK / AREA_SHARE, room = share > s->area ? share : s->area;
    if (least < s->area / AREA_LEAST) least = s->area / AREA_LEAST;
    if (room < least) room = least;
    while (!add_area(s, room)) {
        if (!anyhow || room == least) return false;
        room = room / 2 > least ? room / 2 : least;
    }
    return true;
}

/* Areas without objects, but for the first. */
static void drop_empty_areas(tiny_space *s) {
    for (tiny_area **link = &s->heap.first.next, *area; (area = *link) != NULL;) {
        if (area->limit) {
            link = &area->next;
            continue;
        }
        *link = area->next;
        s->heap.total -= area->blocks;
        hwr_pool_free(s->t->heap->blocks, area);
    }
}

/* ---- making objects ---- */

static bool may_fill(const hwri_tracing *t, size_t bytes) {
    size_t held = tiny_bytes_used(t->tiny) + __atomic_load_n(&t->pressure, __ATOMIC_RELAXED);
    return held + bytes <= t->tiny->target || !hwri_is_automatic(t->heap);
}

static bool find_room(tiny_space *s, size_t bytes, bool anyhow, tiny_place *place) {
    size_t count = (bytes + TINY_BLOCK - 1) / TINY_BLOCK;
    return tiny_take(&s->heap, count, place) || (grow_areas(s, bytes, anyhow) && tiny_take(&s->heap, count, place));
}

static void *begin_object(const tiny_place *place, const hwr_type *type, size_t length, size_t size) {
    uint64_t *header = tiny_address(place);
    if (hwri_padding_of(type)) header = hwri_settle(header, size);
    memset(header + 1, 0, size - HWRI_HEADER_SIZE);
    if (type->item_size) memcpy((char *)(header + 1) + type->length_offset, &length, sizeof length);
#ifdef TINY_EXTRA
    if (!hwri_has_references(type)) place->cell->extra |= place->bit;
#endif
    *header = HWRI_ALIVE | (uint64_t)(uintptr_t)type;
    return header + 1;
}

static void *make_in_blocks(hwri_tracing *t, hwri_mutator *me, const hwr_type *type, size_t length, size_t size) {
    size_t bytes = size + hwri_padding_of(type);
    for (unsigned attempt = 1;;) {
        tiny_place place;
        hwri_mutex_lock(&t->lock);
        hwri_park(t, me);
        bool anyhow = attempt > 2, found = (anyhow || may_fill(t, bytes)) && find_room(t->tiny, bytes, anyhow, &place);
        void *object = found ? begin_object(&place, type, length, size) : NULL;
        hwri_mutex_unlock(&t->lock);
        if (object) {
            hwri_mutator_add(me, size);
            return object;
        }
        if (!hwri_traced_room_for(t, me, size, &attempt)) return NULL;
    }
}

/* ---- marking ---- */

__attribute__((no_sanitize("address"))) static void reach_in_blocks(void *space, void *object) {
    tiny_space *s = space;
    uintptr_t block = block_of_object(object);
    s->top = tiny_reach(&s->heap, 0, UINTPTR_MAX, s->top, &block);
    if (hwri_unlikely(s->watches) && (*hwri_header(object) & HWRI_MARK) == HWRI_WATCHED) {
        *hwri_header(object) &= ~HWRI_MARK;
        hwri_watched_is_reached(s->t, object);
    }
}

static void scan_block(tiny_space *s, uintptr_t block) {
    uint64_t *header = header_in_block(block);
    hwri_each_reference(header + 1, hwri_type_in(*header), reach_in_blocks, s);
}

static void scan_stack(tiny_space *s) {
    while (s->top != s->heap.stack) scan_block(s, *--s->top);
}

static void scan_grey(tiny_heap *heap, const tiny_area *area, size_t block) {
    tiny_space *s = (tiny_space *)(void *)heap;
    scan_block(s, area->start + block * TINY_BLOCK);
    scan_stack(s);
}

static void reach_slot_in_blocks(hwri_tracing *t, void *slot) {
    void *object = hwri_read_field(slot);
    t->tiny->watches = hwri_watches(t);
    if (object) reach_in_blocks(t->tiny, object);
}

static void reach_all_in_blocks(hwri_tracing *t) {
    t->tiny->watches = hwri_watches(t);
    scan_stack(t->tiny);
    tiny_each_grey(&t->tiny->heap, scan_grey);
}

static bool is_reached_in_blocks(const hwri_tracing *t, const void *object) {
    tiny_place place;
    return tiny_locate(&t->tiny->heap, block_of_object(object), &place) &&
           (place.cell->head & ~place.cell->body & place.bit) == 0;
}

static void *where_it_was(void *object) { return object; }

/* ---- a collection ---- */

static void reach_root_in_blocks(void *tracing, void *slot) { reach_slot_in_blocks(tracing, slot); }

static void reach_word_in_blocks(void *tracing, uintptr_t word) {
    void *object = object_in_blocks_at(tracing, word);
    if (object) reach_slot_in_blocks(tracing, &object);
}

static void find_living(hwri_tracing *t) {
    hwri_emit(t->heap, HWR_EVENT_FIND_BEGIN, HWR_OLDEST, 0);
    if (t->scans_stacks) hwri_each_ambiguous_root(t, reach_word_in_blocks, t);
    hwri_each_exact_root(t, reach_root_in_blocks, t);
    hwri_life_roots(t, reach_root_in_blocks, t);
    reach_all_in_blocks(t);
    hwri_emit(t->heap, HWR_EVENT_FIND_END, HWR_OLDEST, 0);
}

static void set_tiny_target(tiny_space *s) {
    size_t live = tiny_bytes_used(s) + __atomic_load_n(&s->t->pressure, __ATOMIC_RELAXED);
    s->target = s->t->sizing == HWR_SIZE_FIXED ? SIZE_MAX : live + live / 2 + TINY_ROOM;
}

/* Not inline: its own frames are not among what is scanned. */
__attribute__((noinline)) static void collect_blocks(hwri_tracing *t, int generation, hwr_collection_mode mode) {
    tiny_space *s = t->tiny;
    uint64_t start = hwr_raw_now(t->heap->raw);
    (void)generation;
    each_free_if_checked(s, hwri_check_range);
    hwri_inform_before(t);
    t->generation = HWR_OLDEST;
    hwri_emit(t->heap, HWR_EVENT_COLLECTION_BEGIN, HWR_OLDEST, 0);
    hwri_life_before(t);
    t->phase = HWRI_MARKING;
    find_living(t);
    hwri_life_after(t);
    hwri_kinds_after(t);
    hwri_emit(t->heap, HWR_EVENT_FREE_BEGIN, HWR_OLDEST, 0);
    tiny_sweep_all(&s->heap);
    each_free_if_checked(s, hwri_poison);
    hwri_emit(t->heap, HWR_EVENT_FREE_END, HWR_OLDEST, 0);
    t->phase = HWRI_IDLE;
    set_tiny_target(s);
    t->survived_bytes = tiny_bytes_used(s);
    if (mode == HWR_COLLECT_AGGRESSIVE) {
        drop_empty_areas(s);
        hwr_pool_trim(t->heap->blocks, true);
    }
    hwri_inform_after(t, hwr_raw_now(t->heap->raw) - start);
}

static bool is_collection_of_blocks_due(const hwri_tracing *t) { return !may_fill(t, 0); }

static bool is_worth_while_in_blocks(const hwri_tracing *t, int generation) {
    size_t was = t->infos[HWR_INFO_FULL].generations[2].size_after;
    (void)generation;
    return tiny_bytes_used(t->tiny) > was + was / 4;
}

/* ---- looking at them ---- */

static bool walk_blocks(hwri_tracing *t, hwr_object_visitor visit, void *context) {
    for (tiny_area *area = &t->tiny->heap.first; area; area = tiny_next(area))
        for (size_t i = 0; i * TINY_BITS < area->limit; i++)
            for (tiny_word heads = area->cells[i].head; heads; heads &= heads - 1) {
                tiny_place place = tiny_place_of(area, i * TINY_BITS + tiny_lowest(heads));
                if (!visit(context, object_in_place(&place))) return false;
            }
    return true;
}

static const char *problem_in_area(const tiny_area *area, size_t *used) {
    for (size_t block = 0, end; block < area->blocks; block = end) {
        end = block + tiny_run(area, block, TINY_FREE, area->blocks - block);
        if (end > block) continue;
        const uint64_t *header = header_in_block(area->start + block * TINY_BLOCK);
        if (!(area->cells[block / TINY_BITS].head & tiny_bit(block))) return "a block in use belongs to no object";
        if (!hwri_is_sane(*header)) return "an object's header has no type";
        size_t count = tiny_count(area, block);
        uintptr_t ends = (uintptr_t)header + hwri_size_at(header), room = area->start + (block + count) * TINY_BLOCK;
        if (ends > room || room - ends >= TINY_BLOCK) return "an object has not as many blocks as it takes";
        *used += count;
        end = block + count;
    }
    return NULL;
}

static const char *problem_in_blocks(hwri_tracing *t) {
    const tiny_heap *heap = &t->tiny->heap;
    size_t used = 0;
    const char *problem = problem_in_area(&heap->first, &used);
    for (const tiny_area *area = tiny_next(&heap->first); area && !problem; area = tiny_next(area))
        problem = problem_in_area(area, &used);
    if (!problem && used != heap->used) return "the number of blocks in use is wrong";
    return problem;
}

static const char *no_problem_of(const hwri_tracing *t, const void *object) { return (void)t, (void)object, NULL; }

static int always_oldest(const hwri_tracing *t, const void *object) { return (void)t, (void)object, HWR_OLDEST; }

static void measure_blocks(const hwri_tracing *t, bool before, hwri_sizes sizes[4]) {
    const tiny_heap *heap = &t->tiny->heap;
    (void)before;
    sizes[2] = (hwri_sizes){heap->used * TINY_BLOCK, (heap->total - heap->used) * TINY_BLOCK};
}

static size_t bytes_of_areas(const hwri_tracing *t) { return t->tiny->heap.total * TINY_BLOCK; }

/* Areas are blocks of the heap, which are counted and trimmed anyway. */
static size_t committed_by_areas(const hwri_tracing *t) { return (void)t, 0; }

static size_t trim_areas(hwri_tracing *t) {
    drop_empty_areas(t->tiny);
    return 0;
}

/* ---- opening and closing ---- */

/* Over the system, areas have slices to themselves; in a buffer of the program's, the first ones are a small part of it. */
static bool open_blocks(hwri_tracing *t, const hwr_options *options) {
    uintptr_t start;
    size_t extent = hwri_raw_extent(t->heap->raw, &start), part = extent / BUFFER_SHARE;
    tiny_space *s = hwr_pool_alloc_zeroed(t->heap->blocks, 1, sizeof *s);
    if (!s) return false;
    t->tiny = s;
    t->unmoving = true;
    t->sizing = options->sizing;
    s->t = t;
    s->heap.stack = s->top = s->stack;
    s->heap.stack_end = s->stack + TINY_STACK;
    s->area = extent && part < AREA_USUAL ? part : AREA_USUAL;
    set_tiny_target(s);
    return add_area(s, s->area);
}

/* All of it is blocks of the heap's, which end with that. */
static void close_blocks(hwri_tracing *t) { (void)t; }

const hwri_spaces hwri_tiny_blocks = {
    .open = open_blocks,
    .close = close_blocks,
    .make = make_in_blocks,
    .is_due = is_collection_of_blocks_due,
    .is_worth_while = is_worth_while_in_blocks,
    .collect = collect_blocks,
    .trim = trim_areas,
    .is_reached = is_reached_in_blocks,
    .where = where_it_was,
    .reach = reach_slot_in_blocks,
    .reach_all = reach_all_in_blocks,
    .object_at = object_in_blocks_at,
    .has = blocks_have,
    .generation_of = always_oldest,
    .each = walk_blocks,
    .problem = problem_in_blocks,
    .problem_of = no_problem_of,
    .measure = measure_blocks,
    .page_bytes = bytes_of_areas,
    .committed = committed_by_areas,
};
