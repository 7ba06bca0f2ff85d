/* type: what a heap knows of a kind of object.
 *
 * A type is a constant of the program's: nothing is registered, nothing is copied, and it must outlive every object of it. It says
 * how large an object is and which of its words refer to other objects: a list of offsets where that will do, a function where
 * it will not. An object is a struct like any other; what the heap adds lies hidden in front of it.
 *
 *     typedef struct Node { struct Node *next; int value; } Node;
 *     static const hwr_type node_type = HWR_TYPE(Node, HWR_REFS(Node, next));
 *
 *     typedef struct Text { size_t length; char bytes[]; } Text;
 *     static const hwr_type text_type = HWR_TYPE(Text, HWR_ITEMS(Text, length, bytes, char));
 *
 *     typedef struct List { size_t length; void *items[]; } List;
 *     static const hwr_type list_type = HWR_TYPE(List, HWR_REF_ITEMS(List, length, items));
 */
#ifndef HEAPWRIGHT_TYPE_H
#define HEAPWRIGHT_TYPE_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hwr_heap hwr_heap;

/* Somebody who goes through an object's references: a collector, a question. A trace function passes it every field. */
typedef struct hwr_visitor hwr_visitor;
struct hwr_visitor {
    void (*visit)(hwr_visitor *visitor, void *field); /* the address of a pointer to an object, which may be NULL */
};

/* Shows one field to a visitor, inside a trace function: HWR_VISIT(visitor, node->next). */
#define HWR_VISIT(visitor, field) ((visitor)->visit((visitor), (void *)&(field)))

/* Shows each field of `object` that owns a reference to the visitor, once and in the order in which they are to be given up.
 * Must not allocate, store or release anything; must not show a field that holds something else. On a heap with `marking_threads` several threads
 * call it at once, for different objects. */
typedef void (*hwr_trace)(void *object, hwr_visitor *visitor);

/* Called once when an object is about to die, with all its references intact (the rules of Python's PEP 442). It may use
 * the heap freely: allocate, collect, and store the object somewhere, which keeps it alive; it will not be called again. */
typedef void (*hwr_finalizer)(hwr_heap *heap, void *object);

enum {
    HWR_TYPE_REFS = 12, /* so many offsets fit into a type; a type with more references has a trace function */
    HWR_ACYCLIC =
        1, /* flag: objects of this type are never part of a cycle, though they have references. The collector for cycles does
                           not look at them; if it is not true, such cycles are never freed. Means nothing on a tracing heap */
    HWR_CRITICAL = 2,        /* flag: on a tracing heap, finalizers of this type come after those of others */
    HWRI_TYPE_SPECIAL = 0xC0 /* flags of the library's own types; not to be used */
};

/* An object's header keeps something in the lowest bits of its type's address, also where pointers have 4 bytes. */
#if defined(__GNUC__)
#define HWRI_ALIGNED_TYPE __attribute__((aligned(8)))
#else
#define HWRI_ALIGNED_TYPE
#endif

/* Zero in every field but name and size means: nothing of the kind. A type without any reference is acyclic in any case. */
typedef struct HWRI_ALIGNED_TYPE hwr_type {
    const char *name;              /* for messages */
    uint32_t size;                 /* bytes of an object, without items */
    uint16_t flags;                /* HWR_ACYCLIC, HWR_CRITICAL */
    uint8_t alignment;             /* of an object: 0 or 8 for 8 bytes, or 16 */
    uint8_t ref_count;             /* how many of `refs` there are */
    uint32_t refs[HWR_TYPE_REFS];  /* offsets in bytes of fields that own references */
    uint32_t item_size;            /* bytes of an item; 0: objects of this type have no items */
    uint32_t length_offset;        /* of the size_t that says how many items there are; hwr_new_items sets it */
    uint32_t items_offset;         /* of the first item */
    uint32_t items_are_references; /* not 0: each item owns a reference; item_size is that of a pointer */
    hwr_trace trace;               /* shows the references that `refs` and the items do not name */
    hwr_finalizer finalize;
} hwr_type;

/* The initialiser of a type for a struct: its name, its size, and any of the following, or fields of hwr_type by name. */
#define HWR_TYPE(Struct, ...)                                                                                          \
    { .name = #Struct, .size = sizeof(Struct), __VA_ARGS__ }

/* The same for a struct without references. */
#define HWR_LEAF(Struct)                                                                                               \
    { .name = #Struct, .size = sizeof(Struct) }

/* Up to twelve fields of the struct that own references, in the order in which they are given up. */
#define HWR_REFS(Struct, ...) .ref_count = HWRI_COUNT(__VA_ARGS__), .refs = {HWRI_OFFSETS(Struct, __VA_ARGS__)}

/* A flexible array at the end of the struct: the size_t field that counts its items, its name, and the type of an item. */
#define HWR_ITEMS(Struct, length, items, Item)                                                                         \
    .item_size = sizeof(Item), .length_offset = offsetof(Struct, length), .items_offset = offsetof(Struct, items)

/* The same, of items that own references. */
#define HWR_REF_ITEMS(Struct, length, items) HWR_ITEMS(Struct, length, items, void *), .items_are_references = 1

#define HWRI_COUNT(...) HWRI_COUNT_(__VA_ARGS__, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define HWRI_COUNT_(a, b, c, d, e, f, g, h, i, j, k, l, n, ...) n
#define HWRI_OFFSETS(S, ...) HWRI_PASTE(HWRI_OFFSETS_, HWRI_COUNT(__VA_ARGS__))(S, __VA_ARGS__)
#define HWRI_PASTE(a, b) HWRI_PASTE_(a, b)
#define HWRI_PASTE_(a, b) a##b
#define HWRI_OFFSETS_1(S, a) offsetof(S, a)
#define HWRI_OFFSETS_2(S, a, ...) offsetof(S, a), HWRI_OFFSETS_1(S, __VA_ARGS__)
#define HWRI_OFFSETS_3(S, a, ...) offsetof(S, a), HWRI_OFFSETS_2(S, __VA_ARGS__)
#define HWRI_OFFSETS_4(S, a, ...) offsetof(S, a), HWRI_OFFSETS_3(S, __VA_ARGS__)
#define HWRI_OFFSETS_5(S, a, ...) offsetof(S, a), HWRI_OFFSETS_4(S, __VA_ARGS__)
#define HWRI_OFFSETS_6(S, a, ...) offsetof(S, a), HWRI_OFFSETS_5(S, __VA_ARGS__)
#define HWRI_OFFSETS_7(S, a, ...) offsetof(S, a), HWRI_OFFSETS_6(S, __VA_ARGS__)
#define HWRI_OFFSETS_8(S, a, ...) offsetof(S, a), HWRI_OFFSETS_7(S, __VA_ARGS__)
#define HWRI_OFFSETS_9(S, a, ...) offsetof(S, a), HWRI_OFFSETS_8(S, __VA_ARGS__)
#define HWRI_OFFSETS_10(S, a, ...) offsetof(S, a), HWRI_OFFSETS_9(S, __VA_ARGS__)
#define HWRI_OFFSETS_11(S, a, ...) offsetof(S, a), HWRI_OFFSETS_10(S, __VA_ARGS__)
#define HWRI_OFFSETS_12(S, a, ...) offsetof(S, a), HWRI_OFFSETS_11(S, __VA_ARGS__)

#ifdef __cplusplus
}
#endif

#endif
