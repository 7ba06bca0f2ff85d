/* A program without a system on a Cortex-M under QEMU: it begins in firmware_main, prints by semihosting, and ends with a status that QEMU exits with. Variables have no
 * initial values but zero. */
#ifndef TEST_FIRMWARE_H
#define TEST_FIRMWARE_H

#include <stddef.h>
#include <stdint.h>

int firmware_main(void);

void firmware_print(const char *text);
void firmware_print_number(uint32_t number);

/* Instructions since the start, if QEMU takes one for 2^5 ns (-icount shift=5); exact to 2. After 16 million it begins again. */
uint32_t firmware_instructions(void);

#endif
