/* The end of a program that misused a pool: one message on standard error, then abort. */
#ifndef HWRI_POOL_MISUSE_H
#define HWRI_POOL_MISUSE_H

#include <stddef.h>

/* What is known of a misuse; fields that are not known are zero. */
typedef struct hwri_misuse {
    const char *what;         /* "double free", for example */
    const char *call;         /* the public function that found it */
    const void *address;      /* what was passed, or what is damaged */
    const char *type;         /* the object's type, if it is one */
    size_t size;              /* the block's size in bytes, if it is one */
    const void *allocated_by; /* return address of the call that allocated it */
    const void *called_by;    /* return address of the call that found it */
} hwri_misuse;

_Noreturn void hwri_misuse_abort(const hwri_misuse *misuse);

#endif
