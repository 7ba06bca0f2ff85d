/* Where the memory comes from that a model of random sequences runs on, and want of it. Everything here does nothing with a raw allocator that is NULL: then the heap or pool has one of its own. */
#ifndef TEST_SUPPORT_MODEL_MEMORY_H
#define TEST_SUPPORT_MODEL_MEMORY_H

#include "heapwright/raw.h"

#include <stdbool.h>

/* A raw allocator of that kind, or NULL for a number behind the last kind. The buffer is kept, and dirty, from one run to the next. */
hwr_raw *model_memory_open(unsigned source);
/* Nothing may be left of what it gave. */
void model_memory_close(hwr_raw *raw);

/* Limits what is committed to so much more than there is; 0 with `unlimited`. Returns the limit. */
size_t model_memory_limit(hwr_raw *raw, bool unlimited, size_t more);
/* Neither limit nor faults. */
void model_memory_relieve(hwr_raw *raw);

#endif
