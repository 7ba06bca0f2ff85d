/* Checked heaps: misuse. Every test runs in a child, which must end by SIGABRT with one message that names the object's address and type, the call
 * that allocated it and the call that found it. */
#define _GNU_SOURCE
#include "support/call_site.h"
#include "support/check.h"
#include "support/death.h"
#include "support/heap_fixture.h"
#include "support/sanitizer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a body that dies leaves for the parent to compare the message with: in memory that both share. */
typedef struct report {
    heap_fixture *fixture;
    void *object;
    size_t size; /* of what it allocates */
} report;

static report *shared_report;

typedef struct bytes {
    size_t length;
    unsigned char content[];
} bytes;
static const hwr_type bytes_type = HWR_TYPE(bytes, HWR_ITEMS(bytes, length, content, unsigned char));

/* All objects that are misused are allocated here, so that the allocating call is known. */
static __attribute__((noinline)) pair *allocate_here(report *r) {
    pair *p = hwr_new(r->fixture->heap, &pair_type);
    CHECK(p != NULL);
    r->object = p;
    return p;
}

static __attribute__((noinline)) bytes *allocate_bytes_here(report *r) {
    bytes *b = hwr_new_items(r->fixture->heap, &bytes_type, r->size);
    CHECK(b != NULL);
    r->object = b;
    return b;
}

static bool names_allocating_call(const char *message) {
    return call_site_named(message, "allocated by ", (void (*)(void))allocate_here, "allocate_here") ||
           call_site_named(message, "allocated by ", (void (*)(void))allocate_bytes_here, "allocate_bytes_here");
}

/* The message must name the call; of an object that is known also its type and where it was allocated. */
static void expect_message(const death *result, const char *what, const char *type, const char *call) {
    char expected[80];
    if (!death_by_abort(result))
        fail_msg("%s: not aborted (status 0x%x), but: %s", what, (unsigned)result->status, result->message);
    if (strncmp(result->message, "heapwright: ", 12) != 0 || strchr(result->message, '\n') == NULL ||
        (strchr(result->message, '\n')[1] != '\0' && !is_emulated())) /* an emulator adds a line of its own */
        fail_msg("not one line of ours: %s", result->message);
    if (strstr(result->message, what) == NULL) fail_msg("no \"%s\" in the message: %s", what, result->message);
    snprintf(expected, sizeof expected, "0x%zx", (size_t)(uintptr_t)shared_report->object);
    if (strstr(result->message, expected) == NULL)
        fail_msg("no address %s in the message: %s", expected, result->message);
    snprintf(expected, sizeof expected, "found by %s", call);
    if (strstr(result->message, expected) == NULL) fail_msg("no \"%s\" in the message: %s", expected, result->message);
    if (type == NULL) return;
    snprintf(expected, sizeof expected, "an object of type %s", type);
    if (strstr(result->message, expected) == NULL) fail_msg("no \"%s\" in the message: %s", expected, result->message);
    if (!names_allocating_call(result->message))
        fail_msg("the message does not name the allocating call: %s", result->message);
}

static void expect_death(heap_fixture *f, void (*body)(void *), const char *what, const char *type, const char *call) {
    static death result;
    shared_report->fixture = f;
    death_run(&result, body, shared_report);
    expect_message(&result, what, type, call);
}

/* ---- objects that are gone ---- */

static const char freed[] = "has been freed";

static void release_twice(void *argument) {
    report *r = argument;
    pair *p = allocate_here(r);
    hwr_release(r->fixture->heap, p);
    hwr_release(r->fixture->heap, p);
}

static void retain_freed(void *argument) {
    report *r = argument;
    pair *p = allocate_here(r);
    hwr_release(r->fixture->heap, p);
    hwr_retain(r->fixture->heap, p);
}

static void store_into_freed(void *argument) {
    report *r = argument;
    pair *other = hwr_new(r->fixture->heap, &pair_type), *p = allocate_here(r);
    hwr_release(r->fixture->heap, p);
    hwr_set(r->fixture->heap, p, &p->a, other);
}

static void store_freed(void *argument) {
    report *r = argument;
    pair *other = hwr_new(r->fixture->heap, &pair_type), *p = allocate_here(r);
    hwr_release(r->fixture->heap, p);
    hwr_set(r->fixture->heap, other, &other->a, p);
}

static void give_freed(void *argument) {
    report *r = argument;
    pair *other = hwr_new(r->fixture->heap, &pair_type), *p = allocate_here(r);
    hwr_release(r->fixture->heap, p);
    hwr_give(r->fixture->heap, other, &other->a, p);
}

static void overwrite_freed(void *argument) {
    report *r = argument;
    pair *other = hwr_new(r->fixture->heap, &pair_type), *p = allocate_here(r);
    hwr_set(r->fixture->heap, other, &other->a, p);
    hwr_release(r->fixture->heap, p);
    hwr_release(r->fixture->heap, p); /* the field's reference, which was not ours */
    hwr_set(r->fixture->heap, other, &other->a, NULL);
}

static void freed_with_work_between(void *argument) {
    report *r = argument;
    hwr_heap *heap = r->fixture->heap;
    pair *p = allocate_here(r);
    hwr_release(heap, p);
    for (int i = 0; i < 500; i++) hwr_release(heap, hwr_new(heap, &pair_type));
    hwr_collect(heap, HWR_OLDEST);
    hwr_release(heap, p);
}

static void use_collected(void *argument) {
    report *r = argument;
    pair *p = allocate_here(r);
    hwr_set(r->fixture->heap, p, &p->a, p);
    hwr_release(r->fixture->heap, p);
    CHECK(hwr_collect(r->fixture->heap, HWR_OLDEST) == 1);
    hwr_retain(r->fixture->heap, p);
}

static void use_of_what_is_gone_is_found(void **state) {
    expect_death(*state, release_twice, freed, "pair", "hwr_release");
    expect_death(*state, retain_freed, freed, "pair", "hwr_retain");
    expect_death(*state, store_into_freed, freed, "pair", "hwr_set");
    expect_death(*state, store_freed, freed, "pair", "hwr_set");
    expect_death(*state, give_freed, freed, "pair", "hwr_give");
    expect_death(*state, overwrite_freed, freed, "pair", "hwr_set");
    expect_death(*state, freed_with_work_between, freed, "pair", "hwr_release");
    expect_death(*state, use_collected, freed, "pair", "hwr_retain");
}

/* The other calls that take an object. */

static pair *freed_pair(report *r) {
    pair *p = allocate_here(r);
    hwr_release(r->fixture->heap, p);
    return p;
}

static bool visit_nothing(void *context, void *object) {
    (void)context;
    (void)object;
    return true;
}

static void make_handle(void *r) { hwr_handle_new(((report *)r)->fixture->heap, freed_pair(r)); }
static void make_weak(void *r) { hwr_weak_new(((report *)r)->fixture->heap, freed_pair(r), NULL, NULL); }
static void get_weak(void *r) { hwr_weak_get(((report *)r)->fixture->heap, (hwr_weak *)(void *)freed_pair(r)); }
static void count_weak(void *r) { hwr_weak_count(((report *)r)->fixture->heap, freed_pair(r)); }
static void ask_count(void *r) { hwr_refcount(((report *)r)->fixture->heap, freed_pair(r)); }
static void ask_id(void *r) { hwr_id(((report *)r)->fixture->heap, freed_pair(r)); }
static void ask_size(void *r) { hwr_sizeof(((report *)r)->fixture->heap, freed_pair(r), false); }
static void ask_tracked(void *r) { hwr_is_tracked(((report *)r)->fixture->heap, freed_pair(r)); }
static void ask_finalized(void *r) { hwr_is_finalized(((report *)r)->fixture->heap, freed_pair(r)); }
static void make_immortal(void *r) { hwr_make_immortal(((report *)r)->fixture->heap, freed_pair(r)); }
static void ask_referents(void *r) {
    hwr_get_referents(((report *)r)->fixture->heap, freed_pair(r), visit_nothing, NULL);
}
static void ask_referrers(void *r) {
    hwr_get_referrers(((report *)r)->fixture->heap, freed_pair(r), visit_nothing, NULL);
}
static void set_key(void *r) {
    hwr_heap *heap = ((report *)r)->fixture->heap;
    hwr_weak_keys_set(heap, hwr_weak_keys_new(heap), freed_pair(r), NULL);
}
static void set_value(void *r) {
    hwr_heap *heap = ((report *)r)->fixture->heap;
    hwr_weak_values_set(heap, hwr_weak_values_new(heap), "k", 1, freed_pair(r));
}
static void set_handle(void *r) {
    hwr_heap *heap = ((report *)r)->fixture->heap;
    hwr_handle_set(heap, hwr_handle_new(heap, NULL), freed_pair(r));
}

static void every_call_looks_at_its_object(void **state) {
    expect_death(*state, make_handle, freed, "pair", "hwr_");
    expect_death(*state, set_handle, freed, "pair", "hwr_");
    expect_death(*state, make_weak, freed, "pair", "hwr_");
    expect_death(*state, get_weak, freed, "pair", "hwr_");
    expect_death(*state, count_weak, freed, "pair", "hwr_");
    expect_death(*state, ask_count, freed, "pair", "hwr_");
    expect_death(*state, ask_id, freed, "pair", "hwr_");
    expect_death(*state, ask_size, freed, "pair", "hwr_");
    expect_death(*state, ask_tracked, freed, "pair", "hwr_");
    expect_death(*state, ask_finalized, freed, "pair", "hwr_");
    expect_death(*state, make_immortal, freed, "pair", "hwr_");
    expect_death(*state, ask_referents, freed, "pair", "hwr_");
    expect_death(*state, ask_referrers, freed, "pair", "hwr_");
    expect_death(*state, set_key, freed, "pair", "hwr_");
    expect_death(*state, set_value, freed, "pair", "hwr_");
}

/* ---- what is no object of the heap ---- */

static void *foreign;

static void retain_foreign(void *argument) {
    report *r = argument;
    r->object = foreign;
    hwr_retain(r->fixture->heap, foreign);
}

static void release_foreign(void *argument) {
    report *r = argument;
    r->object = foreign;
    hwr_release(r->fixture->heap, foreign);
}

static void store_foreign(void *argument) {
    report *r = argument;
    pair *p = allocate_here(r), *value = foreign;
    r->object = foreign;
    hwr_set(r->fixture->heap, p, &p->a, value);
}

static void foreign_pointers_are_found(void **state) {
    heap_fixture *f = *state;
    static pair in_data[2];
    pair on_stack = {NULL, NULL};
    hwr_options options = heap_fixture_options(f);
    hwr_heap *other = hwr_heap_open(&options);
    void *from_malloc = malloc(64), *block = hwr_alloc(f->heap, 64);
    pair *own = new_pair(f);
    void *pointers[] = {&in_data[1],     &on_stack,           (char *)from_malloc + 16, hwr_new(other, &pair_type),
                        (char *)own + 8, (char *)own + 40000, (void *)(uintptr_t)4096,  block};
    for (size_t i = 0; i < sizeof pointers / sizeof pointers[0]; i++) {
        foreign = pointers[i];
        expect_death(f, retain_foreign, "not an object", NULL, "hwr_retain");
        expect_death(f, release_foreign, "not an object", NULL, "hwr_release");
        expect_death(f, store_foreign, "not an object", NULL, "hwr_set");
    }
    hwr_release(f->heap, own);
    hwr_free(f->heap, block);
    free(from_malloc);
    hwr_heap_close(other);
}

static void store_beside(void *argument) {
    report *r = argument;
    pair *other = hwr_new(r->fixture->heap, &pair_type), *p = allocate_here(r);
    hwr_set(r->fixture->heap, p, &other->a, other);
}

static void store_behind(void *argument) {
    report *r = argument;
    pair *p = allocate_here(r), *next = p + 1;
    hwr_set(r->fixture->heap, p, &next->a, p);
}

static void store_in_small(void *argument) {
    report *r = argument;
    static const hwr_type small = {.name = "small", .size = 4};
    pair *p = allocate_here(r), *object = hwr_new(r->fixture->heap, &small);
    r->object = object;
    hwr_set(r->fixture->heap, object, &object->b, p);
}

static void a_store_outside_its_object_is_found(void **state) {
    expect_death(*state, store_beside, "outside", "pair", "hwr_set");
    expect_death(*state, store_behind, "outside", "pair", "hwr_set");
    expect_death(*state, store_in_small, "outside", NULL, "hwr_set");
}

/* ---- overflow ---- */

static void damage(report *r) {
    bytes *b = allocate_bytes_here(r);
    unsigned char *volatile end = b->content + r->size;
    *end = (unsigned char)(*end + 1);
}

static void overflow_and_release(void *argument) {
    report *r = argument;
    damage(r);
    hwr_release(r->fixture->heap, r->object);
}

static void overflow_and_retain(void *argument) {
    report *r = argument;
    damage(r);
    hwr_retain(r->fixture->heap, r->object);
}

static void overflow_and_die_with_its_owner(void *argument) {
    report *r = argument;
    damage(r);
    pair *owner = hwr_new(r->fixture->heap, &pair_type), *damaged = r->object;
    owner->a = damaged; /* not by hwr_give, which would find it */
    hwr_release(r->fixture->heap, owner);
}

static void overflow_and_collect(void *argument) {
    report *r = argument;
    damage(r);
    pair *owner = hwr_new(r->fixture->heap, &pair_type), *damaged = r->object;
    hwr_set(r->fixture->heap, owner, &owner->b, owner);
    owner->a = damaged;
    hwr_release(r->fixture->heap, owner);
    hwr_collect(r->fixture->heap, HWR_OLDEST);
}

static void a_write_past_the_end_is_found(void **state) {
    const size_t sizes[] = {0, 1, 7, 8, 9, 15, 16, 100, 1000, 8000, 60000, 100000, 3 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        shared_report->size = sizes[i];
        expect_death(*state, overflow_and_release, "past the end", "bytes", "hwr_release");
        expect_death(*state, overflow_and_retain, "past the end", "bytes", "hwr_retain");
        expect_death(*state, overflow_and_die_with_its_owner, "past the end", "bytes", "");
        expect_death(*state, overflow_and_collect, "past the end", "bytes", "");
    }
}

static void verify_reports_damage(void *argument) {
    report *r = argument;
    r->size = 50;
    bytes *b = allocate_bytes_here(r);
    const char *problem = NULL;
    CHECK(hwr_heap_verify(r->fixture->heap, &problem));
    b->content[50]++;
    CHECK(!hwr_heap_verify(r->fixture->heap, &problem) && problem != NULL && problem[0] != '\0');
    CHECK(!hwr_heap_verify(r->fixture->heap, NULL));
    b->content[50]--;
    CHECK(hwr_heap_verify(r->fixture->heap, NULL));
    hwr_release(r->fixture->heap, b);
}

static void verify_finds_damage(void **state) {
    static death result;
    shared_report->fixture = *state;
    death_run(&result, verify_reports_damage, shared_report);
    if (!death_avoided(&result)) fail_msg("status 0x%x: %s", (unsigned)result.status, result.message);
}

/* ---- writes after the end ---- */

static void write_after_free(void *argument) {
    report *r = argument;
    bytes *b = allocate_bytes_here(r);
    unsigned char *volatile content = b->content;
    hwr_release(r->fixture->heap, b);
    content[r->size / 2] = 0x44;
    for (int i = 0; i < 5000; i++) /* until the object leaves quarantine */
        hwr_release(r->fixture->heap, hwr_new(r->fixture->heap, &pair_type));
}

static void a_write_after_free_is_found(void **state) {
    const size_t sizes[] = {1, 16, 100, 5000, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        shared_report->size = sizes[i];
        expect_death(*state, write_after_free, "write into an object", "bytes", "");
    }
}

static void freed_memory_is_conspicuous(void **state) {
    heap_fixture *f = *state;
    static const hwr_type leaf = {.name = "leaf", .size = 64};
    unsigned char *object = hwr_new(f->heap, &leaf);
    assert_non_null(object);
    memset(object, 0, 64);
    hwr_release(f->heap, object);
    for (size_t i = 1; i < 64; i++) assert_int_equal(object[i], object[0]);
    assert_int_not_equal(object[0], 0);
}

/* ---- two threads at once ---- */

typedef struct intruder {
    hwr_heap *heap;
    void (*call)(hwr_heap *heap, void *object);
    void *object;
} intruder;

static intruder in;

static void *intrude(void *unused) {
    (void)unused;
    in.call(in.heap, in.object);
    return NULL;
}

/* A finalizer, so this thread is in the heap while the other one enters it. */
static void let_in(hwr_heap *heap, finalized *object) {
    (void)object;
    pthread_t thread;
    in.heap = heap;
    CHECK(pthread_create(&thread, NULL, intrude, NULL) == 0);
    pthread_join(thread, NULL);
}

static void two_threads(void *argument) {
    report *r = argument;
    finalized *object = hwr_new(r->fixture->heap, &finalized_type);
    in.object = hwr_new(r->fixture->heap, &pair_type);
    r->object = r->fixture->heap;
    object->more = let_in;
    hwr_release(r->fixture->heap, object);
}

static void retain_in_thread(hwr_heap *heap, void *object) { hwr_retain(heap, object); }
static void release_in_thread(hwr_heap *heap, void *object) { hwr_release(heap, object); }
static void set_in_thread(hwr_heap *heap, void *object) { hwr_set(heap, object, &((pair *)object)->a, (pair *)object); }
static void new_in_thread(hwr_heap *heap, void *object) {
    (void)object;
    hwr_new(heap, &pair_type);
}
static void new_items_in_thread(hwr_heap *heap, void *object) {
    (void)object;
    hwr_new_items(heap, &bytes_type, 10);
}
static void collect_in_thread(hwr_heap *heap, void *object) {
    (void)object;
    hwr_collect(heap, 0);
}
static void alloc_in_thread(hwr_heap *heap, void *object) {
    (void)object;
    hwr_alloc(heap, 10);
}
static void weak_in_thread(hwr_heap *heap, void *object) { hwr_weak_new(heap, object, NULL, NULL); }
static void handle_in_thread(hwr_heap *heap, void *object) { hwr_handle_new(heap, object); }
static void verify_in_thread(hwr_heap *heap, void *object) {
    (void)object;
    hwr_heap_verify(heap, NULL);
}

static void two_threads_at_once_are_found(void **state) {
    static const struct {
        void (*call)(hwr_heap *heap, void *object);
        const char *name;
    } calls[] = {{retain_in_thread, "hwr_retain"},
                 {release_in_thread, "hwr_release"},
                 {set_in_thread, "hwr_set"},
                 {new_in_thread, "hwr_new"},
                 {new_items_in_thread, "hwr_new_items"},
                 {collect_in_thread, "hwr_collect"},
                 {alloc_in_thread, "hwr_alloc"},
                 {weak_in_thread, "hwr_weak_new"},
                 {handle_in_thread, "hwr_handle_new"},
                 {verify_in_thread, "hwr_heap_verify"}};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        in.call = calls[i].call;
        expect_death(*state, two_threads, "two threads", NULL, calls[i].name);
    }
}

/* One after the other is allowed. */
static void *use_heap(void *argument) {
    hwr_heap *heap = argument;
    for (int i = 0; i < 1000; i++) {
        pair *p = hwr_new(heap, &pair_type);
        CHECK(p != NULL);
        hwr_set(heap, p, &p->a, p);
        if (i % 2 == 0) hwr_set(heap, p, &p->a, NULL);
        hwr_release(heap, p);
    }
    hwr_collect(heap, HWR_OLDEST);
    return NULL;
}

static void threads_may_take_turns(void **state) {
    heap_fixture *f = *state;
    for (int i = 0; i < 5; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, use_heap, f->heap), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        use_heap(f->heap);
    }
    heap_fixture_expect_objects(f, 0);
}

int main(void) {
    static const heap_test tests[] = {
        HEAP_TEST(use_of_what_is_gone_is_found, HEAP_CHECKED),
        HEAP_TEST(every_call_looks_at_its_object, HEAP_CHECKED),
        HEAP_TEST(foreign_pointers_are_found, HEAP_CHECKED),
        HEAP_TEST(a_store_outside_its_object_is_found, HEAP_CHECKED),
        HEAP_TEST(a_write_past_the_end_is_found, HEAP_CHECKED),
        HEAP_TEST(verify_finds_damage, HEAP_CHECKED),
        HEAP_TEST(a_write_after_free_is_found, HEAP_CHECKED),
        HEAP_TEST(freed_memory_is_conspicuous, HEAP_CHECKED),
        HEAP_TEST(two_threads_at_once_are_found, HEAP_CHECKED),
        HEAP_TEST(threads_may_take_turns, HEAP_CHECKED | HEAP_STRESSED),
    };
    shared_report = death_share(sizeof *shared_report);
    return heap_fixture_run("misuse of heaps", tests, sizeof tests / sizeof tests[0]);
}
