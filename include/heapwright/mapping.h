/* mapping: dict and set, in the order of insertion.
 *
 * A dict is compact (Hettinger, python-dev, December 2012): entries in an array, in order, and a hash table of indices, 1, 2 or 4 bytes each.
 *
 * Thread rule: as heap.h.
 */
#ifndef HEAPWRIGHT_MAPPING_H
#define HEAPWRIGHT_MAPPING_H

#include "kinds.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An empty dict with room for so many entries. NULL without memory. All below return HWR_WRONG_KIND for what is no dict, HWR_UNHASHABLE for a key that has no hash.
 * Keys that are equal are one key (1, 1.0 and True are), and so is one object with itself, even a NaN. A key that is set again keeps its place, and stays the object that it was. */
HWR_API void *hwr_dict(hwr_heap *heap, size_t room);
HWR_API size_t hwr_dict_length(const void *dict);
HWR_API hwr_result hwr_dict_get(hwr_heap *heap, const void *dict, const void *key, void **value);  /* HWR_NOT_FOUND */
HWR_API hwr_result hwr_dict_peek(hwr_heap *heap, const void *dict, const void *key, void **value); /* borrowed */
HWR_API hwr_result hwr_dict_set(hwr_heap *heap, void *dict, const void *key, const void *value);
HWR_API hwr_result hwr_dict_remove(hwr_heap *heap, void *dict, const void *key,
                                   void **value); /* HWR_NOT_FOUND; value may be NULL */
HWR_API void hwr_dict_clear(hwr_heap *heap, void *dict);

/* The entries in the order in which they were added: *position starts at 0, and is nobody's business otherwise. HWR_END behind the last. key and value may be NULL. On
 * the way values may be changed and entries removed, even all of them; once an entry was added, the next call returns HWR_CHANGED. */
HWR_API hwr_result hwr_dict_next(hwr_heap *heap, const void *dict, size_t *position, void **key, void **value);
HWR_API hwr_result hwr_dict_peek_next(hwr_heap *heap, const void *dict, size_t *position, void **key,
                                      void **value); /* borrowed */

/* The same with a key of UTF-8, up to its zero: no str is made to look for one that is all ASCII. One that is new in the dict is interned. HWR_BAD_VALUE if it is no UTF-8. */
HWR_API hwr_result hwr_dict_get_text(hwr_heap *heap, const void *dict, const char *key, void **value);
HWR_API hwr_result hwr_dict_peek_text(hwr_heap *heap, const void *dict, const char *key, void **value); /* borrowed */
HWR_API hwr_result hwr_dict_set_text(hwr_heap *heap, void *dict, const char *key, const void *value);

/* A set, which is like the keys of a dict. add: whether it was new; remove: HWR_NOT_FOUND. */
HWR_API void *hwr_set_new(hwr_heap *heap, size_t room);
HWR_API size_t hwr_set_length(const void *set);
HWR_API hwr_result hwr_set_add(hwr_heap *heap, void *set, const void *item, bool *is_new); /* is_new may be NULL */
HWR_API hwr_result hwr_set_contains(hwr_heap *heap, const void *set, const void *item, bool *contains);
HWR_API hwr_result hwr_set_remove(hwr_heap *heap, void *set, const void *item);
HWR_API hwr_result hwr_set_next(hwr_heap *heap, const void *set, size_t *position, void **item); /* item may be NULL */

#ifdef __cplusplus
}
#endif

#endif
