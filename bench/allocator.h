/* The allocators that patterns.c can be compiled for: BENCH_MALLOC (whatever malloc is preloaded), BENCH_POOL
 * (hwr_pool) or BENCH_PYMALLOC (PyObject_Malloc). Each gives the same five names, so the patterns are one source and
 * pay the same for a call into a shared library. */
#ifndef BENCH_ALLOCATOR_H
#define BENCH_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#if defined(BENCH_POOL)

#include <heapwright.h>

static hwr_pool *pool;

static inline void *allocate(size_t size) { return hwr_pool_alloc(pool, size); }

static inline void release(void *block) { hwr_pool_free(pool, block); }

static bool open_allocator(bool shared) {
    pool = hwr_pool_open(&(hwr_pool_options){.size = sizeof(hwr_pool_options), .shared = shared});
    return pool != NULL;
}

static void describe_allocator(char *text, size_t size) { snprintf(text, size, "heapwright %s", hwr_version()); }

/* What stands behind the calls: the address of one of them. */
static void *allocator_address(void) { return (void *)(uintptr_t)hwr_pool_alloc; }

#elif defined(BENCH_PYMALLOC)

#include <Python.h>

static inline void *allocate(size_t size) { return PyObject_Malloc(size); }

static inline void release(void *block) { PyObject_Free(block); }

static bool open_allocator(bool shared) {
    Py_InitializeEx(0);
    return !shared; /* it is for the one thread that holds the interpreter's lock */
}

static void describe_allocator(char *text, size_t size) { snprintf(text, size, "pymalloc %.6s", Py_GetVersion()); }

static void *allocator_address(void) { return (void *)(uintptr_t)PyObject_Malloc; }

#elif defined(BENCH_MALLOC)

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <stdlib.h>

static inline void *allocate(size_t size) { return malloc(size); }

static inline void release(void *block) { free(block); }

static bool open_allocator(bool shared) {
    (void)shared;
    return true;
}

static void describe_allocator(char *text, size_t size) {
    int (*mi_version)(void) = (int (*)(void))(uintptr_t)dlsym(RTLD_DEFAULT, "mi_version");
    int (*mallctl)(const char *, void *, size_t *, void *, size_t) =
        (int (*)(const char *, void *, size_t *, void *, size_t))(uintptr_t)dlsym(RTLD_DEFAULT, "mallctl");
    const char *jemalloc = NULL;
    size_t length = sizeof jemalloc;
    if (mi_version != NULL) { /* 209 is 2.0.9, 20401 is 2.4.1 */
        int version = mi_version(), step = version < 10000 ? 10 : 100;
        snprintf(text, size, "mimalloc %d.%d.%d", version / (step * step), version / step % step, version % step);
    } else if (mallctl != NULL && mallctl("version", &jemalloc, &length, NULL, 0) == 0) {
        snprintf(text, size, "jemalloc %.*s", (int)strcspn(jemalloc, "-"), jemalloc);
    } else {
        snprintf(text, size, "glibc %s", gnu_get_libc_version());
    }
}

static void *allocator_address(void) { return dlsym(RTLD_DEFAULT, "malloc"); }

#else
#error "define BENCH_MALLOC, BENCH_POOL or BENCH_PYMALLOC"
#endif

#endif
