/* Handles, weak references and finalizers in a collection. */
#include "tracing/tracing.h"

bool hwri_life_open(hwri_tracing *t, const hwr_options *options) { return (void)t, (void)options, true; }
void hwri_life_close(hwri_tracing *t) { (void)t; }
bool hwri_life_born(hwri_tracing *t, void *object) { return (void)t, (void)object, true; }
void hwri_life_roots(hwri_tracing *t, hwri_slot_visit visit, void *context) { (void)t, (void)visit, (void)context; }
void hwri_life_pins(hwri_tracing *t, void (*pin)(hwri_tracing *t, void *object)) { (void)t, (void)pin; }
void hwri_life_after(hwri_tracing *t) { (void)t; }
void hwri_life_done(hwri_tracing *t) { (void)t; }
