/* Two variables, one object: examples/python/names_and_objects.py in C.
 *
 * A Python name refers to an object and counts as a reference to it. A C variable is a pointer; that it owns a reference is a matter of writing hwr_retain when there is one
 * more, and hwr_release when it is done with. */
#include "example.h"

int main(void) {
    start();
    void *first = made(hwr_list(heap, 0));
    for (int64_t i = 1; i <= 3; i++)
        if (!hwr_list_append_int(heap, first, i)) ok(HWR_NO_MEMORY);
    void *second = first;     /* another pointer, not another list ... */
    hwr_retain(heap, second); /* ... and a reference of its own */
    printf("one object?        %s\n", yes(first == second));
    printf("the same identity? %s\n", yes(hwr_id(heap, first) == hwr_id(heap, second)));

    if (!hwr_list_append_int(heap, second, 4)) ok(HWR_NO_MEMORY);
    print_repr("seen through both:", first);

    void *third; /* this makes a second list */
    ok(hwr_list_slice(heap, first, 0, SIZE_MAX, &third));
    printf("equal?             %s\n", yes(equal(third, first)));
    printf("one object?        %s\n", yes(third == first));

    /* While it lives, no other object can have the same id; it need not be an address. */
    printf("the id of a list:  %s\n", hwr_id(heap, first) != 0 ? "a number" : "none");
    hwr_release(heap, third);
    hwr_release(heap, second);
    hwr_release(heap, first);
    hwr_heap_close(heap);
    return 0;
}
