/* What the random mutator does with objects that have attributes. */
#include "heapwright/attributes.h"
#include "heapwright/text.h"
#include "random/kinds_mutator.h"
#include "support/check.h"

#include <string.h>

static const char *const class_names[KINDS_CLASSES] = {"Point", "A", "Gr\303\266\303\237e"};

/* Whether the class is there by the end. */
static bool hold_class(size_t at) {
    char written[20];
    if (k.classes[at] != NULL) return true;
    if (!granted(hwr_class(k.heap, class_names[at], &k.classes[at]), HWR_OK)) return false;
    void *name = hwr_class_name(k.heap, k.classes[at]);
    CHECK(hwr_str_utf8(name, written, sizeof written) < sizeof written && strcmp(written, class_names[at]) == 0);
    hwr_release(k.heap, name);
    return true;
}

static void release_class(size_t at) {
    kinds_say("release class %zu", at);
    hwr_release(k.heap, k.classes[at]);
    k.classes[at] = NULL;
}

void release_classes(void) {
    for (size_t at = 0; at < KINDS_CLASSES; at++) release_class(at);
}

void make_object(uint32_t bits) {
    size_t at = bits % KINDS_CLASSES;
    kinds_say("make an object of class %zu", at);
    if (!hold_class(at)) return;
    void *object = hwr_object(k.heap, k.classes[at]);
    if (!given(object)) return;
    shadow *s = shadow_new(HWR_OBJECT, 0);
    shadow_meet(k.heap, s, object);
    s->more.of_class = hwr_id(k.heap, k.classes[at]);
    s->more.class_name = class_names[at];
    if ((bits >> 2 & 15) == 0) release_class(at);
    keep(object, s, bits >> 6);
}

/* What was done to an attribute. */
static void put_attribute(shadow *s, size_t at, shadow *name, shadow *value) {
    if (at == SIZE_MAX) {
        at = s->length;
        shadow_open(s, at);
        s->of.items[2 * at] = name;
    }
    s->of.items[2 * at + 1] = value;
}

/* Names of a few kinds that many objects have: a letter, or a letter and a number. */
static shadow *name_from(uint32_t bits, char *utf8) {
    static const uint32_t letters[] = {'x', 'y', 'z', 'w', 'n', 0xe9, 0x3b1, 'v'};
    shadow *name = shadow_new(HWR_STR, (bits >> 3 & 3) == 0 ? 3 : 1);
    name->of.chars[0] = letters[bits & 7];
    for (size_t i = 1; i < name->length; i++) name->of.chars[i] = '0' + (bits >> (5 + 3 * i) & 7);
    encode(name, utf8);
    return name;
}

/* By a str that is held, or by UTF-8. */
typedef struct attribute_name {
    const void *object; /* NULL: by text */
    const char *text;
    shadow *s;
} attribute_name;

static hwr_result ask(void *object, const attribute_name *name, void **value) {
    return name->object != NULL ? hwr_attribute_get(k.heap, object, name->object, value)
                                : hwr_attribute_get_text(k.heap, object, name->text, value);
}

static hwr_result put(void *object, const attribute_name *name, const void *value) {
    return name->object != NULL ? hwr_attribute_set(k.heap, object, name->object, value)
                                : hwr_attribute_set_text(k.heap, object, name->text, value);
}

static hwr_result take(void *object, const attribute_name *name, void **value) {
    return name->object != NULL ? hwr_attribute_remove(k.heap, object, name->object, value)
                                : hwr_attribute_remove_text(k.heap, object, name->text, value);
}

static void get_attribute_of(held *h, const attribute_name *name, uint32_t bits) {
    void *value;
    size_t at = shadow_find(h->s, name->s);
    kinds_say("get an attribute of %u", place_of(h));
    if (granted(ask(h->object, name, &value), at == SIZE_MAX ? HWR_NOT_FOUND : HWR_OK))
        keep(value, h->s->of.items[2 * at + 1], bits);
}

static void set_attribute_of(held *h, const attribute_name *name, const held *value) {
    size_t at = shadow_find(h->s, name->s);
    if (at == SIZE_MAX && h->s->length >= KINDS_ITEMS_MOST) return;
    kinds_say("set an attribute of %u to %u", place_of(h), place_of(value));
    if (granted(put(h->object, name, value->object), HWR_OK)) put_attribute(h->s, at, name->s, value->s);
}

static void remove_attribute_of(held *h, const attribute_name *name, uint32_t bits) {
    void *value = NULL;
    size_t at = shadow_find(h->s, name->s);
    bool is_kept = (bits & 1) != 0;
    kinds_say("remove an attribute of %u", place_of(h));
    hwr_result result = take(h->object, name, is_kept ? &value : NULL);
    if (!granted(result, at == SIZE_MAX ? HWR_NOT_FOUND : HWR_OK)) return;
    shadow *s = h->s->of.items[2 * at + 1];
    shadow_close(h->s, at);
    check_held(h);
    if (is_kept) keep(value, s, bits >> 1);
}

/* So many, of which some are there already. */
static void set_many(held *h, const held *value, uint32_t bits) {
    char utf8[20];
    kinds_say("set many attributes of %u to %u", place_of(h), place_of(value));
    for (uint32_t i = 0; i < (bits & 31); i++) {
        shadow *s = name_from((bits >> 5 & 7) | (i << 8 & 0x3f00), utf8);
        set_attribute_of(h, &(attribute_name){.text = utf8, .s = s}, value);
    }
}

/* Goes through them; some go on the way; one that comes ends it. */
static void go_through(held *h, const held *value, uint32_t bits) {
    size_t position = 0, at = 0;
    void *name;
    bool adds = (bits & 7) == 0 && h->s->length > 1 && h->s->length < KINDS_ITEMS_MOST;
    hwr_result result;
    kinds_say("go through %u and remove", place_of(h));
    while ((result = hwr_attribute_next(k.heap, h->object, &position, &name, NULL)) == HWR_OK) {
        CHECK(at < h->s->length);
        bool goes = (bits >> at % 11 & 1) != 0;
        shadow_check(k.heap, name, h->s->of.items[2 * at]);
        if (goes && granted(hwr_attribute_remove(k.heap, h->object, name, NULL), HWR_OK))
            shadow_close(h->s, at);
        else
            at++;
        hwr_release(k.heap, name);
        shadow *added = shadow_new(HWR_STR, 1);
        added->of.chars[0] = '+';
        if (!adds || at < 2 || shadow_find(h->s, added) != SIZE_MAX) continue;
        if (!granted(hwr_attribute_set_text(k.heap, h->object, "+", value->object), HWR_OK)) continue;
        put_attribute(h->s, SIZE_MAX, added, value->s);
        CHECK(hwr_attribute_next(k.heap, h->object, &position, NULL, NULL) == HWR_CHANGED);
        return;
    }
    CHECK(result == HWR_END && at == h->s->length);
}

/* What is no name, or no object. */
static void misuse(const held *h, const held *other) {
    void *value;
    if (other->s->kind != HWR_STR) {
        CHECK(hwr_attribute_get(k.heap, h->object, other->object, &value) == HWR_WRONG_KIND);
        CHECK(hwr_attribute_set(k.heap, h->object, other->object, h->object) == HWR_WRONG_KIND);
        CHECK(hwr_attribute_remove(k.heap, h->object, other->object, NULL) == HWR_WRONG_KIND);
    }
    granted(hwr_attribute_get_text(k.heap, h->object, "\xff", &value), HWR_BAD_VALUE);
    if (other->s->kind == HWR_OBJECT) return;
    CHECK(hwr_attribute_get_text(k.heap, other->object, "x", &value) == HWR_WRONG_KIND);
    CHECK(hwr_attribute_set_text(k.heap, other->object, "x", h->object) == HWR_WRONG_KIND);
    CHECK(hwr_attribute_count(other->object) == 0);
}

void use_object(uint32_t bits) {
    static char utf8[4 * KINDS_CHARS_MOST + 1];
    held *h = pick_of(bits, HWR_OBJECT), *value = pick_any(bits >> 5), *text = pick_of(bits >> 10, HWR_STR);
    if (h == NULL) return;
    attribute_name name = {.text = utf8};
    if (text != NULL && (bits >> 18 & 1) == 0) {
        encode(name.s = text->s, utf8);
        if ((bits >> 17 & 1) == 0) name.object = text->object;
    } else {
        name.s = name_from(bits >> 8, utf8);
    }
    switch (bits >> 19 & 15) {
    case 0:
    case 1:
    case 2: get_attribute_of(h, &name, bits >> 3); return;
    case 3: remove_attribute_of(h, &name, bits >> 3); return;
    case 4: go_through(h, value, bits >> 5); break;
    case 5:
    case 6: set_many(h, value, bits >> 8); break;
    case 7: misuse(h, value); break;
    default: set_attribute_of(h, &name, value);
    }
    check_held(h);
}
