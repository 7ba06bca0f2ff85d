/* What the random mutator does with large objects: their storages outgrow the slices of the pool, and when they go, others grow over what is left in that memory.
 *
 * An operation does thousands of steps at once, and a run has few of them, so that a run with the most takes no more than a few times as long as one with none. The shadow of a large object is an array of
 * numbers, one for each item. Where not all items are numbers, every 64th value stands for another object: None, or the large object itself, which only the collector can free then. */
#include "heapwright/array.h"
#include "heapwright/mapping.h"
#include "heapwright/number.h"
#include "heapwright/sequence.h"
#include "heapwright/text.h"
#include "kinds/kinds.h"
#include "random/counting_model.h"
#include "random/kinds_mutator.h"
#include "support/check.h"

#include <stdlib.h>
#include <string.h>

enum { OF_VALUES, OF_LEAVES, OF_ANY, STYLES };
enum {
    ENTRIES_MOST = 26000,
    ITEMS_MOST = 40000,
    DATA_MOST = 200000,
    SPECIAL_EACH = 64,
    CHECKED_SHARE = 4,
    PIECE = 8192,
    SOILED = 32,
    USES_MOST = 16,
    SOILED_SIZE = 60000
};

static bool has_keys(const large *l) { return l->kind == HWR_DICT || l->kind == HWR_SET; }

/* A checked heap makes much of every object, and of each time that one is looked at: so there is less there. */
static size_t share(size_t most) {
    return (counting_mode(k.configuration) & COUNTING_CHECKED) != 0 ? most / CHECKED_SHARE : most;
}

static size_t most_items(const large *l) {
    if (has_keys(l)) return share(ENTRIES_MOST);
    return l->kind == HWR_LIST ? share(ITEMS_MOST) : DATA_MOST;
}

static bool is_special(const large *l, uint32_t value) { return l->style != OF_VALUES && value % SPECIAL_EACH == 0; }
static void *special_of(const large *l) { return l->style == OF_ANY ? l->object : k.none; }

/* ---- shadows ---- */

static void make_values(large *l, size_t more) {
    if (l->length + more <= l->room) return;
    l->room = (l->length + more) * 2;
    l->values = realloc(l->values, l->room * sizeof *l->values);
    CHECK(l->values != NULL);
}

static void put_values(large *l, const uint32_t *values, size_t count) {
    make_values(l, count);
    memcpy(l->values + l->length, values, count * sizeof *values);
    l->length += count;
}

static void repeat_values(large *l) {
    make_values(l, l->length);
    memcpy(l->values + l->length, l->values, l->length * sizeof *l->values);
    l->length *= 2;
}

/* Something that the object can hold: of a table, what it never held. */
static uint32_t new_value(large *l, unsigned width, random_stream *r) {
    static const uint32_t masks[] = {0x7f, 0x7fff, 0xfffff, 0xfffff};
    uint32_t random = (uint32_t)(random_next(r) >> 32);
    if (has_keys(l)) return l->next++;
    if (l->kind == HWR_LIST) return random & masks[width];
    if (l->kind == HWR_BYTEARRAY) return random & 0xff;
    if (l->kind == HWR_ARRAY) return random & masks[l->width];
    return width == 0   ? 1 + (random & 0x3f)
           : width == 1 ? 0xc0 + (random & 0x3f)
                        : (0x300u << 4 * (width - 2)) + (random & 0x3f);
}

static bool equals(const void *object, uint32_t value) {
    int64_t number;
    return hwr_int_get(object, &number) == HWR_OK && number == (int64_t)value;
}

static void check_item(const large *l, size_t i) {
    uint32_t value = l->values[i];
    int64_t number;
    double real;
    if (l->kind == HWR_LIST && is_special(l, value)) {
        CHECK(hwr_list_peek(l->object, i) == special_of(l));
    } else if (l->kind == HWR_LIST) {
        CHECK(hwr_list_get_int(l->object, i, &number) == HWR_OK && number == (int64_t)value);
    } else if (l->kind == HWR_ARRAY) {
        CHECK(hwr_array_get_float(l->object, i, &real) == HWR_OK && (int64_t)real == (int64_t)value);
    } else {
        CHECK(hwr_str_at(l->object, i) == value);
    }
}

static void check_large_dict(const large *l) {
    void *key, *value;
    size_t position = 0;
    for (size_t i = 0; i < l->length; i++) {
        CHECK(hwr_dict_peek_next(k.heap, l->object, &position, &key, &value) == HWR_OK);
        CHECK(equals(key, l->values[i]));
        CHECK(value == (is_special(l, l->values[i]) ? special_of(l) : key));
    }
    CHECK(hwr_dict_peek_next(k.heap, l->object, &position, &key, &value) == HWR_END);
}

static void check_large_set(const large *l) {
    void *item;
    size_t position = 0;
    for (size_t i = 0; i < l->length; i++) {
        CHECK(hwr_set_next(k.heap, l->object, &position, &item) == HWR_OK);
        CHECK(equals(item, l->values[i]));
        hwr_release(k.heap, item);
    }
    CHECK(hwr_set_next(k.heap, l->object, &position, &item) == HWR_END);
}

static void check_large_bytes(const large *l) {
    size_t size;
    const unsigned char *bytes = hwr_bytes_get(l->object, &size);
    for (size_t i = 0; i < l->length; i++) CHECK(bytes[i] == l->values[i]);
}

/* Of a list, dict or set; NULL also if it has none. */
static const hwri_storage *storage_of(const large *l) {
    const hwri_list *list = l->object;
    const hwri_table *table = l->object;
    if (l->kind == HWR_LIST) return list->storage;
    return has_keys(l) ? table->entries : NULL;
}

static size_t room_of_large(const large *l) {
    const hwri_storage *storage = storage_of(l);
    return storage != NULL ? storage->room : 0;
}

/* Behind the items of a storage that has references, NULL. */
static void check_room(const large *l) {
    const hwri_storage *storage = storage_of(l);
    if (storage == NULL || !hwr_type_of(storage)->items_are_references) return;
    const hwri_table *table = l->object;
    size_t used = l->kind == HWR_LIST ? l->length : (size_t)table->used << (l->kind == HWR_DICT);
    for (size_t i = used; i < storage->room; i++) CHECK(storage->as.objects[i] == NULL);
}

static void check_large(const large *l) {
    size_t length;
    check_room(l);
    CHECK(hwr_length(l->object, &length) == HWR_OK && length == l->length);
    switch (l->kind) {
    case HWR_DICT: check_large_dict(l); break;
    case HWR_SET: check_large_set(l); break;
    case HWR_BYTEARRAY: check_large_bytes(l); break;
    default:
        for (size_t i = 0; i < length; i++) check_item(l, i);
    }
}

/* ---- growing ---- */

static bool add_key(const large *l, uint32_t value) {
    void *key = hwr_int(k.heap, (int64_t)value);
    bool is_new = true;
    if (!given(key)) return false;
    bool done = l->kind == HWR_SET
                    ? granted(hwr_set_add(k.heap, l->object, key, &is_new), HWR_OK)
                    : granted(hwr_dict_set(k.heap, l->object, key, is_special(l, value) ? special_of(l) : key), HWR_OK);
    CHECK(!done || is_new);
    hwr_release(k.heap, key);
    return done;
}

static bool add_value(const large *l, uint32_t value) {
    if (has_keys(l)) return add_key(l, value);
    if (l->kind == HWR_ARRAY && (l->code == 'f' || l->code == 'd'))
        return granted(hwr_array_append_float(k.heap, l->object, (double)value), HWR_OK);
    if (l->kind == HWR_ARRAY) return granted(hwr_array_append_int(k.heap, l->object, (int64_t)value), HWR_OK);
    if (is_special(l, value)) return allowed(hwr_list_append(k.heap, l->object, special_of(l)));
    return allowed(hwr_list_append_int(k.heap, l->object, (int64_t)value));
}

/* So many, and then on until the storage grows: what is behind its items is there to be seen when it has just become larger. */
static void add_values(large *l, size_t count, size_t most, unsigned width, random_stream *r) {
    size_t room = 0;
    for (size_t i = 0; i < most; i++) {
        if (i == count) room = room_of_large(l);
        if (i > count && room_of_large(l) != room) return;
        uint32_t value = new_value(l, width, r);
        if (!add_value(l, value)) return;
        put_values(l, &value, 1);
    }
}

static bool add_text(large *l, uint32_t *values, size_t count) {
    static char utf8[4 * PIECE + 1];
    shadow s = {.kind = HWR_STR, .length = count, .of.chars = values};
    void *tail;
    if (!granted(hwr_str_from(k.heap, utf8, encode(&s, utf8), &tail), HWR_OK)) return false;
    bool done = granted(hwr_str_append(k.heap, &l->object, tail), HWR_OK);
    hwr_release(k.heap, tail);
    return done;
}

static bool add_bytes(large *l, const uint32_t *values, size_t count) {
    static unsigned char bytes[PIECE];
    for (size_t i = 0; i < count; i++) bytes[i] = (unsigned char)values[i];
    return allowed(hwr_bytearray_append(k.heap, l->object, bytes, count));
}

static void add_pieces(large *l, size_t count, unsigned width, random_stream *r) {
    static uint32_t values[PIECE];
    for (size_t taken; count > 0; count -= taken) {
        taken = count < PIECE ? count : PIECE;
        for (size_t i = 0; i < taken; i++) values[i] = new_value(l, width, r);
        if (!(l->kind == HWR_STR ? add_text(l, values, taken) : add_bytes(l, values, taken))) return;
        put_values(l, values, taken);
    }
}

static bool append_copy_of_data(const large *l) {
    size_t size = l->length * l->item_size;
    void *copy = malloc(size + 1);
    CHECK(copy != NULL);
    memcpy(copy, hwr_array_data(l->object), size);
    bool done = allowed(hwr_array_append_data(k.heap, l->object, copy, l->length));
    free(copy);
    return done;
}

/* The object behind itself. */
static bool add_itself(large *l) {
    size_t size;
    switch (l->kind) {
    case HWR_LIST: return allowed(hwr_list_extend(k.heap, l->object, l->object));
    case HWR_ARRAY: return append_copy_of_data(l);
    case HWR_BYTEARRAY:
        return allowed(hwr_bytearray_append(k.heap, l->object, hwr_bytes_get(l->object, &size), l->length));
    default: return granted(hwr_str_append(k.heap, &l->object, l->object), HWR_OK);
    }
}

static void grow(large *l, random_stream *r) {
    static const size_t steps[] = {1000, 4000, 9000, 16000};
    size_t most = most_items(l), count = steps[random_next(r) >> 62] + random_below(r, 500);
    unsigned width = (unsigned)random_below(r, 4);
    bool in_pieces = l->kind == HWR_STR || l->kind == HWR_BYTEARRAY;
    if (!has_keys(l) && l->length > 1000 && l->length * 2 <= most && random_below(r, 2) == 0) {
        kinds_say("large %u behind itself", (unsigned)(l - k.large));
        if (add_itself(l)) repeat_values(l);
        return;
    }
    if (in_pieces) count *= 6;
    most -= l->length;
    if (count > most) count = most;
    kinds_say("%zu more in large %u", count, (unsigned)(l - k.large));
    if (in_pieces)
        add_pieces(l, count, width, r);
    else
        add_values(l, count, most, width, r);
}

/* ---- shrinking ---- */

static void remove_keys(large *l, random_stream *r) {
    size_t kept = 0;
    unsigned chance = 1 + (unsigned)random_below(r, 4);
    for (size_t i = 0; i < l->length; i++) {
        void *key = random_below(r, 4) < chance ? hwr_int(k.heap, (int64_t)l->values[i]) : NULL;
        bool gone = key != NULL && granted(l->kind == HWR_SET ? hwr_set_remove(k.heap, l->object, key)
                                                              : hwr_dict_remove(k.heap, l->object, key, NULL),
                                           HWR_OK);
        hwr_release(k.heap, key);
        if (!gone) l->values[kept++] = l->values[i];
    }
    l->length = kept;
}

static void pop_items(large *l, size_t to) {
    while (l->length > to) {
        void *item;
        if (!granted(l->kind == HWR_LIST ? hwr_list_pop(k.heap, l->object, l->length - 1, &item)
                                         : hwr_array_pop(k.heap, l->object, l->length - 1, &item),
                     HWR_OK))
            return;
        hwr_release(k.heap, item);
        l->length--;
    }
}

static void cut_text(large *l, size_t to) {
    void *part;
    if (!granted(hwr_str_slice(k.heap, l->object, 0, to, &part), HWR_OK)) return;
    hwr_release(k.heap, l->object);
    l->object = part;
    l->length = to;
}

static void shrink(large *l, random_stream *r) {
    size_t to = random_below(r, l->length + 1);
    kinds_say("less in large %u", (unsigned)(l - k.large));
    switch (l->kind) {
    case HWR_DICT:
    case HWR_SET: remove_keys(l, r); break;
    case HWR_BYTEARRAY:
        CHECK(hwr_bytearray_resize(k.heap, l->object, to));
        l->length = to;
        break;
    case HWR_STR: cut_text(l, to); break;
    default: pop_items(l, to);
    }
}

/* ---- their lives ---- */

static void *new_large(large *l, random_stream *r) {
    static const struct {
        char code;
        unsigned char size, width;
    } codes[] = {{'B', 1, 0}, {'h', 2, 1}, {'i', 4, 2}, {'d', 8, 2}};
    static const hwr_kind kinds[] = {HWR_LIST, HWR_LIST,      HWR_DICT,  HWR_DICT,
                                     HWR_SET,  HWR_BYTEARRAY, HWR_ARRAY, HWR_STR};
    size_t code = random_below(r, sizeof codes / sizeof *codes);
    void *object = NULL;
    *l = (large){.kind = kinds[random_below(r, sizeof kinds / sizeof *kinds)],
                 .style = (unsigned)random_below(r, STYLES)};
    switch (l->kind) {
    case HWR_LIST: return hwr_list(k.heap, 0);
    case HWR_DICT: return hwr_dict(k.heap, 0);
    case HWR_SET: l->style = OF_VALUES; return hwr_set_new(k.heap, 0);
    case HWR_BYTEARRAY: return hwr_bytearray(k.heap, NULL, 0);
    case HWR_STR: return granted(hwr_str(k.heap, "", &object), HWR_OK) ? object : NULL;
    default:
        l->code = codes[code].code;
        l->item_size = codes[code].size;
        l->width = codes[code].width;
        return granted(hwr_array(k.heap, l->code, 0, &object), HWR_OK) ? object : NULL;
    }
}

static void drop_large(large *l) {
    void *object = l->object;
    free(l->values);
    *l = (large){0};
    hwr_release(k.heap, object);
}

/* Leaves free slices that are not zero. */
static void soil_memory(void) {
    static unsigned char pattern[SOILED_SIZE];
    void *soiled[SOILED];
    size_t count = 0;
    kinds_say("soil memory");
    memset(pattern, 0xff, sizeof pattern);
    while (count < SOILED && given(soiled[count] = hwr_bytes(k.heap, pattern, sizeof pattern))) count++;
    while (count > 0) hwr_release(k.heap, soiled[--count]);
}

void use_large(uint32_t bits) {
    random_stream r = {bits};
    large *l = &k.large[bits % KINDS_LARGE];
    if (k.large_uses == share(USES_MOST)) return;
    k.large_uses++;
    if (l->object == NULL) {
        void *object = new_large(l, &r);
        kinds_say("large %u: %s", (unsigned)(l - k.large), hwr_kind_name(l->kind));
        if (!given(object)) return;
        l->object = object;
        if (random_below(&r, 3) == 0) soil_memory();
    }
    size_t way = l->length < 1000 ? 0 : random_below(&r, 8);
    if (way < 5) {
        grow(l, &r);
    } else if (way == 5) {
        shrink(l, &r);
    } else {
        kinds_say("release large %u", (unsigned)(l - k.large));
        check_large(l);
        drop_large(l);
        return;
    }
    check_large(l);
}

size_t count_large(hwr_kind kind) {
    size_t count = 0;
    for (size_t i = 0; i < KINDS_LARGE; i++) count += k.large[i].object != NULL && k.large[i].kind == kind;
    return count;
}

void check_all_large(void) {
    for (size_t i = 0; i < KINDS_LARGE; i++)
        if (k.large[i].object != NULL) check_large(&k.large[i]);
}

void drop_all_large(bool releases) {
    for (size_t i = 0; i < KINDS_LARGE; i++)
        if (releases && k.large[i].object != NULL)
            drop_large(&k.large[i]);
        else
            free(k.large[i].values);
}
