#include "random/tracing_shadow.h"

#include "heapwright/tracing.h"
#include "support/check.h"

#include <string.h>

void shadow_reset(shadow *s) { memset(s, 0, sizeof *s); }

node *shadow_enter(shadow *s, tracing_kind kind, size_t length, uint32_t plan) {
    size_t place = 0;
    while (place < s->end && s->nodes[place].serial != 0) place++;
    CHECK(place < SHADOW_NODES);
    if (place == s->end) s->end++;
    node *n = &s->nodes[place];
    *n = (node){.serial = ++s->entered * SHADOW_NODES + place, .kind = kind, .length = length, .plan = plan};
    n->seen = true; /* until the heap is gone through from now on */
    n->field_count = kind == TRACED_WEAK ? 1 : tracing_object_fields(kind, length);
    n->registered = tracing_kind_finalizes(kind);
    s->alive++;
    return n;
}

void shadow_remove(shadow *s, node *n) {
    CHECK(n->serial != 0);
    *n = (node){.serial = 0};
    s->alive--;
}

node *shadow_find(shadow *s, uint64_t serial) {
    node *n = &s->nodes[serial % SHADOW_NODES];
    CHECK(serial != 0 && n->serial == serial);
    return n;
}

/* Marks */

typedef struct marker {
    shadow *shadow;
    bool rooted; /* whether it marks what is rooted, or what is kept */
    node *stack[SHADOW_NODES];
    size_t depth;
} marker;

static bool is_marked(const marker *marking, const node *n) { return marking->rooted ? n->rooted : n->kept; }

static void mark(marker *marking, node *n) {
    if (n == NULL || is_marked(marking, n)) return;
    CHECK(n->serial != 0);
    if (marking->rooted)
        n->rooted = true;
    else
        n->kept = true;
    marking->stack[marking->depth++] = n;
}

static void follow(marker *marking) {
    while (marking->depth > 0) {
        const node *n = marking->stack[--marking->depth];
        for (size_t i = 0; i < n->field_count; i++) mark(marking, n->fields[i]);
    }
}

static void follow_with_dependents(marker *marking) {
    const shadow_handle *handles = marking->shadow->handles;
    follow(marking);
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < SHADOW_HANDLES; i++) {
            const shadow_handle *h = &handles[i];
            if (h->handle == NULL || h->kind != HWR_HANDLE_DEPENDENT || h->target == NULL || h->second == NULL)
                continue;
            if (!is_marked(marking, h->target) || is_marked(marking, h->second)) continue;
            mark(marking, h->second);
            follow(marking);
            more = true;
        }
    }
}

void shadow_mark(shadow *s) {
    static marker marking;
    marking = (marker){.shadow = s, .rooted = true};
    for (size_t i = 0; i < s->end; i++) s->nodes[i].rooted = s->nodes[i].kept = false;
    for (size_t i = 0; i < s->end; i++)
        if (s->nodes[i].immortal) mark(&marking, &s->nodes[i]);
    for (size_t i = 0; i < SHADOW_ROOTS; i++) mark(&marking, s->roots[i].holds);
    for (size_t i = 0; i < SHADOW_HANDLES; i++)
        if (s->handles[i].kind == HWR_HANDLE_STRONG || s->handles[i].kind == HWR_HANDLE_PINNED)
            mark(&marking, s->handles[i].target);
    follow_with_dependents(&marking);
    marking.rooted = false;
    for (size_t i = 0; i < s->end; i++) {
        node *n = &s->nodes[i];
        if (n->serial != 0 && (n->rooted || n->registered)) mark(&marking, n);
    }
    follow_with_dependents(&marking);
}

size_t shadow_count_doomed(const shadow *s) {
    size_t count = 0;
    for (size_t i = 0; i < s->end; i++)
        count += s->nodes[i].serial != 0 && s->nodes[i].registered && !s->nodes[i].rooted;
    return count;
}

bool shadow_is_unsure(const shadow *s) {
    for (size_t i = 0; i < s->end; i++)
        if (s->nodes[i].serial != 0 && s->nodes[i].unsure) return true;
    return false;
}
