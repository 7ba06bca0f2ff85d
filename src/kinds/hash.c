/* hash: XXH3 (github.com/Cyan4973/xxHash) with a secret of the heap's own, so that nobody can prepare keys that collide. */
#include "kinds/kinds.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hwri_hash_bytes(const hwr_heap *heap, const void *data, size_t size) {
    return XXH3_64bits_withSecret(data, size, heap->kinds->secret, HWRI_SECRET_SIZE);
}

hwr_result hwri_hash_identity(hwr_heap *heap, const void *object, uint64_t *hash) {
    uint64_t id = hwr_id(heap, object);
    *hash = hwri_hash_bytes(heap, &id, sizeof id);
    return id != 0 ? HWR_OK : HWR_NO_MEMORY;
}

uint32_t hwri_hash_str(hwr_heap *heap, const void *text) {
    hwri_str *str = (hwri_str *)(uintptr_t)text;
    if (str->hash == 0) {
        uint32_t hash = (uint32_t)hwri_hash_bytes(heap, str->chars, str->length * hwri_str_width(str));
        str->hash = hash ? hash : 1;
    }
    return str->hash;
}
