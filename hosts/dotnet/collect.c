/* Nothing is collected yet: everything lives. That a collection was asked for is counted, for programs that wait for it. */
#include "collect.h"

#include "inform.h"
#include "life.h"

void clr_collect(int gen, int mode) {
    (void)mode;
    clr_collection collection;
    clr_inform_begin(&collection, gen, gen < 2 ? CLR_KIND_YOUNG : CLR_KIND_FULL, true);
    clr_inform_end(&collection);
}

int clr_collecting(void) { return 2; }

bool clr_is_reached(const clr_object *object) { return object != NULL; }
void clr_reach(clr_object **slot) { (void)slot; }
void clr_reach_all(void) {}
