/* A graph under change, most of it in old objects: graph [threads=N] [operations=N] [nodes=N]
 *
 * A table has the nodes; each node has edges to others. An operation makes a node with the edges of another one, puts it into the table, takes the edges from the one that
 * it replaces, and turns edges of several other nodes to somewhere else. With several threads, all work on the same graph, each so many times; the fields are
 * read and written atomically, and what happens between the reading and the writing does not matter.
 */
#define _POSIX_C_SOURCE 200809L
#include "memory.h"

enum { EDGES = 4, TURNS = 6, STEPS = 4 };

typedef struct Node Node;
struct Node {
    Node *edges[EDGES];
    uint64_t value;
};
TYPE(Node, HWR_REFS(Node, edges[0], edges[1], edges[2], edges[3]));

typedef struct Table {
    size_t length;
    Node *items[];
} Table;
TYPE(Table, HWR_REF_ITEMS(Table, length, items));

typedef struct Shared {
    Table *table;
    size_t operations, nodes;
} Shared;

static uint64_t walked; /* so that no walk is left out */

static inline Node *read_field(Node **field) { return __atomic_load_n(field, __ATOMIC_ACQUIRE); }

static inline Node *pick(Table *table, uint64_t *state) {
    return read_field(&table->items[random_below(state, table->length)]);
}

static uint64_t walk(Node *from, uint64_t *state) {
    uint64_t sum = 0;
    for (int step = 0; from && step < STEPS; step++) {
        sum += from->value;
        from = read_field(&from->edges[next_random(state) % EDGES]);
    }
    return sum;
}

static void change(Memory *memory, Table **root, uint64_t *state) {
    Node *node = NEW(memory, Node);
    Table *table = *root;
    Node *like = pick(table, state);
    for (int i = 0; i < EDGES; i++) INIT(memory, node, edges[i], read_field(&like->edges[i]));
    node->value = next_random(state);
    size_t place = random_below(state, table->length);
    Node *replaced = read_field(&table->items[place]);
    SET(memory, table, items[place], node);
    for (int i = 0; i < EDGES; i++) SET(memory, replaced, edges[i], (Node *)NULL);
    for (int i = 0; i < TURNS; i++) {
        Node *from = pick(table, state), *to = pick(table, state);
        SET(memory, from, edges[i % EDGES], to);
    }
}

static void work(Memory *memory, void *given, size_t number) {
    const Shared *shared = given;
    uint64_t state = 88172645463325252 + number * 7919, sum = 0;
    FRAME(here, Table * table;);
    here.table = shared->table;
    for (size_t left = shared->operations; left > 0; left--) {
        change(memory, &here.table, &state);
        sum += walk(pick(here.table, &state), &state);
    }
    END_FRAME(here);
    __atomic_fetch_add(&walked, sum, __ATOMIC_RELAXED);
}

int main(int argc, char **argv) {
    (void)argc;
    Memory *memory = memory_open(argv);
    Shared shared = {NULL, argument(argv, "operations", 3000000), argument(argv, "nodes", 200000)};
#if defined(BENCH_OURS)
    if (!hwr_root_add(memory, &shared.table)) out_of_memory();
#endif
    shared.table = NEW_ITEMS(memory, Table, shared.nodes);
    for (size_t i = 0; i < shared.nodes; i++) {
        Node *node = NEW(memory, Node);
        SET(memory, shared.table, items[i], node);
    }
    run_mutators(memory, argument(argv, "threads", 1), work, &shared);
    if (!walked) fail("the graph is empty");
#if defined(BENCH_OURS)
    hwr_root_remove(memory, &shared.table);
#endif
    memory_close(memory);
    return 0;
}
