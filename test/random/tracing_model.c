#define _GNU_SOURCE
#include "random/tracing_model.h"

#include "random/tracing_mutator.h"
#include "support/check.h"
#include "support/model_memory.h"

#include <stdlib.h>
#include <string.h>

enum { CHECK_EACH = 64, STACK_BYTES = 16384, DROPPED_AT_ONCE = 6 };

/* One operation as the bytes give it. */
typedef struct step {
    uint8_t operation, which, high, low;
} step;

static unsigned mode_of(uint8_t configuration) { return configuration & TRACING_MODE; }
static unsigned source_of(uint8_t configuration) {
    return ((unsigned)configuration & TRACING_SOURCE) >> TRACING_SOURCE_SHIFT;
}

const char *tracing_model_describe(uint8_t configuration) {
    static const char *const modes[] = {"exact", "stacks", "unmoving", "moving"};
    static const char *const sources[] = {"system", "malloc", "buffer", "limit"};
    static char text[100];
    snprintf(text, sizeof text, "%s%s, %s%s%s%s", (configuration & TRACING_TINY) != 0 ? "tiny, " : "",
             modes[mode_of(configuration)], sources[source_of(configuration)],
             (configuration & TRACING_CHECKED) != 0 ? ", checked" : "",
             (configuration & TRACING_STRESS) != 0 ? ", stress" : "",
             (configuration & TRACING_SMALL) != 0 ? ", small" : "");
    return text;
}

/* Finalizers */

void note_empty_queue(bool truly) {
    for (size_t i = 0; i < m.shadow.end; i++) {
        m.shadow.nodes[i].strayed &= m.shadow.nodes[i].kind == TRACED_WEAK;
        if (truly) m.shadow.nodes[i].unsure = false;
    }
}

static void drop_fields(node *n, const root *self) {
    for (size_t i = 0; i < n->field_count; i++) {
        void *nothing = NULL, *object = root_object(self);
        hwr_set(m.heap, object, tracing_object_field(object, n->kind, i), nothing);
        n->fields[i] = NULL;
    }
}

static void do_something(void) {
    uint64_t random = random_next(&m.nested);
    uint32_t bits = (uint32_t)(random >> 8) & 0xffffff, plan = (uint32_t)(random >> 32);
    switch (random & 7) {
    case 0:
    case 1: make_object(bits, plan); break;
    case 2: set_field(bits); break;
    case 3: drop_root(bits); break;
    case 4: copy_root(bits); break;
    case 5: use_handle(bits); break;
    case 6: collect_some(bits); break;
    default: make_weak(bits);
    }
}

/* `self` is a root that holds it. */
static void follow_plan(node *n, const root *self) {
    root *r = root_for(n->plan >> 4);
    switch (n->plan & 15) {
    case 6:
    case 7:
        say("it comes back");
        root_put(r, n, root_object(self));
        break;
    case 8: drop_fields(n, self); break;
    case 9:
        if (n->field_count == 0 || n->fields[0] == NULL) break;
        say("what it refers to comes back");
        root_put(r, n->fields[0], *tracing_object_field(root_object(self), n->kind, 0));
        break;
    case 10:
        if (n->finalized > 3) break;
        say("it will be finalized again");
        n->registered = hwr_reregister_finalizer(m.heap, root_object(self));
        n->batch = 0;
        if (!n->registered) check_refusal();
        break;
    case 11:
    case 12: do_something(); break;
    case 13:
        do_something();
        do_something();
        break;
    case 14:
        collect_some(n->plan >> 4);
        root_put(r, n, root_object(self));
        break;
    default: break;
    }
}

static void check_order(const node *n) {
    for (size_t i = 0; tracing_kind_is_critical(n->kind) && n->batch != 0 && i < m.shadow.end; i++) {
        const node *other = &m.shadow.nodes[i];
        CHECK(!other->registered || tracing_kind_is_critical(other->kind) || other->batch != n->batch);
    }
}

static void finalized(hwr_heap *heap, void *object) {
    CHECK(heap == m.heap);
    node *n = shadow_find(&m.shadow, tracing_object_serial(object));
    say("finalizer of %llu", (unsigned long long)n->serial);
    CHECK(n->registered && m.depth == 0);
    shadow_mark(&m.shadow);
    CHECK(n->strayed || !n->rooted);
    check_order(n);
    tracing_object_check(object, n->kind, n->length, n->serial);
    m.finalizers++;
    m.depth++;
    CHECK(push_frame());
    root *self = &m.shadow.roots[FIRST_FRAME + (m.frame_count - 1) * FRAME_SLOTS];
    bring_back(self, n, object);
    n->registered = n->strayed = false;
    n->batch = 0;
    n->finalized++;
    if (!m.ending) follow_plan(n, self);
    pop_frame();
    m.depth--;
}

void run_finalizers(uint32_t bits) {
    size_t most = bits % 4, waiting = hwr_finalizers_pending(m.heap), before = m.finalizers;
    bool unsure = shadow_is_unsure(&m.shadow);
    say("run finalizers, %zu wait", waiting);
    if (most == 3) {
        hwr_wait_for_finalizers(m.heap);
        CHECK(hwr_finalizers_pending(m.heap) == 0);
        note_empty_queue(true);
    } else {
        size_t run = hwr_run_finalizers(m.heap, most);
        CHECK(run == m.finalizers - before || unsure);
        CHECK(most == 0 || run <= most);
    }
    size_t least = most == 0 || most == 3 || waiting < most ? waiting : most;
    CHECK(m.finalizers - before >= least || unsure);
}

/* Roots */

static void show(hwr_heap *heap, hwr_visitor *visitor, void *context) {
    (void)heap;
    void **slots = context;
    for (size_t i = 0; i < (context == m.locals ? LOCALS : SHOWN); i++) HWR_VISIT(visitor, slots[i]);
}

static void open_roots(void) {
    m.shown = calloc(1, STACK_BYTES);
    CHECK(m.shown != NULL);
    if (scans_stacks()) {
        m.stack = hwr_stack_register(m.heap, m.shown, STACK_BYTES);
        CHECK(m.stack != NULL);
    } else {
        CHECK(hwr_roots_add(m.heap, show, m.locals) && hwr_roots_add(m.heap, show, m.shown));
        CHECK(!hwr_roots_remove(m.heap, show, &m));
    }
    for (size_t i = 0; i < LOCALS; i++) m.shadow.roots[i] = (root){.sort = ROOT_LOCAL, .slot = &m.locals[i]};
    for (size_t i = 0; i < SHOWN; i++)
        m.shadow.roots[FIRST_SHOWN + i] = (root){.sort = ROOT_SHOWN, .slot = &m.shown[i]};
    CHECK(push_frame());
}

static void close_roots(void) {
    while (m.frame_count > 0) pop_frame();
    if (scans_stacks())
        hwr_stack_unregister(m.heap, m.stack);
    else
        CHECK(hwr_roots_remove(m.heap, show, m.shown) && hwr_roots_remove(m.heap, show, m.locals));
    free(m.shown);
}

/* Operations */

static bool out_of_memory(hwr_heap *heap, size_t size, void *context) {
    CHECK(heap == m.heap && size > 0 && context == &m);
    say("out of memory: %zu bytes", size);
    if (m.asked++ > 1) return false;
    drop_root((uint32_t)size);
    return true;
}

static void begin_operation(void) {
    hwr_raw_stats stats = {0};
    if (m.raw != NULL) hwr_raw_get_stats(m.raw, &stats);
    m.failures = stats.failures;
    m.asked = 0;
}

static void end_operation(void) {
    uint64_t allocated = hwr_allocated_bytes(m.heap, true);
    CHECK(allocated >= m.allocated);
    CHECK(hwr_allocated_bytes(m.heap, false) <= allocated && hwr_allocated_bytes_here(m.heap) <= allocated);
    m.allocated = allocated;
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

static void visit_heap(uint32_t bits) {
    switch (bits % 4) {
    case 0: hwr_poll(m.heap); break;
    case 1:
        hwr_leave(m.heap);
        hwr_return(m.heap);
        break;
    case 2:
        CHECK(hwr_thread_attach(m.heap));
        hwr_thread_detach(m.heap);
        break;
    default: hwr_heap_trim(m.heap);
    }
}

static void drop_much(uint32_t bits) {
    for (uint32_t i = 0; i < DROPPED_AT_ONCE; i++) drop_root(bits + i * 7);
    if (bits % 8 == 0) collect_all(bits >> 3);
}

/* How often each comes stands in these bounds, of 256. What adds makes way when there is enough. */
static void perform(step s) {
    uint32_t bits = (uint32_t)s.which << 16 | (uint32_t)s.high << 8 | s.low;
    unsigned operation = s.operation;
    if (operation < 80 && m.shadow.alive > ALIVE_MOST)
        drop_much(bits);
    else if (operation < 74)
        make_object(bits, (uint32_t)(bits * 0x9e3779b1u) >> 4);
    else if (operation < 80)
        make_weak(bits);
    else if (operation < 134)
        set_field(bits);
    else if (operation < 164)
        drop_root(bits);
    else if (operation < 176)
        copy_root(bits);
    else if (operation < 204)
        use_handle(bits);
    else if (operation < 210)
        ask_weak(bits);
    else if (operation < 214)
        change_frames(bits);
    else if (operation < 218)
        change_globals(bits);
    else if (operation < 225)
        suppress_or_register(bits);
    else if (operation < 232)
        collect_some(bits);
    else if (operation < 236)
        collect_all(bits);
    else if (operation < 240)
        run_finalizers(bits);
    else if (operation < 243)
        ask_about(bits);
    else if (operation < 244)
        make_immortal(bits);
    else if (operation < 246)
        use_pressure(bits);
    else if (operation < 248)
        visit_heap(bits);
    else if (operation < 249)
        change_limit(s);
    else if (operation < 252)
        inject_fault(s);
    else
        model_memory_relieve(m.raw);
}

static void do_one(step s) {
    begin_operation();
    perform(s);
    end_operation();
}

/* Beginning and end */

static void open_heap(void) {
    bool is_small = (m.configuration & TRACING_SMALL) != 0;
    unsigned mode = mode_of(m.configuration);
    bool is_tiny = (m.configuration & TRACING_TINY) != 0;
    hwr_options options = {.size = sizeof options, .collector = is_tiny ? HWR_TINY : HWR_TRACING, .raw = m.raw};
    options.limit = m.raw == NULL ? OWN_LIMIT : 0;
    options.checked = (m.configuration & TRACING_CHECKED) != 0;
    options.stress = (m.configuration & TRACING_STRESS) != 0 ? is_small ? 1 : 7 : 0;
    options.on_out_of_memory = out_of_memory;
    options.context = &m;
    options.roots = mode == TRACING_STACKS ? HWR_ROOTS_STACKS : HWR_ROOTS_EXACT;
    options.sizing = !is_small ? HWR_SIZE_GROWS : m.raw == NULL ? HWR_SIZE_FIXED : HWR_SIZE_ADAPTS;
    options.nursery = is_small ? 4096 : 32768;
    options.unmoving = mode == TRACING_UNMOVING;
    options.move_always = mode == TRACING_ALWAYS && !is_tiny;
    options.marking_threads =
        options.checked ? (is_small ? 3 : 2) : 0; /* a checked heap calls them in every collection */
    options.manual_finalizers = true;
    m.heap = hwr_heap_open(&options);
    CHECK(m.heap != NULL);
}

static void drop_everything(void) {
    m.ending = true;
    for (size_t i = 0; i < ROOTS_USED; i++)
        if (m.shadow.roots[i].sort != ROOT_FREE) root_put(&m.shadow.roots[i], NULL, NULL);
    for (size_t i = 0; i < SHADOW_HANDLES; i++)
        if (m.shadow.handles[i].handle != NULL) free_handle(&m.shadow.handles[i]);
    if (m.pressure > 0) hwr_remove_memory_pressure(m.heap, m.pressure);
}

/* When nothing is held, what is immortal is all that stays: a finalizer may be called once more for each, and then everything goes. */
static void leave_nothing(void) {
    drop_everything();
    for (int i = 0; i < 3; i++) {
        begin_operation();
        run_finalizers(3);
        collect_all(0);
    }
    CHECK(hwr_finalizers_pending(m.heap) == 0);
    if (!scans_stacks() && m.immortals == 0) CHECK(m.shadow.alive == 0 || memory_was_short());
}

void tracing_model_run(const uint8_t *bytes, size_t length, FILE *trace) {
    void *locals[LOCALS] = {NULL};
    if (length == 0) return;
    memset((char *)&m + sizeof m.shadow, 0, sizeof m - sizeof m.shadow);
    shadow_reset(&m.shadow);
    m.configuration = bytes[0];
    m.trace = trace;
    m.nested.state = bytes[0];
    m.locals = locals;
    tracing_finalizer = finalized;
    m.raw = model_memory_open(source_of(m.configuration));
    open_heap();
    open_roots();
    size_t count = 0;
    for (size_t at = 1; at + DRIVER_STEP <= length; at += DRIVER_STEP) {
        do_one((step){bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]});
        if (++count % CHECK_EACH != 0) continue;
        begin_operation();
        check_heap();
    }
    model_memory_relieve(m.raw);
    begin_operation();
    check_heap();
    if ((bytes[length - 1] & 1) != 0) leave_nothing(); /* the other half of the runs close a heap with objects */
    check_heap();
    close_roots();
    hwr_heap_close(m.heap);
    model_memory_close(m.raw);
}
