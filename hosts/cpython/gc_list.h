/* gc_list.h: CPython's lists of tracked objects. They are doubly linked through the objects' heads, whose lowest bits are
 * flags: in the link back, that the finalizer has run, and during a collection that the object belongs to what is collected. */
#ifndef HWRI_CPYTHON_GC_LIST_H
#define HWRI_CPYTHON_GC_LIST_H

#include "objects.h"

enum { HWRI_GC_FINALIZED = 1, HWRI_GC_COLLECTING = 2, HWRI_GC_BACK_FLAGS = 3 };

static inline PyGC_Head *hwri_next(const PyGC_Head *head) { return (PyGC_Head *)head->_gc_next; }
static inline PyGC_Head *hwri_back(const PyGC_Head *head) {
    return (PyGC_Head *)(head->_gc_prev & ~(uintptr_t)HWRI_GC_BACK_FLAGS);
}
static inline void hwri_set_back(PyGC_Head *head, const PyGC_Head *back) {
    head->_gc_prev = (head->_gc_prev & HWRI_GC_BACK_FLAGS) | (uintptr_t)back;
}

static inline void hwri_list_open(PyGC_Head *list) { list->_gc_next = list->_gc_prev = (uintptr_t)list; }
static inline bool hwri_list_is_empty(const PyGC_Head *list) { return hwri_next(list) == list; }

static inline void hwri_list_append(PyGC_Head *list, PyGC_Head *head) {
    PyGC_Head *last = hwri_back(list);
    hwri_set_back(head, last);
    last->_gc_next = (uintptr_t)head;
    head->_gc_next = (uintptr_t)list;
    list->_gc_prev = (uintptr_t)head;
}

/* Out of the list where it is and to the end of another. */
static inline void hwri_list_move(PyGC_Head *list, PyGC_Head *head) {
    PyGC_Head *back = hwri_back(head), *next = hwri_next(head);
    back->_gc_next = (uintptr_t)next;
    hwri_set_back(next, back);
    hwri_list_append(list, head);
}

/* All of a list to the end of another. */
static inline void hwri_list_merge(PyGC_Head *list, PyGC_Head *from) {
    if (!hwri_list_is_empty(from)) {
        PyGC_Head *last = hwri_back(list), *first = hwri_next(from), *end = hwri_back(from);
        last->_gc_next = (uintptr_t)first;
        hwri_set_back(first, last);
        end->_gc_next = (uintptr_t)list;
        list->_gc_prev = (uintptr_t)end;
    }
    hwri_list_open(from);
}

static inline Py_ssize_t hwri_list_length(const PyGC_Head *list) {
    Py_ssize_t length = 0;
    for (const PyGC_Head *head = hwri_next(list); head != list; head = hwri_next(head)) length++;
    return length;
}

#endif
