/* dotnet_runtimes: which .NET runtimes are installed, and which of them dotnet takes for a program. */
#define _GNU_SOURCE
#include "dotnet.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool dotnet_version_parse(const char *text, struct dotnet_version *version) {
    int length = 0;
    if (sscanf(text, "%u.%u.%u%n", &version->part[0], &version->part[1], &version->part[2], &length) != 3) return false;
    if (text[length] != '\0' && text[length] != '-') return false;
    return (size_t)snprintf(version->text, sizeof version->text, "%s", text) < sizeof version->text;
}

/* A preview comes before what it leads to. */
static int compare(const void *a, const void *b) {
    const struct dotnet_version *first = a, *second = b;
    for (int i = 0; i < 3; i++)
        if (first->part[i] != second->part[i]) return first->part[i] < second->part[i] ? -1 : 1;
    bool first_preview = strchr(first->text, '-') != NULL, second_preview = strchr(second->text, '-') != NULL;
    if (first_preview != second_preview) return first_preview ? -1 : 1;
    return strverscmp(first->text, second->text);
}

struct dotnet_versions dotnet_installed(const char *root, const char *framework) {
    struct dotnet_versions found = {NULL, 0};
    char *folder = text("%s/shared/%s", root, framework);
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, NULL);
    free(folder);
    if (count < 0) return found;
    found.versions = allocate(((size_t)count + 1) * sizeof *found.versions);
    for (int i = 0; i < count; i++) {
        if (dotnet_version_parse(entries[i]->d_name, &found.versions[found.count])) found.count++;
        free(entries[i]);
    }
    free(entries);
    qsort(found.versions, found.count, sizeof *found.versions, compare);
    return found;
}

/* How far a policy goes: how many of the version's parts must stay as they are, whether the nearest of what is left is taken or
 * the latest, and whether patches of the one that is taken are skipped. */
struct policy {
    const char *name;
    int fixed;
    bool latest, exact;
};

static const struct policy policies[] = {
    {"Minor", 1, false, false},      {"Major", 0, false, false},      {"LatestPatch", 2, false, false},
    {"LatestMinor", 1, true, false}, {"LatestMajor", 0, true, false}, {"Disable", 3, false, true},
};

static bool same(const struct dotnet_version *a, const struct dotnet_version *b, int parts) {
    for (int i = 0; i < parts; i++)
        if (a->part[i] != b->part[i]) return false;
    return true;
}

const struct dotnet_version *dotnet_resolve(const struct dotnet_versions *installed,
                                            const struct dotnet_version *wanted, const char *roll_forward) {
    const struct policy *policy = &policies[0];
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++)
        if (strcasecmp(policies[i].name, roll_forward) == 0) policy = &policies[i];
    const struct dotnet_version *best = NULL;
    for (size_t i = 0; i < installed->count; i++) {
        const struct dotnet_version *each = &installed->versions[i];
        if (compare(each, wanted) < 0 || !same(each, wanted, policy->fixed)) continue;
        if (policy->exact && compare(each, wanted) != 0) continue;
        if (best == NULL || policy->latest || same(each, best, 2)) best = each;
    }
    return best;
}

static bool is_root(const char *folder) {
    char *shared = text("%s/shared/" DOTNET_FRAMEWORK, folder);
    bool is = access(shared, F_OK) == 0;
    free(shared);
    return is;
}

char *dotnet_root_of(const char *path) {
    char *root = realpath(path, NULL);
    char *slash = root != NULL ? strrchr(root, '/') : NULL;
    if (slash != NULL) *slash = '\0';
    if (slash != NULL && is_root(root)) return root;
    free(root);
    return NULL;
}

/* The first line of a file that an installer has written. */
static char *line_of(const char *path) {
    FILE *file = fopen(path, "re");
    if (file == NULL) return NULL;
    char *line = NULL;
    size_t room = 0;
    ssize_t length = getline(&line, &room, file);
    fclose(file);
    if (length > 0) {
        line[strcspn(line, "\r\n")] = '\0';
        return line;
    }
    free(line);
    return NULL;
}

char *dotnet_default_root(void) {
#if defined(__aarch64__)
    static const char variable[] = "DOTNET_ROOT_ARM64", location[] = "/etc/dotnet/install_location_arm64";
#else
    static const char variable[] = "DOTNET_ROOT_X64", location[] = "/etc/dotnet/install_location_x64";
#endif
    const char *named = getenv(variable);
    if (named == NULL || *named == '\0') named = getenv("DOTNET_ROOT");
    if (named != NULL && *named != '\0') return text("%s", named);
    char *root = line_of(location);
    if (root == NULL) root = line_of("/etc/dotnet/install_location");
    static const char *const places[] = {"/usr/share/dotnet", "/usr/lib/dotnet"};
    for (size_t i = 0; root == NULL && i < sizeof places / sizeof *places; i++)
        if (is_root(places[i])) root = text("%s", places[i]);
    return root;
}
