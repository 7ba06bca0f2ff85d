/* module: this library as an extension module, `heapwright._host`, by which the Python package puts heapwright into an interpreter that has long
 * been running, and asks for figures in one that runs on it already.
 *
 * Of the three domains only mem and obj are switched then: they are used with the interpreter's lock, which is ours, so nobody is between reading one
 * half of a PyMemAllocatorEx and the other. The raw domain is used by any thread at any moment, and keeps its allocator. */
#define _GNU_SOURCE
#include "allocator.h"

#include "clock.h"
#include "install.h"
#include "pauses.h"
#include "report.h"
#include "start.h"

#include <string.h>

enum { REPORT_SIZE = 4096 };

/* ---- installing ---- */

static const char *why_not(void) {
    PyInterpreterState *main_interpreter = PyInterpreterState_Main();
    if (PyInterpreterState_Get() != main_interpreter) return "a subinterpreter cannot do that; the main one can";
    if (PyInterpreterState_Head() != main_interpreter || PyInterpreterState_Next(main_interpreter) != NULL)
        return "there are subinterpreters, which may be running: install before they are made";
    return NULL;
}

static PyObject *install(PyObject *module, PyObject *wanted) {
    const char *name = PyUnicode_AsUTF8(wanted);
    (void)module;
    if (name == NULL) return NULL;
    if (hwri_started.on) Py_RETURN_FALSE;
    const char *refusal = why_not();
    if (refusal == NULL && !hwri_allocator_open()) return PyErr_NoMemory();
    if (refusal == NULL) {
        hwri_started.allocator_refusal = hwri_allocator_chosen_later();
        refusal = hwri_start_collector(name);
    }
    if (refusal != NULL) {
        PyErr_SetString(PyExc_RuntimeError, refusal);
        return NULL;
    }
    if (hwri_started.allocator_refusal == NULL) {
        hwri_allocator_install_later();
        hwri_report_install();
    }
    hwri_started.on = true;
    Py_RETURN_TRUE;
}

static PyObject *installed(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    return PyBool_FromLong(hwri_started.on);
}

/* ---- figures ---- */

/* The names are those of the tool's JSON. */
static PyObject *memory(void) {
    struct hwri_snapshot now;
    unsigned long long peak = hwri_look_at_pools(&now);
    return Py_BuildValue("{sKsKsKsKsKsKsKsK}", "blocks", (unsigned long long)now.blocks, "block_bytes",
                         (unsigned long long)now.bytes, "page_bytes", (unsigned long long)now.page_bytes,
                         "committed_bytes", (unsigned long long)now.committed, "peak_committed_bytes", peak,
                         "given_back_bytes", (unsigned long long)now.given_back, "large_blocks",
                         (unsigned long long)now.large_blocks, "large_bytes", (unsigned long long)now.large_bytes);
}

static double seconds(uint64_t nanoseconds) { return (double)nanoseconds * 1e-9; }

static PyObject *sum_of_pauses(void) {
    struct hwri_pauses_sum sum;
    hwri_pauses_get(NULL, &sum);
    return Py_BuildValue("{sKsdsd}", "count", (unsigned long long)sum.count, "seconds", seconds(sum.took),
                         "longest_seconds", seconds(sum.longest));
}

/* What the collector did is a text in JSON, for the package to read. */
static PyObject *stats(PyObject *module, PyObject *unused) {
    char report[REPORT_SIZE];
    (void)module, (void)unused;
    hwri_host_gc_report(report, sizeof report);
    return Py_BuildValue("{sssssssssNsN}", "heapwright", hwr_version(), "allocator",
                         hwri_started.allocator_refusal == NULL ? "heapwright" : hwri_started.allocator_refusal,
                         "collector", hwri_started.collector, "collections", report, "memory", memory(), "pauses",
                         sum_of_pauses());
}

static PyObject *item_of_pause(const hwri_pause *pause, uint64_t ago) {
    static const char *const kinds[] = {[HWRI_PAUSE_IN_PLACE] = "in place",
                                        [HWRI_PAUSE_SLICE] = "slice",
                                        [HWRI_PAUSE_SNAPSHOT] = "snapshot",
                                        [HWRI_PAUSE_WAIT] = "wait"};
    return Py_BuildValue("(ddis)", seconds(pause->start + ago), seconds(pause->took), pause->generation,
                         kinds[pause->kind]);
}

/* A list of (seconds since the epoch, seconds, generation, kind). */
static PyObject *pauses(PyObject *module, PyObject *unused) {
    struct hwri_pauses_sum sum;
    if (strcmp(hwri_started.collector, "stock") == 0) {
        PyErr_SetString(PyExc_RuntimeError,
                        "Python's own collector works here, and heapwright does not see its pauses");
        return NULL;
    }
    hwri_pause *kept = PyMem_Malloc(HWRI_PAUSES_KEPT * sizeof *kept);
    (void)module, (void)unused;
    if (kept == NULL) return PyErr_NoMemory();
    size_t count = hwri_pauses_get(kept, &sum);
    uint64_t epoch = hwri_nanoseconds(CLOCK_REALTIME) - hwri_now();
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; list != NULL && i < count; i++) {
        PyObject *item = item_of_pause(&kept[i], epoch);
        if (item == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)i, item);
    }
    PyMem_Free(kept);
    return list;
}

/* ---- the module ---- */

static PyMethodDef methods[] = {
    {"install", install, METH_O, "install(collector) -> whether this call did it; RuntimeError says why not"},
    {"installed", installed, METH_NOARGS, "Whether this process runs on heapwright."},
    {"stats", stats, METH_NOARGS, "Figures of this process."},
    {"pauses", pauses, METH_NOARGS, "The latest pauses."},
    {NULL, NULL, 0, NULL},
};

/* Nothing here belongs to one interpreter. */
static PyModuleDef_Slot slots[] = {
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, NULL},
};

static PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "heapwright._host", .m_methods = methods,
                                 .m_slots = slots};

PyMODINIT_FUNC PyInit__host(void);

PyMODINIT_FUNC PyInit__host(void) { return PyModuleDef_Init(&definition); }
