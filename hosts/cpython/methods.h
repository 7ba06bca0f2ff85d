/* methods.h: built-in functions of the interpreter, replaced in place. All interpreters of a process share a module's method
 * table, and a function that was imported by name earlier changes with it. */
#ifndef HWRI_CPYTHON_METHODS_H
#define HWRI_CPYTHON_METHODS_H

#include "version.h"

/* The entry of a function in a built-in module, or NULL if there is none that is called with these METH_ flags. The module
 * is not imported. */
PyMethodDef *hwri_method_find(const char *module, const char *name, int flags);

#endif
