/* A model of a tiny heap and of the graph in it, driven by bytes like the model of a pool (pool_model.h): the first byte is the configuration, after it every DRIVER_STEP bytes are
 * one operation. The shadow knows of each object its address, size, kind and references, garbage that was not collected yet
 * included. So it can say at any time how many bytes are used; what a collection must free, finalize, in which order, and which weak references it must clear. What the heap does is
 * compared with that; a difference is printed and the program aborts. */
#ifndef TEST_RANDOM_TINY_MODEL_H
#define TEST_RANDOM_TINY_MODEL_H

#include "random/driver.h"

/* The byte's bits: two for the size of the mark stack, three areas instead of one, a threshold, a larger buffer. */
enum {
    TINY_MODEL_STACK = 3,
    TINY_MODEL_AREAS = 4,
    TINY_MODEL_AREAS_SHIFT = 2,
    TINY_MODEL_THRESHOLD = 8,
    TINY_MODEL_LARGE = 16,
    TINY_MODEL_CONFIGURATIONS = 32
};

/* Runs a sequence; aborts if the heap does not behave. Prints each operation to `trace` unless that is NULL. */
void tiny_model_run(const uint8_t *bytes, size_t length, FILE *trace);

/* "mark stack 4, three areas", in static storage. */
const char *tiny_model_describe(uint8_t configuration);

#endif
