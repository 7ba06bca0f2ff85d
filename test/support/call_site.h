/* Whether a message names a place in the code, as messages of checked pools and heaps do: "function+0x12", "file+0x1234", or an address in a program
 * that is linked statically. */
#ifndef TEST_SUPPORT_CALL_SITE_H
#define TEST_SUPPORT_CALL_SITE_H

#include <stdbool.h>

/* Whether behind the words `before` stands code shortly behind the start of `function`, whose name is `name`. */
bool call_site_named(const char *message, const char *before, void (*function)(void), const char *name);

#endif
