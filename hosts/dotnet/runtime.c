/* The runtime that has loaded us. */
#define _GNU_SOURCE
#include "runtime.h"

#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

clr_ee *clr_runtime;
hwr_raw *clr_tables;

static void say(const char *format, va_list arguments) {
    char line[512] = "heapwright: ";
    size_t length = strlen(line);
    vsnprintf(line + length, sizeof line - length, format, arguments);
    clr_runtime->table->log_error_to_host(clr_runtime, line);
}

void clr_say(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

void clr_fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    abort();
}

/* ---- its version ---- */

/* The runtime's library has its version in its data, for the command `what`. */
static const char mark[] = "@(#)Version ";

typedef struct search {
    uintptr_t address;
    const char *found;
} search;

static bool has_address(const struct dl_phdr_info *module, uintptr_t address) {
    for (int i = 0; i < module->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &module->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && address - (module->dlpi_addr + part->p_vaddr) < part->p_memsz) return true;
    }
    return false;
}

static int search_module(struct dl_phdr_info *module, size_t size, void *context) {
    (void)size;
    search *s = context;
    if (!has_address(module, s->address)) return 0;
    for (int i = 0; i < module->dlpi_phnum && !s->found; i++) {
        const ElfW(Phdr) *part = &module->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & (PF_R | PF_X)) == PF_R)
            s->found = memmem((const char *)(module->dlpi_addr + part->p_vaddr), part->p_filesz, mark, sizeof mark - 1);
    }
    return 1;
}

bool clr_runtime_version(const void *address, unsigned *major, unsigned *minor) {
    search s = {.address = (uintptr_t)address};
    dl_iterate_phdr(search_module, &s);
    if (!s.found) return false;
    char *end;
    *major = (unsigned)strtoul(s.found + sizeof mark - 1, &end, 10);
    if (*end != '.') return false;
    *minor = (unsigned)strtoul(end + 1, NULL, 10);
    return true;
}
