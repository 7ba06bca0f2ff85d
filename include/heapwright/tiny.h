/* tiny: a garbage-collected heap in a buffer of yours, from 1 KiB up.
 *
 * The buffer is all the memory that there is: a heap keeps everything in it, in no static variable and nowhere else, and calls nothing but memcpy and memset.
 * It needs no system, so it runs where there is none; and no closing: it ends with its buffer.
 *
 * A buffer is cut into *blocks*, of 16 bytes where pointers have 4 and of 32 where they have 8; an object is as many of them in a row as it needs. Collections mark
 * from *roots*: words that your function `roots` shows by hwr_tiny_mark. Roots and objects are read *conservatively*, word by word: a word that is the address of an object, its first byte,
 * is taken for a reference, and an address inside of one is not. So objects need no types, and they never move. An object that holds no references says so (HWR_TINY_LEAF) and is not
 * read: marking is faster, and what looks like a reference in it does no harm.
 *
 * Thread rule: a heap is used by one thread at a time, under the caller's lock. Different heaps have nothing in common.
 *
 * What a call costs: hwr_tiny_alloc searches on where it found the last such object, a word of bits for 32 or 64 blocks; hwr_tiny_used and hwr_tiny_available
 * read a counter; everything else is proportional to the object's size, or says so. Memory besides the blocks: 4 bits for each, 3.1 % of the buffer; the heap itself; and its mark stack,
 * a word an entry.
 *
 * A program for which every byte of code counts defines HWR_TINY_SMALL wherever it includes this and where it compiles tiny.c. Then a heap has one area and no weak references, HWR_TINY_LEAF makes objects that are read
 * like any other, and there are 3 bits for each block, 2.3 % of the buffer. The rest is the same. */
#ifndef HEAPWRIGHT_TINY_H
#define HEAPWRIGHT_TINY_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hwr_tiny hwr_tiny;

/* Kinds of object, for hwr_tiny_alloc: one of them, or 0. */
enum {
    HWR_TINY_LEAF = 1,    /* holds no references */
    HWR_TINY_FINALIZE = 2 /* is to be finalized; its references are looked at */
};

typedef struct hwr_tiny_options {
    size_t size; /* sizeof(hwr_tiny_options), so that fields can be added */
    /* Calls hwr_tiny_mark for everything outside of the heap that may hold references. NULL: there is nothing such. */
    void (*roots)(hwr_tiny *heap, void *context);
    /* Is told of each object with HWR_TINY_FINALIZE that nobody can reach any more, once, in no order that is promised. The object and all that it refers to are intact, and stay until the next collection; then
     * they are freed unless they have become reachable again. It may store the object somewhere, and free objects; memory is not to be had from the heap meanwhile. NULL: objects die unnoticed. */
    void (*finalize)(hwr_tiny *heap, void *object, void *context);
    void *context;     /* handed on to both */
    size_t mark_stack; /* entries; 0: 32. With more, large collections take a little less time */
    size_t threshold; /* collect when so many bytes have been allocated since the last time; 0: when there is no room */
} hwr_tiny_options;

/* Makes a heap in a buffer of any size and alignment. The options are not copied: they must be there, and stay as they are, as long as the heap (on a microcontroller they are best `static const`). Returns NULL if the buffer has no room
 * for the heap, its mark stack and one block, or the options are of a size that is not known. */
HWR_API hwr_tiny *hwr_tiny_open(void *buffer, size_t size, const hwr_tiny_options *options);

#ifndef HWR_TINY_SMALL
/* Adds another buffer to the heap. Objects do not extend over two. Returns false, with nothing changed, if it has no room for one block. */
HWR_API bool hwr_tiny_add(hwr_tiny *heap, void *buffer, size_t size);
#endif

/* A new object: `size` bytes, rounded up to whole blocks, all zero; `flags` are of the enumeration above. If there is no room, collects and searches again. Returns NULL if there is none then, for size 0, and inside
 * of `roots` and `finalize`. */
HWR_API void *hwr_tiny_alloc(hwr_tiny *heap, size_t size, unsigned flags);

/* Changes an object's size: where it lies, if that can be done; else, if it `may_move`, by a new object with its content and flags, and the old one is freed. What is new reads as zero. Returns the
 * object, or NULL with nothing changed: no room, size 0, or nothing of this heap's. */
HWR_API void *hwr_tiny_resize(hwr_tiny *heap, void *object, size_t size, bool may_move);

/* Frees an object at once, without finalizing it. Returns false, and does nothing, if there is no object of the heap's at this address: NULL, an address inside of an object, one freed before. (That it was freed
 * before cannot be seen any more when another object has taken its place.) An object that a weak reference leads to is not to be freed. */
HWR_API bool hwr_tiny_free(hwr_tiny *heap, void *object);

/* The bytes that an object takes, whole blocks; 0 if there is no object of the heap's at this address. */
HWR_API size_t hwr_tiny_size(hwr_tiny *heap, const void *object);

/* For `roots`: marks what `count` words refer to. Elsewhere it is not to be called. */
HWR_API void hwr_tiny_mark(hwr_tiny *heap, const void *words, size_t count);

/* For `roots`: marks what the processor's registers and the calling thread's stack refer to, up to `bottom`: the address of a variable in a function that called, directly or not, all those
 * that hold references in theirs. For compilers that know GCC's __builtin_unwind_init, and stacks that grow downwards. */
HWR_API void hwr_tiny_mark_stack(hwr_tiny *heap, const void *bottom);

/* Collects, and returns how many bytes were freed. Inside of `roots` and `finalize` it does nothing and returns 0. */
HWR_API size_t hwr_tiny_collect(hwr_tiny *heap);

/* Whether hwr_tiny_alloc and hwr_tiny_resize may collect; at first they may. Returns what was set before. */
HWR_API bool hwr_tiny_enable(hwr_tiny *heap, bool enable);

/* Sets the threshold, in bytes, as in the options. */
HWR_API void hwr_tiny_set_threshold(hwr_tiny *heap, size_t bytes);

/* Bytes in objects, and in free blocks. */
HWR_API size_t hwr_tiny_used(const hwr_tiny *heap);
HWR_API size_t hwr_tiny_available(const hwr_tiny *heap);

#ifndef HWR_TINY_SMALL
/* A weak reference: an object that leads to another without keeping it. It must be kept reachable itself. Returns NULL if there is no room, or no object at the address. */
HWR_API void *hwr_tiny_weak(hwr_tiny *heap, void *object);

/* What a weak reference leads to; NULL if a collection has found that nothing else did. */
HWR_API void *hwr_tiny_weak_get(const void *weak);
#endif

/* What is in a heap. In bytes, but for the number of objects. */
typedef struct hwr_tiny_info {
    size_t total;        /* all blocks */
    size_t used;         /* in objects */
    size_t objects;      /* number of objects */
    size_t largest;      /* the largest object */
    size_t largest_free; /* the most free bytes in a row: what hwr_tiny_alloc could give */
    size_t overhead;     /* of the buffers, for the heap itself, its planes and its mark stack */
} hwr_tiny_info;

/* Fills `info` by going through the whole heap. */
HWR_API void hwr_tiny_get_info(const hwr_tiny *heap, hwr_tiny_info *info);

#ifdef __cplusplus
}
#endif

#endif
