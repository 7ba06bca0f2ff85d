/* misuse_tracing N M: the Mth way to do what the Nth row of the table of misuses in docs/tracing.md says, on a heap that HEAPWRIGHT_DEBUG makes checked or not. Ends with status 0 if nobody noticed, and
 * 2 if there is no such row or way. */
#include <heapwright.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Node {
    struct Node *next;
    size_t value;
} Node;
static const hwr_type node_type = HWR_TYPE(Node, HWR_REFS(Node, next));

static hwr_heap *heap;
static struct {
    hwr_frame frame;
    Node *a, *b;
} here;

static hwr_heap *open_heap(size_t stress) {
    hwr_heap *opened = hwr_heap_open(&(hwr_options){
        .size = sizeof(hwr_options), .collector = HWR_TRACING, .roots = HWR_ROOTS_EXACT, .stress = stress});
    if (!opened) exit(2);
    return opened;
}

static Node *new_node(void) {
    Node *node = hwr_new(heap, &node_type);
    if (!node) exit(2);
    return node;
}

static Node *dead_node(void) {
    Node *node = new_node();
    hwr_collect(heap, HWR_OLDEST);
    return node;
}

static void store_dead(void) {
    Node *dead = dead_node();
    here.a = new_node();
    hwr_set(heap, here.a, &here.a->next, dead);
}

static void pass_dead(void) { hwr_handle_new(heap, dead_node()); }

static void pass_moved(void) {
    Node *before = here.a = new_node();
    hwr_collect(heap, HWR_OLDEST);
    if (before == here.a) exit(2);
    hwr_generation_of(heap, before);
}

static void no_object(void) {
    static uint64_t words[4];
    here.a = new_node();
    hwr_set(heap, here.a, &here.a->next, (Node *)(void *)&words[1]);
}

static void middle_of_object(void) {
    here.a = new_node();
    hwr_handle_new(heap, &here.a->value);
}

static void of_another_heap(void) {
    hwr_heap *other = open_heap(0);
    Node *foreign = hwr_new(other, &node_type);
    if (!foreign) exit(2);
    here.a = new_node();
    hwr_set(heap, here.a, &here.a->next, foreign);
}

static void write_after_death(void) {
    volatile Node *dead = dead_node();
    dead->value = 1;
    hwr_collect(heap, HWR_OLDEST);
}

static void another_field(void) {
    here.a = new_node();
    here.b = new_node();
    hwr_set(heap, here.a, &here.b->next, here.a);
}

static void full_field(void) {
    here.a = new_node();
    hwr_init(heap, here.a, &here.a->next, here.a);
    hwr_init(heap, here.a, &here.a->next, NULL);
}

static void outer_frame(void) {
    struct {
        hwr_frame frame;
        Node *c;
    } inner = {0};
    hwr_frame_push(heap, &inner.frame, 1);
    hwr_frame_pop(heap, &here.frame);
}

static void *allocate_here(void *nothing) {
    if (hwr_new(heap, &node_type)) exit(2);
    return nothing;
}

static void unattached_thread(void) {
    pthread_t thread;
    hwr_leave(heap);
    if (pthread_create(&thread, NULL, allocate_here, NULL) != 0 || pthread_join(thread, NULL) != 0) exit(2);
    hwr_return(heap);
}

static void thread_that_left(void) {
    hwr_leave(heap);
    hwr_new(heap, &node_type);
}

static void plain_store(void) {
    const char *problem = NULL;
    here.a = new_node();
    hwr_collect(heap, HWR_OLDEST);
    here.a->next = new_node();
    if (hwr_heap_verify(heap, &problem)) return;
    fprintf(stderr, "heapwright: %s: %p\n", problem, (void *)here.a);
    abort();
}

static Node *untold;

static void untold_root(void) {
    untold = dead_node();
    hwr_handle_new(heap, untold);
}

static void untold_root_under_stress(void) {
    heap = open_heap(1);
    untold = new_node();
    new_node();
    hwr_handle_new(heap, untold);
}

typedef void (*way)(void);
enum { ROWS = 10, WAYS = 3 };

static way way_of(size_t row, size_t number) {
    static const way ways[ROWS][WAYS] = {{store_dead, pass_dead, pass_moved},
                                         {no_object, middle_of_object, of_another_heap},
                                         {write_after_death},
                                         {another_field},
                                         {full_field},
                                         {outer_frame},
                                         {unattached_thread},
                                         {thread_that_left},
                                         {plain_store},
                                         {untold_root, untold_root_under_stress}};
    return row >= 1 && row <= ROWS && number >= 1 && number <= WAYS ? ways[row - 1][number - 1] : NULL;
}

int main(int count, char **words) {
    way chosen = count == 3 ? way_of(strtoul(words[1], NULL, 10), strtoul(words[2], NULL, 10)) : NULL;
    if (!chosen) return 2;
    heap = open_heap(0);
    hwr_frame_push(heap, &here.frame, 2);
    chosen();
    return 0;
}
