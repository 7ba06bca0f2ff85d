#include "raw/thread.h"

#include <stddef.h>

#include "raw/atomic.h"

uint64_t hwri_unique_id(void) {
    static uint64_t last;
    return hwri_add_relaxed(&last, 1) + 1;
}

#if HWRI_THREADS

#ifndef HWRI_HAS_THREAD_POINTER
HWRI_THREAD_LOCAL char hwri_thread_anchor;
#endif

/* The registry: one lock for every thread's list of attachments and for the list of fork locks. It is taken before any registered
 * lock, rarely (a thread's first use of a pool, its end, open, close, fork), and nothing is called while it is held but the
 * short loops below. */
static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t registry_once = PTHREAD_ONCE_INIT;
static pthread_key_t exit_key;
static bool registry_works;
static hwri_fork_lock *fork_locks;
static _Thread_local hwri_attachment attachments; /* the head of this thread's circular list; NULL links: none yet */

static hwri_attachment *unlink_attachment(hwri_attachment *a) {
    a->next->previous = a->previous;
    a->previous->next = a->next;
    a->next = a->previous = NULL;
    return a;
}

static void thread_ends(void *unused) {
    (void)unused;
    for (;;) {
        pthread_mutex_lock(&registry);
        hwri_attachment *a = attachments.next == &attachments ? NULL : unlink_attachment(attachments.next);
        pthread_mutex_unlock(&registry);
        if (!a) break;
        a->on_exit(a);
    }
    attachments.next = NULL; /* a later destructor may attach again: then the key is set again */
}

static void before_fork(void) {
    pthread_mutex_lock(&registry);
    for (hwri_fork_lock *l = fork_locks; l; l = l->next) pthread_mutex_lock(l->mutex);
}

static void after_fork_in_parent(void) {
    for (hwri_fork_lock *l = fork_locks; l; l = l->next) pthread_mutex_unlock(l->mutex);
    pthread_mutex_unlock(&registry);
}

static void after_fork_in_child(void) {
    for (hwri_fork_lock *l = fork_locks; l; l = l->next)
        if (l->in_child) l->in_child(l);
    after_fork_in_parent();
}

static void registry_start(void) {
    registry_works = pthread_key_create(&exit_key, thread_ends) == 0 &&
                     pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) == 0;
}

bool hwri_thread_attach(hwri_attachment *attachment) {
    pthread_once(&registry_once, registry_start);
    if (!registry_works) return false;
    if (!attachments.next) {
        if (pthread_setspecific(exit_key, &attachments) != 0) return false;
        attachments.next = attachments.previous = &attachments;
    }
    pthread_mutex_lock(&registry);
    attachment->next = attachments.next;
    attachment->previous = &attachments;
    attachments.next->previous = attachment;
    attachments.next = attachment;
    pthread_mutex_unlock(&registry);
    return true;
}

bool hwri_thread_detach(hwri_attachment *attachment) {
    pthread_mutex_lock(&registry);
    bool attached = attachment->next != NULL;
    if (attached) unlink_attachment(attachment);
    pthread_mutex_unlock(&registry);
    return attached;
}

void hwri_thread_forget(hwri_attachment *attachment) { attachment->next = attachment->previous = NULL; }

hwri_attachment *hwri_thread_find(bool (*visit)(hwri_attachment *, const void *), const void *context) {
    hwri_attachment *found = NULL;
    pthread_mutex_lock(&registry);
    if (attachments.next)
        for (hwri_attachment *a = attachments.next; a != &attachments && !found; a = a->next)
            if (visit(a, context)) found = a;
    pthread_mutex_unlock(&registry);
    return found;
}

bool hwri_fork_register(hwri_fork_lock *lock) {
    pthread_once(&registry_once, registry_start);
    if (!registry_works) return false;
    pthread_mutex_lock(&registry);
    hwri_fork_lock **link = &fork_locks;
    while (*link && (*link)->rank < lock->rank) link = &(*link)->next;
    lock->next = *link;
    *link = lock;
    pthread_mutex_unlock(&registry);
    return true;
}

void hwri_fork_unregister(hwri_fork_lock *lock) {
    pthread_mutex_lock(&registry);
    hwri_fork_lock **link = &fork_locks;
    while (*link && *link != lock) link = &(*link)->next;
    if (*link) *link = lock->next;
    pthread_mutex_unlock(&registry);
}

#else

bool hwri_thread_attach(hwri_attachment *attachment) { return attachment != NULL; }
bool hwri_thread_detach(hwri_attachment *attachment) { return attachment != NULL; }
void hwri_thread_forget(hwri_attachment *attachment) { (void)attachment; }
hwri_attachment *hwri_thread_find(bool (*visit)(hwri_attachment *, const void *), const void *context) {
    (void)visit;
    (void)context;
    return NULL;
}
bool hwri_fork_register(hwri_fork_lock *lock) { return lock != NULL; }
void hwri_fork_unregister(hwri_fork_lock *lock) { (void)lock; }

#endif
