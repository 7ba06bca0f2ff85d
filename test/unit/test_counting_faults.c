/* Counting heaps without memory: every operation of raw that a workload needs fails once, and then for good from there on; then a limit creeps
 * upwards. Whatever fails, the answer is NULL or false, what is alive keeps its content, the heap verifies, and in the end all
 * memory is accounted for. */
#include "heapwright/events.h"

#include "support/heap_fixture.h"
#include "support/pattern.h"
#include "support/sanitizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 400, MANY_REFERENCES = 5000, VERIFIED = 10 };

typedef struct text {
    size_t length;
    unsigned char bytes[];
} text;
static const hwr_type text_type = HWR_TYPE(text, HWR_ITEMS(text, length, bytes, unsigned char));

typedef struct list {
    size_t length;
    void *items[];
} list;
static const hwr_type list_type = HWR_TYPE(list, HWR_REF_ITEMS(list, length, items));
static const hwr_type aligned_type = {.name = "aligned", .size = 48, .alignment = 16, .ref_count = 1};

/* A workload in progress: what it holds, how many requests were refused, and how many operations of raw had failed, and how often it had been
 * asked for memory, when it last looked: a refusal without a failure would be wrong. */
typedef struct workload {
    backend raw;
    hwr_heap *heap;
    void *held[ROOM]; /* NULL: was refused */
    size_t count;
    size_t refused, failures, asked, asked_before;
    size_t called_back, finalized, to_be_finalized;
} workload;

static workload w;

static void expect_verified(void) {
    const char *problem = "";
    if (!hwr_heap_verify(w.heap, &problem) && strstr(problem, "memory") == NULL) fail_msg("%s", problem);
}

static void expect_texts(void) {
    for (size_t i = 0; i < w.count; i++) {
        const text *t = w.held[i];
        if (t != NULL && hwr_type_of(t) == &text_type) assert_true(pattern_holds(t->bytes, t->length, t->length, i));
    }
}

/* Takes a refusal or an answer. */
static bool take(bool granted, bool asks) {
    size_t failures = backend_failures(&w.raw);
    if (!granted) {
        assert_true(failures > w.failures);
        if (asks) assert_true(w.asked > w.asked_before);
        if (w.refused++ < VERIFIED) { /* often enough, and verification takes its time */
            expect_texts();
            expect_verified();
        }
    }
    w.failures = backend_failures(&w.raw);
    w.asked_before = w.asked;
    return granted;
}

static void *hold(void *object) {
    assert_true(w.count < ROOM);
    take(object != NULL, true);
    w.held[w.count++] = object;
    return object;
}

static void new_text(size_t length) {
    text *t = hold(hwr_new_items(w.heap, &text_type, length));
    if (t == NULL) return;
    assert_int_equal(t->length, length);
    assert_true(pattern_is_zero(t->bytes, length));
    pattern_fill(t->bytes, length, w.count - 1);
}

/* Each refers to those before it, and to itself. */
static void new_list(size_t length) {
    list *l = hold(hwr_new_items(w.heap, &list_type, length));
    for (size_t i = 0; l != NULL && i < length && i < 100; i++)
        hwr_set(w.heap, l, &l->items[i], i == 0 ? (void *)l : w.held[i * 13 % w.count]);
}

static void new_finalized_cycle(void) {
    finalized *object = hwr_new(w.heap, &finalized_type);
    if (!take(object != NULL, true)) return;
    w.to_be_finalized++;
    object->calls = &w.finalized;
    hwr_give(w.heap, object, &object->a, (void *)object); /* garbage from now on */
}

static void note_call(hwr_heap *heap, hwr_weak *weak, void *argument) {
    (void)argument;
    assert_null(hwr_weak_get(heap, weak));
    w.called_back++;
}

/* To an object that dies at once: its callback comes if the weak reference could be made. */
static void watch_a_death(void) {
    pair *p = hwr_new(w.heap, &pair_type);
    if (!take(p != NULL, true)) return;
    size_t before = w.called_back;
    hwr_weak *weak = hwr_weak_new(w.heap, p, note_call, p == NULL ? NULL : w.held[0]);
    bool watched = take(weak != NULL, false);
    hwr_release(w.heap, p);
    assert_int_equal(w.called_back - before, watched);
    if (watched) assert_null(hwr_weak_get(w.heap, weak));
    hwr_release(w.heap, weak);
}

static void crowd_around(void *object) {
    if (object == NULL) return;
    size_t before = hwr_refcount(w.heap, object);
    for (size_t i = 0; i < MANY_REFERENCES; i++) hwr_retain(w.heap, object);
    size_t count = hwr_refcount(w.heap, object);
    take(count != HWR_IMMORTAL || before == HWR_IMMORTAL,
         false); /* without memory: better never freed than too early */
    assert_true(count == HWR_IMMORTAL || count == before + MANY_REFERENCES);
    for (size_t i = 0; i < MANY_REFERENCES; i++) hwr_release(w.heap, object);
    assert_true(hwr_refcount(w.heap, object) == (count == HWR_IMMORTAL ? HWR_IMMORTAL : before));
}

static void fill_tables(void) {
    hwr_weak_keys *keys = hold(hwr_weak_keys_new(w.heap));
    hwr_weak_values *values = hold(hwr_weak_values_new(w.heap));
    for (size_t i = 0; i < 60; i++) {
        void *object = w.held[i];
        if (object == NULL) continue;
        if (keys != NULL) {
            size_t count = hwr_weak_keys_count(w.heap, keys);
            bool set = take(hwr_weak_keys_set(w.heap, keys, object, w.held[i / 2]), false);
            assert_int_equal(hwr_weak_keys_count(w.heap, keys), count + set);
        }
        char key[20];
        int length = snprintf(key, sizeof key, "%zu", i);
        if (values != NULL) {
            size_t count = hwr_weak_values_count(w.heap, values);
            bool set = take(hwr_weak_values_set(w.heap, values, key, (size_t)length, object), false);
            assert_int_equal(hwr_weak_values_count(w.heap, values), count + set);
        }
    }
}

static void use_handles_and_blocks(void) {
    for (size_t i = 0; i < 10; i++) {
        void *object = w.held[i];
        hwr_handle *handle = hwr_handle_new(w.heap, object);
        if (take(handle != NULL, true)) assert_ptr_equal(hwr_handle_get(w.heap, handle), object);
        hwr_handle_free(w.heap, handle);
        size_t size = i * 15000 + 1;
        unsigned char *block = hwr_alloc(w.heap, size);
        if (!take(block != NULL, true)) continue;
        pattern_fill(block, size, i);
        unsigned char *moved = hwr_realloc(w.heap, block, 2 * size);
        if (take(moved != NULL, true)) block = moved;
        assert_true(pattern_holds(block, size, size, i));
        hwr_free(w.heap, block);
    }
}

static void note_collection(hwr_heap *heap, const hwr_collection_info *info, void *context) {
    (void)heap;
    *(size_t *)context += info->starts ? 1 : 0;
}

static void note_event(hwr_heap *heap, const hwr_event *event, void *context) {
    (void)heap;
    *(size_t *)context += event->kind == HWR_EVENT_COLLECTION_BEGIN;
}

static void be_told_of_a_collection(void) {
    size_t told = 0, heard = 0;
    bool tells = take(hwr_add_callback(w.heap, note_collection, &told), false);
    bool sounds = take(hwr_listen(w.heap, UINT64_MAX, note_event, &heard), false);
    hwr_collect(w.heap, 1);
    assert_int_equal(told >= 1, tells);
    assert_int_equal(heard >= 1, sounds);
    assert_int_equal(hwr_remove_callback(w.heap, note_collection, &told), tells);
    assert_int_equal(hwr_unlisten(w.heap, note_event, &heard), sounds);
}

static void release_all(void) {
    for (size_t i = 0; i < w.count; i++) hwr_release(w.heap, w.held[i]);
    w.count = 0;
}

static void play(void) {
    for (size_t i = 0; i < 40; i++) new_text(i * i * 3);
    for (size_t i = 0; i < 40; i++) new_list(i * 7);
    for (size_t i = 0; i < 20; i++) hold(hwr_new(w.heap, &aligned_type));
    for (size_t i = 0; i < 20; i++) new_finalized_cycle();
    for (size_t i = 0; i < 5; i++) crowd_around(w.held[i * 9]);
    for (size_t i = 0; i < 20; i++) watch_a_death();
    fill_tables();
    use_handles_and_blocks();
    be_told_of_a_collection();
    new_text(300000);
    new_list(50000);
    new_text(1200000);
    hwr_collect(w.heap, HWR_OLDEST);
    expect_texts();
    expect_verified();
    for (size_t i = 0; i < w.count; i += 2) {
        hwr_release(w.heap, w.held[i]);
        w.held[i] = NULL;
    }
    hwr_set_debug(w.heap, HWR_DEBUG_SAVEALL);
    for (size_t i = 0; i < 20; i++) new_finalized_cycle();
    hwr_collect(w.heap, HWR_OLDEST);
    assert_true(hwr_garbage_count(w.heap) <= w.to_be_finalized);
    hwr_set_debug(w.heap, 0);
    hwr_garbage_clear(w.heap);
    hwr_heap_trim(w.heap);
    for (size_t i = 0; i < 30; i++) new_list(i * 100);
    expect_texts();
    expect_verified();
}

static bool note_want(hwr_heap *heap, size_t size, void *context) {
    assert_true(heap == w.heap && size > 0 && context == &w);
    w.asked++;
    return false;
}

/* When there is memory again everything works, and everything that is not immortal can be freed. */
static void recover(void) {
    size_t refused = w.refused;
    new_text(1000);
    new_text(1000000);
    assert_int_equal(w.refused, refused);
    release_all();
    hwr_collect(w.heap, HWR_OLDEST);
    hwr_collect(w.heap, HWR_OLDEST); /* what was saved as garbage has died by now */
    assert_int_equal(w.finalized, w.to_be_finalized);
    assert_true(hwr_heap_verify(w.heap, NULL));
    hwr_heap_stats stats;
    hwr_heap_get_stats(w.heap, &stats);
    if (refused == 0) assert_int_equal(stats.objects, 0);
}

static void open_heap(const heap_fixture *f, size_t limit) {
    w = (workload){.count = 0};
    backend_open(&w.raw, f->config.kind, limit);
}

static void try_to_open(const heap_fixture *f) {
    hwr_options options = heap_fixture_options(f);
    options.raw = w.raw.raw;
    options.on_out_of_memory = note_want;
    options.context = &w;
    w.heap = hwr_heap_open(&options);
    w.failures = backend_failures(&w.raw);
    assert_true(w.heap != NULL || w.failures > 0);
}

typedef struct fault {
    unsigned mask;
    uint64_t nth; /* 0: none */
    bool for_good;
} fault;

/* Plays the workload with a fault and returns how many operations of raw failed. */
static size_t failures_with(const heap_fixture *f, fault injected) {
    open_heap(f, 0);
    hwr_raw_inject_fault(w.raw.raw, injected.mask, injected.nth, injected.for_good);
    try_to_open(f);
    if (w.heap != NULL) play();
    size_t failures = backend_failures(&w.raw);
    hwr_raw_inject_fault(w.raw.raw, 0, 0, false);
    if (w.heap != NULL) recover();
    hwr_heap_close(w.heap);
    backend_close(&w.raw);
    return failures;
}

static void every_operation_fails(const heap_fixture *f, unsigned mask, bool for_good) {
    size_t unavoidable = failures_with(f, (fault){0});
    size_t step = runs_slowly() ? 7 : 1;
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
    const heap_fixture *f = *state;
    for (size_t limit = 1 << 16; limit < (size_t)24 << 20; limit += limit / (runs_slowly() ? 2 : 12)) {
        open_heap(f, limit);
        try_to_open(f);
        if (w.heap != NULL) play();
        hwr_raw_stats stats;
        hwr_raw_get_stats(w.raw.raw, &stats);
        assert_true(stats.peak_committed <= limit);
        hwr_raw_set_limit(w.raw.raw, 0);
        if (w.heap != NULL) recover();
        hwr_heap_close(w.heap);
        backend_close(&w.raw);
    }
}

/* ---- what happens when memory is short ---- */

/* A limit of the heap's own; garbage is collected before anybody is asked. */
static hwr_heap *open_limited(size_t limit, hwr_out_of_memory ask, void *context) {
    hwr_heap *heap = hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options),
                                                  .collector = HWR_COUNTING,
                                                  .limit = limit,
                                                  .on_out_of_memory = ask,
                                                  .context = context});
    assert_non_null(heap);
    return heap;
}

static bool count_asking(hwr_heap *heap, size_t size, void *context) {
    (void)heap;
    assert_true(size > 0);
    ++*(size_t *)context;
    return false;
}

static void want_of_memory_collects_cycles(void **state) {
    (void)state;
    size_t asked = 0;
    hwr_heap *heap = open_limited((size_t)4 << 20, count_asking, &asked);
    hwr_disable(heap);
    for (size_t i = 0; i < 1000; i++) { /* 40 MB in all */
        list *l = hwr_new_items(heap, &list_type, 5000);
        assert_non_null(l);
        hwr_give(heap, l, &l->items[0], (void *)l);
    }
    assert_int_equal(asked, 0);
    for (size_t i = 0; i < 1000; i++) {
        pair *p = hwr_new(heap, &pair_type);
        assert_non_null(p);
        hwr_give(heap, p, &p->a, p);
        assert_non_null(hwr_weak_new(heap, p, NULL, NULL));
        hwr_free(heap, hwr_alloc(heap, 100000));
    }
    assert_int_equal(asked, 0);
    hwr_generation_stats stats[HWR_GENERATIONS];
    hwr_get_stats(heap, stats);
    assert_true(stats[HWR_OLDEST].collected > 900);
    hwr_heap_close(heap);
}

static void a_limit_is_kept(void **state) {
    (void)state;
    size_t asked = 0;
    const size_t limit = (size_t)3 << 20;
    hwr_heap *heap = open_limited(limit, count_asking, &asked);
    hwr_heap_stats stats;
    size_t made = 0;
    list *all = NULL;
    for (;; made++) {
        list *l = hwr_new_items(heap, &list_type, 1000);
        if (l == NULL) break;
        hwr_give(heap, l, &l->items[0], (void *)all);
        all = l;
    }
    assert_int_equal(asked, 1);
    assert_true(made > 200 && made * 8000 < limit);
    assert_null(hwr_alloc(heap, limit));
    assert_null(hwr_alloc(heap, 1000000));
    assert_int_equal(asked, 3);
    hwr_heap_get_stats(heap, &stats);
    assert_int_equal(stats.limit, limit);
    assert_true(stats.committed <= limit);
    assert_int_equal(stats.objects, made);
    assert_true(hwr_heap_verify(heap, NULL));
    hwr_release(heap, all);
    void *block = hwr_alloc(heap, 1000000); /* memory that was given back may be taken again */
    assert_non_null(block);
    hwr_heap_close(heap);
}

typedef struct reserve {
    pair *spare; /* a long list */
    size_t asked;
} reserve;

static bool give_up_spare(hwr_heap *heap, size_t size, void *context) {
    reserve *r = context;
    assert_true(size > 0);
    r->asked++;
    if (r->spare == NULL) return false;
    hwr_release(heap, r->spare);
    r->spare = NULL;
    return true;
}

static void out_of_memory_may_make_room(void **state) {
    (void)state;
    reserve r = {NULL, 0};
    hwr_heap *heap = open_limited((size_t)3 << 20, give_up_spare, &r);
    hwr_disable(heap);
    for (size_t i = 0; i < 50000; i++) {
        pair *p = hwr_new(heap, &pair_type);
        assert_non_null(p);
        hwr_give(heap, p, &p->a, r.spare);
        r.spare = p;
    }
    size_t count = 0;
    while (r.asked == 0) {
        assert_non_null(hwr_new_items(heap, &text_type, 5000));
        count++;
    }
    assert_null(r.spare);
    assert_true(count > 20);
    while (hwr_new_items(heap, &text_type, 5000) != NULL) count++;
    assert_true(r.asked == 2 && count > 200);
    hwr_heap_close(heap);
}

/* More objects die at once than there is room to remember. */
static void deaths_need_no_memory(void **state) {
    const heap_fixture *f = *state;
    enum { WIDTH = 3000 };
    open_heap(f, 0);
    try_to_open(f);
    hwr_disable(w.heap);
    list *top = hwr_new_items(w.heap, &list_type, WIDTH);
    for (size_t i = 0; i < WIDTH; i++) {
        list *below = hwr_new_items(w.heap, &list_type, 20);
        for (size_t k = 0; k < 20; k++) {
            finalized *object = hwr_new(w.heap, &finalized_type);
            assert_non_null(object);
            object->calls = &w.finalized;
            hwr_give(w.heap, below, &below->items[k], (void *)object);
            if (k == 0) hwr_set(w.heap, object, &object->a, (void *)object); /* some stay for the collector */
        }
        hwr_give(w.heap, top, &top->items[i], (void *)below);
    }
    hwr_raw_inject_fault(w.raw.raw, HWR_FAULT_ALL, 1, true);
    hwr_release(w.heap, top);
    hwr_raw_inject_fault(w.raw.raw, 0, 0, false);
    assert_int_equal(w.finalized, WIDTH * 19);
    assert_true(hwr_heap_verify(w.heap, NULL));
    assert_int_equal(hwr_collect(w.heap, HWR_OLDEST), WIDTH);
    assert_int_equal(w.finalized, WIDTH * 20);
    hwr_heap_stats stats;
    hwr_heap_get_stats(w.heap, &stats);
    assert_int_equal(stats.objects, 0);
    hwr_heap_close(w.heap);
    backend_close(&w.raw);
}

int main(void) {
    static const heap_test tests[] = {
        HEAP_TEST(anything_fails_once, HEAP_STRESSED | HEAP_FEW),
        HEAP_TEST(reserving_fails_for_good, HEAP_STRESSED | HEAP_FEW),
        HEAP_TEST(committing_fails_for_good, HEAP_STRESSED | HEAP_FEW),
        HEAP_TEST(anything_fails_for_good, HEAP_STRESSED | HEAP_FEW),
        HEAP_TEST(any_limit_can_be_met, HEAP_STRESSED | HEAP_FEW),
        HEAP_TEST(want_of_memory_collects_cycles, HEAP_ONCE),
        HEAP_TEST(a_limit_is_kept, HEAP_ONCE),
        HEAP_TEST(out_of_memory_may_make_room, HEAP_ONCE),
        HEAP_TEST(deaths_need_no_memory, HEAP_ANY),
    };
    return heap_fixture_run("counting heaps with faults", tests, sizeof tests / sizeof tests[0]);
}
