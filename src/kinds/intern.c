/* intern: of all strs of one content, the one that those share who ask for it. */
#include "kinds/str.h"
#include "kinds/table.h"

/* The interned strs of a heap: open addressing, linear probing, never more than two thirds full. The table owns no references. A str that is in it has HWRI_INTERNED in its
 * header, and HWRI_SPECIAL, so that its death takes the long way and takes it out; those that it had pushed on move back, so there are no gravestones. A place is the
 * str's address in the lower 48 bits, as in a header, and the upper half of its hash in the others: hardly ever is a str looked at that is not the one. A str whose
 * count is zero, but whose end has to wait, is still there and is nobody's: then there may be two of one content. On a tracing heap a collection takes out those that it has not reached (traced.c). 12 to 24 bytes for each str, more after most have died: with
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

static size_t next_room(const interned_strs *table) { return table ? table->room * 2 : LEAST_INTERNED; }

/* The one that is there already, or the str, which is now. */
static const hwri_str *enter_str(hwr_heap *heap, hwri_str *str) {
    interned_strs *table = heap->kinds->interned;
    size_t at;
    hwri_key key = hwri_key_of_str(heap, str);
    const hwri_str *found = find_interned(table, &key, &at);
    if (found) return found;
    table->places[at] = place_for(str);
    table->count++;
    if (heap->tracing) {
        __atomic_fetch_or(hwri_header(str), HWRI_INTERNED, __ATOMIC_RELAXED);
        hwri_traced_interned(heap, str);
    } else {
        *hwri_header(str) |= HWRI_INTERNED | HWRI_SPECIAL;
    }
    return str;
}

bool hwr_str_intern(hwr_heap *heap, void **text) {
    HWRI_LOOK(heap, *text);
    hwri_str *str = *text;
    unsigned attempt = 0;
    if (*hwri_header(str) & HWRI_INTERNED || hwri_is_shared_str(str)) return true;
    for (;;) {
        hwri_kinds_lock(heap);
        size_t room = next_room(heap->kinds->interned);
        bool has_room = has_interned_room(heap->kinds->interned) || resize_interned(heap, room);
        const hwri_str *found = has_room ? enter_str(heap, str) : NULL;
        hwri_kinds_unlock(heap);
        if (found && found != str) {
            hwr_retain(heap, found);
            *text = (void *)(uintptr_t)found;
            hwr_release(heap, str);
        }
        if (found) return true;
        if (!hwri_make_room(heap, room * sizeof(uint64_t), &attempt)) return false;
    }
}

/* The same as bytes, all of them ASCII, retained; NULL: there is none. */
static const hwri_str *interned_ascii(hwr_heap *heap, const char *ascii, size_t size) {
    hwri_key key = hwri_key_of_ascii(heap, ascii, size);
    size_t at;
    hwri_kinds_lock(heap);
    const interned_strs *table = heap->kinds->interned;
    const hwri_str *found = table ? find_interned(table, &key, &at) : NULL;
    hwri_kinds_unlock(heap);
    hwr_retain(heap, found);
    return found;
}

hwr_result hwr_str_interned(hwr_heap *heap, const char *utf8, size_t size, void **text) {
    HWRI_LOOK(heap, NULL);
    void *made;
    if (size > 1 && hwri_is_ascii((const unsigned char *)utf8, size)) {
        const hwri_str *found = interned_ascii(heap, utf8, size);
        if (hwri_likely(found != NULL)) {
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

static size_t place_of_str(const interned_strs *table, const hwri_str *str) {
    size_t at = home_of(table, str);
    while (str_in(table->places[at]) != str) at = next_place(table, at);
    return at;
}

static void shrink_interned(hwr_heap *heap) {
    const interned_strs *table = heap->kinds->interned;
    if (table->count < table->room / 8 && table->room > LEAST_INTERNED) resize_interned(heap, table->room / 2);
}

static void leave(interned_strs *table, size_t at) {
    empty_place(table, at);
    table->count--;
}

void hwri_interned_dies(hwr_heap *heap, const void *text) {
    interned_strs *table = heap->kinds->interned;
    leave(table, place_of_str(table, text));
    *hwri_header(text) &= ~HWRI_INTERNED;
    shrink_interned(heap);
}

/* ---- on a tracing heap ---- */

void hwri_interned_moves(hwr_heap *heap, const void *text, const void *now) {
    interned_strs *table = heap->kinds->interned;
    size_t at = place_of_str(table, text);
    if (now)
        table->places[at] = place_for(now);
    else
        leave(table, at);
}

/* What moves back into a place that is emptied is looked at there: for the second time, if it comes from the beginning of the table. So they are noted only when all have their places. */
void hwri_interned_review(hwr_heap *heap, void *(*now)(void *context, void *text),
                          void (*note)(void *context, void *text), void *context) {
    interned_strs *table = heap->kinds->interned;
    for (size_t at = 0; at < table->room;) {
        void *text = (void *)(uintptr_t)str_in(table->places[at]);
        void *stays = text ? now(context, text) : NULL;
        if (text && !stays) {
            leave(table, at);
            continue;
        }
        if (stays) table->places[at] = place_for(stays);
        at++;
    }
    for (size_t at = 0; at < table->room; at++)
        if (table->places[at]) note(context, (void *)(uintptr_t)str_in(table->places[at]));
    shrink_interned(heap);
}

/* ---- verification ---- */

/* Whether a place holds an interned str of the heap that can be found from its home. One whose end has to wait may be there, too. */
static bool is_sound_place(hwr_heap *heap, const interned_strs *table, size_t at) {
    const hwri_str *str = str_in(table->places[at]);
    if (!hwri_is_object(heap, str)) return hwri_has_deaths(heap);
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
