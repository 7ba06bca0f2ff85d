/* version.h: all that differs between the Python versions, for the allocator. Everything else is the public allocator
 * interface, which has been the same since 3.8. */
#ifndef HWRI_CPYTHON_VERSION_H
#define HWRI_CPYTHON_VERSION_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

/* Up to 3.11 one lock, the GIL, guards the domains mem and obj. From 3.12 on several interpreters, each with a lock
 * of its own, may allocate from them at once. */
static const bool objects_shared = PY_VERSION_HEX >= 0x030C0000;

#if PY_VERSION_HEX < 0x030D0000
#define Py_IsFinalizing _Py_IsFinalizing
#endif

#endif
