/* install.h: how heapwright comes to be Python's cycle collector. */
#ifndef HWRI_CPYTHON_INSTALL_H
#define HWRI_CPYTHON_INSTALL_H

#include <stdbool.h>
#include <stddef.h>

/* Takes over the collector of the running interpreter and of all that it makes later. Returns NULL, or why not, as the rest of
 * a sentence "Python 3.x keeps its own cycle collector: ...". */
const char *hwri_takeover_install(void);

/* What the environment says (HEAPWRIGHT_GC): all in place; beside the program whenever that is possible; or beside where a processor and
 * memory are to spare. */
enum hwri_gc_mode { HWRI_GC_IN_PLACE, HWRI_GC_BESIDE, HWRI_GC_AUTO };

/* To be called once, after that. Without our allocator nothing is ever collected beside. */
void hwri_beside_open(enum hwri_gc_mode mode, bool allocator_is_ours);

/* Writes what has been collected beside and in place, and why, as a JSON object, as snprintf does. Any thread may ask; figures may be a moment old. */
__attribute__((visibility("default"))) int hwri_host_gc_report(char *buffer, size_t size);

#endif
