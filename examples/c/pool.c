/* An allocator of its own, over memory from the system: what managed objects live in, and of use by itself. */
#include <heapwright.h>
#include <stdio.h>

int main(void) {
    hwr_pool *pool = hwr_pool_open(NULL);
    if (!pool) return 1;
    char *text = hwr_pool_alloc(pool, 100);
    if (!text) return 1;
    snprintf(text, 100, "a block of %zu bytes", hwr_pool_usable_size(pool, text));
    puts(text);
    hwr_pool_free(pool, text);
    hwr_pool_close(pool);
    return 0;
}
