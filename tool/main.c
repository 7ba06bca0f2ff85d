/* main: the `heapwright` command line. */
#include "tool.h"

#include <heapwright.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char help[] = "Usage: heapwright run [OPTIONS] PROGRAM [ARGUMENTS...]\n"
                           "       heapwright doctor [--json]\n"
                           "       heapwright --version | --help\n"
                           "\n"
                           "Runs programs with heapwright as their memory manager.\n"
                           "\n"
                           "  run       run a Python or .NET program; `heapwright run --help` has its options\n"
                           "  doctor    say which runtimes of this machine can run on heapwright, and what is missing\n"
                           "\n"
                           "The manual page is heapwright(1).\n";

void say(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("heapwright: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

void *allocate(size_t size) {
    void *memory = calloc(1, size);
    if (memory == NULL) {
        say("there is no memory left");
        exit(1);
    }
    return memory;
}

char *text(const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    char *result = allocate((size_t)length + 1);
    vsnprintf(result, (size_t)length + 1, format, again);
    va_end(again);
    va_end(arguments);
    return result;
}

static int misuse(const char *word) {
    say(*word == '-' ? "there is no option '%s'; try 'heapwright --help'"
                     : "there is no command '%s'; try 'heapwright --help'",
        word);
    return STATUS_MISUSE;
}

/* getopt begins its complaints with argv[0]. */
static char own_name[] = "heapwright";

int main(int argc, char **argv) {
    const char *command = argc > 1 ? argv[1] : "";
    if (argc > 1) argv[1] = own_name;
    if (strcmp(command, "run") == 0) return command_run(argc - 1, argv + 1);
    if (strcmp(command, "doctor") == 0) return command_doctor(argc - 1, argv + 1);
    if (strcmp(command, "--version") == 0 || strcmp(command, "-V") == 0) {
        printf("heapwright %s\n", hwr_version());
        return 0;
    }
    if (strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0 || strcmp(command, "help") == 0) {
        fputs(help, stdout);
        return 0;
    }
    if (argc == 1) {
        fputs(help, stderr);
        return STATUS_MISUSE;
    }
    return misuse(command);
}
