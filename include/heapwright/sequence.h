/* sequence: tuple and list.
 *
 * A list of ints holds their values, in as few bytes as the widest of them takes, and no objects; so does one of floats. It becomes a list of references with the
 * first item that is something else. (Storage strategies: Bolz, Diekmann, Tratt, OOPSLA 2013.) The objects are made when they are asked for: an int or float that comes out of a
 * list is equal to the one that went in, but need not be the same object; anything else is. A NaN in a list is the same as another of the same bits.
 *
 * What is called `list` or `tuple` must be one. While a call needs memory the heap may collect, and finalizers may change the very list: the call then has to do with the list as it has become, so that an index may be
 * HWR_OUT_OF_RANGE by then.
 *
 * Thread rule: as heap.h.
 */
#ifndef HEAPWRIGHT_SEQUENCE_H
#define HEAPWRIGHT_SEQUENCE_H

#include "kinds.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A tuple of the objects in an array. NULL without memory. An item; HWR_OUT_OF_RANGE. */
HWR_API void *hwr_tuple(hwr_heap *heap, void *const *items, size_t length);
static inline size_t hwr_tuple_length(const void *tuple);
HWR_API hwr_result hwr_tuple_get(hwr_heap *heap, const void *tuple, size_t index, void **item);
HWR_API void *hwr_tuple_peek(const void *tuple, size_t index); /* borrowed; NULL if there is no such item */

/* An empty list with room for so many items (of the kind that comes first). NULL without memory. */
HWR_API void *hwr_list(hwr_heap *heap, size_t room);
HWR_API size_t hwr_list_length(const void *list);
HWR_API hwr_result hwr_list_get(hwr_heap *heap, const void *list, size_t index, void **item);
HWR_API void *hwr_list_peek(const void *list, size_t index); /* borrowed; NULL if there is none, or no object for it */
HWR_API hwr_result hwr_list_set(hwr_heap *heap, void *list, size_t index, const void *item);
HWR_API bool hwr_list_append(hwr_heap *heap, void *list, const void *item);
HWR_API hwr_result hwr_list_insert(hwr_heap *heap, void *list, size_t index,
                                   const void *item); /* before the index; at most the length */
HWR_API hwr_result hwr_list_pop(hwr_heap *heap, void *list, size_t index,
                                void **item); /* the reference is the caller's */
HWR_API bool hwr_list_extend(hwr_heap *heap, void *list,
                             const void *other); /* another list or tuple, or the list itself */
HWR_API hwr_result hwr_list_slice(hwr_heap *heap, const void *list, size_t from, size_t to,
                                  void **slice); /* cut to the length */
HWR_API void hwr_list_clear(hwr_heap *heap, void *list);
HWR_API void hwr_list_reverse(void *list);
HWR_API hwr_result hwr_list_sort(hwr_heap *heap,
                                 void *list); /* stable, by hwr_compare, and as that fails: then nothing moves */

/* The same without objects, where the item is an int that fits or a float: HWR_WRONG_KIND, HWR_OUT_OF_RANGE if not. */
HWR_API hwr_result hwr_list_get_int(const void *list, size_t index, int64_t *value);
HWR_API hwr_result hwr_list_get_float(const void *list, size_t index, double *value);
HWR_API bool hwr_list_append_int(hwr_heap *heap, void *list, int64_t value);
HWR_API bool hwr_list_append_float(hwr_heap *heap, void *list, double value);

static inline size_t hwr_tuple_length(const void *tuple) { return hwri_length_first(tuple); }

#ifdef __cplusplus
}
#endif

#endif
