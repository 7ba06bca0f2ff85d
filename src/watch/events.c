/* Events to those who listen, and counters. */
#include "object/heap.h"

const char *hwr_event_name(hwr_event_kind kind) {
    static const char *const names[] = {
#define NAME(name, label, value, other) #name,
        HWR_EVENTS(NAME)
#undef NAME
    };
    return (size_t)kind < sizeof names / sizeof *names ? names[kind] : NULL;
}

static void set_listening(hwr_heap *heap) {
    heap->listening = 0;
    for (size_t i = 0; i < heap->listener_count; i++) heap->listening |= heap->listeners[i].kinds;
}

bool hwr_listen(hwr_heap *heap, uint64_t kinds, hwr_event_listener listener, void *context) {
    size_t count = heap->listener_count;
    hwri_listener *listeners = hwr_pool_realloc(heap->blocks, heap->listeners, (count + 1) * sizeof *listeners);
    if (!listeners) return false;
    listeners[count] = (hwri_listener){listener, context, kinds};
    heap->listeners = listeners;
    heap->listener_count++;
    set_listening(heap);
    return true;
}

bool hwr_unlisten(hwr_heap *heap, hwr_event_listener listener, void *context) {
    for (size_t i = 0; i < heap->listener_count; i++)
        if (heap->listeners[i].call == listener && heap->listeners[i].context == context) {
            heap->listener_count--;
            memmove(&heap->listeners[i], &heap->listeners[i + 1], (heap->listener_count - i) * sizeof *heap->listeners);
            set_listening(heap);
            return true;
        }
    return false;
}

void hwri_emit_slow(hwr_heap *heap, hwr_event_kind kind, uint64_t value, uint64_t other) {
    hwr_event event = {.kind = kind, .time = hwr_raw_now(heap->raw), .value = value, .other = other};
    for (size_t i = 0; i < heap->listener_count; i++)
        if (heap->listeners[i].kinds >> kind & 1) heap->listeners[i].call(heap, &event, heap->listeners[i].context);
}

void hwr_get_counters(const hwr_heap *heap, hwr_counters *counters) { *counters = heap->counters; }

void hwri_events_close(hwr_heap *heap) { hwr_trace_end(heap); }
