/* hash: XXH3 (github.com/Cyan4973/xxHash) with a secret of the heap's own, so that nobody can prepare keys that collide. */
#include "kinds/kinds.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hwri_hash_bytes(const hwr_heap *heap, const void *data, size_t size) {
    return XXH3_64bits_withSecret(data, size, heap->kinds->secret, HWRI_SECRET_SIZE);
}

uint32_t hwri_hash_str(hwr_heap *heap, const void *text) {
    hwri_str *str = (hwri_str *)(uintptr_t)text;
    if (str->hash == 0) {
        uint32_t hash = (uint32_t)hwri_hash_bytes(heap, str->chars, str->length * hwri_str_width(str));
        str->hash = hash ? hash : 1;
    }
    return str->hash;
}
