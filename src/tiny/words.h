/* Objects without types, for a model (engine.h): all their words may be references. Words are references if they are the address of a block at which an object begins, whatever else they may be. Besides, such a model
 * defines
 *   tiny_noticed(cell)    the heads whose death tiny_notice is told of
 *   tiny_notice(heap, place)   this object is about to be freed: makes that not noticed again. It may free others, and turn it grey
 *
 * A collection is tiny_mark for all roots, tiny_finish_marking, tiny_end. */
#ifndef HWRI_TINY_WORDS_H
#define HWRI_TINY_WORDS_H

#include "tiny/engine.h"

static tiny_word tiny_noticed(const tiny_cell *cell);
static void tiny_notice(tiny_heap *heap, const tiny_place *place);

/* Changes the size of an object of `old` blocks where it lies, if there is room. */
static bool tiny_resize(tiny_heap *heap, const tiny_place *place, size_t old, size_t new) {
    tiny_area *area = place->area;
    size_t block = place->block;
    if (new < old) {
        tiny_drop(heap, area, block + new, old - new);
    } else {
        if (tiny_run(area, block + old, TINY_FREE, new - old) < new - old) return false;
        tiny_occupy(heap, area, block + old, new - old);
    }
    return true;
}

/* Marks what these words refer to, and all that can be reached from there. */
__attribute__((no_sanitize("address"))) static void tiny_mark(tiny_heap *heap, const uintptr_t *words, size_t count) {
    uintptr_t *top = heap->stack;
    /* What most words are, no addresses of the heap, is seen at once if there is one area. */
    const bool several = tiny_next(&heap->first) != NULL;
    const uintptr_t start = several ? 0 : heap->first.start,
                    bytes = several ? UINTPTR_MAX : heap->first.blocks * TINY_BLOCK;
    for (;;) {
        for (const uintptr_t *end = words + count; words < end; words++)
            top = tiny_reach(heap, start, bytes, top, words);
        if (top == heap->stack) return;
        tiny_place place;
        words = (const uintptr_t *)*--top;                                         // NOLINT(performance-no-int-to-ptr)
        if (!tiny_locate(heap, (uintptr_t)words, &place)) __builtin_unreachable(); /* it was found already */
        count = tiny_count(place.area, place.block) * TINY_WORDS;
    }
}

TINY_INLINE void tiny_mark_from(tiny_heap *heap, const tiny_area *area, size_t block) {
    tiny_mark(heap, (const uintptr_t *)(area->start + block * TINY_BLOCK), // NOLINT(performance-no-int-to-ptr)
              tiny_count(area, block) * TINY_WORDS);
}
static void tiny_finish_marking(tiny_heap *heap) { tiny_each_grey(heap, tiny_mark_from); }

/* Tells of all that is about to be freed and is watched. */
static void tiny_notice_cell(tiny_heap *heap, tiny_area *area, size_t i) {
    tiny_cell *cell = &area->cells[i];
    tiny_word dying;
    while ((dying = cell->head & ~cell->body & tiny_noticed(cell)) != 0) {
        tiny_place place = {area, i * TINY_BITS + tiny_lowest(dying), cell, dying & -dying};
        tiny_notice(heap, &place);
    }
}

/* Marking is finished: notices what dies, then frees it. */
static void tiny_end(tiny_heap *heap) {
    tiny_each_cell(heap, tiny_notice_cell);
    tiny_finish_marking(heap);
    tiny_sweep_all(heap);
}

#endif
