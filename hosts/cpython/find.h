/* find.h: which objects of a list are garbage. */
#ifndef HWRI_CPYTHON_FIND_H
#define HWRI_CPYTHON_FIND_H

#include "gc_list.h"

/* In the link forward of what is unreachable, until the collector has looked at it. */
enum { HWRI_GC_ASIDE = 1 };

enum hwri_untracking { HWRI_UNTRACK_NOTHING, HWRI_UNTRACK_TUPLES, HWRI_UNTRACK_TUPLES_AND_DICTS };

/* Moves what is kept alive only by the list itself to `unreachable`, in the order of the list; those are marked with
 * HWRI_GC_ASIDE and HWRI_GC_COLLECTING. The rest stays, in the order in which CPython would leave it. Immortal objects go to
 * `permanent`. `whole` says that no tracked object but immortal ones can be found from the list and not be in it, which saves a
 * pass; `small`, that there are few objects, for which prefetching is not worth its instructions. Returns how many objects stay. */
Py_ssize_t hwri_find_unreachable(PyGC_Head *list, PyGC_Head *unreachable, PyGC_Head *permanent,
                                 enum hwri_untracking untracking, bool whole, bool small);

/* Whether a tracked object is a tuple or a dict that can be part of no cycle. To be asked outside of a search. */
bool hwri_needs_no_tracking(PyObject *object);

/* To be called once, with the GIL, before the first search. False if this interpreter has no classes as we know them. */
bool hwri_find_prepare(void);

#endif
