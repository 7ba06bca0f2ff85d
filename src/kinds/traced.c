/* traced: what the kinds need on a tracing heap.
 *
 * They hold objects in local variables, so they need a heap that scans stacks. What they share is shown to each collection as roots. Objects are made in the room that the calling thread has at hand, where there is
 * some; otherwise the long way, which may collect, but in the middle of a change runs no code of the program's: weak references are called back by a later collection.
 *
 * Interned strs are in a table that does not keep them (intern.c). After a collection those that were not reached leave it, and those that have moved are noted anew: all that may have, and no others, are
 * in a list of those that were young when they were interned. After one of everything the whole table is gone through.
 *
 * Several threads may use the kinds at once, and each object as they agree. What they share themselves, the table of interned strs and the trees of shapes, is changed under a lock, under which nobody
 * makes an object: a thread that waits for the lock cannot stop for a collection. */
#include "kinds/kinds.h"
#include "tracing/tracing.h"

struct hwri_traced_kinds {
    hwri_mutex lock;
    hwri_pointers young; /* interned strs that may move; what does not fit is noted by `lost` */
    bool lost;
};

/* ---- making objects ---- */

#if defined(__GNUC__) && !defined(_WIN32)
static inline uint64_t *traced_at_hand(const hwr_heap *heap, size_t size) {
    hwri_thread *thread = hwri_here;
    uintptr_t start = thread->bump;
    if (thread->heap != heap || heap->checked || heap->stress || size > HWRI_MEDIUM_MOST - 8) return NULL;
    if (start + size > __atomic_load_n(&thread->limit, __ATOMIC_RELAXED)) return NULL;
    thread->bump = start + size;
    return (uint64_t *)start;
}
static inline uint64_t traced_birth(void) { return hwri_here->birth; }
#else
static inline uint64_t *traced_at_hand(const hwr_heap *heap, size_t size) { return (void)heap, (void)size, NULL; }
static inline uint64_t traced_birth(void) { return 0; }
#endif

void *hwri_traced_leaf(hwr_heap *heap, const hwr_type *type, size_t size) {
    size_t taken = (size + 7) / 8 * 8 + HWRI_HEADER_SIZE;
    uint64_t *header = size <= PTRDIFF_MAX / 2 ? traced_at_hand(heap, taken) : NULL;
    if (hwri_unlikely(!header))
        return hwr_new_items(heap, type, type->item_size ? (size - hwri_size_with(type, 0)) / type->item_size : 0);
    *header = traced_birth() | (uint64_t)(uintptr_t)type | HWRI_UNTRACKED;
    return header + 1;
}

static void *new_slowly(hwr_heap *heap, const hwr_type *type, size_t length) {
    hwri_mutator *me = hwri_mutator_here(heap);
    if (!me) return NULL;
    me->quiet = true;
    void *object = hwri_traced_make(heap, type, length, "hwr_new_items", __builtin_return_address(0));
    me->quiet = false;
    if (hwri_life_is_behind(heap->tracing))
        __atomic_store_n(&me->face.limit, 0, __ATOMIC_RELAXED); /* so that the next one catches up */
    return object;
}

void *hwri_traced_quietly(hwr_heap *heap, const hwr_type *type, size_t length) {
    size_t size = hwri_taken_by(type, length);
    uint64_t *header = traced_at_hand(heap, size);
    if (hwri_unlikely(!header)) return new_slowly(heap, type, length);
    *header = traced_birth() | (uint64_t)(uintptr_t)type | (hwri_is_tracked_type(type) ? 0 : HWRI_UNTRACKED);
    if (hwri_has_references(type)) memset(header + 1, 0, size - HWRI_HEADER_SIZE);
    if (type->item_size) memcpy((char *)(header + 1) + type->length_offset, &length, sizeof length);
    return header + 1;
}

/* ---- what they share ---- */

static void show_shared(hwr_heap *heap, hwr_visitor *visitor, void *context) {
    struct hwri_kinds *kinds = context;
    (void)heap;
    HWR_VISIT(visitor, kinds->none);
    for (unsigned i = 0; i < 2; i++) HWR_VISIT(visitor, kinds->bools[i]);
    HWR_VISIT(visitor, kinds->empty_str);
    HWR_VISIT(visitor, kinds->empty_bytes);
    HWR_VISIT(visitor, kinds->empty_tuple);
    for (unsigned i = 0; i < sizeof kinds->ints / sizeof kinds->ints[0]; i++) HWR_VISIT(visitor, kinds->ints[i]);
    for (unsigned i = 0; i < 256; i++) HWR_VISIT(visitor, kinds->characters[i]);
}

bool hwri_traced_kinds_open(hwr_heap *heap, struct hwri_kinds *kinds) {
    if (!heap->tracing->scans_stacks) return false;
    kinds->traced = hwr_alloc(heap, sizeof *kinds->traced);
    if (!kinds->traced) return false;
    *kinds->traced = (struct hwri_traced_kinds){.lost = false};
    hwri_mutex_init(&kinds->traced->lock);
    return hwr_roots_add(heap, show_shared, kinds);
}

/* Of those that were not opened completely, too. */
void hwri_traced_kinds_close(hwr_heap *heap, struct hwri_kinds *kinds) {
    if (!kinds->traced) return;
    hwr_roots_remove(heap, show_shared, kinds);
    hwri_mutex_destroy(&kinds->traced->lock);
    hwr_free(heap, kinds->traced);
}

void hwri_kinds_lock(hwr_heap *heap) {
    if (heap->tracing) hwri_mutex_lock(&heap->kinds->traced->lock);
}
void hwri_kinds_unlock(hwr_heap *heap) {
    if (heap->tracing) hwri_mutex_unlock(&heap->kinds->traced->lock);
}

/* ---- interned strs ---- */

void hwri_traced_interned(hwr_heap *heap, void *text) {
    struct hwri_traced_kinds *kinds = heap->kinds->traced;
    if (!hwri_is_young(heap->tracing, text)) return;
    if (!hwri_pointers_push(heap->blocks, &kinds->young, text)) kinds->lost = true;
}

static void *reached_str(void *context, void *text) {
    return hwri_is_reached(context, text) ? hwri_where(context, text) : NULL;
}

static void note_young(void *context, void *text) {
    hwri_tracing *t = context;
    hwri_traced_interned(t->heap, text);
}

static void go_through_all(hwri_tracing *t) {
    struct hwri_traced_kinds *kinds = t->heap->kinds->traced;
    kinds->young.count = 0;
    kinds->lost = false;
    hwri_interned_review(t->heap, reached_str, note_young, t);
}

/* A str that has moved can be read where it was: nothing in it is written over but the header. */
static void go_through_young(hwri_tracing *t) {
    hwri_pointers *young = &t->heap->kinds->traced->young;
    size_t kept = 0;
    for (size_t i = 0; i < young->count; i++) {
        void *text = young->items[i], *now = reached_str(t, text);
        hwri_interned_moves(t->heap, text, now);
        if (now && hwri_is_young(t, now)) young->items[kept++] = now;
    }
    young->count = kept;
}

void hwri_kinds_after(hwri_tracing *t) {
    const struct hwri_kinds *kinds = t->heap->kinds;
    if (!kinds || !kinds->interned) return;
    if (t->phase != HWRI_COPYING || kinds->traced->lost)
        go_through_all(t);
    else
        go_through_young(t);
}
