/* Collections that start by themselves: when, and of which generation. Lines "start" and "stop" come from a callback of the collector. */
#include "scene.h"

static void keep_chain(const char *key, int number) {
    Node *node = NULL;
    for (int i = 0; i < number; i++) {
        Node *next = plain("n");
        give(next, a, node);
        node = next;
    }
    keep_give(key, node);
}

SCENARIO(automatic_with_the_thresholds_of_a_new_heap) {
    watch();
    keep_chain("k", 2200);
    counts();
    unwatch();
    let_go("k");
}

SCENARIO(automatic_first_threshold) {
    set_threshold(10, 100, 100);
    watch();
    Node *x = plain("x0");
    for (int i = 1; i < 10; i++) {
        Node *y = plain(name("x%d", i));
        set(y, a, x);
        replace(x, own(y));
        drop(y);
    }
    counts();
    Node *y = plain("the eleventh");
    counts();
    generations();
    unwatch();
    drop(x);
    drop(y);
}

SCENARIO(automatic_collects_garbage) {
    set_threshold(20, 100, 100);
    watch();
    for (int i = 0; i < 25; i++) {
        lose(ring("g", 2, plain));
    }
    counts();
    statistics();
    unwatch();
    collect(2);
}

SCENARIO(automatic_counts_deallocations) {
    set_threshold(10, 100, 100);
    watch();
    for (int i = 0; i < 100; i++) {
        lose(plain("dies at once"));
    }
    counts();
    unwatch();
}

SCENARIO(automatic_counts_what_remains) {
    set_threshold(10, 100, 100);
    watch();
    Node *x = plain("x");
    for (int i = 0; i < 40; i++) {
        Node *y = plain("kept");
        give(y, a, x);
        x = y;
        Node *z = plain("dies at once");
        drop(z);
    }
    counts();
    unwatch();
    drop(x);
}

SCENARIO(automatic_all_generations) {
    set_threshold(5, 2, 2);
    watch();
    keep_chain("k", 120);
    counts();
    statistics();
    unwatch();
    let_go("k");
}

SCENARIO(automatic_second_threshold_zero) {
    set_threshold(5, 0, 1);
    watch();
    keep_chain("k", 60);
    counts();
    unwatch();
    let_go("k");
}

SCENARIO(automatic_quarter_rule) {
    /* A full collection waits until a quarter as many objects as the last one left have come to the oldest generation but one. */
    set_threshold(0, 0, 0);
    keep_chain("many", 2000);
    collect(2);
    set_threshold(20, 1, 1);
    watch();
    keep_chain("k", 1000);
    counts();
    statistics();
    unwatch();
    let_go("k");
    let_go("many");
}

SCENARIO(automatic_quarter_rule_with_few) {
    set_threshold(0, 0, 0);
    keep_chain("many", 100);
    collect(2);
    set_threshold(7, 1, 1);
    watch();
    keep_chain("k", 300);
    unwatch();
    let_go("k");
    let_go("many");
}

SCENARIO(automatic_quarter_rule_counts_survivors) {
    /* Garbage that the middle generation's collections find is not pending. */
    set_threshold(0, 0, 0);
    keep_chain("many", 400);
    collect(2);
    set_threshold(10, 1, 1);
    watch();
    for (int i = 0; i < 600; i++) {
        if (i % 4) {
            Node *x = plain("g");
            set(x, a, x);
            drop(x);
        } else {
            keep_give(name("k%d", i), plain("k"));
        }
    }
    counts();
    unwatch();
    for (int i = 0; i < 600; i += 4) {
        let_go(name("k%d", i));
    }
    let_go("many");
}

SCENARIO(automatic_quarter_rule_and_collect) {
    /* A collection of the middle generation that is asked for counts as one that came by itself. */
    set_threshold(0, 0, 0);
    keep_chain("many", 1000);
    collect(2);
    set_threshold(50, 1, 1);
    watch();
    keep_chain("k", 150);
    collect(1);
    keep_chain("l", 150);
    collect(1);
    keep_chain("m", 300);
    counts();
    unwatch();
    let_go("k");
    let_go("l");
    let_go("m");
    let_go("many");
}

static void disable(Node *unused) {
    (void)unused;
    hwr_disable(heap);
}

SCENARIO(automatic_not_when_disabled) {
    set_threshold(10, 2, 2);
    hwr_disable(heap);
    enabled();
    watch();
    keep_chain("k", 50);
    counts();
    hwr_enable(heap);
    enabled();
    Node *x = plain("next");
    counts();
    unwatch();
    let_go("k");
    drop(x);
}

SCENARIO(automatic_not_with_threshold_zero) {
    set_threshold(0, 2, 2);
    watch();
    keep_chain("k", 50);
    counts();
    enabled();
    set_threshold(10, 2, 2);
    Node *x = plain("next");
    counts();
    unwatch();
    let_go("k");
    drop(x);
}

SCENARIO(automatic_threshold_of_one) {
    set_threshold(1, 100, 100);
    watch();
    keep_chain("k", 6);
    counts();
    unwatch();
    let_go("k");
}

SCENARIO(automatic_after_collect) {
    /* One that is asked for puts the count back. */
    set_threshold(10, 100, 100);
    watch();
    keep_chain("k", 8);
    collect(0);
    keep_chain("l", 10);
    counts();
    Node *x = plain("next");
    counts();
    unwatch();
    let_go("k");
    let_go("l");
    drop(x);
}

SCENARIO(automatic_collection_of_old_garbage) {
    Node *x = ring("old", 4, plain);
    collect(0);
    collect(1);
    drop(x);
    set_threshold(10, 1, 1);
    watch();
    keep_chain("k", 100);
    unwatch();
    let_go("k");
}

SCENARIO(automatic_new_object_is_not_looked_at) {
    /* The object whose allocation starts a collection is not part of it. */
    set_threshold(3, 100, 100);
    Node *x = plain("x");
    Node *y = plain("y");
    Node *z = plain("z");
    generations();
    Node *w = plain("w");
    generations();
    counts();
    drop(w);
    drop(x);
    drop(y);
    drop(z);
}

static void allocate_ten(Node *unused) {
    (void)unused;
    keep_give("ten", chain("late", 10, plain));
    counts();
}

SCENARIO(automatic_not_within_a_collection) {
    set_threshold(5, 100, 100);
    watch();
    Node *x = final("x", allocate_ten);
    set(x, a, x);
    drop(x);
    collect(0);
    counts();
    Node *y = plain("next");
    counts();
    unwatch();
    let_go("ten");
    drop(y);
}

SCENARIO(automatic_within_a_finalizer_at_zero) {
    set_threshold(5, 100, 100);
    watch();
    Node *x = final("x", allocate_ten);
    give(x, a, final("a", NULL));
    drop(x);
    counts();
    unwatch();
    let_go("ten");
}

SCENARIO(automatic_within_a_weak_callback) {
    set_threshold(5, 100, 100);
    watch();
    Node *x = plain("x");
    Node *called = callback("called", allocate_ten);
    hwr_weak *w = weak(x, called);
    drop(x);
    counts();
    unwatch();
    let_go("ten");
    drop(w);
    drop(called);
}

SCENARIO(automatic_with_finalizers) {
    /* Their memory is used again, and the order of finalizers follows from that in ours: no order is promised. */
    set_threshold(10, 2, 100);
    for (int i = 0; i < 30; i++) {
        in_any_order();
        Node *x = final(name("g%d", i), NULL);
        in_order();
        set(x, a, x);
        drop(x);
        say("made g%d", i);
    }
    in_any_order();
    collect(2);
    in_order();
}

SCENARIO(automatic_with_weak_references) {
    /* They are counted as well. */
    set_threshold(10, 100, 100);
    watch();
    Node *x = plain("x");
    Items *watchers = items("watchers", 30);
    for (int i = 0; i < 30; i++) {
        give(watchers, items[i], weak(x, x));
    }
    counts();
    weak_count(x);
    unwatch();
    drop(watchers);
    counts();
    drop(x);
}

SCENARIO(automatic_with_items) {
    set_threshold(10, 100, 100);
    watch();
    Items *x = items("x", 40);
    for (int i = 0; i < 40; i++) {
        give(x, items[i], items(name("i%d", i), i));
    }
    counts();
    unwatch();
    drop(x);
}

SCENARIO(automatic_disabled_on_the_way) {
    set_threshold(5, 100, 100);
    Node *x = final("x", disable);
    set(x, a, x);
    drop(x);
    watch();
    keep_chain("k", 30);
    enabled();
    counts();
    unwatch();
    let_go("k");
}

static void raise_threshold(Node *unused) {
    (void)unused;
    set_threshold(20, 100, 100);
}

SCENARIO(automatic_threshold_changed_on_the_way) {
    set_threshold(5, 100, 100);
    Node *x = final("x", raise_threshold);
    set(x, a, x);
    drop(x);
    watch();
    keep_chain("k", 60);
    thresholds();
    counts();
    unwatch();
    let_go("k");
}
