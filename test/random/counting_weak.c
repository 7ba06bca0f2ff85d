/* The random mutator's weak references and tables of them. */
#include "random/counting_mutator.h"

#include "support/check.h"

static node *enter_weak(hwr_weak *weak, node *target, node *argument, uint32_t plan, bool calls_back) {
    node *n = enter(weak, KIND_WEAK, true, 1);
    CHECK(hwr_type_of(weak) == hwr_weak_type());
    n->plan = plan;
    n->size = hwr_sizeof(m.heap, weak, false);
    if (argument != NULL) oracle_set(&m.oracle, n, 0, argument);
    oracle_watch(&m.oracle, n, target, calls_back);
    say("    it is %s", name(n));
    hold(n);
    return n;
}

/* The target and the argument are held meanwhile, since a collection may run anything. */
void make_weak_of(node *target, node *argument, uint32_t plan, bool calls_back) {
    say("new weak reference to %s with argument %s%s", name(target), name(argument), calls_back ? ", calls back" : "");
    retain(target);
    if (argument != NULL) retain(argument);
    size_t collections = m.now.collections;
    hwr_weak *weak = hwr_weak_new(m.heap, target->address, calls_back ? weak_called_back : NULL,
                                  argument != NULL ? argument->address : NULL);
    node *shared = calls_back ? NULL : oracle_shared_weak(target);
    if (weak == NULL) {
        check_refusal();
    } else if (shared != NULL) {
        CHECK(weak == shared->address);
        oracle_retain(&m.oracle, shared);
        hold(shared);
    } else {
        node *n = enter_weak(weak, target, argument, plan, calls_back);
        if (m.now.collections != collections)
            n->generation = generation_of(NULL, n); /* one for the table of weak references */
    }
    if (argument != NULL) release(argument);
    release(target);
}

void make_weak(uint32_t bits, bool calls_back) {
    node *target = pick(bits), *argument = (bits >> 20 & 1) != 0 && calls_back ? pick(bits * 77 >> 3) : NULL;
    if (target != NULL && m.held_count < HELD) make_weak_of(target, argument, bits, calls_back);
}

void ask_weak(uint32_t bits) {
    node *weak = pick_kind(bits, KIND_WEAK);
    if (weak == NULL || !oracle_is_certain(&m.oracle, weak) || m.held_count == HELD) return;
    node *target = weak->referent;
    say("get %s: %s", name(weak), name(target));
    void *object = hwr_weak_get(m.heap, weak->address);
    CHECK(object == (target != NULL ? target->address : NULL));
    if (target == NULL) return;
    oracle_retain(&m.oracle, target);
    hold(target);
}

bool weak_is_cleared(void *context, node *weak) {
    (void)context;
    void *object = hwr_weak_get(m.heap, weak->address);
    CHECK(object == NULL || object == weak->referent->address);
    hwr_release(m.heap, object);
    return object == NULL;
}

static bool stop(void *context, void *object) {
    (void)context;
    (void)object;
    return false;
}

bool weak_has_argument(void *context, node *weak) {
    (void)context;
    return !hwr_get_referents(m.heap, weak->address, stop, NULL);
}

/* Tables */

/* The key of entry `index` of a table of weak values: so many bytes. */
static const char key_bytes[] = "a table's key may be long";

bool table_has_entry(void *context, node *table, size_t index) {
    (void)context;
    node *weakly = table->keys[index], *value = weakly;
    void *found;
    if (table->kind == KIND_KEYS) {
        value = table->fields[ORACLE_ENTRIES + index];
        found = hwr_weak_keys_get(m.heap, table->address, weakly->address);
    } else {
        found = hwr_weak_values_get(m.heap, table->address, key_bytes, index);
    }
    CHECK(found == NULL || found == value->address);
    hwr_release(m.heap, found);
    return found != NULL;
}

static void check_count(const node *table) {
    size_t count = table->kind == KIND_KEYS ? hwr_weak_keys_count(m.heap, table->address)
                                            : hwr_weak_values_count(m.heap, table->address);
    CHECK(count == oracle_table_count(table));
}

static void make_table(int kind) {
    if (!oracle_may_make_table(&m.oracle) || m.held_count == HELD) return;
    say("new table of %s", object_kind_name(kind));
    void *table = kind == KIND_KEYS ? (void *)hwr_weak_keys_new(m.heap) : (void *)hwr_weak_values_new(m.heap);
    if (table == NULL) {
        check_refusal();
        return;
    }
    node *n = enter(table, kind, true, ORACLE_ENTRIES * 2);
    n->size = hwr_sizeof(m.heap, table, false);
    oracle_make_table(&m.oracle, n, kind == KIND_KEYS);
    say("    it is %s", name(n));
    hold(n);
}

/* The weak reference that the heap has made for a new entry: of those that the table refers to, the one to the entry's object which belongs to no
 * other entry and is none of ours. What the oracle knows by an address may have died: then the memory is in use again. */
typedef struct search {
    const node *table;
    size_t index;
    void *found[2 * ORACLE_ENTRIES];
    size_t count;
} search;

static bool is_certainly_another(const search *s, const node *n) {
    if (n == NULL || n->life != NODE_ALIVE || oracle_may_be_dead(&m.oracle, n)) return false;
    for (size_t i = 0; n->internal && i < ORACLE_ENTRIES; i++)
        if (s->table->fields[i] == n) return i != s->index && !s->table->keys[i]->limbo;
    return !n->internal;
}

static bool collect_candidate(void *context, void *object) {
    search *s = context;
    if (hwr_type_of(object) != hwr_weak_type() || is_certainly_another(s, oracle_find(&m.oracle, object))) return true;
    CHECK(s->count < 2 * ORACLE_ENTRIES);
    s->found[s->count++] = object;
    return true;
}

static void *weak_of_entry(const node *table, size_t index, const node *weakly) {
    search s = {.table = table, .index = index};
    CHECK(hwr_get_referents(m.heap, table->address, collect_candidate, &s));
    for (size_t i = 0; i < s.count; i++) {
        void *target = hwr_weak_get(m.heap, s.found[i]);
        hwr_release(m.heap, target);
        if (target == weakly->address) return s.found[i];
    }
    CHECK(false);
}

/* The entry is in the heap's table: brings it into the oracle's. */
static void enter_entry(node *table, size_t index, node *key, node *value) {
    node *weakly = key != NULL ? key : value;
    void *address = weak_of_entry(table, index, weakly);
    if (table->keys[index] == weakly && table->fields[index]->address == address) return;
    if (table->keys[index] != NULL) oracle_remove_entry(&m.oracle, table, index);
    node *weak = enter(address, KIND_WEAK, true, 0);
    weak->size = hwr_sizeof(m.heap, address, false);
    oracle_add_entry(&m.oracle, table, index, weak, weakly, key != NULL ? value : NULL);
}

static void set_key(node *table, uint32_t bits) {
    node *key = pick(bits), *value = pick(bits * 13 >> 4);
    int index = oracle_entry_of(table, key);
    bool there = index >= 0;
    if (!there && (index = oracle_entry_of(table, NULL)) < 0) return;
    say("set %s [%s] = %s", name(table), name(key), name(value));
    if (there) { /* needs no memory; the old value goes */
        oracle_set(&m.oracle, table, ORACLE_ENTRIES + (size_t)index, value);
        CHECK(hwr_weak_keys_set(m.heap, table->address, key->address, value->address));
        return;
    }
    retain(table);
    retain(key);
    retain(value);
    if (hwr_weak_keys_set(m.heap, table->address, key->address, value->address))
        enter_entry(table, (size_t)oracle_entry_of(table, NULL), key, value);
    else
        check_refusal();
    release(value);
    release(key);
    release(table);
}

static void set_value(node *table, uint32_t bits) {
    node *value = pick(bits);
    size_t index = bits >> 4 & (ORACLE_ENTRIES - 1);
    say("set %s [%zu bytes] = %s", name(table), index, name(value));
    retain(table);
    retain(value);
    if (hwr_weak_values_set(m.heap, table->address, key_bytes, index, value->address))
        enter_entry(table, index, NULL, value);
    else
        check_refusal();
    release(value);
    release(table);
}

static void remove_entry(node *table, uint32_t bits) {
    size_t index = bits >> 4 & (ORACLE_ENTRIES - 1);
    node *key = table->keys[index];
    if (key == &m.oracle.stale) return;
    if (table->kind == KIND_KEYS && key == NULL) { /* any object that is no key */
        if (oracle_entry_of(table, key = pick(bits)) >= 0) return;
        CHECK(!hwr_weak_keys_remove(m.heap, table->address, key->address));
        return;
    }
    say("remove %s [%s]", name(table), name(key));
    void *address = key != NULL ? key->address : NULL;
    if (key != NULL) oracle_remove_entry(&m.oracle, table, index);
    bool removed = table->kind == KIND_KEYS ? hwr_weak_keys_remove(m.heap, table->address, address)
                                            : hwr_weak_values_remove(m.heap, table->address, key_bytes, index);
    CHECK(removed == (key != NULL));
}

static void get_value(const node *table, uint32_t bits) {
    size_t index = bits >> 4 & (ORACLE_ENTRIES - 1);
    node *value = table->keys[index] != &m.oracle.stale ? table->keys[index] : NULL;
    void *found;
    if (table->kind == KIND_KEYS) {
        const node *key = value != NULL ? value : pick(bits);
        int entry = oracle_entry_of(table, key);
        value = entry >= 0 ? table->fields[ORACLE_ENTRIES + entry] : NULL;
        found = hwr_weak_keys_get(m.heap, table->address, key->address);
    } else {
        found = hwr_weak_values_get(m.heap, table->address, key_bytes, index);
    }
    say("get %s [%zu]: %s", name(table), index, name(value));
    CHECK(found == (value != NULL ? value->address : NULL));
    if (value == NULL) return;
    oracle_retain(&m.oracle, value);
    hold(value);
}

void use_table(uint32_t bits) {
    node *table = pick_kind(bits, (bits & 1) != 0 ? KIND_KEYS : KIND_VALUES);
    if (m.held_count == HELD) return;
    if (table == NULL || bits >> 21 == 0) {
        make_table((bits & 1) != 0 ? KIND_KEYS : KIND_VALUES);
        return;
    }
    switch (bits >> 1 & 7) {
    case 0: remove_entry(table, bits >> 4); break;
    case 1:
    case 2: get_value(table, bits >> 4); break;
    case 3: check_count(table); break;
    default:
        if (table->kind == KIND_KEYS)
            set_key(table, bits >> 4);
        else
            set_value(table, bits >> 4);
    }
}
