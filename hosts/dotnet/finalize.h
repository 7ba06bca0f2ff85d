/* finalize.h: objects that have finalizers, and those whose turn it is. */
#ifndef CLR_FINALIZE_H
#define CLR_FINALIZE_H

#include "clr.h"

/* False without memory. Cooperative threads, at any time. */
bool clr_finalize_register(clr_object *object);

/* GC.SuppressFinalize and GC.ReRegisterForFinalize. The second returns false without memory. */
void clr_finalize_suppress(clr_object *object);
bool clr_finalize_again(clr_object *object);

/* The next object whose finalizer is to run, or NULL; and how many there are. */
clr_object *clr_finalize_next(void);
size_t clr_finalize_pending(void);

#endif
