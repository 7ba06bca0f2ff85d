/* The range of addresses of all objects. */
#include "space.h"

#include "raw/backend.h"
#include "runtime.h"

static const size_t space_most = (size_t)256 << 30, space_least = (size_t)64 << 20;
enum { SPACE_ALIGNMENT = 4 << 20 }; /* of a half too: more than a bundle, and than a region */

clr_space clr_objects;

static uint8_t *open_table(size_t size) {
    uint8_t *table = hwr_raw_reserve(clr_tables, size, 0);
    if (table && !hwr_raw_commit(clr_tables, table, size)) {
        hwr_raw_release(clr_tables, table, size, 0);
        table = NULL;
    }
    return table;
}

static void close_table(uint8_t *table, size_t size) {
    if (table) hwr_raw_release(clr_tables, table, size, size);
}

bool clr_space_open(void) {
    size_t size;
    char *start = hwri_range_reserve(clr_tables, space_most, space_least, SPACE_ALIGNMENT, &size);
    if (!start) return false;
    clr_space s = {.low = (uintptr_t)start, .middle = (uintptr_t)start + size / 2, .high = (uintptr_t)start + size};
    s.regions = hwri_range_open(start, size / 2, 0);
    s.large = hwri_range_open(start + size / 2, size / 2, 0);
    s.cards = open_table(size >> CLR_CARD_SHIFT);
    s.bundles = open_table(size >> CLR_BUNDLE_SHIFT);
    if (s.regions && s.large && s.cards && s.bundles) {
        clr_objects = s;
        return true;
    }
    close_table(s.bundles, size >> CLR_BUNDLE_SHIFT);
    close_table(s.cards, size >> CLR_CARD_SHIFT);
    hwr_raw_close(s.large);
    hwr_raw_close(s.regions);
    hwr_raw_release(clr_tables, start, size, 0);
    return false;
}

static uint32_t *biased(uint8_t *table, unsigned shift) { return (uint32_t *)(table - (clr_objects.low >> shift)); }

void clr_space_set_barrier(void) {
    clr_barrier barrier = {
        .operation = CLR_BARRIER_INITIALIZE,
        .suspended = true,
        .cards = biased(clr_objects.cards, CLR_CARD_SHIFT),
        .bundles = biased(clr_objects.bundles, CLR_BUNDLE_SHIFT),
        .lowest = (uint8_t *)clr_objects.low,
        .highest = (uint8_t *)clr_objects.high,
        .young_low = (uint8_t *)clr_objects.low,
        .young_high = (uint8_t *)clr_objects.high,
    };
    clr_runtime->table->stomp_write_barrier(clr_runtime, &barrier);
}
