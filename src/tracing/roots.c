/* Where a collection starts from: frames, registered slots and callbacks, exactly; stacks and registers, by what their words could mean. */
#include "tracing/tracing.h"

#include "tracing/stack.h"

/* ---- exact ---- */

bool hwr_root_add(hwr_heap *heap, void *slot) {
    hwri_tracing *t = heap->tracing;
    if (!t) return true;
    hwri_mutex_lock(&t->lock);
    bool is_new = true;
    for (size_t i = 0; i < t->slots.count; i++) is_new &= t->slots.items[i] != slot;
    bool added = is_new && hwri_pointers_push(t->heap->blocks, &t->slots, slot);
    hwri_mutex_unlock(&t->lock);
    return added;
}

bool hwr_root_remove(hwr_heap *heap, void *slot) {
    hwri_tracing *t = heap->tracing;
    if (!t) return true;
    hwri_mutex_lock(&t->lock);
    bool found = false;
    for (size_t i = t->slots.count; i-- > 0 && !found;) {
        found = t->slots.items[i] == slot;
        if (found) t->slots.items[i] = t->slots.items[--t->slots.count];
    }
    hwri_mutex_unlock(&t->lock);
    return found;
}

bool hwr_roots_add(hwr_heap *heap, hwr_root_callback show, void *context) {
    hwri_tracing *t = heap->tracing;
    if (!t) return true;
    hwri_mutex_lock(&t->lock);
    hwri_root_show *shows = hwr_pool_realloc(heap->blocks, t->shows, (t->show_count + 1) * sizeof *shows);
    if (shows) {
        t->shows = shows;
        shows[t->show_count++] = (hwri_root_show){show, context};
    }
    hwri_mutex_unlock(&t->lock);
    return shows != NULL;
}

bool hwr_roots_remove(hwr_heap *heap, hwr_root_callback show, void *context) {
    hwri_tracing *t = heap->tracing;
    if (!t) return true;
    hwri_mutex_lock(&t->lock);
    bool found = false;
    for (size_t i = t->show_count; i-- > 0 && !found;) {
        found = t->shows[i].show == show && t->shows[i].context == context;
        if (found) t->shows[i] = t->shows[--t->show_count];
    }
    hwri_mutex_unlock(&t->lock);
    return found;
}

typedef struct root_visitor {
    hwr_visitor visitor;
    hwri_slot_visit visit;
    void *context;
} root_visitor;

static void visit_shown(hwr_visitor *visitor, void *field) {
    root_visitor *v = (root_visitor *)(void *)visitor;
    v->visit(v->context, field);
}

void hwri_each_exact_root(hwri_tracing *t, hwri_slot_visit visit, void *context) {
    for (const hwri_mutator *m = t->threads; m; m = m->next)
        for (hwr_frame *frame = m->face.frames; frame; frame = frame->previous)
            for (size_t i = 0; i < frame->count; i++) visit(context, (void **)(void *)(frame + 1) + i);
    for (size_t i = 0; i < t->slots.count; i++) visit(context, t->slots.items[i]);
    for (size_t i = 0; i < t->immortals.count; i++) visit(context, &t->immortals.items[i]);
    root_visitor v = {{visit_shown}, visit, context};
    for (size_t i = 0; i < t->show_count; i++) t->shows[i].show(t->heap, &v.visitor, t->shows[i].context);
}

/* ---- ambiguous ---- */

/* Nobody knows what the compiler put there, nor whether the rest of a frame has ever been written. */
#if defined(__GNUC__)
__attribute__((no_sanitize("address", "thread")))
#endif
static void
each_word(uintptr_t from, uintptr_t to, hwri_word_visit visit, void *context) {
    for (const uintptr_t *word = (const uintptr_t *)(from & ~(uintptr_t)(sizeof from - 1)); (uintptr_t)(word + 1) <= to;
         word++)
        visit(context, *(const volatile uintptr_t *)word);
}

void hwri_each_ambiguous_root(hwri_tracing *t, hwri_word_visit visit, void *context) {
    for (const hwri_mutator *m = t->threads; m; m = m->next) {
        for (size_t i = 0; i < HWRI_SAVED_WORDS; i++) visit(context, m->saved[i]);
        uintptr_t end = m->coroutine ? (uintptr_t)m->coroutine->low + m->coroutine->size : m->stack_base;
        each_word(m->stack_pointer, end, visit, context);
        if (m->coroutine) each_word(m->coroutine->thread_pointer, m->stack_base, visit, context);
    }
    for (const hwr_stack *stack = t->stacks; stack; stack = stack->next)
        if (!stack->runs) each_word((uintptr_t)stack->pointer, (uintptr_t)stack->low + stack->size, visit, context);
}
