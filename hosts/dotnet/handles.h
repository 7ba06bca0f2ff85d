/* handles.h: the handles, by which the runtime and C# programs hold on to objects, or learn that they died. */
#ifndef CLR_HANDLES_H
#define CLR_HANDLES_H

#include "clr.h"

/* What the runtime gets; there is one store, and nobody makes others. */
extern clr_manager clr_handle_manager;
extern clr_store clr_handle_store;

/* Whether handles of a type have an extra word. A dependent handle's is its second object. */
static inline bool clr_handle_has_extra(int type) {
    return type == CLR_DEPENDENT || type == CLR_VARIABLE || (type >= CLR_SIZED && type < CLR_HANDLE_TYPES);
}

/* NULL without memory. Any thread may call these at any time. */
clr_handle clr_handle_new(clr_object *object, int type, void *extra);
void clr_handle_free(clr_handle handle);

/* How many handles there are of a type. */
size_t clr_handle_count(int type);

/* Visits handles that are in use and not empty: all of a type, or the *young* of them, which something was stored into since clr_handles_age. The world stands still, or what is visited may be a moment old. */
typedef void clr_handle_visit(clr_object **slot, uintptr_t *extra, void *context);
void clr_handles_visit(int type, bool all, clr_handle_visit *visit, void *context);

/* All handles are old from now on. */
void clr_handles_age(void);

#endif
