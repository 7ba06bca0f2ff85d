/* The whole host for .NET as one: objects made, collected and gone through, for a runtime of the test's own, which has one thread and says what its roots are. */
#include "allocate.h"
#include "clr.h"
#include "collect.h"
#include "collector.h"
#include "heap.h"
#include "inform.h"
#include "runtime.h"
#include "settings.h"
#include "walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* ---- types ---- */

/* A type with one reference, right behind the type's word, and a number: what tells of the reference lies below. */
static const struct {
    clr_series series;
    int64_t count;
    clr_method_table type;
} link_type = {{8 - 32, 8}, 1, {CLR_HAS_POINTERS, 32}};
typedef struct link {
    const clr_method_table *type;
    struct link *next;
    uint64_t number;
} link;
static const clr_method_table bytes_type = {.flags = CLR_HAS_ITEMS | 1, .base_size = 24};

enum { LINK = 32 };

/* ---- a runtime ---- */

enum { ROOTS = 300000 };
static struct {
    clr_alloc_context context;
    clr_object *roots[ROOTS];
    size_t root_count;
    uint32_t root_flags;
    bool suspended;
    size_t barriers, starts, ends, dumps;
    int started_generation, ended_generation;
    int64_t hard_limit;
} ee;

static void suspend_ee(clr_ee *self, int reason) {
    (void)self;
    assert_int_equal(reason, CLR_SUSPEND_FOR_GC);
    assert_false(ee.suspended);
    ee.suspended = true;
}

static void restart_ee(clr_ee *self, bool finished) {
    (void)self;
    assert_true(ee.suspended && finished);
    ee.suspended = false;
}

static void gc_scan_roots(clr_ee *self, clr_root_function *visit, int gen, int max_gen, clr_scan *scan) {
    (void)self;
    assert_true(gen <= max_gen);
    for (size_t i = 0; i < ee.root_count; i++) visit(&ee.roots[i], scan, ee.root_flags);
}

static void gc_enum_alloc_contexts(clr_ee *self, clr_context_function *visit, void *context) {
    (void)self;
    visit(&ee.context, context);
}

static void gc_start_work(clr_ee *self, int gen, int max_gen) {
    (void)self;
    assert_true(gen <= max_gen);
    ee.started_generation = gen;
}

static void before_gc_scan_roots(clr_ee *self, int gen, bool background, bool concurrent) {
    (void)self;
    assert_true(gen == ee.started_generation && !background && !concurrent);
}

static void after_gc_scan_roots(clr_ee *self, int gen, int max_gen, clr_scan *scan) {
    (void)self;
    assert_true(gen == ee.started_generation && gen <= max_gen && scan->promotion);
}

static void gc_done(clr_ee *self, int gen) {
    (void)self;
    ee.ended_generation = gen;
}

static void sync_block_cache_weak_ptr_scan(clr_ee *self, clr_slot_function *visit, uintptr_t a, uintptr_t b) {
    (void)self, (void)visit, (void)a, (void)b;
}

static void sync_block_cache_promotions_granted(clr_ee *self, int max_gen) { (void)self, (void)max_gen; }

static bool enable_preemptive_gc(clr_ee *self) {
    (void)self;
    return true;
}

static void disable_preemptive_gc(clr_ee *self) {
    (void)self;
    assert_false(ee.suspended);
}

static void diag_gc_start(clr_ee *self, int gen, bool induced) {
    (void)self, (void)gen, (void)induced;
    ee.starts++;
}

static bool count_object(clr_object *object, void *context) {
    assert_non_null(object->type);
    ++*(size_t *)context;
    return true;
}

/* As the runtime does it for a heap dump. */
static void diag_gc_end(clr_ee *self, size_t index, int gen, int reason, bool concurrent) {
    (void)self, (void)index, (void)reason;
    assert_true(gen == ee.ended_generation && !concurrent && ee.suspended);
    ee.dumps = 0;
    clr_heap_object.table->diag_walk_heap(&clr_heap_object, count_object, &ee.dumps, CLR_MAX_GENERATION, true);
    ee.ends++;
}

static void diag_walk_freachable_objects(clr_ee *self, void *context) { (void)self, (void)context; }
static void diag_walk_survivors(clr_ee *self, void *context, bool compacting) {
    (void)self, (void)context, (void)compacting;
}
static void diag_walk_uoh_survivors(clr_ee *self, void *context, int gen) { (void)self, (void)context, (void)gen; }

static void stomp_write_barrier(clr_ee *self, clr_barrier *barrier) {
    (void)self;
    assert_int_equal(barrier->operation, CLR_BARRIER_INITIALIZE);
    ee.barriers++;
}

static void enable_finalization(clr_ee *self, bool has_work) { (void)self, (void)has_work; }

static bool get_boolean_config_value(clr_ee *self, const char *key, const char *public_key, bool *value) {
    (void)self, (void)key, (void)public_key, (void)value;
    return false;
}

static bool get_int_config_value(clr_ee *self, const char *key, const char *public_key, int64_t *value) {
    (void)self, (void)public_key;
    *value = ee.hard_limit;
    return ee.hard_limit && strcmp(key, "GCHeapHardLimit") == 0;
}

static const clr_ee_table ee_table = {
    .suspend_ee = suspend_ee,
    .restart_ee = restart_ee,
    .gc_scan_roots = gc_scan_roots,
    .gc_enum_alloc_contexts = gc_enum_alloc_contexts,
    .gc_start_work = gc_start_work,
    .before_gc_scan_roots = before_gc_scan_roots,
    .after_gc_scan_roots = after_gc_scan_roots,
    .gc_done = gc_done,
    .sync_block_cache_weak_ptr_scan = sync_block_cache_weak_ptr_scan,
    .sync_block_cache_promotions_granted = sync_block_cache_promotions_granted,
    .enable_preemptive_gc = enable_preemptive_gc,
    .disable_preemptive_gc = disable_preemptive_gc,
    .diag_gc_start = diag_gc_start,
    .diag_gc_end = diag_gc_end,
    .diag_walk_freachable_objects = diag_walk_freachable_objects,
    .diag_walk_survivors = diag_walk_survivors,
    .diag_walk_uoh_survivors = diag_walk_uoh_survivors,
    .stomp_write_barrier = stomp_write_barrier,
    .enable_finalization = enable_finalization,
    .get_boolean_config_value = get_boolean_config_value,
    .get_int_config_value = get_int_config_value,
};

/* One heap for all tests: a process has one. */
static int open_heap(void **state) {
    (void)state;
    static clr_ee runtime = {&ee_table};
    clr_runtime = &runtime;
    clr_tables = hwr_raw_open(NULL);
    assert_non_null(clr_tables);
    clr_settings_read();
    assert_int_equal(clr_heap_object.table->initialize(&clr_heap_object), CLR_OK);
    assert_int_equal(ee.barriers, 1);
    return 0;
}

static int empty_heap(void **state) {
    (void)state;
    ee.root_count = 0;
    ee.root_flags = 0;
    clr_collect(CLR_MAX_GENERATION, CLR_BLOCKING);
    assert_int_equal(clr_bytes_in_use(), 0);
    return 0;
}

/* ---- objects ---- */

static void *allocate(const clr_method_table *type, size_t size, uint32_t flags) {
    clr_alloc_context *context = &ee.context;
    clr_object *object;
    if (!flags && (size_t)(context->limit - context->bump) >= size) { /* as compiled code does */
        object = (clr_object *)(void *)context->bump;
        context->bump += size;
    } else {
        object = clr_heap_object.table->alloc(&clr_heap_object, context, size, flags);
    }
    if (object) object->type = type;
    return object;
}

static link *new_link(link *next, uint64_t number) {
    link *new = allocate(&link_type.type, LINK, 0);
    assert_non_null(new);
    new->next = next;
    new->number = number;
    return new;
}

static clr_object *new_bytes(size_t count, uint32_t flags) {
    clr_object *new = allocate(&bytes_type, (24 + count + 7) & ~(size_t)7, flags);
    if (new) new->count = (uint32_t)count;
    return new;
}

static void add_root(void *object) {
    assert_true(ee.root_count < ROOTS);
    ee.roots[ee.root_count++] = object;
}

static link *new_chain(size_t length) {
    link *chain = NULL;
    for (size_t i = 0; i < length; i++) chain = new_link(chain, i);
    return chain;
}

static void check_chain(const link *chain, size_t length) {
    for (; length-- > 0; chain = chain->next) assert_true(chain && chain->number == length);
    assert_null(chain);
}

/* ---- tests ---- */

static void what_is_in_use_lives_or_is_new(void **state) {
    (void)state;
    add_root(new_chain(10000));
    size_t made = clr_bytes_in_use();
    assert_in_range(made, 10000 * LINK, 10000 * LINK + CLR_WINDOW);
    new_chain(20000);
    assert_in_range(clr_bytes_in_use(), 30000 * LINK, 30000 * LINK + CLR_WINDOW);
    clr_collect(CLR_MAX_GENERATION, CLR_BLOCKING);
    assert_int_equal(clr_bytes_in_use(), 10000 * LINK);
    clr_collection c;
    clr_inform_latest(CLR_KIND_FULL, &c);
    assert_in_range(c.sizes[0].before, 30000 * LINK, 30000 * LINK + CLR_WINDOW);
    assert_int_equal(c.heap_size - c.fragmented, 10000 * LINK);
    new_link(NULL, 0);
    assert_in_range(clr_bytes_in_use(), 10001 * LINK, 10000 * LINK + CLR_WINDOW);
    clr_collect(0, CLR_BLOCKING);
    assert_int_equal(clr_bytes_in_use(), 10000 * LINK);
    check_chain((const link *)(const void *)ee.roots[0], 10000);
}

static void large_and_pinned_ones_are_in_use_too(void **state) {
    (void)state;
    add_root(new_bytes(100000, CLR_ALLOC_LARGE));
    add_root(new_bytes(1000, CLR_ALLOC_PINNED));
    new_bytes(200000, CLR_ALLOC_LARGE);
    assert_int_equal(clr_bytes_in_use(), 100024 + 1024 + 200024);
    clr_collect(CLR_MAX_GENERATION, CLR_BLOCKING);
    assert_int_equal(clr_bytes_in_use(), 100024 + 1024);
    clr_collection c;
    clr_inform_latest(CLR_KIND_FULL, &c);
    assert_int_equal(c.sizes[CLR_LARGE_OBJECTS].before, 300048);
    assert_int_equal(c.sizes[CLR_LARGE_OBJECTS].after, 100024);
    assert_int_equal(c.sizes[CLR_PINNED_OBJECTS].before, 1024);
    assert_int_equal(c.sizes[CLR_PINNED_OBJECTS].after, 1024);
}

/* The list of roots is of megabytes, so it cannot grow without the system. */
static void without_memory_for_roots_the_young_are_collected(void **state) {
    (void)state;
    for (size_t i = 0; i < ROOTS; i++) add_root(new_link(NULL, i));
    ee.root_count = ROOTS / 2;
    uint64_t all = clr_collections(0, CLR_KIND_ANY), full = clr_collections(1, CLR_KIND_ANY);
    hwr_raw_inject_fault(clr_tables, HWR_FAULT_ALL, 1, true);
    clr_collect(CLR_MAX_GENERATION, CLR_BLOCKING);
    hwr_raw_inject_fault(clr_tables, HWR_FAULT_ALL, 0, false);
    assert_int_equal(clr_collections(0, CLR_KIND_ANY), all + 1);
    assert_int_equal(clr_collections(1, CLR_KIND_ANY), full);
    assert_true(ee.started_generation == 0 && ee.ended_generation == 0 && clr_collecting() == 0);
    assert_int_equal(clr_bytes_in_use(), ROOTS / 2 * LINK);
    ee.root_count = 1000;
    clr_collect(CLR_MAX_GENERATION, CLR_BLOCKING);
    assert_int_equal(clr_collections(2, CLR_KIND_ANY), full + 1);
    assert_int_equal(clr_bytes_in_use(), 1000 * LINK);
    for (size_t i = 0; i < 1000; i++) assert_int_equal(((const link *)(const void *)ee.roots[i])->number, i);
}

/* Each object, when it is young, and when it is not. */
static void the_middle_of_an_object_is_a_root(void **state) {
    (void)state;
    ee.root_flags = CLR_ROOT_INTERIOR;
    link *links[1000];
    for (size_t i = 0; i < 1000; i++) {
        links[i] = new_link(NULL, i);
        if (i % 2) add_root(&links[i]->number);
    }
    ee.root_flags |= CLR_ROOT_PINNED;
    for (int round = 0; round < 2; round++) {
        clr_collect(round ? CLR_MAX_GENERATION : 0, CLR_BLOCKING);
        clr_collection c;
        clr_inform_latest(CLR_KIND_ANY, &c);
        assert_int_equal(c.pinned, 500);
        assert_int_equal(clr_bytes_in_use(), 500 * LINK);
        for (size_t i = 1; i < 1000; i += 2) assert_int_equal(links[i]->number, i);
    }
}

static void no_memory_is_null(void **state) {
    (void)state;
    size_t limit = clr_gc.limit;
    clr_gc.limit = 10 << 20;
    link *chain = NULL;
    size_t length = 0;
    ee.root_count = 1;
    for (link *new; ee.roots[0] = (clr_object *)(void *)chain, (new = allocate(&link_type.type, LINK, 0)) != NULL;) {
        *new = (link){&link_type.type, chain, length++};
        chain = new;
    }
    assert_in_range(length * LINK, 9 << 20, 10 << 20);
    check_chain(chain, length);
    assert_null(new_bytes(1 << 20, CLR_ALLOC_LARGE));
    ee.root_count = 0;
    assert_non_null(new_bytes(1 << 20, CLR_ALLOC_LARGE));
    clr_gc.limit = limit;
}

/* Longer holes are liked better, but there are none: every second object has died. */
static void short_holes_are_used_before_memory_ends(void **state) {
    (void)state;
    size_t limit = clr_gc.limit;
    clr_gc.limit = 10 << 20;
    size_t made = 0, kept = 0;
    add_root(NULL);
    for (link *new; (new = allocate(&link_type.type, LINK, 0)) != NULL; made++) {
        *new = (link){&link_type.type, (link *)(void *)ee.roots[0], made};
        ee.roots[0] = (clr_object *)(void *)new;
    }
    for (link *each = (link *)(void *)ee.roots[0]; each; each = each->next, kept++)
        if (each->next) each->next = each->next->next;
    assert_int_equal(kept, (made + 1) / 2);
    clr_collect(CLR_MAX_GENERATION, CLR_BLOCKING);
    assert_int_equal(clr_bytes_in_use(), kept * LINK);
    for (link *new; (new = allocate(&link_type.type, LINK, 0)) != NULL; kept++) {
        *new = (link){&link_type.type, (link *)(void *)ee.roots[0], kept};
        ee.roots[0] = (clr_object *)(void *)new;
    }
    assert_in_range(kept * LINK, 9 << 20, 10 << 20);
    clr_gc.limit = limit;
}

/* About 4 MiB live all the time, and what dies leaves holes of many sizes. The heap had more room before, which it loses by and by. */
static void room_that_is_not_needed_is_given_up(void **state) {
    (void)state;
    enum { ALIVE = 2048, SIZE_MOST = 4096 };
    uint64_t least = clr_settings.gen0_size, full = clr_collections(1, CLR_KIND_ANY);
    clr_settings.gen0_size = 1 << 20;
    uint32_t random = 1;
    size_t early = 0;
    ee.root_count = ALIVE;
    memset(ee.roots, 0, ALIVE * sizeof *ee.roots);
    for (uint64_t done = 0; done < 40; done = clr_collections(1, CLR_KIND_ANY) - full) {
        if (done == 10) early = clr_gc.target;
        random = random * 1103515245 + 12345;
        clr_object *new = new_bytes(random >> 16 & (SIZE_MOST - 1), 0);
        if (random >> 28 == 0) ee.roots[(random >> 15) % ALIVE] = new;
    }
    assert_in_range(clr_gc.target, clr_bytes_in_use(), early / 4 * 3);
    clr_settings.gen0_size = least;
}

static void the_limit_may_be_changed(void **state) {
    (void)state;
    size_t limit = clr_gc.limit;
    int64_t configured = ee.hard_limit;
    const clr_heap_table *table = clr_heap_object.table;
    ee.hard_limit = 64 << 20;
    assert_int_equal(table->refresh_memory_limit(&clr_heap_object), CLR_LIMIT_SET);
    assert_int_equal(clr_gc.limit, 64 << 20);
    ee.roots[0] = new_bytes(1 << 20, CLR_ALLOC_LARGE);
    ee.root_count = 1;
    clr_collect(CLR_MAX_GENERATION, CLR_BLOCKING);
    ee.hard_limit = 1 << 19;
    assert_int_equal(table->refresh_memory_limit(&clr_heap_object), CLR_LIMIT_TOO_LOW);
    assert_int_equal(clr_gc.limit, 64 << 20);
    assert_int_equal(clr_settings.hard_limit, 64 << 20);
    ee.root_count = 0;
    ee.hard_limit = configured;
    assert_int_equal(table->refresh_memory_limit(&clr_heap_object), CLR_LIMIT_SET);
    assert_int_equal(clr_gc.limit, limit);
}

typedef struct seen {
    size_t count, most;
    uint64_t sum;
} seen;

static bool see(clr_object *object, void *context) {
    seen *s = context;
    s->sum += object->type == &link_type.type ? ((const link *)(const void *)object)->number : 0;
    return ++s->count < s->most;
}

static seen walk(int gen, bool large, size_t most) {
    seen s = {.most = most};
    clr_heap_object.table->diag_walk_heap_with_ac_handling(&clr_heap_object, see, &s, gen, large);
    return s;
}

static void all_objects_are_walked(void **state) {
    (void)state;
    enum { LENGTH = 5000, SUM = LENGTH * (LENGTH - 1) / 2 };
    add_root(new_chain(LENGTH));
    add_root(new_bytes(100000, CLR_ALLOC_LARGE));
    add_root(new_bytes(10, CLR_ALLOC_PINNED));
    seen s = walk(2, true, SIZE_MAX);
    assert_true(s.count == LENGTH + 2 && s.sum == SUM);
    s = walk(0, false, SIZE_MAX);
    assert_true(s.count == LENGTH && s.sum == SUM);
    size_t ends = ee.ends;
    clr_collect(0, CLR_BLOCKING);
    assert_int_equal(ee.ends, ends + 1);
    assert_int_equal(ee.dumps, LENGTH + 2);
    assert_int_equal(walk(0, true, SIZE_MAX).count, 2); /* large ones are asked for by themselves */
    assert_int_equal(walk(1, false, SIZE_MAX).count, LENGTH);
    new_chain(100);
    assert_int_equal(walk(0, false, SIZE_MAX).count, 100);
    assert_int_equal(walk(2, true, 17).count, 17);
    clr_collect(CLR_MAX_GENERATION, CLR_BLOCKING);
    assert_int_equal(ee.dumps, LENGTH + 2);
    assert_true(ee.starts == ee.ends);
}

static bool see_target(clr_object *object, void *context) {
    *(clr_object **)context = object;
    return true;
}

static bool see_slot(clr_object *object, uint8_t **slot, void *context) {
    assert_ptr_equal(slot, &((link *)(void *)object)->next);
    *(uint8_t **)context = *slot;
    return true;
}

static void references_are_walked(void **state) {
    (void)state;
    link *last = new_link(NULL, 0), *first = new_link(last, 1);
    add_root(first);
    void *found = NULL;
    const clr_heap_table *table = clr_heap_object.table;
    table->diag_walk_object(&clr_heap_object, (clr_object *)(void *)last, see_target, &found);
    table->diag_walk_object2(&clr_heap_object, (clr_object *)(void *)last, see_slot, &found);
    table->diag_walk_object(&clr_heap_object, NULL, see_target, &found);
    assert_null(found);
    table->diag_walk_object(&clr_heap_object, (clr_object *)(void *)first, see_target, &found);
    assert_ptr_equal(found, last);
    found = NULL;
    table->diag_walk_object2(&clr_heap_object, (clr_object *)(void *)first, see_slot, &found);
    assert_ptr_equal(found, last);
}

typedef struct ranges {
    size_t count, bytes;
} ranges;

static void see_range(uint8_t *begin, uint8_t *end, ptrdiff_t moved, void *context, bool compacting, bool background) {
    assert_true(begin < end && !moved && !compacting && !background);
    ranges *r = context;
    r->count++;
    r->bytes += (size_t)(end - begin);
}

static void survivors_are_told_by_ranges(void **state) {
    (void)state;
    link *links[100];
    for (size_t i = 0; i < 100; i++) links[i] = new_link(NULL, i);
    for (size_t i = 0; i < 100; i++)
        if (i < 10 || i == 50) add_root(links[i]);
    add_root(new_bytes(100000, CLR_ALLOC_LARGE));
    clr_collect(0, CLR_BLOCKING);
    static const struct {
        int type, gen;
        size_t most, bytes;
    } cases[] = {{0, -1, 3, 11 * LINK},
                 {2, CLR_LARGE_OBJECTS, 1, 100024},
                 {2, CLR_PINNED_OBJECTS, 0, 0}}; /* a chain may cross blocks */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ranges r = {0};
        clr_heap_object.table->diag_walk_survivors_with_type(&clr_heap_object, NULL, see_range, &r, cases[i].type,
                                                             cases[i].gen);
        assert_int_equal(r.bytes, cases[i].bytes);
        assert_in_range(r.count, cases[i].bytes ? 1 : 0, cases[i].most);
    }
}

static void see_generation(void *context, int gen, uint8_t *start, uint8_t *end, uint8_t *reserved) {
    assert_true(start < end && end == reserved);
    const uint8_t *object = (const uint8_t *)ee.roots[gen - CLR_MAX_GENERATION];
    ((size_t *)context)[gen] += object >= start && object < end;
}

static void every_object_is_in_one_range(void **state) {
    (void)state;
    add_root(new_link(NULL, 0));
    add_root(new_bytes(100000, CLR_ALLOC_LARGE));
    add_root(new_bytes(10, CLR_ALLOC_PINNED));
    size_t found[CLR_GENERATIONS] = {0};
    const clr_heap_table *table = clr_heap_object.table;
    table->diag_descr_generations(&clr_heap_object, see_generation, found);
    uint8_t *start, *end, *reserved;
    for (size_t i = 0; i < 3; i++) {
        uint8_t *object = (uint8_t *)ee.roots[i];
        assert_int_equal(found[CLR_MAX_GENERATION + (int)i], 1);
        assert_int_equal(table->get_generation_with_range(&clr_heap_object, ee.roots[i], &start, &end, &reserved),
                         i ? 2 : 0);
        assert_true(start <= object && object < end && end == reserved);
    }
    table->get_generation_with_range(&clr_heap_object, (clr_object *)(uintptr_t)&bytes_type, &start, &end, &reserved);
    assert_true(!start && !end && !reserved);
}

#define TEST(function) cmocka_unit_test_setup(function, empty_heap)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_is_in_use_lives_or_is_new),
        TEST(large_and_pinned_ones_are_in_use_too),
        TEST(without_memory_for_roots_the_young_are_collected),
        TEST(the_middle_of_an_object_is_a_root),
        TEST(no_memory_is_null),
        TEST(short_holes_are_used_before_memory_ends),
        TEST(room_that_is_not_needed_is_given_up),
        TEST(the_limit_may_be_changed),
        TEST(all_objects_are_walked),
        TEST(references_are_walked),
        TEST(survivors_are_told_by_ranges),
        TEST(every_object_is_in_one_range),
    };
    return cmocka_run_group_tests(tests, open_heap, NULL);
}
