/* What the library asks of its kinds, where there are none: they count with ints of 128 bits, which compilers have for 64-bit processors only. */
#include "object/heap.h"
#include "tracing/tracing.h"

const hwr_type hwri_kind_types[1];
bool hwri_is_kind_type(const hwr_type *type) { return (void)type, false; }
void hwri_interned_dies(hwr_heap *heap, const void *text) { (void)heap, (void)text; }
const char *hwri_interned_problem(hwr_heap *heap) { return (void)heap, NULL; }
void hwri_shape_dies(const void *dead) { (void)dead; }
const char *hwri_shape_problem(hwr_heap *heap, const void *object) { return (void)heap, (void)object, NULL; }
void hwri_shapes_let_go(hwr_heap *heap) { (void)heap; }
bool hwri_spare_keep(hwr_heap *heap, void *object) { return (void)heap, (void)object, false; }
void hwri_spares_let_go(hwr_heap *heap) { (void)heap; }
void hwri_kinds_after(hwri_tracing *t) { (void)t; }
void *hwri_traced_leaf(hwr_heap *heap, const hwr_type *type, size_t size) {
    return (void)heap, (void)type, (void)size, NULL;
}
void *hwri_traced_quietly(hwr_heap *heap, const hwr_type *type, size_t length) {
    return (void)heap, (void)type, (void)length, NULL;
}
