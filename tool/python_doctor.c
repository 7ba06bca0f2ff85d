/* python_doctor: which Python interpreters of this machine run on heapwright, by trying each of them: an interpreter that has
 * filled in a record can do it. */
#define _GNU_SOURCE
#include "tool.h"

#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* An interpreter that was tried. `python` is what it said of itself; nothing, if it never came to that. */
struct interpreter {
    struct hwri_record python;
    bool serves; /* it ran on heapwright */
};

struct python_findings {
    const char *preload;
    struct interpreter *interpreters;
    size_t count;
    const struct interpreter *standard; /* what python3 is, NULL if there is none or it does not work */
};

static void run_quietly(const char *path, const char *preload, const struct record_file *file) {
    pid_t child = fork();
    if (child < 0) return;
    if (child == 0) {
        int nowhere = open("/dev/null", O_RDWR);
        for (int i = 0; i < 3; i++) dup2(nowhere, i);
        /* What is asked is what the machine can do, not what this shell's variables make of it. */
        unsetenv("PYTHONMALLOC");
        unsetenv("PYTHONDEVMODE");
        unsetenv(HWRI_SAID_VARIABLE);
        unsetenv(HWRI_STRICT_VARIABLE);
        preload_into_children(preload);
        hand_down(file);
        char *arguments[] = {(char *)path, "-I", "-S", "-c", "pass", NULL};
        execv(path, arguments);
        _exit(STATUS_NOT_FOUND);
    }
    waitpid(child, NULL, 0);
}

/* Runs the interpreter at `path`; true if it was one. */
static bool try_interpreter(const char *path, const char *preload, struct interpreter *interpreter) {
    struct record_file file;
    if (!record_open(&file)) return false;
    run_quietly(path, preload, &file);
    interpreter->python = *file.record;
    record_close(&file);
    interpreter->serves = atomic_load(&interpreter->python.state) == HWRI_ENDED;
    return interpreter->python.interpreter[0] != '\0';
}

/* Wrappers and links lead to the same interpreter, which is listed once. */
static const struct interpreter *add(struct python_findings *findings, const char *path) {
    struct interpreter *next = &findings->interpreters[findings->count];
    if (!try_interpreter(path, findings->preload, next)) return NULL;
    for (size_t i = 0; i < findings->count; i++)
        if (strcmp(findings->interpreters[i].python.interpreter, next->python.interpreter) == 0)
            return &findings->interpreters[i];
    findings->count++;
    return next;
}

static void add_pattern(glob_t *found, const char *folder, const char *pattern) {
    char *path = text("%s/%s", folder, pattern);
    glob(path, GLOB_APPEND, NULL, found);
    free(path);
}

struct python_findings *find_pythons(const char *preload) {
    struct python_findings *findings = allocate(sizeof *findings);
    findings->preload = preload;
    glob_t found = {0};
    glob("/nonexistent", GLOB_NOCHECK, NULL, &found);
    char *path = text("%s", getenv("PATH") != NULL ? getenv("PATH") : "/usr/bin");
    char *rest = NULL;
    for (char *folder = strtok_r(path, ":", &rest); folder != NULL; folder = strtok_r(NULL, ":", &rest)) {
        add_pattern(&found, folder, "python3");
        add_pattern(&found, folder, "python3.[0-9]");
        add_pattern(&found, folder, "python3.[0-9][0-9]");
    }
    free(path);
    const char *root = getenv("PYENV_ROOT"), *home = getenv("HOME");
    char *versions = root != NULL ? text("%s/versions", root) : text("%s/.pyenv/versions", home != NULL ? home : "");
    add_pattern(&found, versions, "*/bin/python3");
    free(versions);

    int status;
    char *standard = find_executable("python3", &status);
    findings->interpreters = allocate((found.gl_pathc + 1) * sizeof *findings->interpreters);
    if (standard != NULL) findings->standard = add(findings, standard);
    for (size_t i = 1; i < found.gl_pathc; i++) add(findings, found.gl_pathv[i]);
    free(standard);
    globfree(&found);
    return findings;
}

static const char *reason(const struct interpreter *interpreter) {
    return interpreter->python.reason[0] != '\0' ? interpreter->python.reason : "it did not come to its end";
}

void print_pythons(const struct python_findings *findings) {
    puts("Python interpreters");
    if (findings->count == 0) puts("  none found (Debian and Ubuntu have one in the package python3)");
    for (size_t i = 0; i < findings->count; i++) {
        const struct interpreter *interpreter = &findings->interpreters[i];
        printf("  %-4s %-9s %-15s %s%s\n", interpreter->serves ? "yes" : "no", interpreter->python.python_version,
               interpreter->python.free_threaded      ? "free-threaded"
               : interpreter->python.shared_libpython ? "shared library"
                                                      : "static",
               interpreter->python.interpreter, interpreter == findings->standard ? "  (python3)" : "");
        if (!interpreter->serves) printf("       %s\n", reason(interpreter));
    }
}

void print_python_verdict(const struct python_findings *findings) {
    if (findings->standard == NULL)
        puts("No python3 was found on PATH: there is nothing to run.");
    else
        printf("python3 %s heapwright.\n", findings->standard->serves ? "runs on" : "does not run on");
}

void add_pythons(cJSON *root, const struct python_findings *findings) {
    cJSON *interpreters = cJSON_AddArrayToObject(root, "interpreters");
    for (size_t i = 0; i < findings->count; i++) {
        const struct interpreter *interpreter = &findings->interpreters[i];
        cJSON *entry = cJSON_CreateObject();
        cJSON_AddStringToObject(entry, "executable", interpreter->python.interpreter);
        cJSON_AddStringToObject(entry, "version", interpreter->python.python_version);
        cJSON_AddBoolToObject(entry, "default", interpreter == findings->standard);
        cJSON_AddBoolToObject(entry, "shared_library", interpreter->python.shared_libpython != 0);
        cJSON_AddBoolToObject(entry, "free_threaded", interpreter->python.free_threaded != 0);
        cJSON_AddBoolToObject(entry, "on_heapwright", interpreter->serves);
        if (!interpreter->serves) cJSON_AddStringToObject(entry, "reason", reason(interpreter));
        cJSON_AddItemToArray(interpreters, entry);
    }
}

bool python_serves(const struct python_findings *findings) {
    return findings->standard != NULL && findings->standard->serves;
}
