/* allocator: the functions that Python calls, and how they come to be called.
 *
 * These are the hottest lines of the host: a call is the pool's own fast path, inlined, with the pool as the context
 * that Python hands us. A block is known to be ours by its address, so blocks from before our time, and those of
 * extensions that mix allocators up, find their way back to where they came from.
 */
#define _GNU_SOURCE
#include "allocator.h"

#include "freed.h"
#include "pool/inline.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

struct hwri_python_domain hwri_domains[HWRI_DOMAINS];
hwr_raw *hwri_python_memory;

static const PyMemAllocatorDomain python_domains[HWRI_DOMAINS] = {PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};

/* Stock Python sends a block that its small-object allocator does not know on to free(), so that a raw block freed as
 * another kind goes unnoticed there. It does here. */
static bool is_misplaced_raw(enum hwri_domain domain, const void *block) {
    return domain != HWRI_RAW && hwr_pool_owns(hwri_domains[HWRI_RAW].pool, block);
}

void hwri_foreign_free(enum hwri_domain domain, void *block) {
    if (is_misplaced_raw(domain, block))
        hwr_pool_free(hwri_domains[HWRI_RAW].pool, block);
    else
        hwri_domains[domain].before.free(hwri_domains[domain].before.ctx, block);
}

void *hwri_foreign_realloc(enum hwri_domain domain, void *block, size_t size) {
    if (is_misplaced_raw(domain, block)) return hwr_pool_realloc(hwri_domains[HWRI_RAW].pool, block, size);
    return hwri_domains[domain].before.realloc(hwri_domains[domain].before.ctx, block, size);
}

static inline void *realloc_in(hwr_pool *pool, bool shared, enum hwri_domain domain, void *block, size_t size) {
    if (block == NULL) return hwri_pool_alloc(pool, size, shared);
    if (domain != HWRI_RAW) hwri_freed_note(block);
    hwri_page *page = hwri_page_of(pool, block);
    return page != NULL ? hwri_pool_realloc(pool, page, block, size) : hwri_foreign_realloc(domain, block, size);
}

static void *zeroed(void *pool, size_t count, size_t item_size) {
    return hwr_pool_alloc_zeroed(pool, count, item_size);
}

static void *raw_malloc(void *pool, size_t size) { return hwri_pool_alloc(pool, size, true); }

static void *raw_realloc(void *pool, void *block, size_t size) { return realloc_in(pool, true, HWRI_RAW, block, size); }

/* What is rare when freeing is out of line, so that the rest needs no stack frame. */
#define DEFINE_FREE(name, domain, shared)                                                                              \
    __attribute__((noinline)) static void name##_rare(void *pool, void *block) {                                       \
        if ((domain) != HWRI_RAW) hwri_freed_note(block);                                                              \
        if (!hwri_pool_try_free(pool, block, shared)) hwri_foreign_free(domain, block);                                \
    }                                                                                                                  \
    static void name(void *pool, void *block) {                                                                        \
        if (!hwri_pool_free_quick(pool, block, shared)) name##_rare(pool, block);                                      \
    }
DEFINE_FREE(raw_free, HWRI_RAW, true)
DEFINE_FREE(mem_free, HWRI_MEM, objects_shared)
DEFINE_FREE(obj_free, HWRI_OBJ, objects_shared)

static void *object_malloc(void *pool, size_t size) { return hwri_pool_alloc(pool, size, objects_shared); }

static void *mem_realloc(void *pool, void *block, size_t size) {
    return realloc_in(pool, objects_shared, HWRI_MEM, block, size);
}

static void *obj_realloc(void *pool, void *block, size_t size) {
    return realloc_in(pool, objects_shared, HWRI_OBJ, block, size);
}

static const PyMemAllocatorEx plain_allocators[HWRI_DOMAINS] = {
    [HWRI_RAW] = {NULL, raw_malloc, zeroed, raw_realloc, raw_free},
    [HWRI_MEM] = {NULL, object_malloc, zeroed, mem_realloc, mem_free},
    [HWRI_OBJ] = {NULL, object_malloc, zeroed, obj_realloc, obj_free},
};

static bool open_pools(void) {
    hwr_raw *raw = hwr_raw_open(NULL);
    hwr_pool_options options = {
        .size = sizeof options, .raw = raw, .granularity = 16, .shared = true, .huge_pages_from = (size_t)64 << 20};
    hwr_pool *raw_pool = raw != NULL ? hwr_pool_open(&options) : NULL;
    options.shared = objects_shared;
    hwr_pool *object_pool = raw_pool != NULL ? hwr_pool_open(&options) : NULL;
    if (object_pool == NULL) {
        hwr_pool_close(raw_pool);
        hwr_raw_close(raw);
        return false;
    }
    hwri_python_memory = raw;
    hwri_domains[HWRI_RAW].pool = raw_pool;
    hwri_domains[HWRI_MEM].pool = hwri_domains[HWRI_OBJ].pool = object_pool;
    return true;
}

bool hwri_allocator_open(void) {
    if (hwri_python_memory == NULL && !open_pools()) return false;
    for (int i = 0; i < HWRI_DOMAINS; i++) PyMem_GetAllocator(python_domains[i], &hwri_domains[i].before);
    return true;
}

/* PYTHONMALLOC may name the very allocator that is the default, so it has to be looked at itself; -E and -I make Python
 * ignore it. */
static bool environment_chooses(void) {
    const char *value = getenv("PYTHONMALLOC");
    const int *ignored = dlsym(RTLD_DEFAULT, "Py_IgnoreEnvironmentFlag");
    return value != NULL && *value != '\0' && (ignored == NULL || *ignored <= 0);
}

const char *hwri_allocator_chosen(void) {
    if (environment_chooses()) return "PYTHONMALLOC has chosen another one";
    for (int i = 0; i < HWRI_DOMAINS; i++) {
        PyMemAllocatorEx now;
        PyMem_GetAllocator(python_domains[i], &now);
        if (now.malloc != hwri_domains[i].before.malloc) return "development mode (-X dev) has chosen another one";
    }
    return NULL;
}

const char *hwri_allocator_chosen_later(void) {
    const char *(*name_of_current)(void);
    *(void **)&name_of_current = dlsym(RTLD_DEFAULT, "_PyMem_GetCurrentAllocatorName");
    const char *name = name_of_current != NULL ? name_of_current() : NULL;
    if (environment_chooses()) return "PYTHONMALLOC has chosen another one";
    if (name == NULL) return "somebody has put in another one, as tracemalloc does while it is tracing";
    return strcmp(name, "pymalloc") == 0 ? NULL : "another one has been chosen, as -X dev does";
}

static void install_in(enum hwri_domain domain, PyMemAllocatorEx ours) {
    if (ours.ctx == NULL) ours.ctx = hwri_domains[domain].pool;
    PyMem_SetAllocator(python_domains[domain], &ours);
}

void hwri_allocator_install(struct hwri_record *record) {
    if (record != NULL) hwri_counting_start(record);
    for (enum hwri_domain i = HWRI_RAW; i < HWRI_DOMAINS; i++)
        install_in(i, record != NULL ? hwri_counted_allocator(i) : plain_allocators[i]);
}

void hwri_allocator_install_later(void) {
    install_in(HWRI_MEM, plain_allocators[HWRI_MEM]);
    install_in(HWRI_OBJ, plain_allocators[HWRI_OBJ]);
}
