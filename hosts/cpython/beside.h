/* beside.h: full collections beside the program. */
#ifndef HWRI_CPYTHON_BESIDE_H
#define HWRI_CPYTHON_BESIDE_H

#include "takeover.h"

/* What the environment says (HEAPWRIGHT_GC): all in place; beside whenever that is possible; or beside where a processor and memory are to spare. */
enum hwri_gc_mode { HWRI_GC_IN_PLACE, HWRI_GC_BESIDE, HWRI_GC_AUTO };

/* To be called once, before the first collection. Without our allocator nothing is ever collected beside. */
void hwri_beside_open(enum hwri_gc_mode mode, bool allocator_is_ours);

/* A collection of takeover->generation, wherever; called with the GIL, by CPython's own collector. */
void hwri_collect(hwri_takeover *takeover);

/* What a snapshot found, or is about to find, is not wanted any more. */
void hwri_beside_give_up(hwri_takeover *takeover);

/* Writes what has been done, and why, as a JSON object, as snprintf does. Any thread may ask; figures may be a moment old. */
int hwri_host_gc_report(char *buffer, size_t size);

#endif
