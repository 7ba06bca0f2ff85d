/* random_tiny [--areas=one|three] SEEDS OPERATIONS [FIRST_SEED]: random sequences of operations on a tiny heap (tiny_model.h), for each
 * configuration. What else it can do stands in driver.h. */
#include "random/driver.h"
#include "random/tiny_model.h"

int main(int count, char **arguments) {
    static const char *const areas[] = {"one", "three", NULL};
    static const driver_subject subject = {.program = "random_tiny",
                                           .run = tiny_model_run,
                                           .describe = tiny_model_describe,
                                           .configurations = TINY_MODEL_CONFIGURATIONS,
                                           .slow = TINY_MODEL_LARGE,
                                           .choices = {{"--areas", areas, TINY_MODEL_AREAS, TINY_MODEL_AREAS_SHIFT}}};
    return driver_main(&subject, count, arguments);
}
