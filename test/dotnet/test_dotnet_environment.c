/* What programs inherit that a .NET program starts: this test is the library that the tool has preloaded, and the program. */
#define _GNU_SOURCE
#include "environment.h"

#include "support/check.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

extern char **environ;

static char gc_path[5000], preload[5000], own[4096];

static char *environment[] = {"FIRST=1",           gc_path, "HEAPWRIGHT_RECORD=/record", "HEAPWRIGHT_SERVER=",
                              "DOTNET_gcServer=0", preload, "DOTNET_GCgen0size=1000",    NULL};

/* ---- ways to start `env`, which prints its environment ---- */

enum way { EXECVE, EXECVPE, SPAWN, SPAWNP, WAYS };

static char *const words_of_env[] = {"env", NULL};

static pid_t start(enum way way, int output) {
    posix_spawn_file_actions_t actions;
    pid_t child = -1;
    if (way == SPAWN || way == SPAWNP) {
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        posix_spawn_file_actions_addclose(&actions, STDERR_FILENO); /* the loader says what it cannot preload */
        int error = way == SPAWN ? posix_spawn(&child, "/usr/bin/env", &actions, NULL, words_of_env, environment)
                                 : posix_spawnp(&child, "env", &actions, NULL, words_of_env, environment);
        posix_spawn_file_actions_destroy(&actions);
        assert_int_equal(error, 0);
        return child;
    }
    child = fork();
    if (child == 0) {
        dup2(output, STDOUT_FILENO);
        close(STDERR_FILENO);
        if (way == EXECVE) execve("/usr/bin/env", words_of_env, environment);
        if (way == EXECVPE) execvpe("env", words_of_env, environment);
        _exit(99);
    }
    assert_true(child > 0);
    return child;
}

static void check_inherited(enum way way, const char *expected) {
    char seen[20000];
    size_t length = 0;
    int ends[2], status;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = start(way, ends[1]);
    close(ends[1]);
    for (ssize_t got; (got = read(ends[0], seen + length, sizeof seen - 1 - length)) > 0;) length += (size_t)got;
    close(ends[0]);
    seen[length] = '\0';
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_string_equal(seen, expected);
}

/* ---- tests ---- */

static void all_of_it_before_the_runtime_came(void **state) {
    (void)state;
    char expected[20000];
    snprintf(expected, sizeof expected,
             "FIRST=1\n%s\nHEAPWRIGHT_RECORD=/record\nHEAPWRIGHT_SERVER=\nDOTNET_gcServer=0\n%s\n"
             "DOTNET_GCgen0size=1000\n",
             gc_path, preload);
    for (enum way way = 0; way < WAYS; way++) check_inherited(way, expected);
}

static void nothing_of_the_tool_afterwards(void **state) {
    (void)state;
    setenv("DOTNET_GCPath", own, 1);
    setenv("LD_PRELOAD", own, 1);
    setenv("HEAPWRIGHT_SERVER", "", 1);
    setenv("DOTNET_gcServer", "0", 1);
    clr_environment_leave();
    static const char *const names[] = {"DOTNET_GCPath", "LD_PRELOAD", "HEAPWRIGHT_SERVER", "DOTNET_gcServer"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) assert_null(getenv(names[i]));
    for (enum way way = 0; way < WAYS; way++)
        check_inherited(way, "FIRST=1\nLD_PRELOAD=/other.so\nDOTNET_GCgen0size=1000\n");
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", own);
    for (enum way way = 0; way < WAYS; way++) check_inherited(way, "FIRST=1\nDOTNET_GCgen0size=1000\n");
}

static void what_the_user_has_set_stays(void **state) {
    (void)state;
    snprintf(gc_path, sizeof gc_path, "DOTNET_GCPath=/another.so");
    snprintf(preload, sizeof preload, "LD_PRELOAD=/other.so:%s", own);
    setenv("HEAPWRIGHT_SERVER", "1", 1);
    clr_environment_leave();
    assert_string_equal(getenv("DOTNET_gcServer"), "1");
    char expected[20000];
    snprintf(expected, sizeof expected, "FIRST=1\n%s\nDOTNET_gcServer=1\n%s\nDOTNET_GCgen0size=1000\n", gc_path,
             preload);
    for (enum way way = 0; way < WAYS; way++) check_inherited(way, expected);
}

int main(void) {
    Dl_info self;
    CHECK(dladdr(words_of_env, &self) && strlen(self.dli_fname) < sizeof own);
    strcpy(own, self.dli_fname);
    snprintf(gc_path, sizeof gc_path, "DOTNET_GCPath=%s", own);
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s:/other.so", own);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it_before_the_runtime_came),
        cmocka_unit_test(nothing_of_the_tool_afterwards),
        cmocka_unit_test(what_the_user_has_set_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
