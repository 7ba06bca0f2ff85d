/* run: `heapwright run`. */
#define _GNU_SOURCE
#include "tool.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: heapwright run [OPTIONS] PROGRAM [ARGUMENTS...]\n"
    "       heapwright run [OPTIONS] -m MODULE [ARGUMENTS...]\n"
    "\n"
    "Runs a program with heapwright as its memory manager. PROGRAM is a Python script (x.py, or a file\n"
    "whose first line names Python), a Python interpreter with its arguments, or a .NET program (x.dll,\n"
    "or the executable that is built beside it). Exit status, signals and output are its own.\n"
    "\n"
    "  --stats[=FILE]   say at the end what the program's memory did, on standard error or in FILE\n"
    "  --json           say it in JSON (implies --stats)\n"
    "  --strict         do not run a program that cannot run on heapwright: end with status 2\n"
    "                   (of .NET no such program is ever run)\n"
    "  --gc=auto        collect garbage with heapwright's collector (the default); in Python, that of\n"
    "                   large heaps beside the program, if a processor and memory are to spare\n"
    "  --gc=beside      Python: beside the program whenever that is possible\n"
    "  --gc=inplace     Python: never beside the program\n"
    "  --gc=stock       leave that to the runtime's own; with .NET nothing is left of heapwright\n"
    "  --python EXE     the interpreter for x.py and -m (default: python3 on PATH)\n"
    "  --dotnet EXE     the dotnet for x.dll (default: dotnet on PATH)\n"
    "  -m MODULE        run a Python module, as python3 -m does\n"
    "  --help           show this\n";

struct options {
    bool stats, json;
    const char *stats_file;
    struct request request;
};

enum { OPTION_STATS = 256, OPTION_JSON, OPTION_STRICT, OPTION_PYTHON, OPTION_DOTNET, OPTION_GC };

static const struct option long_options[] = {
    {"stats", optional_argument, NULL, OPTION_STATS},
    {"json", no_argument, NULL, OPTION_JSON},
    {"strict", no_argument, NULL, OPTION_STRICT},
    {"python", required_argument, NULL, OPTION_PYTHON},
    {"dotnet", required_argument, NULL, OPTION_DOTNET},
    {"gc", required_argument, NULL, OPTION_GC},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* NULL: there is none of that name. */
static const char *collector_named(const char *name) {
    static const char *const collectors[] = {"auto", "beside", "inplace", "stock"};
    for (size_t i = 0; name != NULL && i < sizeof collectors / sizeof *collectors; i++)
        if (strcmp(name, collectors[i]) == 0) return collectors[i];
    return NULL;
}

/* Reads the options up to the program. Returns an exit status if that was all, otherwise -1. */
static int read_options(int argc, char **argv, struct options *options) {
    struct request *request = &options->request;
    while (request->module == NULL) {
        switch (getopt_long(argc, argv, "+hm:", long_options, NULL)) {
        case OPTION_STATS:
            options->stats = true;
            if (optarg != NULL) options->stats_file = optarg;
            break;
        case OPTION_JSON: options->stats = options->json = true; break;
        case OPTION_STRICT: request->strict = true; break;
        case OPTION_PYTHON: request->python = optarg; break;
        case OPTION_DOTNET: request->dotnet = optarg; break;
        case OPTION_GC:
            request->gc = collector_named(optarg);
            if (request->gc == NULL) {
                say("there is no collector '%s': --gc is 'auto', 'beside', 'inplace' or 'stock'", optarg);
                return STATUS_MISUSE;
            }
            break;
        case 'm': request->module = optarg; break;
        case 'h': fputs(help, stdout); return 0;
        case -1:
            if (optind < argc) return -1;
            say("which program? try 'heapwright run --help'");
            return STATUS_MISUSE;
        default: return STATUS_MISUSE;
        }
    }
    return -1;
}

static void summarise(FILE *out, bool json, const struct run_summary *summary) {
    (json ? print_summary_json : print_summary)(out, summary);
    if (fflush(out) != 0 || ferror(out)) say("cannot write the statistics: %s", strerror(errno));
}

static int run_with_statistics(const struct options *options, const struct program *program) {
    FILE *out = options->stats_file != NULL ? fopen(options->stats_file, "we") : stderr;
    if (out == NULL) {
        say("cannot write '%s': %s", options->stats_file, strerror(errno));
        return STATUS_MISUSE;
    }
    struct record_file file;
    if (!record_open(&file)) return 1;
    if (program->obstacle == NULL && !program->runtime->prepare(program, &options->request, &file)) {
        record_close(&file);
        return STATUS_MISUSE;
    }
    struct ending ending;
    bool ran = supervise(program, &ending);
    if (ran) summarise(out, options->json, &(struct run_summary){program, ending, file.record});
    record_close(&file);
    if (out != stderr) fclose(out);
    if (!ran) return 1;
    end_like(ending);
}

int command_run(int argc, char **argv) {
    struct options options = {0};
    int status = read_options(argc, argv, &options);
    if (status >= 0) return status;

    const struct request *request = &options.request;
    options.request.words = argv + optind;
    struct program program;
    status = find_program(&program, request);
    if (status != 0) return status;
    if (program.obstacle != NULL) {
        say("'%s' %s; it %s", program.path, program.obstacle,
            request->strict ? "is not run (--strict)" : "runs as it is");
        if (request->strict) return STATUS_MISUSE;
    }
    if (options.stats) return run_with_statistics(&options, &program);
    if (program.obstacle == NULL && !program.runtime->prepare(&program, request, NULL)) return STATUS_MISUSE;
    return execute(&program);
}
