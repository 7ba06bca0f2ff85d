/* beside.h: full collections beside the program. */
#ifndef HWRI_CPYTHON_BESIDE_H
#define HWRI_CPYTHON_BESIDE_H

#include "takeover.h"

/* A collection of takeover->generation, wherever; called with the GIL, by CPython's own collector. */
void hwri_collect(hwri_takeover *takeover);

/* What a snapshot found, or is about to find, is not wanted any more. */
void hwri_beside_give_up(hwri_takeover *takeover);

#endif
