/* raw: chunks of memory, the bottom floor.
 *
 * A raw allocator hands out ranges of addresses in whole system pages. A range is first *reserved* (addresses only), then
 * parts of it are *committed* (usable, zero when first touched), *decommitted* (content lost, memory given back, addresses
 * kept) and in the end it is *released*. The same calls work over the operating system, over malloc and free alone, and over
 * a buffer of the caller's; what a backend cannot do (give memory back, say) it does in name only, and the accounting
 * says so.
 *
 * Thread rule: every function here may be called from any thread at any time, except open and close, which nothing else may
 * overlap; ranges themselves belong to whoever reserved them. On a platform without threads there is no lock.
 */
#ifndef HEAPWRIGHT_RAW_H
#define HEAPWRIGHT_RAW_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hwr_raw hwr_raw;

typedef enum hwr_raw_kind {
    HWR_RAW_SYSTEM, /* the operating system: mmap and its kin */
    HWR_RAW_MALLOC, /* malloc and free, nothing else: any C platform */
    HWR_RAW_BUFFER  /* memory that the caller owns: no system at all */
} hwr_raw_kind;

typedef struct hwr_raw_options {
    size_t size; /* sizeof(hwr_raw_options), so that fields can be added */
    hwr_raw_kind kind;
    void *buffer;       /* HWR_RAW_BUFFER: the memory, any alignment; it holds the bookkeeping too */
    size_t buffer_size; /* its size in bytes, at least 16 KiB */
    size_t limit;       /* most bytes that may be committed at once; 0: no limit */
} hwr_raw_options;

/* Numbers of bytes unless said; each is exact at some moment during the call. */
typedef struct hwr_raw_stats {
    size_t reserved;       /* addresses held now */
    size_t committed;      /* usable memory now: what counts against the limit */
    size_t peak_committed; /* the most that was ever committed */
    size_t given_back;     /* decommitted, or released while committed, over the whole life */
    size_t limit;          /* 0: none */
    size_t reserve_calls;  /* how often each operation was asked for, failures included */
    size_t commit_calls;
    size_t decommit_calls;
    size_t release_calls;
    size_t failures; /* how many of them failed */
} hwr_raw_stats;

/* Which operations a fault injection counts. */
enum { HWR_FAULT_RESERVE = 1, HWR_FAULT_COMMIT = 2, HWR_FAULT_RESIZE = 4, HWR_FAULT_ALL = 7 };

/* Opens a raw allocator. NULL options mean the system, without a limit. Returns NULL when the options make no sense (an
 * unknown kind, a buffer that is too small) or when there is no memory for the bookkeeping. */
HWR_API hwr_raw *hwr_raw_open(const hwr_raw_options *options);

/* Ends the allocator. What is still reserved is not released by this: whoever reserved it does that first, and
 * hwr_raw_get_stats tells what is left. (Ranges of a buffer end with the buffer.) NULL is allowed. */
HWR_API void hwr_raw_close(hwr_raw *raw);

/* Reserves `size` bytes of addresses at a multiple of `alignment` (a power of two, in bytes; 0 means the page size). The size
 * is rounded up to whole pages. Returns the address, or NULL: no addresses left, or a size or alignment that makes no sense.
 * Nothing may be read or written there before it is committed. */
HWR_API void *hwr_raw_reserve(hwr_raw *raw, size_t size, size_t alignment);

/* Like hwr_raw_reserve, for sparse tables: the range may be read at once and reads as zero; before a part is written it is
 * committed, by which what is there stays zero. A backend that cannot promise zeroes without memory commits and clears all
 * of it at once: *committed says which, and then no part is to be committed again. */
HWR_API void *hwr_raw_reserve_table(hwr_raw *raw, size_t size, bool *committed);

/* Makes `size` bytes at `address` usable; both are multiples of the page size, inside one reservation, and not committed yet.
 * Returns false, with nothing changed, at the limit or when the system has no memory. The memory reads as zero, unless
 * hwr_raw_is_zeroed says otherwise. */
HWR_API bool hwr_raw_commit(hwr_raw *raw, void *address, size_t size);

/* Takes back what hwr_raw_commit gave: the content is lost, the memory goes to the system if the backend can do that, the
 * addresses stay reserved. Never fails. */
HWR_API void hwr_raw_decommit(hwr_raw *raw, void *address, size_t size);

/* Gives back one whole reservation: exactly the address that hwr_raw_reserve (or hwr_raw_resize) returned and its size;
 * `committed` says how many bytes of it are committed at this moment. Never fails. */
HWR_API void hwr_raw_release(hwr_raw *raw, void *address, size_t size, size_t committed);

/* Changes the size of a reservation that is committed as a whole, keeping its content up to the smaller size; the new part is
 * committed. It may move, to a multiple of `alignment`, without copying where the system can do that (mremap). Returns the
 * new address; NULL, with nothing changed, if the backend cannot, at the limit, or without memory. */
HWR_API void *hwr_raw_resize(hwr_raw *raw, void *address, size_t old_size, size_t new_size, size_t alignment);

/* Advises the system to back a range with huge pages, or no longer to do so. Only advice: never fails. */
HWR_API void hwr_raw_hint_huge(hwr_raw *raw, void *address, size_t size, bool on);

/* Bytes of a page: the granularity of everything above; a power of two. */
HWR_API size_t hwr_raw_page_size(const hwr_raw *raw);

/* Whether freshly committed memory reads as zero. */
HWR_API bool hwr_raw_is_zeroed(const hwr_raw *raw);

/* A monotonic time in nanoseconds from an arbitrary start; always 0 on a backend without a clock (buffer). */
HWR_API uint64_t hwr_raw_now(const hwr_raw *raw);

/* Fills `stats`. */
HWR_API void hwr_raw_get_stats(const hwr_raw *raw, hwr_raw_stats *stats);

/* Sets the limit on committed bytes; 0 lifts it. A limit below what is committed now takes nothing away, it only refuses more. */
HWR_API void hwr_raw_set_limit(hwr_raw *raw, size_t limit);

/* For tests: of the operations in `mask` (HWR_FAULT_...), the `nth` from now (1 is the next) fails, and if `for_good` every
 * later one too. An nth of 0 stops the injection. The failure is the ordinary one: NULL or false, nothing changed. */
HWR_API void hwr_raw_inject_fault(hwr_raw *raw, unsigned mask, uint64_t nth, bool for_good);

#ifdef __cplusplus
}
#endif

#endif
