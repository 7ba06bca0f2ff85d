/* Small integers are shared: examples/python/small_integers.py in C. They are the same ones, from -5 to 256, once for each heap. */
#include "example.h"

enum { COUNT = 1000 };

static bool is_same_object(const char *text) {
    void *a, *b;
    ok(hwr_int_parse(heap, text, strlen(text), 10, &a));
    ok(hwr_int_parse(heap, text, strlen(text), 10, &b));
    bool same = a == b;
    hwr_release(heap, a);
    hwr_release(heap, b);
    return same;
}

static size_t different_among(int64_t value) {
    void *ints[COUNT];
    for (int i = 0; i < COUNT; i++) ints[i] = made(hwr_int(heap, value));
    size_t different = different_objects(ints, COUNT);
    for (int i = 0; i < COUNT; i++) hwr_release(heap, ints[i]);
    return different;
}

int main(void) {
    static const char *const texts[] = {"-6", "-5", "0", "256", "257", "1000000"};
    start();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        printf("%8s computed twice: %s\n", texts[i], is_same_object(texts[i]) ? "one object" : "two objects");

    /* A list here needs no object even for large ones: a list of ints holds their values (sizes.c). */
    printf("different objects among 1000 times 7:    %zu\n", different_among(7));
    printf("different objects among 1000 times 7000: %zu\n", different_among(7000));
    hwr_heap_close(heap);
    return 0;
}
