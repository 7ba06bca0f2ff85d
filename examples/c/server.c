/* A server under load: several threads answer requests, make objects for each, and share a cache of pages. Every thread is attached to one tracing heap, whose collections stop them all.
 *
 * Whoever waits for a lock cannot stop, so nobody makes an object while holding one: what is needed is made before. And who waits for long, as the main thread does here, leaves the heap meanwhile. */
#include <heapwright.h>

#include <pthread.h>
#include <stdio.h>

enum { THREADS = 4, REQUESTS = 40000, PAGES = 3000, PLACES = 1024, PARTS = 20 };

typedef struct Part {
    struct Part *next;
    uint64_t value;
} Part;
static const hwr_type part_type = HWR_TYPE(Part, HWR_REFS(Part, next));

typedef struct Page {
    Part *parts;
    uint64_t number;
} Page;
static const hwr_type page_type = HWR_TYPE(Page, HWR_REFS(Page, parts));

/* Each page has one place that it can be in, and takes it from the one that was there. */
typedef struct Cache {
    size_t length;
    Page *pages[];
} Cache;
static const hwr_type cache_type = HWR_TYPE(Cache, HWR_REF_ITEMS(Cache, length, pages));

static hwr_heap *heap;
static Cache *cache; /* a root */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t part_of_page(uint64_t number, uint64_t index) {
    return (number * 31 + index) * UINT64_C(0x9e3779b97f4a7c15);
}

/* What the cache saves: imagine a database. NULL without memory. */
static Page *make_page(uint64_t number) {
    Page *page = hwr_new(heap, &page_type);
    if (!page) return NULL;
    page->number = number;
    for (uint64_t i = 0; i < PARTS; i++) {
        Part *part = hwr_new(heap, &part_type);
        if (!part) return NULL;
        part->value = part_of_page(number, i);
        hwr_set(heap, part, &part->next, page->parts);
        hwr_set(heap, page, &page->parts, part);
    }
    return page;
}

static Page *find_page(uint64_t number) {
    pthread_mutex_lock(&lock);
    Page *page = cache->pages[number % PLACES];
    pthread_mutex_unlock(&lock);
    return page && page->number == number ? page : NULL;
}

static void keep_page(Page *page) {
    pthread_mutex_lock(&lock);
    hwr_set(heap, cache, &cache->pages[page->number % PLACES], page);
    pthread_mutex_unlock(&lock);
}

static bool is_right(const Page *page, uint64_t number) {
    uint64_t index = PARTS;
    for (const Part *part = page->parts; part; part = part->next)
        if (part->value != part_of_page(number, --index)) return false;
    return index == 0 && page->number == number;
}

static bool answer(uint64_t number) {
    Page *page = find_page(number);
    if (!page) {
        page = make_page(number);
        if (page) keep_page(page);
    }
    return page && is_right(page, number);
}

typedef struct Worker {
    pthread_t thread;
    uint64_t random;
    size_t answered;
} Worker;

static void *work(void *argument) {
    Worker *worker = argument;
    if (!hwr_thread_attach(heap)) return NULL;
    for (size_t i = 0; i < REQUESTS; i++) {
        worker->random = worker->random * UINT64_C(6364136223846793005) + 1;
        uint64_t any = worker->random >> 33;
        worker->answered += answer(any % 4 ? any % (PAGES / 10) : any % PAGES); /* some are asked for more often */
    }
    hwr_thread_detach(heap);
    return NULL;
}

int main(void) {
    static Worker workers[THREADS];
    size_t started = 0, answered = 0;
    heap = hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options), .collector = HWR_TRACING});
    if (!heap || !hwr_root_add(heap, &cache)) return 1;
    cache = hwr_new_items(heap, &cache_type, PLACES);
    if (!cache) return 1;
    for (; started < THREADS; started++) {
        workers[started].random = started + 1;
        if (pthread_create(&workers[started].thread, NULL, work, &workers[started]) != 0) break;
    }
    hwr_leave(heap);
    for (size_t i = 0; i < started; i++) pthread_join(workers[i].thread, NULL);
    hwr_return(heap);
    for (size_t i = 0; i < started; i++) answered += workers[i].answered;
    printf("threads: %zu\n", started);
    printf("right answers: %zu of %zu\n", answered, started * REQUESTS);
    printf("at least 10 collections: %s\n", hwr_collection_count(heap, 0) >= 10 ? "yes" : "no");
    hwr_collect(heap, HWR_OLDEST);
    const char *problem;
    printf("the heap verifies: %s\n", hwr_heap_verify(heap, &problem) ? "yes" : problem);
    hwr_heap_close(heap);
    return 0;
}
