/* The handles of the host for .NET, through the slots that the runtime calls, and what a collection does with each type. */
#define _GNU_SOURCE
#include "fake_runtime.h"
#include "handles.h"
#include "support/check.h"
#include "support/death.h"
#include "support/random.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MANAGER(slot, ...) clr_handle_manager.table->slot(&clr_handle_manager, __VA_ARGS__)
#define STORE(slot, ...) clr_handle_store.table->slot(&clr_handle_store, __VA_ARGS__)

static int set_up(void **state) {
    (void)state;
    fake_open();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fake_close();
    return 0;
}

static void the_manager_has_one_store(void **state) {
    (void)state;
    assert_true(clr_handle_manager.table->initialize(&clr_handle_manager));
    assert_ptr_equal(clr_handle_manager.table->get_global_handle_store(&clr_handle_manager), &clr_handle_store);
    assert_null(clr_handle_manager.table->create_handle_store(&clr_handle_manager));
}

static void a_handle_is_the_address_of_its_object(void **state) {
    (void)state;
    fake f;
    clr_object *object = fake_make(&f, &fake_plain);
    for (int type = 0; type < CLR_HANDLE_TYPES; type++) {
        clr_handle a = MANAGER(create_global_handle_of_type, object, type),
                   b = STORE(create_handle_of_type, NULL, type);
        clr_handle c = STORE(create_handle_of_type_near, object, type, 3), d = MANAGER(create_duplicate_handle, a);
        clr_handle all[] = {a, b, c, d};
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal((uintptr_t)all[i] % 8, 0);
            assert_int_equal(MANAGER(handle_fetch_type, all[i]), type);
            assert_true(STORE(contains_handle, all[i]));
            assert_ptr_equal(*all[i], i == 1 ? NULL : object);
        }
        assert_int_equal(clr_handle_count(type), 4);
        MANAGER(destroy_handle_of_type, a, type);
        for (size_t i = 1; i < 4; i++) MANAGER(destroy_handle_of_unknown_type, all[i]);
    }
    assert_false(STORE(contains_handle, (clr_handle)&object));
}

static void objects_are_stored_and_exchanged(void **state) {
    (void)state;
    fake f[2];
    clr_object *a = fake_make(&f[0], &fake_plain), *b = fake_make(&f[1], &fake_plain);
    clr_handle handle = STORE(create_handle_of_type, NULL, CLR_STRONG);
    assert_true(MANAGER(store_object_in_handle_if_null, handle, a));
    assert_false(MANAGER(store_object_in_handle_if_null, handle, b));
    assert_ptr_equal(*handle, a);
    assert_ptr_equal(MANAGER(interlocked_compare_exchange_object_in_handle, handle, NULL, b), a);
    assert_ptr_equal(*handle, a);
    assert_ptr_equal(MANAGER(interlocked_compare_exchange_object_in_handle, handle, b, a), a);
    assert_ptr_equal(*handle, b);
    MANAGER(store_object_in_handle, handle, NULL);
    assert_null(*handle);
    clr_handle_free(handle);
}

static void some_types_have_an_extra_word(void **state) {
    (void)state;
    int there;
    for (int type = 0; type < CLR_HANDLE_TYPES; type++) {
        clr_handle handle = STORE(create_handle_with_extra_info, NULL, type, &there);
        bool has = clr_handle_has_extra(type);
        assert_ptr_equal(MANAGER(get_extra_info_from_handle, handle), has ? &there : NULL);
        clr_handle copy = MANAGER(create_duplicate_handle, handle);
        assert_ptr_equal(MANAGER(get_extra_info_from_handle, copy), has ? &there : NULL);
        MANAGER(set_extra_info_for_handle, handle, type, &handle);
        assert_ptr_equal(MANAGER(get_extra_info_from_handle, handle), has ? &handle : NULL);
        MANAGER(set_extra_info_for_handle, handle, type, NULL);
        MANAGER(set_extra_info_for_handle, copy, type, NULL);
        clr_handle_free(handle);
        clr_handle_free(copy);
    }
}

static void dependent_handles_have_a_second_object(void **state) {
    (void)state;
    fake f[3];
    for (size_t i = 0; i < 3; i++) fake_make(&f[i], &fake_plain);
    clr_handle handle = STORE(create_dependent_handle, &f[0].object, &f[1].object);
    assert_int_equal(MANAGER(handle_fetch_type, handle), CLR_DEPENDENT);
    assert_ptr_equal(*handle, &f[0].object);
    assert_ptr_equal(MANAGER(get_dependent_handle_secondary, handle), &f[1].object);
    MANAGER(set_dependent_handle_secondary, handle, &f[2].object);
    assert_ptr_equal(MANAGER(get_dependent_handle_secondary, handle), &f[2].object);
    clr_handle_free(handle);
}

/* Handles go and come at random, over several blocks. None is moved, none is handed out twice, and a new one is empty. */
static void handles_stay_where_they_are(void **state) {
    (void)state;
    enum { HANDLES = 20000, STEPS = 200000 };
    static clr_handle handles[HANDLES];
    static fake objects[HANDLES];
    random_stream stream = {7};
    size_t live = 0;
    memset(handles, 0, sizeof handles);
    for (size_t i = 0; i < HANDLES; i++) fake_make(&objects[i], &fake_plain);
    for (size_t step = 0; step < STEPS; step++) {
        size_t i = random_below(&stream, HANDLES);
        int type = i % 2 ? CLR_DEPENDENT : CLR_WEAK_LONG;
        if (handles[i]) {
            assert_ptr_equal(*handles[i], &objects[i].object);
            clr_handle_free(handles[i]);
            handles[i] = NULL;
            live--;
        } else {
            handles[i] = clr_handle_new(&objects[i].object, type, NULL);
            assert_null(MANAGER(get_extra_info_from_handle, handles[i]));
            live++;
        }
    }
    assert_int_equal(clr_handle_count(CLR_WEAK_LONG) + clr_handle_count(CLR_DEPENDENT), live);
    for (size_t i = 0; i < HANDLES; i++) {
        if (!handles[i]) continue;
        assert_ptr_equal(*handles[i], &objects[i].object);
        clr_handle_free(handles[i]);
    }
}

typedef struct worker {
    pthread_t thread;
    fake object;
    size_t made;
} worker;

static void *make_and_free(void *context) {
    enum { HELD = 300, ROUNDS = 60 };
    worker *w = context;
    clr_handle held[HELD];
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < HELD; i++, w->made++) {
            held[i] = clr_handle_new(&w->object.object, i % 3 ? CLR_STRONG : CLR_WEAK_SHORT, NULL);
            CHECK(held[i] != NULL);
        }
        for (size_t i = 0; i < HELD; i++) {
            CHECK(*held[i] == &w->object.object);
            clr_handle_free(held[i]);
        }
    }
    return NULL;
}

static void threads_make_and_free_handles(void **state) {
    (void)state;
    enum { THREADS = 4 };
    worker workers[THREADS] = {0};
    for (size_t i = 0; i < THREADS; i++) {
        fake_make(&workers[i].object, &fake_plain);
        assert_int_equal(pthread_create(&workers[i].thread, NULL, make_and_free, &workers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        assert_int_equal(workers[i].made, 18000);
    }
}

/* In a collection */

static void a_collection_clears_what_each_type_lets_go(void **state) {
    (void)state;
    static const struct {
        int type;
        bool counted, keeps;
    } cases[] = {
        {CLR_WEAK_SHORT, false, false},     {CLR_WEAK_LONG, false, false},   {CLR_STRONG, false, true},
        {CLR_PINNED, false, true},          {CLR_VARIABLE, false, true},     {CLR_REFCOUNTED, true, true},
        {CLR_REFCOUNTED, false, false},     {CLR_DEPENDENT, false, false},   {CLR_ASYNC_PINNED, false, true},
        {CLR_SIZED, false, true},           {CLR_WEAK_NATIVE, false, false}, {CLR_WEAK_INTERIOR, false, false},
        {CLR_CROSS_REFERENCE, false, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int all = 0; all < 2; all++) {
            fake f[2];
            clr_object *held = fake_make(&f[0], &fake_plain), *dropped = fake_make(&f[1], &fake_plain);
            clr_handle a = clr_handle_new(held, cases[i].type, NULL), b = clr_handle_new(dropped, cases[i].type, NULL);
            fake_state.counted = cases[i].counted;
            fake_collect(all, f, 2, held);
            assert_ptr_equal(*a, held);
            assert_ptr_equal(*b, cases[i].keeps ? dropped : NULL);
            assert_int_equal(f[1].reached, cases[i].keeps);
            clr_handle_free(a);
            clr_handle_free(b);
        }
}

static size_t visits;

static void count_visit(clr_object **slot, uintptr_t *extra, void *context) {
    (void)extra;
    assert_non_null(*slot);
    assert_null(context);
    visits++;
}

static size_t visited(int type, bool all) {
    visits = 0;
    clr_handles_visit(type, all, count_visit, NULL);
    return visits;
}

/* Of a hundred thousand handles, a collection of the young sees those of groups that something was stored into. */
static void old_handles_are_passed_over(void **state) {
    (void)state;
    enum { HANDLES = 100000 };
    static clr_handle handles[HANDLES];
    fake f[2];
    clr_object *a = fake_make(&f[0], &fake_plain), *b = fake_make(&f[1], &fake_plain);
    for (size_t i = 0; i < HANDLES; i++) handles[i] = clr_handle_new(a, CLR_WEAK_LONG, NULL);
    assert_int_equal(visited(CLR_WEAK_LONG, false), HANDLES);
    fake_collect(false, f, 2, a);
    assert_int_equal(visited(CLR_WEAK_LONG, false), 0);
    assert_int_equal(visited(CLR_WEAK_LONG, true), HANDLES);
    MANAGER(store_object_in_handle, handles[777], b);
    MANAGER(interlocked_compare_exchange_object_in_handle, handles[50000], b, a);
    MANAGER(store_object_in_handle, handles[99000], NULL);
    size_t young = visited(CLR_WEAK_LONG, false);
    assert_in_range(young, 2, 128);
    fake_collect(false, f, 2, NULL);
    assert_null(*handles[777]);
    assert_null(*handles[50000]);
    assert_ptr_equal(*handles[778], a);
    fake_collect(true, f, 2, NULL);
    assert_int_equal(visited(CLR_WEAK_LONG, true), 0);
    for (size_t i = 0; i < HANDLES; i++) clr_handle_free(handles[i]);
}

static void a_second_object_that_is_new_is_looked_at(void **state) {
    (void)state;
    fake f[2];
    clr_object *first = fake_make(&f[0], &fake_plain), *second = fake_make(&f[1], &fake_plain);
    clr_handle handle = clr_handle_new(first, CLR_DEPENDENT, NULL);
    fake_collect(false, f, 2, first);
    MANAGER(set_dependent_handle_secondary, handle, second);
    fake_collect(false, f, 2, NULL);
    assert_true(f[1].reached);
    assert_ptr_equal(MANAGER(get_dependent_handle_secondary, handle), second);
    fake_collect(true, f, 2, NULL);
    assert_null(*handle);
    assert_null(MANAGER(get_dependent_handle_secondary, handle));
    assert_false(f[1].reached);
    clr_handle_free(handle);
}

/* Chains: each second object refers to the first one of the next. Handles are made in the order in which passes over them find one link each, and in the other one; and the marker
 * tells of what it reaches, or does not. */
static void chains_of_dependents_are_followed(void **state) {
    (void)state;
    enum { LINKS = 3000 };
    static fake firsts[LINKS], seconds[LINKS];
    static clr_handle handles[LINKS];
    for (int variant = 0; variant < 4; variant++) {
        fake_open();
        fake_state.untold = variant & 1;
        for (size_t i = 0; i < LINKS; i++) {
            fake_make(&firsts[i], &fake_plain);
            fake_make(&seconds[i], &fake_plain);
        }
        for (size_t k = 0; k < LINKS; k++) {
            size_t i = variant & 2 ? LINKS - 1 - k : k;
            handles[i] = clr_handle_new(&firsts[i].object, CLR_DEPENDENT, &seconds[i].object);
            if (i + 1 < LINKS) seconds[i].refs[i % 2] = &firsts[i + 1];
        }
        fake_collect(false, firsts, LINKS, &firsts[0].object);
        for (size_t i = 0; i < LINKS; i++) assert_true(firsts[i].reached && seconds[i].reached);
        if (!fake_state.untold) assert_true(fake_state.asked < (size_t)20 * LINKS);
        for (size_t i = 0; i < LINKS; i++) firsts[i].reached = seconds[i].reached = false;
        fake_collect(true, seconds, LINKS, &firsts[LINKS / 2].object);
        for (size_t i = 0; i < LINKS; i++) {
            assert_int_equal(seconds[i].reached, i >= LINKS / 2);
            assert_ptr_equal(*handles[i], i >= LINKS / 2 ? &firsts[i].object : NULL);
            clr_handle_free(handles[i]);
        }
    }
}

/* Without memory for the table there are passes. */
static void chains_are_followed_without_memory(void **state) {
    (void)state;
    enum { LINKS = 200 };
    static fake firsts[LINKS], seconds[LINKS];
    static clr_handle handles[LINKS];
    for (size_t i = LINKS; i-- > 0;) {
        fake_make(&firsts[i], &fake_plain);
        fake_make(&seconds[i], &fake_plain);
        if (i + 1 < LINKS) seconds[i].refs[0] = &firsts[i + 1];
    }
    for (size_t i = 0; i < LINKS; i++)
        handles[i] = clr_handle_new(&firsts[i].object, CLR_DEPENDENT, &seconds[i].object);
    fake_fail_memory(true);
    fake_collect(false, firsts, LINKS, &firsts[0].object);
    fake_fail_memory(false);
    for (size_t i = 0; i < LINKS; i++) assert_true(seconds[i].reached);
    for (size_t i = 0; i < LINKS; i++) clr_handle_free(handles[i]);
}

static void without_memory_there_is_no_handle(void **state) {
    (void)state;
    enum { MOST = 20000 };
    static clr_handle handles[MOST];
    size_t count = 0;
    fake_fail_memory(true);
    while (count < MOST && (handles[count] = clr_handle_new(NULL, CLR_SIZED, NULL)) != NULL) count++;
    fake_fail_memory(false);
    assert_true(count < MOST);
    clr_handle more = clr_handle_new(NULL, CLR_SIZED, NULL);
    assert_non_null(more);
    clr_handle_free(more);
    for (size_t i = 0; i < count; i++) clr_handle_free(handles[i]);
}

static size_t traced_sum;

static void trace(clr_object **slot, uintptr_t *extra, uintptr_t a, uintptr_t b) {
    assert_non_null(*slot);
    assert_null(extra);
    traced_sum += a + b;
}

static void counted_handles_are_traced(void **state) {
    (void)state;
    fake f;
    clr_handle handle = clr_handle_new(fake_make(&f, &fake_plain), CLR_REFCOUNTED, NULL);
    traced_sum = 0;
    MANAGER(trace_refcounted_handles, trace, 3, 4);
    assert_int_equal(traced_sum, 7);
    clr_handle_free(handle);
}

/* Misuse */

static void free_twice(void *unused) {
    (void)unused;
    clr_handle handle = clr_handle_new(NULL, CLR_STRONG, NULL);
    clr_handle_free(handle);
    clr_handle_free(handle);
}

static void free_foreign(void *unused) {
    (void)unused;
    void *memory = NULL;
    CHECK(posix_memalign(&memory, 1 << 16, 1 << 16) == 0);
    memset(memory, 0, 1 << 16);
    clr_handle_free((clr_handle)((char *)memory + 4096));
}

static void make_of_no_type(void *unused) {
    (void)unused;
    clr_handle_new(NULL, CLR_HANDLE_TYPES, NULL);
}

static void call_past_the_end(void *unused) {
    (void)unused;
    void (*const *table)(void) = (void (*const *)(void))(const void *)clr_handle_manager.table;
    table[sizeof(clr_manager_table) / sizeof(void *) + 3]();
}

static void misuse_ends_the_process(void **state) {
    (void)state;
    static const struct {
        void (*body)(void *);
        const char *message;
    } cases[] = {
        {free_twice, "is freed, and was not in use"},
        {free_foreign, "is no handle"},
        {make_of_no_type, "there is no type 12 of handles"},
        {call_past_the_end, "unknown slot 21"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        death result;
        death_run(&result, cases[i].body, NULL);
        assert_true(death_by_abort(&result));
        if (!strstr(result.message, cases[i].message)) fail_msg("case %zu said: %s", i, result.message);
        assert_non_null(strstr(result.message, "heapwright: "));
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_manager_has_one_store),
        TEST(a_handle_is_the_address_of_its_object),
        TEST(objects_are_stored_and_exchanged),
        TEST(some_types_have_an_extra_word),
        TEST(dependent_handles_have_a_second_object),
        TEST(handles_stay_where_they_are),
        TEST(threads_make_and_free_handles),
        TEST(a_collection_clears_what_each_type_lets_go),
        TEST(old_handles_are_passed_over),
        TEST(a_second_object_that_is_new_is_looked_at),
        TEST(chains_of_dependents_are_followed),
        TEST(chains_are_followed_without_memory),
        TEST(without_memory_there_is_no_handle),
        TEST(counted_handles_are_traced),
        TEST(misuse_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
