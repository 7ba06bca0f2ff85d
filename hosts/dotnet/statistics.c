/* statistics: fills the record in. It lies in shared memory, so each figure is right from the moment on that it is
 * written, whatever becomes of the process. */
#define _GNU_SOURCE
#include "statistics.h"

#include "../claim.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static struct hwri_record *record;

void clr_statistics_claim(void) { record = hwri_claim_record(); }

bool clr_statistics_wanted(void) { return record != NULL; }

void clr_statistics_refused(const char *reason) {
    if (record == NULL) return;
    snprintf(record->reason, sizeof record->reason, "%s", reason);
    atomic_store(&record->state, HWRI_REFUSED);
}

/* A runtime that is installed lies in a folder that is named for its version, which says more than the runtime itself. */
static void find_version(unsigned major, unsigned minor, const char *file) {
    char *version = record->dotnet.version;
    size_t size = sizeof record->dotnet.version;
    int length = snprintf(version, size, "%u.%u", major, minor);
    const char *end = strrchr(file, '/'), *folder = end != NULL ? memrchr(file, '/', (size_t)(end - file)) : NULL;
    if (folder != NULL && strncmp(folder + 1, version, (size_t)length) == 0 && folder[1 + length] == '.')
        snprintf(version, size, "%.*s", (int)(end - folder - 1), folder + 1);
}

void clr_statistics_running(unsigned major, unsigned minor, const void *address) {
    if (record == NULL) return;
    Dl_info module;
    const char *file = dladdr(address, &module) != 0 ? module.dli_fname : "";
    find_version(major, minor, file);
    snprintf(record->dotnet.runtime, sizeof record->dotnet.runtime, "%s", file);
    atomic_store(&record->state, HWRI_RUNNING);
}

static void see(const struct hwri_dotnet_memory *memory) {
    struct hwri_dotnet_record *dotnet = &record->dotnet;
    if (memory->objects > dotnet->peak_objects) dotnet->peak_objects = memory->objects;
    if (memory->committed > dotnet->peak_committed) dotnet->peak_committed = memory->committed;
}

void clr_statistics_pause(uint64_t nanoseconds) {
    if (record == NULL) return;
    struct hwri_dotnet_record *dotnet = &record->dotnet;
    dotnet->pauses++;
    dotnet->pause_nanoseconds += nanoseconds;
    if (nanoseconds > dotnet->longest_pause_nanoseconds) dotnet->longest_pause_nanoseconds = nanoseconds;
}

void clr_statistics_collection(unsigned generation, bool induced, uint64_t nanoseconds,
                               const struct hwri_dotnet_memory *before, const struct hwri_dotnet_memory *after) {
    if (record == NULL) return;
    clr_statistics_pause(nanoseconds);
    unsigned oldest = HWRI_DOTNET_GENERATIONS - 1;
    record->dotnet.collections[generation < oldest ? generation : oldest]++;
    record->dotnet.induced += induced;
    see(before);
    see(after);
    record->dotnet.memory = *after;
}

void clr_statistics_end(const struct hwri_dotnet_memory *memory) {
    if (record == NULL) return;
    see(memory);
    record->dotnet.memory = *memory;
    atomic_store(&record->state, HWRI_ENDED);
}
