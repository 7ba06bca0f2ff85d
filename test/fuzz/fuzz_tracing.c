/* A fuzz target for libFuzzer: its input is a sequence of operations on a tracing heap, as in test/random/tracing_model.h. */
#include "random/tracing_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    tracing_model_run(bytes, length, NULL);
    return 0;
}
