/* report.h: sys.getallocatedblocks() and sys._debugmallocstats() on heapwright. */
#ifndef HWRI_CPYTHON_REPORT_H
#define HWRI_CPYTHON_REPORT_H

/* Replaces the two. To be called once, with an initialised interpreter. */
void hwri_report_install(void);

#endif
