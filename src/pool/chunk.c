/* Chunks and slices: where pages come from, and how free memory goes back to the system. Everything here is called with the
 * pool's lock held. */
#include <string.h>

#include "pool/internal.h"
#include "raw/backend.h"

static const uint64_t FAST_STRETCH_TIME = 80000000; /* nanoseconds */
enum { HUGE_PAGE = 2 << 20, STRETCH = 8 << 20, SIDE_SLICES = 8 /* pages of several blocks have no more slices */ };

void hwri_pool_count_committed(hwr_pool *pool, size_t more, size_t less) {
    hwri_store_relaxed(&pool->committed, pool->committed + more - less); /* tracing heaps read it without the lock */
    if (pool->committed > pool->peak_committed) pool->peak_committed = pool->committed;
}

/* Bits. A run never leaves its chunk. */

static bool bit(const uint64_t *bits, size_t i) { return bits[i / 64] >> (i % 64) & 1; }

static void set_bits(uint64_t *bits, size_t first, size_t count, bool value) {
    for (size_t i = first; i < first + count; i++)
        if (value)
            bits[i / 64] |= (uint64_t)1 << (i % 64);
        else
            bits[i / 64] &= ~((uint64_t)1 << (i % 64));
}

/* The map from addresses to pages. */

/* Makes the part of the map that describes slices [first, first + count) writable. */
static bool map_commit(hwr_pool *pool, size_t first, size_t count) {
    if (pool->whole) return true;
    size_t page_size = hwr_raw_page_size(pool->raw), entry = sizeof(hwri_page *);
    size_t from = (offsetof(hwr_pool, map) + first * entry) / page_size;
    size_t to = (offsetof(hwr_pool, map) + (first + count) * entry - 1) / page_size;
    for (size_t i = from; i <= to; i++) {
        if (bit(pool->has_memory, i)) continue;
        if (!hwr_raw_commit(pool->raw, (char *)pool + i * page_size, page_size)) return false;
        set_bits(pool->has_memory, i, 1, true);
        hwri_pool_count_committed(pool, page_size, 0);
    }
    return true;
}

static void map_set(hwr_pool *pool, const hwri_chunk *chunk, size_t first, size_t count, hwri_page *page) {
    if (!chunk->in_window) return;
    size_t index = ((uintptr_t)chunk->base - pool->window) >> pool->slice_shift;
    for (size_t i = 0; i < count; i++) hwri_store_relaxed(&pool->map[index + first + i], page);
}

/* The sorted array of chunks. */

static size_t chunk_position(const hwr_pool *pool, uintptr_t address) {
    size_t low = 0, high = pool->chunk_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((uintptr_t)pool->chunks[middle]->base <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool chunks_make_room(hwr_pool *pool) {
    if (pool->chunk_count < pool->chunk_room) return true;
    size_t old_size = hwri_chunks_size(pool), size = old_size ? old_size * 2 : hwr_raw_page_size(pool->raw);
    hwri_chunk **chunks = hwr_raw_reserve(pool->raw, size, 0);
    if (!chunks) return false;
    if (!hwr_raw_commit(pool->raw, chunks, size)) {
        hwr_raw_release(pool->raw, chunks, size, 0);
        return false;
    }
    memcpy(chunks, pool->chunks, pool->chunk_count * sizeof *chunks);
    if (old_size) hwr_raw_release(pool->raw, pool->chunks, old_size, old_size);
    hwri_pool_count_committed(pool, size, old_size);
    pool->chunks = chunks;
    pool->chunk_room = size / sizeof(hwri_chunk *);
    return true;
}

static void chunks_insert(hwr_pool *pool, hwri_chunk *chunk) {
    size_t at = chunk_position(pool, (uintptr_t)chunk->base);
    memmove(&pool->chunks[at + 1], &pool->chunks[at], (pool->chunk_count - at) * sizeof(hwri_chunk *));
    pool->chunks[at] = chunk;
    pool->chunk_count++;
    if (!chunk->in_window) hwri_store_relaxed(&pool->far_chunks, pool->far_chunks + 1);
}

static void chunks_remove(hwr_pool *pool, const hwri_chunk *chunk) {
    size_t at = chunk_position(pool, (uintptr_t)chunk->base) - 1;
    pool->chunk_count--;
    memmove(&pool->chunks[at], &pool->chunks[at + 1], (pool->chunk_count - at) * sizeof(hwri_chunk *));
    if (!chunk->in_window) hwri_store_relaxed(&pool->far_chunks, pool->far_chunks - 1);
}

/* Whether all of the chunk can be described by the map; makes that part of it ready. */
static bool fits_window(hwr_pool *pool, const char *base, size_t size) {
    uintptr_t first = ((uintptr_t)base - pool->window) >> pool->slice_shift, count = size >> pool->slice_shift;
    return (uintptr_t)base >= pool->window && first < pool->map_slices && count <= pool->map_slices - first &&
           map_commit(pool, first, count);
}

static hwri_page *page_of_far(hwr_pool *pool, uintptr_t address) {
    size_t at = chunk_position(pool, address);
    hwri_chunk *chunk = at ? pool->chunks[at - 1] : NULL;
    if (!chunk || address - (uintptr_t)chunk->base >= chunk->size) return NULL;
    if (chunk->huge) return &chunk->pages[0];
    size_t slice = (address - (uintptr_t)chunk->base) >> pool->slice_shift;
    if (!bit(chunk->used, slice)) return NULL;
    while (chunk->pages[slice].state == HWRI_PAGE_UNUSED) slice--;
    return &chunk->pages[slice];
}

static hwri_page *page_mapped(hwr_pool *pool, const void *address) {
    uintptr_t slice = ((uintptr_t)address - pool->window) >> pool->slice_shift;
    return slice < pool->map_slices ? hwri_load_relaxed(&pool->map[slice]) : NULL;
}

hwri_page *hwri_page_of_locked(hwr_pool *pool, const void *address) {
    hwri_page *page = page_mapped(pool, address);
    return page ? page : page_of_far(pool, (uintptr_t)address);
}

hwri_page *hwri_page_of_any(hwr_pool *pool, const void *address) {
    hwri_page *page = page_mapped(pool, address);
    if (page || !hwri_load_relaxed(&pool->far_chunks)) return page;
    hwri_pool_lock(pool);
    page = page_of_far(pool, (uintptr_t)address);
    hwri_pool_unlock(pool);
    return page;
}

hwri_chunk *hwri_chunk_new(hwr_pool *pool, size_t slices, bool huge, size_t alignment) {
    size_t size = slices << pool->slice_shift;
    size_t pages_end = sizeof(hwri_chunk) + (huge ? 1 : slices) * sizeof(hwri_page);
    size_t described = hwri_in_pages(pool, pages_end + (huge ? 1 : slices) * pool->side_size);
    if (alignment < hwri_slice_size(pool)) alignment = hwri_slice_size(pool);
    if (alignment < HUGE_PAGE && size >= HUGE_PAGE) alignment = HUGE_PAGE;
    if (size >> pool->slice_shift != slices || !chunks_make_room(pool)) return NULL;

    hwri_chunk *chunk = hwr_raw_reserve(pool->raw, described, 0);
    if (!chunk) return NULL;
    bool has_memory = hwr_raw_commit(pool->raw, chunk, described);
    char *base = has_memory ? hwr_raw_reserve(pool->raw, size, alignment) : NULL;
    if (!base || (huge && !hwr_raw_commit(pool->raw, base, size))) {
        if (base) hwr_raw_release(pool->raw, base, size, 0);
        hwr_raw_release(pool->raw, chunk, described, has_memory ? described : 0);
        return NULL;
    }
    if (!hwr_raw_is_zeroed(pool->raw)) memset(chunk, 0, described);
    chunk->base = base;
    chunk->size = size;
    chunk->described_size = described;
    chunk->sides = (char *)chunk + pages_end;
    chunk->huge = huge;
    chunk->slices = (uint32_t)(huge ? 0 : slices);
    chunk->free_slices = chunk->slices;
    chunk->in_window = fits_window(pool, base, size);
    chunks_insert(pool, chunk);
    hwri_pool_count_committed(pool, described + (huge ? size : 0), 0);
    return chunk;
}

static size_t committed_slices(const hwri_chunk *chunk) {
    size_t n = 0;
    for (size_t i = 0; i < HWRI_CHUNK_WORDS; i++) n += (size_t)__builtin_popcountll(chunk->committed[i]);
    return n;
}

void hwri_chunk_free(hwr_pool *pool, hwri_chunk *chunk) {
    size_t described = chunk->described_size;
    size_t committed = chunk->huge ? chunk->size : committed_slices(chunk) << pool->slice_shift;
    if (chunk->huge) map_set(pool, chunk, 0, chunk->size >> pool->slice_shift, NULL);
    chunks_remove(pool, chunk);
    hwr_raw_release(pool->raw, chunk->base, chunk->size, committed);
    hwr_raw_release(pool->raw, chunk, described, described);
    hwri_pool_count_committed(pool, 0, committed + described);
    pool->given_back += committed;
}

void hwri_chunk_publish(hwr_pool *pool, hwri_page *page) {
    map_set(pool, page->chunk, 0, page->chunk->size >> pool->slice_shift, page);
}

bool hwri_chunk_resize(hwr_pool *pool, hwri_page *page, size_t slices) {
    hwri_chunk *chunk = page->chunk;
    size_t old_size = chunk->size, size = slices << pool->slice_shift;
    if (size >> pool->slice_shift != slices) return false;
    if (size == old_size) return true;
    char *base = hwr_raw_resize(pool->raw, chunk->base, old_size, size, hwri_slice_size(pool));
    if (!base) return false;
    map_set(pool, chunk, 0, old_size >> pool->slice_shift, NULL);
    chunks_remove(pool, chunk);
    chunk->base = page->start = base;
    chunk->size = page->large_size = size;
    chunk->in_window = fits_window(pool, base, size);
    chunks_insert(pool, chunk);
    hwri_chunk_publish(pool, page);
    hwri_pool_count_committed(pool, size, old_size);
    if (size < old_size) pool->given_back += old_size - size;
    return true;
}

/* Slices. */

/* The first free run of `count` slices at a multiple of `alignment` bytes, or chunk->slices. */
static size_t find_run(const hwr_pool *pool, const hwri_chunk *chunk, size_t count, size_t alignment) {
    size_t step = alignment >> pool->slice_shift ? alignment >> pool->slice_shift : 1;
    size_t offset = ((uintptr_t)chunk->base >> pool->slice_shift) & (step - 1);
    size_t first = offset ? step - offset : 0;
    while (first + count <= chunk->slices) {
        size_t i = 0;
        if (first % 64 == 0 && chunk->used[first / 64] == UINT64_MAX && step < 64) {
            first += 64;
            continue;
        }
        while (i < count && !bit(chunk->used, first + i)) i++;
        if (i == count) return first;
        first += (i / step + 1) * step;
    }
    return chunk->slices;
}

/* A free slice with memory or without, or chunk->slices. */
static size_t find_slice(const hwri_chunk *chunk, bool clean) {
    for (size_t w = 0; w < HWRI_CHUNK_WORDS; w++) {
        uint64_t bits = (clean ? ~chunk->committed[w] : chunk->committed[w]) & ~chunk->used[w];
        size_t slice = w * 64 + (size_t)(bits ? __builtin_ctzll(bits) : 0);
        if (bits) return slice < chunk->slices ? slice : chunk->slices;
    }
    return chunk->slices;
}

/* Commits what is not committed of a run. *fresh: all of it was not. */
static bool run_commit(hwr_pool *pool, hwri_chunk *chunk, size_t first, size_t count, bool *fresh) {
    *fresh = true;
    for (size_t i = first, n; i < first + count; i += n) {
        bool has = bit(chunk->committed, i);
        for (n = 1; i + n < first + count && bit(chunk->committed, i + n) == has;) n++;
        size_t size = n << pool->slice_shift;
        if (has) {
            *fresh = false;
        } else if (hwr_raw_commit(pool->raw, chunk->base + (i << pool->slice_shift), size)) {
            set_bits(chunk->committed, i, n, true);
            hwri_pool_count_committed(pool, size, 0);
        } else {
            return false;
        }
    }
    return true;
}

static void run_use(hwr_pool *pool, hwri_chunk *chunk, size_t first, size_t count, hwri_page *page) {
    set_bits(chunk->used, first, count, true);
    set_bits(chunk->aged, first, count, false);
    chunk->free_slices -= (uint32_t)count;
    map_set(pool, chunk, first, count, page);
}

/* Whether the pool takes a hundred megabytes a second or more. */
static bool grows_fast(hwr_pool *pool) {
    uint64_t before = pool->stretch_begun;
    pool->stretch_begun = hwr_raw_now(pool->raw);
    return before && pool->stretch_begun - before < FAST_STRETCH_TIME;
}

/* Huge pages make a large heap faster, since the processor looks fewer addresses up, and a small heap larger; and the first use of one may take
 * the system milliseconds. So they are asked for from a certain size on, while the heap grows fast, for a stretch that lies ahead; and no longer for the
 * surroundings of memory that was given back, which the system would fill up again otherwise. */
static void hint_ahead(hwr_pool *pool, hwri_chunk *chunk, size_t first) {
    if (first < chunk->considered || pool->committed < pool->huge_from) return;
    char *from = (char *)hwri_align_up((uintptr_t)chunk->base + (first << pool->slice_shift), HUGE_PAGE);
    char *to = from + STRETCH, *end = chunk->base + chunk->size;
    if (to > end) to = end;
    chunk->considered = (uint32_t)((size_t)(to - chunk->base) >> pool->slice_shift);
    if (!grows_fast(pool) || from >= end) return;
    hwr_raw_hint_huge(pool->raw, from, (size_t)(to - from), true);
    chunk->hinted = true;
}

static void unhint_around(hwr_pool *pool, const hwri_chunk *chunk, size_t first, size_t count) {
    if (!chunk->hinted) return;
    uintptr_t base = (uintptr_t)chunk->base, from = base + (first << pool->slice_shift);
    uintptr_t to = hwri_align_up(from + (count << pool->slice_shift), HUGE_PAGE);
    from &= ~((uintptr_t)HUGE_PAGE - 1);
    if (from < base) from = base;
    if (to > base + chunk->size) to = base + chunk->size;
    hwr_raw_hint_huge(pool->raw, chunk->base + (from - base), to - from, false);
}

/* Gives back up to `most` bytes of a chunk: free slices whose bits are set in `which`. */
static size_t chunk_give_back(hwr_pool *pool, hwri_chunk *chunk, const uint64_t *which, size_t most) {
    size_t given = 0, slice = hwri_slice_size(pool);
    for (size_t word = 0; word < HWRI_CHUNK_WORDS && given < most; word++) {
        uint64_t bits = which[word] & chunk->committed[word] & ~chunk->used[word];
        while (bits && given < most) {
            size_t first = (size_t)__builtin_ctzll(bits), count = 1;
            while (first + count < 64 && bits >> (first + count) & 1 && given + count * slice < most) count++;
            uint64_t run = (count < 64 ? ((uint64_t)1 << count) - 1 : UINT64_MAX) << first;
            size_t at = word * 64 + first;
            hwr_raw_decommit(pool->raw, chunk->base + at * slice, count * slice);
            unhint_around(pool, chunk, at, count);
            chunk->committed[word] &= ~run;
            chunk->aged[word] &= ~run;
            bits &= ~run;
            given += count * slice;
        }
    }
    hwri_pool_count_committed(pool, 0, given);
    pool->given_back += given;
    return given;
}

/* The pool has taken `bytes` of fresh memory although it has free memory, in pieces too small or too far apart: it gives back as
 * much of that. So what it holds grows only when what is in use grows. */
static void give_back_instead(hwr_pool *pool, size_t bytes) {
    for (size_t i = pool->chunk_count; i-- > 0 && bytes;) {
        hwri_chunk *chunk = pool->chunks[i];
        if (chunk->free_slices) bytes -= chunk_give_back(pool, chunk, chunk->committed, bytes);
    }
}

/* The page's part of the chunk's sides, cleared: an earlier page may have used it. A block that has many slices to itself begins in
 * the first. */
static char *fresh_side(const hwr_pool *pool, const hwri_chunk *chunk, size_t first, size_t count) {
    char *side = chunk->sides + first * pool->side_size;
    return memset(side, 0, (count < SIDE_SLICES ? count : SIDE_SLICES) * pool->side_size);
}

static hwri_page *take_from(hwr_pool *pool, hwri_chunk *chunk, size_t first, size_t count) {
    bool fresh;
    size_t before = pool->committed;
    hint_ahead(pool, chunk, first);
    if (!run_commit(pool, chunk, first, count, &fresh)) return NULL;
    hwri_page *page = &chunk->pages[first];
    *page = (hwri_page){.start = chunk->base + (first << pool->slice_shift), .slices = (uint32_t)count, .chunk = chunk};
    page->zeroed = fresh && hwr_raw_is_zeroed(pool->raw);
    page->side = fresh_side(pool, chunk, first, count);
    run_use(pool, chunk, first, count, page);
    give_back_instead(pool, pool->committed - before);
    return page;
}

/* Gives back free slices when it is time to. */
static void look_if_due(hwr_pool *pool) {
    if (pool->next_look && hwr_raw_now(pool->raw) >= pool->next_look) hwri_chunks_look(pool, false);
}

static hwri_page *take_slice(hwr_pool *pool, bool clean) {
    for (size_t i = 0; i < pool->chunk_count; i++) {
        hwri_chunk *chunk = pool->chunks[i];
        size_t first = chunk->free_slices ? find_slice(chunk, clean) : chunk->slices;
        hwri_page *page = first < chunk->slices ? take_from(pool, chunk, first, 1) : NULL;
        if (page) return page;
    }
    return NULL;
}

static hwri_page *take_run(hwr_pool *pool, size_t count, size_t alignment) {
    for (size_t i = 0; i < pool->chunk_count; i++) {
        hwri_chunk *chunk = pool->chunks[i];
        size_t first = chunk->free_slices >= count ? find_run(pool, chunk, count, alignment) : chunk->slices;
        hwri_page *page = first < chunk->slices ? take_from(pool, chunk, first, count) : NULL;
        if (page) return page;
    }
    return NULL;
}

static hwri_page *take_from_new_chunk(hwr_pool *pool, size_t count, size_t alignment) {
    for (size_t slices = pool->chunk_size >> pool->slice_shift; slices >= count; slices /= 2) {
        hwri_chunk *chunk = hwri_chunk_new(pool, slices, false, alignment);
        if (chunk) return take_from(pool, chunk, 0, count);
    }
    return NULL;
}

hwri_page *hwri_slices_take(hwr_pool *pool, size_t count, size_t alignment, bool clean) {
    look_if_due(pool);
    hwri_page *page = NULL;
    if (count == 1 && alignment <= hwri_slice_size(pool)) page = take_slice(pool, clean);
    if (!page) page = take_run(pool, count, alignment);
    if (!page) page = take_from_new_chunk(pool, count, alignment);
    return page;
}

bool hwri_slices_extend(hwr_pool *pool, hwri_page *page, size_t count) {
    hwri_chunk *chunk = page->chunk;
    size_t end = (size_t)(page - chunk->pages) + page->slices, more = count - page->slices;
    bool fresh;
    if (end + more > chunk->slices) return false;
    for (size_t i = end; i < end + more; i++)
        if (bit(chunk->used, i)) return false;
    if (!run_commit(pool, chunk, end, more, &fresh)) return false;
    run_use(pool, chunk, end, more, page);
    page->slices = (uint32_t)count;
    return true;
}

void hwri_slices_return(hwr_pool *pool, hwri_page *page, size_t keep) {
    if (page->table && !keep) pool->page_ends(pool->user, page);
    hwri_chunk *chunk = page->chunk;
    size_t first = (size_t)(page - chunk->pages) + keep, count = page->slices - keep;
    set_bits(chunk->used, first, count, false);
    chunk->free_slices += (uint32_t)count;
    map_set(pool, chunk, first, count, NULL);
    page->slices = (uint32_t)keep;
    if (!keep) hwri_store_relaxed(&page->state, HWRI_PAGE_UNUSED);
    pool->last_return = hwr_raw_now(pool->raw);
    if (!pool->next_look) pool->next_look = pool->last_return + pool->delay;
    look_if_due(pool);
}

/* Gives back what was free at the last look and still is (or all that is free, if `now`), and marks what is free now for
 * the next look. So memory goes back after one to two delays without use, and not after one busy moment. */
static void chunk_look(hwr_pool *pool, hwri_chunk *chunk, bool now, bool *aging) {
    chunk_give_back(pool, chunk, now ? chunk->committed : chunk->aged, SIZE_MAX);
    for (size_t w = 0; w < HWRI_CHUNK_WORDS; w++) {
        chunk->aged[w] = chunk->committed[w] & ~chunk->used[w];
        *aging |= chunk->aged[w] != 0;
    }
}

void hwri_chunks_look(hwr_pool *pool, bool now) {
    bool aging = false;
    uint64_t time = hwr_raw_now(pool->raw);
    if (!now && time < pool->next_look) return;
    if (time - pool->last_return >= pool->delay) now = true; /* all of it has been free for long enough */
    for (size_t i = pool->chunk_count; i-- > 0;) {
        hwri_chunk *chunk = pool->chunks[i];
        if (chunk->free_slices) chunk_look(pool, chunk, now, &aging);
        bool idle = !chunk->huge && chunk->free_slices == chunk->slices && committed_slices(chunk) == 0;
        if (idle && pool->chunk_count > 1) hwri_chunk_free(pool, chunk);
    }
    pool->next_look = aging ? time + pool->delay : 0;
}
