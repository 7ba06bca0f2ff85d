/* heap: managed objects.
 *
 * A heap is an instance. On a counting heap, memory is managed as CPython does it: every object carries a count of the
 * references to it and dies the moment that count falls to zero; a collector finds the cycles that counts cannot (collect.h). On a tracing heap it is
 * managed as C# does it: what no root leads to is found and freed later (tracing.h). One program can run on either.
 *
 * The rules of a program that uses it:
 *   - A local variable holds an owned reference: what hwr_new returned, or what was retained. It is released when done with. (On a tracing heap
 *     that does nothing: the collector finds locals on the stack, or by frames.)
 *   - A field of an object is written with hwr_set (or hwr_give, hwr_init) only, and read as any field; what is read is borrowed, and is
 *     retained if it is to outlive the object or the field's next change.
 *   - Every other place (a global, memory from malloc, another heap) holds a handle.
 *   - Nobody counts on an address for identity: hwr_id.
 *
 * Thread rule: a tracing heap is used by every thread attached to it (tracing.h). A counting heap is used by one thread at a time, under the embedder's lock, for everything in this header and in
 * collect.h, weak.h and events.h; a checked heap ends the program when two threads are found in it. Different heaps are independent.
 */
#ifndef HEAPWRIGHT_HEAP_H
#define HEAPWRIGHT_HEAP_H

#include "raw.h"
#include "type.h"

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is said of tracing heaps holds for tiny ones, too, but that they have no generations: every collection is of everything; and objects never move. */
typedef enum hwr_collector {
    HWR_ANY_COLLECTOR, /* what HEAPWRIGHT_COLLECTOR in the environment says, counting, tracing or tiny; if it says nothing, counting */
    HWR_COUNTING = 1, /* CPython's: reference counts, and a collector for cycles */
    HWR_TRACING = 2,  /* C#'s: everything that no root leads to is garbage */
    HWR_TINY = 3      /* MicroPython's: the same with little memory, from a buffer of 64 KiB up */
} hwr_collector;

/* How a tracing heap finds what local variables hold; see tracing.h. */
typedef enum hwr_roots {
    HWR_ROOTS_STACKS, /* the stacks of attached threads are scanned, besides everything that HWR_ROOTS_EXACT names */
    HWR_ROOTS_EXACT   /* frames, slots, handles and callbacks name every root, so every object may move */
} hwr_roots;

/* How large a tracing heap grows before its oldest generation is collected. */
typedef enum hwr_sizing {
    HWR_SIZE_GROWS, /* by half of what lived after the last full collection; memory that it had already is used again, up to four times what lives. Up to the limit */
    HWR_SIZE_FIXED, /* up to the limit, which it must have */
    HWR_SIZE_ADAPTS /* by more the faster the program makes garbage and the longer collections take, so that memory goes where it saves most time (Kirisame and others, "Optimal heap limits", 2022); what is beyond that is given back. Up to the limit */
} hwr_sizing;

/* What to do when there is no memory and a collection did not help: return true if something was freed and the allocation is to be tried
 * again, false to let it return NULL. `size` is the number of bytes asked for. It may release, but not allocate. */
typedef bool (*hwr_out_of_memory)(hwr_heap *heap, size_t size, void *context);

/* All fields but the first may be zero. */
typedef struct hwr_options {
    size_t size; /* sizeof(hwr_options), so that fields can be added */
    hwr_collector collector;
    hwr_raw *raw; /* where memory comes from; NULL: the system, opened and closed with the heap */
    size_t
        limit; /* most bytes that the heap may take, the collector's scratch memory apart; 0: no limit. Only without `raw`, which has its own */
    bool checked; /* find misuse and end the program with a message; also by HEAPWRIGHT_DEBUG=1 in the environment */
    size_t
        stress; /* collect the oldest generation at every Nth allocation of a tracked object; also by HEAPWRIGHT_STRESS=N. 0: no */
    hwr_out_of_memory on_out_of_memory;
    void *context; /* for on_out_of_memory */
    /* Of a tracing heap. */
    hwr_roots roots;
    hwr_sizing sizing;
    size_t
        nursery; /* bytes of young objects, rounded up to whole pages of 4 KiB; 0: about the size of the second-level cache */
    bool unmoving; /* objects never move; generations are told apart by their marks */
    bool
        move_always; /* new objects are always young unless they are large, and every collection moves all the young that may move, and a full one all that may move, as far as there is memory for it: finds references that the collector was not told of. Not together with `unmoving` */
    bool
        manual_finalizers; /* finalizers run inside hwr_run_finalizers and hwr_wait_for_finalizers only; otherwise on a thread of the heap's */
    unsigned
        marking_threads; /* so many mark in a full collection, the one that collects among them; 0: one; more than 16: 16. The others are the heap's own, are started when there is much to mark, and sleep in between */
} hwr_options;

/* Opens a heap. Returns NULL when the options make no sense or when there is no memory. */
HWR_API hwr_heap *hwr_heap_open(const hwr_options *options);

/* Ends the heap and gives back all of its memory, whatever is still alive in it; no finalizer and no callback runs. (Collect first, if they are to.)
 * In a checked heap nothing more is found. NULL is allowed. */
HWR_API void hwr_heap_close(hwr_heap *heap);

/* ---- objects ---- */

/* A new object, zeroed, with one reference that the caller owns. May collect first (so finalizers and callbacks may run). Returns NULL
 * when there is no memory even after a collection and on_out_of_memory, or when the type makes no sense. Inline on a tracing heap, if the compiler knows the type. */
static inline void *hwr_new(hwr_heap *heap, const hwr_type *type);

/* The same of a type with items: `length` of them, zeroed, and the object's own length field set. Also NULL when that is too large. */
static inline void *hwr_new_items(hwr_heap *heap, const hwr_type *type, size_t length);

/* One more reference to the object, or one less; at none the object dies at once: its finalizer runs, weak references to it
 * are cleared, its own references are given up, its memory is free. However long the chain of deaths, the C stack does not grow.
 * NULL is allowed. Inline: a few instructions. */
static inline void hwr_retain(hwr_heap *heap, const void *object);
static inline void hwr_release(hwr_heap *heap, const void *object);

/* Stores `value` (an object of the same heap, or NULL) into a field of `object`: hwr_set(heap, node, &node->next, other). The field owns a reference of its own; what it
 * held before is released. hwr_give does the same but takes over the caller's reference instead of adding one. The types must agree. */
#define hwr_set(heap, object, field, value)                                                                            \
    ((void)sizeof(*(field) = (value)), hwri_set((heap), (object), (field), (value)))
#define hwr_give(heap, object, field, value)                                                                           \
    ((void)sizeof(*(field) = (value)), hwri_give((heap), (object), (field), (value)))

/* hwr_give for a field that holds NULL, as those of a new object do: it does not look at what is there, and costs what an assignment costs. */
#define hwr_init(heap, object, field, value)                                                                           \
    ((void)sizeof(*(field) = (value)), hwri_init((heap), (object), (field), (value)))

/* A number that no other object that lives at the same time has; the same all the object's life. On a tracing heap, where it is kept in a table, 0 without memory. */
HWR_API uint64_t hwr_id(hwr_heap *heap, const void *object);

/* Makes an object immortal: from now on retaining and releasing it changes nothing, and it is never freed before the heap is closed. Returns false
 * without memory. */
HWR_API bool hwr_make_immortal(hwr_heap *heap, void *object);

/* The number of references to an object; HWR_IMMORTAL if it is. (On a tracing heap nobody counts: 1.) Its type. Its size in bytes, without what the heap adds or with it. */
#define HWR_IMMORTAL SIZE_MAX
HWR_API size_t hwr_refcount(hwr_heap *heap, const void *object);
static inline const hwr_type *hwr_type_of(const void *object);
HWR_API size_t hwr_sizeof(hwr_heap *heap, const void *object, bool with_header);

/* ---- handles: for every place that is neither a local variable nor a field ---- */

/* A handle owns one reference to an object, or none (NULL). */
typedef struct hwr_handle hwr_handle;
HWR_API hwr_handle *hwr_handle_new(hwr_heap *heap, void *object);       /* adds a reference; NULL without memory */
HWR_API void *hwr_handle_get(hwr_heap *heap, const hwr_handle *handle); /* borrowed */
HWR_API void hwr_handle_set(hwr_heap *heap, hwr_handle *handle, void *object);
HWR_API void hwr_handle_free(hwr_heap *heap, hwr_handle *handle); /* releases the reference; NULL is allowed */

/* ---- blocks that are not objects: malloc, accounted to the heap ---- */

/* As malloc, realloc and free; at least 16 bytes aligned. May collect when memory is short. */
HWR_API void *hwr_alloc(hwr_heap *heap, size_t size);
HWR_API void *hwr_realloc(hwr_heap *heap, void *block, size_t size);
HWR_API void hwr_free(hwr_heap *heap, void *block);

/* ---- looking at a heap ---- */

typedef struct hwr_heap_stats {
    size_t objects;      /* alive: a number */
    size_t tracked;      /* those of them that the collector looks at */
    size_t object_bytes; /* bytes of them, headers included */
    size_t page_bytes;   /* bytes of the pages that hold objects */
    size_t blocks;       /* from hwr_alloc: a number; the heap's own tables are among them */
    size_t block_bytes;
    size_t committed; /* memory that the heap has from raw */
    size_t peak_committed;
    size_t limit; /* 0: none */
} hwr_heap_stats;
/* Walks the heap; so a tracing heap is collected first. There the figures of objects are 0 if the calling thread is not attached. */
HWR_API void hwr_heap_get_stats(hwr_heap *heap, hwr_heap_stats *stats);

/* Calls `visit` for every object alive, until it returns false. It must not use the heap but to look at objects. Returns false if it was stopped. A tracing heap is
 * collected first, and all threads stand still until the walk is over, so that nothing moves; false also if the calling thread is not attached. */
typedef bool (*hwr_object_visitor)(void *context, void *object);
HWR_API bool hwr_heap_walk(hwr_heap *heap, hwr_object_visitor visit, void *context);

/* Checks everything that can be: the pools, every header, that every reference leads to a live object of this heap, that no count is less
 * than the references found, the tables of counts and weak references. On a tracing heap, which is not collected for it: everything that roots lead to, every header, piece and block, that what is old
 * and refers to something young is remembered, the tables of handles; all threads stand still meanwhile. Returns true if all is well; otherwise false, and *problem (which may be NULL) says
 * what is wrong, in static storage. Needs memory for its own counts, and says so if it has none. */
HWR_API bool hwr_heap_verify(hwr_heap *heap, const char **problem);

/* Gives back free memory; see hwr_pool_trim. Returns bytes. Collects nothing: after a collection there is more to give. */
HWR_API size_t hwr_heap_trim(hwr_heap *heap);

/* ---- what the inline functions are made of; not to be used ---- */

/* The word in front of an object, from the top: 12 bits of count, 4 flags, 48 bits with the type's address and, since that is a multiple of
 * eight, three more flags. A count that outgrows its bits is kept in a table. */
#define HWRI_COUNT_ONE (UINT64_C(1) << 52)
#define HWRI_TYPE_MASK ((UINT64_C(1) << 48) - 8)

/* On a tracing heap the bits of the count say what is known of an object; see object/header.h. */
#define HWRI_ALIVE (UINT64_C(1) << 63) /* in the header of every object that has not moved away */
#define HWRI_TRACK (UINT64_C(1) << 60) /* stores into it have to be looked at: it is old, and not remembered */

/* The beginning of a heap: what the inline functions need. */
enum { HWRI_COUNTS = 0, HWRI_COUNTS_CHECKED = 1, HWRI_TRACES = 2, HWRI_TRACES_CHECKED = 3 };
typedef struct hwri_face {
    uint8_t mode;
    bool stopping; /* tracing: a collection waits for all threads to stop */
    uintptr_t
        young; /* tracing: references to addresses from here on, for so many bytes, are remembered when they are stored into */
    uintptr_t young_size; /* objects with HWRI_TRACK */
} hwri_face;

/* What a thread attached to a tracing heap has: the room that it allocates from without asking anybody. */
typedef struct hwri_thread {
    hwr_heap *heap;
    uintptr_t bump;
    uintptr_t limit; /* 0 stops the thread at its next allocation; written by others, too */
    uint64_t birth;  /* the header of a new object, without its type */
    void *frames;
} hwri_thread;

HWR_API void *hwri_new(hwr_heap *heap, const hwr_type *type);
HWR_API void *hwri_new_items(hwr_heap *heap, const hwr_type *type, size_t length);
HWR_API void hwri_retain_slow(hwr_heap *heap, const void *object);
HWR_API void hwri_release_slow(hwr_heap *heap, const void *object);
typedef enum hwri_store { HWRI_SET, HWRI_GIVE, HWRI_INIT } hwri_store;
HWR_API void hwri_set_slow(hwr_heap *heap, void *object, void *field, void *value, hwri_store how);
HWR_API void hwri_count_is_zero(hwr_heap *heap, const void *object);
HWR_API void hwri_remember(hwr_heap *heap, void *object, void *field);
HWR_API void hwri_poll_slow(hwr_heap *heap);
HWR_API hwri_thread *hwri_thread_attached(hwr_heap *heap); /* the calling thread's, which is attached */

#if defined(__GNUC__)
#define HWRI_LIKELY(x) __builtin_expect(!!(x), 1)
#else
#define HWRI_LIKELY(x) (x)
#endif

/* The thread's record of the tracing heap that it used last. */
#if defined(__GNUC__) && !defined(_WIN32)
extern HWR_API __thread __attribute__((tls_model("initial-exec"))) hwri_thread *hwri_here;
typedef void *__attribute__((may_alias)) hwri_field;
#endif

static inline const hwri_face *hwri_face_of(const hwr_heap *heap) { return (const hwri_face *)(const void *)heap; }

/* A program that knows which collector its heaps have may define HWR_COLLECTOR as its name before it includes this. */
static inline uint8_t hwri_heap_mode(const hwr_heap *heap) {
    uint8_t mode = hwri_face_of(heap)->mode;
#if defined(HWR_COLLECTOR) && defined(__GNUC__)
    if ((mode & HWRI_TRACES) != (HWR_COLLECTOR == HWR_COUNTING ? 0 : HWRI_TRACES)) __builtin_unreachable();
#endif
    return mode;
}
static inline bool hwri_counts_inline(const hwr_heap *heap) { return hwri_heap_mode(heap) == HWRI_COUNTS; }
static inline bool hwri_is_tracing(const hwr_heap *heap) { return (hwri_heap_mode(heap) & HWRI_TRACES) != 0; }

static inline hwri_thread *hwri_thread_of(hwr_heap *heap) {
#if defined(__GNUC__) && !defined(_WIN32)
    if (HWRI_LIKELY(hwri_here->heap == heap)) return hwri_here;
#endif
    return hwri_thread_attached(heap);
}

static inline uint64_t *hwri_header(const void *object) { return (uint64_t *)(uintptr_t)object - 1; }

/* Its value, where another thread may be changing a flag: any thread that stores into an object of a tracing heap may. */
static inline uint64_t hwri_header_now(const void *object) {
#if defined(__GNUC__)
    return __atomic_load_n(hwri_header(object), __ATOMIC_RELAXED);
#else
    return *hwri_header(object);
#endif
}

static inline void hwri_retain_inline(hwr_heap *heap, const void *object) {
    uint64_t header = *hwri_header(object) + HWRI_COUNT_ONE;
    if (HWRI_LIKELY(header >= HWRI_COUNT_ONE))
        *hwri_header(object) = header;
    else
        hwri_retain_slow(heap, object);
}

static inline void hwri_release_inline(hwr_heap *heap, const void *object) {
    uint64_t header = *hwri_header(object) - HWRI_COUNT_ONE;
    *hwri_header(object) = header;
    if (header < HWRI_COUNT_ONE) hwri_count_is_zero(heap, object);
}

static inline void hwr_retain(hwr_heap *heap, const void *object) {
    if (!object) return;
    if (hwri_counts_inline(heap))
        hwri_retain_inline(heap, object);
    else if (hwri_heap_mode(heap) != HWRI_TRACES)
        hwri_retain_slow(heap, object);
}

static inline void hwr_release(hwr_heap *heap, const void *object) {
    if (!object) return;
    if (hwri_counts_inline(heap))
        hwri_release_inline(heap, object);
    else if (hwri_heap_mode(heap) != HWRI_TRACES)
        hwri_release_slow(heap, object);
}

/* A store on a tracing heap. What an old object refers to in the nursery is remembered, since a collection of the nursery does not look at old
 * objects: once for each object and collection (the flag of PyPy's incminimark, doc.pypy.org/en/latest/gc_info.html). While marking is incremental, all
 * addresses will count as young. */
static inline void hwri_store_traced(hwr_heap *heap, void *object, void *field, void *value) {
#if defined(__GNUC__) && !defined(_WIN32)
    __atomic_store_n((hwri_field *)field, value, __ATOMIC_RELEASE);
    /* The value first: the object itself need not be in the cache. */
    if (!HWRI_LIKELY((uintptr_t)value - hwri_face_of(heap)->young >= hwri_face_of(heap)->young_size) &&
        hwri_header_now(object) & HWRI_TRACK)
        hwri_remember(heap, object, field);
#else
    hwri_set_slow(heap, object, field, value, HWRI_SET);
#endif
}

/* Pointers go in and out of a field as bytes, since its type is not known here. */
static inline void hwri_give(hwr_heap *heap, void *object, void *field, void *value) {
    void *old;
    if (hwri_heap_mode(heap) == HWRI_TRACES) {
        hwri_store_traced(heap, object, field, value);
        return;
    }
    if (!hwri_counts_inline(heap)) {
        hwri_set_slow(heap, object, field, value, HWRI_GIVE);
        return;
    }
    memcpy(&old, field, sizeof old);
    memcpy(field, &value, sizeof value);
    if (old) hwri_release_inline(heap, old);
}

static inline void hwri_set(hwr_heap *heap, void *object, void *field, void *value) {
    if (hwri_heap_mode(heap) == HWRI_TRACES) {
        hwri_store_traced(heap, object, field, value);
        return;
    }
    if (!hwri_counts_inline(heap)) {
        hwri_set_slow(heap, object, field, value, HWRI_SET);
        return;
    }
    if (value) hwri_retain_inline(heap, value);
    hwri_give(heap, object, field, value);
}

static inline void hwri_init(hwr_heap *heap, void *object, void *field, void *value) {
    if (hwri_counts_inline(heap))
        memcpy(field, &value, sizeof value);
    else if (hwri_heap_mode(heap) == HWRI_TRACES)
        hwri_store_traced(heap, object, field, value);
    else
        hwri_set_slow(heap, object, field, value, HWRI_INIT);
}

/* Objects of a simple type are made in the thread's own room: one that needs nothing but to be zeroed, and perhaps told its length. */
enum { HWRI_SIMPLE_MOST = 1024 };
static inline bool hwri_is_simple(const hwr_type *type) {
    return !type->finalize && type->alignment != 16 && type->size - 1 < HWRI_SIMPLE_MOST &&
           !(type->flags & HWRI_TYPE_SPECIAL);
}

#if defined(__GNUC__) && !defined(_WIN32)
/* Room for so many bytes, header included and written, in what the thread has at hand; NULL: there is none. */
static inline uint64_t *hwri_take_at_hand(hwr_heap *heap, const hwr_type *type, size_t size) {
    hwri_thread *thread = hwri_here;
    uintptr_t start = thread->bump;
    if (!HWRI_LIKELY(thread->heap == heap && start + size <= __atomic_load_n(&thread->limit, __ATOMIC_RELAXED)))
        return NULL;
    uint64_t *header = (uint64_t *)start;
    thread->bump = start + size;
    *header = (uint64_t)(uintptr_t)type | thread->birth;
    return header;
}
#endif

static inline void *hwr_new(hwr_heap *heap, const hwr_type *type) {
#if defined(__GNUC__) && !defined(_WIN32)
    bool simple = hwri_is_simple(type) && !type->item_size;
    if (__builtin_constant_p(simple) && simple && hwri_heap_mode(heap) == HWRI_TRACES) {
        size_t size = ((size_t)type->size + 7) / 8 * 8 + 8;
        uint64_t *header = hwri_take_at_hand(heap, type, size);
        if (HWRI_LIKELY(header != NULL)) return memset(header + 1, 0, size - 8);
    }
#endif
    return hwri_new(heap, type);
}

static inline void *hwr_new_items(hwr_heap *heap, const hwr_type *type, size_t length) {
#if defined(__GNUC__) && !defined(_WIN32)
    bool simple = hwri_is_simple(type) && type->item_size && type->item_size <= HWRI_SIMPLE_MOST;
    if (__builtin_constant_p(simple) && simple && hwri_heap_mode(heap) == HWRI_TRACES &&
        length <= HWRI_SIMPLE_MOST / type->item_size) {
        size_t size = type->items_offset + length * type->item_size;
        size = ((size > type->size ? size : type->size) + 7) / 8 * 8 + 8;
        uint64_t *header = hwri_take_at_hand(heap, type, size);
        if (HWRI_LIKELY(header != NULL)) {
            for (size_t i = 1; i < size / 8; i++) header[i] = 0;
            memcpy((char *)(header + 1) + type->length_offset, &length, sizeof length);
            return header + 1;
        }
    }
#endif
    return hwri_new_items(heap, type, length);
}

static inline const hwr_type *hwr_type_of(const void *object) {
    return (const hwr_type *)(uintptr_t)(hwri_header_now(object) & HWRI_TYPE_MASK);
}

#ifdef __cplusplus
}
#endif

#endif
