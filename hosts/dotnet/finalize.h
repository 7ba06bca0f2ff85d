/* finalize.h: objects that have finalizers, and those whose turn it is. What a collection does with them is in life.h. */
#ifndef CLR_FINALIZE_H
#define CLR_FINALIZE_H

#include "clr.h"

/* The object will be finalized when nothing reaches it any more. Its type need not be known yet. False without memory. */
bool clr_finalize_register(clr_object *object);

/* GC.SuppressFinalize, and GC.ReRegisterForFinalize, which returns false without memory. */
void clr_finalize_suppress(clr_object *object);
bool clr_finalize_again(clr_object *object);

/* The next object whose finalizer is to run, or NULL: those with a critical finalizer come last. */
clr_object *clr_finalize_next(void);

/* How many wait for that, and how many are registered. Any thread, at any time. */
size_t clr_finalize_pending(void);
size_t clr_finalize_registered(void);

/* Visits the objects that wait. The world stands still. */
typedef void clr_finalize_visit(clr_object **slot, bool critical, void *context);
void clr_finalize_each_pending(clr_finalize_visit *visit, void *context);

#endif
