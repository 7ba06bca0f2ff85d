/* Runs cmocka tests over every configuration of a pool. Each test gets a fixture with an open pool over a raw allocator of its own; after the test the
 * pool must verify, and closing it must bring the raw allocator's accounts back to zero. */
#ifndef TEST_SUPPORT_FIXTURE_H
#define TEST_SUPPORT_FIXTURE_H

#include "heapwright/pool.h"
#include "support/backend.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

typedef struct fixture_config {
    hwr_raw_kind kind;
    unsigned granularity;
    bool shared;
    bool checked;
} fixture_config;

typedef struct fixture {
    fixture_config config;
    backend backend;
    hwr_pool *pool;
} fixture;

/* Which configurations a group of tests runs over. */
enum {
    FIXTURE_ALL = 0,
    FIXTURE_CHECKED = 1,   /* checked pools only */
    FIXTURE_UNCHECKED = 2, /* the others only */
    FIXTURE_SHARED = 4,    /* shared pools only */
    FIXTURE_SYSTEM = 8,    /* over the system only */
    FIXTURE_FEW = 16       /* six that between them have every two properties together: for what takes long.
                            * `make soak` takes them all */
};

typedef struct fixture_test {
    const char *name;
    CMUnitTestFunction function;
    unsigned filter;
} fixture_test;

#define FIXTURE_TEST(function, filter)                                                                                 \
    { #function, function, filter }

/* Runs the tests and returns how many failed. */
int fixture_run(const char *group, const fixture_test *tests, size_t count);

/* The options that open a pool like the fixture's. */
hwr_pool_options fixture_options(const fixture *f);

/* Fails the test unless the pool verifies and counts just these blocks and bytes. */
void fixture_expect_holding(const fixture *f, size_t blocks, size_t bytes);

/* The alignment that a block of this size must have. */
size_t fixture_alignment(const fixture *f, size_t size);

#endif
