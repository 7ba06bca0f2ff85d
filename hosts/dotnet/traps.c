#include "traps.h"

#include "runtime.h"

#define TRAP_BODY(slot)                                                                                                \
    void clr_trap_##slot(void) { clr_fail("unknown slot %d: this runtime knows more of a collector than we do", slot); }
CLR_TRAPS(TRAP_BODY)
