#include "random/counting_mutator.h"

#include "support/check.h"
#include "support/pattern.h"

#include <stdarg.h>

model m;

void say(const char *format, ...) {
    if (m.trace == NULL) return;
    va_list arguments;
    va_start(arguments, format);
    fprintf(m.trace, "%*s", 4 * (int)m.depth, "");
    vfprintf(m.trace, format, arguments);
    fputc('\n', m.trace);
    fflush(m.trace);
    va_end(arguments);
}

/* An object's name in a trace. */
const char *name(const node *n) {
    static char texts[4][40];
    static unsigned next;
    char *text = texts[next++ % 4];
    if (n == NULL) return "NULL";
    snprintf(text, sizeof texts[0], "%s %llu", object_kind_name(n->kind), (unsigned long long)n->serial);
    return text;
}

/* Want of memory */

static size_t raw_failures(void) {
    hwr_raw_stats stats = {0};
    if (m.raw != NULL) hwr_raw_get_stats(m.raw, &stats);
    return stats.failures;
}

size_t committed_of_limit(void) {
    hwr_heap_stats stats = {0};
    if (m.raw == NULL) hwr_heap_get_stats(m.heap, &stats);
    return stats.committed;
}

static bool is_near_limit(size_t committed) { return committed + OWN_LIMIT / 4 > OWN_LIMIT; }

bool memory_was_short(void) {
    return m.now.asked > 0 || raw_failures() > m.now.failures || is_near_limit(m.now.committed) ||
           is_near_limit(committed_of_limit());
}

void check_refusal(void) {
    CHECK(memory_was_short());
    say("    refused");
}

/* What the mutator holds */

bool has_nested_room(void) { return m.held_count < HELD && oracle_may_enter(&m.oracle, 64); }

/* The mutator has a reference already, in the oracle too. */
void hold(node *n) {
    CHECK(m.held_count < HELD);
    m.held[m.held_count++] = n;
}

void retain(node *n) {
    oracle_retain(&m.oracle, n);
    hwr_retain(m.heap, n->address);
}

void release(node *n) {
    oracle_release(&m.oracle, n);
    hwr_release(m.heap, n->address);
}

void release_held(size_t index) {
    node *n = m.held[index];
    say("release %s", name(n));
    m.held[index] = m.held[--m.held_count];
    release(n);
}

/* An object that the mutator can reach: one that it holds, or a few fields further. */
node *pick(uint32_t bits) {
    if (m.held_count == 0) return NULL;
    node *n = m.held[bits % m.held_count];
    bits = bits / HELD;
    for (unsigned hops = bits % 4; hops > 0 && n->kind < OWN_KINDS && n->length > 0; hops--) {
        bits = bits / 4 + 1;
        size_t field = bits % n->length;
        node *next = n->fields[field];
        CHECK(*object_field(n, field) == (next != NULL ? next->address : NULL));
        if (next != NULL) n = next;
    }
    return n;
}

static node *pick_holder(uint32_t bits) {
    node *n = pick(bits);
    for (size_t i = 0; n != NULL && i < m.held_count; i++) {
        if (n->kind < OWN_KINDS && n->length > 0) return n;
        n = m.held[(bits + i) % m.held_count];
    }
    return NULL;
}

node *pick_kind(uint32_t bits, int kind) {
    for (size_t i = 0; i < m.held_count; i++) {
        node *n = m.held[(bits + i) % m.held_count];
        if (n->kind == kind) return n;
    }
    return NULL;
}

/* Objects and fields */

node *enter(void *address, int kind, bool tracked, size_t fields) {
    node *n = oracle_enter(&m.oracle, address, kind, tracked, fields);
    n->id = hwr_id(m.heap, address);
    CHECK(hwr_is_tracked(m.heap, address) == tracked);
    CHECK(!hwr_is_finalized(m.heap, address));
    return n;
}

static size_t wished_length(object_kind kind, uint32_t bits) {
    unsigned low = bits & 255, high = bits >> 8 & 255;
    if (kind == KIND_TEXT && high >= 240) return (size_t)low << 9;
    if (high < 200) return high % 9;
    if (high < 250) return low % 41;
    return low < 16 ? 20000 : low * 8;
}

/* Whether a collection has to precede the allocation of a tracked object. */
static bool collection_is_due(void) {
    int count[HWR_GENERATIONS];
    hwr_get_count(m.heap, count);
    return m.enabled && m.threshold[0] > 0 && count[0] + 1 > m.threshold[0];
}

void make_object(uint32_t bits, uint32_t plan) {
    static const uint8_t kinds[16] = {KIND_PAIR,   KIND_PAIR,  KIND_PAIR,  KIND_PAIR,   KIND_PAIR,  KIND_LINK,
                                      KIND_LINK,   KIND_LINK,  KIND_TEXT,  KIND_LEAF,   KIND_CHAIN, KIND_TRACED,
                                      KIND_TRACED, KIND_ARRAY, KIND_ARRAY, KIND_ALIGNED};
    object_kind kind = (object_kind)kinds[bits >> 16 & 15];
    size_t length = wished_length(kind, bits);
    bool due = collection_is_due() && object_is_tracked(kind);
    say("new %s, length %zu", object_kind_name((int)kind), length);
    void *object = object_new(m.heap, kind, length);
    if (m.depth == 0 && !is_stressed() && !memory_was_short()) CHECK((m.now.collections > 0) == due);
    if (object == NULL) {
        check_refusal();
        return;
    }
    node *n = enter(object, (int)kind, object_is_tracked(kind), object_fields(kind, length));
    n->finalizes = object_finalizes(kind);
    n->size = object_size(kind, length);
    n->plan = plan;
    object_fill(n);
    say("    it is %s", name(n));
    if (m.held_count < HELD)
        hold(n);
    else
        release(n);
}

/* An object that is declared acyclic refers only to what cannot lead back, except for a few that break their word. */
static bool may_store(const node *holder, const node *value, uint32_t bits) {
    if (holder->kind != KIND_CHAIN || value == NULL || value->kind == KIND_TEXT || value->kind == KIND_LEAF)
        return true;
    if (value->kind == KIND_CHAIN && value->serial < holder->serial) return true;
    m.broken_words += (bits & 0xf00) == 0;
    return (bits & 0xf00) == 0;
}

void set_field(uint32_t bits) {
    node *holder = pick_holder(bits), *value = pick(bits >> 7 ^ bits * 31);
    if (holder == NULL || (bits & 0xf000) == 0) value = NULL;
    if (holder == NULL || !may_store(holder, value, bits)) return;
    size_t field = (bits >> 3) % holder->length;
    void *address = value != NULL ? value->address : NULL;
    say("set %s field %zu to %s", name(holder), field, name(value));
    oracle_set(&m.oracle, holder, field, value);
    hwr_set(m.heap, holder->address, object_field(holder, field), address);
}

void give_field(uint32_t bits) {
    node *holder = pick_holder(bits);
    if (holder == NULL) return;
    size_t index = (bits >> 5) % m.held_count, field = (bits >> 3) % holder->length;
    node *value = m.held[index];
    if (!may_store(holder, value, bits)) return;
    say("give %s field %zu %s", name(holder), field, name(value));
    m.held[index] = m.held[--m.held_count];
    bool empty = holder->fields[field] == NULL;
    oracle_give(&m.oracle, holder, field, value);
    if (empty)
        hwr_init(m.heap, holder->address, object_field(holder, field), value->address);
    else
        hwr_give(m.heap, holder->address, object_field(holder, field), value->address);
}

void release_some(uint32_t bits) {
    for (uint32_t i = 0; i <= (bits & 1) && m.held_count > 0; i++) release_held((bits >> 1) % m.held_count);
}

void hold_another(uint32_t bits) {
    node *n = pick(bits);
    if (n == NULL || m.held_count == HELD) return;
    say("retain %s", name(n));
    retain(n);
    hold(n);
}

/* More references than a header counts. */
void crowd(uint32_t bits) {
    node *n = m.crowded;
    if (n != NULL) {
        say("release %s %zu times", name(n), n->crowd);
        m.crowded = NULL;
        size_t crowd = n->crowd;
        n->crowd = 0;
        n->count -= n->immortal ? 0 : crowd - 1;
        for (size_t i = 1; i < crowd; i++) hwr_release(m.heap, n->address);
        release(n);
        return;
    }
    if ((n = pick(bits)) == NULL) return;
    size_t crowd = (bits & 3) == 0 ? 4095 - (bits >> 2 & 1) : 1000 + (bits >> 2 & 1023) * 10;
    say("retain %s %zu times", name(n), crowd);
    for (size_t i = 0; i < crowd; i++) hwr_retain(m.heap, n->address);
    oracle_retain(&m.oracle, n);
    n->count += n->immortal ? 0 : crowd - 1;
    n->crowd = crowd;
    m.crowded = n;
}

void make_immortal(uint32_t bits) {
    node *n = pick(bits);
    if (n == NULL || m.immortals >= IMMORTAL_MOST) return;
    say("make %s immortal", name(n));
    if (!hwr_make_immortal(m.heap, n->address)) {
        check_refusal();
        return;
    }
    m.immortals++;
    oracle_immortalize(&m.oracle, n);
    CHECK(hwr_refcount(m.heap, n->address) == HWR_IMMORTAL);
}

void use_handle(uint32_t bits) {
    size_t slot = bits % HANDLES;
    node *n = (bits >> 8 & 7) == 0 ? NULL : pick(bits >> 3), *old = m.handles[slot].object;
    hwr_handle *handle = m.handles[slot].handle;
    if (handle == NULL) {
        say("new handle %zu of %s", slot, name(n));
        if (n != NULL) retain(n);
        handle = hwr_handle_new(m.heap, n != NULL ? n->address : NULL);
        if (handle == NULL) check_refusal();
        if (handle != NULL && n != NULL) oracle_retain(&m.oracle, n);
        m.handles[slot].handle = handle;
        m.handles[slot].object = handle != NULL ? n : NULL;
        if (n != NULL) release(n);
        return;
    }
    CHECK(hwr_handle_get(m.heap, handle) == (old != NULL ? old->address : NULL));
    if ((bits & 0x18) == 0) {
        say("free handle %zu of %s", slot, name(old));
        m.handles[slot].handle = NULL;
        m.handles[slot].object = NULL;
        if (old != NULL) oracle_release(&m.oracle, old);
        hwr_handle_free(m.heap, handle);
        return;
    }
    say("set handle %zu to %s", slot, name(n));
    m.handles[slot].object = n;
    if (n != NULL) oracle_retain(&m.oracle, n);
    if (old != NULL) oracle_release(&m.oracle, old);
    hwr_handle_set(m.heap, handle, n != NULL ? n->address : NULL);
}

void use_block(uint32_t bits) {
    held_block *b = &m.blocks[bits % BLOCKS];
    size_t size = bits >> 5 & 1023;
    if ((bits >> 16 & 15) == 0) size *= 100;
    if (b->address != NULL) CHECK(pattern_holds(b->address, b->size, b->size, b->fill));
    if (b->address != NULL && bits >> 22 == 0) {
        say("free block %zu", (size_t)(b - m.blocks));
        hwr_free(m.heap, b->address);
        *b = (held_block){0};
        return;
    }
    say("%s block %zu: %zu bytes", b->address != NULL ? "resize" : "allocate", (size_t)(b - m.blocks), size);
    held_block old = *b;
    unsigned char *address = old.address != NULL ? hwr_realloc(m.heap, old.address, size) : hwr_alloc(m.heap, size);
    if (address == NULL) {
        check_refusal();
        return;
    }
    CHECK((uintptr_t)address % 16 == 0);
    if (old.address != NULL) CHECK(pattern_holds(address, size < old.size ? size : old.size, old.size, old.fill));
    *b = (held_block){address, size, ++m.fills};
    pattern_fill(address, size, b->fill);
}

/* Collecting */

/* Inside a collection, and for a generation that there is not, nothing happens. */
void collect(uint32_t bits) {
    int generation = (bits & 3) == 3 ? HWR_OLDEST : (int)(bits & 3);
    if (bits >> 16 == 255) generation = (bits & 1) != 0 ? HWR_GENERATIONS : -1;
    bool possible = !m.oracle.collecting && generation >= 0 && generation < HWR_GENERATIONS;
    size_t before = m.now.collections;
    say("collect generation %d", generation);
    size_t unreachable = hwr_collect(m.heap, generation);
    say("    %zu unreachable", unreachable);
    if (!possible) {
        CHECK(unreachable == 0 && m.now.collections == before);
        return;
    }
    if (m.now.collections == before) {
        CHECK(memory_was_short());
        return;
    }
    if (m.depth == 0) CHECK(m.now.collections == before + 1 && unreachable == m.now.found);
}

void freeze(uint32_t bits) {
    bool back = (bits & 3) != 0;
    say(back ? "unfreeze" : "freeze");
    if (back) {
        oracle_unfreeze(&m.oracle);
        hwr_unfreeze(m.heap);
    } else {
        oracle_freeze(&m.oracle);
        hwr_freeze(m.heap);
        m.now.froze = true;
    }
    size_t frozen = 0;
    for (size_t i = 0; i < m.oracle.used; i++) {
        const node *n = &m.oracle.nodes[i];
        frozen += n->life == NODE_ALIVE && n->tracked && n->generation == ORACLE_FROZEN;
    }
    CHECK(hwr_freeze_count(m.heap) == frozen);
}

void clear_garbage(void) {
    say("clear the list of garbage: %zu objects", m.garbage_count);
    size_t count = m.garbage_count;
    m.garbage_count = 0;
    for (size_t i = 0; i < count; i++) oracle_release(&m.oracle, m.garbage[i]);
    hwr_garbage_clear(m.heap);
}

static void change_threshold(uint32_t bits) {
    for (int i = 0; i < HWR_GENERATIONS; i++) m.threshold[i] = (int)(bits >> 4 * i & 15);
    m.threshold[0] *= (bits & 0x30000) == 0 ? 50 : 3;
    say("thresholds %d, %d, %d", m.threshold[0], m.threshold[1], m.threshold[2]);
    hwr_set_threshold(m.heap, m.threshold);
    int threshold[HWR_GENERATIONS];
    hwr_get_threshold(m.heap, threshold);
    for (int i = 0; i < HWR_GENERATIONS; i++) CHECK(threshold[i] == m.threshold[i]);
}

void change_settings(uint32_t bits) {
    switch (bits >> 18 & 7) {
    case 0:
    case 1:
    case 2: change_threshold(bits); break;
    case 3:
    case 4:
        m.enabled = (bits & 3) != 0;
        say(m.enabled ? "enable" : "disable");
        if (m.enabled)
            hwr_enable(m.heap);
        else
            hwr_disable(m.heap);
        CHECK(hwr_is_enabled(m.heap) == m.enabled);
        break;
    case 5:
        if (m.depth > 0) break;
        say("keep what is found as garbage");
        hwr_set_debug(m.heap, HWR_DEBUG_SAVEALL);
        CHECK(hwr_get_debug(m.heap) == HWR_DEBUG_SAVEALL);
        break;
    default:
        say("free what is found as garbage");
        hwr_set_debug(m.heap, 0);
        clear_garbage();
    }
}
