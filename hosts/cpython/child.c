/* child: a process that the program does not notice. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "child.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STACK_SIZE = 1 << 20, SIGNAL_SET_SIZE = 8 };
static const unsigned clone_flag = __WCLONE;

static void *map(size_t size, int sharing) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

bool hwri_child_prepare(hwri_child *child, size_t words) {
    child->size = sizeof *child->findings + words * sizeof(uintptr_t);
    child->findings = map(child->size, MAP_SHARED);
    if (child->findings == NULL) return false;
    child->findings->room = words;
    return true;
}

void hwri_child_unmap(hwri_child *child) {
    if (child->findings != NULL) munmap(child->findings, child->size);
    child->findings = NULL;
}

/* ---- in the child ---- */

/* A parent that has ended is not the parent any more. The id is known from before the child was made. */
static pid_t parent;

struct start {
    void (*work)(void *context);
    void *context;
};

_Noreturn void hwri_child_end(int status) {
    for (;;) syscall(SYS_exit_group, status);
}

void hwri_child_check(const struct hwri_findings *findings) {
    if (atomic_load_explicit(&findings->abandoned, memory_order_relaxed) || syscall(SYS_getppid) != parent)
        hwri_child_end(1);
}

static int begin(void *start) {
    prctl(PR_SET_DUMPABLE, 0);
    ((struct start *)start)->work(((struct start *)start)->context);
    hwri_child_end(0);
}

/* ---- in the program ---- */

/* The system call itself, since the C library leaves out the signals that it uses. */
static void set_mask(const void *set, void *old) {
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, set, old, SIGNAL_SET_SIZE);
}

int hwri_child_start(hwri_child *child, void (*work)(void *context), void *context) {
    char *stack = map(STACK_SIZE, MAP_PRIVATE | MAP_STACK);
    if (stack == NULL) return errno;
    struct start start = {work, context};
    uint64_t all = UINT64_MAX, old;
    parent = (pid_t)syscall(SYS_getpid);
    set_mask(&all, &old);
    int pid = clone(begin, stack + STACK_SIZE, CLONE_FILES, &start);
    int reason = errno;
    set_mask(&old, NULL);
    munmap(stack, STACK_SIZE);
    if (pid < 0) return reason;
    child->pid = pid;
    return 0;
}

static uint64_t nanoseconds(struct timeval time) {
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_usec * 1000u;
}

/* Somebody else may have waited for it, by __WALL: then it is nobody's, and its id may be another process's by now. */
static bool wait_for(hwri_child *child, int flags) {
    struct rusage usage;
    pid_t result;
    if (child->pid == 0) return true;
    do result = wait4(child->pid, NULL, (int)clone_flag | flags, &usage);
    while (result < 0 && errno == EINTR);
    if (result == 0) return false;
    if (result > 0) child->cpu = nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
    child->pid = 0;
    return true;
}

bool hwri_child_has_ended(hwri_child *child) { return wait_for(child, WNOHANG); }

void hwri_child_stop(hwri_child *child) {
    if (child->findings != NULL) atomic_store(&child->findings->abandoned, true);
    if (!hwri_child_has_ended(child)) kill(child->pid, SIGKILL);
}

void hwri_child_await_end(hwri_child *child) { wait_for(child, 0); }
