/* collect.h: collections. */
#ifndef CLR_COLLECT_H
#define CLR_COLLECT_H

#include "clr.h"

/* Collects a generation and what is younger. The calling thread is cooperative; `mode` is bits as GC.Collect gives them. */
void clr_collect(int gen, int mode);

/* The generation that is being collected. */
int clr_collecting(void);

#endif
