/* Full collections of a heap in which all is alive: marking [nodes=N] [random=1] [huge=1] [elapsed=1] [collections=N]
 *
 * A binary tree of so many nodes, made in the order of its branches, or with its nodes in random order. Prints the fewest nanoseconds that one of several collections took
 * for a node, in CPU time of the process, or with `elapsed` by the clock. With `huge`, the system is asked for huge pages wherever the program has memory, before it collects.
 */
#define _DEFAULT_SOURCE
#include "memory.h"
#include <inttypes.h>
#include <sys/mman.h>

typedef struct Node Node;
struct Node {
    Node *left, *right;
    uint64_t payload;
};
TYPE(Node, HWR_REFS(Node, left, right));

typedef struct Table {
    size_t length;
    Node *items[];
} Table;
TYPE(Table, HWR_REF_ITEMS(Table, length, items));

static Node *build(Memory *memory, size_t nodes) {
    if (nodes == 0) return NULL;
    FRAME(here, Node * node;);
    here.node = NEW(memory, Node);
    Node *left = build(memory, (nodes - 1) / 2);
    SET(memory, here.node, left, left);
    Node *right = build(memory, nodes - 1 - (nodes - 1) / 2);
    SET(memory, here.node, right, right);
    Node *node = here.node;
    END_FRAME(here);
    return node;
}

static void shuffle(Memory *memory, Table *table) {
    uint64_t state = 88172645463325252;
    for (size_t i = table->length - 1; i > 0; i--) {
        size_t other = (size_t)(next_random(&state) % (i + 1));
        Node *node = table->items[i];
        SET(memory, table, items[i], table->items[other]);
        SET(memory, table, items[other], node);
    }
}

static Node *build_in_random_order(Memory *memory, size_t nodes) {
    FRAME(here, Table * table;);
    here.table = NEW_ITEMS(memory, Table, nodes);
    for (size_t i = 0; i < nodes; i++) {
        Node *node = NEW(memory, Node);
        SET(memory, here.table, items[i], node);
    }
    shuffle(memory, here.table);
    for (size_t i = 0; 2 * i + 1 < nodes; i++) {
        SET(memory, here.table->items[i], left, here.table->items[2 * i + 1]);
        if (2 * i + 2 < nodes) SET(memory, here.table->items[i], right, here.table->items[2 * i + 2]);
    }
    Node *root = here.table->items[0];
    END_FRAME(here);
    return root;
}

#if !defined(MADV_COLLAPSE)
#define MADV_COLLAPSE 25
#endif

static void ask_for_huge_pages(void) {
    enum { RANGES_MOST = 4096, HUGE_PAGE = 2 << 20 };
    static struct { uintptr_t start, end; } ranges[RANGES_MOST];
    size_t count = 0;
    char line[512], rights[5];
    unsigned long inode;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && count < RANGES_MOST && fgets(line, sizeof line, maps))
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %lu", &ranges[count].start, &ranges[count].end, rights,
                   &inode) == 4 &&
            rights[1] == 'w' && !inode && !strstr(line, "[stack") &&
            ranges[count].end - ranges[count].start >= HUGE_PAGE)
            count++;
    if (maps) fclose(maps);
    for (size_t i = 0; i < count; i++) {
        madvise((void *)ranges[i].start, ranges[i].end - ranges[i].start, MADV_HUGEPAGE);
        for (uintptr_t at = (ranges[i].start + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1);
             at + HUGE_PAGE <= ranges[i].end; at += HUGE_PAGE)
            madvise((void *)at, HUGE_PAGE, MADV_COLLAPSE);
    }
}

static size_t count(const Node *tree) { return tree ? 1 + count(tree->left) + count(tree->right) : 0; }

int main(int argc, char **argv) {
    (void)argc;
    Memory *memory = memory_open(argv);
    size_t nodes = argument(argv, "nodes", 10000000);
    double best = 1e9;
    clockid_t clock = argument(argv, "elapsed", 0) ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID;
    FRAME(here, Node *volatile tree;);
    here.tree = argument(argv, "random", 0) ? build_in_random_order(memory, nodes) : build(memory, nodes);
    if (argument(argv, "huge", 0)) ask_for_huge_pages();
    for (size_t left = argument(argv, "collections", 5); left > 0; left--) {
        double start = cpu_seconds(clock);
        collect_all(memory);
        double taken = cpu_seconds(clock) - start;
        if (taken < best) best = taken;
    }
    if (count(here.tree) != nodes) fail("nodes are missing");
    END_FRAME(here);
    printf("ns-per-object %.4f\n", best * 1e9 / (double)nodes);
    memory_close(memory);
    return 0;
}
