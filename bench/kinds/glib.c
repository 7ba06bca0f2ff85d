/* kinds-glib: the same, as far as GLib has it. Its containers own nothing but what they are told to free. */
#include "driver.h"

#include <glib.h>

static char *word(uint64_t number) {
    char text[9];
    word_of(number, text);
    return g_strndup(text, 8);
}

/* ---- GPtrArray ---- */

static void drop_array(void *array) { g_ptr_array_free(array, TRUE); }

static void *words(void) {
    GPtrArray *array = g_ptr_array_new_with_free_func(g_free);
    for (uint64_t i = 0; i < MILLION; i++) g_ptr_array_add(array, word(i));
    return array;
}

static uint64_t sum_of_words(void *array) {
    uint64_t sum = 0;
    for (guint i = 0; i < MILLION; i++) {
        const char *text = g_ptr_array_index((GPtrArray *)array, i);
        sum += (uint64_t)text[7] * strlen(text);
    }
    return sum;
}

static void *appended(void) {
    static char text[] = "word";
    GPtrArray *array = g_ptr_array_new();
    for (int i = 0; i < 10 * MILLION; i++) g_ptr_array_add(array, text);
    return array;
}

static uint64_t length_of_array(void *array) { return ((GPtrArray *)array)->len; }

/* ---- GHashTable ---- */

static void *dict(void) {
    GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (uint64_t i = 0; i < MILLION; i++) g_hash_table_insert(table, word(i), GSIZE_TO_POINTER(i));
    return table;
}

static uint64_t sum_of_dict(void *table) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < MILLION; i++) {
        char key[9];
        word_of(scramble(i) % MILLION, key);
        sum += GPOINTER_TO_SIZE(g_hash_table_lookup(table, key));
    }
    return sum;
}

static void drop_table(void *table) { g_hash_table_destroy(table); }

typedef struct lookups {
    GHashTable *table;
    char *keys[1000];
} lookups;

static void *small_dict(void) {
    lookups *l = g_new(lookups, 1);
    l->table = g_hash_table_new(g_str_hash, g_str_equal);
    for (uint64_t i = 0; i < 1000; i++) {
        l->keys[i] = word(i);
        g_hash_table_insert(l->table, l->keys[i], l->keys[i]);
    }
    return l;
}

static uint64_t get_often(void *built) {
    lookups *l = built;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < 10 * MILLION; i++) sum += strlen(g_hash_table_lookup(l->table, l->keys[i * 7 % 1000]));
    return sum;
}

static uint64_t set_often(void *built) {
    lookups *l = built;
    for (uint64_t i = 0; i < 10 * MILLION; i++) g_hash_table_insert(l->table, l->keys[i * 7 % 1000], l->keys[i % 1000]);
    return g_hash_table_size(l->table);
}

static void drop_lookups(void *built) {
    lookups *l = built;
    g_hash_table_destroy(l->table);
    for (int i = 0; i < 1000; i++) g_free(l->keys[i]);
    g_free(l);
}

/* ---- GString ---- */

static void *concatenated(void) {
    GString *text = g_string_new("");
    for (int i = 0; i < MILLION; i++) g_string_append(text, "piece");
    return text;
}

static uint64_t length_of_text(void *text) { return ((GString *)text)->len; }
static void drop_text(void *text) { g_string_free(text, TRUE); }

static const workload workloads[] = {
    {"words", words, sum_of_words, drop_array},
    {"dict", dict, sum_of_dict, drop_table},
    {"append", appended, length_of_array, drop_array},
    {"dict-get", small_dict, get_often, drop_lookups},
    {"dict-set", small_dict, set_often, drop_lookups},
    {"concat", concatenated, length_of_text, drop_text},
    {NULL, NULL, NULL, NULL},
};

int main(int argc, char **argv) { return argc == 2 ? run_workload(workloads, argv[1]) : 2; }
