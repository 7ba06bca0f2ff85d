/* A graph under change, most of it in old objects: graph [threads=N] [operations=N] [nodes=N]
 *
 * A table has the nodes; each node has edges to others. An operation makes a node with edges to any, puts it into the table, takes the edges from the one that it replaces, and
 * turns an edge of one more to the new node and of another to any. So nearly every store is into an old object. With several threads, all work on the same graph, each so many times; the fields are
 * read and written atomically, and what happens between the reading and the writing does not matter.
 */
#define _POSIX_C_SOURCE 200809L
#include "memory.h"

enum { EDGES = 3 };

typedef struct Node Node;
struct Node {
    Node *edges[EDGES];
    uint64_t value;
};
TYPE(Node, HWR_REFS(Node, edges[0], edges[1], edges[2]));

typedef struct Table {
    size_t length;
    Node *items[];
} Table;
TYPE(Table, HWR_REF_ITEMS(Table, length, items));

typedef struct Shared {
    Table *table;
    size_t operations, nodes;
} Shared;

static uint64_t looked_at; /* what was read, so that no reading is left out */

static inline Node *read_field(Node **field) { return __atomic_load_n(field, __ATOMIC_ACQUIRE); }

static inline Node *pick(Table *table, uint64_t *state) {
    return read_field(&table->items[random_below(state, table->length)]);
}

static void change(Memory *memory, Table **root, uint64_t *state) {
    Node *node = NEW(memory, Node);
    Table *table = *root;
    node->value = next_random(state);
    for (int i = 0; i < EDGES; i++) INIT(memory, node, edges[i], pick(table, state));
    size_t place = random_below(state, table->length);
    Node *replaced = read_field(&table->items[place]);
    SET(memory, table, items[place], node);
    for (int i = 0; i < EDGES; i++) SET(memory, replaced, edges[i], (Node *)NULL);
    Node *other = pick(table, state), *another = pick(table, state);
    SET(memory, other, edges[0], node);
    SET(memory, another, edges[1], pick(table, state));
}

static void work(Memory *memory, void *given, size_t number) {
    const Shared *shared = given;
    uint64_t state = 88172645463325252 + number * 7919, sum = 0;
    FRAME(here, Table * table;);
    here.table = shared->table;
    for (size_t left = shared->operations; left > 0; left--) {
        change(memory, &here.table, &state);
        sum += pick(here.table, &state)->value;
    }
    END_FRAME(here);
    __atomic_fetch_add(&looked_at, sum, __ATOMIC_RELAXED);
}

int main(int argc, char **argv) {
    (void)argc;
    Memory *memory = memory_open(argv);
    Shared shared = {NULL, argument(argv, "operations", 10000000), argument(argv, "nodes", 50000)};
#if defined(BENCH_OURS)
    if (!hwr_root_add(memory, &shared.table)) out_of_memory();
#endif
    shared.table = NEW_ITEMS(memory, Table, shared.nodes);
    for (size_t i = 0; i < shared.nodes; i++) {
        Node *node = NEW(memory, Node);
        SET(memory, shared.table, items[i], node);
    }
    run_mutators(memory, argument(argv, "threads", 1), work, &shared);
    if (!looked_at) fail("the graph is empty");
#if defined(BENCH_OURS)
    hwr_root_remove(memory, &shared.table);
#endif
    memory_close(memory);
    return 0;
}
