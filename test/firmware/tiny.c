/* The tiny collector on a microcontroller: a self test in a heap of 8 KiB, and how many instructions its calls take. Lines `instructions WHAT NUMBER` are for
 * bench/tiny.py. */
#include "firmware.h"

#include "heapwright/tiny.h"

#include <stdbool.h>

enum { HEAP = 8192, LIVE = 150, ROUNDS = 20000 };

typedef struct node {
    struct node *next, *other;
    uint32_t number;
} node;

static uint32_t buffer[HEAP / 4];
static void *roots[2];
static uint32_t collections, finalized, random_state;

static void show_roots(hwr_tiny *heap, void *context) {
    (void)context;
    collections++;
    hwr_tiny_mark(heap, roots, 2);
}

static void finalize(hwr_tiny *heap, void *object, void *context) {
    (void)heap;
    (void)object;
    (void)context;
    finalized++;
}

static const hwr_tiny_options options = {sizeof options, show_roots, finalize, NULL, 16, 0};

static uint32_t random_below(uint32_t bound) {
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 16) % bound;
}

static bool check(bool holds, const char *what) {
    if (holds) return true;
    firmware_print("failed: ");
    firmware_print(what);
    firmware_print("\n");
    return false;
}

/* A list that no collection may touch, each of its nodes with a second one. */
static bool build(hwr_tiny *heap) {
    for (uint32_t i = 0; i < LIVE; i++) {
        node *n = hwr_tiny_alloc(heap, sizeof *n, 0);
        if (!check(n != NULL, "there is room for the list")) return false;
        n->next = roots[0];
        n->number = i;
        roots[0] = n;
        if ((n->other = hwr_tiny_alloc(heap, sizeof *n, 0)) != NULL) n->other->number = ~i;
    }
    return true;
}

static bool list_is_whole(void) {
    uint32_t expected = LIVE;
    for (const node *n = roots[0]; n != NULL; n = n->next)
        if (n->number != --expected || n->other->number != ~expected) return false;
    return expected == 0;
}

static bool churn(hwr_tiny *heap) {
    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint32_t size = 1 + random_below(80);
        unsigned char *object = hwr_tiny_alloc(heap, size, i % 50 == 1 ? HWR_TINY_FINALIZE : i % 2);
        if (!check(object != NULL, "there is room for garbage")) return false;
        for (uint32_t k = 0; k < size; k++)
            if (!check(object[k] == 0, "new objects are zero")) return false;
        if (i % 3 == 0) object = hwr_tiny_resize(heap, object, 1 + random_below(120), true);
        if (!check(object != NULL, "there is room for a larger object")) return false;
        for (uint32_t k = 0; k < 4; k++) object[k] = 0xff;
        if (i % 5 == 0) check(hwr_tiny_free(heap, object), "an object can be freed");
    }
    return check(collections > 10, "there were collections") && check(finalized > 0, "there were finalizers") &&
           check(list_is_whole(), "the list is whole");
}

static bool ends_empty(hwr_tiny *heap) {
    roots[0] = NULL;
    hwr_tiny_collect(heap);
    hwr_tiny_collect(heap); /* what was finalized */
    hwr_tiny_info info;
    hwr_tiny_get_info(heap, &info);
    return check(hwr_tiny_used(heap) == 0 && info.objects == 0, "nothing is left") &&
           check(info.largest_free == hwr_tiny_available(heap), "all that is free is in a row") &&
           check(info.overhead + info.total <= HEAP, "all lies in the buffer");
}

static void report(const char *what, uint32_t instructions) {
    firmware_print("instructions ");
    firmware_print(what);
    firmware_print(" ");
    firmware_print_number(instructions);
    firmware_print("\n");
}

static void measure(hwr_tiny *heap) {
    enum { TIMES = 100 };
    uint32_t start = firmware_instructions();
    for (uint32_t i = 0; i < TIMES; i++) hwr_tiny_free(heap, hwr_tiny_alloc(heap, 16, 0));
    report("alloc-free-16", (firmware_instructions() - start) / TIMES);
    hwr_tiny_collect(heap);
    start = firmware_instructions();
    for (uint32_t i = 0; i < 40; i++) hwr_tiny_alloc(heap, 64, 0);
    report("alloc-64", (firmware_instructions() - start) / 40);
    build(heap);
    start = firmware_instructions();
    hwr_tiny_collect(heap);
    report("collect-300-of-16", firmware_instructions() - start);
}

int firmware_main(void) {
    hwr_tiny *heap = hwr_tiny_open(buffer, sizeof buffer, &options);
    if (!check(heap != NULL, "a heap in 8 KiB")) return 1;
    if (!build(heap) || !churn(heap) || !ends_empty(heap)) return 1;
    measure(heap);
    firmware_print("all is well\n");
    return 0;
}
