/* kinds-cpython: the same by CPython's C API, without the interpreter. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "driver.h"

static PyObject *made(PyObject *object) {
    if (object == NULL) PyErr_Print();
    must(object != NULL, "a call of CPython's");
    return object;
}

static void ok(int result) { must(result == 0, "a call of CPython's"); }

static void drop(void *built) { Py_DECREF((PyObject *)built); }

static PyObject *word(uint64_t number) {
    char text[9];
    word_of(number, text);
    return made(PyUnicode_FromStringAndSize(text, 8));
}

/* ---- lists ---- */

static void append(PyObject *list, PyObject *item) {
    ok(PyList_Append(list, item));
    Py_DECREF(item);
}

static void *small_ints(void) {
    PyObject *list = made(PyList_New(0));
    for (int i = 0; i < MILLION; i++) append(list, made(PyLong_FromLong(i % 200)));
    return list;
}

static void *distinct_ints(void) {
    PyObject *list = made(PyList_New(0));
    for (long i = 0; i < MILLION; i++) append(list, made(PyLong_FromLong(i * 1000)));
    return list;
}

static uint64_t sum_of_ints(void *list) {
    uint64_t sum = 0;
    for (Py_ssize_t i = 0; i < MILLION; i++) {
        long value = PyLong_AsLong(PyList_GetItem(list, i));
        must(value != -1 || !PyErr_Occurred(), "PyLong_AsLong");
        sum += (uint64_t)value;
    }
    return sum;
}

static void *words(void) {
    PyObject *list = made(PyList_New(0));
    for (uint64_t i = 0; i < MILLION; i++) append(list, word(i));
    return list;
}

static uint64_t sum_of_words(void *list) {
    uint64_t sum = 0;
    for (Py_ssize_t i = 0; i < MILLION; i++) {
        PyObject *str = PyList_GetItem(list, i);
        const char *text = PyUnicode_AsUTF8(str);
        sum += (uint64_t)text[7] * (uint64_t)PyUnicode_GetLength(str);
    }
    return sum;
}

static void *appended(void) {
    PyObject *list = made(PyList_New(0)), *str = word(1);
    for (int i = 0; i < 10 * MILLION; i++) ok(PyList_Append(list, str));
    Py_DECREF(str);
    return list;
}

static uint64_t length_of_list(void *list) { return (uint64_t)PyList_Size(list); }

/* ---- dicts ---- */

static void *dict(void) {
    PyObject *table = made(PyDict_New());
    for (uint64_t i = 0; i < MILLION; i++) {
        PyObject *key = word(i), *value = made(PyLong_FromLong((long)i));
        ok(PyDict_SetItem(table, key, value));
        Py_DECREF(value);
        Py_DECREF(key);
    }
    return table;
}

static uint64_t sum_of_dict(void *table) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < MILLION; i++) {
        char key[9];
        word_of(scramble(i) % MILLION, key);
        sum += (uint64_t)PyLong_AsLong(made(PyDict_GetItemString(table, key)));
    }
    return sum;
}

typedef struct lookups {
    PyObject *dict, *keys[1000];
} lookups;

static void *small_dict(void) {
    lookups *l = malloc(sizeof *l);
    must(l != NULL, "malloc");
    l->dict = made(PyDict_New());
    for (uint64_t i = 0; i < 1000; i++) {
        l->keys[i] = word(i);
        ok(PyDict_SetItem(l->dict, l->keys[i], l->keys[i]));
    }
    return l;
}

static uint64_t get_often(void *built) {
    lookups *l = built;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < 10 * MILLION; i++)
        sum += (uint64_t)PyUnicode_GetLength(PyDict_GetItemWithError(l->dict, l->keys[i * 7 % 1000]));
    return sum;
}

static uint64_t set_often(void *built) {
    lookups *l = built;
    for (uint64_t i = 0; i < 10 * MILLION; i++) ok(PyDict_SetItem(l->dict, l->keys[i * 7 % 1000], l->keys[i % 1000]));
    return (uint64_t)PyDict_Size(l->dict);
}

static void drop_lookups(void *built) {
    lookups *l = built;
    for (int i = 0; i < 1000; i++) Py_DECREF(l->keys[i]);
    Py_DECREF(l->dict);
    free(l);
}

/* ---- strs ---- */

static void *concatenated(void) {
    PyObject *text = made(PyUnicode_FromString("")), *piece = made(PyUnicode_FromString("piece"));
    for (int i = 0; i < MILLION; i++) {
        PyUnicode_Append(&text, piece);
        must(text != NULL, "PyUnicode_Append");
    }
    Py_DECREF(piece);
    return text;
}

static uint64_t length_of_str(void *text) { return (uint64_t)PyUnicode_GetLength(text); }

static void *interned(void) {
    PyObject *list = made(PyList_New(0));
    for (uint64_t i = 0; i < MILLION; i++) {
        PyObject *str = word(scramble(i) % 1000);
        PyUnicode_InternInPlace(&str);
        append(list, str);
    }
    return list;
}

/* ---- the document ---- */

#ifdef BENCH_DOCUMENT
#include "document.h"

static void *document_null(void) { return Py_NewRef(Py_None); }
static void *document_bool(int value) { return PyBool_FromLong(value); }
static void *document_int(const char *text, size_t size) {
    char digits[100]; /* with a zero behind them, as json.load does it, too */
    must(size < sizeof digits, "an int");
    memcpy(digits, text, size);
    digits[size] = '\0';
    return made(PyLong_FromString(digits, NULL, 10));
}
static void *document_float(const char *text, size_t size) {
    char digits[100];
    must(size < sizeof digits, "a float");
    memcpy(digits, text, size);
    digits[size] = '\0';
    return made(PyFloat_FromDouble(PyOS_string_to_double(digits, NULL, NULL)));
}
static void *document_str(const char *text, size_t size) {
    return made(PyUnicode_FromStringAndSize(text, (Py_ssize_t)size));
}
static void *document_key(const char *text, size_t size) {
    PyObject *str = document_str(text, size);
    PyUnicode_InternInPlace(&str);
    return str;
}
static void *document_dict(void) { return made(PyDict_New()); }
static void *document_list(void) { return made(PyList_New(0)); }
static void document_put(void *table, void *key, void *value) { ok(PyDict_SetItem(table, key, value)); }
static void document_append(void *list, void *value) { ok(PyList_Append(list, value)); }
static void document_release(void *object) { Py_DECREF((PyObject *)object); }

static uint64_t document_read(void *value) {
    uint64_t sum = 0;
    if (PyUnicode_Check(value)) return (uint64_t)PyUnicode_GetLength(value);
    if (PyBool_Check(value)) return value == Py_True;
    if (PyLong_Check(value)) return (uint64_t)PyLong_AsLong(value);
    if (PyFloat_Check(value)) return (uint64_t)PyFloat_AsDouble(value);
    if (PyList_Check(value)) {
        for (Py_ssize_t i = 0; i < PyList_Size(value); i++) sum += document_read(PyList_GetItem(value, i));
    } else if (PyDict_Check(value)) {
        PyObject *key, *item;
        for (Py_ssize_t position = 0; PyDict_Next(value, &position, &key, &item);)
            sum += (uint64_t)PyUnicode_GetLength(key) + document_read(item);
    }
    return sum;
}

/* What a Python program calls: for the memory that it takes. */
static void *document_load(void) {
    PyObject *json = made(PyImport_ImportModule("json")), *io = made(PyImport_ImportModule("io"));
    PyObject *file = made(PyObject_CallMethod(io, "open", "ss", getenv("KINDS_DOCUMENT"), "r"));
    PyObject *document = made(PyObject_CallMethod(json, "load", "O", file));
    Py_DECREF(file);
    Py_DECREF(io);
    Py_DECREF(json);
    return document;
}
#endif

/* ---- objects with attributes ---- */

static PyObject *point_class, *x_name, *y_name;

static void set_int(PyObject *object, PyObject *name, long number) {
    PyObject *value = made(PyLong_FromLong(number));
    ok(PyObject_SetAttr(object, name, value));
    Py_DECREF(value);
}

static long get_int(PyObject *object, PyObject *name) {
    PyObject *value = made(PyObject_GetAttr(object, name));
    long number = PyLong_AsLong(value);
    Py_DECREF(value);
    return number;
}

static PyObject *point(long x, long y) {
    PyObject *object = made(PyObject_CallNoArgs(point_class));
    set_int(object, x_name, x);
    set_int(object, y_name, y);
    return object;
}

/* What the statement `class` makes. */
static void open_points(void) {
    point_class = made(PyObject_CallFunction((PyObject *)&PyType_Type, "s(){}", "Point"));
    x_name = made(PyUnicode_InternFromString("x"));
    y_name = made(PyUnicode_InternFromString("y"));
}

static void *points(void) {
    PyObject *list = made(PyList_New(0));
    open_points();
    for (long i = 0; i < MILLION; i++) append(list, point(i, i % 200));
    return list;
}

static uint64_t sum_of_points(void *list) {
    uint64_t sum = 0;
    for (Py_ssize_t i = 0; i < MILLION; i++) {
        PyObject *object = PyList_GetItem(list, i);
        sum += (uint64_t)(get_int(object, x_name) * get_int(object, y_name));
    }
    return sum;
}

static void *one_point(void) {
    open_points();
    return point(1, 2);
}

static uint64_t change_often(void *object) {
    for (int i = 0; i < 10 * MILLION; i++) {
        PyObject *value = made(PyObject_GetAttr(object, x_name));
        ok(PyObject_SetAttr(object, y_name, value));
        Py_DECREF(value);
    }
    return (uint64_t)get_int(object, y_name);
}

static const workload workloads[] = {
    {"small-ints", small_ints, sum_of_ints, drop},
    {"distinct-ints", distinct_ints, sum_of_ints, drop},
    {"words", words, sum_of_words, drop},
    {"dict", dict, sum_of_dict, drop},
    {"append", appended, length_of_list, drop},
    {"dict-get", small_dict, get_often, drop_lookups},
    {"dict-set", small_dict, set_often, drop_lookups},
    {"concat", concatenated, length_of_str, drop},
    {"intern", interned, sum_of_words, drop},
#ifdef BENCH_DOCUMENT
    {"document", document_build, document_read, drop},
    {"json-load", document_load, document_read, drop},
#endif
    {"objects", points, sum_of_points, drop},
    {"attributes", one_point, change_often, drop},
    {NULL, NULL, NULL, NULL},
};

int main(int argc, char **argv) {
    Py_InitializeEx(0);
    Py_DECREF(made(PyImport_ImportModule("json"))); /* now, so that it is not part of what grows */
    return argc == 2 ? run_workload(workloads, argv[1]) : 2;
}
