/* Runs cmocka tests over tracing heaps of each kind. Each test gets a fixture with an open heap over a raw allocator of its own, whose finalizers run when asked only,
 * and a frame with slots: what a test wants to keep it puts there, which works with exact roots as with scanned stacks. After the test the heap
 * must verify, and closing it must bring the raw allocator's accounts back to zero. */
#ifndef TEST_SUPPORT_TRACING_FIXTURE_H
#define TEST_SUPPORT_TRACING_FIXTURE_H

#include "heapwright/tracing.h"
#include "heapwright/weak.h"
#include "support/backend.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

typedef struct tracing_config {
    const char *name;
    hwr_raw_kind kind;
    hwr_roots roots;
    bool checked, unmoving, move_always, tiny;
    unsigned markers; /* threads that mark; 0: one */
    size_t stress;
} tracing_config;

enum { TRACING_SLOTS = 16 };

typedef struct tracing_fixture {
    tracing_config config;
    backend backend;
    hwr_heap *heap;
    hwr_frame frame;
    void *slot[TRACING_SLOTS];
} tracing_fixture;

/* Which heaps a test runs over: all, unless it says something else. */
enum {
    TRACING_ANY = 0,
    TRACING_EXACT = 1,  /* with exact roots, so that it is known what dies */
    TRACING_STACKS = 2, /* with scanned stacks */
    TRACING_CALM = 4,   /* without a collection at every few allocations */
    TRACING_MOVES = 8,  /* where objects may move */
    TRACING_CHECKED = 16,
    TRACING_UNCHECKED = 32,
    TRACING_FEW = 64,   /* four that between them have most: for what takes long. `make soak` takes them all */
    TRACING_ONCE = 128, /* one: exact, fast, over the system; for tests that open their own heaps */
    TRACING_AGES = 256  /* with generations: no tiny ones */
};

typedef struct tracing_test {
    const char *name;
    CMUnitTestFunction function;
    unsigned filter;
} tracing_test;

#define TRACING_TEST(function, filter)                                                                                 \
    { #function, function, filter }

/* Runs the tests and returns how many failed. */
int tracing_fixture_run(const char *group, const tracing_test *tests, size_t count);

/* The options that open a heap like the fixture's. */
hwr_options tracing_fixture_options(const tracing_fixture *f);

void tracing_fixture_expect_verified(const tracing_fixture *f);
size_t tracing_fixture_objects(const tracing_fixture *f);

/* A full collection must leave just so many objects alive; where stacks are scanned, at least so many. */
void tracing_fixture_expect_objects(const tracing_fixture *f, size_t objects);

/* ---- what many of these tests need ---- */

typedef struct twig {
    struct twig *a, *b;
    size_t number;
} twig;
extern const hwr_type twig_type;

typedef struct row {
    size_t length;
    void *items[];
} row;
extern const hwr_type row_type;

typedef struct prose {
    size_t length;
    unsigned char bytes[];
} prose;
extern const hwr_type prose_type;

/* An object with a finalizer that counts its calls, and one whose finalizer is critical. */
typedef struct mortal {
    void *a, *b;
    size_t *calls;                                       /* NULL: not counted */
    void (*more)(hwr_heap *heap, struct mortal *object); /* what it does besides; NULL: nothing */
    size_t number;
} mortal;
extern const hwr_type mortal_type, critical_type;

/* Each fails the test without memory. */
twig *new_twig(const tracing_fixture *f, size_t number);
row *new_row(const tracing_fixture *f, size_t length);
mortal *new_mortal(const tracing_fixture *f, size_t *calls);

/* Puts a list of so many twigs into the slot, linked by a and numbered from 0 at its head; whether it is one. */
void make_list(tracing_fixture *f, size_t slot, size_t length);
bool is_list(const twig *head, size_t length);

/* Does away with what a call may have left on the stack. */
void clear_stack(void);

#endif
