/* An oracle for counting heaps: a shadow of the object graph with exact counts, which knows what must be alive, what must be dead and what may be either. It
 * never looks at a heap; the model (counting_model.c) tells it what the mutator does and what the heap calls back, and asks.
 *
 * Death at zero is done at once here, depth or order ignored: that is sound because a count of zero in the oracle is final. Only an object's own finalizer
 * can bring it back, and whoever else could reach it would have a reference, which would be counted. The heap may be a little behind while an operation lasts,
 * never ahead; at the end of each operation both must agree.
 *
 * In a collection the heap may be ahead instead: which of the unreachable objects are gone already the oracle does not know. From the beginning of a
 * collection to the end of the operation these, and what would die with them, are in *limbo*: their finalizers and callbacks may come, nothing
 * that is not in limbo may die. A new reference to one *rescues* it and what it leads to. At the end of the operation the model
 * says which are still in the heap, and the oracle says whether that is right.
 *
 * A collection is *exact* if nothing had died before it in the same operation and no memory was refused: then what is unreachable and not rescued must
 * be gone. Otherwise the heap, being behind, may have counted references of objects which are dead here, and may have kept more. */
#ifndef TEST_RANDOM_COUNTING_ORACLE_H
#define TEST_RANDOM_COUNTING_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ORACLE_NODES = 4096,
    ORACLE_BUCKETS = 4096,
    ORACLE_TABLES = 8,
    ORACLE_ENTRIES = 16, /* of a weak table */
    ORACLE_OLDEST = 2,
    ORACLE_FROZEN = 3
};

typedef enum node_life {
    NODE_ABSENT,
    NODE_ALIVE,
    NODE_DOOMED, /* its count is zero and its finalizer has yet to be called */
    NODE_DEAD    /* until the operation ends */
} node_life;

/* An object. `count` is the number of references to it, of all kinds; those from objects are in `fields` of the others. */
typedef struct node node;
struct node {
    void *address;
    node *next_in_bucket;
    node_life life;
    int kind, generation;
    uint32_t plan; /* what its finalizer or callback does */
    uint64_t serial, id;
    size_t count, crowd; /* crowd: references that the mutator holds all together */
    bool tracked, immortal, finalizes, finalized;
    node **fields; /* what it owns references to */
    size_t length;
    size_t size; /* bytes without header, for the model */

    node *weak_first; /* weak references to it, newest first */
    node *referent,
        *weak_next; /* of a weak reference; the referent is known until the operation ends in which it died */
    bool calls_back, cleared, internal; /* of a weak reference; internal: it belongs to an entry of a weak table */
    bool called, awaited;               /* its callback: was called, has to be called before the operation ends */
    bool unsure;                        /* whether its argument is still there */
    uint64_t called_last; /* serial of the weak reference to it that was called back last in this operation */
    node **keys;      /* of a weak table: the weak key or weak value of each entry; `stale`: it lives on without it */
    bool owns_values; /* of a weak table */
    size_t entries;   /* in how many entries of weak tables it is key or weak value */

    bool limbo;         /* may be dead */
    bool garbage;       /* was unreachable itself in a collection, while this operation lasted */
    bool complete;      /* ... in an exact one */
    uint64_t condemned; /* the serial number that the last object had then */
    bool rescued;
    bool ghost;     /* in a later collection of the same operation: not rescued, so perhaps it holds nothing any more */
    bool gone;      /* its address was handed out again */
    bool seen;      /* by the model, in the heap */
    bool collected; /* belongs to the generations of the collection that is under way, and to which of them: */
    int generation_before;
    bool reached;
    size_t scratch;
};

typedef struct oracle {
    node nodes[ORACLE_NODES];
    node *buckets[ORACLE_BUCKETS];
    node *tables[ORACLE_TABLES];
    node
        stale; /* stands for the key of an entry that was garbage together with its table and was brought back: as in Python, the weak reference
                 * is cleared but the entry is not removed, since the callback that would do so is garbage, too */
    node *dying[ORACLE_NODES]; /* to be killed */
    node *dead[ORACLE_NODES];  /* in this operation */
    node *work[ORACLE_NODES];
    size_t used, dying_count, dead_count;
    size_t alive, tracked;
    uint64_t serial;
    uint64_t changes;                  /* of references, ever */
    size_t born_tracked, died_tracked; /* in this operation */
    size_t pending, awaited;
    bool killing;
    bool limbo; /* there is somebody in limbo */

    bool collecting, exact;
    size_t garbage_size; /* what this collection has to find */
    size_t entries_lost; /* entries of weak tables that go: their weak references are counted with it, as in CPython */
    uint64_t changes_before;
} oracle;

void oracle_reset(oracle *o);

/* ---- objects ---- */

/* A new object, with one reference. Its address must not be that of an object that is certainly alive. */
node *oracle_enter(oracle *o, void *address, int kind, bool tracked, size_t fields);
node *oracle_find(oracle *o, const void *address);   /* NULL: none has been there since the operation began */
bool oracle_may_enter(const oracle *o, size_t more); /* whether there is room */

bool oracle_may_be_dead(oracle *o, const node *n);

void oracle_retain(oracle *o, node *n);
void oracle_release(oracle *o, node *n);
void oracle_set(oracle *o, node *holder, size_t field, node *value); /* the field gets a reference of its own */
void oracle_give(oracle *o, node *holder, size_t field,
                 node *value); /* the field takes over one that is counted already */
void oracle_immortalize(oracle *o, node *n);

/* ---- weak references and tables ---- */

void oracle_watch(oracle *o, node *weak, node *referent, bool calls_back);
node *oracle_shared_weak(const node *referent);      /* the one without a callback; NULL: none */
bool oracle_is_certain(oracle *o, const node *weak); /* whether it is known what hwr_weak_get answers now */

/* A table with room for ORACLE_ENTRIES entries. Each owns a weak reference, which the heap makes, in field `index`, and with weak keys a value in
 * the field ORACLE_ENTRIES behind. */
void oracle_make_table(oracle *o, node *table, bool owns_values);
bool oracle_may_make_table(const oracle *o);
size_t oracle_table_count(const node *table);
int oracle_entry_of(const node *table, const node *key); /* -1: none */
/* `weak` is an object that has just been entered; its one reference is the entry's. The value gets a reference of its own. */
void oracle_add_entry(oracle *o, node *table, size_t index, node *weak, node *weakly, node *value);
void oracle_remove_entry(oracle *o, node *table, size_t index);

/* ---- what the heap does; each aborts if it must not do so now ---- */

void oracle_finalizer_begins(oracle *o, node *n);
void oracle_finalizer_ends(oracle *o, node *n);
void oracle_callback_begins(oracle *o, node *weak);
void oracle_callback_ends(oracle *o, node *weak);
void oracle_collection_begins(oracle *o, int generation);
/* `failed`: there was no memory to collect with. `kept`: nothing needs to have been freed, since memory was short. Returns whether it must have found all of
 * o->garbage_size and o->entries_lost. */
bool oracle_collection_ends(oracle *o, bool failed, bool kept);

/* ---- the end of an operation ---- */

/* When somebody is in limbo, the model first marks what is in the heap as `seen`. Of entries of weak tables and of weak references to what has
 * survived the model is asked what the heap says. */
typedef struct oracle_questions {
    bool (*has_entry)(void *context, node *table, size_t index);
    bool (*is_cleared)(void *context, node *weak);
    bool (*has_argument)(void *context, node *weak);
    int (*generation)(void *context, node *n); /* of a tracked object */
    void *context;
} oracle_questions;
void oracle_settle(oracle *o, const oracle_questions *ask);

void oracle_operation_ends(oracle *o);

void oracle_freeze(oracle *o);
void oracle_unfreeze(oracle *o);

/* Marks as `reached` what can be reached from references that no object owns. */
void oracle_mark_reached(oracle *o);

#endif
