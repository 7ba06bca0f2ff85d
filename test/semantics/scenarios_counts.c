/* What is counted, what is tracked, in which generation it is, how many references there are. */
#include "scene.h"

SCENARIO(defaults) {
    thresholds();
    enabled();
    counts();
    statistics();
    collect(0);
    collect(1);
    collect(2);
}

SCENARIO(count_follows_allocation) {
    counts();
    Node *x = plain("x");
    counts();
    Node *y = plain("y");
    Node *z = plain("z");
    counts();
    drop(y);
    counts();
    drop(x);
    drop(z);
    counts();
}

SCENARIO(count_never_below_zero) {
    Node *x = plain("x");
    Node *y = plain("y");
    collect(0);
    counts();
    drop(x);
    counts();
    drop(y);
    counts();
    Node *z = plain("z");
    counts();
    drop(z);
}

SCENARIO(count_leaves_out_acyclic_objects) {
    Leaf *x = leaf("x");
    Leaf *y = final_leaf("y", NULL);
    counts();
    tracked(x);
    tracked(y);
    drop(x);
    counts();
    drop(y);
}

SCENARIO(count_of_objects_with_items) {
    Items *x = items("x", 0);
    counts();
    Items *y = items("y", 100);
    counts();
    set(y, items[5], x);
    drop(x);
    counts();
    drop(y);
    counts();
}

SCENARIO(count_includes_weak_references) {
    Node *x = plain("x");
    hwr_weak *w = weak(x, NULL);
    counts();
    hwr_weak *again = weak(x, NULL);
    counts();
    Node *called = callback("called", NULL);
    hwr_weak *v = weak(x, called);
    counts();
    drop(v);
    counts();
    drop(w);
    counts();
    drop(again);
    counts();
    drop(x);
    drop(called);
    counts();
}

SCENARIO(count_of_a_dead_weak_reference) {
    Node *x = plain("x");
    hwr_weak *w = weak(x, NULL);
    drop(x);
    counts();
    drop(w);
    counts();
}

SCENARIO(count_after_collecting_the_youngest) {
    Node *x = plain("x");
    for (int i = 0; i < 3; i++) {
        collect(0);
        counts();
    }
    Node *y = plain("y");
    counts();
    drop(x);
    drop(y);
    counts();
}

SCENARIO(count_after_collecting_each_generation) {
    Node *x = plain("x");
    collect(0);
    collect(0);
    counts();
    collect(1);
    counts();
    collect(0);
    collect(1);
    collect(0);
    counts();
    collect(2);
    counts();
    Node *y = plain("y");
    collect(2);
    counts();
    drop(x);
    drop(y);
}

SCENARIO(count_of_collected_garbage) {
    /* What dies in a collection is taken from a count that is zero already. */
    lose(ring("g", 5, plain));
    counts();
    collect(0);
    counts();
    Node *x = plain("x");
    counts();
    lose(ring("h", 5, plain));
    counts();
    collect(2);
    counts();
    drop(x);
}

SCENARIO(count_when_a_chain_dies) {
    Node *x = chain("x", 10, plain);
    counts();
    Node *y = own(x->a->a->a->a);
    drop(x);
    counts();
    drop(y);
    counts();
}

static void count_now(Node *unused) {
    (void)unused;
    counts();
}

SCENARIO(count_seen_by_a_weak_callback) {
    Node *x = plain("x");
    Node *called = callback("called", count_now);
    hwr_weak *w = weak(x, called);
    counts();
    drop(x);
    counts();
    drop(w);
    drop(called);
}

SCENARIO(count_seen_in_a_collection) {
    Node *x = ring("x", 2, just_final);
    x->on_death = count_now;
    drop(x);
    lose(plain("y"));
    counts();
    collect(0);
    counts();
}

SCENARIO(count_seen_in_a_collection_of_the_middle) {
    Node *x = ring("x", 2, just_final);
    x->on_death = count_now;
    collect(0);
    Node *y = plain("y");
    counts();
    drop(x);
    collect(1);
    counts();
    drop(y);
}

SCENARIO(generation_of_a_survivor) {
    Node *x = plain("x");
    generations();
    collect(0);
    generations();
    Node *y = plain("y");
    generations();
    collect(1);
    generations();
    Node *z = plain("z");
    collect(0);
    generations();
    collect(0);
    generations();
    collect(1);
    generations();
    collect(2);
    generations();
    drop(x);
    drop(y);
    drop(z);
    generations();
}

SCENARIO(generations_are_merged) {
    Node *x = plain("x");
    collect(0);
    Node *y = plain("y");
    collect(2);
    generations();
    Node *z = plain("z");
    collect(0);
    Node *w = plain("w");
    collect(2);
    generations();
    drop(w);
    drop(x);
    drop(y);
    drop(z);
}

SCENARIO(old_garbage_waits_for_its_generation) {
    Node *x = ring("x", 3, plain);
    collect(0);
    drop(x);
    collect(0);
    generations();
    collect(1);
    generations();
    Node *y = ring("y", 2, plain);
    collect(0);
    collect(1);
    drop(y);
    collect(0);
    collect(1);
    generations();
    collect(2);
    generations();
}

SCENARIO(young_garbage_held_by_old_garbage) {
    Node *old = ring("old", 2, plain);
    collect(0);
    give(old, b, ring("young", 2, plain));
    drop(old);
    collect(0);
    generations();
    collect(0);
    generations();
    collect(1);
    generations();
}

SCENARIO(young_garbage_that_holds_an_old_object) {
    Node *old = plain("old");
    collect(0);
    collect(1);
    Node *young = ring("young", 2, plain);
    set(young, b, old);
    references(old);
    drop(young);
    collect(0);
    references(old);
    generations();
    drop(old);
}

SCENARIO(young_object_held_by_an_old_one) {
    Node *old = plain("old");
    collect(0);
    give(old, a, plain("young"));
    generations();
    collect(0);
    generations();
    drop(old);
    generations();
}

SCENARIO(cycle_across_generations) {
    Node *x = plain("x");
    collect(0);
    collect(1);
    Node *y = plain("y");
    collect(0);
    Node *z = plain("z");
    set(x, a, y);
    set(y, a, z);
    set(z, a, x);
    generations();
    drop(x);
    drop(y);
    drop(z);
    collect(0);
    generations();
    collect(1);
    generations();
    collect(2);
    generations();
}

SCENARIO(tracked_are_all_that_have_references) {
    Node *x = plain("x");
    tracked(x);
    Items *y = items("y", 3);
    tracked(y);
    Node *z = final("z", NULL);
    tracked(z);
    hwr_weak *w = weak(x, NULL);
    tracked(w);
    drop(w);
    give(y, items[0], leaf("leaf"));
    collect(2);
    tracked(y);
    drop(x);
    drop(y);
    drop(z);
}

SCENARIO(references_are_counted) {
    Node *x = plain("x");
    references(x);
    Node *also = own(x);
    references(x);
    Node *y = plain("y");
    set(y, a, x);
    set(y, b, x);
    references(x);
    set(y, a, NULL);
    references(x);
    give(y, b, plain("z"));
    references(x);
    set(y, b, y);
    references(y);
    set(y, b, NULL);
    keep("x", x);
    references(x);
    let_go("x");
    references(x);
    drop(also);
    references(x);
    drop(x);
    drop(y);
}

SCENARIO(references_beyond_any_small_count) {
    Node *x = plain("x");
    Items *many = items("many", 10000);
    for (int i = 0; i < 10000; i++) {
        set(many, items[i], x);
    }
    references(x);
    collect(2);
    references(x);
    drop(many);
    references(x);
    set(x, a, x);
    many = items("many", 5000);
    for (int i = 0; i < 5000; i++) {
        set(many, items[i], x);
    }
    set(many, a, x);
    set(x, b, many);
    drop(x);
    drop(many);
    counts();
    collect(2);
}

SCENARIO(references_that_weak_ones_do_not_add) {
    Node *x = plain("x");
    hwr_weak *w = weak(x, NULL);
    references(x);
    Node *again = hwr_weak_get(heap, w);
    references(x);
    drop(again);
    references(x);
    hwr_weak *v = weak(x, NULL);
    references(w);
    same(w, v);
    drop(v);
    drop(w);
    drop(x);
}

SCENARIO(references_after_a_collection) {
    Node *x = plain("x");
    Node *y = ring("y", 4, plain);
    set(y, b, x);
    set(y->a->a, b, x);
    references(x);
    collect(0);
    references(x);
    references(y);
    drop(y);
    collect(1);
    references(x);
    drop(x);
}

SCENARIO(thresholds_are_kept) {
    set_threshold(5, 6, 7);
    thresholds();
    set_threshold(0, 0, 0);
    thresholds();
    hwr_disable(heap);
    enabled();
    hwr_enable(heap);
    enabled();
    thresholds();
}
