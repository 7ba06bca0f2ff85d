/* raw over malloc and free alone, for any C platform: committing and decommitting do nothing, memory is given back when a
 * reservation ends. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "raw/backend.h"

enum { MALLOC_PAGE = 4096 };

/* The address that malloc returned lies just before the range. */
static void *malloc_reserve(hwr_raw *raw, size_t size, size_t alignment) {
    (void)raw;
    size_t extra = alignment + sizeof(void *);
    if (size + extra < size) return NULL;
    char *base = malloc(size + extra);
    if (!base) return NULL;
    void **range = (void **)hwri_align_up((uintptr_t)(base + sizeof(void *)), alignment);
    range[-1] = base;
    return range;
}

static void malloc_release(hwr_raw *raw, void *address, size_t size) {
    (void)raw;
    (void)size;
    free(((void **)address)[-1]);
}

static uint64_t malloc_now(void) {
    struct timespec t;
    return timespec_get(&t, TIME_UTC) ? (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec : 0;
}

static void malloc_close(hwr_raw *raw) { free(raw); }

const hwri_backend hwri_malloc_backend = {
    .reserve = malloc_reserve,
    .release = malloc_release,
    .now = malloc_now,
    .steps_back = true,
    .close = malloc_close,
};

hwr_raw *hwri_malloc_open(void) {
    hwr_raw *raw = calloc(1, sizeof *raw);
    if (!raw) return NULL;
    raw->backend = &hwri_malloc_backend;
    raw->page_size = MALLOC_PAGE;
    return raw;
}
