/* intern: of all strs of one content, the one that those share who ask for it. */
#include "kinds/str.h"
#include "kinds/table.h"

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

static inline uint64_t place_tag(uint32_t hash) { return (uint64_t)(hash >> 16) << TAG_SHIFT; }
static inline uint64_t place_for(const hwri_str *str) { return place_tag(str->hash) | (uintptr_t)str; }
static inline const hwri_str *str_in(uint64_t place) {
    return (const hwri_str *)(uintptr_t)(place & ((UINT64_C(1) << TAG_SHIFT) - 1));
}

/* The living str of that content, or NULL; *at is its place, or the free one where it would be. */
static const hwri_str *find_interned(const interned_strs *table, const hwri_key *key, size_t *at) {
    uint64_t place, tag = place_tag(key->hash);
    for (*at = key->hash & (table->room - 1); (place = table->places[*at]) != 0; *at = next_place(table, *at)) {
        if ((place ^ tag) >> TAG_SHIFT) continue;
        const hwri_str *found = str_in(place);
        if (hwri_is_live(*hwri_header(found)) && hwri_is_key_str(found, key)) return found;
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
    hwri_key key = hwri_key_of_str(heap, str);
    const hwri_str *found = find_interned(table, &key, &at);
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

hwr_result hwr_str_interned(hwr_heap *heap, const char *utf8, size_t size, void **text) {
    HWRI_LOOK(heap, NULL);
    const interned_strs *table = heap->kinds->interned;
    void *made;
    if (table && size > 1 && hwri_is_ascii((const unsigned char *)utf8, size)) {
        hwri_key key = hwri_key_of_ascii(heap, utf8, size);
        size_t at;
        const hwri_str *found = find_interned(table, &key, &at);
        if (hwri_likely(found != NULL)) {
            hwr_retain(heap, found);
            *text = (void *)(uintptr_t)found;
            return HWR_OK;
        }
    }
    hwr_result result = hwr_str_from(heap, utf8, size, &made);
    if (result != HWR_OK) return result;
    if (hwr_str_intern(heap, &made)) return *text = made, HWR_OK;
    hwr_release(heap, made);
    return HWR_NO_MEMORY;
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
