/* start.h: what putting heapwright into an interpreter has in common, whether that is just starting (main.c) or has long been running
 * (module.c). */
#ifndef HWRI_CPYTHON_START_H
#define HWRI_CPYTHON_START_H

#include <stdbool.h>

/* What this process runs on, or is about to. Written once, by whoever holds the interpreter's lock. */
struct hwri_started {
    bool on;                       /* nobody need install anything any more */
    const char *allocator_refusal; /* why the allocator is not ours, as the rest of a sentence; NULL: it is */
    const char *collector;         /* "auto", "beside", "inplace", or "stock": Python's own */
};

extern struct hwri_started hwri_started;

/* Puts in the collector named `wanted`; NULL or "" is "auto". Needs an initialised interpreter, and hwri_started.allocator_refusal. Returns NULL, or
 * why Python keeps its own, as the rest of a sentence; then nothing has changed. */
const char *hwri_start_collector(const char *wanted);

#endif
