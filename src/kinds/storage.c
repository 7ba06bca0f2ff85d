/* Where lists keep their items.
 *
 * A list has a length and one other object, its storage, of a type that tells how the items are kept: ints in 1, 2, 4 or 8 bytes each, by the widest; floats as doubles, bit by bit; or
 * references, which come in two types, so that the collector need not look at those of leaves. Bools are no ints here, for it must be they that come back. The first `length` items are
 * the list's; behind them references are NULL, and values anything. A storage of references to leaves refers to nothing else; one of any references may, after changes, hold nothing but leaves, or
 * nothing but ints. A list without items has no storage, except one of 8 bytes each that room was asked for, or that it was made with (spare.c).
 *
 * Storage has up to an eighth more room than items, as CPython's lists have (listobject.c, list_resize), in whole words, and when it is large in whole slices of the pool. It grows in its block or into a larger
 * one; very large ones have a mapping of their own, which the system extends without copying. Wider ints are spread out in place, from the last. So a list that grows to n ints of four bytes takes hardly more than 4 n
 * bytes at any time. Only when items become references are there two storages for a moment.
 *
 * Nothing in here runs code of the program's in the middle of a change: memory is taken quietly, and when there is none, what was begun is undone before the heap
 * collects, and begun anew, with whatever the list is then. */
#include "kinds/storage.h"

enum { SHRINK_FROM = 16 };
static const size_t ITEMS_AT_MOST = PTRDIFF_MAX / 4 / sizeof(void *);

hwri_mode hwri_mode_join(hwri_mode a, hwri_mode b) {
    if (a == b || b == HWRI_NO_MODE) return a;
    if (a == HWRI_NO_MODE) return b;
    if (hwri_mode_is_ints(a) && hwri_mode_is_ints(b)) return a > b ? a : b;
    return a == HWRI_SLOTS_TYPE || b == HWRI_SLOTS_TYPE ? HWRI_SLOTS_TYPE : HWRI_LEAF_SLOTS_TYPE;
}

/* ---- room ---- */

static size_t item_bytes(hwri_mode mode) { return hwri_kind_types[mode].item_size; }

/* A power of two, which dividing by would take longer than all the rest. */
static size_t items_in(hwri_mode mode, size_t bytes) { return bytes >> __builtin_ctz(hwri_kind_types[mode].item_size); }

/* So much room that the whole block is used. */
static size_t whole_room(hwri_mode mode, size_t room) {
    size_t slice = (size_t)1 << HWRI_SLICE_SHIFT, around = HWRI_HEADER_SIZE + offsetof(hwri_storage, as);
    size_t bytes = (room * item_bytes(mode) + 7) & ~(size_t)7;
    if (bytes > slice) bytes = ((bytes + around + slice - 1) & ~(slice - 1)) - around;
    return items_in(mode, bytes);
}

static size_t roomy(size_t length) { return (length + length / 8 + 6) & ~(size_t)3; }

/* For a list that grows by `more`: those that come many at once may be the last. */
static size_t room_to_grow(size_t length, size_t more) {
    size_t room = roomy(length + more);
    return more > room - (length + more) ? (length + more + 3) & ~(size_t)3 : room;
}

static hwri_storage *new_storage(hwr_heap *heap, hwri_mode mode, size_t room) {
    return hwri_new_quietly(heap, hwri_kind_type(mode), whole_room(mode, room));
}

static void replace_storage(hwr_heap *heap, hwri_list *list, hwri_storage *storage) {
    hwr_give(heap, list, &list->storage, storage);
}

/* Gives the list another storage, with items as wide as before, which are moved. */
static bool try_move(hwr_heap *heap, hwri_list *list, hwri_mode mode, size_t room) {
    hwri_storage *to = new_storage(heap, mode, room), *from = list->storage;
    if (!to) return false;
    if (from) {
        size_t bytes = list->length * item_bytes(mode);
        memcpy(&to->as, &from->as, bytes);
        if (!hwri_mode_is_data(mode)) {
            hwri_copied(heap, to, &to->as, bytes);
            memset(&from->as, 0, bytes);
        }
    }
    replace_storage(heap, list, to);
    return true;
}

static bool try_resize(hwr_heap *heap, hwri_list *list, size_t room) {
    hwri_mode mode = hwri_storage_mode(list->storage);
    hwri_storage *resized = hwri_resize(heap, list->storage, whole_room(mode, room));
    if (resized) list->storage = resized; /* the same object, and the same reference to it */
    return resized || try_move(heap, list, mode, room);
}

/* ---- from one mode to another ---- */

static void retype(const hwr_heap *heap, hwri_storage *storage, hwri_mode mode) {
    size_t bytes = storage->room * item_bytes(hwri_storage_mode(storage));
    hwri_retype(heap, storage, hwri_kind_type(mode));
    storage->room = items_in(mode, bytes);
}

/* A list without items, whose storage nobody has used yet, gets the first: it has room for as many as were asked for. */
static bool try_start(hwr_heap *heap, hwri_list *list, hwri_mode mode, size_t least) {
    hwri_storage *storage = list->storage;
    size_t room = storage && storage->room > least ? storage->room : least;
    bool stays = storage && mode != HWRI_SLOTS_TYPE && hwri_storage_mode(storage) != HWRI_SLOTS_TYPE;
    if (!stays ||
        (mode == HWRI_LEAF_SLOTS_TYPE && hwri_is_tracing(heap))) /* which has large ones of data without cards */
        return try_move(heap, list, mode, room);
    retype(heap, storage, mode);
    if (mode == HWRI_LEAF_SLOTS_TYPE) memset(&storage->as, 0, storage->room * sizeof(void *));
    return storage->room == room || try_resize(heap, list, room) || storage->room >= least;
}

static bool try_widen(hwr_heap *heap, hwri_list *list, hwri_mode mode, size_t room) {
    hwri_mode old = hwri_storage_mode(list->storage);
    size_t least = items_in(old, room * item_bytes(mode));
    if (list->storage->room < least && !try_resize(heap, list, least)) return false;
    hwri_storage *storage = list->storage;
    for (size_t i = list->length; i-- > 0;) hwri_data_put(storage, mode, i, hwri_data_get(storage, old, i));
    retype(heap, storage, mode);
    return true;
}

/* Puts objects where there were values. */
static bool try_box(hwr_heap *heap, hwri_list *list, hwri_mode mode, size_t room) {
    hwri_storage *from = list->storage, *to = new_storage(heap, mode, room);
    if (!to) return false;
    for (size_t i = 0; i < list->length; i++) {
        void *item = hwri_storage_box(heap, from, hwri_storage_mode(from), i);
        if (!item) {
            hwr_release(heap, to);
            return false;
        }
        hwri_init(heap, to, &to->as.objects[i], item);
    }
    replace_storage(heap, list, to);
    return true;
}

static bool try_prepare(hwr_heap *heap, hwri_list *list, hwri_mode mode, size_t more) {
    hwri_mode old = hwri_list_mode(list);
    size_t length = list->length;
    mode = hwri_mode_join(old, mode);
    if (mode == HWRI_NO_MODE) return true;
    if (length > ITEMS_AT_MOST || more > ITEMS_AT_MOST - length) return false;
    if (mode == old && length + more <= list->storage->room) return true;
    size_t room = room_to_grow(length, more);
    if (hwri_is_tracing(heap) && length + length / 2 > room) room = length + length / 2; /* nothing grows in place */
    if (old == HWRI_NO_MODE) return try_start(heap, list, mode, room);
    if (mode == old) return try_resize(heap, list, room);
    if (hwri_mode_is_ints(mode)) return try_widen(heap, list, mode, room);
    return hwri_mode_is_data(old) ? try_box(heap, list, mode, room) : try_move(heap, list, mode, room);
}

static bool make_room_for(hwr_heap *heap, const hwri_list *list, size_t more, unsigned *attempt) {
    return hwri_make_room(heap, (list->length + more) * sizeof(void *), attempt);
}

bool hwri_list_prepare(hwr_heap *heap, hwri_list *list, hwri_mode mode, size_t more) {
    unsigned attempt = 0;
    while (!try_prepare(heap, list, mode, more))
        if (!make_room_for(heap, list, more, &attempt)) return false;
    return true;
}

/* A list has no storage yet: gives it some for so many items of any mode. */
bool hwri_list_try_reserve(hwr_heap *heap, hwri_list *list, size_t room) {
    return room <= ITEMS_AT_MOST && try_move(heap, list, HWRI_DATA8_TYPE, room);
}

/* On a tracing heap, which collects everything before it refuses, not with every item. */
static bool may_shrink(const hwr_heap *heap, const hwri_list *list) {
    size_t room = list->storage->room;
    if (room < SHRINK_FROM || list->length >= room / 2) return false;
    return !hwri_is_tracing(heap) || list->length % (room / 8) == 0;
}

void hwri_list_shrink(hwr_heap *heap, hwri_list *list) {
    if (!list->length)
        replace_storage(heap, list, NULL);
    else if (may_shrink(heap, list))
        (void)try_resize(heap, list, roomy(list->length));
}

/* ---- items ---- */

const void *hwri_storage_peek(const hwri_storage *storage, hwri_mode mode, size_t index, hwri_unboxed *place) {
    if (!hwri_mode_is_data(mode)) return storage->as.objects[index];
    bool is_int = hwri_mode_is_ints(mode);
    const hwr_type *type = hwri_kind_type(is_int ? HWRI_INT_TYPE : HWRI_FLOAT_TYPE);
    place->header = HWRI_COUNT_ONE | (uint64_t)(uintptr_t)type | HWRI_UNTRACKED;
    if (is_int)
        place->value.of_int = hwri_data_get(storage, mode, index);
    else
        place->value.of_float = storage->as.doubles[index];
    return &place->value;
}

static void *quiet_leaf(hwr_heap *heap, const hwr_type *type) {
    if (!hwri_counts_inline(heap)) return hwri_new_quietly(heap, type, 0);
    uint64_t *header = hwri_pool_alloc(heap->leaves, HWRI_HEADER_SIZE + sizeof(hwri_int), false);
    if (!header) return NULL;
    *header = HWRI_COUNT_ONE | (uint64_t)(uintptr_t)type | HWRI_UNTRACKED;
    return header + 1;
}

static void *box_int(hwr_heap *heap, int64_t value) {
    hwri_int *shared = hwri_shared_int(heap, value);
    hwri_int *number = shared ? shared : quiet_leaf(heap, hwri_kind_type(HWRI_INT_TYPE));
    if (number && !shared) number->value = value;
    return number;
}

static void *box_float(hwr_heap *heap, double value) {
    hwri_float *number = quiet_leaf(heap, hwri_kind_type(HWRI_FLOAT_TYPE));
    if (number) number->value = value;
    return number;
}

void *hwri_storage_box(hwr_heap *heap, const hwri_storage *storage, hwri_mode mode, size_t index) {
    if (hwri_mode_is_ints(mode)) return box_int(heap, hwri_data_get(storage, mode, index));
    if (mode == HWRI_DOUBLES_TYPE) return box_float(heap, storage->as.doubles[index]);
    hwr_retain(heap, storage->as.objects[index]);
    return storage->as.objects[index];
}

/* ---- many items at once ---- */

_Static_assert(offsetof(hwri_tuple, items) == offsetof(hwri_storage, as), "a tuple is laid out like a storage");

hwri_span hwri_span_of(const void *sequence, size_t from, size_t to) {
    const hwri_tuple *tuple = sequence;
    const hwri_list *list = sequence;
    bool is_list = hwri_is_of_type(sequence, HWRI_LIST_TYPE);
    size_t length = is_list ? list->length : tuple->length;
    if (to > length) to = length;
    if (from >= to) return (hwri_span){.mode = HWRI_NO_MODE};
    if (is_list) return (hwri_span){hwri_storage_mode(list->storage), list->storage, from, to - from};
    return (hwri_span){HWRI_SLOTS_TYPE, sequence, from, to - from};
}

/* What mode its items need, whatever they are kept in. */
static hwri_mode needed_by(hwri_span span) {
    hwri_mode mode = HWRI_NO_MODE;
    if (hwri_mode_is_data(span.mode)) return span.mode;
    for (size_t i = 0; i < span.count && mode != HWRI_SLOTS_TYPE; i++)
        mode = hwri_mode_join(mode, hwri_mode_of(span.storage->as.objects[span.from + i]));
    return mode;
}

static const char *bytes_at(const hwri_storage *storage, hwri_mode mode, size_t index) {
    return (const char *)&storage->as + index * item_bytes(mode);
}

static void add_values(hwri_storage *storage, hwri_mode mode, size_t at, hwri_span span) {
    if (span.mode == mode) {
        memcpy((char *)&storage->as + at * item_bytes(mode), bytes_at(span.storage, mode, span.from),
               span.count * item_bytes(mode));
        return;
    }
    for (size_t i = 0; i < span.count; i++) {
        hwri_unboxed place;
        const void *item = hwri_storage_peek(span.storage, span.mode, span.from + i, &place);
        if (mode == HWRI_DOUBLES_TYPE)
            storage->as.doubles[at + i] = ((const hwri_float *)item)->value;
        else
            hwri_data_put(storage, mode, at + i, ((const hwri_int *)item)->value);
    }
}

static bool try_add_objects(hwr_heap *heap, hwri_storage *storage, size_t at, hwri_span span) {
    for (size_t i = 0; i < span.count; i++) {
        void *item = hwri_storage_box(heap, span.storage, span.mode, span.from + i);
        if (!item) {
            while (i-- > 0) hwri_give(heap, storage, &storage->as.objects[at + i], NULL);
            return false;
        }
        hwri_init(heap, storage, &storage->as.objects[at + i], item);
    }
    return true;
}

/* To a list that is prepared. */
static bool try_add(hwr_heap *heap, hwri_list *list, hwri_span span) {
    hwri_mode mode = hwri_storage_mode(list->storage);
    if (hwri_mode_is_data(mode))
        add_values(list->storage, mode, list->length, span);
    else if (!try_add_objects(heap, list->storage, list->length, span))
        return false;
    list->length += span.count;
    return true;
}

bool hwri_list_add(hwr_heap *heap, hwri_list *list, hwri_span span) {
    hwri_mode needed = needed_by(span);
    unsigned attempt = 0;
    while (!try_prepare(heap, list, needed, span.count) || !try_add(heap, list, span))
        if (!make_room_for(heap, list, span.count, &attempt)) return false;
    return true;
}

/* The list may be the sequence: its storage may be another once it is prepared. */
bool hwri_list_try_extend(hwr_heap *heap, hwri_list *list, const void *sequence, size_t from, size_t to) {
    hwri_span span = hwri_span_of(sequence, from, to);
    if (!span.count) return true;
    return try_prepare(heap, list, needed_by(span), span.count) &&
           try_add(heap, list, hwri_span_of(sequence, from, from + span.count));
}
