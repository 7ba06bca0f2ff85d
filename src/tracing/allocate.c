/* Making objects where the inline way does not do: the room at hand is used up, the type is not known to the compiler, the object is large, or has a finalizer. */
#include "tracing/tracing.h"

enum { RUN_PIECES = 8 };

/* ---- more room ---- */

static void give(hwri_mutator *me, uintptr_t bump, uintptr_t limit, uintptr_t end, uint64_t birth) {
    me->face.bump = me->counted = bump;
    me->run_end = end;
    me->face.birth = birth;
    if (me->face.heap->checked) hwri_mutator_seal(me);
    __atomic_store_n(&me->face.limit, limit, __ATOMIC_RELAXED);
}

/* Pieces of the nursery for an object of `size` bytes. False if it is used up. */
static bool give_pieces(hwri_tracing *t, hwri_mutator *me, size_t size) {
    hwri_nursery *n = &t->nursery;
    if (n->given >= n->budget) return false;
    size_t at, least = (size + HWRI_PIECE - 1) >> HWRI_PIECE_SHIFT, most = n->budget - n->given;
    if (most > RUN_PIECES) most = RUN_PIECES;
    if (most < least) most = least;
    for (;;) {
        size_t count = hwri_pieces_take(t, most, HWRI_PIECE_USED, &at);
        if (!count) return false;
        n->given += count;
        uintptr_t start = n->start + (at << HWRI_PIECE_SHIFT), end = start + (count << HWRI_PIECE_SHIFT);
        uintptr_t limit = hwri_piece_next(n, start, size, end);
        if (limit) {
            give(me, start, limit, end, HWRI_BORN);
            return true;
        }
        *(uint64_t *)start = hwri_gap(end - start);
    }
}

/* A hole of the old space: of the thread's own block, which needs no lock, or of another block. */
static void give_hole(hwri_mutator *me) {
    give(me, me->old.bump, me->old.limit, me->old.limit, hwri_born_old(me->face.heap->tracing));
}

static bool take_next_hole(hwri_mutator *me, size_t size) {
    if (!me->old.block || !hwri_room_next(&me->old, size, &me->taken)) return false;
    give_hole(me);
    return true;
}

static bool take_block(hwri_tracing *t, hwri_mutator *me, size_t size) {
    t->space.old.bytes += me->taken;
    me->taken = 0;
    me->old.bump = me->old.limit = 0; /* its gap is there already */
    size_t before = t->space.old.bytes;
    if (!hwri_may_grow(t, size) || !hwri_old_take(&t->space, &me->old, size)) return false;
    me->taken = t->space.old.bytes - before;
    t->space.old.bytes = before;
    give_hole(me);
    return true;
}

static bool take_pretenured(hwri_tracing *t, hwri_mutator *me, size_t size) {
    t->pretenure_left -= me->taken < t->pretenure_left ? me->taken : t->pretenure_left;
    __atomic_store_n(&t->pretenures, t->unmoving || t->pretenure_left > 0, __ATOMIC_RELAXED);
    return t->pretenure_left > 0 && take_block(t, me, size);
}

/* Room for an object of `size` bytes without a collection, or false. `anywhere`: collections have been no help, since other threads took what they freed, so it may be in the old space. */
static bool take_room(hwri_tracing *t, hwri_mutator *me, size_t size, bool anywhere) {
    uintptr_t bump = me->face.bump;
    if (__atomic_load_n(&t->heap->face.stopping, __ATOMIC_RELAXED)) {
        /* below */
    } else if (bump && !(me->face.birth & HWRI_REGION)) {
        uintptr_t limit = hwri_piece_next(&t->nursery, bump, size, me->run_end);
        if (limit) {
            __atomic_store_n(&me->face.limit, limit, __ATOMIC_RELAXED);
            return true;
        }
    } else if (me->run_end - bump >= size) { /* the limit had been taken away */
        __atomic_store_n(&me->face.limit, me->run_end, __ATOMIC_RELAXED);
        return true;
    }
    hwri_mutator_settle(me);
    if (__atomic_load_n(&t->pretenures, __ATOMIC_RELAXED) && take_next_hole(me, size)) return true;
    hwri_mutex_lock(&t->lock);
    if (hwri_park(t, me)) {
        hwri_mutex_unlock(&t->lock);
        return take_room(t, me, size, anywhere);
    }
    bool given = t->pretenures && take_pretenured(t, me, size);
    if (!given && !t->pretenures) given = give_pieces(t, me, size);
    if (!given && (anywhere || !hwri_is_automatic(t->heap))) given = take_block(t, me, size);
    hwri_mutex_unlock(&t->lock);
    return given;
}

static bool is_full_due_now(hwri_tracing *t) {
    hwri_mutex_lock(&t->lock);
    bool is_due = t->spaces->is_due(t);
    hwri_mutex_unlock(&t->lock);
    return is_due;
}

bool hwri_traced_room_for(hwri_tracing *t, hwri_mutator *me, size_t size, unsigned *attempt) {
    hwr_heap *heap = t->heap;
    switch ((*attempt)++) {
    case 0: hwri_traced_collect(t, me, is_full_due_now(t) ? HWR_OLDEST : 1, HWR_COLLECT_DEFAULT); return true;
    case 1: hwri_traced_collect(t, me, HWR_OLDEST, HWR_COLLECT_DEFAULT); return true;
    case 2: hwri_traced_collect(t, me, HWR_OLDEST, HWR_COLLECT_AGGRESSIVE); return true;
    default: break;
    }
    if (me->quiet) return false;
    bool again = heap->on_out_of_memory && heap->on_out_of_memory(heap, size, heap->context);
    hwri_emit(heap, HWR_EVENT_OUT_OF_MEMORY, size, !again);
    if (again) *attempt = 2; /* what the program gave up is still to be collected */
    return again;
}

static void *take_bytes(hwri_tracing *t, hwri_mutator *me, size_t size) {
    for (unsigned attempt = 0; me->face.bump + size > __atomic_load_n(&me->face.limit, __ATOMIC_RELAXED);)
        if (!take_room(t, me, size, attempt > 0) && !hwri_traced_room_for(t, me, size, &attempt)) return NULL;
    void *taken = (void *)me->face.bump;
    me->face.bump += size;
    return taken;
}

/* ---- objects ---- */

static void *new_large(hwri_tracing *t, hwri_mutator *me, const hwr_type *type, size_t length, size_t size) {
    for (unsigned attempt = 0;;) {
        hwri_mutex_lock(&t->lock);
        hwri_park(t, me);
        bool may = hwri_may_grow(t, size) || attempt > 2;
        void *object = may ? hwri_large_object_new(&t->space, size, hwri_has_references(type)) : NULL;
        if (object) *hwri_header(object) = (hwri_born_old(t) & ~HWRI_REGION) | HWRI_LARGE | (uint64_t)(uintptr_t)type;
        hwri_mutex_unlock(&t->lock);
        if (object) {
            if (type->item_size) memcpy((char *)object + type->length_offset, &length, sizeof length);
            hwri_mutator_add(me, size);
            return object;
        }
        if (attempt == 0) attempt = 1; /* the young are no help */
        if (!hwri_traced_room_for(t, me, size, &attempt)) return NULL;
    }
}

/* The header comes last: in a checked heap others may look, with the lock, at all that lies here. */
static void *new_small(hwri_tracing *t, hwri_mutator *me, const hwr_type *type, size_t length, size_t size) {
    size_t padding = hwri_padding_of(type);
    uint64_t *header = take_bytes(t, me, size + padding);
    if (!header) return NULL;
    bool checked = t->heap->checked;
    if (checked) hwri_mutex_lock(&t->lock);
    if (checked) hwri_mutator_seal(me);
    if (padding) header = hwri_settle(header, size);
    memset(header + 1, 0, size - HWRI_HEADER_SIZE);
    if (type->item_size) memcpy((char *)(header + 1) + type->length_offset, &length, sizeof length);
    *header = (uint64_t)(uintptr_t)type | me->face.birth;
    if (checked) hwri_mutex_unlock(&t->lock);
    return header + 1;
}

void *hwri_generations_make(hwri_tracing *t, hwri_mutator *me, const hwr_type *type, size_t length, size_t size) {
    return size > HWRI_MEDIUM_MOST - 8 ? new_large(t, me, type, length, size) : new_small(t, me, type, length, size);
}

static bool is_stressed(hwr_heap *heap) {
    if (!heap->stress || __atomic_sub_fetch(&heap->until_stress, 1, __ATOMIC_RELAXED)) return false;
    __atomic_store_n(&heap->until_stress, heap->stress, __ATOMIC_RELAXED);
    return true;
}

__attribute__((noinline)) static void *make_slowly(hwr_heap *heap, const hwr_type *type, size_t length,
                                                   const char *call, const void *site) {
    hwri_tracing *t = heap->tracing;
    hwri_mutator *me = hwri_mutator_here(heap);
    if (heap->checked) hwri_traced_look(heap, NULL, call, site);
    if (!me) return NULL;
    hwri_life_catch_up(t, me);
    hwri_note_stack(me);
    size_t size = hwri_taken_by(type, length);
    if (is_stressed(heap)) hwri_traced_collect(t, me, HWR_OLDEST, HWR_COLLECT_DEFAULT);
    void *object = NULL;
    for (unsigned attempt = 1;;) {
        object = t->spaces->make(t, me, type, length, size);
        if (!object || !type->finalize || hwri_life_born(t, object)) break;
        object = NULL;
        if (!hwri_traced_room_for(t, me, size, &attempt)) break;
    }
    if (object && !hwri_is_tracked_type(type)) *hwri_header(object) |= HWRI_UNTRACKED;
    if (heap->stress) __atomic_store_n(&me->face.limit, 0, __ATOMIC_RELAXED); /* so that the next one comes here, too */
    return object;
}

bool hwri_traced_make_room(hwr_heap *heap, size_t size, unsigned *attempt) {
    hwri_mutator *me = hwri_mutator_here(heap);
    if (!me) return false;
    hwri_note_stack(me);
    if (*attempt == 0) *attempt = 2; /* what was refused has collected already, or is no object */
    return hwri_traced_room_for(heap->tracing, me, size, attempt);
}

void *hwri_traced_make(hwr_heap *heap, const hwr_type *type, size_t length, const char *call, const void *site) {
    hwri_thread *here = hwri_here;
    bool is_simple = !type->finalize && type->alignment != 16 && !heap->stress && !heap->checked;
    size_t size = hwri_taken_by(type, length);
    if (hwri_unlikely(!is_simple || here->heap != heap || size > HWRI_MEDIUM_MOST - 8 ||
                      here->bump + size > __atomic_load_n(&here->limit, __ATOMIC_RELAXED)))
        return make_slowly(heap, type, length, call, site);
    uint64_t *header = (uint64_t *)here->bump;
    here->bump += size;
    *header = (uint64_t)(uintptr_t)type | here->birth;
    memset(header + 1, 0, size - HWRI_HEADER_SIZE);
    if (type->item_size) memcpy((char *)(header + 1) + type->length_offset, &length, sizeof length);
    return header + 1;
}
