#include "core/boot/plan.h"

const char *lb_service_word(enum lb_service service) {
    static const char *const words[] = {
        [LB_BY_CONFIG] = "configuration",    [LB_BY_ROOTPATH] = "root path", [LB_BY_SLP] = "slp",
        [LB_BY_SENDTARGETS] = "sendtargets", [LB_BY_ISNS] = "isns",
    };
    return words[service];
}

static enum lb_family family_of(const struct lb_config *config, enum lb_key key) {
    const char *word = lb_config_text(config, key);
    if (lb_streq(word, "4"))
        return LB_V4;
    return lb_streq(word, "6") ? LB_V6 : LB_FAMILY_NONE;
}

static unsigned name_flags(const struct lb_config *config, bool by_person) {
    const char *word = lb_config_text(config, LB_KEY_ACCEPT_NAMES);
    bool takes_any = lb_streq(word, "lenient") || (by_person && lb_streq(word, "auto"));
    return (takes_any ? (unsigned)LB_ROOTPATH_ANY_NAMES : 0u) |
           (lb_config_bool(config, LB_KEY_ACCEPT_UNDERSCORE) ? 0u
                                                             : (unsigned)LB_ROOTPATH_STRICT_NAMES);
}

/* ---- the key `discovery` -------------------------------------------------------------------- */

static struct lb_bytes list_of(const struct lb_config *config, enum lb_key key) {
    return lb_bytes_of_text(lb_config_text(config, key));
}

/* `off` counts wherever it stands. */
static struct lb_plan_service read_service(const struct lb_config *config,
                                           enum lb_service service) {
    struct lb_bytes item, list = list_of(config, LB_KEY_DISCOVERY);
    struct lb_plan_service read = {.is_on = false};
    bool is_off = false;
    while (lb_list_next(&list, ',', &item)) {
        bool is_auto = lb_text_is(item, "auto");
        bool is_it = lb_text_is(item, lb_service_word(service));
        is_off = is_off || lb_text_is(item, "off");
        read.is_on = read.is_on || is_auto || is_it;
        read.is_chosen = read.is_chosen || is_it;
        read.before += !is_auto && !read.is_chosen;
    }
    read.is_on = read.is_on && !is_off;
    return read;
}

/* ---- allow-target --------------------------------------------------------------------------- */

static bool names(const struct lb_config *config, const char *target_or_null) {
    struct lb_bytes item, list = list_of(config, LB_KEY_ALLOW_TARGET);
    while (lb_list_next(&list, ',', &item)) {
        bool is_name = item.len > 0 && item.p[item.len - 1] != '*';
        if (is_name && (target_or_null == NULL || lb_list_has_name(item, target_or_null)))
            return true;
    }
    return false;
}

bool lb_plan_names_target(const struct lb_plan *plan, const char *target) {
    return plan->names_any_target && names(plan->config, target);
}

bool lb_plan_takes_name(const struct lb_plan *plan, const char *target) {
    char name[LB_NAME_MAX + 1];
    unsigned warnings = 0;
    size_t offset;
    return lb_iscsi_name_parse(lb_bytes_of_text(target), plan->network_names, name, &warnings,
                               &offset);
}

/* ---- the families --------------------------------------------------------------------------- */

size_t lb_plan_index(enum lb_family family) {
    return family == LB_V6;
}

bool lb_plan_asks(const struct lb_plan *plan, enum lb_family family) {
    return plan->asks[lb_plan_index(family)];
}

bool lb_plan_is_static(const struct lb_plan *plan, enum lb_family family) {
    return plan->address.addr.family == family;
}

/* A configured address says which family it is about. */
static bool asks(const struct lb_plan *plan, enum lb_family family) {
    if (family == LB_V6 && !plan->has_ipv6)
        return false;
    if (lb_addr_is_set(plan->address.addr))
        return lb_plan_is_static(plan, family);
    return plan->family == LB_FAMILY_NONE || plan->family == family;
}

/* ---- IPsec ---------------------------------------------------------------------------------- */

static enum lb_plan_ipsec read_ipsec(const struct lb_config *config) {
    const char *word = lb_config_text(config, LB_KEY_IPSEC);
    if (lb_streq(word, "target"))
        return LB_PLAN_SHIELDS_TARGET;
    bool is_on = lb_config_is_set(config, LB_KEY_IPSEC_PSK) || lb_config_requires(config, "ipsec");
    return lb_streq(word, "all") || (lb_streq(word, "auto") && is_on) ? LB_PLAN_SHIELDS_ALL
                                                                      : LB_PLAN_CLEAR;
}

/* ---- all of it ------------------------------------------------------------------------------ */

static bool is_dry(const struct lb_boot_setup *setup) {
    return setup->goal == LB_GOAL_PROBE ||
           (setup->goal == LB_GOAL_DISCOVER && setup->network_is_up);
}

struct lb_plan lb_plan_of(const struct lb_boot_setup *setup) {
    const struct lb_config *config = setup->config;
    struct lb_plan plan = {
        .config = config,
        .goal = setup->goal,
        .network_is_up = setup->network_is_up,
        .has_ipv6 = setup->has_ipv6,
        .is_dry = is_dry(setup),
        .family = family_of(config, LB_KEY_FAMILY),
        .prefer = family_of(config, LB_KEY_PREFER_FAMILY),
        .person_names = name_flags(config, true),
        .network_names = name_flags(config, false),
        .ipsec = read_ipsec(config),
        .names_any_target = names(config, NULL),
    };
    memcpy(plan.mac, setup->mac, sizeof plan.mac);
    memcpy(plan.uuid, setup->uuid, sizeof plan.uuid);
    if (!plan.is_dry && lb_config_is_set(config, LB_KEY_ADDRESS))
        plan.address = lb_config_prefix(config, LB_KEY_ADDRESS);
    plan.has_arch = lb_config_arch(config, &plan.arch);
    if (setup->has_arch && lb_streq(lb_config_text(config, LB_KEY_CLIENT_ARCH), "auto")) {
        plan.has_arch = true;
        plan.arch = setup->arch;
    }
    plan.asks[0] = asks(&plan, LB_V4);
    plan.asks[1] = asks(&plan, LB_V6);
    for (unsigned i = 0; i < LB_COUNT(plan.services); i++)
        plan.services[i] = read_service(config, (enum lb_service)i);
    return plan;
}
