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
#include "start.h"

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

/* Which collector the user wants; the tool passes that on by way of the environment. Says why if it cannot be had, once for a
 * whole tree of processes. */
static void install_collector(struct hwri_record *record) {
    const char *refusal = hwri_start_collector(getenv(HWRI_GC_VARIABLE));
    if (record != NULL && strcmp(hwri_started.collector, "stock") != 0) {
        record->collects = true;
        hwri_host_gc_report(record->collections, sizeof record->collections);
    }
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

    hwri_started.allocator_refusal = chosen;
    hwri_started.on = true;
    initialise(run->argc, run->argv);
    if (chosen == NULL) hwri_report_install();
    install_collector(run->record);

    run->status = Py_RunMain();
    if (run->record != NULL) hwri_host_gc_report(run->record->collections, sizeof run->record->collections);
    hwri_counting_end();
    return true;
}
