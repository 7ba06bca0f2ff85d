#include "support/model_memory.h"

#include "support/backend.h"
#include "support/check.h"

enum { BUFFER_MIB = 96 };

hwr_raw *model_memory_open(unsigned source) {
    static void *buffer;
    if (source > HWR_RAW_BUFFER) return NULL;
    hwr_raw_options options = {.size = sizeof options, .kind = (hwr_raw_kind)source};
    if (source == HWR_RAW_BUFFER) {
        options.buffer_size = (size_t)BUFFER_MIB << 20;
        if (buffer == NULL) buffer = backend_map_buffer(options.buffer_size);
        options.buffer = buffer;
    }
    hwr_raw *raw = hwr_raw_open(&options);
    CHECK(raw != NULL);
    return raw;
}

void model_memory_close(hwr_raw *raw) {
    if (raw == NULL) return;
    hwr_raw_stats stats;
    hwr_raw_get_stats(raw, &stats);
    CHECK(stats.committed == 0 && stats.reserved == 0);
    hwr_raw_close(raw);
}

size_t model_memory_limit(hwr_raw *raw, bool unlimited, size_t more) {
    if (raw == NULL) return 0;
    hwr_raw_stats stats;
    hwr_raw_get_stats(raw, &stats);
    size_t limit = unlimited ? 0 : stats.committed + more;
    hwr_raw_set_limit(raw, limit);
    return limit;
}

void model_memory_relieve(hwr_raw *raw) {
    if (raw == NULL) return;
    hwr_raw_set_limit(raw, 0);
    hwr_raw_inject_fault(raw, 0, 0, false);
}
