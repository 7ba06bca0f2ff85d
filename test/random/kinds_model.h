/* A random mutator of the kinds, driven by bytes as the pool's model is (pool_model.h): the first byte is the configuration, after it every DRIVER_STEP
 * bytes are one operation. What every object should be then its shadow knows (kinds_shadow.h): whatever the library answers is compared with what plain arrays
 * say; which containers live and which are dead after a collection is compared, too. Memory runs short when the bytes say so: then nothing may have changed. */
#ifndef TEST_RANDOM_KINDS_MODEL_H
#define TEST_RANDOM_KINDS_MODEL_H

#include "random/counting_model.h"

/* The configurations are those of a counting heap; then the same on a tracing heap that scans stacks, and on a tiny one that does. */
enum {
    KINDS_TRACING = 2 * COUNTING_EAGER,
    KINDS_TRACING_SHIFT = 5,
    KINDS_TINY = 2 * KINDS_TRACING,
    KINDS_CONFIGURATIONS = 3 * KINDS_TRACING
};

void kinds_model_run(const uint8_t *bytes, size_t length, FILE *trace);
const char *kinds_model_describe(uint8_t configuration);

#endif
