/* Stands in for what is not there yet. */
#include "kinds/kinds.h"
#define WEAK __attribute__((weak))
WEAK const hwri_kind_ops hwri_number_ops, hwri_float_ops, hwri_str_ops, hwri_bytes_ops, hwri_bytearray_ops, hwri_tuple_ops, hwri_list_ops, hwri_dict_ops, hwri_set_ops;
WEAK bool hwri_numbers_open(hwr_heap *heap, struct hwri_kinds *kinds) { return (void)heap, (void)kinds, true; }
WEAK bool hwri_texts_open(hwr_heap *heap, struct hwri_kinds *kinds) { return (void)heap, (void)kinds, true; }
WEAK bool hwri_tuples_open(hwr_heap *heap, struct hwri_kinds *kinds) { return (void)heap, (void)kinds, true; }
WEAK hwr_result hwr_str_from(hwr_heap *heap, const char *utf8, size_t size, void **text) { return (void)heap, (void)utf8, (void)size, (void)text, HWR_NO_MEMORY; }
