/* heapwright: the memory managers of Python and C#, as one C library.
 *
 * Include this. The parts below can be read one after another:
 *   base.h    version, visibility, result codes
 *   raw.h     chunks of memory: from the system, from malloc, from a buffer of yours
 *   pool.h    an allocator over such chunks: size classes, pages, blocks
 */
#ifndef HEAPWRIGHT_H
#define HEAPWRIGHT_H

#include "heapwright/base.h"
#include "heapwright/pool.h"
#include "heapwright/raw.h"

#endif
