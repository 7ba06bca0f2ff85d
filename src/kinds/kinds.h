/* What the kinds share. Which file does what:
 *   kinds/kinds.c     opening; the types; what all kinds have: equality, order, hash, truth, length, repr
 *   kinds/types.c     the table of types
 *   kinds/hash.c      hashing of bytes
 *   kinds/writer.c    text that is being made
 *   kinds/number.c    int and float; kinds/big.c: the digits of large ints
 *   kinds/text.c      str; kinds/intern.c: interned strs; kinds/bytes.c: bytes and bytearray
 *   kinds/tuple.c, kinds/list.c, kinds/storage.c (where lists keep their items), kinds/array.c
 *   kinds/iterator.c  going through containers; kinds/range.c; kinds/lazy.c: map, filter, zip, generators
 *   kinds/table.c     the hash table of dicts and sets; kinds/dict.c, kinds/set.c
 *   kinds/attributes.c  objects with attributes; kinds/shape.c: what they share
 *   kinds/traced.c    what is special on a tracing heap
 *   kinds/spare.c     dicts and lists that are kept for the next */
#ifndef HWRI_KINDS_H
#define HWRI_KINDS_H

#include "heapwright/array.h"
#include "heapwright/attributes.h"
#include "heapwright/iterate.h"
#include "heapwright/kinds.h"
#include "heapwright/mapping.h"
#include "heapwright/number.h"
#include "heapwright/sequence.h"
#include "heapwright/text.h"
#include "object/heap.h"
#include "raw/thread.h"

/* ---- the types, all in one table, which is how a type is known to be one of these ---- */

enum hwri_kind_type {
    HWRI_NONE_TYPE,
    HWRI_BOOL_TYPE,
    HWRI_INT_TYPE, /* of 64 bits */
    HWRI_BIG_TYPE, /* any other */
    HWRI_FLOAT_TYPE,
    HWRI_STR1_TYPE, /* by bytes of a character */
    HWRI_STR2_TYPE,
    HWRI_STR4_TYPE,
    HWRI_BYTES_TYPE,
    HWRI_BYTEARRAY_TYPE,
    HWRI_TUPLE_TYPE,
    HWRI_LEAF_TUPLE_TYPE, /* of leaves only: the collector does not look at it */
    HWRI_LIST_TYPE,
    HWRI_DICT_TYPE,
    HWRI_SET_TYPE,
    HWRI_OBJECT_TYPE, /* with room for one value, and as many more as there are types */
    HWRI_LAST_OBJECT_TYPE = HWRI_OBJECT_TYPE + HWR_TYPE_REFS - 2,
    HWRI_ARRAY_TYPE,
    HWRI_RANGE_TYPE,
    HWRI_ITERATOR_TYPE,
    HWRI_LEAF_ITERATOR_TYPE, /* over what cannot be part of a cycle */
    HWRI_ENTRIES_TYPE,
    HWRI_CALLING_TYPE, /* map, filter, generators */
    HWRI_ZIP_TYPE,
    HWRI_CLASS_TYPE, /* what objects share: no kinds; and the same of a tracing heap */
    HWRI_TRACED_CLASS_TYPE,
    HWRI_SHAPE_TYPE,
    HWRI_TRACED_SHAPE_TYPE,
    HWRI_NAMES_TYPE,
    /* What containers keep their items in: no kinds, nobody else sees them. */
    HWRI_SLOTS_TYPE,
    HWRI_LEAF_SLOTS_TYPE,
    HWRI_DATA1_TYPE, /* by bytes of an item */
    HWRI_DATA2_TYPE,
    HWRI_DATA4_TYPE,
    HWRI_DATA8_TYPE,
    HWRI_DOUBLES_TYPE,
    HWRI_KIND_TYPES
};

static inline const hwr_type *hwri_kind_type(enum hwri_kind_type which) { return &hwri_kind_types[which]; }
static inline bool hwri_is_of_type(const void *object, enum hwri_kind_type which) {
    return hwr_type_of(object) == &hwri_kind_types[which];
}
static inline hwr_kind hwri_kind_in(const hwr_type *type) { return (hwr_kind)(type->flags >> HWRI_TYPE_KIND_SHIFT); }

/* ---- layouts ---- */

typedef struct hwri_bool {
    uint64_t value;
} hwri_bool;

typedef struct hwri_int {
    int64_t value;
} hwri_int;

/* Outside of 64 bits: digits of 32 bits, the least first, the last not zero. */
typedef struct hwri_big {
    size_t length;
    int32_t sign; /* -1 or 1 */
    uint32_t digits[];
} hwri_big;

typedef struct hwri_float {
    double value;
} hwri_float;

/* The characters have the fewest bytes that the widest of them needs, which the type tells, and a zero behind them. A hash of 0 has not been asked for. */
typedef struct hwri_str {
    size_t length;
    uint32_t hash;
    unsigned char chars[]; /* at a multiple of four */
} hwri_str;

_Static_assert(offsetof(hwri_str, length) == 0, "hwri_length_first");

static inline bool hwri_is_str(const void *object) { return hwri_kind_in(hwr_type_of(object)) == HWR_STR; }
static inline unsigned hwri_str_width(const void *text) { return hwr_type_of(text)->item_size; }

typedef struct hwri_bytes {
    size_t length;
    unsigned char data[]; /* a zero behind it */
} hwri_bytes;

typedef struct hwri_bytearray {
    struct hwri_storage *storage; /* of bytes; NULL: empty */
    size_t length;
} hwri_bytearray;

typedef struct hwri_tuple {
    size_t length;
    void *items[];
} hwri_tuple;
_Static_assert(offsetof(hwri_tuple, length) == 0, "hwri_length_first");

/* The first `length` items of a storage are the list's: see storage.c. */
typedef struct hwri_list {
    struct hwri_storage *storage; /* NULL: empty */
    size_t length;
} hwri_list;

/* A list that keeps its items one way: see array.c. */
typedef struct hwri_array {
    hwri_list list; /* first */
    char code;
    uint8_t log_size; /* of an item: 0 to 3 */
    uint8_t meaning;
} hwri_array;
/* See attributes.c. */
typedef struct hwri_object {
    struct hwri_shape *shape;
    void *values[];
} hwri_object;

/* Any of the types of storage. `room` items; slots beyond those in use are NULL. */
typedef struct hwri_storage {
    size_t room;
    union {
        void *objects[1]; /* more than one as a rule */
        int8_t ints1[1];
        int16_t ints2[1];
        int32_t ints4[1];
        int64_t ints8[1];
        double doubles[1];
    } as;
} hwri_storage;

/* A dict or a set: see table.c. */
typedef struct hwri_table {
    struct hwri_storage *entries; /* NULL: no room */
    struct hwri_storage *index;   /* NULL: few entries */
    uint32_t used;                /* entries, gaps included */
    uint32_t live;                /* without the gaps */
    uint64_t tags;  /* without an index: four bits of each entry's hash; with one: the logarithm of its slots */
    uint32_t added; /* how many entries were ever added */
} hwri_table;

/* ---- the state that a heap has for its kinds ---- */

enum {
    HWRI_LEAST_SHARED = -5,
    HWRI_MOST_SHARED = 256,
    HWRI_SECRET_SIZE = 192,
    HWRI_HELD_SHAPES = 64,
    HWRI_MOST_SPARES = 80
};
/* What a dict, and a list of references, get room for at first. */
enum { HWRI_FIRST_ENTRIES = 5, HWRI_FIRST_ROOM = 4 };

typedef struct hwri_spares {
    unsigned count;
    void *objects[HWRI_MOST_SPARES];
} hwri_spares;

struct hwri_kinds {
    void *none, *bools[2], *empty_str, *empty_bytes, *empty_tuple;
    void *ints[HWRI_MOST_SHARED - HWRI_LEAST_SHARED + 1];
    void *characters[256];
    struct hwri_interned *interned; /* intern.c */
    unsigned char secret[HWRI_SECRET_SIZE];
    void *held_shapes[HWRI_HELD_SHAPES]; /* shape.c: those that were made last, owned; a ring */
    unsigned next_held;
    hwri_spares spares[2];            /* spare.c: lists, dicts */
    struct hwri_traced_kinds *traced; /* traced.c; NULL: a counting heap */
};

/* ---- making leaves ---- */

/* A new leaf of a type, `size` bytes without the header, of which nothing has been written; with items, the caller writes the length. NULL without memory. */
static inline void *hwri_new_leaf(hwr_heap *heap, const hwr_type *type, size_t size) {
    size_t block_size = (size + 7) / 8 * 8 + HWRI_HEADER_SIZE;
    if (hwri_likely(hwri_counts_inline(heap) && block_size <= HWRI_DIRECT_BYTES)) {
        uint64_t *header =
            hwri_pool_alloc(heap->leaves, block_size < HWRI_LEAST_BLOCK ? HWRI_LEAST_BLOCK : block_size, false);
        if (hwri_likely(header != NULL)) {
            *header = HWRI_COUNT_ONE | (uint64_t)(uintptr_t)type | HWRI_UNTRACKED;
            return header + 1;
        }
    }
    return hwri_new_leaf_slow(heap, type, size);
}

/* ---- by bytes ---- */

/* A hash of bytes that nobody can foresee who does not know the heap's secret. */
uint64_t hwri_hash_bytes(const hwr_heap *heap, const void *data, size_t size);
uint32_t hwri_hash_str(hwr_heap *heap, const void *text); /* never 0; kept in it */
hwr_result hwri_hash_identity(hwr_heap *heap, const void *object,
                              uint64_t *hash); /* HWR_NO_MEMORY where ids need some */

/* ---- text that is being made (writer.c) ---- */

/* The containers that are being written, the innermost first: each function that writes one has its link on the C stack. */
typedef struct hwri_inside {
    const void *container;
    const struct hwri_inside *outer;
} hwri_inside;

/* UTF-8 that grows. Once memory is short nothing is written any more; the end tells. */
typedef struct hwri_writer {
    hwr_heap *heap;
    char *text;
    size_t size, room;
    bool failed;
    const hwri_inside *inside;
} hwri_writer;
static inline bool hwri_is_inside(const hwri_writer *writer, const void *container) {
    const hwri_inside *link = writer->inside;
    while (link && link->container != container) link = link->outer;
    return link != NULL;
}
void hwri_write(hwri_writer *writer, const char *text, size_t size);
void hwri_write_text(hwri_writer *writer, const char *text); /* up to its zero */
void hwri_write_char(hwri_writer *writer, uint32_t code_point);
hwr_result hwri_writer_end(hwri_writer *writer, void **text); /* a new str, and the writer is empty */

/* ---- what each kind does ---- */

/* Each gets objects of its own kind only, both of them; those of ints also bools, those of floats any numbers of which one is a float, those of bytes also
 * bytearrays. `depth` is how deep it is nested, from 0. NULL: by identity; no order; no hash; no length (always true). */
typedef struct hwri_kind_ops {
    hwr_result (*equal)(hwr_heap *heap, const void *a, const void *b, unsigned depth, bool *equal);
    hwr_result (*compare)(hwr_heap *heap, const void *a, const void *b, unsigned depth, int *order);
    hwr_result (*hash)(hwr_heap *heap, const void *object, unsigned depth, uint64_t *hash);
    size_t (*length)(const void *object);
    hwr_result (*repr)(hwr_heap *heap, const void *object, unsigned depth, hwri_writer *writer);
} hwri_kind_ops;
extern const hwri_kind_ops hwri_none_ops, hwri_number_ops, hwri_float_ops, hwri_str_ops, hwri_bytes_ops,
    hwri_bytearray_ops, hwri_tuple_ops, hwri_list_ops, hwri_dict_ops, hwri_set_ops, hwri_array_ops, hwri_range_ops,
    hwri_object_ops;

/* hwr_equal and so on from within: with the depth that the caller is at. */
hwr_result hwri_equal(hwr_heap *heap, const void *a, const void *b, unsigned depth, bool *equal);
hwr_result hwri_compare(hwr_heap *heap, const void *a, const void *b, unsigned depth, int *order);
hwr_result hwri_hash(hwr_heap *heap, const void *object, unsigned depth, uint64_t *hash);
hwr_result hwri_repr(hwr_heap *heap, const void *object, unsigned depth, hwri_writer *writer);

/* Whether a list or tuple or dict with this in it can be part of a cycle: whether the collector looks at it. */
static inline bool hwri_is_leaf(const void *object) { return *hwri_header(object) & HWRI_UNTRACKED; }

/* ---- spare.c ---- */

/* An empty dict or list that had died, with some storage; NULL: there is none. */
void *hwri_spare_take(hwr_heap *heap, enum hwri_kind_type which);

/* ---- opening: each makes its part of heap->kinds; false without memory ---- */

bool hwri_numbers_open(hwr_heap *heap, struct hwri_kinds *kinds);
bool hwri_texts_open(hwr_heap *heap, struct hwri_kinds *kinds);
bool hwri_tuples_open(hwr_heap *heap, struct hwri_kinds *kinds);

/* Whether an object that is to be shared has been made, and will stay: tracing heaps are shown it. */
static inline bool hwri_is_kept(hwr_heap *heap, void *object) {
    return object && (heap->tracing || hwr_make_immortal(heap, object));
}

/* ---- traced.c ---- */

bool hwri_traced_kinds_open(hwr_heap *heap, struct hwri_kinds *kinds);
void hwri_traced_kinds_close(hwr_heap *heap, struct hwri_kinds *kinds);

/* Around looking at and changing what threads share on a tracing heap. Nobody makes an object in between. */
void hwri_kinds_lock(hwr_heap *heap);
void hwri_kinds_unlock(hwr_heap *heap);

void hwri_traced_interned(hwr_heap *heap, void *text); /* it has come into the table; with the lock held */

/* intern.c, for a collection. Brings a str that is in the table to another address, or out of it (NULL); all of them, to where `now` says, and tells `note` of those that stay. */
void hwri_interned_moves(hwr_heap *heap, const void *text, const void *now);
void hwri_interned_review(hwr_heap *heap, void *(*now)(void *context, void *text),
                          void (*note)(void *context, void *text), void *context);

/* The shared one, if there is one, of an int or character. */
static inline void *hwri_shared_int(hwr_heap *heap, int64_t value) {
    if ((uint64_t)value - (uint64_t)(int64_t)HWRI_LEAST_SHARED > HWRI_MOST_SHARED - HWRI_LEAST_SHARED) return NULL;
    void *shared = heap->kinds->ints[value - HWRI_LEAST_SHARED];
    hwr_retain(heap, shared);
    return shared;
}

#endif
