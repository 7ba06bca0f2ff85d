/* no_gc.h: GC.TryStartNoGCRegion: for a while threads may allocate so many bytes without a collection. */
#ifndef CLR_NO_GC_H
#define CLR_NO_GC_H

#include "clr.h"

/* As the slots of these names; the calling thread is cooperative. */
int clr_no_gc_start(uint64_t bytes, bool no_collection);
int clr_no_gc_end(void);
int clr_no_gc_call(clr_no_gc_work *work, uint64_t bytes);

bool clr_no_gc_runs(void);

/* What the thread that runs finalizers is to do because of it: a list, or NULL; and whether there is anything. */
clr_finalizer_work *clr_no_gc_due(void);
bool clr_no_gc_is_due(void);

/* By a collection: ends the region, if there is one. */
void clr_no_gc_collected(bool induced);

/* By an allocation, with the heap's lock: more was given than clr_gc.notice. And afterwards, without the lock: the thread that runs finalizers hears of it. */
void clr_no_gc_given(void);
void clr_no_gc_wake(void);

#endif
