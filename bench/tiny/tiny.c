/* The tiny collector at work: tiny WORKLOAD BYTES [MARK_STACK]. Prints what was done, how often, and the nanoseconds that one took, by the processor's time of this process. What is
 * measured runs in `measured`, so that callgrind can count its instructions alone (--toggle-collect=measured).
 *
 *   alloc     objects of one block, all garbage, collections included      free     objects of one block, freed at once
 *   scattered objects of 128 bytes in a heap half of whose blocks are free, each by the toss of a coin (seed 1), no collections
 *   empty     collecting a heap without objects
 *   list, wide, tree, graph      collecting one half full with objects of one block: a linked list, one array of all, a binary tree, three references each to random
 *             others (of which there are 4/5 as many, seed 1)
 *   available hwr_tiny_available */
#define _POSIX_C_SOURCE 199309L
#ifndef TINY_PEER
#include "heapwright/tiny.h"
#endif

#include "support/random.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BLOCK = 4 * sizeof(void *), ROUNDS = 20 };

typedef struct node {
    struct node *links[3];
    uintptr_t number;
} node;

static hwr_tiny *heap;
static void *root;
static size_t blocks;
static double seconds;

static void show_root(hwr_tiny *of, void *context) {
    (void)context;
    hwr_tiny_mark(of, &root, 1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void *must(void *object) {
    if (object != NULL) return object;
    fprintf(stderr, "tiny: no room\n");
    exit(1);
}

static node *new_node(void) { return must(hwr_tiny_alloc(heap, sizeof(node), 0)); }

/* What is measured: `how` so often. */
__attribute__((noinline)) static void measured(void (*how)(size_t count), size_t count) {
    double start = now();
    how(count);
    seconds += now() - start;
}

static void allocate(size_t count) {
    for (size_t i = 0; i < count; i++) must(hwr_tiny_alloc(heap, sizeof(node), 0));
}

static void allocate_and_free(size_t count) {
    for (size_t i = 0; i < count; i++) hwr_tiny_free(heap, must(hwr_tiny_alloc(heap, sizeof(node), 0)));
}

static void collect(size_t count) {
    for (size_t i = 0; i < count; i++) hwr_tiny_collect(heap);
}

static void ask(size_t count) {
    size_t all = 0;
    for (size_t i = 0; i < count; i++) all += hwr_tiny_available(heap);
    if (all == 1) printf("never\n");
}

static void **found;
static size_t found_count;

static void fill(size_t count) {
    (void)count;
    for (found_count = 0; (found[found_count] = hwr_tiny_alloc(heap, 128, 0)) != NULL;) found_count++;
}

/* Allocates until there is no room, frees that, and so on; returns how many. */
static size_t scattered(void) {
    random_stream random = {1};
    void **all = must(malloc((blocks + 1) * sizeof *all));
    size_t count = 0, done = 0;
    hwr_tiny_enable(heap, false);
    while ((all[count] = hwr_tiny_alloc(heap, BLOCK, 0)) != NULL) count++;
    for (size_t i = 0; i < count; i++)
        if (random_next(&random) % 2 == 0) hwr_tiny_free(heap, all[i]);
    found = must(malloc((blocks + 1) * sizeof *found));
    do {
        measured(fill, 0);
        done += found_count;
        for (size_t i = 0; i < found_count; i++) hwr_tiny_free(heap, found[i]);
    } while (done < blocks && done < 20000);
    return done;
}

/* The array that all graphs but lists and trees begin with lies outside of the half. */
static void make(const char *what) {
    random_stream random = {1};
    size_t count = blocks / 2;
    if (strcmp(what, "list") == 0) {
        for (size_t i = 0; i < count; i++) {
            node *n = new_node();
            n->links[0] = root;
            root = n;
        }
        return;
    }
    if (strcmp(what, "graph") == 0) count = count * 4 / 5;
    if (strcmp(what, "wide") == 0) count = count * 4 / 5;
    node **all =
        strcmp(what, "wide") == 0 ? must(hwr_tiny_alloc(heap, count * sizeof *all, 0)) : malloc(count * sizeof *all);
    root = strcmp(what, "wide") == 0 ? (void *)all : NULL;
    hwr_tiny_enable(heap, false);
    for (size_t i = 0; i < count; i++) all[i] = new_node();
    for (size_t i = 0; i < count && strcmp(what, "wide") != 0; i++)
        for (size_t k = 0; k < 3; k++) {
            size_t to = strcmp(what, "tree") == 0 ? 2 * i + 1 + k : random_below(&random, count);
            if (to < count && (k < 2 || strcmp(what, "tree") != 0)) all[i]->links[k] = all[to];
        }
    if (root == NULL) root = all[0];
}

int main(int count, char **arguments) {
    if (count < 3) return 2;
    const char *what = arguments[1];
    size_t bytes = (size_t)strtoull(arguments[2], NULL, 10), times = ROUNDS;
    hwr_tiny_options options = {.size = sizeof options, .roots = show_root};
    if (count > 3) options.mark_stack = (size_t)strtoull(arguments[3], NULL, 10);
    heap = must(hwr_tiny_open(must(malloc(bytes)), bytes, &options));
    blocks = hwr_tiny_available(heap) / BLOCK;
    if (strcmp(what, "alloc") == 0 || strcmp(what, "free") == 0) {
        times = 4 * blocks > 200000 ? 4 * blocks : 200000;
        measured(strcmp(what, "alloc") == 0 ? allocate : allocate_and_free, times);
    } else if (strcmp(what, "scattered") == 0) {
        times = scattered();
    } else if (strcmp(what, "available") == 0) {
        measured(ask, times = 100000);
    } else {
        if (strcmp(what, "empty") != 0) make(what);
        hwr_tiny_collect(heap);
        measured(collect, times);
    }
    printf("%s %zu %.2f %zu\n", what, times, seconds / (double)times * 1e9, hwr_tiny_available(heap));
    return 0;
}
