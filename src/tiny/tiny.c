/* tiny: the interface over the native model. */
#include "heapwright/tiny.h"

#include "tiny/model.h"
#include "tiny/words.h"

enum { MARK_STACK = 32 };

/* `fresh` blocks have been allocated since the last collection; more than `threshold` are a reason for the next. `held` is one more root: the object that a function works on which may collect. */
struct hwr_tiny {
    tiny_heap heap;
    const hwr_tiny_options *options;
    size_t threshold, fresh;
    uintptr_t held;
    size_t busy, enabled, finalized; /* 0 or 1; words, which code for small processors is shorter with */
};

/* Of any number but 0. */
static size_t tiny_blocks_of(size_t bytes) { return (bytes - 1) / TINY_BLOCK + 1; }

/* Puts a header of so many bytes, all zero, at the start of a buffer, and makes the rest an area. */
static tiny_area *tiny_area_put(void *buffer, size_t size, size_t header) {
    uintptr_t start = ((uintptr_t)buffer + sizeof(void *) - 1) & -sizeof(void *);
    tiny_area *area = (tiny_area *)start; // NOLINT(performance-no-int-to-ptr)
    return tiny_area_open(area, start, header, (uintptr_t)buffer + size) ? area : NULL;
}

hwr_tiny *hwr_tiny_open(void *buffer, size_t size, const hwr_tiny_options *options) {
    size_t entries = options->mark_stack != 0 ? options->mark_stack : MARK_STACK;
    if (options->size != sizeof *options || entries > size / sizeof(uintptr_t)) return NULL;
    hwr_tiny *tiny = (hwr_tiny *)tiny_area_put(buffer, size, sizeof *tiny + entries * sizeof(uintptr_t));
    if (tiny == NULL) return NULL;
    tiny->heap.total = tiny->heap.first.blocks;
    tiny->heap.stack = (uintptr_t *)(tiny + 1);
    tiny->heap.stack_end = tiny->heap.stack + entries;
    tiny->options = options;
    tiny->enabled = true;
    hwr_tiny_set_threshold(tiny, options->threshold);
    return tiny;
}

#ifndef HWR_TINY_SMALL
bool hwr_tiny_add(hwr_tiny *tiny, void *buffer, size_t size) {
    tiny_area *area = tiny_area_put(buffer, size, sizeof *area);
    if (area == NULL) return false;
    area->next = tiny->heap.first.next;
    tiny->heap.first.next = area;
    tiny->heap.total += area->blocks;
    return true;
}
#endif

static inline tiny_word tiny_noticed(const tiny_cell *cell) { return cell->watch & ~tiny_extra_in(cell); }

/* What was told of turns grey, so that it and all that it refers to live on when everything that dies was told of. */
static void tiny_notice(tiny_heap *heap, const tiny_place *place) {
    hwr_tiny *tiny = (hwr_tiny *)heap;
    place->cell->watch &= ~place->bit;
    if (tiny->options->finalize == NULL) return;
    tiny->finalized = true;
    tiny->options->finalize(tiny, tiny_address(place), tiny->options->context);
    if ((place->cell->head & place->bit) != 0) tiny_grey(place);
}

/* Weak references to what was not reached are cleared, before any finalizer runs. */
static void tiny_clear_weak(tiny_heap *heap, tiny_area *area, size_t i) {
    const tiny_cell *cell = &area->cells[i];
    for (tiny_word weak = cell->watch & tiny_extra_in(cell); weak != 0; weak &= weak - 1) {
        tiny_place place = tiny_place_of(area, i * TINY_BITS + tiny_lowest(weak)), target;
        void **referent = tiny_address(&place);
        if (!tiny_is_object(heap, *referent, &target) || (target.cell->body & target.bit) == 0) *referent = NULL;
    }
}
size_t hwr_tiny_collect(hwr_tiny *tiny) {
    tiny_heap *heap = &tiny->heap;
    if (tiny->busy) return 0;
    size_t used = heap->used;
    tiny->busy = true;
    tiny->finalized = false;
    tiny->fresh = 0;
    if (tiny->options->roots != NULL) tiny->options->roots(tiny, tiny->options->context);
    tiny_mark(heap, &tiny->held, 1);
    tiny_finish_marking(heap);
    if (!TINY_SMALL) tiny_each_cell(heap, tiny_clear_weak);
    tiny_end(heap);
    tiny->busy = false;
    return (used - heap->used) * TINY_BLOCK;
}

/* Any object. Collects if there is no room; and again as long as finalizers ran in that, because what they were told of is not free yet. Both flags are a weak reference's. */
TINY_APART void *tiny_alloc(hwr_tiny *tiny, size_t size, unsigned flags) {
    tiny_place place;
    size_t count = tiny_blocks_of(size);
    if (tiny->busy || size == 0) return NULL;
    size_t may_collect = tiny->enabled;
    if (may_collect && tiny->fresh > tiny->threshold) hwr_tiny_collect(tiny);
    while (!tiny_take(&tiny->heap, count, &place)) {
        if (!may_collect) return NULL;
        hwr_tiny_collect(tiny);
        may_collect = tiny->finalized;
    }
    tiny->fresh += count;
    if ((flags & HWR_TINY_FINALIZE) != 0) place.cell->watch |= place.bit;
#ifdef TINY_EXTRA
    if ((flags & HWR_TINY_LEAF) != 0) place.cell->extra |= place.bit;
#endif
    return memset(tiny_address(&place), 0, count * TINY_BLOCK);
}

void *hwr_tiny_alloc(hwr_tiny *tiny, size_t size, unsigned flags) {
    tiny_place place;
    if (!TINY_SHORT_WAYS || size - 1 >= TINY_BLOCK || flags != 0 || tiny->busy || tiny->fresh > tiny->threshold ||
        !tiny_take_one(&tiny->heap, &place))
        return tiny_alloc(tiny, size, flags);
    tiny->fresh++;
    return memset(tiny_address(&place), 0, TINY_BLOCK);
}

/* The same, while an object is not to be freed. */
static void *tiny_alloc_beside(hwr_tiny *tiny, void *object, size_t size, unsigned flags) {
    tiny->held = (uintptr_t)object;
    void *new = hwr_tiny_alloc(tiny, size, flags);
    tiny->held = 0;
    return new;
}

void *hwr_tiny_resize(hwr_tiny *tiny, void *object, size_t size, bool may_move) {
    tiny_place place;
    size_t count = tiny_blocks_of(size);
    if (tiny->busy || size == 0 || !tiny_is_object(&tiny->heap, object, &place)) return NULL;
    size_t had = tiny_count(place.area, place.block);
    if (tiny_resize(&tiny->heap, &place, had, count)) {
        if (count > had) memset((char *)object + had * TINY_BLOCK, 0, (count - had) * TINY_BLOCK);
        return object;
    }
    unsigned flags = ((place.cell->watch & place.bit) != 0 ? HWR_TINY_FINALIZE : 0) |
                     ((tiny_leaves(place.cell) & place.bit) != 0 ? HWR_TINY_LEAF : 0);
    void *moved = may_move ? tiny_alloc_beside(tiny, object, size, flags) : NULL;
    if (moved == NULL) return NULL;
    memcpy(moved, object, had * TINY_BLOCK);
    tiny_release(&tiny->heap, &place);
    return moved;
}

bool hwr_tiny_free(hwr_tiny *tiny, void *object) {
    tiny_place place;
    if (!tiny_is_object(&tiny->heap, object, &place)) return false;
    tiny_release(&tiny->heap, &place);
    return true;
}

size_t hwr_tiny_size(hwr_tiny *tiny, const void *object) {
    tiny_place place;
    return tiny_is_object(&tiny->heap, object, &place) ? tiny_count(place.area, place.block) * TINY_BLOCK : 0;
}

void hwr_tiny_mark(hwr_tiny *tiny, const void *words, size_t count) { tiny_mark(&tiny->heap, words, count); }

__attribute__((noinline, no_sanitize("address"))) void hwr_tiny_mark_stack(hwr_tiny *tiny, const void *bottom) {
    __builtin_unwind_init(); /* registers that hold the caller's values are put onto the stack */
    const uintptr_t *top = __builtin_frame_address(0);
    hwr_tiny_mark(tiny, top, (size_t)((const uintptr_t *)bottom - top));
}

bool hwr_tiny_enable(hwr_tiny *tiny, bool enable) {
    bool before = tiny->enabled != 0;
    tiny->enabled = enable;
    return before;
}

void hwr_tiny_set_threshold(hwr_tiny *tiny, size_t bytes) {
    tiny->threshold = (bytes - 1) / TINY_BLOCK; /* 0 becomes more than will be */
}

size_t hwr_tiny_used(const hwr_tiny *tiny) { return tiny->heap.used * TINY_BLOCK; }

size_t hwr_tiny_available(const hwr_tiny *tiny) { return (tiny->heap.total - tiny->heap.used) * TINY_BLOCK; }

#ifndef HWR_TINY_SMALL
void *hwr_tiny_weak(hwr_tiny *tiny, void *object) {
    void **referent = NULL;
    if (hwr_tiny_size(tiny, object) != 0)
        referent = tiny_alloc_beside(tiny, object, sizeof *referent, HWR_TINY_FINALIZE | HWR_TINY_LEAF);
    if (referent != NULL) *referent = object;
    return referent;
}

void *hwr_tiny_weak_get(const void *weak) { return *(void *const *)weak; }
#endif

void hwr_tiny_get_info(const hwr_tiny *tiny, hwr_tiny_info *info) {
    const tiny_heap *heap = &tiny->heap;
    memset(info, 0, sizeof *info);
    info->total = heap->total * TINY_BLOCK;
    info->overhead = sizeof *tiny - sizeof heap->first + (size_t)(heap->stack_end - heap->stack) * sizeof *heap->stack;
    for (const tiny_area *area = &heap->first; area != NULL; area = tiny_next(area)) {
        info->overhead += sizeof *area + (area->blocks / TINY_BITS + 1) * sizeof(tiny_cell);
        for (size_t block = 0; block < area->blocks;) {
            size_t free = tiny_run(area, block, TINY_FREE, SIZE_MAX), count = 0;
            if (free == 0) {
                count = tiny_count(area, block);
                info->objects++;
            }
            if (free * TINY_BLOCK > info->largest_free) info->largest_free = free * TINY_BLOCK;
            if (count * TINY_BLOCK > info->largest) info->largest = count * TINY_BLOCK;
            info->used += count * TINY_BLOCK;
            block += free + count;
        }
    }
}
