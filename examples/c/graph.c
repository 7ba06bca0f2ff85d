/* A graph with cycles, as a Python programmer would build it: every city knows its neighbours, so everything refers to everything.
 *
 * Objects that nobody holds die at once, by their counts. A graph that nobody holds any more keeps itself alive: each city is
 * held by its neighbours. That is what the collector is for. */
#include <heapwright.h>

#include <stdio.h>
#include <stdlib.h>

enum { NEIGHBOURS = 4, CITIES = 6 };

typedef struct City {
    struct City *neighbours[NEIGHBOURS];
    const char *name; /* not an object of the heap, so not among the references */
} City;

/* A field's name can be an element of an array. */
static const hwr_type city_type =
    HWR_TYPE(City, HWR_REFS(City, neighbours[0], neighbours[1], neighbours[2], neighbours[3]));

static hwr_heap *heap;

static City *new_city(const char *name) {
    City *city = hwr_new(heap, &city_type);
    if (!city) {
        fputs("graph: out of memory\n", stderr);
        exit(1);
    }
    city->name = name;
    return city;
}

/* The field gets a reference of its own; ours, if we have one, stays ours. */
static void add_neighbour(City *from, City *to) {
    int i = 0;
    while (from->neighbours[i]) i++;
    hwr_set(heap, from, &from->neighbours[i], to);
}

static void add_road(City *a, City *b) {
    add_neighbour(a, b);
    add_neighbour(b, a);
}

static size_t cities_alive(void) {
    hwr_heap_stats stats;
    hwr_heap_get_stats(heap, &stats);
    return stats.objects;
}

/* A road from each city to the next and back to the first; returns the first, which the caller owns. */
static City *build_ring(void) {
    static const char *const names[CITIES] = {"Aachen", "Bonn", "Cologne", "Dortmund", "Essen", "Frankfurt"};
    City *cities[CITIES];
    for (int i = 0; i < CITIES; i++) cities[i] = new_city(names[i]);
    for (int i = 0; i < CITIES; i++) add_road(cities[i], cities[(i + 1) % CITIES]);
    for (int i = 1; i < CITIES; i++) hwr_release(heap, cities[i]);
    return cities[0];
}

int main(void) {
    heap = hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options), .collector = HWR_COUNTING});
    if (!heap) return 1;

    City *alone = new_city("Atlantis");
    printf("cities alive:                         %zu\n", cities_alive());
    hwr_release(heap, alone);
    printf("... when nobody holds it:             %zu\n", cities_alive());

    City *start = build_ring();
    printf("a ring of cities:                     %zu\n", cities_alive());
    printf("references to %s:                 %zu (two neighbours, and us)\n", start->name, hwr_refcount(heap, start));
    printf("references to %s:                   %zu\n", start->neighbours[0]->name,
           hwr_refcount(heap, start->neighbours[0]));
    printf("collected while we hold one of them:  %zu\n", hwr_collect(heap, HWR_OLDEST));

    hwr_release(heap, start);
    printf("alive when nobody holds any of them:  %zu\n", cities_alive());
    printf("the collector finds:                  %zu\n", hwr_collect(heap, HWR_OLDEST));
    printf("alive after that:                     %zu\n", cities_alive());

    size_t most = 0;
    for (int i = 0; i < 10000; i++) {
        hwr_release(heap, build_ring());
        if (cities_alive() > most) most = cities_alive();
    }
    printf("60000 cities built and dropped; it collects by itself, so never more than 1000 alive: %s\n",
           most <= 1000 ? "true" : "false");
    hwr_heap_close(heap);
    return 0;
}
