/* A reproducible stream of random numbers: splitmix64, one word of state, the same everywhere. */
#ifndef TEST_SUPPORT_RANDOM_H
#define TEST_SUPPORT_RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct random_stream {
    uint64_t state;
} random_stream;

static inline uint64_t random_next(random_stream *stream) {
    uint64_t z = stream->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline size_t random_below(random_stream *stream, size_t bound) { return (size_t)(random_next(stream) % bound); }

/* Sizes as programs ask for them: mostly small, sometimes some KiB, rarely a large block. */
static inline size_t random_size(random_stream *stream) {
    size_t kind = random_below(stream, 256);
    if (kind < 200) return random_below(stream, 257);
    if (kind < 245) return random_below(stream, 4097);
    if (kind < 255) return random_below(stream, 65537);
    return random_below(stream, 1u << 20);
}

#endif
