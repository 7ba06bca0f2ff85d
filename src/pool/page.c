/* The life of a page of small blocks: made when a class has no room left, full when its last block is handed out, listed again when
 * enough of them came back, returned when all did. The functions here run once in many allocations. */
#include <string.h>

#include "pool/free_map.h"

enum {
    CARVE_BYTES = 4096,   /* how much of a fresh page is put into its free list at once */
    PAGE_BLOCKS = 8,      /* a page has room for this many blocks at least, where memory allows it */
    REVIVE_FRACTION = 64, /* a full page is listed again when this part of it is free, if no other page has room */
    FULL_PAGES_SEEN = 4,  /* full pages looked at for that before a new one is made, those longest full first */
    BORROW_REACH = 8,     /* how many larger classes a block may be borrowed from */
    BORROW_BYTES = 4096,  /* what a class may waste by borrowing: a system page */
    FEW_BLOCKS = 64,      /* of empty pages with at most so many blocks only one is kept */
    SORT_PAGES = 8,       /* a class of fewer pages does not sort free lists, */
    SORT_FRACTION = 2     /* nor does a page of which less than this part is free */
};

const hwri_page hwri_no_page;

/* Makes direct[] agree with the first listed page of a class. */
static void update_direct(const hwr_pool *pool, hwri_local *local, unsigned class_number) {
    hwri_page *first = local->classes[class_number].listed.first;
    size_t from = class_number ? hwri_class_size(class_number - 1, pool->granule_shift) / 8 + 1 : 0;
    size_t to = hwri_class_size(class_number, pool->granule_shift) / 8;
    for (size_t i = from; i <= to && i < HWRI_DIRECT_ENTRIES; i++)
        local->direct[i] = first ? first : (hwri_page *)(uintptr_t)&hwri_no_page;
}

void hwri_local_init(hwri_local *local, hwr_pool *pool) {
    local->pool = pool;
    local->kept = NULL;
    for (size_t i = 0; i < HWRI_DIRECT_ENTRIES; i++) local->direct[i] = (hwri_page *)(uintptr_t)&hwri_no_page;
}

static void list_page(hwr_pool *pool, hwri_local *local, hwri_page *page, bool first) {
    hwri_page_list *listed = &local->classes[page->class_number].listed;
    uint32_t used = hwri_page_used(page);
    hwri_store_relaxed(&page->state, HWRI_PAGE_LISTED);
    hwri_store_relaxed(&page->until, used);
    if (first)
        hwri_list_add_first(listed, page);
    else
        hwri_list_add_last(listed, page);
    if (listed->first == page) update_direct(pool, local, page->class_number);
}

static void unlist_page(hwr_pool *pool, hwri_local *local, hwri_page *page) {
    hwri_page_list *listed = &local->classes[page->class_number].listed;
    bool first = listed->first == page;
    hwri_list_remove(listed, page);
    if (first) update_direct(pool, local, page->class_number);
}

/* A page that comes to serve allocation and of which most was freed, in whatever order: its blocks are handed out in order of address,
 * so that what is allocated together lies together. Not for a class of a few pages, which are in the cache anyway. */
static void sort_if_sparse(const hwri_local *local, hwri_page *page) {
    if (page->slices > 1 || local->classes[page->class_number].pages < SORT_PAGES) return;
    if (page->carved - hwri_page_used(page) >= page->capacity / SORT_FRACTION) hwri_free_sort(page);
}

static void make_full(hwr_pool *pool, hwri_local *local, hwri_page *page) {
    unlist_page(pool, local, page);
    hwri_store_relaxed(&page->state, HWRI_PAGE_FULL);
    hwri_store_relaxed(&page->until, hwri_page_wait(page));
    hwri_list_add_last(&local->classes[page->class_number].full, page);
    if (local->classes[page->class_number].listed.first)
        sort_if_sparse(local, local->classes[page->class_number].listed.first);
}

static void relist_full(hwr_pool *pool, hwri_local *local, hwri_page *page) {
    hwri_list_remove(&local->classes[page->class_number].full, page);
    list_page(pool, local, page, false);
}

/* Gives a listed page that is empty back to its chunk. */
static void return_page(hwr_pool *pool, hwri_local *local, hwri_page *page) {
    if (local->kept == page) local->kept = NULL;
    local->classes[page->class_number].pages--;
    unlist_page(pool, local, page);
    hwri_pool_lock(pool);
    hwri_slices_return(pool, page, 0);
    hwri_pool_unlock(pool);
}

/* Takes over the blocks that other threads freed; the page is LISTED or an ORPHAN. Returns how many. Costs a walk over them only if the
 * page has free blocks already. */
uint32_t hwri_page_collect_remote(hwri_page *page) {
    if (!hwri_load_relaxed(&page->remote)) return 0;
    uintptr_t remote = hwri_exchange_acquire(&page->remote, 0);
    hwri_block *first = hwri_remote_first(page, remote);
    if (page->free) {
        hwri_block *last = first;
        while (last->next) last = last->next;
        last->next = page->free;
    }
    page->free = first;
    hwri_count(&page->until, (uint32_t)0 - hwri_remote_count(remote), true);
    return hwri_remote_count(remote);
}

/* Puts the next blocks of a page that were never used into its free list, in order of address. They count as carved before
 * anybody can see them, so that a fork in between loses them instead of having them twice. */
static bool carve(hwri_page *page, bool shared) {
    uint32_t room = page->capacity - page->carved, count = CARVE_BYTES / page->block_size;
    if (!room) return false;
    if (count > room) count = room;
    if (!count) count = 1;
    char *first = page->start + (size_t)page->carved * page->block_size, *b = first;
    for (uint32_t i = 1; i < count; i++, b += page->block_size)
        ((hwri_block *)(void *)b)->next = (hwri_block *)(void *)(b + page->block_size);
    ((hwri_block *)(void *)b)->next = NULL;
    hwri_count(&page->carved, count, shared);
    hwri_store_release(&page->free, (hwri_block *)(void *)first);
    return true;
}

/* A fresh page: PAGE_BLOCKS blocks if there is a run of slices for that, otherwise one. The first page of a class may never be full: it is
 * made of memory that costs nothing before it is touched. Called with the lock. */
static hwri_page *make_page(hwr_pool *pool, unsigned class_number, bool first) {
    size_t block_size = hwri_class_size(class_number, pool->granule_shift), slice = hwri_slice_size(pool);
    size_t slices = 1;
    while (slices * slice < PAGE_BLOCKS * block_size && slices < pool->page_slices) slices *= 2;
    hwri_page *page = hwri_slices_take(pool, slices, 0, first);
    if (!page && slices > 1) page = hwri_slices_take(pool, (block_size + slice - 1) / slice, 0, first);
    if (!page) return NULL;
    if (pool->checked && !page->zeroed) memset(page->start, 0, page->slices * slice); /* no guards of earlier blocks */
    page->class_number = (uint16_t)class_number;
    page->block_size = (uint32_t)block_size;
    page->capacity = (uint32_t)(page->slices * slice / block_size);
    page->state = HWRI_PAGE_LISTED;
    return page;
}

/* Looks through some of the full pages for one with enough free blocks, be they freed by its owner or by other threads. */
static bool revive_full(hwr_pool *pool, hwri_local *local, unsigned class_number) {
    hwri_page_list *full = &local->classes[class_number].full;
    for (unsigned i = 0; i < FULL_PAGES_SEEN && full->first; i++) {
        hwri_page *page = full->first;
        uint32_t freed = hwri_page_wait(page) - page->until + hwri_remote_count(hwri_load_relaxed(&page->remote));
        if (freed > page->capacity / REVIVE_FRACTION) {
            relist_full(pool, local, page);
            return true;
        }
        hwri_list_remove(full, page);
        hwri_list_add_last(full, page);
    }
    return false;
}

static void own_page(hwr_pool *pool, hwri_local *local, hwri_page *page) {
    page->local = local;
    hwri_store_relaxed(&page->thread, local->thread);
    local->classes[page->class_number].pages++;
    list_page(pool, local, page, true);
}

static void adopt(hwr_pool *pool, hwri_local *local, hwri_page *page) {
    hwri_list_remove(&pool->orphans[page->class_number], page);
    own_page(pool, local, page);
}

/* Gives the class another listed page, new or not. */
static bool get_page(hwr_pool *pool, hwri_local *local, unsigned class_number) {
    if (revive_full(pool, local, class_number)) return true;
    hwri_pool_lock(pool);
    hwri_page *page = pool->orphans[class_number].first;
    if (page) {
        adopt(pool, local, page);
    } else if ((page = make_page(pool, class_number, local->classes[class_number].pages == 0)) != NULL) {
        own_page(pool, local, page);
    }
    hwri_pool_unlock(pool);
    return page != NULL;
}

static void *alloc_from(hwri_page *page, bool shared) {
    hwri_block *block = page->free;
    page->free = block->next;
    hwri_count(&page->until, 1, shared);
    return block;
}

/* A block of a larger class, for a class that has no page. It costs the difference in size, a page of its own at least a system page that
 * nobody else uses: so a class borrows until the differences add up to that. */
static void *borrow(hwr_pool *pool, hwri_local *local, unsigned class_number) {
    size_t size = hwri_class_size(class_number, pool->granule_shift);
    uint32_t *borrowed = &local->classes[class_number].borrowed;
    if (*borrowed > BORROW_BYTES) return NULL;
    for (unsigned c = class_number + 1; c <= class_number + BORROW_REACH && c < pool->class_count; c++) {
        hwri_page *page = local->classes[c].listed.first;
        if (!page || (!page->free && !carve(page, pool->shared))) continue;
        *borrowed += page->block_size - (uint32_t)size;
        return alloc_from(page, pool->shared);
    }
    return NULL;
}

static void *alloc_in_class(hwr_pool *pool, hwri_local *local, unsigned class_number, bool exact) {
    hwri_page_list *listed = &local->classes[class_number].listed;
    for (;;) {
        hwri_page *page = listed->first;
        bool has_page = page || local->classes[class_number].full.first;
        void *borrowed = exact || has_page ? NULL : borrow(pool, local, class_number);
        if (borrowed) return borrowed;
        if (!page) {
            if (!get_page(pool, local, class_number)) return NULL;
        } else if (page->free || (pool->shared && hwri_page_collect_remote(page)) || carve(page, pool->shared)) {
            return alloc_from(page, pool->shared);
        } else {
            make_full(pool, local, page);
        }
    }
}

static void *alloc_or_trim(hwr_pool *pool, hwri_local *local, unsigned class_number, bool exact) {
    if (!local && !(local = hwri_local_attach(pool))) return NULL;
    void *block = alloc_in_class(pool, local, class_number, exact);
    if (!block) {
        hwr_pool_trim(pool, true);
        block = alloc_in_class(pool, local, class_number, exact);
    }
    return block;
}

void *hwri_page_alloc_slow(hwr_pool *pool, hwri_local *local, size_t size) {
    if (size > hwri_slice_size(pool)) return hwri_large_alloc(pool, size, 0);
    return alloc_or_trim(pool, local, hwri_class_of(size, pool->granule_shift), false);
}

void *hwri_page_alloc_exact(hwr_pool *pool, hwri_local *local, unsigned class_number) {
    return alloc_or_trim(pool, local, class_number, true);
}

/* The last page with room of its class is empty. It is kept; but of those with few blocks only one in all, since programs that use
 * one size of buffer after another would gather as many empty pages. */
static void keep_page(hwr_pool *pool, hwri_local *local, hwri_page *page) {
    hwri_store_relaxed(&page->until, HWRI_PAGE_KEPT);
    if (page->capacity > FEW_BLOCKS) return;
    hwri_page *kept = local->kept;
    if (kept && kept != page && kept->state == HWRI_PAGE_LISTED) {
        hwri_store_relaxed(&kept->until, kept->until & ~HWRI_PAGE_KEPT);
        if (kept->until == 0) return_page(pool, local, kept);
    }
    local->kept = page;
}

void hwri_page_free_event(hwr_pool *pool, hwri_page *page) {
    hwri_local *local = page->local;
    if (page->state == HWRI_PAGE_LARGE)
        hwri_large_free(pool, page);
    else if (page->state == HWRI_PAGE_FULL)
        relist_full(pool, local, page);
    else if (local->classes[page->class_number].listed.first == page && !page->next)
        keep_page(pool, local, page);
    else
        return_page(pool, local, page);
}

/* So many of a page's blocks have become free. The page may end of that with the last. */
static void count_freed(hwr_pool *pool, hwri_page *page, uint32_t count) {
    while (count) {
        uint32_t step = count < page->until ? count : page->until;
        count -= step;
        page->until -= step;
        if (!page->until) hwri_page_free_event(pool, page);
    }
}

void hwri_page_free_chain(hwr_pool *pool, hwri_page *page, hwri_block *first, hwri_block **end, uint32_t count) {
    *end = page->free;
    page->free = first;
    count_freed(pool, page, count);
}

void hwri_page_free_all(hwr_pool *pool, hwri_page *page) {
    uint32_t used = hwri_page_used(page);
    page->free = NULL;
    page->carved = 0;
    count_freed(pool, page, used);
}

void hwri_page_free_remote(hwr_pool *pool, hwri_page *page, hwri_block *block) {
    if (page->large_size) {
        hwri_large_free(pool, page);
        return;
    }
    uintptr_t remote = hwri_load_relaxed(&page->remote);
    do block->next = hwri_remote_first(page, remote);
    while (!hwri_cas_release(&page->remote, &remote, hwri_remote_with(page, remote, block)));
}

/* Returns the empty pages of a list of listed pages that belong to the calling thread. */
void hwri_local_trim(hwr_pool *pool, hwri_local *local) {
    for (unsigned c = 0; c < pool->class_count; c++) {
        if (pool->shared)
            for (hwri_page *page = local->classes[c].full.first, *next; page; page = next) {
                next = page->next;
                if (hwri_load_relaxed(&page->remote)) relist_full(pool, local, page);
            }
        for (hwri_page *page = local->classes[c].listed.first, *next; page; page = next) {
            next = page->next;
            hwri_page_collect_remote(page);
            if (hwri_page_used(page) == 0) return_page(pool, local, page);
        }
    }
}

/* Returns the orphans that have become empty. Called with the lock. */
void hwri_orphans_sweep(hwr_pool *pool) {
    for (unsigned c = 0; c < pool->class_count; c++)
        for (hwri_page *page = pool->orphans[c].first, *next; page; page = next) {
            next = page->next;
            hwri_page_collect_remote(page);
            if (hwri_page_used(page) == 0) {
                hwri_list_remove(&pool->orphans[c], page);
                hwri_slices_return(pool, page, 0);
            }
        }
}
