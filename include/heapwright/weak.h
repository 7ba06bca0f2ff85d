/* weak: references that do not keep their object alive, as Python's module weakref has them (docs.python.org/3/library/weakref.html).
 *
 * A weak reference is an object of the heap: released like any other, stored with hwr_set, and part of cycles if it comes to that. When
 * its object dies it is cleared first and its callback called then, unless the weak reference is dead or garbage by then.
 *
 * On a tracing heap a weak reference is cleared by the collection that finds its object dead, before the object's finalizer, as a short weak handle is (tracing.h); callbacks are called when that
 * collection is over, by the thread that did it or by another one that ends a collection then, which holds no lock of the heap's. After a collection in the middle of a change of the kinds' (kinds.h) they are called when something
 * else is allocated.
 *
 * Thread rule: as heap.h. On a tracing heap any thread may use any of these at any time.
 */
#ifndef HEAPWRIGHT_WEAK_H
#define HEAPWRIGHT_WEAK_H

#include "heap.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hwr_weak hwr_weak;

/* Called when the object has died, or is about to in a collection: hwr_weak_get returns NULL already. `argument` is what hwr_weak_new was
 * given (borrowed). The callbacks of one object are called newest first. */
typedef void (*hwr_weak_callback)(hwr_heap *heap, hwr_weak *weak, void *argument);

/* A weak reference to `object`, which the caller owns. `argument` is an object of the heap that the weak reference keeps alive for the callback, or NULL.
 * Without a callback there is one weak reference for each object, which is retained and returned if it exists, as in Python. NULL without memory. */
HWR_API hwr_weak *hwr_weak_new(hwr_heap *heap, void *object, hwr_weak_callback callback, void *argument);

/* The object, with a reference that the caller owns; NULL if it is dead. */
HWR_API void *hwr_weak_get(hwr_heap *heap, hwr_weak *weak);

/* How many weak references to an object there are (weakref.getweakrefcount); the type of weak references, for comparison. */
HWR_API size_t hwr_weak_count(hwr_heap *heap, const void *object);
HWR_API const hwr_type *hwr_weak_type(void);

/* A table from objects, by identity, to objects: an entry goes when its key dies (weakref.WeakKeyDictionary). It owns the values. The
 * table is an object of the heap. A value that leads to its own key keeps it alive, as in Python; not on a tracing heap, where entries are
 * ephemerons, as in .NET's ConditionalWeakTable. */
typedef struct hwr_weak_keys hwr_weak_keys;
HWR_API hwr_weak_keys *hwr_weak_keys_new(hwr_heap *heap);                                     /* NULL without memory */
HWR_API bool hwr_weak_keys_set(hwr_heap *heap, hwr_weak_keys *table, void *key, void *value); /* false without memory */
HWR_API void *hwr_weak_keys_get(hwr_heap *heap, hwr_weak_keys *table,
                                const void *key); /* owned by the caller; NULL: none */
HWR_API bool hwr_weak_keys_remove(hwr_heap *heap, hwr_weak_keys *table, const void *key); /* false: there was none */
HWR_API size_t hwr_weak_keys_count(hwr_heap *heap, const hwr_weak_keys *table);

/* A table from bytes, which are copied, to objects: an entry goes when its value dies (weakref.WeakValueDictionary). For caches. */
typedef struct hwr_weak_values hwr_weak_values;
HWR_API hwr_weak_values *hwr_weak_values_new(hwr_heap *heap);
HWR_API bool hwr_weak_values_set(hwr_heap *heap, hwr_weak_values *table, const void *key, size_t key_size, void *value);
HWR_API void *hwr_weak_values_get(hwr_heap *heap, hwr_weak_values *table, const void *key, size_t key_size);
HWR_API bool hwr_weak_values_remove(hwr_heap *heap, hwr_weak_values *table, const void *key, size_t key_size);
HWR_API size_t hwr_weak_values_count(hwr_heap *heap, const hwr_weak_values *table);

#ifdef __cplusplus
}
#endif

#endif
