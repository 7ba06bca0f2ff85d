/* random_pool SEEDS OPS [FIRST_SEED]: random sequences of OPS operations on a pool (pool_model.h), SEEDS of them for each configuration, a
 * quarter of that for checked pools, which are much slower. With every other one memory is given back after 1 ms.
 * A sequence that fails is cut down to what still fails, printed, and written to random_pool.failed.
 *
 *     --source=system|malloc|buffer|own   only pools over this source of memory
 *     --replay FILE                       runs one stored sequence and prints what it does
 *     --corpus FOLDER                     writes a few short sequences, to start a fuzzer with
 */
#define _GNU_SOURCE
#include "random/pool_model.h"
#include "support/check.h"
#include "support/death.h"
#include "support/random.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CONFIGURATIONS = MODEL_EAGER, SHRINK_SECONDS = 60 };

typedef struct sequence {
    uint8_t *bytes;
    size_t length;
} sequence;

static size_t steps_of(const sequence *s) { return (s->length - 1) / MODEL_STEP; }

static void make_sequence(sequence *s, uint8_t configuration, uint64_t seed, size_t operations) {
    random_stream stream = {seed * 64 + configuration};
    s->length = 1 + operations * MODEL_STEP;
    s->bytes[0] = (uint8_t)(configuration | (seed % 2 != 0 ? MODEL_EAGER : 0));
    for (size_t i = 1; i < s->length; i++) s->bytes[i] = (uint8_t)random_next(&stream);
}

/* Running in a child, so that a crash is an answer */

typedef struct batch {
    uint8_t configuration;
    uint64_t first_seed, seeds;
    size_t operations;
    sequence sequence;
    uint64_t *seed_reached; /* shared with the child */
} batch;

static void run_batch(void *argument) {
    batch *b = argument;
    for (uint64_t seed = b->first_seed; seed < b->first_seed + b->seeds; seed++) {
        *b->seed_reached = seed;
        make_sequence(&b->sequence, b->configuration, seed, b->operations);
        alarm(300);
        model_run(b->sequence.bytes, b->sequence.length, NULL);
    }
    exit(0); /* not _exit: leak checkers work at exit */
}

static void run_sequence(void *argument) {
    const sequence *s = argument;
    model_run(s->bytes, s->length, NULL);
}

static bool fails(const sequence *s) {
    death result;
    death_run(&result, run_sequence, (void *)(uintptr_t)s);
    return !death_avoided(&result);
}

/* Cuts out ever smaller pieces as long as the rest still fails. */
static void shrink(sequence *s) {
    time_t end = time(NULL) + SHRINK_SECONDS;
    sequence shorter = {malloc(s->length), 0};
    CHECK(shorter.bytes != NULL);
    for (size_t piece = steps_of(s) / 2; piece > 0 && time(NULL) < end; piece /= 2)
        for (size_t from = 0; from + piece <= steps_of(s) && time(NULL) < end;) {
            size_t head = 1 + from * MODEL_STEP, cut = piece * MODEL_STEP;
            memcpy(shorter.bytes, s->bytes, head);
            memcpy(shorter.bytes + head, s->bytes + head + cut, s->length - head - cut);
            shorter.length = s->length - cut;
            if (fails(&shorter)) {
                memcpy(s->bytes, shorter.bytes, shorter.length);
                s->length = shorter.length;
            } else {
                from += piece;
            }
        }
    free(shorter.bytes);
}

static void run_traced(void *argument) {
    const sequence *s = argument;
    model_run(s->bytes, s->length, stdout);
}

static bool store(const sequence *s, const char *path) {
    FILE *file = fopen(path, "wb");
    if (file == NULL) return false;
    bool written = fwrite(s->bytes, 1, s->length, file) == s->length;
    return fclose(file) == 0 && written;
}

static void print_failure(const batch *b, sequence *s) {
    static const char path[] = "random_pool.failed";
    printf("seed %llu fails (%s); cutting it down\n", (unsigned long long)*b->seed_reached,
           model_describe(s->bytes[0]));
    fflush(stdout);
    bool again = false;
    for (int attempt = 0; attempt < 5 && !again; attempt++) again = fails(s);
    if (!again) {
        printf("on its own it does not fail again: it depends on time or on what ran before it\n");
        return;
    }
    shrink(s);
    static death result;
    death_run(&result, run_traced, s);
    printf("these %zu operations fail with status 0x%x: %s\n", steps_of(s), (unsigned)result.status, result.message);
    if (store(s, path)) printf("for random_pool --replay they are in %s\n", path);
}

static bool run_configuration(batch *b) {
    death result;
    death_run(&result, run_batch, b);
    if (death_avoided(&result)) return true;
    printf("%s\n", result.message);
    make_sequence(&b->sequence, b->configuration, *b->seed_reached, b->operations);
    print_failure(b, &b->sequence);
    return false;
}

/* -1: all sources. */
static int run_all(uint64_t seeds, size_t operations, uint64_t first_seed, int source) {
    batch b = {.first_seed = first_seed, .operations = operations};
    b.sequence.bytes = malloc(1 + operations * MODEL_STEP);
    b.seed_reached = death_share(sizeof *b.seed_reached);
    CHECK(b.sequence.bytes != NULL);
    int failed = 0, run = 0;
    for (unsigned configuration = 0; configuration < CONFIGURATIONS; configuration++) {
        if (source >= 0 && (configuration & MODEL_SOURCE) >> MODEL_SOURCE_SHIFT != (unsigned)source) continue;
        b.configuration = (uint8_t)configuration;
        b.seeds = (configuration & MODEL_CHECKED) != 0 ? (seeds + 3) / 4 : seeds;
        failed += !run_configuration(&b);
        run++;
    }
    printf("%d configurations, %llu seeds of %zu operations each, from seed %llu: %d failed\n", run,
           (unsigned long long)seeds, operations, (unsigned long long)first_seed, failed);
    free(b.sequence.bytes);
    return failed == 0 ? 0 : 1;
}

static int replay(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "random_pool: cannot open %s\n", path);
        return 2;
    }
    static uint8_t bytes[1 << 20];
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    printf("%s\n", length > 0 ? model_describe(bytes[0]) : "empty");
    model_run(bytes, length, stdout);
    return 0;
}

static int write_corpus(const char *folder) {
    static uint8_t space[1 + 100 * MODEL_STEP];
    sequence s = {space, 0};
    for (unsigned configuration = 0; configuration < CONFIGURATIONS; configuration += 3) {
        char path[1000];
        make_sequence(&s, (uint8_t)configuration, configuration % 2, 20 + configuration);
        snprintf(path, sizeof path, "%s/start-%02u", folder, configuration);
        if (!store(&s, path)) {
            fprintf(stderr, "random_pool: cannot write %s\n", path);
            return 2;
        }
    }
    return 0;
}

static int source_named(const char *name) {
    static const char *const names[MODEL_SOURCES] = {"system", "malloc", "buffer", "own"};
    for (int i = 0; i < MODEL_SOURCES; i++)
        if (strcmp(name, names[i]) == 0) return i;
    return -1;
}

int main(int count, char **arguments) {
    int source = -1;
    if (count == 3 && strcmp(arguments[1], "--replay") == 0) return replay(arguments[2]);
    if (count == 3 && strcmp(arguments[1], "--corpus") == 0) return write_corpus(arguments[2]);
    if (count > 1 && strncmp(arguments[1], "--source=", 9) == 0) {
        source = source_named(arguments[1] + 9);
        count = source >= 0 ? count - 1 : 0;
        arguments++;
    }
    if (count != 3 && count != 4) {
        fprintf(stderr, "usage: random_pool [--source=system|malloc|buffer|own] SEEDS OPS [FIRST_SEED]\n"
                        "       random_pool --replay FILE | --corpus FOLDER\n");
        return 2;
    }
    uint64_t first_seed = count == 4 ? strtoull(arguments[3], NULL, 0) : 0;
    return run_all(strtoull(arguments[1], NULL, 0), strtoul(arguments[2], NULL, 0), first_seed, source);
}
