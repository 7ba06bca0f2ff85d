/* attributes: plain objects.
 *
 * An object has a shape, which says what attributes it has and in which order (shape.c), and places for values, 1 to 11: how many, its type tells. While there are no more attributes
 * than places each has its own. Beyond that the last place leads to a storage with the values of that attribute and of all that follow. Places of no attribute are NULL.
 *
 * An object that has a dict of its own has the shape of one without attributes, the class, and the dict in its last place: there is nothing else that could be there. It stays like
 * that.
 *
 * How many places an object gets is what the class's objects lately came to: the most since that was last reconsidered, which it is after 1, 2, 4, ... and then every 1024 objects that are made. Until one has
 * an attribute it is four.
 *
 * 16 bytes, with the header, and 8 for each place; beyond eleven attributes, 16 more for the storage.
 *
 * Nothing is allocated between looking and changing but quietly (hwri_new_quietly): when there is no memory, everything starts again after a collection, with whatever the object is then. */
#include "kinds/shape.h"

enum { MOST_PLACES = HWR_TYPE_REFS - 1, FIRST_PLACES = 4, REVIEW_AFTER_MOST = 1024, FEW_NAMES = 8 };

static inline bool is_plain_object(const void *object) {
    uintptr_t types = (uintptr_t)hwri_kind_type(HWRI_OBJECT_TYPE);
    return (uintptr_t)hwr_type_of(object) - types < MOST_PLACES * sizeof(hwr_type);
}
static bool is_class(const void *object) {
    return hwri_is_of_type(object, HWRI_CLASS_TYPE) || hwri_is_of_type(object, HWRI_TRACED_CLASS_TYPE);
}

/* ---- classes ---- */

hwr_result hwr_class(hwr_heap *heap, const char *name, void **made) {
    HWRI_LOOK(heap, NULL);
    void *text;
    hwr_result result = hwr_str(heap, name, &text);
    if (result != HWR_OK) return result;
    bool traces = hwri_is_tracing(heap);
    hwri_class *class = hwr_new(heap, hwri_kind_type(traces ? HWRI_TRACED_CLASS_TYPE : HWRI_CLASS_TYPE));
    if (!class) {
        hwr_release(heap, text);
        return HWR_NO_MEMORY;
    }
    hwr_init(heap, class, &class->shape.name, text);
    class->expected = FIRST_PLACES;
    class->until_review = class->review_after = 1;
    *made = class;
    return HWR_OK;
}

void *hwr_class_name(hwr_heap *heap, const void *of_class) {
    HWRI_LOOK(heap, of_class);
    if (!is_class(of_class)) return NULL;
    void *name = ((const hwri_class *)of_class)->shape.name;
    hwr_retain(heap, name);
    return name;
}

static void review(hwri_class *class) {
    if (class->grown) class->expected = class->grown;
    class->grown = 0;
    class->until_review = class->review_after;
    if (class->review_after < REVIEW_AFTER_MOST) class->review_after *= 2;
}

void *hwr_object(hwr_heap *heap, void *of_class) {
    HWRI_LOOK(heap, of_class);
    if (hwri_unlikely(!is_class(of_class))) return NULL;
    hwri_class *class = of_class;
    if (class->until_review-- == 0) review(class);
    unsigned places = class->expected < MOST_PLACES ? class->expected : MOST_PLACES;
    hwri_object *object = hwr_new(heap, &hwri_kind_types[HWRI_OBJECT_TYPE + places - 1]);
    if (!object) return NULL;
    hwr_retain(heap, class);
    hwr_init(heap, object, &object->shape, &class->shape);
    return object;
}

void *hwr_class_of(hwr_heap *heap, const void *object) {
    HWRI_LOOK(heap, object);
    if (!is_plain_object(object)) return NULL;
    hwri_class *class = hwri_class_in(((const hwri_object *)object)->shape);
    hwr_retain(heap, class);
    return class;
}

/* ---- where values are ---- */

static inline size_t places_of(const hwri_object *object) { return hwr_type_of(object)->ref_count - 1u; }

/* The field of an attribute, and whose it is; `count`: how many there are. */
typedef struct value_field {
    void *owner, **field;
} value_field;

static inline value_field value_at(const hwri_object *object, size_t count, size_t index) {
    size_t places = places_of(object);
    hwri_object *owner = (hwri_object *)(uintptr_t)object;
    if (hwri_likely(count <= places) || index + 1 < places) return (value_field){owner, &owner->values[index]};
    hwri_storage *rest = owner->values[places - 1];
    return (value_field){rest, &rest->as.objects[index + 1 - places]};
}

static inline hwri_table *own_dict(const hwri_object *object) {
    return object->shape->names ? NULL : object->values[places_of(object) - 1];
}

/* Which attribute it is; at least as many as there are: none. */
HWRI_INLINE size_t index_of(const hwri_shape *shape, const hwri_key *key) {
    return shape->names ? hwri_find_str(shape->names, HWRI_NO_VALUES, key) : HWRI_NO_ENTRY;
}

/* The same for a name that is interned, and has to be the very object: HWRI_NO_ENTRY if it is not, or there are too many. */
HWRI_INLINE size_t index_at_hand(const hwri_shape *shape, const void *name) {
    if (hwri_unlikely(shape->count - 1 >= FEW_NAMES)) return HWRI_NO_ENTRY;
    void *const *names = shape->names->entries->as.objects;
    for (size_t i = 0; i < shape->count; i++)
        if (names[i] == name) return i;
    return HWRI_NO_ENTRY;
}

/* ---- a dict of its own ---- */

static bool is_copy(const hwri_object *object, const hwri_shape *shape, const hwri_table *dict) {
    if (object->shape != shape || dict->live != shape->count) return false;
    for (size_t i = 0; i < shape->count; i++)
        if (dict->entries->as.objects[2 * i + 1] != *value_at(object, shape->count, i).field) return false;
    return true;
}

/* A dict with what an object of that shape has; something else if it has another by the end. */
static hwri_table *copy_to_dict(hwr_heap *heap, const hwri_object *object, const hwri_shape *shape) {
    hwri_table *dict = hwr_dict(heap, 0);
    for (size_t i = 0; dict && i < shape->count && object->shape == shape; i++) {
        hwri_key key = hwri_key_of_str(heap, shape->names->entries->as.objects[i]);
        void *value = *value_at(object, shape->count, i).field;
        hwr_retain(heap, value);
        hwr_result result = hwri_table_put(heap, dict, HWRI_VALUES, &key, value, NULL);
        hwr_release(heap, value);
        if (result == HWR_OK) continue;
        hwr_release(heap, dict);
        return NULL;
    }
    return dict;
}

/* Nothing dies of it: the dict holds what the object held. */
static void move_into(hwr_heap *heap, hwri_object *object, hwri_table *dict) {
    size_t places = places_of(object);
    hwri_class *class = hwri_class_in(object->shape);
    for (size_t i = 0; i < places; i++) hwr_set(heap, object, &object->values[i], NULL);
    hwr_init(heap, object, &object->values[places - 1], dict);
    hwr_set(heap, object, &object->shape, &class->shape);
}

/* Of an object that has attributes, and may have a dict by the time there is memory. False without. */
static bool give_dict(hwr_heap *heap, hwri_object *object) {
    while (!own_dict(object)) {
        hwri_shape *shape = object->shape;
        hwr_retain(heap, shape);
        hwri_table *dict = copy_to_dict(heap, object, shape);
        bool copied = dict && is_copy(object, shape, dict);
        if (copied) move_into(heap, object, dict);
        hwr_release(heap, shape);
        if (!dict) return false;
        if (!copied) hwr_release(heap, dict);
    }
    return true;
}

/* ---- reading ---- */

static hwr_result get_from_dict(hwr_heap *heap, const hwri_table *dict, const hwri_key *key, void **value) {
    size_t item;
    hwr_result result = dict ? hwri_table_find(heap, dict, HWRI_VALUES, key, &item) : HWR_NOT_FOUND;
    if (result == HWR_OK) *value = hwri_table_item(heap, dict, item + 1);
    return result;
}

static hwr_result get_attribute(hwr_heap *heap, const hwri_object *object, const hwri_key *key, void **value) {
    const hwri_shape *shape = object->shape;
    if (hwri_unlikely(!shape->names)) return get_from_dict(heap, own_dict(object), key, value);
    size_t index = index_of(shape, key);
    if (hwri_unlikely(index >= shape->count)) return HWR_NOT_FOUND;
    *value = *value_at(object, shape->count, index).field;
    hwr_retain(heap, *value);
    return HWR_OK;
}

/* ---- changing ---- */

/* Room for the value of this index, which is beyond the object's places, but for the first of such, which moves. */
static bool try_extend_rest(hwr_heap *heap, hwri_object *object, const hwri_class *class, size_t index) {
    size_t places = places_of(object), at = index + 1 - places;
    void **last = &object->values[places - 1];
    hwri_storage *old = at > 1 ? *last : NULL;
    if (old && at < old->room) return true;
    size_t room = (at + at / 2 + 4) & ~(size_t)3, expected = class->expected - (places - 1);
    hwri_storage *rest = hwri_new_quietly(heap, hwri_kind_type(HWRI_SLOTS_TYPE),
                                          class->expected > index && expected > room ? expected : room);
    if (!rest) return false;
    if (old) {
        memcpy(rest->as.objects, old->as.objects, at * sizeof(void *));
        hwri_copied(heap, rest, rest->as.objects, at * sizeof(void *));
        memset(old->as.objects, 0, at * sizeof(void *));
        hwr_give(heap, object, last, (void *)rest);
    } else {
        hwr_init(heap, rest, &rest->as.objects[0], *last);
        *last = NULL; /* moved */
        hwr_init(heap, object, last, (void *)rest);
    }
    return true;
}

/* Gives an object the next shape. */
HWRI_INLINE bool try_grow(hwr_heap *heap, hwri_object *object, hwri_shape *shape, const void *value) {
    hwri_class *class = shape->of;
    size_t count = shape->count;
    if (hwri_unlikely(count > places_of(object)) && !try_extend_rest(heap, object, class, count - 1)) return false;
    value_field place = value_at(object, count, count - 1);
    hwr_retain(heap, value);
    hwr_init(heap, place.owner, place.field, (void *)(uintptr_t)value);
    hwr_set(heap, object, &object->shape, shape);
    if (class->grown < count) class->grown = (uint32_t)count;
    return true;
}

/* A key that is text only is never added: HWR_NOT_FOUND. */
static hwr_result set_attribute(hwr_heap *heap, hwri_object *object, const hwri_key *key, const void *value) {
    unsigned attempt = 0;
    for (;;) {
        hwri_shape *shape = object->shape;
        size_t index = index_of(shape, key);
        if (index < shape->count) {
            value_field place = value_at(object, shape->count, index);
            hwr_set(heap, place.owner, place.field, (void *)(uintptr_t)value);
            return HWR_OK;
        }
        hwri_table *dict = own_dict(object);
        if (hwri_unlikely(dict != NULL)) return hwri_table_put(heap, dict, HWRI_VALUES, key, value, NULL);
        hwri_shape *child = hwri_shape_child(heap, shape, key);
        if (hwri_likely(child && try_grow(heap, object, child, value))) return HWR_OK;
        bool goes_on = true;
        if (child)
            goes_on = hwri_make_room(heap, shape->count * sizeof(void *), &attempt);
        else if (!key->object)
            return HWR_NOT_FOUND;
        else if (hwri_shape_may_grow(shape))
            goes_on = hwri_shape_extend(heap, shape, key);
        else
            goes_on = give_dict(heap, object);
        if (!goes_on) return HWR_NO_MEMORY;
    }
}

static hwr_result remove_attribute(hwr_heap *heap, hwri_object *object, const hwri_key *key, void **value) {
    if (!own_dict(object)) {
        if (index_of(object->shape, key) >= object->shape->count) return HWR_NOT_FOUND;
        if (!give_dict(heap, object)) return HWR_NO_MEMORY;
    }
    return hwri_table_remove(heap, own_dict(object), HWRI_VALUES, key, value);
}

/* ---- by strs ---- */

__attribute__((noinline)) static hwr_result get_by_content(hwr_heap *heap, const void *object, const void *name,
                                                           void **value) {
    if (!hwri_is_str(name)) return HWR_WRONG_KIND;
    hwri_key key = hwri_key_of_str(heap, name);
    return get_attribute(heap, object, &key, value);
}

__attribute__((noinline)) static hwr_result set_by_content(hwr_heap *heap, void *object, const void *name,
                                                           const void *value) {
    if (!hwri_is_str(name)) return HWR_WRONG_KIND;
    hwri_key key = hwri_key_of_str(heap, name);
    return set_attribute(heap, object, &key, value);
}

/* Whether it is the attribute that the last object of that shape was given next. */
HWRI_INLINE bool is_next_name(const hwri_object *object, const hwri_shape *shape, const void *name) {
    const hwri_shape *child = shape->first;
    return child && child->name == name && hwri_is_live(*hwri_header(child)) && !own_dict(object);
}

hwr_result hwr_attribute_get(hwr_heap *heap, const void *object, const void *name, void **value) {
    HWRI_LOOK(heap, object);
    HWRI_LOOK(heap, name);
    if (hwri_unlikely(!is_plain_object(object))) return HWR_WRONG_KIND;
    const hwri_shape *shape = ((const hwri_object *)object)->shape;
    size_t index = index_at_hand(shape, name);
    if (hwri_unlikely(index == HWRI_NO_ENTRY)) return get_by_content(heap, object, name, value);
    *value = *value_at(object, shape->count, index).field;
    hwr_retain(heap, *value);
    return HWR_OK;
}

hwr_result hwr_attribute_set(hwr_heap *heap, void *object, const void *name, const void *value) {
    HWRI_LOOK(heap, object);
    HWRI_LOOK(heap, name);
    HWRI_LOOK(heap, value);
    if (hwri_unlikely(!is_plain_object(object))) return HWR_WRONG_KIND;
    hwri_shape *shape = ((hwri_object *)object)->shape;
    size_t index = index_at_hand(shape, name);
    if (index == HWRI_NO_ENTRY) {
        bool added = is_next_name(object, shape, name) && try_grow(heap, object, shape->first, value);
        return hwri_likely(added) ? HWR_OK : set_by_content(heap, object, name, value);
    }
    value_field place = value_at(object, shape->count, index);
    hwr_set(heap, place.owner, place.field, (void *)(uintptr_t)value);
    return HWR_OK;
}

hwr_result hwr_attribute_remove(hwr_heap *heap, void *object, const void *name, void **value) {
    HWRI_LOOK(heap, object);
    HWRI_LOOK(heap, name);
    if (!is_plain_object(object) || !hwri_is_str(name)) return HWR_WRONG_KIND;
    hwri_key key = hwri_key_of_str(heap, name);
    return remove_attribute(heap, object, &key, value);
}

/* ---- by UTF-8 ---- */

hwr_result hwr_attribute_get_text(hwr_heap *heap, const void *object, const char *name, void **value) {
    HWRI_LOOK(heap, object);
    hwri_key key;
    void *made;
    if (!is_plain_object(object)) return HWR_WRONG_KIND;
    hwr_result result = hwri_key_of_text(heap, name, false, &key, &made);
    if (result == HWR_OK) result = get_attribute(heap, object, &key, value);
    hwr_release(heap, made);
    return result;
}

static hwr_result set_by_text(hwr_heap *heap, void *object, const char *name, bool with_str, const void *value) {
    hwri_key key;
    void *made;
    hwr_result result = hwri_key_of_text(heap, name, with_str, &key, &made);
    if (result == HWR_OK) result = set_attribute(heap, object, &key, value);
    hwr_release(heap, made);
    return result;
}

hwr_result hwr_attribute_set_text(hwr_heap *heap, void *object, const char *name, const void *value) {
    HWRI_LOOK(heap, object);
    HWRI_LOOK(heap, value);
    if (!is_plain_object(object)) return HWR_WRONG_KIND;
    hwr_result result = set_by_text(heap, object, name, false, value);
    return result == HWR_NOT_FOUND ? set_by_text(heap, object, name, true, value) : result;
}

hwr_result hwr_attribute_remove_text(hwr_heap *heap, void *object, const char *name, void **value) {
    HWRI_LOOK(heap, object);
    hwri_key key;
    void *made;
    if (!is_plain_object(object)) return HWR_WRONG_KIND;
    hwr_result result = hwri_key_of_text(heap, name, false, &key, &made);
    if (result == HWR_OK) result = remove_attribute(heap, object, &key, value);
    hwr_release(heap, made);
    return result;
}

/* ---- all of them ---- */

size_t hwr_attribute_count(const void *object) {
    if (!is_plain_object(object)) return 0;
    const hwri_table *dict = own_dict(object);
    return dict ? dict->live : ((const hwri_object *)object)->shape->count;
}

/* The names are gone through like a set of as many; a dict that comes in its place on the way is in the same order, and had as many added. */
hwr_result hwr_attribute_next(hwr_heap *heap, const void *object, size_t *position, void **name, void **value) {
    HWRI_LOOK(heap, object);
    if (!is_plain_object(object)) return HWR_WRONG_KIND;
    if (own_dict(object)) return hwr_dict_next(heap, own_dict(object), position, name, value);
    const hwri_shape *shape = ((const hwri_object *)object)->shape;
    uint32_t count = shape->count;
    if (!shape->names) return HWR_END;
    hwri_table names = {.entries = shape->names->entries, .used = count, .added = count};
    size_t index;
    hwr_result result = hwri_table_next(&names, HWRI_NO_VALUES, position, &index);
    if (result != HWR_OK) return result;
    if (name) *name = hwri_table_item(heap, &names, index);
    if (value) hwr_retain(heap, *value = *value_at(object, count, index).field);
    return HWR_OK;
}

static hwr_result repr_object(hwr_heap *heap, const void *object, unsigned depth, hwri_writer *writer) {
    (void)heap, (void)depth;
    const void *name = hwri_class_in(((const hwri_object *)object)->shape)->shape.name;
    hwri_write_text(writer, "<");
    for (size_t i = 0; i < hwr_str_length(name); i++) hwri_write_char(writer, hwr_str_at(name, i));
    hwri_write_text(writer, " object>");
    return HWR_OK;
}

const hwri_kind_ops hwri_object_ops = {.repr = repr_object};
