/* What the library's own types do when an object of theirs is about to be freed: an ordinary type needs nothing, since its references are given up for it. */
#include "kinds/kinds.h"
#include "life/weak.h"

bool hwri_is_own_type(const hwr_type *type) {
    return type == &hwri_weak_type || type == &hwri_weak_keys_type || type == &hwri_weak_values_type;
}

void hwri_own_type_dies(hwr_heap *heap, void *object) {
    const hwr_type *type = hwr_type_of(object);
    if (type == &hwri_weak_type)
        hwri_weak_ends(heap, object);
    else if (type == &hwri_weak_keys_type || type == &hwri_weak_values_type)
        hwri_weak_table_ends(heap, object);
    else if (type == &hwri_kind_types[HWRI_SHAPE_TYPE])
        hwri_shape_dies(object);
}
