#include "firmware.h"

enum { SYS_WRITE0 = 0x04, SYS_EXIT = 0x18, STOPPED = 0x20026, FAILED = 0x20023 };

extern void stack_top(void); /* an address, as the vectors want it */
void firmware_start(void);

static intptr_t semihost(intptr_t operation, const void *argument) {
    register intptr_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void firmware_print(const char *text) { semihost(SYS_WRITE0, text); }

void firmware_print_number(uint32_t number) {
    char text[11], *at = text + sizeof text - 1;
    *at = '\0';
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    firmware_print(at);
}

/* The processor's timer counts down from 2^24 - 1, in ticks of 1/FIRMWARE_HZ s. */
static volatile uint32_t *const timer = (volatile uint32_t *)0xe000e010;

uint32_t firmware_instructions(void) {
    uint32_t ticks = 0xffffff - timer[2];
    return (uint32_t)((uint64_t)ticks * 1000000000 / FIRMWARE_HZ >> 5);
}

_Noreturn static void end(uintptr_t reason) {
    semihost(SYS_EXIT, (const void *)reason);
    for (;;) {
    }
}

_Noreturn static void fault(void) {
    firmware_print("fault\n");
    end(FAILED);
}

void firmware_start(void) {
    timer[1] = 0xffffff;
    timer[2] = 0;
    timer[0] = 5; /* on, by the processor's clock */
    end(firmware_main() == 0 ? STOPPED : FAILED);
}

__attribute__((section(".vectors"), used)) static void (*const vectors[])(void) = {
    stack_top, firmware_start, fault, fault, fault, fault, fault,
};
