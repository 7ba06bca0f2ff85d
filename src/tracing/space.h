/* Where a collector that marks has its objects: blocks in regions, with marks beside them (region.c), and large objects (large.c). Nothing in here knows threads, roots or generations, and of objects only how they lie (layout.h), so
 * the collector of a runtime that somebody else wrote has its spaces from here too. */
#ifndef HWRI_TRACING_SPACE_H
#define HWRI_TRACING_SPACE_H

#include "pool/inline.h"
#include "pool/page.h"
#include "raw/atomic.h"
#include "tracing/team.h"

#include <string.h>

#ifdef HWRI_OTHER_LAYOUT
#include HWRI_OTHER_LAYOUT
#else
#include "tracing/layout.h"
#endif

enum {
    HWRI_BLOCK_SHIFT = 15, /* a block: 32 KiB */
    HWRI_BLOCK = 1 << HWRI_BLOCK_SHIFT,
    HWRI_REGION_SHIFT = 21, /* a region: 2 MiB, as a huge page */
    HWRI_REGION_SIZE = 1 << HWRI_REGION_SHIFT,
    HWRI_REGION_BLOCKS = HWRI_REGION_SIZE / HWRI_BLOCK,
    HWRI_SMALL_MOST = 128,  /* bytes, header included, of objects that any hole is good for */
    HWRI_HOLE_MOST = 2048,  /* larger ones are given a whole block */
    HWRI_MEDIUM_MOST = 8192 /* bytes, header included, of objects that blocks hold; larger ones are large */
};

/* A field of an object, or a root. */
typedef void *__attribute__((may_alias)) hwri_slot;

/* ---- the old space ---- */

typedef enum hwri_block_state {
    HWRI_BLOCK_UNUSED, /* holds nothing; has no memory */
    HWRI_BLOCK_FREE,   /* holds nothing; has memory */
    HWRI_BLOCK_HOLES,  /* has holes that may be allocated from */
    HWRI_BLOCK_TAKEN   /* somebody allocates from it, or did */
} hwri_block_state;

/* What is known of a block. The marks of its region tell where the objects begin and end that the last marking found alive, and so where the *holes* between them are. Holes are allocated from in order, and those below `taken` hold
 * one object after the other, and gaps. */
typedef struct hwri_block_info {
    uint8_t state;
    bool dirty;                   /* some of its objects are remembered, but there was no memory to say which */
    bool overflow;                /* some of its objects have been marked, but there was no memory to say which */
    bool leaves;                  /* its objects are moved out by the marking that comes, or is under way */
    uint16_t taken;               /* granules below this one have been handed out, or passed over */
    uint16_t free;                /* granules in holes, as of the last sweep, that have not been handed out since */
    uint16_t live;                /* granules of what was alive at the last sweep */
    struct hwri_block_info *next; /* in a list of free blocks, or of those with holes */
} hwri_block_info;

/* A bit for each granule of 8 bytes. A word of starts and the word of ends for the same granules lie side by side, since they are set together. */
typedef struct hwri_marks {
    uint64_t starts; /* an object alive begins here */
    uint64_t ends;   /* its last granule */
} hwri_marks;

enum { HWRI_BLOCK_WORDS = HWRI_BLOCK / 8 / 64, HWRI_BLOCK_GRANULES = HWRI_BLOCK / 8 };

/* A region: one reservation, aligned to its size, so that an object's region is found by a mask. This description lies at its beginning, and fills its first blocks: 3.1 % of it. What is known of blocks has the place of the marks for these. */
typedef union hwri_region {
    hwri_marks marks[HWRI_REGION_SIZE / 8 / 64];
    hwri_block_info blocks[HWRI_REGION_BLOCKS];
} hwri_region;
enum { HWRI_REGION_FIRST = sizeof(hwri_region) / HWRI_BLOCK }; /* the first block that holds objects */
_Static_assert(sizeof(hwri_region) == (size_t)HWRI_REGION_FIRST * HWRI_BLOCK &&
                   sizeof(hwri_block_info) * HWRI_REGION_BLOCKS <=
                       (size_t)HWRI_REGION_FIRST * HWRI_BLOCK_WORDS * sizeof(hwri_marks),
               "what is known of blocks takes the place of no object's marks");

/* Which granules of a block are in use. */
typedef struct hwri_usage {
    uint64_t bits[HWRI_BLOCK_WORDS];
} hwri_usage;

/* Room that is allocated from by adding: a hole of a block, or pieces of the nursery. */
typedef struct hwri_room {
    uintptr_t bump, limit;
    hwri_block_info *block; /* whose further holes come next; NULL: none */
    hwri_usage used;        /* of that block, as of the last marking */
} hwri_room;

typedef struct hwri_old {
    hwri_region **regions; /* sorted by address */
    size_t region_count, region_room;
    hwri_block_info *free, *holes, *roomy, *unused; /* blocks to be taken; at least half of a roomy one is in holes */
    size_t blocks;                                  /* that are not free or unused */
    size_t free_blocks;                             /* that have memory */
    size_t live;                                    /* bytes, as of the last sweep */
    size_t bytes;                                   /* those and the holes handed out since */
    size_t holes_bytes;                             /* free, in blocks that are in the list of those with holes */
    hwri_room promoted;                             /* where the collector puts small objects */
    hwri_room overflow;                             /* and those that did not fit into a hole */
} hwri_old;

static inline hwri_region *hwri_region_of(const void *address) {
    return (hwri_region *)((uintptr_t)address & ~(uintptr_t)(HWRI_REGION_SIZE - 1));
}
/* Which granule of its region an address lies in. */
static inline size_t hwri_region_granule(const void *address) {
    return ((uintptr_t)address & (HWRI_REGION_SIZE - 1)) / 8;
}
/* The mark of an object in a block: whether the last marking found that one begins here. */
static inline bool hwri_is_marked_in_region(const uint64_t *header) {
    size_t granule = hwri_region_granule(header);
    return __atomic_load_n(&hwri_region_of(header)->marks[granule / 64].starts, __ATOMIC_RELAXED) >> (granule % 64) & 1;
}
static inline hwri_block_info *hwri_block_info_of(const void *address) {
    return &hwri_region_of(address)->blocks[((uintptr_t)address & (HWRI_REGION_SIZE - 1)) >> HWRI_BLOCK_SHIFT];
}
static inline char *hwri_block_start(const hwri_block_info *block) {
    hwri_region *region = hwri_region_of(block);
    return (char *)region + ((size_t)(block - region->blocks) << HWRI_BLOCK_SHIFT);
}

/* ---- large objects ---- */

/* Stands in front of a large object's header. They are of the oldest generation from the beginning, as on C#'s heap. One with references has a byte for each 512 of its own behind it: a card, set when something young
 * is stored there. */
typedef struct hwri_large {
    size_t index;   /* among all */
    size_t size;    /* bytes of the object, header included */
    uint8_t epoch;  /* of the marking that last reached it; 0: none */
    bool listed;    /* is among the remembered */
    bool overflow;  /* marked, but there was no memory to say so */
    uint8_t *cards; /* NULL: none */
    uint64_t tag;   /* the owner's own; and so that an object is aligned to 16 */
} hwri_large;
_Static_assert(sizeof(hwri_large) % 16 == 8, "a large object is aligned to 16");
enum { HWRI_CARD_SHIFT = 9 };

typedef struct hwri_large_space {
    hwr_pool *pool;
    hwri_large **all;
    size_t count, room;
    size_t bytes; /* of objects */
} hwri_large_space;

static inline hwri_large *hwri_large_of(const void *object) {
    return (hwri_large *)(uintptr_t)((const uint64_t *)object - 1) - 1;
}
static inline void *hwri_large_object(const hwri_large *large) { return (uint64_t *)(uintptr_t)(large + 1) + 1; }

/* A growing array of pointers, from a pool (pointers.c). */
typedef struct hwri_pointers {
    void **items;
    size_t count, room;
} hwri_pointers;
bool hwri_pointers_push(hwr_pool *pool, hwri_pointers *list, void *item); /* false without memory */
void hwri_pointers_free(hwr_pool *pool, hwri_pointers *list);

/* All of it. What is in it has to be known to its owner's threads to be shared: whoever calls holds the owner's lock. */
typedef struct hwri_space {
    hwr_raw *raw;      /* where regions come from */
    hwr_pool *tables;  /* and tables */
    hwr_pool *scratch; /* and the markers' stacks */
    size_t huge_from;  /* regions, from which on huge pages are asked for; 0: never */
    bool fills;        /* what dies is filled with HWRI_POISON */
    bool collecting;
    bool refused;   /* the collection under way found no memory, and does not ask again for each object */
    unsigned epoch; /* 1 or 2: of the marking under way, or the last one */
    hwri_old old;
    hwri_large_space large;
    hwri_team team;                       /* threads that mark */
    hwri_pointers marked[HWRI_TEAM_MOST]; /* their stacks */
} hwri_space;

/* ---- region.c. All with the lock held. ---- */
/* Puts the next room for at least `size` bytes into `room`, ending the one that is there. False without memory. */
bool hwri_old_take(hwri_space *space, hwri_room *room, size_t size);
/* The same in two steps, of which only the first needs the lock: a block that is likely to have a hole for `size` bytes (NULL: no memory), and its first such hole. If there is none, another block may be tried: `tries` counts them. */
hwri_block_info *hwri_old_take_block(hwri_space *space, size_t size, unsigned tries);
bool hwri_room_enter(hwri_room *room, hwri_block_info *block, size_t size, size_t *bytes);
/* The next hole of the block that the room is in, for at least `size` bytes; *bytes grows by what is taken. It needs no lock. */
bool hwri_room_next(hwri_room *room, size_t size, size_t *bytes);
void hwri_room_seal(const hwri_room *room); /* what is left of it is a gap for now */
void hwri_room_end(hwri_room *room);        /* and for good */
void *hwri_old_alloc_slow(hwri_space *space,
                          size_t size); /* for the collector; a header's address, NULL without memory */
hwri_region *hwri_region_with(const hwri_space *space, uintptr_t address); /* NULL: none */
/* The header of the object of a block that an address lies in, alive when last marked or allocated since; NULL: none. */
uint64_t *hwri_old_object_at(const hwri_space *space, uintptr_t address);
/* The header of the marked object that begins before an address in a block and ends behind it; NULL: none. */
uint64_t *hwri_marked_across(const void *address);
/* Calls for every object of a block: those that were alive when last marked, and those allocated since; or only for the former. */
void hwri_block_each(const hwri_block_info *block, void (*visit)(void *context, void *object), void *context);
void hwri_block_each_marked(const hwri_block_info *block, void (*visit)(void *context, void *object), void *context);
size_t hwri_regions_described(const hwri_space *space);       /* bytes of descriptions */
const char *hwri_block_problem(const hwri_block_info *block); /* NULL: there is none */
void hwri_old_provide(hwri_space *space, size_t count);       /* sees to so many free blocks, if they can be had */
void hwri_old_clear_marks(hwri_space *space);                 /* before marking */
/* After it: finds the holes. Where marks were only added, not `all` blocks are gone through, but those that something was put into since. */
void hwri_old_sweep(hwri_space *space, bool all);
size_t hwri_old_trim(hwri_space *space, size_t keep); /* gives back free blocks but so many; returns bytes */
void hwri_old_close(hwri_space *space);
static inline size_t hwri_old_bytes(const hwri_space *space) {
    return space->old.blocks << HWRI_BLOCK_SHIFT;
} /* of blocks in use */

/* How large a heap may become until all of it is marked anew, of which `live` bytes are alive: to give back memory that it had `before` and to have it again would cost more than it is worth, so it may use that
 * again, up to four times what lives. */
static inline size_t hwri_target_again(size_t target, size_t live, size_t before) {
    size_t again = before < live * 4 ? before : live * 4;
    return target > again ? target : again;
}

/* ---- large.c ---- */
/* Zeroed, header and all; with the lock held; NULL without memory. */
void *hwri_large_object_new(hwri_space *space, size_t size, bool has_cards);
void hwri_large_drop(hwri_space *space, hwri_large *large);
uint64_t *hwri_large_object_at(const hwri_space *space, uintptr_t address);
void hwri_larges_sweep(hwri_space *space); /* frees those that are not marked */
void hwri_larges_close(hwri_space *space);

enum { HWRI_POISON = 0x5D }; /* a byte; as a header it is neither an object's nor a gap's */

#endif
