/* python_summary: what a Python program's memory did, for people. */
#define _GNU_SOURCE
#include "python.h"

const char *const domain_names[HWRI_DOMAINS] = {"raw", "mem", "obj"};
const char *const call_names[HWRI_CALLS] = {"malloc", "calloc", "realloc", "free"};

static void print_moments(FILE *out, const struct hwri_record *record) {
    bool complete = atomic_load(&record->state) == HWRI_ENDED;
    const struct hwri_snapshot *peak = &record->peak, *end = &record->end, *after = &record->after;
    fprintf(out, "\n%-34s%16s%16s%20s\n", "", "at the peak", "at the end", "after clean-up");
    const struct {
        const char *name;
        int64_t peak, end, after;
    } rows[] = {
        {"in blocks in use", atomic_load(&record->peak_bytes), (int64_t)end->bytes, (int64_t)after->bytes},
        {"in the pages that hold these", (int64_t)peak->page_bytes, (int64_t)end->page_bytes,
         (int64_t)after->page_bytes},
        {"taken from the system", (int64_t)record->peak_committed, (int64_t)end->committed, (int64_t)after->committed},
        {"given back to the system so far", (int64_t)peak->given_back, (int64_t)end->given_back,
         (int64_t)after->given_back},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        fprintf(out, "%-34s%16s%16s%20s\n", rows[i].name, bytes_cell(rows[i].peak).text, bytes_cell(rows[i].end).text,
                complete ? bytes_cell(rows[i].after).text : "-");
    fprintf(out, "%-34s%16s%16s%20s\n", "blocks in use", count_cell((int64_t)peak->blocks).text,
            count_cell((int64_t)end->blocks).text, complete ? count_cell((int64_t)after->blocks).text : "-");
    if (atomic_load(&record->state) == HWRI_RUNNING)
        fputs("Python did not come to its clean-up: the end is the last moment that is known.\n", out);
}

static void print_domain(FILE *out, const char *name, const struct hwri_domain_record *domain) {
    fprintf(out, "%-7s", name);
    for (int i = 0; i < HWRI_CALLS; i++) fprintf(out, "%12s", count_cell((int64_t)atomic_load(&domain->calls[i])).text);
    uint64_t asked = atomic_load(&domain->asked), taken = atomic_load(&domain->taken);
    fprintf(out, "%13s%13s%9s\n", bytes_cell((int64_t)asked).text, bytes_cell((int64_t)taken).text,
            percent_cell((double)taken - (double)asked, (double)asked).text);
}

static void print_domains(FILE *out, const struct hwri_record *record) {
    fprintf(out, "\n%-7s", "domain");
    for (int i = 0; i < HWRI_CALLS; i++) fprintf(out, "%12s", call_names[i]);
    fprintf(out, "%13s%13s%9s\n", "asked for", "taken", "more");
    struct hwri_domain_record all = {0};
    for (int i = 0; i < HWRI_DOMAINS; i++) {
        const struct hwri_domain_record *domain = &record->domains[i];
        print_domain(out, domain_names[i], domain);
        for (int call = 0; call < HWRI_CALLS; call++) all.calls[call] += atomic_load(&domain->calls[call]);
        all.asked += atomic_load(&domain->asked);
        all.taken += atomic_load(&domain->taken);
    }
    print_domain(out, "all", &all);
}

/* Some classes together, for a line of the table. */
struct class_row {
    struct cell name;
    uint64_t pages, blocks, capacity, bytes, room;
};

static void add_class(struct class_row *row, const struct hwri_class_record *class) {
    row->pages += class->pages;
    row->blocks += class->blocks;
    row->capacity += class->capacity;
    row->bytes += class->blocks * class->block_size;
    row->room += class->capacity * class->block_size;
}

static void print_class_row(FILE *out, const struct class_row *row) {
    if (row->pages == 0) return;
    fprintf(out, "%-18s%12s%14s%14s%14s%10s\n", row->name.text, count_cell((int64_t)row->pages).text,
            count_cell((int64_t)row->blocks).text, count_cell((int64_t)row->capacity).text,
            bytes_cell((int64_t)row->bytes).text, percent_cell((double)row->bytes, (double)row->room).text);
}

/* Every class up to 512 bytes has a line of its own; above that, those up to the next power of two share one. */
static void print_classes(FILE *out, const struct hwri_snapshot *snapshot) {
    fprintf(out, "\nNear the peak:\n%-18s%12s%14s%14s%14s%10s\n", "block size", "pages", "blocks", "room for",
            "in blocks", "fill");
    struct class_row row = {.pages = 0};
    uint64_t until = 512;
    for (uint32_t i = 0; i < snapshot->class_count; i++) {
        const struct hwri_class_record *class = &snapshot->classes[i];
        if (class->block_size <= 512) {
            struct class_row single = {.name = count_cell((int64_t) class->block_size)};
            add_class(&single, class);
            print_class_row(out, &single);
            continue;
        }
        if (class->block_size > until) {
            print_class_row(out, &row);
            while (until < class->block_size) until *= 2;
            row = (struct class_row){.pages = 0};
            row.name = range_cell((int64_t) class->block_size, (int64_t)until);
        }
        add_class(&row, class);
    }
    print_class_row(out, &row);
    fprintf(out, "%-18s%12s%14s%14s%14s\n", "large", "", count_cell((int64_t)snapshot->large_blocks).text, "",
            bytes_cell((int64_t)snapshot->large_bytes).text);
}

static double figure(const cJSON *object, const char *name) {
    const cJSON *item = cJSON_GetObjectItem(object, name);
    return item != NULL ? item->valuedouble : 0;
}

static void print_collector(FILE *out, const char *collections) {
    cJSON *did = cJSON_Parse(collections);
    const char *mode = cJSON_GetStringValue(cJSON_GetObjectItem(did, "mode"));
    fprintf(out, "Cycle collector: heapwright's (%s).\n", mode != NULL ? mode : "inplace");
    if (figure(did, "snapshots") > 0)
        fprintf(
            out,
            "  full collections beside the program: %.0f, which found %.0f objects of garbage; %.0f came to nothing\n",
            figure(did, "snapshots"), figure(did, "candidates"),
            figure(did, "died") + figure(did, "slow") + figure(did, "without_memory") + figure(did, "given_up"));
    if (figure(did, "recent_examined") > 0)
        fprintf(out, "  collections of what had become old lately: %.0f, which found %.0f objects of garbage\n",
                figure(did, "recent_examined"), figure(did, "recent_collected"));
    const cJSON *reason;
    cJSON_ArrayForEach(reason, cJSON_GetObjectItem(did, "in_place"))
        fprintf(out, "  full collections in place: %.0f, because %s\n", reason->valuedouble, reason->string);
    cJSON_Delete(did);
}

void print_python(FILE *out, const struct hwri_record *record) {
    if (record->interpreter[0] != '\0')
        fprintf(out, "  python   %s, %s, %s\n", record->python_version, record->interpreter,
                record->shared_libpython ? "shared library" : "static");
}

void print_python_figures(FILE *out, const struct run_summary *summary) {
    const struct hwri_record *record = summary->record;
    if (record->collects) print_collector(out, record->collections);
    if (!was_on_heapwright(summary)) return;
    print_moments(out, record);
    print_domains(out, record);
    print_classes(out, &record->peak);
}
