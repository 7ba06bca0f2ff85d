/* Allocation patterns, timed: patterns PATTERN REPETITIONS [unshared]
 *
 * Runs one pattern that many times in this process and prints one line of JSON: which allocator answered, and each
 * repetition's nanoseconds of thread CPU time per allocation with its free. The pattern `resident` prints resident
 * bytes instead. What a pattern does stands above its function; every block's first eight bytes are written; the
 * blocks that are left at the end are freed inside the measurement. The program's own tables are mapped, never
 * allocated.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "allocator.h"

enum { SIZES = 8192, PAIRS = 5000000, MILLION = 1000000 };

static const uint64_t size_seed = 88172645463325252u, slot_seed = 0x9E3779B97F4A7C15u;

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "patterns: %s\n", what);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static inline uint64_t xorshift(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline size_t below(uint64_t *state, size_t limit) {
    return (size_t)((uint64_t)(uint32_t)xorshift(state) * limit >> 32);
}

/* Request i asks for sizes[i % SIZES] bytes: a mix as interpreters ask for it, mean 89. */
static uint16_t sizes[SIZES];

static void draw_sizes(void) {
    static const struct {
        uint16_t size, percent;
    } mix[] = {{16, 5},  {32, 20}, {48, 20}, {64, 20}, {80, 8},  {96, 5},
               {112, 4}, {128, 5}, {192, 4}, {256, 4}, {384, 3}, {512, 2}};
    uint64_t state = size_seed;
    for (size_t i = 0; i < SIZES; i++) {
        unsigned percent = (unsigned)(xorshift(&state) % 100), kind = 0;
        while (percent >= mix[kind].percent) {
            percent -= mix[kind++].percent;
        }
        sizes[i] = (uint16_t)(mix[kind].size - (xorshift(&state) % 4 == 0 ? 8 : 0));
    }
}

static inline void *take(size_t i) {
    uint64_t *block = allocate(sizes[i % SIZES]);
    if (block == NULL) {
        fail("out of memory");
    }
    *block = i;
    return block;
}

static void **map_slots(size_t count) {
    void *slots =
        mmap(NULL, count * sizeof(void *), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (slots == MAP_FAILED) {
        fail("out of memory");
    }
    return slots;
}

static inline void replace(void **slot, size_t i) {
    if (*slot != NULL) {
        release(*slot);
    }
    *slot = take(i);
}

static void release_all(void **slots, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (slots[i] != NULL) {
            release(slots[i]);
            slots[i] = NULL;
        }
    }
}

/* tight: a block, freed at once. */
static double tight(void **slots) {
    (void)slots;
    double start = now();
    for (size_t i = 0; i < PAIRS; i++) {
        release(take(i));
    }
    return (now() - start) / PAIRS;
}

/* lifo1000: 1000 blocks, freed in reverse order. */
static double lifo(void **slots) {
    double start = now();
    for (size_t i = 0; i < PAIRS; i += 1000) {
        for (size_t k = 0; k < 1000; k++) {
            slots[k] = take(i + k);
        }
        for (size_t k = 1000; k-- > 0;) {
            release(slots[k]);
        }
    }
    return (now() - start) / PAIRS;
}

/* fifo10k: a ring of 10 000 slots; the oldest block goes, a new one takes its place. */
static double fifo(void **slots) {
    enum { RING = 10000 };
    memset(slots, 0, RING * sizeof *slots);
    double start = now();
    for (size_t i = 0, k = 0; i < PAIRS; i++, k = k + 1 == RING ? 0 : k + 1) {
        replace(&slots[k], i);
    }
    release_all(slots, RING);
    return (now() - start) / PAIRS;
}

static void fill_randomly(void **slots, size_t count, size_t pairs, uint64_t seed) {
    for (size_t i = 0; i < pairs; i++) {
        replace(&slots[below(&seed, count)], i);
    }
}

static double random_slots(void **slots, size_t count, size_t pairs, uint64_t seed) {
    memset(slots, 0, count * sizeof *slots);
    double start = now();
    fill_randomly(slots, count, pairs, seed);
    release_all(slots, count);
    return (now() - start) / (double)pairs;
}

/* rand10k, rand1M: the block in a random slot goes, a new one takes its place. */
static double random_10k(void **slots) { return random_slots(slots, 10000, PAIRS, slot_seed); }

static double random_1m(void **slots) { return random_slots(slots, MILLION, PAIRS, slot_seed); }

/* grow1M_then_free: a million blocks, then freed in the order they came. */
static double grow_then_free(void **slots) {
    double start = now();
    for (size_t i = 0; i < MILLION; i++) {
        slots[i] = take(i);
    }
    release_all(slots, MILLION);
    return (now() - start) / MILLION;
}

/* One of two threads: its part of the work, the slots it uses, and what it took. */
typedef struct worker {
    void **slots;
    pthread_barrier_t *barrier;
    unsigned number;
    double ns;
} worker;

static void run_two(worker workers[2], void *(*first)(void *), void *(*second)(void *)) {
    pthread_t threads[2];
    if (pthread_create(&threads[0], NULL, first, &workers[0]) != 0 ||
        pthread_create(&threads[1], NULL, second, &workers[1]) != 0) {
        fail("cannot start a thread");
    }
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
}

static void *random_worker(void *argument) {
    worker *self = argument;
    self->ns = random_slots(self->slots, 100000, 3000000, slot_seed + self->number);
    return NULL;
}

/* rand100k_2threads: two threads, each as rand1M but with 100 000 slots of its own; the mean of both. */
static double random_two_threads(void **slots) {
    worker workers[2] = {{.slots = slots}, {.slots = slots + 100000, .number = 1}};
    run_two(workers, random_worker, random_worker);
    return (workers[0].ns + workers[1].ns) / 2;
}

enum { BATCH = 20000, BATCHES = 100 };

static void *allocating_worker(void *argument) {
    worker *self = argument;
    double start = now();
    for (size_t batch = 0; batch < BATCHES; batch++) {
        for (size_t i = 0; i < BATCH; i++) {
            self->slots[i] = take(batch * BATCH + i);
        }
        pthread_barrier_wait(self->barrier);
        pthread_barrier_wait(self->barrier);
    }
    self->ns = now() - start;
    return NULL;
}

static void *freeing_worker(void *argument) {
    worker *self = argument;
    double start = now();
    for (size_t batch = 0; batch < BATCHES; batch++) {
        pthread_barrier_wait(self->barrier);
        for (size_t i = 0; i < BATCH; i++) {
            release(self->slots[i]);
        }
        pthread_barrier_wait(self->barrier);
    }
    self->ns = now() - start;
    return NULL;
}

/* xthread_free_batch20k: one thread allocates 20 000 blocks, another frees them, in turn; the sum of both. */
static double free_in_other_thread(void **slots) {
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, 2);
    worker workers[2] = {{.slots = slots, .barrier = &barrier}, {.slots = slots, .barrier = &barrier}};
    run_two(workers, allocating_worker, freeing_worker);
    pthread_barrier_destroy(&barrier);
    return (workers[0].ns + workers[1].ns) / (BATCH * BATCHES);
}

/* Resident bytes of this process. The first file is exact; the second, for kernels without it, may lag a little. */
static size_t resident(void) {
    static const char *const sources[][2] = {{"/proc/self/smaps_rollup", "Rss: %zu"},
                                             {"/proc/self/status", "VmRSS: %zu"}};
    static char buffer[1 << 16], line[256];
    for (size_t i = 0; i < 2; i++) {
        FILE *file = fopen(sources[i][0], "r");
        size_t kilobytes = 0;
        if (file == NULL) {
            continue;
        }
        setvbuf(file, buffer, _IOFBF, sizeof buffer);
        while (kilobytes == 0 && fgets(line, sizeof line, file) != NULL) {
            sscanf(line, sources[i][1], &kilobytes);
        }
        fclose(file);
        if (kilobytes != 0) {
            return kilobytes * 1024;
        }
    }
    fail("cannot read the resident size from /proc");
}

/* resident: after rand1M with its blocks still there; and one second after nine tenths of them were freed in random
 * order. A thousand allocations after that second give an allocator that purges lazily its chance. */
static void print_resident(void **slots) {
    uint64_t state = size_seed;
    size_t live = 0;
    fill_randomly(slots, MILLION, PAIRS, slot_seed);
    size_t full = resident();
    for (size_t i = 0; i < MILLION; i++) {
        live += slots[i] != NULL;
    }
    for (size_t left = live / 10; live > left;) {
        void **slot = &slots[below(&state, MILLION)];
        if (*slot != NULL) {
            release(*slot);
            *slot = NULL;
            live--;
        }
    }
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    void *few[1000];
    for (size_t i = 0; i < 1000; i++) {
        few[i] = take(i);
    }
    release_all(few, 1000);
    printf("\"resident\": [%zu, %zu]}\n", full, resident());
}

static const struct {
    const char *name;
    double (*run)(void **slots);
} patterns[] = {
    {"tight", tight},
    {"lifo1000", lifo},
    {"fifo10k", fifo},
    {"rand10k", random_10k},
    {"rand1M", random_1m},
    {"grow1M_then_free", grow_then_free},
    {"rand100k_2threads", random_two_threads},
    {"xthread_free_batch20k", free_in_other_thread},
};

static void print_times(const char *pattern, int repetitions, void **slots) {
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        if (strcmp(pattern, patterns[i].name) == 0) {
            printf("\"ns\": [");
            for (int r = 0; r < repetitions; r++) {
                printf("%s%.4f", r > 0 ? ", " : "", patterns[i].run(slots));
            }
            printf("]}\n");
            return;
        }
    }
    fail("no such pattern");
}

int main(int argc, char **argv) {
    int repetitions = argc >= 3 ? atoi(argv[2]) : 0;
    if (repetitions < 1) {
        fail("usage: patterns PATTERN REPETITIONS [unshared]");
    }
    static char output[4096], name[128];
    setvbuf(stdout, output, _IOFBF, sizeof output);
    draw_sizes();
    void **slots = map_slots(MILLION);
    if (!open_allocator(argc < 4)) {
        fail("cannot open the allocator");
    }
    Dl_info library = {0};
    dladdr(allocator_address(), &library);
    describe_allocator(name, sizeof name);
    printf("{\"allocator\": \"%s\", \"library\": \"%s\", ", name, library.dli_fname != NULL ? library.dli_fname : "");
    if (strcmp(argv[1], "resident") == 0) {
        print_resident(slots);
    } else {
        print_times(argv[1], repetitions, slots);
    }
    return 0;
}
