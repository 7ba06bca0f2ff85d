/* The engine of the tiny collector, for a model: the native one (model.h), or hosts/micropython. Before it a model has defined
 *   TINY_SEVERAL          whether there may be several areas: 1 or 0
 *   TINY_SMALL            1 for the least code: one rover for all sizes, and collections go through all cells; else 0
 *   TINY_EXTRA            if there is a fourth plane
 *   tiny_swept(heap, heads)    these heads of a cell are being freed
 *   tiny_poll()           done for every word or cell that is looked at
 * and after it, it defines
 *   tiny_leaves(cell)     the heads among a cell's blocks whose objects hold no references
 *
 * What an object refers to is not the engine's to know: objects are read word by word (words.h).
 *
 * Marking keeps addresses of objects to be looked at on a stack of fixed size. Where there is no room for one, its head turns grey. When the stack is
 * empty, the lowest grey head is marked from, until there is none. So no object is looked at twice. What may be gone through more than once are the planes, a cell at a
 * time, between the lowest grey head and the next one: once for each time that the stack overflowed at most. */
#ifndef HWRI_TINY_ENGINE_H
#define HWRI_TINY_ENGINE_H

#include "tiny/area.h"

typedef struct tiny_heap {
    tiny_area first;
    size_t used, total; /* blocks */
    uintptr_t *stack, *stack_end;
} tiny_heap;

/* A block in its area. */
typedef struct tiny_place {
    tiny_area *area;
    size_t block;
    tiny_cell *cell;
    tiny_word bit;
} tiny_place;

static tiny_word tiny_leaves(const tiny_cell *cell);

/* Told that there is one, the compiler does not ask. */
static inline tiny_area *tiny_first(tiny_heap *heap) {
    if (heap == NULL) __builtin_unreachable();
    return &heap->first;
}

static inline tiny_area *tiny_next(const tiny_area *area) { return TINY_SEVERAL ? area->next : NULL; }

static inline tiny_place tiny_place_of(tiny_area *area, size_t block) {
    return (tiny_place){area, block, &area->cells[block / TINY_BITS], tiny_bit(block)};
}

static inline void *tiny_address(const tiny_place *place) {
    return (void *)(place->area->start + place->block * TINY_BLOCK); // NOLINT(performance-no-int-to-ptr)
}

/* Whether an address is that of a block, and which. */
TINY_INLINE bool tiny_locate(tiny_heap *heap, uintptr_t address, tiny_place *place) {
    for (tiny_area *area = tiny_first(heap); area != NULL; area = tiny_next(area)) {
        size_t block = tiny_block_at(area, address);
        if (block >= area->blocks) continue;
        *place = tiny_place_of(area, block);
        return true;
    }
    return false;
}

/* Whether an address is that of an object, grey or not. */
TINY_INLINE bool tiny_is_object(tiny_heap *heap, const void *address, tiny_place *place) {
    return tiny_locate(heap, (uintptr_t)address, place) && ((place->cell->head | place->cell->watch) & place->bit) != 0;
}

/* Searches begin at the start again. */
static void tiny_rewind(tiny_heap *heap) {
    for (tiny_area *area = tiny_first(heap); area != NULL; area = tiny_next(area))
        memset(area->rover, 0, sizeof area->rover);
}

/* Free blocks become bodies. */
TINY_SHARED void tiny_occupy(tiny_heap *heap, tiny_area *area, size_t block, size_t count) {
    tiny_flip(area, block, count);
    heap->used += count;
    if (!TINY_SMALL && area->limit < block + count) area->limit = block + count;
}

/* Makes an object of so many free blocks, which are searched for from the rovers on, then from the start. Returns false if there are none. Its content is not touched. */
TINY_INLINE bool tiny_take(tiny_heap *heap, size_t count, tiny_place *place) {
    size_t size_class = (count < TINY_CLASSES ? count : TINY_CLASSES) - 1;
    for (bool all = false;; all = true) {
        for (tiny_area *area = tiny_first(heap); area != NULL; area = tiny_next(area)) {
            size_t block = tiny_find(area, area->rover[size_class], count);
            area->rover[size_class] = block + count;
            if (block >= area->blocks) continue;
            *place = tiny_place_of(area, block);
            tiny_occupy(heap, area, block, count);
            place->cell->body ^= place->bit;
            place->cell->head |= place->bit;
            return true;
        }
        if (all) return false;
        tiny_rewind(heap);
    }
}

/* The same for one block, if there is one in the cell where the search begins. */
TINY_INLINE bool tiny_take_one(tiny_heap *heap, tiny_place *place) {
    tiny_area *area = &heap->first;
    size_t at = area->rover[0];
    if (at >= area->blocks) return false;
    tiny_cell *cell = &area->cells[at / TINY_BITS];
    tiny_word free = tiny_free_in(cell) & ~(tiny_word)0 << at % TINY_BITS;
    if (free == 0) return false;
    *place = (tiny_place){area, (at & ~(size_t)(TINY_BITS - 1)) + tiny_lowest(free), cell, free & -free};
    cell->head |= place->bit;
    area->rover[0] = place->block + 1;
    if (area->limit <= place->block) area->limit = place->block + 1;
    heap->used++;
    return true;
}

/* Bodies become free blocks. */
__attribute__((noinline)) static void tiny_drop(tiny_heap *heap, tiny_area *area, size_t block, size_t count) {
    tiny_flip(area, block, count);
    for (size_t size_class = 0; size_class < TINY_CLASSES && size_class < count; size_class++)
        if (area->rover[size_class] > block) area->rover[size_class] = block;
    heap->used -= count;
}

/* Whether the block behind one is in its cell, and no body. */
TINY_INLINE bool tiny_ends_at(const tiny_cell *cell, tiny_word bit) {
    tiny_word next = bit << 1;
    return next != 0 && (tiny_body_in(cell) & next) == 0;
}

/* Frees an object, marked or not. */
TINY_INLINE void tiny_release(tiny_heap *heap, const tiny_place *place) {
    tiny_cell *cell = place->cell;
    cell->head &= ~place->bit;
    cell->watch &= ~place->bit;
#ifdef TINY_EXTRA
    cell->extra &= ~place->bit;
#endif
    if (TINY_SHORT_WAYS && tiny_ends_at(cell, place->bit)) {
        cell->body &= ~place->bit;
        if (place->area->rover[0] > place->block) place->area->rover[0] = place->block;
        heap->used--;
    } else {
        cell->body |= place->bit;
        tiny_drop(heap, place->area, place->block, tiny_run(place->area, place->block, TINY_BODY, SIZE_MAX));
    }
}

/* Turns a head grey. */
static void tiny_grey(const tiny_place *place) {
    tiny_cell *cell = place->cell;
    cell->head &= ~place->bit;
    cell->body |= cell->watch & place->bit;
    cell->watch |= place->bit;
    size_t at = place->block / TINY_BITS;
    if (place->area->grey > at) place->area->grey = at;
}

/* Marks what one word refers to, if it is one of the `bytes` addresses from `start` on. Returns the top of the stack, onto which that goes if it is to be looked at. */
__attribute__((no_sanitize("address"))) TINY_INLINE uintptr_t *
tiny_reach(tiny_heap *heap, uintptr_t start, uintptr_t bytes, uintptr_t *top, const uintptr_t *word) {
    tiny_place place;
    tiny_poll();
    if (*word - start >= bytes) return top;
    if (!tiny_locate(heap, *word, &place)) return top;
    tiny_cell *cell = place.cell;
    tiny_word bit = place.bit;
    if ((cell->head & ~cell->body & bit) == 0) return top;
    if ((tiny_leaves(cell) & bit) != 0) {
        cell->body |= bit;
    } else if (top < heap->stack_end) {
        cell->body |= bit;
        *top++ = *word;
    } else {
        tiny_grey(&place);
    }
    return top;
}

/* Marks all that can be reached from an object that is marked. */
typedef void (*tiny_marker)(tiny_heap *heap, const tiny_area *area, size_t block);

/* Marks from grey heads until there are none but the stop. */
__attribute__((always_inline)) static inline void tiny_each_grey(tiny_heap *heap, tiny_marker mark) {
    for (tiny_area *area = tiny_first(heap); area != NULL;) {
        if (area->grey * TINY_BITS >= area->limit) {
            area = tiny_next(area);
            continue;
        }
        tiny_cell *cell = &area->cells[area->grey];
        tiny_word grey = cell->watch & ~cell->head;
        tiny_poll();
        size_t block = area->grey * TINY_BITS + (grey != 0 ? tiny_lowest(grey) : 0);
        if (grey == 0 || block >= area->blocks) {
            area->grey++;
            continue;
        }
        grey &= -grey;
        cell->head |= grey;
        cell->watch &= cell->body | ~grey;
        cell->body |= grey;
        mark(heap, area, block);
        if (TINY_SEVERAL) area = &heap->first;
    }
}

/* Calls a function for every cell. */
__attribute__((always_inline)) static inline void
tiny_each_cell(tiny_heap *heap, void (*visit)(tiny_heap *heap, tiny_area *area, size_t i)) {
    for (tiny_area *area = tiny_first(heap); area != NULL; area = tiny_next(area))
        for (size_t i = 0, limit = area->limit; i * TINY_BITS < limit; i++) {
            tiny_poll();
            visit(heap, area, i);
        }
}

/* Frees what is not marked. The bodies of the dead are those that adding one to each run of bodies that begins behind an unmarked head, or
 * goes on from the cell before, changes by its carry. */
static void tiny_sweep(tiny_heap *heap, tiny_area *area) {
    tiny_word last = 0; /* 1 if the last block before the cell is free now */
    size_t end = area->limit;
    if (!TINY_SMALL) area->limit = 0;
    tiny_cell *cell = area->cells;
    for (size_t i = 0; i < end; i += TINY_BITS, cell++) {
        tiny_poll();
        tiny_word body = cell->body & ~cell->head, heads = cell->head & ~cell->body;
        tiny_word dead = heads | (body & ~(body + ((heads << 1 | last) & body)));
        last = dead >> (TINY_BITS - 1);
        cell->body = body & ~dead;
        cell->head &= ~dead;
        if (!TINY_SMALL && (cell->head | cell->body) != 0) area->limit = i + TINY_BITS;
        if (dead == 0) continue;
        cell->watch &= ~dead;
#ifdef TINY_EXTRA
        cell->extra &= ~dead;
#endif
        tiny_swept(heap, heads);
        heap->used -= tiny_ones_in(dead);
    }
}

/* Frees in all areas what is not marked. */
static void tiny_sweep_all(tiny_heap *heap) {
    for (tiny_area *area = tiny_first(heap); area != NULL; area = tiny_next(area)) tiny_sweep(heap, area);
    tiny_rewind(heap);
}

#endif
