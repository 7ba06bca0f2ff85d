/* When to collect what.
 *
 * The young are collected when threads have filled as many pieces as the nursery has. Where most of them survive twice in a row, copying them is a waste: threads then allocate in the old space for some time, and the
 * nursery is tried again after it, later each time. The oldest generation is collected when the old space has reached its target, which is set after each
 * collection of it by what lives. */
#include "tracing/tracing.h"

enum { LEAST_TARGET = 3 << 20, PRETENURE_FIRST = 4, PRETENURE_MOST = 64 };
static const double bytes_for_a_second =
    64e6; /* with this, programs that make garbage fast have about as much room as what lives */

static size_t nursery_bytes(const hwri_tracing *t) { return t->nursery.budget << HWRI_PIECE_SHIFT; }

static size_t outside(const hwri_tracing *t) { return __atomic_load_n(&t->pressure, __ATOMIC_RELAXED); }

static size_t old_bytes(const hwri_tracing *t) { return t->space.old.bytes + t->space.large.bytes + outside(t); }

static size_t live_bytes(const hwri_tracing *t) { return t->space.old.live + t->space.large.bytes + outside(t); }

/* What the heap may hold with its limit: what else is committed is taken off, and what a collection of the young may promote. */
static size_t room_within_limit(const hwri_tracing *t) {
    hwr_raw_stats stats;
    hwr_raw_get_stats(t->heap->raw, &stats);
    size_t held = (t->space.old.blocks + t->space.old.free_blocks) << HWRI_BLOCK_SHIFT;
    size_t most = t->heap->limit,
           other = stats.committed > held + t->space.large.bytes ? stats.committed - held - t->space.large.bytes : 0;
    size_t young = t->nursery.budget << HWRI_PIECE_SHIFT, yet = t->nursery.committed << HWRI_PIECE_SHIFT;
    /* Descriptions of regions to come, and the nursery, as far as it has no memory yet. */
    other += (most - held < most ? most - held : 0) / 32 + (yet < 2 * young ? 2 * young - yet : 0) + young;
    return most > other + most / 8 ? most - other : most / 8;
}

static uint64_t root_of(uint64_t square) {
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 31; bit; bit >>= 1)
        if ((root | bit) * (root | bit) <= square) root |= bit;
    return root;
}

/* Collections cost the program least, for the memory that all of its heaps have together, if each may grow by the root of what lives times how fast that becomes more, over how fast it is collected (Kirisame, Shenoy and Panchekha,
 * "Optimal heap limits for reducing browser memory use", 2022). What lives is what is collected in a collection, so it is the bytes that came between two collections, times the time that one took, over the time
 * between them. How many bytes a second of collecting is worth is ours to say. Half of what was found before stays, since both times vary. */
static void balance(hwri_tracing *t, uint64_t start) {
    hwri_balance *b = &t->balance;
    uint64_t now = hwr_raw_now(t->heap->raw), between = start > b->ended ? start - b->ended : 1;
    double square = (double)b->came * (double)(now - start) / (double)between * bytes_for_a_second;
    size_t room = (size_t)root_of(square < 0x1p62 ? (uint64_t)square : UINT64_C(1) << 62);
    b->room = b->room ? (b->room + room) / 2 : room;
    b->ended = now;
    b->left = live_bytes(t);
}

static void set_target(hwri_tracing *t) {
    size_t live = live_bytes(t), target = t->sizing == HWR_SIZE_ADAPTS
                                              ? live + t->balance.room
                                              : hwri_target_again(live + live / 2, live, t->high);
    if (target < live + LEAST_TARGET) target = live + LEAST_TARGET;
    if (t->heap->limit) {
        size_t most = room_within_limit(t);
        if (t->sizing == HWR_SIZE_FIXED || target > most) target = most;
    }
    t->target = target;
}

void hwri_policy_open(hwri_tracing *t, const hwr_options *options) {
    t->sizing = options->sizing;
    t->pretenure_length = PRETENURE_FIRST;
    t->balance.ended = hwr_raw_now(t->heap->raw);
    set_target(t);
    t->pretenures = t->unmoving;
    t->pretenure_left = t->unmoving ? nursery_bytes(t) * 4 : 0;
}

bool hwri_may_grow(const hwri_tracing *t, size_t bytes) {
    return old_bytes(t) + bytes <= t->target || !hwri_is_automatic(t->heap);
}

bool hwri_is_full_due(const hwri_tracing *t) {
    return old_bytes(t) + HWRI_BLOCK > t->target && hwri_is_automatic(t->heap);
}

size_t hwri_policy_before(hwri_tracing *t) {
    for (hwri_mutator *m = t->threads; m; m = m->next) {
        t->space.old.bytes += m->taken;
        m->taken = 0;
    }
    size_t bytes = t->space.old.bytes + t->space.large.bytes;
    t->high -= t->high / 64;
    if (t->high < bytes) t->high = bytes;
    return t->nursery.given << HWRI_PIECE_SHIFT;
}

/* `before` bytes had been taken from the nursery. */
void hwri_policy_after_young(hwri_tracing *t, size_t before, size_t survived) {
    size_t held = old_bytes(t);
    t->balance.came = held > t->balance.left ? held - t->balance.left : 0;
    if (before < nursery_bytes(t) / 2) return; /* too few to tell */
    t->promotes_all = survived > before / 4;
    if (survived <= before / 2) {
        t->surviving = 0;
        t->pretenure_length = PRETENURE_FIRST;
    } else if (!t->move_always && ++t->surviving >= 2) {
        t->pretenures = true;
        t->pretenure_left = t->pretenure_length * nursery_bytes(t);
        if (t->pretenure_length < PRETENURE_MOST) t->pretenure_length *= 2;
    }
}

/* Where objects do not move, the young are collected when as much has been allocated as is worth going through all blocks for. A heap that adapts gives back what is beyond its target. */
void hwri_policy_after_marking(hwri_tracing *t, bool full, uint64_t start) {
    bool adapts = full && t->sizing == HWR_SIZE_ADAPTS;
    if (adapts) balance(t, start);
    if (full) set_target(t);
    if (adapts) {
        size_t live = live_bytes(t);
        hwri_old_trim(&t->space, t->target > live ? (t->target - live) >> HWRI_BLOCK_SHIFT : 0);
    }
    if (!t->unmoving) return;
    size_t most = nursery_bytes(t) * 4;
    t->pretenure_left = live_bytes(t) / 4 > most ? live_bytes(t) / 4 : most;
}

/* Sparse blocks are emptied by the way if a quarter of the old space lies in holes that nothing has been put into: those at least half free, and what they hold goes into what is free and a little more. Where the
 * program asks for it, or memory is short, marking tells first which blocks are sparse, and then all that are not nearly full are emptied by a second marking, if that makes any free. A heap that
 * moves whatever it can empties every block. */
hwri_evacuation hwri_policy_sparse(const hwri_tracing *t, hwr_collection_mode mode, bool marked) {
    size_t blocks = t->space.old.blocks;
    bool compacts = mode == HWR_COLLECT_COMPACTING || mode == HWR_COLLECT_AGGRESSIVE;
    if (t->unmoving) return (hwri_evacuation){.wanted = false};
    if (marked)
        return (hwri_evacuation){
            .wanted = compacts, .gains = true, .least_free = HWRI_BLOCK_GRANULES / 8, .most_new = blocks};
    if (t->move_always) return (hwri_evacuation){.wanted = true, .most_new = blocks + 2};
    return (hwri_evacuation){.wanted = !compacts,
                             .gains = true,
                             .least_holes = (blocks << HWRI_BLOCK_SHIFT) / 4,
                             .least_free = HWRI_BLOCK_GRANULES / 2,
                             .most_new = blocks / 16 + 2};
}

/* Python's gc.disable and a threshold of 0: only when memory is short. */
bool hwri_is_automatic(const hwr_heap *heap) {
    return __atomic_load_n(&heap->enabled, __ATOMIC_RELAXED) && heap->threshold[0];
}

/* HWR_COLLECT_OPTIMIZED. */
bool hwri_is_worth_while(const hwri_tracing *t, int generation) {
    const hwr_generation_info *before = t->infos[HWR_INFO_FULL].generations;
    size_t was = before[2].size_after + before[3].size_after;
    size_t is = hwri_old_bytes(&t->space) + t->space.large.bytes + (t->nursery.given << HWRI_PIECE_SHIFT);
    return generation < HWR_OLDEST ? t->nursery.given >= t->nursery.budget / 4 : is > was + was / 4;
}
