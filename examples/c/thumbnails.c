/* A cache with dependent handles: what has been computed from an object is kept as long as the object is, though it leads back to it, and neither knows of the cache. A table with weak keys would do on a
 * tracing heap (hwr_weak_keys); here it is written out. */
#include <heapwright.h>

#include <stdio.h>
#include <stdlib.h>

typedef struct Picture {
    int width;
} Picture;
static const hwr_type picture_type = HWR_LEAF(Picture);

typedef struct Thumbnail {
    Picture *of;
    int width;
} Thumbnail;
static const hwr_type thumbnail_type = HWR_TYPE(Thumbnail, HWR_REFS(Thumbnail, of));

enum { PLACES = 64, PICTURES = 10 };

/* Each handle leads from a picture to its thumbnail. A picture's place is found by its id, since its address changes. */
static hwr_heap *heap;
static hwr_handle *cache[PLACES];
static int computed;

static size_t place_of(Picture *picture) {
    size_t place = hwr_id(heap, picture) % PLACES;
    while (cache[place] && hwr_handle_get(heap, cache[place]) != picture) place = (place + 1) % PLACES;
    return place;
}

static Thumbnail *compute(Picture *picture) {
    struct {
        hwr_frame frame;
        Picture *picture; /* may move when a thumbnail is made */
    } here = {.picture = picture};
    hwr_frame_push(heap, &here.frame, 1);
    Thumbnail *thumbnail = hwr_new(heap, &thumbnail_type);
    if (!thumbnail) exit(1);
    thumbnail->width = here.picture->width / 10;
    hwr_set(heap, thumbnail, &thumbnail->of, here.picture);
    hwr_frame_pop(heap, &here.frame);
    computed++;
    return thumbnail;
}

static Thumbnail *thumbnail_of(Picture *picture) {
    size_t place = place_of(picture);
    if (cache[place]) return hwr_handle_second(heap, cache[place]);
    Thumbnail *thumbnail = compute(picture);
    cache[place] = hwr_handle_new_dependent(heap, thumbnail->of, thumbnail);
    if (!cache[place]) exit(1);
    return hwr_handle_second(heap, cache[place]);
}

/* Frees the places of pictures that are no more. Returns how many are left. */
static int tidy(void) {
    hwr_handle *left[PLACES];
    size_t count = 0;
    for (size_t i = 0; i < PLACES; i++) {
        if (cache[i] && hwr_handle_get(heap, cache[i]))
            left[count++] = cache[i];
        else
            hwr_handle_free(heap, cache[i]);
        cache[i] = NULL;
    }
    for (size_t i = 0; i < count; i++) cache[place_of(hwr_handle_get(heap, left[i]))] = left[i];
    return (int)count;
}

static void use_all(hwr_handle **pictures) {
    int widths = 0;
    for (int i = 0; i < PICTURES; i++) {
        Picture *picture = hwr_handle_get(heap, pictures[i]);
        if (picture) widths += thumbnail_of(picture)->width;
    }
    printf("thumbnails: %d wide together, %d computed so far, %d in the cache\n", widths, computed, tidy());
}

int main(void) {
    hwr_handle *pictures[PICTURES];
    heap =
        hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options), .collector = HWR_TRACING, .roots = HWR_ROOTS_EXACT});
    if (!heap) return 1;
    for (int i = 0; i < PICTURES; i++) {
        Picture *picture = hwr_new(heap, &picture_type);
        if (!picture) return 1;
        picture->width = 100 * (i + 1);
        pictures[i] = hwr_handle_new(heap, picture);
        if (!pictures[i]) return 1;
    }
    use_all(pictures);
    puts("asked again, after a collection that moved them all:");
    hwr_collect(heap, HWR_OLDEST);
    use_all(pictures);
    puts("three pictures are let go:");
    for (int i = 0; i < 3; i++) hwr_handle_set(heap, pictures[i], NULL);
    hwr_collect(heap, HWR_OLDEST);
    use_all(pictures);
    for (int i = 0; i < PICTURES; i++) hwr_handle_free(heap, pictures[i]);
    hwr_collect(heap, HWR_OLDEST);
    printf("all are let go: %d in the cache\n", tidy());
    hwr_heap_close(heap);
    return 0;
}
