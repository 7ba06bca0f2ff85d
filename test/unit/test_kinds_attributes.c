/* Objects with attributes: what they have, what they share, and against a model. */
#include "heapwright/attributes.h"
#include "heapwright/sequence.h"
#include "heapwright/tracing.h"
#include "kinds/shape.h"
#include "support/mapping.h"
#include "support/random.h"
#include "support/sanitizer.h"

#include <stdio.h>
#include <stdlib.h>

static void *new_class(const char *name) {
    void *made = NULL;
    assert_int_equal(hwr_class(heap, name, &made), HWR_OK);
    return made;
}

static void *new_object(void *of_class) {
    void *object = hwr_object(heap, of_class);
    assert_non_null(object);
    assert_int_equal(hwr_kind_of(object), HWR_OBJECT);
    return object;
}

/* Takes over the reference to the value. */
static void set(void *object, const char *name, void *value) {
    assert_int_equal(hwr_attribute_set_text(heap, object, name, value), HWR_OK);
    hwr_release(heap, value);
}

static void set_by_str(void *object, void *name, void *value) {
    assert_int_equal(hwr_attribute_set(heap, object, name, value), HWR_OK);
    hwr_release(heap, value);
    hwr_release(heap, name);
}

/* The int that an attribute is, or -1. */
static int64_t attribute(const void *object, const char *name) {
    void *value, *same, *text = str(name);
    int64_t number = -1;
    hwr_result result = hwr_attribute_get_text(heap, object, name, &value);
    assert_int_equal(hwr_attribute_get(heap, object, text, &same), result);
    hwr_release(heap, text);
    if (result == HWR_NOT_FOUND) return -1;
    assert_int_equal(result, HWR_OK);
    assert_ptr_equal(value, same);
    assert_int_equal(hwr_int_get(value, &number), HWR_OK);
    hwr_release(heap, value);
    hwr_release(heap, same);
    return number;
}

/* All names in order, a space behind each. */
static void expect_names(const void *object, const char *names) {
    char text[4000] = "";
    size_t position = 0, count = 0, used = 0;
    void *name, *value, *same;
    hwr_result result;
    while ((result = hwr_attribute_next(heap, object, &position, &name, &value)) == HWR_OK) {
        used += hwr_str_utf8(name, text + used, sizeof text - used - 1);
        strcpy(text + used++, " ");
        assert_int_equal(hwr_attribute_get(heap, object, name, &same), HWR_OK);
        assert_ptr_equal(same, value);
        hwr_release(heap, name);
        hwr_release(heap, value);
        hwr_release(heap, same);
        count++;
    }
    assert_int_equal(result, HWR_END);
    assert_string_equal(text, names);
    assert_int_equal(hwr_attribute_count(object), count);
}

static const hwri_shape *shape_of(const void *object) { return ((const hwri_object *)object)->shape; }
static bool has_dict(const void *object) { return !shape_of(object)->names && hwr_attribute_count(object); }
static size_t places(const void *object) { return hwr_sizeof(heap, object, false) / sizeof(void *) - 1; }

/* What the heap holds of shapes is let go. */
static void end_all(void **state) {
    hwr_collect(heap, HWR_OLDEST);
    end(state);
}

/* ---- what they are ---- */

static void objects_are_what_they_are(void **state) {
    begin(state);
    void *point = new_class("Point"), *other = new_class("Größe ☃"), *a = new_object(point), *b = new_object(point);
    void *c = new_object(other), *none = hwr_none(heap), *found = NULL;
    expect_repr(a, "<Point object>");
    expect_repr(c, "<Größe ☃ object>");
    expect_repr(point, "<class>");
    assert_int_equal(hwr_kind_of(point), HWR_NO_KIND);

    found = hwr_class_of(heap, c);
    assert_ptr_equal(found, other);
    hwr_release(heap, found);
    found = hwr_class_name(heap, point);
    assert_string_equal(hwr_str_ascii(found), "Point");
    hwr_release(heap, found);
    assert_null(hwr_class_of(heap, point));
    assert_null(hwr_class_of(heap, none));
    assert_null(hwr_class_name(heap, a));
    assert_null(hwr_object(heap, a));
    assert_null(hwr_object(heap, none));
    found = NULL;
    assert_int_equal(hwr_class(heap, "\xC3", &found), HWR_BAD_VALUE);
    assert_null(found);

    set(a, "x", num(1));
    set(b, "x", num(1));
    bool equal;
    uint64_t hash, hash_of_b;
    assert_int_equal(hwr_equal(heap, a, b, &equal), HWR_OK);
    assert_false(equal);
    assert_int_equal(hwr_equal(heap, a, a, &equal), HWR_OK);
    assert_true(equal);
    assert_int_equal(hwr_hash(heap, a, &hash), HWR_OK);
    assert_int_equal(hwr_hash(heap, b, &hash_of_b), HWR_OK);
    assert_true(hash != hash_of_b);
    int order;
    size_t length;
    assert_int_equal(hwr_compare(heap, a, b, &order), HWR_WRONG_KIND);
    assert_int_equal(hwr_length(a, &length), HWR_WRONG_KIND);
    assert_true(hwr_truth(a));
    assert_true(hwr_is_tracked(heap, a));
    assert_false(hwr_is_tracked(heap, point));
    heap_fixture_expect_count(heap, a, 1);
    assert_string_equal(hwr_type_of(a)->name, "object");

    hwr_weak *weak = hwr_weak_new(heap, a, NULL, NULL);
    assert_non_null(weak);
    assert_int_equal(hwr_kind_of(weak), HWR_NO_KIND);
    expect_repr(weak, "<hwr_weak>");
    hwr_release(heap, a);
    if (!heap_fixture_traces()) assert_null(hwr_weak_get(heap, weak));
    void *all[] = {point, other, b, c, none, weak};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) hwr_release(heap, all[i]);
    end_all(state);
}

static void attributes_come_and_go(void **state) {
    begin(state);
    void *class = new_class("Point"), *a = new_object(class), *value = NULL, *x = str("x"), *missing = str("missing");
    hwr_release(heap, class);
    expect_names(a, "");
    assert_int_equal(hwr_attribute_remove(heap, a, x, NULL), HWR_NOT_FOUND);
    assert_int_equal(attribute(a, "x"), -1);
    set(a, "x", num(1000));
    set_by_str(a, str("long name"), num(2000));
    set(a, "ñ", num(3000));
    set_by_str(a, str("日本"), num(4000));
    set(a, "", num(5000));
    expect_names(a, "x long name ñ 日本  ");
    set(a, "ñ", num(3001));
    set_by_str(a, str("x"), num(1001));
    expect_names(a, "x long name ñ 日本  ");
    assert_int_equal(attribute(a, "x"), 1001);
    assert_int_equal(attribute(a, "long name"), 2000);
    assert_int_equal(attribute(a, "ñ"), 3001);
    assert_int_equal(attribute(a, "日本"), 4000);
    assert_int_equal(attribute(a, ""), 5000);
    assert_int_equal(attribute(a, "y"), -1);
    assert_int_equal(hwr_attribute_remove(heap, a, missing, NULL), HWR_NOT_FOUND);
    assert_int_equal(hwr_attribute_remove_text(heap, a, "missing", NULL), HWR_NOT_FOUND);
    assert_false(has_dict(a));

    assert_int_equal(hwr_attribute_remove_text(heap, a, "long name", NULL), HWR_OK);
    assert_true(has_dict(a));
    assert_int_equal(hwr_attribute_remove(heap, a, x, &value), HWR_OK);
    int64_t number;
    assert_int_equal(hwr_int_get(value, &number), HWR_OK);
    assert_int_equal(number, 1001);
    hwr_release(heap, value);
    assert_int_equal(hwr_attribute_remove(heap, a, x, &value), HWR_NOT_FOUND);
    expect_names(a, "ñ 日本  ");
    set(a, "x", num(1002));
    set(a, "ñ", num(3002));
    expect_names(a, "ñ 日本  x ");
    assert_int_equal(attribute(a, "x"), 1002);
    assert_int_equal(attribute(a, "ñ"), 3002);
    assert_int_equal(attribute(a, "long name"), -1);
    hwr_release(heap, a);
    hwr_release(heap, x);
    hwr_release(heap, missing);
    end_all(state);
}

static void what_makes_no_sense_is_refused(void **state) {
    begin(state);
    void *class = new_class("Point"), *a = new_object(class), *seven = num(7), *x = str("x"), *value = NULL;
    void *others[] = {seven, class, x};
    size_t position = 0;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(hwr_attribute_get(heap, others[i], x, &value), HWR_WRONG_KIND);
        assert_int_equal(hwr_attribute_set(heap, others[i], x, seven), HWR_WRONG_KIND);
        assert_int_equal(hwr_attribute_remove(heap, others[i], x, NULL), HWR_WRONG_KIND);
        assert_int_equal(hwr_attribute_get_text(heap, others[i], "x", &value), HWR_WRONG_KIND);
        assert_int_equal(hwr_attribute_set_text(heap, others[i], "x", seven), HWR_WRONG_KIND);
        assert_int_equal(hwr_attribute_remove_text(heap, others[i], "x", NULL), HWR_WRONG_KIND);
        assert_int_equal(hwr_attribute_next(heap, others[i], &position, NULL, NULL), HWR_WRONG_KIND);
        assert_int_equal(hwr_attribute_count(others[i]), 0);
    }
    for (int with_attribute = 0; with_attribute < 2; with_attribute++) {
        assert_int_equal(hwr_attribute_get(heap, a, seven, &value), HWR_WRONG_KIND);
        assert_int_equal(hwr_attribute_set(heap, a, seven, seven), HWR_WRONG_KIND);
        assert_int_equal(hwr_attribute_remove(heap, a, seven, NULL), HWR_WRONG_KIND);
        assert_int_equal(hwr_attribute_get_text(heap, a, "\xFF", &value), HWR_BAD_VALUE);
        assert_int_equal(hwr_attribute_set_text(heap, a, "\xFF", seven), HWR_BAD_VALUE);
        assert_int_equal(hwr_attribute_remove_text(heap, a, "\xFF", NULL), HWR_BAD_VALUE);
        assert_int_equal(hwr_attribute_count(a), with_attribute);
        set(a, "x", num(1));
    }
    hwr_release(heap, a);
    for (size_t i = 0; i < 3; i++) hwr_release(heap, others[i]);
    end_all(state);
}

/* ---- going through them ---- */

static void changes_on_the_way(void **state) {
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    begin(state);
    void *class = new_class("Point");
    for (int how = 0; how < 5; how++)
        for (size_t when = 1; when <= 5; when++) {
            void *object = new_object(class), *name, *value;
            for (int i = 0; i < 5; i++) set(object, names[i], num(i));
            if (how == 4) hwr_attribute_remove_text(heap, object, "b", NULL);
            size_t position = 0, seen = 0;
            hwr_result result;
            char text[20] = "";
            while ((result = hwr_attribute_next(heap, object, &position, &name, NULL)) == HWR_OK) {
                strcat(text, hwr_str_ascii(name));
                hwr_release(heap, name);
                if (++seen != when) continue;
                if (how == 0) set(object, "c", num(1000));
                if (how == 1 || how == 4) hwr_attribute_remove_text(heap, object, "d", NULL);
                if (how == 2) set(object, "f", num(5));
                if (how == 3) {
                    hwr_attribute_remove_text(heap, object, "a", NULL);
                    set(object, "a", num(5));
                }
            }
            static const char *const expected[] = {"abcde", "abce", NULL, NULL, "ace"};
            if (expected[how] && when < 4 - (how == 4)) assert_string_equal(text, expected[how]);
            bool added = (how == 2 || how == 3) && when <= 5;
            assert_int_equal(result, added ? HWR_CHANGED : HWR_END);
            position = 0;
            assert_int_equal(hwr_attribute_next(heap, object, &position, NULL, &value), HWR_OK);
            hwr_release(heap, value);
            hwr_release(heap, object);
        }
    hwr_release(heap, class);
    end_all(state);
}

/* ---- what they share ---- */

static void objects_share_their_shapes(void **state) {
    begin(state);
    hwri_class *class = new_class("Point");
    void *a = new_object(class), *b = new_object(class), *c = new_object(class), *d = new_object(class);
    assert_ptr_equal(shape_of(a), class);
    set(a, "x", num(1));
    set(a, "y", num(2));
    set(b, "x", num(3));
    const hwri_shape *x = shape_of(b), *xy = shape_of(a);
    assert_ptr_equal(xy->parent, x);
    assert_ptr_equal(x->parent, class);
    assert_ptr_equal(x->names, xy->names); /* one table for a chain */
    set_by_str(b, str("y"), num(4));
    assert_ptr_equal(shape_of(b), xy);
    set(c, "y", num(5));
    set(c, "x", num(6));
    assert_ptr_not_equal(shape_of(c), xy);
    assert_ptr_not_equal(shape_of(c)->names, xy->names);
    expect_names(c, "y x ");
    set(d, "x", num(7));
    set(d, "z", num(8));
    assert_ptr_equal(shape_of(d)->parent, x);
    assert_ptr_not_equal(shape_of(d)->names, xy->names);
    expect_names(a, "x y ");
    expect_names(b, "x y ");
    expect_names(d, "x z ");
    assert_int_equal(attribute(b, "y"), 4);
    assert_int_equal(attribute(c, "y"), 5);
    assert_int_equal(attribute(d, "y"), -1);
    assert_int_equal(class->shapes, 5);
    assert_int_equal(class->shape.children, 2);

    hwr_collect(heap, HWR_OLDEST); /* the heap holds no shapes any more */
    assert_int_equal(class->shapes, 5);
    hwr_release(heap, c);
    assert_int_equal(class->shapes, 3);
    hwr_release(heap, a);
    assert_int_equal(class->shapes, 3);
    hwr_release(heap, b);
    assert_int_equal(class->shapes, 2);
    hwr_release(heap, d);
    assert_int_equal(class->shapes, 0);
    assert_int_equal(class->shape.children, 0);
    assert_null(class->shape.first);
    heap_fixture_expect_count(heap, class, 1);
    hwr_release(heap, class);
    end(state); /* nothing was left to collect */
}

/* What is made one at a time finds the shape of the one before, until there is a collection. */
static void shapes_outlive_their_objects_a_little(void **state) {
    if (((heap_fixture *)*state)->config.stress || getenv("HEAPWRIGHT_STRESS")) return;
    begin(state);
    hwr_disable(heap);
    hwri_class *class = new_class("Point");
    const hwri_shape *first = NULL;
    for (int i = 0; i < 10; i++) {
        void *object = new_object(class);
        set(object, "x", num(1));
        set(object, "y", num(1));
        if (!first) first = shape_of(object);
        assert_ptr_equal(shape_of(object), first);
        hwr_release(heap, object);
        assert_int_equal(class->shapes, 2);
    }
    hwr_collect(heap, 1);
    assert_int_equal(class->shapes, 2);
    hwr_collect(heap, HWR_OLDEST);
    assert_int_equal(class->shapes, 0);

    /* There is an end to it: of a hundred that were made a hundred are not held. */
    for (int i = 0; i < 100; i++) {
        char name[20];
        snprintf(name, sizeof name, "name %d", i);
        void *object = new_object(class);
        set(object, name, num(1));
        hwr_release(heap, object);
        assert_true(class->shapes <= 64);
    }
    hwr_release(heap, class);
    assert_true(object_count() > objects_before);
    hwr_enable(heap);
    end_all(state);
}

/* An object has places for as many as those before it had. */
static void places_are_as_many_as_needed(void **state) {
    begin(state);
    void *class = new_class("Point"), *object;
    for (size_t count = 1; count <= 20; count++)
        for (int i = 0; i < 3000; i++) {
            object = new_object(class);
            size_t expected = count > 11 ? 11 : count;
            if (i == 2999) assert_int_equal(places(object), expected);
            for (size_t k = 0; k < count && (i < 10 || i % 50 == 0); k++) {
                char name[2] = {(char)('a' + k), 0};
                set(object, name, num((int64_t)k));
                assert_int_equal(attribute(object, name), k);
            }
            hwr_release(heap, object);
        }
    object = new_object(class);
    assert_int_equal(hwr_sizeof(heap, object, false), 8 + 11 * 8);
    hwr_release(heap, object);
    hwr_release(heap, class);
    class = new_class("Point");
    object = new_object(class);
    assert_int_equal(places(object), 4); /* nobody knows yet */
    hwr_release(heap, object);
    hwr_release(heap, class);
    end_all(state);
}

static char *numbered(char name[20], int number) {
    snprintf(name, 20, number % 7 ? "n%d" : "ñ%d", number);
    return name;
}

static void expect_numbers(const void *object, int count) {
    char name[20], all[4000] = "";
    for (int i = 0; i < count; i++) {
        assert_int_equal(attribute(object, numbered(name, i)), 1000 + i);
        strcat(strcat(all, name), " ");
    }
    expect_names(object, all);
}

/* From one to more than are shared, set and changed, in blocks of all sizes. */
static void many_attributes(void **state) {
    begin(state);
    char name[20];
    hwri_class *class = new_class("Point");
    for (int count = 1; count <= 70; count += count < 16 ? 1 : 9)
        for (int again = 0; again < 3; again++) {
            void *object = new_object(class);
            for (int i = 0; i < count; i++) set(object, numbered(name, i), num(i));
            for (int i = 0; i < count; i++) set(object, numbered(name, i), num(1000 + i));
            expect_numbers(object, count);
            assert_int_equal(has_dict(object), count > 64);
            if (count > 1) {
                assert_int_equal(hwr_attribute_remove_text(heap, object, numbered(name, count - 1), NULL), HWR_OK);
                assert_true(has_dict(object));
                expect_numbers(object, count - 1);
            }
            hwr_release(heap, object);
        }
    hwr_release(heap, class);
    end_all(state);
}

static void too_many_shapes(void **state) {
    enum { OBJECTS = 1200 };
    void *objects[OBJECTS];
    begin(state);
    char name[20];
    for (int how = 0; how < 2; how++) {
        hwri_class *class = new_class("Point");
        int dicts = 0;
        for (int i = 0; i < OBJECTS; i++) {
            objects[i] = new_object(class);
            if (how) set(objects[i], numbered(name, i % 60), num(1000 + i % 60));
            set(objects[i], numbered(name, 100 + i), num(i));
            assert_int_equal(attribute(objects[i], name), i);
            assert_int_equal(hwr_attribute_count(objects[i]), 1 + how);
            dicts += !shape_of(objects[i])->names;
        }
        assert_int_equal(class->shapes, how ? 512 : 64);
        assert_int_equal(dicts, how ? OBJECTS - 452 : OBJECTS - 64);
        for (int i = 0; i < OBJECTS; i++) assert_int_equal(attribute(objects[i], numbered(name, 100 + i)), i);
        for (int i = 0; i < OBJECTS; i++) hwr_release(heap, objects[i]);
        hwr_collect(heap, HWR_OLDEST);
        if (!heap_fixture_traces()) assert_int_equal(class->shapes, 0);
        hwr_release(heap, class);
    }
    end(state);
}

/* ---- what dies ---- */

static void cycles_are_found(void **state) {
    begin(state);
    hwr_disable(heap);
    char name[20];
    void *class = new_class("Node");
    for (int count = 1; count <= 66; count += 13)
        for (int how = 0; how < 2; how++) {
            void *a = new_object(class), *b = new_object(class);
            size_t finalizers = 0;
            for (int i = 0; i + 1 < count; i++) {
                set(a, numbered(name, i), num(1000 + i));
                set(b, numbered(name, i), num(1000 + i));
            }
            hwr_retain(heap, a);
            hwr_retain(heap, b);
            set(a, numbered(name, count - 1), b);
            set(b, numbered(name, count - 1), a);
            if (how) {
                set(a, "extra", new_finalized(*state, &finalizers));
                assert_int_equal(hwr_attribute_remove_text(heap, b, numbered(name, 0), NULL), HWR_OK);
                if (count == 1) set(b, name, a), hwr_retain(heap, a);
            }
            hwr_weak *weak = hwr_weak_new(heap, b, NULL, NULL);
            assert_int_equal(hwr_collect(heap, HWR_OLDEST), 0);
            hwr_release(heap, a);
            hwr_release(heap, b);
            assert_true(hwr_collect(heap, HWR_OLDEST) >= 2);
            assert_null(hwr_weak_get(heap, weak));
            assert_int_equal(finalizers, how);
            hwr_release(heap, weak);
        }
    assert_int_equal(((hwri_class *)class)->shapes, 0);
    hwr_release(heap, class);
    hwr_enable(heap);
    end_all(state);
}

static void long_chains_end(void **state) {
    begin(state);
    void *class = new_class("Node"), *last = hwr_none(heap);
    int length = getenv("HEAPWRIGHT_STRESS") ? 1000 : 100000;
    for (int i = 0; i < length; i++) {
        void *object = new_object(class);
        set(object, "next", last);
        last = object;
    }
    hwr_release(heap, last);
    hwr_release(heap, class);
    end_all(state);
}

/* ---- the program's code runs in between ---- */

static void *changed;
static int how_changed, changing_depth;

static void change(hwr_heap *in, finalized *object) {
    char name[20];
    (void)in, (void)object;
    if (changing_depth++ == 0 && changed) switch (how_changed) {
        case 0: hwr_attribute_remove_text(heap, changed, numbered(name, 1), NULL); break;
        case 1: set(changed, numbered(name, 1), num(5)); break;
        case 2:
            for (int i = 0; i < 70; i++) set(changed, numbered(name, i), num(i));
            break;
        case 3: set(changed, numbered(name, 99), num(99)); break;
        default:
            for (int i = 0; i < 70; i++) hwr_attribute_remove_text(heap, changed, numbered(name, i), NULL);
        }
    changing_depth--;
}

static void *changing(void) {
    finalized *object = hwr_new(heap, &finalized_type);
    assert_non_null(object);
    object->more = change;
    return object;
}

static void expect_sound(const void *object) {
    size_t position = 0, count = 0;
    void *name, *value;
    hwr_result result;
    while ((result = hwr_attribute_next(heap, object, &position, &name, NULL)) == HWR_OK) {
        assert_int_equal(hwr_attribute_get(heap, object, name, &value), HWR_OK);
        hwr_release(heap, name);
        hwr_release(heap, value);
        count++;
    }
    assert_int_equal(result, HWR_END);
    assert_int_equal(count, hwr_attribute_count(object));
}

static void deaths_change_the_object_itself(void **state) {
    begin(state);
    char name[20];
    void *class = new_class("Point");
    for (how_changed = 0; how_changed < 5; how_changed++)
        for (int count = 1; count < 20; count++)
            for (int action = 0; action < 3; action++) {
                changed = new_object(class);
                for (int i = 0; i < count; i++) set(changed, numbered(name, i), i == count / 2 ? changing() : num(i));
                if (action == 0) set(changed, numbered(name, count / 2), num(5));
                if (action == 1) hwr_attribute_remove_text(heap, changed, numbered(name, count / 2), NULL);
                expect_sound(changed);
                void *object = changed;
                changed = NULL;
                hwr_release(heap, object);
            }
    hwr_release(heap, class);
    end_all(state);
}

/* Memory is short when an attribute comes or goes, and finalizers of garbage change the very object. */
static void collections_change_the_object_itself(void **state) {
    heap_fixture *f = *state;
    begin(state);
    char name[20];
    hwr_disable(heap);
    void *class = new_class("Point");
    size_t calls = 0;
    for (how_changed = 0; how_changed < 5; how_changed++)
        for (int count = 0; count < 70; count += count < 16 ? 1 : 5) {
            changed = new_object(class);
            for (int i = 0; i < count; i++) set(changed, numbered(name, i), num(1000 + i));
            for (int action = 0; action < 2; action++) {
                void *seven = num(7);
                finalized *garbage = changing();
                garbage->calls = &calls;
                hwr_set(heap, garbage, &garbage->a, (void *)garbage);
                hwr_release(heap, garbage);
                heap_fixture_take_all_memory(f);
                hwr_raw_inject_fault(f->backend.raw, HWR_FAULT_ALL, 1, false);
                hwr_result result = action ? hwr_attribute_remove_text(heap, changed, numbered(name, 0), NULL)
                                           : hwr_attribute_set_text(heap, changed, "another", seven);
                heap_fixture_give_memory_back(f);
                assert_true(result == HWR_OK || result == HWR_NO_MEMORY || (action && result == HWR_NOT_FOUND));
                if (result == HWR_OK && !action) assert_int_equal(attribute(changed, "another"), 7);
                expect_sound(changed);
                hwr_release(heap, seven);
                hwr_collect(heap, HWR_OLDEST);
                expect_sound(changed);
            }
            void *object = changed;
            changed = NULL;
            hwr_release(heap, object);
        }
    assert_true(calls > 0);
    hwr_release(heap, class);
    hwr_enable(heap);
    end_all(state);
}

/* ---- without memory ---- */

static bool play_refused(heap_fixture *f, uint64_t nth, bool for_good) {
    size_t failures = backend_failures(&f->backend);
    char name[20];
    void *object = NULL, *class = NULL;
    bool refused = false;
    int expected = 0;
    hwr_raw_inject_fault(f->backend.raw, HWR_FAULT_ALL, nth, for_good);
    if (hwr_class(heap, "Point", &class) == HWR_OK) object = hwr_object(heap, class);
    for (int i = 0; object && i < 300; i++) {
        /* one to 66 attributes, a branch here and there */
        void *value = i % 40 ? hwr_int(heap, 1000 + i) : hwr_object(heap, class);
        hwr_result result = HWR_NO_MEMORY;
        if (value) result = hwr_attribute_set_text(heap, object, numbered(name, i % 67 + (i > 200) * 100), value);
        assert_true(result == HWR_OK || result == HWR_NO_MEMORY);
        hwr_release(heap, value);
        refused |= result != HWR_OK;
        expected += result == HWR_OK;
        assert_int_equal(hwr_attribute_count(object), expected);
        bool removes = i % 67 == 13 && i > 100, ends = i % 67 == 66;
        if (removes && result == HWR_OK) {
            result = hwr_attribute_remove_text(heap, object, name, NULL);
            assert_true(result == HWR_OK || result == HWR_NO_MEMORY);
            expected -= result == HWR_OK;
            refused |= result != HWR_OK;
        }
        if (!ends) continue;
        hwr_release(heap, object);
        object = hwr_object(heap, class);
        expected = 0;
    }
    refused |= !object;
    hwr_raw_inject_fault(f->backend.raw, 0, 0, false);
    const char *problem = "";
    if (!hwr_heap_verify(heap, &problem)) fail_msg("%s", problem);
    if (object) expect_sound(object);
    hwr_release(heap, object);
    hwr_release(heap, class);
    hwr_collect(heap, HWR_OLDEST);
    heap_fixture_expect_objects(f, objects_before);
    bool failed = backend_failures(&f->backend) > failures;
    assert_true(failed || !refused);
    return failed;
}

static void every_request_for_memory_can_fail(void **state) { refuse_each(state, play_refused); }

/* At each number of attributes, there is no memory for another, or for taking one away; there may be, if a block is at hand. */
static void without_memory_nothing_is_lost(void **state) {
    heap_fixture *f = *state;
    begin(state);
    char name[20];
    void *class = new_class("Point"), *object = NULL;
    for (int count = 0; count < 70; count++) {
        object = new_object(class);
        for (int i = 0; i < count; i++) set(object, numbered(name, i), num(1000 + i));
        void *value = num(1000 + count), *taken;
        heap_fixture_take_all_memory(f);
        hwr_result set_result = hwr_attribute_set_text(heap, object, "another", value);
        hwr_result remove_result = hwr_attribute_remove_text(heap, object, numbered(name, 0), &taken);
        heap_fixture_give_memory_back(f);
        assert_true(set_result == HWR_OK || set_result == HWR_NO_MEMORY);
        assert_true(remove_result == HWR_OK || remove_result == HWR_NO_MEMORY ||
                    (!count && remove_result == HWR_NOT_FOUND));
        if (remove_result == HWR_OK) set(object, name, taken);
        if (set_result == HWR_OK) {
            assert_int_equal(attribute(object, "another"), 1000 + count);
            assert_int_equal(hwr_attribute_remove_text(heap, object, "another", NULL), HWR_OK);
        }
        if (remove_result != HWR_OK) expect_numbers(object, count);
        hwr_release(heap, value);
        hwr_release(heap, object);
    }
    hwr_release(heap, class);
    end_all(state);
}

/* ---- against a model ---- */

enum { PLAYERS = 12, NAMES = 80 };
typedef struct player {
    void *object;
    int count, names[NAMES]; /* in order */
    int64_t values[NAMES];   /* by name */
} player;

static int place_in(const player *p, int name) {
    int i = 0;
    while (i < p->count && p->names[i] != name) i++;
    return i;
}

static void expect_player(const player *p) {
    size_t position = 0;
    void *name, *value;
    char text[20], found[20];
    for (int i = 0; i < p->count; i++) {
        int64_t number;
        assert_int_equal(hwr_attribute_next(heap, p->object, &position, &name, &value), HWR_OK);
        hwr_str_utf8(name, found, sizeof found);
        assert_string_equal(found, numbered(text, p->names[i]));
        assert_int_equal(hwr_int_get(value, &number), HWR_OK);
        assert_int_equal(number, p->values[p->names[i]]);
        hwr_release(heap, name);
        hwr_release(heap, value);
    }
    assert_int_equal(hwr_attribute_next(heap, p->object, &position, &name, &value), HWR_END);
    assert_int_equal(hwr_attribute_count(p->object), p->count);
}

static void set_in_both(player *p, int which, bool by_text) {
    char name[20];
    static int64_t next;
    int64_t number = ++next % 3 ? next : next % 200;
    if (by_text)
        set(p->object, numbered(name, which), num(number));
    else
        set_by_str(p->object, str(numbered(name, which)), num(number));
    if (place_in(p, which) == p->count) p->names[p->count++] = which;
    p->values[which] = number;
}

static void remove_in_both(player *p, int which, bool by_text) {
    char text[20];
    void *name = str(numbered(text, which));
    int place = place_in(p, which);
    hwr_result result = by_text ? hwr_attribute_remove_text(heap, p->object, text, NULL)
                                : hwr_attribute_remove(heap, p->object, name, NULL);
    hwr_release(heap, name);
    assert_int_equal(result, place < p->count ? HWR_OK : HWR_NOT_FOUND);
    if (place == p->count) return;
    p->count--;
    memmove(&p->names[place], &p->names[place + 1], (size_t)(p->count - place) * sizeof *p->names);
}

static void like_a_model(void **state) {
    begin(state);
    random_stream random = {((heap_fixture *)*state)->config.stress + 1};
    static player players[PLAYERS];
    void *classes[2] = {new_class("Even"), new_class("Odd")};
    memset(players, 0, sizeof players);
    for (int i = 0; i < PLAYERS; i++) {
        players[i].object = new_object(classes[i % 2]);
        assert_true(hwr_root_add(heap, &players[i].object));
    }
    int rounds = runs_slowly() || ((heap_fixture *)*state)->config.stress ? 20000 : 100000;
    for (int i = 0; i < rounds; i++) {
        size_t who = random_below(&random, PLAYERS);
        player *p = &players[who];
        bool by_text = random_below(&random, 2);
        int likely = p->count < NAMES ? p->count : 0, which = (int)random_below(&random, NAMES);
        switch (random_below(&random, 200)) {
        case 0: /* one that is new, often like the one before */
            hwr_release(heap, p->object);
            p->object = new_object(classes[who % 2]);
            p->count = 0;
            break;
        case 1: remove_in_both(p, which, by_text); break;
        case 2: set_in_both(p, which, by_text); break;
        case 3: hwr_collect(heap, HWR_OLDEST); break;
        case 4: expect_player(p); break;
        default:
            if (p->count < 1 + (int)who * 7)
                set_in_both(p, likely, by_text);
            else
                set_in_both(p, p->names[random_below(&random, (size_t)p->count)], by_text);
        }
    }
    for (int i = 0; i < PLAYERS; i++) {
        expect_player(&players[i]);
        assert_true(hwr_root_remove(heap, &players[i].object));
        hwr_release(heap, players[i].object);
    }
    hwr_release(heap, classes[0]);
    hwr_release(heap, classes[1]);
    end_all(state);
}

int main(void) {
    static const heap_test tests[] = {
        HEAP_TEST(objects_are_what_they_are, HEAP_STRESSED),
        HEAP_TEST(attributes_come_and_go, HEAP_STRESSED),
        HEAP_TEST(what_makes_no_sense_is_refused, HEAP_STRESSED),
        HEAP_TEST(changes_on_the_way, HEAP_STRESSED),
        /* HEAP_COUNTING: shapes that end with their objects, what hwr_collect counts, and finalizers in the middle of a change */
        HEAP_TEST(objects_share_their_shapes, HEAP_STRESSED | HEAP_COUNTING),
        HEAP_TEST(shapes_outlive_their_objects_a_little, HEAP_COUNTING),
        HEAP_TEST(places_are_as_many_as_needed, HEAP_ANY),
        HEAP_TEST(many_attributes, HEAP_STRESSED),
        HEAP_TEST(too_many_shapes, HEAP_ANY),
        HEAP_TEST(cycles_are_found, HEAP_COUNTING),
        HEAP_TEST(long_chains_end, HEAP_ANY),
        HEAP_TEST(deaths_change_the_object_itself, HEAP_STRESSED | HEAP_COUNTING),
        HEAP_TEST(collections_change_the_object_itself, HEAP_FEW | HEAP_COUNTING),
        HEAP_TEST(every_request_for_memory_can_fail, HEAP_FEW),
        HEAP_TEST(without_memory_nothing_is_lost, HEAP_ANY),
        HEAP_TEST(like_a_model, HEAP_STRESSED),
    };
    return heap_fixture_run("kinds: objects with attributes", tests, sizeof tests / sizeof *tests);
}
