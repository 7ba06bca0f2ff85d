/* kinds: the values of a language like Python's, ready-made: None, bool, int, float, str, bytes, bytearray, tuple, list, dict, set, array, range, iterators,
 * and objects with named attributes. Each has its own way of using memory (docs/kinds.md). They are objects of a heap like any other, and do not know which collector it has.
 *
 * One rule says who owns what: an object that a function returns, or puts where a pointer of the caller's leads to, is the caller's to release; what is passed to a
 * function stays the caller's, and containers add references of their own to what they hold. The exceptions have `peek` in their names: what those show is
 * borrowed, and there as long as the container holds it.
 *
 * Errors are values. A function that can fail for want of memory only returns NULL or false then; one that can fail in several ways returns an hwr_result. After
 * a failure everything is as it was before.
 *
 * Thread rule: as heap.h.
 */
#ifndef HEAPWRIGHT_KINDS_H
#define HEAPWRIGHT_KINDS_H

#include "heap.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hwr_result {
    HWR_OK = 0,
    HWR_NO_MEMORY,
    HWR_WRONG_KIND,   /* TypeError: the operation is not for objects of this kind */
    HWR_BAD_VALUE,    /* ValueError: text that is no number, bytes that are no UTF-8, ... */
    HWR_NOT_FOUND,    /* KeyError, AttributeError: there is none */
    HWR_OUT_OF_RANGE, /* IndexError, OverflowError: no such position; a number that does not fit */
    HWR_DIVIDED_BY_ZERO,
    HWR_UNHASHABLE, /* TypeError: a list, a dict, ... where a key is wanted */
    HWR_CHANGED,    /* RuntimeError: a container was changed while somebody went through it */
    HWR_END,        /* StopIteration: there are no more; not an error */
    HWR_RESULTS
} hwr_result;

/* What a result says, in words: "no memory". Never NULL; static storage. Any thread. */
HWR_API const char *hwr_result_text(hwr_result result);

typedef enum hwr_kind {
    HWR_NO_KIND, /* an object of a type of the program's own */
    HWR_NONE,
    HWR_BOOL,
    HWR_INT,
    HWR_FLOAT,
    HWR_STR,
    HWR_BYTES,
    HWR_BYTEARRAY,
    HWR_TUPLE,
    HWR_LIST,
    HWR_DICT,
    HWR_SET,
    HWR_ARRAY,
    HWR_RANGE,
    HWR_ITERATOR,
    HWR_OBJECT,
    HWR_KINDS
} hwr_kind;

/* Prepares a heap for the kinds: makes what they share (small integers, single characters, a secret for hashing). To be called once before anything else of them;
 * again does nothing. Returns false without memory, if the system has no random bytes for the secret, or if the heap traces and does not scan stacks (HWR_ROOTS_EXACT): what is done here
 * holds objects in local variables. On a tracing heap one thread opens them, before others use them. */
HWR_API bool hwr_kinds_open(hwr_heap *heap);

/* The kind of any object of a heap, a few instructions; and the name that Python has for it: "int". */
static inline hwr_kind hwr_kind_of(const void *object);
HWR_API const char *hwr_kind_name(hwr_kind kind);

/* The one None, True, False of a heap. They are immortal, but owned like everything else. */
HWR_API void *hwr_none(hwr_heap *heap);
HWR_API void *hwr_bool(hwr_heap *heap, bool value);

/* ---- what all kinds have ---- */

/* Whether two objects are equal, as == says in Python: by value for the kinds, ints with floats and bools included; by identity otherwise. *equal is set if HWR_OK is
 * returned. Fails with HWR_NO_MEMORY, or HWR_BAD_VALUE when containers are nested more than HWR_DEPTH_MOST deep. */
HWR_API hwr_result hwr_equal(hwr_heap *heap, const void *a, const void *b, bool *equal);

/* Which of two comes first: *order is negative, 0 or positive. Numbers, strs, bytes, and lists or tuples of these; otherwise HWR_WRONG_KIND. A NaN: HWR_BAD_VALUE. */
HWR_API hwr_result hwr_compare(hwr_heap *heap, const void *a, const void *b, int *order);

/* A hash: equal objects have equal ones, in this heap. HWR_UNHASHABLE for what can change. By identity for objects of the program's own types; on a
 * tracing heap, which keeps ids in a table, that can be HWR_NO_MEMORY, here and where such an object is a key. */
HWR_API hwr_result hwr_hash(hwr_heap *heap, const void *object, uint64_t *hash);

/* Whether it counts as true: not None, not False, not zero, not empty. How many items it has; HWR_WRONG_KIND if it is no container and no text. */
HWR_API bool hwr_truth(const void *object);
HWR_API hwr_result hwr_length(const void *object, size_t *length);

/* A new str as Python's repr() would write the object; "..." for a container inside itself. */
HWR_API hwr_result hwr_repr(hwr_heap *heap, const void *object, void **text);

enum { HWR_DEPTH_MOST = 1000 };

/* ---- not for use by name: what is inline ---- */

/* The kinds' types have the kind in their flags. */
enum { HWRI_TYPE_KIND_SHIFT = 8 };
static inline hwr_kind hwr_kind_of(const void *object) {
    return (hwr_kind)(hwr_type_of(object)->flags >> HWRI_TYPE_KIND_SHIFT);
}

/* Strs and tuples begin with their length. */
static inline size_t hwri_length_first(const void *object) {
    size_t length;
    memcpy(&length, object, sizeof length);
    return length;
}

#ifdef __cplusplus
}
#endif

#endif
