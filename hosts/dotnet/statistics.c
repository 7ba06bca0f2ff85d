/* statistics: fills the record in. It lies in shared memory, so each figure is right from the moment on that it is
 * written, whatever becomes of the process. */
#define _GNU_SOURCE
#include "statistics.h"

#include "../claim.h"

#include <stdio.h>

static struct hwri_record *record;

void hwri_dotnet_statistics_claim(void) { record = hwri_claim_record(); }

bool hwri_dotnet_statistics_wanted(void) { return record != NULL; }

void hwri_dotnet_statistics_refused(const char *reason) {
    if (record == NULL) return;
    snprintf(record->reason, sizeof record->reason, "%s", reason);
    atomic_store(&record->state, HWRI_REFUSED);
}

void hwri_dotnet_statistics_running(const char *version, const char *runtime) {
    if (record == NULL) return;
    snprintf(record->dotnet.version, sizeof record->dotnet.version, "%s", version);
    snprintf(record->dotnet.runtime, sizeof record->dotnet.runtime, "%s", runtime);
    atomic_store(&record->state, HWRI_RUNNING);
}

static void see(const struct hwri_dotnet_memory *memory) {
    struct hwri_dotnet_record *dotnet = &record->dotnet;
    if (memory->objects > dotnet->peak_objects) dotnet->peak_objects = memory->objects;
    if (memory->committed > dotnet->peak_committed) dotnet->peak_committed = memory->committed;
}

void hwri_dotnet_statistics_pause(uint64_t nanoseconds) {
    if (record == NULL) return;
    struct hwri_dotnet_record *dotnet = &record->dotnet;
    dotnet->pauses++;
    dotnet->pause_nanoseconds += nanoseconds;
    if (nanoseconds > dotnet->longest_pause_nanoseconds) dotnet->longest_pause_nanoseconds = nanoseconds;
}

void hwri_dotnet_statistics_collection(unsigned generation, bool induced, uint64_t nanoseconds,
                                       const struct hwri_dotnet_memory *before,
                                       const struct hwri_dotnet_memory *after) {
    if (record == NULL) return;
    hwri_dotnet_statistics_pause(nanoseconds);
    unsigned oldest = HWRI_DOTNET_GENERATIONS - 1;
    record->dotnet.collections[generation < oldest ? generation : oldest]++;
    record->dotnet.induced += induced;
    see(before);
    see(after);
    record->dotnet.memory = *after;
}

void hwri_dotnet_statistics_end(const struct hwri_dotnet_memory *memory) {
    if (record == NULL) return;
    see(memory);
    record->dotnet.memory = *memory;
    atomic_store(&record->state, HWRI_ENDED);
}
