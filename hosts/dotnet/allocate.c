/* Allocation. A thread has a *window*, which its compiled code takes objects from by adding, in a *room*, which is a hole of a block or what is left of it. A window that is used up is followed by the next of the room, and
 * a room by the next hole of its block: neither needs a lock. Large objects have blocks of a pool. */
#include "allocate.h"

#include "collector.h"
#include "finalize.h"
#include "inform.h"
#include "no_gc.h"
#include "runtime.h"
#include "settings.h"

/* ---- rooms ---- */

static clr_room *room_of(clr_alloc_context *context) {
    clr_room *room = context->own[0];
    if (room) return room;
    pthread_mutex_lock(&clr_gc.lock);
    room = hwr_pool_alloc_zeroed(clr_gc.space.tables, 1, sizeof *room);
    if (room) {
        room->next = clr_gc.rooms;
        clr_gc.rooms = room;
    }
    pthread_mutex_unlock(&clr_gc.lock);
    context->own[0] = room;
    return room;
}

/* Bytes of the window that are not used. An object's header is in front of `bump`, so the window ends as much before `limit`. */
static size_t left_in(const clr_alloc_context *context) { return (size_t)(context->limit - context->bump); }

/* What is not used becomes a gap. */
void clr_allocate_end(clr_alloc_context *context) {
    if (context->bump && left_in(context))
        *(uint64_t *)(void *)(context->bump - CLR_HEADER_SIZE) = hwri_gap(left_in(context));
    context->bump = context->limit = NULL;
}

static void stop_context(clr_alloc_context *context, void *unused) {
    (void)unused;
    clr_room *room = context->own[0];
    clr_allocate_end(context);
    if (room) room->seen = true;
}

/* The rooms' blocks are swept, so nothing may go on in them. */
void clr_allocation_stop(void) {
    clr_runtime->table->gc_enum_alloc_contexts(clr_runtime, stop_context, NULL);
    pthread_mutex_lock(&clr_gc.lock); /* threads that do not stop may be counting */
    for (clr_room **link = &clr_gc.rooms, *room; (room = *link) != NULL;) {
        hwri_room_end(&room->room);
        room->room.block = NULL;
        if (room->seen) {
            room->seen = false;
            link = &room->next;
        } else {
            *link = room->next;
            clr_gc.allocated += room->allocated;
            hwr_pool_free(clr_gc.space.tables, room);
        }
    }
    pthread_mutex_unlock(&clr_gc.lock);
}

/* ---- small objects ---- */

enum { HOLE_LEAST = 256 }; /* bytes */

/* Other holes of the block that the thread has, which are its own already. */
static bool next_hole(hwri_room *room, size_t size) {
    size_t unused = 0;
    hwri_room_end(room);
    return room->block && hwri_room_next(room, size, &unused);
}

/* All its holes are the thread's from now on. */
static hwri_block_info *take_block(clr_room *room, size_t size, unsigned tries, bool collected) {
    hwri_old *old = &clr_gc.space.old;
    pthread_mutex_lock(&clr_gc.lock);
    clr_gc.given += room->allocated - room->told;
    room->told = room->allocated;
    hwri_block_info *block =
        clr_may_give(HWRI_BLOCK, collected) ? hwri_old_take_block(&clr_gc.space, size, tries) : NULL;
    if (block)
        old->bytes += (size_t)block->free * 8;
    else if (clr_gc.given < clr_gc.budget)
        __atomic_store_n(&clr_gc.scarce, true, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&clr_gc.lock);
    clr_no_gc_wake();
    return block;
}

static bool next_block(clr_room *room, size_t size, bool collected) {
    hwri_block_info *block;
    size_t unused = 0;
    for (unsigned tries = 0; (block = take_block(room, size, tries, collected)) != NULL; tries++)
        if (hwri_room_enter(&room->room, block, size, &unused)) return true;
    room->room.block = NULL;
    return false;
}

/* To open a window for a few objects takes longer than to make them, so short holes are left alone. */
static bool next_room(clr_room *room, size_t size, bool collected) {
    bool scarce = __atomic_load_n(&clr_gc.scarce, __ATOMIC_RELAXED);
    size_t hole = size < HOLE_LEAST && !scarce ? HOLE_LEAST : size;
    return next_hole(&room->room, hole) || next_block(room, hole, collected);
}

/* Not inline: compilers that know how large a window is clear it by an instruction that takes longer than the C library's function. */
__attribute__((noinline)) static void clear(void *memory, size_t size) { memset(memory, 0, size); }

/* Takes so many bytes of the thread's room, which has them. No counter is shared with other threads: there are too many objects for that. */
static uint8_t *carve(clr_alloc_context *context, clr_room *room, size_t size, uint32_t flags) {
    uint8_t *taken = (uint8_t *)room->room.bump;
    room->room.bump += size;
    context->bytes += (int64_t)size;
    __atomic_store_n(&room->allocated, room->allocated + size, __ATOMIC_RELAXED);
    clear(taken, flags & CLR_ALLOC_UNZEROED ? (size_t)2 * CLR_HEADER_SIZE : size);
    return taken;
}

/* A window where an object of that size fits. Under stress, none is left for compiled code to use. */
static void open_window(clr_alloc_context *context, clr_room *room, size_t size) {
    size_t least = clr_gc.stress ? size : CLR_WINDOW, rest = room->room.limit - room->room.bump;
    size_t window = rest < least ? rest : size > least ? size : least;
    context->bump = carve(context, room, window, 0) + CLR_HEADER_SIZE;
    context->limit = context->bump + window;
}

static clr_object *take_of_window(clr_alloc_context *context, size_t size) {
    if (left_in(context) < size) return NULL;
    uint8_t *object = context->bump;
    context->bump += size;
    return (clr_object *)(void *)object;
}

/* What is left of a window is kept for smaller objects, if this one is not small itself. NULL: a collection is due, or there is no memory. */
static clr_object *new_small(clr_alloc_context *context, size_t size, uint32_t flags, bool collected) {
    clr_object *object = take_of_window(context, size);
    clr_room *room = object ? NULL : room_of(context);
    if (object || !room) return object;
    bool apart = size > HWRI_SMALL_MOST && room->room.limit - room->room.bump >= size;
    if (apart) return (clr_object *)(void *)(carve(context, room, size, flags) + CLR_HEADER_SIZE);
    clr_allocate_end(context);
    if (room->room.limit - room->room.bump < size && !next_room(room, size, collected)) return NULL;
    open_window(context, room, size);
    return take_of_window(context, size);
}

/* ---- large objects ---- */

static clr_object *new_large(clr_alloc_context *context, size_t size, bool collected) {
    clr_object *object = NULL;
    pthread_mutex_lock(&clr_gc.lock);
    if (clr_may_give(size, collected)) object = hwri_large_object_new(&clr_gc.space, size, false);
    if (object) {
        clr_gc.given += size;
        clr_gc.allocated += size;
    }
    pthread_mutex_unlock(&clr_gc.lock);
    clr_no_gc_wake();
    if (!object) return NULL;
    context->bytes_large += (int64_t)size;
    return object;
}

/* ---- all ---- */

/* An object that never got a type would be the end of all that a collection finds behind it. */
static void undo(clr_object *object, size_t size, bool large) {
    if (!large) {
        *(uint64_t *)(void *)((uint8_t *)object - CLR_HEADER_SIZE) = hwri_gap(size);
        return;
    }
    pthread_mutex_lock(&clr_gc.lock);
    hwri_large_drop(&clr_gc.space, hwri_large_of(object));
    pthread_mutex_unlock(&clr_gc.lock);
}

/* Pinned ones have blocks of their own too, whatever their size, as they are told of apart. */
static clr_object *take(clr_alloc_context *context, size_t size, uint32_t flags, bool collected) {
    bool pinned = flags & CLR_ALLOC_PINNED, large = pinned || size > HWRI_MEDIUM_MOST;
    int64_t before = context->bytes + context->bytes_large;
    clr_object *object = large ? new_large(context, size, collected) : new_small(context, size, flags, collected);
    if (!object) return NULL;
    if (flags & CLR_ALLOC_FINALIZE && !clr_finalize_register(object)) {
        undo(object, size, large);
        return NULL;
    }
    if (pinned) {
        hwri_large_of(object)->tag = CLR_TAG_PINNED;
        __atomic_fetch_add(&clr_gc.pinned, size, __ATOMIC_RELAXED);
    }
    clr_inform_allocated(pinned                                 ? CLR_TICK_PINNED
                         : size >= clr_settings.large_threshold ? CLR_TICK_LARGE
                                                                : CLR_TICK_SMALL,
                         (uint64_t)(context->bytes + context->bytes_large - before), object, size);
    return object;
}

static uint32_t collections(void) { return __atomic_load_n(&clr_gc.count, __ATOMIC_ACQUIRE); }

static int what_is_due(void) { return clr_is_full_due() ? CLR_MAX_GENERATION : 0; }

/* First the young are collected, or everything if that is due; then everything. */
clr_object *clr_allocate(clr_alloc_context *context, size_t size, uint32_t flags) {
    size = (size + 7) & ~(size_t)7;
    if (clr_is_stressed()) clr_collect_for_room(what_is_due(), collections());
    for (int attempt = 0;; attempt++) {
        uint32_t seen = collections();
        clr_object *object = take(context, size, flags, attempt > 0);
        if (object || attempt == 3) return object;
        clr_collect_for_room(attempt == 0 ? what_is_due() : CLR_MAX_GENERATION, seen);
    }
}

/* With the lock. */
static uint64_t allocated_so_far(void) {
    uint64_t bytes = clr_gc.allocated;
    for (const clr_room *room = clr_gc.rooms; room; room = room->next)
        bytes += __atomic_load_n(&room->allocated, __ATOMIC_RELAXED);
    return bytes;
}

uint64_t clr_allocated(void) {
    pthread_mutex_lock(&clr_gc.lock);
    uint64_t bytes = allocated_so_far();
    pthread_mutex_unlock(&clr_gc.lock);
    return bytes;
}

void clr_survived(size_t bytes) {
    pthread_mutex_lock(&clr_gc.lock);
    clr_gc.survived = bytes - allocated_so_far();
    pthread_mutex_unlock(&clr_gc.lock);
}

size_t clr_bytes_in_use(void) {
    pthread_mutex_lock(&clr_gc.lock);
    size_t bytes = clr_gc.survived + allocated_so_far();
    pthread_mutex_unlock(&clr_gc.lock);
    return bytes;
}
