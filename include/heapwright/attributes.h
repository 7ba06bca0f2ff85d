/* attributes: plain objects with named attributes, kind HWR_OBJECT, and the classes that they belong to.
 *
 * An object holds nothing but the values of its attributes. Their names, and which is where, are in a shape, which all objects of a class have in common that got the same attributes in
 * the same order (Chambers, Ungar, Lee, OOPSLA 1989; PEP 412). So it pays to give objects their attributes in one order.
 *
 * An object of which an attribute was removed, or that has more than 64, or comes when there are too many shapes of its class, has a dict of its own instead: this shows in nothing but
 * the memory that it takes.
 *
 * Names are strs, interned as soon as an object has one; for anything else HWR_WRONG_KIND is returned, as it is for what is no such object. UTF-8 goes up to its zero, and HWR_BAD_VALUE says that it is none; no
 * str is made of it to look for an attribute whose name is all ASCII.
 *
 * Equality and hash are those of identity; the repr is <Point object>.
 *
 * Thread rule: as heap.h.
 */
#ifndef HEAPWRIGHT_ATTRIBUTES_H
#define HEAPWRIGHT_ATTRIBUTES_H

#include "kinds.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A class: its name, and what its objects share. Of one name there may be several. It lives as long as anybody holds it or an object of it; and, when it had any, until the
 * next full collection. HWR_BAD_VALUE, HWR_NO_MEMORY. */
HWR_API hwr_result hwr_class(hwr_heap *heap, const char *name, void **made);
HWR_API void *hwr_class_name(hwr_heap *heap, const void *of_class); /* a str */

/* A new object without attributes, with room in its block for as many as the class's objects had lately. NULL without memory, or if that is no class. */
HWR_API void *hwr_object(hwr_heap *heap, void *of_class);
HWR_API void *hwr_class_of(hwr_heap *heap, const void *object); /* NULL: it is of no class */

/* An attribute: HWR_NOT_FOUND. Setting adds it, if it is new. What is removed goes to *value, or is released if that is NULL. */
HWR_API hwr_result hwr_attribute_get(hwr_heap *heap, const void *object, const void *name, void **value);
HWR_API hwr_result hwr_attribute_set(hwr_heap *heap, void *object, const void *name, const void *value);
HWR_API hwr_result hwr_attribute_remove(hwr_heap *heap, void *object, const void *name, void **value);
HWR_API hwr_result hwr_attribute_get_text(hwr_heap *heap, const void *object, const char *name, void **value);
HWR_API hwr_result hwr_attribute_set_text(hwr_heap *heap, void *object, const char *name, const void *value);
HWR_API hwr_result hwr_attribute_remove_text(hwr_heap *heap, void *object, const char *name, void **value);

/* How many there are. All of them, in the order in which they were added, as hwr_dict_next goes through a dict: HWR_END behind the last; HWR_CHANGED once one was added. */
HWR_API size_t hwr_attribute_count(const void *object);
HWR_API hwr_result hwr_attribute_next(hwr_heap *heap, const void *object, size_t *position, void **name, void **value);

#ifdef __cplusplus
}
#endif

#endif
