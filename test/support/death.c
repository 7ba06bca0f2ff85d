#define _GNU_SOURCE
#include "support/death.h"
#include "support/check.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef HEAPWRIGHT_COVERAGE
void __gcov_dump(void);
static void write_coverage(void) { __gcov_dump(); }
#else
static void write_coverage(void) {}
#endif

_Noreturn void death_exit(int status) {
    write_coverage();
    _exit(status);
}

/* The handler of SIGABRT, when abort() calls it; when it returns, abort() ends the process by the signal all the same. */
static void abort_in_child(int signal) {
    (void)signal;
    write_coverage();
}

static _Noreturn void die_in_child(int error_pipe, void (*body)(void *), void *argument) {
    static const int signals[] = {SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGALRM};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) signal(signals[i], SIG_DFL);
    signal(SIGABRT, abort_in_child);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    prctl(PR_SET_DUMPABLE, 0);
    dup2(error_pipe, STDERR_FILENO);
    alarm(60);
    body(argument);
    death_exit(0);
}

static void read_message(death *result, int pipe) {
    size_t length = 0;
    char overflow[256];
    for (;;) {
        size_t room = sizeof result->message - 1 - length;
        ssize_t got = room > 0 ? read(pipe, result->message + length, room) : read(pipe, overflow, sizeof overflow);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        if (room > 0) length += (size_t)got;
    }
    result->message[length] = '\0';
}

void death_run(death *result, void (*body)(void *), void *argument) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        close(ends[0]);
        die_in_child(ends[1], body, argument);
    }
    close(ends[1]);
    read_message(result, ends[0]);
    close(ends[0]);
    while (waitpid(child, &result->status, 0) < 0) CHECK(errno == EINTR);
}

void *death_share(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    return memory;
}

bool death_by_abort(const death *result) { return WIFSIGNALED(result->status) && WTERMSIG(result->status) == SIGABRT; }

bool death_avoided(const death *result) { return WIFEXITED(result->status) && WEXITSTATUS(result->status) == 0; }
