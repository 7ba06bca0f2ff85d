/* When to collect what.
 *
 * The young are collected when threads have filled as many pieces as the nursery has. Where most of them survive twice in a row, copying them is a waste: threads then allocate in the old space for some time, and the
 * nursery is tried again after it, later each time (facts: GCBench takes 0.29 instead of 0.40 of libgc's time by this). The oldest generation is collected when the old space has reached its target, which is set after each
 * collection of it by what lives. */
#include "tracing/tracing.h"

enum { LEAST_TARGET = 4 << 20, PRETENURE_FIRST = 4, PRETENURE_MOST = 64 };

static size_t nursery_bytes(const hwri_tracing *t) { return t->nursery.budget << HWRI_PIECE_SHIFT; }

static size_t outside(const hwri_tracing *t) { return __atomic_load_n(&t->pressure, __ATOMIC_RELAXED); }

static size_t old_bytes(const hwri_tracing *t) { return hwri_old_bytes(t) + t->large.bytes + outside(t); }

static size_t live_bytes(const hwri_tracing *t) {
    return (t->old.live_lines << HWRI_LINE_SHIFT) + t->large.bytes + outside(t);
}

static void set_target(hwri_tracing *t) {
    size_t live = live_bytes(t), target = live * 2;
    if (target < live + LEAST_TARGET) target = live + LEAST_TARGET;
    if (t->heap->limit && (t->sizing == HWR_SIZE_FIXED || target > t->heap->limit)) {
        size_t young = t->nursery.committed << HWRI_PIECE_SHIFT;
        target = t->heap->limit > young ? t->heap->limit - young : t->heap->limit / 2;
    }
    t->target = target;
}

void hwri_policy_open(hwri_tracing *t, const hwr_options *options) {
    t->sizing = options->sizing;
    t->pretenure_length = PRETENURE_FIRST;
    set_target(t);
}

bool hwri_may_grow(const hwri_tracing *t, size_t bytes) {
    return old_bytes(t) + bytes <= t->target || !hwri_is_automatic(t->heap);
}

bool hwri_is_full_due(const hwri_tracing *t) {
    return old_bytes(t) + HWRI_BLOCK > t->target && hwri_is_automatic(t->heap);
}

size_t hwri_policy_before(const hwri_tracing *t) { return t->nursery.given << HWRI_PIECE_SHIFT; }

/* `before` bytes had been taken from the nursery. */
void hwri_policy_after_young(hwri_tracing *t, size_t before, size_t survived) {
    if (before < nursery_bytes(t) / 2) return; /* too few to tell */
    if (survived <= before / 2) {
        t->surviving = 0;
        t->pretenure_length = PRETENURE_FIRST;
    } else if (++t->surviving >= 2) {
        t->pretenures = true;
        t->pretenure_left = t->pretenure_length * nursery_bytes(t);
        if (t->pretenure_length < PRETENURE_MOST) t->pretenure_length *= 2;
    }
}

void hwri_policy_after_full(hwri_tracing *t) { set_target(t); }

/* Python's gc.disable and a threshold of 0: only when memory is short. */
bool hwri_is_automatic(const hwr_heap *heap) {
    return __atomic_load_n(&heap->enabled, __ATOMIC_RELAXED) && heap->threshold[0];
}

/* HWR_COLLECT_OPTIMIZED. */
bool hwri_is_worth_while(const hwri_tracing *t, int generation) {
    if (generation < HWR_OLDEST) return t->nursery.given >= t->nursery.budget / 4;
    return old_bytes(t) - live_bytes(t) >= live_bytes(t) / 4;
}
