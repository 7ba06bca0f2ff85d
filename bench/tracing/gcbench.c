/* GCBench, after John Ellis, Pete Kovac and Hans Boehm: binary trees of several depths, built and dropped, while one tree and one array stay.
 *
 * Compiled with BENCH_HOLES it is like Whippet's mt-gcbench: no tree to stretch the heap first, everything once in each of `threads` threads, and small objects
 * of many sizes, dropped at once, between the nodes.
 */
#define _POSIX_C_SOURCE 200809L
#if !defined(BENCH_HOLES)
#define TELLS_STORES
#endif
#include "memory.h"

enum { STRETCH_DEPTH = 18, LONG_LIVED_DEPTH = 16, LEAST_DEPTH = 4, MOST_DEPTH = 16, ARRAY_LENGTH = 500000 };

typedef struct Node Node;
struct Node {
    Node *left, *right;
    int32_t i, j;
};
TYPE(Node, HWR_REFS(Node, left, right));

typedef struct Array {
    size_t length;
    double items[];
} Array;
TYPE(Array, HWR_ITEMS(Array, length, items, double));

#if defined(BENCH_HOLES)
typedef struct Hole {
    size_t length;
    uint64_t items[];
} Hole;
TYPE(Hole, HWR_ITEMS(Hole, length, items, uint64_t));

enum { HOLES = 256 };
static size_t hole_lengths[HOLES];

/* Each length begins at 0 and grows by one until, with a probability of 0.15, it stops. */
static void choose_holes(void) {
    uint64_t state = 88172645463325252;
    for (size_t i = 0; i < HOLES; i++)
        while (random_below(&state, 100) >= 15) hole_lengths[i]++;
}

static _Thread_local size_t holes_made;

static inline void make_hole(Memory *memory) {
    size_t length = hole_lengths[holes_made++ % HOLES];
    if (!length) return;
    Hole *hole = NEW_LEAF_ITEMS(memory, Hole, length);
    ZERO(hole->items, length * sizeof hole->items[0]);
    (void)hole;
}
#else
static inline void make_hole(Memory *memory) { (void)memory; }
#endif

static size_t nodes_of(int depth) { return ((size_t)2 << depth) - 1; }
static size_t trees_of(int depth) { return 2 * nodes_of(STRETCH_DEPTH) / nodes_of(depth); }

#if defined(BENCH_MALLOC)
static void free_tree(Node *tree) {
    if (tree->left) {
        free_tree(tree->left);
        free_tree(tree->right);
    }
    free(tree);
}
#endif

/* Top-down: gives a node its children, and these theirs. */
static void populate(Memory *memory, Node *given, int depth) {
    if (depth == 0) return;
    FRAME(here, Node * node;);
    here.node = given;
    make_hole(memory);
    Node *left = NEW(memory, Node);
    SET(memory, here.node, left, left);
    make_hole(memory);
    Node *right = NEW(memory, Node);
    SET(memory, here.node, right, right);
    populate(memory, here.node->left, depth - 1);
    populate(memory, here.node->right, depth - 1);
    END_FRAME(here);
}

/* Bottom-up. */
static Node *make_tree(Memory *memory, int depth) {
    if (depth == 0) return NEW(memory, Node);
    FRAME(here, Node * left, *right;);
    here.left = make_tree(memory, depth - 1);
    here.right = make_tree(memory, depth - 1);
    make_hole(memory);
    Node *node = NEW(memory, Node);
    INIT(memory, node, left, here.left);
    INIT(memory, node, right, here.right);
    END_FRAME(here);
    return node;
}

static Node *populated_tree(Memory *memory, int depth) {
    FRAME(here, Node * tree;);
    here.tree = NEW(memory, Node);
    populate(memory, here.tree, depth);
    Node *tree = here.tree;
    END_FRAME(here);
    return tree;
}

/* The last tree made; written so that no compiler leaves out a tree because nobody looks at it. */
static void use(Node *tree) {
    if (!tree || (tree->left == NULL) != (tree->right == NULL)) fail("a tree is broken");
    DROP(tree);
}

static size_t count(const Node *tree) { return tree ? 1 + count(tree->left) + count(tree->right) : 0; }

static void work(Memory *memory, void *shared, size_t number) {
    (void)shared, (void)number;
#if !defined(BENCH_HOLES)
    use(make_tree(memory, STRETCH_DEPTH));
#endif
    FRAME(here, Node * tree; Array * array;);
    here.tree = populated_tree(memory, LONG_LIVED_DEPTH);
    here.array = NEW_LEAF_ITEMS(memory, Array, ARRAY_LENGTH);
    for (size_t i = 0; i < ARRAY_LENGTH / 2; i++) here.array->items[i] = 1.0 / (double)(i + 1);
    for (int depth = LEAST_DEPTH; depth <= MOST_DEPTH; depth += 2) {
        for (size_t i = trees_of(depth); i > 0; i--) use(populated_tree(memory, depth));
        for (size_t i = trees_of(depth); i > 0; i--) use(make_tree(memory, depth));
    }
    if (count(here.tree) != nodes_of(LONG_LIVED_DEPTH) || here.array->items[1000] < 1.0 / 1001 ||
        here.array->items[1000] > 1.0 / 1001)
        fail("what should have stayed did not");
    END_FRAME(here);
}

int main(int argc, char **argv) {
    (void)argc;
    Memory *memory = memory_open(argv);
#if defined(BENCH_HOLES)
    choose_holes();
#endif
    run_mutators(memory, argument(argv, "threads", 1), work, NULL);
    memory_close(memory);
    return 0;
}
