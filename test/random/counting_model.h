/* A random mutator of a counting heap, driven by bytes as the pool's model is (pool_model.h): the first byte is the configuration, after it every
 * DRIVER_STEP bytes are one operation. What the heap must do the oracle knows (counting_oracle.h). Finalizers and the callbacks of weak
 * references do something, too: what, stands in the plan that an object got from the bytes when it was made. Whatever the heap answers, calls or
 * frees is compared; a difference is printed and the program aborts. */
#ifndef TEST_RANDOM_COUNTING_MODEL_H
#define TEST_RANDOM_COUNTING_MODEL_H

#include "random/driver.h"

/* The configuration's bits: two for the heap's mode, two for the source of its memory, and: low thresholds and more stress. */
enum { COUNTING_MODE = 3, COUNTING_SOURCE = 12, COUNTING_SOURCE_SHIFT = 2, COUNTING_EAGER = 16 };
enum { COUNTING_FAST, COUNTING_CHECKED, COUNTING_STRESS, COUNTING_BOTH, COUNTING_MODES };
enum {
    COUNTING_SYSTEM,
    COUNTING_MALLOC,
    COUNTING_BUFFER,
    COUNTING_LIMIT,
    COUNTING_SOURCES
}; /* LIMIT: the heap has one of its own */

static inline unsigned counting_mode(uint8_t configuration) { return configuration & COUNTING_MODE; }
static inline unsigned counting_source(uint8_t configuration) {
    return ((unsigned)configuration & COUNTING_SOURCE) >> COUNTING_SOURCE_SHIFT;
}

void counting_model_run(const uint8_t *bytes, size_t length, FILE *trace);

/* "buffer, checked, eager", in static storage (counting_configuration.c). */
const char *counting_model_describe(uint8_t configuration);

#endif
