/* As much of cmocka's interface as the unit tests of the lower floors use, for machines whose cmocka is not at hand. A failed
 * assertion ends its test by longjmp, as in cmocka; the same names mean the same things, and nothing else is promised. */
#ifndef TEST_CROSS_CMOCKA_H
#define TEST_CROSS_CMOCKA_H

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef void (*CMUnitTestFunction)(void **state);
typedef int (*CMFixtureFunction)(void **state);

struct CMUnitTest {
    const char *name;
    CMUnitTestFunction test_func;
    CMFixtureFunction setup_func;
    CMFixtureFunction teardown_func;
    void *initial_state;
};

extern jmp_buf standin_end; /* where a test goes that failed or was skipped, with one of these */
enum { STANDIN_FAILED = 1, STANDIN_SKIPPED = 2 };

int standin_run(const char *group, const struct CMUnitTest *tests, size_t count);

#define cmocka_unit_test(function)                                                                                     \
    { #function, function, NULL, NULL, NULL }
#define cmocka_run_group_tests_name(group, tests, group_setup, group_teardown)                                         \
    standin_run(group, tests, sizeof(tests) / sizeof((tests)[0]))
#define _cmocka_run_group_tests(group, tests, count, group_setup, group_teardown) standin_run(group, tests, count)

#define print_message(...) printf(__VA_ARGS__)
#define print_error(...) fprintf(stderr, __VA_ARGS__)
#define skip() longjmp(standin_end, STANDIN_SKIPPED)
#define fail_msg(...)                                                                                                  \
    (fprintf(stderr, "%s:%d: ", __FILE__, __LINE__), fprintf(stderr, __VA_ARGS__), fputc('\n', stderr),                \
     longjmp(standin_end, STANDIN_FAILED))
#define assert_true(condition) ((condition) ? (void)0 : fail_msg("%s", #condition))
#define assert_false(condition) assert_true(!(condition))
#define assert_null(pointer) assert_true((pointer) == NULL)
#define assert_non_null(pointer) assert_true((pointer) != NULL)
#define assert_int_equal(a, b) assert_true((uintmax_t)(a) == (uintmax_t)(b))
#define assert_int_not_equal(a, b) assert_true((uintmax_t)(a) != (uintmax_t)(b))
#define assert_ptr_equal(a, b) assert_true((const void *)(a) == (const void *)(b))
#define assert_ptr_not_equal(a, b) assert_true((const void *)(a) != (const void *)(b))
#define assert_string_equal(a, b) assert_true(strcmp(a, b) == 0)
#define assert_memory_equal(a, b, size) assert_true(memcmp(a, b, size) == 0)

#endif
