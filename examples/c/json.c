/* JSON in and out: a document is read into kinds (json_text.h), changed, and written again.
 *
 *     json                                a demonstration
 *     json FILE [STEP ...]                reads a document (- is standard input), says what it takes, and goes through the steps in their order:
 *         --set PATH VALUE                stores a value, which is JSON, in a dict or over an item of a list
 *         --remove PATH                   takes something out of a dict or a list
 *         --write FILE | --indent FILE    writes the document (- is standard output), in one line or in several
 *     A PATH is keys and positions with / between them, such as packages/0/Version; a star in the place of one stands for all that are there.
 *     HEAP_LIMIT=MIB in the environment is the most memory that the document may take. */
#include <heapwright.h>

#include <time.h>

static hwr_heap *heap;

#include "json_text.h"

/* ---- changing: get, set and remove are the same for dicts, whose keys are strs, and for lists, whose keys are positions ---- */

static hwr_result get(const void *container, const void *key, void **value) {
    int64_t position;
    if (hwr_kind_of(container) == HWR_DICT) return hwr_dict_get(heap, container, key, value);
    hwr_result result = hwr_int_get(key, &position);
    return result == HWR_OK ? hwr_list_get(heap, container, (size_t)position, value) : result;
}

/* A value of NULL: remove. */
static hwr_result set(void *container, const void *key, const void *value) {
    int64_t position;
    void *gone = NULL;
    if (hwr_kind_of(container) == HWR_DICT)
        return value ? hwr_dict_set(heap, container, key, value) : hwr_dict_remove(heap, container, key, NULL);
    hwr_result result = hwr_int_get(key, &position);
    if (result != HWR_OK) return result;
    if (value) return hwr_list_set(heap, container, (size_t)position, value);
    result = hwr_list_pop(heap, container, (size_t)position, &gone);
    hwr_release(heap, gone);
    return result;
}

/* The keys of a container that a part of a path means: a list of its own. */
static void *keys_of(const void *container, const char *part, size_t size) {
    void *keys = hwr_list(heap, 0), *key = NULL;
    bool is_dict = hwr_kind_of(container) == HWR_DICT, well = keys;
    if (size == 1 && *part == '*') {
        for (size_t position = 0; well && is_dict && hwr_dict_next(heap, container, &position, &key, NULL) == HWR_OK;) {
            well = hwr_list_append(heap, keys, key);
            hwr_release(heap, key);
        }
        for (size_t i = is_dict ? 0 : hwr_list_length(container); well && i > 0;
             i--) /* the last first: it can be taken out */
            well = hwr_list_append_int(heap, keys, (int64_t)i - 1);
    } else if (well) {
        hwr_result result = is_dict ? hwr_str_from(heap, part, size, &key) : hwr_int_parse(heap, part, size, 10, &key);
        well = result == HWR_BAD_VALUE ||
               (result == HWR_OK && hwr_list_append(heap, keys, key)); /* no number: no position */
        hwr_release(heap, key);
    }
    if (well) return keys;
    hwr_release(heap, keys);
    return NULL;
}

/* Sets or removes (NULL) what a path leads to, and counts the places; one that is not there is none. */
static bool change(void *container, const char *path, const void *value, size_t *places) {
    if (hwr_kind_of(container) != HWR_DICT && hwr_kind_of(container) != HWR_LIST) return true;
    size_t size = strcspn(path, "/");
    void *keys = keys_of(container, path, size), *key, *inner;
    hwr_result result = keys ? HWR_OK : HWR_NO_MEMORY;
    for (size_t i = 0; keys && result != HWR_NO_MEMORY && i < hwr_list_length(keys); i++) {
        result = hwr_list_get(heap, keys, i, &key);
        if (result != HWR_OK) break;
        if (!path[size]) {
            result = set(container, key, value);
            *places += result == HWR_OK;
        } else if ((result = get(container, key, &inner)) == HWR_OK) {
            if (!change(inner, path + size + 1, value, places)) result = HWR_NO_MEMORY;
            hwr_release(heap, inner);
        }
        hwr_release(heap, key);
    }
    hwr_release(heap, keys);
    return result != HWR_NO_MEMORY || went_well(result);
}

/* ---- the program ---- */

static void report_what_it_takes(FILE *report, const char *name, const Reader *reader, double seconds) {
    hwr_heap_stats stats;
    hwr_heap_get_stats(heap, &stats);
    fprintf(report, "%s: read in %.2f s;", name, seconds);
    for (int kind = HWR_NONE; kind < HWR_KINDS; kind++)
        if (reader->made[kind]) fprintf(report, " %zu %s", reader->made[kind], hwr_kind_name((hwr_kind)kind));
    fprintf(report, "; %.1f MiB\n", (double)stats.committed / (1 << 20));
}

/* All that is not the document itself goes to standard error, so that it can be written to standard output. */
static void *read_file(const char *path) {
    Reader reader;
    clock_t start = clock();
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "rb");
    if (!file) return fail("%.80s cannot be opened", path), NULL;
    void *document = read_json((Source){standard ? "standard input" : path, file, NULL}, &reader);
    if (!standard) fclose(file);
    if (document) report_what_it_takes(stderr, path, &reader, (double)(clock() - start) / CLOCKS_PER_SEC);
    return document;
}

static bool write_file(const void *document, const char *path, bool in_lines) {
    if (strcmp(path, "-") == 0) return write_json(document, stdout, in_lines);
    FILE *file = fopen(path, "wb");
    if (!file) return fail("%.80s cannot be opened", path);
    bool well = write_json(document, file, in_lines);
    return (fclose(file) == 0 || fail("%.80s cannot be written", path)) && well;
}

static bool set_step(void *document, const char *path, const char *json) {
    Reader reader;
    size_t places = 0;
    void *value = read_json((Source){"the value", NULL, json}, &reader);
    bool well = value && change(document, path, value, &places);
    if (well) fprintf(stderr, "%s: set in %zu places\n", path, places);
    hwr_release(heap, value);
    return well;
}

static bool remove_step(void *document, const char *path) {
    size_t places = 0;
    bool well = change(document, path, NULL, &places);
    if (well) fprintf(stderr, "%s: removed in %zu places\n", path, places);
    return well;
}

static bool go_through(void *document, char **words) {
    bool well = true;
    while (well && *words) {
        const char *step = *words++;
        if (strcmp(step, "--set") == 0 && words[0] && words[1]) {
            well = set_step(document, words[0], words[1]);
            words += 2;
        } else if (strcmp(step, "--remove") == 0 && *words) {
            well = remove_step(document, *words++);
        } else if ((strcmp(step, "--write") == 0 || strcmp(step, "--indent") == 0) && *words) {
            well = write_file(document, *words++, step[2] == 'i');
        } else {
            well = fail("%.80s: there is no such step, or something is missing behind it", step);
        }
    }
    return well;
}

/* ---- the demonstration ---- */

static void tell_error(void) {
    printf("  %s\n", error);
    *error = '\0';
}

static bool demonstrate(void) {
    static const char *const text = "[{\"name\": \"Ada\", \"born\": 1815, \"x\": [1, 2.50, 1e400, true, null]},\n"
                                    " {\"name\": \"Zo\\u00eb \\ud83d\\ude00\", \"born\": -12345678901234567890123}]";
    static const char *const wrong[] = {"", "[1, 2", "{\"a\": 01}", "[1, 2]\n[3]", "[\"\xff\"]", "[1,\n tru]"};
    Reader reader;
    size_t places = 0;
    void *document = read_json((Source){"text", NULL, text}, &reader), *shown, *one = NULL;
    if (!document || !went_well(hwr_repr(heap, document, &shown))) return false;
    size_t size = hwr_str_utf8(shown, NULL, 0);
    char *bytes = malloc(size + 1);
    if (bytes) hwr_str_utf8(shown, bytes, size + 1);
    printf("read: %s\n", bytes ? bytes : "");
    free(bytes);
    hwr_release(heap, shown);

    puts("written, without */x/2, since JSON has no infinity, and with */seen:");
    bool well = change(document, "*/x/2", NULL, &places) && (one = hwr_int(heap, 1)) != NULL &&
                change(document, "*/seen", one, &places) && write_json(document, stdout, false);
    hwr_release(heap, one);
    hwr_release(heap, document);
    printf("places changed: %zu\nerrors:\n", places);

    for (size_t i = 0; well && i < sizeof wrong / sizeof *wrong; i++) {
        well = !read_json((Source){"text", NULL, wrong[i]}, &reader);
        tell_error();
    }
    static char deep[100001];
    memset(deep, '[', sizeof deep - 1);
    well = well && !read_json((Source){"text", NULL, deep}, &reader);
    tell_error();
    return well;
}

int main(int count, char **words) {
    const char *limit = getenv("HEAP_LIMIT");
    heap = hwr_heap_open(&(hwr_options){.size = sizeof(hwr_options),
                                        .collector = HWR_ANY_COLLECTOR,
                                        .limit = limit ? (size_t)strtoul(limit, NULL, 10) << 20 : 0});
    if (!heap || !hwr_kinds_open(heap)) return fputs("json: no memory\n", stderr), 1;
    bool well;
    if (count > 1) {
        void *document = read_file(words[1]);
        well = document && go_through(document, words + 2);
        hwr_release(heap, document);
    } else {
        well = demonstrate();
    }
    if (!well) fprintf(stderr, "json: %s\n", error);
    hwr_heap_close(heap);
    return well ? 0 : 1;
}
