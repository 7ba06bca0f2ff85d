/* A runtime and a collection for tests of the host's parts: objects with two references each, that are marked one by one.
 *
 * Handles and lists of finalizers are the process's, so tests take back what they make: fake_close fails where something is left. */
#ifndef TEST_FAKE_RUNTIME_H
#define TEST_FAKE_RUNTIME_H

#include "clr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The runtime's part of it is `object`; the header word is where it expects it. */
typedef struct fake {
    uint32_t padding, header;
    clr_object object;
    struct fake *refs[2];
    struct fake *next; /* while it is to be scanned */
    bool reached;
} fake;

/* Counts and answers of the runtime's. */
typedef struct fake_runtime {
    size_t asked; /* how often clr_is_reached was called */
    size_t told;  /* how often clr_life_note was called */
    bool untold;  /* it is never called */
    bool counted; /* what handles with counts are told: strong */
    bool eager;   /* objects of the eager type are finalized at once */
    size_t eager_count;
    size_t enabled;           /* how often there was something for the thread that runs finalizers */
    void (*enabling)(void);   /* called then; NULL: nothing */
    clr_handle freed_eagerly; /* which is freed then, as the runtime does with that of a weak reference */
    struct {
        size_t triggered, started, ended, stats, ticks, histories, handles_set, handles_freed;
        uint32_t index, gen, reason, type, handles;
        uint64_t promoted, large, amount, size;
        uint32_t kind;
        uint64_t history[5][10]; /* by generation */
        void *handle, *object;
    } events; /* how often each was told, and the latest figures */
    struct {
        const char *key;
        int64_t value;
    } configured[16]; /* what the user has set, by private or public key */
} fake_runtime;
extern fake_runtime fake_state;

/* Types: without and with finalizer, critical, an array with items of two bytes (whose bits must not be taken for flags), and that of a weak reference. */
extern const clr_method_table fake_plain, fake_finalizable, fake_critical, fake_array, fake_eager;

void fake_open(void);
void fake_close(void);

/* From now on the host gets no memory for its tables, or does again. */
void fake_fail_memory(bool fails);

/* Fills in an object: not reached, without references. */
clr_object *fake_make(fake *f, const clr_method_table *type);
fake *fake_of(const clr_object *object);

/* A collection in the order that life.h gives, of everything or of what is young, with one root or NULL. Before one of everything all marks are cleared in the objects given. Returns how
 * many were found that are to be finalized. */
size_t fake_collect(bool all, fake *objects, size_t count, clr_object *root);

#endif
