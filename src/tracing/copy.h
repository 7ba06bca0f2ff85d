/* The engine that collects the young, by copying what survives: out of the nursery into the old space, or, the first time, into other pieces of the nursery. Written against an object model (model.h shows what that
 * is), and included by one file for each.
 *
 * What has been copied and not yet scanned is a list through the originals, whose memory nobody needs any more: the collection needs no memory for itself, however much survives. An object that may
 * not move, or for which there is no room, stays where it is: it is marked, its pieces are kept, and it is found by going through them. So a collection of the young cannot fail. */
#ifndef HWRI_TRACING_COPY_H
#define HWRI_TRACING_COPY_H

#include "tracing/tracing.h"

typedef struct hwri_copying {
    hwri_tracing *t;
    uintptr_t young, young_size;
    uint64_t epoch;         /* as in a header */
    uint64_t promoted_ages; /* flags of objects that go to the old space; all ones: every one does */
    uint64_t
        *pending; /* header of the last original whose copy is not scanned; the word behind leads to the one before */
    bool leads_to_young; /* a slot visited since this was last cleared does */
    size_t survived;     /* bytes */
} hwri_copying;

HWRI_INLINE bool copying_is_young(const hwri_copying *c, const void *object) {
    return (uintptr_t)object - c->young < c->young_size;
}

/* It stays where it is. */
static inline void copying_stay(hwri_copying *c, uint64_t *header, size_t size) {
    *header = (*header & ~HWRI_MARK) | c->epoch | HWRI_AGED | HWRI_PINNED;
    hwri_keep_pieces(&c->t->nursery, header, size, HWRI_PIECE_KEPT | HWRI_PIECE_RESCAN);
    c->t->nursery.has_rescans = true;
    c->survived += size;
    c->t->pinned_objects++;
    c->leads_to_young = true;
}

HWRI_INLINE uint64_t *copying_room(hwri_copying *c, size_t size, bool old) {
    hwri_room *room = old ? &c->t->space.old.promoted : &c->t->nursery.survivors;
    if (__builtin_expect((!old || size <= HWRI_SMALL_MOST) && room->limit - room->bump >= size, 1)) {
        uint64_t *to = (uint64_t *)room->bump;
        room->bump += size;
        return to;
    }
    return old ? hwri_old_alloc_slow(&c->t->space, size) : hwri_survivor_alloc_slow(c->t, size);
}

/* Makes a copy of the object, which has not been reached before, and returns it; or the object itself. */
static inline void *copying_move(hwri_copying *c, uint64_t *header) {
    uint64_t word = *header;
    if (__builtin_expect((word & HWRI_MARK) == HWRI_WATCHED, 0)) hwri_watched_is_reached(c->t, header + 1);
    traced_type type = traced_type_at(header);
    size_t size = traced_bytes(header + 1, type), padding = traced_padding(type);
    bool old = word & c->promoted_ages;
    uint64_t *to = copying_room(c, size + padding, old);
    if (__builtin_expect(!to, 0)) {
        to = old ? NULL : copying_room(c, size + padding, true);
        old = true;
        if (!to) {
            copying_stay(c, header, size);
            return header + 1;
        }
    }
    if (__builtin_expect(padding != 0, 0)) to = hwri_settle(to, size);
    for (size_t i = 1; i < size / 8; i++) to[i] = header[i];
    word &= ~(HWRI_MARK | HWRI_AGED);
    *to = old ? word | HWRI_REGION | HWRI_TRACK : word | HWRI_AGED | c->epoch;
    *header = (uint64_t)(uintptr_t)(to + 1);
    c->survived += size;
    c->leads_to_young |= !old;
    if (traced_refers(type)) {
        header[1] = (uint64_t)(uintptr_t)c->pending;
        c->pending = header;
    }
    return to + 1;
}

HWRI_INLINE void copying_visit(void *context, hwri_slot *slot) {
    hwri_copying *c = context;
    void *object = *slot;
    if (!copying_is_young(c, object)) return;
    uint64_t *header = traced_header(object), word = *header;
    if (!hwri_is_there(word)) {
        *slot = (void *)(uintptr_t)word;
        c->leads_to_young |= copying_is_young(c, *slot);
    } else if ((word & HWRI_MARK) == c->epoch) {
        c->leads_to_young = true;
    } else {
        *slot = copying_move(c, header);
    }
}

/* The same where it is not worth while to have it inline. */
static inline void copying_visit_root(void *context, void *slot) { copying_visit(context, slot); }

HWRI_INLINE void copying_scan(hwri_copying *c, void *object, uint64_t word) {
    c->leads_to_young = false;
    traced_each_slot(object, traced_type_at(traced_header(object)), copying_visit, c);
    if (c->leads_to_young && word & HWRI_REGION) hwri_remember_again(c->t, &c->t->remembered, object);
}

static inline void copying_scan_stayed(void *context, uint64_t *header) {
    hwri_copying *c = context;
    if (!hwri_is_there(*header) || !(*header & HWRI_PINNED)) return;
    *header &= ~HWRI_PINNED;
    copying_scan(c, header + 1, *header);
}

static inline void copying_finish(hwri_copying *c) {
    hwri_nursery *n = &c->t->nursery;
    do {
        while (c->pending) {
            uint64_t *original = c->pending;
            c->pending = (uint64_t *)(uintptr_t)original[1];
            void *copy = (void *)(uintptr_t)*original;
            copying_scan(c, copy, *traced_header(copy));
        }
        if (!n->has_rescans) break;
        n->has_rescans = false;
        for (size_t piece = 0; piece < n->pieces; piece++) {
            if (!(n->state[piece] & HWRI_PIECE_RESCAN)) continue;
            n->state[piece] &= (uint8_t)~HWRI_PIECE_RESCAN;
            hwri_piece_each(n, piece, copying_scan_stayed, c);
        }
    } while (c->pending || n->has_rescans);
}

/* What an old object refers to, which is among the remembered; it is remembered again if need be. */
static inline void copying_scan_remembered(hwri_copying *c, void *object) {
    uint64_t *header = traced_header(object);
    if (!(*header & HWRI_LARGE)) {
        if (*header & HWRI_TRACK) return; /* it was in two threads' lists */
        *header |= HWRI_TRACK;
        copying_scan(c, object, *header);
        return;
    }
    hwri_large *large = hwri_large_of(object);
    if (!large->listed) return;
    large->listed = false;
    bool again = false;
    for (size_t card = 0; card <= large->size >> HWRI_CARD_SHIFT; card++) {
        if (!large->cards[card]) continue;
        c->leads_to_young = false;
        traced_each_slot_within(object, traced_type_at(header), card << HWRI_CARD_SHIFT, (card + 1) << HWRI_CARD_SHIFT,
                                copying_visit, c);
        large->cards[card] = c->leads_to_young;
        again |= c->leads_to_young;
    }
    if (again) hwri_remember_again(c->t, &c->t->remembered, object);
}

#endif
