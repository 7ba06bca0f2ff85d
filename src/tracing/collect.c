/* A collection: what is done, one thing after the other. All threads are stopped, and the lock is held. */
#include "tracing/move.h"

#include "tracing/copy.h"
#include "tracing/mark.h"

static void enter_phase(hwri_tracing *t, hwri_phase phase) {
    t->phase = phase;
    t->space.collecting = phase != HWRI_IDLE;
    if (!t->space.collecting) t->space.refused = false;
}

/* ---- for the life room ---- */

bool hwri_generations_is_reached(const hwri_tracing *t, const void *object) {
    uint64_t word = *hwri_header(object);
    if (!hwri_is_there(word)) return true;
    if (hwri_is_young(t, object))
        return t->phase == HWRI_MARKING || (word & HWRI_MARK) == hwri_epoch_bits(t->young_epoch);
    return t->phase == HWRI_COPYING || !marking_is_due(&t->space, hwri_header(object));
}

void *hwri_generations_where(void *object) {
    uint64_t word = *hwri_header(object);
    return hwri_is_there(word) ? object : (void *)(uintptr_t)word;
}

void hwri_generations_reach(hwri_tracing *t, void *slot) {
    if (t->copying)
        copying_visit_root(t->copying, slot);
    else
        marking_visit_root(t->marking, slot);
}

void hwri_generations_reach_all(hwri_tracing *t) {
    if (t->copying)
        copying_finish(t->copying);
    else
        marking_finish(t->marking);
}

/* ---- what may not move ---- */

static void pin_young(hwri_tracing *t, void *object) {
    hwri_copying *c = t->copying;
    uint64_t *header = hwri_header(object);
    if (!hwri_is_young(t, object) || (*header & HWRI_MARK) == c->epoch) return;
    copying_stay(c, header, hwri_traced_size(object, hwri_type_in(*header)));
}

static void pin_young_word(void *context, uintptr_t word) {
    hwri_tracing *t = context;
    if (word - t->nursery.start >= t->nursery.pieces << HWRI_PIECE_SHIFT) return;
    uint64_t *header = hwri_young_object_at(t, word);
    if (header) pin_young(t, header + 1);
}

/* Those found when there is no memory for the list are lost, so the collection must not go on: see mark_all. */
typedef struct pinning {
    hwri_tracing *t;
    bool failed;
} pinning;

static void pin_old_word(void *context, uintptr_t word) {
    pinning *p = context;
    void *object = hwri_is_young(p->t, (void *)word) ? NULL : hwri_object_at(p->t, word);
    if (object && !hwri_pointers_push(p->t->heap->blocks, &p->t->pins, object)) p->failed = true;
}

/* ---- the young ---- */

static void scan_dirty(void *context, void *object) {
    if (!(*hwri_header(object) & HWRI_TRACK)) copying_scan_remembered(context, object);
}

static void scan_remembered(hwri_copying *c, hwri_pointers *list) {
    for (size_t i = 0; i < list->count; i++) copying_scan_remembered(c, list->items[i]);
    list->count = 0;
}

static void scan_all_remembered(hwri_copying *c) {
    hwri_tracing *t = c->t;
    /* Objects are remembered again into the heap's own list, so what is there is put aside. */
    hwri_pointers before = t->remembered;
    t->remembered = (hwri_pointers){0};
    scan_remembered(c, &before);
    hwri_pointers_free(t->heap->blocks, &before);
    for (hwri_mutator *m = t->threads; m; m = m->next) scan_remembered(c, &m->remembered);
    for (size_t i = 0; i < t->space.old.region_count; i++)
        for (size_t k = HWRI_REGION_FIRST; k < HWRI_REGION_BLOCKS; k++) {
            hwri_block_info *block = &t->space.old.regions[i]->blocks[k];
            if (!block->dirty) continue;
            block->dirty = false;
            hwri_room_end(&t->space.old.promoted); /* so that what is gone through now is whole */
            hwri_room_end(&t->space.old.overflow);
            hwri_block_each(block, scan_dirty, c);
        }
    for (size_t i = 0; i < t->space.large.count; i++)
        if (t->space.large.all[i]->listed) copying_scan_remembered(c, hwri_large_object(t->space.large.all[i]));
}

static void collect_young(hwri_tracing *t, bool promotes_all, bool promotes_aged) {
    hwri_nursery *n = &t->nursery;
    t->young_epoch = 3 - t->young_epoch;
    enter_phase(t, HWRI_COPYING);
    hwri_copying c = {.t = t,
                      .young = n->start,
                      .young_size = n->pieces << HWRI_PIECE_SHIFT,
                      .epoch = hwri_epoch_bits(t->young_epoch),
                      .promoted_ages = promotes_all    ? ~UINT64_C(0)
                                       : promotes_aged ? HWRI_AGED
                                                       : 0};
    t->copying = &c;
    n->survivors = (hwri_room){0};
    n->survivors_end = 0;
    hwri_emit(t->heap, HWR_EVENT_FIND_BEGIN, (uint64_t)t->generation, 0);
    if (t->scans_stacks) hwri_each_ambiguous_root(t, pin_young_word, t);
    hwri_life_pins(t, pin_young);
    hwri_each_exact_root(t, copying_visit_root, &c);
    hwri_life_roots(t, copying_visit_root, &c);
    if (!t->unmoving) scan_all_remembered(&c);
    copying_finish(&c);
    hwri_emit(t->heap, HWR_EVENT_FIND_END, (uint64_t)t->generation, 0);
    hwri_life_after(t);
    hwri_kinds_after(t);
    if (n->survivors.bump < n->survivors_end)
        *(uint64_t *)n->survivors.bump = hwri_gap(n->survivors_end - n->survivors.bump);
    hwri_room_seal(&t->space.old.promoted);
    hwri_room_seal(&t->space.old.overflow);
    hwri_nursery_reset(t);
    t->copying = NULL;
    enter_phase(t, HWRI_IDLE);
    t->survived_bytes = c.survived;
}

/* ---- everything ---- */

static void mark_stayed(void *context, uint64_t *header) {
    hwri_marking *m = context;
    if (hwri_is_there(*header)) traced_each_slot(header + 1, traced_type_at(header), marking_visit_slot, m);
}

static void mark_roots(hwri_marking *m) {
    hwri_tracing *t = traced_owner(m->space);
    for (size_t i = 0; i < t->pins.count; i++) marking_visit_root(m, &t->pins.items[i]);
    hwri_each_exact_root(t, marking_visit_root, m);
    hwri_life_roots(t, marking_visit_root, m);
    for (size_t piece = 0; piece < t->nursery.pieces; piece++)
        if (t->nursery.state[piece] != HWRI_PIECE_FREE) hwri_piece_each(&t->nursery, piece, mark_stayed, m);
}

/* Objects remembered that have died are forgotten; others may have moved. */
static void forget_dead(hwri_tracing *t) {
    size_t kept = 0;
    for (size_t i = 0; i < t->remembered.count; i++)
        if (hwri_is_reached(t, t->remembered.items[i]))
            t->remembered.items[kept++] = hwri_where(t, t->remembered.items[i]);
    t->remembered.count = kept;
}

/* Where marks tell old from young, a collection of the young starts from what old objects are remembered to refer to. After a collection nothing is young. */
static void forget_list(hwri_pointers *list, hwri_marking *scan) {
    for (size_t i = 0; i < list->count; i++) {
        uint64_t *header = hwri_header(list->items[i]);
        if (*header & HWRI_LARGE) hwri_large_of(list->items[i])->listed = false;
        *header |= HWRI_TRACK;
        if (scan) marking_scan_again(scan, list->items[i]);
    }
    list->count = 0;
}

static void forget_remembered(hwri_tracing *t, hwri_marking *scan) {
    forget_list(&t->remembered, scan);
    for (hwri_mutator *mutator = t->threads; mutator; mutator = mutator->next) forget_list(&mutator->remembered, scan);
}

static void rescan_dirty(void *context, void *object) {
    uint64_t *header = hwri_header(object);
    if (*header & HWRI_TRACK) return;
    marking_scan_again(context, object);
}

static void mark_remembered(hwri_tracing *t, hwri_marking *m) {
    forget_remembered(t, m);
    for (size_t i = 0; i < t->space.old.region_count; i++)
        for (size_t k = HWRI_REGION_FIRST; k < HWRI_REGION_BLOCKS; k++) {
            hwri_block_info *block = &t->space.old.regions[i]->blocks[k];
            if (!block->dirty) continue;
            block->dirty = false;
            hwri_block_each_marked(block, rescan_dirty, m);
        }
    for (size_t i = 0; i < t->space.large.count; i++)
        if (t->space.large.all[i]->listed) {
            t->space.large.all[i]->listed = false;
            marking_scan_again(m, hwri_large_object(t->space.large.all[i]));
        }
}

/* Follows a collection of the young in which all that could be moved was. With `full`, all objects are marked anew; otherwise, where objects do not move, only those that are not marked yet: the young. False if there was no
 * memory to note what stacks lead to: then nothing has been done. With `moves` blocks have been chosen that are to be emptied. */
static bool mark_all(hwri_tracing *t, bool full, bool moves) {
    pinning p = {t, false};
    t->pins.count = 0;
    if (t->scans_stacks) hwri_each_ambiguous_root(t, pin_old_word, &p);
    if (p.failed) {
        if (moves) hwri_evacuation_end(t);
        return false;
    }
    if (full) t->space.epoch = 3 - t->space.epoch;
    enter_phase(t, HWRI_MARKING);
    if (moves) hwri_evacuation_begin(t);
    if (full) hwri_old_clear_marks(&t->space);
    hwri_marking m;
    marking_open(&m, &t->space, moves, 0);
    t->marking = &m;
    hwri_emit(t->heap, HWR_EVENT_FIND_BEGIN, HWR_OLDEST, 0);
    mark_roots(&m);
    if (!full) mark_remembered(t, &m);
    marking_finish(&m);
    hwri_emit(t->heap, HWR_EVENT_FIND_END, HWR_OLDEST, 0);
    hwri_life_after(t);
    hwri_kinds_after(t);
    hwri_emit(t->heap, HWR_EVENT_FREE_BEGIN, HWR_OLDEST, 0);
    if (t->unmoving && full) forget_remembered(t, NULL);
    forget_dead(t);
    if (moves) hwri_evacuation_end(t);
    hwri_larges_sweep(&t->space);
    for (hwri_mutator *mutator = t->threads; mutator; mutator = mutator->next) hwri_mutator_drop_old(mutator);
    hwri_old_sweep(&t->space, full);
    hwri_emit(t->heap, HWR_EVENT_FREE_END, HWR_OLDEST, 0);
    t->marking = NULL;
    enter_phase(t, HWRI_IDLE);
    return true;
}

static bool choose_sparse(hwri_tracing *t, hwr_collection_mode mode, bool marked) {
    hwri_evacuation wanted = hwri_policy_sparse(t, mode, marked);
    return hwri_evacuation_choose(t, &wanted);
}

/* After a full marking. Blocks that become free by this are given back. */
static void compact(hwri_tracing *t, hwr_collection_mode mode) {
    size_t before = t->space.old.free_blocks;
    if (!choose_sparse(t, mode, true)) return;
    mark_all(t, true, true);
    hwri_old_trim(&t->space, before);
}

/* ---- a collection ---- */

static void begin(hwri_tracing *t, int generation) {
    t->generation = generation;
    hwri_emit(t->heap, HWR_EVENT_COLLECTION_BEGIN, (uint64_t)generation, 0);
}

/* Not inline: its own frames are not among what is scanned, since addresses in them would keep objects. */
__attribute__((noinline)) void hwri_generations_collect(hwri_tracing *t, int generation, hwr_collection_mode mode) {
    hwr_heap *heap = t->heap;
    uint64_t start = hwr_raw_now(heap->raw);
    if (heap->checked) hwri_check_poison(t);
    hwri_inform_before(t);
    bool full = generation == HWR_OLDEST || hwri_is_full_due(t);
    begin(t, full ? HWR_OLDEST : generation);
    hwri_life_before(t);
    size_t before = hwri_policy_before(t);
    collect_young(t, full || t->promotes_all, generation > 0);
    hwri_policy_after_young(t, before, (size_t)t->survived_bytes);
    bool moves = full && choose_sparse(t, mode, false);
    bool marked = (full || t->unmoving) && mark_all(t, full, moves);
    if (full && marked) compact(t, mode);
    if (full && !marked) t->generation = HWR_OLDEST - 1; /* that is what has been collected */
    if (mode == HWR_COLLECT_AGGRESSIVE) {
        hwri_old_trim(&t->space, 0);
        hwri_nursery_trim(t);
        hwr_pool_trim(t->space.large.pool, true);
    }
    if (marked) hwri_policy_after_marking(t, full, start);
    if (heap->checked) hwri_poison_dead(t, marked);
    hwri_inform_after(t, hwr_raw_now(heap->raw) - start);
}

__attribute__((noinline)) int hwri_traced_collect(hwri_tracing *t, hwri_mutator *me, int generation,
                                                  hwr_collection_mode mode) {
    int collected = -1;
    if (!me->quiet) hwri_inform_program(t, me, true, generation);
    hwri_note_stack(me);
    if (hwri_stop(t, me)) {
        t->spaces->collect(t, generation, mode);
        generation = collected = t->generation;
        hwri_resume(t);
        hwri_life_done(t);
    }
    if (!me->quiet) hwri_inform_program(t, me, false, generation);
    return collected;
}

static bool is_worth_while_now(hwri_tracing *t, int generation) {
    hwri_mutex_lock(&t->lock);
    bool is_worth = t->spaces->is_worth_while(t, generation);
    hwri_mutex_unlock(&t->lock);
    return is_worth;
}

bool hwri_traced_collect_now(hwr_heap *heap, int generation, hwr_collection_mode mode, size_t *unreachable) {
    hwri_mutator *me = hwri_mutator_here(heap);
    *unreachable = 0;
    if (!me || (mode == HWR_COLLECT_OPTIMIZED && !is_worth_while_now(heap->tracing, generation))) return false;
    int collected;
    do collected = hwri_traced_collect(heap->tracing, me, generation, mode);
    while (collected < 0);
    return collected >= generation;
}
