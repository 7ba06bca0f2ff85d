/* Iterators, as their files see them.
 *
 * An iterator is a function that goes one step, and what it goes through, with its place there: hwr_next is a look at its kind and a jump, so that a step costs a few instructions more than that of a
 * loop by index. At its end its function is replaced by one that says so, and its references are given up. Iterators over leaves are leaves, all others tracked. */
#ifndef HWRI_KINDS_ITERATOR_H
#define HWRI_KINDS_ITERATOR_H

#include "kinds/kinds.h"

typedef struct hwri_iterator hwri_iterator;
typedef hwr_result (*hwri_step)(hwr_heap *heap, hwri_iterator *iterator, void **item);

/* Where it is: the index of the next item; or of the next entry of a table, and a number that tells whether that has changed. */
struct hwri_iterator {
    hwri_step step;
    void *source;
    union {
        size_t index;
        struct {
            uint32_t index, changes;
        } entry;
        bool runs; /* a generator's function */
    } at;
};

/* Entries of a dict, as tuples. */
typedef struct hwri_entries {
    hwri_iterator base;
    void *last; /* the tuple that came last */
} hwri_entries;

/* map, filter and generators, which have no source. */
typedef struct hwri_calling {
    hwri_iterator base;
    void *state;
    union {
        hwr_map_function map;
        hwr_filter_function filter;
        hwr_generator_function generator;
    } function;
} hwri_calling;

typedef struct hwri_zip {
    hwri_iterator base; /* whose source is the tuple that came last */
    size_t length;
    void *sources[];
} hwri_zip;

typedef struct hwri_int_range {
    int64_t from, to, step;
    size_t length;
} hwri_int_range;

/* The item at an index, which there is. */
static inline int64_t hwri_range_at(const hwri_int_range *range, size_t index) {
    return (int64_t)((uint64_t)range->from + (uint64_t)range->step * index);
}

static inline hwr_result hwri_next(hwr_heap *heap, hwri_iterator *iterator, void **item) {
    return iterator->step(heap, iterator, item);
}

/* Brings an iterator to its end; its only reference is that to its source. */
hwr_result hwri_iterator_end(hwr_heap *heap, hwri_iterator *iterator);
hwr_result hwri_at_end(hwr_heap *heap, hwri_iterator *iterator, void **item); /* the step of one that is */

/* A tuple of items, references to which are taken over in any case: the one that an iterator has made last and keeps in a field, with other items, if nobody else has that any more; otherwise a new one,
 * which is kept. NULL without memory. Making and freeing one at each step would take longer than all the rest; CPython's zip and dict.items() do the same. (tuple.c) */
void *hwri_tuple_again(hwr_heap *heap, void *iterator, void **last, void *const *items, size_t length);

#endif
