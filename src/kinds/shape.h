/* shape: which attributes an object has, and where; and the class at the root of its shapes. What it is and holds: shape.c. */
#ifndef HWRI_KINDS_SHAPE_H
#define HWRI_KINDS_SHAPE_H

#include "kinds/table.h"

typedef struct hwri_shape hwri_shape;
struct hwri_shape {
    hwri_shape *parent;    /* the same without the last attribute; NULL: a class */
    struct hwri_class *of; /* NULL: a class */
    hwri_table *names;     /* the first `count` of these; NULL: none, a class */
    void *name;            /* the last of them; a class's own */
    hwri_shape *first, *next,
        *previous;  /* of its children, and of its parent's: no references, but on a tracing heap */
    uint32_t count; /* attributes */
    uint32_t children;
};

/* The shape without attributes, and what is known of all objects. */
typedef struct hwri_class {
    hwri_shape shape;
    uint32_t shapes;       /* alive, itself apart */
    uint32_t expected;     /* attributes of a new object */
    uint32_t grown;        /* the most that one has come to since that was last reconsidered */
    uint32_t until_review; /* so many more objects are made before it is again */
    uint32_t review_after;
} hwri_class;

static inline hwri_class *hwri_class_in(hwri_shape *shape) {
    return shape->of ? shape->of : (hwri_class *)(void *)shape;
}

/* The child that has this attribute more; NULL: there is none. */
hwri_shape *hwri_shape_child(const hwr_heap *heap, hwri_shape *shape, const hwri_key *key);

/* Whether there may be another, and making it: the name is an object. The heap holds it for a while. False without memory. */
bool hwri_shape_may_grow(hwri_shape *shape);
bool hwri_shape_extend(hwr_heap *heap, hwri_shape *shape, const hwri_key *key);

#endif
