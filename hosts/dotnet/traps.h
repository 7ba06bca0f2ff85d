/* traps.h: what follows the last slot of each of our tables. A runtime that calls one of these has more slots than we know of: that is said, with the slot's number, and the
 * process ends, rather than some other thing being called. */
#ifndef CLR_TRAPS_H
#define CLR_TRAPS_H

#define CLR_TRAP_TEN(X, ten)                                                                                           \
    X(ten##0) X(ten##1) X(ten##2) X(ten##3) X(ten##4) X(ten##5) X(ten##6) X(ten##7) X(ten##8) X(ten##9)

/* Every slot that is some table's trap. */
#define CLR_TRAPS(X)                                                                                                   \
    X(8)                                                                                                               \
    X(9)                                                                                                               \
    CLR_TRAP_TEN(X, 1)                                                                                                 \
    CLR_TRAP_TEN(X, 2) X(89) CLR_TRAP_TEN(X, 9) CLR_TRAP_TEN(X, 10) CLR_TRAP_TEN(X, 11) CLR_TRAP_TEN(X, 12)

typedef void clr_trap(void);
#define CLR_TRAP_DECLARED(slot) clr_trap clr_trap_##slot;
CLR_TRAPS(CLR_TRAP_DECLARED)

/* Initialisers. */
#define CLR_TRAP_NAME(slot) clr_trap_##slot,
#define CLR_TRAPS_FROM_8 CLR_TRAP_NAME(8) CLR_TRAP_NAME(9) CLR_TRAP_TEN(CLR_TRAP_NAME, 1)
#define CLR_TRAPS_FROM_18 CLR_TRAP_NAME(18) CLR_TRAP_NAME(19) CLR_TRAP_TEN(CLR_TRAP_NAME, 2)
#define CLR_TRAPS_FROM_89                                                                                              \
    CLR_TRAP_NAME(89)                                                                                                  \
    CLR_TRAP_TEN(CLR_TRAP_NAME, 9)                                                                                     \
    CLR_TRAP_TEN(CLR_TRAP_NAME, 10) CLR_TRAP_TEN(CLR_TRAP_NAME, 11) CLR_TRAP_TEN(CLR_TRAP_NAME, 12)
enum { CLR_TRAPS_OF_STORE = 12, CLR_TRAPS_OF_MANAGER = 12, CLR_TRAPS_OF_HEAP = 41 };

#endif
