/* Objects with finalizers. Nothing is collected yet, so nothing is ever finalized. */
#include "finalize.h"

bool clr_finalize_register(clr_object *object) { return object != NULL; }

void clr_finalize_suppress(clr_object *object) {
    __atomic_fetch_or(clr_header(object), CLR_HEADER_FINALIZED, __ATOMIC_RELAXED);
}

bool clr_finalize_again(clr_object *object) {
    __atomic_fetch_and(clr_header(object), ~(uint32_t)CLR_HEADER_FINALIZED, __ATOMIC_RELAXED);
    return true;
}

clr_object *clr_finalize_next(void) { return NULL; }
size_t clr_finalize_pending(void) { return 0; }
