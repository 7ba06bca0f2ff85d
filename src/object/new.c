/* Making objects. The short way, for ordinary types on an ordinary heap, is a dozen instructions; everything else goes the long way. */
#include "object/heap.h"

#define CALLER __builtin_return_address(0)

/* Objects are small: a loop beats a call of memset, into which compilers would turn it. */
#if defined(__GNUC__)
#define STAY_A_LOOP() __asm__ volatile("")
#else
#define STAY_A_LOOP() ((void)0)
#endif

static inline void fill_new(uint64_t *header, uint64_t first, size_t size) {
    *header = first;
    for (size_t i = 1; i < size / 8; i++) {
        header[i] = 0;
        STAY_A_LOOP();
    }
}

static inline void make_young(hwri_page *page, const uint64_t *header) {
    size_t granule = hwri_granule_of(header);
    uint64_t *word = &hwri_ages_of(page, header)->young[granule / 64], old = *word;
    *word = old | (uint64_t)1 << (granule % 64);
    if (old == 0) hwri_flag_page(page);
}

/* What makes a type unfit for the short way: items, no references, a finalizer, a trace function, any flag, alignment. */
static inline bool is_plain(const hwr_type *type) {
    return type->ref_count && !type->flags && type->alignment <= HWRI_HEADER_SIZE && !type->finalize && !type->trace &&
           !type->item_size;
}

static bool is_sound(const hwr_type *type) {
    if ((uintptr_t)type & 7 || (uintptr_t)type > HWRI_TYPE_MASK) return false;
    if (type->alignment != 0 && type->alignment != 8 && type->alignment != 16) return false;
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
    if ((*attempt)++ == 0 && !heap->collecting) {
        hwr_collect(heap, HWR_OLDEST);
        hwr_heap_trim(heap);
        return true;
    }
    bool again = heap->on_out_of_memory && heap->on_out_of_memory(heap, size, heap->context);
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

static void *new_object(hwr_heap *heap, const hwr_type *type, size_t length, const void *site) {
    if (!is_sound(type) || (length && !type->item_size)) return NULL;
    if (type->item_size && length > (PTRDIFF_MAX / 2 - (size_t)type->items_offset) / type->item_size) return NULL;
    bool tracked = hwri_is_tracked_type(type), aligned = type->alignment == 16;
    if (tracked && ++heap->count[0] > heap->trigger) hwri_count_allocation(heap);

    size_t object_size = hwri_size_with(type, length), size = hwri_block_size(heap, type, object_size);
    hwr_pool *pool = tracked ? heap->objects : heap->leaves;
    char *block = block_for(heap, pool, size, aligned);
    if (!block) {
        if (tracked && heap->count[0] > 0) heap->count[0]--;
        return NULL;
    }
    uint64_t header = HWRI_COUNT_ONE | (uint64_t)(uintptr_t)type;
    if (!tracked) header |= HWRI_UNTRACKED;
    if (type->finalize || type->flags & HWRI_TYPE_OWN) header |= HWRI_SPECIAL;
    memset(block, 0, size);
    if (aligned) {
        uint64_t padding = HWRI_PADDING;
        memcpy(block, &padding, sizeof padding);
        block += sizeof padding;
    }
    void *object = block + HWRI_HEADER_SIZE;
    *hwri_header(object) = header;
    if (type->item_size) memcpy((char *)object + type->length_offset, &length, sizeof length);
    if (tracked) make_young(hwri_page_of(pool, block), hwri_header(object));
    if (heap->checked) hwri_tail_write(heap, object, site);
    return object;
}

static void *new_the_long_way(hwr_heap *heap, const hwr_type *type, size_t length, const char *call, const void *site) {
    if (!heap->checked) return new_object(heap, type, length, site);
    hwri_enter(heap, call, site);
    void *object = new_object(heap, type, length, site);
    hwri_leave(heap);
    return object;
}

void *hwr_new(hwr_heap *heap, const hwr_type *type) {
    size_t size = ((size_t)type->size + 7) / 8 * 8 + HWRI_HEADER_SIZE;
    if (hwri_likely(heap->face.counts_inline && is_plain(type) && size <= HWRI_DIRECT_BYTES &&
                    heap->count[0] < heap->trigger)) {
        hwri_page *page = heap->objects->own.direct[size / 8];
        hwri_block *block = page->free;
        if (hwri_likely(block != NULL)) {
            heap->count[0]++;
            page->free = block->next;
            page->until++;
            uint64_t *header = (uint64_t *)(void *)block;
            fill_new(header, HWRI_COUNT_ONE | (uint64_t)(uintptr_t)type, size);
            make_young(page, header);
            return header + 1;
        }
    }
    return new_the_long_way(heap, type, 0, "hwr_new", CALLER);
}

void *hwr_new_items(hwr_heap *heap, const hwr_type *type, size_t length) {
    return new_the_long_way(heap, type, length, "hwr_new_items", CALLER);
}
