#include "heapwright/mapping.h"
#include "heapwright/number.h"
#include "heapwright/sequence.h"
#include "heapwright/text.h"
#include "random/kinds_mutator.h"
#include "support/check.h"

#include <math.h>
#include <string.h>

static unsigned place_of(const held *h) { return (unsigned)(h - k.held); }

/* A held one that was changed: whatever it was before. */
static void check_changed(held *h) { check_held(h); }

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

static void *make_int(shadow_int value) {
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

static shadow_int int_from(uint32_t bits) {
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

static size_t encode(const shadow *s, char *utf8) {
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
    if (s->kind == HWR_BYTEARRAY) s->object = object;
    keep(object, s, bits >> 7);
}

static void make_tuple(uint32_t bits) {
    void *objects[8], *tuple;
    size_t length = bits & 7;
    shadow *s = shadow_new(HWR_TUPLE, length);
    for (size_t i = 0; i < length; i++) {
        held *h = pick_any(bits >> 3 ^ (uint32_t)i * 5);
        if (h == NULL) return;
        objects[i] = h->object;
        s->of.items[i] = h->s;
    }
    kinds_say("make a tuple");
    if (!given(tuple = hwr_tuple(k.heap, objects, length))) return;
    s->object = length > 0 ? tuple : NULL;
    keep(tuple, s, bits >> 11);
}

static void make_own(uint32_t bits) {
    kinds_say("make one of its own");
    own_object *own = hwr_new(k.heap, &own_type);
    if (!given(own)) return;
    own->plan = bits >> 4;
    shadow *s = shadow_new(HWR_NO_KIND, 1);
    s->object = own;
    keep(own, s, bits >> 9);
}

void make_container(uint32_t bits) {
    size_t room = (bits >> 8 & 3) == 0 ? bits >> 10 & 63 : 0;
    hwr_kind kind = HWR_LIST;
    void *object;
    switch (bits & 7) {
    case 0:
    case 1: make_tuple(bits >> 3); return;
    case 2: make_own(bits); return;
    case 3:
    case 4: object = hwr_dict(k.heap, room), kind = HWR_DICT; break;
    case 5: object = hwr_set_new(k.heap, room), kind = HWR_SET; break;
    default: object = hwr_list(k.heap, room);
    }
    kinds_say("make a container with room for %zu", room);
    if (!given(object)) return;
    shadow *s = shadow_new(kind, 0);
    s->object = object;
    keep(object, s, bits >> 3);
}

/* ---- list ---- */

static void put_shadow(shadow *list, size_t at, shadow *item) {
    shadow_open(list, at);
    list->of.items[at] = item;
}

static void append(held *list, held *item, uint32_t bits) {
    shadow *s = item->s;
    kinds_say("append %u to %u", place_of(item), place_of(list));
    bool done;
    if (s->kind == HWR_INT && s->number == (int64_t)s->number && (bits & 1) != 0)
        done = hwr_list_append_int(k.heap, list->object, (int64_t)s->number);
    else if (s->kind == HWR_FLOAT && (bits & 1) != 0)
        done = hwr_list_append_float(k.heap, list->object, s->real);
    else
        done = hwr_list_append(k.heap, list->object, item->object);
    if (allowed(done)) put_shadow(list->s, list->s->length, s);
}

/* Many ints in a row, of any width. */
static void append_many(held *list, uint32_t bits) {
    kinds_say("append many to %u", place_of(list));
    for (unsigned i = 0; i < (bits & 31) && list->s->length < KINDS_ITEMS_MOST; i++) {
        int64_t value = (int64_t)(int_from(bits >> 5) / 3) + (int64_t)i;
        if (!allowed(hwr_list_append_int(k.heap, list->object, value))) return;
        put_shadow(list->s, list->s->length, shadow_of_int(value));
    }
}

static void pop(held *list, size_t index, uint32_t bits) {
    void *item;
    kinds_say("pop %zu of %u", index, place_of(list));
    bool there = index < list->s->length;
    if (!granted(hwr_list_pop(k.heap, list->object, index, &item), there ? HWR_OK : HWR_OUT_OF_RANGE)) return;
    shadow *s = list->s->of.items[index];
    shadow_close(list->s, index);
    keep(item, s, bits);
}

static void get(held *list, size_t index, uint32_t bits) {
    void *item;
    int64_t value;
    double real;
    kinds_say("get %zu of %u", index, place_of(list));
    hwr_result expected = index < list->s->length ? HWR_OK : HWR_OUT_OF_RANGE;
    shadow *s = expected == HWR_OK ? list->s->of.items[index] : NULL;
    hwr_result result = hwr_list_get_int(list->object, index, &value);
    if (s == NULL)
        CHECK(result == expected);
    else if (s->kind != HWR_INT && s->kind != HWR_BOOL)
        CHECK(result == HWR_WRONG_KIND);
    else
        CHECK(s->number == (int64_t)s->number ? result == HWR_OK && value == s->number : result == HWR_OUT_OF_RANGE);
    result = hwr_list_get_float(list->object, index, &real);
    if (s != NULL) CHECK((result == HWR_WRONG_KIND) == !shadow_is_number(s));
    if (granted(hwr_list_get(k.heap, list->object, index, &item), expected)) keep(item, s, bits);
}

static void extend(held *list, const held *other) {
    size_t added = other->s->length;
    if (list->s->length + added > KINDS_ITEMS_MOST) return;
    kinds_say("extend %u by %u", place_of(list), place_of(other));
    if (!allowed(hwr_list_extend(k.heap, list->object, other->object))) return;
    for (size_t i = 0; i < added; i++) put_shadow(list->s, list->s->length, other->s->of.items[i]);
}

static void slice(const held *list, uint32_t bits) {
    size_t length = list->s->length, from = (bits & 255) % (length + 3), to = (bits >> 8 & 255) % (length + 3);
    void *part;
    kinds_say("slice %zu to %zu of %u", from, to, place_of(list));
    if (!granted(hwr_list_slice(k.heap, list->object, from, to, &part), HWR_OK)) return;
    shadow *s = shadow_new(HWR_LIST, 0);
    s->object = part;
    for (size_t i = from; i < to && i < length; i++) put_shadow(s, s->length, list->s->of.items[i]);
    keep(part, s, bits >> 3);
}

/* Whether all items have an order, or some have none for certain; otherwise it depends on how the library sorts. */
static shadow_answer has_order(const shadow *list) {
    shadow_answer all = SHADOW_YES;
    int order;
    for (size_t i = 0; i < list->length; i++)
        for (size_t j = 0; j < i; j++) {
            shadow_answer one = shadow_compare(list->of.items[i], list->of.items[j], &order);
            if (one == SHADOW_TOO_LONG) return SHADOW_TOO_LONG;
            if (one == SHADOW_NO) all = SHADOW_NO;
        }
    return all;
}

/* Kinds of which no two have an order. */
static bool has_two_classes(const shadow *list) {
    bool found[HWR_KINDS] = {false};
    unsigned classes = 0;
    for (size_t i = 0; i < list->length; i++) {
        const shadow *s = list->of.items[i];
        hwr_kind kind = shadow_is_number(s) ? HWR_INT : s->kind == HWR_BYTEARRAY ? HWR_BYTES : s->kind;
        if (kind == HWR_NONE || kind == HWR_DICT || kind == HWR_SET || kind == HWR_NO_KIND) return list->length > 1;
        classes += !found[kind];
        found[kind] = true;
    }
    return classes > 1;
}

static void sort(held *list) {
    shadow *s = list->s;
    if (s->length > 50) return;
    shadow_answer answer = has_order(s);
    if (answer == SHADOW_TOO_LONG || (answer == SHADOW_NO && !has_two_classes(s))) return;
    kinds_say("sort %u", place_of(list));
    if (!granted(hwr_list_sort(k.heap, list->object), answer == SHADOW_YES ? HWR_OK : HWR_WRONG_KIND)) return;
    for (size_t i = 1; i < s->length; i++)
        for (size_t j = i; j > 0; j--) {
            int order = 0;
            shadow *after = s->of.items[j], *before = s->of.items[j - 1];
            shadow_compare(after, before, &order);
            if (order >= 0) break;
            s->of.items[j] = before;
            s->of.items[j - 1] = after;
        }
}

static void reverse(held *list) {
    size_t length = list->s->length;
    kinds_say("reverse %u", place_of(list));
    hwr_list_reverse(list->object);
    for (size_t i = 0; i < length / 2; i++) {
        shadow *item = list->s->of.items[i];
        list->s->of.items[i] = list->s->of.items[length - 1 - i];
        list->s->of.items[length - 1 - i] = item;
    }
}

static void set_or_insert(held *list, held *item, size_t index, bool inserts) {
    bool there = inserts ? index <= list->s->length : index < list->s->length;
    kinds_say("%s %u at %zu of %u", inserts ? "insert" : "set", place_of(item), index, place_of(list));
    hwr_result result = inserts ? hwr_list_insert(k.heap, list->object, index, item->object)
                                : hwr_list_set(k.heap, list->object, index, item->object);
    if (!granted(result, there ? HWR_OK : HWR_OUT_OF_RANGE)) return;
    if (inserts) shadow_open(list->s, index);
    list->s->of.items[index] = item->s;
}

void use_list(uint32_t bits) {
    held *list = pick_of(bits, HWR_LIST), *item = pick_any(bits >> 5);
    if (list == NULL || item == NULL) return;
    size_t index = (bits >> 10 & 127) % (list->s->length + 2);
    bool full = list->s->length >= KINDS_ITEMS_MOST;
    uint32_t seldom = bits >> 17 & 1;
    switch (bits >> 18 & 31) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
        if (!full) append(list, item, bits >> 10);
        break;
    case 8:
    case 9:
    case 10: append_many(list, bits >> 5); break;
    case 11:
    case 12:
    case 13: set_or_insert(list, item, index, false); break;
    case 14:
    case 15:
        if (!full) set_or_insert(list, item, index, true);
        break;
    case 16:
    case 17:
    case 18: pop(list, index, bits >> 7); return;
    case 19:
    case 20: get(list, index, bits >> 7); return;
    case 21:
    case 22: slice(list, bits >> 5); return;
    case 23: extend(list, list); break;
    case 24:
    case 25: extend(list, pick_of(bits >> 5, HWR_LIST)); break;
    case 26:
        if (pick_of(bits >> 5, HWR_TUPLE) != NULL) extend(list, pick_of(bits >> 5, HWR_TUPLE));
        break;
    case 27: reverse(list); break;
    case 28:
    case 29: sort(list); break;
    default:
        if (seldom == 0) return;
        kinds_say("clear %u", place_of(list));
        list->s->length = 0;
        hwr_list_clear(k.heap, list->object);
    }
    check_changed(list);
}

/* ---- dict and set ---- */

static void remove_entry(held *container, size_t at) { shadow_close(container->s, at); }

static void put_entry(held *container, size_t at, shadow *key, shadow *value) {
    shadow *s = container->s;
    bool is_new = at == SIZE_MAX;
    if (is_new) {
        at = s->length;
        shadow_open(s, at);
        s->of.items[at * shadow_step(s)] = key;
    }
    if (s->kind == HWR_DICT) s->of.items[2 * at + 1] = value;
}

/* A str without zeroes as the key, by its UTF-8. */
static void use_dict_by_text(held *dict, const shadow *key, held *value, uint32_t bits) {
    static char utf8[4 * KINDS_CHARS_MOST + 1];
    void *found;
    encode(key, utf8);
    size_t at = shadow_find(dict->s, key);
    if ((bits & 3) == 0) {
        kinds_say("get of %u by text", place_of(dict));
        hwr_result result = hwr_dict_get_text(k.heap, dict->object, utf8, &found);
        if (granted(result, at == SIZE_MAX ? HWR_NOT_FOUND : HWR_OK)) keep(found, dict->s->of.items[2 * at + 1], bits);
        return;
    }
    kinds_say("set of %u by text", place_of(dict));
    if (!granted(hwr_dict_set_text(k.heap, dict->object, utf8, value->object), HWR_OK)) return;
    shadow *copy = shadow_new(HWR_STR, key->length);
    memcpy(copy->of.chars, key->of.chars, key->length * sizeof *key->of.chars);
    put_entry(dict, at, copy, value->s);
}

static void clear_dict(held *dict) {
    kinds_say("clear %u", place_of(dict));
    dict->s->length = 0;
    hwr_dict_clear(k.heap, dict->object);
}

/* A key that has no hash, or can take long to hash, is not looked for. */
static bool is_key(const shadow *s) { return shadow_is_light(s) && shadow_is_hashable(s); }

/* Removes entries while going through them. */
static void remove_some(held *dict, uint32_t bits) {
    size_t position = 0, at = 0;
    void *key;
    kinds_say("go through %u and remove", place_of(dict));
    while (hwr_dict_next(k.heap, dict->object, &position, &key, NULL) == HWR_OK) {
        CHECK(at < dict->s->length);
        bool goes = (bits >> at % 11 & 1) != 0;
        if (goes && granted(hwr_dict_remove(k.heap, dict->object, key, NULL), HWR_OK))
            remove_entry(dict, at);
        else
            at++;
        hwr_release(k.heap, key);
    }
    CHECK(at == dict->s->length);
}

void use_dict(uint32_t bits) {
    held *dict = pick_of(bits, HWR_DICT), *key = pick_any(bits >> 5), *value = pick_any(bits >> 10);
    void *found;
    if (dict == NULL) return;
    bool room = dict->s->length < KINDS_ITEMS_MOST;
    if (!shadow_is_light(key->s)) return;
    if (!shadow_is_hashable(key->s)) {
        CHECK(hwr_dict_get(k.heap, dict->object, key->object, &found) == HWR_UNHASHABLE);
        CHECK(hwr_dict_set(k.heap, dict->object, key->object, value->object) == HWR_UNHASHABLE);
        CHECK(hwr_dict_remove(k.heap, dict->object, key->object, NULL) == HWR_UNHASHABLE);
        return;
    }
    size_t at = shadow_find(dict->s, key->s);
    hwr_result there = at == SIZE_MAX ? HWR_NOT_FOUND : HWR_OK;
    switch (bits >> 15 & 31) {
    case 0:
    case 1:
    case 2:
        kinds_say("get %u of %u", place_of(key), place_of(dict));
        if (granted(hwr_dict_get(k.heap, dict->object, key->object, &found), there))
            keep(found, dict->s->of.items[2 * at + 1], bits >> 3);
        return;
    case 3:
    case 4:
    case 5:
        kinds_say("remove %u from %u", place_of(key), place_of(dict));
        if (!granted(hwr_dict_remove(k.heap, dict->object, key->object, &found), there)) break;
        shadow *s = dict->s->of.items[2 * at + 1];
        remove_entry(dict, at);
        check_changed(dict);
        keep(found, s, bits >> 3);
        return;
    case 6:
    case 7:
    case 8:
    case 9:
        if (key->s->kind == HWR_STR && room) use_dict_by_text(dict, key->s, value, bits >> 10);
        return;
    case 10: clear_dict(dict); break;
    case 11: remove_some(dict, bits >> 4); break;
    case 12:
    case 13:
        for (uint32_t i = 0; i < 20 && dict->s->length < KINDS_ITEMS_MOST; i++) {
            shadow *number = shadow_of_int((bits >> 5 & 63) + i);
            void *object = make_int(number->number);
            size_t place = shadow_find(dict->s, number);
            if (object != NULL && granted(hwr_dict_set(k.heap, dict->object, object, value->object), HWR_OK))
                put_entry(dict, place, number, value->s);
            hwr_release(k.heap, object);
        }
        break;
    default:
        if (!room) break;
        kinds_say("set %u of %u to %u", place_of(key), place_of(dict), place_of(value));
        if (granted(hwr_dict_set(k.heap, dict->object, key->object, value->object), HWR_OK))
            put_entry(dict, at, key->s, value->s);
    }
    check_changed(dict);
}

void use_set(uint32_t bits) {
    held *set = pick_of(bits, HWR_SET), *item = pick_any(bits >> 5);
    bool answer;
    if (set == NULL || !shadow_is_light(item->s)) return;
    if (!shadow_is_hashable(item->s)) {
        CHECK(hwr_set_add(k.heap, set->object, item->object, NULL) == HWR_UNHASHABLE);
        CHECK(hwr_set_contains(k.heap, set->object, item->object, &answer) == HWR_UNHASHABLE);
        CHECK(hwr_set_remove(k.heap, set->object, item->object) == HWR_UNHASHABLE);
        return;
    }
    size_t at = shadow_find(set->s, item->s);
    switch (bits >> 10 & 7) {
    case 0:
    case 1:
        kinds_say("is %u in %u", place_of(item), place_of(set));
        if (granted(hwr_set_contains(k.heap, set->object, item->object, &answer), HWR_OK))
            CHECK(answer == (at != SIZE_MAX));
        break;
    case 2:
    case 3:
        kinds_say("remove %u from %u", place_of(item), place_of(set));
        if (granted(hwr_set_remove(k.heap, set->object, item->object), at == SIZE_MAX ? HWR_NOT_FOUND : HWR_OK))
            remove_entry(set, at);
        break;
    default:
        if (set->s->length >= KINDS_ITEMS_MOST) break;
        kinds_say("add %u to %u", place_of(item), place_of(set));
        if (!granted(hwr_set_add(k.heap, set->object, item->object, &answer), HWR_OK)) break;
        CHECK(answer == (at == SIZE_MAX));
        put_entry(set, at, item->s, NULL);
    }
    check_changed(set);
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
    check_changed(text);
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
        check_changed(text);
        check_changed(other);
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
    check_changed(bytes);
    if (made == NULL) return;
    if (kind == HWR_BYTEARRAY) s->object = made;
    keep(made, s, bits >> 3);
}

/* ---- numbers ---- */

static held *pick_number(uint32_t bits) {
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

/* ---- one of its own, two of any kind ---- */

void use_own(uint32_t bits) {
    held *own = pick_of(bits, HWR_NO_KIND), *value = pick_any(bits >> 5);
    if (own == NULL) return;
    bool clears = (bits >> 10 & 3) == 0;
    kinds_say("set the field of %u to %u", place_of(own), place_of(value));
    own_object *object = own->object;
    own->s->of.items[0] = clears ? NULL : value->s;
    hwr_set(k.heap, object, &object->field, clears ? NULL : value->object);
    check_changed(own);
}

static int sign(int value) { return (value > 0) - (value < 0); }

void compare_two(uint32_t bits) {
    held *a = pick_any(bits), *b = pick_any(bits >> 5);
    bool equal;
    int order, expected = 0;
    uint64_t hash_a, hash_b;
    if (a == NULL) return;
    shadow_answer same = shadow_equal(a->s, b->s), ordered = shadow_compare(a->s, b->s, &expected);
    kinds_say("compare %u and %u", place_of(a), place_of(b));
    if (same != SHADOW_TOO_LONG && granted(hwr_equal(k.heap, a->object, b->object, &equal), HWR_OK))
        CHECK(equal == (same == SHADOW_YES));
    if (ordered != SHADOW_TOO_LONG &&
        granted(hwr_compare(k.heap, a->object, b->object, &order), ordered == SHADOW_YES ? HWR_OK : HWR_WRONG_KIND))
        CHECK(sign(order) == sign(expected));
    if (!is_key(a->s) || !is_key(b->s)) return;
    if (!granted(hwr_hash(k.heap, a->object, &hash_a), HWR_OK) ||
        !granted(hwr_hash(k.heap, b->object, &hash_b), HWR_OK))
        return;
    CHECK(same != SHADOW_YES || hash_a == hash_b);
}

void look_at_one(uint32_t bits) {
    static char expected[3000], written[3000];
    held *h = pick_any(bits);
    void *text;
    if (h == NULL) return;
    kinds_say("look at %u", place_of(h));
    check_held(h);
    CHECK(hwr_refcount(k.heap, h->object) > 0 && hwr_sizeof(k.heap, h->object, true) > 8);
    if (!shadow_repr(h->s, expected, sizeof expected)) return;
    if (!granted(hwr_repr(k.heap, h->object, &text), HWR_OK)) return;
    CHECK(hwr_str_utf8(text, written, sizeof written) < sizeof written);
    if (strcmp(written, expected) != 0) kinds_say("    %s, not %s", written, expected);
    CHECK(strcmp(written, expected) == 0);
    hwr_release(k.heap, text);
}
