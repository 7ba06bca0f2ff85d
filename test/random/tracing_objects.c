#include "random/tracing_objects.h"

#include "support/check.h"
#include "support/pattern.h"

enum { SHOWN_SLOTS = 3, FOUR_CONTENT = 24, LEAF_CONTENT = 20, FINAL_CONTENT = 16, UNUSED_LOOKED_AT = 16 };

typedef struct pair_object {
    uint64_t serial;
    void *a, *b;
} pair_object;

typedef struct four_object {
    uint64_t serial;
    unsigned char front[FOUR_CONTENT];
    void *refs[4];
    unsigned char back[FOUR_CONTENT];
} four_object;

typedef struct leaf_object {
    uint64_t serial;
    unsigned char content[LEAF_CONTENT];
} leaf_object;

typedef struct list_object { /* and TRACED_ENDING */
    uint64_t serial;
    size_t length;
    void *items[];
} list_object;

typedef struct text_object {
    uint64_t serial;
    size_t length;
    unsigned char bytes[];
} text_object;

/* Slots from `used` on hold numbers, which look like nothing in particular. */
typedef struct shown_object {
    uint64_t serial;
    void *first;
    size_t used;
    void *slots[SHOWN_SLOTS];
    size_t length;
    void *items[];
} shown_object;

typedef struct aligned_object {
    uint64_t serial;
    void *next;
    unsigned char content[FINAL_CONTENT];
} aligned_object;

typedef struct final_object {
    uint64_t serial;
    void *a, *b;
    unsigned char content[FINAL_CONTENT];
} final_object;

typedef struct critical_object {
    uint64_t serial;
    void *a;
} critical_object;

hwr_finalizer tracing_finalizer;

static void finalize(hwr_heap *heap, void *object) { tracing_finalizer(heap, object); }

static void show_slots(void *object, hwr_visitor *visitor) {
    shown_object *shown = object;
    for (size_t i = 0; i < shown->used; i++) HWR_VISIT(visitor, shown->slots[i]);
}

static const hwr_type types[TRACED_KINDS] = {
    [TRACED_PAIR] = HWR_TYPE(pair_object, HWR_REFS(pair_object, a, b)),
    [TRACED_FOUR] = HWR_TYPE(four_object, HWR_REFS(four_object, refs[0], refs[1], refs[2], refs[3])),
    [TRACED_LEAF] = HWR_LEAF(leaf_object),
    [TRACED_LIST] = HWR_TYPE(list_object, HWR_REF_ITEMS(list_object, length, items)),
    [TRACED_TEXT] = HWR_TYPE(text_object, HWR_ITEMS(text_object, length, bytes, unsigned char)),
    [TRACED_SHOWN] = HWR_TYPE(shown_object, HWR_REFS(shown_object, first), HWR_REF_ITEMS(shown_object, length, items),
                              .trace = show_slots),
    [TRACED_ALIGNED] = HWR_TYPE(aligned_object, HWR_REFS(aligned_object, next), .alignment = 16),
    [TRACED_FINAL] = HWR_TYPE(final_object, HWR_REFS(final_object, a, b), .finalize = finalize),
    [TRACED_ENDING] = HWR_TYPE(list_object, HWR_REF_ITEMS(list_object, length, items), .finalize = finalize),
    [TRACED_CRITICAL] =
        HWR_TYPE(critical_object, HWR_REFS(critical_object, a), .finalize = finalize, .flags = HWR_CRITICAL),
};

const char *tracing_kind_name(tracing_kind kind) {
    static const char *const names[] = {"pair",    "four",  "leaf",   "list",     "text", "shown",
                                        "aligned", "final", "ending", "critical", "weak"};
    return names[kind];
}

bool tracing_kind_has_items(tracing_kind kind) { return types[kind].item_size != 0; }
bool tracing_kind_finalizes(tracing_kind kind) { return kind < TRACED_KINDS && types[kind].finalize != NULL; }
bool tracing_kind_is_critical(tracing_kind kind) { return kind == TRACED_CRITICAL; }

static size_t slots_used(size_t length) { return length % (SHOWN_SLOTS + 1); }
static size_t items_used(size_t length) { return length < TRACING_FIELDS ? length : TRACING_FIELDS; }

/* The nth of the items used, of `length`. */
static size_t spread(size_t n, size_t length) { return length <= TRACING_FIELDS ? n : n * (length / TRACING_FIELDS); }

size_t tracing_object_fields(tracing_kind kind, size_t length) {
    if (kind == TRACED_SHOWN) return 1 + slots_used(length) + items_used(length);
    return kind >= TRACED_KINDS ? 0 : types[kind].items_are_references ? items_used(length) : types[kind].ref_count;
}

size_t tracing_object_size(tracing_kind kind, size_t length) {
    size_t end = types[kind].items_offset + length * types[kind].item_size;
    return types[kind].item_size != 0 && end > types[kind].size ? end : types[kind].size;
}

static void **shown_field(shown_object *shown, size_t field) {
    if (field == 0) return &shown->first;
    if (field <= shown->used) return &shown->slots[field - 1];
    return &shown->items[spread(field - 1 - shown->used, shown->length)];
}

void **tracing_object_field(void *object, tracing_kind kind, size_t field) {
    switch (kind) {
    case TRACED_PAIR: return field == 0 ? &((pair_object *)object)->a : &((pair_object *)object)->b;
    case TRACED_FOUR: return &((four_object *)object)->refs[field];
    case TRACED_LIST:
    case TRACED_ENDING: return &((list_object *)object)->items[spread(field, ((list_object *)object)->length)];
    case TRACED_SHOWN: return shown_field(object, field);
    case TRACED_ALIGNED: return &((aligned_object *)object)->next;
    case TRACED_FINAL: return field == 0 ? &((final_object *)object)->a : &((final_object *)object)->b;
    case TRACED_CRITICAL: return &((critical_object *)object)->a;
    default: CHECK(false);
    }
}

tracing_kind tracing_object_kind(const void *object) {
    const hwr_type *type = hwr_type_of(object);
    return type >= types && type < types + TRACED_KINDS ? (tracing_kind)(type - types) : TRACED_WEAK;
}

uint64_t tracing_object_serial(const void *object) { return *(const uint64_t *)object; }

/* Where an object's content is, in two pieces. */
typedef struct piece {
    unsigned char *start;
    size_t size;
} piece;

static void find_content(void *object, tracing_kind kind, piece pieces[2]) {
    pieces[0] = pieces[1] = (piece){NULL, 0};
    switch (kind) {
    case TRACED_FOUR:
        pieces[0] = (piece){((four_object *)object)->front, FOUR_CONTENT};
        pieces[1] = (piece){((four_object *)object)->back, FOUR_CONTENT};
        break;
    case TRACED_LEAF: pieces[0] = (piece){((leaf_object *)object)->content, LEAF_CONTENT}; break;
    case TRACED_TEXT: pieces[0] = (piece){((text_object *)object)->bytes, ((text_object *)object)->length}; break;
    case TRACED_SHOWN: {
        shown_object *shown = object;
        pieces[0] =
            (piece){(unsigned char *)(shown->slots + shown->used), (SHOWN_SLOTS - shown->used) * sizeof(void *)};
        break;
    }
    case TRACED_ALIGNED: pieces[0] = (piece){((aligned_object *)object)->content, FINAL_CONTENT}; break;
    case TRACED_FINAL: pieces[0] = (piece){((final_object *)object)->content, FINAL_CONTENT}; break;
    default: break;
    }
}

void *tracing_object_new(hwr_heap *heap, tracing_kind kind, size_t length, uint64_t serial) {
    void *object = NULL;
    switch (kind) { /* where the compiler knows the type, the object may be made inline */
    case TRACED_PAIR: object = hwr_new(heap, &types[TRACED_PAIR]); break;
    case TRACED_LEAF: object = hwr_new(heap, &types[TRACED_LEAF]); break;
    default:
        object = tracing_kind_has_items(kind) ? hwr_new_items(heap, &types[kind], length) : hwr_new(heap, &types[kind]);
    }
    if (object == NULL) return NULL;
    CHECK((uintptr_t)object % (kind == TRACED_ALIGNED ? 16 : 8) == 0);
    CHECK(hwr_type_of(object) == &types[kind]);
    if (tracing_kind_has_items(kind)) {
        size_t *length_field = (size_t *)((char *)object + types[kind].length_offset);
        CHECK(*length_field == length);
        *length_field = 0;
        CHECK(pattern_is_zero(object, tracing_object_size(kind, length)));
        *length_field = length;
    } else {
        CHECK(pattern_is_zero(object, types[kind].size));
    }
    *(uint64_t *)object = serial;
    if (kind == TRACED_SHOWN) ((shown_object *)object)->used = slots_used(length);
    piece pieces[2];
    find_content(object, kind, pieces);
    for (int i = 0; i < 2; i++)
        if (pieces[i].size > 0) pattern_fill(pieces[i].start, pieces[i].size, serial);
    return object;
}

static void check_unused_items(void *const *items, size_t length) {
    size_t distance = length / TRACING_FIELDS;
    for (size_t i = 1; distance > 1 && i < UNUSED_LOOKED_AT; i++) {
        size_t at = i * (length / UNUSED_LOOKED_AT);
        bool used = at % distance == 0 && at / distance < TRACING_FIELDS;
        CHECK(used || items[at] == NULL);
    }
}

void tracing_object_check(void *object, tracing_kind kind, size_t length, uint64_t serial) {
    CHECK(tracing_object_kind(object) == kind);
    CHECK(tracing_object_serial(object) == serial);
    if (tracing_kind_has_items(kind))
        CHECK(*(const size_t *)((const char *)object + types[kind].length_offset) == length);
    if (kind == TRACED_LIST || kind == TRACED_ENDING) check_unused_items(((list_object *)object)->items, length);
    if (kind == TRACED_SHOWN) {
        CHECK(((shown_object *)object)->used == slots_used(length));
        check_unused_items(((shown_object *)object)->items, length);
    }
    piece pieces[2];
    find_content(object, kind, pieces);
    for (int i = 0; i < 2; i++)
        CHECK(pieces[i].size == 0 || pattern_holds(pieces[i].start, pieces[i].size, pieces[i].size, serial));
}
