/* A fuzz target for libFuzzer: its input is a sequence of operations on a pool, as in test/random/pool_model.h. */
#include "random/pool_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    model_run(bytes, length, NULL);
    return 0;
}
