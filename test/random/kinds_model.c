#define _GNU_SOURCE
#include "random/kinds_model.h"

#include "heapwright/collect.h"
#include "heapwright/mapping.h"
#include "heapwright/text.h"
#include "heapwright/tracing.h"
#include "random/kinds_mutator.h"
#include "support/check.h"
#include "support/model_memory.h"

#include <stdarg.h>
#include <string.h>

/* Stress collects everything at every so many allocations, which takes longer on a tracing heap. */
enum { STRESS = 9, STRESS_EAGER = 2, STRESS_TRACING = 300, STRESS_TRACING_EAGER = 60, SMALL_NURSERY = 1 << 15 };
enum { CHECK_EACH = 64, SPARE_SIZE = 3000, DEPTH_MOST = 3 };

kinds_mutator k;

void kinds_say(const char *format, ...) {
    if (k.trace == NULL) return;
    va_list arguments;
    va_start(arguments, format);
    vfprintf(k.trace, format, arguments);
    fputc('\n', k.trace);
    fflush(k.trace);
    va_end(arguments);
}

static size_t limit_of_heap(void) { return traces() ? KINDS_TRACING_LIMIT : KINDS_OWN_LIMIT; }

const char *kinds_model_describe(uint8_t configuration) {
    static char text[120];
    const char *collector = (configuration & KINDS_TINY) != 0      ? "tiny, "
                            : (configuration & KINDS_TRACING) != 0 ? "tracing, "
                                                                   : "";
    snprintf(text, sizeof text, "%s%s", collector, counting_model_describe(configuration));
    return text;
}

/* ---- want of memory ---- */

static size_t raw_failures(void) {
    hwr_raw_stats stats = {0};
    if (k.raw != NULL) hwr_raw_get_stats(k.raw, &stats);
    return stats.failures;
}

/* Of a tracing heap it is not asked at every step, since it collects everything to know. */
static size_t committed_now(void) {
    hwr_heap_stats stats = {0};
    if (k.raw == NULL) hwr_heap_get_stats(k.heap, &stats);
    return traces() ? stats.peak_committed : stats.committed;
}

static bool is_near_limit(size_t committed) { return committed + limit_of_heap() / 4 > limit_of_heap(); }

static bool memory_was_short(void) {
    return k.asked > 0 || raw_failures() > k.failures || is_near_limit(k.committed) || is_near_limit(committed_now());
}

bool allowed(bool answer) {
    CHECK(answer || memory_was_short());
    if (!answer) kinds_say("    refused");
    return answer;
}
bool given(const void *object) { return allowed(object != NULL); }
bool granted(hwr_result result, hwr_result expected) {
    if (result == HWR_NO_MEMORY) return allowed(false);
    if (result != expected) kinds_say("    %s, not %s", hwr_result_text(result), hwr_result_text(expected));
    CHECK(result == expected);
    return result == HWR_OK;
}

static bool out_of_memory(hwr_heap *heap, size_t size, void *context) {
    CHECK(heap == k.heap && size > 0 && context == &k);
    k.asked++;
    for (size_t i = 0; i < KINDS_SPARE; i++) {
        if (k.spare[i] == NULL) continue;
        void *spare = k.spare[i];
        k.spare[i] = NULL;
        kinds_say("    a spare one goes");
        hwr_release(heap, spare);
        return true;
    }
    return false;
}

static void fill_spare(void) {
    for (size_t i = 0; i < KINDS_SPARE; i++)
        if (k.spare[i] == NULL && !allowed((k.spare[i] = hwr_bytes(k.heap, NULL, SPARE_SIZE)) != NULL)) return;
}

/* All that can be had, in blocks of any size. */
static void exhaust(void) {
    if (k.raw == NULL || k.block_count > 0) return;
    kinds_say("take all memory");
    hwr_raw_inject_fault(k.raw, HWR_FAULT_ALL, 1, true);
    for (size_t size = 8000; size > 8; size /= 2)
        while (k.block_count < KINDS_BLOCKS && (k.blocks[k.block_count] = hwr_alloc(k.heap, size)) != NULL)
            k.block_count++;
}

static void relieve(void) {
    kinds_say("no limit, no faults");
    while (k.block_count > 0) hwr_free(k.heap, k.blocks[--k.block_count]);
    model_memory_relieve(k.raw);
}

static void inject_fault(uint32_t bits) {
    if (k.raw == NULL) return;
    uint64_t nth = (bits & 3) == 0 ? 0 : (bits >> 2 & 7) + 1;
    bool for_good = (bits >> 5 & 7) == 0;
    kinds_say("fault number %u (0: none)%s", (unsigned)nth, for_good ? " and all later" : "");
    hwr_raw_inject_fault(k.raw, (bits >> 8) % HWR_FAULT_ALL + 1, nth, for_good);
}

static void change_limit(uint32_t bits) {
    if (k.raw == NULL) return;
    kinds_say("limit: %zu", model_memory_limit(k.raw, (bits & 1) != 0, (size_t)(bits >> 1 & 63) << 12));
}

/* ---- what is held ---- */

held *pick_any(uint32_t bits) {
    for (uint32_t i = 0; i < KINDS_HELD; i++) {
        held *h = &k.held[(bits + i) % KINDS_HELD];
        if (h->object != NULL) return h;
    }
    return NULL;
}

held *pick_of(uint32_t bits, hwr_kind kind) {
    for (uint32_t i = 0; i < KINDS_HELD; i++) {
        held *h = &k.held[(bits + i) % KINDS_HELD];
        if (h->object != NULL && h->s->kind == kind) return h;
    }
    return NULL;
}

void let_go(held *h) {
    void *object = h->object;
    *h = (held){0};
    hwr_release(k.heap, object);
}

void keep(void *object, shadow *s, uint32_t bits) {
    uint32_t at = bits % KINDS_HELD;
    for (uint32_t i = 0; i < KINDS_HELD && k.held[at].object != NULL; i++) at = (at + 1) % KINDS_HELD;
    if (k.held[at].object != NULL) let_go(&k.held[at]);
    k.held[at] = (held){object, s};
    kinds_say("    in %u: %s", (unsigned)at, hwr_kind_name(s->kind));
    check_held(&k.held[at]);
}

void check_held(const held *h) { shadow_check(k.heap, h->object, h->s); }

/* What finalizers do: make objects and let them go. */
static void finalize_own(hwr_heap *heap, void *object) {
    uint64_t plan = ((own_object *)object)->plan;
    CHECK(heap == k.heap);
    if (k.depth >= DEPTH_MOST || (plan & 1) == 0) return;
    k.depth++;
    void *dict = NULL, *text = NULL;
    if (allowed(hwr_str(heap, "finalizer", &text) == HWR_OK) && given(dict = hwr_dict(heap, 0)))
        granted(hwr_dict_set(heap, dict, text, text), HWR_OK);
    if (dict != NULL && hwr_dict_length(dict) == 1 && (plan & 2) != 0)
        granted(hwr_dict_set(heap, dict, text, dict), HWR_OK);
    hwr_release(heap, dict);
    hwr_release(heap, text);
    if ((plan & 12) == 0) hwr_collect(heap, 0);
    k.depth--;
}

const hwr_type own_type = HWR_TYPE(own_object, HWR_REFS(own_object, field), .finalize = finalize_own);

/* ---- weak references ---- */

void watch(void *object, shadow *s, size_t at) {
    if (s->id == 0 || k.weak[at].object != NULL) return;
    kinds_say("weak reference %zu to a %s", at, hwr_kind_name(s->kind));
    hwr_weak *weak = hwr_weak_new(k.heap, object, NULL, NULL);
    if (given(weak)) k.weak[at] = (held){weak, s};
}

static void make_weak(uint32_t bits) {
    const held *h = pick_any(bits);
    if (h != NULL) watch(h->object, h->s, (bits >> 8) % KINDS_WEAK);
}

static void ask_weak(uint32_t bits) {
    held *w = &k.weak[(bits & 15) % KINDS_WEAK];
    if (w->object == NULL) return;
    shadow_unmark_all();
    for (size_t i = 0; i < KINDS_HELD; i++) shadow_mark(k.held[i].s);
    kinds_say("ask weak reference %zu", (size_t)(w - k.weak));
    void *object = hwr_weak_get(k.heap, w->object);
    if (w->s->marked && !shadow_is_lost_marked()) CHECK(object != NULL);
    if (object != NULL) shadow_check(k.heap, object, w->s);
    hwr_release(k.heap, object);
    if ((bits & 0xf0) == 0 || object == NULL) let_go(w);
}

/* ---- life and death ---- */

static bool count_kind(void *context, void *object) {
    size_t *counts = context;
    bool own = hwr_type_of(object) == &own_type;
    if (own || hwr_kind_of(object) != HWR_NO_KIND) counts[hwr_kind_of(object)]++;
    return true;
}

/* After a full collection the containers that can be reached are those that there are, but for the one empty tuple; where stacks are scanned there may be others. */
static void collect(uint32_t bits) {
    int generation = (bits & 3) == 3 ? HWR_OLDEST : (int)(bits & 3);
    kinds_say("collect generation %d", generation);
    hwr_collect(k.heap, generation);
    hwr_run_finalizers(k.heap, 0);
    if (generation != HWR_OLDEST) return;
    hwr_collect(k.heap, generation); /* finalizers keep what they look at for one */
    static const hwr_kind kinds[] = {HWR_NO_KIND, HWR_BYTEARRAY, HWR_TUPLE, HWR_LIST,     HWR_DICT,
                                     HWR_SET,     HWR_ARRAY,     HWR_RANGE, HWR_ITERATOR, HWR_OBJECT};
    size_t counts[HWR_KINDS] = {0};
    if (memory_was_short()) return;
    hwr_heap_walk(k.heap, count_kind, counts);
    shadow_unmark_all();
    for (size_t i = 0; i < KINDS_HELD; i++) shadow_mark(k.held[i].s);
    if (shadow_is_lost_marked()) return;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t least = shadow_count_marked(kinds[i]) + count_large(kinds[i]) + (kinds[i] == HWR_TUPLE);
        size_t own =
            kinds[i] == HWR_DICT ? shadow_count_marked(HWR_OBJECT) : 0; /* some objects have one of their own */
        CHECK(counts[kinds[i]] >= least && (counts[kinds[i]] <= least + own || traces()));
    }
    for (size_t i = 0; i < KINDS_WEAK; i++) {
        void *object = k.weak[i].object != NULL ? hwr_weak_get(k.heap, k.weak[i].object) : NULL;
        if (k.weak[i].object != NULL) CHECK((object != NULL) == k.weak[i].s->marked || (object != NULL && traces()));
        hwr_release(k.heap, object);
    }
}

/* Memory is only wanted for the counts that it makes. */
static void verify(void) {
    const char *problem = "";
    bool well = hwr_heap_verify(k.heap, &problem);
    if (!well && memory_was_short()) return;
    if (!well) fprintf(stderr, "the heap does not verify: %s\n", problem);
    CHECK(well);
}

static void verify_all(void) {
    verify();
    for (size_t i = 0; i < KINDS_HELD; i++)
        if (k.held[i].object != NULL) check_held(&k.held[i]);
}

static size_t object_count(void) {
    hwr_heap_stats stats;
    hwr_heap_get_stats(k.heap, &stats);
    return stats.objects;
}

/* ---- operations ---- */

static void begin_operation(void) {
    k.failures = raw_failures();
    k.committed = traces() ? 0 : committed_now();
    k.asked = 0;
}

static void drop_one(uint32_t bits) {
    held *h = pick_any(bits);
    if (h == NULL) return;
    kinds_say("release %zu", (size_t)(h - k.held));
    let_go(h);
}

static void hold_another(uint32_t bits) {
    held *h = pick_any(bits);
    if (h == NULL) return;
    kinds_say("retain %zu", (size_t)(h - k.held));
    hwr_retain(k.heap, h->object);
    keep(h->object, h->s, bits >> 5);
}

static void (*const make_new[])(uint32_t bits) = {make_array, make_range, make_iterator, make_object};

/* How often each comes stands in these bounds, of 256. */
static void perform(unsigned operation, uint32_t bits) {
    begin_operation();
    if (operation < 36)
        make_leaf(bits);
    else if (operation < 48)
        make_container(bits);
    else if (operation < 52)
        make_new[operation - 48](bits);
    else if (operation < 86)
        use_list(bits);
    else if (operation < 96)
        use_array(bits);
    else if (operation < 120)
        use_dict(bits);
    else if (operation < 128)
        use_object(bits);
    else if (operation < 140)
        use_set(bits);
    else if (operation < 144)
        use_object(bits);
    else if (operation < 148)
        make_iterator(bits);
    else if (operation < 155)
        use_text(bits);
    else if (operation < 157)
        use_large(bits);
    else if (operation < 171)
        use_iterator(bits);
    else if (operation < 172)
        use_range(bits);
    else if (operation < 184)
        use_bytes(bits);
    else if (operation < 196)
        use_numbers(bits);
    else if (operation < 200)
        use_own(bits);
    else if (operation < 212)
        compare_two(bits);
    else if (operation < 222)
        look_at_one(bits);
    else if (operation < 234)
        drop_one(bits);
    else if (operation < 237)
        hold_another(bits);
    else if (operation < 239)
        make_weak(bits);
    else if (operation < 242)
        ask_weak(bits);
    else if (operation < 246)
        collect(bits);
    else if (operation < 248)
        fill_spare();
    else if (operation < 249)
        change_limit(bits);
    else if (operation < 251)
        inject_fault(bits);
    else if (operation < 252)
        exhaust();
    else if (operation < 255)
        relieve();
    else
        hwr_heap_trim(k.heap);
}

/* ---- beginning and end ---- */

static void show_held(hwr_visitor *visitor, held *places, size_t count) {
    for (size_t i = 0; i < count; i++) HWR_VISIT(visitor, places[i].object);
}

/* What is held is in static memory, which no collector sees by itself. */
static void show(hwr_heap *heap, hwr_visitor *visitor, void *context) {
    (void)heap, (void)context;
    show_held(visitor, k.held, KINDS_HELD);
    show_held(visitor, k.weak, KINDS_WEAK);
    HWR_VISIT(visitor, k.none);
    for (size_t i = 0; i < KINDS_LARGE; i++) HWR_VISIT(visitor, k.large[i].object);
    for (size_t i = 0; i < KINDS_CLASSES; i++) HWR_VISIT(visitor, k.classes[i]);
    for (size_t i = 0; i < KINDS_SPARE; i++) HWR_VISIT(visitor, k.spare[i]);
}

static void open_heap(void) {
    unsigned mode = counting_mode(k.configuration);
    bool eager = (k.configuration & COUNTING_EAGER) != 0;
    hwr_options options = {.size = sizeof options, .raw = k.raw};
    options.limit = k.raw == NULL ? limit_of_heap() : 0;
    options.checked = (mode & COUNTING_CHECKED) != 0;
    if (traces()) {
        bool is_tiny = (k.configuration & KINDS_TINY) != 0;
        options.collector = is_tiny ? HWR_TINY : HWR_TRACING;
        options.manual_finalizers = true;
        options.nursery = SMALL_NURSERY;
        options.move_always = eager && !is_tiny;
    }
    if (mode >= COUNTING_STRESS)
        options.stress = traces() ? eager ? STRESS_TRACING_EAGER : STRESS_TRACING : eager ? STRESS_EAGER : STRESS;
    options.on_out_of_memory = out_of_memory;
    options.context = &k;
    k.heap = hwr_heap_open(&options);
    CHECK(k.heap != NULL && hwr_kinds_open(k.heap));
    k.none = hwr_none(k.heap); /* the kinds have it as long as the heap is open */
    hwr_release(k.heap, k.none);
    if (eager) hwr_set_threshold(k.heap, (const int[HWR_GENERATIONS]){20, 2, 2});
    CHECK(hwr_roots_add(k.heap, show, NULL));
}

static void leave_nothing(size_t before) {
    for (size_t i = 0; i < KINDS_HELD; i++)
        if (k.held[i].object != NULL) let_go(&k.held[i]);
    for (size_t i = 0; i < KINDS_WEAK; i++)
        if (k.weak[i].object != NULL) let_go(&k.weak[i]);
    for (size_t i = 0; i < KINDS_SPARE; i++) hwr_release(k.heap, k.spare[i]);
    release_classes();
    drop_all_large(true);
    for (int i = 0; i < 3; i++) hwr_collect(k.heap, HWR_OLDEST);
    CHECK(object_count() == before || traces());
}

void kinds_model_run(const uint8_t *bytes, size_t length, FILE *trace) {
    if (length == 0) return;
    k = (kinds_mutator){.configuration = bytes[0] % KINDS_CONFIGURATIONS, .trace = trace};
    k.raw = model_memory_open(counting_source(k.configuration));
    open_heap();
    size_t before = object_count(), count = 0;
    for (size_t at = 1; at + DRIVER_STEP <= length; at += DRIVER_STEP) {
        perform(bytes[at], (uint32_t)bytes[at + 1] << 16 | (uint32_t)bytes[at + 2] << 8 | bytes[at + 3]);
        if (++count % CHECK_EACH == 0) verify_all();
    }
    begin_operation();
    relieve();
    verify_all();
    check_all_large();
    if ((bytes[length - 1] & 1) != 0) leave_nothing(before); /* the other half of the runs close a heap with objects */
    drop_all_large(false);
    verify();
    hwr_heap_close(k.heap);
    model_memory_close(k.raw);
    shadow_free_all();
}
