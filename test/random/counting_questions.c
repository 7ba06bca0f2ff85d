/* The random mutator's questions to the heap, compared with what the oracle knows. */
#include "random/counting_mutator.h"

#include "heapwright/events.h"
#include "support/check.h"

#include <stdlib.h>

/* Goes through the references of an object, crossing off each: `scratch` of the nodes counts them. */
static bool cross_off(void *context, void *object) {
    node *n = oracle_find(&m.oracle, object);
    (void)context;
    CHECK(n != NULL && n->life == NODE_ALIVE && n->scratch > 0);
    n->scratch--;
    return true;
}

static void compare_referents(node *n) {
    for (size_t i = 0; i < n->length; i++)
        if (n->fields[i] != NULL) n->fields[i]->scratch = 0;
    for (size_t i = 0; i < n->length; i++)
        if (n->fields[i] != NULL) n->fields[i]->scratch++;
    CHECK(hwr_get_referents(m.heap, n->address, cross_off, NULL));
    for (size_t i = 0; i < n->length; i++)
        if (n->fields[i] != NULL) CHECK(n->fields[i]->scratch == 0);
}

static size_t weak_count(const node *n) {
    size_t count = 0;
    for (const node *weak = n->weak_first; weak != NULL; weak = weak->weak_next)
        count += weak->life == NODE_ALIVE && !weak->cleared;
    return count;
}

void ask_about(uint32_t bits) {
    node *n = pick(bits);
    if (n == NULL) return;
    say("ask about %s", name(n));
    CHECK(hwr_refcount(m.heap, n->address) == (n->immortal ? HWR_IMMORTAL : n->count));
    CHECK(hwr_sizeof(m.heap, n->address, false) == n->size);
    CHECK(hwr_sizeof(m.heap, n->address, true) >= n->size + 8);
    CHECK(hwr_id(m.heap, n->address) == n->id);
    CHECK(hwr_is_tracked(m.heap, n->address) == n->tracked);
    CHECK(hwr_is_finalized(m.heap, n->address) == n->finalized);
    CHECK(hwr_weak_count(m.heap, n->address) == weak_count(n));
    compare_referents(n);
    object_check(n);
}

/* Walks. Each object must be found once. */

typedef struct tour {
    int generation; /* -1: any object is right */
    const node *target;
    size_t found, stop_after;
} tour;

static bool refers_to(const node *n, const node *target) {
    for (size_t i = 0; i < n->length; i++)
        if (n->fields[i] == target) return true;
    return false;
}

static bool note(void *context, void *object) {
    tour *t = context;
    node *n = oracle_find(&m.oracle, object);
    CHECK(n != NULL && !n->seen);
    n->seen = true;
    if (t->generation >= 0) CHECK(n->tracked && n->generation == t->generation);
    if (t->target != NULL) CHECK(n->tracked && refers_to(n, t->target));
    return ++t->found != t->stop_after;
}

static void forget_seen(void) {
    for (size_t i = 0; i < m.oracle.used; i++) m.oracle.nodes[i].seen = false;
}

void mark_seen(void) {
    tour t = {.generation = -1};
    forget_seen();
    CHECK(hwr_heap_walk(m.heap, note, &t));
}

void ask_referrers(uint32_t bits) {
    tour t = {.generation = -1, .target = pick(bits)};
    if (t.target == NULL) return;
    size_t referrers = 0;
    for (size_t i = 0; i < m.oracle.used; i++) {
        const node *n = &m.oracle.nodes[i];
        referrers += n->life == NODE_ALIVE && n->tracked && n->generation != ORACLE_FROZEN && refers_to(n, t.target);
    }
    if ((bits & 7) == 0 && referrers > 1) t.stop_after = 1 + (bits >> 3) % (referrers - 1);
    say("ask for the referrers of %s", name(t.target));
    bool complete = hwr_get_referrers(m.heap, t.target->address, note, &t);
    CHECK(complete == (t.stop_after == 0) && t.found == (complete ? referrers : t.stop_after));
    forget_seen();
}

void compare_generations(void) {
    say("compare the generations");
    size_t all = 0;
    for (int generation = 0; generation < HWR_GENERATIONS; generation++) {
        tour t = {.generation = generation};
        size_t expected = 0;
        for (size_t i = 0; i < m.oracle.used; i++) {
            const node *n = &m.oracle.nodes[i];
            expected += n->life == NODE_ALIVE && n->tracked && n->generation == generation;
        }
        CHECK(hwr_get_objects(m.heap, generation, note, &t) && t.found == expected);
        all += t.found;
    }
    forget_seen();
    tour t = {.generation = -1};
    CHECK(hwr_get_objects(m.heap, HWR_ALL_GENERATIONS, note, &t) && t.found == all);
    forget_seen();
}

static bool is_another(void *context, void *object) { return object != ((const node *)context)->address; }

int generation_of(void *context, node *n) {
    (void)context;
    int generation = 0;
    if (!n->tracked) return generation;
    while (generation < ORACLE_FROZEN && hwr_get_objects(m.heap, generation, is_another, n)) generation++;
    return generation;
}

/* Figures */

static void compare_generation_stats(void) {
    hwr_generation_stats stats[HWR_GENERATIONS];
    hwr_get_stats(m.heap, stats);
    for (int i = 0; i < HWR_GENERATIONS; i++)
        CHECK(stats[i].collections == m.generations[i].collections && stats[i].uncollectable == 0 &&
              stats[i].collected == m.generations[i].collected);
    hwr_counters counters;
    hwr_get_counters(m.heap, &counters);
    CHECK(counters.finalizers == m.finalizers);
}

void compare_figures(void) {
    hwr_heap_stats stats;
    size_t bytes = 0, blocks = 0, block_bytes = 0;
    for (size_t i = 0; i < m.oracle.used; i++)
        if (m.oracle.nodes[i].life == NODE_ALIVE) bytes += m.oracle.nodes[i].size + 8;
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks += m.blocks[i].address != NULL;
        block_bytes += m.blocks[i].size;
    }
    hwr_heap_get_stats(m.heap, &stats);
    CHECK(stats.objects == m.oracle.alive);
    CHECK(stats.tracked == m.oracle.tracked);
    CHECK(stats.object_bytes >= bytes);
    CHECK(stats.page_bytes >= stats.object_bytes);
    CHECK(stats.blocks >= blocks && stats.block_bytes >= block_bytes);
    CHECK(stats.committed >= stats.page_bytes + stats.block_bytes && stats.peak_committed >= stats.committed);
    CHECK(stats.limit == (m.raw == NULL ? OWN_LIMIT : 0));
    CHECK(hwr_garbage_count(m.heap) == m.garbage_count);
    CHECK(m.garbage_count == 0 || hwr_garbage(m.heap, m.garbage_count - 1) == m.garbage[m.garbage_count - 1]->address);
    CHECK(hwr_garbage(m.heap, m.garbage_count) == NULL);
    compare_generation_stats();
}

/* Wants memory itself, and has it unless a fault is injected or the limit is near. */
void verify(void) {
    say("verify");
    const char *problem = "";
    bool well = hwr_heap_verify(m.heap, &problem);
    if (!well && !memory_was_short()) {
        fprintf(stderr, "verify says: %s\n", problem);
        abort();
    }
    mark_seen();
    for (size_t i = 0; i < m.oracle.used; i++) {
        const node *n = &m.oracle.nodes[i];
        CHECK((n->life == NODE_ALIVE) == n->seen);
        if (n->life != NODE_ALIVE) continue;
        CHECK(hwr_refcount(m.heap, n->address) == (n->immortal ? HWR_IMMORTAL : n->count));
        object_check(n);
    }
    forget_seen();
}
