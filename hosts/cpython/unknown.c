/* unknown: takes the place of the collector for versions of Python whose collector we do not know. */
#include "install.h"

#include <stdio.h>

const char *hwri_takeover_install(void) {
    return "heapwright knows the collectors of 3.10 to 3.13, without free threading";
}

void hwri_beside_open(enum hwri_gc_mode mode, bool allocator_is_ours) { (void)mode, (void)allocator_is_ours; }

int hwri_host_gc_report(char *buffer, size_t size) { return snprintf(buffer, size, "{}"); }
