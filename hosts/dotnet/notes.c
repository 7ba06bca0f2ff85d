/* Notes of collections of everything. */
#define _GNU_SOURCE /* pthread_cond_clockwait */
#include "notes.h"

#include "runtime.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

/* Two events, `approach` and `complete`, of which one follows the other. Each is a number that counts how often it came, so that who waits misses none, and whether it came last: then nobody has to wait. The collection takes the lock, too; who holds it is never stopped, for it is cooperative or does not touch objects. */
typedef struct event {
    pthread_cond_t came;
    uint64_t times;
    bool is_set;
} event;

static struct {
    pthread_mutex_t lock;
    unsigned percent; /* 0: nobody is registered */
    event approach, complete;
} notes = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .approach.came = PTHREAD_COND_INITIALIZER,
    .complete.came = PTHREAD_COND_INITIALIZER,
};

static void set(event *e) {
    e->times++;
    e->is_set = true;
    pthread_cond_broadcast(&e->came);
}

void clr_notes_register(unsigned percent) {
    pthread_mutex_lock(&notes.lock);
    notes.percent = percent;
    notes.approach.is_set = notes.complete.is_set = false;
    pthread_mutex_unlock(&notes.lock);
}

void clr_notes_cancel(void) {
    pthread_mutex_lock(&notes.lock);
    notes.percent = 0;
    set(&notes.approach);
    set(&notes.complete);
    pthread_mutex_unlock(&notes.lock);
}

static struct timespec later(int milliseconds) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += milliseconds / 1000;
    t.tv_nsec += milliseconds % 1000 * 1000000L;
    if (t.tv_nsec >= 1000000000L) {
        t.tv_nsec -= 1000000000L;
        t.tv_sec++;
    }
    return t;
}

static int wait_locked(event *e, int milliseconds) {
    if (!notes.percent) return CLR_NOTE_NOT_APPLICABLE;
    struct timespec end = later(milliseconds < 0 ? 0 : milliseconds);
    uint64_t seen = e->times;
    int error = 0;
    while (!e->is_set && e->times == seen && error != ETIMEDOUT)
        error = milliseconds < 0 ? pthread_cond_wait(&e->came, &notes.lock)
                                 : pthread_cond_clockwait(&e->came, &notes.lock, CLOCK_MONOTONIC, &end);
    if (!notes.percent) return CLR_NOTE_CANCELLED;
    return e->is_set || e->times != seen ? CLR_NOTE_CAME : CLR_NOTE_TIMEOUT;
}

static int wait_for(event *e, int milliseconds) {
    bool was_cooperative = clr_runtime->table->enable_preemptive_gc(clr_runtime);
    pthread_mutex_lock(&notes.lock);
    int status = wait_locked(e, milliseconds);
    pthread_mutex_unlock(&notes.lock);
    if (was_cooperative) clr_runtime->table->disable_preemptive_gc(clr_runtime);
    return status;
}

int clr_notes_wait_for_approach(int milliseconds) { return wait_for(&notes.approach, milliseconds); }
int clr_notes_wait_for_complete(int milliseconds) { return wait_for(&notes.complete, milliseconds); }

static void note_approach(void) {
    if (!notes.percent || notes.approach.is_set) return;
    notes.complete.is_set = false;
    set(&notes.approach);
}

void clr_notes_of_begin(bool full) {
    pthread_mutex_lock(&notes.lock);
    if (full) note_approach();
    pthread_mutex_unlock(&notes.lock);
}

void clr_notes_of_end(bool full, size_t live, size_t target) {
    pthread_mutex_lock(&notes.lock);
    if (full && notes.percent) {
        notes.approach.is_set = false;
        set(&notes.complete);
    } else if (!full && live > target / 100 * (100 - notes.percent)) {
        note_approach();
    }
    pthread_mutex_unlock(&notes.lock);
}
