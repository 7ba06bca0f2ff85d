/* The seam under raw: what an implementation for one source of memory provides. Everything else (limit, accounting, fault injection,
 * locking, rounding) is done once, in raw.c. */
#ifndef HWRI_RAW_BACKEND_H
#define HWRI_RAW_BACKEND_H

#include "heapwright/raw.h"
#include "raw/thread.h"

/* The memory of the machine, or of the control group that the process is in, in bytes; 0: not known. */
typedef struct hwri_memory {
    uint64_t total, used;
} hwri_memory;

/* Sizes and addresses that reach a backend are multiples of page_size, alignments are powers of two of at least page_size, and
 * the raw lock is held. What a function promises is what the public function of its name promises (heapwright/raw.h). A
 * backend without `resize` (NULL) cannot; without `hint_huge` it ignores the hint; without `decommit` it keeps the memory. */
typedef struct hwri_backend {
    void *(*reserve)(hwr_raw *raw, size_t size, size_t alignment);
    bool (*commit)(hwr_raw *raw, void *address, size_t size);
    void (*decommit)(hwr_raw *raw, void *address, size_t size);
    void (*release)(hwr_raw *raw, void *address, size_t size);
    void *(*resize)(hwr_raw *raw, void *address, size_t old_size, size_t new_size, size_t alignment);
    void (*hint_huge)(void *address, size_t size, bool on);
    bool (*make_readable)(hwr_raw *raw, void *address, size_t size); /* reads as zero from now on */
    uint64_t (*now)(void);                                           /* nanoseconds; NULL: no clock */
    void (*close)(hwr_raw *raw);                                     /* gives back `raw` itself */
    bool steps_back;                                                 /* that clock may be set back */
    bool zeroed;                                                     /* committed memory reads as zero */
} hwri_backend;

/* A raw allocator. The lock guards everything below it; `committed` never exceeds `limit` by a later commit, and
 * every range that is reserved is counted in `reserved` with its rounded size. The buffer backend keeps one bit for each page of its
 * memory (set: reserved), which makes reserving linear in the size of the buffer: small machines have small buffers. */
struct hwr_raw {
    const hwri_backend *backend;
    size_t page_size;
    uint64_t latest; /* the latest time told, where the clock may be set back */
    bool strict;     /* the system backend: memory must be asked for before it is used */
    hwri_mutex lock;
    hwri_fork_lock fork_lock;
    hwr_raw_stats stats;
    struct {
        unsigned mask;
        uint64_t countdown; /* 0: not armed */
        bool for_good;
    } fault;
    struct {
        char *pages; /* the first page that can be reserved */
        size_t count;
        uint64_t *taken;
    } buffer;
};

extern const hwri_backend hwri_malloc_backend;
extern const hwri_backend hwri_buffer_backend;

/* Each makes the hwr_raw itself, with backend and page_size set and the rest zero; NULL without memory. The system's returns NULL on a
 * platform that raw does not know. */
hwr_raw *hwri_system_open(void);
hwr_raw *hwri_malloc_open(void);
hwr_raw *hwri_buffer_open(void *buffer, size_t size);

/* Makes such a one ready for use, with a limit (0: none). Returns it; or, without a way to hear of forks, closes it and returns NULL. */
hwr_raw *hwri_raw_begin(hwr_raw *raw, size_t limit);

/* Makes a part of a reservation of the system's what it was when it was reserved. */
void hwri_system_renew(const hwr_raw *raw, void *address, size_t size);

/* Reserves `most` bytes of addresses over the system, or where that is refused half of it, and so on down to `least`. Returns NULL, or where they
 * start; *size says how many they are. Released by hwr_raw_release. */
void *hwri_range_reserve(hwr_raw *raw, size_t most, size_t least, size_t alignment, size_t *size);

/* Opens an allocator that reserves nothing but parts of `size` bytes at `start`, a part of such a range: multiples of 64 KiB. Several may be opened over
 * different parts of one range. Closing it leaves the addresses as they are. NULL without memory, or on a platform that raw does not know. */
hwr_raw *hwri_range_open(void *start, size_t size, size_t limit);

/* If all memory lies in one range that is known from the start (a buffer's), returns its size in bytes and its start. Otherwise 0. */
size_t hwri_raw_extent(const hwr_raw *raw, uintptr_t *start);

/* What there is of memory: in the buffer, or on the system, which is asked for it. */
void hwri_raw_memory(const hwr_raw *raw, hwri_memory *memory);
void hwri_system_memory(hwri_memory *memory);

/* Whether reserving costs nothing but addresses. */
bool hwri_raw_is_sparse(const hwr_raw *raw);

static inline uintptr_t hwri_align_up(uintptr_t n, uintptr_t alignment) {
    return (n + alignment - 1) & ~(alignment - 1);
}

#endif
