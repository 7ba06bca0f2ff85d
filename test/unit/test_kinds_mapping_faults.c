/* dict and set when the program's code runs in the middle of a change, and when there is no memory. */
#include "support/mapping.h"

#include <stdio.h>

/* ---- the program's code runs in between ---- */

static void *changed; /* the dict that finalizers change */
static int how, depth;

static void change(hwr_heap *in, finalized *object) {
    (void)in, (void)object;
    if (depth) return;
    depth++;
    switch (how) {
    case 0: put(changed, num(1), num(-5)); break; /* the key that is being set or removed */
    case 1:
        for (int i = 0; i < 100; i++) put(changed, num(1000 + i), num(i));
        break;
    case 2:
        for (int i = 0; i < 100; i++) {
            void *key = num(i);
            hwr_dict_remove(heap, changed, key, NULL);
            hwr_release(heap, key);
        }
        break;
    default: hwr_dict_clear(heap, changed);
    }
    depth--;
}

static void *changing(void) {
    finalized *object = hwr_new(heap, &finalized_type);
    assert_non_null(object);
    object->more = change;
    return object;
}

static void expect_sound(void *dict) {
    size_t position = 0, count = 0;
    void *key, *value;
    hwr_result result;
    while ((result = hwr_dict_next(heap, dict, &position, &key, NULL)) == HWR_OK) {
        assert_int_equal(hwr_dict_get(heap, dict, key, &value), HWR_OK);
        hwr_release(heap, key);
        hwr_release(heap, value);
        count++;
    }
    assert_int_equal(result, HWR_END);
    assert_int_equal(count, hwr_dict_length(dict));
}

static void deaths_change_the_dict_itself(void **state) {
    static const int64_t left[] = {-5, 2, -1, -1}; /* once the value that dies was replaced by 2 */
    begin(state);
    for (how = 0; how < 4; how++)
        for (int count = 1; count <= 64; count++)
            for (int action = 0; action < 5; action++) {
                changed = new_dict(0);
                void *one = num(1);
                for (int i = 0; i < count; i++) put(changed, num(i), i == 1 ? changing() : num(i));
                if (action == 0) {
                    put(changed, num(1), num(2));
                    assert_int_equal(got(changed, num(1)), count > 1 ? left[how] : 2);
                } else if (action == 1) {
                    hwr_dict_remove(heap, changed, one, NULL);
                } else if (action == 2) {
                    hwr_dict_clear(heap, changed);
                } else { /* a key that dies; a set, of which the dict is changed */
                    void *key = changing();
                    assert_int_equal(hwr_dict_set(heap, changed, key, one), HWR_OK);
                    assert_int_equal(hwr_dict_remove(heap, changed, key, NULL), HWR_OK);
                    hwr_release(heap, key);
                    if (action == 4) hwr_dict_remove(heap, changed, one, NULL);
                }
                expect_sound(changed);
                depth = 1;
                hwr_release(heap, changed);
                depth = 0;
                hwr_release(heap, one);
            }
    end(state);
}

/* When memory is short the heap collects, and finalizers of garbage change the dict that is just about to grow: what it is about to do is done to what it is then. */
static void collections_change_the_dict_itself(void **state) {
    heap_fixture *f = *state;
    enum { MANY = 10000 };
    begin(state);
    hwr_disable(heap);
    size_t calls = 0;
    for (how = 0; how < 4; how++) {
        changed = new_dict(0);
        for (int i = 0; i < MANY; i++) {
            finalized *garbage = NULL;
            bool grows = i % 50 == 0;
            if (grows) {
                garbage = changing();
                garbage->calls = &calls;
                hwr_set(heap, garbage, &garbage->a, (void *)garbage);
                hwr_release(heap, garbage);
                hwr_raw_inject_fault(f->backend.raw, HWR_FAULT_ALL, 1, false);
            }
            void *key = num(i == MANY / 2 ? 1 : i), *value = i % 2 ? num(i) : hwr_dict(heap, 0);
            if (value) {
                hwr_result result = hwr_dict_set(heap, changed, key, value);
                assert_true(result == HWR_OK || result == HWR_NO_MEMORY);
                if (result == HWR_OK) {
                    void *found;
                    assert_int_equal(hwr_dict_get(heap, changed, key, &found), HWR_OK);
                    assert_ptr_equal(found, value);
                    hwr_release(heap, found);
                }
            }
            hwr_release(heap, key);
            hwr_release(heap, value);
            if (!grows) continue;
            hwr_raw_inject_fault(f->backend.raw, 0, 0, false);
            if (i % 1000 == 0) expect_sound(changed);
        }
        expect_sound(changed);
        depth = 1;
        hwr_release(heap, changed);
        hwr_collect(heap, HWR_OLDEST);
        depth = 0;
    }
    assert_true(calls > 0);
    hwr_enable(heap);
    end(state);
}

/* ---- without memory ---- */

/* Fails at each request for memory in turn, once or from then on. Whatever was refused has changed nothing. */
static bool play_refused(heap_fixture *f, uint64_t nth, bool for_good) {
    enum { KEYS = 700 };
    size_t failures = backend_failures(&f->backend), expected = 0;
    hwr_raw_inject_fault(f->backend.raw, HWR_FAULT_ALL, nth, for_good);
    void *dict = hwr_dict(heap, 0), *set = hwr_set_new(heap, 5), *roomy = hwr_dict(heap, 40), *text;
    bool refused = !dict || !set || !roomy;
    for (int i = 0; i < KEYS && dict && set; i++) {
        void *key = hwr_int(heap, 1000 + i), *value = i % 100 ? hwr_int(heap, i) : hwr_dict(heap, (size_t)i % 20);
        char name[20];
        snprintf(name, sizeof name, "name %d", i);
        if (key && value) {
            bool is_new = false;
            hwr_result result = hwr_dict_set(heap, dict, key, value);
            assert_true(result == HWR_OK || result == HWR_NO_MEMORY);
            expected += result == HWR_OK;
            refused |= result != HWR_OK;
            if (i % 3 == 0 && result == HWR_OK) {
                assert_int_equal(hwr_dict_remove(heap, dict, key, NULL), HWR_OK);
                expected--;
            }
            result = hwr_dict_set_text(heap, dict, name, value);
            assert_true(result == HWR_OK || result == HWR_NO_MEMORY);
            expected += result == HWR_OK;
            refused |= result != HWR_OK;
            size_t length = hwr_set_length(set);
            result = hwr_set_add(heap, set, value, &is_new);
            assert_true(result == HWR_OK || result == HWR_NO_MEMORY || result == HWR_UNHASHABLE);
            refused |= result == HWR_NO_MEMORY;
            assert_int_equal(hwr_set_length(set), length + (result == HWR_OK));
            assert_int_equal(hwr_dict_length(dict), expected);
        } else {
            refused = true;
        }
        hwr_release(heap, key);
        hwr_release(heap, value);
    }
    if (dict && hwr_repr(heap, dict, &text) == HWR_OK)
        hwr_release(heap, text);
    else
        refused = true;
    hwr_raw_inject_fault(f->backend.raw, 0, 0, false);
    const char *problem = "";
    if (!hwr_heap_verify(heap, &problem)) fail_msg("%s", problem);
    if (dict) expect_sound(dict);
    hwr_release(heap, dict);
    hwr_release(heap, set);
    hwr_release(heap, roomy);
    heap_fixture_expect_objects(f, objects_before);
    bool failed = backend_failures(&f->backend) > failures;
    assert_true(failed || !refused);
    return failed;
}

static void every_request_for_memory_can_fail(void **state) { refuse_each(state, play_refused); }

/* Without memory from the first: what is there can be read, changed and removed. */
static void without_memory_nothing_is_lost(void **state) {
    heap_fixture *f = *state;
    enum { KEYS = 1000 };
    begin(state);
    void *dict = new_dict(0), *set = new_set(0), *none = hwr_none(heap), *keys[2 * KEYS], *value;
    for (int i = 0; i < 2 * KEYS; i++) keys[i] = num(10000 + i);
    for (int i = 0; i < KEYS; i++) {
        assert_int_equal(hwr_dict_set(heap, dict, keys[i], keys[i]), HWR_OK);
        assert_int_equal(hwr_set_add(heap, set, keys[i], NULL), HWR_OK);
    }
    heap_fixture_take_all_memory(f);
    int added = KEYS, added_to_set = KEYS;
    hwr_result result = HWR_OK;
    while (added < 2 * KEYS && (result = hwr_dict_set(heap, dict, keys[added], none)) == HWR_OK) added++;
    assert_int_equal(result, HWR_NO_MEMORY);
    while (added_to_set < 2 * KEYS && (result = hwr_set_add(heap, set, keys[added_to_set], NULL)) == HWR_OK)
        added_to_set++;
    assert_true(result == HWR_NO_MEMORY || added_to_set == 2 * KEYS);
    assert_int_equal(hwr_dict_set_text(heap, dict, "new", none), HWR_NO_MEMORY);
    assert_int_equal(hwr_dict_length(dict), added);
    for (int i = 0; i < KEYS; i++) assert_int_equal(hwr_dict_set(heap, dict, keys[i], none), HWR_OK);
    for (int i = 0; i < 2 * KEYS; i++) {
        bool contains;
        assert_int_equal(hwr_dict_remove(heap, dict, keys[i], &value), i < added ? HWR_OK : HWR_NOT_FOUND);
        if (i < added) {
            assert_ptr_equal(value, none);
            hwr_release(heap, value);
        }
        assert_int_equal(hwr_set_contains(heap, set, keys[i], &contains), HWR_OK);
        assert_int_equal(contains, i < added_to_set);
    }
    heap_fixture_give_memory_back(f);
    assert_int_equal(hwr_dict_set(heap, dict, keys[0], none), HWR_OK);
    for (int i = 0; i < 2 * KEYS; i++) hwr_release(heap, keys[i]);
    hwr_release(heap, none);
    hwr_release(heap, set);
    hwr_release(heap, dict);
    end(state);
}

/* What is hashed by identity has its hash or none, but never another. */
static void a_hash_without_memory_is_the_same(void **state) {
    heap_fixture *f = *state;
    enum { OBJECTS = 300 };
    begin(state);
    pair *objects[OBJECTS];
    uint64_t hashes[OBJECTS], hash;
    hwr_result results[OBJECTS];
    for (int i = 0; i < OBJECTS; i++) objects[i] = new_pair(f);
    heap_fixture_take_all_memory(f);
    for (int i = 0; i < OBJECTS; i++) results[i] = hwr_hash(heap, objects[i], &hashes[i]);
    heap_fixture_give_memory_back(f);
    for (int i = 0; i < OBJECTS; i++) {
        assert_true(results[i] == HWR_OK || (results[i] == HWR_NO_MEMORY && heap_fixture_traces()));
        assert_int_equal(hwr_hash(heap, objects[i], &hash), HWR_OK);
        if (results[i] == HWR_OK) assert_int_equal(hash, hashes[i]);
        hwr_release(heap, objects[i]);
    }
    end(state);
}

int main(void) {
    static const heap_test tests[] = {
        /* HEAP_COUNTING: finalizers in the middle of a change */
        HEAP_TEST(deaths_change_the_dict_itself, HEAP_FEW | HEAP_COUNTING),
        HEAP_TEST(collections_change_the_dict_itself, HEAP_FEW | HEAP_COUNTING),
        HEAP_TEST(every_request_for_memory_can_fail, HEAP_FEW),
        HEAP_TEST(without_memory_nothing_is_lost, HEAP_ANY),
        HEAP_TEST(a_hash_without_memory_is_the_same, HEAP_ANY),
    };
    return heap_fixture_run("kinds: dict and set in adversity", tests, sizeof tests / sizeof *tests);
}
