/* A fuzz target for libFuzzer: its input is a sequence of operations on the kinds, as in test/random/kinds_model.h. */
#include "random/kinds_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    kinds_model_run(bytes, length, NULL);
    return 0;
}
