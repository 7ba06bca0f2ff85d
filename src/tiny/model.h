/* The native heap, as the engine of the tiny collector sees it (engine.h). The fourth plane says that an object holds no references. A watched object without them is a
 * weak reference; any other has a finalizer. A small heap (HWR_TINY_SMALL, heapwright/tiny.h) has one area, one rover and three planes. */
#ifndef HWRI_TINY_MODEL_H
#define HWRI_TINY_MODEL_H

#ifdef HWR_TINY_SMALL
#define TINY_SEVERAL 0
#define TINY_SMALL 1
#else
#define TINY_SEVERAL 1
#define TINY_SMALL 0
#define TINY_EXTRA
#endif
#define tiny_poll() ((void)0)
#define tiny_swept(heap, heads) ((void)0)

#include "tiny/engine.h"

static inline tiny_word tiny_leaves(const tiny_cell *cell) { return tiny_extra_in(cell); }

#endif
