/* What the examples of this folder share: a heap, and what is done about errors. A real program would return them; these end. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <heapwright.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hwr_heap *heap;

static inline void ok(hwr_result result) {
    if (result == HWR_OK) return;
    fprintf(stderr, "%s\n", hwr_result_text(result));
    exit(1);
}

/* What was to be made: NULL means that there was no memory. */
static inline void *made(void *object) {
    if (!object) ok(HWR_NO_MEMORY);
    return object;
}

static inline void start(void) {
    heap = made(hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options)}));
    if (!hwr_kinds_open(heap)) ok(HWR_NO_MEMORY);
}

static inline void *str(const char *utf8) {
    void *text;
    ok(hwr_str(heap, utf8, &text));
    return text;
}

/* print(before, repr(object)); for what has an ASCII one. */
static inline void print_repr(const char *before, const void *object) {
    void *text;
    ok(hwr_repr(heap, object, &text));
    printf("%s %s\n", before, hwr_str_ascii(text));
    hwr_release(heap, text);
}

static inline const char *yes(bool value) { return value ? "True" : "False"; }

static inline bool equal(const void *a, const void *b) {
    bool result;
    ok(hwr_equal(heap, a, b, &result));
    return result;
}

/* len(set(map(id, objects))) */
static inline size_t different_objects(void *const *objects, size_t count) {
    void *ids = made(hwr_set_new(heap, 0));
    for (size_t i = 0; i < count; i++) {
        void *id = made(hwr_int(heap, (int64_t)hwr_id(heap, objects[i])));
        ok(hwr_set_add(heap, ids, id, NULL));
        hwr_release(heap, id);
    }
    size_t different = hwr_set_length(ids);
    hwr_release(heap, ids);
    return different;
}

#endif
