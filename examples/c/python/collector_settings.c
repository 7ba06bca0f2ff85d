/* When the cycle collector runs by itself: examples/python/collector_settings.py in C. The functions have the names and the meaning of those of Python's module gc. */
#include "example.h"

static void count_collection(hwr_heap *in_heap, const hwr_collection_info *info, void *collections) {
    (void)in_heap;
    *(int *)collections += info->starts;
}

static void append_lists(void *kept, int count) {
    for (int i = 0; i < count; i++) {
        void *list = made(hwr_list(heap, 0));
        if (!hwr_list_append(heap, kept, list)) ok(HWR_NO_MEMORY);
        hwr_release(heap, list);
    }
}

int main(void) {
    start();
    int collections = 0, threshold[HWR_GENERATIONS], count[HWR_GENERATIONS];
    printf("enabled? %s\n", yes(hwr_is_enabled(heap)));
    printf("thresholds are three numbers: %s\n", yes(HWR_GENERATIONS == 3));

    hwr_set_threshold(heap, (const int[]){1000, 5, 5});
    hwr_get_threshold(heap, threshold);
    printf("thresholds now: (%d, %d, %d)\n", threshold[0], threshold[1], threshold[2]);
    if (!hwr_add_callback(heap, count_collection, &collections)) ok(HWR_NO_MEMORY);

    hwr_collect(heap, HWR_OLDEST);
    collections = 0;
    void *kept = made(hwr_list(heap, 0));
    append_lists(kept, 500); /* 500 objects that may form cycles: not enough */
    printf("after 500 lists:  collections %d\n", collections);
    append_lists(kept, 5000); /* more than five times the threshold */
    printf("after 5500 lists: collections at least 5? %s\n", yes(collections >= 5));

    hwr_disable(heap);
    collections = 0;
    append_lists(kept, 5000);
    hwr_get_count(heap, count);
    printf("disabled, 5000 lists more: collections %d\n", collections);
    printf("the counter went on counting: %s\n", yes(count[0] > 4000));
    hwr_release(heap, kept);
    hwr_heap_close(heap);
    return 0;
}
