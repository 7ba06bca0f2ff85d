#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dladdr */
#endif
#include "pool/misuse.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__linux__)
#include <dlfcn.h>
#endif

/* "function+0x12 (/usr/bin/program+0x3456)", as far as the system knows. */
static void name_code(char *text, size_t room, const void *code) {
#if defined(__linux__)
    Dl_info info;
    if (dladdr(code, &info) && info.dli_fname) {
        size_t in_file = (size_t)((const char *)code - (const char *)info.dli_fbase);
        if (info.dli_sname)
            snprintf(text, room, "%s+0x%zx (%s+0x%zx)", info.dli_sname,
                     (size_t)((const char *)code - (const char *)info.dli_saddr), info.dli_fname, in_file);
        else
            snprintf(text, room, "%s+0x%zx", info.dli_fname, in_file);
        return;
    }
#endif
    snprintf(text, room, "0x%zx", (size_t)(uintptr_t)code);
}

_Noreturn void hwri_misuse_abort(const hwri_misuse *m) {
    char line[1024], code[400];
    size_t n = (size_t)snprintf(line, sizeof line, "heapwright: %s: 0x%zx", m->what, (size_t)(uintptr_t)m->address);
    if (m->type)
        n += (size_t)snprintf(line + n, sizeof line - n, ", an object of type %s", m->type);
    else if (m->size || m->allocated_by)
        n += (size_t)snprintf(line + n, sizeof line - n, ", a block of %zu bytes", m->size);
    if (m->allocated_by) {
        name_code(code, sizeof code, m->allocated_by);
        n += (size_t)snprintf(line + n, sizeof line - n, ", allocated by %s", code);
    }
    if (n < sizeof line) n += (size_t)snprintf(line + n, sizeof line - n, "; found by %s", m->call);
    if (m->called_by && n < sizeof line) {
        name_code(code, sizeof code, m->called_by);
        snprintf(line + n, sizeof line - n, ", called from %s", code);
    }
    fprintf(stderr, "%s\n", line);
    abort();
}
