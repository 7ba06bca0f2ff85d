/* _quiet: lets a script report what Python's collector does without disturbing it. A script that looks at gc.get_count() allocates
 * a tuple, and that is counted; what is here allocates nothing that is, or undoes the counting of it.
 *
 * Made for CPython 3.11, whose internal headers say where the counts are.
 */
#define PY_SSIZE_T_CLEAN
#define Py_BUILD_CORE_MODULE
#include <Python.h>

#include <structmember.h>

#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#if PY_VERSION_HEX < 0x030b0000 || PY_VERSION_HEX >= 0x030c0000
#error "made for CPython 3.11"
#endif

#define STOCK_TUPLES 8 /* of each length up to this */
#define STOCK_DEPTH 16

#define GATHERED_MOST 100
#define LINE_SIZE 100

static bool recording, gathering;
static char gathered[GATHERED_MOST][LINE_SIZE];
static size_t gathered_count;
static int hushed_count, hushed_enabled;

static struct _gc_runtime_state *collector(void) { return &PyThreadState_Get()->interp->gc; }

/* begin(name): from now on say() prints; end(): no longer. */
static PyObject *quiet_begin(PyObject *module, PyObject *name) {
    (void)module;
    printf("== %s\n", PyUnicode_AsUTF8(name));
    recording = true;
    Py_RETURN_NONE;
}

static PyObject *quiet_end(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    recording = false;
    fflush(stdout);
    Py_RETURN_NONE;
}

static void print_line(const char *line) {
    if (!recording) return;
    if (!gathering) {
        printf("%s\n", line);
        return;
    }
    size_t size = strlen(line) + 1;
    if (gathered_count == GATHERED_MOST || size > LINE_SIZE) Py_FatalError("too much said in any order");
    memcpy(gathered[gathered_count++], line, size);
}

/* say(text): a line of the trace. */
static PyObject *quiet_say(PyObject *module, PyObject *text) {
    (void)module;
    const char *line = PyUnicode_AsUTF8(text);
    if (!line) return NULL;
    print_line(line);
    Py_RETURN_NONE;
}

/* gather() ... gathered(): what is said in between is sorted. */
static PyObject *quiet_gather(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    gathering = true;
    gathered_count = 0;
    Py_RETURN_NONE;
}

static int compare_lines(const void *one, const void *other) { return strcmp(one, other); }

static PyObject *quiet_gathered(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    gathering = false;
    qsort(gathered, gathered_count, sizeof *gathered, compare_lines);
    for (size_t i = 0; i < gathered_count; i++) print_line(gathered[i]);
    Py_RETURN_NONE;
}

/* count(generation): that element of gc.get_count(). */
static PyObject *quiet_count(PyObject *module, PyObject *generation) {
    (void)module;
    return PyLong_FromLong(collector()->generations[PyLong_AsLong(generation)].count);
}

/* refcount(object): without the reference that the call itself holds. */
static PyObject *quiet_refcount(PyObject *module, PyObject *object) {
    (void)module;
    return PyLong_FromSsize_t(Py_REFCNT(object) - 1);
}

/* hush() ... unhush(): what the script allocates in between is not counted and starts no collection. Not nested. */
static PyObject *quiet_hush(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    hushed_count = collector()->generations[0].count;
    hushed_enabled = collector()->enabled;
    collector()->enabled = 0;
    Py_RETURN_NONE;
}

static PyObject *quiet_unhush(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    collector()->generations[0].count = hushed_count;
    collector()->enabled = hushed_enabled;
    Py_RETURN_NONE;
}

/* stock(): fills the interpreter's lists of free tuples, lists and dicts, which a full collection has emptied, so that those it makes for calls
 * come from there and are not counted. */
static PyObject *quiet_stock(PyObject *module, PyObject *unused) {
    PyObject *stock[STOCK_DEPTH][STOCK_TUPLES + 2];
    quiet_hush(module, unused);
    for (int i = 0; i < STOCK_DEPTH; i++) {
        for (int length = 1; length <= STOCK_TUPLES; length++) stock[i][length - 1] = PyTuple_New(length);
        stock[i][STOCK_TUPLES] = PyList_New(0);
        stock[i][STOCK_TUPLES + 1] = PyDict_New();
    }
    for (int i = 0; i < STOCK_DEPTH; i++)
        for (int j = 0; j < STOCK_TUPLES + 2; j++) Py_XDECREF(stock[i][j]);
    return quiet_unhush(module, unused);
}

/* uncount(): takes back the counting of one object: the dict that a full collection makes for its callbacks when it has just given up all free
 * dicts. */
static PyObject *quiet_uncount(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    collector()->generations[0].count--;
    Py_RETURN_NONE;
}

/* Leaf(name) and FinalLeaf(name, on_death): objects that the collector does not know; classes of a script are never that. The finalizer of the
 * second says so, and calls on_death(leaf) if it is not None. It runs once, as that of any class of a script does: CPython sees to that itself
 * only where there is a collector's header for the mark. */
typedef struct Leaf {
    PyObject base;
    PyObject *name, *on_death, *weak_references;
    bool finalized;
} Leaf;

static PyTypeObject leaf_type, final_leaf_type;

static PyObject *leaf_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    (void)keywords;
    PyObject *name = NULL, *on_death = Py_None;
    if (!PyArg_ParseTuple(arguments, "U|O", &name, &on_death)) return NULL;
    Leaf *leaf = (Leaf *)type->tp_alloc(type, 0);
    if (!leaf) return NULL;
    leaf->name = Py_NewRef(name);
    leaf->on_death = Py_NewRef(on_death);
    return (PyObject *)leaf;
}

static void leaf_finalize(PyObject *self) {
    Leaf *leaf = (Leaf *)self;
    if (leaf->finalized) return;
    leaf->finalized = true;
    PyObject *line = PyUnicode_FromFormat("finalize %U", leaf->name);
    print_line(PyUnicode_AsUTF8(line));
    Py_DECREF(line);
    if (leaf->on_death == Py_None) return;
    PyObject *result = PyObject_CallOneArg(leaf->on_death, self);
    if (!result) PyErr_WriteUnraisable(self);
    Py_XDECREF(result);
}

static void leaf_dealloc(PyObject *self) {
    Leaf *leaf = (Leaf *)self;
    if (Py_TYPE(self) == &final_leaf_type && PyObject_CallFinalizerFromDealloc(self) < 0) return;
    PyObject_ClearWeakRefs(self);
    Py_DECREF(leaf->name);
    Py_DECREF(leaf->on_death);
    Py_TYPE(self)->tp_free(self);
}

static PyMemberDef leaf_members[] = {{"name", T_OBJECT, offsetof(Leaf, name), READONLY, NULL}, {NULL, 0, 0, 0, NULL}};

static PyTypeObject leaf_type = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "_quiet.Leaf",
                                 .tp_basicsize = sizeof(Leaf),
                                 .tp_flags = Py_TPFLAGS_DEFAULT,
                                 .tp_weaklistoffset = offsetof(Leaf, weak_references),
                                 .tp_members = leaf_members,
                                 .tp_new = leaf_new,
                                 .tp_dealloc = leaf_dealloc};

static PyTypeObject final_leaf_type = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "_quiet.FinalLeaf",
                                       .tp_basicsize = sizeof(Leaf),
                                       .tp_flags = Py_TPFLAGS_DEFAULT,
                                       .tp_weaklistoffset = offsetof(Leaf, weak_references),
                                       .tp_members = leaf_members,
                                       .tp_new = leaf_new,
                                       .tp_dealloc = leaf_dealloc,
                                       .tp_finalize = leaf_finalize};

static PyMethodDef functions[] = {{"begin", quiet_begin, METH_O, NULL},
                                  {"end", quiet_end, METH_NOARGS, NULL},
                                  {"say", quiet_say, METH_O, NULL},
                                  {"gather", quiet_gather, METH_NOARGS, NULL},
                                  {"gathered", quiet_gathered, METH_NOARGS, NULL},
                                  {"count", quiet_count, METH_O, NULL},
                                  {"refcount", quiet_refcount, METH_O, NULL},
                                  {"hush", quiet_hush, METH_NOARGS, NULL},
                                  {"unhush", quiet_unhush, METH_NOARGS, NULL},
                                  {"stock", quiet_stock, METH_NOARGS, NULL},
                                  {"uncount", quiet_uncount, METH_NOARGS, NULL},
                                  {NULL, NULL, 0, NULL}};

static PyModuleDef module_definition = {.m_base = PyModuleDef_HEAD_INIT, .m_name = "_quiet", .m_methods = functions};

PyMODINIT_FUNC PyInit__quiet(void) {
    PyObject *module = PyModule_Create(&module_definition);
    if (module && (PyModule_AddType(module, &leaf_type) < 0 || PyModule_AddType(module, &final_leaf_type) < 0))
        Py_CLEAR(module);
    return module;
}
