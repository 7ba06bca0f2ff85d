/* runtime.h: the runtime that has loaded us, and saying something to whoever started it. */
#ifndef CLR_RUNTIME_H
#define CLR_RUNTIME_H

#include "clr.h"

#include "heapwright/raw.h"

#include <stdio.h>

/* Set by GC_Initialize, and never again. */
extern clr_ee *clr_runtime;

/* The system's memory: for tables and lists of the host's own. Any thread may use it. */
extern hwr_raw *clr_tables;

/* One line to the runtime's error stream: a format and what goes with it, as for printf. */
#define clr_say(...) CLR_LINE(clr_tell, __VA_ARGS__)

/* The same, and then the process is ended: misuse, or a runtime that is not what we know. */
#define clr_fail(...) CLR_LINE(clr_tell_and_abort, __VA_ARGS__)

#define CLR_LINE(function, ...)                                                                                        \
    do {                                                                                                               \
        char line_[512];                                                                                               \
        snprintf(line_, sizeof line_, "heapwright: " __VA_ARGS__);                                                     \
        function(line_);                                                                                               \
    } while (0)

void clr_tell(const char *line);
_Noreturn void clr_tell_and_abort(const char *line);

/* The version of the runtime whose code or data has this address: 10.0.x is 10 and 0. False if it cannot be found. */
bool clr_runtime_version(const void *address, unsigned *major, unsigned *minor);

#endif
