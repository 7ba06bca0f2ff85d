/* A fuzz target for libFuzzer: its input is a sequence of operations on a counting heap, as in test/random/counting_model.h. */
#include "random/counting_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    counting_model_run(bytes, length, NULL);
    return 0;
}
