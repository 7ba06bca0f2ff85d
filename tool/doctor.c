/* doctor: `heapwright doctor`. */
#define _GNU_SOURCE
#include "tool.h"

#include <heapwright.h>

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: heapwright doctor [--json]\n"
    "\n"
    "Says which Python interpreters, .NET runtimes and others there are on this machine, which of them\n"
    "can run on heapwright, and what is missing. Ends with status 0 if python3 can, with 1 if not.\n";

static const char unsupported[] = "micropython";

static void print_findings(const char *preload, const struct python_findings *pythons) {
    printf("heapwright %s, libraries in %.*s\n\n", hwr_version(), (int)(strrchr(preload, '/') - preload), preload);
    print_pythons(pythons);
    putchar('\n');
    print_dotnets();
    int status;
    char *path = find_executable(unsupported, &status);
    printf("\nOther runtimes\n  %-12s %s; not supported yet\n\n", unsupported, path != NULL ? path : "not found");
    free(path);
    print_python_verdict(pythons);
}

static void print_findings_json(const char *preload, const struct python_findings *pythons) {
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "heapwright", hwr_version());
    cJSON_AddStringToObject(root, "preload", preload);
    add_pythons(root, pythons);
    cJSON *runtimes = cJSON_AddObjectToObject(root, "runtimes");
    add_dotnets(runtimes);
    int status;
    char *path = find_executable(unsupported, &status);
    cJSON *entry = cJSON_AddObjectToObject(runtimes, unsupported);
    cJSON_AddBoolToObject(entry, "found", path != NULL);
    if (path != NULL) cJSON_AddStringToObject(entry, "executable", path);
    cJSON_AddBoolToObject(entry, "supported", false);
    free(path);
    char *printed = cJSON_Print(root);
    puts(printed != NULL ? printed : "null");
    cJSON_free(printed);
    cJSON_Delete(root);
}

int command_doctor(int argc, char **argv) {
    static const struct option long_options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    bool json = false;
    for (int option; (option = getopt_long(argc, argv, "h", long_options, NULL)) != -1;) {
        if (option == 'j') {
            json = true;
            continue;
        }
        if (option == 'h') fputs(help, stdout);
        return option == 'h' ? 0 : STATUS_MISUSE;
    }
    const char *preload = find_library(PRELOAD_LIBRARY);
    if (preload == NULL) return 1;
    const struct python_findings *pythons = find_pythons(preload);
    (json ? print_findings_json : print_findings)(preload, pythons);
    return python_serves(pythons) ? 0 : 1;
}
