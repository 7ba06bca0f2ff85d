/* report: what Python itself says about its memory, with heapwright under it.
 *
 * sys.getallocatedblocks() and sys._debugmallocstats() are replaced in place, in the table of the sys module that
 * every interpreter of the process shares; so a name that was imported earlier changes with it. Each replacement
 * begins with the original or ends with it: that keeps signatures and errors Python's own.
 */
#include "report.h"

#include "allocator.h"

#include <stdio.h>

static PyCFunction original_blocks, original_stats;

static size_t blocks_in_use(void) {
    hwr_pool_stats stats;
    hwr_pool_get_stats(hwri_domains[HWRI_OBJ].pool, &stats);
    return stats.blocks;
}

static PyObject *getallocatedblocks(PyObject *module, PyObject *arguments) {
    PyObject *original = original_blocks(module, arguments);
    if (original == NULL) return NULL;
    size_t blocks = PyLong_AsSize_t(original) + blocks_in_use();
    Py_DECREF(original);
    return PyErr_Occurred() != NULL ? NULL : PyLong_FromSize_t(blocks);
}

static void print_pool(FILE *out, const char *domains, hwr_pool *pool) {
    hwr_pool_stats stats;
    hwr_pool_get_stats(pool, &stats);
    fprintf(out, "\n%s: %zu bytes in %zu blocks in use, %zu bytes in their pages, %zu from the system\n", domains,
            stats.bytes, stats.blocks, stats.page_bytes, stats.committed);
    fprintf(out, "  size       pages      blocks in use    of\n");
    hwr_pool_class_stats class;
    for (unsigned i = 0; hwr_pool_get_class_stats(pool, i, &class); i++)
        if (class.pages > 0)
            fprintf(out, "%6zu  %10zu  %17zu  %10zu\n", class.block_size, class.pages, class.blocks, class.capacity);
    fprintf(out, " large              %17zu  (%zu bytes)\n", stats.large_blocks, stats.large_bytes);
}

static PyObject *debugmallocstats(PyObject *module, PyObject *arguments) {
    hwr_pool_class_stats class = {.block_size = 0};
    unsigned classes = 0;
    while (hwr_pool_get_class_stats(hwri_domains[HWRI_OBJ].pool, classes, &class)) classes++;
    fprintf(stderr, "This Python runs on heapwright %s.\nSmall block threshold = %zu, in %u size classes.\n",
            hwr_version(), class.block_size, classes);
    print_pool(stderr, "Domains mem and obj", hwri_domains[HWRI_OBJ].pool);
    print_pool(stderr, "Domain raw", hwri_domains[HWRI_RAW].pool);
    fputc('\n', stderr);
    return original_stats(module, arguments);
}

/* Puts `replacement` in the place of the sys function `name`; returns what was there, or NULL if that is not what we
 * know. */
static PyCFunction replace(const char *name, PyCFunction replacement) {
    PyObject *function = PySys_GetObject(name);
    if (function == NULL || !PyCFunction_CheckExact(function)) return NULL;
    PyMethodDef *method = ((PyCFunctionObject *)function)->m_ml;
    if (method->ml_flags != METH_NOARGS) return NULL;
    PyCFunction original = method->ml_meth;
    method->ml_meth = replacement;
    return original;
}

void hwri_report_install(void) {
    original_blocks = replace("getallocatedblocks", getallocatedblocks);
    original_stats = replace("_debugmallocstats", debugmallocstats);
}
