/* A checked heap: the public calls that an ordinary heap has inline, with every object that is passed looked at first. Objects end in a guard and the address of
 * the call that allocated them; a dead one is filled and waits in quarantine, so that using it is found out. */
#include "heapwright/heap.h"

#include "object/heap.h"
#include "pool/misuse.h"

enum { QUARANTINE = 1024, GUARD = 0xF5, FILL = 0xDD };

/* What a checked heap has besides. The quarantine is a ring: the object that has been there longest makes room. `user` is the thread that is in a
 * call at the moment, `depth` how many calls deep. About 8 KiB. */
struct hwri_checks {
    uintptr_t user;
    unsigned depth;
    size_t next;
    void *quarantine[QUARANTINE];
};

bool hwri_checks_open(hwr_heap *heap) {
    heap->checks = hwr_pool_alloc_zeroed(heap->blocks, 1, sizeof *heap->checks);
    return heap->checks != NULL;
}

/* ---- what stands behind an object: guard bytes to the end of the block, the last eight of which are the site ---- */

static hwri_page *page_with(hwr_heap *heap, const void *object) {
    hwri_page *page = hwri_page_of(heap->objects, object);
    return page ? page : hwri_page_of(heap->leaves, object);
}

static unsigned char *block_end(hwr_heap *heap, const void *object) {
    hwri_page *page = page_with(heap, object);
    size_t size = hwri_page_block_size(page), index = (size_t)((const char *)object - page->start) / size;
    return (unsigned char *)page->start + (index + 1) * size;
}

static const void *site_of(hwr_heap *heap, const void *object) {
    const void *site;
    memcpy(&site, block_end(heap, object) - sizeof site, sizeof site);
    return site;
}

void hwri_tail_write(hwr_heap *heap, void *object, const void *site) {
    unsigned char *end = block_end(heap, object) - sizeof site,
                  *tail = (unsigned char *)object + hwri_object_size(object);
    memset(tail, GUARD, (size_t)(end - tail));
    memcpy(end, &site, sizeof site);
}

static bool all_are(const unsigned char *from, const unsigned char *to, unsigned char byte) {
    while (from < to)
        if (*from++ != byte) return false;
    return true;
}

static bool tail_is_whole(hwr_heap *heap, const void *object) {
    const unsigned char *end = block_end(heap, object) - sizeof(void *);
    const unsigned char *tail = (const unsigned char *)object + hwri_object_size(object);
    return tail <= end && all_are(tail, end, GUARD);
}

/* ---- what is found ---- */

_Noreturn static void report_object(hwr_heap *heap, const char *what, const void *object, bool known, const char *call,
                                    const void *site) {
    hwri_misuse misuse = {.what = what, .call = call, .address = object, .called_by = site};
    if (known) {
        misuse.type = hwr_type_of(object)->name;
        misuse.allocated_by = site_of(heap, object);
        misuse.size = hwr_type_of(object)->size;
    }
    hwri_misuse_abort(&misuse);
}

/* Whether there is, or was, an object at just this address. */
static bool is_object_place(hwr_heap *heap, const void *object) {
    hwri_page *page = page_with(heap, object);
    if (!page) return false;
    size_t size = hwri_page_block_size(page), index = (size_t)((const char *)object - page->start) / size;
    return index < hwri_blocks_in(page) && hwri_object_in(page->start + index * size) == object;
}

void hwri_check_object(hwr_heap *heap, const void *object, const char *call, const void *site) {
    if (!is_object_place(heap, object)) report_object(heap, "not an object of this heap", object, false, call, site);
    uint64_t header = *hwri_header(object);
    if ((header & HWRI_DEAD) == HWRI_DEAD && header < HWRI_COUNT_ONE)
        report_object(heap, "use of an object that has been freed", object, true, call, site);
    if (!hwri_is_live(header) && !(header & HWRI_DYING))
        report_object(heap, "use of an object that was freed long ago", object, false, call, site);
    if (!tail_is_whole(heap, object)) report_object(heap, "write past the end of an object", object, true, call, site);
}

void hwri_check_dying(hwr_heap *heap, const void *object) {
    if (!tail_is_whole(heap, object))
        report_object(heap, "write past the end of an object", object, true, "its end", NULL);
}

const char *hwri_check_problem(hwr_heap *heap, const void *object) {
    return tail_is_whole(heap, object) ? NULL : "something wrote past the end of an object";
}

void *hwri_hold_dead(hwr_heap *heap, void *object) {
    struct hwri_checks *checks = heap->checks;
    uint64_t *header = hwri_header(object);
    *header = (uint64_t)(uintptr_t)hwri_type_in(*header) | HWRI_DEAD;
    unsigned char *end = block_end(heap, object) - sizeof(void *);
    memset(object, FILL, (size_t)(end - (unsigned char *)object));
    void **place = &checks->quarantine[checks->next++ % QUARANTINE], *leaves = *place;
    *place = object;
    if (leaves && !all_are(leaves, block_end(heap, leaves) - sizeof(void *), FILL))
        report_object(heap, "write into an object that has been freed", leaves, true, "the end of its quarantine",
                      NULL);
    return leaves;
}

/* ---- two threads at once ---- */

void hwri_enter(hwr_heap *heap, const char *call, const void *site) {
    struct hwri_checks *checks = heap->checks;
    uintptr_t self = hwri_thread_token(), nobody = 0;
    if (hwri_load_relaxed(&checks->user) != self &&
        !__atomic_compare_exchange_n(&checks->user, &nobody, self, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        report_object(heap, "a heap used by two threads at once", heap, false, call, site);
    checks->depth++;
}

void hwri_leave(hwr_heap *heap) {
    if (--heap->checks->depth == 0) hwri_store_release(&heap->checks->user, 0);
}

void hwri_counted_look(hwr_heap *heap, const void *object, const char *call, const void *site) {
    hwri_enter(heap, call, site);
    if (object) hwri_check_object(heap, object, call, site);
    hwri_leave(heap);
}

/* ---- the calls ---- */

void hwri_counted_retain(hwr_heap *heap, const void *object, const void *site) {
    hwri_enter(heap, "hwr_retain", site);
    hwri_check_object(heap, object, "hwr_retain", site);
    hwri_count_add(heap, (void *)(uintptr_t)object, 1);
    hwri_leave(heap);
}

static void release(hwr_heap *heap, const void *object) {
    uint64_t header = *hwri_header(object) - HWRI_COUNT_ONE;
    *hwri_header(object) = header;
    if (header < HWRI_COUNT_ONE) hwri_count_is_zero(heap, object);
}

void hwri_counted_release(hwr_heap *heap, const void *object, const void *site) {
    hwri_enter(heap, "hwr_release", site);
    hwri_check_object(heap, object, "hwr_release", site);
    release(heap, object);
    hwri_leave(heap);
}

void hwri_counted_store(hwr_heap *heap, void *object, void *field, void *value, hwri_store how, const void *site) {
    static const char *const calls[] = {[HWRI_SET] = "hwr_set", [HWRI_GIVE] = "hwr_give", [HWRI_INIT] = "hwr_init"};
    const char *call = calls[how];
    hwri_enter(heap, call, site);
    hwri_check_object(heap, object, call, site);
    if (value) hwri_check_object(heap, value, call, site);
    size_t offset = (size_t)((uintptr_t)field - (uintptr_t)object);
    if (offset + sizeof value > hwri_object_size(object) || offset + sizeof value < offset)
        report_object(heap, "a store outside the object that it names", object, true, call, site);
    void *old;
    memcpy(&old, field, sizeof old);
    if (how == HWRI_INIT && old) report_object(heap, "a field that is not empty", object, true, call, site);
    if (value && how == HWRI_SET) hwri_count_add(heap, value, 1);
    memcpy(field, &value, sizeof value);
    if (old) {
        hwri_check_object(heap, old, call, site);
        release(heap, old);
    }
    hwri_leave(heap);
}
