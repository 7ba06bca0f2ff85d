/* A cache with weak references: a document that is asked for twice is made once, as long as somebody uses it; the cache itself keeps
 * nothing alive. In Python this is weakref.WeakValueDictionary. */
#include <heapwright.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Document {
    struct Document *related; /* another document that this one keeps alive */
    int pages;
} Document;
static const hwr_type document_type = HWR_TYPE(Document, HWR_REFS(Document, related));

static hwr_heap *heap;
static hwr_handle *cache; /* a global, so a handle: it owns the table */

static void *or_exit(void *object) {
    if (object) return object;
    fputs("cache: out of memory\n", stderr);
    exit(1);
}

/* What the cache saves: imagine a database. The caller owns what it gets. */
static Document *load(const char *title) {
    printf("  loading %s\n", title);
    Document *document = or_exit(hwr_new(heap, &document_type));
    document->pages = (int)strlen(title);
    return document;
}

/* The caller owns what it gets, whether it was there already or not. */
static Document *open_document(const char *title) {
    hwr_weak_values *table = hwr_handle_get(heap, cache);
    Document *document = hwr_weak_values_get(heap, table, title, strlen(title));
    if (document) return document;
    document = load(title);
    if (!hwr_weak_values_set(heap, table, title, strlen(title), document)) or_exit(NULL);
    return document;
}

static void show_cache(const char *when) {
    printf("%-38s %zu in the cache\n", when, hwr_weak_values_count(heap, hwr_handle_get(heap, cache)));
}

/* Called when the document has gone: hwr_weak_get would return NULL. */
static void note_end(hwr_heap *in_heap, hwr_weak *weak, void *argument) {
    (void)in_heap;
    (void)weak;
    (void)argument;
    puts("  (nobody uses the atlas any more)");
}

int main(void) {
    heap = hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options), .collector = HWR_COUNTING});
    if (!heap) return 1;
    hwr_weak_values *table = or_exit(hwr_weak_values_new(heap));
    cache = or_exit(hwr_handle_new(heap, table));
    hwr_release(heap, table); /* the handle has a reference of its own */

    Document *atlas = open_document("atlas"), *again = open_document("atlas");
    printf("asked for twice, the same object:      %s\n", atlas == again ? "true" : "false");
    Document *novel = open_document("novel");
    show_cache("two documents in use:");

    hwr_weak *watch = or_exit(hwr_weak_new(heap, atlas, note_end, NULL));
    hwr_release(heap, again);
    show_cache("one of the atlas's two users is done:");
    hwr_release(heap, atlas);
    show_cache("the other one, too:");
    void *gone = hwr_weak_get(heap, watch);
    printf("the weak reference leads to:           %s\n", gone ? "an object" : "nothing");
    hwr_release(heap, watch);

    /* Two documents that keep each other alive are a cycle, in a cache as anywhere: they go when they are collected. */
    Document *guide = open_document("guide");
    hwr_set(heap, novel, &novel->related, guide);
    hwr_set(heap, guide, &guide->related, novel);
    hwr_release(heap, novel);
    hwr_release(heap, guide);
    show_cache("nobody uses the other two, a cycle:");
    size_t found = hwr_collect(heap, HWR_OLDEST);
    printf("collected, with the cache's own weak references to them: %zu\n", found);
    show_cache("after that:");

    hwr_release(heap, open_document("novel")); /* made anew, since it had gone */
    hwr_handle_free(heap, cache);
    hwr_heap_close(heap);
    return 0;
}
