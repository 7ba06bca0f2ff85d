/* What the random mutator does with containers, and with any two objects. */
#include "heapwright/iterate.h"
#include "heapwright/mapping.h"
#include "heapwright/number.h"
#include "heapwright/sequence.h"
#include "heapwright/text.h"
#include "random/kinds_mutator.h"
#include "support/check.h"

#include <string.h>

/* ---- making ---- */

/* A key that has no hash, or can take long to hash, is not looked for. */
static bool is_key(const shadow *s) { return shadow_is_light(s) && shadow_is_hashable(s); }

/* A tuple of the same items as another: equal, and so with the same hash, if it has one. */
static void copy_tuple(const held *tuple, uint32_t bits) {
    void *objects[8], *copy;
    uint64_t of_copy, of_other;
    size_t length = tuple->s->length;
    kinds_say("copy %u", place_of(tuple));
    for (size_t i = 0; i < length; i++) CHECK(hwr_tuple_get(k.heap, tuple->object, i, &objects[i]) == HWR_OK);
    bool made = given(copy = hwr_tuple(k.heap, objects, length));
    for (size_t i = 0; i < length; i++) hwr_release(k.heap, objects[i]);
    if (!made) return;
    shadow *s = shadow_new(HWR_TUPLE, length);
    memcpy(s->of.items, tuple->s->of.items, length * sizeof *s->of.items);
    if (length > 0) shadow_meet(k.heap, s, copy);
    if (is_key(s) && granted(hwr_hash(k.heap, copy, &of_copy), HWR_OK) &&
        granted(hwr_hash(k.heap, tuple->object, &of_other), HWR_OK))
        CHECK(of_copy == of_other);
    keep(copy, s, bits);
}

static void make_tuple(uint32_t bits) {
    const held *other = pick_of(bits >> 3, HWR_TUPLE);
    if (other != NULL && other->s->length <= 8 && (bits >> 16 & 3) == 0) {
        copy_tuple(other, bits >> 8);
        return;
    }
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
    if (length > 0) shadow_meet(k.heap, s, tuple);
    keep(tuple, s, bits >> 11);
}

static void make_own(uint32_t bits) {
    kinds_say("make one of its own");
    own_object *own = hwr_new(k.heap, &own_type);
    if (!given(own)) return;
    own->plan = bits >> 4;
    shadow *s = shadow_new(HWR_NO_KIND, 1);
    own->calls = &s->more.calls;
    shadow_meet(k.heap, s, own);
    keep(own, s, bits >> 9);
}

static void list_all(uint32_t bits) {
    const held *from = pick_any(bits);
    if (from == NULL || from->s->length > KINDS_ITEMS_MOST || from->s->kind == HWR_ITERATOR) return;
    bool iterable = shadow_is_counted(from->s);
    void *list;
    kinds_say("list of %u", place_of(from));
    if (!granted(hwr_list_of(k.heap, from->object, &list), iterable ? HWR_OK : HWR_WRONG_KIND)) return;
    shadow *s = shadow_new(HWR_LIST, from->s->length);
    for (size_t i = 0; i < s->length; i++) s->of.items[i] = shadow_item_of(from->s, i);
    shadow_meet(k.heap, s, list);
    keep(list, s, bits >> 5);
}

void make_container(uint32_t bits) {
    size_t room = (bits >> 8 & 3) == 0 ? bits >> 10 & 63 : 0;
    hwr_kind kind = HWR_LIST;
    void *object;
    switch (bits & 7) {
    case 0:
    case 1: make_tuple(bits >> 3); return;
    case 2:
        if ((bits >> 20 & 3) == 0)
            list_all(bits >> 3);
        else
            make_own(bits);
        return;
    case 3:
    case 4: object = hwr_dict(k.heap, room), kind = HWR_DICT; break;
    case 5: object = hwr_set_new(k.heap, room), kind = HWR_SET; break;
    default: object = hwr_list(k.heap, room);
    }
    kinds_say("make a container with room for %zu", room);
    if (!given(object)) return;
    shadow *s = shadow_new(kind, 0);
    shadow_meet(k.heap, s, object);
    keep(object, s, bits >> 3);
}

/* ---- list ---- */

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
    if (allowed(done)) shadow_put(list->s, list->s->length, s);
}

/* Many ints in a row, of any width. */
static void append_many(held *list, uint32_t bits) {
    kinds_say("append many to %u", place_of(list));
    for (unsigned i = 0; i < (bits & 31) && list->s->length < KINDS_ITEMS_MOST; i++) {
        int64_t value = (int64_t)((uint64_t)int_from(bits >> 5) + i);
        if (!allowed(hwr_list_append_int(k.heap, list->object, value))) return;
        shadow_put(list->s, list->s->length, shadow_of_int(value));
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
    for (size_t i = 0; i < added; i++) shadow_put(list->s, list->s->length, other->s->of.items[i]);
}

static void slice(const held *list, uint32_t bits) {
    size_t length = list->s->length, from = (bits & 255) % (length + 3), to = (bits >> 8 & 255) % (length + 3);
    void *part;
    kinds_say("slice %zu to %zu of %u", from, to, place_of(list));
    if (!granted(hwr_list_slice(k.heap, list->object, from, to, &part), HWR_OK)) return;
    shadow *s = shadow_new(HWR_LIST, 0);
    shadow_meet(k.heap, s, part);
    for (size_t i = from; i < to && i < length; i++) shadow_put(s, s->length, list->s->of.items[i]);
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
        bool has_none = kind == HWR_NONE || kind == HWR_DICT || kind == HWR_SET || kind == HWR_NO_KIND ||
                        kind == HWR_RANGE || kind == HWR_ITERATOR || kind == HWR_OBJECT;
        if (has_none) return list->length > 1;
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
    check_held(list);
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
    void *found, *peeked;
    encode(key, utf8);
    size_t at = shadow_find(dict->s, key);
    if ((bits & 3) == 0) {
        kinds_say("get of %u by text", place_of(dict));
        hwr_result result = hwr_dict_get_text(k.heap, dict->object, utf8, &found);
        if (!granted(result, at == SIZE_MAX ? HWR_NOT_FOUND : HWR_OK)) return;
        size_t references = hwr_refcount(k.heap, found);
        if (granted(hwr_dict_peek_text(k.heap, dict->object, utf8, &peeked), HWR_OK))
            CHECK(peeked == found && hwr_refcount(k.heap, found) == references);
        keep(found, dict->s->of.items[2 * at + 1], bits);
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
    dict->s->changes += dict->s->length;
    dict->s->length = 0;
    hwr_dict_clear(k.heap, dict->object);
}

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
    void *found, *peeked = NULL;
    size_t references = 0;
    if (dict == NULL) return;
    bool room = dict->s->length < KINDS_ITEMS_MOST;
    if (!shadow_is_light(key->s)) return;
    if (!shadow_is_hashable(key->s)) {
        granted(hwr_dict_get(k.heap, dict->object, key->object, &found), HWR_UNHASHABLE);
        granted(hwr_dict_set(k.heap, dict->object, key->object, value->object), HWR_UNHASHABLE);
        granted(hwr_dict_remove(k.heap, dict->object, key->object, NULL), HWR_UNHASHABLE);
        return;
    }
    size_t at = shadow_find(dict->s, key->s);
    hwr_result there = at == SIZE_MAX ? HWR_NOT_FOUND : HWR_OK;
    switch (bits >> 15 & 31) {
    case 0:
    case 1:
    case 2:
        kinds_say("get %u of %u", place_of(key), place_of(dict));
        if (granted(hwr_dict_peek(k.heap, dict->object, key->object, &peeked), there))
            references = hwr_refcount(k.heap, peeked);
        if (!granted(hwr_dict_get(k.heap, dict->object, key->object, &found), there)) return;
        CHECK(references == 0 || (peeked == found && hwr_refcount(k.heap, found) >= references));
        keep(found, dict->s->of.items[2 * at + 1], bits >> 3);
        return;
    case 3:
    case 4:
    case 5:
        kinds_say("remove %u from %u", place_of(key), place_of(dict));
        if (!granted(hwr_dict_remove(k.heap, dict->object, key->object, &found), there)) break;
        shadow *s = dict->s->of.items[2 * at + 1];
        remove_entry(dict, at);
        check_held(dict);
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
    check_held(dict);
}

void use_set(uint32_t bits) {
    held *set = pick_of(bits, HWR_SET), *item = pick_any(bits >> 5);
    bool answer;
    if (set == NULL || !shadow_is_light(item->s)) return;
    if (!shadow_is_hashable(item->s)) {
        granted(hwr_set_add(k.heap, set->object, item->object, NULL), HWR_UNHASHABLE);
        granted(hwr_set_contains(k.heap, set->object, item->object, &answer), HWR_UNHASHABLE);
        granted(hwr_set_remove(k.heap, set->object, item->object), HWR_UNHASHABLE);
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
    check_held(set);
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
    check_held(own);
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
