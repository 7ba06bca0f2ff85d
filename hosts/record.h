/* record.h: what the `heapwright` tool and a host library tell each other.
 *
 * The tool hands words down through the environment; the first Python interpreter, or the .NET runtime, that
 * finds them takes them out again, so that the programs which that one starts run without them:
 *
 *   HEAPWRIGHT_RECORD   path of a file that holds one struct hwri_record, for the host library to fill in
 *   HEAPWRIGHT_STRICT   if set, a Python that cannot run on heapwright ends with status 2 instead of running without it
 *   HEAPWRIGHT_SERVER   what DOTNET_gcServer was before the tool set it to 0; empty: nothing
 *
 * and one word comes from the preload object itself:
 *
 *   HEAPWRIGHT_SAID     set once a Python has said that it keeps its own allocator: its children say nothing
 *
 * and one is the user's, who may set it himself or by the tool's option --gc; it holds for all programs of the tree:
 *
 *   HEAPWRIGHT_GC       which cycle collector Python runs on: ours (`auto`, the default, `beside` or `inplace`) or `stock`, its own
 */
#ifndef HWRI_RECORD_H
#define HWRI_RECORD_H

#include <stdatomic.h>
#include <stdint.h>

#define HWRI_RECORD_VARIABLE "HEAPWRIGHT_RECORD"
#define HWRI_STRICT_VARIABLE "HEAPWRIGHT_STRICT"
#define HWRI_SERVER_VARIABLE "HEAPWRIGHT_SERVER"
#define HWRI_SAID_VARIABLE "HEAPWRIGHT_SAID"
#define HWRI_GC_VARIABLE "HEAPWRIGHT_GC"

enum { HWRI_RECORD_MAGIC = 0x48575231, HWRI_RECORD_VERSION = 4, HWRI_MAX_CLASSES = 320 };

/* How far the program came. The states follow one another in this order, but for REFUSED, which is an end. */
enum hwri_state {
    HWRI_UNCLAIMED, /* no runtime has taken the record */
    HWRI_REFUSED,   /* one has, and runs on its own memory manager; `reason` says why */
    HWRI_RUNNING,   /* one runs on heapwright */
    HWRI_CLEANING,  /* its program has ended, Python takes its objects down */
    HWRI_ENDED      /* this is done, too; of .NET: the process ended by itself */
};

enum hwri_domain { HWRI_RAW, HWRI_MEM, HWRI_OBJ, HWRI_DOMAINS };
enum hwri_call { HWRI_MALLOC, HWRI_CALLOC, HWRI_REALLOC, HWRI_FREE, HWRI_CALLS };

/* Live counters of one of Python's three domains. `asked` and `taken` add up over all requests that were met: the
 * bytes that were asked for and those of the blocks handed out. `bytes` and `blocks` are what is in use. Signed,
 * because a block may be freed through another domain than it came from. */
struct hwri_domain_record {
    atomic_uint_least64_t calls[HWRI_CALLS];
    atomic_uint_least64_t asked, taken;
    atomic_int_least64_t bytes, peak_bytes;
    atomic_int_least64_t blocks, peak_blocks;
};

struct hwri_class_record {
    uint64_t block_size, blocks, pages, capacity;
};

/* The pools at one moment, all domains together. */
struct hwri_snapshot {
    uint64_t blocks, bytes, page_bytes, committed, given_back, large_blocks, large_bytes;
    uint32_t class_count;
    struct hwri_class_record classes[HWRI_MAX_CLASSES];
};

/* The kinds of GCHandle by their numbers, and the dependent ones. */
enum hwri_dotnet_handle {
    HWRI_DOTNET_WEAK,
    HWRI_DOTNET_WEAK_LONG,
    HWRI_DOTNET_NORMAL,
    HWRI_DOTNET_PINNED,
    HWRI_DOTNET_DEPENDENT,
    HWRI_DOTNET_HANDLES
};

enum { HWRI_DOTNET_GENERATIONS = 3 };

/* The heap of a .NET program at one moment. */
struct hwri_dotnet_memory {
    uint64_t allocated;   /* bytes of all objects since the start */
    uint64_t objects;     /* bytes of those that are there */
    uint64_t committed;   /* bytes taken from the system for them */
    uint64_t finalizable; /* objects that have a finalizer still to run */
    uint64_t pending;     /* of these, those that wait for it */
    uint64_t handles[HWRI_DOTNET_HANDLES];
};

/* A run of a .NET program. A collection counts in the row of the oldest generation that it collected. A pause is a time in which
 * the program stood still for its collector: one or more of them make a collection. */
struct hwri_dotnet_record {
    char version[64];   /* of the runtime, as "10.0.12" */
    char runtime[1024]; /* the file that it was loaded from */
    uint64_t collections[HWRI_DOTNET_GENERATIONS];
    uint64_t induced; /* of these, those that the program asked for */
    uint64_t pauses, pause_nanoseconds, longest_pause_nanoseconds;
    uint64_t peak_objects, peak_committed;
    struct hwri_dotnet_memory memory; /* after the latest collection; at the end, if it ended by itself */
};

/* One run of one program. The tool makes the file and reads it; one process writes it, the one that claimed it by
 * unlinking the file. It lies in shared memory, so its figures survive whatever becomes of that process: the counters
 * are always exact, a snapshot is as old as its last renewal. Costs some eight pages and, per allocation, some ten
 * counters, which are indivisible operations only where no lock guards the domain: a seventh of a service's time. Only runs with statistics pay.
 * Of `dotnet` a process fills in all or nothing; what follows it is Python's. */
struct hwri_record {
    uint32_t magic, version;
    atomic_uint_least32_t state;
    char reason[256]; /* HWRI_REFUSED: why, as the rest of a sentence */
    struct hwri_dotnet_record dotnet;
    uint32_t shared_libpython, free_threaded;
    uint32_t collects;       /* its cycle collector is ours, whatever its allocator is */
    char collections[4096];  /* what that does, and has done at the end: a JSON object, or empty */
    char interpreter[1024];  /* path of the executable */
    char python_version[64]; /* as "3.11.2" */
    struct hwri_domain_record domains[HWRI_DOMAINS];
    atomic_int_least64_t peak_bytes; /* in use, all domains */
    uint64_t peak_committed;         /* the most memory that was ever taken from the system */
    struct hwri_snapshot peak;       /* near the most bytes in use: within about 3 % */
    struct hwri_snapshot end;        /* the latest while the program ran; at last when Python began to clean up */
    struct hwri_snapshot after;      /* when Python had ended */
};

#endif
