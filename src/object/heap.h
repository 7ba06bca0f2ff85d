/* The heap, as the library's own files see it. Which file does what:
 *   object/heap.c        opening, closing
 *   object/collector.c   what each collector does in its own way
 *   object/blocks.c      memory that is not objects
 *   object/new.c         making objects
 *   object/walk.c        finding the objects in the pages
 *   object/verify.c      verification
 *   life/weak.c          weak references;   life/weak_table.c: tables of them
 *   life/handle.c        handles
 *   life/own_types.c     what the library's own types do when an object of theirs dies
 *   counting/heap.c      opening, closing, figures
 *   counting/count.c     counts
 *   counting/death.c     the end of objects whose count is zero
 *   counting/cycle.h     the engine that finds cycles, over any object model
 *   counting/heap_model.h  a heap's objects as that model
 *   counting/collect.c   a collection
 *   counting/policy.c    when to collect what; the interface of Python's gc
 *   counting/checked.c   the same calls in a checked heap
 *   watch/events.c       events and counters;   watch/trace.c: the Chrome trace file */
#ifndef HWRI_OBJECT_HEAP_H
#define HWRI_OBJECT_HEAP_H

#include "heapwright/collect.h"
#include "heapwright/events.h"
#include "heapwright/weak.h"
#include "object/collector.h"
#include "object/header.h"
#include "object/side_table.h"
#include "pool/inline.h"

/* What is kept beside each slice of the pool of tracked objects: which of them are young (generation 0) and which are of the middle generation (1), one bit for
 * every sixteen bytes, so that the youngest generations are found without looking at the others. A bit says something only where the block holds a live object; one in
 * neither map is of the oldest generation, and a new object's young bit overrules what an earlier one left in `middle`. 1 KiB for 64 KiB. */
enum { HWRI_SLICE_GRANULES = (1 << HWRI_SLICE_SHIFT) / 16, HWRI_SLICE_WORDS = HWRI_SLICE_GRANULES / 64 };
typedef struct hwri_ages {
    uint64_t young[HWRI_SLICE_WORDS];
    uint64_t middle[HWRI_SLICE_WORDS];
} hwri_ages;

/* What is still to be done so that objects end: a stack of references to be given up, and of objects to be taken apart, since their count is
 * zero, marked by a lowest bit, in the order of the next above the last. It starts inside the heap; when it cannot
 * grow, what does not fit stays where it is, marked as dying, and `lost` tells that the pages have to be searched for it. */
enum { HWRI_DEATHS_INSIDE = 128 };
typedef struct hwri_deaths {
    uintptr_t *items;
    size_t count, room;
    bool lost;
    unsigned nesting; /* finalizers and callbacks under way on the C stack */
    uintptr_t inside[HWRI_DEATHS_INSIDE];
} hwri_deaths;

/* The scratch tables of pages by slice, from the slice of number `first` on; see counting/places.h. */
typedef struct hwri_tables {
    uintptr_t first, count;
    uintptr_t *of_slice;
    bool complete; /* no page outside of these slices has a table */
} hwri_tables;

/* What only a counting heap needs, and is not small. */
enum { HWRI_HELD_KNOWN = 256 };
typedef struct hwri_counted {
    hwri_deaths deaths;
    void *held[HWRI_HELD_KNOWN]; /* objects that full collections found held; they may be dead */
    size_t held_next;
} hwri_counted;

typedef struct hwri_callback {
    hwr_collection_callback call;
    void *context;
} hwri_callback;

typedef struct hwri_listener {
    hwr_event_listener call;
    void *context;
    uint64_t kinds;
} hwri_listener;

/* What hwr_new has found out about a type, so that it need not look again: the header of a new object, and where the page that serves its size is
 * to be found. Only of types that need nothing special. A small table, by the type's address; the next type of the same place takes it over. */
enum { HWRI_RECENT_TYPES = 16 };
typedef struct hwri_recent_type {
    const hwr_type *type;
    uint64_t header;
    hwri_page **page;
    size_t words; /* of 8 bytes, header included */
} hwri_recent_type;

/* A heap. Objects lie in two pools: `objects` holds those that the collector looks at, and nothing else; `leaves` those that it does not. The third,
 * `blocks`, is for everything that is not an object, the heap's own tables included. */
struct hwr_heap {
    hwri_face face; /* first: the inline functions of the public header read it */
    const hwri_collector *collector;
    bool checked;
    bool enabled;
    bool collecting;
    bool condemned; /* finalizers of garbage are being run */
    bool owns_raw;
    int count[HWR_GENERATIONS];
    int trigger; /* when count[0] exceeds it, hwr_new has something to do first */
    int threshold[HWR_GENERATIONS];
    hwr_pool *objects, *leaves, *blocks; /* in this order: see hwri_pool_of */
    hwri_recent_type recent[HWRI_RECENT_TYPES];
    /* For what a collection needs: `blocks`, or in a heap with a limit a pool of its own, which that is not for. */
    hwr_pool *scratch;
    hwr_raw *raw;
    size_t limit;
    size_t committed;            /* by the pools, when a collection last ended */
    size_t stress, until_stress; /* allocations between forced collections, and until the next; 0: none */
    size_t long_lived_total;     /* objects that survived the last full collection */
    size_t long_lived_pending;   /* objects that have come to the oldest generation since */
    hwri_tables places;
    size_t tables;          /* scratch tables that pages have */
    hwri_side_table counts; /* of objects with HWRI_COUNT_ASIDE: what is not in the header; none: immortal */
    hwri_side_table weaks;  /* of objects with HWRI_WEAK: their first weak reference */
    unsigned debug;
    hwr_generation_stats stats[HWR_GENERATIONS];
    void **garbage; /* saved by HWR_DEBUG_SAVEALL; owned references */
    size_t garbage_count, garbage_room;
    hwri_callback *callbacks;
    size_t callback_count;
    uint64_t listening; /* kinds of events that somebody listens to */
    hwri_listener *listeners;
    size_t listener_count;
    hwr_counters counters;
    struct hwri_trace *trace;
    hwri_mutex watch; /* guards the listeners and callbacks, since the threads of a tracing heap share them */
    struct hwri_tracing *tracing; /* NULL: a counting heap */
    struct hwri_kinds *kinds;     /* what the kinds share; NULL: not opened */
    hwr_out_of_memory on_out_of_memory;
    void *context;
    struct hwri_checks *checks; /* checked heaps only */
    hwri_counted counted[];     /* one; a tracing heap has none */
};

/* Whether some that are dead are still to be taken apart. */
static inline bool hwri_has_deaths(const hwr_heap *heap) {
    return !heap->tracing && (heap->counted->deaths.count || heap->counted->deaths.lost);
}

/* ---- object/new.c ---- */

bool hwri_counted_make_room(hwr_heap *heap, size_t size, unsigned *attempt);
void *hwri_counted_make(hwr_heap *heap, const hwr_type *type, size_t length, const char *call, const void *site);

/* A new leaf of a plain type, of so many bytes, if the short way is closed (kinds/kinds.h). A checked heap's is zeroed and has its length. */
void *hwri_new_leaf_slow(hwr_heap *heap, const hwr_type *type, size_t size);

/* hwr_new_items for types of the kinds, which are known to be sound: small objects are made in a few instructions. */
void *hwri_new_of_kind(hwr_heap *heap, const hwr_type *type, size_t length);

/* What never collects and asks nobody, so that no code of the program's runs: whoever is refused calls hwri_make_room, looks again at what may have changed, and tries again. Only for types
 * of the kinds that have items. A new object; its items are NULL if they are references, otherwise nobody knows. */
void *hwri_new_quietly(hwr_heap *heap, const hwr_type *type, size_t length);
/* Gives an object with one reference as many items, in its block or in a larger one, and returns where it is now; new items as above, those that it loses must be NULL. NULL: there is no memory, or
 * it cannot move (a checked heap; a collection under way; somebody else knows it), and nothing has changed. */
void *hwri_resize(hwr_heap *heap, void *object, size_t length);
/* On a tracing heap both may collect after all, but run no code of the program's; and no object is known to have one reference only. */

/* Whether the caller's reference is known to be the only one, weak ones included. */
static inline bool hwri_is_only_one(const hwr_heap *heap, const void *object) {
    uint64_t header = *hwri_header(object);
    return hwri_counts_inline(heap) && hwri_count_in(header) == 1 && !(header & (HWRI_COUNT_ASIDE | HWRI_WEAK));
}
/* Makes an object one of another type with the same size and pool. */
void hwri_retype(const hwr_heap *heap, void *object, const hwr_type *type);

/* Bytes of the block for an object of this size; the object's start in a block, and back. A checked heap adds a tail. */
size_t hwri_block_size(const hwr_heap *heap, const hwr_type *type, size_t object_size);
static inline void *hwri_object_in(void *block) {
    uint64_t first;
    memcpy(&first, block, sizeof first);
    return (char *)block + (first == HWRI_PADDING ? HWRI_HEADER_SIZE * 2 : HWRI_HEADER_SIZE);
}
static inline void *hwri_block_of(void *object, const hwr_type *type) {
    return (char *)object - HWRI_HEADER_SIZE - (type->alignment & 16) / 2;
}
/* By the lowest bit of a header. */
static inline hwr_pool *hwri_pool_of(const hwr_heap *heap, uint64_t header) {
    return (&heap->objects)[header & HWRI_UNTRACKED];
}
/* Called when an allocation of `size` bytes failed: collects, asks. Returns whether to try again; *attempt starts at 0. */
bool hwri_make_room(hwr_heap *heap, size_t size, unsigned *attempt);

void hwri_make_young(hwr_heap *heap, void *object); /* a tracked one: puts it into the youngest generation */

/* ---- tracing/barrier.c ---- */

/* References were copied to a part of an object, `size` bytes from `field` on, without hwr_set; or were moved about within it. */
void hwri_copied_slow(hwr_heap *heap, void *object, void *field, size_t size);
static inline void hwri_copied(hwr_heap *heap, void *object, void *field, size_t size) {
    if (hwri_unlikely(hwri_is_tracing(heap)) && hwri_header_now(object) & HWRI_TRACK)
        hwri_copied_slow(heap, object, field, size);
}

/* References of a large object of a tracing heap were moved about within it. */
void hwri_shuffled_slow(void *object);

/* ---- ages ---- */

static inline hwri_ages *hwri_ages_of(const hwri_page *page, const void *header) {
    size_t slice = page->slices == 1 ? 0 : ((size_t)((const char *)header - page->start) >> HWRI_SLICE_SHIFT);
    return (hwri_ages *)(void *)page->side + slice;
}
static inline size_t hwri_granule_of(const void *header) {
    return ((uintptr_t)header >> 4) & (HWRI_SLICE_GRANULES - 1);
}
/* How many slices of a page objects begin in, if it is not a page of one. */
static inline size_t hwri_aged_slices(const hwri_page *page) {
    return page->large_size || page->slices == 0 ? 1 : page->slices;
}
void hwri_flag_page(hwri_page *page); /* it may have young or middle objects */
void hwri_unflag_page(hwri_page *page);
bool hwri_is_flagged(const hwri_page *page);

/* ---- object/walk.c ---- */

/* Goes through the pages of a pool: start with zeroes, or with `flagged` set for the flagged ones only. NULL: there are no more. The page
 * that was returned last may end meanwhile, with its chunk, and so may chunks without pages, but no other page. */
typedef struct hwri_page_cursor {
    bool flagged;
    size_t chunk, slice;
    uintptr_t base; /* of the chunk: those before it may end */
} hwri_page_cursor;
hwri_page *hwri_page_next(const hwr_pool *pool, hwri_page_cursor *cursor);

/* Calls `visit` for the live objects of both pools, until it returns false. */
bool hwri_each_object(hwr_heap *heap, hwr_object_visitor visit, void *context);
bool hwri_each_object_in(hwr_pool *pool, hwr_object_visitor visit, void *context);
int hwri_generation_of(hwr_heap *heap, const void *object);         /* of a tracked one that is not frozen */
int hwri_counted_generation_of(hwr_heap *heap, const void *object); /* of any; 2 if it has none */
void hwri_forget_ages(hwr_heap *heap);                              /* all objects are of the oldest generation */

/* ---- object/verify.c ---- */

/* Whether a live object, or on a counting heap a live tracked one, lies just at an address. */
bool hwri_is_object(hwr_heap *heap, const void *address);
bool hwri_counted_is_object(hwr_heap *heap, const void *address);
const char *hwri_counted_verify(hwr_heap *heap);
bool hwri_is_tracked_object(hwr_heap *heap, const void *address);

/* ---- counting/count.c ---- */

void hwri_count_add(hwr_heap *heap, void *object, size_t by);
bool hwri_count_refill_slow(hwr_heap *heap, void *object);
/* The header's count is zero. Returns whether it was filled again from the table. */
static inline bool hwri_count_refill(hwr_heap *heap, void *object) {
    return hwri_unlikely(*hwri_header(object) & HWRI_COUNT_ASIDE) && hwri_count_refill_slow(heap, object);
}
size_t hwri_count_of(hwr_heap *heap, const void *object);
bool hwri_counted_make_immortal(hwr_heap *heap, void *object);
void hwri_count_forget(hwr_heap *heap, void *object); /* it dies */

/* ---- counting/death.c ---- */

void hwri_deaths_open(hwr_heap *heap);
void hwri_release_later(hwr_heap *heap, void *object); /* when hwri_deaths_run is called */
void hwri_deaths_run(hwr_heap *heap, size_t base);     /* until no more than that many wait */
void hwri_free_object(hwr_heap *heap, void *object);   /* its block; nothing else */
/* So many tracked objects are no more: so many fewer count towards the next collection. */
static inline void hwri_count_deallocations(hwr_heap *heap, size_t count) {
    heap->count[0] = (size_t)heap->count[0] > count ? heap->count[0] - (int)count : 0;
}
void hwri_call_finalizer(hwr_heap *heap, void *object);

/* ---- counting/policy.c ---- */

void hwri_trigger_set(hwr_heap *heap);      /* after a change of what it depends on */
void hwri_count_allocation(hwr_heap *heap); /* count[0] has exceeded the trigger: collects if that is due */

bool hwri_counted_collect(hwr_heap *heap, int generation, hwr_collection_mode mode, size_t *unreachable);
bool hwri_counted_objects(hwr_heap *heap, int generation, hwr_object_visitor visit, void *context);
bool hwri_counted_referrers(hwr_heap *heap, const void *object, hwr_object_visitor visit, void *context);
void hwri_counted_freeze(hwr_heap *heap, bool frozen);
size_t hwri_counted_freeze_count(hwr_heap *heap);

/* ---- counting/collect.c ---- */

size_t hwri_collect(hwr_heap *heap, int generation); /* no callbacks; the heap is marked as collecting */
void hwri_page_ends(void *heap, hwri_page *page);
bool hwri_is_condemned(hwr_heap *heap, const void *object); /* garbage whose finalizers are being run */
void hwri_condemned_dies(hwr_heap *heap, const void *object);

/* ---- life ---- */

void hwri_weak_object_dies(hwr_heap *heap, void *object); /* clears its weak references and calls them back */
size_t hwri_weak_call_chain(
    hwr_heap *heap,
    hwr_weak *first); /* of held ones, through `next`: calls back and releases each; returns how many ended then */
hwr_weak *hwri_weak_take(hwr_heap *heap, void *object); /* clears all and returns them as a chain through `next` */
bool hwri_is_own_type(const hwr_type *type);
void hwri_own_type_dies(hwr_heap *heap, void *object); /* an object of the library's own types is about to be freed */
const char *hwri_weak_problem(hwr_heap *heap);

/* ---- kinds/intern.c ---- */

void hwri_interned_dies(hwr_heap *heap, const void *text); /* a str with HWRI_INTERNED */
const char *hwri_interned_problem(hwr_heap *heap);

/* ---- kinds/traced.c ---- */

void *hwri_traced_leaf(hwr_heap *heap, const hwr_type *type, size_t size); /* hwri_new_leaf */
void *hwri_traced_quietly(hwr_heap *heap, const hwr_type *type,
                          size_t length); /* hwri_new_quietly, for any type of theirs */

/* ---- kinds/shape.c ---- */

void hwri_shape_dies(const void *dead);
void hwri_shapes_let_go(hwr_heap *heap);                            /* of those that it holds */
const char *hwri_shape_problem(hwr_heap *heap, const void *object); /* NULL: there is none, or it is no shape */

/* ---- kinds/spare.c ---- */

/* Of an object of a type with HWRI_TYPE_SPARED whose count is zero: whether it is kept, so that it does not come to its end. */
bool hwri_spare_keep(hwr_heap *heap, void *object);
void hwri_spares_let_go(hwr_heap *heap);

/* ---- watch/events.c ---- */

void hwri_emit_slow(hwr_heap *heap, hwr_event_kind kind, uint64_t value, uint64_t other);
static inline void hwri_emit(hwr_heap *heap, hwr_event_kind kind, uint64_t value, uint64_t other) {
    if (hwri_unlikely(heap->listening >> kind & 1)) hwri_emit_slow(heap, kind, value, other);
}
void hwri_events_close(hwr_heap *heap);
void hwri_call_back_all(hwr_heap *heap, const hwr_collection_info *info);

/* ---- counting/checked.c ---- */

bool hwri_checks_open(hwr_heap *heap);
/* Ends the program unless `object` is a live object of the heap. `call` is the public function, `site` its return address. */
void hwri_check_object(hwr_heap *heap, const void *object, const char *call, const void *site);
/* The object's tail: a guard, and where it was allocated. */
enum { HWRI_TAIL_SIZE = 16 };
void hwri_tail_write(hwr_heap *heap, void *object, const void *site);
void hwri_check_dying(hwr_heap *heap, const void *object); /* its count is zero: is it whole? */
/* Takes a dead object into quarantine; returns one that leaves it, to be freed, or NULL. */
void *hwri_hold_dead(hwr_heap *heap, void *object);
const char *hwri_check_problem(hwr_heap *heap, const void *object);
/* At the start of public calls that have no other check: in a checked heap, ends the program if another thread is in a call, or if `object` is not NULL and no live object. */
void hwri_look_slow(hwr_heap *heap, const void *object, const char *call, const void *site);
#define HWRI_LOOK(heap, object)                                                                                        \
    ((heap)->checked ? hwri_look_slow((heap), (object), __func__, __builtin_return_address(0)) : (void)0)

void hwri_counted_look(hwr_heap *heap, const void *object, const char *call, const void *site);
void hwri_counted_retain(hwr_heap *heap, const void *object, const void *site);
void hwri_counted_release(hwr_heap *heap, const void *object, const void *site);
void hwri_counted_store(hwr_heap *heap, void *object, void *field, void *value, hwri_store how, const void *site);

/* Around public calls on a checked heap: find two threads in it at once. */
void hwri_enter(hwr_heap *heap, const char *call, const void *site);
void hwri_leave(hwr_heap *heap);

#endif
