/* Which sanitizer or emulator the test runs under: some checks are impossible there, many need fewer rounds. */
#ifndef TEST_SUPPORT_SANITIZER_H
#define TEST_SUPPORT_SANITIZER_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif

#ifndef UNDER_ASAN
#define UNDER_ASAN 0
#endif
#ifndef UNDER_TSAN
#define UNDER_TSAN 0
#endif

static inline bool under_valgrind(void) {
    const char *preload = getenv("LD_PRELOAD");
    return preload != NULL && strstr(preload, "vgpreload") != NULL;
}

/* Whether the program is interpreted; what runs tests in another emulator than valgrind says so in the environment. */
static inline bool is_emulated(void) { return under_valgrind() || getenv("HEAPWRIGHT_TEST_EMULATED") != NULL; }

/* Whether something makes the program many times slower. */
static inline bool runs_slowly(void) { return UNDER_ASAN || UNDER_TSAN || is_emulated(); }

#endif
