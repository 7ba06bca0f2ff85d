/* start: the collector that the user wants. */
#include "start.h"

#include "../record.h"
#include "install.h"
#include "pauses.h"

#include <string.h>

static const char stock[] = "stock";

struct hwri_started hwri_started = {.collector = stock};

/* Returns the name, or NULL if there is none such. */
static const char *find_mode(const char *wanted, enum hwri_gc_mode *mode) {
    static const char *const names[] = {
        [HWRI_GC_IN_PLACE] = "inplace", [HWRI_GC_BESIDE] = "beside", [HWRI_GC_AUTO] = "auto"};
    if (wanted == NULL || *wanted == '\0') wanted = names[HWRI_GC_AUTO];
    for (int i = HWRI_GC_IN_PLACE; i <= HWRI_GC_AUTO; i++) {
        if (strcmp(wanted, names[i]) != 0) continue;
        *mode = (enum hwri_gc_mode)i;
        return names[i];
    }
    return NULL;
}

const char *hwri_start_collector(const char *wanted) {
    enum hwri_gc_mode mode;
    if (wanted != NULL && strcmp(wanted, stock) == 0) return NULL;
    const char *name = find_mode(wanted, &mode);
    if (name == NULL) return HWRI_GC_VARIABLE " is none of 'auto', 'beside', 'inplace' and 'stock'";
    const char *refusal = hwri_takeover_install();
    if (refusal != NULL) return refusal;
    hwri_pauses_open();
    hwri_beside_open(mode, hwri_started.allocator_refusal == NULL);
    hwri_started.collector = name;
    return NULL;
}
