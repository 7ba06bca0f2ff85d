/* array: numbers of one C type.
 *
 * An array is a list (storage.c) that never changes the way in which it keeps its items, so that it grows and shrinks as lists do and shares what they have. What the bytes mean is said by the array:
 * an int with or without a sign, or a float. Items are handled as 64 bits: an int of which the upper ones say nothing new, or those of a float. What goes in is checked before
 * anything changes. */
#include "kinds/number.h"
#include "kinds/storage.h"

enum { ARRAY_SIGNED, ARRAY_UNSIGNED, ARRAY_FLOATS };

typedef struct array_type {
    char code;
    uint8_t size, meaning;
} array_type;

static const array_type *array_type_of(char code) {
    static const array_type types[] = {
        {'b', sizeof(char), ARRAY_SIGNED},      {'B', sizeof(char), ARRAY_UNSIGNED},
        {'h', sizeof(short), ARRAY_SIGNED},     {'H', sizeof(short), ARRAY_UNSIGNED},
        {'i', sizeof(int), ARRAY_SIGNED},       {'I', sizeof(int), ARRAY_UNSIGNED},
        {'l', sizeof(long), ARRAY_SIGNED},      {'L', sizeof(long), ARRAY_UNSIGNED},
        {'q', sizeof(long long), ARRAY_SIGNED}, {'Q', sizeof(long long), ARRAY_UNSIGNED},
        {'f', sizeof(float), ARRAY_FLOATS},     {'d', sizeof(double), ARRAY_FLOATS},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].code == code) return &types[i];
    return NULL;
}

static inline hwri_mode array_mode(const hwri_array *array) { return (hwri_mode)(HWRI_DATA1_TYPE + array->log_size); }
static inline unsigned array_bits(const hwri_array *array) { return 8u << array->log_size; }
static inline char *array_place(const hwri_array *array, size_t index) {
    return (char *)&array->list.storage->as + (index << array->log_size);
}

/* ---- 64 bits of an item, and what they mean ---- */

static inline int64_t array_at(const hwri_array *array, size_t index) {
    int64_t bits = hwri_data_get(array->list.storage, array_mode(array), index);
    return array->meaning == ARRAY_UNSIGNED ? (int64_t)((uint64_t)bits & UINT64_MAX >> (64 - array_bits(array))) : bits;
}

/* Whether an int is too large for 64 bits with a sign. */
static inline bool is_huge(const hwri_array *array, int64_t bits) {
    return bits < 0 && array->meaning == ARRAY_UNSIGNED;
}

static double array_real(const hwri_array *array, int64_t bits) {
    uint32_t half = (uint32_t)bits;
    float narrow;
    double wide;
    if (array->meaning == ARRAY_SIGNED) return (double)bits;
    if (array->meaning == ARRAY_UNSIGNED) return (double)(uint64_t)bits;
    memcpy(&narrow, &half, sizeof narrow);
    memcpy(&wide, &bits, sizeof wide);
    return array->log_size == 2 ? (double)narrow : wide;
}

static inline hwr_result bits_of_int(const hwri_array *array, int64_t value, int64_t *bits) {
    unsigned unused = 64 - array_bits(array);
    if (array->meaning == ARRAY_FLOATS) return HWR_WRONG_KIND;
    uint64_t kept = (uint64_t)value << unused;
    bool fits = array->meaning == ARRAY_SIGNED ? (int64_t)kept >> unused == value
                                               : value >= 0 && kept >> unused == (uint64_t)value;
    *bits = value;
    return fits ? HWR_OK : HWR_OUT_OF_RANGE;
}

static inline hwr_result bits_of_float(const hwri_array *array, double value, int64_t *bits) {
    if (array->meaning != ARRAY_FLOATS) return HWR_WRONG_KIND;
    if (array->log_size == 2) {
        float narrow = (float)value;
        uint32_t half;
        memcpy(&half, &narrow, sizeof half);
        *bits = half;
    } else {
        memcpy(bits, &value, sizeof *bits);
    }
    return HWR_OK;
}

/* Of an int that does not fit 64 bits with a sign, but may without. */
static hwr_result bits_of_big(const hwri_array *array, const hwri_big *big, int64_t *bits) {
    if (array->meaning != ARRAY_UNSIGNED || array->log_size < 3 || big->sign < 0 || big->length > 2)
        return HWR_OUT_OF_RANGE;
    *bits = (int64_t)((uint64_t)big->digits[1] << 32 | big->digits[0]);
    return HWR_OK;
}

static hwr_result bits_of_item(const hwri_array *array, const void *item, int64_t *bits) {
    int64_t value;
    double real;
    if (array->meaning == ARRAY_FLOATS) {
        hwr_result result = hwr_float_get(item, &real);
        return result == HWR_OK ? bits_of_float(array, real, bits) : result;
    }
    if (hwri_is_of_type(item, HWRI_BIG_TYPE)) return bits_of_big(array, item, bits);
    hwr_result result = hwr_int_get(item, &value);
    return result == HWR_OK ? bits_of_int(array, value, bits) : result;
}

static void *array_object(hwr_heap *heap, const hwri_array *array, int64_t bits) {
    if (array->meaning == ARRAY_FLOATS) return hwr_float(heap, array_real(array, bits));
    return is_huge(array, bits) ? hwri_int_unsigned(heap, (uint64_t)bits) : hwr_int(heap, bits);
}

/* ---- making and reading ---- */

static hwri_array *new_array(hwr_heap *heap, char code, uint8_t size, uint8_t meaning) {
    hwri_array *array = hwr_new(heap, hwri_kind_type(HWRI_ARRAY_TYPE));
    if (!array) return NULL;
    array->code = code;
    array->meaning = meaning;
    array->log_size = (uint8_t)__builtin_ctz(size);
    return array;
}

static inline bool array_prepare(hwr_heap *heap, hwri_array *array, size_t more) {
    return hwri_list_prepare(heap, &array->list, array_mode(array), more);
}

hwr_result hwr_array(hwr_heap *heap, char code, size_t room, void **array) {
    HWRI_LOOK(heap, NULL);
    const array_type *type = array_type_of(code);
    if (!type) return HWR_BAD_VALUE;
    hwri_array *made = new_array(heap, code, type->size, type->meaning);
    if (!made || (room && !array_prepare(heap, made, room))) {
        hwr_release(heap, made);
        return HWR_NO_MEMORY;
    }
    *array = made;
    return HWR_OK;
}

char hwr_array_code(const void *array) { return ((const hwri_array *)array)->code; }

size_t hwr_array_length(const void *array) { return ((const hwri_array *)array)->list.length; }

void *hwr_array_data(void *array) {
    const hwri_array *a = array;
    return a->list.storage ? (void *)array_place(a, 0) : array;
}

hwr_result hwr_array_get(hwr_heap *heap, const void *array, size_t index, void **item) {
    HWRI_LOOK(heap, array);
    const hwri_array *a = array;
    if (index >= a->list.length) return HWR_OUT_OF_RANGE;
    void *made = array_object(heap, a, array_at(a, index));
    if (made) *item = made;
    return made ? HWR_OK : HWR_NO_MEMORY;
}

hwr_result hwr_array_get_int(const void *array, size_t index, int64_t *value) {
    const hwri_array *a = array;
    if (index >= a->list.length) return HWR_OUT_OF_RANGE;
    if (a->meaning == ARRAY_FLOATS) return HWR_WRONG_KIND;
    int64_t bits = array_at(a, index);
    if (is_huge(a, bits)) return HWR_OUT_OF_RANGE;
    *value = bits;
    return HWR_OK;
}

hwr_result hwr_array_get_float(const void *array, size_t index, double *value) {
    const hwri_array *a = array;
    if (index >= a->list.length) return HWR_OUT_OF_RANGE;
    *value = array_real(a, array_at(a, index));
    return HWR_OK;
}

/* ---- changing ---- */

static inline hwr_result store_bits(const hwri_array *array, size_t index, hwr_result checked, int64_t bits) {
    if (index >= array->list.length) return HWR_OUT_OF_RANGE;
    if (checked == HWR_OK) hwri_data_put(array->list.storage, array_mode(array), index, bits);
    return checked;
}

static inline hwr_result append_bits(hwr_heap *heap, hwri_array *array, hwr_result checked, int64_t bits) {
    hwri_list *list = &array->list;
    if (hwri_unlikely(checked != HWR_OK)) return checked;
    bool has_room = list->length && list->length < list->storage->room;
    if (hwri_unlikely(!has_room) && !array_prepare(heap, array, 1)) return HWR_NO_MEMORY;
    hwri_data_put(list->storage, array_mode(array), list->length++, bits);
    return HWR_OK;
}

hwr_result hwr_array_set(hwr_heap *heap, void *array, size_t index, const void *item) {
    HWRI_LOOK(heap, array);
    HWRI_LOOK(heap, item);
    int64_t bits = 0;
    hwr_result checked = bits_of_item(array, item, &bits);
    return store_bits(array, index, checked, bits);
}

hwr_result hwr_array_set_int(void *array, size_t index, int64_t value) {
    int64_t bits = 0;
    hwr_result checked = bits_of_int(array, value, &bits);
    return store_bits(array, index, checked, bits);
}

hwr_result hwr_array_set_float(void *array, size_t index, double value) {
    int64_t bits = 0;
    hwr_result checked = bits_of_float(array, value, &bits);
    return store_bits(array, index, checked, bits);
}

hwr_result hwr_array_append(hwr_heap *heap, void *array, const void *item) {
    HWRI_LOOK(heap, array);
    HWRI_LOOK(heap, item);
    int64_t bits = 0;
    hwr_result checked = bits_of_item(array, item, &bits);
    return append_bits(heap, array, checked, bits);
}

hwr_result hwr_array_append_int(hwr_heap *heap, void *array, int64_t value) {
    HWRI_LOOK(heap, array);
    int64_t bits = 0;
    hwr_result checked = bits_of_int(array, value, &bits);
    return append_bits(heap, array, checked, bits);
}

hwr_result hwr_array_append_float(hwr_heap *heap, void *array, double value) {
    HWRI_LOOK(heap, array);
    int64_t bits = 0;
    hwr_result checked = bits_of_float(array, value, &bits);
    return append_bits(heap, array, checked, bits);
}

/* Appends it, and brings it to its place. */
hwr_result hwr_array_insert(hwr_heap *heap, void *array, size_t index, const void *item) {
    hwri_array *a = array;
    if (index > a->list.length) return HWR_OUT_OF_RANGE;
    hwr_result result = hwr_array_append(heap, array, item);
    if (result != HWR_OK || index + 1 >= a->list.length) return result;
    size_t last = a->list.length - 1;
    int64_t bits = array_at(a, last);
    memmove(array_place(a, index + 1), array_place(a, index), (last - index) << a->log_size);
    return store_bits(a, index, HWR_OK, bits);
}

/* The object is made first, and again if the array has changed meanwhile. */
hwr_result hwr_array_pop(hwr_heap *heap, void *array, size_t index, void **item) {
    HWRI_LOOK(heap, array);
    hwri_array *a = array;
    hwri_list *list = &a->list;
    while (index < list->length) {
        int64_t bits = array_at(a, index);
        void *made = array_object(heap, a, bits);
        if (!made) return HWR_NO_MEMORY;
        if (index < list->length && array_at(a, index) == bits) {
            list->length--;
            memmove(array_place(a, index), array_place(a, index + 1), (list->length - index) << a->log_size);
            hwri_list_shrink(heap, list);
            *item = made;
            return HWR_OK;
        }
        hwr_release(heap, made);
    }
    return HWR_OUT_OF_RANGE;
}

void hwr_array_clear(hwr_heap *heap, void *array) { hwr_list_clear(heap, array); }

/* ---- many items at once ---- */

/* Behind the last item there is room. */
static void add_data(hwri_array *array, const void *data, size_t count) {
    if (!count) return;
    memcpy(array_place(array, array->list.length), data, count << array->log_size);
    array->list.length += count;
}

bool hwr_array_append_data(hwr_heap *heap, void *array, const void *data, size_t count) {
    HWRI_LOOK(heap, array);
    if (count && !array_prepare(heap, array, count)) return false;
    add_data(array, data, count);
    return true;
}

/* Part of an array of the same type, which may be the same array. */
static hwr_result add_part(hwr_heap *heap, hwri_array *array, const hwri_array *other, size_t from, size_t to) {
    if (to > other->list.length) to = other->list.length;
    if (from >= to) return HWR_OK;
    if (!array_prepare(heap, array, to - from)) return HWR_NO_MEMORY;
    if (to > other->list.length) to = other->list.length;
    if (from < to) add_data(array, array_place(other, from), to - from);
    return HWR_OK;
}

hwr_result hwr_array_slice(hwr_heap *heap, const void *array, size_t from, size_t to, void **slice) {
    HWRI_LOOK(heap, array);
    const hwri_array *a = array;
    hwri_array *part = new_array(heap, a->code, (uint8_t)(1u << a->log_size), a->meaning);
    hwr_result result = part ? add_part(heap, part, a, from, to) : HWR_NO_MEMORY;
    if (result == HWR_OK)
        *slice = part;
    else
        hwr_release(heap, part);
    return result;
}

/* The items of a list or tuple are written behind the last, and are not there yet if one of them does not fit. */
static hwr_result add_span(hwr_heap *heap, hwri_array *array, const void *sequence) {
    size_t count = hwri_span_of(sequence, 0, SIZE_MAX).count;
    if (!count) return HWR_OK;
    if (!array_prepare(heap, array, count)) return HWR_NO_MEMORY;
    hwri_span span = hwri_span_of(sequence, 0, count);
    for (size_t i = 0; i < span.count; i++) {
        hwri_unboxed place;
        int64_t bits;
        const void *item = hwri_storage_peek(span.storage, span.mode, i, &place);
        hwr_result result = bits_of_item(array, item, &bits);
        if (result != HWR_OK) return result;
        hwri_data_put(array->list.storage, array_mode(array), array->list.length + i, bits);
    }
    array->list.length += span.count;
    return HWR_OK;
}

hwr_result hwr_array_extend(hwr_heap *heap, void *array, const void *iterable) {
    HWRI_LOOK(heap, array);
    HWRI_LOOK(heap, iterable);
    hwr_kind kind = hwr_kind_of(iterable);
    if (kind == HWR_LIST || kind == HWR_TUPLE) return add_span(heap, array, iterable);
    if (kind == HWR_ARRAY) {
        if (hwr_array_code(array) != hwr_array_code(iterable)) return HWR_WRONG_KIND;
        return add_part(heap, array, iterable, 0, SIZE_MAX);
    }
    void *list;
    hwr_result result = hwr_list_of(heap, iterable, &list);
    if (result != HWR_OK) return result;
    result = add_span(heap, array, list);
    hwr_release(heap, list);
    return result;
}

/* ---- what all kinds have ---- */

/* An item that is no object of the heap, but looks like one to whoever only reads it: hwri_unboxed, with room for an int of two digits. */
typedef struct array_item {
    uint64_t header;
    uint64_t words[3];
} array_item;

static const void *peek_array(const hwri_array *array, size_t index, array_item *place) {
    int64_t bits = array_at(array, index);
    enum hwri_kind_type type = HWRI_INT_TYPE;
    if (array->meaning == ARRAY_FLOATS) {
        double value = array_real(array, bits);
        type = HWRI_FLOAT_TYPE;
        memcpy(place->words, &value, sizeof value);
    } else if (is_huge(array, bits)) {
        const struct {
            size_t length;
            int32_t sign;
            uint32_t digits[2];
        } big = {2, 1, {(uint32_t)bits, (uint32_t)((uint64_t)bits >> 32)}};
        _Static_assert(sizeof big <= sizeof place->words, "an int of two digits has room");
        type = HWRI_BIG_TYPE;
        memcpy(place->words, &big, sizeof big);
    } else {
        memcpy(place->words, &bits, sizeof bits);
    }
    place->header = HWRI_COUNT_ONE | (uint64_t)(uintptr_t)hwri_kind_type(type) | HWRI_UNTRACKED;
    return place->words;
}

/* The first index at which two arrays differ: the length of the shorter if they do not before. */
static hwr_result first_difference_of_arrays(hwr_heap *heap, const hwri_array *a, const hwri_array *b, unsigned depth,
                                             size_t *index) {
    array_item of_a, of_b;
    bool equal = true;
    for (*index = 0; *index < a->list.length && *index < b->list.length; ++*index) {
        hwr_result result =
            hwri_equal(heap, peek_array(a, *index, &of_a), peek_array(b, *index, &of_b), depth + 1, &equal);
        if (result != HWR_OK || !equal) return result;
    }
    return HWR_OK;
}

static hwr_result equal_arrays(hwr_heap *heap, const void *a, const void *b, unsigned depth, bool *equal) {
    const hwri_array *x = a, *y = b;
    size_t index, length = x->list.length;
    *equal = length == y->list.length;
    if (!*equal || !length) return HWR_OK;
    if (x->code == y->code && x->meaning != ARRAY_FLOATS) {
        *equal = memcmp(array_place(x, 0), array_place(y, 0), length << x->log_size) == 0;
        return HWR_OK;
    }
    hwr_result result = first_difference_of_arrays(heap, x, y, depth, &index);
    if (result == HWR_OK) *equal = index == length;
    return result;
}

static hwr_result compare_arrays(hwr_heap *heap, const void *a, const void *b, unsigned depth, int *order) {
    const hwri_array *x = a, *y = b;
    array_item of_x, of_y;
    size_t index;
    hwr_result result = first_difference_of_arrays(heap, x, y, depth, &index);
    if (result != HWR_OK) return result;
    if (index < x->list.length && index < y->list.length)
        return hwri_compare(heap, peek_array(x, index, &of_x), peek_array(y, index, &of_y), depth + 1, order);
    *order = (x->list.length > y->list.length) - (x->list.length < y->list.length);
    return HWR_OK;
}

static hwr_result repr_array(hwr_heap *heap, const void *object, unsigned depth, hwri_writer *writer) {
    const hwri_array *array = object;
    const char opening[] = {'a', 'r', 'r', 'a', 'y', '(', '\'', array->code, '\''};
    hwr_result result = HWR_OK;
    hwri_write(writer, opening, sizeof opening);
    size_t i = 0;
    for (; i < array->list.length && result == HWR_OK; i++) {
        array_item place;
        hwri_write_text(writer, i ? ", " : ", [");
        result = hwri_repr(heap, peek_array(array, i, &place), depth + 1, writer);
    }
    hwri_write_text(writer, i ? "])" : ")");
    return result;
}

const hwri_kind_ops hwri_array_ops = {
    .equal = equal_arrays, .compare = compare_arrays, .length = hwr_array_length, .repr = repr_array};
