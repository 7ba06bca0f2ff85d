/* What the random mutator does with arrays and ranges. */
#include "heapwright/array.h"
#include "heapwright/iterate.h"
#include "heapwright/number.h"
#include "random/kinds_mutator.h"
#include "support/check.h"

#include <math.h>
#include <string.h>

/* ---- making arrays ---- */

static const char codes[] = "bBhHiIlLqQfd";

static size_t size_of_code(char code) {
    switch (code) {
    case 'b':
    case 'B': return sizeof(char);
    case 'h':
    case 'H': return sizeof(short);
    case 'i':
    case 'I': return sizeof(int);
    case 'l':
    case 'L': return sizeof(long);
    case 'f': return sizeof(float);
    default: return 8;
    }
}

static bool is_of_floats(const shadow *array) { return array->more.code == 'f' || array->more.code == 'd'; }
static bool is_unsigned(const shadow *array) { return strchr("BHILQ", array->more.code) != NULL; }

void make_array(uint32_t bits) {
    char code = codes[bits % (sizeof codes - 1)];
    size_t room = (bits >> 8 & 3) == 0 ? bits >> 10 & 63 : 0;
    void *object;
    kinds_say("make an array of %c with room for %zu", code, room);
    CHECK(hwr_array(k.heap, 'x', room, &object) == HWR_BAD_VALUE);
    if (!granted(hwr_array(k.heap, code, room, &object), HWR_OK)) return;
    shadow *s = shadow_new(HWR_ARRAY, 0);
    shadow_meet(k.heap, s, object);
    s->more.code = code;
    keep(object, s, bits >> 4);
}

/* What becomes of a value in an array: *stored, which may be another. */
static hwr_result stored_int(const shadow *array, shadow_int value, shadow **stored) {
    size_t size = 8 * size_of_code(array->more.code);
    shadow_int least = is_unsigned(array) ? 0 : -((shadow_int)1 << (size - 1));
    if (value < least || value >= least + ((shadow_int)1 << size)) return HWR_OUT_OF_RANGE;
    *stored = shadow_of_int(value);
    return HWR_OK;
}

static hwr_result stored_float(const shadow *array, double value, shadow **stored) {
    *stored = shadow_of_float(array->more.code == 'f' ? (double)(float)value : value);
    return HWR_OK;
}

hwr_result stored_as(const shadow *array, const shadow *item, shadow **stored) {
    if (!shadow_is_number(item) || (!is_of_floats(array) && item->kind == HWR_FLOAT)) return HWR_WRONG_KIND;
    if (!is_of_floats(array)) return stored_int(array, item->number, stored);
    return stored_float(array, item->kind == HWR_FLOAT ? item->real : (double)item->number, stored);
}

/* ---- changing arrays ---- */

static void append_object(held *array, const held *item) {
    shadow *stored = NULL;
    hwr_result expected = stored_as(array->s, item->s, &stored);
    kinds_say("append %u to array %u", place_of(item), place_of(array));
    if (granted(hwr_array_append(k.heap, array->object, item->object), expected))
        shadow_put(array->s, array->s->length, stored);
}

static void set_or_insert_object(held *array, const held *item, size_t index, bool inserts) {
    shadow *stored = NULL;
    bool there = index < array->s->length + inserts;
    hwr_result expected = there ? stored_as(array->s, item->s, &stored) : HWR_OUT_OF_RANGE;
    kinds_say("%s %u at %zu of array %u", inserts ? "insert" : "set", place_of(item), index, place_of(array));
    hwr_result result = inserts ? hwr_array_insert(k.heap, array->object, index, item->object)
                                : hwr_array_set(k.heap, array->object, index, item->object);
    if (!granted(result, expected)) return;
    if (inserts) shadow_open(array->s, index);
    array->s->of.items[index] = stored;
}

/* Values of C: an int, then a float, one of which is of the wrong kind. */
static void append_values(held *array, uint32_t bits) {
    shadow *stored = NULL, *s = array->s;
    for (unsigned i = 0; i < (bits & 31) && s->length + 1 < KINDS_ITEMS_MOST; i++) {
        int64_t value = (int64_t)((uint64_t)int_from(bits >> 4) + i);
        kinds_say("append %lld to array %u", (long long)value, place_of(array));
        hwr_result of_int = is_of_floats(s) ? HWR_WRONG_KIND : stored_int(s, value, &stored);
        if (granted(hwr_array_append_int(k.heap, array->object, value), of_int)) shadow_put(s, s->length, stored);
        hwr_result of_float = is_of_floats(s) ? stored_float(s, (double)value, &stored) : HWR_WRONG_KIND;
        if (granted(hwr_array_append_float(k.heap, array->object, (double)value), of_float))
            shadow_put(s, s->length, stored);
    }
}

/* So many at once as C has them, each half of the last, from one that fits. */
static void append_row(held *array, uint32_t bits) {
    shadow *s = array->s;
    unsigned char row[KINDS_ITEMS_MOST * 8];
    size_t size = size_of_code(s->more.code), count = 20 + (bits & 127);
    if (s->length + count > KINDS_ITEMS_MOST) count = KINDS_ITEMS_MOST - s->length;
    int64_t values[KINDS_ITEMS_MOST], most = (int64_t)1 << (size < 8 ? 8 * size - 2 : 52);
    for (size_t i = 0; i < count; i++) {
        int64_t value = values[i] = most >> ((bits >> 7) + i) % 53;
        float real = (float)value;
        double wide = (double)value;
        const void *from = s->more.code == 'f' ? (const void *)&real : is_of_floats(s) ? (const void *)&wide : &value;
        memcpy(row + i * size, from, size);
    }
    kinds_say("append a row of %zu to array %u", count, place_of(array));
    if (!allowed(hwr_array_append_data(k.heap, array->object, row, count))) return;
    for (size_t i = 0; i < count; i++)
        shadow_put(s, s->length, is_of_floats(s) ? shadow_of_float((double)values[i]) : shadow_of_int(values[i]));
}

static void set_value(held *array, size_t index, uint32_t bits) {
    shadow *stored = NULL, *s = array->s;
    int64_t value = (int64_t)int_from(bits);
    bool there = index < s->length;
    kinds_say("set %zu of array %u to %lld", index, place_of(array), (long long)value);
    hwr_result of_int = is_of_floats(s) ? HWR_WRONG_KIND : stored_int(s, value, &stored);
    hwr_result of_float = is_of_floats(s) ? stored_float(s, (double)value, &stored) : HWR_WRONG_KIND;
    CHECK(hwr_array_set_int(array->object, index, value) == (there ? of_int : HWR_OUT_OF_RANGE));
    CHECK(hwr_array_set_float(array->object, index, (double)value) == (there ? of_float : HWR_OUT_OF_RANGE));
    if (there && stored != NULL) s->of.items[index] = stored;
}

static void take_out(held *array, size_t index, bool stays, uint32_t bits) {
    void *item;
    hwr_result expected = index < array->s->length ? HWR_OK : HWR_OUT_OF_RANGE;
    kinds_say("%s %zu of array %u", stays ? "get" : "pop", index, place_of(array));
    hwr_result result =
        stays ? hwr_array_get(k.heap, array->object, index, &item) : hwr_array_pop(k.heap, array->object, index, &item);
    if (!granted(result, expected)) return;
    shadow *s = array->s->of.items[index];
    if (!stays) shadow_close(array->s, index);
    check_held(array);
    keep(item, s, bits);
}

/* By all that comes of something, or nothing of it. */
static void extend_array(held *array, const held *other) {
    shadow *all[KINDS_ITEMS_MOST], *s = array->s;
    const shadow *from = other->s;
    size_t added = from->length;
    hwr_result expected = HWR_OK;
    if (from->kind == HWR_ITERATOR || (shadow_is_counted(from) && s->length + added > KINDS_ITEMS_MOST)) return;
    if (!shadow_is_counted(from) || (from->kind == HWR_ARRAY && from->more.code != s->more.code))
        expected = HWR_WRONG_KIND;
    for (size_t i = 0; i < added && expected == HWR_OK; i++) expected = stored_as(s, shadow_item_of(from, i), &all[i]);
    kinds_say("extend array %u by %u", place_of(array), place_of(other));
    if (!granted(hwr_array_extend(k.heap, array->object, other->object), expected)) return;
    for (size_t i = 0; i < added; i++) shadow_put(s, s->length, all[i]);
}

/* What is at hwr_array_data, appended to a copy of it in the middle. */
static void append_data(held *array, const held *other) {
    unsigned char copy[KINDS_ITEMS_MOST * 8];
    shadow *s = array->s;
    size_t count = other->s->length;
    if (other->s->more.code != s->more.code || count + s->length > KINDS_ITEMS_MOST) return;
    memcpy(copy, hwr_array_data(other->object), count * size_of_code(s->more.code));
    kinds_say("append data of array %u to array %u", place_of(other), place_of(array));
    if (!allowed(hwr_array_append_data(k.heap, array->object, copy, count))) return;
    for (size_t i = 0; i < count; i++) shadow_put(s, s->length, other->s->of.items[i]);
}

static void slice_array(const held *array, uint32_t bits) {
    size_t length = array->s->length, from = (bits & 255) % (length + 3), to = (bits >> 8 & 255) % (length + 3);
    void *part;
    kinds_say("slice %zu to %zu of array %u", from, to, place_of(array));
    if (!granted(hwr_array_slice(k.heap, array->object, from, to, &part), HWR_OK)) return;
    shadow *s = shadow_new(HWR_ARRAY, 0);
    shadow_meet(k.heap, s, part);
    s->more.code = array->s->more.code;
    for (size_t i = from; i < to && i < length; i++) shadow_put(s, s->length, array->s->of.items[i]);
    keep(part, s, bits >> 3);
}

void use_array(uint32_t bits) {
    held *array = pick_of(bits, HWR_ARRAY), *item = pick_any(bits >> 5), *number = pick_number(bits >> 5);
    if (array == NULL || item == NULL) return;
    size_t index = (bits >> 10 & 127) % (array->s->length + 2);
    bool full = array->s->length + 2 >= KINDS_ITEMS_MOST;
    if (number != NULL && (bits >> 9 & 7) != 0) item = number;
    switch (bits >> 18 & 15) {
    case 0:
    case 1:
    case 2:
        if (!full) append_object(array, item);
        break;
    case 3:
        if (!full) append_values(array, bits >> 4);
        break;
    case 4: append_row(array, bits >> 5); break;
    case 5: set_value(array, index, bits >> 5); break;
    case 6: set_or_insert_object(array, item, index, false); break;
    case 7:
    case 8:
        if (!full) set_or_insert_object(array, item, index, true);
        break;
    case 9:
    case 10: take_out(array, index, false, bits >> 7); return;
    case 11: take_out(array, index, true, bits >> 7); return;
    case 12: slice_array(array, bits >> 5); return;
    case 13: extend_array(array, pick_any(bits >> 5)); break;
    case 14: append_data(array, pick_of(bits >> 5, HWR_ARRAY)); break;
    default:
        if ((bits >> 17 & 1) == 0) {
            const held *other = pick_of(bits >> 5, bits >> 10 & 1 ? HWR_ARRAY : HWR_LIST);
            extend_array(array, other != NULL ? other : array);
            break;
        }
        kinds_say("clear array %u", place_of(array));
        array->s->length = 0;
        hwr_array_clear(k.heap, array->object);
    }
    check_held(array);
}

/* ---- ranges ---- */

static int64_t end_from(uint32_t bits) {
    return (bits & 7) < 5 ? (int64_t)(bits >> 3 & 63) - 20 : (int64_t)int_from(bits >> 3);
}

void make_range(uint32_t bits) {
    int64_t from = end_from(bits), to = end_from(bits >> 6), step = (bits >> 12 & 3) == 0 ? 1 : end_from(bits >> 12);
    shadow_int distance = (shadow_int)to - from, length = 0;
    void *object;
    kinds_say("range from %lld to %lld by %lld", (long long)from, (long long)to, (long long)step);
    if (!granted(hwr_range(k.heap, from, to, step, &object), step == 0 ? HWR_BAD_VALUE : HWR_OK)) return;
    if (step > 0 && distance > 0) length = (distance + step - 1) / step;
    if (step < 0 && distance < 0) length = (distance + step + 1) / step;
    shadow *s = shadow_new(HWR_RANGE, 0);
    shadow_meet(k.heap, s, object);
    s->length = (size_t)length;
    s->more.from = from;
    s->more.to = to;
    s->more.step = step;
    keep(object, s, bits >> 5);
}

void use_range(uint32_t bits) {
    const held *range = pick_of(bits, HWR_RANGE);
    if (range == NULL) return;
    const shadow *s = range->s;
    int64_t value = end_from(bits >> 5), item;
    shadow_int steps = ((shadow_int)value - s->more.from) / s->more.step;
    bool contains = steps >= 0 && steps < (shadow_int)s->length && s->more.from + steps * s->more.step == value;
    size_t index = s->length > 0 ? (bits >> 5) % s->length : 0;
    kinds_say("ask range %u for %lld", place_of(range), (long long)value);
    CHECK(hwr_range_contains(range->object, value) == contains);
    CHECK(hwr_range_get(range->object, index, &item) == (s->length > 0 ? HWR_OK : HWR_OUT_OF_RANGE));
    if (s->length > 0) CHECK(item == s->more.from + (shadow_int)index * s->more.step);
}
