/* random_pool [--source=system|malloc|buffer|own] SEEDS OPERATIONS [FIRST_SEED]: random sequences of operations on a pool (pool_model.h), for each
 * configuration. Checked pools, which are much slower, get a quarter of the seeds; with every other one memory is given back
 * after 1 ms. What else it can do stands in driver.h. */
#include "random/driver.h"
#include "random/pool_model.h"

int main(int count, char **arguments) {
    static const char *const sources[MODEL_SOURCES + 1] = {"system", "malloc", "buffer", "own", NULL};
    static const driver_subject subject = {.program = "random_pool",
                                           .run = model_run,
                                           .describe = model_describe,
                                           .configurations = MODEL_EAGER,
                                           .varied = MODEL_EAGER,
                                           .slow = MODEL_CHECKED,
                                           .choices = {{"--source", sources, MODEL_SOURCE, MODEL_SOURCE_SHIFT}}};
    return driver_main(&subject, count, arguments);
}
