/* events: what happens in a heap, as it happens.
 *
 * One table of events serves all collectors. An event goes to the listeners that asked for it; one that nobody listens to costs a predictable
 * branch. Counters are kept in any case.
 *
 * Thread rule: as heap.h. A listener must not use the heap. On a tracing heap it is called by whichever thread it happens in, one at a time, mostly while all threads are stopped.
 */
#ifndef HEAPWRIGHT_EVENTS_H
#define HEAPWRIGHT_EVENTS_H

#include "heap.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The table: name, and what `value` and `other` mean. Times are in hwr_event.time. On a tracing heap callbacks and finalizers are called when the threads run again: WEAK_END and FINALIZE_END tell how many are to be; and a full
 * collection goes through these phases twice, for the young and for all. */
#define HWR_EVENTS(EVENT)                                                                                              \
    EVENT(COLLECTION_BEGIN, "collection", "generation", "")                                                            \
    EVENT(COLLECTION_END, "collection", "generation", "unreachable objects")                                           \
    EVENT(FIND_BEGIN, "find", "generation", "") /* looking for garbage */                                              \
    EVENT(FIND_END, "find", "generation", "unreachable objects found")                                                 \
    EVENT(WEAK_BEGIN, "weak references", "generation", "") /* clearing weak references, calling back */                \
    EVENT(WEAK_END, "weak references", "generation", "callbacks called")                                               \
    EVENT(FINALIZE_BEGIN, "finalizers", "generation", "")                                                              \
    EVENT(FINALIZE_END, "finalizers", "generation", "finalizers called")                                               \
    EVENT(FREE_BEGIN, "free", "generation", "")                                                                        \
    EVENT(FREE_END, "free", "generation", "objects freed")                                                             \
    EVENT(FINALIZER, "finalizer", "object's address", "type's address")                                                \
    EVENT(RESURRECTION, "resurrection", "object's address", "type's address")                                          \
    EVENT(HEAP_GROWTH, "heap", "bytes committed", "bytes committed before") /* seen at the end of a collection */      \
    EVENT(OUT_OF_MEMORY, "out of memory", "bytes asked for", "1: given up")

typedef enum hwr_event_kind {
#define HWRI_EVENT(name, label, value, other) HWR_EVENT_##name,
    HWR_EVENTS(HWRI_EVENT)
#undef HWRI_EVENT
        HWR_EVENT_KINDS
} hwr_event_kind;

typedef struct hwr_event {
    hwr_event_kind kind;
    uint64_t time; /* nanoseconds, monotonic */
    uint64_t value, other;
} hwr_event;

/* Calls `listener` for the events whose bits (1 << kind) are set in `kinds`. Returns false without memory. */
typedef void (*hwr_event_listener)(hwr_heap *heap, const hwr_event *event, void *context);
HWR_API bool hwr_listen(hwr_heap *heap, uint64_t kinds, hwr_event_listener listener, void *context);
HWR_API bool hwr_unlisten(hwr_heap *heap, hwr_event_listener listener, void *context); /* false: it did not listen */

/* "COLLECTION_BEGIN" for HWR_EVENT_COLLECTION_BEGIN, and so on; NULL for a number that is no event. */
HWR_API const char *hwr_event_name(hwr_event_kind kind);

/* What has happened since the heap was opened. */
typedef struct hwr_counters {
    uint64_t collections;        /* of any generation */
    uint64_t collected;          /* objects freed by them; 0 on a tracing heap */
    uint64_t resurrected;        /* objects that finalizers brought back in a collection */
    uint64_t finalizers;         /* called, at any time */
    uint64_t weak_callbacks;     /* called, at any time */
    uint64_t pause_ns;           /* in collections, all together */
    uint64_t longest_pause_ns;   /* in one of them */
    uint64_t collections_failed; /* for want of scratch memory */
} hwr_counters;
HWR_API void hwr_get_counters(const hwr_heap *heap, hwr_counters *counters);

/* Writes the heap's events to a file in the Chrome trace event format, which chrome://tracing, ui.perfetto.dev and speedscope.app open, until the heap is closed
 * or the trace is ended. Returns false, with errno set, when the file cannot be written or without memory; end returns false if writing failed on the way. */
HWR_API bool hwr_trace_begin(hwr_heap *heap, const char *path);
HWR_API bool hwr_trace_end(hwr_heap *heap);

#ifdef __cplusplus
}
#endif

#endif
