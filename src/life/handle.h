/* The inside of a handle. */
#ifndef HWRI_LIFE_HANDLE_H
#define HWRI_LIFE_HANDLE_H

#include "heapwright/tracing.h"

/* What is outside of a heap, and about an object of it. On a tracing heap it is in a table (tracing/life.h). */
typedef struct hwri_member {
    void *object;   /* NULL: none, or dead */
    uint32_t index; /* in its table */
    uint32_t kind;  /* which sort it is, where there are several in a table: hwr_handle_kind, for a handle */
} hwri_member;

/* On a counting heap the object of a handle that is weak or dependent is a weak reference, which is owned, as is that of the others. */
struct hwr_handle {
    hwri_member member;
};

#endif
