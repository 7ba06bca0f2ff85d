/* Interned strings: examples/python/interning.py in C. hwr_str_intern is sys.intern; keys that are new in a dict by hwr_dict_set_text are interned, too. */
#include "example.h"

enum { COUNT = 30000 };

/* The objects are kept in an array of C, which owns them as a list would. */
static size_t objects_of_words(bool intern) {
    static const char *const words[] = {"red", "green", "blue"};
    static void *strs[COUNT];
    for (int i = 0; i < COUNT; i++) {
        strs[i] = str(words[i % 3]);
        if (intern && !hwr_str_intern(heap, &strs[i])) ok(HWR_NO_MEMORY);
    }
    size_t different = different_objects(strs, COUNT);
    for (int i = 0; i < COUNT; i++) hwr_release(heap, strs[i]);
    return different;
}

int main(void) {
    start();
    void *a = str("heapwright"), *b = str("heapwright");
    printf("equal?              %s\n", yes(equal(a, b)));
    printf("one object?         %s\n", yes(a == b));

    /* Replaces each by the one that stands for all equal ones, as long as somebody holds it. */
    if (!hwr_str_intern(heap, &a) || !hwr_str_intern(heap, &b)) ok(HWR_NO_MEMORY);
    printf("interned, one object? %s\n", yes(a == b));
    hwr_release(heap, a);
    hwr_release(heap, b);

    printf("objects in the plain list:    %zu\n", objects_of_words(false));
    printf("objects in the interned list: %zu\n", objects_of_words(true));
    hwr_heap_close(heap);
    return 0;
}
