#include "support/fixture.h"
#include "support/sanitizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIGS = BACKEND_KINDS * 8, NAME_LENGTH = 120 };

static fixture_config config_of(unsigned number) {
    return (fixture_config){.kind = (hwr_raw_kind)(number / 8),
                            .granularity = (number & 4) != 0 ? 8 : 16,
                            .shared = (number & 2) != 0,
                            .checked = (number & 1) != 0};
}

/* FIXTURE_FEW, and all there is in an emulator, or under the thread sanitizer for tests with one thread. */
static bool is_of_the_few(const fixture_config *config) {
    switch (config->kind) {
    case HWR_RAW_SYSTEM:
        return config->granularity == 8 ? config->shared && config->checked : !config->shared && !config->checked;
    case HWR_RAW_MALLOC:
        return config->granularity == 8 ? !config->shared && config->checked : config->shared && !config->checked;
    default: return config->granularity == 8 ? !config->shared && !config->checked : config->shared && config->checked;
    }
}

static bool wanted(const fixture_config *config, unsigned filter) {
    bool few = ((filter & FIXTURE_FEW) != 0 && getenv("HEAPWRIGHT_SOAK") == NULL) || is_emulated() ||
               (UNDER_TSAN && (filter & FIXTURE_SHARED) == 0);
    return (!few || is_of_the_few(config)) && !((filter & FIXTURE_CHECKED) != 0 && !config->checked) &&
           !((filter & FIXTURE_UNCHECKED) != 0 && config->checked) &&
           !((filter & FIXTURE_SHARED) != 0 && !config->shared) &&
           !((filter & FIXTURE_SYSTEM) != 0 && config->kind != HWR_RAW_SYSTEM);
}

hwr_pool_options fixture_options(const fixture *f) {
    return (hwr_pool_options){.size = sizeof(hwr_pool_options),
                              .raw = f->backend.raw,
                              .granularity = f->config.granularity,
                              .shared = f->config.shared,
                              .checked = f->config.checked};
}

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    if (f == NULL) return -1;
    f->config = *(const fixture_config *)*state;
    backend_open(&f->backend, f->config.kind, 0);
    hwr_pool_options options = fixture_options(f);
    f->pool = hwr_pool_open(&options);
    *state = f;
    return f->pool != NULL ? 0 : -1;
}

static int tear_down(void **state) {
    fixture *f = *state;
    const char *problem = "";
    bool well = hwr_pool_verify(f->pool, &problem);
    if (!well) print_error("after the test the pool does not verify: %s\n", problem);
    hwr_pool_close(f->pool);
    hwr_raw_stats left;
    hwr_raw_get_stats(f->backend.raw, &left);
    if (left.reserved != 0 || left.committed != 0)
        print_error("after the test %zu bytes are still reserved and %zu committed\n", left.reserved, left.committed);
    backend_abandon(&f->backend);
    free(f);
    return well && left.reserved == 0 && left.committed == 0 ? 0 : -1;
}

static const char *name_of(char *space, const char *test, const fixture_config *config) {
    snprintf(space, NAME_LENGTH, "%s [%s, %u%s%s]", test, backend_name(config->kind), config->granularity,
             config->shared ? ", shared" : "", config->checked ? ", checked" : "");
    return space;
}

int fixture_run(const char *group, const fixture_test *tests, size_t count) {
    static fixture_config configs[CONFIGS];
    for (unsigned i = 0; i < CONFIGS; i++) configs[i] = config_of(i);
    struct CMUnitTest *all = calloc(count * CONFIGS, sizeof *all);
    char(*names)[NAME_LENGTH] = calloc(count * CONFIGS, sizeof *names);
    if (all == NULL || names == NULL) return 1;
    size_t length = 0;
    for (size_t test = 0; test < count; test++)
        for (unsigned config = 0; config < CONFIGS; config++) {
            if (!wanted(&configs[config], tests[test].filter)) continue;
            all[length] = (struct CMUnitTest){.name = name_of(names[length], tests[test].name, &configs[config]),
                                              .test_func = tests[test].function,
                                              .setup_func = set_up,
                                              .teardown_func = tear_down,
                                              .initial_state = &configs[config]};
            length++;
        }
    int failed = _cmocka_run_group_tests(group, all, length, NULL, NULL);
    free(names);
    free(all);
    return failed;
}

void fixture_expect_holding(const fixture *f, size_t blocks, size_t bytes) {
    const char *problem = "";
    if (!hwr_pool_verify(f->pool, &problem)) fail_msg("the pool does not verify: %s", problem);
    hwr_pool_stats stats;
    hwr_pool_get_stats(f->pool, &stats);
    assert_int_equal(stats.blocks, blocks);
    assert_int_equal(stats.bytes, bytes);
    assert_int_equal(stats.committed, backend_committed(&f->backend));
    assert_true(stats.peak_committed >= stats.committed);
    assert_true(stats.page_bytes >= stats.bytes);
    assert_true(stats.committed >= stats.page_bytes);
}

size_t fixture_alignment(const fixture *f, size_t size) { return f->config.granularity == 16 && size > 8 ? 16 : 8; }
