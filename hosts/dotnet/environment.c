/* environment: keeps DOTNET_GCPath from the programs that a .NET program starts.
 *
 * The runtime copies the environment before it loads its collector, and starts programs with that copy, which nobody
 * outside can change. So the tool preloads this library, too: then the execve() that the runtime's libraries call is
 * ours, and passes on everything but the words that made this process run on heapwright. Without the tool (with
 * DOTNET_GCPath set by hand and nothing preloaded) the setting is inherited, as the runtime has it. In processes that
 * only inherit the preloading, such as a shell that starts the program, nothing is changed.
 */
#define _GNU_SOURCE
#include "environment.h"

#include "../record.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What is taken out: DOTNET_GCPath if it names this library, and this library's part of LD_PRELOAD. */
static struct {
    bool leaving;
    char path[4096];
    int (*execve)(const char *path, char *const *arguments, char *const *environment);
} own;

static const char gc_path[] = "DOTNET_GCPath=", record_path[] = HWRI_RECORD_VARIABLE "=", preload[] = "LD_PRELOAD=";

static bool begins_with(const char *string, const char *start) { return strncmp(string, start, strlen(start)) == 0; }

static bool is_own_word(const char *word) {
    if (begins_with(word, gc_path)) return strcmp(word + strlen(gc_path), own.path) == 0;
    return begins_with(word, record_path);
}

/* The rest of an LD_PRELOAD that begins with this library, where the tool puts it; NULL if it does not. */
static const char *rest_of_preload(const char *value) {
    if (!begins_with(value, own.path)) return NULL;
    const char *rest = value + strlen(own.path);
    return *rest == ':' ? rest + 1 : *rest == '\0' ? rest : NULL;
}

void clr_environment_leave(void) {
    Dl_info self;
    if (dladdr(gc_path, &self) == 0 || strlen(self.dli_fname) >= sizeof own.path) return;
    memcpy(own.path, self.dli_fname, strlen(self.dli_fname) + 1);
    own.leaving = true;
    const char *path = getenv("DOTNET_GCPath"), *preloaded = getenv("LD_PRELOAD");
    if (path != NULL && strcmp(path, own.path) == 0) unsetenv("DOTNET_GCPath");
    unsetenv(HWRI_RECORD_VARIABLE);
    const char *rest = preloaded != NULL ? rest_of_preload(preloaded) : NULL;
    if (rest != NULL && *rest != '\0')
        setenv("LD_PRELOAD", rest, 1);
    else if (rest != NULL)
        unsetenv("LD_PRELOAD");
}

/* Found when the library is loaded, because a child of vfork calls execve() and may hardly do anything else there. */
__attribute__((constructor)) static void find_execve(void) { *(void **)&own.execve = dlsym(RTLD_NEXT, "execve"); }

__attribute__((visibility("default"))) int execve(const char *path, char *const *arguments, char *const *environment) {
    if (!own.leaving || environment == NULL) return own.execve(path, arguments, environment);
    size_t count = 0;
    while (environment[count] != NULL) count++;
    /* On the stack: a child of vfork shares its parent's memory. */
    char *others[count + 1];
    char shorter[sizeof preload + sizeof own.path];
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        char *word = environment[i];
        const char *rest = begins_with(word, preload) ? rest_of_preload(word + strlen(preload)) : NULL;
        if (is_own_word(word) || (rest != NULL && *rest == '\0')) continue;
        if (rest != NULL && strlen(rest) < sizeof own.path) {
            stpcpy(stpcpy(shorter, preload), rest);
            word = shorter;
        }
        others[kept++] = word;
    }
    others[kept] = NULL;
    return own.execve(path, arguments, others);
}
