/* What objects cost: examples/python/sizes.py in C.
 *
 * hwr_sizeof is the size of one object alone; a list's items lie in another. So what things take is told here by the heap as a whole. The figures are other ones than Python's: a list
 * of ints or floats holds their values, in as few bytes as the widest needs, and an array has no advantage over it but that C can look into it. */
#include "example.h"

enum { COUNT = 10000 };

static size_t bytes_of_objects(void) {
    hwr_heap_stats stats;
    hwr_heap_get_stats(heap, &stats);
    return stats.object_bytes;
}

static hwr_result square(hwr_heap *in_heap, void *state, const void *number, void **result) {
    (void)state;
    return hwr_multiply(in_heap, number, number, result);
}

static int64_t sum(const void *iterable) {
    void *iterator, *item;
    int64_t result = 0, value;
    ok(hwr_iterate(heap, iterable, &iterator));
    while (hwr_next(heap, iterator, &item) == HWR_OK) {
        ok(hwr_int_get(item, &value));
        result += value;
        hwr_release(heap, item);
    }
    hwr_release(heap, iterator);
    return result;
}

/* A list has them all at once; an iterator has one at a time and remembers where it is. */
static void compare_with_iterator(void) {
    size_t before = bytes_of_objects();
    void *squares = made(hwr_list(heap, 0)), *numbers, *lazily;
    for (int64_t i = 0; i < COUNT; i++)
        if (!hwr_list_append_int(heap, squares, i * i)) ok(HWR_NO_MEMORY);
    size_t list_bytes = bytes_of_objects() - before;
    before = bytes_of_objects();
    ok(hwr_range(heap, 0, COUNT, 1, &numbers));
    ok(hwr_map(heap, square, NULL, numbers, &lazily));
    printf("list of %d numbers:  %zu bytes, with the numbers\n", COUNT, list_bytes);
    printf("generator of the same:   less than 300 bytes? %s\n", yes(bytes_of_objects() - before < 300));
    printf("they yield the same:     %s\n", yes(sum(squares) == sum(lazily)));
    hwr_release(heap, lazily);
    hwr_release(heap, numbers);
    hwr_release(heap, squares);
}

static void compare_with_array(void) {
    size_t before = bytes_of_objects();
    void *numbers = made(hwr_list(heap, 0)), *packed;
    for (int i = 0; i < COUNT; i++)
        if (!hwr_list_append_float(heap, numbers, i + 0.5)) ok(HWR_NO_MEMORY);
    size_t in_list = bytes_of_objects() - before;
    before = bytes_of_objects();
    ok(hwr_array(heap, 'd', COUNT, &packed));
    ok(hwr_array_extend(heap, packed, numbers));
    size_t in_array = bytes_of_objects() - before;
    printf("list of floats, with the floats:  %zu bytes\n", in_list);
    printf("array of the same floats:         %zu bytes\n", in_array);
    printf("an array takes less than a third: %s\n", yes(in_array * 3 < in_list));
    hwr_release(heap, packed);
    hwr_release(heap, numbers);
}

/* Growing lists get more room than they need now, so that appending rarely moves them. These hold references, to strs. */
static void show_growth(void) {
    void *text = str("text");
    size_t before = bytes_of_objects(), shown = 0;
    void *grown = made(hwr_list(heap, 0));
    printf("sizes of a list while 50 items are appended:");
    for (int i = 0; i < 50; i++) {
        if (!hwr_list_append(heap, grown, text)) ok(HWR_NO_MEMORY);
        size_t now = bytes_of_objects() - before;
        if (now != shown) printf(" %zu", now);
        shown = now;
    }
    puts("");
    hwr_release(heap, grown);
    hwr_release(heap, text);
}

int main(void) {
    start();
    compare_with_iterator();
    compare_with_array();
    show_growth();
    hwr_heap_close(heap);
    return 0;
}
