/* The types of the random mutator's objects: one of each sort that a heap treats differently. What is not a reference holds content that can be
 * recognised. */
#ifndef TEST_RANDOM_COUNTING_OBJECTS_H
#define TEST_RANDOM_COUNTING_OBJECTS_H

#include "heapwright/heap.h"
#include "random/counting_oracle.h"

typedef enum object_kind {
    KIND_PAIR,    /* two references */
    KIND_LINK,    /* one reference, a finalizer */
    KIND_ARRAY,   /* items that are references */
    KIND_TEXT,    /* items that are not; no references */
    KIND_LEAF,    /* no references, a finalizer */
    KIND_CHAIN,   /* references, but acyclic by its flag */
    KIND_TRACED,  /* references at offsets, some that only a trace function shows, and items; a finalizer */
    KIND_ALIGNED, /* to 16 bytes; a reference, a finalizer */
    OWN_KINDS,
    KIND_WEAK = OWN_KINDS, /* the library's types */
    KIND_KEYS,
    KIND_VALUES
} object_kind;

const char *object_kind_name(int kind);

/* Set by the model: called by every finalizer. */
extern hwr_finalizer object_finalizer;

/* Makes one; `length` is a wish. NULL without memory. */
void *object_new(hwr_heap *heap, object_kind kind, size_t length);

/* What the oracle has to know of it. */
size_t object_fields(object_kind kind, size_t length);
size_t object_size(object_kind kind, size_t length);
bool object_is_tracked(object_kind kind);
bool object_finalizes(object_kind kind);

/* The address of the nth field of an object of a kind of ours. */
void **object_field(const node *n, size_t field);

/* Writes the content, or checks it. */
void object_fill(const node *n);
void object_check(const node *n);

#endif
