#include "support/tracing_fixture.h"

#include "support/sanitizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_LENGTH = 120, CLEARED = 4096, SMALL_NURSERY = 1 << 16 };

static const tracing_config configs[] = {
    {.name = "exact", .kind = HWR_RAW_SYSTEM, .roots = HWR_ROOTS_EXACT},
    {.name = "exact, malloc, checked, three markers",
     .kind = HWR_RAW_MALLOC,
     .roots = HWR_ROOTS_EXACT,
     .checked = true,
     .markers = 3},
    {.name = "exact, buffer", .kind = HWR_RAW_BUFFER, .roots = HWR_ROOTS_EXACT},
    {.name = "exact, checked, stress", .kind = HWR_RAW_SYSTEM, .roots = HWR_ROOTS_EXACT, .checked = true, .stress = 3},
    {.name = "unmoving", .kind = HWR_RAW_SYSTEM, .roots = HWR_ROOTS_EXACT, .unmoving = true},
    {.name = "unmoving, buffer, checked, two markers",
     .kind = HWR_RAW_BUFFER,
     .roots = HWR_ROOTS_EXACT,
     .unmoving = true,
     .checked = true,
     .markers = 2},
    {.name = "moving always", .kind = HWR_RAW_SYSTEM, .roots = HWR_ROOTS_EXACT, .move_always = true},
    {.name = "moving always, malloc, checked, stress",
     .kind = HWR_RAW_MALLOC,
     .roots = HWR_ROOTS_EXACT,
     .move_always = true,
     .checked = true,
     .stress = 3},
    {.name = "stacks", .kind = HWR_RAW_SYSTEM, .roots = HWR_ROOTS_STACKS},
    {.name = "stacks, malloc, checked, stress",
     .kind = HWR_RAW_MALLOC,
     .roots = HWR_ROOTS_STACKS,
     .checked = true,
     .stress = 3},
    {.name = "tiny", .kind = HWR_RAW_SYSTEM, .roots = HWR_ROOTS_EXACT, .unmoving = true, .tiny = true},
    {.name = "tiny, buffer, checked, stress",
     .kind = HWR_RAW_BUFFER,
     .roots = HWR_ROOTS_EXACT,
     .unmoving = true,
     .tiny = true,
     .checked = true,
     .stress = 3},
    {.name = "tiny, stacks", .kind = HWR_RAW_SYSTEM, .roots = HWR_ROOTS_STACKS, .unmoving = true, .tiny = true},
    {.name = "stacks, buffer, unmoving", .kind = HWR_RAW_BUFFER, .roots = HWR_ROOTS_STACKS, .unmoving = true},
};
enum { CONFIGS = sizeof configs / sizeof configs[0] };

static bool is_of_the_few(const tracing_config *config) {
    return config == &configs[0] || config == &configs[5] || config == &configs[8] || config == &configs[11];
}

static bool wanted(const tracing_config *config, unsigned filter) {
    bool few = ((filter & TRACING_FEW) != 0 && getenv("HEAPWRIGHT_SOAK") == NULL) || is_emulated();
    bool exact = config->roots == HWR_ROOTS_EXACT;
    return (!few || is_of_the_few(config)) && ((filter & TRACING_ONCE) == 0 || config == &configs[0]) &&
           ((filter & TRACING_EXACT) == 0 || exact) && ((filter & TRACING_STACKS) == 0 || !exact) &&
           ((filter & TRACING_CALM) == 0 || (config->stress == 0 && !getenv("HEAPWRIGHT_STRESS"))) &&
           ((filter & TRACING_MOVES) == 0 || !config->unmoving) && ((filter & TRACING_AGES) == 0 || !config->tiny) &&
           ((filter & TRACING_CHECKED) == 0 || config->checked) &&
           ((filter & TRACING_UNCHECKED) == 0 || !config->checked);
}

hwr_options tracing_fixture_options(const tracing_fixture *f) {
    return (hwr_options){.size = sizeof(hwr_options),
                         .collector = f->config.tiny ? HWR_TINY : HWR_TRACING,
                         .raw = f->backend.raw,
                         .checked = f->config.checked,
                         .stress = f->config.stress,
                         .roots = f->config.roots,
                         .unmoving = f->config.unmoving,
                         .move_always = f->config.move_always,
                         .nursery = f->config.stress != 0 ? SMALL_NURSERY : 0, /* so that a collection takes little */
                         .marking_threads = f->config.markers,
                         .manual_finalizers = true};
}

static int set_up(void **state) {
    tracing_fixture *f = calloc(1, sizeof *f);
    if (f == NULL) return -1;
    f->config = *(const tracing_config *)*state;
    backend_open(&f->backend, f->config.kind, 0);
    hwr_options options = tracing_fixture_options(f);
    f->heap = hwr_heap_open(&options);
    *state = f;
    if (f->heap == NULL) return -1;
    hwr_frame_push(f->heap, &f->frame, TRACING_SLOTS);
    return 0;
}

static int tear_down(void **state) {
    tracing_fixture *f = *state;
    const char *problem = "";
    bool well = f->heap != NULL && hwr_heap_verify(f->heap, &problem);
    if (!well) print_error("after the test the heap does not verify: %s\n", problem);
    if (f->heap != NULL) hwr_frame_pop(f->heap, &f->frame);
    hwr_heap_close(f->heap);
    hwr_raw_stats left;
    hwr_raw_get_stats(f->backend.raw, &left);
    if (left.reserved != 0 || left.committed != 0)
        print_error("after the test %zu bytes are still reserved and %zu committed\n", left.reserved, left.committed);
    backend_abandon(&f->backend);
    free(f);
    return well && left.reserved == 0 && left.committed == 0 ? 0 : -1;
}

int tracing_fixture_run(const char *group, const tracing_test *tests, size_t count) {
    struct CMUnitTest *all = calloc(count * CONFIGS, sizeof *all);
    char(*names)[NAME_LENGTH] = calloc(count * CONFIGS, sizeof *names);
    if (all == NULL || names == NULL) return 1;
    size_t length = 0;
    for (size_t test = 0; test < count; test++)
        for (size_t config = 0; config < CONFIGS; config++) {
            if (!wanted(&configs[config], tests[test].filter)) continue;
            snprintf(names[length], NAME_LENGTH, "%s [%s]", tests[test].name, configs[config].name);
            all[length] = (struct CMUnitTest){.name = names[length],
                                              .test_func = tests[test].function,
                                              .setup_func = set_up,
                                              .teardown_func = tear_down,
                                              .initial_state = (void *)(uintptr_t)&configs[config]};
            length++;
        }
    int failed = _cmocka_run_group_tests(group, all, length, NULL, NULL);
    free(names);
    free(all);
    return failed;
}

void tracing_fixture_expect_verified(const tracing_fixture *f) {
    const char *problem = "";
    if (!hwr_heap_verify(f->heap, &problem)) fail_msg("the heap does not verify: %s", problem);
}

size_t tracing_fixture_objects(const tracing_fixture *f) {
    hwr_heap_stats stats;
    hwr_heap_get_stats(f->heap, &stats);
    return stats.objects;
}

void tracing_fixture_expect_objects(const tracing_fixture *f, size_t objects) {
    clear_stack();
    assert_true(hwr_collect_with(f->heap, HWR_OLDEST, HWR_COLLECT_FORCED));
    tracing_fixture_expect_verified(f);
    if (f->config.roots == HWR_ROOTS_EXACT)
        assert_int_equal(tracing_fixture_objects(f), objects);
    else
        assert_true(tracing_fixture_objects(f) >= objects);
}

/* Objects */

static void finalize(hwr_heap *heap, void *object) {
    mortal *m = object;
    if (m->calls != NULL) ++*m->calls;
    if (m->more != NULL) m->more(heap, m);
}

const hwr_type twig_type = HWR_TYPE(twig, HWR_REFS(twig, a, b));
const hwr_type row_type = HWR_TYPE(row, HWR_REF_ITEMS(row, length, items));
const hwr_type prose_type = HWR_TYPE(prose, HWR_ITEMS(prose, length, bytes, unsigned char));
const hwr_type mortal_type = HWR_TYPE(mortal, HWR_REFS(mortal, a, b), .finalize = finalize);
const hwr_type critical_type = HWR_TYPE(mortal, HWR_REFS(mortal, a, b), .finalize = finalize, .flags = HWR_CRITICAL);

twig *new_twig(const tracing_fixture *f, size_t number) {
    twig *t = hwr_new(f->heap, &twig_type);
    assert_non_null(t);
    t->number = number;
    return t;
}

row *new_row(const tracing_fixture *f, size_t length) {
    row *r = hwr_new_items(f->heap, &row_type, length);
    assert_non_null(r);
    return r;
}

mortal *new_mortal(const tracing_fixture *f, size_t *calls) {
    mortal *object = hwr_new(f->heap, &mortal_type);
    assert_non_null(object);
    object->calls = calls;
    return object;
}

void make_list(tracing_fixture *f, size_t slot, size_t length) {
    f->slot[slot] = NULL;
    for (size_t i = length; i > 0; i--) {
        twig *t = new_twig(f, i - 1);
        hwr_init(f->heap, t, &t->a, (twig *)f->slot[slot]);
        f->slot[slot] = t;
    }
}

bool is_list(const twig *head, size_t length) {
    for (size_t i = 0; i < length; i++, head = head->a)
        if (head == NULL || hwr_type_of(head) != &twig_type || head->number != i) return false;
    return head == NULL;
}

__attribute__((noinline)) void clear_stack(void) {
    volatile char space[CLEARED];
    for (size_t i = 0; i < sizeof space; i++) space[i] = 0;
}
