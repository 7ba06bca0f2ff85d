/* Two objects that refer to each other: examples/python/cycles.py in C. The collector is Python's, too, one for each heap. */
#include "example.h"

typedef struct Node {
    struct Node *other;
} Node;
static const hwr_type node_type = HWR_TYPE(Node, HWR_REFS(Node, other));

static bool count_node(void *count, void *object) {
    *(int *)count += hwr_type_of(object) == &node_type;
    return true; /* go on */
}

static int nodes_alive(void) {
    int count = 0;
    hwr_get_objects(heap, HWR_ALL_GENERATIONS, count_node, &count);
    return count;
}

int main(void) {
    start();
    hwr_disable(heap); /* so that nothing is collected before we look */
    hwr_collect(heap, HWR_OLDEST);

    Node *a = made(hwr_new(heap, &node_type)), *b = made(hwr_new(heap, &node_type));
    hwr_set(heap, a, &a->other, b); /* a field is never just assigned to: it owns a reference */
    hwr_set(heap, b, &b->other, a);
    printf("references to a: the name and b: %zu\n", hwr_refcount(heap, a));
    hwr_release(heap, a);
    hwr_release(heap, b);
    printf("no name is left, nodes alive:    %d\n", nodes_alive());

    printf("the collector found the nodes:   %s\n", yes(hwr_collect(heap, HWR_OLDEST) >= 2));
    printf("nodes alive after that:          %d\n", nodes_alive());

    /* The storage of a list's items is an object of its own, so this cycle is one of two. */
    void *knot = made(hwr_list(heap, 0));
    if (!hwr_list_append(heap, knot, knot)) ok(HWR_NO_MEMORY);
    hwr_release(heap, knot);
    printf("a list that held itself, found:  %zu\n", hwr_collect(heap, HWR_OLDEST));
    printf("and nothing more to find:        %zu\n", hwr_collect(heap, HWR_OLDEST));
    hwr_heap_close(heap);
    return 0;
}
