#include "random/counting_model.h"

const char *counting_model_describe(uint8_t configuration) {
    static const char *const modes[COUNTING_MODES] = {"fast", "checked", "stress", "checked, stress"};
    static const char *const sources[COUNTING_SOURCES] = {"system", "malloc", "buffer", "limit"};
    static char text[100];
    snprintf(text, sizeof text, "%s, %s%s", sources[counting_source(configuration)],
             modes[counting_mode(configuration)], (configuration & COUNTING_EAGER) != 0 ? ", eager" : "");
    return text;
}
