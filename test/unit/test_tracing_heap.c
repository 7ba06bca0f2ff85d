/* heap.h on a tracing heap: opening, making objects, fields, identity, blocks, looking at a heap. */
#define _GNU_SOURCE
#include "support/pattern.h"
#include "support/sanitizer.h"
#include "support/tracing_fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* ---- opening ---- */

static void options_that_make_no_sense_open_nothing(void **state) {
    tracing_fixture *f = *state;
    hwr_options options = tracing_fixture_options(f);
    options.roots = (hwr_roots)99;
    assert_null(hwr_heap_open(&options));
    options = tracing_fixture_options(f);
    options.sizing = (hwr_sizing)99;
    assert_null(hwr_heap_open(&options));
    options = tracing_fixture_options(f);
    options.unmoving = options.move_always = true;
    assert_null(hwr_heap_open(&options));
    options = tracing_fixture_options(f);
    options.raw = NULL;
    options.sizing = HWR_SIZE_FIXED; /* without a limit */
    assert_null(hwr_heap_open(&options));
}

/* A program that was compiled when there were fewer fields passes a smaller size. */
static void options_of_another_size_open_a_heap(void **state) {
    tracing_fixture *f = *state;
    hwr_options earlier = tracing_fixture_options(f);
    earlier.size = offsetof(hwr_options, roots);
    earlier.roots = (hwr_roots)99; /* beyond the size: not looked at */
    hwr_heap *heap = hwr_heap_open(&earlier);
    assert_non_null(heap);
    hwr_heap_close(heap);
}

static void every_size_of_nursery_works(void **state) {
    tracing_fixture *f = *state;
    for (size_t nursery = 1; nursery < (size_t)8 << 20; nursery *= 7) {
        hwr_options options = tracing_fixture_options(f);
        options.nursery = nursery;
        hwr_heap *heap = hwr_heap_open(&options);
        assert_non_null(heap);
        struct {
            hwr_frame frame;
            twig *head;
        } here = {.head = NULL};
        hwr_frame_push(heap, &here.frame, 1);
        for (size_t i = 2000; i > 0; i--) {
            twig *t = hwr_new(heap, &twig_type);
            assert_non_null(t);
            t->number = i - 1;
            hwr_init(heap, t, &t->a, here.head);
            here.head = t;
        }
        assert_true(is_list(here.head, 2000));
        assert_true(hwr_heap_verify(heap, NULL));
        hwr_frame_pop(heap, &here.frame);
        hwr_heap_close(heap);
    }
}

static void several_heaps_live_side_by_side(void **state) {
    tracing_fixture *f = *state;
    enum { HEAPS = 4, LENGTH = 3000 };
    struct {
        hwr_frame frame;
        twig *head;
    } here[HEAPS];
    memset(here, 0, sizeof here);
    hwr_heap *heaps[HEAPS];
    for (size_t i = 0; i < HEAPS; i++) {
        hwr_options options = tracing_fixture_options(f);
        options.stress = 0;
        options.collector = i == 3 ? HWR_COUNTING : HWR_TRACING;
        options.roots = i == 2 ? HWR_ROOTS_STACKS : options.roots;
        heaps[i] = hwr_heap_open(&options);
        assert_non_null(heaps[i]);
        hwr_frame_push(heaps[i], &here[i].frame, 1);
    }
    for (size_t n = LENGTH; n > 0; n--)
        for (size_t i = 0; i < HEAPS; i++) {
            twig *t = hwr_new(heaps[i], &twig_type);
            assert_non_null(t);
            t->number = n - 1;
            hwr_give(heaps[i], t, &t->a, here[i].head);
            here[i].head = t;
        }
    for (size_t i = 0; i < HEAPS; i++) hwr_collect(heaps[i], (int)(i % 3));
    for (size_t i = 0; i < HEAPS; i++) {
        assert_true(is_list(here[i].head, LENGTH));
        assert_true(hwr_heap_verify(heaps[i], NULL));
        hwr_release(heaps[i], here[i].head);
        hwr_frame_pop(heaps[i], &here[i].frame);
    }
    for (size_t i = 0; i < HEAPS; i++) hwr_heap_close(heaps[(i + 2) % HEAPS]);
}

/* ---- objects ---- */

static void new_objects_are_zero_and_aligned(void **state) {
    tracing_fixture *f = *state;
    static hwr_type types[40];
    for (uint32_t i = 0; i < 40; i++)
        types[i] = (hwr_type){.name = "any", .size = i * i * 5, .alignment = i % 3 == 0 ? 16 : 8};
    for (size_t round = 0; round < 40; round++)
        for (size_t i = 0; i < 40; i++) {
            unsigned char *object = hwr_new(f->heap, &types[i]);
            assert_non_null(object);
            assert_int_equal((uintptr_t)object % types[i].alignment, 0);
            assert_true(pattern_is_zero(object, types[i].size));
            assert_ptr_equal(hwr_type_of(object), &types[i]);
            assert_int_equal(hwr_sizeof(f->heap, object, false), types[i].size);
            assert_true(hwr_sizeof(f->heap, object, true) >= types[i].size + 8);
            memset(object, 0xdb, types[i].size);
        }
    tracing_fixture_expect_objects(f, 0);
}

static void items_of_every_length(void **state) {
    tracing_fixture *f = *state;
    static const size_t lengths[] = {0, 1, 7, 8, 100, 127, 128, 1000, 4000, 10000, 32768, 100000, 3000000};
    enum { COUNT = sizeof lengths / sizeof lengths[0] };
    for (size_t i = 0; i < COUNT; i++) {
        prose *p = hwr_new_items(f->heap, &prose_type, lengths[i]);
        assert_non_null(p);
        assert_int_equal(p->length, lengths[i]);
        assert_true(pattern_is_zero(p->bytes, lengths[i]));
        pattern_fill(p->bytes, lengths[i], i);
        f->slot[i] = p;
    }
    for (int i = 0; i < 4; i++) {
        hwr_collect(f->heap, i % 3);
        for (size_t k = 0; k < COUNT; k++) {
            const prose *p = f->slot[k];
            assert_int_equal(p->length, lengths[k]);
            assert_true(pattern_holds(p->bytes, lengths[k], lengths[k], k));
            assert_int_equal(hwr_sizeof(f->heap, p, false), sizeof(prose) + lengths[k]);
        }
    }
    tracing_fixture_expect_objects(f, COUNT);
}

static void types_that_make_no_sense_make_nothing(void **state) {
    tracing_fixture *f = *state;
    static const hwr_type odd = {.name = "odd", .size = 16, .alignment = 3};
    static const hwr_type outside = {.name = "outside", .size = 8, .ref_count = 1, .refs = {8}};
    assert_null(hwr_new(f->heap, &odd));
    assert_null(hwr_new(f->heap, &outside));
    assert_null(hwr_new_items(f->heap, &row_type, SIZE_MAX));
    assert_null(hwr_new_items(f->heap, &row_type, SIZE_MAX / sizeof(void *)));
    assert_null(hwr_new_items(f->heap, &prose_type, SIZE_MAX - 8));
    tracing_fixture_expect_objects(f, 0);
}

/* All ways of writing a field; counting does nothing. */
static void fields_hold_what_was_stored(void **state) {
    tracing_fixture *f = *state;
    f->slot[0] = new_twig(f, 0);
    f->slot[1] = new_twig(f, 1);
    twig *t = f->slot[0], *other = f->slot[1];
    hwr_init(f->heap, t, &t->a, other);
    assert_ptr_equal(t->a, other);
    hwr_set(f->heap, t, &t->b, t);
    assert_ptr_equal(t->b, t);
    hwr_give(f->heap, t, &t->b, other);
    assert_ptr_equal(t->b, other);
    hwr_set(f->heap, t, &t->a, NULL);
    assert_null(t->a);
    hwr_retain(f->heap, t);
    hwr_release(f->heap, t);
    hwr_release(f->heap, t);
    hwr_release(f->heap, NULL);
    hwr_retain(f->heap, NULL);
    f->slot[1] = NULL;
    tracing_fixture_expect_objects(f, 2);
    t = f->slot[0];
    assert_true(t->number == 0 && t->b->number == 1 && t->a == NULL);
    hwr_set(f->heap, t, &t->b, NULL);
    tracing_fixture_expect_objects(f, 1);
}

static void cycles_go(void **state) {
    tracing_fixture *f = *state;
    for (size_t length = 1; length < 3000; length = length * 2 + 1) {
        make_list(f, 0, length);
        twig *first = f->slot[0], *last = first;
        while (last->a != NULL) last = last->a;
        hwr_set(f->heap, last, &last->a, first);
        tracing_fixture_expect_objects(f, length);
        f->slot[0] = NULL;
        tracing_fixture_expect_objects(f, 0);
    }
}

static void show_pair(void *object, hwr_visitor *visitor) {
    row *r = object;
    for (size_t i = 0; i < r->length; i += 2) HWR_VISIT(visitor, r->items[i]);
}

/* Every second item is shown; the others are numbers. */
static void trace_functions_show_references(void **state) {
    tracing_fixture *f = *state;
    static const hwr_type shown_type = HWR_TYPE(row, HWR_ITEMS(row, length, items, void *), .trace = show_pair);
    enum { LENGTH = 200 };
    row *shown = hwr_new_items(f->heap, &shown_type, LENGTH);
    assert_non_null(shown);
    f->slot[0] = shown;
    for (size_t i = 0; i < LENGTH; i += 2) {
        twig *t = new_twig(f, i);
        shown = f->slot[0];
        hwr_set(f->heap, shown, &shown->items[i], (void *)t);
        shown->items[i + 1] = (void *)(uintptr_t)(i * 8 + 1);
    }
    tracing_fixture_expect_objects(f, 1 + LENGTH / 2);
    shown = f->slot[0];
    for (size_t i = 0; i < LENGTH; i += 2) {
        assert_int_equal(((twig *)shown->items[i])->number, i);
        assert_int_equal((uintptr_t)shown->items[i + 1], i * 8 + 1);
    }
}

/* ---- identity ---- */

static int compare_ids(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void an_id_is_one_objects_for_all_its_life(void **state) {
    tracing_fixture *f = *state;
    enum { COUNT = 2000 };
    static uint64_t ids[COUNT], sorted[COUNT];
    make_list(f, 0, COUNT);
    size_t i = 0;
    for (const twig *t = f->slot[0]; t != NULL; t = t->a) ids[i++] = hwr_id(f->heap, t);
    memcpy(sorted, ids, sizeof ids);
    qsort(sorted, COUNT, sizeof sorted[0], compare_ids);
    for (i = 1; i < COUNT; i++) assert_int_not_equal(sorted[i - 1], sorted[i]);
    for (int round = 0; round < 6; round++) {
        hwr_collect(f->heap, round % 3);
        make_list(f, 1, 100); /* somebody else may lie where these have been */
        i = 0;
        for (const twig *t = f->slot[0]; t != NULL; t = t->a) assert_int_equal(hwr_id(f->heap, t), ids[i++]);
        for (const twig *t = f->slot[1]; t != NULL; t = t->a) {
            uint64_t id = hwr_id(f->heap, t);
            assert_null(bsearch(&id, sorted, COUNT, sizeof id, compare_ids));
        }
    }
}

static void ids_of_the_dead_cost_nothing(void **state) {
    tracing_fixture *f = *state;
    size_t committed = 0;
    for (size_t round = 0; round < 12; round++) {
        for (size_t i = 0; i < 2000; i++) hwr_id(f->heap, new_twig(f, i));
        hwr_collect(f->heap, HWR_OLDEST);
        if (round == 3) committed = backend_committed(&f->backend);
    }
    assert_true(backend_committed(&f->backend) <= committed + (1 << 20));
}

static void immortal_objects_stay(void **state) {
    tracing_fixture *f = *state;
    make_list(f, 0, 3);
    assert_true(hwr_make_immortal(f->heap, f->slot[0]));
    assert_true(hwr_make_immortal(f->heap, f->slot[0]));
    uint64_t id = hwr_id(f->heap, f->slot[0]);
    hwr_handle *handle = hwr_handle_new_kind(f->heap, f->slot[0], HWR_HANDLE_WEAK_SHORT);
    assert_non_null(handle);
    f->slot[0] = NULL;
    for (int i = 0; i < 3; i++) tracing_fixture_expect_objects(f, 3);
    const twig *t = hwr_handle_get(f->heap, handle);
    assert_non_null(t);
    assert_true(is_list(t, 3));
    assert_int_equal(hwr_id(f->heap, t), id);
    assert_int_equal(hwr_refcount(f->heap, t), HWR_IMMORTAL);
    hwr_handle_free(f->heap, handle);
}

/* ---- blocks ---- */

static void blocks_are_accounted_and_stay_where_they_are(void **state) {
    tracing_fixture *f = *state;
    hwr_heap_stats before, stats;
    hwr_heap_get_stats(f->heap, &before);
    unsigned char *small = hwr_alloc(f->heap, 100), *large = hwr_alloc(f->heap, 500000);
    assert_true(small != NULL && large != NULL);
    assert_int_equal((uintptr_t)small % 16, 0);
    pattern_fill(small, 100, 1);
    pattern_fill(large, 500000, 2);
    hwr_heap_get_stats(f->heap, &stats);
    assert_true(stats.blocks >= before.blocks + 2 && stats.block_bytes >= before.block_bytes + 500100);
    make_list(f, 0, 500);
    hwr_collect(f->heap, HWR_OLDEST);
    assert_true(pattern_holds(small, 100, 100, 1) && pattern_holds(large, 500000, 500000, 2));
    small = hwr_realloc(f->heap, small, 5000);
    assert_non_null(small);
    assert_true(pattern_holds(small, 100, 100, 1));
    hwr_free(f->heap, small);
    hwr_free(f->heap, large);
    hwr_free(f->heap, NULL);
}

/* ---- looking ---- */

typedef struct found {
    size_t twigs, rows, others, most; /* most: stop after so many */
} found;

static bool find(void *context, void *object) {
    found *seen = context;
    seen->twigs += hwr_type_of(object) == &twig_type;
    seen->rows += hwr_type_of(object) == &row_type;
    seen->others += hwr_type_of(object) != &twig_type && hwr_type_of(object) != &row_type;
    return seen->most == 0 || seen->twigs + seen->rows + seen->others < seen->most;
}

static void a_walk_sees_what_is_alive(void **state) {
    tracing_fixture *f = *state;
    make_list(f, 0, 1000);
    f->slot[1] = new_row(f, 10);
    f->slot[2] = new_row(f, 50000);
    make_list(f, 3, 500);
    f->slot[3] = NULL;
    hwr_collect(f->heap, HWR_OLDEST);
    found seen = {0};
    assert_true(hwr_heap_walk(f->heap, find, &seen));
    assert_true(seen.twigs == 1000 && seen.rows == 2 && seen.others == 0);
    make_list(f, 4, 10); /* young ones are seen, too */
    seen = (found){0};
    assert_true(hwr_heap_walk(f->heap, find, &seen));
    assert_true(seen.twigs == 1010 && seen.rows == 2);
    seen = (found){.most = 7};
    assert_false(hwr_heap_walk(f->heap, find, &seen));
    assert_int_equal(seen.twigs + seen.rows, 7);
}

static void figures_are_those_of_the_objects(void **state) {
    tracing_fixture *f = *state;
    hwr_heap_stats stats;
    make_list(f, 0, 1000);
    f->slot[1] = new_row(f, 100000);
    hwr_collect(f->heap, HWR_OLDEST);
    hwr_heap_get_stats(f->heap, &stats);
    assert_int_equal(stats.objects, 1001);
    size_t least = 1000 * (sizeof(twig) + 8) + sizeof(row) + 8 + 100000 * sizeof(void *);
    assert_true(stats.object_bytes >= least && stats.object_bytes < least + least / 4);
    assert_true(stats.page_bytes >= stats.object_bytes);
    assert_int_equal(stats.committed, backend_committed(&f->backend));
    assert_true(stats.committed >= stats.page_bytes && stats.peak_committed >= stats.committed);
    assert_int_equal(stats.limit, 0);
    f->slot[0] = f->slot[1] = NULL;
    hwr_collect_with(f->heap, HWR_OLDEST, HWR_COLLECT_AGGRESSIVE);
    size_t before = stats.committed;
    hwr_heap_get_stats(f->heap, &stats);
    assert_int_equal(stats.objects, 0);
    if (f->config.kind != HWR_RAW_BUFFER) assert_true(stats.committed < before);
}

static bool note_number(void *context, void *object) {
    *(size_t *)context += ((const twig *)object)->number;
    return true;
}

static void questions_about_references(void **state) {
    tracing_fixture *f = *state;
    f->slot[0] = new_twig(f, 100);
    for (size_t i = 0; i < 3; i++) {
        twig *t = new_twig(f, 1 + i);
        hwr_set(f->heap, t, &t->a, (twig *)f->slot[0]);
        if (i == 2) hwr_set(f->heap, t, &t->b, t);
        f->slot[1 + i] = t;
    }
    hwr_collect(f->heap, HWR_OLDEST);
    size_t sum = 0;
    assert_true(hwr_get_referrers(f->heap, f->slot[0], note_number, &sum));
    assert_int_equal(sum, 6);
    sum = 0;
    assert_true(hwr_get_referents(f->heap, f->slot[3], note_number, &sum));
    assert_int_equal(sum, 103);
    assert_true(hwr_is_tracked(f->heap, f->slot[0]));
}

static void trimming_loses_nothing(void **state) {
    tracing_fixture *f = *state;
    make_list(f, 0, 20000);
    make_list(f, 1, 1000);
    f->slot[0] = NULL;
    hwr_collect(f->heap, HWR_OLDEST);
    size_t before = backend_committed(&f->backend), given_back = hwr_heap_trim(f->heap);
    assert_int_equal(before - backend_committed(&f->backend), given_back);
    assert_true(is_list(f->slot[1], 1000));
    make_list(f, 0, 20000);
    assert_true(is_list(f->slot[0], 20000));
}

typedef bool (*mapping_visit)(const void *context, uintptr_t start, uintptr_t end);

/* Whether `visit` says yes to one of the mappings that huge pages have been asked for: those with the flag "hg". */
static bool any_huge(mapping_visit visit, const void *context) {
    char line[512];
    uintptr_t start = 0, end = 0;
    bool any = false;
    FILE *maps = fopen("/proc/self/smaps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps))
        if (strncmp(line, "VmFlags:", 8) != 0)
            (void)sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &start, &end);
        else if (strstr(line, " hg"))
            any |= visit(context, start, end);
    fclose(maps);
    return any;
}

static bool is_within(const void *address, uintptr_t start, uintptr_t end) {
    return (uintptr_t)address - start < end - start;
}

static bool has_some_of_list(const void *list, uintptr_t start, uintptr_t end) {
    for (const twig *t = list; t; t = t->a)
        if (is_within(t, start, end)) return true;
    return false;
}

static bool can_be_seen(void) {
    enum { SIZE = 4 << 20 };
    void *probe = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(probe != MAP_FAILED);
    bool seen = madvise(probe, SIZE, MADV_HUGEPAGE) == 0 && any_huge(is_within, probe);
    munmap(probe, SIZE);
    return seen;
}

static void only_large_heaps_ask_for_huge_pages(void **state) {
    tracing_fixture *f = *state;
    if (!can_be_seen()) {
        print_message("skipped: this system has no huge pages, or does not tell of them\n");
        skip();
    }
    for (size_t mebibytes = 4; mebibytes <= 140; mebibytes *= 35) {
        size_t length = (mebibytes << 20) / (sizeof(twig) + sizeof(uint64_t));
        make_list(f, 0, length);
        hwr_collect(f->heap, HWR_OLDEST);
        assert_true(is_list(f->slot[0], length));
        assert_int_equal(any_huge(has_some_of_list, f->slot[0]), mebibytes > 4);
        tracing_fixture_expect_verified(f);
        f->slot[0] = NULL;
    }
}

int main(void) {
    static const tracing_test tests[] = {
        TRACING_TEST(options_that_make_no_sense_open_nothing, TRACING_ONCE),
        TRACING_TEST(options_of_another_size_open_a_heap, TRACING_ONCE),
        TRACING_TEST(every_size_of_nursery_works, TRACING_CALM),
        TRACING_TEST(several_heaps_live_side_by_side, TRACING_CALM),
        TRACING_TEST(new_objects_are_zero_and_aligned, TRACING_ANY),
        TRACING_TEST(items_of_every_length, TRACING_ANY),
        TRACING_TEST(types_that_make_no_sense_make_nothing, TRACING_ANY),
        TRACING_TEST(fields_hold_what_was_stored, TRACING_ANY),
        TRACING_TEST(cycles_go, TRACING_ANY),
        TRACING_TEST(trace_functions_show_references, TRACING_ANY),
        TRACING_TEST(an_id_is_one_objects_for_all_its_life, TRACING_CALM),
        TRACING_TEST(ids_of_the_dead_cost_nothing, TRACING_CALM),
        TRACING_TEST(immortal_objects_stay, TRACING_ANY),
        TRACING_TEST(blocks_are_accounted_and_stay_where_they_are, TRACING_ANY),
        TRACING_TEST(a_walk_sees_what_is_alive, TRACING_EXACT | TRACING_CALM),
        TRACING_TEST(figures_are_those_of_the_objects, TRACING_EXACT),
        TRACING_TEST(questions_about_references, TRACING_ANY),
        TRACING_TEST(trimming_loses_nothing, TRACING_CALM),
        TRACING_TEST(only_large_heaps_ask_for_huge_pages, TRACING_ONCE | TRACING_CALM),
    };
    return tracing_fixture_run("tracing heaps", tests, sizeof tests / sizeof tests[0]);
}
