/* A thread's part of a shared pool: found by a table in thread-local storage, made at the thread's first allocation, given up at its
 * end. Pages of a thread that has ended are orphans: frees go to their remote lists, and the next thread that needs a page
 * of their class takes one over. */
#include <string.h>

#include "pool/inline.h"

#if HWRI_THREADS

/* One entry for each of the pools this thread used last, at pool->tls_offset. An entry is valid if it has the pool's id; ids are never
 * used again, so nobody has to clear the entries of a pool that is closed. A thread that uses more pools than there are slots looks
 * the others up in its attachments. */
HWRI_THREAD_LOCAL hwri_tls_entry hwri_tls[HWRI_TLS_SLOTS];

static hwri_local *local_of(hwri_attachment *attachment) {
    return (hwri_local *)(void *)((char *)attachment - offsetof(hwri_local, attachment));
}

static void orphan(hwr_pool *pool, hwri_page *page, uint32_t used) {
    page->local = NULL;
    hwri_store_relaxed(&page->thread, 0);
    hwri_store_relaxed(&page->state, HWRI_PAGE_ORPHAN);
    hwri_store_relaxed(&page->until, used);
    hwri_list_add_last(&pool->orphans[page->class_number], page);
}

static void orphan_list(hwr_pool *pool, hwri_page_list *list) {
    hwri_page *page;
    while ((page = list->first) != NULL) {
        uint32_t used = hwri_page_used(page);
        hwri_list_remove(list, page);
        orphan(pool, page, used);
    }
}

static void thread_ended(hwri_attachment *attachment) {
    hwri_local *local = local_of(attachment);
    hwr_pool *pool = local->pool;
    hwri_pool_lock(pool);
    for (unsigned c = 0; c < pool->class_count; c++) {
        orphan_list(pool, &local->classes[c].listed);
        orphan_list(pool, &local->classes[c].full);
        local->classes[c].pages = 0;
    }
    hwri_orphans_sweep(pool);
    hwri_local_init(local, pool);
    local->thread = 0;
    hwri_tls_entry_of(pool)->pool_id = 0;
    hwri_pool_unlock(pool);
}

/* Counts the blocks in use of a page as another thread left it when the process forked in the middle of whatever that thread did.
 * Its list pointers mean nothing; its free list is sound, since it changes by single stores, and carved is never behind
 * it. What is not in that list counts as used. Should the list turn out not to be sound, its blocks are given up. */
static uint32_t used_after_fork(hwri_page *page) {
    uint32_t free_blocks = 0;
    for (hwri_block *b = page->free; b; b = b->next) {
        size_t distance = (size_t)((char *)b - page->start);
        if (distance >= (size_t)page->carved * page->block_size || ++free_blocks > page->carved) {
            page->free = NULL;
            return page->carved;
        }
    }
    return page->carved - free_blocks;
}

/* In the child of a fork only the calling thread exists: everybody else's pages are orphans. */
static void after_fork(hwri_fork_lock *fork_lock) {
    hwr_pool *pool = (hwr_pool *)(void *)((char *)fork_lock - offsetof(hwr_pool, fork_lock));
    uintptr_t survivor = hwri_thread_token();
    for (size_t i = 0; i < pool->chunk_count; i++) {
        hwri_chunk *chunk = pool->chunks[i];
        for (size_t s = 0; s < chunk->slices; s++) {
            hwri_page *page = &chunk->pages[s];
            bool in_queue = page->state == HWRI_PAGE_LISTED || page->state == HWRI_PAGE_FULL;
            if (!in_queue || page->thread == survivor) continue;
            orphan(pool, page, used_after_fork(page));
        }
    }
    for (hwri_local *local = pool->locals; local; local = local->next) {
        if (local->thread == survivor || local->thread == 0) continue;
        hwri_thread_forget(&local->attachment);
        memset(local->classes, 0, sizeof local->classes);
        hwri_local_init(local, pool);
        local->thread = 0;
    }
}

static bool is_local_of(hwri_attachment *attachment, const void *pool) {
    return attachment->on_exit == thread_ended && local_of(attachment)->pool == pool;
}

static hwri_local *new_local(hwr_pool *pool) {
    for (hwri_local *local = pool->locals; local; local = local->next)
        if (local->thread == 0) return local;
    size_t size = hwri_in_pages(pool, sizeof(hwri_local));
    hwri_local *local = hwr_raw_reserve(pool->raw, size, 0);
    if (!local) return NULL;
    if (!hwr_raw_commit(pool->raw, local, size)) {
        hwr_raw_release(pool->raw, local, size, 0);
        return NULL;
    }
    hwri_pool_count_committed(pool, size, 0);
    *local = (hwri_local){.attachment.on_exit = thread_ended};
    hwri_local_init(local, pool);
    local->next = pool->locals;
    pool->locals = local;
    return local;
}

hwri_local *hwri_local_attach(hwr_pool *pool) {
    hwri_attachment *known = hwri_thread_find(is_local_of, pool);
    hwri_local *local = known ? local_of(known) : NULL;
    if (!local) {
        hwri_pool_lock(pool);
        local = new_local(pool);
        if (local) local->thread = hwri_thread_token();
        hwri_pool_unlock(pool);
        if (!local) return NULL;
        if (!hwri_thread_attach(&local->attachment)) {
            hwri_pool_lock(pool);
            local->thread = 0;
            hwri_pool_unlock(pool);
            return NULL;
        }
    }
    *hwri_tls_entry_of(pool) = (hwri_tls_entry){pool->id, local};
    return local;
}

bool hwri_locals_open(hwr_pool *pool) {
    pool->id = hwri_unique_id();
    pool->tls_offset = (uintptr_t)&hwri_tls[pool->id % HWRI_TLS_SLOTS] - hwri_tls_base();
    pool->fork_lock = (hwri_fork_lock){.mutex = &pool->lock, .rank = HWRI_RANK_POOL, .in_child = after_fork};
    hwri_mutex_init(&pool->lock); /* before a fork can take it */
    if (!hwri_fork_register(&pool->fork_lock)) {
        hwri_mutex_destroy(&pool->lock);
        return false;
    }
    pool->shared = true;
    pool->own.attachment.on_exit = thread_ended;
    pool->locals = &pool->own;
    if (!pool->checked) pool->quick_id = pool->id;
    return true;
}

void hwri_locals_close(hwr_pool *pool) {
    size_t size = hwri_in_pages(pool, sizeof(hwri_local));
    hwri_fork_unregister(&pool->fork_lock);
    for (hwri_local *local = pool->locals, *next; local; local = next) {
        next = local->next;
        hwri_thread_detach(&local->attachment);
        if (local != &pool->own) hwr_raw_release(pool->raw, local, size, size);
    }
    hwri_mutex_destroy(&pool->lock);
}

#else

hwri_local *hwri_local_attach(hwr_pool *pool) {
    (void)pool;
    return NULL;
}
bool hwri_locals_open(hwr_pool *pool) {
    (void)pool;
    return false;
}
void hwri_locals_close(hwr_pool *pool) { (void)pool; }

#endif
