#define _GNU_SOURCE
#include "support/call_site.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SHORTLY = 512 };

bool call_site_named(const char *message, const char *before, void (*function)(void), const char *name) {
    const char *text = strstr(message, before);
    if (text == NULL) return false;
    text += strlen(before);
    size_t length = strlen(name);
    if (strncmp(text, name, length) == 0 && text[length] == '+') return true;
    uintptr_t start = (uintptr_t)function;
    if (strncmp(text, "0x", 2) != 0) {
        Dl_info info;
        text = strstr(text, "+0x");
        if (text == NULL || dladdr((void *)start, &info) == 0) return false;
        text += 1;
        start -= (uintptr_t)info.dli_fbase;
    }
    uintptr_t named = strtoul(text, NULL, 16);
    return named > start && named < start + SHORTLY;
}
