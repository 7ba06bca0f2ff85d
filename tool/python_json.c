/* python_json: what a Python program's memory did, for programs. */
#include "python.h"

static void add_python(cJSON *root, const struct hwri_record *record) {
    if (record->interpreter[0] == '\0') return;
    cJSON *python = cJSON_AddObjectToObject(root, "python");
    cJSON_AddStringToObject(python, "version", record->python_version);
    cJSON_AddStringToObject(python, "executable", record->interpreter);
    cJSON_AddBoolToObject(python, "shared_library", record->shared_libpython != 0);
}

static void add_snapshot(cJSON *memory, const char *name, const struct hwri_snapshot *snapshot) {
    cJSON *object = cJSON_AddObjectToObject(memory, name);
    add_number(object, "blocks", snapshot->blocks);
    add_number(object, "block_bytes", snapshot->bytes);
    add_number(object, "page_bytes", snapshot->page_bytes);
    add_number(object, "committed_bytes", snapshot->committed);
    add_number(object, "given_back_bytes", snapshot->given_back);
    add_number(object, "large_blocks", snapshot->large_blocks);
    add_number(object, "large_bytes", snapshot->large_bytes);
    cJSON *classes = cJSON_AddArrayToObject(object, "size_classes");
    for (uint32_t i = 0; i < snapshot->class_count; i++) {
        const struct hwri_class_record *class = &snapshot->classes[i];
        if (class->pages == 0) continue;
        cJSON *entry = cJSON_CreateObject();
        add_number(entry, "block_size", class->block_size);
        add_number(entry, "pages", class->pages);
        add_number(entry, "blocks", class->blocks);
        add_number(entry, "capacity", class->capacity);
        cJSON_AddItemToArray(classes, entry);
    }
}

static void add_domain(cJSON *domains, const char *name, const struct hwri_domain_record *domain) {
    cJSON *object = cJSON_AddObjectToObject(domains, name);
    for (int i = 0; i < HWRI_CALLS; i++) add_number(object, call_names[i], atomic_load(&domain->calls[i]));
    add_number(object, "asked_bytes", atomic_load(&domain->asked));
    add_number(object, "taken_bytes", atomic_load(&domain->taken));
    add_signed(object, "blocks", atomic_load(&domain->blocks));
    add_signed(object, "peak_blocks", atomic_load(&domain->peak_blocks));
    add_signed(object, "block_bytes", atomic_load(&domain->bytes));
    add_signed(object, "peak_block_bytes", atomic_load(&domain->peak_bytes));
}

static void add_memory(cJSON *root, const struct hwri_record *record) {
    cJSON *memory = cJSON_AddObjectToObject(root, "memory");
    add_signed(memory, "peak_block_bytes", atomic_load(&record->peak_bytes));
    add_number(memory, "peak_committed_bytes", record->peak_committed);
    add_snapshot(memory, "peak", &record->peak);
    add_snapshot(memory, "end", &record->end);
    if (atomic_load(&record->state) == HWRI_ENDED) add_snapshot(memory, "after_clean_up", &record->after);
    cJSON *domains = cJSON_AddObjectToObject(root, "domains");
    for (int i = 0; i < HWRI_DOMAINS; i++) add_domain(domains, domain_names[i], &record->domains[i]);
}

static void add_collector(cJSON *root, const struct hwri_record *record) {
    cJSON *did = record->collects ? cJSON_Parse(record->collections) : NULL;
    const char *mode = cJSON_GetStringValue(cJSON_GetObjectItem(did, "mode"));
    cJSON_AddStringToObject(root, "collector", mode != NULL ? mode : "stock");
    if (mode != NULL)
        cJSON_AddItemToObject(root, "collections", did);
    else
        cJSON_Delete(did);
}

void add_python_figures(cJSON *root, const struct run_summary *summary) {
    add_python(root, summary->record);
    add_collector(root, summary->record);
    if (was_on_heapwright(summary)) add_memory(root, summary->record);
}
