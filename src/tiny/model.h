/* The native heap, as the engine of the tiny collector sees it (engine.h). The fourth plane says that an object holds no references. A watched object without them is a
 * weak reference; any other has a finalizer. */
#ifndef HWRI_TINY_MODEL_H
#define HWRI_TINY_MODEL_H

#ifndef TINY_SEVERAL
#define TINY_SEVERAL 1
#endif
#define TINY_EXTRA
#define tiny_poll() ((void)0)
#define tiny_swept(heap, heads) ((void)0)

#include "tiny/engine.h"

static inline tiny_word tiny_leaves(const tiny_cell *cell) { return cell->extra; }
static inline tiny_word tiny_noticed(const tiny_cell *cell) { return cell->watch & ~cell->extra; }

#endif
