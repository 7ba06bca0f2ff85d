/* The few atomic operations that are used, on plain integers and pointers: so that the same field can be accessed without
 * atomics by a pool that one thread uses. */
#ifndef HWRI_RAW_ATOMIC_H
#define HWRI_RAW_ATOMIC_H

#define hwri_load_relaxed(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define hwri_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define hwri_store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define hwri_add_relaxed(p, v) __atomic_fetch_add((p), (v), __ATOMIC_RELAXED)
#define hwri_exchange_acquire(p, v) __atomic_exchange_n((p), (v), __ATOMIC_ACQUIRE)
#define hwri_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
/* On failure *expected becomes the value found. */
#define hwri_cas_release(p, expected, v)                                                                               \
    __atomic_compare_exchange_n((p), (expected), (v), true, __ATOMIC_RELEASE, __ATOMIC_RELAXED)

#define hwri_likely(x) __builtin_expect(!!(x), 1)
#define hwri_unlikely(x) __builtin_expect(!!(x), 0)

/* Where a function that is passed is to be compiled in. */
#if defined(__GNUC__)
#define HWRI_INLINE static inline __attribute__((always_inline))
#else
#define HWRI_INLINE static inline
#endif

#endif
