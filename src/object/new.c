/* Making objects. The short way, for ordinary types on an ordinary heap, is a dozen instructions; everything else goes the long way. */
#include "object/heap.h"

#define CALLER __builtin_return_address(0)

/* Objects are small: a loop beats a call of memset, into which compilers would turn it, and those of three words need none. There are at least two. */
#if defined(__GNUC__)
#define STAY_A_LOOP() __asm__ volatile("")
#else
#define STAY_A_LOOP() ((void)0)
#endif

static inline void fill_new(uint64_t *header, uint64_t first, size_t words) {
    header[0] = first;
    header[1] = 0;
    header[words - 1] = 0;
    for (size_t i = 2; hwri_unlikely(i + 1 < words); i++) {
        header[i] = 0;
        STAY_A_LOOP();
    }
}

static inline uint64_t *young_word(hwri_ages *ages, const uint64_t *header) {
    return &ages->young[hwri_granule_of(header) / 64];
}
static inline uint64_t young_bit(const uint64_t *header) { return (uint64_t)1 << ((uintptr_t)header / 16 % 64); }

void hwri_make_young(hwr_heap *heap, void *object) {
    const uint64_t *header = hwri_header(object);
    hwri_page *page = hwri_page_of(heap->objects, header);
    uint64_t *word = young_word(hwri_ages_of(page, header), header);
    if (*word == 0) hwri_flag_page(page);
    *word |= young_bit(header);
}

static bool is_sound(const hwr_type *type) {
    if ((uintptr_t)type & (7 | ~HWRI_TYPE_MASK)) return false;
    if (type->alignment != 0 && type->alignment != 8 && type->alignment != 16) return false;
    if (type->flags & ~(unsigned)(HWR_ACYCLIC | HWR_CRITICAL) && !hwri_is_own_type(type) && !hwri_is_kind_type(type))
        return false;
    if (type->ref_count > HWR_TYPE_REFS) return false;
    for (unsigned i = 0; i < type->ref_count; i++)
        if (type->refs[i] > type->size || type->size - type->refs[i] < sizeof(void *)) return false;
    if (!type->item_size) return true;
    return type->length_offset + sizeof(size_t) <= type->size &&
           !(type->items_are_references && type->item_size != sizeof(void *));
}

size_t hwri_block_size(const hwr_heap *heap, const hwr_type *type, size_t object_size) {
    size_t size = (object_size + 7) / 8 * 8 + HWRI_HEADER_SIZE;
    if (type->alignment == 16) size = (size + HWRI_HEADER_SIZE + 15) / 16 * 16;
    if (heap->checked) size += HWRI_TAIL_SIZE;
    return size < HWRI_LEAST_BLOCK ? HWRI_LEAST_BLOCK : size;
}

bool hwri_make_room(hwr_heap *heap, size_t size, unsigned *attempt) {
    return heap->collector->make_room(heap, size, attempt);
}

bool hwri_counted_make_room(hwr_heap *heap, size_t size, unsigned *attempt) {
    if ((*attempt)++ == 0 && !heap->collecting) {
        hwr_collect(heap, HWR_OLDEST);
        hwr_heap_trim(heap);
        return true;
    }
    bool again = heap->on_out_of_memory && heap->on_out_of_memory(heap, size, heap->context);
    if (again) hwr_heap_trim(heap);
    hwri_emit(heap, HWR_EVENT_OUT_OF_MEMORY, size, !again);
    return again;
}

static void *block_for(hwr_heap *heap, hwr_pool *pool, size_t size, bool aligned) {
    unsigned attempt = 0;
    void *block;
    do block = aligned ? hwri_pool_alloc_at(pool, size, 16) : hwri_pool_alloc(pool, size, false);
    while (!block && hwri_make_room(heap, size, &attempt));
    return block;
}

static bool is_too_long(const hwr_type *type, size_t length) {
    return type->item_size && length > (PTRDIFF_MAX / 2 - (size_t)type->items_offset) / type->item_size;
}

/* Makes an object of a block, of which nothing else is written. */
static void *object_of_block(hwr_heap *heap, const hwr_type *type, size_t length, char *block, const void *site) {
    bool tracked = hwri_is_tracked_type(type);
    uint64_t header = HWRI_COUNT_ONE | (uint64_t)(uintptr_t)type;
    if (!tracked) header |= HWRI_UNTRACKED;
    if (!hwri_is_plain(type) || heap->checked) header |= HWRI_SPECIAL;
    if (type->alignment == 16) {
        uint64_t padding = HWRI_PADDING;
        memcpy(block, &padding, sizeof padding);
        block += sizeof padding;
    }
    void *object = block + HWRI_HEADER_SIZE;
    *hwri_header(object) = header;
    if (type->item_size) memcpy((char *)object + type->length_offset, &length, sizeof length);
    if (tracked) hwri_make_young(heap, object);
    if (heap->checked) hwri_tail_write(heap, object, site);
    return object;
}

static void *new_object(hwr_heap *heap, const hwr_type *type, size_t length, const void *site) {
    bool tracked = hwri_is_tracked_type(type), aligned = type->alignment == 16;
    if (tracked && ++heap->count[0] > heap->trigger) hwri_count_allocation(heap);

    size_t object_size = hwri_size_with(type, length), size = hwri_block_size(heap, type, object_size);
    hwr_pool *pool = tracked ? heap->objects : heap->leaves;
    char *block = block_for(heap, pool, size, aligned);
    if (!block) {
        if (tracked && heap->count[0] > 0) heap->count[0]--;
        return NULL;
    }
    memset(block, 0, size);
    return object_of_block(heap, type, length, block, site);
}

static hwri_recent_type *recent_of(hwr_heap *heap, const hwr_type *type) {
    uintptr_t at = (uintptr_t)type & (HWRI_RECENT_TYPES - 1) * sizeof(hwri_recent_type);
    return (hwri_recent_type *)(void *)((char *)heap->recent + at);
}

static void remember(hwr_heap *heap, const hwr_type *type) {
    size_t size = hwri_block_size(heap, type, type->size);
    if (heap->checked || !hwri_is_plain(type) || type->item_size || size > HWRI_DIRECT_BYTES) return;
    uint64_t header = HWRI_COUNT_ONE | (uint64_t)(uintptr_t)type | (hwri_is_tracked_type(type) ? 0 : HWRI_UNTRACKED);
    hwri_page **page = &hwri_pool_of(heap, header)->own.direct[size / 8];
    *recent_of(heap, type) = (hwri_recent_type){type, header, page, size / 8};
}

void *hwri_counted_make(hwr_heap *heap, const hwr_type *type, size_t length, const char *call, const void *site) {
    if (!heap->checked) {
        void *object = new_object(heap, type, length, site);
        if (object) remember(heap, type);
        return object;
    }
    hwri_enter(heap, call, site);
    void *object = new_object(heap, type, length, site);
    hwri_leave(heap);
    return object;
}

__attribute__((noinline)) static void *new_the_long_way(hwr_heap *heap, const hwr_type *type, size_t length,
                                                        const char *call, const void *site) {
    if (!is_sound(type) || (length && !type->item_size) || is_too_long(type, length)) return NULL;
    return heap->collector->make(heap, type, length, call, site);
}

/* The short way has no call in it, so that it needs no stack. A page that may not be flagged yet, because this would be the first young object in a word of its
 * ages, goes the long way. Pages of objects as small as these have one slice. */
void *hwri_new(hwr_heap *heap, const hwr_type *type) {
    const hwri_recent_type *recent = recent_of(heap, type);
    if (hwri_unlikely(recent->type != type)) return new_the_long_way(heap, type, 0, "hwr_new", CALLER);
    hwri_page *page = *recent->page;
    hwri_block *block = page->free;
    if (hwri_unlikely(!block)) return new_the_long_way(heap, type, 0, "hwr_new", CALLER);
    uint64_t *header = (uint64_t *)(void *)block;
    if (!(recent->header & HWRI_UNTRACKED)) {
        uint64_t *word = young_word((hwri_ages *)(void *)page->side, header), young = *word;
        if (hwri_unlikely(young == 0)) return new_the_long_way(heap, type, 0, "hwr_new", CALLER);
        *word = young | young_bit(header);
        int count = heap->count[0];
        if (hwri_unlikely(count >= heap->trigger)) return new_the_long_way(heap, type, 0, "hwr_new", CALLER);
        heap->count[0] = count + 1;
    }
    page->free = block->next;
    page->until++;
    fill_new(header, recent->header, recent->words);
    return header + 1;
}

void *hwri_new_items(hwr_heap *heap, const hwr_type *type, size_t length) {
    return new_the_long_way(heap, type, length, "hwr_new_items", CALLER);
}

void *hwri_new_leaf_slow(hwr_heap *heap, const hwr_type *type, size_t size) {
    if (heap->tracing) return hwri_traced_leaf(heap, type, size);
    if (heap->checked)
        return hwr_new_items(heap, type, type->item_size ? (size - hwri_size_with(type, 0)) / type->item_size : 0);
    if (size > PTRDIFF_MAX / 2) return NULL;
    uint64_t *header = block_for(heap, heap->leaves, hwri_block_size(heap, type, size), false);
    if (!header) return NULL;
    *header = HWRI_COUNT_ONE | (uint64_t)(uintptr_t)type | HWRI_UNTRACKED;
    return header + 1;
}

/* The short way for small objects of a kind's that have items, and no other references. It is closed for the same reasons as that of hwr_new, and then returns NULL. */
static inline void *items_at_hand(hwr_heap *heap, const hwr_type *type, size_t length) {
    if (hwri_unlikely(!hwri_counts_inline(heap) || length > HWRI_DIRECT_BYTES / 2)) return NULL;
    bool refers = type->items_are_references, tracked = refers && !(type->flags & HWR_ACYCLIC);
    size_t size = (type->items_offset + length * type->item_size + 7) / 8 * 8 + HWRI_HEADER_SIZE;
    if (hwri_unlikely(size > HWRI_DIRECT_BYTES || (tracked && heap->count[0] >= heap->trigger))) return NULL;
    hwri_page *page = (tracked ? heap->objects : heap->leaves)->own.direct[size / 8];
    hwri_block *block = page->free;
    if (hwri_unlikely(!block)) return NULL;
    uint64_t *header = (uint64_t *)(void *)block;
    if (tracked) {
        uint64_t *word = young_word((hwri_ages *)(void *)page->side, header), young = *word;
        if (hwri_unlikely(young == 0)) return NULL;
        *word = young | young_bit(header);
        heap->count[0]++;
    }
    page->free = block->next;
    page->until++;
    uint64_t special = refers ? HWRI_SPECIAL : 0, untracked = tracked ? 0 : HWRI_UNTRACKED;
    fill_new(header, HWRI_COUNT_ONE | (uint64_t)(uintptr_t)type | special | untracked, size / 8);
    memcpy((char *)(header + 1) + type->length_offset, &length, sizeof length);
    return header + 1;
}

void *hwri_new_of_kind(hwr_heap *heap, const hwr_type *type, size_t length) {
    void *object = items_at_hand(heap, type, length);
    return object ? object : new_the_long_way(heap, type, length, "hwr_new_items", CALLER);
}

void *hwri_new_quietly(hwr_heap *heap, const hwr_type *type, size_t length) {
    void *object = items_at_hand(heap, type, length);
    if (object) return object;
    if (is_too_long(type, length)) return NULL;
    if (heap->tracing) return hwri_traced_quietly(heap, type, length);
    bool tracked = hwri_is_tracked_type(type);
    size_t size = hwri_block_size(heap, type, hwri_size_with(type, length));
    char *block = hwri_pool_alloc(tracked ? heap->objects : heap->leaves, size, false);
    if (!block) return NULL;
    if (hwri_has_references(type)) memset(block, 0, size);
    heap->count[0] += tracked;
    return object_of_block(heap, type, length, block, CALLER);
}

/* Whether a page was zero where nobody has written: what the system adds to one is. */
static bool is_fresh(const hwri_page *page) {
    return page->state == HWRI_PAGE_LARGE && page->chunk->huge && page->zeroed;
}

void *hwri_resize(hwr_heap *heap, void *object, size_t length) {
    uint64_t *header = hwri_header(object);
    const hwr_type *type = hwri_type_in(*header);
    if (heap->checked || heap->collecting || !hwri_is_only_one(heap, object) || is_too_long(type, length)) return NULL;
    hwr_pool *pool = hwri_pool_of(heap, *header);
    hwri_page *page = hwri_page_of(pool, header);
    if (page->large_size && page->table) hwri_page_ends(heap, page); /* the table goes by addresses */

    size_t old_size = hwri_object_size(object), size = hwri_size_with(type, length);
    size_t old_room = hwri_page_block_size(page) - HWRI_HEADER_SIZE; /* behind the object anything may be in it */
    uint64_t *moved = hwri_pool_realloc(pool, page, header, hwri_block_size(heap, type, size));
    if (!moved) return NULL;
    object = moved + 1;
    size_t unknown_to = size > old_room && is_fresh(hwri_page_of(pool, moved)) ? old_room : size;
    if (unknown_to > old_size && type->items_are_references)
        memset((char *)object + old_size, 0, unknown_to - old_size);
    memcpy((char *)object + type->length_offset, &length, sizeof length);
    if (moved != header && hwri_is_tracked_type(type)) hwri_make_young(heap, object);
    return object;
}

void hwri_retype(const hwr_heap *heap, void *object, const hwr_type *type) {
    uint64_t *header = hwri_header(object), kept = *header & ~(HWRI_TYPE_MASK | HWRI_SPECIAL);
    bool is_short = (hwri_is_plain(type) && !heap->checked) || heap->tracing;
    *header = kept | (uint64_t)(uintptr_t)type | (is_short ? 0 : HWRI_SPECIAL);
}
