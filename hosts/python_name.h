/* python_name.h: which files are taken for Python interpreters, by the tool before it starts one and by the preload
 * object inside it. */
#ifndef HWRI_PYTHON_NAME_H
#define HWRI_PYTHON_NAME_H

#include <stdbool.h>
#include <string.h>

/* The part of a path after its last slash. */
static inline const char *hwri_base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* python, python3, python3.12, python3.11-dbg ... */
static inline bool hwri_is_python_name(const char *path) {
    const char *name = hwri_base_name(path);
    return strcmp(name, "python") == 0 || strncmp(name, "python3", 7) == 0;
}

#endif
