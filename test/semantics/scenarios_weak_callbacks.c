/* Callbacks of weak references: whether they are called, in which order, what they may do. */
#include "scene.h"

SCENARIO(weak_callback_is_called_once) {
    Node *x = plain("x");
    Node *called = callback("called", NULL);
    hwr_weak *w = weak(x, called);
    references(called);
    drop(x);
    references(called);
    leads_to(w);
    drop(w);
    say("end");
    drop(called);
}

SCENARIO(weak_callbacks_newest_first) {
    Node *x = plain("x");
    Node *one = callback("one", NULL);
    Node *two = callback("two", NULL);
    Node *three = callback("three", NULL);
    hwr_weak *u = weak(x, one);
    hwr_weak *v = weak(x, two);
    hwr_weak *bare = weak(x, NULL);
    hwr_weak *w = weak(x, three);
    weak_count(x);
    drop(x);
    drop(u);
    drop(v);
    drop(w);
    drop(bare);
    drop(one);
    drop(two);
    drop(three);
}

SCENARIO(weak_callbacks_newest_first_in_a_collection) {
    Node *x = ring("x", 2, plain);
    Node *one = callback("one", NULL);
    Node *two = callback("two", NULL);
    Node *three = callback("three", NULL);
    hwr_weak *u = weak(x, one);
    hwr_weak *v = weak(x, two);
    hwr_weak *bare = weak(x, NULL);
    hwr_weak *w = weak(x, three);
    drop(x);
    collect(2);
    leads_to(bare);
    drop(u);
    drop(v);
    drop(w);
    drop(bare);
    drop(one);
    drop(two);
    drop(three);
}

SCENARIO(weak_callbacks_of_several_objects) {
    /* A chain dies: an object's callbacks are called before its fields are given up. */
    Node *x = chain("x", 3, just_final);
    Node *one = callback("of x2", NULL);
    Node *two = callback("of x0", NULL);
    Node *three = callback("of x1", NULL);
    hwr_weak *u = weak(x->a->a, one);
    hwr_weak *v = weak(x, two);
    hwr_weak *w = weak(x->a, three);
    drop(x);
    drop(u);
    drop(v);
    drop(w);
    drop(one);
    drop(two);
    drop(three);
}

SCENARIO(weak_callbacks_of_several_objects_in_a_collection) {
    Node *x = ring("x", 3, just_final);
    Node *one = callback("of x2", NULL);
    Node *two = callback("of x0", NULL);
    Node *three = callback("of x1", NULL);
    hwr_weak *u = weak(x->a->a, one);
    hwr_weak *v = weak(x, two);
    hwr_weak *w = weak(x->a, three);
    drop(x);
    collect(2);
    drop(u);
    drop(v);
    drop(w);
    drop(one);
    drop(two);
    drop(three);
}

SCENARIO(weak_callback_object_goes_after_its_call) {
    Node *x = plain("x");
    hwr_weak *w = weak_give(x, final_callback("called", NULL));
    drop(x);
    say("x is dead");
    leads_to(w);
    counts();
    drop(w);
    say("end");
}

SCENARIO(weak_callback_object_goes_after_its_call_in_a_collection) {
    lose(ring("other", 2, plain));
    Node *x = ring("x", 2, plain);
    hwr_weak *w = weak_give(x, final_callback("called", NULL));
    drop(x);
    collect(2);
    leads_to(w);
    counts();
    drop(w);
    say("end");
}

SCENARIO(weak_callbacks_take_turns_with_their_ends) {
    Node *x = plain("x");
    hwr_weak *u = weak_give(x, final_callback("one", NULL));
    hwr_weak *v = weak_give(x, final_callback("two", NULL));
    drop(x);
    say("end");
    drop(u);
    drop(v);
}

SCENARIO(weak_callback_object_within_the_cycle) {
    /* The weak reference lives and so keeps the callback, which keeps the cycle. */
    Node *x = callback("x", NULL);
    give(x, a, plain("y"));
    set(x->a, a, x);
    hwr_weak *w = weak(x->a, x);
    drop(x);
    collect(2);
    generations();
    leads_to(w);
    drop(w);
    collect(2);
}

SCENARIO(weak_callback_object_and_reference_within_the_cycle) {
    Node *x = callback("x", NULL);
    give(x, a, plain("y"));
    set(x->a, a, x);
    give(x, b, weak(x->a, x));
    drop(x);
    collect(2);
    counts();
}

SCENARIO(weak_callback_object_with_finalizer_in_the_garbage) {
    Node *x = ring("x", 2, just_final);
    give(x, b, weak_give(x->a, final_callback("called", NULL)));
    drop(x);
    collect(2);
}

static void let_go_of_w(Node *unused) {
    (void)unused;
    let_go("w");
    say("let go of the other");
}

SCENARIO(weak_callback_that_drops_the_next) {
    Node *x = plain("x");
    Node *one = callback("one", NULL);
    Node *two = callback("two", let_go_of_w);
    keep_give("w", weak(x, one));
    hwr_weak *v = weak(x, two);
    drop(x);
    say("end");
    drop(v);
    drop(one);
    drop(two);
}

SCENARIO(weak_callback_that_drops_the_next_in_a_collection) {
    Node *x = plain("x");
    set(x, a, x);
    Node *one = callback("one", NULL);
    Node *two = callback("two", let_go_of_w);
    keep_give("w", weak(x, one));
    hwr_weak *v = weak(x, two);
    drop(x);
    collect(2);
    say("end");
    drop(v);
    drop(one);
    drop(two);
}

SCENARIO(weak_callback_that_drops_its_own_reference) {
    Node *x = plain("x");
    keep_give("w", weak_give(x, final_callback("called", let_go_of_w)));
    drop(x);
    say("end");
}

SCENARIO(weak_callback_that_drops_its_own_reference_in_a_collection) {
    Node *x = plain("x");
    set(x, a, x);
    keep_give("w", weak_give(x, final_callback("called", let_go_of_w)));
    drop(x);
    collect(2);
    say("end");
}

static void kill_kept(Node *unused) {
    (void)unused;
    let_go("victim");
    say("killed");
}

SCENARIO(weak_callback_that_kills_another) {
    Node *x = plain("x");
    Node *victim = final("victim", NULL);
    Node *called = callback("of victim", NULL);
    hwr_weak *w = weak(victim, called);
    keep("victim", victim);
    Node *killer = callback("killer", kill_kept);
    hwr_weak *v = weak(x, killer);
    drop(victim);
    drop(x);
    say("end");
    drop(w);
    drop(v);
    drop(called);
    drop(killer);
}

static void allocate_and_collect(Node *unused) {
    (void)unused;
    lose(ring("late", 2, plain));
    collect(2);
}

SCENARIO(weak_callback_that_collects) {
    Node *x = plain("x");
    Node *called = callback("called", allocate_and_collect);
    hwr_weak *w = weak(x, called);
    drop(x);
    counts();
    drop(w);
    drop(called);
}

SCENARIO(weak_callback_that_collects_in_a_collection) {
    Node *x = ring("x", 3, plain);
    Node *called = callback("called", allocate_and_collect);
    hwr_weak *w = weak(x, called);
    drop(x);
    collect(2);
    counts();
    collect(2);
    drop(w);
    drop(called);
}

static void weaken_kept(Node *unused) {
    (void)unused;
    keep_give("w", weak(take("y"), NULL));
}

SCENARIO(weak_callback_that_makes_a_weak_reference) {
    Node *y = plain("y");
    keep("y", y);
    Node *x = plain("x");
    Node *called = callback("called", weaken_kept);
    hwr_weak *w = weak(x, called);
    drop(x);
    weak_count(y);
    leads_to(kept("w"));
    let_go("w");
    let_go("y");
    drop(w);
    drop(y);
    drop(called);
}

SCENARIO(weak_callback_that_collects_what_the_dead_object_holds) {
    Node *x = plain("x");
    give(x, a, ring("r", 3, plain));
    Node *called = callback("called", allocate_and_collect);
    hwr_weak *w = weak(x, called);
    drop(x);
    say("dead");
    collect(2);
    drop(w);
    drop(called);
}

static void look_at_generations(Node *unused) {
    (void)unused;
    generations();
    counts();
}

SCENARIO(weak_callback_that_looks_at_generations) {
    Node *x = plain("x");
    give(x, a, plain("y"));
    Node *called = callback("called", look_at_generations);
    hwr_weak *w = weak(x, called);
    drop(x);
    x = ring("z", 2, plain);
    replace(w, weak(x, called));
    drop(x);
    collect(0);
    drop(w);
    drop(called);
}

static void look_at_statistics(Node *unused) {
    (void)unused;
    statistics();
}

SCENARIO(weak_callback_that_looks_at_statistics) {
    Node *x = ring("x", 2, plain);
    Node *called = callback("called", look_at_statistics);
    hwr_weak *w = weak(x, called);
    drop(x);
    collect(0);
    statistics();
    drop(w);
    drop(called);
}
