/* Callbacks of the collector, statistics, what is kept as garbage. */
#include "scene.h"

SCENARIO(callbacks_tell_what_is_collected) {
    watch();
    collect(0);
    Node *y = ring("y", 4, just_final);
    y->on_death = keep_self;
    lose(ring("x", 3, plain));
    collect(0);
    lose(ring("z", 2, plain));
    drop(y);
    collect(1);
    collect(2);
    let_go("y0");
    collect(2);
    unwatch();
    collect(2);
}

ON_COLLECTION(first) { say("first %s", phase(info)); }

ON_COLLECTION(second) { say("second %s", phase(info)); }

SCENARIO(callbacks_are_called_in_order) {
    add_callback(first);
    add_callback(second);
    collect(0);
    remove_callback(first);
    collect(0);
    add_callback(first);
    collect(0);
    remove_callback(first);
    remove_callback(second);
    collect(0);
}

SCENARIO(callbacks_the_same_twice) {
    add_callback(second);
    add_callback(second);
    collect(0);
    remove_callback(second);
    collect(0);
    remove_callback(second);
    collect(0);
}

ON_COLLECTION(count_in_callback) {
    say("%s", phase(info));
    counts();
}

SCENARIO(callbacks_see_the_counts) {
    add_callback(count_in_callback);
    Node *x = plain("x");
    Node *y = plain("y");
    collect(0);
    lose(ring("z", 3, plain));
    collect(1);
    collect(2);
    remove_callback(count_in_callback);
    drop(x);
    drop(y);
}

ON_COLLECTION(collect_in_callback) {
    say("%s", phase(info));
    collect(0);
    collect(2);
}

SCENARIO(callbacks_that_collect) {
    add_callback(collect_in_callback);
    lose(ring("x", 2, plain));
    collect(0);
    lose(ring("y", 2, plain));
    collect(1);
    remove_callback(collect_in_callback);
    statistics();
}

ON_COLLECTION(allocate_in_callback) {
    say("%s", phase(info));
    keep_give(phase(info), plain(name("of %s", phase(info))));
    lose(ring(phase(info), 2, plain));
}

SCENARIO(callbacks_that_allocate) {
    add_callback(allocate_in_callback);
    collect(0);
    counts();
    generations();
    collect(0);
    counts();
    generations();
    remove_callback(allocate_in_callback);
    collect(1);
    let_go("start");
    let_go("stop");
}

ON_COLLECTION(add_second) {
    say("adds at %s", phase(info));
    if (info->starts) {
        add_callback(second);
    }
}

SCENARIO(callbacks_added_by_a_callback) {
    add_callback(add_second);
    collect(0);
    remove_callback(add_second);
    collect(0);
    remove_callback(second);
}

ON_COLLECTION(remove_second) {
    say("removes at %s", phase(info));
    if (info->starts) {
        remove_callback(second);
    }
}

SCENARIO(callbacks_removed_by_a_callback) {
    add_callback(remove_second);
    add_callback(second);
    collect(0);
    remove_callback(remove_second);
    collect(0);
}

ON_COLLECTION(remove_self) {
    say("removes itself at %s", phase(info));
    remove_callback(remove_self);
}

SCENARIO(callbacks_that_remove_themselves) {
    add_callback(remove_self);
    add_callback(second);
    collect(0);
    collect(0);
    remove_callback(second);
}

ON_COLLECTION(keep_kept_alive) {
    say("%s", phase(info));
    if (info->starts) {
        let_go("x");
    }
}

SCENARIO(callbacks_that_make_garbage_at_the_start) {
    /* It is found by the collection that starts. */
    keep_give("x", ring("x", 3, plain));
    add_callback(keep_kept_alive);
    collect(0);
    remove_callback(keep_kept_alive);
    collect(2);
}

SCENARIO(callbacks_and_finalizers) {
    watch();
    Node *called = callback("called", NULL);
    Node *x = ring("x", 2, just_final);
    hwr_weak *w = weak(x, called);
    drop(x);
    collect(2);
    unwatch();
    drop(w);
    drop(called);
}

SCENARIO(statistics_of_each_generation) {
    statistics();
    collect(0);
    statistics();
    lose(ring("x", 3, plain));
    collect(0);
    statistics();
    lose(ring("y", 2, plain));
    collect(1);
    statistics();
    lose(ring("z", 4, plain));
    collect(2);
    collect(2);
    statistics();
    Node *x = chain("w", 5, plain);
    drop(x);
    collect(2);
    statistics();
}

SCENARIO(statistics_of_resurrection) {
    Node *x = ring("x", 3, just_final);
    x->on_death = keep_self;
    drop(x);
    collect(2);
    statistics();
    let_go("x0");
    collect(2);
    statistics();
}

SCENARIO(statistics_of_what_hangs_from_cycles) {
    Node *x = ring("x", 2, plain);
    give(x, b, chain("y", 3, plain));
    give(x, c, leaf("leaf"));
    drop(x);
    collect(2);
    statistics();
}

static void set_debug(unsigned flags) {
    hwr_set_debug(heap, flags);
    say("debug: %u", hwr_get_debug(heap));
}

SCENARIO(garbage_is_saved) {
    garbage();
    set_debug(HWR_DEBUG_SAVEALL);
    Node *x = ring("x", 3, plain);
    give(x, b, chain("y", 2, plain));
    give(x, c, leaf("leaf"));
    drop(x);
    collect(2);
    garbage();
    generations();
    statistics();
    references(hwr_garbage(heap, 0));
    collect(2);
    garbage();
    set_debug(0);
    collect(2);
    hwr_garbage_clear(heap);
    garbage();
    collect(2);
    statistics();
}

SCENARIO(garbage_saved_has_been_finalized) {
    set_debug(HWR_DEBUG_SAVEALL);
    Node *called = callback("called", NULL);
    Node *x = ring("x", 2, just_final);
    hwr_weak *w = weak(x, called);
    hwr_weak *v = weak(x, NULL);
    drop(x);
    collect(2);
    garbage();
    leads_to(v);
    finalized(hwr_garbage(heap, 0));
    tracked(hwr_garbage(heap, 1));
    set_debug(0);
    hwr_garbage_clear(heap);
    say("cleared");
    collect(2);
    drop(v);
    drop(w);
    drop(called);
}

SCENARIO(garbage_saved_without_cycles_dies_when_cleared) {
    set_debug(HWR_DEBUG_SAVEALL);
    Node *x = plain("x");
    set(x, a, x);
    give(x, b, final("hanging", NULL));
    give(x, c, final("another", NULL));
    drop(x);
    collect(2);
    garbage();
    Node *saved = hwr_garbage(heap, 0);
    set(saved, a, NULL);
    set_debug(0);
    hwr_garbage_clear(heap);
    say("end");
    counts();
    collect(2);
}

SCENARIO(garbage_saved_in_each_generation) {
    set_debug(HWR_DEBUG_SAVEALL);
    lose(ring("x", 2, plain));
    collect(0);
    garbage();
    generations();
    Node *x = ring("y", 2, plain);
    collect(0);
    drop(x);
    collect(1);
    garbage();
    generations();
    set_debug(0);
    hwr_garbage_clear(heap);
    collect(2);
}

SCENARIO(garbage_saved_by_an_automatic_collection) {
    set_debug(HWR_DEBUG_SAVEALL);
    set_threshold(10, 100, 100);
    watch();
    for (int i = 0; i < 12; i++) {
        Node *x = plain(name("g%d", i));
        set(x, a, x);
        drop(x);
    }
    unwatch();
    garbage();
    counts();
    set_debug(0);
    hwr_garbage_clear(heap);
    collect(2);
}

SCENARIO(garbage_saved_with_resurrection) {
    set_debug(HWR_DEBUG_SAVEALL);
    Node *x = ring("x", 2, just_final);
    x->on_death = keep_self;
    lose(ring("y", 2, plain));
    drop(x);
    collect(2);
    garbage();
    let_go("x0");
    collect(2);
    garbage();
    set_debug(0);
    hwr_garbage_clear(heap);
    collect(2);
}

SCENARIO(garbage_saved_among_weak_references) {
    /* Those in the garbage are saved as well; so is nothing that dies on the way. */
    set_debug(HWR_DEBUG_SAVEALL);
    Node *x = ring("x", 2, plain);
    Node *called = callback("called", NULL);
    give(x, b, weak(x, called));
    give(x, c, weak(x->a, NULL));
    drop(x);
    collect(2);
    garbage();
    set_debug(0);
    hwr_garbage_clear(heap);
    collect(2);
    drop(called);
}

ON_COLLECTION(say_statistics) {
    say("%s", phase(info));
    statistics();
}

SCENARIO(callbacks_see_the_statistics) {
    add_callback(say_statistics);
    lose(ring("x", 2, plain));
    collect(1);
    collect(2);
    remove_callback(say_statistics);
}

static void clear_field(Node *node) { set(node, a, NULL); }

SCENARIO(garbage_saved_when_a_finalizer_breaks_the_cycle) {
    /* What has died cannot be saved. */
    set_debug(HWR_DEBUG_SAVEALL);
    Node *x = ring("x", 3, just_final);
    x->on_death = clear_field;
    Node *y = ring("y", 2, just_final);
    drop(x);
    drop(y);
    collect(2);
    garbage();
    set_debug(0);
    hwr_garbage_clear(heap);
    collect(2);
}
