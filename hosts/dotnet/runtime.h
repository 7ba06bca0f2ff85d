/* runtime.h: the runtime that has loaded us, and saying something to whoever started it. */
#ifndef CLR_RUNTIME_H
#define CLR_RUNTIME_H

#include "clr.h"

#include "heapwright/raw.h"

/* Set by GC_Initialize, and never again. */
extern clr_ee *clr_runtime;

/* The system's memory: for tables and lists of the host's own. Any thread may use it. */
extern hwr_raw *clr_tables;

/* One line to the runtime's error stream, with "heapwright: " before it. */
__attribute__((format(printf, 1, 2))) void clr_say(const char *format, ...);

/* The same, and then the process is ended: misuse, or a runtime that is not what we know. */
__attribute__((format(printf, 1, 2))) _Noreturn void clr_fail(const char *format, ...);

/* The version of the runtime whose code or data has this address: 10.0.x is 10 and 0. False if it cannot be found. */
bool clr_runtime_version(const void *address, unsigned *major, unsigned *minor);

#endif
