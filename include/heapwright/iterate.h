/* iterate: going through things one after another. Nothing is made before it is asked for.
 *
 *     void *iterator, *item;
 *     hwr_result result = hwr_iterate(heap, list, &iterator);
 *     if (result != HWR_OK) ...
 *     while ((result = hwr_next(heap, iterator, &item)) == HWR_OK) {
 *         ...
 *         hwr_release(heap, item);
 *     }
 *     hwr_release(heap, iterator);        result is HWR_END if nothing went wrong
 *
 * An iterator is an object like any other, with references to what it goes through. Once it is at its end it gives them up, and stays there. One
 * that makes tuples (of entries, hwr_zip, hwr_enumerate) also keeps the last of them until it is asked for the next, which is the same object with other items if nobody else has it any more.
 *
 * Thread rule: as heap.h.
 */
#ifndef HEAPWRIGHT_ITERATE_H
#define HEAPWRIGHT_ITERATE_H

#include "kinds.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A new iterator over a list or tuple, a str (its characters), bytes or a bytearray (ints), an array, a range, a dict (its keys), a set; an iterator is its own. HWR_WRONG_KIND for what is none of these. */
HWR_API hwr_result hwr_iterate(hwr_heap *heap, const void *iterable, void **iterator);
HWR_API hwr_result hwr_iterate_values(hwr_heap *heap, const void *dict, void **iterator);
HWR_API hwr_result hwr_iterate_entries(hwr_heap *heap, const void *dict,
                                       void **iterator); /* tuples of a key and its value */

/* The next item, or HWR_END. HWR_WRONG_KIND if it is no iterator. A list, bytearray or array may change on the way, and is gone through as it is then; once an entry was added to a dict or set, or removed,
 * the result is HWR_CHANGED for good. Without memory nothing is lost but what is said to be: whoever asks again gets the same item. */
HWR_API hwr_result hwr_next(hwr_heap *heap, void *iterator, void **item);

/* New lists and tuples of all that comes of an iterable; a tuple is its own. And what comes of one behind the items of a list: all of it, or if that fails nothing. */
HWR_API hwr_result hwr_list_of(hwr_heap *heap, const void *iterable, void **list);
HWR_API hwr_result hwr_tuple_of(hwr_heap *heap, const void *iterable, void **tuple);
HWR_API hwr_result hwr_list_extend_from(hwr_heap *heap, void *list, const void *iterable);

/* ---- ranges ---- */

/* The ints from `from` as far as, and without, `to`, at a distance of `step`, which may be negative: HWR_BAD_VALUE if it is 0. An object that never changes, and can be gone through any number of times. */
HWR_API hwr_result hwr_range(hwr_heap *heap, int64_t from, int64_t to, int64_t step, void **range);
HWR_API size_t hwr_range_length(const void *range);
HWR_API hwr_result hwr_range_get(const void *range, size_t index, int64_t *value); /* HWR_OUT_OF_RANGE */
HWR_API bool hwr_range_contains(const void *range, int64_t value);

/* ---- iterators over what a function makes of others, or of nothing ----
 *
 * A function gets the heap, a state, which is an object of the heap or NULL, and what its iterator has for it; all of that is borrowed. It sets what its last parameter leads to, for an object to a new
 * reference (NULL: it has no memory), and returns HWR_OK; or HWR_END, and its iterator is at its end; or anything else, which hwr_next returns. In the latter case the item that it got is gone, and the
 * iterator goes on with the next one if it is asked again. */

/* Each item as the function makes it. */
typedef hwr_result (*hwr_map_function)(hwr_heap *heap, void *state, const void *item, void **result);
HWR_API hwr_result hwr_map(hwr_heap *heap, hwr_map_function function, void *state, const void *iterable,
                           void **iterator);

/* Those that the function wants; without a function (NULL), those that are true. */
typedef hwr_result (*hwr_filter_function)(hwr_heap *heap, void *state, const void *item, bool *wanted);
HWR_API hwr_result hwr_filter(hwr_heap *heap, hwr_filter_function function, void *state, const void *iterable,
                              void **iterator);

/* What the function makes, again and again. While it runs, its own generator cannot be asked for more: HWR_BAD_VALUE. NULL without memory. */
typedef hwr_result (*hwr_generator_function)(hwr_heap *heap, void *state, void **item);
HWR_API void *hwr_generator(hwr_heap *heap, hwr_generator_function function, void *state);

/* Tuples: of the first items of all the iterables, of the second, and so on, until one is at its end. And of a number, counted from `from`, and an item. If an item cannot be had, or a tuple be made for want of
 * memory, those that were got for it are gone. */
HWR_API hwr_result hwr_zip(hwr_heap *heap, void *const *iterables, size_t count, void **iterator);
HWR_API hwr_result hwr_enumerate(hwr_heap *heap, const void *iterable, int64_t from, void **iterator);

#ifdef __cplusplus
}
#endif

#endif
