#include "random/counting_objects.h"

#include "support/check.h"
#include "support/pattern.h"

enum { TRACED_SLOTS = 3 };

typedef struct pair {
    void *first, *second;
} pair;

typedef struct link {
    uint64_t content;
    void *next;
} link;

typedef struct array {
    size_t length;
    void *items[];
} array;

typedef struct text {
    size_t length;
    unsigned char bytes[];
} text;

typedef struct leaf {
    uint64_t content;
} leaf;

typedef struct chain {
    uint64_t content;
    void *a, *b;
} chain;

/* Slots from `used` on hold numbers. */
typedef struct traced {
    void *first;
    size_t used;
    void *slots[TRACED_SLOTS];
    size_t length;
    void *items[];
} traced;

typedef struct aligned {
    void *next;
    uint64_t content[4];
} aligned;

hwr_finalizer object_finalizer;

static void finalize(hwr_heap *heap, void *object) { object_finalizer(heap, object); }

static void trace(void *object, hwr_visitor *visitor) {
    traced *t = object;
    for (size_t i = 0; i < t->used; i++) HWR_VISIT(visitor, t->slots[i]);
}

static const hwr_type types[OWN_KINDS] = {
    [KIND_PAIR] = HWR_TYPE(pair, HWR_REFS(pair, first, second)),
    [KIND_LINK] = HWR_TYPE(link, HWR_REFS(link, next), .finalize = finalize),
    [KIND_ARRAY] = HWR_TYPE(array, HWR_REF_ITEMS(array, length, items)),
    [KIND_TEXT] = HWR_TYPE(text, HWR_ITEMS(text, length, bytes, unsigned char)),
    [KIND_LEAF] = HWR_TYPE(leaf, .finalize = finalize),
    [KIND_CHAIN] = HWR_TYPE(chain, HWR_REFS(chain, a, b), .flags = HWR_ACYCLIC),
    [KIND_TRACED] = HWR_TYPE(traced, HWR_REFS(traced, first), HWR_REF_ITEMS(traced, length, items), .trace = trace,
                             .finalize = finalize),
    [KIND_ALIGNED] = HWR_TYPE(aligned, HWR_REFS(aligned, next), .alignment = 16, .finalize = finalize),
};

const char *object_kind_name(int kind) {
    if (kind < OWN_KINDS) return types[kind].name;
    return kind == KIND_WEAK ? "weak" : kind == KIND_KEYS ? "weak keys" : "weak values";
}

static size_t used_slots(size_t length) { return length % (TRACED_SLOTS + 1); }

void *object_new(hwr_heap *heap, object_kind kind, size_t length) {
    void *object = types[kind].item_size != 0 ? hwr_new_items(heap, &types[kind], length) : hwr_new(heap, &types[kind]);
    if (object == NULL) return NULL;
    CHECK(hwr_type_of(object) == &types[kind]);
    CHECK((uintptr_t)object % (kind == KIND_ALIGNED ? 16 : 8) == 0);
    CHECK(pattern_is_zero(object, kind == KIND_TRACED ? offsetof(traced, length) : 8) || types[kind].item_size != 0);
    if (kind == KIND_TRACED) ((traced *)object)->used = used_slots(length);
    return object;
}

size_t object_fields(object_kind kind, size_t length) {
    switch (kind) {
    case KIND_PAIR:
    case KIND_CHAIN: return 2;
    case KIND_LINK:
    case KIND_ALIGNED: return 1;
    case KIND_ARRAY: return length;
    case KIND_TRACED: return 1 + used_slots(length) + length;
    default: return 0;
    }
}

size_t object_size(object_kind kind, size_t length) {
    size_t end = types[kind].items_offset + length * types[kind].item_size;
    return types[kind].item_size != 0 && end > types[kind].size ? end : types[kind].size;
}

bool object_is_tracked(object_kind kind) { return kind != KIND_TEXT && kind != KIND_LEAF && kind != KIND_CHAIN; }
bool object_finalizes(object_kind kind) { return types[kind].finalize != NULL; }

static void **traced_field(traced *t, size_t field) {
    if (field == 0) return &t->first;
    return field <= t->used ? &t->slots[field - 1] : &t->items[field - 1 - t->used];
}

void **object_field(const node *n, size_t field) {
    CHECK(field < n->length);
    switch ((object_kind)n->kind) {
    case KIND_PAIR: return field == 0 ? &((pair *)n->address)->first : &((pair *)n->address)->second;
    case KIND_LINK: return &((link *)n->address)->next;
    case KIND_ARRAY: return &((array *)n->address)->items[field];
    case KIND_CHAIN: return field == 0 ? &((chain *)n->address)->a : &((chain *)n->address)->b;
    case KIND_TRACED: return traced_field(n->address, field);
    case KIND_ALIGNED: return &((aligned *)n->address)->next;
    default: CHECK(false);
    }
}

/* Where an object's content is that is neither a reference nor its length. */
static void *content_of(const node *n, size_t *size) {
    *size = sizeof(uint64_t);
    switch ((object_kind)n->kind) {
    case KIND_LINK: return &((link *)n->address)->content;
    case KIND_TEXT: *size = ((text *)n->address)->length; return ((text *)n->address)->bytes;
    case KIND_LEAF: return &((leaf *)n->address)->content;
    case KIND_CHAIN: return &((chain *)n->address)->content;
    case KIND_ALIGNED: *size = sizeof((aligned *)n->address)->content; return ((aligned *)n->address)->content;
    case KIND_TRACED: {
        traced *t = n->address;
        *size = (TRACED_SLOTS - t->used) * sizeof *t->slots;
        return t->slots + t->used;
    }
    default: *size = 0; return NULL;
    }
}

void object_fill(const node *n) {
    size_t size;
    void *content = content_of(n, &size);
    if (size > 0) pattern_fill(content, size, n->serial);
}

void object_check(const node *n) {
    size_t size;
    const void *content = content_of(n, &size);
    CHECK(size == 0 || pattern_holds(content, size, size, n->serial));
    for (size_t i = 0; n->kind < OWN_KINDS && i < n->length; i++)
        CHECK(*object_field(n, i) == (n->fields[i] != NULL ? n->fields[i]->address : NULL));
}
