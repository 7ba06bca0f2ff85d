/* recent.h: the youngest of the old objects. */
#ifndef HWRI_CPYTHON_RECENT_H
#define HWRI_CPYTHON_RECENT_H

#include "takeover.h"

/* After a collection of the younger generations of the main interpreter: collects what became old lately, if that is enough for
 * a round. `least`, `most`: how many objects that may be. */
void hwri_recent_collect(hwri_takeover *takeover, Py_ssize_t least, Py_ssize_t most);

Py_ssize_t hwri_recent_round(void); /* objects of a round now */

struct hwri_recent_done {
    unsigned long long rounds, examined, collected; /* rounds, those examined, and objects collected by these */
    uint64_t longest;                               /* nanoseconds */
};
const struct hwri_recent_done *hwri_recent_done(void);

#endif
