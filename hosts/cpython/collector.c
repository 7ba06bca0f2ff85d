/* collector: a collection, in the order of CPython's. What is garbage is found by find.c; here it is disposed of: legacy
 * finalizers are kept out, weak references cleared and called back, finalizers run, what they revived is kept, the rest is
 * cleared until it falls apart. */
#include "takeover.h"

enum { CLEARED_BETWEEN_LOOKS = 64, SMALL = 50000 };

/* `garbage` is what is to be disposed of; `lasting` what cannot be: objects with a legacy tp_del, and what they refer to. */
struct collection {
    hwri_takeover *takeover;
    hwri_gc_state *gc;
    PyGC_Head *old; /* where survivors go */
    PyGC_Head garbage, lasting;
    bool has_legacy, has_weak, has_finalizers; /* whether there is any in `garbage` */
    bool code_ran;                             /* the program's, which may have revived something */
};

/* The program may change the flags while it is called. */
static bool debugs(const struct collection *c, int flag) { return ((c->takeover->debug | c->gc->debug) & flag) != 0; }

static PyGC_Head *next_or_null(PyGC_Head *list) { return hwri_list_is_empty(list) ? NULL : hwri_next(list); }

/* ---- lines on standard error ---- */

static double seconds(void) { return (double)hwri_now() * 1e-9; }

static void print_start(hwri_takeover *t) {
    hwri_takeover_settle(t);
    PySys_WriteStderr("gc: collecting generation %d...\n", t->generation);
    PySys_FormatStderr("gc: objects in each generation: %zd %zd %zd\ngc: objects in permanent generation: %zd\n",
                       hwri_list_length(&t->generations[0]), hwri_list_length(&t->generations[1]),
                       hwri_list_length(&t->generations[2]), hwri_list_length(&t->permanent));
}

static void print_objects(const char *what, const PyGC_Head *list) {
    for (const PyGC_Head *head = hwri_next(list); head != list; head = hwri_next(head)) {
        PyObject *object = hwri_object_of(head);
        PySys_FormatStderr("gc: %s <%s %p>\n", what, Py_TYPE(object)->tp_name, object);
    }
}

/* ---- what there is in the garbage ---- */

static bool has_finalizer_to_run(const PyGC_Head *head) {
    return Py_TYPE(hwri_object_of(head))->tp_finalize != NULL && !(head->_gc_prev & HWRI_GC_FINALIZED);
}

static bool has_to_do_with_weak_references(PyObject *object) {
    PyWeakReference **weak = hwri_weak_list(object);
    return (weak != NULL && *weak != NULL) || PyWeakref_Check(object);
}

/* Makes a plain list of what a search has set aside. */
static void examine(struct collection *c) {
    for (PyGC_Head *head = hwri_next(&c->garbage); head != &c->garbage; head = hwri_next(head)) {
        PyObject *object = hwri_object_of(head);
        head->_gc_next &= ~(uintptr_t)HWRI_GC_ASIDE;
        c->has_legacy |= Py_TYPE(object)->tp_del != NULL;
        c->has_weak |= has_to_do_with_weak_references(object);
        c->has_finalizers |= has_finalizer_to_run(head);
    }
}

/* ---- legacy finalizers ---- */

static int move_to_lasting(PyObject *target, void *lasting) {
    if (!hwri_is_gc(target) || !(hwri_head_of(target)->_gc_prev & HWRI_GC_COLLECTING)) return 0;
    hwri_list_move(lasting, hwri_head_of(target));
    hwri_head_of(target)->_gc_prev &= ~(uintptr_t)HWRI_GC_COLLECTING;
    return 0;
}

static void separate_legacy(struct collection *c) {
    for (PyGC_Head *head = hwri_next(&c->garbage), *next; head != &c->garbage; head = next) {
        next = hwri_next(head);
        if (Py_TYPE(hwri_object_of(head))->tp_del != NULL) move_to_lasting(hwri_object_of(head), &c->lasting);
    }
    for (PyGC_Head *head = hwri_next(&c->lasting); head != &c->lasting; head = hwri_next(head)) {
        PyObject *object = hwri_object_of(head);
        Py_TYPE(object)->tp_traverse(object, move_to_lasting, &c->lasting);
    }
}

/* What has a legacy finalizer goes to gc.garbage, for the program to see to. */
static void save_lasting(struct collection *c) {
    for (PyGC_Head *head = hwri_next(&c->lasting); head != &c->lasting; head = hwri_next(head)) {
        PyObject *object = hwri_object_of(head);
        if (!debugs(c, HWRI_DEBUG_SAVEALL) && Py_TYPE(object)->tp_del == NULL) continue;
        if (PyList_Append(c->gc->garbage, object) != 0) {
            PyErr_Clear();
            break;
        }
    }
    hwri_list_merge(c->old, &c->lasting);
}

/* ---- weak references ---- */

/* Clears the weak references to an object. Those that are not garbage themselves and have a callback are kept for it. */
static void clear_weak_references_to(PyObject *object, PyGC_Head *to_be_called) {
    PyWeakReference **list = hwri_weak_list(object), *weak;
    if (list == NULL) return;
    while ((weak = *list) != NULL) {
        _PyWeakref_ClearRef(weak);
        if (weak->wr_callback == NULL || (hwri_head_of(weak)->_gc_prev & HWRI_GC_COLLECTING)) continue;
        Py_INCREF(weak);
        hwri_list_move(to_be_called, hwri_head_of(weak));
    }
}

static void call_back(PyWeakReference *weak) {
    PyObject *callback = weak->wr_callback, *result = PyObject_CallOneArg(callback, (PyObject *)weak);
    if (result == NULL)
        PyErr_WriteUnraisable(callback);
    else
        Py_DECREF(result);
}

/* Returns how many weak references ended with their calls: CPython counts them as collected. */
static Py_ssize_t see_to_weak_references(struct collection *c) {
    PyGC_Head to_be_called, *head;
    Py_ssize_t ended = 0;
    hwri_list_open(&to_be_called);
    for (head = hwri_next(&c->garbage); head != &c->garbage; head = hwri_next(head)) {
        PyObject *object = hwri_object_of(head);
        if (PyWeakref_Check(object)) _PyWeakref_ClearRef((PyWeakReference *)object);
        clear_weak_references_to(object, &to_be_called);
    }
    while ((head = next_or_null(&to_be_called)) != NULL) {
        PyObject *weak = hwri_object_of(head);
        call_back((PyWeakReference *)weak);
        c->code_ran = true;
        Py_DECREF(weak);
        if (hwri_next(&to_be_called) == head)
            hwri_list_move(c->old, head);
        else
            ended++;
    }
    return ended;
}

/* ---- finalizers ---- */

static void run_finalizers(struct collection *c) {
    PyGC_Head seen, *head;
    hwri_list_open(&seen);
    while ((head = next_or_null(&c->garbage)) != NULL) {
        PyObject *object = hwri_object_of(head);
        hwri_list_move(&seen, head);
        if (!has_finalizer_to_run(head)) continue;
        head->_gc_prev |= HWRI_GC_FINALIZED;
        c->code_ran = true;
        Py_INCREF(object);
        Py_TYPE(object)->tp_finalize(object);
        Py_DECREF(object);
    }
    hwri_list_merge(&c->garbage, &seen);
}

/* What the program's code has brought back stays. If none ran, nothing can have been. */
static void keep_revived(struct collection *c) {
    PyGC_Head revived, *head;
    if (!c->code_ran) return;
    hwri_list_open(&revived);
    hwri_list_merge(&revived, &c->garbage);
    hwri_find_unreachable(&revived, &c->garbage, &c->takeover->permanent, HWRI_UNTRACK_NOTHING, false, false);
    for (head = hwri_next(&c->garbage); head != &c->garbage; head = hwri_next(head))
        head->_gc_next &= ~(uintptr_t)HWRI_GC_ASIDE;
    hwri_list_merge(c->old, &revived);
}

/* ---- the end ---- */

static void clear(PyObject *object) {
    inquiry clear_object = Py_TYPE(object)->tp_clear;
    if (clear_object == NULL) return;
    Py_INCREF(object);
    clear_object(object);
    if (PyErr_Occurred() != NULL) hwri_report_clear_error(Py_TYPE(object));
    Py_DECREF(object);
}

/* What outlives its own clearing may die later; it belongs to the old ones. Returns how many were cleared. */
static size_t dispose(struct collection *c, PyGC_Head *garbage, uint64_t until) {
    PyGC_Head *head;
    size_t cleared = 0;
    while ((head = next_or_null(garbage)) != NULL) {
        PyObject *object = hwri_object_of(head);
        __builtin_prefetch(hwri_next(head));
        if (!debugs(c, HWRI_DEBUG_SAVEALL))
            clear(object);
        else if (PyList_Append(c->gc->garbage, object) != 0)
            PyErr_Clear();
        if (hwri_next(garbage) == head) {
            head->_gc_prev &= ~(uintptr_t)HWRI_GC_COLLECTING;
            hwri_list_move(c->old, head);
        }
        if (++cleared % CLEARED_BETWEEN_LOOKS == 0 && until != HWRI_NEVER && hwri_now() >= until) break;
    }
    return cleared;
}

/* ---- a collection ---- */

static void find(struct collection *c) {
    hwri_takeover *t = c->takeover;
    bool full = t->generation == HWRI_FULL;
    PyGC_Head *young = &t->generations[t->generation];
    if (full) hwri_takeover_settle(t);
    for (int i = 0; i < t->generation; i++) hwri_list_merge(young, &t->generations[i]);
    Py_ssize_t survivors =
        hwri_find_unreachable(young, &c->garbage, &t->permanent,
                              full || t->untracks_dicts ? HWRI_UNTRACK_TUPLES_AND_DICTS : HWRI_UNTRACK_TUPLES,
                              full && hwri_takeover_is_whole(t), !full || t->total + t->pending < SMALL);
    if (full) {
        c->gc->long_lived_pending = 0;
        c->gc->long_lived_total = survivors;
        return;
    }
    if (t->generation == HWRI_FULL - 1)
        hwri_takeover_promote(t, young, survivors);
    else
        hwri_list_merge(c->old, young);
}

/* All that comes before the clearing. Returns how many objects are collected. */
static Py_ssize_t see_to_garbage(struct collection *c) {
    Py_ssize_t collected = 0;
    examine(c);
    if (c->has_legacy) separate_legacy(c);
    if (debugs(c, HWRI_DEBUG_COLLECTABLE)) {
        print_objects("collectable", &c->garbage);
        c->code_ran = true;
    }
    if (c->has_weak || c->code_ran) collected += see_to_weak_references(c);
    if (c->has_finalizers || c->code_ran) run_finalizers(c);
    keep_revived(c);
    return collected + hwri_list_length(&c->garbage);
}

void hwri_collect_in_place(hwri_takeover *t) {
    int generation = t->generation;
    struct collection c = {.takeover = t, .gc = t->gc};
    Py_ssize_t collected = 0;
    double start = debugs(&c, HWRI_DEBUG_STATS) ? seconds() : 0;
    if (debugs(&c, HWRI_DEBUG_STATS)) print_start(t);
    c.old = &t->generations[generation < HWRI_FULL ? generation + 1 : HWRI_FULL];
    hwri_list_open(&c.lasting);

    find(&c);
    if (!hwri_list_is_empty(&c.garbage)) collected = see_to_garbage(&c);
    dispose(&c, &c.garbage, HWRI_NEVER);

    Py_ssize_t uncollectable = hwri_list_length(&c.lasting);
    if (debugs(&c, HWRI_DEBUG_UNCOLLECTABLE)) print_objects("uncollectable", &c.lasting);
    if (debugs(&c, HWRI_DEBUG_STATS))
        PySys_WriteStderr("gc: done, %zd unreachable, %zd uncollectable, %.4fs elapsed\n", collected + uncollectable,
                          uncollectable, seconds() - start);
    save_lasting(&c);
    c.gc->generation_stats[generation].collected += collected;
    c.gc->generation_stats[generation].uncollectable += uncollectable;
    if (generation > t->pause.generation) t->pause.generation = generation;
    t->collected = collected;
    t->uncollectable = uncollectable;
}

/* ---- of some old objects ---- */

static void condemn(hwri_takeover *t, PyGC_Head *garbage) {
    for (PyGC_Head *head = hwri_next(garbage); head != garbage; head = hwri_next(head))
        head->_gc_prev &= ~(uintptr_t)HWRI_GC_COLLECTING;
    hwri_list_merge(&t->condemned, garbage);
}

Py_ssize_t hwri_collect_candidates(hwri_takeover *t, PyGC_Head *candidates, PyGC_Head *alive,
                                   enum hwri_untracking untracking) {
    struct collection c = {.takeover = t, .gc = t->gc, .old = &t->generations[HWRI_FULL]};
    Py_ssize_t collected = 0;
    hwri_list_open(&c.lasting);
    Py_ssize_t survivors = hwri_find_unreachable(candidates, &c.garbage, &t->permanent, untracking, false, false);
    hwri_list_merge(alive, candidates);
    if (!hwri_list_is_empty(&c.garbage)) collected = see_to_garbage(&c);
    condemn(t, &c.garbage);
    Py_ssize_t uncollectable = hwri_list_length(&c.lasting);
    save_lasting(&c);
    c.gc->generation_stats[HWRI_FULL].collected += collected;
    c.gc->generation_stats[HWRI_FULL].uncollectable += uncollectable;
    t->collected += collected;
    t->uncollectable += uncollectable;
    return survivors;
}

size_t hwri_clear_condemned(hwri_takeover *t, uint64_t until) {
    struct collection c = {.takeover = t, .gc = t->gc, .old = &t->generations[HWRI_FULL]};
    return dispose(&c, &t->condemned, until);
}
