/* The checked pool: every block wears guards, and freed blocks wait before they are used again. */
#ifndef HWRI_POOL_CHECKED_H
#define HWRI_POOL_CHECKED_H

#include "pool/internal.h"

bool hwri_checked_open(hwr_pool *pool);
void hwri_checked_close(hwr_pool *pool);

/* The public functions of the same names, in a checked pool. `site` is the return address of the public call. Alignment 0: none asked. */
void *hwri_checked_alloc(hwr_pool *pool, size_t size, size_t alignment, bool zero, const void *site);
void *hwri_checked_realloc(hwr_pool *pool, void *block, size_t size, const void *site);
void hwri_checked_free(hwr_pool *pool, void *block, const void *site);
size_t hwri_checked_usable_size(hwr_pool *pool, const void *block, const void *site);

/* What the user sees of a block of the underlying pool: its address, and its size in *size; NULL if the user has freed it. */
void *hwri_checked_visible(void *inner, size_t inner_size, size_t *size);

/* Fills in the counts of blocks and bytes, as the user sees them. */
void hwri_checked_count(hwr_pool *pool, hwr_pool_stats *stats);

/* What is wrong with the guards of a block of the underlying pool, live or waiting, or NULL. */
const char *hwri_checked_problem(void *inner, size_t inner_size);

#endif
