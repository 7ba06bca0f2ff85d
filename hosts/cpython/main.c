/* main: an interpreter's start, with heapwright in it.
 *
 * It is what Py_BytesMain does, in the same order, with our steps between: the pools are opened first; the allocator
 * is set after the pre-initialisation, which would undo it if PYTHONMALLOC or -X dev asked for another, and before
 * the first object; what patches live objects comes after the initialisation.
 */
#define _GNU_SOURCE
#include "../host.h"
#include "allocator.h"
#include "install.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail_unless_ok(PyStatus status) {
    if (PyStatus_Exception(status)) Py_ExitStatusException(status);
}

static void initialise(int argc, char **argv) {
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    PyStatus status = PyConfig_SetBytesArgv(&config, argc, argv);
    if (!PyStatus_Exception(status)) status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    fail_unless_ok(status);
}

static bool refuse(struct hwri_host_run *run, const char *refusal) {
    run->refusal = refusal;
    return false;
}

/* An allocator that the user has asked for stays. That is no failure, so nothing is said. */
static void note_choice(struct hwri_record *record, const char *reason) {
    snprintf(record->reason, sizeof record->reason, "%s", reason);
    atomic_store(&record->state, HWRI_REFUSED);
}

static bool find_mode(const char *wanted, enum hwri_gc_mode *mode) {
    static const char *const names[] = {
        [HWRI_GC_IN_PLACE] = "inplace", [HWRI_GC_BESIDE] = "beside", [HWRI_GC_AUTO] = "auto"};
    *mode = HWRI_GC_AUTO;
    if (wanted == NULL || *wanted == '\0') return true;
    for (int i = HWRI_GC_IN_PLACE; i <= HWRI_GC_AUTO; i++) {
        if (strcmp(wanted, names[i]) != 0) continue;
        *mode = (enum hwri_gc_mode)i;
        return true;
    }
    return false;
}

static const char *try_collector(const char *wanted, bool allocator_is_ours) {
    enum hwri_gc_mode mode;
    if (!find_mode(wanted, &mode)) return HWRI_GC_VARIABLE " is none of 'auto', 'beside', 'inplace' and 'stock'";
    const char *refusal = hwri_takeover_install();
    if (refusal == NULL) hwri_beside_open(mode, allocator_is_ours);
    return refusal;
}

/* Which collector the user wants; the tool passes that on by way of the environment. Says why if it cannot be had, once for a
 * whole tree of processes. */
static void install_collector(struct hwri_record *record, bool allocator_is_ours) {
    const char *wanted = getenv(HWRI_GC_VARIABLE);
    if (wanted != NULL && strcmp(wanted, "stock") == 0) return;
    const char *refusal = try_collector(wanted, allocator_is_ours);
    if (record != NULL) record->collects = refusal == NULL;
    if (record != NULL) hwri_host_gc_report(record->collections, sizeof record->collections);
    if (refusal == NULL || getenv(HWRI_SAID_VARIABLE) != NULL) return;
    fprintf(stderr, "heapwright: Python %.*s keeps its own cycle collector: %s\n", (int)strcspn(Py_GetVersion(), " "),
            Py_GetVersion(), refusal);
    setenv(HWRI_SAID_VARIABLE, "1", 1);
}

__attribute__((visibility("default"))) hwri_host_main_function hwri_host_main;

bool hwri_host_main(struct hwri_host_run *run) {
    if (!hwri_allocator_open()) return refuse(run, "there is no memory for heapwright's pools");

    PyPreConfig preconfig;
    PyPreConfig_InitPythonConfig(&preconfig);
    fail_unless_ok(Py_PreInitializeFromBytesArgs(&preconfig, run->argc, run->argv));

    const char *chosen = hwri_allocator_chosen();
    if (chosen != NULL && run->strict) return refuse(run, chosen);
    if (chosen == NULL)
        hwri_allocator_install(run->record);
    else if (run->record != NULL)
        note_choice(run->record, chosen);

    initialise(run->argc, run->argv);
    if (chosen == NULL) hwri_report_install();
    install_collector(run->record, chosen == NULL);

    run->status = Py_RunMain();
    if (run->record != NULL) hwri_host_gc_report(run->record->collections, sizeof run->record->collections);
    hwri_counting_end();
    return true;
}
