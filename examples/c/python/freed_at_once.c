/* A count that falls to zero frees the object at once: examples/python/freed_at_once.py in C. A class with __del__ is a type with a finalizer. */
#include "example.h"

typedef struct Thing {
    const char *name; /* not an object of the heap */
} Thing;

static void say_so(hwr_heap *in_heap, void *thing) {
    (void)in_heap;
    printf("   %s is freed\n", ((Thing *)thing)->name);
}

static const hwr_type thing_type = {.name = "Thing", .size = sizeof(Thing), .finalize = say_so};

static Thing *new_thing(const char *name) {
    Thing *thing = made(hwr_new(heap, &thing_type));
    thing->name = name;
    return thing;
}

static void work(void) {
    Thing *local = new_thing("a local");
    puts("   working");
    hwr_release(heap, local); /* in C nobody does it for us */
}

int main(void) {
    start();
    puts("one thing, two names");
    Thing *thing = new_thing("the first"), *other = thing;
    hwr_retain(heap, other);
    puts("the first name goes");
    hwr_release(heap, thing);
    puts("the second name goes");
    hwr_release(heap, other);
    puts("this line comes after it");

    puts("a function's objects end with the function");
    work();
    puts("back from the function");

    /* The next object of that size gets the memory that has just become free: in the folder above, pool.c. (A checked heap keeps it for a while, to find who uses it still.) */
    thing = new_thing("an old one");
    uintptr_t place = (uintptr_t)thing;
    hwr_release(heap, thing);
    thing = new_thing("a new one");
    printf("does it lie where the old one lay? %s\n", yes((uintptr_t)thing == place));
    hwr_release(heap, thing);
    hwr_heap_close(heap);
    return 0;
}
