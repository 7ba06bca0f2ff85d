/* random_tracing [--mode=exact|stacks|unmoving|moving] [--source=system|malloc|buffer|limit] [--collector=tracing|tiny] SEEDS OPERATIONS [FIRST_SEED]: random sequences of
 * operations on a tracing heap against an oracle (tracing_model.h), for each configuration. What else it can do stands in driver.h. */
#include "random/tracing_model.h"

int main(int count, char **arguments) {
    static const char *const modes[TRACING_MODES + 1] = {"exact", "stacks", "unmoving", "moving", NULL};
    static const char *const sources[TRACING_SOURCES + 1] = {"system", "malloc", "buffer", "limit", NULL};
    static const char *const collectors[] = {"tracing", "tiny", NULL};
    static const driver_subject subject = {.program = "random_tracing",
                                           .run = tracing_model_run,
                                           .describe = tracing_model_describe,
                                           .configurations = TRACING_CONFIGURATIONS,
                                           .varied = TRACING_SMALL,
                                           .slow = TRACING_STRESS,
                                           .choices = {{"--mode", modes, TRACING_MODE, 0},
                                                       {"--source", sources, TRACING_SOURCE, TRACING_SOURCE_SHIFT},
                                                       {"--collector", collectors, TRACING_TINY, TRACING_TINY_SHIFT}}};
    return driver_main(&subject, count, arguments);
}
