#include "object/side_table.h"

#include <string.h>

enum { LEAST_ROOM = 16 };

/* Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4): addresses differ in their middle bits. */
static size_t home(const hwri_side_table *table, const void *object) {
    return (size_t)(((uint64_t)(uintptr_t)object * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (table->room - 1);
}

static hwri_side_entry *place_of(const hwri_side_table *table, const void *object) {
    size_t i = home(table, object);
    while (table->places[i].object && table->places[i].object != object) i = (i + 1) & (table->room - 1);
    return &table->places[i];
}

uintptr_t *hwri_side_find(const hwri_side_table *table, const void *object) {
    if (!table->room) return NULL;
    hwri_side_entry *place = place_of(table, object);
    return place->object ? &place->value : NULL;
}

static bool grow(hwri_side_table *table) {
    hwri_side_table bigger = {.pool = table->pool, .room = table->room ? table->room * 2 : LEAST_ROOM};
    bigger.places = hwr_pool_alloc_zeroed(table->pool, bigger.room, sizeof *bigger.places);
    if (!bigger.places) return false;
    for (size_t i = 0; i < table->room; i++)
        if (table->places[i].object) *place_of(&bigger, table->places[i].object) = table->places[i];
    bigger.count = table->count;
    hwr_pool_free(table->pool, table->places);
    *table = bigger;
    return true;
}

uintptr_t *hwri_side_add(hwri_side_table *table, const void *object) {
    uintptr_t *value = hwri_side_find(table, object);
    if (value) return value;
    if (table->count + 1 > table->room / 4 * 3 && !grow(table)) return NULL;
    hwri_side_entry *place = place_of(table, object);
    *place = (hwri_side_entry){.object = object};
    table->count++;
    return &place->value;
}

void hwri_side_remove(hwri_side_table *table, const void *object) {
    if (!hwri_side_find(table, object)) return;
    size_t gap = (size_t)(place_of(table, object) - table->places), mask = table->room - 1;
    for (size_t i = (gap + 1) & mask; table->places[i].object; i = (i + 1) & mask) {
        size_t from_home = (i - home(table, table->places[i].object)) & mask;
        if (from_home < ((i - gap) & mask)) continue; /* it would come to lie before its home */
        table->places[gap] = table->places[i];
        gap = i;
    }
    table->places[gap] = (hwri_side_entry){0};
    table->count--;
}

void hwri_side_clear(hwri_side_table *table) {
    hwr_pool_free(table->pool, table->places);
    table->places = NULL;
    table->room = table->count = 0;
}
