/* walk.h: going through the heap and its objects, for profilers and heap dumps. The world stands still. */
#ifndef CLR_WALK_H
#define CLR_WALK_H

#include "clr.h"

/* All objects of a generation and of younger ones; `large`: large and pinned ones too. No thread may have room at hand (clr_allocation_stop). A visit that returns false is the last. */
void clr_walk_heap(clr_walk_function *visit, void *context, int gen, bool large);

/* What an object refers to, NULL left out; and the places where it does. */
void clr_walk_object(clr_object *object, clr_walk_function *visit, void *context);
void clr_walk_slots(clr_object *object, clr_walk_slots_function *visit, void *context);

/* Where there are objects that the last collection found alive: those in blocks, or the large or the pinned ones. */
void clr_walk_survivors(clr_survivors_function *visit, void *context, int type, int gen);

/* Addresses by generation. Objects of all ages lie in one block, so what is in regions is all said to be of the oldest. */
void clr_walk_generations(clr_generation_function *visit, void *context);

/* Those around an object. False if it is not in the heap. */
bool clr_walk_range(const clr_object *object, uint8_t **start, uint8_t **end);

#endif
