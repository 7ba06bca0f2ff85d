/* bytes: bytes, and bytearray, which keeps its bytes in a storage of their own, with an eighth more than it needs once it grows. */
#include "kinds/quote.h"

static inline bool is_bytearray(const void *object) { return hwri_is_of_type(object, HWRI_BYTEARRAY_TYPE); }
static inline bool is_bytes_like(const void *object) {
    return hwri_is_of_type(object, HWRI_BYTES_TYPE) || is_bytearray(object);
}

/* ---- bytes ---- */

const unsigned char *hwr_bytes_get(const void *bytes, size_t *size) {
    if (is_bytearray(bytes)) return hwr_bytearray_get((void *)(uintptr_t)bytes, size);
    const hwri_bytes *b = bytes;
    *size = b->length;
    return b->data;
}

static inline hwri_bytes *new_bytes(hwr_heap *heap, size_t size) {
    if (size > PTRDIFF_MAX / 2) return NULL;
    hwri_bytes *bytes = hwri_new_leaf(heap, hwri_kind_type(HWRI_BYTES_TYPE), offsetof(hwri_bytes, data) + size + 1);
    if (!bytes) return NULL;
    bytes->length = size;
    bytes->data[size] = 0;
    return bytes;
}

static void *share_empty_bytes(hwr_heap *heap) {
    hwr_retain(heap, heap->kinds->empty_bytes);
    return heap->kinds->empty_bytes;
}

void *hwr_bytes(hwr_heap *heap, const void *data, size_t size) {
    HWRI_LOOK(heap, NULL);
    if (size == 0) return share_empty_bytes(heap);
    hwri_bytes *bytes = new_bytes(heap, size);
    if (!bytes) return NULL;
    if (data)
        memcpy(bytes->data, data, size);
    else
        memset(bytes->data, 0, size);
    return bytes;
}

/* ---- bytearray ---- */

static inline size_t bytes_room(const hwri_bytearray *array) { return array->storage ? array->storage->room : 0; }

/* No bytes: some address. */
static inline unsigned char *array_data(const hwri_bytearray *array) {
    return array->storage ? (unsigned char *)array->storage->as.ints1 : (unsigned char *)(uintptr_t)array;
}

/* Gives it storage of another size, not less than its length, without collecting. */
static bool try_bytes_room(hwr_heap *heap, hwri_bytearray *array, size_t room) {
    hwri_storage *storage = array->storage ? hwri_resize(heap, array->storage, room) : NULL;
    if (storage) {
        hwr_init(heap, array, &array->storage, storage);
        return true;
    }
    storage = hwri_new_quietly(heap, hwri_kind_type(HWRI_DATA1_TYPE), room);
    if (!storage) return false;
    memcpy(storage->as.ints1, array_data(array), array->length);
    hwr_give(heap, array, &array->storage, storage);
    return true;
}

/* Makes room for so many bytes more, and an eighth of all if there was none. What collects may change the array. */
static bool make_bytes_room(hwr_heap *heap, hwri_bytearray *array, size_t more) {
    unsigned attempt = 0;
    for (;;) {
        size_t size = array->length + more;
        if (hwri_likely(size >= more && size <= bytes_room(array))) return true;
        if (size < more || size > PTRDIFF_MAX / 2) return false;
        size_t room = array->length ? size + size / 8 : size;
        if (!try_bytes_room(heap, array, room) && !hwri_make_room(heap, room, &attempt)) return false;
    }
}

void *hwr_bytearray(hwr_heap *heap, const void *data, size_t size) {
    HWRI_LOOK(heap, NULL);
    hwri_bytearray *array = hwr_new(heap, hwri_kind_type(HWRI_BYTEARRAY_TYPE));
    if (!array || !make_bytes_room(heap, array, size)) {
        hwr_release(heap, array);
        return NULL;
    }
    array->length = size;
    if (data && size)
        memcpy(array_data(array), data, size);
    else
        memset(array_data(array), 0, size);
    return array;
}

unsigned char *hwr_bytearray_get(void *bytearray, size_t *size) {
    const hwri_bytearray *array = bytearray;
    *size = array->length;
    return array_data(array);
}

/* Bytes that go take their memory with them when it is more than half. */
bool hwr_bytearray_resize(hwr_heap *heap, void *bytearray, size_t size) {
    HWRI_LOOK(heap, bytearray);
    hwri_bytearray *array = bytearray;
    size_t length = array->length;
    while (size > bytes_room(array))
        if (!make_bytes_room(heap, array, size - array->length)) return false;
    if (size > array->length) memset(array_data(array) + array->length, 0, size - array->length);
    array->length = size;
    if (size == 0)
        hwr_give(heap, array, &array->storage, NULL);
    else if (size < length && size < bytes_room(array) / 2)
        try_bytes_room(heap, array, size);
    return true;
}

/* The data may be the array's own, which move with it. */
bool hwr_bytearray_append(hwr_heap *heap, void *bytearray, const void *data, size_t size) {
    HWRI_LOOK(heap, bytearray);
    hwri_bytearray *array = bytearray;
    size_t inside = (uintptr_t)data - (uintptr_t)array_data(array);
    bool own = inside < array->length;
    if (!make_bytes_room(heap, array, size)) return false;
    if (size) memcpy(array_data(array) + array->length, own ? array_data(array) + inside : data, size);
    array->length += size;
    return true;
}

/* ---- bytes from bytes ---- */

/* Part of bytes or of a bytearray. */
typedef struct bytes_part {
    const void *of;
    size_t whole, from, to;
} bytes_part;

static bytes_part part_of(const void *bytes, size_t from, size_t to) {
    bytes_part part = {.of = bytes, .from = from};
    hwr_bytes_get(bytes, &part.whole);
    part.to = to < part.whole ? to : part.whole;
    if (part.from > part.to) part.from = part.to;
    return part;
}

/* Where the bytes of a part are; NULL if its whole has another size by now. */
static const unsigned char *bytes_of_part(const bytes_part *part) {
    size_t size;
    const unsigned char *bytes = hwr_bytes_get(part->of, &size);
    return size == part->whole ? bytes + part->from : NULL;
}

/* An object of the kind of the first part with both one after the other: a new one, but for bytes of which nothing changes. */
static hwr_result join_parts(hwr_heap *heap, bytes_part a, bytes_part b, void **bytes) {
    bool array = is_bytearray(a.of);
    size_t first = a.to - a.from, second = b.to - b.from, size = first + second;
    if (!array && first == a.whole && second == 0) {
        hwr_retain(heap, a.of);
        *bytes = (void *)(uintptr_t)a.of;
        return HWR_OK;
    }
    void *made = array ? hwr_bytearray(heap, NULL, size) : size ? new_bytes(heap, size) : share_empty_bytes(heap);
    if (!made) return HWR_NO_MEMORY;
    unsigned char *to = array ? array_data(made) : ((hwri_bytes *)made)->data;
    const unsigned char *from_a = bytes_of_part(&a), *from_b = bytes_of_part(&b);
    if (!from_a || !from_b) {
        hwr_release(heap, made);
        return HWR_CHANGED;
    }
    if (first) memcpy(to, from_a, first);
    if (second) memcpy(to + first, from_b, second);
    *bytes = made;
    return HWR_OK;
}

hwr_result hwr_bytes_concat(hwr_heap *heap, const void *a, const void *b, void **bytes) {
    HWRI_LOOK(heap, a);
    HWRI_LOOK(heap, b);
    if (!is_bytes_like(a) || !is_bytes_like(b)) return HWR_WRONG_KIND;
    return join_parts(heap, part_of(a, 0, SIZE_MAX), part_of(b, 0, SIZE_MAX), bytes);
}

hwr_result hwr_bytes_slice(hwr_heap *heap, const void *source, size_t from, size_t to, void **bytes) {
    HWRI_LOOK(heap, source);
    if (!is_bytes_like(source)) return HWR_WRONG_KIND;
    return join_parts(heap, part_of(source, from, to), part_of(source, 0, 0), bytes);
}

/* ---- what all kinds have ---- */

static size_t bytes_length(const void *object) {
    size_t size;
    hwr_bytes_get(object, &size);
    return size;
}

static hwr_result compare_bytes(hwr_heap *heap, const void *a, const void *b, unsigned depth, int *order) {
    (void)heap, (void)depth;
    size_t a_size, b_size;
    const unsigned char *a_bytes = hwr_bytes_get(a, &a_size), *b_bytes = hwr_bytes_get(b, &b_size);
    *order = memcmp(a_bytes, b_bytes, a_size < b_size ? a_size : b_size);
    if (*order == 0) *order = (a_size > b_size) - (a_size < b_size);
    return HWR_OK;
}

static hwr_result equal_bytes(hwr_heap *heap, const void *a, const void *b, unsigned depth, bool *equal) {
    int order = 1;
    if (bytes_length(a) == bytes_length(b)) compare_bytes(heap, a, b, depth, &order);
    *equal = order == 0;
    return HWR_OK;
}

static hwr_result hash_bytes(hwr_heap *heap, const void *object, unsigned depth, uint64_t *hash) {
    (void)depth;
    const hwri_bytes *bytes = object;
    *hash = hwri_hash_bytes(heap, bytes->data, bytes->length);
    return HWR_OK;
}

static hwr_result repr_bytes(hwr_heap *heap, const void *object, unsigned depth, hwri_writer *writer) {
    (void)heap, (void)depth;
    size_t size;
    const unsigned char *bytes = hwr_bytes_get(object, &size);
    hwri_write_text(writer, is_bytearray(object) ? "bytearray(b" : "b");
    hwri_write_quoted(writer, bytes, 1, size, hwr_kind_of(object));
    if (is_bytearray(object)) hwri_write_text(writer, ")");
    return HWR_OK;
}

const hwri_kind_ops hwri_bytes_ops = {equal_bytes, compare_bytes, hash_bytes, bytes_length, repr_bytes};
const hwri_kind_ops hwri_bytearray_ops = {equal_bytes, compare_bytes, NULL, bytes_length, repr_bytes};
