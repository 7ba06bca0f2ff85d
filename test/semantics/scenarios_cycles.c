/* Shapes of garbage: what a collection returns, and what it leaves. */
#include "scene.h"

SCENARIO(nothing_to_collect) {
    collect(2);
    Node *x = plain("x");
    collect(2);
    give(x, a, plain("y"));
    set(x, b, x->a);
    collect(2);
    counts();
    drop(x);
    counts();
    collect(2);
}

SCENARIO(self_cycle) {
    Node *x = plain("x");
    set(x, a, x);
    references(x);
    drop(x);
    counts();
    collect(2);
    collect(2);
}

SCENARIO(self_cycle_in_every_field) {
    Node *x = plain("x");
    set(x, a, x);
    set(x, b, x);
    set(x, c, x);
    references(x);
    drop(x);
    collect(0);
}

SCENARIO(cycle_of_two) {
    Node *x = plain("x");
    Node *y = plain("y");
    set(x, a, y);
    set(y, a, x);
    references(x);
    drop(x);
    drop(y);
    generations();
    collect(2);
    generations();
}

SCENARIO(ring_of_a_thousand) {
    lose(ring("r", 1000, plain));
    lose(ring("s", 1000, plain));
    collect(2);
}

SCENARIO(two_rings_apart) {
    lose(ring("x", 2, plain));
    lose(ring("y", 3, plain));
    collect(2);
}

SCENARIO(two_rings_joined) {
    Node *x = ring("x", 3, plain);
    Node *y = ring("y", 4, plain);
    set(x, b, y);
    drop(x);
    drop(y);
    collect(2);
}

SCENARIO(two_rings_one_of_them_held) {
    Node *x = ring("x", 3, plain);
    Node *y = ring("y", 4, plain);
    set(x, b, y);
    drop(x);
    collect(2);
    generations();
    drop(y);
    collect(2);
}

SCENARIO(two_rings_the_first_held) {
    Node *x = ring("x", 3, plain);
    Node *y = ring("y", 4, plain);
    set(x, b, y);
    drop(y);
    collect(2);
    generations();
    set(x, b, NULL);
    collect(2);
    generations();
    drop(x);
    collect(2);
}

SCENARIO(ring_held_from_outside) {
    Node *x = ring("x", 5, plain);
    Node *outside = plain("outside");
    set(outside, a, x->a->a);
    drop(x);
    collect(2);
    references(outside->a);
    drop(outside);
    collect(2);
}

SCENARIO(ring_held_by_a_handle) {
    keep_give("x", ring("x", 5, plain));
    collect(2);
    let_go("x");
    collect(2);
}

SCENARIO(ring_that_holds_an_outside_object) {
    Node *outside = plain("outside");
    Node *x = ring("x", 3, plain);
    set(x, b, outside);
    set(x->a, b, outside);
    references(outside);
    drop(x);
    collect(2);
    references(outside);
    drop(outside);
}

SCENARIO(chain_hanging_from_a_ring) {
    Node *x = ring("x", 3, plain);
    give(x, b, chain("y", 10, plain));
    set(x->a, b, x->b->a->a);
    drop(x);
    collect(2);
}

SCENARIO(ring_at_the_end_of_a_chain) {
    Node *x = chain("x", 4, plain);
    give(x->a->a->a, a, ring("y", 3, plain));
    drop(x);
    counts();
    generations();
    collect(2);
}

SCENARIO(everybody_refers_to_everybody) {
    Items *x = items("x", 20);
    for (int i = 0; i < 20; i++) {
        give(x, items[i], items(name("i%d", i), 20));
    }
    for (int i = 0; i < 20; i++) {
        for (int j = 0; j < 20; j++) {
            Items *holder = (Items *)x->items[i];
            set(holder, items[j], x->items[j]);
        }
    }
    references(x->items[7]);
    drop(x);
    collect(2);
}

SCENARIO(tree_with_references_to_parents) {
    Node *root = plain("root");
    give(root, a, plain("a"));
    give(root, b, plain("b"));
    set(root->a, c, root);
    set(root->b, c, root);
    give(root->a, a, plain("aa"));
    set(root->a->a, c, root->a);
    give(root->b, b, plain("bb"));
    set(root->b->b, c, root->b);
    Node *leafmost = own(root->a->a);
    drop(root);
    collect(2);
    generations();
    set(leafmost, c, NULL);
    collect(2);
    generations();
    drop(leafmost);
}

SCENARIO(cycle_through_items) {
    Items *x = items("x", 3);
    set(x, items[0], x);
    give(x, items[1], plain("y"));
    set(x->items[1], a, x);
    give(x, items[2], leaf("leaf"));
    drop(x);
    collect(2);
}

SCENARIO(items_within_items) {
    Items *outermost = items("x", 2), *x = outermost;
    for (int i = 0; i < 30; i++) {
        give(x, items[1], items(name("i%d", i), 2));
        x = (Items *)x->items[1];
    }
    set(x, items[0], outermost);
    collect(2);
    drop(outermost);
    collect(2);
}

SCENARIO(cycle_that_holds_acyclic_objects) {
    Node *x = ring("x", 2, plain);
    give(x, b, final_leaf("one", NULL));
    give(x, c, leaf("two"));
    set(x->a, b, x->b);
    Leaf *shared = final_leaf("shared", NULL);
    set(x->a, c, shared);
    drop(x);
    collect(2);
    say("collected");
    references(shared);
    drop(shared);
}

SCENARIO(deep_chain_dies_at_once) {
    set_threshold(0, 0, 0);
    Node *x = chain("x", 100000, plain);
    counts();
    drop(x);
    counts();
}

SCENARIO(deep_chain_of_items_dies_at_once) {
    set_threshold(0, 0, 0);
    Items *x = NULL;
    for (int i = 0; i < 100000; i++) {
        Items *y = items("y", 1);
        give(y, items[0], x);
        x = y;
    }
    counts();
    drop(x);
    counts();
}

SCENARIO(deep_chain_in_a_cycle) {
    set_threshold(0, 0, 0);
    Node *x = ring("x", 100000, plain);
    give(x, b, chain("y", 100000, plain));
    drop(x);
    counts();
    collect(2);
    counts();
}

SCENARIO(deep_chain_survives) {
    set_threshold(0, 0, 0);
    Node *x = chain("x", 100000, plain);
    collect(2);
    counts();
    Node *last = own(x);
    while (last->a != NULL) {
        replace(last, own(last->a));
    }
    set(last, a, x);
    references(last);
    drop(last);
    collect(2);
    drop(x);
    collect(2);
}

SCENARIO(cycle_made_and_broken) {
    Node *x = plain("x");
    set(x, a, x);
    set(x, a, NULL);
    references(x);
    drop(x);
    counts();
    collect(2);
}

SCENARIO(cycle_broken_by_its_holder) {
    Node *x = ring("x", 3, plain);
    set(x->a->a, a, NULL);
    counts();
    drop(x);
    counts();
    collect(2);
}

SCENARIO(what_only_garbage_holds_is_unreachable_too) {
    Node *x = plain("x");
    set(x, a, x);
    give(x, b, plain("y"));
    give(x->b, b, items("z", 1));
    Items *z = (Items *)x->b->b;
    give(z, items[0], plain("w"));
    Node *outside = plain("outside");
    set(x->b, a, outside);
    drop(x);
    collect(2);
    generations();
    references(outside);
    drop(outside);
}
