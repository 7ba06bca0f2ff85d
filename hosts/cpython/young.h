/* young.h: the younger generations of a large heap. */
#ifndef HWRI_CPYTHON_YOUNG_H
#define HWRI_CPYTHON_YOUNG_H

#include "takeover.h"

/* An automatic collection of takeover->generation, one of the younger ones, of the main interpreter. */
void hwri_young_collect(hwri_takeover *takeover);

/* The same, of which no object is examined. */
void hwri_young_pass_by(hwri_takeover *takeover);

/* How many of these were passed by, ever. */
unsigned long long hwri_young_passed(void);

#endif
