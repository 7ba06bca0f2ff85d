/* What the host for .NET tells of collections, and what it asks of the user's settings. */
#define _GNU_SOURCE
#include "fake_runtime.h"
#include "handles.h"
#include "inform.h"
#include "settings.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int set_up(void **state) {
    (void)state;
    fake_open();
    clr_settings_read();
    return 0;
}

/* A collection that takes a while. */
static clr_collection collect(int gen, int kind, uint64_t promoted) {
    clr_collection c;
    clr_inform_begin(&c, gen, kind, gen == 2, clr_now());
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    c.promoted = promoted;
    c.pending = 3;
    c.pinned = 4;
    c.budget = 66;
    c.sizes[CLR_LARGE_OBJECTS].after = 77;
    clr_inform_end(&c);
    return c;
}

/* The first of all tests: there was no collection yet. */
static void before_the_first_there_is_memory_alone(void **state) {
    (void)state;
    clr_collection c;
    for (int kind = CLR_KIND_ANY; kind < CLR_KINDS; kind++) {
        clr_inform_latest(kind, &c);
        assert_int_equal(c.index, 0);
        assert_int_equal(c.promoted, 0);
        assert_true(c.available > 1 << 20);
        assert_true(c.load_bytes <= c.available);
        assert_int_equal(c.high_load_bytes, c.available / 100 * 90);
    }
    assert_int_equal(clr_collections(0, CLR_KIND_ANY), 0);
    assert_int_equal(clr_paused(), 0);
    assert_int_equal(clr_percent_in_last(), 0);
    assert_int_equal(clr_last_start(2), 0);
}

static void collections_count_for_the_younger_too(void **state) {
    (void)state;
    uint64_t before[3], full = clr_collections(0, CLR_KIND_FULL), young = clr_collections(0, CLR_KIND_YOUNG);
    for (int gen = 0; gen < 3; gen++) before[gen] = clr_collections(gen, CLR_KIND_ANY);
    collect(0, CLR_KIND_YOUNG, 1);
    collect(1, CLR_KIND_YOUNG, 2);
    collect(2, CLR_KIND_FULL, 3);
    collect(0, CLR_KIND_YOUNG, 4);
    static const uint64_t more[] = {4, 2, 1};
    for (int gen = 0; gen < 3; gen++) assert_int_equal(clr_collections(gen, CLR_KIND_ANY), before[gen] + more[gen]);
    assert_int_equal(clr_collections(0, CLR_KIND_FULL), full + 1);
    assert_int_equal(clr_collections(2, CLR_KIND_YOUNG), young + 3);
    assert_int_equal(clr_collections(3, CLR_KIND_ANY), 0);
    assert_int_equal(clr_collections(-1, CLR_KIND_ANY), 0);
}

static void the_latest_of_each_kind_is_kept(void **state) {
    (void)state;
    collect(0, CLR_KIND_YOUNG, 10);
    clr_collection full = collect(2, CLR_KIND_FULL, 20), young = collect(1, CLR_KIND_YOUNG, 30), c;
    static const struct {
        int kind;
        uint64_t promoted;
    } cases[] = {
        {CLR_KIND_ANY, 30}, {CLR_KIND_YOUNG, 30}, {CLR_KIND_FULL, 20}, {CLR_KIND_BACKGROUND, 0}, {99, 30}, {-1, 30}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        clr_inform_latest(cases[i].kind, &c);
        assert_int_equal(c.promoted, cases[i].promoted);
        assert_int_equal(c.sizes[CLR_LARGE_OBJECTS].after, cases[i].promoted ? 77 : 0);
    }
    clr_inform_latest(CLR_KIND_FULL, &c);
    assert_int_equal(c.index, full.index);
    assert_int_equal(young.index, full.index + 1);
    assert_int_equal(clr_last_start(2), full.started);
    assert_int_equal(clr_last_start(0), young.started);
    assert_int_equal(clr_last_start(-1), young.started);
    assert_int_equal(clr_last_pause(1), young.pause);
    assert_int_equal(clr_last_pause(9), full.pause);
}

static void pauses_add_up(void **state) {
    (void)state;
    uint64_t before = clr_paused();
    clr_collection a = collect(0, CLR_KIND_YOUNG, 1), b = collect(2, CLR_KIND_FULL, 1);
    assert_true(a.pause >= 2000000 && b.pause >= 2000000);
    assert_int_equal(clr_paused(), before + a.pause + b.pause);
    assert_in_range(b.pause_percent, 1, 10000);
    assert_in_range(clr_percent_in_last(), 50, 100); /* nothing but collections */
    assert_true(clr_now() >= b.started + b.pause);
}

static void events_are_told_to_those_who_listen(void **state) {
    (void)state;
    fake f;
    clr_handle handle = clr_handle_new(fake_make(&f, &fake_plain), CLR_STRONG, NULL);
    collect(0, CLR_KIND_YOUNG, 5);
    assert_int_equal(fake_state.events.started, 0);
    clr_inform_control(1, 3);
    collect(0, CLR_KIND_YOUNG, 5);
    clr_inform_control(2, 5);
    collect(0, CLR_KIND_YOUNG, 5);
    assert_int_equal(fake_state.events.started, 0);
    clr_inform_control(0x101, 4);
    clr_collection c = collect(2, CLR_KIND_FULL, 55);
    assert_int_equal(fake_state.events.triggered, 1);
    assert_int_equal(fake_state.events.started, 1);
    assert_int_equal(fake_state.events.ended, 1);
    assert_int_equal(fake_state.events.stats, 1);
    assert_int_equal(fake_state.events.index, c.index);
    assert_int_equal(fake_state.events.gen, 2);
    assert_int_equal(fake_state.events.reason, 1);
    assert_int_equal(fake_state.events.type, 0);
    assert_int_equal(fake_state.events.promoted, 55);
    assert_int_equal(fake_state.events.large, 77);
    assert_int_equal(fake_state.events.handles, 1);
    assert_int_equal(fake_state.events.histories, 1);
    assert_int_equal(fake_state.events.history[0][9], 66);
    assert_int_equal(fake_state.events.history[3][3], 77);
    assert_int_equal(fake_state.events.handles_set, 0);
    clr_inform_control(0, 0);
    collect(0, CLR_KIND_YOUNG, 5);
    assert_int_equal(fake_state.events.ended, 1);
    clr_handle_free(handle);
}

static void handles_are_told_of(void **state) {
    (void)state;
    fake f, g;
    clr_object *first = fake_make(&f, &fake_plain), *second = fake_make(&g, &fake_plain);
    clr_inform_control(2, 3);
    clr_handle_free(clr_handle_new(first, CLR_STRONG, NULL));
    assert_int_equal(fake_state.events.handles_set, 0);
    clr_inform_control(2, 4);
    clr_handle handle = clr_handle_new(first, CLR_WEAK_LONG, NULL);
    assert_int_equal(fake_state.events.handles_set, 1);
    assert_ptr_equal(fake_state.events.handle, handle);
    assert_ptr_equal(fake_state.events.object, first);
    assert_int_equal(fake_state.events.kind, CLR_WEAK_LONG);
    const clr_manager_table *table = clr_handle_manager.table;
    assert_false(table->store_object_in_handle_if_null(&clr_handle_manager, handle, second));
    assert_int_equal(fake_state.events.handles_set, 1);
    table->store_object_in_handle(&clr_handle_manager, handle, NULL);
    assert_null(fake_state.events.object);
    assert_true(table->store_object_in_handle_if_null(&clr_handle_manager, handle, second));
    assert_ptr_equal(fake_state.events.object, second);
    assert_int_equal(fake_state.events.handles_set, 3);
    assert_int_equal(fake_state.events.handles_freed, 0);
    clr_handle_free(handle);
    assert_int_equal(fake_state.events.handles_freed, 1);
    clr_inform_control(0, 0);
}

static void allocations_are_told_one_in_many(void **state) {
    (void)state;
    fake f;
    clr_object *object = fake_make(&f, &fake_plain);
    clr_inform_control(1, 4);
    clr_inform_allocated(CLR_TICK_SMALL, 5 * CLR_TICK, object, 24);
    assert_int_equal(fake_state.events.ticks, 0);
    clr_inform_control(1, 5);
    for (int i = 0; i < 10; i++) clr_inform_allocated(CLR_TICK_SMALL, CLR_TICK / 4, object, 24);
    assert_int_equal(fake_state.events.ticks, 2);
    assert_int_equal(fake_state.events.amount, CLR_TICK);
    assert_int_equal(fake_state.events.kind, CLR_TICK_SMALL);
    assert_int_equal(fake_state.events.size, 24);
    clr_inform_allocated(CLR_TICK_LARGE, 3 * CLR_TICK, object, 3 * CLR_TICK);
    assert_int_equal(fake_state.events.ticks, 3);
    assert_int_equal(fake_state.events.amount, 3 * CLR_TICK);
    assert_int_equal(fake_state.events.kind, CLR_TICK_LARGE);
    clr_inform_allocated(CLR_TICK_PINNED, 0, object, 24);
    clr_inform_control(0, 0);
    clr_inform_allocated(CLR_TICK_PINNED, 3 * CLR_TICK, object, 24);
    assert_int_equal(fake_state.events.ticks, 3);
}

/* Settings */

static void configure(size_t i, const char *key, int64_t value) {
    fake_state.configured[i].key = key;
    fake_state.configured[i].value = value;
}

static void without_a_word_there_are_defaults(void **state) {
    (void)state;
    const clr_settings_values *s = &clr_settings;
    assert_true(s->concurrent);
    assert_false(s->server || s->retain);
    assert_true(s->hard_limit == 0 && s->gen0_size == 0 && s->conserve == 0);
    assert_int_equal(s->large_threshold, 85000);
    assert_int_equal(s->high_load, 90);
    assert_int_equal(s->markers, sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 2 : 1);
    assert_int_equal(clr_latency_mode(), CLR_INTERACTIVE);
}

static void what_is_said_holds(void **state) {
    (void)state;
    configure(0, "System.GC.Server", 1);
    configure(1, "gcConcurrent", 0);
    configure(2, "GCHeapHardLimit", 1 << 20);
    configure(3, "GCgen0size", 4096);
    configure(4, "System.GC.LOHThreshold", 100000);
    configure(5, "GCConserveMemory", 9);
    configure(6, "GCHighMemPercent", 50);
    configure(7, "System.GC.RetainVM", 1);
    configure(8, "System.GC.HeapCount", 7);
    clr_settings_read();
    const clr_settings_values *s = &clr_settings;
    assert_true(s->server && s->retain && !s->concurrent);
    assert_int_equal(s->hard_limit, 1 << 20);
    assert_int_equal(s->gen0_size, 4096);
    assert_int_equal(s->large_threshold, 100000);
    assert_int_equal(s->conserve, 9);
    assert_int_equal(s->high_load, 50);
    assert_int_equal(s->markers, 7);
    assert_int_equal(clr_latency_mode(), CLR_BATCH);
    assert_int_equal(clr_memory_now().total, 1 << 20);
}

static void what_makes_no_sense_is_passed_over(void **state) {
    (void)state;
    configure(0, "GCLOHThreshold", 100);
    configure(1, "GCConserveMemory", 10);
    configure(2, "GCHighMemPercent", 100);
    configure(3, "GCHeapHardLimitPercent", 100);
    configure(4, "GCgen0size", -1);
    clr_settings_read();
    const clr_settings_values *s = &clr_settings;
    assert_int_equal(s->large_threshold, 85000);
    assert_int_equal(s->conserve, 0);
    assert_int_equal(s->high_load, 90);
    assert_int_equal(s->hard_limit, 0);
    assert_int_equal(s->gen0_size, 0);
}

static void a_limit_may_be_percent_and_change(void **state) {
    (void)state;
    uint64_t total = clr_memory_now().total;
    configure(0, "System.GC.HeapHardLimitPercent", 50);
    clr_settings_read();
    assert_in_range(clr_settings.hard_limit, total / 100 * 49, total / 100 * 51);
    configure(0, "GCHeapHardLimit", 5 << 20);
    clr_settings_refresh();
    assert_int_equal(clr_settings.hard_limit, 5 << 20);
}

static void modes_are_kept(void **state) {
    (void)state;
    for (int mode = CLR_BATCH; mode <= CLR_SUSTAINED_LOW_LATENCY; mode++) {
        clr_set_latency_mode(mode);
        assert_int_equal(clr_latency_mode(), mode);
    }
    assert_int_equal(clr_large_compaction(), CLR_LARGE_COMPACTION_DEFAULT);
    clr_set_large_compaction(CLR_LARGE_COMPACTION_ONCE);
    assert_int_equal(clr_large_compaction(), CLR_LARGE_COMPACTION_ONCE);
    clr_set_large_compaction(CLR_LARGE_COMPACTION_DEFAULT);
}

static void see_value(void *context, const char *name, const char *public_key, int type, int64_t value) {
    size_t *seen = context;
    assert_int_equal(strncmp(public_key, "System.GC.", 10), 0);
    assert_in_range(type, CLR_VALUE_INTEGER, CLR_VALUE_BOOLEAN);
    if (strcmp(name, "GCName") == 0) {
        assert_int_equal(type, CLR_VALUE_STRING);
        assert_non_null(strstr((const char *)(uintptr_t)value, "heapwright "));
        *seen += 100;
    }
    ++*seen;
}

static void settings_name_us(void **state) {
    (void)state;
    size_t seen = 0;
    clr_settings_each(&seen, see_value);
    assert_int_equal(seen, 110);
}

#define TEST(function) cmocka_unit_test_setup(function, set_up)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(before_the_first_there_is_memory_alone),
        TEST(collections_count_for_the_younger_too),
        TEST(the_latest_of_each_kind_is_kept),
        TEST(pauses_add_up),
        TEST(events_are_told_to_those_who_listen),
        TEST(handles_are_told_of),
        TEST(allocations_are_told_one_in_many),
        TEST(without_a_word_there_are_defaults),
        TEST(what_is_said_holds),
        TEST(what_makes_no_sense_is_passed_over),
        TEST(a_limit_may_be_percent_and_change),
        TEST(modes_are_kept),
        TEST(settings_name_us),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
