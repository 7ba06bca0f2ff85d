/* Finalizers of a tracing heap: who has one, the queue, and who calls them.
 *
 * Those queued are called one after the other, by a *worker*: a thread of the heap's that is started when there is something to do. A second one stands by while there is more; when one has been under way for
 * STALL_MS, it counts as stuck, and the one that stands by goes on, and yet another one stands by. Whoever calls finalizers, a worker or the program, is in the list `running`, with the object, which is
 * a root meanwhile. `active` of these run, `stuck` of them are stuck; `waiting` workers have nothing to do. */
#include "tracing/life.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

enum { STALL_MS = 100, SPARE_WORKERS = 2 };

typedef struct hwri_running {
    struct hwri_running *next;
    hwri_tracing *t;
    hwri_finalizable *it;
    uintptr_t token;
    bool by_worker, is_stuck;
} hwri_running;

typedef struct hwri_worker {
    struct hwri_worker *next;
    hwri_tracing *t;
    pthread_t thread;
    bool attached, over;
} hwri_worker;

/* ---- lists ---- */

static void finalizables_clear(hwri_finalizables *list) {
    list->first = NULL;
    list->end = &list->first;
}

static void finalizables_add(hwri_finalizables *list, hwri_finalizable *f) {
    f->next = NULL;
    *list->end = f;
    list->end = &f->next;
}

static hwri_finalizable *finalizables_take(hwri_finalizables *list) {
    hwri_finalizable *f = list->first;
    list->first = f->next;
    if (!list->first) list->end = &list->first;
    return f;
}

static void finalizables_free(hwri_tracing *t, hwri_finalizables *list) {
    while (list->first) hwr_pool_free(t->heap->blocks, finalizables_take(list));
}

/* ---- who has one ---- */

static void set_flag(const void *object, uint64_t flag) {
    __atomic_fetch_or(hwri_header(object), flag, __ATOMIC_RELAXED);
}

/* Returns what it was. */
static bool clear_flag(const void *object, uint64_t flag) {
    return __atomic_fetch_and(hwri_header(object), ~flag, __ATOMIC_RELAXED) & flag;
}

bool hwri_life_born(hwri_tracing *t, void *object) {
    hwri_roster *roster = &t->life->finalizables;
    hwri_mutex_lock(&t->lock);
    hwri_member *member = hwri_member_new(t, roster, sizeof(hwri_finalizable));
    if (member) {
        member->object = object;
        hwri_roster_enter(roster, member);
        set_flag(object, HWRI_REGISTERED);
    }
    hwri_mutex_unlock(&t->lock);
    return member != NULL;
}

void hwr_suppress_finalizer(hwr_heap *heap, void *object) {
    HWRI_LOOK(heap, object);
    if (!heap->tracing)
        *hwri_header(object) |= HWRI_FINALIZED;
    else if (hwri_header_now(object) & HWRI_REGISTERED)
        set_flag(object, HWRI_SUPPRESSED);
}

static bool register_again(hwr_heap *heap, void *object) {
    struct {
        hwr_frame frame;
        void *object;
    } here = {.object = object};
    hwr_frame_push(heap, &here.frame, 1);
    unsigned attempt = 0;
    bool born;
    do born = hwri_life_born(heap->tracing, here.object);
    while (!born && hwri_make_room(heap, sizeof(hwri_finalizable), &attempt));
    hwr_frame_pop(heap, &here.frame);
    return born;
}

bool hwr_reregister_finalizer(hwr_heap *heap, void *object) {
    HWRI_LOOK(heap, object);
    if (!hwr_type_of(object)->finalize) return false;
    if (!heap->tracing) {
        *hwri_header(object) &= ~HWRI_FINALIZED;
        return true;
    }
    clear_flag(object, HWRI_SUPPRESSED);
    return hwri_header_now(object) & HWRI_REGISTERED || register_again(heap, object);
}

/* ---- in a collection ---- */

void hwri_finalizers_roots(hwri_tracing *t, hwri_slot_visit visit, void *context) {
    hwri_life *life = t->life;
    hwri_finalizable *from = t->phase == HWRI_COPYING ? life->queue_young : life->queue.first;
    hwri_finalizable *end = t->phase == HWRI_MARKING ? *life->batch : NULL;
    for (hwri_finalizable *f = from; f != end; f = f->next) visit(context, &f->member.object);
    for (hwri_running *r = life->running; r; r = r->next) visit(context, &r->it->member.object);
}

/* The old ones are not known to be dead in a collection of the young. */
static size_t lists_looked_at(const hwri_tracing *t) { return t->phase == HWRI_COPYING ? 1 : 2; }

enum { FINALIZED_YOUNG, FINALIZED_OLD };

bool hwri_finalizers_any(const hwri_tracing *t) {
    const hwri_life *life = t->life;
    for (size_t i = 0; i < lists_looked_at(t); i++)
        if (life->finalized[i].first) return true;
    return hwri_roster_any(t, &life->finalizables) || (t->phase == HWRI_MARKING && *life->batch);
}

/* In a full collection, what is still to be marked tells. */
void hwri_finalizers_note_returned(hwri_tracing *t) {
    if (t->phase == HWRI_COPYING && t->generation == HWR_OLDEST) return;
    for (size_t i = 0; i < lists_looked_at(t); i++) {
        hwri_finalizables list = t->life->finalized[i];
        if (list.first) finalizables_clear(&t->life->finalized[i]);
        for (hwri_finalizable *f = list.first, *next; f; f = next) {
            next = f->next;
            if (!hwri_is_reached(t, f->member.object)) {
                finalizables_add(&t->life->finalized[i], f);
                continue;
            }
            void *object = hwri_where(t, f->member.object);
            t->heap->counters.resurrected++;
            hwri_emit(t->heap, HWR_EVENT_RESURRECTION, (uintptr_t)object, (uintptr_t)hwr_type_of(object));
            hwr_pool_free(t->heap->blocks, f);
        }
    }
}

/* Those that are reached only by what is queued meanwhile wait for the next collection. */
static void move_finalized(hwri_tracing *t) {
    for (size_t i = 0; i < lists_looked_at(t); i++) {
        hwri_finalizables list = t->life->finalized[i];
        if (!list.first) continue;
        finalizables_clear(&t->life->finalized[i]);
        for (hwri_finalizable *f = list.first, *next; f; f = next) {
            next = f->next;
            if (!hwri_is_reached(t, f->member.object)) {
                hwr_pool_free(t->heap->blocks, f);
                continue;
            }
            f->member.object = hwri_where(t, f->member.object);
            bool young = hwri_is_young(t, f->member.object);
            finalizables_add(&t->life->finalized[young ? FINALIZED_YOUNG : FINALIZED_OLD], f);
        }
    }
}

/* It is dead, and nothing will be called: or it is reached by another one with a finalizer, and may be registered again. */
static void end_suppressed(hwri_tracing *t, hwri_finalizable *f) {
    clear_flag(f->member.object, HWRI_SUPPRESSED | HWRI_REGISTERED);
    hwr_pool_free(t->heap->blocks, f);
}

/* A full collection queues twice, when it has copied and when it has marked: the critical ones of both come last. */
static void put_critical_last(hwri_life *life) {
    hwri_finalizables critical;
    finalizables_clear(&critical);
    hwri_finalizable *first = *life->batch;
    bool among_them = !life->queue_young;
    life->queue.end = life->batch;
    for (hwri_finalizable *f = first, *next; f; f = next) {
        next = f->next;
        among_them |= f == life->queue_young;
        bool last = hwr_type_of(f->member.object)->flags & HWR_CRITICAL;
        finalizables_add(last ? &critical : &life->queue, f);
    }
    while (critical.first) finalizables_add(&life->queue, finalizables_take(&critical));
    if (among_them) life->queue_young = *life->batch;
}

/* All are found before any is reached, since they may lead to each other: in a full collection those that were queued when it had copied are no roots for marking. */
bool hwri_finalizers_queue(hwri_tracing *t) {
    hwri_life *life = t->life;
    hwri_roster *roster = &life->finalizables;
    for (uint32_t i = hwri_roster_from(t, roster); i < roster->count;) {
        hwri_finalizable *f = (hwri_finalizable *)(void *)roster->items[i];
        if (hwri_is_reached(t, f->member.object)) {
            i++;
            continue;
        }
        hwri_roster_leave(roster, &f->member);
        if (*hwri_header(f->member.object) & HWRI_SUPPRESSED) {
            end_suppressed(t, f);
            continue;
        }
        life->queued++;
        finalizables_add(&life->queue, f);
    }
    if (!*life->batch) return false;
    for (hwri_finalizable *f = *life->batch; f; f = f->next) hwri_reach(t, &f->member.object);
    hwri_reach_all(t);
    put_critical_last(life);
    return true;
}

void hwri_finalizers_move(hwri_tracing *t) {
    hwri_life *life = t->life;
    hwri_roster *roster = &life->finalizables;
    for (uint32_t i = hwri_roster_from(t, roster); i < roster->count; i++) {
        hwri_member *member = roster->items[i];
        member->object = hwri_where(t, member->object);
        if (!hwri_is_young(t, member->object)) hwri_roster_make_old(roster, member);
    }
    while (life->queue_young && !hwri_is_young(t, life->queue_young->member.object))
        life->queue_young = life->queue_young->next;
    move_finalized(t);
}

/* ---- calling one ---- */

/* The next of the queue, which is a root on behalf of `r` from now on. False: there is none. With the lock. */
static bool take_next(hwri_tracing *t, hwri_running *r) {
    hwri_life *life = t->life;
    while (life->queue.first) {
        hwri_finalizable *f = finalizables_take(&life->queue);
        void *object = f->member.object;
        if (life->queue_young == f) life->queue_young = life->queue.first;
        life->queued--;
        clear_flag(object, HWRI_REGISTERED);
        if (clear_flag(object, HWRI_SUPPRESSED)) {
            hwr_pool_free(t->heap->blocks, f);
            continue;
        }
        set_flag(object, HWRI_FINALIZED);
        *r = (hwri_running){.next = life->running, .t = t, .it = f, .token = hwri_thread_token()};
        life->running = r;
        life->active++;
        timespec_get(&life->taken, TIME_UTC);
        t->heap->counters.finalizers++;
        hwri_emit(t->heap, HWR_EVENT_FINALIZER, (uintptr_t)object, (uintptr_t)hwr_type_of(object));
        return true;
    }
    return false;
}

/* Also when the finalizer has ended its thread. */
static void finalizer_is_over(void *running) {
    hwri_running *r = running;
    hwri_tracing *t = r->t;
    hwri_life *life = t->life;
    hwri_mutex_lock(&t->lock);
    hwri_running **link = &life->running;
    while (*link != r) link = &(*link)->next;
    *link = r->next;
    bool young = hwri_is_young(t, r->it->member.object);
    finalizables_add(&life->finalized[young ? FINALIZED_YOUNG : FINALIZED_OLD], r->it);
    life->active--;
    life->stuck -= r->is_stuck;
    if (!life->active && !life->queue.first) pthread_cond_broadcast(&life->done);
    if (!r->by_worker && life->queue.first && life->waiting) pthread_cond_broadcast(&life->work);
    hwri_mutex_unlock(&t->lock);
}

/* Not inline, so that nothing of the object stays behind on the stack. */
__attribute__((noinline)) static void call_finalizer(hwri_running *r) {
    void *object = r->it->member.object;
    pthread_cleanup_push(finalizer_is_over, r);
    hwr_type_of(object)->finalize(r->t->heap, object);
    pthread_cleanup_pop(1);
}

static bool finalize_next(hwri_tracing *t) {
    hwri_running r;
    hwri_mutex_lock(&t->lock);
    bool taken = take_next(t, &r);
    if (!taken && !t->life->active) pthread_cond_broadcast(&t->life->done); /* all that was left was suppressed */
    hwri_mutex_unlock(&t->lock);
    if (taken) call_finalizer(&r);
    return taken;
}

/* ---- workers ---- */

static void *worker_main(void *worker);

/* Signals are for the program's own threads. */
static bool start_worker(hwri_tracing *t) {
    hwri_worker *w = hwr_pool_alloc_zeroed(t->heap->blocks, 1, sizeof *w);
    if (!w) return false;
    w->t = t;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    hwri_mutex_lock(&t->lock);
    bool started = pthread_create(&w->thread, NULL, worker_main, w) == 0;
    if (started) {
        w->next = t->life->workers;
        t->life->workers = w;
        t->life->workers_alive++;
    }
    hwri_mutex_unlock(&t->lock);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!started) hwr_pool_free(t->heap->blocks, w);
    return started;
}

/* Or could not be started. */
static void has_started(hwri_tracing *t) {
    hwri_mutex_lock(&t->lock);
    t->life->starting = false;
    pthread_cond_broadcast(&t->life->done);
    hwri_mutex_unlock(&t->lock);
}

void hwri_finalizers_staff(hwri_tracing *t) {
    hwri_life *life = t->life;
    hwri_mutex_lock(&t->lock);
    bool wanted = life->queue.first && !life->manual && !life->closing && !life->starting && !life->waiting;
    if (wanted) life->starting = true;
    hwri_mutex_unlock(&t->lock);
    if (wanted && !start_worker(t)) has_started(t);
}

void hwri_finalizers_wake(hwri_tracing *t) {
    hwri_life *life = t->life;
    hwri_mutex_lock(&t->lock);
    bool any = life->queue.first && !life->manual;
    if (any) pthread_cond_broadcast(&life->work);
    hwri_mutex_unlock(&t->lock);
    if (any) hwri_finalizers_staff(t);
}

static void worker_is_over(void *worker) {
    hwri_worker *w = worker;
    hwri_life *life = w->t->life;
    hwri_mutex_lock(&w->t->lock);
    w->over = true;
    life->workers_alive--;
    pthread_cond_broadcast(&life->work);
    pthread_cond_broadcast(&life->done);
    hwri_mutex_unlock(&w->t->lock);
    if (w->attached) hwri_finalizers_staff(w->t);
}

/* Frees what workers leave whose threads have ended or are about to, one at a time. Must not be attached, since it waits. */
static bool bury_worker(hwri_tracing *t, bool any) {
    hwri_mutex_lock(&t->lock);
    hwri_worker **link = &t->life->workers;
    while (*link && !any && !(*link)->over) link = &(*link)->next;
    hwri_worker *w = *link;
    if (w) *link = w->next;
    hwri_mutex_unlock(&t->lock);
    if (!w) return false;
    pthread_join(w->thread, NULL);
    hwr_pool_free(t->heap->blocks, w);
    return true;
}

static void set_stuck(hwri_life *life) {
    for (hwri_running *r = life->running; r; r = r->next) r->is_stuck = true;
    life->stuck = life->active;
}

/* Stands by for as long as finalizers return in time. With the lock. */
static void stand_by(hwri_tracing *t) {
    hwri_life *life = t->life;
    struct timespec taken = life->taken, until = taken;
    until.tv_nsec += STALL_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    if (pthread_cond_timedwait(&life->work, &t->lock, &until) != ETIMEDOUT) return;
    if (taken.tv_sec == life->taken.tv_sec && taken.tv_nsec == life->taken.tv_nsec) set_stuck(life);
}

/* Waits until there is something to do. False: it is to end. */
static bool wait_for_work(hwri_tracing *t, hwri_running *r) {
    hwri_life *life = t->life;
    bool taken = false;
    hwri_mutex_lock(&t->lock);
    if (life->waiting < SPARE_WORKERS) {
        life->waiting++;
        while (!life->closing) {
            if (t->collector)
                pthread_cond_wait(&t->resumed, &t->lock);
            else if (life->queue.first && life->active > life->stuck)
                stand_by(t);
            else if ((taken = take_next(t, r)))
                break;
            else {
                if (!life->active) pthread_cond_broadcast(&life->done);
                pthread_cond_wait(&life->work, &t->lock);
            }
        }
        life->waiting--;
        r->by_worker = taken;
    }
    hwri_mutex_unlock(&t->lock);
    return taken;
}

/* While it waits, it has left the heap. */
static void work_on(hwri_tracing *t) {
    for (;;) {
        hwri_running r;
        hwr_leave(t->heap);
        bool taken = wait_for_work(t, &r);
        if (taken) hwri_finalizers_staff(t);
        hwr_return(t->heap);
        if (!taken) return;
        call_finalizer(&r);
    }
}

static void *worker_main(void *worker) {
    hwri_worker *w = worker;
    hwri_tracing *t = w->t;
    while (bury_worker(t, false)) {
    }
    w->attached = hwr_thread_attach(t->heap);
    has_started(t);
    pthread_cleanup_push(worker_is_over, w);
    if (w->attached) {
        work_on(t);
        hwr_thread_detach(t->heap);
    }
    pthread_cleanup_pop(1);
    return NULL;
}

void hwri_life_settle(hwri_tracing *t) {
    hwr_leave(t->heap);
    do {
        hwri_mutex_lock(&t->lock);
        while (t->life->starting) pthread_cond_wait(&t->life->done, &t->lock);
        hwri_mutex_unlock(&t->lock);
    } while (bury_worker(t, false));
    hwr_return(t->heap);
}

void hwri_finalizers_stop(hwri_tracing *t) {
    hwri_life *life = t->life;
    hwri_mutex_lock(&t->lock);
    life->closing = true;
    pthread_cond_broadcast(&life->work);
    hwri_mutex_unlock(&t->lock);
    hwr_leave(t->heap);
    while (bury_worker(t, true)) {
    }
    hwr_return(t->heap);
    finalizables_free(t, &life->queue);
    for (size_t i = 0; i < 2; i++) finalizables_free(t, &life->finalized[i]);
}

void hwri_finalizers_open(hwri_life *life) {
    finalizables_clear(&life->queue);
    for (size_t i = 0; i < 2; i++) finalizables_clear(&life->finalized[i]);
    pthread_cond_init(&life->work, NULL);
    pthread_cond_init(&life->done, NULL);
}

/* ---- for programs ---- */

size_t hwr_run_finalizers(hwr_heap *heap, size_t most) {
    size_t count = 0;
    while (heap->tracing && (!most || count < most) && finalize_next(heap->tracing)) count++;
    return count;
}

size_t hwr_finalizers_pending(hwr_heap *heap) {
    hwri_tracing *t = heap->tracing;
    if (!t) return 0;
    hwri_mutex_lock(&t->lock);
    size_t count = t->life->queued;
    hwri_mutex_unlock(&t->lock);
    return count;
}

static bool is_in_finalizer(hwri_tracing *t) {
    uintptr_t token = hwri_thread_token();
    hwri_mutex_lock(&t->lock);
    const hwri_running *r = t->life->running;
    while (r && r->token != token) r = r->next;
    hwri_mutex_unlock(&t->lock);
    return r != NULL;
}

/* Returns false if nobody is there to call what is queued. */
static bool wait_for_others(hwri_tracing *t) {
    hwri_life *life = t->life;
    hwr_leave(t->heap);
    hwri_mutex_lock(&t->lock);
    while (life->active || (life->queue.first && (life->workers_alive || life->starting)))
        pthread_cond_wait(&life->done, &t->lock);
    bool empty = !life->queue.first;
    hwri_mutex_unlock(&t->lock);
    hwr_return(t->heap);
    return empty;
}

void hwr_wait_for_finalizers(hwr_heap *heap) {
    hwri_tracing *t = heap->tracing;
    if (!t || is_in_finalizer(t)) return;
    for (bool itself = t->life->manual;; itself = true) {
        if (itself)
            hwr_run_finalizers(heap, 0);
        else
            hwri_finalizers_staff(t);
        if (wait_for_others(t)) return;
    }
}
