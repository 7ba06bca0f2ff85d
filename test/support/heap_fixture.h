/* Runs cmocka tests over heaps of each kind, with the collector that HEAPWRIGHT_COLLECTOR names. Each test gets a fixture with an open heap over a raw allocator of its own; after the test
 * the heap must verify, and closing it must bring the raw allocator's accounts back to zero. */
#ifndef TEST_SUPPORT_HEAP_FIXTURE_H
#define TEST_SUPPORT_HEAP_FIXTURE_H

#include "heapwright/collect.h"
#include "heapwright/heap.h"
#include "heapwright/weak.h"
#include "support/backend.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

typedef struct heap_config {
    hwr_raw_kind kind;
    bool checked;
    size_t stress;
} heap_config;

typedef struct heap_fixture {
    heap_config config;
    backend backend;
    hwr_heap *heap;
} heap_fixture;

/* Which heaps a test runs over: fast and checked ones over every source of memory, unless it says something else. */
enum {
    HEAP_ANY = 0,
    HEAP_STRESSED = 1,  /* also heaps that collect all the time: for tests that do not mind */
    HEAP_CHECKED = 2,   /* checked ones only */
    HEAP_UNCHECKED = 4, /* the others only */
    HEAP_SYSTEM = 8,    /* over the system only */
    HEAP_ONCE = 16,     /* one: fast, over the system; for tests that open their own heaps */
    HEAP_COUNTING = 64, /* counting ones only: for tests about counts, death at once, or memory as these take it */
    HEAP_FEW = 32       /* three that between them have everything: for what takes long. `make soak` takes them all */
};

typedef struct heap_test {
    const char *name;
    CMUnitTestFunction function;
    unsigned filter;
} heap_test;

#define HEAP_TEST(function, filter)                                                                                    \
    { #function, function, filter }

/* Runs the tests and returns how many failed. */
int heap_fixture_run(const char *group, const heap_test *tests, size_t count);

/* The options that open a heap like the fixture's. */
hwr_options heap_fixture_options(const heap_fixture *f);

/* Whether the heaps of this run trace. */
bool heap_fixture_traces(void);

/* Fails the test unless the heap verifies and, if it counts, holds just so many objects. */
void heap_fixture_expect_objects(const heap_fixture *f, size_t objects);

/* Fails the test unless the heap counts so many references to an object, or traces. */
void heap_fixture_expect_count(hwr_heap *heap, const void *object, size_t count);

/* From one call to the other there is no memory, not even for small blocks: the heap has it all, and gets no more. */
void heap_fixture_take_all_memory(const heap_fixture *f);
void heap_fixture_give_memory_back(const heap_fixture *f);

/* How far apart the requests for memory are that fail in turn: 1, but a tracing heap collects everything before it refuses one, so that there only the soak takes them all. */
uint64_t heap_fixture_fault_step(void);

/* Holds many objects of one heap, where a tracing heap sees them: the fixture's, or one that may (false without memory). Takes over a reference, and returns the object; NULL is no object. Each is let
 * go of by its number below `held`, whose place the last takes. */
bool heap_fixture_may_hold(hwr_heap *heap);
void *heap_fixture_hold(const heap_fixture *f, void *object);
size_t heap_fixture_held(void);
void heap_fixture_let_go(const heap_fixture *f, size_t which);
void heap_fixture_let_all_go(const heap_fixture *f);

/* ---- what many of these tests need ---- */

/* An object with two references, and one with a finalizer that counts its calls. */
typedef struct pair {
    struct pair *a, *b;
} pair;
extern const hwr_type pair_type;

typedef struct finalized {
    void *a, *b;
    size_t *calls;                                          /* NULL: not counted */
    void (*more)(hwr_heap *heap, struct finalized *object); /* what it does besides; NULL: nothing */
} finalized;
extern const hwr_type finalized_type;

pair *new_pair(const heap_fixture *f); /* fails the test without memory */
finalized *new_finalized(const heap_fixture *f, size_t *calls);
pair *new_cycle(const heap_fixture *f,
                size_t length); /* of pairs, through a; the first, with one reference of the caller's */

#endif
