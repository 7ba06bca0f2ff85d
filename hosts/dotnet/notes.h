/* notes.h: GC.RegisterForFullGCNotification: threads wait for collections of everything to approach and to be complete. */
#ifndef CLR_NOTES_H
#define CLR_NOTES_H

#include "clr.h"

/* As the slots of these names. The percentages say how long before: what lives may grow by so much of the target. Waiting threads are cooperative; milliseconds are -1 for as long as it takes. */
void clr_notes_register(unsigned percent);
void clr_notes_cancel(void);
int clr_notes_wait_for_approach(int milliseconds);
int clr_notes_wait_for_complete(int milliseconds);

/* By a collection: how near the next one of everything is, or that this is one. */
void clr_notes_of_begin(bool full);
void clr_notes_of_end(bool full, size_t live, size_t target);

#endif
