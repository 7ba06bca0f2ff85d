/* Frozen segments. */
#include "frozen.h"

#include "runtime.h"

#include <pthread.h>
#include <stdlib.h>

/* A list that is read without the lock: what is in it stays in it, and one that has been removed is empty until it is used again. There are a few in a process (each
 * is of 4 MiB, and most programs have one or two), and nobody asks about objects of ours, so it is simply gone through. */
typedef struct frozen_segment {
    struct frozen_segment *next;
    uintptr_t start, end; /* of what is allocated: the end is written after the start, and zeroed first */
    bool used;            /* under the lock */
} frozen_segment;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static frozen_segment *segments;

static frozen_segment *unused_segment(void) {
    for (frozen_segment *s = segments; s; s = s->next)
        if (!s->used) return s;
    frozen_segment *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->next = segments;
    __atomic_store_n(&segments, s, __ATOMIC_RELEASE);
    return s;
}

void *clr_frozen_add(const clr_segment *segment) {
    pthread_mutex_lock(&lock);
    frozen_segment *s = unused_segment();
    if (s) {
        s->used = true;
        __atomic_store_n(&s->start, (uintptr_t)segment->memory + segment->first, __ATOMIC_RELEASE);
        __atomic_store_n(&s->end, (uintptr_t)segment->memory + segment->allocated, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&lock);
    return s;
}

void clr_frozen_update(void *known, const uint8_t *allocated, const uint8_t *committed) {
    (void)committed;
    frozen_segment *s = known;
    __atomic_store_n(&s->end, (uintptr_t)allocated, __ATOMIC_RELEASE);
}

void clr_frozen_remove(void *known) {
    frozen_segment *s = known;
    pthread_mutex_lock(&lock);
    if (!s->used) clr_fail("a frozen segment is unregistered twice");
    s->used = false;
    __atomic_store_n(&s->end, 0, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&lock);
}

bool clr_frozen_has(const void *address) {
    uintptr_t at = (uintptr_t)address;
    for (const frozen_segment *s = __atomic_load_n(&segments, __ATOMIC_ACQUIRE); s; s = s->next) {
        uintptr_t end = __atomic_load_n(&s->end, __ATOMIC_ACQUIRE);
        if (at < end && at >= __atomic_load_n(&s->start, __ATOMIC_ACQUIRE)) return true;
    }
    return false;
}
