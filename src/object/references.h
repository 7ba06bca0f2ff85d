/* Going through an object's references, for whoever knows at compile time what to do with each: the visit is compiled into the loop. A
 * type's trace function cannot be, and calls back. */
#ifndef HWRI_OBJECT_REFERENCES_H
#define HWRI_OBJECT_REFERENCES_H

#include "object/header.h"
#include "raw/atomic.h"

/* What is done with a reference that is not NULL. */
typedef void (*hwri_reference_visit)(void *context, void *target);

static inline void *hwri_read_field(const void *field) {
    void *target;
    memcpy(&target, field, sizeof target);
    return target;
}

typedef struct hwri_tracer {
    hwr_visitor visitor;
    hwri_reference_visit visit;
    void *context;
} hwri_tracer;

static inline void hwri_trace_field(hwr_visitor *visitor, void *field) {
    hwri_tracer *tracer = (hwri_tracer *)(void *)visitor;
    void *target = hwri_read_field(field);
    if (target) tracer->visit(tracer->context, target);
}

/* The references of fields: those at the type's offsets, then those that its trace function shows. */
HWRI_INLINE void hwri_each_offset(void *object, const hwr_type *type, hwri_reference_visit visit, void *context) {
    for (const uint32_t *offset = type->refs, *end = offset + type->ref_count; offset != end; offset++) {
        void *target = hwri_read_field((char *)object + *offset);
        if (target) visit(context, target);
    }
}

HWRI_INLINE void hwri_each_field(void *object, const hwr_type *type, hwri_reference_visit visit, void *context) {
    hwri_each_offset(object, type, visit, context);
    if (__builtin_expect(type->trace != NULL, 0)) {
        hwri_tracer tracer = {{hwri_trace_field}, visit, context};
        type->trace(object, &tracer.visitor);
    }
}

/* The references of items [from, to). */
HWRI_INLINE void hwri_each_item(void *object, const hwr_type *type, size_t from, size_t to, hwri_reference_visit visit,
                                void *context) {
    char *items = (char *)object + type->items_offset;
    for (size_t i = from; i < to; i++) {
        void *target = hwri_read_field(items + i * sizeof(void *));
        if (target) visit(context, target);
    }
}

static inline size_t hwri_reference_items(const void *object, const hwr_type *type) {
    return type->item_size && type->items_are_references ? hwri_length_of(type, object) : 0;
}

HWRI_INLINE void hwri_each_reference(void *object, const hwr_type *type, hwri_reference_visit visit, void *context) {
    hwri_each_field(object, type, visit, context);
    if (__builtin_expect(type->item_size != 0, 0))
        hwri_each_item(object, type, 0, hwri_reference_items(object, type), visit, context);
}

#endif
