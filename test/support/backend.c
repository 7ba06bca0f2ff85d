#define _GNU_SOURCE
#include "support/backend.h"
#include "support/check.h"

#include <string.h>
#include <sys/mman.h>

/* Found by a sanitizer's runtime, if there is one: a size that no allocator has must come back as NULL from malloc. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

__attribute__((visibility("default"))) const char *__asan_default_options(void) {
    return "allocator_may_return_null=1";
}

__attribute__((visibility("default"))) const char *__tsan_default_options(void) {
    return "allocator_may_return_null=1:halt_on_error=1";
}

enum { RUBBISH_BYTES = 2 << 20 };
static const size_t default_buffer_size = (size_t)512 << 20;

const char *backend_name(hwr_raw_kind kind) {
    static const char *const names[BACKEND_KINDS] = {"system", "malloc", "buffer"};
    return names[kind];
}

void *backend_map_buffer(size_t size) {
    void *buffer = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(buffer != MAP_FAILED);
    memset(buffer, 0xdb, size < RUBBISH_BYTES ? size : RUBBISH_BYTES);
    return buffer;
}

void backend_unmap_buffer(void *buffer, size_t size) { CHECK(munmap(buffer, size) == 0); }

void backend_open(backend *b, hwr_raw_kind kind, size_t limit) {
    *b = (struct backend){.kind = kind};
    hwr_raw_options options = {.size = sizeof options, .kind = kind, .limit = limit};
    if (kind == HWR_RAW_BUFFER) {
        b->buffer_size = default_buffer_size;
        b->buffer = backend_map_buffer(b->buffer_size);
        options.buffer = b->buffer;
        options.buffer_size = b->buffer_size;
    }
    b->raw = hwr_raw_open(&options);
    CHECK(b->raw != NULL);
}

void backend_close(backend *b) {
    hwr_raw_stats stats;
    hwr_raw_get_stats(b->raw, &stats);
    CHECK(stats.committed == 0);
    CHECK(stats.reserved == 0);
    backend_abandon(b);
}

void backend_abandon(backend *b) {
    hwr_raw_close(b->raw);
    if (b->buffer != NULL) backend_unmap_buffer(b->buffer, b->buffer_size);
    *b = (struct backend){0};
}

size_t backend_committed(const backend *b) {
    hwr_raw_stats stats;
    hwr_raw_get_stats(b->raw, &stats);
    return stats.committed;
}

size_t backend_failures(const backend *b) {
    hwr_raw_stats stats;
    hwr_raw_get_stats(b->raw, &stats);
    return stats.failures;
}
