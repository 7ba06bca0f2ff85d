/* statistics.h: what a .NET program's memory did, for the tool. The record is claimed once, before the heap exists; who
 * has none pays a test. */
#ifndef CLR_STATISTICS_H
#define CLR_STATISTICS_H

#include "inform.h"

/* Takes the record, if the tool has made one. To be called before clr_environment_leave, once. */
void clr_statistics_claim(void);

/* The collector is refused: why, as the rest of a sentence. */
void clr_statistics_refused(const char *reason);

/* It runs, with the runtime of this version that has code or data at the address. */
void clr_statistics_running(unsigned major, unsigned minor, const void *address);

/* A collection has ended, in one pause. The world stands still, and one thread collects. What the program has when it ends by
 * itself is looked up then, without being told. */
void clr_statistics_collection(const clr_collection *collection);

#endif
