/* allocate.h: where new objects come from, and what is asked about them. */
#ifndef CLR_ALLOCATE_H
#define CLR_ALLOCATE_H

#include "clr.h"

/* NULL without memory. The calling thread is cooperative, and `context` is its own. */
clr_object *clr_allocate(clr_alloc_context *context, size_t size, uint32_t flags);

/* Takes the thread's window away. */
void clr_allocate_end(clr_alloc_context *context);

/* Bytes handed out since the start, in windows and for large objects. Any thread. */
uint64_t clr_allocated(void);

/* By a collection: so many bytes are left. */
void clr_survived(size_t bytes);

/* These, and what was handed out since. Any thread. */
size_t clr_bytes_in_use(void);

/* 0 to 2, or CLR_GENERATION_NONE. */
uint32_t clr_generation_of(const clr_object *object);

#endif
