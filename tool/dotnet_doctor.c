/* dotnet_doctor: which .NET runtimes there are on this machine, and which of them are known to work. None is started: a runtime
 * without a program cannot be. */
#define _GNU_SOURCE
#include "dotnet.h"

#include "../hosts/dotnet_version.h"

#include <stdlib.h>
#include <string.h>

/* NULL: it runs on heapwright. */
static const char *obstacle_of(const struct dotnet_version *version) {
    if (!hwri_is_known_dotnet(version->text)) return "heapwright is known to work with " HWRI_DOTNET_KNOWN;
    char *library = look_for_library(DOTNET_LIBRARY);
    bool missing = library == NULL;
    free(library);
    return missing ? "heapwright's library for .NET, " DOTNET_LIBRARY ", is not there" : NULL;
}

/* Where runtimes are looked for: beside the dotnet on PATH, and where executables look for theirs. */
struct places {
    char *dotnet, *roots[2];
};

static struct places find_places(void) {
    int status;
    struct places places = {find_executable("dotnet", &status), {NULL, NULL}};
    if (places.dotnet != NULL) places.roots[0] = dotnet_root_of(places.dotnet);
    char *other = dotnet_default_root();
    if (other != NULL) places.roots[1] = realpath(other, NULL);
    free(other);
    if (places.roots[0] != NULL && places.roots[1] != NULL && strcmp(places.roots[0], places.roots[1]) == 0) {
        free(places.roots[1]);
        places.roots[1] = NULL;
    }
    return places;
}

void print_dotnets(void) {
    struct places places = find_places();
    size_t count = 0;
    puts(".NET runtimes");
    for (int i = 0; i < 2; i++) {
        if (places.roots[i] == NULL) continue;
        struct dotnet_versions installed = dotnet_installed(places.roots[i], DOTNET_FRAMEWORK);
        for (size_t j = 0; j < installed.count; j++, count++) {
            const char *version = installed.versions[j].text, *obstacle = obstacle_of(&installed.versions[j]);
            printf("  %-4s %-9s %s/shared/" DOTNET_FRAMEWORK "/%s\n", obstacle == NULL ? "yes" : "no", version,
                   places.roots[i], version);
            if (obstacle != NULL) printf("       %s\n", obstacle);
        }
    }
    if (count == 0) puts("  none found");
}

void add_dotnets(cJSON *runtimes) {
    struct places places = find_places();
    bool supported = false;
    cJSON *entry = cJSON_AddObjectToObject(runtimes, "dotnet");
    cJSON_AddBoolToObject(entry, "found", places.dotnet != NULL);
    if (places.dotnet != NULL) cJSON_AddStringToObject(entry, "executable", places.dotnet);
    cJSON *versions = cJSON_CreateArray();
    for (int i = 0; i < 2; i++) {
        if (places.roots[i] == NULL) continue;
        struct dotnet_versions installed = dotnet_installed(places.roots[i], DOTNET_FRAMEWORK);
        for (size_t j = 0; j < installed.count; j++) {
            const char *version = installed.versions[j].text, *obstacle = obstacle_of(&installed.versions[j]);
            char *folder = text("%s/shared/" DOTNET_FRAMEWORK "/%s", places.roots[i], version);
            cJSON *object = cJSON_CreateObject();
            cJSON_AddStringToObject(object, "version", version);
            cJSON_AddStringToObject(object, "folder", folder);
            cJSON_AddBoolToObject(object, "on_heapwright", obstacle == NULL);
            if (obstacle != NULL) cJSON_AddStringToObject(object, "reason", obstacle);
            cJSON_AddItemToArray(versions, object);
            supported = supported || obstacle == NULL;
            free(folder);
        }
    }
    cJSON_AddBoolToObject(entry, "supported", supported);
    cJSON_AddItemToObject(entry, "versions", versions);
}
