/* Reference counts: examples/python/reference_counts.py in C.
 *
 * A variable that owns a reference, an item of a list, a value in a dict each count as one. What is passed to a function does not: the caller has a reference for as long as the call
 * takes. So there is one number less here than in Python. */
#include "example.h"

typedef struct Thing {
    int nothing;
} Thing;
static const hwr_type thing_type = HWR_LEAF(Thing);

static Thing *thing;

static void show(const char *what) { printf("%-34s %zu\n", what, hwr_refcount(heap, thing)); }

static void borrow(const Thing *argument) {
    (void)argument;
    show("an argument, during a call");
}

int main(void) {
    start();
    thing = made(hwr_new(heap, &thing_type));
    show("one name");

    Thing *other = thing;
    hwr_retain(heap, other);
    show("a second name");

    void *shelf = made(hwr_list(heap, 0));
    for (int i = 0; i < 3; i++)
        if (!hwr_list_append(heap, shelf, thing)) ok(HWR_NO_MEMORY);
    show("three items of a list");

    void *box = made(hwr_dict(heap, 0));
    ok(hwr_dict_set_text(heap, box, "key", thing));
    show("a value in a dict");

    borrow(thing);
    show("after the call");

    void *deleted;
    ok(hwr_list_pop(heap, shelf, 0, &deleted)); /* gives us the list's reference */
    hwr_release(heap, deleted);
    show("one item deleted");

    hwr_release(heap, shelf);
    show("the list gone");

    hwr_dict_clear(heap, box);
    hwr_release(heap, other);
    show("the dict empty, the name reused");

    hwr_release(heap, box);
    hwr_release(heap, thing);
    hwr_heap_close(heap);
    return 0;
}
