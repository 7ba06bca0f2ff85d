/* What all backends share: rounding and refusing, the limit, the accounting, injected faults, the lock. */
#include "heapwright/raw.h"

#include <string.h>

#include "raw/backend.h"

hwr_raw *hwr_raw_open(const hwr_raw_options *options) {
    hwr_raw_options o = {.size = sizeof o, .kind = HWR_RAW_SYSTEM};
    if (options && options->size < offsetof(hwr_raw_options, buffer)) return NULL;
    if (options) memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
    hwr_raw *raw = NULL;
    switch (o.kind) {
    case HWR_RAW_SYSTEM: raw = hwri_system_open(); break;
    case HWR_RAW_MALLOC: raw = hwri_malloc_open(); break;
    case HWR_RAW_BUFFER: raw = hwri_buffer_open(o.buffer, o.buffer_size); break;
    }
    return raw ? hwri_raw_begin(raw, o.limit) : NULL;
}

hwr_raw *hwri_raw_begin(hwr_raw *raw, size_t limit) {
    raw->stats.limit = limit;
    hwri_mutex_init(&raw->lock);
    raw->fork_lock = (hwri_fork_lock){.mutex = &raw->lock, .rank = HWRI_RANK_RAW};
    if (!hwri_fork_register(&raw->fork_lock)) {
        raw->backend->close(raw);
        return NULL;
    }
    return raw;
}

void hwr_raw_close(hwr_raw *raw) {
    if (!raw) return;
    hwri_fork_unregister(&raw->fork_lock);
    hwri_mutex_destroy(&raw->lock);
    raw->backend->close(raw);
}

/* Counts a call of `operation`, and says whether a fault is injected into it. */
static bool injected(hwr_raw *raw, unsigned operation) {
    if (!(raw->fault.mask & operation) || raw->fault.countdown == 0) return false;
    if (raw->fault.countdown > 1) {
        raw->fault.countdown--;
        return false;
    }
    if (!raw->fault.for_good) raw->fault.countdown = 0;
    return true;
}

static bool over_limit(const hwr_raw *raw, size_t more) {
    const hwr_raw_stats *s = &raw->stats;
    return s->limit && (more > s->limit || s->committed > s->limit - more);
}

static void count_committed(hwr_raw *raw, size_t size) {
    raw->stats.committed += size;
    if (raw->stats.committed > raw->stats.peak_committed) raw->stats.peak_committed = raw->stats.committed;
}

/* `size` in whole pages, or 0 if it makes no sense. */
static size_t whole_pages(const hwr_raw *raw, size_t size) {
    return size > (size_t)PTRDIFF_MAX ? 0 : hwri_align_up(size, raw->page_size);
}

static void *reserve_locked(hwr_raw *raw, size_t size, size_t alignment) {
    raw->stats.reserve_calls++;
    void *address = NULL;
    if (size && (alignment & (alignment - 1)) == 0 && !injected(raw, HWR_FAULT_RESERVE))
        address = raw->backend->reserve(raw, size, alignment > raw->page_size ? alignment : raw->page_size);
    if (address)
        raw->stats.reserved += size;
    else
        raw->stats.failures++;
    return address;
}

static bool commit_locked(hwr_raw *raw, void *address, size_t size) {
    raw->stats.commit_calls++;
    bool done = !injected(raw, HWR_FAULT_COMMIT) && !over_limit(raw, size) &&
                (!raw->backend->commit || raw->backend->commit(raw, address, size));
    if (done)
        count_committed(raw, size);
    else
        raw->stats.failures++;
    return done;
}

static void release_locked(hwr_raw *raw, void *address, size_t size, size_t committed) {
    raw->stats.release_calls++;
    raw->backend->release(raw, address, size);
    raw->stats.reserved -= size;
    raw->stats.committed -= committed;
    raw->stats.given_back += committed;
}

void *hwr_raw_reserve(hwr_raw *raw, size_t size, size_t alignment) {
    hwri_mutex_lock(&raw->lock);
    void *address = reserve_locked(raw, whole_pages(raw, size), alignment);
    hwri_mutex_unlock(&raw->lock);
    return address;
}

void *hwr_raw_reserve_table(hwr_raw *raw, size_t size, bool *committed) {
    size = whole_pages(raw, size);
    hwri_mutex_lock(&raw->lock);
    void *address = reserve_locked(raw, size, 0);
    if (address) {
        bool sparse = raw->backend->make_readable != NULL;
        bool done = sparse ? raw->backend->make_readable(raw, address, size) : commit_locked(raw, address, size);
        if (!done) {
            release_locked(raw, address, size, 0);
            address = NULL;
        } else if (!sparse) {
            memset(address, 0, size);
        }
        *committed = !sparse;
    }
    hwri_mutex_unlock(&raw->lock);
    return address;
}

bool hwr_raw_commit(hwr_raw *raw, void *address, size_t size) {
    hwri_mutex_lock(&raw->lock);
    bool done = commit_locked(raw, address, size);
    hwri_mutex_unlock(&raw->lock);
    return done;
}

void hwr_raw_decommit(hwr_raw *raw, void *address, size_t size) {
    hwri_mutex_lock(&raw->lock);
    raw->stats.decommit_calls++;
    raw->stats.committed -= size;
    if (raw->backend->decommit) {
        raw->backend->decommit(raw, address, size);
        raw->stats.given_back += size;
    }
    hwri_mutex_unlock(&raw->lock);
}

void hwr_raw_release(hwr_raw *raw, void *address, size_t size, size_t committed) {
    hwri_mutex_lock(&raw->lock);
    release_locked(raw, address, whole_pages(raw, size), committed);
    hwri_mutex_unlock(&raw->lock);
}

void *hwr_raw_resize(hwr_raw *raw, void *address, size_t old_size, size_t new_size, size_t alignment) {
    old_size = whole_pages(raw, old_size);
    new_size = whole_pages(raw, new_size);
    if (!raw->backend->resize || new_size == 0) return NULL;
    hwri_mutex_lock(&raw->lock);
    void *result = NULL;
    if (!injected(raw, HWR_FAULT_RESIZE) && (new_size <= old_size || !over_limit(raw, new_size - old_size)))
        result = raw->backend->resize(raw, address, old_size, new_size,
                                      alignment > raw->page_size ? alignment : raw->page_size);
    if (!result) {
        raw->stats.failures++;
    } else if (new_size > old_size) {
        raw->stats.reserved += new_size - old_size;
        count_committed(raw, new_size - old_size);
    } else {
        raw->stats.reserved -= old_size - new_size;
        raw->stats.committed -= old_size - new_size;
        raw->stats.given_back += old_size - new_size;
    }
    hwri_mutex_unlock(&raw->lock);
    return result;
}

void hwr_raw_hint_huge(hwr_raw *raw, void *address, size_t size, bool on) {
    if (raw->backend->hint_huge) raw->backend->hint_huge(address, size, on);
}

size_t hwr_raw_page_size(const hwr_raw *raw) { return raw->page_size; }

bool hwr_raw_is_zeroed(const hwr_raw *raw) { return raw->backend->zeroed; }

void hwri_raw_memory(const hwr_raw *raw, hwri_memory *memory) {
    uintptr_t start;
    *memory = (hwri_memory){.total = hwri_raw_extent(raw, &start), .used = raw->stats.committed};
    if (memory->total == 0) hwri_system_memory(memory);
}

bool hwri_raw_is_sparse(const hwr_raw *raw) { return raw->backend->make_readable != NULL; }

size_t hwri_raw_extent(const hwr_raw *raw, uintptr_t *start) {
    *start = (uintptr_t)raw->buffer.pages;
    return raw->buffer.count * raw->page_size;
}

uint64_t hwr_raw_now(const hwr_raw *raw) {
    if (!raw->backend->now) return 0;
    uint64_t time = raw->backend->now();
    if (!raw->backend->steps_back) return time;
    hwr_raw *r = (hwr_raw *)(uintptr_t)raw;
    hwri_mutex_lock(&r->lock);
    if (time > r->latest) r->latest = time;
    time = r->latest;
    hwri_mutex_unlock(&r->lock);
    return time;
}

void hwr_raw_get_stats(const hwr_raw *raw, hwr_raw_stats *stats) {
    hwr_raw *r = (hwr_raw *)(uintptr_t)raw;
    hwri_mutex_lock(&r->lock);
    *stats = r->stats;
    hwri_mutex_unlock(&r->lock);
}

void hwr_raw_set_limit(hwr_raw *raw, size_t limit) {
    hwri_mutex_lock(&raw->lock);
    raw->stats.limit = limit;
    hwri_mutex_unlock(&raw->lock);
}

void hwr_raw_inject_fault(hwr_raw *raw, unsigned mask, uint64_t nth, bool for_good) {
    hwri_mutex_lock(&raw->lock);
    raw->fault.mask = mask;
    raw->fault.countdown = nth;
    raw->fault.for_good = for_good;
    hwri_mutex_unlock(&raw->lock);
}
