/* map and filter make no lists: examples/python/lazy_iteration.py in C. A function of Python's is one of C with a state, which is an object of the heap. */
#include "example.h"

enum { MILLION = 1000000 };

static hwr_result double_it(hwr_heap *in_heap, void *seen, const void *number, void **result) {
    if (!hwr_list_append(in_heap, seen, number)) return HWR_NO_MEMORY;
    return hwr_add(in_heap, number, number, result);
}

static hwr_result is_multiple_of_3(hwr_heap *in_heap, void *state, const void *number, bool *wanted) {
    (void)in_heap;
    (void)state;
    int64_t value;
    hwr_result result = hwr_int_get(number, &value);
    if (result == HWR_OK) *wanted = value % 3 == 0;
    return result;
}

static hwr_result to_str(hwr_heap *in_heap, void *state, const void *number, void **text) {
    (void)state;
    return hwr_repr(in_heap, number, text);
}

static size_t bytes_of_objects(void) {
    hwr_heap_stats stats;
    hwr_heap_get_stats(heap, &stats);
    return stats.object_bytes;
}

static int64_t next_int(void *iterator) {
    void *item;
    int64_t value;
    ok(hwr_next(heap, iterator, &item));
    ok(hwr_int_get(item, &value));
    hwr_release(heap, item);
    return value;
}

static void print_list_of(const char *before, void *iterable) {
    void *list;
    ok(hwr_list_of(heap, iterable, &list));
    print_repr(before, list);
    hwr_release(heap, list);
}

int main(void) {
    start();
    size_t before = bytes_of_objects();
    void *seen = made(hwr_list(heap, 0)), *numbers, *doubled, *even;
    ok(hwr_range(heap, 0, MILLION, 1, &numbers));
    ok(hwr_map(heap, double_it, seen, numbers, &doubled));
    ok(hwr_filter(heap, is_multiple_of_3, NULL, doubled, &even));
    size_t iterators = bytes_of_objects() - before;
    printf("a million numbers are promised, computed so far: %zu\n", hwr_list_length(seen));

    printf("the first three: ");
    for (int i = 0; i < 3; i++) printf("%lld%c", (long long)next_int(even), i < 2 ? ' ' : '\n');
    print_repr("computed for these:", seen);

    /* The values of the list take 4 bytes each. In Python references to them take 8, and the ints 28 more. */
    before = bytes_of_objects();
    void *in_a_list = made(hwr_list(heap, 0));
    for (int64_t i = 0; i < MILLION; i++)
        if (!hwr_list_append_int(heap, in_a_list, 2 * i)) ok(HWR_NO_MEMORY);
    printf("the list takes megabytes:       %s\n", yes(bytes_of_objects() - before > 4 * MILLION));
    printf("the iterators, under 200 bytes: %s\n", yes(iterators < 200));

    void *three, *few; /* what has been taken from an iterator is gone: it can be walked once */
    ok(hwr_range(heap, 0, 3, 1, &three));
    ok(hwr_map(heap, to_str, NULL, three, &few));
    print_list_of("first walk: ", few);
    print_list_of("second walk:", few);

    void *all[] = {seen, numbers, doubled, even, in_a_list, three, few};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) hwr_release(heap, all[i]);
    hwr_heap_close(heap);
    return 0;
}
