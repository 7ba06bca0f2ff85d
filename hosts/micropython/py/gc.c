/* MicroPython's garbage collector, py/gc.h, by the tiny collector. MicroPython's build finds this file in the place of its own (micropython.mk); it is compiled by that build alone, with its
 * flags. What each function does is what MicroPython's does, but for how.
 *
 * All state is in MicroPython's mp_state_mem_t, which some ports copy away and back: the engine's, and its mark stack, lie where the other collector has its stack. Of the
 * fourth plane a bit says that there is a weak reference to the object. A finalizer runs before anything is freed, and its object is freed in the
 * same collection, whatever it did: so MicroPython has it. */
/* MicroPython compiles its collector for speed. On small processors ours has its short ways then, but is compiled for size otherwise, or it would be half as large again. */
#include <stdint.h>
#if UINTPTR_MAX <= UINT32_MAX && defined(__GNUC__) && !defined(__clang__)
#ifndef __OPTIMIZE_SIZE__
#define TINY_SHORT_WAYS 1
#endif
#pragma GCC optimize("Os")
#endif

#include "py/gc.h"
#include "py/runtime.h"

#include <assert.h>

#if MICROPY_ENABLE_GC

#define TINY_SEVERAL MICROPY_GC_SPLIT_HEAP
#define TINY_SMALL 0
#if MICROPY_PY_WEAKREF
#define TINY_EXTRA
#endif
#define tiny_poll() MICROPY_GC_HOOK_LOOP(0)
#if MICROPY_PY_GC_COLLECT_RETVAL
#define tiny_swept(heap, heads) (MP_STATE_MEM(gc_collected) += tiny_ones_in(heads))
#else
#define tiny_swept(heap, heads) ((void)0)
#endif

#include "tiny/words.h"

#define HEAP ((tiny_heap *)(void *)MP_STATE_MEM(gc_block_stack))

MP_STATIC_ASSERT(MICROPY_BYTES_PER_GC_BLOCK == TINY_BLOCK);
MP_STATIC_ASSERT(sizeof(mp_state_ctx.mem.gc_block_stack) >= sizeof(tiny_heap) + 4 * sizeof(uintptr_t));
MP_STATIC_ASSERT(offsetof(mp_state_mem_t, gc_block_stack) % sizeof(void *) == 0);

#if MICROPY_PY_THREAD && !MICROPY_PY_THREAD_GIL
#define ENTER() mp_thread_recursive_mutex_lock(&MP_STATE_MEM(gc_mutex), 1)
#define EXIT() mp_thread_recursive_mutex_unlock(&MP_STATE_MEM(gc_mutex))
#else
#define ENTER()
#define EXIT()
#endif

static inline tiny_word tiny_leaves(const tiny_cell *cell) {
    (void)cell;
    return 0;
}

#if MICROPY_PY_WEAKREF
static inline tiny_word tiny_noticed(const tiny_cell *cell) { return cell->watch | cell->extra; }
#elif MICROPY_ENABLE_FINALISER
static inline tiny_word tiny_noticed(const tiny_cell *cell) { return cell->watch; }
#else
static inline tiny_word tiny_noticed(const tiny_cell *cell) {
    (void)cell;
    return 0;
}
#endif

static void call_finaliser(mp_obj_base_t *object) {
#if MICROPY_ENABLE_FINALISER
    mp_obj_t method[2];
    if (object->type == NULL) return;
    mp_load_method_maybe(MP_OBJ_FROM_PTR(object), MP_QSTR___del__, method);
    if (method[0] == MP_OBJ_NULL) return;
#if MICROPY_ENABLE_SCHEDULER
    mp_sched_lock();
#endif
    mp_call_function_1_protected(method[0], method[1]);
#if MICROPY_ENABLE_SCHEDULER
    mp_sched_unlock();
#endif
#else
    (void)object;
#endif
}

static void tiny_notice(tiny_heap *heap, const tiny_place *place) {
    (void)heap;
    if ((place->cell->watch & place->bit) != 0) {
        call_finaliser(tiny_address(place));
        place->cell->watch &= ~place->bit;
    }
#if MICROPY_PY_WEAKREF
    if ((place->cell->extra & place->bit) != 0) {
        gc_weakref_about_to_be_freed(tiny_address(place));
        place->cell->extra &= ~place->bit;
    }
#endif
}

/* Setting up. An area without room for a block has none, and nothing is found in it. */

static void open_area(tiny_area *area, void *start, size_t header, void *end) {
    uintptr_t from = ((uintptr_t)start + sizeof(void *) - 1) & -sizeof(void *);
    tiny_area_open(area, from, header, (uintptr_t)end);
    HEAP->total += area->blocks;
}

void gc_init(void *start, void *end) {
    memset(HEAP, 0, sizeof(tiny_heap));
    HEAP->stack = (uintptr_t *)(HEAP + 1);
    HEAP->stack_end = HEAP->stack + (sizeof(MP_STATE_MEM(gc_block_stack)) - sizeof(tiny_heap)) / sizeof(*HEAP->stack);
    open_area(&HEAP->first, start, 0, end);
    MP_STATE_THREAD(gc_lock_depth) = 0;
    MP_STATE_MEM(gc_auto_collect_enabled) = 1;
#if MICROPY_GC_ALLOC_THRESHOLD
    MP_STATE_MEM(gc_alloc_threshold) = (size_t)-1;
    MP_STATE_MEM(gc_alloc_amount) = 0;
#endif
#if MICROPY_PY_THREAD && !MICROPY_PY_THREAD_GIL
    mp_thread_recursive_mutex_init(&MP_STATE_MEM(gc_mutex));
#endif
}

#if MICROPY_GC_SPLIT_HEAP
/* Areas are searched in the order in which they were added. */
void gc_add(void *start, void *end) {
    tiny_area *area = start, *last = &HEAP->first;
    memset(area, 0, sizeof *area);
    open_area(area, area, sizeof *area, end);
    while (last->next != NULL) last = last->next;
    last->next = area;
}
#endif

#if MICROPY_GC_SPLIT_HEAP_AUTO
/* Adds an area in which so many bytes have room, and as large as the heap is, if the system has that much. */
static bool grow(size_t bytes) {
    size_t least = bytes + bytes / 16 + sizeof(tiny_area) + 4 * sizeof(tiny_cell) + 2 * TINY_BLOCK,
           most = gc_get_max_new_split(), size = HEAP->total * TINY_BLOCK;
    if (bytes > most || least > most) return false;
    size = MIN(MAX(size, least), most);
    char *area = MP_PLAT_ALLOC_HEAP(size);
    if (area == NULL) return false;
    gc_add(area, area + size);
    return true;
}

/* Gives back areas in which nothing is in use, but for the first. */
static void give_back(void) {
    for (tiny_area *area = &HEAP->first; area->next != NULL;) {
        tiny_area *next = area->next;
        if (next->limit != 0) {
            area = next;
            continue;
        }
        area->next = next->next;
        HEAP->total -= next->blocks;
        MP_PLAT_FREE_HEAP(next);
    }
}
#else
#define grow(bytes) false
#define give_back() ((void)0)
#endif

/* Locks: of a thread's own, so they need no mutex. */

void gc_lock(void) { MP_STATE_THREAD(gc_lock_depth) += 1 << GC_LOCK_DEPTH_SHIFT; }

void gc_unlock(void) { MP_STATE_THREAD(gc_lock_depth) -= 1 << GC_LOCK_DEPTH_SHIFT; }

bool gc_is_locked(void) { return MP_STATE_THREAD(gc_lock_depth) != 0; }

/* Collecting */

static void begin(void) {
    ENTER();
    MP_STATE_THREAD(gc_lock_depth) |= GC_COLLECT_FLAG;
}

void gc_collect_start(void) {
    begin();
#if MICROPY_GC_ALLOC_THRESHOLD
    MP_STATE_MEM(gc_alloc_amount) = 0;
#endif
    /* The roots lie between these two members. */
    void **first = (void **)(void *)&mp_state_ctx.thread.dict_locals,
         **end = (void **)(void *)&mp_state_ctx.vm.qstr_last_chunk;
    gc_collect_root(first, (size_t)(end - first));
#if MICROPY_ENABLE_PYSTACK
    first = (void **)(void *)MP_STATE_THREAD(pystack_start);
    end = (void **)(void *)MP_STATE_THREAD(pystack_cur);
    gc_collect_root(first, (size_t)(end - first));
#endif
}

void gc_collect_root(void **words, size_t count) { tiny_mark(HEAP, (const uintptr_t *)words, count); }

void gc_collect_end(void) {
#if MICROPY_PY_GC_COLLECT_RETVAL
    MP_STATE_MEM(gc_collected) = 0;
#endif
    tiny_finish_marking(HEAP);
    tiny_end(HEAP);
    give_back();
    MP_STATE_THREAD(gc_lock_depth) &= ~GC_COLLECT_FLAG;
    EXIT();
#if MICROPY_PY_WEAKREF
    gc_weakref_sweep();
#endif
}

void gc_sweep_all(void) {
    begin();
    gc_collect_end();
}

#if MICROPY_PY_WEAKREF
void gc_weakref_mark(void *object) {
    tiny_place place;
    if (tiny_is_object(HEAP, object, &place)) place.cell->extra |= place.bit;
}
#endif

/* Objects */

/* Of any number but 0. */
static size_t blocks_of(size_t bytes) { return (bytes - 1) / TINY_BLOCK + 1; }

/* New blocks must hold nothing that looks like a reference. */
static void clear(char *object, size_t blocks, size_t from_block, size_t bytes) {
#if MICROPY_GC_CONSERVATIVE_CLEAR
    (void)bytes;
    size_t from = from_block * TINY_BLOCK;
#else
    (void)from_block;
    size_t from = bytes;
#endif
    if (TINY_SHORT_WAYS && from == 0 && blocks == 1)
        memset(object, 0, TINY_BLOCK); /* without a call */
    else
        memset(object + from, 0, blocks * TINY_BLOCK - from);
}

void *gc_alloc(size_t bytes, unsigned int flags) {
    tiny_place place;
    size_t count = blocks_of(bytes);
    if (bytes == 0 || MP_STATE_THREAD(gc_lock_depth) > 0) return NULL;
    bool may_collect = MP_STATE_MEM(gc_auto_collect_enabled);
#if MICROPY_GC_ALLOC_THRESHOLD
    if (may_collect && MP_STATE_MEM(gc_alloc_amount) >= MP_STATE_MEM(gc_alloc_threshold)) {
        gc_collect();
        may_collect = false;
    }
#endif
    ENTER();
    if (!(TINY_SHORT_WAYS && count == 1 && tiny_take_one(HEAP, &place)))
        while (!tiny_take(HEAP, count, &place)) {
            if (may_collect) {
                EXIT();
                gc_collect();
                may_collect = false;
                ENTER();
            } else if (!grow(bytes)) {
                EXIT();
                return NULL;
            }
        }
#if MICROPY_GC_ALLOC_THRESHOLD
    MP_STATE_MEM(gc_alloc_amount) += count;
#endif
    char *object = tiny_address(&place);
#if MICROPY_ENABLE_FINALISER
    if ((flags & GC_ALLOC_FLAG_HAS_FINALISER) != 0) {
        ((mp_obj_base_t *)(void *)object)->type = NULL;
        place.cell->watch |= place.bit;
    }
#else
    (void)flags;
#endif
    EXIT();
    clear(object, count, 0, bytes);
    return object;
}

void gc_free(void *object) {
    tiny_place place;
    /* A finalizer may free, though the heap is locked while it is being collected. */
    if (object == NULL || (MP_STATE_THREAD(gc_lock_depth) & ~GC_COLLECT_FLAG) != 0) return;
    ENTER();
    bool is_object = tiny_is_object(HEAP, object, &place);
    assert(is_object);
    (void)is_object;
    tiny_release(HEAP, &place);
    EXIT();
}

size_t gc_nbytes(const void *object) {
    tiny_place place;
    ENTER();
    size_t count = tiny_is_object(HEAP, object, &place) ? tiny_count(place.area, place.block) : 0;
    EXIT();
    return count * TINY_BLOCK;
}

void *gc_realloc(void *object, size_t bytes, bool allow_move) {
    tiny_place place;
    if (object == NULL) return gc_alloc(bytes, 0);
    if (bytes == 0) {
        gc_free(object);
        return NULL;
    }
    if (MP_STATE_THREAD(gc_lock_depth) > 0) return NULL;
    ENTER();
    bool is_object = tiny_is_object(HEAP, object, &place);
    assert(is_object);
    (void)is_object;
    size_t count = blocks_of(bytes), old = tiny_count(place.area, place.block);
    bool resized = tiny_resize(HEAP, &place, old, count);
#if MICROPY_ENABLE_FINALISER
    unsigned flags = (place.cell->watch & place.bit) != 0 ? GC_ALLOC_FLAG_HAS_FINALISER : 0;
#else
    unsigned flags = 0;
#endif
    EXIT();
    if (resized) {
        if (count > old) clear(object, count, old, bytes);
        return object;
    }
    void *moved = allow_move ? gc_alloc(bytes, flags) : NULL;
    if (moved == NULL) return NULL;
    memcpy(moved, object, old * TINY_BLOCK);
    gc_free(object);
    return moved;
}

/* Looking */

void gc_info_fast(gc_info_t *info) {
    ENTER();
    memset(info, 0, sizeof *info);
    info->total = HEAP->total * TINY_BLOCK;
    info->used = HEAP->used * TINY_BLOCK;
    info->free = info->total - info->used;
    EXIT();
}

void gc_info(gc_info_t *info) {
    ENTER();
    gc_info_fast(info);
    for (tiny_area *area = &HEAP->first; area != NULL; area = tiny_next(area))
        for (size_t block = 0; block < area->blocks;) {
            tiny_poll();
            size_t count = tiny_run(area, block, TINY_FREE, SIZE_MAX);
            if (count > info->max_free) info->max_free = count;
            if (count == 0) {
                count = tiny_count(area, block);
                if (count > info->max_block) info->max_block = count;
                info->num_1block += count == 1;
                info->num_2block += count == 2;
            }
            block += count;
        }
#if MICROPY_GC_SPLIT_HEAP_AUTO
    info->max_new_split = gc_get_max_new_split();
#endif
    EXIT();
}

void gc_dump_info(const mp_print_t *print) {
    gc_info_t info;
    gc_info(&info);
    mp_printf(print, "GC: total: %u, used: %u, free: %u", (uint)info.total, (uint)info.used, (uint)info.free);
#if MICROPY_GC_SPLIT_HEAP_AUTO
    mp_printf(print, ", max new split: %u", (uint)info.max_new_split);
#endif
    mp_printf(print, "\n No. of 1-blocks: %u, 2-blocks: %u, max blk sz: %u, max free sz: %u\n", (uint)info.num_1block,
              (uint)info.num_2block, (uint)info.max_block, (uint)info.max_free);
}

/* What micropython.mem_info shows an object as, by its type. */
static char letter_of(const void *type) {
    static const void *const types[] = {
        &mp_type_tuple,
        &mp_type_list,
        &mp_type_dict,
        &mp_type_str,
        &mp_type_bytes,
        &mp_type_fun_bc,
        &mp_type_module,
#if MICROPY_PY_BUILTINS_FLOAT
        &mp_type_float,
#else
        NULL,
#endif
#if MICROPY_PY_BUILTINS_BYTEARRAY
        &mp_type_bytearray,
#endif
#if MICROPY_PY_ARRAY
        &mp_type_array,
#endif
    };
    for (size_t i = 0; i < MP_ARRAY_SIZE(types); i++)
        if (types[i] == type && type != NULL) return "TLDSSBMFAA"[i];
    return 'h';
}

/* A line for each 64 blocks; where two and more are free, one for all. */
void gc_dump_alloc_table(const mp_print_t *print) {
    enum { LINE = 64 };
    ENTER();
    for (tiny_area *area = &HEAP->first; area != NULL; area = tiny_next(area)) {
        mp_printf(print, "GC memory layout; from %p:", (void *)area->start);
        size_t end = area->blocks;
        for (size_t block = 0; block < end; block++) {
            tiny_place place = tiny_place_of(area, block);
            if (block % LINE == 0) {
                size_t lines = tiny_run(area, block, TINY_FREE, SIZE_MAX) / LINE;
                if (lines >= 2) {
                    mp_printf(print, "\n       (%u lines all free)", (uint)lines);
                    block += lines * LINE;
                    if (block >= end) break;
                    place = tiny_place_of(area, block);
                }
                mp_printf(print, "\n%08x: ", (uint)(block * TINY_BLOCK));
            }
            char letter = '.';
            if ((place.cell->head & place.bit) != 0)
                letter = letter_of(*(void **)tiny_address(&place));
            else if ((place.cell->body & place.bit) != 0)
                letter = '=';
            mp_printf(print, "%c", letter);
        }
        mp_print_str(print, "\n");
    }
    EXIT();
}

#endif
