/* What the random mutator does with iterators, while what they go through changes.
 *
 * The shadow of an iterator says what comes next, and goes on, before the library is asked. What an iterator holds are its items: first what it goes through (of a zip the tuple that
 * came last, and then that), then the state, or the tuple that came last. An iterator that others use, and nobody else has, has a shadow without an object.
 *
 * If memory is short in the middle of several, nobody knows how far each has come: they are lost, and only wait for their death. */
#include "heapwright/array.h"
#include "heapwright/collect.h"
#include "heapwright/iterate.h"
#include "heapwright/mapping.h"
#include "heapwright/number.h"
#include "heapwright/sequence.h"
#include "random/kinds_mutator.h"
#include "support/check.h"

enum { OVER_ITEMS, OVER_VALUES, OVER_ENTRIES, BY_MAP, BY_FILTER, BY_GENERATOR, BY_ZIP };
enum { AS_LIST, AS_TUPLE, BEHIND_LIST, IN_ARRAY };
enum { ZIPPED_MOST = 3, DEPTH_OF_ITERATORS = 5, TREE_MOST = 100 };

/* ---- what functions do: the same for the library and for shadows ---- */

enum { GIVES_BACK, GIVES_PAIR, IS_PICKY, COUNTS, FUNCTIONS };

static hwr_result said_of(hwr_kind kind) {
    if (kind == HWR_NONE) return HWR_END;
    return kind == HWR_FLOAT || kind == HWR_LIST ? HWR_BAD_VALUE : HWR_OK;
}
static bool is_wanted(hwr_kind kind) { return kind % 2 == HWR_INT % 2; }
static bool is_counted_in(uint64_t count) { return count % 3 != 0; }
static hwr_result said_at(uint64_t count) {
    if (count % 17 == 0) return HWR_END;
    return count % 5 == 0 ? HWR_NOT_FOUND : HWR_OK;
}

static uint64_t count_on(hwr_heap *heap, void *state) {
    own_object *own = state;
    uint64_t calls = ++*own->calls;
    if (calls % 8 == 0) hwr_collect(heap, 0);
    return calls;
}

static void *again(hwr_heap *heap, const void *object) {
    hwr_retain(heap, object);
    return (void *)(uintptr_t)object;
}

static hwr_result give_back(hwr_heap *heap, void *state, const void *item, void **result) {
    (void)state;
    *result = again(heap, item);
    return HWR_OK;
}

static hwr_result give_pair(hwr_heap *heap, void *state, const void *item, void **result) {
    void *both[2] = {(void *)(uintptr_t)item, state};
    *result = hwr_tuple(heap, both, state != NULL ? 2 : 1);
    return HWR_OK;
}

static hwr_result give_back_some(hwr_heap *heap, void *state, const void *item, void **result) {
    (void)state;
    hwr_result said = said_of(hwr_kind_of(item));
    if (said == HWR_OK) *result = again(heap, item);
    return said;
}

static hwr_result give_count(hwr_heap *heap, void *state, const void *item, void **result) {
    (void)item;
    uint64_t count = count_on(heap, state);
    if (!is_counted_in(count)) return HWR_NOT_FOUND;
    *result = hwr_int(heap, (int64_t)count);
    return HWR_OK;
}

static hwr_result want_some(hwr_heap *heap, void *state, const void *item, bool *wanted) {
    (void)heap, (void)state;
    *wanted = is_wanted(hwr_kind_of(item));
    return said_of(hwr_kind_of(item));
}

static hwr_result want_by_count(hwr_heap *heap, void *state, const void *item, bool *wanted) {
    (void)item;
    *wanted = is_counted_in(count_on(heap, state));
    return HWR_OK;
}

static hwr_result generate(hwr_heap *heap, void *state, void **item) {
    uint64_t count = count_on(heap, state);
    hwr_result said = said_at(count);
    if (said == HWR_OK) *item = count % 2 != 0 ? hwr_int(heap, (int64_t)count) : again(heap, state);
    return said;
}

static const hwr_map_function maps[FUNCTIONS] = {give_back, give_pair, give_back_some, give_count};
static const hwr_filter_function filters[FUNCTIONS] = {NULL, NULL, want_some, want_by_count};

/* ---- what should come next ---- */

static hwr_result predict(shadow *it, shadow **item);

static hwr_result end_shadow(shadow *it) {
    it->more.ended = true;
    for (size_t i = 0; i < it->length; i++) it->of.items[i] = NULL;
    return HWR_END;
}

static shadow *tuple_of_two(shadow *a, shadow *b) {
    shadow *s = shadow_new(HWR_TUPLE, b != NULL ? 2 : 1);
    s->of.items[0] = a;
    if (b != NULL) s->of.items[1] = b;
    return s;
}

/* To fill it again if nobody else has it, which is not known on a tracing heap. */
static void keep_last(shadow *it, size_t at, shadow *tuple) {
    if (!traces()) it->of.items[at] = tuple;
}

static hwr_result predict_simple(shadow *it, shadow **item) {
    shadow *source = it->of.items[0];
    bool is_table = source->kind == HWR_DICT || source->kind == HWR_SET;
    if (is_table && source->changes != it->more.changes) return HWR_CHANGED;
    if (it->more.index >= source->length) return end_shadow(it);
    size_t index = it->more.index++;
    if (it->more.form == OVER_ITEMS) *item = shadow_item_of(source, index);
    if (it->more.form == OVER_VALUES) *item = source->of.items[2 * index + 1];
    if (it->more.form == OVER_ENTRIES) {
        *item = tuple_of_two(source->of.items[2 * index], source->of.items[2 * index + 1]);
        keep_last(it, 1, *item);
    }
    return HWR_OK;
}

static hwr_result predict_map(shadow *it, shadow *taken, shadow **item) {
    shadow *state = it->of.items[1];
    hwr_result said = HWR_OK;
    switch (it->more.function) {
    case GIVES_BACK: *item = taken; break;
    case GIVES_PAIR: *item = tuple_of_two(taken, state); break;
    case IS_PICKY:
        said = said_of(taken->kind);
        *item = taken;
        break;
    default:
        *item = shadow_of_int(++state->number);
        said = is_counted_in((uint64_t)state->number) ? HWR_OK : HWR_NOT_FOUND;
    }
    return said;
}

static hwr_result predict_wanted(shadow *it, shadow *taken, bool *wanted) {
    *wanted = is_wanted(taken->kind);
    if (it->more.function == IS_PICKY) return said_of(taken->kind);
    if (it->more.function == COUNTS)
        *wanted = is_counted_in((uint64_t)++it->of.items[1]->number);
    else
        *wanted = shadow_is_true(taken);
    return HWR_OK;
}

static hwr_result predict_calling(shadow *it, shadow **item) {
    bool wanted = true;
    hwr_result result;
    do {
        shadow *taken;
        result = predict(it->of.items[0], &taken);
        if (result != HWR_OK) break;
        *item = taken;
        result = it->more.form == BY_MAP ? predict_map(it, taken, item) : predict_wanted(it, taken, &wanted);
    } while (result == HWR_OK && !wanted);
    return result == HWR_END ? end_shadow(it) : result;
}

static hwr_result predict_generator(shadow *it, shadow **item) {
    shadow *state = it->of.items[0];
    uint64_t count = (uint64_t)++state->number;
    hwr_result said = said_at(count);
    if (said == HWR_OK) *item = count % 2 != 0 ? shadow_of_int((shadow_int)count) : state;
    return said == HWR_END ? end_shadow(it) : said;
}

static hwr_result predict_zip(shadow *it, shadow **item) {
    shadow *tuple = shadow_new(HWR_TUPLE, it->length - 1);
    for (size_t i = 1; i < it->length; i++) {
        hwr_result result = predict(it->of.items[i], &tuple->of.items[i - 1]);
        if (result == HWR_END) return end_shadow(it);
        if (result != HWR_OK) return result;
    }
    *item = tuple;
    keep_last(it, 0, tuple);
    return HWR_OK;
}

static hwr_result predict(shadow *it, shadow **item) {
    if (it->more.ended) return HWR_END;
    switch (it->more.form) {
    case BY_MAP:
    case BY_FILTER: return predict_calling(it, item);
    case BY_GENERATOR: return predict_generator(it, item);
    case BY_ZIP: return predict_zip(it, item);
    default: return predict_simple(it, item);
    }
}

/* ---- all that an iterator uses ---- */

/* Iterators, and states that count. */
typedef struct tree {
    shadow *all[TREE_MOST];
    size_t count;
} tree;

static bool add_to_tree(tree *t, shadow *s) {
    if (s == NULL || (s->kind != HWR_ITERATOR && s->kind != HWR_NO_KIND)) return true;
    for (size_t i = 0; i < t->count; i++)
        if (t->all[i] == s) return true;
    if (t->count == TREE_MOST || s->more.lost) return false;
    t->all[t->count++] = s;
    if (s->kind == HWR_NO_KIND || s->more.form <= OVER_ENTRIES) return true;
    for (size_t i = 0; i < s->length; i++)
        if (!add_to_tree(t, s->of.items[i])) return false;
    return true;
}

static bool is_simple(const tree *t) { return t->count == 1 && t->all[0]->more.form <= OVER_ENTRIES; }

static void lose(const tree *t) {
    kinds_say("    lost");
    for (size_t i = 0; i < t->count; i++)
        if (t->all[i]->kind == HWR_NO_KIND)
            t->all[i]->number = (shadow_int)t->all[i]->more.calls;
        else
            t->all[i]->more.lost = true;
}

/* At most so many come of it. */
static shadow_int most_of(const shadow *it) {
    if (it->more.ended) return 0;
    if (it->more.form == BY_GENERATOR) return 17;
    if (it->more.form == BY_MAP || it->more.form == BY_FILTER) return most_of(it->of.items[0]);
    if (it->more.form != BY_ZIP) return (shadow_int)it->of.items[0]->length - (shadow_int)it->more.index;
    shadow_int most = most_of(it->of.items[1]);
    for (size_t i = 2; i < it->length; i++) {
        shadow_int other = most_of(it->of.items[i]);
        if (other < most) most = other;
    }
    return most;
}

/* A filter that wants hardly anything of a long range would not come back. */
enum { FILTERED_MOST = 10000 };
static bool is_endless(const tree *t) {
    for (size_t i = 0; i < t->count; i++)
        if (t->all[i]->kind == HWR_ITERATOR && t->all[i]->more.form == BY_FILTER && most_of(t->all[i]) > FILTERED_MOST)
            return true;
    return false;
}

/* Tuples that an iterator has made are seen for the first time. */
static void meet(const void *object, shadow *s) {
    if (s->kind != HWR_TUPLE || s->id != 0 || s->length == 0) return;
    CHECK(hwr_kind_of(object) == HWR_TUPLE && hwr_tuple_length(object) == s->length);
    shadow_meet(k.heap, s, object);
    for (size_t i = 0; i < s->length; i++) meet(hwr_tuple_peek(object, i), s->of.items[i]);
}

/* ---- making them ---- */

static bool is_iterable(const shadow *s) { return s->kind == HWR_ITERATOR || shadow_is_counted(s); }

static shadow *new_iterator(unsigned form, size_t length) {
    shadow *s = shadow_new(HWR_ITERATOR, length);
    s->more.form = form;
    s->more.depth = 1;
    return s;
}

static shadow *iterator_over(shadow *iterable, unsigned form) {
    if (iterable->kind == HWR_ITERATOR) return iterable;
    shadow *s = new_iterator(form, form == OVER_ENTRIES ? 2 : 1);
    s->of.items[0] = iterable;
    s->more.changes = iterable->changes;
    return s;
}

static void use_source(shadow *it, size_t at, shadow *iterable) {
    shadow *source = iterator_over(iterable, OVER_ITEMS);
    it->of.items[at] = source;
    if (it->more.depth <= source->more.depth) it->more.depth = source->more.depth + 1;
}

static void keep_iterator(void *object, shadow *s, uint32_t bits) {
    if (s->id == 0) shadow_meet(k.heap, s, object);
    keep(object, s, bits);
}

/* Something that can be gone through, if there is any; sometimes anything. */
static held *pick_iterable(uint32_t bits) {
    for (uint32_t i = 0; i < KINDS_HELD && (bits & 7) != 0; i++) {
        held *h = pick_any(bits + i);
        if (h != NULL && is_iterable(h->s)) return h;
    }
    return pick_any(bits);
}

static void go_over(const held *h, uint32_t bits) {
    unsigned form = bits % 3;
    void *object;
    hwr_result expected = (form == OVER_ITEMS ? is_iterable(h->s) : h->s->kind == HWR_DICT) ? HWR_OK : HWR_WRONG_KIND;
    kinds_say("iterate over %u in form %u", place_of(h), form);
    hwr_result result = form == OVER_ITEMS    ? hwr_iterate(k.heap, h->object, &object)
                        : form == OVER_VALUES ? hwr_iterate_values(k.heap, h->object, &object)
                                              : hwr_iterate_entries(k.heap, h->object, &object);
    if (granted(result, expected)) keep_iterator(object, iterator_over(h->s, form), bits >> 2);
}

static void call_over(const held *h, const held *state, unsigned form, uint32_t bits) {
    unsigned function = bits % FUNCTIONS;
    void *object, *with = state != NULL ? state->object : NULL;
    if (function == COUNTS && (state == NULL || state->s->kind != HWR_NO_KIND)) return;
    kinds_say("%s over %u by function %u", form == BY_MAP ? "map" : "filter", place_of(h), function);
    hwr_result result = form == BY_MAP ? hwr_map(k.heap, maps[function], with, h->object, &object)
                                       : hwr_filter(k.heap, filters[function], with, h->object, &object);
    if (!granted(result, is_iterable(h->s) ? HWR_OK : HWR_WRONG_KIND)) return;
    shadow *s = new_iterator(form, 2);
    s->more.function = function;
    use_source(s, 0, h->s);
    s->of.items[1] = state != NULL ? state->s : NULL;
    keep_iterator(object, s, bits >> 2);
}

static void make_generator(const held *state, uint32_t bits) {
    kinds_say("generator with %u", place_of(state));
    void *object = hwr_generator(k.heap, generate, state->object);
    if (!given(object)) return;
    shadow *s = new_iterator(BY_GENERATOR, 1);
    s->of.items[0] = state->s;
    keep_iterator(object, s, bits);
}

static void zip(uint32_t bits) {
    void *objects[ZIPPED_MOST], *object;
    size_t count = bits % (ZIPPED_MOST + 1);
    bool all = true;
    shadow *s = new_iterator(BY_ZIP, 1 + count);
    s->more.ended = count == 0;
    for (size_t i = 0; i < count; i++) {
        const held *h = pick_iterable(bits >> (2 + 5 * i));
        objects[i] = h->object;
        all = all && is_iterable(h->s);
        use_source(s, 1 + i, h->s);
    }
    kinds_say("zip of %zu", count);
    if (s->more.depth > DEPTH_OF_ITERATORS) return;
    if (granted(hwr_zip(k.heap, objects, count, &object), all ? HWR_OK : HWR_WRONG_KIND))
        keep_iterator(object, s, bits >> 7);
}

static void enumerate(const held *h, uint32_t bits) {
    void *object;
    int64_t from = (bits & 7) == 0 ? INT64_MAX - 2 : (int64_t)(bits >> 3 & 31);
    kinds_say("enumerate %u from %lld", place_of(h), (long long)from);
    if (!granted(hwr_enumerate(k.heap, h->object, from, &object), is_iterable(h->s) ? HWR_OK : HWR_WRONG_KIND)) return;
    shadow *s = new_iterator(BY_ZIP, 3), *range = shadow_new(HWR_RANGE, 0);
    range->length = (size_t)(INT64_MAX - from);
    range->more = (shadow_more){.from = from, .to = INT64_MAX, .step = 1};
    use_source(s, 1, range);
    use_source(s, 2, h->s);
    keep_iterator(object, s, bits >> 3);
}

void make_iterator(uint32_t bits) {
    const held *h = pick_iterable(bits >> 4), *state = pick_any(bits >> 9), *own = pick_of(bits >> 9, HWR_NO_KIND);
    if (h == NULL || (h->s->kind == HWR_ITERATOR && h->s->more.depth >= DEPTH_OF_ITERATORS)) return;
    if (own != NULL && (bits >> 14 & 1) != 0) state = own;
    switch (bits & 15) {
    case 0:
    case 1:
    case 2:
    case 3: go_over(h, bits >> 14); break;
    case 4:
    case 5:
    case 6: call_over(h, state, BY_MAP, bits >> 14); break;
    case 7:
    case 8: call_over(h, (bits >> 20 & 3) == 0 ? NULL : state, BY_FILTER, bits >> 14); break;
    case 9:
    case 10:
        if (own != NULL) make_generator(own, bits >> 14);
        break;
    case 11: enumerate(h, bits >> 9); break;
    default: zip(bits >> 4);
    }
}

/* ---- using them ---- */

/* The next object, and what it should be. */
static bool next_of(const held *h, void **object, shadow **item) {
    tree t = {.count = 0};
    shadow *it = h->s, *last = it->length == 2 ? it->of.items[1] : NULL;
    if (!add_to_tree(&t, it) || is_endless(&t)) return false;
    size_t index = it->more.index;
    hwr_result expected = predict(it, item);
    kinds_say("next of %u", place_of(h));
    hwr_result result = hwr_next(k.heap, h->object, object);
    if (granted(result, expected)) {
        meet(*object, *item);
        shadow_check(k.heap, *object, *item);
        return true;
    }
    if (result == HWR_NO_MEMORY && !is_simple(&t)) lose(&t);
    if (result == HWR_NO_MEMORY && is_simple(&t)) {
        CHECK(expected == HWR_OK);
        it->more.index = index;
        if (it->more.form == OVER_ENTRIES) it->of.items[1] = last;
    }
    return false;
}

/* Some of what comes, of which the last is held. An iterator may fill its tuple again only if nobody has it, nor a weak reference to it. */
static void go_on(const held *h, uint32_t bits) {
    void *object = NULL, *next;
    shadow *item = NULL;
    for (unsigned i = 0; i <= (bits & 15); i++) {
        shadow *of_next;
        if (i % 2 == 0 || object == NULL || (bits >> 4 & 1) == 0) { /* nobody has the last any more */
            hwr_release(k.heap, object);
            object = NULL;
        }
        if (!next_of(h, &next, &of_next)) break;
        if (object != NULL) shadow_check(k.heap, object, item);
        hwr_release(k.heap, object);
        object = next;
        item = of_next;
        if (item->kind == HWR_TUPLE && (bits >> 5 & 3) == 0) watch(object, item, (bits >> 7) % KINDS_WEAK);
    }
    check_held(h);
    if (object != NULL) keep(object, item, bits >> 5);
}

static void remove_first_of_set(held *set) {
    size_t position = 0;
    void *item;
    if (hwr_set_next(k.heap, set->object, &position, &item) != HWR_OK) return;
    kinds_say("remove the first of set %u", place_of(set));
    if (granted(hwr_set_remove(k.heap, set->object, item), HWR_OK)) shadow_close(set->s, 0);
    hwr_release(k.heap, item);
}

/* Something is done to what is held. */
static void change(held *h, uint32_t bits) {
    enum { REMOVES = 11u << 15 };
    if (h->s->kind == HWR_DICT && (bits >> 20 & 3) == 0) bits = REMOVES | (bits & 0x7fff);
    bits = bits - bits % KINDS_HELD + place_of(h);
    switch (h->s->kind) {
    case HWR_LIST: use_list(bits); break;
    case HWR_DICT: use_dict(bits); break;
    case HWR_SET: remove_first_of_set(h); break;
    case HWR_ARRAY: use_array(bits); break;
    case HWR_BYTEARRAY: use_bytes(bits); break;
    default: break;
    }
}

/* The same to what an iterator goes through, if that is held. */
static void change_source(const shadow *it, uint32_t bits) {
    if (it->more.ended || it->more.form == BY_GENERATOR) return;
    const shadow *source = it->of.items[it->more.form == BY_ZIP ? it->length - 1 : 0];
    if (source->kind == HWR_ITERATOR) {
        change_source(source, bits);
        return;
    }
    for (uint32_t i = 0; i < KINDS_HELD; i++)
        if (k.held[i].s == source) {
            change(&k.held[i], bits);
            return;
        }
}

/* All that comes of an iterable: HWR_END, or what went wrong. */
static hwr_result predict_all(const held *h, shadow *list) {
    shadow *item;
    hwr_result result;
    if (h->s->kind != HWR_ITERATOR) {
        for (size_t i = 0; i < h->s->length; i++) shadow_put(list, list->length, shadow_item_of(h->s, i));
        return HWR_END;
    }
    while ((result = predict(h->s, &item)) == HWR_OK) shadow_put(list, list->length, item);
    return result;
}

static hwr_result ask_for_all(const held *h, unsigned how, const held *target, void **object) {
    switch (how) {
    case AS_LIST: return hwr_list_of(k.heap, h->object, object);
    case AS_TUPLE: return hwr_tuple_of(k.heap, h->object, object);
    case BEHIND_LIST: return hwr_list_extend_from(k.heap, target->object, h->object);
    default: return hwr_array_extend(k.heap, target->object, h->object);
    }
}

static void meet_all(const void *object, const shadow *s) {
    bool is_list = hwr_kind_of(object) == HWR_LIST;
    size_t first = (is_list ? hwr_list_length(object) : hwr_tuple_length(object)) - s->length;
    for (size_t i = 0; i < s->length; i++) {
        const void *item = is_list ? hwr_list_peek(object, first + i) : hwr_tuple_peek(object, first + i);
        if (item != NULL) meet(item, s->of.items[i]);
    }
}

/* For an array each as it is there. */
static hwr_result predict_stored(const held *array, shadow *items) {
    hwr_result result = HWR_OK;
    for (size_t i = 0; i < items->length && result == HWR_OK; i++)
        result = stored_as(array->s, items->of.items[i], &items->of.items[i]);
    return result;
}

/* What comes of an iterable, as a list, as a tuple, behind a list, or in an array. */
static void take_all(const held *h, uint32_t bits) {
    tree t = {.count = 0};
    unsigned how = bits & 3;
    held *target = how < BEHIND_LIST ? NULL : pick_of(bits >> 2, how == BEHIND_LIST ? HWR_LIST : HWR_ARRAY);
    bool is_iterator = h->s->kind == HWR_ITERATOR;
    if (!is_iterable(h->s) || !add_to_tree(&t, h->s) || (how >= BEHIND_LIST && target == NULL)) return;
    if (!is_iterator && (h->s->kind == HWR_TUPLE || how == IN_ARRAY)) return;
    shadow_int most = is_iterator ? most_of(h->s) : (shadow_int)h->s->length;
    if (most + (target != NULL ? (shadow_int)target->s->length : 0) > KINDS_ITEMS_MOST) return;
    shadow *s = shadow_new(how == AS_LIST ? HWR_LIST : HWR_TUPLE, 0);
    void *object = NULL;
    hwr_result expected = predict_all(h, s);
    if (expected == HWR_END) expected = how == IN_ARRAY ? predict_stored(target, s) : HWR_OK;
    kinds_say("take all of %u, way %u", place_of(h), how);
    hwr_result result = ask_for_all(h, how, target, &object);
    if (result == HWR_NO_MEMORY && is_iterator) lose(&t);
    if (!granted(result, expected)) return;
    if (how != IN_ARRAY) meet_all(how == BEHIND_LIST ? target->object : object, s);
    for (size_t i = 0; i < s->length && target != NULL; i++) shadow_put(target->s, target->s->length, s->of.items[i]);
    if (target != NULL) {
        check_held(target);
        return;
    }
    if (s->length > 0 || how == AS_LIST) shadow_meet(k.heap, s, object);
    keep(object, s, bits >> 7);
}

void use_iterator(uint32_t bits) {
    held *h = pick_of(bits, HWR_ITERATOR);
    const held *any = pick_any(bits);
    void *item;
    if (any != NULL && any->s->kind != HWR_ITERATOR && (bits >> 5 & 7) == 0)
        CHECK(hwr_next(k.heap, any->object, &item) == HWR_WRONG_KIND);
    if ((bits >> 8 & 15) == 0 && any != NULL) {
        take_all(any, bits >> 12);
    } else if (h != NULL && (bits >> 8 & 15) == 1) {
        take_all(h, bits >> 12);
    } else if (h != NULL && (bits >> 8 & 7) > 4) {
        random_stream r = {bits};
        change_source(h->s, (uint32_t)random_next(&r) & 0xffffff);
        if (h->object != NULL && h->s->kind == HWR_ITERATOR) go_on(h, 0);
    } else if (h != NULL) {
        go_on(h, bits >> 12);
    }
}
