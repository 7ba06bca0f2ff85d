/* summary: what a program's memory did, for people, at most 100 columns, and for programs. docs/python.md and docs/dotnet.md say
 * what the names in the JSON mean; names are added, never changed. */
#define _GNU_SOURCE
#include "tool.h"

#include <heapwright.h>

#include <ctype.h>
#include <string.h>

bool was_on_heapwright(const struct run_summary *summary) {
    return atomic_load(&summary->record->state) >= HWRI_RUNNING;
}

const char *why_not(const struct run_summary *summary) {
    if (summary->program->obstacle != NULL) return summary->program->obstacle;
    return summary->record->reason[0] != '\0' ? summary->record->reason : summary->program->silence;
}

/* On one line, as far as there is room from column 11 on. */
static void print_words(FILE *out, char *const *words) {
    int column = 11;
    for (; *words != NULL; words++, column++) {
        for (const char *c = *words; *c != '\0'; c++, column++) {
            if (column > 96) {
                fputs("...\n", out);
                return;
            }
            fputc(iscntrl((unsigned char)*c) ? ' ' : *c, out);
        }
        fputc(' ', out);
    }
    fputc('\n', out);
}

static void print_program(FILE *out, const struct run_summary *summary) {
    fprintf(out, "heapwright %s: what the memory of this program did\n\n  program  ", hwr_version());
    print_words(out, summary->program->arguments);
    summary->program->runtime->print_runtime(out, summary->record);
    if (summary->ending.signal != 0)
        fprintf(out, "  end      killed by signal %d (%s)\n", summary->ending.signal,
                strsignal(summary->ending.signal));
    else
        fprintf(out, "  end      exit status %d\n", summary->ending.status);
}

void print_summary(FILE *out, const struct run_summary *summary) {
    print_program(out, summary);
    summary->program->runtime->print_figures(out, summary);
    if (!was_on_heapwright(summary)) fprintf(out, "\nIt did not run on heapwright: %s.\n", why_not(summary));
}

static void add_ending(cJSON *object, struct ending ending) {
    if (ending.signal != 0)
        add_signed(object, "signal", ending.signal);
    else
        add_signed(object, "exit_status", ending.status);
}

void print_summary_json(FILE *out, const struct run_summary *summary) {
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "heapwright", hwr_version());
    cJSON *words = cJSON_AddArrayToObject(root, "program");
    for (char **word = summary->program->arguments; *word != NULL; word++)
        cJSON_AddItemToArray(words, cJSON_CreateString(*word));
    add_ending(root, summary->ending);
    bool ours = was_on_heapwright(summary);
    cJSON_AddBoolToObject(root, "on_heapwright", ours);
    if (!ours) cJSON_AddStringToObject(root, "reason", why_not(summary));
    summary->program->runtime->add_json(root, summary);
    char *printed = cJSON_Print(root);
    fprintf(out, "%s\n", printed != NULL ? printed : "null");
    cJSON_free(printed);
    cJSON_Delete(root);
}
