/* memory: what the programs in this folder are written in, so that one text runs on several memory managers. The build says on which:
 *
 *   BENCH_EXACT        a tracing heap; frames name the roots
 *   BENCH_STACKS       a tracing heap; stacks are scanned
 *   BENCH_LIBGC        libgc as it comes: GC_MALLOC
 *   BENCH_LIBGC_BEST   libgc at its best: free lists from GC_malloc_many, no pointers into the middle of objects
 *   BENCH_MALLOC       malloc; the program frees what it drops
 *
 * A program opens its memory with the arguments it was given, each NAME=NUMBER: `limit` (bytes; the heap then has that size from beginning to end), and for ours `nursery` (bytes),
 * `markers` (threads that mark), `adapts` (1: HWR_SIZE_ADAPTS) and `pauses` (1: print those of minor collections). It ends with memory_close, which prints the most memory that was resident. When memory runs out the
 * exit status is 3.
 *
 * A program that defines TELLS_STORES tells libgc of every store, as GCBench always did; libgc itself asks for it in its incremental mode only.
 *
 * What lives across an allocation is in a FRAME and read from there again, since objects move. Where nothing moves, a frame is a struct of
 * locals that the compiler keeps in registers.
 */
#ifndef BENCH_TRACING_MEMORY_H
#define BENCH_TRACING_MEMORY_H

#if defined(BENCH_LIBGC) || defined(BENCH_LIBGC_BEST)
#define GC_THREADS
#include <gc.h>
#endif

#include <heapwright.h>
#include <heapwright/events.h>
#include <heapwright/tracing.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OUT_OF_MEMORY = 3 };

static inline _Noreturn void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static inline _Noreturn void out_of_memory(void) {
    fputs("out of memory\n", stderr);
    exit(OUT_OF_MEMORY);
}

static inline void *checked(void *object) {
    if (object == NULL) out_of_memory();
    return object;
}

static inline size_t argument(char **argv, const char *name, size_t otherwise) {
    size_t length = strlen(name);
    for (; *argv; argv++)
        if (strncmp(*argv, name, length) == 0 && (*argv)[length] == '=') return strtoull(*argv + length + 1, NULL, 10);
    return otherwise;
}

static inline uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Below `count`. */
static inline size_t random_below(uint64_t *state, size_t count) {
    return (size_t)(((next_random(state) >> 32) * (uint64_t)count) >> 32);
}

static inline double cpu_seconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static inline int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The program's own account, since what the system counts for a process begins before exec. */
static inline void print_peak(void) {
    char line[128];
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, "VmHWM:", 6) == 0) printf("peak %llu\n", strtoull(line + 6, NULL, 10) * 1024);
    if (status) fclose(status);
}

#if defined(BENCH_EXACT) || defined(BENCH_STACKS)
#define BENCH_OURS

typedef hwr_heap Memory;

#define TYPE(Struct, ...) static const hwr_type Struct##_type = HWR_TYPE(Struct, __VA_ARGS__)
#define LEAF(Struct) static const hwr_type Struct##_type = HWR_LEAF(Struct)
#define NEW(memory, Struct) ((Struct *)checked(hwr_new((memory), &Struct##_type)))
#define NEW_LEAF(memory, Struct) NEW(memory, Struct)
#define NEW_ITEMS(memory, Struct, count) ((Struct *)checked(hwr_new_items((memory), &Struct##_type, (count))))
#define NEW_LEAF_ITEMS(memory, Struct, count) NEW_ITEMS(memory, Struct, count)
#define ZERO(bytes, count) ((void)0) /* new objects are zeroed */
#define SET(memory, object, field, value) hwr_set((memory), (object), &(object)->field, (value))
#define INIT(memory, object, field, value) hwr_init((memory), (object), &(object)->field, (value))
#define DROP(tree) ((void)0)

static struct {
    double began, seconds[1 << 18];
    size_t count;
} pauses;

static inline void note_pause(hwr_heap *heap, const hwr_event *event, void *context) {
    (void)heap, (void)context;
    double now = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
    if (event->kind == HWR_EVENT_COLLECTION_BEGIN)
        pauses.began = now;
    else if (event->value != HWR_OLDEST && pauses.count < sizeof pauses.seconds / sizeof pauses.seconds[0])
        pauses.seconds[pauses.count++] = now - pauses.began;
}

static inline void print_pauses(void) {
    if (!pauses.count) return;
    qsort(pauses.seconds, pauses.count, sizeof pauses.seconds[0], by_size);
    printf("minor-collections %zu\n", pauses.count);
    printf("pause-median %.6f\n", pauses.seconds[pauses.count / 2] * 1e3);
    printf("pause-p99 %.6f\n", pauses.seconds[pauses.count * 99 / 100] * 1e3);
}

static inline Memory *memory_open(char **argv) {
    hwr_options options = {.size = sizeof options, .collector = HWR_TRACING};
    options.limit = argument(argv, "limit", 0);
    options.nursery = argument(argv, "nursery", 0);
    options.marking_threads = (unsigned)argument(argv, "markers", 0);
    options.sizing = options.limit ? HWR_SIZE_FIXED : argument(argv, "adapts", 0) ? HWR_SIZE_ADAPTS : HWR_SIZE_GROWS;
#if defined(BENCH_EXACT)
    options.roots = HWR_ROOTS_EXACT;
#else
    options.roots = HWR_ROOTS_STACKS;
#endif
    hwr_heap *heap = checked(hwr_heap_open(&options));
    uint64_t kinds = UINT64_C(1) << HWR_EVENT_COLLECTION_BEGIN | UINT64_C(1) << HWR_EVENT_COLLECTION_END;
    if (argument(argv, "pauses", 0) && !hwr_listen(heap, kinds, note_pause, NULL)) out_of_memory();
    return heap;
}

static inline void memory_close(Memory *memory) {
    print_pauses();
    print_peak();
    hwr_heap_close(memory);
}

static inline void collect_all(Memory *memory) { hwr_collect(memory, HWR_OLDEST); }

#else

#if defined(BENCH_LIBGC_BEST)
enum { MANY_MOST = 64 }; /* larger objects are made one by one */
typedef struct Memory {
    void *lists[MANY_MOST / 8 + 1]; /* new objects of a size, linked by their first words */
} Memory;

static inline void *new_of_size(Memory *memory, size_t size) {
    if (size > MANY_MOST) return checked(GC_MALLOC(size));
    void **list = &memory->lists[(size + 7) / 8];
    void *object = *list ? *list : checked(GC_malloc_many(size));
    *list = GC_NEXT(object);
    GC_NEXT(object) = NULL;
    return object;
}
#define NEW(memory, Struct) ((Struct *)new_of_size((memory), sizeof(Struct)))
#else
typedef struct Memory {
    char unused;
} Memory;
#define NEW(memory, Struct) ((void)(memory), (Struct *)checked(NEW_BYTES(sizeof(Struct))))
#endif

#define TYPE(Struct, ...) typedef Struct Struct##_is_a_type
#define LEAF(Struct) TYPE(Struct, )
#define WITH_ITEMS(Struct, count) (sizeof(Struct) + (count) * sizeof(((Struct *)NULL)->items[0]))
#define NEW_ITEMS(memory, Struct, count) ((Struct *)with_length(NEW_BYTES(WITH_ITEMS(Struct, (count))), (count)))
#define NEW_LEAF(memory, Struct) ((void)(memory), (Struct *)checked(NEW_LEAF_BYTES(sizeof(Struct))))
#define NEW_LEAF_ITEMS(memory, Struct, count)                                                                          \
    ((void)(memory), (Struct *)with_length(NEW_LEAF_BYTES(WITH_ITEMS(Struct, (count))), (count)))
#define INIT(memory, object, field, value) SET(memory, object, field, value)

/* The length is the first word of every struct with items. */
static inline void *with_length(void *object, size_t count) {
    *(size_t *)checked(object) = count;
    return object;
}

#if defined(BENCH_MALLOC)
#define NEW_BYTES(size) calloc(1, (size))
#define NEW_LEAF_BYTES(size) malloc(size)
#define SET(memory, object, field, value) ((void)(memory), (void)((object)->field = (value)))
#define DROP(tree) free_tree(tree)

static inline Memory *memory_open(char **argv) {
    static Memory memory;
    (void)argv;
    return &memory;
}
static inline void collect_all(Memory *memory) { (void)memory; }
#else
#define NEW_BYTES(size) GC_MALLOC(size)
#define NEW_LEAF_BYTES(size) GC_MALLOC_ATOMIC(size)
#if defined(TELLS_STORES)
#define STORED(object) GC_END_STUBBORN_CHANGE(object)
#else
#define STORED(object) ((void)0)
#endif
#define SET(memory, object, field, value) ((void)(memory), (object)->field = (value), STORED(object))
#define DROP(tree) ((void)0)

static inline Memory *memory_open(char **argv) {
    static Memory memory;
#if defined(BENCH_LIBGC_BEST)
    GC_set_all_interior_pointers(0);
#endif
    GC_INIT();
    size_t limit = argument(argv, "limit", 0);
    if (limit) {
        GC_set_warn_proc(GC_ignore_warn_proc);
        GC_set_max_heap_size(limit);
        if (limit > GC_get_heap_size() && !GC_expand_hp(limit - GC_get_heap_size())) out_of_memory();
    }
    GC_set_free_space_divisor(argument(argv, "divisor", GC_get_free_space_divisor()));
    return &memory;
}
static inline void collect_all(Memory *memory) {
    (void)memory;
    GC_gcollect();
}
#endif

/* New memory of libgc's and malloc's that is not asked to be searched for pointers is not zeroed either. */
#define ZERO(bytes, count) memset((bytes), 0, (count))

static inline void memory_close(Memory *memory) {
    (void)memory;
    print_peak();
}
#endif

#if defined(BENCH_EXACT)
#define FRAME(name, ...)                                                                                               \
    struct {                                                                                                           \
        hwr_frame frame;                                                                                               \
        __VA_ARGS__                                                                                                    \
    } name = {0};                                                                                                      \
    hwr_frame_push(memory, &name.frame, (sizeof name - sizeof name.frame) / sizeof(void *))
#define END_FRAME(name) hwr_frame_pop(memory, &name.frame)
#else
#define FRAME(name, ...)                                                                                               \
    struct {                                                                                                           \
        __VA_ARGS__                                                                                                    \
    } name = {0}
#define END_FRAME(name) ((void)name)
#endif

/* ---- several mutators ---- */

typedef struct Mutator {
    Memory *memory;
    void (*work)(Memory *memory, void *shared, size_t number);
    void *shared; /* not an object */
    size_t number;
    pthread_t thread;
} Mutator;

static inline void *run_mutator(void *given) {
    Mutator *mutator = given;
#if defined(BENCH_OURS)
    if (!hwr_thread_attach(mutator->memory)) out_of_memory();
    mutator->work(mutator->memory, mutator->shared, mutator->number);
    hwr_thread_detach(mutator->memory);
#else
    Memory own = {0};
    mutator->work(&own, mutator->shared, mutator->number);
#endif
    return NULL;
}

/* Calls `work` in so many threads at once, this one included, and waits for all. */
static inline void run_mutators(Memory *memory, size_t count, void (*work)(Memory *, void *, size_t), void *shared) {
    enum { MUTATORS_MOST = 16 };
    Mutator others[MUTATORS_MOST];
    if (count < 1 || count > MUTATORS_MOST) fail("threads: from 1 to 16");
    for (size_t i = 1; i < count; i++) {
        others[i] = (Mutator){memory, work, shared, i, 0};
        if (pthread_create(&others[i].thread, NULL, run_mutator, &others[i])) fail("cannot start a thread");
    }
    work(memory, shared, 0);
#if defined(BENCH_OURS)
    hwr_leave(memory);
#endif
    for (size_t i = 1; i < count; i++) pthread_join(others[i].thread, NULL);
#if defined(BENCH_OURS)
    hwr_return(memory);
#endif
}

#endif
