/* Weak references: examples/python/weak_references.py in C. */
#include "example.h"

typedef struct Picture {
    void *name; /* a str */
} Picture;
static const hwr_type picture_type = HWR_TYPE(Picture, HWR_REFS(Picture, name));

static Picture *new_picture(const char *name) {
    Picture *picture = made(hwr_new(heap, &picture_type));
    hwr_init(heap, picture, &picture->name, str(name)); /* a new field takes over the reference */
    return picture;
}

static void tell(hwr_heap *in_heap, hwr_weak *weak, void *what) {
    (void)in_heap;
    (void)weak;
    printf("   told: %s\n", hwr_str_ascii(what));
}

static hwr_weak *watch(Picture *picture, const char *what) {
    void *text = str(what);
    hwr_weak *weak = made(hwr_weak_new(heap, picture, tell, text)); /* keeps the text, and not the picture */
    hwr_release(heap, text);
    return weak;
}

static void show(hwr_weak *weak) {
    Picture *picture = hwr_weak_get(heap, weak); /* a reference of ours, or NULL */
    printf("the object through it:    %s\n", picture ? hwr_str_ascii(picture->name) : "None");
    hwr_release(heap, picture);
}

/* weakref.WeakValueDictionary: keeps what somebody else is using, and no more. */
static Picture *load(hwr_weak_values *cache, const char *name) {
    Picture *picture = hwr_weak_values_get(heap, cache, name, strlen(name));
    if (picture) return picture;
    printf("   loading %s\n", name);
    picture = new_picture(name);
    if (!hwr_weak_values_set(heap, cache, name, strlen(name), picture)) ok(HWR_NO_MEMORY);
    return picture;
}

int main(void) {
    start();
    Picture *picture = new_picture("sunset");
    hwr_weak *weak = watch(picture, "the picture is gone");
    show(weak);
    printf("references that count:    %zu\n", hwr_refcount(heap, picture));
    printf("weak references:          %zu\n", hwr_weak_count(heap, picture));
    puts("the last name goes");
    hwr_release(heap, picture);
    show(weak);
    hwr_release(heap, weak);

    hwr_weak_values *cache = made(hwr_weak_values_new(heap));
    Picture *one = load(cache, "beach"), *two = load(cache, "beach"); /* not loaded again */
    printf("one picture?              %s\n", yes(one == two));
    printf("in the cache:             %zu\n", hwr_weak_values_count(heap, cache));
    hwr_release(heap, one);
    hwr_release(heap, two);
    printf("nobody uses it, in cache: %zu\n", hwr_weak_values_count(heap, cache));
    hwr_release(heap, cache);

    /* Something to be done when an object ends. */
    picture = new_picture("forest");
    weak = watch(picture, "forest can be cleaned up");
    hwr_release(heap, picture);
    hwr_release(heap, weak);
    hwr_heap_close(heap);
    return 0;
}
