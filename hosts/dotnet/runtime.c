/* The runtime that has loaded us. */
#define _GNU_SOURCE
#include "runtime.h"

#include <link.h>
#include <stdlib.h>
#include <string.h>

clr_ee *clr_runtime;
hwr_raw *clr_tables;

void clr_tell(const char *line) { clr_runtime->table->log_error_to_host(clr_runtime, line); }

void clr_tell_and_abort(const char *line) {
    clr_tell(line);
    abort();
}

/* ---- its version ---- */

/* The runtime's library has its version in its data, for the command `what`. */
static const char mark[] = "@(#)Version ";

typedef struct search {
    uintptr_t address;
    const char *found; /* what follows the mark: a number */
} search;

static const char *find_number(const char *from, const char *end) {
    const char *at = from;
    while ((at = memmem(at, (size_t)(end - at), mark, sizeof mark - 1)) != NULL) {
        at += sizeof mark - 1;
        if (at < end && *at >= '0' && *at <= '9') return at;
    }
    return NULL;
}

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
        const char *start = (const char *)(module->dlpi_addr + part->p_vaddr);
        if (part->p_type == PT_LOAD && (part->p_flags & (PF_R | PF_X)) == PF_R)
            s->found = find_number(start, start + part->p_filesz);
    }
    return 1;
}

bool clr_runtime_version(const void *address, unsigned *major, unsigned *minor) {
    search s = {.address = (uintptr_t)address};
    dl_iterate_phdr(search_module, &s);
    if (!s.found) return false;
    char *end;
    *major = (unsigned)strtoul(s.found, &end, 10);
    if (*end != '.') return false;
    *minor = (unsigned)strtoul(end + 1, NULL, 10);
    return true;
}
