/* beside: full collections of a large heap in a snapshot.
 *
 * When CPython finds a full collection due, the younger generations are collected in place, and a child is made, whose memory is a picture of
 * the heap at that moment. The child looks for what is garbage (candidates.c); the program goes on. Cyclic garbage can only be found again by way of weak
 * references and of gc.get_objects and gc.get_referrers, so what the child saw is nearly always still garbage; whether it is, is proved here,
 * component by component, by the same search that works in place, a slice of time at each of the following collections.
 *
 * What a child says is a hint. It may be late, wrong, or never come: then a full collection is due again. */
#include "beside.h"

#include "candidates.h"
#include "find.h"
#include "freed.h"
#include "install.h"
#include "methods.h"
#include "pool/internal.h"
#include "recent.h"
#include "spare.h"
#include "young.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
    LIMIT = 100000,      /* objects from which a collection beside is worth its trouble */
    LITTLE = 200000,     /* objects that are made before a child has begun */
    BATCH = 256,         /* candidates that are proved together, if they are not of one component */
    SPARE_WORDS = 4096,  /* for what the count of old objects does not know */
    MOST_PUT_OFF = 6,    /* after n failures the next 2^n full collections are in place */
    LEAST_ROUND = 50000, /* objects of a round of recent ones (recent.c) */
    MOST_ROUND = 100000
};
static const uint64_t slice_time = 500000, hurried_slice_time = 2000000, poll_time = 200000, least_limit = 1000000000,
                      limit_an_object = 2000;

/* Why a full collection was in place. */
enum reason {
    BESIDE,
    IN_PLACE_WANTED,
    OTHER_ALLOCATOR,
    SUBINTERPRETER,
    DEBUGGING,
    SMALL,
    FAILED_BEFORE,
    STILL_THERE,
    NO_PROCESSOR,
    BUSY,
    LIMITED,
    NO_MEMORY,
    NO_CHILD,
    FOREIGN,
    VALGRIND,
    CEILING,
    REASONS
};

static const char *const reason_texts[REASONS] = {
    [BESIDE] = "",
    [IN_PLACE_WANTED] = "in place was asked for",
    [OTHER_ALLOCATOR] = "the memory allocator is not heapwright's",
    [SUBINTERPRETER] = "it was a subinterpreter's",
    [DEBUGGING] = "debug flags were set",
    [SMALL] = "the heap was small",
    [FAILED_BEFORE] = "a snapshot had come to nothing",
    [STILL_THERE] = "the child before had not ended yet",
    [NO_PROCESSOR] = "the program has one processor only",
    [BUSY] = "all processors were busy",
    [LIMITED] = "the program's processes or addresses are limited",
    [NO_MEMORY] = "there was no memory to spare",
    [NO_CHILD] = "no child could be made",
    [FOREIGN] = "many objects were not in heapwright's memory",
    [VALGRIND] = "valgrind cannot make the child",
    [CEILING] = "too much was waiting for a child in vain",
};

enum phase { IDLE, SEARCHING, TAKING };

/* What became of snapshots that came to nothing. */
enum loss { DIED, SLOW, WITHOUT_MEMORY, GIVEN_UP, LOSSES };
static const char *const loss_names[LOSSES] = {"died", "slow", "without_memory", "given_up"};

/* Tests ask for these, by HEAPWRIGHT_GC_TEST. */
struct hooks {
    bool unrecorded, clone_fails, crash, hang, starves, lies, waits;
    long delay_ms,
        eager; /* one in so many automatic collections is full and takes a snapshot, in which all garbage is left */
};

/* The one snapshot there may be in a process, the main interpreter's. `next` and `hint` are the words to be looked at next. What CPython counted as pending is
 * set aside while the snapshot is out, and given back if it comes to nothing. */
static struct {
    enum hwri_gc_mode mode;
    bool allocator_is_ours, on_valgrind;
    size_t limit;
    struct hooks hooks;
    Py_ssize_t least_round, most_round; /* objects of a round of recent ones */
    hwr_pool *memory;
    enum phase phase;
    hwri_child child;
    struct hwri_candidates_search search;
    void *held[HWRI_HELD_GUESSED];
    uint64_t started, slice_ended;
    size_t next, hint, work;            /* work: candidates proved, and objects cleared */
    Py_ssize_t objects, pending, total; /* all old ones at the snapshot, and CPython's counts before it */
    Py_ssize_t pending_then;            /* CPython's count at the last slice */
    unsigned failures, put_off, busy_for;
    bool many_foreign;
    struct {
        unsigned long long snapshots, found, fruitful, put_off, waits, candidates, components, largest, freed,
            collected, revived, untracked;
        unsigned long long lost[LOSSES], in_place[REASONS];
        uint64_t longest_slice, longest_snapshot, longest_wait, child_cpu;
        enum reason last;
    } did;
} b;

/* ---- the schedule's counts ---- */

static void set_pending_aside(hwri_gc_state *gc) {
    b.pending = gc->long_lived_pending;
    b.total = gc->long_lived_total;
    b.objects = gc->long_lived_total += gc->long_lived_pending;
    gc->long_lived_pending = 0;
}

static void restore_pending(hwri_gc_state *gc) {
    gc->long_lived_pending += b.pending;
    gc->long_lived_total = b.total;
}

/* What may be added while a snapshot is out: as much as is known to live, or half of what there was, and a little. Beyond that sixteen candidates are
 * taken for each object added. So there are never many more objects than three times those that live, and five times the little. */
static Py_ssize_t ceiling(void) { return (b.total > b.objects / 2 ? b.total : b.objects / 2) + LITTLE; }

/* ---- the end of a snapshot ---- */

static void reap(void) {
    if (b.child.pid == 0 || !hwri_child_has_ended(&b.child)) return;
    b.did.child_cpu += b.child.cpu;
}

static void end_snapshot(void) {
    b.phase = IDLE;
    hwri_freed_stop();
    reap();
    hwri_child_unmap(&b.child);
}

static void lose(hwri_takeover *t, enum loss loss) {
    hwri_child_stop(&b.child);
    end_snapshot();
    restore_pending(t->gc);
    b.did.lost[loss]++;
    if (loss == GIVEN_UP) return;
    if (b.failures < MOST_PUT_OFF) b.failures++;
    b.put_off = 1u << b.failures;
}

void hwri_beside_give_up(hwri_takeover *t) {
    if (b.phase == IDLE || t == NULL || b.search.list != &t->generations[HWRI_FULL]) return;
    if (b.phase == SEARCHING)
        lose(t, GIVEN_UP);
    else
        end_snapshot();
}

/* In the child of a fork of the program's: the snapshot is not its own. */
static void forget(void) {
    b.child.pid = 0;
    if (b.phase != IDLE) end_snapshot();
}

/* ---- the beginning ---- */

static size_t bytes_in_use(void) {
    hwr_raw_stats stats;
    hwr_raw_get_stats(hwri_python_memory, &stats);
    return stats.committed;
}

static enum reason reason_of(enum hwri_spare spare) {
    switch (spare) {
    case HWRI_SPARE_NO_PROCESSOR: return NO_PROCESSOR;
    case HWRI_SPARE_BUSY: return BUSY;
    case HWRI_SPARE_LIMITED: return LIMITED;
    case HWRI_SPARE_NO_MEMORY: return NO_MEMORY;
    default: return BESIDE;
    }
}

static bool counts_down(unsigned *count) { return *count != 0 && (*count)-- != 0; }

static bool is_large(const hwri_takeover *t) { return (size_t)(t->total + t->pending) >= b.limit; }

static bool is_debugging(const hwri_takeover *t) { return (t->gc->debug | t->debug) != 0; }

static enum reason why_in_place(const hwri_takeover *t) {
    if (b.mode == HWRI_GC_IN_PLACE) return IN_PLACE_WANTED;
    if (b.on_valgrind) return VALGRIND;
    if (!b.allocator_is_ours) return OTHER_ALLOCATOR;
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) return SUBINTERPRETER;
    if (is_debugging(t)) return DEBUGGING;
    if (!is_large(t)) return SMALL;
    if (counts_down(&b.put_off)) return FAILED_BEFORE;
    if (b.child.pid != 0) return STILL_THERE;
    if (b.many_foreign) {
        b.many_foreign = false;
        return FOREIGN;
    }
    return BESIDE;
}

/* The tables of the child take an eighth of the heap, and more than that may be copied. */
static enum reason what_is_missing(void) {
    if (b.mode == HWRI_GC_BESIDE) return BESIDE;
    return counts_down(&b.busy_for) ? BUSY : reason_of(hwri_spare(bytes_in_use() / 2));
}

/* The addresses of all blocks that the pool's map covers. */
static void find_extent(uintptr_t *base, size_t *size) {
    hwr_pool *pool = hwri_domains[HWRI_OBJ].pool;
    uintptr_t end = 0;
    *base = UINTPTR_MAX;
    hwri_pool_lock(pool);
    for (size_t i = 0; i < pool->chunk_count; i++) {
        const hwri_chunk *chunk = pool->chunks[i];
        if (!chunk->in_window) continue;
        if ((uintptr_t)chunk->base < *base) *base = (uintptr_t)chunk->base;
        if ((uintptr_t)chunk->base + chunk->size > end) end = (uintptr_t)chunk->base + chunk->size;
    }
    hwri_pool_unlock(pool);
    *size = end > *base ? end - *base : 0;
}

static void search_in_child(void *search) {
    if (b.hooks.crash) raise(SIGSEGV), abort();
    if (b.hooks.starves) setrlimit(RLIMIT_AS, &(struct rlimit){0, 0});
    for (long i = 0; i < b.hooks.delay_ms || b.hooks.hang; i++) {
        nanosleep(&(struct timespec){0, 1000000}, NULL);
        hwri_child_check(b.child.findings);
    }
    hwri_candidates_find(search);
}

static bool prepare_snapshot(hwri_takeover *t) {
    hwri_takeover_settle(t);
    if (b.memory == NULL) b.memory = hwr_pool_open(NULL);
    size_t objects = (size_t)(t->gc->long_lived_total + t->gc->long_lived_pending);
    if (b.memory == NULL || !hwri_child_prepare(&b.child, objects + objects / 4 + SPARE_WORDS)) return false;
    memcpy(b.child.findings->held, b.held, sizeof b.held);
    b.search = (struct hwri_candidates_search){
        .list = &t->generations[HWRI_FULL], .memory = b.memory, .findings = b.child.findings, .lies = b.hooks.lies};
    find_extent(&b.search.base, &b.search.size);
    return b.hooks.unrecorded || hwri_freed_start();
}

static enum reason take_snapshot(hwri_takeover *t) {
    if (!prepare_snapshot(t)) {
        end_snapshot();
        return NO_MEMORY;
    }
    b.started = hwri_now();
    if (b.hooks.clone_fails || hwri_child_start(&b.child, search_in_child, &b.search) != 0) {
        end_snapshot();
        return NO_CHILD;
    }
    uint64_t took = hwri_now() - b.started;
    if (took > b.did.longest_snapshot) b.did.longest_snapshot = took;
    b.did.snapshots++;
    hwri_pause_was(&t->pause, HWRI_PAUSE_SNAPSHOT);
    set_pending_aside(t->gc);
    b.phase = SEARCHING;
    return BESIDE;
}

/* ---- what the child is doing ---- */

static void begin_taking(hwri_takeover *t) {
    const struct hwri_findings *f = b.child.findings;
    b.phase = TAKING;
    b.next = b.hint = 0;
    b.pending_then = t->gc->long_lived_pending;
    b.failures = 0;
    memcpy(b.held, f->held, sizeof b.held);
    t->gc->long_lived_total = (Py_ssize_t)(f->members + f->foreign - f->candidates);
    b.many_foreign = f->foreign > f->members / 16;
    if (b.mode == HWRI_GC_AUTO && f->cpu < f->wall / 4 * 3) b.busy_for = 4;
    b.did.found++;
    b.did.fruitful += f->candidates != 0;
    b.did.candidates += f->candidates;
    b.did.components += f->components;
    if (f->largest > b.did.largest) b.did.largest = f->largest;
}

static bool is_late(void) { return hwri_now() - b.started > least_limit + (uint64_t)b.objects * limit_an_object; }

static void look_at_child(hwri_takeover *t) {
    bool ended = hwri_child_has_ended(&b.child);
    unsigned state = atomic_load(&b.child.findings->state);
    if (ended) b.did.child_cpu += b.child.cpu;
    if (state == HWRI_FOUND)
        begin_taking(t);
    else if (state == HWRI_NO_MEMORY)
        lose(t, WITHOUT_MEMORY);
    else if (ended)
        lose(t, DIED);
    else if (is_late())
        lose(t, SLOW);
}

/* The program has run so far ahead that it has to wait. */
static void wait_for_child(hwri_takeover *t) {
    uint64_t start = hwri_now();
    for (; b.phase == SEARCHING; look_at_child(t)) nanosleep(&(struct timespec){0, (long)poll_time}, NULL);
    uint64_t took = hwri_now() - start;
    if (took > b.did.longest_wait) b.did.longest_wait = took;
    b.did.waits++;
    hwri_pause_was(&t->pause, HWRI_PAUSE_WAIT);
}

/* ---- taking what it found ---- */

static PyObject *object_of_word(uintptr_t word) { return (PyObject *)(word & ~(uintptr_t)HWRI_WORD_FLAGS); }

/* A block that was not freed still holds an object, perhaps another one: then that can be proved not to be garbage. */
static bool is_still_there(uintptr_t word) {
    PyObject *object = object_of_word(word);
    const char *block = (const char *)hwri_head_of(object) - (word & HWRI_WORD_AHEAD ? sizeof(PyGC_Head) : 0);
    return (b.hooks.unrecorded || !hwri_freed_has(block)) && hwri_is_tracked(object);
}

static void take_batch(hwri_takeover *t) {
    const struct hwri_findings *f = b.child.findings;
    PyGC_Head batch;
    size_t count = 0;
    uintptr_t word = 0;
    hwri_list_open(&batch);
    while (b.next < f->candidates && (count < BATCH || !(word & HWRI_WORD_LAST))) {
        word = f->words[b.next++];
        if (!is_still_there(word)) {
            b.did.freed++;
            continue;
        }
        hwri_list_move(&batch, hwri_head_of(object_of_word(word)));
        count++;
    }
    b.work += count;
    Py_ssize_t before = t->collected;
    b.did.revived +=
        (unsigned long long)hwri_collect_candidates(t, &batch, &t->generations[HWRI_FULL], HWRI_UNTRACK_NOTHING);
    b.did.collected += (unsigned long long)(t->collected - before);
}

static void take_hints(void) {
    const struct hwri_findings *f = b.child.findings;
    for (int i = 0; i < BATCH && b.hint < f->untracked; i++) {
        uintptr_t word = f->words[f->room - ++b.hint];
        PyObject *object = object_of_word(word);
        if (!is_still_there(word) || !hwri_needs_no_tracking(object)) continue;
        PyObject_GC_UnTrack(object);
        b.did.untracked++;
    }
}

/* One step of the work that is left, if there is any. Finalizers may put an end to it. */
static bool take_some(hwri_takeover *t, uint64_t until) {
    if (!hwri_list_is_empty(&t->condemned))
        b.work += hwri_clear_condemned(t, until);
    else if (b.phase != TAKING)
        return false;
    else if (b.next < b.child.findings->candidates)
        take_batch(t);
    else if (b.hint < b.child.findings->untracked)
        take_hints();
    else
        end_snapshot();
    return true;
}

/* A quarter of the time that the program has run since the last slice, so that it hardly notices; as much, when half of what may wait does, or soon
 * more will. */
static uint64_t time_for_slice(const hwri_takeover *t, uint64_t ran) {
    bool hurries =
        b.phase != IDLE ? t->gc->long_lived_pending > ceiling() / 2 : t->recent_count > hwri_recent_round() / 2;
    uint64_t time = hurries ? ran : ran / 4, most = hurries ? hurried_slice_time : slice_time;
    return time < most ? time : most;
}

/* How much a slice has to do, however long that takes: when more waits than may, sixteen candidates for each object that has been added. */
static size_t least_work(const hwri_takeover *t) {
    Py_ssize_t pending = t->gc->long_lived_pending, added = pending - b.pending_then;
    b.pending_then = pending;
    return b.phase != IDLE && pending > ceiling() && added > 0 ? (size_t)added * 16 * 2 : 0;
}

static void take_slice(hwri_takeover *t) {
    uint64_t start = hwri_now(), until = start + time_for_slice(t, start - b.slice_ended);
    size_t enough = b.work + least_work(t);
    while (take_some(t, until) && (hwri_now() < until || b.work < enough)) continue;
    b.slice_ended = hwri_now();
    if (b.slice_ended - start > b.did.longest_slice) b.did.longest_slice = b.slice_ended - start;
    hwri_pause_was(&t->pause, HWRI_PAUSE_SLICE);
}

static void catch_up(hwri_takeover *t) {
    if (b.phase == SEARCHING) wait_for_child(t);
    while (take_some(t, HWRI_NEVER)) continue;
}

static bool has_work(const hwri_takeover *t) { return b.phase == TAKING || !hwri_list_is_empty(&t->condemned); }

/* ---- collections ---- */

/* In the place of a full collection, of which CPython's counts know already. */
static void collect_younger(hwri_takeover *t) {
    hwri_gc_state *gc = t->gc;
    t->generation = HWRI_FULL - 1;
    t->untracks_dicts = true;
    gc->long_lived_total = t->total;
    if (b.hooks.eager == 0)
        hwri_young_collect(t);
    else
        hwri_young_pass_by(t);
    gc->generation_stats[HWRI_FULL - 1].collected -= t->collected;
    gc->generation_stats[HWRI_FULL - 1].uncollectable -= t->uncollectable;
    gc->generation_stats[HWRI_FULL].collected += t->collected;
    gc->generation_stats[HWRI_FULL].uncollectable += t->uncollectable;
    t->untracks_dicts = false;
    t->generation = HWRI_FULL;
}

static void collect_full_in_place(hwri_takeover *t, enum reason reason) {
    b.did.last = reason;
    b.did.in_place[reason]++;
    Py_ssize_t collected = t->collected, uncollectable = t->uncollectable;
    t->generation = HWRI_FULL;
    hwri_collect_in_place(t);
    t->collected += collected;
    t->uncollectable += uncollectable;
}

/* Only one child at a time, and one that is not wanted any more takes a while to end. */
static bool has_to_wait(const hwri_takeover *t) {
    reap();
    return b.phase != IDLE || (b.child.pid != 0 && t->pending < t->total / 2 * 3 + LITTLE);
}

/* A machine that is busy now may not be so a moment later, and a full collection in place is no better for being early. */
static bool can_wait(const hwri_takeover *t, enum reason reason) {
    return reason == BUSY && t->pending < t->total / 2 * 3;
}

/* CPython collects when a quarter is new. A picture of a whole heap costs memory and time of another processor, so as much is to be new as is known to live; what dies
 * before that is mostly found while it is recent. */
static bool is_too_early(const hwri_takeover *t) { return t->pending < t->total && b.hooks.eager == 0; }

static void collect_full(hwri_takeover *t) {
    enum reason reason = has_to_wait(t) ? BESIDE : why_in_place(t);
    bool too_early = reason == BESIDE && (has_to_wait(t) || is_too_early(t));
    if (reason == BESIDE && !too_early) reason = what_is_missing();
    t->collected = t->uncollectable = 0;
    if (too_early || can_wait(t, reason)) {
        collect_younger(t);
        b.did.put_off++;
        return;
    }
    if (reason == BESIDE) {
        collect_younger(t);
        reason = take_snapshot(t);
        b.did.last = reason;
    }
    if (reason != BESIDE) collect_full_in_place(t, reason);
}

static void look_after_snapshot(hwri_takeover *t) {
    if (b.phase == SEARCHING) look_at_child(t);
    if (b.hooks.waits) catch_up(t), hwri_child_await_end(&b.child);
    if (b.phase == SEARCHING && t->gc->long_lived_pending > ceiling()) {
        wait_for_child(t);
        if (b.phase == IDLE) collect_full_in_place(t, CEILING);
    }
    if (has_work(t)) take_slice(t);
    if (b.phase == IDLE) reap();
}

/* CPython collects the oldest generation by itself under these conditions only. */
static bool is_automatic(const hwri_takeover *t) {
    if (t->asked || Py_IsFinalizing()) return false;
    return t->generation < HWRI_FULL ||
           (t->full_due > t->gc->generations[HWRI_FULL].threshold && t->pending >= t->total / 4);
}

/* A test: as if the oldest generation were due. */
static void make_full(hwri_takeover *t) {
    static long collections;
    if (++collections % b.hooks.eager != 0) return;
    if (t->generation < HWRI_FULL) t->pending = t->gc->long_lived_pending, t->total = t->gc->long_lived_total;
    t->generation = HWRI_FULL;
}

void hwri_collect(hwri_takeover *t) {
    bool is_main = b.search.list == NULL || b.search.list == &t->generations[HWRI_FULL];
    if (!is_automatic(t)) {
        if (t->generation == HWRI_FULL || Py_IsFinalizing()) {
            hwri_beside_give_up(t);
            hwri_clear_condemned(t, HWRI_NEVER);
        }
        hwri_collect_in_place(t);
        return;
    }
    if (b.hooks.eager != 0 && b.phase == IDLE) make_full(t);
    t->sorts_recent = is_main && b.mode != HWRI_GC_IN_PLACE && is_large(t) && !is_debugging(t);
    if (t->generation == HWRI_FULL && is_main)
        collect_full(t);
    else if (t->sorts_recent)
        hwri_young_collect(t);
    else
        hwri_collect_in_place(t);
    if (t->sorts_recent) hwri_recent_collect(t, b.least_round, b.most_round);
    if (is_main) look_after_snapshot(t);
}

/* ---- exec ---- */

/* A process that shares its table of open files gets a new one at exec, and its locks on files stay with the old: so the child must
 * be gone. */
static PyCFunction original_execv, original_execve;

static void end_child(void) {
    if (b.child.pid == 0) return;
    if (b.phase != IDLE) hwri_beside_give_up(hwri_takeover_of_caller());
    hwri_child_stop(&b.child);
    hwri_child_await_end(&b.child);
}

typedef PyObject *fast_function(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
typedef PyObject *keyword_function(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names);

static PyObject *execv_alone(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
    end_child();
    return ((fast_function *)(void (*)(void))original_execv)(module, arguments, count);
}

static PyObject *execve_alone(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
    end_child();
    return ((keyword_function *)(void (*)(void))original_execve)(module, arguments, count, names);
}

static void replace(const char *name, int flags, PyCFunction *original, PyCFunction ours) {
    PyMethodDef *method = hwri_method_find("posix", name, flags);
    if (method == NULL) return;
    *original = method->ml_meth;
    method->ml_meth = ours;
}

/* ---- starting ---- */

static void read_hooks(void) {
    const char *asked = getenv("HEAPWRIGHT_GC_TEST"), *limit = getenv("HEAPWRIGHT_GC_LIMIT"), *delay;
    b.limit = limit != NULL && *limit != '\0' ? strtoul(limit, NULL, 10) : LIMIT;
    b.least_round = LEAST_ROUND;
    b.most_round = MOST_ROUND;
    if (asked == NULL) return;
    b.hooks.unrecorded = strstr(asked, "unrecorded") != NULL;
    b.hooks.clone_fails = strstr(asked, "no-child") != NULL;
    b.hooks.crash = strstr(asked, "crash") != NULL;
    b.hooks.hang = strstr(asked, "hang") != NULL;
    b.hooks.starves = strstr(asked, "starves") != NULL;
    if ((delay = strstr(asked, "eager=")) != NULL) b.hooks.eager = strtol(delay + 6, NULL, 10);
    if ((delay = strstr(asked, "round=")) != NULL) b.least_round = b.most_round = strtol(delay + 6, NULL, 10);
    b.hooks.waits = strstr(asked, "waits") != NULL;
    b.hooks.lies = strstr(asked, "lies") != NULL;
    if ((delay = strstr(asked, "delay=")) != NULL) b.hooks.delay_ms = strtol(delay + 6, NULL, 10);
}

/* Valgrind, which ends a program that calls clone in this way, preloads an object of its own into each. */
static bool is_on_valgrind(void) {
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded != NULL && strstr(preloaded, "vgpreload_") != NULL;
}

void hwri_beside_open(enum hwri_gc_mode mode, bool allocator_is_ours) {
    b.mode = mode;
    b.allocator_is_ours = allocator_is_ours;
    b.on_valgrind = is_on_valgrind();
    hwri_spare_open();
    read_hooks();
    pthread_atfork(NULL, NULL, forget);
    replace("execv", METH_FASTCALL, &original_execv, (PyCFunction)(void (*)(void))execv_alone);
    replace("execve", METH_FASTCALL | METH_KEYWORDS, &original_execve, (PyCFunction)(void (*)(void))execve_alone);
}

/* ---- telling ---- */

static double ms(uint64_t nanoseconds) { return (double)nanoseconds * 1e-6; }

static void write_report(FILE *out) {
    static const char *const modes[] = {"inplace", "beside", "auto"};
    fprintf(out, "{\"mode\": \"%s\", \"out\": %s, \"snapshots\": %llu, \"found\": %llu, \"fruitful\": %llu",
            modes[b.mode], b.phase != IDLE ? "true" : "false", b.did.snapshots, b.did.found, b.did.fruitful);
    for (int i = 0; i < LOSSES; i++) fprintf(out, ", \"%s\": %llu", loss_names[i], b.did.lost[i]);
    fprintf(out, ", \"young_unexamined\": %llu", hwri_young_passed());
    const struct hwri_recent_done *recent = hwri_recent_done();
    fprintf(
        out,
        ", \"recent_rounds\": %llu, \"recent_examined\": %llu, \"recent_collected\": %llu, \"longest_recent_ms\": %.3f",
        recent->rounds, recent->examined, recent->collected, ms(recent->longest));
    fprintf(out, ", \"candidates\": %llu, \"components\": %llu, \"largest_component\": %llu, \"freed_meanwhile\": %llu",
            b.did.candidates, b.did.components, b.did.largest, b.did.freed);
    fprintf(out, ", \"collected\": %llu, \"revived\": %llu, \"untracked\": %llu, \"put_off\": %llu, \"waits\": %llu",
            b.did.collected, b.did.revived, b.did.untracked, b.did.put_off, b.did.waits);
    fprintf(out,
            ", \"longest_slice_ms\": %.3f, \"longest_snapshot_ms\": %.3f, \"longest_wait_ms\": %.3f, \"child_cpu_ms\": "
            "%.3f",
            ms(b.did.longest_slice), ms(b.did.longest_snapshot), ms(b.did.longest_wait), ms(b.did.child_cpu));
    const char *comma = "";
    fprintf(out, ", \"in_place\": {");
    for (int i = 0; i < REASONS; i++) {
        if (b.did.in_place[i] == 0) continue;
        fprintf(out, "%s\"%s\": %llu", comma, reason_texts[i], b.did.in_place[i]);
        comma = ", ";
    }
    fprintf(out, "}, \"last_in_place_because\": \"%s\"}", reason_texts[b.did.last]);
}

int hwri_host_gc_report(char *buffer, size_t size) {
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (out != NULL) write_report(out), fclose(out);
    int written = snprintf(buffer, size, "%s", text != NULL ? text : "{}");
    free(text);
    return written;
}
