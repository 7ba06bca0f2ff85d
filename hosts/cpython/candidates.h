/* candidates.h: what a child searches a snapshot for. */
#ifndef HWRI_CPYTHON_CANDIDATES_H
#define HWRI_CPYTHON_CANDIDATES_H

#include "gc_list.h"

#include "child.h"

/* The addresses from `base` on hold the blocks of Python's objects. `memory` is a pool that nothing else uses. */
struct hwri_candidates_search {
    const PyGC_Head *list;
    uintptr_t base;
    size_t size;
    struct hwr_pool *memory;
    struct hwri_findings *findings;
    bool lies; /* a test: everything is called garbage */
};

/* Finds what in the list is kept alive only by the list itself. To be run in the child, which it ends. `context` is the struct above. */
void hwri_candidates_find(void *context);

#endif
