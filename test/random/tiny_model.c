#include "random/tiny_model.h"

#include "heapwright/tiny.h"
#include "support/check.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

enum {
    ROOTS = 12,
    HELD = ROOTS,   /* one more: what a function that may collect works on */
    OBJECTS = 6000, /* more than a large buffer has blocks */
    REFERENCES = 8, /* at the front of an object, as far as it has words */
    MOST_BYTES = 1 << 16,
    LARGE = 24 << 10,
    SMALL = 3 << 10,
    WORD = sizeof(void *),
    BLOCK = 4 * WORD,
    REVIVED = 3 /* one finalizer in so many makes its object reachable again */
};

/* An object's references are ids, those of others; 0 is none. The words behind them hold numbers made from its id, which are not addresses. A leaf
 * holds addresses of others where these would have references: they must not count. */
typedef struct shadow {
    void *address;
    size_t bytes;
    unsigned references[REFERENCES]; /* of a weak reference: the first alone */
    unsigned area;
    bool leaf, finalized, weak, reached;
} shadow;

typedef struct model {
    hwr_tiny *heap;
    hwr_tiny_options options;
    FILE *trace;
    void *roots[ROOTS + 1];
    unsigned root_ids[ROOTS + 1];
    shadow objects[OBJECTS]; /* by id; 0 is not used. Free if the address is NULL */
    unsigned end;            /* of the ids that were ever used */
    size_t bytes;            /* of all objects */
    bool disabled, pending;  /* a collection has begun that the shadow has not done yet */
    unsigned told[OBJECTS], told_count, revivals;
    unsigned collections;
} model;

typedef struct step {
    uint8_t operation, which, high, low;
} step;

static model m;
static _Alignas(64) unsigned char memory[3][MOST_BYTES];
static size_t area_bytes;

static const size_t stacks[4] = {1, 3, 0, 500};

const char *tiny_model_describe(uint8_t configuration) {
    static char text[100];
    snprintf(text, sizeof text, "mark stack %zu%s%s%s", stacks[configuration & TINY_MODEL_STACK],
             (configuration & TINY_MODEL_AREAS) != 0 ? ", three areas" : "",
             (configuration & TINY_MODEL_THRESHOLD) != 0 ? ", threshold" : "",
             (configuration & TINY_MODEL_LARGE) != 0 ? ", large" : "");
    return text;
}

static void say(const char *text, size_t a, size_t b) {
    if (m.trace == NULL) return;
    fprintf(m.trace, text, a, b);
    fputc('\n', m.trace);
    fflush(m.trace);
}

static unsigned id_at(const void *address) {
    for (unsigned id = 1; id < m.end; id++)
        if (m.objects[id].address == address) return id;
    return 0;
}

/* An object lies in one of the buffers. */
static unsigned area_of(const void *address) {
    unsigned i = 0;
    while (i < 3 && (uintptr_t)address - (uintptr_t)memory[i] >= MOST_BYTES) i++;
    CHECK(i < 3);
    return i;
}

static size_t words_of(const shadow *o) { return o->bytes / WORD; }
static size_t references_of(const shadow *o) { return words_of(o) < REFERENCES ? words_of(o) : REFERENCES; }

/* Odd, so the address of nothing. */
static uintptr_t number_of(unsigned id, size_t word) { return ((uintptr_t)id * 2654435761u + word) << 1 | 1; }

static void write_words(unsigned id, size_t from) {
    shadow *o = &m.objects[id];
    uintptr_t *words = o->address;
    for (size_t i = from < REFERENCES ? REFERENCES : from; i < words_of(o); i++) words[i] = number_of(id, i);
}

static void write_reference(unsigned id, size_t i, unsigned to) {
    m.objects[id].references[i] = to;
    ((void **)m.objects[id].address)[i] = m.objects[to].address;
}

static void check_content(unsigned id) {
    const shadow *o = &m.objects[id];
    const uintptr_t *words = o->address;
    CHECK(hwr_tiny_size(m.heap, o->address) == o->bytes);
    CHECK((uintptr_t)o->address % BLOCK == 0);
#ifndef HWR_TINY_SMALL
    if (o->weak) {
        CHECK(hwr_tiny_weak_get(o->address) == m.objects[o->references[0]].address);
        return;
    }
#endif
    for (size_t i = 0; i < references_of(o); i++)
        CHECK(o->leaf || words[i] == (uintptr_t)m.objects[o->references[i]].address);
    for (size_t i = REFERENCES; i < words_of(o); i++) CHECK(words[i] == number_of(id, i));
}

static void forget(unsigned id) {
    m.bytes -= m.objects[id].bytes;
    m.objects[id] = (shadow){0};
}

/* What the heap should do in a collection */

static void reach(unsigned id) {
    static unsigned stack[OBJECTS];
    unsigned count = 0;
    if (id == 0 || m.objects[id].reached) return;
    m.objects[id].reached = true;
    stack[count++] = id;
    while (count > 0) {
        const shadow *o = &m.objects[stack[--count]];
        if (o->leaf || o->weak) continue;
        for (size_t i = 0; i < references_of(o); i++) {
            shadow *to = &m.objects[o->references[i]];
            if (o->references[i] == 0 || to->reached) continue;
            to->reached = true;
            stack[count++] = o->references[i];
        }
    }
}

/* Of those that are not reached and have a finalizer, the one that the heap comes upon first: areas in the order first, last added, ..., and by address in each. */
static unsigned next_dying(void) {
    static const unsigned rank[3] = {0, 2, 1};
    unsigned best = 0;
    for (unsigned id = 1; id < m.end; id++) {
        const shadow *o = &m.objects[id], *b = &m.objects[best];
        if (o->address == NULL || o->reached || !o->finalized) continue;
        if (best == 0 || rank[o->area] < rank[b->area] || (o->area == b->area && o->address < b->address)) best = id;
    }
    return best;
}

static void shadow_collect(const void *new) {
    unsigned told = 0, dying;
    m.pending = false;
    for (unsigned id = 1; id < m.end; id++) m.objects[id].reached = false;
    for (unsigned i = 0; i <= HELD; i++) reach(m.root_ids[i]);
    for (unsigned id = 1; id < m.end; id++) {
        shadow *o = &m.objects[id];
        if (o->weak && !m.objects[o->references[0]].reached) o->references[0] = 0;
    }
    while ((dying = next_dying()) != 0) {
        CHECK(told < m.told_count && m.told[told] == dying);
        m.objects[dying].finalized = false;
        if (++m.revivals % REVIVED == 0) m.root_ids[dying % ROOTS] = dying;
        told++;
    }
    for (unsigned i = 0; i < told; i++) reach(m.told[i]);
    CHECK(told == m.told_count);
    m.told_count = 0;
    for (unsigned id = 1; id < m.end; id++) {
        shadow *o = &m.objects[id];
        if (o->address == NULL || o->reached) continue;
        if (new == NULL || (uintptr_t)o->address - (uintptr_t) new >= hwr_tiny_size(m.heap, new))
            CHECK(hwr_tiny_size(m.heap, o->address) == 0);
        forget(id);
    }
}

static void show_roots(hwr_tiny *heap, void *context) {
    CHECK(context == &m);
    if (m.pending) shadow_collect(NULL);
    m.pending = true;
    m.collections++;
    CHECK(hwr_tiny_alloc(heap, 1, 0) == NULL && hwr_tiny_collect(heap) == 0);
    hwr_tiny_mark(heap, m.roots, ROOTS + 1);
}

static unsigned heap_revivals;

static void finalize(hwr_tiny *heap, void *object, void *context) {
    CHECK(context == &m && hwr_tiny_alloc(heap, 1, 0) == NULL);
    unsigned id = id_at(object);
    CHECK(id != 0);
    m.told[m.told_count++] = id;
    if (++heap_revivals % REVIVED == 0) m.roots[id % ROOTS] = object;
}

static void check_heap(void) {
    hwr_tiny_info info;
    hwr_tiny_get_info(m.heap, &info);
    CHECK(info.used == m.bytes && hwr_tiny_used(m.heap) == m.bytes);
    CHECK(hwr_tiny_available(m.heap) == info.total - info.used);
    for (unsigned i = 0; i < ROOTS; i++) CHECK(m.roots[i] == m.objects[m.root_ids[i]].address);
}

/* Operations */

/* An object that can be reached: from a root, some references on. */
static unsigned reachable(uint8_t which, uint8_t path) {
    unsigned id = m.root_ids[which % ROOTS];
    for (unsigned hops = path % 5; hops > 0 && id != 0; hops--) {
        const shadow *o = &m.objects[id];
        unsigned next = o->leaf || o->weak ? 0 : o->references[(path >> 3) % references_of(o)];
        if (next == 0) break;
        id = next;
    }
    return id;
}

static void set_root(unsigned i, unsigned id) {
    m.root_ids[i] = id;
    m.roots[i] = m.objects[id].address;
}

static size_t size_of(step s) {
    switch (s.high & 7) {
    case 0: return (size_t)s.low * 16;
    case 1: return (size_t)s.low * 2;
    default: return (size_t)(s.low % (3 * BLOCK));
    }
}

static unsigned enter(void *address, size_t size) {
    unsigned id = id_at(NULL);
    if (id == 0) id = m.end++;
    CHECK(id < OBJECTS);
    size_t bytes = (size + BLOCK - 1) / BLOCK * BLOCK;
    m.objects[id] = (shadow){.address = address, .bytes = bytes, .area = area_of(address)};
    m.bytes += bytes;
    CHECK(hwr_tiny_size(m.heap, address) == bytes);
    return id;
}

/* A refusal is right if there is no such room, and a collection was tried. */
static void check_refusal(size_t size, unsigned collections) {
    hwr_tiny_info info;
    hwr_tiny_get_info(m.heap, &info);
    CHECK(size == 0 || (info.largest_free < size && (m.disabled || m.collections > collections)));
    say("    refused", 0, 0);
}

static void allocate(step s) {
    size_t size = size_of(s);
    unsigned kind = s.which >> 4, collections = m.collections, slot = s.which % ROOTS;
    unsigned flags = kind == 0 ? HWR_TINY_FINALIZE : kind < 4 ? HWR_TINY_LEAF : 0;
    say("allocate %zu, flags %zu", size, flags);
    char *address = hwr_tiny_alloc(m.heap, size, flags);
    if (m.pending) shadow_collect(address);
    if (address == NULL) {
        check_refusal(size, collections);
        return;
    }
    unsigned id = enter(address, size);
    shadow *o = &m.objects[id];
    size_t references = references_of(o);
    CHECK(references > 0); /* nothing is had for size 0 */
    for (size_t i = 0; i < o->bytes; i++) CHECK(address[i] == 0);
#ifndef HWR_TINY_SMALL
    o->leaf = flags == HWR_TINY_LEAF;
#endif
    o->finalized = flags == HWR_TINY_FINALIZE;
    write_words(id, 0);
    if (o->leaf)
        for (size_t i = 0; i < references; i++) ((void **)o->address)[i] = m.roots[i];
    else
        write_reference(id, s.high % references, m.root_ids[slot]);
    set_root(slot, id);
}

static void connect(step s) {
    unsigned from = reachable(s.which, s.high), to = reachable(s.low, s.high >> 4);
    shadow *o = &m.objects[from];
    say("connect %zu to %zu", from, to);
    if (from == 0 || o->leaf || o->weak) return;
    size_t i = (size_t)(s.which >> 4) % references_of(o);
    write_reference(from, i, to);
    if (to == 0) ((uintptr_t *)o->address)[i] = 0;
}

#ifndef HWR_TINY_SMALL
static void make_weak(step s) {
    unsigned to = reachable(s.which, s.high), collections = m.collections;
    say("weak reference to %zu", to, 0);
    set_root(HELD, to);
    void *address = hwr_tiny_weak(m.heap, m.objects[to].address);
    if (m.pending) shadow_collect(address);
    set_root(HELD, 0);
    if (address == NULL) {
        if (to != 0) check_refusal(1, collections);
        return;
    }
    unsigned id = enter(address, 1);
    m.objects[id].weak = true;
    m.objects[id].references[0] = to;
    set_root(s.low % ROOTS, id);
}
#endif

/* Everything that refers to one object refers to another, or to none. */
static void redirect(unsigned from, unsigned to) {
    for (unsigned id = 1; id < m.end; id++) {
        shadow *o = &m.objects[id];
        for (size_t i = 0; o->address != NULL && i < references_of(o); i++)
            if (o->references[i] == from) write_reference(id, i, to);
    }
    for (unsigned i = 0; i <= HELD; i++)
        if (m.root_ids[i] == from) set_root(i, to);
}

static bool has_weak(unsigned to) {
    for (unsigned id = 1; id < m.end; id++)
        if (m.objects[id].weak && m.objects[id].references[0] == to) return true;
    return false;
}

static void release(step s) {
    unsigned id = reachable(s.which, s.high);
    say("free %zu", id, 0);
    if (has_weak(id)) return;
    char *address = m.objects[id].address;
    CHECK(!hwr_tiny_free(m.heap, address != NULL ? address + 1 + s.low % (BLOCK - 1) : NULL));
    if (id == 0) return;
    redirect(id, 0);
    CHECK(hwr_tiny_free(m.heap, address) && !hwr_tiny_free(m.heap, address));
    forget(id);
}

static void resize(step s) {
    unsigned id = reachable(s.which, s.high >> 3), collections = m.collections;
    shadow *o = &m.objects[id];
    if (id == 0 || o->weak) return;
    size_t size = size_of(s), old = o->bytes, bytes = (size + BLOCK - 1) / BLOCK * BLOCK;
    bool may_move = (s.which & 64) == 0 && !has_weak(id);
    say("resize %zu to %zu", id, size);
    set_root(HELD, id);
    char *was = o->address, *address = hwr_tiny_resize(m.heap, was, size, may_move);
    if (m.pending) shadow_collect(address != was ? address : NULL);
    set_root(HELD, 0);
    if (address == NULL) {
        if (may_move) check_refusal(size, collections);
        check_content(id);
        return;
    }
    CHECK(address == was || (may_move && hwr_tiny_size(m.heap, was) == 0));
    CHECK(bytes > old || address == was);
    for (size_t i = old; i < bytes; i++) CHECK(address[i] == 0);
    o->address = address;
    o->area = area_of(address);
    o->bytes = bytes;
    m.bytes = m.bytes - old + bytes;
    for (size_t i = references_of(o); i < REFERENCES; i++) o->references[i] = 0;
    write_words(id, old / WORD);
    redirect(id, id);
    check_content(id);
}

static void collect(step s) {
    size_t before = m.bytes;
    say("collect", 0, 0);
    size_t freed = hwr_tiny_collect(m.heap);
    shadow_collect(NULL);
    CHECK(before - m.bytes == freed);
    for (unsigned id = 1; id < m.end; id++)
        if (m.objects[id].address != NULL) check_content(id);
    if (s.low % 16 == 0) CHECK(hwr_tiny_enable(m.heap, m.disabled) == !m.disabled);
    if (s.low % 16 == 0) m.disabled = !m.disabled;
}

static void do_step(step s) {
    switch (s.operation % 16) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
    case 5: allocate(s); break;
    case 6:
    case 7:
    case 8: connect(s); break;
    case 9: set_root(s.which % ROOTS, 0); break;
    case 10: set_root(s.which % ROOTS, reachable(s.high, s.low)); break;
#ifndef HWR_TINY_SMALL
    case 11: make_weak(s); break;
#endif
    case 12: release(s); break;
    case 13:
    case 14: resize(s); break;
    default:
        if (s.which < 64) collect(s);
    }
    check_heap();
}

void tiny_model_run(const uint8_t *bytes, size_t length, FILE *trace) {
    if (length == 0) return;
    uint8_t c = bytes[0];
    memset(&m, 0, sizeof m);
    memset(memory, 0x5a, sizeof memory);
    heap_revivals = 0;
    m.trace = trace;
    m.end = 1;
    area_bytes = (c & TINY_MODEL_LARGE) != 0 ? LARGE : SMALL;
    area_bytes += stacks[c & TINY_MODEL_STACK] * WORD;
    m.options = (hwr_tiny_options){.size = sizeof m.options,
                                   .roots = show_roots,
                                   .finalize = finalize,
                                   .context = &m,
                                   .mark_stack = stacks[c & TINY_MODEL_STACK],
                                   .threshold = (c & TINY_MODEL_THRESHOLD) != 0 ? area_bytes / 4 : 0};
    m.heap = hwr_tiny_open(memory[0], area_bytes + c % 16, &m.options);
    CHECK(m.heap != NULL);
#ifndef HWR_TINY_SMALL
    if ((c & TINY_MODEL_AREAS) != 0)
        CHECK(hwr_tiny_add(m.heap, memory[1] + 3, area_bytes / 2) && hwr_tiny_add(m.heap, memory[2], area_bytes));
#endif
    for (size_t i = 1; i + DRIVER_STEP <= length; i += DRIVER_STEP)
        do_step((step){bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]});
    collect((step){0, 0, 0, 1});
}
