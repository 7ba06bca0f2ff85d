/* preload: gets a Python interpreter to run on heapwright, without a change to it.
 *
 * This object is named in LD_PRELOAD, so every program of the process tree loads it: it must be tiny, must cost
 * nothing, and may need no symbol but libc's. It stands in front of __libc_start_main and wraps main. In a Python
 * interpreter the wrapper loads the host library for that version and calls its entry in the place of main;
 * everywhere else main runs as ever.
 */
#define _GNU_SOURCE
#include "../claim.h"
#include "../host.h"
#include "../python_name.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int main_function(int argc, char **argv, char **environment);
typedef int start_function(main_function *main, int argc, char **argv, void (*init)(void), void (*fini)(void),
                           void (*rtld_fini)(void), void *stack_end);

static main_function *program_main;

/* The interpreter, as far as it can be told before it is initialised. */
struct python {
    char path[1024];
    char version[64];
    unsigned major, minor;
    bool free_threaded;
    bool shared_libpython;
};

/* Asks the running image, not argv[0]: a symbolic link may have any name, and a script may be run through one. */
static bool find_python(struct python *python) {
    ssize_t length = readlink("/proc/self/exe", python->path, sizeof python->path - 1);
    if (length < 0) return false;
    python->path[length] = '\0';
    if (!hwri_is_python_name(python->path)) return false;
    void *bytes_main = dlsym(RTLD_DEFAULT, "Py_BytesMain");
    const char *(*get_version)(void);
    *(void **)&get_version = dlsym(RTLD_DEFAULT, "Py_GetVersion");
    if (bytes_main == NULL || get_version == NULL) return false;

    const char *version = get_version();
    size_t number = strcspn(version, " ");
    snprintf(python->version, sizeof python->version, "%.*s", (int)number, version);
    python->free_threaded = strstr(version, "free-threading") != NULL;
    Dl_info where;
    python->shared_libpython = dladdr(bytes_main, &where) != 0 && strstr(where.dli_fname, "libpython") != NULL;
    return sscanf(version, "%u.%u", &python->major, &python->minor) == 2;
}

static void describe(const struct python *python, struct hwri_record *record) {
    record->shared_libpython = python->shared_libpython;
    record->free_threaded = python->free_threaded;
    memcpy(record->interpreter, python->path, sizeof record->interpreter);
    memcpy(record->python_version, python->version, sizeof record->python_version);
}

/* Loads the host library for this Python, which lies beside this object. Returns its entry, or NULL and in `reason`
 * why not. */
static hwri_host_main_function *load_host(const struct python *python, char *reason, size_t reason_size) {
    char path[4096];
    Dl_info self;
    if (dladdr(&program_main, &self) == 0) return NULL;
    const char *slash = strrchr(self.dli_fname, '/');
    int directory = slash != NULL ? (int)(slash + 1 - self.dli_fname) : 0;
    snprintf(path, sizeof path, "%.*slibheapwright-cpython-%u.%u.so", directory, self.dli_fname, python->major,
             python->minor);

    if (access(path, F_OK) != 0) {
        snprintf(reason, reason_size,
                 "heapwright has no library for Python %u.%u; install its headers (Debian: apt-get install "
                 "python%u.%u-dev), then run "
                 "'make' in heapwright's sources",
                 python->major, python->minor, python->major, python->minor);
        return NULL;
    }
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    hwri_host_main_function *entry = NULL;
    if (library != NULL) *(void **)&entry = dlsym(library, HWRI_HOST_MAIN);
    if (entry == NULL) snprintf(reason, reason_size, "%s", dlerror());
    return entry;
}

/* A reason that lies in the interpreter itself, if there is one. */
static const char *unsuitable(const struct python *python) {
    if (python->free_threaded) return "a free-threaded build cannot give its allocator away";
    if (python->major != 3 || python->minor < 10) return "heapwright needs Python 3.10 or later";
    return NULL;
}

/* Tells the user and the tool that this Python runs on its own allocator; with --strict it does not run at all. One
 * line for a whole tree of processes is enough. */
static void refuse(const struct python *python, const char *reason, struct hwri_record *record, bool strict) {
    if (record != NULL) {
        snprintf(record->reason, sizeof record->reason, "%s", reason);
        atomic_store(&record->state, HWRI_REFUSED);
    }
    if (strict || getenv(HWRI_SAID_VARIABLE) == NULL)
        fprintf(stderr, "heapwright: Python %s %s: %s\n", python->version,
                strict ? "cannot run on heapwright" : "keeps its own allocator", reason);
    if (strict) exit(2);
    setenv(HWRI_SAID_VARIABLE, "1", 1);
}

static int main_of_host(int argc, char **argv, char **environment) {
    struct python python;
    if (!find_python(&python)) return program_main(argc, argv, environment);

    bool strict = getenv(HWRI_STRICT_VARIABLE) != NULL;
    unsetenv(HWRI_STRICT_VARIABLE);
    struct hwri_record *record = hwri_claim_record();
    if (record != NULL) describe(&python, record);

    char reason[256] = "its host library cannot be loaded";
    const char *refusal = unsuitable(&python);
    if (refusal == NULL) {
        hwri_host_main_function *host_main = load_host(&python, reason, sizeof reason);
        struct hwri_host_run run = {.argc = argc, .argv = argv, .strict = strict, .record = record, .refusal = reason};
        if (host_main != NULL && host_main(&run)) return run.status;
        refusal = run.refusal;
    }
    refuse(&python, refusal, record, strict);
    return program_main(argc, argv, environment);
}

__attribute__((visibility("default"))) int __libc_start_main(main_function *main, int argc, char **argv,
                                                             void (*init)(void), void (*fini)(void),
                                                             void (*rtld_fini)(void), void *stack_end);

int __libc_start_main(main_function *main, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end) {
    start_function *next;
    *(void **)&next = dlsym(RTLD_NEXT, "__libc_start_main");
    program_main = main;
    return next(main_of_host, argc, argv, init, fini, rtld_fini, stack_end);
}
