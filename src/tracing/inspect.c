/* Looking at a tracing heap: going through its objects, verification, figures. All other threads stand still meanwhile, but the lock is free, so that whoever is called may ask about objects. */
#include "tracing/model.h"

#include "object/side_table.h"

hwri_tracing *hwri_stand_still(hwr_heap *heap, hwri_mutator *me, bool collects) {
    hwri_tracing *t = heap->tracing;
    do hwri_note_stack(me);
    while (!hwri_stop(t, me));
    if (collects) t->spaces->collect(t, HWR_OLDEST, HWR_COLLECT_FORCED);
    hwri_mutex_unlock(&t->lock);
    return t;
}

void hwri_go_on(hwri_tracing *t, bool collected) {
    hwri_mutex_lock(&t->lock);
    hwri_resume(t);
    if (collected) hwri_life_done(t);
}

/* ---- going through everything ---- */

typedef struct traced_walk {
    hwri_tracing *t;
    hwr_object_visitor visit;
    void *context;
    int generation;     /* HWR_ALL_GENERATIONS: any */
    const void *target; /* of hwr_get_referrers */
    bool refers;
} traced_walk;

static bool walk_still(hwr_heap *heap, traced_walk *w, bool collects) {
    hwri_mutator *me = hwri_mutator_here(heap);
    if (!me) return false;
    w->t = hwri_stand_still(heap, me, collects);
    bool whole = w->t->spaces->each(w->t, w->visit, w->context);
    hwri_go_on(w->t, collects);
    return whole;
}

bool hwri_traced_walk(hwr_heap *heap, hwr_object_visitor visit, void *context) {
    traced_walk w = {.visit = visit, .context = context};
    return walk_still(heap, &w, true);
}

static bool visit_if_traced_generation(void *context, void *object) {
    const traced_walk *asked = context;
    bool is_one = asked->generation == HWR_ALL_GENERATIONS ||
                  asked->t->spaces->generation_of(asked->t, object) == asked->generation;
    return !is_one || !hwri_has_references(hwr_type_of(object)) || asked->visit(asked->context, object);
}

/* A collection leaves nothing in the youngest generation, so it does not precede where that would be no answer. */
bool hwri_traced_objects(hwr_heap *heap, int generation, hwr_object_visitor visit, void *context) {
    traced_walk asked = {.t = heap->tracing, .visit = visit, .context = context, .generation = generation};
    traced_walk w = {.visit = visit_if_traced_generation, .context = &asked};
    return walk_still(heap, &w, generation == HWR_ALL_GENERATIONS || generation == HWR_OLDEST);
}

static void note_if_traced_target(void *context, hwri_slot *slot) {
    traced_walk *asked = context;
    asked->refers |= *slot == asked->target;
}

static bool visit_if_traced_refers(void *context, void *object) {
    traced_walk *asked = context;
    asked->refers = false;
    traced_each_slot(object, hwr_type_of(object), note_if_traced_target, asked);
    return !asked->refers || asked->visit(asked->context, object);
}

/* The object may move in the collection that precedes. */
bool hwri_traced_referrers(hwr_heap *heap, const void *object, hwr_object_visitor visit, void *context) {
    hwri_mutator *me = hwri_mutator_here(heap);
    if (!me) return false;
    struct {
        hwr_frame frame;
        const void *object;
    } here = {.object = object};
    hwr_frame_push(heap, &here.frame, 1);
    traced_walk asked = {.visit = visit, .context = context};
    hwri_tracing *t = hwri_stand_still(heap, me, true);
    asked.target = here.object;
    bool whole = t->spaces->each(t, visit_if_traced_refers, &asked);
    hwri_go_on(t, true);
    hwr_frame_pop(heap, &here.frame);
    return whole;
}

/* ---- verification ---- */

/* Everything that is reached from roots is followed, so `found` has every object alive. */
typedef struct inspection {
    hwri_tracing *t;
    const char *problem;
    hwri_side_table found;
    hwri_pointers waiting;      /* of them, those whose references are still to be followed */
    hwri_side_table remembered; /* that are in a list of such */
    void *object;               /* whose references are being followed */
} inspection;

static void fail(inspection *in, const char *problem) {
    if (!in->problem) in->problem = problem;
}

static bool is_among_traced(const hwri_tracing *t, const void *object) {
    return ((uintptr_t)object & 7) == 0 && hwri_object_at(t, (uintptr_t)object) == object;
}

static void reach_object(inspection *in, void *object) {
    if (in->problem || !object || hwri_side_find(&in->found, object)) return;
    if (!is_among_traced(in->t, object)) {
        fail(in, "a reference does not lead to a living object of the heap");
        return;
    }
    in->problem = hwri_is_sane(*hwri_header(object)) ? in->t->spaces->problem_of(in->t, object)
                                                     : "an object's header has no type";
    if (!hwri_side_add(&in->found, object) || !hwri_pointers_push(in->t->heap->blocks, &in->waiting, object))
        fail(in, "there is no memory for verification");
}

static void reach_from_slot(void *context, void *slot) { reach_object(context, *(hwri_slot *)slot); }

static void reach_from_word(void *context, uintptr_t word) {
    inspection *in = context;
    reach_object(in, hwri_object_at(in->t, word));
}

/* Whether a collection of the young will look at this field. */
static bool is_watched(const inspection *in, const void *field) {
    uint64_t header = *hwri_header(in->object);
    if (!(header & HWRI_LARGE))
        return !(header & HWRI_TRACK) &&
               (hwri_side_find(&in->remembered, in->object) || hwri_block_info_of(in->object)->dirty);
    const hwri_large *large = hwri_large_of(in->object);
    size_t offset = (size_t)((const char *)field - (const char *)in->object);
    return large->listed && (offset >= large->size || large->cards[offset >> HWRI_CARD_SHIFT]);
}

static void follow_slot(void *context, hwri_slot *slot) {
    inspection *in = context;
    if (*slot && hwri_is_young(in->t, *slot) && !hwri_is_young(in->t, in->object) && !is_watched(in, slot))
        fail(in, "an old object refers to a young one, and is not remembered");
    reach_object(in, *slot);
}

static void follow_all(inspection *in) {
    hwri_tracing *t = in->t;
    hwri_each_exact_root(t, reach_from_slot, in);
    hwri_life_roots(t, reach_from_slot, in);
    if (t->scans_stacks) hwri_each_ambiguous_root(t, reach_from_word, in);
    while (in->waiting.count && !in->problem) {
        in->object = in->waiting.items[--in->waiting.count];
        traced_each_slot(in->object, hwr_type_of(in->object), follow_slot, in);
    }
}

static void check_remembered(inspection *in, const hwri_pointers *list) {
    for (size_t i = 0; i < list->count && !in->problem; i++) {
        void *object = list->items[i];
        if (!is_among_traced(in->t, object))
            fail(in, "what is remembered is no object");
        else if (hwri_is_young(in->t, object))
            fail(in, "a young object is remembered");
        else if (!hwri_side_add(&in->remembered, object))
            fail(in, "there is no memory for verification");
    }
}

const char *hwri_traced_verify(hwr_heap *heap) {
    hwri_mutator *me = hwri_mutator_here(heap);
    if (!me) return "this thread is not attached to the heap";
    hwri_life_settle(heap->tracing);
    hwri_tracing *t = hwri_stand_still(heap, me, false);
    inspection in = {.t = t};
    if (hwr_pool_verify(t->heap->blocks, &in.problem)) in.problem = t->spaces->problem(t);
    in.found.pool = in.remembered.pool = heap->scratch;
    if (!in.problem) check_remembered(&in, &t->remembered);
    for (const hwri_mutator *m = t->threads; m; m = m->next)
        if (!in.problem) check_remembered(&in, &m->remembered);
    if (!in.problem) follow_all(&in);
    if (!in.problem) in.problem = hwri_life_problem(t);
    hwri_pointers_free(t->heap->blocks, &in.waiting);
    hwri_side_clear(&in.found);
    hwri_side_clear(&in.remembered);
    hwri_go_on(t, false);
    return in.problem;
}

/* ---- of an object ---- */

int hwri_traced_generation(hwr_heap *heap, const void *object) {
    return heap->tracing->spaces->generation_of(heap->tracing, object);
}

bool hwri_is_traced_object(hwr_heap *heap, const void *address) {
    hwri_tracing *t = heap->tracing;
    hwri_mutex_lock(&t->lock);
    bool is_one = is_among_traced(t, address);
    hwri_mutex_unlock(&t->lock);
    return is_one;
}

size_t hwri_traced_size_of(hwr_heap *heap, const void *object) {
    (void)heap;
    return hwri_traced_size(object, hwr_type_of(object));
}

size_t hwri_traced_refcount(hwr_heap *heap, const void *object) {
    (void)heap;
    return hwri_header_now(object) & HWRI_FOREVER ? HWR_IMMORTAL : 1;
}

bool hwri_traced_make_immortal(hwr_heap *heap, void *object) {
    hwri_tracing *t = heap->tracing;
    hwri_mutex_lock(&t->lock);
    bool was = hwri_header_now(object) & HWRI_FOREVER,
         is = was || hwri_pointers_push(t->heap->blocks, &t->immortals, object);
    if (is && !was) __atomic_fetch_or(hwri_header(object), HWRI_FOREVER, __ATOMIC_RELAXED);
    hwri_mutex_unlock(&t->lock);
    return is;
}

/* ---- figures ---- */

size_t hwri_traced_committed(const hwri_tracing *t) {
    return t->spaces->committed(t) + hwri_load_relaxed(&t->heap->blocks->committed);
}

static bool count_traced(void *context, void *object) {
    hwr_heap_stats *stats = context;
    const hwr_type *type = hwr_type_of(object);
    stats->objects++;
    stats->tracked += hwri_is_tracked_type(type);
    stats->object_bytes += hwri_traced_size(object, type);
    return true;
}

void hwri_traced_stats(hwr_heap *heap, hwr_heap_stats *stats) {
    hwri_tracing *t = heap->tracing;
    hwr_pool_stats blocks;
    hwri_traced_walk(heap, count_traced, stats);
    hwri_mutex_lock(&t->lock);
    stats->committed = hwri_traced_committed(t);
    if (stats->committed > t->peak_committed) t->peak_committed = stats->committed;
    stats->peak_committed = t->peak_committed;
    stats->page_bytes = t->spaces->page_bytes(t);
    hwr_pool_get_stats(heap->blocks, &blocks);
    hwri_mutex_unlock(&t->lock);
    stats->blocks = blocks.blocks;
    stats->block_bytes = blocks.bytes;
}

size_t hwri_traced_trim(hwr_heap *heap) {
    hwri_tracing *t = heap->tracing;
    hwri_mutex_lock(&t->lock);
    size_t bytes = t->spaces->trim(t);
    hwri_mutex_unlock(&t->lock);
    return bytes + hwr_pool_trim(heap->blocks, true);
}
