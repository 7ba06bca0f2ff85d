/* The handles: blocks of them, making, freeing, and going through them. */
#include "handles.h"

#include "inform.h"
#include "runtime.h"
#include "traps.h"

#include <pthread.h>
#include <string.h>

/* A block of 64 KiB, at a multiple of it, has handles of one type: so the type of a handle, and its extra word, are found from its address. A *group* is 64 handles: one word says
 * which of them are in use, and a byte whether something was stored into one of them since the last collection (young). What is not young refers only to what is old or to
 * nothing, so a collection of the young passes over it: 125 bytes are looked at for 8,000 handles. Extra words, where there are such, lie behind all slots. A slot that is not in use is NULL.
 *
 * Blocks are in a list for each type, new ones in front, and stay there for good, so that the list can be read without the lock. A handle is taken from the *current* block, and given back, by
 * one exchange of a word of `taken`; the lock is for when that block is full: then it is flagged, and whoever frees a handle of a flagged block takes the flag away and puts the block among those
 * with room. The flag is set before a last look for room, and a bit of `taken` cleared before the look at the flag, so a block cannot be full for good.
 * 8 bytes a handle, 16 with an extra word, and a fortieth of that. */
enum {
    BLOCK_SIZE = 64 * 1024,
    GROUP = 64,
    GROUPS = 125,
    GROUPS_WITH_EXTRA = 62,
    SLOTS_AT = BLOCK_SIZE - GROUPS * GROUP * 8,
};

typedef struct handle_block {
    uint64_t mark; /* its own address, and BLOCK_MARK: this is a block */
    struct handle_block *next;
    struct handle_block *next_with_room;
    int type;
    uint32_t groups;
    uint32_t first; /* a hint: the first group that has room */
    bool full;
    uint64_t taken[GROUPS];
    uint8_t young[GROUPS];
} handle_block;

_Static_assert(sizeof(handle_block) <= SLOTS_AT, "slots begin behind the description");
_Static_assert(SLOTS_AT + GROUPS_WITH_EXTRA * GROUP * 16 <= BLOCK_SIZE, "slots and extra words fit");

#define BLOCK_MARK UINT64_C(0xC1A55E5)

typedef struct handle_list {
    pthread_mutex_t lock;
    handle_block *blocks, *current, *with_room; /* the last two not of blocks that are full */
} handle_list;

#define UNLOCKED                                                                                                       \
    { .lock = PTHREAD_MUTEX_INITIALIZER }
static handle_list lists[] = {UNLOCKED, UNLOCKED, UNLOCKED, UNLOCKED, UNLOCKED, UNLOCKED,
                              UNLOCKED, UNLOCKED, UNLOCKED, UNLOCKED, UNLOCKED, UNLOCKED};
_Static_assert(sizeof lists / sizeof *lists == CLR_HANDLE_TYPES, "a list for each type");

static clr_object **slots_of(const handle_block *block) { return (clr_object **)((uintptr_t)block + SLOTS_AT); }

static uintptr_t *extras_of(const handle_block *block) {
    return (uintptr_t *)(slots_of(block) + (size_t)block->groups * GROUP);
}

static handle_block *block_of(clr_handle handle) {
    handle_block *block = (handle_block *)((uintptr_t)handle & ~(uintptr_t)(BLOCK_SIZE - 1));
    if (!block || block->mark != ((uintptr_t)block ^ BLOCK_MARK)) clr_fail("%p is no handle", (void *)handle);
    return block;
}

static size_t index_of(const handle_block *block, clr_handle handle) { return (size_t)(handle - slots_of(block)); }

static uintptr_t *extra_of(clr_handle handle) {
    const handle_block *block = block_of(handle);
    return clr_handle_has_extra(block->type) ? &extras_of(block)[index_of(block, handle)] : NULL;
}

/* Before something is stored. Only threads that the world waits for store anything but NULL. */
static void make_young(clr_handle handle) {
    handle_block *block = block_of(handle);
    __atomic_store_n(&block->young[index_of(block, handle) / GROUP], 1, __ATOMIC_RELAXED);
}

static void store(clr_handle handle, clr_object *object) {
    if (object) make_young(handle);
    __atomic_store_n(handle, object, __ATOMIC_RELEASE);
    clr_inform_handle_set(handle, object, block_of(handle)->type);
}

/* ---- making and freeing ---- */

static handle_block *new_block(handle_list *list, int type) {
    handle_block *block = hwr_raw_reserve(clr_tables, BLOCK_SIZE, BLOCK_SIZE);
    if (!block) return NULL;
    if (!hwr_raw_commit(clr_tables, block, BLOCK_SIZE)) {
        hwr_raw_release(clr_tables, block, BLOCK_SIZE, 0);
        return NULL;
    }
    block->mark = (uintptr_t)block ^ BLOCK_MARK;
    block->type = type;
    block->groups = clr_handle_has_extra(type) ? GROUPS_WITH_EXTRA : GROUPS;
    block->next = list->blocks;
    __atomic_store_n(&list->blocks, block, __ATOMIC_RELEASE);
    return block;
}

/* A slot of one of the groups from `from` on, or NULL. */
static clr_handle take_slot(handle_block *block, size_t from) {
    for (size_t group = from; group < block->groups; group++) {
        uint64_t taken = __atomic_load_n(&block->taken[group], __ATOMIC_SEQ_CST);
        while (taken != UINT64_MAX) {
            uint64_t bit = ~taken & (taken + 1);
            if (!__atomic_compare_exchange_n(&block->taken[group], &taken, taken | bit, true, __ATOMIC_SEQ_CST,
                                             __ATOMIC_SEQ_CST))
                continue;
            if (group != from) __atomic_store_n(&block->first, (uint32_t)group, __ATOMIC_RELAXED);
            return slots_of(block) + group * GROUP + (size_t)__builtin_ctzll(bit);
        }
    }
    return NULL;
}

/* With the lock: of the current block or of the next one that has room, or of a new one. */
static clr_handle take_slot_slowly(handle_list *list, int type) {
    for (;;) {
        handle_block *block = list->current;
        if (block) {
            __atomic_store_n(&block->full, true, __ATOMIC_SEQ_CST);
            clr_handle handle = take_slot(block, 0);
            if (handle) {
                __atomic_store_n(&block->full, false, __ATOMIC_SEQ_CST);
                return handle;
            }
        }
        handle_block *next = list->with_room;
        if (next)
            list->with_room = next->next_with_room;
        else
            next = new_block(list, type);
        __atomic_store_n(&list->current, next, __ATOMIC_RELEASE);
        if (!next) return NULL;
    }
}

static clr_handle take(int type) {
    handle_list *list = &lists[type];
    handle_block *block = __atomic_load_n(&list->current, __ATOMIC_ACQUIRE);
    clr_handle handle = block ? take_slot(block, __atomic_load_n(&block->first, __ATOMIC_RELAXED)) : NULL;
    if (handle) return handle;
    pthread_mutex_lock(&list->lock);
    handle = take_slot_slowly(list, type);
    pthread_mutex_unlock(&list->lock);
    return handle;
}

static void has_room(handle_block *block) {
    handle_list *list = &lists[block->type];
    pthread_mutex_lock(&list->lock);
    if (block->full) {
        __atomic_store_n(&block->full, false, __ATOMIC_SEQ_CST);
        block->next_with_room = list->with_room;
        list->with_room = block;
    }
    pthread_mutex_unlock(&list->lock);
}

clr_handle clr_handle_new(clr_object *object, int type, void *extra) {
    if (type < 0 || type >= CLR_HANDLE_TYPES) clr_fail("there is no type %d of handles", type);
    clr_handle handle = take(type);
    if (!handle) return NULL;
    if (clr_handle_has_extra(type)) *extra_of(handle) = (uintptr_t)extra;
    store(handle, object);
    return handle;
}

void clr_handle_free(clr_handle handle) {
    handle_block *block = block_of(handle);
    clr_inform_handle_freed(handle);
    size_t index = index_of(block, handle), group = index / GROUP;
    uint64_t bit = UINT64_C(1) << (index % GROUP);
    __atomic_store_n(handle, NULL, __ATOMIC_RELEASE);
    if (clr_handle_has_extra(block->type)) __atomic_store_n(extra_of(handle), 0, __ATOMIC_RELEASE);
    if (group >= block->groups || !(__atomic_fetch_and(&block->taken[group], ~bit, __ATOMIC_SEQ_CST) & bit))
        clr_fail("handle %p is freed, and was not in use", (void *)handle);
    if (group < __atomic_load_n(&block->first, __ATOMIC_RELAXED))
        __atomic_store_n(&block->first, (uint32_t)group, __ATOMIC_RELAXED);
    if (__atomic_load_n(&block->full, __ATOMIC_SEQ_CST)) has_room(block);
}

size_t clr_handle_count(int type) {
    size_t count = 0;
    for (handle_block *block = __atomic_load_n(&lists[type].blocks, __ATOMIC_ACQUIRE); block; block = block->next)
        for (size_t group = 0; group < block->groups; group++)
            count += (size_t)__builtin_popcountll(__atomic_load_n(&block->taken[group], __ATOMIC_RELAXED));
    return count;
}

/* ---- going through them ---- */

static void visit_group(const handle_block *block, size_t group, clr_handle_visit *visit, void *context) {
    clr_object **slots = slots_of(block) + group * GROUP;
    uintptr_t *extras = extras_of(block) + group * GROUP;
    bool has_extra = clr_handle_has_extra(block->type);
    for (uint64_t bits = __atomic_load_n(&block->taken[group], __ATOMIC_RELAXED); bits; bits &= bits - 1) {
        unsigned i = (unsigned)__builtin_ctzll(bits);
        if (__atomic_load_n(&slots[i], __ATOMIC_RELAXED)) visit(&slots[i], has_extra ? &extras[i] : NULL, context);
    }
}

void clr_handles_visit(int type, bool all, clr_handle_visit *visit, void *context) {
    for (handle_block *block = __atomic_load_n(&lists[type].blocks, __ATOMIC_ACQUIRE); block; block = block->next)
        for (size_t group = 0; group < block->groups; group++)
            if (all || block->young[group]) visit_group(block, group, visit, context);
}

void clr_handles_age(void) {
    for (int type = 0; type < CLR_HANDLE_TYPES; type++)
        for (handle_block *block = __atomic_load_n(&lists[type].blocks, __ATOMIC_ACQUIRE); block; block = block->next)
            memset(block->young, 0, sizeof block->young);
}

/* ---- the store's slots ---- */

static void uproot(clr_store *self) { (void)self; }

static bool contains_handle(clr_store *self, clr_handle handle) {
    (void)self;
    uintptr_t start = (uintptr_t)handle & ~(uintptr_t)(BLOCK_SIZE - 1);
    for (int type = 0; type < CLR_HANDLE_TYPES; type++)
        for (handle_block *block = __atomic_load_n(&lists[type].blocks, __ATOMIC_ACQUIRE); block; block = block->next)
            if ((uintptr_t)block == start) return true;
    return false;
}

static clr_handle create_handle_of_type(clr_store *self, clr_object *object, int type) {
    (void)self;
    return clr_handle_new(object, type, NULL);
}

static clr_handle create_handle_of_type_near(clr_store *self, clr_object *object, int type, int heap) {
    (void)self;
    (void)heap;
    return clr_handle_new(object, type, NULL);
}

static clr_handle create_handle_with_extra_info(clr_store *self, clr_object *object, int type, void *extra) {
    (void)self;
    return clr_handle_new(object, type, extra);
}

static clr_handle create_dependent_handle(clr_store *self, clr_object *primary, clr_object *secondary) {
    (void)self;
    return clr_handle_new(primary, CLR_DEPENDENT, secondary);
}

static const struct {
    clr_store_table known;
    clr_trap *unknown[CLR_TRAPS_OF_STORE];
} store_table = {
    .known =
        {
            .uproot = uproot,
            .contains_handle = contains_handle,
            .create_handle_of_type = create_handle_of_type,
            .create_handle_of_type_near = create_handle_of_type_near,
            .create_handle_with_extra_info = create_handle_with_extra_info,
            .create_dependent_handle = create_dependent_handle,
            .destroy = uproot,
            .destroy_and_free = uproot,
        },
    .unknown = {CLR_TRAPS_FROM_8},
};
clr_store clr_handle_store = {&store_table.known};

/* ---- the manager's slots ---- */

static bool initialize(clr_manager *self) { return self != NULL; }

static void shutdown_manager(clr_manager *self) { (void)self; }

static clr_store *get_global_handle_store(clr_manager *self) {
    (void)self;
    return &clr_handle_store;
}

/* The runtime has no use for another store. */
static clr_store *create_handle_store(clr_manager *self) {
    (void)self;
    return NULL;
}

static void destroy_handle_store(clr_manager *self, clr_store *unused) {
    (void)self;
    (void)unused;
}

static clr_handle create_global_handle_of_type(clr_manager *self, clr_object *object, int type) {
    (void)self;
    return clr_handle_new(object, type, NULL);
}

static clr_handle create_duplicate_handle(clr_manager *self, clr_handle handle) {
    (void)self;
    uintptr_t *extra = extra_of(handle);
    return clr_handle_new(*handle, block_of(handle)->type, extra ? (void *)*extra : NULL);
}

static void destroy_handle_of_type(clr_manager *self, clr_handle handle, int type) {
    (void)self;
    (void)type;
    clr_handle_free(handle);
}

static void destroy_handle_of_unknown_type(clr_manager *self, clr_handle handle) {
    (void)self;
    clr_handle_free(handle);
}

static void set_extra_info_for_handle(clr_manager *self, clr_handle handle, int type, void *value) {
    (void)self;
    (void)type;
    uintptr_t *extra = extra_of(handle);
    if (extra) __atomic_store_n(extra, (uintptr_t)value, __ATOMIC_RELEASE);
}

static void *get_extra_info_from_handle(clr_manager *self, clr_handle handle) {
    (void)self;
    const uintptr_t *extra = extra_of(handle);
    return extra ? (void *)__atomic_load_n(extra, __ATOMIC_ACQUIRE) : NULL;
}

static void store_object_in_handle(clr_manager *self, clr_handle handle, clr_object *object) {
    (void)self;
    store(handle, object);
}

static clr_object *compare_exchange(clr_manager *self, clr_handle handle, clr_object *object, clr_object *comparand) {
    (void)self;
    if (object) make_young(handle);
    if (__atomic_compare_exchange_n(handle, &comparand, object, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        clr_inform_handle_set(handle, object, block_of(handle)->type);
    return comparand;
}

static bool store_object_in_handle_if_null(clr_manager *self, clr_handle handle, clr_object *object) {
    return compare_exchange(self, handle, object, NULL) == NULL;
}

static void set_dependent_handle_secondary(clr_manager *self, clr_handle handle, clr_object *object) {
    (void)self;
    if (object) make_young(handle);
    __atomic_store_n(extra_of(handle), (uintptr_t)object, __ATOMIC_RELEASE);
}

static clr_object *get_dependent_handle_secondary(clr_manager *self, clr_handle handle) {
    (void)self;
    return (clr_object *)__atomic_load_n(extra_of(handle), __ATOMIC_ACQUIRE);
}

static int handle_fetch_type(clr_manager *self, clr_handle handle) {
    (void)self;
    return block_of(handle)->type;
}

typedef struct traced {
    clr_slot_function *function;
    uintptr_t a, b;
} traced;

static void trace_one(clr_object **slot, uintptr_t *extra, void *context) {
    const traced *t = context;
    t->function(slot, extra, t->a, t->b);
}

static void trace_refcounted_handles(clr_manager *self, clr_slot_function *function, uintptr_t a, uintptr_t b) {
    (void)self;
    clr_handles_visit(CLR_REFCOUNTED, true, trace_one, &(traced){function, a, b});
}

static const struct {
    clr_manager_table known;
    clr_trap *unknown[CLR_TRAPS_OF_MANAGER];
} manager_table = {
    .known =
        {
            .initialize = initialize,
            .shutdown = shutdown_manager,
            .get_global_handle_store = get_global_handle_store,
            .create_handle_store = create_handle_store,
            .destroy_handle_store = destroy_handle_store,
            .create_global_handle_of_type = create_global_handle_of_type,
            .create_duplicate_handle = create_duplicate_handle,
            .destroy_handle_of_type = destroy_handle_of_type,
            .destroy_handle_of_unknown_type = destroy_handle_of_unknown_type,
            .set_extra_info_for_handle = set_extra_info_for_handle,
            .get_extra_info_from_handle = get_extra_info_from_handle,
            .store_object_in_handle = store_object_in_handle,
            .store_object_in_handle_if_null = store_object_in_handle_if_null,
            .set_dependent_handle_secondary = set_dependent_handle_secondary,
            .get_dependent_handle_secondary = get_dependent_handle_secondary,
            .interlocked_compare_exchange_object_in_handle = compare_exchange,
            .handle_fetch_type = handle_fetch_type,
            .trace_refcounted_handles = trace_refcounted_handles,
        },
    .unknown = {CLR_TRAPS_FROM_18},
};
clr_manager clr_handle_manager = {&manager_table.known};
