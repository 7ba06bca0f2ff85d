/* Finalizers in collections: their order, what they may do, what they bring back. */
#include "scene.h"

static void look_at_referents(Node *node) { referents(node); }
static void look_whether_finalized(Node *node) { finalized(node); }

SCENARIO(finalizers_of_a_cycle) {
    lose(ring("x", 4, just_final));
    collect(2);
    collect(2);
}

SCENARIO(finalizers_before_any_field_is_cleared) {
    Node *x = final("x", look_at_referents);
    give(x, a, final("y", look_at_referents));
    set(x->a, a, x);
    drop(x);
    collect(2);
}

SCENARIO(finalizers_of_what_hangs_from_a_cycle) {
    Node *x = ring("x", 2, plain);
    give(x, b, final("hanging", NULL));
    give(x->b, a, final("from that", NULL));
    give(x, c, final_leaf("acyclic", NULL));
    drop(x);
    collect(2);
}

SCENARIO(finalizers_of_old_and_young) {
    /* CPython's order is that of its lists, the oldest, the youngest, the middle one; none is promised. */
    Node *x = ring("old", 2, just_final);
    collect(0);
    collect(1);
    Node *y = ring("older", 2, just_final);
    collect(0);
    Node *z = ring("young", 2, just_final);
    drop(x);
    drop(y);
    drop(z);
    in_any_order();
    collect(2);
    in_order();
}

SCENARIO(finalizers_of_items_in_a_cycle) {
    Items *x = final_items("x", 3);
    give(x, items[0], final("i0", NULL));
    set(x, items[1], x);
    give(x, items[2], final("i2", NULL));
    drop(x);
    collect(2);
}

SCENARIO(finalizers_once_in_two_cycles_of_an_object) {
    Node *x = ring("x", 2, just_final);
    x->on_death = keep_self;
    drop(x);
    collect(2);
    x = take("x0");
    finalized(x);
    finalized(x->a);
    let_go("x0");
    drop(x);
    collect(2);
}

SCENARIO(finalized_in_a_collection) {
    Node *x = final("x", look_whether_finalized);
    give(x, a, plain("y"));
    set(x->a, a, x);
    drop(x);
    collect(2);
}

static void finalized_both(Node *x) {
    finalized(x);
    finalized(x->a);
}

SCENARIO(finalized_one_after_the_other) {
    Node *x = ring("x", 2, just_final);
    x->on_death = finalized_both;
    x->a->on_death = finalized_both;
    drop(x);
    collect(2);
}

SCENARIO(resurrects_its_whole_cycle) {
    Node *x = ring("x", 3, just_final);
    x->on_death = keep_self;
    give(x, b, final("hanging", NULL));
    drop(x);
    collect(2);
    generations();
    x = take("x0");
    references(x);
    references(x->a);
    finalized(x->a);
    let_go("x0");
    collect(2);
    drop(x);
    collect(2);
    generations();
}

SCENARIO(resurrects_one_of_two_cycles) {
    Node *x = ring("x", 2, just_final);
    x->on_death = keep_self;
    lose(ring("y", 3, just_final));
    drop(x);
    collect(2);
    generations();
    let_go("x0");
    collect(2);
    generations();
}

SCENARIO(resurrects_part_of_the_garbage) {
    /* What the resurrected object reaches is kept; what only reached it is not. */
    Node *x = ring("above", 2, just_final);
    give(x, b, final("middle", keep_self));
    give(x->b, a, ring("below", 2, just_final));
    drop(x);
    collect(2);
    generations();
    let_go("middle");
    collect(2);
}

SCENARIO(resurrects_from_the_youngest) {
    Node *x = ring("x", 2, just_final);
    x->on_death = keep_self;
    drop(x);
    collect(0);
    generations();
    counts();
    let_go("x0");
    collect(0);
    collect(1);
}

SCENARIO(resurrects_from_the_middle) {
    Node *x = ring("x", 2, just_final);
    x->on_death = keep_self;
    collect(0);
    drop(x);
    collect(1);
    generations();
    let_go("x0");
    collect(1);
    collect(2);
}

static void keep_other(Node *node) { keep("other", node->a); }

SCENARIO(resurrects_another) {
    Node *x = ring("x", 2, just_final);
    x->on_death = keep_other;
    drop(x);
    collect(2);
    generations();
    let_go("other");
    collect(2);
}

static void let_go_of_kept(Node *unused) {
    (void)unused;
    let_go("x0");
}

SCENARIO(resurrected_and_dropped_again) {
    /* By a later finalizer of the same collection: it is garbage after all. */
    Node *x = ring("x", 2, just_final);
    x->on_death = keep_self;
    x->a->on_death = let_go_of_kept;
    drop(x);
    collect(2);
    collect(2);
}

static void store_in_outside(Node *node) { set(kept("outside"), a, node); }

SCENARIO(resurrected_by_a_field_of_a_living_object) {
    Node *outside = plain("outside");
    keep("outside", outside);
    Node *x = final("x", store_in_outside);
    set(x, a, x);
    drop(x);
    collect(2);
    references(outside->a);
    set(outside->a, a, NULL);
    set(outside, a, NULL);
    say("dead");
    let_go("outside");
    drop(outside);
}

SCENARIO(resurrected_then_dies_at_zero) {
    Node *x = final("x", keep_self);
    set(x, a, x);
    drop(x);
    collect(2);
    x = take("x");
    let_go("x");
    set(x, a, NULL);
    counts();
    drop(x);
    counts();
    collect(2);
}

static void break_own(Node *node) { set(node, a, NULL); }

SCENARIO(breaks_its_cycle) {
    /* All die by their counts while the finalizers run. */
    Node *x = ring("x", 3, just_final);
    x->on_death = break_own;
    drop(x);
    collect(2);
    statistics();
}

SCENARIO(breaks_a_cycle_later_in_the_order) {
    Node *x = ring("x", 3, just_final);
    x->a->a->on_death = break_own;
    drop(x);
    collect(2);
    statistics();
}

SCENARIO(breaks_one_of_two_cycles) {
    Node *x = ring("x", 2, just_final);
    x->on_death = break_own;
    Node *y = ring("y", 3, just_final);
    drop(x);
    drop(y);
    collect(2);
    statistics();
}

SCENARIO(breaks_its_self_cycle) {
    Node *x = final("x", break_own);
    set(x, a, x);
    drop(x);
    collect(2);
    statistics();
    counts();
}

static void break_next(Node *node) { set(node->a, a, NULL); }

SCENARIO(breaks_the_field_of_the_next) {
    Node *x = ring("x", 4, just_final);
    x->on_death = break_next;
    drop(x);
    collect(2);
    statistics();
}

static void clear_second(Node *node) { set(node, b, NULL); }

SCENARIO(breaks_what_hangs_from_the_cycle) {
    Node *x = ring("x", 2, just_final);
    x->on_death = clear_second;
    give(x, b, final("hanging", NULL));
    give(x->b, a, final("from that", NULL));
    drop(x);
    collect(2);
    statistics();
}

static void allocate_one(Node *unused) {
    (void)unused;
    keep_give("late", plain("late"));
}

SCENARIO(allocates) {
    Node *x = ring("x", 2, just_final);
    x->on_death = allocate_one;
    drop(x);
    collect(0);
    counts();
    generations();
    let_go("late");
    counts();
}

static void allocate_garbage(Node *unused) {
    (void)unused;
    lose(ring("late", 3, plain));
}

SCENARIO(makes_new_cycles) {
    Node *x = ring("x", 2, just_final);
    x->on_death = allocate_garbage;
    drop(x);
    collect(1);
    counts();
    generations();
    collect(0);
}

static void allocate_many(Node *unused) {
    (void)unused;
    keep_give("many", chain("m", 2000, plain));
}

SCENARIO(allocates_more_than_the_threshold) {
    watch();
    Node *x = ring("x", 2, just_final);
    x->on_death = allocate_many;
    drop(x);
    collect(0);
    counts();
    x = plain("the next");
    counts();
    unwatch();
    let_go("many");
    drop(x);
}

static void collect_each(Node *unused) {
    (void)unused;
    collect(0);
    collect(2);
}

SCENARIO(collects) {
    Node *x = ring("x", 2, just_final);
    x->on_death = collect_each;
    lose(ring("y", 2, plain));
    drop(x);
    collect(2);
    statistics();
}

static void refer_to_new_cycle(Node *node) {
    Node *y = ring("new", 2, plain);
    set(y, b, node);
    drop(y);
}

SCENARIO(made_part_of_a_new_cycle) {
    /* A new object holds the dying one, and is garbage itself: that is resurrection, until the next collection. */
    Node *x = final("x", refer_to_new_cycle);
    set(x, a, x);
    drop(x);
    collect(2);
    generations();
    collect(2);
    generations();
}

static void add_to_cycle(Node *node) { give(node, b, plain("added")); }

SCENARIO(adds_an_object_to_the_garbage) {
    Node *x = ring("x", 2, just_final);
    x->on_death = add_to_cycle;
    drop(x);
    collect(2);
    generations();
    statistics();
    counts();
}

static void add_holder(Node *node) {
    give(node, b, plain("added"));
    set(node->b, a, node);
}

SCENARIO(adds_a_new_holder_to_the_garbage) {
    Node *x = ring("x", 2, just_final);
    x->on_death = add_holder;
    drop(x);
    collect(2);
    generations();
    collect(2);
}

static void hold_outside(Node *node) { give(node, b, take("outside")); }

SCENARIO(stores_an_outside_object_into_the_garbage) {
    Node *outside = final("outside", NULL);
    keep("outside", outside);
    Node *x = ring("x", 2, just_final);
    x->on_death = hold_outside;
    drop(x);
    collect(2);
    references(outside);
    drop(outside);
    let_go("outside");
    say("end");
}

SCENARIO(two_resurrected_one_dropped) {
    Node *x = ring("x", 2, just_final);
    x->on_death = keep_self;
    Node *y = ring("y", 2, just_final);
    y->on_death = keep_self;
    set(x, b, y);
    drop(x);
    drop(y);
    collect(2);
    let_go("y0");
    collect(2);
    let_go("x0");
    collect(2);
    statistics();
}

static void swap(Node *node) {
    keep("swapped", node->b);
    set(node, b, NULL);
}

SCENARIO(moves_a_cycle_out_of_the_garbage) {
    Node *x = ring("x", 2, just_final);
    give(x, b, ring("y", 2, just_final));
    x->on_death = swap;
    drop(x);
    collect(2);
    generations();
    let_go("swapped");
    collect(2);
}

SCENARIO(resurrection_moves_to_the_older_generation) {
    Node *x = ring("x", 2, just_final);
    x->on_death = keep_self;
    Node *y = plain("y");
    drop(x);
    collect(0);
    generations();
    collect(1);
    generations();
    let_go("x0");
    collect(1);
    collect(2);
    drop(y);
}

static void count_references(Node *node) {
    Node *y = own(node->a);
    references(y);
    keep("y", y);
    references(y);
    let_go("y");
    references(y);
    set(node, b, y);
    references(y);
    drop(y);
}

SCENARIO(references_change_as_usual_in_a_finalizer) {
    Node *x = final("x", count_references);
    give(x, a, plain("y"));
    set(x->a, a, x);
    drop(x);
    collect(2);
}

SCENARIO(many_cycles_some_resurrected) {
    for (int i = 0; i < 50; i++) {
        Node *x = ring(name("r%d.", i), 2, just_final);
        if (i % 10 == 3) {
            x->on_death = keep_self;
        }
        drop(x);
    }
    collect(2);
    generations();
    for (int i = 3; i < 50; i += 10) {
        let_go(name("r%d.0", i));
    }
    collect(2);
    statistics();
}

SCENARIO(acyclic_garbage_with_a_weak_callback) {
    Node *called = callback("called", NULL);
    Node *x = ring("x", 2, just_final);
    Leaf *one = leaf("leaf");
    set(x, b, one);
    hwr_weak *w = weak(one, called);
    drop(one);
    drop(x);
    collect(2);
    leads_to(w);
    drop(w);
    drop(called);
}

static void look_round(Leaf *unused) {
    (void)unused;
    counts();
    generations();
    collect(2);
}

SCENARIO(acyclic_garbage_that_looks_round) {
    Node *x = plain("x");
    set(x, a, x);
    give(x, b, final_leaf("leaf", look_round));
    Node *y = plain("y");
    drop(x);
    collect(1);
    counts();
    drop(y);
}

static void keep_leaf(Leaf *x) { keep("leaf", x); }

SCENARIO(acyclic_garbage_resurrected) {
    Node *x = ring("x", 2, plain);
    give(x, b, final_leaf("leaf", keep_leaf));
    drop(x);
    collect(2);
    references(kept("leaf"));
    let_go("leaf");
    say("end");
}

SCENARIO(breaks_its_cycle_and_weak_references_to_it) {
    Node *called = callback("called", NULL);
    Node *x = ring("x", 2, just_final);
    x->on_death = break_own;
    give(x->a, b, final_leaf("leaf", NULL));
    hwr_weak *w = weak(x, called);
    drop(x);
    collect(2);
    counts();
    drop(w);
    drop(called);
}

SCENARIO(breaks_its_cycle_and_allocates) {
    Node *x = ring("x", 3, just_final);
    x->on_death = break_own;
    x->a->on_death = allocate_one;
    drop(x);
    collect(0);
    counts();
    generations();
    let_go("late");
}

static void say_statistics(Node *unused) {
    (void)unused;
    statistics();
}

SCENARIO(statistics_in_a_finalizer) {
    Node *x = final("x", say_statistics);
    set(x, a, x);
    statistics();
    drop(x);
    collect(1);
    statistics();
}

static void look_whether_tracked(Node *node) { tracked(node); }

SCENARIO(tracked_in_a_finalizer) {
    Node *x = final("x", look_whether_tracked);
    drop(x);
    x = final("y", look_whether_tracked);
    set(x, a, x);
    drop(x);
    collect(2);
}

static void release_outside(Node *unused) {
    (void)unused;
    let_go("outside");
    say("let go");
}

SCENARIO(kills_an_outside_object_that_watches_the_garbage) {
    /* Its weak reference was cleared, and its callback called, before. */
    Node *x = final("x", release_outside);
    set(x, a, x);
    Node *outside = final("outside", NULL);
    give(outside, a, weak_give(x, callback("called", NULL)));
    give(outside, b, ring("r", 2, plain));
    keep("outside", outside);
    drop(outside);
    drop(x);
    collect(2);
    collect(2);
}
