/* dotnet_summary: what a .NET program's memory did, for people and for programs. */
#include "dotnet.h"

static const char *const handle_names[HWRI_DOTNET_HANDLES] = {"weak", "weak_track_resurrection", "normal", "pinned",
                                                              "dependent"};

void print_dotnet(FILE *out, const struct hwri_record *record) {
    if (record->dotnet.version[0] != '\0')
        fprintf(out, "  dotnet   %s, %s\n", record->dotnet.version, record->dotnet.runtime);
}

static void print_collections(FILE *out, const struct hwri_dotnet_record *dotnet) {
    uint64_t all = 0;
    for (int i = 0; i < HWRI_DOTNET_GENERATIONS; i++) all += dotnet->collections[i];
    fprintf(out, "\n%-30s%14s%14s%14s%14s\n", "", "generation 0", "1", "2", "all");
    fprintf(out, "%-30s", "collections");
    for (int i = 0; i < HWRI_DOTNET_GENERATIONS; i++)
        fprintf(out, "%14s", count_cell((int64_t)dotnet->collections[i]).text);
    fprintf(out, "%14s\n", count_cell((int64_t)all).text);
    fprintf(out, "%-30s%14s\n", "asked for by the program", count_cell((int64_t)dotnet->induced).text);
    fprintf(out, "%-30s%14s\n", "pauses", count_cell((int64_t)dotnet->pauses).text);
    fprintf(out, "%-30s%11.3f ms\n", "all of them together", (double)dotnet->pause_nanoseconds / 1e6);
    fprintf(out, "%-30s%11.3f ms\n", "the longest", (double)dotnet->longest_pause_nanoseconds / 1e6);
}

static void print_memory(FILE *out, const struct hwri_dotnet_record *dotnet, bool complete) {
    const struct hwri_dotnet_memory *memory = &dotnet->memory;
    fprintf(out, "\n%-30s%14s%28s\n", "", "at the peak", complete ? "at the end" : "at the last collection");
    fprintf(out, "%-30s%14s%28s\n", "in objects", bytes_cell((int64_t)dotnet->peak_objects).text,
            bytes_cell((int64_t)memory->objects).text);
    fprintf(out, "%-30s%14s%28s\n", "taken from the system", bytes_cell((int64_t)dotnet->peak_committed).text,
            bytes_cell((int64_t)memory->committed).text);
    fprintf(out, "%-30s%14s%28s\n", "allocated so far", "", bytes_cell((int64_t)memory->allocated).text);
    fprintf(out, "%-30s%14s%28s\n", "objects with a finalizer", "", count_cell((int64_t)memory->finalizable).text);
    fprintf(out, "%-30s%14s%28s\n", "that wait for it", "", count_cell((int64_t)memory->pending).text);
    fputs("handles  ", out);
    for (int i = 0; i < HWRI_DOTNET_HANDLES; i++)
        fprintf(out, "%s %s%s", count_cell((int64_t)memory->handles[i]).text, handle_names[i],
                i + 1 < HWRI_DOTNET_HANDLES ? ", " : "\n");
}

void print_dotnet_figures(FILE *out, const struct run_summary *summary) {
    if (!was_on_heapwright(summary)) return;
    print_collections(out, &summary->record->dotnet);
    print_memory(out, &summary->record->dotnet, atomic_load(&summary->record->state) == HWRI_ENDED);
}

static void add_runtime(cJSON *root, const struct hwri_dotnet_record *dotnet) {
    if (dotnet->version[0] == '\0') return;
    cJSON *runtime = cJSON_AddObjectToObject(root, "dotnet");
    cJSON_AddStringToObject(runtime, "version", dotnet->version);
    cJSON_AddStringToObject(runtime, "runtime", dotnet->runtime);
}

static void add_collections(cJSON *root, const struct hwri_dotnet_record *dotnet) {
    static const char *const names[HWRI_DOTNET_GENERATIONS] = {"generation0", "generation1", "generation2"};
    cJSON *collections = cJSON_AddObjectToObject(root, "collections");
    for (int i = 0; i < HWRI_DOTNET_GENERATIONS; i++) add_number(collections, names[i], dotnet->collections[i]);
    add_number(collections, "induced", dotnet->induced);
    cJSON *pauses = cJSON_AddObjectToObject(root, "pauses");
    add_number(pauses, "count", dotnet->pauses);
    cJSON_AddNumberToObject(pauses, "seconds", (double)dotnet->pause_nanoseconds / 1e9);
    cJSON_AddNumberToObject(pauses, "longest_seconds", (double)dotnet->longest_pause_nanoseconds / 1e9);
}

static void add_memory_of_dotnet(cJSON *root, const struct hwri_dotnet_record *dotnet) {
    cJSON *memory = cJSON_AddObjectToObject(root, "memory");
    add_number(memory, "allocated_bytes", dotnet->memory.allocated);
    add_number(memory, "object_bytes", dotnet->memory.objects);
    add_number(memory, "peak_object_bytes", dotnet->peak_objects);
    add_number(memory, "committed_bytes", dotnet->memory.committed);
    add_number(memory, "peak_committed_bytes", dotnet->peak_committed);
    cJSON *handles = cJSON_AddObjectToObject(root, "handles");
    for (int i = 0; i < HWRI_DOTNET_HANDLES; i++) add_number(handles, handle_names[i], dotnet->memory.handles[i]);
    cJSON *finalizers = cJSON_AddObjectToObject(root, "finalizers");
    add_number(finalizers, "registered", dotnet->memory.finalizable);
    add_number(finalizers, "pending", dotnet->memory.pending);
}

void add_dotnet_figures(cJSON *root, const struct run_summary *summary) {
    const struct hwri_dotnet_record *dotnet = &summary->record->dotnet;
    bool ours = was_on_heapwright(summary);
    cJSON_AddStringToObject(root, "collector", ours ? "auto" : "stock");
    if (!ours) return;
    add_runtime(root, dotnet);
    add_collections(root, dotnet);
    add_memory_of_dotnet(root, dotnet);
}
