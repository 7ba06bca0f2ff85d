/* shape: what objects with the same attributes share.
 *
 * The shapes of a class form a tree. Its root is the class, the shape of objects without attributes; each other shape has one attribute more than its parent: so an object goes down the
 * tree as it is given attributes, and objects that were given the same in the same order come to the same shape (Chambers, Ungar, Lee: "An Efficient Implementation of SELF", OOPSLA 1989).
 *
 * The names lie in a table in the order in which they were added, so that a name's position there is the position of its value in every object. A shape adds its name to its
 * parent's table if that ends where the parent does, and then shares it, or finds it there already; otherwise it has a copy. So a chain of shapes needs one table, and
 * names in it are never changed or removed, but there may be more than a shape has: what was found counts only if it is one of the first `count`.
 *
 * A child holds its parent, but no parent its children: they are in a list, the one that was last asked for first, and leave it when they die. One in the list whose count is zero waits for its end. So
 * a shape dies with the last object or child that has it, and nothing here can be in a cycle; the collector does not look at it. So that shapes are not made again for every object of a program
 * that has one at a time, the heap holds those that were made last, until a full collection.
 *
 * On a tracing heap, where a death is no event, parents hold their children, so that all of them live as long as their class; the lists stay in the order in which they grew, and names are never added to a table that
 * is used already: so several threads can read all of this at once.
 *
 * 72 bytes for a shape, and for each name 8 and some room in the table. A class has at most 512 shapes, a shape at most 64 children and attributes. */
#include "kinds/shape.h"

enum { MOST_ATTRIBUTES = 64, MOST_CHILDREN = 64, MOST_SHAPES = 512 };

/* ---- the tree ---- */

static void link_child(hwri_shape *parent, hwri_shape *child) {
    child->previous = NULL;
    child->next = parent->first;
    if (child->next) child->next->previous = child;
    parent->first = child;
}

static void unlink_child(hwri_shape *parent, const hwri_shape *child) {
    if (child->next) child->next->previous = child->previous;
    if (child->previous)
        child->previous->next = child->next;
    else
        parent->first = child->next;
}

static bool adds_key(const hwri_shape *child, const hwri_key *key) {
    return (child->name == key->object || hwri_is_key_str(child->name, key)) && hwri_is_live(*hwri_header(child));
}

hwri_shape *hwri_shape_child(const hwr_heap *heap, hwri_shape *shape, const hwri_key *key) {
    hwri_shape *child = __atomic_load_n(&shape->first, __ATOMIC_ACQUIRE);
    if (!child || hwri_likely(adds_key(child, key))) return child;
    do child = child->next;
    while (child && !adds_key(child, key));
    if (!child || heap->tracing) return child;
    unlink_child(shape, child);
    link_child(shape, child);
    return child;
}

bool hwri_shape_may_grow(hwri_shape *shape) {
    return shape->count < MOST_ATTRIBUTES && shape->children < MOST_CHILDREN &&
           hwri_class_in(shape)->shapes < MOST_SHAPES;
}

/* What it refers to has lost its references, but is still there. */
void hwri_shape_dies(const void *dead) {
    const hwri_shape *shape = dead;
    unlink_child(shape->parent, shape);
    shape->parent->children--;
    shape->of->shapes--;
}

/* ---- those that are held ---- */

/* Takes over the reference. */
static void hold_shape(hwr_heap *heap, hwri_shape *shape) {
    if (heap->tracing) return;
    struct hwri_kinds *kinds = heap->kinds;
    void **place = &kinds->held_shapes[kinds->next_held++ % HWRI_HELD_SHAPES], *old = *place;
    *place = shape;
    hwr_release(heap, old);
}

void hwri_shapes_let_go(hwr_heap *heap) {
    void *held[HWRI_HELD_SHAPES];
    if (!heap->kinds) return;
    memcpy(held, heap->kinds->held_shapes, sizeof held);
    memset(heap->kinds->held_shapes, 0, sizeof held);
    for (unsigned i = 0; i < HWRI_HELD_SHAPES; i++) hwr_release(heap, held[i]);
}

/* ---- making them ---- */

static bool add_name(hwr_heap *heap, hwri_table *names, const void *name) {
    hwri_key key = hwri_key_of_str(heap, name);
    return hwri_table_put(heap, names, HWRI_NO_VALUES, &key, NULL, NULL) == HWR_OK;
}

static bool is_name_at(const hwri_table *names, size_t position, const void *name) {
    return position < names->used && names->entries->as.objects[position] == name;
}

static hwri_table *copy_names(hwr_heap *heap, const hwri_shape *shape) {
    hwri_table *copy = hwr_new(heap, hwri_kind_type(HWRI_NAMES_TYPE));
    size_t count = shape->names ? shape->count : 0;
    for (size_t i = 0; copy && i < count; i++) {
        if (add_name(heap, copy, shape->names->entries->as.objects[i])) continue;
        hwr_release(heap, copy);
        return NULL;
    }
    return copy;
}

/* A table with a shape's names and another behind them, the caller's to release: its own if that will do. Whoever runs when memory is short may have extended it, too. */
static hwri_table *names_with(hwr_heap *heap, const hwri_shape *shape, const void *name) {
    hwri_table *names = heap->tracing ? NULL : shape->names;
    if (names && names->used == shape->count && !add_name(heap, names, name)) return NULL;
    if (names && is_name_at(names, shape->count, name)) {
        hwr_retain(heap, names);
        return names;
    }
    names = copy_names(heap, shape);
    if (!names || add_name(heap, names, name)) return names;
    hwr_release(heap, names);
    return NULL;
}

/* On a tracing heap, where another thread may have made such a child meanwhile: then there are two, of which the last is found. */
static void adopt_shape(hwr_heap *heap, hwri_shape *parent, hwri_shape *child) {
    hwri_kinds_lock(heap);
    hwr_init(heap, child, &child->next, parent->first);
    hwr_set(heap, parent, &parent->first, child);
    parent->children++;
    child->of->shapes++;
    hwri_kinds_unlock(heap);
}

/* Takes over the references to the name and to the parent. */
static hwri_shape *new_shape(hwr_heap *heap, hwri_shape *parent, void *name) {
    hwri_table *names = names_with(heap, parent, name);
    enum hwri_kind_type type = heap->tracing ? HWRI_TRACED_SHAPE_TYPE : HWRI_SHAPE_TYPE;
    hwri_shape *shape = names ? hwr_new(heap, hwri_kind_type(type)) : NULL;
    if (!shape) {
        hwr_release(heap, names);
        hwr_release(heap, name);
        hwr_release(heap, parent);
        return NULL;
    }
    hwri_class *of = hwri_class_in(parent);
    hwr_retain(heap, of);
    hwr_init(heap, shape, &shape->parent, parent);
    hwr_init(heap, shape, &shape->of, of);
    hwr_init(heap, shape, &shape->names, names);
    hwr_init(heap, shape, &shape->name, name);
    shape->count = parent->count + 1;
    if (heap->tracing) {
        adopt_shape(heap, parent, shape);
        return shape;
    }
    link_child(parent, shape);
    parent->children++;
    of->shapes++;
    return shape;
}

bool hwri_shape_extend(hwr_heap *heap, hwri_shape *parent, const hwri_key *key) {
    void *name = (void *)(uintptr_t)key->object;
    hwr_retain(heap, parent);
    hwr_retain(heap, name);
    if (!hwr_str_intern(heap, &name)) {
        hwr_release(heap, name);
        hwr_release(heap, parent);
        return false;
    }
    hwri_shape *shape = new_shape(heap, parent, name);
    if (!shape) return false;
    hold_shape(heap, shape);
    return true;
}

/* ---- verification ---- */

const char *hwri_shape_problem(hwr_heap *heap, const void *object) {
    size_t type = (size_t)(hwr_type_of(object) - hwri_kind_types);
    if (type < HWRI_CLASS_TYPE || type > HWRI_TRACED_SHAPE_TYPE) return NULL;
    const hwri_shape *shape = object, *previous = NULL;
    uint32_t children = 0;
    for (const hwri_shape *child = shape->first; child; previous = child, child = child->next, children++) {
        if (!hwri_has_deaths(heap) && !hwri_is_object(heap, child)) return "a shape leads to one that is dead";
        if (child->parent != shape || (!heap->tracing && child->previous != previous) ||
            child->count != shape->count + 1)
            return "the tree of shapes is wrong";
    }
    bool lacks_names = shape->count && (!shape->names || !is_name_at(shape->names, shape->count - 1, shape->name));
    return children != shape->children || lacks_names ? "a shape is wrong" : NULL;
}
