/* collect: the collector for cycles, with the interface of Python's module gc (docs.python.org/3/library/gc.html).
 *
 * Objects that can be in cycles are *tracked*, in three generations. A collection of generation 0 runs by itself when allocations of
 * tracked objects exceed deallocations by the first threshold; when that has happened often enough, one of generation 1, and 2. A collection
 * clears weak references into the garbage, calls the callbacks of those that live outside it, runs finalizers (each object's once), keeps what they
 * brought back, and frees the rest.
 *
 * On a tracing heap (tracing.h) generations are of another kind, and some of this means less: it is said below.
 *
 * Thread rule: as heap.h.
 */
#ifndef HEAPWRIGHT_COLLECT_H
#define HEAPWRIGHT_COLLECT_H

#include "heap.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { HWR_GENERATIONS = 3, HWR_OLDEST = 2, HWR_ALL_GENERATIONS = -1 };

/* Collects `generation` (0, 1 or HWR_OLDEST) and all younger ones, whether automatic collection is enabled or not. Returns the number of unreachable objects, those kept
 * because of a debug flag included, as gc.collect() does. Returns 0 at once during a collection, for another number, and when there is no memory for
 * the collector's scratch counts (about an eighth of the pages looked at). On a tracing heap it returns 0, since nobody counts what was left behind. */
HWR_API size_t hwr_collect(hwr_heap *heap, int generation);

/* Automatic collection. It is on in a new heap, with the thresholds 700, 10, 10. A first threshold of 0 switches it off, too. On a tracing heap that means that
 * collections come only when memory is short; the thresholds mean nothing else there. */
HWR_API void hwr_enable(hwr_heap *heap);
HWR_API void hwr_disable(hwr_heap *heap);
HWR_API bool hwr_is_enabled(const hwr_heap *heap);
HWR_API void hwr_set_threshold(hwr_heap *heap, const int threshold[HWR_GENERATIONS]);
HWR_API void hwr_get_threshold(const hwr_heap *heap, int threshold[HWR_GENERATIONS]);

/* Allocations less deallocations of tracked objects since the last collection; collections of the generation before since the last of this one.
 * On a tracing heap: 0. */
HWR_API void hwr_get_count(const hwr_heap *heap, int count[HWR_GENERATIONS]);

typedef struct hwr_generation_stats {
    uint64_t collections;
    uint64_t collected;     /* objects freed; 0 on a tracing heap */
    uint64_t uncollectable; /* garbage that cannot be freed: none on a heap of ours, where all can */
} hwr_generation_stats;
HWR_API void hwr_get_stats(const hwr_heap *heap, hwr_generation_stats stats[HWR_GENERATIONS]);

/* Called at the start (`starts`) and at the end of every collection, in the order they were added, as those in gc.callbacks; the
 * figures are those of this collection. It may use the heap; a collection inside does nothing. On a tracing heap they are called in the thread that collects, before the others
 * are stopped and after they run again; a collection inside calls none, the generation is at the start the one that was asked for, and `collected` is 0. */
typedef struct hwr_collection_info {
    bool starts;
    int generation;
    size_t collected;
    size_t uncollectable;
} hwr_collection_info;
typedef void (*hwr_collection_callback)(hwr_heap *heap, const hwr_collection_info *info, void *context);
HWR_API bool hwr_add_callback(hwr_heap *heap, hwr_collection_callback callback,
                              void *context); /* false without memory */
HWR_API bool hwr_remove_callback(hwr_heap *heap, hwr_collection_callback callback,
                                 void *context); /* false: there is none */

/* Moves all tracked objects to a permanent generation that no collection looks at; back to the oldest; how many there are. A tracing heap has no such generation: nothing, and 0. */
HWR_API void hwr_freeze(hwr_heap *heap);
HWR_API void hwr_unfreeze(hwr_heap *heap);
HWR_API size_t hwr_freeze_count(hwr_heap *heap);

HWR_API bool hwr_is_tracked(hwr_heap *heap, const void *object);   /* the collector looks at it */
HWR_API bool hwr_is_finalized(hwr_heap *heap, const void *object); /* its finalizer has run or begun to */

/* Calls `visit` for the tracked objects of a generation, or of all (HWR_ALL_GENERATIONS; the permanent one is not among them), for
 * the tracked objects that refer to `object`, or for the objects that `object` refers to (as often as it does); until it returns false. It
 * must not change the heap. Returns false if it was stopped. On a tracing heap hwr_get_referrers and hwr_get_objects work as hwr_heap_walk does, after a collection; but the latter shows generations 0 and 1
 * as they are, garbage included, since a collection leaves nothing in them. */
HWR_API bool hwr_get_objects(hwr_heap *heap, int generation, hwr_object_visitor visit, void *context);
HWR_API bool hwr_get_referrers(hwr_heap *heap, const void *object, hwr_object_visitor visit, void *context);
HWR_API bool hwr_get_referents(hwr_heap *heap, void *object, hwr_object_visitor visit, void *context);

/* Debug flags, with the values of Python's. A tracing heap keeps them and heeds none. */
enum {
    HWR_DEBUG_STATS = 1,         /* print what a collection does */
    HWR_DEBUG_COLLECTABLE = 2,   /* print each object found */
    HWR_DEBUG_UNCOLLECTABLE = 4, /* there are none to print */
    HWR_DEBUG_SAVEALL = 32,      /* keep what was found as garbage instead of freeing it */
    HWR_DEBUG_LEAK = 2 | 4 | 32
};
HWR_API void hwr_set_debug(hwr_heap *heap, unsigned flags);
HWR_API unsigned hwr_get_debug(const hwr_heap *heap);

/* What HWR_DEBUG_SAVEALL has kept, in order: how many, each (borrowed; NULL past the end), and letting go of them all. */
HWR_API size_t hwr_garbage_count(const hwr_heap *heap);
HWR_API void *hwr_garbage(hwr_heap *heap, size_t index);
HWR_API void hwr_garbage_clear(hwr_heap *heap);

#ifdef __cplusplus
}
#endif

#endif
