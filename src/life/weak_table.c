#include "life/weak_table.h"

#include "object/heap.h"

enum { LEAST_WEAK_ROOM = 8 };

struct hwr_weak_keys {
    hwri_weak_table table;
};
struct hwr_weak_values {
    hwri_weak_table table;
};

/* ---- the table ---- */

static void trace_table(void *object, hwr_visitor *visitor) {
    hwri_weak_table *table = object;
    for (size_t i = 0; i < table->room; i++) {
        HWR_VISIT(visitor, table->places[i].weak);
        HWR_VISIT(visitor, table->places[i].value);
    }
}

const hwr_type hwri_weak_keys_type = {
    .name = "hwr_weak_keys", .size = sizeof(hwr_weak_keys), .flags = HWRI_TYPE_OWN, .trace = trace_table};
const hwr_type hwri_weak_values_type = {
    .name = "hwr_weak_values", .size = sizeof(hwr_weak_values), .flags = HWRI_TYPE_OWN, .trace = trace_table};

/* What an entry is looked for by: an object's identity (key_size 0), or bytes. */
typedef struct wanted {
    const void *key;
    size_t key_size;
    uint64_t hash;
} wanted;

/* FNV-1a over the bytes, then the multiplicative spreading that the side tables use (isthe.com/chongo/tech/comp/fnv). */
static wanted wanted_bytes(const void *key, size_t key_size) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < key_size; i++) hash = (hash ^ ((const unsigned char *)key)[i]) * UINT64_C(0x100000001b3);
    return (wanted){key, key_size, hash * UINT64_C(0x9E3779B97F4A7C15) >> 16};
}

static wanted wanted_object(const void *object) {
    return (wanted){object, 0, (uint64_t)(uintptr_t)object * UINT64_C(0x9E3779B97F4A7C15) >> 16};
}

static bool is_wanted(const hwri_weak_entry *entry, const wanted *w) {
    if (entry->hash != w->hash) return false;
    if (!entry->key) return entry->weak->target == w->key;
    return entry->key_size == w->key_size && memcmp(entry->key, w->key, w->key_size) == 0;
}

static hwri_weak_entry *weak_place_of(const hwri_weak_table *table, const wanted *w) {
    size_t mask = table->room - 1, i = (size_t)w->hash & mask;
    while (table->places[i].weak && !is_wanted(&table->places[i], w)) i = (i + 1) & mask;
    return &table->places[i];
}

static hwri_weak_entry *find_entry(const hwri_weak_table *table, const wanted *w) {
    hwri_weak_entry *place = table->room ? weak_place_of(table, w) : NULL;
    return place && place->weak ? place : NULL;
}

static size_t free_place(const hwri_weak_table *table, uint64_t hash) {
    size_t mask = table->room - 1, i = (size_t)hash & mask;
    while (table->places[i].weak) i = (i + 1) & mask;
    return i;
}

static bool make_place(hwr_heap *heap, hwri_weak_table *table) {
    if (table->count + 1 <= table->room / 4 * 3) return true;
    hwri_weak_table bigger = {.room = table->room ? table->room * 2 : LEAST_WEAK_ROOM, .count = table->count};
    bigger.places = hwr_pool_alloc_zeroed(heap->blocks, bigger.room, sizeof *bigger.places);
    if (!bigger.places) return false;
    for (size_t i = 0; i < table->room; i++)
        if (table->places[i].weak) bigger.places[free_place(&bigger, table->places[i].hash)] = table->places[i];
    hwr_pool_free(heap->blocks, table->places);
    *table = bigger;
    return true;
}

/* Takes an entry out of the table; its references are the caller's then. */
static hwri_weak_entry take_out(hwri_weak_table *table, hwri_weak_entry *place) {
    hwri_weak_entry taken = *place;
    size_t gap = (size_t)(place - table->places), mask = table->room - 1;
    for (size_t i = (gap + 1) & mask; table->places[i].weak; i = (i + 1) & mask) {
        size_t from_home = (i - (size_t)table->places[i].hash) & mask;
        if (from_home < ((i - gap) & mask)) continue;
        table->places[gap] = table->places[i];
        gap = i;
    }
    table->places[gap] = (hwri_weak_entry){0};
    table->count--;
    return taken;
}

static void let_go(hwr_heap *heap, hwri_weak_entry entry) {
    entry.weak->owner = NULL;
    hwr_pool_free(heap->blocks, entry.key);
    hwr_release(heap, entry.weak);
    hwr_release(heap, entry.value);
}

/* An object has died: its entry goes. Another callback may have ended the entry, or the whole table. */
static void remove_dead(hwr_heap *heap, hwr_weak *weak, void *argument) {
    (void)argument;
    hwri_weak_table *table = weak->owner;
    if (!table) return;
    size_t mask = table->room - 1, i = (size_t)weak->hash & mask;
    while (table->places[i].weak != weak) i = (i + 1) & mask;
    let_go(heap, take_out(table, &table->places[i]));
}

/* Puts in an entry that is not there yet: a weak reference to `object` under `w`. Making it may collect, and so change the table. */
static hwri_weak_entry *put(hwr_heap *heap, hwri_weak_table *table, const wanted *w, void *object) {
    hwr_weak *weak = hwri_weak_new(heap, object, remove_dead, NULL, table);
    if (!weak) return NULL;
    if (!make_place(heap, table)) {
        hwr_release(heap, weak);
        return NULL;
    }
    weak->hash = w->hash;
    hwri_weak_entry *place = &table->places[free_place(table, w->hash)];
    *place = (hwri_weak_entry){.weak = weak, .hash = w->hash};
    table->count++;
    return place;
}

static bool remove_wanted(hwr_heap *heap, hwri_weak_table *table, const wanted *w) {
    hwri_weak_entry *place = find_entry(table, w);
    if (!place) return false;
    let_go(heap, take_out(table, place));
    return true;
}

/* Its weak references may live a little longer than it does, but must not lead to it. */
void hwri_weak_table_ends(hwr_heap *heap, void *object) {
    hwri_weak_table *table = object;
    for (size_t i = 0; i < table->room; i++) {
        hwr_weak *weak = table->places[i].weak;
        if (weak) {
            weak->owner = NULL;
            hwri_weak_ends(heap, weak);
        }
        hwr_pool_free(heap->blocks, table->places[i].key);
    }
    hwr_pool_free(heap->blocks, table->places);
}

/* ---- objects to objects ---- */

hwr_weak_keys *hwr_weak_keys_new(hwr_heap *heap) {
    if (heap->tracing) return hwri_traced_table_new(heap, &hwri_weak_keys_type);
    return hwr_new(heap, &hwri_weak_keys_type);
}

bool hwr_weak_keys_set(hwr_heap *heap, hwr_weak_keys *keys, void *key, void *value) {
    HWRI_LOOK(heap, key);
    if (heap->tracing) return hwri_traced_keys_set(heap, &keys->table, key, value);
    wanted w = wanted_object(key);
    hwri_weak_entry *place = find_entry(&keys->table, &w);
    if (!place) place = put(heap, &keys->table, &w, key);
    if (!place) return false;
    void *old = place->value;
    hwr_retain(heap, value);
    place->value = value;
    hwr_release(heap, old);
    return true;
}

void *hwr_weak_keys_get(hwr_heap *heap, hwr_weak_keys *keys, const void *key) {
    HWRI_LOOK(heap, keys);
    if (heap->tracing) return hwri_traced_keys_get(heap, &keys->table, key);
    wanted w = wanted_object(key);
    const hwri_weak_entry *place = find_entry(&keys->table, &w);
    if (!place) return NULL;
    hwr_retain(heap, place->value);
    return place->value;
}

bool hwr_weak_keys_remove(hwr_heap *heap, hwr_weak_keys *keys, const void *key) {
    HWRI_LOOK(heap, keys);
    if (heap->tracing) return hwri_traced_keys_remove(heap, &keys->table, key);
    wanted w = wanted_object(key);
    return remove_wanted(heap, &keys->table, &w);
}

size_t hwr_weak_keys_count(hwr_heap *heap, const hwr_weak_keys *keys) {
    return heap->tracing ? hwri_traced_table_count(heap, &keys->table) : keys->table.count;
}

/* ---- bytes to objects ---- */

hwr_weak_values *hwr_weak_values_new(hwr_heap *heap) {
    if (heap->tracing) return hwri_traced_table_new(heap, &hwri_weak_values_type);
    return hwr_new(heap, &hwri_weak_values_type);
}

bool hwr_weak_values_set(hwr_heap *heap, hwr_weak_values *values, const void *key, size_t key_size, void *value) {
    HWRI_LOOK(heap, value);
    wanted w = wanted_bytes(key, key_size);
    if (heap->tracing) return hwri_traced_values_set(heap, &values->table, key, key_size, w.hash, value);
    void *copy = hwr_alloc(heap, key_size ? key_size : 1);
    if (!copy) return false;
    if (key_size) memcpy(copy, key, key_size);
    hwri_weak_entry *place = put(heap, &values->table, &w, value);
    if (!place) {
        hwr_free(heap, copy);
        return false;
    }
    /* The old entry, if there is one, was found before the new one has its key. */
    hwri_weak_entry *old = find_entry(&values->table, &w);
    place->key = copy;
    place->key_size = key_size;
    if (old && old != place) let_go(heap, take_out(&values->table, old));
    return true;
}

void *hwr_weak_values_get(hwr_heap *heap, hwr_weak_values *values, const void *key, size_t key_size) {
    HWRI_LOOK(heap, values);
    wanted w = wanted_bytes(key, key_size);
    if (heap->tracing) return hwri_traced_values_get(heap, &values->table, key, key_size, w.hash);
    const hwri_weak_entry *place = find_entry(&values->table, &w);
    return place ? hwr_weak_get(heap, place->weak) : NULL;
}

bool hwr_weak_values_remove(hwr_heap *heap, hwr_weak_values *values, const void *key, size_t key_size) {
    HWRI_LOOK(heap, values);
    wanted w = wanted_bytes(key, key_size);
    if (heap->tracing) return hwri_traced_values_remove(heap, &values->table, key, key_size, w.hash);
    return remove_wanted(heap, &values->table, &w);
}

size_t hwr_weak_values_count(hwr_heap *heap, const hwr_weak_values *values) {
    return heap->tracing ? hwri_traced_table_count(heap, &values->table) : values->table.count;
}
