/* lazy: iterators over what a function makes of the items of others, or of nothing; and over several at once.
 *
 * The program's functions may do anything, to ask their own iterator for more included, and so to bring it to its end: what a step uses is held by a reference of its own for as long. */
#include "heapwright/tracing.h"
#include "kinds/iterator.h"

static hwr_result end_calling(hwr_heap *heap, hwri_calling *calling) {
    hwri_iterator_end(heap, &calling->base);
    hwr_give(heap, calling, &calling->state, NULL);
    return HWR_END;
}

/* What a function said, and has made. */
static inline hwr_result made_by_function(hwr_heap *heap, hwri_calling *calling, hwr_result said, void *made,
                                          void **item) {
    if (hwri_unlikely(said == HWR_END)) return end_calling(heap, calling);
    if (said != HWR_OK) return said;
    if (made) *item = made;
    return made ? HWR_OK : HWR_NO_MEMORY;
}

static hwr_result next_held(hwr_heap *heap, void *source, void **item) {
    hwr_retain(heap, source);
    hwr_result result = hwri_next(heap, source, item);
    hwr_release(heap, source);
    return result;
}

/* ---- steps ---- */

static hwr_result next_of_map(hwr_heap *heap, hwri_iterator *iterator, void **item) {
    hwri_calling *calling = (hwri_calling *)iterator;
    void *taken, *made = NULL, *state = calling->state;
    hwr_map_function function = calling->function.map;
    hwr_result result = next_held(heap, iterator->source, &taken);
    if (hwri_unlikely(result != HWR_OK)) return result == HWR_END ? end_calling(heap, calling) : result;
    hwr_retain(heap, state);
    result = function(heap, state, taken, &made);
    hwr_release(heap, state);
    hwr_release(heap, taken);
    return made_by_function(heap, calling, result, made, item);
}

static hwr_result wants_item(hwr_heap *heap, hwri_calling *calling, const void *item, bool *wanted) {
    void *state = calling->state;
    if (!calling->function.filter) {
        *wanted = hwr_truth(item);
        return HWR_OK;
    }
    hwr_retain(heap, state);
    hwr_result result = calling->function.filter(heap, state, item, wanted);
    hwr_release(heap, state);
    return result;
}

static hwr_result next_of_filter(hwr_heap *heap, hwri_iterator *iterator, void **item) {
    hwri_calling *calling = (hwri_calling *)iterator;
    while (iterator->source) {
        void *taken;
        bool wanted = false;
        hwr_result result = next_held(heap, iterator->source, &taken);
        if (hwri_unlikely(result != HWR_OK)) return result == HWR_END ? end_calling(heap, calling) : result;
        result = wants_item(heap, calling, taken, &wanted);
        if (result == HWR_OK && wanted) {
            *item = taken;
            return HWR_OK;
        }
        hwr_release(heap, taken);
        if (result != HWR_OK) return result == HWR_END ? end_calling(heap, calling) : result;
    }
    return HWR_END;
}

static hwr_result next_of_generator(hwr_heap *heap, hwri_iterator *iterator, void **item) {
    hwri_calling *calling = (hwri_calling *)iterator;
    void *made = NULL;
    if (iterator->at.runs) return HWR_BAD_VALUE;
    iterator->at.runs = true;
    hwr_result result = calling->function.generator(heap, calling->state, &made);
    iterator->at.runs = false;
    return made_by_function(heap, calling, result, made, item);
}

/* ---- making them ---- */

/* Takes over the source, which may be NULL. */
static hwri_calling *new_calling(hwr_heap *heap, hwri_step step, void *source, void *state) {
    hwri_calling *calling = hwr_new(heap, hwri_kind_type(HWRI_CALLING_TYPE));
    if (!calling) {
        hwr_release(heap, source);
        return NULL;
    }
    calling->base.step = step;
    hwr_init(heap, calling, &calling->base.source, source);
    hwr_retain(heap, state);
    hwr_init(heap, calling, &calling->state, state);
    return calling;
}

static hwr_result call_over(hwr_heap *heap, hwri_step step, void *state, const void *iterable, hwri_calling **calling) {
    void *source;
    hwr_result result = hwr_iterate(heap, iterable, &source);
    if (result != HWR_OK) return result;
    *calling = new_calling(heap, step, source, state);
    return *calling ? HWR_OK : HWR_NO_MEMORY;
}

hwr_result hwr_map(hwr_heap *heap, hwr_map_function function, void *state, const void *iterable, void **iterator) {
    HWRI_LOOK(heap, state);
    hwri_calling *calling;
    hwr_result result = call_over(heap, next_of_map, state, iterable, &calling);
    if (result != HWR_OK) return result;
    calling->function.map = function;
    *iterator = calling;
    return HWR_OK;
}

hwr_result hwr_filter(hwr_heap *heap, hwr_filter_function function, void *state, const void *iterable,
                      void **iterator) {
    HWRI_LOOK(heap, state);
    hwri_calling *calling;
    hwr_result result = call_over(heap, next_of_filter, state, iterable, &calling);
    if (result != HWR_OK) return result;
    calling->function.filter = function;
    *iterator = calling;
    return HWR_OK;
}

void *hwr_generator(hwr_heap *heap, hwr_generator_function function, void *state) {
    HWRI_LOOK(heap, state);
    hwri_calling *calling = new_calling(heap, next_of_generator, NULL, state);
    if (calling) calling->function.generator = function;
    return calling;
}

/* ---- several at once ---- */

static hwr_result end_zip(hwr_heap *heap, hwri_zip *zip) {
    hwri_iterator_end(heap, &zip->base);
    for (size_t i = 0; i < zip->length; i++) hwr_give(heap, zip, &zip->sources[i], NULL);
    return HWR_END;
}

/* One item of each, *taken of them. */
static hwr_result take_one_of_each(hwr_heap *heap, const hwri_zip *zip, void **items, size_t *taken) {
    hwr_result result = HWR_OK;
    for (*taken = 0; *taken < zip->length; ++*taken) {
        void *source = zip->sources[*taken];
        result = source ? next_held(heap, source, &items[*taken]) : HWR_END;
        if (result != HWR_OK) break;
    }
    return result;
}

enum { FEW_ZIPPED = 8 };

static hwr_result tuple_of_each(hwr_heap *heap, hwri_zip *zip, void **items, void **made) {
    size_t taken;
    hwr_result result = take_one_of_each(heap, zip, items, &taken);
    if (result == HWR_OK)
        *made = hwri_tuple_again(heap, zip, &zip->base.source, items, taken);
    else
        while (taken-- > 0) hwr_release(heap, items[taken]);
    return result;
}

/* Many items are in memory that a tracing heap does not look at, but for a frame of it. */
static hwr_result tuple_of_many(hwr_heap *heap, hwri_zip *zip, void **made) {
    size_t size = sizeof(hwr_frame) + zip->length * sizeof(void *);
    hwr_frame *frame = hwr_alloc(heap, size);
    if (!frame) return HWR_NO_MEMORY;
    memset(frame, 0, size);
    hwr_frame_push(heap, frame, zip->length);
    hwr_result result = tuple_of_each(heap, zip, (void **)(void *)(frame + 1), made);
    hwr_frame_pop(heap, frame);
    hwr_free(heap, frame);
    return result;
}

static hwr_result next_of_zip(hwr_heap *heap, hwri_iterator *iterator, void **item) {
    hwri_zip *zip = (hwri_zip *)iterator;
    void *few[FEW_ZIPPED] = {NULL}, *made = NULL;
    bool many = zip->length > FEW_ZIPPED;
    hwr_result result = many ? tuple_of_many(heap, zip, &made) : tuple_of_each(heap, zip, few, &made);
    if (result != HWR_OK) return result == HWR_END ? end_zip(heap, zip) : result;
    if (made) *item = made;
    return made ? HWR_OK : HWR_NO_MEMORY;
}

hwr_result hwr_zip(hwr_heap *heap, void *const *iterables, size_t count, void **iterator) {
    HWRI_LOOK(heap, NULL);
    hwri_zip *zip = hwr_new_items(heap, hwri_kind_type(HWRI_ZIP_TYPE), count);
    if (!zip) return HWR_NO_MEMORY;
    zip->base.step = count ? next_of_zip : hwri_at_end;
    for (size_t i = 0; i < count; i++) {
        void *source;
        hwr_result result = hwr_iterate(heap, iterables[i], &source);
        if (result != HWR_OK) {
            hwr_release(heap, zip);
            return result;
        }
        hwr_init(heap, zip, &zip->sources[i], source);
    }
    *iterator = zip;
    return HWR_OK;
}

hwr_result hwr_enumerate(hwr_heap *heap, const void *iterable, int64_t from, void **iterator) {
    void *both[2] = {NULL, (void *)(uintptr_t)iterable};
    hwr_result result = hwr_range(heap, from, INT64_MAX, 1, &both[0]);
    if (result != HWR_OK) return result;
    result = hwr_zip(heap, both, 2, iterator);
    hwr_release(heap, both[0]);
    return result;
}
