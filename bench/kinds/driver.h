/* driver.h: what the programs of the kinds' benchmark share. Each builds, reads and drops the same values, by the means of one library: kinds-ours, kinds-cpython
 * (CPython's C API), kinds-glib. PROGRAM WORKLOAD prints one line: seconds of CPU to build, to read, to drop; bytes by which the process grew; and a number that must be the same
 * for all. */
#ifndef BENCH_KINDS_DRIVER_H
#define BENCH_KINDS_DRIVER_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MILLION = 1000000 };

typedef struct workload {
    const char *name;
    void *(*build)(void);
    uint64_t (*read)(void *built);
    void (*drop)(void *built);
} workload;

/* Numbers without an order, the same each time (SplitMix64: Steele, Lea, Flood, OOPSLA 2014). */
static inline uint64_t scramble(uint64_t x) {
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* Another word of eight letters for each number below 26 to the eighth. */
static inline void word_of(uint64_t number, char word[9]) {
    number = number * 123456791 % UINT64_C(208827064576);
    for (int i = 0; i < 8; i++, number /= 26) word[i] = (char)('a' + number % 26);
    word[8] = '\0';
}

/* What cannot go on. */
static inline void must(int holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "%s failed\n", what);
    exit(1);
}

static double cpu_seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static long resident_bytes(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    must(file != NULL && fscanf(file, "%*d %ld", &pages) == 1, "reading /proc/self/statm");
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static int run_workload(const workload *all, const char *name) {
    const workload *w = all;
    while (w->name != NULL && strcmp(w->name, name) != 0) w++;
    if (w->name == NULL) return fprintf(stderr, "there is no workload %s here\n", name), 2;
    long before = resident_bytes();
    double start = cpu_seconds();
    void *built = w->build();
    double after_build = cpu_seconds();
    long grown = resident_bytes() - before;
    double read_start = cpu_seconds();
    uint64_t check = w->read(built);
    double after_read = cpu_seconds();
    w->drop(built);
    double end = cpu_seconds();
    printf("%.6f %.6f %.6f %ld %llu\n", after_build - start, after_read - read_start, end - after_read, grown,
           (unsigned long long)check);
    return 0;
}

#endif
