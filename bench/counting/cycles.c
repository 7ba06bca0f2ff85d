/* What the counting collector is measured on: cycles WORKLOAD COUNT REPETITIONS
 *
 * Runs one workload that many times in this process, on one heap, and prints a line for each thing measured: its name,
 * and nanoseconds of thread CPU time per object. The objects have two fields, a and b, which own references. COUNT is
 * the number of pairs or, where a workload makes no pairs, of objects. Automatic collection is off unless said.
 * cycles.py and cycles.nim are the same in Python and Nim.
 */
#define _POSIX_C_SOURCE 200809L
#include <heapwright.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct Node Node;
struct Node {
    Node *a, *b;
};
static const hwr_type node_type = HWR_TYPE(Node, HWR_REFS(Node, a, b));

typedef struct List {
    size_t length;
    Node *items[];
} List;
static const hwr_type list_type = HWR_TYPE(List, HWR_REF_ITEMS(List, length, items));

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "cycles: %s\n", what);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void report(const char *row, double start, size_t objects) {
    printf("%s %.4f\n", row, (now() - start) / (double)objects);
}

static void *checked(void *memory) {
    if (memory == NULL) {
        fail("out of memory");
    }
    return memory;
}

static inline Node *new_node(hwr_heap *heap) { return checked(hwr_new(heap, &node_type)); }

static void collect(hwr_heap *heap, const char *row, size_t objects, size_t unreachable) {
    double start = now();
    size_t found = hwr_collect(heap, HWR_OLDEST);
    report(row, start, objects);
    if (found != unreachable) {
        fail("a collection found another number of unreachable objects than there are");
    }
}

static hwr_heap_stats stats_of(hwr_heap *heap) {
    hwr_heap_stats stats;
    hwr_heap_get_stats(heap, &stats);
    return stats;
}

static void make_two_cycles(hwr_heap *heap, size_t count) {
    for (size_t i = 0; i < count; i++) {
        Node *x = new_node(heap), *y = new_node(heap);
        hwr_set(heap, x, &x->a, y);
        hwr_set(heap, y, &y->a, x);
        hwr_release(heap, x);
        hwr_release(heap, y);
    }
}

/* 2-cycles: pairs of objects that refer to each other, dropped; then one collection. */
static void two_cycles(hwr_heap *heap, size_t count) {
    double start = now();
    make_two_cycles(heap, count);
    report("2-cycles-create", start, 2 * count);
    collect(heap, "2-cycles-collect", 2 * count, 2 * count);
}

/* ring: one ring, doubly linked (a: previous, b: next), dropped; then one collection. */
static void ring(hwr_heap *heap, size_t count) {
    double start = now();
    Node *first = new_node(heap), *last = first;
    hwr_retain(heap, last);
    for (size_t i = 1; i < count; i++) {
        Node *node = new_node(heap);
        hwr_set(heap, node, &node->a, last);
        hwr_set(heap, last, &last->b, node);
        hwr_release(heap, last);
        last = node;
    }
    hwr_set(heap, first, &first->a, last);
    hwr_set(heap, last, &last->b, first);
    hwr_release(heap, first);
    hwr_release(heap, last);
    report("ring-create", start, count);
    collect(heap, "ring-collect", count, count);
}

/* acyclic: pairs of objects of which one refers to the other, dropped: both die by count. */
static void acyclic(hwr_heap *heap, size_t count) {
    double start = now();
    for (size_t i = 0; i < count; i++) {
        Node *x = new_node(heap), *y = new_node(heap);
        hwr_set(heap, x, &x->a, y);
        hwr_release(heap, x);
        hwr_release(heap, y);
    }
    report("acyclic", start, 2 * count);
}

/* automatic: pairs as in 2-cycles, with automatic collection as a new heap has it, and one more at the end. */
static void automatic(hwr_heap *heap, size_t count) {
    hwr_enable(heap);
    double start = now();
    make_two_cycles(heap, count);
    hwr_collect(heap, HWR_OLDEST);
    report("automatic", start, 2 * count);
}

static void shuffle(Node **nodes, size_t count) {
    uint64_t state = 1;
    for (size_t i = count - 1; i > 0; i--) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        size_t other = (size_t)(state % (i + 1));
        Node *node = nodes[i];
        nodes[i] = nodes[other];
        nodes[other] = node;
    }
}

/* full: objects in a list that all stay, object i referring to object i / 2 through a; collections. Then b is set to
 * the objects in random order; collections again. */
static void full(hwr_heap *heap, size_t count, int collections) {
    List *list = checked(hwr_new_items(heap, &list_type, count));
    Node **shuffled = checked(malloc(count * sizeof *shuffled));
    for (size_t i = 0; i < count; i++) {
        shuffled[i] = new_node(heap);
        hwr_give(heap, list, &list->items[i], shuffled[i]);
    }
    for (size_t i = 1; i < count; i++) {
        hwr_set(heap, list->items[i], &list->items[i]->a, list->items[i / 2]);
    }
    for (int i = 0; i < collections; i++) {
        collect(heap, "full", count, 0);
    }
    shuffle(shuffled, count);
    for (size_t i = 0; i < count; i++) {
        hwr_set(heap, list->items[i], &list->items[i]->b, shuffled[i]);
    }
    free(shuffled);
    for (int i = 0; i < collections; i++) {
        collect(heap, "full-random", count, 0);
    }
    hwr_heap_close(heap);
}

/* bytes: what each of many objects takes, by its own account and in pages. */
static void bytes(hwr_heap *heap, size_t count) {
    Node *chain = NULL;
    for (size_t i = 0; i < count; i++) {
        Node *node = new_node(heap);
        hwr_give(heap, node, &node->a, chain);
        chain = node;
    }
    printf("sizeof %zu\n", hwr_sizeof(heap, chain, true));
    printf("page-bytes %.4f\n", (double)stats_of(heap).page_bytes / (double)count);
    hwr_release(heap, chain);
}

static const struct {
    const char *name;
    void (*run)(hwr_heap *heap, size_t count);
} workloads[] = {
    {"2-cycles", two_cycles}, {"ring", ring}, {"acyclic", acyclic}, {"automatic", automatic}, {"bytes", bytes},
};

static void repeat(hwr_heap *heap, const char *workload, size_t count, int repetitions) {
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++) {
        if (strcmp(workload, workloads[i].name) == 0) {
            for (int r = 0; r < repetitions; r++) {
                workloads[i].run(heap, count);
            }
            if (stats_of(heap).objects != 0) {
                fail("not all garbage was freed");
            }
            hwr_heap_close(heap);
            return;
        }
    }
    fail("no such workload");
}

int main(int argc, char **argv) {
    long count = argc == 4 ? atol(argv[2]) : 0;
    int repetitions = argc == 4 ? atoi(argv[3]) : 0;
    if (count < 1 || repetitions < 1) {
        fail("usage: cycles WORKLOAD COUNT REPETITIONS");
    }
    hwr_heap *heap = checked(hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options), .collector = HWR_COUNTING}));
    hwr_disable(heap);
    if (strcmp(argv[1], "full") == 0) {
        full(heap, (size_t)count, repetitions);
    } else {
        repeat(heap, argv[1], (size_t)count, repetitions);
    }
    return 0;
}
