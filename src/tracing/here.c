/* What the inline functions of the public headers refer to. */
#include "object/heap.h"

static hwri_thread no_thread;
__thread __attribute__((tls_model("initial-exec"))) hwri_thread *hwri_here = &no_thread;

void hwri_remember(hwr_heap *heap, void *object, void *field) { (void)heap, (void)object, (void)field; }
void hwri_poll_slow(hwr_heap *heap) { (void)heap; }
hwri_thread *hwri_thread_attached(hwr_heap *heap) {
    (void)heap;
    return hwri_here;
}
