/* doctor: `heapwright doctor`. Says which interpreters of this machine run on heapwright, by trying each of them: an
 * interpreter that has filled in a record can do it. */
#define _GNU_SOURCE
#include "tool.h"

#include <heapwright.h>

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <getopt.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "Usage: heapwright doctor [--json]\n"
    "\n"
    "Says which Python interpreters and other runtimes there are on this machine, which of them can\n"
    "run on heapwright, and what is missing. Ends with status 0 if python3 can, with 1 if not.\n";

/* An interpreter that was tried. `python` is what it said of itself; nothing, if it never came to that. */
struct interpreter {
    struct hwri_record python;
    bool serves; /* it ran on heapwright */
};

struct findings {
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
        preload_into_children(preload, false, file);
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
static const struct interpreter *add(struct findings *findings, const char *path) {
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

static void find_interpreters(struct findings *findings) {
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
}

static const char *const other_runtimes[] = {"dotnet", "micropython"};
enum { OTHER_RUNTIMES = sizeof other_runtimes / sizeof *other_runtimes };

static const char *reason(const struct interpreter *interpreter) {
    return interpreter->python.reason[0] != '\0' ? interpreter->python.reason : "it did not come to its end";
}

static void print_findings(const struct findings *findings) {
    printf("heapwright %s, libraries in %.*s\n\nPython interpreters\n", hwr_version(),
           (int)(strrchr(findings->preload, '/') - findings->preload), findings->preload);
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
    puts("\nOther runtimes");
    for (int i = 0; i < OTHER_RUNTIMES; i++) {
        int status;
        char *path = find_executable(other_runtimes[i], &status);
        printf("  %-12s %s; not supported yet\n", other_runtimes[i], path != NULL ? path : "not found");
        free(path);
    }
    if (findings->standard == NULL)
        puts("\nNo python3 was found on PATH: there is nothing to run.");
    else
        printf("\npython3 %s heapwright.\n", findings->standard->serves ? "runs on" : "does not run on");
}

static void print_findings_json(const struct findings *findings) {
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "heapwright", hwr_version());
    cJSON_AddStringToObject(root, "preload", findings->preload);
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
    cJSON *runtimes = cJSON_AddObjectToObject(root, "runtimes");
    for (int i = 0; i < OTHER_RUNTIMES; i++) {
        int status;
        char *path = find_executable(other_runtimes[i], &status);
        cJSON *entry = cJSON_AddObjectToObject(runtimes, other_runtimes[i]);
        cJSON_AddBoolToObject(entry, "found", path != NULL);
        if (path != NULL) cJSON_AddStringToObject(entry, "executable", path);
        cJSON_AddBoolToObject(entry, "supported", false);
        free(path);
    }
    char *printed = cJSON_Print(root);
    puts(printed != NULL ? printed : "null");
    cJSON_free(printed);
    cJSON_Delete(root);
}

int command_doctor(int argc, char **argv) {
    static const struct option long_options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    bool json = false;
    for (int option; (option = getopt_long(argc, argv, "h", long_options, NULL)) != -1;) {
        if (option == 'j') {
            json = true;
            continue;
        }
        if (option == 'h') fputs(help, stdout);
        return option == 'h' ? 0 : STATUS_MISUSE;
    }
    struct findings findings = {.preload = find_preload()};
    if (findings.preload == NULL) return 1;
    find_interpreters(&findings);
    (json ? print_findings_json : print_findings)(&findings);
    return findings.standard != NULL && findings.standard->serves ? 0 : 1;
}
