/* A raw allocator of each kind for tests, with the buffer that one kind needs. The buffer is only addresses until it is touched, except for its
 * first MiBs, which are filled with rubbish: whoever takes the memory of a buffer for zero is found out. */
#ifndef TEST_SUPPORT_BACKEND_H
#define TEST_SUPPORT_BACKEND_H

#include "heapwright/raw.h"

enum { BACKEND_KINDS = 3 };

typedef struct backend {
    hwr_raw_kind kind;
    hwr_raw *raw;
    void *buffer; /* HWR_RAW_BUFFER only, of buffer_size bytes */
    size_t buffer_size;
} backend;

const char *backend_name(hwr_raw_kind kind);

/* A buffer as above, and back. */
void *backend_map_buffer(size_t size);
void backend_unmap_buffer(void *buffer, size_t size);

/* Opens with a limit (0: none); fails the test if that cannot be done. */
void backend_open(backend *b, hwr_raw_kind kind, size_t limit);

/* Checks that nothing is reserved or committed any more, and closes. */
void backend_close(backend *b);

/* Closes without checking. */
void backend_abandon(backend *b);

/* How many bytes are committed now; how many operations have failed so far. */
size_t backend_committed(const backend *b);
size_t backend_failures(const backend *b);

#endif
