/* Quad trees, as Whippet's program of that name: one of depth 10 is made bottom-up and kept; 20 times, trees of depth 3 are made and dropped until heap / 7.5 bytes
 * of nodes have been made, and the kept tree is gone through. In each of `threads` threads; `heap` is what each thread's share of the heap is, in bytes.
 */
#define _POSIX_C_SOURCE 200809L
#include "memory.h"

enum { DEPTH = 10, GARBAGE_DEPTH = 3, ROUNDS = 20, COUNTED_BYTES = 32 };

typedef struct Quad Quad;
struct Quad {
    Quad *kids[4];
};
TYPE(Quad, HWR_REFS(Quad, kids[0], kids[1], kids[2], kids[3]));

static size_t nodes_of(unsigned depth) { return (((size_t)4 << (2 * depth)) - 1) / 3; }

static Quad *build(Memory *memory, unsigned depth) {
    if (depth == 0) return NEW(memory, Quad);
    FRAME(here, Quad * kids[4];);
    for (int i = 0; i < 4; i++) here.kids[i] = build(memory, depth - 1);
    Quad *quad = NEW(memory, Quad);
    for (int i = 0; i < 4; i++) INIT(memory, quad, kids[i], here.kids[i]);
    END_FRAME(here);
    return quad;
}

static void validate(const Quad *tree, unsigned depth) {
    for (int i = 0; i < 4; i++) {
        if ((tree->kids[i] == NULL) != (depth == 0)) fail("a tree is broken");
        if (depth) validate(tree->kids[i], depth - 1);
    }
}

static void work(Memory *memory, void *heap, size_t number) {
    (void)number;
    size_t trees = (size_t)((double)*(size_t *)heap / 7.5) / (nodes_of(GARBAGE_DEPTH) * COUNTED_BYTES);
    FRAME(here, Quad * kept;);
    here.kept = build(memory, DEPTH);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < trees; i++)
            if (!build(memory, GARBAGE_DEPTH)->kids[0]) fail("a tree is broken");
        validate(here.kept, DEPTH);
    }
    END_FRAME(here);
}

int main(int argc, char **argv) {
    (void)argc;
    Memory *memory = memory_open(argv);
    size_t heap = argument(argv, "heap", 167772120);
    run_mutators(memory, argument(argv, "threads", 1), work, &heap);
    memory_close(memory);
    return 0;
}
