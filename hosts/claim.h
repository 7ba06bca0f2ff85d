/* claim.h: how a host takes the record that the tool has made for the first runtime of the process tree. */
#ifndef HWRI_CLAIM_H
#define HWRI_CLAIM_H

#include "record.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Maps the record and takes its name out of the environment. Unlinking the file is the claim: it works for one process
 * only. NULL: nobody wants figures of this process. */
static inline struct hwri_record *hwri_claim_record(void) {
    const char *path = getenv(HWRI_RECORD_VARIABLE);
    if (path == NULL) return NULL;
    void *memory = MAP_FAILED;
    int file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (file >= 0) {
        if (lseek(file, 0, SEEK_END) == (off_t)sizeof(struct hwri_record))
            memory = mmap(NULL, sizeof(struct hwri_record), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        close(file);
    }
    struct hwri_record *record = memory != MAP_FAILED ? memory : NULL;
    if (record != NULL &&
        (record->magic != HWRI_RECORD_MAGIC || record->version != HWRI_RECORD_VERSION || unlink(path) != 0)) {
        munmap(memory, sizeof *record);
        record = NULL;
    }
    unsetenv(HWRI_RECORD_VARIABLE);
    return record;
}

#endif
