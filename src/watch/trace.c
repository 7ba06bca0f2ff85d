/* The Chrome trace event format ("Trace Event Format", Google, 2016): a JSON array of events, each with a phase (B and E for the begin and the end of a stretch of time, i for
 * an instant, C for a counter) and a time in microseconds. Readers accept an array without its end, so a program that is killed leaves a readable file. */
#include <errno.h>
#include <stdio.h>

#include "object/heap.h"

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#define PROCESS_NUMBER() ((long)getpid())
#else
#define PROCESS_NUMBER() 1L
#endif

struct hwri_trace {
    FILE *file;
    long process;
    bool failed;
};

typedef struct event_words {
    const char *label, *value, *other;
    char phase;
} event_words;

static char phase_of(const char *name) {
    size_t length = strlen(name);
    if (length > 6 && strcmp(name + length - 6, "_BEGIN") == 0) return 'B';
    if (length > 4 && strcmp(name + length - 4, "_END") == 0) return 'E';
    return strcmp(name, "HEAP_GROWTH") == 0 ? 'C' : 'i';
}

static event_words words_of(hwr_event_kind kind) {
    static const event_words words[] = {
#define WORDS(name, label, value, other) {label, value, other, 0},
        HWR_EVENTS(WORDS)
#undef WORDS
    };
    event_words w = words[kind];
    w.phase = phase_of(hwr_event_name(kind));
    return w;
}

static void write_event(hwr_heap *heap, const hwr_event *event, void *context) {
    (void)heap;
    struct hwri_trace *trace = context;
    event_words w = words_of(event->kind);
    int written = fprintf(trace->file,
                          "{\"name\": \"%s\", \"cat\": \"heapwright\", \"ph\": \"%c\", \"ts\": %.3f, \"pid\": %ld, "
                          "\"tid\": 1%s, \"args\": {\"%s\": %llu",
                          w.label, w.phase, (double)event->time / 1e3, trace->process,
                          w.phase == 'i' ? ", \"s\": \"t\"" : "", w.value, (unsigned long long)event->value);
    if (written > 0 && *w.other)
        written = fprintf(trace->file, ", \"%s\": %llu", w.other, (unsigned long long)event->other);
    if (written < 0 || fputs("}},\n", trace->file) < 0) trace->failed = true;
}

bool hwr_trace_begin(hwr_heap *heap, const char *path) {
    if (heap->trace) {
        errno = EBUSY;
        return false;
    }
    struct hwri_trace *trace = hwr_alloc(heap, sizeof *trace);
    if (!trace) {
        errno = ENOMEM;
        return false;
    }
    *trace = (struct hwri_trace){.file = fopen(path, "w"), .process = PROCESS_NUMBER()};
    uint64_t all = ((uint64_t)1 << HWR_EVENT_KINDS) - 1;
    if (!trace->file || fputs("[\n", trace->file) < 0 || !hwr_listen(heap, all, write_event, trace)) {
        int error = trace->file && errno == 0 ? ENOMEM : errno;
        if (trace->file) fclose(trace->file);
        hwr_free(heap, trace);
        errno = error;
        return false;
    }
    heap->trace = trace;
    return true;
}

/* The last event has no comma behind it: the name of the process, which viewers show. */
bool hwr_trace_end(hwr_heap *heap) {
    struct hwri_trace *trace = heap->trace;
    if (!trace) return true;
    hwr_unlisten(heap, write_event, trace);
    heap->trace = NULL;
    bool well = !trace->failed;
    well &= fprintf(trace->file,
                    "{\"name\": \"process_name\", \"ph\": \"M\", \"pid\": %ld, \"tid\": 1, "
                    "\"args\": {\"name\": \"heapwright heap\"}}\n]\n",
                    trace->process) > 0;
    well &= fclose(trace->file) == 0;
    hwr_free(heap, trace);
    return well;
}
