/* Weak tables of a tracing heap: of keys, which are ephemerons (a value that leads to its own key does not keep it), and of values. Any thread may use them at any time. */
#include "tracing/life.h"

enum { LEAST_WEAK_MAP = 8 };

/* ---- places ---- */

/* What is looked for: bytes; or, if `key` is NULL, the object of an identity with this hash. */
typedef struct weak_query {
    const void *key;
    size_t key_size;
    uint64_t hash;
} weak_query;

static uint64_t spread_id(uint64_t id) { return id * UINT64_C(0x9E3779B97F4A7C15) >> 16; }

static bool fits_query(const hwri_weak_place *place, const weak_query *q) {
    if (place->entry->hash != q->hash) return false;
    return !q->key || (place->key_size == q->key_size && memcmp(place->key, q->key, q->key_size) == 0);
}

static hwri_weak_place *find_in_map(const hwri_weak_map *map, const weak_query *q, const void *object) {
    if (!map->room) return NULL;
    size_t mask = map->room - 1;
    for (size_t i = (size_t)q->hash & mask; map->places[i].entry; i = (i + 1) & mask) {
        hwri_weak_place *place = &map->places[i];
        if (fits_query(place, q) && (!object || place->entry->handle.member.object == object)) return place;
    }
    return NULL;
}

static hwri_weak_place *free_in_map(const hwri_weak_map *map, uint64_t hash) {
    size_t mask = map->room - 1, i = (size_t)hash & mask;
    while (map->places[i].entry) i = (i + 1) & mask;
    return &map->places[i];
}

static bool grow_map(hwri_tracing *t, hwri_weak_map *map) {
    if (map->count + 1 <= map->room / 4 * 3) return true;
    hwri_weak_map bigger = {.room = map->room ? map->room * 2 : LEAST_WEAK_MAP};
    bigger.places = hwr_pool_alloc_zeroed(t->heap->blocks, bigger.room, sizeof *bigger.places);
    if (!bigger.places) return false;
    for (size_t i = 0; i < map->room; i++)
        if (map->places[i].entry) *free_in_map(&bigger, map->places[i].entry->hash) = map->places[i];
    hwr_pool_free(t->heap->blocks, map->places);
    map->places = bigger.places;
    map->room = bigger.room;
    return true;
}

static void free_place_of_map(hwri_weak_map *map, hwri_weak_place *place) {
    size_t gap = (size_t)(place - map->places), mask = map->room - 1;
    for (size_t i = (gap + 1) & mask; map->places[i].entry; i = (i + 1) & mask) {
        size_t from_home = (i - (size_t)map->places[i].entry->hash) & mask;
        if (from_home < ((i - gap) & mask)) continue;
        map->places[gap] = map->places[i];
        gap = i;
    }
    map->places[gap] = (hwri_weak_place){0};
    map->count--;
}

/* ---- entries ---- */

static hwri_roster *roster_of_entry(hwri_tracing *t, const hwri_dependent *entry) {
    return entry->handle.member.kind == HWRI_HANDLE_OF_VALUE ? &t->life->shorts : &t->life->dependents;
}

static void free_entry(hwri_tracing *t, const hwri_weak_place *place) {
    hwri_roster_leave(roster_of_entry(t, place->entry), &place->entry->handle.member);
    hwr_pool_free(t->heap->blocks, place->entry);
    hwr_pool_free(t->heap->blocks, place->key);
}

static void remove_place(hwri_tracing *t, hwri_weak_map *map, hwri_weak_place *place) {
    hwri_weak_place removed = *place;
    free_place_of_map(map, place);
    free_entry(t, &removed);
}

void hwri_weak_map_drop(hwri_tracing *t, hwri_dependent *entry) {
    hwri_weak_map *map = entry->map;
    size_t mask = map->room - 1, i = (size_t)entry->hash & mask;
    while (map->places[i].entry != entry) i = (i + 1) & mask;
    remove_place(t, map, &map->places[i]);
}

/* A further entry. NULL without memory. */
static hwri_weak_place *new_entry(hwri_tracing *t, hwri_weak_map *map, void *object, uint64_t hash, uint32_t kind) {
    hwri_roster *roster = kind == HWRI_HANDLE_OF_VALUE ? &t->life->shorts : &t->life->dependents;
    hwri_dependent *entry = grow_map(t, map) ? hwri_member_new(t, roster, sizeof *entry) : NULL;
    if (!entry) return NULL;
    entry->handle.member.object = object;
    entry->handle.member.kind = kind;
    entry->map = map;
    entry->hash = hash;
    hwri_roster_enter(roster, &entry->handle.member);
    hwri_weak_place *place = free_in_map(map, hash);
    *place = (hwri_weak_place){.entry = entry};
    map->count++;
    return place;
}

/* ---- tables ---- */

static hwri_weak_map *map_of(const hwri_weak_table *table) { return table->traced; }

static bool new_map(hwri_tracing *t, hwri_weak_table *table) {
    hwri_mutex_lock(&t->lock);
    hwri_weak_map *map = hwri_member_new(t, &t->life->maps, sizeof *map);
    if (map) {
        map->member.object = table;
        table->traced = map;
        hwri_roster_enter(&t->life->maps, &map->member);
    }
    hwri_mutex_unlock(&t->lock);
    return map != NULL;
}

void *hwri_traced_table_new(hwr_heap *heap, const hwr_type *type) {
    struct {
        hwr_frame frame;
        hwri_weak_table *table;
    } here = {0};
    hwr_frame_push(heap, &here.frame, 1);
    here.table = hwr_new(heap, type);
    unsigned attempt = 0;
    while (here.table && !new_map(heap->tracing, here.table))
        if (!hwri_make_room(heap, sizeof(hwri_weak_map), &attempt)) here.table = NULL;
    hwr_frame_pop(heap, &here.frame);
    return here.table;
}

static void end_map(hwri_tracing *t, hwri_weak_map *map) {
    for (size_t i = 0; i < map->room; i++)
        if (map->places[i].entry) free_entry(t, &map->places[i]);
    hwr_pool_free(t->heap->blocks, map->places);
    hwri_roster_leave(&t->life->maps, &map->member);
    hwr_pool_free(t->heap->blocks, map);
}

void hwri_weak_maps_end(hwri_tracing *t) {
    hwri_roster *roster = &t->life->maps;
    for (uint32_t i = hwri_roster_from(t, roster); i < roster->count;) {
        hwri_member *member = roster->items[i];
        if (!hwri_is_reached(t, member->object)) {
            end_map(t, (hwri_weak_map *)(void *)member);
            continue;
        }
        member->object = hwri_where(t, member->object);
        if (!hwri_is_young(t, member->object)) hwri_roster_make_old(roster, member);
        i++;
    }
}

void hwri_weak_maps_close(hwri_tracing *t) {
    while (t->life->maps.count) end_map(t, (hwri_weak_map *)(void *)t->life->maps.items[0]);
}

/* ---- what all calls have in common ---- */

typedef struct table_locals {
    hwr_frame frame;
    hwri_weak_table *table;
    void *object, *value;
} table_locals;

/* Does with the lock what may fail for want of memory, again and again as long as there is hope. */
static bool try_on_table(hwr_heap *heap, table_locals *here, const weak_query *q,
                         bool (*attempt)(hwri_tracing *, table_locals *, const weak_query *)) {
    hwri_tracing *t = heap->tracing;
    unsigned attempts = 0;
    bool done;
    hwr_frame_push(heap, &here->frame, 3);
    do {
        hwri_mutex_lock(&t->lock);
        done = attempt(t, here, q);
        hwri_mutex_unlock(&t->lock);
    } while (!done && hwri_make_room(heap, sizeof(hwri_dependent), &attempts));
    hwr_frame_pop(heap, &here->frame);
    return done;
}

size_t hwri_traced_table_count(hwr_heap *heap, const hwri_weak_table *table) {
    hwri_mutex_lock(&heap->tracing->lock);
    size_t count = map_of(table)->count;
    hwri_mutex_unlock(&heap->tracing->lock);
    return count;
}

/* ---- objects to objects ---- */

static hwri_weak_place *place_of_key(const hwri_tracing *t, const hwri_weak_table *table, const void *key) {
    const hwri_identity *identity = hwri_identity_find(t, key);
    if (!identity) return NULL;
    return find_in_map(map_of(table), &(weak_query){.hash = spread_id(identity->id)}, key);
}

static bool put_key(hwri_tracing *t, table_locals *here, const weak_query *q) {
    (void)q;
    const hwri_weak_place *place = place_of_key(t, here->table, here->object);
    const hwri_identity *identity = hwri_identity_of(t, here->object);
    if (!place && identity)
        place = new_entry(t, map_of(here->table), here->object, spread_id(identity->id), HWRI_HANDLE_OF_KEY);
    if (!place) return false;
    place->entry->second = here->value;
    hwri_roster_make_young(&t->life->dependents, &place->entry->handle.member);
    return true;
}

bool hwri_traced_keys_set(hwr_heap *heap, hwri_weak_table *table, void *key, void *value) {
    return try_on_table(heap, &(table_locals){.table = table, .object = key, .value = value}, NULL, put_key);
}

void *hwri_traced_keys_get(hwr_heap *heap, const hwri_weak_table *table, const void *key) {
    hwri_tracing *t = heap->tracing;
    hwri_mutex_lock(&t->lock);
    const hwri_weak_place *place = place_of_key(t, table, key);
    void *value = place ? place->entry->second : NULL;
    hwri_mutex_unlock(&t->lock);
    return value;
}

bool hwri_traced_keys_remove(hwr_heap *heap, hwri_weak_table *table, const void *key) {
    hwri_tracing *t = heap->tracing;
    hwri_mutex_lock(&t->lock);
    hwri_weak_place *place = place_of_key(t, table, key);
    if (place) remove_place(t, map_of(table), place);
    hwri_mutex_unlock(&t->lock);
    return place != NULL;
}

/* ---- bytes to objects ---- */

static bool put_value(hwri_tracing *t, table_locals *here, const weak_query *q) {
    hwri_weak_map *map = map_of(here->table);
    hwri_weak_place *place = find_in_map(map, q, NULL);
    if (place) {
        place->entry->handle.member.object = here->object;
        hwri_roster_make_young(&t->life->shorts, &place->entry->handle.member);
        return true;
    }
    void *copy = hwr_pool_alloc(t->heap->blocks, q->key_size ? q->key_size : 1);
    place = copy ? new_entry(t, map, here->object, q->hash, HWRI_HANDLE_OF_VALUE) : NULL;
    if (!place) {
        hwr_pool_free(t->heap->blocks, copy);
        return false;
    }
    memcpy(copy, q->key, q->key_size);
    place->key = copy;
    place->key_size = q->key_size;
    return true;
}

static weak_query query_bytes(const void *key, size_t key_size, uint64_t hash) {
    return (weak_query){key ? key : "", key_size, hash};
}

bool hwri_traced_values_set(hwr_heap *heap, hwri_weak_table *table, const void *key, size_t key_size, uint64_t hash,
                            void *value) {
    weak_query q = query_bytes(key, key_size, hash);
    return try_on_table(heap, &(table_locals){.table = table, .object = value}, &q, put_value);
}

void *hwri_traced_values_get(hwr_heap *heap, const hwri_weak_table *table, const void *key, size_t key_size,
                             uint64_t hash) {
    hwri_tracing *t = heap->tracing;
    weak_query q = query_bytes(key, key_size, hash);
    hwri_mutex_lock(&t->lock);
    const hwri_weak_place *place = find_in_map(map_of(table), &q, NULL);
    void *value = place ? place->entry->handle.member.object : NULL;
    hwri_mutex_unlock(&t->lock);
    return value;
}

bool hwri_traced_values_remove(hwr_heap *heap, hwri_weak_table *table, const void *key, size_t key_size,
                               uint64_t hash) {
    hwri_tracing *t = heap->tracing;
    weak_query q = query_bytes(key, key_size, hash);
    hwri_mutex_lock(&t->lock);
    hwri_weak_place *place = find_in_map(map_of(table), &q, NULL);
    if (place) remove_place(t, map_of(table), place);
    hwri_mutex_unlock(&t->lock);
    return place != NULL;
}
