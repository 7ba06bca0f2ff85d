/* weak: the tables with weak keys and with weak values. */
#include "support/check.h"
#include "support/heap_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hwr_weak_keys *new_keys(const heap_fixture *f) {
    hwr_weak_keys *keys = hwr_weak_keys_new(f->heap);
    assert_non_null(keys);
    assert_int_equal(hwr_weak_keys_count(f->heap, keys), 0);
    return keys;
}

static hwr_weak_values *new_values(const heap_fixture *f) {
    hwr_weak_values *values = hwr_weak_values_new(f->heap);
    assert_non_null(values);
    assert_int_equal(hwr_weak_values_count(f->heap, values), 0);
    return values;
}

static void expect_key(const heap_fixture *f, hwr_weak_keys *keys, const void *key, const void *value) {
    void *found = hwr_weak_keys_get(f->heap, keys, key);
    assert_ptr_equal(found, value);
    hwr_release(f->heap, found);
}

static void expect_entry(const heap_fixture *f, hwr_weak_values *values, const char *key, const void *value) {
    void *found = hwr_weak_values_get(f->heap, values, key, strlen(key));
    assert_ptr_equal(found, value);
    hwr_release(f->heap, found);
}

static bool set_value(const heap_fixture *f, hwr_weak_values *values, const char *key, void *value) {
    return hwr_weak_values_set(f->heap, values, key, strlen(key), value);
}

/* ---- weak keys ---- */

static void an_entry_goes_with_its_key(void **state) {
    heap_fixture *f = *state;
    hwr_weak_keys *keys = new_keys(f);
    size_t ended = 0;
    pair *key = new_pair(f), *other = new_pair(f);
    finalized *value = new_finalized(f, &ended);
    expect_key(f, keys, key, NULL);
    assert_true(hwr_weak_keys_set(f->heap, keys, key, value));
    assert_int_equal(hwr_refcount(f->heap, key), 1);
    assert_int_equal(hwr_refcount(f->heap, value), 2);
    expect_key(f, keys, key, value);
    expect_key(f, keys, other, NULL);
    hwr_release(f->heap, value);
    assert_int_equal(ended, 0);
    assert_int_equal(hwr_weak_keys_count(f->heap, keys), 1);
    hwr_release(f->heap, key);
    assert_int_equal(ended, 1);
    assert_int_equal(hwr_weak_keys_count(f->heap, keys), 0);
    hwr_release(f->heap, other);
    hwr_release(f->heap, keys);
    heap_fixture_expect_objects(f, 0);
}

static void an_entry_can_be_replaced_and_removed(void **state) {
    heap_fixture *f = *state;
    hwr_weak_keys *keys = new_keys(f);
    pair *key = new_pair(f), *first = new_pair(f), *second = new_pair(f);
    assert_false(hwr_weak_keys_remove(f->heap, keys, key));
    assert_true(hwr_weak_keys_set(f->heap, keys, key, first));
    assert_true(hwr_weak_keys_set(f->heap, keys, key, second));
    assert_int_equal(hwr_weak_keys_count(f->heap, keys), 1);
    assert_int_equal(hwr_refcount(f->heap, first), 1);
    expect_key(f, keys, key, second);
    assert_true(hwr_weak_keys_remove(f->heap, keys, key));
    assert_false(hwr_weak_keys_remove(f->heap, keys, key));
    assert_int_equal(hwr_weak_keys_count(f->heap, keys), 0);
    assert_int_equal(hwr_refcount(f->heap, second), 1);
    expect_key(f, keys, key, NULL);
    assert_int_equal(hwr_weak_count(f->heap, key), 0);
    hwr_release(f->heap, key);
    hwr_release(f->heap, first);
    hwr_release(f->heap, second);
    hwr_release(f->heap, keys);
    heap_fixture_expect_objects(f, 0);
}

static void many_keys(void **state) {
    heap_fixture *f = *state;
    enum { KEYS = 3000 };
    static pair *objects[KEYS];
    hwr_weak_keys *keys = new_keys(f);
    for (size_t i = 0; i < KEYS; i++) {
        objects[i] = new_pair(f);
        assert_true(hwr_weak_keys_set(f->heap, keys, objects[i], objects[i / 2])); /* a value leads to no later key */
        assert_int_equal(hwr_weak_keys_count(f->heap, keys), i + 1);
    }
    assert_true(hwr_heap_verify(f->heap, NULL));
    for (size_t i = 0; i < KEYS; i++) expect_key(f, keys, objects[i], objects[i / 2]);
    for (size_t i = 0; i < KEYS; i += 3) assert_true(hwr_weak_keys_remove(f->heap, keys, objects[i]));
    for (size_t i = 0; i < KEYS; i++) expect_key(f, keys, objects[i], i % 3 == 0 ? NULL : objects[i / 2]);
    for (size_t i = KEYS; i-- > 0;) hwr_release(f->heap, objects[i]);
    assert_int_equal(hwr_weak_keys_count(f->heap, keys), 0);
    hwr_release(f->heap, keys);
    heap_fixture_expect_objects(f, 0);
}

/* As in Python: not an ephemeron. */
static void a_value_that_leads_to_its_key_keeps_it(void **state) {
    heap_fixture *f = *state;
    hwr_weak_keys *keys = new_keys(f);
    pair *key = new_pair(f), *value = new_pair(f);
    hwr_set(f->heap, value, &value->a, key);
    assert_true(hwr_weak_keys_set(f->heap, keys, key, value));
    hwr_release(f->heap, key);
    hwr_release(f->heap, value);
    assert_int_equal(hwr_collect(f->heap, HWR_OLDEST), 0);
    assert_int_equal(hwr_weak_keys_count(f->heap, keys), 1);
    expect_key(f, keys, key, value);
    hwr_release(f->heap, keys);
    heap_fixture_expect_objects(f, 0);
}

static void an_entry_goes_when_its_key_is_collected(void **state) {
    heap_fixture *f = *state;
    hwr_weak_keys *keys = new_keys(f);
    size_t ended = 0;
    pair *key = new_cycle(f, 3);
    finalized *value = new_finalized(f, &ended);
    assert_true(hwr_weak_keys_set(f->heap, keys, key, value));
    hwr_release(f->heap, value);
    hwr_release(f->heap, key);
    assert_int_equal(hwr_weak_keys_count(f->heap, keys), 1);
    hwr_collect(f->heap, HWR_OLDEST);
    assert_int_equal(hwr_weak_keys_count(f->heap, keys), 0);
    assert_int_equal(ended, 1);
    hwr_release(f->heap, keys);
    heap_fixture_expect_objects(f, 0);
}

static void tables_can_be_garbage(void **state) {
    heap_fixture *f = *state;
    hwr_weak_keys *keys = new_keys(f);
    hwr_weak_values *values = new_values(f);
    pair *key = new_pair(f), *p = new_pair(f);
    assert_true(hwr_weak_keys_set(f->heap, keys, key, keys)); /* owns itself */
    assert_true(hwr_weak_keys_set(f->heap, keys, p, values));
    assert_true(set_value(f, values, "keys", keys));
    assert_true(set_value(f, values, "p", p));
    hwr_set(f->heap, p, &p->a, (pair *)(void *)values);
    hwr_set(f->heap, p, &p->b, (pair *)(void *)keys);
    hwr_release(f->heap, values);
    hwr_release(f->heap, p);
    hwr_release(f->heap, keys);
    assert_true(hwr_collect(f->heap, HWR_OLDEST) > 0);
    heap_fixture_expect_objects(f, 1);
    hwr_release(f->heap, key);
}

/* The table's own death: its entries' keys and values may hold each other, and die in the middle of it. */
static void keys_and_values_may_die_with_the_table(void **state) {
    heap_fixture *f = *state;
    hwr_weak_keys *keys = new_keys(f), *second = new_keys(f);
    for (size_t i = 0; i < 20; i++) {
        pair *key = new_pair(f), *value = new_pair(f);
        assert_true(hwr_weak_keys_set(f->heap, keys, key, value));
        assert_true(hwr_weak_keys_set(f->heap, keys, value, key)); /* which keeps it */
        assert_true(hwr_weak_keys_set(f->heap, second, key, keys));
        hwr_release(f->heap, key);
        hwr_release(f->heap, value);
    }
    assert_int_equal(hwr_weak_keys_count(f->heap, keys), 40);
    hwr_release(f->heap, second);
    hwr_release(f->heap, keys);
    heap_fixture_expect_objects(f, 0);
}

/* ---- weak values ---- */

static void an_entry_goes_with_its_value(void **state) {
    heap_fixture *f = *state;
    hwr_weak_values *values = new_values(f);
    pair *p = new_pair(f);
    char key[] = "a key";
    assert_true(set_value(f, values, key, p));
    key[0] = 'x'; /* the table has a copy */
    assert_int_equal(hwr_refcount(f->heap, p), 1);
    expect_entry(f, values, "a key", p);
    expect_entry(f, values, "x key", NULL);
    expect_entry(f, values, "a ke", NULL);
    expect_entry(f, values, "", NULL);
    assert_int_equal(hwr_weak_values_count(f->heap, values), 1);
    hwr_release(f->heap, p);
    assert_int_equal(hwr_weak_values_count(f->heap, values), 0);
    expect_entry(f, values, "a key", NULL);
    hwr_release(f->heap, values);
    heap_fixture_expect_objects(f, 0);
}

static void keys_are_bytes(void **state) {
    heap_fixture *f = *state;
    hwr_weak_values *values = new_values(f);
    pair *pairs[4];
    const char bytes[4][3] = {{0, 0, 0}, {0, 0, 1}, {0, 1, 0}, {1, 0, 0}};
    for (size_t i = 0; i < 4; i++) {
        pairs[i] = new_pair(f);
        assert_true(hwr_weak_values_set(f->heap, values, bytes[i], 3, pairs[i]));
    }
    assert_true(hwr_weak_values_set(f->heap, values, NULL, 0, pairs[0])); /* the empty key */
    assert_true(hwr_weak_values_set(f->heap, values, bytes[0], 2, pairs[3]));
    assert_int_equal(hwr_weak_values_count(f->heap, values), 6);
    for (size_t i = 0; i < 4; i++) {
        pair *found = hwr_weak_values_get(f->heap, values, bytes[i], 3);
        assert_ptr_equal(found, pairs[i]);
        hwr_release(f->heap, found);
    }
    expect_entry(f, values, "", pairs[0]);
    hwr_release(f->heap, pairs[0]); /* the value of two */
    assert_int_equal(hwr_weak_values_count(f->heap, values), 4);
    for (size_t i = 1; i < 4; i++) hwr_release(f->heap, pairs[i]);
    assert_int_equal(hwr_weak_values_count(f->heap, values), 0);
    hwr_release(f->heap, values);
}

static void a_value_can_be_replaced_and_removed(void **state) {
    heap_fixture *f = *state;
    hwr_weak_values *values = new_values(f);
    pair *first = new_pair(f), *second = new_pair(f);
    assert_false(hwr_weak_values_remove(f->heap, values, "k", 1));
    assert_true(set_value(f, values, "k", first));
    assert_true(set_value(f, values, "k", second));
    assert_int_equal(hwr_weak_values_count(f->heap, values), 1);
    expect_entry(f, values, "k", second);
    hwr_release(f->heap, first);
    expect_entry(f, values, "k", second);
    assert_true(set_value(f, values, "k", second));
    assert_int_equal(hwr_weak_values_count(f->heap, values), 1);
    assert_true(hwr_weak_values_remove(f->heap, values, "k", 1));
    assert_false(hwr_weak_values_remove(f->heap, values, "k", 1));
    expect_entry(f, values, "k", NULL);
    assert_int_equal(hwr_weak_count(f->heap, second), 0);
    hwr_release(f->heap, second);
    hwr_release(f->heap, values);
    heap_fixture_expect_objects(f, 0);
}

static void many_values(void **state) {
    heap_fixture *f = *state;
    enum { VALUES = 3000 };
    static pair *pairs[VALUES];
    char key[20];
    hwr_weak_values *values = new_values(f);
    for (size_t i = 0; i < VALUES; i++) {
        snprintf(key, sizeof key, "%zu", i * i);
        pairs[i] = new_pair(f);
        assert_true(set_value(f, values, key, pairs[i]));
    }
    assert_int_equal(hwr_weak_values_count(f->heap, values), VALUES);
    for (size_t i = 0; i < VALUES; i += 2) hwr_release(f->heap, pairs[i]);
    assert_int_equal(hwr_weak_values_count(f->heap, values), VALUES / 2);
    for (size_t i = 0; i < VALUES; i++) {
        snprintf(key, sizeof key, "%zu", i * i);
        expect_entry(f, values, key, i % 2 == 0 ? NULL : pairs[i]);
    }
    hwr_release(f->heap, values); /* before its values */
    for (size_t i = 1; i < VALUES; i += 2) {
        assert_int_equal(hwr_weak_count(f->heap, pairs[i]), 0);
        hwr_release(f->heap, pairs[i]);
    }
    heap_fixture_expect_objects(f, 0);
}

static void collected_values_leave_the_table(void **state) {
    heap_fixture *f = *state;
    hwr_weak_values *values = new_values(f);
    pair *p = new_cycle(f, 2);
    assert_true(set_value(f, values, "one", p));
    assert_true(set_value(f, values, "other", p->a));
    hwr_release(f->heap, p);
    assert_int_equal(hwr_weak_values_count(f->heap, values), 2);
    hwr_collect(f->heap, HWR_OLDEST);
    assert_int_equal(hwr_weak_values_count(f->heap, values), 0);
    hwr_release(f->heap, values);
    heap_fixture_expect_objects(f, 0);
}

/* ---- a table that changes while what it leads to is dying ---- */

/* Held while the object's callbacks are under way; which of them they drop is what `plan` says. */
static hwr_weak_keys *keys_at_hand;
static hwr_weak_values *values_at_hand;
static void *key_at_hand;

static void release_tables(hwr_heap *heap, hwr_weak *weak, void *argument) {
    (void)weak;
    (void)argument;
    hwr_release(heap, keys_at_hand);
    hwr_release(heap, values_at_hand);
    keys_at_hand = NULL;
    values_at_hand = NULL;
}

static void remove_entries(hwr_heap *heap, hwr_weak *weak, void *argument) {
    (void)weak;
    (void)argument;
    hwr_weak_keys_remove(heap, keys_at_hand, key_at_hand); /* the entries may be there still, or not */
    hwr_weak_values_remove(heap, values_at_hand, "k", 1);
}

static void replace_entries(hwr_heap *heap, hwr_weak *weak, void *argument) {
    (void)weak;
    for (int i = 0; i < 100; i++) {
        pair *fresh = hwr_new(heap, &pair_type);
        char name[12];
        snprintf(name, sizeof name, "%d", i);
        CHECK(hwr_weak_keys_set(heap, keys_at_hand, fresh, argument));
        CHECK(hwr_weak_values_set(heap, values_at_hand, name, strlen(name), argument));
        CHECK(hwr_weak_values_set(heap, values_at_hand, "k", 1, argument));
        hwr_release(heap, fresh);
    }
}

static void tables_may_change_in_callbacks(void **state) {
    heap_fixture *f = *state;
    static const hwr_weak_callback callbacks[] = {release_tables, remove_entries, replace_entries};
    for (size_t way = 0; way < 12; way++) {
        bool garbage = way % 2 == 0, before = way / 2 % 2 == 0;
        hwr_weak_callback callback = callbacks[way / 4];
        keys_at_hand = new_keys(f);
        values_at_hand = new_values(f);
        pair *key = key_at_hand = garbage ? new_cycle(f, 2) : new_pair(f), *argument = new_pair(f);
        hwr_weak *weak = before ? hwr_weak_new(f->heap, key, callback, argument) : NULL;
        assert_true(hwr_weak_keys_set(f->heap, keys_at_hand, key, argument));
        assert_true(set_value(f, values_at_hand, "k", key));
        if (!before) weak = hwr_weak_new(f->heap, key, callback, argument);
        assert_non_null(weak);
        hwr_release(f->heap, key);
        hwr_collect(f->heap, HWR_OLDEST);
        assert_true(hwr_heap_verify(f->heap, NULL));
        hwr_release(f->heap, weak);
        if (keys_at_hand != NULL) {
            assert_int_equal(hwr_weak_keys_count(f->heap, keys_at_hand), 0);
            assert_int_equal(hwr_weak_values_count(f->heap, values_at_hand), callback == replace_entries ? 101 : 0);
        }
        hwr_release(f->heap, keys_at_hand);
        hwr_release(f->heap, values_at_hand);
        hwr_release(f->heap, argument);
        heap_fixture_expect_objects(f, 0);
    }
}

/* The value of one table's entry is all that keeps the key of another's, and so on: deaths in the callbacks of deaths. */
static void tables_may_die_one_through_another(void **state) {
    heap_fixture *f = *state;
    enum { TABLES = 200 };
    pair *first = new_pair(f), *key = first;
    hwr_weak_keys *tables[TABLES];
    for (size_t i = 0; i < TABLES; i++) {
        tables[i] = new_keys(f);
        pair *next = new_pair(f);
        assert_true(hwr_weak_keys_set(f->heap, tables[i], key, next));
        assert_true(hwr_weak_keys_set(f->heap, tables[i / 2], next, tables[i / 3]));
        if (i > 0) hwr_release(f->heap, key);
        key = next;
    }
    hwr_release(f->heap, key);
    hwr_release(f->heap, first);
    for (size_t i = 0; i < TABLES; i++) assert_int_equal(hwr_weak_keys_count(f->heap, tables[i]), 0);
    for (size_t i = 0; i < TABLES; i++) hwr_release(f->heap, tables[i]);
    heap_fixture_expect_objects(f, 0);
}

int main(void) {
    static const heap_test tests[] = {
        HEAP_TEST(an_entry_goes_with_its_key, HEAP_STRESSED),
        HEAP_TEST(an_entry_can_be_replaced_and_removed, HEAP_STRESSED),
        HEAP_TEST(many_keys, HEAP_ANY),
        HEAP_TEST(a_value_that_leads_to_its_key_keeps_it, HEAP_ANY),
        HEAP_TEST(an_entry_goes_when_its_key_is_collected, HEAP_ANY),
        HEAP_TEST(tables_can_be_garbage, HEAP_ANY),
        HEAP_TEST(keys_and_values_may_die_with_the_table, HEAP_STRESSED),
        HEAP_TEST(an_entry_goes_with_its_value, HEAP_STRESSED),
        HEAP_TEST(keys_are_bytes, HEAP_STRESSED),
        HEAP_TEST(a_value_can_be_replaced_and_removed, HEAP_STRESSED),
        HEAP_TEST(many_values, HEAP_ANY),
        HEAP_TEST(collected_values_leave_the_table, HEAP_ANY),
        HEAP_TEST(tables_may_change_in_callbacks, HEAP_STRESSED),
        HEAP_TEST(tables_may_die_one_through_another, HEAP_STRESSED),
    };
    return heap_fixture_run("weak tables", tests, sizeof tests / sizeof tests[0]);
}
