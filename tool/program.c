/* program: finds out what the user wants to run, and whether it can run on heapwright.
 *
 * The answer is the file's own: how it is linked, what its first line says. Whatever cannot be known without running
 * it, such as the version of the interpreter behind a wrapper, is left to the preload object.
 */
#define _GNU_SOURCE
#include "tool.h"

#include "../hosts/python_name.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_file(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

char *find_executable(const char *name, int *status) {
    *status = STATUS_NOT_FOUND;
    if (strchr(name, '/') != NULL) {
        if (access(name, F_OK) == 0) *status = STATUS_NOT_EXECUTABLE;
        return is_file(name) && access(name, X_OK) == 0 ? text("%s", name) : NULL;
    }
    const char *path = getenv("PATH");
    if (path == NULL) path = "/usr/local/bin:/usr/bin:/bin";
    for (const char *folder = path;; folder++) {
        size_t length = strcspn(folder, ":");
        char *candidate = length > 0 ? text("%.*s/%s", (int)length, folder, name) : text("./%s", name);
        if (is_file(candidate)) {
            if (access(candidate, X_OK) == 0) return candidate;
            *status = STATUS_NOT_EXECUTABLE;
        }
        free(candidate);
        folder += length;
        if (*folder == '\0') return NULL;
    }
}

static bool ends_with(const char *string, const char *end) {
    size_t length = strlen(string), end_length = strlen(end);
    return length >= end_length && strcmp(string + length - end_length, end) == 0;
}

/* The beginning of a file; what is not there is zero. */
union file_head {
    char bytes[512];
    ElfW(Ehdr) elf;
};

static bool read_head(const char *path, union file_head *head) {
    memset(head, 0, sizeof *head);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    ssize_t length = read(file, head->bytes, sizeof head->bytes - 1);
    close(file);
    return length >= 0;
}

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
    return python ? NULL : "is not a Python interpreter";
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
    return "is not a Python program";
}

static int complain(const char *name, int status) {
    if (status == STATUS_NOT_EXECUTABLE)
        say("cannot execute '%s'", name);
    else
        say("cannot find '%s'", name);
    return status;
}

/* argv of the program: `first` (NULL at the end), then the user's words. */
static char **join(char *const *first, char *const *words) {
    size_t count = 0, before;
    while (first[count] != NULL) count++;
    before = count;
    for (size_t i = 0; words[i] != NULL; i++) count++;
    char **joined = allocate((count + 1) * sizeof *joined);
    memcpy(joined, first, before * sizeof *joined);
    memcpy(joined + before, words, (count - before) * sizeof *joined);
    return joined;
}

int find_program(struct program *program, const char *python, const char *module, char **words) {
    bool script = module == NULL && ends_with(words[0], ".py");
    if (script && access(words[0], F_OK) != 0) {
        say("cannot find '%s'", words[0]);
        return STATUS_MISUSE;
    }
    const char *name = module == NULL && !script ? words[0] : python != NULL ? python : "python3";
    int status;
    program->path = find_executable(name, &status);
    if (program->path == NULL) return complain(name, status);
    program->obstacle = obstacle_in(program->path);

    char *with_module[] = {(char *)name, "-m", (char *)module, NULL};
    char *with_script[] = {(char *)name, NULL};
    char *as_it_is[] = {NULL};
    program->arguments = join(module != NULL ? with_module : script ? with_script : as_it_is, words);
    return 0;
}
