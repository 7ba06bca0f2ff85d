/* Handles of every kind, and weak references that are objects. */
#include "random/tracing_mutator.h"

#include "support/check.h"

static const char *kind_name(int kind) {
    static const char *const names[] = {"strong", "weak short", "weak long", "pinned", "dependent"};
    return names[kind];
}

static void check_serial(void *object, const node *n) {
    if (n->kind == TRACED_WEAK)
        CHECK(hwr_type_of(object) == hwr_weak_type());
    else
        CHECK(tracing_object_serial(object) == n->serial);
}

/* A weak handle that was not known to be cleared may turn out to be, unless roots (or, for long ones, objects to be finalized) lead to its object. Needs marks. */
static void learn_of_clearing(shadow_handle *h, const void *object) {
    if (object != NULL || h->target == NULL || h->cleared) return;
    CHECK(h->kind != HWR_HANDLE_STRONG && h->kind != HWR_HANDLE_PINNED && !h->target->rooted);
    if (h->kind != HWR_HANDLE_WEAK_SHORT) CHECK(!h->target->kept);
    h->cleared = true;
}

void learn_of_handle(shadow_handle *h) {
    void *object = hwr_handle_get(m.heap, h->handle);
    learn_of_clearing(h, object);
    if (h->target == NULL || h->cleared)
        CHECK(object == NULL);
    else
        check_serial(object, h->target);
    if (h->kind == HWR_HANDLE_PINNED) CHECK(object == h->pinned);
    if (h->kind != HWR_HANDLE_DEPENDENT) {
        CHECK(hwr_handle_second(m.heap, h->handle) == NULL);
        return;
    }
    void *second = hwr_handle_second(m.heap, h->handle);
    if (object == NULL || h->second == NULL)
        CHECK(second == NULL);
    else
        check_serial(second, h->second);
}

static void make_handle(shadow_handle *h, uint32_t bits) {
    void *object = NULL, *second = NULL;
    node *n = seek(bits, &object), *other = seek(bits >> 5, &second);
    int kind = (int)(bits >> 16) % 5;
    if (bits % 32 == 0) {
        n = NULL;
        object = NULL;
    }
    *h = (shadow_handle){.kind = kind, .target = n, .second = kind == HWR_HANDLE_DEPENDENT && n != NULL ? other : NULL};
    if (kind == HWR_HANDLE_DEPENDENT)
        h->handle = hwr_handle_new_dependent(m.heap, object, h->second != NULL ? second : NULL);
    else if (kind == HWR_HANDLE_STRONG)
        h->handle = hwr_handle_new(m.heap, object);
    else
        h->handle = hwr_handle_new_kind(m.heap, object, (hwr_handle_kind)kind);
    if (h->handle == NULL) {
        check_refusal();
        *h = (shadow_handle){0};
        return;
    }
    if (kind == HWR_HANDLE_PINNED) h->pinned = hwr_handle_get(m.heap, h->handle);
    say("%s handle for %llu, %llu", kind_name(kind), n != NULL ? (unsigned long long)n->serial : 0ull,
        h->second != NULL ? (unsigned long long)h->second->serial : 0ull);
}

void free_handle(shadow_handle *h) {
    say("free a %s handle", kind_name(h->kind));
    hwr_handle_free(m.heap, h->handle);
    *h = (shadow_handle){0};
}

static void set_handle(shadow_handle *h, uint32_t bits) {
    void *object = NULL;
    node *n = bits % 8 != 0 ? seek(bits, &object) : NULL;
    if (h->kind == HWR_HANDLE_DEPENDENT) { /* the second only, of a first that roots lead to */
        shadow_mark(&m.shadow);
        if (h->target == NULL || !h->target->rooted || h->cleared) return;
        hwr_handle_set_second(m.heap, h->handle, object);
        h->second = n;
    } else {
        hwr_handle_set(m.heap, h->handle, object);
        h->target = n;
        h->cleared = false;
        if (h->kind == HWR_HANDLE_PINNED) h->pinned = hwr_handle_get(m.heap, h->handle);
    }
    say("%s handle set to %llu", kind_name(h->kind), n != NULL ? (unsigned long long)n->serial : 0ull);
}

/* What a handle leads to, into a root. */
static void get_from_handle(shadow_handle *h, uint32_t bits) {
    root *r = root_for(bits >> 10);
    shadow_mark(&m.shadow);
    learn_of_handle(h);
    bool second = h->kind == HWR_HANDLE_DEPENDENT && (bits & 1) != 0;
    node *n = second ? h->second : h->target;
    void *object = second ? hwr_handle_second(m.heap, h->handle) : hwr_handle_get(m.heap, h->handle);
    if (object == NULL || n == NULL || r == NULL || r->holds == n) return;
    say("root %zu holds %llu, from a handle", (size_t)(r - m.shadow.roots), (unsigned long long)n->serial);
    if (r->holds != NULL) return;
    bring_back(r, n, object);
}

void use_handle(uint32_t bits) {
    shadow_handle *h = &m.shadow.handles[bits % SHADOW_HANDLES];
    if (h->handle == NULL)
        make_handle(h, bits >> 5);
    else if ((bits >> 5 & 7) < 4)
        get_from_handle(h, bits >> 8);
    else if ((bits >> 5 & 7) < 6)
        set_handle(h, bits >> 8);
    else
        free_handle(h);
}

/* Weak references. Each has an argument of its own, by which its callback knows it again. */

static node *shared_weak(const node *target) {
    for (size_t i = 0; i < m.shadow.end; i++) {
        node *n = &m.shadow.nodes[i];
        if (n->kind == TRACED_WEAK && n->serial != 0 && n->target == target && !n->calls_back) return n;
    }
    return NULL;
}

void make_weak(uint32_t bits) {
    bool calls_back = bits % 4 != 0;
    if (m.weaks >= WEAK_MOST || !has_room() || !push_frame()) return;
    root *kept = &m.shadow.roots[FIRST_FRAME + (m.frame_count - 1) * FRAME_SLOTS];
    node *argument = NULL;
    if (calls_back) {
        argument = shadow_enter(&m.shadow, TRACED_LEAF, 0, 0);
        void *object = tracing_object_new(m.heap, TRACED_LEAF, 0, argument->serial);
        if (object == NULL) {
            check_refusal();
            shadow_remove(&m.shadow, argument);
            pop_frame();
            return;
        }
        root_put(kept, argument, object);
    }
    void *object;
    node *n = seek(bits >> 3, &object);
    if (n == NULL || (!calls_back && shared_weak(n) != NULL)) {
        pop_frame();
        return;
    }
    node *weak_node = shadow_enter(&m.shadow, TRACED_WEAK, 0, 0);
    weak_node->target = n;
    weak_node->calls_back = calls_back;
    weak_node->fields[0] = argument;
    root_put(kept + 1, n, object); /* so that the oracle knows it, too, while memory is being looked for */
    hwr_weak *weak =
        hwr_weak_new(m.heap, object, calls_back ? weak_called : NULL, calls_back ? root_object(kept) : NULL);
    if (weak != NULL) {
        CHECK(hwr_type_of(weak) == hwr_weak_type());
        say("weak reference %llu to %llu", (unsigned long long)weak_node->serial, (unsigned long long)n->serial);
        root_put(root_for(bits >> 9), weak_node, weak);
        m.weaks++;
    } else {
        check_refusal();
        shadow_remove(&m.shadow, weak_node);
    }
    pop_frame();
}

void ask_weak(uint32_t bits) {
    for (uint32_t i = 0; i < ROOTS_USED; i++) {
        const root *from = &m.shadow.roots[(bits + i) % ROOTS_USED];
        if (from->sort == ROOT_FREE || from->holds == NULL || from->holds->kind != TRACED_WEAK) continue;
        node *weak = from->holds;
        void *object = hwr_weak_get(m.heap, root_object(from));
        if (weak->target == NULL || weak->called) CHECK(object == NULL);
        shadow_mark(&m.shadow);
        if (object == NULL) {
            CHECK(weak->target == NULL || !weak->target->rooted || weak->lost_track);
            return;
        }
        check_serial(object, weak->target);
        root *r = root_for(bits >> 8);
        if (r == NULL || r->holds != NULL) return;
        say("root %zu holds %llu, from a weak reference", (size_t)(r - m.shadow.roots),
            (unsigned long long)weak->target->serial);
        bring_back(r, weak->target, object);
        return;
    }
}

void weak_called(hwr_heap *heap, hwr_weak *weak, void *argument) {
    CHECK(heap == m.heap && argument != NULL && tracing_object_kind(argument) == TRACED_LEAF);
    CHECK(hwr_weak_get(heap, weak) == NULL);
    const node *leaf = shadow_find(&m.shadow, tracing_object_serial(argument));
    node *n = NULL;
    for (size_t i = 0; i < m.shadow.end; i++)
        if (m.shadow.nodes[i].kind == TRACED_WEAK && m.shadow.nodes[i].fields[0] == leaf) n = &m.shadow.nodes[i];
    CHECK(n != NULL && n->calls_back && !n->called);
    say("callback of weak reference %llu", (unsigned long long)n->serial);
    shadow_mark(&m.shadow);
    CHECK(n->target == NULL || !n->target->rooted || n->lost_track);
    n->called = true;
    n->fields[0] = NULL; /* nobody needs it any more */
    m.disturbances++;
    if (m.ending || m.depth >= NESTED_MOST) return;
    m.depth++;
    uint64_t random = random_next(&m.nested);
    if (random % 4 == 0) make_object((uint32_t)(random >> 8), (uint32_t)(random >> 32));
    if (random % 4 == 1) set_field((uint32_t)(random >> 8));
    m.depth--;
}
