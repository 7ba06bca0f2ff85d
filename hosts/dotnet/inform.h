/* inform.h: what programs and the runtime are told of collections: GC.CollectionCount, GC.GetGCMemoryInfo, pause times, counters. */
#ifndef CLR_INFORM_H
#define CLR_INFORM_H

#include "clr.h"

/* Bytes, as GetMemoryInfo writes them. */
typedef struct clr_generation_sizes {
    uint64_t before, fragmented_before, after, fragmented_after;
} clr_generation_sizes;

/* One collection. Who collects fills it in between the two calls below, all but what is said to be ours. */
typedef struct clr_collection {
    int gen;
    int kind; /* CLR_KIND_YOUNG, _FULL or _BACKGROUND */
    bool induced, compacted, concurrent;
    uint64_t heap_size, fragmented, committed, promoted, pinned;
    uint64_t pending; /* objects that wait for their finalizers */
    uint64_t budget;  /* of the young, until the next collection; bytes */
    clr_generation_sizes sizes[CLR_GENERATIONS];
    uint64_t index, started, pause;                  /* ours: from 1 on; nanoseconds */
    uint64_t high_load_bytes, available, load_bytes; /* ours: of memory, as it was at the end */
    uint32_t pause_percent;                          /* ours: of the time since the start, in hundredths of a percent */
} clr_collection;

/* The first counts the collection, whose pause began at `started`; the second ends the pause, and keeps the record. Both tell those who listen to the runtime's events. The world stands still, and one thread
 * collects. */
void clr_inform_begin(clr_collection *collection, int gen, int kind, bool induced, uint64_t started);
void clr_inform_end(clr_collection *collection);

/* Which of the runtime's events somebody listens to. Any thread, and before all else. */
void clr_inform_control(int keywords, int level);

/* Something was stored into a handle of that type; and one was freed. By the thread that did it. */
void clr_inform_handle_set(clr_handle handle, clr_object *object, int type);
void clr_inform_handle_freed(clr_handle handle);

/* An object was made, for which so many bytes were handed out; those who listen hear of one in so many bytes. By the thread that made it. */
enum { CLR_TICK = 100 * 1024 };
enum { CLR_TICK_SMALL, CLR_TICK_LARGE, CLR_TICK_PINNED, CLR_TICKS };
void clr_inform_allocated(int kind, uint64_t bytes, clr_object *object, uint64_t size);

/* The latest of a kind; all zero, but for the memory there is, if there was none. */
void clr_inform_latest(int kind, clr_collection *collection);

/* Collections of a generation and of older ones; with `kind` other than CLR_KIND_ANY, those of the kind alone. */
uint64_t clr_collections(int gen, int kind);

/* Nanoseconds: now; all pauses together. */
uint64_t clr_now(void);
uint64_t clr_paused(void);

/* Percent of the time from the end of the collection before to that of the last that the last took. */
unsigned clr_percent_in_last(void);

/* When the last collection of a generation (or an older one) began, and how long it took: nanoseconds. */
uint64_t clr_last_start(int gen);
uint64_t clr_last_pause(int gen);

#endif
