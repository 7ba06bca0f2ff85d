/* tool.h: what the files of the `heapwright` command share. */
#ifndef HEAPWRIGHT_TOOL_H
#define HEAPWRIGHT_TOOL_H

#include "../hosts/record.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* Exit statuses of our own; a program that runs brings its own. The last two are the shells'. */
enum { STATUS_MISUSE = 2, STATUS_NOT_EXECUTABLE = 126, STATUS_NOT_FOUND = 127 };

/* The commands. Each gets the words from its own name on, and returns the exit status. */
int command_run(int argc, char **argv);
int command_doctor(int argc, char **argv);

/* One line on standard error: "heapwright: ..." */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* Memory for good; ends the process with a line if there is none. */
void *allocate(size_t size);
__attribute__((format(printf, 1, 2))) char *text(const char *format, ...);

/* ---- program.c: what is to be run ---- */

/* A program, found and looked at, not yet run. */
struct program {
    char *path;           /* the file to execute */
    char **arguments;     /* its argv, NULL at the end */
    const char *obstacle; /* why it cannot run on heapwright, as the rest of a sentence "'x' ..."; NULL: it can */
};

/* Finds what `words` mean: x.py, a Python interpreter with its arguments, or, if `module` is not NULL, a module with
 * its arguments. `python` is the interpreter for the first and the last, NULL for python3. Returns 0, or an exit
 * status, having said why. */
int find_program(struct program *program, const char *python, const char *module, char **words);

/* The executable file that `name` means, searched on PATH if there is no slash in it. Returns NULL if there is none;
 * *status is then the shells' exit status for it. */
char *find_executable(const char *name, int *status);

/* ---- library.c: where our libraries are ---- */

/* Path of libheapwright-preload.so, or NULL, having said why not. */
char *find_preload(void);

/* ---- record.c: the figures of one run ---- */

/* The record of a run and the file behind it, which the program's interpreter unlinks when it takes the record. */
struct record_file {
    struct hwri_record *record;
    char path[4096];
};

bool record_open(struct record_file *file); /* false, having said why not */
void record_close(struct record_file *file);

/* ---- child.c: running a program ---- */

/* How a program ended: its exit status, or the number of the signal that killed it. */
struct ending {
    int status, signal;
};

/* Environment for programs that we start, from the next exec on. */
void preload_into_children(const char *preload, bool strict, const struct record_file *file);

/* Executes the program in the place of this process. Returns an exit status, having said why it could not. */
int execute(const struct program *program);

/* Runs the program as a child and waits for it, as if this process were the program: passes signals on, stops when it
 * stops. Returns false, having said why, if it could not be started. */
bool supervise(const struct program *program, struct ending *ending);

/* Ends this process as the child ended. */
_Noreturn void end_like(struct ending ending);

/* ---- summary.c and summary_json.c: the figures for people and for programs ---- */

/* What a summary is about. `reason` is why the program was not on heapwright, if that was known before it ran. */
struct run_summary {
    const struct program *program;
    struct ending ending;
    const struct hwri_record *record;
    const char *reason;
};

bool was_on_heapwright(const struct run_summary *summary);
const char *why_not(const struct run_summary *summary);

void print_summary(FILE *out, const struct run_summary *summary);
void print_summary_json(FILE *out, const struct run_summary *summary);

extern const char *const domain_names[HWRI_DOMAINS];
extern const char *const call_names[HWRI_CALLS];

#endif
