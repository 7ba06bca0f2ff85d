/* The tracing collector, as its own files see it. Which file does what:
 *   tracing/region.c     the old space: blocks, holes between what lives
 *   tracing/nursery.c    the young space: pieces that are allocated from, and reused in place
 *   tracing/large.c      large objects
 *   tracing/model.h      our own objects as the engines see them
 *   tracing/copy.h       the engine that collects the young by copying, over any object model
 *   tracing/mark.h       the engine that marks, over any object model
 *   tracing/evacuate.c   which blocks of the old space are emptied meanwhile
 *   tracing/collect.c    what a collection does, one thing after the other
 *   tracing/policy.c     when to collect what
 *   tracing/allocate.c   making objects, where the inline way does not do
 *   tracing/barrier.c    what is remembered of stores into old objects
 *   tracing/thread.c     threads, and stopping them
 *   tracing/roots.c      stacks, frames, slots, callbacks
 *   tracing/life.c       handles, weak references and finalizers in a collection; life.h tells which file has which
 *   tracing/dependent.c  dependent handles
 *   kinds/traced.c       what the kinds need of all this
 *   tracing/inspect.c    walking, verification, figures
 *   tracing/inform.c     what is told of collections: callbacks, memory information
 *   tracing/checked.c    the calls of a checked heap
 *   tracing/heap.c       opening and closing; the table of functions */
#ifndef HWRI_TRACING_TRACING_H
#define HWRI_TRACING_TRACING_H

#include "heapwright/tracing.h"
#include "object/heap.h"
#include "raw/atomic.h"

/* ---- the header of an object on a tracing heap ----
 *
 *   63      62 61   60      59       58      57     56       55     52 51   48 47                    0
 *   [alive] [mark] [track] [region] [large] [aged] [pinned] [ids ...] [flags] [type's address]
 *
 * An object that has moved away leaves the address of its copy, which has bit 63 clear. What is no object but lies between objects is a *gap*: its first word has bit 63 clear, and its size
 * shifted by three, and a one. */
#define HWRI_MARK_SHIFT 61
/* Of the young and the large. 0: new; otherwise the epoch of the collection that last reached it. Of what is in blocks, where marks lie beside: 0. */
#define HWRI_MARK (UINT64_C(3) << HWRI_MARK_SHIFT)
#define HWRI_WATCHED HWRI_MARK          /* dependent handles wait until it is reached */
#define HWRI_REGION (UINT64_C(1) << 59) /* lies in a block of the old space */
#define HWRI_LARGE (UINT64_C(1) << 58)  /* has a block of the pool to itself */
#define HWRI_AGED (UINT64_C(1) << 57)   /* generation 1: has survived a collection */
/* Young, and stayed where it was in this collection, not scanned yet; or old, and may not move. */
#define HWRI_PINNED (UINT64_C(1) << 56)
#define HWRI_HAS_ID (UINT64_C(1) << 55)     /* somebody asked for its id, which is in a table */
#define HWRI_SUPPRESSED (UINT64_C(1) << 54) /* its finalizer is not to be called */
#define HWRI_FOREVER (UINT64_C(1) << 53)    /* hwr_make_immortal */
#define HWRI_REGISTERED (UINT64_C(1) << 52) /* its finalizer is to be called when it is found dead, or soon */
#define HWRI_BORN (HWRI_ALIVE)              /* the flags of a new object in the nursery */

static inline bool hwri_is_there(uint64_t header) { return header >> 63; }
static inline uint64_t hwri_gap(size_t size) { return (uint64_t)size << 3 | 1; }
static inline bool hwri_is_gap(uint64_t header) { return (header & (HWRI_ALIVE | 7)) == 1; }

/* Bytes that an object takes, header included. */
static inline size_t hwri_taken_by(const hwr_type *type, size_t length) {
    size_t size = (hwri_size_with(type, length) + 7) / 8 * 8;
    return HWRI_HEADER_SIZE + (size ? size : 8);
}
static inline size_t hwri_traced_size(const void *object, const hwr_type *type) {
    return hwri_taken_by(type, type->item_size ? hwri_length_of(type, object) : 0);
}
/* What is aligned to 16 takes a word more, for a gap in front of it or behind. */
static inline size_t hwri_padding_of(const hwr_type *type) { return type->alignment == 16 ? 8 : 0; }
/* Writes that gap, and returns where the header goes. `size`: without the gap. */
static inline uint64_t *hwri_settle(uint64_t *header, size_t size) {
    bool shift = !((uintptr_t)header & 8);
    *(shift ? header : header + size / 8) = hwri_gap(8);
    return header + shift;
}
/* Bytes to the next object or gap behind this one. */
static inline size_t hwri_size_at(const uint64_t *header) {
    if (hwri_is_gap(*header)) return (size_t)(*header >> 3);
    const void *object = hwri_is_there(*header) ? (const void *)(header + 1) : (const void *)(uintptr_t)*header;
    return hwri_traced_size(object, hwr_type_of(object));
}

enum {
    HWRI_PIECE_SHIFT = 12, /* a piece of the nursery: 4 KiB */
    HWRI_PIECE = 1 << HWRI_PIECE_SHIFT,
    HWRI_BLOCK_SHIFT = 15, /* a block: 32 KiB */
    HWRI_BLOCK = 1 << HWRI_BLOCK_SHIFT,
    HWRI_REGION_SHIFT = 20, /* a region: 1 MiB */
    HWRI_REGION_SIZE = 1 << HWRI_REGION_SHIFT,
    HWRI_REGION_BLOCKS = HWRI_REGION_SIZE / HWRI_BLOCK,
    HWRI_SMALL_MOST = 128,  /* bytes, header included, of objects that any hole is good for */
    HWRI_HOLE_MOST = 2048,  /* larger ones are given a whole block */
    HWRI_MEDIUM_MOST = 8192 /* bytes, header included, of objects that blocks hold; larger ones are large */
};

/* ---- the old space ---- */

typedef enum hwri_block_state {
    HWRI_BLOCK_UNUSED, /* holds nothing; has no memory */
    HWRI_BLOCK_FREE,   /* holds nothing; has memory */
    HWRI_BLOCK_HOLES,  /* has holes that may be allocated from */
    HWRI_BLOCK_TAKEN   /* somebody allocates from it, or did */
} hwri_block_state;

/* What is known of a block. The marks of its region tell where the objects begin and end that the last marking found alive, and so where the *holes* between them are. Holes are allocated from in order, and those below `taken` hold
 * one object after the other, and gaps. */
typedef struct hwri_block_info {
    uint8_t state;
    bool dirty;                   /* some of its objects are remembered, but there was no memory to say which */
    bool overflow;                /* some of its objects have been marked, but there was no memory to say which */
    bool leaves;                  /* its objects are moved out by the marking that comes, or is under way */
    uint16_t taken;               /* granules below this one have been handed out, or passed over */
    uint16_t free;                /* granules in holes, as of the last sweep, that have not been handed out since */
    struct hwri_block_info *next; /* in a list of free blocks, or of those with holes */
} hwri_block_info;

/* A bit for each granule of 8 bytes. A word of starts and the word of ends for the same granules lie side by side, since they are set together. */
typedef struct hwri_marks {
    uint64_t starts; /* an object alive begins here */
    uint64_t ends;   /* its last granule */
} hwri_marks;

/* A region: one reservation, aligned to its size, so that an object's region is found by a mask. This description lies at its beginning: 3.2 % of it. */
typedef struct hwri_region {
    hwri_marks marks[HWRI_REGION_SIZE / 8 / 64];
    hwri_block_info blocks[HWRI_REGION_BLOCKS];
} hwri_region;
enum {
    HWRI_REGION_FIRST = (sizeof(hwri_region) + HWRI_BLOCK - 1) / HWRI_BLOCK
}; /* the first block that holds objects */

/* Which granules of a block are in use. */
enum { HWRI_BLOCK_WORDS = HWRI_BLOCK / 8 / 64, HWRI_BLOCK_GRANULES = HWRI_BLOCK / 8 };
typedef struct hwri_usage {
    uint64_t bits[HWRI_BLOCK_WORDS];
} hwri_usage;

/* Room that is allocated from by adding: a hole of a block, or pieces of the nursery. */
typedef struct hwri_room {
    uintptr_t bump, limit;
    hwri_block_info *block; /* whose further holes come next; NULL: none */
    hwri_usage used;        /* of that block, as of the last marking */
} hwri_room;

typedef struct hwri_old {
    hwri_region **regions; /* sorted by address */
    size_t region_count, region_room;
    hwri_block_info *free, *holes, *unused; /* blocks to be taken */
    size_t blocks;                          /* that are not free or unused */
    size_t free_blocks;                     /* that have memory */
    size_t live;                            /* bytes, as of the last sweep */
    size_t bytes;                           /* those and the holes handed out since */
    size_t holes_bytes;                     /* free, in blocks that are in the list of those with holes */
    hwri_room promoted;                     /* where the collector puts small objects */
    hwri_room overflow;                     /* and those that did not fit into a hole */
} hwri_old;

static inline hwri_region *hwri_region_of(const void *address) {
    return (hwri_region *)((uintptr_t)address & ~(uintptr_t)(HWRI_REGION_SIZE - 1));
}
/* Which granule of its region an address lies in. */
static inline size_t hwri_region_granule(const void *address) {
    return ((uintptr_t)address & (HWRI_REGION_SIZE - 1)) / 8;
}
/* The mark of an object in a block: whether the last marking found that one begins here. */
static inline bool hwri_is_marked_in_region(const uint64_t *header) {
    size_t granule = hwri_region_granule(header);
    return hwri_region_of(header)->marks[granule / 64].starts >> (granule % 64) & 1;
}
static inline hwri_block_info *hwri_block_info_of(const void *address) {
    return &hwri_region_of(address)->blocks[((uintptr_t)address & (HWRI_REGION_SIZE - 1)) >> HWRI_BLOCK_SHIFT];
}
static inline char *hwri_block_start(const hwri_block_info *block) {
    hwri_region *region = hwri_region_of(block);
    return (char *)region + ((size_t)(block - region->blocks) << HWRI_BLOCK_SHIFT);
}

/* ---- the young space ---- */

enum {
    HWRI_PIECE_FREE = 0,
    HWRI_PIECE_USED = 1,   /* given to a thread, or to the collector for survivors */
    HWRI_PIECE_COPIED = 2, /* given to the collector in the collection under way */
    HWRI_PIECE_KEPT = 4,   /* has objects that stay where they are in the collection under way */
    HWRI_PIECE_RESCAN = 8  /* and some of them are not scanned yet */
};

/* The nursery: one reservation, in pieces. Objects lie one behind the other, across the edges of pieces that were given out together; `first` tells where in a piece the first one begins, so that the object an
 * address lies in is found by going through one piece. */
typedef struct hwri_nursery {
    uintptr_t start;
    size_t pieces;     /* in the reservation */
    size_t committed;  /* of them, from the start on */
    size_t budget;     /* pieces that threads may take between two collections */
    size_t given;      /* that they have taken */
    size_t cursor;     /* where to look for the next free one */
    uint8_t *state;    /* of each: HWRI_PIECE_... */
    uint16_t *first;   /* offset in words; HWRI_NO_OBJECT: none begins here */
    size_t table_size; /* bytes of both */
    bool has_rescans;
    size_t gap_bytes;    /* between objects that stayed where they were */
    size_t poisoned;     /* a checked heap: pieces below this one that are free have been filled */
    hwri_room survivors; /* where the collector puts those that survive for the first time; up to the end of a piece */
    uintptr_t survivors_end; /* of the pieces that it has */
} hwri_nursery;
enum { HWRI_NO_OBJECT = 0xffff };

/* ---- large objects ---- */

/* Stands in front of a large object's header. They are of the oldest generation from the beginning, as on C#'s heap. One with references has a byte for each 512 of its own behind it: a card, set when something young
 * is stored there. */
typedef struct hwri_large {
    size_t index;    /* among all */
    size_t size;     /* bytes of the object, header included */
    bool listed;     /* is among the remembered */
    bool overflow;   /* marked, but there was no memory to say so */
    uint8_t *cards;  /* NULL: none */
    uint64_t unused; /* so that an object is aligned to 16 */
} hwri_large;
_Static_assert(sizeof(hwri_large) % 16 == 8, "a large object is aligned to 16");
enum { HWRI_CARD_SHIFT = 9 };

typedef struct hwri_large_space {
    hwr_pool *pool;
    hwri_large **all;
    size_t count, room;
    size_t bytes; /* of objects */
} hwri_large_space;

static inline hwri_large *hwri_large_of(const void *object) { return (hwri_large *)(void *)hwri_header(object) - 1; }

/* ---- threads ---- */

typedef enum hwri_thread_state { HWRI_RUNNING, HWRI_STOPPED, HWRI_AWAY } hwri_thread_state;

/* A growing array of pointers, from the heap's blocks. */
typedef struct hwri_pointers {
    void **items;
    size_t count, room;
} hwri_pointers;

/* Words saved of a thread that stops: its registers, and of one that leaves the frame of the function that does so, which is gone afterwards. */
enum { HWRI_REGISTERS = 12, HWRI_SAVED_WORDS = 64 };

/* A thread. `face` is what inline functions see, and is first. The rest of what it may allocate from: the pieces up to `run_end` in the nursery, or the holes of `block`. */
typedef struct hwri_mutator {
    hwri_thread face;
    struct hwri_mutator *next;
    hwri_attachment attachment;
    unsigned attached; /* how often */
    bool calls_back;   /* is in a callback of a collection */
    bool quiet;        /* it is in the middle of a change of the kinds': runs no code of the program's */
    hwri_thread_state state;
    uintptr_t token;                   /* tells threads apart */
    uintptr_t run_end;                 /* nursery: the end of the pieces that it has */
    hwri_room old;                     /* where it allocates from in the old space; its bump is that of `face` then */
    uintptr_t counted;                 /* bytes from here on to its bump are not in `allocated` yet */
    size_t taken;                      /* bytes of holes that it took without the lock */
    uint64_t allocated;                /* bytes, since it was attached */
    hwri_pointers remembered;          /* old objects that something young was stored into */
    uintptr_t stack_base;              /* its highest address; 0: not scanned */
    uintptr_t stack_pointer;           /* when it stopped or left */
    uintptr_t saved[HWRI_SAVED_WORDS]; /* likewise */
    hwr_stack *coroutine;              /* the registered stack that it runs on; NULL: its own */
} hwri_mutator;

/* ---- the collector ---- */

typedef struct hwri_root_show {
    hwr_root_callback show;
    void *context;
} hwri_root_show;

/* What happens in a collection now; the life room asks by these. */
typedef enum hwri_phase { HWRI_IDLE, HWRI_COPYING, HWRI_MARKING } hwri_phase;

struct hwri_life;

/* What a heap that adapts (HWR_SIZE_ADAPTS) knows of itself: how much was left by its last full collection, when that ended, how much has come since, and by how much it may grow. Bytes; nanoseconds. */
typedef struct hwri_balance {
    uint64_t ended;
    size_t left, came, room;
} hwri_balance;

typedef struct hwri_tracing {
    hwr_heap *heap;
    hwri_old old;
    hwri_nursery nursery;
    hwri_large_space large;
    hwri_mutex lock; /* guards everything here that threads share; held by a collection from its beginning to its end */
    pthread_cond_t stopped; /* a thread has stopped or left */
    pthread_cond_t resumed; /* a collection is over */
    hwri_mutator *threads;
    hwri_mutator *collector; /* the thread that collects; NULL: none */
    bool unmoving, scans_stacks, move_always;
    bool pretenures; /* threads allocate in the old space */
    hwri_phase phase;
    int generation; /* that is being collected */
    unsigned young_epoch,
        old_epoch; /* 1 or 2: what HWRI_MARK is of objects that this collection, or the last one, reached */
    bool promotes_all;
    bool refused;            /* the collection under way found no memory, and does not ask again for each object */
    hwri_pointers slots;     /* registered */
    hwri_pointers immortals; /* objects */
    hwri_root_show *shows;
    size_t show_count;
    hwr_stack *stacks;            /* registered */
    hwri_pointers remembered;     /* old objects that refer to young ones since the last collection */
    hwri_pointers pins;           /* objects that a word on a stack leads into, found by this collection */
    hwri_pointers marked;         /* the marker's stack */
    struct hwri_copying *copying; /* what the engine under way needs; NULL: it is the other, or none */
    struct hwri_marking *marking;
    struct hwri_life *life;
    /* policy */
    size_t target;                           /* bytes of old space at which it is collected */
    size_t pressure;                         /* bytes outside the heap */
    unsigned surviving;                      /* collections of the young in a row in which most survived */
    size_t pretenure_left, pretenure_length; /* bytes; nurseries */
    size_t high;                             /* bytes that the old space and large objects once had; slowly forgotten */
    hwr_sizing sizing;
    hwri_balance balance;
    uint64_t survived_bytes;     /* of the collection under way */
    uint64_t allocated_by_ended; /* bytes, by threads that are detached */
    uint64_t opened, paused;     /* times */
    size_t committed, peak_committed;
    size_t pinned_objects; /* found by the collection under way */
    hwr_memory_info info;  /* of it, as far as it is known */
    hwr_memory_info infos[3];
} hwri_tracing;

/* The flags of an object that is made in the old space. Where objects do not move it is young until it is marked, and stores into it need not be looked at. */
static inline uint64_t hwri_born_old(const hwri_tracing *t) {
    return HWRI_ALIVE | HWRI_REGION | (t->unmoving ? 0 : HWRI_TRACK);
}

static inline uint64_t hwri_epoch_bits(unsigned epoch) { return (uint64_t)epoch << HWRI_MARK_SHIFT; }

static inline bool hwri_is_young(const hwri_tracing *t, const void *object) {
    return (uintptr_t)object - t->nursery.start < t->nursery.pieces << HWRI_PIECE_SHIFT;
}

/* ---- heap.c ---- */
bool hwri_pointers_push(hwri_tracing *t, hwri_pointers *list, void *item); /* false without memory */
void hwri_pointers_free(hwri_tracing *t, hwri_pointers *list);

/* ---- region.c. All with the lock held. ---- */
/* Puts the next room for at least `size` bytes into `room`, ending the one that is there. False without memory or beyond what may be taken; `whole` asks for a whole block. */
bool hwri_old_take(hwri_tracing *t, hwri_room *room, size_t size, bool whole);
/* The next hole of the block that the room is in, for at least `size` bytes; *bytes grows by what is taken. It needs no lock. */
bool hwri_room_next(hwri_room *room, size_t size, size_t *bytes);
void hwri_room_seal(const hwri_room *room); /* what is left of it is a gap for now */
void hwri_room_end(hwri_room *room);        /* and for good */
void *hwri_old_alloc_slow(hwri_tracing *t,
                          size_t size); /* for the collector; a header's address, NULL without memory */
hwri_region *hwri_region_with(const hwri_tracing *t, uintptr_t address); /* NULL: none */
/* The header of the object of a block that an address lies in, alive when last marked or allocated since; NULL: none. */
uint64_t *hwri_old_object_at(const hwri_tracing *t, uintptr_t address);
/* Calls for every object of a block: those that were alive when last marked, and those allocated since; or only for the former. */
void hwri_block_each(const hwri_block_info *block, void (*visit)(void *context, void *object), void *context);
void hwri_block_each_marked(const hwri_block_info *block, void (*visit)(void *context, void *object), void *context);
size_t hwri_regions_described(const hwri_tracing *t);         /* bytes of descriptions */
const char *hwri_block_problem(const hwri_block_info *block); /* NULL: there is none */
void hwri_old_provide(hwri_tracing *t, size_t count);         /* sees to so many free blocks, if they can be had */
void hwri_old_clear_marks(hwri_tracing *t);                   /* before marking */
void hwri_old_sweep(hwri_tracing *t);                         /* after it: finds the holes */
size_t hwri_old_trim(hwri_tracing *t, size_t keep);           /* gives back free blocks but so many; returns bytes */
void hwri_old_close(hwri_tracing *t);
static inline size_t hwri_old_bytes(const hwri_tracing *t) {
    return t->old.blocks << HWRI_BLOCK_SHIFT;
} /* of blocks in use */

/* ---- evacuate.c ---- */
/* What policy wants of an evacuation. */
typedef struct hwri_evacuation {
    bool wanted;
    bool gains;         /* only if it makes blocks free */
    size_t least_holes; /* bytes of the old space that have to be in holes */
    size_t least_free;  /* granules in the holes of a block, if it is to be emptied */
    size_t most_new;    /* blocks: if fewer are free, more may be had for what is moved, up to this */
} hwri_evacuation;
/* Chooses blocks that the marking that comes is to empty. Returns whether there are any; if so, hwri_evacuation_end has to follow. */
bool hwri_evacuation_choose(hwri_tracing *t, const hwri_evacuation *e);
void hwri_evacuation_begin(hwri_tracing *t); /* before marks are cleared; t->pins are known */
void hwri_evacuation_end(hwri_tracing *t);   /* before the sweep */

/* ---- nursery.c ---- */
bool hwri_nursery_open(hwri_tracing *t, size_t size);
void hwri_nursery_close(hwri_tracing *t);
size_t hwri_nursery_trim(hwri_tracing *t);
size_t hwri_pieces_used(const hwri_nursery *nursery); /* a number */
/* Up to `most` free pieces that lie together, from number *at on; returns how many, 0: none. They are in `state` from now on. With the lock held. */
size_t hwri_pieces_take(hwri_tracing *t, size_t most, uint8_t state, size_t *at);
/* Goes on in the next piece of a run, where an object of `size` bytes begins at `bump`, which it ends or crosses; returns the new limit, or 0 if the run ends before the object does. */
uintptr_t hwri_piece_next(hwri_nursery *nursery, uintptr_t bump, size_t size, uintptr_t run_end);
void *hwri_survivor_alloc_slow(hwri_tracing *t, size_t size); /* for the collector; a header's address, NULL: no room */
uint64_t *hwri_young_object_at(const hwri_tracing *t, uintptr_t address);
/* Calls for every object and every gap that begins in a piece. */
typedef void (*hwri_piece_visit)(void *context, uint64_t *header);
void hwri_piece_each(const hwri_nursery *nursery, size_t piece, hwri_piece_visit visit, void *context);
static inline size_t hwri_piece_of(const hwri_nursery *nursery, const void *address) {
    return ((uintptr_t)address - nursery->start) >> HWRI_PIECE_SHIFT;
}
void hwri_keep_pieces(hwri_nursery *nursery, const uint64_t *header, size_t size, uint8_t flags);
void hwri_nursery_reset(
    hwri_tracing *t); /* after a collection: pieces that hold nothing are free; kept ones hold what stayed, and gaps */

/* ---- large.c ---- */
void *hwri_large_object_new(hwri_tracing *t, const hwr_type *type,
                            size_t size); /* zeroed, without its header; with the lock held; NULL without memory */
void hwri_large_drop(hwri_tracing *t, hwri_large *large);
uint64_t *hwri_large_object_at(const hwri_tracing *t, uintptr_t address);
void hwri_larges_sweep(hwri_tracing *t); /* frees those that were not reached */
void hwri_larges_close(hwri_tracing *t);

/* ---- thread.c ---- */
hwri_mutator *hwri_mutator_here(hwr_heap *heap); /* NULL: not attached */
/* Before whatever may stop this thread: notes its registers, and where its stack stands, the caller's frame included. The caller must not return before the thread runs again. */
void hwri_note_stack(hwri_mutator *me);
/* Stops all other threads; the caller's stack is noted. Returns false, with nothing held, if another thread has collected meanwhile; otherwise the lock is held until hwri_resume. */
bool hwri_stop(hwri_tracing *t, hwri_mutator *me);
void hwri_resume(hwri_tracing *t);
/* A safepoint, with the lock held: if a collection is about to begin, waits until it is over. The caller's stack is noted. Returns whether there was one. */
bool hwri_park(hwri_tracing *t, hwri_mutator *me);
/* What threads allocate from is whole after this: nothing but objects and gaps. They ask for more next. */
void hwri_mutator_settle(hwri_mutator *mutator);
void hwri_mutator_drop_old(hwri_mutator *mutator);          /* and it gives up its block, since that is swept */
void hwri_mutator_seal(const hwri_mutator *mutator);        /* the same for now: it goes on allocating there */
void hwri_mutator_add(hwri_mutator *mutator, size_t bytes); /* to what it has allocated */
bool hwri_threads_open(hwri_tracing *t);
void hwri_threads_close(hwri_tracing *t);

/* ---- barrier.c ---- */
/* Remembers an old object, by the collector: it refers to something young. */
void hwri_remember_again(hwri_tracing *t, hwri_pointers *list, void *object);

/* ---- kinds/traced.c ---- */
void hwri_kinds_after(
    hwri_tracing *t); /* after all that: the table of interned strs forgets those that were not reached */

/* ---- allocate.c ---- */
void *hwri_traced_make(hwr_heap *heap, const hwr_type *type, size_t length, const char *call, const void *site);
bool hwri_traced_make_room(hwr_heap *heap, size_t size, unsigned *attempt); /* hwri_make_room */

/* ---- roots.c ---- */
typedef void (*hwri_slot_visit)(void *context, void *slot);
void hwri_each_exact_root(hwri_tracing *t, hwri_slot_visit visit, void *context);
/* Calls for each word on a stack, in a register or in a register saved, that could lead into an object. */
typedef void (*hwri_word_visit)(void *context, uintptr_t word);
void hwri_each_ambiguous_root(hwri_tracing *t, hwri_word_visit visit, void *context);
/* The object that an address leads into, wherever; NULL: none. */
void *hwri_object_at(const hwri_tracing *t, uintptr_t address);

/* ---- collect.c ---- */
/* Without the lock. Returns the generation that was collected: less than what was asked where memory is too short for it, -1 if nothing was done, because another thread has collected meanwhile. */
int hwri_traced_collect(hwri_tracing *t, hwri_mutator *me, int generation, hwr_collection_mode mode);
void hwri_collect_stopped(hwri_tracing *t, int generation, hwr_collection_mode mode); /* after hwri_stop */
bool hwri_traced_collect_now(hwr_heap *heap, int generation, hwr_collection_mode mode, size_t *unreachable);
/* For the life room, during a collection. Whether an object has been reached; an object outside of what is collected always is. */
bool hwri_is_reached(const hwri_tracing *t, const void *object);
/* Where an object that has been reached is now. */
void *hwri_where(const hwri_tracing *t, void *object);
/* Reaches what the slot holds, and all that leads to; the slot is changed if it has moved. */
void hwri_reach(hwri_tracing *t, void *slot);
void hwri_reach_all(hwri_tracing *t); /* goes on until nothing is left to be scanned */

/* ---- inspect.c: what heap->collector is made of ---- */
/* Until hwri_go_on all other threads stand still, but the lock is free. With `collects`, what is there then is what is alive. */
hwri_tracing *hwri_stand_still(hwr_heap *heap, hwri_mutator *me, bool collects);
void hwri_go_on(hwri_tracing *t, bool collected);
bool hwri_traced_walk(hwr_heap *heap, hwr_object_visitor visit, void *context);
bool hwri_traced_objects(hwr_heap *heap, int generation, hwr_object_visitor visit, void *context);
bool hwri_traced_referrers(hwr_heap *heap, const void *object, hwr_object_visitor visit, void *context);
const char *hwri_traced_verify(hwr_heap *heap);
int hwri_traced_generation(hwr_heap *heap, const void *object);
bool hwri_is_traced_object(hwr_heap *heap, const void *address);
size_t hwri_traced_size_of(hwr_heap *heap, const void *object);
size_t hwri_traced_refcount(hwr_heap *heap, const void *object);
bool hwri_traced_make_immortal(hwr_heap *heap, void *object);
void hwri_traced_stats(hwr_heap *heap, hwr_heap_stats *stats);
size_t hwri_traced_committed(const hwri_tracing *t); /* bytes */
size_t hwri_traced_trim(hwr_heap *heap);

/* ---- checked.c ---- */
void hwri_traced_look(hwr_heap *heap, const void *object, const char *call, const void *site);
void hwri_traced_look_frame(hwr_heap *heap, const hwri_thread *thread, const hwr_frame *frame, const void *site);
enum { HWRI_POISON = 0x5D };                      /* a byte; as a header it is neither an object's nor a gap's */
void hwri_poison_dead(hwri_tracing *t, bool all); /* at the end of a collection, of the oldest generation or not */
void hwri_check_poison(hwri_tracing *t);          /* at the beginning of the next */
void hwri_traced_retain(hwr_heap *heap, const void *object, const void *site);
void hwri_traced_release(hwr_heap *heap, const void *object, const void *site);
void hwri_traced_store(hwr_heap *heap, void *object, void *field, void *value, hwri_store how, const void *site);

/* ---- inform.c: at the beginning and the end of what is done while the threads are stopped. ---- */
void hwri_inform_before(hwri_tracing *t);
void hwri_inform_after(hwri_tracing *t, uint64_t pause); /* nanoseconds */
void hwri_inform_program(hwri_tracing *t, hwri_mutator *me, bool starts,
                         int generation); /* without the lock: calls back */

/* ---- policy.c ---- */
void hwri_policy_open(hwri_tracing *t, const hwr_options *options);
bool hwri_may_grow(const hwri_tracing *t,
                   size_t bytes);             /* whether the old space may take as much more without a collection */
size_t hwri_policy_before(hwri_tracing *t);   /* bytes that threads have taken from the nursery */
bool hwri_is_automatic(const hwr_heap *heap); /* collections come by themselves */
bool hwri_is_worth_while(hwri_tracing *t, int generation);
void hwri_policy_after_young(hwri_tracing *t, size_t before, size_t survived);
void hwri_policy_after_marking(hwri_tracing *t, bool full, uint64_t start); /* when the collection began */
/* Before a full marking; and after it, whether there is to be another one for this. */
hwri_evacuation hwri_policy_sparse(const hwri_tracing *t, hwr_collection_mode mode, bool marked);
bool hwri_is_full_due(const hwri_tracing *t);

/* ---- life.c ---- */
bool hwri_life_open(hwri_tracing *t, const hwr_options *options);
void hwri_life_close(hwri_tracing *t);
bool hwri_life_born(hwri_tracing *t, void *object); /* a new object with a finalizer; false without memory */
/* In a collection, in this order. Roots that it has: strong handles, the queue of finalizers. */
void hwri_life_roots(hwri_tracing *t, hwri_slot_visit visit, void *context);
void hwri_life_pins(hwri_tracing *t, void (*pin)(hwri_tracing *t, void *object));
void hwri_life_after(
    hwri_tracing *t); /* everything else: dependent handles, short weak ones, finalizers, long weak ones, ids */
void hwri_life_done(
    hwri_tracing *t); /* the threads run again, the lock is not held: tells those who wait, calls back */
/* A thread that was quiet when it collected has called nobody back. Whoever allocates next without being so catches up; without the lock, before the caller's stack is noted. */
bool hwri_life_is_behind(const hwri_tracing *t);
void hwri_life_catch_up(hwri_tracing *t, const hwri_mutator *me);
/* Without the lock: waits until none of the heap's own threads is coming or going, since those use its pools and are not attached. */
void hwri_life_settle(hwri_tracing *t);
/* By an engine: an object marked HWRI_WATCHED is being reached, and has not moved yet. */
void hwri_watched_is_reached(hwri_tracing *t, const void *object);
const char *hwri_life_problem(hwri_tracing *t); /* NULL: all is well. With all threads stopped */

#endif
