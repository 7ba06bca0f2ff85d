/* A cache that forgets what was not used for longest: cache [requests=N]
 *
 * A hash table with chains, and all entries in a doubly linked list by their last use. Requests are for keys of which few are wanted often; what is not there is made and
 * put in, and the oldest entry goes.
 */
#define _POSIX_C_SOURCE 200809L
#include "memory.h"

enum { BUCKETS = 1 << 18, CAPACITY = 200000, KEYS = 600000, VALUE_LEAST = 16, VALUE_MOST = 256 };

typedef struct Value {
    size_t length;
    char items[];
} Value;
TYPE(Value, HWR_ITEMS(Value, length, items, char));

typedef struct Entry Entry;
struct Entry {
    Entry *next, *newer, *older;
    Value *value;
    uint64_t key;
};
TYPE(Entry, HWR_REFS(Entry, next, newer, older, value));

typedef struct Table {
    size_t length;
    Entry *items[];
} Table;
TYPE(Table, HWR_REF_ITEMS(Table, length, items));

typedef struct Cache {
    Table *table;
    Entry *newest, *oldest;
    size_t count;
} Cache;
TYPE(Cache, HWR_REFS(Cache, table, newest, oldest));

static uint64_t state = 88172645463325252;

/* The third power of a number from 0 to 1 is small more often than not. */
static uint64_t wanted_key(void) {
    double part = (double)(next_random(&state) >> 11) * 0x1p-53;
    return (uint64_t)(part * part * part * KEYS);
}

static size_t bucket_of(uint64_t key) { return (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 46) % BUCKETS; }

static Entry *find(const Cache *cache, uint64_t key) {
    Entry *entry = cache->table->items[bucket_of(key)];
    while (entry && entry->key != key) entry = entry->next;
    return entry;
}

static void take_from_list(Memory *memory, Cache *cache, Entry *entry) {
    Entry *newer = entry->newer, *older = entry->older;
    if (newer)
        SET(memory, newer, older, older);
    else
        SET(memory, cache, newest, older);
    if (older)
        SET(memory, older, newer, newer);
    else
        SET(memory, cache, oldest, newer);
}

static void put_first(Memory *memory, Cache *cache, Entry *entry) {
    SET(memory, entry, newer, (Entry *)NULL);
    SET(memory, entry, older, cache->newest);
    if (cache->newest)
        SET(memory, cache->newest, newer, entry);
    else
        SET(memory, cache, oldest, entry);
    SET(memory, cache, newest, entry);
}

static void forget_oldest(Memory *memory, Cache *cache) {
    Entry *oldest = cache->oldest, *before = cache->table->items[bucket_of(oldest->key)];
    take_from_list(memory, cache, oldest);
    if (before == oldest) {
        SET(memory, cache->table, items[bucket_of(oldest->key)], oldest->next);
    } else {
        while (before->next != oldest) before = before->next;
        SET(memory, before, next, oldest->next);
    }
    cache->count--;
}

static void put(Memory *memory, Cache *given, uint64_t key) {
    FRAME(here, Cache * cache; Value * value;);
    here.cache = given;
    size_t length = VALUE_LEAST + random_below(&state, VALUE_MOST - VALUE_LEAST);
    here.value = NEW_LEAF_ITEMS(memory, Value, length);
    memset(here.value->items, (int)(key & 127), length);
    Entry *entry = NEW(memory, Entry);
    Cache *cache = here.cache;
    entry->key = key;
    INIT(memory, entry, value, here.value);
    INIT(memory, entry, next, cache->table->items[bucket_of(key)]);
    SET(memory, cache->table, items[bucket_of(key)], entry);
    put_first(memory, cache, entry);
    if (cache->count++ == CAPACITY) forget_oldest(memory, cache);
    END_FRAME(here);
}

int main(int argc, char **argv) {
    (void)argc;
    Memory *memory = memory_open(argv);
    size_t hits = 0, requests = argument(argv, "requests", 8000000);
    FRAME(here, Cache * cache;);
    here.cache = NEW(memory, Cache);
    Table *table = NEW_ITEMS(memory, Table, (size_t)BUCKETS);
    SET(memory, here.cache, table, table);
    for (size_t i = 0; i < requests; i++) {
        uint64_t key = wanted_key();
        Entry *entry = find(here.cache, key);
        if (entry) {
            if (entry->value->items[0] != (char)(key & 127)) fail("a value is not its key's");
            take_from_list(memory, here.cache, entry);
            put_first(memory, here.cache, entry);
            hits++;
        } else {
            put(memory, here.cache, key);
        }
    }
    END_FRAME(here);
    printf("hits %zu\n", hits);
    memory_close(memory);
    return 0;
}
