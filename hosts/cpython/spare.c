/* spare: what Linux tells about processors and memory, for this process and the control groups that it is in. What cannot be read is no reason to hold
 * back. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "spare.h"

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { TEXT = 4096, FEW_PROCESSES = 4096 };

/* The beginning of a file, as text. */
static bool read_text(const char *path, char text[TEXT]) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = file >= 0 ? read(file, text, TEXT - 1) : -1;
    if (file >= 0) close(file);
    if (size < 0) return false;
    text[size] = '\0';
    return true;
}

/* ---- control groups ---- */

typedef bool group_visit(const char *folder, size_t memory);

/* Whether a word is one of a list of them. */
static bool lists(const char *list, const char *word) {
    size_t length = strlen(word);
    for (const char *at = list; (at = strstr(at, word)) != NULL; at += length)
        if ((at == list || at[-1] == ',') && (at[length] == ',' || at[length] == '\0')) return true;
    return false;
}

/* Calls `visit` with the folder of a group and with those of the groups around it, until one returns false. */
static bool climb(const char *list, char *path, group_visit *visit, size_t memory) {
    char folder[2 * TEXT];
    for (;;) {
        snprintf(folder, sizeof folder, "/sys/fs/cgroup/%s%s", list, path);
        if (!visit(folder, memory)) return false;
        char *slash = strrchr(path, '/');
        if (slash == NULL) return true;
        *slash = '\0';
    }
}

/* The groups in which a controller has this process: of the one hierarchy of the second version, whose list of controllers is empty, and of one of the first. */
static bool each_group(const char *controller, group_visit *visit, size_t memory) {
    char text[TEXT], *rest = text;
    if (!read_text("/proc/self/cgroup", text)) return true;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        strsep(&line, ":");
        const char *list = strsep(&line, ":");
        if (line == NULL || (*list != '\0' && !lists(list, controller))) continue;
        if (!climb(list, line, visit, memory)) return false;
    }
    return true;
}

static bool read_numbers(const char *folder, const char *name, const char *form, unsigned long long *first,
                         unsigned long long *second, int count) {
    char path[3 * TEXT], text[TEXT];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return read_text(path, text) && sscanf(text, form, first, second) == count;
}

static bool read_number(const char *folder, const char *name, unsigned long long *number) {
    return read_numbers(folder, name, "%llu", number, NULL, 1);
}

static bool has_room(const char *folder, const char *limit_name, const char *used_name, size_t memory) {
    unsigned long long limit, used;
    if (!read_number(folder, limit_name, &limit) || !read_number(folder, used_name, &used)) return true;
    return limit > used && limit - used > memory;
}

static bool group_has_room(const char *folder, size_t memory) {
    return has_room(folder, "memory.max", "memory.current", memory) &&
           has_room(folder, "memory.limit_in_bytes", "memory.usage_in_bytes", memory);
}

/* A quota of less than two processors is none to spare. */
static bool group_has_processors(const char *folder, size_t unused) {
    unsigned long long quota, period;
    (void)unused;
    bool limited =
        read_numbers(folder, "cpu.max", "%llu %llu", &quota, &period, 2) ||
        (read_number(folder, "cpu.cfs_quota_us", &quota) && read_number(folder, "cpu.cfs_period_us", &period));
    return !limited || quota >= 2 * period;
}

/* ---- the machine ---- */

static bool machine_has_room(size_t memory) {
    char text[TEXT];
    unsigned long long available;
    const char *line = read_text("/proc/meminfo", text) ? strstr(text, "MemAvailable:") : NULL;
    return line == NULL || sscanf(line, "MemAvailable: %llu", &available) != 1 || available * 1024 > memory;
}

static bool has_processors(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) >= 2;
}

/* How many threads want to run just now; this one is among them. */
static bool is_busy(void) {
    char text[TEXT];
    int running;
    return read_text("/proc/loadavg", text) && sscanf(text, "%*f %*f %*f %d/", &running) == 1 &&
           running > sysconf(_SC_NPROCESSORS_ONLN);
}

/* How many filters of system calls there are; they may end a program that makes a process. */
static int count_filters(void) {
    char text[TEXT];
    int count = 0;
    const char *line = read_text("/proc/self/status", text) ? strstr(text, "Seccomp_filters:") : NULL;
    if (line != NULL) sscanf(line, "Seccomp_filters: %d", &count);
    return count;
}

static int filters_before;

void hwri_spare_open(void) { filters_before = count_filters(); }

/* A program that has set itself limits counts on them. */
static bool is_limited(void) {
    struct rlimit limit;
    if (count_filters() > filters_before) return true;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) return true;
    return getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < FEW_PROCESSES;
}

enum hwri_spare hwri_spare(size_t memory) {
    if (!has_processors() || !each_group("cpu", group_has_processors, 0)) return HWRI_SPARE_NO_PROCESSOR;
    if (is_limited()) return HWRI_SPARE_LIMITED;
    if (!machine_has_room(memory) || !each_group("memory", group_has_room, memory)) return HWRI_SPARE_NO_MEMORY;
    return is_busy() ? HWRI_SPARE_BUSY : HWRI_SPARE_ALL;
}
