/* events: listeners, counters, the trace file. */
#define _GNU_SOURCE
#include "heapwright/events.h"

#include "support/check.h"
#include "support/heap_fixture.h"
#include "support/sanitizer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EVENTS = 2000 };

static const uint64_t all_kinds = ((uint64_t)1 << HWR_EVENT_KINDS) - 1;

typedef struct record {
    size_t count;
    hwr_event events[EVENTS];
} record;

static void note(hwr_heap *heap, const hwr_event *event, void *context) {
    record *r = context;
    CHECK(heap != NULL && r->count < EVENTS);
    CHECK(r->count == 0 || r->events[r->count - 1].time <= event->time);
    r->events[r->count++] = *event;
}

static size_t count_of(const record *r, hwr_event_kind kind) {
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++) count += r->events[i].kind == kind;
    return count;
}

static const hwr_event *find(const record *r, hwr_event_kind kind) {
    for (size_t i = 0; i < r->count; i++)
        if (r->events[i].kind == kind) return &r->events[i];
    fail_msg("there was no event %s", hwr_event_name(kind));
    return NULL;
}

static void nothing(hwr_heap *heap, hwr_weak *weak, void *argument) {
    (void)heap;
    (void)weak;
    (void)argument;
}

static hwr_handle *rescue;
static void come_back(hwr_heap *heap, finalized *object) { hwr_handle_set(heap, rescue, object); }

/* A collection of generation 1 with everything in it: two objects freed, one resurrected, a weak reference called back. */
static const void *resurrected;

static void collect_something(const heap_fixture *f) {
    rescue = hwr_handle_new(f->heap, NULL);
    size_t calls = 0;
    finalized *back = new_finalized(f, &calls), *gone = new_finalized(f, &calls);
    resurrected = back;
    back->more = come_back;
    hwr_set(f->heap, back, &back->a, (void *)back);
    hwr_set(f->heap, gone, &gone->a, (void *)gone);
    pair *p = new_cycle(f, 1);
    hwr_weak *weak = hwr_weak_new(f->heap, p, nothing, NULL);
    assert_non_null(weak);
    hwr_release(f->heap, back);
    hwr_release(f->heap, gone);
    hwr_release(f->heap, p);
    assert_int_equal(hwr_collect(f->heap, 1), 2);
    back->calls = NULL;
    hwr_release(f->heap, weak);
}

static void forget_rescued(const heap_fixture *f) {
    hwr_handle_free(f->heap, rescue);
    hwr_collect(f->heap, HWR_OLDEST);
    heap_fixture_expect_objects(f, 0);
}

/* ---- events ---- */

static void events_have_names(void **state) {
    (void)state;
    for (int kind = 0; kind < HWR_EVENT_KINDS; kind++) {
        assert_non_null(hwr_event_name((hwr_event_kind)kind));
        for (int other = 0; other < kind; other++)
            assert_true(strcmp(hwr_event_name((hwr_event_kind)kind), hwr_event_name((hwr_event_kind)other)) != 0);
    }
    assert_true(strcmp(hwr_event_name(HWR_EVENT_COLLECTION_BEGIN), "COLLECTION_BEGIN") == 0);
    assert_null(hwr_event_name(HWR_EVENT_KINDS));
    assert_null(hwr_event_name((hwr_event_kind)1000));
}

static void a_collection_tells_its_story(void **state) {
    heap_fixture *f = *state;
    static record r;
    r.count = 0;
    assert_true(hwr_listen(f->heap, all_kinds, note, &r));
    collect_something(f);
    static const hwr_event_kind pairs[][2] = {{HWR_EVENT_FIND_BEGIN, HWR_EVENT_FIND_END},
                                              {HWR_EVENT_WEAK_BEGIN, HWR_EVENT_WEAK_END},
                                              {HWR_EVENT_FINALIZE_BEGIN, HWR_EVENT_FINALIZE_END},
                                              {HWR_EVENT_FREE_BEGIN, HWR_EVENT_FREE_END}};
    const hwr_event *begin = find(&r, HWR_EVENT_COLLECTION_BEGIN), *end = find(&r, HWR_EVENT_COLLECTION_END);
    const hwr_event *last = begin;
    assert_int_equal(begin->value, 1);
    for (size_t i = 0; i < 4; i++) {
        const hwr_event *from = find(&r, pairs[i][0]), *to = find(&r, pairs[i][1]);
        assert_true(last < from && from < to && to < end);
        assert_int_equal(from->value, 1);
        assert_int_equal(to->value, 1);
        assert_int_equal(count_of(&r, pairs[i][0]), 1);
        assert_int_equal(count_of(&r, pairs[i][1]), 1);
        last = to;
    }
    assert_int_equal(end->value, 1);
    assert_int_equal(end->other, 2);
    assert_int_equal(find(&r, HWR_EVENT_FIND_END)->other, 3);
    assert_int_equal(find(&r, HWR_EVENT_WEAK_END)->other, 1);
    assert_int_equal(find(&r, HWR_EVENT_FINALIZE_END)->other, 2);
    assert_int_equal(find(&r, HWR_EVENT_FREE_END)->other, 2);
    assert_int_equal(count_of(&r, HWR_EVENT_FINALIZER), 2);
    assert_int_equal(find(&r, HWR_EVENT_RESURRECTION)->value, (uintptr_t)resurrected);
    assert_int_equal(find(&r, HWR_EVENT_RESURRECTION)->other, (uintptr_t)&finalized_type);
    assert_true(hwr_unlisten(f->heap, note, &r));
    forget_rescued(f);
}

static void a_finalizer_at_zero_is_an_event(void **state) {
    heap_fixture *f = *state;
    static record r;
    r.count = 0;
    assert_true(hwr_listen(f->heap, (uint64_t)1 << HWR_EVENT_FINALIZER, note, &r));
    finalized *object = new_finalized(f, NULL);
    hwr_release(f->heap, object);
    assert_int_equal(r.count, 1);
    assert_int_equal(r.events[0].value, (uintptr_t)object);
    assert_int_equal(r.events[0].other, (uintptr_t)&finalized_type);
}

static void want_of_memory_is_an_event(void **state) {
    heap_fixture *f = *state;
    static record r;
    r.count = 0;
    assert_true(hwr_listen(f->heap, all_kinds, note, &r));
    hwr_raw_inject_fault(f->backend.raw, HWR_FAULT_ALL, 1, true);
    assert_null(hwr_alloc(f->heap, 5000000));
    hwr_raw_inject_fault(f->backend.raw, 0, 0, false);
    const hwr_event *event = find(&r, HWR_EVENT_OUT_OF_MEMORY);
    assert_int_equal(event->value, 5000000);
    assert_int_equal(event->other, 1);
}

static void growth_is_an_event(void **state) {
    heap_fixture *f = *state;
    static record r;
    r.count = 0;
    assert_true(hwr_listen(f->heap, (uint64_t)1 << HWR_EVENT_HEAP_GROWTH, note, &r));
    hwr_collect(f->heap, HWR_OLDEST);
    void *block = hwr_alloc(f->heap, 3000000);
    assert_non_null(block);
    hwr_collect(f->heap, HWR_OLDEST);
    assert_true(r.count >= 1);
    assert_true(r.events[r.count - 1].value >= r.events[r.count - 1].other + 3000000);
    hwr_free(f->heap, block);
}

static void listeners_hear_what_they_asked_for(void **state) {
    heap_fixture *f = *state;
    static record ends, finalizers, none;
    ends.count = finalizers.count = none.count = 0;
    assert_false(hwr_unlisten(f->heap, note, &ends));
    assert_true(hwr_listen(f->heap, (uint64_t)1 << HWR_EVENT_COLLECTION_END, note, &ends));
    assert_true(hwr_listen(f->heap, (uint64_t)1 << HWR_EVENT_FINALIZER, note, &finalizers));
    assert_true(hwr_listen(f->heap, 0, note, &none));
    collect_something(f);
    assert_int_equal(ends.count, 1);
    assert_int_equal(ends.events[0].kind, HWR_EVENT_COLLECTION_END);
    assert_int_equal(finalizers.count, 2);
    assert_int_equal(none.count, 0);
    assert_true(hwr_unlisten(f->heap, note, &ends));
    assert_false(hwr_unlisten(f->heap, note, &ends));
    forget_rescued(f);
    assert_int_equal(ends.count, 1);
}

/* ---- counters ---- */

static void counters_count(void **state) {
    heap_fixture *f = *state;
    hwr_counters before, after;
    hwr_get_counters(f->heap, &before);
    assert_int_equal(before.collections, 0);
    assert_int_equal(before.finalizers, 0);
    collect_something(f);
    hwr_release(f->heap, new_finalized(f, NULL));
    pair *p = new_pair(f);
    hwr_weak *weak = hwr_weak_new(f->heap, p, nothing, NULL);
    hwr_release(f->heap, p);
    hwr_release(f->heap, weak);
    hwr_get_counters(f->heap, &after);
    assert_int_equal(after.collections, 1);
    assert_int_equal(after.collected, 2);
    assert_int_equal(after.resurrected, 1);
    assert_int_equal(after.finalizers, 3);
    assert_int_equal(after.weak_callbacks, 2);
    assert_int_equal(after.collections_failed, 0);
    if (f->config.kind != HWR_RAW_BUFFER) assert_true(after.pause_ns > 0); /* a buffer has no clock */
    assert_true(after.longest_pause_ns <= after.pause_ns);
    forget_rescued(f);
}

static void collections_without_memory_are_counted(void **state) {
    heap_fixture *f = *state;
    hwr_counters before, after;
    pair *p = new_cycle(f, 1000);
    hwr_weak *weak = hwr_weak_new(f->heap, p, nothing, NULL); /* so the garbage has to be listed */
    heap_fixture_take_all_memory(f);
    hwr_release(f->heap, p);
    hwr_get_counters(f->heap, &before);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 0);
    hwr_get_counters(f->heap, &after);
    assert_int_equal(after.collections_failed, before.collections_failed + 1);
    heap_fixture_give_memory_back(f);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 1000);
    hwr_release(f->heap, weak);
    heap_fixture_expect_objects(f, 0);
}

/* ---- the trace file ---- */

static char *read_file(const char *path) {
    static char text[200000];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t length = fread(text, 1, sizeof text - 1, file);
    text[length] = '\0';
    fclose(file);
    return text;
}

static size_t occurrences(const char *text, const char *part) {
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++) count++;
    return count;
}

/* Every bracket is closed in order and no comma stands before the end: enough to tell JSON from what is not. */
static bool is_balanced(const char *text) {
    char open[100], last = '\0';
    size_t depth = 0;
    bool in_string = false;
    for (; *text != '\0'; text++) {
        if (*text == '"') in_string = !in_string;
        if (in_string || *text == ' ' || *text == '\n') continue;
        if (*text == '[' || *text == '{') open[depth++] = *text;
        if (*text == ']' || *text == '}')
            if (depth == 0 || open[--depth] != (*text == ']' ? '[' : '{') || last == ',') return false;
        if (depth >= sizeof open) return false;
        last = *text;
    }
    return depth == 0 && !in_string && last == ']';
}

static void a_trace_is_written(void **state) {
    heap_fixture *f = *state;
    char path[] = "/tmp/heapwright-trace-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    assert_true(hwr_trace_begin(f->heap, path));
    assert_false(hwr_trace_begin(f->heap, path)); /* one at a time */
    collect_something(f);
    assert_true(hwr_trace_end(f->heap));
    assert_true(hwr_trace_end(f->heap)); /* there is none any more: nothing to fail */
    forget_rescued(f);
    const char *text = read_file(path);
    if (!is_balanced(text)) fail_msg("not well-formed: %s", text);
    assert_int_equal(text[0], '[');
    assert_int_equal(occurrences(text, "\"ph\": \"B\""), 5);
    assert_int_equal(occurrences(text, "\"ph\": \"E\""), 5);
    assert_int_equal(occurrences(text, "\"name\": \"collection\""), 2);
    assert_int_equal(occurrences(text, "\"name\": \"resurrection\""), 1);
    assert_int_equal(occurrences(text, "\"ts\": "), occurrences(text, "\"ph\": ") - occurrences(text, "\"ph\": \"M\""));

    assert_true(hwr_trace_begin(f->heap, path)); /* again, ended by the end of another heap at the latest */
    hwr_collect(f->heap, HWR_OLDEST);
    assert_true(hwr_trace_end(f->heap));
    assert_true(is_balanced(read_file(path)));
    hwr_options options = heap_fixture_options(f);
    hwr_heap *other = hwr_heap_open(&options);
    assert_true(hwr_trace_begin(other, path));
    hwr_collect(other, 0);
    hwr_heap_close(other);
    assert_true(is_balanced(read_file(path)));
    unlink(path);
}

static void a_trace_that_cannot_be_written_is_an_error(void **state) {
    heap_fixture *f = *state;
    errno = 0;
    assert_false(hwr_trace_begin(f->heap, "/nonexistent/trace.json"));
    assert_int_equal(errno, ENOENT);
    if (access("/dev/full", W_OK) == 0) {
        assert_true(hwr_trace_begin(f->heap, "/dev/full"));
        for (int i = 0; i < 1000; i++) hwr_collect(f->heap, 0);
        assert_false(hwr_trace_end(f->heap));
    }
    heap_fixture_expect_objects(f, 0);
}

int main(void) {
    static const heap_test tests[] = {
        HEAP_TEST(events_have_names, HEAP_ONCE),
        HEAP_TEST(a_collection_tells_its_story, HEAP_ANY),
        HEAP_TEST(a_finalizer_at_zero_is_an_event, HEAP_STRESSED),
        HEAP_TEST(want_of_memory_is_an_event, HEAP_ANY),
        HEAP_TEST(growth_is_an_event, HEAP_ANY),
        HEAP_TEST(listeners_hear_what_they_asked_for, HEAP_ANY),
        HEAP_TEST(counters_count, HEAP_ANY),
        HEAP_TEST(collections_without_memory_are_counted, HEAP_ANY),
        HEAP_TEST(a_trace_is_written, HEAP_ANY),
        HEAP_TEST(a_trace_that_cannot_be_written_is_an_error, HEAP_ANY),
    };
    return heap_fixture_run("events", tests, sizeof tests / sizeof tests[0]);
}
