/* settings.h: what the user has asked for, by the runtime's own names (DOTNET_GC... in the environment, System.GC.* in a program's runtimeconfig.json), and what the machine has. */
#ifndef CLR_SETTINGS_H
#define CLR_SETTINGS_H

#include "clr.h"

typedef struct clr_settings_values {
    bool server;              /* the runtime's own choice: it reports more roots, and its barrier asks no generation */
    bool concurrent;          /* asked for; says nothing of what there is */
    bool retain;              /* keep memory that is not needed */
    uint64_t hard_limit;      /* of the heap, bytes; 0: none */
    uint64_t gen0_size;       /* of the budget of generation 0, bytes; 0: our choice */
    uint64_t large_threshold; /* objects of at least so many bytes are large */
    unsigned conserve;        /* 0 to 9: how much time to give for memory */
    unsigned high_load;       /* percent of the memory in use, from which on memory is dear */
    unsigned markers;         /* threads that mark in a collection */
} clr_settings_values;
extern clr_settings_values clr_settings;

/* Asks the runtime. Once, from GC_Initialize. */
void clr_settings_read(void);

/* Bytes of memory there are for this process: of the machine, the control group or the limit; and how many of the machine's or the group's are in use, in percent. Reading
 * the system's files takes some 40 us. */
typedef struct clr_memory {
    uint64_t total;
    unsigned load;
} clr_memory;
clr_memory clr_memory_now(void);

/* GCSettings. */
int clr_latency_mode(void);
void clr_set_latency_mode(int mode);
int clr_large_compaction(void);
void clr_set_large_compaction(int mode);

/* GC.GetConfigurationVariables. */
void clr_settings_each(void *context, clr_value_function *visit);

/* Asks for the limit again. */
void clr_settings_refresh(void);

#endif
