/* gc_module: the functions of module gc that look into CPython's own lists. Each calls the original first, so that
 * arguments, errors and audit events are Python's own, and then puts our result in the place of the original's. */
#include "takeover.h"

#include "beside.h"
#include "methods.h"

typedef PyObject *fast_function(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names);

enum { FAST = METH_FASTCALL | METH_KEYWORDS, REFERRERS = PY_VERSION_HEX >= 0x030D0000 ? METH_FASTCALL : METH_VARARGS };

enum function {
    COLLECT,
    GET_OBJECTS,
    GET_REFERRERS,
    FREEZE,
    UNFREEZE,
    GET_FREEZE_COUNT,
    SET_DEBUG,
    GET_DEBUG,
    FUNCTIONS
};

static PyCFunction originals[FUNCTIONS];

static PyObject *call_original(enum function function, PyObject *module, PyObject *argument) {
    return originals[function](module, argument);
}

static PyObject *call_fast_original(enum function function, PyObject *module, PyObject *const *arguments,
                                    Py_ssize_t count, PyObject *names) {
    return ((fast_function *)(void (*)(void))originals[function])(module, arguments, count, names);
}

/* ---- collecting ---- */

static PyObject *collect(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
    hwri_takeover_enter();
    hwri_takeover *takeover = hwri_takeover_of_caller();
    if (takeover == NULL || takeover->gc->collecting)
        return call_fast_original(COLLECT, module, arguments, count, names);
    takeover->collected = takeover->uncollectable = 0;
    takeover->asked = true;
    PyObject *result = call_fast_original(COLLECT, module, arguments, count, names);
    takeover->asked = false;
    if (result == NULL) return NULL;
    Py_DECREF(result);
    return PyLong_FromSsize_t(takeover->collected + takeover->uncollectable);
}

static PyObject *set_debug(PyObject *module, PyObject *flags) {
    hwri_takeover *takeover = hwri_takeover_of_caller();
    hwri_beside_give_up(takeover);
    PyObject *result = call_original(SET_DEBUG, module, flags);
    if (result == NULL || takeover == NULL) return result;
    takeover->debug = takeover->gc->debug & HWRI_DEBUG_OURS;
    takeover->gc->debug &= ~HWRI_DEBUG_OURS;
    return result;
}

static PyObject *get_debug(PyObject *module, PyObject *unused) {
    hwri_takeover *takeover = hwri_takeover_of_caller();
    if (takeover == NULL) return call_original(GET_DEBUG, module, unused);
    return PyLong_FromLong(takeover->gc->debug | takeover->debug);
}

/* ---- looking ---- */

static bool append_all(PyObject *result, const PyGC_Head *list) {
    for (const PyGC_Head *head = hwri_next(list); head != list; head = hwri_next(head)) {
        PyObject *object = hwri_object_of(head);
        if (object != result && PyList_Append(result, object) != 0) return false;
    }
    return true;
}

/* Of what the original accepted: the generation that was asked for, or -1 for all. */
static Py_ssize_t generation_asked(PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
    Py_ssize_t given = count + (names != NULL ? PyTuple_GET_SIZE(names) : 0);
    return given == 0 || Py_IsNone(arguments[0]) ? -1 : PyNumber_AsSsize_t(arguments[0], NULL);
}

static bool is_wanted(Py_ssize_t asked, Py_ssize_t generation) { return asked < 0 || asked == generation; }

static PyObject *get_objects(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
    hwri_takeover *takeover = hwri_takeover_of_caller();
    PyObject *result = call_fast_original(GET_OBJECTS, module, arguments, count, names);
    if (result == NULL || takeover == NULL) return result;
    Py_ssize_t asked = generation_asked(arguments, count, names);
    hwri_takeover_settle(takeover);
    bool complete = PyErr_Occurred() == NULL && PyList_SetSlice(result, 0, PyList_GET_SIZE(result), NULL) == 0;
    for (int i = 0; i < HWRI_GENERATIONS && complete; i++)
        if (is_wanted(asked, i)) complete = append_all(result, &takeover->generations[i]);
    if (!complete) Py_CLEAR(result);
    return result;
}

struct wanted {
    PyObject *const *objects;
    Py_ssize_t count;
};

static int is_one_of(PyObject *target, void *context) {
    const struct wanted *wanted = context;
    for (Py_ssize_t i = 0; i < wanted->count; i++)
        if (target == wanted->objects[i]) return 1;
    return 0;
}

/* `arguments` is a tuple that holds the wanted objects and is not counted, if there is one. */
static bool append_referrers(PyObject *result, const PyGC_Head *list, struct wanted wanted, const PyObject *arguments) {
    for (const PyGC_Head *head = hwri_next(list); head != list; head = hwri_next(head)) {
        PyObject *object = hwri_object_of(head);
        if (object == result || (arguments != NULL && object == arguments)) continue;
        if (Py_TYPE(object)->tp_traverse(object, is_one_of, &wanted) == 0) continue;
        if (PyList_Append(result, object) != 0) return false;
    }
    return true;
}

static PyObject *with_referrers(PyObject *result, struct wanted wanted, const PyObject *arguments) {
    hwri_takeover *takeover = hwri_takeover_of_caller();
    if (result == NULL || takeover == NULL) return result;
    hwri_takeover_settle(takeover);
    for (int i = 0; i < HWRI_GENERATIONS && result != NULL; i++)
        if (!append_referrers(result, &takeover->generations[i], wanted, arguments)) Py_CLEAR(result);
    return result;
}

#if PY_VERSION_HEX >= 0x030D0000
static PyObject *get_referrers(PyObject *module, PyObject *const *objects, Py_ssize_t count) {
    PyObject *result = call_fast_original(GET_REFERRERS, module, objects, count, NULL);
    return with_referrers(result, (struct wanted){objects, count}, NULL);
}
#else
static PyObject *get_referrers(PyObject *module, PyObject *objects) {
    struct wanted wanted = {((PyTupleObject *)objects)->ob_item, PyTuple_GET_SIZE(objects)};
    return with_referrers(call_original(GET_REFERRERS, module, objects), wanted, objects);
}
#endif

/* ---- freezing ---- */

static PyObject *freeze(PyObject *module, PyObject *unused) {
    hwri_takeover *takeover = hwri_takeover_of_caller();
    if (takeover == NULL) return call_original(FREEZE, module, unused);
    hwri_beside_give_up(takeover);
    hwri_takeover_settle(takeover);
    for (int i = 0; i < HWRI_GENERATIONS; i++) {
        hwri_list_merge(&takeover->permanent, &takeover->generations[i]);
        takeover->gc->generations[i].count = 0;
    }
    takeover->frozen = true;
    Py_RETURN_NONE;
}

static PyObject *unfreeze(PyObject *module, PyObject *unused) {
    hwri_takeover *takeover = hwri_takeover_of_caller();
    if (takeover == NULL) return call_original(UNFREEZE, module, unused);
    hwri_list_merge(&takeover->generations[HWRI_FULL], &takeover->permanent);
    takeover->frozen = false;
    Py_RETURN_NONE;
}

static PyObject *get_freeze_count(PyObject *module, PyObject *unused) {
    hwri_takeover *takeover = hwri_takeover_of_caller();
    if (takeover == NULL) return call_original(GET_FREEZE_COUNT, module, unused);
    return PyLong_FromSsize_t(hwri_list_length(&takeover->permanent));
}

/* ---- replacing ---- */

#define FUNCTION(function) ((PyCFunction)(void (*)(void))(function))

static const struct replacement {
    const char *name;
    int flags;
    PyCFunction function;
} replacements[FUNCTIONS] = {
    [COLLECT] = {"collect", FAST, FUNCTION(collect)},
    [GET_OBJECTS] = {"get_objects", FAST, FUNCTION(get_objects)},
    [GET_REFERRERS] = {"get_referrers", REFERRERS, FUNCTION(get_referrers)},
    [FREEZE] = {"freeze", METH_NOARGS, freeze},
    [UNFREEZE] = {"unfreeze", METH_NOARGS, unfreeze},
    [GET_FREEZE_COUNT] = {"get_freeze_count", METH_NOARGS, get_freeze_count},
    [SET_DEBUG] = {"set_debug", METH_O, set_debug},
    [GET_DEBUG] = {"get_debug", METH_NOARGS, get_debug},
};

bool hwri_gc_module_replace(void) {
    PyMethodDef *methods[FUNCTIONS];
    for (int i = 0; i < FUNCTIONS; i++) {
        methods[i] = hwri_method_find("gc", replacements[i].name, replacements[i].flags);
        if (methods[i] == NULL) return false;
    }
    for (int i = 0; i < FUNCTIONS; i++) {
        originals[i] = methods[i]->ml_meth;
        methods[i]->ml_meth = replacements[i].function;
    }
    return true;
}
