/* New objects: windows of regions that are filled and never emptied. */
#include "allocate.h"

#include "heapwright/raw.h"
#include "space.h"

#include <pthread.h>

enum { REGION = 1 << 20, WINDOW = 8 * 1024, WINDOWED_MOST = 4 * 1024 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uintptr_t region_at, region_end;
static uint64_t allocated;

static void *commit(hwr_raw *raw, size_t size, size_t alignment) {
    void *start = hwr_raw_reserve(raw, size, alignment);
    if (start && !hwr_raw_commit(raw, start, size)) {
        hwr_raw_release(raw, start, size, 0);
        return NULL;
    }
    return start;
}

/* `size` bytes of zeroes. */
static uintptr_t take(size_t size) {
    pthread_mutex_lock(&lock);
    if (region_end - region_at < size) {
        region_at = (uintptr_t)commit(clr_objects.regions, REGION, REGION);
        region_end = region_at ? region_at + REGION : 0;
    }
    uintptr_t start = region_at;
    if (start) {
        region_at += size;
        allocated += size;
    }
    pthread_mutex_unlock(&lock);
    return start;
}

static clr_object *take_large(clr_alloc_context *context, size_t size) {
    size_t page = hwr_raw_page_size(clr_objects.large), whole = (size + page - 1) & ~(page - 1);
    if (whole < size) return NULL;
    char *start = commit(clr_objects.large, whole, 0);
    if (!start) return NULL;
    pthread_mutex_lock(&lock);
    allocated += size;
    pthread_mutex_unlock(&lock);
    context->bytes_large += (int64_t)size;
    return (clr_object *)(start + CLR_HEADER_SIZE);
}

clr_object *clr_allocate(clr_alloc_context *context, size_t size, uint32_t flags) {
    size = (size + 7) & ~(size_t)7;
    if (flags & (CLR_ALLOC_LARGE | CLR_ALLOC_PINNED) || size > REGION / 2) return take_large(context, size);
    if ((size_t)(context->limit - context->bump) < size) {
        clr_allocate_end(context);
        size_t bytes = (size > WINDOWED_MOST ? size : WINDOW) + CLR_LEAST_SIZE;
        uintptr_t start = take(bytes);
        if (!start) return NULL;
        context->bump = (uint8_t *)start + CLR_HEADER_SIZE;
        context->limit = context->bump + bytes - CLR_LEAST_SIZE;
        context->bytes += context->limit - context->bump;
    }
    clr_object *object = (clr_object *)context->bump;
    context->bump += size;
    return object;
}

void clr_allocate_end(clr_alloc_context *context) {
    context->bytes -= context->limit - context->bump;
    context->bump = context->limit = NULL;
}

uint64_t clr_allocated(void) {
    pthread_mutex_lock(&lock);
    uint64_t bytes = allocated;
    pthread_mutex_unlock(&lock);
    return bytes;
}

uint32_t clr_generation_of(const clr_object *object) {
    if (!clr_in_space(object)) return CLR_GENERATION_NONE;
    return (uintptr_t)object < clr_objects.middle ? 0 : 2;
}
