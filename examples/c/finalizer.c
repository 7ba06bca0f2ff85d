/* Objects with finalizers: what is outside the heap (a file, a connection, here a number in a table of ours) is given back when its object dies.
 *
 * A finalizer runs once, before anything of the object is taken apart, so that it may use the object, and even keep it. */
#include <heapwright.h>

#include <stdio.h>
#include <stdlib.h>

typedef struct Connection {
    struct Connection *next;
    int number;
    bool open;
    bool wants_to_stay; /* its finalizer is to bring it back */
} Connection;

static hwr_handle *saved; /* where a finalizer puts an object that is to live on */

static void close_connection(hwr_heap *heap, void *object) {
    Connection *connection = object;
    printf("  finalizer of %d", connection->number);
    if (connection->next) printf(", which still leads to %d", connection->next->number);
    puts(connection->wants_to_stay ? ": kept" : "");
    connection->open = false;
    if (connection->wants_to_stay) hwr_handle_set(heap, saved, connection);
}

static const hwr_type connection_type = HWR_TYPE(Connection, HWR_REFS(Connection, next), .finalize = close_connection);

static hwr_heap *heap;

static Connection *new_connection(int number) {
    Connection *connection = hwr_new(heap, &connection_type);
    if (!connection) {
        fputs("finalizer: out of memory\n", stderr);
        exit(1);
    }
    connection->number = number;
    connection->open = true;
    return connection;
}

int main(void) {
    heap = hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options), .collector = HWR_COUNTING});
    saved = heap ? hwr_handle_new(heap, NULL) : NULL;
    if (!saved) return 1;

    puts("released by its only user, it ends at once:");
    hwr_release(heap, new_connection(1));

    puts("a chain, which ends from its beginning:");
    Connection *chain = NULL;
    for (int number = 4; number >= 2; number--) {
        Connection *first = new_connection(number);
        hwr_give(heap, first, &first->next, chain); /* the field takes over our reference */
        chain = first;
    }
    hwr_release(heap, chain);

    puts("resurrection: the finalizer stores its object, which lives on:");
    Connection *stays = new_connection(5);
    stays->wants_to_stay = true;
    hwr_release(heap, stays);
    stays = hwr_handle_get(heap, saved);
    printf("  %d is alive, its connection %s, finalized: %s\n", stays->number, stays->open ? "open" : "closed",
           hwr_is_finalized(heap, stays) ? "true" : "false");
    puts("released again, it ends without a word, since a finalizer runs once:");
    hwr_handle_set(heap, saved, NULL);

    puts("a cycle: the collector runs both finalizers before it takes either apart:");
    Connection *a = new_connection(6), *b = new_connection(6); /* which of them is first is not promised */
    hwr_set(heap, a, &a->next, b);
    hwr_set(heap, b, &b->next, a);
    hwr_release(heap, a);
    hwr_release(heap, b);
    size_t found = hwr_collect(heap, HWR_OLDEST);
    printf("  collected: %zu\n", found);

    hwr_counters counters;
    hwr_get_counters(heap, &counters);
    printf("finalizers run in all: %llu\n", (unsigned long long)counters.finalizers);
    hwr_handle_free(heap, saved);
    hwr_heap_close(heap);
    return 0;
}
