/* child: runs a program, either in the place of this process or as a child that we stand in for.
 *
 * Standing in for it means: a signal sent to us reaches it; when it stops we stop, so that a shell sees its job stop;
 * when it ends we end in the same way. What the terminal sends goes to both of us by itself, so an interrupt is the
 * child's alone to answer. While the child runs all signals that matter are blocked here and taken one by one, so
 * none is lost between two calls.
 */
#define _GNU_SOURCE
#include "tool.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const int passed_on[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGTSTP, SIGCONT};

void preload_into_children(const char *library) {
    const char *before = getenv("LD_PRELOAD");
    char *value = before != NULL && *before != '\0' ? text("%s:%s", library, before) : text("%s", library);
    setenv("LD_PRELOAD", value, 1);
    free(value);
}

void hand_down(const struct record_file *file) {
    unsetenv(HWRI_RECORD_VARIABLE);
    if (file != NULL) setenv(HWRI_RECORD_VARIABLE, file->path, 1);
}

int execute(const struct program *program) {
    execvp(program->path, program->arguments);
    int status = errno == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
    say("cannot run '%s': %s", program->path, strerror(errno));
    return status;
}

static void add_all(sigset_t *set, const int *signals, size_t count) {
    for (size_t i = 0; i < count; i++) sigaddset(set, signals[i]);
}

/* Looks after the child until it has ended. */
static int wait_for(pid_t child, const sigset_t *signals) {
    for (;;) {
        int status;
        pid_t changed = waitpid(child, &status, WNOHANG | WUNTRACED);
        if (changed == child && !WIFSTOPPED(status)) return status;
        if (changed == child) {
            kill(getpid(), SIGSTOP);
            continue;
        }
        int signal = sigwaitinfo(signals, NULL);
        if (signal > 0 && signal != SIGCHLD) kill(child, signal);
    }
}

bool supervise(const struct program *program, struct ending *ending) {
    sigset_t signals, before;
    sigemptyset(&signals);
    add_all(&signals, passed_on, sizeof passed_on / sizeof *passed_on);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, &before);
    struct sigaction ignore = {.sa_handler = SIG_IGN}, standard = {.sa_handler = SIG_DFL}, interrupt, quit, ended;
    sigaction(SIGINT, &ignore, &interrupt);
    sigaction(SIGQUIT, &ignore, &quit);
    sigaction(SIGCHLD, &standard, &ended);

    fflush(NULL);
    pid_t child = fork();
    if (child < 0) {
        say("cannot start '%s': %s", program->path, strerror(errno));
        return false;
    }
    if (child == 0) {
        sigaction(SIGINT, &interrupt, NULL);
        sigaction(SIGQUIT, &quit, NULL);
        sigaction(SIGCHLD, &ended, NULL);
        sigprocmask(SIG_SETMASK, &before, NULL);
        _exit(execute(program));
    }
    int status = wait_for(child, &signals);
    *ending = (struct ending){.status = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
                              .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0};
    return true;
}

/* By the same signal, if it was one, but with no second core file beside the child's. */
void end_like(struct ending ending) {
    if (ending.signal != 0) {
        struct sigaction standard = {.sa_handler = SIG_DFL};
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, ending.signal);
        prctl(PR_SET_DUMPABLE, 0);
        sigaction(ending.signal, &standard, NULL);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
        raise(ending.signal);
    }
    exit(ending.signal != 0 ? 128 + ending.signal : ending.status);
}
