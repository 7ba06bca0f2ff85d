/* Growing arrays of pointers. */
#include "tracing/space.h"

bool hwri_pointers_push(hwr_pool *pool, hwri_pointers *list, void *item) {
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 64;
        void **items = hwr_pool_realloc(pool, list->items, room * sizeof *items);
        if (!items) return false;
        list->items = items;
        list->room = room;
    }
    list->items[list->count++] = item;
    return true;
}

void hwri_pointers_free(hwr_pool *pool, hwri_pointers *list) {
    hwr_pool_free(pool, list->items);
    *list = (hwri_pointers){0};
}
