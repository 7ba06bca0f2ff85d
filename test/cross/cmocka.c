#include "cmocka.h"

#include <stdlib.h>

jmp_buf standin_end;

static int run_one(const struct CMUnitTest *test) {
    void *state = test->initial_state;
    if (test->setup_func != NULL && test->setup_func(&state) != 0) return STANDIN_FAILED;
    int end = setjmp(standin_end);
    if (end == 0) test->test_func(&state);
    if (test->teardown_func != NULL && test->teardown_func(&state) != 0) return STANDIN_FAILED;
    return end;
}

int standin_run(const char *group, const struct CMUnitTest *tests, size_t count) {
    int failed = 0, skipped = 0;
    const char *only = getenv("HEAPWRIGHT_TEST_ONLY"); /* part of a name */
    for (size_t i = 0; i < count; i++) {
        if (only != NULL && strstr(tests[i].name, only) == NULL) continue;
        int end = run_one(&tests[i]);
        failed += end == STANDIN_FAILED;
        skipped += end == STANDIN_SKIPPED;
        if (end != 0) printf("%s: %s\n", end == STANDIN_FAILED ? "FAILED" : "skipped", tests[i].name);
        fflush(stdout);
    }
    printf("%s: %zu tests, %d failed, %d skipped\n", group, count, failed, skipped);
    return failed;
}
