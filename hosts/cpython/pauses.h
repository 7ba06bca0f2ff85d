/* pauses.h: how long collections stopped the program. */
#ifndef HWRI_CPYTHON_PAUSES_H
#define HWRI_CPYTHON_PAUSES_H

#include <stddef.h>
#include <stdint.h>

/* What a pause was, in the order of what it tells: a collection in place; one that also took some of what a snapshot had found, or took
 * a snapshot; or one that had to wait for what a snapshot finds. */
enum hwri_pause_kind { HWRI_PAUSE_IN_PLACE, HWRI_PAUSE_SLICE, HWRI_PAUSE_SNAPSHOT, HWRI_PAUSE_WAIT };

/* One call of the collector. */
typedef struct hwri_pause {
    uint64_t start, took; /* nanoseconds, by hwri_now() */
    int generation;       /* the oldest that was collected in place */
    enum hwri_pause_kind kind;
} hwri_pause;

enum { HWRI_PAUSES_KEPT = 1024 };
static const uint64_t hwri_least_pause_kept = 100000;

/* All pauses so far, also those too short to be kept. */
struct hwri_pauses_sum {
    uint64_t count, took, longest;
};

static inline void hwri_pause_was(hwri_pause *pause, enum hwri_pause_kind kind) {
    if (kind > pause->kind) pause->kind = kind;
}

/* To be called once, before the first pause: the child of a fork begins with none. */
void hwri_pauses_open(void);

/* A pause that has just ended, and began at pause->start. */
void hwri_pauses_add(hwri_pause *pause);

/* Copies the latest ones of at least hwri_least_pause_kept, oldest first, if `pauses` is not NULL; returns how many. Any thread may ask. */
size_t hwri_pauses_get(hwri_pause *pauses, struct hwri_pauses_sum *sum);

#endif
