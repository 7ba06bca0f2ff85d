/* record: makes the shared file that a program's figures travel in. */
#define _GNU_SOURCE
#include "tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct hwri_record *map(int file) {
    if (ftruncate(file, sizeof(struct hwri_record)) != 0) return MAP_FAILED;
    return mmap(NULL, sizeof(struct hwri_record), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
}

bool record_open(struct record_file *file) {
    const char *folder = getenv("TMPDIR");
    if (folder == NULL || *folder == '\0') folder = "/tmp";
    snprintf(file->path, sizeof file->path, "%s/heapwright-XXXXXX", folder);
    int descriptor = mkstemp(file->path);
    if (descriptor < 0) {
        say("cannot make a file in %s for the statistics: %s", folder, strerror(errno));
        return false;
    }
    file->record = map(descriptor);
    close(descriptor);
    if (file->record == MAP_FAILED) {
        say("cannot make room in %s for the statistics: %s", folder, strerror(errno));
        unlink(file->path);
        return false;
    }
    file->record->magic = HWRI_RECORD_MAGIC;
    file->record->version = HWRI_RECORD_VERSION;
    return true;
}

void record_close(struct record_file *file) {
    unlink(file->path);
    munmap(file->record, sizeof *file->record);
}
