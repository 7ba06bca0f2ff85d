/* The spaces of a heap with generations, as the rest of the tracing collector sees them: the nursery, the old space, large objects. */
#include "tracing/tracing.h"

enum { NURSERY_DEFAULT = 1 << 20 };

/* Regions, about 100 MiB, from which on a heap asks for huge pages: what is looked at in no order takes three quarters of the time then. The system may have to move memory about for each, which a program that soon ends
 * does not get back. */
enum { HUGE_FROM = 48 };

static bool open_large_space(hwri_tracing *t) {
    t->space.large.pool = hwr_pool_open(&(hwr_pool_options){.size = sizeof(hwr_pool_options), .raw = t->heap->raw});
    return t->space.large.pool != NULL;
}

static bool open_generations(hwri_tracing *t, const hwr_options *options) {
    hwr_heap *heap = t->heap;
    t->space = (hwri_space){.huge_from = HUGE_FROM,
                            .raw = heap->raw,
                            .tables = heap->blocks,
                            .scratch = heap->scratch,
                            .fills = heap->checked,
                            .epoch = 1};
    hwri_team_open(&t->space.team, options->marking_threads);
    t->unmoving = options->unmoving;
    t->move_always = options->move_always;
    t->young_epoch = 1;
    if (!open_large_space(t) || !hwri_nursery_open(t, options->nursery ? options->nursery : NURSERY_DEFAULT))
        return false;
    hwri_policy_open(t, options);
    heap->face.young = t->nursery.start;
    heap->face.young_size = t->nursery.pieces << HWRI_PIECE_SHIFT;
    if (t->unmoving) heap->face.young = 0, heap->face.young_size = UINTPTR_MAX; /* any value may be young */
    return true;
}

static void close_generations(hwri_tracing *t) {
    hwri_larges_close(&t->space);
    hwri_nursery_close(t);
    hwri_old_close(&t->space);
    hwri_pointers_free(t->heap->blocks, &t->remembered);
    hwri_pointers_free(t->heap->blocks, &t->pins);
    hwri_team_close(&t->space.team);
    for (unsigned i = 0; i < HWRI_TEAM_MOST; i++) hwr_pool_free(t->heap->scratch, t->space.marked[i].items);
}

/* ---- objects ---- */

static void *object_of_generations_at(const hwri_tracing *t, uintptr_t address) {
    uint64_t *header = NULL;
    if (address - t->nursery.start < t->nursery.pieces << HWRI_PIECE_SHIFT)
        header = hwri_young_object_at(t, address);
    else
        header = hwri_old_object_at(&t->space, address);
    if (!header) header = hwri_large_object_at(&t->space, address);
    return header ? header + 1 : NULL;
}

static bool generations_have(const hwri_tracing *t, const void *address) {
    return hwri_is_young(t, address) || hwri_region_with(&t->space, (uintptr_t)address) ||
           hwri_page_of(t->space.large.pool, address);
}

static int generation_of_object(const hwri_tracing *t, const void *object) {
    const uint64_t *header = hwri_header(object);
    if (t->unmoving) return hwri_header_now(object) & HWRI_LARGE || hwri_is_marked_in_region(header) ? HWR_OLDEST : 0;
    if (!hwri_is_young(t, object)) return HWR_OLDEST;
    return hwri_header_now(object) & HWRI_AGED ? 1 : 0;
}

typedef struct generations_walk {
    hwr_object_visitor visit;
    void *context;
    bool stopped;
} generations_walk;

static void walk_object(void *context, void *object) {
    generations_walk *w = context;
    if (!w->stopped) w->stopped = !w->visit(w->context, object);
}

static void walk_header(void *context, uint64_t *header) {
    if (hwri_is_there(*header)) walk_object(context, header + 1);
}

static bool walk_generations(hwri_tracing *t, hwr_object_visitor visit, void *context) {
    generations_walk w = {.visit = visit, .context = context};
    for (size_t piece = 0; piece < t->nursery.pieces; piece++)
        if (t->nursery.state[piece] != HWRI_PIECE_FREE) hwri_piece_each(&t->nursery, piece, walk_header, &w);
    for (size_t i = 0; i < t->space.old.region_count; i++)
        for (size_t k = HWRI_REGION_FIRST; k < HWRI_REGION_BLOCKS && !w.stopped; k++)
            hwri_block_each(&t->space.old.regions[i]->blocks[k], walk_object, &w);
    for (size_t i = 0; i < t->space.large.count; i++) walk_object(&w, hwri_large_object(t->space.large.all[i]));
    return !w.stopped;
}

/* ---- verification ---- */

typedef struct space_damage {
    hwri_tracing *t;
    const char *problem;
    uintptr_t next; /* in the nursery: where the next object or gap has to begin; 0: not known */
} space_damage;

static void note_damage(space_damage *in, const char *problem) {
    if (!in->problem) in->problem = problem;
}

static const char *problem_of_aged(const hwri_tracing *t, const void *object) {
    uint64_t header = *hwri_header(object);
    bool old = header & HWRI_REGION, large = header & HWRI_LARGE;
    if (hwri_is_young(t, object)) return old || large ? "a young object's header says that it is old" : NULL;
    return old == large ? "an old object's header does not say what it is" : NULL;
}

static void check_piece_header(void *context, uint64_t *header) {
    space_damage *in = context;
    if (in->problem) return;
    if (in->next && (uintptr_t)header != in->next)
        note_damage(in, "a piece does not begin where the one before it ends");
    if (!hwri_is_gap(*header) && !hwri_is_sane(*header)) note_damage(in, "something in the nursery is no object");
    if (!in->problem) in->next = (uintptr_t)header + hwri_size_at(header);
}

static void check_nursery(space_damage *in) {
    const hwri_nursery *n = &in->t->nursery;
    for (size_t piece = 0; piece < n->pieces && !in->problem; piece++) {
        if (n->state[piece] == HWRI_PIECE_FREE ||
            (in->next >> HWRI_PIECE_SHIFT) != ((n->start >> HWRI_PIECE_SHIFT) + piece))
            in->next = 0;
        if (n->state[piece] == HWRI_PIECE_FREE) continue;
        if (n->state[piece] != HWRI_PIECE_USED) note_damage(in, "a piece is in no state to be in");
        if (piece >= n->committed) note_damage(in, "a piece is used that has no memory");
        hwri_piece_each(n, piece, check_piece_header, in);
    }
}

static void check_traced_blocks(space_damage *in) {
    const hwri_old *old = &in->t->space.old;
    size_t used = 0, free_blocks = 0;
    for (size_t i = 0; i < old->region_count; i++)
        for (size_t k = HWRI_REGION_FIRST; k < HWRI_REGION_BLOCKS && !in->problem; k++) {
            const hwri_block_info *block = &old->regions[i]->blocks[k];
            free_blocks += block->state == HWRI_BLOCK_FREE;
            used += block->state != HWRI_BLOCK_FREE && block->state != HWRI_BLOCK_UNUSED;
            in->problem = hwri_block_problem(block);
        }
    const hwri_block_info *lists[] = {old->holes, old->roomy};
    for (size_t i = 0; i < 2; i++)
        for (const hwri_block_info *block = lists[i]; block; block = block->next)
            if (block->state != HWRI_BLOCK_HOLES)
                note_damage(in, "a block without holes is in a list of those with holes");
    for (const hwri_block_info *block = old->free; block; block = block->next)
        if (free_blocks-- == 0 || block->state != HWRI_BLOCK_FREE)
            note_damage(in, "the list of free blocks is damaged");
    if (free_blocks || used != old->blocks) note_damage(in, "the number of blocks is wrong");
}

static void check_larges(space_damage *in) {
    size_t bytes = 0;
    for (size_t i = 0; i < in->t->space.large.count && !in->problem; i++) {
        const hwri_large *large = in->t->space.large.all[i];
        const void *object = (const uint64_t *)(const void *)(large + 1) + 1;
        bytes += large->size;
        if (large->index != i) note_damage(in, "the table of large objects is damaged");
        if (!hwri_is_sane(*hwri_header(object)) || !(*hwri_header(object) & HWRI_LARGE))
            note_damage(in, "a large object's header is damaged");
        else if (hwri_traced_size(object, hwr_type_of(object)) != large->size)
            note_damage(in, "a large object is not as large as it was");
    }
    if (!in->problem && bytes != in->t->space.large.bytes) note_damage(in, "the size of large objects is wrong");
}

static const char *problem_of_generations(hwri_tracing *t) {
    space_damage in = {.t = t};
    if (!hwr_pool_verify(t->space.large.pool, &in.problem)) return in.problem;
    check_nursery(&in);
    if (!in.problem) check_traced_blocks(&in);
    if (!in.problem) check_larges(&in);
    return in.problem;
}

/* ---- figures ---- */

static void measure_generations(const hwri_tracing *t, bool before, hwri_sizes sizes[4]) {
    size_t pieces = hwri_pieces_used(&t->nursery), new = before ? t->nursery.given : 0;
    pieces = pieces > new ? pieces - new : 0;
    sizes[0] = (hwri_sizes){new << HWRI_PIECE_SHIFT, 0};
    sizes[1] = (hwri_sizes){pieces << HWRI_PIECE_SHIFT, pieces ? t->nursery.gap_bytes : 0};
    sizes[2] = (hwri_sizes){hwri_old_bytes(&t->space), t->space.old.holes_bytes};
    sizes[3] = (hwri_sizes){t->space.large.bytes, 0};
}

static size_t pages_of_generations(const hwri_tracing *t) {
    return (hwri_pieces_used(&t->nursery) << HWRI_PIECE_SHIFT) + hwri_old_bytes(&t->space) + t->space.large.bytes;
}

static size_t committed_by_generations(const hwri_tracing *t) {
    size_t of_blocks = (t->space.old.blocks + t->space.old.free_blocks) << HWRI_BLOCK_SHIFT;
    return (t->nursery.committed << HWRI_PIECE_SHIFT) + of_blocks + hwri_regions_described(&t->space) +
           t->space.large.pool->committed;
}

static size_t trim_generations(hwri_tracing *t) {
    return hwri_old_trim(&t->space, 0) + hwri_nursery_trim(t) + hwr_pool_trim(t->space.large.pool, true);
}

const hwri_spaces hwri_generations = {
    .open = open_generations,
    .close = close_generations,
    .make = hwri_generations_make,
    .is_due = hwri_is_full_due,
    .is_worth_while = hwri_is_worth_while,
    .collect = hwri_generations_collect,
    .trim = trim_generations,
    .is_reached = hwri_generations_is_reached,
    .where = hwri_generations_where,
    .reach = hwri_generations_reach,
    .reach_all = hwri_generations_reach_all,
    .object_at = object_of_generations_at,
    .has = generations_have,
    .generation_of = generation_of_object,
    .each = walk_generations,
    .problem = problem_of_generations,
    .problem_of = problem_of_aged,
    .measure = measure_generations,
    .page_bytes = pages_of_generations,
    .committed = committed_by_generations,
};
