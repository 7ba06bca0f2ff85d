/* Regions without collections: the budget is raised by what was asked for, and a collection that comes all the same ends the region. */
#include "no_gc.h"

#include "collect.h"
#include "collector.h"
#include "runtime.h"

/* The heap's lock guards it, but that a collection changes it while the world stands still. `work` is called when so much has been given; it is the runtime's, which frees it when it has been called, or given up. */
static struct {
    bool runs;
    int ended; /* what its end is to be told; CLR_NO_GC_NOT_RUNNING: nothing */
    uint64_t bytes;
    clr_no_gc_work *work; /* NULL: none, or due already */
    clr_finalizer_work *due;
} region = {.ended = CLR_NO_GC_NOT_RUNNING};

bool clr_no_gc_runs(void) { return __atomic_load_n(&region.runs, __ATOMIC_RELAXED); }

static int start_locked(uint64_t bytes) {
    if (region.runs) return CLR_NO_GC_RUNNING;
    if (!clr_policy_promise(bytes)) return CLR_NO_GC_NO_MEMORY;
    region.ended = CLR_NO_GC_ENDED;
    region.bytes = bytes;
    __atomic_store_n(&region.runs, true, __ATOMIC_RELAXED);
    return CLR_NO_GC_STARTED;
}

static int start(uint64_t bytes) {
    pthread_mutex_lock(&clr_gc.lock);
    int status = start_locked(bytes);
    pthread_mutex_unlock(&clr_gc.lock);
    return status;
}

static void stop(int status) {
    region.ended = status;
    __atomic_store_n(&region.runs, false, __ATOMIC_RELAXED);
    clr_gc.notice = SIZE_MAX;
}

/* Whether it is to be called or was given up, the runtime takes it back, on the thread that runs finalizers. */
static void make_due(bool abandoned) {
    clr_no_gc_work *work = region.work;
    if (!work) return;
    work->abandoned = abandoned;
    work->scheduled = true;
    work->work.next = region.due;
    __atomic_store_n(&region.due, &work->work, __ATOMIC_RELEASE);
    region.work = NULL;
}

bool clr_no_gc_is_due(void) { return __atomic_load_n(&region.due, __ATOMIC_RELAXED); }

/* The runtime takes locks of its own for that, so not with ours. */
static void wake(void) {
    if (clr_no_gc_is_due()) clr_runtime->table->enable_finalization(clr_runtime, true);
}

int clr_no_gc_end(void) {
    pthread_mutex_lock(&clr_gc.lock);
    int status = region.ended;
    if (region.runs) {
        stop(CLR_NO_GC_NOT_RUNNING);
        make_due(true);
        clr_policy_promise_ends();
    }
    region.ended = CLR_NO_GC_NOT_RUNNING;
    pthread_mutex_unlock(&clr_gc.lock);
    wake();
    return status;
}

/* Everything is collected before, to begin with as much as there can be. Who starts a region in a region ends it, as with the runtime's own collector. */
int clr_no_gc_start(uint64_t bytes, bool no_collection) {
    if (clr_no_gc_runs()) {
        clr_no_gc_end();
        return CLR_NO_GC_RUNNING;
    }
    if (!no_collection) clr_collect(CLR_MAX_GENERATION, CLR_BLOCKING);
    return start(bytes);
}

static int call_locked(clr_no_gc_work *work, uint64_t bytes) {
    if (!region.runs) return CLR_NO_GC_CALLBACK_NOT_RUNNING;
    if (region.work) return CLR_NO_GC_CALLBACK_TWICE;
    if (bytes > region.bytes || bytes < clr_gc.given) return CLR_NO_GC_CALLBACK_NO_ROOM;
    region.work = work;
    clr_gc.notice = bytes;
    return CLR_NO_GC_CALLBACK_SET;
}

int clr_no_gc_call(clr_no_gc_work *work, uint64_t bytes) {
    pthread_mutex_lock(&clr_gc.lock);
    int status = call_locked(work, bytes);
    pthread_mutex_unlock(&clr_gc.lock);
    return status;
}

void clr_no_gc_given(void) {
    clr_gc.notice = SIZE_MAX;
    make_due(false);
}

void clr_no_gc_wake(void) {
    if (clr_no_gc_runs()) wake();
}

clr_finalizer_work *clr_no_gc_due(void) { return __atomic_exchange_n(&region.due, NULL, __ATOMIC_ACQ_REL); }

void clr_no_gc_collected(bool induced) {
    if (!region.runs) return;
    stop(induced ? CLR_NO_GC_INDUCED : CLR_NO_GC_EXCEEDED);
    make_due(true);
}
