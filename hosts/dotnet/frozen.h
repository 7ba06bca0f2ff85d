/* frozen.h: segments of objects that are not the collector's (string literals, types), as the runtime registers them. */
#ifndef CLR_FROZEN_H
#define CLR_FROZEN_H

#include "clr.h"

/* Returns what the segment is known by from now on, or NULL without memory. */
void *clr_frozen_add(const clr_segment *segment);
void clr_frozen_update(void *known, const uint8_t *allocated, const uint8_t *committed);
void clr_frozen_remove(void *known);

/* Whether something at that address belongs to a segment, as far as objects are allocated in it. Any thread may ask at any time. */
bool clr_frozen_has(const void *address);

#endif
