/* The inside of the random mutator: what it holds and what it does. The model (counting_model.c) chooses what is done when, and receives what the heap
 * calls back. */
#ifndef TEST_RANDOM_COUNTING_MUTATOR_H
#define TEST_RANDOM_COUNTING_MUTATOR_H

#include "heapwright/collect.h"
#include "heapwright/weak.h"
#include "random/counting_objects.h"
#include "support/random.h"

#include <stdio.h>

enum {
    HELD = 96,
    HELD_SPARE = 16, /* places that only finalizers and callbacks fill */
    HANDLES = 8,
    BLOCKS = 32,
    ALIVE_MOST = 1000,
    IMMORTAL_MOST = 3,
    OWN_LIMIT = 4 << 20 /* of a heap that has one */
};
typedef struct held_block {
    unsigned char *address;
    size_t size;
    uint64_t fill;
} held_block;

/* What has happened in the operation that is under way. */
typedef struct happenings {
    size_t failures;  /* of the raw allocator, before */
    size_t committed; /* by a heap with a limit, before */
    int count[HWR_GENERATIONS];
    size_t asked, given_up; /* calls of on_out_of_memory; those it refused */
    size_t collections;
    size_t found; /* by the last of them */
    size_t callbacks;
    bool froze; /* which sets the counts to zero */
} happenings;

/* A run in progress. What the mutator holds: `held`, each entry one reference; handles; blocks; what is in the heap's list of garbage; and the
 * crowds that nodes have. */
typedef struct model {
    oracle oracle;
    hwr_heap *heap;
    hwr_raw *raw; /* NULL: the heap's own, with a limit */
    uint8_t configuration;
    FILE *trace;
    node *held[HELD];
    size_t held_count;
    struct {
        hwr_handle *handle;
        node *object;
    } handles[HANDLES];
    held_block blocks[BLOCKS];
    node *garbage[ORACLE_NODES];
    size_t garbage_count;
    node *crowded;
    size_t immortals, broken_words; /* acyclic objects that were made to refer to anything */
    uint64_t fills;
    random_stream nested; /* what finalizers and callbacks do */
    unsigned depth;
    bool may_not_allocate, ending;
    bool enabled;
    int threshold[HWR_GENERATIONS];
    happenings now;
    hwr_generation_stats generations[HWR_GENERATIONS];
    uint64_t finalizers, callbacks, collections_failed;
} model;

extern model m;

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *name(const node *n); /* an object's name for that; a few are valid at once */

bool is_stressed(void);
size_t committed_of_limit(void); /* by a heap with a limit of its own; otherwise 0 */
bool memory_was_short(void);     /* whether an allocation may have failed in this operation */
void check_refusal(void);
bool has_nested_room(void);

/* Counting in both, the oracle first, so that it is not behind when something is called back. */
void retain(node *n);
void release(node *n);
void hold(node *n); /* the mutator has a reference already */
void release_held(size_t index);
node *enter(void *address, int kind, bool tracked, size_t fields);

/* An object that the mutator can reach, chosen by the bits; NULL: there is none. */
node *pick(uint32_t bits);
node *pick_kind(uint32_t bits, int kind);

/* What it does; all it depends on is the bits. */
void make_object(uint32_t bits, uint32_t plan);
void set_field(uint32_t bits);
void give_field(uint32_t bits);
void release_some(uint32_t bits);
void hold_another(uint32_t bits);
void crowd(uint32_t bits);
void make_immortal(uint32_t bits);
void use_handle(uint32_t bits);
void use_block(uint32_t bits);
void collect(uint32_t bits);
void freeze(uint32_t bits);
void change_settings(uint32_t bits);
void clear_garbage(void);

/* The same with weak references and tables (counting_weak.c). */
void make_weak(uint32_t bits, bool calls_back);
void make_weak_of(node *target, node *argument, uint32_t plan, bool calls_back);
void ask_weak(uint32_t bits);
void use_table(uint32_t bits);
void weak_called_back(hwr_heap *heap, hwr_weak *weak, void *argument); /* the callback of all; counting_model.c */
bool weak_is_cleared(void *context, node *weak);
bool weak_has_argument(void *context, node *weak);
bool table_has_entry(void *context, node *table, size_t index);

/* What it asks (counting_questions.c). */
void ask_about(uint32_t bits);
void ask_referrers(uint32_t bits);
void compare_generations(void);
int generation_of(void *context, node *n);
void compare_figures(void);
void verify(void);
void mark_seen(void); /* the objects that are in the heap */

#endif
