/* Looking at objects: who refers to whom, who is in which generation; freezing. */
#include "scene.h"

SCENARIO(referents_in_order) {
    Node *x = plain("x");
    referents(x);
    give(x, c, plain("third"));
    give(x, a, plain("first"));
    referents(x);
    give(x, b, leaf("leaf"));
    referents(x);
    set(x, a, x->c);
    referents(x);
    set(x, b, x);
    referents(x);
    drop(x);
    collect(2);
}

SCENARIO(referents_of_items) {
    Items *x = items("x", 3);
    referents(x);
    give(x, a, plain("field"));
    give(x, items[0], plain("i0"));
    give(x, items[1], plain("i1"));
    set(x, items[2], x->items[0]);
    referents(x);
    set(x, items[1], x->items[0]);
    referents(x);
    drop(x);
}

SCENARIO(referents_of_acyclic_objects) {
    Leaf *x = leaf("x");
    referents(x);
    drop(x);
}

SCENARIO(referents_of_a_weak_reference) {
    Node *x = plain("x");
    Node *called = callback("called", NULL);
    hwr_weak *v = weak(x, called);
    hwr_weak *w = weak(x, NULL);
    referents(v);
    referents(w);
    drop(x);
    referents(v);
    drop(called);
    drop(v);
    drop(w);
}

SCENARIO(referrers_of_an_object) {
    Node *x = plain("x");
    referrers(x);
    Node *y = plain("y");
    Items *z = items("z", 3);
    set(y, a, x);
    referrers(x);
    set(y, b, x);
    set(z, items[0], x);
    set(z, items[2], y);
    referrers(x);
    referrers(y);
    set(x, a, x);
    referrers(x);
    set(x, a, NULL);
    set(y, a, NULL);
    referrers(x);
    drop(y);
    drop(z);
    referrers(x);
    drop(x);
}

SCENARIO(referrers_of_an_acyclic_object) {
    Leaf *x = leaf("x");
    Node *y = plain("y");
    set(y, a, x);
    Items *z = items("z", 1);
    set(z, items[0], x);
    referrers(x);
    drop(y);
    drop(z);
    referrers(x);
    drop(x);
}

SCENARIO(referrers_in_all_generations) {
    Node *x = plain("x");
    Node *a = plain("a");
    set(a, a, x);
    collect(0);
    Node *b = plain("b");
    set(b, a, x);
    collect(1);
    Node *c = plain("c");
    set(c, a, x);
    collect(0);
    Node *d = plain("d");
    set(d, a, x);
    generations();
    referrers(x);
    drop(a);
    drop(b);
    drop(c);
    drop(d);
    drop(x);
}

SCENARIO(referrers_among_garbage) {
    Node *x = plain("x");
    Node *y = ring("y", 2, plain);
    set(y, b, x);
    drop(y);
    referrers(x);
    collect(2);
    referrers(x);
    drop(x);
}

SCENARIO(referrers_among_weak_references) {
    Node *x = plain("x");
    Node *called = callback("called", NULL);
    hwr_weak *v = weak(x, called);
    referrers(x);
    referrers(called);
    drop(v);
    referrers(called);
    drop(x);
    drop(called);
}

SCENARIO(referrers_among_the_frozen) {
    Node *x = plain("x");
    Node *y = plain("y");
    set(y, a, x);
    hwr_freeze(heap);
    Node *z = plain("z");
    set(z, a, x);
    referrers(x);
    drop(x);
    drop(y);
    drop(z);
}

SCENARIO(freezing) {
    Node *x = plain("x");
    collect(0);
    Node *y = plain("y");
    collect(0);
    collect(1);
    Node *z = plain("z");
    frozen();
    hwr_freeze(heap);
    frozen();
    generations();
    counts();
    tracked(x);
    Node *w = plain("w");
    generations();
    frozen();
    collect(2);
    generations();
    frozen();
    drop(w);
    drop(x);
    drop(y);
    drop(z);
    frozen();
}

SCENARIO(freezing_counts) {
    Node *x = plain("x");
    collect(0);
    collect(1);
    collect(0);
    Node *y = plain("y");
    counts();
    hwr_freeze(heap);
    counts();
    drop(x);
    drop(y);
    counts();
}

SCENARIO(freezing_garbage) {
    Node *x = ring("x", 3, plain);
    hwr_freeze(heap);
    drop(x);
    collect(2);
    frozen();
    hwr_unfreeze(heap);
    generations();
    collect(0);
    collect(1);
    collect(2);
    generations();
}

SCENARIO(freezing_what_garbage_refers_to) {
    Node *x = plain("x");
    hwr_freeze(heap);
    Node *y = ring("y", 2, plain);
    set(y, b, x);
    drop(y);
    references(x);
    collect(2);
    references(x);
    give(x, a, ring("z", 2, plain));
    collect(2);
    set(x, a, NULL);
    collect(2);
    drop(x);
}

SCENARIO(freezing_weak_references) {
    Node *x = ring("x", 2, plain);
    Node *called = callback("called", NULL);
    hwr_weak *w = weak(x, called);
    hwr_freeze(heap);
    frozen();
    drop(x);
    collect(2);
    leads_to(w);
    hwr_unfreeze(heap);
    collect(2);
    leads_to(w);
    drop(w);
    drop(called);
}

SCENARIO(freezing_and_finalizers) {
    Node *x = final("x", keep_self);
    hwr_freeze(heap);
    drop(x);
    frozen();
    let_go("x");
    frozen();
}

SCENARIO(freezing_twice) {
    Node *x = plain("x");
    hwr_freeze(heap);
    Node *y = plain("y");
    hwr_freeze(heap);
    frozen();
    counts();
    drop(x);
    frozen();
    drop(y);
    frozen();
}

SCENARIO(freezing_leaves_automatic_collection_on) {
    set_threshold(10, 100, 100);
    watch();
    Node *x = chain("x", 8, plain);
    hwr_freeze(heap);
    Node *y = chain("y", 10, plain);
    counts();
    Node *z = plain("z");
    counts();
    unwatch();
    drop(x);
    drop(y);
    drop(z);
}

SCENARIO(objects_that_die_leave_their_generation) {
    Node *x = chain("x", 3, plain);
    Node *y = plain("y");
    generations();
    collect(0);
    replace(x, own(x->a));
    generations();
    set(x, a, y);
    generations();
    drop(x);
    generations();
    drop(y);
    generations();
}

static void look_at_generations(Node *unused) {
    (void)unused;
    generations();
}

SCENARIO(objects_in_a_finalizer_at_zero) {
    Node *x = final("x", look_at_generations);
    give(x, a, final("y", look_at_generations));
    drop(x);
}

SCENARIO(objects_in_a_finalizer_in_a_collection) {
    /* Garbage is in no generation. */
    Node *x = ring("x", 2, just_final);
    x->on_death = look_at_generations;
    Node *y = plain("y");
    drop(x);
    collect(0);
    drop(y);
}

ON_COLLECTION(generations_in_callback) {
    say("%s", phase(info));
    generations();
}

SCENARIO(objects_in_callbacks_of_the_collector) {
    add_callback(generations_in_callback);
    Node *x = plain("x");
    collect(0);
    Node *y = plain("y");
    lose(ring("z", 2, plain));
    collect(2);
    remove_callback(generations_in_callback);
    drop(x);
    drop(y);
}
