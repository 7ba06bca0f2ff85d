/* host.h: how the preload object calls a host library. The two are built apart, one of them for each version of
 * Python, and share nothing else. */
#ifndef HWRI_HOST_H
#define HWRI_HOST_H

#include "record.h"

#include <stdbool.h>

struct hwri_host_run {
    int argc;
    char **argv;
    bool strict;                /* refuse rather than run without our allocator */
    struct hwri_record *record; /* NULL: nobody wants figures */
    int status;                 /* out: what main is to return */
    const char *refusal;        /* out: why not, as the rest of a sentence "Python 3.x keeps its own allocator: ..." */
};

/* Runs the interpreter in the place of its own main, on heapwright's allocator. Returns false if it refuses; then
 * nothing has happened that main could not do again, and main is to be called. */
typedef bool hwri_host_main_function(struct hwri_host_run *run);
#define HWRI_HOST_MAIN "hwri_host_main"

#endif
