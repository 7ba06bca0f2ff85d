/* Which blocks of the old space are emptied: as Immix does (Blackburn and McKinley, 2008), what lives in sparse blocks is moved together into free ones by the marking that finds it, and the sweep behind
 * finds the blocks empty. Nothing is moved into a hole, since marks, which tell where holes are, are being made anew.
 *
 * Blocks are chosen by what the last sweep found free in them and has not been handed out since: so much at least is free, and the rest at most has to be moved. For that there have to be free blocks beforehand; the
 * sparsest are taken as long as what they hold fits. What does not find room in the end, or may not move, is marked where it lies. */
#include "tracing/tracing.h"

enum { SHARES = 64, SHARE_GRANULES = HWRI_BLOCK_GRANULES / SHARES };

/* How many blocks there are in use of which so many 64ths are free, and what they may hold. */
typedef struct census {
    size_t blocks[SHARES + 1], held[SHARES + 1]; /* bytes */
    size_t free;                                 /* bytes, of all */
} census;

static size_t held_in(const hwri_block_info *block) { return (size_t)(HWRI_BLOCK_GRANULES - block->free) * 8; }

static void each_block_in_use(hwri_tracing *t, void (*visit)(void *context, hwri_block_info *block), void *context) {
    for (size_t i = 0; i < t->space.old.region_count; i++)
        for (size_t k = HWRI_REGION_FIRST; k < HWRI_REGION_BLOCKS; k++) {
            hwri_block_info *block = &t->space.old.regions[i]->blocks[k];
            if (block->state != HWRI_BLOCK_UNUSED && block->state != HWRI_BLOCK_FREE) visit(context, block);
        }
}

static void count_block(void *context, hwri_block_info *block) {
    census *c = context;
    size_t share = block->free / SHARE_GRANULES;
    c->blocks[share]++;
    c->held[share] += held_in(block);
    c->free += (size_t)block->free * 8;
}

/* With what is left over at the end of each, where the next object did not fit. */
static size_t blocks_for(size_t bytes) { return bytes / (HWRI_BLOCK - HWRI_BLOCK / 8) + 2; }

/* Those with a larger share are emptied, and those with this one as long as there is room. */
typedef struct choice {
    size_t share, room;
    bool any;
} choice;

static void choose_block(void *context, hwri_block_info *block) {
    choice *c = context;
    size_t share = block->free / SHARE_GRANULES, held = held_in(block);
    if (share < c->share || held > c->room) return;
    c->room -= held;
    block->leaves = c->any = true;
}

bool hwri_evacuation_choose(hwri_tracing *t, const hwri_evacuation *e) {
    census c = {{0}, {0}, 0};
    if (!e->wanted) return false;
    each_block_in_use(t, count_block, &c);
    if (c.free < e->least_holes) return false;
    size_t least = (e->least_free + SHARE_GRANULES - 1) / SHARE_GRANULES, blocks = 0, held = 0;
    for (size_t share = least; share <= SHARES; share++) {
        blocks += c.blocks[share];
        held += c.held[share];
    }
    if (!blocks || (e->gains && blocks <= blocks_for(held))) return false;
    size_t wanted = blocks_for(held);
    hwri_old_provide(&t->space, wanted < e->most_new ? wanted : e->most_new);
    size_t room = t->space.old.free_blocks > 2 ? (t->space.old.free_blocks - 2) * (HWRI_BLOCK - HWRI_BLOCK / 8) : 0;
    choice chosen = {.share = SHARES + 1, .room = room};
    for (size_t left = room; chosen.share > least && left; chosen.share--)
        left -= c.held[chosen.share - 1] < left ? c.held[chosen.share - 1] : left;
    each_block_in_use(t, choose_block, &chosen);
    return chosen.any;
}

static void pin_old(hwri_tracing *t, void *object) {
    if (!hwri_is_young(t, object)) *hwri_header(object) |= HWRI_PINNED;
}

static void unpin_old(hwri_tracing *t, void *object) {
    if (!hwri_is_young(t, object)) *hwri_header(object) &= ~HWRI_PINNED;
}

static void each_pin(hwri_tracing *t, void (*visit)(hwri_tracing *t, void *object)) {
    for (size_t i = 0; i < t->pins.count; i++) visit(t, t->pins.items[i]);
    hwri_life_pins(t, visit);
}

/* The collector's rooms and the list of holes are found anew by the sweep; until then there are free blocks only. */
void hwri_evacuation_begin(hwri_tracing *t) {
    t->space.old.promoted = t->space.old.overflow = (hwri_room){0};
    t->space.old.holes = t->space.old.roomy = NULL;
    each_pin(t, pin_old);
}

static void stay_again(void *context, hwri_block_info *block) {
    (void)context;
    block->leaves = false;
}

void hwri_evacuation_end(hwri_tracing *t) {
    each_pin(t, unpin_old);
    each_block_in_use(t, stay_again, NULL);
}
