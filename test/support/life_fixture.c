/* What the tests of handles, weak references and finalizers have in common: see the header. */
#define _POSIX_C_SOURCE 200809L
#include "support/life_fixture.h"

static void note_finalized(hwr_heap *h, void *object);
const hwr_type plain_thing = HWR_TYPE(thing, HWR_REFS(thing, next));
const hwr_type mortal_thing = HWR_TYPE(thing, HWR_REFS(thing, next), .finalize = note_finalized);
const hwr_type critical_thing =
    HWR_TYPE(thing, HWR_REFS(thing, next), .finalize = note_finalized, .flags = HWR_CRITICAL);

hwr_heap *heap;
hwr_roots roots_of_heap;
static pthread_mutex_t noting = PTHREAD_MUTEX_INITIALIZER;
int noted[NOTED_MOST];
size_t noted_count;

static void note(int number) {
    pthread_mutex_lock(&noting);
    CHECK(noted_count < NOTED_MOST);
    noted[noted_count++] = number;
    pthread_mutex_unlock(&noting);
}

void (*in_finalizer)(thing *it); /* what finalizers do besides; NULL: nothing */

static void note_finalized(hwr_heap *h, void *object) {
    CHECK(h == heap);
    note(((thing *)object)->number);
    if (in_finalizer) in_finalizer(object);
}

static void open_with(bool manual, size_t limit) {
    hwr_options options = {.size = sizeof options,
                           .collector = HWR_TRACING,
                           .limit = limit,
                           .roots = roots_of_heap,
                           .nursery = 64 << 10,
                           .manual_finalizers = manual};
    heap = hwr_heap_open(&options);
    assert_non_null(heap);
    noted_count = 0;
    in_finalizer = NULL;
}
void open_heap(bool manual) { open_with(manual, 0); }
void open_limited_heap(size_t limit) { open_with(true, limit); }

void close_heap(void) {
    const char *problem = "";
    if (!hwr_heap_verify(heap, &problem)) fail_msg("%s", problem);
    hwr_heap_close(heap);
}

/* ---- making things ---- */

/* Only for those who store it somewhere before the next allocation. */
thing *new_thing(const hwr_type *type, int number) {
    thing *it = hwr_new(heap, type);
    CHECK(it);
    it->number = number;
    return it;
}

static void *call_apart(void *body) {
    CHECK(hwr_thread_attach(heap));
    (*(void (**)(void))body)();
    hwr_thread_detach(heap);
    return NULL;
}

void apart(void (*body)(void)) {
    pthread_t thread;
    hwr_leave(heap);
    CHECK(pthread_create(&thread, NULL, call_apart, &body) == 0);
    pthread_join(thread, NULL);
    hwr_return(heap);
}

/* Nor is it in what the frames of the collector do not write. */
OFF_STACK static void wipe_stack(void) {
    volatile char below[4096];
    for (size_t i = 0; i < sizeof below; i++) below[i] = 0;
}

void collect_young(void) {
    wipe_stack();
    hwr_collect_with(heap, 0, HWR_COLLECT_DEFAULT);
}

void collect_all(void) {
    wipe_stack();
    hwr_collect_with(heap, HWR_OLDEST, HWR_COLLECT_DEFAULT);
}

void finalize_all(size_t expected) {
    int rounds = roots_of_heap == HWR_ROOTS_EXACT ? 1 : 10;
    do {
        collect_all();
        hwr_wait_for_finalizers(heap);
    } while (--rounds && noted_by_now() < expected);
}

OFF_STACK int number_at(const hwr_handle *handle) {
    const thing *it = hwr_handle_get(heap, handle);
    return it ? it->number : -1;
}

OFF_STACK int second_at(const hwr_handle *handle) {
    const thing *it = hwr_handle_second(heap, handle);
    return it ? it->number : -1;
}

OFF_STACK hwr_handle *new_handle(hwr_handle_kind kind, const hwr_type *type, int number) {
    hwr_handle *handle = hwr_handle_new_kind(heap, new_thing(type, number), kind);
    CHECK(handle);
    return handle;
}

hwr_handle *handles[HANDLES], *weak[HANDLES];

void free_handles(hwr_handle **all, size_t count) {
    for (size_t i = 0; i < count; i++) hwr_handle_free(heap, all[i]);
}

const void *called[10];
int argument_of[10];
size_t called_count;

size_t noted_by_now(void) {
    pthread_mutex_lock(&noting);
    size_t count = noted_count;
    pthread_mutex_unlock(&noting);
    return count;
}

void note_call(hwr_heap *h, hwr_weak *w, void *argument) {
    CHECK(h == heap && called_count < 10 && !hwr_weak_get(h, w));
    called[called_count] = w;
    argument_of[called_count++] = ((thing *)argument)->number;
}
