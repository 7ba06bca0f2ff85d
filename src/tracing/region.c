/* The old space: regions of blocks, in the manner of Immix (Blackburn and McKinley, 2008). Objects are put one behind the other into holes between what lives, but holes are told by granules instead of lines, as in Whippet's
 * nofl space (wingolog.org): nothing is swept object by object, and nothing dead is left because of a neighbour. */
#include "tracing/space.h"

static size_t number_of(const hwri_block_info *block) { return (size_t)(block - hwri_region_of(block)->blocks); }

static hwri_marks *marks_of(const hwri_block_info *block) {
    return hwri_region_of(block)->marks + number_of(block) * HWRI_BLOCK_WORDS;
}

/* ---- what is in use ---- */

/* An object from granule s to e sets the bits of 2^(e+1) - 2^s. So the whole block is one number: all ends, times two, minus all starts. */
static void find_usage(const hwri_block_info *block, hwri_usage *used) {
    const hwri_marks *marks = marks_of(block);
    uint64_t carry = 0, borrow = 0;
    for (size_t i = 0; i < HWRI_BLOCK_WORDS; i++) {
        uint64_t behind = marks[i].ends << 1 | carry, difference;
        carry = marks[i].ends >> 63;
        bool less = __builtin_sub_overflow(behind, marks[i].starts, &difference);
        borrow = __builtin_sub_overflow(difference, borrow, &used->bits[i]) | less;
    }
}

/* The first granule from `from` on that is (not) in use, or HWRI_BLOCK_GRANULES. */
static size_t next_granule(const hwri_usage *used, size_t from, bool in_use) {
    uint64_t flip = in_use ? 0 : ~UINT64_C(0), mask = ~UINT64_C(0) << (from % 64);
    for (size_t i = from / 64; i < HWRI_BLOCK_WORDS; i++, mask = ~UINT64_C(0)) {
        uint64_t bits = (used->bits[i] ^ flip) & mask;
        if (bits) return i * 64 + (size_t)__builtin_ctzll(bits);
    }
    return HWRI_BLOCK_GRANULES;
}

static size_t granules_used(const hwri_usage *used) {
    size_t count = 0;
    for (size_t i = 0; i < HWRI_BLOCK_WORDS; i++) count += (size_t)__builtin_popcountll(used->bits[i]);
    return count;
}

/* ---- regions ---- */

hwri_region *hwri_region_with(const hwri_space *space, uintptr_t address) {
    uintptr_t start = address & ~(uintptr_t)(HWRI_REGION_SIZE - 1);
    size_t low = 0, high = space->old.region_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        uintptr_t at = (uintptr_t)space->old.regions[middle];
        if (at == start) return space->old.regions[middle];
        if (at < start)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool enter_region(hwri_space *space, hwri_region *region) {
    hwri_old *old = &space->old;
    if (old->region_count == old->region_room) {
        size_t room = old->region_room ? old->region_room * 2 : 16;
        hwri_region **regions = hwr_pool_realloc(space->tables, old->regions, room * sizeof *regions);
        if (!regions) return false;
        old->regions = regions;
        old->region_room = room;
    }
    size_t at = old->region_count++;
    for (; at > 0 && old->regions[at - 1] > region; at--) old->regions[at] = old->regions[at - 1];
    old->regions[at] = region;
    return true;
}

static size_t described_size(const hwri_space *space) {
    size_t page = hwr_raw_page_size(space->raw);
    return (sizeof(hwri_region) + page - 1) & ~(page - 1);
}

static bool new_region(hwri_space *space) {
    hwr_raw *raw = space->raw;
    hwri_region *region = hwr_raw_reserve(raw, HWRI_REGION_SIZE, HWRI_REGION_SIZE);
    if (!region) return false;
    if (space->huge_from && space->old.region_count >= space->huge_from)
        hwr_raw_hint_huge(raw, region, HWRI_REGION_SIZE, true);
    if (!hwr_raw_commit(raw, region, described_size(space))) {
        hwr_raw_release(raw, region, HWRI_REGION_SIZE, 0);
        return false;
    }
    if (!enter_region(space, region)) {
        hwr_raw_release(raw, region, HWRI_REGION_SIZE, described_size(space));
        return false;
    }
    if (!hwr_raw_is_zeroed(raw)) memset(region, 0, sizeof *region);
    for (size_t i = HWRI_REGION_BLOCKS; i-- > HWRI_REGION_FIRST;) {
        region->blocks[i].next = space->old.unused;
        space->old.unused = &region->blocks[i];
    }
    return true;
}

/* ---- taking ---- */

static hwri_block_info *pop(hwri_block_info **list) {
    hwri_block_info *block = *list;
    if (block) *list = block->next;
    return block;
}

static void push_free_block(hwri_old *old, hwri_block_info *block) {
    block->state = HWRI_BLOCK_FREE;
    block->free = HWRI_BLOCK_GRANULES;
    block->next = old->free;
    old->free = block;
    old->free_blocks++;
}

/* What was refused once in a collection is not asked for again in it. */
static bool add_free_block(hwri_space *space) {
    hwri_old *old = &space->old;
    if (space->refused && space->collecting) return false;
    if ((!old->unused && !new_region(space)) ||
        !hwr_raw_commit(space->raw, hwri_block_start(old->unused), HWRI_BLOCK)) {
        space->refused = space->collecting;
        return false;
    }
    push_free_block(old, pop(&old->unused));
    return true;
}

void hwri_old_provide(hwri_space *space, size_t count) {
    while (space->old.free_blocks < count && add_free_block(space)) continue;
}

static hwri_block_info *take_free_block(hwri_space *space) {
    hwri_old *old = &space->old;
    if (!old->free && !add_free_block(space)) return NULL;
    old->free_blocks--;
    old->blocks++;
    return pop(&old->free);
}

void hwri_room_seal(const hwri_room *room) {
    if (room->bump < room->limit) *(uint64_t *)room->bump = hwri_gap(room->limit - room->bump);
}

/* The next hole of the room's block that is large enough; holes passed over become gaps. */
bool hwri_room_next(hwri_room *room, size_t size, size_t *bytes) {
    uintptr_t start = (uintptr_t)hwri_block_start(room->block);
    for (size_t from = room->block->taken; (from = next_granule(&room->used, from, false)) < HWRI_BLOCK_GRANULES;) {
        size_t end = next_granule(&room->used, from, true);
        room->bump = start + from * 8;
        room->limit = start + end * 8;
        __atomic_store_n(&room->block->taken, (uint16_t)end, __ATOMIC_RELAXED);
        *bytes += room->limit - room->bump;
        if (room->limit - room->bump >= size) {
            room->block->free = (uint16_t)(room->block->free - (end - from));
            return true;
        }
        hwri_room_end(room);
        from = end;
    }
    __atomic_store_n(&room->block->taken, HWRI_BLOCK_GRANULES, __ATOMIC_RELAXED);
    return false;
}

/* A block with at least as much room as this, in granules, is likely to have a hole for any object; but it may not, and then its holes are lost until the next sweep, so only a few are tried. */
enum { ROOMY = HWRI_BLOCK_GRANULES / 2, ROOMY_TRIES = 2 };

/* Those with most room come first: they have the longest holes, and fewest old objects whose cards the new ones make dirty. */
static hwri_block_info *take_holes(hwri_old *old, bool roomy) {
    hwri_block_info *block = pop(&old->roomy);
    if (!block && !roomy) block = pop(&old->holes);
    if (block) old->holes_bytes -= (size_t)block->free * 8;
    return block;
}

hwri_block_info *hwri_old_take_block(hwri_space *space, size_t size, unsigned tries) {
    bool roomy = size > HWRI_HOLE_MOST;
    hwri_block_info *block = roomy && tries >= ROOMY_TRIES ? NULL : take_holes(&space->old, roomy);
    if (!block) block = take_free_block(space);
    if (block) block->state = HWRI_BLOCK_TAKEN;
    return block;
}

bool hwri_room_enter(hwri_room *room, hwri_block_info *block, size_t size, size_t *bytes) {
    room->block = block;
    find_usage(block, &room->used);
    return hwri_room_next(room, size, bytes);
}

bool hwri_old_take(hwri_space *space, hwri_room *room, size_t size) {
    hwri_room_end(room);
    if (room->block && hwri_room_next(room, size, &space->old.bytes)) return true;
    for (unsigned tries = 0;; tries++) {
        hwri_block_info *block = hwri_old_take_block(space, size, tries);
        if (!block) {
            room->block = NULL;
            return false;
        }
        if (hwri_room_enter(room, block, size, &space->old.bytes)) return true;
    }
}

void hwri_room_end(hwri_room *room) {
    hwri_room_seal(room);
    room->bump = room->limit = 0;
}

void *hwri_old_alloc_slow(hwri_space *space, size_t size) {
    hwri_room *room = size <= HWRI_SMALL_MOST ? &space->old.promoted : &space->old.overflow;
    if (room->limit - room->bump < size && !hwri_old_take(space, room, size)) return NULL;
    void *header = (void *)room->bump;
    room->bump += size;
    return header;
}

/* ---- finding objects ---- */

static uint64_t *object_in_hole(uintptr_t at, uintptr_t address) {
    for (;;) {
        uint64_t *header = (uint64_t *)at;
        at += hwri_size_at(header);
        if (address < at) return hwri_is_object_at(header) ? header : NULL;
    }
}

/* The last mark at a granule of the region or before it, down to `least`; or SIZE_MAX. */
static size_t last_mark(const hwri_region *region, size_t granule, size_t least, bool of_end) {
    uint64_t mask = ~UINT64_C(0) >> (63 - granule % 64);
    for (size_t i = granule / 64 + 1; i-- > least / 64; mask = ~UINT64_C(0)) {
        uint64_t bits = (of_end ? region->marks[i].ends : region->marks[i].starts) & mask;
        if (!bits) continue;
        size_t found = i * 64 + 63 - (size_t)__builtin_clzll(bits);
        return found < least ? SIZE_MAX : found;
    }
    return SIZE_MAX;
}

uint64_t *hwri_marked_across(const void *address) {
    const hwri_region *region = hwri_region_of(address);
    size_t granule = hwri_region_granule(address), first = granule / HWRI_BLOCK_GRANULES * HWRI_BLOCK_GRANULES;
    size_t start = granule > first ? last_mark(region, granule - 1, first, false) : SIZE_MAX;
    if (start == SIZE_MAX) return NULL;
    uint64_t *header = (uint64_t *)((uintptr_t)region + start * 8);
    return (uintptr_t)header + hwri_size_at(header) > (uintptr_t)address ? header : NULL;
}

uint64_t *hwri_old_object_at(const hwri_space *space, uintptr_t address) {
    const hwri_region *region = hwri_region_with(space, address);
    if (!region) return NULL;
    const hwri_block_info *block = hwri_block_info_of((const void *)address);
    size_t number = number_of(block);
    if (number < HWRI_REGION_FIRST || block->state == HWRI_BLOCK_UNUSED || block->state == HWRI_BLOCK_FREE) return NULL;
    uintptr_t base = (uintptr_t)region;
    size_t granule = (address - base) / 8, first = number * HWRI_BLOCK_GRANULES;
    size_t start = last_mark(region, granule, first, false), hole = first;
    if (start != SIZE_MAX) {
        uint64_t *header = (uint64_t *)(base + start * 8);
        uintptr_t end = base + start * 8 + hwri_size_at(header);
        if (address < end) return header;
        hole = (end - base) / 8;
    }
    /* While threads run, one may be filling this hole: what it has already shown to others lies below. */
    size_t taken = __atomic_load_n(&block->taken, __ATOMIC_RELAXED);
    return granule < first + taken ? object_in_hole(base + hole * 8, address) : NULL;
}

void hwri_block_each_marked(const hwri_block_info *block, void (*visit)(void *context, void *object), void *context) {
    char *start = hwri_block_start(block);
    const hwri_marks *marks = marks_of(block);
    for (size_t i = 0; i < HWRI_BLOCK_WORDS; i++)
        for (uint64_t bits = marks[i].starts; bits; bits &= bits - 1)
            visit(context, start + (i * 64 + (size_t)__builtin_ctzll(bits)) * 8 + HWRI_HEADER_SIZE);
}

void hwri_block_each(const hwri_block_info *block, void (*visit)(void *context, void *object), void *context) {
    if (block->state == HWRI_BLOCK_UNUSED || block->state == HWRI_BLOCK_FREE) return;
    size_t taken = block->taken; /* the visits may put objects behind */
    hwri_block_each_marked(block, visit, context);
    hwri_usage used;
    find_usage(block, &used);
    uintptr_t start = (uintptr_t)hwri_block_start(block);
    for (size_t from = 0; (from = next_granule(&used, from, false)) < taken;) {
        size_t end = next_granule(&used, from, true);
        for (uintptr_t at = start + from * 8; at < start + end * 8;) {
            uint64_t *header = (uint64_t *)at;
            at += hwri_size_at(header);
            if (hwri_is_object_at(header)) visit(context, header + 1);
        }
        from = end;
    }
}

size_t hwri_regions_described(const hwri_space *space) { return space->old.region_count * described_size(space); }

/* ---- verification ---- */

static const char *hole_problem(uintptr_t at, uintptr_t stop) {
    while (at < stop) {
        const uint64_t *header = (const uint64_t *)at;
        if (!hwri_is_gap(*header) && !hwri_is_sane_in_block(header)) return "something in a hole is no object";
        size_t size = hwri_size_at(header);
        if (size == 0 || size % 8 || size > stop - at) return "an object does not end in its hole";
        at += size;
    }
    return NULL;
}

static const char *marked_problem(const hwri_block_info *block) {
    const hwri_marks *marks = marks_of(block);
    uintptr_t start = (uintptr_t)hwri_block_start(block), end = start;
    for (size_t i = 0; i < HWRI_BLOCK_WORDS; i++)
        for (uint64_t bits = marks[i].starts; bits; bits &= bits - 1) {
            const uint64_t *header = (const uint64_t *)(start + (i * 64 + (size_t)__builtin_ctzll(bits)) * 8);
            if ((uintptr_t)header < end) return "two objects lie in one place";
            if (!hwri_is_sane_in_block(header)) return "an object's header in a block is damaged";
            end = (uintptr_t)header + hwri_size_at(header);
            if (end > start + HWRI_BLOCK) return "an object does not end in its block";
            size_t last = (end - start) / 8 - 1;
            if (!(marks[last / 64].ends >> (last % 64) & 1)) return "an object does not end where its mark is";
        }
    return NULL;
}

const char *hwri_block_problem(const hwri_block_info *block) {
    if (block->state > HWRI_BLOCK_TAKEN) return "a block is in no state";
    if (block->state == HWRI_BLOCK_UNUSED || block->state == HWRI_BLOCK_FREE) return NULL;
    if (block->taken > HWRI_BLOCK_GRANULES) return "a block has handed out more than it has";
    hwri_usage used;
    find_usage(block, &used);
    uintptr_t start = (uintptr_t)hwri_block_start(block);
    const char *problem = marked_problem(block);
    for (size_t from = 0; !problem && (from = next_granule(&used, from, false)) < block->taken;) {
        size_t end = next_granule(&used, from, true);
        problem = hole_problem(start + from * 8, start + end * 8);
        from = end;
    }
    return problem;
}

/* ---- marking and sweeping ---- */

void hwri_old_clear_marks(hwri_space *space) {
    for (size_t i = 0; i < space->old.region_count; i++)
        for (size_t k = HWRI_REGION_FIRST; k < HWRI_REGION_BLOCKS; k++) {
            hwri_block_info *block = &space->old.regions[i]->blocks[k];
            if (block->state != HWRI_BLOCK_UNUSED && block->state != HWRI_BLOCK_FREE)
                memset(marks_of(block), 0, HWRI_BLOCK_WORDS * sizeof(hwri_marks));
        }
}

/* A block with less room than this, in granules, is left alone. */
enum { LEAST_FREE = HWRI_BLOCK_GRANULES / 64 };

static void sweep_block(hwri_old *old, hwri_block_info *block) {
    hwri_usage used;
    find_usage(block, &used);
    size_t count = granules_used(&used);
    block->taken = 0;
    block->overflow = false;
    block->live = (uint16_t)count;
    block->free = (uint16_t)(HWRI_BLOCK_GRANULES - count);
    if (!count) {
        block->dirty = false; /* otherwise what stayed in the nursery may still be referred to from here */
        push_free_block(old, block);
        return;
    }
    old->blocks++;
    old->live += count * 8;
    block->state = block->free < LEAST_FREE ? HWRI_BLOCK_TAKEN : HWRI_BLOCK_HOLES;
    if (block->state != HWRI_BLOCK_HOLES) return;
    hwri_block_info **list = block->free >= ROOMY ? &old->roomy : &old->holes;
    block->next = *list;
    *list = block;
    old->holes_bytes += (size_t)block->free * 8;
}

void hwri_old_sweep(hwri_space *space, bool all) {
    hwri_old *old = &space->old;
    old->promoted = old->overflow = (hwri_room){0};
    if (all) {
        old->free = old->holes = old->roomy = NULL;
        old->blocks = old->free_blocks = old->live = old->holes_bytes = 0;
    }
    for (size_t i = old->region_count; i-- > 0;)
        for (size_t k = HWRI_REGION_BLOCKS; k-- > HWRI_REGION_FIRST;) {
            hwri_block_info *block = &old->regions[i]->blocks[k];
            if (block->state == HWRI_BLOCK_UNUSED || !(all || block->taken)) continue;
            if (!all) {
                old->blocks--;
                old->live -= (size_t)block->live * 8;
            }
            sweep_block(old, block);
        }
    old->bytes = old->live;
}

/* ---- giving back ---- */

/* Blocks that lie side by side are given back at once: a huge page that goes in one piece need not be split. */
static hwri_block_info *give_back_run(hwri_space *space, hwri_block_info *first) {
    hwri_block_info *last = first;
    for (;; last = last->next) {
        last->state = HWRI_BLOCK_UNUSED;
        if (last->next != last + 1 || hwri_region_of(last->next) != hwri_region_of(first)) break;
    }
    hwri_block_info *next = last->next;
    hwr_raw_decommit(space->raw, hwri_block_start(first), (size_t)(last - first + 1) << HWRI_BLOCK_SHIFT);
    last->next = space->old.unused;
    space->old.unused = first;
    return next;
}

/* After everything was swept the list is in the order of addresses, and what is kept is what lies lowest. */
size_t hwri_old_trim(hwri_space *space, size_t keep) {
    hwri_old *old = &space->old;
    if (old->free_blocks <= keep) return 0;
    size_t bytes = (old->free_blocks - keep) << HWRI_BLOCK_SHIFT;
    hwri_block_info **link = &old->free;
    for (size_t i = 0; i < keep; i++) link = &(*link)->next;
    for (hwri_block_info *block = *link; block;) block = give_back_run(space, block);
    *link = NULL;
    old->free_blocks = keep;
    return bytes;
}

void hwri_old_close(hwri_space *space) {
    for (size_t i = 0; i < space->old.region_count; i++) {
        hwri_region *region = space->old.regions[i];
        size_t committed = described_size(space);
        for (size_t k = HWRI_REGION_FIRST; k < HWRI_REGION_BLOCKS; k++)
            if (region->blocks[k].state != HWRI_BLOCK_UNUSED) committed += HWRI_BLOCK;
        hwr_raw_release(space->raw, region, HWRI_REGION_SIZE, committed);
    }
    hwr_pool_free(space->tables, space->old.regions);
}
