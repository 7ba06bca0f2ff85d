/* dotnet_version.h: which .NET runtimes are known to work, for the tool before it starts one and for the host library
 * inside it. */
#ifndef HWRI_DOTNET_VERSION_H
#define HWRI_DOTNET_VERSION_H

#include <stdbool.h>
#include <string.h>

#define HWRI_DOTNET_KNOWN ".NET 10.0"

/* "10.0.12"; a preview is not known. */
static inline bool hwri_is_known_dotnet(const char *version) {
    return strncmp(version, "10.0.", 5) == 0 && strchr(version, '-') == NULL;
}

#endif
