/* spare: small dicts and lists that have died and are kept for the next.
 *
 * What is often made and dropped is a dict or list with a few items, which is two objects: itself, and the storage of its items. When one dies alone, with a storage as small as the first that they
 * get, and all of the items are leaves, it is emptied and kept with its storage: the next that is made is that one. Single objects are not kept, since the pool finds a free block as fast.
 *
 * What is kept has counts of zero, so that nobody sees an object in it, and lies in blocks that are in use. At most 80 of each are kept, as CPython does (dictobject.c, listobject.c), until the next full
 * collection; none in a checked heap, so that use after death is found, and none while a collection is under way. */
#include "kinds/kinds.h"

static hwri_spares *spares_of(hwr_heap *heap, enum hwri_kind_type which) {
    return &heap->kinds->spares[which == HWRI_DICT_TYPE];
}

/* A storage that nobody else knows, of this many bytes, with its header as it was when it was made. */
static bool is_first_storage(const hwri_storage *storage, size_t bytes) {
    const hwr_type *type = hwr_type_of(storage);
    uint64_t special = type->items_are_references ? HWRI_SPECIAL : 0;
    return *hwri_header(storage) == (HWRI_COUNT_ONE | (uint64_t)(uintptr_t)type | HWRI_UNTRACKED | special) &&
           storage->room * type->item_size == bytes;
}

static void release_items(hwr_heap *heap, hwri_storage *storage, size_t count) {
    while (count-- > 0) {
        void *item = storage->as.objects[count];
        storage->as.objects[count] = NULL;
        hwr_release(heap, item);
    }
}

static hwri_storage *empty_dict(hwr_heap *heap, hwri_table *table) {
    hwri_storage *entries = table->entries;
    if (table->index || !entries || !is_first_storage(entries, sizeof(void *) * 2 * HWRI_FIRST_ENTRIES)) return NULL;
    size_t used = table->used;
    table->tags = table->used = table->live = table->added = 0;
    release_items(heap, entries, used * 2);
    return entries;
}

static hwri_storage *empty_list(hwr_heap *heap, hwri_list *list) {
    hwri_storage *storage = list->storage;
    if (!storage || !is_first_storage(storage, sizeof(void *) * HWRI_FIRST_ROOM)) return NULL;
    size_t length = list->length;
    list->length = 0;
    if (hwr_type_of(storage)->items_are_references) release_items(heap, storage, length);
    return storage;
}

static void free_spare(hwr_heap *heap, void *object, hwri_storage *storage) {
    hwri_free_object(heap, storage);
    hwri_free_object(heap, object);
}

bool hwri_spare_keep(hwr_heap *heap, void *object) {
    bool is_dict = hwri_is_of_type(object, HWRI_DICT_TYPE);
    hwri_spares *spares = spares_of(heap, is_dict ? HWRI_DICT_TYPE : HWRI_LIST_TYPE);
    if (*hwri_header(object) != (uintptr_t)hwr_type_of(object) || spares->count == HWRI_MOST_SPARES || heap->collecting)
        return false;
    hwri_storage *storage = is_dict ? empty_dict(heap, object) : empty_list(heap, object);
    if (!storage) return false;
    *hwri_header(storage) -= HWRI_COUNT_ONE;
    if (spares->count == HWRI_MOST_SPARES) {
        free_spare(heap, object, storage);
        return true;
    }
    hwri_count_deallocations(heap, 1);
    spares->objects[spares->count++] = object;
    return true;
}

static hwri_storage *storage_in(void *object) {
    return hwri_is_of_type(object, HWRI_DICT_TYPE) ? ((hwri_table *)object)->entries : ((hwri_list *)object)->storage;
}

void *hwri_spare_take(hwr_heap *heap, enum hwri_kind_type which) {
    hwri_spares *spares = spares_of(heap, which);
    if (!spares->count || heap->count[0] >= heap->trigger) return NULL;
    void *object = spares->objects[--spares->count];
    *hwri_header(object) += HWRI_COUNT_ONE;
    *hwri_header(storage_in(object)) += HWRI_COUNT_ONE;
    heap->count[0]++;
    hwri_make_young(heap, object);
    return object;
}

void hwri_spares_let_go(hwr_heap *heap) {
    for (unsigned i = 0; heap->kinds && i < 2; i++) {
        hwri_spares *spares = &heap->kinds->spares[i];
        while (spares->count) {
            void *object = spares->objects[--spares->count];
            free_spare(heap, object, storage_in(object));
        }
    }
}
