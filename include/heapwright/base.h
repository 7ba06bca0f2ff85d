/* What every part of the public interface needs: version, linkage, nothing else. */
#ifndef HEAPWRIGHT_BASE_H
#define HEAPWRIGHT_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Semantic versions (semver.org): the major number is also the shared library's soname. */
#define HWR_VERSION_MAJOR 0
#define HWR_VERSION_MINOR 1
#define HWR_VERSION_PATCH 0
#define HWR_VERSION_STRING "0.1.0"

#if defined(_WIN32) && defined(HWR_SHARED)
#ifdef HWR_BUILDING
#define HWR_API __declspec(dllexport)
#else
#define HWR_API __declspec(dllimport)
#endif
#elif defined(__GNUC__) && !defined(HWR_PRIVATE)
#define HWR_API __attribute__((visibility("default")))
#else
#define HWR_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that is linked, as "major.minor.patch"; HWR_VERSION_STRING is the header's.
 * Never NULL, never freed. Any thread. */
HWR_API const char *hwr_version(void);

#ifdef __cplusplus
}
#endif

#endif
