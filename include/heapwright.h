/* heapwright: the memory managers of Python and C#, as one C library.
 *
 * Include this. The parts below can be read one after another:
 *   base.h    version, visibility, result codes
 *   raw.h     chunks of memory: from the system, from malloc, from a buffer of yours
 *   pool.h    an allocator over such chunks: size classes, pages, blocks
 *   type.h    what a heap knows of a kind of object
 *   heap.h    managed objects: counts, handles, blocks, looking at a heap
 *   collect.h the collector for cycles, as Python's module gc
 *   tracing.h C#'s managed heap: threads, roots, generations, finalizers
 *   tiny.h    MicroPython's: a collected heap in a buffer, for the smallest machines
 *   weak.h    weak references and tables of them
 *   events.h  what happens in a heap, as it happens
 *   kinds.h   values like Python's, ready-made: what they all have
 *   number.h  int, float;            text.h     str, bytes, bytearray
 *   mapping.h dict, set;             sequence.h tuple, list
 *   array.h   array;                 iterate.h  iterators, range, map, filter, zip, generators
 *   attributes.h  plain objects with named attributes
 */
#ifndef HEAPWRIGHT_H
#define HEAPWRIGHT_H

#include "heapwright/array.h"
#include "heapwright/attributes.h"
#include "heapwright/base.h"
#include "heapwright/collect.h"
#include "heapwright/events.h"
#include "heapwright/heap.h"
#include "heapwright/iterate.h"
#include "heapwright/kinds.h"
#include "heapwright/mapping.h"
#include "heapwright/number.h"
#include "heapwright/pool.h"
#include "heapwright/raw.h"
#include "heapwright/sequence.h"
#include "heapwright/text.h"
#include "heapwright/tiny.h"
#include "heapwright/tracing.h"
#include "heapwright/type.h"
#include "heapwright/weak.h"

#endif
