/* raw over a buffer of the caller's: no system at all. The buffer holds the hwr_raw, the bits of its pages, and the pages. */
#include <string.h>

#include "raw/backend.h"

enum { BUFFER_PAGE = 4096, BUFFER_LEAST = 16 * 1024 };

static bool is_taken(const hwr_raw *raw, size_t page) { return raw->buffer.taken[page / 64] >> (page % 64) & 1; }

static void mark(hwr_raw *raw, size_t first, size_t count, bool taken) {
    for (size_t i = first; i < first + count; i++)
        if (taken)
            raw->buffer.taken[i / 64] |= (uint64_t)1 << (i % 64);
        else
            raw->buffer.taken[i / 64] &= ~((uint64_t)1 << (i % 64));
}

/* First fit. */
static void *buffer_reserve(hwr_raw *raw, size_t size, size_t alignment) {
    size_t pages = size / BUFFER_PAGE, run = 0;
    for (size_t i = 0; i < raw->buffer.count; i++) {
        uintptr_t start = (uintptr_t)(raw->buffer.pages + (i - run) * BUFFER_PAGE);
        if (is_taken(raw, i) || (start & (alignment - 1)) != 0) {
            i -= is_taken(raw, i) ? 0 : run; /* a misaligned start: try the next one */
            run = 0;
        } else if (++run == pages) {
            mark(raw, i + 1 - pages, pages, true);
            return (void *)start;
        }
    }
    return NULL;
}

static void buffer_release(hwr_raw *raw, void *address, size_t size) {
    mark(raw, (size_t)((char *)address - raw->buffer.pages) / BUFFER_PAGE, size / BUFFER_PAGE, false);
}

static void buffer_close(hwr_raw *raw) { (void)raw; }

const hwri_backend hwri_buffer_backend = {
    .reserve = buffer_reserve,
    .release = buffer_release,
    .close = buffer_close,
};

hwr_raw *hwri_buffer_open(void *buffer, size_t size) {
    if (!buffer || size < BUFFER_LEAST) return NULL;
    char *end = (char *)buffer + size;
    hwr_raw *raw = (hwr_raw *)hwri_align_up((uintptr_t)buffer, 16);
    memset(raw, 0, sizeof *raw);
    raw->backend = &hwri_buffer_backend;
    raw->page_size = BUFFER_PAGE;
    raw->buffer.taken = (uint64_t *)hwri_align_up((uintptr_t)(raw + 1), 8);
    size_t words = (size / BUFFER_PAGE + 63) / 64;
    memset(raw->buffer.taken, 0, words * sizeof(uint64_t));
    raw->buffer.pages = (char *)hwri_align_up((uintptr_t)(raw->buffer.taken + words), BUFFER_PAGE);
    raw->buffer.count = raw->buffer.pages < end ? (size_t)(end - raw->buffer.pages) / BUFFER_PAGE : 0;
    return raw;
}
