/* environment: keeps DOTNET_GCPath from the programs that a .NET program starts.
 *
 * The runtime copies the environment before it loads its collector, and starts programs with that copy, which nobody
 * outside can change. So the tool preloads this library, too: then the functions of the C library that start a program
 * with an environment of the caller's are ours, and pass on everything but the words that made this process run on
 * heapwright. Without the tool (with DOTNET_GCPath set by hand and nothing preloaded) the setting is inherited, as the
 * runtime has it; and so it is by who looks these functions up in the C library itself. In processes that only inherit
 * the preloading, such as a shell that starts the program, nothing is changed.
 */
#define _GNU_SOURCE
#include "environment.h"

#include "../record.h"

#include <dlfcn.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A function that starts a program in the place of this one, and one that starts it as a child. */
typedef int replace(const char *path, char *const *arguments, char *const *environment);
typedef int spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                  const posix_spawnattr_t *attributes, char *const *arguments, char *const *environment);

/* What is taken out: DOTNET_GCPath if it names this library, and this library's part of LD_PRELOAD. And what is put back:
 * DOTNET_gcServer as it was before the tool changed it, as a word of the environment; empty if it was not there. */
static struct {
    bool leaving, server_changed;
    char path[4096], server[64];
    replace *execve, *execvpe;
    spawn *posix_spawn, *posix_spawnp;
} own;

static const char gc_path[] = "DOTNET_GCPath=", record_path[] = HWRI_RECORD_VARIABLE "=",
                  preload[] = "LD_PRELOAD=", server[] = "DOTNET_gcServer=", server_before[] = HWRI_SERVER_VARIABLE "=";

static bool begins_with(const char *string, const char *start) { return strncmp(string, start, strlen(start)) == 0; }

/* The rest of an LD_PRELOAD that begins with this library, where the tool puts it; NULL if it does not. */
static const char *rest_of_preload(const char *value) {
    if (!begins_with(value, own.path)) return NULL;
    const char *rest = value + strlen(own.path);
    return *rest == ':' ? rest + 1 : *rest == '\0' ? rest : NULL;
}

/* ---- of this process ---- */

static void leave_server(void) {
    const char *before = getenv(HWRI_SERVER_VARIABLE);
    if (before == NULL) return;
    own.server_changed = true;
    if (*before != '\0') {
        snprintf(own.server, sizeof own.server, "%s%s", server, before);
        setenv("DOTNET_gcServer", before, 1);
    } else {
        unsetenv("DOTNET_gcServer");
    }
    unsetenv(HWRI_SERVER_VARIABLE);
}

void clr_environment_leave(void) {
    Dl_info self;
    if (dladdr(gc_path, &self) == 0 || strlen(self.dli_fname) >= sizeof own.path) return;
    memcpy(own.path, self.dli_fname, strlen(self.dli_fname) + 1);
    own.leaving = true;
    const char *path = getenv("DOTNET_GCPath"), *preloaded = getenv("LD_PRELOAD");
    if (path != NULL && strcmp(path, own.path) == 0) unsetenv("DOTNET_GCPath");
    unsetenv(HWRI_RECORD_VARIABLE);
    leave_server();
    const char *rest = preloaded != NULL ? rest_of_preload(preloaded) : NULL;
    if (rest != NULL && *rest != '\0')
        setenv("LD_PRELOAD", rest, 1);
    else if (rest != NULL)
        unsetenv("LD_PRELOAD");
}

/* ---- of programs that it starts ---- */

/* The word that stands for another; NULL: none does. `shorter` has room for an LD_PRELOAD. */
static char *word_for(char *word, char *shorter) {
    if (begins_with(word, record_path) || begins_with(word, server_before)) return NULL;
    if (begins_with(word, gc_path)) return strcmp(word + strlen(gc_path), own.path) == 0 ? NULL : word;
    if (own.server_changed && begins_with(word, server)) return own.server[0] != '\0' ? own.server : NULL;
    const char *rest = begins_with(word, preload) ? rest_of_preload(word + strlen(preload)) : NULL;
    if (rest == NULL || strlen(rest) >= sizeof own.path) return word;
    if (*rest == '\0') return NULL;
    stpcpy(stpcpy(shorter, preload), rest);
    return shorter;
}

static size_t words_in(char *const *environment) {
    size_t count = 0;
    while (environment[count] != NULL) count++;
    return count;
}

static void leave_out(char *const *environment, char **others, char *shorter) {
    for (; *environment != NULL; environment++)
        if ((*others = word_for(*environment, shorter)) != NULL) others++;
    *others = NULL;
}

/* Found when the library is loaded, because a child of vfork calls one of them and may hardly do anything else there. */
__attribute__((constructor)) static void find_functions(void) {
    *(void **)&own.execve = dlsym(RTLD_NEXT, "execve");
    *(void **)&own.execvpe = dlsym(RTLD_NEXT, "execvpe");
    *(void **)&own.posix_spawn = dlsym(RTLD_NEXT, "posix_spawn");
    *(void **)&own.posix_spawnp = dlsym(RTLD_NEXT, "posix_spawnp");
}

/* What is left is on the stack: a child of vfork shares its parent's memory. */
static int replace_with(replace *function, const char *path, char *const *arguments, char *const *environment) {
    if (!own.leaving || environment == NULL) return function(path, arguments, environment);
    char *others[words_in(environment) + 1], shorter[sizeof preload + sizeof own.path];
    leave_out(environment, others, shorter);
    return function(path, arguments, others);
}

static int spawn_with(spawn *function, pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                      const posix_spawnattr_t *attributes, char *const *arguments, char *const *environment) {
    if (!own.leaving || environment == NULL) return function(pid, path, actions, attributes, arguments, environment);
    char *others[words_in(environment) + 1], shorter[sizeof preload + sizeof own.path];
    leave_out(environment, others, shorter);
    return function(pid, path, actions, attributes, arguments, others);
}

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int execve(const char *path, char *const *arguments, char *const *environment) {
    return replace_with(own.execve, path, arguments, environment);
}

EXPORTED int execvpe(const char *file, char *const *arguments, char *const *environment) {
    return replace_with(own.execvpe, file, arguments, environment);
}

EXPORTED int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                         const posix_spawnattr_t *attrp, char *const *argv, char *const *envp) {
    return spawn_with(own.posix_spawn, pid, path, actions, attrp, argv, envp);
}

EXPORTED int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                          const posix_spawnattr_t *attrp, char *const *argv, char *const *envp) {
    return spawn_with(own.posix_spawnp, pid, file, actions, attrp, argv, envp);
}
