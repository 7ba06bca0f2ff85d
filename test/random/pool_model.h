/* A model of a pool, driven by bytes: the same bytes always do the same, so a random driver, a fuzzer and a replay of what either found share it.
 *
 * The first byte chooses the configuration; after it every DRIVER_STEP bytes are one operation, whatever their values, and an incomplete rest is
 * ignored. So any part may be cut out of a failing sequence and the rest still means something. Beside the pool the model keeps a shadow: for
 * each live block its address, its size and what it was filled with. Whatever the pool answers is compared with the shadow; a
 * difference is printed and the program aborts. */
#ifndef TEST_RANDOM_POOL_MODEL_H
#define TEST_RANDOM_POOL_MODEL_H

#include "random/driver.h"

/* The byte's bits: granularity 8, shared, checked, two bits for the source of memory (MODEL_...), memory given back after 1 ms. */
enum {
    MODEL_GRANULARITY_8 = 1,
    MODEL_SHARED = 2,
    MODEL_CHECKED = 4,
    MODEL_SOURCE = 24,
    MODEL_SOURCE_SHIFT = 3,
    MODEL_EAGER = 32
};
enum {
    MODEL_SYSTEM,
    MODEL_MALLOC,
    MODEL_BUFFER,
    MODEL_OWN,
    MODEL_SOURCES
}; /* OWN: the pool opens its raw allocator itself */

/* Runs a sequence; aborts if the pool does not behave. Prints each operation to `trace` unless that is NULL. */
void model_run(const uint8_t *bytes, size_t length, FILE *trace);

/* "buffer, granularity 8, checked", in static storage. */
const char *model_describe(uint8_t configuration);

#endif
