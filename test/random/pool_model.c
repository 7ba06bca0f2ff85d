#define _GNU_SOURCE
#include "random/pool_model.h"

#include "heapwright/pool.h"
#include "support/check.h"
#include "support/model_memory.h"
#include "support/pattern.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 1024, FREED = 16 };
static const size_t most_bytes = (size_t)12 << 20; /* of all live blocks together */

typedef struct shadow_block {
    unsigned char *address;
    size_t usable;
    size_t alignment;
    uint64_t fill;
} shadow_block;

/* A run in progress. `refusals` is the raw allocator's count of failed operations when the current step began: an allocation may only be
 * refused if it has grown since. It cannot be seen when the pool has a raw allocator of its own, but then nothing can be injected either. */
typedef struct model {
    hwr_pool *pool;
    hwr_raw *raw; /* NULL: the pool's own */
    uint8_t configuration;
    FILE *trace;
    shadow_block blocks[BLOCKS];
    size_t count;
    size_t bytes;
    const unsigned char *freed[FREED]; /* addresses of blocks that were freed lately */
    size_t freed_count;
    uint64_t fills;
    size_t refusals;
    hwr_raw_stats before; /* of the raw allocator, before the pool was opened */
} model;

/* One operation as the bytes give it. */
typedef struct step {
    uint8_t operation, which, high, low;
} step;

static void say(model *m, const char *text, size_t a, size_t b) {
    if (m->trace != NULL) {
        fprintf(m->trace, text, a, b);
        fputc('\n', m->trace);
        fflush(m->trace);
    }
}

const char *model_describe(uint8_t configuration) {
    static const char *const sources[MODEL_SOURCES] = {"system", "malloc", "buffer", "own raw allocator"};
    static char text[100];
    snprintf(
        text, sizeof text, "%s, granularity %d%s%s%s", sources[(configuration & MODEL_SOURCE) >> MODEL_SOURCE_SHIFT],
        (configuration & MODEL_GRANULARITY_8) != 0 ? 8 : 16, (configuration & MODEL_SHARED) != 0 ? ", shared" : "",
        (configuration & MODEL_CHECKED) != 0 ? ", checked" : "", (configuration & MODEL_EAGER) != 0 ? ", eager" : "");
    return text;
}

static bool is_checked(const model *m) { return (m->configuration & MODEL_CHECKED) != 0; }

static size_t least_alignment(const model *m, size_t size) {
    return (m->configuration & MODEL_GRANULARITY_8) == 0 && size > 8 ? 16 : 8;
}

/* What the shadow knows */

static shadow_block *block_at(model *m, const void *address) {
    uintptr_t a = (uintptr_t)address;
    for (size_t i = 0; i < m->count; i++)
        if (a - (uintptr_t)m->blocks[i].address < m->blocks[i].usable || address == m->blocks[i].address)
            return &m->blocks[i];
    return NULL;
}

static void check_content(const shadow_block *b) { CHECK(pattern_holds(b->address, b->usable, b->usable, b->fill)); }

static void fill(model *m, shadow_block *b) {
    b->fill = ++m->fills;
    pattern_fill(b->address, b->usable, b->fill);
}

/* Enters a new or resized block, or checks that refusing it was right. Returns whether there is a block. */
static bool enter(model *m, shadow_block *b, void *address, size_t size, size_t alignment) {
    if (address == NULL) {
        hwr_raw_stats stats = {0};
        if (m->raw != NULL) hwr_raw_get_stats(m->raw, &stats);
        CHECK(size > (size_t)PTRDIFF_MAX || stats.failures > m->refusals);
        say(m, "    refused", 0, 0);
        return false;
    }
    CHECK(size <= (size_t)PTRDIFF_MAX);
    size_t usable = hwr_pool_usable_size(m->pool, address);
    CHECK(is_checked(m) ? usable == size : usable >= size);
    CHECK((uintptr_t)address % least_alignment(m, size) == 0 && (uintptr_t)address % alignment == 0);
    *b = (shadow_block){address, usable, alignment, 0};
    m->bytes += usable;
    fill(m, b);
    return true;
}

static void forget(model *m, shadow_block *b) {
    m->freed[m->freed_count++ % FREED] = b->address;
    m->bytes -= b->usable;
    *b = m->blocks[--m->count];
}

/* Sizes: every small one, some medium, those around powers of two, a few large and absurd ones. */
static size_t size_of(step s) {
    size_t wide = (size_t)(s.high & 31) << 8 | s.low;
    switch (s.high >> 5) {
    case 0:
    case 1:
    case 2: return s.low;
    case 3: return (size_t)s.low * 8;
    case 4: return wide;
    case 5: return wide * 9;
    case 6: return ((size_t)1 << s.low % 22) + (size_t)(s.high & 31) - 16;
    default: break;
    }
    if (s.operation % 4 != 0) return wide / 4;
    if ((s.high & 31) < 29) return wide * 300;
    if ((s.high & 31) == 29) return ((size_t)8 << 20) + ((size_t)s.low << 16);
    return (size_t)0 - ((size_t)s.low << (s.high == 255 ? 55 : 0)); /* 0 or above PTRDIFF_MAX, or nearly */
}

/* Whether a block of this size may be added without outgrowing the test's own bounds. */
static bool fits(const model *m, size_t size) {
    return m->count < BLOCKS && (size > (size_t)PTRDIFF_MAX || m->bytes + size <= most_bytes);
}

/* Operations on blocks */

static void free_block(model *m, step s) {
    if (m->count == 0) return;
    shadow_block *b = &m->blocks[((size_t)s.which << 8 | s.low) % m->count];
    say(m, "free(block of %zu usable bytes, number %zu)", b->usable, (size_t)(b - m->blocks));
    check_content(b);
    hwr_pool_free(m->pool, b->address);
    forget(m, b);
}

static void allocate(model *m, step s) {
    size_t size = size_of(s);
    if (!fits(m, size)) {
        free_block(m, s);
        return;
    }
    say(m, "alloc(%zu)", size, 0);
    m->count += enter(m, &m->blocks[m->count], hwr_pool_alloc(m->pool, size), size, 1);
}

static void allocate_zeroed(model *m, step s) {
    size_t size = size_of(s), item = s.which % 17;
    size_t count = item == 0 ? size : size / item;
    if (s.which >= 250) { /* a product that overflows */
        say(m, "alloc_zeroed(%zu, %zu)", SIZE_MAX / 2 - s.low, (size_t)3 + s.low);
        CHECK(hwr_pool_alloc_zeroed(m->pool, SIZE_MAX / 2 - s.low, (size_t)3 + s.low) == NULL);
        return;
    }
    if (!fits(m, size)) {
        free_block(m, s);
        return;
    }
    say(m, "alloc_zeroed(%zu, %zu)", count, item);
    unsigned char *block = hwr_pool_alloc_zeroed(m->pool, count, item);
    CHECK(block == NULL || pattern_is_zero(block, count * item));
    m->count += enter(m, &m->blocks[m->count], block, count * item, 1);
}

static void allocate_aligned(model *m, step s) {
    size_t size = size_of(s);
    if (s.which >= 250) {
        size_t bad = s.which == 250 ? 0 : s.which == 251 ? (size_t)32 << 20 : (size_t)s.low * 2 + 3;
        if ((bad & (bad - 1)) == 0 && bad != 0 && bad <= (size_t)16 << 20) return;
        say(m, "alloc_aligned(%zu, %zu)", size, bad);
        CHECK(hwr_pool_alloc_aligned(m->pool, size, bad) == NULL);
        return;
    }
    if (!fits(m, size)) {
        free_block(m, s);
        return;
    }
    size_t alignment = (size_t)1 << (s.which < 200 ? s.which % 13 : s.which % 25);
    say(m, "alloc_aligned(%zu, %zu)", size, alignment);
    m->count += enter(m, &m->blocks[m->count], hwr_pool_alloc_aligned(m->pool, size, alignment), size, alignment);
}

static void reallocate(model *m, step s) {
    size_t size = size_of(s);
    if (s.which >= 252 || m->count == 0) {
        if (!fits(m, size)) return;
        say(m, "realloc(NULL, %zu)", size, 0);
        m->count += enter(m, &m->blocks[m->count], hwr_pool_realloc(m->pool, NULL, size), size, 1);
        return;
    }
    shadow_block *b = &m->blocks[s.which % m->count], old = *b;
    if (size <= (size_t)PTRDIFF_MAX && m->bytes - old.usable + size > most_bytes) return;
    say(m, "realloc(block of %zu usable bytes, %zu)", old.usable, size);
    check_content(b);
    unsigned char *block = hwr_pool_realloc(m->pool, old.address, size);
    size_t kept = old.usable < size ? old.usable : size;
    if (block != NULL) CHECK(pattern_holds(block, kept, old.usable, old.fill));
    if (block != old.address) m->freed[m->freed_count++ % FREED] = block != NULL ? old.address : NULL;
    if (enter(m, b, block, size, 1))
        m->bytes -= old.usable;
    else
        check_content(b);
}

/* Questions */

static void find_and_own(model *m, step s) {
    static int in_data;
    const unsigned char *address = NULL;
    size_t offset = (size_t)s.high << 8 | s.low;
    const shadow_block *b = m->count > 0 ? &m->blocks[s.low % m->count] : NULL;
    switch (s.which % 8) {
    case 0: address = b != NULL ? b->address : NULL; break;
    case 1: address = b != NULL && b->usable > 0 ? b->address + offset * 977 % b->usable : NULL; break;
    case 2: address = b != NULL ? b->address + b->usable : NULL; break;
    case 3: address = b != NULL ? (unsigned char *)((uintptr_t)b->address - 1 - offset % 40) : NULL; break;
    case 4: address = m->freed[s.low % FREED]; break;
    case 5: address = (const unsigned char *)&in_data; break;
    case 6: address = (const unsigned char *)(offset << (s.which / 8 * 2)); break;
    default: address = b != NULL ? (unsigned char *)((uintptr_t)b->address + (offset << 12)) : NULL; break;
    }
    say(m, "find(0x%zx)", (size_t)(uintptr_t)address, 0);
    size_t size = 0;
    const void *found = hwr_pool_find(m->pool, address, &size);
    const shadow_block *expected = block_at(m, address);
    bool strictly_outside = expected == NULL && !is_checked(m); /* guards of a checked pool may count as the block */
    if (expected != NULL) CHECK(found == expected->address && size == expected->usable);
    if (strictly_outside) CHECK(found == NULL);
    bool owned = hwr_pool_owns(m->pool, address);
    CHECK(found == NULL || owned);
    CHECK(address != (const unsigned char *)&in_data || !owned);
}

static void measure(model *m, step s) {
    if (m->count == 0) return;
    const shadow_block *b = &m->blocks[s.low % m->count];
    say(m, "usable_size(block of %zu usable bytes)", b->usable, 0);
    CHECK(hwr_pool_usable_size(m->pool, b->address) == b->usable);
    check_content(b);
}

typedef struct tour {
    size_t count, stop_after;
    bool complete;
    struct {
        unsigned char *address;
        size_t usable;
    } seen[BLOCKS];
} tour;

static bool note(void *context, void *block, size_t usable) {
    tour *t = context;
    CHECK(t->count < BLOCKS);
    t->seen[t->count].address = block;
    t->seen[t->count].usable = usable;
    return ++t->count != t->stop_after;
}

static int by_address(const void *a, const void *b) {
    const unsigned char *const *x = a, *const *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void walk_and_compare(model *m, step s) {
    static tour t;
    t.count = 0;
    t.stop_after = s.which < 32 ? s.low % (m->count + 1) : 0;
    say(m, "walk, stopping after %zu blocks (0: never) of %zu", t.stop_after, m->count);
    CHECK(hwr_pool_walk(m->pool, note, &t) == (t.stop_after == 0));
    if (t.stop_after != 0) {
        CHECK(t.count == t.stop_after);
        return;
    }
    CHECK(t.count == m->count);
    qsort(t.seen, t.count, sizeof t.seen[0], by_address);
    qsort(m->blocks, m->count, sizeof m->blocks[0], by_address);
    for (size_t i = 0; i < m->count; i++) {
        CHECK(t.seen[i].address == m->blocks[i].address && t.seen[i].usable == m->blocks[i].usable);
        CHECK(i == 0 || m->blocks[i - 1].address + m->blocks[i - 1].usable <= m->blocks[i].address);
    }
}

static void check_classes(const model *m, size_t large_blocks) {
    size_t blocks = large_blocks;
    hwr_pool_class_stats class;
    for (unsigned number = 0; hwr_pool_get_class_stats(m->pool, number, &class); number++) {
        CHECK(class.blocks <= class.capacity);
        blocks += class.blocks;
    }
    CHECK(is_checked(m) || blocks == m->count);
}

static void check_statistics(model *m, bool of_classes) {
    say(m, "statistics", 0, 0);
    hwr_pool_stats stats;
    hwr_pool_get_stats(m->pool, &stats);
    CHECK(stats.blocks == m->count && stats.bytes == m->bytes);
    CHECK(stats.page_bytes >= stats.bytes && stats.peak_committed >= stats.committed);
    CHECK(stats.large_blocks <= stats.blocks && stats.large_bytes <= stats.bytes);
    if (of_classes) check_classes(m, stats.large_blocks);
    if (m->raw != NULL) {
        hwr_raw_stats raw;
        hwr_raw_get_stats(m->raw, &raw);
        CHECK(stats.committed == raw.committed - m->before.committed);
    }
}

static void verify(model *m) {
    say(m, "verify", 0, 0);
    const char *problem = "";
    bool well = hwr_pool_verify(m->pool, &problem);
    if (!well) fprintf(stderr, "verify says: %s\n", problem);
    CHECK(well);
    for (size_t i = 0; i < m->count; i++) check_content(&m->blocks[i]);
}

static void trim(model *m, step s) {
    bool now = s.which < 200;
    say(m, now ? "trim(now)" : "trim", 0, 0);
    hwr_pool_stats before, after;
    hwr_pool_get_stats(m->pool, &before);
    size_t given_back = hwr_pool_trim(m->pool, now);
    hwr_pool_get_stats(m->pool, &after);
    CHECK(after.given_back - before.given_back == given_back);
    CHECK(before.committed - after.committed >= given_back); /* bookkeeping may go too */
    CHECK(after.blocks == before.blocks && after.bytes == before.bytes);
}

/* Want of memory */

static void change_limit(model *m, step s) {
    if (m->raw == NULL) return;
    say(m, "limit: %zu", model_memory_limit(m->raw, s.which < 128, (size_t)s.low << 14), 0);
}

static void inject_fault(model *m, step s) {
    if (m->raw == NULL) return;
    uint64_t nth = s.which < 100 ? 0 : s.low % 8 + 1;
    bool for_good = s.which >= 220;
    unsigned mask = s.high % HWR_FAULT_ALL + 1;
    say(m, for_good ? "fault %zu, number %zu and all later" : "fault %zu, number %zu (0: none)", mask, (size_t)nth);
    hwr_raw_inject_fault(m->raw, mask, nth, for_good);
}

static void relieve(model *m) {
    if (m->raw != NULL) say(m, "no limit, no faults", 0, 0);
    model_memory_relieve(m->raw);
}

static void perform(model *m, step s) {
    hwr_raw_stats raw = {0};
    if (m->raw != NULL) hwr_raw_get_stats(m->raw, &raw);
    m->refusals = raw.failures;
    unsigned operation = s.operation; /* how often each comes stands in these bounds, of 256 */
    if (operation < 88)
        allocate(m, s);
    else if (operation < 162)
        free_block(m, s);
    else if (operation < 192)
        reallocate(m, s);
    else if (operation < 206)
        allocate_zeroed(m, s);
    else if (operation < 220)
        allocate_aligned(m, s);
    else if (operation < 232)
        find_and_own(m, s);
    else if (operation < 237)
        measure(m, s);
    else if (operation < 240)
        check_statistics(m, s.which < 32);
    else if (operation < 242)
        walk_and_compare(m, s);
    else if (operation < 244)
        verify(m);
    else if (operation < 247)
        trim(m, s);
    else if (operation < 249)
        change_limit(m, s);
    else if (operation < 252)
        inject_fault(m, s);
    else
        relieve(m);
}

/* Beginning and end */

void model_run(const uint8_t *bytes, size_t length, FILE *trace) {
    static model m;
    if (length == 0) return;
    m = (model){.configuration = bytes[0] & (2 * MODEL_EAGER - 1), .trace = trace};
    m.raw = model_memory_open((unsigned)(m.configuration & MODEL_SOURCE) >> MODEL_SOURCE_SHIFT);
    m.pool = hwr_pool_open(&(hwr_pool_options){.size = sizeof(hwr_pool_options),
                                               .raw = m.raw,
                                               .granularity = (m.configuration & MODEL_GRANULARITY_8) != 0 ? 8 : 16,
                                               .shared = (m.configuration & MODEL_SHARED) != 0,
                                               .checked = is_checked(&m),
                                               .give_back_ms = (m.configuration & MODEL_EAGER) != 0 ? 1 : 0});
    CHECK(m.pool != NULL);
    for (size_t at = 1; at + DRIVER_STEP <= length; at += DRIVER_STEP)
        perform(&m, (step){bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]});
    relieve(&m);
    verify(&m);
    check_statistics(&m, true);
    while (m.count > (bytes[length - 1] & 1) * BLOCKS / 64) /* half of the runs close a pool with live blocks */
        free_block(&m, (step){0, 0, 0, 0});
    verify(&m);
    check_statistics(&m, true);
    hwr_pool_close(m.pool);
    model_memory_close(m.raw);
}
