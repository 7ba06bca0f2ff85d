/* Collections, and the comparison of the heap with its shadow. */
#include "random/tracing_mutator.h"

#include "support/check.h"

#include <string.h>

static bool never_moves(void) { return (m.configuration & TRACING_MODE) == TRACING_UNMOVING; }

/* The graph, from the roots, objects and nodes side by side */

typedef struct walker {
    node *stack[SHADOW_NODES];
    size_t depth;
} walker;

static walker walking;

static void reach(node *n, void *object) {
    CHECK((n == NULL) == (object == NULL));
    if (n == NULL) return;
    if (n->address != NULL) {
        CHECK(n->address == object);
        return;
    }
    n->address = object;
    walking.stack[walking.depth++] = n;
}

static void look_at(node *n) {
    void *object = n->address;
    if (n->kind == TRACED_WEAK)
        CHECK(hwr_type_of(object) == hwr_weak_type());
    else
        tracing_object_check(object, n->kind, n->length, n->serial);
    int generation = hwr_generation_of(m.heap, object);
    CHECK(generation >= n->generation && generation <= HWR_OLDEST);
    n->generation = generation;
    if (never_moves()) CHECK(n->home == NULL || n->home == object);
    n->home = object;
    CHECK(n->kind != TRACED_ALIGNED || (uintptr_t)object % 16 == 0);
    if (n->id != 0) CHECK(hwr_id(m.heap, object) == n->id);
    for (size_t i = 0; n->kind != TRACED_WEAK && i < n->field_count; i++)
        reach(n->fields[i], *tracing_object_field(object, n->kind, i));
}

static void check_ids(void) {
    for (size_t i = 0; i < m.shadow.end; i++)
        for (size_t k = 0; m.shadow.nodes[i].id != 0 && k < i; k++)
            CHECK(m.shadow.nodes[k].id != m.shadow.nodes[i].id || m.shadow.nodes[k].address == NULL ||
                  m.shadow.nodes[i].address == NULL);
}

void check_graph(void) {
    shadow *s = &m.shadow;
    for (size_t i = 0; i < s->end; i++) s->nodes[i].address = NULL;
    walking.depth = 0;
    shadow_mark(s);
    for (size_t i = 0; i < ROOTS_USED; i++)
        if (s->roots[i].sort != ROOT_FREE) reach(s->roots[i].holds, root_object(&s->roots[i]));
    for (size_t i = 0; i < SHADOW_HANDLES; i++) {
        shadow_handle *h = &s->handles[i];
        if (h->handle == NULL) continue;
        learn_of_handle(h);
        if (h->target == NULL || h->cleared || !h->target->rooted) continue;
        reach(h->target, hwr_handle_get(m.heap, h->handle));
        if (h->second != NULL) reach(h->second, hwr_handle_second(m.heap, h->handle));
    }
    while (walking.depth > 0) look_at(walking.stack[--walking.depth]);
    check_ids();
}

/* What is in the heap */

static bool see(void *context, void *object) {
    size_t *others = context;
    if (tracing_object_kind(object) == TRACED_WEAK) {
        ++*others;
        return true;
    }
    node *n = shadow_find(&m.shadow, tracing_object_serial(object));
    CHECK(!n->seen);
    n->seen = true;
    return true;
}

/* A weak reference has no serial number, so it counts as there if its argument is, or is said to be there if it may be. */
static void see_weak(node *n, bool exact) {
    if (exact)
        n->seen = n->kept;
    else
        n->seen = n->fields[0] == NULL || n->fields[0]->seen;
}

/* What callbacks make while the heap is gone through is there, and is not looked for. */
static void look_around(bool exact) {
    shadow *s = &m.shadow;
    size_t others = 0, weaks = 0;
    uint64_t entered = s->entered;
    for (size_t i = 0; i < s->end; i++) s->nodes[i].seen = false;
    CHECK(hwr_heap_walk(m.heap, see, &others));
    for (size_t i = 0; i < s->end; i++) {
        node *n = &s->nodes[i];
        if (n->serial == 0 || n->kind != TRACED_WEAK || shadow_is_newer(n, entered)) continue;
        see_weak(n, exact);
        weaks += n->kept;
    }
    CHECK(others >= weaks);
    for (size_t i = 0; i < s->end; i++) {
        const node *n = &s->nodes[i];
        if (n->serial == 0 || shadow_is_newer(n, entered)) continue;
        CHECK(n->seen || !n->kept);
        if (exact) CHECK(n->seen == n->kept);
        for (size_t k = 0; n->seen && k < n->field_count; k++) CHECK(n->fields[k] == NULL || n->fields[k]->seen);
    }
}

/* What is dead leaves the shadow */

static void forget_in_handle(shadow_handle *h, bool exactly_short) {
    if (h->handle == NULL) return;
    learn_of_handle(h);
    if (h->target == NULL) return;
    bool is_short = h->kind == HWR_HANDLE_WEAK_SHORT;
    if (is_short && exactly_short && !h->target->rooted) CHECK(h->cleared);
    if (!is_short && h->cleared)
        CHECK(!h->target->seen || h->target->kind == TRACED_WEAK); /* whether that is there is a guess */
    if (h->target->seen) {
        if (h->cleared && h->second != NULL && !h->second->seen) h->second = NULL; /* a guess again */
        CHECK(h->second == NULL || h->second->seen);
        return;
    }
    CHECK(h->cleared);
    h->target = h->second = NULL;
    h->cleared = false;
}

static void forget_the_dead(bool exactly_short) {
    shadow *s = &m.shadow;
    for (size_t i = 0; i < SHADOW_HANDLES; i++) forget_in_handle(&s->handles[i], exactly_short);
    for (size_t i = 0; i < s->end; i++) {
        node *n = &s->nodes[i];
        if (n->serial != 0 && n->kind == TRACED_WEAK && n->target != NULL && !n->target->seen) n->target = NULL;
    }
    for (size_t i = 0; i < s->end; i++) {
        node *n = &s->nodes[i];
        if (n->serial == 0 || n->seen) continue;
        m.large -= n->length >= LARGE_LENGTH;
        m.weaks -= n->kind == TRACED_WEAK;
        shadow_remove(s, n);
    }
}

/* Weak references whose objects are dead, and that roots lead to, have called back when all finalizers have run. */
static void check_callbacks(void) {
    note_empty_queue(false);
    shadow_mark(&m.shadow);
    for (size_t i = 0; i < m.shadow.end; i++) {
        const node *n = &m.shadow.nodes[i];
        if (n->kind == TRACED_WEAK && n->rooted && !n->strayed && n->calls_back && n->target == NULL) CHECK(n->called);
    }
}

static void compare(bool exact, bool was_empty, bool once) {
    shadow *s = &m.shadow;
    shadow_mark(s);
    look_around(exact);
    size_t pending = hwr_finalizers_pending(m.heap);
    say("%zu objects, %zu in the queue", s->alive, pending);
    if (exact && was_empty && once) {
        CHECK(pending == shadow_count_doomed(s));
        uint64_t batch = hwr_collection_count(m.heap, 0);
        for (size_t i = 0; i < s->end; i++)
            if (s->nodes[i].registered && !s->nodes[i].rooted) s->nodes[i].batch = batch;
    }
    forget_the_dead(exact && was_empty);
    check_graph();
}

static bool collect_checked(int generation, hwr_collection_mode mode) {
    uint64_t before = hwr_collection_count(m.heap, generation);
    say("collect generation %d, mode %d", generation, (int)mode);
    bool done = hwr_collect_with(m.heap, generation, mode);
    if (done)
        CHECK(hwr_collection_count(m.heap, generation) > before);
    else
        CHECK(mode == HWR_COLLECT_OPTIMIZED || memory_was_short());
    for (int i = 0; i < HWR_OLDEST; i++) CHECK(hwr_collection_count(m.heap, i) >= hwr_collection_count(m.heap, i + 1));
    return done;
}

void collect_some(uint32_t bits) {
    if (bits % 16 == 15) {
        CHECK(hwr_collect(m.heap, (int)(bits >> 4) % HWR_GENERATIONS) == 0);
        return;
    }
    collect_checked((int)(bits >> 4) % HWR_GENERATIONS, (hwr_collection_mode)((bits >> 8) % 6));
    shadow_mark(&m.shadow);
    for (size_t i = 0; i < SHADOW_HANDLES; i++)
        if (m.shadow.handles[i].handle != NULL) learn_of_handle(&m.shadow.handles[i]);
    if (bits % 2 == 0) check_graph();
}

void collect_all(uint32_t bits) {
    static const hwr_collection_mode modes[] = {HWR_COLLECT_DEFAULT, HWR_COLLECT_FORCED, HWR_COLLECT_BLOCKING,
                                                HWR_COLLECT_COMPACTING, HWR_COLLECT_AGGRESSIVE};
    if (bits % 2 == 0) run_finalizers(3);
    bool was_empty = hwr_finalizers_pending(m.heap) == 0;
    if (was_empty) note_empty_queue(false);
    size_t disturbances = m.disturbances;
    uint64_t collections = hwr_collection_count(m.heap, 0);
    bool done = collect_checked(HWR_OLDEST, modes[(bits >> 1) % 5]);
    if (!done) return;
    bool once = hwr_collection_count(m.heap, 0) == collections + 1;
    bool exact =
        !scans_stacks() && !memory_was_short() && !shadow_is_unsure(&m.shadow) && m.disturbances == disturbances;
    compare(exact, was_empty, once);
    if (exact && bits % 2 == 0 && was_empty) {
        run_finalizers(3);
        check_callbacks();
    }
}

void check_heap(void) {
    const char *problem = "";
    if (!hwr_heap_verify(m.heap, &problem)) {
        say("%s", problem);
        CHECK(memory_was_short() && strstr(problem, "memory") != NULL);
    }
    hwr_heap_stats stats;
    hwr_heap_get_stats(m.heap, &stats);
    CHECK(stats.objects >= stats.tracked && stats.peak_committed >= stats.committed);
    hwr_memory_info info;
    hwr_get_memory_info(m.heap, HWR_INFO_ANY, &info);
    CHECK((info.index == 0) == (hwr_collection_count(m.heap, 0) == 0));
    CHECK(info.generation >= 0 && info.generation <= HWR_OLDEST);
    CHECK(info.pause_percentage >= 0 && info.pause_percentage <= 100);
    check_graph();
}
