#include "heapwright/base.h"

const char *hwr_version(void) { return HWR_VERSION_STRING; }
