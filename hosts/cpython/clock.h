/* clock.h: the time that pauses and slices are measured in. */
#ifndef HWRI_CPYTHON_CLOCK_H
#define HWRI_CPYTHON_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t hwri_nanoseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Nanoseconds since some time. */
static inline uint64_t hwri_now(void) { return hwri_nanoseconds(CLOCK_MONOTONIC); }

#endif
