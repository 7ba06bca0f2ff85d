#include "random/tracing_mutator.h"

#include "support/check.h"

#include <stdarg.h>
#include <string.h>

tracing_mutator m;

void say(const char *format, ...) {
    va_list arguments;
    if (m.trace == NULL) return;
    fprintf(m.trace, "%*s", (int)(4 * m.depth), "");
    va_start(arguments, format);
    vfprintf(m.trace, format, arguments);
    va_end(arguments);
    fputc('\n', m.trace);
    fflush(m.trace);
}

bool scans_stacks(void) { return (m.configuration & TRACING_MODE) == TRACING_STACKS; }

static size_t failures_of_raw(void) {
    hwr_raw_stats stats = {0};
    if (m.raw != NULL) hwr_raw_get_stats(m.raw, &stats);
    return stats.failures;
}

bool has_room(void) { return m.shadow.alive + 100 < SHADOW_NODES; }

bool memory_was_short(void) {
    if (m.raw != NULL) return failures_of_raw() > m.failures;
    hwr_heap_stats stats;
    hwr_heap_get_stats(m.heap, &stats);
    return m.asked > 0 || stats.peak_committed > OWN_LIMIT / 2;
}

void check_refusal(void) {
    say("refused");
    CHECK(memory_was_short());
}

/* Roots */

static bool is_hidden(const root *r) { return scans_stacks() && (r->sort == ROOT_LOCAL || r->sort == ROOT_SHOWN); }

void *root_object(const root *r) {
    if (r->holds == NULL) {
        CHECK(*r->slot == NULL);
        return NULL;
    }
    CHECK(*r->slot != NULL && (!is_hidden(r) || ~(uintptr_t)*r->slot == r->hidden));
    return (char *)*r->slot - r->offset;
}

void root_put(root *r, node *n, void *object) {
    r->holds = n;
    r->offset = 0;
    if (n != NULL && is_hidden(r) && n->serial % 3 == 0 && n->kind < TRACED_KINDS)
        r->offset = (size_t)(n->serial / 3 % tracing_object_size(n->kind, n->length));
    *r->slot = object != NULL ? (char *)object + r->offset : NULL;
    r->hidden = ~(uintptr_t)*r->slot;
}

root *root_for(uint32_t bits) {
    root *roots = m.shadow.roots, *any = NULL;
    for (size_t i = 0; i < ROOTS_USED; i++) {
        root *r = &roots[(bits + i) % ROOTS_USED];
        if (r->sort == ROOT_FREE) continue;
        if (r->holds == NULL) return r;
        if (any == NULL) any = r;
    }
    return any;
}

static bool is_target(const shadow_handle *h, const node *n) { return h->handle != NULL && h->target == n; }

/* What was not rooted before may be in the queue of finalizers, and weak references to it may be cleared. */
static void learn_of_return(node *n) {
    n->strayed |= n->registered || n->kind == TRACED_WEAK;
    for (size_t i = 0; i < SHADOW_HANDLES; i++)
        if (is_target(&m.shadow.handles[i], n)) learn_of_handle(&m.shadow.handles[i]);
    for (size_t i = 0; i < m.shadow.end; i++)
        if (m.shadow.nodes[i].kind == TRACED_WEAK && m.shadow.nodes[i].target == n) m.shadow.nodes[i].lost_track = true;
}

void bring_back(root *r, node *n, void *object) {
    root_put(r, NULL, NULL);
    shadow_mark(&m.shadow);
    for (size_t i = 0; i < m.shadow.end; i++) m.shadow.nodes[i].seen = m.shadow.nodes[i].rooted;
    root_put(r, n, object);
    shadow_mark(&m.shadow);
    for (size_t i = 0; i < m.shadow.end; i++) {
        node *other = &m.shadow.nodes[i];
        if (other->serial == 0 || !other->rooted || other->seen) continue;
        other->rooted = false; /* it was not: the handles may be cleared */
        learn_of_return(other);
        other->rooted = true;
    }
}

bool push_frame(void) {
    if (m.frame_count == FRAMES) return false;
    size_t number = m.frame_count++;
    slots_in_frame *f = &m.frames[number];
    memset(f, 0, sizeof *f);
    hwr_frame_push(m.heap, &f->frame, FRAME_SLOTS);
    for (size_t i = 0; i < FRAME_SLOTS; i++)
        m.shadow.roots[FIRST_FRAME + number * FRAME_SLOTS + i] = (root){.sort = ROOT_FRAME, .slot = &f->slots[i]};
    return true;
}

void pop_frame(void) {
    size_t number = --m.frame_count;
    hwr_frame_pop(m.heap, &m.frames[number].frame);
    for (size_t i = 0; i < FRAME_SLOTS; i++)
        m.shadow.roots[FIRST_FRAME + number * FRAME_SLOTS + i] = (root){.sort = ROOT_FREE};
    memset(&m.frames[number], 0xdb, sizeof m.frames[number]);
}

void change_frames(uint32_t bits) {
    if (m.depth > 0) return;
    if ((bits & 1) != 0 && m.frame_count < FRAMES_OWN) {
        say("a frame begins");
        CHECK(push_frame());
    } else if (m.frame_count > 1) {
        say("a frame ends");
        pop_frame();
    }
}

void change_globals(uint32_t bits) {
    size_t number = bits % GLOBALS;
    root *r = &m.shadow.roots[FIRST_GLOBAL + number];
    bool there = r->sort != ROOT_FREE;
    say("global %zu %s", number, there ? "goes" : "comes");
    if (there) {
        CHECK(!hwr_root_add(m.heap, r->slot));
        CHECK(hwr_root_remove(m.heap, r->slot));
        m.globals[number] = (void *)(uintptr_t)0xdbdbdbdbu;
        *r = (root){.sort = ROOT_FREE};
        return;
    }
    m.globals[number] = NULL;
    CHECK(!hwr_root_remove(m.heap, &m.globals[number]));
    if (hwr_root_add(m.heap, &m.globals[number]))
        *r = (root){.sort = ROOT_GLOBAL, .slot = &m.globals[number]};
    else
        check_refusal();
}

/* Objects */

static node *seek_start(uint32_t bits, void **object) {
    for (uint32_t i = 0; i < ROOTS_USED + SHADOW_HANDLES; i++) {
        uint32_t at = (bits + i) % (ROOTS_USED + SHADOW_HANDLES);
        if (at < ROOTS_USED) {
            const root *r = &m.shadow.roots[at];
            if (r->sort == ROOT_FREE || r->holds == NULL) continue;
            *object = root_object(r);
            return r->holds;
        }
        shadow_handle *h = &m.shadow.handles[at - ROOTS_USED];
        if (h->handle == NULL || h->target == NULL) continue;
        if (h->kind != HWR_HANDLE_STRONG && h->kind != HWR_HANDLE_PINNED) continue;
        learn_of_handle(h);
        *object = hwr_handle_get(m.heap, h->handle);
        return h->target;
    }
    return NULL;
}

static void check_object(void *object, const node *n) {
    if (n->kind == TRACED_WEAK)
        CHECK(hwr_type_of(object) == hwr_weak_type());
    else
        tracing_object_check(object, n->kind, n->length, n->serial);
}

node *seek(uint32_t bits, void **object) {
    node *n = seek_start(bits, object);
    if (n == NULL) return NULL;
    check_object(*object, n);
    for (uint32_t steps = bits >> 7 & 3, choice = bits >> 9; steps > 0; steps--, choice = choice * 5 + 1) {
        if (n->field_count == 0 || n->kind == TRACED_WEAK) break;
        size_t field = choice % n->field_count;
        void *next = *tracing_object_field(*object, n->kind, field);
        CHECK((next == NULL) == (n->fields[field] == NULL));
        if (next == NULL) break;
        n = n->fields[field];
        *object = next;
        check_object(next, n);
    }
    return n;
}

/* Mostly a few; sometimes as many as small and middling objects have, with which large ones begin; rarely many. */
static size_t choose_length(uint32_t bits, tracing_kind kind) {
    uint32_t size = bits >> 8;
    if (size % 32 == 0 && m.large < LARGE_MOST) return kind == TRACED_TEXT ? size % 100000 : size % 12000;
    if (size % 32 == 1) return size % LARGE_LENGTH * (kind == TRACED_TEXT ? 8 : 1);
    return size % 9;
}

node *make_object(uint32_t bits, uint32_t plan) {
    if (!has_room()) return NULL;
    tracing_kind kind = (tracing_kind)(bits % TRACED_KINDS);
    size_t length = tracing_kind_has_items(kind) ? choose_length(bits, kind) : 0;
    node *n = shadow_enter(&m.shadow, kind, length, plan);
    uint64_t allocated = hwr_allocated_bytes(m.heap, true);
    void *object = tracing_object_new(m.heap, kind, length, n->serial);
    root *r = root_for(plan);
    if (object == NULL) {
        check_refusal();
        shadow_remove(&m.shadow, n);
        return NULL;
    }
    CHECK(hwr_allocated_bytes(m.heap, true) - allocated >= tracing_object_size(kind, length));
    say("new %s %llu, length %zu", tracing_kind_name(kind), (unsigned long long)n->serial, length);
    CHECK(hwr_sizeof(m.heap, object, false) == tracing_object_size(kind, length));
    m.large += length >= LARGE_LENGTH;
    root_put(r, n, object);
    return n;
}

void set_field(uint32_t bits) {
    void *object, *value = NULL;
    node *n = seek(bits, &object);
    if (n == NULL || n->kind == TRACED_WEAK || n->field_count == 0) return;
    node *other = NULL;
    if (bits % 16 == 1) {
        other = n;
        value = object;
    } else if (bits % 8 != 0) {
        other = seek(bits * 0x9e3779b1u >> 8, &value);
    }
    size_t field = (bits >> 12) % n->field_count;
    void **place = tracing_object_field(object, n->kind, field);
    say("field %zu of %llu = %llu", field, (unsigned long long)n->serial,
        other != NULL ? (unsigned long long)other->serial : 0ull);
    if (*place == NULL && bits % 4 == 2)
        hwr_init(m.heap, object, place, value);
    else if (bits % 4 == 3)
        hwr_give(m.heap, object, place, value);
    else
        hwr_set(m.heap, object, place, value);
    n->fields[field] = other;
}

void drop_root(uint32_t bits) {
    for (uint32_t i = 0; i < ROOTS_USED; i++) {
        root *r = &m.shadow.roots[(bits + i) % ROOTS_USED];
        if (r->sort == ROOT_FREE || r->holds == NULL) continue;
        say("root %zu drops %llu", (size_t)(r - m.shadow.roots), (unsigned long long)r->holds->serial);
        root_put(r, NULL, NULL);
        return;
    }
}

void copy_root(uint32_t bits) {
    void *object;
    node *n = seek(bits, &object);
    root *r = root_for(bits >> 10);
    if (n == NULL || r == NULL) return;
    say("root %zu holds %llu", (size_t)(r - m.shadow.roots), (unsigned long long)n->serial);
    root_put(r, n, object);
}

void make_immortal(uint32_t bits) {
    void *object;
    node *n = m.immortals < IMMORTAL_MOST ? seek(bits, &object) : NULL;
    if (n == NULL || n->kind == TRACED_WEAK || n->immortal) return;
    say("%llu is immortal", (unsigned long long)n->serial);
    n->immortal = hwr_make_immortal(m.heap, object);
    m.immortals += n->immortal;
    if (!n->immortal) check_refusal();
}

void suppress_or_register(uint32_t bits) {
    void *object;
    node *n = seek(bits, &object);
    if (n == NULL) return;
    if (!tracing_kind_finalizes(n->kind)) {
        CHECK(!hwr_reregister_finalizer(m.heap, object));
        return;
    }
    if (n->registered) {
        say("suppress finalizer of %llu", (unsigned long long)n->serial);
        hwr_suppress_finalizer(m.heap, object);
        n->unsure |= n->strayed;
        n->registered = n->strayed = false;
        n->batch = 0;
    } else if (!n->unsure) {
        say("register finalizer of %llu", (unsigned long long)n->serial);
        n->registered = hwr_reregister_finalizer(m.heap, object);
        if (!n->registered) check_refusal();
    }
}

void use_pressure(uint32_t bits) {
    size_t bytes = (size_t)(bits & 0xffff) << 4;
    bool more = m.pressure < 1 << 24 && bits % 3 != 0;
    if (!more && bytes > m.pressure) bytes = m.pressure;
    if (more)
        hwr_add_memory_pressure(m.heap, bytes);
    else
        hwr_remove_memory_pressure(m.heap, bytes);
    m.pressure = more ? m.pressure + bytes : m.pressure - bytes;
}

/* An id may be what memory is too short for: then everything is collected, and the object moves. */
void ask_about(uint32_t bits) {
    struct {
        hwr_frame frame;
        void *object;
    } here = {.object = NULL};
    node *n = seek(bits, &here.object);
    if (n == NULL) return;
    hwr_frame_push(m.heap, &here.frame, 1);
    uint64_t id = hwr_id(m.heap, here.object);
    CHECK(n->id == 0 || n->id == id);
    n->id = id;
    int generation = hwr_generation_of(m.heap, here.object);
    CHECK(generation >= n->generation && generation <= HWR_OLDEST);
    n->generation = generation;
    if (n->registered && n->finalized == 0) CHECK(!hwr_is_finalized(m.heap, here.object));
    CHECK(hwr_sizeof(m.heap, here.object, true) > hwr_sizeof(m.heap, here.object, false));
    hwr_frame_pop(m.heap, &here.frame);
}
