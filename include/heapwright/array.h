/* array: numbers of one C type next to each other, as in Python's module array. No objects are kept, and the collector does not look at it.
 *
 * What is called `array` must be one. While a call needs memory the heap may collect, and finalizers may change the very array: the call then has to do with the array as it has become.
 *
 * Thread rule: as heap.h.
 */
#ifndef HEAPWRIGHT_ARRAY_H
#define HEAPWRIGHT_ARRAY_H

#include "kinds.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An empty array with room for so many items. Their type by a letter: b B h H i I l L q Q for char, short, int, long and long long, signed and unsigned; f d for float and double.
 * HWR_BAD_VALUE for any other. */
HWR_API hwr_result hwr_array(hwr_heap *heap, char code, size_t room, void **array);
HWR_API char hwr_array_code(const void *array);
HWR_API size_t hwr_array_length(const void *array);

/* Items as objects. What is stored must be a number, in an array of ints an int: HWR_WRONG_KIND; that fits: HWR_OUT_OF_RANGE. A float that is too large for f is infinite there. */
HWR_API hwr_result hwr_array_get(hwr_heap *heap, const void *array, size_t index, void **item);
HWR_API hwr_result hwr_array_set(hwr_heap *heap, void *array, size_t index, const void *item);
HWR_API hwr_result hwr_array_append(hwr_heap *heap, void *array, const void *item);
HWR_API hwr_result hwr_array_insert(hwr_heap *heap, void *array, size_t index,
                                    const void *item); /* before the index; at most the length */
HWR_API hwr_result hwr_array_pop(hwr_heap *heap, void *array, size_t index, void **item);

/* Appends the items of an array of the same type, or of any other iterable (iterate.h): all of them, or if one does not fit none. An array of another type is HWR_WRONG_KIND. */
HWR_API hwr_result hwr_array_extend(hwr_heap *heap, void *array, const void *iterable);
HWR_API hwr_result hwr_array_slice(hwr_heap *heap, const void *array, size_t from, size_t to,
                                   void **slice); /* cut to the length */
HWR_API void hwr_array_clear(hwr_heap *heap, void *array);

/* The same without objects. Of an array of floats an int is HWR_WRONG_KIND; of one of ints a float can be got only. */
HWR_API hwr_result hwr_array_get_int(const void *array, size_t index, int64_t *value);
HWR_API hwr_result hwr_array_get_float(const void *array, size_t index, double *value);
HWR_API hwr_result hwr_array_set_int(void *array, size_t index, int64_t value);
HWR_API hwr_result hwr_array_set_float(void *array, size_t index, double value);
HWR_API hwr_result hwr_array_append_int(hwr_heap *heap, void *array, int64_t value);
HWR_API hwr_result hwr_array_append_float(hwr_heap *heap, void *array, double value);

/* Where the items are, never NULL, as C has them; they can be written. Valid until the length changes. */
HWR_API void *hwr_array_data(void *array);

/* Appends so many items as C has them, which are not the array's own. False without memory. */
HWR_API bool hwr_array_append_data(hwr_heap *heap, void *array, const void *data, size_t count);

#ifdef __cplusplus
}
#endif

#endif
