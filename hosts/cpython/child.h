/* child.h: the process in which a snapshot of the heap is searched. */
#ifndef HWRI_CPYTHON_CHILD_H
#define HWRI_CPYTHON_CHILD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { HWRI_HELD_GUESSED = 256 };

enum hwri_search { HWRI_SEARCHING, HWRI_FOUND, HWRI_NO_MEMORY };

/* In a word of findings, beside an address: the block begins 16 bytes before the object's head; the last of a component. */
enum { HWRI_WORD_AHEAD = 1, HWRI_WORD_LAST = 2, HWRI_WORD_FLAGS = 15 };

/* What the child has found, in memory that it shares with the program. The candidates, component by component, fill `words` from the
 * start; tuples and dicts that need no tracking from the end. Nothing but `state`, `abandoned` and, before the child starts, `held` is looked at by both
 * at once: the rest is the program's once `state` says that the search has ended. */
struct hwri_findings {
    atomic_uint state;     /* enum hwri_search */
    atomic_bool abandoned; /* the child is to end */
    uint64_t cpu, wall;    /* nanoseconds of the search */
    size_t members, foreign, candidates, components, largest, untracked;
    void *held[HWRI_HELD_GUESSED]; /* objects found held, for the next guess */
    size_t room;
    uintptr_t words[];
};

/* A child: a copy of the process, made by clone without any of the things that a program can notice of a fork: no exit signal, no
 * handlers run, and one table of open files for both, so that what the program closes is closed. It runs on a stack of its own with all signals
 * blocked, leaves no core file, and ends when its parent has ended or it is told to. */
typedef struct hwri_child {
    pid_t pid; /* 0: none that is not waited for */
    struct hwri_findings *findings;
    size_t size;  /* of the mapping of `findings` */
    uint64_t cpu; /* nanoseconds it used, when it has been waited for */
} hwri_child;

/* Maps findings with room for so many words. Returns false without memory. */
bool hwri_child_prepare(hwri_child *child, size_t words);

/* Starts it. Returns 0 or the reason, an errno. */
int hwri_child_start(hwri_child *child, void (*work)(void *context), void *context);

/* Whether it runs no more. It is waited for if it is still this process's. */
bool hwri_child_has_ended(hwri_child *child);

/* Ends it, without waiting, or waits until it is gone. */
void hwri_child_stop(hwri_child *child);
void hwri_child_await_end(hwri_child *child);

void hwri_child_unmap(hwri_child *child);

/* In the child: to be called now and then. Does not return if the work is in vain. */
void hwri_child_check(const struct hwri_findings *findings);
_Noreturn void hwri_child_end(int status);

#endif
