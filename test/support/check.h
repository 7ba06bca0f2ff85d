/* Checks that work anywhere: in any thread, in a forked child, in a fuzzer. A failed check prints where and what, and aborts. Tests that run
 * under cmocka use its assertions in their main thread instead, because those let the tests after them run. */
#ifndef TEST_SUPPORT_CHECK_H
#define TEST_SUPPORT_CHECK_H

#include <stdio.h>
#include <stdlib.h>

static inline _Noreturn void check_failed(const char *file, int line, const char *condition) {
    fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
    fflush(NULL);
    abort();
}

#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))

#endif
