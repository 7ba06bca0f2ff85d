/* The young space. Its pieces go round: threads fill free ones; a collection copies what survives into other free ones or into the old space, and nearly all are free again. So the
 * memory that a program allocates from stays in the cache. */
#include "tracing/tracing.h"

/* The reservation is so many times the budget: for what threads fill, what survived, and what stays where it is. */
enum { NURSERY_ROOM = 3, COMMIT_PIECES = 16 };

bool hwri_nursery_open(hwri_tracing *t, size_t size) {
    hwri_nursery *n = &t->nursery;
    hwr_raw *raw = t->heap->raw;
    n->budget = (size + HWRI_PIECE - 1) >> HWRI_PIECE_SHIFT;
    n->pieces = n->budget * NURSERY_ROOM;
    n->table_size = n->pieces * (sizeof *n->first + sizeof *n->state);
    n->first = hwr_pool_alloc_zeroed(t->heap->blocks, n->table_size, 1);
    if (!n->first) return false;
    n->state = (uint8_t *)(n->first + n->pieces);
    n->start = (uintptr_t)hwr_raw_reserve(raw, n->pieces << HWRI_PIECE_SHIFT, HWRI_PIECE);
    return n->start != 0;
}

void hwri_nursery_close(hwri_tracing *t) {
    hwri_nursery *n = &t->nursery;
    if (n->start)
        hwr_raw_release(t->heap->raw, (void *)n->start, n->pieces << HWRI_PIECE_SHIFT,
                        n->committed << HWRI_PIECE_SHIFT);
    hwr_pool_free(t->heap->blocks, n->first);
}

static uintptr_t piece_at(const hwri_nursery *n, size_t piece) { return n->start + (piece << HWRI_PIECE_SHIFT); }

/* Memory is committed from the start on, some pieces at a time. */
static bool commit_up_to(hwri_tracing *t, size_t piece) {
    hwri_nursery *n = &t->nursery;
    while (piece >= n->committed) {
        size_t more = COMMIT_PIECES < n->pieces - n->committed ? COMMIT_PIECES : n->pieces - n->committed;
        if (!hwr_raw_commit(t->heap->raw, (void *)piece_at(n, n->committed), more << HWRI_PIECE_SHIFT)) return false;
        n->committed += more;
    }
    return true;
}

/* Low pieces come first, so that those far up are touched only when many are kept. */
size_t hwri_pieces_take(hwri_tracing *t, size_t most, uint8_t state, size_t *at) {
    hwri_nursery *n = &t->nursery;
    while (n->cursor < n->pieces && n->state[n->cursor] != HWRI_PIECE_FREE) n->cursor++;
    size_t from = n->cursor, count = 0;
    while (count < most && from + count < n->pieces && n->state[from + count] == HWRI_PIECE_FREE &&
           commit_up_to(t, from + count)) {
        n->state[from + count] = state;
        n->first[from + count] = HWRI_NO_OBJECT;
        count++;
    }
    n->cursor += count;
    *at = from;
    return count;
}

uintptr_t hwri_piece_next(hwri_nursery *n, uintptr_t bump, size_t size, uintptr_t run_end) {
    if (run_end - bump < size) return 0;
    uintptr_t end = bump + size;
    size_t piece = hwri_piece_of(n, (void *)bump);
    if (n->first[piece] == HWRI_NO_OBJECT) n->first[piece] = (uint16_t)((bump & (HWRI_PIECE - 1)) / 8);
    /* The next object begins where this one ends. */
    if (end == run_end) return end;
    piece = hwri_piece_of(n, (void *)end);
    if (n->first[piece] == HWRI_NO_OBJECT) n->first[piece] = (uint16_t)((end & (HWRI_PIECE - 1)) / 8);
    return piece_at(n, piece + 1);
}

void *hwri_survivor_alloc_slow(hwri_tracing *t, size_t size) {
    hwri_nursery *n = &t->nursery;
    hwri_room *room = &n->survivors;
    uintptr_t limit = room->bump ? hwri_piece_next(n, room->bump, size, n->survivors_end) : 0;
    if (!limit) {
        size_t at, count = hwri_pieces_take(t, COMMIT_PIECES, HWRI_PIECE_COPIED, &at);
        if (room->bump && room->bump < n->survivors_end)
            *(uint64_t *)room->bump = hwri_gap(n->survivors_end - room->bump);
        room->bump = room->limit = count ? piece_at(n, at) : 0;
        n->survivors_end = room->bump + (count << HWRI_PIECE_SHIFT);
        limit = count ? hwri_piece_next(n, room->bump, size, n->survivors_end) : 0;
        if (!limit) return NULL;
    }
    void *header = (void *)room->bump;
    room->bump += size;
    room->limit = limit;
    return header;
}

void hwri_piece_each(const hwri_nursery *n, size_t piece, hwri_piece_visit visit, void *context) {
    if (n->first[piece] == HWRI_NO_OBJECT) return;
    uintptr_t at = piece_at(n, piece) + (size_t)n->first[piece] * 8, end = piece_at(n, piece + 1);
    while (at < end) {
        uint64_t *header = (uint64_t *)at;
        at += hwri_size_at(header);
        visit(context, header);
    }
}

/* An object that reaches into a piece from the one before is found there. */
uint64_t *hwri_young_object_at(const hwri_tracing *t, uintptr_t address) {
    const hwri_nursery *n = &t->nursery;
    if (address - n->start >= n->pieces << HWRI_PIECE_SHIFT) return NULL;
    size_t piece = (address - n->start) >> HWRI_PIECE_SHIFT;
    if (n->state[piece] == HWRI_PIECE_FREE) return NULL;
    while (n->first[piece] == HWRI_NO_OBJECT || piece_at(n, piece) + (size_t)n->first[piece] * 8 > address) {
        if (piece == 0 || n->state[piece - 1] == HWRI_PIECE_FREE) return NULL;
        piece--;
    }
    uintptr_t at = piece_at(n, piece) + (size_t)n->first[piece] * 8;
    for (;;) {
        uint64_t *header = (uint64_t *)at;
        at += hwri_size_at(header);
        if (address < at) return hwri_is_object_at(header) ? header : NULL;
    }
}

/* Flags the pieces that an object lies in. */
void hwri_keep_pieces(hwri_nursery *n, const uint64_t *header, size_t size, uint8_t flags) {
    size_t last = hwri_piece_of(n, (const char *)header + size - 1);
    for (size_t piece = hwri_piece_of(n, header); piece <= last; piece++) n->state[piece] |= flags;
}

/* What lies between two objects that stay, as far as it is in pieces that stay: one gap in each piece. */
typedef struct sweeping {
    hwri_tracing *t;
    uintptr_t gap; /* where it begins; 0: there is none */
} sweeping;

static void end_gap(hwri_nursery *n, sweeping *s, uintptr_t end) {
    if (!s->gap || s->gap == end) {
        s->gap = 0;
        return;
    }
    *(uint64_t *)s->gap = hwri_gap(end - s->gap);
    n->gap_bytes += end - s->gap;
    size_t piece = hwri_piece_of(n, (void *)s->gap);
    if (n->first[piece] == HWRI_NO_OBJECT) n->first[piece] = (uint16_t)((s->gap & (HWRI_PIECE - 1)) / 8);
    s->gap = 0;
}

static bool stays(const hwri_tracing *t, uint64_t header) {
    return hwri_is_there(header) && (header & HWRI_MARK) >> HWRI_MARK_SHIFT == t->young_epoch;
}

/* A kept piece, of which `from` on is not part of an object that began before. Returns where the last of its objects that stays ends. */
static uintptr_t sweep_piece(hwri_tracing *t, size_t piece, uintptr_t from) {
    hwri_nursery *n = &t->nursery;
    uintptr_t at = piece_at(n, piece) + (size_t)n->first[piece] * 8, end = piece_at(n, piece + 1);
    bool none = n->first[piece] == HWRI_NO_OBJECT;
    n->first[piece] = HWRI_NO_OBJECT;
    sweeping s = {t, from < end ? from : 0};
    while (!none && at < end) {
        uint64_t *header = (uint64_t *)at;
        size_t size = hwri_size_at(header);
        if (stays(t, *header)) {
            end_gap(n, &s, at);
            if (n->first[piece] == HWRI_NO_OBJECT) n->first[piece] = (uint16_t)((at & (HWRI_PIECE - 1)) / 8);
            from = at + size;
        } else if (!s.gap) {
            s.gap = at;
        }
        at += size;
    }
    if (s.gap || from < end) {
        if (!s.gap) s.gap = from;
        end_gap(n, &s, end);
    }
    return from;
}

void hwri_nursery_reset(hwri_tracing *t) {
    hwri_nursery *n = &t->nursery;
    uintptr_t from = n->start;
    n->gap_bytes = 0;
    for (size_t piece = 0; piece < n->pieces; piece++) {
        uint8_t state = n->state[piece];
        if (state & HWRI_PIECE_COPIED) {
            n->state[piece] = HWRI_PIECE_USED;
        } else if (state & HWRI_PIECE_KEPT) {
            if (from < piece_at(n, piece)) from = piece_at(n, piece);
            from = sweep_piece(t, piece, from);
            n->state[piece] = HWRI_PIECE_USED;
        } else {
            n->state[piece] = HWRI_PIECE_FREE;
        }
    }
    bool rests = t->heap->checked && n->cursor < n->pieces / NURSERY_ROOM; /* what died is not used again at once */
    if (!rests) n->cursor = 0;
    n->given = 0;
    n->has_rescans = false;
}

size_t hwri_pieces_used(const hwri_nursery *n) {
    size_t used = 0;
    for (size_t piece = 0; piece < n->pieces; piece++) used += n->state[piece] != HWRI_PIECE_FREE;
    return used;
}

size_t hwri_nursery_trim(hwri_tracing *t) {
    hwri_nursery *n = &t->nursery;
    size_t keep = n->committed;
    while (keep > 0 && n->state[keep - 1] == HWRI_PIECE_FREE) keep--;
    size_t bytes = (n->committed - keep) << HWRI_PIECE_SHIFT;
    if (bytes) hwr_raw_decommit(t->heap->raw, (void *)piece_at(n, keep), bytes);
    n->committed = keep;
    if (n->poisoned > keep) n->poisoned = keep;
    return bytes;
}
