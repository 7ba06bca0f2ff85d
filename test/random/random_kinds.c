/* random_kinds [--mode=fast|checked|stress|both] [--source=system|malloc|buffer|limit] [--collector=counting|tracing|tiny] SEEDS OPERATIONS [FIRST_SEED]: random
 * sequences of operations on the kinds against plain arrays (kinds_model.h), for each configuration. What else it can do stands in driver.h. */
#include "random/kinds_model.h"

int main(int count, char **arguments) {
    static const char *const modes[COUNTING_MODES + 1] = {"fast", "checked", "stress", "both", NULL};
    static const char *const sources[COUNTING_SOURCES + 1] = {"system", "malloc", "buffer", "limit", NULL};
    static const char *const collectors[] = {"counting", "tracing", "tiny", NULL};
    static const driver_subject subject = {
        .program = "random_kinds",
        .run = kinds_model_run,
        .describe = kinds_model_describe,
        .configurations = KINDS_CONFIGURATIONS,
        .varied = COUNTING_EAGER,
        .slow = 0,
        .choices = {{"--mode", modes, COUNTING_MODE, 0},
                    {"--source", sources, COUNTING_SOURCE, COUNTING_SOURCE_SHIFT},
                    {"--collector", collectors, KINDS_TRACING | KINDS_TINY, KINDS_TRACING_SHIFT}}};
    return driver_main(&subject, count, arguments);
}
