/* heap: opening, types, making objects, blocks, looking at a heap. */
#define _GNU_SOURCE
#include "support/heap_fixture.h"
#include "support/pattern.h"
#include "support/sanitizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- opening ---- */
#define _GNU_SOURCE

static void options_that_make_no_sense_open_nothing(void **state) {
    heap_fixture *f = *state;
    hwr_options options = heap_fixture_options(f);
    assert_null(hwr_heap_open(NULL));
    options.size = 0;
    assert_null(hwr_heap_open(&options));
    options.size = sizeof options.size;
    assert_null(hwr_heap_open(&options));
    options = heap_fixture_options(f);
    options.collector = (hwr_collector)4;
    assert_null(hwr_heap_open(&options));
    options.collector = (hwr_collector)99;
    assert_null(hwr_heap_open(&options));
    options = heap_fixture_options(f);
    options.limit = 1 << 20; /* a raw allocator has its own */
    assert_null(hwr_heap_open(&options));
    hwr_heap_close(NULL);
}

/* A program that was compiled when there were fewer fields passes a smaller size, a later one a larger. */
static void options_of_another_size_open_a_heap(void **state) {
    heap_fixture *f = *state;
    struct {
        hwr_options known;
        char unknown[40];
    } later = {.known = heap_fixture_options(f)};
    later.known.size = sizeof later;
    hwr_heap *heap = hwr_heap_open(&later.known);
    assert_non_null(heap);
    hwr_heap_close(heap);
    hwr_options earlier = heap_fixture_options(f);
    earlier.size = offsetof(hwr_options, limit);
    earlier.limit = 1 << 20; /* beyond the size: not looked at */
    heap = hwr_heap_open(&earlier);
    assert_non_null(heap);
    hwr_heap_close(heap);
}

static void a_heap_opens_its_own_memory(void **state) {
    (void)state;
    hwr_heap *heap = hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options), .collector = HWR_COUNTING});
    assert_non_null(heap);
    pair *p = hwr_new(heap, &pair_type);
    assert_non_null(p);
    hwr_heap_stats stats;
    hwr_heap_get_stats(heap, &stats);
    assert_int_equal(stats.objects, 1);
    assert_int_equal(stats.limit, 0);
    assert_true(stats.committed > 0);
    hwr_heap_close(heap); /* with the object still alive */
}

/* Whatever is alive goes with the heap, and nobody is told. */
static void closing_runs_no_finalizer(void **state) {
    heap_fixture *f = *state;
    hwr_options options = heap_fixture_options(f);
    size_t calls = 0;
    hwr_heap *heap = hwr_heap_open(&options);
    finalized *object = hwr_new(heap, &finalized_type);
    assert_non_null(object);
    object->calls = &calls;
    assert_non_null(hwr_alloc(heap, 1000));
    assert_non_null(hwr_handle_new(heap, object));
    assert_non_null(hwr_weak_new(heap, object, NULL, NULL));
    hwr_heap_close(heap);
    assert_int_equal(calls, 0);
}

static void several_heaps_are_independent(void **state) {
    heap_fixture *f = *state;
    enum { HEAPS = 5 };
    hwr_heap *heaps[HEAPS];
    size_t calls[HEAPS] = {0};
    hwr_options options = heap_fixture_options(f);
    for (size_t i = 0; i < HEAPS; i++) {
        assert_non_null(heaps[i] = hwr_heap_open(&options));
        for (size_t n = 0; n <= i; n++) {
            finalized *object = hwr_new(heaps[i], &finalized_type);
            assert_non_null(object);
            object->calls = &calls[i];
            hwr_set(heaps[i], object, &object->a, object);
            hwr_release(heaps[i], object);
        }
    }
    hwr_disable(heaps[1]);
    assert_true(hwr_is_enabled(heaps[0]));
    assert_false(hwr_is_enabled(heaps[1]));
    assert_int_equal(hwr_collect(heaps[2], HWR_OLDEST), 3);
    for (size_t i = 0; i < HEAPS; i++) {
        hwr_heap_stats stats;
        hwr_heap_get_stats(heaps[i], &stats);
        assert_int_equal(stats.objects, i == 2 ? 0 : i + 1);
        assert_int_equal(calls[i], i == 2 ? 3 : 0);
    }
    for (size_t i = 0; i < HEAPS; i++) hwr_heap_close(heaps[i]);
}

static void the_environment_can_check_and_stress(void **state) {
    (void)state;
    hwr_options options = {.size = sizeof options, .collector = HWR_COUNTING};
    assert_int_equal(setenv("HEAPWRIGHT_STRESS", "1", 1), 0);
    hwr_heap *heap = hwr_heap_open(&options);
    assert_int_equal(unsetenv("HEAPWRIGHT_STRESS"), 0);
    assert_non_null(heap);
    for (int i = 0; i < 10; i++) assert_non_null(hwr_new(heap, &pair_type));
    hwr_generation_stats stats[HWR_GENERATIONS];
    hwr_get_stats(heap, stats);
    assert_int_equal(stats[HWR_OLDEST].collections, 10);
    hwr_heap_close(heap);

    assert_int_equal(setenv("HEAPWRIGHT_DEBUG", "1", 1), 0);
    heap = hwr_heap_open(&options);
    assert_int_equal(unsetenv("HEAPWRIGHT_DEBUG"), 0);
    assert_non_null(heap);
    static const hwr_type bytes_type = {.name = "bytes", .size = 16};
    unsigned char *bytes = hwr_new(heap, &bytes_type);
    assert_non_null(bytes);
    assert_true(hwr_heap_verify(heap, NULL));
    bytes[16]++; /* what only a checked heap notices */
    assert_false(hwr_heap_verify(heap, NULL));
    bytes[16]--;
    assert_true(hwr_heap_verify(heap, NULL));
    hwr_heap_close(heap);

    assert_int_equal(setenv("HEAPWRIGHT_DEBUG", "0", 1), 0);
    assert_int_equal(setenv("HEAPWRIGHT_STRESS", "0", 1), 0);
    heap = hwr_heap_open(&options);
    assert_int_equal(unsetenv("HEAPWRIGHT_DEBUG"), 0);
    assert_int_equal(unsetenv("HEAPWRIGHT_STRESS"), 0);
    assert_non_null(heap);
    for (int i = 0; i < 10; i++) assert_non_null(hwr_new(heap, &pair_type));
    hwr_get_stats(heap, stats);
    assert_int_equal(stats[HWR_OLDEST].collections, 0);
    hwr_heap_close(heap);
}

static void stress_collects_at_every_nth_tracked_object(void **state) {
    heap_fixture *f = *state;
    hwr_options options = heap_fixture_options(f);
    options.stress = 4;
    hwr_heap *heap = hwr_heap_open(&options);
    assert_non_null(heap);
    static const hwr_type leaf_type = {.name = "leaf", .size = 8};
    hwr_generation_stats stats[HWR_GENERATIONS];
    hwr_disable(heap); /* that is another matter */
    for (int i = 0; i < 20; i++) {
        assert_non_null(hwr_new(heap, &leaf_type));
        assert_non_null(hwr_new(heap, i % 2 == 0 ? &pair_type : &finalized_type));
    }
    hwr_get_stats(heap, stats);
    assert_int_equal(stats[0].collections + stats[1].collections, 0);
    assert_int_equal(stats[2].collections, 5);
    hwr_heap_close(heap);
}

/* ---- types ---- */

typedef struct row {
    size_t length;
    uint32_t items[];
} row;
static const hwr_type row_type = HWR_TYPE(row, HWR_ITEMS(row, length, items, uint32_t));

typedef struct list {
    size_t length;
    void *items[];
} list;
static const hwr_type list_type = HWR_TYPE(list, HWR_REF_ITEMS(list, length, items));

typedef struct twelve {
    void *a, *b, *c, *d, *e, *f, *g, *h, *i, *j, *k, *l;
} twelve;
static const hwr_type twelve_type = HWR_TYPE(twelve, HWR_REFS(twelve, a, b, c, d, e, f, g, h, i, j, k, l));

static void the_macros_describe_structs(void **state) {
    (void)state;
    assert_true(strcmp(twelve_type.name, "twelve") == 0);
    assert_int_equal(twelve_type.size, sizeof(twelve));
    assert_int_equal(twelve_type.ref_count, 12);
    for (uint32_t i = 0; i < 12; i++) assert_int_equal(twelve_type.refs[i], i * sizeof(void *));
    assert_int_equal(row_type.item_size, 4);
    assert_int_equal(row_type.length_offset, offsetof(row, length));
    assert_int_equal(row_type.items_offset, offsetof(row, items));
    assert_int_equal(row_type.items_are_references, 0);
    assert_int_equal(list_type.item_size, sizeof(void *));
    assert_int_equal(list_type.items_are_references, 1);
    assert_int_equal(pair_type.ref_count, 2);
}

static void expect_no_object(const heap_fixture *f, const hwr_type *type, const char *what) {
    if (hwr_new(f->heap, type) != NULL) fail_msg("hwr_new takes a type with %s", what);
    if (hwr_new_items(f->heap, type, 3) != NULL) fail_msg("hwr_new_items takes a type with %s", what);
}

static void types_that_make_no_sense_are_refused(void **state) {
    heap_fixture *f = *state;
    static hwr_type bad;
    bad = pair_type;
    bad.ref_count = HWR_TYPE_REFS + 1;
    expect_no_object(f, &bad, "too many references");
    bad = pair_type;
    bad.refs[1] = sizeof(pair);
    expect_no_object(f, &bad, "a reference behind its end");
    bad.refs[1] = sizeof(pair) - sizeof(void *) + 1;
    expect_no_object(f, &bad, "a reference across its end");
    bad.refs[1] = UINT32_MAX;
    expect_no_object(f, &bad, "a reference far away");
    bad = pair_type;
    bad.size = 4;
    expect_no_object(f, &bad, "more references than room");
    for (unsigned alignment = 1; alignment < 256; alignment++) {
        bad = pair_type;
        bad.alignment = (uint8_t)alignment;
        if (alignment != 8 && alignment != 16) expect_no_object(f, &bad, "an odd alignment");
    }
    for (unsigned flag = 4; flag < 0x10000; flag *= 2) {
        bad = pair_type;
        bad.flags = (uint16_t)flag;
        expect_no_object(f, &bad, "a flag that there is not");
    }
    bad = row_type;
    bad.length_offset = sizeof(row);
    expect_no_object(f, &bad, "a length outside of it");
    bad.length_offset = UINT32_MAX;
    expect_no_object(f, &bad, "a length far outside of it");
    bad = list_type;
    bad.item_size = 4;
    expect_no_object(f, &bad, "references of 4 bytes");
    bad.item_size = 16;
    expect_no_object(f, &bad, "references of 16 bytes");
    heap_fixture_expect_objects(f, 0);
}

static void a_type_at_an_odd_address_is_refused(void **state) {
    heap_fixture *f = *state;
    static union {
        uint64_t align[(sizeof(hwr_type) + 15) / 8];
        unsigned char bytes[sizeof(hwr_type) + 8];
    } space;
    memcpy(space.bytes + 4, &pair_type, sizeof pair_type);
    const void *odd = space.bytes + 4;
    if (UNDER_ASAN) skip(); /* the undefined-behaviour sanitizer would report the pointer itself */
    assert_null(hwr_new(f->heap, odd));
}

static void items_need_a_type_with_items(void **state) {
    heap_fixture *f = *state;
    assert_null(hwr_new_items(f->heap, &pair_type, 1));
    pair *p = hwr_new_items(f->heap, &pair_type, 0);
    assert_non_null(p);
    hwr_release(f->heap, p);
    row *r = hwr_new(f->heap, &row_type); /* with no items */
    assert_non_null(r);
    assert_int_equal(r->length, 0);
    hwr_release(f->heap, r);
    heap_fixture_expect_objects(f, 0);
}

static void too_many_items_are_refused(void **state) {
    heap_fixture *f = *state;
    const size_t lengths[] = {SIZE_MAX,     SIZE_MAX / 4,     SIZE_MAX / 4 + 1, SIZE_MAX / 8,    SIZE_MAX / 8 + 1,
                              PTRDIFF_MAX,  SIZE_MAX / 2,     PTRDIFF_MAX / 4,  PTRDIFF_MAX / 8, PTRDIFF_MAX / 2,
                              SIZE_MAX - 1, SIZE_MAX / 4 - 1, SIZE_MAX / 8 - 1, (size_t)1 << 62};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        assert_null(hwr_new_items(f->heap, &row_type, lengths[i]));
        assert_null(hwr_new_items(f->heap, &list_type, lengths[i]));
    }
    static const hwr_type huge_items = {.name = "huge items", .size = 16, .item_size = UINT32_MAX, .items_offset = 16};
    for (size_t length = 1; length != 0; length *= 2)
        if (length > (size_t)1 << 31) assert_null(hwr_new_items(f->heap, &huge_items, length));
    heap_fixture_expect_objects(f, 0);
}

/* ---- objects ---- */

static void new_objects_are_zero_and_apart(void **state) {
    heap_fixture *f = *state;
    enum { SIZES = 400 };
    static hwr_type types[SIZES];
    static unsigned char *objects[SIZES];
    for (int round = 0; round < 3; round++) {
        for (uint32_t size = 0; size < SIZES; size++) {
            types[size] = (hwr_type){.name = "bytes", .size = size};
            objects[size] = hwr_new(f->heap, &types[size]);
            assert_non_null(objects[size]);
            assert_true(pattern_is_zero(objects[size], size));
            assert_int_equal((uintptr_t)objects[size] % 8, 0);
            assert_ptr_equal(hwr_type_of(objects[size]), &types[size]);
            assert_int_equal(hwr_sizeof(f->heap, objects[size], false), size);
            assert_true(hwr_sizeof(f->heap, objects[size], true) >= size + 8);
            assert_int_equal(hwr_refcount(f->heap, objects[size]), 1);
            pattern_fill(objects[size], size, size);
        }
        heap_fixture_expect_objects(f, SIZES);
        for (size_t size = 0; size < SIZES; size++) {
            assert_true(pattern_holds(objects[size], size, size, size));
            hwr_release(f->heap, objects[size]);
        }
        heap_fixture_expect_objects(f, 0);
    }
}

static void two_references_take_24_bytes(void **state) {
    heap_fixture *f = *state;
    pair *p = new_pair(f);
    assert_int_equal(hwr_sizeof(f->heap, p, false), 16);
    assert_int_equal(hwr_sizeof(f->heap, p, true), 24);
    static pair *pairs[2000];
    for (size_t i = 0; i < 2000; i++) pairs[i] = new_pair(f);
    size_t next = 0;
    for (size_t i = 1; i < 2000; i++) next += (char *)pairs[i] - (char *)pairs[i - 1] == 24;
    assert_true(next > 1900);
    for (size_t i = 0; i < 2000; i++) hwr_release(f->heap, pairs[i]);
    hwr_release(f->heap, p);
}

static void items_are_zero_and_counted(void **state) {
    heap_fixture *f = *state;
    for (size_t length = 0; length < 3000; length = length * 5 / 4 + 1) {
        row *r = hwr_new_items(f->heap, &row_type, length);
        list *l = hwr_new_items(f->heap, &list_type, length);
        assert_non_null(r);
        assert_non_null(l);
        assert_int_equal(r->length, length);
        assert_int_equal(l->length, length);
        assert_true(pattern_is_zero(r->items, length * 4));
        assert_true(pattern_is_zero(l->items, length * sizeof(void *)));
        assert_int_equal(hwr_sizeof(f->heap, r, false), sizeof(row) + length * 4);
        assert_int_equal(hwr_sizeof(f->heap, l, false), sizeof(list) + length * sizeof(void *));
        memset(r->items, 0xff, length * 4);
        for (size_t i = 0; i < length; i++) hwr_set(f->heap, l, &l->items[i], (void *)(i % 2 == 0 ? (void *)r : l));
        assert_int_equal(hwr_refcount(f->heap, r), 1 + (length + 1) / 2);
        heap_fixture_expect_objects(f, 2);
        for (size_t i = 0; i < length; i++) hwr_set(f->heap, l, &l->items[i], NULL);
        hwr_release(f->heap, r);
        hwr_release(f->heap, l);
    }
    heap_fixture_expect_objects(f, 0);
}

static void aligned_objects_are_aligned(void **state) {
    heap_fixture *f = *state;
    enum { SIZES = 200 };
    static hwr_type types[SIZES];
    static unsigned char *objects[SIZES];
    for (uint32_t size = 0; size < SIZES; size++) {
        types[size] = (hwr_type){.name = "aligned", .size = size, .alignment = size % 3 == 0 ? 8 : 16};
        if (size >= 8) types[size].ref_count = size % 2; /* some of them tracked */
        objects[size] = hwr_new(f->heap, &types[size]);
        assert_non_null(objects[size]);
        assert_int_equal((uintptr_t)objects[size] % (size % 3 == 0 ? 8 : 16), 0);
        assert_true(pattern_is_zero(objects[size], size));
        assert_int_equal(hwr_sizeof(f->heap, objects[size], false), size);
        if (types[size].ref_count == 0) pattern_fill(objects[size], size, size);
    }
    heap_fixture_expect_objects(f, SIZES);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 0);
    for (size_t size = 0; size < SIZES; size++) {
        if (types[size].ref_count == 0) assert_true(pattern_holds(objects[size], size, size, size));
        hwr_release(f->heap, objects[size]);
    }
    heap_fixture_expect_objects(f, 0);
}

/* Objects with pages of their own, and reservations of their own. */
static void large_objects_live_and_die(void **state) {
    heap_fixture *f = *state;
    const size_t lengths[] = {1000, 10000, 131072, 1000000, 2000000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        size_t length = lengths[i] / (runs_slowly() ? 8 : 1);
        list *l = hwr_new_items(f->heap, &list_type, length);
        row *r = hwr_new_items(f->heap, &row_type, length);
        assert_non_null(l);
        assert_non_null(r);
        assert_true(pattern_is_zero(l->items, length * sizeof(void *)));
        assert_true(pattern_is_zero(r->items, length * 4));
        hwr_set(f->heap, l, &l->items[0], (void *)l);
        hwr_set(f->heap, l, &l->items[length / 2], (void *)r);
        hwr_set(f->heap, l, &l->items[length - 1], (void *)r);
        hwr_release(f->heap, r);
        assert_int_equal(hwr_refcount(f->heap, r), 2);
        heap_fixture_expect_objects(f, 2);
        assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 0);
        hwr_release(f->heap, l);
        heap_fixture_expect_objects(f, 2);
        assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 1); /* what has no references is not counted */
        heap_fixture_expect_objects(f, 0);
    }
}

static void ids_are_unique_and_last(void **state) {
    heap_fixture *f = *state;
    enum { COUNT = 300 };
    static pair *pairs[COUNT];
    static uint64_t ids[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        pairs[i] = new_pair(f);
        ids[i] = hwr_id(f->heap, pairs[i]);
        for (size_t k = 0; k < i; k++) assert_int_not_equal(ids[i], ids[k]);
    }
    hwr_collect(f->heap, HWR_OLDEST);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(hwr_id(f->heap, pairs[i]), ids[i]);
        hwr_release(f->heap, pairs[i]);
    }
}

/* ---- blocks ---- */

static void blocks_are_malloc(void **state) {
    heap_fixture *f = *state;
    static unsigned char *blocks[300];
    for (size_t i = 0; i < 300; i++) {
        blocks[i] = hwr_alloc(f->heap, i * i);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        pattern_fill(blocks[i], i * i, i);
    }
    for (size_t i = 0; i < 300; i++) {
        unsigned char *moved = hwr_realloc(f->heap, blocks[i], i * 40);
        assert_non_null(moved);
        assert_int_equal((uintptr_t)moved % 16, 0);
        assert_true(pattern_holds(moved, i * i < i * 40 ? i * i : i * 40, i * i, i));
        blocks[i] = moved;
        pattern_fill(moved, i * 40, i);
    }
    hwr_heap_stats stats;
    hwr_heap_get_stats(f->heap, &stats);
    assert_true(stats.blocks >= 300);
    assert_true(stats.block_bytes >= 300 * 299 / 2 * 40);
    assert_int_equal(stats.objects, 0);
    for (size_t i = 0; i < 300; i++) {
        assert_true(pattern_holds(blocks[i], i * 40, i * 40, i));
        hwr_free(f->heap, blocks[i]);
    }
    hwr_free(f->heap, NULL);
    unsigned char *fresh = hwr_realloc(f->heap, NULL, 100);
    assert_non_null(fresh);
    hwr_free(f->heap, hwr_realloc(f->heap, fresh, 0));
    size_t before = stats.blocks;
    hwr_heap_get_stats(f->heap, &stats);
    assert_int_equal(before - stats.blocks, 300);
}

static void absurd_blocks_are_refused(void **state) {
    heap_fixture *f = *state;
    assert_null(hwr_alloc(f->heap, SIZE_MAX));
    assert_null(hwr_alloc(f->heap, SIZE_MAX - 20));
    assert_null(hwr_alloc(f->heap, (size_t)PTRDIFF_MAX + 1));
    unsigned char *block = hwr_alloc(f->heap, 50);
    pattern_fill(block, 50, 1);
    assert_null(hwr_realloc(f->heap, block, SIZE_MAX));
    assert_null(hwr_realloc(f->heap, block, (size_t)PTRDIFF_MAX + 1));
    assert_true(pattern_holds(block, 50, 50, 1));
    hwr_free(f->heap, block);
}

/* ---- looking at a heap ---- */

static void figures_count_what_there_is(void **state) {
    heap_fixture *f = *state;
    hwr_heap_stats empty, stats;
    hwr_heap_get_stats(f->heap, &empty);
    assert_int_equal(empty.objects, 0);
    assert_int_equal(empty.object_bytes, 0);
    pair *p = new_pair(f);
    row *r = hwr_new_items(f->heap, &row_type, 100);
    finalized *last = new_finalized(f, NULL);
    assert_non_null(r);
    hwr_heap_get_stats(f->heap, &stats);
    assert_int_equal(stats.objects, 3);
    assert_int_equal(stats.tracked, 2);
    assert_int_equal(stats.object_bytes, sizeof(pair) + sizeof(row) + 400 + sizeof(finalized) + 3 * 8);
    assert_true(stats.page_bytes >= stats.object_bytes);
    assert_int_equal(stats.limit, 0);
    hwr_release(f->heap, p);
    hwr_release(f->heap, r);
    hwr_release(f->heap, last);
    hwr_heap_get_stats(f->heap, &stats);
    assert_int_equal(stats.objects, 0);
    assert_int_equal(stats.tracked, 0);
    assert_true(stats.peak_committed >= stats.committed);
}

typedef struct tour {
    size_t found, stop_after;
    void *seen[100];
} tour;

static bool note(void *context, void *object) {
    tour *t = context;
    assert_true(t->found < 100);
    for (size_t i = 0; i < t->found; i++) assert_ptr_not_equal(t->seen[i], object);
    t->seen[t->found] = object;
    return ++t->found != t->stop_after;
}

static void a_walk_finds_each_object_once(void **state) {
    heap_fixture *f = *state;
    tour t = {0};
    assert_true(hwr_heap_walk(f->heap, note, &t));
    assert_int_equal(t.found, 0);
    void *objects[20];
    for (size_t i = 0; i < 20; i++) {
        static const hwr_type aligned = {.name = "aligned", .size = 24, .alignment = 16};
        objects[i] = i % 4 == 0   ? (void *)new_pair(f)
                     : i % 4 == 1 ? hwr_new_items(f->heap, &row_type, i * i * i * 10)
                     : i % 4 == 2 ? (void *)new_finalized(f, NULL)
                                  : hwr_new(f->heap, &aligned);
        assert_non_null(objects[i]);
    }
    for (size_t i = 0; i < 20; i += 3) hwr_release(f->heap, objects[i]);
    assert_true(hwr_heap_walk(f->heap, note, &t));
    assert_int_equal(t.found, 13);
    for (size_t i = 0; i < 20; i++) {
        bool seen = false;
        for (size_t k = 0; k < t.found; k++) seen |= t.seen[k] == objects[i];
        assert_int_equal(seen, i % 3 != 0);
    }
    for (size_t stop = 1; stop <= 13; stop++) {
        t = (tour){.stop_after = stop};
        assert_false(hwr_heap_walk(f->heap, note, &t));
        assert_int_equal(t.found, stop);
    }
    for (size_t i = 0; i < 20; i++)
        if (i % 3 != 0) hwr_release(f->heap, objects[i]);
}

static void trimming_gives_memory_back(void **state) {
    heap_fixture *f = *state;
    static pair *pairs[20000];
    for (size_t i = 0; i < 20000; i++) pairs[i] = new_pair(f);
    for (size_t i = 0; i < 20000; i++) hwr_release(f->heap, pairs[i]);
    hwr_heap_stats before, after;
    hwr_heap_get_stats(f->heap, &before);
    size_t given_back = hwr_heap_trim(f->heap);
    hwr_heap_get_stats(f->heap, &after);
    if (f->config.kind == HWR_RAW_SYSTEM) assert_true(given_back > 20000 * sizeof(pair) / 2);
    assert_true(before.committed - after.committed >= given_back);
    assert_int_equal(hwr_heap_trim(f->heap), 0);
}

/* ---- verification ---- */

static void expect_problem(const heap_fixture *f) {
    const char *problem = NULL;
    assert_false(hwr_heap_verify(f->heap, &problem));
    assert_non_null(problem);
    assert_true(problem[0] != '\0');
    assert_false(hwr_heap_verify(f->heap, NULL));
}

static void verification_finds_stray_references(void **state) {
    heap_fixture *f = *state;
    pair *p = new_pair(f), *q = new_pair(f);
    static pair outside;
    assert_true(hwr_heap_verify(f->heap, NULL));
    p->a = &outside;
    expect_problem(f);
    p->a = (pair *)((char *)q + 8);
    expect_problem(f);
    p->a = q; /* without a count: not more than there are */
    p->b = q;
    expect_problem(f);
    p->b = NULL;
    assert_true(hwr_heap_verify(f->heap, NULL));
    p->a = NULL;
    hwr_release(f->heap, q);
    p->a = q;
    expect_problem(f);
    p->a = NULL;
    hwr_release(f->heap, p);
}

int main(void) {
    static const heap_test tests[] = {
        HEAP_TEST(options_that_make_no_sense_open_nothing, HEAP_ANY),
        HEAP_TEST(options_of_another_size_open_a_heap, HEAP_ANY),
        HEAP_TEST(a_heap_opens_its_own_memory, HEAP_ONCE),
        HEAP_TEST(closing_runs_no_finalizer, HEAP_STRESSED),
        HEAP_TEST(several_heaps_are_independent, HEAP_ANY),
        HEAP_TEST(the_environment_can_check_and_stress, HEAP_ONCE),
        HEAP_TEST(stress_collects_at_every_nth_tracked_object, HEAP_ANY),
        HEAP_TEST(the_macros_describe_structs, HEAP_ONCE),
        HEAP_TEST(types_that_make_no_sense_are_refused, HEAP_STRESSED),
        HEAP_TEST(a_type_at_an_odd_address_is_refused, HEAP_ANY),
        HEAP_TEST(items_need_a_type_with_items, HEAP_STRESSED),
        HEAP_TEST(too_many_items_are_refused, HEAP_STRESSED),
        HEAP_TEST(new_objects_are_zero_and_apart, HEAP_STRESSED),
        HEAP_TEST(two_references_take_24_bytes, HEAP_UNCHECKED),
        HEAP_TEST(items_are_zero_and_counted, HEAP_STRESSED),
        HEAP_TEST(aligned_objects_are_aligned, HEAP_STRESSED),
        HEAP_TEST(large_objects_live_and_die, HEAP_ANY),
        HEAP_TEST(ids_are_unique_and_last, HEAP_STRESSED),
        HEAP_TEST(blocks_are_malloc, HEAP_STRESSED),
        HEAP_TEST(absurd_blocks_are_refused, HEAP_STRESSED),
        HEAP_TEST(figures_count_what_there_is, HEAP_STRESSED),
        HEAP_TEST(a_walk_finds_each_object_once, HEAP_STRESSED),
        HEAP_TEST(trimming_gives_memory_back, HEAP_ANY),
        HEAP_TEST(verification_finds_stray_references, HEAP_ANY),
    };
    return heap_fixture_run("heaps", tests, sizeof tests / sizeof tests[0]);
}
