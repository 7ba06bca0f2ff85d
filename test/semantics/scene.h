/* What the scenarios on our side are made of. scene.py has the same by the same names for CPython's; what differs between the two is only how a
 * language spells it: a local variable that Python forgets with `del` is dropped here, and what Python stores into a field is set (a borrowed value)
 * or given (one that is owned, such as what a function here returns).
 */
#ifndef SCENE_H
#define SCENE_H

#include <heapwright.h>

#include <stdio.h>

/* The heap of the scenario that runs: a new one for each. */
extern hwr_heap *heap;

/* SCENARIO(name) { ... } is found by its name. */
void add_scenario(const char *name, void (*run)(void));
#define SCENARIO(name)                                                                                                 \
    static void scenario_##name(void);                                                                                 \
    __attribute__((constructor)) static void add_##name(void) { add_scenario(#name, scenario_##name); }                \
    static void scenario_##name(void)

/* ---- kinds of object ---- */

/* Three references; fields are given up in their order. A node with a finalizer says when that runs, then calls `on_death`; one that is the
 * argument of a weak reference's callback says when that is called, then calls `on_call`. */
typedef struct Node Node;
typedef void (*Action)(Node *self);
struct Node {
    Node *a, *b, *c;
    const char *name;
    Action on_call, on_death;
};

/* A field and any number of items. */
typedef struct Items {
    Node *a;
    const char *name;
    size_t length;
    Node *items[];
} Items;

/* An object that the collector does not know. */
typedef struct Leaf {
    const char *name;
    void (*on_death)(struct Leaf *self);
} Leaf;

/* Names last as long as the scenario: name("n%d", 5). */
const char *name(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* All that make an object return a reference that the caller owns. */
Node *plain(const char *name);
Node * final(const char *name, Action on_death);
Node *just_final(const char *name); /* without on_death, for ring and chain */
Node *callback(const char *name, Action on_call);
Node *final_callback(const char *name, Action on_call);
Items *items(const char *name, int length);
Items *final_items(const char *name, int length);
Leaf *leaf(const char *name);
Leaf *final_leaf(const char *name, void (*on_death)(Leaf *self));

typedef Node *(*Maker)(const char *name);
Node *ring(const char *prefix, int length, Maker make);
Node *chain(const char *prefix, int length, Maker make);

/* A weak reference; with a callback if `called` is a node. weak_give takes over the caller's reference to that. */
hwr_weak *weak(void *target, Node *called);
hwr_weak *weak_give(void *target, Node *called);

/* ---- references ---- */

#define own(x) (hwr_retain(heap, (x)), (x))
#define drop(x) (hwr_release(heap, (x)), (x) = NULL)
#define lose(x) hwr_release(heap, (x))
#define set(x, field, value) hwr_set(heap, (x), &(x)->field, (void *)(value))
#define give(x, field, value) hwr_give(heap, (x), &(x)->field, (void *)(value))

/* A variable that owns a reference takes over another: first that, then the old one goes. */
#define replace(x, value)                                                                                              \
    do {                                                                                                               \
        void *old_value = (x);                                                                                         \
        (x) = (value);                                                                                                 \
        hwr_release(heap, old_value);                                                                                  \
    } while (0)

/* References outside the heap, by name. */
void keep(const char *key, void *value);      /* adds one */
void keep_give(const char *key, void *value); /* takes over the caller's */
Node *take(const char *key);                  /* owned by the caller */
Node *kept(const char *key);                  /* borrowed */
void let_go(const char *key);
void keep_self(Node *node); /* a finalizer's action: under its name */

/* ---- reports: a line of the trace each ---- */

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *name_of(const void *object);
void counts(void);
void collect(int generation);
void generations(void);
void tracked(const void *object);
void finalized(const void *object);
void references(const void *object);
void referents(void *object);
void referrers(const void *object);
void leads_to(void *reference);
void weak_count(const void *object);
void same(const void *one, const void *other);
void garbage(void);
void statistics(void);
void frozen(void);
void thresholds(void);
void enabled(void);

/* What is said until in_order() comes in alphabetical order. */
void in_any_order(void);
void in_order(void);

/* ---- the collector ---- */

/* ON_COLLECTION(name) { ... } is a callback of the collector; it has `info`. */
#define ON_COLLECTION(name)                                                                                            \
    static void name(hwr_heap *in __attribute__((unused)), const hwr_collection_info *info __attribute__((unused)),    \
                     void *context __attribute__((unused)))
const char *phase(const hwr_collection_info *info); /* "start" or "stop" */

void watch(void);
void unwatch(void);
void add_callback(hwr_collection_callback added);
void remove_callback(hwr_collection_callback removed);
void set_threshold(int zero, int one, int two);

#endif
