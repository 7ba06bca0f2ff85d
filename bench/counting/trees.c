/* Binary trees that are freed explicitly: trees DEPTH [tracked]
 *
 * Compiled for a heap (BENCH_HEAP) or for whatever malloc is preloaded (BENCH_MALLOC). A tree one level deeper is made,
 * counted and freed; one of DEPTH is made and kept; then, for every second depth from 4 on, as many trees as have about
 * as many nodes together are made, counted and freed one after the other. All trees are made bottom-up.
 *
 * On a heap the type of a node is flagged as acyclic, since trees have no cycles, unless `tracked` is given.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Node Node;
struct Node {
    Node *left, *right;
};

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "trees: %s\n", what);
    exit(1);
}

#if defined(BENCH_HEAP)

#include <heapwright.h>

static const hwr_type acyclic_type = HWR_TYPE(Node, HWR_REFS(Node, left, right), .flags = HWR_ACYCLIC);
static const hwr_type tracked_type = HWR_TYPE(Node, HWR_REFS(Node, left, right));

static hwr_heap *heap;
static const hwr_type *node_type;

static bool open_allocator(bool tracked) {
    node_type = tracked ? &tracked_type : &acyclic_type;
    heap = hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options), .collector = HWR_COUNTING});
    return heap != NULL;
}

static inline Node *new_node(void) { return hwr_new(heap, node_type); }

static inline void adopt(Node *node, Node *left, Node *right) {
    hwr_init(heap, node, &node->left, left);
    hwr_init(heap, node, &node->right, right);
}

static void release(Node *tree) { hwr_release(heap, tree); }

static void close_allocator(void) { hwr_heap_close(heap); }

#elif defined(BENCH_MALLOC)

static bool open_allocator(bool tracked) { return !tracked; }

static inline Node *new_node(void) { return malloc(sizeof(Node)); }

static inline void adopt(Node *node, Node *left, Node *right) {
    node->left = left;
    node->right = right;
}

static void release(Node *tree) {
    if (tree->left != NULL) {
        release(tree->left);
        release(tree->right);
    }
    free(tree);
}

static void close_allocator(void) {}

#else
#error "define BENCH_HEAP or BENCH_MALLOC"
#endif

static Node *build(unsigned depth) {
    Node *left = depth > 0 ? build(depth - 1) : NULL;
    Node *right = depth > 0 ? build(depth - 1) : NULL;
    Node *node = new_node();
    if (node == NULL) {
        fail("out of memory");
    }
    adopt(node, left, right);
    return node;
}

static size_t count(const Node *tree) { return tree->left == NULL ? 1 : 1 + count(tree->left) + count(tree->right); }

static void check(const Node *tree, unsigned depth) {
    if (count(tree) != ((size_t)2 << depth) - 1) {
        fail("a tree has another number of nodes than it should");
    }
}

static void build_and_free(unsigned depth) {
    Node *tree = build(depth);
    check(tree, depth);
    release(tree);
}

int main(int argc, char **argv) {
    int most = argc >= 2 ? atoi(argv[1]) : 0;
    bool tracked = argc == 3 && strcmp(argv[2], "tracked") == 0;
    if (most < 4 || most > 26 || argc > 3 || (argc == 3 && !tracked)) {
        fail("usage: trees DEPTH [tracked]");
    }
    if (!open_allocator(tracked)) {
        fail("cannot open the allocator");
    }
    unsigned depth = (unsigned)most;
    build_and_free(depth + 1);
    Node *kept = build(depth);
    for (unsigned d = 4; d <= depth; d += 2) {
        for (size_t left = (size_t)16 << (depth - d); left > 0; left--) {
            build_and_free(d);
        }
    }
    check(kept, depth);
    release(kept);
    close_allocator();
    return 0;
}
