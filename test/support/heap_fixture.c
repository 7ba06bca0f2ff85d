#include "support/heap_fixture.h"

#include "heapwright/tracing.h"
#include "support/sanitizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIGS = BACKEND_KINDS * 3, NAME_LENGTH = 120, STRESS = 3, STRESS_TRACING = 50, FAULT_STEP = 17 };

static heap_config config_of(unsigned number) {
    return (heap_config){.kind = (hwr_raw_kind)(number / 3),
                         .checked = number % 3 != 0 && number != 2,
                         .stress = number % 3 == 2 ? STRESS : 0};
}

/* Fast over the system, checked over malloc, both checked and stressed in a buffer: HEAP_FEW, and all there is in an emulator. */
static bool is_of_the_few(const heap_config *config) {
    switch (config->kind) {
    case HWR_RAW_SYSTEM: return !config->checked && config->stress == 0;
    case HWR_RAW_MALLOC: return config->checked && config->stress == 0;
    default: return config->checked && config->stress != 0;
    }
}

static bool wanted(const heap_config *config, unsigned filter) {
    bool few = ((filter & HEAP_FEW) != 0 && getenv("HEAPWRIGHT_SOAK") == NULL) || is_emulated();
    bool plain = !config->checked && config->stress == 0 && config->kind == HWR_RAW_SYSTEM;
    return (!few || is_of_the_few(config)) && (plain || (filter & HEAP_ONCE) == 0) &&
           (config->stress == 0 || (filter & HEAP_STRESSED) != 0) &&
           (config->checked || (filter & HEAP_CHECKED) == 0) && (!config->checked || (filter & HEAP_UNCHECKED) == 0) &&
           (config->kind == HWR_RAW_SYSTEM || (filter & HEAP_SYSTEM) == 0);
}

static bool is_collector(const char *name) {
    const char *collector = getenv("HEAPWRIGHT_COLLECTOR");
    return collector != NULL && strcmp(collector, name) == 0;
}

/* A heap whose objects have room of their own, besides the blocks. */
static bool is_tiny(void) { return is_collector("tiny"); }

bool heap_fixture_traces(void) { return is_collector("tracing") || is_tiny(); }

/* A full collection of a tracing heap takes longer than one of a counting heap that has little. */
hwr_options heap_fixture_options(const heap_fixture *f) {
    return (hwr_options){.size = sizeof(hwr_options),
                         .raw = f->backend.raw,
                         .checked = f->config.checked,
                         .stress = f->config.stress && heap_fixture_traces() ? STRESS_TRACING : f->config.stress,
                         .manual_finalizers = true}; /* of a tracing heap, where they would run in another thread */
}

enum { BLOCKS = 60000, FILLERS = 20000, HELD = 600000 };
static void *blocks[BLOCKS], *fillers[FILLERS], *held[HELD];
static size_t block_count, filler_count, held_count;
static const hwr_heap *holder; /* of what is held, and of fillers */

static void show_held(hwr_heap *heap, hwr_visitor *visitor, void *context) {
    (void)context;
    for (size_t i = 0; heap == holder && i < held_count; i++) HWR_VISIT(visitor, held[i]);
    for (size_t i = 0; heap == holder && i < filler_count; i++) HWR_VISIT(visitor, fillers[i]);
}

static void skip_here(void **state) {
    (void)state;
    print_message("skipped: it is about counts, death at once, or memory as a counting heap takes it\n");
    skip();
}

bool heap_fixture_may_hold(hwr_heap *heap) { return hwr_roots_add(heap, show_held, NULL); }

static int set_up(void **state) {
    heap_fixture *f = calloc(1, sizeof *f);
    if (f == NULL) return -1;
    f->config = *(const heap_config *)*state;
    backend_open(&f->backend, f->config.kind, 0);
    hwr_options options = heap_fixture_options(f);
    f->heap = hwr_heap_open(&options);
    *state = f;
    block_count = filler_count = held_count = 0;
    return f->heap != NULL && heap_fixture_may_hold(f->heap) ? 0 : -1;
}

static int tear_down(void **state) {
    heap_fixture *f = *state;
    const char *problem = "";
    bool well = hwr_heap_verify(f->heap, &problem);
    if (!well) print_error("after the test the heap does not verify: %s\n", problem);
    hwr_heap_close(f->heap);
    hwr_raw_stats left;
    hwr_raw_get_stats(f->backend.raw, &left);
    if (left.reserved != 0 || left.committed != 0)
        print_error("after the test %zu bytes are still reserved and %zu committed\n", left.reserved, left.committed);
    backend_abandon(&f->backend);
    free(f);
    return well && left.reserved == 0 && left.committed == 0 ? 0 : -1;
}

static const char *name_of(char *space, const char *test, const heap_config *config) {
    snprintf(space, NAME_LENGTH, "%s [%s%s%s]", test, backend_name(config->kind), config->checked ? ", checked" : "",
             config->stress != 0 ? ", stress" : "");
    return space;
}

int heap_fixture_run(const char *group, const heap_test *tests, size_t count) {
    static heap_config configs[CONFIGS];
    for (unsigned i = 0; i < CONFIGS; i++) configs[i] = config_of(i);
    struct CMUnitTest *all = calloc(count * CONFIGS, sizeof *all);
    char(*names)[NAME_LENGTH] = calloc(count * CONFIGS, sizeof *names);
    if (all == NULL || names == NULL) return 1;
    size_t length = 0;
    for (size_t test = 0; test < count; test++)
        for (unsigned config = 0; config < CONFIGS; config++) {
            if (!wanted(&configs[config], tests[test].filter)) continue;
            bool skipped = (tests[test].filter & HEAP_COUNTING) != 0 && heap_fixture_traces();
            all[length] = (struct CMUnitTest){.name = name_of(names[length], tests[test].name, &configs[config]),
                                              .test_func = skipped ? skip_here : tests[test].function,
                                              .setup_func = set_up,
                                              .teardown_func = tear_down,
                                              .initial_state = &configs[config]};
            length++;
        }
    int failed = _cmocka_run_group_tests(group, all, length, NULL, NULL);
    free(names);
    free(all);
    return failed;
}

typedef struct filler {
    size_t length;
    char bytes[];
} filler;
static const hwr_type filler_type = HWR_TYPE(filler, HWR_ITEMS(filler, length, bytes, char));

void heap_fixture_take_all_memory(const heap_fixture *f) {
    hwr_raw_inject_fault(f->backend.raw, HWR_FAULT_ALL, 1, true);
    for (size_t size = 8000; size > 8; size /= 2) {
        while (block_count < BLOCKS && (blocks[block_count] = hwr_alloc(f->heap, size)) != NULL) block_count++;
        assert_true(block_count < BLOCKS && (held_count == 0 || holder == f->heap));
        holder = f->heap;
        while (is_tiny() && (fillers[filler_count] = hwr_new_items(f->heap, &filler_type, size)) != NULL)
            assert_true(++filler_count < FILLERS);
    }
}

void heap_fixture_give_memory_back(const heap_fixture *f) {
    hwr_raw_inject_fault(f->backend.raw, 0, 0, false);
    while (block_count > 0) hwr_free(f->heap, blocks[--block_count]);
    filler_count = 0;
    if (is_tiny()) hwr_collect(f->heap, HWR_OLDEST); /* so that the heap takes no more to be as full again */
}

uint64_t heap_fixture_fault_step(void) {
    return heap_fixture_traces() && getenv("HEAPWRIGHT_SOAK") == NULL ? FAULT_STEP : 1;
}

void *heap_fixture_hold(const heap_fixture *f, void *object) {
    assert_true(held_count < HELD && (held_count == 0 || holder == f->heap));
    holder = f->heap;
    if (object != NULL) held[held_count++] = object;
    return object;
}

size_t heap_fixture_held(void) { return held_count; }

void heap_fixture_let_go(const heap_fixture *f, size_t which) {
    assert_true(which < held_count);
    hwr_release(f->heap, held[which]);
    held[which] = held[--held_count];
}

void heap_fixture_let_all_go(const heap_fixture *f) {
    while (held_count > 0) heap_fixture_let_go(f, held_count - 1);
}

void heap_fixture_expect_objects(const heap_fixture *f, size_t objects) {
    const char *problem = "";
    if (heap_fixture_traces()) hwr_collect(f->heap, HWR_OLDEST);
    if (!hwr_heap_verify(f->heap, &problem)) fail_msg("the heap does not verify: %s", problem);
    hwr_heap_stats stats;
    hwr_heap_get_stats(f->heap, &stats);
    if (!heap_fixture_traces()) assert_int_equal(stats.objects, objects);
    assert_true(stats.tracked <= stats.objects);
    assert_int_equal(stats.committed, backend_committed(&f->backend));
    assert_true(stats.peak_committed >= stats.committed);
}

void heap_fixture_expect_count(hwr_heap *heap, const void *object, size_t count) {
    if (!heap_fixture_traces()) assert_int_equal(hwr_refcount(heap, object), count);
}

/* Objects */

static void finalize(hwr_heap *heap, void *object) {
    finalized *f = object;
    if (f->calls != NULL) ++*f->calls;
    if (f->more != NULL) f->more(heap, f);
}

const hwr_type pair_type = HWR_TYPE(pair, HWR_REFS(pair, a, b));
const hwr_type finalized_type = HWR_TYPE(finalized, HWR_REFS(finalized, a, b), .finalize = finalize);

pair *new_pair(const heap_fixture *f) {
    pair *p = hwr_new(f->heap, &pair_type);
    assert_non_null(p);
    return p;
}

finalized *new_finalized(const heap_fixture *f, size_t *calls) {
    finalized *object = hwr_new(f->heap, &finalized_type);
    assert_non_null(object);
    object->calls = calls;
    return object;
}

pair *new_cycle(const heap_fixture *f, size_t length) {
    pair *first = new_pair(f), *last = first;
    for (size_t i = 1; i < length; i++) {
        pair *next = new_pair(f);
        hwr_set(f->heap, last, &last->a, next);
        hwr_release(f->heap, next);
        last = next;
    }
    hwr_set(f->heap, last, &last->a, first);
    return first;
}
