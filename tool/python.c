/* python: finds out which Python program the user wants to run, and whether it can run on heapwright.
 *
 * The answer is the file's own: how it is linked, what its first line says. Whatever cannot be known without running
 * it, such as the version of the interpreter behind a wrapper, is left to the preload object.
 */
#define _GNU_SOURCE
#include "python.h"

#include "../hosts/python_name.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file without a PT_INTERP entry is started without the dynamic linker, so nothing can be preloaded into it. */
static bool is_wholly_static(const char *path, const ElfW(Ehdr) * elf) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    bool found = false;
    ElfW(Phdr) entry;
    for (unsigned i = 0; i < elf->e_phnum && !found; i++) {
        off_t at = (off_t)(elf->e_phoff + (size_t)i * elf->e_phentsize);
        found = pread(file, &entry, sizeof entry, at) == (ssize_t)sizeof entry && entry.p_type == PT_INTERP;
    }
    close(file);
    return !found;
}

static const char *obstacle_in_elf(const char *path, const ElfW(Ehdr) * elf) {
    union file_head self;
    if (read_head("/proc/self/exe", &self) &&
        (self.elf.e_ident[EI_CLASS] != elf->e_ident[EI_CLASS] || self.elf.e_machine != elf->e_machine))
        return "is made for another kind of processor than heapwright";
    if (is_wholly_static(path, elf)) return "is statically linked as a whole, so nothing can be loaded into it";
    char *real = realpath(path, NULL);
    bool python = hwri_is_python_name(real != NULL ? real : path);
    free(real);
    return python ? NULL : "is neither a Python interpreter nor a .NET program";
}

/* Whether a "#!" line names Python: "#!/usr/bin/python3 -I", "#!/usr/bin/env python3", "#!/usr/bin/env -S VAR=x
 * python3 -u". */
static bool is_python_line(char *line) {
    line[strcspn(line, "\n")] = '\0';
    char *rest = NULL;
    char *word = strtok_r(line + 2, " \t", &rest);
    if (word != NULL && strcmp(hwri_base_name(word), "env") == 0) do
            word = strtok_r(NULL, " \t", &rest);
        while (word != NULL && (*word == '-' || strchr(word, '=') != NULL));
    return word != NULL && hwri_is_python_name(word);
}

/* Wrappers that end in an interpreter are called as it is; version managers put such scripts on PATH. */
static const char *obstacle_in(const char *path) {
    struct stat status;
    if (stat(path, &status) == 0 && (status.st_mode & (S_ISUID | S_ISGID)) != 0)
        return "is set-uid or set-gid, and nothing can be loaded into such a program";
    union file_head head;
    if (!read_head(path, &head)) return hwri_is_python_name(path) ? NULL : "cannot be read, so nobody knows what it is";
    if (memcmp(head.bytes, ELFMAG, SELFMAG) == 0) return obstacle_in_elf(path, &head.elf);
    if (hwri_is_python_name(path) || (strncmp(head.bytes, "#!", 2) == 0 && is_python_line(head.bytes))) return NULL;
    return "is neither a Python nor a .NET program";
}

int find_python_program(struct program *program, const struct request *request) {
    const char *module = request->module;
    char **words = request->words;
    bool script = module == NULL && ends_with(words[0], ".py");
    if (script && access(words[0], F_OK) != 0) {
        say("cannot find '%s'", words[0]);
        return STATUS_MISUSE;
    }
    const char *name = module == NULL && !script ? words[0] : request->python != NULL ? request->python : "python3";
    int status;
    char *path = find_executable(name, &status);
    if (path == NULL) return complain(name, status);

    char *with_module[] = {(char *)name, "-m", (char *)module, NULL};
    char *with_script[] = {(char *)name, NULL};
    char *as_it_is[] = {NULL};
    *program = (struct program){
        .runtime = &python_runtime,
        .path = path,
        .arguments = join(module != NULL ? with_module
                          : script       ? with_script
                                         : as_it_is,
                          words),
        .obstacle = obstacle_in(path),
        .silence = "no Python interpreter came to run in it, or it ran with a cleaned environment",
    };
    return 0;
}

static bool prepare(const struct program *program, const struct request *request, const struct record_file *file) {
    (void)program;
    const char *preload = find_library(PRELOAD_LIBRARY);
    if (preload == NULL) return false;
    preload_into_children(preload);
    unsetenv(HWRI_SAID_VARIABLE);
    unsetenv(HWRI_STRICT_VARIABLE);
    if (request->strict) setenv(HWRI_STRICT_VARIABLE, "1", 1);
    if (request->gc != NULL) setenv(HWRI_GC_VARIABLE, request->gc, 1);
    hand_down(file);
    return true;
}

const struct runtime python_runtime = {
    .prepare = prepare,
    .print_runtime = print_python,
    .print_figures = print_python_figures,
    .add_json = add_python_figures,
};
