/* A fuzz target for libFuzzer: its input is a sequence of operations on a tiny heap, as in test/random/tiny_model.h. */
#include "random/tiny_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    tiny_model_run(bytes, length, NULL);
    return 0;
}
