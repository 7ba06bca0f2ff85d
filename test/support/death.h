/* Death tests: a body runs in a forked child that writes no core file and has no signal handlers, and what it prints on standard error is
 * kept. The child has a minute; a body that returns ends the child with status 0. */
#ifndef TEST_SUPPORT_DEATH_H
#define TEST_SUPPORT_DEATH_H

#include <stdbool.h>
#include <stddef.h>

typedef struct death {
    int status;         /* as waitpid gave it */
    char message[4096]; /* the beginning of standard error, always a string */
} death;

/* Zeroed memory that a child shares with its parent, to say what it did. Kept to the end of the program. */
void *death_share(size_t size);

void death_run(death *result, void (*body)(void *), void *argument);

/* Ends a child at once, like _exit, but not before its coverage is written, if that is measured. */
_Noreturn void death_exit(int status);

/* How the child ended. */
bool death_by_abort(const death *result);
bool death_avoided(const death *result);

#endif
