/* random_tracing_threads OPS [FIRST_SEED]: several threads at once do OPS random operations each on one tracing or tiny heap, in every configuration. They build chains of
 * objects, whose tags follow from the first, and pass them on through global slots and through a shared array, so most of them are looked at, and dropped, by
 * another thread than the one that made them; threads end and new ones take their place all the time. In the end all that had a finalizer has been
 * finalized once, and nothing is left. */
#define _GNU_SOURCE
#include "heapwright/tracing.h"
#include "heapwright/weak.h"
#include "support/check.h"
#include "support/random.h"
#include "support/sanitizer.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

enum { THREADS = 3, SLOTS = 24, LIFE = 300, SHARED_LENGTH = 3000, LINKS_MOST = 120, HANDLES = 4 };

typedef struct link_object {
    struct link_object *next;
    struct link_object *other; /* any of the chain before it, or NULL */
    uint64_t tag;
} link_object;
static const hwr_type link_type = HWR_TYPE(link_object, HWR_REFS(link_object, next, other));

typedef struct chain_object { /* the head of a chain */
    link_object *first;
    uint64_t tag;
    size_t length;
    size_t finalized; /* how often */
} chain_object;

typedef struct shared_object {
    size_t length;
    chain_object *items[];
} shared_object;
static const hwr_type shared_type = HWR_TYPE(shared_object, HWR_REF_ITEMS(shared_object, length, items));

static atomic_size_t made, finalized;

static uint64_t next_tag(uint64_t tag) { return tag * 6364136223846793005u + 1442695040888963407u; }

static void check_chain(const chain_object *chain) {
    uint64_t tag = chain->tag;
    const link_object *link = chain->first;
    for (size_t i = 0; i < chain->length; i++, link = link->next) {
        tag = next_tag(tag);
        CHECK(link != NULL && link->tag == tag);
        CHECK(link->other == NULL || hwr_type_of(link->other) == &link_type);
    }
    CHECK(link == NULL);
}

static void finalize_chain(hwr_heap *heap, void *object) {
    chain_object *chain = object;
    check_chain(chain);
    CHECK(chain->finalized++ == 0);
    atomic_fetch_add(&finalized, 1);
    hwr_set(heap, chain, &chain->first, NULL);
    chain->length = 0;
    for (int i = 0; i < 5; i++) CHECK(hwr_new(heap, &link_type) != NULL);
}

static const hwr_type chain_type = HWR_TYPE(chain_object, HWR_REFS(chain_object, first), .finalize = finalize_chain);

typedef struct setting {
    hwr_options options;
    const char *name;
} setting;

typedef struct stage {
    hwr_heap *heap;
    bool scans; /* stacks are scanned, so locals may hold objects */
    pthread_mutex_t lock;
    chain_object *slots[SLOTS]; /* global ones */
    shared_object *shared;      /* the same */
} stage;

typedef struct actor {
    stage *stage;
    random_stream random;
    size_t operations;
} actor;

/* What a thread holds: a chain that it works on, and what it builds it from. */
typedef struct here {
    hwr_frame frame;
    chain_object *chain;
    link_object *links;
} here;
enum { HERE_SLOTS = 2 };

/* Nobody waits for this thread while it waits for the lock. */
static void lock(stage *s) {
    if (pthread_mutex_trylock(&s->lock) == 0) return;
    hwr_leave(s->heap);
    CHECK(pthread_mutex_lock(&s->lock) == 0);
    hwr_return(s->heap);
}

static void unlock(stage *s) { CHECK(pthread_mutex_unlock(&s->lock) == 0); }

/* Tags are found from the last to the first, so that the chain can be built from its end. */
static void build(actor *a, here *h) {
    hwr_heap *heap = a->stage->heap;
    size_t length = random_below(&a->random, LINKS_MOST);
    uint64_t tags[LINKS_MOST + 1] = {random_next(&a->random)};
    for (size_t i = 0; i < length; i++) tags[i + 1] = next_tag(tags[i]);
    h->links = NULL;
    for (size_t i = length; i > 0; i--) {
        link_object *link = hwr_new(heap, &link_type);
        CHECK(link != NULL);
        link->tag = tags[i];
        hwr_init(heap, link, &link->next, h->links);
        if (h->links != NULL) hwr_set(heap, link, &link->other, h->links->next);
        h->links = link;
    }
    h->chain = hwr_new(heap, &chain_type);
    CHECK(h->chain != NULL);
    h->chain->tag = tags[0];
    h->chain->length = length;
    hwr_init(heap, h->chain, &h->chain->first, h->links);
    h->links = NULL;
    atomic_fetch_add(&made, 1);
    check_chain(h->chain);
}

/* The same with local variables alone, where the stack is scanned. */
static chain_object *build_in_locals(actor *a) {
    hwr_heap *heap = a->stage->heap;
    chain_object *chain = hwr_new(heap, &chain_type);
    CHECK(chain != NULL);
    uint64_t tag = chain->tag = random_next(&a->random);
    atomic_fetch_add(&made, 1);
    link_object *last = NULL;
    for (size_t length = random_below(&a->random, LINKS_MOST); length > 0; length--) {
        link_object *link = hwr_new(heap, &link_type);
        CHECK(link != NULL);
        link->tag = tag = next_tag(tag);
        if (last == NULL)
            hwr_set(heap, chain, &chain->first, link);
        else
            hwr_set(heap, last, &last->next, link);
        chain->length++;
        last = link;
    }
    check_chain(chain);
    return chain;
}

static void swap_with_slot(actor *a, here *h) {
    stage *s = a->stage;
    size_t slot = random_below(&a->random, SLOTS);
    lock(s);
    chain_object *other = s->slots[slot];
    s->slots[slot] = h->chain;
    h->chain = other;
    unlock(s);
    if (h->chain != NULL) check_chain(h->chain);
}

static void swap_with_shared(actor *a, here *h) {
    stage *s = a->stage;
    size_t item = random_below(&a->random, SHARED_LENGTH);
    lock(s);
    chain_object *other = s->shared->items[item];
    hwr_set(s->heap, s->shared, &s->shared->items[item], h->chain);
    h->chain = other;
    unlock(s);
    if (h->chain != NULL) check_chain(h->chain);
}

static void clear_shared(actor *a) {
    stage *s = a->stage;
    size_t from = random_below(&a->random, SHARED_LENGTH);
    lock(s);
    for (size_t i = 0; i < SHARED_LENGTH / 4; i++)
        hwr_set(s->heap, s->shared, &s->shared->items[(from + i) % SHARED_LENGTH], NULL);
    unlock(s);
}

static void waste(actor *a) {
    for (size_t i = random_below(&a->random, 200); i > 0; i--) CHECK(hwr_new(a->stage->heap, &link_type) != NULL);
}

static void use_handles(actor *a, here *h) {
    hwr_heap *heap = a->stage->heap;
    if (h->chain == NULL) return;
    uint64_t id = hwr_id(heap, h->chain);
    hwr_handle *handles[HANDLES] = {hwr_handle_new_kind(heap, h->chain, HWR_HANDLE_WEAK_SHORT),
                                    hwr_handle_new_kind(heap, h->chain, HWR_HANDLE_WEAK_LONG),
                                    hwr_handle_new(heap, h->chain),
                                    hwr_handle_new_dependent(heap, h->chain, h->chain->first)};
    waste(a);
    for (size_t i = 0; i < HANDLES; i++) {
        CHECK(handles[i] != NULL && hwr_handle_get(heap, handles[i]) == h->chain);
        if (i == HANDLES - 1) CHECK(hwr_handle_second(heap, handles[i]) == h->chain->first);
        hwr_handle_free(heap, handles[i]);
    }
    CHECK(hwr_id(heap, h->chain) == id);
}

static void collect(actor *a) {
    size_t choice = random_below(&a->random, 20);
    hwr_collect_with(a->stage->heap,
                     choice < 14   ? 0
                     : choice < 18 ? 1
                                   : HWR_OLDEST,
                     (hwr_collection_mode)random_below(&a->random, 6));
}

static void rest(actor *a) {
    hwr_leave(a->stage->heap);
    sched_yield();
    hwr_return(a->stage->heap);
}

static void detach_for_a_while(actor *a, here *h) {
    hwr_heap *heap = a->stage->heap;
    h->chain = NULL;
    hwr_frame_pop(heap, &h->frame);
    hwr_thread_detach(heap);
    sched_yield();
    CHECK(hwr_thread_attach(heap));
    hwr_frame_push(heap, &h->frame, HERE_SLOTS);
}

static void do_one(actor *a, here *h) {
    size_t choice = random_below(&a->random, 100);
    if (choice < 20)
        build(a, h);
    else if (choice < 30 && a->stage->scans)
        h->chain = build_in_locals(a);
    else if (choice < 48)
        swap_with_slot(a, h);
    else if (choice < 66)
        swap_with_shared(a, h);
    else if (choice < 80)
        waste(a);
    else if (choice < 88)
        use_handles(a, h);
    else if (choice < 89)
        clear_shared(a);
    else if (choice < 92)
        collect(a);
    else if (choice < 95)
        rest(a);
    else if (choice < 97)
        detach_for_a_while(a, h);
    else
        hwr_poll(a->stage->heap);
    if (h->chain != NULL) check_chain(h->chain);
}

static void *act(void *argument) {
    actor *a = argument;
    hwr_heap *heap = a->stage->heap;
    CHECK(hwr_thread_attach(heap));
    here h = {.chain = NULL};
    hwr_frame_push(heap, &h.frame, HERE_SLOTS);
    for (size_t i = 0; i < LIFE && a->operations > 0; i++, a->operations--) do_one(a, &h);
    hwr_frame_pop(heap, &h.frame);
    if (a->operations % 2 == 0) hwr_thread_detach(heap); /* otherwise its end does */
    return NULL;
}

/* Lets the actors run, each as one thread after the other; the main thread has left meanwhile. */
static void perform(hwr_heap *heap, actor *actors) {
    pthread_t threads[THREADS];
    bool running[THREADS] = {false};
    hwr_leave(heap);
    for (bool any = true; any;) {
        any = false;
        for (size_t i = 0; i < THREADS; i++) {
            if (running[i]) pthread_join(threads[i], NULL);
            running[i] = actors[i].operations > 0;
            if (running[i]) CHECK(pthread_create(&threads[i], NULL, act, &actors[i]) == 0);
            any |= running[i];
        }
    }
    hwr_return(heap);
}

static bool count_object(void *context, void *object) {
    *(size_t *)context += hwr_type_of(object) == &link_type || hwr_type_of(object) == &chain_type;
    return true;
}

static void leave_nothing(stage *s) {
    memset(s->slots, 0, sizeof s->slots);
    s->shared = NULL;
    for (int i = 0; i < 2; i++) {
        hwr_collect(s->heap, HWR_OLDEST);
        hwr_wait_for_finalizers(s->heap);
        CHECK(hwr_heap_verify(s->heap, NULL));
    }
    CHECK(hwr_finalizers_pending(s->heap) == 0);
    CHECK(finalized <= made);
    if (s->scans) return;
    CHECK(finalized == made);
    hwr_collect(s->heap, HWR_OLDEST);
    size_t left = 0;
    CHECK(hwr_heap_walk(s->heap, count_object, &left));
    CHECK(left == 0);
}

static void run(const setting *with, size_t operations, uint64_t seed) {
    static stage s;
    s = (stage){.heap = hwr_heap_open(&with->options), .scans = with->options.roots == HWR_ROOTS_STACKS};
    CHECK(s.heap != NULL && pthread_mutex_init(&s.lock, NULL) == 0);
    made = finalized = 0;
    for (size_t i = 0; i < SLOTS; i++) CHECK(hwr_root_add(s.heap, &s.slots[i]));
    CHECK(hwr_root_add(s.heap, &s.shared));
    s.shared = hwr_new_items(s.heap, &shared_type, SHARED_LENGTH);
    CHECK(s.shared != NULL);
    actor actors[THREADS];
    for (uint64_t i = 0; i < THREADS; i++) actors[i] = (actor){&s, {seed * THREADS + i}, operations};
    perform(s.heap, actors);
    for (size_t i = 0; i < SLOTS; i++)
        if (s.slots[i] != NULL) check_chain(s.slots[i]);
    for (size_t i = 0; i < SHARED_LENGTH; i++)
        if (s.shared->items[i] != NULL) check_chain(s.shared->items[i]);
    CHECK(hwr_heap_verify(s.heap, NULL));
    leave_nothing(&s);
    for (size_t i = 0; i < SLOTS; i++) CHECK(hwr_root_remove(s.heap, &s.slots[i]));
    CHECK(hwr_root_remove(s.heap, &s.shared));
    hwr_heap_close(s.heap);
    pthread_mutex_destroy(&s.lock);
}

#define OPTIONS .size = sizeof(hwr_options), .collector = HWR_TRACING
#define TINY .size = sizeof(hwr_options), .collector = HWR_TINY
static const setting settings[] = {
    {{OPTIONS, .roots = HWR_ROOTS_EXACT, .nursery = 1 << 16}, "exact"},
    {{OPTIONS, .roots = HWR_ROOTS_STACKS, .nursery = 1 << 16}, "stacks"},
    {{OPTIONS, .roots = HWR_ROOTS_EXACT, .nursery = 1 << 14, .checked = true, .marking_threads = 2},
     "exact, checked, two markers"},
    {{OPTIONS, .roots = HWR_ROOTS_STACKS, .nursery = 1 << 14, .checked = true}, "stacks, checked"},
    {{OPTIONS, .roots = HWR_ROOTS_EXACT, .nursery = 1 << 16, .move_always = true}, "exact, moving"},
    {{OPTIONS, .roots = HWR_ROOTS_EXACT, .nursery = 1 << 16, .unmoving = true}, "exact, unmoving"},
    {{OPTIONS, .roots = HWR_ROOTS_STACKS, .nursery = 1 << 16, .unmoving = true}, "stacks, unmoving"},
    {{OPTIONS, .roots = HWR_ROOTS_EXACT, .nursery = 4096, .stress = 101}, "exact, stress"},
    {{TINY, .roots = HWR_ROOTS_EXACT}, "tiny, exact"},
    {{TINY, .roots = HWR_ROOTS_STACKS, .checked = true}, "tiny, stacks, checked"},
    {{TINY, .roots = HWR_ROOTS_EXACT, .stress = 101}, "tiny, exact, stress"},
};

int main(int count, char **arguments) {
    if (count != 2 && count != 3) {
        fprintf(stderr, "usage: random_tracing_threads OPS [FIRST_SEED]\n");
        return 2;
    }
    size_t operations = strtoul(arguments[1], NULL, 0) / (runs_slowly() ? 20 : 1);
    uint64_t seed = count == 3 ? strtoull(arguments[2], NULL, 0) : 0;
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++, seed++) {
        fprintf(stderr, "%s, seed %llu\n", settings[i].name, (unsigned long long)seed);
        run(&settings[i], operations, seed);
    }
    printf("%d threads did %zu operations each in every configuration\n", THREADS, operations);
    return 0;
}
