/* Death at zero: finalizers, resurrection, the order of things, and as little C stack however deep it goes. */
#define _GNU_SOURCE
#include "support/check.h"
#include "support/heap_fixture.h"
#include "support/sanitizer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- finalizers ---- */

static void a_finalizer_runs_once_with_all_intact(void **state) {
    heap_fixture *f = *state;
    size_t calls = 0, others = 0;
    finalized *object = new_finalized(f, &calls), *child = new_finalized(f, &others);
    object->a = NULL;
    hwr_give(f->heap, object, &object->b, (void *)child);
    assert_false(hwr_is_finalized(f->heap, object));
    hwr_release(f->heap, object);
    assert_int_equal(calls, 1);
    assert_int_equal(others, 1);
    heap_fixture_expect_objects(f, 0);
}

/* What happened, in order: names of objects. */
static char story[200];

typedef struct named {
    char name;
    void *a, *b, *c;
    void (*act)(hwr_heap *heap, struct named *object); /* what it does besides being noted down */
} named;

static void note_death(hwr_heap *heap, void *object) {
    named *n = object;
    size_t length = strlen(story);
    if (length + 1 < sizeof story) story[length] = n->name;
    if (n->act != NULL) n->act(heap, n);
}

static const hwr_type named_type = HWR_TYPE(named, HWR_REFS(named, a, b, c), .finalize = note_death);

static named *new_named(const heap_fixture *f, char name, void *a, void *b, void *c) {
    named *n = hwr_new(f->heap, &named_type);
    assert_non_null(n);
    n->name = name;
    hwr_give(f->heap, n, &n->a, a);
    hwr_give(f->heap, n, &n->b, b);
    hwr_give(f->heap, n, &n->c, c);
    return n;
}

static void expect_story(const char *expected) {
    if (strcmp(story, expected) != 0) fail_msg("the story was \"%s\", not \"%s\"", story, expected);
    memset(story, 0, sizeof story);
}

/* Depth first, fields in order, as CPython's deallocators. */
static void deaths_come_depth_first(void **state) {
    heap_fixture *f = *state;
    memset(story, 0, sizeof story);
    named *c = new_named(f, 'c', NULL, NULL, NULL), *d = new_named(f, 'd', NULL, NULL, NULL);
    named *b = new_named(f, 'b', c, NULL, d), *e = new_named(f, 'e', NULL, NULL, NULL);
    named *a = new_named(f, 'a', b, e, new_named(f, 'f', NULL, NULL, NULL));
    hwr_release(f->heap, a);
    expect_story("abcdef");
    named *shared = new_named(f, 's', NULL, NULL, NULL);
    hwr_retain(f->heap, shared);
    a = new_named(f, 'a', new_named(f, 'b', shared, NULL, NULL), new_named(f, 'c', shared, NULL, NULL), NULL);
    hwr_release(f->heap, a);
    expect_story("abcs");
    heap_fixture_expect_objects(f, 0);
}

static hwr_handle *rescue;

static void come_back(hwr_heap *heap, named *object) { hwr_handle_set(heap, rescue, object); }

static void a_finalizer_may_bring_its_object_back(void **state) {
    heap_fixture *f = *state;
    memset(story, 0, sizeof story);
    rescue = hwr_handle_new(f->heap, NULL);
    named *child = new_named(f, 'c', NULL, NULL, NULL);
    named *n = new_named(f, 'n', child, NULL, NULL);
    n->act = come_back;
    hwr_release(f->heap, n);
    expect_story("n");
    heap_fixture_expect_objects(f, 2);
    assert_int_equal(hwr_refcount(f->heap, n), 1);
    assert_int_equal(hwr_refcount(f->heap, child), 1);
    assert_ptr_equal(n->a, child);
    assert_true(hwr_is_finalized(f->heap, n));
    hwr_handle_set(f->heap, rescue, NULL); /* now for good, and without another call */
    expect_story("c");
    heap_fixture_expect_objects(f, 0);
    hwr_handle_free(f->heap, rescue);
}

static void bring_child_back(hwr_heap *heap, named *object) { hwr_handle_set(heap, rescue, object->a); }

static void a_finalizer_may_keep_what_its_object_refers_to(void **state) {
    heap_fixture *f = *state;
    memset(story, 0, sizeof story);
    rescue = hwr_handle_new(f->heap, NULL);
    named *child = new_named(f, 'c', NULL, NULL, NULL), *n = new_named(f, 'n', child, NULL, NULL);
    n->act = bring_child_back;
    hwr_release(f->heap, n);
    expect_story("n");
    heap_fixture_expect_objects(f, 1);
    assert_ptr_equal(hwr_handle_get(f->heap, rescue), child);
    hwr_handle_free(f->heap, rescue);
    expect_story("c");
}

static void drop_child(hwr_heap *heap, named *object) {
    hwr_set(heap, object, &object->a, NULL);
    strcat(story, "-");
}

/* A death inside a finalizer is complete when it returns. */
static void what_a_finalizer_releases_dies_at_once(void **state) {
    heap_fixture *f = *state;
    memset(story, 0, sizeof story);
    named *grandchild = new_named(f, 'g', NULL, NULL, NULL), *child = new_named(f, 'c', grandchild, NULL, NULL);
    named *n = new_named(f, 'n', child, new_named(f, 'o', NULL, NULL, NULL), NULL);
    n->act = drop_child;
    hwr_release(f->heap, n);
    expect_story("ncg-o");
    heap_fixture_expect_objects(f, 0);
}

static void allocate_and_collect(hwr_heap *heap, named *object) {
    static const hwr_type leaf = {.name = "leaf", .size = 100};
    for (int i = 0; i < 100; i++) {
        void *fresh = hwr_new(heap, i % 2 == 0 ? &leaf : &pair_type);
        CHECK(fresh != NULL);
        hwr_release(heap, fresh);
    }
    hwr_collect(heap, HWR_OLDEST);
    CHECK(hwr_heap_verify(heap, NULL));
    CHECK(object->b != NULL && hwr_refcount(heap, object->b) == 1);
}

static void finalizers_may_allocate_and_collect(void **state) {
    heap_fixture *f = *state;
    memset(story, 0, sizeof story);
    pair *garbage = new_cycle(f, 20);
    named *last = NULL;
    for (char name = 'z'; name >= 'a'; name--) {
        last = new_named(f, name, last, new_pair(f), new_pair(f));
        last->act = allocate_and_collect;
    }
    hwr_release(f->heap, garbage);
    hwr_release(f->heap, last);
    expect_story("abcdefghijklmnopqrstuvwxyz");
    heap_fixture_expect_objects(f, 0);
}

static size_t left_to_make;

static void leave_another(hwr_heap *heap, named *object) {
    (void)object;
    if (left_to_make == 0) return;
    left_to_make--;
    named *n = hwr_new(heap, &named_type);
    CHECK(n != NULL);
    n->act = leave_another;
    hwr_release(heap, n);
}

/* Each dies inside the finalizer of the one before. From some depth on the death waits until there is stack again. */
static void finalizers_may_nest(void **state) {
    heap_fixture *f = *state;
    left_to_make = 30000;
    named *n = new_named(f, '.', NULL, NULL, NULL);
    n->act = leave_another;
    hwr_release(f->heap, n);
    assert_int_equal(left_to_make, 0);
    heap_fixture_expect_objects(f, 0);
}

/* ---- deep structures die in a thread with a small stack ---- */

typedef struct deep {
    heap_fixture *fixture;
    void (*body)(heap_fixture *f);
} deep;

static void *run_deep(void *argument) {
    deep *d = argument;
    d->body(d->fixture);
    return NULL;
}

/* 64 KiB, or what sanitizers and emulators need to start a thread. */
static void in_a_small_stack(heap_fixture *f, void (*body)(heap_fixture *f)) {
    deep d = {f, body};
    pthread_attr_t attributes;
    pthread_t thread;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, (size_t)(runs_slowly() ? 256 : 64) << 10), 0);
    assert_int_equal(pthread_create(&thread, &attributes, run_deep, &d), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pthread_attr_destroy(&attributes), 0);
    heap_fixture_expect_objects(f, 0);
}

/* 10,000,000 on a plain heap; fewer where everything is checked, or slow. */
static size_t deep_length(const heap_fixture *f) {
    bool plain = !f->config.checked && f->config.kind == HWR_RAW_SYSTEM && !runs_slowly();
    return plain ? 10000000 : 300000;
}

static size_t finalizers_called;

static void count_call(hwr_heap *heap, void *object) {
    (void)heap;
    (void)object;
    finalizers_called++;
}

typedef struct link {
    void *next, *other;
} link;
static const hwr_type link_type = HWR_TYPE(link, HWR_REFS(link, next, other));
static const hwr_type last_link_type = HWR_TYPE(link, HWR_REFS(link, other, next)); /* given up in the other order */
static const hwr_type finalized_link_type = HWR_TYPE(link, HWR_REFS(link, next, other), .finalize = count_call);
static const hwr_type acyclic_link_type = HWR_TYPE(link, HWR_REFS(link, next, other), .flags = HWR_ACYCLIC);

static void trace_link(void *object, hwr_visitor *visitor) { HWR_VISIT(visitor, ((link *)object)->next); }
static const hwr_type traced_link_type = HWR_TYPE(link, .trace = trace_link);

static link *make_list(heap_fixture *f, const hwr_type *type, size_t length) {
    link *list = NULL;
    hwr_disable(f->heap);
    for (size_t i = 0; i < length; i++) {
        link *head = hwr_new(f->heap, type);
        CHECK(head != NULL);
        hwr_give(f->heap, head, &head->next, (void *)list);
        list = head;
    }
    return list;
}

static void list_dies(heap_fixture *f) { hwr_release(f->heap, make_list(f, &link_type, deep_length(f))); }

static void a_long_list_dies(void **state) { in_a_small_stack(*state, list_dies); }

static void other_lists_die(heap_fixture *f) {
    size_t length = deep_length(f) / 10;
    hwr_release(f->heap, make_list(f, &last_link_type, length));
    hwr_release(f->heap, make_list(f, &acyclic_link_type, length));
    hwr_release(f->heap, make_list(f, &traced_link_type, length));
}

static void long_lists_of_other_types_die(void **state) { in_a_small_stack(*state, other_lists_die); }

static void finalized_list_dies(heap_fixture *f) {
    size_t length = deep_length(f);
    finalizers_called = 0;
    hwr_release(f->heap, make_list(f, &finalized_link_type, length));
    CHECK(finalizers_called == length);
}

static void a_long_chain_through_finalizers_dies(void **state) { in_a_small_stack(*state, finalized_list_dies); }

/* Each node of a list holds a leaf in its other field: a tree that degenerates to one side, whichever is given up first. */
static void trees_die(heap_fixture *f) {
    const hwr_type *types[] = {&link_type, &last_link_type};
    for (size_t t = 0; t < 2; t++) {
        link *tree = NULL;
        for (size_t i = 0; i < deep_length(f) / 2; i++) {
            link *node = hwr_new(f->heap, types[t]), *leaf = hwr_new(f->heap, types[t]);
            CHECK(node != NULL && leaf != NULL);
            hwr_give(f->heap, node, &node->next, (void *)tree);
            hwr_give(f->heap, node, &node->other, (void *)leaf);
            tree = node;
        }
        hwr_release(f->heap, tree);
    }
}

static void degenerate_trees_die(void **state) { in_a_small_stack(*state, trees_die); }

/* What dies needs a place to wait in; where there is none it is found again. */
static void without_memory_all_die_as_well(void **state) {
    heap_fixture *f = *state;
    const hwr_type *types[] = {&link_type, &finalized_link_type, &acyclic_link_type};
    enum { DEPTH = 2000 };
    hwr_disable(f->heap);
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        link *tree = NULL;
        for (size_t i = 0; i < DEPTH; i++) {
            link *node = hwr_new(f->heap, types[t]), *leaf = hwr_new(f->heap, types[t]);
            assert_true(node != NULL && leaf != NULL);
            hwr_give(f->heap, node, &node->next, (void *)tree);
            hwr_give(f->heap, node, &node->other, (void *)leaf);
            tree = node;
        }
        heap_fixture_take_all_memory(f);
        finalizers_called = 0;
        hwr_release(f->heap, tree);
        assert_int_equal(finalizers_called, types[t] == &finalized_link_type ? 2 * DEPTH : 0);
        heap_fixture_give_memory_back(f);
        heap_fixture_expect_objects(f, 0);
    }
}

/* Every node's finalizer gives up its own reference to the next: deaths in finalizers in deaths. */
static void drop_next(hwr_heap *heap, void *object) {
    link *l = object;
    finalizers_called++;
    hwr_set(heap, l, &l->next, NULL);
}
static const hwr_type dropping_link_type = HWR_TYPE(link, HWR_REFS(link, next, other), .finalize = drop_next);

static void dropping_list_dies(heap_fixture *f) {
    size_t length = deep_length(f) / 10;
    finalizers_called = 0;
    hwr_release(f->heap, make_list(f, &dropping_link_type, length));
    CHECK(finalizers_called == length);
}

static void a_chain_that_finalizers_cut_dies(void **state) { in_a_small_stack(*state, dropping_list_dies); }

typedef struct fan {
    size_t length;
    void *items[];
} fan;
static const hwr_type fan_type = HWR_TYPE(fan, HWR_REF_ITEMS(fan, length, items));

/* Wide, and wide below that; then a list of which each node has one item. */
static void fans_die(heap_fixture *f) {
    size_t width = deep_length(f) > 1000000 ? 2000 : 300;
    fan *top = hwr_new_items(f->heap, &fan_type, width);
    for (size_t i = 0; i < width; i++) {
        fan *below = hwr_new_items(f->heap, &fan_type, width);
        for (size_t k = 0; k < width; k++)
            hwr_give(f->heap, below, &below->items[k], hwr_new(f->heap, &finalized_link_type));
        hwr_give(f->heap, top, &top->items[i], (void *)below);
    }
    finalizers_called = 0;
    hwr_release(f->heap, top);
    CHECK(finalizers_called == width * width);
    fan *list = NULL;
    for (size_t i = 0; i < deep_length(f) / 10; i++) {
        fan *head = hwr_new_items(f->heap, &fan_type, 2);
        CHECK(head != NULL);
        hwr_give(f->heap, head, &head->items[i % 2], (void *)list);
        list = head;
    }
    hwr_release(f->heap, list);
}

static void wide_structures_die(void **state) { in_a_small_stack(*state, fans_die); }

/* The same as garbage: the collector must not recurse either, neither in finding nor in freeing. */
static void rings_are_collected(heap_fixture *f) {
    size_t length = deep_length(f) / 5;
    const hwr_type *types[] = {&link_type, &finalized_link_type};
    for (size_t t = 0; t < 2; t++) {
        link *list = make_list(f, types[t], length - 1), *last = hwr_new(f->heap, types[t]);
        hwr_give(f->heap, last, &last->next, (void *)list);
        link *end = list;
        while (end->next != NULL) end = end->next;
        hwr_give(f->heap, end, &end->next, (void *)last);
        finalizers_called = 0;
        CHECK(hwr_collect(f->heap, HWR_OLDEST) == length);
        CHECK(finalizers_called == (t == 0 ? 0 : length));
    }
}

static void long_rings_are_collected(void **state) { in_a_small_stack(*state, rings_are_collected); }

/* Alive, deep, and out of order. */
static void deep_heap_is_visited(heap_fixture *f) {
    link *list = make_list(f, &link_type, deep_length(f) / 5);
    CHECK(hwr_collect(f->heap, HWR_OLDEST) == 0);
    CHECK(hwr_heap_verify(f->heap, NULL));
    hwr_release(f->heap, list);
}

static void a_deep_heap_is_collected_and_verified(void **state) { in_a_small_stack(*state, deep_heap_is_visited); }

int main(void) {
    static const heap_test tests[] = {
        HEAP_TEST(a_finalizer_runs_once_with_all_intact, HEAP_STRESSED),
        HEAP_TEST(deaths_come_depth_first, HEAP_STRESSED),
        HEAP_TEST(a_finalizer_may_bring_its_object_back, HEAP_STRESSED),
        HEAP_TEST(a_finalizer_may_keep_what_its_object_refers_to, HEAP_STRESSED),
        HEAP_TEST(what_a_finalizer_releases_dies_at_once, HEAP_STRESSED),
        HEAP_TEST(finalizers_may_allocate_and_collect, HEAP_STRESSED),
        HEAP_TEST(finalizers_may_nest, HEAP_ANY),
        HEAP_TEST(a_long_list_dies, HEAP_ANY),
        HEAP_TEST(long_lists_of_other_types_die, HEAP_ANY),
        HEAP_TEST(a_long_chain_through_finalizers_dies, HEAP_ANY),
        HEAP_TEST(degenerate_trees_die, HEAP_ANY),
        HEAP_TEST(without_memory_all_die_as_well, HEAP_ANY),
        HEAP_TEST(a_chain_that_finalizers_cut_dies, HEAP_ANY),
        HEAP_TEST(wide_structures_die, HEAP_ANY),
        HEAP_TEST(long_rings_are_collected, HEAP_ANY),
        HEAP_TEST(a_deep_heap_is_collected_and_verified, HEAP_ANY),
    };
    return heap_fixture_run("deaths", tests, sizeof tests / sizeof tests[0]);
}
