/* The end of an object whose count is zero: its finalizer runs (and may bring it back), weak references to it are cleared, its own references
 * are given up, and its block is free. What dies with it waits on a stack of the heap, not on that of C, and dies in the order in which CPython's
 * deallocators would have it: depth first, fields in order, items from the end. */
#include "object/heap.h"
#include "object/references.h"

enum {
    NESTING_MOST =
        50, /* finalizers inside finalizers, before what dies has to wait: CPython's trashcan has the same limit */
    DEAD_ITEM = 1 /* added to an object's address on the stack: its count is zero. Without: take a reference away */
};

void hwri_deaths_open(hwr_heap *heap) {
    heap->counted->deaths.items = heap->counted->deaths.inside;
    heap->counted->deaths.room = HWRI_DEATHS_INSIDE;
}

static bool grow_deaths(hwr_heap *heap) {
    hwri_deaths *d = &heap->counted->deaths;
    uintptr_t *old = d->items == d->inside ? NULL : d->items;
    uintptr_t *items = hwr_pool_realloc(heap->blocks, old, d->room * 2 * sizeof *items);
    if (!items) return false;
    if (!old) memcpy(items, d->inside, d->count * sizeof *items);
    d->items = items;
    d->room *= 2;
    return true;
}

static inline bool push(hwr_heap *heap, uintptr_t item) {
    hwri_deaths *d = &heap->counted->deaths;
    if (hwri_unlikely(d->count == d->room) && !grow_deaths(heap)) return false;
    d->items[d->count++] = item;
    return true;
}

/* An object whose count is zero, or of which only items are left. Without memory it stays where it is, to be searched for. */
static void push_object(hwr_heap *heap, void *object) {
    if (push(heap, (uintptr_t)object | DEAD_ITEM)) return;
    *hwri_header(object) |= HWRI_DYING;
    heap->counted->deaths.lost = true;
}

/* The header's count is zero: returns whether the object comes to its end. */
HWRI_INLINE bool ends(hwr_heap *heap, void *object) {
    if (hwri_count_refill(heap, object)) return false;
    if (hwri_unlikely(heap->checked)) hwri_check_dying(heap, object);
    return true;
}

/* Takes one reference away and returns whether it was the last. */
HWRI_INLINE bool lose_reference(hwr_heap *heap, void *target) {
    uint64_t header = *hwri_header(target) - HWRI_COUNT_ONE;
    *hwri_header(target) = header;
    return hwri_unlikely(header < HWRI_COUNT_ONE) && ends(heap, target);
}

static inline void release_later(hwr_heap *heap, void *target) {
    if (hwri_unlikely(!push(heap, (uintptr_t)target)) && lose_reference(heap, target)) push_object(heap, target);
}

void hwri_release_later(hwr_heap *heap, void *object) { release_later(heap, object); }

/* An object being taken apart, and the first of those that die with it. Its other references are given up when that has come to its end: until then what they
 * lead to is alive, and finalizers may find it. */
typedef struct undertaking {
    hwr_heap *heap;
    void *next;
} undertaking;

HWRI_INLINE void give_up(void *context, void *target) {
    undertaking *u = context;
    if (hwri_unlikely(u->next != NULL))
        release_later(u->heap, target);
    else if (hwri_unlikely(lose_reference(u->heap, target)))
        u->next = target;
}

/* What was pushed last would die first: turns the part of the stack round that one object has added. */
static void reverse_from(hwri_deaths *d, size_t from, size_t to) {
    for (size_t a = from, b = to; a + 1 < b; a++) {
        uintptr_t item = d->items[--b];
        d->items[b] = d->items[a];
        d->items[a] = item;
    }
}

static void forget_field(hwr_visitor *visitor, void *field) {
    void *none = NULL;
    hwri_trace_field(visitor, field);
    memcpy(field, &none, sizeof none);
}

/* For an object that is come back to: its fields are given up at the first time and are empty at the next. */
static void give_up_fields_once(undertaking *u, void *object, const hwr_type *type) {
    hwri_tracer tracer = {{forget_field}, give_up, u};
    for (unsigned i = 0; i < type->ref_count; i++) forget_field(&tracer.visitor, (char *)object + type->refs[i]);
    if (type->trace) type->trace(object, &tracer.visitor);
}

/* What an object whose count has become zero may have so that it does not end the short way: in a checked heap all are special. */
#define UNUSUAL (HWRI_SPECIAL | HWRI_WEAK | HWRI_COUNT_ASIDE)

/* Takes one reference away, and returns whether it was the last; *header is what is to stand in front of the object, and does unless it was. `likely`: what most have
 * there whose last reference this is. */
HWRI_INLINE bool lose_one(void *target, uint64_t likely, uint64_t *header) {
    uint64_t before = *hwri_header(target);
    *header = before - HWRI_COUNT_ONE;
    if (hwri_likely(before == likely)) return true;
    if (hwri_unlikely(*header < HWRI_COUNT_ONE)) return true;
    *hwri_header(target) = *header;
    return false;
}

HWRI_INLINE void free_in(hwr_pool *pool, void *block) {
    hwri_page_free_own(pool, hwri_page_of(pool, block), block, false);
}

/* Gives up items that are one reference each, from the last on, up to the first that dies and is more than a block of data; returns how many are left. */
static size_t give_up_references(undertaking *u, const char *items, size_t length) {
    uint64_t likely = 0, header;
    void *next = u->next;
    while (length && !next) {
        void *target = hwri_read_field(items + --length * sizeof(void *));
        if (!target || !lose_one(target, likely, &header)) continue;
        bool lone = header + HWRI_COUNT_ONE == likely || (!(header & UNUSUAL) && hwri_type_in(header)->ref_count == 0);
        if (hwri_likely(lone && header & HWRI_UNTRACKED)) {
            likely = header + HWRI_COUNT_ONE;
            free_in(u->heap->leaves, hwri_header(target));
        } else {
            *hwri_header(target) = header;
            if (ends(u->heap, target)) next = target;
        }
    }
    u->next = next;
    return length;
}

/* Gives up the fields of an object, then its items from the last, up to the first thing that dies of it. Returns whether items are left: the length in the
 * object says how many, and it is on the stack once more. */
static bool give_up_items(undertaking *u, void *object, const hwr_type *type) {
    hwr_heap *heap = u->heap;
    size_t length = hwri_reference_items(object, type), from = heap->counted->deaths.count;
    give_up_fields_once(u, object, type);
    length = give_up_references(u, (char *)object + type->items_offset, length);
    memcpy((char *)object + type->length_offset, &length, sizeof length);
    if (length) push_object(heap, object);
    reverse_from(&heap->counted->deaths, from, heap->counted->deaths.count);
    return length != 0;
}

void hwri_call_finalizer(hwr_heap *heap, void *object) {
    const hwr_type *type = hwr_type_of(object);
    heap->counters.finalizers++;
    hwri_emit(heap, HWR_EVENT_FINALIZER, (uintptr_t)object, (uintptr_t)type);
    type->finalize(heap, object);
}

/* In the youngest generation meanwhile. */
static void finalize_at_zero(hwr_heap *heap, void *object) {
    uint64_t *header = hwri_header(object);
    if (!hwr_type_of(object)->finalize || *header & HWRI_FINALIZED) return;
    *header &= ~HWRI_FROZEN;
    if (!(*header & HWRI_UNTRACKED)) hwri_make_young(heap, object);
    hwri_call_finalizer(heap, object);
    *header |= HWRI_FINALIZED;
}

/* What users can notice of a death. While the finalizer runs the object is alive, with one reference. Returns false if it lives on. */
static bool run_last_will(hwr_heap *heap, void *object) {
    uint64_t *header = hwri_header(object);
    *header = (*header & ~HWRI_DYING) + HWRI_COUNT_ONE;
    heap->counted->deaths.nesting++;
    finalize_at_zero(heap, object);
    *header -= HWRI_COUNT_ONE;
    bool dies = *header < HWRI_COUNT_ONE && !hwri_count_refill(heap, object);
    if (dies && *header & HWRI_WEAK) hwri_weak_object_dies(heap, object);
    heap->counted->deaths.nesting--;
    return dies;
}

/* In a checked heap another object than this leaves the quarantine, or none. */
static void free_checked(hwr_heap *heap, void *object) {
    object = hwri_hold_dead(heap, object);
    if (!object) return;
    const hwr_type *type = hwr_type_of(object);
    hwr_pool_free(hwri_is_tracked_type(type) ? heap->objects : heap->leaves, hwri_block_of(object, type));
}

void hwri_free_object(hwr_heap *heap, void *object) {
    uint64_t header = *hwri_header(object);
    if (!(header & HWRI_UNTRACKED)) hwri_count_deallocations(heap, 1);
    if (heap->checked)
        free_checked(heap, object);
    else
        free_in(hwri_pool_of(heap, header), hwri_block_of(object, hwri_type_in(header)));
}

/* An object that is not plain, or has weak references. Returns what is to be taken apart next. */
__attribute__((noinline)) static void *take_apart_special(hwr_heap *heap, void *object) {
    const hwr_type *type = hwr_type_of(object);
    undertaking u = {heap, NULL};
    if ((*hwri_header(object) & (HWRI_UNTRACKED | HWRI_INTERNED)) == (HWRI_UNTRACKED | HWRI_INTERNED))
        hwri_interned_dies(heap, object);
    bool noticed = hwri_has_last_will(type) || *hwri_header(object) & HWRI_WEAK;
    if (noticed && !run_last_will(heap, object)) return NULL;
    if (hwri_unlikely(heap->condemned)) hwri_condemned_dies(heap, object);
    size_t from = heap->counted->deaths.count;
    if (type->item_size) {
        if (give_up_items(&u, object, type)) return u.next;
    } else {
        hwri_each_field(object, type, give_up, &u);
        reverse_from(&heap->counted->deaths, from, heap->counted->deaths.count);
    }
    if (type->flags & HWRI_TYPE_OWN) hwri_own_type_dies(heap, object);
    hwri_free_object(heap, object);
    return u.next;
}

__attribute__((noinline)) static void *end_unusual(hwr_heap *heap, void *object) {
    return ends(heap, object) ? take_apart_special(heap, object) : NULL;
}

/* Gives up the references of a plain object up to the first of which something dies, and returns that with the header that it is to have; *left tells
 * where those begin that are not given up yet. NULL: there are none. */
HWRI_INLINE void *give_up_to_first(void *object, const hwr_type *type, const uint32_t **left, uint64_t likely,
                                   uint64_t *header) {
    for (const uint32_t *offset = type->refs, *end = offset + type->ref_count; offset != end;) {
        void *target = hwri_read_field((char *)object + *offset++);
        *left = offset;
        if (target && lose_one(target, likely, header)) return target;
    }
    return NULL;
}

/* By a branch, which is foreseen, to the pool: were that loaded by the header's bit, the next allocation would wait for all that was done to the header. */
HWRI_INLINE void free_plain(hwr_heap *heap, void *object, uint64_t header) {
    if (header & HWRI_UNTRACKED) {
        free_in(heap->leaves, hwri_header(object));
    } else {
        if (heap->count[0] > 0) heap->count[0]--; /* a branch, for the same reason */
        free_in(heap->objects, hwri_header(object));
    }
}

/* Puts a reference onto the stack, of which `count` is the height, and returns the new height. */
HWRI_INLINE size_t push_reference(hwr_heap *heap, size_t count, void *target) {
    hwri_deaths *d = &heap->counted->deaths;
    if (hwri_likely(count != d->room)) {
        d->items[count] = (uintptr_t)target;
        return count + 1;
    }
    d->count = count;
    release_later(heap, target);
    return d->count;
}

/* The same for the references of a plain object from `left` on. */
HWRI_INLINE size_t give_up_later(hwr_heap *heap, size_t count, void *object, const hwr_type *type,
                                 const uint32_t *left) {
    size_t from = count;
    for (const uint32_t *end = type->refs + type->ref_count; left != end; left++) {
        void *target = hwri_read_field((char *)object + *left);
        if (target) count = push_reference(heap, count, target);
    }
    if (hwri_unlikely(count > from + 1)) reverse_from(&heap->counted->deaths, from, count);
    return count;
}

/* What is next on the stack to die, or NULL: then nothing is left above `base`, or an object that is dead already. */
HWRI_INLINE void *take_from_stack(hwr_heap *heap, size_t base, size_t *count, uint64_t likely, uint64_t *header) {
    const hwri_deaths *d = &heap->counted->deaths;
    while (*count > base) {
        uintptr_t item = d->items[*count - 1];
        if (hwri_unlikely(item & DEAD_ITEM)) return NULL;
        --*count;
        if (lose_one((void *)item, likely, header)) return (void *)item;
    }
    return NULL;
}

/* Gives up the references of a plain object: returns the first that dies of it, after pushing those that follow. */
HWRI_INLINE void *give_up_plain(hwr_heap *heap, size_t *count, void *object, const hwr_type *type, uint64_t likely,
                                uint64_t *header) {
    const uint32_t *left;
    void *next = give_up_to_first(object, type, &left, likely, header);
    if (next) *count = give_up_later(heap, *count, object, type, left);
    return next;
}

/* The same where there are two references: these are most of the objects of which great structures are built. */
HWRI_INLINE void *give_up_pair(hwr_heap *heap, size_t *count, void *object, const uint32_t *offsets, uint64_t likely,
                               uint64_t *header) {
    void *first = hwri_read_field((char *)object + offsets[0]), *second = hwri_read_field((char *)object + offsets[1]);
    if (first && lose_one(first, likely, header)) {
        if (second) *count = push_reference(heap, *count, second);
        return first;
    }
    return second && lose_one(second, likely, header) ? second : NULL;
}

/* Ends plain objects, as long as the next one to die is of the same kind: has the same header, so that nothing of what follows from that has to wait until it is
 * read. Returns the first that is not, with its header. NULL: none is known. */
HWRI_INLINE void *end_kind(hwr_heap *heap, size_t base, void *object, uint64_t *header, bool pairs) {
    const uint64_t kind = *header, likely = kind + HWRI_COUNT_ONE;
    const hwr_type *type = hwri_type_in(kind);
    const uint32_t offsets[2] = {type->refs[0], type->refs[1]};
    hwr_pool *pool = hwri_pool_of(heap, kind);
    size_t ended = 0, count = heap->counted->deaths.count;
    uint64_t next_header = 0;
    do {
        void *next = pairs ? give_up_pair(heap, &count, object, offsets, likely, &next_header)
                           : give_up_plain(heap, &count, object, type, likely, &next_header);
        free_in(pool, hwri_header(object));
        ended++;
        object = next ? next : take_from_stack(heap, base, &count, likely, &next_header);
    } while (object && next_header == kind);
    heap->counted->deaths.count = count;
    if (!(kind & HWRI_UNTRACKED)) hwri_count_deallocations(heap, ended);
    *header = next_header;
    return object;
}

/* An object whose count is zero, and all that dies with it. `header` is what stands in front of it, or would. */
static void run_down_to(hwr_heap *heap, size_t base, void *object, uint64_t header) {
    hwri_deaths *d = &heap->counted->deaths;
    for (;;) {
        if (!object) object = take_from_stack(heap, base, &d->count, 0, &header);
        if (object && !(header & UNUSUAL)) {
            unsigned references = hwri_type_in(header)->ref_count;
            if (references == 0) {
                free_plain(heap, object, header);
                object = NULL;
            } else {
                object = references == 2 ? end_kind(heap, base, object, &header, true)
                                         : end_kind(heap, base, object, &header, false);
            }
            continue;
        }
        if (object) {
            *hwri_header(object) = header;
            object = end_unusual(heap, object);
        } else if (d->count > base) {
            object = take_apart_special(heap, (void *)(d->items[--d->count] - DEAD_ITEM));
        } else {
            return;
        }
        if (object) header = *hwri_header(object);
    }
}

static void find_lost_in(hwri_deaths *d, hwri_page *page) {
    size_t size = hwri_page_block_size(page);
    for (size_t i = 0; i < hwri_blocks_in(page) && d->count < d->room; i++) {
        void *object = hwri_object_in(page->start + i * size);
        uint64_t header = *hwri_header(object);
        bool waits = header < HWRI_COUNT_ONE && (header & (HWRI_DYING | HWRI_COUNT_ASIDE)) == HWRI_DYING;
        if (waits) d->items[d->count++] = (uintptr_t)object | DEAD_ITEM;
    }
}

/* Those that found no place on the stack are found again in the pages, a stackful at a time. */
static void run_lost(hwr_heap *heap) {
    hwri_deaths *d = &heap->counted->deaths;
    while (d->lost) {
        hwr_pool *pools[] = {heap->objects, heap->leaves};
        for (size_t i = 0; i < 2; i++) {
            hwri_page_cursor cursor = {0};
            for (hwri_page *page; d->count < d->room && (page = hwri_page_next(pools[i], &cursor)) != NULL;)
                find_lost_in(d, page);
        }
        d->lost = d->count == d->room;
        run_down_to(heap, 0, NULL, 0);
    }
}

void hwri_deaths_run(hwr_heap *heap, size_t base) {
    run_down_to(heap, base, NULL, 0);
    if (hwri_unlikely(heap->counted->deaths.lost) && base == 0 && heap->counted->deaths.nesting == 0) run_lost(heap);
}

/* A death inside a finalizer is complete when this returns, as any other, unless finalizers are nested too deeply. */
static void die(hwr_heap *heap, size_t base, void *object, uint64_t header) {
    if (hwri_unlikely(heap->counted->deaths.nesting > NESTING_MOST)) {
        *hwri_header(object) = header;
        if (ends(heap, object)) push_object(heap, object);
        return;
    }
    run_down_to(heap, base, object, header);
    if (hwri_unlikely(heap->counted->deaths.lost)) hwri_deaths_run(heap, base);
}

__attribute__((noinline)) static void die_unusual(hwr_heap *heap, void *object) {
    die(heap, heap->counted->deaths.count, object, *hwri_header(object));
}

__attribute__((noinline)) static void die_with_others(hwr_heap *heap, void *object, const uint32_t *left, void *next,
                                                      uint64_t next_header) {
    uint64_t header = *hwri_header(object);
    size_t base = heap->counted->deaths.count;
    heap->counted->deaths.count = give_up_later(heap, base, object, hwri_type_in(header), left);
    free_plain(heap, object, header);
    die(heap, base, next, next_header);
}

/* Many objects die alone: they need neither a stack nor a loop. */
void hwri_count_is_zero(hwr_heap *heap, const void *object) {
    void *dead = (void *)(uintptr_t)object;
    uint64_t header = *hwri_header(dead), next_header;
    const uint32_t *left;
    if (hwri_unlikely(header & UNUSUAL)) {
        die_unusual(heap, dead);
        return;
    }
    const hwr_type *type = hwri_type_in(header);
    if (hwri_unlikely(type->flags & HWRI_TYPE_SPARED) && hwri_spare_keep(heap, dead)) return;
    void *next = give_up_to_first(dead, type, &left, 0, &next_header);
    if (next)
        die_with_others(heap, dead, left, next, next_header);
    else
        free_plain(heap, dead, header);
}
