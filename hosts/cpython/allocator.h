/* allocator.h: heapwright in the place of Python's three memory domains. */
#ifndef HWRI_CPYTHON_ALLOCATOR_H
#define HWRI_CPYTHON_ALLOCATOR_H

#include "../record.h"
#include "version.h"

#include <heapwright.h>

/* One of Python's domains, and what it was before us.
 *
 * `raw` has a pool of its own, which any thread may use at any time. `mem` and `obj` share the other one, whose
 * thread rule is that of the Python version. `before` is the allocator that we replaced: blocks that are in no pool
 * of ours came from it, and go back to it. Pools are never closed: Python frees its last blocks after its own end. */
struct hwri_python_domain {
    hwr_pool *pool;
    PyMemAllocatorEx before;
};

extern struct hwri_python_domain hwri_domains[HWRI_DOMAINS];
extern hwr_raw *hwri_python_memory; /* what both pools take their memory from */

/* Opens the pools, if they are not, and sees what there is before us. Returns false without memory. To be called before Python is
 * pre-initialised, or when it has long been running. */
bool hwri_allocator_open(void);

/* Why Python's own choice of an allocator stands (PYTHONMALLOC or -X dev ask for one), or NULL. To be called once
 * Python is pre-initialised. */
const char *hwri_allocator_chosen(void);

/* The same in an interpreter that has been running: whatever is not Python's default stands. */
const char *hwri_allocator_chosen_later(void);

/* Puts our allocator in all three domains. With a record every call is counted there, otherwise nothing is counted. */
void hwri_allocator_install(struct hwri_record *record);

/* In the two that are used under the interpreter's lock, which the caller holds; there is one interpreter. Nothing is counted. */
void hwri_allocator_install_later(void);

/* What is done with a block that is in no pool of the domain. */
void hwri_foreign_free(enum hwri_domain domain, void *block);
void *hwri_foreign_realloc(enum hwri_domain domain, void *block, size_t size);

/* All domains together, without the classes. Returns the most memory that was ever taken from the system (counted.c). */
size_t hwri_look_at_pools(struct hwri_snapshot *snapshot);

/* The allocator that counts (counted.c): its functions for a domain, and the last entry in the record. */
PyMemAllocatorEx hwri_counted_allocator(enum hwri_domain domain);
void hwri_counting_start(struct hwri_record *to);
void hwri_counting_end(void);

#endif
