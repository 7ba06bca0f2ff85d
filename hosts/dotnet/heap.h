/* heap.h: the object that the runtime calls; heap.c has what is behind its slots, or says where that is. */
#ifndef CLR_HEAP_H
#define CLR_HEAP_H

#include "clr.h"

extern clr_heap clr_heap_object;

#endif
