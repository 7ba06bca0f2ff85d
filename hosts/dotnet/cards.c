/* Cards: where old objects may refer to young ones. The runtime's write barrier sets the byte of a card of 2 KiB whenever a reference into the heap is stored into it, whatever their ages; so a card that is set says
 * nothing but where to look. After a collection nothing is young, and all are cleared. */
#include "model.h"

#include "tracing/mark.h"

enum { CARD = 1 << CLR_CARD_SHIFT, CARDS_OF_REGION = HWRI_REGION_SIZE / CARD };

static uint8_t *card_of(uintptr_t address) {
    return clr_objects.cards + ((address - clr_objects.low) >> CLR_CARD_SHIFT);
}

/* ---- visiting ---- */

static void reach_slot(void *context, hwri_slot *slot) {
    (void)context;
    clr_reach((clr_object **)(void *)slot);
}

static void reach_from(uint64_t *header, uintptr_t low, uintptr_t high) {
    clr_object *object = (clr_object *)(void *)(header + 1);
    traced_each_between(object, object->type, (char *)low, (char *)high, reach_slot, NULL);
}

/* The marked objects of a region that lie in [low, high), in full or in part. */
static void reach_from_region(const hwri_region *region, uintptr_t low, uintptr_t high) {
    uintptr_t base = (uintptr_t)region;
    uint64_t *header = hwri_marked_across((void *)low);
    if (header) reach_from(header, low, high);
    for (size_t i = (low - base) / 8 / 64; i < (high - base) / 8 / 64; i++)
        for (uint64_t bits = region->marks[i].starts; bits; bits &= bits - 1)
            reach_from((uint64_t *)base + i * 64 + (size_t)__builtin_ctzll(bits), low, high);
}

/* Cards that follow each other are visited at once, since an object that crosses from one to the next would be looked for twice. */
static void visit_runs(const uint8_t *cards, size_t count, void (*visit)(void *context, size_t from, size_t to),
                       void *context) {
    for (size_t i = 0; i < count; i++) {
        if (i % 8 == 0 && count - i >= 8) {
            uint64_t eight;
            memcpy(&eight, cards + i, sizeof eight);
            if (!eight) {
                i += 7;
                continue;
            }
        }
        if (!cards[i]) continue;
        size_t from = i;
        while (i < count && cards[i]) i++;
        visit(context, from, i);
    }
}

static void visit_in_region(void *context, size_t from, size_t to) {
    uintptr_t base = (uintptr_t)context, first = base + HWRI_REGION_FIRST * (uintptr_t)HWRI_BLOCK;
    uintptr_t low = base + from * CARD, high = base + to * CARD;
    if (high > first) reach_from_region(context, low < first ? first : low, high);
}

static void visit_in_large(void *context, size_t from, size_t to) {
    clr_object *object = context;
    uintptr_t base = (uintptr_t)object & ~(uintptr_t)(CARD - 1);
    reach_from((uint64_t *)(void *)object - 1, base + from * CARD, base + to * CARD);
}

static size_t cards_of_large(const hwri_large *large) {
    uintptr_t object = (uintptr_t)hwri_large_object(large);
    return ((object + large->size - 1) >> CLR_CARD_SHIFT) - (object >> CLR_CARD_SHIFT) + 1;
}

void clr_cards_reach(void) {
    const hwri_space *space = &clr_gc.space;
    for (size_t i = 0; i < space->old.region_count; i++)
        visit_runs(card_of((uintptr_t)space->old.regions[i]), CARDS_OF_REGION, visit_in_region, space->old.regions[i]);
    for (size_t i = 0; i < space->large.count; i++) {
        clr_object *object = hwri_large_object(space->large.all[i]);
        if (space->large.all[i]->epoch == space->epoch && object->type->flags & CLR_HAS_POINTERS)
            visit_runs(card_of((uintptr_t)object), cards_of_large(space->large.all[i]), visit_in_large, object);
    }
}

void clr_cards_clear(void) {
    const hwri_space *space = &clr_gc.space;
    for (size_t i = 0; i < space->old.region_count; i++)
        memset(card_of((uintptr_t)space->old.regions[i]), 0, CARDS_OF_REGION);
    for (size_t i = 0; i < space->large.count; i++) {
        const clr_object *object = hwri_large_object(space->large.all[i]);
        if (object->type->flags & CLR_HAS_POINTERS)
            memset(card_of((uintptr_t)object), 0, cards_of_large(space->large.all[i]));
    }
}
