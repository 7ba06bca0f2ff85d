#define _GNU_SOURCE
#include "random/counting_model.h"

#include "heapwright/events.h"
#include "random/counting_mutator.h"
#include "support/check.h"
#include "support/model_memory.h"

#include <string.h>

enum {
    DEPTH_MOST = 5, /* of finalizers and callbacks in each other */
    CHECK_EACH = 64 /* operations, then verification */
};

/* One operation as the bytes give it. */
typedef struct step {
    uint8_t operation, which, high, low;
} step;

static bool is_eager(void) { return (m.configuration & COUNTING_EAGER) != 0; }
bool is_stressed(void) { return counting_mode(m.configuration) >= COUNTING_STRESS; }

/* What finalizers and callbacks do */

static bool may_allocate(void) { return !m.may_not_allocate && has_nested_room(); }

/* One operation, of those that make sense at any time. */
static void do_something(void) {
    uint64_t random = random_next(&m.nested);
    uint32_t bits = (uint32_t)(random >> 8) & 0xffffff, plan = (uint32_t)(random >> 32);
    switch (random & 15) {
    case 0:
    case 1:
    case 2:
        if (may_allocate()) make_object(bits, plan);
        break;
    case 3:
    case 4:
    case 5: set_field(bits); break;
    case 6: give_field(bits); break;
    case 7:
    case 8:
    case 9: release_some(bits); break;
    case 10: hold_another(bits); break;
    case 11:
        if (may_allocate()) make_weak(bits, true);
        break;
    case 12: ask_weak(bits); break;
    case 13:
        if (!m.may_not_allocate) collect(bits);
        break;
    case 14:
        if (may_allocate()) use_handle(bits);
        break;
    default:
        if (may_allocate()) use_block(bits);
    }
}

static void do_something_often(uint32_t times) {
    for (uint32_t i = 0; i < times; i++) do_something();
}

static void drop_fields(node *n) {
    for (size_t i = 0; i < n->length; i++) {
        void *nothing = NULL;
        oracle_set(&m.oracle, n, i, NULL);
        hwr_set(m.heap, n->address, object_field(n, i), nothing);
    }
}

static void hold_child(const node *n, uint32_t bits) {
    node *child = n->length > 0 ? n->fields[bits % n->length] : NULL;
    if (child == NULL || m.held_count == HELD) return;
    retain(child);
    hold(child);
}

static void hold_itself(node *n) {
    if (m.held_count == HELD) return;
    retain(n);
    hold(n);
}

/* Into a field of something that the mutator holds. */
static void store_itself(node *n, uint32_t bits) {
    node *holder = pick(bits);
    if (holder == NULL || holder->length == 0 || holder->kind >= OWN_KINDS || holder->kind == KIND_CHAIN) return;
    size_t field = (bits >> 4) % holder->length;
    oracle_set(&m.oracle, holder, field, n);
    hwr_set(m.heap, holder->address, object_field(holder, field), n->address);
}

static void follow_plan_of_finalizer(node *n) {
    uint32_t bits = n->plan >> 4;
    switch (n->plan & 15) {
    case 6:
        say("    it comes back");
        hold_itself(n);
        break;
    case 7:
        say("    it gives up its references");
        drop_fields(n);
        break;
    case 8:
        say("    it brings back what it refers to");
        hold_child(n, bits);
        break;
    case 9:
        say("    it stores itself");
        store_itself(n, bits);
        break;
    case 10:
        if (may_allocate()) make_weak_of(n, NULL, bits, true);
        break;
    case 11:
    case 12:
    case 13: do_something_often(1 + (bits & 3)); break;
    case 14:
        if (!m.may_not_allocate) collect(bits & 3);
        break;
    case 15:
        hold_itself(n);
        do_something_often(1 + (bits & 1));
        break;
    default: break;
    }
}

/* Users' code is called while the heap is behind the oracle. If a collection saved its garbage now, that might be dead for the oracle. */
static unsigned go_deeper(void) {
    unsigned debug = hwr_get_debug(m.heap);
    hwr_set_debug(m.heap, 0);
    m.depth++;
    return debug;
}

static void come_back(unsigned debug) {
    m.depth--;
    hwr_set_debug(m.heap, debug);
}

static void finalized(hwr_heap *heap, void *object) {
    node *n = oracle_find(&m.oracle, object);
    CHECK(heap == m.heap && n != NULL);
    say("finalizer of %s", name(n));
    oracle_finalizer_begins(&m.oracle, n);
    object_check(n);
    m.finalizers++;
    unsigned debug = go_deeper();
    if (m.depth < DEPTH_MOST && !m.ending) follow_plan_of_finalizer(n);
    come_back(debug);
    oracle_finalizer_ends(&m.oracle, n);
}

static void follow_plan_of_callback(node *n) {
    uint32_t bits = n->plan >> 3;
    switch (n->plan & 7) {
    case 4:
    case 5: do_something_often(1 + (bits & 1)); break;
    case 6: release_some(bits); break;
    case 7:
        if (n->life == NODE_ALIVE && !n->limbo) hold_itself(n);
        break;
    default: break;
    }
}

void weak_called_back(hwr_heap *heap, hwr_weak *weak, void *argument) {
    node *n = oracle_find(&m.oracle, weak);
    CHECK(heap == m.heap && n != NULL && n->kind == KIND_WEAK);
    say("callback of %s", name(n));
    oracle_callback_begins(&m.oracle, n);
    CHECK(hwr_weak_get(heap, weak) == NULL);
    CHECK(argument == (n->fields[0] != NULL ? n->fields[0]->address : NULL));
    m.callbacks++;
    m.now.callbacks++;
    unsigned debug = go_deeper();
    if (m.depth < DEPTH_MOST && !m.ending) follow_plan_of_callback(n);
    come_back(debug);
    oracle_callback_ends(&m.oracle, n);
}

static bool out_of_memory(hwr_heap *heap, size_t size, void *context) {
    CHECK(heap == m.heap && size > 0 && context == &m);
    say("out of memory: %zu bytes", size);
    m.now.asked++;
    if (m.held_count == 0 || m.now.asked > 2 || m.depth >= DEPTH_MOST) return false;
    bool may_not = m.may_not_allocate;
    m.may_not_allocate = true;
    m.depth++;
    release_held(size % m.held_count);
    m.depth--;
    m.may_not_allocate = may_not;
    return true;
}

/* What the heap has put into its list of garbage is held by that. */
static size_t take_garbage(void) {
    size_t before = m.garbage_count;
    while (m.garbage_count < hwr_garbage_count(m.heap)) {
        node *n = oracle_find(&m.oracle, hwr_garbage(m.heap, m.garbage_count));
        CHECK(n != NULL && n->garbage);
        oracle_retain(&m.oracle, n);
        m.garbage[m.garbage_count++] = n;
    }
    return m.garbage_count - before;
}

static void collection(hwr_heap *heap, const hwr_collection_info *info, void *context) {
    CHECK(heap == m.heap && context == &m);
    if (info->starts) {
        say("collection of generation %d", info->generation);
        CHECK(info->collected == 0 && info->uncollectable == 0);
        oracle_collection_begins(&m.oracle, info->generation);
        m.now.collections++;
        m.now.callbacks = 0;
        return;
    }
    say("collection: %zu unreachable", info->collected);
    hwr_counters counters;
    hwr_get_counters(heap, &counters);
    bool failed = counters.collections_failed > m.collections_failed, kept = memory_was_short();
    m.collections_failed = counters.collections_failed;
    CHECK(!failed || (kept && info->collected == 0));
    bool exactly = oracle_collection_ends(&m.oracle, failed, kept);
    CHECK(info->uncollectable == 0);
    size_t expected = m.oracle.garbage_size + m.oracle.entries_lost;
    size_t ended = m.now.callbacks + m.oracle.dead_count; /* weak references that end in their callbacks count, too */
    CHECK(info->collected <= expected + ended);
    if (exactly) CHECK(info->collected >= expected);
    m.now.found = info->collected;
    m.generations[info->generation].collections++;
    m.generations[info->generation].collected += info->collected;
    size_t saved = take_garbage();
    if ((hwr_get_debug(heap) & HWR_DEBUG_SAVEALL) == 0) CHECK(saved == 0);
    if ((hwr_get_debug(heap) & HWR_DEBUG_SAVEALL) != 0 && exactly) CHECK(saved == m.oracle.garbage_size);
}

/* Operations */

static void begin_operation(void) {
    m.now = (happenings){0};
    hwr_raw_stats stats = {0};
    if (m.raw != NULL) hwr_raw_get_stats(m.raw, &stats);
    m.now.failures = stats.failures;
    m.now.committed = committed_of_limit();
    hwr_get_count(m.heap, m.now.count);
}

/* Allocations less deallocations of tracked objects, as CPython counts them. Where the count could have met zero on the way, or a collection has
 * changed it, it is not foretold. */
static void check_count(void) {
    int count[HWR_GENERATIONS];
    hwr_get_count(m.heap, count);
    long born = (long)m.oracle.born_tracked, died = (long)m.oracle.died_tracked;
    if (m.now.collections > 0 || m.now.count[0] < died || memory_was_short()) return;
    for (int i = 1; i < HWR_GENERATIONS; i++) CHECK(count[i] == (m.now.froze ? 0 : m.now.count[i]));
    CHECK(count[0] == (m.now.froze ? 0 : m.now.count[0] + born - died));
}

/* A count that outgrows its header when there is no memory for the rest makes the object immortal. The library holds a few references, too, while it works. */
static void note_immortal(void) {
    node *n = m.crowded;
    if (n == NULL || n->immortal || hwr_refcount(m.heap, n->address) != HWR_IMMORTAL) return;
    CHECK(memory_was_short() && n->count > 4095 - 8);
    oracle_immortalize(&m.oracle, n);
    m.immortals++;
}

static void end_operation(void) {
    note_immortal();
    if (m.oracle.limbo) mark_seen();
    oracle_settle(&m.oracle,
                  &(oracle_questions){table_has_entry, weak_is_cleared, weak_has_argument, generation_of, NULL});
    check_count();
    oracle_operation_ends(&m.oracle);
}

static void change_limit(step s) {
    if (m.raw == NULL) return;
    say("limit: %zu", model_memory_limit(m.raw, s.which < 128, (size_t)s.low << 12));
}

static void inject_fault(step s) {
    if (m.raw == NULL) return;
    uint64_t nth = s.which < 100 ? 0 : s.low % 8 + 1;
    unsigned mask = s.high % HWR_FAULT_ALL + 1;
    say("fault %u, number %u (0: none)%s", mask, (unsigned)nth, s.which >= 220 ? " and all later" : "");
    hwr_raw_inject_fault(m.raw, mask, nth, s.which >= 220);
}

static void relieve(void) {
    if (m.raw == NULL) return;
    say("no limit, no faults");
    model_memory_relieve(m.raw);
}

static void trim(void) {
    say("trim");
    hwr_heap_stats before, after;
    hwr_heap_get_stats(m.heap, &before);
    size_t given_back = hwr_heap_trim(m.heap);
    hwr_heap_get_stats(m.heap, &after);
    CHECK(before.committed - after.committed >= given_back && after.objects == before.objects);
}

static bool may_add(void) { return m.held_count + HELD_SPARE < HELD && m.oracle.alive < ALIVE_MOST; }

/* How often each comes stands in these bounds, of 256. What adds makes way when there is enough. */
static void perform(step s) {
    uint32_t bits = (uint32_t)s.which << 16 | (uint32_t)s.high << 8 | s.low;
    unsigned operation = s.operation;
    if (operation < 92 && !may_add())
        release_some(bits);
    else if (operation < 52)
        make_object(bits, (uint32_t)(bits * 0x9e3779b1u) >> 4);
    else if (operation < 62)
        hold_another(bits);
    else if (operation < 76)
        make_weak(bits, (bits & 3) != 0);
    else if (operation < 84)
        ask_weak(bits);
    else if (operation < 92)
        use_table(bits);
    else if (operation < 136)
        set_field(bits);
    else if (operation < 152)
        give_field(bits);
    else if (operation < 204)
        release_some(bits);
    else if (operation < 212)
        use_handle(bits);
    else if (operation < 217)
        use_block(bits);
    else if (operation < 225)
        collect(bits);
    else if (operation < 230)
        change_settings(bits);
    else if (operation < 232)
        freeze(bits);
    else if (operation < 233)
        make_immortal(bits);
    else if (operation < 235)
        crowd(bits);
    else if (operation < 241)
        ask_about(bits);
    else if (operation < 243)
        ask_referrers(bits);
    else if (operation < 244)
        compare_generations();
    else if (operation < 246)
        compare_figures();
    else if (operation < 248)
        change_limit(s);
    else if (operation < 251)
        inject_fault(s);
    else if (operation < 255)
        relieve();
    else
        trim();
}

static void do_one(step s) {
    begin_operation();
    perform(s);
    end_operation();
}

/* Beginning and end */

static void open_heap(void) {
    hwr_options options = {.size = sizeof options, .collector = HWR_COUNTING, .raw = m.raw};
    options.limit = m.raw == NULL ? OWN_LIMIT : 0;
    options.checked = (counting_mode(m.configuration) & COUNTING_CHECKED) != 0;
    options.stress = is_stressed() ? is_eager() ? 2 : 9 : 0;
    options.on_out_of_memory = out_of_memory;
    options.context = &m;
    m.heap = hwr_heap_open(&options);
    CHECK(m.heap != NULL);
    CHECK(hwr_add_callback(m.heap, collection, &m));
    CHECK(hwr_is_enabled(m.heap));
    m.enabled = true;
    hwr_get_threshold(m.heap, m.threshold);
    CHECK(m.threshold[0] == 700 && m.threshold[1] == 10 && m.threshold[2] == 10);
    if (!is_eager()) return;
    m.threshold[0] = 20;
    m.threshold[1] = m.threshold[2] = 2;
    hwr_set_threshold(m.heap, m.threshold);
}

static void drop_everything(void) {
    m.ending = true;
    if (m.crowded != NULL) crowd(0);
    for (size_t i = 0; i < HANDLES; i++)
        if (m.handles[i].handle != NULL) use_handle((uint32_t)i);
    for (uint32_t i = 0; i < BLOCKS; i++)
        if (m.blocks[i].address != NULL) use_block(i);
    while (m.held_count > 0) release_held(0);
    hwr_set_debug(m.heap, 0);
    clear_garbage();
    oracle_unfreeze(&m.oracle);
    hwr_unfreeze(m.heap);
}

/* When nothing is held, one collection leaves nothing, unless something is immortal or a type has broken its word. */
static void leave_nothing(void) {
    begin_operation();
    drop_everything();
    end_operation();
    begin_operation();
    collect(HWR_OLDEST);
    end_operation();
    CHECK(m.oracle.alive == 0 || m.immortals > 0 || m.broken_words > 0);
}

void counting_model_run(const uint8_t *bytes, size_t length, FILE *trace) {
    if (length == 0) return;
    oracle_reset(&m.oracle);
    memset((char *)&m + sizeof m.oracle, 0, sizeof m - sizeof m.oracle);
    m.configuration = bytes[0] & (2 * COUNTING_EAGER - 1);
    m.trace = trace;
    m.nested.state = bytes[0];
    object_finalizer = finalized;
    m.raw = model_memory_open(counting_source(m.configuration));
    open_heap();
    size_t count = 0;
    for (size_t at = 1; at + DRIVER_STEP <= length; at += DRIVER_STEP) {
        do_one((step){bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]});
        if (++count % CHECK_EACH != 0) continue;
        begin_operation();
        verify();
        compare_figures();
    }
    relieve();
    begin_operation();
    verify();
    if ((bytes[length - 1] & 1) != 0) leave_nothing(); /* the other half of the runs close a heap with objects */
    verify();
    compare_figures();
    hwr_heap_close(m.heap);
    model_memory_close(m.raw);
}
