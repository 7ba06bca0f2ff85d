/* kinds-ours: heapwright's kinds. */
#include "driver.h"

#include <heapwright.h>

static hwr_heap *heap;

static void *made(void *object) {
    must(object != NULL, "an allocation");
    return object;
}

static void ok(hwr_result result) {
    if (result != HWR_OK) must(0, hwr_result_text(result));
}

static void drop(void *built) { hwr_release(heap, built); }

static void *word(uint64_t number) {
    char text[9];
    void *str;
    word_of(number, text);
    ok(hwr_str_from(heap, text, 8, &str));
    return str;
}

/* ---- lists ---- */

static void *small_ints(void) {
    void *list = made(hwr_list(heap, 0));
    for (int i = 0; i < MILLION; i++) must(hwr_list_append_int(heap, list, i % 200), "append");
    return list;
}

static void *distinct_ints(void) {
    void *list = made(hwr_list(heap, 0));
    for (int64_t i = 0; i < MILLION; i++) must(hwr_list_append_int(heap, list, i * 1000), "append");
    return list;
}

static uint64_t sum_of_ints(void *list) {
    uint64_t sum = 0;
    for (size_t i = 0; i < MILLION; i++) {
        int64_t value;
        ok(hwr_list_get_int(list, i, &value));
        sum += (uint64_t)value;
    }
    return sum;
}

static void *words(void) {
    void *list = made(hwr_list(heap, 0));
    for (uint64_t i = 0; i < MILLION; i++) {
        void *str = word(i);
        must(hwr_list_append(heap, list, str), "append");
        hwr_release(heap, str);
    }
    return list;
}

static uint64_t sum_of_words(void *list) {
    uint64_t sum = 0;
    for (size_t i = 0; i < MILLION; i++) {
        const void *str = hwr_list_peek(list, i);
        const char *text = hwr_str_ascii(str);
        sum += (uint64_t)text[7] * hwr_str_length(str);
    }
    return sum;
}

static void *appended(void) {
    void *list = made(hwr_list(heap, 0)), *str = word(1);
    for (int i = 0; i < 10 * MILLION; i++) must(hwr_list_append(heap, list, str), "append");
    hwr_release(heap, str);
    return list;
}

static uint64_t length_of_list(void *list) { return hwr_list_length(list); }

/* ---- dicts ---- */

static void *dict(void) {
    void *table = made(hwr_dict(heap, 0));
    for (uint64_t i = 0; i < MILLION; i++) {
        void *key = word(i), *value = made(hwr_int(heap, (int64_t)i));
        ok(hwr_dict_set(heap, table, key, value));
        hwr_release(heap, value);
        hwr_release(heap, key);
    }
    return table;
}

static uint64_t sum_of_dict(void *table) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < MILLION; i++) {
        char key[9];
        void *value;
        int64_t number;
        word_of(scramble(i) % MILLION, key);
        ok(hwr_dict_peek_text(heap, table, key, &value));
        ok(hwr_int_get(value, &number));
        sum += (uint64_t)number;
    }
    return sum;
}

/* Gets and sets with strs that are there already. */
typedef struct lookups {
    void *dict, *keys[1000];
} lookups;

static void *small_dict(void) {
    lookups *l = malloc(sizeof *l);
    must(l != NULL, "malloc");
    l->dict = made(hwr_dict(heap, 0));
    for (uint64_t i = 0; i < 1000; i++) {
        l->keys[i] = word(i);
        ok(hwr_dict_set(heap, l->dict, l->keys[i], l->keys[i]));
    }
    return l;
}

static uint64_t get_often(void *built) {
    lookups *l = built;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < 10 * MILLION; i++) {
        void *value;
        ok(hwr_dict_get(heap, l->dict, l->keys[i * 7 % 1000], &value));
        sum += hwr_str_length(value);
        hwr_release(heap, value);
    }
    return sum;
}

static uint64_t set_often(void *built) {
    lookups *l = built;
    for (uint64_t i = 0; i < 10 * MILLION; i++)
        ok(hwr_dict_set(heap, l->dict, l->keys[i * 7 % 1000], l->keys[i % 1000]));
    return hwr_dict_length(l->dict);
}

static void drop_lookups(void *built) {
    lookups *l = built;
    for (int i = 0; i < 1000; i++) hwr_release(heap, l->keys[i]);
    hwr_release(heap, l->dict);
    free(l);
}

/* ---- strs ---- */

static void *concatenated(void) {
    void *text, *piece;
    ok(hwr_str(heap, "", &text));
    ok(hwr_str(heap, "piece", &piece));
    for (int i = 0; i < MILLION; i++) ok(hwr_str_append(heap, &text, piece));
    hwr_release(heap, piece);
    return text;
}

static uint64_t length_of_str(void *text) { return hwr_str_length(text); }

static void *interned(void) {
    void *list = made(hwr_list(heap, 0));
    for (uint64_t i = 0; i < MILLION; i++) {
        void *str = word(scramble(i) % 1000);
        must(hwr_str_intern(heap, &str), "intern");
        must(hwr_list_append(heap, list, str), "append");
        hwr_release(heap, str);
    }
    return list;
}

/* ---- the document ---- */

#ifdef BENCH_DOCUMENT
#include "document.h"

static void *document_null(void) { return hwr_none(heap); }
static void *document_bool(int value) { return hwr_bool(heap, value); }
static void *document_int(const char *text, size_t size) {
    void *number;
    ok(hwr_int_parse(heap, text, size, 10, &number));
    return number;
}
static void *document_float(const char *text, size_t size) {
    void *number;
    ok(hwr_float_parse(heap, text, size, &number));
    return number;
}
static void *document_str(const char *text, size_t size) {
    void *str;
    ok(hwr_str_from(heap, text, size, &str));
    return str;
}
static void *document_key(const char *text, size_t size) {
    void *str;
    ok(hwr_str_interned(heap, text, size, &str));
    return str;
}
static void *document_dict(void) { return made(hwr_dict(heap, 0)); }
static void *document_list(void) { return made(hwr_list(heap, 0)); }
static void document_put(void *table, void *key, void *value) { ok(hwr_dict_set(heap, table, key, value)); }
static void document_append(void *list, void *value) { must(hwr_list_append(heap, list, value), "append"); }
static void document_release(void *object) { hwr_release(heap, object); }

/* A sum of all lengths and numbers. */
static uint64_t document_read(void *value) {
    uint64_t sum = 0;
    switch (hwr_kind_of(value)) {
    case HWR_STR: return hwr_str_length(value);
    case HWR_INT: {
        int64_t number;
        ok(hwr_int_get(value, &number));
        return (uint64_t)number;
    }
    case HWR_FLOAT: {
        double number;
        ok(hwr_float_get(value, &number));
        return (uint64_t)number;
    }
    case HWR_LIST:
        for (size_t i = 0; i < hwr_list_length(value); i++) {
            void *item;
            int64_t number;
            if (hwr_list_get_int(value, i, &number) == HWR_OK) {
                sum += (uint64_t)number;
                continue;
            }
            ok(hwr_list_get(heap, value, i, &item));
            sum += document_read(item);
            hwr_release(heap, item);
        }
        return sum;
    case HWR_DICT: {
        void *key, *item;
        for (size_t position = 0; hwr_dict_peek_next(heap, value, &position, &key, &item) == HWR_OK;)
            sum += hwr_str_length(key) + document_read(item);
        return sum;
    }
    default: return hwr_truth(value);
    }
}
#endif

/* ---- objects with attributes ---- */

static void *point_class, *x_name, *y_name;

static void set_int(void *object, const void *name, int64_t number) {
    void *value = made(hwr_int(heap, number));
    ok(hwr_attribute_set(heap, object, name, value));
    hwr_release(heap, value);
}

static int64_t get_int(const void *object, const void *name) {
    void *value;
    int64_t number;
    ok(hwr_attribute_get(heap, object, name, &value));
    ok(hwr_int_get(value, &number));
    hwr_release(heap, value);
    return number;
}

static void *point(int64_t x, int64_t y) {
    void *object = made(hwr_object(heap, point_class));
    set_int(object, x_name, x);
    set_int(object, y_name, y);
    return object;
}

static void open_points(void) {
    ok(hwr_class(heap, "Point", &point_class));
    ok(hwr_str(heap, "x", &x_name));
    ok(hwr_str(heap, "y", &y_name));
}

static void *points(void) {
    void *list = made(hwr_list(heap, 0));
    open_points();
    for (int64_t i = 0; i < MILLION; i++) {
        void *object = point(i, i % 200);
        must(hwr_list_append(heap, list, object), "append");
        hwr_release(heap, object);
    }
    return list;
}

static uint64_t sum_of_points(void *list) {
    uint64_t sum = 0;
    for (size_t i = 0; i < MILLION; i++) {
        void *object;
        ok(hwr_list_get(heap, list, i, &object));
        sum += (uint64_t)(get_int(object, x_name) * get_int(object, y_name));
        hwr_release(heap, object);
    }
    return sum;
}

/* Reads and changes the attributes of one. */
static void *one_point(void) {
    open_points();
    return point(1, 2);
}

static uint64_t change_often(void *object) {
    for (int64_t i = 0; i < 10 * MILLION; i++) {
        void *value;
        ok(hwr_attribute_get(heap, object, x_name, &value));
        ok(hwr_attribute_set(heap, object, y_name, value));
        hwr_release(heap, value);
    }
    return (uint64_t)get_int(object, y_name);
}

static const workload workloads[] = {
    {"small-ints", small_ints, sum_of_ints, drop},
    {"distinct-ints", distinct_ints, sum_of_ints, drop},
    {"words", words, sum_of_words, drop},
    {"dict", dict, sum_of_dict, drop},
    {"append", appended, length_of_list, drop},
    {"dict-get", small_dict, get_often, drop_lookups},
    {"dict-set", small_dict, set_often, drop_lookups},
    {"concat", concatenated, length_of_str, drop},
    {"intern", interned, sum_of_words, drop},
#ifdef BENCH_DOCUMENT
    {"document", document_build, document_read, drop},
#endif
    {"objects", points, sum_of_points, drop},
    {"attributes", one_point, change_often, drop},
    {NULL, NULL, NULL, NULL},
};

int main(int argc, char **argv) {
    heap = made(hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options)}));
    must(hwr_kinds_open(heap), "opening the kinds");
    int status = argc == 2 ? run_workload(workloads, argv[1]) : 2;
    hwr_heap_close(heap);
    return status;
}
