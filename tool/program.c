/* program: what a request means, for all runtimes. */
#define _GNU_SOURCE
#include "tool.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool is_file(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

char *find_executable(const char *name, int *status) {
    *status = STATUS_NOT_FOUND;
    if (strchr(name, '/') != NULL) {
        if (access(name, F_OK) == 0) *status = STATUS_NOT_EXECUTABLE;
        return is_file(name) && access(name, X_OK) == 0 ? text("%s", name) : NULL;
    }
    const char *path = getenv("PATH");
    if (path == NULL) path = "/usr/local/bin:/usr/bin:/bin";
    for (const char *folder = path;; folder++) {
        size_t length = strcspn(folder, ":");
        char *candidate = length > 0 ? text("%.*s/%s", (int)length, folder, name) : text("./%s", name);
        if (is_file(candidate)) {
            if (access(candidate, X_OK) == 0) return candidate;
            *status = STATUS_NOT_EXECUTABLE;
        }
        free(candidate);
        folder += length;
        if (*folder == '\0') return NULL;
    }
}

bool ends_with(const char *string, const char *end) {
    size_t length = strlen(string), end_length = strlen(end);
    return length >= end_length && strcmp(string + length - end_length, end) == 0;
}

bool read_head(const char *path, union file_head *head) {
    memset(head, 0, sizeof *head);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    ssize_t length = read(file, head->bytes, sizeof head->bytes - 1);
    close(file);
    return length >= 0;
}

int complain(const char *name, int status) {
    if (status == STATUS_NOT_EXECUTABLE)
        say("cannot execute '%s'", name);
    else
        say("cannot find '%s'", name);
    return status;
}

char **join(char *const *first, char *const *words) {
    size_t count = 0, before;
    while (first[count] != NULL) count++;
    before = count;
    for (size_t i = 0; words[i] != NULL; i++) count++;
    char **joined = allocate((count + 1) * sizeof *joined);
    memcpy(joined, first, before * sizeof *joined);
    memcpy(joined + before, words, (count - before) * sizeof *joined);
    return joined;
}

int find_program(struct program *program, const struct request *request) {
    return is_dotnet_request(request) ? find_dotnet_program(program, request) : find_python_program(program, request);
}
