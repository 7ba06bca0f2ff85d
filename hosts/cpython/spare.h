/* spare.h: whether the machine has something to spare. */
#ifndef HWRI_CPYTHON_SPARE_H
#define HWRI_CPYTHON_SPARE_H

#include <stddef.h>

enum hwri_spare { HWRI_SPARE_ALL, HWRI_SPARE_NO_PROCESSOR, HWRI_SPARE_BUSY, HWRI_SPARE_LIMITED, HWRI_SPARE_NO_MEMORY };

/* To be called once, before the program's code. */
void hwri_spare_open(void);

/* What is missing for a second process that needs so many bytes of its own. */
enum hwri_spare hwri_spare(size_t memory);

#endif
