/* python.h: what the tool's files about Python share. */
#ifndef HEAPWRIGHT_TOOL_PYTHON_H
#define HEAPWRIGHT_TOOL_PYTHON_H

#include "tool.h"

void print_python(FILE *out, const struct hwri_record *record);
void print_python_figures(FILE *out, const struct run_summary *summary);
void add_python_figures(cJSON *root, const struct run_summary *summary);

extern const char *const domain_names[HWRI_DOMAINS];
extern const char *const call_names[HWRI_CALLS];

#endif
