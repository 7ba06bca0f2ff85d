/* environment.h: the setting that makes this process run on heapwright is for this process only. */
#ifndef CLR_ENVIRONMENT_H
#define CLR_ENVIRONMENT_H

/* Takes what the tool has put into the environment out again, for native code and for the programs that this one
 * starts. To be called when the runtime has loaded the library as its collector, once, before other threads run. */
void clr_environment_leave(void);

#endif
