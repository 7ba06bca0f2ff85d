#define _GNU_SOURCE
#include "random/driver.h"

#include "support/check.h"
#include "support/death.h"
#include "support/random.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SHRINK_SECONDS = 60 };

typedef struct sequence {
    const driver_subject *subject;
    uint8_t *bytes;
    size_t length;
} sequence;

static size_t steps_of(const sequence *s) { return (s->length - 1) / DRIVER_STEP; }

static void make_sequence(sequence *s, uint8_t configuration, uint64_t seed, size_t operations) {
    random_stream stream = {seed * 64 + configuration};
    s->length = 1 + operations * DRIVER_STEP;
    s->bytes[0] = (uint8_t)(configuration | (seed % 2 != 0 ? s->subject->varied : 0));
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
        b->sequence.subject->run(b->sequence.bytes, b->sequence.length, NULL);
    }
    exit(0); /* not _exit: leak checkers work at exit */
}

static void run_sequence(void *argument) {
    const sequence *s = argument;
    s->subject->run(s->bytes, s->length, NULL);
}

static bool fails(const sequence *s) {
    static death result;
    death_run(&result, run_sequence, (void *)(uintptr_t)s);
    return !death_avoided(&result);
}

/* Cuts out ever smaller pieces as long as the rest still fails. */
static void shrink(sequence *s) {
    time_t end = time(NULL) + SHRINK_SECONDS;
    sequence shorter = {s->subject, malloc(s->length), 0};
    CHECK(shorter.bytes != NULL);
    for (size_t piece = steps_of(s) / 2; piece > 0 && time(NULL) < end; piece /= 2)
        for (size_t from = 0; from + piece <= steps_of(s) && time(NULL) < end;) {
            size_t head = 1 + from * DRIVER_STEP, cut = piece * DRIVER_STEP;
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
    s->subject->run(s->bytes, s->length, stdout);
}

static bool store(const sequence *s, const char *path) {
    FILE *file = fopen(path, "wb");
    if (file == NULL) return false;
    bool written = fwrite(s->bytes, 1, s->length, file) == s->length;
    return fclose(file) == 0 && written;
}

static void print_failure(const batch *b, sequence *s) {
    const char *program = s->subject->program;
    printf("seed %llu fails (%s); cutting it down\n", (unsigned long long)*b->seed_reached,
           s->subject->describe(s->bytes[0]));
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
    char path[100];
    snprintf(path, sizeof path, "%s.failed", program);
    if (store(s, path)) printf("for %s --replay they are in %s\n", program, path);
}

static bool run_configuration(batch *b) {
    static death result;
    death_run(&result, run_batch, b);
    if (death_avoided(&result)) return true;
    printf("%s\n", result.message);
    make_sequence(&b->sequence, b->configuration, *b->seed_reached, b->operations);
    print_failure(b, &b->sequence);
    return false;
}

/* Which configurations: those whose bits under `mask` are `bits`. */
typedef struct selection {
    unsigned mask, bits;
} selection;

static int run_all(const driver_subject *subject, selection chosen, uint64_t seeds, size_t operations,
                   uint64_t first_seed) {
    batch b = {.first_seed = first_seed, .operations = operations, .sequence = {.subject = subject}};
    b.sequence.bytes = malloc(1 + operations * DRIVER_STEP);
    b.seed_reached = death_share(sizeof *b.seed_reached);
    CHECK(b.sequence.bytes != NULL);
    int failed = 0, run = 0;
    for (unsigned configuration = 0; configuration < subject->configurations; configuration++) {
        if ((configuration & chosen.mask) != chosen.bits || (configuration & subject->varied) != 0) continue;
        b.configuration = (uint8_t)configuration;
        b.seeds = (configuration & subject->slow) != 0 ? (seeds + 3) / 4 : seeds;
        failed += !run_configuration(&b);
        run++;
    }
    printf("%d configurations, %llu seeds of %zu operations each, from seed %llu: %d failed\n", run,
           (unsigned long long)seeds, operations, (unsigned long long)first_seed, failed);
    free(b.sequence.bytes);
    return failed == 0 ? 0 : 1;
}

static int replay(const driver_subject *subject, const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "%s: cannot open %s\n", subject->program, path);
        return 2;
    }
    static uint8_t bytes[1 << 20];
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    printf("%s\n", length > 0 ? subject->describe(bytes[0]) : "empty");
    subject->run(bytes, length, stdout);
    return 0;
}

static int write_corpus(const driver_subject *subject, const char *folder) {
    static uint8_t space[1 + 100 * DRIVER_STEP];
    sequence s = {subject, space, 0};
    for (unsigned configuration = 0; configuration < subject->configurations; configuration += 3) {
        if ((configuration & subject->varied) != 0) continue;
        char path[1000];
        make_sequence(&s, (uint8_t)configuration, configuration % 2, 20 + configuration);
        snprintf(path, sizeof path, "%s/start-%02u", folder, configuration);
        if (!store(&s, path)) {
            fprintf(stderr, "%s: cannot write %s\n", subject->program, path);
            return 2;
        }
    }
    return 0;
}

/* Takes --option=name; false if the subject has no such choice. */
static bool choose(const driver_subject *subject, const char *argument, selection *chosen) {
    for (size_t i = 0; i < DRIVER_CHOICES; i++) {
        const driver_choice *choice = &subject->choices[i];
        size_t length = choice->option != NULL ? strlen(choice->option) : 0;
        if (length == 0 || strncmp(argument, choice->option, length) != 0 || argument[length] != '=') continue;
        for (unsigned name = 0; choice->names[name] != NULL; name++)
            if (strcmp(argument + length + 1, choice->names[name]) == 0) {
                chosen->mask |= choice->mask;
                chosen->bits |= name << choice->shift;
                return true;
            }
    }
    return false;
}

static int print_usage(const driver_subject *subject) {
    fprintf(stderr, "usage: %s", subject->program);
    for (size_t i = 0; i < DRIVER_CHOICES && subject->choices[i].option != NULL; i++) {
        fprintf(stderr, " [%s=", subject->choices[i].option);
        for (const char *const *name = subject->choices[i].names; *name != NULL; name++)
            fprintf(stderr, "%s%s", name == subject->choices[i].names ? "" : "|", *name);
        fputc(']', stderr);
    }
    fprintf(stderr, " SEEDS OPERATIONS [FIRST_SEED]\n       %s --replay FILE | --corpus FOLDER\n", subject->program);
    return 2;
}

int driver_main(const driver_subject *subject, int count, char **arguments) {
    selection chosen = {0, 0};
    if (count == 3 && strcmp(arguments[1], "--replay") == 0) return replay(subject, arguments[2]);
    if (count == 3 && strcmp(arguments[1], "--corpus") == 0) return write_corpus(subject, arguments[2]);
    for (; count > 1 && strncmp(arguments[1], "--", 2) == 0; count--, arguments++)
        if (!choose(subject, arguments[1], &chosen)) return print_usage(subject);
    if (count != 3 && count != 4) return print_usage(subject);
    uint64_t first_seed = count == 4 ? strtoull(arguments[3], NULL, 0) : 0;
    return run_all(subject, chosen, strtoull(arguments[1], NULL, 0), strtoul(arguments[2], NULL, 0), first_seed);
}
