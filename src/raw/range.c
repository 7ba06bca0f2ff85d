/* raw over a part of a range of addresses that was reserved before, for heaps all of whose memory must lie between two addresses that never change. Committing and
 * giving back are the system's; what is reserved is found here. */
#include <string.h>

#include "raw/backend.h"

/* One bit for each unit of 64 KiB says whether it is reserved. The first fit is taken: no unit below `hint` is free, so what is reserved in a range that fills up from below
 * is found at once, and what has to be searched for takes a word for each 4 MiB. It lies in the page of its hwr_raw, by whose address it is known. Cost: 2 MiB of addresses
 * for each TiB, and memory for what was reserved of them. */
typedef struct hwri_raw_range {
    hwr_raw raw;
    hwri_backend table; /* the system's but for four functions */
    const hwri_backend *system;
    char *start;
    size_t count; /* of units */
    size_t hint;
    uint64_t *taken;
} hwri_raw_range;

enum { RANGE_UNIT = 64 * 1024 };

_Static_assert(sizeof(hwri_raw_range) <= 4096, "a range and its hwr_raw share one page");

static hwri_raw_range *range_of(hwr_raw *raw) { return (hwri_raw_range *)raw; }

static size_t taken_size(const hwri_raw_range *range) {
    return hwri_align_up((range->count + 7) / 8, range->raw.page_size);
}

/* The first unit of those from `from` to before `end` that is (not) taken, or `end`. */
static size_t range_next(const hwri_raw_range *range, size_t from, size_t end, bool is_taken) {
    uint64_t flip = is_taken ? 0 : ~UINT64_C(0), mask = ~UINT64_C(0) << (from % 64);
    for (size_t i = from / 64; i * 64 < end; i++, mask = ~UINT64_C(0)) {
        uint64_t bits = (range->taken[i] ^ flip) & mask;
        if (!bits) continue;
        size_t found = i * 64 + (size_t)__builtin_ctzll(bits);
        return found < end ? found : end;
    }
    return end;
}

static void range_mark(hwri_raw_range *range, size_t first, size_t count, bool taken) {
    for (size_t end = first + count; first < end;) {
        size_t bit = first % 64, bits = end - first < 64 - bit ? end - first : 64 - bit;
        uint64_t mask = (~UINT64_C(0) >> (64 - bits)) << bit;
        if (taken)
            range->taken[first / 64] |= mask;
        else
            range->taken[first / 64] &= ~mask;
        first += bits;
    }
}

static void *range_reserve(hwr_raw *raw, size_t size, size_t alignment) {
    hwri_raw_range *range = range_of(raw);
    size_t units = size / RANGE_UNIT + (size % RANGE_UNIT != 0);
    range->hint = range_next(range, range->hint, range->count, false);
    for (size_t from = range->hint; from < range->count;) {
        uintptr_t start = (uintptr_t)range->start, address = hwri_align_up(start + from * RANGE_UNIT, alignment);
        if (address < start) return NULL;
        size_t first = (address - start + RANGE_UNIT - 1) / RANGE_UNIT;
        if (first > range->count || range->count - first < units) return NULL;
        size_t end = range_next(range, first, first + units, true);
        if (end == first + units) {
            range_mark(range, first, units, true);
            return range->start + first * RANGE_UNIT;
        }
        from = range_next(range, end, range->count, false);
    }
    return NULL;
}

static void range_release(hwr_raw *raw, void *address, size_t size) {
    hwri_raw_range *range = range_of(raw);
    size_t first = (size_t)((char *)address - range->start) / RANGE_UNIT;
    hwri_system_renew(raw, address, size);
    range_mark(range, first, size / RANGE_UNIT + (size % RANGE_UNIT != 0), false);
    if (first < range->hint) range->hint = first;
}

static void range_close(hwr_raw *raw) {
    hwri_raw_range *range = range_of(raw);
    const hwri_backend *system = range->system;
    system->release(raw, range->taken, taken_size(range));
    system->close(raw);
}

hwr_raw *hwri_range_open(void *start, size_t size, size_t limit) {
    hwr_raw *raw = hwri_system_open();
    if (!raw) return NULL;
    hwri_raw_range *range = range_of(raw);
    range->system = raw->backend;
    range->table = *raw->backend;
    range->table.reserve = range_reserve;
    range->table.release = range_release;
    range->table.resize = NULL;
    range->table.close = range_close;
    range->start = start;
    range->count = size / RANGE_UNIT;
    range->taken = range->system->reserve(raw, taken_size(range), raw->page_size);
    if (!range->taken || !range->system->commit(raw, range->taken, taken_size(range))) {
        if (range->taken) range->system->release(raw, range->taken, taken_size(range));
        range->system->close(raw);
        return NULL;
    }
    raw->backend = &range->table;
    return hwri_raw_begin(raw, limit);
}

void *hwri_range_reserve(hwr_raw *raw, size_t most, size_t least, size_t alignment, size_t *size) {
    for (*size = most; *size >= least; *size /= 2) {
        void *start = hwr_raw_reserve(raw, *size, alignment);
        if (start) return start;
    }
    return NULL;
}
