/* The spaces of the managed heap, and what may be asked of an address. */
#include "collector.h"

#include "allocate.h"
#include "runtime.h"
#include "settings.h"

clr_collector clr_gc = {.lock = PTHREAD_MUTEX_INITIALIZER, .collecting = PTHREAD_MUTEX_INITIALIZER};

/* Huge pages are not asked for: programs gained nothing by them, and where a virtual machine has to have them from its host again, each takes 10 ms. */
bool clr_collector_open(void) {
    hwr_pool_options tables = {.size = sizeof tables, .raw = clr_tables, .shared = true};
    enum { LARGE_GIVE_BACK_MS = 2000 }; /* some collections: what one has freed is allocated again before the next */
    hwr_pool_options larges = {
        .size = sizeof larges, .raw = clr_objects.large, .shared = true, .give_back_ms = LARGE_GIVE_BACK_MS};
    hwri_space *space = &clr_gc.space;
    space->raw = clr_objects.regions;
    space->epoch = 1;
    space->tables = space->scratch = hwr_pool_open(&tables);
    space->large.pool = hwr_pool_open(&larges);
    hwri_team_open(&space->team, clr_settings.markers);
    if (!space->tables || !space->large.pool) return false;
    clr_policy_open();
    return true;
}

/* The eight bytes behind an object's last are the next one's header; a reference to there is to the end of an array. */
clr_object *clr_object_at(const void *address) {
    uintptr_t at = (uintptr_t)address - CLR_HEADER_SIZE;
    if (!clr_in_space(address)) return NULL;
    uint64_t *header =
        clr_is_in_block((void *)at) ? hwri_old_object_at(&clr_gc.space, at) : hwri_large_object_at(&clr_gc.space, at);
    if (!header || !hwri_is_object_at(header)) return NULL;
    return (clr_object *)(void *)(header + 1);
}

bool clr_is_marked(const clr_object *object) {
    const uint64_t *header = (const uint64_t *)(const void *)object - 1;
    if (!clr_in_space(object)) return true;
    if (clr_is_in_block(object)) return hwri_is_marked_in_region(header);
    return hwri_large_of(object)->epoch == clr_gc.space.epoch;
}

uint32_t clr_generation_of(const clr_object *object) {
    if (!clr_in_space(object)) return CLR_GENERATION_NONE;
    if (!clr_is_in_block(object)) {
        const hwri_large *large = hwri_large_of(object);
        if (large->tag == CLR_TAG_PINNED || large->size >= clr_settings.large_threshold) return CLR_MAX_GENERATION;
    }
    return (*clr_pad(object) & CLR_PAD_AGES) / CLR_PAD_AGE;
}
