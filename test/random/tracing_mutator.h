/* The inside of the random mutator of a tracing heap: what it holds and what it does. The model (tracing_model.c) chooses what is done when, and receives
 * what the heap calls. */
#ifndef TEST_RANDOM_TRACING_MUTATOR_H
#define TEST_RANDOM_TRACING_MUTATOR_H

#include "heapwright/tracing.h"
#include "heapwright/weak.h"
#include "random/tracing_model.h"
#include "random/tracing_shadow.h"

#include "support/random.h"

/* Where roots stand in the shadow's table: local variables, the slots of frames, global slots, and slots that a callback shows. */
enum {
    LOCALS = 10,
    FRAMES = 5,
    FRAME_SLOTS = 4,
    FRAMES_OWN = FRAMES - 2, /* the others belong to finalizers and callbacks */
    GLOBALS = 10,
    SHOWN = 12,
    FIRST_FRAME = LOCALS,
    FIRST_GLOBAL = FIRST_FRAME + FRAMES * FRAME_SLOTS,
    FIRST_SHOWN = FIRST_GLOBAL + GLOBALS,
    ROOTS_USED = FIRST_SHOWN + SHOWN,
    ALIVE_MOST = 900,
    LARGE_MOST = 10, /* objects with so many items or more: */
    LARGE_LENGTH = 1100,
    WEAK_MOST = 60,
    IMMORTAL_MOST = 3,
    OWN_LIMIT = 12 << 20, /* bytes, of a heap that has one */
    NESTED_MOST = 2
};

typedef struct slots_in_frame {
    hwr_frame frame;
    void *slots[FRAME_SLOTS];
} slots_in_frame;

typedef struct tracing_mutator {
    shadow shadow;
    hwr_heap *heap;
    hwr_raw *raw; /* NULL: the heap's own, with a limit */
    uint8_t configuration;
    FILE *trace;
    random_stream nested; /* what finalizers and callbacks do */
    unsigned depth;       /* of them in each other */
    bool ending;

    void **locals; /* on the C stack */
    slots_in_frame frames[FRAMES];
    size_t frame_count;
    void *globals[GLOBALS];
    void **shown; /* in memory of their own, which stands for a coroutine's stack where stacks are scanned */
    size_t shown_size;
    hwr_stack *stack;

    size_t failures, asked; /* before this operation: of raw; in it: of memory */
    uint64_t allocated;
    size_t large, weaks, immortals, pressure;
    size_t finalizers;   /* called, ever */
    size_t disturbances; /* callbacks called, ever */
} tracing_mutator;

extern tracing_mutator m;

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

bool scans_stacks(void);
bool has_room(void);         /* in the shadow */
bool memory_was_short(void); /* whether an allocation may have failed in this operation */
void check_refusal(void);

/* Roots. */
void *root_object(const root *r); /* NULL: it holds none */
void root_put(root *r, node *n, void *object);
root *root_for(uint32_t bits);                   /* one to put something into; NULL: there is none */
void bring_back(root *r, node *n, void *object); /* root_put of what may not have been rooted */
bool push_frame(void);
void pop_frame(void);

/* An object that roots lead to, and its node; NULL: there is none. */
node *seek(uint32_t bits, void **object);

/* What it does; all it depends on is the bits. */
node *make_object(uint32_t bits, uint32_t plan);
void set_field(uint32_t bits);
void drop_root(uint32_t bits);
void copy_root(uint32_t bits);
void change_frames(uint32_t bits);
void change_globals(uint32_t bits);
void make_immortal(uint32_t bits);
void suppress_or_register(uint32_t bits);
void use_pressure(uint32_t bits);
void ask_about(uint32_t bits);

/* Handles and weak references (tracing_weak.c). */
void use_handle(uint32_t bits);
void free_handle(shadow_handle *h);
void learn_of_handle(shadow_handle *h); /* compares what it says with what it may say */
void make_weak(uint32_t bits);
void ask_weak(uint32_t bits);
void weak_called(hwr_heap *heap, hwr_weak *weak, void *argument);

/* Collections and what must be true (tracing_check.c). */
void collect_some(uint32_t bits);
void collect_all(uint32_t bits); /* and compares everything */
void check_graph(void);
void check_heap(void);

/* Finalizers (tracing_model.c). */
void run_finalizers(uint32_t bits);
void note_empty_queue(bool truly); /* nobody waits; truly: nor is anybody left whose finalizer was suppressed */

#endif
