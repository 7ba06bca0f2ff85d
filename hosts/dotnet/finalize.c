/* Objects with finalizers: the list of those that live, and the queues of those that are to be finalized. */
#include "finalize.h"

#include "life.h"
#include "runtime.h"

#include <pthread.h>
#include <string.h>

/* An array that grows where it is, or moves without copying: its room is a power of two of pages. Items before `first` have been taken out. */
typedef struct object_list {
    clr_object **items;
    size_t first, count, room;
} object_list;

/* Objects that are registered, in order: those before `old` have been through a collection, so one of the young need not look at them. Then two queues, the second of which has the objects
 * with critical finalizers. The collection moves objects from the list to the queues, and must not fail: so there is room in each queue for all that are registered, which costs
 * addresses and is not touched.
 *
 * Threads take the lock; the collection does not, since no thread that has it is stopped: they are all cooperative. */
enum { ORDINARY, CRITICAL, QUEUES };
static struct {
    pthread_mutex_t lock;
    object_list registered;
    size_t old;
    object_list queues[QUEUES];
    size_t pending; /* in both */
} finalizers = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool make_room(object_list *list, size_t count) {
    if (count <= list->room) return true;
    size_t page = hwr_raw_page_size(clr_tables), old_size = list->room * sizeof *list->items;
    size_t size = old_size ? old_size * 2 : page;
    while (size / sizeof *list->items < count) size *= 2;
    void *items;
    if (list->items) {
        items = hwr_raw_resize(clr_tables, list->items, old_size, size, 0);
    } else {
        items = hwr_raw_reserve(clr_tables, size, 0);
        if (items && !hwr_raw_commit(clr_tables, items, size)) {
            hwr_raw_release(clr_tables, items, size, 0);
            items = NULL;
        }
    }
    if (!items) return false;
    list->items = items;
    list->room = size / sizeof *list->items;
    return true;
}

static bool register_locked(clr_object *object) {
    object_list *registered = &finalizers.registered;
    size_t count = registered->count + 1;
    if (!make_room(registered, count)) return false;
    for (int i = 0; i < QUEUES; i++)
        if (!make_room(&finalizers.queues[i], finalizers.queues[i].count + count)) return false;
    registered->items[registered->count] = object;
    __atomic_store_n(&registered->count, count, __ATOMIC_RELAXED);
    return true;
}

bool clr_finalize_register(clr_object *object) {
    pthread_mutex_lock(&finalizers.lock);
    bool done = register_locked(object);
    pthread_mutex_unlock(&finalizers.lock);
    return done;
}

void clr_finalize_suppress(clr_object *object) {
    __atomic_fetch_or(clr_header(object), CLR_HEADER_FINALIZED, __ATOMIC_RELAXED);
}

/* One that was suppressed, and not collected since, is still registered or in a queue. */
bool clr_finalize_again(clr_object *object) {
    uint32_t before = __atomic_fetch_and(clr_header(object), ~(uint32_t)CLR_HEADER_FINALIZED, __ATOMIC_RELAXED);
    return before & CLR_HEADER_FINALIZED ? true : clr_finalize_register(object);
}

static clr_object *take_first(object_list *queue) {
    if (queue->first == queue->count) return NULL;
    clr_object *object = queue->items[queue->first++];
    if (queue->first == queue->count) queue->first = queue->count = 0;
    __atomic_store_n(&finalizers.pending, finalizers.pending - 1, __ATOMIC_RELAXED);
    return object;
}

clr_object *clr_finalize_next(void) {
    pthread_mutex_lock(&finalizers.lock);
    clr_object *object = take_first(&finalizers.queues[ORDINARY]);
    if (!object) object = take_first(&finalizers.queues[CRITICAL]);
    pthread_mutex_unlock(&finalizers.lock);
    return object;
}

size_t clr_finalize_pending(void) { return __atomic_load_n(&finalizers.pending, __ATOMIC_RELAXED); }

size_t clr_finalize_registered(void) { return __atomic_load_n(&finalizers.registered.count, __ATOMIC_RELAXED); }

void clr_finalize_each_pending(clr_finalize_visit *visit, void *context) {
    for (int i = 0; i < QUEUES; i++) {
        const object_list *queue = &finalizers.queues[i];
        for (size_t k = queue->first; k < queue->count; k++) visit(&queue->items[k], i == CRITICAL, context);
    }
}

/* ---- in a collection ---- */

static void reach_pending(clr_object **slot, bool critical, void *context) {
    (void)critical;
    (void)context;
    clr_reach(slot);
}

void clr_life_reach_queues(void) { clr_finalize_each_pending(reach_pending, NULL); }

/* Objects that have been taken out leave no room at the end. */
static void move_to_front(object_list *queue) {
    memmove(queue->items, queue->items + queue->first, (queue->count - queue->first) * sizeof *queue->items);
    queue->count -= queue->first;
    queue->first = 0;
}

static bool is_critical(const clr_object *object) {
    return (object->type->flags & (CLR_CRITICAL | CLR_HAS_ITEMS)) == CLR_CRITICAL;
}

/* What is to become of an object that died: the runtime finalizes weak references itself, at once. */
static bool is_to_be_finalized(clr_object *object) {
    if (clr_runtime->table->eager_finalized(clr_runtime, object)) return false;
    uint32_t before = __atomic_fetch_and(clr_header(object), ~(uint32_t)CLR_HEADER_FINALIZED, __ATOMIC_RELAXED);
    return !(before & CLR_HEADER_FINALIZED);
}

static void enqueue(clr_object *object) {
    object_list *queue = &finalizers.queues[is_critical(object) ? CRITICAL : ORDINARY];
    queue->items[queue->count++] = object;
}

/* All that died are found before the first of them is reached again: each is finalized, whether or not another of them refers to it. */
size_t clr_life_find_finalizable(bool all) {
    object_list *registered = &finalizers.registered;
    size_t ends[QUEUES], found = 0, kept = all ? 0 : finalizers.old;
    for (int i = 0; i < QUEUES; i++) {
        if (finalizers.queues[i].first) move_to_front(&finalizers.queues[i]);
        ends[i] = finalizers.queues[i].count;
    }
    for (size_t k = kept; k < registered->count; k++) {
        clr_object *object = registered->items[k];
        if (clr_is_reached(object))
            registered->items[kept++] = object;
        else if (is_to_be_finalized(object))
            enqueue(object);
    }
    __atomic_store_n(&registered->count, kept, __ATOMIC_RELAXED);
    finalizers.old = kept;
    for (int i = 0; i < QUEUES; i++)
        for (size_t k = ends[i]; k < finalizers.queues[i].count; k++, found++)
            clr_reach(&finalizers.queues[i].items[k]);
    __atomic_store_n(&finalizers.pending, finalizers.pending + found, __ATOMIC_RELAXED);
    if (found) clr_reach_all();
    return found;
}
