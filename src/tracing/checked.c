/* A checked heap: the public calls that an ordinary heap has inline, with the thread and every object that is passed looked at first. What died is filled at the end of a collection, and whatever is free then has to be
 * as it was when the next one begins. */
#include "tracing/model.h"

#include "pool/misuse.h"

_Noreturn static void report_traced(const char *what, const void *object, bool known, const char *call,
                                    const void *site) {
    hwri_misuse misuse = {.what = what, .call = call, .address = object, .called_by = site};
    if (known) misuse.type = hwr_type_of(object)->name;
    hwri_misuse_abort(&misuse);
}

/* ---- threads, objects ---- */

static void look_at_thread(hwr_heap *heap, const char *call, const void *site) {
    const hwri_mutator *me = hwri_mutator_here(heap);
    if (!me) report_traced("use of a heap by a thread that is not attached to it", heap, false, call, site);
    if (me->state == HWRI_AWAY) report_traced("use of a heap by a thread that has left it", heap, false, call, site);
}

/* Not inside of a living one. */
static bool may_have_been_object(hwr_heap *heap, const void *address) {
    hwri_tracing *t = heap->tracing;
    hwri_mutex_lock(&t->lock);
    bool is_there = t->spaces->has(t, address) && !hwri_object_at(t, (uintptr_t)address);
    hwri_mutex_unlock(&t->lock);
    return is_there;
}

void hwri_traced_look(hwr_heap *heap, const void *object, const char *call, const void *site) {
    look_at_thread(heap, call, site);
    if (!object || hwri_is_traced_object(heap, object)) return;
    bool was = may_have_been_object(heap, object);
    report_traced(was ? "not a living object of this heap, but where one was that has died or moved"
                      : "not a living object of this heap",
                  object, false, call, site);
}

void hwri_traced_look_frame(hwr_heap *heap, const hwri_thread *thread, const hwr_frame *frame, const void *site) {
    look_at_thread(heap, "hwr_frame_pop", site);
    if (thread->frames != frame)
        report_traced("a frame that is not the thread's last", frame, false, "hwr_frame_pop", site);
}

/* ---- the calls ---- */

void hwri_traced_retain(hwr_heap *heap, const void *object, const void *site) {
    hwri_traced_look(heap, object, "hwr_retain", site);
}

void hwri_traced_release(hwr_heap *heap, const void *object, const void *site) {
    hwri_traced_look(heap, object, "hwr_release", site);
}

static void look_at_store(hwr_heap *heap, void *object, void *field, void *value, hwri_store how, const void *site) {
    static const char *const calls[] = {[HWRI_SET] = "hwr_set", [HWRI_GIVE] = "hwr_give", [HWRI_INIT] = "hwr_init"};
    hwri_traced_look(heap, object, calls[how], site);
    hwri_traced_look(heap, value, calls[how], site);
    size_t offset = (size_t)((uintptr_t)field - (uintptr_t)object);
    if (offset + sizeof value > hwri_object_size(object) || offset + sizeof value < offset)
        report_traced("a store outside the object that it names", object, true, calls[how], site);
    if (how == HWRI_INIT && *(hwri_slot *)field)
        report_traced("a field that is not empty", object, true, calls[how], site);
}

void hwri_traced_store(hwr_heap *heap, void *object, void *field, void *value, hwri_store how, const void *site) {
    if (heap->checked) look_at_store(heap, object, field, value, how, site);
    __atomic_store_n((hwri_slot *)field, value, __ATOMIC_RELEASE);
    if (hwri_header_now(object) & HWRI_TRACK && (uintptr_t)value - heap->face.young < heap->face.young_size)
        hwri_remember(heap, object, field);
}

/* ---- what died ---- */

void hwri_poison(uintptr_t from, uintptr_t to) { memset((void *)from, HWRI_POISON, to - from); }

static void poison_gap(void *context, uint64_t *header) {
    (void)context;
    if (hwri_is_gap(*header)) hwri_poison((uintptr_t)(header + 1), (uintptr_t)header + hwri_size_at(header));
}

static void poison_up_to(void *context, void *object) {
    uintptr_t *at = context, start = (uintptr_t)hwri_header(object);
    hwri_poison(*at, start);
    *at = start + hwri_size_at((const uint64_t *)start);
}

/* After marking, everything in a block that is not marked is dead. */
static void poison_block(const hwri_block_info *block) {
    if (block->state == HWRI_BLOCK_UNUSED) return;
    uintptr_t at = (uintptr_t)hwri_block_start(block), end = at + HWRI_BLOCK;
    if (block->state != HWRI_BLOCK_FREE) hwri_block_each_marked(block, poison_up_to, &at);
    hwri_poison(at, end);
}

void hwri_poison_dead(hwri_tracing *t, bool all) {
    hwri_nursery *n = &t->nursery;
    n->poisoned = n->committed;
    for (size_t piece = 0; piece < n->poisoned; piece++) {
        uintptr_t start = n->start + (piece << HWRI_PIECE_SHIFT);
        if (n->state[piece] == HWRI_PIECE_FREE)
            hwri_poison(start, start + HWRI_PIECE);
        else
            hwri_piece_each(n, piece, poison_gap, NULL);
    }
    for (size_t i = 0; all && i < t->space.old.region_count; i++)
        for (size_t k = HWRI_REGION_FIRST; k < HWRI_REGION_BLOCKS; k++)
            poison_block(&t->space.old.regions[i]->blocks[k]);
}

/* Where every byte is as the one before it, memcmp says so much faster than we could. */
void hwri_check_range(uintptr_t from, uintptr_t to) {
    const unsigned char *at = (const unsigned char *)from, *end = (const unsigned char *)to;
    if (*at == HWRI_POISON && memcmp(at, at + 1, (size_t)(end - at) - 1) == 0) return;
    for (; at < end; at++)
        if (*at != HWRI_POISON)
            report_traced("write into an object that has died", at, false, "the next collection", NULL);
}

void hwri_check_poison(hwri_tracing *t) {
    const hwri_nursery *n = &t->nursery;
    for (size_t piece = 0; piece < n->poisoned; piece++) {
        uintptr_t start = n->start + (piece << HWRI_PIECE_SHIFT);
        if (n->state[piece] == HWRI_PIECE_FREE) hwri_check_range(start, start + HWRI_PIECE);
    }
    for (const hwri_block_info *block = t->space.old.free; block; block = block->next)
        hwri_check_range((uintptr_t)hwri_block_start(block), (uintptr_t)hwri_block_start(block) + HWRI_BLOCK);
}
