/* table: the hash table of dicts and sets.
 *
 * The entries lie in an array in the order in which they were added, and an index says where: so going through them is going through an array, and what is sparse,
 * since it is a hash table, is only the index (Hettinger, python-dev, December 2012). The array is a storage of references: a key and its value next to each
 * other, or a key only. It is a leaf, at which the collector does not look, until something that is not a leaf comes into it. An entry that is removed leaves a gap, two
 * NULLs, which is squeezed out when the array is full.
 *
 * A slot of the index is 0, or has the number of an entry, plus one, in as many low bits as the index has slots for, and above them a tag: further bits of the hash of the
 * entry's key. Probing is linear, from the slot that the highest bits of the hash name; an entry is looked at only where the tag agrees. A gap keeps its slot, so that an index
 * has just as many slots taken as there are entries and gaps, never more than two thirds. Up to sixteen entries need no index: four bits of each one's hash stand in
 * the table itself and are compared at once.
 *
 * The hash of a key is not kept: a str has its own, and others are hashed again when an index is made, so once or twice more in all. That saves 8 bytes of 24 an entry.
 *
 * What it costs: 48 bytes for the table; 16 bytes for each place of the array (8 in a set), of which half are free just after it grew, of thousands a third; 1 byte a slot of an
 * index up to 64 slots, 2 up to 8192, then 4. Looking up a str takes a cache miss each for the slot, the entry, the str, where these are not cached.
 *
 * What can run the program's code: hashing, comparing and releasing. Whoever does one of the first two looks afterwards whether the table is still the same, and starts again if
 * not; what is to be released is released last. Memory is taken quietly (hwri_new_quietly), and when there is none, everything starts again after a collection. */
#include "kinds/table.h"

enum {
    FIRST_ENTRIES = HWRI_FIRST_ENTRIES,
    FEW_ENTRIES = 16,
    MANY_ENTRIES = 1000,
    LEAST_INDEX_BITS = 5,
    MOST_INDEX_BITS = 31
};

/* ---- keys ---- */

hwr_result hwri_key_of_text(hwr_heap *heap, const char *text, bool with_str, hwri_key *key, void **made) {
    size_t size = strlen(text);
    *made = NULL;
    if (!with_str && hwri_is_ascii((const unsigned char *)text, size)) {
        *key = hwri_key_of_ascii(heap, text, size);
        return HWR_OK;
    }
    hwr_result result = hwr_str_interned(heap, text, size, made);
    if (result == HWR_OK) *key = hwri_key_of_str(heap, *made);
    return result;
}

/* ---- looking ---- */

/* What shows whether a table was changed, values apart. */
typedef struct table_state {
    const hwri_storage *entries;
    uint32_t used, live, added;
} table_state;
static table_state state_of(const hwri_table *table) {
    return (table_state){table->entries, table->used, table->live, table->added};
}
static bool is_still(const hwri_table *table, const table_state *state) {
    return table->entries == state->entries && table->used == state->used && table->live == state->live &&
           table->added == state->added;
}

static hwr_result compare_keys(hwr_heap *heap, const void *a, const void *b, bool *equal) {
    if (hwri_is_of_type(a, HWRI_INT_TYPE) && hwri_is_of_type(b, HWRI_INT_TYPE)) {
        *equal = ((const hwri_int *)a)->value == ((const hwri_int *)b)->value;
        return HWR_OK;
    }
    hwr_retain(heap, a);
    hwr_result result = hwri_equal(heap, a, b, 0, equal);
    hwr_release(heap, a);
    return result;
}

static hwr_result find_other(hwr_heap *heap, const hwri_table *table, hwri_values values, const hwri_key *key,
                             size_t *item) {
    unsigned width = hwri_slot_width(hwri_index_bits(table));
    table_state state = state_of(table);
    hwri_probe p = hwri_first_probe(table, width, key->spread);
    for (size_t position; (position = hwri_next_candidate(table, width, &p)) != HWRI_NO_ENTRY;) {
        const void *object = table->entries->as.objects[position << values];
        bool equal = object == key->object;
        hwr_result result = equal || !object ? HWR_OK : compare_keys(heap, object, key->object, &equal);
        if (result != HWR_OK) return result;
        if (hwri_unlikely(!is_still(table, &state))) return find_other(heap, table, values, key, item);
        *item = position << values;
        if (equal) return HWR_OK;
    }
    return HWR_NOT_FOUND;
}

HWRI_INLINE hwr_result find_key(hwr_heap *heap, const hwri_table *table, hwri_values values, const hwri_key *key,
                                size_t *item) {
    if (hwri_unlikely(!key->type)) return find_other(heap, table, values, key, item);
    *item = hwri_find_str(table, values, key);
    return *item == HWRI_NO_ENTRY ? HWR_NOT_FOUND : HWR_OK;
}

hwr_result hwri_table_find(hwr_heap *heap, const hwri_table *table, hwri_values values, const hwri_key *key,
                           size_t *item) {
    return find_key(heap, table, values, key, item);
}

hwr_result hwri_table_find_object(hwr_heap *heap, const hwri_table *table, hwri_values values, const void *object,
                                  size_t *item) {
    hwri_key key;
    hwr_result result = hwri_key_of(heap, object, &key);
    return result == HWR_OK ? find_key(heap, table, values, &key, item) : result;
}

/* ---- room ---- */

static inline size_t room_of(const hwri_table *table, hwri_values values) {
    return table->entries ? table->entries->room >> values : 0;
}

/* How many entries an index of so many bits is for; the fewest bits for so many entries: 0 for few, and too many if there is no such index. */
static size_t most_entries(unsigned bits) { return (size_t)(UINT64_C(2) << bits) / 3; }
static unsigned bits_for(size_t entries) {
    unsigned bits = LEAST_INDEX_BITS;
    if (entries <= FEW_ENTRIES) return 0;
    while (bits <= MOST_INDEX_BITS && most_entries(bits) < entries) bits++;
    return bits;
}

/* The room that a table with so many entries is to have when it needs more. As in CPython, five at first; in small steps up to where an index comes in, since dicts of ten or so are many; and then, since whoever
 * has a hundred entries has paid for making them, what the index is for; but half as much again where there are thousands. */
static size_t room_for_more(size_t entries, bool indexed) {
    static const unsigned char few[] = {FIRST_ENTRIES, 8, 10, FEW_ENTRIES};
    for (size_t i = 0; !indexed && i < sizeof few; i++)
        if (entries < few[i]) return few[i];
    if (entries <= FEW_ENTRIES) return most_entries(LEAST_INDEX_BITS);
    size_t most = most_entries(bits_for(entries + entries / 4 + 1)), half_more = entries + entries / 2;
    return half_more < most && entries >= MANY_ENTRIES ? half_more : most;
}

static hwri_storage *new_index(hwr_heap *heap, unsigned bits) {
    unsigned width = hwri_slot_width(bits);
    enum hwri_kind_type type = width == 1 ? HWRI_DATA1_TYPE : width == 2 ? HWRI_DATA2_TYPE : HWRI_DATA4_TYPE;
    hwri_storage *index = hwri_new_quietly(heap, hwri_kind_type(type), (size_t)1 << bits);
    if (index) memset(&index->as, 0, (size_t)width << bits);
    return index;
}

static hwri_storage *new_entries(hwr_heap *heap, hwri_values values, bool leaves, size_t room) {
    return hwri_new_quietly(heap, hwri_kind_type(leaves ? HWRI_LEAF_SLOTS_TYPE : HWRI_SLOTS_TYPE), room << values);
}

HWRI_INLINE void enter_key(hwri_storage *index, unsigned bits, uint64_t spread, size_t position) {
    unsigned width = hwri_slot_width(bits);
    size_t mask = ((size_t)1 << bits) - 1, at = (size_t)(spread >> (64 - bits));
    while (hwri_slot_at(index, width, at)) at = (at + 1) & mask;
    uint32_t slot = (hwri_tag_of(spread, width) & ~(uint32_t)mask) | (uint32_t)(position + 1);
    if (width == 1)
        index->as.ints1[at] = (int8_t)slot;
    else if (width == 2)
        index->as.ints2[at] = (int16_t)slot;
    else
        index->as.ints4[at] = (int32_t)slot;
}

static hwr_result spread_of_other(hwr_heap *heap, const void *object, uint64_t *spread) {
    hwri_key key = {0};
    hwr_retain(heap, object);
    hwr_result result = hwri_key_of(heap, object, &key);
    hwr_release(heap, object);
    *spread = key.spread;
    return result;
}

/* Enters what will be there once the gaps are squeezed out. HWR_CHANGED: meanwhile it has become another table. */
static hwr_result enter_keys(hwr_heap *heap, const hwri_table *table, hwri_values values, hwri_storage *index,
                             unsigned bits) {
    enum { AHEAD = 8 };
    table_state state = state_of(table);
    for (size_t i = 0, position = 0; i < state.used; i++) {
        void *const *entry = &table->entries->as.objects[i << values];
        if (i + AHEAD < state.used) __builtin_prefetch(entry[AHEAD << values]);
        uint64_t spread;
        if (!*entry) continue;
        if (hwri_likely(hwri_is_str(*entry))) {
            spread = hwri_spread(((const hwri_str *)*entry)->hash);
        } else {
            hwr_result result = spread_of_other(heap, *entry, &spread);
            if (result != HWR_OK) return result;
            if (!is_still(table, &state)) return HWR_CHANGED;
        }
        enter_key(index, bits, spread, position++);
    }
    return HWR_OK;
}

/* The tags of a table without an index, as they will be without the gaps. */
static uint64_t squeezed_tags(const hwri_table *table, hwri_values values) {
    uint64_t tags = 0;
    for (unsigned i = 0, position = 0; i < table->used; i++)
        if (table->entries->as.objects[i << values]) tags |= (table->tags >> 4 * i & 15) << 4 * position++;
    return tags;
}

/* Moves the references to another storage, or in their own to the front, with or without the gaps. The counts stay as they are. */
static void move_entries(hwr_heap *heap, hwri_table *table, hwri_values values, hwri_storage *to, bool squeeze) {
    void **from = table->entries->as.objects, **into = to->as.objects;
    size_t position = squeeze ? 0 : table->used, kept = 0, size = sizeof(void *) << values;
    if (!squeeze) memcpy(into, from, position * size);
    for (size_t i = 0; squeeze && i < table->used; i++)
        if (from[i << values]) memmove(&into[position++ << values], &from[i << values], size);
    hwri_copied(heap, to, into, position * size);
    if (from == into) kept = position;
    memset(&from[kept << values], 0, (table->used - kept) * size);
    table->used = (uint32_t)position;
}

static bool replace_entries(hwr_heap *heap, hwri_table *table, hwri_values values, hwri_storage *entries,
                            bool squeeze) {
    if (!entries) return false;
    if (table->entries) move_entries(heap, table, values, entries, squeeze);
    hwr_give(heap, table, &table->entries, entries);
    return true;
}

static bool extend_entries(hwr_heap *heap, hwri_table *table, hwri_values values, size_t room) {
    hwri_storage *resized = hwri_resize(heap, table->entries, room << values);
    if (!resized)
        return replace_entries(heap, table, values, new_entries(heap, values, hwri_holds_leaves(table), room), false);
    table->entries = resized; /* the same object, and the same reference to it */
    return true;
}

/* Gives a table another room, entries that hold anything, or the same without gaps; and a new index, if it has to be another. */
static hwr_result try_rebuild(hwr_heap *heap, hwri_table *table, hwri_values values, bool leaves, bool squeeze,
                              size_t room) {
    size_t old_room = room_of(table, values);
    squeeze = squeeze && table->live != table->used;
    bool extends = room > old_room && table->entries && leaves == hwri_holds_leaves(table);
    bool moves = !extends && (room != old_room || leaves != hwri_holds_leaves(table));
    unsigned bits = bits_for(room);
    bool reindexes = bits && (squeeze || bits != hwri_index_bits(table));
    hwri_storage *index = reindexes ? new_index(heap, bits) : NULL;
    hwri_storage *entries = moves ? new_entries(heap, values, leaves, room) : table->entries;
    hwr_result result = (reindexes && !index) || !entries ? HWR_NO_MEMORY : HWR_OK;
    if (result == HWR_OK && index) result = enter_keys(heap, table, values, index, bits);
    if (result != HWR_OK) {
        hwr_release(heap, index);
        if (moves) hwr_release(heap, entries);
        return result;
    }
    if (index)
        table->tags = bits;
    else if (!bits && squeeze)
        table->tags = squeezed_tags(table, values);
    if (index) hwr_give(heap, table, &table->index, index);
    if (moves)
        replace_entries(heap, table, values, entries, squeeze);
    else if (squeeze)
        move_entries(heap, table, values, entries, true);
    bool done = !extends || extend_entries(heap, table, values, room) || table->used < old_room;
    return done ? HWR_OK : HWR_NO_MEMORY;
}

/* For an entry more, if there is no room; otherwise, for what is not a leaf, with everything where it was. */
static hwr_result make_table_room(hwr_heap *heap, hwri_table *table, hwri_values values, bool leaf, bool full) {
    unsigned attempt = 0;
    size_t room;
    hwr_result result;
    do {
        size_t old_room = room_of(table, values), wanted = room_for_more(table->live, table->index != NULL);
        bool enough = !full || (wanted <= old_room && wanted > old_room / 4);
        room = enough ? old_room : wanted;
        result = try_rebuild(heap, table, values, leaf && (!table->entries || hwri_holds_leaves(table)), full, room);
    } while (result == HWR_NO_MEMORY && hwri_make_room(heap, sizeof(void *) * (room << values), &attempt));
    return result == HWR_CHANGED ? HWR_OK : result;
}

bool hwri_table_reserve(hwr_heap *heap, hwri_table *table, hwri_values values, size_t room) {
    unsigned attempt = 0;
    if (room > most_entries(MOST_INDEX_BITS)) return false;
    while (room && try_rebuild(heap, table, values, true, false, room) != HWR_OK)
        if (!hwri_make_room(heap, sizeof(void *) * (room << values), &attempt)) return false;
    return true;
}

/* ---- changing ---- */

static inline void append_entry(hwr_heap *heap, hwri_table *table, hwri_values values, const hwri_key *key,
                                const void *value) {
    hwri_storage *entries = table->entries;
    void **entry = &entries->as.objects[(size_t)table->used << values];
    hwr_retain(heap, key->object);
    hwr_init(heap, entries, entry, (void *)(uintptr_t)key->object);
    if (values) {
        hwr_retain(heap, value);
        hwr_init(heap, entries, entry + 1, (void *)(uintptr_t)value);
    }
    if (table->index)
        enter_key(table->index, (unsigned)table->tags, key->spread, table->used);
    else
        table->tags |= key->spread >> 60 << 4 * table->used;
    table->used++;
    table->live++;
    table->added++;
}

/* Most tables are small, and this is how they begin. */
static inline bool try_first_entries(hwr_heap *heap, hwri_table *table, hwri_values values, bool leaves) {
    hwri_storage *entries = new_entries(heap, values, leaves, FIRST_ENTRIES);
    if (entries) hwr_init(heap, table, &table->entries, entries);
    return entries != NULL;
}

hwr_result hwri_table_put_at(hwr_heap *heap, hwri_table *table, hwri_values values, const hwri_key *key,
                             const void *value, size_t item, bool *is_new) {
    for (;;) {
        bool is_there = item != HWRI_NO_ENTRY, full = !is_there && table->used == room_of(table, values);
        bool leaf = (!values || hwri_is_leaf(value)) && (is_there || hwri_is_leaf(key->object));
        if (hwri_likely(!full && (leaf || !hwri_holds_leaves(table)))) {
            if (is_new) *is_new = !is_there;
            if (!is_there)
                append_entry(heap, table, values, key, value);
            else if (values)
                hwri_table_set(heap, table, item, value);
            return HWR_OK;
        }
        if (!table->entries && try_first_entries(heap, table, values, leaf)) {
            if (is_new) *is_new = true;
            append_entry(heap, table, values, key, value);
            return HWR_OK;
        }
        hwr_result result = make_table_room(heap, table, values, leaf, full);
        if (result == HWR_OK) result = find_key(heap, table, values, key, &item);
        if (result == HWR_NOT_FOUND)
            item = HWRI_NO_ENTRY;
        else if (result != HWR_OK)
            return result;
    }
}

hwr_result hwri_table_put(hwr_heap *heap, hwri_table *table, hwri_values values, const hwri_key *key, const void *value,
                          bool *is_new) {
    size_t item;
    hwr_result result = find_key(heap, table, values, key, &item);
    if (result != HWR_OK && (result != HWR_NOT_FOUND || !key->object)) return result;
    return hwri_table_put_at(heap, table, values, key, value, result == HWR_OK ? item : HWRI_NO_ENTRY, is_new);
}

hwr_result hwri_table_remove(hwr_heap *heap, hwri_table *table, hwri_values values, const hwri_key *key, void **value) {
    size_t item;
    hwr_result result = find_key(heap, table, values, key, &item);
    if (result != HWR_OK) return result;
    hwri_storage *entries = table->entries;
    void **entry = &entries->as.objects[item], *taken[2] = {entry[0], values ? entry[1] : NULL};
    for (unsigned i = 0; i < (values ? 2 : 1); i++) {
        hwr_retain(heap, taken[i]);
        hwr_give(heap, entries, &entry[i], NULL);
    }
    table->live--;
    if (value)
        *value = taken[1];
    else
        hwr_release(heap, taken[1]);
    hwr_release(heap, taken[0]);
    return HWR_OK;
}

void hwri_table_clear(hwr_heap *heap, hwri_table *table) {
    hwri_storage *entries = table->entries;
    hwr_retain(heap, entries);
    hwr_give(heap, table, &table->index, NULL);
    hwr_give(heap, table, &table->entries, NULL);
    table->tags = table->used = table->live = 0;
    hwr_release(heap, entries);
}

/* ---- what dicts and sets are asked ---- */

static hwr_result equal_values(hwr_heap *heap, void *a, void *b, unsigned depth, bool *equal) {
    *equal = a == b; /* a NaN, too */
    hwr_result result = *equal ? HWR_OK : hwri_equal(heap, a, b, depth + 1, equal);
    hwr_release(heap, a);
    hwr_release(heap, b);
    return result;
}

/* Whether what was found in one table at an item, the key being the caller's, is in the other, too. */
static hwr_result is_in_other(hwr_heap *heap, const hwri_table *table, size_t item, const hwri_table *other,
                              hwri_values values, unsigned depth, bool *is_in) {
    hwri_key key;
    size_t place;
    void *value = values ? hwri_table_item(heap, table, item + 1) : NULL;
    hwr_result result = hwri_key_of(heap, table->entries->as.objects[item], &key);
    if (result == HWR_OK) result = find_key(heap, other, values, &key, &place);
    *is_in = result == HWR_OK;
    if (result == HWR_OK && values)
        return equal_values(heap, value, hwri_table_item(heap, other, place + 1), depth, is_in);
    hwr_release(heap, value);
    return result == HWR_NOT_FOUND ? HWR_OK : result;
}

hwr_result hwri_table_equal(hwr_heap *heap, const hwri_table *a, const hwri_table *b, hwri_values values,
                            unsigned depth, bool *equal) {
    size_t position = 0, item;
    hwr_result result;
    *equal = a->live == b->live;
    while (*equal && (result = hwri_table_next(a, values, &position, &item)) != HWR_END) {
        if (result != HWR_OK) return result;
        void *key = hwri_table_item(heap, a, item);
        result = is_in_other(heap, a, item, b, values, depth, equal);
        hwr_release(heap, key);
        if (result != HWR_OK) return result;
    }
    return HWR_OK;
}

static hwr_result write_entry(hwr_heap *heap, const hwri_table *table, size_t item, hwri_values values, unsigned depth,
                              hwri_writer *writer) {
    void *key = hwri_table_item(heap, table, item), *value = values ? hwri_table_item(heap, table, item + 1) : NULL;
    hwr_result result = hwri_repr(heap, key, depth + 1, writer);
    if (value) hwri_write_text(writer, ": ");
    if (value && result == HWR_OK) result = hwri_repr(heap, value, depth + 1, writer);
    hwr_release(heap, key);
    hwr_release(heap, value);
    return result;
}

hwr_result hwri_table_repr(hwr_heap *heap, const hwri_table *table, hwri_values values, unsigned depth,
                           hwri_writer *writer) {
    hwri_inside link = {table, writer->inside};
    size_t position = 0, item;
    hwr_result result = HWR_OK;
    if (hwri_is_inside(writer, table)) {
        hwri_write_text(writer, "{...}");
        return HWR_OK;
    }
    writer->inside = &link;
    hwri_write_text(writer, "{");
    while (result == HWR_OK) {
        const char *before = position ? ", " : "";
        result = hwri_table_next(table, values, &position, &item);
        if (result != HWR_OK) break;
        hwri_write_text(writer, before);
        result = write_entry(heap, table, item, values, depth, writer);
    }
    hwri_write_text(writer, "}");
    writer->inside = link.outer;
    return result == HWR_END ? HWR_OK : result;
}
