/* The types of the random mutator's objects on a tracing heap: one of each sort that the heap treats differently. Every object begins with a serial number, by
 * which it is known again wherever it has moved to; what is neither that nor a reference holds content that depends on it.
 *
 * A long array of references is filled at TRACING_FIELDS places only, spread over all of it; the others stay NULL. */
#ifndef TEST_RANDOM_TRACING_OBJECTS_H
#define TEST_RANDOM_TRACING_OBJECTS_H

#include "heapwright/heap.h"

typedef enum tracing_kind {
    TRACED_PAIR,  /* two references */
    TRACED_FOUR,  /* four, with content before and behind */
    TRACED_LEAF,  /* none */
    TRACED_LIST,  /* items that are references */
    TRACED_TEXT,  /* items that are not */
    TRACED_SHOWN, /* references at offsets, some that only a trace function shows, and items */
    TRACED_ALIGNED,
    TRACED_FINAL,    /* two references, a finalizer */
    TRACED_ENDING,   /* items that are references, a finalizer */
    TRACED_CRITICAL, /* one reference, a finalizer that comes last */
    TRACED_KINDS,
    TRACED_WEAK = TRACED_KINDS /* a weak reference; the library's type, without a serial number */
} tracing_kind;

enum { TRACING_FIELDS = 24 };

/* Called by every finalizer. */
extern hwr_finalizer tracing_finalizer;

const char *tracing_kind_name(tracing_kind kind);
bool tracing_kind_has_items(tracing_kind kind);
bool tracing_kind_finalizes(tracing_kind kind);
bool tracing_kind_is_critical(tracing_kind kind);

/* Makes one, checks that it is as a new one must be, and fills it. NULL without memory. */
void *tracing_object_new(hwr_heap *heap, tracing_kind kind, size_t length, uint64_t serial);

size_t tracing_object_fields(tracing_kind kind, size_t length); /* how many references of it are used */
size_t tracing_object_size(tracing_kind kind, size_t length);   /* bytes, without the header */

/* The address of the nth of them. */
void **tracing_object_field(void *object, tracing_kind kind, size_t field);

/* Of any object: its kind, TRACED_WEAK if the type is none of ours; its serial number, if it is. */
tracing_kind tracing_object_kind(const void *object);
uint64_t tracing_object_serial(const void *object);

/* Whether type, length, serial number, content and unused references are what they were made to be. */
void tracing_object_check(void *object, tracing_kind kind, size_t length, uint64_t serial);

#endif
