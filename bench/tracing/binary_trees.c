/* Binary trees, by the rules of the Benchmarks Game: one of depth + 1 is made, counted and dropped; one of `depth` is made and kept; then, for
 * every second depth from 4 on, as many as have about as many nodes together are made, counted and dropped one after the other. All are made bottom-up.
 */
#define _POSIX_C_SOURCE 200809L
#define TELLS_STORES
#include "memory.h"

typedef struct Node Node;
struct Node {
    Node *left, *right;
};
TYPE(Node, HWR_REFS(Node, left, right));

static Node *build(Memory *memory, unsigned depth) {
    if (depth == 0) return NEW(memory, Node);
    FRAME(here, Node * left, *right;);
    here.left = build(memory, depth - 1);
    here.right = build(memory, depth - 1);
    Node *node = NEW(memory, Node);
    INIT(memory, node, left, here.left);
    INIT(memory, node, right, here.right);
    END_FRAME(here);
    return node;
}

static size_t count(const Node *tree) { return tree->left ? 1 + count(tree->left) + count(tree->right) : 1; }

int main(int argc, char **argv) {
    (void)argc;
    Memory *memory = memory_open(argv);
    unsigned depth = (unsigned)argument(argv, "depth", 18);
    size_t nodes = count(build(memory, depth + 1));
    FRAME(here, Node * kept;);
    here.kept = build(memory, depth);
    for (unsigned d = 4; d <= depth; d += 2)
        for (size_t left = (size_t)16 << (depth - d); left > 0; left--) nodes += count(build(memory, d));
    nodes += count(here.kept);
    END_FRAME(here);
    printf("nodes %zu\n", nodes);
    memory_close(memory);
    return 0;
}
