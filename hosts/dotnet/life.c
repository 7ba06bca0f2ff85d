/* Handles in a collection, but for dependent ones. */
#include "life.h"

#include "handles.h"
#include "runtime.h"

static void reach_one(clr_object **slot, uintptr_t *extra, void *context) {
    (void)extra;
    (void)context;
    clr_reach(slot);
}

static void reach_counted(clr_object **slot, uintptr_t *extra, void *context) {
    (void)extra;
    (void)context;
    if (clr_runtime->table->refcounted_handle_callbacks(clr_runtime, *slot)) clr_reach(slot);
}

void clr_life_reach_handles(bool all) {
    static const int strong[] = {CLR_STRONG,       CLR_PINNED, CLR_VARIABLE,
                                 CLR_ASYNC_PINNED, CLR_SIZED,  CLR_CROSS_REFERENCE};
    for (size_t i = 0; i < sizeof strong / sizeof *strong; i++) clr_handles_visit(strong[i], all, reach_one, NULL);
    clr_handles_visit(CLR_REFCOUNTED, all, reach_counted, NULL);
}

static void clear_dead(clr_object **slot, uintptr_t *extra, void *context) {
    (void)extra;
    (void)context;
    if (!clr_is_reached(*slot)) __atomic_store_n(slot, NULL, __ATOMIC_RELEASE);
}

static void clear_dead_pair(clr_object **slot, uintptr_t *extra, void *context) {
    (void)context;
    if (clr_is_reached(*slot)) return;
    __atomic_store_n(slot, NULL, __ATOMIC_RELEASE);
    __atomic_store_n(extra, 0, __ATOMIC_RELEASE);
}

void clr_life_clear_short(bool all) {
    clr_handles_visit(CLR_WEAK_SHORT, all, clear_dead, NULL);
    clr_handles_visit(CLR_WEAK_NATIVE, all, clear_dead, NULL);
}

void clr_life_clear_long(bool all) {
    static const int weak[] = {CLR_WEAK_LONG, CLR_REFCOUNTED, CLR_WEAK_INTERIOR};
    for (size_t i = 0; i < sizeof weak / sizeof *weak; i++) clr_handles_visit(weak[i], all, clear_dead, NULL);
    clr_handles_visit(CLR_DEPENDENT, all, clear_dead_pair, NULL);
}

void clr_life_end(void) { clr_handles_age(); }
