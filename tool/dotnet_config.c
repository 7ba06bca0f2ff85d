/* dotnet_config: reads x.runtimeconfig.json, and the variables that go over it. */
#define _GNU_SOURCE
#include "dotnet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *contents_of(const char *path) {
    FILE *file = fopen(path, "re");
    if (file == NULL) return NULL;
    size_t size = 0, room = 4096;
    char *contents = allocate(room);
    for (size_t got; (got = fread(contents + size, 1, room - 1 - size, file)) > 0;) {
        size += got;
        if (size + 1 < room) continue;
        char *larger = allocate(room *= 2);
        memcpy(larger, contents, size);
        free(contents);
        contents = larger;
    }
    fclose(file);
    contents[size] = '\0';
    return contents;
}

static const char *string_in(const cJSON *object, const char *name) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

/* "framework": {...}, or the first of "frameworks": [{...}, ...]. */
static const cJSON *first_framework(const cJSON *options) {
    const cJSON *one = cJSON_GetObjectItemCaseSensitive(options, "framework");
    return one != NULL ? one : cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(options, "frameworks"), 0);
}

static const char *included_runtime(const cJSON *options) {
    const cJSON *framework;
    cJSON_ArrayForEach(framework, cJSON_GetObjectItemCaseSensitive(options, "includedFrameworks")) {
        const char *name = string_in(framework, "name");
        if (name != NULL && strcmp(name, DOTNET_FRAMEWORK) == 0) return string_in(framework, "version");
    }
    return NULL;
}

/* The runtime reads numbers in its variables as hexadecimal. */
static bool asks_for_server(const cJSON *options) {
    const char *variable = getenv("DOTNET_gcServer");
    if (variable == NULL) variable = getenv("COMPlus_gcServer");
    if (variable != NULL && *variable != '\0') return strtoul(variable, NULL, 16) != 0;
    const cJSON *properties = cJSON_GetObjectItemCaseSensitive(options, "configProperties");
    const cJSON *server = cJSON_GetObjectItemCaseSensitive(properties, "System.GC.Server");
    const char *word = cJSON_GetStringValue(server);
    return cJSON_IsTrue(server) || (word != NULL && strcasecmp(word, "true") == 0);
}

bool dotnet_config_read(const char *path, struct dotnet_config *config) {
    char *contents = contents_of(path);
    if (contents == NULL) {
        say("cannot read '%s': %s", path, strerror(errno));
        return false;
    }
    cJSON_Minify(contents); /* which takes comments out */
    cJSON *root = cJSON_Parse(contents);
    free(contents);
    const cJSON *options = cJSON_GetObjectItemCaseSensitive(root, "runtimeOptions");
    if (options == NULL) {
        say("'%s' is not the configuration of a .NET program", path);
        cJSON_Delete(root);
        return false;
    }
    const cJSON *framework = first_framework(options);
    const char *roll_forward = getenv("DOTNET_ROLL_FORWARD");
    if (roll_forward == NULL || *roll_forward == '\0') roll_forward = string_in(framework, "rollForward");
    if (roll_forward == NULL) roll_forward = string_in(options, "rollForward");
    *config = (struct dotnet_config){
        .root = root,
        .framework = string_in(framework, "name"),
        .version = string_in(framework, "version"),
        .included = included_runtime(options),
        .roll_forward = roll_forward != NULL ? roll_forward : "Minor",
        .server = asks_for_server(options),
    };
    return true;
}
