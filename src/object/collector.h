/* A collector is a table of functions for everything that is not inline, chosen when the heap is opened; object/collector.c calls them. Each does what the public function of its name
 * promises (heapwright/heap.h, collect.h, tracing.h), on an open heap. What is the same on every heap is not in the table. */
#ifndef HWRI_OBJECT_COLLECTOR_H
#define HWRI_OBJECT_COLLECTOR_H

#include "heapwright/tracing.h"

typedef struct hwri_collector {
    bool (*open)(hwr_heap *heap, const hwr_options *options);
    void (*close)(hwr_heap *heap); /* also of one that was not opened completely */
    /* Of a sound type, with a sound length. `call` is the public function, `site` its return address. */
    void *(*make)(hwr_heap *heap, const hwr_type *type, size_t length, const char *call, const void *site);
    bool (*make_room)(hwr_heap *heap, size_t size, unsigned *attempt); /* as hwri_make_room */
    bool (*collect)(hwr_heap *heap, int generation, hwr_collection_mode mode, size_t *unreachable);
    size_t (*trim)(hwr_heap *heap);
    bool (*make_immortal)(hwr_heap *heap, void *object);
    size_t (*refcount)(hwr_heap *heap, const void *object);
    size_t (*size_of)(hwr_heap *heap, const void *object); /* bytes, with everything that is added to it */
    int (*generation_of)(hwr_heap *heap, const void *object);
    bool (*is_object)(hwr_heap *heap, const void *address); /* whether a live one is just there */
    bool (*walk)(hwr_heap *heap, hwr_object_visitor visit, void *context);
    const char *(*verify)(hwr_heap *heap); /* returns the problem; NULL: there is none */
    void (*stats)(hwr_heap *heap, hwr_heap_stats *stats);
    bool (*objects)(hwr_heap *heap, int generation, hwr_object_visitor visit, void *context);
    bool (*referrers)(hwr_heap *heap, const void *object, hwr_object_visitor visit, void *context);
    void (*freeze)(hwr_heap *heap, bool frozen);
    size_t (*freeze_count)(hwr_heap *heap);
    /* Of a checked heap: end the program if something is wrong. */
    void (*look)(hwr_heap *heap, const void *object, const char *call, const void *site);
    void (*retain)(hwr_heap *heap, const void *object, const void *site);
    void (*release)(hwr_heap *heap, const void *object, const void *site);
    void (*store)(hwr_heap *heap, void *object, void *field, void *value, hwri_store how, const void *site);
} hwri_collector;

extern const hwri_collector hwri_counting_collector, hwri_tracing_collector;

#endif
