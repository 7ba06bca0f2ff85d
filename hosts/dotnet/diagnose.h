/* diagnose.h: handles and finalizers for profilers and traces, which call while the world stands still. */
#ifndef CLR_DIAGNOSE_H
#define CLR_DIAGNOSE_H

#include "clr.h"

/* Objects whose finalizers are to run. */
void clr_diagnose_finalizable(clr_finalizable_function *visit);
void clr_diagnose_finalizable_roots(clr_root_function *visit, clr_scan *scan);

/* Handles that are not dependent, and those that are. */
void clr_diagnose_handles(clr_handle_function *visit, clr_scan *scan);
void clr_diagnose_dependents(clr_handle_function *visit, clr_scan *scan);

#endif
