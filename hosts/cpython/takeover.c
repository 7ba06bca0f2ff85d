/* takeover: how CPython comes to call our collector. Nothing in the interpreter is patched but pointers in data that it
 * lets itself be led by: gc->generation0 and the method table of module gc. */
#include "takeover.h"

#include "beside.h"
#include "methods.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Where an interpreter keeps its collector's state. The headers say, but a patch release may have moved it. */
static size_t state_offset;

static hwri_gc_state *state_of(PyInterpreterState *interpreter) {
    return (hwri_gc_state *)(void *)((char *)interpreter + state_offset);
}

hwri_takeover *hwri_takeover_of_caller(void) {
    hwri_gc_state *gc = state_of(PyInterpreterState_Get());
    return gc->generation0 == &gc->generations[0].head ? NULL : (hwri_takeover *)(void *)gc->generation0;
}

_Static_assert(offsetof(hwri_takeover, generations) == 0, "generation0 leads to the takeover");

/* ---- the user's callbacks ---- */

static void take_callbacks(hwri_takeover *takeover) {
    takeover->stand_in.users = takeover->gc->callbacks;
    takeover->gc->callbacks = (PyObject *)&takeover->stand_in.list;
}

static void give_back_callbacks(hwri_takeover *takeover) {
    takeover->gc->callbacks = takeover->stand_in.users;
    takeover->stand_in.users = NULL;
}

static void put_number(PyObject *info, const char *key, Py_ssize_t value) {
    PyObject *number = PyLong_FromSsize_t(value);
    if (number == NULL || PyDict_SetItemString(info, key, number) != 0) PyErr_WriteUnraisable(NULL);
    Py_XDECREF(number);
}

/* As CPython calls the first callback of a list. */
static PyObject *stand_in_call(PyObject *object, PyObject *const *arguments, size_t count, PyObject *names) {
    hwri_takeover *takeover = ((struct hwri_stand_in_call *)(void *)object)->owner;
    (void)count, (void)names;
    give_back_callbacks(takeover);
    put_number(arguments[1], "collected", takeover->collected);
    put_number(arguments[1], "uncollectable", takeover->uncollectable);
    PyObject *callback =
        PyList_GET_SIZE(takeover->gc->callbacks) != 0 ? PyList_GET_ITEM(takeover->gc->callbacks, 0) : NULL;
    if (callback != NULL) {
        Py_INCREF(callback);
        PyObject *result = PyObject_Vectorcall(callback, arguments, 2, NULL);
        if (result == NULL)
            PyErr_WriteUnraisable(callback);
        else
            Py_DECREF(result);
        Py_DECREF(callback);
    }
    Py_RETURN_NONE;
}

/* The interpreter ends after a collection that calls no callbacks. */
static void stand_in_dealloc(PyObject *list) {
    struct hwri_stand_in *stand_in = (struct hwri_stand_in *)(void *)list;
    Py_CLEAR(stand_in->users);
}

static PyTypeObject stand_in_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "heapwright.callbacks",
    .tp_basicsize = sizeof(PyListObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_LIST_SUBCLASS,
    .tp_dealloc = stand_in_dealloc,
};

static PyTypeObject stand_in_call_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "heapwright.callback",
    .tp_basicsize = sizeof(struct hwri_stand_in_call),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_vectorcall_offset = offsetof(struct hwri_stand_in_call, call),
    .tp_call = PyVectorcall_Call,
};

static void open_stand_in(hwri_takeover *takeover) {
    struct hwri_stand_in *stand_in = &takeover->stand_in;
    stand_in->call.owner = takeover;
    stand_in->call.call = stand_in_call;
    Py_SET_TYPE(&stand_in->call.object, &stand_in_call_type);
    Py_SET_REFCNT(&stand_in->call.object, 1);
    stand_in->items[0] = &stand_in->call.object;
    Py_SET_TYPE((PyObject *)&stand_in->list, &stand_in_type);
    Py_SET_REFCNT((PyObject *)&stand_in->list, 1);
    Py_SET_SIZE((PyVarObject *)(void *)&stand_in->list, 1);
    stand_in->list.ob_item = stand_in->items;
}

/* ---- the sentinels ---- */

static struct hwri_sentinel *sentinel_of(PyObject *object) {
    return (struct hwri_sentinel *)(void *)((char *)object - offsetof(struct hwri_sentinel, object));
}

/* The first list that is not empty is the one that is collected: the younger ones have been merged into it. */
static int generation_collected(const hwri_gc_state *gc) {
    int generation = HWRI_YOUNGEST;
    while (generation < HWRI_FULL && hwri_list_is_empty(&gc->generations[generation].head)) generation++;
    return generation;
}

static int sentinel_traverse(PyObject *object, visitproc visit, void *context) {
    hwri_takeover *takeover = sentinel_of(object)->owner;
    takeover->generation = generation_collected(takeover->gc);
    takeover->pending = takeover->gc->long_lived_pending;
    takeover->total = takeover->gc->long_lived_total;
    return visit(object, context);
}

static void arm(struct hwri_sentinel *sentinel) {
    sentinel->head._gc_prev &= ~(uintptr_t)HWRI_GC_FINALIZED;
    Py_SET_REFCNT(&sentinel->object, 1);
    hwri_list_move(&sentinel->owner->gc->generations[0].head, &sentinel->head);
}

static void sentinel_finalize(PyObject *object) {
    struct hwri_sentinel *sentinel = sentinel_of(object);
    hwri_takeover *takeover = sentinel->owner;
    Py_INCREF(object);
    arm(&takeover->sentinels[sentinel == &takeover->sentinels[0]]);
    if (takeover->busy) return;
    if (takeover->stand_in.users != NULL) give_back_callbacks(takeover);
    takeover->busy = true;
    takeover->pause = (hwri_pause){.start = hwri_now()};
    hwri_collect(takeover);
    hwri_pauses_add(&takeover->pause);
    takeover->busy = false;
    takeover->full_due = takeover->gc->generations[HWRI_FULL].count;
    if (PyList_GET_SIZE(takeover->gc->callbacks) != 0) take_callbacks(takeover);
}

static PyTypeObject sentinel_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "heapwright.sentinel",
    .tp_basicsize = sizeof(PyObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = sentinel_traverse,
    .tp_finalize = sentinel_finalize,
};

static void open_sentinel(hwri_takeover *takeover, struct hwri_sentinel *sentinel) {
    sentinel->owner = takeover;
    Py_SET_TYPE(&sentinel->object, &sentinel_type);
    Py_SET_REFCNT(&sentinel->object, 1);
    hwri_list_append(&takeover->gc->generations[0].head, &sentinel->head);
}

/* ---- taking over ---- */

static bool is_state(const hwri_gc_state *gc) {
    return gc->generation0 == &gc->generations[0].head && (gc->enabled == 0 || gc->enabled == 1);
}

/* A pointer that leads to where it must, relative to itself, is proof enough. */
static bool find_state(PyInterpreterState *interpreter) {
    state_offset = offsetof(PyInterpreterState, gc);
    if (is_state(state_of(interpreter))) return true;
    for (state_offset = 0; state_offset + sizeof(hwri_gc_state) <= sizeof *interpreter; state_offset += sizeof(void *))
        if (is_state(state_of(interpreter))) return true;
    return false;
}

static atomic_uint takeovers;

bool hwri_takeover_is_whole(const hwri_takeover *takeover) {
    return !takeover->frozen && hwri_list_is_empty(&takeover->condemned) &&
           atomic_load_explicit(&takeovers, memory_order_relaxed) == 1 &&
           PyInterpreterState_Next(PyInterpreterState_Head()) == NULL;
}

void hwri_takeover_settle(hwri_takeover *takeover) {
    hwri_list_merge(&takeover->generations[HWRI_FULL], &takeover->aging);
    hwri_list_merge(&takeover->generations[HWRI_FULL], &takeover->recent);
    takeover->recent_count = 0;
}

void hwri_takeover_promote(hwri_takeover *takeover, PyGC_Head *list, Py_ssize_t count) {
    takeover->gc->long_lived_pending = takeover->pending + count;
    if (!takeover->sorts_recent) {
        hwri_list_merge(&takeover->generations[HWRI_FULL], list);
        return;
    }
    hwri_list_merge(&takeover->recent, list);
    takeover->recent_count += count;
}

static bool has_mortal(const PyGC_Head *list) {
    for (const PyGC_Head *head = hwri_next(list); head != list; head = hwri_next(head))
        if (!hwri_is_immortal(hwri_object_of(head))) return true;
    return false;
}

static bool take_over(hwri_gc_state *gc) {
    hwri_takeover *takeover = calloc(1, sizeof *takeover);
    if (takeover == NULL) return false;
    atomic_fetch_add(&takeovers, 1);
    takeover->gc = gc;
    for (int i = 0; i < HWRI_GENERATIONS; i++) {
        hwri_list_open(&takeover->generations[i]);
        hwri_list_merge(&takeover->generations[i], &gc->generations[i].head);
    }
    hwri_list_open(&takeover->recent);
    hwri_list_open(&takeover->aging);
    hwri_list_open(&takeover->condemned);
    hwri_list_open(&takeover->permanent);
    hwri_list_merge(&takeover->permanent, &gc->permanent_generation.head);
    takeover->frozen = has_mortal(&takeover->permanent);
    takeover->debug = gc->debug & HWRI_DEBUG_OURS;
    gc->debug &= ~HWRI_DEBUG_OURS;
    open_stand_in(takeover);
    open_sentinel(takeover, &takeover->sentinels[0]);
    open_sentinel(takeover, &takeover->sentinels[1]);
    gc->generation0 = &takeover->generations[0];
    return true;
}

void hwri_takeover_enter(void) {
    hwri_gc_state *gc = state_of(PyInterpreterState_Get());
    if (is_state(gc) && gc->garbage != NULL && gc->callbacks != NULL && !gc->collecting) take_over(gc);
}

/* Every new interpreter asks for the suffixes of extension modules before it runs any of the user's code. */
static PyCFunction original_suffixes;

static PyObject *extension_suffixes(PyObject *module, PyObject *unused) {
    hwri_takeover_enter();
    return original_suffixes(module, unused);
}

const char *hwri_takeover_install(void) {
    if (!find_state(PyInterpreterState_Get())) return "its collector's state is not where heapwright expects it";
    if (state_of(PyInterpreterState_Get())->collecting) return "a collection is under way";
    if (!hwri_find_prepare()) return "its import system is not the one that heapwright knows";
    PyMethodDef *suffixes = hwri_method_find("_imp", "extension_suffixes", METH_NOARGS);
    if (suffixes == NULL || !hwri_gc_module_replace()) return "its module gc is not the one that heapwright knows";
    Py_SET_TYPE(&sentinel_type, &PyType_Type);
    Py_SET_TYPE(&stand_in_type, &PyType_Type);
    Py_SET_TYPE(&stand_in_call_type, &PyType_Type);
    original_suffixes = suffixes->ml_meth;
    suffixes->ml_meth = extension_suffixes;
    hwri_takeover_enter();
    return hwri_takeover_of_caller() != NULL ? NULL : "there is no memory for its collector's state";
}
