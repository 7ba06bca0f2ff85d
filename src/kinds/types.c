/* types: the table of the kinds' types. */
#include "kinds/iterator.h"
#include "kinds/shape.h"

#define KIND(kind) .flags = (uint16_t)((unsigned)(kind) << HWRI_TYPE_KIND_SHIFT)
#define SPARED_KIND(kind) .flags = (uint16_t)((unsigned)(kind) << HWRI_TYPE_KIND_SHIFT | HWRI_TYPE_SPARED)
#define LEAF_KIND(kind) .flags = (uint16_t)((unsigned)(kind) << HWRI_TYPE_KIND_SHIFT | HWR_ACYCLIC)

/* Items, with one more behind them that is zero. */
#define CHARS(Struct, items, bytes)                                                                                    \
    .item_size = (bytes), .length_offset = offsetof(Struct, length), .items_offset = offsetof(Struct, items) + (bytes)
#define STORE(bytes)                                                                                                   \
    .size = offsetof(hwri_storage, as), .item_size = (bytes), .length_offset = offsetof(hwri_storage, room),           \
    .items_offset = offsetof(hwri_storage, as)

/* An object with room for so many values in its block, given up in their order, and its shape behind them. */
#define VALUE(at) (offsetof(hwri_object, values) + (at) * sizeof(void *))
#define OBJECT(count, ...)                                                                                             \
    [HWRI_OBJECT_TYPE + (count)-1] = {.name = "object",                                                                \
                                      .size = VALUE(count),                                                            \
                                      .ref_count = (count) + 1,                                                        \
                                      .refs = {__VA_ARGS__, offsetof(hwri_object, shape)},                             \
                                      KIND(HWR_OBJECT)}

const hwr_type hwri_kind_types[HWRI_KIND_TYPES] = {
    [HWRI_NONE_TYPE] = {.name = "NoneType", .size = sizeof(hwri_bool), KIND(HWR_NONE)},
    [HWRI_BOOL_TYPE] = {.name = "bool", .size = sizeof(hwri_bool), KIND(HWR_BOOL)},
    [HWRI_INT_TYPE] = {.name = "int", .size = sizeof(hwri_int), KIND(HWR_INT)},
    [HWRI_BIG_TYPE] = {.name = "int",
                       .size = offsetof(hwri_big, digits),
                       HWR_ITEMS(hwri_big, length, digits, uint32_t),
                       KIND(HWR_INT)},
    [HWRI_FLOAT_TYPE] = {.name = "float", .size = sizeof(hwri_float), KIND(HWR_FLOAT)},
    [HWRI_STR1_TYPE] = {.name = "str", .size = offsetof(hwri_str, chars), CHARS(hwri_str, chars, 1), KIND(HWR_STR)},
    [HWRI_STR2_TYPE] = {.name = "str", .size = offsetof(hwri_str, chars), CHARS(hwri_str, chars, 2), KIND(HWR_STR)},
    [HWRI_STR4_TYPE] = {.name = "str", .size = offsetof(hwri_str, chars), CHARS(hwri_str, chars, 4), KIND(HWR_STR)},
    [HWRI_BYTES_TYPE] = {.name = "bytes",
                         .size = offsetof(hwri_bytes, data),
                         CHARS(hwri_bytes, data, 1),
                         KIND(HWR_BYTES)},
    [HWRI_BYTEARRAY_TYPE] = {.name = "bytearray",
                             .size = sizeof(hwri_bytearray),
                             HWR_REFS(hwri_bytearray, storage),
                             LEAF_KIND(HWR_BYTEARRAY)},
    [HWRI_TUPLE_TYPE] = {.name = "tuple",
                         .size = offsetof(hwri_tuple, items),
                         HWR_REF_ITEMS(hwri_tuple, length, items),
                         KIND(HWR_TUPLE)},
    [HWRI_LEAF_TUPLE_TYPE] = {.name = "tuple",
                              .size = offsetof(hwri_tuple, items),
                              HWR_REF_ITEMS(hwri_tuple, length, items),
                              LEAF_KIND(HWR_TUPLE)},
    [HWRI_LIST_TYPE] = {.name = "list", .size = sizeof(hwri_list), HWR_REFS(hwri_list, storage), SPARED_KIND(HWR_LIST)},
    [HWRI_DICT_TYPE] = {.name = "dict",
                        .size = sizeof(hwri_table),
                        HWR_REFS(hwri_table, entries, index),
                        SPARED_KIND(HWR_DICT)},
    [HWRI_SET_TYPE] = {.name = "set", .size = sizeof(hwri_table), HWR_REFS(hwri_table, entries, index), KIND(HWR_SET)},
    [HWRI_ARRAY_TYPE] = {.name = "array",
                         .size = sizeof(hwri_array),
                         HWR_REFS(hwri_array, list.storage),
                         LEAF_KIND(HWR_ARRAY)},
    [HWRI_RANGE_TYPE] = {.name = "range", .size = sizeof(hwri_int_range), KIND(HWR_RANGE)},
    [HWRI_ITERATOR_TYPE] = {.name = "iterator",
                            .size = sizeof(hwri_iterator),
                            HWR_REFS(hwri_iterator, source),
                            KIND(HWR_ITERATOR)},
    [HWRI_LEAF_ITERATOR_TYPE] = {.name = "iterator",
                                 .size = sizeof(hwri_iterator),
                                 HWR_REFS(hwri_iterator, source),
                                 LEAF_KIND(HWR_ITERATOR)},
    [HWRI_ENTRIES_TYPE] = {.name = "iterator",
                           .size = sizeof(hwri_entries),
                           HWR_REFS(hwri_entries, base.source, last),
                           KIND(HWR_ITERATOR)},
    [HWRI_CALLING_TYPE] = {.name = "iterator",
                           .size = sizeof(hwri_calling),
                           HWR_REFS(hwri_calling, base.source, state),
                           KIND(HWR_ITERATOR)},
    [HWRI_ZIP_TYPE] = {.name = "iterator",
                       .size = offsetof(hwri_zip, sources),
                       HWR_REFS(hwri_zip, base.source),
                       HWR_REF_ITEMS(hwri_zip, length, sources),
                       KIND(HWR_ITERATOR)},
    OBJECT(1, VALUE(0)),
    OBJECT(2, VALUE(0), VALUE(1)),
    OBJECT(3, VALUE(0), VALUE(1), VALUE(2)),
    OBJECT(4, VALUE(0), VALUE(1), VALUE(2), VALUE(3)),
    OBJECT(5, VALUE(0), VALUE(1), VALUE(2), VALUE(3), VALUE(4)),
    OBJECT(6, VALUE(0), VALUE(1), VALUE(2), VALUE(3), VALUE(4), VALUE(5)),
    OBJECT(7, VALUE(0), VALUE(1), VALUE(2), VALUE(3), VALUE(4), VALUE(5), VALUE(6)),
    OBJECT(8, VALUE(0), VALUE(1), VALUE(2), VALUE(3), VALUE(4), VALUE(5), VALUE(6), VALUE(7)),
    OBJECT(9, VALUE(0), VALUE(1), VALUE(2), VALUE(3), VALUE(4), VALUE(5), VALUE(6), VALUE(7), VALUE(8)),
    OBJECT(10, VALUE(0), VALUE(1), VALUE(2), VALUE(3), VALUE(4), VALUE(5), VALUE(6), VALUE(7), VALUE(8), VALUE(9)),
    OBJECT(11, VALUE(0), VALUE(1), VALUE(2), VALUE(3), VALUE(4), VALUE(5), VALUE(6), VALUE(7), VALUE(8), VALUE(9),
           VALUE(10)),
    [HWRI_CLASS_TYPE] = {.name = "class",
                         .size = sizeof(hwri_class),
                         HWR_REFS(hwri_class, shape.name),
                         LEAF_KIND(HWR_NO_KIND)},
    [HWRI_TRACED_CLASS_TYPE] = {.name = "class",
                                .size = sizeof(hwri_class),
                                HWR_REFS(hwri_class, shape.name, shape.first),
                                LEAF_KIND(HWR_NO_KIND)},
    [HWRI_TRACED_SHAPE_TYPE] = {.name = "shape",
                                .size = sizeof(hwri_shape),
                                HWR_REFS(hwri_shape, parent, of, names, name, first, next),
                                LEAF_KIND(HWR_NO_KIND)},
    [HWRI_SHAPE_TYPE] = {.name = "shape",
                         .size = sizeof(hwri_shape),
                         HWR_REFS(hwri_shape, parent, of, names, name),
                         .flags = HWR_ACYCLIC | HWRI_TYPE_OWN},
    [HWRI_NAMES_TYPE] = {.name = "names",
                         .size = sizeof(hwri_table),
                         HWR_REFS(hwri_table, entries, index),
                         LEAF_KIND(HWR_NO_KIND)},
    [HWRI_SLOTS_TYPE] = {.name = "items", STORE(sizeof(void *)), .items_are_references = 1, KIND(HWR_NO_KIND)},
    [HWRI_LEAF_SLOTS_TYPE] = {.name = "items",
                              STORE(sizeof(void *)),
                              .items_are_references = 1,
                              LEAF_KIND(HWR_NO_KIND)},
    [HWRI_DATA1_TYPE] = {.name = "items", STORE(1), KIND(HWR_NO_KIND)},
    [HWRI_DATA2_TYPE] = {.name = "items", STORE(2), KIND(HWR_NO_KIND)},
    [HWRI_DATA4_TYPE] = {.name = "items", STORE(4), KIND(HWR_NO_KIND)},
    [HWRI_DATA8_TYPE] = {.name = "items", STORE(8), KIND(HWR_NO_KIND)},
    [HWRI_DOUBLES_TYPE] = {.name = "items", STORE(sizeof(double)), KIND(HWR_NO_KIND)},
};

bool hwri_is_kind_type(const hwr_type *type) {
    return (uintptr_t)type - (uintptr_t)hwri_kind_types < sizeof hwri_kind_types;
}
