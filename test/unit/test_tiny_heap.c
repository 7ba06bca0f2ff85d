/* Tiny heaps (HWR_TINY): what their blocks, areas and mark stack do with objects that have types. What they have in common with other tracing heaps is tested with those (support/tracing_fixture.h). */
#include "support/tracing_fixture.h"

#include "tracing/tracing.h"

#include <stdlib.h>
#include <string.h>

static int open_tiny(void **state) {
    tracing_fixture *f = calloc(1, sizeof *f);
    if (f == NULL) return -1;
    hwr_options options = {
        .size = sizeof options, .collector = HWR_TINY, .roots = HWR_ROOTS_EXACT, .manual_finalizers = true};
    f->config = (tracing_config){.name = "tiny", .roots = HWR_ROOTS_EXACT, .tiny = true};
    f->heap = hwr_heap_open(&options);
    *state = f;
    if (f->heap == NULL) return -1;
    hwr_frame_push(f->heap, &f->frame, TRACING_SLOTS);
    return 0;
}

static int close_tiny(void **state) {
    tracing_fixture *f = *state;
    bool well = hwr_heap_verify(f->heap, NULL);
    hwr_frame_pop(f->heap, &f->frame);
    hwr_heap_close(f->heap);
    free(f);
    return well ? 0 : -1;
}

static hwr_heap_stats stats_of(const tracing_fixture *f) {
    hwr_heap_stats stats;
    hwr_heap_get_stats(f->heap, &stats);
    return stats;
}

/* ---- marking ---- */

/* More references than the mark stack has room for, to objects that lead further: all of it lives, and all of it dies. */
static void the_mark_stack_overflows(void **state) {
    tracing_fixture *f = *state;
    enum { WIDE = 5000 };
    f->slot[0] = new_row(f, WIDE);
    for (size_t i = 0; i < WIDE; i++) {
        f->slot[1] = new_twig(f, i);
        f->slot[2] = new_twig(f, WIDE + i);
        hwr_set(f->heap, (twig *)f->slot[1], &((twig *)f->slot[1])->a, (twig *)f->slot[2]);
        hwr_set(f->heap, f->slot[0], &((row *)f->slot[0])->items[(i * 7) % WIDE], f->slot[1]);
    }
    f->slot[1] = f->slot[2] = NULL;
    tracing_fixture_expect_objects(f, 1 + 2 * WIDE);
    const row *all = f->slot[0];
    for (size_t i = 0; i < WIDE; i++) {
        const twig *t = all->items[(i * 7) % WIDE];
        assert_true(t->number == i && t->a->number == WIDE + i);
    }
    f->slot[0] = NULL;
    tracing_fixture_expect_objects(f, 0);
}

/* Objects without references are not looked at, but dependent handles may wait for them: a chain in which each second leads to the next first. */
static void handles_wait_for_leaves(void **state) {
    tracing_fixture *f = *state;
    enum { LINKS = 50 };
    for (int backwards = 0; backwards < 2; backwards++) {
        hwr_handle *handles[LINKS];
        f->slot[0] = new_row(f, LINKS + 1);
        row *leaves = f->slot[0];
        for (size_t i = 0; i <= LINKS; i++) {
            prose *leaf = hwr_new_items(f->heap, &prose_type, 3);
            hwr_set(f->heap, leaves, &leaves->items[i], leaf);
        }
        for (size_t k = 0; k < LINKS; k++) {
            size_t i = backwards ? LINKS - 1 - k : k;
            f->slot[1] = new_row(f, 1);
            hwr_set(f->heap, f->slot[1], &((row *)f->slot[1])->items[0], leaves->items[i + 1]);
            handles[i] = hwr_handle_new_dependent(f->heap, leaves->items[i], f->slot[1]);
            assert_non_null(handles[i]);
        }
        f->slot[2] = leaves->items[0];
        f->slot[0] = f->slot[1] = NULL;
        tracing_fixture_expect_objects(f, 2 * LINKS + 1);
        for (size_t i = 0; i < LINKS; i++) assert_non_null(hwr_handle_second(f->heap, handles[i]));
        f->slot[2] = NULL;
        tracing_fixture_expect_objects(f, 0);
        for (size_t i = 0; i < LINKS; i++) {
            assert_null(hwr_handle_get(f->heap, handles[i]));
            hwr_handle_free(f->heap, handles[i]);
        }
    }
}

/* ---- addresses ---- */

static void *object_at(const tracing_fixture *f, const void *address) {
    return hwri_object_at(f->heap->tracing, (uintptr_t)address);
}

/* Every address in an object leads to it, however many words of bits its blocks have. */
static void addresses_inside_lead_to_the_object(void **state) {
    tracing_fixture *f = *state;
    static const size_t lengths[] = {0, 1, 15, 16, 17, 24, 63, 64, 2000, 2048, 5000};
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        f->slot[1] = new_twig(f, 1);
        prose *p = hwr_new_items(f->heap, &prose_type, lengths[k]);
        f->slot[0] = p;
        f->slot[2] = new_twig(f, 2);
        for (const unsigned char *at = (const unsigned char *)p; at < p->bytes + lengths[k]; at++)
            assert_ptr_equal(object_at(f, at), p);
        assert_ptr_equal(object_at(f, f->slot[1]), f->slot[1]);
        assert_ptr_equal(object_at(f, f->slot[2]), f->slot[2]);
        f->slot[0] = NULL;
        hwr_collect(f->heap, HWR_OLDEST);
        assert_null(object_at(f, p->bytes));
    }
    assert_null(object_at(f, &f));
    assert_null(object_at(f, NULL));
}

typedef struct vector {
    double parts[4];
    struct vector *next;
} vector;
static const hwr_type vector_type = HWR_TYPE(vector, HWR_REFS(vector, next), .alignment = 16);

static void objects_are_aligned(void **state) {
    tracing_fixture *f = *state;
    enum { VECTORS = 500 };
    for (size_t i = 0; i < VECTORS; i++) {
        vector *v = hwr_new(f->heap, &vector_type);
        assert_non_null(v);
        assert_int_equal((uintptr_t)v % 16, 0);
        assert_true(v->parts[0] == 0 && v->parts[3] == 0 && v->next == NULL);
        v->parts[3] = (double)i;
        hwr_set(f->heap, v, &v->next, (vector *)f->slot[0]);
        f->slot[0] = v;
        f->slot[1] = new_twig(f, i);
    }
    tracing_fixture_expect_objects(f, VECTORS + 1);
    size_t left = VECTORS;
    for (const vector *v = f->slot[0]; v != NULL; v = v->next) {
        assert_true(v->parts[3] == (double)--left);
        assert_ptr_equal(object_at(f, &v->parts[2]), v);
    }
    assert_int_equal(left, 0);
}

/* ---- areas ---- */

static void areas_come_and_go(void **state) {
    tracing_fixture *f = *state;
    enum { MANY = 200000, LARGE = 3 << 20 }; /* the latter larger than the next area would be */
    size_t before = stats_of(f).committed;
    for (int trims = 0; trims < 2; trims++) {
        make_list(f, 0, MANY);
        hwr_heap_stats full = stats_of(f);
        assert_true(is_list(f->slot[0], MANY));
        assert_true(full.objects == MANY && full.committed > MANY * sizeof(twig));
        f->slot[1] = hwr_new_items(f->heap, &prose_type, LARGE);
        assert_non_null(f->slot[1]);
        memset(((prose *)f->slot[1])->bytes, 0x5a, LARGE);
        tracing_fixture_expect_objects(f, MANY + 1);
        f->slot[0] = f->slot[1] = NULL;
        assert_true(hwr_collect_with(f->heap, HWR_OLDEST, trims ? HWR_COLLECT_FORCED : HWR_COLLECT_AGGRESSIVE));
        if (trims) assert_true(hwr_heap_trim(f->heap) > LARGE);
        assert_true(stats_of(f).committed < before + (1 << 20));
        make_list(f, 0, 1000);
        assert_true(is_list(f->slot[0], 1000));
    }
}

/* What is garbage makes room: a heap with a limit allocates many times as much. */
static void a_limit_holds(void **state) {
    (void)state;
    hwr_options options = {.size = sizeof options, .collector = HWR_TINY, .roots = HWR_ROOTS_EXACT, .limit = 1 << 20};
    for (int fixed = 0; fixed < 2; fixed++) {
        options.sizing = fixed ? HWR_SIZE_FIXED : HWR_SIZE_GROWS;
        tracing_fixture own = {.heap = hwr_heap_open(&options)};
        assert_non_null(own.heap);
        hwr_frame_push(own.heap, &own.frame, TRACING_SLOTS);
        for (size_t i = 0; i < 100000; i++) own.slot[i % 8] = new_twig(&own, i);
        assert_null(hwr_new_items(own.heap, &prose_type, 2 << 20));
        while ((own.slot[1] = hwr_new(own.heap, &twig_type)) != NULL) {
            hwr_init(own.heap, own.slot[1], &((twig *)own.slot[1])->a, (twig *)own.slot[0]);
            own.slot[0] = own.slot[1];
        }
        assert_true(stats_of(&own).committed <= options.limit);
        own.slot[0] = NULL;
        assert_non_null(hwr_new(own.heap, &twig_type));
        assert_true(hwr_heap_verify(own.heap, NULL));
        hwr_frame_pop(own.heap, &own.frame);
        hwr_heap_close(own.heap);
    }
}

/* With the first every heap opens, with the second also a checked one; see docs/tiny.md. */
enum { BUFFER_ENOUGH = 64 << 10, CHECKED_ENOUGH = 96 << 10, BUFFER_MOST = 1 << 20, PAGE = 4096 };

/* In a heap that is as full as can be, objects die and are made, and nothing else is lost. Returns how many there were. */
static size_t use_to_the_full(tracing_fixture *f) {
    size_t finalized = 0, count = 0;
    mortal *dies = hwr_new(f->heap, &mortal_type);
    if (dies != NULL) dies->calls = &finalized;
    f->slot[1] = dies;
    hwr_handle *handle = dies != NULL ? hwr_handle_new_kind(f->heap, dies, HWR_HANDLE_WEAK_SHORT) : NULL;
    for (twig *t; (t = hwr_new(f->heap, &twig_type)) != NULL; count++) {
        t->number = count;
        hwr_init(f->heap, t, &t->a, (twig *)f->slot[0]);
        f->slot[0] = t;
    }
    const twig *t = f->slot[0];
    for (size_t i = count; i > 0; i--, t = t->a) assert_true(t->number == i - 1);
    assert_null(t);
    if (handle != NULL) assert_ptr_equal(hwr_handle_get(f->heap, handle), dies);
    f->slot[1] = f->slot[0] = NULL;
    for (size_t i = 0; i < 3 * count; i++) assert_non_null(f->slot[i % 2] = hwr_new(f->heap, &twig_type));
    hwr_collect(f->heap, HWR_OLDEST);
    hwr_run_finalizers(f->heap, SIZE_MAX);
    assert_int_equal(finalized, dies != NULL);
    if (handle != NULL) {
        assert_null(hwr_handle_get(f->heap, handle));
        hwr_handle_free(f->heap, handle);
    }
    return count;
}

/* A heap in a buffer of this size, which may be too small unless it is `enough`. */
static void try_buffer(char *buffer, size_t size, bool checked, bool enough) {
    hwr_raw *raw = hwr_raw_open(&(hwr_raw_options){
        .size = sizeof(hwr_raw_options), .kind = HWR_RAW_BUFFER, .buffer = buffer, .buffer_size = size});
    hwr_options options = {.size = sizeof options,
                           .collector = HWR_TINY,
                           .raw = raw,
                           .checked = checked,
                           .roots = HWR_ROOTS_EXACT,
                           .manual_finalizers = true};
    tracing_fixture own = {.heap = raw != NULL ? hwr_heap_open(&options) : NULL};
    assert_true(own.heap != NULL || !enough);
    if (own.heap != NULL) {
        hwr_frame_push(own.heap, &own.frame, TRACING_SLOTS);
        size_t bytes = use_to_the_full(&own) * (HWRI_HEADER_SIZE + sizeof(twig));
        const char *problem = NULL;
        if (!hwr_heap_verify(own.heap, &problem)) assert_string_equal(problem, "there is no memory for verification");
        assert_true(bytes >= size / 10 || !enough);
        assert_true(bytes >= size / 2 || size < BUFFER_MOST / 2);
        hwr_frame_pop(own.heap, &own.frame);
        hwr_heap_close(own.heap);
    }
    hwr_raw_stats left = {0};
    if (raw != NULL) hwr_raw_get_stats(raw, &left);
    assert_true(left.reserved == 0 && left.committed == 0);
    hwr_raw_close(raw);
}

/* At all sorts of addresses: from buffers that are too small, over those in which a heap just opens, to comfortable ones. */
static void buffers_of_every_size(void **state) {
    (void)state;
    char *buffer = malloc(BUFFER_MOST + PAGE);
    assert_non_null(buffer);
    for (size_t size = 1 << 10; size <= BUFFER_MOST; size += size < 2 * BUFFER_ENOUGH ? 1 << 10 : size / 16) {
        try_buffer(buffer + size % PAGE / 7, size, false, size >= BUFFER_ENOUGH);
        try_buffer(buffer + size % PAGE / 7, size, true, size >= CHECKED_ENOUGH);
    }
    free(buffer);
}

int main(void) {
#define TINY_TEST(function) cmocka_unit_test_setup_teardown(function, open_tiny, close_tiny)
    const struct CMUnitTest tests[] = {
        TINY_TEST(the_mark_stack_overflows),
        TINY_TEST(handles_wait_for_leaves),
        TINY_TEST(addresses_inside_lead_to_the_object),
        TINY_TEST(objects_are_aligned),
        TINY_TEST(areas_come_and_go),
        cmocka_unit_test(a_limit_holds),
        cmocka_unit_test(buffers_of_every_size),
    };
    return cmocka_run_group_tests_name("tiny heaps", tests, NULL, NULL);
}
