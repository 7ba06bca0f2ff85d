/* misuse_counting N 1: the Nth row of the table of misuses in docs/counting.md, on a heap that HEAPWRIGHT_DEBUG makes checked or not. Ends with status 0 if
 * nobody noticed. */
#include <heapwright.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Node {
    struct Node *next;
    char bytes[16];
} Node;

static void call_from_another_thread(hwr_heap *heap, void *object);

static const hwr_type node_type = HWR_TYPE(Node, HWR_REFS(Node, next));
static const hwr_type final_type = HWR_TYPE(Node, HWR_REFS(Node, next), .finalize = call_from_another_thread);

static hwr_heap *heap;
static Node *shared;

static Node *new_node(const hwr_type *type) {
    Node *node = hwr_new(heap, type);
    if (!node) exit(2);
    return node;
}

static void *use_heap(void *nothing) {
    hwr_retain(heap, shared);
    return nothing;
}

static void call_from_another_thread(hwr_heap *in, void *object) {
    pthread_t thread;
    (void)in;
    (void)object;
    if (pthread_create(&thread, NULL, use_heap, NULL) != 0 || pthread_join(thread, NULL) != 0) exit(2);
}

/* The bytes are written by a function that the compiler cannot look into, or it would warn. */
static void write_at(volatile char *at) { *at = 1; }

static void after_death(void) {
    Node *node = new_node(&node_type);
    hwr_release(heap, node);
    hwr_release(heap, node);
}

static void no_object(void) {
    static uint64_t words[4] = {HWRI_COUNT_ONE * 2};
    hwr_release(heap, &words[1]);
}

static void past_end(void) {
    Node *node = new_node(&node_type);
    write_at((char *)node + sizeof(Node));
    hwr_release(heap, node);
}

static void write_after_death(void) {
    Node *node = new_node(&node_type);
    hwr_release(heap, node);
    write_at(node->bytes + 8);
    for (int i = 0; i < 1024; i++) hwr_release(heap, new_node(&node_type));
}

static void another_field(void) {
    Node *a = new_node(&node_type), *b = new_node(&node_type);
    hwr_set(heap, a, &b->next, a);
}

static void full_field(void) {
    Node *a = new_node(&node_type);
    hwr_init(heap, a, &a->next, a);
    hwr_init(heap, a, &a->next, NULL);
}

static void two_threads(void) {
    shared = new_node(&node_type);
    hwr_release(heap, new_node(&final_type));
}

static void strange_block(void) {
    static char block[64];
    hwr_free(heap, block + 16);
}

static void free_twice(void) {
    void *block = hwr_alloc(heap, 100);
    hwr_free(heap, block);
    hwr_free(heap, block);
}

int main(int count, char **words) {
    static void (*const rows[])(void) = {after_death, no_object,   past_end,      write_after_death, another_field,
                                         full_field,  two_threads, strange_block, free_twice};
    size_t row = count == 3 ? strtoul(words[1], NULL, 10) : 0;
    if (row < 1 || row > sizeof rows / sizeof *rows || strtoul(words[2], NULL, 10) != 1) return 2;
    heap = hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options), .collector = HWR_COUNTING});
    if (!heap) return 2;
    rows[row - 1]();
    hwr_heap_close(heap);
    return 0;
}
