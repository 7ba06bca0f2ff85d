/* install.h: how heapwright comes to be Python's cycle collector. */
#ifndef HWRI_CPYTHON_INSTALL_H
#define HWRI_CPYTHON_INSTALL_H

/* Takes over the collector of the running interpreter and of all that it makes later. Returns NULL, or why not, as the rest of
 * a sentence "Python 3.x keeps its own cycle collector: ...". */
const char *hwri_takeover_install(void);

#endif
