/* candidates: CPython's objects as a second object model for the cycle engine, for the child. It only reads the objects, since a page that
 * is written would be copied: what the engine keeps for an object is in a table beside.
 *
 * Garbage is then divided into components: objects that refer to each other, directly or not, a weak reference counting as one. Since nothing
 * outside refers to garbage, each component can be proved to be garbage without looking at the others. */
#include "candidates.h"

#include "clock.h"
#include "counting/places.h"
#include "find.h"
#include "object/side_table.h"
#include "scan.h"

#include <string.h>
#include <sys/mman.h>

enum { PLACES_SHIFT = 4, SLICE_SHIFT = 16, SLICE_PLACES = 1 << (SLICE_SHIFT - PLACES_SHIFT), STEPS = 2048 };

static const uintptr_t nearby = 1024;

/* A place for each 16 bytes of the heap's addresses, as the native heap has them (counting/places.h): memory only where there are objects, an eighth of
 * theirs. What is outside of them is in no set, so what it refers to is held. References are counted to whatever there is: only when an object is visited is
 * it known to be one of the set, and its own count entered. */
typedef struct hwri_model {
    const struct hwri_candidates_search *search;
    struct hwri_findings *findings;
    uintptr_t base;
    size_t size;
    hwri_place *places;
    bool *in_use; /* slices that hold objects of the set */
    hwri_side_table
        aside; /* objects to the part of their count less references found that has no room in their places */
    const void *object, *type;
    void *guessed[HWRI_HELD_GUESSED];
    size_t held;
    unsigned steps;
    bool first_time; /* tuples and dicts that need no tracking have not been listed */
} hwri_model;

enum { hwri_model_is_queue = false };
static inline bool hwri_model_is_all_near(const hwri_model *m) {
    (void)m;
    return false;
}

static inline hwri_place *hwri_model_place(hwri_model *m, const void *object) {
    uintptr_t offset = (uintptr_t)object - m->base;
    return offset < m->size ? &m->places[offset >> PLACES_SHIFT] : NULL;
}

static inline hwri_place *hwri_model_near(hwri_model *m, const void *object) {
    bool near = (uintptr_t)object - (uintptr_t)m->object + nearby < 2 * nearby || object == m->type;
    return near ? hwri_model_place(m, object) : NULL;
}

static inline bool hwri_model_is_in_set(hwri_model *m, const hwri_place *place) {
    (void)m;
    return *place & HWRI_MEMBER;
}

static void fail(hwri_model *m) {
    atomic_store(&m->findings->state, HWRI_NO_MEMORY);
    hwri_child_end(1);
}

static void put_aside(hwri_model *m, const void *object, intptr_t part) {
    uintptr_t *aside = hwri_side_add(&m->aside, object);
    if (aside == NULL) fail(m);
    *aside += (uintptr_t)part;
}

static inline void hwri_model_visit(hwri_model *m, const void *object, hwri_place *place) {
    Py_ssize_t count = Py_REFCNT((PyObject *)(uintptr_t)object);
    if (hwri_likely(count < HWRI_PORTION)) {
        *place = (hwri_place)((*place + (size_t)count * HWRI_PLACE_ONE) | HWRI_MEMBER);
        return;
    }
    put_aside(m, object, count);
    *place |= HWRI_MEMBER | HWRI_ASIDE;
}

static inline bool hwri_model_is_visited(const hwri_place *place) { return *place & HWRI_MEMBER; }

static inline void hwri_model_found(hwri_model *m, const void *object, hwri_place *place) {
    *place = (hwri_place)(*place - HWRI_PLACE_ONE);
    if (hwri_likely(*place / HWRI_PLACE_ONE != HWRI_PORTION)) return;
    *place = (hwri_place)(*place + HWRI_PORTION * HWRI_PLACE_ONE);
    put_aside(m, object, -HWRI_PORTION);
}

static bool is_held_exactly(hwri_model *m, const void *object, hwri_place word) {
    const uintptr_t *aside = hwri_side_find(&m->aside, object);
    intptr_t rest = (int16_t)(word & ~HWRI_PLACE_FLAGS) / HWRI_PLACE_ONE;
    return (aside != NULL ? (intptr_t)*aside : 0) + rest > 0;
}

static inline bool hwri_model_is_held(hwri_model *m, const void *object, const hwri_place *place) {
    return hwri_likely(!(*place & HWRI_ASIDE)) ? *place >= HWRI_PLACE_ONE : is_held_exactly(m, object, *place);
}

static inline bool hwri_model_is_reached(const hwri_place *place) { return *place & HWRI_REACHED; }
static inline void hwri_model_reach(hwri_place *place) { *place |= HWRI_REACHED; }
static inline struct hwr_pool *hwri_model_memory(hwri_model *m) { return m->search->memory; }
static inline void hwri_model_enqueue(hwri_model *m, void *object) { (void)m, (void)object; }
static inline void hwri_model_prefetch(const void *object) { __builtin_prefetch(object); }
static inline void hwri_model_prefetch_place(const hwri_place *place) { __builtin_prefetch(place, 1); }

HWRI_ALWAYS size_t hwri_model_scan(hwri_model *m, void *object, size_t from, hwri_object_visit visit, void *context) {
    (void)from;
    if (++m->steps % STEPS == 0) hwri_child_check(m->findings);
    m->object = object;
    m->type = Py_TYPE((PyObject *)object);
    hwri_each_target(object, visit, context);
    return 0;
}

static size_t slice_of(const hwri_model *m, const void *object) { return ((uintptr_t)object - m->base) >> SLICE_SHIFT; }

typedef void (*member_visit)(void *context, void *object, hwri_place *place);

static bool needs_no_tracking(PyObject *object) {
    return (PyTuple_CheckExact(object) || PyDict_CheckExact(object)) && hwri_needs_no_tracking(object);
}

static void list_untracked(hwri_model *m, PyObject *object) {
    if (needs_no_tracking(object) && m->findings->untracked < m->findings->room / 2)
        m->findings->words[m->findings->room - ++m->findings->untracked] = (uintptr_t)object;
}

/* Whether an object can be one of the set: its count says something. */
static bool is_eligible(hwri_model *m, PyObject *object, const hwri_place *place) {
    if (place != NULL && !hwri_is_immortal(object)) return true;
    m->findings->foreign += place == NULL;
    return false;
}

static void note_member(hwri_model *m, PyObject *object) {
    m->in_use[slice_of(m, object)] = true;
    m->findings->members++;
    list_untracked(m, object);
}

/* The first time it comes to light what belongs to the set. */
HWRI_ALWAYS void hwri_model_each(hwri_model *m, member_visit visit, void *context) {
    const PyGC_Head *list = m->search->list;
    for (const PyGC_Head *head = hwri_next(list); head != list; head = hwri_next(head)) {
        PyObject *object = hwri_object_of(head);
        hwri_place *place = hwri_model_place(m, object);
        __builtin_prefetch(hwri_next(head));
        if (m->first_time ? !is_eligible(m, object, place) : place == NULL || !(*place & HWRI_MEMBER)) continue;
        visit(context, object, place);
        if (m->first_time) note_member(m, object);
    }
    m->first_time = false;
}

static inline bool is_unreached(const hwri_place *place) {
    return (*place & (HWRI_MEMBER | HWRI_REACHED)) == HWRI_MEMBER;
}

/* In order of address: which are reached first makes no difference. */
HWRI_ALWAYS void hwri_model_each_unreached(hwri_model *m, member_visit visit, void *context) {
    for (size_t slice = 0; slice < m->size >> SLICE_SHIFT; slice++) {
        if (!m->in_use[slice]) continue;
        for (size_t i = slice * SLICE_PLACES; i < (slice + 1) * SLICE_PLACES; i++)
            if (is_unreached(&m->places[i])) visit(context, (void *)(m->base + (i << PLACES_SHIFT)), &m->places[i]);
    }
}

static void hwri_model_forget_reached(hwri_model *m) {
    for (size_t slice = 0; slice < m->size >> SLICE_SHIFT; slice++)
        for (size_t i = slice * SLICE_PLACES; m->in_use[slice] && i < (slice + 1) * SLICE_PLACES; i++)
            m->places[i] &= (hwri_place)~HWRI_REACHED;
    memset(m->findings->held, 0, sizeof m->findings->held);
}

static void hwri_model_each_guess(hwri_model *m, member_visit visit, void *context) {
    for (size_t i = 0; i < HWRI_HELD_GUESSED; i++)
        if (m->guessed[i] != NULL) visit(context, m->guessed[i], hwri_model_place(m, m->guessed[i]));
}

static inline void hwri_model_not_held(hwri_model *m, const void *object) { (void)m, (void)object; }

static void hwri_model_held(hwri_model *m, void *object) { m->findings->held[m->held++ % HWRI_HELD_GUESSED] = object; }

#include "counting/cycle.h"

/* ---- the set ---- */

static void *map_or_fail(hwri_model *m, size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) fail(m);
    return memory;
}

/* ---- components ---- */

/* The candidates by their numbers, in the order of the list. `leader` makes trees of those known to belong together; a root is the first
 * of its component. `next` and `last` then make a list of each. From an object to its number it goes by way of its place, where its rank among
 * the candidates of its slice is written over a count that is not needed any more: the `first` of the slice plus the rank is an index into `numbers`. */
struct components {
    hwri_model *m;
    uint32_t count, current;
    uint32_t *first; /* by slice */
    PyObject **objects;
    uint32_t *numbers, *leader, *next, *last;
};

static uint32_t *number_of(const struct components *c, const void *object, const hwri_place *place) {
    return &c->numbers[c->first[slice_of(c->m, object)] + *place / HWRI_PLACE_ONE];
}

static uint32_t root_of(struct components *c, uint32_t i) {
    while (c->leader[i] != i) i = c->leader[i] = c->leader[c->leader[i]];
    return i;
}

static void join(void *components, void *target) {
    struct components *c = components;
    hwri_place *place = hwri_model_place(c->m, target);
    if (place == NULL || !is_unreached(place)) return;
    uint32_t a = root_of(c, c->current), b = root_of(c, *number_of(c, target, place));
    c->leader[a > b ? a : b] = a > b ? b : a;
}

static void number_candidate(void *components, void *object, hwri_place *place) {
    struct components *c = components;
    if (!is_unreached(place)) return;
    *number_of(c, object, place) = c->count;
    c->leader[c->count] = c->last[c->count] = c->count;
    c->objects[c->count++] = object;
}

/* In order of address: those of a slice come one after the other. */
static void rank_candidate(void *components, void *object, hwri_place *place) {
    struct components *c = components;
    size_t slice = slice_of(c->m, object);
    if (c->first[slice] == UINT32_MAX) c->first[slice] = c->count;
    *place = (hwri_place)((c->count++ - c->first[slice]) * HWRI_PLACE_ONE | HWRI_MEMBER);
}

static void join_all(struct components *c) {
    for (c->current = 0; c->current < c->count; c->current++) {
        PyObject *object = c->objects[c->current];
        hwri_model_scan(c->m, object, 0, join, c);
        if (PyWeakref_Check(object)) join(c, ((PyWeakReference *)(void *)object)->wr_object);
    }
    for (uint32_t i = 0; i < c->count; i++) {
        uint32_t root = root_of(c, i);
        if (root != i) c->next[c->last[root]] = i;
        c->last[root] = i;
    }
}

/* ---- what is told the program ---- */

static uintptr_t word_of(const PyObject *object) {
    return (uintptr_t)object | (hwri_has_preheader(Py_TYPE(object)) ? HWRI_WORD_AHEAD : 0);
}

static void tell(struct components *c) {
    struct hwri_findings *f = c->m->findings;
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->leader[i] != i) continue;
        size_t start = f->candidates;
        for (uint32_t k = i;; k = c->next[k]) {
            if (f->candidates + f->untracked == f->room) {
                f->candidates = start;
                return;
            }
            f->words[f->candidates++] = word_of(c->objects[k]);
            if (k == c->last[i]) break;
        }
        f->words[f->candidates - 1] |= HWRI_WORD_LAST;
        f->components++;
        if (f->candidates - start > f->largest) f->largest = f->candidates - start;
    }
}

static void tell_garbage(hwri_model *m) {
    struct components c = {.m = m};
    size_t slices = m->size >> SLICE_SHIFT;
    c.first = map_or_fail(m, slices * sizeof *c.first);
    memset(c.first, 0xff, slices * sizeof *c.first);
    hwri_model_each_unreached(m, rank_candidate, &c);
    if (c.count == 0) return;
    size_t count = c.count;
    c.count = 0;
    c.objects = map_or_fail(m, count * sizeof *c.objects);
    c.numbers = map_or_fail(m, count * sizeof *c.numbers);
    c.leader = map_or_fail(m, count * sizeof *c.leader);
    c.next = map_or_fail(m, count * sizeof *c.next);
    c.last = map_or_fail(m, count * sizeof *c.last);
    hwri_model_each(m, number_candidate, &c);
    join_all(&c);
    tell(&c);
}

/* What was held at the last snapshot may have been freed since. What is in a list is an object. */
static bool is_linked(hwri_model *m, const void *object) {
    if (hwri_model_place(m, object) == NULL) return false;
    const PyGC_Head *head = hwri_head_of(object), *next = hwri_next(head), *back = hwri_back(head);
    bool known = (hwri_model_place(m, next) != NULL || next == m->search->list) &&
                 (hwri_model_place(m, back) != NULL || back == m->search->list);
    return known && hwri_back(next) == head && hwri_next(back) == head && !hwri_is_immortal(hwri_object_of(head));
}

static void take_guesses(hwri_model *m) {
    for (size_t i = 0; i < HWRI_HELD_GUESSED; i++)
        m->guessed[i] = is_linked(m, m->findings->held[i]) ? m->findings->held[i] : NULL;
}

void hwri_candidates_find(void *context) {
    const struct hwri_candidates_search *search = context;
    hwri_model m = {.search = search, .findings = search->findings, .base = search->base, .size = search->size};
    uint64_t started = hwri_now();
    m.aside.pool = search->memory;
    m.first_time = true;
    m.places = map_or_fail(&m, (m.size >> PLACES_SHIFT) * sizeof *m.places);
    m.in_use = map_or_fail(&m, m.size >> SLICE_SHIFT);
    take_guesses(&m);
    hwri_find_reached(&m);
    if (search->lies) hwri_model_forget_reached(&m);
    tell_garbage(&m);
    m.findings->cpu = hwri_nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    m.findings->wall = hwri_now() - started;
    atomic_store(&m.findings->state, HWRI_FOUND);
}
