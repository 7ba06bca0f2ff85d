/* tool.h: what the files of the `heapwright` command share. What is known of one runtime only stands in the files that begin
 * with its name. */
#ifndef HEAPWRIGHT_TOOL_H
#define HEAPWRIGHT_TOOL_H

#include "../hosts/record.h"

#include <cjson/cJSON.h>
#include <elf.h>
#include <link.h>
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

/* What the user typed. NULL: not given. */
struct request {
    char **words; /* the program and its arguments, or those of the module; NULL at the end */
    const char *module, *python, *dotnet;
    const char *gc; /* one of those that --help lists */
    bool strict;
};

struct program;
struct record_file;
struct run_summary;

/* What the tool knows of a kind of programs. */
struct runtime {
    /* Puts into the environment what makes the program run on heapwright, from the next exec on. False, having said why
     * not. `file` may be NULL. */
    bool (*prepare)(const struct program *program, const struct request *request, const struct record_file *file);
    /* The parts of a summary that are its own: a line about the runtime, and the figures. */
    void (*print_runtime)(FILE *out, const struct hwri_record *record);
    void (*print_figures)(FILE *out, const struct run_summary *summary);
    void (*add_json)(cJSON *root, const struct run_summary *summary);
};

extern const struct runtime python_runtime, dotnet_runtime;

/* A program, found and looked at, not yet run. */
struct program {
    const struct runtime *runtime;
    char *path;           /* the file to execute */
    char **arguments;     /* its argv, NULL at the end */
    const char *obstacle; /* why it cannot run on heapwright, as the rest of a sentence "'x' ..."; NULL: it can */
    const char *silence;  /* why it was not on heapwright if no host was heard of; the rest of a sentence */
    bool server;          /* of .NET: it asks for the server's collector */
};

/* Finds what the request means. Returns 0, or an exit status, having said why. */
int find_program(struct program *program, const struct request *request);

/* The executable file that `name` means, searched on PATH if there is no slash in it. Returns NULL if there is none;
 * *status is then the shells' exit status for it. */
char *find_executable(const char *name, int *status);

/* Says that there is no executable of that name; returns the status. */
int complain(const char *name, int status);

/* argv of a program: `first`, then `words`; both with NULL at the end. */
char **join(char *const *first, char *const *words);

bool is_file(const char *path);
bool ends_with(const char *string, const char *end);

/* The beginning of a file; what is not there is zero. */
union file_head {
    char bytes[512];
    ElfW(Ehdr) elf;
};

bool read_head(const char *path, union file_head *head);

/* ---- python.c, dotnet.c ---- */

int find_python_program(struct program *program, const struct request *request);

bool is_dotnet_request(const struct request *request);
int find_dotnet_program(struct program *program, const struct request *request);

/* ---- library.c: where our libraries are ---- */

#define PRELOAD_LIBRARY "libheapwright-preload.so"
#define DOTNET_LIBRARY "libheapwright-dotnet.so"

/* Path of one of our libraries that can be preloaded, or NULL, having said why not. */
char *find_library(const char *file_name);

/* The same; NULL without a word if there is none. */
char *look_for_library(const char *file_name);

/* ---- record.c: the figures of one run ---- */

/* The record of a run and the file behind it, which the program's runtime unlinks when it takes the record. */
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

/* Environment for programs that we start, from the next exec on: our object before others that are preloaded; the name
 * of the record, or none. */
void preload_into_children(const char *library);
void hand_down(const struct record_file *file);

/* Executes the program in the place of this process. Returns an exit status, having said why it could not. */
int execute(const struct program *program);

/* Runs the program as a child and waits for it, as if this process were the program: passes signals on, stops when it
 * stops. Returns false, having said why, if it could not be started. */
bool supervise(const struct program *program, struct ending *ending);

/* Ends this process as the child ended. */
_Noreturn void end_like(struct ending ending);

/* ---- doctor.c: what this machine has ---- */

/* The parts of the report: for people, and for the JSON. */
struct python_findings;
struct python_findings *find_pythons(const char *preload);
void print_pythons(const struct python_findings *findings);
void print_python_verdict(const struct python_findings *findings);
void add_pythons(cJSON *root, const struct python_findings *findings);
bool python_serves(const struct python_findings *findings);

void print_dotnets(void);
void add_dotnets(cJSON *runtimes);

/* ---- summary.c and figures.c: the figures for people and for programs ---- */

struct run_summary {
    const struct program *program;
    struct ending ending;
    const struct hwri_record *record;
};

bool was_on_heapwright(const struct run_summary *summary);
const char *why_not(const struct run_summary *summary);

void print_summary(FILE *out, const struct run_summary *summary);
void print_summary_json(FILE *out, const struct run_summary *summary);

/* A figure as people read it. */
struct cell {
    char text[32];
};

struct cell bytes_cell(int64_t bytes);
struct cell count_cell(int64_t count);
struct cell percent_cell(double part, double whole);
struct cell range_cell(int64_t first, int64_t last);

/* Sums that are made of additions only print as whole numbers up to 2^53. */
void add_number(cJSON *object, const char *name, uint64_t value);
void add_signed(cJSON *object, const char *name, int64_t value);

#endif
