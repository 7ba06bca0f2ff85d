/* Opening and closing a heap. */
#include "object/heap.h"
#include "tracing/life.h"

#include <stdlib.h>

static const int default_threshold[HWR_GENERATIONS] = {700, 10, 10};

/* A number in the environment; 0 if it is not set or no number. */
static size_t from_environment(const char *name) {
    const char *text = getenv(name);
    return text ? (size_t)strtoull(text, NULL, 10) : 0;
}

static bool open_pools(hwr_heap *heap) {
    heap->scratch = heap->limit ? hwr_pool_open(NULL) : heap->blocks;
    if (!heap->scratch) return false;
    heap->counts.pool = heap->weaks.pool = heap->blocks;
    return true;
}

/* The heap's own structure is the first block of its third pool. */
static hwr_heap *open_heap_on(hwr_raw *raw, const hwr_options *o) {
    bool is_checked = o->checked || from_environment("HEAPWRIGHT_DEBUG");
    bool traces = o->collector != HWR_COUNTING;
    hwr_pool_options options = {.size = sizeof options, .raw = raw, .checked = is_checked, .shared = traces};
    hwr_pool *blocks = hwr_pool_open(&options);
    size_t size = sizeof(hwr_heap) + (traces ? 0 : sizeof(hwri_counted));
    hwr_heap *heap = blocks ? hwr_pool_alloc_zeroed(blocks, 1, size) : NULL;
    if (!heap) {
        hwr_pool_close(blocks);
        return NULL;
    }
    heap->collector = traces ? &hwri_tracing_collector : &hwri_counting_collector;
    heap->blocks = blocks;
    heap->raw = raw;
    heap->owns_raw = !o->raw;
    heap->limit = o->limit;
    heap->checked = is_checked;
    heap->face.mode = (uint8_t)((traces ? HWRI_TRACES : HWRI_COUNTS) + heap->checked);
    heap->stress = o->stress ? o->stress : from_environment("HEAPWRIGHT_STRESS");
    heap->until_stress = heap->stress;
    heap->on_out_of_memory = o->on_out_of_memory;
    heap->context = o->context;
    heap->enabled = true;
    memcpy(heap->threshold, default_threshold, sizeof default_threshold);
    hwri_mutex_init(&heap->watch);
    if (!open_pools(heap) || !heap->collector->open(heap, o)) {
        heap->owns_raw = false;
        hwr_heap_close(heap);
        return NULL;
    }
    return heap;
}

static hwr_collector collector_of_environment(void) {
    const char *text = getenv("HEAPWRIGHT_COLLECTOR");
    if (!text || !*text || strcmp(text, "counting") == 0) return HWR_COUNTING;
    if (strcmp(text, "tiny") == 0) return HWR_TINY;
    return strcmp(text, "tracing") == 0 ? HWR_TRACING : HWR_ANY_COLLECTOR;
}

static bool makes_sense(const hwr_options *o) {
    if (o->raw && o->limit) return false;
    if (o->collector == HWR_COUNTING) return true;
    if (o->collector != HWR_TRACING && o->collector != HWR_TINY) return false;
    if ((unsigned)o->roots > HWR_ROOTS_EXACT || (unsigned)o->sizing > HWR_SIZE_ADAPTS) return false;
    return !(o->sizing == HWR_SIZE_FIXED && !o->limit) &&
           !(o->move_always && (o->unmoving || o->collector == HWR_TINY));
}

/* NULL also if the environment names a collector that there is not. */
hwr_heap *hwr_heap_open(const hwr_options *options) {
    hwr_options o = {.size = sizeof o};
    if (!options || options->size < offsetof(hwr_options, raw)) return NULL;
    memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
    if (o.collector == HWR_ANY_COLLECTOR) o.collector = collector_of_environment();
    if (!makes_sense(&o)) return NULL;
    hwr_raw *raw = o.raw;
    if (!raw) raw = hwr_raw_open(&(hwr_raw_options){.size = sizeof(hwr_raw_options), .limit = o.limit});
    hwr_heap *heap = raw ? open_heap_on(raw, &o) : NULL;
    if (!heap && raw != o.raw) hwr_raw_close(raw);
    return heap;
}

void hwr_heap_close(hwr_heap *heap) {
    if (!heap) return;
    heap->collector->close(heap);
    hwri_events_close(heap);
    hwri_mutex_destroy(&heap->watch);
    hwr_raw *owned = heap->owns_raw ? heap->raw : NULL;
    if (heap->scratch != heap->blocks) hwr_pool_close(heap->scratch);
    hwr_pool_close(heap->blocks);
    hwr_raw_close(owned);
}

uint64_t hwr_id(hwr_heap *heap, const void *object) {
    HWRI_LOOK(heap, object);
    return heap->tracing ? hwri_traced_id(heap, object) : (uint64_t)(uintptr_t)object;
}
