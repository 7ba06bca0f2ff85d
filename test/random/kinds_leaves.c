/* What the random mutator does with numbers and text. */
#include "heapwright/number.h"
#include "heapwright/text.h"
#include "random/kinds_mutator.h"
#include "support/check.h"

#include <math.h>
#include <string.h>

/* ---- making ---- */

static const shadow_int some_ints[] = {0,
                                       1,
                                       -1,
                                       -5,
                                       -6,
                                       256,
                                       257,
                                       127,
                                       -128,
                                       128,
                                       32767,
                                       32768,
                                       -32769,
                                       INT32_MAX,
                                       INT32_MIN,
                                       (shadow_int)INT32_MAX + 1,
                                       INT64_MAX,
                                       INT64_MIN,
                                       (shadow_int)INT64_MAX + 1,
                                       (shadow_int)INT64_MIN - 1};
enum { SOME_INTS = sizeof some_ints / sizeof *some_ints };

void *make_int(shadow_int value) {
    char digits[60];
    void *object = NULL;
    if (value >= INT64_MIN && value <= INT64_MAX) {
        object = hwr_int(k.heap, (int64_t)value);
        return given(object) ? object : NULL;
    }
    shadow s = {.kind = HWR_INT, .number = value};
    CHECK(shadow_repr(&s, digits, sizeof digits));
    return granted(hwr_int_parse(k.heap, digits, strlen(digits), 10, &object), HWR_OK) ? object : NULL;
}

shadow_int int_from(uint32_t bits) {
    shadow_int value = some_ints[(bits >> 4) % SOME_INTS];
    switch (bits & 7) {
    case 0:
    case 1:
    case 2: return (shadow_int)(bits >> 3 & 15) - 4;
    case 3: return (int32_t)(bits * 0x9e3779b1u);
    case 4: return value * ((shadow_int)(bits >> 9) + 1);
    default: return value;
    }
}

static double float_from(uint32_t bits) {
    static const double some[] = {0.0,  -0.0,     1.0,       -1.0,  0.25, 2.5, 256.0, 9007199254740992.0,
                                  1e22, INFINITY, -INFINITY, 0x1p63};
    return (bits & 3) == 0 ? ((double)(bits >> 2 & 4095) - 2048) / 4 : some[(bits >> 2) % (sizeof some / sizeof *some)];
}

/* Characters of one width, and sometimes one of another. */
static uint32_t char_from(uint32_t bits, unsigned width) {
    static const uint32_t wide[] = {0x100, 0x3b1, 0xffff, 0xd7ff, 0xe000}, widest[] = {0x10000, 0x1f600, 0x10ffff};
    if (width == 0) return (unsigned char)"ab'\"\\\n c"[bits & 7];
    if (width == 1) return 0x20 + bits % 0x5f;
    if (width == 2) return 0x80 + bits % 0x80;
    return width == 3 ? wide[bits % 5] : widest[bits % 3];
}

static shadow *text_from(uint32_t bits, hwr_kind kind) {
    static const uint8_t lengths[8] = {0, 1, 1, 2, 3, 7, 30, 200};
    random_stream r = {bits};
    size_t length = lengths[bits & 7];
    shadow *s = shadow_new(kind, length);
    for (size_t i = 0; i < length; i++) {
        uint32_t random = (uint32_t)random_next(&r);
        s->of.chars[i] =
            kind == HWR_STR ? char_from(random >> 8, bits >> 3 & 1 ? random & 3 : bits >> 4 & 3) : random & 255;
        if (kind == HWR_STR && (bits >> 6 & 7) == 0 && i + 1 == length) s->of.chars[i] = char_from(random >> 8, 4);
    }
    return s;
}

size_t encode(const shadow *s, char *utf8) {
    static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
    char *at = utf8;
    for (size_t i = 0; i < s->length; i++) {
        uint32_t c = s->of.chars[i];
        if (c < 0x80) {
            *at++ = (char)c;
            continue;
        }
        unsigned more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
        *at++ = (char)(leads[more] | c >> 6 * more);
        while (more > 0) *at++ = (char)(0x80 | (c >> 6 * --more & 63));
    }
    *at = 0;
    return (size_t)(at - utf8);
}

static void *make_text(const shadow *s) {
    static char utf8[4 * KINDS_CHARS_MOST + 1];
    unsigned char bytes[KINDS_CHARS_MOST];
    void *object = NULL;
    for (size_t i = 0; i < s->length; i++) bytes[i] = (unsigned char)s->of.chars[i];
    if (s->kind == HWR_STR)
        granted(hwr_str_from(k.heap, utf8, encode(s, utf8), &object), HWR_OK);
    else
        given(object =
                  s->kind == HWR_BYTES ? hwr_bytes(k.heap, bytes, s->length) : hwr_bytearray(k.heap, bytes, s->length));
    return object;
}

void make_leaf(uint32_t bits) {
    shadow *s = NULL;
    void *object = NULL;
    uint32_t more = bits >> 4;
    kinds_say("make a leaf");
    switch (bits & 15) {
    case 0:
        s = shadow_new(HWR_NONE, 0);
        object = hwr_none(k.heap);
        break;
    case 1:
        s = shadow_new(HWR_BOOL, 0);
        s->number = more & 1;
        object = hwr_bool(k.heap, more & 1);
        break;
    case 2:
    case 3:
    case 4:
    case 5: object = make_int((s = shadow_of_int(int_from(more)))->number); break;
    case 6:
    case 7:
        s = shadow_of_float(float_from(more));
        given(object = hwr_float(k.heap, s->real));
        break;
    case 8:
    case 9: object = make_text(s = text_from(more, HWR_BYTES)); break;
    case 10: object = make_text(s = text_from(more, HWR_BYTEARRAY)); break;
    default: object = make_text(s = text_from(more, HWR_STR));
    }
    if (object == NULL) return;
    if (s->kind == HWR_BYTEARRAY) shadow_meet(k.heap, s, object);
    keep(object, s, bits >> 7);
}

/* ---- str, bytes, bytearray ---- */

static shadow *joined(hwr_kind kind, const shadow *a, const shadow *b) {
    shadow *s = shadow_new(kind, a->length + b->length);
    memcpy(s->of.chars, a->of.chars, a->length * sizeof *s->of.chars);
    memcpy(s->of.chars + a->length, b->of.chars, b->length * sizeof *s->of.chars);
    return s;
}

static shadow *part_of(const shadow *a, size_t from, size_t to) {
    to = to > a->length ? a->length : to;
    shadow *s = shadow_new(a->kind, from < to ? to - from : 0);
    if (from < to) memcpy(s->of.chars, a->of.chars + from, (to - from) * sizeof *s->of.chars);
    return s;
}

static void find_text(const held *text, const held *part, size_t from) {
    size_t found = SIZE_MAX, expected = SIZE_MAX, length = part->s->length;
    for (size_t i = from; i <= text->s->length && length <= text->s->length - i && expected == SIZE_MAX; i++)
        if (memcmp(text->s->of.chars + i, part->s->of.chars, length * sizeof(uint32_t)) == 0) expected = i;
    kinds_say("find %u in %u from %zu", place_of(part), place_of(text), from);
    hwr_result result = hwr_str_find(text->object, part->object, from, &found);
    CHECK(result == (expected == SIZE_MAX ? HWR_NOT_FOUND : HWR_OK) && found == expected);
}

static void join(const held *separator, const held *list, uint32_t bits) {
    void *text;
    shadow *s = shadow_new(HWR_STR, 0);
    bool all = true;
    for (size_t i = 0; i < list->s->length; i++) {
        const shadow *item = list->s->of.items[i];
        all = all && item->kind == HWR_STR;
        if (!all || s->length > KINDS_CHARS_MOST) break;
        if (i > 0) s = joined(HWR_STR, s, separator->s);
        s = joined(HWR_STR, s, item);
    }
    if (s->length > KINDS_CHARS_MOST) return;
    kinds_say("join %u by %u", place_of(list), place_of(separator));
    if (granted(hwr_str_join(k.heap, separator->object, list->object, &text), all ? HWR_OK : HWR_WRONG_KIND))
        keep(text, s, bits);
}

static void append_text(held *text, const held *tail) {
    kinds_say("append str %u to %u", place_of(tail), place_of(text));
    hwr_retain(k.heap, tail->object); /* it may be the same place */
    const shadow *of_tail = tail->s;
    void *kept = tail->object;
    if (granted(hwr_str_append(k.heap, &text->object, kept), HWR_OK)) text->s = joined(HWR_STR, text->s, of_tail);
    hwr_release(k.heap, kept);
    check_held(text);
}

void use_text(uint32_t bits) {
    held *text = pick_of(bits, HWR_STR), *other = pick_of(bits >> 5, HWR_STR);
    if (text == NULL) return;
    const held *list = pick_of(bits >> 5, bits & 1 ? HWR_TUPLE : HWR_LIST);
    size_t length = text->s->length, from = (bits >> 10 & 63) % (length + 3), to = (bits >> 13 & 255) % (length + 3);
    bool fits = length + other->s->length <= KINDS_CHARS_MOST;
    void *made = NULL;
    shadow *s = NULL;
    switch (bits >> 20) {
    case 0:
    case 1:
        if (!fits) return;
        s = joined(HWR_STR, text->s, other->s);
        kinds_say("%u + %u", place_of(text), place_of(other));
        granted(hwr_str_concat(k.heap, text->object, other->object, &made), HWR_OK);
        break;
    case 2:
    case 3:
    case 4:
        s = part_of(text->s, from, to);
        kinds_say("%u[%zu:%zu]", place_of(text), from, to);
        granted(hwr_str_slice(k.heap, text->object, from, to, &made), HWR_OK);
        break;
    case 5:
        if (length * (bits >> 10 & 3) > KINDS_CHARS_MOST) return;
        s = shadow_new(HWR_STR, 0);
        for (uint32_t i = 0; i < (bits >> 10 & 3); i++) s = joined(HWR_STR, s, text->s);
        kinds_say("%u * %u", place_of(text), (unsigned)bits >> 10 & 3);
        granted(hwr_str_repeat(k.heap, text->object, bits >> 10 & 3, &made), HWR_OK);
        break;
    case 6:
    case 7:
    case 8:
    case 9:
        if (fits) append_text(text, other);
        return;
    case 10: find_text(text, other, from); return;
    case 11:
    case 12:
        kinds_say("intern %u", place_of(text));
        if (allowed(hwr_str_intern(k.heap, &text->object)) && shadow_equal(text->s, other->s) == SHADOW_YES &&
            allowed(hwr_str_intern(k.heap, &other->object)))
            CHECK(text->object == other->object);
        check_held(text);
        check_held(other);
        return;
    default:
        if (list != NULL) join(text, list, bits >> 3);
        return;
    }
    if (made != NULL) keep(made, s, bits >> 3);
}

static void resize_bytearray(held *bytes, size_t size) {
    kinds_say("resize %u to %zu", place_of(bytes), size);
    bool done = hwr_bytearray_resize(k.heap, bytes->object, size);
    CHECK(done || size > bytes->s->length);
    if (!allowed(done)) return;
    while (bytes->s->length > size) shadow_close(bytes->s, bytes->s->length - 1);
    while (bytes->s->length < size) {
        shadow_open(bytes->s, bytes->s->length);
        bytes->s->of.chars[bytes->s->length - 1] = 0;
    }
}

static void append_bytes(held *bytes, const held *tail) {
    size_t size, added = tail->s->length;
    const unsigned char *data = hwr_bytes_get(tail->object, &size);
    if (bytes->s->length + added > KINDS_CHARS_MOST) return;
    kinds_say("append bytes %u to %u", place_of(tail), place_of(bytes));
    if (!allowed(hwr_bytearray_append(k.heap, bytes->object, data, size))) return;
    for (size_t i = 0; i < added; i++) {
        shadow_open(bytes->s, bytes->s->length);
        bytes->s->of.chars[bytes->s->length - 1] = tail->s->of.chars[i];
    }
}

void use_bytes(uint32_t bits) {
    hwr_kind kind = bits & 1 ? HWR_BYTES : HWR_BYTEARRAY;
    held *bytes = pick_of(bits, kind), *other = pick_of(bits >> 5, bits & 2 ? HWR_BYTES : HWR_BYTEARRAY);
    if (bytes == NULL || other == NULL) return;
    size_t length = bytes->s->length, from = (bits >> 10 & 63) % (length + 3), to = (bits >> 13 & 255) % (length + 3),
           size;
    void *made = NULL;
    shadow *s = NULL;
    switch (bits >> 20 & 7) {
    case 0:
        if (length + other->s->length > KINDS_CHARS_MOST) return;
        s = joined(kind, bytes->s, other->s);
        kinds_say("bytes %u + %u", place_of(bytes), place_of(other));
        granted(hwr_bytes_concat(k.heap, bytes->object, other->object, &made), HWR_OK);
        break;
    case 1:
        s = part_of(bytes->s, from, to);
        kinds_say("bytes %u[%zu:%zu]", place_of(bytes), from, to);
        granted(hwr_bytes_slice(k.heap, bytes->object, from, to, &made), HWR_OK);
        break;
    case 2:
    case 3:
        if (kind == HWR_BYTEARRAY) resize_bytearray(bytes, to * 2);
        break;
    case 4:
        if (kind == HWR_BYTES || length == 0) return;
        hwr_bytearray_get(bytes->object, &size)[from % length] = (unsigned char)bits;
        CHECK(size == length);
        bytes->s->of.chars[from % length] = bits & 255;
        break;
    default:
        if (kind == HWR_BYTEARRAY) append_bytes(bytes, other);
    }
    check_held(bytes);
    if (made == NULL) return;
    if (kind == HWR_BYTEARRAY) shadow_meet(k.heap, s, made);
    keep(made, s, bits >> 3);
}

/* ---- numbers ---- */

held *pick_number(uint32_t bits) {
    for (uint32_t i = 0; i < KINDS_HELD; i++) {
        held *h = pick_any(bits + i);
        if (h != NULL && shadow_is_number(h->s)) return h;
    }
    return NULL;
}

typedef hwr_result (*operation_on_two)(hwr_heap *heap, const void *a, const void *b, void **result);

static shadow_int floor_of_quotient(shadow_int a, shadow_int b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

/* Ints below 2**60, so that nothing here is too large for 128 bits. */
static void calculate(const held *a, const held *b, uint32_t bits) {
    static const operation_on_two operations[] = {hwr_add, hwr_subtract, hwr_multiply, hwr_floor_divide, hwr_modulo};
    unsigned which = bits % 5;
    shadow_int x = a->s->number, y = b->s->number, most = (shadow_int)1 << 125, result = 0;
    void *object;
    if (x > most || x < -most || y > most || y < -most) return;
    if (which == 2 && y != 0 && (x > most / (y < 0 ? -y : y) || -x > most / (y < 0 ? -y : y))) return;
    if (which == 0) result = x + y;
    if (which == 1) result = x - y;
    if (which == 2) result = x * y;
    if (which > 2 && y != 0) result = which == 3 ? floor_of_quotient(x, y) : x - floor_of_quotient(x, y) * y;
    kinds_say("operation %u of %u and %u", which, place_of(a), place_of(b));
    hwr_result expected = which > 2 && y == 0 ? HWR_DIVIDED_BY_ZERO : HWR_OK;
    if (granted(operations[which](k.heap, a->object, b->object, &object), expected))
        keep(object, shadow_of_int(result), bits >> 3);
}

void use_numbers(uint32_t bits) {
    held *a = pick_number(bits), *b = pick_number(bits >> 5);
    void *object;
    if (a == NULL || b == NULL) return;
    if (a->s->kind != HWR_FLOAT && b->s->kind != HWR_FLOAT) {
        calculate(a, b, bits >> 10);
    } else if (a->s->kind == HWR_FLOAT && b->s->kind == HWR_FLOAT) {
        double sum = a->s->real + b->s->real;
        if (isnan(sum)) return;
        kinds_say("%u + %u", place_of(a), place_of(b));
        if (granted(hwr_add(k.heap, a->object, b->object, &object), HWR_OK))
            keep(object, shadow_of_float(sum), bits >> 3);
    }
}
