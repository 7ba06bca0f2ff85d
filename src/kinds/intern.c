/* intern: of all strs of one content, the one that those share who ask for it. */
#include "kinds/str.h"

/* The interned strs of a heap: open addressing, linear probing, never more than two thirds full. The table owns no references. A str that is in it has HWRI_INTERNED in its
 * header, and HWRI_SPECIAL, so that its death takes the long way and takes it out; those that it had pushed on move back, so there are no gravestones. A place is the
 * str's address in the lower 48 bits, as in a header, and the upper half of its hash in the others: hardly ever is a str looked at that is not the one. A str whose
 * count is zero, but whose end has to wait, is still there and is nobody's: then there may be two of one content. 12 to 24 bytes for each str, more after most have died: with
 * an eighth in use the table is halved. */
typedef struct hwri_interned {
    size_t count, room; /* room: a power of two */
    uint64_t places[];
} interned_strs;

enum { LEAST_INTERNED = 64, TAG_SHIFT = 48 };

static inline size_t next_place(const interned_strs *table, size_t at) { return (at + 1) & (table->room - 1); }
static inline size_t home_of(const interned_strs *table, const hwri_str *str) { return str->hash & (table->room - 1); }

static inline uint64_t place_for(const hwri_str *str) {
    return (uint64_t)(str->hash >> 16) << TAG_SHIFT | (uintptr_t)str;
}
static inline const hwri_str *str_in(uint64_t place) {
    return (const hwri_str *)(uintptr_t)(place & ((UINT64_C(1) << TAG_SHIFT) - 1));
}

/* The living str of the same content, or NULL; *at is its place, or the free one where it would be. */
static const hwri_str *find_interned(const interned_strs *table, const hwri_str *str, size_t *at) {
    uint64_t place, wanted = place_for(str);
    for (*at = home_of(table, str); (place = table->places[*at]) != 0; *at = next_place(table, *at)) {
        if ((place ^ wanted) >> TAG_SHIFT) continue;
        const hwri_str *found = str_in(place);
        if (hwri_is_live(*hwri_header(found)) && hwri_same_text(found, str)) return found;
    }
    return NULL;
}

/* Nothing can die meanwhile: the pool does not collect. */
static bool resize_interned(hwr_heap *heap, size_t room) {
    interned_strs *old = heap->kinds->interned, *table;
    table = hwr_pool_alloc_zeroed(heap->blocks, 1, sizeof *table + room * sizeof *table->places);
    if (!table) return false;
    table->room = room;
    table->count = old ? old->count : 0;
    for (size_t i = 0; old && i < old->room; i++) {
        if (!old->places[i]) continue;
        size_t at = home_of(table, str_in(old->places[i]));
        while (table->places[at]) at = next_place(table, at);
        table->places[at] = old->places[i];
    }
    hwr_pool_free(heap->blocks, old);
    heap->kinds->interned = table;
    return true;
}

static bool has_interned_room(const interned_strs *table) { return table && (table->count + 1) * 3 <= table->room * 2; }

static bool make_interned_room(hwr_heap *heap) {
    unsigned attempt = 0;
    while (!has_interned_room(heap->kinds->interned)) {
        size_t room = heap->kinds->interned ? heap->kinds->interned->room * 2 : LEAST_INTERNED;
        if (!resize_interned(heap, room) && !hwri_make_room(heap, room * sizeof(uint64_t), &attempt)) return false;
    }
    return true;
}

bool hwr_str_intern(hwr_heap *heap, void **text) {
    HWRI_LOOK(heap, *text);
    hwri_str *str = *text;
    if (*hwri_header(str) & HWRI_INTERNED || hwri_is_shared_str(str)) return true;
    if (!make_interned_room(heap)) return false;
    interned_strs *table = heap->kinds->interned;
    size_t at;
    hwri_hash_str(heap, str);
    const hwri_str *found = find_interned(table, str, &at);
    if (found) {
        hwr_retain(heap, found);
        *text = (void *)(uintptr_t)found;
        hwr_release(heap, str);
        return true;
    }
    table->places[at] = place_for(str);
    table->count++;
    *hwri_header(str) |= HWRI_INTERNED | HWRI_SPECIAL;
    return true;
}

/* Empties a place, and moves back into it what stands behind and belongs there or before. */
static void empty_place(interned_strs *table, size_t gap) {
    size_t mask = table->room - 1;
    for (size_t at = next_place(table, gap); table->places[at]; at = next_place(table, at)) {
        size_t home = home_of(table, str_in(table->places[at]));
        if (((at - home) & mask) < ((at - gap) & mask)) continue;
        table->places[gap] = table->places[at];
        gap = at;
    }
    table->places[gap] = 0;
}

void hwri_interned_dies(hwr_heap *heap, const void *text) {
    interned_strs *table = heap->kinds->interned;
    const hwri_str *str = text;
    size_t at = home_of(table, str);
    while (str_in(table->places[at]) != str) at = next_place(table, at);
    empty_place(table, at);
    table->count--;
    *hwri_header(str) &= ~HWRI_INTERNED;
    if (table->count < table->room / 8 && table->room > LEAST_INTERNED) resize_interned(heap, table->room / 2);
}

/* Whether a place holds an interned str of the heap that can be found from its home. One whose end has to wait may be there, too. */
static bool is_sound_place(hwr_heap *heap, const interned_strs *table, size_t at) {
    const hwri_str *str = str_in(table->places[at]);
    if (!hwri_is_object(heap, str)) return heap->deaths.count != 0 || heap->deaths.lost;
    if (!hwri_is_str(str) || !(*hwri_header(str) & HWRI_INTERNED)) return false;
    if (table->places[at] != place_for(str)) return false;
    for (size_t i = home_of(table, str); i != at; i = next_place(table, i))
        if (!table->places[i]) return false;
    return true;
}

const char *hwri_interned_problem(hwr_heap *heap) {
    const interned_strs *table = heap->kinds ? heap->kinds->interned : NULL;
    size_t count = 0;
    for (size_t i = 0; table && i < table->room; i++) {
        if (!table->places[i]) continue;
        if (!is_sound_place(heap, table, i)) return "the table of interned strs is wrong";
        count++;
    }
    return table && count != table->count ? "the table of interned strs has a wrong count" : NULL;
}
