/* document.h: what reading a JSON document has in common for all that are compared: the parser (yajl), its callbacks, and the order of calls. The program that includes it says how a value is made and where it is
 * put; so the parsing is the same on every side, and only that is compared. */
#ifndef BENCH_KINDS_DOCUMENT_H
#define BENCH_KINDS_DOCUMENT_H

#include "driver.h"

#include <yajl/yajl_parse.h>

enum { DOCUMENT_DEEPEST = 100, DOCUMENT_CHUNK = 1 << 16 };

/* Each makes a new reference, and ends the program if it cannot. */
static void *document_null(void);
static void *document_bool(int value);
static void *document_int(const char *text, size_t size);
static void *document_float(const char *text, size_t size);
static void *document_str(const char *text, size_t size);
static void *document_key(const char *text, size_t size); /* interned */
static void *document_dict(void);
static void *document_list(void);

/* The container adds references of its own. */
static void document_put(void *dict, void *key, void *value);
static void document_append(void *list, void *value);
static void document_release(void *object);

typedef struct document_reader {
    void *document, *key;
    void *open[DOCUMENT_DEEPEST]; /* those that have not ended: each is held by the one before */
    int depth;
} document_reader;

static int document_add(document_reader *reader, void *value) {
    if (reader->depth == 0) {
        reader->document = value;
        return 1;
    }
    if (reader->key != NULL) {
        document_put(reader->open[reader->depth - 1], reader->key, value);
        document_release(reader->key);
        reader->key = NULL;
    } else {
        document_append(reader->open[reader->depth - 1], value);
    }
    document_release(value);
    return 1;
}

static int document_begin(document_reader *reader, void *container) {
    document_add(reader, container);
    must(reader->depth < DOCUMENT_DEEPEST, "nesting");
    reader->open[reader->depth++] = container;
    return 1;
}

static int on_null(void *reader) { return document_add(reader, document_null()); }
static int on_boolean(void *reader, int value) { return document_add(reader, document_bool(value)); }
static int on_string(void *reader, const unsigned char *text, size_t size) {
    return document_add(reader, document_str((const char *)text, size));
}
static int on_number(void *reader, const char *text, size_t size) {
    int whole = 1;
    for (size_t i = 0; i < size; i++) whole &= (text[i] >= '0' && text[i] <= '9') || text[i] == '-';
    return document_add(reader, whole ? document_int(text, size) : document_float(text, size));
}
static int on_key(void *reader, const unsigned char *text, size_t size) {
    ((document_reader *)reader)->key = document_key((const char *)text, size);
    return 1;
}
static int on_map(void *reader) { return document_begin(reader, document_dict()); }
static int on_array(void *reader) { return document_begin(reader, document_list()); }
static int on_end(void *reader) {
    ((document_reader *)reader)->depth--;
    return 1;
}

static void *document_build(void) {
    static const yajl_callbacks callbacks = {on_null, on_boolean, NULL,   NULL,     on_number, on_string,
                                             on_map,  on_key,     on_end, on_array, on_end};
    static unsigned char chunk[DOCUMENT_CHUNK];
    document_reader reader = {0};
    const char *path = getenv("KINDS_DOCUMENT");
    FILE *file = path != NULL ? fopen(path, "rb") : NULL;
    must(file != NULL, "opening $KINDS_DOCUMENT");
    yajl_handle parser = yajl_alloc(&callbacks, NULL, &reader);
    must(parser != NULL, "yajl_alloc");
    for (size_t size; (size = fread(chunk, 1, sizeof chunk, file)) != 0;)
        must(yajl_parse(parser, chunk, size) == yajl_status_ok, "yajl_parse");
    must(yajl_complete_parse(parser) == yajl_status_ok, "yajl_complete_parse");
    yajl_free(parser);
    fclose(file);
    return reader.document;
}

#endif
