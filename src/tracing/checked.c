/* A checked heap: the public calls that an ordinary heap has inline, with the thread and every object that is passed looked at first. */
#include "tracing/model.h"

#include "pool/misuse.h"

_Noreturn static void report_traced(const char *what, const void *object, bool known, const char *call,
                                    const void *site) {
    hwri_misuse misuse = {.what = what, .call = call, .address = object, .called_by = site};
    if (known) misuse.type = hwr_type_of(object)->name;
    hwri_misuse_abort(&misuse);
}

void hwri_traced_look(hwr_heap *heap, const void *object, const char *call, const void *site) {
    const hwri_mutator *me = hwri_mutator_here(heap);
    if (!me) report_traced("use of a heap by a thread that is not attached to it", heap, false, call, site);
    if (me->state == HWRI_AWAY) report_traced("use of a heap by a thread that has left it", heap, false, call, site);
    if (object && !hwri_is_traced_object(heap, object))
        report_traced("not a living object of this heap", object, false, call, site);
}

void hwri_traced_retain(hwr_heap *heap, const void *object, const void *site) {
    hwri_traced_look(heap, object, "hwr_retain", site);
}

void hwri_traced_release(hwr_heap *heap, const void *object, const void *site) {
    hwri_traced_look(heap, object, "hwr_release", site);
}

void hwri_traced_store(hwr_heap *heap, void *object, void *field, void *value, hwri_store how, const void *site) {
    static const char *const calls[] = {[HWRI_SET] = "hwr_set", [HWRI_GIVE] = "hwr_give", [HWRI_INIT] = "hwr_init"};
    if (heap->checked) {
        hwri_traced_look(heap, object, calls[how], site);
        if (value) hwri_traced_look(heap, value, calls[how], site);
        size_t offset = (size_t)((uintptr_t)field - (uintptr_t)object);
        if (offset + sizeof value > hwri_object_size(object) || offset + sizeof value < offset)
            report_traced("a store outside the object that it names", object, true, calls[how], site);
        if (how == HWRI_INIT && *(hwri_slot *)field)
            report_traced("a field that is not empty", object, true, calls[how], site);
    }
    __atomic_store_n((hwri_slot *)field, value, __ATOMIC_RELEASE);
    if (__atomic_load_n(hwri_header(object), __ATOMIC_RELAXED) & HWRI_TRACK &&
        (uintptr_t)value - heap->face.young < heap->face.young_size)
        hwri_remember(heap, object, field);
}
