/* raw over Linux. Where the kernel overcommits, as it does unless told otherwise, reserved memory is mapped readable and writable at
 * once: it costs nothing before it is touched, and committing needs no system call. Under strict accounting it is mapped
 * without access, and committing asks for it. Decommitting drops the pages. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mremap */
#endif
#include "raw/backend.h"

#if defined(__linux__)
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static void *map(size_t size, int protection) {
    void *p = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static int protection_of_reserved(const hwr_raw *raw) { return raw->strict ? PROT_NONE : PROT_READ | PROT_WRITE; }

static void *system_reserve(hwr_raw *raw, size_t size, size_t alignment) {
    int protection = protection_of_reserved(raw);
    char *p = map(size, protection);
    if (!p || ((uintptr_t)p & (alignment - 1)) == 0) return p;
    munmap(p, size);
    size_t slack = alignment - raw->page_size;
    if (size + slack < size || !(p = map(size + slack, protection))) return NULL;
    char *start = p + (hwri_align_up((uintptr_t)p, alignment) - (uintptr_t)p);
    size_t before = (size_t)(start - p), after = slack - before;
    if (before) munmap(p, before);
    if (after) munmap(start + size, after);
    return start;
}

static bool system_commit(hwr_raw *raw, void *address, size_t size) {
    return !raw->strict || mprotect(address, size, PROT_READ | PROT_WRITE) == 0;
}

static void system_decommit(hwr_raw *raw, void *address, size_t size) {
    (void)raw;
    madvise(address, size, MADV_DONTNEED);
}

static void system_release(hwr_raw *raw, void *address, size_t size) {
    (void)raw;
    munmap(address, size);
}

/* Where the system has no more mappings to give, what was asked for there stays committed. */
void hwri_system_renew(const hwr_raw *raw, void *address, size_t size) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    if (mmap(address, size, protection_of_reserved(raw), flags, -1, 0) == MAP_FAILED)
        madvise(address, size, MADV_DONTNEED);
}

static void *system_resize(hwr_raw *raw, void *address, size_t old_size, size_t new_size, size_t alignment) {
    void *p = mremap(address, old_size, new_size, 0);
    if (p != MAP_FAILED) return p;
    void *target = system_reserve(raw, new_size, alignment);
    if (!target) return NULL;
    p = mremap(address, old_size, new_size, MREMAP_MAYMOVE | MREMAP_FIXED, target);
    if (p != MAP_FAILED) return p;
    munmap(target, new_size);
    return NULL;
}

static void system_hint_huge(void *address, size_t size, bool on) {
    madvise(address, size, on ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

static bool system_make_readable(hwr_raw *raw, void *address, size_t size) {
    return !raw->strict || mprotect(address, size, PROT_READ) == 0;
}

static uint64_t system_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The number that follows `key` in a file of the system's; 0 if there is none. "max" is none. */
static uint64_t number_in(const char *path, const char *key) {
    char text[4096];
    int f = open(path, O_RDONLY | O_CLOEXEC);
    if (f < 0) return 0;
    ssize_t length = read(f, text, sizeof text - 1);
    close(f);
    text[length > 0 ? length : 0] = '\0';
    const char *found = strstr(text, key);
    return found ? strtoull(found + strlen(key), NULL, 10) : 0;
}

/* The group's limits as it sees them itself: in version 2 of control groups, and in version 1. */
static const char *const group_files[][2] = {
    {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
    {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"},
};

void hwri_system_memory(hwri_memory *memory) {
    memory->total = number_in("/proc/meminfo", "MemTotal:") * 1024;
    memory->used = memory->total - number_in("/proc/meminfo", "MemAvailable:") * 1024;
    for (size_t i = 0; i < sizeof group_files / sizeof *group_files; i++) {
        uint64_t limit = number_in(group_files[i][0], "");
        if (limit && limit < memory->total)
            *memory = (hwri_memory){.total = limit, .used = number_in(group_files[i][1], "")};
    }
}

static void system_close(hwr_raw *raw) { munmap(raw, raw->page_size); }

static const hwri_backend system_backend = {
    .reserve = system_reserve,
    .commit = system_commit,
    .decommit = system_decommit,
    .release = system_release,
    .resize = system_resize,
    .hint_huge = system_hint_huge,
    .make_readable = system_make_readable,
    .now = system_now,
    .close = system_close,
    .zeroed = true,
};

static bool strict_accounting(void) {
    char mode = '0';
    int f = open("/proc/sys/vm/overcommit_memory", O_RDONLY | O_CLOEXEC);
    if (f < 0) return false;
    bool strict = read(f, &mode, 1) == 1 && mode == '2';
    close(f);
    return strict;
}

hwr_raw *hwri_system_open(void) {
    size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
    hwr_raw *raw = map(page_size, PROT_READ | PROT_WRITE);
    if (!raw) return NULL;
    raw->backend = &system_backend;
    raw->page_size = page_size;
    raw->strict = strict_accounting();
    return raw;
}

#else

hwr_raw *hwri_system_open(void) { return NULL; }
void hwri_system_renew(const hwr_raw *raw, void *address, size_t size) {
    (void)raw;
    (void)address;
    (void)size;
}
void hwri_system_memory(hwri_memory *memory) { *memory = (hwri_memory){0}; }

#endif
