/* scan.h: the references of CPython's objects. For the types that most objects have they are found without tp_traverse, which
 * would call a function for each. */
#ifndef HWRI_CPYTHON_SCAN_H
#define HWRI_CPYTHON_SCAN_H

#include "objects.h"

#include <string.h>
#include <structmember.h>

/* tp_traverse of the types whose references are found without it; of classes, that is the one all of them have (find.c). */
extern traverseproc hwri_traverse_instance;

struct hwri_caller {
    hwri_object_visit visit;
    void *context;
};

static inline int hwri_call_visit(PyObject *target, void *caller) {
    ((struct hwri_caller *)caller)->visit(((struct hwri_caller *)caller)->context, target);
    return 0;
}

/* The __slots__ that a class has added to its base. */
HWRI_ALWAYS void hwri_each_slot(PyObject *self, PyTypeObject *type, hwri_object_visit visit, void *context) {
    const PyMemberDef *member = (const PyMemberDef *)(const void *)((const char *)type + Py_TYPE(type)->tp_basicsize);
    for (const PyMemberDef *end = member + Py_SIZE(type); member != end; member++) {
        PyObject *target;
        if (member->type != T_OBJECT_EX) continue;
        memcpy(&target, (char *)self + member->offset, sizeof target);
        if (target != NULL) visit(context, target);
    }
}

/* An instance of a class: its slots, its attributes, its class, and what its base that is no class refers to. */
HWRI_ALWAYS void hwri_each_of_instance(PyObject *self, hwri_object_visit visit, void *context) {
    PyTypeObject *type = Py_TYPE(self), *base = type;
    for (; base->tp_traverse == hwri_traverse_instance; base = base->tp_base)
        if (Py_SIZE(base) != 0) hwri_each_slot(self, base, visit, context);
    if (hwri_has_managed_attributes(type)) {
        if (!hwri_each_managed_attribute(self, type, visit, context))
            hwri_traverse_managed_attributes(self, hwri_call_visit, &(struct hwri_caller){visit, context});
    } else if (type->tp_dictoffset != base->tp_dictoffset) {
        PyObject **dict = type->tp_dictoffset > 0 ? (PyObject **)(void *)((char *)self + type->tp_dictoffset)
                                                  : _PyObject_GetDictPtr(self);
        if (dict != NULL && *dict != NULL) visit(context, *dict);
    }
    if ((type->tp_flags & Py_TPFLAGS_HEAPTYPE) &&
        (base->tp_traverse == NULL || !(base->tp_flags & Py_TPFLAGS_HEAPTYPE)))
        visit(context, type);
    if (base->tp_traverse != NULL) base->tp_traverse(self, hwri_call_visit, &(struct hwri_caller){visit, context});
}

/* CPython goes through lists and tuples from their ends. */
HWRI_ALWAYS void hwri_each_in_items(PyObject *const *items, Py_ssize_t count, hwri_object_visit visit, void *context) {
    while (--count >= 0)
        if (items[count] != NULL) visit(context, items[count]);
}

HWRI_ALWAYS void hwri_each_target(PyObject *object, hwri_object_visit visit, void *context) {
    traverseproc traverse = Py_TYPE(object)->tp_traverse;
    if (traverse == hwri_traverse_instance)
        hwri_each_of_instance(object, visit, context);
    else if (traverse == PyTuple_Type.tp_traverse)
        hwri_each_in_items(((PyTupleObject *)object)->ob_item, Py_SIZE(object), visit, context);
    else if (traverse == PyList_Type.tp_traverse)
        hwri_each_in_items(((PyListObject *)object)->ob_item, Py_SIZE(object), visit, context);
    else if (traverse != PyDict_Type.tp_traverse || !hwri_each_in_dict((PyDictObject *)object, visit, context))
        traverse(object, hwri_call_visit, &(struct hwri_caller){visit, context});
}

#endif
