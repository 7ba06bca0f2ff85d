#include "support/sanitizer.h"

/* A size that no allocator has must come back as NULL, as without a sanitizer; and it is our own handlers of SIGABRT that count. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

__attribute__((visibility("default"))) const char *__asan_default_options(void) {
    return "allocator_may_return_null=1:handle_abort=0";
}

__attribute__((visibility("default"))) const char *__tsan_default_options(void) {
    return "allocator_may_return_null=1:handle_abort=0:halt_on_error=1";
}
