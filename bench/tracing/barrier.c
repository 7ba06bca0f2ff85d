/* What a store costs that the collector need not know of: barrier
 *
 * Prints, for stores of old objects into old ones and of young into young ones, by how many nanoseconds hwr_set is slower than a plain store of the same pointer: medians of
 * measurements that take turns.
 */
#define _POSIX_C_SOURCE 200809L
#include "memory.h"

enum { OBJECTS = 256, DISTANCE = 97, PASSES = 4000, TURNS = 51 };

typedef struct Node Node;
struct Node {
    Node *other;
};
TYPE(Node, HWR_REFS(Node, other));

typedef struct Table {
    size_t length;
    Node *items[];
} Table;
TYPE(Table, HWR_REF_ITEMS(Table, length, items));

static double store_by_heap(Memory *memory, Node **nodes) {
    double start = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
    for (int pass = 0; pass < PASSES; pass++)
        for (int i = 0; i < OBJECTS; i++) hwr_set(memory, nodes[i], &nodes[i]->other, nodes[(i + DISTANCE) % OBJECTS]);
    return cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - start;
}

/* Atomic, so that the compiler does not leave any out. */
static double store_plainly(Node **nodes) {
    double start = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
    for (int pass = 0; pass < PASSES; pass++)
        for (int i = 0; i < OBJECTS; i++)
            __atomic_store_n(&nodes[i]->other, nodes[(i + DISTANCE) % OBJECTS], __ATOMIC_RELAXED);
    return cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - start;
}

static void measure(Memory *memory, const Table *table, const char *name, int generation) {
    Node *nodes[OBJECTS]; /* nothing moves while nothing is allocated */
    double by_heap[TURNS], plain[TURNS], more[TURNS];
    memcpy(nodes, table->items, sizeof nodes);
    for (int i = 0; i < OBJECTS; i++)
        if (hwr_generation_of(memory, nodes[i]) != generation) fail("an object is not in its generation");
    for (int turn = 0; turn < TURNS; turn++) {
        by_heap[turn] = store_by_heap(memory, nodes) * 1e9 / PASSES / OBJECTS;
        plain[turn] = store_plainly(nodes) * 1e9 / PASSES / OBJECTS;
        more[turn] = by_heap[turn] - plain[turn];
    }
    qsort(by_heap, TURNS, sizeof by_heap[0], by_size);
    qsort(plain, TURNS, sizeof plain[0], by_size);
    qsort(more, TURNS, sizeof more[0], by_size);
    printf("%s %.4f\n%s-plain %.4f\n%s-more %.4f\n", name, by_heap[TURNS / 2], name, plain[TURNS / 2], name,
           more[TURNS / 2]);
}

static void fill(Memory *memory, Table **table) {
    for (size_t i = 0; i < OBJECTS; i++) {
        Node *node = NEW(memory, Node);
        SET(memory, *table, items[i], node);
    }
}

int main(int argc, char **argv) {
    (void)argc;
    Memory *memory = memory_open(argv);
    FRAME(here, Table * table;);
    here.table = NEW_ITEMS(memory, Table, (size_t)OBJECTS);
    fill(memory, &here.table);
    for (int i = 0; i < 3; i++) collect_all(memory);
    measure(memory, here.table, "old-into-old", HWR_OLDEST);
    fill(memory, &here.table);
    measure(memory, here.table, "young-into-young", 0);
    END_FRAME(here);
    memory_close(memory);
    return 0;
}
