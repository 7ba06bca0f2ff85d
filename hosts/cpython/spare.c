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

/* Calls `visit` with the folder of each group the process is in, its own first, until one returns false. */
static bool each_group(const char *controller, const char *root, bool (*visit)(const char *folder, size_t memory),
                       size_t memory) {
    char text[TEXT], folder[TEXT];
    if (!read_text("/proc/self/cgroup", text)) return true;
    char *line = strstr(text, controller);
    char *path = line != NULL ? strchr(line + strlen(controller), '/') : NULL;
    if (path == NULL) return true;
    path[strcspn(path, "\n")] = '\0';
    for (;;) {
        if (snprintf(folder, sizeof folder, "%s%s", root, path) < (int)sizeof folder && !visit(folder, memory))
            return false;
        char *slash = strrchr(path, '/');
        if (slash == NULL || *path == '\0') return true;
        *slash = '\0';
    }
}

static bool read_number(const char *folder, const char *name, unsigned long long *number) {
    char path[TEXT + 64], text[TEXT];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return read_text(path, text) && sscanf(text, "%llu", number) == 1;
}

static bool has_room(const char *folder, const char *limit_name, const char *used_name, size_t memory) {
    unsigned long long limit, used;
    if (!read_number(folder, limit_name, &limit) || !read_number(folder, used_name, &used)) return true;
    return limit > used && limit - used > memory;
}

static bool group_has_room(const char *folder, size_t memory) {
    return has_room(folder, "memory.max", "memory.current", memory);
}

static bool old_group_has_room(const char *folder, size_t memory) {
    return has_room(folder, "memory.limit_in_bytes", "memory.usage_in_bytes", memory);
}

/* A quota of less than two processors is none to spare. */
static bool group_has_processors(const char *folder, size_t unused) {
    char path[TEXT + 64], text[TEXT];
    unsigned long long quota, period;
    (void)unused;
    snprintf(path, sizeof path, "%s/cpu.max", folder);
    return !read_text(path, text) || sscanf(text, "%llu %llu", &quota, &period) != 2 || quota >= 2 * period;
}

static bool old_group_has_processors(const char *folder, size_t unused) {
    unsigned long long quota, period;
    (void)unused;
    return !read_number(folder, "cpu.cfs_quota_us", &quota) || !read_number(folder, "cpu.cfs_period_us", &period) ||
           quota >= 2 * period;
}

static bool groups_have_processors(void) {
    return each_group("0::", "/sys/fs/cgroup", group_has_processors, 0) &&
           each_group("cpu,cpuacct:", "/sys/fs/cgroup/cpu,cpuacct", old_group_has_processors, 0);
}

static bool groups_have_room(size_t memory) {
    return each_group("0::", "/sys/fs/cgroup", group_has_room, memory) &&
           each_group(":memory:", "/sys/fs/cgroup/memory", old_group_has_room, memory);
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

/* A program that has set itself limits counts on them. */
static bool is_limited(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) return true;
    return getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < FEW_PROCESSES;
}

enum hwri_spare hwri_spare(size_t memory) {
    if (!has_processors() || !groups_have_processors()) return HWRI_SPARE_NO_PROCESSOR;
    if (is_limited()) return HWRI_SPARE_LIMITED;
    if (!machine_has_room(memory) || !groups_have_room(memory)) return HWRI_SPARE_NO_MEMORY;
    return is_busy() ? HWRI_SPARE_BUSY : HWRI_SPARE_ALL;
}
