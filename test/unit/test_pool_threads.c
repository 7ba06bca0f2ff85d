/* pool: shared pools under threads. Checks inside threads abort (check.h), those of the main thread are cmocka's. */
#define _GNU_SOURCE
#include "support/check.h"
#include "support/death.h"
#include "support/fixture.h"
#include "support/pattern.h"
#include "support/random.h"
#include "support/sanitizer.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const size_t MiB = (size_t)1 << 20;

static int rounds(int usual) { return runs_slowly() ? usual / 10 + 1 : usual; }

static pthread_t start(void *(*body)(void *), void *argument) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, body, argument) == 0);
    return thread;
}

static void run_and_join(void *(*body)(void *), void *argument) { pthread_join(start(body, argument), NULL); }

static size_t committed(hwr_pool *pool) {
    hwr_pool_stats stats;
    hwr_pool_get_stats(pool, &stats);
    return stats.committed;
}

/* A batch of blocks that one thread allocates and another frees. */
enum { BATCH = 3000 };

typedef struct batch {
    hwr_pool *pool;
    uint64_t seed;
    unsigned char *blocks[BATCH];
    size_t sizes[BATCH];
} batch;

static void *allocate_batch(void *argument) {
    batch *b = argument;
    random_stream stream = {b->seed};
    for (size_t i = 0; i < BATCH; i++) {
        b->sizes[i] = random_size(&stream) % 20000;
        b->blocks[i] = hwr_pool_alloc(b->pool, b->sizes[i]);
        CHECK(b->blocks[i] != NULL);
        pattern_fill(b->blocks[i], b->sizes[i], b->seed + i);
    }
    return NULL;
}

static void *free_batch(void *argument) {
    batch *b = argument;
    for (size_t k = 0; k < BATCH; k++) {
        size_t i = k * 7 % BATCH; /* not in order */
        CHECK(pattern_holds(b->blocks[i], b->sizes[i], b->sizes[i], b->seed + i));
        hwr_pool_free(b->pool, b->blocks[i]);
    }
    return NULL;
}

static void foreign_frees_come_home(void **state) {
    fixture *f = *state;
    static batch b;
    b.pool = f->pool;
    size_t after_warm_up = 0;
    int count = rounds(60);
    for (int round = 0; round < count; round++) {
        b.seed = (uint64_t)round;
        allocate_batch(&b);
        run_and_join(free_batch, &b);
        if (round == count / 3) after_warm_up = committed(f->pool);
    }
    fixture_expect_holding(f, 0, 0);
    assert_true(committed(f->pool) <= after_warm_up + 8 * MiB);
}

static void threads_may_leave_blocks_behind(void **state) {
    fixture *f = *state;
    static batch b[3];
    for (int round = 0; round < rounds(20); round++) {
        for (uint64_t i = 0; i < 3; i++) {
            b[i].pool = f->pool;
            b[i].seed = (uint64_t)round * 10000 + i * 100;
            run_and_join(allocate_batch, &b[i]);
        }
        free_batch(&b[1]);               /* by this thread */
        run_and_join(free_batch, &b[0]); /* by yet another */
        run_and_join(free_batch, &b[2]);
    }
    fixture_expect_holding(f, 0, 0);
}

/* Producers and consumers over a ring */

enum { RING = 512, PRODUCERS = 2, CONSUMERS = 2 };

typedef struct message {
    size_t size;
    uint64_t seed;
} message;

typedef struct ring {
    hwr_pool *pool;
    _Atomic(message *) slots[RING];
    atomic_int producing;
    int messages;
} ring;

static void *produce(void *argument) {
    ring *r = argument;
    random_stream stream = {(uint64_t)(uintptr_t)&stream};
    for (int i = 0; i < r->messages; i++) {
        size_t size = sizeof(message) + random_size(&stream) % 5000;
        message *m = hwr_pool_alloc(r->pool, size);
        CHECK(m != NULL);
        *m = (message){size, random_next(&stream)};
        pattern_fill(m + 1, size - sizeof *m, m->seed);
        message *expected = NULL;
        for (size_t slot = random_below(&stream, RING); !atomic_compare_exchange_strong(&r->slots[slot], &expected, m);
             slot = random_below(&stream, RING)) {
            expected = NULL;
            sched_yield();
        }
    }
    atomic_fetch_sub(&r->producing, 1);
    return NULL;
}

static void *consume(void *argument) {
    ring *r = argument;
    for (bool last = false;; last = atomic_load(&r->producing) == 0) {
        bool any = false;
        for (size_t slot = 0; slot < RING; slot++) {
            message *m = atomic_exchange(&r->slots[slot], NULL);
            if (m == NULL) continue;
            any = true;
            CHECK(hwr_pool_usable_size(r->pool, m) >= m->size);
            CHECK(hwr_pool_owns(r->pool, m));
            CHECK(pattern_holds(m + 1, m->size - sizeof *m, m->size - sizeof *m, m->seed));
            hwr_pool_free(r->pool, m);
        }
        if (!any && last) return NULL;
        if (!any) sched_yield();
    }
}

static void producers_feed_consumers(void **state) {
    fixture *f = *state;
    static ring r;
    memset(&r, 0, sizeof r);
    r.pool = f->pool;
    atomic_init(&r.producing, PRODUCERS);
    r.messages = rounds(30000);
    pthread_t threads[PRODUCERS + CONSUMERS];
    for (int i = 0; i < PRODUCERS + CONSUMERS; i++) threads[i] = start(i < PRODUCERS ? produce : consume, &r);
    for (int i = 0; i < PRODUCERS + CONSUMERS; i++) pthread_join(threads[i], NULL);
    fixture_expect_holding(f, 0, 0);
}

/* Threads that come and go */

static void *short_life(void *argument) {
    fixture *f = argument;
    unsigned char *blocks[100];
    for (size_t i = 0; i < 100; i++) {
        blocks[i] = hwr_pool_alloc(f->pool, i * 40);
        CHECK(blocks[i] != NULL);
        pattern_fill(blocks[i], i * 40, i);
    }
    for (size_t i = 0; i < 100; i++) {
        CHECK(pattern_holds(blocks[i], i * 40, i * 40, i));
        if (i != 50) hwr_pool_free(f->pool, blocks[i]);
    }
    return blocks[50]; /* left behind */
}

static void memory_of_ended_threads_is_adopted(void **state) {
    fixture *f = *state;
    size_t after_some = 0;
    enum { HELD = 20 };
    void *held[HELD] = {0};
    size_t threads = f->config.kind == HWR_RAW_SYSTEM ? 1000 : 300;
    for (size_t i = 0; i < threads; i++) {
        void *left = NULL;
        pthread_join(start(short_life, f), &left);
        hwr_pool_free(f->pool, held[i % HELD]);
        held[i % HELD] = left;
        if (i == 100) after_some = committed(f->pool);
    }
    if (committed(f->pool) > after_some + 4 * MiB)
        fail_msg("after 100 threads %zu bytes, after %zu %zu", after_some, threads, committed(f->pool));
    for (size_t i = 0; i < HELD; i++) hwr_pool_free(f->pool, held[i]);
    fixture_expect_holding(f, 0, 0);
}

static void memory_of_ended_threads_is_given_back(void **state) {
    fixture *f = *state;
    static batch b[4];
    pthread_t threads[4];
    for (uint64_t i = 0; i < 4; i++) {
        b[i].pool = f->pool;
        b[i].seed = i;
        threads[i] = start(allocate_batch, &b[i]);
    }
    for (size_t i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    size_t full = committed(f->pool);
    for (size_t i = 0; i < 4; i++) free_batch(&b[i]);
    hwr_pool_trim(f->pool, true);
    assert_true(full > 8 * MiB);
    if (!f->config.checked && committed(f->pool) > 5 * MiB)
        fail_msg("%zu of %zu bytes are kept though no thread uses them", committed(f->pool), full);
    fixture_expect_holding(f, 0, 0);
}

/* A thread that lives on while pools are opened and closed around it must not take a new pool for an old one. */
typedef struct guest {
    pthread_barrier_t turn;
    hwr_pool *pool;
    bool done;
} guest;

static void *visit_pools(void *argument) {
    guest *g = argument;
    for (;;) {
        pthread_barrier_wait(&g->turn);
        if (g->done) return NULL;
        for (size_t i = 0; i < 50; i++) {
            void *block = hwr_pool_alloc(g->pool, i * 30);
            CHECK(block != NULL && hwr_pool_owns(g->pool, block));
            memset(block, 1, i * 30);
            if (i % 2 == 0) hwr_pool_free(g->pool, block);
        }
        pthread_barrier_wait(&g->turn);
    }
}

static void threads_outlive_pools(void **state) {
    fixture *f = *state;
    hwr_pool_options options = fixture_options(f);
    guest g = {.done = false};
    pthread_barrier_init(&g.turn, NULL, 2);
    pthread_t thread = start(visit_pools, &g);
    for (int round = 0; round < rounds(200); round++) {
        g.pool = hwr_pool_open(&options);
        assert_non_null(g.pool);
        void *mine = hwr_pool_alloc(g.pool, 64);
        assert_non_null(mine);
        pthread_barrier_wait(&g.turn);
        pthread_barrier_wait(&g.turn);
        hwr_pool_stats stats;
        hwr_pool_get_stats(g.pool, &stats);
        assert_int_equal(stats.blocks, 26);
        assert_true(hwr_pool_verify(g.pool, NULL));
        hwr_pool_close(g.pool);
    }
    g.done = true;
    pthread_barrier_wait(&g.turn);
    pthread_join(thread, NULL); /* its end must not touch what is closed */
    pthread_barrier_destroy(&g.turn);
}

/* A destructor of the thread's own that runs after or before the pool's, and uses the pool in either case. */
static pthread_key_t late_key;
static fixture *late_fixture;

static void use_pool_late(void *value) {
    uintptr_t left = (uintptr_t)value;
    void *block = hwr_pool_alloc(late_fixture->pool, 200);
    CHECK(block != NULL);
    memset(block, 7, 200);
    hwr_pool_free(late_fixture->pool, block);
    void *large = hwr_pool_realloc(late_fixture->pool, NULL, 100000);
    CHECK(large != NULL);
    hwr_pool_free(late_fixture->pool, large);
    if (left > 1) pthread_setspecific(late_key, (void *)(left - 1));
}

static void *end_late(void *argument) {
    (void)argument;
    pthread_setspecific(late_key, (void *)3);
    short_life(late_fixture);
    return NULL;
}

static void destructors_may_use_the_pool(void **state) {
    if (UNDER_TSAN) {
        print_message("skipped: the thread sanitizer does not know a thread any more when its last destructors run\n");
        skip();
    }
    late_fixture = *state;
    assert_int_equal(pthread_key_create(&late_key, use_pool_late), 0);
    for (int i = 0; i < 50; i++) run_and_join(end_late, NULL);
    pthread_key_delete(late_key);
    hwr_pool_stats stats;
    hwr_pool_get_stats(late_fixture->pool, &stats);
    assert_int_equal(stats.blocks, 50);
    assert_true(hwr_pool_verify(late_fixture->pool, NULL));
}

/* Several shared pools at once, more than a thread is likely to remember in a fixed place. */

enum { POOLS = 40, WALKERS = 3 };

typedef struct walker {
    hwr_pool **pools;
    void *_Atomic *exchange; /* one place a pool, through which blocks change threads */
    uint64_t seed;
} walker;

static void *walk_pools(void *argument) {
    walker *w = argument;
    random_stream stream = {w->seed};
    for (int i = 0; i < rounds(20000); i++) {
        size_t p = random_below(&stream, POOLS);
        size_t size = random_size(&stream) % 3000 + sizeof(size_t);
        size_t *block = hwr_pool_alloc(w->pools[p], size);
        CHECK(block != NULL);
        *block = size;
        pattern_fill(block + 1, size - sizeof *block, p);
        size_t *other = atomic_exchange(&w->exchange[p], block);
        if (other == NULL) continue;
        CHECK(pattern_holds(other + 1, *other - sizeof *other, *other - sizeof *other, p));
        hwr_pool_free(w->pools[p], other);
    }
    return NULL;
}

static void many_pools_to_a_thread(void **state) {
    fixture *f = *state;
    static hwr_pool *pools[POOLS];
    static void *_Atomic exchange[POOLS];
    hwr_pool_options options = fixture_options(f);
    for (size_t i = 0; i < POOLS; i++) {
        pools[i] = hwr_pool_open(&options);
        assert_non_null(pools[i]);
        exchange[i] = NULL;
    }
    walker walkers[WALKERS];
    pthread_t threads[WALKERS];
    for (uint64_t i = 0; i < WALKERS; i++) {
        walkers[i] = (walker){pools, exchange, i};
        threads[i] = start(walk_pools, &walkers[i]);
    }
    for (size_t i = 0; i < WALKERS; i++) pthread_join(threads[i], NULL);
    for (size_t i = 0; i < POOLS; i++) {
        hwr_pool_stats stats;
        hwr_pool_get_stats(pools[i], &stats);
        assert_int_equal(stats.blocks, exchange[i] != NULL);
        hwr_pool_free(pools[i], exchange[i]);
        assert_true(hwr_pool_verify(pools[i], NULL));
        hwr_pool_close(pools[i]);
    }
}

/* Looking at and resizing other threads' blocks */

static void *inspect_batch(void *argument) {
    batch *b = argument;
    for (size_t i = 0; i < BATCH; i++) {
        size_t size = 0;
        CHECK(hwr_pool_find(b->pool, b->blocks[i] + b->sizes[i] / 2, &size) == b->blocks[i]);
        CHECK(size >= b->sizes[i] && size == hwr_pool_usable_size(b->pool, b->blocks[i]));
        CHECK(hwr_pool_owns(b->pool, b->blocks[i]));
        size_t new_size = i % 3 == 0 ? b->sizes[i] * 2 : i % 3 == 1 ? b->sizes[i] / 3 : b->sizes[i] + 1;
        unsigned char *block = hwr_pool_realloc(b->pool, b->blocks[i], new_size);
        CHECK(block != NULL);
        CHECK(pattern_holds(block, new_size < b->sizes[i] ? new_size : b->sizes[i], b->sizes[i], b->seed + i));
        b->blocks[i] = block;
        b->sizes[i] = new_size;
        pattern_fill(block, new_size, b->seed + i);
    }
    return NULL;
}

static void other_threads_blocks_can_be_inspected_and_resized(void **state) {
    fixture *f = *state;
    static batch b;
    b.pool = f->pool;
    b.seed = 5;
    allocate_batch(&b);
    run_and_join(inspect_batch, &b);
    inspect_batch(&b);
    free_batch(&b);
    fixture_expect_holding(f, 0, 0);
}

/* Trim, statistics and owns are allowed while others allocate. */

typedef struct worker {
    fixture *fixture;
    atomic_bool *stop;
    uint64_t seed;
} worker;

static void *keep_allocating(void *argument) {
    worker *w = argument;
    hwr_pool *pool = w->fixture->pool;
    random_stream stream = {w->seed};
    enum { SLOTS = 200 };
    unsigned char *blocks[SLOTS] = {0};
    size_t sizes[SLOTS] = {0};
    while (!atomic_load(w->stop)) {
        size_t i = random_below(&stream, SLOTS);
        CHECK(pattern_holds(blocks[i], sizes[i], sizes[i], w->seed + i));
        hwr_pool_free(pool, blocks[i]);
        sizes[i] = random_size(&stream) % 100000;
        blocks[i] = hwr_pool_alloc(pool, sizes[i]);
        CHECK(blocks[i] != NULL);
        pattern_fill(blocks[i], sizes[i], w->seed + i);
    }
    for (size_t i = 0; i < SLOTS; i++) hwr_pool_free(pool, blocks[i]);
    return NULL;
}

enum { WORKERS = 3 };

static void start_workers(fixture *f, worker *workers, pthread_t *threads, atomic_bool *stop) {
    atomic_init(stop, false);
    for (uint64_t i = 0; i < WORKERS; i++) {
        workers[i] = (worker){f, stop, i * 1000};
        threads[i] = start(keep_allocating, &workers[i]);
    }
}

static void stop_workers(pthread_t *threads, atomic_bool *stop) {
    atomic_store(stop, true);
    for (size_t i = 0; i < WORKERS; i++) pthread_join(threads[i], NULL);
}

static void trims_and_counts_while_others_allocate(void **state) {
    fixture *f = *state;
    worker workers[WORKERS];
    pthread_t threads[WORKERS];
    atomic_bool stop;
    start_workers(f, workers, threads, &stop);
    unsigned char *mine = hwr_pool_alloc(f->pool, 500);
    size_t plausible = 10 * (1 + WORKERS * 201); /* while pages are counted, blocks move from page to page */
    for (int i = 0; i < rounds(300); i++) {
        hwr_pool_trim(f->pool, i % 2 == 0);
        hwr_pool_stats stats;
        hwr_pool_get_stats(f->pool, &stats);
        CHECK(stats.blocks <= plausible);
        hwr_pool_class_stats class;
        for (unsigned number = 0; hwr_pool_get_class_stats(f->pool, number, &class); number++)
            CHECK(class.blocks <= plausible);
        CHECK(hwr_pool_owns(f->pool, mine + 100) && !hwr_pool_owns(f->pool, &stats));
        sched_yield();
    }
    stop_workers(threads, &stop);
    hwr_pool_free(f->pool, mine);
    fixture_expect_holding(f, 0, 0);
}

/* fork */

static _Noreturn void live_in_child(fixture *f, batch *b) {
    alarm(60);
    free_batch(b); /* the parent's blocks */
    static batch own;
    own.pool = f->pool;
    own.seed = 99;
    allocate_batch(&own);
    hwr_pool_trim(f->pool, true);
    free_batch(&own);
    void *large = hwr_pool_alloc(f->pool, 5 * MiB);
    CHECK(large != NULL);
    hwr_pool_free(f->pool, large);
    death_exit(0);
}

static void the_child_of_a_fork_goes_on(void **state) {
    fixture *f = *state;
    worker workers[WORKERS];
    pthread_t threads[WORKERS];
    atomic_bool stop;
    start_workers(f, workers, threads, &stop);
    static batch b;
    b.pool = f->pool;
    b.seed = 3;
    allocate_batch(&b);
    for (int i = 0; i < rounds(10); i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) live_in_child(f, &b);
        int status = 0;
        while (waitpid(child, &status, 0) < 0) CHECK(errno == EINTR);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    stop_workers(threads, &stop);
    free_batch(&b);
    fixture_expect_holding(f, 0, 0);
}

/* After a fork from a quiet process the child's pool is whole, and the memory of the threads that are not there is still of use. */
static _Noreturn void take_over_in_child(fixture *f, batch *b) {
    alarm(60);
    CHECK(hwr_pool_verify(f->pool, NULL));
    size_t before = committed(f->pool);
    free_batch(b);
    CHECK(hwr_pool_verify(f->pool, NULL));
    hwr_pool_stats stats;
    hwr_pool_get_stats(f->pool, &stats);
    CHECK(stats.blocks == 0);
    for (int i = 0; i < 5; i++) {
        allocate_batch(b);
        free_batch(b);
    }
    CHECK(committed(f->pool) <= before + 8 * MiB);
    hwr_pool_close(f->pool);
    death_exit(0);
}

static void *wait_for_end(void *argument) {
    void **arguments = argument;
    allocate_batch(arguments[0]);
    pthread_barrier_wait(arguments[1]);
    pthread_barrier_wait(arguments[1]);
    free_batch(arguments[0]);
    return NULL;
}

static void a_child_inherits_what_other_threads_had(void **state) {
    fixture *f = *state;
    static batch b;
    b.pool = f->pool;
    b.seed = 4;
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_t thread = start(wait_for_end, (void *[]){&b, &barrier});
    pthread_barrier_wait(&barrier);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) take_over_in_child(f, &b);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    pthread_barrier_wait(&barrier);
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&barrier);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    fixture_expect_holding(f, 0, 0);
}

/* Without memory */

static void *expect_refusal(void *argument) {
    fixture *f = argument;
    void *block = hwr_pool_alloc(f->pool, 3000);
    void *zeroed = hwr_pool_alloc_zeroed(f->pool, 1, 3000);
    void *resized = hwr_pool_realloc(f->pool, NULL, 3000);
    CHECK(block == NULL && zeroed == NULL && resized == NULL);
    hwr_raw_inject_fault(f->backend.raw, 0, 0, false);
    block = hwr_pool_alloc(f->pool, 3000);
    CHECK(block != NULL);
    hwr_pool_free(f->pool, block);
    return NULL;
}

static void a_new_thread_without_memory_is_refused(void **state) {
    fixture *f = *state;
    hwr_raw_inject_fault(f->backend.raw, HWR_FAULT_ALL, 1, true);
    run_and_join(expect_refusal, f);
    fixture_expect_holding(f, 0, 0);
}

int main(void) {
    static const fixture_test tests[] = {
        FIXTURE_TEST(foreign_frees_come_home, FIXTURE_SHARED),
        FIXTURE_TEST(threads_may_leave_blocks_behind, FIXTURE_SHARED),
        FIXTURE_TEST(producers_feed_consumers, FIXTURE_SHARED),
        FIXTURE_TEST(memory_of_ended_threads_is_adopted, FIXTURE_SHARED),
        FIXTURE_TEST(memory_of_ended_threads_is_given_back, FIXTURE_SHARED),
        FIXTURE_TEST(threads_outlive_pools, FIXTURE_SHARED),
        FIXTURE_TEST(destructors_may_use_the_pool, FIXTURE_SHARED),
        FIXTURE_TEST(many_pools_to_a_thread, FIXTURE_SHARED | FIXTURE_SYSTEM),
        FIXTURE_TEST(other_threads_blocks_can_be_inspected_and_resized, FIXTURE_SHARED),
        FIXTURE_TEST(trims_and_counts_while_others_allocate, FIXTURE_SHARED),
        FIXTURE_TEST(the_child_of_a_fork_goes_on, FIXTURE_SHARED),
        FIXTURE_TEST(a_child_inherits_what_other_threads_had, FIXTURE_SHARED),
        FIXTURE_TEST(a_new_thread_without_memory_is_refused, FIXTURE_SHARED),
    };
    return fixture_run("shared pools", tests, sizeof tests / sizeof tests[0]);
}
