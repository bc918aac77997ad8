/* What tests of single stages share: a configuration, and the plan that is made of it. */
#ifndef LB_TEST_STAGE_H
#define LB_TEST_STAGE_H

#include "core/boot/plan.h"
#include "tests/tap.h"

static struct lb_config config;
static struct lb_boot_setup plan_setup = {.config = &config}; /* a test may change the rest */
static struct lb_plan plan;

/* Of what is configured by now. */
static inline void make_plan(void) {
    plan = lb_plan_of(&plan_setup);
}

/* A test begins: nothing is configured. */
static inline void clear_plan(void) {
    memset(&config, 0, sizeof config);
    make_plan();
}

/* By a person; it must be good. */
static inline void set(const char *key, const char *value) {
    struct lb_error error = {.code = LB_OK};
    CHECK(lb_config_set(&config, LB_SOURCE_OPTION, lb_bytes_of_text(key), lb_bytes_of_text(value),
                        &error));
    make_plan();
}

#endif
