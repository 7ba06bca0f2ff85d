/* Threads that mark together: calling them, and sharing what is to be done. */
#include "tracing/team.h"

#include <signal.h>
#include <string.h>

/* ---- the team ---- */

/* With the lock. */
static void take_part(hwri_team *team) {
    unsigned number = team->started - --team->expected;
    team->inside++;
    hwri_mutex_unlock(&team->lock);
    team->work(team->context, number);
    hwri_mutex_lock(&team->lock);
    if (--team->inside == 0) pthread_cond_signal(&team->left);
}

static void *help(void *argument) {
    hwri_team *team = argument;
    hwri_mutex_lock(&team->lock);
    while (!team->ends) {
        if (team->expected)
            take_part(team);
        else
            pthread_cond_wait(&team->called, &team->lock);
    }
    hwri_mutex_unlock(&team->lock);
    return NULL;
}

static void start_helpers(hwri_team *team) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (team->started + 1 < team->size) {
        if (pthread_create(&team->helpers[team->started], NULL, help, team) == 0)
            team->started++;
        else
            team->size = team->started + 1;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void hwri_team_open(hwri_team *team, unsigned size) {
    if (size > HWRI_TEAM_MOST) size = HWRI_TEAM_MOST;
    *team = (hwri_team){.size = size ? size : 1};
    hwri_mutex_init(&team->lock);
    pthread_cond_init(&team->called, NULL);
    pthread_cond_init(&team->left, NULL);
}

void hwri_team_call(hwri_team *team, void (*work)(void *context, unsigned number), void *context) {
    hwri_mutex_lock(&team->lock);
    start_helpers(team);
    team->work = work;
    team->context = context;
    team->expected = team->started;
    pthread_cond_broadcast(&team->called);
    hwri_mutex_unlock(&team->lock);
    work(context, 0);
    hwri_mutex_lock(&team->lock);
    team->expected = 0;
    while (team->inside) pthread_cond_wait(&team->left, &team->lock);
    hwri_mutex_unlock(&team->lock);
}

void hwri_team_close(hwri_team *team) {
    if (!team->size) return;
    hwri_mutex_lock(&team->lock);
    team->ends = true;
    pthread_cond_broadcast(&team->called);
    hwri_mutex_unlock(&team->lock);
    for (unsigned i = 0; i < team->started; i++) pthread_join(team->helpers[i], NULL);
    pthread_cond_destroy(&team->left);
    pthread_cond_destroy(&team->called);
    hwri_mutex_destroy(&team->lock);
    team->size = 0;
}

/* ---- what is shared ---- */

/* How often a marker that has nothing to do looks before it sleeps: some microseconds, since waking up takes some tens. */
enum { GRAY_LOOKS = 300 };

static void pause_a_moment(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

void hwri_gray_open(hwri_gray *gray) {
    *gray = (hwri_gray){.markers = 1};
    hwri_mutex_init(&gray->lock);
    pthread_cond_init(&gray->more, NULL);
}

void hwri_gray_close(hwri_gray *gray) {
    pthread_cond_destroy(&gray->more);
    hwri_mutex_destroy(&gray->lock);
}

bool hwri_gray_join(hwri_gray *gray) {
    hwri_mutex_lock(&gray->lock);
    bool in_time = !gray->over;
    gray->markers += in_time;
    hwri_mutex_unlock(&gray->lock);
    return in_time;
}

static void set_count(hwri_gray *gray, size_t count) { __atomic_store_n(&gray->count, count, __ATOMIC_RELAXED); }
static void set_waiting(hwri_gray *gray, unsigned waiting) {
    __atomic_store_n(&gray->waiting, waiting, __ATOMIC_RELAXED);
}

size_t hwri_gray_give(hwri_gray *gray, void **stack, size_t count) {
    hwri_mutex_lock(&gray->lock);
    size_t given = count / 2, room = HWRI_GRAY_ROOM - gray->count;
    if (given > room) given = room;
    memcpy(gray->items + gray->count, stack, given * sizeof *stack);
    set_count(gray, gray->count + given);
    memcpy(stack, stack + (count - given), given * sizeof *stack); /* their order does not matter */
    if (given) pthread_cond_signal(&gray->more);
    hwri_mutex_unlock(&gray->lock);
    return count - given;
}

/* Without the lock, for a moment: giving is likely to follow soon, and waking up takes long. */
static void look_out(const hwri_gray *gray) {
    for (unsigned i = 0; i < GRAY_LOOKS; i++) {
        if (__atomic_load_n(&gray->count, __ATOMIC_RELAXED) || __atomic_load_n(&gray->over, __ATOMIC_RELAXED)) return;
        pause_a_moment();
    }
}

/* With the lock, nothing being there. */
static void wait_for_more(hwri_gray *gray) {
    set_waiting(gray, gray->waiting + 1);
    if (gray->waiting == gray->markers) {
        __atomic_store_n(&gray->over, true, __ATOMIC_RELAXED);
        pthread_cond_broadcast(&gray->more);
    } else {
        hwri_mutex_unlock(&gray->lock);
        look_out(gray);
        hwri_mutex_lock(&gray->lock);
    }
    while (!gray->over && !gray->count) pthread_cond_wait(&gray->more, &gray->lock);
    set_waiting(gray, gray->waiting - 1);
}

size_t hwri_gray_take(hwri_gray *gray, void **stack, size_t room) {
    hwri_mutex_lock(&gray->lock);
    if (!gray->count) wait_for_more(gray);
    size_t taken = (gray->count + 1) / 2;
    if (taken > room) taken = room;
    set_count(gray, gray->count - taken);
    memcpy(stack, gray->items + gray->count, taken * sizeof *stack);
    if (gray->count && gray->waiting) pthread_cond_signal(&gray->more);
    hwri_mutex_unlock(&gray->lock);
    return taken;
}
