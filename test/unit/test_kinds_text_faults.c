/* str, bytes and bytearray without memory: every operation of raw that a workload needs fails once, and then for good from there on. What is refused leaves everything as it
 * was, the heap verifies, and in the end all objects are gone. */
#include "heapwright/sequence.h"
#include "heapwright/tracing.h"

#include "support/sanitizer.h"
#include "support/text_check.h"

enum { KEPT = 40, INTERNED = 1000, APPENDED = 1500, VERIFIED = 3 };

typedef struct workload {
    heap_fixture f; /* with a heap of its own */
    void *kept[KEPT], *texts[INTERNED];
    size_t count;
    size_t refused;
    bool shown; /* these are roots */
} workload;

static workload w;

/* Whether something was done; if not, there was no memory, and the heap is none the worse. */
static bool done(hwr_result result) {
    const char *problem = "";
    if (result == HWR_OK) return true;
    assert_int_equal(result, HWR_NO_MEMORY);
    assert_true(backend_failures(&w.f.backend) > 0);
    if (w.refused++ < VERIFIED && !hwr_heap_verify(w.f.heap, &problem) && strstr(problem, "memory") == NULL)
        fail_msg("%s", problem);
    return false;
}

static bool made(const void *object) { return done(object != NULL ? HWR_OK : HWR_NO_MEMORY); }

static void *keep(void *object) {
    assert_true(w.count < KEPT);
    return w.kept[w.count++] = object;
}

/* Any of these characters, so many times; NULL if refused. */
static void *repeated(const char *utf8, size_t times) {
    void *piece = NULL, *text = NULL;
    if (!done(hwr_str(w.f.heap, utf8, &piece))) return NULL;
    if (!done(hwr_str_repeat(w.f.heap, piece, times, &text))) text = NULL;
    hwr_release(w.f.heap, piece);
    return text;
}

static void expect_repeated(const void *text, const char *utf8, size_t from, size_t to) {
    void *piece = NULL;
    if (!done(hwr_str(w.f.heap, utf8, &piece))) return;
    size_t length = hwr_str_length(piece);
    for (size_t i = from; i < to; i += 1 + (i - from) / 50)
        assert_int_equal(hwr_str_at(text, i), hwr_str_at(piece, (i - from) % length));
    hwr_release(w.f.heap, piece);
}

static void put_together(void) {
    void *a = keep(repeated("abc", 20000)), *b = keep(repeated("\u4e2d\u6587", 30000)), *both = NULL, *part = NULL;
    if (a == NULL || b == NULL) return;
    if (done(hwr_str_concat(w.f.heap, a, b, &both))) {
        expect_repeated(both, "abc", 0, 60000);
        expect_repeated(both, "\u4e2d\u6587", 60000, 120000);
        if (done(hwr_str_slice(w.f.heap, both, 3000, 50000, &part))) expect_repeated(part, "abc", 0, 47000);
        hwr_release(w.f.heap, part);
    }
    hwr_release(w.f.heap, both);
    void *items[] = {a, b, a}, *tuple = hwr_tuple(w.f.heap, items, 3), *joined = NULL;
    if (made(tuple) && done(hwr_str_join(w.f.heap, a, tuple, &joined)))
        assert_int_equal(hwr_str_length(joined), 300000);
    hwr_release(w.f.heap, joined);
    hwr_release(w.f.heap, tuple);
}

static void append_often(const char *first, const char *more) {
    void *text = NULL, *tail = NULL;
    if (!done(hwr_str(w.f.heap, first, &text))) return;
    size_t start = hwr_str_length(text), length = start;
    if (done(hwr_str(w.f.heap, more, &tail)))
        for (size_t i = 0; i < APPENDED; i++) {
            length += done(hwr_str_append(w.f.heap, &text, tail)) ? hwr_str_length(tail) : 0;
            assert_int_equal(hwr_str_length(text), length);
        }
    hwr_release(w.f.heap, tail);
    expect_repeated(text, first, 0, start);
    expect_repeated(text, more, start, length);
    keep(text);
}

static void intern_many(void) {
    void **texts = w.texts;
    for (size_t i = 0; i < INTERNED; i++) {
        char utf8[] = "interned ____";
        for (size_t at = 9, rest = i; at < 13; at++, rest /= 10) utf8[at] = (char)('0' + rest % 10);
        texts[i] = NULL;
        if (!done(i % 2 ? hwr_str_interned(w.f.heap, utf8, 13, &texts[i]) : hwr_str(w.f.heap, utf8, &texts[i])))
            continue;
        void *was = texts[i], *again = NULL;
        bool interned = done(hwr_str_intern(w.f.heap, &texts[i]) ? HWR_OK : HWR_NO_MEMORY);
        assert_ptr_equal(texts[i], was);
        if (!interned || !done(hwr_str(w.f.heap, utf8, &again))) continue;
        if (done(hwr_str_intern(w.f.heap, &again) ? HWR_OK : HWR_NO_MEMORY)) assert_ptr_equal(again, was);
        hwr_release(w.f.heap, again);
    }
    for (size_t i = 0; i < INTERNED; i++) {
        hwr_release(w.f.heap, texts[i]);
        texts[i] = NULL;
    }
}

static void change_bytes(void) {
    void *array = hwr_bytearray(w.f.heap, "01234567", 8), *bytes = NULL;
    size_t size = 8, found = 0;
    if (!made(array)) return;
    for (size_t i = 0; i < 16; i++) {
        bool grown = hwr_bytearray_append(w.f.heap, array, hwr_bytearray_get(array, &found), size);
        if (made(grown ? array : NULL)) size *= 2;
    }
    const unsigned char *data = hwr_bytearray_get(array, &found);
    assert_int_equal(found, size);
    for (size_t i = 0; i < size; i += 1 + i / 50) assert_int_equal(data[i], '0' + i % 8);
    if (done(hwr_bytes_slice(w.f.heap, array, 8, size, &bytes)))
        assert_memory_equal(hwr_bytes_get(bytes, &found), data, size - 8);
    hwr_release(w.f.heap, bytes);
    if (made(hwr_bytearray_resize(w.f.heap, array, 2 * size) ? array : NULL)) size *= 2;
    assert_true(hwr_bytearray_resize(w.f.heap, array, size / 3)); /* never refused */
    bytes = keep(hwr_bytes(w.f.heap, hwr_bytearray_get(array, &found), size / 3));
    if (made(bytes)) assert_memory_equal(hwr_bytes_get(bytes, &found), "01234567", size / 3 < 8 ? size / 3 : 8);
    if (made(bytes) && done(hwr_bytes_concat(w.f.heap, bytes, array, &bytes))) hwr_release(w.f.heap, bytes);
    keep(array);
}

static void write_reprs(void) {
    for (size_t i = 0; i < w.count; i++) {
        void *repr = NULL;
        if (w.kept[i] != NULL && done(hwr_repr(w.f.heap, w.kept[i], &repr))) assert_true(hwr_str_length(repr) > 10);
        hwr_release(w.f.heap, repr);
    }
}

static void play(void) {
    append_often("a first text", "and more, and more, and more");
    append_often("\u4e2d\u6587", "a longer one");
    append_often("abc", "\U0001f600\u00e9\u4e2d");
    put_together();
    intern_many();
    change_bytes();
    write_reprs();
}

static void release_all(void) {
    while (w.count > 0) {
        hwr_release(w.f.heap, w.kept[--w.count]);
        w.kept[w.count] = NULL;
    }
}

static void show(hwr_heap *heap, hwr_visitor *visitor, void *context) {
    (void)heap, (void)context;
    for (size_t i = 0; i < KEPT; i++) HWR_VISIT(visitor, w.kept[i]);
    for (size_t i = 0; i < INTERNED; i++) HWR_VISIT(visitor, w.texts[i]);
}

static bool opened(void) {
    w.shown = w.shown || hwr_roots_add(w.f.heap, show, NULL);
    return w.shown && hwr_kinds_open(w.f.heap);
}

/* When there is memory again everything works, and nothing has been left. */
static void recover(bool thoroughly) {
    size_t refused = w.refused;
    assert_true(opened());
    release_all();
    size_t before = objects_before(&w.f);
    if (thoroughly)
        play();
    else
        intern_many();
    assert_int_equal(w.refused, refused);
    release_all();
    heap_fixture_expect_objects(&w.f, before);
}

/* Returns how many operations of raw failed. */
static size_t failures_with(const heap_fixture *f, uint64_t nth, bool for_good) {
    w = (workload){.f = *f};
    backend_open(&w.f.backend, f->config.kind, 0);
    hwr_raw_inject_fault(w.f.backend.raw, HWR_FAULT_ALL, nth, for_good);
    hwr_options options = heap_fixture_options(&w.f);
    w.f.heap = hwr_heap_open(&options);
    if (w.f.heap != NULL && done(opened() ? HWR_OK : HWR_NO_MEMORY)) play();
    size_t failures = backend_failures(&w.f.backend);
    hwr_raw_inject_fault(w.f.backend.raw, 0, 0, false);
    if (w.f.heap != NULL) recover(nth % 16 == 1);
    hwr_heap_close(w.f.heap);
    backend_close(&w.f.backend);
    return failures;
}

static void every_operation_fails(const heap_fixture *f, bool for_good) {
    size_t unavoidable = failures_with(f, 0, false);
    uint64_t step = heap_fixture_fault_step() * (runs_slowly() ? 5 : 1);
    uint64_t nth = 1;
    while (nth < 10000 && failures_with(f, nth, for_good) != unavoidable) nth += step;
    assert_true(nth < 10000);
    assert_true(nth > 20);
}

static void anything_fails_once(void **state) { every_operation_fails(*state, false); }
static void anything_fails_for_good(void **state) { every_operation_fails(*state, true); }

int main(void) {
    static const heap_test tests[] = {
        HEAP_TEST(anything_fails_once, HEAP_FEW),
        HEAP_TEST(anything_fails_for_good, HEAP_FEW | HEAP_STRESSED),
    };
    return heap_fixture_run("kinds: text without memory", tests, sizeof tests / sizeof *tests);
}
