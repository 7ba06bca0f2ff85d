/* library: finds our libraries from where the tool itself stands, so that a build tree, an installed tree
 * and one that was moved work alike. */
#define _GNU_SOURCE
#include "tool.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In the build tree the libraries lie below the tool; installed, beside its folder. */
static const char *const places[] = {
    "lib/heapwright",
    "../lib/heapwright",
    "../lib64/heapwright",
#if defined(__x86_64__)
    "../lib/x86_64-linux-gnu/heapwright",
#elif defined(__aarch64__)
    "../lib/aarch64-linux-gnu/heapwright",
#endif
};

static char *file_in(const char *folder, const char *file_name) {
    char *path = text("%s/%s", folder, file_name);
    char *resolved = realpath(path, NULL);
    free(path);
    return resolved;
}

char *look_for_library(const char *file_name) {
    const char *named = getenv("HEAPWRIGHT_LIBDIR");
    if (named != NULL) return file_in(named, file_name);

    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self);
    char *slash = length > 0 ? memrchr(self, '/', (size_t)length) : NULL;
    if (slash == NULL) return NULL;
    *slash = '\0';
    char *found = NULL;
    for (size_t i = 0; i < sizeof places / sizeof *places && found == NULL; i++) {
        char *folder = text("%s/%s", self, places[i]);
        found = file_in(folder, file_name);
        free(folder);
    }
    return found;
}

char *find_library(const char *file_name) {
    char *path = look_for_library(file_name);
    if (path == NULL) {
        say("cannot find %s: neither beside this program nor in its lib folder; HEAPWRIGHT_LIBDIR may name the folder",
            file_name);
        return NULL;
    }
    if (strpbrk(path, " :") != NULL) {
        say("cannot use %s: the system's LD_PRELOAD allows no spaces and no colons in a path; move heapwright to "
            "another folder",
            path);
        free(path);
        return NULL;
    }
    return path;
}
