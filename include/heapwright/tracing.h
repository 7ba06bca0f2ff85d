/* tracing: C#'s managed heap (learn.microsoft.com/dotnet/standard/garbage-collection).
 *
 * A heap opened with HWR_TRACING finds its garbage by itself: whatever no root leads to goes, at some later time. Young objects lie in a
 * nursery and are collected often; those that survive move up, to generation 1, then 2. Finalizers run later, in no promised order, on a
 * thread of their own or when the program asks; a later collection frees what they leave. hwr_retain and hwr_release do nothing.
 *
 * Roots are
 *   - the stacks and registers of attached threads, scanned (HWR_ROOTS_STACKS): what a word on a stack leads into, at its start or its middle, stays, and stays where it is;
 *   - or, exactly (HWR_ROOTS_EXACT), the slots of frames, and what the program's root callbacks show: then every object may move
 *     whenever the heap is called with an allocation, a collection or a poll, and the slots are changed to where it is. A local variable that is in no
 *     frame is stale after such a call;
 *   - registered slots, and handles.
 *
 * Thread rule: a tracing heap is used by any number of threads at once, each attached to it; the one that opens it is attached. Two threads that use the same
 * field must agree on it as in any C program. Exceptions are said.
 */
#ifndef HEAPWRIGHT_TRACING_H
#define HEAPWRIGHT_TRACING_H

#include "collect.h"
#include "heap.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- threads ---- */

/* Attaches the calling thread, so that it may use the heap. With HWR_ROOTS_STACKS its stack is scanned, up to its beginning as the system tells it. Returns false without memory, or if
 * the system does not tell. Attaching twice is counted. On a counting heap it does nothing and returns true. */
HWR_API bool hwr_thread_attach(hwr_heap *heap);

/* Ends what hwr_thread_attach began; objects that only this thread's stack led to are garbage then. A thread that ends is detached by itself. */
HWR_API void hwr_thread_detach(hwr_heap *heap);

/* Around a call that may take long and does not use the heap (reading, waiting): collections do not wait for this thread meanwhile. Between the two, the thread must not touch any object. What was on
 * its stack when it left stays alive. hwr_return waits while a collection is under way. */
HWR_API void hwr_leave(hwr_heap *heap);
HWR_API void hwr_return(hwr_heap *heap);

/* Lets a collection happen that another thread waits for. Allocation does that, too; a long loop without any should call this. Inline: a load and a branch. */
static inline void hwr_poll(hwr_heap *heap);

/* ---- stacks of coroutines and fibres ---- */

/* Memory that the calling program switches stacks to. `low` and `size` are its lowest address and its bytes. While it is registered and not running it is scanned from
 * the stack pointer that was last told (everything, if none was) to its end. The program tells where a stack stands when it switches away from it, having
 * saved its registers there, and says NULL when it switches to it. NULL without memory. */
typedef struct hwr_stack hwr_stack;
HWR_API hwr_stack *hwr_stack_register(hwr_heap *heap, void *low, size_t size);
HWR_API void hwr_stack_switched(hwr_heap *heap, hwr_stack *from, const void *stack_pointer,
                                hwr_stack *to); /* NULL: the thread's own */
HWR_API void hwr_stack_unregister(hwr_heap *heap, hwr_stack *stack);

/* ---- exact roots ---- */

/* A frame names local variables of a function to the collector. It lies on the C stack, followed by its slots:
 *
 *     struct { hwr_frame frame; Node *left, *right; } here = {0};
 *     hwr_frame_push(heap, &here.frame, 2);
 *     here.left = hwr_new(heap, &node_type); ...
 *     hwr_frame_pop(heap, &here.frame);
 *
 * Frames of a thread end in the opposite order of their beginning. Inline; on a counting heap they cost a branch. */
typedef struct hwr_frame hwr_frame;
struct hwr_frame {
    hwr_frame *previous;
    size_t count; /* of the pointers that follow */
};
static inline void hwr_frame_push(hwr_heap *heap, hwr_frame *frame, size_t slots);
static inline void hwr_frame_pop(hwr_heap *heap, hwr_frame *frame);

/* A slot outside the heap (a global variable, say) that holds an object or NULL: what it holds stays, and it is changed when the object moves.
 * On a counting heap its reference is owned by the program as any other. False without memory, or if it is (not) registered already. */
HWR_API bool hwr_root_add(hwr_heap *heap, void *slot);
HWR_API bool hwr_root_remove(hwr_heap *heap, void *slot);

/* Calls `show` in every collection; it shows each of its slots to the visitor (HWR_VISIT), as a trace function does. For an interpreter's own stacks. It must not use the heap. */
typedef void (*hwr_root_callback)(hwr_heap *heap, hwr_visitor *visitor, void *context);
HWR_API bool hwr_roots_add(hwr_heap *heap, hwr_root_callback show, void *context);    /* false without memory */
HWR_API bool hwr_roots_remove(hwr_heap *heap, hwr_root_callback show, void *context); /* false: there was none */

/* ---- generations ---- */

/* How a collection is to be done (System.GCCollectionMode). Every one stops the threads until it is over, so BLOCKING adds nothing yet. */
typedef enum hwr_collection_mode {
    HWR_COLLECT_DEFAULT,   /* as FORCED */
    HWR_COLLECT_FORCED,    /* now */
    HWR_COLLECT_OPTIMIZED, /* only if it is worth while: a quarter of the nursery is used; or, for the oldest, the heap has grown by a quarter since it was last collected */
    HWR_COLLECT_BLOCKING,
    HWR_COLLECT_COMPACTING, /* as FORCED; and of HWR_OLDEST, where objects may move: marks twice if need be, moves the objects in blocks that are not nearly full together, and gives back the blocks that this makes free. Large objects stay where they are */
    HWR_COLLECT_AGGRESSIVE  /* as COMPACTING, and gives back all free memory */
} hwr_collection_mode;

/* Collects `generation` (0, 1 or HWR_OLDEST) and all younger ones. Returns whether that was done: not if it is not worth while (HWR_COLLECT_OPTIMIZED),
 * and on a heap that scans stacks not if there is no memory to note what they lead to; the younger generations have been collected then. hwr_collect(heap, generation) is the
 * same with HWR_COLLECT_FORCED; on a tracing heap it returns 0, since nobody counts what was left behind. */
HWR_API bool hwr_collect_with(hwr_heap *heap, int generation, hwr_collection_mode mode);

/* The generation that an object belongs to: 0, 1 or 2; large objects (from about 8 KiB on) are of generation 2 from the beginning. On a counting heap 2 also for what is not tracked. */
HWR_API int hwr_generation_of(hwr_heap *heap, const void *object);

/* How many collections there have been that collected this generation (those of older ones are among them: GC.CollectionCount). */
HWR_API uint64_t hwr_collection_count(hwr_heap *heap, int generation);

/* ---- handles ---- */

/* What a handle does to its object (System.Runtime.InteropServices.GCHandleType). hwr_handle_new makes a strong one. hwr_handle_get, hwr_handle_set and hwr_handle_free (heap.h) are for all kinds;
 * the object is NULL after the handle was cleared. On a counting heap pinned ones are strong, and both weak ones are cleared when the object dies. */
typedef enum hwr_handle_kind {
    HWR_HANDLE_STRONG,     /* keeps it */
    HWR_HANDLE_WEAK_SHORT, /* does not; is cleared when nothing leads to the object but finalizers to come */
    HWR_HANDLE_WEAK_LONG,  /* does not; is cleared when the object is freed, after its finalizer and a resurrection */
    HWR_HANDLE_PINNED,     /* keeps it, and where it is */
    HWR_HANDLE_DEPENDENT   /* does not, but keeps its second object while the first one lives (an ephemeron) */
} hwr_handle_kind;

/* A handle of any kind, in memory that no collector knows; `object` (and `second`) may be NULL. Both return NULL without memory. hwr_handle_free ends it. Collections of the young look only at handles whose objects may be
 * young. On a counting heap a second object that leads to the first keeps it alive for ever, and hwr_handle_set of a weak or dependent handle may find no memory: then it holds NULL. */
HWR_API hwr_handle *hwr_handle_new_kind(hwr_heap *heap, void *object, hwr_handle_kind kind);
HWR_API hwr_handle *hwr_handle_new_dependent(hwr_heap *heap, void *object, void *second);

/* The second object of a dependent handle: borrowed; NULL if there is none or the first is dead. Setting it does nothing for a handle of another kind, or if the first is dead or NULL. hwr_handle_set with NULL
 * also forgets the second. */
HWR_API void *hwr_handle_second(hwr_heap *heap, const hwr_handle *handle);
HWR_API void hwr_handle_set_second(hwr_heap *heap, hwr_handle *handle, void *second);

/* ---- finalizers ----
 *
 * An object whose type has a finalizer and that nothing leads to is put into a queue, with all that it leads to, in the collection that finds it: what is queued is a root until its finalizer has returned. Short weak
 * handles and weak references (weak.h) to all of these are cleared before. Finalizers are called one after the other some time later, in no promised order but for those of types with HWR_CRITICAL, which come after all others
 * of the same collection: on a thread of the heap's, which is started when the first is queued, or with `manual_finalizers` in hwr_run_finalizers and hwr_wait_for_finalizers.
 *
 * A finalizer may use the heap as any function, and may store the object somewhere (resurrection): then it lives on, and no finalizer is called for it again unless hwr_reregister_finalizer says so. If one has been under
 * way for a tenth of a second, another thread goes on with the others; if one ends its thread, too. One that waits for something must leave the heap meanwhile (hwr_leave), as always, or the next collection waits
 * for it. A finalizer must not close the heap. Where no thread can be started, those queued wait for hwr_wait_for_finalizers or hwr_run_finalizers.
 *
 * hwr_heap_close ends the threads: it waits for finalizers under way, and calls none of those that are left. A child of fork has none of these threads, and must not use or close a tracing heap: it may exec or _exit. */

/* It will not be called, unless it has begun. Nothing happens if the object's is not to be called anyway. */
HWR_API void hwr_suppress_finalizer(hwr_heap *heap, void *object);

/* It will be called (again) when the object is next found dead; once, however often this is said. If the object is in the queue, it will be called for that. False without memory, or if the type has none. */
HWR_API bool hwr_reregister_finalizer(hwr_heap *heap, void *object);

/* Waits until the queue is empty and the last finalizer has returned, those queued meanwhile included; with `manual_finalizers`, runs them. From within a finalizer it returns at once. */
HWR_API void hwr_wait_for_finalizers(hwr_heap *heap);

/* Runs at most `most` queued finalizers (0: all) in the calling thread; returns how many. On a counting heap, 0. */
HWR_API size_t hwr_run_finalizers(hwr_heap *heap, size_t most);

/* How many objects are in the queue. */
HWR_API size_t hwr_finalizers_pending(hwr_heap *heap);

/* The object is alive at least up to here, whatever the compiler thinks (GC.KeepAlive). */
static inline void hwr_keep_alive(const void *object);

/* ---- memory ---- */

typedef struct hwr_generation_info {
    size_t size_before, size_after;                   /* bytes, as of the collection */
    size_t fragmentation_before, fragmentation_after; /* bytes of free room between objects */
} hwr_generation_info;

/* The last collection of a kind (System.GCMemoryInfo). Sizes in bytes, times in nanoseconds. */
typedef struct hwr_memory_info {
    uint64_t index; /* which collection it was, from 1 on; 0: there has been none */
    int generation;
    bool compacted;
    uint64_t pause;
    double pause_percentage; /* of the time since the heap was opened, in all collections */
    size_t heap_size;        /* of all generations, after it */
    size_t fragmented;
    size_t committed;      /* memory that the heap has, everything included */
    size_t promoted;       /* bytes that survived it and moved up */
    size_t pinned_objects; /* that could not move */
    size_t finalization_pending;
    size_t memory_load;                 /* bytes of memory in use on the machine or in its control group */
    size_t total_available;             /* memory that the heap may use: the limit, or the machine's */
    hwr_generation_info generations[4]; /* 0, 1, 2, large objects */
} hwr_memory_info;
typedef enum hwr_memory_info_kind { HWR_INFO_ANY, HWR_INFO_YOUNG, HWR_INFO_FULL } hwr_memory_info_kind;
/* The information of a collection is that of its end; what is pending, the memory load and what is available is as of now. `kind` says whether the last collection of any generation is meant, of generation 0 or 1, or a full one. A counting heap
 * has only the latter two. Any thread. */
HWR_API void hwr_get_memory_info(hwr_heap *heap, hwr_memory_info_kind kind, hwr_memory_info *info);

/* Bytes allocated for objects since the heap was opened, by all threads or by the calling one. `precise` counts up to this moment, for which it stops all threads; otherwise up to
 * each thread's last visit to the heap. On a counting heap: 0. */
HWR_API uint64_t hwr_allocated_bytes(hwr_heap *heap, bool precise);
HWR_API uint64_t hwr_allocated_bytes_here(hwr_heap *heap);

/* Tells of memory outside the heap that goes when an object dies: it counts as allocated, so that collections come sooner; adding may collect. What is
 * added is removed in the end. `bytes` is a number of bytes. Any thread. On a counting heap nothing. */
HWR_API void hwr_add_memory_pressure(hwr_heap *heap, size_t bytes);
HWR_API void hwr_remove_memory_pressure(hwr_heap *heap, size_t bytes);

/* ---- what the inline functions are made of; not to be used ---- */

HWR_API void hwri_frame_push_slow(hwr_heap *heap, hwr_frame *frame, size_t slots);
HWR_API void hwri_frame_pop_slow(hwr_heap *heap, hwr_frame *frame);

static inline void hwr_poll(hwr_heap *heap) {
    if (!HWRI_LIKELY(!__atomic_load_n(&hwri_face_of(heap)->stopping, __ATOMIC_RELAXED))) hwri_poll_slow(heap);
}

static inline void hwr_frame_push(hwr_heap *heap, hwr_frame *frame, size_t slots) {
    if (!hwri_is_tracing(heap)) return;
    if (hwri_heap_mode(heap) != HWRI_TRACES) {
        hwri_frame_push_slow(heap, frame, slots);
        return;
    }
    hwri_thread *thread = hwri_thread_of(heap);
    frame->previous = (hwr_frame *)thread->frames;
    frame->count = slots;
    thread->frames = frame;
}

static inline void hwr_frame_pop(hwr_heap *heap, hwr_frame *frame) {
    if (hwri_heap_mode(heap) == HWRI_TRACES)
        hwri_thread_of(heap)->frames = frame->previous;
    else if (hwri_is_tracing(heap))
        hwri_frame_pop_slow(heap, frame);
}

static inline void hwr_keep_alive(const void *object) {
#if defined(__GNUC__)
    __asm__ volatile("" : : "g"(object) : "memory");
#else
    static const void *volatile kept;
    kept = object;
#endif
}

#ifdef __cplusplus
}
#endif

#endif
