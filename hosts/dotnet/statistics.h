/* statistics.h: what a .NET program's memory did, for the tool. The record is claimed once, before the heap exists; who
 * has none pays a test. */
#ifndef CLR_STATISTICS_H
#define CLR_STATISTICS_H

#include "../record.h"

#include <stdbool.h>

/* Takes the record, if the tool has made one. To be called before clr_environment_leave, once. */
void clr_statistics_claim(void);

/* Whether anybody wants figures: only then is there a reason to gather a struct hwri_dotnet_memory. */
bool clr_statistics_wanted(void);

/* The collector is refused: why, as the rest of a sentence. */
void clr_statistics_refused(const char *reason);

/* It runs, with the runtime of this version that has code or data at the address. */
void clr_statistics_running(unsigned major, unsigned minor, const void *address);

/* The program stood still for so long, and a collection of `generation` and those younger than it ended with that.
 * `before` is the heap when it began, `after` when it had ended. One thread at a time. */
void clr_statistics_collection(unsigned generation, bool induced, uint64_t nanoseconds,
                               const struct hwri_dotnet_memory *before, const struct hwri_dotnet_memory *after);

/* The program stood still, and a collection goes on. One thread at a time, as above. */
void clr_statistics_pause(uint64_t nanoseconds);

/* The process ends by itself, with this heap. */
void clr_statistics_end(const struct hwri_dotnet_memory *memory);

#endif
