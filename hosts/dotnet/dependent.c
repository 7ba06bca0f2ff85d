/* Dependent handles in a collection: second objects are reached when first ones have been.
 *
 * Nearly always the first pass over the handles finds all there is, and the second one nothing more. Where the second finds something there are chains, and what is left *waits* in a table by
 * first objects: these get the bit CLR_HEADER_OURS, and the marker tells of each object that it reaches (clr_life_watches). So the work is linear in handles and objects, in whatever order they
 * lead to each other, as in src/tracing/dependent.c. A last look at what still waits makes sure that the truth does not hang on being told. Without memory for the table there are passes until
 * one finds nothing. */
#include "handles.h"
#include "life.h"
#include "runtime.h"

/* A handle that waits. The lists are by places of the table, and that of the handles that need not wait any more. Cost: 24 to 32 bytes a handle, while there are chains. */
typedef struct waiting_handle {
    clr_object *first; /* NULL: waits no more */
    clr_object **second;
    struct waiting_handle *next;
} waiting_handle;

static struct {
    waiting_handle *handles;
    size_t count;
    waiting_handle **places;
    size_t mask;
    waiting_handle *ready;
} waiting;

bool clr_life_watches;

/* ---- passes ---- */

typedef struct pass {
    bool found;
    size_t undecided;
} pass;

static void look(clr_object **slot, uintptr_t *extra, void *context) {
    pass *p = context;
    clr_object **second = (clr_object **)extra;
    if (!*second || clr_is_reached(*second)) return;
    if (!clr_is_reached(*slot)) {
        p->undecided++;
        return;
    }
    clr_reach(second);
    p->found = true;
}

static pass look_at_all(bool all) {
    pass p = {0};
    clr_handles_visit(CLR_DEPENDENT, all, look, &p);
    if (p.found) clr_reach_all();
    return p;
}

/* ---- waiting ---- */

static waiting_handle **place_of(const clr_object *first) {
    return &waiting.places[((uintptr_t)first * UINT64_C(0x9E3779B97F4A7C15) >> 24) & waiting.mask];
}

static void let_wait(clr_object **slot, uintptr_t *extra, void *context) {
    (void)context;
    clr_object **second = (clr_object **)extra;
    if (!*second || clr_is_reached(*second)) return;
    waiting_handle *handle = &waiting.handles[waiting.count++];
    waiting_handle **place = clr_is_reached(*slot) ? &waiting.ready : place_of(*slot);
    *handle = (waiting_handle){*slot, second, *place};
    *place = handle;
    if (place != &waiting.ready) __atomic_fetch_or(clr_header(*slot), CLR_HEADER_OURS, __ATOMIC_RELAXED);
}

void clr_life_note(const clr_object *object) {
    if (!(__atomic_load_n(clr_header(object), __ATOMIC_RELAXED) & CLR_HEADER_OURS)) return;
    __atomic_fetch_and(clr_header(object), ~(uint32_t)CLR_HEADER_OURS, __ATOMIC_RELAXED);
    for (waiting_handle **link = place_of(object), *handle; (handle = *link) != NULL;) {
        if (handle->first != object) {
            link = &handle->next;
            continue;
        }
        *link = handle->next;
        handle->next = waiting.ready;
        waiting.ready = handle;
    }
}

static void reach_ready(void) {
    while (waiting.ready) {
        while (waiting.ready) {
            waiting_handle *handle = waiting.ready;
            waiting.ready = handle->next;
            handle->first = NULL;
            clr_reach(handle->second);
        }
        clr_reach_all();
    }
}

static void look_at_waiting(void) {
    for (size_t i = 0; i < waiting.count; i++)
        if (waiting.handles[i].first && clr_is_reached(waiting.handles[i].first))
            clr_life_note(waiting.handles[i].first);
}

static void wait_no_more(void) {
    for (size_t i = 0; i < waiting.count; i++)
        if (waiting.handles[i].first)
            __atomic_fetch_and(clr_header(waiting.handles[i].first), ~(uint32_t)CLR_HEADER_OURS, __ATOMIC_RELAXED);
}

/* Handles that threads outside make meanwhile are empty, so there are no more than were counted. */
static bool reach_waiting(bool all, size_t undecided) {
    size_t places = 64;
    while (places < undecided) places *= 2;
    size_t page = hwr_raw_page_size(clr_tables);
    size_t size = (undecided * sizeof *waiting.handles + places * sizeof *waiting.places + page - 1) & ~(page - 1);
    char *memory = hwr_raw_reserve(clr_tables, size, 0);
    if (memory && !hwr_raw_commit(clr_tables, memory, size)) {
        hwr_raw_release(clr_tables, memory, size, 0);
        memory = NULL;
    }
    if (!memory) return false;
    waiting.places = (waiting_handle **)memory;
    waiting.handles = (waiting_handle *)(memory + places * sizeof *waiting.places);
    waiting.mask = places - 1;
    waiting.count = 0;
    clr_handles_visit(CLR_DEPENDENT, all, let_wait, NULL);
    clr_life_watches = true;
    do {
        reach_ready();
        look_at_waiting();
    } while (waiting.ready);
    clr_life_watches = false;
    wait_no_more();
    hwr_raw_release(clr_tables, memory, size, size);
    return true;
}

void clr_life_reach_dependents(bool all) {
    pass p = look_at_all(all);
    if (p.found) p = look_at_all(all);
    if (!p.found || !p.undecided || reach_waiting(all, p.undecided)) return;
    while (p.found) p = look_at_all(all);
}
