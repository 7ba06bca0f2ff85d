/* Events to those who listen, callbacks of collections, counters. */
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

static bool add_listener(hwr_heap *heap, uint64_t kinds, hwr_event_listener listener, void *context) {
    size_t count = heap->listener_count;
    hwri_listener *listeners = hwr_pool_realloc(heap->blocks, heap->listeners, (count + 1) * sizeof *listeners);
    if (!listeners) return false;
    listeners[count] = (hwri_listener){listener, context, kinds};
    heap->listeners = listeners;
    heap->listener_count++;
    set_listening(heap);
    return true;
}

static bool remove_listener(hwr_heap *heap, hwr_event_listener listener, void *context) {
    for (size_t i = 0; i < heap->listener_count; i++)
        if (heap->listeners[i].call == listener && heap->listeners[i].context == context) {
            heap->listener_count--;
            memmove(&heap->listeners[i], &heap->listeners[i + 1], (heap->listener_count - i) * sizeof *heap->listeners);
            set_listening(heap);
            return true;
        }
    return false;
}

bool hwr_listen(hwr_heap *heap, uint64_t kinds, hwr_event_listener listener, void *context) {
    hwri_mutex_lock(&heap->watch);
    bool added = add_listener(heap, kinds, listener, context);
    hwri_mutex_unlock(&heap->watch);
    return added;
}

bool hwr_unlisten(hwr_heap *heap, hwr_event_listener listener, void *context) {
    hwri_mutex_lock(&heap->watch);
    bool removed = remove_listener(heap, listener, context);
    hwri_mutex_unlock(&heap->watch);
    return removed;
}

void hwri_emit_slow(hwr_heap *heap, hwr_event_kind kind, uint64_t value, uint64_t other) {
    hwr_event event = {.kind = kind, .time = hwr_raw_now(heap->raw), .value = value, .other = other};
    hwri_mutex_lock(&heap->watch);
    for (size_t i = 0; i < heap->listener_count; i++)
        if (heap->listeners[i].kinds >> kind & 1) heap->listeners[i].call(heap, &event, heap->listeners[i].context);
    hwri_mutex_unlock(&heap->watch);
}

/* ---- callbacks of collections ---- */

static bool add_callback(hwr_heap *heap, hwr_collection_callback callback, void *context) {
    size_t count = heap->callback_count;
    hwri_callback *callbacks = hwr_pool_realloc(heap->blocks, heap->callbacks, (count + 1) * sizeof *callbacks);
    if (!callbacks) return false;
    callbacks[count] = (hwri_callback){callback, context};
    heap->callbacks = callbacks;
    heap->callback_count++;
    return true;
}

static bool remove_callback(hwr_heap *heap, hwr_collection_callback callback, void *context) {
    for (size_t i = 0; i < heap->callback_count; i++)
        if (heap->callbacks[i].call == callback && heap->callbacks[i].context == context) {
            heap->callback_count--;
            memmove(&heap->callbacks[i], &heap->callbacks[i + 1], (heap->callback_count - i) * sizeof *heap->callbacks);
            return true;
        }
    return false;
}

bool hwr_add_callback(hwr_heap *heap, hwr_collection_callback callback, void *context) {
    hwri_mutex_lock(&heap->watch);
    bool added = add_callback(heap, callback, context);
    hwri_mutex_unlock(&heap->watch);
    return added;
}

bool hwr_remove_callback(hwr_heap *heap, hwr_collection_callback callback, void *context) {
    hwri_mutex_lock(&heap->watch);
    bool removed = remove_callback(heap, callback, context);
    hwri_mutex_unlock(&heap->watch);
    return removed;
}

/* They may use the heap, and change the list. */
void hwri_call_back_all(hwr_heap *heap, const hwr_collection_info *info) {
    for (size_t i = 0;; i++) {
        hwri_callback callback = {0};
        hwri_mutex_lock(&heap->watch);
        if (i < heap->callback_count) callback = heap->callbacks[i];
        hwri_mutex_unlock(&heap->watch);
        if (!callback.call) return;
        callback.call(heap, info, callback.context);
    }
}

void hwr_get_counters(const hwr_heap *heap, hwr_counters *counters) { *counters = heap->counters; }

void hwri_events_close(hwr_heap *heap) { hwr_trace_end(heap); }
