/* Marking by several threads: the threads that help the one that collects (hwri_team), and what they share while they do (hwri_gray). Neither knows of heaps or objects. */
#ifndef HWRI_TRACING_TEAM_H
#define HWRI_TRACING_TEAM_H

#include "raw/thread.h"

#include <stddef.h>

enum { HWRI_TEAM_MOST = 16 }; /* threads, the one that collects among them */

/* Threads that wait until they are called to a piece of work, which the caller takes part in. A helper that wakes up when the work is nearly done is not waited for: it finds the call over. They are started by the first call;
 * if the system refuses one, there are fewer. All signals are blocked in them. */
typedef struct hwri_team {
    hwri_mutex lock;
    pthread_cond_t called, left;
    unsigned size;     /* threads, the caller among them, that a call is for; 1: nobody helps */
    unsigned started;  /* helpers that there are */
    unsigned expected; /* by the call under way, that have not come yet */
    unsigned inside;   /* that have come and not left */
    bool ends;
    void (*work)(void *context, unsigned number);
    void *context;
    pthread_t helpers[HWRI_TEAM_MOST - 1];
} hwri_team;

/* `size`: threads, at most HWRI_TEAM_MOST; 0 is 1. Nothing is started yet. */
void hwri_team_open(hwri_team *team, unsigned size);
/* Calls `work` in several threads at once: in this one with the number 0, in each helper with a number of its own below `size`. Returns when all of them have returned. One call at a time. */
void hwri_team_call(hwri_team *team, void (*work)(void *context, unsigned number), void *context);
void hwri_team_close(hwri_team *team); /* ends the helpers; of a team that is all zeros, nothing */

/* References that one marker has found and another may follow. A marker gives some when another has none; so nothing is given, and nothing locked, while all have enough. The work is over when all are
 * waiting and nothing is here. The idea of handing over parts of stacks through a shared place is that of Ossia and others' work packets (PLDI 2002), with the packets made only on demand. */
enum { HWRI_GRAY_ROOM = 512 };
typedef struct hwri_gray {
    hwri_mutex lock;
    pthread_cond_t more;
    unsigned markers; /* that have come */
    unsigned waiting; /* of these, for more; read without the lock as a hint */
    bool over;
    size_t count; /* read without the lock as a hint */
    void *items[HWRI_GRAY_ROOM];
} hwri_gray;

void hwri_gray_open(hwri_gray *gray); /* the first marker is who opens it, so that it is not over before */
void hwri_gray_close(hwri_gray *gray);
bool hwri_gray_join(hwri_gray *gray); /* another marker; false if it is too late */
/* Gives some of a stack, from its bottom, where what is left to do is likely to be most. Returns how many are left on the stack. */
size_t hwri_gray_give(hwri_gray *gray, void **stack, size_t count);
/* Waits for some, and puts them onto an empty stack, which has room for `room`. Returns how many; 0 if the work is over. */
size_t hwri_gray_take(hwri_gray *gray, void **stack, size_t room);

static inline bool hwri_gray_is_wanted(const hwri_gray *gray) {
    return __atomic_load_n(&gray->waiting, __ATOMIC_RELAXED) && !__atomic_load_n(&gray->count, __ATOMIC_RELAXED);
}

#endif
