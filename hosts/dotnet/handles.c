/* The handles: blocks of them, making, freeing, and going through them. */
#include "handles.h"

#include "runtime.h"
#include "traps.h"

#include <pthread.h>
#include <string.h>

/* A block of 64 KiB, at a multiple of it, has handles of one type: so the type of a handle, and its extra word, are found from its address. A *group* is 64 handles: one word says
 * which of them are in use, and a byte whether something was stored into one of them since the last collection (young). What is not young refers only to what is old or to
 * nothing, so a collection of the young passes over it: 125 bytes are looked at for 8,000 handles. Extra words, where there are such, lie behind all slots. A slot that is not in use is NULL.
 *
 * Blocks are in a list for each type, new ones in front, and stay there for good, so that the list can be read without the lock; the lock is for `taken`, `count`, `first` and the list of
 * blocks with room. 8 bytes a handle, 16 with an extra word, and a fortieth of that. */
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
    uint32_t count; /* of handles in use */
    uint32_t first; /* the first group that may have room */
    uint64_t taken[GROUPS];
    uint8_t young[GROUPS];
} handle_block;

_Static_assert(sizeof(handle_block) <= SLOTS_AT, "slots begin behind the description");
_Static_assert(SLOTS_AT + GROUPS_WITH_EXTRA * GROUP * 16 <= BLOCK_SIZE, "slots and extra words fit");

#define BLOCK_MARK UINT64_C(0xC1A55E5)

typedef struct handle_list {
    pthread_mutex_t lock;
    handle_block *blocks, *with_room;
    size_t count;
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
    list->with_room = block;
    __atomic_store_n(&list->blocks, block, __ATOMIC_RELEASE);
    return block;
}

static clr_handle take_slot(handle_list *list, int type) {
    handle_block *block = list->with_room ? list->with_room : new_block(list, type);
    if (!block) return NULL;
    while (block->taken[block->first] == UINT64_MAX) block->first++;
    unsigned bit = (unsigned)__builtin_ctzll(~block->taken[block->first]);
    __atomic_store_n(&block->taken[block->first], block->taken[block->first] | UINT64_C(1) << bit, __ATOMIC_RELAXED);
    list->count++;
    if (++block->count == block->groups * GROUP) list->with_room = block->next_with_room;
    return slots_of(block) + (size_t)block->first * GROUP + bit;
}

clr_handle clr_handle_new(clr_object *object, int type, void *extra) {
    if (type < 0 || type >= CLR_HANDLE_TYPES) clr_fail("there is no type %d of handles", type);
    handle_list *list = &lists[type];
    pthread_mutex_lock(&list->lock);
    clr_handle handle = take_slot(list, type);
    pthread_mutex_unlock(&list->lock);
    if (!handle) return NULL;
    if (clr_handle_has_extra(type)) *extra_of(handle) = (uintptr_t)extra;
    store(handle, object);
    return handle;
}

void clr_handle_free(clr_handle handle) {
    handle_block *block = block_of(handle);
    size_t index = index_of(block, handle), group = index / GROUP;
    uint64_t bit = UINT64_C(1) << (index % GROUP);
    handle_list *list = &lists[block->type];
    __atomic_store_n(handle, NULL, __ATOMIC_RELEASE);
    if (clr_handle_has_extra(block->type)) __atomic_store_n(extra_of(handle), 0, __ATOMIC_RELEASE);
    pthread_mutex_lock(&list->lock);
    if (index >= (size_t)block->groups * GROUP || !(block->taken[group] & bit))
        clr_fail("handle %p is freed, and was not in use", (void *)handle);
    __atomic_store_n(&block->taken[group], block->taken[group] & ~bit, __ATOMIC_RELAXED);
    if (group < block->first) block->first = (uint32_t)group;
    if (block->count-- == block->groups * GROUP) {
        block->next_with_room = list->with_room;
        list->with_room = block;
    }
    list->count--;
    pthread_mutex_unlock(&list->lock);
}

size_t clr_handle_count(int type) { return __atomic_load_n(&lists[type].count, __ATOMIC_RELAXED); }

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
    __atomic_compare_exchange_n(handle, &comparand, object, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
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
