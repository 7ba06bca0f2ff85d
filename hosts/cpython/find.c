/* find: CPython's objects as an object model for the cycle engine.
 *
 * The set is a list of tracked objects. During the search the link back of an object holds its count less the references
 * found, as in CPython; the list is singly linked meanwhile, and the links are restored as the search comes by. So no memory
 * is needed and a collection cannot fail. The order of the list, before and after, is the one CPython would give it: the
 * order of finalizers and callbacks follows from it.
 */
#include "find.h"

#include "scan.h"

#include <assert.h>
#include <string.h>

traverseproc hwri_traverse_instance;

typedef PyGC_Head hwri_place;

/* Objects are close if they are fewer bytes apart than `nearby`. Those AHEAD bytes on are likely to come next in the list. */
enum { COUNT_SHIFT = 2, DICTS_PUT_OFF = 64, AHEAD = 512 };
static const uintptr_t nearby = 1024, one_reference = (uintptr_t)1 << COUNT_SHIFT;

/* `back` is the last object whose links are restored, so the search goes on behind it.
 *
 * An object's own count is entered when it is visited; references to it that were found before have been subtracted from its
 * link back, of which the true value is known then. So one pass does, if whatever is tracked can be taken for a member of
 * the set. If not, all counts are entered first, with the flag that says what is a member.
 *
 * A dict that holds no tracked
 * container but tuples that may yet be untracked is looked at again in the end. */
typedef struct hwri_model {
    PyGC_Head *list, *unreachable, *permanent, *back;
    bool whole;            /* every tracked object that may be referred to is in the list, or immortal */
    uintptr_t start, span; /* addresses that are close to what is being scanned; of a small list, all there are */
    const void *type;      /* the type of that */
    enum hwri_untracking untracking;
    Py_ssize_t members;
    PyObject *put_off[DICTS_PUT_OFF];
    size_t put_off_count;
} hwri_model;

enum { hwri_model_is_queue = true };

static inline hwri_place *hwri_model_place(hwri_model *m, const void *object) {
    (void)m;
    return hwri_head_of(object);
}

static inline hwri_place *hwri_model_near(hwri_model *m, const void *object) {
    bool near = (uintptr_t)object - m->start < m->span || object == m->type;
    return near ? hwri_head_of(object) : NULL;
}

static inline bool hwri_model_is_all_near(const hwri_model *m) { return m->span == UINTPTR_MAX; }

/* The type is looked at first, and is as a rule in the same cache line. Both would be one request too many for the processor. */
static inline void hwri_model_prefetch_place(const hwri_place *place) {
    __builtin_prefetch((const char *)place + sizeof *place + offsetof(PyObject, ob_type));
}

static inline bool hwri_model_is_in_set(hwri_model *m, const hwri_place *place) {
    (void)m;
    return hwri_is_gc(hwri_object_of(place)) && (place->_gc_prev & HWRI_GC_COLLECTING);
}

static inline void hwri_model_found(hwri_model *m, void *object, hwri_place *place) {
    if (!hwri_is_gc(object)) return;
    if (m->whole ? place->_gc_next && !hwri_is_immortal(object) : place->_gc_prev & HWRI_GC_COLLECTING)
        place->_gc_prev -= one_reference;
}

static inline bool hwri_model_is_held(hwri_model *m, const void *object, const hwri_place *place) {
    (void)m, (void)object;
    return place->_gc_prev >= one_reference;
}

static inline bool hwri_model_is_reached(const hwri_place *place) {
    return !(place->_gc_next & HWRI_GC_ASIDE) && place->_gc_prev >= one_reference;
}

static inline void hwri_model_reach(hwri_place *place) {
    if (!(place->_gc_next & HWRI_GC_ASIDE)) place->_gc_prev |= one_reference;
}

/* Among what was passed by, all links forward are marked. */
static inline void hwri_model_enqueue(hwri_model *m, void *object) {
    PyGC_Head *head = hwri_head_of(object), *next, *last;
    if (!(head->_gc_next & HWRI_GC_ASIDE)) return;
    next = (PyGC_Head *)(head->_gc_next & ~(uintptr_t)HWRI_GC_ASIDE);
    hwri_back(head)->_gc_next = head->_gc_next;
    hwri_set_back(next, hwri_back(head));
    last = hwri_back(m->list);
    last->_gc_next = (uintptr_t)head;
    head->_gc_next = (uintptr_t)m->list;
    m->list->_gc_prev = (uintptr_t)head;
    head->_gc_prev = (head->_gc_prev & HWRI_GC_BACK_FLAGS) | one_reference;
}

/* ---- what the engine does not do with a queue ---- */

typedef void (*member_visit)(void *context, void *object, hwri_place *place);

static inline void hwri_model_visit(hwri_model *m, const void *object, hwri_place *place) {
    (void)m;
    (void)object, (void)place;
}
static inline bool hwri_model_is_visited(const hwri_place *place) { return place != NULL; }
static inline void hwri_model_each_guess(hwri_model *m, member_visit visit, void *context) {
    (void)m, (void)visit, (void)context;
}
static inline void hwri_model_forget_reached(hwri_model *m) { (void)m; }
static inline void hwri_model_held(hwri_model *m, void *object) { (void)m, (void)object; }
static inline void hwri_model_not_held(hwri_model *m, void *object) { (void)m, (void)object; }
static inline struct hwr_pool *hwri_model_memory(hwri_model *m) {
    (void)m;
    return NULL;
}
static inline void hwri_model_prefetch(const void *object) { (void)object; }

/* ---- the references of an object ---- */

#ifndef NDEBUG
/* In a debug build every object's references are found both ways. */
static void add_to_digest(void *digest, void *target) {
    *(uintptr_t *)digest = (*(uintptr_t *)digest ^ (uintptr_t)target) * 0x9e3779b97f4a7c15u + 1;
}

static bool is_as_traversed(PyObject *object) {
    uintptr_t ours = 0, theirs = 0;
    hwri_each_target(object, add_to_digest, &ours);
    Py_TYPE(object)->tp_traverse(object, hwri_call_visit, &(struct hwri_caller){add_to_digest, &theirs});
    return ours == theirs;
}
#endif

HWRI_ALWAYS size_t hwri_model_scan(hwri_model *m, void *object, size_t from, hwri_object_visit visit, void *context) {
    (void)from;
    assert(is_as_traversed(object));
    m->start = (uintptr_t)object - nearby;
    m->type = Py_TYPE((PyObject *)object);
    hwri_each_target(object, visit, context);
    return 0;
}

/* ---- untracking: what can be in no cycle needs not be looked at again ---- */

enum hold { HOLDS_NOTHING, HOLDS_UNDECIDED, HOLDS_TRACKED };

/* Whether a reference to `target` may be part of a cycle. A tuple may still be untracked if the search has not been there. */
static inline enum hold kind_of_hold(PyObject *target) {
    if (!hwri_is_gc(target)) return HOLDS_NOTHING;
    if (!PyTuple_CheckExact(target)) return HOLDS_TRACKED;
    if (!hwri_is_tracked(target)) return HOLDS_NOTHING;
    return hwri_head_of(target)->_gc_prev & HWRI_GC_COLLECTING ? HOLDS_UNDECIDED : HOLDS_TRACKED;
}

static bool tuple_holds_tracked(PyTupleObject *tuple) {
    for (Py_ssize_t i = 0; i < Py_SIZE(tuple); i++)
        if (tuple->ob_item[i] == NULL || kind_of_hold(tuple->ob_item[i]) != HOLDS_NOTHING) return true;
    return false;
}

static enum hold dict_holds(PyObject *dict) {
    Py_ssize_t position = 0;
    PyObject *key, *value;
    enum hold most = HOLDS_NOTHING;
    while (most != HOLDS_TRACKED && PyDict_Next(dict, &position, &key, &value)) {
        enum hold of_value = kind_of_hold(value), of_key = kind_of_hold(key);
        if (of_value > most) most = of_value;
        if (of_key > most) most = of_key;
    }
    return most;
}

bool hwri_needs_no_tracking(PyObject *object) {
    if (PyTuple_CheckExact(object)) return !tuple_holds_tracked((PyTupleObject *)object);
    return PyDict_CheckExact(object) && dict_holds(object) == HOLDS_NOTHING;
}

static bool may_be_untracked(hwri_model *m, PyObject *object) {
    if (PyTuple_CheckExact(object)) return !tuple_holds_tracked((PyTupleObject *)object);
    if (m->untracking != HWRI_UNTRACK_TUPLES_AND_DICTS || !PyDict_CheckExact(object)) return false;
    enum hold hold = dict_holds(object);
    if (hold != HOLDS_UNDECIDED) return hold == HOLDS_NOTHING;
    if (m->put_off_count < DICTS_PUT_OFF) m->put_off[m->put_off_count] = object;
    m->put_off_count++;
    return false;
}

static void untrack(hwri_model *m, PyGC_Head *head) {
    PyGC_Head *back = hwri_back(head), *next = hwri_next(head);
    back->_gc_next = (uintptr_t)next;
    hwri_set_back(next, back);
    head->_gc_next = 0;
    head->_gc_prev &= HWRI_GC_FINALIZED;
    m->members--;
}

static void untrack_dict(hwri_model *m, PyObject *object) {
    if (PyDict_CheckExact(object) && dict_holds(object) == HOLDS_NOTHING) untrack(m, hwri_head_of(object));
}

static void decide_put_off(hwri_model *m) {
    if (m->put_off_count <= DICTS_PUT_OFF) {
        for (size_t i = 0; i < m->put_off_count; i++) untrack_dict(m, m->put_off[i]);
        return;
    }
    for (PyGC_Head *head = hwri_next(m->list), *next; head != m->list; head = next) {
        next = hwri_next(head);
        untrack_dict(m, hwri_object_of(head));
    }
}

/* ---- going through the list ---- */

/* `taken` is what the link back should be, less what it is: four times the number of references found before. */
static inline void enter_count(PyGC_Head *head, uintptr_t taken) {
    uintptr_t count = (uintptr_t)Py_REFCNT(hwri_object_of(head)) << COUNT_SHIFT;
    head->_gc_prev = (head->_gc_prev & HWRI_GC_FINALIZED) | HWRI_GC_COLLECTING | (count - taken);
}

/* Its own link back is whole, since references to immortal objects are not counted; that of the next may not be. */
static void leave_as_immortal(hwri_model *m, PyGC_Head *back, PyGC_Head *head) {
    PyGC_Head *next = hwri_next(head);
    back->_gc_next = (uintptr_t)next;
    next->_gc_prev -= (uintptr_t)head - (uintptr_t)back;
    hwri_list_append(m->permanent, head);
}

static void enter_all_counts(hwri_model *m) {
    PyGC_Head *back = m->list;
    for (PyGC_Head *head = hwri_next(m->list), *next; head != m->list; head = next) {
        next = hwri_next(head);
        if (hwri_is_immortal(hwri_object_of(head))) {
            leave_as_immortal(m, back, head);
            continue;
        }
        enter_count(head, 0);
        back = head;
    }
}

HWRI_ALWAYS void hwri_model_each(hwri_model *m, member_visit visit, void *context) {
    PyGC_Head *back = m->list;
    for (PyGC_Head *head = hwri_next(m->list), *next; head != m->list; head = next) {
        next = hwri_next(head);
        __builtin_prefetch((const char *)head + AHEAD, 1);
        if (m->whole) {
            if (hwri_is_immortal(hwri_object_of(head))) {
                leave_as_immortal(m, back, head);
                continue;
            }
            enter_count(head, (uintptr_t)back - (uintptr_t)hwri_back(head));
            back = head;
        }
        visit(context, hwri_object_of(head), head);
    }
}

static inline void pass_by(hwri_model *m, PyGC_Head *head) {
    PyGC_Head *last = hwri_back(m->unreachable);
    m->back->_gc_next = head->_gc_next;
    last->_gc_next = (uintptr_t)head | HWRI_GC_ASIDE;
    hwri_set_back(head, last);
    head->_gc_next = (uintptr_t)m->unreachable | HWRI_GC_ASIDE;
    m->unreachable->_gc_prev = (uintptr_t)head;
}

/* What stays is linked back again, and belongs to the set no more. What needs not be tracked leaves the list. */
static inline void keep(hwri_model *m, PyGC_Head *head) {
    head->_gc_prev = (head->_gc_prev & HWRI_GC_FINALIZED) | (uintptr_t)m->back;
    if (m->untracking != HWRI_UNTRACK_NOTHING && may_be_untracked(m, hwri_object_of(head))) {
        m->back->_gc_next = head->_gc_next;
        head->_gc_next = 0;
        head->_gc_prev &= HWRI_GC_FINALIZED;
        return;
    }
    m->back = head;
    m->members++;
}

/* Goes on behind `back`, where it stopped before. The list's own link back leads to its last object throughout, so that
 * others can be appended. */
HWRI_ALWAYS void hwri_model_each_unreached(hwri_model *m, member_visit visit, void *context) {
    for (PyGC_Head *head; (head = hwri_next(m->back)) != m->list;) {
        __builtin_prefetch((const char *)head + AHEAD, 1);
        visit(context, hwri_object_of(head), head);
        if (hwri_model_is_held(m, hwri_object_of(head), head))
            keep(m, head);
        else
            pass_by(m, head);
        if (hwri_next(m->back) == m->list) m->list->_gc_prev = (uintptr_t)m->back;
    }
}

#include "counting/cycle.h"

/* ---- a search ---- */

Py_ssize_t hwri_find_unreachable(PyGC_Head *list, PyGC_Head *unreachable, PyGC_Head *permanent,
                                 enum hwri_untracking untracking, bool whole, bool small) {
    hwri_model m = {.list = list, .unreachable = unreachable, .permanent = permanent, .back = list};
    m.untracking = untracking;
    m.whole = whole;
    m.span = small ? UINTPTR_MAX : 2 * nearby;
    hwri_list_open(unreachable);
    if (!whole) enter_all_counts(&m);
    hwri_find_reached(&m);
    unreachable->_gc_next &= ~(uintptr_t)HWRI_GC_ASIDE;
    if (m.put_off_count != 0) decide_put_off(&m);
    return m.members;
}

/* A class of the import system is at hand without leaving a trace. */
bool hwri_find_prepare(void) {
    PyObject *importlib = PyImport_AddModule("_frozen_importlib");
    PyObject *class = importlib != NULL ? PyObject_GetAttrString(importlib, "ModuleSpec") : NULL;
    if (class == NULL || !PyType_Check(class)) {
        PyErr_Clear();
        Py_XDECREF(class);
        return false;
    }
    hwri_traverse_instance = ((PyTypeObject *)class)->tp_traverse;
    Py_DECREF(class);
    return true;
}
