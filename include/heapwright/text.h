/* text: str, by the widest of its characters 1, 2 or 4 bytes for each as in Python (PEP 393); bytes; bytearray, which can change.
 *
 * Thread rule: as heap.h.
 */
#ifndef HEAPWRIGHT_TEXT_H
#define HEAPWRIGHT_TEXT_H

#include "kinds.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A str from UTF-8, of `size` bytes or up to the first zero byte. Surrogates and over-long forms are HWR_BAD_VALUE. The empty str and those of one character below 256 are shared. */
HWR_API hwr_result hwr_str(hwr_heap *heap, const char *utf8, void **text);
HWR_API hwr_result hwr_str_from(hwr_heap *heap, const char *utf8, size_t size, void **text);

/* How many characters (code points) a str has; the one at an index below that. */
static inline size_t hwr_str_length(const void *text);
HWR_API uint32_t hwr_str_at(const void *text, size_t index);

/* The bytes of a str of which all characters are ASCII, with a zero behind them, valid as long as it lives; NULL if some are not. */
HWR_API const char *hwr_str_ascii(const void *text);

/* Writes the str as UTF-8 with a zero behind it, if `room` bytes are enough for that, and returns how many it takes without the zero. */
HWR_API size_t hwr_str_utf8(const void *text, char *buffer, size_t room);

/* New strs: two one after the other; those of a list or tuple with `separator` between them; the characters from `from` up to `to` (cut to the length); `times` times.
 * HWR_WRONG_KIND if something is no str. HWR_CHANGED if memory was short and a finalizer changed the list meanwhile. */
HWR_API hwr_result hwr_str_concat(hwr_heap *heap, const void *a, const void *b, void **text);
HWR_API hwr_result hwr_str_join(hwr_heap *heap, const void *separator, const void *texts, void **text);
HWR_API hwr_result hwr_str_slice(hwr_heap *heap, const void *source, size_t from, size_t to, void **text);
HWR_API hwr_result hwr_str_repeat(hwr_heap *heap, const void *source, size_t times, void **text);

/* *text += tail. *text is the caller's reference, and is replaced; if it is the only one the str grows in its place, and has room for an eighth more after it had to move, so that
 * appending n times takes time in n. */
HWR_API hwr_result hwr_str_append(hwr_heap *heap, void **text, const void *tail);

/* Where `part` first occurs at or behind index `from`: HWR_NOT_FOUND if nowhere. Time in the length, but if there are characters above 255 at worst in the product of both. */
HWR_API hwr_result hwr_str_find(const void *text, const void *part, size_t from, size_t *index);

/* Replaces the caller's *text, a str, by the one of that content that all who ask for it share, as long as anybody holds it. False without memory. */
HWR_API bool hwr_str_intern(hwr_heap *heap, void **text);

/* The interned str of UTF-8, of `size` bytes: no other is made to look for it if it is all ASCII. HWR_BAD_VALUE if it is no UTF-8. */
HWR_API hwr_result hwr_str_interned(hwr_heap *heap, const char *utf8, size_t size, void **text);

/* bytes: a copy of `size` bytes (NULL: zeroed). The empty ones are shared. NULL without memory. */
HWR_API void *hwr_bytes(hwr_heap *heap, const void *data, size_t size);

/* Where the bytes are, never NULL, and how many; of bytes, with a zero behind them; of a bytearray, until its size changes. */
HWR_API const unsigned char *hwr_bytes_get(const void *bytes, size_t *size);

/* New ones, of the kind of the first, and each may be either: both one after the other; part, cut to the length. HWR_WRONG_KIND; HWR_CHANGED as above, of a bytearray. */
HWR_API hwr_result hwr_bytes_concat(hwr_heap *heap, const void *a, const void *b, void **bytes);
HWR_API hwr_result hwr_bytes_slice(hwr_heap *heap, const void *source, size_t from, size_t to, void **bytes);

/* bytearray: its bytes can be written; appending over-allocates. False and NULL without memory; making it smaller is never refused. */
HWR_API void *hwr_bytearray(hwr_heap *heap, const void *data, size_t size);
HWR_API unsigned char *hwr_bytearray_get(void *bytearray, size_t *size);
HWR_API bool hwr_bytearray_resize(hwr_heap *heap, void *bytearray, size_t size); /* new bytes are zero */
HWR_API bool hwr_bytearray_append(hwr_heap *heap, void *bytearray, const void *data, size_t size); /* also its own */

static inline size_t hwr_str_length(const void *text) { return hwri_length_first(text); }

#ifdef __cplusplus
}
#endif

#endif
