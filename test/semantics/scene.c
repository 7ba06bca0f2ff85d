#include "scene.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_SIZE = 40,
    NAMES_LISTED = 1000,
    KEPT_MOST = 300,
    GATHERED_MOST = 100,
    LINE_SIZE = 100,
    SCENARIOS_MOST = 400
};

hwr_heap *heap;
static int made; /* nodes, since the scenario began */

/* ---- names ---- */

/* In a chain, so that they can be freed. */
typedef struct Name {
    struct Name *next;
    char text[NAME_SIZE];
} Name;
static Name *names;

static void *check(void *allocated) {
    if (!allocated) {
        fprintf(stderr, "no memory\n");
        exit(2);
    }
    return allocated;
}

const char *name(const char *format, ...) {
    Name *added = check(malloc(sizeof(Name)));
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(added->text, sizeof added->text, format, arguments);
    va_end(arguments);
    added->next = names;
    names = added;
    return added->text;
}

static void free_names(void) {
    while (names) {
        Name *next = names->next;
        free(names);
        names = next;
    }
}

/* ---- kinds of object ---- */

static void finalize_node(hwr_heap *in, void *object) {
    Node *node = object;
    (void)in;
    say("finalize %s", node->name);
    if (node->on_death) node->on_death(node);
}

static void finalize_items(hwr_heap *in, void *object) {
    (void)in;
    say("finalize %s", ((Items *)object)->name);
}

static void finalize_leaf(hwr_heap *in, void *object) {
    Leaf *leaf = object;
    (void)in;
    say("finalize %s", leaf->name);
    if (leaf->on_death) leaf->on_death(leaf);
}

static const hwr_type node_type = HWR_TYPE(Node, HWR_REFS(Node, a, b, c));
static const hwr_type final_type = HWR_TYPE(Node, HWR_REFS(Node, a, b, c), .finalize = finalize_node);
static const hwr_type items_type = HWR_TYPE(Items, HWR_REFS(Items, a), HWR_REF_ITEMS(Items, length, items));
static const hwr_type final_items_type =
    HWR_TYPE(Items, HWR_REFS(Items, a), HWR_REF_ITEMS(Items, length, items), .finalize = finalize_items);
static const hwr_type leaf_type = HWR_TYPE(Leaf, .flags = 0);
static const hwr_type final_leaf_type = HWR_TYPE(Leaf, .finalize = finalize_leaf);

static Node *make_node(const hwr_type *type, const char *name) {
    made++;
    Node *node = check(hwr_new(heap, type));
    node->name = name;
    return node;
}

Node *plain(const char *name) { return make_node(&node_type, name); }

Node * final(const char *name, Action on_death) {
    Node *node = make_node(&final_type, name);
    node->on_death = on_death;
    return node;
}

Node *just_final(const char *name) { return final(name, NULL); }

static Node *make_callback(const hwr_type *type, const char *name, Action on_call) {
    Node *node = make_node(type, name);
    node->on_call = on_call;
    return node;
}

Node *callback(const char *name, Action on_call) { return make_callback(&node_type, name, on_call); }

Node *final_callback(const char *name, Action on_call) { return make_callback(&final_type, name, on_call); }

static Items *make_items(const hwr_type *type, const char *name, int length) {
    Items *items = check(hwr_new_items(heap, type, (size_t)length));
    items->name = name;
    return items;
}

Items *items(const char *name, int length) { return make_items(&items_type, name, length); }

Items *final_items(const char *name, int length) { return make_items(&final_items_type, name, length); }

static Leaf *make_leaf(const hwr_type *type, const char *name) {
    Leaf *leaf = check(hwr_new(heap, type));
    leaf->name = name;
    return leaf;
}

Leaf *leaf(const char *name) { return make_leaf(&leaf_type, name); }

Leaf *final_leaf(const char *name, void (*on_death)(Leaf *self)) {
    Leaf *leaf = make_leaf(&final_leaf_type, name);
    leaf->on_death = on_death;
    return leaf;
}

Node *ring(const char *prefix, int length, Maker make) {
    Node *first = make(name("%s0", prefix)), *last = first;
    for (int i = 1; i < length; i++) {
        give(last, a, make(name("%s%d", prefix, i)));
        last = last->a;
    }
    set(last, a, first);
    return first;
}

Node *chain(const char *prefix, int length, Maker make) {
    Node *first = NULL;
    for (int i = length - 1; i >= 0; i--) {
        Node *node = make(name("%s%d", prefix, i));
        give(node, a, first);
        first = node;
    }
    return first;
}

static void call_back(hwr_heap *in, hwr_weak *reference, void *argument) {
    Node *called = argument;
    void *target = hwr_weak_get(in, reference);
    say("callback %s: %s", called->name, target ? "alive" : "dead");
    hwr_release(in, target);
    if (called->on_call) called->on_call(called);
}

hwr_weak *weak(void *target, Node *called) {
    return check(hwr_weak_new(heap, target, called ? call_back : NULL, called));
}

hwr_weak *weak_give(void *target, Node *called) {
    hwr_weak *reference = weak(target, called);
    hwr_release(heap, called);
    return reference;
}

/* ---- references outside the heap ---- */

static struct {
    const char *key;
    hwr_handle *handle;
} keeping[KEPT_MOST];

static int find(const char *key) {
    for (int i = 0; i < KEPT_MOST; i++)
        if (keeping[i].key && strcmp(keeping[i].key, key) == 0) return i;
    return -1;
}

void keep(const char *key, void *value) {
    int place = find(key);
    if (place >= 0) {
        hwr_handle_set(heap, keeping[place].handle, value);
        return;
    }
    for (place = 0; keeping[place].key;) place++;
    keeping[place].key = key;
    keeping[place].handle = check(hwr_handle_new(heap, value));
}

void keep_give(const char *key, void *value) {
    keep(key, value);
    hwr_release(heap, value);
}

Node *kept(const char *key) { return hwr_handle_get(heap, keeping[find(key)].handle); }

Node *take(const char *key) {
    Node *value = kept(key);
    hwr_retain(heap, value);
    return value;
}

void let_go(const char *key) {
    int place = find(key);
    hwr_handle *handle = keeping[place].handle;
    keeping[place].key = NULL;
    hwr_handle_free(heap, handle);
}

void keep_self(Node *node) { keep(node->name, node); }

/* ---- reports ---- */

/* Lines that are to be sorted. */
static bool gathering;
static char gathered[GATHERED_MOST][LINE_SIZE];
static size_t gathered_count;

void say(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (gathering) {
        if (gathered_count == GATHERED_MOST) check(NULL);
        vsnprintf(gathered[gathered_count++], LINE_SIZE, format, arguments);
    } else {
        vprintf(format, arguments);
        putchar('\n');
    }
    va_end(arguments);
}

static int compare_lines(const void *one, const void *other) { return strcmp(one, other); }

void in_any_order(void) {
    gathering = true;
    gathered_count = 0;
}

void in_order(void) {
    gathering = false;
    qsort(gathered, gathered_count, sizeof *gathered, compare_lines);
    for (size_t i = 0; i < gathered_count; i++) puts(gathered[i]);
}

static bool is_container(const void *object) {
    const hwr_type *type = hwr_type_of(object);
    return type == &node_type || type == &final_type || type == &items_type || type == &final_items_type;
}

const char *name_of(const void *object) {
    const hwr_type *type = hwr_type_of(object);
    if (type == &node_type || type == &final_type) return ((const Node *)object)->name;
    if (type == &items_type || type == &final_items_type) return ((const Items *)object)->name;
    if (type == &leaf_type || type == &final_leaf_type) return ((const Leaf *)object)->name;
    return type == hwr_weak_type() ? "weak" : NULL;
}

/* Names of objects as they come. */
typedef struct List {
    const char *names[NAMES_LISTED];
    size_t length;
} List;

static bool list_name(void *context, void *object) {
    List *list = context;
    const char *name = name_of(object);
    if (name && list->length < NAMES_LISTED) list->names[list->length++] = name;
    return true;
}

static bool list_container(void *context, void *object) { return !is_container(object) || list_name(context, object); }

static int compare_names(const void *one, const void *other) {
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static void sort_names(List *list) { qsort(list->names, list->length, sizeof *list->names, compare_names); }

static void print_names(const List *list) {
    for (size_t i = 0; i < list->length; i++) printf("%s%s", i ? " " : "", list->names[i]);
    if (list->length == 0) putchar('-');
}

void counts(void) {
    int count[HWR_GENERATIONS];
    hwr_get_count(heap, count);
    say("count %d %d %d", count[0], count[1], count[2]);
}

void collect(int generation) {
    size_t number = hwr_collect(heap, generation);
    say("collect %d: %zu", generation, number);
}

void generations(void) {
    printf("generations: ");
    for (int generation = 0; generation < HWR_GENERATIONS; generation++) {
        List list = {.length = 0};
        hwr_get_objects(heap, generation, list_container, &list);
        sort_names(&list);
        if (generation) printf(" | ");
        print_names(&list);
    }
    putchar('\n');
}

static const char *yes_or_no(bool value) { return value ? "yes" : "no"; }

void tracked(const void *object) { say("tracked: %s", yes_or_no(hwr_is_tracked(heap, object))); }

void finalized(const void *object) { say("finalized: %s", yes_or_no(hwr_is_finalized(heap, object))); }

void references(const void *object) { say("references to %s: %zu", name_of(object), hwr_refcount(heap, object)); }

void referents(void *object) {
    List list = {.length = 0};
    hwr_get_referents(heap, object, list_name, &list);
    printf("%s refers to ", name_of(object));
    print_names(&list);
    putchar('\n');
}

void referrers(const void *object) {
    List list = {.length = 0};
    hwr_get_referrers(heap, object, list_name, &list);
    sort_names(&list);
    printf("%s is referred to by ", name_of(object));
    print_names(&list);
    putchar('\n');
}

void leads_to(void *reference) {
    void *target = hwr_weak_get(heap, reference);
    if (target)
        say("weak reference to %s", name_of(target));
    else
        say("weak reference is dead");
    hwr_release(heap, target);
}

void weak_count(const void *object) {
    say("weak references to %s: %zu", name_of(object), hwr_weak_count(heap, object));
}

void same(const void *one, const void *other) { say(one == other ? "the same" : "different"); }

void garbage(void) {
    List list = {.length = 0};
    for (size_t i = 0; i < hwr_garbage_count(heap); i++) list_name(&list, hwr_garbage(heap, i));
    printf("garbage: ");
    print_names(&list);
    putchar('\n');
}

void statistics(void) {
    hwr_generation_stats stats[HWR_GENERATIONS];
    hwr_get_stats(heap, stats);
    printf("statistics: ");
    for (int i = 0; i < HWR_GENERATIONS; i++)
        printf("%s%ju %ju %ju", i ? " | " : "", (uintmax_t)stats[i].collections, (uintmax_t)stats[i].collected,
               (uintmax_t)stats[i].uncollectable);
    putchar('\n');
}

void frozen(void) { say("frozen: %zu", hwr_freeze_count(heap)); }

void thresholds(void) {
    int threshold[HWR_GENERATIONS];
    hwr_get_threshold(heap, threshold);
    say("thresholds: %d %d %d", threshold[0], threshold[1], threshold[2]);
}

void enabled(void) { say("enabled: %s", yes_or_no(hwr_is_enabled(heap))); }

/* ---- the collector ---- */

const char *phase(const hwr_collection_info *info) { return info->starts ? "start" : "stop"; }

ON_COLLECTION(report_collection) {
    say("%s generation %d, %d made, collected %zu, uncollectable %zu", phase(info), info->generation, made,
        info->collected, info->uncollectable);
}

void add_callback(hwr_collection_callback added) {
    if (!hwr_add_callback(heap, added, NULL)) check(NULL);
}

void remove_callback(hwr_collection_callback removed) {
    if (!hwr_remove_callback(heap, removed, NULL)) say("no such callback");
}

void watch(void) { add_callback(report_collection); }
void unwatch(void) { remove_callback(report_collection); }

void set_threshold(int zero, int one, int two) {
    hwr_set_threshold(heap, (const int[HWR_GENERATIONS]){zero, one, two});
}

/* ---- running ---- */

static struct {
    const char *name;
    void (*run)(void);
} scenarios[SCENARIOS_MOST];
static int scenario_count;

void add_scenario(const char *name, void (*run)(void)) {
    scenarios[scenario_count].name = name;
    scenarios[scenario_count++].run = run;
}

static bool wanted(const char *name, int count, char **chosen) {
    for (int i = 0; i < count; i++)
        if (strcmp(chosen[i], name) == 0) return true;
    return count == 0;
}

static void run(int index) {
    const char *problem;
    made = 0;
    memset(keeping, 0, sizeof keeping);
    heap = check(hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options), .collector = HWR_COUNTING}));
    say("== %s", scenarios[index].name);
    scenarios[index].run();
    if (!hwr_heap_verify(heap, &problem)) say("the heap is not sound: %s", problem);
    hwr_heap_close(heap);
    free_names();
}

/* scenarios [NAME...]: runs the scenarios, or those that are named, and prints what each reports. */
int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (int i = 0; i < scenario_count; i++)
        if (wanted(scenarios[i].name, argc - 1, argv + 1)) run(i);
    return 0;
}
