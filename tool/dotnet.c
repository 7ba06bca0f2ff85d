/* dotnet: finds out which .NET program the user wants to run, and whether it can run on heapwright.
 *
 * Here, unlike with Python, a program that cannot is never run as it is: the runtime would end with a message about our
 * library that helps nobody, or would have to be started twice. So everything that can be known from files is looked at
 * before: what the program is, which runtime it will get, which collector it asks for.
 */
#define _GNU_SOURCE
#include "dotnet.h"

#include "../hosts/dotnet_version.h"
#include "../hosts/python_name.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each executable that the SDK builds beside a program has this mark (the SHA-256 of ".net core bundle"). In front of it stands
 * where the program's own files begin in it, if it is a single-file program; else zero. */
static const unsigned char apphost_mark[32] = {
    0x8b, 0x12, 0x02, 0xb9, 0x6a, 0x61, 0x20, 0x38, 0x72, 0x7b, 0x93, 0x02, 0x14, 0xd7, 0xa0, 0x32,
    0x13, 0xf5, 0xb9, 0xe6, 0xef, 0xae, 0x33, 0x18, 0xee, 0x3b, 0x2d, 0xce, 0x24, 0xb3, 0x6a, 0xae,
};

enum apphost { NO_APPHOST, APPHOST, SINGLE_FILE };

static enum apphost what_apphost(const char *path) {
    union file_head head;
    if (!read_head(path, &head) || memcmp(head.bytes, ELFMAG, SELFMAG) != 0) return NO_APPHOST;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    void *bytes = MAP_FAILED;
    if (file >= 0 && fstat(file, &status) == 0)
        bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (file >= 0) close(file);
    if (bytes == MAP_FAILED) return NO_APPHOST;
    const unsigned char *mark = memmem(bytes, (size_t)status.st_size, apphost_mark, sizeof apphost_mark);
    enum apphost what = NO_APPHOST;
    uint64_t offset;
    if (mark != NULL && (size_t)(mark - (const unsigned char *)bytes) >= sizeof offset) {
        memcpy(&offset, mark - sizeof offset, sizeof offset);
        what = offset != 0 ? SINGLE_FILE : APPHOST;
    }
    munmap(bytes, (size_t)status.st_size);
    return what;
}

static bool is_muxer(const char *path) {
    char *real = realpath(path, NULL);
    bool is = real != NULL && ends_with(real, "/dotnet");
    free(real);
    return is;
}

bool is_dotnet_request(const struct request *request) {
    if (request->module != NULL) return false;
    if (ends_with(request->words[0], ".dll")) return true;
    /* Interpreters are large, and are not searched for the mark. */
    if (hwri_is_python_name(request->words[0])) return false;
    int status;
    char *path = find_executable(request->words[0], &status);
    bool is = path != NULL && (is_muxer(path) || what_apphost(path) != NO_APPHOST);
    free(path);
    return is;
}

/* A PE file has managed code if its fifteenth data directory, the one for that, is there. */
static bool is_managed(const char *path) {
    union file_head head;
    if (!read_head(path, &head) || memcmp(head.bytes, "MZ", 2) != 0) return false;
    uint32_t at;
    memcpy(&at, head.bytes + 0x3c, sizeof at);
    enum { SIGNATURE_AND_COFF = 24, DIRECTORIES = 96, WIDER = 16, MANAGED = 14 * 8 };
    uint16_t magic;
    uint32_t managed;
    if (at > sizeof head.bytes - SIGNATURE_AND_COFF - DIRECTORIES - WIDER - MANAGED - sizeof managed) return false;
    const char *optional = head.bytes + at + SIGNATURE_AND_COFF;
    memcpy(&magic, optional, sizeof magic);
    memcpy(&managed, optional + DIRECTORIES + (magic == 0x20b ? WIDER : 0) + MANAGED, sizeof managed);
    return memcmp(head.bytes + at, "PE\0", 4) == 0 && managed != 0;
}

/* The version of the runtime itself that goes with a version of another framework, which has a configuration, too. */
static char *runtime_of_framework(const char *root, const char *framework, const char *version) {
    char *path = text("%s/shared/%s/%s/%s.runtimeconfig.json", root, framework, version, framework);
    struct dotnet_config config;
    char *wanted = NULL;
    if (is_file(path) && dotnet_config_read(path, &config)) {
        if (config.version != NULL) wanted = text("%s", config.version);
        cJSON_Delete(config.root);
    }
    free(path);
    return wanted;
}

/* Whether the program at `dll` will run on a runtime that we know; says so if not. `root` may be NULL: then nobody
 * knows before the library itself looks. */
static bool is_runtime_known(const char *dll, const struct dotnet_config *config, const char *root) {
    const char *version = config->included;
    if (version == NULL && (root == NULL || config->framework == NULL || config->version == NULL)) return true;
    if (version == NULL) {
        struct dotnet_version wanted;
        struct dotnet_versions installed = dotnet_installed(root, config->framework);
        const struct dotnet_version *chosen = NULL;
        if (dotnet_version_parse(config->version, &wanted))
            chosen = dotnet_resolve(&installed, &wanted, config->roll_forward);
        if (chosen == NULL) {
            say("'%s' needs %s %s, which is not installed in %s ('dotnet --list-runtimes' says what is)", dll,
                config->framework, config->version, root);
            return false;
        }
        version = chosen->text;
        if (strcmp(config->framework, DOTNET_FRAMEWORK) != 0)
            version = runtime_of_framework(root, config->framework, version);
    }
    if (version == NULL || hwri_is_known_dotnet(version)) return true;
    say("'%s' runs on .NET %s, and heapwright is only known to work with " HWRI_DOTNET_KNOWN
        "; --gc=stock runs it without heapwright",
        dll, version);
    return false;
}

static char *configuration_of(const char *dll) {
    return text("%.*s.runtimeconfig.json", (int)(strlen(dll) - strlen(".dll")), dll);
}

/* Whether the program at `dll` can run on heapwright with the runtime in `root`; says why not. */
static bool is_suitable(struct program *program, const char *dll, const char *root) {
    if (!is_managed(dll)) {
        say("'%s' is not a .NET program", dll);
        return false;
    }
    char *path = configuration_of(dll);
    struct dotnet_config config;
    if (!is_file(path)) {
        say("'%s' has no '%s' beside it, so it is a library and not a program", dll, path);
        return false;
    }
    if (!dotnet_config_read(path, &config)) return false;
    bool suits = is_runtime_known(dll, &config, root);
    program->server = suits && config.server;
    if (program->server)
        say("'%s' asks for the server's collector (System.GC.Server): heapwright has one for all programs, and this "
            "one "
            "runs with DOTNET_gcServer=0",
            dll);
    cJSON_Delete(config.root);
    return suits;
}

static bool wants_stock(const struct request *request) {
    const char *gc = request->gc != NULL ? request->gc : getenv(HWRI_GC_VARIABLE);
    return gc != NULL && strcmp(gc, "stock") == 0;
}

/* x.dll: dotnet runs it. */
static bool find_for_dll(struct program *program, const struct request *request) {
    const char *dll = request->words[0], *name = request->dotnet != NULL ? request->dotnet : "dotnet";
    if (!is_file(dll)) {
        say("cannot find '%s'", dll);
        return false;
    }
    int status;
    program->path = find_executable(name, &status);
    if (program->path == NULL) {
        say("cannot find '%s', which runs '%s': install " HWRI_DOTNET_KNOWN ", or name its dotnet with --dotnet", name,
            dll);
        return false;
    }
    char *first[] = {(char *)name, NULL};
    program->arguments = join(first, request->words);
    return wants_stock(request) || is_suitable(program, dll, dotnet_root_of(program->path));
}

/* x: an executable beside x.dll. */
static bool find_for_apphost(struct program *program, const struct request *request) {
    static char *const none[] = {NULL};
    program->arguments = join(none, request->words);
    if (wants_stock(request)) return true;
    /* What is inside of a single file nobody knows before the library itself looks. */
    if (what_apphost(program->path) == SINGLE_FILE) return true;
    char *real = realpath(program->path, NULL);
    char *dll = text("%s.dll", real != NULL ? real : program->path);
    free(real);
    if (is_file(dll)) return is_suitable(program, dll, dotnet_default_root());
    say("'%s' is a .NET program, but there is no '%s'", program->path, dll);
    return false;
}

/* dotnet with arguments: x.dll, or a command of the SDK, which is a program of its own. */
static bool find_for_muxer(struct program *program, const struct request *request) {
    static char *const none[] = {NULL};
    program->arguments = join(none, request->words);
    const char *word = request->words[1];
    if (wants_stock(request) || word == NULL) return true;
    if (strcmp(word, "run") == 0 || strcmp(word, "watch") == 0) {
        say("'dotnet %s' builds a program and starts it: on heapwright would be the builder, not the program. Build "
            "it, "
            "then type 'heapwright run bin/.../x.dll'",
            word);
        return false;
    }
    return !ends_with(word, ".dll") || is_suitable(program, word, dotnet_root_of(program->path));
}

int find_dotnet_program(struct program *program, const struct request *request) {
    if (request->gc != NULL && strcmp(request->gc, "auto") != 0 && strcmp(request->gc, "stock") != 0) {
        say("--gc=%s is for Python programs; with .NET it is 'auto' or 'stock'", request->gc);
        return STATUS_MISUSE;
    }
    *program = (struct program){.runtime = &dotnet_runtime};
    program->silence = wants_stock(request) ? "--gc=stock leaves a .NET program the runtime's own collector"
                                            : "no .NET runtime came to load heapwright in it";
    if (ends_with(request->words[0], ".dll")) return find_for_dll(program, request) ? 0 : STATUS_MISUSE;
    int status;
    program->path = find_executable(request->words[0], &status);
    bool suits = is_muxer(program->path) ? find_for_muxer(program, request) : find_for_apphost(program, request);
    return suits ? 0 : STATUS_MISUSE;
}

/* For the program alone: its children are to have what the user had set. */
static void refuse_server(void) {
    const char *before = getenv("DOTNET_gcServer");
    setenv(HWRI_SERVER_VARIABLE, before != NULL ? before : "", 1);
    setenv("DOTNET_gcServer", "0", 1);
}

/* The library is preloaded as well, so that it can keep these settings from the program's children. */
static bool prepare(const struct program *program, const struct request *request, const struct record_file *file) {
    unsetenv(HWRI_SERVER_VARIABLE);
    if (wants_stock(request)) {
        unsetenv("DOTNET_GCPath");
        hand_down(NULL);
        return true;
    }
    char *library = find_library(DOTNET_LIBRARY);
    if (library == NULL) return false;
    setenv("DOTNET_GCPath", library, 1);
    if (program->server) refuse_server();
    preload_into_children(library);
    hand_down(file);
    free(library);
    return true;
}

const struct runtime dotnet_runtime = {
    .prepare = prepare,
    .print_runtime = print_dotnet,
    .print_figures = print_dotnet_figures,
    .add_json = add_dotnet_figures,
};
