/* A splay tree (Sleator and Tarjan) that keeps its size, after the program of that name in V8's benchmark suite: splay [changes=N]
 *
 * Each node has a key drawn at random and a tree of small objects. A change puts in a node and removes the one with the next smaller key.
 */
#define _POSIX_C_SOURCE 200809L
#include "memory.h"

enum { NODES = 8000, PAYLOAD_DEPTH = 5, NUMBERS = 10, TEXT_LENGTH = 40 };

typedef struct Payload {
    void *left, *right; /* payloads; in a leaf: numbers and a text */
} Payload;
TYPE(Payload, HWR_REFS(Payload, left, right));

typedef struct Numbers {
    size_t length;
    int64_t items[];
} Numbers;
TYPE(Numbers, HWR_ITEMS(Numbers, length, items, int64_t));

typedef struct Text {
    size_t length;
    char items[];
} Text;
TYPE(Text, HWR_ITEMS(Text, length, items, char));

typedef struct Node Node;
struct Node {
    Node *left, *right;
    Payload *payload;
    uint64_t key;
};
TYPE(Node, HWR_REFS(Node, left, right, payload));

typedef struct Tree {
    Node *root, *spare; /* the spare node holds what is split off while the tree is turned */
} Tree;
TYPE(Tree, HWR_REFS(Tree, root, spare));

static uint64_t state = 88172645463325252;

static Payload *new_payload(Memory *memory, unsigned depth, uint64_t key) {
    FRAME(here, Payload * payload;);
    here.payload = NEW(memory, Payload);
    if (depth == 0) {
        Numbers *numbers = NEW_LEAF_ITEMS(memory, Numbers, (size_t)NUMBERS);
        for (int i = 0; i < NUMBERS; i++) numbers->items[i] = i;
        SET(memory, here.payload, left, (void *)numbers);
        Text *text = NEW_LEAF_ITEMS(memory, Text, (size_t)TEXT_LENGTH);
        snprintf(text->items, TEXT_LENGTH, "of key %llx", (unsigned long long)key);
        SET(memory, here.payload, right, (void *)text);
    } else {
        Payload *left = new_payload(memory, depth - 1, key);
        SET(memory, here.payload, left, (void *)left);
        Payload *right = new_payload(memory, depth - 1, key);
        SET(memory, here.payload, right, (void *)right);
    }
    Payload *payload = here.payload;
    END_FRAME(here);
    return payload;
}

/* Turns the tree until the node with that key, or one next to where it would be, is its root. */
static void splay(Memory *memory, Tree *tree, uint64_t key) {
    Node *spare = tree->spare, *left = spare, *right = spare, *at = tree->root;
    while (at->key != key) {
        if (key < at->key) {
            if (!at->left) break;
            if (key < at->left->key) {
                Node *up = at->left;
                SET(memory, at, left, up->right);
                SET(memory, up, right, at);
                at = up;
                if (!at->left) break;
            }
            SET(memory, right, left, at);
            right = at;
            at = at->left;
        } else {
            if (!at->right) break;
            if (key > at->right->key) {
                Node *up = at->right;
                SET(memory, at, right, up->left);
                SET(memory, up, left, at);
                at = up;
                if (!at->right) break;
            }
            SET(memory, left, right, at);
            left = at;
            at = at->right;
        }
    }
    SET(memory, left, right, at->left);
    SET(memory, right, left, at->right);
    SET(memory, at, left, spare->right);
    SET(memory, at, right, spare->left);
    SET(memory, spare, left, (Node *)NULL);
    SET(memory, spare, right, (Node *)NULL);
    SET(memory, tree, root, at);
}

static bool has(Memory *memory, Tree *tree, uint64_t key) {
    if (!tree->root) return false;
    splay(memory, tree, key);
    return tree->root->key == key;
}

static void insert(Memory *memory, Tree *given, uint64_t key) {
    FRAME(here, Tree * tree; Payload * payload;);
    here.tree = given;
    here.payload = new_payload(memory, PAYLOAD_DEPTH, key);
    Node *node = NEW(memory, Node), *root = here.tree->root;
    node->key = key;
    INIT(memory, node, payload, here.payload);
    if (root) { /* next to the key, since has() was asked */
        if (key > root->key) {
            INIT(memory, node, left, root);
            INIT(memory, node, right, root->right);
            SET(memory, root, right, (Node *)NULL);
        } else {
            INIT(memory, node, right, root);
            INIT(memory, node, left, root->left);
            SET(memory, root, left, (Node *)NULL);
        }
    }
    SET(memory, here.tree, root, node);
    END_FRAME(here);
}

static void remove_root(Memory *memory, Tree *tree) {
    Node *root = tree->root, *right = root->right;
    if (!root->left) {
        SET(memory, tree, root, right);
        return;
    }
    SET(memory, tree, root, root->left);
    splay(memory, tree, root->key);
    SET(memory, tree->root, right, right);
}

/* Removes the node with the greatest key below this one, which is the tree's; or this one, if there is none. */
static void remove_below(Memory *memory, Tree *tree, uint64_t key) {
    splay(memory, tree, key);
    const Node *below = tree->root->left;
    if (below) {
        while (below->right) below = below->right;
        splay(memory, tree, below->key);
    }
    remove_root(memory, tree);
}

static uint64_t insert_new(Memory *memory, Tree **tree) {
    uint64_t key;
    do {
        key = next_random(&state);
    } while (has(memory, *tree, key));
    insert(memory, *tree, key);
    return key;
}

static size_t count(const Node *tree) { return tree ? 1 + count(tree->left) + count(tree->right) : 0; }

int main(int argc, char **argv) {
    (void)argc;
    Memory *memory = memory_open(argv);
    FRAME(here, Tree * tree;);
    here.tree = NEW(memory, Tree);
    Node *spare = NEW(memory, Node);
    SET(memory, here.tree, spare, spare);
    for (int i = 0; i < NODES; i++) insert_new(memory, &here.tree);
    for (size_t left = argument(argv, "changes", 80000); left > 0; left--) {
        uint64_t key = insert_new(memory, &here.tree);
        remove_below(memory, here.tree, key);
    }
    if (count(here.tree->root) != NODES) fail("the tree has another number of nodes than it should");
    END_FRAME(here);
    memory_close(memory);
    return 0;
}
