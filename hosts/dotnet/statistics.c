/* statistics: fills the record in. It lies in shared memory, so each figure is right from the moment on that it is
 * written, whatever becomes of the process. */
#define _GNU_SOURCE
#include "statistics.h"

#include "../claim.h"
#include "allocate.h"
#include "finalize.h"
#include "handles.h"
#include "space.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* NULL: nobody wants figures. A child of fork has the same memory, and must not write there. */
static struct hwri_record *record;
static pid_t owner;

void clr_statistics_claim(void) {
    record = hwri_claim_record();
    owner = getpid();
}

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

static uint64_t committed(hwr_raw *raw) {
    hwr_raw_stats stats;
    hwr_raw_get_stats(raw, &stats);
    return stats.committed;
}

static struct hwri_dotnet_memory memory_now(void) {
    return (struct hwri_dotnet_memory){
        .allocated = clr_allocated(),
        .objects = clr_bytes_in_use(),
        .committed = committed(clr_objects.regions) + committed(clr_objects.large),
        .finalizable = clr_finalize_registered(),
        .pending = clr_finalize_pending(),
        .handles = {[HWRI_DOTNET_WEAK] = clr_handle_count(CLR_WEAK_SHORT),
                    [HWRI_DOTNET_WEAK_LONG] = clr_handle_count(CLR_WEAK_LONG),
                    [HWRI_DOTNET_NORMAL] = clr_handle_count(CLR_STRONG),
                    [HWRI_DOTNET_PINNED] = clr_handle_count(CLR_PINNED),
                    [HWRI_DOTNET_DEPENDENT] = clr_handle_count(CLR_DEPENDENT)},
    };
}

static void raise_to(uint64_t *peak, uint64_t value) {
    if (value > *peak) *peak = value;
}

void clr_statistics_collection(const clr_collection *collection) {
    if (record == NULL) return;
    struct hwri_dotnet_record *dotnet = &record->dotnet;
    dotnet->collections[collection->gen]++;
    dotnet->induced += collection->induced;
    dotnet->pauses++;
    dotnet->pause_nanoseconds += collection->pause;
    raise_to(&dotnet->longest_pause_nanoseconds, collection->pause);
    uint64_t before = 0;
    for (int i = 0; i < CLR_GENERATIONS; i++) before += collection->sizes[i].before;
    raise_to(&dotnet->peak_objects, before);
    raise_to(&dotnet->peak_committed, collection->committed);
    dotnet->memory = memory_now();
}

/* exit() calls it, also on behalf of the runtime, whose threads may still run. */
__attribute__((destructor)) static void end(void) {
    if (record == NULL || getpid() != owner || atomic_load(&record->state) != HWRI_RUNNING) return;
    record->dotnet.memory = memory_now();
    raise_to(&record->dotnet.peak_objects, record->dotnet.memory.objects);
    raise_to(&record->dotnet.peak_committed, record->dotnet.memory.committed);
    atomic_store(&record->state, HWRI_ENDED);
}
