/* json_text.h: JSON from and to the kinds, by the parser yajl (https://lloyd.github.io/yajl). A document becomes dicts, lists, strs, ints of any size, floats, bools and None, as Python's
 * json.load makes them. Whoever includes this has a variable `heap`.
 *
 * Nothing that is read can do harm: what is no JSON is told with its place in the text; containers may be nested DEEPEST deep, which is how deep yajl writes them; a number may
 * have as many digits as Python's int() takes. (One thing yajl lets pass: of an escaped surrogate without its other half it makes a question mark.) */
#ifndef EXAMPLES_JSON_TEXT_H
#define EXAMPLES_JSON_TEXT_H

#include <heapwright.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>

enum { DEEPEST = 127, DIGITS_MOST = 4300, CHUNK = 1 << 16 };

static char error[200]; /* "": none */

/* Always false, so that it can be returned. The first error is the one that is told. */
static bool fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (!*error) vsnprintf(error, sizeof error, format, arguments);
    va_end(arguments);
    return false;
}

static bool went_well(hwr_result result) { return result == HWR_OK || fail("%s", hwr_result_text(result)); }

/* ---- reading: yajl calls a function for each thing it comes across ---- */

typedef struct Reader {
    void *document; /* ours to release; NULL before anything was read */
    void *key;      /* the key that waits for its value; ours, or NULL */
    void *open
        [DEEPEST]; /* the containers that have not ended, each in the one before: so the document keeps them alive, and they are only borrowed here */
    int depth;
    size_t made[HWR_KINDS]; /* how many of each kind */
} Reader;

/* Puts a value where it belongs. Takes it over; NULL is one that there was no memory for. */
static bool put(Reader *reader, void *value) {
    if (!value) return went_well(HWR_NO_MEMORY);
    reader->made[hwr_kind_of(value)]++;
    hwr_result result = HWR_OK;
    if (reader->depth == 0) {
        hwr_retain(heap, value);
        reader->document = value;
    } else if (reader->key) {
        result = hwr_dict_set(heap, reader->open[reader->depth - 1], reader->key, value);
        hwr_release(heap, reader->key);
        reader->key = NULL;
    } else if (!hwr_list_append(heap, reader->open[reader->depth - 1], value)) {
        result = HWR_NO_MEMORY;
    }
    hwr_release(heap, value);
    return went_well(result);
}

static int begin(Reader *reader, void *container) {
    if (reader->depth == DEEPEST) {
        hwr_release(heap, container);
        return fail("nested more than %d deep", DEEPEST);
    }
    if (!put(reader, container)) return false;
    reader->open[reader->depth++] = container;
    return true;
}

static int end(void *context) {
    ((Reader *)context)->depth--;
    return true;
}

static int on_null(void *context) { return put(context, hwr_none(heap)); }
static int on_boolean(void *context, int value) { return put(context, hwr_bool(heap, value)); }
static int on_map(void *context) { return begin(context, hwr_dict(heap, 0)); }
static int on_array(void *context) { return begin(context, hwr_list(heap, 0)); }

/* The text of a number, so that no digit is lost. */
static int on_number(void *context, const char *text, size_t size) {
    void *number = NULL;
    bool whole = true;
    for (size_t i = 0; i < size; i++) whole = whole && !strchr(".eE", text[i]);
    if (whole && size > DIGITS_MOST) return fail("a number of more than %d digits", DIGITS_MOST);
    return went_well(whole ? hwr_int_parse(heap, text, size, 10, &number)
                           : hwr_float_parse(heap, text, size, &number)) &&
           put(context, number);
}

static int on_string(void *context, const unsigned char *text, size_t size) {
    void *str = NULL;
    return went_well(hwr_str_from(heap, (const char *)text, size, &str)) && put(context, str);
}

/* Records have the same keys over and over: interned, all of them are one str. */
static int on_key(void *context, const unsigned char *text, size_t size) {
    return went_well(hwr_str_interned(heap, (const char *)text, size, &((Reader *)context)->key));
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_map,
    .yajl_map_key = on_key,
    .yajl_end_map = end,
    .yajl_start_array = on_array,
    .yajl_end_array = end,
};

/* A place in a text, counted from 1, as editors do; columns are bytes. */
typedef struct Place {
    size_t line, column;
} Place;

static void advance(Place *place, const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        bool ended = text[i] == '\n';
        place->line += ended;
        place->column = ended ? 1 : place->column + 1;
    }
}

/* Adds the place to an error of ours, or to yajl's. */
static void tell_place(yajl_handle parser, Place place, const char *name) {
    char what[sizeof error];
    unsigned char *told = *error ? NULL : yajl_get_error(parser, 0, NULL, 0);
    snprintf(what, sizeof what, "%s", told ? (char *)told : error);
    if (told) yajl_free_error(parser, told);
    what[strcspn(what, "\n")] = '\0';
    *error = '\0';
    fail("%.80s: line %zu, column %zu: %s", name, place.line, place.column, what);
}

/* Where a text comes from: a file, or a string that is in memory. */
typedef struct Source {
    const char *name;
    FILE *file; /* NULL: a string */
    const char *string;
} Source;

static size_t next_chunk(Source *source, char chunk[CHUNK]) {
    if (source->file) return fread(chunk, 1, CHUNK, source->file);
    size_t size = strlen(source->string);
    if (size > CHUNK) size = CHUNK;
    memcpy(chunk, source->string, size);
    source->string += size;
    return size;
}

/* The value of a text, which is the caller's. NULL after an error. */
static void *read_json(Source source, Reader *reader) {
    static char chunk[CHUNK];
    Place place = {1, 1};
    *reader = (Reader){0};
    yajl_handle parser = yajl_alloc(&callbacks, NULL, reader);
    if (!parser) return fail("no memory"), NULL;
    yajl_status status = yajl_status_ok;
    for (size_t size; status == yajl_status_ok && (size = next_chunk(&source, chunk)) != 0;) {
        status = yajl_parse(parser, (unsigned char *)chunk, size);
        advance(&place, chunk, status == yajl_status_ok ? size : yajl_get_bytes_consumed(parser));
    }
    if (status == yajl_status_ok) status = yajl_complete_parse(parser);
    if (status != yajl_status_ok) tell_place(parser, place, source.name);
    yajl_free(parser);
    if (source.file && ferror(source.file)) fail("%.80s cannot be read", source.name);
    if (!*error) return reader->document;
    hwr_release(heap, reader->key);
    hwr_release(heap, reader->document); /* with all that is in it */
    return NULL;
}

/* ---- writing ---- */

typedef struct Writer {
    yajl_gen generator;
    char *bytes; /* for strs that are not ASCII */
    size_t room;
} Writer;

static void print_to_file(void *file, const char *text, size_t size) { fwrite(text, 1, size, file); }

static bool generated(yajl_gen_status status) {
    if (status == yajl_max_depth_exceeded) return fail("nested more than %d deep", DEEPEST);
    return status == yajl_gen_status_ok || fail("not written (yajl's error %d)", (int)status);
}

static bool write_str(Writer *writer, const void *str) {
    const char *text = hwr_str_ascii(str);
    size_t size = text ? hwr_str_length(str) : hwr_str_utf8(str, writer->bytes, writer->room);
    if (!text && size >= writer->room) {
        char *more = realloc(writer->bytes, size + 1);
        if (!more) return went_well(HWR_NO_MEMORY);
        writer->bytes = more;
        writer->room = size + 1;
        hwr_str_utf8(str, writer->bytes, writer->room);
    }
    return generated(yajl_gen_string(writer->generator, (const unsigned char *)(text ? text : writer->bytes), size));
}

/* What Python's repr() says of a number is JSON, and the shortest that is read as the same again. */
static bool write_number(Writer *writer, const void *number) {
    void *text;
    if (!went_well(hwr_repr(heap, number, &text))) return false;
    const char *digits = hwr_str_ascii(text);
    bool well = !strpbrk(digits, "in") ? generated(yajl_gen_number(writer->generator, digits, hwr_str_length(text)))
                                       : fail("JSON has no %s", digits);
    hwr_release(heap, text);
    return well;
}

static bool write_value(Writer *writer, const void *value);

static bool write_list(Writer *writer, const void *list) {
    bool well = generated(yajl_gen_array_open(writer->generator));
    for (size_t i = 0; well && i < hwr_list_length(list); i++) {
        void *item;
        if (!went_well(hwr_list_get(heap, list, i, &item))) return false;
        well = write_value(writer, item);
        hwr_release(heap, item);
    }
    return well && generated(yajl_gen_array_close(writer->generator));
}

static bool write_dict(Writer *writer, const void *dict) {
    void *key, *value;
    bool well = generated(yajl_gen_map_open(writer->generator));
    for (size_t position = 0; well && hwr_dict_next(heap, dict, &position, &key, &value) == HWR_OK;) {
        well = write_str(writer, key) && write_value(writer, value);
        hwr_release(heap, key);
        hwr_release(heap, value);
    }
    return well && generated(yajl_gen_map_close(writer->generator));
}

static bool write_value(Writer *writer, const void *value) {
    switch (hwr_kind_of(value)) {
    case HWR_NONE: return generated(yajl_gen_null(writer->generator));
    case HWR_BOOL: return generated(yajl_gen_bool(writer->generator, hwr_truth(value)));
    case HWR_INT:
    case HWR_FLOAT: return write_number(writer, value);
    case HWR_STR: return write_str(writer, value);
    case HWR_LIST: return write_list(writer, value);
    case HWR_DICT: return write_dict(writer, value);
    default: return fail("JSON has no %s", hwr_kind_name(hwr_kind_of(value)));
    }
}

static bool write_json(const void *document, FILE *file, bool in_lines) {
    Writer writer = {.generator = yajl_gen_alloc(NULL)};
    if (!writer.generator) return went_well(HWR_NO_MEMORY);
    yajl_gen_config(writer.generator, yajl_gen_print_callback, print_to_file, file);
    yajl_gen_config(writer.generator, yajl_gen_beautify, (int)in_lines);
    bool well = write_value(&writer, document);
    yajl_gen_free(writer.generator);
    free(writer.bytes);
    if (!in_lines) putc('\n', file);
    return well && (fflush(file) == 0 || fail("the file cannot be written"));
}

#endif
