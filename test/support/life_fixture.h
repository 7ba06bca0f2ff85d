/* What the tests of handles, weak references and finalizers on tracing heaps have in common: a heap, objects with numbers, and what their finalizers have noted. What a test makes and lets go it makes in a
 * thread of its own, so that no word on the stack leads there by chance. */
#ifndef TEST_SUPPORT_LIFE_FIXTURE_H
#define TEST_SUPPORT_LIFE_FIXTURE_H

#include "heapwright/tracing.h"
#include "heapwright/weak.h"
#include "support/check.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef struct thing {
    struct thing *next;
    int number;
} thing;
extern const hwr_type plain_thing, mortal_thing, critical_thing;

/* The heap of a test, and how the next one finds its roots. Closing verifies it. */
extern hwr_heap *heap;
extern hwr_roots roots_of_heap;
void open_heap(bool manual); /* with manual finalizers, or a thread for them */
void open_limited_heap(size_t limit);
void close_heap(void);

/* The numbers of things finalized, in order; what finalizers do besides (NULL: nothing). */
enum { NOTED_MOST = 100000 };
extern int noted[NOTED_MOST];
extern size_t noted_count;
extern void (*in_finalizer)(thing *it);
size_t noted_by_now(void);

/* Callbacks of weak references. */
extern const void *called[10];
extern int argument_of[10];
extern size_t called_count;
void note_call(hwr_heap *h, hwr_weak *w, void *argument);

/* Not inline, so that what it has had of an object is not in the frame of the test. */
#define OFF_STACK __attribute__((noinline))

thing *new_thing(const hwr_type *type,
                 int number);   /* only for those who store it somewhere before the next allocation */
void apart(void (*body)(void)); /* in a thread of its own */
void collect_young(void);
void collect_all(void);
/* Collects everything and waits for finalizers until so many have been noted: once with exact roots, otherwise up to ten times, since words on the stacks of threads that call finalizers may keep some for a while. */
void finalize_all(size_t expected);

enum { HANDLES = 200 };
extern hwr_handle *handles[HANDLES], *weak[HANDLES];
hwr_handle *new_handle(hwr_handle_kind kind, const hwr_type *type, int number);
void free_handles(hwr_handle **all, size_t count);
int number_at(const hwr_handle *handle); /* -1: none */
int second_at(const hwr_handle *handle);

#endif
