/* Weak references: what they lead to, and when no more. */
#include "scene.h"

static void count_weak(Node *node) { weak_count(node); }

SCENARIO(weak_reference_and_its_object) {
    Node *x = plain("x");
    hwr_weak *w = weak(x, NULL);
    leads_to(w);
    drop(x);
    leads_to(w);
    collect(2);
    leads_to(w);
    drop(w);
}

static void same_given(hwr_weak *one, hwr_weak *other) {
    same(one, other);
    lose(other);
}

SCENARIO(weak_reference_is_one_without_callback) {
    Node *x = plain("x");
    hwr_weak *w = weak(x, NULL);
    same_given(w, weak(x, NULL));
    weak_count(x);
    Node *called = callback("called", NULL);
    hwr_weak *v = weak(x, called);
    same_given(v, weak(x, called));
    same_given(w, weak(x, NULL));
    weak_count(x);
    drop(w);
    weak_count(x);
    w = weak(x, NULL);
    weak_count(x);
    drop(v);
    weak_count(x);
    drop(w);
    weak_count(x);
    drop(x);
    drop(called);
}

SCENARIO(weak_references_to_acyclic_objects) {
    Leaf *x = leaf("x");
    Node *called = callback("called", NULL);
    hwr_weak *w = weak(x, NULL);
    hwr_weak *v = weak(x, called);
    weak_count(x);
    leads_to(v);
    tracked(v);
    drop(x);
    leads_to(w);
    leads_to(v);
    drop(w);
    drop(v);
    drop(called);
}

SCENARIO(weak_reference_to_items) {
    Items *x = items("x", 3);
    Node *called = callback("called", NULL);
    hwr_weak *w = weak(x, called);
    weak_count(x);
    set(x, items[0], x);
    drop(x);
    leads_to(w);
    collect(2);
    leads_to(w);
    drop(w);
    drop(called);
}

SCENARIO(weak_reference_dies_first) {
    Node *x = plain("x");
    Node *called = final_callback("called", NULL);
    hwr_weak *w = weak(x, called);
    drop(called);
    say("the reference goes");
    drop(w);
    weak_count(x);
    drop(x);
    say("end");
}

SCENARIO(weak_reference_within_its_object) {
    Node *x = plain("x");
    Node *called = callback("called", NULL);
    give(x, a, weak(x, called));
    drop(x);
    say("end");
    drop(called);
}

SCENARIO(weak_reference_within_its_cycle) {
    /* It is garbage with the rest: no call. */
    Node *x = ring("x", 2, plain);
    Node *called = callback("called", NULL);
    give(x, b, weak(x, called));
    drop(x);
    collect(2);
    say("end");
    drop(called);
}

SCENARIO(weak_reference_in_another_piece_of_garbage) {
    Node *x = ring("x", 2, plain);
    Node *y = ring("y", 2, plain);
    Node *called = callback("called", NULL);
    give(y, b, weak(x, called));
    drop(x);
    drop(y);
    collect(2);
    drop(called);
}

SCENARIO(weak_reference_in_older_garbage) {
    /* That is not in this collection, so it is called. */
    Node *y = ring("y", 2, plain);
    collect(0);
    Node *x = ring("x", 2, plain);
    Node *called = callback("called", NULL);
    give(y, b, weak(x, called));
    collect(0);
    Node *z = ring("z", 2, plain);
    give(y, c, weak(z, called));
    collect(0);
    drop(y);
    drop(z);
    y = ring("w", 2, plain);
    hwr_weak *w = weak(y, called);
    drop(y);
    collect(0);
    drop(x);
    collect(1);
    collect(2);
    drop(called);
    drop(w);
}

SCENARIO(weak_reference_to_its_own_callback_object) {
    Node *x = callback("x", NULL);
    hwr_weak *w = weak(x, x);
    drop(x);
    collect(2);
    leads_to(w);
    x = hwr_weak_get(heap, w);
    say("references to x: %zu", hwr_refcount(heap, x) - 1);
    drop(x);
    drop(w);
    collect(2);
    counts();
}

SCENARIO(weak_references_are_counted_among_the_garbage) {
    Node *x = plain("x");
    set(x, a, x);
    give(x, b, weak(x, NULL));
    Node *y = plain("y");
    set(y, a, y);
    Node *called = callback("called", NULL);
    give(y, b, weak(y, called));
    give(y, c, weak(called, NULL));
    drop(x);
    drop(y);
    collect(2);
    drop(called);
}

static void look_through_kept(Node *unused) {
    (void)unused;
    leads_to(kept("w"));
}

SCENARIO(weak_reference_in_a_finalizer_at_zero) {
    Node *x = final("x", look_through_kept);
    keep_give("w", weak(x, NULL));
    drop(x);
    leads_to(kept("w"));
    let_go("w");
}

SCENARIO(weak_reference_in_a_finalizer_in_a_collection) {
    Node *x = final("x", look_through_kept);
    set(x, a, x);
    keep_give("w", weak(x, NULL));
    drop(x);
    collect(2);
    let_go("w");
}

SCENARIO(weak_reference_in_a_callback_of_another) {
    /* All weak references to an object are cleared before the first of its callbacks is called. */
    Node *x = plain("x");
    Node *called = callback("called", look_through_kept);
    hwr_weak *v = weak(x, called);
    keep_give("w", weak(x, called));
    drop(x);
    let_go("w");
    drop(v);
    drop(called);
}

SCENARIO(weak_reference_to_the_next_in_a_callback) {
    Node *x = chain("x", 2, plain);
    Node *called = callback("called", look_through_kept);
    hwr_weak *v = weak(x, called);
    keep_give("w", weak(x->a, NULL));
    drop(x);
    leads_to(kept("w"));
    let_go("w");
    drop(v);
    drop(called);
}

SCENARIO(weak_reference_to_the_next_in_a_callback_in_a_collection) {
    Node *x = ring("x", 2, plain);
    Node *called = callback("called", look_through_kept);
    hwr_weak *v = weak(x, called);
    keep_give("w", weak(x->a, NULL));
    drop(x);
    collect(2);
    let_go("w");
    drop(v);
    drop(called);
}

static void weaken(Node *node) {
    keep_give("w", weak(node, NULL));
    leads_to(kept("w"));
}

SCENARIO(weak_reference_made_in_a_finalizer) {
    Node *x = final("x", weaken);
    drop(x);
    leads_to(kept("w"));
    x = final("x", weaken);
    set(x, a, x);
    drop(x);
    collect(2);
    leads_to(kept("w"));
    let_go("w");
}

static void weaken_with_callback(Node *node) { keep_give("w", weak(node, kept("called"))); }

SCENARIO(weak_reference_with_callback_made_in_a_finalizer) {
    keep_give("called", callback("called", NULL));
    Node *x = final("x", weaken_with_callback);
    drop(x);
    say("dead");
    x = final("x", weaken_with_callback);
    set(x, a, x);
    drop(x);
    collect(2);
    let_go("w");
    let_go("called");
}

SCENARIO(weak_reference_to_the_resurrected_at_zero) {
    /* The finalizer came first, so nothing was cleared. */
    Node *called = callback("called", NULL);
    Node *x = final("x", keep_self);
    hwr_weak *w = weak(x, NULL);
    hwr_weak *v = weak(x, called);
    drop(x);
    leads_to(w);
    weak_count(kept("x"));
    let_go("x");
    leads_to(w);
    drop(v);
    drop(w);
    drop(called);
}

SCENARIO(weak_reference_to_the_resurrected_in_a_collection) {
    /* Weak references were cleared first, and stay so; new ones can be made. */
    Node *called = callback("called", NULL);
    Node *x = final("x", keep_self);
    set(x, a, x);
    hwr_weak *w = weak(x, NULL);
    hwr_weak *v = weak(x, called);
    drop(x);
    collect(2);
    leads_to(w);
    leads_to(v);
    x = take("x");
    weak_count(x);
    hwr_weak *u = weak(x, NULL);
    same(u, w);
    leads_to(u);
    set(x, a, NULL);
    let_go("x");
    drop(x);
    leads_to(u);
    drop(u);
    drop(v);
    drop(w);
    drop(called);
}

SCENARIO(weak_reference_to_what_resurrects) {
    /* An outside one, to what hangs from the resurrected object, is cleared as well. */
    Node *x = final("x", keep_self);
    set(x, a, x);
    give(x, b, plain("hanging"));
    hwr_weak *w = weak(x->b, NULL);
    drop(x);
    collect(2);
    leads_to(w);
    references(take("x")->b);
    x = take("x");
    set(x, a, NULL);
    let_go("x");
    drop(w);
    drop(x);
}

SCENARIO(weak_reference_within_the_resurrected) {
    /* It was garbage: cleared without a call, though its holder comes back. */
    Node *called = callback("called", NULL);
    Node *x = final("x", keep_self);
    set(x, a, x);
    give(x, b, weak(x, called));
    give(x, c, weak(called, NULL));
    drop(x);
    collect(2);
    x = take("x");
    leads_to(x->b);
    leads_to(x->c);
    set(x, a, NULL);
    let_go("x");
    drop(x);
    say("end");
    drop(called);
}

SCENARIO(weak_reference_from_the_resurrected_to_the_living) {
    Node *outside = plain("outside");
    Node *called = callback("called", NULL);
    Node *x = final("x", keep_self);
    set(x, a, x);
    give(x, b, weak(outside, called));
    drop(x);
    collect(2);
    x = take("x");
    leads_to(x->b);
    drop(outside);
    say("end");
    set(x, a, NULL);
    let_go("x");
    drop(x);
    drop(called);
}

SCENARIO(weak_reference_gives_an_owned_reference) {
    Node *x = plain("x");
    hwr_weak *w = weak(x, NULL);
    Node *y = hwr_weak_get(heap, w);
    references(x);
    drop(x);
    leads_to(w);
    drop(y);
    leads_to(w);
    drop(w);
}

SCENARIO(weak_reference_holds_nothing) {
    Node *x = ring("x", 2, plain);
    hwr_weak *w = weak(x, NULL);
    hwr_weak *v = weak(x->a, NULL);
    drop(x);
    leads_to(w);
    collect(2);
    leads_to(w);
    leads_to(v);
    drop(v);
    drop(w);
}

SCENARIO(weak_reference_in_each_generation) {
    Node *x = plain("x");
    collect(0);
    collect(0);
    give(x, a, weak(x, NULL));
    set(x, b, x);
    collect(0);
    drop(x);
    collect(1);
    collect(2);
}

SCENARIO(weak_count_in_a_finalizer) {
    Node *x = final("x", count_weak);
    hwr_weak *u = weak(x, NULL);
    Node *called = callback("called", NULL);
    hwr_weak *v = weak(x, called);
    drop(x);
    x = final("y", count_weak);
    set(x, a, x);
    replace(u, weak(x, NULL));
    replace(v, weak(x, called));
    drop(x);
    collect(2);
    drop(u);
    drop(v);
    drop(called);
}

SCENARIO(weak_references_from_a_common_callback_object) {
    Node *called = final_callback("called", NULL);
    Node *x = plain("x");
    Node *y = plain("y");
    hwr_weak *v = weak(x, called);
    hwr_weak *w = weak(y, called);
    references(called);
    drop(called);
    drop(y);
    say("and x");
    drop(x);
    say("end");
    drop(v);
    drop(w);
}

SCENARIO(weak_references_to_many_objects) {
    set_threshold(0, 0, 0);
    Items *watched = items("watched", 300);
    Items *watchers = items("watchers", 300);
    for (int i = 0; i < 300; i++) {
        give(watched, items[i], plain(name("n%d", i)));
        give(watchers, items[i], weak_give(watched->items[i], callback(name("c%d", i), NULL)));
    }
    set(watched->items[0], a, watched);
    counts();
    drop(watched);
    counts();
    collect(2);
    counts();
    drop(watchers);
    counts();
}

SCENARIO(weak_reference_to_a_sibling_in_a_finalizer) {
    /* The fields of a dying object are given up one after the other: the next one still holds. */
    Node *x = plain("x");
    give(x, a, final("a", look_through_kept));
    give(x, b, final("b", look_through_kept));
    give(x, c, final("c", look_through_kept));
    keep_give("w", weak(x->b, NULL));
    drop(x);
    let_go("w");
}

static void save_through_kept(Node *unused) {
    (void)unused;
    keep_give("saved", hwr_weak_get(heap, (hwr_weak *)(void *)kept("w")));
}

SCENARIO(weak_reference_saves_a_sibling) {
    Node *x = plain("x");
    give(x, a, final("a", save_through_kept));
    give(x, b, final("b", NULL));
    give(x, c, final("c", NULL));
    keep_give("w", weak(x->b, NULL));
    drop(x);
    say("x is dead");
    references(kept("saved"));
    leads_to(kept("w"));
    let_go("saved");
    let_go("w");
}

SCENARIO(weak_reference_saves_an_item) {
    Items *x = items("x", 100);
    for (int i = 0; i < 100; i++) give(x, items[i], final(name("i%d", i), NULL));
    x->items[50]->on_death = save_through_kept;
    keep_give("w", weak(x->items[49], NULL));
    in_any_order();
    drop(x);
    in_order();
    references(kept("saved"));
    leads_to(kept("w"));
    let_go("saved");
    let_go("w");
}
