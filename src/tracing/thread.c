/* Threads, and stopping them. A thread stops by itself, at an allocation that needs more room than it has at hand, or when it polls; who wants to collect takes away the room at hand and waits. A thread that has left is not waited
 * for: it cannot come back before the collection is over. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* pthread_getattr_np */
#endif
#include "tracing/stack.h"

#include <setjmp.h>

static hwri_thread no_thread;
#if defined(__GNUC__) && !defined(_WIN32)
__thread __attribute__((tls_model("initial-exec"))) hwri_thread *hwri_here = &no_thread;
#endif

/* ---- the thread at hand ---- */

static hwri_mutator *find_mutator(const hwri_tracing *t, uintptr_t token) {
    hwri_mutator *m = t->threads;
    while (m && m->token != token) m = m->next;
    return m;
}

hwri_mutator *hwri_mutator_here(hwr_heap *heap) {
    if (hwri_here->heap == heap) return (hwri_mutator *)(void *)hwri_here;
    hwri_tracing *t = heap->tracing;
    hwri_mutex_lock(&t->lock);
    hwri_mutator *m = find_mutator(t, hwri_thread_token());
    hwri_mutex_unlock(&t->lock);
    if (m) hwri_here = &m->face;
    return m;
}

hwri_thread *hwri_thread_attached(hwr_heap *heap) {
    hwri_mutator *m = hwri_mutator_here(heap);
    return m ? &m->face : &no_thread;
}

/* ---- registers and stacks ---- */

/* Registers that a called function keeps, if it has not put them on the stack: all others have been by the time this is called. */
__attribute__((noinline)) void hwri_note_stack(hwri_mutator *me) {
    me->stack_pointer = (uintptr_t)__builtin_frame_address(0);
#if defined(__x86_64__)
    __asm__ volatile("movq %%rbx, 0(%0)\n\tmovq %%rbp, 8(%0)\n\tmovq %%r12, 16(%0)\n\tmovq %%r13, 24(%0)\n\t"
                     "movq %%r14, 32(%0)\n\tmovq %%r15, 40(%0)"
                     :
                     : "r"(me->saved)
                     : "memory");
#elif defined(__aarch64__)
    __asm__ volatile("stp x19, x20, [%0]\n\tstp x21, x22, [%0, 16]\n\tstp x23, x24, [%0, 32]\n\t"
                     "stp x25, x26, [%0, 48]\n\tstp x27, x28, [%0, 64]\n\tstr x29, [%0, 80]"
                     :
                     : "r"(me->saved)
                     : "memory");
#else
    jmp_buf saved;
    setjmp(saved);
    memcpy(me->saved, saved, sizeof saved < sizeof me->saved ? sizeof saved : sizeof me->saved);
#endif
}

/* The highest address of the calling thread's stack; 0 if the system does not say. */
static uintptr_t stack_base(void) {
#if defined(__linux__)
    pthread_attr_t attributes;
    void *low = NULL;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return 0;
    if (pthread_attr_getstack(&attributes, &low, &size) != 0) low = NULL;
    pthread_attr_destroy(&attributes);
    return low ? (uintptr_t)low + size : 0;
#else
    return 0;
#endif
}

/* ---- attaching ---- */

static void forget(hwri_tracing *t, hwri_mutator *m) {
    hwri_mutator **link = &t->threads;
    while (*link != m) link = &(*link)->next;
    *link = m->next;
    hwri_mutator_settle(m);
    t->allocated_by_ended += m->allocated;
    for (size_t i = 0; i < m->remembered.count; i++) {
        if (hwri_pointers_push(t->heap->blocks, &t->remembered, m->remembered.items[i])) continue;
        const void *object = m->remembered.items[i];
        if (hwri_header_now(object) & HWRI_LARGE) continue;
        __atomic_store_n(&hwri_block_info_of(hwri_header(object))->dirty, true, __ATOMIC_RELAXED);
    }
    hwri_pointers_free(t->heap->blocks, &m->remembered);
    hwr_pool_free(t->heap->blocks, m);
}

static void thread_of_heap_ends(hwri_attachment *attachment) {
    hwri_mutator *m = (hwri_mutator *)(void *)((char *)attachment - offsetof(hwri_mutator, attachment));
    hwri_tracing *t = m->face.heap->tracing;
    if (hwri_here == &m->face) hwri_here = &no_thread;
    hwri_note_stack(m);
    hwri_mutex_lock(&t->lock);
    hwri_park(t, m);
    forget(t, m);
    pthread_cond_broadcast(&t->stopped);
    hwri_mutex_unlock(&t->lock);
}

/* Returns with the lock held, and no collection under way. */
static void lock_to_attach(hwri_tracing *t) {
    hwri_mutex_lock(&t->lock);
    while (t->collector) pthread_cond_wait(&t->resumed, &t->lock);
}

bool hwr_thread_attach(hwr_heap *heap) {
    hwri_tracing *t = heap->tracing;
    if (!t) return true;
    hwri_mutator *m = hwri_mutator_here(heap);
    if (m) {
        m->attached++;
        return true;
    }
    lock_to_attach(t);
    m = hwr_pool_alloc_zeroed(heap->blocks, 1, sizeof *m);
    hwri_mutex_unlock(&t->lock);
    if (!m) return false;
    *m = (hwri_mutator){.face.heap = heap, .attached = 1, .token = hwri_thread_token()};
    m->attachment.on_exit = thread_of_heap_ends;
    if (t->scans_stacks) m->stack_base = stack_base();
    if ((t->scans_stacks && !m->stack_base) || !hwri_thread_attach(&m->attachment)) {
        hwr_pool_free(heap->blocks, m);
        return false;
    }
    lock_to_attach(t);
    m->next = t->threads;
    t->threads = m;
    hwri_mutex_unlock(&t->lock);
    hwri_here = &m->face;
    return true;
}

void hwr_thread_detach(hwr_heap *heap) {
    hwri_mutator *m = heap->tracing ? hwri_mutator_here(heap) : NULL;
    if (!m || --m->attached) return;
    if (hwri_thread_detach(&m->attachment)) thread_of_heap_ends(&m->attachment);
}

bool hwri_threads_open(hwri_tracing *t) {
    hwri_mutex_init(&t->lock);
    pthread_cond_init(&t->stopped, NULL);
    pthread_cond_init(&t->resumed, NULL);
    return hwr_thread_attach(t->heap);
}

void hwri_threads_close(hwri_tracing *t) {
    while (t->threads) {
        hwri_mutator *m = t->threads;
        if (hwri_here == &m->face) hwri_here = &no_thread;
        hwri_thread_detach(&m->attachment);
        t->threads = m->next;
        hwri_pointers_free(t->heap->blocks, &m->remembered);
        hwr_pool_free(t->heap->blocks, m);
    }
    pthread_cond_destroy(&t->resumed);
    pthread_cond_destroy(&t->stopped);
    hwri_mutex_destroy(&t->lock);
}

/* ---- room ---- */

/* Others may read it meanwhile. */
void hwri_mutator_add(hwri_mutator *m, size_t bytes) {
    __atomic_store_n(&m->allocated, m->allocated + bytes, __ATOMIC_RELAXED);
}

void hwri_mutator_seal(const hwri_mutator *m) {
    if (m->face.bump < m->run_end) *(uint64_t *)m->face.bump = hwri_gap(m->run_end - m->face.bump);
}

void hwri_mutator_settle(hwri_mutator *m) {
    hwri_mutator_add(m, m->face.bump - m->counted);
    hwri_mutator_seal(m);
    m->face.bump = m->run_end = m->counted = 0;
    __atomic_store_n(&m->face.limit, 0, __ATOMIC_RELAXED);
}

void hwri_mutator_drop_old(hwri_mutator *m) { m->old = (hwri_room){0}; }

/* ---- stopping ---- */

static bool all_stopped(const hwri_tracing *t) {
    for (const hwri_mutator *m = t->threads; m; m = m->next)
        if (m->state == HWRI_RUNNING) return false;
    return true;
}

static void set_stopping(hwri_tracing *t, bool stopping) {
    __atomic_store_n(&t->heap->face.stopping, stopping, __ATOMIC_SEQ_CST);
}

bool hwri_park(hwri_tracing *t, hwri_mutator *me) {
    if (!t->collector) return false;
    me->state = HWRI_STOPPED;
    pthread_cond_broadcast(&t->stopped);
    while (t->collector) pthread_cond_wait(&t->resumed, &t->lock);
    me->state = HWRI_RUNNING;
    return true;
}

bool hwri_stop(hwri_tracing *t, hwri_mutator *me) {
    hwri_mutex_lock(&t->lock);
    if (hwri_park(t, me)) {
        hwri_mutex_unlock(&t->lock);
        return false;
    }
    t->collector = me;
    me->state = HWRI_STOPPED;
    set_stopping(t, true);
    for (hwri_mutator *m = t->threads; m; m = m->next) __atomic_store_n(&m->face.limit, 0, __ATOMIC_RELAXED);
    while (!all_stopped(t)) pthread_cond_wait(&t->stopped, &t->lock);
    for (hwri_mutator *m = t->threads; m; m = m->next) hwri_mutator_settle(m);
    return true;
}

void hwri_resume(hwri_tracing *t) {
    t->collector->state = HWRI_RUNNING;
    t->collector = NULL;
    set_stopping(t, false);
    pthread_cond_broadcast(&t->resumed);
    hwri_mutex_unlock(&t->lock);
}

void hwri_frame_push_slow(hwr_heap *heap, hwr_frame *frame, size_t slots) {
    hwri_traced_look(heap, NULL, "hwr_frame_push", __builtin_return_address(0));
    hwri_thread *thread = hwri_thread_attached(heap);
    *frame = (hwr_frame){thread->frames, slots};
    thread->frames = frame;
}

void hwri_frame_pop_slow(hwr_heap *heap, hwr_frame *frame) {
    hwri_thread *thread = hwri_thread_attached(heap);
    hwri_traced_look_frame(heap, thread, frame, __builtin_return_address(0));
    thread->frames = frame->previous;
}

void hwri_poll_slow(hwr_heap *heap) {
    hwri_mutator *me = hwri_mutator_here(heap);
    if (!me) return;
    hwri_note_stack(me);
    hwri_mutex_lock(&heap->tracing->lock);
    hwri_park(heap->tracing, me);
    hwri_mutex_unlock(&heap->tracing->lock);
}

/* This function's own frame will be gone while the thread is away, so what it holds of the caller's registers is saved. */
#if defined(__GNUC__)
__attribute__((noinline, no_sanitize("address", "thread")))
#endif
void hwr_leave(hwr_heap *heap) {
    hwri_tracing *t = heap->tracing;
    hwri_mutator *me = t ? hwri_mutator_here(heap) : NULL;
    if (!me) return;
    hwri_note_stack(me);
    const uintptr_t *from = (const uintptr_t *)me->stack_pointer, *to = __builtin_frame_address(0);
    for (size_t i = HWRI_REGISTERS; i < HWRI_SAVED_WORDS && from < to; i++) me->saved[i] = *from++;
    me->stack_pointer = (uintptr_t)from;
    hwri_mutex_lock(&t->lock);
    me->state = HWRI_AWAY;
    if (t->collector) pthread_cond_broadcast(&t->stopped);
    hwri_mutex_unlock(&t->lock);
}

void hwr_return(hwr_heap *heap) {
    hwri_tracing *t = heap->tracing;
    hwri_mutator *me = t ? hwri_mutator_here(heap) : NULL;
    if (!me) return;
    hwri_mutex_lock(&t->lock);
    while (t->collector) pthread_cond_wait(&t->resumed, &t->lock);
    me->state = HWRI_RUNNING;
    memset(me->saved, 0, sizeof me->saved);
    hwri_mutex_unlock(&t->lock);
}

/* ---- stacks of coroutines ---- */

hwr_stack *hwr_stack_register(hwr_heap *heap, void *low, size_t size) {
    hwri_tracing *t = heap->tracing;
    hwr_stack *stack = hwr_pool_alloc_zeroed(heap->blocks, 1, sizeof *stack);
    if (!stack) return NULL;
    *stack = (hwr_stack){.t = t, .low = low, .size = size, .pointer = low};
    if (!t) return stack;
    hwri_mutex_lock(&t->lock);
    stack->next = t->stacks;
    t->stacks = stack;
    hwri_mutex_unlock(&t->lock);
    return stack;
}

void hwr_stack_unregister(hwr_heap *heap, hwr_stack *stack) {
    hwri_tracing *t = heap->tracing;
    if (!stack) return;
    if (t) {
        hwri_mutex_lock(&t->lock);
        hwr_stack **link = &t->stacks;
        while (*link != stack) link = &(*link)->next;
        *link = stack->next;
        for (hwri_mutator *m = t->threads; m; m = m->next)
            if (m->coroutine == stack) m->coroutine = NULL;
        hwri_mutex_unlock(&t->lock);
    }
    hwr_pool_free(heap->blocks, stack);
}

/* Only the thread that switches may touch what it switches between. It cannot stop meanwhile. */
void hwr_stack_switched(hwr_heap *heap, hwr_stack *from, const void *stack_pointer, hwr_stack *to) {
    hwri_tracing *t = heap->tracing;
    hwri_mutator *me = t ? hwri_mutator_here(heap) : NULL;
    if (!me) return;
    uintptr_t of_thread = from ? from->thread_pointer : (uintptr_t)stack_pointer;
    if (from) {
        from->runs = false;
        from->pointer = stack_pointer;
    }
    if (to) {
        to->runs = true;
        to->thread_pointer = of_thread;
    }
    me->coroutine = to;
}
