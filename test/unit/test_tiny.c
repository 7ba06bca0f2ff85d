/* tiny: objects, collections, finalizers, weak references, areas, in a buffer. */
#include "heapwright/tiny.h"

#include "support/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BLOCK = 4 * sizeof(void *), ROOTS = 8, TOLD = 100 };

typedef struct node {
    struct node *next, *other;
    uintptr_t number;
} node;

/* A heap, its roots, and what its finalizer was told. */
typedef struct world {
    hwr_tiny *heap;
    hwr_tiny_options options;
    void *roots[ROOTS];
    void *told[TOLD];
    size_t told_count;
    void **revive; /* where finalized objects are stored */
    void *freed;   /* what finalizers are to free */
    _Alignas(64) unsigned char memory[1 << 20];
} world;

static world w;

static void show_roots(hwr_tiny *heap, void *context) {
    world *of = context;
    hwr_tiny_mark(heap, of->roots, ROOTS);
}

static void finalize(hwr_tiny *heap, void *object, void *context) {
    world *of = context;
    of->told[of->told_count++ % TOLD] = object;
    if (of->revive != NULL) *of->revive = object;
    if (of->freed != NULL) {
        assert_true(hwr_tiny_free(heap, of->freed));
        of->freed = NULL;
    }
    assert_null(hwr_tiny_alloc(heap, 1, 0));
    assert_int_equal(hwr_tiny_collect(heap), 0);
}

static hwr_tiny *open_world(size_t size, size_t mark_stack) {
    memset(&w, 0, sizeof w);
    w.options = (hwr_tiny_options){
        .size = sizeof w.options, .roots = show_roots, .finalize = finalize, .context = &w, .mark_stack = mark_stack};
    w.heap = hwr_tiny_open(w.memory, size, &w.options);
    return w.heap;
}

static hwr_tiny_info info_of(const hwr_tiny *heap) {
    hwr_tiny_info info;
    hwr_tiny_get_info(heap, &info);
    return info;
}

/* A list of so many nodes, which number from the last to the first: 0, 1, ... */
static node *make_list(hwr_tiny *heap, size_t count, void **root) {
    node *first = NULL;
    for (size_t i = 0; i < count; i++) {
        node *n = hwr_tiny_alloc(heap, sizeof *n, 0);
        if (n == NULL) return NULL;
        n->next = first;
        n->number = i;
        *root = first = n;
    }
    return first;
}

static size_t length_of(const node *n) {
    size_t length = 0;
    for (; n != NULL; n = n->next) length++;
    return length;
}

/* Opening */

static void every_size_of_buffer(void **state) {
    (void)state;
    bool before = false;
    size_t total = 0;
    for (size_t size = 0; size <= sizeof w.memory; size += size < 5000 ? 1 : 4093) {
        unsigned char *end = w.memory + size;
        if (size < sizeof w.memory) *end = 0xa5;
        hwr_tiny *heap = open_world(0, 0);
        assert_null(heap);
        if (size < sizeof w.memory) *end = 0xa5;
        heap = hwr_tiny_open(w.memory, size, &w.options);
        assert_true(!before || heap != NULL); /* what is large enough stays so */
        before = heap != NULL;
        if (heap == NULL) continue;
        hwr_tiny_info info = info_of(heap);
        assert_true(info.total >= BLOCK && info.total + BLOCK >= total && info.total + info.overhead <= size);
        assert_true(info.total + info.overhead + 4 * BLOCK + size / 900 > size);
        total = info.total;
        assert_int_equal(info.largest_free, info.total);
        assert_int_equal(hwr_tiny_available(heap), info.total);
        unsigned char *all = hwr_tiny_alloc(heap, info.total, HWR_TINY_LEAF);
        assert_non_null(all);
        memset(all, 0xff, info.total);
        assert_null(hwr_tiny_alloc(heap, info.total + 1, 0));
        assert_int_equal(hwr_tiny_used(heap), 0);
        assert_int_equal(hwr_tiny_size(heap, all), 0);
        if (size < sizeof w.memory) assert_int_equal(*end, 0xa5);
    }
    assert_true(before);
}

static void every_alignment(void **state) {
    (void)state;
    for (size_t shift = 0; shift < 2 * BLOCK; shift++) {
        assert_null(open_world(0, 0));
        hwr_tiny *heap = hwr_tiny_open(w.memory + shift, 4000, &w.options);
        assert_non_null(heap);
        size_t blocks = info_of(heap).total / BLOCK;
        for (size_t i = 0; i < blocks; i++) {
            char *object = hwr_tiny_alloc(heap, BLOCK, 0);
            assert_non_null(object);
            assert_int_equal((uintptr_t)object % BLOCK, 0);
            memset(object, 0x11, BLOCK);
        }
        assert_int_equal(hwr_tiny_available(heap), 0);
    }
}

static void refuses_what_makes_no_sense(void **state) {
    (void)state;
    assert_null(open_world(4000, SIZE_MAX));
    assert_null(open_world(4000, 4000));
    assert_non_null(open_world(4000, 1));
    w.options.size--;
    assert_null(hwr_tiny_open(w.memory, 4000, &w.options));
    hwr_tiny_options nothing = {.size = sizeof nothing};
    hwr_tiny *heap = hwr_tiny_open(w.memory, 4000, &nothing);
    assert_non_null(heap);
    assert_non_null(hwr_tiny_alloc(heap, 1, HWR_TINY_FINALIZE));
    assert_int_equal(hwr_tiny_collect(heap), BLOCK);
}

/* The header's promise: planes of 3.2 % at most. */
static void planes_are_small(void **state) {
    (void)state;
    hwr_tiny *small = open_world(1000, 1);
    hwr_tiny_info info = info_of(small);
    size_t fixed = info.overhead - (1000 / BLOCK / (8 * sizeof(void *)) + 1) * 4 * sizeof(void *);
    for (size_t size = 8192; size <= sizeof w.memory; size *= 2) {
        info = info_of(open_world(size, 1));
        assert_true((double)(info.overhead - fixed) <= 0.032 * (double)size + 4 * sizeof(void *));
    }
}

static void two_heaps(void **state) {
    (void)state;
    hwr_tiny *one = open_world(8192, 0);
    hwr_tiny_options nothing = {.size = sizeof nothing};
    hwr_tiny *two = hwr_tiny_open(w.memory + 8192, 8192, &nothing);
    w.roots[0] = hwr_tiny_alloc(one, 40, 0);
    void *of_two = hwr_tiny_alloc(two, 40, 0);
    assert_int_equal(hwr_tiny_size(one, of_two), 0);
    assert_false(hwr_tiny_free(one, of_two));
    assert_int_not_equal(hwr_tiny_collect(two), 0);
    assert_int_equal(hwr_tiny_collect(one), 0);
    assert_int_not_equal(hwr_tiny_used(one), 0);
}

/* Objects */

static void sizes_are_whole_blocks(void **state) {
    (void)state;
    hwr_tiny *heap = open_world(8192, 0);
    assert_null(hwr_tiny_alloc(heap, 0, 0));
    assert_null(hwr_tiny_alloc(heap, SIZE_MAX, 0));
    assert_null(hwr_tiny_alloc(heap, SIZE_MAX / 2, 0));
    for (size_t size = 1; size < 2000; size += 7) {
        unsigned char *object = hwr_tiny_alloc(heap, size, 0);
        size_t bytes = (size + BLOCK - 1) / BLOCK * BLOCK;
        assert_int_equal(hwr_tiny_size(heap, object), bytes);
        for (size_t i = 0; i < bytes; i++) assert_int_equal(object[i], 0);
        memset(object, 0xff, bytes);
        assert_int_equal(hwr_tiny_size(heap, object + 1), 0);
        assert_int_equal(hwr_tiny_size(heap, object + BLOCK), 0);
        assert_int_equal(hwr_tiny_used(heap), bytes);
        assert_true(hwr_tiny_free(heap, object));
        assert_false(hwr_tiny_free(heap, object));
        assert_int_equal(hwr_tiny_used(heap), 0);
    }
    assert_false(hwr_tiny_free(heap, NULL));
    assert_false(hwr_tiny_free(heap, &w));
    assert_int_equal(hwr_tiny_size(heap, NULL), 0);
}

static void what_is_freed_is_found_again(void **state) {
    (void)state;
    hwr_tiny *heap = open_world(8192, 0);
    hwr_tiny_enable(heap, false);
    void *objects[600];
    size_t count = 0;
    while ((objects[count] = hwr_tiny_alloc(heap, BLOCK, 0)) != NULL) count++;
    assert_int_equal(hwr_tiny_available(heap), 0);
    for (size_t i = 0; i < count; i += 3) assert_true(hwr_tiny_free(heap, objects[i]));
    assert_null(hwr_tiny_alloc(heap, BLOCK + 1, 0));
    for (size_t i = 0; i < count; i += 3) assert_ptr_equal(hwr_tiny_alloc(heap, BLOCK, 0), objects[i]);
    /* Room that comes from two that were freed one after another, whichever was first. */
    for (size_t i = 0; i + 1 < count; i += 4) {
        assert_true(hwr_tiny_free(heap, objects[i + (i / 4) % 2]));
        assert_true(hwr_tiny_free(heap, objects[i + 1 - (i / 4) % 2]));
        assert_ptr_equal(hwr_tiny_alloc(heap, BLOCK + 1, 0), objects[i]);
    }
    assert_int_equal(hwr_tiny_available(heap), 0);
}

static void resizes_in_place(void **state) {
    (void)state;
    hwr_tiny *heap = open_world(8192, 0);
    unsigned char *object = hwr_tiny_alloc(heap, BLOCK, 0);
    memset(object, 0x22, BLOCK);
    assert_ptr_equal(hwr_tiny_resize(heap, object, 20 * BLOCK, false), object);
    assert_int_equal(hwr_tiny_size(heap, object), 20 * BLOCK);
    for (size_t i = 0; i < 20 * BLOCK; i++) assert_int_equal(object[i], i < BLOCK ? 0x22 : 0);
    memset(object, 0x33, 20 * BLOCK);
    void *next = hwr_tiny_alloc(heap, 1, 0);
    assert_ptr_equal(next, object + 20 * BLOCK);
    assert_null(hwr_tiny_resize(heap, object, 20 * BLOCK + 1, false));
    assert_ptr_equal(hwr_tiny_resize(heap, object, 2 * BLOCK - 1, true), object);
    assert_int_equal(hwr_tiny_size(heap, object), 2 * BLOCK);
    assert_int_equal(hwr_tiny_used(heap), 3 * BLOCK);
    assert_ptr_equal(hwr_tiny_alloc(heap, 17 * BLOCK, 0), object + 2 * BLOCK);
    assert_ptr_equal(hwr_tiny_resize(heap, object, 2 * BLOCK, false), object);
    assert_null(hwr_tiny_resize(heap, object, 0, true));
    assert_null(hwr_tiny_resize(heap, object + 1, 1, true));
    assert_null(hwr_tiny_resize(heap, NULL, 1, true));
    assert_null(hwr_tiny_resize(heap, object, SIZE_MAX, true));
}

static void resizes_by_moving(void **state) {
    (void)state;
    hwr_tiny *heap = open_world(8192, 0);
    unsigned char *object = w.roots[0] = hwr_tiny_alloc(heap, BLOCK, HWR_TINY_FINALIZE);
    w.roots[1] = hwr_tiny_alloc(heap, BLOCK, 0);
    memset(object, 0x77, BLOCK);
    unsigned char *moved = hwr_tiny_resize(heap, object, 3 * BLOCK, true);
    assert_non_null(moved);
    assert_ptr_not_equal(moved, object);
    assert_int_equal(hwr_tiny_size(heap, object), 0);
    for (size_t i = 0; i < 3 * BLOCK; i++) assert_int_equal(moved[i], i < BLOCK ? 0x77 : 0);
    w.roots[0] = NULL;
    assert_int_equal(hwr_tiny_collect(heap), 0);
    assert_int_equal(w.told_count, 1); /* its finalizer came along */
    assert_ptr_equal(w.told[0], moved);
}

/* Collections */

static void collects_what_is_not_reached(void **state) {
    (void)state;
    hwr_tiny *heap = open_world(1 << 16, 0);
    node *list = make_list(heap, 100, &w.roots[0]);
    make_list(heap, 50, &w.roots[1]);
    assert_int_equal(hwr_tiny_collect(heap), 0);
    ((node *)w.roots[1])->other = list;
    w.roots[0] = NULL;
    assert_int_equal(hwr_tiny_collect(heap), 0);
    ((node *)w.roots[1])->other = NULL;
    assert_int_equal(hwr_tiny_collect(heap), 100 * BLOCK);
    assert_int_equal(length_of(w.roots[1]), 50);
    list = w.roots[1];
    list->next->next = NULL;
    assert_int_equal(hwr_tiny_collect(heap), 48 * BLOCK);
    list->next->next = list; /* a cycle */
    assert_int_equal(hwr_tiny_collect(heap), 0);
    w.roots[1] = (char *)list + 1; /* addresses inside of objects are none */
    assert_int_equal(hwr_tiny_collect(heap), 2 * BLOCK);
    assert_int_equal(hwr_tiny_used(heap), 0);
}

static void large_objects_die_whole(void **state) {
    (void)state;
    hwr_tiny *heap = open_world(1 << 18, 0);
    size_t sizes[] = {1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 129, 500, 1000};
    for (size_t first = 0; first < 70; first++) {
        char *objects[13], *shift = first > 0 ? hwr_tiny_alloc(heap, first * BLOCK, 0) : NULL;
        for (size_t i = 0; i < 13; i++) objects[i] = hwr_tiny_alloc(heap, sizes[i] * BLOCK, 0);
        for (size_t i = 0; i < 13; i += 2) w.roots[i / 2] = objects[i];
        hwr_tiny_collect(heap);
        assert_int_equal(hwr_tiny_size(heap, shift), 0);
        for (size_t i = 0; i < 13; i++)
            assert_int_equal(hwr_tiny_size(heap, objects[i]), i % 2 == 0 ? sizes[i] * BLOCK : 0);
        hwr_tiny_info info = info_of(heap);
        assert_int_equal(info.objects, 7);
        assert_int_equal(info.used, hwr_tiny_used(heap));
        assert_int_equal(info.largest, 1000 * BLOCK);
        memset(w.roots, 0, sizeof w.roots);
        hwr_tiny_collect(heap);
        assert_int_equal(hwr_tiny_used(heap), 0);
    }
}

static void leaves_are_not_read(void **state) {
    (void)state;
    hwr_tiny *heap = open_world(8192, 0);
    void **leaf = w.roots[0] = hwr_tiny_alloc(heap, BLOCK, HWR_TINY_LEAF);
    leaf[0] = hwr_tiny_alloc(heap, BLOCK, 0);
    assert_int_equal(hwr_tiny_collect(heap), BLOCK);
    assert_true(hwr_tiny_free(heap, leaf));
    void **plain = w.roots[0] = hwr_tiny_alloc(heap, BLOCK, 0);
    assert_ptr_equal(plain, leaf); /* and a block forgets what it was */
    plain[0] = hwr_tiny_alloc(heap, BLOCK, 0);
    assert_int_equal(hwr_tiny_collect(heap), 0);
}

/* With a mark stack of one entry everything but a list overflows it. */
static void small_mark_stacks(void **state) {
    (void)state;
    for (size_t entries = 1; entries < 100; entries *= 3) {
        hwr_tiny *heap = open_world(1 << 19, entries);
        random_stream random = {entries};
        enum { COUNT = 5000 };
        node **table = w.roots[0] = hwr_tiny_alloc(heap, COUNT * sizeof *table, 0);
        for (size_t i = 0; i < COUNT; i++)
            table[i] = hwr_tiny_alloc(heap, sizeof(node), i % 5 == 0 ? HWR_TINY_FINALIZE : 0);
        for (size_t i = 0; i < COUNT; i++) {
            table[i]->next = table[random_below(&random, COUNT)];
            table[i]->other = table[(i + 1) % COUNT];
        }
        assert_int_equal(hwr_tiny_collect(heap), 0);
        size_t table_bytes = hwr_tiny_size(heap, table);
        w.roots[0] = table[0];
        assert_int_equal(hwr_tiny_collect(heap), table_bytes);
        assert_int_equal(info_of(heap).objects, COUNT);
        assert_int_equal(w.told_count, 0);
        w.roots[0] = NULL;
        hwr_tiny_collect(heap);
        assert_int_equal(w.told_count, COUNT / 5); /* the finalizers were not lost when heads were grey */
        assert_int_equal(hwr_tiny_used(heap), COUNT * BLOCK);
        hwr_tiny_collect(heap);
        assert_int_equal(w.told_count, COUNT / 5);
        assert_int_equal(hwr_tiny_used(heap), 0);
    }
}

static void collects_when_there_is_no_room(void **state) {
    (void)state;
    hwr_tiny *heap = open_world(8192, 0);
    make_list(heap, 50, &w.roots[0]);
    for (size_t i = 0; i < 100000; i++) assert_non_null(hwr_tiny_alloc(heap, i % 300 + 1, 0));
    assert_int_equal(length_of(w.roots[0]), 50);
    assert_true(hwr_tiny_enable(heap, false));
    size_t count = 0;
    while (hwr_tiny_alloc(heap, 1, 0) != NULL) count++;
    assert_true(count < 8192 / BLOCK);
    assert_int_equal(hwr_tiny_available(heap), 0);
    assert_null(hwr_tiny_weak(heap, w.roots[0]));
    assert_false(hwr_tiny_enable(heap, true));
    assert_non_null(hwr_tiny_weak(heap, w.roots[0]));
}

static void collects_at_the_threshold(void **state) {
    (void)state;
    hwr_tiny *heap = open_world(1 << 18, 0);
    hwr_tiny_set_threshold(heap, 1000);
    size_t most = 0;
    for (size_t i = 0; i < 10000; i++) {
        hwr_tiny_alloc(heap, BLOCK, 0);
        if (hwr_tiny_used(heap) > most) most = hwr_tiny_used(heap);
    }
    assert_true(most >= 1000 && most <= 1000 + BLOCK);
    hwr_tiny_set_threshold(heap, 0);
    for (size_t i = 0; i < 1000; i++) hwr_tiny_alloc(heap, BLOCK, 0);
    assert_true(hwr_tiny_used(heap) >= 1000 * BLOCK);
}

static void several_areas(void **state) {
    (void)state;
    hwr_tiny *heap = open_world(4096, 2);
    size_t before = hwr_tiny_available(heap);
    for (size_t size = 0; size < 200; size++) {
        size_t had = hwr_tiny_available(heap);
        bool added = hwr_tiny_add(heap, w.memory + 8192 + 256 * size, size);
        assert_true(added == (hwr_tiny_available(heap) > had));
    }
    assert_true(hwr_tiny_add(heap, w.memory + 65537, 70000));
    assert_true(hwr_tiny_add(heap, w.memory + 200000, 9000));
    assert_true(hwr_tiny_available(heap) > before + 75000);
    size_t count = hwr_tiny_available(heap) / BLOCK;
    assert_non_null(make_list(heap, count, &w.roots[0]));
    assert_int_equal(hwr_tiny_available(heap), 0);
    assert_null(hwr_tiny_alloc(heap, 1, 0));
    assert_int_equal(length_of(w.roots[0]), count);
    assert_int_equal(info_of(heap).objects, count);
    w.roots[0] = NULL;
    assert_int_equal(hwr_tiny_collect(heap), count * BLOCK);
    assert_non_null(hwr_tiny_alloc(heap, 60000, 0));
    assert_null(hwr_tiny_alloc(heap, 90000, 0));
}

/* Finalizers and weak references */

static void finalizers_run_once(void **state) {
    (void)state;
    hwr_tiny *heap = open_world(8192, 0);
    node *a = w.roots[0] = hwr_tiny_alloc(heap, sizeof *a, HWR_TINY_FINALIZE);
    node *b = a->next = hwr_tiny_alloc(heap, sizeof *b, HWR_TINY_FINALIZE);
    b->number = 7;
    assert_int_equal(hwr_tiny_collect(heap), 0);
    assert_int_equal(w.told_count, 0);
    w.roots[0] = NULL;
    w.revive = &w.roots[1];
    hwr_tiny_collect(heap);
    assert_int_equal(w.told_count, 2);
    assert_ptr_equal(w.told[0], a);
    assert_ptr_equal(w.told[1], b);
    assert_int_equal(b->number, 7);
    assert_int_equal(hwr_tiny_collect(heap), BLOCK); /* a; b was made reachable again */
    w.roots[1] = NULL;
    assert_int_equal(hwr_tiny_collect(heap), BLOCK);
    assert_int_equal(w.told_count, 2);
}

static void finalizers_may_free(void **state) {
    (void)state;
    hwr_tiny *heap = open_world(8192, 0);
    node *a = hwr_tiny_alloc(heap, sizeof *a, HWR_TINY_FINALIZE);
    w.freed = a->next = hwr_tiny_alloc(heap, 5 * BLOCK, 0);
    a->next->number = 1;
    a->next = NULL;
    size_t used = hwr_tiny_used(heap);
    assert_int_equal(hwr_tiny_collect(heap), used - BLOCK);
    assert_int_equal(hwr_tiny_collect(heap), BLOCK);
    a = hwr_tiny_alloc(heap, sizeof *a, HWR_TINY_FINALIZE);
    w.freed = w.roots[0] = a->next = hwr_tiny_alloc(heap, 5 * BLOCK, 0); /* one that is marked */
    hwr_tiny_collect(heap);
    w.roots[0] = a->next = NULL;
    assert_int_equal(hwr_tiny_collect(heap), BLOCK);
    assert_int_equal(info_of(heap).used, 0);
}

static void no_room_but_for_what_is_finalized(void **state) {
    (void)state;
    hwr_tiny *heap = open_world(4096, 0);
    while (hwr_tiny_available(heap) > 0) assert_non_null(hwr_tiny_alloc(heap, 1, HWR_TINY_FINALIZE));
    assert_non_null(hwr_tiny_alloc(heap, 1000, 0));
    assert_true(w.told_count > 50);
}

static void weak_references(void **state) {
    (void)state;
    hwr_tiny *heap = open_world(8192, 0);
    assert_null(hwr_tiny_weak(heap, NULL));
    assert_null(hwr_tiny_weak(heap, &w));
    node *target = w.roots[0] = hwr_tiny_alloc(heap, sizeof *target, 0);
    void *weak = w.roots[1] = hwr_tiny_weak(heap, target);
    assert_ptr_equal(hwr_tiny_weak_get(weak), target);
    hwr_tiny_collect(heap);
    assert_ptr_equal(hwr_tiny_weak_get(weak), target);
    w.roots[0] = NULL;
    assert_int_equal(hwr_tiny_collect(heap), BLOCK);
    assert_null(hwr_tiny_weak_get(weak));
    assert_int_equal(hwr_tiny_collect(heap), 0);
    w.roots[1] = NULL;
    assert_int_equal(hwr_tiny_collect(heap), BLOCK);
    assert_int_equal(w.told_count, 0);

    /* Cleared before the finalizer runs, and not set again if that makes the object reachable. */
    w.roots[0] = target = hwr_tiny_alloc(heap, sizeof *target, HWR_TINY_FINALIZE);
    w.roots[1] = weak = hwr_tiny_weak(heap, target);
    w.roots[0] = NULL;
    w.revive = &w.roots[2];
    hwr_tiny_collect(heap);
    assert_ptr_equal(w.roots[2], target);
    assert_null(hwr_tiny_weak_get(weak));
}

/* The stack as a root */

static void show_stack(hwr_tiny *heap, void *context) { hwr_tiny_mark_stack(heap, context); }

__attribute__((noinline)) static size_t build_on_stack(hwr_tiny *heap) {
    node *volatile list = NULL;
    for (size_t i = 0; i < 20; i++) {
        node *n = hwr_tiny_alloc(heap, sizeof *n, 0);
        n->next = list;
        list = n;
    }
    hwr_tiny_collect(heap);
    return length_of(list);
}

__attribute__((noinline)) static size_t with_bottom(hwr_tiny_options *options) {
    void *volatile bottom[2] = {NULL, NULL};
    options->context = (void *)(bottom + 1);
    hwr_tiny *heap = hwr_tiny_open(w.memory, 8192, options);
    size_t length = build_on_stack(heap);
    return length == 20 && hwr_tiny_used(heap) >= length * BLOCK ? length : 0;
}

static void finds_references_on_the_stack(void **state) {
    (void)state;
    hwr_tiny_options options = {.size = sizeof options, .roots = show_stack};
    assert_int_equal(with_bottom(&options), 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_of_buffer),
        cmocka_unit_test(every_alignment),
        cmocka_unit_test(refuses_what_makes_no_sense),
        cmocka_unit_test(planes_are_small),
        cmocka_unit_test(two_heaps),
        cmocka_unit_test(sizes_are_whole_blocks),
        cmocka_unit_test(what_is_freed_is_found_again),
        cmocka_unit_test(resizes_in_place),
        cmocka_unit_test(resizes_by_moving),
        cmocka_unit_test(collects_what_is_not_reached),
        cmocka_unit_test(large_objects_die_whole),
        cmocka_unit_test(leaves_are_not_read),
        cmocka_unit_test(small_mark_stacks),
        cmocka_unit_test(collects_when_there_is_no_room),
        cmocka_unit_test(collects_at_the_threshold),
        cmocka_unit_test(several_areas),
        cmocka_unit_test(finalizers_run_once),
        cmocka_unit_test(finalizers_may_free),
        cmocka_unit_test(no_room_but_for_what_is_finalized),
        cmocka_unit_test(weak_references),
        cmocka_unit_test(finds_references_on_the_stack),
    };
    return cmocka_run_group_tests_name("tiny", tests, NULL, NULL);
}
