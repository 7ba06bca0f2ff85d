/* objects.h: what the collector must know of CPython's objects, and all that differs there between the versions. Everything
 * else uses these names only. The layouts are those of Python's own internal headers; functions of these headers that ask
 * for the running thread are not used, since from 3.12 on the interpreter does not let others see where it keeps that. */
#ifndef HWRI_CPYTHON_OBJECTS_H
#define HWRI_CPYTHON_OBJECTS_H

/* To be included before any other header: these change what Python's and the system's declare. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define Py_BUILD_CORE 1
#include "version.h"

#include <stddef.h>

#include "internal/pycore_gc.h"
#include "internal/pycore_interp.h"
#if PY_VERSION_HEX >= 0x030B0000
#include "internal/pycore_dict.h"
#include "internal/pycore_object.h"
#endif

enum { HWRI_GENERATIONS = 3, HWRI_YOUNGEST = 0, HWRI_FULL = 2 };

typedef struct _gc_runtime_state hwri_gc_state;

static inline PyGC_Head *hwri_head_of(const void *object) { return (PyGC_Head *)(uintptr_t)object - 1; }
static inline PyObject *hwri_object_of(const PyGC_Head *head) { return (PyObject *)(uintptr_t)(head + 1); }

static inline bool hwri_is_gc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    return (type->tp_flags & Py_TPFLAGS_HAVE_GC) != 0 && (type->tp_is_gc == NULL || type->tp_is_gc(object));
}

static inline bool hwri_is_tracked(const PyObject *object) { return hwri_head_of(object)->_gc_next != 0; }

/* Immortal objects have a count that says nothing. */
static inline bool hwri_is_immortal(PyObject *object) {
#if PY_VERSION_HEX >= 0x030C0000
    return _Py_IsImmortal(object);
#else
    (void)object;
    return false;
#endif
}

/* Where an object has its list of weak references, or NULL. From 3.12 on that may be in front of the object. Static types
 * keep theirs elsewhere, but are never garbage. */
static inline PyWeakReference **hwri_weak_list(PyObject *object) {
    Py_ssize_t offset = Py_TYPE(object)->tp_weaklistoffset;
    bool has_one = PY_VERSION_HEX >= 0x030C0000 ? offset != 0 : offset > 0;
    return has_one ? (PyWeakReference **)(void *)((char *)object + offset) : NULL;
}

/* A pending error is reported as one that nobody can catch. */
static inline void hwri_report_clear_error(PyTypeObject *type) {
#if PY_VERSION_HEX >= 0x030D0000
    PyErr_FormatUnraisable("Exception ignored in tp_clear of %s", type->tp_name);
#else
    _PyErr_WriteUnraisableMsg("in tp_clear of", (PyObject *)type);
#endif
}

typedef void (*hwri_object_visit)(void *context, void *target);

#if defined(__GNUC__)
#define HWRI_ALWAYS static inline __attribute__((always_inline))
#else
#define HWRI_ALWAYS static inline
#endif

HWRI_ALWAYS void hwri_each_of(PyObject *const *objects, Py_ssize_t count, hwri_object_visit visit, void *context) {
    for (Py_ssize_t i = 0; i < count; i++)
        if (objects[i] != NULL) visit(context, objects[i]);
}

/* The attributes of an instance that has no dict in a field of its own: in an array of values, or in a dict in front of it.
 * Returns false if what Python makes of them depends on its patch release: in 3.13 where there is both. */
HWRI_ALWAYS bool hwri_each_managed_attribute(PyObject *self, PyTypeObject *type, hwri_object_visit visit,
                                             void *context) {
#if PY_VERSION_HEX >= 0x030D0000
    PyDictValues *values = (PyDictValues *)(void *)((char *)self + sizeof(PyObject));
    if (((PyObject **)self)[-3] != NULL) return false;
    if ((type->tp_flags & Py_TPFLAGS_INLINE_VALUES) && values->valid)
        hwri_each_of(values->values, values->capacity, visit, context);
#elif PY_VERSION_HEX >= 0x030B0000
    PyDictKeysObject *keys = ((PyHeapTypeObject *)type)->ht_cached_keys;
    PyObject *dict = ((PyObject **)self)[-3];
#if PY_VERSION_HEX >= 0x030C0000
    PyDictValues *values = (uintptr_t)dict & 1 ? (PyDictValues *)(void *)((char *)dict + 1) : NULL;
    if (values != NULL) dict = NULL;
#else
    PyDictValues *values = ((PyDictValues **)self)[-4];
#endif
    if (values != NULL) hwri_each_of(values->values, keys->dk_nentries, visit, context);
    if (dict != NULL) visit(context, dict);
#else
    (void)self, (void)type, (void)visit, (void)context;
#endif
    return true;
}

static inline void hwri_traverse_managed_attributes(PyObject *self, visitproc visit, void *context) {
#if PY_VERSION_HEX >= 0x030D0000
    PyObject_VisitManagedDict(self, visit, context);
#else
    (void)self, (void)visit, (void)context;
#endif
}

static inline bool hwri_has_managed_attributes(const PyTypeObject *type) {
#if PY_VERSION_HEX >= 0x030B0000
    return (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) != 0;
#else
    (void)type;
    return false;
#endif
}

/* Whether an object's block begins before its head. */
static inline bool hwri_has_preheader(const PyTypeObject *type) {
#if PY_VERSION_HEX >= 0x030C0000
    return (type->tp_flags & (Py_TPFLAGS_MANAGED_DICT | Py_TPFLAGS_MANAGED_WEAKREF)) != 0;
#else
    return hwri_has_managed_attributes(type);
#endif
}

/* What a dict refers to, in the order of its tp_traverse. Returns false if that cannot be known here. */
HWRI_ALWAYS bool hwri_each_in_dict(PyDictObject *dict, hwri_object_visit visit, void *context) {
#if PY_VERSION_HEX >= 0x030B0000
    PyDictKeysObject *keys = dict->ma_keys;
    Py_ssize_t count = keys->dk_nentries;
    char *entries = (char *)keys->dk_indices + ((size_t)1 << keys->dk_log2_index_bytes);
    if (keys->dk_kind == DICT_KEYS_GENERAL) {
        PyDictKeyEntry *entry = (PyDictKeyEntry *)(void *)entries;
        for (Py_ssize_t i = 0; i < count; i++, entry++)
            if (entry->me_value != NULL) {
                visit(context, entry->me_value);
                visit(context, entry->me_key);
            }
        return true;
    }
    if (dict->ma_values != NULL) {
#if PY_VERSION_HEX >= 0x030D0000
        if (dict->ma_values->embedded) return true;
#endif
        hwri_each_of(dict->ma_values->values, count, visit, context);
        return true;
    }
    PyDictUnicodeEntry *entry = (PyDictUnicodeEntry *)(void *)entries;
    for (Py_ssize_t i = 0; i < count; i++, entry++)
        if (entry->me_value != NULL) visit(context, entry->me_value);
    return true;
#else
    (void)dict, (void)visit, (void)context;
    return false;
#endif
}

#endif
