/* Death at a count of zero: what dies in which order, finalizers and weak references apart from any cycle. */
#include "scene.h"

#include <stdlib.h>

SCENARIO(parent_is_finalized_before_its_children) {
    Node *x = chain("x", 5, just_final);
    drop(x);
}

SCENARIO(fields_are_given_up_in_order) {
    Node *x = final("x", NULL);
    give(x, c, final("c", NULL));
    give(x, a, final("a", NULL));
    give(x, b, final("b", NULL));
    drop(x);
}

SCENARIO(items_are_given_up_from_the_end) {
    Items *x = final_items("x", 4);
    for (int i = 0; i < 4; i++) {
        give(x, items[i], final(name("i%d", i), NULL));
    }
    drop(x);
}

SCENARIO(fields_are_given_up_before_items) {
    Items *x = final_items("x", 2);
    give(x, items[0], final("i0", NULL));
    give(x, items[1], final("i1", NULL));
    give(x, a, final("a", NULL));
    drop(x);
}

SCENARIO(death_goes_depth_first) {
    Node *x = final("x", NULL);
    give(x, a, final("a", NULL));
    give(x->a, a, final("aa", NULL));
    give(x->a, b, final("ab", NULL));
    give(x, b, final("b", NULL));
    give(x->b, a, final("ba", NULL));
    give(x, c, final("c", NULL));
    drop(x);
}

SCENARIO(death_goes_depth_first_through_items) {
    Items *x = final_items("x", 3);
    for (int i = 0; i < 3; i++) {
        give(x, items[i], final_items(name("i%d", i), 2));
        Items *item = (Items *)x->items[i];
        give(item, items[0], final(name("i%d.0", i), NULL));
        give(item, items[1], final(name("i%d.1", i), NULL));
        give(item, a, final(name("i%d.a", i), NULL));
    }
    drop(x);
}

SCENARIO(shared_object_dies_with_its_last_holder) {
    Node *x = final("x", NULL);
    give(x, a, final("left", NULL));
    give(x, b, final("right", NULL));
    give(x->a, a, final("shared", NULL));
    set(x->b, a, x->a->a);
    give(x->b, b, final("after", NULL));
    drop(x);
}

SCENARIO(store_gives_up_the_old_value_at_once) {
    Node *x = plain("x");
    give(x, a, final("old", NULL));
    give(x, a, final("new", NULL));
    say("stored");
    set(x, a, NULL);
    say("cleared");
    drop(x);
}

SCENARIO(store_of_the_same_value) {
    Node *x = plain("x");
    give(x, a, final("y", NULL));
    set(x, a, x->a);
    references(x->a);
    say("stored");
    drop(x);
}

SCENARIO(deep_death_in_order) {
    /* Deeper than any of the limits on nested calls. */
    Node *x = chain("x", 120, just_final);
    drop(x);
}

static void make_and_drop(Node *node) {
    int depth = atoi(node->name + 1);
    if (depth < 200) {
        Node *y = final(name("n%d", depth + 1), make_and_drop);
        drop(y);
    }
    say("done %s", node->name);
}

SCENARIO(finalizers_within_finalizers) {
    Node *x = final("n190", make_and_drop);
    drop(x);
}

static void let_go_of_other(Node *unused) {
    (void)unused;
    let_go("other");
    say("let go");
}

SCENARIO(finalizer_that_kills_another) {
    keep_give("other", final("other", NULL));
    Node *x = final("x", let_go_of_other);
    give(x, a, final("a", NULL));
    drop(x);
}

SCENARIO(acyclic_objects_die_in_order) {
    Node *x = final("x", NULL);
    give(x, a, final_leaf("a", NULL));
    give(x, b, final("b", NULL));
    give(x->b, a, final_leaf("ba", NULL));
    give(x, c, final_leaf("c", NULL));
    drop(x);
}

static void empty(Node *node) {
    say("emptying");
    set(node, a, NULL);
    say("emptied");
}

SCENARIO(finalizer_that_empties_its_object) {
    Node *x = final("x", empty);
    give(x, a, final("a", NULL));
    give(x, b, final("b", NULL));
    drop(x);
}

static void fill(Node *node) {
    give(node, a, final("late", NULL));
    set(node, b, NULL);
}

SCENARIO(finalizer_that_fills_its_object) {
    Node *x = final("x", fill);
    give(x, a, final("early", NULL));
    give(x, b, final("b", NULL));
    drop(x);
    counts();
}

static void refer_to_self(Node *node) { set(node, a, node); }

SCENARIO(finalizer_that_makes_a_cycle_of_its_object) {
    Node *x = final("x", refer_to_self);
    drop(x);
    say("a cycle now");
    counts();
    collect(2);
    counts();
}

static void collect_now(Node *unused) {
    (void)unused;
    collect(2);
}

SCENARIO(finalizer_that_collects) {
    lose(ring("r", 3, plain));
    Node *x = final("x", collect_now);
    give(x, a, final("a", NULL));
    drop(x);
    counts();
}

SCENARIO(finalizer_that_collects_in_a_chain) {
    /* What waits to die is no garbage for a collection that happens meanwhile. */
    Node *x = final("x", NULL);
    give(x, a, final("a", collect_now));
    give(x->a, a, final("aa", NULL));
    give(x, b, final("b", NULL));
    give(x->b, a, ring("r", 2, plain));
    drop(x);
    collect(2);
}

static void look(Node *node) { finalized(node); }

SCENARIO(finalized_is_said_of_the_dead_and_the_living) {
    Node *x = final("x", NULL);
    finalized(x);
    Node *y = plain("y");
    finalized(y);
    Leaf *z = leaf("z");
    finalized(z);
    drop(x);
    drop(y);
    drop(z);
}

SCENARIO(finalized_in_a_finalizer_at_zero) {
    Node *x = final("x", look);
    drop(x);
}

SCENARIO(resurrected_at_zero) {
    Node *x = final("x", keep_self);
    give(x, a, final("a", NULL));
    counts();
    drop(x);
    say("resurrected");
    counts();
    x = take("x");
    references(x);
    finalized(x);
    finalized(x->a);
    tracked(x);
    drop(x);
    let_go("x");
    say("dead");
    counts();
}

SCENARIO(resurrected_at_zero_twice_never) {
    Node *x = final("x", keep_self);
    drop(x);
    x = take("x");
    let_go("x");
    x->on_death = keep_self;
    give(x, a, final("a", keep_self));
    drop(x);
    say("x is dead, a is not");
    references(kept("a"));
    let_go("a");
}

SCENARIO(resurrected_at_zero_then_in_a_cycle) {
    Node *x = final("x", keep_self);
    drop(x);
    x = take("x");
    let_go("x");
    set(x, a, x);
    drop(x);
    collect(2);
}

SCENARIO(resurrected_at_zero_keeps_its_generation) {
    Node *x = final("x", keep_self);
    collect(0);
    generations();
    drop(x);
    generations();
    let_go("x");
    generations();
}

SCENARIO(resurrected_child_of_the_dead) {
    Node *x = final("x", keep_self);
    give(x, a, final("a", keep_self));
    drop(x);
    let_go("x");
    say("x is gone");
    let_go("a");
}

static void join_list(Node *node) {
    give(node, a, take("list"));
    keep("list", node);
}

SCENARIO(resurrected_many_times_into_a_list) {
    keep("list", NULL);
    for (int i = 0; i < 5; i++) {
        Node *x = final(name("x%d", i), join_list);
        drop(x);
    }
    collect(2);
    references(kept("list"));
    say("let go");
    keep("list", NULL);
    counts();
}

static void resurrect_leaf(Leaf *x) { keep("leaf", x); }

SCENARIO(resurrected_acyclic_object) {
    Leaf *x = final_leaf("x", resurrect_leaf);
    drop(x);
    say("resurrected");
    x = (Leaf *)take("leaf");
    references(x);
    drop(x);
    keep("leaf", NULL);
    say("end");
}

SCENARIO(finalizer_that_collects_what_its_object_holds) {
    Node *x = final("x", collect_now);
    give(x, a, ring("r", 2, plain));
    drop(x);
    say("dead");
    collect(2);
}

SCENARIO(item_that_collects_while_its_list_dies) {
    /* The items before it are still held. */
    Items *x = items("x", 3);
    give(x, items[0], ring("r", 2, plain));
    give(x, items[1], final("one", collect_now));
    give(x, items[2], ring("s", 3, plain));
    drop(x);
    say("dead");
    collect(2);
}

SCENARIO(item_of_many_that_collects_while_its_list_dies) {
    Items *x = items("x", 300);
    for (int i = 0; i < 300; i++) give(x, items[i], ring(name("r%d.", i), 2, plain));
    give(x, items[150], final("middle", collect_now));
    drop(x);
    say("dead");
    collect(2);
}

static void who_refers_to_kept(Node *unused) {
    (void)unused;
    referrers(kept("y"));
}

SCENARIO(dying_object_is_no_referrer) {
    Node *y = plain("y");
    keep("y", y);
    Node *x = plain("x");
    give(x, a, final("a", who_refers_to_kept));
    set(x, b, y);
    referrers(y);
    drop(x);
    let_go("y");
    drop(y);
}

SCENARIO(finalizer_looks_at_referrers_of_its_field) {
    Node *y = plain("y");
    keep("y", y);
    Node *x = final("x", who_refers_to_kept);
    set(x, b, y);
    drop(x);
    let_go("y");
    drop(y);
}
