/* A random mutator of a tracing heap, driven by bytes as the pool's model is (pool_model.h): the first byte is the configuration, after it every
 * DRIVER_STEP bytes are one operation. What the heap must do the shadow knows (tracing_shadow.h). Finalizers and callbacks of weak references do something,
 * too. Whatever the heap answers, calls or frees is compared; a difference aborts the program. */
#ifndef TEST_RANDOM_TRACING_MODEL_H
#define TEST_RANDOM_TRACING_MODEL_H

#include "random/driver.h"

/* The configuration's bits: two for how roots are found and whether objects move, two for the source of memory, then: checked, a collection every few
 * allocations, a nursery of one page. */
enum {
    TRACING_MODE = 3,
    TRACING_SOURCE = 12,
    TRACING_SOURCE_SHIFT = 2,
    TRACING_CHECKED = 16,
    TRACING_STRESS = 32,
    TRACING_SMALL = 64,
    TRACING_TINY = 128, /* a tiny heap */
    TRACING_TINY_SHIFT = 7,
    TRACING_CONFIGURATIONS = 256
};
enum { TRACING_EXACT, TRACING_STACKS, TRACING_UNMOVING, TRACING_ALWAYS, TRACING_MODES };
enum { TRACING_SYSTEM, TRACING_MALLOC, TRACING_BUFFER, TRACING_LIMIT, TRACING_SOURCES };

void tracing_model_run(const uint8_t *bytes, size_t length, FILE *trace);

/* "exact, buffer, checked", in static storage. */
const char *tracing_model_describe(uint8_t configuration);

#endif
