/* clr.h: the interface of the .NET runtime (CoreCLR) to a collector that it loads, in C.
 *
 * The runtime declares it in C++ (dotnet/runtime, src/coreclr/gc/gcinterface.h and gcinterface.ee.h, gcinterface.dac.h). Here it is as the C++ ABI of
 * Linux on x86-64 lays it out: an object with virtual functions is a structure whose first word leads to a table of pointers to functions, in the order of
 * their declaration; the object is the first argument. Every offset, size and slot is asserted, so that a slip does not compile. It is that of .NET 10: version 5.5 of the
 * collector's part. What the runtime calls may be appended to, so our tables are longer than the contract (traps.h).
 *
 * bool is one byte, 0 or 1; every enumeration is an int; "gen" is a generation, where not said otherwise -1 is all of them.
 *
 * Words of the runtime's that are kept: EE, the execution engine, is the runtime that loads us; *cooperative* is a thread that may touch objects and must come to a safe point
 * before the world can be stopped; *preemptive* is one that does not touch them, and is not waited for. */
#ifndef CLR_H
#define CLR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if !defined(__x86_64__) || !defined(__linux__)
#error "The runtime's interface is written down for Linux on x86-64 only"
#endif

#define CLR_AT(type, field, offset) _Static_assert(offsetof(type, field) == (offset), #type "." #field)
#define CLR_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)

/* ---- versions ---- */

/* On entry to GC_VersionInfo `major` is that of the EE's part; what we answer is that of ours. The runtime refuses a collector of a lower major version. */
typedef struct clr_version {
    uint32_t major, minor, build;
    const char *name;
} clr_version;
CLR_AT(clr_version, name, 0x10);
CLR_SIZE(clr_version, 0x18);

enum {
    CLR_GC_MAJOR = 5,
    CLR_GC_MINOR = 5,
    CLR_EE_LEAST = 3, /* of the EE's part: has every slot of the table below */
    CLR_EE_MOST = 4   /* from 5 on there is more than we know */
};

/* Results, as Windows has them. */
typedef int32_t clr_result;
enum {
    CLR_OK = 0,
    CLR_FAIL = INT32_MIN + 0x4005 /* 0x80004005 */,
    CLR_NO_MEMORY = INT32_MIN + 0x7000E /* 0x8007000E */
};

/* ---- objects ---- */

/* A type. Only these two words may be read, and what CLR_HAS_POINTERS says lies below: the series of references (clr_series). */
typedef struct clr_method_table {
    uint32_t flags;     /* the lower half is the size of an item if CLR_HAS_ITEMS */
    uint32_t base_size; /* of an object without items, its header included */
} clr_method_table;
CLR_AT(clr_method_table, base_size, 4);
CLR_SIZE(clr_method_table, 8);

#define CLR_HAS_ITEMS UINT32_C(0x80000000)
enum {
    CLR_ITEM_SIZE = 0xFFFF,
    CLR_CRITICAL = 0x2, /* its finalizer runs after all others; says something only without CLR_HAS_ITEMS */
    CLR_CATEGORY = 0xC0000,
    CLR_CATEGORY_VALUE = 0x40000,
    CLR_CATEGORY_ARRAY = 0x80000,
    CLR_HAS_FINALIZER = 0x100000,
    CLR_COLLECTIBLE = 0x200000, /* an object keeps the managed object of its LoaderAllocator alive */
    CLR_HAS_POINTERS = 0x1000000
};

/* An object. Its address is that of the method table's; the header word is in the four bytes before, and the object's size includes the eight before: it is in
 * [address - 8, address - 8 + size). All sizes are multiples of 8, at least CLR_LEAST_SIZE. The EE ignores the lower three bits of `type` while the world is stopped. */
typedef struct clr_object {
    const clr_method_table *type;
    uint32_t count; /* of items, if the type has such */
} clr_object;
CLR_AT(clr_object, count, 8);

enum { CLR_HEADER_SIZE = 8, CLR_LEAST_SIZE = 24 };

/* The header word. Running threads change it by compare-and-exchange, so must we. */
enum {
    CLR_HEADER_FINALIZED = 0x40000000, /* finalized, or not to be: SuppressFinalize */
    CLR_HEADER_OURS = 0x20000000       /* for the collector; clear while the world runs */
};

static inline uint32_t *clr_header(const clr_object *object) { return (uint32_t *)(uintptr_t)object - 1; }

static inline size_t clr_object_size(const clr_object *object) {
    const clr_method_table *type = object->type;
    size_t size = type->base_size;
    if (type->flags & CLR_HAS_ITEMS) size += (size_t)object->count * (type->flags & CLR_ITEM_SIZE);
    return (size + 7) & ~(size_t)7;
}

/* Where the references are, if the type has any. The word below the method table is their number n.
 * n > 0: below it are n series. Each is `size` + the object's size bytes of references, from `offset` on.
 * n < 0: below it is one offset and below that -n groups: `pointers` references, then `skip` bytes without. All groups together make one item of an array of structures, and
 * are repeated to the object's end. */
typedef struct clr_series {
    int64_t size; /* less the object's */
    uint64_t offset;
} clr_series;
CLR_SIZE(clr_series, 16);

typedef struct clr_group {
    uint32_t pointers, skip;
} clr_group;
CLR_SIZE(clr_group, 8);

static inline int64_t clr_series_count(const clr_method_table *type) { return ((const int64_t *)type)[-1]; }

/* Series i, from 0. */
static inline const clr_series *clr_series_of(const clr_method_table *type, int64_t i) {
    return (const clr_series *)((uintptr_t)type - sizeof(int64_t)) - 1 - i;
}

static inline uint64_t clr_groups_offset(const clr_method_table *type) { return ((const uint64_t *)type)[-2]; }

/* Group i, from 0. */
static inline const clr_group *clr_group_of(const clr_method_table *type, int64_t i) {
    return (const clr_group *)((uintptr_t)type - 2 * sizeof(int64_t)) - 1 - i;
}

/* ---- structures ---- */

/* What a thread allocates from. The code of its methods takes an object by adding to `bump`, if it ends at `limit` at most; else it calls clr_heap_table.alloc. */
typedef struct clr_alloc_context {
    uint8_t *bump;       /* the next object's address; NULL with `limit`: no window */
    uint8_t *limit;      /* the greatest that `bump` may become */
    int64_t bytes;       /* of the windows that it was given; the EE takes off what is left of the last */
    int64_t bytes_large; /* of large and pinned objects */
    void *own[2];        /* the collector's own */
    int32_t count;
} clr_alloc_context;
CLR_AT(clr_alloc_context, bytes, 0x10);
CLR_AT(clr_alloc_context, bytes_large, 0x18);
CLR_AT(clr_alloc_context, own, 0x20);
CLR_AT(clr_alloc_context, count, 0x30);
CLR_SIZE(clr_alloc_context, 0x38);

/* Flags of an allocation. */
enum {
    CLR_ALLOC_FINALIZE = 0x1,
    CLR_ALLOC_POINTERS = 0x2,
    CLR_ALLOC_UNZEROED = 0x10, /* all but the header may be anything */
    CLR_ALLOC_LARGE = 0x20,
    CLR_ALLOC_PINNED = 0x40
};

/* What goes with a search for roots. `own` is the collector's own. */
typedef struct clr_scan {
    void *thread; /* whose stack it is: the EE's */
    int32_t number, count;
    uintptr_t stack_limit;
    bool promotion, concurrent;
    void *own;
    void *method;
    int32_t root_kind;
} clr_scan;
CLR_AT(clr_scan, number, 0x8);
CLR_AT(clr_scan, stack_limit, 0x10);
CLR_AT(clr_scan, promotion, 0x18);
CLR_AT(clr_scan, concurrent, 0x19);
CLR_AT(clr_scan, own, 0x20);
CLR_AT(clr_scan, root_kind, 0x30);
CLR_SIZE(clr_scan, 0x38);

enum { CLR_ROOT_STACK, CLR_ROOT_FINALIZER, CLR_ROOT_HANDLE, CLR_ROOT_OTHER };

/* Flags of a root that is reported. */
enum { CLR_ROOT_INTERIOR = 1, CLR_ROOT_PINNED = 2 };

/* What the write barrier is to do. The tables are *biased*: the entry of an address is at the table + (the address >> a number). */
typedef struct clr_barrier {
    int32_t operation;
    bool suspended; /* the world stands still */
    bool upper_bound;
    uint32_t *cards;   /* a byte for 2 KiB */
    uint32_t *bundles; /* a byte for 2 MiB */
    uint8_t *lowest, *highest;
    uint8_t *young_low, *young_high;
    uint8_t *written; /* a byte for 4 KiB: where something was written to */
    uint8_t *generations;
    uint8_t generation_shift; /* 0: no table of generations */
    bool bitwise;
} clr_barrier;
CLR_AT(clr_barrier, suspended, 0x4);
CLR_AT(clr_barrier, upper_bound, 0x5);
CLR_AT(clr_barrier, cards, 0x8);
CLR_AT(clr_barrier, bundles, 0x10);
CLR_AT(clr_barrier, lowest, 0x18);
CLR_AT(clr_barrier, highest, 0x20);
CLR_AT(clr_barrier, young_low, 0x28);
CLR_AT(clr_barrier, young_high, 0x30);
CLR_AT(clr_barrier, written, 0x38);
CLR_AT(clr_barrier, generations, 0x40);
CLR_AT(clr_barrier, generation_shift, 0x48);
CLR_AT(clr_barrier, bitwise, 0x49);
CLR_SIZE(clr_barrier, 0x50);

enum { CLR_BARRIER_RESIZE, CLR_BARRIER_YOUNG, CLR_BARRIER_INITIALIZE, CLR_BARRIER_WATCH, CLR_BARRIER_NO_WATCH };
enum { CLR_CARD_SHIFT = 11, CLR_BUNDLE_SHIFT = 21, CLR_WRITTEN_SHIFT = 12 };

/* What the thread that runs finalizers is to do besides. */
typedef struct clr_finalizer_work {
    struct clr_finalizer_work *next;
    void (*call)(struct clr_finalizer_work *self);
} clr_finalizer_work;
CLR_AT(clr_finalizer_work, call, 8);
CLR_SIZE(clr_finalizer_work, 0x10);

typedef struct clr_no_gc_work {
    clr_finalizer_work work;
    bool scheduled, abandoned;
} clr_no_gc_work;
CLR_AT(clr_no_gc_work, scheduled, 0x10);
CLR_AT(clr_no_gc_work, abandoned, 0x11);
CLR_SIZE(clr_no_gc_work, 0x18);

/* Objects that are not the collector's: never looked at and never freed. Offsets from `memory`. */
typedef struct clr_segment {
    uint8_t *memory;
    size_t first, allocated, committed, reserved;
} clr_segment;
CLR_AT(clr_segment, first, 8);
CLR_AT(clr_segment, allocated, 0x10);
CLR_AT(clr_segment, committed, 0x18);
CLR_AT(clr_segment, reserved, 0x20);
CLR_SIZE(clr_segment, 0x28);

/* What a trace says of the settings. */
typedef struct clr_settings_info {
    size_t hard_limit, large_threshold, physical_memory, gen0_least, gen0_most;
    uint32_t high_memory_percent;
    bool concurrent, large_pages, frozen_segments, hard_limit_configured, no_affinity;
} clr_settings_info;
CLR_AT(clr_settings_info, gen0_most, 0x20);
CLR_AT(clr_settings_info, high_memory_percent, 0x28);
CLR_AT(clr_settings_info, concurrent, 0x2C);
CLR_AT(clr_settings_info, no_affinity, 0x30);
CLR_SIZE(clr_settings_info, 0x38);

/* ---- constants ---- */

enum { CLR_SUSPEND_FOR_GC = 1, CLR_SUSPEND_FOR_GC_PREPARATION = 6 };

/* Bits of the mode of a collection that is asked for. */
enum { CLR_NON_BLOCKING = 1, CLR_BLOCKING = 2, CLR_OPTIMIZED = 4, CLR_COMPACTING = 8, CLR_AGGRESSIVE = 16 };

/* Kinds of collections that may be asked about. */
enum { CLR_KIND_ANY, CLR_KIND_YOUNG, CLR_KIND_FULL, CLR_KIND_BACKGROUND, CLR_KINDS };

enum { CLR_GENERATION_NONE = INT32_MAX }; /* of what is not the collector's */

/* Generations that figures are given of: 0 to 2, large objects, pinned objects. */
enum { CLR_LARGE_OBJECTS = 3, CLR_PINNED_OBJECTS = 4, CLR_GENERATIONS = 5 };

enum { CLR_BATCH, CLR_INTERACTIVE, CLR_LOW_LATENCY, CLR_SUSTAINED_LOW_LATENCY, CLR_NO_GC_REGION };
enum { CLR_LARGE_COMPACTION_DEFAULT = 1, CLR_LARGE_COMPACTION_ONCE = 2 };

enum { CLR_NO_GC_STARTED, CLR_NO_GC_NO_MEMORY, CLR_NO_GC_TOO_LARGE, CLR_NO_GC_RUNNING };
enum { CLR_NO_GC_ENDED, CLR_NO_GC_NOT_RUNNING, CLR_NO_GC_INDUCED, CLR_NO_GC_EXCEEDED };
enum { CLR_NO_GC_CALLBACK_SET, CLR_NO_GC_CALLBACK_NOT_RUNNING, CLR_NO_GC_CALLBACK_NO_ROOM, CLR_NO_GC_CALLBACK_TWICE };
enum { CLR_NOTE_CAME, CLR_NOTE_FAILED, CLR_NOTE_CANCELLED, CLR_NOTE_TIMEOUT, CLR_NOTE_NOT_APPLICABLE };
enum { CLR_LIMIT_SET, CLR_LIMIT_TOO_LOW, CLR_LIMIT_INVALID };
enum { CLR_VALUE_INTEGER, CLR_VALUE_STRING, CLR_VALUE_BOOLEAN };

/* Types of handles. Those "not used" are not by .NET 10. */
enum {
    CLR_WEAK_SHORT,      /* cleared when its object is not reached */
    CLR_WEAK_LONG,       /* cleared when not even finalizers reach its object */
    CLR_STRONG,          /* keeps its object alive */
    CLR_PINNED,          /* and where it is */
    CLR_VARIABLE,        /* not used; strong */
    CLR_REFCOUNTED,      /* strong while the EE says so, else weak */
    CLR_DEPENDENT,       /* its second object lives as long as the first */
    CLR_ASYNC_PINNED,    /* not used; strong */
    CLR_SIZED,           /* not used; strong */
    CLR_WEAK_NATIVE,     /* not used; weak, short */
    CLR_WEAK_INTERIOR,   /* weak, long; the extra word leads to a pointer into the object */
    CLR_CROSS_REFERENCE, /* not used on Linux; strong */
    CLR_HANDLE_TYPES
};

/* A handle is the address of a word that holds its object's: the EE reads it directly. */
typedef clr_object **clr_handle;

/* ---- functions that are passed ---- */

typedef void clr_root_function(clr_object **slot, clr_scan *scan, uint32_t flags);
typedef void clr_slot_function(clr_object **slot, uintptr_t *extra, uintptr_t a, uintptr_t b);
typedef void clr_context_function(clr_alloc_context *allocation, void *context);
typedef bool clr_walk_function(clr_object *object, void *context);
typedef bool clr_walk_slots_function(clr_object *object, uint8_t **slot, void *context);
typedef void clr_generation_function(void *context, int gen, uint8_t *start, uint8_t *end, uint8_t *reserved);
typedef void clr_survivors_function(uint8_t *begin, uint8_t *end, ptrdiff_t moved, void *context, bool compacting,
                                    bool background);
typedef void clr_finalizable_function(bool critical, void *object);
typedef void clr_handle_function(clr_object **slot, clr_object *second, uint32_t flags, clr_scan *scan, bool dependent);
typedef void clr_value_function(void *context, const char *name, const char *public_key, int type, int64_t value);

/* ---- tables ---- */

/* Each list names the slots of one table with their numbers: X(number, result, name, arguments...). */
#define CLR_MEMBER(number, result, name, ...) result (*(name))(__VA_ARGS__);
#define CLR_HEAP_SLOT_AT(number, result, name, ...) CLR_AT(clr_heap_table, name, (number) * sizeof(void *));
#define CLR_MANAGER_SLOT_AT(number, result, name, ...) CLR_AT(clr_manager_table, name, (number) * sizeof(void *));
#define CLR_STORE_SLOT_AT(number, result, name, ...) CLR_AT(clr_store_table, name, (number) * sizeof(void *));
#define CLR_EE_SLOT_AT(number, result, name, ...) CLR_AT(clr_ee_table, name, (number) * sizeof(void *));
#define CLR_SINK_SLOT_AT(number, result, name, ...) CLR_AT(clr_sink_table, name, (number) * sizeof(void *));

typedef struct clr_heap clr_heap;
typedef struct clr_manager clr_manager;
typedef struct clr_store clr_store;
typedef struct clr_ee clr_ee;
typedef struct clr_sink clr_sink;

/* The runtime calls these: IGCHeap. */
#define CLR_HEAP_SLOTS(X)                                                                                              \
    X(0, bool, is_valid_segment_size, clr_heap *, size_t size)                                                         \
    X(1, bool, is_valid_gen0_max_size, clr_heap *, size_t size)                                                        \
    X(2, size_t, get_valid_segment_size, clr_heap *, bool large)                                                       \
    X(3, void, set_reserved_vm_limit, clr_heap *, size_t limit)                                                        \
    X(4, void, wait_until_concurrent_gc_complete, clr_heap *)                                                          \
    X(5, bool, is_concurrent_gc_in_progress, clr_heap *)                                                               \
    X(6, void, temporary_enable_concurrent_gc, clr_heap *)                                                             \
    X(7, void, temporary_disable_concurrent_gc, clr_heap *)                                                            \
    X(8, bool, is_concurrent_gc_enabled, clr_heap *)                                                                   \
    X(9, clr_result, wait_until_concurrent_gc_complete_async, clr_heap *, int milliseconds)                            \
    X(10, size_t, get_number_of_finalizable, clr_heap *)                                                               \
    X(11, clr_object *, get_next_finalizable, clr_heap *)                                                              \
    X(12, void, get_memory_info, clr_heap *, uint64_t *high_load_bytes, uint64_t *available, uint64_t *load_bytes,     \
      uint64_t *heap_size, uint64_t *fragmented, uint64_t *committed, uint64_t *promoted, uint64_t *pinned,            \
      uint64_t *pending, uint64_t *index, uint32_t *gen, uint32_t *pause_percent, bool *compacted, bool *concurrent,   \
      uint64_t *generations, uint64_t *pauses, int kind)                                                               \
    X(13, uint32_t, get_memory_load, clr_heap *)                                                                       \
    X(14, int, get_gc_latency_mode, clr_heap *)                                                                        \
    X(15, int, set_gc_latency_mode, clr_heap *, int mode)                                                              \
    X(16, int, get_loh_compaction_mode, clr_heap *)                                                                    \
    X(17, void, set_loh_compaction_mode, clr_heap *, int mode)                                                         \
    X(18, bool, register_for_full_gc_notification, clr_heap *, uint32_t gen2_percent, uint32_t large_percent)          \
    X(19, bool, cancel_full_gc_notification, clr_heap *)                                                               \
    X(20, int, wait_for_full_gc_approach, clr_heap *, int milliseconds)                                                \
    X(21, int, wait_for_full_gc_complete, clr_heap *, int milliseconds)                                                \
    X(22, uint32_t, which_generation, clr_heap *, clr_object *object)                                                  \
    X(23, int, collection_count, clr_heap *, int gen, int special)                                                     \
    X(24, int, start_no_gc_region, clr_heap *, uint64_t total, bool large_known, uint64_t large,                       \
      bool no_full_collection)                                                                                         \
    X(25, int, end_no_gc_region, clr_heap *)                                                                           \
    X(26, size_t, get_total_bytes_in_use, clr_heap *)                                                                  \
    X(27, uint64_t, get_total_allocated_bytes, clr_heap *)                                                             \
    X(28, clr_result, garbage_collect, clr_heap *, int gen, bool low_memory, int mode)                                 \
    X(29, uint32_t, get_max_generation, clr_heap *)                                                                    \
    X(30, void, set_finalization_run, clr_heap *, clr_object *object)                                                  \
    X(31, bool, register_for_finalization, clr_heap *, int gen, clr_object *object)                                    \
    X(32, int, get_last_gc_percent_time_in_gc, clr_heap *)                                                             \
    X(33, size_t, get_last_gc_generation_size, clr_heap *, int gen)                                                    \
    X(34, clr_result, initialize, clr_heap *)                                                                          \
    X(35, bool, is_promoted, clr_heap *, clr_object *object)                                                           \
    X(36, bool, is_heap_pointer, clr_heap *, void *address, bool small_only)                                           \
    X(37, uint32_t, get_condemned_generation, clr_heap *)                                                              \
    X(38, bool, is_gc_in_progress, clr_heap *, bool consider_start)                                                    \
    X(39, uint32_t, get_gc_count, clr_heap *)                                                                          \
    X(40, bool, is_thread_using_allocation_context_heap, clr_heap *, clr_alloc_context *, int number)                  \
    X(41, bool, is_ephemeral, clr_heap *, clr_object *object)                                                          \
    X(42, uint32_t, wait_until_gc_complete, clr_heap *, bool consider_start)                                           \
    X(43, void, fix_alloc_context, clr_heap *, clr_alloc_context *, void *argument, void *heap)                        \
    X(44, size_t, get_current_obj_size, clr_heap *)                                                                    \
    X(45, void, set_gc_in_progress, clr_heap *, bool in_progress)                                                      \
    X(46, bool, runtime_structures_valid, clr_heap *)                                                                  \
    X(47, void, set_suspension_pending, clr_heap *, bool pending)                                                      \
    X(48, void, set_yield_processor_scaling_factor, clr_heap *, float factor)                                          \
    X(49, void, shutdown, clr_heap *)                                                                                  \
    X(50, size_t, get_last_gc_start_time, clr_heap *, int gen)                                                         \
    X(51, size_t, get_last_gc_duration, clr_heap *, int gen)                                                           \
    X(52, size_t, get_now, clr_heap *)                                                                                 \
    X(53, clr_object *, alloc, clr_heap *, clr_alloc_context *, size_t size, uint32_t flags)                           \
    X(54, void, publish_object, clr_heap *, uint8_t *object)                                                           \
    X(55, void, set_wait_for_gc_event, clr_heap *)                                                                     \
    X(56, void, reset_wait_for_gc_event, clr_heap *)                                                                   \
    X(57, bool, is_large_object, clr_heap *, clr_object *object)                                                       \
    X(58, void, validate_object_member, clr_heap *, clr_object *object)                                                \
    X(59, clr_object *, next_obj, clr_heap *, clr_object *object)                                                      \
    X(60, clr_object *, get_containing_object, clr_heap *, void *address, bool collected_only)                         \
    X(61, void, diag_walk_object, clr_heap *, clr_object *object, clr_walk_function *, void *context)                  \
    X(62, void, diag_walk_object2, clr_heap *, clr_object *object, clr_walk_slots_function *, void *context)           \
    X(63, void, diag_walk_heap, clr_heap *, clr_walk_function *, void *context, int gen, bool large)                   \
    X(64, void, diag_walk_survivors_with_type, clr_heap *, void *gc_context, clr_survivors_function *, void *context,  \
      int type, int gen)                                                                                               \
    X(65, void, diag_walk_finalize_queue, clr_heap *, void *gc_context, clr_finalizable_function *)                    \
    X(66, void, diag_scan_finalize_queue, clr_heap *, clr_root_function *, clr_scan *)                                 \
    X(67, void, diag_scan_handles, clr_heap *, clr_handle_function *, int gen, clr_scan *)                             \
    X(68, void, diag_scan_dependent_handles, clr_heap *, clr_handle_function *, int gen, clr_scan *)                   \
    X(69, void, diag_descr_generations, clr_heap *, clr_generation_function *, void *context)                          \
    X(70, void, diag_trace_gc_segments, clr_heap *)                                                                    \
    X(71, void, diag_get_gc_settings, clr_heap *, clr_settings_info *)                                                 \
    X(72, bool, stress_heap, clr_heap *, clr_alloc_context *)                                                          \
    X(73, void *, register_frozen_segment, clr_heap *, clr_segment *)                                                  \
    X(74, void, unregister_frozen_segment, clr_heap *, void *segment)                                                  \
    X(75, bool, is_in_frozen_segment, clr_heap *, clr_object *object)                                                  \
    X(76, void, control_events, clr_heap *, int keyword, int level)                                                    \
    X(77, void, control_private_events, clr_heap *, int keyword, int level)                                            \
    X(78, uint32_t, get_generation_with_range, clr_heap *, clr_object *object, uint8_t **start, uint8_t **allocated,   \
      uint8_t **reserved)                                                                                              \
    X(79, int64_t, get_total_pause_duration, clr_heap *)                                                               \
    X(80, void, enumerate_configuration_values, clr_heap *, void *context, clr_value_function *)                       \
    X(81, void, update_frozen_segment, clr_heap *, void *segment, uint8_t *allocated, uint8_t *committed)              \
    X(82, int, refresh_memory_limit, clr_heap *)                                                                       \
    X(83, int, enable_no_gc_region_callback, clr_heap *, clr_no_gc_work *, uint64_t threshold)                         \
    X(84, clr_finalizer_work *, get_extra_work_for_finalization, clr_heap *)                                           \
    X(85, uint64_t, get_generation_budget, clr_heap *, int gen)                                                        \
    X(86, size_t, get_loh_threshold, clr_heap *)                                                                       \
    X(87, void, diag_walk_heap_with_ac_handling, clr_heap *, clr_walk_function *, void *context, int gen, bool large)  \
    X(88, void, null_bridge_objects_weak_refs, clr_heap *, size_t count, void *handles)

typedef struct clr_heap_table {
    CLR_HEAP_SLOTS(CLR_MEMBER)
} clr_heap_table;
CLR_HEAP_SLOTS(CLR_HEAP_SLOT_AT)
CLR_SIZE(clr_heap_table, 89 * sizeof(void *));

/* The runtime calls these: IGCHandleManager. */
#define CLR_MANAGER_SLOTS(X)                                                                                           \
    X(0, bool, initialize, clr_manager *)                                                                              \
    X(1, void, shutdown, clr_manager *)                                                                                \
    X(2, clr_store *, get_global_handle_store, clr_manager *)                                                          \
    X(3, clr_store *, create_handle_store, clr_manager *)                                                              \
    X(4, void, destroy_handle_store, clr_manager *, clr_store *)                                                       \
    X(5, clr_handle, create_global_handle_of_type, clr_manager *, clr_object *, int type)                              \
    X(6, clr_handle, create_duplicate_handle, clr_manager *, clr_handle)                                               \
    X(7, void, destroy_handle_of_type, clr_manager *, clr_handle, int type)                                            \
    X(8, void, destroy_handle_of_unknown_type, clr_manager *, clr_handle)                                              \
    X(9, void, set_extra_info_for_handle, clr_manager *, clr_handle, int type, void *extra)                            \
    X(10, void *, get_extra_info_from_handle, clr_manager *, clr_handle)                                               \
    X(11, void, store_object_in_handle, clr_manager *, clr_handle, clr_object *)                                       \
    X(12, bool, store_object_in_handle_if_null, clr_manager *, clr_handle, clr_object *)                               \
    X(13, void, set_dependent_handle_secondary, clr_manager *, clr_handle, clr_object *)                               \
    X(14, clr_object *, get_dependent_handle_secondary, clr_manager *, clr_handle)                                     \
    X(15, clr_object *, interlocked_compare_exchange_object_in_handle, clr_manager *, clr_handle, clr_object *object,  \
      clr_object *comparand)                                                                                           \
    X(16, int, handle_fetch_type, clr_manager *, clr_handle)                                                           \
    X(17, void, trace_refcounted_handles, clr_manager *, clr_slot_function *, uintptr_t a, uintptr_t b)

typedef struct clr_manager_table {
    CLR_MANAGER_SLOTS(CLR_MEMBER)
} clr_manager_table;
CLR_MANAGER_SLOTS(CLR_MANAGER_SLOT_AT)
CLR_SIZE(clr_manager_table, 18 * sizeof(void *));

/* The runtime calls these: IGCHandleStore, the only class with a destructor, of which there are two functions. */
#define CLR_STORE_SLOTS(X)                                                                                             \
    X(0, void, uproot, clr_store *)                                                                                    \
    X(1, bool, contains_handle, clr_store *, clr_handle)                                                               \
    X(2, clr_handle, create_handle_of_type, clr_store *, clr_object *, int type)                                       \
    X(3, clr_handle, create_handle_of_type_near, clr_store *, clr_object *, int type, int heap)                        \
    X(4, clr_handle, create_handle_with_extra_info, clr_store *, clr_object *, int type, void *extra)                  \
    X(5, clr_handle, create_dependent_handle, clr_store *, clr_object *primary, clr_object *secondary)                 \
    X(6, void, destroy, clr_store *)                                                                                   \
    X(7, void, destroy_and_free, clr_store *)

typedef struct clr_store_table {
    CLR_STORE_SLOTS(CLR_MEMBER)
} clr_store_table;
CLR_STORE_SLOTS(CLR_STORE_SLOT_AT)
CLR_SIZE(clr_store_table, 8 * sizeof(void *));

/* We call these: IGCToCLR, the execution engine. */
#define CLR_EE_SLOTS(X)                                                                                                \
    X(0, void, suspend_ee, clr_ee *, int reason)                                                                       \
    X(1, void, restart_ee, clr_ee *, bool finished_gc)                                                                 \
    X(2, void, gc_scan_roots, clr_ee *, clr_root_function *, int gen, int max_gen, clr_scan *)                         \
    X(3, void, gc_start_work, clr_ee *, int gen, int max_gen)                                                          \
    X(4, void, before_gc_scan_roots, clr_ee *, int gen, bool background, bool concurrent)                              \
    X(5, void, after_gc_scan_roots, clr_ee *, int gen, int max_gen, clr_scan *)                                        \
    X(6, void, gc_done, clr_ee *, int gen)                                                                             \
    X(7, bool, refcounted_handle_callbacks, clr_ee *, clr_object *)                                                    \
    X(8, void, sync_block_cache_weak_ptr_scan, clr_ee *, clr_slot_function *, uintptr_t a, uintptr_t b)                \
    X(9, void, sync_block_cache_demote, clr_ee *, int max_gen)                                                         \
    X(10, void, sync_block_cache_promotions_granted, clr_ee *, int max_gen)                                            \
    X(11, uint32_t, get_active_sync_block_count, clr_ee *)                                                             \
    X(12, bool, is_preemptive_gc_disabled, clr_ee *)                                                                   \
    X(13, bool, enable_preemptive_gc, clr_ee *)                                                                        \
    X(14, void, disable_preemptive_gc, clr_ee *)                                                                       \
    X(15, void *, get_thread, clr_ee *)                                                                                \
    X(16, clr_alloc_context *, get_alloc_context, clr_ee *)                                                            \
    X(17, void, gc_enum_alloc_contexts, clr_ee *, clr_context_function *, void *context)                               \
    X(18, clr_object *, get_loader_allocator_object_for_gc, clr_ee *, clr_object *)                                    \
    X(19, bool, create_thread, clr_ee *, void (*start)(void *), void *argument, bool suspendable, const char *name)    \
    X(20, void, diag_gc_start, clr_ee *, int gen, bool induced)                                                        \
    X(21, void, diag_update_generation_bounds, clr_ee *)                                                               \
    X(22, void, diag_gc_end, clr_ee *, size_t index, int gen, int reason, bool concurrent)                             \
    X(23, void, diag_walk_freachable_objects, clr_ee *, void *gc_context)                                              \
    X(24, void, diag_walk_survivors, clr_ee *, void *gc_context, bool compacting)                                      \
    X(25, void, diag_walk_uoh_survivors, clr_ee *, void *gc_context, int gen)                                          \
    X(26, void, diag_walk_bgc_survivors, clr_ee *, void *gc_context)                                                   \
    X(27, void, stomp_write_barrier, clr_ee *, clr_barrier *)                                                          \
    X(28, void, enable_finalization, clr_ee *, bool has_work)                                                          \
    X(29, void, handle_fatal_error, clr_ee *, uint32_t code)                                                           \
    X(30, bool, eager_finalized, clr_ee *, clr_object *)                                                               \
    X(31, const clr_method_table *, get_free_object_method_table, clr_ee *)                                            \
    X(32, bool, get_boolean_config_value, clr_ee *, const char *key, const char *public_key, bool *value)              \
    X(33, bool, get_int_config_value, clr_ee *, const char *key, const char *public_key, int64_t *value)               \
    X(34, bool, get_string_config_value, clr_ee *, const char *key, const char *public_key, const char **value)        \
    X(35, void, free_string_config_value, clr_ee *, const char *value)                                                 \
    X(36, bool, is_gc_thread, clr_ee *)                                                                                \
    X(37, bool, was_current_thread_created_by_gc, clr_ee *)                                                            \
    X(38, void, walk_async_pinned_for_promotion, clr_ee *, clr_object *, clr_scan *, clr_root_function *)              \
    X(39, void, walk_async_pinned, clr_ee *, clr_object *, void *context,                                              \
      void (*visit)(clr_object * from, clr_object * to, void *context))                                                \
    X(40, clr_sink *, event_sink, clr_ee *)                                                                            \
    X(41, uint32_t, get_total_num_sized_ref_handles, clr_ee *)                                                         \
    X(42, bool, analyze_survivors_requested, clr_ee *, int gen)                                                        \
    X(43, void, analyze_survivors_finished, clr_ee *, size_t index, int gen, uint64_t promoted, void (*bounds)(void))  \
    X(44, void, verify_sync_table_entry, clr_ee *)                                                                     \
    X(45, void, update_gc_event_status, clr_ee *, int level, int keywords, int private_level, int private_keywords)    \
    X(46, void, log_stress_msg, clr_ee *, uint32_t level, uint32_t facility, const void *message)                      \
    X(47, uint32_t, get_current_process_cpu_count, clr_ee *)                                                           \
    X(48, void, diag_add_new_region, clr_ee *, int gen, uint8_t *start, uint8_t *end, uint8_t *reserved)               \
    X(49, void, log_error_to_host, clr_ee *, const char *message)                                                      \
    X(50, uint64_t, get_thread_os_thread_id, clr_ee *, void *thread)                                                   \
    X(51, void, trigger_client_bridge_processing, clr_ee *, void *arguments)

typedef struct clr_ee_table {
    CLR_EE_SLOTS(CLR_MEMBER)
} clr_ee_table;
CLR_EE_SLOTS(CLR_EE_SLOT_AT)
CLR_SIZE(clr_ee_table, 52 * sizeof(void *));

/* We call these: IGCToCLREventSink, where events go to. */
#define CLR_SINK_SLOTS(X)                                                                                              \
    X(0, void, dynamic_event, clr_sink *, const char *name, void *payload, uint32_t size)                              \
    X(1, void, gc_start, clr_sink *, uint32_t count, uint32_t gen, uint32_t reason, uint32_t type)                     \
    X(2, void, gc_end, clr_sink *, uint32_t count, uint32_t gen)                                                       \
    X(3, void, gc_generation_range, clr_sink *, uint8_t gen, void *start, uint64_t used, uint64_t reserved)            \
    X(4, void, gc_heap_stats, clr_sink *, uint64_t size0, uint64_t promoted0, uint64_t size1, uint64_t promoted1,      \
      uint64_t size2, uint64_t promoted2, uint64_t size3, uint64_t promoted3, uint64_t size4, uint64_t promoted4,      \
      uint64_t finalization_bytes, uint64_t finalization_count, uint32_t pinned, uint32_t sync_blocks,                 \
      uint32_t handles)                                                                                                \
    X(5, void, gc_create_segment, clr_sink *, void *address, size_t size, uint32_t type)                               \
    X(6, void, gc_free_segment, clr_sink *, void *address)                                                             \
    X(7, void, gc_create_concurrent_thread, clr_sink *)                                                                \
    X(8, void, gc_terminate_concurrent_thread, clr_sink *)                                                             \
    X(9, void, gc_triggered, clr_sink *, uint32_t reason)                                                              \
    X(10, void, gc_mark_with_type, clr_sink *, uint32_t heap, uint32_t type, uint64_t bytes)                           \
    X(11, void, gc_join, clr_sink *, uint32_t heap, uint32_t time, uint32_t type, uint32_t id)                         \
    X(12, void, gc_global_heap_history, clr_sink *, uint64_t desired, int32_t heaps, uint32_t gen,                     \
      uint32_t reductions, uint32_t reason, uint32_t mechanisms, uint32_t pause_mode, uint32_t memory_pressure,        \
      uint32_t condemn0, uint32_t condemn1, uint32_t count, uint32_t size, void *values)                               \
    X(13, void, gc_allocation_tick_v1, clr_sink *, uint32_t amount, uint32_t kind)                                     \
    X(14, void, gc_allocation_tick, clr_sink *, uint64_t amount, uint32_t kind, uint32_t heap, void *, uint64_t size)  \
    X(15, void, pin_object_at_gc_time, clr_sink *, void *object, uint8_t **slot)                                       \
    X(16, void, pin_plug_at_gc_time, clr_sink *, uint8_t *start, uint8_t *end, uint8_t *gap)                           \
    X(17, void, gc_per_heap_history, clr_sink *, void *, void *, void *, void *, void *, void *, uint32_t, uint32_t,   \
      uint32_t, uint32_t, uint32_t, uint32_t, void *, uint32_t count, uint32_t size, void *values)                     \
    X(18, void, gc_loh_compact, clr_sink *, uint16_t count, uint32_t size, void *values)                               \
    X(19, void, gc_fit_bucket_info, clr_sink *, uint16_t kind, size_t, uint16_t count, uint32_t size, void *values)    \
    X(20, void, bgc_begin, clr_sink *)                                                                                 \
    X(21, void, bgc_1st_non_con_end, clr_sink *)                                                                       \
    X(22, void, bgc_1st_con_end, clr_sink *)                                                                           \
    X(23, void, bgc_1st_sweep_end, clr_sink *, uint32_t gen)                                                           \
    X(24, void, bgc_2nd_non_con_begin, clr_sink *)                                                                     \
    X(25, void, bgc_2nd_non_con_end, clr_sink *)                                                                       \
    X(26, void, bgc_2nd_con_begin, clr_sink *)                                                                         \
    X(27, void, bgc_2nd_con_end, clr_sink *)                                                                           \
    X(28, void, bgc_drain_mark, clr_sink *, uint64_t objects)                                                          \
    X(29, void, bgc_revisit, clr_sink *, uint64_t pages, uint64_t objects, uint32_t large)                             \
    X(30, void, bgc_overflow, clr_sink *, uint64_t low, uint64_t high, uint64_t objects, uint32_t large, uint32_t gen) \
    X(31, void, bgc_alloc_wait_begin, clr_sink *, uint32_t reason)                                                     \
    X(32, void, bgc_alloc_wait_end, clr_sink *, uint32_t reason)                                                       \
    X(33, void, gc_full_notify, clr_sink *, uint32_t gen, uint32_t of_allocation)                                      \
    X(34, void, set_gc_handle, clr_sink *, void *handle, void *object, uint32_t kind, uint32_t gen)                    \
    X(35, void, prv_set_gc_handle, clr_sink *, void *handle, void *object, uint32_t kind, uint32_t gen)                \
    X(36, void, destroy_gc_handle, clr_sink *, void *handle)                                                           \
    X(37, void, prv_destroy_gc_handle, clr_sink *, void *handle)

typedef struct clr_sink_table {
    CLR_SINK_SLOTS(CLR_MEMBER)
} clr_sink_table;
CLR_SINK_SLOTS(CLR_SINK_SLOT_AT)
CLR_SIZE(clr_sink_table, 38 * sizeof(void *));

struct clr_heap {
    const clr_heap_table *table;
};
struct clr_manager {
    const clr_manager_table *table;
};
struct clr_store {
    const clr_store_table *table;
};
struct clr_ee {
    const clr_ee_table *table;
};
struct clr_sink {
    const clr_sink_table *table;
};

/* The debugger's: what it would need to look into the heap. All of it stays zero. */
typedef struct clr_debugger_variables clr_debugger_variables;

#endif
