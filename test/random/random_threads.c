/* random_threads OPS [FIRST_SEED]: several threads at once do OPS random operations each on one shared pool, in every configuration. Blocks pass from thread to
 * thread through a table of slots, so most are freed by another thread than the one that allocated them; threads end and new ones take their
 * place all the time. What a block holds says how large it is and what it was filled with. */
#define _GNU_SOURCE
#include "heapwright/pool.h"
#include "support/backend.h"
#include "support/check.h"
#include "support/pattern.h"
#include "support/random.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, SLOTS = 400, LIFE = 700 };

typedef struct head {
    size_t size; /* of the whole block */
    uint64_t fill;
} head;

typedef struct stage {
    hwr_pool *pool;
    hwr_raw *raw;
    _Atomic(head *) slots[SLOTS];
} stage;

typedef struct actor {
    stage *stage;
    random_stream random;
    size_t operations;
} actor;

static void fill(actor *a, head *h, size_t size) {
    *h = (head){size, random_next(&a->random)};
    pattern_fill(h + 1, size - sizeof *h, h->fill);
}

static void check(const head *h) { CHECK(pattern_holds(h + 1, h->size - sizeof *h, h->size - sizeof *h, h->fill)); }

static head *take(actor *a) { return atomic_exchange(&a->stage->slots[random_below(&a->random, SLOTS)], NULL); }

/* Into a slot at random; what was there is freed. */
static void put(actor *a, head *h) {
    head *old = atomic_exchange(&a->stage->slots[random_below(&a->random, SLOTS)], h);
    if (old != NULL) {
        check(old);
        hwr_pool_free(a->stage->pool, old);
    }
}

static void allocate(actor *a) {
    size_t size = sizeof(head) + random_size(&a->random);
    hwr_pool *pool = a->stage->pool;
    head *h;
    switch (random_below(&a->random, 8)) {
    case 0: h = hwr_pool_alloc_zeroed(pool, 1, size); break;
    case 1: h = hwr_pool_alloc_aligned(pool, size, (size_t)8 << random_below(&a->random, 12)); break;
    default: h = hwr_pool_alloc(pool, size); break;
    }
    if (h == NULL) return; /* a fault was injected; the counts at the end say whether anything was lost */
    CHECK(hwr_pool_usable_size(pool, h) >= size);
    fill(a, h, size);
    put(a, h);
}

static void release(actor *a) {
    head *h = take(a);
    if (h != NULL) check(h);
    hwr_pool_free(a->stage->pool, h);
}

static void resize(actor *a) {
    head *h = take(a);
    if (h == NULL) return;
    head old = *h;
    size_t size = sizeof(head) + random_size(&a->random);
    head *moved = hwr_pool_realloc(a->stage->pool, h, size);
    if (moved == NULL) {
        check(h);
        put(a, h);
        return;
    }
    size_t kept = (size < old.size ? size : old.size) - sizeof old;
    CHECK(pattern_holds(moved + 1, kept, old.size - sizeof old, old.fill));
    fill(a, moved, size);
    put(a, moved);
}

static void inspect(actor *a) {
    head *h = take(a);
    if (h == NULL) return;
    const char *inside = (const char *)h + random_below(&a->random, h->size);
    CHECK(hwr_pool_usable_size(a->stage->pool, h) >= h->size);
    CHECK(hwr_pool_owns(a->stage->pool, inside) && !hwr_pool_owns(a->stage->pool, &inside));
    check(h);
    put(a, h);
}

static void disturb(actor *a) {
    hwr_pool_stats stats;
    switch (random_below(&a->random, 6)) {
    case 0: hwr_pool_trim(a->stage->pool, true); break;
    case 1: hwr_pool_trim(a->stage->pool, false); break;
    case 2: hwr_raw_inject_fault(a->stage->raw, HWR_FAULT_ALL, 1 + random_below(&a->random, 3), false); break;
    default:
        hwr_pool_get_stats(a->stage->pool, &stats);
        CHECK(stats.blocks <= 10 * SLOTS); /* while pages are counted, blocks move from page to page */
    }
}

static void *act(void *argument) {
    actor *a = argument;
    for (size_t i = 0; i < LIFE && a->operations > 0; i++, a->operations--) {
        size_t choice = random_below(&a->random, 100);
        if (choice < 55)
            allocate(a);
        else if (choice < 75)
            release(a);
        else if (choice < 90)
            resize(a);
        else if (choice < 99)
            inspect(a);
        else
            disturb(a);
    }
    return NULL;
}

/* Lets the actors run, each as one thread after the other. */
static void perform(actor *actors) {
    pthread_t threads[THREADS];
    bool running[THREADS] = {false};
    for (bool any = true; any;) {
        any = false;
        for (size_t i = 0; i < THREADS; i++) {
            if (running[i]) pthread_join(threads[i], NULL);
            running[i] = actors[i].operations > 0;
            if (running[i]) CHECK(pthread_create(&threads[i], NULL, act, &actors[i]) == 0);
            any |= running[i];
        }
    }
}

static void run(hwr_raw_kind kind, unsigned granularity, bool checked, size_t operations, uint64_t seed) {
    static stage s;
    backend raw;
    backend_open(&raw, kind, 0);
    memset(&s, 0, sizeof s);
    s.raw = raw.raw;
    s.pool = hwr_pool_open(&(hwr_pool_options){.size = sizeof(hwr_pool_options),
                                               .raw = raw.raw,
                                               .granularity = granularity,
                                               .shared = true,
                                               .checked = checked,
                                               .give_back_ms = seed % 2 == 0 ? 1 : 0});
    CHECK(s.pool != NULL);
    actor actors[THREADS];
    for (uint64_t i = 0; i < THREADS; i++) actors[i] = (actor){&s, {seed * THREADS + i}, operations};
    perform(actors);
    size_t left = 0, bytes = 0;
    for (size_t i = 0; i < SLOTS; i++)
        if (s.slots[i] != NULL) {
            check(s.slots[i]);
            left++;
            bytes += hwr_pool_usable_size(s.pool, s.slots[i]);
        }
    hwr_raw_inject_fault(raw.raw, 0, 0, false);
    hwr_pool_stats stats;
    hwr_pool_get_stats(s.pool, &stats);
    CHECK(stats.blocks == left && stats.bytes == bytes);
    CHECK(hwr_pool_verify(s.pool, NULL));
    for (size_t i = 0; i < SLOTS; i++)
        if (i % 3 != 0) hwr_pool_free(s.pool, s.slots[i]);
    CHECK(hwr_pool_verify(s.pool, NULL));
    hwr_pool_close(s.pool);
    backend_close(&raw);
}

int main(int count, char **arguments) {
    if (count != 2 && count != 3) {
        fprintf(stderr, "usage: random_threads OPS [FIRST_SEED]\n");
        return 2;
    }
    size_t operations = strtoul(arguments[1], NULL, 0);
    uint64_t seed = count == 3 ? strtoull(arguments[2], NULL, 0) : 0;
    for (int kind = 0; kind < BACKEND_KINDS; kind++)
        for (unsigned granularity = 8; granularity <= 16; granularity += 8)
            for (int checked = 0; checked < 2; checked++) {
                fprintf(stderr, "%s, granularity %u%s, seed %llu\n", backend_name((hwr_raw_kind)kind), granularity,
                        checked ? ", checked" : "", (unsigned long long)seed);
                run((hwr_raw_kind)kind, granularity, checked != 0, operations, seed++);
            }
    printf("%d threads did %zu operations each in every configuration\n", THREADS, operations);
    return 0;
}
