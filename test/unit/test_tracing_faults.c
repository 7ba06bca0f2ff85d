/* Tracing heaps without memory: every operation of raw that a workload needs fails once, and then for good from there on; then a limit creeps upwards.
 * Whatever fails, the answer is NULL or false, what is alive keeps its content, the heap verifies, and in the end all memory is accounted for. */
#include "heapwright/events.h"

#include "support/pattern.h"
#include "support/sanitizer.h"
#include "support/tracing_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELD = 120, VERIFIED = 6, ROOTS = 20 };

/* A workload in progress: what it holds, in a frame, how many requests were refused, and how many operations of raw had failed when it last looked: a
 * refusal without a failure would be wrong. */
typedef struct workload {
    backend raw;
    hwr_heap *heap;
    struct {
        hwr_frame frame;
        void *held[HELD]; /* NULL: was refused */
    } here;
    size_t count, refused, failures, calls, mortals, called_back;
    twig *slots[ROOTS];
} workload;

static workload w;

static void expect_verified(void) {
    const char *problem = "";
    if (!hwr_heap_verify(w.heap, &problem) && strstr(problem, "memory") == NULL) fail_msg("%s", problem);
}

static void expect_contents(void) {
    for (size_t i = 0; i < w.count; i++) {
        const void *object = w.here.held[i];
        if (object == NULL) continue;
        if (hwr_type_of(object) == &prose_type) {
            const prose *p = object;
            assert_true(pattern_holds(p->bytes, p->length, p->length, i));
        } else if (hwr_type_of(object) == &row_type) {
            const row *r = object;
            for (size_t k = 0; k < r->length && k < 30; k++)
                if (r->items[k] != NULL) assert_int_equal(((const twig *)r->items[k])->number, k);
        }
    }
}

/* Takes a refusal or an answer. */
static bool take(bool granted) {
    size_t failures = backend_failures(&w.raw);
    if (!granted) {
        assert_true(failures > w.failures);
        if (w.refused++ < VERIFIED) { /* often enough, and verification takes its time */
            expect_contents();
            expect_verified();
        }
    }
    w.failures = backend_failures(&w.raw);
    return granted;
}

static void *hold(void *object) {
    assert_true(w.count < HELD);
    w.here.held[w.count++] = object;
    take(object != NULL);
    return w.here.held[w.count - 1];
}

static void new_prose(size_t length) {
    prose *p = hwr_new_items(w.heap, &prose_type, length);
    if (p != NULL) {
        assert_true(p->length == length && pattern_is_zero(p->bytes, length));
        pattern_fill(p->bytes, length, w.count);
    }
    hold(p);
}

static void new_row_of_twigs(size_t length) {
    size_t at = w.count;
    hold(hwr_new_items(w.heap, &row_type, length));
    for (size_t i = 0; w.here.held[at] != NULL && i < length && i < 30; i++) {
        twig *t = hwr_new(w.heap, &twig_type);
        if (!take(t != NULL)) break;
        t->number = i;
        row *r = w.here.held[at];
        hwr_set(w.heap, r, &r->items[i], (void *)t);
    }
}

/* Not on and on without memory, since each request then collects everything. */
static void waste(size_t count) {
    size_t refusals = 0;
    for (size_t i = 0; i < count && refusals < 5; i++) refusals += !take(hwr_new(w.heap, &twig_type) != NULL);
}

static void new_mortals(size_t count) {
    for (size_t i = 0; i < count; i++) {
        mortal *m = hwr_new(w.heap, i % 4 == 0 ? &critical_type : &mortal_type);
        if (m != NULL) m->calls = &w.calls;
        w.mortals += m != NULL;
        take(m != NULL);
    }
}

static void use_handles(void) {
    for (int i = 0; i < 60; i++) {
        void *object = w.here.held[i % 10];
        hwr_handle_kind kind = (hwr_handle_kind)(i % 5);
        hwr_handle *handle = kind == HWR_HANDLE_DEPENDENT ? hwr_handle_new_dependent(w.heap, object, object)
                                                          : hwr_handle_new_kind(w.heap, object, kind);
        if (take(handle != NULL)) assert_ptr_equal(hwr_handle_get(w.heap, handle), w.here.held[i % 10]);
        if (i % 7 == 0) hwr_collect(w.heap, i % 3);
        if (handle != NULL) assert_ptr_equal(hwr_handle_get(w.heap, handle), w.here.held[i % 10]);
        hwr_handle_free(w.heap, handle);
    }
}

static void be_called_back(hwr_heap *heap, hwr_weak *weak, void *argument) {
    (void)argument;
    assert_null(hwr_weak_get(heap, weak));
    w.called_back++;
}

static void use_weak_references(void) {
    for (size_t i = 0; i < 20; i++) {
        void *object = w.here.held[i];
        if (object == NULL) continue;
        hwr_weak *weak = hwr_weak_new(w.heap, object, i % 2 == 0 ? be_called_back : NULL, NULL);
        if (take(weak != NULL)) assert_ptr_equal(hwr_weak_get(w.heap, weak), w.here.held[i]);
    }
}

static void show_slots(hwr_heap *heap, hwr_visitor *visitor, void *context) {
    (void)heap;
    twig **slots = context;
    for (size_t i = 0; i < ROOTS; i++) HWR_VISIT(visitor, slots[i]);
}

static void use_roots(void) {
    memset(w.slots, 0, sizeof w.slots);
    bool added[ROOTS];
    for (size_t i = 0; i < ROOTS; i++) added[i] = take(hwr_root_add(w.heap, &w.slots[i]));
    for (size_t i = 0; i < ROOTS; i++) {
        if (!added[i]) continue;
        twig *t = hwr_new(w.heap, &twig_type);
        if (t != NULL) t->number = i;
        w.slots[i] = t;
        take(t != NULL);
    }
    hwr_collect(w.heap, 1);
    for (size_t i = 0; i < ROOTS; i++)
        if (w.slots[i] != NULL) assert_int_equal(w.slots[i]->number, i);
    for (size_t i = 0; i < ROOTS; i++) {
        assert_int_equal(hwr_root_remove(w.heap, &w.slots[i]), added[i]);
        w.slots[i] = NULL;
    }
    if (take(hwr_roots_add(w.heap, show_slots, w.slots))) {
        w.slots[3] = hwr_new(w.heap, &twig_type);
        if (w.slots[3] != NULL) w.slots[3]->number = 3;
        take(w.slots[3] != NULL);
        hwr_collect(w.heap, HWR_OLDEST);
        if (w.slots[3] != NULL) assert_int_equal(w.slots[3]->number, 3);
        assert_true(hwr_roots_remove(w.heap, show_slots, w.slots));
    }
}

/* Without memory there may be no telling; with it an id stays. */
static void use_ids(void) {
    for (size_t i = 0; i < 30; i++) {
        if (w.here.held[i] == NULL) continue;
        uint64_t id = hwr_id(w.heap, w.here.held[i]);
        if (backend_failures(&w.raw) == w.failures) assert_int_equal(hwr_id(w.heap, w.here.held[i]), id);
        w.failures = backend_failures(&w.raw);
    }
}

static void register_and_suppress(void) {
    size_t at = w.count;
    mortal *m = hwr_new(w.heap, &mortal_type);
    if (m != NULL) m->calls = &w.calls;
    hold(m);
    if (w.here.held[at] == NULL) return;
    hwr_suppress_finalizer(w.heap, w.here.held[at]);
    bool again = take(hwr_reregister_finalizer(w.heap, w.here.held[at]));
    w.mortals += again;
    w.here.held[at] = NULL;
}

static void play(void) {
    for (size_t i = 0; i < 20; i++) new_prose(i * i * 20);
    for (size_t i = 0; i < 20; i++) new_row_of_twigs(i * 7);
    waste(2000);
    new_mortals(30);
    use_roots();
    use_ids();
    use_handles();
    use_weak_references();
    register_and_suppress();
    hwr_collect(w.heap, HWR_OLDEST);
    hwr_run_finalizers(w.heap, 10);
    new_prose(300000);
    new_row_of_twigs(50000);
    new_prose(1200000);
    waste(1000);
    for (int generation = 0; generation <= HWR_OLDEST; generation++) hwr_collect(w.heap, generation);
    expect_contents();
    expect_verified();
    for (size_t i = 0; i < w.count; i += 2) w.here.held[i] = NULL;
    new_mortals(30);
    hwr_collect_with(w.heap, HWR_OLDEST, HWR_COLLECT_AGGRESSIVE);
    hwr_heap_trim(w.heap);
    for (size_t i = 0; i < 20; i++) new_row_of_twigs(i * 100);
    expect_contents();
    expect_verified();
}

/* When there is memory again everything works, and everything can be freed. */
static void recover(const tracing_fixture *f) {
    size_t refused = w.refused;
    new_prose(1000);
    new_prose(1000000);
    assert_int_equal(w.refused, refused);
    expect_contents();
    memset(w.here.held, 0, sizeof w.here.held);
    w.count = 0;
    clear_stack();
    for (int i = 0; i < 3; i++) {
        hwr_collect(w.heap, HWR_OLDEST);
        hwr_wait_for_finalizers(w.heap);
    }
    assert_true(w.calls <= w.mortals);
    assert_true(hwr_heap_verify(w.heap, NULL));
    if (f->config.roots != HWR_ROOTS_EXACT) return;
    assert_int_equal(w.calls, w.mortals);
    hwr_heap_stats stats;
    hwr_heap_get_stats(w.heap, &stats);
    assert_int_equal(stats.objects, 0);
}

static void try_to_open(const tracing_fixture *f) {
    hwr_options options = tracing_fixture_options(f);
    options.raw = w.raw.raw;
    options.nursery = 1 << 15;
    w.heap = hwr_heap_open(&options);
    w.failures = backend_failures(&w.raw);
    assert_true(w.heap != NULL || w.failures > 0);
    if (w.heap != NULL) hwr_frame_push(w.heap, &w.here.frame, HELD);
}

static void close_heap(void) {
    if (w.heap != NULL) hwr_frame_pop(w.heap, &w.here.frame);
    hwr_heap_close(w.heap);
    backend_close(&w.raw);
}

typedef struct fault {
    unsigned mask;
    uint64_t nth; /* 0: none */
    bool for_good;
} fault;

/* Plays the workload with a fault and returns how many operations of raw failed. */
static size_t failures_with(const tracing_fixture *f, fault injected) {
    memset(&w, 0, sizeof w);
    backend_open(&w.raw, f->config.kind, 0);
    hwr_raw_inject_fault(w.raw.raw, injected.mask, injected.nth, injected.for_good);
    try_to_open(f);
    if (w.heap != NULL) play();
    size_t failures = backend_failures(&w.raw);
    hwr_raw_inject_fault(w.raw.raw, 0, 0, false);
    if (w.heap != NULL) recover(f);
    close_heap();
    return failures;
}

static void every_operation_fails(const tracing_fixture *f, unsigned mask, bool for_good) {
    size_t unavoidable = failures_with(f, (fault){0});
    size_t step = runs_slowly() || f->config.stress != 0 ? 7 : 1;
    uint64_t nth = 1;
    for (; nth < 100000; nth += step)
        if (failures_with(f, (fault){mask, nth, for_good}) == unavoidable) break;
    assert_true(nth < 100000);
    assert_true(nth > 1);
}

static void anything_fails_once(void **state) { every_operation_fails(*state, HWR_FAULT_ALL, false); }
static void reserving_fails_for_good(void **state) { every_operation_fails(*state, HWR_FAULT_RESERVE, true); }
static void committing_fails_for_good(void **state) { every_operation_fails(*state, HWR_FAULT_COMMIT, true); }
static void anything_fails_for_good(void **state) { every_operation_fails(*state, HWR_FAULT_ALL, true); }

static void any_limit_can_be_met(void **state) {
    const tracing_fixture *f = *state;
    for (size_t limit = 1 << 16; limit < (size_t)24 << 20; limit += limit / (runs_slowly() ? 2 : 12)) {
        memset(&w, 0, sizeof w);
        backend_open(&w.raw, f->config.kind, limit);
        try_to_open(f);
        if (w.heap != NULL) play();
        hwr_raw_stats stats;
        hwr_raw_get_stats(w.raw.raw, &stats);
        assert_true(stats.peak_committed <= limit);
        hwr_raw_set_limit(w.raw.raw, 0);
        if (w.heap != NULL) recover(f);
        close_heap();
    }
}

/* ---- what happens when memory is short ---- */

typedef struct reserve {
    hwr_handle *spare;
    size_t asked;
} reserve;

static bool give_up_spare(hwr_heap *heap, size_t size, void *context) {
    reserve *r = context;
    assert_true(size > 0);
    r->asked++;
    if (hwr_handle_get(heap, r->spare) == NULL) return false;
    hwr_handle_set(heap, r->spare, NULL);
    return true;
}

static hwr_heap *open_limited(const tracing_fixture *f, size_t limit, reserve *r) {
    hwr_options options = tracing_fixture_options(f);
    options.raw = NULL;
    options.limit = limit;
    options.nursery = 1 << 16;
    options.on_out_of_memory = give_up_spare;
    options.context = r;
    hwr_heap *heap = hwr_heap_open(&options);
    assert_non_null(heap);
    r->spare = hwr_handle_new(heap, NULL);
    assert_non_null(r->spare);
    return heap;
}

static void want_of_memory_collects(void **state) {
    reserve r = {0};
    hwr_heap *heap = open_limited(*state, (size_t)6 << 20, &r);
    for (size_t i = 0; i < 1500; i++) { /* 60 MB in all */
        row *garbage = hwr_new_items(heap, &row_type, 5000);
        assert_non_null(garbage);
        hwr_set(heap, garbage, &garbage->items[0], (void *)garbage);
    }
    assert_int_equal(r.asked, 0);
    for (size_t i = 0; i < 500; i++) hwr_free(heap, hwr_alloc(heap, 100000));
    assert_int_equal(r.asked, 0);
    hwr_heap_close(heap);
}

static void a_limit_is_kept(void **state) {
    reserve r = {0};
    const size_t limit = (size_t)4 << 20;
    hwr_heap *heap = open_limited(*state, limit, &r);
    struct {
        hwr_frame frame;
        row *all;
    } here = {.all = NULL};
    hwr_frame_push(heap, &here.frame, 1);
    size_t made = 0;
    for (;; made++) {
        row *next = hwr_new_items(heap, &row_type, 1000);
        if (next == NULL) break;
        hwr_init(heap, next, &next->items[0], (void *)here.all);
        here.all = next;
        assert_true(made < 600);
    }
    assert_true(r.asked >= 1);
    assert_true(made > 150 && made * 8000 < limit);
    assert_null(hwr_alloc(heap, limit));
    hwr_heap_stats stats;
    hwr_heap_get_stats(heap, &stats);
    assert_true(stats.limit == limit && stats.peak_committed <= limit);
    assert_true(stats.objects >= made);
    size_t length = 0;
    for (const row *at = here.all; at != NULL; at = at->items[0]) length++;
    assert_int_equal(length, made);
    const char *problem = "";
    if (!hwr_heap_verify(heap, &problem) && strstr(problem, "memory") == NULL) fail_msg("%s", problem);
    here.all = NULL;
    assert_non_null(hwr_new_items(heap, &prose_type, 1000000)); /* what was given back may be taken again */
    hwr_frame_pop(heap, &here.frame);
    hwr_heap_close(heap);
}

static void out_of_memory_may_make_room(void **state) {
    reserve r = {0};
    hwr_heap *heap = open_limited(*state, (size_t)5 << 20, &r);
    prose *spare = hwr_new_items(heap, &prose_type, 2 << 20);
    assert_non_null(spare);
    hwr_handle_set(heap, r.spare, spare);
    spare = NULL;
    struct {
        hwr_frame frame;
        row *all;
    } here = {.all = NULL};
    hwr_frame_push(heap, &here.frame, 1);
    size_t before = 0, made = 0;
    for (; made < 700; made++) {
        row *next = hwr_new_items(heap, &row_type, 1000);
        if (next == NULL) break;
        hwr_init(heap, next, &next->items[0], (void *)here.all);
        here.all = next;
        if (r.asked == 0) before = made;
    }
    assert_null(hwr_handle_get(heap, r.spare));
    assert_true(r.asked >= 2 && made > before + 50 && made < 700);
    hwr_frame_pop(heap, &here.frame);
    hwr_heap_close(heap);
}

int main(void) {
    static const tracing_test tests[] = {
        TRACING_TEST(anything_fails_once, TRACING_FEW),       TRACING_TEST(reserving_fails_for_good, TRACING_FEW),
        TRACING_TEST(committing_fails_for_good, TRACING_FEW), TRACING_TEST(anything_fails_for_good, TRACING_FEW),
        TRACING_TEST(any_limit_can_be_met, TRACING_FEW),      TRACING_TEST(want_of_memory_collects, TRACING_ONCE),
        TRACING_TEST(a_limit_is_kept, TRACING_ONCE),          TRACING_TEST(out_of_memory_may_make_room, TRACING_ONCE),
    };
    return tracing_fixture_run("tracing heaps with faults", tests, sizeof tests / sizeof tests[0]);
}
