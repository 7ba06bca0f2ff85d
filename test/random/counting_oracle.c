#include "random/counting_oracle.h"

#include "support/check.h"

#include <stdlib.h>
#include <string.h>

enum { GENERATION_UNKNOWN = 9 };

/* Nodes */

static size_t bucket_of(const void *address) {
    return (size_t)(((uint64_t)(uintptr_t)address * 0x9e3779b97f4a7c15u) >> 40) % ORACLE_BUCKETS;
}

node *oracle_find(oracle *o, const void *address) {
    node *n = o->buckets[bucket_of(address)];
    while (n != NULL && n->address != address) n = n->next_in_bucket;
    return n;
}

static void unhash(oracle *o, node *n) {
    for (node **at = &o->buckets[bucket_of(n->address)]; *at != NULL; at = &(*at)->next_in_bucket)
        if (*at == n) {
            *at = n->next_in_bucket;
            return;
        }
}

static void forget(oracle *o, node *n) {
    unhash(o, n);
    free(n->fields);
    free(n->keys);
    *n = (node){0};
}

void oracle_reset(oracle *o) {
    for (size_t i = 0; i < o->used; i++) {
        free(o->nodes[i].fields);
        free(o->nodes[i].keys);
    }
    memset(o, 0, sizeof *o);
}

bool oracle_may_enter(const oracle *o, size_t more) { return o->alive + o->dead_count + more < ORACLE_NODES; }

static node *free_node(oracle *o) {
    for (size_t i = 0; i < o->used; i++)
        if (o->nodes[i].life == NODE_ABSENT) return &o->nodes[i];
    CHECK(o->used < ORACLE_NODES);
    return &o->nodes[o->used++];
}

node *oracle_enter(oracle *o, void *address, int kind, bool tracked, size_t fields) {
    node *before = oracle_find(o, address);
    if (before != NULL && before->life != NODE_DEAD) {
        CHECK(oracle_may_be_dead(o, before));
        oracle_mark_reached(o);
        CHECK(!before->reached && (!before->finalizes || before->finalized));
    }
    if (before != NULL) {
        before->gone = true;
        unhash(o, before);
    }
    node *n = free_node(o);
    *n = (node){.address = address, .life = NODE_ALIVE, .kind = kind, .tracked = tracked, .count = 1, .length = fields};
    if (fields > 0) CHECK((n->fields = calloc(fields, sizeof *n->fields)) != NULL);
    n->serial = ++o->serial;
    n->next_in_bucket = o->buckets[bucket_of(address)];
    o->buckets[bucket_of(address)] = n;
    o->alive++;
    o->tracked += tracked;
    o->born_tracked += tracked;
    o->changes++;
    return n;
}

/* Counts and deaths */

/* What a limbo node leads to is intact as long as it is: finalizers see their object whole. */
static void rescue(oracle *o, node *first) {
    size_t count = 0;
    first->rescued = true;
    o->work[count++] = first;
    while (count > 0) {
        node *n = o->work[--count];
        for (size_t i = 0; i < n->length; i++) {
            node *target = n->fields[i];
            if (target == NULL || !target->limbo || target->rescued) continue;
            target->rescued = true;
            o->work[count++] = target;
        }
    }
}

void oracle_retain(oracle *o, node *n) {
    CHECK(n->life == NODE_ALIVE);
    o->changes++;
    if (n->limbo && !n->rescued) rescue(o, n);
    n->count += !n->immortal;
}

static void kill_all(oracle *o);

/* One reference less; what dies of it waits for kill_all. */
static void drop(oracle *o, node *n) {
    if (n->immortal || n->life == NODE_DEAD) return;
    CHECK(n->count > 0 && n->life == NODE_ALIVE);
    if (--n->count > 0) return;
    if (n->finalizes && !n->finalized) {
        n->life = NODE_DOOMED;
        o->pending++;
    } else {
        n->life = NODE_DEAD;
        o->dying[o->dying_count++] = n;
    }
}

void oracle_release(oracle *o, node *n) {
    o->changes++;
    drop(o, n);
    kill_all(o);
}

void oracle_give(oracle *o, node *holder, size_t field, node *value) {
    CHECK(field < holder->length);
    node *old = holder->fields[field];
    holder->fields[field] = value;
    o->changes++;
    if (old != NULL) oracle_release(o, old);
}

void oracle_set(oracle *o, node *holder, size_t field, node *value) {
    if (value != NULL) oracle_retain(o, value);
    oracle_give(o, holder, field, value);
}

void oracle_immortalize(oracle *o, node *n) {
    (void)o;
    n->immortal = true;
}

static bool may_be_called_back(const node *weak) {
    return weak->life == NODE_ALIVE && weak->calls_back && !weak->called && !weak->garbage;
}

static void forget_awaited(oracle *o, node *weak) {
    if (weak->awaited) o->awaited--;
    weak->awaited = false;
}

static void clear_weak_references(oracle *o, node *n) {
    for (node *weak = n->weak_first; weak != NULL; weak = weak->weak_next) {
        weak->cleared = true;
        if (!may_be_called_back(weak) || weak->awaited) continue;
        weak->awaited = true;
        o->awaited++;
    }
}

static void unlink_weak(node *weak) {
    if (weak->referent == NULL) return;
    for (node **at = &weak->referent->weak_first; *at != NULL; at = &(*at)->weak_next)
        if (*at == weak) {
            *at = weak->weak_next;
            break;
        }
    weak->weak_next = NULL;
}

/* An entry whose weak reference has been cleared. */
static void lose_entry(oracle *o, node *table, size_t index) {
    if (table->garbage && table->fields[index]->garbage) {
        table->keys[index]->entries--;
        table->keys[index] = &o->stale;
    } else {
        oracle_remove_entry(o, table, index);
    }
}

/* Entries go when what they hold weakly dies, and all of them with their table. */
static void clear_entries(oracle *o, node *n) {
    for (size_t t = 0; n->entries > 0 && t < ORACLE_TABLES; t++) {
        node *table = o->tables[t];
        for (size_t i = 0; table != NULL && table != n && i < ORACLE_ENTRIES; i++)
            if (table->keys[i] == n) lose_entry(o, table, i);
    }
    for (size_t t = 0; t < ORACLE_TABLES; t++) {
        if (o->tables[t] != n) continue;
        for (size_t i = 0; i < ORACLE_ENTRIES; i++)
            if (n->keys[i] != NULL) oracle_remove_entry(o, n, i);
        o->tables[t] = NULL;
    }
}

static void kill_one(oracle *o, node *n) {
    o->dead[o->dead_count++] = n;
    o->alive--;
    o->tracked -= n->tracked;
    o->died_tracked += n->tracked;
    forget_awaited(o, n);
    clear_weak_references(o, n);
    if (!n->cleared) unlink_weak(n);
    clear_entries(o, n);
    for (size_t i = 0; i < n->length; i++)
        if (n->fields[i] != NULL) drop(o, n->fields[i]);
}

static void kill_all(oracle *o) {
    if (o->killing) return;
    o->killing = true;
    while (o->dying_count > 0) kill_one(o, o->dying[--o->dying_count]);
    o->killing = false;
}

/* Weak references and tables */

void oracle_watch(oracle *o, node *weak, node *referent, bool calls_back) {
    (void)o;
    weak->referent = referent;
    weak->calls_back = calls_back;
    weak->weak_next = referent->weak_first;
    referent->weak_first = weak;
}

node *oracle_shared_weak(const node *referent) {
    for (node *weak = referent->weak_first; weak != NULL; weak = weak->weak_next)
        if (!weak->calls_back && !weak->internal && !weak->cleared && weak->life == NODE_ALIVE) return weak;
    return NULL;
}

bool oracle_may_make_table(const oracle *o) {
    for (size_t t = 0; t < ORACLE_TABLES; t++)
        if (o->tables[t] == NULL) return true;
    return false;
}

void oracle_make_table(oracle *o, node *table, bool owns_values) {
    CHECK((table->keys = calloc(ORACLE_ENTRIES, sizeof *table->keys)) != NULL);
    table->owns_values = owns_values;
    for (size_t t = 0; t < ORACLE_TABLES; t++)
        if (o->tables[t] == NULL) {
            o->tables[t] = table;
            return;
        }
    CHECK(false);
}

size_t oracle_table_count(const node *table) {
    size_t count = 0;
    for (size_t i = 0; i < ORACLE_ENTRIES; i++) count += table->keys[i] != NULL;
    return count;
}

int oracle_entry_of(const node *table, const node *key) {
    for (int i = 0; i < ORACLE_ENTRIES; i++)
        if (table->keys[i] == key) return i;
    return -1;
}

void oracle_add_entry(oracle *o, node *table, size_t index, node *weak, node *weakly, node *value) {
    CHECK(table->keys[index] == NULL);
    table->keys[index] = weakly;
    weakly->entries++;
    weak->internal = true;
    oracle_watch(o, weak, weakly, false);
    oracle_give(o, table, index, weak);
    if (table->owns_values) oracle_set(o, table, ORACLE_ENTRIES + index, value);
}

void oracle_remove_entry(oracle *o, node *table, size_t index) {
    table->keys[index]->entries--;
    table->keys[index] = NULL;
    oracle_set(o, table, index, NULL);
    if (table->owns_values) oracle_set(o, table, ORACLE_ENTRIES + index, NULL);
}

/* Collections */

static bool in_scope(const node *n, int generation) {
    return n->life == NODE_ALIVE && n->tracked && n->generation <= generation;
}

/* Whether a field is that of an entry which goes if its key is dead, as it may be, or an argument that may have been given up. */
static bool may_be_cleared(const node *n, size_t field) {
    if (n->unsure) return true;
    const node *key = n->keys != NULL ? n->keys[field % ORACLE_ENTRIES] : NULL;
    return key != NULL && key->limbo;
}

enum {
    EVERYTHING = -1
}; /* instead of a generation: all objects, tracked or not, so that only references that no object owns are from outside */

static bool is_inside(const node *n, int generation) {
    return generation == EVERYTHING ? n->life == NODE_ALIVE || n->life == NODE_DOOMED : in_scope(n, generation);
}

/* Leaves in `scratch` how many references to each object are from outside; those that may have gone already are left out. */
static void count_outside(oracle *o, int generation) {
    for (size_t i = 0; i < o->used; i++) o->nodes[i].scratch = o->nodes[i].immortal ? SIZE_MAX : o->nodes[i].count;
    for (size_t i = 0; i < o->used; i++) {
        node *n = &o->nodes[i];
        bool inside = is_inside(n, generation) || n->ghost;
        for (size_t f = 0; n->life != NODE_DEAD && f < n->length; f++)
            if (n->fields[f] != NULL && n->fields[f]->scratch != SIZE_MAX && (inside || may_be_cleared(n, f)))
                n->fields[f]->scratch--;
    }
}

/* Marks as reached what is in the scope and is held from outside of it, by CPython's method. */
static void mark_reached(oracle *o, int generation) {
    size_t count = 0;
    count_outside(o, generation);
    for (size_t i = 0; i < o->used; i++) {
        node *n = &o->nodes[i];
        n->reached = n->life == NODE_ALIVE && is_inside(n, generation) && n->scratch > 0;
        if (n->reached) o->work[count++] = n;
    }
    while (count > 0) {
        node *n = o->work[--count];
        for (size_t f = 0; f < n->length; f++) {
            node *target = n->fields[f];
            if (target == NULL || target->reached || !is_inside(target, generation) || may_be_cleared(n, f)) continue;
            target->reached = true;
            o->work[count++] = target;
        }
    }
}

void oracle_mark_reached(oracle *o) { mark_reached(o, EVERYTHING); }

/* Those in limbo of which nothing is known to have been rescued. */
static void mark_ghosts(oracle *o) {
    oracle_mark_reached(o);
    for (size_t i = 0; i < o->used; i++) o->nodes[i].ghost = o->nodes[i].limbo && !o->nodes[i].reached;
}

static size_t lose_reference(oracle *o, node *target, size_t count) {
    if (target == NULL || target->limbo || target->life != NODE_ALIVE || target->immortal) return count;
    if (--target->scratch > 0) return count;
    target->limbo = true;
    o->work[count] = target;
    return count + 1;
}

/* Puts into limbo what dies if everything dies that is in limbo already. */
static void extend_limbo(oracle *o) {
    size_t count = 0;
    for (size_t i = 0; i < o->used; i++) {
        node *n = &o->nodes[i];
        n->scratch = n->count;
        if (n->limbo && (n->life == NODE_ALIVE || n->life == NODE_DOOMED)) o->work[count++] = n;
    }
    for (size_t i = 0; i < o->used; i++) {
        const node *n = &o->nodes[i];
        if (n->unsure && n->life == NODE_ALIVE && !n->limbo) count = lose_reference(o, n->fields[0], count);
    }
    while (count > 0) {
        node *n = o->work[--count];
        for (size_t f = 0; f < n->length; f++) count = lose_reference(o, n->fields[f], count);
        for (size_t t = 0; n->entries > 0 && t < ORACLE_TABLES; t++) {
            node *table = o->tables[t];
            for (size_t i = 0; table != NULL && !table->limbo && i < ORACLE_ENTRIES; i++) {
                if (table->keys[i] != n) continue;
                count = lose_reference(o, table->fields[i], count);
                if (table->owns_values) count = lose_reference(o, table->fields[ORACLE_ENTRIES + i], count);
            }
        }
    }
}

bool oracle_may_be_dead(oracle *o, const node *n) {
    if (n->life == NODE_DEAD || n->limbo) return true;
    if (!o->limbo) return false;
    extend_limbo(o);
    return n->limbo;
}

bool oracle_is_certain(oracle *o, const node *weak) {
    if (weak->cleared || weak->referent == NULL) return weak->referent == NULL;
    return !weak->garbage && weak->referent->life == NODE_ALIVE && !oracle_may_be_dead(o, weak->referent);
}

/* What awaits its finalizer here may still be held in the heap, by the entry of a table whose key has died but whose callbacks are not over: then it is
 * garbage together with the table, and so is what it holds. */
static void doubt_doomed(oracle *o) {
    for (size_t i = 0; o->pending > 0 && i < o->used; i++)
        if (o->nodes[i].life == NODE_DOOMED) o->nodes[i].limbo = o->limbo = true;
}

void oracle_collection_begins(oracle *o, int generation) {
    CHECK(!o->collecting && generation >= 0 && generation <= ORACLE_OLDEST);
    o->collecting = true;
    o->exact = o->dead_count == 0 && o->pending == 0 && !o->limbo;
    o->garbage_size = 0;
    doubt_doomed(o);
    if (o->limbo) mark_ghosts(o);
    mark_reached(o, generation);
    for (size_t i = 0; i < o->used; i++) {
        node *n = &o->nodes[i];
        n->collected = in_scope(n, generation);
        if (!n->collected) continue;
        n->generation_before = n->generation;
        n->generation = generation < ORACLE_OLDEST ? generation + 1 : ORACLE_OLDEST;
        if (n->reached) continue;
        n->garbage = n->limbo = o->limbo = true;
        forget_awaited(o, n); /* weak references that are garbage themselves are not called back */
        n->complete = o->exact;
        n->condemned = o->serial;
        n->rescued = false;
        o->garbage_size++;
    }
    if (o->limbo) extend_limbo(o);
    o->entries_lost = 0;
    for (size_t t = 0; t < ORACLE_TABLES; t++)
        for (size_t i = 0; o->tables[t] != NULL && !o->tables[t]->garbage && i < ORACLE_ENTRIES; i++)
            o->entries_lost += o->tables[t]->keys[i] != NULL && o->tables[t]->keys[i]->garbage;
    o->changes_before = o->changes;
}

bool oracle_collection_ends(oracle *o, bool failed, bool kept) {
    CHECK(o->collecting);
    o->collecting = false;
    for (size_t i = 0; i < o->used; i++) {
        node *n = &o->nodes[i];
        if (kept) n->complete = false;
        if (n->collected && failed) n->generation = n->generation_before;
        n->collected = false;
    }
    return o->exact && !kept && o->changes == o->changes_before;
}

/* Finalizers and callbacks */

void oracle_finalizer_begins(oracle *o, node *n) {
    CHECK(n->finalizes && !n->finalized);
    CHECK(n->life == NODE_DOOMED || (n->life == NODE_ALIVE && oracle_may_be_dead(o, n)));
    bool at_zero = n->life == NODE_DOOMED || !n->garbage;
    bool foreseen = at_zero ? !n->limbo : n->complete;
    if (at_zero) n->generation = 0; /* CPython's deallocators untrack an object and track it again for its finalizer */
    if (!foreseen) n->generation = GENERATION_UNKNOWN;
    if (n->life == NODE_DOOMED) o->pending--;
    n->life = NODE_ALIVE;
    n->finalized = true;
    n->count++;
}

void oracle_finalizer_ends(oracle *o, node *n) {
    drop(o, n);
    kill_all(o);
}

static void give_up_argument(oracle *o, node *weak) {
    node *argument = weak->fields[0];
    weak->fields[0] = NULL;
    weak->unsure = false;
    drop(o, argument);
    kill_all(o);
}

void oracle_callback_begins(oracle *o, node *weak) {
    CHECK(weak->calls_back && !weak->called && weak->referent != NULL);
    CHECK(!(weak->garbage && weak->complete));
    CHECK(oracle_may_be_dead(o, weak->referent));
    node *n = weak->referent;
    if (n->condemned == 0 || weak->serial <= n->condemned) { /* not made by its finalizer: newest first */
        CHECK(n->called_last == 0 || weak->serial < n->called_last);
        n->called_last = weak->serial;
    }
    weak->called = weak->cleared = true;
    forget_awaited(o, weak);
}

/* When an object dies by its count, its weak references give up their arguments after their callbacks; in a collection they do not (as in CPython).
 * Which of the two has happened is not always known. */
void oracle_callback_ends(oracle *o, node *weak) {
    const node *n = weak->referent;
    if (weak->life != NODE_ALIVE || weak->fields[0] == NULL) return;
    if (!n->garbage)
        give_up_argument(o, weak);
    else
        weak->unsure = !n->complete || weak->serial > n->condemned;
}

/* The end of an operation */

/* A table that is garbage here may not have been for the heap, which was behind: then it has removed the entry, with the weak reference. If that has ended the table,
 * nobody can be asked. */
static void adopt_entry(oracle *o, const oracle_questions *ask, node *table, size_t index) {
    const node *n = table->keys[index], *weak = table->fields[index];
    if (n == NULL || (n != &o->stale && !n->limbo && !weak->garbage)) return;
    bool kept = n != &o->stale && n->seen && table->seen && ask->has_entry(ask->context, table, index);
    if (n->garbage && n->complete && !table->garbage) CHECK(!kept);
    if (kept) return;
    if (!weak->seen || weak->gone)
        oracle_remove_entry(o, table, index);
    else if (n != &o->stale)
        lose_entry(o, table, index);
}

/* Entries first, since a table that lives seems to keep alive what it owns. */
static void adopt_entries(oracle *o, const oracle_questions *ask) {
    for (size_t t = 0; t < ORACLE_TABLES; t++)
        for (size_t i = 0; o->tables[t] != NULL && i < ORACLE_ENTRIES; i++) adopt_entry(o, ask, o->tables[t], i);
}

static void adopt_arguments(oracle *o, const oracle_questions *ask) {
    for (size_t i = 0; i < o->used; i++) {
        node *n = &o->nodes[i];
        if (n->unsure && n->life == NODE_ALIVE && n->seen && !ask->has_argument(ask->context, n))
            give_up_argument(o, n);
        n->unsure = false;
    }
}

static void bury(oracle *o, node *n) {
    if (n->life == NODE_DEAD) return;
    CHECK(!n->reached && (!n->finalizes || n->finalized));
    n->life = NODE_DEAD;
    o->dying[o->dying_count++] = n;
    kill_all(o);
}

/* Cleared must be those to garbage, and those that were garbage themselves, whatever they referred to. */
static void adopt_weak(oracle *o, node *weak, bool cleared) {
    const node *n = weak->referent;
    if (n->garbage && n->complete && weak->serial <= n->condemned) CHECK(cleared);
    if (weak->garbage && weak->complete) CHECK(cleared);
    if (!cleared) {
        CHECK(!weak->called);
        return;
    }
    weak->cleared = true;
    if (!may_be_called_back(weak) || weak->awaited) return;
    weak->awaited = true;
    o->awaited++;
}

static void check_survivor(oracle *o, node *n, const oracle_questions *ask) {
    CHECK(n->seen);
    if (n->generation == GENERATION_UNKNOWN) n->generation = ask->generation(ask->context, n);
    if (!n->limbo) return;
    if (n->garbage && n->complete) CHECK(n->rescued && (!n->finalizes || n->finalized));
    for (node *weak = n->weak_first; weak != NULL; weak = weak->weak_next)
        if (weak->life == NODE_ALIVE && !weak->cleared) adopt_weak(o, weak, ask->is_cleared(ask->context, weak));
    if (n->garbage && n->referent != NULL && !n->cleared) adopt_weak(o, n, ask->is_cleared(ask->context, n));
}

void oracle_settle(oracle *o, const oracle_questions *ask) {
    if (!o->limbo) return;
    adopt_entries(o, ask);
    adopt_arguments(o, ask);
    oracle_mark_reached(o);
    for (size_t i = 0; i < o->used; i++) {
        node *n = &o->nodes[i];
        if (n->limbo && (n->gone || !n->seen)) bury(o, n);
    }
    for (size_t i = 0; i < o->used; i++) {
        node *n = &o->nodes[i];
        if (n->life == NODE_DEAD) CHECK(n->gone || !n->seen); /* and freed */
        if (n->life == NODE_ALIVE) check_survivor(o, n, ask);
    }
}

static void forget_limbo(oracle *o) {
    for (size_t i = 0; i < o->used; i++) {
        node *n = &o->nodes[i];
        n->limbo = n->garbage = n->complete = n->rescued = n->ghost = n->seen = false;
        n->condemned = n->called_last = 0;
    }
    o->limbo = false;
}

/* Those that were cleared know their referent no longer. */
static void let_go_of_weak(node *n) {
    for (node *weak = n->weak_first, *next; weak != NULL; weak = next) {
        next = weak->weak_next;
        weak->referent = weak->weak_next = NULL;
    }
    n->weak_first = NULL;
}

static void let_go_of_cleared(node *n) {
    for (node **at = &n->weak_first; *at != NULL;) {
        node *weak = *at;
        if (!weak->cleared) {
            at = &weak->weak_next;
            continue;
        }
        *at = weak->weak_next;
        weak->referent = weak->weak_next = NULL;
    }
}

void oracle_operation_ends(oracle *o) {
    CHECK(!o->collecting);
    CHECK(o->pending == 0); /* every finalizer that had to be called was */
    CHECK(o->awaited == 0); /* and every callback */
    for (size_t i = 0; o->limbo && i < o->used; i++)
        if (o->nodes[i].life == NODE_ALIVE) let_go_of_cleared(&o->nodes[i]); /* also of those that live */
    for (size_t i = 0; i < o->dead_count; i++) let_go_of_weak(o->dead[i]);
    for (size_t i = 0; i < o->dead_count; i++) {
        unlink_weak(o->dead[i]);
        forget(o, o->dead[i]);
    }
    o->dead_count = o->born_tracked = o->died_tracked = 0;
    if (o->limbo) forget_limbo(o);
}

void oracle_freeze(oracle *o) {
    for (size_t i = 0; i < o->used; i++)
        if (o->nodes[i].tracked) o->nodes[i].generation = ORACLE_FROZEN;
}

void oracle_unfreeze(oracle *o) {
    for (size_t i = 0; i < o->used; i++)
        if (o->nodes[i].generation == ORACLE_FROZEN) o->nodes[i].generation = ORACLE_OLDEST;
}
