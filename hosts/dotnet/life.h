/* life.h: what a collection does with handles and finalizers. The world stands still.
 *
 * `all` says that everything is collected; else only what is young, which is not reached at the beginning, while all that is old is: then nothing that is old is gone through here. One that collects
 * calls, in this order:
 *
 *     clr_life_reach_queues, clr_life_reach_handles, and reaches roots of its own;
 *     clr_reach_all, clr_life_reach_dependents;
 *     clr_life_clear_short;
 *     clr_life_find_finalizable, clr_life_reach_dependents;
 *     clr_life_clear_long;
 *     clr_life_end. */
#ifndef CLR_LIFE_H
#define CLR_LIFE_H

#include "clr.h"

/* ---- given by what collects ---- */

/* Whether an object is known to live: reached, or not the collector's. Not asked of NULL. */
bool clr_is_reached(const clr_object *object);

/* Reaches the object that a slot holds, which may be NULL, or reached already; what it refers to may wait until all is reached that is to be. */
void clr_reach(clr_object **slot);
void clr_reach_all(void);

/* While this is set, clr_life_note is called for every object when it is reached first. */
extern bool clr_life_watches;
void clr_life_note(const clr_object *object);

/* ---- given to it ---- */

void clr_life_reach_queues(void);
void clr_life_reach_handles(bool all);
void clr_life_reach_dependents(bool all);
void clr_life_clear_short(bool all);

/* Puts what died and has a finalizer into a queue, and reaches it and what it refers to. Returns how many. */
size_t clr_life_find_finalizable(bool all);

void clr_life_clear_long(bool all);
void clr_life_end(void);

#endif
