/* Handles and finalizers for profilers and traces. */
#include "diagnose.h"

#include "finalize.h"
#include "handles.h"

typedef struct diagnosis {
    union {
        clr_finalizable_function *finalizable;
        clr_root_function *root;
        clr_handle_function *handle;
    } visit;
    clr_scan *scan;
    uint32_t flags;
} diagnosis;

static void visit_finalizable(clr_object **slot, bool critical, void *context) {
    const diagnosis *d = context;
    d->visit.finalizable(critical, *slot);
}

static void visit_root(clr_object **slot, bool critical, void *context) {
    (void)critical;
    const diagnosis *d = context;
    d->visit.root(slot, d->scan, 0);
}

static void visit_handle(clr_object **slot, uintptr_t *extra, void *context) {
    (void)extra;
    const diagnosis *d = context;
    d->visit.handle(slot, NULL, d->flags, d->scan, false);
}

static void visit_dependent(clr_object **slot, uintptr_t *extra, void *context) {
    const diagnosis *d = context;
    if (*extra) d->visit.handle(slot, (clr_object *)*extra, d->flags, d->scan, true);
}

void clr_diagnose_finalizable(clr_finalizable_function *visit) {
    clr_finalize_each_pending(visit_finalizable, &(diagnosis){.visit.finalizable = visit});
}

void clr_diagnose_finalizable_roots(clr_root_function *visit, clr_scan *scan) {
    clr_finalize_each_pending(visit_root, &(diagnosis){.visit.root = visit, .scan = scan});
}

void clr_diagnose_handles(clr_handle_function *visit, clr_scan *scan) {
    enum { PINNING = 1, WEAK = 2, COUNTED = 8 };
    static const uint32_t flags[CLR_HANDLE_TYPES] = {
        [CLR_WEAK_SHORT] = WEAK,      [CLR_WEAK_LONG] = WEAK,   [CLR_PINNED] = PINNING,     [CLR_REFCOUNTED] = COUNTED,
        [CLR_ASYNC_PINNED] = PINNING, [CLR_WEAK_NATIVE] = WEAK, [CLR_WEAK_INTERIOR] = WEAK,
    };
    for (int type = 0; type < CLR_HANDLE_TYPES; type++)
        if (type != CLR_DEPENDENT)
            clr_handles_visit(type, true, visit_handle,
                              &(diagnosis){.visit.handle = visit, .scan = scan, .flags = flags[type]});
}

void clr_diagnose_dependents(clr_handle_function *visit, clr_scan *scan) {
    clr_handles_visit(CLR_DEPENDENT, true, visit_dependent, &(diagnosis){.visit.handle = visit, .scan = scan});
}
