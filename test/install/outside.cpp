// Somebody else's program, in C++: a standard container whose memory comes from a pool.
#include <heapwright.h>

#include <cstdio>
#include <cstring>
#include <list>
#include <new>

template <class T> struct PoolAllocator {
    typedef T value_type;
    hwr_pool *pool;

    explicit PoolAllocator(hwr_pool *from) : pool(from) {}
    template <class U> PoolAllocator(const PoolAllocator<U> &other) : pool(other.pool) {}

    T *allocate(std::size_t count) {
        void *block = hwr_pool_alloc(pool, count * sizeof(T));
        if (!block) throw std::bad_alloc();
        return static_cast<T *>(block);
    }
    void deallocate(T *block, std::size_t) { hwr_pool_free(pool, block); }

    template <class U> bool operator==(const PoolAllocator<U> &other) const { return pool == other.pool; }
    template <class U> bool operator!=(const PoolAllocator<U> &other) const { return pool != other.pool; }
};

static std::size_t blocks_in(hwr_pool *pool) {
    hwr_pool_stats stats;
    hwr_pool_get_stats(pool, &stats);
    return stats.blocks;
}

int main() {
    hwr_pool_options options = hwr_pool_options();
    options.size = sizeof options;
    options.granularity = 8;
    hwr_pool *pool = hwr_pool_open(&options);
    if (!pool) return 1;
    std::size_t full;
    {
        std::list<int, PoolAllocator<int>> numbers{PoolAllocator<int>(pool)};
        for (int i = 0; i < 1000; i++) numbers.push_back(i);
        full = blocks_in(pool);
        for (int i = 0; i < 1000; i++) {
            if (numbers.front() != i) return 2;
            numbers.pop_front();
        }
    }
    std::size_t empty = blocks_in(pool);
    hwr_pool_close(pool);
    if (std::strcmp(hwr_version(), HWR_VERSION_STRING) != 0) return 3;
    std::printf("heapwright %s: %zu blocks, then %zu\n", hwr_version(), full, empty);
    return 0;
}
