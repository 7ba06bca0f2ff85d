/* An object's life on a tracing heap, as in C#: live, eligible (nothing leads to it, its finalizer is still to be called), finalized, collected. And one whose finalizer brings it back. */
#include <heapwright.h>

#include <stdio.h>
#include <stdlib.h>

typedef struct Connection {
    int number;
    int lives; /* how often its finalizer is to bring it back */
} Connection;

static hwr_heap *heap;
static hwr_handle *saved; /* where a finalizer puts an object that is to live on */

/* Called on a thread of the heap's, some time after a collection has found that nothing leads to the object. */
static void close_connection(hwr_heap *its_heap, void *object) {
    Connection *connection = object;
    printf("    finalizer of %d\n", connection->number);
    if (connection->lives-- == 0) return;
    hwr_handle_set(its_heap, saved, connection);
    if (!hwr_reregister_finalizer(its_heap, connection)) exit(1);
}

static const hwr_type connection_type = {
    .name = "Connection", .size = sizeof(Connection), .finalize = close_connection};

/* We hold the object by one handle, and watch it by two that do not keep it: the short one is cleared before the finalizer, the long one when the object is gone. */
typedef struct Watched {
    hwr_handle *strong, *before, *after;
} Watched;

static Watched new_watched(int number, int lives) {
    Connection *connection = hwr_new(heap, &connection_type);
    if (!connection) exit(1);
    connection->number = number;
    connection->lives = lives;
    Watched w = {hwr_handle_new(heap, connection), hwr_handle_new_kind(heap, connection, HWR_HANDLE_WEAK_SHORT),
                 hwr_handle_new_kind(heap, connection, HWR_HANDLE_WEAK_LONG)};
    if (!w.strong || !w.before || !w.after) exit(1);
    return w;
}

static void free_watched(Watched w) {
    hwr_handle_free(heap, w.strong);
    hwr_handle_free(heap, w.before);
    hwr_handle_free(heap, w.after);
}

static void report(const char *when, Watched w) {
    const char *state = "eligible: its finalizer is to be called";
    const Connection *connection = hwr_handle_get(heap, w.after);
    if (hwr_handle_get(heap, w.before))
        state = "live";
    else if (!connection)
        state = "collected";
    else if (hwr_is_finalized(heap, connection))
        state = "finalized";
    printf("  %s: %s (%zu in the queue)\n", when, state, hwr_finalizers_pending(heap));
}

static void collect(void) { hwr_collect_with(heap, HWR_OLDEST, HWR_COLLECT_FORCED); }

static void one_life(void) {
    Watched w = new_watched(1, 0);
    report("made", w);
    collect();
    report("held, after a collection", w);
    hwr_handle_set(heap, w.strong, NULL);
    report("let go", w);
    collect();
    report("after a collection", w);
    hwr_run_finalizers(heap, 0);
    report("after its finalizer", w);
    collect();
    report("after the next collection", w);
    free_watched(w);
}

static void three_lives(void) {
    Watched w = new_watched(2, 2);
    hwr_handle_free(heap, w.strong);
    w.strong = NULL;
    for (int life = 1; hwr_handle_get(heap, w.after); life++) {
        collect();
        hwr_wait_for_finalizers(heap);
        const Connection *connection = hwr_handle_get(heap, saved);
        printf("  life %d: %s\n", life, connection ? "brought back" : "not brought back");
        hwr_handle_set(heap, saved, NULL);
        if (!connection) collect();
    }
    puts("  and collected");
    free_watched(w);
}

/* Who is done with an object before the collector is says so: its finalizer need not be called. */
static void closed_in_time(void) {
    Watched w = new_watched(3, 0);
    hwr_suppress_finalizer(heap, hwr_handle_get(heap, w.strong));
    hwr_handle_set(heap, w.strong, NULL);
    collect();
    report("after a collection", w);
    free_watched(w);
}

/* On a heap whose finalizers are called when we ask, so that every state is to be seen; by default a thread of the heap's calls them. Nothing is held by local variables, so the stack need not be scanned. */
int main(void) {
    heap = hwr_heap_open(&(hwr_options){
        .size = sizeof(hwr_options), .collector = HWR_TRACING, .roots = HWR_ROOTS_EXACT, .manual_finalizers = true});
    saved = heap ? hwr_handle_new(heap, NULL) : NULL;
    if (!saved) return 1;
    puts("an object's life:");
    one_life();
    puts("one that comes back twice:");
    three_lives();
    puts("one whose finalizer was suppressed:");
    closed_in_time();
    hwr_counters counters;
    hwr_get_counters(heap, &counters);
    printf("finalizers called: %llu\n", (unsigned long long)counters.finalizers);
    hwr_handle_free(heap, saved);
    hwr_heap_close(heap);
    return 0;
}
