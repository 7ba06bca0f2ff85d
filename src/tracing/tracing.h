/* The tracing collector, as its own files see it. Which file does what:
 *   tracing/layout.h     our own objects as they lie in memory: the header
 *   tracing/space.h      the old space and large objects
 *   tracing/pointers.c   arrays of pointers
 *   tracing/region.c     the old space: blocks, holes between what lives
 *   tracing/nursery.c    the young space: pieces that are allocated from, and reused in place
 *   tracing/large.c      large objects
 *   tracing/model.h      our own objects as the engines see them
 *   tracing/move.h       moving objects while they are marked
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
 *   tracing/generations.c  the nursery, the old space and large objects as all of these see them
 *   tracing/tiny_space.c  the blocks of a tiny heap likewise
 *   tracing/inspect.c    walking, verification, figures
 *   tracing/inform.c     what is told of collections: callbacks, memory information
 *   tracing/checked.c    the calls of a checked heap
 *   tracing/heap.c       opening and closing; the table of functions */
#ifndef HWRI_TRACING_TRACING_H
#define HWRI_TRACING_TRACING_H

#include "heapwright/tracing.h"
#include "object/heap.h"
#include "tracing/space.h"

enum {
    HWRI_PIECE_SHIFT = 12, /* a piece of the nursery: 4 KiB */
    HWRI_PIECE = 1 << HWRI_PIECE_SHIFT
};

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

/* ---- threads ---- */

typedef enum hwri_thread_state { HWRI_RUNNING, HWRI_STOPPED, HWRI_AWAY } hwri_thread_state;

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
typedef struct hwri_tracing hwri_tracing;

/* Of a generation, or of the large objects: bytes, and those of them that are free room between objects. */
typedef struct hwri_sizes {
    size_t size, fragmentation;
} hwri_sizes;

/* What a tracing heap keeps its objects in, for all that is the same whatever that is: threads, roots, handles, finalizers, figures. All but `make` are called with the lock held. */
typedef struct hwri_spaces {
    bool (*open)(hwri_tracing *t, const hwr_options *options);
    void (*close)(hwri_tracing *t); /* also if they were not opened completely */
    /* A new object that takes `size` bytes, by a thread that may stop meanwhile; may collect. NULL without memory. */
    void *(*make)(hwri_tracing *t, hwri_mutator *me, const hwr_type *type, size_t length, size_t size);
    bool (*is_due)(const hwri_tracing *t); /* a full collection */
    bool (*is_worth_while)(const hwri_tracing *t, int generation);
    void (*collect)(hwri_tracing *t, int generation, hwr_collection_mode mode); /* all threads have stopped */
    size_t (*trim)(hwri_tracing *t);                                            /* returns bytes */
    /* In a collection. An object outside of what is collected is always reached. */
    bool (*is_reached)(const hwri_tracing *t, const void *object);
    void *(*where)(void *object); /* one that has been reached is now */
    void (*reach)(hwri_tracing *t,
                  void *slot);          /* what it holds, and all that leads to; it is changed if that has moved */
    void (*reach_all)(hwri_tracing *t); /* goes on until nothing is left to be scanned */
    /* Looking at them. */
    void *(*object_at)(const hwri_tracing *t, uintptr_t address); /* that it leads into, wherever; NULL: none */
    bool (*has)(const hwri_tracing *t, const void *address);      /* it lies in memory for objects */
    int (*generation_of)(const hwri_tracing *t, const void *object);
    bool (*each)(hwri_tracing *t, hwr_object_visitor visit, void *context);   /* false: it was stopped */
    const char *(*problem)(hwri_tracing *t);                                  /* NULL: there is none */
    const char *(*problem_of)(const hwri_tracing *t, const void *object);     /* whose header is sane */
    void (*measure)(const hwri_tracing *t, bool before, hwri_sizes sizes[4]); /* a collection, or after it */
    size_t (*page_bytes)(const hwri_tracing *t);
    size_t (*committed)(const hwri_tracing *t); /* without the heap's blocks */
} hwri_spaces;

extern const hwri_spaces hwri_generations;
extern const hwri_spaces hwri_tiny_blocks; /* tiny_space.c */

/* What a heap that adapts (HWR_SIZE_ADAPTS) knows of itself: how much was left by its last full collection, when that ended, how much has come since, and by how much it may grow. Bytes; nanoseconds. */
typedef struct hwri_balance {
    uint64_t ended;
    size_t left, came, room;
} hwri_balance;

struct hwri_tracing {
    hwr_heap *heap;
    const hwri_spaces *spaces;
    hwri_space space; /* of a tiny heap this and the nursery are empty, so nothing is young */
    hwri_nursery nursery;
    struct hwri_tiny_space *tiny; /* NULL: these are the spaces */
    hwri_mutex lock; /* guards everything here that threads share; held by a collection from its beginning to its end */
    pthread_cond_t stopped; /* a thread has stopped or left */
    pthread_cond_t resumed; /* a collection is over */
    hwri_mutator *threads;
    hwri_mutator *collector; /* the thread that collects; NULL: none */
    bool unmoving, scans_stacks, move_always;
    bool pretenures; /* threads allocate in the old space */
    hwri_phase phase;
    int generation; /* that is being collected */
    unsigned
        young_epoch; /* 1 or 2: what HWRI_MARK is of young objects that this collection, or the last one, reached */
    bool promotes_all;
    hwri_pointers slots;     /* registered */
    hwri_pointers immortals; /* objects */
    hwri_root_show *shows;
    size_t show_count;
    hwr_stack *stacks;            /* registered */
    hwri_pointers remembered;     /* old objects that refer to young ones since the last collection */
    hwri_pointers pins;           /* objects that a word on a stack leads into, found by this collection */
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
};

/* The flags of an object that is made in the old space. Where objects do not move it is young until it is marked, and stores into it need not be looked at. */
static inline uint64_t hwri_born_old(const hwri_tracing *t) {
    return HWRI_ALIVE | HWRI_REGION | (t->unmoving ? 0 : HWRI_TRACK);
}

static inline uint64_t hwri_epoch_bits(unsigned epoch) { return (uint64_t)epoch << HWRI_MARK_SHIFT; }

static inline bool hwri_is_young(const hwri_tracing *t, const void *object) {
    return (uintptr_t)object - t->nursery.start < t->nursery.pieces << HWRI_PIECE_SHIFT;
}

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
void *hwri_generations_make(hwri_tracing *t, hwri_mutator *me, const hwr_type *type, size_t length, size_t size);
/* What to do when there is no room: collect the young, everything, give free memory back so that it can be had elsewhere, ask the program, give up. */
bool hwri_traced_room_for(hwri_tracing *t, hwri_mutator *me, size_t size, unsigned *attempt);
bool hwri_traced_make_room(hwr_heap *heap, size_t size, unsigned *attempt); /* hwri_make_room */

/* ---- roots.c ---- */
typedef void (*hwri_slot_visit)(void *context, void *slot);
void hwri_each_exact_root(hwri_tracing *t, hwri_slot_visit visit, void *context);
/* Calls for each word on a stack, in a register or in a register saved, that could lead into an object. */
typedef void (*hwri_word_visit)(void *context, uintptr_t word);
void hwri_each_ambiguous_root(hwri_tracing *t, hwri_word_visit visit, void *context);
static inline void *hwri_object_at(const hwri_tracing *t, uintptr_t address) {
    return t->spaces->object_at(t, address);
}

/* ---- collect.c ---- */
/* Without the lock. Returns the generation that was collected: less than what was asked where memory is too short for it, -1 if nothing was done, because another thread has collected meanwhile. */
int hwri_traced_collect(hwri_tracing *t, hwri_mutator *me, int generation, hwr_collection_mode mode);
bool hwri_traced_collect_now(hwr_heap *heap, int generation, hwr_collection_mode mode, size_t *unreachable);
void hwri_generations_collect(hwri_tracing *t, int generation, hwr_collection_mode mode);
bool hwri_generations_is_reached(const hwri_tracing *t, const void *object);
void *hwri_generations_where(void *object);
void hwri_generations_reach(hwri_tracing *t, void *slot);
void hwri_generations_reach_all(hwri_tracing *t);

static inline bool hwri_is_reached(const hwri_tracing *t, const void *object) {
    return t->spaces->is_reached(t, object);
}
static inline void *hwri_where(const hwri_tracing *t, void *object) { return t->spaces->where(object); }
static inline void hwri_reach(hwri_tracing *t, void *slot) { t->spaces->reach(t, slot); }
static inline void hwri_reach_all(hwri_tracing *t) { t->spaces->reach_all(t); }

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
void hwri_poison_dead(hwri_tracing *t, bool all); /* at the end of a collection, of the oldest generation or not */
void hwri_check_poison(hwri_tracing *t);          /* at the beginning of the next */
void hwri_poison(uintptr_t from, uintptr_t to);
void hwri_check_range(uintptr_t from, uintptr_t to); /* that it is still poison */
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
bool hwri_is_worth_while(const hwri_tracing *t, int generation);
void hwri_policy_after_young(hwri_tracing *t, size_t before, size_t survived);
void hwri_policy_after_marking(hwri_tracing *t, bool full, uint64_t start); /* when the collection began */
/* Before a full marking; and after it, whether there is to be another one for this. */
hwri_evacuation hwri_policy_sparse(const hwri_tracing *t, hwr_collection_mode mode, bool marked);
bool hwri_is_full_due(const hwri_tracing *t);

/* ---- life.c ---- */
bool hwri_life_open(hwri_tracing *t, const hwr_options *options);
void hwri_life_close(hwri_tracing *t);
bool hwri_life_born(hwri_tracing *t, void *object); /* a new object with a finalizer; false without memory */
void hwri_life_before(hwri_tracing *t);             /* a collection begins */
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
bool hwri_watches(const hwri_tracing *t);       /* there may be such objects */
const char *hwri_life_problem(hwri_tracing *t); /* NULL: all is well. With all threads stopped */

#endif
