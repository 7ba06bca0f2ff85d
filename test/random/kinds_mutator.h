/* The inside of the random mutator of kinds: what it holds, and what it does with it. */
#ifndef TEST_RANDOM_KINDS_MUTATOR_H
#define TEST_RANDOM_KINDS_MUTATOR_H

#include "heapwright/weak.h"
#include "random/kinds_model.h"
#include "random/kinds_shadow.h"
#include "support/random.h"

#include <stdint.h>
#include <stdio.h>

enum {
    KINDS_HELD = 24,
    KINDS_WEAK = 8,
    KINDS_CLASSES = 3,
    KINDS_SPARE = 4,
    KINDS_LARGE = 3,
    KINDS_BLOCKS = 4096,
    KINDS_OWN_LIMIT = 2 << 20,
    KINDS_TRACING_LIMIT = 16 << 20
};
enum { KINDS_CHARS_MOST = 1500, KINDS_ITEMS_MOST = 150 };

typedef struct held {
    void *object; /* NULL: a free place */
    shadow *s;
} held;

/* A large object, and what it should be (kinds_large.c). */
typedef struct large {
    void *object; /* NULL: a free place */
    hwr_kind kind;
    unsigned style; /* which objects it has, of a list or dict */
    char code;      /* of an array, with the bytes of an item, and how wide values can be */
    unsigned char item_size, width;
    uint32_t next;    /* of a dict or set: the least key that it never had */
    uint32_t *values; /* one for each item, in their order */
    size_t length, room;
} large;

typedef struct kinds_mutator {
    hwr_heap *heap;
    hwr_raw *raw; /* NULL: the heap's own, with a limit */
    uint8_t configuration;
    FILE *trace;
    held held[KINDS_HELD];
    held weak[KINDS_WEAK]; /* the weak reference and the shadow of what it leads to */
    large large[KINDS_LARGE];
    size_t large_uses;
    void *none;
    void *classes[KINDS_CLASSES];
    void *spare[KINDS_SPARE];   /* what on_out_of_memory lets go of */
    void *blocks[KINDS_BLOCKS]; /* what takes all memory */
    size_t block_count;
    size_t failures, committed; /* before the operation */
    size_t asked;               /* calls of on_out_of_memory in it */
    unsigned depth;             /* of finalizers */
} kinds_mutator;
extern kinds_mutator k;

static inline bool traces(void) { return k.configuration >= KINDS_TRACING; }

void kinds_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether an answer is the expected one and nothing was refused. Aborts if it is another, or if there was memory. */
bool granted(hwr_result result, hwr_result expected);
bool given(const void *object);
bool allowed(bool answer);

/* Something that is held, of a kind or of any; NULL if there is none. */
held *pick_any(uint32_t bits);
held *pick_of(uint32_t bits, hwr_kind kind);
held *pick_number(uint32_t bits);

/* Takes over the reference, in a free place or in that of something else. */
void keep(void *object, shadow *s, uint32_t bits);
void check_held(const held *h);
void let_go(held *h);

/* A weak reference to what has an identity, in one of KINDS_WEAK places if that is free. */
void watch(void *object, shadow *s, size_t at);

static inline unsigned place_of(const held *h) { return (unsigned)(h - k.held); }

/* Ints, and UTF-8 of a str: returns its size (kinds_leaves.c). */
shadow_int int_from(uint32_t bits);
void *make_int(shadow_int value);
size_t encode(const shadow *s, char *utf8);

/* What becomes of an item in an array: *stored, which may be another number (kinds_arrays.c). */
hwr_result stored_as(const shadow *array, const shadow *item, shadow **stored);

/* The operations on leaves (kinds_leaves.c), on containers and on any two (kinds_containers.c), on arrays and ranges (kinds_arrays.c), on iterators
 * (kinds_iterators.c), on objects with attributes (kinds_objects.c), and on large ones (kinds_large.c). */
void make_leaf(uint32_t bits);
void use_text(uint32_t bits);
void use_bytes(uint32_t bits);
void use_numbers(uint32_t bits);
void make_container(uint32_t bits);
void use_list(uint32_t bits);
void use_dict(uint32_t bits);
void use_set(uint32_t bits);
void use_own(uint32_t bits);
void make_array(uint32_t bits);
void use_array(uint32_t bits);
void make_range(uint32_t bits);
void use_range(uint32_t bits);
void make_iterator(uint32_t bits);
void use_iterator(uint32_t bits);
void make_object(uint32_t bits);
void use_object(uint32_t bits);
void release_classes(void);
void use_large(uint32_t bits);
size_t count_large(hwr_kind kind);
void check_all_large(void);
void drop_all_large(bool releases); /* or forgets them, at the end of a run whose heap is closed as it is */
void compare_two(uint32_t bits);
void look_at_one(uint32_t bits);

#endif
