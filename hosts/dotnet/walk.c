/* Going through the heap. */
#include "walk.h"

#include "allocate.h"
#include "model.h"
#include "settings.h"

enum { WALK_FOR_LARGE = 2 }; /* of the types of survivors that are asked for; the others are in blocks */

static int generation_of_large(const hwri_large *large) {
    if (large->tag == CLR_TAG_PINNED) return CLR_PINNED_OBJECTS;
    return large->size >= clr_settings.large_threshold ? CLR_LARGE_OBJECTS : CLR_MAX_GENERATION;
}

static void each_block(void (*visit)(hwri_block_info *block, void *context), void *context) {
    const hwri_old *old = &clr_gc.space.old;
    for (size_t i = 0; i < old->region_count; i++)
        for (size_t k = HWRI_REGION_FIRST; k < HWRI_REGION_BLOCKS; k++) visit(&old->regions[i]->blocks[k], context);
}

/* ---- objects ---- */

typedef struct heap_walk {
    clr_walk_function *visit;
    void *context;
    int gen;
    bool ended;
} heap_walk;

static void visit_any(heap_walk *w, clr_object *object) {
    if (!w->ended) w->ended = !w->visit(object, w->context);
}

static void visit_object(void *context, void *object) {
    heap_walk *w = context;
    if (clr_generation_of(object) <= (uint32_t)w->gen) visit_any(w, object);
}

static void visit_block(hwri_block_info *block, void *context) {
    const heap_walk *w = context;
    if (!w->ended) hwri_block_each(block, visit_object, context);
}

void clr_walk_heap(clr_walk_function *visit, void *context, int gen, bool large) {
    heap_walk w = {.visit = visit, .context = context, .gen = gen};
    each_block(visit_block, &w);
    const hwri_large_space *larges = &clr_gc.space.large;
    for (size_t i = 0; i < larges->count && !w.ended; i++) {
        clr_object *object = hwri_large_object(larges->all[i]);
        if (!object->type) continue;
        if (generation_of_large(larges->all[i]) <= CLR_MAX_GENERATION)
            visit_object(&w, object);
        else if (large)
            visit_any(&w, object);
    }
}

/* ---- references ---- */

typedef struct object_walk {
    clr_object *object;
    clr_walk_function *visit;
    clr_walk_slots_function *visit_slot;
    void *context;
    bool ended;
} object_walk;

static void visit_target(void *context, hwri_slot *slot) {
    object_walk *w = context;
    if (!w->ended && *slot) w->ended = !w->visit(*slot, w->context);
}

static void visit_slot(void *context, hwri_slot *slot) {
    object_walk *w = context;
    if (!w->ended && *slot) w->ended = !w->visit_slot(w->object, (uint8_t **)(void *)slot, w->context);
}

void clr_walk_object(clr_object *object, clr_walk_function *visit, void *context) {
    object_walk w = {.object = object, .visit = visit, .context = context};
    traced_each_slot(object, object->type, visit_target, &w);
}

void clr_walk_slots(clr_object *object, clr_walk_slots_function *visit, void *context) {
    object_walk w = {.object = object, .visit_slot = visit, .context = context};
    traced_each_slot(object, object->type, visit_slot, &w);
}

/* ---- survivors ---- */

/* What lies side by side is told as one. */
typedef struct survivor_walk {
    clr_survivors_function *visit;
    void *context;
    uint8_t *start, *end;
} survivor_walk;

static void tell_of_survivors(survivor_walk *w) {
    if (w->start) w->visit(w->start, w->end, 0, w->context, false, false);
    w->start = w->end = NULL;
}

static void add_survivor(void *context, void *object) {
    survivor_walk *w = context;
    if (w->end != object) {
        tell_of_survivors(w);
        w->start = object;
    }
    w->end = (uint8_t *)object + clr_object_size(object);
}

static void add_survivors(hwri_block_info *block, void *context) {
    if (block->state == HWRI_BLOCK_UNUSED || block->state == HWRI_BLOCK_FREE) return;
    hwri_block_each_marked(block, add_survivor, context);
    tell_of_survivors(context);
}

void clr_walk_survivors(clr_survivors_function *visit, void *context, int type, int gen) {
    survivor_walk w = {.visit = visit, .context = context};
    bool of_large = type == WALK_FOR_LARGE;
    if (!of_large) each_block(add_survivors, &w);
    const hwri_large_space *larges = &clr_gc.space.large;
    for (size_t i = 0; i < larges->count; i++) {
        int its = generation_of_large(larges->all[i]);
        if (of_large ? its == gen : its <= CLR_MAX_GENERATION) add_survivor(&w, hwri_large_object(larges->all[i]));
    }
    tell_of_survivors(&w);
}

/* ---- addresses ---- */

bool clr_walk_range(const clr_object *object, uint8_t **start, uint8_t **end) {
    if (!clr_in_space(object)) return false;
    if (clr_is_in_block(object)) {
        *start = (uint8_t *)hwri_block_start(&hwri_region_of(object)->blocks[HWRI_REGION_FIRST]);
        *end = (uint8_t *)hwri_region_of(object) + HWRI_REGION_SIZE;
    } else {
        *start = (uint8_t *)(uintptr_t)object;
        *end = *start + hwri_large_of(object)->size;
    }
    return true;
}

void clr_walk_generations(clr_generation_function *visit, void *context) {
    const hwri_space *space = &clr_gc.space;
    uint8_t *start, *end;
    for (size_t i = 0; i < space->old.region_count; i++) {
        const hwri_block_info *first = &space->old.regions[i]->blocks[HWRI_REGION_FIRST];
        if (clr_walk_range((const clr_object *)(const void *)hwri_block_start(first), &start, &end))
            visit(context, CLR_MAX_GENERATION, start, end, end);
    }
    for (size_t i = 0; i < space->large.count; i++)
        if (clr_walk_range(hwri_large_object(space->large.all[i]), &start, &end))
            visit(context, generation_of_large(space->large.all[i]), start, end, end);
}
