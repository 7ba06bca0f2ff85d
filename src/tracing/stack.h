/* The inside of a registered stack: that of a coroutine. */
#ifndef HWRI_TRACING_STACK_H
#define HWRI_TRACING_STACK_H

#include "tracing/tracing.h"

struct hwr_stack {
    hwr_stack *next;
    hwri_tracing *t;
    char *low;
    size_t size;
    const char *pointer;      /* where it stands, while it does not run */
    uintptr_t thread_pointer; /* where the stack of the thread stands that it runs on */
    bool runs;
};

#endif
