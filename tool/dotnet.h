/* dotnet.h: what the tool's files about .NET share. */
#ifndef HEAPWRIGHT_TOOL_DOTNET_H
#define HEAPWRIGHT_TOOL_DOTNET_H

#include "tool.h"

/* ---- dotnet_config.c: what x.runtimeconfig.json says ---- */

/* What of it matters here. Names and versions point into `root`. */
struct dotnet_config {
    cJSON *root;
    const char *framework, *version; /* the framework that it asks for first */
    const char *included;            /* the version of the runtime that a self-contained program carries; else NULL */
    const char *roll_forward;        /* which later versions will do: "Minor" if nobody says anything */
    bool server;                     /* the server's collector is asked for */
};

/* Reads the file; false, having said why not. */
bool dotnet_config_read(const char *path, struct dotnet_config *config);

/* ---- dotnet_runtimes.c: which runtimes there are ---- */

#define DOTNET_FRAMEWORK "Microsoft.NETCore.App"

struct dotnet_version {
    unsigned part[3];
    char text[64];
};

struct dotnet_versions {
    struct dotnet_version *versions;
    size_t count;
};

bool dotnet_version_parse(const char *text, struct dotnet_version *version);

/* The versions of a framework below a folder that dotnet is installed in, in order. */
struct dotnet_versions dotnet_installed(const char *root, const char *framework);

/* The version that dotnet would take for a program that asks for `wanted`; NULL: none will do. */
const struct dotnet_version *dotnet_resolve(const struct dotnet_versions *installed,
                                            const struct dotnet_version *wanted, const char *roll_forward);

/* The folder that the dotnet at `path` is installed in; NULL if `path` only leads to it in ways of its own. */
char *dotnet_root_of(const char *path);

/* The folder in which a program that is not started by dotnet looks for it; NULL if there is none. */
char *dotnet_default_root(void);

/* ---- dotnet_summary.c ---- */

void print_dotnet(FILE *out, const struct hwri_record *record);
void print_dotnet_figures(FILE *out, const struct run_summary *summary);
void add_dotnet_figures(cJSON *root, const struct run_summary *summary);

#endif
