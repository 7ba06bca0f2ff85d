/* The old space: regions of blocks of lines, as in Immix (Blackburn and McKinley, 2008). Objects are put one behind the other into holes between what lives; nothing is freed but whole lines. */
#include "tracing/tracing.h"

enum { WORDS_OF_BLOCK = HWRI_BLOCK / 8 / 64 };

static size_t number_of(const hwri_block_info *block) { return (size_t)(block - hwri_region_of(block)->blocks); }

static const uint64_t *starts_of(const hwri_block_info *block) {
    return hwri_region_of(block)->starts + number_of(block) * WORDS_OF_BLOCK;
}

/* ---- lines ---- */

/* Four lines have 16 bits each in a word of `starts`; which of them have any, as four bits. */
static uint64_t lines_in_word(uint64_t starts) {
    const uint64_t low = UINT64_C(0x7fff7fff7fff7fff);
    uint64_t any = (((starts & low) + low) | starts) >> 15 & UINT64_C(0x0001000100010001);
    return (any | any >> 15 | any >> 30 | any >> 45) & 15;
}

static uint64_t covered_eight(const uint8_t *covered) {
    uint64_t eight;
    memcpy(&eight, covered, sizeof eight);
    return eight * UINT64_C(0x0102040810204080) >> 56;
}

static hwri_lines lines_in_use(const hwri_block_info *block) {
    const uint64_t *starts = starts_of(block);
    const uint8_t *covered = hwri_region_of(block)->covered + number_of(block) * HWRI_BLOCK_LINES;
    hwri_lines used = {{0}};
    uint64_t carry = 0;
    for (size_t i = 0; i < HWRI_BLOCK_LINES / 64; i++) {
        uint64_t begin = 0, cover = 0;
        for (size_t k = 0; k < 16; k++) begin |= lines_in_word(starts[i * 16 + k]) << (k * 4);
        if (block->has_covered)
            for (size_t k = 0; k < 8; k++) cover |= covered_eight(covered + i * 64 + k * 8) << (k * 8);
        used.bits[i] = begin | begin << 1 | carry | cover;
        carry = begin >> 63;
    }
    return used;
}

static bool is_in_use(const hwri_lines *used, size_t line) { return used->bits[line / 64] >> (line % 64) & 1; }

/* The first line from `line` on that is (not) in use, or HWRI_BLOCK_LINES. */
static size_t next_line(const hwri_lines *used, size_t line, bool in_use) {
    for (size_t i = line / 64; i < HWRI_BLOCK_LINES / 64; i++) {
        uint64_t bits = in_use ? used->bits[i] : ~used->bits[i];
        if (i == line / 64) bits &= ~UINT64_C(0) << (line % 64);
        if (bits) return i * 64 + (size_t)__builtin_ctzll(bits);
    }
    return HWRI_BLOCK_LINES;
}

static size_t lines_free(const hwri_lines *used) {
    size_t count = 0;
    for (size_t i = 0; i < HWRI_BLOCK_LINES / 64; i++) count += (size_t)__builtin_popcountll(~used->bits[i]);
    return count;
}

/* ---- regions ---- */

hwri_region *hwri_region_with(const hwri_tracing *t, uintptr_t address) {
    uintptr_t start = address & ~(uintptr_t)(HWRI_REGION_SIZE - 1);
    size_t low = 0, high = t->old.region_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        uintptr_t at = (uintptr_t)t->old.regions[middle];
        if (at == start) return t->old.regions[middle];
        if (at < start)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool enter_region(hwri_tracing *t, hwri_region *region) {
    hwri_old *old = &t->old;
    if (old->region_count == old->region_room) {
        size_t room = old->region_room ? old->region_room * 2 : 16;
        hwri_region **regions = hwr_pool_realloc(t->heap->blocks, old->regions, room * sizeof *regions);
        if (!regions) return false;
        old->regions = regions;
        old->region_room = room;
    }
    size_t at = old->region_count++;
    for (; at > 0 && old->regions[at - 1] > region; at--) old->regions[at] = old->regions[at - 1];
    old->regions[at] = region;
    return true;
}

static bool new_region(hwri_tracing *t) {
    hwr_raw *raw = t->heap->raw;
    hwri_region *region = hwr_raw_reserve(raw, HWRI_REGION_SIZE, HWRI_REGION_SIZE);
    if (!region) return false;
    if (!hwr_raw_commit(raw, region, HWRI_BLOCK) || !enter_region(t, region)) {
        hwr_raw_release(raw, region, HWRI_REGION_SIZE, 0);
        return false;
    }
    if (!hwr_raw_is_zeroed(raw)) memset(region, 0, sizeof *region);
    for (size_t i = HWRI_REGION_BLOCKS - 1; i > 0; i--) {
        region->blocks[i].next = t->old.unused;
        t->old.unused = &region->blocks[i];
    }
    return true;
}

/* ---- taking ---- */

static hwri_block_info *pop(hwri_block_info **list) {
    hwri_block_info *block = *list;
    if (block) *list = block->next;
    return block;
}

static hwri_block_info *take_free_block(hwri_tracing *t) {
    if (t->phase == HWRI_IDLE && !hwri_may_grow(t, HWRI_BLOCK)) return NULL;
    hwri_block_info *block = pop(&t->old.free);
    if (block) {
        t->old.free_blocks--;
    } else {
        if (!t->old.unused && (t->refused || !new_region(t))) {
            t->refused = t->phase != HWRI_IDLE;
            return NULL;
        }
        if (!hwr_raw_commit(t->heap->raw, hwri_block_start(t->old.unused), HWRI_BLOCK)) return NULL;
        block = pop(&t->old.unused);
    }
    t->old.blocks++;
    return block;
}

void hwri_room_seal(const hwri_room *room) {
    if (room->bump < room->limit) *(uint64_t *)room->bump = hwri_gap(room->limit - room->bump);
}

static void take_lines(hwri_room *room, size_t from, size_t to) {
    uintptr_t start = (uintptr_t)hwri_block_start(room->block);
    room->bump = start + from * HWRI_LINE;
    room->limit = start + to * HWRI_LINE;
    room->block->taken = (uint16_t)to;
}

/* The next hole of the room's block that is large enough; holes passed over become gaps. */
static bool take_hole(hwri_room *room, size_t size) {
    for (size_t line = room->block->taken; (line = next_line(&room->used, line, false)) < HWRI_BLOCK_LINES;) {
        size_t end = next_line(&room->used, line, true);
        take_lines(room, line, end);
        if ((end - line) * HWRI_LINE >= size) return true;
        hwri_room_seal(room);
        line = end;
    }
    room->block->taken = HWRI_BLOCK_LINES;
    return false;
}

bool hwri_old_take(hwri_tracing *t, hwri_room *room, size_t size, bool whole) {
    hwri_room_end(room);
    if (room->block && take_hole(room, size)) return true;
    for (;;) {
        hwri_block_info *block = whole ? NULL : pop(&t->old.holes);
        if (block) t->old.hole_lines -= block->free_lines;
        if (!block) block = take_free_block(t);
        if (!block) {
            *room = (hwri_room){0};
            return false;
        }
        block->state = HWRI_BLOCK_TAKEN;
        *room = (hwri_room){.block = block, .used = lines_in_use(block)};
        if (take_hole(room, size)) return true;
    }
}

void hwri_room_end(hwri_room *room) {
    hwri_room_seal(room);
    room->bump = room->limit = 0;
}

void *hwri_old_alloc_slow(hwri_tracing *t, size_t size) {
    hwri_room *room = size <= HWRI_LINE ? &t->old.promoted : &t->old.overflow;
    if (room->limit - room->bump < size && !hwri_old_take(t, room, size, room == &t->old.overflow)) return NULL;
    void *header = (void *)room->bump;
    room->bump += size;
    return header;
}

/* ---- finding objects ---- */

static uint64_t *object_in_hole(uintptr_t at, uintptr_t address) {
    for (;;) {
        uint64_t *header = (uint64_t *)at;
        at += hwri_size_at(header);
        if (address < at) return hwri_is_there(*header) ? header : NULL;
    }
}

/* The last object alive that begins at the address or up to the size of the largest before it. */
static uint64_t *marked_before(const hwri_region *region, uintptr_t address, uintptr_t lowest) {
    uintptr_t base = (uintptr_t)region;
    size_t granule = (address - base) / 8, least = (lowest - base) / 8;
    if (granule > HWRI_MEDIUM_MOST / 8 && granule - HWRI_MEDIUM_MOST / 8 > least)
        least = granule - HWRI_MEDIUM_MOST / 8;
    for (size_t i = granule / 64;; i--) {
        uint64_t bits = region->starts[i];
        if (i == granule / 64 && granule % 64 != 63) bits &= (UINT64_C(2) << (granule % 64)) - 1;
        if (bits) {
            size_t found = i * 64 + 63 - (size_t)__builtin_clzll(bits);
            return found < least ? NULL : (uint64_t *)(base + found * 8);
        }
        if (i <= least / 64) return NULL;
    }
}

uint64_t *hwri_old_object_at(const hwri_tracing *t, uintptr_t address) {
    const hwri_region *region = hwri_region_with(t, address);
    if (!region) return NULL;
    const hwri_block_info *block = hwri_block_info_of((const void *)address);
    if (block == region->blocks || block->state == HWRI_BLOCK_UNUSED || block->state == HWRI_BLOCK_FREE) return NULL;
    uintptr_t start = (uintptr_t)hwri_block_start(block);
    uint64_t *marked = marked_before(region, address, start);
    if (marked && address < (uintptr_t)marked + hwri_size_at(marked)) return marked;
    hwri_lines used = lines_in_use(block);
    size_t line = (address - start) >> HWRI_LINE_SHIFT;
    if (is_in_use(&used, line) || line >= block->taken) return NULL;
    while (line > 0 && !is_in_use(&used, line - 1)) line--;
    return object_in_hole(start + line * HWRI_LINE, address);
}

void hwri_block_each_marked(const hwri_block_info *block, void (*visit)(void *context, void *object), void *context) {
    char *start = hwri_block_start(block);
    const uint64_t *starts = starts_of(block);
    for (size_t i = 0; i < WORDS_OF_BLOCK; i++)
        for (uint64_t bits = starts[i]; bits; bits &= bits - 1)
            visit(context, start + (i * 64 + (size_t)__builtin_ctzll(bits)) * 8 + HWRI_HEADER_SIZE);
}

void hwri_block_each(const hwri_block_info *block, void (*visit)(void *context, void *object), void *context) {
    if (block->state == HWRI_BLOCK_UNUSED || block->state == HWRI_BLOCK_FREE) return;
    hwri_block_each_marked(block, visit, context);
    hwri_lines used = lines_in_use(block);
    uintptr_t start = (uintptr_t)hwri_block_start(block);
    size_t taken = block->taken; /* the visit may put objects behind */
    for (size_t line = 0; (line = next_line(&used, line, false)) < taken;) {
        size_t end = next_line(&used, line, true);
        uintptr_t at = start + line * HWRI_LINE, stop = start + end * HWRI_LINE;
        while (at < stop) {
            uint64_t *header = (uint64_t *)at;
            at += hwri_size_at(header);
            if (hwri_is_there(*header)) visit(context, header + 1);
        }
        line = end;
    }
}

/* ---- verification ---- */

static bool is_sane_in_block(uint64_t header) {
    return hwri_is_there(header) && header & HWRI_REGION && hwri_type_in(header) && hwri_type_in(header)->name;
}

static const char *hole_problem(uintptr_t at, uintptr_t stop) {
    while (at < stop) {
        const uint64_t *header = (const uint64_t *)at;
        if (!hwri_is_gap(*header) && !is_sane_in_block(*header)) return "something in a hole is no object";
        size_t size = hwri_size_at(header);
        if (size == 0 || size % 8 || size > stop - at) return "an object does not end in its hole";
        at += size;
    }
    return NULL;
}

static const char *marked_problem(const hwri_block_info *block, const hwri_lines *used) {
    const uint64_t *starts = starts_of(block);
    uintptr_t start = (uintptr_t)hwri_block_start(block), end = start;
    for (size_t i = 0; i < WORDS_OF_BLOCK; i++)
        for (uint64_t bits = starts[i]; bits; bits &= bits - 1) {
            const uint64_t *header = (const uint64_t *)(start + (i * 64 + (size_t)__builtin_ctzll(bits)) * 8);
            if ((uintptr_t)header < end) return "two objects lie in one place";
            if (!is_sane_in_block(*header)) return "an object's header in a block is damaged";
            end = (uintptr_t)header + hwri_size_at(header);
            if (end > start + HWRI_BLOCK) return "an object does not end in its block";
            size_t first = ((uintptr_t)header - start) >> HWRI_LINE_SHIFT, last = (end - 1 - start) >> HWRI_LINE_SHIFT;
            for (size_t line = first; line <= last; line++)
                if (!is_in_use(used, line)) return "an object lies in a line that is not in use";
        }
    return NULL;
}

const char *hwri_block_problem(const hwri_block_info *block) {
    if (block->state > HWRI_BLOCK_LEAVING) return "a block is in no state";
    if (block->state == HWRI_BLOCK_UNUSED || block->state == HWRI_BLOCK_FREE) return NULL;
    if (block->taken > HWRI_BLOCK_LINES) return "a block has handed out more lines than it has";
    hwri_lines used = lines_in_use(block);
    uintptr_t start = (uintptr_t)hwri_block_start(block);
    const char *problem = marked_problem(block, &used);
    for (size_t line = 0; !problem && (line = next_line(&used, line, false)) < block->taken;) {
        size_t end = next_line(&used, line, true);
        problem = hole_problem(start + line * HWRI_LINE, start + end * HWRI_LINE);
        line = end;
    }
    return problem;
}

/* ---- marking and sweeping ---- */

void hwri_old_clear_starts(hwri_tracing *t) {
    for (size_t i = 0; i < t->old.region_count; i++) {
        hwri_region *region = t->old.regions[i];
        for (size_t k = 1; k < HWRI_REGION_BLOCKS; k++) {
            hwri_block_info *block = &region->blocks[k];
            if (block->state == HWRI_BLOCK_UNUSED || block->state == HWRI_BLOCK_FREE) continue;
            memset(region->starts + k * WORDS_OF_BLOCK, 0, WORDS_OF_BLOCK * sizeof *region->starts);
            if (block->has_covered) memset(region->covered + k * HWRI_BLOCK_LINES, 0, HWRI_BLOCK_LINES);
            block->has_covered = false;
        }
    }
}

/* Fewer free lines than this are not worth while. */
enum { LEAST_FREE_LINES = 4 };

static void sweep_block(hwri_tracing *t, hwri_block_info *block) {
    hwri_old *old = &t->old;
    hwri_lines used = lines_in_use(block);
    size_t unused = lines_free(&used);
    block->taken = 0;
    block->overflow = false;
    block->free_lines = (uint16_t)unused;
    if (unused == HWRI_BLOCK_LINES) {
        block->dirty = false; /* otherwise what stayed in the nursery may still be referred to from here */
        block->state = HWRI_BLOCK_FREE;
        block->next = old->free;
        old->free = block;
        old->free_blocks++;
        return;
    }
    old->blocks++;
    old->live_lines += HWRI_BLOCK_LINES - unused;
    block->state = unused < LEAST_FREE_LINES ? HWRI_BLOCK_TAKEN : HWRI_BLOCK_HOLES;
    if (block->state != HWRI_BLOCK_HOLES) return;
    block->next = old->holes;
    old->holes = block;
    old->hole_lines += unused;
}

void hwri_old_sweep(hwri_tracing *t) {
    hwri_old *old = &t->old;
    old->promoted = old->overflow = (hwri_room){0};
    old->free = old->holes = NULL;
    old->blocks = old->free_blocks = old->live_lines = old->hole_lines = 0;
    for (size_t i = old->region_count; i-- > 0;)
        for (size_t k = HWRI_REGION_BLOCKS; k-- > 1;)
            if (old->regions[i]->blocks[k].state != HWRI_BLOCK_UNUSED) sweep_block(t, &old->regions[i]->blocks[k]);
}

/* ---- giving back ---- */

size_t hwri_old_trim(hwri_tracing *t, size_t keep) {
    size_t bytes = 0;
    while (t->old.free_blocks > keep) {
        hwri_block_info *block = pop(&t->old.free);
        t->old.free_blocks--;
        hwr_raw_decommit(t->heap->raw, hwri_block_start(block), HWRI_BLOCK);
        block->state = HWRI_BLOCK_UNUSED;
        block->next = t->old.unused;
        t->old.unused = block;
        bytes += HWRI_BLOCK;
    }
    return bytes;
}

void hwri_old_close(hwri_tracing *t) {
    for (size_t i = 0; i < t->old.region_count; i++) {
        hwri_region *region = t->old.regions[i];
        size_t committed = HWRI_BLOCK;
        for (size_t k = 1; k < HWRI_REGION_BLOCKS; k++)
            if (region->blocks[k].state != HWRI_BLOCK_UNUSED) committed += HWRI_BLOCK;
        hwr_raw_release(t->heap->raw, region, HWRI_REGION_SIZE, committed);
    }
    hwr_pool_free(t->heap->blocks, t->old.regions);
}
