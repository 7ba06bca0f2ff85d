/* Tables with weak keys and with weak values. */
#include "scene.h"

#include <string.h>

static void say_entry(void *value) {
    if (value)
        say("entry: %s", name_of(value));
    else
        say("no entry");
    hwr_release(heap, value);
}

static void say_removed(bool removed) { say(removed ? "removed" : "no entry"); }

/* ---- weak keys: two functions of each kind, since the two kinds of table differ in ours ---- */

static void keys_length(hwr_weak_keys *table) { say("entries: %zu", hwr_weak_keys_count(heap, table)); }

static void keys_look_up(hwr_weak_keys *table, const void *key) { say_entry(hwr_weak_keys_get(heap, table, key)); }

static void keys_take_out(hwr_weak_keys *table, const void *key) {
    say_removed(hwr_weak_keys_remove(heap, table, key));
}

static void keys_put(hwr_weak_keys *table, void *key, void *value) {
    if (!hwr_weak_keys_set(heap, table, key, value)) say("no memory");
}

static void keys_put_give(hwr_weak_keys *table, void *key, void *value) {
    keys_put(table, key, value);
    hwr_release(heap, value);
}

static void values_length(hwr_weak_values *table) { say("entries: %zu", hwr_weak_values_count(heap, table)); }

static void values_look_up(hwr_weak_values *table, const char *key) {
    say_entry(hwr_weak_values_get(heap, table, key, strlen(key)));
}

static void values_take_out(hwr_weak_values *table, const char *key) {
    say_removed(hwr_weak_values_remove(heap, table, key, strlen(key)));
}

static void values_put(hwr_weak_values *table, const char *key, void *value) {
    if (!hwr_weak_values_set(heap, table, key, strlen(key), value)) say("no memory");
}

static void values_put_give(hwr_weak_values *table, const char *key, void *value) {
    values_put(table, key, value);
    hwr_release(heap, value);
}

/* How many objects make up a table is nobody's business. */
static void quiet_collect(void) { hwr_collect(heap, HWR_OLDEST); }

SCENARIO(weak_keys) {
    hwr_weak_keys *table = hwr_weak_keys_new(heap);
    Node *x = plain("x");
    Node *y = plain("y");
    keys_length(table);
    keys_look_up(table, x);
    keys_put_give(table, x, plain("value of x"));
    keys_put_give(table, y, final("value of y", NULL));
    keys_length(table);
    keys_look_up(table, x);
    keys_look_up(table, y);
    keys_put_give(table, x, plain("second value of x"));
    keys_look_up(table, x);
    keys_length(table);
    keys_take_out(table, y);
    keys_take_out(table, y);
    keys_length(table);
    weak_count(x);
    weak_count(y);
    drop(table);
    drop(x);
    drop(y);
}

SCENARIO(weak_keys_entry_goes_with_its_key) {
    hwr_weak_keys *table = hwr_weak_keys_new(heap);
    Node *x = final("x", NULL);
    Node *y = plain("y");
    keys_put_give(table, x, final("value of x", NULL));
    keys_put_give(table, y, final("value of y", NULL));
    references(x);
    drop(x);
    say("x is dead");
    keys_length(table);
    keys_look_up(table, y);
    drop(y);
    keys_length(table);
    drop(table);
}

SCENARIO(weak_keys_own_their_values) {
    hwr_weak_keys *table = hwr_weak_keys_new(heap);
    Node *x = plain("x");
    Node *value = final("value", NULL);
    keys_put(table, x, value);
    references(value);
    drop(value);
    collect(2);
    keys_look_up(table, x);
    drop(table);
    say("the table is gone");
    weak_count(x);
    drop(x);
}

SCENARIO(weak_keys_of_collected_cycles) {
    hwr_weak_keys *table = hwr_weak_keys_new(heap);
    Node *x = ring("x", 3, just_final);
    keys_put_give(table, x, final("value of x0", NULL));
    keys_put_give(table, x->a, final("value of x1", NULL));
    keys_length(table);
    drop(x);
    collect(2);
    keys_length(table);
    drop(table);
}

SCENARIO(weak_keys_value_that_leads_to_its_key) {
    hwr_weak_keys *table = hwr_weak_keys_new(heap);
    Node *x = plain("x");
    keys_put_give(table, x, final("value", NULL));
    Node *value = hwr_weak_keys_get(heap, table, x);
    set(value, a, x);
    hwr_weak *w = weak(x, NULL);
    drop(value);
    drop(x);
    collect(2);
    leads_to(w);
    keys_length(table);
    drop(table);
    leads_to(w);
    say("end");
    drop(w);
}

SCENARIO(weak_keys_chain_of_entries) {
    /* The value of each key is the next key. */
    hwr_weak_keys *table = hwr_weak_keys_new(heap);
    Node *first = final("k0", NULL);
    Node *x = own(first);
    for (int i = 1; i < 6; i++) {
        Node *y = final(name("k%d", i), NULL);
        keys_put(table, x, y);
        replace(x, y);
    }
    drop(x);
    keys_length(table);
    collect(2);
    keys_length(table);
    drop(first);
    keys_length(table);
    drop(table);
}

SCENARIO(weak_keys_table_in_a_cycle) {
    hwr_weak_keys *table = hwr_weak_keys_new(heap);
    Node *key = plain("key");
    Node *value = final("value", NULL);
    keys_put(table, key, value);
    Items *holder = items("holder", 1);
    set(holder, items[0], table);
    give(value, a, holder);
    hwr_weak *w = weak(value, NULL);
    drop(value);
    drop(table);
    leads_to(w);
    quiet_collect();
    leads_to(w);
    weak_count(key);
    drop(key);
    drop(w);
}

SCENARIO(weak_keys_of_resurrected_objects) {
    hwr_weak_keys *table = hwr_weak_keys_new(heap);
    Node *x = final("x", keep_self);
    keys_put_give(table, x, plain("value"));
    drop(x);
    keys_length(table);
    x = take("x");
    keys_look_up(table, x);
    let_go("x");
    drop(x);
    keys_length(table);
    x = final("y", keep_self);
    set(x, a, x);
    keys_put_give(table, x, plain("value"));
    drop(x);
    collect(2);
    keys_length(table);
    x = take("y");
    keys_look_up(table, x);
    set(x, a, NULL);
    let_go("y");
    drop(x);
    drop(table);
}

SCENARIO(weak_keys_and_a_callback) {
    /* The table's own weak reference takes its turn among the callbacks: newest first. */
    hwr_weak_keys *table = hwr_weak_keys_new(heap);
    Node *x = plain("x");
    Node *one = callback("before the table", NULL);
    Node *two = callback("after the table", NULL);
    hwr_weak *u = weak(x, one);
    keys_put_give(table, x, final("value", NULL));
    hwr_weak *v = weak(x, two);
    weak_count(x);
    drop(x);
    keys_length(table);
    drop(u);
    drop(v);
    drop(one);
    drop(two);
    drop(table);
}

SCENARIO(weak_keys_many) {
    hwr_weak_keys *table = hwr_weak_keys_new(heap);
    Items *keys = items("keys", 500);
    for (int i = 0; i < 500; i++) {
        give(keys, items[i], plain(name("k%d", i)));
        keys_put_give(table, keys->items[i], plain(name("v%d", i)));
    }
    keys_length(table);
    for (int i = 0; i < 500; i += 2) {
        set(keys, items[i], NULL);
    }
    keys_length(table);
    keys_look_up(table, keys->items[123]);
    keys_look_up(table, keys->items[499]);
    set(keys->items[1], a, keys->items[1]);
    set(keys, items[1], NULL);
    keys_length(table);
    collect(2);
    keys_length(table);
    drop(keys);
    keys_length(table);
    drop(table);
}

SCENARIO(weak_values) {
    hwr_weak_values *table = hwr_weak_values_new(heap);
    Node *x = plain("x");
    Node *y = plain("y");
    values_look_up(table, "one");
    values_put(table, "one", x);
    values_put(table, "two", y);
    values_length(table);
    values_look_up(table, "one");
    values_look_up(table, "three");
    references(x);
    weak_count(x);
    values_put(table, "one", y);
    values_look_up(table, "one");
    weak_count(x);
    weak_count(y);
    values_length(table);
    values_take_out(table, "one");
    values_take_out(table, "one");
    values_length(table);
    drop(table);
    drop(x);
    drop(y);
}

SCENARIO(weak_values_entry_goes_with_its_value) {
    hwr_weak_values *table = hwr_weak_values_new(heap);
    Node *x = final("x", NULL);
    values_put(table, "one", x);
    values_put(table, "two", x);
    values_put_give(table, "three", plain("nobody's"));
    values_length(table);
    values_look_up(table, "three");
    drop(x);
    values_length(table);
    values_look_up(table, "one");
    drop(table);
}

SCENARIO(weak_values_of_collected_cycles) {
    hwr_weak_values *table = hwr_weak_values_new(heap);
    Node *x = ring("x", 3, plain);
    values_put(table, "zero", x);
    values_put(table, "one", x->a);
    drop(x);
    values_length(table);
    collect(2);
    values_length(table);
    values_look_up(table, "zero");
    drop(table);
}

SCENARIO(weak_values_give_owned_references) {
    hwr_weak_values *table = hwr_weak_values_new(heap);
    Node *x = final("x", NULL);
    values_put(table, "x", x);
    Node *y = hwr_weak_values_get(heap, table, "x", 1);
    references(x);
    drop(x);
    values_look_up(table, "x");
    drop(y);
    values_look_up(table, "x");
    drop(table);
}

SCENARIO(weak_values_replaced_before_the_first_dies) {
    hwr_weak_values *table = hwr_weak_values_new(heap);
    Node *x = plain("x");
    Node *y = plain("y");
    values_put(table, "k", x);
    values_put(table, "k", y);
    drop(x);
    values_look_up(table, "k");
    drop(y);
    values_look_up(table, "k");
    drop(table);
}

SCENARIO(weak_values_die_before_their_table) {
    hwr_weak_values *table = hwr_weak_values_new(heap);
    Node *x = plain("x");
    values_put(table, "k", x);
    drop(table);
    weak_count(x);
    drop(x);
}

static void look_in_kept(Node *unused) {
    (void)unused;
    hwr_weak_values *table = (hwr_weak_values *)(void *)kept("table");
    values_look_up(table, "x");
    values_length(table);
}

SCENARIO(weak_values_seen_by_a_finalizer) {
    hwr_weak_values *table = hwr_weak_values_new(heap);
    keep("table", table);
    Node *x = final("x", look_in_kept);
    values_put(table, "x", x);
    drop(x);
    values_length(table);
    x = final("x", look_in_kept);
    set(x, a, x);
    values_put(table, "x", x);
    drop(x);
    collect(2);
    let_go("table");
    drop(table);
}
