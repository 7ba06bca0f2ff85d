/* Threads, as far as the library needs the system for them: locks, a token that tells threads apart, a call when a thread ends, and
 * consistent locks across fork. This and its .c file hold the only process-wide state there is. */
#ifndef HWRI_RAW_THREAD_H
#define HWRI_RAW_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__unix__) || defined(__APPLE__)
#define HWRI_THREADS 1
#include <pthread.h>
typedef pthread_mutex_t hwri_mutex;
#define hwri_mutex_init(m) pthread_mutex_init((m), NULL)
#define hwri_mutex_destroy(m) pthread_mutex_destroy(m)
#define hwri_mutex_lock(m) pthread_mutex_lock(m)
#define hwri_mutex_unlock(m) pthread_mutex_unlock(m)
#define HWRI_THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))
#else
#define HWRI_THREADS 0
typedef int hwri_mutex;
#define hwri_mutex_init(m) ((void)(m))
#define hwri_mutex_destroy(m) ((void)(m))
#define hwri_mutex_lock(m) ((void)(m))
#define hwri_mutex_unlock(m) ((void)(m))
#define HWRI_THREAD_LOCAL
#endif

/* A number that no other living thread has; never 0. */
#if HWRI_THREADS && (defined(__x86_64__) || defined(__aarch64__)) && defined(__has_builtin)
#if __has_builtin(__builtin_thread_pointer)
#define HWRI_HAS_THREAD_POINTER 1
#endif
#endif
static inline uintptr_t hwri_thread_token(void) {
#ifdef HWRI_HAS_THREAD_POINTER
    return (uintptr_t)__builtin_thread_pointer();
#elif HWRI_THREADS
    extern HWRI_THREAD_LOCAL char hwri_thread_anchor;
    return (uintptr_t)&hwri_thread_anchor;
#else
    return 1;
#endif
}

/* Something that a thread has of some instance and that must be told when the thread ends. It lies in a list of the
 * thread, guarded by one process-wide lock; `on_exit` is called on the ending thread without that lock, after the attachment has left
 * the list. */
typedef struct hwri_attachment {
    struct hwri_attachment *next, *previous;
    void (*on_exit)(struct hwri_attachment *self);
} hwri_attachment;

/* Puts an attachment on the calling thread's list. Returns false if the system cannot promise to tell of the end. */
bool hwri_thread_attach(hwri_attachment *attachment);
/* Takes it off again; any thread may do so. Returns false if it was on no list: its thread is just ending. */
bool hwri_thread_detach(hwri_attachment *attachment);
/* For an attachment whose thread does not exist in the child of a fork: it is on no list from now on. Called with the registry's lock. */
void hwri_thread_forget(hwri_attachment *attachment);
/* Calls `visit` for the calling thread's attachments, until it returns true; returns that attachment or NULL. */
hwri_attachment *hwri_thread_find(bool (*visit)(hwri_attachment *, const void *), const void *context);

/* A lock that must be free in the child of a fork. Before a fork all registered locks are taken, those of lower rank first
 * (a lock may be taken while one of lower rank is held, never the other way round); after it they are released, and in the child
 * `in_child` is called first, if there is one. */
typedef struct hwri_fork_lock {
    struct hwri_fork_lock *next;
    hwri_mutex *mutex;
    int rank;
    void (*in_child)(struct hwri_fork_lock *self);
} hwri_fork_lock;
enum { HWRI_RANK_POOL = 1, HWRI_RANK_RAW = 2 };

bool hwri_fork_register(hwri_fork_lock *lock);
void hwri_fork_unregister(hwri_fork_lock *lock);

/* A number that was never returned before in this process; never 0. */
uint64_t hwri_unique_id(void);

#endif
